"""Connections that were reset before sockcat looks at them: fd://N, fd://0, fd://NAME, -F, -z.

Usage: reset_socket.py CASE
"""
import os
import re
import select
import socket
import subprocess
import sys

from drive import accept, check, LIMIT, main, reset, tcp, until

SOCKCAT = os.environ['SOCKCAT']


def connection(family=socket.AF_INET):
    server = socket.socket(family)
    server.bind(('::1' if family == socket.AF_INET6 else '127.0.0.1', 0))
    server.listen()
    client = socket.create_connection(server.getsockname()[:2], LIMIT)
    return client, accept(server)


def reset_one(family=socket.AF_INET, data=b'', end=False):
    """A connection that its peer has reset, having sent the data and maybe its end."""
    client, peer = connection(family)
    client.settimeout(None)
    peer.sendall(data)
    if end:
        peer.shutdown(socket.SHUT_WR)
    reset(peer)

    def is_over():
        try:
            client.getpeername()
        except OSError:
            return True
    until(is_over, 'the reset')
    return client


def run(sock, *words, status, error, data=b'', out=b'', stdin=None, env=None, stdout=subprocess.PIPE):
    words = [word.replace('fd://N', 'fd://%d' % sock.fileno()) for word in words]
    error = error.replace('fd://N', 'fd://%d' % sock.fileno())
    cat = subprocess.Popen([SOCKCAT] + words, pass_fds=[sock.fileno()], stdin=stdin or subprocess.PIPE,
                           stdout=stdout, stderr=subprocess.PIPE, env=dict(os.environ, **(env or {})))
    try:
        got, errors = cat.communicate(None if stdin else data, LIMIT)
    except subprocess.TimeoutExpired:
        cat.kill()
        sys.exit('%r: it does not end' % words)
    errors = re.sub(r' \(\d+ bytes sent, \d+ bytes received\)\n', r'\n', errors.decode())
    check((cat.returncode, got or b'', errors), (status, out, 'sockcat: %s\n' % error), repr(words))


RESET = 'receive from %s: Connection reset by peer'


def tcp_reset():
    for family in [socket.AF_INET] + [socket.AF_INET6] * os.path.exists('/proc/net/if_inet6'):
        run(reset_one(family), 'fd://N', status=56, error=RESET % 'fd://N')
        run(reset_one(family), '-d', 'fd://N', status=56, error=RESET % 'fd://N')
        run(reset_one(family), 'fd://N', '--send-only', status=56, error=RESET % 'fd://N')


def data_first():
    for end in False, True:
        run(reset_one(data=b'hello', end=end), 'fd://N', status=56, error=RESET % 'fd://N', out=b'hello')


def with_input():
    for size in 3, 300000:
        run(reset_one(data=b'hello'), 'fd://N', status=56, error=RESET % 'fd://N', data=b'x' * size, out=b'hello')


def standard_input():
    sock = reset_one()
    run(sock, 'fd://0', '--echo', status=56, error=RESET % 'fd://0', stdin=sock)
    sock = reset_one()
    run(sock, 'fd://0', '-e', 'cat', status=56, error=RESET % 'fd://0', stdin=sock)


def by_name():
    sock = reset_one()
    between = 'import os, sys; os.dup2(%d, 3); os.environ["LISTEN_PID"] = str(os.getpid()); ' \
        'os.execv(sys.argv[1], sys.argv[1:])' % sock.fileno()
    cat = subprocess.run([sys.executable, '-c', between, SOCKCAT, 'fd://web'], pass_fds=[sock.fileno()],
                         stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT,
                         env=dict(os.environ, LISTEN_FDS='1', LISTEN_FDNAMES='web'))
    check((cat.returncode, cat.stderr.decode().partition(' (')[0]), (56, 'sockcat: %s' % RESET % 'fd://web'))


def passed_on():
    here, there = socket.socketpair()
    run(reset_one(), '-F', 'fd://N', status=56, error=RESET % 'fd://N', stdout=there)
    there.close()
    check(here.recv(10), b'', 'something was passed')


def probed():
    run(reset_one(), '-z', 'fd://N', status=56, error=RESET % 'fd://N')


def refused():
    """A connection that was begun, and refused."""
    for _ in range(2):
        server = tcp()
        address = server.getsockname()
        server.close()
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(address)
        select.select([], [sock], [], LIMIT)
        sock.setblocking(True)
        run(sock, 'fd://N', status=7, error='connect fd://N: Connection refused')


def never_connected():
    error = "endpoint 'fd://N': Transport endpoint is not connected"
    bound = socket.socket()
    bound.bind(('127.0.0.1', 0))
    for sock in socket.socket(), bound, socket.socket(socket.AF_UNIX), \
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET), socket.socket(type=socket.SOCK_DGRAM):
        run(sock, 'fd://N', status=3, error=error)
    here, there = socket.socketpair()
    run(bound, '-F', 'fd://N', status=3, error=error, stdout=there)
    sock = socket.socket()
    run(sock, 'fd://0', '--echo', status=3, error=error.replace('fd://N', 'fd://0'), stdin=sock)


def unix_reset():
    """A Unix peer that has closed with something unread."""
    for kind in socket.SOCK_STREAM, socket.SOCK_SEQPACKET:
        one, two = socket.socketpair(socket.AF_UNIX, kind)
        one.sendall(b'unread')
        two.close()
        run(one, 'fd://N', status=56, error=RESET % '(unnamed)')


if __name__ == '__main__':
    main()
