"""A refused datagram goes to the next address of the name. The shim makes every name 127.1.0.1 and
127.1.0.2."""
import select
import socket
import subprocess
import sys

from drive import Cat, check, dial, exactly, LIMIT, main, T


def at(host, port=0):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, port))
    s.settimeout(LIMIT)
    return s


def ports():
    """A port where 127.1.0.2 has a socket and 127.1.0.1 has none."""
    server = at('127.1.0.2')
    return server, server.getsockname()[1]


def stdin_of(data):
    with open(T + '/in', 'wb') as file:
        file.write(data)
    return open(T + '/in', 'rb')


def sent():
    server, port = ports()
    cat = Cat('-u', '-q', '0', 'two.test', str(port), stdin=stdin_of(b'hello'))
    check(server.recv(100), b'hello')
    cat.end()
    check(cat.errors(), '')


def largest():
    server, port = ports()
    cat = Cat('-u', '-q', '0', 'two.test', str(port), stdin=stdin_of(bytes(65507)))
    check(len(server.recv(1 << 17)), 65507)
    cat.end()


def in_order():
    server, port = ports()
    cat = Cat('-u', '-q', '0.2', '--stdin-frame', 'line', 'two.test', str(port),
              stdin=stdin_of(b'one\n\ntwo\nthree\n'))
    check([server.recv(100) for _ in range(4)], [b'one', b'', b'two', b'three'])
    cat.end()
    check(cat.errors(), '')


def answered(*options):
    server, port = ports()
    cat = Cat('-u', '-q', '0.2', *options, 'two.test', str(port), stdin=subprocess.PIPE)
    cat.write(b'one')
    data, client = server.recvfrom(100)
    check(data, b'one')
    server.sendto(b'answer', client)
    cat.await_output(b'answer')
    cat.process.stdin.write(b'two')
    cat.process.stdin.close()
    check(server.recv(100), b'two')
    cat.end()
    check(cat.errors(), '')


def recorded():
    answered('-o', T + '/dump')


def told():
    server, port = ports()
    cat = Cat('-u', '-v', '-q', '0', 'two.test', str(port), stdin=stdin_of(b'hello'))
    cat.end()
    check('connect two.test:%d: Connection refused; sending again to 127.1.0.2:%d\n' % (port, port)
          in cat.errors(), True, cat.errors())


def refused_by_all():
    server, port = ports()
    server.close()
    cat = Cat('-u', 'two.test', str(port), stdin=stdin_of(b'hello'))
    cat.fail(7, 'connect two.test:%d: Connection refused' % port)


def refused_after_an_answer():
    """The first address has answered: the next one is not asked."""
    other, port = ports()
    server = at('127.1.0.1', port)
    cat = Cat('-u', 'two.test', str(port), stdin=subprocess.PIPE)
    cat.write(b'one')
    _, client = server.recvfrom(100)
    server.sendto(b'answer', client)
    cat.await_output(b'answer')
    server.close()
    cat.write(b'two')
    cat.fail(7, 'connect two.test:%d: Connection refused' % port)
    other.setblocking(False)
    try:
        sys.exit('the other address got %r' % other.recv(100))
    except BlockingIOError:
        pass


def too_much():
    """More than is kept was sent before the refusal."""
    other, port = ports()
    server = at('127.1.0.1', port)
    cat = Cat('-u', 'two.test', str(port), stdin=subprocess.PIPE)
    for _ in range(2):
        cat.write(bytes(40000))
        check(len(server.recv(1 << 17)) > 0, True)
        while server in select.select([server], [], [], 0.1)[0]:
            server.recv(1 << 17)
    server.close()
    cat.write(b'two')
    cat.fail(7, 'connect two.test:%d: Connection refused' % port)


def relayed(*options):
    """By --to."""
    server, port = ports()
    cat = Cat('-l', *options, '-U', '--to', 'udp://two.test:%d' % port, T + '/socket')
    clients = []
    for text in b'one', b'two', b'three':
        client = dial(cat)
        client.send(text)
        data, source = server.recvfrom(100)
        check(data, text)
        server.sendto(b'answer', source)
        check(exactly(client, 6), b'answer')
        clients.append(client)
        if not options:
            break


def relayed_for_many():
    relayed('-k')


if __name__ == '__main__':
    main()
