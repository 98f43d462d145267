"""Two builds of sockcat in turn: the ratio of each figure, new to old. compare.sh starts it.

Every ratio is such that more than 1 is better. Those of a round are taken between two runs that
follow each other, the older first in every other round.
"""
import argparse
import os
import statistics
import sys
import tempfile

import tools
import works

# What is compared of a row: the figure, and whether more is better.
FIGURES = {"stream": [("rate", True)], "both": [("rate", True)], "ring": [("rate", True)],
           "frames": [("rate", True)], "udp": [("sent", True)], "turns": [("p50", False)],
           "start": [("ms", False)]}


def arguments():
    parser = argparse.ArgumentParser(prog="bench/compare.sh", description="Compares two builds.")
    parser.add_argument("old", metavar="OLD", help="the older binary")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="of " + ", ".join(tools.WORKS))
    parser.add_argument("--rounds", type=int, default=7, help="default 7")
    parser.add_argument("--size", type=int, metavar="MIB", default=256, help="default 256")
    parser.add_argument("--turns", type=int, default=10000, help="requests; default 10000")
    for place in ("sockcat", "build"):
        parser.add_argument("--" + place, required=True, help=argparse.SUPPRESS)
    chosen = parser.parse_intermixed_args()
    for row in chosen.rows:
        if row not in tools.WORKS:
            parser.error(f"no such row: {row}")
    return chosen


def figures_of(bench, work, program):
    """The compared figures of one run, each so that more is better."""
    bench.programs["sockcat"] = program
    got = bench.run(work, tools.OURS, ("", ""))
    found = {name: got[name] if more else 1 / got[name] for name, more in FIGURES[work.kind]}
    cpu = sum(each for name, each in got.items() if name.startswith("cpu "))
    if cpu > 0:
        found["cpu"] = 1 / cpu
    return found


def compare(bench, work, old, new, rounds):
    """{figure: the ratios of the rounds}"""
    ratios = {}
    for number in range(rounds):
        order = [old, new] if number % 2 == 0 else [new, old]
        got = {program: figures_of(bench, work, program) for program in order}
        for name in got[new].keys() & got[old].keys():
            ratios.setdefault(name, []).append(got[new][name] / got[old][name])
    return ratios


def main():
    chosen = arguments()
    programs = {name: os.path.join(chosen.build, name) for name in ("limit", "drive")}
    programs["here"] = os.path.dirname(os.path.abspath(__file__))
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    print("| row | figure | new / old | from | to |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="sockcat-bench-", dir=memory) as folder:
        bench = works.Bench(folder, programs, chosen.size << 20, chosen.turns, 200)
        for row in chosen.rows or tools.WORKS:
            ratios = compare(bench, tools.WORKS[row], os.path.abspath(chosen.old),
                             chosen.sockcat, chosen.rounds)
            for name, each in sorted(ratios.items(), reverse=True):
                print(f"| {row} | {name} | {statistics.median(each):.2f} | {min(each):.2f} | "
                      f"{max(each):.2f} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
