"""A client with DTLS, against libssl, over a network that may lose and change datagrams."""
import os
import re
import subprocess

from drive import Cat, check, dial, main, T, udp, until
from dtls_peer import C, Dtls, Network

ROOT = '--ssl-trustfile', C + '/root.crt'
CHANGE, DATA = 20, 23  # types of records (RFC 6347): change_cipher_spec, application_data


def client(port, *options, trust=ROOT, host='127.0.0.1', **kwargs):
    return Cat('--ssl', '-u', *trust, *options, host, str(port), **kwargs)


def joined(*options, trust=ROOT, host='127.0.0.1', how={}, **kwargs):
    """A client and its server, after the handshake."""
    s = udp()
    cat = client(s.getsockname()[1], *options, trust=trust, host=host, **kwargs)
    return cat, Dtls(s, **how).handshake()


def given(data):
    """A file with this data, to be read."""
    with open(T + '/data', 'wb') as file:
        file.write(data)
    return open(T + '/data', 'rb')


def both():
    """Data both ways; the end of the peer is that of the session, and close_notify goes to the peer, too."""
    cat, peer = joined('-v', stdin=given(b'question'))
    check(peer.read(), b'question')
    peer.write(b'ans', b'wer')
    peer.close()
    check(cat.end(), b'answer')
    check(peer.read(), b'')
    check(re.search(r'TLS with 127.0.0.1:\d+: DTLSv1.2, ECDHE-\S+, \S+, peer\'s pin sha256//\S+, certificate CN=good',
                    cat.errors()) is not None, True, cat.errors())


def boundaries():
    """A message is a record, and a record a datagram."""
    lines = [b'x' * n for n in (1, 2, 700, 1372, 9000, 1)]
    s = udp()
    net = Network(s.getsockname())
    cat = client(net.port, '--stdio-frame', 'line', stdin=given(b''.join(line + b'\n' for line in lines)))
    peer = Dtls(s).handshake()
    check([peer.read() for _ in lines], lines)
    peer.write(*lines)
    peer.close()
    check(cat.end(), b''.join(line + b'\n' for line in lines))
    sizes = [len(data) for way, data in net.passed if way == '>' and data[0] == DATA]
    check([size - sizes[0] for size in sizes], [len(line) - 1 for line in lines])


def chunks():
    """Without --frame a read of standard input is a message, of as many bytes as a record can have."""
    data = os.urandom(100000)
    cat, peer = joined('-q', '0.2', stdin=given(data))
    got = []
    while len(b''.join(got)) < len(data):
        got.append(peer.read())
    check(b''.join(got), data)
    check(max(map(len, got)), 16384)
    cat.end()


def unsendable():
    """A message that is too long for a record, or empty, which the library does not send."""
    cat, peer = joined('--stdio-frame', 'line', stdin=given(b'x' * 16385 + b'\n'))
    cat.fail(102, r'message 1 .*at most 16384 bytes')
    cat, peer = joined('--stdio-frame', 'netstring', stdin=given(b'1:a,0:,'))
    check(peer.read(), b'a')
    cat.fail(102, r'send to 127.0.0.1:\d+: an empty message')


def no_input():
    """No byte is no message; the peer sees the end."""
    cat, peer = joined('-q', '0.1')
    check(peer.read(), b'')
    cat.end()
    cat, peer = joined('-w', '0.5', '-d')
    peer.write(b'hello')
    cat.await_output(b'hello')
    cat.fail(28, 'nothing moved')


def closed():
    """The peer has closed: what is sent later is lost, and that is known."""
    cat, peer = joined(stdin=subprocess.PIPE)
    peer.write(b'bye')
    peer.close()
    cat.await_output(b'bye')
    cat.write(b'late')
    cat.process.stdin.close()
    cat.fail(55, r'send to 127.0.0.1:\d+: the peer has closed')


def refused():
    """ICMP during the handshake, and after it."""
    s = udp()
    port = s.getsockname()[1]
    s.close()
    client(port).fail(7, r'connect 127.0.0.1:%d: Connection refused' % port)
    cat, peer = joined(stdin=subprocess.PIPE)
    peer.s.close()
    cat.write(b'x')
    cat.fail(7, r'connect 127.0.0.1:\d+: Connection refused')


def next_address():
    """The first address of the name refuses the ClientHello, which is sent again to the next one."""
    s = udp()
    port = s.getsockname()[1]
    cat = client(port, '--resolve', 'two.test:%d:127.0.0.2,127.0.0.1' % port, '--ssl-servername', 'localhost',
                 host='two.test', stdin=given(b'hello'))
    peer = Dtls(s).handshake()
    check(peer.read(), b'hello')
    peer.close()
    cat.end()


def silent():
    """No answer, and answers that are none, within the limit."""
    s = udp()
    client(s.getsockname()[1], '--wait', '0.3').fail(28, r'TLS handshake with 127.0.0.1:\d+: timed out')
    s = udp()
    cat = client(s.getsockname()[1], '--wait', '0.3')
    s.sendto(b'SSH-2.0-x', s.recvfrom(65536)[1])
    cat.fail(28, 'timed out')


def over(rule):
    """A client over such a network, its server before the handshake, and the network."""
    s = udp()
    net = Network(s.getsockname(), rule)
    return client(net.port, stdin=subprocess.PIPE), Dtls(s), net


def lost():
    """Each datagram of the handshake is lost once: what is missing is asked for, or sent again, by either side."""
    def losing(direction, index):
        return lambda way, number, data: [] if (way, number) == (direction, index) else [data]
    for cat, peer, net in [over(losing(way, i)) for way in '><' for i in range(2)]:
        cat.write(b'one')
        check(peer.handshake().read(), b'one')
        peer.write(b'hello')
        cat.await_output(b'hello')
        peer.close()
        cat.process.stdin.close()
        cat.end()


def disturbed():
    """Duplicates, another order, changed bytes, and datagrams of strangers, before and after the end of the handshake."""
    held = []

    def twice(way, number, data):
        return [data, data]

    def swapped(way, number, data):
        if way == '<' and number == 1 and not held:
            held.append(data)
            return []
        return [data] + [held.pop() for _ in held]

    def noisy(way, number, data):
        # An empty one would end the peer, by its own BIO.
        noise = [b''] * (way == '<') + [b'\0', os.urandom(200), data[:1] + b'\1\1' + data[3:], data[:-1]]
        # Changed, and too short for its cipher, which would end the peer, too.
        forged = [data[:-1] + bytes([data[-1] ^ 1]), data[:11] + b'\0\4' + data[13:17]]
        return noise + forged[:1 + (way == '<')] * (data[0] == DATA) + [data]

    for rule in twice, swapped, noisy:
        cat, peer, net = over(rule)
        peer.handshake()
        for word in b'one', b'two', b'three':
            cat.write(word)
            check(peer.read(), word)
            peer.write(word)
        cat.await_output(b'onetwothree')
        peer.close()
        cat.process.stdin.close()
        check(cat.end(), b'onetwothree')


def early():
    """A message that comes before the end of the handshake is the first one after it."""
    held = []

    def late(way, number, data):
        if data[0] == CHANGE and way == '<':
            held.append(data)
            return []
        return [data] + [held.pop() for _ in held]

    cat, peer, net = over(late)
    peer.handshake()
    peer.write(b'first')
    cat.await_output(b'first')
    peer.close()
    cat.process.stdin.close()
    cat.end()


def changed():
    """A message that was changed on the way is none; the next one is."""
    count = []

    def second(way, number, data):
        if way == '<' and data[0] == DATA:
            count.append(data)
        return [data[:-1] + bytes([data[-1] ^ (len(count) == 2)])]

    cat, peer, net = over(second)
    peer.handshake().write(b'one', b'two', b'three')
    cat.await_output(b'onethree')
    peer.close()
    cat.process.stdin.close()
    cat.end()


def verified():
    """The server's certificate: the chain, its name, the pin."""
    with open(C + '/good.pin') as file:
        pin = file.read().strip()
    other = 'sha256//' + 'A' * 43 + '='
    for status, pattern, trust, name in (
            (60, 'IP address mismatch', ROOT, 'wrong'),
            (60, 'issuer|self-signed', (), 'good'),
            (60, 'expired', ROOT, 'expired'),
            (90, 'pin', ('--pin', other), 'good')):
        s = udp()
        cat = client(s.getsockname()[1], trust=trust)
        Dtls(s, name=name).handshake(-1)
        cat.fail(status, pattern)
    for trust in ('--pin', pin), ('--insecure',), ROOT + ('--ssl-servername', 'localhost'):
        cat, peer = joined(trust=trust, stdin=given(b'hello'))
        check(peer.read(), b'hello')
        peer.close()
        cat.end()
        check('not verified' in cat.errors(), trust == ('--insecure',), cat.errors())


def certificates():
    """A certificate of the client; the server's goes to a file."""
    own = '--ssl-cert', C + '/client.crt', '--ssl-key', C + '/client.key'
    cat, peer = joined(*own, '--peer-cert', T + '/peer.pem', how={'demands': True}, stdin=given(b'hello'))
    check(peer.read(), b'hello')
    peer.close()
    cat.end()
    with open(T + '/peer.pem') as file:
        check(file.read().startswith('-----BEGIN CERTIFICATE'), True)
    s = udp()
    cat = client(s.getsockname()[1])
    Dtls(s, demands=True).handshake(-1)
    cat.fail(35, 'the peer (?:sent the alert|refused our certificate)')


def captured():
    """A dump has the plain messages; programs get the plain data and what is known about it."""
    cat, peer = joined('-o', T + '/dump', stdin=given(b'hello'))
    check(peer.read(), b'hello')
    peer.close()
    cat.end()
    with open(T + '/dump') as file:
        dump = file.read()
    check('= plain data of DTLSv1.2' in dump and 'hello' in dump, True, dump)
    cat, peer = joined('-c', 'echo "$SOCKCAT_TLS_PROTOCOL"; read -r line; echo "<$line>" >"$T/got"')
    check(peer.read(), b'DTLSv1.2\n')
    peer.write(b'hello\n')
    peer.close()
    cat.end()
    with open(T + '/got') as file:
        check(file.read(), '<hello>\n')


def probed():
    """A port is open if its server is verified, and the server sees the end; closed if the host says so; or else
    filtered."""
    s, other = udp(), udp()
    port, closed = (str(one.getsockname()[1]) for one in (s, other))
    other.close()
    for words, shown in (('-zv', '127.0.0.1', port), 'open'), (('-z', '127.0.0.1', port, closed), 'open'), \
            (('--ping=1', '127.0.0.1', port), 'seq=1'), (('-z', '--insecure', 'dtls://127.0.0.1:' + port), None):
        s = udp(port=int(port)) if s.fileno() == -1 else s
        cat = Cat('--ssl', '-u', *words, *(ROOT if '--insecure' not in words else ()))
        peer = Dtls(s).handshake()
        check(peer.read(), b'')
        output = cat.end(1 if closed in words else 0)
        check(shown is None or shown.encode() in output, True, output)
        s.close()
    s = udp(port=int(port))
    cat = Cat('-z', '--ssl', '-u', '127.0.0.1', port)
    Dtls(s).handshake(-1)
    cat.fail(60, 'verify the certificate of 127.0.0.1:%s' % port)
    s.close()
    cat = Cat('-zv', '--ssl', '-u', '127.0.0.1', port)
    cat.fail(1, '127.0.0.1:%s: closed' % port)
    s = udp(port=int(port))
    cat = Cat('-z', '-w', '0.2', '--report=json:' + T + '/report', '--ssl', '-u', '127.0.0.1', port)
    cat.fail(28, 'TLS handshake with 127.0.0.1:%s: timed out' % port)
    with open(T + '/report') as file:
        check('"state":"filtered"' in file.read(), True)


def awaited():
    """--wait-for tries until the server is there."""
    s = udp()
    port = s.getsockname()[1]
    s.close()
    cat = Cat('-vv', '--wait-for', '--interval', '10ms', *ROOT, 'dtls://127.0.0.1:%d' % port)
    until(lambda: 'closed' in cat.errors(), 'the first try')
    Dtls(udp(port=port)).handshake()
    cat.end()


def target():
    """--to dtls:// for a client of TCP, and one of UDP."""
    for options in (), ('-u', '-q', '0.2'):
        s = udp()
        cat = Cat('-l', *options, *ROOT, '127.0.0.1', '0', '--to', 'dtls://127.0.0.1:%d' % s.getsockname()[1])
        if options:
            near = udp()
            near.connect(cat.address())
        else:
            near = dial(cat)
        near.send(b'question')
        peer = Dtls(s).handshake()
        check(peer.read(), b'question')
        peer.write(b'answer')
        check(near.recv(100), b'answer')
        peer.close()
        near.close()
        cat.process.terminate() if options else cat.end()


def proxied():
    """Through a SOCKS5 proxy, whose header is no part of the packets that are too large."""
    server = Cat('-l', '-k', '--proxy-server=socks5,udp', '--allow-dest', '127.0.0.1', '127.0.0.1', '0')
    data = os.urandom(20000)
    cat, peer = joined('-q', '0.2', '--proxy', 'socks5h://127.0.0.1:' + server.where, stdin=given(data))
    got = peer.read()
    check(got + peer.read(), data)
    peer.write(b'answer')
    peer.close()
    check(cat.end(), b'answer')


if __name__ == '__main__':
    main()
