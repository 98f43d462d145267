"""Files between two sockcats, and peers that do not keep to the protocol."""
import fcntl
import hashlib
import json
import os
import select
import signal
import re
import socket
import sys

from drive import accept, Cat, check, dial, exactly, LIMIT, main, reset, shim, T, taken, tcp, to_end, until

SENDER, RECEIVER = b'sockcat-transfer 1 sender\n', b'sockcat-transfer 1 receiver\n'


def message(**members):
    text = json.dumps(members, separators=(',', ':')).encode()
    return b'%d:%s,' % (len(text), text)


def announce(name='new', size=5, **more):
    return message(type='file', name=name, size=size, mode=0o644, **more)


def parse(data):
    """The messages behind the greeting, and data as bytes."""
    data = data.partition(b'\n')[2]
    found = []
    while data:
        length, _, rest = data.partition(b':')
        found.append(json.loads(rest[:int(length)]))
        check(rest[int(length):int(length) + 1], b',')
        data = rest[int(length) + 1:]
        if found[-1]['type'] == 'data':
            found.append(data[:found[-1]['size']])
            data = data[found[-2]['size']:]
    return found


def fail(cat, status, text):
    """The end of a listener: one line besides that of its address."""
    cat.end(status)
    lines = cat.errors().splitlines()[1:]
    if len(lines) != 1 or not re.search(text, lines[0]):
        sys.exit('not one line with %r: %r' % (text, lines))


def folder(name):
    path = T + '/' + name
    os.makedirs(path, exist_ok=True)
    return path


def contents(path):
    found = {}
    for name in os.listdir(path):
        with open(os.path.join(path, name), 'rb') as file:
            found[name] = file.read()
    return found


def talk(cat, sent):
    """Sends this to a listener, and the end; its answer."""
    with dial(cat) as s:
        s.sendall(sent)
        s.shutdown(socket.SHUT_WR)
        return parse(to_end(s))


def hear(s):
    """What has arrived when a message is complete."""
    heard = b''
    while not heard.endswith(b'},'):
        heard += s.recv(4096)
    return heard


FULL = message(type='data', size=5) + b'hello' + message(type='done')

# What a sender sends behind its greeting; the receiver's status and message. The target is not there.
HOSTILE_SENDERS = [
    (announce('../new'), 23, 'path'),
    (announce('/tmp/new'), 23, 'path'),
    (announce('..'), 23, 'directory'),
    (announce('.'), 23, 'directory'),
    (announce(''), 23, 'empty'),
    (announce('a\0b'), 23, 'control'),
    (announce('\x1b]0;x\x07'), 23, 'control'),
    (announce('a\nb'), 23, 'control'),
    (announce('a' * 256), 23, '255'),
    (announce('.new.part'), 23, 'incomplete'),
    (message(type='file', name64='Li4=', size=5, mode=1), 23, 'directory'),
    (message(type='file', name64='!', size=5, mode=1), 102, 'invalid value'),
    (announce('new', -1), 102, 'invalid value'),
    (announce('new', 1 << 64), 102, 'invalid value'),
    (announce('new', 0.5), 102, 'invalid value'),
    (announce('new') + announce('other'), 102, 'unexpected message'),
    (announce('new') + message(type='data', size=6), 102, 'unexpected message'),
    (announce('new') + message(type='done'), 18, 'fewer bytes'),
    (announce('new') + FULL + message(type='end', count=2), 102, 'unexpected message'),
    (announce('new') + message(type='data', size=5) + b'hel', 18, 'ended before'),
    (announce('new') + message(type='error', status=26, error='\x1b[31mno'), 26, r'sender reported: \^\[\[31mno'),
    (announce('new') + message(type='error', status=0, error='no'), 102, 'sender reported: no'),
    (message(type='stored'), 102, 'unexpected message'),
    (message(type='end', count=1), 102, 'unexpected message'),
    (announce('new') + message(type='start', offset=0), 102, 'unexpected message'),
    (b'9' * 10, 102, 'message too long'),
    (b'5:hello,', 102, 'JSON'),
    (SENDER, 102, 'malformed message'),
    (b'', 18, 'ended before'),
]


def senders():
    """Senders that do not keep to the protocol: status, one line of text, and nothing is stored."""
    for number, (sent, status, text) in enumerate(HOSTILE_SENDERS):
        target = folder('senders%d' % number)
        cat = Cat('-l', '127.0.0.1', '0', '--receive=' + target)
        answer = talk(cat, SENDER + sent)
        fail(cat, status, text)
        stored = {name: data for name, data in contents(target).items() if name != '.new.part'}
        check(stored, {'new': b'hello'} if status == 102 and FULL in sent else {}, sent)
        if status == 23 or b'fewer' in text.encode():
            check((answer[-1]['type'], answer[-1]['status']), ('error', status), sent)


# What a receiver sends behind its greeting; the sender's status and message.
HOSTILE_RECEIVERS = [
    (message(type='stored'), 102, 'unexpected message'),
    (message(type='ready', offset=0) + message(type='stored'), 102, 'unexpected message'),
    (message(type='ready', offset=7), 102, 'unexpected message'),
    (message(type='ready', offset=4194304, digest='00' * 32), 102, 'unexpected message'),
    (message(type='ready', offset=0) * 2, 102, 'unexpected message'),
    (announce(), 102, 'unexpected message'),
    (message(type='end', count=0), 102, 'unexpected message'),
    (message(type='error', status=23, error='no \x1b[2Jspace'), 23, r'receiver reported: no \^\[\[2Jspace'),
    (message(type='error', status=-1, error='no'), 102, 'invalid value'),
    (message(type='error', status=999, error='no'), 102, 'receiver reported: no'),
    (message(type='ready', offset=0), 18, 'ended before'),
    (b'', 18, 'ended before'),
    (b'\xff' * 100, 102, 'malformed message'),
]


def play_receivers(cases, kind):
    """A receiver of T/new for each case, which sends this behind its greeting."""
    for sent, status, text in cases:
        cat = Cat('-l', '127.0.0.1', '0', '--send', T + '/new')
        with dial(cat) as s:
            s.sendall(RECEIVER)
            said = parse(hear(s))
            check([(each['type'], each['name']) for each in said], [(kind, 'new')])
            s.sendall(sent)
            s.shutdown(socket.SHUT_WR)
            try:
                to_end(s)
            except ConnectionResetError:
                pass
        fail(cat, status, text)


def receivers():
    """Receivers that do not keep to the protocol."""
    with open(T + '/new', 'wb') as file:
        file.write(b'x' * 3000000)
    play_receivers(HOSTILE_RECEIVERS, 'file')


def flood():
    """A peer that is refused and sends on without end."""
    cat = Cat('-l', '127.0.0.1', '0', '--receive=' + folder('flood'))
    with dial(cat) as s:
        s.sendall(SENDER + b'x')
        try:
            while cat.process.poll() is None:
                s.sendall(b'x' * 65536)
        except OSError:
            pass
    fail(cat, 102, 'malformed message')


def digests():
    """A digest that is wrong, missing or not that of the file: 18, and nothing is stored."""
    for digest in {}, {'digest': '00' * 32}, {'digest': hashlib.sha256(b'hello').hexdigest()}:
        target = folder('digest%d' % len(str(digest)))
        cat = Cat('-l', '127.0.0.1', '0', '--receive=' + target)
        answer = talk(cat, SENDER[:-1] + b' sha256\n' + announce() + message(type='data', size=5) + b'hello' +
                      message(type='done', **digest))
        fail(cat, 18, 'digest of what arrived differs')
        check((answer[-1]['type'], answer[-1]['status']), ('error', 18), digest)
        check('new' in contents(target), False)


SIZE = 13000000


def interrupt(target, victim):
    """Sends 9 MB of a file, which are two blocks and more, and kills a side."""
    part = target + '/.file.part'
    with tcp() as listener:
        receiver = Cat('-l', '127.0.0.1', '0', '--receive=' + target)
        sender = Cat('127.0.0.1', str(listener.getsockname()[1]), '--send', T + '/file')
        with accept(listener) as near, dial(receiver) as far:
            check(relay(near, far, [9000000, 1 << 30]), False)
            until(lambda: os.path.exists(part) and os.path.getsize(part) > 8900000, 'the first blocks')
            {'sender': sender, 'receiver': receiver}[victim].process.kill()
    check(receiver.process.wait() != 0 and sender.process.wait() != 0, True)
    check('.file.part' in contents(target), True)


def again(target):
    """Sends it again; the bytes that were sent, and the messages of the receiver."""
    receiver = Cat('-l', '-v', '127.0.0.1', '0', '--receive=' + target, '--resume')
    sender = Cat('-v', '127.0.0.1', receiver.where, '--send', T + '/file', '--resume')
    sender.end()
    receiver.end()
    with open(T + '/file', 'rb') as file:
        check(contents(target) == {'file': file.read()}, True, os.listdir(target))
    return int(re.search(r'closed .*: (\d+) bytes sent', sender.errors())[1]), receiver.errors()


def resume():
    """What is there is continued, whatever side was killed, and without its digests; another file is not.
    Digests are used only until the system is restarted, which wrong ones show."""
    with open(T + '/file', 'wb') as file:
        file.write(os.urandom(SIZE))
    for case in 'sender', 'receiver', 'no digests', 'wrong digests', 'restarted', 'other':
        target = folder(case)
        interrupt(target, case if case in ('sender', 'receiver') else 'sender')
        check(sorted(contents(target)), ['.file.part', '.file.part.blocks'])
        blocks = target + '/.file.part.blocks'
        if case == 'no digests':
            os.remove(blocks)
        elif case in ('wrong digests', 'restarted'):
            with open(blocks, 'r+b') as file:
                file.seek(20)
                file.write(b'****' if case == 'restarted' else b'')
                file.seek(-64, os.SEEK_END)
                file.write(b'x' * 64)
        elif case == 'other':
            with open(T + '/file', 'r+b') as file:
                file.write(os.urandom(100))
        sent, errors = again(target)
        if case in ('wrong digests', 'other'):
            check(sent >= SIZE, True, sent)
            check('starting file again' in errors, True, errors)
        else:
            check(0 < sent - (SIZE - 2 * 4194304) < 4000, True, sent)
            check(re.search(r'resuming file at 6\d % \(8\.4 MB\)', errors) is not None, True, errors)
        check('verified by SHA-256' in errors, True, errors)


def unnamed():
    """Digests of an unknown start of the system are not used, which here are wrong; the part is read."""
    with open(T + '/file', 'wb') as file:
        file.write(os.urandom(SIZE))
    target = folder('unnamed')
    interrupt(target, 'sender')
    with open(target + '/.file.part.blocks', 'wb') as file:
        file.write(b'sockcat-blocks 1 ' + b'-' * 36 + b'\n' + b'x' * 64)
    sent, errors = again(target)
    check(0 < sent - (SIZE - 2 * 4194304) < 4000, True, (sent, errors))


def stale():
    """Digests of a part that another run has replaced since are not used."""
    with open(T + '/file', 'wb') as file:
        file.write(os.urandom(SIZE))
    writers = {'digests': SENDER + announce('file', SIZE) + message(type='data', size=SIZE), 'out': b''}
    for case, greeting in writers.items():
        target = folder(case)
        interrupt(target, 'sender')
        other = Cat('-l', '127.0.0.1', '0', '--out=' + target + '/file' if case == 'out' else '--receive=' + target)
        with dial(other) as s:
            s.sendall(greeting + b'x' * 9000000)
            until(lambda: os.path.getsize(target + '/.file.part') > 8900000, 'the other blocks')
            reset(s)
        check(other.process.wait() != 0, True)
        check('.file.part.blocks' in contents(target), False, case)
        sent, errors = again(target)
        check(sent >= SIZE, True, (case, sent, errors))


def relay(one, other, cuts):
    """Moves bytes between two connections, up to a number in each direction; False if one was reached."""
    left = {one: cuts[0], other: cuts[1]}
    peer = {one: other, other: one}
    ends = set()
    while len(ends) < 2:
        for s in select.select([s for s in left if s not in ends], [], [])[0]:
            try:
                data = s.recv(min(65536, left[s] + 1))
            except ConnectionResetError:
                data = b''
            if len(data) > left[s]:
                peer[s].sendall(data[:left[s]])
                return False
            left[s] -= len(data)
            if not data:
                ends.add(s)
            try:
                if data:
                    peer[s].sendall(data)
                else:
                    peer[s].shutdown(socket.SHUT_WR)
            except OSError:
                ends.add(s)
    return True


def through(listener, server, client, limits):
    """The connections of a client, which are reset behind these numbers of bytes for each direction; how many
    there were until the client ended."""
    count = 0
    while True:
        until(lambda: client.process.poll() is not None or select.select([listener], [], [], 0)[0], 'a connection')
        if client.process.poll() is not None:
            return count
        with accept(listener) as near, dial(server) as far:
            whole = relay(near, far, limits[min(count, len(limits) - 1)])
            if not whole:
                reset(near)
                reset(far)
        count += 1


FREE = 1 << 30


def retried():
    """With --retry one run continues behind each reset, whatever side connects; 0 only with all files."""
    files = {'one': os.urandom(5000), 'file': os.urandom(3 * SIZE), 'two': b''}
    for name, data in files.items():
        with open(T + '/' + name, 'wb') as file:
            file.write(data)
    words = ['--send', T + '/one', '--send', T + '/file', '--send', T + '/two', '--resume']
    # Before and within the greeting, in data, and in an answer. After the fifth retries count from 0 again.
    cuts_of_sender = [[0, FREE], [10, FREE], [5000000, FREE], [300, FREE], [18000000, FREE], [FREE, 200],
                      [FREE, FREE]]
    for sends in True, False:
        target = folder('retried %d' % sends)
        store = ['--receive=' + target, '--resume']
        cuts = [cut if sends else cut[::-1] for cut in cuts_of_sender]
        server = Cat('-l', '-k', '127.0.0.1', '0', *(store if sends else words))
        with tcp() as listener:
            client = Cat('-v', '--retry=4', '--retry-delay', '1ms', '127.0.0.1', str(listener.getsockname()[1]),
                         *(words if sends else store))
            count = through(listener, server, client, cuts)
        client.end()
        check((count, contents(target) == files), (len(cuts), True), os.listdir(target))
        check(len(re.findall(r'resuming .*file at \d+ %', client.errors())) > 0, True, client.errors())
        server.send(signal.SIGTERM)
        server.process.wait()
        # The last session has ended in order.
        check('unexpected message' in server.errors(), False, server.errors())


def secured():
    """The same over TLS, but not behind a certificate that is refused."""
    data = os.urandom(SIZE)
    with open(T + '/file', 'wb') as file:
        file.write(data)
    target = folder('secured')
    server = Cat('-l', '-k', '--ssl', '--ssl-self-signed', '127.0.0.1', '0', '--receive=' + target, '--resume')
    for trust, limits in ([], [[FREE, FREE]]), (['--insecure'], [[6000000, FREE], [6000000, FREE], [FREE, FREE]]):
        with tcp() as listener:
            client = Cat('--retry=4', '--retry-delay', '1ms', '--ssl', *trust, '127.0.0.1',
                         str(listener.getsockname()[1]), '--send', T + '/file', '--resume')
            count = through(listener, server, client, limits)
        client.end(0 if trust else 60)
        check((count, contents(target) == {'file': data}), (len(limits), bool(trust)), client.errors())
    server.process.kill()


def retried_by_proxy():
    """A connection that is made again through a proxy, which does not connect to the first address of the name."""
    target = folder('proxied')
    data = os.urandom(5000)
    with open(T + '/file', 'wb') as file:
        file.write(data)
    server = Cat('-l', '-k', '127.0.0.1', '0', '--receive=' + target, '--resume')
    with tcp() as listener:
        client = Cat('--retry=1', '--retry-delay', '1ms', '--resolve', 'two.test:7:192.0.2.1,192.0.2.2', '--proxy',
                     'socks5://127.0.0.1:%d' % listener.getsockname()[1], 'two.test', '7', '--send', T + '/file',
                     '--resume')
        # Cut in the greeting; refused; complete.
        for address, answer, limit in (1, 0, 10), (1, 5, None), (2, 0, FREE):
            with accept(listener) as near:
                check(exactly(near, 3), b'\5\1\0')
                near.sendall(b'\5\0')
                check(exactly(near, 10), b'\5\1\0\1\xc0\0\2' + bytes([address]) + b'\0\7')
                near.sendall(bytes([5, answer, 0, 1]) + bytes(6))
                if limit is None:
                    continue
                with dial(server) as far:
                    if not relay(near, far, [limit, FREE]):
                        reset(near)
                        reset(far)
        client.end()
    check(contents(target), {'file': data})
    server.send(signal.SIGTERM)


def busy():
    """With --resume a part that is still written is waited for, as by the session that was interrupted, which may also
    store the file."""
    digest = hashlib.sha256(hashlib.sha256(b'hello').digest()).hexdigest()
    sent = {False: message(type='data', size=5) + b'hello', True: message(type='start', offset=5)}
    for stored in False, True:
        target = folder('busy %d' % stored)
        locked = os.open(target + '/.new.part', os.O_RDWR | os.O_CREAT)
        fcntl.flock(locked, fcntl.LOCK_EX)
        cat = Cat('-l', '127.0.0.1', '0', '--receive=' + target, '--resume')
        with dial(cat) as s:
            s.sendall(SENDER[:-1] + b' sha256\n' + announce())
            answer = b''
            while not answer.endswith(b'\n'):
                answer += s.recv(100)
            check(select.select([s], [], [], 0.2)[0], [], 'it does not wait')
            if stored:
                os.write(locked, b'hello')
                os.rename(target + '/.new.part', target + '/new')
            os.close(locked)
            s.sendall(sent[stored] + message(type='done', digest=digest) + message(type='end', count=1))
            s.shutdown(socket.SHUT_WR)
            check([said['type'] for said in parse(b'\n' + to_end(s))], ['ready', 'stored'])
        cat.end(0)
        check(contents(target), {'new': b'hello'})


def synced():
    """A disk that is slow to sync a file that is there already, and the same, holds up no other client."""
    digest = hashlib.sha256(hashlib.sha256(b'hello').digest()).hexdigest()
    target = folder('synced')
    with open(target + '/new', 'wb') as file:
        file.write(b'hello')
    cat = Cat('-l', '-k', '127.0.0.1', '0', '--receive=' + target, '--resume', env=shim('fsync:sleep=%d:1' % (10 * LIMIT)))
    start = SENDER[:-1] + b' sha256\n'
    with dial(cat) as s:
        s.sendall(start + announce() + message(type='start', offset=5) + message(type='done', digest=digest))
        until(lambda: cat.threads() > 1, 'the thread that syncs')
        check([said['type'] for said in talk(cat, start + announce('other') + message(type='data', size=5) + b'hello' +
                                             message(type='done', digest=digest) + message(type='end', count=1))],
              ['ready', 'stored'])
    cat.process.kill()


def sparse():
    """Zeros become a hole, however they arrive; short runs of them are written."""
    text = bytes(1 << 20) + b'x' + bytes(100) + b'y' + bytes(1 << 20)
    target = folder('sparse')
    cat = Cat('-l', '127.0.0.1', '0', '--receive=' + target)
    with dial(cat) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.sendall(SENDER + announce(size=len(text)) + message(type='data', size=len(text)))
        for at in range(0, len(text), 10000):
            s.sendall(text[at:at + 10000])
            until(lambda: taken(s), 'the piece')
        s.sendall(message(type='done') + message(type='end', count=1))
        s.shutdown(socket.SHUT_WR)
        check([said['type'] for said in parse(to_end(s))], ['ready', 'stored'])
    cat.end()
    check(contents(target)['new'] == text, True)
    check(os.stat(target + '/new').st_blocks < 100, True, os.stat(target + '/new').st_blocks)


def sparse_part():
    """The zeros at the end of what has arrived are in the part, with which a later run continues."""
    target = folder('part')
    cat = Cat('-l', '127.0.0.1', '0', '--receive=' + target)
    with dial(cat) as s:
        s.sendall(SENDER + announce(size=60000) + message(type='data', size=60000) + b'x')
        until(lambda: taken(s), 'the first byte')
        s.sendall(bytes(49999))
        s.shutdown(socket.SHUT_WR)
        to_end(s)
    fail(cat, 18, 'ended before the transfer was complete')
    check(contents(target), {'.new.part': b'x' + bytes(49999)})


def occupied():
    """A part that another session writes: the receiver marks its refusal, behind which a sender with --retry and
    --resume connects again, until it is free or retries end."""
    with open(T + '/file', 'wb') as file:
        file.write(b'hello')
    target = folder('occupied')
    locked = os.open(target + '/.file.part', os.O_RDWR | os.O_CREAT)
    fcntl.flock(locked, fcntl.LOCK_EX)
    # Without --resume it does not wait for the other session.
    server = Cat('-l', '-k', '127.0.0.1', '0', '--receive=' + target)
    said = talk(server, SENDER + announce('file'))[-1]
    check((said['type'], said['status'], said.get('busy')), ('error', 23, 1), said)
    with tcp() as listener:
        words = ['--retry=1', '--retry-delay', '1ms', '127.0.0.1', str(listener.getsockname()[1]), '--send', T + '/file']
        for more in [], ['--resume']:
            client = Cat(*words, *more)
            check(through(listener, server, client, [[FREE, FREE]]), 1 + len(more), more)
            client.end(23)
            check('another process is writing it' in client.errors(), True, client.errors())
        client = Cat(*words, '--resume')
        for free in False, True:
            if free:
                os.close(locked)
            with accept(listener) as near, dial(server) as far:
                check(relay(near, far, [FREE, FREE]), True)
        client.end()
    check(contents(target), {'file': b'hello'})
    server.send(signal.SIGTERM)


def occupied_here():
    """The same if the receiver connects, which refuses the file itself."""
    target = folder('occupied here')
    locked = os.open(target + '/.new.part', os.O_RDWR | os.O_CREAT)
    fcntl.flock(locked, fcntl.LOCK_EX)
    with tcp() as listener:
        words = ['--retry=1', '--retry-delay', '1ms', '127.0.0.1', str(listener.getsockname()[1]), '--receive=' + target]
        for more in [], ['--resume']:
            client = Cat(*words, *more)
            for _ in range(1 + len(more)):
                with accept(listener) as s:
                    # Without digests it does not wait for the other session.
                    s.sendall(SENDER + announce())
                    said = parse(to_end(s))[-1]
                    check((said['type'], said['status'], said.get('busy')), ('error', 23, 1), said)
            client.end(23)
            check('another process is writing it' in client.errors(), True, client.errors())
        client = Cat(*words, '--resume')
        for free in False, True:
            if free:
                os.close(locked)
            with accept(listener) as s:
                s.sendall(SENDER + announce() + (FULL + message(type='end', count=1) if free else b''))
                check(parse(to_end(s))[-1]['type'], 'stored' if free else 'error')
        client.end()
    check(contents(target), {'new': b'hello'})


def exhausted():
    """Retries end, and a failure that the other side reports is not retried."""
    with open(T + '/file', 'wb') as file:
        file.write(os.urandom(SIZE))
    target = folder('exhausted')
    for case in 'cut', 'exists', 'no resume':
        server = Cat('-l', '-k', '127.0.0.1', '0', '--receive=' + target, *(['--resume'] if case == 'cut' else []))
        with tcp() as listener:
            client = Cat('--retry=2', '--retry-delay', '1ms', '127.0.0.1', str(listener.getsockname()[1]), '--send',
                         T + '/file', *(['--resume'] if case != 'no resume' else []))
            limits = [[3000000, FREE]] if case != 'exists' else [[FREE, FREE]]
            if case == 'exists':
                with open(target + '/file', 'wb'):
                    pass
            count = through(listener, server, client, limits)
        status = client.process.wait()
        check((count, status in {'exists': [23]}.get(case, [18, 55, 56])), (3 if case == 'cut' else 1, True), client.errors())
        check('(3 attempts)' in client.errors(), case == 'cut', client.errors())
        check('file' in contents(target), case == 'exists')
        if case == 'exists':
            os.unlink(target + '/file')
        server.process.kill()


def transfer(target, cuts, close):
    """One transfer through the relay; the statuses of receiver and sender."""
    with tcp() as listener:
        receiver = Cat('-l', '127.0.0.1', '0', '--receive=' + target)
        sender = Cat('127.0.0.1', str(listener.getsockname()[1]), '--send', T + '/one', '--send', T + '/two')
        with accept(listener) as near, dial(receiver) as far:
            whole = relay(near, far, cuts)
            if not whole:
                for s in (near, far):
                    close(s)
    return whole, receiver.process.wait(), sender.process.wait(), sender.errors()


def cut_everywhere(steps, stored, wanted):
    """Transfers of T/one and T/two with a cut at each offset of each direction, in these steps. Status 0 means that
    stored(target), which checks what has its name, is all that is wanted. Prints how many there were."""
    number = tried = 0
    for side in 0, 1:
        for at in range(1 << 20):
            number += 1
            limits = [FREE, FREE]
            limits[side] = at * steps[side]
            target = folder('cut%d' % number)
            close = socket.socket.close if number % 2 else reset
            whole, received, sent, errors = transfer(target, limits, close)
            found = stored(target)
            if received == 0 or sent == 0:
                check(found, wanted, (limits, received, sent))
            if whole:
                check((received, sent), (0, 0), errors)
                break
            tried += 1
    print(tried)


def cuts(step='1'):
    """A cut at each offset of a small transfer: files are whole or not there, and 0 means that they are."""
    wanted = {'one': b'1' * 40, 'two': b'2' * 30}
    for name, data in wanted.items():
        with open(T + '/' + name, 'wb') as file:
            file.write(data)

    def stored(target):
        found = {name: data for name, data in contents(target).items() if not name.startswith('.')}
        for name, data in found.items():
            check(data, wanted.get(name), (name, target))
        return found

    cut_everywhere([int(step)] * 2, stored, wanted)


if __name__ == '__main__':
    main()
