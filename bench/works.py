"""Do a work once with one tool: return its figures, or raise host.Failure."""
import os
import signal
import socket
import subprocess
import time

import host
import tools

DEVNULL = os.open(os.devnull, os.O_RDWR)


class Bench:
    """The programs, files and sizes of the works."""

    def __init__(self, folder, programs, size, turns, starts):
        self.folder = folder
        self.programs = programs  # sockcat, limit, drive, and this folder: paths
        self.size = size
        self.turns = turns
        self.starts = starts
        self.checking = False
        self.file = self.path("file")
        self.messages = os.open(self.path("messages"), os.O_RDWR | os.O_CREAT | os.O_APPEND)
        with open(self.file, "wb") as out:
            for begin in range(0, size, 1 << 20):
                out.write(os.urandom(min(1 << 20, size - begin)))

    def path(self, name):
        return os.path.join(self.folder, name)

    def check(self, work, tool, way):
        """Do a work untimed and compare the data byte by byte; also a warm-up."""
        if work.kind == "udp":
            self.lengths(work, tool, way)
            return
        self.checking = True
        try:
            self.run(work, tool, way)
        finally:
            self.checking = False

    def run(self, work, tool, way):
        """Do a work; a Failure contains the last message of the tool."""
        os.ftruncate(self.messages, 0)
        do = {"stream": self.stream, "both": self.both, "udp": self.datagrams,
              "frames": self.lines, "ring": self.lines, "turns": self.latency, "start": self.start}[work.kind]
        try:
            return do(work, tool, way)
        except host.Failure as failure:
            said = os.pread(self.messages, 4096, 0).decode(errors="replace").strip()
            last = said.splitlines()[-1:] or ["no message"]
            raise host.Failure(f"{failure}: {last[0]}") from None

    # Parts of a work.

    def spawn(self, children, words, stdin=DEVNULL, stdout=DEVNULL):
        child = host.Child(words, stdin, stdout, self.messages)
        children.append(child)
        return child

    def measured(self, children, name, words, stdin=DEVNULL, stdout=DEVNULL):
        """Start a tool whose memory and CPU time are written to the file NAME."""
        words = [self.programs["drive"], "measure", self.path(name)] + words
        return self.spawn(children, words, stdin, stdout)

    def figures(self, name, what):
        with open(self.path(name), encoding="ascii") as result:
            lines = result.read().split()
        cpu, peak, wrote = lines[1:4]
        return {f"cpu {what}": float(cpu), f"memory {what}": int(peak) / 1024}, int(wrote)

    def words(self, tool, part, way=("", ""), **values):
        return tools.command(tool, part, **self.programs, **{
            "in": way[1], "out": way[0], "bytes": self.size, **values})

    def address(self, family):
        if family == "tcp":
            return {"port": host.free_port()}
        path = self.path("socket")
        if os.path.exists(path):
            os.unlink(path)  # some leave it behind
        return {"path": path}

    def compare(self, copy, file=None):
        file = file or self.file
        if subprocess.run(["cmp", "-s", file, copy], check=False).returncode != 0:
            raise host.Failure(f"a wrong copy ({os.path.getsize(copy)} of "
                               f"{os.path.getsize(file)} bytes)")
        os.unlink(copy)

    # The works.

    def stream(self, work, tool, way):
        address = self.address(work.family)
        copy = self.path("copy")
        with host.family() as children:
            sink = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            if work.sink == "null" and not self.checking:
                os.dup2(DEVNULL, sink, inheritable=False)
            elif work.sink == "pipe":
                file = sink
                outlet, sink = os.pipe()
                self.spawn(children, ["cat"] if self.checking else [
                    self.programs["drive"], "count", str(self.size)], outlet, file)
                os.close(outlet)
                os.close(file)
            receiver = self.measured(children, "receiver", self.words(
                tool, f"{work.family} receive", way, **address), DEVNULL, sink)
            os.close(sink)
            host.wait_for_listener(receiver, work.family, next(iter(address.values())))

            began = time.monotonic()
            source = os.open(self.file, os.O_RDONLY)
            if work.source == "pipe":
                file = source
                source, inlet = os.pipe()
                self.spawn(children, ["cat"], file, inlet)
                os.close(file)
                os.close(inlet)
            self.measured(children, "sender", self.words(
                tool, f"{work.family} send", way, **address), source)
            os.close(source)
            host.wait_all(children)
            took = time.monotonic() - began
        sender, _ = self.figures("sender", "send")
        figures, wrote = self.figures("receiver", "receive")
        # Spliced bytes are not in this count; the exit status has to suffice.
        if tool not in (tools.OURS, tools.PROBE) and wrote < self.size:
            raise host.Failure(f"{wrote} of {self.size} bytes arrived")
        if work.sink == "file" or self.checking:
            self.compare(copy)
        return {"rate": self.size / took / 1e9, **sender, **figures}

    def both(self, _work, tool, way):
        address = self.address("tcp")
        with host.family() as children:
            began = time.monotonic()
            for side in ("listen", "connect"):
                source = os.open(self.file, os.O_RDONLY)
                sink = os.open(self.path("copy " + side), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                child = self.measured(children, side, self.words(
                    tool, "tcp both " + side, way, **address), source, sink)
                os.close(source)
                os.close(sink)
                if side == "listen":
                    host.wait_for_listener(child, "tcp", address["port"])
                    began = time.monotonic()
            host.wait_all(children)
            took = time.monotonic() - began
        # The client is the sender here.
        figures = {**self.figures("connect", "send")[0], **self.figures("listen", "receive")[0]}
        for side in ("listen", "connect"):
            self.compare(self.path("copy " + side))
        return {"rate": 2 * self.size / took / 1e9, **figures}

    def whole(self, length):
        """A file of whole datagrams, and how many; few enough for the slow ones to finish."""
        count = min(self.size // length, 2_000_000)
        path = self.path(f"datagrams of {length}")
        if not os.path.exists(path):
            with open(self.file, "rb") as file, open(path, "wb") as out:
                os.sendfile(out.fileno(), file.fileno(), 0, count * length)
        return path, count

    def whole_lines(self, work):
        """A file of lines, LF only at their ends, and how many."""
        span = work.length + 1
        count = min(max(1, self.size // span), work.count)
        path = self.path(f"{count} lines of {work.length}")
        if not os.path.exists(path):
            no_ends = bytes.maketrans(b"\n", b"\r")
            with open(path, "wb") as out:
                for begin in range(0, count, 10_000):
                    data = bytearray(os.urandom(
                        min(10_000, count - begin) * span).translate(no_ends))
                    data[work.length::span] = b"\n" * (len(data) // span)
                    out.write(data)
        return path, count

    def lines(self, work, tool, way):
        """Lines are framed on the wire and unframed; or sent unchanged."""
        path, count = self.whole_lines(work)
        size = os.path.getsize(path)
        values = {"port": host.free_port(), "bytes": size}
        copy = self.path("copy")
        with host.family() as children, open(path, "rb") as source, open(copy, "wb") as sink:
            receiver = self.measured(children, "receiver", self.words(
                tool, f"{work.kind} receive", way, **values),
                stdout=sink.fileno() if self.checking else DEVNULL)
            host.wait_for_listener(receiver, "tcp", values["port"])

            began = time.monotonic()
            self.measured(children, "sender", self.words(
                tool, f"{work.kind} send", way, **values), source.fileno())
            host.wait_all(children)
            took = time.monotonic() - began
        if self.checking:
            self.compare(copy, path)
        sender, _ = self.figures("sender", "send")
        receiver, wrote = self.figures("receiver", "receive")
        # In a pipeline the frames are written, too.
        wanted = size if tool in (tools.OURS, tools.PROBE) else size + count * (4 + work.length)
        if wrote != wanted:
            raise host.Failure(f"{wrote} of {wanted} bytes were written")
        busy = sender["cpu send"], receiver["cpu receive"]
        return {"rate": count / took / 1e3, "payload": count * work.length / took / 1e6,
                "core": count / max(busy) / 1e3, "each": sum(busy) / count * 1e9,
                **sender, **receiver}

    def send_datagrams(self, children, tool, way, file, port, length):
        """Start the sender, with the feeder that some tools need; return the processes to wait for."""
        words = self.words(tool, "udp send", way, port=port, length=length)
        if tool not in tools.FED:
            return [self.measured(children, "sender", words, file.fileno())]
        feed, fed = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with feed, fed:
            return [self.spawn(children, [self.programs["drive"], "feed", str(length)],
                               file.fileno(), feed.fileno()),
                    self.measured(children, "sender", words, fed.fileno())]

    def lengths(self, work, tool, way):
        """Check the boundaries of datagrams, which byte counts do not show."""
        count = 20  # fits into the socket buffer
        path = self.path("few")
        with open(self.file, "rb") as file, open(path, "wb") as out:
            data = file.read(count * work.length)
            out.write(data)
        got = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, host.family() as children:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            s.bind(("127.0.0.1", 0))
            s.setblocking(False)
            with open(path, "rb") as file:
                host.wait_all(self.send_datagrams(children, tool, way, file, s.getsockname()[1],
                                                  work.length))
            # On loopback sent datagrams have arrived.
            try:
                while True:
                    got.append(s.recv(65536))
            except BlockingIOError:
                pass
        wrong = sorted({len(each) for each in got} - {work.length})
        if wrong:
            raise host.Failure(f"datagrams of {', '.join(map(str, wrong))} bytes")
        if b"".join(got) != data:
            raise host.Failure(f"a wrong copy ({len(got)} of {count} datagrams)")

    def datagrams(self, work, tool, way):
        path, count = self.whole(work.length)
        port = host.free_port(socket.SOCK_DGRAM)
        with host.family() as children, open(path, "rb") as file:
            receiver = self.measured(children, "receiver", self.words(
                tool, "udp receive", way, port=port))
            host.wait_for_listener(receiver, "udp", port)
            with open(self.path("receiver"), encoding="ascii") as result:
                pid = int(result.readline())

            began = time.monotonic()
            senders = self.send_datagrams(children, tool, way, file, port, work.length)
            host.wait_all(senders)
            sent = time.monotonic() - began
            # All datagrams have been received when the queue is empty and nothing more is written.
            wrote, last, quiet = host.written(pid), time.monotonic(), 0
            while quiet < 5:
                time.sleep(0.002)
                now = host.written(pid)
                if now != wrote or host.queued(port) > 0:
                    wrote, last, quiet = now, time.monotonic(), 0
                else:
                    quiet += 1
            if receiver.ended():
                raise host.Failure(f"the receiver ended with status {receiver.status}")
            os.kill(receiver.pid, signal.SIGTERM)
            receiver.ended(5000)
        if wrote % work.length != 0 or wrote > count * work.length:
            raise host.Failure(f"{wrote} bytes are no datagrams of {work.length}")
        got = wrote // work.length
        return {"sent": count / sent / 1e6, "received": got / (last - began) / 1e6,
                "share": 100 * got / count, **self.figures("sender", "send")[0],
                **self.figures("receiver", "receive")[0]}

    def driven(self, children, words):
        """Run the driver; return the numbers that it prints."""
        with open(self.path("driven"), "w+b") as out:
            host.wait_all([self.spawn(children, [self.programs["drive"]] + words, DEVNULL,
                                      out.fileno())])
            out.seek(0)
            return [float(word) for word in out.read().split()]

    def latency(self, work, tool, way):
        port = host.free_port()
        with host.family() as children:
            echo = self.spawn(children, [self.programs["limit"], "echo", str(port)])
            host.wait_for_listener(echo, "tcp", port)
            median, late = self.driven(children, [
                "turns", str(self.turns), str(work.length), self.programs["drive"], "measure",
                self.path("sender")] + self.words(tool, "turns", way, port=port,
                                                  length=work.length))
        return {"p50": median / 1000, "p99": late / 1000, **self.figures("sender", "send")[0]}

    def start(self, _work, tool, way):
        with host.family() as children:
            return {"ms": self.driven(children, [
                "starts", str(self.starts)] + self.words(tool, "start", way))[0]}
