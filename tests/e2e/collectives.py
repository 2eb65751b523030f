#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every collective, in every way there is, for 2 to 33 ranks.

  collectives.py plan TURN                 a plan of one test for each way and number of ranks
  collectives.py judge TURN RESULT [loss]  is the result of its run as it must be?

In every other test there are fewer elements than ranks, in the others they do not divide evenly;
with TURN 0 and 1 every test is run with both. What must have been compared and sent is computed
here, from what a collective is: nothing is asked of weft but what it found and counted.
"""
import json
import sys

RANKS = range(2, 34)
WAYS = {
    "all-reduce": ("ring", "both-ways", "halving-doubling", "two-trees", "one-shot",
                   "hierarchical"),
    "reduce-scatter": ("ring", "halving", "one-shot"),
    "all-gather": ("ring", "doubling", "one-shot"),
    "broadcast": ("chain", "binomial"),
    "reduce": ("binomial", "chain"),
    "gather": ("linear", "binomial"),
    "scatter": ("linear", "binomial"),
    "all-to-all": ("pairwise", "one-shot"),
    "all-to-all-v": ("both", "dispatch", "combine"),
}
TYPES = {"float32": 4, "float16": 2, "bfloat16": 2, "int32": 4, "uint8": 1}
OPERATORS = ("sum", "max")
ROOTED = ("broadcast", "reduce", "gather", "scatter")
REDUCING = ("all-reduce", "reduce-scatter", "reduce")
FAULT = "drop=2%,corrupt=2%,duplicate=2%,reorder=2%,seed=11"
INJECTED = ("dropped", "corrupted", "duplicated", "reordered")


def ranks_on_host(ranks):
    """The smallest number that divides, by turns the largest; the ranks of a prime share one."""
    divisors = [d for d in range(2, ranks + 1) if ranks % d == 0]
    return divisors[0] if ranks % 4 or len(divisors) < 2 else divisors[-2]


def elements_of(ranks, few, number):
    if not few:
        return 23 * ranks + 1 + ranks // 2
    return 1 if number % 3 == 0 else 1 + number * 5 % max(1, ranks - 1)


def make_test(pattern, way, ranks, few, number):
    test = {"pattern": pattern, "ranks": ranks}
    test["phase" if pattern == "all-to-all-v" else "algorithm"] = way
    width = 1
    if pattern in REDUCING:
        test["type"] = list(TYPES)[number // 2 % 5]
        test["operator"] = OPERATORS[number // 10 % 2]
        width = TYPES[test["type"]]
    if pattern in ROOTED:
        test["root"] = number * 7 % ranks
    if way == "hierarchical":
        test["ranks-per-host"] = ranks_on_host(ranks)
    if pattern == "all-to-all-v":
        test["pattern-seed"] = number
    test["size"] = elements_of(ranks, few, number) * width
    if number % 3 == 1:
        test["chunk"] = 8 * width
    if number % 7 > 4:
        test["transfer"] = "send"
    # A name has up to 100 bytes: what is clear by itself has no key.
    clear = ("pattern", "algorithm", "phase", "type", "operator", "transfer")
    name = " ".join(str(v) if k in clear else f"{k}={v}" for k, v in test.items())
    return {"name": name, **test}


def make_tests(turn):
    for pattern, ways in WAYS.items():
        for way in ways:
            for number, ranks in enumerate(RANKS):
                yield make_test(pattern, way, ranks, (number // 2 + number + turn) % 2 == 0, number)


def print_plan(turn):
    print("name: collectives\ntests:")
    rest = {"mtu": 256, "iterations": 1, "warmup": 0, "trace": False}
    for test in make_tests(turn):
        print("  - " + json.dumps({**test, **rest}))  # JSON is YAML


def part(size, index, count):
    """Parts differ by at most a byte; of gather and scatter, whose elements are bytes."""
    return size * (index + 1) // count - size * index // count


def must_compare(test):
    """Bytes over all ranks, and whether more will do: a tree's inner ranks hold others' parts."""
    # A scatter's root keeps all that it gave away.
    ranks, size, pattern = test["ranks"], test["size"], test["pattern"]
    if pattern in ("all-reduce", "all-gather", "broadcast"):
        return ranks * size, False
    if pattern == "all-to-all":
        return (ranks - 1) * size, False
    if pattern == "all-to-all-v":
        return (ranks - 1) * size * (2 if test["phase"] == "both" else 1), False
    if pattern == "scatter":
        own = part(size, test["root"], ranks)
        return 2 * size - own, test["algorithm"] == "binomial"
    return size, False


def must_send(test):
    ranks, size, pattern = test["ranks"], test["size"], test["pattern"]
    if pattern == "all-reduce":
        return (ranks if test["algorithm"] == "one-shot" else 2) * (ranks - 1) * size, False
    if pattern in ("gather", "scatter"):
        return size - part(size, test["root"], ranks), test["algorithm"] == "binomial"
    if pattern == "all-to-all-v":
        return must_compare(test)
    return (ranks - 1) * size, False


def differs(what, found, wanted):
    value, more_will_do = wanted
    if found == value or (more_will_do and found > value):
        return []
    return [f"{what} {found} B, not {value}"]


def complaints(test, result):
    if result is None:
        return ["was not run"]
    wrong = [] if result["verdict"] == "pass" else [f"verdict {result['verdict']}"]
    if result["broken"]:
        wrong.append(result["broken"])
    if result["verified"] is not True:
        wrong.append(f"verified: {result['verified']}")
    for rank in result["ranks_detail"]:
        seen = rank["verified"]
        if seen and seen["wrong_bytes"]:
            wrong.append(f"rank {rank['rank']}: {seen['found']} for {seen['expected']} at offset "
                         f"{seen['first_wrong_offset_bytes']}, {seen['wrong_bytes']} B wrong")
    # Two passes on different data.
    compared = sum((rank["verified"] or {}).get("compared_bytes", 0)
                   for rank in result["ranks_detail"])
    value, more_will_do = must_compare(test)
    wrong += differs("compared", compared, (2 * value, more_will_do))
    counters = result["counters"]
    wrong += differs("sent", counters["sent_bytes"], must_send(test))
    wrong += differs("received", counters["received_bytes"], (counters["sent_bytes"], False))
    if counters["lost"]:
        wrong.append(f"{counters['lost']} lost")
    return wrong


def judge(turn, folder, lossy):
    try:
        with open(f"{folder}/result.json", encoding="utf-8") as file:
            results = {result["name"]: result for result in json.load(file)["tests"]}
    except OSError as error:
        print(f"not ok: nothing was run: {error}\n0 passed, 1 failed")
        return False
    passed, failed, injected, resent = 0, 0, {}, 0
    for test in make_tests(turn):
        result = results.get(test["name"])
        wrong = complaints(test, result)
        passed, failed = passed + (not wrong), failed + bool(wrong)
        if wrong and failed <= 40:
            print(f"not ok {test['name']}: " + "; ".join(wrong[:4]))
        if result:
            devices = result["counters"]["devices"]
            resent += result["counters"]["retransmitted"] or 0
            for kind in INJECTED:
                key = test["pattern"], test.get("algorithm", test.get("phase")), kind
                injected[key] = injected.get(key, 0) + (devices[f"injected_{kind}"] or 0)
    if lossy:  # a way that nothing befell has proved nothing
        for key in [key for key, count in injected.items() if not count]:
            print(f"not ok {key[0]} {key[1]}: nothing was {key[2]}")
            failed += 1
        print(f"# {sum(injected.values())} frames harmed, {resent} retransmitted")
    print(f"{passed} passed, {failed} failed")
    return failed == 0


def main():
    if sys.argv[1] == "plan":
        print_plan(int(sys.argv[2]))
        return 0
    if sys.argv[1] == "fault":
        print(FAULT)
        return 0
    return 0 if judge(int(sys.argv[2]), sys.argv[3], "loss" in sys.argv[4:]) else 1


if __name__ == "__main__":
    sys.exit(main())
