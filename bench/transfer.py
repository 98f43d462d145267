"""The benchmark of transfers: every tool in turn, round after round; then the report. transfer.sh starts it.

Status 1: sockcat failed or a copy of it differed, or a figure was not reached.
"""
import argparse
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from comparison import machine, parse, publish

MIB = 1024 * 1024
PORT, RSYNC_PORT, SSH_PORT = 9000, 8730, 2222
# Seconds for a transfer, and for a side after the other one has failed.
LIMIT, PATIENCE = 600, 3

# A tool's two commands, for bash in the folder of the run: the receiver, which listens, and the sender; one
# without a receiver has a server that was started before. {what} is "big" or "small", which becomes {what} in
# "copies". A command of sockcat names the options that it needs.
NC = ("nc.openbsd -d -l 127.0.0.1 {port}", "nc.openbsd -N 127.0.0.1 {port}")
SOCAT = ("socat -u TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr -", "socat -u - TCP:127.0.0.1:{port}")
PLAIN = ("{sockcat} -ld 127.0.0.1 {port}", "{sockcat} 127.0.0.1 {port}")
RSYNC = (None, "rsync -a --whole-file {what} rsync://127.0.0.1:{rsync}/copies/")
SCP = (None, "scp -q -r -F ssh_config {what} server:{folder}/copies/")
SEND = ("{sockcat} -l --receive=copies 127.0.0.1 {port}", "{sockcat} --send {what} 127.0.0.1 {port}")


def piped(pair):
    receive, send = pair
    return receive + " | tar -xif - -C copies", "tar -cf - {what} | " + send


def redirected(pair, receives="", sends=""):
    """With options of sockcat for the two sides."""
    receive, send = pair
    return receive.replace("-ld", "-ld" + receives) + " > copies/big", send.replace("t} ", "t}%s " % sends) + " < big"


TOOLS = {
    "big": {
        "sockcat < file > file": redirected(PLAIN),
        "sockcat --in, --out": ("{sockcat} -l --out copies/big 127.0.0.1 {port}", "{sockcat} --in big 127.0.0.1 {port}"),
        "sockcat --digest": redirected(PLAIN, " --digest", " --digest"),
        "sockcat --digest of the receiver": redirected(PLAIN, " --digest"),
        "sockcat --digest of the sender": redirected(PLAIN, "", " --digest"),
        "sockcat --send, --receive": SEND,
        "nc.openbsd < file > file": redirected(NC),
        "tar, sockcat, tar": piped(PLAIN), "tar, nc.openbsd, tar": piped(NC), "tar, socat, tar": piped(SOCAT),
        "rsync daemon": RSYNC, "scp": SCP,
    },
    "small": {
        "sockcat --send DIR": SEND,
        "sockcat --tar --send DIR": tuple(command.replace("{sockcat}", "{sockcat} --tar") for command in SEND),
        "tar, sockcat, tar": piped(PLAIN), "tar, nc.openbsd, tar": piped(NC), "tar, socat, tar": piped(SOCAT),
        "rsync daemon": RSYNC, "scp": SCP,
    },
}


def arguments():
    parser = argparse.ArgumentParser(prog="bench/transfer.sh", description="Compares transfers of files.")
    parser.add_argument("--quick", action="store_true", help="64 MiB, 1,000 files, one round")
    parser.add_argument("--size", type=int, default=4096, metavar="MIB", help="of the one file")
    parser.add_argument("--files", type=int, default=10000, metavar="N", help="of 4 KiB")
    parser.add_argument("--folder", default="/dev/shm", metavar="DIR", help="where the files are (/dev/shm)")
    return parse(parser, size=64, files=1000)


def listens(port):
    """Whether a TCP socket of this namespace listens; to connect would be a client."""
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(name, encoding="ascii") as file:
            for line in list(file)[1:]:
                words = line.split()
                if words[3] == "0A" and int(words[1].rpartition(":")[2], 16) == port:
                    return True
    return False


def await_port(port, child, there=True):
    deadline = time.monotonic() + 20
    while listens(port) != there:
        if child.poll() is not None or time.monotonic() > deadline:
            raise OSError("it does not listen")
        time.sleep(0.002)


def family(pid):
    """A process and all that it has started."""
    yield pid
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            for child in file.read().split():
                yield from family(int(child))
    except OSError:
        pass


def peak(pids, name):
    """The peak memory, in bytes, of the largest process of that name."""
    most = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                fields = dict(line.split(":", 1) for line in file)
            if fields["Name"].strip() == name:
                most = max(most, int(fields["VmHWM"].split()[0]) * 1024)
        except (OSError, KeyError):
            pass
    return most


class Tool:
    """One row: its commands, and what was measured."""

    def __init__(self, name, what, commands):
        self.name, self.what, self.commands = name, what, commands
        self.seconds, self.memory, self.note = [], 0, None

    def round(self, folder, words):
        """One transfer, timed from the start of the sender until both sides have ended."""
        shutil.rmtree(folder + "/copies", ignore_errors=True)
        os.mkdir(folder + "/copies")
        receive, send = (command and command.format(what=self.what, **words) for command in self.commands)
        ends = [self.start(receive, folder)] if receive else []
        try:
            if receive:
                await_port(PORT, ends[0])
            began = time.monotonic()
            give_up = began + LIMIT
            ends.append(self.start(send, folder))
            while None in [end.poll() for end in ends]:
                pids = [pid for end in ends for pid in family(end.pid)]
                self.memory = max(self.memory, peak(pids, "sockcat"))
                if any(end.returncode for end in ends):
                    give_up = min(give_up, time.monotonic() + PATIENCE)
                if time.monotonic() > give_up:
                    raise OSError("it did not end: " + self.errors(ends))
                time.sleep(0.002)
            self.seconds.append(time.monotonic() - began)
            if any(end.returncode != 0 for end in ends):
                raise OSError("status %s: %s" % (" and ".join(str(end.returncode) for end in ends), self.errors(ends)))
            self.compare(folder)
        finally:
            for end in ends:
                if end.poll() is None:
                    os.killpg(end.pid, 9)
                    end.wait()

    @staticmethod
    def start(command, folder):
        errors = tempfile.TemporaryFile()
        child = subprocess.Popen(["bash", "-c", "set -o pipefail; " + command], cwd=folder, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True)
        child.errors = errors
        return child

    @staticmethod
    def errors(ends):
        text = ""
        for end in ends:
            end.errors.seek(0)
            text += end.errors.read().decode(errors="replace")
        return " ".join(text.split())[:200]

    def compare(self, folder):
        done = subprocess.run(["diff", "-rq", self.what, "copies/" + self.what], cwd=folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise OSError("the copy differs: " + done.stdout.decode(errors="replace")[:100])

    def is_ours(self):
        return "sockcat" in self.name

    def lacks(self, sockcat_help, servers):
        """Why it cannot take part, or None."""
        for command in filter(None, self.commands):
            for word in command.split():
                if command.startswith("{sockcat}") and word.startswith("--"):
                    name = word.split("=")[0]
                    if name + " " not in sockcat_help and name + "=" not in sockcat_help and name + "[" not in sockcat_help:
                        return name + " is not in this build"
            first = command.split()[0]
            if "{" not in first and shutil.which(first) is None:
                return first + " is not installed"
        return servers.get(self.name.split()[0]) if self.commands[0] is None else None


def write_files(folder, size, files):
    """A file of bytes that nothing can compress, and many small ones."""
    piece = os.urandom(16 * MIB)
    with open(folder + "/big", "wb") as file:
        for at in range(0, size, 16):
            file.write((piece[at:] + piece[:at])[:min(16, size - at) * MIB])
    for i in range(files):
        where = f"{folder}/small/{i // 100:03}"
        os.makedirs(where, exist_ok=True)
        with open(f"{where}/{i:05}", "wb") as file:
            file.write(piece[i * 997:][:4096])


def start_rsync(folder):
    """The daemon; None, or why there is none."""
    if shutil.which("rsync") is None:
        return None, "rsync is not installed"
    with open(folder + "/rsyncd.conf", "w", encoding="ascii") as file:
        file.write(f"use chroot = no\nuid = {os.getuid()}\ngid = {os.getgid()}\npid file = {folder}/rsyncd.pid\n"
                   f"[copies]\npath = {folder}/copies\nread only = no\n")
    child = Tool.start(f"exec rsync --daemon --no-detach --config=rsyncd.conf --address=127.0.0.1 --port={RSYNC_PORT}", folder)
    try:
        await_port(RSYNC_PORT, child)
    except OSError as error:
        return None, f"rsync's daemon: {error}: {Tool.errors([child])}"
    return child, None


def start_sshd(folder, build):
    """The same of an ssh server that was only unpacked, with keys of its own."""
    unpacked = build + "/sshd"
    server = shutil.which("sshd", path="/usr/sbin:/usr/bin") or unpacked + "/usr/sbin/sshd"
    sftp = next((path for path in ("/usr/lib/openssh/sftp-server", unpacked + "/usr/lib/openssh/sftp-server")
                 if os.path.exists(path)), None)
    if not os.path.exists(server) or sftp is None or shutil.which("scp") is None:
        return None, "no ssh server that could be started without becoming a service"
    if os.getuid() != 0:
        return None, "the ssh server needs root"
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/{key}_key"], check=True)
    shutil.copy(folder + "/user_key.pub", folder + "/authorized")
    with open(folder + "/sshd_config", "w", encoding="ascii") as file:
        file.write(f"Port {SSH_PORT}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nUsePAM no\nStrictModes no\n"
                   f"PidFile none\nPermitRootLogin yes\nAuthorizedKeysFile {folder}/authorized\n"
                   f"Subsystem sftp {sftp}\n")
    with open(folder + "/ssh_config", "w", encoding="ascii") as file:
        file.write(f"Host server\nHostName 127.0.0.1\nPort {SSH_PORT}\nUser root\nIdentityFile {folder}/user_key\n"
                   "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nBatchMode yes\nLogLevel ERROR\n")
    # What an installed package would have made, in a mount namespace.
    shutil.copy("/etc/passwd", folder + "/passwd")
    with open(folder + "/passwd", "a", encoding="ascii") as file:
        file.write("sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n")
    script = (f"mount --bind {folder}/passwd /etc/passwd && mount -t tmpfs none /run && mkdir -m 755 /run/sshd &&"
              f" exec {shlex.quote(server)} -D -e -f {folder}/sshd_config")
    command = f"exec unshare -m bash -c {shlex.quote(script)}"
    child = Tool.start(command, folder)
    try:
        await_port(SSH_PORT, child)
    except OSError as error:
        return None, f"ssh server: {error}: {Tool.errors([child])}"
    return child, None


def digest_seconds(folder):
    """The time of the digest alone."""
    began = time.monotonic()
    subprocess.run(["openssl", "dgst", "-sha256", "big"], cwd=folder, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def ratio(above, below):
    """How many times as fast as `above` is `below`, of the rounds: median, least, most; None: one is missing."""
    values = [a / b for a, b in zip(above, below)]
    return (statistics.median(values), min(values), max(values)) if values else None


def figures(tools, digests):
    """(what, value, limit, whether it is reached)."""
    big, small = ({tool.name: tool for tool in tools if tool.what == what} for what in ("big", "small"))
    plain = big["sockcat < file > file"]
    sent, hashed, many = big["sockcat --send, --receive"], big["sockcat --digest"], small["sockcat --send DIR"]
    # Where both ends compute digests, that alone takes two processors.
    both = 0.9 if (os.cpu_count() or 1) >= 4 else None
    nc = small["tar, nc.openbsd, tar"]
    for what, value, least in (
            ("one file, --in, --out: speed of the plain session", ratio(plain.seconds, big["sockcat --in, --out"].seconds), 0.95),
            ("one file, --digest of the receiver: speed of SHA-256 alone (openssl)",
             ratio(digests, big["sockcat --digest of the receiver"].seconds), 0.9),
            ("one file, --digest of the sender: speed of SHA-256 alone (openssl)",
             ratio(digests, big["sockcat --digest of the sender"].seconds), 0.9),
            ("one file, --digest: speed of SHA-256 alone (openssl)", ratio(digests, hashed.seconds), both),
            ("one file, --send, --receive: speed of SHA-256 alone (openssl)", ratio(digests, sent.seconds), both),
            ("many files, --send DIR: speed of tar, nc.openbsd, tar", ratio(nc.seconds, many.seconds), 1.0),
            ("many files, tar, sockcat, tar: speed of tar, nc.openbsd, tar",
             ratio(nc.seconds, small["tar, sockcat, tar"].seconds), None)):
        if value:
            text = "%.2f (%.2f–%.2f) ×" % value
            yield what, text, f"≥ {least}" if least else "", value[0] >= least if least else None
    for name, tool, most in (("plain session", plain, 8), ("--send, --receive", sent, 8), ("--send DIR", many, 24)):
        if tool.seconds:
            yield f"peak memory, {name}: MiB", f"{tool.memory / MIB:.1f}", f"≤ {most}", tool.memory <= most * MIB


def measure(chosen, tools, folder):
    """All rounds; the times of the digest alone."""
    words = {"sockcat": os.path.abspath(chosen.sockcat), "port": PORT, "rsync": RSYNC_PORT, "folder": folder}
    digests = []
    for turn in range(-1, chosen.rounds):
        for tool in tools:
            if tool.note is not None:
                continue
            try:
                tool.round(folder, words)
            except OSError as error:
                tool.note = str(error)
                tool.seconds.clear()
            if turn == -1:  # the first one finds what fails, and is not counted
                tool.seconds.clear()
            elif tool.seconds:
                print(f"{turn + 1}: {tool.what}, {tool.name}: {tool.seconds[-1]:.3f} s", flush=True)
        if turn >= 0 and shutil.which("openssl"):
            digests.append(digest_seconds(folder))
    return digests


def report(chosen, tools, digests, reached):
    text = ["# Results of transfers", "",
            "Written by `bench/transfer.sh`; [README.md](../README.md) says how to read it.", "",
            f"* {machine()}, files in {chosen.folder}",
            f"* {time.strftime('%Y-%m-%d')}; rounds: {chosen.rounds}; median (least–most)",
            f"* one file of {chosen.size} MiB; {chosen.files:,} files of 4 KiB", "",
            "| figure | | to reach | reached |", "|---|---|---|---|"]
    text += [f"| {what} | {value} | {limit} | {'' if good is None else 'yes' if good else '**no**'} |"
             for what, value, limit, good in reached]
    text += ["", "| work | tool | seconds | MiB/s |", "|---|---|---|---|"]
    sizes = {"big": chosen.size, "small": chosen.files / 256}
    names = {"big": "one file", "small": "many files"}
    for tool in tools:
        if tool.seconds:
            middle = statistics.median(tool.seconds)
            text.append(f"| {names[tool.what]} | {tool.name} | {middle:.3f} ({min(tool.seconds):.3f}–{max(tool.seconds):.3f}) |"
                        f" {sizes[tool.what] / middle:,.0f} |")
    if digests:
        text.append(f"| one file | SHA-256 alone (openssl) | {statistics.median(digests):.3f} ({min(digests):.3f}–"
                    f"{max(digests):.3f}) | {chosen.size / statistics.median(digests):,.0f} |")
    left = [f"* {names[tool.what]}, {tool.name}: {tool.note}" for tool in tools if tool.note is not None]
    return "\n".join(text + (["", "Without:", ""] + left if left else [])) + "\n"


def main():
    chosen = arguments()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    sockcat_help = subprocess.run([chosen.sockcat, "--help=all"], stdout=subprocess.PIPE, check=True).stdout.decode()
    folder = tempfile.mkdtemp(prefix="sockcat-transfer.", dir=chosen.folder)
    children = []
    try:
        write_files(folder, chosen.size, chosen.files)
        servers = {}
        for name, (child, why) in {"rsync": start_rsync(folder), "scp": start_sshd(folder, os.path.abspath(chosen.build))}.items():
            children += [child] if child else []
            servers[name] = why
        tools = [Tool(name, what, commands) for what, rows in TOOLS.items() for name, commands in rows.items()]
        for tool in tools:
            tool.note = tool.lacks(sockcat_help, servers)
        digests = measure(chosen, tools, folder)
    finally:
        for child in children:
            os.killpg(child.pid, 15)
            child.wait()
        shutil.rmtree(folder)
    reached = list(figures(tools, digests))
    text = report(chosen, tools, digests, reached)
    publish(chosen, "transfer.md", text)
    broken = [tool for tool in tools if tool.is_ours() and tool.note and "not in this build" not in tool.note]
    sys.exit(0 if not broken and all(good is not False for *_, good in reached) else 1)


if __name__ == "__main__":
    main()
