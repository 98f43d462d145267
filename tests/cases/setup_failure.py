"""What a peer sees when setting up its session fails: a reset, never an end that looks clean.

    setup_failure.py WAY STATUS PATTERN [ARG...]

WAY: connect, listen (one client), many (-k, two clients), inherited (a connected socket, as from
inetd), target (the client of --to is a peer that stays; the target sees the failure), unix.
ARG...: further arguments of sockcat. STATUS and PATTERN: how sockcat ends; ignored for `many`,
where each failure is one line.
"""
import re
import select
import socket
import sys

from drive import accept, Cat, check, dial, LIMIT, T, tcp

way, status, pattern, *arguments = sys.argv[1:]


def outcome(peer):
    """How the connection ends for a peer that waits for an answer; or makes it first."""
    try:
        data = (dial(peer) if isinstance(peer, Cat) else peer).recv(1)
    except ConnectionResetError:
        return 'reset'
    return 'data' if data else 'end'


def connect():
    server = tcp()
    cat = Cat('127.0.0.1', str(server.getsockname()[1]), *arguments)
    check(outcome(accept(server)), 'reset')
    cat.fail(int(status), pattern)


def listen():
    cat = Cat('-l', '127.0.0.1', '0', *arguments)
    check(outcome(cat), 'reset')
    cat.end(int(status))
    check(bool(re.search(pattern, cat.errors())), True, cat.errors())


def many():
    cat = Cat('-l', '-k', '--max-accepts', '2', '127.0.0.1', '0', *arguments)
    for _ in range(2):
        check(outcome(cat), 'reset', cat.errors())
    cat.end(104)
    check(len(re.findall(pattern, cat.errors())), 2, cat.errors())


def inherited():
    server = tcp()
    near = socket.create_connection(server.getsockname(), LIMIT)
    far = accept(server)
    cat = Cat('fd://0', *arguments, stdin=near)
    near.close()
    check(outcome(far), 'reset')
    cat.fail(int(status), pattern)


def target():
    server = tcp()
    cat = Cat('-l', '127.0.0.1', '0', '--to', '127.0.0.1:%d' % server.getsockname()[1], *arguments)
    check(outcome(cat), 'reset')
    # Unless the client's own connection failed before the target was dialled.
    if select.select([server], [], [], 0)[0]:
        check(outcome(accept(server)), 'reset')
    cat.end(int(status))
    check(bool(re.search(pattern, cat.errors())), True, cat.errors())


def over_unix():
    """The kernel reports a reset for data that were not read; without any there is none."""
    for kind, option in (socket.SOCK_STREAM, []), (socket.SOCK_SEQPACKET, ['--seqpacket']):
        path = '%s/socket.%d' % (T, kind)
        cat = Cat('-l', '-k', '-U', *option, path, *arguments)
        cat.stop()
        peer = dial(cat, kind=kind)
        peer.send(b'unread')
        cat.go()
        check(outcome(peer), 'reset')


{'connect': connect, 'listen': listen, 'many': many, 'inherited': inherited, 'target': target,
 'unix': over_unix}[way]()
