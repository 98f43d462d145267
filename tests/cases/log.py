"""How many lines clients can cause, and the count of those that are left out."""
import contextlib
import fcntl
import os
import re
import signal
import socket
import subprocess
import time

from drive import Cat, check, dial, in_pipe, main, reset, to_end, udp, until, waits


def suppressed(text):
    return sum(map(int, re.findall(r'^sockcat: (?:\(.*\) )?(\d+) messages suppressed$', text, re.M)))


def lines(text, pattern):
    return len(re.findall(r'^sockcat: (?:\[\d+\] )?(?:' + pattern + ')', text, re.M))


# A burst, then the steady rate, with one line about the suppressed ones.
def bound(began):
    return 100 + 21 * (time.monotonic() - began + 1)


def bad_frames():
    began = time.monotonic()
    cat = Cat('-l', '-k', '-d', '-v', '--frame', 'u32be', '--max-accepts', '10000', '127.0.0.1', '0')
    for _ in range(10000):
        s = dial(cat)
        s.sendall(b'\xff\xff\xff\xff')
        s.close()
    cat.end(104)
    text = cat.errors()
    events = lines(text, 'connection from|closed|receive from')
    check(events + suppressed(text), 30000, text[-1000:])
    check(events <= bound(began), True, str(events))
    check(len(text.splitlines()) <= bound(began) + 3, True, text[-1000:])
    check(text.splitlines()[-1], 'sockcat: listen: 10000 of 10000 connections failed')


def denied():
    began = time.monotonic()
    cat = Cat('-l', '-k', '-d', '-v', '--deny', '127.0.0.2', '127.0.0.1', '0')
    for _ in range(1000):
        with contextlib.suppress(ConnectionResetError):
            dial(cat, source='127.0.0.2').close()
    until(lambda: lines(cat.errors(), 'rejected') + suppressed(cat.errors()) == 1000,
          'the count, though nothing happens any more')
    check(lines(cat.errors(), 'rejected') <= bound(began), True)
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    check('sockcat: 1000 clients rejected by access lists' in cat.errors(), True)


def evicted_peers():
    # The first has begun to fill standard output, which is not read.
    r, w = os.pipe()
    began = time.monotonic()
    cat = Cat('-l', '-u', '-k', '-d', '--max-conns', '2', '127.0.0.1', '0', stdout=w)
    first, sent = udp(), 0
    while sent == in_pipe(r):
        first.sendto(bytes(60000), cat.address())
        sent += 60000
        until(lambda: in_pipe(r) > sent - 60000, 'some of it')
    peers = [udp() for _ in range(400)]
    for peer in peers:
        peer.sendto(b'lost', cat.address())
        until(lambda: not waits(int(cat.where)), 'the next peer')
    cat.rest()
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    text = cat.errors()
    check(lines(text, 'closed [^ ]+ to make room') + suppressed(text) >= 399, True, text[-1000:])
    check(lines(text, 'closed [^ ]+ to make room') <= bound(began), True, text[-1000:])


def never_suppressed():
    cat = Cat('-l', '-k', '-d', '-vv', '127.0.0.1', '0')
    for _ in range(500):
        reset(dial(cat))
    until(lambda: lines(cat.errors(), 'receive from') == 500, 'a line for each')
    check(suppressed(cat.errors()), 0)
    cat = Cat('-l', '-k', '-d', '--max-conns', '200', '127.0.0.1', '0')
    for _ in range(500):
        reset(dial(cat))
    clients = [dial(cat) for _ in range(150)]
    def report():
        before = len(cat.errors())
        cat.send(signal.SIGUSR1)
        until(lambda: 'clients, ' in cat.errors()[before:], 'the report')
        cat.rest()
        return cat.errors()[before:]
    text = until(lambda: (seen := report()) and '150 clients, ' in seen and seen, 'all to be in')
    check('650 in all, 500 failed' in text, True, text)
    check(lines(text, 'session 127'), 150)
    check(lines(cat.errors(), 'receive from') + suppressed(cat.errors()), 500)


def counted_at_the_end():
    r, w = os.pipe()
    size = fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 4096)
    os.write(w, b'-' * size)
    cat = Cat('-l', '-k', '-d', '--frame', 'u8', '--max-accepts', '300', '127.0.0.1', '0', stderr=w)
    os.close(w)
    def fail():
        s = dial(cat)
        s.sendall(b'\x02')
        s.shutdown(socket.SHUT_WR)
        return s
    for _ in range(299):
        with contextlib.suppress(ConnectionResetError):
            to_end(fail())
    os.read(r, size)
    fail()
    text = b''
    while part := os.read(r, 65536):
        text += part
    cat.end(104)
    text = text.decode()
    dropped = sum(map(int, re.findall(r'\((\d+) lines dropped\)', text)))
    # One of these is the ready line.
    check(dropped - 1 + lines(text, 'receive from') + suppressed(text), 300, text)
    check(text.splitlines()[-1], 'sockcat: listen: 300 of 300 connections failed')


def no_descriptor():
    cat = Cat('-l', '-k', '-d', '127.0.0.1', '0')
    cat.rest()
    most = max(int(fd) for fd in os.listdir('/proc/%d/fd' % cat.pid)) + 1
    subprocess.run(['prlimit', '--pid', str(cat.pid), '--nofile=%d' % most], check=True)
    began = time.monotonic()
    clients = [dial(cat) for _ in range(3)]
    until(lambda: cat.errors().count('trying again') >= 2, 'two lines')
    check(time.monotonic() - began >= 1, True)


if __name__ == '__main__':
    main()
