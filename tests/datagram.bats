# Datagrams: messages keep their boundaries, the empty one included, none is cut in silence, and
# although nothing tells a datagram peer's end every session has one.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, result
bats_require_minimum_version 1.5.0
load lib/helper

# ---- F66: empty datagrams ----

@test "F66: an empty datagram is data for a listener, not an end" {
    start_listener -u -q 0.6 127.0.0.1 0
    start_peer --connect "udp:127.0.0.1:$port" send:A send: send:B
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 AB"
    assert_equal "$(wc -l <"$T/listener.err")" 1
}

@test "F66: an empty datagram may be the first that a listener gets" {
    start_listener -u -q 0.6 127.0.0.1 0
    start_peer --connect "udp:127.0.0.1:$port" send: send: send:B
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 B"
}

@test "F66: an empty datagram is data for a client, not an end" {
    start_peer --listen udp recvdgram send:A send: send: send:B
    run sockcat -u -q 0.5 127.0.0.1 "$peer_port" <<<hello
    assert_status 0
    assert_equal "$output" AB
}

@test "F66: with -k an empty datagram is data, too" {
    start_listener -u -k -q 0.6 127.0.0.1 0
    start_peer --connect "udp:127.0.0.1:$port" send:A send: send:B
    until_true 20 grep -q AB "$T/listener.out"
}

@test "F66: an empty message of standard input goes out as an empty datagram" {
    drive <<'PY'
from drive import *
peer, (mine, yours) = udp(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
cat = Cat('-u', '-q', '0.2', '127.0.0.1', str(peer.getsockname()[1]), stdin=yours)
yours.close()
for message in (b'A', b'', b'B', b''):
    mine.send(message)
mine.close()
check([peer.recv(10) for _ in range(4)], [b'A', b'', b'B', b''])
cat.end()
check(cat.errors(), '')
PY
}

@test "F66: an empty datagram reaches a standard output that keeps messages" {
    drive <<'PY'
from drive import *
mine, yours = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
mine.settimeout(LIMIT)
cat = Cat('-l', '-u', '-q', '0.5', '127.0.0.1', '0', stdout=yours)
sender = udp()
for message in (b'A', b'', b'BC'):
    sender.sendto(message, cat.address())
check([mine.recv(10) for _ in range(3)], [b'A', b'', b'BC'])
cat.end()
PY
}

# ---- F67: large datagrams ----

@test "F67: datagrams of 40000 and of 65507 bytes arrive whole" {
    need socat
    for size in 40000 65507; do
        file=$(random_file "$size")
        start_listener -u -q 0.5 127.0.0.1 0
        socat -u -b 65507 "OPEN:$file" "UDP4-SENDTO:127.0.0.1:$port"
        finish "$listener"
        assert_equal "$result" 0
        assert_same "$T/listener.out" "$file"
    done
}

@test "F67: the largest datagram of IPv6, of 65527 bytes, arrives whole" {
    grep -qs '^0\{31\}1 ' /proc/net/if_inet6 || skip "needs IPv6 on lo"
    file=$(random_file 65527)
    start_listener -u -q 0.5 ::1 0
    start_peer --connect "udp:[::1]:$port" "sendfile:$file"
    finish "$listener"
    assert_equal "$result" 0
    assert_same "$T/listener.out" "$file"
}

@test "F67: a reply of 65507 bytes arrives whole at a client" {
    start_peer --listen udp recvdgram sendrand:7:40000 sendrand:8:25507 "sendfile:$(random_file 65507)"
    sockcat -u -q 0.5 127.0.0.1 "$peer_port" <<<hello >"$T/out"
    cat "$(random_file 40000 7)" "$(random_file 25507 8)" "$(random_file 65507)" >"$T/wanted"
    assert_same "$T/out" "$T/wanted"
}

@test "F67: what one read of standard input gives is one datagram, up to 65507 bytes" {
    start_peer --listen udp recvdgram count sha256
    file=$(random_file 65507)
    sockcat -u -q 0 127.0.0.1 "$peer_port" <"$file"
    finish "$peer"
    assert_equal "$(tail -n 2 "$T/peer.out")" "65507"$'\n'"$(sha256sum <"$file" | cut -d ' ' -f 1)"
}

@test "F67: messages of standard input keep their boundaries" {
    drive <<'PY'
from drive import *
peer, (mine, yours) = udp(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
cat = Cat('-u', '-q', '0.2', '127.0.0.1', str(peer.getsockname()[1]), stdin=yours)
yours.close()
for size in (1, 40000, 2, 65507, 3):
    message = os.urandom(size)
    mine.send(message)
    if peer.recv(65536) != message:
        sys.exit('the message of %d bytes changed' % size)
mine.close()
cat.end()
PY
}

@test "F67: a datagram that is larger than the buffer is an error, and what came before is kept" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-U', '-u', T + '/socket')
sender = unix(socket.SOCK_DGRAM)
sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
sender.sendto(b'before', cat.where)
cat.await_output(b'before')
sender.sendto(bytes(300000), cat.where)
cat.fail(18, 'receive from .*: a datagram is longer than [0-9]+ bytes')
check(cat.output(), b'before')
PY
}

@test "F67: a message of standard input that is larger than the buffer is an error" {
    drive <<'PY'
from drive import *
peer, (mine, yours) = udp(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
cat = Cat('-u', '-q', '0', '127.0.0.1', str(peer.getsockname()[1]), stdin=yours)
mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
mine.send(bytes(300000))
cat.fail(18, 'read standard input: a message is longer than [0-9]+ bytes')
peer.settimeout(0)
try:
    sys.exit('a part of it was sent: %d bytes' % len(peer.recv(65536)))
except BlockingIOError:
    pass
PY
}

# ---- F68: what does not fit into a datagram ----

@test "F68: a file that is larger than a datagram goes in datagrams of at most 65507 bytes" {
    drive "$(random_file 150000)" <<'PY'
from drive import *
peer, got = udp(), []
with open(sys.argv[1], 'rb') as file:
    wanted = file.read()
with open(sys.argv[1], 'rb') as file:
    cat = Cat('-u', '-q', '0.2', '127.0.0.1', str(peer.getsockname()[1]), stdin=file)
while sum(map(len, got)) < len(wanted):
    got.append(peer.recv(65536))
cat.end()
check(max(map(len, got)), 65507)
if b''.join(got) != wanted:
    sys.exit('the bytes changed')
PY
}

@test "F68: a message of more than 65507 bytes is an error before anything of it is sent" {
    drive <<'PY'
from drive import *
peer, (mine, yours) = udp(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
cat = Cat('-u', '127.0.0.1', str(peer.getsockname()[1]), stdin=yours)
mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
mine.send(b'before')
check(peer.recv(65536), b'before')
mine.send(bytes(65508))
cat.fail(55, 'send to .*65508 bytes.*: Message too long')
peer.settimeout(0)
try:
    sys.exit('%d bytes were sent' % len(peer.recv(65536)))
except BlockingIOError:
    pass
PY
}

@test "F68: a datagram that is too large for the kernel is an error" {
    need_shim
    start_peer --listen udp "waitfor:$T/done" recvquiet:0.1 count
    with_shim sendmsg:EMSGSIZE:1 assert_fails 55 'send to 127.0.0.1:[0-9]+: Message too long' \
        sockcat -u 127.0.0.1 "$peer_port" <<<hello
    touch "$T/done"
    finish "$peer"
    assert_equal "$(tail -n 1 "$T/peer.out")" 0
}

@test "F68: a Unix datagram that is larger than the send buffer is an error" {
    file=$(random_file 60000)
    start_peer --listen "unixdgram:$T/socket" "waitfor:$T/done" recvquiet:0.1 count
    assert_fails 55 'send to .*: Message too long' sockcat -U -u -O 4096 "$T/socket" <"$file"
    touch "$T/done"
    finish "$peer"
    assert_equal "$(tail -n 1 "$T/peer.out")" 0
}

# ---- F69: nobody there ----

@test "F69: a client whose datagram is refused says so once and ends with 7" {
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        assert_fails 7 "connect 127.0.0.1:9: Connection refused" \
            sockcat -u 127.0.0.1 9 <<<hello
        assert_fails 7 "connect \[::1\]:9: Connection refused" sockcat -u ::1 9 <<<hello'
}

@test "F69: a refusal ends a client whose standard input stays open, without a second datagram" {
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        mkfifo "$T/in"
        exec 8<>"$T/in"
        echo hello >&8
        assert_fails 7 "connect 127.0.0.1:9: Connection refused" \
            sockcat -u 127.0.0.1 9 <"$T/in"'
}

@test "F69: a datagram that a packet filter rejects ends a client with 7" {
    need_netns
    need nft
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        nft -f - <<NFT || exit 77
table inet t {
    chain input {
        type filter hook input priority 0
        udp dport 5557 reject with icmpx type port-unreachable
        udp dport 5558 reject with icmpx type admin-prohibited
    }
}
NFT
        assert_fails 7 "connect 127.0.0.1:5557: Connection refused" \
            sockcat -u 127.0.0.1 5557 <<<hello
        assert_fails 7 "connect 127.0.0.1:5558: No route to host" \
            sockcat -u 127.0.0.1 5558 <<<hello' || {
        code=$?
        [ "$code" -ne 77 ] || skip "needs nftables in a network namespace"
        return "$code"
    }
}

@test "F69: a refusal that comes with a read, not with a send, is 7 as well" {
    need_shim
    with_shim recvmmsg:ECONNREFUSED:1:socket drive <<'PY'
from drive import *
peer = udp()
cat = Cat('-u', '127.0.0.1', str(peer.getsockname()[1]), stdin=subprocess.PIPE)
cat.process.stdin.write(b'hello')
cat.process.stdin.flush()
_, client = peer.recvfrom(100)
peer.sendto(b'answer', client)
cat.fail(7, 'connect .*: Connection refused')
PY
}

@test "F69: a listener whose answer is refused goes on, and hears its peer again" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-u', '127.0.0.1', '0', stdin=subprocess.PIPE)
first = udp()
port = first.getsockname()[1]
first.sendto(b'one', cat.address())
cat.await_output(b'one')
first.close()
for _ in range(3):
    cat.process.stdin.write(b'answer')
    cat.process.stdin.flush()
    time.sleep(0.05)  # time for the refusals; nothing can be waited for
again = udp(port=port)
again.sendto(b'two', cat.address())
cat.await_output(b'onetwo')
cat.process.stdin.write(b'answer')
cat.process.stdin.flush()
check(again.recv(100), b'answer')
check(len(cat.errors().splitlines()), 1)
cat.send(signal.SIGTERM)
cat.end(-signal.SIGTERM)
PY
}

# ---- F72: other senders ----

@test "F72: a listener's first peer is the peer, others are ignored and counted" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-u', '-v', '-q', '0.5', '127.0.0.1', '0', stdin=subprocess.PIPE)
a, b = udp(), udp()
a.sendto(b'a1', cat.address())
cat.await_output(b'a1')
for text in (b'b1', b'b2', b'b3'):
    b.sendto(text, cat.address())
a.sendto(b'a2', cat.address())
cat.await_output(b'a1a2')
cat.process.stdin.write(b'answer')
cat.process.stdin.close()
check(a.recv(100), b'answer')
b.settimeout(0)
try:
    sys.exit('the other one got %r' % b.recv(100))
except BlockingIOError:
    pass
check(cat.end(), b'a1a2')
if not re.search(r'\b3 datagrams from others (were )?ignored\b', cat.errors()):
    sys.exit('not counted: ' + cat.errors())
PY
}

@test "F72: a huge datagram of another sender is ignored, not an error" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-U', '-u', T + '/socket')
a, b = unix(socket.SOCK_DGRAM, T + '/a'), unix(socket.SOCK_DGRAM, T + '/b')
b.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
a.sendto(b'a1', cat.where)
cat.await_output(b'a1')
b.sendto(bytes(300000), cat.where)
a.sendto(b'a2', cat.where)
cat.await_output(b'a1a2')
PY
}

@test "F72: others' datagrams do not keep a session from its idle limit" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-u', '--idle-timeout', '1', '127.0.0.1', '0')
a, b = udp(), udp()
a.sendto(b'a1', cat.address())
cat.await_output(b'a1')
end = time.monotonic() + LIMIT
while cat.process.poll() is None and time.monotonic() < end:
    b.sendto(b'b', cat.address())
    time.sleep(0.02)
check(cat.end(28), b'a1')
PY
}

@test "F72: what others send to a client's port does not reach it" {
    drive <<'PY'
from drive import *
peer, other = udp(), udp()
cat = Cat('-u', '-q', '0.5', '127.0.0.1', str(peer.getsockname()[1]), stdin=subprocess.PIPE)
cat.process.stdin.write(b'hello')
cat.process.stdin.flush()
_, client = peer.recvfrom(100)
other.sendto(b'evil', client)
peer.sendto(b'good', client)
cat.await_output(b'good')
cat.process.stdin.close()
check(cat.end(), b'good')
PY
}

@test "F72: with -k the datagrams of every peer arrive" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-u', '-k', '127.0.0.1', '0')
wanted = b''
peers = [udp() for _ in range(5)]
for i in range(3):
    for n, peer in enumerate(peers):
        peer.sendto(b'%d' % n, cat.address())
        wanted += b'%d' % n
        cat.await_output(wanted)
cat.send(signal.SIGTERM)
check(cat.end(-signal.SIGTERM), wanted)
PY
}

# ---- F75: the end ----

@test "F75: a client ends after the silence that follows the end of its input" {
    start_peer --listen udp recvdgram
    start_seconds=${EPOCHREALTIME/./}
    run sockcat -u 127.0.0.1 "$peer_port" <<<hello
    assert_status 0
    elapsed=$(((${EPOCHREALTIME/./} - start_seconds) / 1000))
    [ "$elapsed" -ge 1900 ] || fail "it ended after $elapsed ms, before 2 s of silence"
}

@test "F75: a client waits for a late reply" {
    start_peer --listen udp recvdgram wait:1 send:late
    run sockcat -u 127.0.0.1 "$peer_port" <<<hello
    assert_status 0
    assert_equal "$output" late
}

@test "F75: every reply starts the silence again" {
    start_peer --listen udp recvdgram wait:0.6 send:1 wait:0.6 send:2 wait:0.6 send:3
    run sockcat -u -q 1.2 127.0.0.1 "$peer_port" <<<hello
    assert_status 0
    assert_equal "$output" 123
}

@test "F75: with -q 0 a client ends when all is sent" {
    start_peer --listen udp recvdgram count
    sockcat -u -q 0 127.0.0.1 "$peer_port" <<<hello
    finish "$peer"
    assert_equal "$(tail -n 1 "$T/peer.out")" 6
}

@test "F75: a client without anything to send ends as well" {
    start_peer --listen udp recvall
    run sockcat -u -q 0.2 127.0.0.1 "$peer_port" </dev/null
    assert_status 0
    assert_equal "$output" ""
}

@test "F75: a client whose input stays open is ended by the idle limit" {
    start_peer --listen udp recvdgram recvall
    mkfifo "$T/in"
    exec 8<>"$T/in"
    echo hello >&8
    assert_fails 28 'nothing moved for 500 ms' sockcat -u -w 0.5 127.0.0.1 "$peer_port" <"$T/in"
}

@test "F75: a listener goes on after the end of its input, and a signal ends it" {
    drive <<'PY'
from drive import *
cat, peer = Cat('-l', '-u', '127.0.0.1', '0'), udp()
peer.sendto(b'one', cat.address())
cat.await_output(b'one')
time.sleep(2.5)  # a client would have ended
peer.sendto(b'two', cat.address())
cat.await_output(b'onetwo')
cat.send(signal.SIGTERM)
cat.end(-signal.SIGTERM)
PY
}

@test "F75: a listener with -q ends after the silence, one with an idle limit with 28" {
    start_listener -u -q 0.2 127.0.0.1 0
    printf hello >"/dev/udp/127.0.0.1/$port"
    finish "$listener"
    assert_equal "$result" 0
    start_listener -u --idle-timeout 0.2 127.0.0.1 0
    printf hello >"/dev/udp/127.0.0.1/$port"
    finish "$listener"
    assert_equal "$result" 28
    assert_line 'nothing moved for 200 ms' "$T/listener.err"
}

@test "F75: a waiting datagram session does not use the processor" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-u', '127.0.0.1', '0', stdin=subprocess.PIPE)
udp().sendto(b'hello', cat.address())
cat.await_output(b'hello')
def ticks():
    with open('/proc/%d/stat' % cat.pid) as file:
        return sum(map(int, file.read().rpartition(')')[2].split()[11:13]))
before = ticks()
time.sleep(1)
if ticks() - before > 20:  # of 100
    sys.exit('%d %% of a processor' % (ticks() - before))
PY
}

# ---- F76: the kernel drops ----

@test "F76: datagrams that the kernel dropped are counted and reported with -v" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-u', '-v', '-I', '4096', '-q', '0.5', '127.0.0.1', '0')
peer = udp()
peer.sendto(b'first\n', cat.address())
cat.await_output(b'first\n')
cat.send(signal.SIGSTOP)
for i in range(500):
    peer.sendto(b'%090d\n' % i, cat.address())
cat.send(signal.SIGCONT)
line = re.compile(r'\n *\d+: 0100007F:%04X [0-9A-F]+:[0-9A-F]+ [0-9A-F]+ [0-9A-F]+:0{8} ' %
                  cat.address()[1])
def drained():
    with open('/proc/net/udp') as file:
        return line.search(file.read())
until(drained, 'an empty receive queue')
# The count comes with the next datagram that is received.
peer.sendto(b'last\n', cat.address())
got = cat.end().count(b'\n')
found = re.search(r'(\d+) (?:datagrams were )?dropped by the kernel\n', cat.errors())
if not found:
    sys.exit('not reported: ' + cat.errors())
check(got + int(found.group(1)), 502)
if got > 400:
    sys.exit('hardly anything was dropped: that was no test')
PY
}

@test "F76: without -v nothing is said, and with it no drops that were none" {
    drive <<'PY'
from drive import *
for options in (['-v'], []):
    cat = Cat('-l', '-u', '-q', '0.3', '127.0.0.1', '0', *options)
    peer = udp()
    peer.sendto(b'x', cat.address())
    cat.end()
    if re.search(r'[1-9]\d* (datagrams were )?dropped', cat.errors()):
        sys.exit(cat.errors())
    if not options:
        check(len(cat.errors().splitlines()), 1)
PY
}

# us (a0) -- router (r0, r1) -- peer (b0); the second link takes packets of 1280 bytes only.
small_link() {
    mkfifo hold
    unshare -n cat hold &
    router=$!
    unshare -n cat hold &
    peer=$!
    exec 7>hold
    until [ "$(readlink /proc/$router/ns/net)" != "$(readlink /proc/self/ns/net)" ] &&
        [ "$(readlink /proc/$peer/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do
        tick
    done
    ip link add a0 type veth peer name r0 netns "$router" || exit 77
    nsenter -t "$router" -n ip link add r1 type veth peer name b0 netns "$peer"
    ip address add 10.9.1.1/24 dev a0
    ip link set a0 up
    nsenter -t "$router" -n sh -c 'ip address add 10.9.1.2/24 dev r0; ip address add 10.9.2.2/24 dev r1
        ip link set r1 mtu 1280; ip link set r0 up; ip link set r1 up; echo 1 >/proc/sys/net/ipv4/ip_forward'
    nsenter -t "$peer" -n sh -c 'ip address add 10.9.2.1/24 dev b0; ip link set b0 mtu 1280; ip link set b0 up
        ip route add default via 10.9.2.2'
    ip route add default via 10.9.1.2
    # The first datagram is within our link's 1500 bytes, so it goes out whole and is not to be cut.
    local status=0
    head -c 1400 /dev/zero | "$SOCKCAT" -u -q 10 10.9.2.1 9 2>message || status=$?
    exec 7>&-
    wait "$router" "$peer"
    assert_equal "$status" 55
    assert_one_error message 'send to 10\.9\.2\.1:9: Message too long \(the path takes packets of 1280 bytes\)'
}

@test "F70: a datagram that the path does not take is reported with the path's MTU, once" {
    need_netns
    need ip nsenter
    cd "$T"
    export -f tick
    code=0
    in_netns small_link || code=$?
    [ "$code" -ne 77 ] || skip "needs veth"
    assert_equal "$code" 0
}

# ---- many peers ----

@test "with -k every peer has a session of its own" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-u', '-k', '--echo', '127.0.0.1', '0')
peers = [udp() for _ in range(30)]
for turn in range(3):
    for n, peer in enumerate(peers):
        peer.sendto(b'%d %d' % (n, turn), cat.address())
    for n, peer in enumerate(peers):
        check(peer.recv(100), b'%d %d' % (n, turn))
for size in 0, 1, 60000:
    peers[0].sendto(bytes(size), cat.address())
    check(peers[0].recv(65536), bytes(size))
PY
}

@test "with -k standard input goes to every peer that was heard" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-u', '-k', '127.0.0.1', '0', stdin=subprocess.PIPE)
peers = [udp() for _ in range(3)]
for n, peer in enumerate(peers):
    peer.sendto(b'%d' % n, cat.address())
cat.await_output(b'012')
cat.process.stdin.write(b'news')
cat.process.stdin.flush()
for peer in peers:
    check(peer.recv(100), b'news')
PY
}

@test "a peer that is silent leaves, and comes again as a new one" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-u', '-k', '-v', '--idle-timeout', '0.2', '--echo', '127.0.0.1', '0')
peer = udp()
for turn in range(2):
    peer.sendto(b'x', cat.address())
    check(peer.recv(10), b'x')
    until(lambda: cat.errors().count('closed ') > turn, 'the end')
check(cat.errors().count('connection from'), 2)
cat.send(signal.SIGTERM)
cat.end(-signal.SIGTERM)
PY
}

@test "one peer too many takes the place of the one that has been silent for longest, or is refused" {
    drive <<'PY'
from drive import *
for refuse in False, True:
    cat = Cat('-l', '-u', '-k', '-v', '--max-conns', '2', '--echo', *['--refuse'] * refuse, '127.0.0.1', '0')
    peers = [udp() for _ in range(3)]
    for peer in peers:
        peer.sendto(b'x', cat.address())
        if not refuse or peer is not peers[2]:
            check(peer.recv(10), b'x')
    name = '127.0.0.1:%d' % peers[2 * refuse].getsockname()[1]
    until(lambda: ('refused ' if refuse else 'left for another ') + name in cat.errors(), 'the end of one')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
PY
}

@test "the place of one peer too many is not that of a peer whose --to is still being connected to" {
    drive <<'PY'
from drive import *
# It takes one connection; the next one has to wait.
target = unix(name=T + '/target')
target.listen(0)
cat = Cat('-l', '-u', '-k', '-v', '--max-conns', '2', '--to', 'unix:' + T + '/target', '127.0.0.1', '0')
one, two, three = peers = [udp() for _ in range(3)]
one.sendto(b'one', cat.address())
until(lambda: 'connected to' in cat.errors(), 'the first connection')
two.sendto(b'two', cat.address())
until(lambda: cat.errors().count('connection from') == 2, 'the second peer')
three.sendto(b'three', cat.address())
until(lambda: 'left for another' in cat.errors(), 'the end of one')
check('left for another 127.0.0.1:%d:' % one.getsockname()[1] in cat.errors(), True, cat.errors())
PY
}

@test "F48: one peer too many of an address takes nobody's place" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-u', '-k', '-v', '--echo', '--max-conns', '2', '--max-conns-per-host', '1', '0.0.0.0', '0')
def at(host):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, 0))
    s.settimeout(LIMIT)
    return s
one, two, more = at('127.0.0.1'), at('127.0.0.2'), at('127.0.0.2')
for peer in one, two:
    peer.sendto(b'x', cat.address())
    check(peer.recv(10), b'x')
more.sendto(b'x', cat.address())
until(lambda: 'too many from its address' in cat.errors(), 'the refusal')
check('left for another' in cat.errors(), False, cat.errors())
PY
}

@test "messages of a broker's peers go to all others, whole" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-u', '-k', '-v', '--broker', '127.0.0.1', '0')
one, two, three = peers = [udp() for _ in range(3)]
for peer in peers:
    peer.sendto(b'', cat.address())
until(lambda: cat.errors().count('connection from') == 3, 'three peers')
two.sendto(b'a' * 50000, cat.address())
for peer in one, three:
    while not (got := peer.recv(65536)):
        pass
    check(got, b'a' * 50000)
PY
}

@test "with -k more datagrams at once than --queue has room for are all there" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-u', '-k', '--queue', '64k', '127.0.0.1', '0')
peer = udp()
cat.stop()
for n in b'abcde':
    peer.sendto(bytes([n]) * 30000, cat.address())
cat.go()
cat.await_output(b''.join(bytes([n]) * 30000 for n in b'abcde'))
PY
}

# ---- a peer that stalls ----

# stalls <SCRIPT: drive, with start(option...) for a listener of which a peer that begins with "stall"
# has a side that takes nothing more, others an echo, and flood(), which sends more than can wait.
stalls() {
    cat >"$T/stalls.py" <<'PY'
from drive import *
os.mkfifo(T + '/go')
# Once it goes on, it tells how much has come of so much.
PROGRAM = 'read -r word; [ "$word" = stall ] || exec cat; read -r n <%s/go; head -c $n | wc -c' % T

def start(*more):
    cat = Cat('-l', '-u', '-k', '--queue', '64k', *more, '127.0.0.1', '0')
    stalled, other = udp(), udp()
    for s, word in (stalled, b'stall\n'), (other, b'go\n'):
        s.connect(cat.address())
        s.send(word)
    return cat, stalled, other

def flood(cat, stalled, times=40):
    for _ in range(times):
        stalled.send(bytes(30000))
        until(lambda: not waits(cat.address()[1]), 'the datagram to be read')

def ask(other, times=100):
    for n in range(times):
        other.send(b'%d' % n)
        check(other.recv(100), b'%d' % n)
PY
    PYTHONPATH=$T drive
}

@test "F59: a peer whose program does not read keeps no other waiting, and what is left out is counted" {
    stalls <<'PY'
from stalls import *
cat, stalled, other = start('--max-accepts', '2', '--idle-timeout', '3', '-c', PROGRAM)
flood(cat, stalled)
before = cat.resident()
for _ in range(20):
    flood(cat, stalled, 20)
    ask(other, 10)
# (Sanitizers keep what is freed.)
if os.environ['PATIENCE'] == '1':
    check(cat.resident() < before + 4000000, True, 'it grows')
cat.end(104)
told = re.findall(r'closed 127.0.0.1:(\d+): .* (\d+) datagrams left out: they were not taken', cat.errors())
check([int(port) for port, _ in told], [stalled.getsockname()[1]])
check(420 < int(told[0][1]) < 440, True, told)
PY
}

@test "F59: a peer whose --to does not read keeps no other waiting" {
    stalls <<'PY'
from stalls import *
for where in 'tcp', 'unix':
    if where == 'tcp':
        target = tcp()
        at = '127.0.0.1:%d' % target.getsockname()[1]
    else:
        target = unix(name=T + '/t')
        target.listen(5)
        at = 'unix:' + T + '/t'
    cat, stalled, other = start('--max-accepts', '2', '--idle-timeout', '3', '--to', at)
    for _ in range(2):
        s = accept(target)
        if exactly(s, 2) == b'st':
            idle = s
            continue
        exactly(s, 1)
        def echo(s=s):
            while data := s.recv(65536):
                s.sendall(data)
        threading.Thread(target=echo, daemon=True).start()
    flood(cat, stalled, 400)
    ask(other)
    cat.end(104)
    check('datagrams left out: they were not taken' in cat.errors(), True, cat.errors())
PY
}

@test "F59: with --slow=disconnect a peer whose program does not read is ended, and no other" {
    stalls <<'PY'
from stalls import *
cat, stalled, other = start('--max-accepts', '2', '--idle-timeout', '3', '--slow=disconnect', '-c', PROGRAM)
flood(cat, stalled)
until(lambda: 'what it sends is not taken' in cat.errors(), 'the end of one')
check('receive from 127.0.0.1:%d: what' % stalled.getsockname()[1] in cat.errors(), True, cat.errors())
ask(other)
cat.end(104)
check(cat.errors().count('what it sends is not taken'), 1)
PY
}

@test "F59: with --slow=disconnect a message that has begun to go out is finished before another begins" {
    drive <<'PY'
from drive import *
def message(letter, n): return struct.pack('>I', n) + letter * n
r, w = os.pipe()
cat = Cat('-l', '-u', '-k', '-d', '--slow', 'disconnect', '--queue', '64k', '--frame', 'datagram',
          '--stdout-frame', 'u32be', '--idle-timeout', '1.5', '--max-accepts', '2', '127.0.0.1', '0', stdout=w)
os.close(w)
one, two = udp(), udp()
# The last of these has only begun; what comes behind it is too much.
sent = taken = 0
while sent == taken:
    one.sendto(b'A' * 60000, cat.address())
    sent += 60004
    until(lambda: in_pipe(r) > taken, 'some of it')
    taken = in_pipe(r)
for _ in range(5):
    one.sendto(b'A' * 60000, cat.address())
    until(lambda: not waits(int(cat.where)), 'that to be received')
two.sendto(b'B' * 5, cat.address())
# That one has an end, though it does not get its turn.
until(lambda: 'nothing moved' in cat.errors(), 'the second to be given up')
got = b''
while part := os.read(r, 65536):
    got += part
check(len(got) >= sent, True, 'cut off')
check(got == message(b'A', 60000) * (len(got) // 60004), True, 'cut off or mixed: %r' % got[-9:])
cat.end(104)
check(re.search('closed .* datagrams left out', cat.errors()) is not None, True, cat.errors())
PY
}

@test "F59: with --slow=wait nothing of a peer whose program does not read is left out, and all wait" {
    stalls <<'PY'
from stalls import *
cat, stalled, other = start('--slow=wait', '-c', PROGRAM)
ask(other)
sent = 0
while not waits(cat.address()[1]):
    stalled.send(bytes(30000))
    sent += 30000
    cat.rest()
other.send(b'?')
cat.rest()
check(waits(cat.address()[1]), True, 'it does not wait')
with open(T + '/go', 'w') as go:
    go.write('%d\n' % sent)
check(int(stalled.recv(100)), sent)
check(other.recv(10), b'?')
cat.send(signal.SIGTERM)
cat.end(-signal.SIGTERM)
PY
}

@test "whoever keeps up loses nothing, however little may wait for it" {
    drive <<'PY'
from drive import *
target = udp()
def echo():
    while True:
        data, peer = target.recvfrom(65536)
        target.sendto(data, peer)
threading.Thread(target=echo, daemon=True).start()
for service in ['--echo'], ['-c', 'cat'], ['--to', 'udp://127.0.0.1:%d' % target.getsockname()[1]], ['--chargen']:
    for queue in '1', '64k':
        cat = Cat('-l', '-u', '-k', '--max-accepts', '3', '--idle-timeout', '2', '--queue', queue, *service,
                  '127.0.0.1', '0')
        peers = [udp() for _ in range(3)]
        for peer in peers:
            peer.sendto(b'first', cat.address())
            check(len(peer.recv(100)), 5)
        cat.stop()
        for n in range(40):
            for peer in peers:
                peer.sendto(b'%03d' % n, cat.address())
        cat.go()
        for peer in peers:
            got = b''
            while len(got) < 120:
                got += peer.recv(200)
            if '--chargen' not in service:
                check(got, b''.join(b'%03d' % n for n in range(40)))
        cat.end()
        check(cat.errors().count('\n'), 1, cat.errors())
PY
}

@test "many small ones, a large one and more at once are no reason to leave any out" {
    drive <<'PY'
from drive import *
for service in ['--echo'], ['-c', 'cat']:
    cat = Cat('-l', '-u', '-k', '--max-accepts', '1', '--idle-timeout', '2', '--queue', '1k', *service, '127.0.0.1', '0')
    peer = udp()
    peer.sendto(b'first', cat.address())
    check(peer.recv(100), b'first')
    sizes = [3] * 50 + [60000] + [3] * 20
    cat.stop()
    for size in sizes:
        peer.sendto(bytes(size), cat.address())
    cat.go()
    got = 0
    while got < sum(sizes):
        got += len(peer.recv(65536))
    cat.end()
PY
}

@test "F59: a peer whose --to is not connected in time is a failure, and its cause is told" {
    drive <<'PY'
from drive import *
# Whoever waits to be accepted there fills the queue.
target = unix(name=T + '/t')
target.listen(0)
waiting = unix()
waiting.connect(T + '/t')
cat = Cat('-l', '-u', '-k', '--max-accepts', '1', '--wait', '0.3', '--to', 'unix:' + T + '/t', '127.0.0.1', '0')
udp().sendto(b'lost', cat.address())
cat.end(104)
check(re.search('connect .*/t.*in time|connect .*/t.*timed out', cat.errors()) is not None, True, cat.errors())
check('1 of 1 connections failed' in cat.errors(), True, cat.errors())
PY
}

@test "F59: a peer that leaves with datagrams that were not taken is a failure" {
    stalls <<'PY'
from stalls import *
# It is silent for long, or leaves for another.
cat, stalled, other = start('--max-accepts', '2', '--idle-timeout', '0.5', '-c', PROGRAM)
flood(cat, stalled, 10)
cat.end(104)
check('nothing moved for 500 ms' in cat.errors(), True, cat.errors())
# (Its program takes a while to end.)
cat, stalled, other = start('--max-conns', '2', '--max-children', '3', '--max-accepts', '3', '--idle-timeout', '5',
                            '-c', PROGRAM)
flood(cat, stalled, 10)
ask(other)
third = udp()
third.sendto(b'on\n', cat.address())
until(lambda: 'left for another' in cat.errors(), 'the end of one')
check(re.search(r'left for another 127.0.0.1:%d:.*datagrams left out' % stalled.getsockname()[1],
                cat.errors()) is not None, True, cat.errors())
cat.end(104)
PY
}

@test "F59: a peer that leaves for another before it was sent what was said to it is a failure" {
    drive <<'PY'
from drive import *
# Standard input is read, and somebody else comes, in one turn.
back, front = os.pipe()
cat = Cat('-l', '-u', '-k', '--max-conns', '1', '--max-accepts', '2', '--idle-timeout', '2', '127.0.0.1', '0', stdin=back)
one, two = udp(), udp()
one.sendto(b'one', cat.address())
cat.await_output(b'one')
cat.stop()
os.write(front, b'hello')
two.sendto(b'two', cat.address())
cat.go()
until(lambda: b'two' in cat.output(), 'the second')
os.close(front)
status = cat.process.wait(LIMIT)
heard = [peer.recv(9) for peer in select.select([one, two], [], [], 0)[0]]
went = status, heard, '1 pieces left out' in cat.errors()
check(went in ((0, [b'hello'], False), (104, [], True)), True, '%r %s' % (went, cat.errors()))
PY
}

# ---- services ----

@test "--chargen answers each datagram with one of as many characters, at most 512" {
    drive <<'PY'
from drive import *
for kind, more in ('-u', []), ('-u', ['-k']), ('-uU', ['-k']):
    where = [T + '/s'] if 'U' in kind else ['127.0.0.1', '0']
    cat = Cat('-l', kind, *more, '--chargen', *where)
    peer = unix(socket.SOCK_DGRAM, T + '/peer') if 'U' in kind else udp()
    peer.connect(cat.where if 'U' in kind else cat.address())
    line = bytes(range(32, 127)) * 2
    number = 0
    for size in 0, 1, 72, 74, 75, 511, 512, 513, 40000, 2:
        peer.send(bytes(size))
        got, size = peer.recv(65536), min(size, 512)
        check(len(got), size)
        # It is the beginning of the lines of RFC 864, from the next one that none has begun with.
        lines = [line[n % 95:n % 95 + 72] + b'\r\n' for n in range(number, number + 7)]
        check(got, b''.join(lines)[:size])
        number += -(-size // 74)
    # Many at once are answered one by one.
    cat.stop()
    for size in range(8):
        peer.send(bytes(size))
    cat.go()
    check([len(peer.recv(100)) for _ in range(8)], list(range(8)))
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
PY
}

@test "--chargen has done with a peer that cannot be answered, and does not wait until it is idle" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-U', '-u', '-k', '--chargen', '--linger', '0.3', '--max-accepts', '1', T + '/socket')
peer = unix(socket.SOCK_DGRAM)
peer.connect(T + '/socket')
cat.stop()
for _ in range(5):
    peer.send(b'abc')
cat.go()
cat.end(104)
check('no address to answer to' in cat.errors(), True, cat.errors())
PY
}

@test "--daytime answers each datagram with the date and time, as they are then" {
    drive <<'PY'
from drive import *
import datetime
def told(peer):
    text = peer.recv(100).decode()
    return datetime.datetime.strptime(text, '%A, %B %d, %Y %H:%M:%S-UTC\r\n')
for more in [], ['-k']:
    cat = Cat('-l', '-u', *more, '--daytime', '127.0.0.1', '0')
    peer = udp()
    peer.connect(cat.address())
    for size in 0, 1, 60000:
        peer.send(bytes(size))
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        check(abs(told(peer) - now) < datetime.timedelta(seconds=5), True)
    first = told(peer) if peer.send(b'') == 0 else None
    def later():
        peer.send(b'')
        return told(peer) > first
    until(later, 'another time')
PY
}

@test "nc, ncat, socat and sockcat ask --daytime and --chargen over UDP" {
    need nc.openbsd ncat socat
    start_listener -lku --daytime 127.0.0.1 0
    local time=$port peer
    start_listener -lku --chargen 127.0.0.1 0
    while read -r peer; do
        for at in "$time" "$port"; do
            # shellcheck disable=SC2086 # words
            start_asking "$at" ${peer//PORT/$at}
            if [ "$at" = "$time" ]; then
                await_line "$T/asked.$at" '^[A-Z][a-z]+day, [A-Z][a-z]+ [0-9]{2}, 20[0-9]{2} ([0-9]{2}:){2}[0-9]{2}-UTC'
            else
                until_true 20 is_larger "$T/asked.$at" 5 || fail "no answer for $peer"
                # The peer is another one each time, and so begins anew.
                assert_equal "$(cat "$T/asked.$at")" ' !"#$'
            fi
            kill "$pid"
            exec 8>&-
        done
    done <<'PEERS'
nc.openbsd -u 127.0.0.1 PORT
ncat -u 127.0.0.1 PORT
socat -t 20 - UDP:127.0.0.1:PORT
sockcat -u -q 20 127.0.0.1 PORT
PEERS
}

# start_asking NAME COMMAND...: sends "1234" and a line end, and keeps what comes in $T/asked.NAME. Its
# input stays open, because ncat does not wait for answers.
start_asking() {
    local name=$1
    shift
    [ "$1" != sockcat ] || set -- "$SOCKCAT" "${@:2}"
    rm -f "$T/ask" "$T/asked.$name"
    mkfifo "$T/ask"
    "$@" <"$T/ask" >"$T/asked.$name" 2>"$T/asked.err" 3>&- 8>&- &
    pid=$!
    started+=("$pid")
    exec 8>"$T/ask"
    echo 1234 >&8
}

@test "--chargen and --daytime over datagrams exclude --frame" {
    for service in --chargen --daytime; do
        assert_fails 2 "--frame and $service cannot" sockcat -lu "$service" --frame line 127.0.0.1 0 </dev/null
        assert_fails 2 "--frame and $service cannot" \
            sockcat -lkuU "$service" --frame line "$T/s" </dev/null
    done
}

@test "seqpacket clients get the lines of --chargen without end, and one time" {
    drive <<'PY'
from drive import *
for more in [], ['-k', '--max-accepts', '1']:
    cat = Cat('-l', '-U', '--seqpacket', *more, '--chargen', T + '/s')
    c = dial(cat, kind=socket.SOCK_SEQPACKET)
    check(c.recv(1 << 17)[:76], bytes(range(32, 104)) + b'\r\n' + b'!"')
    check(c.recv(1 << 17) != b'', True)
    c.close()
    cat.end()
    cat = Cat('-l', '-U', '--seqpacket', *more, '--daytime', T + '/s')
    c = dial(cat, kind=socket.SOCK_SEQPACKET)
    check(c.recv(1 << 17).endswith(b'-UTC\r\n'), True)
    check(c.recv(1 << 17), b'')
    c.close()
    cat.end()
PY
}

@test "F73: a listener sends nothing by itself, whatever comes and from whom" {
    drive <<'PY'
from drive import *
def quiet(s):
    s.setblocking(False)
    try:
        return s.recv(65536)[:20]
    except BlockingIOError:
        return None
rows = ['-k'], [], ['-k', '--discard'], ['-k', '--frame', 'netstring'], ['-k', '-W', '1'], ['-k', '--broker'], \
    ['-k', '--max-conns', '1', '--refuse'], ['-k', '-c', 'cat >/dev/null']
for more in rows:
    reader, writer = os.pipe()
    alone = more[1:2] in (['--discard'], ['--broker'], ['-c'])
    cat = Cat('-l', '-u', '-v', *more, *([] if alone else ['-d']), '--deny', '127.0.0.9', '127.0.0.1', '0')
    peer, other, denied = udp(), udp(), socket.socket(type=socket.SOCK_DGRAM)
    denied.bind(('127.0.0.9', 0))
    # Empty, no frame, cut off, as long as can be.
    said = b'', b'x', b'9:x', bytes(65507)
    for data in said:
        for s in (peer,) if '--broker' in more else (peer, denied, other):
            s.sendto(data, cat.address())
    # All of it has been seen when the last one's end, or its arrival, is.
    denied.sendto(b'', cat.address())
    until(lambda: not waits(cat.address()[1]), 'all to be read')
    cat.rest()
    for s in peer, other, denied:
        check(quiet(s), None, str(more))
PY
}

@test "F73: answers of --echo and --chargen are no longer than what was asked" {
    drive <<'PY'
from drive import *
for service in '--echo', '--chargen':
    for more in [], ['-k'], ['-k', '-C']:
        cat = Cat('-l', '-u', *[o for o in more if o != '-C' or service == '--chargen'], service, '127.0.0.1', '0')
        peer = udp()
        for size in [*range(0, 160), 511, 512, 513, 2000, 65507]:
            peer.sendto(b'\n' * size, cat.address())
            check(len(peer.recv(65536)) <= size, True, '%s %s %d' % (service, more, size))
        # One answer each: nothing has been left behind.
        peer.setblocking(False)
        try:
            check(peer.recv(65536), 'nothing more')
        except BlockingIOError:
            pass
PY
}
