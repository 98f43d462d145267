"""Connections that are relayed to another endpoint with --to."""
import random
import re
import socket
import struct
import threading

from drive import Cat, check, dial, exactly, LIMIT, main, T, to_end, udp, until


def server(family=socket.AF_INET):
    s = socket.socket(family)
    s.settimeout(LIMIT)
    s.bind(('127.0.0.1', 0) if family == socket.AF_INET else T + '/there')
    s.listen()
    return s


def whole(end):
    """All that comes until the end."""
    parts = []
    while part := end.recv(1 << 20):
        parts.append(part)
    return b''.join(parts)


def join(*options, there=None):
    """A listener in front of a server: the listener, the client's end, the server's."""
    there = there or server()
    name = there.getsockname()
    cat = Cat('-l', *options, '127.0.0.1', '0', '--to',
              'unix:' + name if isinstance(name, str) else '127.0.0.1:%d' % name[1])
    near = socket.create_connection(cat.address(), LIMIT)
    far = there.accept()[0]
    far.settimeout(LIMIT)
    return cat, near, far


def cross(near, far):
    """Much goes both ways at once, and each end ends on its own."""
    data = [random.randbytes(3000000) for _ in range(2)]
    def send(end, which):
        end.sendall(data[which])
        end.shutdown(socket.SHUT_WR)
    threads = [threading.Thread(target=send, args=(end, i)) for i, end in enumerate((near, far))]
    got = [None, None]
    def take(end, which): got[which] = whole(end)
    threads += [threading.Thread(target=take, args=(end, 1 - i)) for i, end in enumerate((near, far))]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    check(got[0] == data[0] and got[1] == data[1], True)


def relayed():
    cat, near, far = join()
    cross(near, far)
    cat.end()


def half_close():
    for swap in False, True:
        cat, near, far = join()
        one, other = (far, near) if swap else (near, far)
        one.sendall(b'question')
        one.shutdown(socket.SHUT_WR)
        check(whole(other), b'question')
        other.sendall(b'answer')
        other.close()
        check(whole(one), b'answer')
        one.close()
        cat.end()


def to_unix():
    cat, near, far = join(there=server(socket.AF_UNIX))
    cross(near, far)
    cat.end()


def without_listener():
    a, b = server(), server(socket.AF_UNIX)
    cat = Cat('tcp://127.0.0.1:%d' % a.getsockname()[1], '--to', 'unix:' + T + '/there')
    near, far = a.accept()[0], b.accept()[0]
    cross(near, far)
    near.close(), far.close()
    cat.end()


def side_by_side():
    there = server()
    cat = Cat('-l', '-k', '127.0.0.1', '0', '--to', '127.0.0.1:%d' % there.getsockname()[1])
    pairs = []
    for i in range(20):
        near = socket.create_connection(cat.address(), LIMIT)
        pairs.append((near, there.accept()[0]))
    for i, (near, far) in enumerate(pairs[1:]):
        far.settimeout(LIMIT)
        near.sendall(b'%d' % i)
        near.shutdown(socket.SHUT_WR)
        check(whole(far), b'%d' % i)
        far.close()
        check(whole(near), b'')


def refused():
    there = server()
    port = there.getsockname()[1]
    there.close()
    cat = Cat('-l', '-k', '--max-accepts', '2', '127.0.0.1', '0', '--to', '127.0.0.1:%d' % port)
    try:
        got = socket.create_connection(cat.address(), LIMIT).recv(1)
    except ConnectionResetError:
        got = 'reset'
    check(got, 'reset')
    there = socket.socket()
    there.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    there.bind(('127.0.0.1', port))
    there.listen()
    near = socket.create_connection(cat.address(), LIMIT)
    far = there.accept()[0]
    cross(near, far)
    near.close(), far.close()
    cat.end(104)
    check('connect 127.0.0.1:%d: Connection refused\n' % port in cat.errors(), True)


def reset_by_target():
    cat, near, far = join()
    far_port = far.getsockname()[1]
    far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    far.close()
    try:
        got = near.recv(1)
    except ConnectionResetError:
        got = 'reset'
    check(got, 'reset')
    cat.end(56)
    check(bool(re.search(r'^sockcat: receive from 127.0.0.1:%d: Connection reset by peer' % far_port, cat.errors(),
                         re.M)), True)


def frames_to_datagrams():
    there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    there.settimeout(LIMIT)
    there.bind(('127.0.0.1', 0))
    cat = Cat('-l', '--frame', 'octet-counting', '127.0.0.1', '0', '--to',
              'udp://127.0.0.1:%d' % there.getsockname()[1])
    near = socket.create_connection(cat.address(), LIMIT)
    near.sendall(b'5 hello3 a\nb')
    check([there.recv(100), there.recv(100)], [b'hello', b'a\nb'])
    near.close()
    cat.end()


def frames_differ():
    cat, near, far = join('--frame', 'u16be', '--stdio-frame', 'netstring')
    near.sendall(b'\0\3abc\0\0')
    near.shutdown(socket.SHUT_WR)
    check(whole(far), b'3:abc,0:,')
    far.sendall(b'2:hi,')
    far.close()
    check(whole(near), b'\0\2hi')
    near.close()
    cat.end()


def spliced():
    cat, near, far = join('-v', '-v')
    cross(near, far)
    cat.end()
    ways = re.findall(r'^sockcat: \[1\] from \S+ to \S+: (\S+) [a-z ]+$', cat.errors(), re.M)
    check(sorted(ways), ['copied', 'copied', 'spliced', 'spliced'])


def early_answer():
    there = udp()
    cat = Cat('-l', '-k', '127.0.0.1', '0', '--to', 'udp://localhost:%d' % there.getsockname()[1])
    near = dial(cat)
    near.sendall(b'question')
    there.sendto(b'answer', there.recvfrom(100)[1])
    check(exactly(near, 6), b'answer')


def kernel_drops():
    """Answers that the kernel drops are counted."""
    there = udp()
    cat = Cat('-l', '-k', '-v', '-q', '200ms', '127.0.0.1', '0', '--to', 'udp://127.0.0.1:%d' % there.getsockname()[1])
    near = dial(cat)
    near.sendall(b'question')
    sender = there.recvfrom(100)[1]
    cat.stop()
    for _ in range(300):
        there.sendto(bytes(9000), sender)
    near.shutdown(socket.SHUT_WR)
    cat.go()
    passed = len(to_end(near)) // 9000
    until(lambda: 'closed' in cat.errors(), 'the end')
    dropped = re.search(r'(\d+) datagrams dropped by the kernel', cat.errors())
    check(dropped and passed + int(dropped[1]), 300, cat.errors())


if __name__ == '__main__':
    main()
