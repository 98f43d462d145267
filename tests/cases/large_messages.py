"""Unix messages above 64 KiB: large_messages.py KIND WAY, KIND datagram or seqpacket."""
import os
import random
import select
import socket
import struct
import sys

from drive import accept, Cat, check, exactly, LIMIT, T, unix, until

KIND = {'datagram': socket.SOCK_DGRAM, 'seqpacket': socket.SOCK_SEQPACKET}[sys.argv[1]]
OPTIONS = ['-U', '-u' if KIND == socket.SOCK_DGRAM else '--seqpacket']
SIZES = 1, 65536, 65537, 200000, 2
MESSAGES = [random.Random(size).randbytes(size) for size in SIZES]
PATH = T + '/socket'


def u32(message):
    return struct.pack('>I', len(message)) + message


def written(messages):
    """A file of length-prefixed messages, open for reading."""
    with open(T + '/in', 'wb') as file:
        file.write(b''.join(map(u32, messages)))
    return open(T + '/in', 'rb')


def listen():
    s = unix(KIND, PATH)
    if KIND == socket.SOCK_SEQPACKET:
        s.listen(5)
    return s


def send(cat, messages):
    s = unix(KIND)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    s.connect(cat.where)
    for message in messages:
        s.send(message)
    return s


def sent():
    """Frames of standard input become messages."""
    listener = listen()
    cat = Cat(*OPTIONS, '--send-only', '--stdin-frame', 'u32be', PATH, stdin=written(MESSAGES))
    s = listener if KIND == socket.SOCK_DGRAM else accept(listener)
    for message in MESSAGES:
        check(s.recv(1 << 20) == message, True, '%d bytes' % len(message))
    cat.end()


def sent_by_message():
    """Messages of standard input, as they come."""
    listener, (mine, yours) = listen(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    cat = Cat(*OPTIONS, '--send-only', PATH, stdin=yours)
    yours.close()
    s = listener if KIND == socket.SOCK_DGRAM else accept(listener)
    for message in MESSAGES:
        mine.send(message)
        check(s.recv(1 << 20) == message, True, '%d bytes' % len(message))
    mine.close()
    cat.end()


def sent_to_all():
    """Standard input of a listener with -k."""
    mine, yours = socket.socketpair()
    mine.settimeout(LIMIT)
    cat = Cat('-l', '-k', *OPTIONS, '--stdin-frame', 'u32be', '--stdout-frame', 'u32be', PATH, stdin=yours)
    s = unix(KIND, T + '/client')
    s.connect(PATH)
    s.send(b'here')
    cat.await_output(u32(b'here'))
    for message in MESSAGES:
        mine.sendall(u32(message))
        check(s.recv(1 << 20) == message, True, '%d bytes' % len(message))


def received(*options):
    cat = Cat('-l', '-d', *OPTIONS, *options, '--stdout-frame', 'u32be', PATH)
    wanted, s = b'', None
    for message in MESSAGES + [MESSAGES[3] + MESSAGES[1] * 2]:
        s = s or send(cat, [])
        s.send(message)
        wanted += u32(message)
        cat.await_output(wanted)


def received_by_many():
    received('-k')


def received_as_bytes():
    cat = Cat('-l', '-d', *OPTIONS, PATH)
    s = send(cat, MESSAGES[2:4])
    cat.await_output(b''.join(MESSAGES[2:4]))
    s.send(bytes(300000))
    cat.await_output(b''.join(MESSAGES[2:4]) + bytes(300000))


def echoed(*options):
    cat = Cat('-l', '--echo', *OPTIONS, *options, PATH)
    s = unix(KIND, T + '/client')
    s.connect(cat.where)
    for message in MESSAGES:
        s.send(message)
        check(s.recv(1 << 20) == message, True, '%d bytes' % len(message))


def echoed_to_many():
    echoed('-k')


def relayed():
    """By --to, to and from a stream."""
    listener = unix(socket.SOCK_STREAM, PATH)
    listener.listen(5)
    cat = Cat('-l', '-k', *OPTIONS, '--stdio-frame', 'u32be', '--to', 'unix:' + PATH, T + '/front')
    client = unix(KIND, T + '/client')
    client.connect(cat.where)
    client.send(b'first')
    s = accept(listener)
    check(exactly(s, 9), u32(b'first'))
    for message in MESSAGES:
        client.send(message)
        check(exactly(s, len(message) + 4) == u32(message), True, '%d bytes' % len(message))
        s.sendall(u32(message))
        check(client.recv(1 << 20) == message, True, '%d bytes back' % len(message))


def brokered():
    cat = Cat('-l', '-k', '--broker', *OPTIONS, PATH)
    one, other = unix(KIND, T + '/one'), unix(KIND, T + '/other')
    other.connect(cat.where)
    if KIND == socket.SOCK_DGRAM:
        other.send(b'here')
    one.connect(cat.where)
    if KIND == socket.SOCK_SEQPACKET:  # both are in when one hears the other
        one.send(b'here')
        until(lambda: select.select([other], [], [], 0.01)[0] or not one.send(b'here'), 'the other')
    for message in MESSAGES:
        one.send(message)
        got = other.recv(1 << 20)
        while got == b'here':
            got = other.recv(1 << 20)
        check(got == message, True, '%d bytes' % len(message))


def recorded():
    """A layer around the socket."""
    received('-o', '%s/dump%d' % (T, KIND))


def to_standard_output():
    """A socket that keeps messages as standard output."""
    mine, yours = socket.socketpair(socket.AF_UNIX, KIND)
    mine.settimeout(LIMIT)
    cat = Cat('-l', '-d', *OPTIONS, PATH, stdout=yours)
    s = send(cat, [])
    for message in MESSAGES:
        s.send(message)
        check(mine.recv(1 << 20) == message, True, '%d bytes' % len(message))


def too_large():
    """The message names the limit, which depends on the send buffer."""
    for options, limit in ((['-O', '100000'], 200000 - 32), ([], unix(KIND).getsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF) - 32)):
        listener = listen()
        cat = Cat(*OPTIONS, *options, '--send-only', '--stdin-frame', 'u32be', PATH,
                  stdin=written([b'a', bytes(limit), bytes(limit + 1)]))
        cat_peer = listener if KIND == socket.SOCK_DGRAM else accept(listener)
        check(len(cat_peer.recv(1 << 20)), 1)
        check(len(cat_peer.recv(1 << 20)), limit)
        cat.fail(102, 'message 3 from stdin: more than the socket takes.*at most %d bytes' % limit)
        listener.close()
        os.unlink(PATH)


globals()[sys.argv[2]]()
