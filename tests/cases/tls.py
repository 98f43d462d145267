"""TLS against Python's ssl, in both roles."""
import contextlib
import hashlib
import json
import os
import random
import re
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

from drive import accept, Cat, check, dial, in_pipe, main, Patience, probed, reset, T, taken, tcp, tcp_sockets, unix, until

C = os.environ['CERTIFICATES']
ROOT = ('--ssl-trustfile', C + '/root.crt')
BIG = 3000000


def server_context(name='good', alpn=(), clients=False):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers('DEFAULT@SECLEVEL=0')
    context.load_cert_chain('%s/%s.crt' % (C, name), '%s/%s.key' % (C, name))
    context.num_tickets = 0
    if alpn:
        context.set_alpn_protocols(alpn)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(C + '/root.crt')
    return context


def client_context(certificate=None, alpn=()):
    context = ssl.create_default_context(cafile=C + '/root.crt')
    if certificate:
        context.load_cert_chain('%s/%s.crt' % (C, certificate), '%s/%s.key' % (C, certificate))
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


class Peer:
    """One side of TLS over a socket, by memory: what it sends can be cut."""

    def __init__(self, s, context, server, name='localhost'):
        self.s, self.server = s, server
        self.inner, self.outer = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.inner, self.outer, server_side=server,
                                    server_hostname=None if server else name)

    def step(self, call):
        """Call until the data that it needs has arrived; send what it makes."""
        while True:
            try:
                result = call()
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                data = self.s.recv(65536)
                if data:
                    self.inner.write(data)
                else:
                    self.inner.write_eof()
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    self.flush()
                raise

    def read(self):
        """Some data; b'' after close_notify."""
        try:
            return self.step(lambda: self.tls.read(65536))
        except ssl.SSLZeroReturnError:
            return b''

    def rest(self):
        """All that comes until close_notify."""
        return b''.join(iter(self.read, b''))

    def flush(self):
        # Over a Unix socket that the other side has closed, nothing is a failure, too.
        if self.outer.pending:
            self.s.sendall(self.outer.read())

    def handshake(self):
        self.step(self.tls.do_handshake)
        return self

    def records(self, *texts, notify=True):
        """The records of the texts, and of close_notify."""
        for text in texts:
            self.tls.write(text)
        if notify:
            try:
                self.tls.unwrap()
            except ssl.SSLWantReadError:
                pass
        bytes_, found = self.outer.read(), []
        while bytes_:
            size = 5 + struct.unpack('!H', bytes_[3:5])[0]
            found.append(bytes_[:size])
            bytes_ = bytes_[size:]
        return found


def serving(listener, context):
    """The handshake of the next client, in the background; take() returns the peer."""
    found = []

    def serve():
        try:
            s = accept(listener)
        except OSError as error:
            found.append(error)
            return
        try:
            found.append(Peer(s, context, True).handshake())
        except (ssl.SSLError, OSError) as error:
            found.append(error)
            s.close()
    thread = threading.Thread(target=serve)
    thread.start()

    def take():
        thread.join()
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]
    return take


def client(context, *args, host='localhost', **kwargs):
    """A sockcat that is connected to a server of Python: both."""
    listener = tcp()
    take = serving(listener, context)
    cat = Cat('--ssl', *ROOT, '-4', *args, host, str(listener.getsockname()[1]), **kwargs)
    return cat, take()


def listener(*args, **kwargs):
    return Cat('-l', '--ssl', '--ssl-cert', C + '/good.crt', '--ssl-key', C + '/good.key', *args, '127.0.0.1', '0',
               **kwargs)


def fail(cat, status, pattern, what=''):
    """As cat.fail, of a listener, which also reports its port."""
    patience = Patience()
    while cat.process.poll() is None and patience:
        time.sleep(0.005)
    lines = [line for line in cat.errors().splitlines() if ': listening on ' not in line]
    if cat.process.poll() != status or len(lines) != 1 or not re.search(pattern, lines[0]):
        sys.exit('%s: not %d and one line with %r: %r %r' % (what, status, pattern, cat.process.poll(), lines))


def certificates():
    """Certificate, name, status and message of a client, a line each on standard input."""
    for line in sys.stdin:
        if not line.strip():
            continue
        name, host, status, message, *options = line.rstrip('\n').replace('C/', C + '/').split('\t')
        there = tcp()
        take = serving(there, server_context(name))
        cat = Cat('--ssl', *ROOT, '-4', *options, '--resolve', '*:%d:127.0.0.1' % there.getsockname()[1],
                  host, str(there.getsockname()[1]))
        try:
            peer = take()
            peer.s.sendall(b''.join(peer.records(b'hello')))
        except (ssl.SSLError, OSError):
            peer = None
        if int(status):
            cat.fail(int(status), message)
        elif peer is None:
            sys.exit('%s: the handshake failed: %s' % (line, cat.errors()))
        else:
            check(cat.end(), b'hello', line)
            check(message in cat.errors(), True, line)
        there.close()


class Cut:
    """A socket of which nothing is sent from some bytes into a record on, when it ends: see Gone."""

    def __init__(self, s, record, into, ending):
        self.s, self.record, self.into, self.ending = s, record, into, ending
        self.recv, self.close = s.recv, s.close
        # What is not on its way is dropped by a reset.
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def sendall(self, data):
        while data:
            size = 5 + struct.unpack('!H', data[3:5])[0]
            if self.record == 0:
                at = {'nothing': 0, 'half a header': 3, 'the header': 5, 'all but a byte': size - 1}[self.into]
                self.s.sendall(data[:at])
                self.ending(self.s)
                raise Gone
            self.record -= 1
            self.s.sendall(data[:size])
            data = data[size:]


class Gone(Exception):
    """The peer has ended."""


def finish(s):
    s.shutdown(socket.SHUT_WR)


def cuts(role, how, version):
    """The peer of this role of sockcat ends in every record that it sends, of the handshake too, and before each: never
    0, and what arrived whole is written."""
    ending = {'fin': finish, 'reset': reset}[how]
    texts, record, whole = [b'one ', b'two '], 0, False
    context = server_context() if role == 'client' else client_context()
    if version == '1.2':
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    while not whole:
        for into in ('nothing', 'half a header', 'the header', 'all but a byte'):
            if role == 'client':
                there = tcp()
                cat = Cat('--ssl', *ROOT, '-4', 'localhost', str(there.getsockname()[1]), stdin=subprocess.PIPE)
                s = accept(there)
                there.close()
            else:
                cat = listener(stdin=subprocess.PIPE)
                s = dial(cat)
            peer, sent, established = Peer(Cut(s, record, into, ending), context, role == 'client'), b'', False
            try:
                peer.handshake()
                established = True
                for text in texts:
                    peer.step(lambda: peer.tls.write(text))
                    sent += text
                peer.s.sendall(b''.join(peer.records()))
                whole = True
            except Gone:
                pass
            where = '%s of record %d' % (into, record)
            if whole:
                cat.process.stdin.close()
                check(cat.end(), sent)
                s.close()
                break
            if not established:
                fail(cat, 35, 'TLS handshake with .*: (the peer closed the connection|Connection reset by peer)', where)
            elif how == 'fin':
                fail(cat, 18, 'without close_notify after %d bytes$' % len(sent), where)
            else:
                fail(cat, 56, 'receive from .*: Connection reset by peer', where)
            check(cat.output(), sent, where)
            s.close()
        record += 1
    # At least the handshake's, the texts' and close_notify.
    check(record > 5, True, record)


def big(*options):
    """Much goes both ways, between two sockcats, through small buffers; both ends are the same."""
    data = [random.randbytes(BIG) for _ in range(2)]
    for i in range(2):
        with open('%s/data%d' % (T, i), 'wb') as file:
            file.write(data[i])
    with open(T + '/data0', 'rb') as first, open(T + '/data1', 'rb') as second:
        server = listener(*options, stdin=first)
        near = Cat('--ssl', *ROOT, '-4', *options, 'localhost', server.where, stdin=second)
        check(hashlib.sha256(near.end()).digest(), hashlib.sha256(data[0]).digest())
        check(hashlib.sha256(server.end()).digest(), hashlib.sha256(data[1]).digest())


def half_close():
    """The end of input is close_notify alone; the answer comes after it, and then the end."""
    cat, peer = client(server_context(), stdin=subprocess.PIPE)
    cat.process.stdin.write(b'question')
    cat.process.stdin.close()
    check(peer.rest(), b'question')
    peer.s.sendall(b''.join(peer.records(b'answer', notify=False)))
    cat.await_output(b'answer')
    port, there = peer.s.getsockname()[1], peer.s.getpeername()[1]
    # 1: established; 8 would be that its FIN has arrived.
    check([state for state, _ in tcp_sockets(port, there)], [1])
    peer.s.sendall(b''.join(peer.records()))
    check(cat.end(), b'answer')
    check(peer.s.recv(1), b'')


def gone():
    """The server ends and closes before the input ends: nothing of ours is lost, or what was sent too late."""
    for late in (b'late', b''):
        cat, peer = client(server_context(), stdin=subprocess.PIPE)
        peer.s.sendall(b''.join(peer.records(b'answer')))
        peer.s.close()
        cat.await_output(b'answer')
        cat.write(late)
        cat.process.stdin.close()
        if late:
            # By the next write, or by the watch for the reader.
            status = until(lambda: cat.process.poll(), 'the end')
            cat.fail(status if status == 56 else 55, '(send to|receive from) .*: (Broken pipe|Connection reset by peer)')
        else:
            cat.end()
            check(cat.errors(), '')


def unread():
    """A server that answers and closes without reading close_notify resets the connection: nothing is lost, nor what the
    client has not read yet. Data that has not arrived is."""
    for data, stopped in ((b'', False), (b'', True), (bytes(200000), False)):
        there = tcp()
        there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        take = serving(there, server_context())
        cat = Cat('--ssl', *ROOT, '-4', '-O', '1M', 'localhost', str(there.getsockname()[1]), stdin=subprocess.PIPE)
        peer = take()
        port, far = peer.s.getsockname()[1], peer.s.getpeername()[1]
        cat.write(b'question')
        check(peer.read(), b'question')
        cat.write(data)
        cat.process.stdin.close()
        until(lambda: tcp_sockets(port, far)[0][1] > 0, 'data, or close_notify')
        cat.rest()
        if stopped:
            cat.stop()
        peer.s.sendall(b''.join(peer.records(b'answer')))
        peer.s.close()
        if stopped:
            cat.go()
        if data:
            cat.fail(55, 'send to .*: (Broken pipe|Connection reset by peer)')
        else:
            check(cat.end(), b'answer')
            check(cat.errors(), '')


def unread_unix():
    """The same over Unix sockets, in both roles, where nothing acknowledges: a reset is no failure only if all data had
    been read before close_notify, or there was none."""
    count = 0
    for role in ('client', 'server'):
        for data, question in ((bytes(50000), b'question'), (b'', b'question'), (b'', b'')):
            for open_ in (True, False) if data else (False,):
                count += 1
                name = T + '/%d' % count if count % 2 else '@%s/%d' % (T, count)
                if role == 'client':
                    there = unix(name=name)
                    there.listen()
                    take = serving(there, server_context())
                    cat = Cat('-U', '--ssl', *ROOT, '--ssl-servername', 'localhost', name, stdin=subprocess.PIPE)
                    peer = take()
                else:
                    cat = Cat('-l', '-U', '--ssl', '--ssl-cert', C + '/good.crt', '--ssl-key', C + '/good.key', name,
                              stdin=subprocess.PIPE)
                    peer = Peer(dial(cat), client_context(), False).handshake()
                what = '%s, %d unread, open: %s' % (role, len(data), open_)
                if question:
                    cat.write(question)
                    check(peer.read(), question, what)
                if data:
                    cat.write(data)
                    until(lambda: in_pipe(peer.s.fileno()) > len(data), 'the data')
                if not open_:
                    before = in_pipe(peer.s.fileno())
                    cat.process.stdin.close()
                    until(lambda: in_pipe(peer.s.fileno()) > before, 'close_notify')
                cat.rest()
                cat.stop()
                peer.s.sendall(b''.join(peer.records(b'answer')))
                peer.s.close()
                cat.go()
                if data:
                    fail(cat, 56, 'receive from .*: Connection reset by peer', what)
                else:
                    check(cat.process.wait(), 0, what + cat.errors())
                check(cat.output(), b'answer', what)


def watched():
    """After the peer's close_notify a probe notices that it has vanished, and its reset is noticed, in both roles; what
    else it sends is ignored, and its FIN alone ends nothing."""
    for role in ('client', 'server'):
        for fin in (False, True):
            if role == 'client':
                cat, peer = client(server_context(), stdin=subprocess.PIPE)
            else:
                cat = listener(stdin=subprocess.PIPE)
                peer = Peer(dial(cat), client_context(), False).handshake()
            cat.write(b'unread')
            peer.s.sendall(b''.join(peer.records(b'answer')) + b'ignored')
            cat.await_output(b'answer')
            until(lambda: probed(peer.s.getpeername()[1], peer.s.getsockname()[1]), 'a probe: ' + cat.errors())
            until(lambda: taken(peer.s), 'the bytes after close_notify')
            if fin:
                peer.s.shutdown(socket.SHUT_WR)
                until(lambda: 8 in [state for state, _ in tcp_sockets(peer.s.getpeername()[1])], 'the FIN')
                cat.rest()
                check(cat.process.poll(), None)
            reset(peer.s)
            fail(cat, 56, 'receive from .*: Connection reset by peer')


def request():
    """After an HTTP request nothing is ended before the server ends."""
    cat, peer = client(server_context(), stdin=subprocess.PIPE)
    cat.process.stdin.write(b'GET / HTTP/1.0\r\n\r\n')
    cat.process.stdin.close()
    check(peer.read(), b'GET / HTTP/1.0\r\n\r\n')
    peer.s.sendall(b''.join(peer.records(b'page')))
    check(cat.end(), b'page')


def send_only():
    """The tickets that the server has sent are read, so that nothing resets the connection."""
    context = server_context()
    context.num_tickets = 2
    there = tcp()
    got = []

    def serve():
        s = context.wrap_socket(accept(there), server_side=True)
        with s:
            while part := s.recv(65536):
                got.append(part)
            try:
                s.unwrap()
            except OSError:
                pass
    thread = threading.Thread(target=serve)
    thread.start()
    data = random.randbytes(BIG)
    with open(T + '/data', 'wb') as file:
        file.write(data)
    with open(T + '/data', 'rb') as file:
        cat = Cat('--ssl', *ROOT, '-4', '--send-only', 'localhost', str(there.getsockname()[1]), stdin=file)
        cat.end()
    thread.join()
    check(b''.join(got) == data, True)


def many():
    """Clients side by side; one that does not begin a handshake, and one without TLS, stop no other."""
    cat = listener('-k', '--echo')
    idle, plain = dial(cat), dial(cat)
    plain.sendall(b'GET / HTTP/1.0\r\n\r\n')
    peers = [Peer(dial(cat), client_context(), False).handshake() for _ in range(8)]
    for i, peer in enumerate(peers):
        peer.step(lambda: peer.tls.write(b'hello %d' % i))
    for i, peer in enumerate(peers):
        check(peer.read(), b'hello %d' % i)
    for peer in peers:
        peer.s.sendall(b''.join(peer.records()))
        check(peer.read(), b'')
    until(lambda: 'does not speak TLS' in cat.errors(), 'the message about the client without TLS')
    idle.close()


def idle():
    """Clients that have sent and received much, and are idle, keep little memory."""
    def echo():
        peer, got = Peer(dial(cat), client_context(), False).handshake(), 0
        for _ in range(4):
            peer.step(lambda: peer.tls.write(bytes(65536)))
            while got < 65536:
                got += len(peer.read())
            got -= 65536
        return peer
    cat = listener('-k', '--echo')
    peers = [echo() for _ in range(3)]
    before = cat.resident()
    peers += [echo() for _ in range(30)]
    check((cat.resident() - before) // 30 < 65536, True, cat.resident() - before)
    for peer in peers:
        peer.s.close()


def program():
    """A program gets the plain data, and its end is close_notify."""
    cat = Cat('-l', '--ssl', '--ssl-cert', C + '/together.pem', '127.0.0.1', '0', '--', 'tr', 'a-z', 'A-Z')
    peer = Peer(dial(cat), client_context(), False).handshake()
    peer.s.sendall(b''.join(peer.records(b'hello')))
    check(peer.rest(), b'HELLO')
    peer.s.close()
    cat.end()


def client_certificates():
    """A server that demands certificates; a client reports that its own was refused."""
    for name, refused in (('client', None), ('clientbad', 'unknown CA'), ('good', 'unsupported certificate'),
                          (None, 'certificate required')):
        # Both roles of sockcat, against Python.
        cat = listener('--ssl-verify', *ROOT, '-d')
        peer = Peer(dial(cat), client_context(name), False)
        try:
            peer.handshake()
            peer.s.sendall(b''.join(peer.records(b'hello')))
            check(peer.read(), b'')
        except (ssl.SSLError, OSError):
            check(refused is not None, True)
        if refused:
            fail(cat, 60 if name else 35, 'certificate')
        else:
            check(cat.end(), b'hello')
        own = ('--ssl-cert', '%s/%s.crt' % (C, name), '--ssl-key', '%s/%s.key' % (C, name)) if name else ()
        there = tcp()
        take = serving(there, server_context(clients=True))
        cat = Cat('--ssl', *ROOT, *own, '-4', 'localhost', str(there.getsockname()[1]))
        try:
            peer = take()
            peer.s.sendall(b''.join(peer.records(b'hello')))
            check(cat.end(), b'hello')
        except (ssl.SSLError, OSError):
            check(refused is not None, True)
            cat.fail(35, 'the peer refused our certificate: "%s"' % refused if name is not None else
                     'the peer sent the alert "%s"; it requires a client certificate, see --ssl-cert$' % refused)


def protocols():
    """ALPN in both roles: the first choice of the server, or an alert if there is none."""
    cat, peer = client(server_context(alpn=['http/1.1', 'h2']), '-v', '--ssl-alpn', 'h2,http/1.1')
    check(peer.tls.selected_alpn_protocol(), 'http/1.1')
    peer.s.sendall(b''.join(peer.records()))
    cat.end()
    check('ALPN http/1.1' in cat.errors(), True, cat.errors())
    cat = listener('-d', '--ssl-alpn', 'h2,http/1.1')
    peer = Peer(dial(cat), client_context(alpn=['other', 'http/1.1']), False).handshake()
    check(peer.tls.selected_alpn_protocol(), 'http/1.1')
    peer.s.sendall(b''.join(peer.records()))
    cat.end()
    cat = listener('-d', '--ssl-alpn', 'h2')
    try:
        Peer(dial(cat), client_context(alpn=['other']), False).handshake()
        sys.exit('a handshake without a common protocol')
    except ssl.SSLError as error:
        check('NO_APPLICATION_PROTOCOL' in str(error).upper().replace(' ', '_'), True, error)
    fail(cat, 35, 'no application protocol')


def negotiated():
    """Options of the server, of the client, the client's status and what -v or the error says, a line each."""
    for line in filter(str.strip, sys.stdin):
        theirs, ours, status, text = line.rstrip('\n').split('\t')
        server = listener('-d', *theirs.split())
        near = Cat('-v', '--ssl', *ROOT, *ours.split(), '127.0.0.1', server.where)
        near.end(int(status))
        check(text in near.errors(), True, (line, near.errors()))
        server.end(int(status))


def versions():
    """A peer of one version only, which the options do not permit."""
    for version, option in ((ssl.TLSVersion.TLSv1_2, ('--tls-min', '1.3')), (ssl.TLSVersion.TLSv1_3, ('--tls-max', '1.2'))):
        there, context = tcp(), server_context()
        context.minimum_version = context.maximum_version = version
        take = serving(there, context)
        cat = Cat('--ssl', *ROOT, *option, '-4', 'localhost', str(there.getsockname()[1]))
        try:
            take()
            sys.exit('a handshake')
        except (ssl.SSLError, OSError):
            cat.fail(35, 'protocol version')
        cat, context = listener(*option), client_context()
        context.minimum_version = context.maximum_version = version
        try:
            Peer(dial(cat), context, False).handshake()
            sys.exit('a handshake')
        except (ssl.SSLError, OSError):
            fail(cat, 35, 'protocol')


def configured():
    """A server of TLS 1.2, where the library's configuration demands 1.3."""
    for options, status in (((), 35), (('--tls-min', '1.2'), 0)):
        there, context = tcp(), server_context()
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2
        take = serving(there, context)
        cat = Cat('--ssl', *ROOT, *options, '-4', 'localhost', str(there.getsockname()[1]))
        try:
            peer = take()
            peer.s.sendall(b''.join(peer.records(b'hello')))
        except (ssl.SSLError, OSError):
            pass
        cat.end(status)
    cat = Cat('--ssl', '--tls-max', '1.2', 'localhost', '9')
    cat.fail(3, 'at least 1.3 is required, and at most 1.2 permitted')


def chain():
    """What -v and the report say about the certificates; what the peer has put into names is escaped."""
    for name, lines in (('chained', [('CN=chained', 'CN=inter'), ('CN=inter', 'CN=root'), ('CN=root', 'CN=root')]),
                        ('control', [(r'CN=evil\1B[31m\0ACN=good', 'CN=root'), ('CN=root', 'CN=root')])):
        cat, peer = client(server_context(name), '-v', '--report', 'json:%s/%s.json' % (T, name))
        peer.s.sendall(b''.join(peer.records()))
        cat.end()
        check(re.findall('certificate ([0-9]): (.*), issued by (.*)', cat.errors().replace('\\\\', '\\')),
              [(str(i), *names) for i, names in enumerate(lines)], cat.errors())
        check(re.search(r'certificate CN=\S+ until 20\d\d-\S+Z \(\d+ days left\)', cat.errors()) is not None, True, cat.errors())
        with open('%s/%s.json' % (T, name)) as file:
            events = [event for event in map(json.loads, file) if event['event'] == 'tls-certificate']
        check([(event['tls']['depth'], event['tls']['subject'], event['tls']['issuer']) for event in events],
              [(i, *names) for i, names in enumerate(lines)])


def stalled():
    """A server whose first flight stops, wherever it does."""
    for n in (0, 5, 100, 700):
        there = tcp()
        cat = Cat('--ssl', *ROOT, '-4', '--wait', '0.5', 'localhost', str(there.getsockname()[1]))
        s = accept(there)
        peer = Peer(s, server_context(), True)
        peer.inner.write(s.recv(65536))
        with contextlib.suppress(ssl.SSLWantReadError):
            peer.tls.do_handshake()
        s.sendall(peer.outer.read()[:n])
        cat.fail(28, '(TLS handshake with|connect) localhost:[0-9]+: timed out')
        s.close()


def flipped():
    """One bit of a record differs: nothing wrong is written, and it is a failure, at every offset of a record."""
    text = b'some data'
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        size = 1
        at = 0
        while at < size:
            context = server_context()
            context.maximum_version = version
            cat, peer = client(context)
            records = bytearray(b''.join(peer.records(text)))
            size = len(records)
            records[at] ^= 1 << at % 8
            with contextlib.suppress(OSError):
                peer.s.sendall(records)
                peer.s.shutdown(socket.SHUT_WR)
            cat.end(cat.process.wait())
            check(cat.process.returncode in (18, 56), True, (at, cat.errors()))
            check(cat.output() in (b'', text), True, cat.output())
            peer.s.close()
            at += 7


def huge_chain():
    """A chain that is larger than any real one."""
    with open(C + '/good.crt') as good, open(C + '/inter.crt') as inter, open(T + '/huge.crt', 'w') as huge:
        huge.write(good.read() + 400 * inter.read())
    context = server_context()
    context.load_cert_chain(T + '/huge.crt', C + '/good.key')
    there = tcp()
    take = serving(there, context)
    cat = Cat('--ssl', *ROOT, '-4', 'localhost', str(there.getsockname()[1]))
    try:
        take()
        sys.exit('a handshake')
    except (ssl.SSLError, OSError):
        cat.fail(35, 'excessive message size')


def plain_server(text, message):
    """A server that does not speak TLS."""
    there = tcp()
    cat = Cat('--ssl', *ROOT, '-4', 'localhost', str(there.getsockname()[1]))
    s = accept(there)
    s.sendall(text.encode().decode('unicode_escape').encode('latin1'))
    cat.fail(35, message)


def pinned():
    """A listener with a certificate of its own, and a client that knows its pin."""
    server = Cat('-l', '--ssl', '--ssl-self-signed', '127.0.0.1', '0', stdin=subprocess.DEVNULL)
    pin = re.search(r'--pin (sha256//\S{44})$', server.errors(), re.M)[1]
    cat = Cat('--pin', pin, 'tls://127.0.0.1:' + server.where, stdin=subprocess.PIPE)
    out, _ = cat.process.communicate(b'hello')
    cat.end()
    check(server.end(), b'hello')


if __name__ == '__main__':
    main()
