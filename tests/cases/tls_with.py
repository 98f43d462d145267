"""What TLS is combined with: the plain data arrives, and the status is right; against Python's ssl."""
import json
import os
import re
import signal
import socket
import subprocess

from drive import accept, Cat, check, end, main, T, tcp, until
from tls import C, client_context, listener, Peer, ROOT, server_context
from tls_server import echoed, leave, own, say, shake

OWN = '--ssl', '--ssl-cert', C + '/good.crt', '--ssl-key', C + '/good.key'


def finish(peer):
    """End first, and take the rest."""
    peer.s.sendall(b''.join(peer.records()))
    return peer.rest()


def whole(peer, wanted):
    """Read this number of bytes, which may be several records."""
    got = b''
    while len(got) < len(wanted) and (part := peer.read()):
        got += part
    check(got, wanted)


def pty():
    """A program with a terminal; it fails, and the status says so."""
    cat = listener('--pty', '--exec-status', '-c', 'read line; test -t 0 && echo "<$line>"; exit 7')
    peer = shake(cat)
    say(peer, b'hello\n')
    check(peer.rest(), b'hello\r\n<hello>\r\n')
    peer.s.sendall(b''.join(peer.records()))
    cat.end(7)


def broker():
    cat = listener('-kv', '--broker', '--max-accepts', '3')
    peers = [shake(cat) for _ in range(3)]
    until(lambda: cat.errors().count('TLS with') == 3, 'the ends of the handshakes')
    say(peers[0], b'hello ' * 10000)
    for peer in peers[1:]:
        whole(peer, b'hello ' * 10000)
    for peer in peers:
        check(finish(peer), b'')
    cat.end()


def chat():
    cat = listener('-k', '--chat', '--max-accepts', '2')
    first = shake(cat)
    greeting = first.read()
    check(b'user1' in greeting, True, greeting)
    second = shake(cat)
    second.read()
    check(first.read(), b'* user2 joined\n')
    say(second, b'hi \x1b[2J\n')
    check(re.fullmatch(rb'<user2> hi [^\x1b]*\n', first.read()) is not None, True)
    check(b'* user2 left' in finish(second) + first.read(), True)
    finish(first)
    cat.end()


def frames():
    """Messages of the wire in the records of TLS, cut anywhere; one that is cut at the end is a failure."""
    for text, status, wanted in ((b'\x00\x03one\x00\x00\x00\x03two', 0, b'one\n\ntwo\n'), (b'\x00\x03one\x00\x05two', 18, b'one\n')):
        cat = listener('-d', '--frame', 'u16be', '--stdout-frame', 'line')
        peer = shake(cat)
        for byte in text:
            say(peer, bytes((byte,)))
        peer.s.sendall(b''.join(peer.records()))
        try:
            peer.rest()
        except OSError:
            pass
        check(cat.end(status), wanted)


def captures():
    """Both kinds of capture have the plain data of both directions; the dump says that it was TLS."""
    cat = listener('--hex-dump', T + '/dump', '--output', T + '/bytes', '--echo')
    peer = shake(cat)
    echoed(peer, b'secret')
    leave(peer)
    cat.end()
    with open(T + '/dump') as file:
        lines = [line.split(' ', 1)[1] for line in file.read().splitlines()]
    check(re.fullmatch(r'= plain data of TLSv1\.3, TLS_\w+', lines[0]) is not None, True, lines)
    check([(line[0], line[-8:]) for line in lines[1:]], [('<', '|secret|'), ('>', '|secret|')])
    with open(T + '/bytes', 'rb') as file:
        check(file.read(), b'secretsecret')
    # One line for each client, before its data.
    cat = listener('-k', '--hex-dump', T + '/dump2', '--echo', '--max-accepts', '2')
    for _ in range(2):
        peer = shake(cat)
        echoed(peer, b'secret')
        leave(peer)
    cat.end()
    with open(T + '/dump2') as file:
        check([line.split(' ')[1] for line in file], ['=', '<', '>'] * 2)


def report():
    cat = listener('-k', '--report=json:' + T + '/report', '--echo', '--ssl-verify', *ROOT, '--max-accepts', '2')
    peer = shake(cat, own('named'))
    echoed(peer, b'hello')
    leave(peer)
    try:
        finish(shake(cat, own('clientbad')))
    except OSError:
        pass
    cat.end(104)
    with open(T + '/report') as file:
        events = [json.loads(line) for line in file]
    found = {}
    for event in events:
        found.setdefault((event['event'], event.get('session')), event)
    tls = found['tls', 1]['tls']
    check((tls['version'], tls['pin'][:8]), ('TLSv1.3', 'sha256//'))
    closed = found['closed', 1]
    check((closed['status'], closed['bytes']), (0, {'sent': 5, 'received': 5}))
    failed = found['failed', 2]
    check((failed['status'], 'unable to get local issuer certificate' in failed['cause']), (60, True), failed)
    check(('tls', 2) in found, False)
    check([event['status'] for event in events if event['event'] == 'exit'], [104])


def unix_sockets():
    """Both roles, over a path and an abstract name; over sequenced packets it is an error."""
    for name in T + '/socket', '@' + T.replace('/', '.'):
        cat = Cat('-l', '-U', *OWN, '--echo', name)
        peer = shake(cat)
        echoed(peer, b'hello')
        leave(peer)
        cat.end()
        cat = Cat('-l', '-U', *OWN, '--echo', name + '2')
        near = Cat('-U', '--ssl', *ROOT, '--ssl-servername', 'localhost', name + '2', stdin=subprocess.PIPE)
        near.process.communicate(b'hello' * 50000)
        check(near.end(), b'hello' * 50000)
        cat.end()


def connection():
    """A connection that was passed is a client's."""
    there = tcp()
    s = socket.create_connection(there.getsockname())
    cat = subprocess.Popen([os.environ['SOCKCAT'], '--ssl', *ROOT, '--ssl-servername', 'localhost', 'fd://3', '-c', 'echo hello'],
                           preexec_fn=lambda: os.dup2(s.fileno(), 3), pass_fds=(3,), stderr=subprocess.PIPE)
    s.close()
    peer = Peer(accept(there), server_context(), True).handshake()
    check(peer.rest(), b'hello\n')
    peer.s.sendall(b''.join(peer.records()))
    end(cat)


def activated():
    """Sockets that a service manager has passed, one by its name; the others are TLS, too."""
    from activation import activate, listener as socket_to_listen
    for words, names, places in (((), None, (0, 1)), (('fd://web',), 'web:other', (0,))):
        servers = [socket_to_listen() for _ in range(2)]
        cat = activate(servers, '-lk', *OWN, '--echo', *words, names=names)
        for i in places:
            s = socket.create_connection(servers[i].getsockname())
            peer = Peer(s, client_context(), False).handshake()
            echoed(peer, b'hello')
            leave(peer)
        cat.send_signal(signal.SIGTERM)
        end(cat, -signal.SIGTERM)


def transfer():
    """Files of --send through TLS, from a sender that knows the receiver's certificate."""
    os.mkdir(T + '/there')
    with open(T + '/file', 'wb') as file:
        file.write(os.urandom(300000))
    there = Cat('-l', *OWN, '--receive=' + T + '/there', '127.0.0.1', '0')
    near = Cat('--ssl', *ROOT, '--send', T + '/file', '-4', 'localhost', there.where)
    near.end()
    there.end()
    with open(T + '/file', 'rb') as file, open(T + '/there/file', 'rb') as copy:
        check(file.read() == copy.read(), True)


def services():
    """The other services have an end of their own."""
    for service, wanted in (('--discard', b''), ('--daytime', None)):
        cat = listener(service)
        peer = shake(cat)
        if service == '--discard':
            say(peer, b'hello' * 1000)
        got = finish(peer)
        check(wanted is None and got.endswith(b'-UTC\r\n') or got == wanted, True, (service, got))
        cat.end()


def both_kinds():
    """A listener with a certificate for each kind of key."""
    return listener('-k', '--echo', '--ssl-cert', C + '/rsa.crt', '--ssl-key', C + '/rsa.key')


def sslscan():
    """TLS 1.2 and 1.3, AEAD ciphers with forward secrecy only, no renegotiation, compression, heartbeat."""
    found = subprocess.run(['sslscan', '--no-colour', '--show-sigs', '--xml=-', '127.0.0.1:' + both_kinds().where],
                           stdout=subprocess.PIPE, check=True).stdout.decode()
    check(sorted(re.findall(r'<protocol type="(\w+)" version="([\d.]+)" enabled="1"', found)), [('tls', '1.2'), ('tls', '1.3')])
    check(re.findall(r'<renegotiation supported="(\d)"', found), ['0'], found)
    check('<compression supported="1"' in found, False)
    check(re.findall(r'<heartbleed sslversion="\S+" vulnerable="(\d)"', found), ['0', '0'], found)
    ciphers = re.findall(r'<cipher [^>]*cipher="([^"]+)"', found)
    check(len(ciphers) >= 9, True, found)
    check([name for name in ciphers if not re.fullmatch('(TLS_|ECDHE-(RSA|ECDSA)-)(AES|CHACHA20).*(GCM|POLY1305).*', name)], [])


def testssl():
    """No finding about protocols, ciphers, renegotiation and compression."""
    subprocess.run(['testssl', '-p', '-s', '-R', '-C', '--color', '0', '--quiet', '--warnings', 'off', '--jsonfile', T + '/found',
                    '127.0.0.1:' + both_kinds().where], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    with open(T + '/found') as file:
        found = {row['id']: row['severity'] for row in json.load(file)}
    # Two are about testssl itself.
    check({name: severity for name, severity in found.items()
           if severity not in ('OK', 'INFO') and name not in ('engine_problem', 'service')}, {})
    check([found[name] for name in ('TLS1_2', 'TLS1_3', 'cipherlist_AVERAGE', 'secure_client_renego', 'CRIME_TLS')],
          ['OK', 'OK', 'INFO', 'OK', 'OK'])


if __name__ == '__main__':
    main()
