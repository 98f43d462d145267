"""Capture files that several sessions share, and whose reader is late, slow or gone.

capture.py CASE [ARG...], with the helper's drive. The FIFO of a case is T/fifo.
"""
import os
import re
import signal
import socket
import threading
import time

from drive import (
    accept, Cat, check, dial, exactly, in_pipe, LIMIT, main, pour, reset, T, taken, tcp, to_end,
    udp, until)

FIFO = T + '/fifo'


class Reader:
    """A reader of the FIFO that takes nothing before start; 'taken' then holds what it reads."""

    def __init__(self):
        os.mkfifo(FIFO)
        self.fd = os.open(FIFO, os.O_RDONLY | os.O_NONBLOCK)
        self.taken = b''

    def start(self):
        os.set_blocking(self.fd, True)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while part := os.read(self.fd, 65536):
            self.taken += part

    def end(self):
        self.thread.join(LIMIT)
        check(self.thread.is_alive(), False, 'the FIFO has no end')
        return self.taken


def exchange(client, data, got):
    """Send the data while the echo is read."""
    sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)), daemon=True)
    sender.start()
    try:
        got.append(to_end(client))
    except OSError as error:
        got.append(repr(error).encode())


def clients(cat, data):
    """A client for each of the data: its thread, and the list for its echo."""
    started = []
    for part in data:
        got = []
        thread = threading.Thread(target=exchange, args=(dial(cat), part, got), daemon=True)
        thread.start()
        started.append((thread, got))
    return started


def join(started, data):
    for (thread, got), part in zip(started, data):
        thread.join(LIMIT)
        check(thread.is_alive(), False, 'a client waits for ever')
        check(got[0] == part, True, 'an echo is not what was sent: %r' % got[0][:40])


def stall(cat):
    """Wait until it does nothing: the FIFO takes no more."""
    def idle():
        before = cat.ticks()
        time.sleep(0.3)
        return cat.ticks() == before and cat.state() == 'S'
    until(idle, 'a stall')


def complaints(cat):
    """Its lines of error."""
    return [line for line in cat.errors().splitlines() if 'listening on' not in line]


def shared(option, count='3', size='200000', *options):
    """All clients wait for the FIFO, and all go on when its reader starts."""
    count, size = int(count), int(size)
    reader = Reader()
    cat = Cat('-l', '-k', '--echo', option, FIFO, '--max-accepts', str(count), *options, '127.0.0.1', '0')
    data = [bytes([65 + i]) * size for i in range(count)]
    started = clients(cat, data)
    stall(cat)
    reader.start()
    join(started, data)
    cat.end()
    check(complaints(cat), [])
    got = reader.end()
    if option == '--output':
        for part in data:
            check(got.count(part[:1]), 2 * size)
    else:
        for part in data:
            check(got.count(b' %02x' % part[0]), 2 * size)


def both():
    """Two files, of which one is read late: each holds all."""
    reader = Reader()
    cat = Cat('-l', '-k', '--echo', '-o', FIFO, '--output', T + '/file', '--max-accepts', '2', '127.0.0.1', '0')
    data = [b'a' * 500_000, b'b' * 500_000]
    started = clients(cat, data)
    stall(cat)
    reader.start()
    join(started, data)
    cat.end()
    reader.end()
    with open(T + '/file', 'rb') as file:
        got = file.read()
    check([got.count(b'a'), got.count(b'b')], [1_000_000, 1_000_000])


def datagrams():
    """The peers of a datagram socket share the file, too."""
    reader = Reader()
    cat = Cat('-l', '-u', '-k', '--echo', '-o', FIFO, '--idle-timeout', '30', '127.0.0.1', '0')
    peers = [udp() for _ in range(3)]
    rounds = 60
    answered = 0
    for number in range(rounds):
        for peer in peers:
            peer.sendto(b'%08d' % number * 400, cat.address())
            peer.settimeout(0.2 if number < 20 else 0)
    stall(cat)
    reader.start()
    for peer in peers:
        peer.settimeout(LIMIT)
        peer.sendto(b'last', cat.address())
        while peer.recv(65536) != b'last':
            answered += 1
    check(answered > 0, True)
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    reader.end()


def idle(option):
    """What was recorded is in the FIFO while the line is idle, also if it had no room at first."""
    reader = Reader()
    cat = Cat('-l', '--discard', option, FIFO, '127.0.0.1', '0')
    client = dial(cat)
    client.sendall(b'x' * 100_000)
    until(lambda: taken(client), 'the read of all')
    reader.start()
    until(lambda: reader.taken.count(b'x') >= 100_000 or reader.taken.count(b'78') >= 100_000,
          'the bytes in the FIFO')
    client.close()
    cat.end()
    reader.end()


def idle_program():
    """The same while only the program's end is waited for."""
    reader = Reader()
    cat = Cat('-l', '--exec-status', '--output', FIFO, '127.0.0.1', '0', '-c',
              'head -c 100000 /dev/zero; exec >&- <&-; until [ -e %s/go ]; do sleep 0.05; done' % T)
    client = dial(cat)
    client.shutdown(socket.SHUT_WR)
    check(len(to_end(client)), 100_000)
    client.close()
    reader.start()
    until(lambda: len(reader.taken) == 100_000, 'the bytes in the FIFO')
    open(T + '/go', 'w').close()
    cat.end()


def stops(option, *options):
    """A reader that stops for good: the file is given up, all clients' data go on."""
    Reader()
    many = '-k' in options
    extra = ['--max-accepts', '2'] if many else []
    cat = Cat('-l', *options, *extra, '--echo', '--linger', '0.5', option, FIFO, '127.0.0.1', '0')
    data = [b'a' * 1_000_000, b'b' * 1_000_000][:1 + many]
    started = clients(cat, data)
    join(started, data)
    cat.end(23)
    check(complaints(cat), ['sockcat: write %s: timed out after 1s; the session continues without it' % FIFO])


def stops_client():
    """The same for a client that sends and receives."""
    Reader()
    listener = tcp()
    with open(T + '/in', 'wb') as file:
        file.write(b'a' * 1_000_000)
    cat = Cat('--linger', '0.5', '--output', FIFO, '127.0.0.1', str(listener.getsockname()[1]), stdin=open(T + '/in'))
    peer = accept(listener)
    got = to_end(peer)
    peer.sendall(b'b' * 1_000_000)
    peer.close()
    check(len(got), 1_000_000)
    cat.end(23)
    check(cat.output() == b'b' * 1_000_000, True)
    check(len(cat.errors().splitlines()), 1, cat.errors())


def slow_is_not_stopped():
    """A reader that takes a little, again and again, is waited for."""
    reader = Reader()
    cat = Cat('-l', '--discard', '--linger', '0.5', '--output', FIFO, '127.0.0.1', '0')
    client = dial(cat)
    sender = threading.Thread(target=lambda: (client.sendall(b'x' * 1_500_000), client.shutdown(socket.SHUT_WR)),
                              daemon=True)
    sender.start()
    os.set_blocking(reader.fd, True)
    total = 0
    while part := os.read(reader.fd, 65536):
        total += len(part)
        time.sleep(0.15)
    check(total, 1_500_000)
    cat.end()


def interrupted():
    """A signal ends a session that waits for the file; what was read is still sent."""
    Reader()
    listener = tcp()
    r, w = os.pipe()
    cat = Cat('-v', '--output', FIFO, '127.0.0.1', str(listener.getsockname()[1]), stdin=r)
    peer = accept(listener)

    def read():
        try:
            to_end(peer)
        except ConnectionResetError:
            pass

    threading.Thread(target=read, daemon=True).start()
    os.set_blocking(w, False)
    written = idle = 0
    while idle < 50:
        try:
            written += os.write(w, b'x' * 65536)
            idle = 0
        except BlockingIOError:
            idle += 1
            time.sleep(0.01)
    stall(cat)
    wanted = written - in_pipe(r)
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    check(re.findall(r'(\d+) bytes sent', cat.errors()), [str(wanted)])


def interrupted_listener():
    """The same for the sessions of a listener."""
    Reader()
    cat = Cat('-l', '-k', '--echo', '--output', FIFO, '127.0.0.1', '0')
    client = dial(cat)
    pour(client, 3_000_000)
    stall(cat)
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def failing(*options):
    """A client that resets while the file is full: the file's failure is the listener's."""
    cat = Cat('-l', '-k', *options, '--output', '/dev/full', '127.0.0.1', '0')
    client = dial(cat)
    cat.stop()
    client.sendall(b'0123456789')
    reset(client)
    cat.go()
    cat.end(23)
    check('write /dev/full: No space left on device' in cat.errors(), True, cat.errors())


def failing_beside():
    """The other clients of the listener finish, and no new one is accepted."""
    cat = Cat('-l', '-k', '--echo', '--output', '/dev/full', '127.0.0.1', '0')
    first, second = dial(cat), dial(cat)
    first.sendall(b'x')
    check(exactly(first, 1), b'x')
    until(lambda: 'No space left' in cat.errors(), 'the message')
    second.sendall(b'y' * 500_000)
    check(len(exactly(second, 500_000)), 500_000)
    reset(first)
    second.shutdown(socket.SHUT_WR)
    check(to_end(second), b'')
    cat.end(23)


def resets(*options):
    """A client that resets ends no listener."""
    cat = Cat('-l', '-k', '--max-accepts', '2', *options, '127.0.0.1', '0')
    client = dial(cat)
    cat.stop()
    client.sendall(b'0123456789')
    reset(client)
    cat.go()
    until(lambda: 'reset' in cat.errors(), 'the message')
    client = dial(cat)
    client.sendall(b'x')
    client.shutdown(socket.SHUT_WR)
    to_end(client)
    cat.end(104)


if __name__ == '__main__':
    main()
