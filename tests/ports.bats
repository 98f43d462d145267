#!/usr/bin/env bats
# Probing several ports: words, ranges, lists, names of services; the order of the report, the status
# of many, how many at once, and datagrams.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, result, held, netns
bats_require_minimum_version 1.5.0
load lib/helper

# in_ports FUNCTION|-c SCRIPT [ARG...]: as in_netns, where listeners and udp_peers below can be used. In a namespace
# of its own a test can choose its ports.
in_ports() {
    need_netns
    export -f listeners udp_peers probe
    in_netns "$@" || {
        local code=$?
        [ "$code" -ne 77 ] || skip "needs nftables in a network namespace"
        return "$code"
    }
}

# listeners PORT...: TCP listeners at 127.0.0.1 that accept and let go; returns when they listen.
listeners() {
    start python3 -c 'import socket, selectors, sys
s = selectors.DefaultSelector()
for port in sys.argv[1:]:
    listener = socket.create_server(("127.0.0.1", int(port)), backlog=500)
    s.register(listener, selectors.EVENT_READ)
print("up", flush=True)
while True:
    for key, _ in s.select():
        client, _ = key.fileobj.accept()
        client.close()' "$@"
    await_line "$T/background.out" '^up$'
}

# udp_peers ANSWERING SILENT: two UDP ports, one that answers whatever comes and one that does not.
udp_peers() {
    start python3 -c 'import socket, sys
silent, answering = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
silent.bind(("127.0.0.1", int(sys.argv[2])))
answering.bind(("127.0.0.1", int(sys.argv[1])))
print("up", flush=True)
while True:
    data, peer = answering.recvfrom(10)
    print("got", len(data), flush=True)
    answering.sendto(b"", peer)' "$@"
    await_line "$T/background.out" '^up$'
}

# probe ARG...: sockcat -z; $status, and standard error in $T/probe.log.
probe() {
    status=0
    sockcat -z "$@" </dev/null >"$T/probe.out" 2>"$T/probe.log" || status=$?
    assert_equal "$(cat "$T/probe.out")" ""
}

# ---- status and messages ----

@test "several ports that are all open are 0, without a word" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 21 22 23
        probe 127.0.0.1 21 22 23
        assert_equal "$status $(cat "$T/probe.log")" "0 "
        probe 127.0.0.1 21-23
        assert_equal "$status $(cat "$T/probe.log")" "0 "
        probe 127.0.0.1 21,22 23
        assert_equal "$status $(cat "$T/probe.log")" "0 "'
}

@test "one of several that refuses is 1, and the line is about that one" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 21 23
        assert_fails 1 "^sockcat: connect 127.0.0.1:22: Connection refused\$" sockcat -z 127.0.0.1 21-23 </dev/null'
}

@test "several that refuse are 1, and one line counts them" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 25
        assert_fails 1 "^sockcat: probe 127.0.0.1: 9 of 10 ports are not open" sockcat -z 127.0.0.1 21-30 </dev/null'
}

@test "with -v each port has one line, in the order asked for" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 21 23 80 443
        probe -v 127.0.0.1 80 20-24 443,7 22
        assert_equal "$status" 1
        sed -n "s/^sockcat: \(connect \)\{0,1\}127.0.0.1:\([0-9]*\): \(.*\)/\2 \3/p" "$T/probe.log" >"$T/got"
        printf "%s\n" "80 open" "20 Connection refused" "21 open" "22 Connection refused" "23 open" \
            "24 Connection refused" "443 open" "7 Connection refused" >"$T/wanted"
        assert_same "$T/got" "$T/wanted"
        tail -n 1 "$T/probe.log" >"$T/last"
        assert_line "^sockcat: probe 127.0.0.1: 4 of 8 ports are not open" "$T/last"'
}

@test "with -v a probe of one port that refuses is told once" {
    hold_port
    assert_fails 1 "^sockcat: connect 127.0.0.1:$held: Connection refused\$" sockcat -zv 127.0.0.1 "$held" </dev/null
    assert_fails 1 "^sockcat: connect 127.0.0.1:$held: Connection refused\$" sockcat -zv 127.0.0.1 "$held,$held" </dev/null
}

@test "a name that does not resolve is looked up once, told once, and 6" {
    need_shim
    for verbose in '' -v -vv; do
        # shellcheck disable=SC2086 # nothing or one word
        SHIM_COUNT=$T/count with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 6 \
            '^sockcat: resolve some.test: Name or service not known$' \
            sockcat -z $verbose some.test 1-100 </dev/null || fail "with $verbose"
        assert_line '^getaddrinfo 1$' "$T/count"
    done
}

@test "a name that resolves is looked up once for all ports" {
    need_shim
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        SHIM_COUNT=$T/count with_shim "getaddrinfo:addresses=1:*" sockcat -z some.test 1-300 </dev/null 2>"$T/err" || :
        assert_line "^getaddrinfo 1\$" "$T/count"
        assert_line "300 of 300 ports are not open" "$T/err"'
}

@test "silence is 28, and other ports are heard all the same" {
    need nft
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        printf "%s\n" "table ip t {" "chain in {" "type filter hook input priority 0" "tcp dport 22 drop" "}" "}" | nft -f - \
            || exit 77
        listeners 21 23
        assert_fails 28 "^sockcat: connect 127.0.0.1:22: no answer in time\$" sockcat -z -w 0.3 127.0.0.1 22 </dev/null
        assert_fails 28 "connect 127.0.0.1:22: no answer in time" sockcat -z --wait 300ms 127.0.0.1 21-23 </dev/null
        # It is worse than a refusal, whichever comes first.
        for ports in "22 24" "24 22" 20-24; do
            probe -v -w 0.3 127.0.0.1 $ports
            assert_equal "$ports $status" "$ports 28"
            assert_line "^sockcat: connect 127.0.0.1:22: no answer in time" "$T/probe.log"
            assert_line "^sockcat: connect 127.0.0.1:24: Connection refused" "$T/probe.log"
        done'
}

@test "the limit is for each port, not for all of them" {
    need nft
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        printf "%s\n" "table ip t {" "chain in {" "type filter hook input priority 0" "tcp dport 1-150 drop" "}" "}" | nft -f - \
            || exit 77
        listeners 200
        # More than fit side by side: the later ones begin when the first have had their time.
        probe -v -w 0.2 127.0.0.1 1-150 200
        assert_equal "$status" 28
        assert_equal "$(grep -c "^sockcat: connect .*: no answer in time\$" "$T/probe.log")" 150
        assert_line "^sockcat: 127.0.0.1:200: open" "$T/probe.log"'
}

@test "an unreachable network is 7 for all, and more than a refusal" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        assert_fails 7 "^sockcat: probe 192.0.2.1: 3 of 3 ports are not open" sockcat -z 192.0.2.1 1-3 </dev/null
        probe -v 192.0.2.1 1 2
        assert_line "^sockcat: connect 192.0.2.1:1: Network is unreachable\$" "$T/probe.log"
        assert_line "^sockcat: connect 192.0.2.1:2: Network is unreachable\$" "$T/probe.log"'
}

@test "the last line about several ports says why the worst of them is not open" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        assert_fails 7 "3 of 3 ports.*Network is unreachable" sockcat -z 192.0.2.1 1-3 </dev/null
        assert_fails 1 "3 of 3 ports.*Connection refused" sockcat -z 127.0.0.1 1-3 </dev/null'
}

@test "what keeps the question from being asked is no refusal" {
    need_shim
    with_shim 'socket:EACCES:*' assert_fails 7 'Permission denied' sockcat -z 127.0.0.1 9 </dev/null
    with_shim 'socket:EACCES:*' assert_fails 7 'Permission denied' sockcat -z 127.0.0.1 9 10 </dev/null
    with_shim 'connect:EPERM:*' assert_fails 7 'not permitted' sockcat -z 127.0.0.1 9 </dev/null
}

@test "a lack of descriptors is 27, and is not taken for an answer" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 21
        code=0
        (ulimit -n 20 && exec "$SOCKCAT" -zv 127.0.0.1 1-100) </dev/null 2>"$T/probe.log" || code=$?
        # Those that got a descriptor have their answer; with fewer at a time all would have.
        [ "$code" -eq 27 ] || [ "$code" -eq 1 ] || fail "status $code: $(tail -n 3 "$T/probe.log")"
        [ "$code" -eq 27 ] || assert_equal "$(grep -c "^sockcat: connect .*: Connection refused\$" "$T/probe.log")" 99'
}

@test "a port that is open at one of many addresses is open, among many ports and over UDP" {
    need_shim
    drive <<'PY'
from drive import *
shim = {'LD_PRELOAD': os.environ['SHIM_LIB'], 'SHIM': 'getaddrinfo:addresses=3:*', 'SHIM_PROG': 'sockcat'}
listener = socket.create_server(('127.1.0.2', 0))
port = listener.getsockname()[1]
Cat('-z', 'many.test', str(port), str(port), env=shim).end(0)
peer = socket.socket(type=socket.SOCK_DGRAM)
peer.bind(('127.1.0.2', 0))
peer.settimeout(LIMIT)
cat = Cat('-z', '-u', 'many.test', str(peer.getsockname()[1]), env=shim)
data, where = peer.recvfrom(10)
peer.sendto(b'', where)
cat.end(0)
PY
}

@test "a signal ends a probe of many" {
    need nft
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        printf "%s\n" "table ip t {" "chain in {" "type filter hook input priority 0" "tcp dport 1-1000 drop" "}" "}" | nft -f - \
            || exit 77
        start "$SOCKCAT" -z 127.0.0.1 1-1000
        until_true 20 catches "$pid" TERM
        kill -TERM "$pid"
        finish "$pid"
        assert_equal "$result $(cat "$T/background.err")" "143 "'
}

@test "SIGUSR1 tells how far a probe of many has got" {
    need nft
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        printf "%s\n" "table ip t {" "chain in {" "type filter hook input priority 0" "tcp dport 11-1000 drop" "}" "}" | nft -f - \
            || exit 77
        start "$SOCKCAT" -zv 127.0.0.1 1-1000
        await_line "$T/background.err" "^sockcat: connect 127.0.0.1:10: Connection refused"
        kill -USR1 "$pid"
        await_line "$T/background.err" "^sockcat: probed 10 of 1000 ports\$"
        kill -TERM "$pid"
        finish "$pid"'
}

# ---- many ----

@test "F96: of all 65535 ports exactly the three that are open are found" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 1 4711 65535
        probe -v 127.0.0.1 1-65535
        assert_equal "$status" 1
        assert_equal "$(sed -n "s/^sockcat: 127.0.0.1:\([0-9]*\): open\$/\1/p" "$T/probe.log" | tr "\n" " ")" "1 4711 65535 "
        # A client whose own port is the one that it asks connects to itself.
        no="(Connection refused|connected to itself, .*)"
        assert_equal "$(grep -cE "^sockcat: connect 127.0.0.1:[0-9]*: $no\$" "$T/probe.log")" 65532
        tail -n 1 "$T/probe.log" >"$T/last"
        assert_line "^sockcat: probe 127.0.0.1: 65532 of 65535 ports are not open" "$T/last"'
}

@test "F96: no result is lost when they are read slowly" {
    drive <<'PY'
from drive import *
def run():
    end, its = os.pipe()
    fcntl.fcntl(its, 1031, 4096)  # F_SETPIPE_SZ
    cat = subprocess.Popen([os.environ['SOCKCAT'], '-z', '-v', '127.0.0.1', '1-3000'], stdin=subprocess.DEVNULL, stderr=its)
    os.close(its)
    # It is ahead of its reader: it waits, or has ended.
    calm = [0]
    def ahead():
        with open('/proc/%d/stat' % cat.pid) as file:
            state = file.read().rpartition(')')[2].split()[0]
        calm[0] = calm[0] + 1 if in_pipe(end) > 0 and state in 'SZ' else 0
        return calm[0] > 5 or state == 'Z'
    until(ahead, 'it does not come to rest')
    limit = threading.Timer(LIMIT, cat.kill)
    limit.start()
    with open(end, 'rb') as pipe:
        lines = pipe.read().splitlines()
    limit.cancel()
    check(cat.wait(LIMIT), 1, 'it hung, or failed')
    check(len(lines), 3001, repr(lines[-1]))
# Whether it waits for its reader at the moment when that goes on is chance.
for _ in range(8):
    run()
PY
}

@test "F96: with -r all ports are probed, each once, in another order" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 7 1234
        probe -v -r 127.0.0.1 1-2000
        assert_equal "$status" 1
        sed -n "s/^sockcat: \(connect \)\{0,1\}127.0.0.1:\([0-9]*\): \(open\|Connection refused\)\$/\2/p" "$T/probe.log" >"$T/got"
        sort -n "$T/got" >"$T/sorted"
        seq 2000 >"$T/wanted"
        assert_same "$T/sorted" "$T/wanted"
        ! cmp -s "$T/got" "$T/wanted" || fail "they are in order"
        # Mixed, not turned or begun elsewhere: hardly any is followed by the next or the one before.
        near=$(awk "NR > 1 { d = \$1 - last; if (d == 1 || d == -1) n++ } { last = \$1 } END { print n + 0 }" "$T/got")
        [ "$near" -lt 50 ] || fail "$near are beside their neighbours"
        probe -v -r 127.0.0.1 1-2000
        sed -n "s/^sockcat: \(connect \)\{0,1\}127.0.0.1:\([0-9]*\): \(open\|Connection refused\)\$/\2/p" "$T/probe.log" >"$T/again"
        ! cmp -s "$T/got" "$T/again" || fail "the order is always the same"'
}

@test "at most 64 are under way at once" {
    need nft
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        printf "%s\n" "table ip t {" "chain in {" "type filter hook input priority 0" "tcp dport 1-1000 drop" "}" "}" | nft -f - \
            || exit 77
        start "$SOCKCAT" -z 127.0.0.1 1-1000
        count() { find "/proc/$pid/fd" -lname "socket:*" 2>/dev/null | wc -l; }
        many() { [ "$(count)" -ge 64 ]; }
        until_true 20 many || fail "only $(count) at once"
        sleeps() { grep -q "^State:.S" "/proc/$pid/status"; }
        until_true 20 sleeps
        assert_equal "$(count)" 64'
}

@test "F96: a list is exact: services, ranges and numbers, each port once, where it was first" {
    [ -r /etc/services ] || skip "needs /etc/services"
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        probe -v 127.0.0.1 https,20-23 http 22,80,443 79-81 ssh
        sed -n "s/^sockcat: connect 127.0.0.1:\([0-9]*\): .*/\1/p" "$T/probe.log" >"$T/got"
        printf "%s\n" 443 20 21 22 23 80 79 81 >"$T/wanted"
        assert_same "$T/got" "$T/wanted"'
}

@test "F96: a long list is exact" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 20001
        list=$(seq -s , 1 2 30001)
        probe -v 127.0.0.1 "$list" "$list"
        assert_equal "$status" 1
        sed -n "s/^sockcat: \(connect \)\{0,1\}127.0.0.1:\([0-9]*\): .*/\2/p" "$T/probe.log" >"$T/got"
        seq 1 2 30001 >"$T/wanted"
        assert_same "$T/got" "$T/wanted"
        assert_equal "$(grep -c ": open\$" "$T/probe.log")" 1'
}

@test "F96: a service whose name has a hyphen is no range" {
    need_netns
    need mount
    printf 'http-alt 8080/tcp\n20-30 99/tcp\na-1 97/tcp\nudponly 53/udp\nboth 54/tcp\nboth 55/udp\n' >"$T/services"
    printf 'services: files\nhosts: files\n' >"$T/nsswitch.conf"
    export -f probe
    netns="$netns -m"
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        mount --bind "$T/services" /etc/services && mount --bind "$T/nsswitch.conf" /etc/nsswitch.conf || exit 77
        probe -v 127.0.0.1 http-alt 20-22 a-1 both
        sed -n "s/^sockcat: connect 127.0.0.1:\([0-9]*\): .*/\1/p" "$T/probe.log" | tr "\n" " " >"$T/got"
        assert_equal "$(cat "$T/got")" "8080 20 21 22 97 54 "
        # The name is one of the protocol that is spoken.
        assert_fails 1 "127.0.0.1:55: Connection refused" sockcat -zu 127.0.0.1 both </dev/null
        assert_fails 3 "port .udponly." sockcat -z 127.0.0.1 udponly </dev/null' || {
        code=$?
        [ "$code" -ne 77 ] || skip "needs a mount namespace"
        return "$code"
    }
}

@test "F96: ports that are none are 3 and quoted, and nothing is probed" {
    need_shim
    while IFS='|' read -r ports shown; do
        # shellcheck disable=SC2086 # words
        SHIM_COUNT=$T/count with_shim 'connect:count:*' assert_fails 3 "'$shown'" sockcat -z 127.0.0.1 $ports </dev/null \
            || fail "for $ports"
        ! grep -qs '^connect' "$T/count" || fail "something was probed for $ports"
    done <<'TABLE'
0|0
0-3|0
3-1|3-1
1-65536|(1-)?65536
1-70000|(1-)?70000
65536|65536
70000-1|70000(-1)?
1-|1-
1-2-3|1-2-3
1--3|1--3
1,|
,1|
1,,2|
1,2x|2x
1:3|1:3
1..3|1..3
0x10|0x10
1-x|1-x
no-such|no-such
+1|\+1
80 no-such|no-such
80,22 1-3 5-4|5-4
99999999999999999999|99999999999999999999
1-99999999999999999999|(1-)?99999999999999999999
TABLE
}

@test "F96: a range of one, and ranges that overlap, are what they say" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        probe -v 127.0.0.1 5-5 4-6 1-3 65535-65535
        sed -n "s/^sockcat: connect 127.0.0.1:\([0-9]*\): .*/\1/p" "$T/probe.log" | tr "\n" " " >"$T/got"
        assert_equal "$(cat "$T/got")" "5 4 6 1 2 3 65535 "'
}

@test "several ports, ranges and lists are for -z only: 2 or 3" {
    assert_fails 3 "port '20-30'" sockcat 127.0.0.1 20-30 </dev/null
    assert_fails 3 "port '20,30'" sockcat 127.0.0.1 20,30 </dev/null
    assert_fails 2 "argument '30': it is one too many" sockcat 127.0.0.1 20 30 </dev/null
    assert_fails 3 "port '20-30'" sockcat 127.0.0.1:20-30 </dev/null
    assert_fails 3 "port '20-30'" sockcat -l 20-30 </dev/null
    assert_fails 3 "port '20,30'" sockcat -l 127.0.0.1 20,30 </dev/null
    assert_fails 3 "port '20-30'" sockcat -p 20-30 127.0.0.1 9 </dev/null
    assert_fails 3 "port '20-30'" sockcat -z -p 20-30 127.0.0.1 9 </dev/null
}

@test "several ports of a vsock are not passed over in silence" {
    code=0
    sockcat -z --vsock 1 22 80 90 </dev/null 2>"$T/err" || code=$?
    [ "$code" -eq 2 ] || [ "$(grep -c '1:80\|3 of 3' "$T/err")" -ge 1 ] || fail "status $code: $(cat "$T/err")"
}

@test "a list of ports may stand in one word with the host" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 21 22
        probe -v 127.0.0.1:20-22,80
        assert_equal "$status" 1
        assert_equal "$(grep -c ": open\$" "$T/probe.log")" 2
        assert_line "2 of 4 ports" "$T/probe.log"'
}

# ---- datagrams ----

@test "-zu: a port that answers is 0, one that refuses 1, one that is silent 28" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        udp_peers 21 22
        probe -u 127.0.0.1 21
        assert_equal "$status $(cat "$T/probe.log")" "0 "
        assert_fails 1 "^sockcat: connect 127.0.0.1:23: Connection refused\$" sockcat -zu 127.0.0.1 23 </dev/null
        assert_fails 28 "^sockcat: probe 127.0.0.1:22: no answer, but no refusal either\$" \
            sockcat -zu -w 0.3 127.0.0.1 22 </dev/null
        # It was asked with an empty datagram, and once.
        assert_equal "$(tail -n +2 "$T/background.out")" "got 0"'
}

@test "-zu of several: the order of the report is that of the question" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        udp_peers 21 22
        probe -vu -w 0.3 127.0.0.1 23,22,21 udp-is-no-service || :
        assert_equal "$status" 3
        probe -vu -w 0.3 127.0.0.1 23,22,21
        assert_equal "$status" 28
        sed -n "s/^sockcat: \(connect \|probe \)\{0,1\}127.0.0.1:\([0-9]*\): \(.*\)/\2 \3/p" "$T/probe.log" >"$T/got"
        printf "%s\n" "23 Connection refused" "22 no answer, but no refusal either" "21 open" >"$T/wanted"
        assert_same "$T/got" "$T/wanted"'
}

@test "-zu over IPv6, and as one word" {
    need_ipv6
    need_shim
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        assert_fails 1 "connect \[::1\]:23: Connection refused" sockcat -zu ::1 23 </dev/null
        assert_fails 1 "connect \[::1\]:23: Connection refused" sockcat -z "udp://[::1]:23" </dev/null
        assert_fails 1 "connect 127.0.0.1:23: Connection refused" sockcat -z udp://127.0.0.1:23 </dev/null'
}

@test "-zu of many ports that refuse finds the one that answers" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        # The kernel answers only so many packets per second with a refusal.
        echo 0 >/proc/sys/net/ipv4/icmp_ratelimit 2>/dev/null || :
        udp_peers 150 301
        probe -vu -w 0.5 127.0.0.1 100-200
        [ "$status" -eq 1 ] || [ "$status" -eq 28 ] || fail "status $status"
        assert_equal "$(sed -n "s/^sockcat: 127.0.0.1:\([0-9]*\): open\$/\1/p" "$T/probe.log")" 150'
}

@test "-zu waits for as long as -w or --wait says, more than the 2 seconds that are the default" {
    need strace
    # Whoever is traced cannot look for leaks.
    export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
    drive <<'PY'
from drive import *
for words, least, most in (['-w', '15'], 14, 15), (['--wait', '15'], 14, 15), ([], 1, 2), (['-w', '1'], 0, 1):
    peer = udp()
    peer.settimeout(LIMIT)
    trace = T + '/trace'
    cat = subprocess.Popen(['strace', '-qq', '-f', '-o', trace, '-e', 'trace=poll,ppoll', os.environ['SOCKCAT'], '-z', '-u',
                            *words, '127.0.0.1', str(peer.getsockname()[1])], stdin=subprocess.DEVNULL)
    data, where = peer.recvfrom(10)
    check(data, b'')
    peer.sendto(b'here', where)
    if cat.wait(LIMIT) != 0:
        sys.exit('strace does not work here' if not os.path.exists(trace) else 'status %d' % cat.returncode)
    with open(trace) as file:
        times = [int(time) for time in re.findall(r'poll\(.*, (-?\d+)\) = ', file.read())]
    check([least * 1000 <= time <= most * 1000 for time in times], [True] * len(times), '%r: %r' % (words, times))
    check(len(times) > 0, True)
PY
}

# ---- Unix sockets ----

@test "-z -U: a listener is 0, a socket that nobody listens on 1, no socket at all 7" {
    start_peer --listen "unix:$T/socket" recvall
    sockcat -zU "$T/socket" </dev/null
    assert_peer_done
    assert_fails 1 "^sockcat: connect .*socket: Connection refused\$" sockcat -zU "$T/socket" </dev/null
    assert_fails 7 'No such file or directory' sockcat -zU "$T/none" </dev/null
    : >"$T/file"
    code=0
    sockcat -zU "$T/file" </dev/null 2>"$T/err" || code=$?
    [ "$code" -eq 1 ] || [ "$code" -eq 7 ] || fail "status $code"
    assert_fails 2 "one too many" sockcat -zU "$T/socket" 80 </dev/null
}

@test "-z -U: datagram, seqpacket and abstract sockets are probed, too" {
    drive <<'PY'
from drive import *
for kind, words in (socket.SOCK_DGRAM, ['-u']), (socket.SOCK_SEQPACKET, ['--seqpacket']), (socket.SOCK_STREAM, []):
    s = socket.socket(socket.AF_UNIX, kind)
    name = '@sockcat-%d-%d' % (os.getpid(), kind)
    s.bind('\0' + name[1:])
    if kind != socket.SOCK_DGRAM:
        s.listen()
    Cat('-z', '-U', *words, name).end(0)
    s.close()
    Cat('-z', '-U', *words, name).fail(1, 'Connection refused')
PY
}
