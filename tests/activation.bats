# Taking part in a system: sockets that a service manager has passed, inetd's way, and the end of a
# service at SIGTERM, with --grace.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets the variables
bats_require_minimum_version 1.5.0
load lib/helper

setup() {
    helper_setup
    need python3
    # What the scripts here have in common: a service manager.
    cat >"$T/manager.py" <<'PY'
from drive import *

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
    """Runs sockcat with these as descriptors 3 and up, as a service manager would."""
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

def end(cat, status=0, data=None):
    try:
        out, err = cat.communicate(data, LIMIT)
    except subprocess.TimeoutExpired:
        cat.kill()
        sys.exit('it did not end: %r' % (cat.communicate(),))
    check(cat.returncode, status, repr(err))
    return out, err

def refused(status, pattern, things, *words, **more):
    out, err = end(activate(things, *words, **more), status)
    if out or not re.fullmatch(rb'sockcat: [^\n]*\n', err) or not re.search(pattern, err):
        sys.exit('%r: not one line with %r: %r' % (words, pattern, err))

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

def blocking(s):
    return fcntl.fcntl(s, fcntl.F_GETFL) & os.O_NONBLOCK == 0
PY
    export PYTHONPATH=$T
}

# The script on standard input, behind that.
manage() { { cat "$T/manager.py" && cat; } | drive; }

# ---- sockets that were passed ----

@test "-l takes its client from the socket that was passed, and leaves the socket as it was" {
    manage <<'PY'
server = listener()
for word in b'one', b'two':
    cat = activate([server], '-l')
    client = call(server)
    client.sendall(word)
    client.shutdown(socket.SHUT_WR)
    check(end(cat, 0, b'answer'), (word, b''))
    check(to_end(client), b'answer')
    check(blocking(server), True, 'O_NONBLOCK was left on it')
PY
}

@test "-l -k serves the clients of all the sockets that were passed" {
    manage <<'PY'
servers = [listener() for _ in range(64)]
cat = activate(servers, '-lkv', '--echo')
for server in servers:
    check(ask(server, b'hello'), b'hello')
cat.send_signal(signal.SIGTERM)
out, err = end(cat, -signal.SIGTERM)
for server in servers:
    check(b'listening on 127.0.0.1:%d\n' % server.getsockname()[1] in err, True, repr(err))
    check(blocking(server), True, 'O_NONBLOCK was left on it')
PY
}

@test "IPv4 and IPv6 sockets that were passed are of one kind" {
    need_ipv6
    manage <<'PY'
six = socket.socket(socket.AF_INET6)
six.bind(('::1', 0))
six.listen()
servers = [listener(), six]
cat = activate(servers, '-lk', '--echo')
for server in servers:
    check(ask(server, b'hello'), b'hello')
PY
}

@test "Unix sockets that were passed are taken, and their paths are not removed" {
    manage <<'PY'
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
PY
}

@test "datagram sockets that were passed are taken" {
    manage <<'PY'
for where in None, T + '/socket':
    server = listener(where, socket.SOCK_DGRAM)
    cat = activate([server], '-l', '-d', '-W', '1')
    call(server).send(b'hello')
    check(end(cat)[0], b'hello')
PY
}

@test "whoever keeps up loses nothing of what came to several sockets at once" {
    manage <<'PY'
servers = [listener(None, socket.SOCK_DGRAM) for _ in range(2)]
peer = udp()
for server in servers * 3:
    peer.sendto(bytes(2000), server.getsockname())
end(activate(servers, '-lk', '--echo', '--queue', '1k', '--idle-timeout', '0.5', '--max-accepts', '1'))
check([len(peer.recv(9999)) for _ in range(6)], [2000] * 6)
PY
}

@test "a socket that was passed tells its port when it is ready" {
    manage <<'PY'
server = listener()
cat = activate([server], '-l', '--echo', '--ready-fd', '1')
check(cat.stdout.readline(), b'%d\n' % server.getsockname()[1])
check(ask(server, b'hello'), b'hello')
PY
}

@test "F56: what was passed and is no socket to listen on is 101, and named" {
    manage <<'PY'
good = listener()
with open(T + '/file', 'w+') as file:
    refused(101, b'descriptor 3: it is no socket', [file], '-l')
    refused(101, b'descriptor 4: it is no socket', [good, file], '-lk')
ends = [os.fdopen(fd) for fd in os.pipe()]
refused(101, b'descriptor 3: it is no socket', [ends[0]], '-l')
refused(101, b'descriptor 3: Bad file descriptor', [CLOSED], '-l')
refused(101, b'descriptor 5: Bad file descriptor', [good, good], '-l', count=3)
client = call(good)
refused(101, b'descriptor 3: it does not listen', [client], '-l')
for thing in socket.socket(), unix():
    refused(101, b'descriptor 4: it does not listen', [good, thing], '-lk', '--echo')
for thing in socket.socket(type=socket.SOCK_DGRAM), unix(socket.SOCK_DGRAM):
    refused(101, b'descriptor 3: it is not bound', [thing], '-l')
peer, thing = udp(), udp()
thing.connect(peer.getsockname())
refused(101, b'descriptor 3: it is connected', [thing], '-l')
PY
}

@test "F56: sockets of several kinds are 101" {
    manage <<'PY'
first = listener()
for other in listener(T + '/socket'), listener(None, socket.SOCK_DGRAM), listener(T + '/packets', socket.SOCK_SEQPACKET):
    refused(101, b'descriptor 5: it is of another kind than descriptor 3', [first, first, other], '-lk')
PY
}

@test "F56: a count that is none is 101" {
    manage <<'PY'
for count in 'x', '-1', '', '65', '3x', '99999999999999999999':
    refused(101, b"LISTEN_FDS '%s': it has to be a number from 1 to 64" % count.encode(), [listener()], '-l', count=count)
PY
}

@test "sockets that were passed to nobody, or to another process, are none" {
    manage <<'PY'
refused(2, b'a port is missing', [], '-l', count=0)
for process in '1', '', 'x', '99999999999':
    refused(2, b'a port is missing', [listener()], '-l', process=process)
PY
}

@test "where an endpoint is given, what was passed is not looked at" {
    manage <<'PY'
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
refused(2, b'a port is missing', [passed], '-l', '-s', '127.0.0.1')
with open('/dev/null') as file:
    refused(101, b'cannot assign|Cannot assign', [file], '-l', '192.0.2.1', '0')
PY
}

@test "options that say what to listen on are not for sockets that were passed" {
    manage <<'PY'
for words in ['-4'], ['-u'], ['-U'], ['--seqpacket', '-U']:
    refused(2, b'LISTEN_FDS.*cannot be used together with --', [listener()], '-l', *words)
# They count as what they are.
refused(2, b'--max-conns-per-host', [listener(T + '/socket')], '-lk', '--max-conns-per-host', '1')
refused(2, b'--telnet', [listener(None, socket.SOCK_DGRAM)], '-lt')
PY
}

# ---- by name ----

@test "fd://NAME takes the sockets that have the name in LISTEN_FDNAMES" {
    manage <<'PY'
servers = [listener(), listener(T + '/socket'), listener()]
cat = activate(servers, '-lk', '--echo', 'fd://web', names='web:local:web')
for server in servers[0], servers[2]:
    check(ask(server, b'hello'), b'hello')
cat.kill()
cat.communicate()
cat = activate(servers, '-lk', '--echo', 'fd://local', names='web:local:web')
check(ask(servers[1], b'hello'), b'hello')
PY
}

@test "fd://NAME is checked as all that is passed" {
    manage <<'PY'
good = listener()
with open('/dev/null') as file:
    refused(101, b'descriptor 4: it is no socket', [good, file], '-l', 'fd://b', names='a:b')
    end(activate([good, file], '-l', '--accept-timeout', '1ms', 'fd://a', names='a:b'), 28)
PY
}

@test "fd://NAME that nobody has is 3" {
    manage <<'PY'
good = listener()
for names in None, '', 'a', ':', 'webx', 'we', 'other:names', ':web':
    refused(3, b"fd://web': it has to be a descriptor's number", [good], '-l', 'fd://web', names=names)
refused(3, b'name in LISTEN_FDNAMES', [good], '-l', 'fd://web', names='web', process='1')
refused(3, b'name in LISTEN_FDNAMES', [good], '-l', 'fd://', names='')
PY
}

@test "fd://N is a number, even if something else has it for a name" {
    manage <<'PY'
servers = [listener(), listener()]
cat = activate(servers, '-l', '--echo', 'fd://3', names='x:3')
check(ask(servers[0], b'hello'), b'hello')
end(cat)
refused(3, b"fd://7': Bad file descriptor", servers, '-l', 'fd://7', names='7:x')
PY
}

@test "fd://NAME is a connection that was passed, where there is one" {
    manage <<'PY'
ours, its = socket.socketpair()
cat = activate([its], 'fd://connection', names='connection')
its.close()
ours.sendall(b'hello')
ours.shutdown(socket.SHUT_WR)
check(end(cat, 0, b'world'), (b'hello', b''))
check(to_end(ours), b'world')
ours, its = socket.socketpair()
refused(3, b"fd://x': 2 descriptors have this name", [its, its], 'fd://x', names='x:x')
refused(3, b'it listens; write -l', [listener()], 'fd://x', names='x')
PY
}

# ---- programs ----

@test "a program is told nothing of what was passed, and does not have it" {
    manage <<'PY'
show = 'env | grep -a ^LISTEN_; ls -l /proc/self/fd | grep -c socket; true'
server = listener()
cat = activate([server, server], '-l', '--keep-env', '-c', show, names='a:b')
client = call(server)
client.shutdown(socket.SHUT_WR)
check(to_end(client).splitlines()[-1:], [b'0'])
end(cat)
# Not even where it is not used, and the variables are for somebody else.
for process in 'own', '1':
    cat = activate([server], '--ready-fd', '1', '--keep-env', '-c', 'env', '-l', '127.0.0.1', '0', process=process)
    client = socket.create_connection(('127.0.0.1', int(cat.stdout.readline())), LIMIT)
    client.shutdown(socket.SHUT_WR)
    got = to_end(client)
    check((b'PATH=' in got, b'LISTEN_' in got), (True, False), repr(got))
PY
}

@test "-l -- PROG runs it for the clients of what was passed" {
    manage <<'PY'
server = listener()
cat = activate([server], '-lk', '--', 'tr', 'a-z', 'A-Z')
for _ in range(2):
    check(ask(server, b'hello'), b'HELLO')
PY
}

@test "systemd-socket-activate: sockcat is started by the first client" {
    need systemd-socket-activate
    start systemd-socket-activate -l "$T/s.sock" "$SOCKCAT" -lk --echo
    await_file "$T/s.sock"
    for word in one two; do
        assert_equal "$(echo "$word" | sockcat -U "$T/s.sock")" "$word"
    done
}

@test "systemd-socket-activate: names" {
    need systemd-socket-activate
    start systemd-socket-activate -l "$T/a.sock" -l "$T/b.sock" --fdname=a:b "$SOCKCAT" -lk --echo fd://b
    await_file "$T/b.sock"
    assert_equal "$(echo hello | sockcat -U "$T/b.sock")" hello
}

# ---- as inetd has it ----

# tcp_service COMMAND: a server that runs it for each client, whose connection is its standard
# input, output and error. Sets $port.
tcp_service() {
    need socat ss
    printf '#!/bin/sh\nexec %s\n' "$1" >"$T/service"
    chmod +x "$T/service"
    start_server socat TCP-LISTEN:0,bind=127.0.0.1,fork EXEC:"$T/service",nofork,stderr
}

@test "fd://0: a service for a connection that is standard input and output" {
    tcp_service "$SOCKCAT fd://0 --echo"
    client 127.0.0.1 "$port" <"$(random_file 300000)" >"$T/client.out"
    assert_equal "$status $(cat "$T/client.err")" "0 "
    assert_same "$T/client.out" "$(random_file 300000)"
}

@test "fd://0: a program, which gets the peer's address" {
    tcp_service "$SOCKCAT fd://0 -e env"
    client -d 127.0.0.1 "$port" >"$T/client.out"
    assert_equal "$status" 0
    assert_line '^SOCKCAT_REMOTE_ADDR=127\.0\.0\.1$' "$T/client.out"
    assert_line "^SOCKCAT_LOCAL_PORT=$port\$" "$T/client.out"
}

@test "fd://0: another endpoint" {
    start_listener -k --echo 127.0.0.1 0
    tcp_service "$SOCKCAT fd://0 --to 127.0.0.1:$port"
    client 127.0.0.1 "$port" <"$(random_file 300000)" >"$T/client.out"
    assert_equal "$status" 0
    assert_same "$T/client.out" "$(random_file 300000)"
}

@test "fd://0: no message of ours becomes part of the data" {
    tcp_service "$SOCKCAT -vv fd://0 --echo"
    client 127.0.0.1 "$port" <"$(random_file 300000)" >"$T/client.out"
    assert_equal "$status" 0
    assert_same "$T/client.out" "$(random_file 300000)"
}

@test "fd://0: systemd-socket-activate --inetd" {
    need systemd-socket-activate
    start systemd-socket-activate --inetd -a -l "$T/s.sock" "$SOCKCAT" fd://0 --echo
    await_file "$T/s.sock"
    for word in one two; do
        assert_equal "$(echo "$word" | sockcat -U "$T/s.sock")" "$word"
    done
}

@test "fd://0: the connection gets a number of its own, and the three are /dev/null" {
    manage <<'PY'
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
PY
}

@test "fd://0: standard output and error that are something else stay" {
    manage <<'PY'
ours, its = socket.socketpair()
cat = subprocess.Popen([SOCKCAT, '-v', 'fd://0', '-c', 'cat; echo told >&2'], stdin=its, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
its.close()
ours.sendall(b'hello')
ours.shutdown(socket.SHUT_WR)
check(to_end(ours), b'hello')
out, err = end(cat)
check((out, b'told\n' in err, b'closed' in err), (b'', True, True), repr(err))
PY
}

@test "-l fd://0: clients of a socket that is standard input" {
    manage <<'PY'
server = listener()
cat = subprocess.Popen([SOCKCAT, '-lk', 'fd://0', '--echo'], stdin=server, stdout=server, stderr=subprocess.PIPE)
for _ in range(2):
    check(ask(server, b'hello'), b'hello')
cat.send_signal(signal.SIGTERM)
end(cat, -signal.SIGTERM)
check(blocking(server), True, 'O_NONBLOCK was left on it')
PY
}

@test "fd://0 is 2 where standard input and output are the service" {
    manage <<'PY'
ours, its = socket.socketpair()
for words in [], ['-d'], ['--send-only'], ['-F'], ['-z']:
    cat = subprocess.run([SOCKCAT, 'fd://0'] + words, stdin=its, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         timeout=LIMIT)
    check((cat.returncode, cat.stdout), (2, b''), repr(words))
    check(b"endpoint 'fd://0': that is standard input" in cat.stderr, True, repr(cat.stderr))
server = listener()
cat = subprocess.run([SOCKCAT, '-l', 'fd://0'], stdin=server, stderr=subprocess.PIPE, timeout=LIMIT)
check(cat.returncode, 2)
PY
}

@test "fd://0 that is no connection is 3" {
    assert_fails 3 "endpoint 'fd://0': it is no socket" sockcat fd://0 --echo </dev/null
    assert_fails 3 "endpoint 'fd://0': it is no socket" sockcat fd://0 --echo <&-
    manage <<'PY'
for thing, pattern in (listener(), b'it listens'), (socket.socket(), b'not connected'):
    cat = subprocess.run([SOCKCAT, 'fd://0', '--echo'], stdin=thing, stderr=subprocess.PIPE, timeout=LIMIT)
    check((cat.returncode, pattern in cat.stderr), (3, True), repr(cat.stderr))
PY
}

# ---- the end of a service ----

@test "--grace: at SIGTERM nobody is let in any more, and who is in finishes: 0" {
    manage <<'PY'
cat = Cat('-l', '-k', '--echo', '--grace', '1h', '127.0.0.1', '0')
client = socket.create_connection(cat.address(), LIMIT)
client.sendall(b'before')
check(client.recv(100), b'before')
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
PY
}

@test "--grace: where nobody is in, SIGTERM is the end: 0" {
    start_listener -k --grace 1h 127.0.0.1 0
    kill -TERM "$listener"
    assert_listener_ends 0
}

@test "--grace: who has not finished in time is cut short, and the status tells" {
    manage <<'PY'
cat = Cat('-l', '-k', '--echo', '--grace', '0.1', '127.0.0.1', '0')
client = socket.create_connection(cat.address(), LIMIT)
client.sendall(b'before')
check(client.recv(100), b'before')
cat.send(signal.SIGTERM)
try:
    check(client.recv(100), 'a reset')
except ConnectionResetError:
    pass
cat.end(-signal.SIGTERM)
PY
}

@test "--grace: a program finishes its answer" {
    manage <<'PY'
cat = Cat('-l', '-k', '--grace', '1h', '-c', 'echo begun; read word; echo $word', '127.0.0.1', '0')
client = socket.create_connection(cat.address(), LIMIT)
check(client.recv(100), b'begun\n')
cat.send(signal.SIGTERM)
client.sendall(b'finished\n')
client.shutdown(socket.SHUT_WR)
check(to_end(client), b'finished\n')
cat.end()
PY
}

@test "--grace: what is still to come for standard output comes" {
    manage <<'PY'
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
PY
}

@test "--grace: a failure of one that finishes is 104" {
    manage <<'PY'
cat = Cat('-l', '-k', '--echo', '--grace', '1h', '127.0.0.1', '0')
client = socket.create_connection(cat.address(), LIMIT)
client.sendall(b'before')
check(client.recv(100), b'before')
cat.send(signal.SIGTERM)
cat.rest()
reset(client)
cat.end(104)
PY
}

@test "--grace: a second SIGTERM ends it at once" {
    manage <<'PY'
cat = Cat('-l', '-k', '--echo', '--grace', '1h', '127.0.0.1', '0')
client = socket.create_connection(cat.address(), LIMIT)
client.sendall(b'before')
check(client.recv(100), b'before')
cat.send(signal.SIGTERM)
def default():
    with open('/proc/%d/status' % cat.pid) as file:
        return not int(re.search(r'SigCgt:\s*(\w+)', file.read())[1], 16) >> (signal.SIGTERM - 1) & 1
until(default, 'the first signal')
cat.send(signal.SIGTERM)
cat.end(-signal.SIGTERM)
PY
}

@test "--grace is for SIGTERM: SIGINT ends who is in" {
    manage <<'PY'
cat = Cat('-l', '-k', '--echo', '--grace', '1h', '127.0.0.1', '0')
client = socket.create_connection(cat.address(), LIMIT)
client.sendall(b'before')
check(client.recv(100), b'before')
cat.send(signal.SIGINT)
cat.end(-signal.SIGINT)
PY
}

@test "--grace does not spin" {
    start_listener -k --echo --grace 1h 127.0.0.1 0
    exec 8<>"/dev/tcp/127.0.0.1/$port"
    echo before >&8
    read -r _ <&8
    kill -TERM "$listener"
    watch_idle "$listener"
    exec 8>&-
    assert_listener_ends 0
}

@test "--grace: a peer with datagrams is answered until it is silent, and nobody else is heard" {
    manage <<'PY'
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
PY
}

@test "--grace: the program of a peer with datagrams sees its end after the silence, and finishes its answer" {
    manage <<'PY'
os.mkfifo(T + '/go')
cat = Cat('-l', '-u', '-k', '--grace', '1h', '-q', '0.1',
          '-c', 'read -r word; echo begun; cat >/dev/null; read -r word <%s/go; echo finished' % T, '127.0.0.1', '0')
peer = udp()
peer.sendto(b'word\n', cat.address())
check(peer.recv(100), b'begun\n')
cat.send(signal.SIGTERM)
with open(T + '/go', 'w') as go:  # which waits for its other end
    go.write('on\n')
check(peer.recv(100), b'finished\n')
cat.end()
PY
}

@test "--grace: the answer of another endpoint is awaited as long as the silence is" {
    manage <<'PY'
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
PY
}

@test "--grace: a peer with datagrams that is not silent for long enough in time is cut short" {
    manage <<'PY'
for more in [], ['-q', '1h']:
    cat = Cat('-l', '-u', '-k', '--echo', '--grace', '0.1', *more, '127.0.0.1', '0')
    peer = udp()
    peer.sendto(b'before', cat.address())
    check(peer.recv(100), b'before')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
PY
}

@test "--grace: datagrams that wait for standard output still come" {
    manage <<'PY'
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
PY
}

@test "--grace is 2 without -k" {
    assert_fails 2 '--grace.*--keep-open' sockcat -l --grace 1 127.0.0.1 0 </dev/null
}

# ---- a queue that outlives its listener ----

# The script on standard input, behind clients that come one after the other, four at a time, for as
# long as the script runs; each has to be served.
crowded() {
    {
        cat <<'PY'
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
def crowd(where):
    for _ in range(4):
        threading.Thread(target=come, args=(where,), daemon=True).start()
def more(n):
    wanted = len(served) + n
    until(lambda: faults or len(served) >= wanted, '%d more clients, after %d' % (n, len(served)))
def leave():
    over.set()
    until(lambda: faults or threading.active_count() == 1, 'the last client')
    check(faults, [])
PY
        cat
    } | manage
}

@test "F57: a listener that takes over before the other has ended loses no client" {
    crowded <<'PY'
server = listener()
def serve():
    cat = activate([server], '-lk', '--echo', '--grace', '1h', '--ready-fd', '1')
    cat.stdout.readline()
    return cat
cat = serve()
crowd(server.getsockname())
for _ in range(5):
    more(20)
    other = serve()
    more(20)
    cat.send_signal(signal.SIGTERM)
    end(cat)
    cat = other
leave()
# One that comes alone is not kept until another comes.
check(ask(server, b'hello'), b'hello')
cat.send_signal(signal.SIGTERM)
end(cat)
check(blocking(server), True, 'O_NONBLOCK was left on it')
PY
}

@test "F57: clients wait in the queue from the end of a listener to the start of the next" {
    crowded <<'PY'
server = listener()
cat = None
crowd(server.getsockname())
for _ in range(5):
    # They come while nobody is there to take them.
    until(lambda: select.select([server], [], [], 0)[0], 'a client in the queue')
    cat = activate([server], '-lk', '--echo', '--grace', '1h')
    more(40)
    cat.send_signal(signal.SIGTERM)
    end(cat)
cat = activate([server], '-lk', '--echo')
leave()
PY
}

@test "F57: SIGHUP, for new access lists, loses no client" {
    crowded <<'PY'
with open(T + '/allowed', 'w') as file:
    file.write('127.0.0.0/8\n')
cat = Cat('-l', '-k', '-v', '--echo', '--allow-file', T + '/allowed', '127.0.0.1', '0')
crowd(cat.address())
for n in range(1, 21):
    more(5)
    cat.send(signal.SIGHUP)
    until(lambda: cat.errors().count('made anew') == n, 'list %d' % n)
leave()
PY
}

# ---- the example of a service ----

# unit_files: the example's files in $T, with the program under test in it.
unit_files() {
    for file in "$BATS_TEST_DIRNAME"/../packaging/systemd/sockcat-relay.*; do
        sed "s|/usr/bin/sockcat|$SOCKCAT|" "$file" >"$T/${file##*/}"
    done
}

@test "units: systemd-analyze verify has nothing to say" {
    need systemd-analyze
    unit_files
    run systemd-analyze verify --man=no "$T/sockcat-relay.service" "$T/sockcat-relay.socket"
    assert_equal "$status $output" "0 "
}

@test "units: what can be kept from the service is" {
    need systemd-analyze
    systemd-analyze --help | grep -q -- --offline || skip "needs a systemd-analyze that judges files"
    unit_files
    # In tenths, of 10; a service that says nothing has 9.6.
    run systemd-analyze security --offline=yes --no-pager --threshold=12 "$T/sockcat-relay.service"
    assert_status 0
}

@test "units: the service makes no system call that is kept from it" {
    need systemd-analyze strace
    ! grep -q __asan_init "$SOCKCAT" || skip "needs a program without sanitizers"
    unit_files
    start_listener -k --echo 127.0.0.1 0
    read -ra words <<<"$(sed -n 's/^ExecStart=[^ ]* //p' "$T/sockcat-relay.service")"
    words[${#words[@]} - 1]=127.0.0.1:$port
    start strace -f -qq -o "$T/calls" -e signal=none systemd-socket-activate -l "$T/s.sock" "$SOCKCAT" "${words[@]}"
    await_file "$T/s.sock"
    client -U "$T/s.sock" <"$(random_file 3000000)" >"$T/client.out"
    assert_equal "$status" 0
    assert_same "$T/client.out" "$(random_file 3000000)"
    # What ends strace leaves this one behind.
    kill -TERM "$(sed -n '1s/ .*//p' "$T/calls")"
    wait "$pid"
    sets=$(sed -n 's/^SystemCallFilter=//p' "$T/sockcat-relay.service")
    python3 - "$T/calls" "$SOCKCAT" "$sets" <<'PY'
import re, subprocess, sys
calls, program, lines = sys.argv[1:]
def members(name):
    text = subprocess.run(['systemd-analyze', '--no-pager', 'syscall-filter', name], check=True, capture_output=True, text=True)
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
PY
}
