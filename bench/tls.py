"""The benchmark of TLS: every tool in turn, round after round; then the report. tls.sh starts it.

Status 1: sockcat or the limit failed, or a figure was not reached.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from comparison import machine, parse, publish
from transfer import MIB, await_port, ratio

PORT, LIMIT = 9000, 60
# What all tools take, of TLS 1.3 and 1.2.
OPENSSL_CONF = """openssl_conf = it
[it]
ssl_conf = ssl
[ssl]
system_default = all
[all]
Ciphersuites = TLS_AES_128_GCM_SHA256
CipherString = ECDHE+AESGCM:@SECLEVEL=1
"""
CERT = "{c}/good.crt {c}/good.key"
SERVE = "--ssl --ssl-cert {c}/good.crt --ssl-key {c}/good.key"
CONNECT = "--ssl --ssl-trustfile {c}/root.crt -4"
# A receiver and a sender. With --send-only ncat loses the last bytes. openssl(1) does not end with its input: the byte count ends both.
BULK = {
    "limit": ("{limit} receive {port} " + CERT, "{limit} send {port}"),
    "sockcat": ("{sockcat} -ld " + SERVE + " 127.0.0.1 {port}", "{sockcat} " + CONNECT + " localhost {port}"),
    "limit, sockcat receives": ("{sockcat} -ld " + SERVE + " 127.0.0.1 {port}", "{limit} send {port}"),
    "limit, sockcat sends": ("{limit} receive {port} " + CERT, "{sockcat} " + CONNECT + " localhost {port}"),
    "ncat --ssl": ("ncat -l --recv-only " + SERVE + " 127.0.0.1 {port}", "ncat --ssl 127.0.0.1 {port}"),
    "socat OPENSSL": ("socat -u OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,cert={c}/together.pem,verify=0 -",
                      "socat -u - OPENSSL:127.0.0.1:{port},verify=0"),
    "openssl s_client, s_server": ("exec head -c {bytes} < <(exec openssl s_server -accept 127.0.0.1:{port} -cert {c}/good.crt"
                                   " -key {c}/good.key -quiet)", "openssl s_client -quiet -connect 127.0.0.1:{port}"),
}
SERVERS = {
    "limit": "{limit} serve {port} " + CERT,
    "sockcat -lk": "{sockcat} -lk " + SERVE + " --discard 127.0.0.1 {port}",
    "ncat -lk --ssl": "ncat -lk --recv-only " + SERVE + " 127.0.0.1 {port}",
    "socat OPENSSL-LISTEN,fork": "socat -u OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=128,"
                                 "cert={c}/together.pem,verify=0 -",
    "openssl s_server": "openssl s_server -accept 127.0.0.1:{port} -cert {c}/good.crt -key {c}/good.key -quiet",
}
CLIENTS = {
    "limit": "{limit} first {port}", "sockcat": "{sockcat} " + CONNECT + " localhost {port}",
    "ncat --ssl": "ncat --ssl 127.0.0.1 {port}", "socat OPENSSL": "socat - OPENSSL:127.0.0.1:{port},verify=0",
    "openssl s_client": "openssl s_client -quiet -connect 127.0.0.1:{port}",
}


def arguments():
    parser = argparse.ArgumentParser(prog="bench/tls.sh", description="Compares TLS.")
    parser.add_argument("--quick", action="store_true", help="64 MiB, one round, a second, 100 clients")
    parser.add_argument("--size", type=int, default=1024, metavar="MIB")
    parser.add_argument("--seconds", type=int, default=3, metavar="N", help="of handshakes")
    parser.add_argument("--clients", type=int, default=1000, metavar="N", help="idle, for the memory")
    return parse(parser, size=64, seconds=1, clients=100)


def memory(pid, table, name):
    """Bytes of memory, of a file of the process; 0: it has ended."""
    try:
        with open(f"/proc/{pid}/{table}", encoding="ascii") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith(name)), 0)
    except OSError:
        return 0


class Child:
    """A command in a process group of its own; its standard input does not end, unless it is a file."""

    def __init__(self, command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(["bash", "-c", ("" if "exec" in command else "exec ") + command], stdin=stdin, stdout=stdout,
                                        stderr=self.errors, start_new_session=True)
        self.poll, self.pid, self.usage, self.memory = self.end_of, self.process.pid, None, 0

    def end_of(self):
        """Its status, or None; then `usage` is set. The memory is that of now, at most."""
        if self.process.returncode is None:
            self.memory = max(self.memory, memory(self.pid, "status", "VmHWM:"))
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                self.usage = usage
        return self.process.returncode

    def wait(self):
        give_up = time.monotonic() + LIMIT
        while self.end_of() is None:
            if time.monotonic() > give_up:
                self.kill()
                raise OSError("it did not end")
            time.sleep(0.001)
        return self.process.returncode

    def kill(self):
        try:
            os.killpg(self.pid, 9)
        except ProcessLookupError:
            pass
        while self.end_of() is None:
            time.sleep(0.001)

    def text(self):
        self.errors.seek(0)
        return " ".join(self.errors.read().decode(errors="replace").split())[:200]


class Bulk:
    """A pair that moves the file."""

    def __init__(self, name, words):
        self.name, self.seconds, self.cpu, self.memory, self.note = name, [], [], 0, None
        self.commands = [command.format(**words) for command in BULK[name]]
        self.counted = "head" in self.commands[0]

    def round(self, folder, out):
        with open(folder + "/big", "rb") as file, open(out, "wb") as copy:
            receiver = Child(self.commands[0], stdout=copy)
            try:
                await_port(PORT, receiver)
                began = time.monotonic()
                sender = Child(self.commands[1], stdin=file)
                try:
                    status = receiver.wait()
                    if not self.counted:
                        status = status or sender.wait()
                    seconds = time.monotonic() - began
                finally:
                    sender.kill()
            finally:
                receiver.kill()
        if status and ("sockcat" in self.name or self.name == "limit"):
            raise OSError("status %d: %s %s" % (status, receiver.text(), sender.text()))
        self.seconds.append(seconds)
        if not self.counted:
            self.cpu.append(sum(usage.ru_utime + usage.ru_stime for usage in (receiver.usage, sender.usage)))
        self.memory = max(self.memory, receiver.memory, sender.memory)


def measure_bulk(chosen, folder, words):
    """All pairs, after a round whose copies are compared."""
    pairs = [Bulk(name, words) for name in BULK]
    for turn in range(-1, chosen.rounds):
        for pair in pairs:
            if pair.note is not None:
                continue
            try:
                pair.round(folder, folder + "/copy" if turn == -1 else "/dev/null")
                if turn == -1 and subprocess.run(["cmp", "-s", folder + "/big", folder + "/copy"], check=False).returncode:
                    raise OSError("the copy differs")
            except OSError as error:
                pair.note = str(error)
            if turn == -1 or pair.note:
                pair.seconds.clear()
                pair.cpu.clear()
            else:
                print(f"{turn + 1}: {pair.name}: {pair.seconds[-1]:.3f} s", flush=True)
        if turn == -1 and os.path.exists(folder + "/copy"):
            os.remove(folder + "/copy")
    return pairs


def handshakes(chosen, words):
    """Handshakes a second of each server, by two threads of clients."""
    found = {name: [] for name in SERVERS}
    for _ in range(chosen.rounds):
        for name, command in SERVERS.items():
            server = Child(command.format(**words))
            try:
                await_port(PORT, server)
                done = subprocess.run([words["limit"], "shake", str(PORT), str(chosen.seconds)], stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, check=False)
                if done.returncode == 0:
                    found[name].append(int(done.stdout) / chosen.seconds)
            except OSError:
                pass
            finally:
                server.kill()
    return found


def first_bytes(chosen, words):
    """Seconds from the start of each client to the first byte."""
    found = {name: [] for name in CLIENTS}
    server = Child(SERVERS["limit"].format(**words))
    try:
        await_port(PORT, server)
        for _ in range(chosen.rounds * 10):
            for name, command in CLIENTS.items():
                began = time.monotonic()
                client = Child(command.format(**words), stdout=subprocess.PIPE)
                if client.process.stdout.read(1):
                    found[name].append(time.monotonic() - began)
                client.kill()
                client.process.stdout.close()
    finally:
        server.kill()
    return found


def idle_memory(chosen, words):
    """Bytes for each idle client of a listener."""
    server = Child(("{sockcat} -lk --max-conns {clients} --echo " + SERVE + " 127.0.0.1 {port}").format(
        clients=chosen.clients + 1, **words))
    holder = None
    try:
        await_port(PORT, server)
        before = memory(server.pid, "smaps_rollup", "Pss:")
        holder = Child(f"{words['limit']} hold {PORT} {chosen.clients}", stdout=subprocess.PIPE)
        if not holder.process.stdout.readline():
            raise OSError("no clients: " + holder.text() + server.text())
        return (memory(server.pid, "smaps_rollup", "Pss:") - before) / chosen.clients
    finally:
        server.kill()
        if holder:
            holder.kill()


def show(values, unit=1, form="{:.2f}"):
    return "%s (%s–%s)" % tuple(form.format(value * unit) for value in (statistics.median(values), min(values), max(values)))


def figures(pairs, shaken, idle):
    """(what, value, to reach, whether it is)."""
    by_name = {pair.name: pair for pair in pairs}
    ours, limit = by_name["sockcat"], by_name["limit"]
    peers = [pair for pair in pairs if pair.seconds and "sockcat" not in pair.name and pair.name != "limit"]
    rows = [("speed of the limit", ratio(limit.seconds, ours.seconds), 0.95),
            ("the same, sockcat receives", ratio(limit.seconds, by_name["limit, sockcat receives"].seconds), None),
            ("the same, sockcat sends", ratio(limit.seconds, by_name["limit, sockcat sends"].seconds), None),
            ("CPU time of the limit's", ratio(limit.cpu, ours.cpu), None)]
    if peers and ours.seconds:
        best = min(peers, key=lambda pair: statistics.median(pair.seconds))
        rows.append((f"speed of the best peer ({best.name})", ratio(best.seconds, ours.seconds), 2))
    if shaken["sockcat -lk"] and shaken["limit"]:
        rows.append(("handshakes of the limit", ratio(shaken["sockcat -lk"], shaken["limit"]), None))
    for what, value, least in rows:
        if value:
            yield what, "%.2f (%.2f–%.2f) ×" % value, f"≥ {least}" if least else "", value[0] >= least if least else None
    for what, value, most, unit in (("peak memory: MiB", ours.memory / MIB, 9, "MiB"), ("a further idle client: KiB", idle / 1024, 40, "KiB")):
        yield what, f"{value:.1f}", f"≤ {most} {unit}", value <= most


def report(chosen, pairs, shaken, first, reached):
    text = ["# Results of TLS", "", "Written by `bench/tls.sh`; [README.md](../README.md) says how to read it.", "",
            f"* {machine()}, {time.strftime('%Y-%m-%d')}; load {os.getloadavg()[0]:.1f}",
            f"* {chosen.size} MiB, TLS 1.3, AES-128-GCM; rounds: {chosen.rounds}; median (least–most)", "",
            "| figure | | to reach | reached |", "|---|---|---|---|"]
    text += [f"| {what} | {value} | {limit} | {'' if good is None else 'yes' if good else '**no**'} |"
             for what, value, limit, good in reached]
    text += ["", "| pair | seconds | MiB/s | CPU s, both sides | peak MiB |", "|---|---|---|---|---|"]
    text += [f"| {pair.name} | {show(pair.seconds)} | {chosen.size / statistics.median(pair.seconds):,.0f} |"
             f" {show(pair.cpu) if pair.cpu else ''} | {pair.memory / MIB:.1f} |" for pair in pairs if pair.seconds]
    text += ["", "| server | handshakes a second |", "|---|---|"]
    text += [f"| {name} | {show(values, 1, '{:,.0f}')} |" for name, values in shaken.items() if values]
    text += ["", "| client | start to first byte, ms |", "|---|---|"]
    text += [f"| {name} | {show(values, 1000, '{:.1f}')} |" for name, values in first.items() if values]
    left = [f"* {pair.name}: {pair.note}" for pair in pairs if pair.note]
    return "\n".join(text + (["", "Without:", ""] + left if left else [])) + "\n"


def main():
    chosen = arguments()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    build = os.path.abspath(chosen.build)
    words = {"sockcat": os.path.abspath(chosen.sockcat), "limit": build + "/tls_limit", "c": build + "/certificates",
             "port": PORT, "bytes": chosen.size * MIB}
    with tempfile.TemporaryDirectory(prefix="sockcat-tls.", dir="/dev/shm") as folder:
        os.environ["OPENSSL_CONF"] = folder + "/openssl.cnf"
        with open(os.environ["OPENSSL_CONF"], "w", encoding="ascii") as file:
            file.write(OPENSSL_CONF)
        with open(folder + "/big", "wb") as file:
            piece = os.urandom(16 * MIB)
            for at in range(0, chosen.size, 16):
                file.write((piece[at:] + piece[:at])[:min(16, chosen.size - at) * MIB])
        pairs = measure_bulk(chosen, folder, words)
        shaken, first, idle = handshakes(chosen, words), first_bytes(chosen, words), idle_memory(chosen, words)
    reached = list(figures(pairs, shaken, idle))
    text = report(chosen, pairs, shaken, first, reached)
    publish(chosen, "tls.md", text)
    broken = [pair for pair in pairs if pair.note and ("sockcat" in pair.name or pair.name == "limit")]
    sys.exit(0 if not broken and all(good is not False for *_, good in reached) else 1)


if __name__ == "__main__":
    main()
