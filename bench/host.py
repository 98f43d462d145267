"""Processes and sockets: starting, waiting, ending, and finding listeners."""
import contextlib
import itertools
import os
import select
import signal
import socket
import time

PATIENCE = 300  # seconds, after which a tool counts as hanging


class Failure(Exception):
    """A tool failed at a work."""


class Child:
    """A child process in a group of its own."""

    def __init__(self, words, stdin, stdout, messages):
        # Python ignores SIGPIPE; the tools must not.
        self.name = os.path.basename(words[0])
        self.pid = os.posix_spawnp(
            words[0], words, os.environ, setpgroup=0, setsigdef=[signal.SIGPIPE],
            file_actions=[(os.POSIX_SPAWN_DUP2, stdin, 0), (os.POSIX_SPAWN_DUP2, stdout, 1),
                          (os.POSIX_SPAWN_DUP2, messages, 2)])
        self.handle = os.pidfd_open(self.pid)
        self.status = None

    def ended(self, wait_ms=0):
        """Whether it has ended; wait up to the given time."""
        if self.status is None:
            poll = select.poll()
            poll.register(self.handle, select.POLLIN)
            if not poll.poll(wait_ms):
                return False
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            os.close(self.handle)
        return True

    def end(self):
        """Kill it and all processes that it started."""
        if not self.ended():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.ended(-1)


@contextlib.contextmanager
def family():
    """A list of children; kills the remaining ones at the end."""
    children = []
    try:
        yield children
    finally:
        for child in children:
            child.end()


def wait_all(children):
    """Wait for all; each has to exit with status 0."""
    deadline = time.monotonic() + PATIENCE
    for child in children:
        if not child.ended(max(0, deadline - time.monotonic()) * 1000):
            raise Failure(f"hangs ({child.name})")
    for child in children:
        if child.status != 0:
            raise Failure(f"status {child.status} ({child.name})")


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def rows_of_port(protocol, port):
    """The kernel's lines, cut into fields, of the sockets that have this local port."""
    ending = f":{port:04X}"
    with open(f"/proc/net/{protocol}", encoding="ascii") as table:
        fields = [line.split() for line in table]
    return [row for row in fields if row[1].endswith(ending)]


def listens(family_name, address):
    if family_name == "unix":
        with open("/proc/net/unix", encoding="utf-8") as table:
            # Flag 0x10000: listening.
            return any(line.split()[3] == "00010000" for line in table
                       if line.rstrip().endswith(" " + address))
    if family_name != "tcp":
        return bool(rows_of_port(family_name, address))
    with open("/proc/net/tcp", encoding="ascii") as table:
        next(table)
        # Listening sockets come first; thousands of closed ones may follow.
        listening = itertools.takewhile(lambda row: row[3] == "0A", map(str.split, table))
        return any(row[1].endswith(f":{address:04X}") for row in listening)


def wait_for_listener(child, family_name, address):
    deadline = time.monotonic() + 20
    while not listens(family_name, address):
        if child.ended() or time.monotonic() > deadline:
            raise Failure(f"does not listen (status {child.status})")
        time.sleep(0.001)  # do not use the CPU


def queued(port):
    """Bytes that wait in the UDP sockets of a port."""
    return sum(int(row[4].split(":")[1], 16) for row in rows_of_port("udp", port))


def written(pid):
    """Bytes that a process has written so far with write(2) and the like."""
    with open(f"/proc/{pid}/io", encoding="ascii") as account:
        return next(int(line.split()[1]) for line in account if line.startswith("wchar"))
