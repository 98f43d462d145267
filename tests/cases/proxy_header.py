"""Headers of the PROXY protocol: what is sent, what is accepted, and the programs that speak it."""
import os
import socket
import ssl
import struct
import subprocess
import threading

from drive import Cat, accept, check, dial, end, exactly, LIMIT, main, T, tcp, to_end, unix

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


if __name__ == '__main__':
    main()
