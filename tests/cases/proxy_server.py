"""A proxy server: scripted clients, its targets, and the clients that people use."""
import base64
import json
import os
import random
import re
import shutil
import socket
import subprocess
import threading
import time

from drive import (accept, Cat, check, check_unconnected, dial, exactly, ip, LIMIT, main, reset, secret, shim, T, taken, tcp, to_end,
                   until)

ALL = '--proxy-server=http,socks4,socks5'
SOCKS5 = b'\5\1\0'
OK = {'http': b'HTTP/1.1 200 Connection established\r\n\r\n', 'socks4': b'\0\x5a' + bytes(6),
      'socks4a': b'\0\x5a' + bytes(6), 'socks5': b'\5\0\5\0\0\1' + bytes(6), 'socks5h': b'\5\0\5\0\0\1' + bytes(6)}
SCHEMES = list(OK)


def request(scheme, host, port):
    """What a client sends; socks4 and socks5 are with an address."""
    two, name = port.to_bytes(2, 'big'), host.encode()
    if scheme == 'http':
        where = b'%s:%d' % (b'[%s]' % name if b':' in name else name, port)
        return b'CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: x\r\n\r\n' % (where, where)
    if scheme == 'socks4':
        return b'\4\1' + two + socket.inet_aton(host) + b'me\0'
    if scheme == 'socks4a':
        return b'\4\1' + two + b'\0\0\0\1me\0' + name + b'\0'
    if scheme == 'socks5' and ':' in host:
        return SOCKS5 + b'\5\1\0\4' + socket.inet_pton(socket.AF_INET6, host) + two
    if scheme == 'socks5':
        return SOCKS5 + b'\5\1\0\1' + socket.inet_aton(host) + two
    return SOCKS5 + b'\5\1\0\3' + bytes([len(name)]) + name + two


def server(*options, many=True, env=None):
    return Cat('-l', *['-k'] * many, ALL, *options, '127.0.0.1', '0', env=env)


def refused(cat, data):
    """The whole answer to a request that is refused."""
    s = dial(cat)
    s.sendall(data)
    return to_end(s)


def code(scheme, answer):
    """The number in the answer."""
    if scheme == 'http':
        check(answer[:9], b'HTTP/1.1 ', answer)
        return int(answer[9:12])
    if scheme.startswith('socks4'):
        check((len(answer), answer[0]), (8, 0), answer)
        return answer[1]
    check((len(answer), answer[:3]), (12, b'\5\0\5'), answer)
    return answer[3]


def tunnel(cat, scheme, there, host='127.0.0.1'):
    """A tunnel: the client's end and the target's."""
    near = dial(cat)
    near.sendall(request(scheme, host, there.getsockname()[1]))
    far = accept(there)
    check(exactly(near, len(OK[scheme])), OK[scheme], scheme)
    return near, far


def tunnels():
    """In pieces of 1 and of 7 bytes and whole; what follows the request in the same packet goes through."""
    there = tcp()
    cat = server('--allow-dest', '127.0.0.1', '--resolve', 'name.test:*:127.0.0.1'.replace('*', str(there.getsockname()[1])))
    for scheme in SCHEMES:
        for each in 1, 7, 1000:
            host = '127.0.0.1' if scheme in ('socks4', 'socks5') else 'name.test'
            near = dial(cat)
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            data = request(scheme, host, there.getsockname()[1]) + b'\r\n\r\nearly'
            for at in range(0, len(data), each):
                near.sendall(data[at:at + each])
            far = accept(there)
            check(exactly(far, 9), b'\r\n\r\nearly', scheme)
            far.sendall(b'answer')
            check(exactly(near, len(OK[scheme]) + 6), OK[scheme] + b'answer', (scheme, each))
            cross(near, far)


def cross(near, far):
    """Much goes both ways at once, and each side ends on its own."""
    data = [random.randbytes(300000) for _ in range(2)]
    got = [None, None]

    def send(end, i):
        end.sendall(data[i])
        end.shutdown(socket.SHUT_WR)

    def take(end, i):
        got[i] = to_end(end)
    threads = [threading.Thread(target=send, args=pair) for pair in ((near, 0), (far, 1))]
    threads += [threading.Thread(target=take, args=pair) for pair in ((near, 1), (far, 0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(got == data, True)


def spliced():
    there = tcp()
    for scheme in SCHEMES:
        cat = server('-vv', '--allow-dest', '127.0.0.1', many=False)
        cross(*tunnel(cat, scheme, there))
        cat.end()
        ways = re.findall(r'^sockcat: \[1\] from \S+ to \S+: (\S+) [a-z ]+$', cat.errors(), re.M)
        check(sorted(ways), ['copied', 'copied', 'spliced', 'spliced'])


def spliced_later():
    """What a client sends before the answer is read with the request, the rest is moved by the kernel."""
    there = tcp()
    for scheme in SCHEMES:
        cat = server('-vv', '--allow-dest', '127.0.0.1', many=False)
        near = dial(cat)
        data = random.randbytes(3000000)
        near.sendall(request(scheme, '127.0.0.1', there.getsockname()[1]) + data[:1500])
        far = accept(there)
        check(exactly(near, len(OK[scheme])), OK[scheme], scheme)
        sender = threading.Thread(target=lambda: (near.sendall(data[1500:]), near.shutdown(socket.SHUT_WR)))
        sender.start()
        check(to_end(far) == data, True, scheme)
        sender.join()
        far.close()
        check(to_end(near), b'')
        near.close()
        cat.end()
        check(': spliced in the kernel' in cat.errors(), True, cat.errors())


def few_calls():
    """The system calls from accepting a client to closing both connections of its tunnel."""
    there = tcp()
    port = there.getsockname()[1]
    for scheme, most, options in ('http', 40, (ALL, '--allow-dest', '127.0.0.1')), \
            ('socks5', 42, (ALL, '--allow-dest', '127.0.0.1')), (None, 37, ('--to', '127.0.0.1:%d' % port)):
        cat = Cat('-l', '-k', *options, '127.0.0.1', '0')
        cat.rest()
        trace = subprocess.Popen(['strace', '-qq', '-e', 'trace=!%memory', '-p', str(cat.pid), '-o', T + '/trace'],
                                 stderr=subprocess.DEVNULL)
        until(lambda: re.search(r'TracerPid:\s+[1-9]', open('/proc/%d/status' % cat.pid).read()), 'strace')
        for _ in range(20):
            if scheme:
                near, far = tunnel(cat, scheme, there)
            else:
                near = dial(cat)
                far = accept(there)
            far.close()
            check(to_end(near), b'')
            near.close()
        cat.rest()
        trace.terminate()
        trace.wait()
        with open(T + '/trace') as file:
            calls = file.read()
        check(calls.count('\n') <= 20 * most, True, '%d %s' % (calls.count('\n'), calls[-6000:]))


def a_cut_connects_to_nothing():
    there = tcp()
    cat = server('--allow-dest', '127.0.0.1')
    for scheme in SCHEMES:
        data = request(scheme, '127.0.0.1', there.getsockname()[1])
        clients = []
        for cut in range(len(data)):
            s = dial(cat)
            s.sendall(data[:cut])
            s.shutdown(socket.SHUT_WR)
            clients.append(s)
        for s in clients:
            try:
                check(to_end(s), b'\5\0'[:2 * (scheme.startswith('socks5') and clients.index(s) > 2)], scheme)
            except ConnectionResetError:
                pass
        near, far = tunnel(cat, scheme, there)
        far.sendall(b'good')
        check(exactly(near, 4), b'good')
    lines = [line for line in cat.errors().splitlines() if 'the connection was closed' not in line]
    check([line for line in lines if 'suppressed' not in line and 'listening' not in line], [])


CODES = {'http': (403, 502, 502, 502), 'socks4': (91, 91, 91, 91), 'socks4a': (91, 91, 91, 91), 'socks5': (2, 5, 3, None),
         'socks5h': (2, 5, 3, 4)}
LINES = ['connect 127.0.0.2:9: not allowed: a loopback address', 'connect 127.0.0.1:9: Connection refused',
         'connect 192.0.2.1:9: Network is unreachable', 'resolve nosuch.invalid: ']


def codes():
    """Denied, refused, unreachable, an unknown name: in a network without routes."""
    cat = server('--allow-dest', '127.0.0.1,192.0.2.0/24')
    for scheme in SCHEMES:
        for host, wanted, line in zip(('127.0.0.2', '127.0.0.1', '192.0.2.1', 'nosuch.invalid'), CODES[scheme], LINES):
            if host == 'nosuch.invalid' and scheme in ('socks4', 'socks5'):
                continue
            check(code(scheme, refused(cat, request(scheme, host, 9))), wanted, (scheme, host))
            until(lambda: line in cat.errors(), line)
    cat.send(15)
    # A single client's failure is that of the run.
    for host, status, pattern in (('127.0.0.2', 97, 'not allowed'), ('127.0.0.1', 7, 'Connection refused')):
        single = server('--allow-dest', '127.0.0.1', many=False)
        refused(single, request('socks5', host, 9))
        single.end(status)
        check(pattern in single.errors(), True, single.errors())


class Full:
    """A listener whose queue is full, so that its system drops what would connect."""

    def __init__(self):
        self.listener, self.clients = tcp(0), [socket.socket() for _ in range(8)]
        self.port = self.listener.getsockname()[1]
        for s in self.clients:
            s.setblocking(False)
            s.connect_ex(self.listener.getsockname())


def timeout():
    """A target that does not answer."""
    full = Full()
    cat = server('--allow-dest', '127.0.0.1', '--wait', '300ms')
    for scheme, wanted in (('http', 504), ('socks4', 91), ('socks5', 6)):
        check(code(scheme, refused(cat, request(scheme, '127.0.0.1', full.port))), wanted)
        until(lambda: 'timed out' in cat.errors(), 'the line')


MALFORMED = [
    (b'GET http://127.0.0.1/ HTTP/1.1\r\nHost: x\r\n\r\n', 501, 'only the method CONNECT'),
    (b'CONNECT http://127.0.0.1:9/ HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'host:port'),
    (b'CONNECT 127.0.0.1:9 HTTP/1.1\nHost: x\n\n', 400, 'CR and LF'),
    (b'CONNECT  127.0.0.1:9 HTTP/1.1\r\n\r\n', 400, 'malformed'),
    (b'CONNECT 127.0.0.1:9 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc', 400, 'no content'),
    (b'CONNECT 127.0.0.1:9 HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', 400, 'twice'),
    (b'CONNECT 127.0.0.1:9 HTTP/1.1\r\nHost : x\r\n\r\n', 400, 'malformed'),
    (b'CONNECT 127.0.0.1\0:9 HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'control character'),
    (b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'only HTTP/1.0'),
    (b'CONNECT 127.0.0.1:9 HTTP/1.1\r\n' + b'A: b\r\n' * 5000, 431, 'more than 100 lines'),
    (b'CONNECT 127.0.0.1:9 HTTP/1.1\r\nA: ' + b'b' * 300000, 431, 'longer than 1024 bytes'),
    (b'\x16\x03\x01\2\0\1', None, 'neither HTTP nor SOCKS'),
    (b'\5\1\2', b'\5\xff', 'no login'),
    (b'\4\2\0\x50\x7f\0\0\1\0', b'\0\x5b' + bytes(6), 'only CONNECT'),
]


def malformed():
    """The answer arrives though much follows that is not read."""
    cat = server('--allow-dest', '127.0.0.1', '-vv')
    for data, wanted, words in MALFORMED:
        answer = refused(cat, data)
        if isinstance(wanted, int):
            head, _, body = answer.partition(b'\r\n\r\n')
            check(code('http', answer), wanted, data)
            check((body.count(b'\n'), b'Content-Length: %d\r\n' % len(body) in head), (1, True), answer)
            check(words in body.decode(), True, answer)
        else:
            check(answer, wanted or b'', data)
        until(lambda: words in cat.errors(), words)


# What is not to be reached: a target as a client writes it, and for a name its addresses.
FORBIDDEN = [
    '127.0.0.1', '127.1.2.3', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1', '::ffff:7f00:1', '::127.0.0.1',
    '0:0:0:0:0:ffff:7f00:0001', '::ffff:0.0.0.0', '169.254.169.254', '::ffff:169.254.169.254', '64:ff9b::127.0.0.1',
    '64:ff9b::a9fe:a9fe', '64:ff9b:1::127.0.0.1', '64:ff9b:1:7f00:0:100::', '2002:7f00:1::', '2002:a9fe:a9fe::1',
    '2001:0:7f00:1::', '2001:0:c000:201:0:0:80ff:fffe', '::ffff:0:127.0.0.1', 'fe80::1', 'ff02::1', '224.0.0.1', '255.255.255.255', '2130706433', '017700000001',
    '0x7f000001', '0x7f.0.0.1', '0177.0.0.1', '127.1', '127.0.1', '0', '127.0.0.1.', 'localhost', 'LOCALHOST',
    'localhost.', 'a.localhost', 'loop4.test', 'loop6.test', 'mapped.test', 'meta.test', '127.0.0.1%lo', '[::1]',
    '[127.0.0.1]', 'localhost\0.test', 'a@localhost', 'localhost/', 'localhost#x', '127.0.0.1:80',
]


def forbidden():
    """As a name and as an address: nothing connects, whatever the protocol is."""
    there = tcp()
    port = there.getsockname()[1]
    names = {'loop4.test': '127.0.0.1', 'loop6.test': '[::1]', 'mapped.test': '[::ffff:127.0.0.1]',
             'meta.test': '169.254.169.254', 'a.localhost': '127.0.0.1'}
    resolve = [word for name, to in names.items() for word in ('--resolve', '%s:%d:%s' % (name, port, to))]
    for options in [], ['--allow-dest', '*'], ['--allow-dest', '0.0.0.0/0,::/0'], ['--allow-dest', '10.0.0.0/8']:
        cat = server(*resolve, *options)
        for host in FORBIDDEN:
            for scheme in 'http', 'socks4a', 'socks5h':
                answer = refused(cat, request(scheme, host, port))
                check(code(scheme, answer) not in (200, 90, 0), True, (host, scheme, answer))
            if re.fullmatch(r'[0-9.]+', host) and host.count('.') == 3 and host[-1] != '.' and host[0] in '12':
                check(code('socks5', refused(cat, request('socks5', host, port))), 2, host)
            if re.fullmatch(r'[0-9a-f:]*:[0-9a-f:.]*', host):
                check(code('socks5', refused(cat, request('socks5', host, port))) in (1, 2), True, host)
        cat.send(15)
    check_unconnected(there)


def upstream_forbidden():
    """Nor is another proxy asked for it, which would resolve the name."""
    proxy, asked = tcp(), []

    def listen():
        while True:
            s, _ = proxy.accept()
            s.settimeout(LIMIT)
            try:
                asked.append(s.recv(100))
            except ConnectionResetError:
                asked.append(b'')
            s.close()
    threading.Thread(target=listen, daemon=True).start()
    hosts = [host for host in FORBIDDEN if not host.endswith('.test') or '\0' in host]
    for options in [], ['--allow-dest', '*']:
        for upstream in 'http', 'socks5h':
            cat = server('--proxy', '%s://127.0.0.1:%d' % (upstream, proxy.getsockname()[1]), *options)
            for host in hosts + ['a.LOCALHOST.', 'localhost.localdomain', 'ip6-localhost', '127.1.', '0x7F.1.']:
                for scheme in 'http', 'socks4a', 'socks5h':
                    answer = refused(cat, request(scheme, host, 7))
                    check(code(scheme, answer) not in (200, 90, 0), True, (host, scheme, answer))
            cat.send(15)
    check(set(asked), {b''})


def own_addresses():
    """A host with two addresses besides loopback."""
    ip('addr add 198.51.100.1/24 dev lo')
    ip('addr add 198.51.100.2/24 dev lo')
    there = socket.socket()
    there.bind(('198.51.100.1', 0))
    there.listen()
    there.settimeout(LIMIT)
    port = there.getsockname()[1]
    for options, wanted in (([], 2), (['--allow-dest', '198.51.100.0/24'], 2), (['--allow-dest', '198.51.100.2'], 2),
                            (['--allow-dest', '198.51.100.1:1'], 2), (['--allow-dest', '198.51.100.1'], 0),
                            (['--allow-dest', '198.51.100.1', '--deny-dest', '*:%d' % port], 2)):
        cat = server(*options)
        s = dial(cat)
        s.sendall(request('socks5', '198.51.100.1', port))
        check(exactly(s, 12)[3], wanted, options)
        s.close()
        cat.send(15)
    # As a translator writes it.
    cat = server()
    check(code('socks5', refused(cat, request('socks5', '64:ff9b::198.51.100.1', port))), 2)
    cat.send(15)
    # Its own port, at each of its addresses, although they are allowed.
    cat = Cat('-l', '-k', ALL, '--allow-dest', '127.0.0.0/8,198.51.100.1', '0.0.0.0', '0')
    own = int(cat.where)
    for host in '127.0.0.1', '127.0.0.9', '198.51.100.1':
        s = socket.create_connection(('198.51.100.2', own), LIMIT)
        s.sendall(request('socks5', host, own))
        check(to_end(s)[3], 2, host)
    until(lambda: cat.errors().count('the port of this proxy server') == 3, 'three lines')
    cat.send(15)
    # Nor is a proxy asked for it.
    proxy = tcp()
    cat = server('--proxy', 'socks5h://127.0.0.1:%d' % proxy.getsockname()[1], '--allow-dest', '127.0.0.0/8')
    check(code('socks5', refused(cat, request('socks5', '127.0.0.9', int(cat.where)))), 2)
    until(lambda: 'the port of this proxy server' in cat.errors(), 'the line')


def mixed_addresses():
    there = tcp()
    port = there.getsockname()[1]
    cat = server('--resolve', 'both.test:%d:127.0.0.2,169.254.169.254,127.0.0.1' % port, '--allow-dest', '127.0.0.1', '-v')
    near, far = tunnel(cat, 'socks5h', there, 'both.test')
    far.sendall(b'good')
    check(exactly(near, 4), b'good')
    until(lambda: 'connected to 127.0.0.1:%d ' % port in cat.errors(), 'the connection')
    lines = cat.errors()
    check('connected to 127.0.0.2' in lines or 'connected to 169' in lines, False)


def basic(login):
    return b'Proxy-Authorization: Basic ' + base64.b64encode(login) + b'\r\n\r\n'


def users():
    path = secret('# users\nother:x\n\nme:se:cret\r\nempty:\n')
    there = tcp()
    port = there.getsockname()[1]
    cat = server('--allow-dest', '127.0.0.1', '--proxy-auth-file', path)
    head = b'CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: x\r\n' % port
    target = b'\5\1\0\1\x7f\0\0\1' + port.to_bytes(2, 'big')

    def answers(data, wanted):
        s = dial(cat)
        s.sendall(data)
        check(exactly(s, len(wanted)), wanted, data)
        return s

    for login in b'me:se:cret', b'empty:', b'other:x':
        answers(head + basic(login), OK['http'])
        user, _, password = login.partition(b':')
        both = b'\1' + bytes([len(user)]) + user + bytes([len(password)]) + password
        answers(b'\5\2\0\2' + both + target, b'\5\2\1\0\5\0\0\1')
        for _ in range(2):
            accept(there)
    # Wrong ones wait for their answers, while others are served.
    before = time.monotonic()
    wrong = []
    for login in b'me:secret', b'me:', b'you:se:cret', b'me\0:se:cret', b'me:se:cret\0', b'ME:se:cret':
        s = dial(cat)
        s.sendall(head + basic(login))
        wrong.append((s, b'HTTP/1.1 407 '))
        user, _, password = login.partition(b':')
        s = dial(cat)
        s.sendall(b'\5\1\2\1' + bytes([len(user)]) + user + bytes([len(password)]) + password + target)
        wrong.append((s, b'\5\2\1\1'))
    answers(head + basic(b'other:x'), OK['http'])
    accept(there)
    for s, wanted in wrong:
        answer = to_end(s)
        check(answer[:len(wanted)], wanted)
        check(wanted[:1] == b'\5' or b'\r\nProxy-Authenticate: Basic realm=' in answer, True)
    check(time.monotonic() - before > 0.9, True, 'no delay')
    # Without a login.
    check(refused(cat, head + b'\r\n')[:13], b'HTTP/1.1 407 ')
    check(refused(cat, SOCKS5), b'\5\xff')
    check(refused(cat, request('socks4', '127.0.0.1', port))[:2], b'\0\x5b')
    check('se:cret' in cat.errors(), False)
    cat.send(15)
    # A client that leaves before the answer is reported, too.
    cat = server('--proxy-auth-file', path)
    s = dial(cat)
    s.sendall(b'\5\1\2\1\2me\1x')
    check(exactly(s, 2), b'\5\2')
    until(lambda: taken(s), 'the login')
    reset(s)
    until(lambda: cat.errors().count('\n') == 2, 'the end of the client')
    check('(socks5): wrong user or password\n' in cat.errors(), True, cat.errors())
    cat.send(15)
    # The delay is no part of the time for the request.
    cat = server('--proxy-auth-file', path, '--wait', '500ms')
    check(refused(cat, head + basic(b'me:x'))[:13], b'HTTP/1.1 407 ')


def upstream():
    """The name goes to the upstream proxy, which may be at a loopback address; lists need addresses."""
    proxy = tcp()
    url = 'socks5h://127.0.0.1:%d' % proxy.getsockname()[1]
    cat = server('--proxy', url)
    near = dial(cat)
    near.sendall(request('http', 'name.test', 7) + b'early')
    far = accept(proxy)
    check(exactly(far, 3), SOCKS5)
    far.sendall(b'\5\0')
    check(exactly(far, 16), b'\5\1\0\3\x09name.test\0\7')
    far.sendall(b'\5\0\0\1\0\0\0\0\0\0late')
    check(exactly(near, len(OK['http']) + 4), OK['http'] + b'late')
    check(exactly(far, 5), b'early')
    # A failure there.
    near = dial(cat)
    near.sendall(request('http', 'name.test', 7))
    far = accept(proxy)
    exactly(far, 3)
    far.sendall(b'\5\0')
    exactly(far, 16)
    far.sendall(b'\5\5\0\1\0\0\0\0\0\0')
    check(code('http', to_end(near)), 502)
    # Addresses are still judged.
    check(code('socks5', refused(cat, request('socks5', '127.0.0.1', 7))), 2)
    cat.send(15)
    cat = server('--proxy', url, '--allow-dest', '192.0.2.0/24')
    check(code('socks5h', refused(cat, request('socks5h', 'name.test', 7))), 2)
    until(lambda: '--proxy-dns=local' in cat.errors(), 'the hint')
    cat.send(15)
    cat = server('--proxy', url, '--proxy-dns=local', '--allow-dest', '192.0.2.0/24', '--resolve',
                 'name.test:7:192.0.2.1', '--resolve', 'bad.test:7:127.0.0.1')
    check(code('socks5h', refused(cat, request('socks5h', 'bad.test', 7))), 2)
    cat.send(15)


def upstream_mixed():
    """Of a name's addresses, the allowed ones are asked for, in their order."""
    proxy = tcp()
    cat = server('-v', '--proxy', 'socks5h://127.0.0.1:%d' % proxy.getsockname()[1], '--proxy-dns=local', '--allow-dest',
                 '203.0.113.0/24', '--resolve', 'both.test:7:127.0.0.1,203.0.113.1,198.51.100.1,203.0.113.2,127.0.0.2')

    def answer(last, number):
        far = accept(proxy)
        check(exactly(far, 3), SOCKS5)
        far.sendall(b'\5\0')
        check(exactly(far, 10), b'\5\1\0\1\xcb\0\x71' + bytes([last, 0, 7]))
        far.sendall(b'\5' + bytes([number]) + b'\0\1\0\0\0\0\0\0')

    near = dial(cat)
    near.sendall(request('socks5h', 'both.test', 7))
    answer(1, 5)
    answer(2, 0)
    check(exactly(near, 12), OK['socks5h'])
    skipped = re.findall(r'connect both\.test:7 at ([0-9.]+):7: not allowed: (.*)\n', cat.errors())
    check(skipped, [('127.0.0.1', 'a loopback address'), ('198.51.100.1', 'not in --allow-dest')], cat.errors())
    # The last failure is that of the proxy, not of an address that is skipped.
    near = dial(cat)
    near.sendall(request('socks5h', 'both.test', 7))
    answer(1, 5)
    answer(2, 5)
    check(code('socks5h', to_end(near)), 5)
    until(lambda: '203.0.113.2:7: target: connection refused' in cat.errors(), 'the cause')


def upstream_exceptions():
    """Targets of --noproxy, and with --proxy=env those of no_proxy, are connected to directly, if they are allowed."""
    proxy, there = tcp(), tcp()
    url, port = 'socks5h://127.0.0.1:%d' % proxy.getsockname()[1], there.getsockname()[1]
    rules = ['--allow-dest', '127.0.0.1,192.0.2.0/24']
    for name, to in ('direct.test', '127.0.0.1'), ('a.direct.test', '127.0.0.1'), ('bad.direct.test', '127.0.0.2'):
        rules += ['--resolve', '%s:%d:%s' % (name, port, to)]
    for options, env in ((['--proxy', url, '--noproxy', '127.0.0.0/8', '--noproxy', '::1,.direct.test'], {}),
                         (['--proxy', 'env'], {'ALL_PROXY': url, 'no_proxy': '127.0.0.0/8 direct.test'})):
        cat = server(*options, *rules, env=env)
        for scheme, host in (('socks5', '127.0.0.1'), ('http', 'direct.test'), ('socks4a', 'a.direct.test')):
            near, far = tunnel(cat, scheme, there, host)
            far.sendall(b'good')
            check(exactly(near, 4), b'good')
        for host in '127.0.0.2', 'bad.direct.test':
            check(code('http', refused(cat, request('http', host, port))), 403, host)
        check_unconnected(proxy)
        proxy.settimeout(LIMIT)
        near = dial(cat)
        near.sendall(request('http', '192.0.2.1', 7))
        far = accept(proxy)
        check(exactly(far, 3), SOCKS5)
        far.sendall(b'\5\0')
        check(exactly(far, 10), b'\5\1\0\1\xc0\0\2\1\0\7')
        far.close()
        cat.send(15)


def stuck():
    """A client that takes no answer, to a request and to a wrong password, is closed nevertheless."""
    path = secret('me:secret\n')
    rules = ','.join(call + ':EAGAIN:*:socket' for call in ('write', 'writev', 'send', 'sendto', 'sendmsg'))
    for options in [], ['--proxy-auth-file', path]:
        cat = Cat('-l', ALL, *options, '127.0.0.1', '0', env=shim(rules))
        near = dial(cat)
        near.sendall(request('http', '127.0.0.1', 7))
        cat.end(97)


def chained():
    """Through two of them: the first passes the name on, the second connects."""
    there = tcp()
    second = server('--allow-dest', '127.0.0.1', '--resolve', 'there.test:%d:127.0.0.1' % there.getsockname()[1])
    for scheme in 'http', 'socks4a', 'socks5h':
        first = server('--proxy', '%s://127.0.0.1:%s' % (scheme, second.where))
        cross(*tunnel(first, 'socks5h', there, 'there.test'))
        first.send(15)


def leaves():
    """While its name is resolved or its target does not answer: nothing is left open."""
    full = Full()
    cat = server('--allow-dest', '127.0.0.1', '-vv')
    cat.rest()
    before = cat.descriptors()
    for scheme in SCHEMES:
        s = dial(cat)
        s.sendall(request(scheme, '127.0.0.1', full.port))
        until(lambda: cat.errors().count('trying 127.0.0.1') == SCHEMES.index(scheme) + 1, 'the attempt')
        reset(s)
        until(lambda: cat.descriptors() == before, 'the end')
    # With a Unix socket an end is seen, too.
    cat = Cat('-l', '-k', '-U', ALL, '--allow-dest', '127.0.0.1', '-vv', T + '/sock')
    cat.rest()
    before = cat.descriptors()
    s = dial(cat)
    s.sendall(request('http', '127.0.0.1', full.port))
    until(lambda: 'trying 127.0.0.1' in cat.errors(), 'the attempt')
    s.close()
    until(lambda: cat.descriptors() == before, 'the end')
    there = tcp()
    near = dial(cat)
    near.sendall(request('socks5', '127.0.0.1', there.getsockname()[1]))
    far = accept(there)
    check(exactly(near, len(OK['socks5'])), OK['socks5'])
    cross(near, far)


def slow():
    """Many that say nothing, or not all of it, while others are served."""
    there = tcp()
    cat = server('--allow-dest', '127.0.0.1', '--wait', '700ms')
    silent = [dial(cat) for _ in range(30)]
    for i, s in enumerate(silent):
        s.sendall(request(SCHEMES[i % len(SCHEMES)], '127.0.0.1', there.getsockname()[1])[:i % 8])
    near, far = tunnel(cat, 'http', there)
    for s in silent:
        try:
            check(to_end(s)[2:], b'')
        except ConnectionResetError:
            pass
    until(lambda: 'timed out' in cat.errors(), 'the line')
    far.sendall(b'good')
    check(exactly(near, 4), b'good')
    cat.send(15)
    # More than there are places, and handshakes at a time.
    cat = server('--allow-dest', '127.0.0.1', '--max-conns', '1')
    silent = [dial(cat) for _ in range(140)]
    for s in silent[::2]:
        s.sendall(b'\5')
    near, far = tunnel(cat, 'socks5', there)
    far.sendall(b'good')
    check(exactly(near, 4), b'good')
    try:
        check(silent[0].recv(1), b'')
    except ConnectionResetError:
        pass
    check('ended for other clients' in cat.errors(), True)


def captured():
    """The files have what passes through the tunnel, not what opens it."""
    there = tcp()
    for scheme in 'http', 'socks5':
        name = '%s/%s.capture' % (T, scheme)
        cat = server('--allow-dest', '127.0.0.1', '--output', name, many=False)
        near, far = tunnel(cat, scheme, there)
        near.sendall(b'question')
        check(exactly(far, 8), b'question')
        far.sendall(b'answer')
        far.close()
        check(to_end(near), b'answer')
        near.close()
        cat.end()
        with open(name, 'rb') as file:
            check(file.read(), b'questionanswer')
        # A refused client leaves none of it.
        cat = server('--output', name + '2', many=False)
        refused(cat, request(scheme, '127.0.0.1', there.getsockname()[1]))
        cat.end(97)
        with open(name + '2', 'rb') as file:
            check(file.read(), b'')


def limits():
    there = tcp()
    cat = server('--allow-dest', '127.0.0.1', '--max-conns', '1')
    near, far = tunnel(cat, 'socks5', there)
    second = dial(cat)
    second.sendall(request('http', '127.0.0.1', there.getsockname()[1]))
    near.close()
    far.close()
    accept(there)
    check(exactly(second, len(OK['http'])), OK['http'])
    cat.send(15)
    cat = server('--allow-dest', '127.0.0.1', '--idle-timeout', '300ms')
    near, far = tunnel(cat, 'socks5', there)
    for s in near, far:
        try:
            check(to_end(s), b'')
        except ConnectionResetError:
            pass
    until(lambda: 'nothing moved' in cat.errors(), 'the line')


def reported():
    there = tcp()
    cat = server('--allow-dest', '127.0.0.1', '--report', 'json:' + T + '/report')
    tunnel(cat, 'socks5', there)
    refused(cat, request('http', '127.0.0.2', 9))

    def events():
        with open(T + '/report') as file:
            return [json.loads(line) for line in file]
    until(lambda: any(event['event'] == 'failed' or event.get('status') == 97 for event in events()), 'the failure')
    asked = [(event['target']['name'], event['object'], event['session']) for event in events() if event['event'] == 'requested']
    check(asked, [('127.0.0.1:%d' % there.getsockname()[1], 'socks5', 1), ('127.0.0.2:9', 'http', 2)])


def page(there, n):
    """Answer n requests for a page."""
    def answer():
        for _ in range(n):
            s = accept(there)
            got = b''
            while b'\r\n\r\n' not in got:
                got += s.recv(1000)
            s.sendall(b'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello')
            s.close()
    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    return thread


def run(*words, data=None, env=None):
    done = subprocess.run(words, input=data, capture_output=True, timeout=LIMIT, env=dict(os.environ, **(env or {})))
    return done.stdout, (done.returncode, done.stderr)


def secure():
    there = tcp()
    cat = server('--allow-dest', '127.0.0.1', '--ssl', '--ssl-self-signed')
    page(there, 1)
    out, err = run('curl', '-sS', '-m', '20', '--noproxy', '', '--proxy-insecure', '--proxytunnel', '-x', 'https://127.0.0.1:' + cat.where,
                   'http://127.0.0.1:%d/' % there.getsockname()[1])
    check(out, b'hello', err)
    out, err = run('curl', '-sS', '-m', '20', '--noproxy', '', '--proxy-insecure', '-x', 'https://127.0.0.1:' + cat.where,
                   'http://127.0.0.1:%d/' % there.getsockname()[1])
    check(out.startswith(b'only the method CONNECT'), True, (out, err))


def open_and_locked():
    """A proxy server without users, and one with a user."""
    return server('--allow-dest', '127.0.0.1'), server('--allow-dest', '127.0.0.1', '--proxy-auth-file', secret('me:secret\n'))


def clients():
    """Each client that is there fetches a page, with and without a password."""
    there = tcp()
    port = str(there.getsockname()[1])
    ask = b'GET / HTTP/1.0\r\n\r\n'
    cat, locked = open_and_locked()
    at = '127.0.0.1:' + cat.where
    url = 'http://127.0.0.1:%s/' % port
    tries = []
    if shutil.which('curl'):
        for scheme in SCHEMES:
            tries.append((['curl', '-sS', '-m', '20', '--noproxy', '', '--proxytunnel', '-x', '%s://%s' % (scheme, at), url], None))
        for scheme in 'http', 'socks5', 'socks5h':
            tries.append((['curl', '-sS', '-m', '20', '--noproxy', '', '--proxytunnel', '-x', '%s://me:secret@127.0.0.1:%s' % (
                scheme, locked.where), url], None))
        tries.append((['curl', '-sS', '-m', '20', '--noproxy', '', '--proxytunnel', '--proxy-anyauth', '-U', 'me:secret', '-x',
                       'http://127.0.0.1:' + locked.where, url], None))
    if shutil.which('nc.openbsd'):
        for kind in '5', '4', 'connect':
            tries.append((['nc.openbsd', '-X', kind, '-x', at, '127.0.0.1', port], ask))
    if shutil.which('ncat'):
        for kind in 'http', 'socks4', 'socks5':
            tries.append((['ncat', '--proxy', at, '--proxy-type', kind, '127.0.0.1', port], ask))
        for kind in 'http', 'socks5':
            tries.append((['ncat', '--proxy', '127.0.0.1:' + locked.where, '--proxy-type', kind, '--proxy-auth', 'me:secret',
                           '127.0.0.1', port], ask))
    if shutil.which('proxychains4') and shutil.which('curl'):
        for kind in 'http', 'socks4', 'socks5':
            with open('%s/%s.conf' % (T, kind), 'w') as file:
                file.write('strict_chain\n[ProxyList]\n%s 127.0.0.1 %s\n' % (kind, cat.where))
            tries.append((['proxychains4', '-q', '-f', '%s/%s.conf' % (T, kind), 'curl', '-sS', '-m', '20', '--noproxy', '*', url], None))
    for scheme in SCHEMES:
        tries.append(([os.environ['SOCKCAT'], '--proxy', '%s://%s' % (scheme, at), '127.0.0.1', port], ask))
    page(there, len(tries))
    for words, data in tries:
        out, err = run(*words, data=data)
        check(out[-5:], b'hello', (words, out, err, cat.errors()))


PYSOCKS = """
import sys, socks
kind, port, target, *login = sys.argv[1:]
s = socks.socksocket()
s.set_proxy(getattr(socks, kind), '127.0.0.1', int(port), True, *login)
s.connect(('localhost', int(target)))
s.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')
while part := s.recv(1000): print(part.decode(), end='')
"""


def pysocks():
    """Names are resolved by the proxy server; SOCKS4 has no passwords."""
    there = tcp()
    port = str(there.getsockname()[1])
    cat, locked = open_and_locked()
    tries = [(kind, cat.where, port) for kind in ('HTTP', 'SOCKS4', 'SOCKS5')]
    tries += [(kind, locked.where, port, 'me', 'secret') for kind in ('HTTP', 'SOCKS5')]
    page(there, len(tries))
    for words in tries:
        out, err = run('/usr/bin/python3', '-c', PYSOCKS, *words)
        check(out[-5:], b'hello', (words, out, err, cat.errors(), locked.errors()))
    out, err = run('/usr/bin/python3', '-c', PYSOCKS, 'SOCKS5', locked.where, port, 'me', 'wrong')
    check((out, b'SOCKS5 authentication failed' in err[1]), (b'', True), err)


if __name__ == '__main__':
    main()
