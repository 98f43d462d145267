"""A reader that takes a little at a time, far more often than the limit, and for several times the
limit in all, while sockcat itself has nothing to do. And one that takes nothing.

slow_reader.py CASE [ARG...], with the helper's drive.
"""
import os
import re
import signal
import socket
import sys
import threading
import time

from drive import accept, Cat, check, dial, exactly, main, T, tcp, to_end, unix

LIMIT_ARG = '1.5'
TOTAL = 2_500_000  # goes into the kernel's queue at once
STEP = 25_000, 0.05  # bytes, seconds: five seconds for all


def slowly(take, step=STEP):
    """Call take(n) until it returns nothing; return the bytes."""
    parts = []
    while part := take(step[0]):
        parts.append(part)
        time.sleep(step[1])
    return b''.join(parts)


def exactly_slowly(take, wanted, step=STEP):
    """As slowly, up to a number of bytes."""
    got = b''
    while len(got) < wanted and (part := take(min(step[0], wanted - len(got)))):
        got += part
        time.sleep(step[1])
    return got


def content(size):
    path = T + '/content'
    with open(path, 'wb') as file:
        file.write(os.urandom(size).replace(b'\xff\xff', b'xx'))
    return path


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def narrow(listener):
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
    return listener


def to_tcp(*options):
    """The client sends a file to a slow reader, which answers at the end."""
    listener = narrow(tcp())
    path = content(TOTAL)
    cat = Cat(*options, '127.0.0.1', str(listener.getsockname()[1]), stdin=open(path))
    peer = accept(listener)
    got = slowly(peer.recv)
    peer.sendall(b'' if '--send-only' in options else b'answer')
    peer.close()
    check(cat.end(), b'' if '--send-only' in options else b'answer')
    check(cat.errors(), '')
    # Telnet doubles a byte 255, and sends CR NUL for CR.
    nvt = got.replace(b'\xff\xff', b'\xff').replace(b'\r\0', b'\r')
    check((nvt if '-t' in options else got) == read(path), True)


def to_unix(*options):
    """What a Unix socket holds is less: the reader is slower."""
    listener = unix(name=T + '/socket')
    listener.listen(1)
    path = content(500_000)
    cat = Cat('-U', *options, T + '/socket', stdin=open(path))
    peer = accept(listener)
    got = slowly(peer.recv, (5000, 0.05))
    peer.sendall(b'answer')
    peer.close()
    check(cat.end(), b'answer')
    check(got == read(path), True)


def to_program(*options):
    """The program reads what fits into its pipe, before its end or behind it."""
    data = os.urandom(200_000)
    half_close = 'end' in options
    program = '%s %s/slow_program.py %d 2000' % (sys.executable, os.path.dirname(__file__), len(data))
    cat = Cat('-l', '--idle-timeout', LIMIT_ARG, '127.0.0.1', '0', '-c', program)
    peer = dial(cat)
    peer.sendall(data)
    if half_close:
        peer.shutdown(socket.SHUT_WR)
    check(to_end(peer) == data, True)
    peer.close()
    cat.end()


def to_quiet_program(*options):
    """The program says nothing, and has closed its output; it gets to read all."""
    data = os.urandom(200_000)
    out = T + '/got'
    interrupted = 'signal' in options
    # Five seconds; a minute if it is to be interrupted.
    program = 'exec >%s; exec %s %s/slow_program.py %d %d' % (
        out, sys.executable, os.path.dirname(__file__), len(data), 170 if interrupted else 2000)
    cat = Cat('-l', *[o for o in options if o != 'signal'], '127.0.0.1', '0', '-c', program)
    peer = dial(cat)
    peer.sendall(data)
    peer.shutdown(socket.SHUT_WR)
    check(to_end(peer), b'')
    if interrupted:
        cat.send(signal.SIGTERM)
        cat.end(-signal.SIGTERM)
        check(read(out), b'')
    else:
        cat.end()
        check(read(out) == data, True)


def to_output():
    """The reader of standard output answers, by standard input, when it has read all."""
    data = os.urandom(900_000)
    r, w = os.pipe()
    back_r, back_w = os.pipe()
    listener = tcp()
    cat = Cat('--idle-timeout', LIMIT_ARG, '127.0.0.1', str(listener.getsockname()[1]), stdin=back_r, stdout=w)
    os.close(w)
    os.close(back_r)
    peer = accept(listener)
    peer.sendall(data)
    got = exactly_slowly(lambda n: os.read(r, n), len(data), (10_000, 0.05))
    check(got == data, True)
    os.write(back_w, b'thanks')
    check(exactly(peer, 6), b'thanks')
    os.close(back_w)
    peer.close()
    cat.end()


def to_other():
    """--to: the other side of the listener is slow."""
    listener = narrow(tcp())
    cat = Cat('-l', '--idle-timeout', LIMIT_ARG, '--to', '127.0.0.1:%d' % listener.getsockname()[1], '127.0.0.1', '0')
    client = dial(cat)
    target = accept(listener)
    data = os.urandom(TOTAL)
    client.sendall(data)
    got = exactly_slowly(target.recv, len(data))
    check(got == data, True)
    target.sendall(b'answer')
    target.close()
    check(to_end(client), b'answer')
    client.close()
    cat.end()


def to_echo(*options):
    """A mirror's client reads slowly what it has sent."""
    cat = Cat('-l', *options, '--echo', '--idle-timeout', LIMIT_ARG, '127.0.0.1', '0')
    client = dial(cat, room=32768)
    data = os.urandom(TOTAL)
    sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)), daemon=True)
    sender.start()
    got = slowly(client.recv)
    sender.join()
    check(got == data, True)
    client.close()
    cat.end()


def to_all():
    """A broker's publisher waits for a slow reader."""
    cat = Cat('-l', '-k', '--broker', '--slow=wait', '--queue', '64k', '--max-accepts', '2', '--idle-timeout',
              LIMIT_ARG, '127.0.0.1', '0')
    reader = dial(cat, room=32768)
    publisher = dial(cat)
    data = os.urandom(2 * TOTAL)

    def speak():
        publisher.sendall(data)
        publisher.shutdown(socket.SHUT_WR)
        to_end(publisher)

    thread = threading.Thread(target=speak, daemon=True)
    thread.start()
    got = exactly_slowly(reader.recv, len(data))
    check(got == data, True)
    reader.shutdown(socket.SHUT_WR)
    check(to_end(reader), b'')
    thread.join()
    cat.end()


def to_shared_output():
    """Clients that share standard output wait for its slow reader, one behind the other."""
    r, w = os.pipe()
    cat = Cat('-l', '-k', '-d', '--idle-timeout', LIMIT_ARG, '--max-accepts', '2', '127.0.0.1', '0', stdout=w)
    os.close(w)
    clients = [dial(cat), dial(cat)]
    parts = [b'a' * 600_000, b'b' * 600_000]

    def speak(i):
        clients[i].sendall(parts[i])
        clients[i].shutdown(socket.SHUT_WR)
        to_end(clients[i])

    threads = [threading.Thread(target=speak, args=(i,), daemon=True) for i in (0, 1)]
    for thread in threads:
        thread.start()
    got = slowly(lambda n: os.read(r, n), (10_000, 0.05))
    check([got.count(b'a'), got.count(b'b')], [600_000, 600_000])
    for thread in threads:
        thread.join()
    cat.end()


def after_failure():
    """Standard output fails while the peer still takes what was sent: it gets all of that."""
    listener = narrow(tcp())
    r, w = os.pipe()
    in_r, in_w = os.pipe()
    cat = Cat('-v', '127.0.0.1', str(listener.getsockname()[1]), stdin=in_r, stdout=w)
    os.close(w)
    threading.Thread(target=lambda: os.write(in_w, os.urandom(TOTAL)), daemon=True).start()
    peer = accept(listener)
    got = len(peer.recv(1000))
    os.close(r)
    peer.sendall(b'not read by it')
    try:
        while part := peer.recv(STEP[0]):
            got += len(part)
            time.sleep(STEP[1])
        sys.exit('the end looks like a good one')
    except ConnectionResetError:
        pass
    cat.end(23)
    sent = re.search(r'closed .*: ([0-9]+) bytes sent', cat.errors())
    check(got, int(sent.group(1)), cat.errors())


def stalls(*words):
    """A reader that takes nothing: the limit ends it."""
    kind, *options = words
    if kind == 'unix':
        listener = unix(name=T + '/socket')
        listener.listen(1)
        where = ['-U', T + '/socket']
    else:
        listener = narrow(tcp())
        where = ['127.0.0.1', str(listener.getsockname()[1])]
    cat = Cat(*options, *where, stdin=open(content(TOTAL)))
    peer = accept(listener)
    first = peer.recv(1000)
    check(len(first) > 0, True)
    if '-q' in options:
        cat.fail(55, r'send to [^:]*:?.*: [1-9][0-9]* bytes (could not be sent|were not acknowledged) for 1500 ms')
    else:
        cat.fail(28, 'nothing moved for 1500 ms')


def stalled_program():
    cat = Cat('-l', '--idle-timeout', LIMIT_ARG, '127.0.0.1', '0', '-c', 'sleep 1000')
    peer = dial(cat)
    peer.sendall(os.urandom(100_000))
    cat.end(28)
    check('nothing moved for 1500 ms' in cat.errors(), True, cat.errors())


if __name__ == '__main__':
    main()
