"""Sockets that a service manager passes, inetd, and the end of a service at SIGTERM, with --grace."""
import atexit
import fcntl
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading

from drive import (
    blocking, Cat, check, dial, end, LIMIT, main, refusal, reset, shown, T, to_end, udp, unix, until,
    waits)


SOCKCAT = os.environ['SOCKCAT']
CLOSED = None

# What is started in between: it moves them to their places, and becomes the program.
BETWEEN = '''
import os, sys
moves, process, *command = sys.argv[1:]
for move in moves.split():
    at, to = map(int, move.split(':'))
    os.dup2(at, to)
    os.close(at)
os.environ['LISTEN_PID'] = str(os.getpid()) if process == 'own' else process
os.execv(command[0], command)
'''


def activate(things, *words, names=None, count=None, process='own'):
    """Run sockcat with these as descriptors 3 and up, as a service manager would."""
    moved = {3 + i: fcntl.fcntl(thing, fcntl.F_DUPFD, 100) for i, thing in enumerate(things) if thing is not CLOSED}
    moves = ' '.join('%d:%d' % (at, to) for to, at in moved.items())
    env = dict(os.environ, LISTEN_FDS=str(len(things) if count is None else count))
    if names is not None:
        env['LISTEN_FDNAMES'] = names
    cat = subprocess.Popen([sys.executable, '-c', BETWEEN, moves, process, SOCKCAT] + list(words), env=env,
                           pass_fds=moved.values(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
    for at in moved.values():
        os.close(at)
    atexit.register(cat.kill)
    return cat


def refused(status, pattern, things, *words, **more):
    refusal(activate(things, *words, **more), status, pattern, words)


def listener(where=None, kind=socket.SOCK_STREAM):
    """A socket that a manager passes: it blocks."""
    s = socket.socket(socket.AF_UNIX if where else socket.AF_INET, kind)
    s.bind(where or ('127.0.0.1', 0))
    if kind != socket.SOCK_DGRAM:
        s.listen()
    return s


def call(server):
    client = socket.socket(server.family, server.type)
    client.settimeout(LIMIT)
    client.connect(server.getsockname())
    return client


def ask(server, data):
    """What an echo service answers."""
    client = call(server)
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)
    return to_end(client)


served, faults, over = [], [], threading.Event()


def come(where):
    while not over.is_set():
        word = b'%d' % len(served) * 1000
        try:
            with socket.create_connection(where, LIMIT) as client:
                client.sendall(word)
                client.shutdown(socket.SHUT_WR)
                check(to_end(client), word)
        except (OSError, SystemExit) as fault:
            faults.append(str(fault))
            return
        served.append(word)


def start_clients(where):
    """Clients that come one after the other, four at a time, until leave; each has to be served."""
    for _ in range(4):
        threading.Thread(target=come, args=(where,), daemon=True).start()


def await_more(n):
    wanted = len(served) + n
    until(lambda: faults or len(served) >= wanted, '%d more clients, after %d' % (n, len(served)))


def leave():
    over.set()
    until(lambda: faults or threading.active_count() == 1, 'the last client')
    check(faults, [])


def one_client():
    server = listener()
    for word in b'one', b'two':
        cat = activate([server], '-l')
        client = call(server)
        client.sendall(word)
        client.shutdown(socket.SHUT_WR)
        check(end(cat, 0, b'answer'), (word, b''))
        check(to_end(client), b'answer')
        check(blocking(server), True, 'O_NONBLOCK was left on it')


def many_sockets():
    servers = [listener() for _ in range(64)]
    cat = activate(servers, '-lkv', '--echo')
    for server in servers:
        check(ask(server, b'hello'), b'hello')
    cat.send_signal(signal.SIGTERM)
    out, err = end(cat, -signal.SIGTERM)
    for server in servers:
        check(b'listening on 127.0.0.1:%d\n' % server.getsockname()[1] in err, True, repr(err))
        check(blocking(server), True, 'O_NONBLOCK was left on it')


def both_families():
    six = socket.socket(socket.AF_INET6)
    six.bind(('::1', 0))
    six.listen()
    servers = [listener(), six]
    cat = activate(servers, '-lk', '--echo')
    for server in servers:
        check(ask(server, b'hello'), b'hello')


def unix_sockets():
    for kind in socket.SOCK_STREAM, socket.SOCK_SEQPACKET:
        path = '%s/%d' % (T, kind)
        server = listener(path, kind)
        cat = activate([server], '-l', '--echo')
        client = call(server)
        client.sendall(b'hello')
        check(client.recv(100), b'hello')
        client.close()
        end(cat)
        check(os.path.exists(path), True, 'the path was removed')


def datagram_sockets():
    for where in None, T + '/socket':
        server = listener(where, socket.SOCK_DGRAM)
        cat = activate([server], '-l', '-d', '-W', '1')
        call(server).send(b'hello')
        check(end(cat)[0], b'hello')


def datagram_burst():
    servers = [listener(None, socket.SOCK_DGRAM) for _ in range(2)]
    peer = udp()
    for server in servers * 3:
        peer.sendto(bytes(2000), server.getsockname())
    end(activate(servers, '-lk', '--echo', '--queue', '1k', '--idle-timeout', '0.5', '--max-accepts', '1'))
    check([len(peer.recv(9999)) for _ in range(6)], [2000] * 6)


def ready_line():
    server = listener()
    cat = activate([server], '-l', '--echo', '--ready-fd', '1')
    check(cat.stdout.readline(), b'%d\n' % server.getsockname()[1])
    check(ask(server, b'hello'), b'hello')


def not_a_listener():
    good = listener()
    with open(T + '/file', 'w+') as file:
        refused(101, b'descriptor 3: not a supported socket', [file], '-l')
        refused(101, b'descriptor 4: not a supported socket', [good, file], '-lk')
    ends = [os.fdopen(fd) for fd in os.pipe()]
    refused(101, b'descriptor 3: not a supported socket', [ends[0]], '-l')
    refused(101, b'descriptor 3: Bad file descriptor', [CLOSED], '-l')
    refused(101, b'descriptor 5: Bad file descriptor', [good, good], '-l', count=3)
    for thing in socket.socket(), unix():
        refused(101, b'descriptor 4: the socket is not listening', [good, thing], '-lk', '--echo')
    for thing in socket.socket(type=socket.SOCK_DGRAM), unix(socket.SOCK_DGRAM):
        refused(101, b'descriptor 3: the socket is not bound', [thing], '-l')
    peer, thing = udp(), udp()
    thing.connect(peer.getsockname())
    refused(101, b'descriptor 3: the socket is connected', [thing], '-l')


def mixed_kinds():
    first = listener()
    for other in listener(T + '/socket'), listener(None, socket.SOCK_DGRAM), listener(T + '/packets',
            socket.SOCK_SEQPACKET):
        refused(101, b'descriptor 5: another kind of socket than descriptor 3', [first, first, other], '-lk')


def bad_count():
    for count in 'x', '-1', '', '65', '3x', '99999999999999999999':
        refused(101, b"invalid LISTEN_FDS '%s': expected a number from 1 to 64" % count.encode(), [listener()], '-l',
                count=count)


def count_zero():
    for count in '0', '00', '000', '0' * 300:
        refused(2, b'missing port', [], '-l', count=count)
        refused(3, b"port 'cat'", [], '-lk', '--', 'cat', count=count)
        refused(3, b"fd://web': expected a descriptor", [], '-l', 'fd://web', count=count, names='web')
        refused(3, b"fd://web': expected a descriptor", [], 'fd://web', count=count, names='web')


def count_spellings():
    server = listener()
    cat = activate([server], '-l', '--echo', count='0001')
    check(ask(server, b'hello'), b'hello')
    end(cat)
    for count in '+1', ' 1', '1 ', '0x1', '+0', '-0', ' 0', '18446744073709551616', '18446744073709551617':
        refused(101, rb"invalid LISTEN_FDS '%s': expected a number from 1 to 64" % re.escape(count).encode(),
                [listener()], '-l', count=count)
    for process in '+1', ' 1', '0', '00', '4294967297':
        refused(2, b'missing port', [listener()], '-l', process=process)


def other_process():
    refused(2, b'missing port', [], '-l', count=0)
    for process in '1', '', 'x', '99999999999':
        refused(2, b'missing port', [listener()], '-l', process=process)


def endpoint_given():
    passed = listener()
    cat = activate([passed], '-l', '--ready-fd', '1', '--echo', '127.0.0.1', '0')
    port = int(cat.stdout.readline())
    check(port != passed.getsockname()[1], True, 'it was taken')
    with socket.create_connection(('127.0.0.1', port), LIMIT) as client:
        client.shutdown(socket.SHUT_WR)
        check(to_end(client), b'')
    check(b'listening on' in end(cat)[1], True)
    cat = activate([passed], '-lp', '0', '--ready-fd', '1', '--echo')
    check(int(cat.stdout.readline()) != passed.getsockname()[1], True, 'it was taken')
    refused(2, b'missing port', [passed], '-l', '-s', '127.0.0.1')
    with open('/dev/null') as file:
        refused(101, b'cannot assign|Cannot assign', [file], '-l', '192.0.2.1', '0')


def listen_options():
    for words in ['-4'], ['-u'], ['-U'], ['--seqpacket', '-U']:
        refused(2, b'LISTEN_FDS.*conflicts with --', [listener()], '-l', *words)
    # They count as what they are.
    refused(2, b'--max-conns-per-host', [listener(T + '/socket')], '-lk', '--max-conns-per-host', '1')
    refused(2, b'--telnet', [listener(None, socket.SOCK_DGRAM)], '-lt')


def fd_name():
    servers = [listener(), listener(T + '/socket'), listener()]
    cat = activate(servers, '-lk', '--echo', 'fd://web', names='web:local:web')
    for server in servers[0], servers[2]:
        check(ask(server, b'hello'), b'hello')
    cat.kill()
    cat.communicate()
    cat = activate(servers, '-lk', '--echo', 'fd://local', names='web:local:web')
    check(ask(servers[1], b'hello'), b'hello')


def fd_name_checked():
    good = listener()
    with open('/dev/null') as file:
        refused(101, b'descriptor 4: not a supported socket', [good, file], '-l', 'fd://b', names='a:b')
        end(activate([good, file], '-l', '--accept-timeout', '1ms', 'fd://a', names='a:b'), 28)


def fd_name_unknown():
    good = listener()
    for names in None, '', 'a', ':', 'webx', 'we', 'other:names', ':web':
        refused(3, b"fd://web': expected a descriptor", [good], '-l', 'fd://web', names=names)
    refused(3, b'name in LISTEN_FDNAMES', [good], '-l', 'fd://web', names='web', process='1')
    refused(3, b'name in LISTEN_FDNAMES', [good], '-l', 'fd://', names='')


def fd_number_wins():
    servers = [listener(), listener()]
    cat = activate(servers, '-l', '--echo', 'fd://3', names='x:3')
    check(ask(servers[0], b'hello'), b'hello')
    end(cat)
    refused(3, b"fd://7': Bad file descriptor", servers, '-l', 'fd://7', names='7:x')


def fd_name_connection():
    ours, its = socket.socketpair()
    cat = activate([its], 'fd://connection', names='connection')
    its.close()
    ours.sendall(b'hello')
    ours.shutdown(socket.SHUT_WR)
    check(end(cat, 0, b'world'), (b'hello', b''))
    check(to_end(ours), b'world')
    ours, its = socket.socketpair()
    refused(3, b"fd://x': 2 descriptors have this name", [its, its], 'fd://x', names='x:x')
    refused(3, b'the socket is listening; use -l', [listener()], 'fd://x', names='x')


def program_environment():
    show = 'env | grep -a ^LISTEN_; ls -l /proc/self/fd | grep -c socket; true'
    server = listener()
    cat = activate([server, server], '-l', '--keep-env', '-c', show, names='a:b')
    client = call(server)
    client.shutdown(socket.SHUT_WR)
    check(to_end(client).splitlines()[-1:], [b'0'])
    end(cat)
    # Not even where it is not used, and the variables are for another process.
    for process in 'own', '1':
        cat = activate([server], '--ready-fd', '1', '--keep-env', '-c', 'env', '-l', '127.0.0.1', '0', process=process)
        client = socket.create_connection(('127.0.0.1', int(cat.stdout.readline())), LIMIT)
        client.shutdown(socket.SHUT_WR)
        got = to_end(client)
        check((b'PATH=' in got, b'LISTEN_' in got), (True, False), repr(got))


def program_for_clients():
    server = listener()
    cat = activate([server], '-lk', '--', 'tr', 'a-z', 'A-Z')
    for _ in range(2):
        check(ask(server, b'hello'), b'HELLO')


def fd_0():
    ours, its = socket.socketpair()
    cat = subprocess.Popen([SOCKCAT, 'fd://0', '--echo'], stdin=its, stdout=its, stderr=its)
    its.close()
    ours.settimeout(LIMIT)
    ours.sendall(b'hello')
    check(ours.recv(100), b'hello')
    def opened(n): return os.readlink('/proc/%d/fd/%d' % (cat.pid, n))
    check([opened(n) for n in range(3)], ['/dev/null'] * 3)
    sockets = [int(n) for n in os.listdir('/proc/%d/fd' % cat.pid) if opened(int(n)).startswith('socket:')]
    check(len(sockets), 1)
    with open('/proc/%d/fdinfo/%d' % (cat.pid, sockets[0])) as info:
        flags = int(re.search(r'flags:\s*(\d+)', info.read())[1], 8)
    check(flags & os.O_CLOEXEC != 0, True, 'it is not close-on-exec')
    ours.close()
    check(cat.wait(LIMIT), 0)


def fd_0_other_outputs():
    ours, its = socket.socketpair()
    cat = subprocess.Popen([SOCKCAT, '-v', 'fd://0', '-c', 'cat; echo told >&2'], stdin=its, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
    its.close()
    ours.sendall(b'hello')
    ours.shutdown(socket.SHUT_WR)
    check(to_end(ours), b'hello')
    out, err = end(cat)
    check((out, b'told\n' in err, b'closed' in err), (b'', True, True), repr(err))


def fd_0_listener():
    server = listener()
    cat = subprocess.Popen([SOCKCAT, '-lk', 'fd://0', '--echo'], stdin=server, stdout=server, stderr=subprocess.PIPE)
    for _ in range(2):
        check(ask(server, b'hello'), b'hello')
    cat.send_signal(signal.SIGTERM)
    end(cat, -signal.SIGTERM)
    check(blocking(server), True, 'O_NONBLOCK was left on it')


def fd_0_with_service():
    ours, its = socket.socketpair()
    for words in [], ['-d'], ['--send-only'], ['-F'], ['-z']:
        cat = subprocess.run([SOCKCAT, 'fd://0'] + words, stdin=its, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             timeout=LIMIT)
        check((cat.returncode, cat.stdout), (2, b''), repr(words))
        check(b"endpoint 'fd://0': standard input is the socket" in cat.stderr, True, repr(cat.stderr))
    server = listener()
    cat = subprocess.run([SOCKCAT, '-l', 'fd://0'], stdin=server, stderr=subprocess.PIPE, timeout=LIMIT)
    check(cat.returncode, 2)


def fd_0_no_connection():
    for thing, pattern in (listener(), b'is listening'), (socket.socket(), b'not connected'):
        cat = subprocess.run([SOCKCAT, 'fd://0', '--echo'], stdin=thing, stderr=subprocess.PIPE, timeout=LIMIT)
        check((cat.returncode, pattern in cat.stderr), (3, True), repr(cat.stderr))


def in_session(grace):
    """A listener with this --grace, and a client that it serves."""
    cat = Cat('-l', '-k', '--echo', '--grace', grace, '127.0.0.1', '0')
    client = dial(cat)
    client.sendall(b'before')
    check(client.recv(100), b'before')
    return cat, client


def grace():
    cat, client = in_session('1h')
    cat.send(signal.SIGTERM)
    def closed():
        try:
            socket.create_connection(cat.address(), LIMIT).close()
        except OSError:
            return True
    until(closed, 'the end of the listener')
    client.sendall(b'after')
    check(client.recv(100), b'after')
    client.shutdown(socket.SHUT_WR)
    check(to_end(client), b'')
    cat.end()
    check(cat.errors().count('\n'), 1)


def grace_over():
    cat, client = in_session('0.1')
    cat.send(signal.SIGTERM)
    try:
        check(client.recv(100), 'a reset')
    except ConnectionResetError:
        pass
    cat.end(-signal.SIGTERM)


def grace_program():
    cat = Cat('-l', '-k', '--grace', '1h', '-c', 'echo begun; read word; echo $word', '127.0.0.1', '0')
    client = socket.create_connection(cat.address(), LIMIT)
    check(client.recv(100), b'begun\n')
    cat.send(signal.SIGTERM)
    client.sendall(b'finished\n')
    client.shutdown(socket.SHUT_WR)
    check(to_end(client), b'finished\n')
    cat.end()


def grace_stdout():
    cat = Cat('-l', '-k', '-d', '--grace', '1h', '127.0.0.1', '0')
    clients = [socket.create_connection(cat.address(), LIMIT) for _ in range(3)]
    for client in clients:
        client.sendall(b'1')
    cat.await_output(b'111')
    cat.send(signal.SIGTERM)
    cat.rest()
    for client in clients:
        client.sendall(b'2' * 1000000)
        client.close()
    check(cat.end(), b'111' + b'2' * 3000000)


def grace_failure():
    cat, client = in_session('1h')
    cat.send(signal.SIGTERM)
    cat.rest()
    reset(client)
    cat.end(104)


def grace_second_sigterm():
    cat, client = in_session('1h')
    cat.send(signal.SIGTERM)
    until(lambda: not cat.catches(signal.SIGTERM), 'the first signal')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def grace_sigint():
    cat, client = in_session('1h')
    cat.send(signal.SIGINT)
    cat.end(-signal.SIGINT)


def grace_datagrams():
    for service in '--echo', '--chargen', '--daytime', '-c':
        service = [service, 'cat'] if service == '-c' else [service]
        cat = Cat('-l', '-u', '-k', *service, '--grace', '1h', '-q', '0.5', '127.0.0.1', '0')
        peer, other = udp(), udp()
        peer.sendto(b'before', cat.address())
        check(len(peer.recv(100)) >= 6, True)
        cat.stop()
        cat.send(signal.SIGTERM)
        other.sendto(b'late', cat.address())
        for _ in range(5):
            peer.sendto(b'after', cat.address())
        cat.go()
        got = 0
        while got < 25:
            got += len(peer.recv(100))
        cat.end()
        check(cat.errors().count('\n'), 1, cat.errors())
        other.setblocking(False)
        try:
            check(other.recv(100), 'nothing')
        except BlockingIOError:
            pass


def grace_datagram_program():
    os.mkfifo(T + '/go')
    cat = Cat('-l', '-u', '-k', '--grace', '1h', '-q', '0.1',
              '-c', 'read -r word; echo begun; cat >/dev/null; read -r word <%s/go; echo finished' % T, '127.0.0.1',
              '0')
    peer = udp()
    peer.sendto(b'word\n', cat.address())
    check(peer.recv(100), b'begun\n')
    cat.send(signal.SIGTERM)
    with open(T + '/go', 'w') as go:  # which waits for its other end
        go.write('on\n')
    check(peer.recv(100), b'finished\n')
    cat.end()


def grace_datagram_target():
    target = udp()
    cat = Cat('-l', '-u', '-k', '--grace', '1h', '-q', '3', '--to', 'udp://127.0.0.1:%d' % target.getsockname()[1],
              '127.0.0.1', '0')
    peer = udp()
    peer.sendto(b'question', cat.address())
    data, where = target.recvfrom(100)
    cat.send(signal.SIGTERM)
    def finishing():
        with open('/proc/%d/status' % cat.pid) as file:
            return not int(re.search(r'SigCgt:\s*(\w+)', file.read())[1], 16) >> (signal.SIGTERM - 1) & 1
    until(finishing, 'the signal')
    cat.rest()
    target.sendto(b'answer', where)
    check(peer.recv(100), b'answer')
    cat.end()


def grace_datagrams_over():
    for more in [], ['-q', '1h']:
        cat = Cat('-l', '-u', '-k', '--echo', '--grace', '0.1', *more, '127.0.0.1', '0')
        peer = udp()
        peer.sendto(b'before', cat.address())
        check(peer.recv(100), b'before')
        cat.send(signal.SIGTERM)
        cat.end(-signal.SIGTERM)


def grace_datagrams_stdout():
    r, w = os.pipe()
    room = fcntl.fcntl(w, fcntl.F_GETPIPE_SZ)
    cat = Cat('-l', '-u', '-k', '-d', '--grace', '1h', '-q', '0.1', '127.0.0.1', '0', stdout=w)
    os.write(w, bytes(room))
    os.close(w)
    peers = [udp() for _ in range(3)]
    for peer in peers:
        for _ in range(10):
            peer.sendto(b'1', cat.address())
    until(lambda: not waits(cat.address()[1]), 'all to be read')
    cat.send(signal.SIGTERM)
    cat.rest()
    check(shown(r, b'0' * (room + 30)).count(b'1'), 30)
    cat.end()


def takeover_before_end():
    server = listener()
    def serve():
        cat = activate([server], '-lk', '--echo', '--grace', '1h', '--ready-fd', '1')
        cat.stdout.readline()
        return cat
    cat = serve()
    start_clients(server.getsockname())
    for _ in range(5):
        await_more(20)
        other = serve()
        await_more(20)
        cat.send_signal(signal.SIGTERM)
        end(cat)
        cat = other
    leave()
    # One that comes alone is not kept until another comes.
    check(ask(server, b'hello'), b'hello')
    cat.send_signal(signal.SIGTERM)
    end(cat)
    check(blocking(server), True, 'O_NONBLOCK was left on it')


def takeover_after_end():
    server = listener()
    cat = None
    start_clients(server.getsockname())
    for _ in range(5):
        # They arrive while no process takes them.
        until(lambda: select.select([server], [], [], 0)[0], 'a client in the queue')
        cat = activate([server], '-lk', '--echo', '--grace', '1h')
        await_more(40)
        cat.send_signal(signal.SIGTERM)
        end(cat)
    cat = activate([server], '-lk', '--echo')
    leave()


def sighup_loses_no_client():
    with open(T + '/allowed', 'w') as file:
        file.write('127.0.0.0/8\n')
    cat = Cat('-l', '-k', '-v', '--echo', '--allow-file', T + '/allowed', '127.0.0.1', '0')
    start_clients(cat.address())
    for n in range(1, 21):
        await_more(5)
        cat.send(signal.SIGHUP)
        until(lambda: cat.errors().count('lists reloaded') == n, 'list %d' % n)
    leave()


def system_calls(calls, program, lines):
    def members(name):
        text = subprocess.run(['systemd-analyze', '--no-pager', 'syscall-filter', name], check=True,
                              capture_output=True, text=True)
        found = set()
        for word in re.findall(r'^    ([@\w-]+)', text.stdout, re.M):
            found |= members(word) if word[0] == '@' else {word}
        return found
    may = set()
    for line in lines.split('\n'):
        for name in line.lstrip('~').split():
            may = may - members(name) if line[0] == '~' else may | members(name)
    used, ours = set(), False
    with open(calls) as file:
        for line in file:
            call = re.match(r'\d+ +(\w+)\(', line)
            ours = ours or ('execve("%s"' % program in line)
            if call and ours:
                used.add(call[1])
    if len(used) < 20 or 'splice' not in used or len(may) < 100:
        sys.exit('that is not the whole: %r, %d' % (used, len(may)))
    if used - may:
        sys.exit('kept from it: %r' % (used - may))


if __name__ == '__main__':
    main()
