"""Key updates of TLS 1.3, by the library itself: Python's ssl has none."""
import ctypes
import os
import random
import select
import socket
import subprocess
import sys

from drive import accept, Cat, check, dial, main, PATIENCE, Patience, T, tcp

C = os.environ['CERTIFICATES']
SIZE = 400000
# SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_3_VERSION; SSL_KEY_UPDATE_REQUESTED; SSL_FILETYPE_PEM;
# SSL_ERROR_WANT_READ, SSL_ERROR_ZERO_RETURN.
MIN_VERSION, TLS13, REQUESTED, PEM, WANT_READ, ENDED = 123, 0x304, 1, 1, 2, 6


def library():
    """libssl and libcrypto."""
    ssl, crypto = ctypes.CDLL('libssl.so.3'), ctypes.CDLL('libcrypto.so.3')
    for name in ('TLS_server_method', 'TLS_client_method', 'SSL_CTX_new', 'SSL_new'):
        getattr(ssl, name).restype = ctypes.c_void_p
    for name in ('BIO_new', 'BIO_s_mem'):
        getattr(crypto, name).restype = ctypes.c_void_p
    return ssl, crypto


SSL, CRYPTO = library()


class Peer:
    """One side of TLS 1.3 over a socket that does not block; what it has to send waits in `out`."""

    def __init__(self, s, server):
        self.s, self.out, self.got, self.ended = s, b'', b'', False
        context = ctypes.c_void_p(SSL.SSL_CTX_new(ctypes.c_void_p(SSL.TLS_server_method() if server else SSL.TLS_client_method())))
        SSL.SSL_CTX_ctrl(context, MIN_VERSION, ctypes.c_long(TLS13), None)
        SSL.SSL_CTX_set_num_tickets(context, ctypes.c_size_t(0))
        if server:
            check(SSL.SSL_CTX_use_certificate_file(context, (C + '/good.crt').encode(), PEM), 1)
            check(SSL.SSL_CTX_use_PrivateKey_file(context, (C + '/good.key').encode(), PEM), 1)
        self.ssl = ctypes.c_void_p(SSL.SSL_new(context))
        self.inner, self.outer = (ctypes.c_void_p(CRYPTO.BIO_new(ctypes.c_void_p(CRYPTO.BIO_s_mem()))) for _ in range(2))
        for bio in (self.inner, self.outer):
            # BIO_C_SET_BUF_MEM_EOF_RETURN: an empty one is no end.
            CRYPTO.BIO_ctrl(bio, 130, ctypes.c_long(-1), None)
        SSL.SSL_set_bio(self.ssl, self.inner, self.outer)
        (SSL.SSL_set_accept_state if server else SSL.SSL_set_connect_state)(self.ssl)
        self.space = ctypes.create_string_buffer(65536)
        self.s.setblocking(False)
        self.step(lambda: SSL.SSL_do_handshake(self.ssl) == 1)

    def error(self, n):
        return SSL.SSL_get_error(self.ssl, n)

    def fetch(self):
        """What the library has to send."""
        while (n := CRYPTO.BIO_read(self.outer, self.space, len(self.space))) > 0:
            self.out += self.space.raw[:n]

    def turn(self, reads=True):
        """Send and receive what goes at once, after a wait."""
        self.fetch()
        select.select([self.s] if reads else [], [self.s] if self.out else [], [], 0.05)
        if self.out:
            try:
                self.out = self.out[self.s.send(self.out[:65536]):]
            except BlockingIOError:
                pass
        if reads:
            try:
                data = self.s.recv(65536)
                if not data and not self.ended:
                    sys.exit('the end without close_notify')
                CRYPTO.BIO_write(self.inner, data, len(data))
            except BlockingIOError:
                pass
            while (n := SSL.SSL_read(self.ssl, self.space, len(self.space))) > 0:
                self.got += self.space.raw[:n]
            error = self.error(n)
            self.ended |= error == ENDED
            if error not in (WANT_READ, ENDED):
                sys.exit('SSL_read: %d' % error)

    def step(self, done, reads=True):
        """Turns until it is done, and all is sent."""
        patience = Patience()
        while not done() or self.out:
            if not patience:
                sys.exit('in vain: %d to send, %d received' % (len(self.out), len(self.got)))
            self.turn(reads)
            self.fetch()

    def write(self, data):
        if data:
            check(SSL.SSL_write(self.ssl, data, len(data)), len(data))
        self.fetch()

    def update(self):
        """A key update that demands one of the other side."""
        check(SSL.SSL_key_update(self.ssl, REQUESTED), 1)
        check(SSL.SSL_do_handshake(self.ssl), 1)
        self.fetch()

    def shut(self):
        SSL.SSL_shutdown(self.ssl)
        self.fetch()


def small(s):
    """Little fits into the kernel on this side."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return s


def run(role, *options, stdin=subprocess.DEVNULL):
    """A sockcat in this role with small buffers, and its peer."""
    options += ('-I', '4096', '-O', '4096', '--ssl')
    if role == 'client':
        there = small(tcp())
        cat = Cat(*options, '--ssl-trustfile', C + '/root.crt', '-4', 'localhost', str(there.getsockname()[1]), stdin=stdin)
        return cat, Peer(accept(there), True)
    cat = Cat('-l', *options, '--ssl-cert', C + '/good.crt', '--ssl-key', C + '/good.key', '127.0.0.1', '0', stdin=stdin)
    return cat, Peer(small(dial(cat, room=4096)), False)


def errors(cat):
    return [line for line in cat.errors().splitlines() if ': listening on ' not in line]


def both_ways(role):
    """Data goes both ways with a key update after every few records, through small buffers: all of it arrives."""
    data = [random.randbytes(SIZE) for _ in range(2)]
    with open(T + '/keys', 'wb') as file:
        file.write(data[0])
    with open(T + '/keys', 'rb') as file:
        cat, peer = run(role, stdin=file)
    for at in range(0, SIZE, 5000):
        peer.write(data[1][at:at + 5000])
        peer.update()
        peer.turn()
    peer.shut()
    peer.step(lambda: peer.ended)
    check(peer.got == data[0], True)
    check(cat.end() == data[1], True)
    check(errors(cat), [])


def unread(role):
    """A peer demands more answers than there is room for, and does not read before all is sent that can be: sockcat
    reads no more meanwhile, keeps little, and then all arrives."""
    cat, peer = run(role, stdin=subprocess.PIPE)
    before = cat.resident()
    for _ in range(200):
        for _ in range(100):
            peer.update()
        peer.write(b'x' * 100)
    peer.shut()
    patience, left = Patience(), None
    # Nothing moves any more: sockcat waits for room.
    while patience and left != len(peer.out):
        left = len(peer.out)
        for _ in range(3):
            peer.turn(reads=False)
        cat.rest()
    check(left > 0, True, 'all was taken')
    # A sanitizer keeps what is freed.
    check(PATIENCE > 1 or cat.resident() - before < 1 << 20, True, 'memory')
    cat.rest()
    check(cat.state(), 'S')
    cat.process.stdin.close()
    peer.step(lambda: peer.ended)
    check(cat.end(), b'x' * 20000)
    check(errors(cat), [])


main()
