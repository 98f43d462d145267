#!/usr/bin/env bats
# Endpoints: one word or two, with a scheme or without, to connect to and to listen on; sockets that
# are inherited; names that are none, addresses written oddly, and passwords that nobody may see.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, result, held, netns
bats_require_minimum_version 1.5.0
load lib/helper

# reaches ARG...: the client with these arguments exchanges words with the peer that is running.
reaches() {
    local code=0
    sockcat -W 1 "$@" <<<hello >"$T/client.out" 2>"$T/client.err" || code=$?
    [ "$code" -eq 0 ] || fail "status $code for: $*: $(cat "$T/client.err")" || return
    assert_equal "$(cat "$T/client.out")" world
    assert_peer_done
}

# talks WHERE...: a client at these operands reaches the listener that is running.
talks() {
    sockcat -q 0.2 "$@" <<<hello || fail "status $? for: $*" || return
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
}

# ---- one word, to connect to ----

@test "host:port is connected to" {
    start_peer expect:'hello\n' send:world shutwr recvall
    reaches "127.0.0.1:$peer_port"
    start_peer expect:'hello\n' send:world shutwr recvall
    reaches "localhost:$peer_port" -4
}

@test "[::1]:port is connected to" {
    need_ipv6
    start_peer --listen tcp6 expect:'hello\n' send:world shutwr recvall
    reaches "[::1]:$peer_port"
    start_peer --listen tcp6 expect:'hello\n' send:world shutwr recvall
    reaches -6 "tcp://[::1]:$peer_port"
}

@test "[::1] and a port in two words are connected to, too" {
    need_ipv6
    start_peer --listen tcp6 expect:'hello\n' send:world shutwr recvall
    reaches '[::1]' "$peer_port"
}

@test "tcp://host:port is connected to" {
    start_peer expect:'hello\n' send:world shutwr recvall
    reaches "tcp://127.0.0.1:$peer_port"
}

@test "udp://host:port is sent datagrams" {
    start_peer --listen udp expect:'hello\n' send:world
    reaches "udp://127.0.0.1:$peer_port"
}

@test "udp://[::1]:port is sent datagrams" {
    need_ipv6
    start_peer --listen udp6 expect:'hello\n' send:world
    reaches "udp://[::1]:$peer_port"
}

@test "udp:// beside -u is the same" {
    start_peer --listen udp expect:'hello\n' send:world
    reaches -u "udp://127.0.0.1:$peer_port"
    start_peer --listen udp expect:'hello\n' send:world
    reaches -u "127.0.0.1:$peer_port"
}

@test "unix:/path is connected to" {
    start_peer --listen "unix:$T/socket" expect:'hello\n' send:world shutwr recvall
    reaches "unix:$T/socket"
}

@test "unix:path may be relative" {
    cd "$T"
    start_peer --listen "unix:socket" expect:'hello\n' send:world shutwr recvall
    reaches unix:socket
    rm socket
    start_peer --listen "unix:socket" expect:'hello\n' send:world shutwr recvall
    reaches unix:./socket
}

@test "unix:@name is an abstract name" {
    start_peer --listen "unix:@sockcat-$$-$BATS_TEST_NUMBER" expect:'hello\n' send:world shutwr recvall
    reaches "unix:@sockcat-$$-$BATS_TEST_NUMBER"
}

@test "unix: with -u is a datagram socket, with --seqpacket it keeps messages" {
    start_peer --listen "unixdgram:$T/one" expect:'hello\n' send:world
    reaches -u "unix:$T/one"
    start_peer --listen "seqpacket:$T/two" expect:'hello\n' send:world
    reaches --seqpacket "unix:$T/two"
}

@test "a scheme satisfies the needs of an option as the option that it stands for does" {
    start_peer --listen udp expect:'hello\n' send:world
    reaches -b "udp://127.0.0.1:$peer_port"
    start_listener -d -W 1 --join 239.1.2.3%lo udp://127.0.0.1:0
    talks "udp://127.0.0.1:$port"
    for words in '--seqpacket unix:/nonexistent' '--seqpacket vsock://1:9'; do
        # shellcheck disable=SC2086 # words
        client $words </dev/null
        [ "$status" -eq 7 ] || [ "$status" -eq 4 ] || fail "status $status for $words"
    done
}

@test "no character in a path has a second meaning" {
    cd "$T"
    for name in 'a:80' 'tcp:' 'a@b' '%41%' 'a b' '[::1]:80' '*' 'a,b' 'a#b?c=d&e' '~' "\$T" 'x\ny' 'unix:x' '"' "a'b" $'\u00e9' -; do
        start_peer --listen "unix:$T/$name" expect:'hello\n' send:world shutwr recvall
        reaches "unix:$name" || fail "for unix:$name"
        rm -- "$name"
        start_peer --listen "unix:$T/$name" expect:'hello\n' send:world shutwr recvall
        reaches -U -- "$name" || fail "for -U $name"
        rm -- "$name"
    done
}

@test "after -U a word with a scheme is a path as it stands" {
    cd "$T"
    mkdir -p tcp: udp: fd: unix:
    for name in tcp://127.0.0.1:80 udp://x:1 fd://3 unix:x unix:/y 127.0.0.1:80; do
        start_peer --listen "unix:$name" expect:'hello\n' send:world shutwr recvall
        reaches -U "$name" || fail "for $name"
    done
}

@test "vsock://cid:port is connected to" {
    python3 -c 'import socket; socket.socket(socket.AF_VSOCK).bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))' \
        2>/dev/null || skip "needs vsock in the kernel"
    drive <<'PY' || {
from drive import *
s = socket.socket(socket.AF_VSOCK)
s.settimeout(LIMIT)
try:
    s.bind((1, socket.VMADDR_PORT_ANY))
    s.listen()
    socket.socket(socket.AF_VSOCK).connect((1, s.getsockname()[1]))
except OSError:
    sys.exit(77)
s.accept()
cat = Cat('vsock://1:%d' % s.getsockname()[1])
c, _ = s.accept()
c.sendall(b'hello')
c.close()
check(cat.end(), b'hello')
PY
        code=$?
        [ "$code" -ne 77 ] || skip "needs the vsock loopback"
        return "$code"
    }
}

@test "vsock:// where nobody is, is 7 or 4 and names context and port" {
    code=0
    sockcat vsock://1:4711 </dev/null 2>"$T/err" || code=$?
    [ "$code" -eq 7 ] || [ "$code" -eq 4 ] || fail "status $code"
    assert_one_error "$T/err" 'connect 1:4711: '
}

@test "-s and -p go with one word, too" {
    hold_port
    own=$held
    stop_all
    start_listener -v 127.0.0.1 0
    sockcat -s 127.0.0.7 "127.0.0.1:$port" </dev/null
    finish "$listener"
    assert_line '^sockcat: connection from 127\.0\.0\.7:' "$T/listener.err"
    start_listener -v 127.0.0.1 0
    sockcat -p "$own" "tcp://127.0.0.1:$port" </dev/null
    finish "$listener"
    assert_line "^sockcat: connection from 127\.0\.0\.1:$own\$" "$T/listener.err"
}

@test "a service's name is a port in one word, too" {
    assert_fails 3 "port 'no-such-service'" sockcat 127.0.0.1:no-such-service </dev/null
    code=0
    sockcat -s 192.0.2.1 127.0.0.1:http </dev/null 2>"$T/err" || code=$?
    assert_equal "$code" 45
    assert_one_error "$T/err" 'connect 127\.0\.0\.1:80: bind'
}

# ---- one word, to listen on ----

@test "-l host:port listens there" {
    start_listener -d 127.0.0.1:0
    talks "127.0.0.1:$port"
}

@test "-l [::1]:port listens there" {
    need_ipv6
    start_listener -d '[::1]:0'
    assert_line 'listening on \[::1\]:' "$T/listener.err"
    talks "[::1]:$port"
}

@test "-l *:port listens on every address, as two words, too" {
    for words in '*:0' '* 0' 'tcp://*:0'; do
        read -r -a list <<<"$words"
        start_listener -d "${list[@]}"
        talks "127.0.0.1:$port"
    done
    need_ipv6
    start_listener -d '*:0'
    talks "[::1]:$port"
}

@test "-l *:port with -4 or -6 is of that family alone" {
    need_ipv6
    start_listener -d -6 '*:0'
    assert_fails 7 'refused' sockcat "127.0.0.1:$port" </dev/null
    talks "[::1]:$port"
    start_listener -d -4 '*:0'
    assert_fails 7 'refused' sockcat "[::1]:$port" </dev/null
    talks "127.0.0.1:$port"
}

@test "-l tcp://host:port listens there" {
    start_listener -d tcp://127.0.0.1:0
    talks "127.0.0.1:$port"
}

@test "-l udp://host:port hears datagrams" {
    start_listener -d -W 1 udp://127.0.0.1:0
    talks -u 127.0.0.1 "$port"
}

@test "-l unix:path listens there" {
    start_listener -d "unix:$T/a socket:80"
    [ -S "$T/a socket:80" ] || fail "there is no socket"
    talks -U "$T/a socket:80"
    [ ! -e "$T/a socket:80" ] || fail "the socket was left"
}

@test "-l unix:path may be relative, and be a datagram socket's" {
    cd "$T"
    start_listener -d unix:socket
    talks unix:./socket
    start_listener -d -u -W 1 unix:socket
    talks -u unix:socket
}

@test "-l unix:@name listens on an abstract name" {
    start_listener -d "unix:@sockcat-$$-$BATS_TEST_NUMBER"
    talks -U "@sockcat-$$-$BATS_TEST_NUMBER"
}

@test "-l -U takes a word with a scheme as a path" {
    cd "$T"
    mkdir -p tcp:
    start_listener -d -U tcp://x:1
    [ -S tcp://x:1 ] || fail "there is no socket"
    talks -U tcp://x:1
}

@test "-l -p 0 ::1 listens there" {
    need_ipv6
    start_listener -d -p 0 ::1
    assert_line 'listening on \[::1\]:' "$T/listener.err"
    talks "[::1]:$port"
}

@test "-z host:port probes one port" {
    start_peer recvall
    sockcat -z "127.0.0.1:$peer_port" </dev/null
    assert_peer_done
    hold_port
    assert_fails 1 "connect 127.0.0.1:$held: Connection refused" sockcat -z "127.0.0.1:$held" </dev/null
    assert_fails 1 "connect 127.0.0.1:$held: Connection refused" sockcat -z "tcp://127.0.0.1:$held" </dev/null
}

@test "-z unix:path probes a Unix socket" {
    start_peer --listen "unix:$T/socket" recvall
    sockcat -z "unix:$T/socket" </dev/null
    assert_peer_done
    assert_fails 1 'Connection refused' sockcat -z "unix:$T/socket" </dev/null
}

# ---- what does not go together, and words that are none ----

@test "a scheme and an option that contradict each other are 2, and both are named" {
    while read -r scheme option words; do
        read -r -a list <<<"$words"
        wanted="$scheme'?: it cannot be used together with $option|option $option: it cannot be used together with '?$scheme"
        # The options behind the endpoint or in front of it.
        assert_fails 2 "$wanted" sockcat "${list[@]}" </dev/null || fail "for $words"
        assert_fails 2 "$wanted" sockcat "${list[@]:1}" "${list[0]}" </dev/null || fail "for $words, turned"
    done <<'TABLE'
tcp:// --udp tcp://a:1 -u
tcp:// --vsock tcp://a:1 --vsock
tcp:// --sctp tcp://a:1 --sctp
tcp:// --udplite tcp://a:1 --udplite
udp:// --udplite udp://a:1 --udplite
udp:// --sctp udp://a:1 --sctp
udp:// --mptcp udp://a:1 --mptcp
udp:// --telnet udp://a:1 -t
udp:// --nodelay udp://a:1 --nodelay=on
udp:// --vsock udp://2:1 --vsock
unix: --ipv4 unix:a -4
unix: --ipv6 unix:a -6
unix: --source-port unix:a -p1
unix: --mptcp unix:a --mptcp
unix: --vsock unix:a --vsock
unix: --tos unix:a -Tef
unix: --interface unix:a --interface=lo
vsock:// --ipv4 vsock://2:1 -4
vsock:// --ipv6 vsock://2:1 -6
vsock:// --mptcp vsock://2:1 --mptcp
vsock:// --source vsock://2:1 -s127.0.0.1
fd:// --ipv4 fd://3 -4
fd:// --ipv6 fd://3 -6
fd:// --udp fd://3 -u
fd:// --source fd://3 -s127.0.0.1
fd:// --source-port fd://3 -p1
fd:// --seqpacket fd://3 --seqpacket
fd:// --mptcp fd://3 --mptcp
fd:// --sctp fd://3 --sctp
fd:// --udplite fd://3 --udplite
fd:// --vsock fd://3 --vsock
TABLE
}

@test "a message about a scheme calls it an endpoint, not an option" {
    assert_fails 2 "^sockcat: endpoint 'unix:': it cannot be used together with --ipv4\$" sockcat unix:a -4 </dev/null
    assert_fails 2 "^sockcat: endpoint 'vsock://': it cannot be used together with --ipv6\$" sockcat vsock://2:1 -6 </dev/null
    assert_fails 2 "^sockcat: endpoint 'fd://': it cannot be used together with --ipv6\$" sockcat fd://3 -6 </dev/null
}

@test "a word that is no endpoint is 3, and the message helps" {
    while IFS='|' read -r word pattern; do
        for listen in '' -l; do
            # shellcheck disable=SC2086 # nothing or one word
            assert_fails 3 "$pattern" sockcat $listen -- "$word" </dev/null || fail "for $listen $word"
        done
    done <<'TABLE'
http://a:80|begins with tcp://, udp://, unix:, vsock:// or fd://
TCP://a:80|begins with tcp://
tls://a:443|begins with tcp://
://a:80|
tcp:/a:80|
tcp://|port is missing
tcp://a|port is missing, as in tcp://a:80
udp://a|port is missing, as in udp://a:80
tcp://[::1]|port is missing
[::1]|
[::1]:|port ''
[::1:80|the '\]' is missing
[::1]80|behind the '\]'
[::1]x:80|behind the '\]'
[]:80|host
[1.2.3.4]:80|not an IPv6 address
[localhost]:80|not an IPv6 address
[::1%lo]:80|only a link-local address has an interface
[fe80::1]:80|needs its interface
[fe80::1%nosuch0]:80|no such interface
tcp://::1:80|an IPv6 address stands in brackets
1.2.3.4:|port ''
1.2.3.4:80x|port '80x'
1.2.3.4:65536|port '65536': it goes from 0 to 65535
1.2.3.4:-1|port '-1'
1.2.3.4: 80|port ' 80'
tcp://1.2.3.4:80/|port '80/'
tcp://1.2.3.4:80/path|port '80/path'
:80|it has no host
tcp://:80|it has no host
:|it has no host
a:b:c|
vsock://x:1|context 'x'
vsock://2:x|port 'x'
vsock://2|port is missing
vsock://4294967296:1|context '4294967296'
vsock://-1:1|context '-1'
unix:|path ''
unix:@|path '@'
fd://|descriptor
fd://x|descriptor
fd://-1|descriptor
fd://3x|descriptor
fd:// 3|descriptor
fd://4294967299|descriptor
fd://0|it is no socket
fd://1|from 3
fd://2|from 3
fd://999|fd://999': Bad file descriptor
TABLE
}

@test "every address is no address to connect to" {
    assert_fails 3 "host '\*'" sockcat '*:80' </dev/null
    assert_fails 3 "host '\*'" sockcat '*' 80 </dev/null
    assert_fails 3 "host '\*'" sockcat -z '*:80' </dev/null
}

@test "port 0 is none to connect to" {
    for words in '127.0.0.1:0' '127.0.0.1 0' 'udp://127.0.0.1:0' '-z 127.0.0.1:0' '-z 127.0.0.1 0'; do
        # shellcheck disable=SC2086 # words
        assert_fails 3 "port '0': nobody can listen there" sockcat $words </dev/null || fail "for $words"
    done
}

@test "a path of a socket that is too long is 3, with its length, in either spelling" {
    long=$(printf '%0108d' 0)
    for words in "-U $long" "unix:$long" "-lU $long" "-l unix:$long"; do
        # shellcheck disable=SC2086 # words
        assert_fails 3 '108 bytes, and a socket.s path has at most 107' sockcat $words </dev/null || fail "for $words"
    done
    cd "$T"
    start_listener -d "unix:${long:1}"
    talks "unix:${long:1}"
    start_listener -d "unix:@${long:1}"
    talks "unix:@${long:1}"
}

# ---- sockets that are there already ----

# fds <SCRIPT: as drive, with "from fds import *": run(descriptor, words..., input, status).
fds() {
    need python3
    cat >"$T/fds.py" <<'PY'
from drive import *

def at(fd, words):
    return [os.environ['SOCKCAT']] + [w.replace('fd://N', 'fd://%d' % fd) for w in words]

def begin(sock, *words):
    """Runs it with this socket; "fd://N" names it."""
    return subprocess.Popen(at(sock.fileno(), words), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, pass_fds=[sock.fileno()])

def end(process, status=0, data=None):
    try:
        out, err = process.communicate(data, LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        sys.exit('it did not end: %r' % (process.communicate(),))
    check(process.returncode, status, repr(err))
    return out, err

def refused(sock, pattern, *words, status=3):
    out, err = end(begin(sock, *words), status)
    if out or not re.fullmatch(rb'sockcat: [^\n]*\n', err) or not re.search(pattern, err):
        sys.exit('%r: not one line with %r: %r' % (words, pattern, err))

def blocking(sock):
    return fcntl.fcntl(sock, fcntl.F_GETFL) & os.O_NONBLOCK == 0

def unix(kind=socket.SOCK_STREAM):
    return socket.socket(socket.AF_UNIX, kind)

def all_of(sock):
    """What comes until the end."""
    sock.settimeout(LIMIT)
    return b''.join(iter(lambda: sock.recv(65536), b''))
PY
    { echo "import os, sys; sys.path.insert(0, os.environ['T'])" && cat; } >"$T/script.py"
    drive <"$T/script.py"
}

@test "fd://N is a TCP connection: both directions, and each end by itself" {
    fds <<'PY'
from fds import *
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
# The end of our input is told; the answer comes after that.
check(all_of(peer), b'question')
peer.sendall(b'answer')
peer.close()
cat.stdin = None
out, err = end(cat)
check(out, b'answer')
check(b'closed 127.0.0.1:%d: 8 bytes sent, 11 bytes received\n' % server.getsockname()[1] in err, True, repr(err))
PY
}

@test "fd://N carries much, both ways" {
    fds <<'PY'
from fds import *
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
PY
}

@test "fd://N is a Unix connection, unnamed or named" {
    fds <<'PY'
from fds import *
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
PY
}

@test "fd://N is a UDP socket that has a peer" {
    fds <<'PY'
from fds import *
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
PY
}

@test "fd://N takes the options of a session and of a socket" {
    fds <<'PY'
from fds import *
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
PY
}

@test "fd://N is left blocking for others that have it" {
    fds <<'PY'
from fds import *
server = tcp()
for client, peer in socket.socketpair(), (socket.create_connection(server.getsockname()), accept(server)):
    peer.sendall(b'hello')
    peer.shutdown(socket.SHUT_WR)
    check(blocking(client), True)
    cat = begin(client, 'fd://N')
    check(cat.stdout.read(5), b'hello')
    check(end(cat, 0, b'world')[1], b'')
    check(blocking(client), True, 'it is non-blocking now')
PY
}

@test "fd://N has its other options as they were, too" {
    fds <<'PY'
from fds import *
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
PY
}

@test "fd://N counts as the kind of socket that it is, for what options need and exclude" {
    fds <<'PY'
from fds import *
peer, client = udp(), udp()
client.connect(peer.getsockname())
end(begin(client, '-b', '-q', '0', 'fd://N'), 0, b'')
refused(client, b'--telnet', '-t', 'fd://N', status=2)
one, two = socket.socketpair()
refused(one, b'--broadcast', '-b', 'fd://N', status=2)
refused(one, b'--ttl', '--ttl', '5', 'fd://N', status=2)
one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
refused(one, b'--telnet', '-t', 'fd://N', status=2)
PY
}

@test "-l fd://N takes its client from a socket that listens" {
    fds <<'PY'
from fds import *
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
PY
}

@test "-l fd://N that a signal ends leaves the listening socket blocking" {
    fds <<'PY'
from fds import *
server = tcp()
server.setblocking(True)
cat = begin(server, '-l', '-v', 'fd://N')
check(b'listening on' in cat.stderr.readline(), True)
cat.send_signal(signal.SIGTERM)
end(cat, -signal.SIGTERM)
check(blocking(server), True, 'O_NONBLOCK was left on the listening socket')
PY
}

@test "-l -k fd://N serves one client after another" {
    fds <<'PY'
from fds import *
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
PY
}

@test "-l fd://N takes Unix sockets, and does not remove the path of another" {
    fds <<'PY'
from fds import *
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
PY
}

@test "-l fd://N takes a UDP socket that is bound" {
    fds <<'PY'
from fds import *
server = udp()
cat = begin(server, '-l', '-d', '-W', '1', 'fd://N')
client = udp()
client.sendto(b'hello', server.getsockname())
check(end(cat)[0], b'hello')
PY
}

@test "-l fd://N says its port when it is ready" {
    fds <<'PY'
from fds import *
server = tcp()
ready, its = os.pipe()
cat = subprocess.Popen([os.environ['SOCKCAT'], '-l', '-d', '--ready-fd', str(its), 'fd://%d' % server.fileno()],
                       pass_fds=[its, server.fileno()], stdin=subprocess.DEVNULL)
os.close(its)
check(os.read(ready, 100), b'%d\n' % server.getsockname()[1])
socket.create_connection(server.getsockname()).close()
check(cat.wait(LIMIT), 0)
PY
}

@test "fd://N of the wrong kind is 3" {
    fds <<'PY'
from fds import *
with open('/dev/null', 'rb') as file:
    refused(file, b'no socket', 'fd://N')
    refused(file, b'no socket', '-l', 'fd://N')
ends = [os.fdopen(end) for end in os.pipe()]
refused(ends[0], b'no socket', 'fd://N')
refused(ends[0], b'no socket', '-l', 'fd://N')
server = tcp()
refused(server, b'it listens; write -l', 'fd://N')
refused(server, b'it listens; write -l', '-z', 'fd://N')
client = socket.create_connection(server.getsockname())
refused(client, b'does not listen', '-l', 'fd://N')
# Neither connected nor listening.
for sock in socket.socket(), udp(), unix(), unix(socket.SOCK_DGRAM):
    refused(sock, b'not connected|no peer', 'fd://N')
for sock in socket.socket(), unix():
    refused(sock, b'does not listen', '-l', 'fd://N')
refused(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0), b'no socket that can be used', 'fd://N')
PY
}

@test "-l fd://N with a datagram socket that has a peer is 3" {
    fds <<'PY'
from fds import *
sock, other = udp(), udp()
sock.connect(other.getsockname())
refused(sock, b'descriptor|fd://', '-l', '--idle-timeout', '1', 'fd://N')
PY
}

@test "fd://N with a raw socket is 3, and it is not taken for TCP" {
    fds <<'PY' || {
from fds import *
try:
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
except PermissionError:
    sys.exit(77)
sock.connect(('127.0.0.1', 7))
refused(sock, b'no socket that can be used', '--idle-timeout', '1', 'fd://N')
PY
        code=$?
        [ "$code" -ne 77 ] || skip "needs the right to open raw sockets"
        return "$code"
    }
}

@test "fd://N of a descriptor that is not open, or is standard output or error, is 3" {
    assert_fails 3 "fd://77': Bad file descriptor" sockcat fd://77 </dev/null 77>&-
    assert_fails 3 "fd://77': Bad file descriptor" sockcat -l fd://77 </dev/null 77>&-
    for n in 1 2 01 1x -3 '' 99999999999; do
        assert_fails 3 "fd://$n'.*from 3" sockcat "fd://$n" </dev/null || fail "for $n"
    done
    for n in 0 00; do
        assert_fails 3 "fd://0': it is no socket" sockcat "fd://$n" </dev/null
    done
}

# ---- the fault catalogue ----

@test "F93: a name that is none is refused before it is used, in one harmless line" {
    need_shim
    export SHIM_COUNT=$T/count
    long=$(printf 'a%.0s' {1..255})
    while IFS='|' read -r name shown cause; do
        name=$(printf %b "$name")
        for listen in '' -l; do
            # shellcheck disable=SC2086 # nothing or one word
            with_shim 'getaddrinfo:count:*' assert_fails 3 "host '$shown': .*$cause" sockcat $listen -- "$name" 80 </dev/null \
                || fail "for $listen $shown"
            ! grep -qs getaddrinfo "$T/count" || fail "the resolver was asked for $shown"
        done
        LC_ALL=C grep -q '[[:cntrl:]]' <(tr -d '\n' <"$T/fails.err") && fail "a control character: $shown"
        with_shim 'getaddrinfo:count:*' assert_fails 3 'host' sockcat -z -- "$name" 80 </dev/null || fail "for -z $shown"
        with_shim 'getaddrinfo:count:*' assert_fails 3 "host '$shown'" sockcat -- "$name:80" </dev/null || fail "for $shown:80"
    done <<TABLE
a b|a b|character
 a| a|character
a |a |character
a\\nb|a\\^Jb|character
a\\tb|a\\^Ib|character
a\\rb|a\\^Mb|character
a\\033[2Jb|a\\^\\[\\[2Jb|character
a\\177|a\\^\\?|character
a\\x9b2Jb|a\\\\x9b2Jb|not ASCII
a\\xff|a\\\\xff|not ASCII
b\\xc3\\xbccher.test|b.*cher.test|not ASCII; write its xn-- form
\\u202eabc|\\\\u202eabc|not ASCII
-oops|-oops|begins with '-'
a.-oops|a.-oops|begins with '-'
a..b|a..b|a part of the name is empty
.a|.a|a part of the name is empty
.|.|a part of the name is empty
a/b|a/b|character
a%lo|a%lo|character
a\$b|a\\\$b|character
a;b|a;b|character
$long|$long|longer than 254
TABLE
}

@test "F93: a name of the greatest length, with a dot at its end or with an underscore, is looked up" {
    need_shim
    hold_port
    label=$(printf 'a%.0s' {1..63})
    for name in localhost. some.test. a_b.test xn--bcher-kva.test _x._tcp.test 9a.test a9 "$label.$label.$label.${label:2}" \
        "$label.$label.$label.${label:2}."; do
        with_shim 'getaddrinfo:addresses=1:*' assert_fails 7 'Connection refused' sockcat "$name" "$held" </dev/null \
            || fail "for $name"
        with_shim 'getaddrinfo:addresses=1:*' assert_fails 7 'Connection refused' sockcat "$name:$held" </dev/null \
            || fail "for $name:port"
    done
}

@test "F94: an address that is written oddly is refused, never read as another, in every spelling" {
    for odd in 127.1 127 1 0x7f.1 0177.0.0.1 0x7f000001 2130706433 127.0.0.1.1 127.0.0.256 127.0.0.01 127.0.0.0x1 127.0.1 0 \
        4294967296 127.0.0.1. 1.2.3.4.5.6 0x 127.0.0.08; do
        for words in "$odd 80" "$odd:80" "tcp://$odd:80" "-l $odd 80" "-l $odd:0" "-z $odd 80" "-s $odd 127.0.0.1 80"; do
            # shellcheck disable=SC2086 # words
            assert_fails 3 "host '$odd': an IPv4 address is four decimal numbers|host '$odd': it is" sockcat $words </dev/null \
                || fail "for $words"
        done
    done
}

@test "F94: an IPv6 address that is none is refused" {
    for odd in ::1::1 1::2::3 12345:: ::g 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 ::1.2.3 ::1.2.3.256 '::1 ' ::1/64; do
        for words in "$odd 80" "[$odd]:80" "-l $odd 0" "-s $odd ::1 80"; do
            [[ $odd != *' ' ]] || words=${words// /_}
            IFS=_ read -r -a list <<<"${words// /_}"
            [[ $odd != *' ' ]] || list=("$odd" 80)
            assert_fails 3 'not an IPv6 address' sockcat "${list[@]}" </dev/null || fail "for $words"
        done
    done
}

@test "F94: an IPv4 address written as an IPv6 one is that IPv4 address" {
    need_ipv6
    for words in '::ffff:127.0.0.1 PORT' '[::ffff:127.0.0.1]:PORT' '::ffff:7f00:1 PORT' '-6 ::ffff:127.0.0.1 PORT'; do
        start_peer expect:'hello\n' send:world shutwr recvall
        # shellcheck disable=SC2086 # words
        reaches ${words//PORT/$peer_port} || fail "for $words"
    done
    assert_fails 3 'address of the other family' sockcat -4 ::ffff:127.0.0.1 80 </dev/null
}

@test "F94: [::1]:80 in two words is refused, and 1.2.3.4: has no port" {
    assert_fails 3 'IPv6 address' sockcat '[::1]:80' 80 </dev/null
    assert_fails 3 "port ''" sockcat 1.2.3.4: </dev/null
    assert_fails 3 "host '1.2.3.4:'" sockcat 1.2.3.4: 80 </dev/null
}

@test "F153: a password before an '@' appears nowhere, in any spelling of an endpoint" {
    # One word on each side of the '@' for each spelling; the word in front is never to be seen.
    while read -r words; do
        for verbose in '' -v -vvv; do
            code=0
            # shellcheck disable=SC2086 # words
            sockcat $verbose $words </dev/null >"$T/out" 2>"$T/err" || code=$?
            [ "$code" -eq 2 ] || [ "$code" -eq 3 ] || fail "status $code for: $words"
            ! grep -q 'secret\|user:' "$T/out" "$T/err" || fail "for $words: $(cat "$T/out" "$T/err")"
            assert_one_error "$T/err" . || fail "for $words"
        done
    done <<'TABLE'
user:secret@127.0.0.1:80
user:secret@127.0.0.1 80
user:secret@localhost 80
user:secret@[::1]:80
secret@127.0.0.1:80
secret@127.0.0.1 80
user:secret@
user:secret@ 80
user:secret@:80
user:secret@127.0.0.1
user:sec@ret:secret@127.0.0.1:80
tcp://user:secret@127.0.0.1:80
tcp://user:secret@127.0.0.1
tcp://user:secret@[::1]:80
udp://user:secret@127.0.0.1:80
vsock://user:secret@2:80
fd://user:secret@3
http://user:secret@127.0.0.1/
http://user:secret@127.0.0.1:80/
TCP://user:secret@127.0.0.1:80
tcp:user:secret@127.0.0.1:80
tcp://user:secret@127.0.0.1:80 80
127.0.0.1 user:secret@127.0.0.1:80
127.0.0.1 user:secret@80
127.0.0.1 80 user:secret@127.0.0.1:80
127.0.0.1:80 user:secret@127.0.0.1:80
-l user:secret@127.0.0.1:0
-l user:secret@127.0.0.1 0
-l 127.0.0.1 user:secret@0
-l user:secret@0
-l -p 0 user:secret@127.0.0.1
-l -s user:secret@127.0.0.1 0
-l -p user:secret@0
-l -p 0 tcp://user:secret@127.0.0.1:80
-s user:secret@127.0.0.1 127.0.0.1 80
--source=user:secret@127.0.0.1 127.0.0.1 80
-p user:secret@80 127.0.0.1 80
-z user:secret@127.0.0.1:80
-z user:secret@127.0.0.1 80
-z 127.0.0.1 user:secret@80
-z 127.0.0.1 80 user:secret@127.0.0.1:80
-z 127.0.0.1 80,user:secret@80
-u user:secret@127.0.0.1:80
-n user:secret@127.0.0.1 80
-6 user:secret@::1 80
-F user:secret@127.0.0.1:80
--vsock user:secret@2 80
--vsock 2 user:secret@80
--nodelay=x user:secret@127.0.0.1:80
--proxy=user:secret@127.0.0.1:80 127.0.0.1 80
-xuser:secret@127.0.0.1:80 127.0.0.1 80
-x user:secret@127.0.0.1:80 127.0.0.1 80
TABLE
}
