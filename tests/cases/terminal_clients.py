"""What several clients of a listener send, as a terminal shows it.

terminal_clients.py CASE [ARG...], with the helper's drive.
"""
import os
import socket

from drive import Cat, check, dial, main, pour, raw_pty, reset, shown, to_end


def start(*options, count=2):
    """A listener whose output is a terminal: it, the terminal, and clients."""
    master, slave = raw_pty()
    kind = socket.SOCK_DGRAM if '-u' in options else socket.SOCK_STREAM
    cat = Cat('-l', '-k', *options, '127.0.0.1', '0', stdout=slave)
    os.close(slave)
    clients = [dial(cat, kind=kind) for _ in range(count)]
    return cat, master, clients


def expect(master, wanted):
    check(shown(master, wanted), wanted)


def halves(*options):
    """One sends the first byte of a character, another what could be the second."""
    cat, master, (a, b) = start(*options)
    a.sendall(b'a\xc3')
    expect(master, b'a')
    b.sendall(b'\xa9b')
    expect(master, b'\\xa9b')
    a.sendall(b'\xa9a')
    expect(master, b'\xc3\xa9a')


def returns():
    """A CR of one and an LF of another are no line end."""
    cat, master, (a, b) = start()
    a.sendall(b'a\r')
    expect(master, b'a')
    b.sendall(b'\nb')
    expect(master, b'\nb')
    a.sendall(b'c')
    expect(master, b'^Mc')


def ends(*options):
    """The part of a character is shown when its client ends, or is reset."""
    cat, master, (a, b) = start(*options)
    a.sendall(b'a\xe2\x82')
    expect(master, b'a')
    b.sendall(b'b')
    expect(master, b'b')
    a.shutdown(socket.SHUT_WR)
    expect(master, b'\\xe2\\x82')
    b.sendall(b'c\xf0\x9f')
    expect(master, b'c')
    reset(b)
    expect(master, b'\\xf0\\x9f')


def ends_late():
    """The same while the terminal takes nothing, and another client writes to it."""
    cat, master, (a, b) = start()
    a.sendall(b'a\xe2\x82')
    expect(master, b'a')
    sent = pour(b, 2_000_000)
    a.shutdown(socket.SHUT_WR)
    b.shutdown(socket.SHUT_WR)
    got = shown(master, b'x' * sent + b'\\xe2\\x82')
    check([got.count(b'x') - 2, got.count(b'\\xe2\\x82')], [sent, 1])
    check(to_end(a), b'')
    check(to_end(b), b'')


def last(*options):
    """A listener that ends shows it, too."""
    cat, master, (a,) = start('--max-accepts', '1', *options, count=1)
    a.sendall(b'a\xe2\x82')
    expect(master, b'a')
    a.shutdown(socket.SHUT_WR)
    expect(master, b'\\xe2\\x82')
    cat.end()


if __name__ == '__main__':
    main()
