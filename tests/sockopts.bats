#!/usr/bin/env bats
# Socket options: what each does is seen by the peer, by the packet filter, by ss or in the system
# calls; what -v says of it; what the kernel refuses; and that nothing is set that nobody asked for.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, result, held, netns
bats_require_minimum_version 1.5.0
load lib/helper

# net [COMMAND...] <SCRIPT: as drive, in a network namespace of its own, where "from net import *" can make
# interfaces, and count packets if nft is named among what is needed. Status 77 skips.
net() {
    need python3 "$@"
    need_netns
    cat >"$T/net.py" <<'PY'
from drive import *

def sh(command, data=None):
    done = subprocess.run(command, input=data, shell=True, capture_output=True, text=True)
    if done.returncode != 0:
        print('%s: %s' % (command, done.stderr), flush=True)
        sys.exit(77)
    return done.stdout

def filter_packets(hook, rules):
    sh('nft -f -', '\n'.join(['table inet t {', 'chain c {', 'type filter hook %s priority 0' % hook, *rules, '}', '}', '']))

def count(rules):
    """Counters for outgoing packets, by rules of nft; counted tells what each has seen."""
    filter_packets('output', [rule + ' counter' for rule in rules])

def cut_off(where):
    """From now on nothing of this port arrives."""
    filter_packets('input', ['tcp dport %s drop' % where, 'tcp sport %s drop' % where])

def counted():
    return [int(n) for n in re.findall('counter packets ([0-9]+)', sh('nft list chain inet t c'))]

def cable(*names):
    """Interfaces 10.1.0.1, 10.2.0.1 ..., whose other ends nobody listens at."""
    for i, name in enumerate(names, 1):
        sh('ip link add %s type veth peer name p%d && ip link set %s up && ip link set p%d up' % (name, i, name, i))
        sh('ip addr add 10.%d.0.1/24 dev %s' % (i, name))

def receiver(family=socket.AF_INET, where=None):
    """A UDP socket that sees time to live and type of service, too; see message."""
    s = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET:
        s.setsockopt(socket.IPPROTO_IP, 13, 1)  # IP_RECVTOS
        s.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
    else:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
    s.bind(where or ('127.0.0.1' if family == socket.AF_INET else '::1', 0))
    s.settimeout(LIMIT)
    return s

def message(s):
    """Data, time to live, type of service of the next datagram."""
    data, control, _, _ = s.recvmsg(70000, 1000)
    seen = {kind: int.from_bytes(value[:4], sys.byteorder) if len(value) >= 4 else value[0] for _, kind, value in control}
    return data, seen.get(2, seen.get(52)), seen.get(1, seen.get(67))

def hears(s):
    """What has come, by the time that a datagram that comes for certain is there."""
    s.setblocking(False)
    got = []
    try:
        while True:
            got.append(s.recv(70000))
    except BlockingIOError:
        return got

def say(*words, data=b'hello', status=0):
    """A sockcat that sends this."""
    done = subprocess.run([os.environ['SOCKCAT'], *words], input=data, capture_output=True, timeout=LIMIT)
    check(done.returncode, status, '%r: %r' % (words, done.stderr))
    return done.stderr.decode()

def port(s):
    return str(s.getsockname()[1])
PY
    { echo "import os, sys; sys.path.insert(0, os.environ['T'])" && cat; } >"$T/script.py"
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c 'PYTHONPATH=$HELPER_DIR PYTHONDONTWRITEBYTECODE=1 python3 "$T/script.py"' >"$T/net.out" || {
        local code=$?
        cat "$T/net.out"
        [ "$code" -ne 77 ] || skip "needs interfaces, and nftables, in a network namespace"
        return "$code"
    }
}

setup() {
    helper_setup
    export HELPER_DIR
}

# Whoever is traced cannot look for leaks.
no_leaks() { export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"; }

# traced ARG...: the setsockopt calls of sockcat, one a line, in $T/calls; $status; standard error in $T/traced.err.
traced() {
    status=0
    no_leaks
    timeout -v -s KILL 30 strace -qq -f -o "$T/trace" -e trace=setsockopt "$SOCKCAT" "$@" 2>"$T/traced.err" </dev/null \
        >"$T/traced.out" || status=$?
    [ -s "$T/trace" ] || ! grep -q ptrace "$T/traced.err" || skip "needs the right to trace"
    sed -n 's/^[0-9]* *setsockopt([0-9]*, \(.*\)) = \(.*\)$/\1 = \2/p' "$T/trace" >"$T/calls"
}

# trace_listener ARG...: sockcat -l ARG... in the background, its setsockopt calls in $T/trace; sets $port and $pid.
trace_listener() {
    no_leaks
    rm -f "$T/.ready"
    mkfifo "$T/.ready"
    strace -qq -f -o "$T/trace" -e trace=setsockopt "$SOCKCAT" -l --ready-fd 9 "$@" 9>"$T/.ready" </dev/null \
        >"$T/listener.out" 2>"$T/listener.err" 3>&- &
    pid=$!
    started+=("$pid")
    read_ready port || skip "needs the right to trace"
    # Whoever traces does not take what is traced along when it is ended.
    read -r tracee _ <"/proc/$pid/task/$pid/children" || :
    started+=("$tracee")
}

# ---- each option, seen in the system call ----

@test "every option for a client's connection is one call with the right value" {
    need strace
    while IFS='|' read -r words pattern; do
        start_peer recvall!
        # shellcheck disable=SC2086 # words
        traced -v $words 127.0.0.1 "$peer_port"
        assert_equal "$words $status" "$words 0"
        assert_line "$pattern = 0\$" "$T/calls" || fail "for $words"
        option=${words#*--}
        option=${option%% *}
        assert_line "^sockcat: set --${option%%=*}" "$T/traced.err" || fail "for $words"
        stop_all
    done <<'TABLE'
--tos=0xb8|SOL_IP, IP_TOS, \[184\], 4
--tos=ef|SOL_IP, IP_TOS, \[184\], 4
--ttl=7|SOL_IP, IP_TTL, \[7\], 4
--min-ttl=9|SOL_IP, IP_MINTTL, \[9\], 4
--rcvbuf=64k|SOL_SOCKET, SO_RCVBUF, \[65536\], 4
--sndbuf=65537|SOL_SOCKET, SO_SNDBUF, \[65537\], 4
--keepalive|SOL_SOCKET, SO_KEEPALIVE, \[1\], 4
--keepalive --keepalive-idle=90|SOL_TCP, TCP_KEEPIDLE, \[90\], 4
--keepalive --keepalive-idle=1.2|SOL_TCP, TCP_KEEPIDLE, \[2\], 4
--keepalive --keepalive-interval=2m|SOL_TCP, TCP_KEEPINTVL, \[120\], 4
--keepalive --keepalive-count=3|SOL_TCP, TCP_KEEPCNT, \[3\], 4
--nodelay=off|SOL_TCP, TCP_NODELAY, \[0\], 4
--nodelay=on|SOL_TCP, TCP_NODELAY, \[1\], 4
--user-timeout=1.5|SOL_TCP, TCP_USER_TIMEOUT, \[1500\], 4
--user-timeout=1ms|SOL_TCP, TCP_USER_TIMEOUT, \[1\], 4
--congestion=reno|SOL_TCP, TCP_CONGESTION, "reno.*
--reuse-port|SOL_SOCKET, SO_REUSEPORT, \[1\], 4
--mtu-discovery=do|SOL_IP, IP_MTU_DISCOVER, \[(2|IP_PMTUDISC_DO)\], 4
--mtu-discovery=dont|SOL_IP, IP_MTU_DISCOVER, \[(0|IP_PMTUDISC_DONT)\], 4
--mtu-discovery=want|SOL_IP, IP_MTU_DISCOVER, \[(1|IP_PMTUDISC_WANT)\], 4
--mtu-discovery=probe|SOL_IP, IP_MTU_DISCOVER, \[(3|IP_PMTUDISC_PROBE)\], 4
--interface=lo|SOL_SOCKET, SO_BINDTODEVICE, "lo.*
--fastopen|SOL_TCP, (TCP_FASTOPEN_CONNECT|0x1e.*), .*
TABLE
}

@test "every option is set on an IPv6 connection at the level of IPv6" {
    need strace
    need_ipv6
    while IFS='|' read -r words pattern; do
        start_peer --listen tcp6 recvall!
        traced "$words" ::1 "$peer_port"
        assert_equal "$words $status" "$words 0"
        assert_line "$pattern = 0\$" "$T/calls" || fail "for $words"
        stop_all
    done <<'TABLE'
--tos=0xb8|SOL_IPV6, IPV6_TCLASS, \[184\], 4
--ttl=7|SOL_IPV6, IPV6_UNICAST_HOPS, \[7\], 4
--min-ttl=9|SOL_IPV6, (IPV6_MINHOPCOUNT|0x49.*), .*
--mtu-discovery=do|SOL_IPV6, IPV6_MTU_DISCOVER, .*2.*, 4
TABLE
}

@test "nothing is set that nobody asked for, and what is needed for the promise is" {
    need strace
    start_peer recvall!
    traced 127.0.0.1 "$peer_port"
    # A reset for whoever fails, small pieces at once, urgent bytes in their place, a peer that has vanished noticed.
    sed 's/,[^,]*,.*//; s/^[A-Z_]*, //' "$T/calls" >"$T/levels"
    sed 's/^[A-Z_]*, \([A-Z_0-9a-z]*\),.*/\1/' "$T/calls" | sort -u >"$T/names"
    grep -vxE 'SO_LINGER|TCP_NODELAY|SO_OOBINLINE|SO_KEEPALIVE|TCP_KEEPIDLE|TCP_KEEPINTVL|TCP_KEEPCNT' "$T/names" >"$T/other" || :
    assert_equal "$(cat "$T/other")" ""
    assert_line '^SO_LINGER$' "$T/names"
}

@test "nothing is set on a listener that nobody asked for" {
    need strace
    trace_listener -d 127.0.0.1 0
    sockcat 127.0.0.1 "$port" </dev/null
    finish "$pid"
    sed -n 's/^[0-9]* *setsockopt([0-9]*, [A-Z_]*, \([A-Z_0-9a-z]*\),.*/\1/p' "$T/trace" | sort -u >"$T/names"
    grep -vxE 'SO_REUSEADDR|SO_LINGER|TCP_NODELAY|SO_OOBINLINE|SO_KEEPALIVE|TCP_KEEPIDLE|TCP_KEEPINTVL|TCP_KEEPCNT' \
        "$T/names" >"$T/other" || :
    assert_equal "$(cat "$T/other")" ""
}

@test "nothing is set on a UDP or a Unix socket that nobody asked for" {
    need strace
    start_peer --listen udp recvquiet:0.1
    traced -u -q 0 127.0.0.1 "$peer_port"
    ! grep -E 'TCP|KEEPALIVE|SO_BROADCAST|SO_REUSE|IP_TOS|IP_TTL|SNDBUF|RCVBUF|MARK' "$T/calls" || fail "$(cat "$T/calls")"
    stop_all
    start_peer --listen "unix:$T/socket" recvall
    traced -U "$T/socket"
    assert_equal "$status $(cat "$T/calls")" "0 "
}

# ---- what -v says ----

@test "-v tells what was set, and what the kernel made of it if that is something else" {
    start_peer recvall!
    sockcat -v -T ef --keepalive --keepalive-count 4 --nodelay off -O 10k 127.0.0.1 "$peer_port" </dev/null 2>"$T/err"
    assert_line '^sockcat: set --tos ef$' "$T/err"
    assert_line '^sockcat: set --keepalive$' "$T/err"
    assert_line '^sockcat: set --keepalive-count 4$' "$T/err"
    assert_line '^sockcat: set --nodelay off$' "$T/err"
    assert_line '^sockcat: set --sndbuf 10k \(it is 20480 now\)$' "$T/err"
}

@test "-v tells each option once, and without -v nothing is told" {
    start_peer recvall!
    sockcat -v -I 32k -O 32k -M 9 -T 0x10 --keepalive 127.0.0.1 "$peer_port" </dev/null 2>"$T/err"
    sed -n 's/^sockcat: set --\([a-z-]*\).*/\1/p' "$T/err" | sort >"$T/names"
    printf '%s\n' keepalive rcvbuf sndbuf tos ttl >"$T/wanted"
    assert_same "$T/names" "$T/wanted"
    stop_all
    start_peer recvall!
    sockcat -I 32k -T 0x10 --keepalive 127.0.0.1 "$peer_port" </dev/null 2>"$T/err"
    assert_equal "$(cat "$T/err")" ""
}

@test "the type of service of a TCP connection has no congestion bits, and -v says so" {
    start_peer recvall!
    sockcat -v -T 0xff 127.0.0.1 "$peer_port" </dev/null 2>"$T/err"
    assert_line '^sockcat: set --tos 0xff \(it is 252 now\)$' "$T/err"
}

# ---- time to live, type of service ----

@test "--ttl and --tos are seen by the receiver of a datagram" {
    net <<'PY'
from net import *
s = receiver()
say('-u', '-q', '0', '127.0.0.1', port(s))
check(message(s), (b'hello', 64, 0))
say('-u', '-q', '0', '-M', '5', '-T', '0x10', '127.0.0.1', port(s))
check(message(s), (b'hello', 5, 0x10))
say('--udplite', '-q', '0', '-M', '255', '127.0.0.1', port(s), status=7)
PY
}

@test "--ttl and --tos are seen by the receiver of a datagram over IPv6" {
    need_ipv6
    net <<'PY'
from net import *
s = receiver(socket.AF_INET6)
say('-u', '-q', '0', '::1', port(s))
check(message(s), (b'hello', 64, 0))
say('-u', '-q', '0', '-M', '5', '-T', 'ef', '::1', port(s))
check(message(s), (b'hello', 5, 0xb8))
PY
}

@test "--ttl and --tos have their effect on an IPv4 address written as an IPv6 one" {
    need_ipv6
    net <<'PY'
from net import *
s = receiver()
say('-u', '-q', '0', '-M', '5', '-T', 'ef', '::ffff:127.0.0.1', port(s))
check(message(s), (b'hello', 5, 0xb8))
PY
}

@test "--tos has the names and values that it always had" {
    net <<'PY'
from net import *
s = receiver()
for name, value in {
    'af11': 0x28, 'af12': 0x30, 'af13': 0x38, 'af21': 0x48, 'af22': 0x50, 'af23': 0x58, 'af31': 0x68, 'af32': 0x70,
    'af33': 0x78, 'af41': 0x88, 'af42': 0x90, 'af43': 0x98, 'cs0': 0, 'cs1': 0x20, 'cs2': 0x40, 'cs3': 0x60,
    'cs4': 0x80, 'cs5': 0xa0, 'cs6': 0xc0, 'cs7': 0xe0, 'ef': 0xb8, 'va': 0xb0, 'le': 4, 'lowdelay': 0x10,
    'throughput': 8, 'reliability': 4, 'lowcost': 2, 'critical': 0xa0, 'inetcontrol': 0xc0, 'netcontrol': 0xe0,
    '0': 0, '255': 255, '0x0': 0, '0xff': 255, '0XB8': 0xb8, '16': 16,
}.items():
    say('-u', '-q', '0', '-T', name, '127.0.0.1', port(s))
    check(message(s)[2], value, name)
PY
}

@test "--ttl and --tos are in the packets of a TCP connection, from either end" {
    net nft <<'PY'
from net import *
count(['tcp dport 7001 ip ttl 9 ip dscp ef', 'tcp dport 7001', 'tcp sport 7002 ip ttl 11 ip dscp cs1', 'tcp sport 7002'])
server = socket.create_server(('127.0.0.1', 7001))
cat = Cat('-M', '9', '-T', 'ef', '127.0.0.1', '7001')
s = accept(server)
check(s.recv(10), b'')
s.close()
cat.end()
cat = Cat('-l', '-M', '11', '-T', 'cs1', '127.0.0.1', '7002')
s = socket.create_connection(('127.0.0.1', 7002))
s.sendall(b'hello')
s.shutdown(socket.SHUT_WR)
check(s.recv(10), b'')
check(cat.end(), b'hello')
n = counted()
# All but the acknowledgements that the kernel sends for sockets that have gone.
if not 3 <= n[0] <= n[1] <= n[0] + 1 or not 3 <= n[2] <= n[3] <= n[2] + 1:
    sys.exit(repr(n))
PY
}

@test "--ttl is for multicast, too, where the system's own is 1" {
    net <<'PY'
from net import *
sh('ip route add 239.0.0.0/8 dev lo')
s = receiver(where=('', 0))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton('239.1.2.3') + socket.inet_aton('127.0.0.1'))
for words, ttl in ([], 1), (['-M', '7'], 7):
    say('-u', '-q', '0', *words, '239.1.2.3', port(s))
    check(message(s)[:2], (b'hello', ttl))
PY
}

@test "--min-ttl keeps out what comes from further away" {
    net nft <<'PY'
from net import *
server = socket.create_server(('127.0.0.1', 0))
# Loopback's packets have 64.
cat = Cat('-l', '-d', '--min-ttl', '64', '127.0.0.1', '0')
s = socket.create_connection(cat.address())
s.sendall(b'near')
s.close()
check(cat.end(), b'near')
cat = Cat('-z', '-w', '0.3', '--min-ttl', '65', '127.0.0.1', port(server))
cat.fail(28, 'no answer in time')
PY
}

# ---- buffers, keep-alive, TCP ----

@test "--rcvbuf and --sndbuf set the buffers of both ends, before the connection is made" {
    net ss <<'PY'
from net import *
server = tcp()
cat = Cat('-I', '50k', '-O', '30k', '127.0.0.1', port(server), stdin=subprocess.PIPE)
s = accept(server)
found = sh('ss -tnmH dport = :%s' % port(server))
check(re.search(r'rb(\d+),.*tb(\d+)', found).groups(), (str(100 << 10), str(60 << 10)), found)
s.close()
cat.process.stdin.close()
cat.end()
cat = Cat('-l', '-I', '50k', '-O', '30k', '127.0.0.1', '0', stdin=subprocess.PIPE)
s = socket.create_connection(cat.address())
cat.await_output(b'')
found = until(lambda: sh('ss -tnmH sport = :%s' % cat.where), 'the connection')
check(re.search(r'rb(\d+),.*tb(\d+)', found).groups(), (str(100 << 10), str(60 << 10)), found)
s.close()
cat.process.stdin.close()
cat.end()
PY
}

@test "--rcvbuf and --sndbuf are for Unix and UDP sockets, too" {
    for words in "-u -q 0 127.0.0.1 PORT" "-U $T/socket"; do
        if [[ $words == -U* ]]; then start_peer --listen "unix:$T/socket" recvall; else start_peer --listen udp recvdgram; fi
        # shellcheck disable=SC2086 # words
        sockcat -v -I 20k -O 20k ${words/PORT/${peer_port:-}} <<<hello 2>"$T/err"
        assert_line 'set --rcvbuf 20k \(it is 40960 now\)' "$T/err"
        assert_line 'set --sndbuf 20k \(it is 40960 now\)' "$T/err"
    done
}

@test "--keepalive has the kernel probe, at the times that were asked for" {
    net ss <<'PY'
from net import *
def timer(words, listens=False):
    """The keep-alive timer of the connection, in seconds; none: None."""
    if listens:
        cat = Cat('-l', *words, '127.0.0.1', '0', stdin=subprocess.PIPE)
        s = socket.create_connection(cat.address())
        s.sendall(b'x')
        cat.await_output(b'x')
        find = 'sport = :' + cat.where
    else:
        server = tcp()
        cat = Cat(*words, '127.0.0.1', port(server), stdin=subprocess.PIPE)
        s = accept(server)
        s.sendall(b'x')
        cat.await_output(b'x')
        find = 'dport = :' + port(server)
    def settled():
        found = sh('ss -tnoH ' + find)
        return found if '(on,' not in found else ''
    found = until(settled, 'no other timer')
    s.close()
    cat.process.stdin.close()
    cat.end()
    time = re.search(r'timer:\(keepalive,(?:(\d+)min)?(?:([\d.]+)sec)?', found)
    return time and int(time.group(1) or 0) * 60 + float(time.group(2) or 0)

for listens in False, True:
    check(timer([], listens), None)
    for words, least, most in ([], 6900, 7200), (['--keepalive-idle', '5m'], 270, 300), (['--keepalive-idle', '90.5'], 61, 91):
        got = timer(['--keepalive', *words], listens)
        check(got is not None and least <= got <= most, True, '%r: %r' % (words, got))
PY
}

@test "--keepalive's own times are not replaced when the peer has ended" {
    need strace
    start_peer recvall
    traced -v --keepalive --keepalive-idle 77 --keepalive-interval 33 --keepalive-count 4 127.0.0.1 "$peer_port"
    assert_equal "$status" 0
    # In the end they are what was asked for.
    for wanted in 'TCP_KEEPIDLE, \[77\]' 'TCP_KEEPINTVL, \[33\]' 'TCP_KEEPCNT, \[4\]'; do
        assert_line "$wanted" "$T/calls"
        assert_line "$wanted" <(grep "${wanted%%,*}" "$T/calls" | tail -n 1)
    done
}

@test "--keepalive ends a connection whose peer has vanished, with 56" {
    net nft <<'PY'
from net import *
server = tcp()
cat = Cat('--keepalive', '--keepalive-idle', '1', '--keepalive-interval', '1', '--keepalive-count', '1', '127.0.0.1', port(server),
          stdin=subprocess.PIPE)
s = accept(server)
s.sendall(b'x')
cat.await_output(b'x')
cut_off(port(server))
cat.fail(56, 'timed out')
PY
}

@test "--congestion chooses the algorithm, for either end" {
    grep -qw reno /proc/sys/net/ipv4/tcp_available_congestion_control || skip "needs the algorithm reno"
    net ss <<'PY'
from net import *
server = tcp()
cat = Cat('--congestion', 'reno', '127.0.0.1', port(server), stdin=subprocess.PIPE)
s = accept(server)
check(' reno ' in sh('ss -tniH dport = :%s' % port(server)), True)
s.close()
cat.process.stdin.close()
cat.end()
cat = Cat('-l', '--congestion', 'reno', '127.0.0.1', '0', stdin=subprocess.PIPE)
s = socket.create_connection(cat.address())
s.sendall(b'x')
cat.await_output(b'x')
check(' reno ' in sh('ss -tniH sport = :%s' % cat.where), True)
s.close()
cat.process.stdin.close()
cat.end()
PY
}

@test "--user-timeout gives up a peer that acknowledges nothing" {
    net nft <<'PY'
from net import *
server = tcp()
cat = Cat('--user-timeout', '500ms', '127.0.0.1', port(server), stdin=subprocess.PIPE)
s = accept(server)
s.sendall(b'x')
cat.await_output(b'x')
cut_off(port(server))
cat.process.stdin.write(b'hello')
cat.process.stdin.flush()
got = cat.process.wait(LIMIT)
check(got in (55, 56), True, '%d %s' % (got, cat.errors()))
check('timed out' in cat.errors(), True, cat.errors())
PY
}

@test "options of the connection are set on a client that is accepted, too" {
    need strace
    trace_listener -d --nodelay off --keepalive --keepalive-idle 50 --user-timeout 9 127.0.0.1 0
    sockcat 127.0.0.1 "$port" </dev/null
    finish "$pid"
    assert_equal "$result" 0
    for wanted in 'TCP_NODELAY, \[0\]' 'SO_KEEPALIVE, \[1\]' 'TCP_KEEPIDLE, \[50\]' 'TCP_USER_TIMEOUT, \[9000\]'; do
        assert_line "$wanted" "$T/trace"
        assert_line "$wanted" <(grep "${wanted%%,*}" "$T/trace" | tail -n 1)
    done
}

# ---- TCP Fast Open ----

# fastopen <SCRIPT: as net, with server(answer): a sockcat that is one, and counter(name).
fastopen() {
    [ -r /proc/sys/net/ipv4/tcp_fastopen ] || skip "needs TCP Fast Open in the kernel"
    cat >"$T/fast.py" <<'PY'
from net import *
sh('echo 3 >/proc/sys/net/ipv4/tcp_fastopen')

def counter(name):
    with open('/proc/net/netstat') as file:
        rows = [line.split() for line in file if line.startswith('TcpExt:')]
    return int(dict(zip(*rows))['TCPFastOpen' + name])

def listener(*words):
    return Cat('-l', '-k', '-d', '--fastopen', *words, '127.0.0.1', '0')

def warm(where):
    """The first connection gets the cookie."""
    say('--fastopen', '127.0.0.1', where)
PY
    net
}

@test "--fastopen sends the first data with the first packet, and a listener takes them" {
    fastopen <<'PY'
from fast import *
cat = listener()
warm(cat.where)
check((counter('Active'), counter('Passive')), (0, 0))
say('--fastopen', '127.0.0.1', cat.where, data=b'world')
check((counter('Active'), counter('Passive')), (1, 1))
until(lambda: cat.output() == b'helloworld', 'the data')
PY
}

@test "without --fastopen nothing of the kind is done, by either end" {
    fastopen <<'PY'
from fast import *
cat = Cat('-l', '-k', '-d', '127.0.0.1', '0')
warm(cat.where)
say('--fastopen', '127.0.0.1', cat.where)
check((counter('Active'), counter('Passive')), (0, 0))
cat = listener()
say('127.0.0.1', cat.where)
say('127.0.0.1', cat.where)
check((counter('Active'), counter('Passive')), (0, 0))
PY
}

@test "--fastopen with nothing to say is refused, or makes the connection all the same" {
    fastopen <<'PY'
from fast import *
server = tcp()
server.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
def greet():
    while True:
        s, _ = server.accept()
        s.settimeout(LIMIT)
        s.sendall(b'banner')
        s.shutdown(socket.SHUT_WR)
        try:
            while s.recv(100):
                pass
        except OSError:
            pass
        s.close()
server.settimeout(None)
threading.Thread(target=greet, daemon=True).start()
for _ in range(2):
    say('--fastopen', '127.0.0.1', port(server))
for words in [], ['-d'], ['--recv-only']:
    done = subprocess.run([os.environ['SOCKCAT'], '--fastopen', '-w', '5', *words, '127.0.0.1', port(server)],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT)
    if done.returncode != 2:
        check((done.returncode, done.stdout), (0, b'banner'), '%r: %r' % (words, done.stderr))
PY
}

@test "--fastopen to a port where nobody listens is 7 or 55, never 0, with data or without" {
    fastopen <<'PY'
from fast import *
cat = listener()
warm(cat.where)
say('--fastopen', '127.0.0.1', cat.where)
cat.process.kill()
cat.process.wait()
for data in b'x', b'', b'x' * 100000:
    done = subprocess.run([os.environ['SOCKCAT'], '--fastopen', '-w', '5', '127.0.0.1', cat.where], input=data,
                          capture_output=True, timeout=LIMIT)
    check(done.returncode in (7, 55), True, '%d bytes: %d %r' % (len(data), done.returncode, done.stderr))
    check(done.stderr.count(b'\n'), 1, repr(done.stderr))
PY
}

# ---- routing ----

@test "--mark marks the packets" {
    need_root
    net nft <<'PY'
from net import *
count(['udp dport 7001 meta mark 42', 'udp dport 7001 meta mark 4294967295', 'udp dport 7001 meta mark 0'])
s = receiver(where=('127.0.0.1', 7001))
say('-u', '-q', '0', '--mark', '42', '127.0.0.1', '7001')
check(counted(), [1, 0, 0])
say('-u', '-q', '0', '--mark', '0xffffffff', '127.0.0.1', '7001')
check(counted(), [1, 1, 0])
say('-u', '-q', '0', '127.0.0.1', '7001')
check(counted(), [1, 1, 1])
PY
}

@test "--mark marks the answers of a listener" {
    need_root
    net nft <<'PY'
from net import *
count(['tcp sport 7001 meta mark 7', 'tcp sport 7001 tcp flags fin'])
cat = Cat('-l', '--mark', '7', '127.0.0.1', '7001')
say('127.0.0.1', '7001')
check(cat.end(), b'hello')
check(counted()[0] >= 2, True, repr(counted()))
PY
}

@test "--mark without the privilege is 4 and says why" {
    need_root
    need setpriv
    chmod 755 "$T"
    assert_fails 4 'set --mark 7: Operation not permitted' setpriv --reuid 65534 --regid 65534 --clear-groups \
        --inh-caps=-all --bounding-set=-all "$SOCKCAT" --mark 7 127.0.0.1 9 </dev/null
}

@test "--interface sends through it, whatever the routes say" {
    net nft <<'PY'
from net import *
cable('one', 'two')
for i, name in enumerate(('one', 'two'), 1):
    sh('ip route add 10.9.0.0/24 dev %s metric %d' % (name, i))
    sh('ip neigh add 10.9.0.9 lladdr 02:00:00:00:00:09 dev %s' % name)
count(['udp dport 7001 oifname one', 'udp dport 7001 oifname two'])
say('-u', '-q', '0', '10.9.0.9', '7001')
check(counted(), [1, 0])
say('-u', '-q', '0', '--interface', 'two', '10.9.0.9', '7001')
check(counted(), [1, 1])
PY
}

@test "a listener with --interface hears nobody who comes by another" {
    net <<'PY'
from net import *
cable('one')
cat = Cat('-l', '-k', '-u', '-d', '--interface', 'one', '0.0.0.0', '0')
say('-u', '-q', '0', '127.0.0.1', cat.where, status=7)
cat = Cat('-l', '-d', '--interface', 'one', '0.0.0.0', '0')
say('127.0.0.1', cat.where, status=7)
cat = Cat('-l', '-d', '--interface', 'lo', '0.0.0.0', '0')
say('127.0.0.1', cat.where)
check(cat.end(), b'hello')
PY
}

@test "F74: an interface that is not there is 45, for a client, a listener and a probe" {
    for words in '127.0.0.1 9' '-u 127.0.0.1 9' '-l 127.0.0.1 0' '-l 0' '-lu 0' '-z 127.0.0.1 9' '-4 localhost 9'; do
        # shellcheck disable=SC2086 # words
        assert_fails 45 'set --interface nosuch0: No such device' sockcat --interface nosuch0 $words </dev/null \
            || fail "for $words"
    done
}

@test "a name that is too long for an interface is not cut to one that is there" {
    net <<'PY'
from net import *
cable('abcdefghijklmno')
for name in 'abcdefghijklmnop', 'abcdefghijklmnoXYZ', 'lo\n', 'lo lo', ' lo', 'l' * 1000:
    for words in ['-u', '-q', '0', '10.1.0.2', '9'], ['-l', '127.0.0.1', '0']:
        done = subprocess.run([os.environ['SOCKCAT'], '--interface', name, *words], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=LIMIT)
        check(done.returncode in (3, 45), True, '%r %r: %d %r' % (name, words, done.returncode, done.stderr))
say('-u', '-q', '0', '--interface', 'abcdefghijklmno', '10.1.0.2', '9')
PY
}

# ---- listening ----

@test "--v6only=off takes IPv4 clients, and shows their addresses as such" {
    need_ipv6
    for words in '0' ':: 0' '*:0'; do
        # The words are not to be taken for patterns.
        read -r -a list <<<"$words"
        start_listener -v -d --v6only=off "${list[@]}"
        sockcat 127.0.0.1 "$port" <<<hello
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"
        assert_line '^sockcat: connection from \[::ffff:127\.0\.0\.1\]:' "$T/listener.err"
    done
    start_listener -d --v6only=off 0
    sockcat ::1 "$port" <<<hello
    finish "$listener"
    assert_equal "$result" 0
}

@test "--v6only=on, as without it, leaves IPv4 clients alone" {
    need_ipv6
    for words in '--v6only=on ::' '::'; do
        # shellcheck disable=SC2086 # words
        start_listener -d $words 0
        assert_fails 7 'refused' sockcat 127.0.0.1 "$port" </dev/null
        sockcat ::1 "$port" <<<hello
        finish "$listener"
        assert_equal "$result" 0
    done
    # Without an address there is a socket for each family.
    start_listener -d --v6only=on 0
    sockcat 127.0.0.1 "$port" <<<hello
    finish "$listener"
    assert_equal "$result" 0
}

@test "--v6only=off is for datagrams, too" {
    need_ipv6
    start_listener -u -d -W 1 --v6only=off 0
    sockcat -u -q 0 127.0.0.1 "$port" <<<hello
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
}

@test "--v6only for an address of the other family is refused" {
    code=0
    sockcat -l --v6only=off 127.0.0.1 0 </dev/null 2>"$T/err" || code=$?
    [ "$code" -eq 4 ] || [ "$code" -eq 2 ] || fail "status $code"
    assert_one_error "$T/err" '--v6only'
}

@test "--tos reaches the IPv4 clients of --v6only=off" {
    need_ipv6
    net nft <<'PY'
from net import *
count(['tcp sport 7001 ip dscp ef', 'tcp sport 7001 ip dscp != ef tcp flags & (syn | fin | rst) == 0'])
cat = Cat('-l', '--v6only=off', '-T', 'ef', '7001')
s = socket.create_connection(('127.0.0.1', 7001))
s.sendall(b'hello')
s.shutdown(socket.SHUT_WR)
check(s.recv(10), b'')
check(cat.end(), b'hello')
check((counted()[0] > 0, counted()[1]), (True, 0), repr(counted()))
PY
}

@test "--reuse-port lets two listen on one port, and without it the second is refused" {
    start_listener -k -d --reuse-port 127.0.0.1 0
    start_listener -k -d --reuse-port 127.0.0.1 "$port"
    assert_fails 101 'Address already in use' sockcat -l 127.0.0.1 "$port" </dev/null
    stop_all
    start_listener -k -d 127.0.0.1 0
    assert_fails 101 'Address already in use' sockcat -l --reuse-port 127.0.0.1 "$port" </dev/null
}

@test "--reuse-port is for datagrams, too" {
    start_listener -u -k -d --reuse-port 127.0.0.1 0
    start_listener -u -k -d --reuse-port 127.0.0.1 "$port"
    assert_fails 101 'Address already in use' sockcat -lu 127.0.0.1 "$port" </dev/null
}

# ---- broadcast, multicast ----

@test "F74: a broadcast is refused without -b, and sent with it" {
    net <<'PY'
from net import *
s = receiver(where=('', 0))
done = subprocess.run([os.environ['SOCKCAT'], '-u', '-q', '0', '127.255.255.255', port(s)], input=b'no', capture_output=True,
                      timeout=LIMIT)
check(done.returncode != 0 and b'Permission denied' in done.stderr, True, repr(done))
say('-u', '-q', '0', '-b', '127.255.255.255', port(s), data=b'yes')
check(message(s)[0], b'yes')
check(hears(s), [])
PY
}

# groups <SCRIPT: as net, with a route for groups by lo, and send(group, port, data, source).
groups() {
    cat >"$T/groups.py" <<'PY'
from net import *
sh('ip link set lo multicast on && ip route add 239.0.0.0/8 dev lo')

def send(group, where, data, source='127.0.0.1'):
    s = socket.socket(type=socket.SOCK_DGRAM)
    s.bind((source, 0))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('127.0.0.1'))
    s.sendto(data, (group, int(where)))
PY
    net
}

@test "--join receives what is sent to the group" {
    groups <<'PY'
from groups import *
for group in '239.1.2.3', '239.1.2.3%lo', '239.1.2.3%1':
    for where in [], ['0.0.0.0']:
        cat = Cat('-l', '-u', '-d', '-W', '1', '--join', group, *where, '0')
        send('239.1.2.3', cat.where, b'hello')
        check(cat.end(), b'hello')
PY
}

@test "without --join nothing of a group is received, though another program has joined it" {
    groups <<'PY'
from groups import *
other = socket.socket(type=socket.SOCK_DGRAM)
other.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton('239.1.2.3') + socket.inet_aton('127.0.0.1'))
# A socket that has joined one group does not hear another.
cat = Cat('-l', '-u', '-d', '-k', '-W', '1', '--join', '239.1.2.4%lo', '0.0.0.0', '0')
send('239.1.2.3', cat.where, b'other')
send('239.1.2.4', cat.where, b'ours')
until(cat.output, 'the datagram')
check(cat.output(), b'ours')
PY
}

@test "--join may be given several times" {
    groups <<'PY'
from groups import *
cat = Cat('-l', '-u', '-d', '-k', '--join', '239.1.2.3%lo', '--join', '239.1.2.4', '--join=239.1.2.5', '0.0.0.0', '0')
said = b''
for n in 3, 4, 5, 6:
    send('239.1.2.%d' % n, cat.where, b'%d' % n)
send('239.1.2.3', cat.where, b'!')
until(lambda: b'!' in cat.output(), 'the last one')
check(cat.output(), b'345!')
PY
}

@test "--join with a source hears nobody else" {
    groups <<'PY'
from groups import *
cat = Cat('-l', '-u', '-d', '-k', '--join', '127.0.0.2@239.1.2.3%lo', '0.0.0.0', '0')
send('239.1.2.3', cat.where, b'no', '127.0.0.3')
send('239.1.2.3', cat.where, b'yes', '127.0.0.2')
send('239.1.2.3', cat.where, b'no', '127.0.0.1')
send('239.1.2.3', cat.where, b'!', '127.0.0.2')
until(lambda: b'!' in cat.output(), 'the last one')
check(cat.output(), b'yes!')
PY
}

@test "--join with two sources hears both" {
    groups <<'PY'
from groups import *
cat = Cat('-l', '-u', '-d', '-k', '--join', '127.0.0.2@239.1.2.3%lo', '--join', '127.0.0.3@239.1.2.3%lo', '0.0.0.0', '0')
for n in 1, 2, 3, 4, 2:
    send('239.1.2.3', cat.where, b'%d' % n, '127.0.0.%d' % n)
until(lambda: cat.output().count(b'2') == 2, 'the last one')
check(cat.output(), b'232')
PY
}

@test "--join takes IPv6 groups, with the interface that they need" {
    need_ipv6
    net <<'PY'
from net import *
cable('one')
# Loopback does not bring such packets back.
sh('ip addr add fe80::1/64 dev one nodad')
index = socket.if_nametoindex('one')
for group in 'ff02::4711%one', 'ff15::4711%one', 'fe80::1@ff15::4711%one':
    for where in [], ['::']:
        cat = Cat('-l', '-u', '-d', '-W', '1', '--join', group, *where, '0')
        s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        s.bind(('fe80::1', 0, 0, index))
        s.sendto(b'hello', (group.split('@')[-1].split('%')[0], int(cat.where), 0, index))
        check(cat.end(), b'hello')
PY
}

@test "F74: --join on an interface that is not there, or where the kernel does not want it, is 45" {
    assert_fails 45 "option --join '239.1.2.3%nosuch0': there is no such interface" \
        sockcat -lu --join 239.1.2.3%nosuch0 127.0.0.1 0 </dev/null
    assert_fails 45 "join.*239.1.2.3%9999999" sockcat -lu --join 239.1.2.3%9999999 127.0.0.1 0 </dev/null
    assert_fails 45 "join.*239.1.2.3%0" sockcat -lu --join 239.1.2.3%0 127.0.0.1 0 </dev/null
    need_ipv6
    assert_fails 45 'set --join ff02::1%lo: it is not for a socket of this family' \
        sockcat -lu --join ff02::1%lo 127.0.0.1 0 </dev/null
    assert_fails 45 'set --join 239.1.2.3%lo: it is not for a socket of this family' \
        sockcat -lu --join 239.1.2.3%lo ::1 0 </dev/null
}

@test "F74: a group that fits none of the listener's sockets is refused, not passed over" {
    need_ipv6
    assert_fails 45 'set --join 239.1.2.3%lo' sockcat -6 -lu --join 239.1.2.3%lo 0 </dev/null
    assert_fails 45 'set --join ff02::1%lo' sockcat -4 -lu --join ff02::1%lo 0 </dev/null
}

@test "F74: a group of which more are joined than the kernel lets is 45, and the message names the one" {
    groups <<'PY'
from groups import *
most = int(open('/proc/sys/net/ipv4/igmp_max_memberships').read())
words = [word for n in range(most + 1) for word in ('--join', '239.1.2.%d%%lo' % (n + 1))]
Cat('-l', '-u', '-d', *words[:-2], '127.0.0.1', '0')
done = subprocess.run([os.environ['SOCKCAT'], '-l', '-u', '-d', *words, '127.0.0.1', '0'], stdin=subprocess.DEVNULL,
                      capture_output=True, timeout=LIMIT, text=True)
check(done.returncode, 45, done.stderr)
check(re.fullmatch('sockcat: set --join 239.1.2.%d%%lo: .*\n' % (most + 1), done.stderr) is not None, True, done.stderr)
PY
}

@test "F74: what there is no way to, or no more, is 7 and one line: an address, a broadcast, a group" {
    net <<'PY'
from net import *
for words in ['239.1.2.3'], ['-b', '255.255.255.255'], ['10.1.0.2']:
    text = say('-u', '-q', '0', *words, '9', status=7)
    check(re.fullmatch('sockcat: connect .*:9: Network is unreachable\n', text) is not None, True, text)
for gone in 'ip link del one', 'ip link set one down && ip link del one':
    for words in ['10.1.0.2'], ['-b', '10.1.0.255'], ['--interface', 'one', '239.1.2.3'], \
            ['-b', '--interface', 'one', '255.255.255.255'], ['fe80::7%one']:
        cable('one')
        sh('ip addr add fe80::1/64 dev one nodad')
        cat = Cat('-u', *words, '9', stdin=subprocess.PIPE)
        cat.process.stdin.write(b'while it is there')
        cat.process.stdin.flush()
        until(lambda: in_pipe(cat.process.stdin.fileno()) == 0, 'the read')
        cat.rest()
        sh(gone)
        try:
            cat.process.stdin.write(b'when it is not')
            cat.process.stdin.close()
        except BrokenPipeError:
            pass
        cat.fail(7, 'Network is unreachable')
PY
}

# ---- path MTU discovery ----

@test "--mtu-discovery=do has a datagram that is too long refused, dont has it sent in pieces" {
    net <<'PY'
from net import *
sh('ip link set lo mtu 1500')
s = receiver()
for how in 'do', 'probe':
    done = subprocess.run([os.environ['SOCKCAT'], '-u', '-q', '0', '--mtu-discovery', how, '127.0.0.1', port(s)], input=b'x' * 3000,
                          capture_output=True, timeout=LIMIT)
    check((done.returncode, done.stderr.count(b'\n')), (55, 1), how + repr(done.stderr))
    check(b'too long' in done.stderr, True, repr(done.stderr))
say('-u', '-q', '0', '--mtu-discovery', 'do', '127.0.0.1', port(s), data=b'y' * 1472)
check(message(s)[0], b'y' * 1472)
for how in 'dont', 'want':
    say('-u', '-q', '0', '--mtu-discovery', how, '127.0.0.1', port(s), data=b'x' * 3000)
    check(message(s)[0], b'x' * 3000)
check(hears(s), [])
PY
}

@test "--mtu-discovery is for IPv6, too" {
    need_ipv6
    net <<'PY'
from net import *
sh('ip link set lo mtu 1500')
s = receiver(socket.AF_INET6)
done = subprocess.run([os.environ['SOCKCAT'], '-u', '-q', '0', '--mtu-discovery=do', '::1', port(s)], input=b'x' * 3000,
                      capture_output=True, timeout=LIMIT)
check(done.returncode, 55, repr(done.stderr))
say('-u', '-q', '0', '--mtu-discovery=dont', '::1', port(s), data=b'x' * 3000)
check(message(s)[0], b'x' * 3000)
PY
}

# ---- --sockopt ----

@test "--sockopt sets by name, with its prefix or without, and by number" {
    need strace
    while IFS='|' read -r word pattern; do
        start_peer recvall!
        traced -v --sockopt "$word" 127.0.0.1 "$peer_port"
        assert_equal "$word $status" "$word 0"
        assert_line "^$pattern = 0\$" "$T/calls" || fail "for $word"
        assert_line "^sockcat: set --sockopt $word" "$T/traced.err" || fail "for $word"
        stop_all
    done <<'TABLE'
SOCKET:PRIORITY:6|SOL_SOCKET, SO_PRIORITY, \[6\], 4
SOCKET:SO_PRIORITY:6|SOL_SOCKET, SO_PRIORITY, \[6\], 4
1:12:6|SOL_SOCKET, SO_PRIORITY, \[6\], 4
0x1:0xc:0x6|SOL_SOCKET, SO_PRIORITY, \[6\], 4
SOCKET:12:6|SOL_SOCKET, SO_PRIORITY, \[6\], 4
1:PRIORITY:6|SOL_SOCKET, SO_PRIORITY, \[6\], 4
TCP:NOTSENT_LOWAT:16384|SOL_TCP, (TCP_NOTSENT_LOWAT|0x19.*), .*
TCP:TCP_SYNCNT:3|SOL_TCP, TCP_SYNCNT, \[3\], 4
TCP:CONGESTION:reno|SOL_TCP, TCP_CONGESTION, ("reno"|\[1869505906\]), 4
IP:TTL:9|SOL_IP, IP_TTL, \[9\], 4
IP:IP_TTL:-1|SOL_IP, IP_TTL, \[-1\], 4
SOCKET:BINDTODEVICE:lo|SOL_SOCKET, SO_BINDTODEVICE, "lo", 2
SOCKET:RCVLOWAT:4294967295|SOL_SOCKET, SO_RCVLOWAT, \[-1\], 4
TABLE
}

@test "--sockopt may be given several times, and all are set, in order" {
    need strace
    start_peer recvall!
    traced --sockopt SOCKET:PRIORITY:1 --sockopt IP:TTL:9 --sockopt SOCKET:PRIORITY:2 127.0.0.1 "$peer_port"
    # What comes after these three sets them again.
    grep -E 'PRIORITY|TTL' "$T/calls" | head -n 3 >"$T/got"
    printf '%s\n' 'SOL_SOCKET, SO_PRIORITY, [1], 4 = 0' 'SOL_IP, IP_TTL, [9], 4 = 0' 'SOL_SOCKET, SO_PRIORITY, [2], 4 = 0' \
        >"$T/wanted"
    assert_same "$T/got" "$T/wanted"
}

@test "--sockopt is for listeners and datagrams, too" {
    net <<'PY'
from net import *
s = receiver()
say('-u', '-q', '0', '--sockopt', 'IP:TTL:33', '127.0.0.1', port(s))
check(message(s)[:2], (b'hello', 33))
cat = Cat('-l', '-v', '-d', '--sockopt', 'TCP:DEFER_ACCEPT:1', '127.0.0.1', '0')
say('127.0.0.1', cat.where)
cat.end()
check('set --sockopt TCP:DEFER_ACCEPT:1' in cat.errors(), True, cat.errors())
PY
}

@test "what the user sets by --sockopt is not undone by what sockcat sets for itself" {
    need strace
    start_peer recvall!
    traced --sockopt TCP:NODELAY:0 --sockopt SOCKET:OOBINLINE:0 --sockopt SOCKET:KEEPALIVE:1 --sockopt TCP:KEEPIDLE:99 \
        127.0.0.1 "$peer_port"
    assert_equal "$status" 0
    assert_equal "$(grep TCP_NODELAY "$T/calls" | tail -n 1)" 'SOL_TCP, TCP_NODELAY, [0], 4 = 0'
    assert_equal "$(grep SO_OOBINLINE "$T/calls" | tail -n 1)" 'SOL_SOCKET, SO_OOBINLINE, [0], 4 = 0'
}

@test "--sockopt that the kernel refuses is 4, with option, value and reason" {
    while IFS='|' read -r word reason; do
        assert_fails 4 "set --sockopt $word: $reason" sockcat --sockopt "$word" 127.0.0.1 9 </dev/null || fail "for $word"
        assert_fails 4 "set --sockopt $word: $reason" sockcat -l --sockopt "$word" 127.0.0.1 0 </dev/null || fail "for -l $word"
    done <<'TABLE'
IP:TTL:0|Invalid argument
IP:TTL:999|Invalid argument
SOCKET:99999:1|Protocol not available
99999:1:1|
TCP:CONGESTION:nosuch|No such file
SOCKET:LINGER:5|Invalid argument
SOCKET:BINDTODEVICE:nosuch0|No such device
IPV6:V6ONLY:1|it is not for a socket of this family
TABLE
}

# ---- refusals ----

@test "an option that the kernel refuses ends the run with 4 or 45 and names option and value" {
    need_shim
    while IFS='|' read -r status words shown; do
        for operands in '127.0.0.1 PORT' '-l 127.0.0.1 0'; do
            [ "$operands" != '-l 127.0.0.1 0' ] || [[ $words != *--keepalive* && $words != *--nodelay* ]] || continue
            case " $words " in
            *' -u '*) start_peer --listen udp recvdgram ;;
            *) start_peer recvall! ;;
            esac
            # shellcheck disable=SC2086 # words
            with_shim 'setsockopt:EPERM:*' assert_fails "$status" "set --$shown: Operation not permitted" \
                sockcat $words ${operands/PORT/$peer_port} </dev/null || fail "for $words $operands"
            stop_all
        done
    done <<'TABLE'
45|--interface lo|interface lo
4|-u -b|broadcast
4|-T ef|tos ef
4|-M 9|ttl 9
4|--min-ttl 9|min-ttl 9
4|-I 9k|rcvbuf 9k
4|-O 9k|sndbuf 9k
4|--keepalive|keepalive
4|--nodelay on|nodelay on
4|--user-timeout 9|user-timeout 9
4|--congestion reno|congestion reno
4|--fastopen|fastopen
4|--mark 9|mark 9
4|--reuse-port|reuse-port
45|-u --join 239.1.2.3%lo|join 239.1.2.3%lo
4|--mtu-discovery do|mtu-discovery do
4|--sockopt SOCKET:PRIORITY:1|sockopt SOCKET:PRIORITY:1
TABLE
}

@test "an option that the kernel refuses on a connection that is made is no clean end for the peer" {
    need_shim
    start_peer recvall!
    with_shim 'setsockopt:EPERM:*' assert_fails 4 'set --keepalive' sockcat --keepalive 127.0.0.1 "$peer_port" </dev/null
    # And one client's refusal: a listener that is asked for it says so.
    start_listener --keepalive --keepalive-idle 5 127.0.0.1 0
    sockcat 127.0.0.1 "$port" </dev/null
    finish "$listener"
    assert_equal "$result" 0
}

@test "TCP options on a Unix socket are refused by the table or by the kernel, never passed over" {
    start_peer --listen "unix:$T/socket" recvall!
    for words in --nodelay=on '--user-timeout 1' '--congestion reno' --fastopen '-T ef' '-M 5' '--min-ttl 5' '--interface lo' \
        --mtu-discovery=do '--keepalive --keepalive-idle 5' '--keepalive --keepalive-count 3'; do
        code=0
        # shellcheck disable=SC2086 # words
        sockcat $words -U "$T/socket" </dev/null 2>"$T/err" || code=$?
        [ "$code" -eq 2 ] || [ "$code" -eq 4 ] || fail "status $code for $words"
        assert_one_error "$T/err" "--${words##*--}" || [[ $words == -* ]]
        if [ "$code" -eq 4 ]; then stop_all; rm -f "$T/socket"; start_peer --listen "unix:$T/socket" recvall!; fi
    done
}

@test "keep-alive times on a UDP socket are refused" {
    start_peer --listen udp recvdgram
    code=0
    sockcat -u --keepalive --keepalive-idle 5 127.0.0.1 "$peer_port" </dev/null 2>"$T/err" || code=$?
    [ "$code" -eq 2 ] || [ "$code" -eq 4 ] || fail "status $code"
}

@test "options of one family that does not fit the address are 4 for a client and for a listener on it" {
    need_ipv6
    assert_fails 4 'set --sockopt IP:TTL:5: it is not for a socket of this family' sockcat --sockopt IP:TTL:5 ::1 9 </dev/null
    assert_fails 4 'set --sockopt IPV6:UNICAST_HOPS:5: it is not' sockcat --sockopt IPV6:UNICAST_HOPS:5 127.0.0.1 9 </dev/null
    # A listener for both has a socket for it.
    start_listener -v -d --sockopt IP:TTL:5 0
    assert_line 'set --sockopt IP:TTL:5' "$T/listener.err"
    sockcat ::1 "$port" </dev/null
    finish "$listener"
    assert_equal "$result" 0
}

@test "the options are set again for each client of -k" {
    need strace
    trace_listener -kd --nodelay off 127.0.0.1 0
    sockcat 127.0.0.1 "$port" </dev/null
    sockcat 127.0.0.1 "$port" </dev/null
    twice() { [ "$(grep -c 'TCP_NODELAY, \[0\]' "$T/trace")" -eq 2 ]; }
    until_true 20 twice || fail "$(cat "$T/trace")"
}
