"""Cases of --ping."""
import os
import re
import socket
import threading
import time

from drive import Cat, check, counted, in_pipe, main, shim, T, tcp, tcp_sockets, until


def accepting():
    """A listener that accepts in the background; the results of reading from its connections, False: not yet."""
    s, results = tcp(500), []

    def serve():
        while True:
            client, _ = s.accept()
            results.append(False)
            try:
                results[-1] = client.recv(1)
            except ConnectionResetError:
                results[-1] = None
            client.close()
    threading.Thread(target=serve, daemon=True).start()
    return str(s.getsockname()[1]), results


def schedule():
    port, _ = accepting()
    begin = time.monotonic()
    cat = Cat('--ping=50', '--interval', '2ms', '127.0.0.1', port, env=shim('socket:count:*', T + '/count'))
    out = cat.end()
    check(time.monotonic() - begin >= 49 * 0.002, True)
    check(counted()['socket'], 50)
    check([int(number) for number in re.findall(rb'seq=(\d+)', out)], list(range(1, 51)))


def reset():
    port, results = accepting()
    Cat('--ping=20', '--interval', '1ms', '127.0.0.1', port).end()
    until(lambda: results == [None] * 20, '20 resets: %r' % results)
    check(tcp_sockets(remote=int(port)), [])


def no_answer():
    """The queue of the listener is full: the kernel drops what else comes."""
    s, clients = tcp(0), []
    for _ in range(3):
        clients.append(socket.socket())
        clients[-1].setblocking(False)
        clients[-1].connect_ex(s.getsockname())
    name = '127.0.0.1:%d' % s.getsockname()[1]
    out = Cat('--ping=2', '--interval', '1ms', '--wait', '50ms', name)
    lines = out.end(1).decode().splitlines()
    check(lines, ['seq=%d filtered: connect %s: timed out' % (i, name) for i in (1, 2)] +
          [name + ': 2 tries, 2 failed, 100% loss'])


def full_pipe(*args):
    """A ping whose output is a pipe without room, and the other end of that."""
    reading, writing = os.pipe()
    room = os.fpathconf(writing, 'PC_PIPE_BUF')
    while in_pipe(reading) < 65536:
        os.write(writing, bytes(room))
    cat = Cat('--ping', '--interval', '1ms', *args, stdout=writing)
    os.close(writing)
    return cat, reading


def no_reader():
    """A signal does not wait for room."""
    port, results = accepting()
    cat, _ = full_pipe('127.0.0.1', port)
    until(lambda: results, 'the first connection')
    cat.rest()
    cat.send(15)
    cat.end(-15)


def slow_reader():
    port, results = accepting()
    cat, reading = full_pipe('127.0.0.1', port)
    until(lambda: results, 'the first connection')
    cat.rest()
    # It waits for room: no try is made meanwhile.
    check(len(results), 1)
    ticks = cat.ticks()
    time.sleep(0.05)
    check(len(results), 1)
    check(cat.ticks() - ticks < 3, True)
    shown = b''
    while b'seq=3' not in shown:
        shown = (shown + os.read(reading, 65536)).lstrip(b'\0')
    cat.send(15)
    while data := os.read(reading, 65536):
        shown += data
    cat.end()
    numbers = [int(number) for number in re.findall(rb'seq=(\d+)', shown)]
    check(numbers, list(range(1, len(numbers) + 1)))
    check(b'0 failed, 0% loss' in shown, True, shown[-200:])


if __name__ == '__main__':
    main()
