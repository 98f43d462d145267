"""-F: the connection is passed on."""
import os
import re
import socket
import subprocess

from drive import accept, check, LIMIT, main, tcp, udp


def passes_inherited_socket(port):
    conn = socket.create_connection(('127.0.0.1', int(port)))
    mine, yours = socket.socketpair()
    process = subprocess.run([os.environ['SOCKCAT'], '-F', 'fd://%d' % conn.fileno()], stdout=yours,
                             pass_fds=[conn.fileno()], timeout=LIMIT)
    conn.close()
    data, fds, _, _ = socket.recv_fds(mine, 10, 3)
    check((process.returncode, len(data), len(fds), os.get_blocking(fds[0])), (0, 1, 1, True))
    passed = socket.socket(fileno=fds[0])
    check(passed.recv(100), b"hello")


def shared_socket_unchanged(port):
    conn = socket.create_connection(('127.0.0.1', int(port)))
    conn.setblocking(False)
    mine, yours = socket.socketpair()
    process = subprocess.run([os.environ['SOCKCAT'], '-F', 'fd://%d' % conn.fileno()], stdout=yours,
                             pass_fds=[conn.fileno()], timeout=LIMIT)
    check((process.returncode, os.get_blocking(conn.fileno())), (0, False))


def nonblocking_stdout(port):
    mine, yours = socket.socketpair()
    yours.setblocking(False)
    process = subprocess.run([os.environ['SOCKCAT'], '-F', '127.0.0.1', port], stdout=yours,
                             timeout=LIMIT)
    check((process.returncode, os.get_blocking(yours.fileno())), (0, False))
    data, fds, _, _ = socket.recv_fds(mine, 10, 3)
    check((len(data), len(fds)), (1, 1))


def source_address():
    listener, (mine, yours) = tcp(), socket.socketpair()
    process = subprocess.run([os.environ['SOCKCAT'], '-F', '-s', '127.0.0.2', '127.0.0.1',
                              str(listener.getsockname()[1])], stdout=yours, timeout=LIMIT)
    check(process.returncode, 0)
    _, fds, _, _ = socket.recv_fds(mine, 10, 3)
    _, sender = listener.accept()
    check(sender, socket.socket(fileno=fds[0]).getsockname())
    check(sender[0], '127.0.0.2')


def over_inet(kind):
    server = tcp()
    if kind == 'tcp':
        listener = tcp()
        yours = socket.create_connection(listener.getsockname())
        mine = accept(listener)
    else:
        mine, yours = udp(), udp()
        yours.connect(mine.getsockname())
    process = subprocess.run([os.environ['SOCKCAT'], '-F', '127.0.0.1', str(server.getsockname()[1])],
                             stdout=yours, stderr=subprocess.PIPE, timeout=LIMIT)
    check(process.returncode, 23, process.stderr.decode())
    check(re.fullmatch(rb'sockcat: [^\n]*standard output[^\n]*\n', process.stderr) is not None, True)
    yours.close()
    mine.setblocking(False)
    try:
        check(mine.recv(10), b'')
    except BlockingIOError:
        pass


if __name__ == '__main__':
    main()
