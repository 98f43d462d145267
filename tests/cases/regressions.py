"""Defects of the past, each in the situation that showed it every time."""
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
import time

from drive import (
    accept, Cat, check, in_pipe, LIMIT, main, pour, raw_pty, reset, shim, shown, T, taken, tcp,
    tcp_sockets, to_end, udp, unix, until)


def into_pipe(*options):
    """A client, its peer, and the other end of its standard output."""
    listener = tcp()
    r, w = os.pipe()
    cat = Cat(*options, '127.0.0.1', str(listener.getsockname()[1]), stdin=subprocess.PIPE, stdout=w)
    os.close(w)
    return cat, accept(listener), r


def send_fails(cat, peer):
    """The peer resets the connection, and it fails to send."""
    ends = peer.getpeername()[1], peer.getsockname()[1]
    reset(peer)
    until(lambda: not tcp_sockets(*ends), 'the reset')
    cat.write(b'q')
    until(lambda: in_pipe(cat.process.stdin.fileno()) == 0, 'reading of the input')
    cat.rest()


def rst_after_fin(*options):
    cat, peer, r = into_pipe(*options)
    ends = peer.getpeername()[1], peer.getsockname()[1]
    peer.shutdown(socket.SHUT_WR)
    check(os.read(r, 1), b'')  # it knows of the peer's end
    cat.write(b'abc')
    until(lambda: len(peer.recv(3, socket.MSG_PEEK)) == 3, 'what it sends')
    cat.stop()
    peer.close()
    until(lambda: not tcp_sockets(*ends), 'the reset')  # a closed socket is not listed
    cat.process.stdin.close()
    cat.go()
    status = cat.process.wait(LIMIT)
    if status not in (55, 56):
        sys.exit('status %d, %s' % (status, cat.errors()))
    cat.fail(status, '(send to|receive from) 127.0.0.1:.*: ')


def reset_after_end_send_only():
    listener = tcp()
    cat = Cat('--send-only', '127.0.0.1', str(listener.getsockname()[1]), stdin=subprocess.PIPE)
    peer = accept(listener)
    ends = peer.getpeername()[1], peer.getsockname()[1]
    peer.shutdown(socket.SHUT_WR)
    until(lambda: [s for s, _ in tcp_sockets(*ends)] == [8], 'CLOSE_WAIT')
    for n in 1, 2:  # between the two, it has read the end
        cat.write(b'a')
        until(lambda: len(peer.recv(2, socket.MSG_PEEK)) == n, 'what it sends')
        cat.rest()
    cat.stop()
    peer.close()
    until(lambda: not tcp_sockets(*ends), 'the reset')
    cat.process.stdin.close()
    cat.go()
    status = cat.process.wait(LIMIT)
    if status not in (55, 56):
        sys.exit('status %d, %s' % (status, cat.errors()))


def udp_time_limit_status():
    cat = Cat('-u', '-l', '-k', '-w', '0.3', '--accept-timeout', '0.3', '127.0.0.1', '0', stdin=subprocess.PIPE)
    s = udp()
    s.sendto(b'one', cat.address())
    check(cat.end(28), b'one')


def unix_datagram_unanswerable():
    cat = Cat('-u', '-l', '-k', '--max-accepts', '2', '--idle-timeout', '1', '-U', T + '/s', stdin=subprocess.PIPE)
    cat.write(b'answer')
    unix(socket.SOCK_DGRAM).sendto(b'one', T + '/s')
    until(lambda: 'no address' in cat.errors(), 'the failure')
    peer = unix(socket.SOCK_DGRAM)
    peer.bind(T + '/peer')
    peer.sendto(b'two', T + '/s')
    check(cat.end(104), b'onetwo')


def reset_before_the_first_look():
    listener = tcp()
    cat = Cat('127.0.0.1', str(listener.getsockname()[1]), stdin=subprocess.PIPE, env=shim('poll:sleep=0.5:*'))
    peer = accept(listener)
    peer.sendall(b'go away\n')
    reset(peer)
    cat.fail(56, 'reset by peer')
    check(cat.output(), b'go away\n')


def slow_reader_after_failed_send():
    cat, peer, r = into_pipe('--no-splice', '-I', '1M')
    cat.write(b'a')
    check(peer.recv(1), b'a')  # the session has begun
    sent = pour(peer, 1440000)
    # All of it is in the other kernel, and more of it than the program and the pipe can hold.
    until(lambda: fcntl.ioctl(peer, termios.TIOCOUTQ, b'1234') == bytes(4), 'acknowledgement')
    until(lambda: tcp_sockets(peer.getpeername()[1], peer.getsockname()[1])[0][1] <= sent - 65536, 'reading')
    cat.rest()
    send_fails(cat, peer)
    time.sleep(1.3)  # longer than what is under way is given after a failure
    got = 0
    while part := os.read(r, 65536):
        got += len(part)
    check(got, sent)
    cat.fail(55, r'\(1 bytes sent, %d bytes received\)' % sent)


def idle_limit_unread_stdout():
    cat, peer, r = into_pipe('--idle-timeout', '0.3')
    pour(peer, 4000000)
    cat.fail(28, 'nothing moved')


def signal_after_failure():
    cat, peer, r = into_pipe()
    ends = peer.getpeername()[1], peer.getsockname()[1]
    cat.write(b'a')
    check(peer.recv(1), b'a')  # the session has begun
    unread = 0
    while unread < 65536:  # until all is full up to the socket, so that it sleeps and reads no more
        pour(peer, 1 << 20)
        cat.rest()
        unread = tcp_sockets(*ends)[0][1]
    send_fails(cat, peer)
    check(cat.process.poll(), None)
    cat.send(signal.SIGINT)
    cat.fail(55, 'send to')


def endless(*options):
    cat, peer, r = into_pipe(*options)
    peer.settimeout(None)
    def fire():
        try:
            while True:
                peer.sendall(b'x' * (1 << 24))
        except OSError:
            pass
    threading.Thread(target=fire, daemon=True).start()
    # As nothing is read, all is full up to the socket, and from here on it is never found empty.
    until(lambda: tcp_sockets(peer.getpeername()[1], peer.getsockname()[1])[0][1] > 65536, 'data that are not taken')
    cat.rest()
    cat.process.stdin.close()
    end = time.monotonic() + LIMIT
    while os.read(r, 8192):
        time.sleep(0.005)
        if time.monotonic() > end:
            sys.exit('it goes on and on')
    cat.end(0)


def pty_master_as_stdout():
    master, slave = raw_pty()
    listener = tcp()
    cat = Cat('-d', '127.0.0.1', str(listener.getsockname()[1]), stdout=master)
    peer = accept(listener)
    peer.sendall(b'through the master\n')
    peer.close()
    cat.end()
    check(shown(slave, b'through the master\n'), b'through the master\n')


def pty_master_as_stdin():
    master, slave = raw_pty()
    listener = tcp()
    cat = Cat('127.0.0.1', str(listener.getsockname()[1]), stdin=master)
    peer = accept(listener)
    os.write(slave, b'typed\n')
    check(peer.recv(100), b'typed\n')


def slow_terminal():
    master, slave = raw_pty()
    termios.tcflow(slave, termios.TCOOFF)  # it takes nothing
    listener = tcp()
    cat = Cat('-d', '127.0.0.1', str(listener.getsockname()[1]), stdout=slave)
    peer = accept(listener)
    peer.sendall(b'password: ')
    until(lambda: taken(peer), 'reading')
    cat.rest()
    termios.tcflow(slave, termios.TCOON)
    check(shown(master, b'password: '), b'password: ')
    peer.close()
    cat.end()


def one_socket_for_both():
    here, there = socket.socketpair()
    here.settimeout(LIMIT)
    listener = tcp()
    cat = Cat('127.0.0.1', str(listener.getsockname()[1]), stdin=there, stdout=there)
    there.close()
    peer = accept(listener)
    peer.sendall(b'reply')
    peer.shutdown(socket.SHUT_WR)
    check(to_end(here), b'reply')
    here.sendall(b'more')
    here.shutdown(socket.SHUT_WR)
    check(to_end(peer), b'more')
    cat.end()


def message_output(kind):
    here, there = socket.socketpair(socket.AF_UNIX, getattr(socket, kind))
    here.settimeout(LIMIT)
    listener = tcp()
    cat = Cat('127.0.0.1', str(listener.getsockname()[1]), stdout=there)
    there.close()
    peer = accept(listener)
    data = os.urandom(3000000)
    def feed():
        peer.sendall(data)
        peer.close()
    threading.Thread(target=feed, daemon=True).start()
    got = b''
    while len(got) < len(data) and (part := here.recv(1 << 20)):
        got += part
    cat.end()
    check(got == data, True, 'the same bytes')


def empty_datagram_to_stdout():
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    here.settimeout(LIMIT)
    s = udp()
    cat = Cat('-u', '-q', '0.1', '127.0.0.1', str(s.getsockname()[1]), stdin=subprocess.PIPE, stdout=there)
    cat.write(b'hello')
    data, client = s.recvfrom(10)
    for message in b'one', b'', b'two':
        s.sendto(message, client)
    check([here.recv(10) for _ in range(3)], [b'one', b'', b'two'])
    cat.process.stdin.close()
    cat.end()


def seqpacket_stdin_options():
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener = tcp()
    for before in 0, 1:
        there.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, before)
        cat = Cat('127.0.0.1', str(listener.getsockname()[1]), stdin=there)
        peer = accept(listener)
        here.send(b'message')
        check(peer.recv(100), b'message')
        cat.send(signal.SIGTERM)
        cat.end(-signal.SIGTERM)
        check(there.getsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED), before)


def full_stderr(port):
    for attempt in range(10):
        r, w = os.pipe()
        fcntl.fcntl(w, 1031, 4096)  # F_SETPIPE_SZ: one page, of which a part is used
        os.write(w, b'z')
        began = time.monotonic()
        cat = subprocess.Popen([os.environ['SOCKCAT'], '127.0.0.1', port], stdin=subprocess.DEVNULL,
                               stderr=w)
        os.close(w)
        def waits():
            with open('/proc/%d/stat' % cat.pid) as file:
                return file.read().rpartition(')')[2].split()[0] in 'SZ'
        # A new process may sleep for other reasons: it has to be seen asleep for long.
        seen = 0
        while seen < 20:
            seen = seen + 1 if waits() else 0
            time.sleep(0.005)
        os.read(r, 1)
        late = time.monotonic() - began > 0.8  # it waits a second; a machine so slow gets another go
        check(cat.wait(LIMIT), 7)
        text = os.read(r, 4096)
        os.close(r)
        if text or not late:
            break
    if not re.search(rb'^sockcat: connect .*refused\n$', text):
        sys.exit('the message: %r' % text)


def kernel_drops_at_the_end():
    s = udp()
    cat = Cat('-v', '-u', '-q', '0.3', '127.0.0.1', str(s.getsockname()[1]), stdin=subprocess.PIPE)
    cat.write(b'hello')
    data, client = s.recvfrom(10)
    cat.stop()
    for _ in range(3000):
        s.sendto(b'y' * 1000, client)
    cat.go()
    cat.process.stdin.close()
    arrived = len(cat.end()) // 1000
    dropped = re.findall(r'(\d+)[a-z ]* dropped', cat.errors())
    check(dropped, [str(3000 - arrived)])


def udp_port_not_shared():
    server = udp()
    where = '127.0.0.1', str(server.getsockname()[1])
    # It would share its port with others that would share it, too.
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(('127.0.0.1', 0))
    cat = Cat('-u', '-s', '127.0.0.1', '-p', str(s.getsockname()[1]), *where, stdin=subprocess.PIPE)
    cat.fail(45, 'bind 127.0.0.1:.*in use')


def strangers_at_the_end():
    cat = Cat('-u', '-l', '--until=stdin', '127.0.0.1', '0', stdin=subprocess.PIPE)
    peer, stranger = udp(), udp()
    peer.sendto(b'one ', cat.address())
    cat.await_output(b'one ')
    cat.stop()
    for word in b'two ', b'three ', b'four':
        for _ in range(20):
            stranger.sendto(b'noise', cat.address())
        peer.sendto(word, cat.address())
    cat.process.stdin.write(b'bye')
    cat.process.stdin.close()
    cat.go()
    check(cat.end(), b'one two three four')
    check(peer.recv(10), b'bye')


def asked_address(*options):
    cat = Cat('-u', '-l', *options, '0', stdin=subprocess.PIPE)
    s = udp()
    s.connect(('127.0.0.7', int(cat.where)))
    s.send(b'question')
    cat.await_output(b'question')
    cat.write(b'answer')
    check(s.recv(100), b'answer')


def stdin_ends_after_unix_peer():
    listener = unix(name=T + '/s')
    listener.listen(1)
    r, w = os.pipe()
    cat = Cat('-U', T + '/s', stdin=subprocess.PIPE, stdout=w)
    os.close(w)
    cat.write(b'q')
    peer = accept(listener)
    check(peer.recv(10), b'q')
    peer.sendall(b'answer')
    peer.close()
    check([os.read(r, 10), os.read(r, 10)], [b'answer', b''])  # it has seen the end
    cat.rest()
    cat.process.stdin.close()
    cat.end(0)


def stdin_data_after_unix_peer():
    listener = unix(name=T + '/s')
    listener.listen(1)
    r, w = os.pipe()
    cat = Cat('-U', T + '/s', stdin=subprocess.PIPE, stdout=w)
    os.close(w)
    peer = accept(listener)
    peer.sendall(b'answer')
    peer.close()
    check([os.read(r, 10), os.read(r, 10)], [b'answer', b''])
    cat.rest()
    cat.process.stdin.write(b'q')
    cat.process.stdin.close()
    cat.fail(55, 'Broken pipe')


def unix_path_from_s():
    cat = Cat('-l', '-U', '-s', T + '/s')
    check(cat.where, T + '/s')
    s = unix()
    s.connect(T + '/s')
    s.sendall(b'hello')
    s.close()
    check(cat.end(0), b'hello')


def urgent_byte():
    listener = tcp()
    cat = Cat('127.0.0.1', str(listener.getsockname()[1]))
    peer = accept(listener)
    peer.sendall(b'ab')
    peer.send(b'X', socket.MSG_OOB)
    peer.sendall(b'cd')
    peer.close()
    check(cat.end(), b'abXcd')


def urgent_byte_early():
    cat = Cat('-l', '127.0.0.1', '0')
    cat.stop()
    peer = socket.create_connection(cat.address())
    peer.sendall(b'ab')
    peer.send(b'X', socket.MSG_OOB)
    peer.sendall(b'cd')
    peer.close()
    cat.go()
    check(cat.end(), b'abXcd')


def idle_limit_message():
    listener = tcp()
    cat = Cat('--idle-timeout', '0.2', '127.0.0.1', str(listener.getsockname()[1]), stdin=subprocess.PIPE)
    peer = accept(listener)
    cat.fail(28, 'nothing moved for 200 ms')
    check(bool(re.search(r'^sockcat: [a-z ]+ 127\.0\.0\.1:\d+: nothing', cat.errors())), True, cat.errors())


def sigusr1_many_counts():
    cat = Cat('-u', '-l', '127.0.0.1', '0', stdin=subprocess.PIPE)
    peer, stranger = udp(), udp()
    peer.sendto(b'one', cat.address())
    cat.await_output(b'one')
    for _ in range(3):
        stranger.sendto(b'noise', cat.address())
    peer.sendto(b'two', cat.address())
    cat.await_output(b'onetwo')
    before = cat.errors()
    cat.send(signal.SIGUSR1)
    until(lambda: '\n' in cat.errors()[len(before):], 'the line')
    peer.sendto(b'three', cat.address())
    cat.await_output(b'onetwothree')  # it is through with the signal
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    lines = cat.errors()[len(before):].splitlines()
    check(len(lines), 1, repr(lines))
    check(bool(re.search(r'6 bytes received.*3 datagrams from other peers', lines[0])), True, lines[0])


def sigusr1_connecting():
    listener = tcp(0)
    waiting = socket.create_connection(listener.getsockname())  # there is room for no other
    cat = Cat('127.0.0.1', str(listener.getsockname()[1]), stdin=subprocess.PIPE)
    until(lambda: 2 in [s for s, _ in tcp_sockets(remote=listener.getsockname()[1])], 'SYN_SENT')
    cat.rest()
    cat.send(signal.SIGUSR1)
    until(lambda: cat.errors().endswith('\n'), 'the line')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    lines = cat.errors().splitlines()
    check(len(lines), 1, repr(lines))
    check(bool(re.search('^sockcat: .*127.0.0.1:', lines[0])), True, lines[0])


if __name__ == '__main__':
    main()
