"""The benchmark of probing: every tool in turn, round after round; then the report. probe.sh starts it.

Status 1: sockcat reported a wrong result, or a figure was not reached.
"""
import argparse
import os
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import far_host
from comparison import machine

MIB = 1024 * 1024
HOST = far_host.HOST


def arguments():
    parser = argparse.ArgumentParser(prog="bench/probe.sh", description="Compares -z with nc and nmap.")
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--rounds", type=int, default=5)
    for place in ("sockcat", "build"):
        parser.add_argument("--" + place, required=True, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rounds = 1
    return chosen


def peak(pid):
    """The peak memory of a process in bytes; 0: it has ended. That of wait4(2) would include this program's."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM")), 0)
    except OSError:
        return 0


def run(words):
    """The seconds, the CPU seconds, the peak memory and the output of a command."""
    memory = 0
    with tempfile.TemporaryFile() as output:
        begin = time.monotonic()
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        handle = os.pidfd_open(child.pid)
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        while not poll.poll(20):
            memory = max(memory, peak(child.pid))
        seconds = time.monotonic() - begin
        os.close(handle)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return seconds, usage.ru_utime + usage.ru_stime, memory, output.read().decode()


class Row:
    """A work: its commands by tool, and how many times as long a tool's command stands for (`times`)."""

    def __init__(self, name, order, commands, times=None):
        self.name, self.order, self.commands, self.times = name, order, commands, times or {}
        self.seconds = {tool: [] for tool in commands}
        self.cpu = {tool: [] for tool in commands}
        self.memory = 0
        self.outputs = []

    def round(self, end):
        os.write(end, self.order.encode())
        for tool, words in self.commands.items():
            if shutil.which(words[0]) is None:
                continue
            seconds, cpu, memory, output = run(words)
            self.seconds[tool].append(seconds * self.times.get(tool, 1))
            self.cpu[tool].append(cpu * self.times.get(tool, 1))
            if tool == "sockcat":
                self.memory = max(self.memory, memory)
                self.outputs.append(output)

    def median(self, tool):
        return statistics.median(self.seconds[tool]) if self.seconds[tool] else None

    def lines(self):
        for tool, seconds in self.seconds.items():
            if seconds:
                yield (f"| {self.name} | {tool} | {statistics.median(seconds):.3f} ({min(seconds):.3f}–{max(seconds):.3f}) |"
                       f" {statistics.median(self.cpu[tool]):.3f} |")


def rows(sockcat):
    here, all_ports, thousand, hundred = "127.0.0.1", "1-65535", "1-1000", "1-100"
    return [
        Row("65,535 closed ports of loopback", "0 0\n", {
            "sockcat": [sockcat, "-z", here, all_ports],
            "nc.openbsd": ["nc.openbsd", "-z", here, all_ports],
            "nc.traditional": ["nc.traditional", "-n", "-z", here, all_ports],
            "nmap": ["nmap", "-n", "-Pn", "-sT", "-T5", "-p", all_ports, here]}),
        Row("1,000 ports, 50 ms away", "0.05 0\n", {
            "sockcat": [sockcat, "-z", HOST, thousand],
            "nc.openbsd": ["nc.openbsd", "-z", HOST, hundred],
            "nmap": ["nmap", "-n", "-Pn", "-sT", "-T5", "-p", thousand, HOST]}, {"nc.openbsd": 10}),
        Row("1,000 ports that do not answer, -w 1", "0.05 0\n", {
            "sockcat": [sockcat, "-z", "-w", "1", HOST, f"{far_host.FILTERED}-{far_host.FILTERED + 999}"]}),
        Row("1,000 ports, 50 ms away, 2 % loss each way", "0.05 0.02\n", {
            "sockcat": [sockcat, "-z", "-v", HOST, thousand]}),
    ]


def wrong(output):
    """The open ports that sockcat called closed, and the reverse."""
    count = 0
    for line in output.splitlines():
        words = line.replace("sockcat: ", "").split()
        port = words[0].rstrip(":").rpartition(":")[2]
        if len(words) > 1 and port.isdigit() and words[1] in ("open", "closed"):
            count += (words[1] == "open") != (int(port) % far_host.OPEN == 0)
    return count


def figures(done):
    """(what, value, limit, whether it is reached)."""
    closed, far, filtered, lossy = done
    peers = [closed.median(tool) for tool in closed.commands if tool != "sockcat" and closed.median(tool)]
    if peers:
        ratio = closed.median("sockcat") / min(peers)
        yield "65,535 closed ports: time of the fastest peer", f"{ratio:.2f} ×", "≤ 0.6", ratio <= 0.6
    if far.median("nmap"):
        ratio = far.median("sockcat") / far.median("nmap")
        yield "1,000 ports 50 ms away: time of nmap -sT -T5", f"{ratio:.2f} ×", "≤ 1.2", ratio <= 1.2
    if far.median("nc.openbsd"):
        ratio = far.median("nc.openbsd") / far.median("sockcat")
        yield "1,000 ports 50 ms away: as fast as nc.openbsd", f"{ratio:.0f} ×", "≥ 50", ratio >= 50
    yield "1,000 filtered ports, -w 1: seconds", f"{filtered.median('sockcat'):.2f}", "≤ 1.3", filtered.median("sockcat") <= 1.3
    errors = sum(map(wrong, lossy.outputs + far.outputs))
    yield "open ports that were called closed, or the reverse", str(errors), "0", errors == 0
    memory = closed.memory / MIB
    yield "peak memory for 65,535 ports: MiB", f"{memory:.1f}", "< 8", memory < 8


def main():
    chosen = arguments()
    end = far_host.start()
    done = rows(os.path.abspath(chosen.sockcat))
    for _ in range(chosen.rounds):
        for row in done:
            row.round(end)
    os.close(end)
    reached = list(figures(done))
    text = ["# Results of probing", "",
            "Written by `bench/probe.sh`; [README.md](../README.md) says how to read it.", "",
            f"* {machine()}",
            f"* {time.strftime('%Y-%m-%d')}; rounds: {chosen.rounds}; median (least–most)", "",
            "| figure | | to reach | reached |", "|---|---|---|---|"]
    text += [f"| {what} | {value} | {limit} | {'yes' if good else '**no**'} |" for what, value, limit, good in reached]
    text += ["", "| work | tool | seconds | CPU seconds |", "|---|---|---|---|"]
    text += [line for row in done for line in row.lines()]
    where = os.path.join(chosen.build, "results") if chosen.quick else "bench/results"
    os.makedirs(where, exist_ok=True)
    with open(os.path.join(where, "probe.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(text) + "\n")
    print("\n".join(text))
    sys.exit(0 if all(good for *_, good in reached) else 1)


if __name__ == "__main__":
    main()
