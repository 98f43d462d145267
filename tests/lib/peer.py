#!/usr/bin/env python3
"""A scripted peer for the tests: it listens or connects, then takes its steps in order.

    peer.py [--listen WHAT | --connect WHERE] [--bind LOCAL] [--ready-fd N] STEP...
    peer.py --random SEED N          the bytes of sendrand:SEED:N, on standard output

WHAT   tcp (default), tcp6, udp, udp6 (loopback, a free port), unix:PATH, unixdgram:PATH,
       seqpacket:PATH
WHERE  tcp:HOST:PORT, udp:HOST:PORT, unix:PATH, unixdgram:PATH, seqpacket:PATH
PATH   @NAME is an abstract name.  LOCAL: PATH, or HOST:PORT for tcp and udp

A listener prints its port, or "ready" for a path, as the first line, once it can be reached;
the steps are taken with the first client, or the sender of the first datagram.

Steps  (TEXT with C escapes; every received byte is counted and digested)
  send:TEXT sendrand:SEED:N sendfile:PATH   one datagram each on a message socket
  slice:N            from now on send pieces of at most N bytes, each in its own segment
  oob:X  fds:N       one urgent byte; one byte with N open descriptors
  recv:N  recvall  expect:TEXT  recvdgram   N bytes; all until the end; exactly TEXT; one datagram
  recvquiet:SECONDS  datagrams until none arrives for SECONDS
  slow:N:SECONDS     N bytes every SECONDS, until the end
  both:SEED:N        receive all while sending N random bytes and the end of sending
  echo               echo until the end, then shut down
  shutwr shutrd close reset                 reset: close such that the other side gets a RST
  accept             go on with the next client; the one before is closed
  wait:SECONDS  waitfor:PATH  touch:PATH    waitfor: until the file exists
  rcvbuf:N sndbuf:N nodelay                 in front of all others: before listening, connecting
  sha256  count      print the digest, the number, of all bytes received so far
A "!" after the step's name (recvall!, send!:TEXT): a lost connection prints "reset" and is fine.

Status 0: all steps were taken.  1: one failed, told on standard error.  2: the time was up
(60 s, or the seconds in the variable PEER_LIMIT), or the command line is wrong.
"""
import errno
import os
import signal
import socket
import struct
import sys
import time

# A test waits for this program to start: modules that few peers need are imported where they are used.

CHUNK = 65536  # a multiple of 4, so that pieces of random bytes equal one large draw


class Failed(Exception):
    """A step that did not do what it says."""


def random_pieces(seed, count):
    import random
    source = random.Random(int(seed))
    left = int(count)
    while left > 0:
        piece = source.randbytes(min(left, CHUNK))
        left -= len(piece)
        yield piece


def unescape(text):
    if '\\' not in text:
        return os.fsencode(text)
    import re
    simple = {b'n': b'\n', b'r': b'\r', b't': b'\t', b'a': b'\a', b'b': b'\b', b'f': b'\f',
              b'v': b'\v', b'e': b'\x1b', b'\\': b'\\', b'"': b'"', b"'": b"'"}

    def one(match):
        code = match.group(1)
        if code[:1] == b'x':
            return bytes([int(code[1:], 16)])
        return bytes([int(code, 8) & 255]) if code.isdigit() else simple[code]

    return re.sub(rb'\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[nrtabfve\\"\'])', one, os.fsencode(text))


def say(text):
    print(text, flush=True)


class Peer:
    def __init__(self, digest):
        self.listener = self.conn = self.peer = None
        self.digest, self.received, self.slicing = digest, 0, 0
        self.stream = True

    # -- the connection --

    def make(self, kind, where):
        """Make a socket of this kind; return it with the address that where stands for."""
        if kind in ('unix', 'unixdgram', 'seqpacket'):
            types = {'unix': socket.SOCK_STREAM, 'unixdgram': socket.SOCK_DGRAM,
                     'seqpacket': socket.SOCK_SEQPACKET}
            self.stream = kind == 'unix'
            sock = socket.socket(socket.AF_UNIX, types[kind])
            return sock, '\0' + where[1:] if where.startswith('@') else where
        if kind not in ('tcp', 'tcp6', 'udp', 'udp6'):
            raise Failed('unknown kind of socket')
        self.stream = kind.startswith('tcp')
        host, _, port = where.rpartition(':')
        found = socket.getaddrinfo(host.strip('[]'), int(port), type=socket.SOCK_STREAM
                                   if self.stream else socket.SOCK_DGRAM)[0]
        return socket.socket(*found[:3]), found[4]

    def open_listener(self, what, early, ready_fd):
        kind, _, path = what.partition(':')
        loopback = '[::1]:0' if kind.endswith('6') else '127.0.0.1:0'
        self.listener, address = self.make(kind, path or loopback)
        self.conn = self.listener
        for name, args in early:
            self.step(name, args)
        if self.stream and not path:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(address)
        if self.listener.type != socket.SOCK_DGRAM:
            self.listener.listen(16)
        line = 'ready' if path else str(self.listener.getsockname()[1])
        say(line)
        if ready_fd is not None:
            os.write(ready_fd, line.encode() + b'\n')
            os.close(ready_fd)
        if self.listener.type != socket.SOCK_DGRAM:
            self.conn, _ = self.listener.accept()

    def open_client(self, where, local, early):
        kind, _, rest = where.partition(':')
        self.conn, address = self.make(kind, rest)
        for name, args in early:
            self.step(name, args)
        if local is not None:
            probe, local_address = self.make(kind, local)
            probe.close()
            self.conn.bind(local_address)
        self.conn.connect(address)

    # -- sending and receiving --

    def put(self, data):
        pieces = [data]
        if self.slicing:
            pieces = [data[i:i + self.slicing] for i in range(0, len(data), self.slicing)]
        for piece in pieces:
            if self.stream:
                self.conn.sendall(piece)
            elif self.conn is not self.listener:
                self.conn.send(piece)
            elif not self.peer:
                raise Failed('no datagram came yet, or its sender has no address')
            else:
                self.conn.sendto(piece, self.peer)

    def get(self, most=CHUNK):
        data, _, flags, sender = self.conn.recvmsg(most)
        if flags & socket.MSG_TRUNC:
            raise Failed('a datagram was cut')
        if self.peer is None and self.conn is self.listener:
            self.peer = sender
        if self.digest:
            self.digest.update(data)
        self.received += len(data)
        return data

    def get_exactly(self, count):
        data = b''
        while len(data) < count:
            piece = self.get(count - len(data) if self.stream else CHUNK)
            if not piece and self.conn.type != socket.SOCK_DGRAM:
                raise Failed('the end came after %d of %d bytes' % (len(data), count))
            data += piece
        return data

    def get_all(self):
        if self.conn.type == socket.SOCK_DGRAM:
            raise Failed('datagrams have no end')
        while self.get():
            pass

    # -- the steps that take more than a line --

    def do_sendrand(self, seed, count):
        for piece in random_pieces(seed, count):
            self.put(piece)

    def do_sendfile(self, path):
        with open(path, 'rb') as file:
            for piece in iter(lambda: file.read(CHUNK if self.stream else -1), b''):
                self.put(piece)

    def do_slice(self, size):
        self.slicing = int(size)
        if self.conn.family != socket.AF_UNIX and self.stream:
            self.conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_fds(self, count):
        fds = [os.open('/dev/null', os.O_RDONLY) for _ in range(int(count))]
        socket.send_fds(self.conn, [b'.'], fds)
        for fd in fds:
            os.close(fd)

    def do_recvquiet(self, seconds):
        self.conn.settimeout(float(seconds))
        try:
            while True:
                self.get()
        except socket.timeout:
            self.conn.settimeout(None)

    def do_expect(self, text=''):
        wanted = unescape(text)
        got = self.get_exactly(len(wanted)) if self.stream else self.get()
        if got != wanted:
            raise Failed('got %r' % got)

    def do_slow(self, size, seconds):
        while self.get(int(size)):
            time.sleep(float(seconds))

    def do_both(self, seed, count):
        import threading
        errors = []

        def sender():
            try:
                self.do_sendrand(seed, count)
                self.conn.shutdown(socket.SHUT_WR)
            except (OSError, Failed) as error:
                errors.append(error)

        thread = threading.Thread(target=sender, daemon=True)
        thread.start()
        self.get_all()
        thread.join()
        if errors:
            raise errors[0]

    def do_echo(self):
        while True:
            data = self.get()
            if not data and self.conn.type != socket.SOCK_DGRAM:
                break
            self.put(data)
        self.conn.shutdown(socket.SHUT_WR)

    def do_reset(self):
        self.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.conn.close()

    def do_accept(self):
        self.conn.close()
        self.conn, _ = self.listener.accept()

    def do_waitfor(self, path):
        while not os.path.lexists(path):
            time.sleep(0.005)

    def step(self, name, args):
        try:
            STEPS[name.rstrip('!')](self, *args)
        except OSError as error:
            # Which of them it is depends on when the reset comes.
            resets = (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN)
            if error.errno not in resets or not name.endswith('!'):
                raise
            say('reset')


STEPS = {name[3:]: method for name, method in vars(Peer).items() if name.startswith('do_')}
STEPS.update({
    'send': lambda p, text='': p.put(unescape(text)),
    'oob': lambda p, text: p.conn.send(unescape(text)[:1], socket.MSG_OOB),
    'recv': lambda p, count: p.get_exactly(int(count)),
    'recvall': lambda p: p.get_all(),
    'recvdgram': lambda p: p.get(),
    'shutwr': lambda p: p.conn.shutdown(socket.SHUT_WR),
    'shutrd': lambda p: p.conn.shutdown(socket.SHUT_RD),
    'close': lambda p: p.conn.close(),
    'wait': lambda p, seconds: time.sleep(float(seconds)),
    'touch': lambda p, path: open(path, 'ab').close(),
    'rcvbuf': lambda p, n: p.conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, int(n)),
    'sndbuf': lambda p, n: p.conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, int(n)),
    'nodelay': lambda p: p.conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    'sha256': lambda p: say(p.digest.hexdigest()),
    'count': lambda p: say(p.received),
})


def parse_step(text):
    """Split STEP into name and arguments; only numbers are split at further colons."""
    name, colon, rest = text.partition(':')
    plain = name.rstrip('!')
    if plain not in STEPS:
        raise ValueError('unknown step: ' + text)
    return name, (rest.split(':') if plain in ('sendrand', 'slow', 'both') else [rest]
                  ) if colon else []


def time_is_up(*_):
    os.write(2, b'peer.py: the time is up\n')
    os._exit(2)


def parse(words):
    """The options, and the steps."""
    options, words = {'--listen': 'tcp'}, list(words)
    while words and words[0].startswith('--'):
        name = words.pop(0)
        if name not in ('--listen', '--connect', '--bind', '--ready-fd') or not words:
            raise ValueError('unknown or incomplete option: ' + name)
        options[name] = words.pop(0)
    return options, [parse_step(word) for word in words]


def main():
    if sys.argv[1:2] == ['--random']:
        for piece in random_pieces(*sys.argv[2:]):
            sys.stdout.buffer.write(piece)
        return 0
    signal.signal(signal.SIGALRM, time_is_up)
    signal.setitimer(signal.ITIMER_REAL, float(os.environ.get('PEER_LIMIT', '60')))
    digest, early = None, []
    try:
        options, steps = parse(sys.argv[1:])
    except ValueError as error:
        print('peer.py: %s' % error, file=sys.stderr)
        return 2
    if any(name == 'sha256' for name, _ in steps):
        import hashlib
        digest = hashlib.sha256()
    peer = Peer(digest)
    while steps and steps[0][0] in ('rcvbuf', 'sndbuf', 'nodelay'):
        early.append(steps.pop(0))
    connect, ready = options.get('--connect'), options.get('--ready-fd')
    now = connect or options['--listen']
    try:
        if connect:
            peer.open_client(connect, options.get('--bind'), early)
        else:
            peer.open_listener(options['--listen'], early, int(ready) if ready else None)
        for name, args in steps:
            now = ':'.join([name] + args)
            peer.step(name, args)
    except (OSError, Failed, ValueError, TypeError) as error:
        print('peer.py: %.200s: %s' % (now, error), file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
