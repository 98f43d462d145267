"""Options beside sockets that are passed: they may say what the socket is, but not otherwise."""
import os
import socket
import subprocess

from drive import check, LIMIT, T, udp


def run(s, *args, passed=False):
    """The program with the socket as descriptor 3, or 0 as "fd://0"."""
    os.dup2(s.fileno(), 3)
    command = ['sh', '-c', 'LISTEN_PID=$$ exec "$SOCKCAT" "$@"', 'sh', *args]
    env = dict(os.environ, **({'LISTEN_FDS': '1'} if passed else {}))
    zero = s if 'fd://0' in args else subprocess.DEVNULL
    done = subprocess.run(command, pass_fds=[3], stdin=zero, capture_output=True, env=env, timeout=LIMIT)
    return done.returncode, done.stderr.decode()


def bound(family, kind, where):
    s = socket.socket(family, kind)
    s.bind(where)
    if kind != socket.SOCK_DGRAM:
        s.listen(5)
    return s


LO = '127.0.0.1', 0
SOCKETS = {
    'udp': (bound(socket.AF_INET, socket.SOCK_DGRAM, LO), ['-u']),
    'tcp': (bound(socket.AF_INET, socket.SOCK_STREAM, LO), []),
    'unix': (bound(socket.AF_UNIX, socket.SOCK_STREAM, T + '/a'), ['-U']),
    'dgram': (bound(socket.AF_UNIX, socket.SOCK_DGRAM, T + '/b'), ['-U', '-u']),
    'seqpacket': (bound(socket.AF_UNIX, socket.SOCK_SEQPACKET, T + '/c'), ['-U', '--seqpacket']),
}
TIME = '--accept-timeout', '0.05'
for name, (s, options) in SOCKETS.items():
    for given in [options] + [[option] for option in options]:
        check(run(s, '-l', *TIME, *given, passed=True)[0], 28, '%s %s' % (name, given))
    for option, spelling in ('--udp', '-u'), ('--seqpacket', '--seqpacket'), ('--sctp', '--sctp'), (
            '--udplite', '--udplite'), ('--vsock', '--vsock'), ('--ipv4', '-4'), ('--mptcp', '--mptcp'):
        if spelling in options:
            continue
        for words in ['-l', *TIME, spelling], ['-l', *TIME, spelling, 'fd://3']:
            status, errors = run(s, *words, passed='fd://3' not in words)
            check(status, 2, '%s %s %s' % (name, words, errors))
            check(option in errors, True, errors)

udp_socket = SOCKETS['udp'][0]
check(run(udp_socket, '-l', '-u', *TIME, 'fd://3')[0], 28)
check(run(udp_socket, '-l', '-u', *TIME, '--echo', 'fd://0')[0], 28)
one, other = udp(), udp()
one.connect(other.getsockname())
check(run(one, '-u', '-q', '0', 'fd://3')[0], 0)
