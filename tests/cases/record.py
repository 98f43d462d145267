"""Recordings: dumps read back, and files that cannot be opened."""
import os
import re
import socket
import subprocess
import sys

from drive import Cat, check, check_unconnected, LIMIT, main, T, tcp, udp


def undump(path, wanted):
    form = re.compile(rb'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z ([<>]) ([0-9a-f]{8,16})  '
                      rb'([0-9a-f ]{49}) \|([ -~]{0,16})\|')
    at = 0
    for line in open(path, 'rb'):
        found = form.fullmatch(line.rstrip(b'\n'))
        assert found, line
        direction, offset, text, shown = found.groups()
        if direction.decode() != wanted:
            continue
        data = bytes.fromhex(text.decode())
        assert int(offset, 16) == at, (line, at)
        assert shown == re.sub(rb'[^ -~]', b'.', data), line
        assert len(data) <= 16, line
        at += len(data)
        sys.stdout.buffer.write(data)


def never_connects(status, pattern, *options):
    listener = tcp()
    cat = Cat(*options, '127.0.0.1', str(listener.getsockname()[1]))
    cat.fail(int(status), pattern)
    check_unconnected(listener)


def socket_as_error(port):
    """Standard error is a socket, which takes little at a time, and stays blocking."""
    mine, yours = socket.socketpair()
    yours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    process = subprocess.Popen([os.environ['SOCKCAT'], '--output', '-', '127.0.0.1', port],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=yours)
    check(os.get_blocking(yours.fileno()), True)
    yours.close()
    while part := mine.recv(65536):
        sys.stdout.buffer.write(part)
    check(process.wait(LIMIT), 0)


def empty_datagram():
    peer, (mine, yours) = udp(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    cat = Cat('-o', T + '/file', '-u', '-q', '0.1', '127.0.0.1', str(peer.getsockname()[1]),
              stdin=yours)
    yours.close()
    for message in (b'A', b'', b'B'):
        mine.send(message)
    mine.close()
    cat.end()
    with open(T + '/file') as file:
        check([line.split()[1:3] for line in file],
              [['>', '00000000'], ['>', '00000001'], ['>', '00000001']])


if __name__ == '__main__':
    main()
