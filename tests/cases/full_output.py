"""What sockcat writes, or reads, before a session begins, where the other side lets it wait.

Usage: full_output.py CASE
"""
import os
import re
import signal
import socket
import subprocess
import sys
import termios

from drive import accept, check, exactly, LIMIT, main, T, tcp, until

SOCKCAT = os.environ['SOCKCAT']
WRITES = b'x' * 4096


def full_pipe():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, WRITES)
    except BlockingIOError:
        os.set_blocking(writing, True)
    return reading, writing


def full_fifo():
    """One that was opened by its name: the reader has another open file description."""
    os.mkfifo(T + '/fifo')
    reading = os.open(T + '/fifo', os.O_RDONLY | os.O_NONBLOCK)
    writing = os.open(T + '/fifo', os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(writing, WRITES)
    except BlockingIOError:
        os.set_blocking(writing, True)
        os.set_blocking(reading, True)
    os.unlink(T + '/fifo')
    return reading, writing


def full_socket(kind=socket.SOCK_STREAM):
    here, there = socket.socketpair(socket.AF_UNIX, kind)
    there.setblocking(False)
    try:
        while True:
            there.send(WRITES)
    except BlockingIOError:
        there.setblocking(True)
    return here.detach(), there.detach()


def full_terminal():
    """A pseudo-terminal whose output is stopped, as by Ctrl-S."""
    master, slave = os.openpty()
    termios.tcflow(slave, termios.TCOOFF)
    return master, slave


def run(*words, **more):
    return subprocess.Popen([SOCKCAT] + list(words), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)


def ended(cat, status=-signal.SIGTERM):
    """By the signal, and what it said but where it listens."""
    try:
        _, errors = cat.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        cat.kill()
        sys.exit('the signal does not end it')
    lines = [line for line in errors.decode().splitlines() if 'listening on' not in line]
    check((cat.returncode, lines), (status, []))


def listening(cat):
    """The output before the ready line."""
    line = cat.stderr.readline()
    check(b'listening on' in line, True, repr(line))


def rest(cat):
    """Wait until it sleeps, having done all that it could, or has ended."""
    def state():
        with open('/proc/%d/stat' % cat.pid) as file:
            return file.read().rpartition(')')[2].split()[0]
    until(lambda: state() in 'SZ', 'rest')


def terminated(maker, *words):
    reading, writing = maker()
    cat = run('-l', *words, '--ready-fd', str(writing), '127.0.0.1', '0', pass_fds=[writing])
    listening(cat)
    rest(cat)
    cat.send_signal(signal.SIGTERM)
    ended(cat)
    check(os.get_blocking(writing), True, 'O_NONBLOCK was left on a shared descriptor')
    os.close(reading)
    os.close(writing)


def ready_terminated():
    for maker in full_pipe, full_fifo, full_socket, full_terminal:
        for words in [], ['-k'], ['-k', '-e', 'cat'], ['-k', '--grace', '1h']:
            terminated(maker, *words)


def ready_without_proc():
    """Where the pipe cannot be opened again, O_NONBLOCK is set on it, and taken back."""
    terminated(full_pipe)
    reading, writing = os.pipe()
    cat = run('-l', '--ready-fd', str(writing), '127.0.0.1', '0', pass_fds=[writing])
    with open(reading, 'rb') as file:
        check(int(file.readline()) > 0, True)
    until(lambda: os.get_blocking(writing), 'O_NONBLOCK was left on a shared descriptor')
    cat.send_signal(signal.SIGTERM)
    ended(cat)


def ready_later():
    """The line comes, whole, when there is room, and then the end."""
    for maker in full_pipe, full_fifo, full_socket:
        for words in [], ['-k']:
            reading, writing = maker()
            cat = run('-l', *words, '--ready-fd', str(writing), '127.0.0.1', '0', pass_fds=[writing])
            os.close(writing)
            listening(cat)
            rest(cat)
            with open(reading, 'rb') as file:
                line = file.read().lstrip(b'x')
            check(re.fullmatch(rb'\d+\n', line) is not None, True, repr(line))
            socket.create_connection(('127.0.0.1', int(line)), LIMIT).close()
            if words:
                cat.send_signal(signal.SIGTERM)
            ended(cat, -signal.SIGTERM if words else 0)


def list_terminated():
    """An access list in a FIFO that no writer opens, and in one whose writer does not end."""
    fifo = T + '/list'
    os.mkfifo(fifo)
    for option in '--allow-file', '--deny-file':
        for writing in False, True:
            cat = run('-lk', option, fifo, '127.0.0.1', '0')
            if writing:
                with open(fifo, 'wb', buffering=0) as file:
                    file.write(b'127.0.0.1')
                    rest(cat)
                    cat.send_signal(signal.SIGTERM)
                    ended(cat)
            else:
                rest(cat)
                cat.send_signal(signal.SIGTERM)
                ended(cat)


def full_manager():
    """A service manager whose queue is full."""
    path = T + '/notify'
    if os.path.exists(path):
        os.unlink(path)
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(path)
    manager.settimeout(LIMIT)
    other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    other.connect(path)
    other.setblocking(False)
    try:
        while True:
            other.send(b'other')
    except BlockingIOError:
        pass
    return manager, dict(os.environ, NOTIFY_SOCKET=path)


def notify_later():
    for words in [], ['-k']:
        manager, env = full_manager()
        cat = run('-l', *words, '127.0.0.1', '0', env=env)
        listening(cat)
        rest(cat)
        while (text := manager.recv(100)) == b'other':
            pass
        check(text, b'READY=1')
        cat.send_signal(signal.SIGTERM)
        ended(cat)


def notify_terminated():
    for words in [], ['-k']:
        manager, env = full_manager()
        cat = run('-l', *words, '127.0.0.1', '0', env=env)
        listening(cat)
        rest(cat)
        cat.send_signal(signal.SIGTERM)
        ended(cat)


def notify_never():
    """It is not waited for without end: then the listener goes on."""
    manager, env = full_manager()
    ready, its = os.pipe()
    cat = run('-lv', '--ready-fd', str(its), '127.0.0.1', '0', env=env, pass_fds=[its])
    os.close(its)
    with open(ready, 'rb') as file:
        port = int(file.readline())
    socket.create_connection(('127.0.0.1', port), LIMIT).close()
    _, errors = cat.communicate(timeout=LIMIT)
    check((cat.returncode, b'NOTIFY_SOCKET' in errors and b'Resource temporarily unavailable' in errors), (0, True), repr(errors))


def pass_terminated():
    server = tcp()
    for kind in socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM:
        reading, writing = full_socket(kind)
        cat = run('-Fv', '127.0.0.1', str(server.getsockname()[1]), stdout=writing)
        peer = accept(server)
        check(b'connected to' in cat.stderr.readline(), True)
        rest(cat)
        cat.send_signal(signal.SIGTERM)
        ended(cat)
        try:
            check(peer.recv(1), None, 'the peer takes it for a good end')
        except ConnectionResetError:
            pass
        os.close(reading)
        os.close(writing)


def pass_later():
    server = tcp()
    reading, writing = full_socket()
    cat = run('-Fv', '127.0.0.1', str(server.getsockname()[1]), stdout=writing)
    os.close(writing)
    peer = accept(server)
    check(b'connected to' in cat.stderr.readline(), True)
    rest(cat)
    receiver = socket.socket(fileno=reading)
    receiver.settimeout(LIMIT)
    passed = []
    while not passed:
        data, passed, _, _ = socket.recv_fds(receiver, 65536, 1)
        check(data != b'', True, 'nothing was passed')
    ended(cat, 0)
    connection = socket.socket(fileno=passed[0])
    connection.sendall(b'hello')
    check(exactly(peer, 5), b'hello')


if __name__ == '__main__':
    main()
