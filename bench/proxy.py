"""The benchmark of proxy servers: every tool in turn, round after round; then the report. proxy.sh starts it.

Status 1: sockcat failed, or a figure was not reached.
"""
import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from comparison import parse, publish

MIB = 1024 * 1024
# The ports of the targets: one takes all, one ends each connection, one keeps them.
SINK, ENDS, KEEPS = 7001, 7002, 7003
PORT = 8001
# Seconds to wait for anything.
LIMIT = 30

SOCKS5 = b"\5\1\0\1\x7f\0\0\1%s"
HTTP = b"CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n"

# The command of each tool, and what its clients speak; None: they are relayed to the sink.
TOOLS = {
    "sockcat --to": ("{sockcat} -lk --max-conns 100000 127.0.0.1 {port} --to 127.0.0.1:{target}", None),
    "sockcat http": ("{sockcat} -lk --max-conns 100000 --proxy-server http --allow-dest 127.0.0.1 127.0.0.1 {port}", "http"),
    "sockcat socks5": ("{sockcat} -lk --max-conns 100000 --proxy-server socks5 --allow-dest 127.0.0.1 127.0.0.1 {port}", "socks5"),
    "microsocks": ("microsocks -i 127.0.0.1 -p {port}", "socks5"),
    "danted": ("danted -f dante.conf", "socks5"),
    "tinyproxy": ("tinyproxy -d -c tinyproxy.conf", "http"),
    "squid": ("squid -N -f squid.conf", "http"),
    "ncat": ("ncat -lk --max-conns 10000 --proxy-type http 127.0.0.1 {port}", "http"),
}
FILES = {
    "dante.conf": "logoutput: stderr\ninternal: 127.0.0.1 port = {port}\nexternal: lo\nclientmethod: none\nsocksmethod: none\n"
                  "client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}\nsocks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}\n",
    "tinyproxy.conf": "Port {port}\nListen 127.0.0.1\nMaxClients 10000\nTimeout 600\n",
    "squid.conf": "http_port 127.0.0.1:{port}\nhttp_access allow all\npid_filename {folder}/squid.pid\ncache deny all\n"
                  "access_log none\ncache_log {folder}/cache.log\ncoredump_dir {folder}\nmax_filedescriptors 16384\n"
                  "shutdown_lifetime 0\n",
}


def arguments():
    parser = argparse.ArgumentParser(prog="bench/proxy.sh", description="Compares proxy servers.")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--size", type=int, default=2048, help="MiB")
    parser.add_argument("--connections", type=int, default=3000)
    parser.add_argument("--tunnels", type=int, default=500)
    parser.add_argument("tools", nargs="*", default=[])
    return parse(parser, size=128, connections=300, tunnels=100)


# --- the targets ---

def listener(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(4096)
    return s


def sink():
    """Take each connection to its end, and tell when that came; the kernel drops the bytes."""
    s, room = listener(SINK), bytearray(MIB)
    while True:
        c, _ = s.accept()
        try:
            while c.recv_into(room, MIB, socket.MSG_TRUNC):
                pass
            c.sendall(b"!")
        except OSError:
            pass
        c.close()


def ends():
    s = listener(ENDS)
    while True:
        s.accept()[0].close()


def keeps():
    s, kept = listener(KEEPS), []
    while True:
        kept.append(s.accept()[0])


def fork(function):
    pid = os.fork()
    if pid == 0:
        try:
            function()
        finally:
            os._exit(1)
    return pid


# --- the tools ---

def tree(pid):
    """The process and its children, theirs, and so on."""
    found = [pid]
    for each in found:
        for task in os.listdir("/proc/%d/task" % each):
            with open("/proc/%d/task/%s/children" % (each, task)) as file:
                found += map(int, file.read().split())
    return found


class Tool:
    def __init__(self, name):
        self.name, (self.command, self.speaks) = name, TOOLS[name]
        self.rates, self.loads, self.opened, self.sizes, self.note = [], [], [], [], ""

    def start(self, chosen, folder, target):
        for name, text in FILES.items():
            with open(os.path.join(folder, name), "w") as file:
                file.write(text.format(port=PORT, folder=folder))
        words = self.command.format(sockcat=chosen.sockcat, port=PORT, target=target).split()
        with open(os.path.join(folder, "messages"), "ab") as messages:
            self.child = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=messages,
                                          stderr=messages, start_new_session=True)
        end = time.monotonic() + 20
        while time.monotonic() < end and self.child.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", PORT)) == 0:
                    return
            time.sleep(0.02)
        self.stop()
        raise OSError("it did not start")

    def stop(self):
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()

    def tunnel(self, port):
        s = socket.create_connection(("127.0.0.1", PORT), LIMIT)
        if self.speaks == "socks5":
            s.sendall(b"\5\1\0")
            self.exactly(s, 2)
            s.sendall(SOCKS5 % port.to_bytes(2, "big"))
            got = self.exactly(s, 10)
            if got[1]:
                self.fail(got)
        elif self.speaks == "http":
            s.sendall(HTTP % (port, port))
            got = b""
            while not got.endswith(b"\r\n\r\n"):
                got += s.recv(4096) or self.fail(got)
            if b" 200 " not in got:
                self.fail(got)
        return s

    def exactly(self, s, n):
        got = b""
        while len(got) < n:
            got += s.recv(n - len(got)) or self.fail(got)
        return got

    @staticmethod
    def fail(got):
        raise OSError("the tunnel was refused: %r" % got[:40])

    def bulk(self, size, file):
        """Bytes a second, until the target has them all; and the processor time for a GiB, in seconds."""
        s, sent = self.tunnel(SINK), 0
        s.settimeout(None)
        used = self.processor()
        before = time.monotonic()
        while sent < size:
            sent += os.sendfile(s.fileno(), file, sent % (64 * MIB), min(64 * MIB - sent % (64 * MIB), size - sent))
        s.shutdown(socket.SHUT_WR)
        if s.recv(1) != b"!" and self.name.startswith("sockcat"):
            self.fail(b"no answer")
        s.close()
        seconds = time.monotonic() - before
        self.loads.append((self.processor() - used) * 1024 * MIB / size)
        return size / seconds

    def processor(self):
        """Seconds that its processes have used."""
        ticks = 0
        for pid in tree(self.child.pid):
            with open("/proc/%d/stat" % pid) as file:
                ticks += sum(map(int, file.read().rpartition(")")[2].split()[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def connects(self, n):
        """Tunnels a second, one after the other, each to the end of its target."""
        before = time.monotonic()
        for _ in range(n):
            s = self.tunnel(ENDS)
            s.recv(1)
            s.close()
        return n / (time.monotonic() - before)

    def memory(self):
        """Bytes of all of its processes; what several share is divided among them."""
        size = 0
        for pid in tree(self.child.pid):
            with open("/proc/%d/smaps_rollup" % pid) as file:
                size += sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
        return size

    def idle(self, n):
        """Bytes for each of n tunnels."""
        first = [self.tunnel(KEEPS) for _ in range(20)]
        before = self.memory()
        tunnels = [self.tunnel(KEEPS) for _ in range(n)]
        time.sleep(0.3)
        size = (self.memory() - before) / n
        for s in first + tunnels:
            s.close()
        return size

    def round(self, chosen, folder, file):
        steps = ((SINK, self.rates, lambda: self.bulk(chosen.size * MIB, file)),
                 (ENDS, self.opened, lambda: self.connects(chosen.connections)),
                 (KEEPS, self.sizes, lambda: self.idle(chosen.tunnels)))
        for target, values, step in steps:
            try:
                self.start(chosen, folder, target)
                try:
                    values.append(step())
                finally:
                    self.stop()
            except OSError as error:
                self.note = str(error)


# --- the report ---

def middle(values):
    return statistics.median(values) if values else 0


def spread(values):
    """The median, and the least and the most."""
    return values and "%.4g (%.3g to %.3g)" % (middle(values), min(values), max(values)) or "-"


def figures(tools):
    """What is to be reached: its name, the value, the goal, whether it is."""
    by = {tool.name: tool for tool in tools}
    peers = [tool for tool in tools if not tool.name.startswith("sockcat")]
    for name in "sockcat http", "sockcat socks5":
        ours, to = by.get(name), by.get("sockcat --to")
        if ours and to and ours.rates and to.rates:
            value = middle([a / b for a, b in zip(ours.rates, to.rates)])
            yield name + ", bulk, of --to in the same round", value, "at least 0.95", value >= 0.95
        best = max((middle(tool.rates) for tool in peers), default=0)
        if ours and ours.rates and best:
            value = middle(ours.rates) / best
            yield name + ", bulk, of the best peer", value, "at least 2", value >= 2
        least = min((middle(tool.loads) for tool in peers if tool.loads), default=0)
        if ours and ours.loads and middle(ours.loads) > 0:
            yield name + ", processor time of the best peer for a GiB, of its own", least / middle(ours.loads), "", None
        best = max((middle(tool.opened) for tool in peers), default=0)
        if ours and ours.opened and best:
            yield name + ", tunnels a second, of the best peer", middle(ours.opened) / best, "", None
        if ours and ours.sizes:
            value = middle(ours.sizes) / 1024
            yield name + ", KiB of an idle tunnel", value, "at most 8", value <= 8


def report(chosen, tools, reached):
    lines = ["# Proxy servers", "", "One run of bench/proxy.sh on a machine with %d processors and the load %.1f at its end: %d "
             "rounds, the median and in brackets the least and the most." % (os.cpu_count(), os.getloadavg()[0], chosen.rounds),
             "", "| tool | %d MiB through a tunnel, GB/s | its processor time, s/GiB | tunnels a second | an idle tunnel, KiB | |"
             % chosen.size, "|---|---|---|---|---|---|"]
    for tool in tools:
        lines.append("| %s | %s | %s | %s | %s | %s |" % (
            tool.name, spread([rate / 1e9 for rate in tool.rates]), spread(tool.loads), spread(tool.opened),
            spread([size / 1024 for size in tool.sizes]), tool.note))
    lines += ["", "| figure | value | goal | |", "|---|---|---|---|"]
    for name, value, goal, good in reached:
        lines.append("| %s | %.2f | %s | %s |" % (name, value, goal, {True: "reached", False: "**missed**", None: ""}[good]))
    return "\n".join(lines) + "\n"


def main():
    chosen = arguments()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    folder = tempfile.mkdtemp(prefix="sockcat-proxy.")
    os.chmod(folder, 0o777)
    file = os.memfd_create("data")
    os.write(file, bytes(64 * MIB))
    tools = [Tool(name) for name in TOOLS if name in (chosen.tools or TOOLS)]
    targets = [fork(function) for function in (sink, ends, keeps)]
    try:
        for _ in range(chosen.rounds):
            for tool in tools:
                if shutil.which(tool.command.split()[0].format(sockcat=chosen.sockcat)) is None:
                    tool.note = "not installed"
                elif not tool.note:
                    tool.round(chosen, folder, file)
    finally:
        for pid in targets:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        shutil.rmtree(folder)
    reached = list(figures(tools))
    text = report(chosen, tools, reached)
    publish(chosen, "proxy.md", text)
    broken = any(tool.note for tool in tools if tool.name.startswith("sockcat"))
    sys.exit(1 if broken or any(good is False for *_, good in reached) else 0)


if __name__ == "__main__":
    main()
