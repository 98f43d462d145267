"""Many clients: every tool in turn, round after round; then the report. scale.sh starts it.

Status 1: sockcat or the limit answered wrongly, or not.
"""
import argparse
import contextlib
import datetime
import os
import resource
import shlex
import shutil
import signal
import statistics
import struct
import sys
import tempfile
from typing import NamedTuple

import host
import plots
import report
import tools

LENGTH = 64    # bytes of a request, and of what is sent by who comes and goes
MESSAGE = 100  # bytes of what is said to many
BURST = 256    # messages that are said at a time, where it is not one
SPARE = 64     # descriptors that a server with many clients may want for itself

# Who listens; {port} is where, {to} where a relay carries on to. Options are those without which a
# tool cannot do it: more clients than the usual hundred, and a backlog (socat's is 5) for those
# that come at the same time. ncat sends nothing back itself: there a program does it.
SERVERS = {
    "echo": {
        "sockcat": "{sockcat} -lk --max-conns 20000 --echo 127.0.0.1 {port}",
        "ncat": "ncat -lk -m 20000 -e /bin/cat 127.0.0.1 {port}",
        "socat": "socat TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=128 PIPE",
        "limit": "{limit} echo-many {port}",
    },
    "keep": {
        "sockcat": "{sockcat} -lkd --max-conns 20000 127.0.0.1 {port}",
        "ncat": "ncat -lk -m 20000 127.0.0.1 {port}",
        "socat": "socat -u TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=128 -",
        "limit": "{limit} keep-many {port}",
    },
    "broker": {
        "sockcat": "{sockcat} -lk --max-conns 20000 --broker 127.0.0.1 {port}",
        "ncat": "ncat -l -m 20000 --broker 127.0.0.1 {port}",
        "limit": "{limit} tell-many {port}",
    },
    "relay": {
        "sockcat": "{sockcat} -lk --max-conns 20000 --to 127.0.0.1:{to} 127.0.0.1 {port}",
        "ncat": "ncat -lk -m 20000 -c 'ncat 127.0.0.1 {to}' 127.0.0.1 {port}",
        "socat": "socat TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=128 "
                 "TCP:127.0.0.1:{to}",
        "limit": "{limit} relay-many {port} {to}",
    },
}
TOOLS = ("sockcat", "ncat", "socat", "limit")
# Who has processes of its own for each client is asked for no more than so many. (ncat's program
# that carries on takes 90 ms to begin, and its select(2) has an end at 1,024 descriptors.)
MOST = {"echo": {"ncat": 100, "socat": 1000}, "relay": {"ncat": 1}}
# What a figure is called, and whether less of it is better.
KEYS = {
    "rate": ("connections/s", False), "p50": ("p50, µs", True), "p99": ("p99, µs", True),
    "turns": ("requests/s", False), "heard": ("thousand messages heard/s", False),
    "each": ("KiB a client", True), "carried": ("GB/s", False),
}


class Work(NamedTuple):
    """One row."""
    title: str
    server: str
    kind: str
    clients: int = 0
    others: int = 0  # of the clients, the active ones; beside them, the stalled ones
    burst: int = 0   # messages that are said at a time


def works():
    rows = {
        "accept-echo": Work("come, get 64 bytes back, go", "echo", "come"),
        "accept-keep": Work("come, leave 64 bytes, go", "keep", "come"),
    }
    for active in (1, 100):
        for clients in (1, 100, 1000, 5000, 10000):
            if clients >= active:
                rows[f"turns-{clients}-{active}"] = Work(
                    f"{clients:,} connected, {active} active", "echo", "turns", clients, active)
    for clients in (10, 100, 1000):
        rows[f"broker-{clients}"] = Work(
            f"messages by the hundred, {clients:,} hear", "broker", "hear", clients, 0, BURST)
    rows["broker-stalled"] = Work(
        "messages by the hundred, 10 hear, one more never reads", "broker", "hear", 10, 1, BURST)
    for clients in (10, 100, 1000):
        rows[f"single-{clients}"] = Work(
            f"one message after the other, {clients:,} hear", "broker", "hear", clients, 0, 1)
    for clients in (100, 1000, 10000):
        rows[f"memory-{clients}"] = Work(f"{clients:,} idle clients", "echo", "hold", clients)
    for clients in (1, 100):
        rows[f"relay-{clients}"] = Work(
            f"{clients} connection{'s' * (clients > 1)} carried on", "relay", "carry", clients)
    return rows


WORKS = works()


def arguments():
    parser = argparse.ArgumentParser(prog="bench/scale.sh", description="Many clients at a time.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="of " + ", ".join(WORKS))
    parser.add_argument("--quick", action="store_true", help="1 round, 0.1 s a figure")
    parser.add_argument("--rounds", type=int, help="default 3")
    parser.add_argument("--seconds", type=float, metavar="S", help="of a figure; default 0.8")
    for place in ("sockcat", "build"):
        parser.add_argument("--" + place, required=True, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    for row in chosen.rows:
        if row not in WORKS:
            parser.error(f"no such row: {row}; there are {', '.join(WORKS)}")
    for name, usual, quick in (("rounds", 3, 1), ("seconds", 0.8, 0.1)):
        if getattr(chosen, name) is None:
            setattr(chosen, name, quick if chosen.quick else usual)
        if getattr(chosen, name) <= 0:
            parser.error(f"--{name}: not positive")
    return chosen


def raise_limit():
    """As many descriptors as the system lets us have, for all that is started; the number."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most if most != resource.RLIM_INFINITY else sys.maxsize


def entrants(work, descriptors):
    """Who takes part; a row for more clients than there may be descriptors has nobody."""
    if work.clients + work.others + SPARE > descriptors:
        return []
    most = MOST.get(work.server, {})
    return [tool for tool in TOOLS
            if tool in SERVERS[work.server] and work.clients <= most.get(tool, sys.maxsize)
            and (tool not in ("ncat", "socat") or shutil.which(tool))
            # Its loop waits for whoever does not read.
            and (tool != "limit" or work.kind != "hear" or work.others == 0)]


def group_memory(group):
    """KiB that the processes of a group have; what they share counts once."""
    total = 0
    for name in os.listdir("/proc"):
        # Some end while they are looked at.
        with contextlib.suppress(OSError):
            if name.isdigit() and os.getpgid(int(name)) == group:
                with open(f"/proc/{name}/smaps_rollup", encoding="ascii") as account:
                    total += next(int(line.split()[1]) for line in account
                                  if line.startswith("Pss:"))
    return total


class Bench:
    """The place where the works are done."""

    def __init__(self, folder, programs, seconds):
        self.folder = folder
        self.programs = programs
        self.seconds = seconds
        self.messages = os.open(self.path("messages"), os.O_RDWR | os.O_CREAT | os.O_APPEND)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, work, tool, check):
        """Does it; a Failure says what was said last."""
        os.ftruncate(self.messages, 0)
        try:
            with host.family() as children:
                return self.serve(children, work, tool, check)
        except host.Failure as failure:
            said = os.pread(self.messages, 1 << 20, 0).decode(errors="replace").strip()
            last = (said.splitlines() or ["no message"])[-1]
            raise host.Failure(f"{failure}: {last}") from None

    def serve(self, children, work, tool, check):
        port, to = host.free_port(), host.free_port()
        kept = self.path("kept")
        null = os.open(os.devnull, os.O_RDONLY)
        out = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        words = [word.format(port=port, to=to, **self.programs)
                 for word in shlex.split(SERVERS[work.server][tool])]
        server = host.Child(words, null, out, self.messages)
        children.append(server)
        os.close(null)
        os.close(out)
        host.wait_for_listener(server, "tcp", port)
        figures = getattr(self, work.kind)(children, work, server, port, to, check)
        if server.ended():
            raise host.Failure(f"{tool} ended with status {server.status}")
        return figures

    def crowd(self, children, words, stdin=None):
        """Runs the driver to its end and gives the numbers that it prints."""
        with open(os.devnull, "rb") as null, open(self.path("said"), "w+b") as out:
            child = host.Child([self.programs["crowd"]] + [str(word) for word in words],
                               stdin if stdin is not None else null.fileno(), out.fileno(),
                               self.messages)
            children.append(child)
            host.wait_all([child])
            out.seek(0)
            return [float(word) for word in out.read().split()]

    # The works. They leave the server as it is: it is ended with its children.

    def come(self, children, work, _server, port, _to, _check):
        echo = work.server == "echo"
        count, rate = self.crowd(children, ["come", port, "echo" if echo else "keep",
                                            self.seconds, LENGTH])
        if not echo:
            self.compare_kept(int(count))
        return {"rate": rate}

    def compare_kept(self, count):
        """What clients left has to be there, whole, in any order."""
        with open(self.path("kept"), "rb") as file:
            kept = file.read()
        wanted = [struct.pack("=II", number, 1) + bytes([ord("a") + (number + 1) % 26])
                  * (LENGTH - 8) for number in range(count)]
        if sorted(kept[at:at + LENGTH] for at in range(0, len(kept), LENGTH)) != sorted(wanted):
            raise host.Failure(f"{len(kept)} of {count * LENGTH} bytes were kept, or wrong ones")

    def turns(self, children, work, _server, port, _to, _check):
        median, late, rate = self.crowd(children, ["turns", port, work.clients, work.others,
                                                   self.seconds, LENGTH])
        return {"p50": median / 1000, "p99": late / 1000, "turns": rate}

    def hear(self, children, work, _server, port, _to, _check):
        heard, = self.crowd(children, ["hear", port, work.clients, work.others, work.burst,
                                       self.seconds, MESSAGE])
        return {"heard": heard}

    def hold(self, children, work, server, port, _to, _check):
        # The first ones bring in what there is once, whoever comes.
        self.crowd(children, ["turns", port, 10, 10, 0.05, LENGTH])
        outlet, inlet = os.pipe()
        told, tell = os.pipe()
        crowd = host.Child([self.programs["crowd"], "hold", str(port), str(work.clients),
                            str(LENGTH)], outlet, tell, self.messages)
        children.append(crowd)
        os.close(outlet)
        os.close(tell)
        before = group_memory(server.pid)
        with os.fdopen(told, "rb") as said:
            held = said.readline() == b"held\n"
        after = group_memory(server.pid)
        os.close(inlet)
        host.wait_all([crowd])
        if not held:
            raise host.Failure("not all were held")
        return {"each": (after - before) / work.clients}

    def carry(self, children, work, _server, port, to, check):
        carried, = self.crowd(children, ["carry", port, to, work.clients, self.seconds,
                                         "check" if check else "trust"])
        return {"carried": carried}


class Row:
    """What came of a work: figures of each round, and failures, by tool."""

    def __init__(self, work):
        self.work = work
        self.figures, self.failures = {}, {}

    def values(self, tool, key):
        return [each[key] for each in self.figures.get(tool, []) if key in each]

    def median(self, tool, key):
        values = self.values(tool, key)
        return statistics.median(values) if values else None


def progress(words):
    """One line at a terminal that is written over."""
    if sys.stderr.isatty():
        print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)


def perform(bench, rows, rounds, descriptors):
    """All works, all rounds: {name: Row}. Where bytes are not compared anyway, round 0 does."""
    done = {name: Row(WORKS[name]) for name in rows}
    for number in range(rounds + 1):
        for name, row in done.items():
            if number == 0 and row.work.kind != "carry":
                continue
            who = [tool for tool in entrants(row.work, descriptors) if tool not in row.failures]
            # Nobody always follows the same one.
            turn = number % len(who) if who else 0
            for tool in who[turn:] + who[:turn]:
                progress(f"{number}/{rounds} {name} {tool}")
                try:
                    figures = bench.run(row.work, tool, number == 0)
                    if number > 0:
                        row.figures.setdefault(tool, []).append(figures)
                except host.Failure as failure:
                    row.failures.setdefault(tool, []).append(str(failure))
                    progress("")
                    print(f"{name}, {tool}: {failure}", file=sys.stderr)
    progress("")
    return done


# --- the report ---

def cell(row, tool, key):
    """Median (least–most), or why there is none."""
    values = row.values(tool, key)
    if tool in row.failures:
        return "fails"
    if not values:
        return "–"
    text = report.number(statistics.median(values))
    return text if len(values) == 1 else (
        f"{text} ({report.number(min(values))}–{report.number(max(values))})")


def table_of(done, kinds):
    """A line for each figure of the works of these kinds, and what sockcat's is of the others."""
    rows = [row for row in done.values() if row.work.kind in kinds]
    who = [tool for tool in TOOLS if any(tool in SERVERS[row.work.server] for row in rows)]
    lines = []
    for row in rows:
        if not row.figures:
            lines.append([row.work.title] + ["fails" if tool in row.failures else "–"
                                             for tool in who] + ["–"] * (len(who) - 1))
        for key in KEYS:
            if not any(row.values(tool, key) for tool in who):
                continue
            ours = row.median("sockcat", key)
            # (What needs no memory at all is no measure.)
            against = [report.times(ours / theirs if ours is not None and theirs and
                                    (key != "each" or theirs > 0.1) else None)
                       for theirs in (row.median(tool, key) for tool in who[1:])]
            lines.append([f"{row.work.title}: {KEYS[key][0]}"] +
                         [cell(row, tool, key) for tool in who] + against)
    head = ["work", *who, *(f"sockcat is of {tool}" for tool in who[1:])]
    return report.table(head, lines) if lines else []


def quotient(done, key, ours, theirs):
    """Of two figures, each (row, tool)."""
    values = [done[name].median(tool, key) if name in done else None
              for name, tool in (ours, theirs)]
    return values[0] / values[1] if None not in values and values[1] else None


def goals(done):
    """[(what, its rows, value, goal, less is better)]."""
    lines = []
    for row in ("accept-echo", "accept-keep"):
        for peer, goal in (("socat", 5), ("ncat", 2)):
            lines.append((f"{WORKS[row].title}: rate of `{peer}`'s", row,
                          quotient(done, "rate", (row, "sockcat"), (row, peer)), goal, False))
    lines.append(("latency of one active among 10,000, of that alone", "turns-10000-1",
                  quotient(done, "p50", ("turns-10000-1", "sockcat"), ("turns-1-1", "sockcat")),
                  1.3, True))
    for row in [f"{how}-{clients}" for how in ("broker", "single") for clients in (10, 100, 1000)]:
        lines.append((f"{WORKS[row].title}: rate of `ncat --broker`'s", row,
                      quotient(done, "heard", (row, "sockcat"), (row, "ncat")), 3, False))
    lines.append((f"{WORKS['broker-stalled'].title}: rate of that without it",
                  "broker-stalled", quotient(done, "heard", ("broker-stalled", "sockcat"),
                                             ("broker-10", "sockcat")), 0.95, False))
    row = done.get("memory-10000")
    lines.append(("memory of an idle client among 10,000, KiB", "memory-10000",
                  row and row.median("sockcat", "each"), 4, True))
    return [line for line in lines if line[1] in done]


def goal_table(done):
    lines = []
    for what, _row, value, goal, less in goals(done):
        said, reached = report.verdict(value, goal, less)
        lines.append([what, said, {True: "yes", False: "no", None: "not measured"}[reached]])
    return report.table(["figure", "sockcat", "reached"], lines) if lines else []


def trouble(done):
    lines = [f"* {row.work.title}, {tool}: {failure}" for row in done.values()
             for tool, failures in row.failures.items() for failure in sorted(set(failures))]
    return ["## What went wrong", "", *lines, ""] if lines else []


def text(done, chosen, descriptors):
    left_out = [row.work.title for row in done.values() if not entrants(row.work, descriptors)]
    lines = ["# Many clients at a time", "",
             "Written by `bench/scale.sh`; [README.md](../README.md) says how to read it.", "",
             f"* {report.machine()}", f"* {report.versions(chosen.sockcat)}",
             f"* {datetime.date.today().isoformat()}; {chosen.seconds:g} s a figure, rounds: "
             f"{chosen.rounds}; median (least–most)",
             f"* A process may have {descriptors:,} descriptors here"
             + (f", too few for: {'; '.join(left_out)}." if left_out else "."),
             "* Who has processes of its own for each client is asked for no more of them than this: "
             + "; ".join(f"{server}, {tool}: {most:,}" for server, tools_of in MOST.items()
                         for tool, most in tools_of.items()), ""]
    for title, part in (("Figures to reach", goal_table(done)),
                        ("Coming and going", table_of(done, ("come",))),
                        ("Request and reply among many", table_of(done, ("turns",))),
                        ("One to many", table_of(done, ("hear",))),
                        ("Memory of an idle client", table_of(done, ("hold",))),
                        ("Carried on", table_of(done, ("carry",)))):
        lines += report.section(title, part)
    return "\n".join(lines + trouble(done))


PLOT = """
set terminal svg size 1100,460 font "sans-serif,13" background "white" noenhanced
set output "{file}"
set grid lc rgb "#dddddd" lt 1
set border 3 lc rgb "#666666"
set tics nomirror
set logscale xy
set xrange [0.7:15000]
set yrange [5:*]
set xtics (1, 100, "1,000" 1000, "10,000" 10000)
set xlabel "clients connected" offset 0,0.6
set ylabel "µs (logarithmic)"
set key outside bottom center horizontal Left reverse samplen 2
set datafile missing "?"
set multiplot layout 1,2
"""


def draw(done, path):
    """Latency over the number of clients: one active, and a hundred."""
    script = PLOT.format(file=path)
    for active in (1, 100):
        rows = [row for row in done.values()
                if row.work.kind == "turns" and row.work.others == active and row.figures]
        curves = []
        for tool in TOOLS:
            colour = plots.COLOURS[tool]
            points = [row for row in rows if tool in row.figures]
            if not points:
                continue
            name = f"{tool} {active}"
            script += plots.block(name.replace(" ", "_"), [
                (row.work.title, (row.work.clients, row.median(tool, "p50"),
                                  row.median(tool, "p99"))) for row in points])
            for column, dash, what in ((3, 1, "p50"), (4, 2, "p99")):
                curves.append(f"${name.replace(' ', '_')} using 2:{column} with linespoints "
                              f"pt 7 ps 0.5 lw 2 dt {dash} lc rgb {plots.quote(colour)} "
                              f"title {plots.quote(f'{tool} {what}')}")
        if curves:
            title = f"A request of {LENGTH} bytes and its reply: {active} active"
            script += f"set title {plots.quote(title)}\nplot " + ", \\\n".join(curves) + "\n"
    plots.gnuplot(script)


def main():
    chosen = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    descriptors = raise_limit()
    programs = {name: os.path.join(chosen.build, name) for name in ("limit", "crowd")}
    programs["sockcat"] = chosen.sockcat
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="sockcat-scale-", dir=memory) as folder:
        bench = Bench(folder, programs, chosen.seconds)
        done = perform(bench, chosen.rows or list(WORKS), chosen.rounds, descriptors)
    # Only a complete run replaces the published results.
    complete = not chosen.quick and not chosen.rows
    here = os.path.dirname(os.path.abspath(__file__))
    folder = os.path.join(here if complete else chosen.build, "results")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "scale.md")
    with open(path, "w", encoding="utf-8") as out:
        out.write(text(done, chosen, descriptors).rstrip("\n") + "\n")
    if any(row.work.kind == "turns" and row.figures for row in done.values()):
        draw(done, os.path.join(folder, "scale.svg"))
    print(f"Written: {path}")
    return 1 if any(tool in row.failures for row in done.values()
                    for tool in (tools.OURS, tools.PROBE)) else 0


if __name__ == "__main__":
    sys.exit(main())
