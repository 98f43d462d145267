"""Datagrams through a SOCKS5 proxy server (UDP ASSOCIATE): scripted clients, and those that people use."""
import json
import random
import re
import socket
import ssl
import subprocess

from drive import accept, Cat, check, dial, end, exactly, LIMIT, main, reset, secret, shim, T, tcp, to_end, udp, until, waits
from proxy import serve

SERVES = '--proxy-server=socks5,udp'
ASK = b'\5\1\0\5\3\0\1' + bytes(6)


def server(*options, many=True):
    return Cat('-l', *['-k'] * many, SERVES, *options, '127.0.0.1', '0')


def header(host, port):
    """What stands before a datagram for the host, an address or a name."""
    two = port.to_bytes(2, 'big')
    for family, kind in (socket.AF_INET, 1), (socket.AF_INET6, 4):
        try:
            return b'\0\0\0' + bytes([kind]) + socket.inet_pton(family, host) + two
        except (OSError, ValueError):
            pass
    return b'\0\0\0\3' + bytes([len(host)]) + host.encode() + two


class Association:
    """A client: its connection, and a socket whose datagrams go to the proxy."""

    def __init__(self, cat, request=ASK, source='127.0.0.1', control=None):
        self.control = control or dial(cat, source)
        self.control.sendall(request)
        answer = exactly(self.control, 12)
        check((len(answer), answer[:6]), (12, b'\5\0\5\0\0\1'), answer)
        self.relay = socket.inet_ntoa(answer[6:10]), int.from_bytes(answer[10:], 'big')
        check(self.relay[0], '127.0.0.1')
        self.socket = udp()

    def put(self, data, to):
        self.socket.sendto(header(*to[:2]) + data, self.relay)

    def get(self):
        """The next datagram: its data and the address in its header."""
        data, sender = self.socket.recvfrom(1 << 17)
        check(sender, self.relay)
        family, length = {1: (socket.AF_INET, 4), 4: (socket.AF_INET6, 16)}[data[3]]
        check(data[:3], bytes(3))
        at = 4 + length
        return data[at + 2:], (socket.inet_ntop(family, data[4:at]), int.from_bytes(data[at:at + 2], 'big'))

    def passes(self, there, data=b'good'):
        """A datagram to there and its answer, which show that all before have been looked at."""
        self.put(data, there.getsockname())
        got, sender = there.recvfrom(1 << 17)
        check(got, data)
        there.sendto(b'answer to ' + data, sender)
        check(self.get(), (b'answer to ' + data, there.getsockname()[:2]))
        return sender


def silent(s):
    """Fail if something has arrived."""
    s.setblocking(False)
    try:
        check(s.recvfrom(1 << 17), None)
    except BlockingIOError:
        s.settimeout(LIMIT)


def relayed():
    """Datagrams of all sizes stay what they are, to an address and to a name, to two targets at a time."""
    one, other = udp(), udp()
    port = one.getsockname()[1]
    cat = server('--allow-dest', '127.0.0.1', '--resolve', 'name.test:%d:127.0.0.1' % port)
    client = Association(cat)
    for length in 0, 1, 100, 1472, 9000, 65000:
        data = random.randbytes(length)
        sender = client.passes(one, data[:65000])
        check(client.passes(other, data), sender)
    client.put(b'by name', ('name.test', port))
    check(one.recvfrom(100), (b'by name', sender))
    one.sendto(b'', sender)
    check(client.get(), (b'', one.getsockname()))
    # Many at a time, none of them joined.
    wanted = [b'%d' % i * (1 + i % 7) for i in range(60)]
    for data in wanted:
        client.put(data, one.getsockname())
    check([one.recv(100) for _ in wanted], wanted)
    for data in wanted:
        one.sendto(data, sender)
    check([client.get()[0] for _ in wanted], wanted)
    client.control.close()
    until(lambda: cat.descriptors() < 12, 'the end')


def ipv6():
    """A client and a target of IPv6, and a target of IPv4."""
    cat = Cat('-l', '-k', SERVES, '--allow-dest', '::1,127.0.0.1', '::1', '0')
    control = socket.create_connection(('::1', int(cat.where.rpartition(':')[2] or cat.where)), LIMIT)
    control.sendall(ASK)
    answer = exactly(control, 24)
    check(answer[:6], b'\5\0\5\0\0\4')
    relay = socket.inet_ntop(socket.AF_INET6, answer[6:22]), int.from_bytes(answer[22:], 'big')
    check(relay[0], '::1')
    here = udp(socket.AF_INET6)
    for family, host in (socket.AF_INET6, '::1'), (socket.AF_INET, '127.0.0.1'):
        there = udp(family)
        head = header(host, there.getsockname()[1])
        here.sendto(head + b'data', relay)
        data, sender = there.recvfrom(100)
        check(data, b'data')
        there.sendto(b'answer', sender)
        check(here.recv(100), head + b'answer')
    # IPv4 in the notation of IPv6.
    here.sendto(header('::ffff:127.0.0.1', there.getsockname()[1]) + b'mapped', relay)
    check(there.recv(100), b'mapped')


def spoofed():
    """Datagrams of other addresses, and of other ports once there was one, are dropped and counted."""
    there = udp()
    cat = server('-v', '--allow-dest', '127.0.0.1')
    client = Association(cat)
    data = header(*there.getsockname()) + b'bad'
    strange = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    strange.bind(('127.0.0.2', 0))
    strange.sendto(data, client.relay)
    # One that is malformed does not choose the port.
    other = udp()
    other.sendto(data[:9], client.relay)
    sender = client.passes(there)
    strange.sendto(data, client.relay)
    other.sendto(data, client.relay)
    client.passes(there)
    # A stranger's answer.
    udp().sendto(b'bad', ('127.0.0.1', sender[1]))
    strange.sendto(b'bad', ('127.0.0.1', sender[1]))
    client.passes(there)
    for s in there, client.socket, strange, other:
        silent(s)
    client.control.close()
    until(lambda: 'closed' in cat.errors(), 'the end')
    lines = cat.errors()
    check('1 datagram not delivered' in lines and '5 datagrams from other peers ignored' in lines, True, lines)


def announced():
    """A port in the request is the only one; an address there is not used."""
    there, here, other = udp(), udp(), udp()
    cat = server('--allow-dest', '127.0.0.1')
    request = b'\5\1\0\5\3\0\1\x0a\1\1\1' + here.getsockname()[1].to_bytes(2, 'big')
    client = Association(cat, request)
    other.sendto(header(*there.getsockname()) + b'bad', client.relay)
    client.socket = here
    client.passes(there)
    silent(there)


def followed():
    """What follows the request in the same packet is ignored, also where datagrams are counted later."""
    there = udp()
    cat = server('-v', '--allow-dest', '127.0.0.1')
    client = Association(cat, ASK + b'x' * 10)
    client.passes(there)
    client.put(b'bad', ('127.0.0.2', 9))
    client.passes(there)
    client.control.close()
    until(lambda: '1 datagram not delivered' in cat.errors(), 'the number')


def malformed():
    there = udp()
    port = there.getsockname()[1]
    cat = server('-v', '--allow-dest', '127.0.0.1', '--resolve', 'a.test:%d:127.0.0.1' % port)
    client = Association(cat)
    whole = [header('127.0.0.1', port), header('a.test', port), header('::ffff:127.0.0.1', port)]
    bad = [data[:cut] for data in whole for cut in range(len(data))]
    for frag in 1, 2, 127, 128, 255:
        bad.append(b'\0\0' + bytes([frag]) + whole[0][3:] + b'x')
    bad += [b'\1' + whole[0][1:] + b'x', b'\0\1' + whole[0][2:] + b'x']
    bad += [b'\0\0\0' + bytes([kind]) + whole[0][4:] + b'x' for kind in (0, 2, 5, 255)]
    bad += [header('127.0.0.1', 0) + b'x', header('a.test\0', port) + b'x', header('a\0.test', port) + b'x',
            header('\0', port) + b'x', b'\0\0\0\3\0' + port.to_bytes(2, 'big') + b'x', b'\0\0\0\3\377' + whole[1][5:] + b'x']
    # Names that are none.
    bad += [header(name, port) + b'x' for name in ('127.0.0.1%lo', 'a b', 'a@127.0.0.1', '[127.0.0.1]', '127.1', '0x7f.1')]
    for i, data in enumerate(bad):
        client.socket.sendto(data, client.relay)
        if i % 16 == 15:
            client.passes(there)
    client.passes(there)
    silent(there)
    silent(client.socket)
    client.control.close()
    until(lambda: '%d datagrams not delivered' % len(bad) in cat.errors(), 'the number %d' % len(bad))


def denied():
    """Every target is judged, whatever its notation; the number of those that are dropped is in the line."""
    there = udp()
    port = there.getsockname()[1]
    names = ['--resolve', 'loop.test:%d:127.0.0.1,[::1],169.254.169.254' % port]
    bad = ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1', '0.0.0.0', '::', '64:ff9b::7f00:1', '169.254.169.254',
           'fe80::1', '224.0.0.1', 'ff02::1', '255.255.255.255', 'loop.test', 'localhost']
    for options in [], ['--allow-dest', '*'], ['--allow-dest', '127.0.0.1:%d' % (port ^ 1)]:
        cat = server('-v', *names, *options)
        client = Association(cat)
        for i, host in enumerate(bad):
            client.put(b'bad', (host, port))
            until(lambda: cat.errors().count('dropped: ') + cat.errors().count('suppressed') > min(i, 3), host)
        client.control.close()
        until(lambda: '%d datagrams not delivered' % len(bad) in cat.errors(), 'the number')
        check('loopback address' in cat.errors() or 'not in --allow-dest' in cat.errors(), True, cat.errors())
        cat.send(15)
    silent(there)
    # The own socket for the client, at an address that is allowed.
    cat = server('-v', '--allow-dest', '127.0.0.1', '--deny-dest', '127.0.0.1:%d' % port, '--resolve',
                 'mixed.test:%d:127.0.0.3,127.0.0.1' % (port ^ 1))
    client = Association(cat)
    client.put(b'bad', client.relay)
    until(lambda: 'datagram for 127.0.0.1:%d dropped: the port of this proxy server' % client.relay[1] in cat.errors(), 'line')
    client.put(b'bad', ('127.0.0.1', port))
    until(lambda: 'datagram for 127.0.0.1:%d dropped: denied by --deny-dest' % port in cat.errors(), 'line')
    silent(there)


def unclean():
    """The status if datagrams of the only client, or of one of many, were dropped."""
    there = udp()
    for many in False, True:
        for bad in b'bad', header('127.0.0.2', 9) + b'bad':
            cat = server('--allow-dest', '127.0.0.1', *['--max-accepts', '1'] * many, many=many)
            client = Association(cat)
            client.passes(there)
            client.socket.sendto(bad, client.relay)
            client.passes(there)
            client.control.close()
            cat.end(104 if many else 97)
            check('1 datagram not delivered' in cat.errors(), True, cat.errors())
        # An answer that does not fit behind its header.
        cat = server('--allow-dest', '127.0.0.1', *['--max-accepts', '1'] * many, many=many)
        client = Association(cat)
        there.sendto(bytes(65507), client.passes(there))
        client.passes(there)
        client.control.close()
        cat.end(104 if many else 55)
        check('1 datagram not sent' in cat.errors(), True, cat.errors())


def names():
    """A name with a forbidden address and an allowed one; one that does not exist; -n."""
    there = udp()
    port = there.getsockname()[1]
    cat = server('-v', '--allow-dest', '127.0.0.1', '--resolve', 'both.test:%d:169.254.169.254,127.0.0.1' % port)
    client = Association(cat)
    client.put(b'data', ('both.test', port))
    check(there.recv(100), b'data')
    client.put(b'data', ('nosuch.invalid', port))
    until(lambda: 'datagram for nosuch.invalid:%d dropped: resolve ' % port in cat.errors(), 'the line')
    client.put(b'text', ('127.0.0.1', port))
    check(there.recv(100), b'text')
    cat.send(15)
    cat = server('-v', '-n', '--allow-dest', '127.0.0.1')
    client = Association(cat)
    client.put(b'bad', ('localhost', port))
    until(lambda: 'names of targets are not resolved (-n)' in cat.errors(), 'the line')
    client.passes(there)


def slow_name():
    """A look-up delays only datagrams for its name; they arrive in order, and not all are kept."""
    there = udp()
    port = there.getsockname()[1]
    cat = Cat('-l', '-k', '-v', SERVES, '--allow-dest', '127.0.0.1,127.1.0.1', '127.0.0.1', '0',
              env=shim('getaddrinfo:addresses=1:*,getaddrinfo:sleep=3:1'))
    client = Association(cat)
    far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    far.bind(('127.1.0.1', port))
    far.settimeout(LIMIT)
    for i in range(3):
        client.put(b'%d' % i, ('slow.test', port))
    # 64 KiB at most wait.
    client.put(bytes(60000), ('slow.test', port))
    client.put(bytes(6000), ('slow.test', port))
    client.passes(there)
    silent(far)
    client.passes(there)
    check([far.recv(1 << 17) for _ in range(3)], [b'0', b'1', b'2'])
    check(len(far.recv(1 << 17)), 60000)
    client.put(b'known', ('slow.test', port))
    check(far.recv(1 << 17), b'known')
    silent(far)
    check('too many datagrams wait' in cat.errors(), True, cat.errors())


def ends():
    """The association ends with its connection; what was sent before is delivered."""
    there = udp()
    cat = server('-v', '--allow-dest', '127.0.0.1')
    client = Association(cat)
    client.passes(there)
    cat.stop()
    for i in range(20):
        client.put(b'%d' % i, there.getsockname())
    client.control.sendall(b'this is ignored')
    client.control.shutdown(socket.SHUT_WR)
    cat.go()
    check([there.recv(100) for _ in range(20)], [b'%d' % i for i in range(20)])
    check(to_end(client.control), b'')
    until(lambda: 'closed ' in cat.errors(), 'the line')
    check('(1 and 21 messages)' in cat.errors(), True, cat.errors())
    # Its port is closed.
    client.socket.connect(client.relay)

    def refused():
        try:
            client.socket.send(b'x')
            client.socket.send(b'x')
        except ConnectionRefusedError:
            return True
        return False
    until(refused, 'the refusal')
    # By a reset.
    client = Association(cat)
    client.passes(there)
    reset(client.control)
    until(lambda: 'reset' in cat.errors(), 'the reset')
    # A single client: the status of the run.
    cat = server('--allow-dest', '127.0.0.1', many=False)
    client = Association(cat)
    client.passes(there)
    client.control.close()
    cat.end(0)
    cat = server('--allow-dest', '127.0.0.1', many=False)
    client = Association(cat)
    cat.send(15)
    cat.end(-15)


def idle():
    """Datagrams keep it from being idle."""
    there = udp()
    cat = server('-v', '--idle-timeout', '500ms', '--allow-dest', '127.0.0.1', many=False)
    client = Association(cat)
    client.passes(there)
    client.passes(there)
    cat.end(28)
    check('nothing moved' in cat.errors(), True, cat.errors())


def refused():
    """Without the word it is not served, nor is BIND; other commands of the server are what they were."""
    for options, request, wanted in (('--proxy-server=socks5', ASK, 7), (SERVES, b'\5\1\0\5\2\0\1' + bytes(6), 7),
                                     (SERVES, b'\5\1\0\5\3\0\2' + bytes(6), 8),
                                     ('--proxy-server=socks5', b'\5\1\0\5\3\0\3\1x' + bytes(2), 7)):
        cat = Cat('-l', '-k', options, '127.0.0.1', '0')
        s = dial(cat)
        s.sendall(request)
        check(to_end(s)[:4], b'\5\0\5' + bytes([wanted]))
        cat.send(15)
    cat = server('--proxy-auth-file', secret('me:secret\n'), '--allow-dest', '127.0.0.1')
    s = dial(cat)
    s.sendall(ASK)
    check(to_end(s), b'\5\xff')
    there = udp()
    s = dial(cat)
    s.sendall(b'\5\1\2\1\2me\6secret')
    check(exactly(s, 4), b'\5\2\1\0')
    s.sendall(ASK[3:])
    answer = exactly(s, 10)
    check(answer[:4], b'\5\0\0\1')
    udp().sendto(header(*there.getsockname()) + b'data', ('127.0.0.1', int.from_bytes(answer[8:], 'big')))
    check(there.recv(100), b'data')
    cat.send(15)
    # A client without an address.
    cat = Cat('-l', '-k', '-U', SERVES, T + '/socket')
    s = dial(cat)
    s.sendall(ASK)
    check(to_end(s)[:4], b'\5\0\5\1')
    until(lambda: 'it has no address of IPv4 or IPv6' in cat.errors(), 'the line')


def retried():
    """A lack of buffers is waited for, and reported for the session."""
    there = udp()
    far = server('--allow-dest', '127.0.0.1')
    # The first two calls are those of the handshake.
    cat = Cat('-u', '-v', '-q', '1ms', '--proxy', 'socks5h://127.0.0.1:' + far.where, '127.0.0.1', str(there.getsockname()[1]),
              stdin=subprocess.PIPE, env=shim('sendmsg:ENOBUFS:3'))
    cat.write(b'data')
    check(there.recv(100), b'data')
    cat.process.stdin.close()
    cat.end(0)
    check('waited 1 time for kernel buffers' in cat.errors(), True, cat.errors())


def large():
    """What does not fit behind a header is dropped and counted."""
    there = udp()
    cat = server('-v', '--allow-dest', '127.0.0.1')
    client = Association(cat)
    sender = client.passes(there)
    there.sendto(bytes(65507), sender)
    there.sendto(bytes(65497), sender)
    check(client.get(), (bytes(65497), there.getsockname()))
    client.put(bytes(65497), there.getsockname())
    check(there.recv(1 << 17), bytes(65497))
    client.control.close()
    until(lambda: '1 datagram not sent' in cat.errors(), 'the number')
    check('Message too long; continuing' in cat.errors(), True, cat.errors())


def kernel_drops():
    """Datagrams that the kernel drops are counted, in both directions."""
    for answers in False, True:
        there = udp()
        cat = server('-v', '--allow-dest', '127.0.0.1')
        client = Association(cat)
        sender = client.passes(there)
        cat.stop()
        for _ in range(300):
            if answers:
                there.sendto(bytes(9000), sender)
            else:
                client.put(bytes(9000), there.getsockname())
        cat.go()
        until(lambda: not waits(sender[1] if answers else client.relay[1]), 'an empty receive queue')
        client.control.close()
        until(lambda: 'closed' in cat.errors(), 'the end')
        sent, received, dropped = map(int, re.search(
            r'\((\d+) and (\d+) messages\), (\d+) datagrams dropped by the kernel', cat.errors()).groups())
        check((sent + received + dropped, received == 1), (302, answers), cat.errors())


def many_targets():
    """The last 512 may answer."""
    sockets = [udp() for _ in range(520)]
    cat = server('--allow-dest', '127.0.0.1')
    client = Association(cat)
    for s in sockets:
        client.put(b'x', s.getsockname())
        _, sender = s.recvfrom(10)
    for s in sockets[:8]:
        s.sendto(b'forgotten', sender)
    client.passes(sockets[-1])
    for s in sockets[8:-1:50]:
        s.sendto(b'known', sender)
        check(client.get(), (b'known', s.getsockname()))
    silent(client.socket)
    client.passes(sockets[0])


def reported():
    there = udp()
    cat = server('--report', 'json:' + T + '/report', '--allow-dest', '127.0.0.1', '--hex-dump', T + '/dump', many=False)
    client = Association(cat)
    client.passes(there, b'hello')
    client.control.close()
    cat.end(0)
    with open(T + '/report') as file:
        events = [json.loads(line) for line in file]
    found = [event for event in events if event['event'] == 'associated']
    check([(event['object'], event['local']['port']) for event in found], [('socks5', client.relay[1])])
    closed = [event for event in events if event['event'] == 'closed']
    check([event['messages'] for event in closed], [{'sent': 1, 'received': 1}])
    with open(T + '/dump') as file:
        dump = file.read()
    check(dump.count('hello'), 2, dump)


def secure():
    """The connection may have TLS; the datagrams have none."""
    there = udp()
    cat = server('--ssl', '--ssl-self-signed', '--allow-dest', '127.0.0.1', many=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    control = context.wrap_socket(dial(cat))
    client = Association(cat, ASK + b'ignored', control=control)
    client.passes(there)
    control.unwrap()
    control.close()
    cat.end(0)


PYSOCKS = """
import socket, socks, sys
s = socks.socksocket(socket.AF_INET, socket.SOCK_DGRAM)
s.set_proxy(socks.SOCKS5, '127.0.0.1', int(sys.argv[1]), rdns=True)
s.sendto(b'question', (sys.argv[2], int(sys.argv[3])))
print(s.recvfrom(100))
"""


def pysocks():
    there = udp()
    port = there.getsockname()[1]
    cat = server('--allow-dest', '127.0.0.1', '--resolve', 'name.test:%d:127.0.0.1' % port)
    for host in '127.0.0.1', 'name.test':
        client = subprocess.Popen(['/usr/bin/python3', '-c', PYSOCKS, cat.where, host, str(port)], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        data, sender = there.recvfrom(100)
        check(data, b'question')
        there.sendto(b'answer', sender)
        check(end(client)[0], b"(b'answer', ('127.0.0.1', %d))\n" % port)


# --- sockcat as the client ---


def through(url, *args, stdin=subprocess.PIPE):
    return Cat('-u', '--proxy', url, *args, stdin=stdin)


class Proxy:
    """A scripted proxy, which agrees to relay."""

    def __init__(self, bound=None, answer=b'\5\0\0', host='127.0.0.1'):
        self.listener, self.socket = tcp(host=host), udp()
        self.url = 'socks5h://%s:%d' % self.listener.getsockname()
        self.bound = bound or b'\1\x7f\0\0\1' + self.socket.getsockname()[1].to_bytes(2, 'big')
        self.answer = answer

    def accept(self):
        self.control = accept(self.listener)
        check(exactly(self.control, 3), b'\5\1\0')
        self.control.sendall(b'\5\0')
        check(exactly(self.control, 10), b'\5\3\0\1' + bytes(6))
        self.control.sendall(self.answer + self.bound)

    def get(self):
        data, self.client = self.socket.recvfrom(1 << 17)
        return data

    def put(self, data, to):
        self.socket.sendto(header(*to) + data, self.client)


def client():
    """Through sockcat, the name resolved here and there; input of many bytes becomes several datagrams."""
    there = udp()
    port = there.getsockname()[1]
    known = ['--resolve', 'name.test:%d:127.0.0.1' % port]
    near = server('--allow-dest', '127.0.0.1')
    far = server('--allow-dest', '127.0.0.1', *known)
    for url, options, host in ((near, known, 'name.test'), (far, [], 'name.test'), (far, [], '127.0.0.1')):
        url = '%s://127.0.0.1:%s' % ('socks5' if url is near else 'socks5h', url.where)
        cat = through(url, '-v', *options, '-q', '500ms', host, str(port))
        for text in b'one', b'two' * 1000:
            cat.write(text)
            data, sender = there.recvfrom(1 << 17)
            check(data, text)
            there.sendto(b'answer to ' + text, sender)
        cat.await_output(b'answer to one' + b'answer to ' + b'two' * 1000)
        cat.process.stdin.close()
        cat.end(0)
        check('relays datagrams at 127.0.0.1:' in cat.errors(), True, cat.errors())
        check(', resolved by the proxy' in cat.errors(), (url[6], host) == ('h', 'name.test'), cat.errors())
    data = random.randbytes(100000)
    with open(T + '/data', 'wb') as file:
        file.write(data)
    with open(T + '/data', 'rb') as file:
        cat = through('socks5h://127.0.0.1:' + far.where, '-q', '1ms', 'name.test', str(port), stdin=file)
        got = [there.recv(1 << 17) for _ in range(2)]
        check(b''.join(got), data)
        check(max(map(len, got)), 65507 - len(header('name.test', port)))
        cat.end(0)


def client_bytes():
    """What a proxy is sent; only the target's datagrams are taken from it."""
    for host, resolves in ('name.test', True), ('192.0.2.1', False), ('2001:db8::1', False):
        # A relay without an address is at that of the proxy.
        proxy = Proxy()
        proxy.bound = b'\1\0\0\0\0' + proxy.bound[-2:]
        cat = through(proxy.url, '-v', '-q', '500ms', host, '53')
        proxy.accept()
        cat.write(b'question')
        check(proxy.get(), header(host, 53) + b'question')
        # Others, fragments, what is cut, and an unknown sender.
        if not resolves:
            proxy.put(b'bad', ('192.0.2.2', 53))
        proxy.put(b'bad', ('192.0.2.1', 54))
        for bad in b'\0\0\1' + header(host, 53)[3:] + b'bad', b'\0\1' + header(host, 53)[2:] + b'bad', header(host, 53)[:-1]:
            proxy.socket.sendto(bad, proxy.client)
        udp().sendto(header(host, 53) + b'bad', proxy.client)
        proxy.put(b'answer', ('192.0.2.9' if resolves else host, 53))
        proxy.put(b', more', (host, 53))
        cat.await_output(b'answer, more')
        # What it says on the connection is no data.
        proxy.control.sendall(b'x' * 100000)
        cat.process.stdin.close()
        cat.end(0)
        lines = cat.errors()
        check('3 datagrams not delivered' in lines and '%d datagram%s from other peers' % (2 - resolves, 's'[resolves:]) in lines,
              True, lines)


def client_lost():
    """The end of the connection to the proxy is a failure, after what has arrived."""
    for ended in False, True:
        for kill in socket.socket.close, reset:
            proxy = Proxy()
            cat = through(proxy.url, '-q', '60', 'name.test', '53')
            proxy.accept()
            cat.write(b'question')
            proxy.get()
            if ended:
                cat.process.stdin.close()
            cat.rest()
            cat.stop()
            proxy.put(b'answer', ('192.0.2.1', 53))
            kill(proxy.control)
            cat.go()
            cat.fail(97, 'relay datagrams for name.test:53: proxy 1 .socks5h 127.0.0.1:[0-9]+.: '
                          '(the connection was closed|Connection reset by peer)')
            check(cat.output(), b'answer')
    # Its relay is gone.
    proxy = Proxy()
    cat = through(proxy.url, 'name.test', '53')
    proxy.accept()
    cat.write(b'question')
    proxy.get()
    proxy.socket.close()
    cat.write(b'question')
    cat.fail(97, 'relay datagrams for name.test:53: proxy 1 .*: Connection refused')


def client_refused():
    for answer, bound, words in ((b'\5\7\0', bytes(7), 'command not supported .code 7'),
                                 (b'\5\2\0', bytes(7), 'not allowed'),
                                 (b'\5\0\0', b'\3\1a\0\7', 'the address of its relay is not an address'),
                                 (b'\5\0\0', b'\1\x7f\0\0\1\0\0', 'the address of its relay is not an address'),
                                 (b'\5\0\0', b'\1\x7f\0', 'closed inside the answer')):
        proxy = Proxy(bound, answer)
        cat = through(proxy.url, 'name.test', '53')
        proxy.accept()
        if words.startswith('closed'):
            proxy.control.shutdown(socket.SHUT_WR)
        cat.fail(97, 'relay datagrams for name.test:53: proxy 1 .*: .*' + words)
    # What becomes of a datagram it does not say.
    long = 'n' * 60 + ('.' + 'n' * 60) * 3
    for name in long, 'localhost':
        cat = server('-v')
        here = through('socks5h://127.0.0.1:' + cat.where, '-v', '-q', '500ms', name, '53')
        here.write(b'x')
        until(lambda: 'datagram for %s:53 dropped' % name in cat.errors(), 'the line')
        here.process.stdin.close()
        here.end(0)


def client_exceptions():
    """A target of --noproxy gets its datagrams directly."""
    there = udp()
    cat = through('socks5h://127.0.0.1:1', '--noproxy', '127.0.0.1', '127.0.0.1', str(there.getsockname()[1]))
    cat.write(b'direct')
    check(there.recv(100), b'direct')


def client_dante():
    at = serve('danted')[0].partition(':')[2]
    there = udp()
    for scheme, host in ('socks5', '127.0.0.1'), ('socks5h', '127.0.0.1'), ('socks5h', 'localhost'):
        cat = through(scheme + ':' + at, '-q', '500ms', host, str(there.getsockname()[1]))
        for text in b'one', b'two':
            cat.write(text)
            data, sender = there.recvfrom(100)
            check(data, text)
            there.sendto(b'(' + data + b')', sender)
        cat.await_output(b'(one)(two)')
        cat.process.stdin.close()
        cat.end(0)


if __name__ == '__main__':
    main()
