"""Failures that several calls could report, and which one ends the session.

causes.py CASE [ARG...], with the helper's drive.
"""
import os
import socket
import subprocess
import time

from drive import accept, Cat, check, main, shim, tcp


def attempts():
    """A name with three addresses, of which the last one answers."""
    listener = socket.create_server(('127.1.0.3', 0))
    port = str(listener.getsockname()[1])
    for verbose, count in ('-v', 0), ('-vv', 2):
        cat = Cat('-d', verbose, 'many.test', port, env=shim('getaddrinfo:addresses=3:*'))
        peer, _ = listener.accept()
        peer.close()
        cat.end()
        check(cat.errors().count('refused'), count, cat.errors())


def client(rules, *options, stdin=subprocess.DEVNULL):
    """A sockcat for which the rules hold, and its peer."""
    listener = tcp()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
    cat = Cat(*options, '127.0.0.1', str(listener.getsockname()[1]), stdin=stdin, env=shim(rules))
    return cat, accept(listener)


def by_read():
    """A read meets the reset while something that was read of the input is not sent."""
    r, w = os.pipe()
    cat, peer = client('recvmsg:ECONNRESET:*', '--no-splice', stdin=r)
    os.set_blocking(w, False)
    idle = 0
    while idle < 50:
        try:
            os.write(w, b'x' * 65536)
            idle = 0
        except BlockingIOError:
            idle += 1
            time.sleep(0.01)
    peer.sendall(b'x')
    cat.fail(55, 'send to 127.*: Connection reset by peer')


def by_write():
    """A write meets it."""
    r, w = os.pipe()
    cat, peer = client('sendmsg:ECONNRESET:*', stdin=r)
    os.write(w, b'x')
    cat.fail(55, 'send to 127.*: Connection reset by peer')


def by_idle_read():
    """A read meets it when all of the input has been sent."""
    r, w = os.pipe()
    cat, peer = client('recvmsg:ECONNRESET:*', stdin=r)
    os.write(w, b'x')
    check(peer.recv(1), b'x')
    peer.sendall(b'x')
    cat.fail(56, 'receive from 127.*: Connection reset by peer')


def by_shut():
    """The end of the input meets it: all was handed over before, and the peer could still send."""
    r, w = os.pipe()
    cat, peer = client('shutdown:ECONNRESET:1', stdin=r)
    os.write(w, b'x')
    check(peer.recv(1), b'x')
    os.close(w)
    os.close(r)
    cat.fail(56, 'receive from 127.*: Connection reset by peer')


def by_late_shut():
    """The same when the peer has ended: only sending can fail."""
    r, w = os.pipe()
    out_r, out_w = os.pipe()
    listener = tcp()
    cat = Cat('127.0.0.1', str(listener.getsockname()[1]), stdin=r, stdout=out_w, env=shim('shutdown:ECONNRESET:1'))
    peer = accept(listener)
    os.close(out_w)
    peer.shutdown(socket.SHUT_WR)
    # Standard output is closed behind the peer's end.
    check(os.read(out_r, 1), b'')
    os.close(w)
    cat.end(55)
    check('send to 127' in cat.errors(), True, cat.errors())


if __name__ == '__main__':
    main()
