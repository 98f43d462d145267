"""Retries of connecting."""
import re
import signal
import socket
import subprocess
import time

from drive import Cat, check, LIMIT, main, shim, T, until

RETRY = re.compile(r'^sockcat: (connect|resolve) .*: [A-Z].*; retry \d+ in ([\d.]+)ms$', re.M)


def bound(listens=False):
    """A socket that has a port, and refuses connections until it listens."""
    s = socket.socket()
    s.settimeout(LIMIT)
    s.bind(('127.0.0.1', 0))
    if listens:
        s.listen()
    return s


def retries(cat, count):
    """Wait until that many retries were reported; return their delays in milliseconds."""
    until(lambda: len(RETRY.findall(cat.errors())) >= count, 'retries: ' + cat.errors())
    return [float(delay) for _, delay in RETRY.findall(cat.errors())]


def late():
    """A server that comes later gets everything once, and its answer is output."""
    there = bound()
    cat = Cat('-v', '--retry', '--retry-delay', '20ms', '127.0.0.1', str(there.getsockname()[1]),
              stdin=subprocess.PIPE)
    cat.write(b'hello\n')
    cat.process.stdin.close()
    check(set(retries(cat, 3)), {20.0})
    there.listen()
    peer = there.accept()[0]
    peer.settimeout(LIMIT)
    check(peer.recv(100), b'hello\n')
    check(peer.recv(100), b'')
    peer.sendall(b'answer\n')
    peer.close()
    cat.end(0)
    check(cat.output(), b'answer\n')
    check('connected to 127.0.0.1' in cat.errors(), True, cat.errors())
    check('attempt' in cat.errors(), False, cat.errors())


def late_path():
    """A Unix socket that does not exist yet."""
    cat = Cat('-v', '-U', '--retry', '--retry-delay', '20ms', T + '/later')
    retries(cat, 2)
    there = socket.socket(socket.AF_UNIX)
    there.settimeout(LIMIT)
    there.bind(T + '/later')
    there.listen()
    there.accept()[0].close()
    cat.end(0)
    check('No such file or directory; retry 1' in cat.errors(), True, cat.errors())


def grows():
    """The delays double from 250 ms, and are shortened by up to a half."""
    there = bound()
    cat = Cat('-v', '--retry=3', '127.0.0.1', str(there.getsockname()[1]))
    cat.end(7)
    delays = retries(cat, 3)
    for delay, full in zip(delays, (250, 500, 1000), strict=True):
        check(full / 2 <= delay <= full, True, delays)
    check(cat.errors().splitlines()[-1].endswith(': Connection refused (4 attempts)'), True, cat.errors())


def jitter():
    """Two clients have different delays."""
    port = str(bound().getsockname()[1])
    cats = [Cat('-v', '--retry', '127.0.0.1', port) for _ in range(4)]
    check(len({retries(cat, 1)[0] for cat in cats}) > 1, True)
    for cat in cats:
        cat.process.terminate()


def ends():
    """A signal in the delay ends it at once, and the last failure is printed."""
    port = bound().getsockname()[1]
    for number in (signal.SIGTERM, signal.SIGINT):
        cat = Cat('-v', '--retry', '--retry-delay', '1h', '127.0.0.1', str(port))
        retries(cat, 1)
        cat.process.send_signal(number)
        cat.end(-number)
        check(cat.errors().splitlines()[1:],
              ['sockcat: connect 127.0.0.1:%d: Connection refused (1 attempt)' % port], cat.errors())


def stopped():
    """A process that was stopped makes one try when it goes on, not those that it has missed."""
    port = bound().getsockname()[1]
    count = T + '/count'
    cat = Cat('-v', '--retry', '--retry-delay', '300ms', '127.0.0.1', str(port), env=shim('connect:count:*', count))
    before = time.monotonic()
    tries = len(retries(cat, 1))
    cat.process.send_signal(signal.SIGSTOP)
    until(lambda: time.monotonic() > before + 2, 'two seconds')
    cat.process.send_signal(signal.SIGCONT)
    resumed = time.monotonic()
    tries = len(retries(cat, tries + 1))
    check(tries <= 3 + (time.monotonic() - resumed) / 0.3, True, cat.errors())
    cat.process.terminate()
    cat.end(-signal.SIGTERM)


def to():
    """Each client's connection to the endpoint is retried; one that leaves is not waited for."""
    there = bound()
    cat = Cat('-v', '-l', '-k', '--retry', '--retry-delay', '20ms', '127.0.0.1', '0', '--to',
              '127.0.0.1:%d' % there.getsockname()[1])
    clients = [socket.create_connection(cat.address(), LIMIT) for _ in range(3)]
    for i, client in enumerate(clients):
        client.sendall(b'%d' % i)
    retries(cat, 6)
    # A reset is a client that has left.
    clients[2].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
    clients[2].close()
    until(lambda: 'Connection refused (' in cat.errors(), 'its last failure: ' + cat.errors())
    there.listen()
    peers = [there.accept()[0] for _ in range(2)]
    got = set()
    for peer in peers:
        peer.settimeout(LIMIT)
        got.add(peer.recv(10))
    check(got, {b'0', b'1'})
    cat.process.terminate()


def never():
    """Faults of this machine are not retried."""
    for arguments, status in ((('-s', '192.0.2.1', '127.0.0.1', '9'), 45),
                              (('127.0.0.1', 'no-such-service'), 3),
                              (('-U', T + '/x' * 70), 3)):
        cat = Cat('-v', '--retry', *arguments)
        cat.end(status)
        check('retry' in cat.errors(), False, cat.errors())


def reset():
    """A connection that is reset is not made again."""
    there = bound(listens=True)
    cat = Cat('-v', '--retry', '127.0.0.1', str(there.getsockname()[1]), stdin=subprocess.PIPE)
    peer = there.accept()[0]
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
    peer.close()
    cat.end(56)
    check('retry' in cat.errors(), False, cat.errors())


if __name__ == '__main__':
    main()
