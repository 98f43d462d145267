"""Endpoints that are sockets already: fd://N."""
import os
import signal
import socket
import subprocess
import sys
import threading

from drive import accept, blocking, check, end, LIMIT, main, refusal, T, tcp, udp


def at(fd, words):
    return [os.environ['SOCKCAT']] + [w.replace('fd://N', 'fd://%d' % fd) for w in words]


def begin(sock, *words):
    """Runs it with this socket; "fd://N" names it."""
    return subprocess.Popen(at(sock.fileno(), words), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, pass_fds=[sock.fileno()])


def refused(sock, pattern, *words, status=3):
    refusal(begin(sock, *words), status, pattern, words)


def unix(kind=socket.SOCK_STREAM):
    return socket.socket(socket.AF_UNIX, kind)


def all_of(sock):
    """All data until the end."""
    sock.settimeout(LIMIT)
    return b''.join(iter(lambda: sock.recv(65536), b''))


def fd_tcp():
    server = tcp()
    client = socket.create_connection(server.getsockname())
    peer = accept(server)
    cat = begin(client, '-v', 'fd://N')
    # This process must not keep it open.
    client.close()
    peer.sendall(b'first')
    check(cat.stdout.read(5), b'first')
    cat.stdin.write(b'question')
    cat.stdin.close()
    # The end of the input is sent; the answer follows.
    check(all_of(peer), b'question')
    peer.sendall(b'answer')
    peer.close()
    cat.stdin = None
    out, err = end(cat)
    check(out, b'answer')
    check(b'closed 127.0.0.1:%d: 8 bytes sent, 11 bytes received\n' % server.getsockname()[1] in err, True, repr(err))


def fd_much_data():
    server = tcp()
    client = socket.create_connection(server.getsockname())
    peer = accept(server)
    data = os.urandom(3000000)
    cat = begin(client, 'fd://N')
    client.close()
    sender = threading.Thread(target=lambda: (peer.sendall(data[::-1]), peer.shutdown(socket.SHUT_WR)))
    sender.start()
    got = []
    receiver = threading.Thread(target=lambda: got.append(all_of(peer)))
    receiver.start()
    out, err = end(cat, 0, data)
    sender.join()
    receiver.join()
    check((out == data[::-1], got[0] == data, err), (True, True, b''))


def fd_unix():
    for kind in socket.SOCK_STREAM, socket.SOCK_SEQPACKET:
        one, two = socket.socketpair(socket.AF_UNIX, kind)
        two.sendall(b'hello')
        two.shutdown(socket.SHUT_WR)
        cat = begin(one, 'fd://N')
        one.close()
        check(end(cat, 0, b'world'), (b'hello', b''))
        check(all_of(two), b'world')
    server = unix()
    server.bind(T + '/socket')
    server.listen()
    client = unix()
    client.connect(T + '/socket')
    peer, _ = server.accept()
    peer.sendall(b'hello')
    peer.shutdown(socket.SHUT_WR)
    cat = begin(client, '-v', 'fd://N')
    client.close()
    out, err = end(cat, 0, b'world')
    check((out, all_of(peer)), (b'hello', b'world'))
    check((T + '/socket').encode() in err, True, repr(err))
    check(os.path.exists(T + '/socket'), True, 'the path of the other end was removed')


def fd_udp():
    peer = udp()
    client = udp()
    client.connect(peer.getsockname())
    cat = begin(client, '-W', '1', 'fd://N')
    cat.stdin.write(b'question')
    cat.stdin.flush()
    peer.settimeout(LIMIT)
    data, where = peer.recvfrom(100)
    check((data, where), (b'question', client.getsockname()))
    peer.sendto(b'answer', where)
    check(end(cat), (b'answer', b''))


def fd_options():
    one, two = socket.socketpair()
    cat = begin(one, '-d', '-v', '--sndbuf', '32k', 'fd://N')
    two.sendall(b'hello')
    two.close()
    out, err = end(cat)
    check(out, b'hello')
    check(b'set --sndbuf 32k' in err, True, repr(err))
    one, two = socket.socketpair()
    cat = begin(one, '-C', 'fd://N')
    one.close()
    two.shutdown(socket.SHUT_WR)
    end(cat, 0, b'a\nb\r\n')
    check(all_of(two), b'a\r\nb\r\n')


def fd_left_blocking():
    server = tcp()
    for client, peer in socket.socketpair(), (socket.create_connection(server.getsockname()), accept(server)):
        peer.sendall(b'hello')
        peer.shutdown(socket.SHUT_WR)
        check(blocking(client), True)
        cat = begin(client, 'fd://N')
        check(cat.stdout.read(5), b'hello')
        check(end(cat, 0, b'world')[1], b'')
        check(blocking(client), True, 'it is non-blocking now')


def fd_options_restored():
    SO_PASSCRED = 16
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    two.sendall(b'hello')
    two.shutdown(socket.SHUT_WR)
    cat = begin(one, 'fd://N')
    check(end(cat, 0, b'world')[0], b'hello')
    check(one.getsockopt(socket.SOL_SOCKET, SO_PASSCRED), 0, 'SO_PASSCRED')
    # A socket that was non-blocking stays so, when it is only passed on.
    server = tcp()
    client = socket.create_connection(server.getsockname())
    peer = accept(server)
    client.setblocking(False)
    here, there = socket.socketpair()
    passed = subprocess.run(at(client.fileno(), ['-F', 'fd://N']), pass_fds=[client.fileno()], stdin=subprocess.DEVNULL,
                            stdout=there, timeout=LIMIT)
    check(passed.returncode, 0)
    check(blocking(client), False, 'it is blocking now')


def fd_kind():
    peer, client = udp(), udp()
    client.connect(peer.getsockname())
    end(begin(client, '-b', '-q', '0', 'fd://N'), 0, b'')
    refused(client, b'--telnet', '-t', 'fd://N', status=2)
    one, two = socket.socketpair()
    refused(one, b'--broadcast', '-b', 'fd://N', status=2)
    refused(one, b'--ttl', '--ttl', '5', 'fd://N', status=2)
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    refused(one, b'--telnet', '-t', 'fd://N', status=2)


def fd_listen():
    server = tcp()
    server.setblocking(True)
    cat = begin(server, '-l', 'fd://N')
    client = socket.create_connection(server.getsockname())
    client.sendall(b'hello')
    client.shutdown(socket.SHUT_WR)
    out, err = end(cat, 0, b'world')
    check(out, b'hello')
    check(all_of(client), b'world')
    check(blocking(server), True, 'O_NONBLOCK was left on the listening socket')
    # It is still good for the next one.
    cat = begin(server, '-l', 'fd://N')
    client = socket.create_connection(server.getsockname())
    client.close()
    end(cat, 0, b'')


def fd_listen_signal():
    server = tcp()
    server.setblocking(True)
    cat = begin(server, '-l', '-v', 'fd://N')
    check(b'listening on' in cat.stderr.readline(), True)
    cat.send_signal(signal.SIGTERM)
    end(cat, -signal.SIGTERM)
    check(blocking(server), True, 'O_NONBLOCK was left on the listening socket')


def fd_listen_many():
    server = tcp()
    server.setblocking(True)
    cat = begin(server, '-l', '-k', '-d', 'fd://N')
    for word in b'one', b'two', b'three':
        client = socket.create_connection(server.getsockname())
        client.sendall(word)
        client.close()
        check(cat.stdout.read(len(word)), word)
    cat.send_signal(signal.SIGTERM)
    end(cat, -signal.SIGTERM)
    check(blocking(server), True, 'O_NONBLOCK was left on the listening socket')


def fd_listen_unix():
    server = unix()
    server.bind(T + '/socket')
    server.listen()
    cat = begin(server, '-l', 'fd://N')
    client = unix()
    client.connect(T + '/socket')
    client.sendall(b'hello')
    client.shutdown(socket.SHUT_WR)
    check(end(cat, 0, b'')[0], b'hello')
    check(os.path.exists(T + '/socket'), True, 'the path was removed')


def fd_listen_udp():
    server = udp()
    cat = begin(server, '-l', '-d', '-W', '1', 'fd://N')
    client = udp()
    client.sendto(b'hello', server.getsockname())
    check(end(cat)[0], b'hello')


def fd_listen_ready():
    server = tcp()
    ready, its = os.pipe()
    cat = subprocess.Popen([os.environ['SOCKCAT'], '-l', '-d', '--ready-fd', str(its), 'fd://%d' % server.fileno()],
                           pass_fds=[its, server.fileno()], stdin=subprocess.DEVNULL)
    os.close(its)
    check(os.read(ready, 100), b'%d\n' % server.getsockname()[1])
    socket.create_connection(server.getsockname()).close()
    check(cat.wait(LIMIT), 0)


def fd_wrong_kind():
    with open('/dev/null', 'rb') as file:
        refused(file, b'not a supported socket', 'fd://N')
        refused(file, b'not a supported socket', '-l', 'fd://N')
    ends = [os.fdopen(end) for end in os.pipe()]
    refused(ends[0], b'not a supported socket', 'fd://N')
    refused(ends[0], b'not a supported socket', '-l', 'fd://N')
    server = tcp()
    refused(server, b'the socket is listening; use -l', 'fd://N')
    refused(server, b'the socket is listening; use -l', '-z', 'fd://N')
    client = socket.create_connection(server.getsockname())
    refused(client, b'the socket is connected, which conflicts with -k', '-l', '-k', 'fd://N')
    # Neither connected nor listening.
    for sock in socket.socket(), udp(), unix(), unix(socket.SOCK_DGRAM):
        refused(sock, b'not connected|no peer', 'fd://N')
    for sock in socket.socket(), unix():
        refused(sock, b'is not listening', '-l', 'fd://N')
    refused(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0), b'not a supported socket', 'fd://N')


def fd_listen_connected_datagram():
    sock, other = udp(), udp()
    sock.connect(other.getsockname())
    refused(sock, b'descriptor|fd://', '-l', '--idle-timeout', '1', 'fd://N')


def fd_raw():
    try:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
    except PermissionError:
        sys.exit(77)
    sock.connect(('127.0.0.1', 7))
    refused(sock, b'not a supported socket', '--idle-timeout', '1', 'fd://N')


if __name__ == '__main__':
    main()
