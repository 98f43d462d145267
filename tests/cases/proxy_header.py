"""Headers of the PROXY protocol: what is sent, what is accepted, and the programs that speak it."""
import atexit
import json
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading

from drive import Cat, accept, check, dial, end, exactly, LIMIT, main, T, taken, tcp, to_end, unix, until

SIGNATURE = b'\r\n\r\n\0\r\nQUIT\n'
CRC = []
for value in range(256):
    for _ in range(8):
        value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
    CRC.append(value)


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ CRC[(crc ^ byte) & 255]
    return crc ^ 0xffffffff


def read_v1(s):
    """The words of the line."""
    line = b''
    while not line.endswith(b'\r\n'):
        line += exactly(s, 1)
    return line.decode().rstrip('\r\n').split(' ')


def read_v2(s):
    """Family and transport, both addresses, and the values by their types; the checksum is verified."""
    head = exactly(s, 16)
    check(head[:13], SIGNATURE + b'\x21')
    size = struct.unpack('!H', head[14:])[0]
    rest = exactly(s, size)
    at = {0: 0, 0x11: 12, 0x21: 36, 0x31: 216}[head[13]]
    block, values = rest[:at], {}
    while at < size:
        kind, length = struct.unpack('!BH', rest[at:at + 3])
        values[kind] = rest[at + 3:at + 3 + length]
        if kind == 3:
            body = head + rest
            place = 16 + at + 3
            check(struct.unpack('!I', values.pop(3))[0], crc32c(body[:place] + bytes(4) + body[place + 4:]), 'checksum')
        at += 3 + length
    if head[13] == 0x31:
        return 'unix', block[:108].rstrip(b'\0'), block[108:].rstrip(b'\0'), values
    if head[13] == 0:
        return 'unknown', None, None, values
    n, family = (4, socket.AF_INET) if head[13] == 0x11 else (16, socket.AF_INET6)
    ports = struct.unpack('!HH', block[2 * n:])
    return ('TCP' + str(6 if n == 16 else 4), *((socket.inet_ntop(family, block[i * n:i * n + n]), ports[i])
                                                for i in (0, 1)), values)


def read(s, version):
    """Family and both addresses of a header."""
    if version == 2:
        return read_v2(s)[:3]
    words = read_v1(s)
    check(words[0], 'PROXY')
    if words[1] == 'UNKNOWN':
        return 'unknown', None, None
    return words[1], (words[2], int(words[4])), (words[3], int(words[5]))


def sockcat(*args):
    return subprocess.Popen([os.environ['SOCKCAT'], *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


# --- sent ---

def own_addresses():
    """A client tells its own address and that of the server, before its first byte."""
    for version in 1, 2:
        listener = tcp()
        cat = sockcat('--send-proxy=%d' % version, '127.0.0.1', str(listener.getsockname()[1]))
        s = accept(listener)
        check(read(s, version), ('TCP4', s.getpeername(), s.getsockname()), version)
        s.sendall(b'answer')
        s.shutdown(socket.SHUT_WR)
        check(end(cat, 0, b'x' * 100000 if version == 1 else b''), (b'answer', b''))
        check(to_end(s), b'x' * 100000 if version == 1 else b'')


def given_source():
    """--proxy-source tells another address; of two families both become IPv6."""
    for version in 1, 2:
        for source, wanted in (('192.0.2.1:5', ('TCP4', ('192.0.2.1', 5))),
                               ('[2001:db8::1]:65535', ('TCP6', ('2001:db8::1', 65535)))):
            listener = tcp()
            cat = sockcat('--send-proxy=%d' % version, '--proxy-source', source, '127.0.0.1', str(listener.getsockname()[1]))
            s = accept(listener)
            family, told, destination = read(s, version)
            check((family, told), wanted)
            check(destination[0].replace('::ffff:', ''), '127.0.0.1')
            check(destination[1], s.getsockname()[1])
            s.close()
            end(cat, 0, b'')


def before_all():
    """The header comes before the handshake with a proxy, and before TLS."""
    listener = tcp()
    port = str(listener.getsockname()[1])
    cat = sockcat('--send-proxy=1', '--proxy', 'socks5h://127.0.0.1:' + port, '--ssl', 'name.test', '7')
    s = accept(listener)
    check(read(s, 1), ('TCP4', s.getpeername(), s.getsockname()))
    for question, answer in (b'\5\1\0', b'\5\0'), (b'\5\1\0\3\x09name.test\0\7', b'\5\0\0\1\1\2\3\4\5\6'):
        check(exactly(s, len(question)), question)
        s.sendall(answer)
    check(exactly(s, 2), b'\x16\3', 'ClientHello')
    s.close()
    end(cat, 35)


def forwarded():
    """With --to the target gets the client's address, and the one that it has connected to."""
    for version in 1, 2:
        back = tcp()
        cat = Cat('-l', '-k', '127.0.0.1', '0', '--send-proxy=%d' % version, '--to', '127.0.0.1:%d' % back.getsockname()[1])
        for source in '127.0.0.1', '127.0.0.9':
            client = dial(cat, source)
            client.sendall(b'hello')
            s = accept(back)
            check(read(s, version), ('TCP4', client.getsockname(), client.getpeername()))
            check(exactly(s, 5), b'hello')
            s.sendall(b'back')
            check(exactly(client, 4), b'back')
            s.close()
            check(to_end(client), b'')
            client.close()
        cat.process.kill()


def forwarded_ipv6():
    """A client by IPv6, and one by IPv4 of the same socket, whose target has IPv4."""
    for version in 1, 2:
        back = tcp()
        cat = Cat('-l', '-k', '--v6only=off', '::', '0', '--send-proxy=%d' % version, '--to', '127.0.0.1:%d' % back.getsockname()[1])
        for host, family in ('::1', 'TCP6'), ('127.0.0.1', 'TCP4'):
            client = socket.create_connection((host, int(cat.where)), LIMIT)
            check(read(accept(back), version), (family, client.getsockname()[:2], client.getpeername()[:2]))
            client.close()
        cat.process.kill()


def forwarded_unix():
    """A Unix client has no address in version 1; the target may be a Unix socket, too."""
    back = unix(name=T + '/back')
    back.listen(5)
    for version in 1, 2:
        where = '%s/front%d' % (T, version)
        cat = Cat('-l', '-U', where, '--send-proxy=%d' % version, '--to', 'unix:' + T + '/back')
        client = unix(name=T + '/client%d' % version)
        client.connect(where)
        wanted = [('unknown', None, None), ('unix', client.getsockname().encode(), where.encode())]
        check(read(accept(back), version), wanted[version - 1])
        client.close()
        cat.end()
    # A client of its own.
    cat = sockcat('-U', '--send-proxy=2', T + '/back')
    s = accept(back)
    check(read(s, 2), ('unix', b'', (T + '/back').encode()))
    s.close()
    end(cat, 0, b'')


def forwarded_tls():
    """What the client's TLS is, without it being sent on: version and cipher, its ALPN, the name that it asks for."""
    back = tcp()
    cat = Cat('-l', '127.0.0.1', '0', '--ssl', '--ssl-self-signed', '--ssl-alpn', 'one,two', '--send-proxy=2',
              '--to', '127.0.0.1:%d' % back.getsockname()[1])
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(['two'])
    client = context.wrap_socket(socket.create_connection(cat.address(), LIMIT), server_hostname='name.test')
    s = accept(back)
    family, source, _, values = read_v2(s)
    check((family, source), ('TCP4', client.getsockname()))
    check((values[1], values[2]), (b'two', b'name.test'))
    check(values[0x20], b'\1\0\0\0\1\x21\0\7TLSv1.3\x23\0' + bytes([len(client.cipher()[0])]) + client.cipher()[0].encode())
    client.sendall(b'plain')
    check(exactly(s, 5), b'plain')
    s.close()
    client.unwrap().close()
    cat.end()


UUID = re.compile(rb'[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}')


def unique_ids():
    """Each connection has an ID of its own, which is in reports; version 1 has none."""
    found = set()
    back = tcp()
    to = '127.0.0.1:%d' % back.getsockname()[1]
    cat = Cat('-l', '-k', '-v', '127.0.0.1', '0', '--send-proxy=2', '--to', to)
    clients = [dial(cat) for _ in range(3)]
    for _ in clients:
        found.add(read_v2(accept(back))[3][5])
    until(lambda: cat.errors().count(', ID ') == 3, cat.errors())
    check({found.decode() for found in found}, set(re.findall(r'PROXY header of version 2 sent to .*, ID (\S+)\n', cat.errors())))
    cat.process.kill()
    for version in 2, 1:
        client = sockcat('--send-proxy=%d' % version, '--report=json', '127.0.0.1', str(back.getsockname()[1]))
        s = accept(back)
        if version == 2:
            found.add(read_v2(s)[3][5])
        else:
            read_v1(s)
        s.close()
        _, err = end(client, 0, b'')
        sent = next(event for event in map(json.loads, err.splitlines()) if event['event'] == 'proxy-header')
        check(sent.get('unique_id', '').encode() in (found if version == 2 else {b''}), True, sent)
    check((len(found), all(UUID.fullmatch(one) for one in found)), (4, True), found)


def kept_id():
    """All tries for one client send the same ID."""
    proxy = tcp()
    cat = Cat('-l', '--send-proxy=2', '--retry', '--retry-delay', '1ms', '--proxy', 'http://127.0.0.1:%d' % proxy.getsockname()[1],
              '--to', '192.0.2.1:7', '127.0.0.1', '0')
    client, ids = dial(cat), set()
    for _ in range(3):
        s = accept(proxy)
        ids.add(read_v2(s)[3][5])
        asked = b''
        while b'\r\n\r\n' not in asked:
            asked += s.recv(1000)
        s.sendall(b'HTTP/1.1 503 x\r\n\r\n')
    check(len(ids), 1, ids)
    client.close()
    cat.process.kill()


def client_certificate(directory):
    """The common name of a certificate that was verified, in UTF-8, and that there was one."""
    back = tcp()
    cat = Cat('-l', '-k', '127.0.0.1', '0', '--ssl', '--ssl-cert', directory + '/good.crt', '--ssl-key', directory + '/good.key',
              '--ssl-verify', '--ssl-trustfile', directory + '/root.crt', '--send-proxy=2',
              '--to', '127.0.0.1:%d' % back.getsockname()[1])
    for name, wanted in ('client', b'client'), ('odd', b'new\nline\x1b[2J, "\xc3\xa9'):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain('%s/%s.crt' % (directory, name), '%s/%s.key' % (directory, name))
        client = context.wrap_socket(socket.create_connection(cat.address(), LIMIT))
        s = accept(back)
        value = read_v2(s)[3][0x20]
        # SSL, CERT_CONN and CERT_SESS; verified.
        check(value[:5], b'\7\0\0\0\0', name)
        parts, at = {}, 5
        while at < len(value):
            kind, length = struct.unpack('!BH', value[at:at + 3])
            parts[kind] = value[at + 3:at + 3 + length]
            at += 3 + length
        check((parts[0x21], parts[0x22]), (client.version().encode(), wanted))
        s.close()
        client.unwrap().close()
    cat.process.kill()


def a_slow_target():
    """The header arrives whole before the data, of which much is waiting, and both ends are clean."""
    back = tcp()
    cat = Cat('-l', '127.0.0.1', '0', '--send-proxy=2', '--to', '127.0.0.1:%d' % back.getsockname()[1])
    client = dial(cat)
    data = os.urandom(3000000)
    sending = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
    sending.start()
    s = accept(back)
    read(s, 2)
    check(to_end(s) == data, True)
    s.sendall(b'end')
    s.close()
    check(to_end(client), b'end')
    sending.join()
    cat.end()


# --- accepted ---

V1 = b'PROXY TCP4 192.0.2.1 198.51.100.2 53100 443\r\n'
ADDRESSES = socket.inet_aton('192.0.2.1') + socket.inet_aton('198.51.100.2') + struct.pack('!HH', 53100, 443)
SIX = socket.inet_pton(socket.AF_INET6, '2001:db8::1') + bytes(15) + b'\1' + struct.pack('!HH', 1, 2)


def v2(block=ADDRESSES, family=0x11, command=0x21):
    return SIGNATURE + bytes([command, family]) + struct.pack('!H', len(block)) + block


ENV = 'echo "$SOCKCAT_REMOTE_ADDR $SOCKCAT_REMOTE_PORT $SOCKCAT_LOCAL_ADDR $SOCKCAT_LOCAL_PORT $SOCKCAT_PEER_UID"; cat'
TOLD = b'192.0.2.1 53100 198.51.100.2 443 \n'


def answered(cat, sent, wanted, source='127.0.0.1'):
    """What the program says about the client, and the data behind the header."""
    s = dial(cat, source)
    s.sendall(sent + b'data')
    s.shutdown(socket.SHUT_WR)
    check(to_end(s), wanted + b'data', sent)
    s.close()


def accepted():
    """The program gets the addresses that the header tells, and every byte behind it."""
    cat = Cat('-l', '-k', '--accept-proxy=any', '127.0.0.1', '0', '-c', ENV)
    answered(cat, V1, TOLD)
    answered(cat, v2(), TOLD)
    answered(cat, v2(ADDRESSES, 0x12), TOLD)
    answered(cat, v2(ADDRESSES + b'\x20\0\5\1\0\0\0\0\2\0\1n'), TOLD)
    answered(cat, b'PROXY TCP6 2001:db8::1 ::1 1 2\r\n', b'2001:db8::1 1 ::1 2 \n')
    answered(cat, v2(SIX, 0x21), b'2001:db8::1 1 ::1 2 \n')
    # As if there were no address; those of Unix sockets are not in the environment.
    answered(cat, v2(bytes(216), 0x31), b'    \n')
    for header in b'PROXY UNKNOWN\r\n', b'PROXY UNKNOWN x y z\r\n', v2(b'', 0), v2(ADDRESSES, 0), v2(b'', 0, 0x20), v2(b'x' * 50, 0x11, 0x20):
        s = dial(cat, '127.0.0.7')
        wanted = b'127.0.0.7 %d 127.0.0.1 %d \ndata' % (s.getsockname()[1], s.getpeername()[1])
        s.sendall(header + b'data')
        s.shutdown(socket.SHUT_WR)
        check(to_end(s), wanted, header)
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def byte_by_byte():
    """Each byte is read before the next one is sent."""
    cat = Cat('-l', '-k', '--accept-proxy=any', '127.0.0.1', '0', '-c', ENV)
    for header in V1, v2(ADDRESSES + b'\5\0\2id'):
        s = dial(cat)
        for i in range(len(header)):
            s.sendall(header[i:i + 1])
            until(lambda: taken(s), 'a byte')
        s.sendall(b'data')
        s.shutdown(socket.SHUT_WR)
        check(to_end(s), TOLD + b'data')
    cat.process.kill()


def cut():
    """A header that ends anywhere is a failed connection, and is answered with a reset; the program is not run."""
    cat = Cat('-l', '-k', '-v', '-v', '--accept-proxy=any', '127.0.0.1', '0', '-c', 'echo run; cat')
    headers = V1, v2(ADDRESSES + b'\5\0\2id')
    total = 0
    for header in headers:
        for length in range(len(header)):
            s = dial(cat)
            s.sendall(header[:length])
            s.shutdown(socket.SHUT_WR)
            closed(s)
            total += 1
    # The listener goes on.
    answered(cat, V1, b'run\n')
    cat.send(signal.SIGUSR1)
    until(lambda: ' %d in all, %d failed' % (total + 1, total) in cat.errors(), 'the counts: ' + cat.errors()[-200:])
    check((cat.errors().count('the connection ended inside the header'),
           cat.errors().count('the connection ended without a header')), (total - 2, 2))
    cat.process.kill()


def closed(s):
    """It ends, without any data."""
    try:
        check(s.recv(100), b'')
    except ConnectionResetError:
        pass


BAD = [
    (b'x', 'there is no header'),
    (b'GET / HTTP/1.0\r\n\r\n', 'there is no header'),
    (b'PROXY TCP4 192.0.2.1 198.51.100.2 53100 0443\r\n', 'invalid port'),
    (b'PROXY TCP4 192.0.2.1 198.51.100.2 53100 443\n', 'a line feed without CR'),
    (b'PROXY TCP4 \x1b[31m 198.51.100.2 53100 443\r\n', 'invalid address'),
    (b'PROXY UNKNOWN ' + b'x' * 200, 'it is longer than 107 bytes'),
    (v2(ADDRESSES + b'\3\0\4abcd'), 'the checksum is wrong'),
    (v2(ADDRESSES + b'\2\0\4abc'), 'a value is longer than the header'),
    (v2(bytes(4081)), 'it is longer than 4096 bytes'),
    (v2(ADDRESSES, 0x21), 'it is too short for its addresses'),
    (v2(command=0x31), 'neither LOCAL nor PROXY of version 2'),
]


def malformed():
    """Each is status 102, at its first wrong byte, with one line."""
    for sent, words in BAD:
        cat = Cat('-l', '--accept-proxy=any', '127.0.0.1', '0')
        s = dial(cat)
        s.sendall(sent)
        closed(s)
        cat.end(102)
        check(re.search(r'^sockcat: receive PROXY header from 127\.0\.0\.1:\d+: %s$' % re.escape(words), cat.errors(), re.M)
              is not None, True, cat.errors())
    for version, sent in ('1', v2()), ('2', V1):
        cat = Cat('-l', '--accept-proxy', version, '127.0.0.1', '0')
        dial(cat).sendall(sent)
        cat.end(102)
    cat = Cat('-l', '-k', '--max-accepts', '2', '--accept-proxy=any', '127.0.0.1', '0')
    rejected(cat, b'x')
    s = dial(cat)
    s.sendall(V1 + b'data')
    s.close()
    check(cat.end(104), b'data')
    check('1 of 2 connections failed' in cat.errors(), True, cat.errors())


def silent():
    """A client without a header is ended after --wait, or 5 seconds, and stops no other one."""
    cat = Cat('-l', '-k', '--accept-proxy=any', '127.0.0.1', '0', '-c', ENV)
    first, second = dial(cat), dial(cat)
    second.sendall(V1[:20])
    answered(cat, V1, TOLD)
    closed(first)
    closed(second)
    until(lambda: cat.errors().count(': timed out\n') == 2, cat.errors())
    cat.process.kill()
    cat = Cat('-l', '--wait', '300ms', '--accept-proxy=any', '127.0.0.1', '0')
    closed(dial(cat))
    cat.end(102)


def many_silent():
    """More clients without a header than there may be handshakes: others are still served."""
    cat = Cat('-l', '-k', '--max-conns', '2', '--accept-proxy=any', '127.0.0.1', '0', '-c', ENV)
    silent_ones = [dial(cat) for _ in range(140)]
    answered(cat, V1, TOLD)
    for s in silent_ones:
        s.close()
    cat.process.kill()


def rejected(cat, header, source='127.0.0.1'):
    s = dial(cat, source)
    s.sendall(header + b'data')
    closed(s)


def lists():
    """--allow and --deny decide about the address in the header, not about the proxy."""
    cat = Cat('-l', '-k', '-v', '--accept-proxy=any', '--allow', '192.0.2.0/24', '--deny', '192.0.2.9', '127.0.0.1', '0', '-c', ENV)
    answered(cat, V1, TOLD)
    rejected(cat, b'PROXY TCP4 192.0.2.9 198.51.100.2 53100 443\r\n')
    rejected(cat, b'PROXY TCP4 203.0.113.1 198.51.100.2 53100 443\r\n')
    # The real address of the proxy.
    rejected(cat, v2(b'', 0, 0x20))
    rejected(cat, b'PROXY UNKNOWN\r\n')
    # Unix sockets are on no list.
    rejected(cat, v2(bytes(216), 0x31))
    until(lambda: cat.errors().count('denied by access list') == 5, cat.errors())
    check('rejected 203.0.113.1:53100: denied by access list' in cat.errors(), True)
    check('connection from 192.0.2.1:53100 by 127.0.0.1:' in cat.errors(), True, cat.errors())
    cat.process.kill()
    # The address of the proxy is not looked up.
    cat = Cat('-l', '-k', '--accept-proxy=any', '--deny', '127.0.0.1', '127.0.0.1', '0', '-c', ENV)
    answered(cat, V1, TOLD)
    rejected(cat, v2(b'', 0, 0x20))
    cat.process.kill()


def one_client():
    """Without -k a client that is rejected leaves the place to the next; the one that is accepted ends the listening."""
    cat = Cat('-l', '--accept-proxy=any', '--allow', '192.0.2.1', '127.0.0.1', '0')
    rejected(cat, v2(b'', 0, 0x20))
    rejected(cat, b'PROXY TCP4 192.0.2.9 198.51.100.2 53100 443\r\n')
    s = dial(cat)
    s.sendall(V1 + b'data')
    cat.await_output(b'data')
    check(refused(cat), True)
    s.close()
    cat.end()
    # The first one that connects is the client, if its header arrives in time.
    cat = Cat('-l', '--accept-proxy=any', '127.0.0.1', '0')
    first, second = begun(cat), dial(cat)
    second.sendall(V1 + b'second')
    first.sendall(V1[1:] + b'first')
    first.close()
    check(cat.end(), b'first')
    cat = Cat('-l', '-k', '--max-accepts', '1', '--accept-proxy=any', '--allow', '192.0.2.1', '127.0.0.1', '0')
    rejected(cat, v2(b'', 0, 0x20))
    s = begun(cat)
    s.sendall(V1[1:] + b'data')
    cat.await_output(b'data')
    until(lambda: refused(cat), 'the end of listening')
    s.close()
    cat.end()


def begun(cat):
    """A client that has been accepted; the first byte of its header has been read."""
    s = dial(cat)
    s.sendall(V1[:1])
    until(lambda: taken(s), 'a byte')
    return s


def refused(cat):
    with socket.socket() as s:
        return s.connect_ex(cat.address()) != 0


def hosts():
    """--max-conns-per-host counts the address in the header."""
    cat = Cat('-l', '-k', '--accept-proxy=any', '--max-conns-per-host', '1', '127.0.0.1', '0', '-c', ENV)
    # One of the proxy itself.
    health = dial(cat)
    health.sendall(v2(b'', 0, 0x20))
    check(exactly(health, 9), b'127.0.0.1')
    rejected(cat, v2(b'', 0, 0x20))
    first = dial(cat)
    first.sendall(V1)
    check(exactly(first, len(TOLD)), TOLD)
    rejected(cat, V1)
    answered(cat, V1.replace(b'2.1', b'2.2', 1), TOLD.replace(b'2.1', b'2.2', 1))
    first.close()
    def again():
        s = dial(cat)
        s.sendall(V1)
        try:
            return exactly(s, len(TOLD)) == TOLD
        except ConnectionResetError:
            return False
    until(again, 'the place')
    cat.process.kill()


def untrusted():
    """Others need no header, and either side may speak first; one that sends a header is status 103."""
    for header in V1, v2(), b'PROXY ', SIGNATURE:
        cat = Cat('-l', '--accept-proxy=2', '--proxy-from', '192.0.2.0/24', '127.0.0.1', '0')
        rejected(cat, header)
        cat.end(103)
        check(cat.errors().count('the address is not trusted (--proxy-from)'), 1)
        check(cat.output(), b'')
    for header in V1, v2():
        cat = Cat('-l', '--accept-proxy=2', '--proxy-from', '192.0.2.0/24', '127.0.0.1', '0')
        s = dial(cat)
        s.sendall(header[:3])
        until(lambda: taken(s), 'a part of the header')
        s.sendall(header[3:])
        closed(s)
        cat.end(103)
        check(cat.output(), header[:3])
    cat = Cat('-l', '-k', '--accept-proxy=1', '--proxy-from', '192.0.2.0/24', '--proxy-from', '127.0.0.9,unix', '127.0.0.1', '0', '-c', ENV)
    for text in b'PROXYless', b'\r\n\r\n', b'PROX', b'':
        s = dial(cat)
        wanted = b'127.0.0.1 %d 127.0.0.1 %d \n' % (s.getsockname()[1], s.getpeername()[1])
        check(exactly(s, len(wanted)), wanted)
        for i in range(len(text)):
            s.sendall(text[i:i + 1])
            check(exactly(s, 1), text[i:i + 1])
        s.shutdown(socket.SHUT_WR)
        check(to_end(s), b'')
    answered(cat, V1, TOLD, '127.0.0.9')
    cat.process.kill()


def behind_tls():
    """The header comes before TLS, whose data and end are those of the client."""
    for header in V1, v2():
        cat = Cat('-l', '-v', '--ssl', '--ssl-self-signed', '--accept-proxy=any', '127.0.0.1', '0', '-c', ENV)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection(cat.address(), LIMIT)
        plain.sendall(header)
        s = context.wrap_socket(plain)
        check(s.recv(100), TOLD)
        s.sendall(b'data')
        check(s.recv(100), b'data')
        s.unwrap().close()
        cat.end()
        check('TLS with 192.0.2.1:53100' in cat.errors(), True, cat.errors())


def passed_on():
    """From --accept-proxy to --send-proxy: what one header tells is in the other."""
    back = tcp()
    cat = Cat('-l', '-k', '--accept-proxy=any', '--send-proxy=2', '127.0.0.1', '0', '--to', '127.0.0.1:%d' % back.getsockname()[1])
    values = b'\1\0\2h2\2\0\4name\5\0\2id\x20\0\5\1\0\0\0\0\xe0\0\1x'
    for header, wanted in (V1, {}), (v2(ADDRESSES + values), {1: b'h2', 2: b'name', 5: b'id', 0x20: b'\1\0\0\0\0'}):
        client = dial(cat)
        client.sendall(header + b'data')
        s = accept(back)
        *addresses, values = read_v2(s)
        check(addresses, ['TCP4', ('192.0.2.1', 53100), ('198.51.100.2', 443)])
        # Version 1 has no ID.
        check(5 in wanted or bool(UUID.fullmatch(values.pop(5))), True)
        check(values, wanted)
        check(exactly(s, 4), b'data')
        s.sendall(b'answer')
        s.close()
        check(to_end(client), b'answer')
        client.close()
    cat.process.kill()


def services():
    """With messages, among other clients, and for files."""
    cat = Cat('-l', '-k', '--accept-proxy=any', '--frame', 'u8', '--stdout-frame', 'line', '127.0.0.1', '0')
    s = dial(cat)
    s.sendall(V1 + b'\5hello\2')
    cat.await_output(b'hello\n')
    s.sendall(b'ab')
    cat.await_output(b'hello\nab\n')
    cat.process.kill()
    cat = Cat('-l', '--broker', '--accept-proxy=any', '127.0.0.1', '0')
    clients = [dial(cat) for _ in range(3)]
    for s in clients[:2]:
        s.sendall(v2())
    until(lambda: taken(clients[1]), 'the header')
    clients[2].sendall(V1 + b'to all')
    for s in clients[:2]:
        check(exactly(s, 6), b'to all')
    cat.process.kill()
    cat = Cat('-l', '-k', '--accept-proxy=any', '--out', T + '/from-%a', '--report=json', '127.0.0.1', '0')
    s = dial(cat)
    s.sendall(v2(ADDRESSES + b'\2\0\5na\nme\5\0\2i\x1b') + b'data')
    s.close()
    until(lambda: os.path.exists(T + '/from-192.0.2.1:53100'), 'the file')
    event = next(event for event in map(json.loads, cat.errors().splitlines()) if event['event'] == 'accepted')
    check((event['peer']['host'], event['local']['host'], event['via']['host'], event['server_name'], event['unique_id']),
          ('192.0.2.1', '198.51.100.2', '127.0.0.1', 'na\nme', 'i\x1b'), event)
    cat.process.kill()


def from_unix():
    """A proxy at the other end of a Unix socket is trusted by default."""
    for more, sent, wanted in ([], V1, TOLD), (['--proxy-from', '127.0.0.1'], b'', b'    %d\n' % os.getuid()):
        where = T + '/listener%d' % len(more)
        cat = Cat('-l', '-k', '-U', where, '--accept-proxy=any', *more, '-c', ENV)
        answered(cat, sent, wanted)
        cat.process.kill()


# --- the programs that people run, in a network namespace, where ports are free ---

HAPROXY = """
defaults
    mode tcp
    timeout connect 20s
    timeout client 20s
    timeout server 20s
    unique-id-format %%{+X}o%%pid
    log stdout format raw local0
    log-format "%%[dst_port] %%[fc_pp_unique_id] %%[fc_pp_authority]"
listen one
    bind 127.0.0.1:2001 accept-proxy
    server s 127.0.0.1:3000 send-proxy
listen two
    bind 127.0.0.1:2002 accept-proxy
    server s 127.0.0.1:3000 send-proxy-v2
listen all
    bind 127.0.0.1:2003 accept-proxy
    server s 127.0.0.1:3000 send-proxy-v2-ssl-cn proxy-v2-options ssl,cert-cn,crc32c,unique-id,authority
listen checked
    bind 127.0.0.1:2004
    server s 127.0.0.1:3001 send-proxy-v2 check inter 200ms rise 2 fall 1 init-addr none
listen target
    bind 127.0.0.1:2005
    server s 127.0.0.1:3002 send-proxy-v2 ssl verify none
"""
NGINX = """
daemon off;
master_process off;
pid %(T)s/nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path %(T)s/nginx; proxy_temp_path %(T)s/nginx; fastcgi_temp_path %(T)s/nginx;
    uwsgi_temp_path %(T)s/nginx; scgi_temp_path %(T)s/nginx;
    server {
        listen 127.0.0.1:2010 proxy_protocol;
        return 200 "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port";
    }
}
"""


NGINX_STREAM = """
load_module %(module)s;
daemon off;
master_process off;
pid %(T)s/nginx.pid;
error_log stderr;
events {}
stream {
    server {
        listen 127.0.0.1:2011 proxy_protocol;
        set_real_ip_from 127.0.0.1;
        proxy_pass 127.0.0.1:3000;
        proxy_protocol on;
    }
}
"""


def up(name, command, *ports):
    process = subprocess.Popen(command, cwd=T, stdin=subprocess.DEVNULL, stdout=open('%s/%s.out' % (T, name), 'wb'),
                               stderr=subprocess.STDOUT)
    atexit.register(process.kill)

    def there():
        check(process.poll(), None, name)
        with socket.socket() as s:
            return s.connect_ex(('127.0.0.1', ports[-1])) == 0
    until(there, name)
    return process


def haproxy():
    """It believes what is sent, and what it sends is believed, with all its values, and its health checks."""
    with open(T + '/haproxy.cfg', 'w') as file:
        file.write(HAPROXY.replace('%%', '%'))
    cat = Cat('-l', '-k', '-v', '--accept-proxy=any', '127.0.0.1', '3000', '-c', ENV)
    checked = Cat('-l', '-k', '-v', '--accept-proxy=2', '127.0.0.1', '3001', '-c', ENV)
    up('haproxy', ['haproxy', '-db', '-f', 'haproxy.cfg'], 2005)
    for port in 2001, 2002, 2003:
        for version in 1, 2:
            for source, told in ('192.0.2.1:53100', '192.0.2.1 53100 127.0.0.1 %d' % port), \
                    ('[2001:db8::1]:5', '2001:db8::1 5 ::ffff:127.0.0.1 %d' % port):
                client = sockcat('--send-proxy=%d' % version, '--proxy-source', source, '127.0.0.1', str(port))
                out, err = end(client, 0, b'data')
                check((out, err), (told.encode() + b' \ndata', b''), (port, version))
    # Its health checks are LOCAL: connections of its own address.
    until(lambda: checked.errors().count('connection from 127.0.0.1:') > 2, checked.errors())

    def told():
        # It has no server while a check is late.
        with socket.create_connection(('127.0.0.1', 2004), LIMIT) as s:
            s.shutdown(socket.SHUT_WR)
            got = to_end(s)
            check(got in (b'', b'127.0.0.1 %d 127.0.0.1 2004 \n' % s.getsockname()[1]), True, got)
            return got
    until(told, 'the checked server')
    check('PROXY header' in checked.errors() + cat.errors(), False, checked.errors() + cat.errors())
    # The ID of a client is the one that it has read.
    client = sockcat('-v', '--send-proxy=2', '127.0.0.1', '2003')
    _, err = end(client, 0, b'data')
    sent = re.search(rb', ID (\S+)\n', err)[1].decode()

    def logged():
        with open(T + '/haproxy.out') as file:
            return '2003 %s -\n' % sent in file.read()
    until(logged, 'the ID')
    if os.path.exists(os.path.dirname(os.environ['SOCKCAT']) + '/libexec/sockcat/tls.so'):
        encrypted = Cat('-l', '--ssl', '--ssl-self-signed', '--accept-proxy=2', '127.0.0.1', '3002', '-c', ENV)
        with socket.create_connection(('127.0.0.1', 2005), LIMIT) as s:
            s.sendall(b'data')
            wanted = b'127.0.0.1 %d 127.0.0.1 2005 \ndata' % s.getsockname()[1]
            check(exactly(s, len(wanted)), wanted)
            s.shutdown(socket.SHUT_WR)
            check(to_end(s), b'')
        encrypted.end()


def nginx():
    """It takes both versions."""
    os.mkdir(T + '/nginx')
    with open(T + '/nginx.conf', 'w') as file:
        file.write(NGINX % {'T': T})
    up('nginx', ['nginx', '-p', T, '-c', T + '/nginx.conf'], 2010)
    for version in 1, 2:
        client = sockcat('--send-proxy=%d' % version, '--proxy-source', '192.0.2.1:53100', '127.0.0.1', '2010')
        out, _ = end(client, 0, b'GET / HTTP/1.0\r\n\r\n')
        check(out.partition(b'\r\n\r\n')[2], b'192.0.2.1 53100 127.0.0.1 2010', version)


def nginx_sends(module):
    """Its module for streams sends version 1, about what it has received."""
    os.mkdir(T + '/nginx')
    with open(T + '/nginx.conf', 'w') as file:
        file.write(NGINX_STREAM % {'T': T, 'module': module})
    cat = Cat('-l', '-k', '--accept-proxy=1', '127.0.0.1', '3000', '-c', 'read -r word; echo "$word " ' + ENV[5:-5])
    up('nginx', ['nginx', '-p', T, '-c', T + '/nginx.conf'], 2011)
    for version in 1, 2:
        # It drops answers after a half-close.
        client = sockcat('--end=keep', '--send-proxy=%d' % version, '--proxy-source', '192.0.2.1:53100', '127.0.0.1', '2011')
        check(end(client, 0, b'data\n'), (b'data  192.0.2.1 53100 127.0.0.1 2011 \n', b''))
    cat.process.kill()


def curl():
    """Its header is version 1, with its own address."""
    cat = Cat('-l', '--accept-proxy=1', '-v', '127.0.0.1', '0', '-c',
              'printf "HTTP/1.0 200 OK\\r\\n\\r\\n$SOCKCAT_REMOTE_ADDR $SOCKCAT_LOCAL_PORT"')
    out = subprocess.run(['curl', '-sS', '--haproxy-protocol', 'http://127.0.0.1:' + cat.where], capture_output=True,
                         timeout=LIMIT, check=True).stdout
    check(out, ('127.0.0.1 ' + cat.where).encode())
    cat.process.kill()


if __name__ == '__main__':
    main()
