"""A handshake that sockcat refuses: the alert that says why arrives, and then the end, whatever the peer still sends."""
import select
import ssl
import subprocess
import threading

from drive import accept, Cat, check, dial, LIMIT, main, tcp, until
from tls import C, client_context, listener, Peer, ROOT, server_context

# More than is read at once, and fits into the buffers of the kernel.
MORE = bytes((23, 3, 3, 64, 0)) + bytes(16384)


class Talkative(Peer):
    """It sends records after the flight that has its certificate."""
    flights = 0

    def flush(self):
        if self.outer.pending:
            self.flights += 1
            self.s.sendall(self.outer.read() + (MORE * 12 if self.flights == (1 if self.server else 2) else b''))


def refused(peer, alert):
    """Shake hands: the other side has to send the alert, and to end its sending in order."""
    try:
        peer.handshake()
        peer.read()
        check('no alert', alert)
    except ssl.SSLError as error:
        check(alert in str(error), True, str(error))
    rest = b''
    while data := peer.s.recv(65536):  # fails if the connection was reset
        rest += data
    check(rest, b'')


def server(kind, *words):
    """A server whose certificate is not trusted, and a sockcat that connects: both."""
    there = tcp()
    where = 'localhost:%d' % there.getsockname()[1]
    cat = words and words[0] == '-l'
    if cat:
        cat = Cat(*words, '--to', 'tls://' + where, *ROOT, '127.0.0.1', '0')
        cat.client = dial(cat)
    else:
        cat = Cat('--ssl', *ROOT, *words, where)
    return cat, kind(accept(there), server_context('untrusted'), True)


def client():
    for kind in Peer, Talkative:
        cat, peer = server(kind)
        refused(peer, 'UNKNOWN_CA')
        peer.s.close()
        cat.fail(60, 'certificate')


def target():
    for kind in Peer, Talkative:
        cat, peer = server(kind, '-l')
        refused(peer, 'UNKNOWN_CA')
        peer.s.close()
        cat.end(60)


def client_certificate():
    """A listener that refuses the certificate of a client, which has sent data already."""
    for kind in Peer, Talkative:
        cat = listener('--echo', '--ssl-verify', *ROOT)
        refused(kind(dial(cat), own_untrusted(), False), 'UNKNOWN_CA')
        cat.end(60)
    cat = listener('--echo', '--ssl-verify', *ROOT)
    refused(Talkative(dial(cat), client_context(), False), 'CERTIFICATE_REQUIRED')
    cat.end(35)


def own_untrusted():
    context = client_context()
    context.load_cert_chain(C + '/untrusted.crt', C + '/untrusted.key')
    return context


def proxy():
    """A proxy over TLS whose certificate is not trusted."""
    there = tcp()
    cat = Cat('--proxy', 'https://localhost:%d' % there.getsockname()[1], '--proxy-cacert', C + '/root.crt', '127.0.0.1', '9')
    refused(Talkative(accept(there), server_context('untrusted'), True), 'UNKNOWN_CA')
    cat.fail(60, 'certificate')


def probe():
    there = tcp()
    cat = Cat('-z', '--ssl', *ROOT, 'localhost', str(there.getsockname()[1]))
    refused(Talkative(accept(there), server_context('untrusted'), True), 'UNKNOWN_CA')
    cat.end(60)


def endless():
    """Peers that never end, silent ones and those that send on: the time is limited, and the cause stays."""
    for words in (), ('-l',):
        for sends in False, True:
            cat, peer = server(Peer, *words)
            done = threading.Event()

            def send(peer=peer, done=done):
                try:
                    while not done.is_set():
                        if select.select([], [peer.s], [], 0.05)[1]:
                            peer.s.send(MORE)
                except OSError:
                    pass
            try:
                peer.handshake()
            except ssl.SSLError:
                pass
            if sends:
                threading.Thread(target=send).start()
            cat.end(60)
            done.set()


def limit():
    """The limit of --wait is that of the end, too, and no cause."""
    there = tcp()
    cat = Cat('--ssl', *ROOT, '--wait', '300ms', 'localhost', str(there.getsockname()[1]))
    peer = Peer(accept(there), server_context('untrusted'), True)
    try:
        peer.handshake()
    except ssl.SSLError:
        pass
    cat.fail(60, 'certificate')


def others():
    """A client that does not leave after its handshake was refused stops no other one."""
    cat = listener('-k', '--echo', '--ssl-verify', *ROOT)
    slow = Peer(dial(cat), own_untrusted(), False)
    slow.handshake()
    peer = Peer(dial(cat), client_context('client'), False).handshake()
    peer.s.sendall(b''.join(peer.records(b'hello')))
    check(peer.rest(), b'hello')
    until(lambda: 'certificate' in cat.errors(), 'the refusal')


def openssl():
    """What s_server prints."""
    for words in (), ('-l',):
        shown = subprocess.Popen(
            ['openssl', 's_server', '-accept', '127.0.0.1:0', '-cert', C + '/untrusted.crt', '-key',
             C + '/untrusted.key', '-naccept', '1'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        line = b''
        while not line.startswith(b'ACCEPT '):
            line = shown.stdout.readline()
        where = 'localhost:%s' % line.decode().rpartition(':')[2].strip()
        if words:
            cat = Cat('-l', '--to', 'tls://' + where, *ROOT, '127.0.0.1', '0')
            near = dial(cat)
        else:
            cat = Cat('--ssl', *ROOT, where)
        out = shown.stdout.read()
        check(b'alert unknown ca' in out, True, out)
        cat.end(60)
        if words:
            near.close()
        shown.communicate(timeout=LIMIT)


if __name__ == '__main__':
    main()
