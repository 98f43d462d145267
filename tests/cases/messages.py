"""Frames as other programs write and read them, with every format; the formats are defined here again."""
import base64
import json
import os
import random
import re
import resource
import socket
import struct
import sys
import threading

from drive import accept, Cat, check, main, reset, shown, T, tcp, to_end, udp, unix


def slip(m):
    return m.replace(b'\xdb', b'\xdb\xdd').replace(b'\xc0', b'\xdb\xdc') + b'\xc0'


def cobs(m):
    out, rest = b'', m + b'\0'
    while rest:
        run = rest[:254].split(b'\0')[0]
        out, rest = out + bytes([len(run) + 1]) + run, rest[len(run):]
        if len(run) < 254 or rest == b'\0':
            rest = rest[1:]
    return out + b'\0'


def varint(n):
    return bytes([n & 127 | 128]) + varint(n >> 7) if n > 127 else bytes([n])


def integer(code, more=0):
    return lambda m: struct.pack(code, len(m) + more) + m


def text(m):
    value = {'text': m.decode()} if m.isascii() else {'base64': base64.b64encode(m).decode()}
    return json.dumps(value).encode() + b'\n'


FORMATS = {
    'line': lambda m: m + b'\n',
    'crlf': lambda m: m + b'\r\n',
    'nul': lambda m: m + b'\0',
    'delim:;.;': lambda m: m + b';.;',
    'fixed:4': lambda m: m,
    'u8': integer('>B'),
    'u16be': integer('>H'),
    'u16le': integer('<H'),
    'u32be': integer('>I'),
    'u32le,inclusive': integer('<I', 4),
    'u64be,add=3': integer('>Q', 3),
    'u64le': integer('<Q'),
    'varint': lambda m: varint(len(m)) + m,
    'netstring': lambda m: b'%d:%b,' % (len(m), m),
    'octet-counting': lambda m: b'%d %b' % (len(m), m),
    'content-length': lambda m: b'Content-Length: %d\r\n\r\n%b' % (len(m), m),
    'slip': slip,
    'cobs': cobs,
    'hex': lambda m: m.hex().encode() + b'\n',
    'base64': lambda m: base64.b64encode(m) + b'\n',
    'json': text,
}
# All that is in front of the message says how long it is.
COUNTED = [f for f in FORMATS if f[0] == 'u'] + ['varint', 'netstring', 'octet-counting', 'content-length']
# A last one without its end is a message, too.
LINES = ['line', 'hex', 'base64', 'json']
ASAN = b'__asan_init' in open(os.environ['SOCKCAT'], 'rb').read()



def hexed(*messages):
    """As --stdout-frame hex gives them."""
    return b''.join(m.hex().encode() + b'\n' for m in messages)


listener = tcp(50)
WHERE = '127.0.0.1', str(listener.getsockname()[1])


def receiver(form, *options):
    """A client that shows what it gets in this format, and the other end of its connection."""
    cat = Cat('-d', '--frame', form, '--stdout-frame', 'hex', *options, *WHERE)
    return cat, accept(listener)


def receives(form, data, status, pattern, *wanted, options=(), end=lambda s: s.shutdown(socket.SHUT_WR)):
    """The result of these bytes."""
    cat, peer = receiver(form, *options)
    with peer:
        peer.sendall(data)
        try:
            end(peer)
        except OSError:
            pass  # it is refused already
        try:
            if status:
                cat.fail(status, pattern)
            check(cat.end(status), hexed(*wanted), '%s: %r' % (form, data[:60]))
        except SystemExit as failure:
            sys.exit('%s, %r: %s' % (form, data[:60], failure))


def bounded(cat, more):
    """Limit its memory from now on. Sanitizers need more than that."""
    if not ASAN:
        with open('/proc/%d/statm' % cat.pid) as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.prlimit(cat.pid, resource.RLIMIT_AS, (now + more, now + more))


def netstring_service():
    def serve():
        peer = accept(listener)
        with peer, peer.makefile('rb') as stream:
            while True:
                digits = b''
                while (c := stream.read(1)).isdigit():
                    digits += c
                if not digits:
                    break
                assert c == b':' and (digits == b'0' or digits[:1] != b'0'), (digits, c)
                message = stream.read(int(digits))
                assert stream.read(1) == b','
                answer = message[::-1]
                peer.sendall(str(len(answer)).encode() + b':' + answer + b',')
    threading.Thread(target=serve).start()
    lines = [b'', b'a', b'1:a,', b'x' * 100000]
    with open(T + '/in', 'wb') as file:
        file.write(b''.join(m + b'\n' for m in lines))
    check(Cat('--frame', 'netstring', *WHERE, stdin=open(T + '/in', 'rb')).end(),
          b''.join(m[::-1] + b'\n' for m in lines))


def rfc_6587_receiver():
    with open(T + '/in', 'wb') as file:
        file.write(b'<34>1 - - - - - first\0<34>1 - - - - - two\nlines\0')
    cat = Cat('--stdin-frame', 'nul', '--frame', 'octet-counting', *WHERE, stdin=open(T + '/in', 'rb'))
    peer = accept(listener)
    data, got = to_end(peer), []
    while data:
        length, _, data = data.partition(b' ')
        got.append(data[:int(length)])
        data = data[int(length):]
    check(got, [b'<34>1 - - - - - first', b'<34>1 - - - - - two\nlines'])
    peer.close()
    cat.end()


def language_server():
    def serve():
        peer = accept(listener)
        with peer, peer.makefile('rb') as stream:
            while True:
                headers = {}
                while (line := stream.readline()) not in (b'\r\n', b''):
                    name, _, value = line.rstrip(b'\r\n').partition(b':')
                    headers[name.lower()] = value.strip()
                if not headers:
                    break
                asked = json.loads(stream.read(int(headers[b'content-length'])))
                body = json.dumps({'jsonrpc': '2.0', 'id': asked['id'], 'result': asked['method']}).encode()
                peer.sendall(b'Content-Type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-LENGTH:%d\r\n\r\n%b'
                             % (len(body), body))
    threading.Thread(target=serve).start()
    with open(T + '/in', 'w') as file:
        for i, method in enumerate(('initialize', 'textDocument/hover', 'shutdown')):
            print(json.dumps({'jsonrpc': '2.0', 'id': i, 'method': method}), file=file)
    out = Cat('--frame', 'content-length', *WHERE, stdin=open(T + '/in', 'rb')).end()
    check([json.loads(line)['result'] for line in out.splitlines()], ['initialize', 'textDocument/hover', 'shutdown'])


def slip_and_cobs():
    def slip_decode(data):
        frames, at = [b''], iter(data)
        for byte in at:
            if byte == 192:
                frames.append(b'')
            else:
                frames[-1] += bytes([{220: 192, 221: 219}[next(at)] if byte == 219 else byte])
        return [f for f in frames if f]

    def cobs_decode(data):
        frames = []
        for frame in data.split(b'\0')[:-1]:
            message = b''
            while frame:
                code = frame[0]
                message += frame[1:code] + (b'\0' if code < 255 and len(frame) > code else b'')
                frame = frame[code:]
            frames.append(message)
        return frames

    messages = [bytes(range(256)), b'\xc0\xdb\xdc\xdd', b'\0', b'x' * 254, b'x' * 255, b'x' * 254 + b'\0', bytes(1000)]
    for form, decode, encode in (('slip', slip_decode, slip), ('cobs', cobs_decode, cobs)):
        with open(T + '/in', 'wb') as file:
            file.write(hexed(*messages))
        cat = Cat('--stdio-frame', 'hex', '--frame', form, *WHERE, stdin=open(T + '/in', 'rb'))
        peer = accept(listener)
        got = decode(to_end(peer))
        check(got, messages, form)
        peer.sendall(b''.join(map(encode, got)))
        peer.close()
        check(cat.end(), hexed(*messages), form)


def length_above_cap():
    huge = 1 << 63
    rows = [('u32be', b'\xff' * 4, 0), ('u32le,inclusive', b'\xff' * 4, 3), ('u64le', b'\0' * 7 + b'\x80', 7),
            ('u64be,add=3', b'\x80' + b'\0' * 7, 0), ('u64le', b'\xff' * 8, 3), ('varint', varint(huge), 3),
            ('varint', varint(2 * huge - 1), 3), ('varint', b'\xff' * 10, 3), ('netstring', b'%d:' % huge, 7),
            ('netstring', b'9' * 1000, 7), ('octet-counting', b'%d ' % huge, 7),
            ('content-length', b'Content-Length: %d\r\n\r\n' % huge, 23)]
    good = b'abc'
    for form, bad, at in rows:
        cat, peer = receiver(form)
        bounded(cat, 4 << 20)
        first = FORMATS[form](good)
        peer.sendall(first + bad)
        try:
            check(to_end(peer), b'')
        except ConnectionResetError:
            pass
        cat.fail(102, r'message 2, byte %d: (?:length \d+ \([0-9a-f ]+\) is )?longer than --max-message' % (
            len(first) + at))
        check(cat.output(), hexed(good), form)
    # That memory was short: what is no more than the cap would have had no room.
    if not ASAN:
        cat, peer = receiver('u32be')
        bounded(cat, 4 << 20)
        peer.sendall(struct.pack('>I', 16 << 20))
        peer.shutdown(socket.SHUT_WR)
        cat.fail(27, 'Cannot allocate memory')


def length_limits():
    for size in 5, 130:
        cap = bytes(ord('0') + i % 10 for i in range(size))
        where = {'cobs': 0, 'hex': 2 * size, 'base64': size // 3 * 4 + size % 3, 'json': 0}
        # Lengths are refused at the first byte that no good one has there.
        for form in COUNTED:
            good, bad = [FORMATS[form](bytes(n)) for n in range(size + 1)], FORMATS[form](cap + b'x')
            where[form] = next(i for i in range(len(bad)) if not any(g.startswith(bad[:i + 1]) for g in good))
        for form in FORMATS:
            if form == 'fixed:4':
                continue
            # SLIP has no empty ones.
            few = [cap] if form == 'slip' else [b'', cap]
            at = where.get(form, size)
            front = b''.join(map(FORMATS[form], few))
            receives(form, front + FORMATS[form](cap + b'x'), 102,
                     'message %d, byte %d: ' % (len(few) + 1, len(front) + at),
                     *few, options=['--max-message', str(size)])
            # and nothing longer is accepted for sending.
            with open(T + '/in', 'wb') as file:
                file.write(hexed(*few, cap + b'x'))
            cat = Cat('--stdin-frame', 'hex', '--max-message', str(size), '--send-only', '--frame', form, *WHERE,
                      stdin=open(T + '/in', 'rb'))
            peer, got = accept(listener), b''
            try:
                while part := peer.recv(1000):
                    got += part
            except ConnectionResetError:
                pass
            cat.fail(102, 'receive from stdin: message %d, byte ' % (len(few) + 1))
            if form != 'json':
                check(got, front, form)
    for length in '0', '6', '5x':
        Cat('--max-message', '5', '--frame', 'fixed:' + length, *WHERE).fail(3, 'expected fixed:N, N from 1 to')
    receives('fixed:5', b'01234', 0, '', b'01234', options=['--max-message', '5'])


def cuts(end, status, pattern):
    ways = {'end': lambda s: s.shutdown(socket.SHUT_WR), 'reset': reset}
    tried = 0
    for form, encode in FORMATS.items():
        whole = encode(b'good')
        for n in range(1, len(whole)):
            # Without its end it is whole, if it can be read.
            if end == 'end' and form in ('line', 'hex', 'base64', 'json'):
                options = ['--strict']
            else:
                options = []
            receives(form, whole + whole[:n], int(status), pattern if end == 'reset' else
                     'message 2, byte %d: %s' % (len(whole) + n, pattern), b'good', options=options, end=ways[end])
            tried += 1
    check(tried > 100, True)


def no_delimiter():
    filler = {'hex': b'0', 'base64': b'A', 'cobs': b'\1', 'slip': b'\xdb\xdc', 'json': b' ',
              'content-length': b'X: y\r\n'}
    where = {'hex': 2 * 65536, 'base64': 65536 // 3 * 4 + 2, 'slip': 2 * 65536, 'json': 6 * 65536 + 65536,
             'cobs': 65536 + 1, 'content-length': 8191}
    for form in FORMATS:
        if form == 'fixed:4' or form in COUNTED and form != 'content-length':
            continue
        cat, peer = receiver(form, '--max-message', '64k')
        bounded(cat, 4 << 20)
        fill = filler.get(form, b'x') * (1 << 20)
        first = FORMATS[form](b'first')
        try:
            peer.sendall(first)
            while True:
                peer.sendall(fill[:1 << 20])
        except OSError:
            pass
        peer.close()
        cat.fail(102, 'message 2, byte %d: (?:longer than --max-message|a header of more)' % (
            len(first) + where.get(form, 65536)))
        check(cat.output(), hexed(b'first'), form)


def short_reads(library, program):
    messages = [b'abcd', b'\r\n\r', b'\n;.;', b'a\0b\xdb', b'1:a,', b';;.,']
    for short in 1, 2:
        for form, encode in FORMATS.items():
            mine = [m for m in messages if len(m) == 4 and not (
                form in ('line', 'crlf', 'nul', 'delim:;.;') and
                {'line': b'\n', 'crlf': b'\r\n', 'nul': b'\0', 'delim:;.;': b';.;'}[form] in m)]
            cat = Cat('-d', '--frame', form, '--stdout-frame', 'hex', *WHERE,
                      env={'LD_PRELOAD': library, 'SHIM_PROG': program,
                           'SHIM': ','.join('%s:short=%d:*:socket' % (call, short) for call in ('read', 'readv',
                                   'recv', 'recvmsg'))})
            with accept(listener) as peer:
                peer.sendall(b''.join(map(encode, mine)))
            check(cat.end(), hexed(*mine), form)


def last_line():
    for form in LINES:
        if form not in FORMATS:
            continue
        data = FORMATS[form](b'one') + FORMATS[form](b'two')[:-1]
        receives(form, data, 0, '', b'one', b'two')
        receives(form, data, 18, 'message 2, byte %d: it is cut off' % len(data), b'one', options=['--strict'])
        # The same from standard input.
        with open(T + '/in', 'wb') as file:
            file.write(data)
        for options, status, wanted in ([], 0, b'3:one,3:two,'), (['--strict'], 18, b'3:one,'):
            cat = Cat('--stdin-frame', form, '--frame', 'netstring', *options, *WHERE, stdin=open(T + '/in', 'rb'))
            with accept(listener) as peer:
                check(shown(peer.fileno(), wanted), wanted)
                if not status:
                    check(peer.recv(1), b'')
            cat.end(status)


def bad_frames():
    rows = [
        ('line', b'a\\q\n', 2, ['--escape']), ('line', b'ab\\\n', 3, ['--escape']),
        ('crlf', b'\\x4\r\n', 3, ['--escape']),
        ('u32le,inclusive', b'\3\0\0\0', 3, []), ('u64be,add=3', b'\0' * 7 + b'\2', 7, []),
        ('varint', b'\x80\0', 1, []), ('varint', b'\x81\x80\0', 2, []), ('varint', b'\xff' * 9 + b'\2', 3, []),
        ('netstring', b'01:a,', 1, []), ('netstring', b'1:ab', 3, []), ('netstring', b':a,', 0, []),
        ('netstring', b'-1:a,', 0, []),
        ('netstring', b'1;a,', 1, []), ('octet-counting', b'00 ', 1, []), ('octet-counting', b'<34>1 ', 0, []),
        ('octet-counting', b'1:a', 1, []), ('content-length', b'Length: 1\r\n\r\na', 11, []),
        ('content-length', b'Content-Length: 0x1\r\n\r\na', 17, []),
        ('content-length', b'Content-Length: 01\r\n\r\na', 17, []),
        ('content-length', b'Content-Length: 1\r\nContent-Length: 1\r\n\r\na', 33, []),
        ('content-length', b'a: b\r\nc\r\n\r\n', 7, []),
        ('slip', b'a\xdba\xc0', 2, []), ('slip', b'ab\xdb\xc0', 3, []), ('cobs', b'\5abc\0', 4, []),
        ('cobs', b'\2a\3b\0', 4, []),
        ('hex', b'4g\n', 1, []), ('hex', b'414\n', 3, []), ('hex', b'4 1\n', 1, []),
        ('base64', b'YQ=\n', 3, []), ('base64', b'YQ\n', 2, []), ('base64', b'Y Q=\n', 1, []),
        ('base64', b'YR==\n', 2, []),
        ('base64', b'YQ-_\n', 2, []), ('base64', b'YQ==YQ==\n', 4, []),
        ('json', b'{"text":}\n', 8, []), ('json', b'{"text":"\\ud800"}\n', 15, []),
        ('json', b'{"text":"\xff"}\n', 9, []),
        ('json', b'{"text":"a","text":"b"}\n', 17, []), ('json', b'{"base64":"YQ"}\n', 0, []), ('json', b'{}\n', 0, []),
        ('json', b'[' * 100000 + b'\n', 0, []), ('json', b'{"a":' + b'[' * 100000 + b'\n', 2047 + 5, []),
        ('json', b'{"text":"a","base64":"YQ=="}\n', 0, []), ('json', b'\n', 0, []),
    ]
    for form, bad, at, options in rows:
        if form in FORMATS:
            first = FORMATS[form](b'good')
            receives(form, first + bad, 102, 'message 2, byte %d: ' % (len(first) + at), b'good', options=options)


def bad_byte_at_once():
    rows = [
        ('content-length', b'T: a\nContent-Length: 2\n\n{}', 4, []), ('content-length', b'T: a\rb', 5, []),
        ('content-length', b'T: a\0', 4, []), ('content-length', b'T: a\r\n b', 6, []),
        ('content-length', b': a', 0, []),
        ('content-length', b'GET / HTTP/1.1', 3, []), ('u32be', b'GE', 0, []), ('u32le', b'\1\0\0\2', 3, []),
        ('varint', b'\x80\0', 1, []), ('netstring', b'01', 1, []), ('octet-counting', b'<', 0, []),
        ('slip', b'a\xdbb', 2, []), ('cobs', b'\3a\0', 2, []), ('hex', b'4x', 1, []), ('hex', b'41\r4', 3, []),
        ('base64', b'YR=', 2, []), ('base64', b'YQ==Y', 4, []), ('line', b'a\\q', 2, ['--escape']),
        ('crlf', b'a\\x4q', 4, ['--escape']), ('json', b'GET / HTTP/1.1', 0, []), ('json', b'{"text":nul}', 11, []),
    ]
    for form, bad, at, options in rows:
        if form in FORMATS:
            first = FORMATS[form](b'good')
            receives(form, first + bad, 102, 'message 2, byte %d: ' % (len(first) + at), b'good', options=options,
                     end=lambda s: None)
            # The same when the stream ends there, and byte by byte from standard input.
            receives(form, first + bad, 102, 'message 2, byte %d: ' % (len(first) + at), b'good',
                     options=[*options, '--strict'])
            here, there = os.pipe()
            cat = Cat('--stdin-frame', form, '--frame', 'hex', *options, *WHERE, stdin=here)
            with accept(listener):
                for byte in first + bad:
                    os.write(there, bytes([byte]))
                cat.fail(102, 'receive from stdin: message 2, byte %d: ' % (len(first) + at))
            os.close(there)


def random_bytes():
    source = random.Random(132)
    messages = [source.randbytes(source.choice((0, 1, 2, 3, 4, 100, 253, 254, 255, 256, 3000))) for _ in range(300)]
    messages += [bytes(508), b'\xff' * 508, b'\r\n\0,:{"\\' * 40, bytes(range(256)), 'grüße\n'.encode()]
    pairs = [('netstring', 'varint'), ('u32be', 'cobs'), ('cobs', 'content-length'), ('hex', 'u64le'),
             ('base64', 'octet-counting'),
             ('varint', 'hex'), ('content-length', 'u16le'), ('u16be', 'base64')]
    pairs += [('octet-counting', 'json')]
    for local, wire in pairs:
        with open(T + '/in', 'wb') as file:
            file.write(b''.join(map(FORMATS[local], messages)))
        for back in local, 'netstring':
            receiver = Cat('-l', '-d', '--frame', wire, '--stdout-frame', back, '127.0.0.1', '0')
            Cat('--frame', wire, '--stdin-frame', local, '127.0.0.1', str(receiver.address()[1]),
                stdin=open(T + '/in', 'rb')).end()
            if receiver.end() != b''.join(map(FORMATS[back], messages)):
                sys.exit('not the same: %s, %s, %s' % (local, wire, back))


def every_transport():
    messages = [b'abcd', b'\xc0\xdb\xff\x01', b'1:a,', b'"\\{}']
    kinds = {
        'tcp': (listener, list(WHERE)),
        'stream': (unix(socket.SOCK_STREAM, T + '/stream'), ['-U', T + '/stream']),
        'seqpacket': (unix(socket.SOCK_SEQPACKET, T + '/seqpacket'), ['--seqpacket', '-U', T + '/seqpacket']),
        'datagram': (unix(socket.SOCK_DGRAM, T + '/datagram'), ['-u', '-U', '-s', T + '/mine', T + '/datagram']),
    }
    kinds['udp'] = udp(), []
    kinds['udp'] = kinds['udp'][0], ['-u', '127.0.0.1', str(kinds['udp'][0].getsockname()[1])]
    with open(T + '/in', 'wb') as file:
        file.write(hexed(*messages))
    for kind, (server, where) in kinds.items():
        keeps = kind not in ('tcp', 'stream')
        if server.type != socket.SOCK_DGRAM:
            server.listen()
        for form, encode in [*FORMATS.items()] + [('datagram', bytes)] * keeps:
            cat = Cat('--frame', form, '--stdio-frame', 'hex', '-W', '4', *where, stdin=open(T + '/in', 'rb'))
            wire = [encode(m) for m in messages]
            if server.type != socket.SOCK_DGRAM:
                peer = accept(server)
            else:
                first, name = server.recvfrom(1000)
                peer = server
            if keeps:
                rest = [peer.recv(1000) for _ in messages[server.type == socket.SOCK_DGRAM:]]
                got = ([first] if server.type == socket.SOCK_DGRAM else []) + rest
            else:
                got = [to_end(peer)]
                wire = [b''.join(wire)]
            # A line of JSON has more in it than there need be.
            if form == 'json':
                kept = ('text', 'base64')
                got = [{k: v for k, v in json.loads(line).items() if k in kept} for line in b''.join(got).splitlines()]
                check(got, [json.loads(line) for line in b''.join(wire).splitlines()], kind)
            else:
                check(got, wire, '%s over %s' % (form, kind))
            for piece in wire:
                if server.type == socket.SOCK_DGRAM:
                    peer.sendto(piece, name)
                else:
                    peer.sendall(piece)
            check(cat.end(), hexed(*messages), '%s over %s' % (form, kind))
            if server.type != socket.SOCK_DGRAM:
                peer.close()


def empty_datagram():
    for kind, options in (socket.SOCK_DGRAM, ['-u']), (socket.SOCK_SEQPACKET, ['--seqpacket']):
        path = T + '/path%d' % kind
        server = unix(kind, path)
        with open(T + '/in', 'wb') as file:
            file.write(b'A\n\nB\n\n')
        if kind == socket.SOCK_SEQPACKET:
            server.listen()
        cat = Cat('-U', *options, '-s', path + '.mine', '-W', '3', '--stdio-frame', 'line', path,
                  stdin=open(T + '/in', 'rb'))
        peer = accept(server) if kind == socket.SOCK_SEQPACKET else server
        check([peer.recv(10) for _ in range(4)], [b'A', b'', b'B', b''])
        if kind == socket.SOCK_DGRAM:
            peer.connect(path + '.mine')
        for message in b'C', b'', b'D':
            peer.send(message)
        check(cat.end(), b'C\n\nD\n')


def frames_in_datagrams():
    for sent, status, pattern, wanted in (([b'1:a,1:b,', b'', b'1:c,'], 0, '', b'a\nb\nc\n'),
                                          ([b'1:a,1:b', b',1:c,'], 18, 'message 2, byte 7: it is cut off there',
                                           b'a\n')):
        cat = Cat('-l', '-u', '-d', '-W', '3', '--frame', 'netstring', '127.0.0.1', '0')
        sender = udp()
        for datagram in sent:
            sender.sendto(datagram, cat.address())
        check(cat.end(status), wanted)
        check(bool(re.search(pattern, cat.errors())), True, cat.errors())


def largest_datagrams():
    cat = Cat('-l', '-u', '-d', '-W', '3', '--frame', 'datagram', '--stdout-frame', 'netstring', '127.0.0.1', '0')
    messages = [random.Random(67).randbytes(n) for n in (40000, 65507, 65507)]
    sender = udp()
    for i, message in enumerate(messages):
        sender.sendto(message, cat.address())
        cat.await_output(b''.join(map(FORMATS['netstring'], messages[:i + 1])))
    cat.end()


def message_too_large():
    big = b'x' * 65508
    for form in 'line', 'netstring', 'u32be', 'base64':
        peer = udp()
        with open(T + '/in', 'wb') as file:
            file.write(b''.join(map(FORMATS[form], (b'a', big, b'b'))))
        cat = Cat('-u', '--send-only', '--stdin-frame', form, '127.0.0.1', str(peer.getsockname()[1]),
                  stdin=open(T + '/in', 'rb'))
        cat.fail(102, "message 2 from stdin: more than the socket takes, which the format 'datagram' cannot carry")
        peer.setblocking(False)
        check(peer.recv(65536), b'a')
        try:
            sys.exit('that came, too: %r' % peer.recv(65536)[:10])
        except BlockingIOError:
            pass


if __name__ == '__main__':
    main()
