#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds the layer rules of docs/ARCHITECTURE.md: who may include whom, between folders and between
the rooms of one, that the pure layers call no clock, socket, thread or printing function, and that
no circle of modules is new (circles.py)."""
import pathlib
import re
import sys

sys.dont_write_bytecode = True  # the checkout stays as it was
import circles

# Each layer and the layers that it may include, beside itself.
FABRIC = ["base", "hist", "topology", "schedule", "ideal", "driver", "node", "plan", "attribute",
          "result", "control"]
ALLOWED = {
    "fabric/base": [],
    "fabric/hist": ["fabric/base"],
    "fabric/driver": ["fabric/base"],
    "fabric/schedule": ["fabric/base", "fabric/driver"],
    "fabric/topology": ["fabric/base", "fabric/driver"],
    "fabric/node": ["fabric/base", "fabric/hist", "fabric/driver", "fabric/schedule"],
    "fabric/plan": ["fabric/base", "fabric/hist", "fabric/driver", "fabric/topology",
                    "fabric/schedule", "fabric/node"],
    "fabric/attribute": ["fabric/base", "fabric/driver", "fabric/schedule", "fabric/topology"],
    "fabric/result": ["fabric/attribute", "fabric/base", "fabric/hist", "fabric/driver", "fabric/schedule",
                      "fabric/node", "fabric/plan", "fabric/topology", "fabric/ideal"],
    "fabric/control": ["fabric/attribute", "fabric/base", "fabric/hist", "fabric/driver", "fabric/schedule",
                       "fabric/node", "fabric/plan", "fabric/topology", "fabric/ideal",
                       "fabric/result"],
    "fabric/ideal": ["fabric/base", "fabric/driver", "fabric/schedule", "fabric/topology"],
    "drivers/roce": ["fabric"],
    "drivers/dpdk": ["fabric", "drivers/roce"],
    "drivers/sim": ["fabric", "drivers/roce"],
    "drivers/verbs": ["fabric"],
    "drivers/null": ["fabric"],
    "drivers/registry": ["fabric", "drivers"],
    "tools": ["fabric", "drivers", "tools"],
}
# The rooms of a folder and those that each may include, beside itself. "." is the files that lie in
# the folder itself; one of them may be named. A file outside the folder may include any room of it.
ROOMS = {
    "fabric/schedule": {
        ".": [],
        "goal": ["."],
        "shapes": ["."],
        "patterns": [".", "goal", "shapes"],
    },
    "drivers/roce": {
        "base": [],
        "packet": [],
        "congestion": [],
        "neighbour": ["base", "packet", "roce.h"],
        "transport": ["base", "packet", "congestion", "neighbour", "roce.h"],
        ".": ["base", "packet", "congestion", "neighbour", "transport"],
    },
    "tools/weft": {
        "terminal": [],
        "machine": [],
        "net": [],
        "service": ["terminal", "machine", "net"],
        "session": ["terminal", "machine", "net", "service"],
        "commands": ["terminal", "machine", "net", "service", "session"],
        ".": ["terminal", "commands"],
    },
}
# What one file may include against the rules.
EXCEPTIONS = {
    # inet_pton and inet_ntop are pure.
    "fabric/topology/ip.c": {"arpa/inet.h"},
}
# Headers of the system that a pure layer has no use for.
PURE = re.compile(r"^(fabric|drivers/(roce|sim))/")
IMPURE_HEADERS = re.compile(
    r"^(rte_|infiniband/|sys/socket|sys/time|netinet/|arpa/|netdb|time\.h|pthread|uv\.h|openssl/"
    r"|unistd|fcntl|signal)")
IMPURE_CALLS = re.compile(
    r"\b(clock_gettime|gettimeofday|time|nanosleep|usleep|sleep|socket|exit|abort|printf|puts"
    r"|perror|getenv)\s*\(|\bfprintf\s*\(\s*std")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def layer_of(path):
    parts = path.split("/")
    if parts[0] == "tools":
        return "tools"
    second = parts[1].split(".")[0]
    return f"{parts[0]}/{second}"


def room_of(folder, path):
    inside = path.removeprefix(folder + "/")
    return inside.split("/")[0] if "/" in inside else "."


def check_room(path, name):
    for folder, rooms in ROOMS.items():
        if not path.startswith(folder + "/") or not name.startswith(folder + "/"):
            continue
        own, target = room_of(folder, path), room_of(folder, name)
        if own not in rooms:
            return f"room {folder}/{own} has no rule in tests/tidy/layers.py"
        if target != own and not {target, name.removeprefix(folder + "/")} & set(rooms[own]):
            return f"room {own} of {folder} may not include {name}"
    return None


def check_include(path, kind, name):
    own = layer_of(path)
    if name in EXCEPTIONS.get(path, ()):
        return None
    if kind == "<":
        if PURE.match(path) and IMPURE_HEADERS.match(name):
            return f"a pure layer includes <{name}>"
        return None
    if not re.match(r"^(fabric|drivers|tools)/", name):
        # protobuf-c's generated header is the one file that stands in the build directory.
        return None if name.endswith(".pb-c.h") else f'"{name}" is not named from the top'
    target = layer_of(name)
    if target == own:
        return check_room(path, name)
    allowed = ALLOWED.get(own)
    if allowed is None:
        return f"layer {own} has no rule in tests/tidy/layers.py"
    if any(target == layer or target.startswith(layer + "/") for layer in allowed):
        return None
    return f"{own} may not include {name}"


def strip(text):
    """Without comments and string literals, line by line."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group(0).count("\n"), text, flags=re.S)
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    return re.sub(r"//[^\n]*", "", text)


def complaints(root):
    for path in sorted(p for top in ("fabric", "drivers", "tools") for p in (root / top).rglob("*.[ch]")):
        name = path.relative_to(root).as_posix()
        text = path.read_text()
        for number, line in enumerate(text.splitlines(), 1):
            found = INCLUDE.match(line)
            why = check_include(name, found.group(1), found.group(2)) if found else None
            if why:
                yield f"{name}:{number}: {why}"
        if not PURE.match(name):
            continue
        for number, line in enumerate(strip(text).splitlines(), 1):
            found = IMPURE_CALLS.search(line)
            if found:
                yield f"{name}:{number}: a pure layer calls {found.group(0)}"


def complaints_of_calls(graph):
    """A prototype of one's own would hide a call from the includes."""
    for module, used in sorted(graph.items()):
        for other in sorted(used):
            why = check_include(module + ".c", '"', other + ".h")
            if why:
                yield f"{module}.c: by a call: {why}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    calls = circles.call_graph(root)
    wrong = [*complaints(root), *complaints_of_calls(calls), *circles.complaints(root, calls)]
    print("\n".join(wrong) or "layers hold")
    sys.exit(1 if wrong else 0)


main()
