"""Listeners with DTLS, against libssl, over a network that may lose and change datagrams, and among forged senders."""
import os
import re
import signal
import socket
import subprocess

from drive import Cat, check, LIMIT, main, T, tcp, accept, udp, until
from dtls_peer import C, Dtls, Network, SET_MTU, SSL
from tls_server import counts

OWN = '--ssl', '-u', '--ssl-cert', C + '/good.crt', '--ssl-key', C + '/good.key'
ROOT = '--ssl-trustfile', C + '/root.crt'
# Offsets in a datagram (RFC 6347): the message after the header of its record, and its body.
MESSAGE, BODY = 13, 25
HELLO, VERIFY = 1, 3  # types of messages: client_hello, hello_verify_request


def listener(*options, where=('127.0.0.1', '0'), **kwargs):
    return Cat('-l', *OWN, *options, *where, **kwargs)


def bound(address):
    """A UDP socket on this address of loopback."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, 0))
    s.settimeout(LIMIT)
    return s


def joined(cat, s=None, **how):
    """A client that has finished its handshake."""
    return Dtls(s or udp(), cat.address(), **how).handshake()


def echoed(peer, *words):
    for word in words:
        peer.write(word)
        check(peer.read(), word)


def leave(peer):
    peer.close()
    peer.s.close()


def visit(cat):
    """A client that is served, and leaves."""
    peer = joined(cat)
    echoed(peer, b'hello')
    leave(peer)


class Hellos:
    """A client whose datagrams the test delivers."""

    def __init__(self):
        self.there = udp()
        self.client = Dtls(udp(), self.there.getsockname())

    def next(self, answer=None):
        """Its next datagram, after an answer."""
        if answer:
            self.there.sendto(answer, self.client.s.getsockname())
        SSL.SSL_do_handshake(self.client.ssl)
        return self.there.recv(65536)


def hello():
    """The first datagram of a client."""
    return Hellos().next()


def proof(cat, s):
    """The second one, with the cookie for this socket."""
    hellos = Hellos()
    s.sendto(hellos.next(), cat.address())
    return hellos.next(s.recv(65536))


def begun(cat, s=None):
    """A client with a cookie, which goes no further; its second datagram."""
    s = s or udp()
    data = proof(cat, s)
    s.sendto(data, cat.address())
    return s, data


def accepted(cat):
    return cat.errors().count('connection from')


def fail(cat, status, pattern):
    """As Cat.fail of a listener, which has said where it listens."""
    cat.end(status)
    lines = cat.errors().splitlines()
    check((len(lines), re.search(pattern, lines[-1]) is not None), (2, True), lines)


def clients():
    """Clients at a time, whose messages keep their order and their bounds."""
    cat = listener('-kv', '--echo', '--max-accepts', '5')
    peers = [joined(cat) for _ in range(5)]
    for peer in peers:
        peer.write(b'one', b'2' * 1000, b'three')
    for peer in peers:
        check([peer.read() for _ in range(3)], [b'one', b'2' * 1000, b'three'])
        peer.close()
    cat.end()
    check(len(re.findall(r'TLS with 127.0.0.1:\d+: DTLSv1.2, ECDHE-', cat.errors())), 5, cat.errors())


def families():
    """IPv6, and both families without an address."""
    for where, ends in ((('::1', '0'), ('::1',)), (('0',), ('::1', '127.0.0.1'))):
        cat = listener('-k', '--echo', where=where)
        for end in ends:
            peer = Dtls(udp(socket.AF_INET6 if ':' in end else socket.AF_INET), (end, int(cat.where))).handshake()
            echoed(peer, b'hello')
            leave(peer)


def single():
    """Without -k: what has no cookie does not become the only client; then others are ignored and counted."""
    cat = listener('-v', stdin=subprocess.PIPE)
    stranger = udp()
    for data in b'', b'hello', hello(), b'\x16\xfe\xfd' + bytes(100):
        stranger.sendto(data, cat.address())
    check(stranger.recv(65536)[MESSAGE], VERIFY)
    check(accepted(cat), 0)
    peer = joined(cat)
    for data in b'hello', hello():
        stranger.sendto(data, cat.address())
    peer.write(b'from the client')
    cat.await_output(b'from the client')
    cat.write(b'to the client')
    check(peer.read(), b'to the client')
    peer.close()
    cat.process.stdin.close()
    cat.end()
    check((accepted(cat), '2 datagrams from other peers ignored' in cat.errors()), (1, True), cat.errors())


def unproved():
    """Senders without a cookie: no client, no line, no memory, and no answer that is larger than the question."""
    cat = listener('-kv', '--echo')
    first, lines = hello(), cat.errors()
    resident = 0
    for i in range(1100):
        s = bound('127.0.%d.%d' % (1 + i // 200, 1 + i % 200))
        s.sendto(b'x' * (i % 30), cat.address())
        s.sendto(first, cat.address())
        answer = s.recv(65536)
        check((answer[MESSAGE], len(answer) < len(first)), (VERIFY, True))
        s.close()
        if i == 100:
            resident = cat.resident()
    check(cat.errors(), lines)
    # Sanitizers keep what was freed.
    if os.environ['PATIENCE'] == '1':
        check(cat.resident() - resident < 65536, True, 'it has grown by %d' % (cat.resident() - resident))
    counts(cat, '0 clients, 0 in all, 0 failed, 0 rejected')
    echoed(joined(cat), b'hello')


def answers():
    """The answer to the shortest request is not larger."""
    cat = listener('-k', '--echo')
    first = hello()
    s = udp()
    # A fragment with the version, the random bytes, no session and no cookie.
    body = first[BODY:BODY + 34] + b'\0\0'
    fragment = first[MESSAGE:MESSAGE + 9] + len(body).to_bytes(3, 'big') + body
    record = first[:MESSAGE - 2] + len(fragment).to_bytes(2, 'big') + fragment
    s.sendto(record, cat.address())
    answer = s.recv(65536)
    check((answer[MESSAGE], len(answer) <= len(record)), (VERIFY, True), (len(answer), len(record)))


def stolen():
    """A cookie proves the address and the port to which it was sent, and no other."""
    cat = listener('-kv', '--echo')
    for other in bound('127.0.0.1'), bound('127.0.0.2'):
        own = udp()
        data = proof(cat, own)
        other.sendto(data, cat.address())
        check(other.recv(65536)[MESSAGE], VERIFY)
        check(accepted(cat), 0, cat.errors())
        own.sendto(data, cat.address())
        until(lambda: accepted(cat) == 1, 'the client')
        cat.send(signal.SIGKILL)
        cat = listener('-kv', '--echo')
    # That of another run.
    own.sendto(data, cat.address())
    while own.recv(65536)[MESSAGE] != VERIFY:
        pass
    check(accepted(cat), 0)


def fragmented():
    """A ClientHello of several datagrams, in both of its forms."""
    cat = listener('-k', '--echo')
    net = Network(cat.address())
    client = Dtls(udp(), ('127.0.0.1', net.port), alpn=b''.join(b'\x09protocol%d' % (i % 10) for i in range(60)))
    SSL.SSL_ctrl(client.ssl, SET_MTU, 256, None)
    client.handshake()
    echoed(client, b'hello')
    parts = [data for way, data in net.passed if way == '>' and data[0] == 22 and data[MESSAGE] == HELLO]
    check(len(parts) >= 6, True, parts)


def lost():
    """Each datagram of the handshake is lost once, or doubled."""
    for k in (), ('-k',):
        sessions = []
        for gone in (('>', 0), ('<', 0), ('>', 1), ('<', 1), ('>', 2), ('<', 2)):
            cat = listener('--echo', *k)
            net = Network(cat.address(), lambda way, number, data, gone=gone: [] if (way, number) == gone else [data])
            sessions.append((cat, Dtls(udp(), ('127.0.0.1', net.port))))
        cat = listener('--echo', *k)
        net = Network(cat.address(), lambda way, number, data: [data, data])
        sessions.append((cat, Dtls(udp(), ('127.0.0.1', net.port))))
        for cat, peer in sessions:
            echoed(peer.handshake(), b'one', b'two')
            leave(peer)
            if not k:
                cat.end()


def vanished():
    """A client that leaves in its handshake: the only one, and one of many."""
    cat = listener('--wait', '0.3')
    begun(cat)
    fail(cat, 28, r'TLS handshake with 127.0.0.1:\d+: timed out')
    cat = listener('-k', '--wait', '0.3', '--echo')
    begun(cat)
    until(lambda: 'TLS handshake with 127.0.0.1' in cat.errors(), 'the end of the handshake')
    echoed(joined(cat), b'hello')
    counts(cat, r'1 client, 2 in all, 1 failed \(1 in the handshake\)')


def many():
    """Handshakes that do not go on stop no other client: the oldest is ended."""
    cat = listener('-k', '--echo', '--max-conns', '4', '--wait', '1h')
    early = joined(cat)
    slow = []
    for i in range(140):
        slow.append(begun(cat))
        if i % 35 == 34:
            visit(cat)
    echoed(early, b'still here')
    until(lambda: 'handshake ended for other clients (128 at a time)' in cat.errors(), 'the end of the oldest')
    check(re.search(r'make room', cat.errors()), None, cat.errors())


def places():
    """A handshake takes no place; a client that has finished one replaces that with the longest silence."""
    cat = listener('-kv', '--echo', '--max-conns', '2')
    first, second = joined(cat), joined(cat)
    echoed(first, b'one')
    echoed(second, b'two')
    begun(cat)
    echoed(first, b'three')
    check('make room' in cat.errors(), False, cat.errors())
    third = joined(cat)
    echoed(third, b'four')
    echoed(first, b'five')
    until(lambda: 'closed 127.0.0.1:%d to make room' % second.s.getsockname()[1] in cat.errors(), 'the replacement')


def refused():
    """With --refuse the client that has finished its handshake is rejected, and so is one above the limit of its address."""
    cat = listener('-kv', '--echo', '--max-conns', '1', '--refuse')
    first = joined(cat)
    echoed(first, b'one')
    joined(cat)
    until(lambda: 'too many clients (--max-conns)' in cat.errors(), 'the rejection')
    echoed(first, b'two')
    cat = listener('-kv', '--echo', '--max-conns-per-host', '1')
    echoed(joined(cat), b'one')
    begun(cat)
    until(lambda: '(--max-conns-per-host)' in cat.errors(), 'the rejection')
    echoed(joined(cat, bound('127.0.0.2')), b'two')


def denied():
    """An access list sees senders with a cookie only: a forged one causes no line."""
    cat = listener('-kv', '--echo', '--deny', '127.0.0.2')
    s = bound('127.0.0.2')
    s.sendto(hello(), cat.address())
    check(s.recv(65536)[MESSAGE], VERIFY)
    echoed(joined(cat), b'hello')
    check('rejected' in cat.errors(), False, cat.errors())
    begun(cat, bound('127.0.0.2'))
    until(lambda: re.search(r'rejected 127.0.0.2:\d+: denied by access list', cat.errors()), 'the rejection')
    check(accepted(cat), 1)


def restarted():
    """A client that begins again from the same port replaces its session; a datagram that was doubled, or has no cookie, does not."""
    cat = listener('-kv', '--echo')
    net = Network(cat.address())
    first = Dtls(udp(), ('127.0.0.1', net.port)).handshake()
    echoed(first, b'one')
    for data in [data for way, data in net.passed if way == '>'][:2] + [hello()]:
        net.send('>', data)
    echoed(first, b'two')
    check(accepted(cat), 1)
    second = Dtls(first.s, ('127.0.0.1', net.port)).handshake()
    echoed(second, b'three')
    until(lambda: cat.errors().count('closed 127.0.0.1') == 1, 'the end of the first session')
    counts(cat, '1 client, 2 in all, 0 failed')


def lingering():
    """The program of a session that was replaced counts for the limit of its address until it exits."""
    gate = T + '/gate'
    os.mkfifo(gate)
    cat = listener('-kv', '--max-conns-per-host', '1', '-c', 'cat >/dev/null; exec <%s' % gate)
    first = joined(cat)
    second = Dtls(first.s, cat.address()).handshake()
    until(lambda: cat.errors().count('sockcat: run ') == 2, 'the second program')
    first.s.settimeout(LIMIT)
    first.s.send(proof(cat, first.s))
    until(lambda: '(--max-conns-per-host)' in cat.errors(), 'the rejection')
    check(accepted(cat), 2, cat.errors())
    # The session stays that was to be replaced.
    leave(second)
    with open(gate, 'w'):
        until(lambda: cat.errors().count('closed 127.0.0.1') == 2, 'the ends of both')
    joined(cat)


def elsewhere():
    """A forged datagram to another address of the host does not change the one that answers come from."""
    cat = listener('-kv', '--broker', where=('0.0.0.0', '0'))
    first, second = (Dtls(udp(), ('127.0.0.1', int(cat.where))).handshake() for _ in range(2))
    until(lambda: cat.errors().count('TLS with') == 2, 'the ends of the handshakes')
    second.s.sendto(b'forged', ('127.0.0.2', int(cat.where)))
    first.write(b'hello')
    check(second.read(), b'hello')


def silence():
    """Silence is the end of one of many clients, and a failure of the only one."""
    cat = listener('-kv', '--echo', '-w', '0.3')
    echoed(joined(cat), b'hello')
    until(lambda: 'closed 127.0.0.1' in cat.errors(), 'the end')
    counts(cat, '0 clients, 1 in all, 0 failed')
    cat = listener('--echo', '-w', '0.3')
    echoed(joined(cat), b'hello')
    fail(cat, 28, 'nothing moved')
    fail(listener('--accept-timeout', '0.2'), 28, 'no client connected')


def certificates():
    """Certificates of clients, and which are allowed."""
    cat = listener('-kv', '--echo', '--ssl-verify', *ROOT, '--allow-cert', 'CN:client')
    echoed(joined(cat, name='client'), b'hello')
    for name, reason in ('good', 'did not return a certificate'), ('named', 'no --allow-cert allows it'):
        Dtls(udp(), cat.address(), name=name).handshake(-1)
        until(lambda: reason in cat.errors(), 'the refusal')
    counts(cat, r'1 client, 3 in all, 2 failed')


def programs():
    """A program for each client, with what is known about it; one with a terminal."""
    cat = listener('-k', '-c', 'echo "$SOCKCAT_PROTO $SOCKCAT_REMOTE_PORT $SOCKCAT_LOCAL_PORT $SOCKCAT_TLS_PROTOCOL"; cat')
    for _ in range(2):
        peer = joined(cat)
        check(peer.read(), b'UDP %d %s DTLSv1.2\n' % (peer.s.getsockname()[1], cat.where.encode()))
        echoed(peer, b'hello')
    cat = listener('--pty', '--exec-status', '-c', 'read line; test -t 0 && echo "<$line>"; exit 7')
    peer = joined(cat)
    peer.write(b'hello\n')
    got = b''
    while part := peer.read():
        got += part
    check(got, b'hello\r\n<hello>\r\n')
    cat.end(7)


def services():
    """A broker, and a chat; a message that is too long for a path ends the session of its sender only."""
    cat = listener('-kv', '--broker')
    peers = [joined(cat) for _ in range(3)]
    until(lambda: cat.errors().count('TLS with') == 3, 'the ends of the handshakes')
    peers[0].write(b'one', b'x' * 1152)
    for peer in peers[1:]:
        check([peer.read(), peer.read()], [b'one', b'x' * 1152])
    peers[0].write(b'x' * 1153)
    until(lambda: 'Message too long (at most 1152 bytes)' in cat.errors(), 'the failure')
    peers[1].write(b'two')
    check(peers[2].read(), b'two')
    cat = listener('-k', '--chat')
    first = joined(cat)
    check(b'user1' in first.read(), True)
    second = joined(cat)
    second.read()
    check(first.read(), b'* user2 joined\n')
    second.write(b'hi\n')
    check(first.read(), b'<user2> hi\n')


def unsendable():
    """An empty message for all clients is refused before it fails the session of each."""
    cat = listener('-kv', '--stdin-frame', 'line', stdin=subprocess.PIPE)
    peer = joined(cat)
    until(lambda: 'TLS with' in cat.errors(), 'the end of the handshake')
    cat.write(b'one\n\ntwo\n')
    check(peer.read(), b'one')
    cat.end(102)
    check('send to all clients: an empty message' in cat.errors(), True, cat.errors())


def targets():
    """--to a datagram socket and a stream."""
    there = udp()
    cat = listener('-k', '--to', 'udp://127.0.0.1:%d' % there.getsockname()[1])
    peer = joined(cat)
    for word in b'one', b'two':
        peer.write(word)
        data, sender = there.recvfrom(65536)
        there.sendto(data + data, sender)
        check(peer.read(), word + word)
    there = tcp()
    cat = listener('-k', '--frame', 'line', '--to', '127.0.0.1:%d' % there.getsockname()[1])
    peer = joined(cat)
    peer.write(b'one\n')
    near = accept(there)
    check(near.recv(100), b'one\n')
    near.sendall(b'two\n')
    check(peer.read(), b'two\n')


def inherited():
    """On a socket that another process has bound."""
    for words in (), ('-k',):
        s = udp()
        cat = listener('--echo', *words, where=('fd://%d' % s.fileno(),), pass_fds=(s.fileno(),))
        peer = Dtls(udp(), s.getsockname()).handshake()
        s.close()
        echoed(peer, b'hello', b'again')
        leave(peer)
        if not words:
            cat.end()


def reloaded():
    """SIGHUP: the next client gets the new certificate, those before stay."""
    for end in 'crt', 'key':
        with open('%s/good.%s' % (C, end)) as old, open('%s/own.%s' % (T, end), 'w') as new:
            new.write(old.read())
    os.chmod(T + '/own.key', 0o600)
    cat = Cat('-l', '-kv', '-u', '--ssl', '--ssl-cert', T + '/own.crt', '--ssl-key', T + '/own.key', '--echo', '127.0.0.1', '0')
    first = joined(cat)
    for end in 'crt', 'key':
        with open('%s/rsa.%s' % (C, end)) as old, open('%s/own.%s' % (T, end), 'w') as new:
            new.write(old.read())
    cat.send(signal.SIGHUP)
    until(lambda: 'certificates reloaded' in cat.errors(), 'the reload')
    second = joined(cat)
    echoed(first, b'one')
    echoed(second, b'two')
    check(re.findall(r'ECDHE-(\w+)', cat.errors()), ['ECDSA', 'RSA'], cat.errors())


def interrupted():
    """Signals reach the only client: its data is written."""
    cat = listener('-v')
    peer = joined(cat)
    peer.write(b'hello')
    cat.await_output(b'hello')
    cat.send(signal.SIGUSR1)
    until(lambda: re.search(r'session 127.0.0.1:\d+: 0 bytes sent, 5 bytes received', cat.errors()), 'the counts')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    check(re.search(r'closed 127.0.0.1:\d+: ', cat.errors()) is not None, True, cat.errors())
    cat = listener()
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


if __name__ == '__main__':
    main()
