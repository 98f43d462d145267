"""The benchmark: every tool in turn, round after round; then the report. run.sh starts it.

Status 1: sockcat or the probe lost, changed or reordered something, or did not end with status 0.
"""
import argparse
import os
import shutil
import signal
import statistics
import sys
import tempfile

import host
import report
import tools
import works


def arguments():
    parser = argparse.ArgumentParser(prog="bench/run.sh", description="Compares sockcat with others.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="of " + ", ".join(tools.WORKS))
    parser.add_argument("--quick", action="store_true", help="64 MiB, 1 round, 500 turns")
    parser.add_argument("--rounds", type=int, help="default 5")
    parser.add_argument("--size", type=int, metavar="MIB", help="default 1024")
    parser.add_argument("--turns", type=int, help="requests of a round; default 20000")
    for place in ("sockcat", "build"):
        parser.add_argument("--" + place, required=True, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    for row in chosen.rows:
        if row not in tools.WORKS:
            parser.error(f"no such row: {row}; there are {', '.join(tools.WORKS)}")
    for name, usual, quick in (("rounds", 5, 1), ("size", 1024, 64), ("turns", 20000, 500)):
        if getattr(chosen, name) is None:
            setattr(chosen, name, quick if chosen.quick else usual)
        if getattr(chosen, name) < 1:
            parser.error(f"--{name}: not positive")
    return chosen


def entrants(work, notes):
    """The participants of a work, as (tool, way of the probe)."""
    for tool in tools.TOOLS:
        if not tools.has(tool, work):
            continue
        if tool not in (tools.OURS, tools.PROBE) and None in map(shutil.which,
                                                                 tools.programs(tool)):
            notes[tool] = "not installed"
        elif tool == tools.OURS and "needs" in notes:
            notes[tool] = notes["needs"]
        elif tool == tools.PROBE:
            for way in tools.probe_ways(work):
                yield tool, way
        else:
            yield tool, ("", "")


def progress(words):
    """Print a status line at a terminal, over the previous one."""
    if sys.stderr.isatty():
        print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)


def perform(bench, rows, rounds):
    """All works, all rounds: {row: report.Row}."""
    done = {}
    for row in rows:
        done[row] = report.Row(tools.WORKS[row], {}, {}, {})
        needs = {"udp": "--stdin-frame", "frames": "--frame"}.get(tools.WORKS[row].kind, "")
        if not report.understands(bench.programs["sockcat"], needs):
            done[row].notes["needs"] = f"needs `{needs}`"
    unfit = {row: set() for row in rows}
    for number in range(rounds + 1):  # round 0 is the check
        for row in rows:
            record, work = done[row], tools.WORKS[row]
            if number == 0 and work.kind not in ("stream", "udp", "frames", "ring"):
                continue
            # A tool that fails the check is not timed.
            who = [entrant for entrant in entrants(work, record.notes)
                   if entrant[0] not in unfit[row]]
            if not who:
                continue
            # Rotate the order of the tools.
            for tool, way in who[number % len(who):] + who[:number % len(who)]:
                progress(f"{number}/{rounds} {row} {tool} {way[0]}")
                try:
                    if number == 0:
                        bench.check(work, tool, way)
                        continue
                    figures = bench.run(work, tool, way)
                    record.figures.setdefault((tool, way), []).append(figures)
                except host.Failure as failure:
                    record.failures.setdefault(tool, []).append(str(failure))
                    # A tool that hung once is not timed again.
                    if number == 0 or "hangs" in str(failure):
                        unfit[row].add(tool)
                    progress("")
                    print(f"{row}, {tool}: {failure}", file=sys.stderr)
    progress("")
    for record in done.values():
        keep_best_way(record)
    return done


def keep_best_way(record):
    """Keep only the fastest way of the probe, as the limit."""
    best = {}
    for (tool, way), figures in record.figures.items():
        middle = statistics.median(next(iter(each.values())) for each in figures)
        if tool not in best or middle > best[tool][0]:
            best[tool] = (middle, way, figures)
    record.figures = {tool: best[tool][2] for tool in tools.TOOLS if tool in best}
    if tools.PROBE in best and best[tools.PROBE][1][0]:
        record.notes["way"] = best[tools.PROBE][1][0]


def main():
    chosen = arguments()
    # Clean up files and processes on a signal too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    programs = {name: os.path.join(chosen.build, name) for name in ("limit", "drive")}
    programs["sockcat"] = chosen.sockcat
    programs["here"] = os.path.dirname(os.path.abspath(__file__))
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="sockcat-bench-", dir=memory) as folder:
        bench = works.Bench(folder, programs, chosen.size << 20, chosen.turns,
                            50 if chosen.quick else 200)
        done = perform(bench, chosen.rows or list(tools.WORKS), chosen.rounds)
    # Only a complete run replaces the published results.
    complete = not chosen.quick and not chosen.rows
    report.write(done, chosen, os.path.join(programs["here"] if complete else chosen.build, "results"))
    wrong = [f"{row}, {tool}: {why}" for row, record in done.items()
             for tool in (tools.OURS, tools.PROBE) for why in record.failures.get(tool, [])]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
