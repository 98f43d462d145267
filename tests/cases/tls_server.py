"""Listeners with TLS for many clients, against Python's ssl."""
import base64
import hashlib
import os
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading

from drive import Cat, check, dial, LIMIT, main, reset, T, to_end, until
from tls import C, client_context, listener, Peer


def shake(cat, context=None):
    """A client that has finished its handshake."""
    return Peer(dial(cat), context or client_context(), False).handshake()


def say(peer, text):
    peer.step(lambda: peer.tls.write(text))


def echoed(peer, text):
    say(peer, text)
    check(peer.read(), text)


def leave(peer):
    peer.s.sendall(b''.join(peer.records()))
    check(peer.read(), b'')
    peer.s.close()


def visit(cat):
    """A client that is served, and leaves."""
    peer = shake(cat)
    echoed(peer, b'hello')
    leave(peer)


def accepted(cat, count):
    """Wait until it has accepted this number of clients (-v)."""
    until(lambda: cat.errors().count('connection from') == count, '%d clients' % count)


def silent(s):
    """Whether nothing has come for the client, though others were served since."""
    s.settimeout(0.05)
    try:
        return s.recv(1, socket.MSG_PEEK) is None
    except TimeoutError:
        return True
    finally:
        s.settimeout(LIMIT)


def dropped(s):
    """Wait for the end or the reset of a connection on which nothing comes."""
    try:
        check(s.recv(1), b'')
    except ConnectionResetError:
        pass


def counts(cat, wanted):
    """Ask for the counts until they are as wanted, a pattern."""
    def ask():
        cat.send(signal.SIGUSR1)
        return re.search(wanted, cat.errors())
    until(ask, 'the counts: ' + wanted)


def slow_handshakes():
    """Clients with nothing, one byte, or half a ClientHello: those that are connected and those that come are served."""
    cat = listener('-k', '--echo', '--max-conns', '4', '--wait', '1h')
    early = shake(cat)
    hello = Peer(dial(cat), client_context(), False)
    try:
        hello.tls.do_handshake()
    except ssl.SSLWantReadError:
        hello = hello.outer.read()
    slow = []
    for i in range(300):
        slow.append(dial(cat))
        slow[-1].sendall((b'', b'\x16', hello[:len(hello) // 2])[i % 3])
        if i % 60 == 59:
            visit(cat)
    echoed(early, b'still here')
    # The first of them had to leave, the last are still in their handshake.
    dropped(slow[0])
    check('handshake ended for other clients (128 at a time)' in cat.errors(), True, cat.errors())
    check(silent(slow[-1]), True)
    counts(cat, r'1[0-9][0-9] clients, .*, [0-9]+ failed \([0-9]+ in the handshake\), 0 rejected')
    leave(early)


def few_descriptors():
    """Fewer than handshakes and clients would need: a handshake is ended for each client that comes."""
    cat = listener('-k', '--echo', '--wait', '1h')
    resource.prlimit(cat.pid, resource.RLIMIT_NOFILE, (40, 40))
    early = shake(cat)
    slow = []
    for i in range(90):
        slow.append(dial(cat))
        if i % 30 == 29:
            visit(cat)
    echoed(early, b'still here')
    check(re.search(r'handshake ended for other clients \([1-3][0-9] at a time\)', cat.errors()) is not None, True, cat.errors())
    leave(early)


def places():
    """One place: two clients that are slow to begin, one that is served, one that waits for its place."""
    cat = listener('-kv', '--echo', '--max-conns', '1', '--wait', '1h')
    slow = [dial(cat) for _ in range(2)]
    first, second = (Peer(dial(cat), client_context(), False) for _ in range(2))
    accepted(cat, 4)
    first.handshake()
    second.handshake()
    echoed(first, b'one')
    say(second, b'two')
    echoed(first, b'more')
    check(silent(second.s), True)
    # One that leaves meanwhile takes no place.
    leave(first)
    check(second.read(), b'two')
    # While all places are taken no client is accepted.
    third = dial(cat)
    check(silent(third), True)
    leave(second)
    echoed(Peer(third, client_context(), False).handshake(), b'three')
    slow[0].close()
    until(lambda: 'closed the connection' in cat.errors(), 'the end of the slow client')


def refused():
    cat = listener('-kv', '--echo', '--max-conns', '1', '--refuse')
    first, second = (Peer(dial(cat), client_context(), False) for _ in range(2))
    accepted(cat, 2)
    first.handshake()
    echoed(first, b'one')
    try:
        second.handshake()
        second.read()
        sys.exit('there was no place')
    except (ssl.SSLError, OSError):
        pass
    until(lambda: re.search(r'rejected 127.*: too many clients \(--max-conns\)', cat.errors()), 'the rejection')
    leave(first)
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    check('failed' in cat.errors(), False, cat.errors())


def children():
    """Two clients at a time in their handshake, and one program: the other follows when it has ended."""
    script = 'mkdir %s/runs || echo two at a time; cat; rmdir %s/runs' % (T, T)
    cat = listener('-kv', '--max-children', '1', '-c', script)
    peers = [Peer(dial(cat), client_context(), False) for _ in range(2)]
    accepted(cat, 2)
    for peer in peers:
        peer.handshake()
        say(peer, b'hello')
    check(peers[0].read(), b'hello')
    check(silent(peers[1].s), True)
    leave(peers[0])
    check(peers[1].read(), b'hello')
    leave(peers[1])


def failed_handshakes():
    """A line for each, until there are too many; the count has all."""
    cat = listener('-k', '--echo', '--wait', '300ms')
    quiet = dial(cat)
    until(lambda: re.search('TLS handshake with 127.*: timed out', cat.errors()), 'the silent client')
    dropped(quiet)
    cat = listener('-k', '--echo')
    dial(cat).sendall(b'GET / HTTP/1.0\r\n\r\n')
    until(lambda: "does not speak TLS; it sent 'GET / HTTP/1.0'" in cat.errors(), 'the client without TLS')
    try:
        shake(cat, ssl.create_default_context())
        sys.exit('without a trusted certificate')
    except ssl.SSLError:
        pass
    until(lambda: 'the peer refused our certificate: "unknown CA"' in cat.errors(), 'the alert')
    for _ in range(150):
        reset(dial(cat))
    counts(cat, r'0 clients, 152 in all, 152 failed \(152 in the handshake\)')
    check(len(cat.errors().splitlines()) < 152, True, cat.errors())
    leave(shake(cat))


def without_tls():
    """A client that does not speak TLS is reset: the end would be an empty answer. One that does gets the alert."""
    cat = listener('-k', '--echo')
    with dial(cat) as plain:
        plain.sendall(b'GET / HTTP/1.0\r\n\r\n')
        try:
            sys.exit('not reset: %r' % plain.recv(1))
        except ConnectionResetError:
            pass
    with dial(cat) as peer:
        # A ClientHello of TLS 1.3 that is too short.
        peer.sendall(b'\x16\3\1\0\5\1\0\0\1\0')
        check(to_end(peer)[:1], b'\x15')
    plain = Cat('127.0.0.1', cat.where, stdin=subprocess.PIPE)
    plain.process.stdin.write(b'hello')
    plain.process.stdin.close()
    plain.process.wait()
    check(plain.process.returncode in (55, 56), True, plain.errors())


def der(name):
    with open('%s/%s.crt' % (C, name)) as file:
        return ssl.PEM_cert_to_DER_cert(file.read())


def any_context():
    """A client that looks at the certificate itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def served(cat, name, context=None):
    """The certificate that a client gets who asks for the name."""
    peer = Peer(dial(cat), context or any_context(), False, name).handshake()
    found = peer.tls.getpeercert(True)
    echoed(peer, b'hello')
    leave(peer)
    return found


def names():
    """An exact name is better than a wildcard, whatever the order; a name that none has is the first's."""
    cat = Cat('-k', '--echo', '--ssl', '--ssl-cert', C + '/together.pem', '--ssl-cert', C + '/wildcard.crt',
              '--ssl-key', C + '/wildcard.key', '--ssl-cert', C + '/wrong.crt', '--ssl-key', C + '/wrong.key',
              '--ssl-cert', C + '/exact.crt', '--ssl-key', C + '/exact.key', '-l', '127.0.0.1', '0')
    for name, wanted in (('localhost', 'good'), ('LOCALHOST', 'good'), ('a.wild.test', 'exact'), ('A.Wild.TEST', 'exact'),
                         ('b.wild.test', 'wildcard'), ('x' * 63 + '.wild.test', 'wildcard'), ('a.b.wild.test', 'good'),
                         ('other.test', 'wrong'), ('elsewhere.example', 'good'), ('127.0.0.1', 'good'), (None, 'good')):
        check(served(cat, name) == der(wanted), True, name)
    # With its intermediate authority; the purpose, too, is good.
    cat = Cat('-k', '--echo', '--ssl', '--ssl-cert', C + '/wrong.crt', '--ssl-key', C + '/wrong.key',
              '--ssl-cert', C + '/chained.crt', '--ssl-key', C + '/chained.key', '-l', '127.0.0.1', '0')
    check(served(cat, 'localhost', client_context()) == der('missing'), True)


def kinds():
    """The client chooses by what it can verify; with and without a name, and whatever comes first."""
    for order in (('rsa', 'good'), ('good', 'rsa'), ('wrong', 'good', 'rsa')):
        given = [word for name in order for word in ('--ssl-cert', '%s/%s.crt' % (C, name), '--ssl-key', '%s/%s.key' % (C, name))]
        cat = Cat('-k', '--echo', '--ssl', *given, '-l', '127.0.0.1', '0')
        for kind, wanted in (('RSA', 'rsa'), ('ECDSA', 'good')):
            for name in ('localhost', None) if order[0] != 'wrong' else ('localhost',):
                context = any_context()
                context.maximum_version = ssl.TLSVersion.TLSv1_2
                context.set_ciphers('ECDHE-%s-AES128-GCM-SHA256' % kind)
                check(served(cat, name, context) == der(wanted), True, (order, kind, name))


class Load:
    """Clients that come one after the other until stop: none of them fails."""

    def __init__(self, cat):
        self.cat, self.failure, self.count, self.going = cat, None, 0, True
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            while self.going:
                served(self.cat, 'localhost')
                self.count += 1
        except (ssl.SSLError, OSError, SystemExit) as error:
            self.failure = error or 'failed'

    def stop(self):
        self.going = False
        self.thread.join()
        check(self.failure, None)


def install(name, *files):
    """Replace files of the listener by those of this name."""
    for own, end in files:
        shutil.copy('%s/%s%s' % (C, name, end), T + '/new')
        os.rename(T + '/new', T + '/' + own)


PAIR = (('own.crt', '.crt'), ('own.key', '.key'))


def reload():
    """Certificate and key are replaced while clients come: none fails, and those connected go on."""
    install('good', *PAIR)
    cat = Cat('-kv', '--echo', '--ssl', '--ssl-cert', T + '/own.crt', '--ssl-key', T + '/own.key', '-l', '127.0.0.1', '0',
              '--max-conns', '1000')
    early, load = shake(cat), Load(cat)
    until(lambda: load.count > 3, 'clients')
    for name in ('nameonly', 'rsa', 'good'):
        install(name, *PAIR)
        cat.send(signal.SIGHUP)
        until(lambda: served(cat, 'localhost') == der(name), 'the certificate ' + name)
    os.chmod(T + '/own.key', 0o604)
    cat.send(signal.SIGHUP)
    until(lambda: 'own.key: other users can read it; run: chmod o= FILE; keeping the previous' in cat.errors(), 'the refusal')
    os.chmod(T + '/own.key', 0o600)
    # The key of another certificate; no key; no certificate.
    for line, files in (('own.key.: .*mismatch', (('own.crt', 'wrong'),)), ('own.key', (('own.key', 'none'),)),
                        ('own.crt', (('own.crt', 'none'),))):
        for own, name in files:
            if name == 'none':
                os.unlink(T + '/' + own)
            else:
                shutil.copy('%s/%s.%s' % (C, name, own[4:]), T + '/' + own)
        cat.send(signal.SIGHUP)
        until(lambda: re.search("use .*%s.*; keeping the previous certificates" % line, cat.errors()), line)
        check(served(cat, 'localhost') == der('good'), True, line)
    seen = load.count
    until(lambda: load.count > seen, 'more clients')
    load.stop()
    echoed(early, b'still here')
    leave(early)
    check(cat.errors().count('sockcat: certificates reloaded'), 3)
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def reload_trust():
    """The authorities of clients are replaced with the certificate, or neither is. Lists are on their own."""
    def admitted(name):
        try:
            return bool(served(cat, 'localhost', own(name)))
        except (ssl.SSLError, OSError):
            return False
    install('good', *PAIR)
    install('root', ('ca.crt', '.crt'))
    with open(T + '/list', 'w') as file:
        file.write('127.0.0.1\n')
    cat = Cat('-kv', '--echo', '--ssl', '--ssl-cert', T + '/own.crt', '--ssl-key', T + '/own.key', '--ssl-verify',
              '--ssl-trustfile', T + '/ca.crt', '--allow-file', T + '/list', '-l', '127.0.0.1', '0')
    check((admitted('client'), admitted('clientbad')), (True, False))
    install('other', ('ca.crt', '.crt'))
    cat.send(signal.SIGHUP)
    until(lambda: 'certificates reloaded' in cat.errors() and 'access lists reloaded' in cat.errors(), 'both')
    check((admitted('client'), admitted('clientbad')), (False, True))
    install('rsa', *PAIR)
    with open(T + '/ca.crt', 'w') as file:
        file.write('no certificate\n')
    cat.send(signal.SIGHUP)
    until(lambda: re.search('use trusted certificates in .*/ca.crt.*; keeping', cat.errors()), 'the refusal')
    until(lambda: cat.errors().count('access lists reloaded') == 2, 'the lists')
    check((admitted('client'), admitted('clientbad')), (False, True))
    install('root', ('ca.crt', '.crt'))
    with open(T + '/list', 'w') as file:
        file.write('nonsense/33\n')
    cat.send(signal.SIGHUP)
    until(lambda: cat.errors().count('certificates reloaded') == 2 and 'keeping the previous access lists' in cat.errors(),
          'certificates without lists')
    check((admitted('client'), admitted('clientbad')), (True, False))


def reload_self_signed():
    """It stays, as clients know its pin."""
    cat = Cat('-kv', '--echo', '--ssl', '--ssl-self-signed', '-l', '127.0.0.1', '0')
    before = served(cat, 'localhost')
    cat.send(signal.SIGHUP)
    until(lambda: 'certificates reloaded' in cat.errors(), 'the reload')
    check(served(cat, 'localhost') == before, True)


def pin(name):
    def openssl(*words, given=None):
        return subprocess.run(('openssl', *words), input=given, capture_output=True, check=True).stdout
    key = openssl('pkey', '-pubin', '-outform', 'DER', given=openssl('x509', '-in', '%s/%s.crt' % (C, name), '-noout', '-pubkey'))
    return 'sha256//' + base64.b64encode(hashlib.sha256(key).digest()).decode()


def own(name):
    """A client with this certificate."""
    context = any_context()
    context.load_cert_chain('%s/%s.crt' % (C, name), '%s/%s.key' % (C, name))
    return context


def allowed():
    """Rules, a client, and whether it is served."""
    alice = 'URI:spiffe://example.test/alice'
    verify = '--ssl-verify', '--ssl-trustfile', C + '/root.crt'
    for rules, name, good in (
            ([alice], 'named', True), (['DNS:alice.test'], 'named', True), (['DNS:ALICE.test'], 'named', True),
            (['CN:named'], 'named', True), (['CN:x', 'CN:y', alice], 'named', True), (['pin:' + pin('named')], 'named', True),
            (['CN:client', 'DNS:x'], 'client', True),
            ([alice + '/'], 'named', False), ([alice[:-1]], 'named', False), (['URI:SPIFFE://example.test/alice'], 'named', False),
            (['URI:alice.test', 'DNS:' + alice[4:], 'CN:alice.test', 'DNS:named', 'DNS:*.test'], 'named', False),
            (['CN:NAMED', 'CN:name', 'CN:named2', 'CN:CN=named'], 'named', False), (['pin:' + pin('client')], 'named', False),
            ([alice, 'CN:named'], 'client', False), ([alice, 'CN:named'], 'namedbad', False)):
        cat = listener('-v', '--echo', *verify, *[word for rule in rules for word in ('--allow-cert', rule)])
        try:
            peer = shake(cat, own(name))
            echoed(peer, b'hello')
            leave(peer)
            check(good, True, (rules, name))
        except (ssl.SSLError, OSError):
            check(good, False, (rules, name))
        cat.end(0 if good else 60)
        check('bytes sent' in cat.errors(), good)
        if not good and name == 'named':
            check('no --allow-cert allows it (CN=named; the certificate is for email:a@example.test, '
                  'URI:spiffe://example.test/alice, DNS:alice.test)' in cat.errors(), True, cat.errors())
    # Those that are refused are counted, and others go on.
    cat = listener('-k', '--echo', *verify, '--allow-cert', 'CN:client')
    for name in ('named', 'client', 'clientbad', 'client'):
        try:
            peer = shake(cat, own(name))
            echoed(peer, b'hello')
            leave(peer)
        except (ssl.SSLError, OSError):
            check(name != 'client', True)
    counts(cat, r'0 clients, 4 in all, 2 failed \(2 in the handshake\)')


def environment():
    """What programs learn about the connection; a variable that was inherited is not believed."""
    believed = {'SOCKCAT_TLS_VERIFIED': '1', 'SOCKCAT_TLS_PEER_SUBJECT': 'CN=root', 'SOCKCAT_TLS_PEER_PIN': 'x'}
    own_cert = '--ssl-cert', C + '/good.crt', '--ssl-key', C + '/good.key'

    def run(*options, name='localhost', context=None):
        cat = Cat('-l', '--ssl', *own_cert, *options, '-c', 'env | grep ^SOCKCAT_TLS_ | sort', '127.0.0.1', '0',
                  env=believed)
        peer = Peer(dial(cat), context or any_context(), False, name).handshake()
        found = dict(line[len('SOCKCAT_TLS_'):].split('=', 1) for line in peer.rest().decode().splitlines())
        peer.s.sendall(b''.join(peer.records()))
        cat.end()
        return found
    context = any_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers('ECDHE-ECDSA-AES128-GCM-SHA256')
    context.set_alpn_protocols(['h2'])
    check(run('--ssl-alpn', 'x,h2', context=context),
          {'PROTOCOL': 'TLSv1.2', 'CIPHER': 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ALPN': 'h2', 'SERVER_NAME': 'localhost',
           'VERIFIED': '0'})
    verify = '--ssl-verify', '--ssl-trustfile', C + '/root.crt'
    found = run(*verify, name=None, context=own('named'))
    check(found, {'PROTOCOL': 'TLSv1.3', 'CIPHER': found['CIPHER'], 'PEER_SUBJECT': 'CN=named', 'PEER_PIN': pin('named'),
                  'VERIFIED': '1'})
    # Characters that could be taken for something else are escaped, or the text is left out.
    check(run(*verify, name=None, context=own('odd'))['PEER_SUBJECT'],
          r'O=SOCKCAT_TLS_VERIFIED=2,CN=new\0Aline\1B[2J\, \"\C3\A9')
    check('SERVER_NAME' in run(name='$(id)'), False)


if __name__ == '__main__':
    main()
