"""TLS on one side of --to, or on both."""
import contextlib
import hashlib
import random
import re
import socket
import ssl
import struct
import subprocess
import sys

from drive import accept, Cat, check, dial, main, T, tcp, to_end
from tls import BIG, C, client_context, listener, Peer, ROOT, server_context, serving

OWN = ('--ssl', '--ssl-cert', C + '/good.crt', '--ssl-key', C + '/good.key')


def strict(context):
    """Have the end of a connection without close_notify be an error, which Python ignores."""
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


class Plain:
    """An end without TLS, with the operations of Secure."""

    def __init__(self, s):
        self.s = s

    def send(self, data):
        self.s.sendall(data)

    def finish(self):
        self.s.shutdown(socket.SHUT_WR)

    cut = finish

    def rest(self):
        return to_end(self.s)


class Secure(Plain):
    """An end with TLS."""

    def __init__(self, peer):
        super().__init__(peer.s)
        self.peer = peer

    def send(self, data):
        self.s.sendall(b''.join(self.peer.records(data, notify=False)))

    def finish(self):
        self.s.sendall(b''.join(self.peer.records()))

    def rest(self):
        return self.peer.rest()


def join(here, there, *options, context=None):
    """A listener in front of a server, each with TLS or without: the listener, the client's end, the server's."""
    far = tcp()
    cat = Cat('-l', *(OWN if here else ()), *(ROOT if there else ()), *options, '127.0.0.1', '0',
              '--to', '%s://127.0.0.1:%d' % ('tls' if there else 'tcp', far.getsockname()[1]))
    take = serving(far, context or strict(server_context())) if there else None
    s = dial(cat)
    near = Secure(Peer(s, strict(client_context()), False).handshake()) if here else Plain(s)
    return cat, near, Secure(take()) if there else Plain(accept(far))


SIDES = ((True, False), (False, True), (True, True))


def unclean(end):
    """The data up to an end that is not clean."""
    got = b''
    try:
        while part := end.peer.read() if isinstance(end, Secure) else end.s.recv(65536):
            got += part
    except (ssl.SSLError, OSError):
        return got
    sys.exit('a clean end after %r' % got)


def converse(one, other):
    """The end of one side arrives at the other, and the answer after it."""
    one.send(b'question')
    one.finish()
    check(other.rest(), b'question')
    other.send(b'answer')
    other.finish()
    check(one.rest(), b'answer')
    one.s.close()
    other.s.close()


def half_close():
    """The end of either side is an end at the other, and the answer comes after it."""
    for sides in SIDES:
        for swap in False, True:
            cat, near, far = join(*sides)
            one, other = (far, near) if swap else (near, far)
            converse(one, other)
            cat.end()


def cut():
    """A side that is cut is status 18, and no end at the other side."""
    for sides in SIDES:
        for swap in False, True:
            if not sides[swap]:
                continue
            cat, near, far = join(*sides)
            one, other = (far, near) if swap else (near, far)
            one.send(b'part')
            one.cut()
            check(unclean(other), b'part', (sides, swap))
            cat.end(18)
            check(len(re.findall('without close_notify after 4 bytes\n', cat.errors())), 1, cat.errors())


def reset():
    """A side that is reset is status 56 or 55, and no end at the other side."""
    for sides in SIDES:
        for swap in False, True:
            cat, near, far = join(*sides)
            one, other = (far, near) if swap else (near, far)
            one.send(b'part')
            check(other.peer.read() if isinstance(other, Secure) else other.s.recv(100), b'part')
            one.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            one.s.close()
            check(unclean(other), b'', (sides, swap))
            cat.end(56)
            check('Connection reset by peer' in cat.errors(), True, cat.errors())


def big():
    """Much goes both ways at once, between two sockcats with a third between them."""
    data = [random.randbytes(BIG) for _ in range(2)]
    for i in range(2):
        with open('%s/data%d' % (T, i), 'wb') as file:
            file.write(data[i])
    for here, there in SIDES:
        with open(T + '/data0', 'rb') as first, open(T + '/data1', 'rb') as second:
            far = listener(stdin=first) if there else Cat('-l', '127.0.0.1', '0', stdin=first)
            cat = Cat('-l', *(OWN if here else ()), *(ROOT if there else ()), '127.0.0.1', '0',
                      '--to', '%s://127.0.0.1:%s' % ('tls' if there else 'tcp', far.where))
            near = Cat(*(('--ssl', *ROOT) if here else ()), '127.0.0.1', cat.where, stdin=second)
            check(hashlib.sha256(near.end()).digest(), hashlib.sha256(data[0]).digest())
            check(hashlib.sha256(far.end()).digest(), hashlib.sha256(data[1]).digest())
            cat.end()


def refused():
    """A target that is not verified gets nothing, its client is reset, and the next one is served."""
    for here in False, True:
        far = tcp()
        cat = Cat('-l', '-k', '--max-accepts', '2', *(OWN if here else ()), *ROOT, '127.0.0.1', '0',
                  '--to', 'tls://127.0.0.1:%d' % far.getsockname()[1])
        for name in 'untrusted', 'good':
            take = serving(far, strict(server_context(name)))
            near, sent = None, False
            try:
                s = dial(cat)  # which may meet the reset, too
                near = Secure(Peer(s, strict(client_context()), False).handshake()) if here else Plain(s)
                near.send(b'question')
                near.finish()
                sent = True
                there = Secure(take())
                got = there.rest()
            except (ssl.SSLError, OSError) as error:
                check(name, 'untrusted', (error, cat.errors()))
                # A reset that a write has met is not seen by a read.
                check(unclean(near) if sent else b'', b'')
                continue
            check(got, b'question')
            there.finish()
            check(near.rest(), b'')
            there.s.close()
            near.s.close()
        cat.end(104)
        check(len(re.findall('^sockcat: verify the certificate of 127.0.0.1:[0-9]+: ', cat.errors(), re.M)), 1,
              cat.errors())


def plain_target():
    """A target that does not speak TLS is status 35."""
    far = tcp()
    cat = Cat('-l', '127.0.0.1', '0', '--to', 'tls://127.0.0.1:%d' % far.getsockname()[1])
    near = Plain(dial(cat))
    there = accept(far)
    there.sendall(b'220 hello\r\n')
    check(unclean(near), b'')
    cat.end(35)
    check("does not speak TLS; it sent '220 hello'" in cat.errors(), True, cat.errors())


def slow_target():
    """The time of --wait is that of the handshake with the target, too."""
    far = tcp()
    cat = Cat('-l', '--wait', '0.2', '127.0.0.1', '0', '--to', 'tls://127.0.0.1:%d' % far.getsockname()[1])
    near = Plain(dial(cat))
    there = accept(far)
    check(unclean(near), b'')
    cat.end(28)
    there.close()


def own_certificate():
    """A listener without TLS has a certificate for the target; one with TLS uses it for itself."""
    own = ('--ssl-cert', C + '/client.crt', '--ssl-key', C + '/client.key')
    cat, near, far = join(False, True, *own, context=strict(server_context(clients=True)))
    check(dict(part[0] for part in far.peer.tls.getpeercert()['subject'])['commonName'], 'client')
    near.finish()
    far.finish()
    check(near.rest(), b'')
    cat.end()
    far = tcp()
    cat = Cat('-l', *OWN, *ROOT, '127.0.0.1', '0', '--to', 'tls://127.0.0.1:%d' % far.getsockname()[1])
    take = serving(far, strict(server_context(clients=True)))
    near = Peer(dial(cat), strict(client_context()), False).handshake()
    with contextlib.suppress(ssl.SSLError, OSError):
        take()
        sys.exit('a handshake without a certificate')
    check(unclean(Secure(near)), b'')
    cat.end(35)
    check('it requires a client certificate' in cat.errors(), True, cat.errors())


def client_certificates():
    """A listener that demands certificates trusts the same file as its own side to the target."""
    cat = Cat('-l', *OWN, '--ssl-verify', *ROOT, '127.0.0.1', '0', '--to', 'tls://127.0.0.1:%d' % 9)
    with contextlib.suppress(ssl.SSLError, OSError):
        near = Peer(dial(cat), strict(client_context()), False).handshake()
        near.rest()
        sys.exit('a session without a certificate')
    cat.end(35)


def without_listener():
    """Two servers with TLS are joined."""
    one, other = tcp(), tcp()
    take, take_other = serving(one, strict(server_context())), serving(other, strict(server_context()))
    cat = Cat(*ROOT, 'tls://127.0.0.1:%d' % one.getsockname()[1],
              '--to', 'tls://127.0.0.1:%d' % other.getsockname()[1])
    near, far = Secure(take()), Secure(take_other())
    converse(near, far)
    cat.end()


def verified(status, message, *options):
    """The options are those of the verification of the target."""
    far = tcp()
    cat = Cat('-l', *options, '127.0.0.1', '0', '--to', 'tls://127.0.0.1:%d' % far.getsockname()[1],
              stdin=subprocess.DEVNULL)
    take = serving(far, strict(server_context()))
    try:
        near = Plain(dial(cat))
        near.finish()
        there = take()
        there.s.sendall(b''.join(there.records(b'hello')))
        got = near.rest()
    except (ssl.SSLError, OSError):
        got = None
    cat.end(int(status))
    check(got, b'hello' if status == '0' else None)
    check(bool(re.search(message, cat.errors())), True, cat.errors())


if __name__ == '__main__':
    main()
