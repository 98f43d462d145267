"""The report: results.md, and the plots."""
import dataclasses
import datetime
import os
import platform
import statistics
import subprocess

import comparison
import plots
import tools

PEERS = [tool for tool in tools.TOOLS if tool not in (tools.OURS, tools.PROBE, tools.TUNED)]


@dataclasses.dataclass
class Row:
    """The results of a work: figures of each round, failures, and notes, by tool."""
    work: tools.Work
    figures: dict
    failures: dict
    notes: dict

    def values(self, tool, key):
        return [each[key] for each in self.figures.get(tool, []) if key in each]

    def median(self, tool, key):
        values = self.values(tool, key)
        return statistics.median(values) if values else None


@dataclasses.dataclass
class Goal:
    """A goal: the ratio to the limit, the best peer, the tuned peer (None: no goal)."""
    row: str
    key: str
    limit: float
    peer: float
    tuned: float


GOALS = [
    Goal("file-tcp-null", "rate", 0.95, 3, 1.8),
    Goal("file-tcp-file", "rate", 0.95, 1.8, 1.3),
    Goal("pipe-tcp-pipe", "rate", 0.95, 2, 1.5),
    Goal("file-unix-null", "rate", 0.95, 4, 2.3),
    Goal("udp-1400", "sent", 0.9, 5, None),
    Goal("udp-1400", "received", 0.9, 5, None),
    Goal("udp-100", "sent", 0.8, 20, None),
    Goal("udp-100", "received", 0.8, 20, None),
    Goal("latency", "p50", 1.1, 1.0, None),
    Goal("start", "ms", None, 1.0, None),
]
MEMORY_GOAL = 6  # MiB
# The figures of each kind of work: {key: name}; the first determines the best peer.
KEYS = {
    "stream": {"rate": "GB/s"},
    "both": {"rate": "GB/s, both together"},
    "udp": {"received": "received, M/s", "sent": "sent, M/s", "share": "share received, %"},
    "frames": {"rate": "thousand messages/s", "payload": "MB/s",
               "core": "thousand messages per CPU second of the busier side",
               "each": "CPU ns a message, both sides",
               "memory send": "peak of the sender, MiB",
               "memory receive": "peak of the receiver, MiB"},
    "turns": {"p50": "p50, µs", "p99": "p99, µs"},
    "start": {"ms": "ms"},
}
KEYS["ring"] = KEYS["frames"]
LESS_IS_BETTER = ("p50", "p99", "ms", "each", "memory send", "memory receive")
# Redundant figures, or those with a table of their own.
NOT_COMPARED = ("share", "payload", "memory send", "memory receive")


def output_of(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          stdin=subprocess.DEVNULL)
    return done.stdout.decode(errors="replace")


def understands(sockcat, option):
    return option in output_of([sockcat, "--help"])


def versions(sockcat):
    found = [output_of([sockcat, "-V"]).splitlines()[0]]
    for tool, (command, mark) in tools.VERSIONS.items():
        try:
            text = output_of(command.split())
        except FileNotFoundError:
            continue
        if mark in text:
            found.append(f"{tool} {text.split(mark)[1].split()[0].strip(')]')}")
    return ", ".join(found)


def machine():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        model = next((line.split(":")[1].strip() for line in info
                      if line.startswith("model name")), platform.machine())
    return f"{comparison.machine()}: {model}"


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell(row, tool, key):
    """Median (least–most), or why there is none."""
    values, failures = row.values(tool, key), len(row.failures.get(tool, []))
    if not values:
        return "wrong" if failures else row.notes.get(tool, "–")
    text = number(statistics.median(values))
    if len(values) > 1:
        text += f" ({number(min(values))}–{number(max(values))})"
    return text + (f", {failures} × wrong" if failures else "")


def ratio(row, key, other):
    ours, theirs = row.median(tools.OURS, key), row.median(other, key) if other else None
    return ours / theirs if ours is not None and theirs else None


def times(value):
    return "–" if value is None else f"{value:.2f} ×"


def best_peer(row, key):
    """The best of the peers at their defaults, or None."""
    known = {tool: row.median(tool, key) for tool in PEERS}
    known = {tool: value for tool, value in known.items() if value is not None}
    if not known:
        return None
    return (min if key in LESS_IS_BETTER else max)(known, key=known.get)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def entered(rows):
    """The tools that can do any of these rows: the columns of their table."""
    return [tool for tool in tools.TOOLS if any(tools.has(tool, row.work) for row in rows)]


def part(done, kinds):
    """A table of the works of these kinds: a line per figure, then the ratios of sockcat to the others."""
    rows = [row for row in done.values() if row.work.kind in kinds]
    who, lines = entered(rows), []
    for row in rows:
        for key, name in KEYS[row.work.kind].items():
            lines.append([f"{row.work.title}: {name}"] + [cell(row, tool, key) for tool in who])
            if key not in NOT_COMPARED and len(row.figures) > 1:
                lines.append(["… sockcat is"] + [times(ratio(row, key, tool)) for tool in who])
    return table(["work"] + who, lines) if lines else []


def ratios(done):
    lines = []
    for row in done.values():
        for key, name in KEYS[row.work.kind].items():
            if key in NOT_COMPARED or row.work.kind == "ring":
                continue
            peer = best_peer(row, key)
            lines.append([f"{row.work.title}: {name}", times(ratio(row, key, tools.PROBE)),
                          f"{times(ratio(row, key, peer))} ({peer})" if peer else "–",
                          times(ratio(row, key, tools.TUNED))])
    return table(["sockcat is", "of the limit", "of the best peer at its defaults",
                  f"of `{tools.TUNED}`"], lines)


def processor(done):
    rows = [row for row in done.values() if row.work.kind in ("stream", "both")]
    who, lines = entered(rows), []
    for row in rows:
        cells = []
        for tool in who:
            sides = [row.median(tool, "cpu " + side) for side in ("send", "receive")]
            cells.append("–" if None in sides else " + ".join(
                f"{side / row.gigabytes:.2f}" for side in sides))
        lines.append([row.work.title] + cells)
    return table(["sender + receiver"] + who, lines) if lines else []


def memory(done):
    """A table of the larger side's peak in any round."""
    who, lines = entered(done.values()), []
    for row in done.values():
        peaks = [max(row.values(tool, "memory send") + row.values(tool, "memory receive"),
                     default=None) for tool in who]
        if any(peaks):
            lines.append([row.work.title] + [f"{peak:.1f}" if peak else "–" for peak in peaks])
    return table(["MiB"] + who, lines) if lines else []


def verdict(value, goal, less):
    """One cell of the table of goals, and whether it is reached (None: not measured)."""
    if goal is None:
        return "", True
    sign = "≤" if less else "≥"
    if value is None:
        return f"not measured (goal {sign} {goal:g})", None
    reached = value <= goal if less else value >= goal
    return f"{value:.2f} ({sign} {goal:g}: {'yes' if reached else '**no**'})", reached


def quotient(done, key, row, other):
    """The ratio of sockcat's figure of a row to that of another row."""
    if row not in done or other not in done:
        return None
    ours, theirs = done[row].median(tools.OURS, key), done[other].median(tools.OURS, key)
    return ours / theirs if ours is not None and theirs else None


def message_goals(done):
    """The figures of messages: those of sockcat alone."""
    rows = [row for row in done.values() if row.work.kind == "frames"]
    beyond = [peak - 2 * row.work.length / 2**20 for row in rows
              for side in ("send", "receive") for peak in row.values(tools.OURS, "memory " + side)]
    core = done["frames-100"].median(tools.OURS, "core") if "frames-100" in done else None
    lines = []
    for what, value, goal, less in (
            ("1,000 bytes, MB/s as messages of that unframed",
             quotient(done, "payload", "frames-1000", "ring-1000"), 0.5, False),
            ("100 bytes, million messages/s per core", core and core / 1000, 3, False),
            ("16 bytes, CPU time a message among twice as many",
             quotient(done, "each", "frames-16", "frames-16-half"), 1.1, True),
            ("peak memory beyond two messages, MiB", max(beyond, default=None), 2, True)):
        cell_of, reached = verdict(value, goal, less)
        lines.append([f"{what}: {cell_of}", "", "", "",
                      {True: "yes", False: "no", None: "not measured"}[reached]])
    return lines if rows else []


def goals(done):
    lines = message_goals(done)
    for goal in GOALS:
        row = done.get(goal.row)
        if row is None:
            continue
        # At the start only nc.openbsd is the measure.
        peer = "nc.openbsd" if goal.row == "start" else best_peer(row, goal.key)
        cells, reached = zip(*(verdict(ratio(row, goal.key, other), wanted,
                                       goal.key in LESS_IS_BETTER)
                               for other, wanted in ((tools.PROBE, goal.limit), (peer, goal.peer),
                                                     (tools.TUNED, goal.tuned))))
        lines.append([f"{row.work.title}: {KEYS[row.work.kind][goal.key].split(',')[0]}", *cells,
                      "no" if False in reached else "not measured" if None in reached else "yes"])
    peaks = [value for row in done.values() for side in ("send", "receive")
             for value in row.values(tools.OURS, "memory " + side)]
    if peaks:
        reached = "yes" if max(peaks) < MEMORY_GOAL else "no"
        lines.append([f"peak memory of any row: {max(peaks):.1f} MiB (< {MEMORY_GOAL})", "", "", "",
                      reached])
    return table(["sockcat is", "of the limit", "of the best peer", f"of `{tools.TUNED}`", "reached"],
                 lines)


def trouble(done):
    """The failures, each kind once."""
    lines = []
    for row in done.values():
        for tool, failures in row.failures.items():
            for failure in sorted(set(failures)):
                lines.append(f"* {row.work.title}, {tool}, {failures.count(failure)} ×: {failure}")
    return ["## What went wrong", "", *lines, ""] if lines else []


def section(title, lines):
    return [f"## {title}", "", *lines] if lines else []


def text(done, chosen):
    ways = "; ".join(f"{row.work.title}: {row.notes['way']}" for row in done.values()
                     if "way" in row.notes)
    lines = ["# Results", "",
             "Written by `bench/run.sh`; [README.md](../README.md) says how to read it.", "",
             f"* {machine()}", f"* {versions(chosen.sockcat)}",
             f"* {datetime.date.today().isoformat()}; {chosen.size} MiB a transfer, "
             f"{chosen.turns} requests, rounds: {chosen.rounds}; median (least–most)"]
    if ways:
        lines.append(f"* the limit's sender: {ways}")
    lines.append("")
    lines += section("Figures to reach", goals(done))
    lines += section("Ratios", ratios(done))
    lines += section("Throughput", part(done, ("stream", "both")))
    lines += section("Datagrams", part(done, ("udp",)))
    lines += section("Messages in a stream", part(done, ("frames", "ring")))
    lines += section("Request and reply, start", part(done, ("turns", "start")))
    lines += section("CPU seconds per GB", processor(done))
    lines += section("Peak memory", memory(done))
    return "\n".join(lines + trouble(done))


def write(done, chosen, folder):
    os.makedirs(folder, exist_ok=True)
    for row in done.values():
        row.gigabytes = (chosen.size << 20) * (2 if row.work.kind == "both" else 1) / 1e9
    path = os.path.join(folder, "results.md")
    with open(path, "w", encoding="utf-8") as out:
        out.write(text(done, chosen).rstrip("\n") + "\n")
    plots.draw(done, folder)
    print(f"Written: {path}")
