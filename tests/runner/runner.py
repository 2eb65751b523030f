# SPDX-License-Identifier: BSD-3-Clause
"""Runs the sections of tools/test: builds first, then sections that wait beside those that compute.

A job is a build or a section: `tests/runner/sections NAME`, its output in a log of its own. There
are three kinds of place:
  COMPUTE  keeps the processors busy; one at a time, at a lower priority than what runs beside it
  WAIT     waits more than it computes, or keeps to one processor: as many as there are processors,
           with the one that computes counted
  ALONE    has nothing beside it
A job starts as soon as what it needs is done and its place is free; of several the first in the
table. Lines come in the table's order, each as soon as those before it are printed.
"""
import dataclasses
import os
import re
import signal
import subprocess
import sys
import time

COMPUTE, WAIT, ALONE = "compute", "wait", "alone"
GIVES_WAY = 4  # the nice value of what computes: it gets a third where both want all
TAIL_LINES = 25
GRACE_S = 10  # for a job to tidy up
POLL_S = 0.05


@dataclasses.dataclass
class Job:
    name: str
    place: str
    limit_s: int  # a hang ends here, and the line says so
    needs: tuple = ()
    build: bool = False  # prints a line only where it failed
    # As it ran:
    process: subprocess.Popen = None
    start_s: float = 0
    wall_s: float = 0
    cpu_s: float = 0
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    why: str = ""  # it did not end by itself, or did not start
    done: bool = False


def processes():
    """Every process: its parent and when it started, by pid."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            found[int(entry)] = int(fields[1]), fields[19]
    return found


def family(pids):
    """These processes and all that came from them, in whatever group or session: pid and start."""
    found, children = processes(), {}
    for pid, (parent, _) in found.items():
        children.setdefault(parent, []).append(pid)
    members = list(pids)
    for member in members:
        members += children.get(member, [])
    return {pid: found[pid][1] for pid in members if pid in found}


def send(members, number):
    """Signals those that are still the processes they were."""
    now = processes()
    for pid, start in members.items():
        if pid in now and now[pid][1] == start:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass


def tally(text):
    """What a log counts, last of all: meson's summaries, or "N passed, N failed[, N skipped]"."""
    def total(words):
        return sum(map(int, re.findall(rf"^(?:{words}): *(\d+)", text, re.M)))
    counts = [total("Ok"), total("Fail|Unexpected Pass|Timeout"), total("Skipped")]
    own = re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", text, re.M)
    if own:
        counts = [had + int(more or 0) for had, more in zip(counts, own[-1])]
    return counts


class Runner:
    def __init__(self, jobs, command, logs, strict=False, limit_s=float("inf"), out=sys.stdout):
        self.jobs, self.command, self.logs = jobs, command, logs
        self.strict = strict  # a skip is a failure
        self.end_s = time.monotonic() + limit_s
        self.out = out
        self.printed = 0
        self.by_name = {job.name: job for job in jobs}
        os.makedirs(logs, exist_ok=True)

    def run(self):
        """True where nothing failed."""
        try:
            while any(not job.done for job in self.jobs):
                self.start_what_can()
                self.collect()
                self.print_lines()
                time.sleep(POLL_S)
        finally:
            self.end([job for job in self.jobs if job.process and not job.done])
        counts = [sum(getattr(job, kind) for job in self.jobs) for kind in ("passed", "failed", "skipped")]
        line = "{} passed, {} failed".format(*counts)
        print(line + (f", {counts[2]} skipped" if counts[2] else ""), file=self.out, flush=True)
        return counts[1] == 0

    def log(self, job):
        return os.path.join(self.logs, job.name + ".log")

    def running(self):
        return [job for job in self.jobs if job.process and not job.done]

    def fits(self, job):
        beside = self.running()
        if not beside:
            return True
        if job.place == ALONE or any(other.place == ALONE for other in beside):
            return False
        if job.place == COMPUTE and any(other.place == COMPUTE for other in beside):
            return False
        return len(beside) < max(2, len(os.sched_getaffinity(0)))

    def start_what_can(self):
        for job in self.jobs:
            if job.done or job.process:
                continue
            needed = [self.by_name[name] for name in job.needs]
            broken = [need.name for need in needed if need.done and need.failed]
            if broken:
                self.finish(job, why=f"{broken[0]} failed")
            elif time.monotonic() > self.end_s:
                self.finish(job, why="not started: no time left")
            elif all(need.done for need in needed) and self.fits(job):
                self.start(job)

    def start(self, job):
        def give_way():
            os.setpgrp()  # Ctrl-C is ours to pass on
            if job.place == COMPUTE:
                os.nice(GIVES_WAY)
        with open(self.log(job), "wb") as log:
            job.start_s = time.monotonic()
            # Not in a session of its own: where Linux groups tasks by session, a nice value counts
            # only among those of one.
            job.process = subprocess.Popen([*self.command, job.name], stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=log, preexec_fn=give_way)

    def collect(self):
        now_s = time.monotonic()
        for job in self.running():
            pid, status, usage = os.wait4(job.process.pid, os.WNOHANG)
            if pid:
                job.cpu_s = usage.ru_utime + usage.ru_stime
                self.finish(job, status=os.waitstatus_to_exitcode(status))
            elif now_s > job.start_s + job.limit_s or now_s > self.end_s:
                limit = f"{job.limit_s} s" if now_s > job.start_s + job.limit_s else "all the time there is"
                self.end([job])
                self.finish(job, why=f"no end within {limit}")

    def end(self, jobs):
        """Ends jobs and all that they started: asks first, so that they can tidy up."""
        pids = [job.process.pid for job in jobs]
        members = family(pids)
        send(members, signal.SIGTERM)
        until_s = time.monotonic() + GRACE_S
        while time.monotonic() < until_s and any(job.process.poll() is None for job in jobs):
            time.sleep(POLL_S)
        send(members | family(pids), signal.SIGKILL)
        for job in jobs:
            job.process.wait()

    def finish(self, job, status=1, why=""):
        if job.process and job.process.returncode is None:
            job.process.returncode = status  # wait4 has reaped it
        job.done, job.why = True, why
        job.wall_s = time.monotonic() - job.start_s if job.process else 0
        text = self.text(job)
        job.passed, job.failed, job.skipped = tally(text)
        # One that failed without counting is one failure; one that counts nothing is one check.
        if (status or why) and not job.failed:
            job.failed = 1
        elif not job.build and not (job.passed or job.failed or job.skipped):
            job.passed = 1
        if self.strict:
            job.failed, job.skipped = job.failed + job.skipped, 0

    def text(self, job):
        if not job.process:
            return ""
        with open(self.log(job), encoding="utf-8", errors="replace") as log:
            return log.read()

    def print_lines(self):
        while self.printed < len(self.jobs) and self.jobs[self.printed].done:
            job = self.jobs[self.printed]
            self.printed += 1
            if not job.build or job.failed:
                self.print_job(job)

    def print_job(self, job):
        lines = self.text(job).splitlines()
        shown = [f"{job.name:<11} {job.passed:4} passed  {job.failed:3} failed  {job.skipped:3} skipped"
                 f"  {job.wall_s:4.0f} s  {job.cpu_s:5.0f} s of processor"]
        if job.why:
            shown.append(f"    {job.why}")
        if job.failed:
            wrong = re.compile(r"^(not ok|FAIL|skip)|FAIL|error:|ERROR")
            shown += ["    " + line for line in lines if wrong.search(line)][:20]
            shown += ["    | " + line for line in lines[-TAIL_LINES:]]
        elif job.skipped:
            skip = re.compile(r"^(skip|ok .*# skip)", re.I)
            shown += ["    " + line for line in lines if skip.search(line)][:10]
        print("\n".join(shown), file=self.out, flush=True)
