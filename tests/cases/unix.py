"""Unix sockets: paths that are taken, names, descriptors that are passed, and messages."""
import os
import re
import signal
import socket
import subprocess
import sys
import time

from drive import Cat, check, LIMIT, main, T, udp, unix, until


def live_listener():
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
        path = '%s/%d' % (T, kind)
        live = unix(kind, path)
        if kind != socket.SOCK_DGRAM:
            live.listen(1)
        inode = os.stat(path).st_ino
        for options in ([], ['--seqpacket'], ['-u']):
            # Not by Cat(): there is no ready line.
            got = subprocess.run([os.environ['SOCKCAT'], '-l', '-U', path] + options, timeout=LIMIT,
                                 stdin=subprocess.DEVNULL, capture_output=True)
            check(got.returncode, 101, got.stderr)
            check(got.stderr, b'sockcat: listen %s: Address already in use\n' % path.encode())
        check(os.stat(path).st_ino, inode)
        live.settimeout(0)
        try:
            sys.exit('it was noticed: %r' % (live.accept() if kind != socket.SOCK_DGRAM else live.recv(9),))
        except BlockingIOError:
            pass
        # The queue of the listener has room for its own clients.
        live.settimeout(LIMIT)
        client = unix(kind)
        client.connect(path)
        client.send(b'hello')
        conn = live if kind == socket.SOCK_DGRAM else live.accept()[0]
        check(conn.recv(10), b'hello')


def bound_not_listening():
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        path = '%s/%d' % (T, kind)
        early = unix(kind, path)
        inode = os.stat(path).st_ino
        got = subprocess.run([os.environ['SOCKCAT'], '-l', '-U', path], timeout=LIMIT,
                             stdin=subprocess.DEVNULL, capture_output=True)
        check(got.returncode, 101, got.stderr)
        check(os.stat(path).st_ino, inode)


def connected_datagram_socket():
    one, two = unix(socket.SOCK_DGRAM, T + '/one'), unix(socket.SOCK_DGRAM, T + '/two')
    one.connect(T + '/two')
    got = subprocess.run([os.environ['SOCKCAT'], '-l', '-u', '-U', T + '/one'], timeout=LIMIT,
                         stdin=subprocess.DEVNULL, capture_output=True)
    check(got.returncode, 101, got.stderr)
    two.sendto(b'hello', T + '/one')
    check(one.recv(10), b'hello')


def full_queue():
    path = T + '/socket'
    live = unix(name=path)
    live.listen(0)
    waiting = []
    try:
        for _ in range(10):
            waiting.append(unix())
            waiting[-1].setblocking(False)
            waiting[-1].connect(path)
    except BlockingIOError:
        pass
    inode = os.stat(path).st_ino
    got = subprocess.run([os.environ['SOCKCAT'], '-l', '-U', path], timeout=LIMIT,
                         stdin=subprocess.DEVNULL, capture_output=True)
    check(got.returncode, 101, got.stderr)
    check(os.stat(path).st_ino, inode)


def dead_socket_race():
    for _ in range(15):
        path = T + '/socket'
        unix(name=path).close()
        pipes = [os.pipe() for _ in range(4)]
        many = [subprocess.Popen([os.environ['SOCKCAT'], '-l', '--ready-fd', str(w), '-U', path],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, pass_fds=[w]) for _, w in pipes]
        for _, w in pipes:
            os.close(w)
        lines = [open(r, 'rb').read() for r, _ in pipes]
        check(sorted(lines), [b'', b'', b'', path.encode() + b'\n'])
        client = unix()
        client.connect(path)
        client.shutdown(socket.SHUT_WR)
        check(sorted(p.wait(LIMIT) for p in many), [0, 101, 101, 101])
        errors = [p.stderr.read().decode() for p in many]
        check(sorted(errors), [''] + ['sockcat: listen %s: Address already in use\n' % path] * 3)
        check(os.path.exists(path), False)
    check([name for name in os.listdir(T) if name.startswith('socket')], [])


def swapped_during():
    path = T + '/socket'
    unix(name=path).close()
    with open(T + '/precious', 'w') as file:
        file.write('precious')
    inode = os.stat(T + '/precious').st_ino
    p = subprocess.Popen([os.environ['SOCKCAT'], '-l', '-U', path], stdin=subprocess.DEVNULL,
                         stderr=subprocess.PIPE)
    def asleep():
        """The shim sleeps in nanosleep (35 or 230), right in front of the call."""
        with open('/proc/%d/syscall' % p.pid) as file:
            return file.read().split()[0] in ('35', '230')
    until(asleep, 'the delayed call')
    os.rename(T + '/precious', path)
    check(p.wait(LIMIT), 101, p.stderr.read())
    check(os.stat(path).st_ino, inode)
    with open(path) as file:
        check(file.read(), 'precious')
    check([name for name in os.listdir(T) if name.startswith('socket')], ['socket'])


def file_after_bind():
    path = T + '/socket'
    with open(T + '/precious', 'w') as file:
        file.write('precious')
    inode = os.stat(T + '/precious').st_ino
    # The ready line cannot be written, so that it ends, and cleans up, by itself.
    p = subprocess.Popen(['strace', '-f', '-o', T + '/trace', '-e', 'trace=bind',
                          '-e', 'inject=bind:delay_exit=1000000', os.environ['SOCKCAT'], '-l', '-U',
                          '--ready-fd', '0', path], stdin=open('/dev/null', 'rb'),
                         stderr=subprocess.PIPE, env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
    until(lambda: os.path.exists(path) or p.poll() is not None, 'the socket')
    if not os.path.exists(path):
        sys.exit(77)
    os.rename(T + '/precious', path)
    check(p.wait(LIMIT), 23, p.stderr.read())
    check(os.stat(path).st_ino if os.path.exists(path) else 'removed', inode)


def path_swapped():
    # One process swaps what is at the path: a dead socket, then by rename a file, which it takes away
    # again. Meanwhile listeners start there, one after the other, and end at once, because their ready
    # line cannot be written: both removals, of a dead socket and of one's own, meet the swaps.
    path, spare, dead, halt = (T + '/' + name for name in ('socket', 'spare', 'dead', 'halt'))
    ROUNDS, SECONDS = 3000, 12
    swapper = os.fork()
    if swapper == 0:
        lost = swaps = 0
        try:
            # Each file is held open, so that its link count can be asked wherever it has gone.
            held = os.open(spare, os.O_RDWR | os.O_CREAT, 0o600)
            while not os.path.exists(halt):
                swaps += 1
                unix(name=dead).close()
                os.rename(dead, path)
                os.rename(spare, path)
                if os.fstat(held).st_nlink == 0:
                    lost += 1
                    break
                try:
                    os.rename(path, spare)
                except FileNotFoundError:
                    pass
                try:
                    if os.stat(spare).st_ino == os.fstat(held).st_ino:
                        continue
                    os.unlink(spare)
                except FileNotFoundError:
                    pass
                # Taken away for a moment, it goes back; or somewhere, but never away.
                for _ in range(400):
                    found = [T + '/' + name for name in os.listdir(T) if name.startswith('socket')]
                    found = [name for name in found if os.path.lexists(name) and
                             os.lstat(name).st_ino == os.fstat(held).st_ino]
                    if found or os.fstat(held).st_nlink == 0:
                        break
                    time.sleep(0.001)
                if os.fstat(held).st_nlink == 0:
                    lost += 1
                    break
                os.close(held)
                held = os.open(spare, os.O_RDWR | os.O_CREAT, 0o600)
            with open(T + '/swaps', 'w') as file:
                file.write('%d %d' % (swaps, lost))
        finally:
            os._exit(0)
    ends, rounds = {}, 0
    stop = time.monotonic() + SECONDS
    null = os.open('/dev/null', os.O_RDONLY)
    while rounds < ROUNDS and time.monotonic() < stop and not os.path.exists(T + '/swaps'):
        rounds += 1
        pid = os.posix_spawn(os.environ['SOCKCAT'], ['sockcat', '-l', '-U', '--ready-fd', '0', path],
                             os.environ, file_actions=[
                                 (os.POSIX_SPAWN_DUP2, null, 0),
                                 (os.POSIX_SPAWN_OPEN, 2, T + '/race.err', os.O_WRONLY | os.O_CREAT, 0o600)])
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        ends[status] = ends.get(status, 0) + 1
    open(halt, 'w').close()
    os.waitpid(swapper, 0)
    with open(T + '/swaps') as file:
        swaps, lost = map(int, file.read().split())
    print('%d listeners %r, %d swaps' % (rounds, ends, swaps))
    check(lost, 0, 'files that were removed')
    check(set(ends) - {23, 101}, set(), 'unexpected statuses')
    if swaps < 1000 or not {23, 101} <= set(ends):
        sys.exit('that was no race')


def abstract_escaped():
    for kind, option in ((socket.SOCK_STREAM, '-v'), (socket.SOCK_DGRAM, '-u')):
        cat = Cat('-l', '-U', '-v', option, '-q', '0.1', T + '/%d' % kind)
        peer = socket.socket(socket.AF_UNIX, kind)
        peer.bind(b'\0a\0b\x1b[31m\nsockcat: lie\r\x7f\x9b\xe2\x80\xae' + os.urandom(4).hex().encode())
        peer.connect(cat.where)
        peer.send(b'x')
        peer.close()
        cat.end()
        with open(cat.err, 'rb') as file:
            text = file.read()
        if re.search(rb'[\x00-\x09\x0b-\x1f\x7f-\xff]', text):
            sys.exit('raw bytes: %r' % text)
        if not re.search(rb'\nsockcat: (\[1\] )?connection from @a@b\^\[\[31m\^Jsockcat: lie\^M\^\?\\x9b\\u202e', text):
            sys.exit('not as it should be: %r' % text)
        for line in text.splitlines():
            if not re.match(rb'sockcat: (\[1\] )?(listening |connection |closed |from |@a@b.*: half-closed )', line):
                sys.exit('an event of more than one line: %r' % text)


def abstract_longest():
    cat = Cat('-l', '-U', '-v', T + '/socket')
    name = (b'x\0' * 45 + os.urandom(8).hex().encode()).ljust(107, b'\0')
    peer = socket.socket(socket.AF_UNIX)
    peer.bind(b'\0' + name)
    peer.connect(cat.where)
    peer.close()
    cat.end()
    shown = '@' + name.replace(b'\0', b'@').decode()
    if 'connection from %s, uid %d, gid %d, pid %d\n' % (shown, os.geteuid(), os.getegid(),
                                                         os.getpid()) not in cat.errors():
        sys.exit('not shown: ' + cat.errors())


def removed_on_signal(name, *options):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    cat = Cat('-l', '-U', *options)
    number = getattr(signal, 'SIG' + name)
    cat.send(number)
    cat.end(-number)
    check(os.listdir(T).count('socket'), 0)
    check(cat.errors(), '')


def passes_descriptors(arg1, *rest):
    kind = getattr(socket, arg1)
    cat = Cat('-l', '-U', *rest, T + '/socket')
    peer = unix(kind)
    peer.connect(cat.where)
    peer.send(b'first')
    cat.await_output(b'first')
    before, fds = cat.descriptors(), [os.open('/dev/null', os.O_RDONLY) for _ in range(253)]
    wanted = b'first'
    for i in range(100):
        socket.send_fds(peer, [b'.%d' % i], fds)
        wanted += b'.%d' % i
    cat.await_output(wanted)
    check(cat.descriptors(), before)
    peer.close()
    cat.send(signal.SIGTERM)
    cat.process.wait(LIMIT)
    check(cat.errors(), '')


def descriptors_from_server():
    server = unix(name=T + '/socket')
    server.listen(1)
    cat = Cat('-U', T + '/socket', stdin=subprocess.PIPE)
    conn, _ = server.accept()
    conn.sendall(b'first')
    cat.await_output(b'first')
    before, wanted = cat.descriptors(), b'first'
    for i in range(100):
        socket.send_fds(conn, [b'.'], [conn.fileno()] * 100)
        wanted += b'.'
    cat.await_output(wanted)
    check(cat.descriptors(), before)


def descriptors_from_stdin():
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
        mine, yours = socket.socketpair(socket.AF_UNIX, kind)
        sink = udp()
        cat = Cat('-u', '127.0.0.1', str(sink.getsockname()[1]), stdin=yours)
        mine.send(b'first')
        sink.recv(100)
        before = cat.descriptors()
        for _ in range(20):
            socket.send_fds(mine, [b'.'], [sink.fileno()] * 200)
            check(sink.recv(100), b'.')
        check(cat.descriptors(), before, str(kind))
        cat.process.kill()
        cat.process.wait()


def seqpacket_boundaries():
    mine, yours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mine.settimeout(LIMIT)
    cat = Cat('-l', '-U', '--seqpacket', T + '/socket', stdin=yours, stdout=yours)
    yours.close()
    peer = unix(socket.SOCK_SEQPACKET)
    peer.connect(cat.where)
    sizes = (1, 5000, 2, 60000, 3)
    messages = [os.urandom(size) for size in sizes]
    for message in messages:
        mine.send(message)
        if peer.recv(1 << 17) != message:
            sys.exit('a message of %d bytes changed on its way out' % len(message))
        peer.send(message)
        if mine.recv(1 << 17) != message:
            sys.exit('a message of %d bytes changed on its way in' % len(message))
    mine.send(b'')
    mine.send(b'end')
    check([peer.recvmsg(10)[0] for _ in range(2)], [b'', b'end'])
    mine.shutdown(socket.SHUT_WR)
    check(peer.recv(10), b'')
    peer.close()
    cat.end()


def beyond_buffer():
    for kind, option in ((socket.SOCK_SEQPACKET, '--seqpacket'), (socket.SOCK_DGRAM, '-u')):
        cat = Cat('-l', '-U', option, T + '/%d' % kind)
        peer = unix(kind)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        peer.connect(cat.where)
        peer.send(b'before')
        peer.send(bytes(300000))
        cat.fail(18, 'longer than')
        check(cat.output(), b'before')


def unnamed_sender():
    cat = Cat('-l', '-U', '-u', T + '/socket', stdin=subprocess.PIPE)
    unix(socket.SOCK_DGRAM).sendto(b'hello', cat.where)
    cat.await_output(b'hello')
    cat.process.stdin.write(b'answer')
    cat.process.stdin.close()
    cat.fail(55, 'the peer has no address to answer to')
    check(cat.output(), b'hello')


def full_receiver():
    server = unix(socket.SOCK_DGRAM, T + '/server')
    mine, yours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    cat = Cat('-U', '-u', '-q', '0.1', T + '/server', stdin=yours)
    yours.close()
    mine.settimeout(0.3)  # until it is stuck: the queues of both sockets are full
    sent = 0
    try:
        while sent < 20000:
            mine.send(b'%d' % sent)
            sent += 1
    except socket.timeout:
        pass
    if sent in (0, 20000):
        sys.exit('nothing was ever full')
    got = [server.recv(100) for _ in range(sent)]
    check(got, [b'%d' % i for i in range(sent)])
    mine.close()
    cat.end()


if __name__ == '__main__':
    main()
