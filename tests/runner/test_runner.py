#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The runner of tools/test on planted jobs: what fails is counted and shown, what hangs is ended."""
import io
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import runner as runner_module
from runner import ALONE, COMPUTE, WAIT, Job, Runner

runner_module.GRACE_S = 1

# A job's name is what this shell does.
SCRIPT = """#!/bin/bash
case $1 in
good*) echo "$(date +%s.%N) $1" >>"$PLANTED"; sleep 0.4; echo "$(date +%s.%N) end $1" >>"$PLANTED"
       echo "3 passed, 0 failed, 1 skipped" ;;
silent) ;;
bad) echo "not ok a planted check"; echo "2 passed, 1 failed"; exit 1 ;;
dies) kill -SEGV $$ ;;
# Out of the group, deaf to the first signal, and with a child of its own.
hangs) trap '' TERM; setsid sleep 987 & echo "$!" >>"$PLANTED"; timeout 987 sleep 987; wait ;;
meson) printf 'Ok:                 5\\nFail:               1\\nTimeout:            1\\nSkipped:            2\\n' ;;
esac
"""


class Planted(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.script = self.folder / "script"
        self.script.write_text(SCRIPT)
        self.script.chmod(0o755)
        self.planted = os.environ["PLANTED"] = str(self.folder / "planted")

    def run_jobs(self, *jobs, **options):
        out = io.StringIO()
        runner = Runner(list(jobs), [self.script], self.folder / "logs", out=out, **options)
        return runner.run(), out.getvalue()

    def times(self):
        """When each good job began and ended."""
        found = {}
        for line in pathlib.Path(self.planted).read_text().splitlines():
            when, *_, name = line.split()
            found.setdefault(name, []).append(float(when))
        return found

    def beside(self, one, other):
        times = self.times()
        return times[one][0] < times[other][1] and times[other][0] < times[one][1]

    def test_counts(self):
        good, text = self.run_jobs(Job("good", WAIT, 60), Job("silent", WAIT, 60))
        self.assertTrue(good)
        self.assertEqual(text.splitlines()[-1], "4 passed, 0 failed, 1 skipped")

    def test_a_skip_fails_where_nothing_may_be_left_out(self):
        good, text = self.run_jobs(Job("good", WAIT, 60), strict=True)
        self.assertFalse(good)
        self.assertEqual(text.splitlines()[-1], "3 passed, 1 failed")

    def test_a_failure_is_counted_and_shown(self):
        good, text = self.run_jobs(Job("bad", WAIT, 60), Job("dies", WAIT, 60), Job("silent", WAIT, 60))
        self.assertFalse(good)
        self.assertIn("    not ok a planted check", text)
        self.assertEqual(text.splitlines()[-1], "3 passed, 2 failed")

    def test_what_meson_says(self):
        _, text = self.run_jobs(Job("meson", WAIT, 60))
        self.assertEqual(text.splitlines()[-1], "5 passed, 2 failed, 2 skipped")

    def test_a_hang_is_ended_with_all_that_it_started(self):
        good, text = self.run_jobs(Job("hangs", WAIT, 1), Job("good", WAIT, 60))
        self.assertFalse(good)
        self.assertIn("    no end within 1 s", text)
        self.assertEqual(text.splitlines()[-1], "3 passed, 1 failed, 1 skipped")
        self.assert_gone()

    def assert_gone(self):
        pid = int(pathlib.Path(self.planted).read_text().split()[0])
        status = pathlib.Path(f"/proc/{pid}/status")
        self.assertTrue(not status.exists() or "Z (zombie)" in status.read_text())

    def test_the_total_time_is_bounded(self):
        good, text = self.run_jobs(Job("hangs", ALONE, 900), Job("good", WAIT, 60), limit_s=1)
        self.assertFalse(good)
        self.assertIn("no end within all the time there is", text)
        self.assertIn("not started: no time left", text)

    def test_what_needs_a_broken_build_fails(self):
        good, text = self.run_jobs(Job("bad", COMPUTE, 60, build=True), Job("good", WAIT, 60, needs=("bad",)))
        self.assertFalse(good)
        self.assertIn("    bad failed", text)
        self.assertFalse(os.path.exists(self.planted))

    def test_a_build_comes_first_and_says_nothing(self):
        _, text = self.run_jobs(Job("good2", WAIT, 60, needs=("good1",)), Job("good1", COMPUTE, 60, build=True))
        self.assertFalse(self.beside("good1", "good2"))
        self.assertNotIn("good1", text)

    def test_what_waits_runs_beside_what_computes(self):
        self.run_jobs(Job("good1", COMPUTE, 60), Job("good2", COMPUTE, 60), Job("good3", WAIT, 60),
                      Job("good4", ALONE, 60))
        self.assertTrue(self.beside("good1", "good3"))
        self.assertFalse(self.beside("good1", "good2"))
        for other in ("good1", "good2", "good3"):
            self.assertFalse(self.beside("good4", other))

    def test_lines_come_in_the_order_of_the_table(self):
        _, text = self.run_jobs(Job("good1", WAIT, 60), Job("silent", WAIT, 60))
        self.assertEqual([line.split()[0] for line in text.splitlines() if "s of processor" in line],
                         ["good1", "silent"])

    def test_an_interrupt_ends_all(self):
        program = ("import signal, sys; sys.path.insert(0, sys.argv[1])\n"
                   "from runner import Job, Runner, WAIT\n"
                   "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))\n"
                   "Runner([Job('hangs', WAIT, 900)], [sys.argv[2]], sys.argv[3]).run()\n")
        process = subprocess.Popen([sys.executable, "-c", program, pathlib.Path(__file__).parent, self.script,
                                    self.folder / "logs"])
        while not os.path.exists(self.planted):
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 143)
        self.assert_gone()


if __name__ == "__main__":
    done = unittest.main(exit=False).result
    bad = len(done.failures) + len(done.errors)
    print(f"{done.testsRun - bad} passed, {bad} failed")
    sys.exit(bad > 0)
