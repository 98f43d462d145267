#!/usr/bin/env bats
# Defects that once were: each test builds the situation in which one showed, step by step, so that
# it shows every time.
# shellcheck disable=SC2154 # the helper sets status, peer_port, held
bats_require_minimum_version 1.5.0
load lib/helper

# ---- resets and other failures that must not look like success ----

# rst_after_fin ARG...: the peer ends its sending, has our bytes unread, and resets at the very moment
# at which standard input ends.
rst_after_fin() {
    drive "$@" <<'PY'
from drive import *
listener = tcp()
r, w = os.pipe()
cat = Cat(*sys.argv[1:], '127.0.0.1', str(listener.getsockname()[1]), stdin=subprocess.PIPE, stdout=w)
os.close(w)
peer = accept(listener)
ends = peer.getpeername()[1], peer.getsockname()[1]
peer.shutdown(socket.SHUT_WR)
check(os.read(r, 1), b'')  # it knows of the peer's end
cat.process.stdin.write(b'abc')
cat.process.stdin.flush()
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
PY
}

@test "A reset that comes after the peer's end and together with our own is never a success" {
    rst_after_fin
}

@test "A reset after the peer's end is no success with --no-shutdown either" {
    rst_after_fin --no-shutdown
}

@test "A reset after the peer's end is no success with --send-only either" {
    drive <<'PY'
from drive import *
listener = tcp()
cat = Cat('--send-only', '127.0.0.1', str(listener.getsockname()[1]), stdin=subprocess.PIPE)
peer = accept(listener)
ends = peer.getpeername()[1], peer.getsockname()[1]
peer.shutdown(socket.SHUT_WR)
until(lambda: [s for s, _ in tcp_sockets(*ends)] == [8], 'CLOSE_WAIT')
for n in 1, 2:  # between the two, it has read the end
    cat.process.stdin.write(b'a')
    cat.process.stdin.flush()
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
PY
}

@test "A UDP listener with -k keeps the status of the time limit that ended it" {
    drive <<'PY'
from drive import *
cat = Cat('-u', '-l', '-k', '-w', '0.3', '--accept-timeout', '0.3', '127.0.0.1', '0', stdin=subprocess.PIPE)
s = udp()
s.sendto(b'one', cat.address())
check(cat.end(28), b'one')
PY
}

@test "A Unix datagram listener with -k that cannot answer one peer says so, goes on, and ends with 104" {
    drive <<'PY'
from drive import *
cat = Cat('-u', '-l', '-k', '--max-accepts', '2', '--idle-timeout', '1', '-U', T + '/s', stdin=subprocess.PIPE)
cat.process.stdin.write(b'answer')
cat.process.stdin.flush()
unix(socket.SOCK_DGRAM).sendto(b'one', T + '/s')
until(lambda: 'no address' in cat.errors(), 'the failure')
peer = unix(socket.SOCK_DGRAM)
peer.bind(T + '/peer')
peer.sendto(b'two', T + '/s')
check(cat.end(104), b'onetwo')
PY
}

@test "A peer that accepts, says something and resets before we look was connected" {
    need_shim
    drive <<'PY'
from drive import *
listener = tcp()
shim = {'LD_PRELOAD': os.environ['SHIM_LIB'], 'SHIM': 'poll:sleep=0.5:*', 'SHIM_PROG':
        os.path.basename(os.environ['SOCKCAT'])}
cat = Cat('127.0.0.1', str(listener.getsockname()[1]), stdin=subprocess.PIPE, env=shim)
peer = accept(listener)
peer.sendall(b'go away\n')
reset(peer)
cat.fail(56, 'reset by peer')
check(cat.output(), b'go away\n')
PY
}

@test "Receiving that fails for want of memory for ever ends in failure" {
    need_shim
    start_peer send:x waitfor:"$T/never"
    LIMIT=40 with_shim 'recvmsg:ENOMEM:*' client 127.0.0.1 "$peer_port"
    assert_equal "$status" 56
    assert_one_error "$T/client.err" 'receive from 127\.0\.0\.1:[0-9]+: Cannot allocate memory'
}

# ---- slow and stalled readers ----

@test "After a failed send all that had arrived is written to a slow reader, and counted" {
    drive <<'PY'
from drive import *
listener = tcp()
r, w = os.pipe()
cat = Cat('--no-splice', '-I', '1M', '127.0.0.1', str(listener.getsockname()[1]), stdin=subprocess.PIPE, stdout=w)
os.close(w)
peer = accept(listener)
cat.process.stdin.write(b'a')
cat.process.stdin.flush()
check(peer.recv(1), b'a')  # the session has begun
sent = pour(peer, 1440000)
# All of it is in the other kernel, and more of it than the program and the pipe can hold.
until(lambda: fcntl.ioctl(peer, termios.TIOCOUTQ, b'1234') == bytes(4), 'acknowledgement')
until(lambda: tcp_sockets(peer.getpeername()[1], peer.getsockname()[1])[0][1] <= sent - 65536, 'reading')
cat.rest()
ends = peer.getpeername()[1], peer.getsockname()[1]
reset(peer)
until(lambda: not tcp_sockets(*ends), 'the reset')
cat.process.stdin.write(b'q')
cat.process.stdin.flush()
until(lambda: in_pipe(cat.process.stdin.fileno()) == 0, 'reading of the input')
cat.rest()  # the send has failed
time.sleep(1.3)  # longer than what is under way is given after a failure
got = 0
while part := os.read(r, 65536):
    got += len(part)
check(got, sent)
cat.fail(55, r'\(1 bytes sent, %d bytes received\)' % sent)
PY
}

@test "An idle limit ends a session whose standard output nobody reads" {
    drive <<'PY'
from drive import *
listener = tcp()
r, w = os.pipe()
cat = Cat('--idle-timeout', '0.3', '127.0.0.1', str(listener.getsockname()[1]),
          stdin=subprocess.PIPE, stdout=w)
os.close(w)
peer = accept(listener)
pour(peer, 4000000)
cat.fail(28, 'nothing moved')
PY
}

@test "A signal ends a session that has failed and waits for its reader" {
    drive <<'PY'
from drive import *
listener = tcp()
r, w = os.pipe()
cat = Cat('127.0.0.1', str(listener.getsockname()[1]), stdin=subprocess.PIPE, stdout=w)
os.close(w)
peer = accept(listener)
ends = peer.getpeername()[1], peer.getsockname()[1]
cat.process.stdin.write(b'a')
cat.process.stdin.flush()
check(peer.recv(1), b'a')  # the session has begun
unread = 0
while unread < 65536:  # until all is full up to the socket, so that it sleeps and reads no more
    pour(peer, 1 << 20)
    cat.rest()
    unread = tcp_sockets(*ends)[0][1]
reset(peer)
until(lambda: not tcp_sockets(*ends), 'the reset')
cat.process.stdin.write(b'q')
cat.process.stdin.flush()
until(lambda: in_pipe(cat.process.stdin.fileno()) == 0, 'reading of the input')
cat.rest()  # the send has failed
check(cat.process.poll(), None)
cat.send(signal.SIGINT)
cat.fail(55, 'send to')
PY
}

# endless ARG...: the input ends while the peer sends without end, and more than the reader takes.
endless() {
    drive "$@" <<'PY'
from drive import *
listener = tcp()
r, w = os.pipe()
cat = Cat(*sys.argv[1:], '127.0.0.1', str(listener.getsockname()[1]), stdin=subprocess.PIPE, stdout=w)
os.close(w)
peer = accept(listener)
peer.settimeout(None)
def fire():
    try:
        while True:
            peer.sendall(b'x' * (1 << 24))
    except OSError:
        pass
threading.Thread(target=fire, daemon=True).start()
# As nobody reads, all is full up to the socket, and from here on it is never found empty.
until(lambda: tcp_sockets(peer.getpeername()[1], peer.getsockname()[1])[0][1] > 65536, 'data that nobody takes')
cat.rest()
cat.process.stdin.close()
end = time.monotonic() + LIMIT
while os.read(r, 8192):
    time.sleep(0.005)
    if time.monotonic() > end:
        sys.exit('it goes on and on')
cat.end(0)
PY
}

@test "--until=stdin ends although the peer sends more than the reader takes" {
    endless --until=stdin
}

@test "--until=either ends although the peer sends more than the reader takes" {
    endless --until=either
}

# ---- standard streams of other kinds ----

@test "What is received reaches the slave when standard output is the master of a terminal" {
    drive <<'PY'
from drive import *
master, slave = raw_pty()
listener = tcp()
cat = Cat('-d', '127.0.0.1', str(listener.getsockname()[1]), stdout=master)
peer = accept(listener)
peer.sendall(b'through the master\n')
peer.close()
cat.end()
check(shown(slave, b'through the master\n'), b'through the master\n')
PY
}

@test "What the slave says is sent when standard input is the master of a terminal" {
    drive <<'PY'
from drive import *
master, slave = raw_pty()
listener = tcp()
cat = Cat('127.0.0.1', str(listener.getsockname()[1]), stdin=master)
peer = accept(listener)
os.write(slave, b'typed\n')
check(peer.recv(100), b'typed\n')
PY
}

@test "What a terminal did not take at once is shown as soon as it can, without further data" {
    drive <<'PY'
from drive import *
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
PY
}

@test "When standard input and output are one socket, its other side sees the end" {
    drive <<'PY'
from drive import *
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
PY
}

# message_output KIND: 3 MB of a stream go to standard output as messages.
message_output() {
    drive "$1" <<'PY'
from drive import *
here, there = socket.socketpair(socket.AF_UNIX, getattr(socket, sys.argv[1]))
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
PY
}

@test "A stream of any length arrives on a datagram socket as standard output" {
    message_output SOCK_DGRAM
}

@test "A stream of any length arrives on a seqpacket socket as standard output" {
    message_output SOCK_SEQPACKET
}

@test "An empty datagram arrives on a datagram socket as standard output" {
    drive <<'PY'
from drive import *
here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
here.settimeout(LIMIT)
s = udp()
cat = Cat('-u', '-q', '0.1', '127.0.0.1', str(s.getsockname()[1]), stdin=subprocess.PIPE, stdout=there)
cat.process.stdin.write(b'hello')
cat.process.stdin.flush()
data, client = s.recvfrom(10)
for message in b'one', b'', b'two':
    s.sendto(message, client)
check([here.recv(10) for _ in range(3)], [b'one', b'', b'two'])
cat.process.stdin.close()
cat.end()
PY
}

@test "A seqpacket socket on standard input is left with the options it had" {
    drive <<'PY'
from drive import *
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
PY
}

@test "The final message gets through a standard error that is full for a moment" {
    hold_port
    drive "$held" <<'PY'
from drive import *
for attempt in range(10):
    r, w = os.pipe()
    fcntl.fcntl(w, 1031, 4096)  # F_SETPIPE_SZ: one page, of which a part is used
    os.write(w, b'z')
    began = time.monotonic()
    cat = subprocess.Popen([os.environ['SOCKCAT'], '127.0.0.1', sys.argv[1]], stdin=subprocess.DEVNULL,
                           stderr=w)
    os.close(w)
    def waits():
        with open('/proc/%d/stat' % cat.pid) as file:
            return file.read().rpartition(')')[2].split()[0] in 'SZ'
    # A process that has just begun may sleep for other reasons: it has to be seen asleep for long.
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
PY
}

# ---- datagrams ----

@test "Datagrams of a burst that the kernel dropped are reported, although none came after them" {
    drive <<'PY'
from drive import *
s = udp()
cat = Cat('-v', '-u', '-q', '0.3', '127.0.0.1', str(s.getsockname()[1]), stdin=subprocess.PIPE)
cat.process.stdin.write(b'hello')
cat.process.stdin.flush()
data, client = s.recvfrom(10)
cat.stop()
for _ in range(3000):
    s.sendto(b'y' * 1000, client)
cat.go()
cat.process.stdin.close()
arrived = len(cat.end()) // 1000
dropped = re.findall(r'(\d+)[a-z ]* dropped', cat.errors())
check(dropped, [str(3000 - arrived)])
PY
}

@test "A UDP client does not share its own port with another socket" {
    drive <<'PY'
from drive import *
server = udp()
where = '127.0.0.1', str(server.getsockname()[1])
# It would share its port with others that would share it, too.
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', 0))
cat = Cat('-u', '-s', '127.0.0.1', '-p', str(s.getsockname()[1]), *where, stdin=subprocess.PIPE)
cat.fail(45, 'bind 127.0.0.1:.*in use')
PY
}

@test "Datagrams of strangers do not hide the peer's own at the end" {
    drive <<'PY'
from drive import *
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
PY
}

# asked_address ARG...: a UDP listener on all addresses answers a client that takes answers only
# from the address that it asked.
asked_address() {
    drive "$@" <<'PY'
from drive import *
cat = Cat('-u', '-l', *sys.argv[1:], '0', stdin=subprocess.PIPE)
s = udp()
s.connect(('127.0.0.7', int(cat.where)))
s.send(b'question')
cat.await_output(b'question')
cat.process.stdin.write(b'answer')
cat.process.stdin.flush()
check(s.recv(100), b'answer')
PY
}

@test "A UDP listener on all addresses answers from the one that was asked" {
    asked_address -4
}

@test "A UDP listener for both families answers from the IPv4 address that was asked" {
    need_ipv6
    asked_address
}

# ---- Unix sockets ----

@test "Standard input that ends after a Unix peer has answered and gone is a success" {
    drive <<'PY'
from drive import *
listener = unix(name=T + '/s')
listener.listen(1)
r, w = os.pipe()
cat = Cat('-U', T + '/s', stdin=subprocess.PIPE, stdout=w)
os.close(w)
cat.process.stdin.write(b'q')
cat.process.stdin.flush()
peer = accept(listener)
check(peer.recv(10), b'q')
peer.sendall(b'answer')
peer.close()
check([os.read(r, 10), os.read(r, 10)], [b'answer', b''])  # it has seen the end
cat.rest()
cat.process.stdin.close()
cat.end(0)
PY
}

@test "Standard input that has data after a Unix peer has gone is a failed send" {
    drive <<'PY'
from drive import *
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
PY
}

@test "A Unix listener takes its path from -s" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-U', '-s', T + '/s')
check(cat.where, T + '/s')
s = unix()
s.connect(T + '/s')
s.sendall(b'hello')
s.close()
check(cat.end(0), b'hello')
PY
}

@test "A Unix listener with -s and another path is a usage error" {
    LIMIT=10 assert_fails 2 'one too many' sockcat -l -U -s "$T/a" "$T/b"
    [ ! -e "$T/a" ] && [ ! -e "$T/b" ]
}

# ---- TCP urgent data ----

@test "An urgent byte keeps its place in what a client receives" {
    drive <<'PY'
from drive import *
listener = tcp()
cat = Cat('127.0.0.1', str(listener.getsockname()[1]))
peer = accept(listener)
peer.sendall(b'ab')
peer.send(b'X', socket.MSG_OOB)
peer.sendall(b'cd')
peer.close()
check(cat.end(), b'abXcd')
PY
}

@test "An urgent byte that came before the listener looked keeps its place" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '127.0.0.1', '0')
cat.stop()
peer = socket.create_connection(cat.address())
peer.sendall(b'ab')
peer.send(b'X', socket.MSG_OOB)
peer.sendall(b'cd')
peer.close()
cat.go()
check(cat.end(), b'abXcd')
PY
}

# ---- statuses and messages ----

@test "The message of the idle limit begins with the operation" {
    drive <<'PY'
from drive import *
listener = tcp()
cat = Cat('--idle-timeout', '0.2', '127.0.0.1', str(listener.getsockname()[1]), stdin=subprocess.PIPE)
peer = accept(listener)
cat.fail(28, 'nothing moved for 200 ms')
check(bool(re.search(r'^sockcat: [a-z ]+ 127\.0\.0\.1:\d+: nothing', cat.errors())), True, cat.errors())
PY
}

@test "A probe of what cannot be reached is no answer, a refusal is one" {
    hold_port
    assert_fails 7 'Network is unreachable' sockcat -z 255.255.255.255 9
    assert_fails 7 'No such file' sockcat -z -U "$T/nothing"
    assert_fails 1 'refused' sockcat -z 127.0.0.1 "$held"
}

@test "SIGUSR1 gives exactly one line, also when there are more counts than usual" {
    drive <<'PY'
from drive import *
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
check(bool(re.search(r'6 bytes received.*3 datagrams from others', lines[0])), True, lines[0])
PY
}

@test "SIGUSR1 gives exactly one line while a connection is being made" {
    drive <<'PY'
from drive import *
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
PY
}
