"""Every allocation of a session fails once, then all from one on: the peer gets its whole answer or
a reset, never a clean end with less.

    setup_memory.py WAY CALL ARG...      WAY: connect, listen; CALL: malloc, calloc
"""
import errno
import select
import socket
import sys

from drive import accept, Cat, check, counted, dial, LIMIT, shim, T, tcp, to_end, until

way, call, *arguments = sys.argv[1:]


def outcome(peer):
    """The answer to `hello`, or how the connection ended instead."""
    try:
        peer.sendall(b'hello')
        peer.shutdown(socket.SHUT_WR)
        return to_end(peer)
    except OSError as error:
        # Which of them it is depends on when the reset comes.
        check(error.errno in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN), True, error)
        return 'reset'


def session(rule):
    """One session under the rule; None if it failed before there was a connection."""
    env = shim(rule, T + '/count')
    if way == 'listen':
        try:
            cat = Cat('-l', '127.0.0.1', '0', *arguments, env=env)
        except SystemExit:
            return None
        try:
            near = dial(cat)
        except ConnectionError:  # it ended before it accepted one
            return None
        got = outcome(near)
    else:
        server = tcp()
        cat = Cat('127.0.0.1', str(server.getsockname()[1]), *arguments, env=env)
        until(lambda: select.select([server], [], [], 0)[0] or cat.process.poll() is not None, 'it')
        if not select.select([server], [], [], 0)[0]:
            return None
        got = outcome(accept(server))
    cat.process.wait(LIMIT)
    return got


check(session(call + ':count:*'), b'hello')
total = counted()[call]
seen = set()
for n in range(total, 0, -1):
    for more in '', '+':
        got = session('%s:ENOMEM:%d%s' % (call, n, more))
        check(got in (None, 'reset', b'hello'), True, '%s %d%s: %r' % (call, n, more, got))
        seen.add(got)
check('reset' in seen, True, seen)
