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

LENGTH = 64    # bytes of a request, and of the data of a short connection
MESSAGE = 100  # bytes of a published message
BURST = 256    # messages in a burst
SPARE = 64     # descriptors that a server may need besides those of its clients

# The servers; {port} is the port to listen on, {to} the destination of a relay. The options are those
# without which a tool fails: more clients than the default, and a backlog (socat's is 5) for
# simultaneous connections. ncat cannot echo itself: it runs a program.
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
        "limit": "{limit} broadcast-many {port}",
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
# The most clients of tools that run a process for each. (ncat's relaying program takes 90 ms to
# start, and its select(2) supports 1,024 descriptors.)
MOST = {"echo": {"ncat": 100, "socat": 1000}, "relay": {"ncat": 1}}
# The name of a figure, and whether less is better.
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
    others: int = 0  # active ones among the clients, or additional stalled ones
    burst: int = 0   # messages that are published at a time


def works():
    rows = {
        "accept-echo": Work("connect, echo 64 bytes, close", "echo", "accept"),
        "accept-keep": Work("connect, send 64 bytes, close", "keep", "accept"),
    }
    for active in (1, 100):
        for clients in (1, 100, 1000, 5000, 10000):
            if clients >= active:
                rows[f"turns-{clients}-{active}"] = Work(
                    f"{clients:,} connected, {active} active", "echo", "turns", clients, active)
    for clients in (10, 100, 1000):
        rows[f"broker-{clients}"] = Work(
            f"messages by the hundred, {clients:,} subscribers", "broker", "publish", clients, 0, BURST)
    rows["broker-stalled"] = Work(
        "messages by the hundred, 10 subscribers, one more never reads", "broker", "publish", 10, 1, BURST)
    for clients in (10, 100, 1000):
        rows[f"single-{clients}"] = Work(
            f"one message after the other, {clients:,} subscribers", "broker", "publish", clients, 0, 1)
    for clients in (100, 1000, 10000):
        rows[f"memory-{clients}"] = Work(f"{clients:,} idle clients", "echo", "hold", clients)
    for clients in (1, 100):
        rows[f"relay-{clients}"] = Work(
            f"{clients} connection{'s' * (clients > 1)} relayed", "relay", "relay", clients)
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
    """Raise the limit of descriptors as far as possible, for all children; return it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most if most != resource.RLIM_INFINITY else sys.maxsize


def entrants(work, descriptors):
    """The tools of a row; none if it has more clients than there may be descriptors."""
    if work.clients + work.others + SPARE > descriptors:
        return []
    most = MOST.get(work.server, {})
    return [tool for tool in TOOLS
            if tool in SERVERS[work.server] and work.clients <= most.get(tool, sys.maxsize)
            and (tool not in ("ncat", "socat") or shutil.which(tool))
            # It waits for the client that does not read.
            and (tool != "limit" or work.kind != "hear" or work.others == 0)]


def group_memory(group):
    """The memory of the processes of a group in KiB; shared pages count once."""
    total = 0
    for name in os.listdir("/proc"):
        # Processes may end meanwhile.
        with contextlib.suppress(OSError):
            if name.isdigit() and os.getpgid(int(name)) == group:
                with open(f"/proc/{name}/smaps_rollup", encoding="ascii") as account:
                    total += next(int(line.split()[1]) for line in account
                                  if line.startswith("Pss:"))
    return total


class Bench:
    """The programs and files of the works."""

    def __init__(self, folder, programs, seconds):
        self.folder = folder
        self.programs = programs
        self.seconds = seconds
        self.messages = os.open(self.path("messages"), os.O_RDWR | os.O_CREAT | os.O_APPEND)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, work, tool, check):
        """Do a work; a Failure contains the last message."""
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

    def clients(self, children, words, stdin=None):
        """Run the load generator; return the numbers that it prints."""
        with open(os.devnull, "rb") as null, open(self.path("said"), "w+b") as out:
            child = host.Child([self.programs["clients"]] + [str(word) for word in words],
                               stdin if stdin is not None else null.fileno(), out.fileno(),
                               self.messages)
            children.append(child)
            host.wait_all([child])
            out.seek(0)
            return [float(word) for word in out.read().split()]

    # The works. They leave the server running; it is ended with its children.

    def accept(self, children, work, _server, port, _to, _check):
        echo = work.server == "echo"
        count, rate = self.clients(children, ["accept", port, "echo" if echo else "keep",
                                            self.seconds, LENGTH])
        if not echo:
            self.compare_kept(int(count))
        return {"rate": rate}

    def compare_kept(self, count):
        """Check the data of all clients, in any order of clients."""
        with open(self.path("kept"), "rb") as file:
            kept = file.read()
        wanted = [struct.pack("=II", number, 1) + bytes([ord("a") + (number + 1) % 26])
                  * (LENGTH - 8) for number in range(count)]
        if sorted(kept[at:at + LENGTH] for at in range(0, len(kept), LENGTH)) != sorted(wanted):
            raise host.Failure(f"{len(kept)} of {count * LENGTH} bytes were kept, or wrong ones")

    def turns(self, children, work, _server, port, _to, _check):
        median, late, rate = self.clients(children, ["turns", port, work.clients, work.others,
                                                   self.seconds, LENGTH])
        return {"p50": median / 1000, "p99": late / 1000, "turns": rate}

    def publish(self, children, work, _server, port, _to, _check):
        heard, = self.clients(children, ["publish", port, work.clients, work.others, work.burst,
                                       self.seconds, MESSAGE])
        return {"heard": heard}

    def hold(self, children, work, server, port, _to, _check):
        # The first clients allocate what does not depend on their number.
        self.clients(children, ["turns", port, 10, 10, 0.05, LENGTH])
        outlet, inlet = os.pipe()
        told, tell = os.pipe()
        clients = host.Child([self.programs["clients"], "hold", str(port), str(work.clients),
                            str(LENGTH)], outlet, tell, self.messages)
        children.append(clients)
        os.close(outlet)
        os.close(tell)
        before = group_memory(server.pid)
        with os.fdopen(told, "rb") as said:
            held = said.readline() == b"held\n"
        after = group_memory(server.pid)
        os.close(inlet)
        host.wait_all([clients])
        if not held:
            raise host.Failure("not all were held")
        return {"each": (after - before) / work.clients}

    def relay(self, children, work, _server, port, to, check):
        carried, = self.clients(children, ["relay", port, to, work.clients, self.seconds,
                                         "check" if check else "trust"])
        return {"carried": carried}


class Row:
    """The results of a work: figures of each round, and failures, by tool."""

    def __init__(self, work):
        self.work = work
        self.figures, self.failures = {}, {}

    def values(self, tool, key):
        return [each[key] for each in self.figures.get(tool, []) if key in each]

    def median(self, tool, key):
        values = self.values(tool, key)
        return statistics.median(values) if values else None


def progress(words):
    """Print a status line at a terminal, over the previous one."""
    if sys.stderr.isatty():
        print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)


def perform(bench, rows, rounds, descriptors):
    """All works, all rounds: {name: Row}. Round 0 compares the data of works that only count it."""
    done = {name: Row(WORKS[name]) for name in rows}
    for number in range(rounds + 1):
        for name, row in done.items():
            if number == 0 and row.work.kind != "carry":
                continue
            who = [tool for tool in entrants(row.work, descriptors) if tool not in row.failures]
            # Rotate the order of the tools.
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
    """A line for each figure of the works of these kinds, and the ratios of sockcat's to the others."""
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
            # (No ratio to a tool that needs no memory.)
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


def draw(done, path):
    """Latency over the number of clients: one active, and a hundred."""
    panels = []
    for active in (1, 100):
        rows = [row for row in done.values()
                if row.work.kind == "turns" and row.work.others == active and row.figures]
        curves = {tool: {key: [(row.work.clients, row.median(tool, key)) for row in rows
                               if tool in row.figures] for key in ("p50", "p99")}
                  for tool in TOOLS if any(tool in row.figures for row in rows)}
        if curves:
            panels.append((f"{active} active at a time", curves))
    plots.draw_scale(panels, path)


def main():
    chosen = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    descriptors = raise_limit()
    programs = {name: os.path.join(chosen.build, name) for name in ("limit", "clients")}
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
