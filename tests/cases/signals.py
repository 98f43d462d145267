"""Signals at any moment."""
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

from drive import Cat, check, counted, dial, LIMIT, main, shim, T, to_end


def interrupted_waits():
    def storm(cat, number):
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.kill(cat.pid, number)
                time.sleep(0.0005)
    def echo(cat, count, what):
        clients = [dial(cat) for _ in range(count)]
        for c in clients:
            threading.Thread(target=lambda c=c: (c.sendall(data), c.shutdown(socket.SHUT_WR)), daemon=True).start()
        check([to_end(c) == data for c in clients], [True] * count, what)
    data = os.urandom(1000000)
    for number in signal.SIGUSR1, signal.SIGCHLD, signal.SIGCONT:
        cat = Cat('-l', '-k', '--echo', '127.0.0.1', '0')
        threading.Thread(target=storm, args=(cat, number), daemon=True).start()
        echo(cat, 5, number)
        cat.send(signal.SIGTERM)
        cat.end(-signal.SIGTERM)
    for count, call, *many in (1, 'poll'), (5, 'epoll_wait', '-k', '--max-accepts', '5'):
        cat = Cat('-l', *many, '--echo', '127.0.0.1', '0', env=shim(call + ':EINTR:90%', T + '/count'))
        echo(cat, count, 'EINTR')
        cat.end()
        check(counted().get(call + ':failed', 0) > 5, True, counted())


def signal_in_the_last_turn():
    """The program does not read its input, and has closed its output: the session ends, and the program goes on. A
    signal in each turn: all that the turn waits for is there by then."""
    for turn in range(1, 100):
        cat = Cat('-l', '127.0.0.1', '0', '-c', 'exec >&-; exec sleep 60', env=shim(
            'poll:sleep=0.03:*,poll:signal=15:%d' % turn, T + '/count'))
        with contextlib.suppress(OSError):  # it has ended, or is about to
            peer = dial(cat)
            peer.sendall(b'data')
            peer.shutdown(socket.SHUT_WR)
            to_end(peer)
            peer.close()
        status = cat.process.wait(LIMIT)
        if status == 0:
            break
        check(status, -signal.SIGTERM, turn)
    # That signal came when the program had been ended, or never: at most one wait followed it.
    check(4 <= counted()['poll'] < turn + 2, True, counted())


def signal_at_any_point(program, directory):
    r = random.Random(4)
    data = r.randbytes(700000)
    path = os.path.join(directory, 'in')
    with open(path, 'wb') as file:
        file.write(data)
    clean = killed = 0
    for turn in range(60):
        ready, write = os.pipe()
        number = r.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
        at = r.choice([0, 1, r.randrange(len(data)), r.randrange(len(data)), len(data)])
        out = os.path.join(directory, 'out')
        with open(path, 'rb') as stdin, open(out, 'wb') as stdout:
            listener = subprocess.Popen([program, '-l', '--ready-fd', str(write), '127.0.0.1', '0'],
                                        stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL, pass_fds=[write])
        os.close(write)
        with os.fdopen(ready) as line:
            port = int(line.read())
        conn = socket.create_connection(('127.0.0.1', port))
        conn.settimeout(LIMIT)

        broken = []

        def send():
            try:
                conn.sendall(data)
                conn.shutdown(socket.SHUT_WR)
            except OSError as error:  # recv is not told of it again, but that there is no more
                broken.append(error)
        sender = threading.Thread(target=send)
        sender.start()
        got, sent, ended = bytearray(), False, False
        try:
            while True:
                if not sent and len(got) >= at:
                    listener.send_signal(number)
                    sent = True
                piece = conn.recv(65536)
                if not piece:
                    ended = True
                    break
                got += piece
        except ConnectionError as error:
            broken.append(error)
        status = listener.wait(LIMIT)
        sender.join()
        conn.close()
        ended = ended and not broken
        with open(out, 'rb') as file:
            stored = file.read()
        what = 'turn %d, %s at %d: status %d, %d bytes here, %d there, end %s' % (
            turn, number.name, at, status, len(got), len(stored), ended)
        assert status in (0, -number), what
        assert data.startswith(got) and data.startswith(stored), what
        if status == 0:
            assert got == data and stored == data and ended, what
            clean += 1
        else:
            killed += 1
        # An end that looks good is one: the reader of the connection has everything.
        assert not ended or got == data, what
    print('clean %d, killed %d' % (clean, killed))
    sys.exit(killed < 10)


if __name__ == '__main__':
    main()
