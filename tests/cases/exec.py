"""Programs: back pressure, their end, their number, and what they inherit."""
import fcntl
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

from drive import accept, Cat, check, dial, LIMIT, main, pour, reset, T, tcp, to_end, udp, until


def hand_over(*more):
    """A listener, the client that got the place of one whose program had to be killed, and what that took."""
    cat = Cat('-l', '-k', '--max-children', '1', *more, '127.0.0.1', '0', '-e', T + '/stubborn')
    first, second = dial(cat), dial(cat)
    first.recv(1)
    before = cat.ticks()
    reset(first)
    # That is a second later.
    check(second.makefile().readline().split()[0], '0')
    return cat, second, cat.ticks() - before


def program_never_reads(port, pid):
    client = socket.create_connection(('127.0.0.1', int(port)))
    client.setblocking(False)
    sent, quiet = 0, 0
    while quiet < 20:
        try:
            sent += client.send(bytes(65536))
            quiet = 0
        except BlockingIOError:
            quiet += 1
            time.sleep(0.02)
        if sent > 64 << 20:
            sys.exit('it takes everything')
    with open('/proc/%s/status' % pid) as file:
        size = int(re.search(r'VmRSS:\s+(\d+)', file.read())[1])
    if size > 40000:  # the sanitizers' share
        sys.exit('it has grown to %d kB' % size)


def no_zombies(port, pid):
    for _ in range(100):
        with socket.create_connection(('127.0.0.1', int(port))) as client:
            client.shutdown(socket.SHUT_WR)
            check(client.recv(1), b'')
    def children():
        with open('/proc/%s/task/%s/children' % (pid, pid)) as file:
            return file.read().split()
    until(lambda: not children(), 'no child is left')


def sigchld_ignored(port):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    def prepare():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    process = subprocess.Popen([os.environ['SOCKCAT'], '--exec-status', '127.0.0.1', port, '-c', 'sleep 0.1; exit 6'],
                               preexec_fn=prepare, restore_signals=False)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    check(process.wait(), 6)


def max_children():
    for limit in '--max-children', '--max-conns':
        cat = Cat('-l', '-k', limit, '2', '127.0.0.1', '0', '-e', T + '/stubborn')
        clients = [dial(cat) for _ in range(4)]
        for client in clients:
            # The first ones are reported at once, the others when their programs are killed.
            others, number = client.makefile().readline().split()
            check(int(others) < 2, True, others)
            reset(client)
        until(lambda: cat.errors().count('Connection reset') == 4, 'the end of all')
        cat.send(signal.SIGTERM)
        cat.end(-signal.SIGTERM)


def reset_of_stalled_client():
    target = Cat('-l', '-k', '--echo', '127.0.0.1', '0')
    for service in ['-c', 'cat'], ['--to', '127.0.0.1:' + target.where]:
        cat = Cat('-l', '-k', '--linger', '0.3', '--max-accepts', '1', '127.0.0.1', '0', *service)
        client = dial(cat, room=2000)
        pour(client, 1 << 30)
        reset(client)
        cat.end(104)
        check('Connection reset' in cat.errors(), True, cat.errors())


def waits_for_program_end():
    cat, _, ticks = hand_over()
    check(ticks < 30, True, '%d ticks' % ticks)
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def accept_timeout_after_program():
    cat, second, _ = hand_over('--accept-timeout', '0.5')
    reset(second)
    cat.end(28)


def max_children_refuse():
    cat = Cat('-l', '-k', '--refuse', '--max-children', '1', '127.0.0.1', '0', '-e', T + '/stubborn')
    def refused():
        try:
            client = dial(cat)
            return not client.recv(1)
        except ConnectionResetError:
            return True
    first = dial(cat)
    first.recv(1)
    for _ in range(5):
        check(refused(), True)
    cat.send(signal.SIGUSR1)
    until(lambda: '1 client, 1 in all, 0 failed, 5 rejected' in cat.errors(), 'a report')
    reset(first)
    until(lambda: 'Connection reset' in cat.errors(), 'the end of the first')
    check(refused(), True, 'while the program is being ended')
    until(lambda: not refused(), 'a place')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def max_children_udp():
    cat = Cat('-l', '-u', '-k', '-v', '--max-children', '2', '127.0.0.1', '0', '-e', T + '/stubborn')
    def served(peer):
        peer.sendto(b'.', cat.address())
        return select.select([peer], [], [], 0.01)[0] and peer.recv(100).split()
    peers = [udp() for _ in range(3)]
    for peer in peers:
        others, number = until(lambda: served(peer), 'an answer')
        check(int(others) < 2, True, others)
    check(cat.errors().count('to make room'), 1, cat.errors())
    check('too many clients' in cat.errors(), True, cat.errors())
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def signals_at_start(port):
    def prepare():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGRTMAX])
    subprocess.run([os.environ['SOCKCAT'], '127.0.0.1', port, '-c',
                    'grep -E "^Sig(Blk|Ign)" /proc/self/status >' + T + '/signals'],
                   preexec_fn=prepare, check=True)


def environment():
    common = {name: name.lower() for name in (
        'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'LC_ALL', 'LC_TIME', 'TZ', 'TERM', 'TMPDIR')}
    common['PATH'] = os.environ['PATH']
    others = dict(SECRET='s', PATHS='p', LC='l', LD_LIBRARY_PATH='/nowhere', IFS='x', NCAT_OTHER='n',
                  SOCKCAT=os.environ['SOCKCAT'])
    os.environ.clear()
    os.environ.update(common)
    os.environ.update(others)
    ours = {a + b for a in ('SOCKCAT_', 'NCAT_') for b in 'PROTO REMOTE_ADDR REMOTE_PORT LOCAL_ADDR LOCAL_PORT'.split()}
    def told(client):
        client.shutdown(socket.SHUT_WR)
        got = dict(line.split('=', 1) for line in to_end(client).decode().splitlines())
        check(ours - set(got), set())
        return {name: got[name] for name in got if name not in ours}
    def accepted(*words):
        return told(dial(Cat('-l', *words, '127.0.0.1', '0', '-e', 'env')))
    def connected(*words):
        server = tcp()
        cat = Cat(*words, *map(str, server.getsockname()), '-e', 'env')
        return told(accept(server))
    check(accepted(), common)
    check(accepted('-k'), common)
    check(accepted('--clear-env'), common)
    check(accepted('--keep-env'), {**common, **others})
    check(connected(), {**common, **others})
    check(connected('--keep-env'), {**common, **others})
    check(connected('--clear-env'), common)
    # What is not there is not made up.
    for name in list(common):
        if name != 'PATH':
            del os.environ[name]
    check(accepted(), {'PATH': common['PATH']})


def no_notify_socket():
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(T + '/notify')
    manager.settimeout(LIMIT)
    env = dict(NOTIFY_SOCKET=T + '/notify', KEPT='k')
    def names(client):
        client.shutdown(socket.SHUT_WR)
        return {line.partition('=')[0] for line in to_end(client).decode().splitlines()}
    for words in ['-l'], ['-lk'], ['-l', '--pty']:
        cat = Cat('-l', '--keep-env', *words, '127.0.0.1', '0', '-e', 'env', env=env)
        check(manager.recv(100), b'READY=1')
        check(names(dial(cat)) & set(env), {'KEPT'})
        cat.process.kill()
    server = tcp()
    cat = Cat('--keep-env', *map(str, server.getsockname()), '-e', 'env', env=env)
    check(names(accept(server)) & set(env), {'KEPT'})


def unix_client_name():
    os.chdir(T)
    cat = Cat('-l', '-U', T + '/s', '-c', 'env')
    client = socket.socket(socket.AF_UNIX)
    client.bind('() { :; }; PATH=x\nLD_PRELOAD=y')
    client.connect(T + '/s')
    client.shutdown(socket.SHUT_WR)
    text = client.makefile().read()
    check('LD_PRELOAD' in text or '() {' in text, False, text)
    check('PROTO=UNIX' in text, True)


def pty_size(port):
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 33, 111, 0, 0))
    cat = subprocess.run([os.environ['SOCKCAT'], '--pty', '127.0.0.1', port, '-c', 'stty size >' + T + '/size'],
                         stdin=slave, stdout=subprocess.DEVNULL, check=True)
    with open(T + '/size') as file:
        check(file.read(), '33 111\n')


def program_closes_full_input(port):
    s = socket.create_connection(('127.0.0.1', int(port)), LIMIT)
    s.setblocking(False)
    data, quiet = bytes(1 << 16), 0
    # Until nothing more goes out: the pipe and all buffers are full.
    while quiet < 20:
        try:
            s.send(data)
            quiet = 0
        except BlockingIOError:
            quiet += 1
            time.sleep(0.02)
    open(T + '/full', 'w').close()
    s.settimeout(LIMIT)
    s.sendall(bytes(20000000))
    open(T + '/sent', 'w').close()
    s.shutdown(socket.SHUT_WR)
    check(to_end(s), b'done\n')


if __name__ == '__main__':
    main()
