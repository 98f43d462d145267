"""One side of DTLS by libssl, record by record, and a network that loses datagrams."""
import ctypes
import os
import select
import socket
import sys
import threading

from drive import check, Patience, udp

C = os.environ['CERTIFICATES']
# SSL_FILETYPE_PEM; SSL_OP_NO_QUERY_MTU; SSL_CTRL_SET_MTU, DTLS_CTRL_HANDLE_TIMEOUT; SSL_ERROR_WANT_READ,
# SSL_ERROR_ZERO_RETURN; SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT.
PEM, NO_QUERY_MTU, SET_MTU, HANDLE_TIMEOUT, WANT_READ, ENDED, DEMANDS = 1, 0x1000, 17, 74, 2, 6, 3
SET_CONNECTED = 32  # BIO_CTRL_DGRAM_SET_CONNECTED


def library():
    """libssl and libcrypto."""
    ssl, crypto = ctypes.CDLL('libssl.so.3'), ctypes.CDLL('libcrypto.so.3')
    for name in ('DTLS_server_method', 'DTLS_client_method', 'SSL_CTX_new', 'SSL_new'):
        getattr(ssl, name).restype = ctypes.c_void_p
    crypto.BIO_new_dgram.restype = crypto.BIO_ADDR_new.restype = ctypes.c_void_p
    return ssl, crypto


SSL, CRYPTO = library()


class Dtls:
    """A server on a socket, with the first client that sends, or a client of an address."""

    def __init__(self, s, to=None, name='good', demands=False, alpn=b''):
        self.s = s
        server = to is None
        if server:
            to = s.recvfrom(1, socket.MSG_PEEK)[1]
        s.connect(to)
        s.setblocking(False)
        context = ctypes.c_void_p(SSL.SSL_CTX_new(ctypes.c_void_p(
            SSL.DTLS_server_method() if server else SSL.DTLS_client_method())))
        if server or name != 'good':
            check(SSL.SSL_CTX_use_certificate_chain_file(context, ('%s/%s.crt' % (C, name)).encode()), 1)
            check(SSL.SSL_CTX_use_PrivateKey_file(context, ('%s/%s.key' % (C, name)).encode(), PEM), 1)
        if demands:
            check(SSL.SSL_CTX_load_verify_locations(context, (C + '/root.crt').encode(), None), 1)
            SSL.SSL_CTX_set_verify(context, DEMANDS, None)
        SSL.SSL_CTX_set_alpn_protos(context, alpn, len(alpn))
        self.ssl = ctypes.c_void_p(SSL.SSL_new(context))
        SSL.SSL_set_options(self.ssl, ctypes.c_uint64(NO_QUERY_MTU))
        SSL.SSL_ctrl(self.ssl, SET_MTU, ctypes.c_long(1400), None)
        bio = ctypes.c_void_p(CRYPTO.BIO_new_dgram(s.fileno(), 0))
        # The socket is connected, whatever the address.
        CRYPTO.BIO_ctrl(bio, SET_CONNECTED, ctypes.c_long(0), ctypes.c_void_p(CRYPTO.BIO_ADDR_new()))
        SSL.SSL_set_bio(self.ssl, bio, bio)
        (SSL.SSL_set_accept_state if server else SSL.SSL_set_connect_state)(self.ssl)
        self.space = ctypes.create_string_buffer(65536)

    def do(self, call):
        """Call until it returns more than 0; that, or 0 at close_notify, or -1 after a failure."""
        patience = Patience()
        while (n := call()) <= 0:
            error = SSL.SSL_get_error(self.ssl, n)
            if error != WANT_READ:
                return 0 if error == ENDED else -1
            if not patience:
                sys.exit('the peer waits in vain')
            select.select([self.s], [], [], 0.05)
            SSL.SSL_ctrl(self.ssl, HANDLE_TIMEOUT, ctypes.c_long(0), None)
        return n

    def handshake(self, result=1):
        check(self.do(lambda: SSL.SSL_do_handshake(self.ssl)), result, 'handshake of the peer')
        return self

    def read(self):
        """A record; empty: the other side has closed."""
        n = self.do(lambda: SSL.SSL_read(self.ssl, self.space, len(self.space)))
        if n < 0:
            sys.exit('the peer cannot read')
        return self.space.raw[:n]

    def write(self, *records):
        for record in records:
            check(self.do(lambda: SSL.SSL_write(self.ssl, record, len(record))), len(record))

    def close(self):
        """Send close_notify."""
        SSL.SSL_shutdown(self.ssl)


class Network:
    """Between a client and a server at an address. A rule gets the direction, '>' to the server or '<', the
    number of the datagram in it, from 0, and the datagram, and returns those that go on. All are in `passed`."""

    def __init__(self, server, rule=lambda way, number, data: [data]):
        self.front, self.back, self.rule, self.passed, self.client = udp(), udp(), rule, [], None
        self.counts = {'>': 0, '<': 0}
        self.back.connect(server)
        self.port = self.front.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            for s in select.select([self.front, self.back], [], [])[0]:
                way = '>' if s is self.front else '<'
                try:
                    data, sender = s.recvfrom(65536)
                except ConnectionRefusedError:
                    continue
                if way == '>':
                    self.client = sender
                number = self.counts[way]
                self.counts[way] += 1
                for one in self.rule(way, number, data):
                    self.passed.append((way, one))
                    self.send(way, one)

    def send(self, way, data):
        try:
            if way == '>':
                self.back.send(data)
            else:
                self.front.sendto(data, self.client)
        except ConnectionRefusedError:
            pass
