# SPDX-License-Identifier: BSD-3-Clause
"""Finds circles among modules; for layers.py. A module is X.c together with X.h. Two graphs are
searched, each on its own: who includes whom, and who uses what another defines, as the object files
of a build say. tests/tidy/circles.txt lists the circles that are known; one that is not listed is
wrong, and so is a listed one that is gone."""
import json
import os.path
import pathlib
import re
import subprocess

TOPS = ("fabric", "drivers", "tools")
INCLUDE = re.compile(r'^\s*#\s*include\s*"((?:%s)/[^"]+)"' % "|".join(TOPS), re.M)


def module_of(name):
    return name.rsplit(".", 1)[0]


def add_edge(graph, start, end):
    if start != end:
        graph.setdefault(start, set()).add(end)


def include_graph(root):
    graph = {}
    for top in TOPS:
        for path in (root / top).rglob("*.[ch]"):
            name = path.relative_to(root).as_posix()
            for target in INCLUDE.findall(path.read_text()):
                add_edge(graph, module_of(name), module_of(target))
    return graph


def objects(root):
    """The object file of each source, by its name from the top. Tests compile some sources again."""
    found = {}
    database = root / "build" / "compile_commands.json"
    for entry in json.loads(database.read_text()) if database.exists() else ():
        folder = pathlib.Path(entry["directory"])
        source, target = (folder / entry["file"]).resolve(), folder / entry["output"]
        name = os.path.relpath(source, root)
        if name.startswith(TOPS) and target.exists():
            found.setdefault(name, target)
    return found


def symbols(targets):
    """(object file, symbol, whether it is defined there), for all that others can see."""
    listed = subprocess.run(["nm", "--extern-only", "--format=posix", "--print-file-name", *targets],
                            check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        target, _, rest = line.partition(": ")
        symbol, kind = rest.split()[:2]
        yield target, symbol, kind not in "Uw"


def call_graph(root):
    modules = {str(target): module_of(name) for name, target in objects(root).items()}
    owners, needs, graph = {}, [], {}
    for target, symbol, defined in symbols(modules) if modules else ():
        if not defined:
            needs.append((modules[target], symbol))
        elif symbol != "main":
            owners[symbol] = modules[target]
    for module, symbol in needs:
        if symbol in owners:
            add_edge(graph, module, owners[symbol])
    return graph


def reached(graph, start):
    seen, ahead = set(), [start]
    while ahead:
        for node in graph.get(ahead.pop(), ()):
            if node not in seen:
                seen.add(node)
                ahead.append(node)
    return seen


def circles(graph):
    """Sets of modules that all reach each other."""
    reach = {node: reached(graph, node) for node in graph}
    found = {frozenset(other for other in reach[node] if node in reach.get(other, ()))
             for node in graph if node in reach[node]}
    return found


def describe(kind, circle):
    """As a line of the list has it: the kind, the common folder and the modules in it."""
    folder = os.path.commonpath([os.path.dirname(module) for module in circle])
    return f"{kind} {folder}: " + " ".join(sorted(os.path.relpath(m, folder) for m in circle))


def listed(root):
    """The circles of the list. A line is KIND FOLDER: MODULE ... | REASON."""
    known = root / "tests" / "tidy" / "circles.txt"
    for line in known.read_text().splitlines() if known.exists() else ():
        if line and not line.startswith("#"):
            circle, _, reason = line.partition("|")
            yield circle.strip(), reason.strip()


def complaints(root, calls):
    known = dict(listed(root))
    if not calls and any(circle.startswith("calls ") for circle in known):
        yield "there are no object files to look at: meson setup build && ninja -C build"
        return
    found = {describe("includes", circle) for circle in circles(include_graph(root))}
    found |= {describe("calls", circle) for circle in circles(calls)}
    for circle in sorted(found - known.keys()):
        yield f"a new circle: {circle}"
    for circle in sorted(known.keys() - found):
        yield f"tests/tidy/circles.txt: this circle is gone, so take it off the list: {circle}"
    for circle in sorted(circle for circle, reason in known.items() if not reason):
        yield f"tests/tidy/circles.txt: no reason is given: {circle}"
