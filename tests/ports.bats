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

# probe ARG...: sockcat -z; $status, and both outputs in $T/probe.log, without the times of open ports.
probe() {
    status=0
    sockcat -z "$@" </dev/null >"$T/probe.log" 2>&1 || status=$?
    sed -i "s/ open [0-9.]*ms/ open/" "$T/probe.log"
}

# ---- status and messages ----

@test "several ports that are all open are 0, each with a line on standard output" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 21 22 23
        printf "127.0.0.1:%s\n" "21 open ftp" "22 open ssh" "23 open telnet" >"$T/wanted"
        for ports in "21 22 23" 21-23 "21,22 23"; do
            probe 127.0.0.1 $ports
            assert_equal "$status" 0
            assert_same "$T/probe.log" "$T/wanted"
        done
        sockcat -z 127.0.0.1 21-23 </dev/null 2>&1 >/dev/null | cmp - /dev/null'
}

@test "results that cannot be written are 23, silently if their reader has closed" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 21 22
        code=0
        sockcat -z 127.0.0.1 21,22 </dev/null >/dev/full 2>"$T/err" || code=$?
        assert_equal "$code $(cat "$T/err")" "23 sockcat: write standard output: No space left on device"
        code=0
        sockcat -z 127.0.0.1 21,22 </dev/null 2>"$T/err" > >(:) || code=$?
        [ "$code $(cat "$T/err")" = "23 " ] || [ "$code" -eq 0 ] || fail "$code: $(cat "$T/err")"'
}

@test "one of several that is closed is 1, with a line, and a count" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 21 23
        probe 127.0.0.1 21 22 23
        assert_equal "$status" 1
        printf "%s\n" "127.0.0.1:21 open ftp" "sockcat: 127.0.0.1:22: closed" "127.0.0.1:23 open telnet" \
            "sockcat: 127.0.0.1: 2 of 3 ports open" >"$T/wanted"
        assert_same "$T/probe.log" "$T/wanted"'
}

@test "closed ones among more than ten are counted, and listed with -v" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 25
        assert_fails 1 "^sockcat: 127.0.0.1: 1 of 11 ports open$" sockcat -z --all 127.0.0.1 20-30 </dev/null
        probe -v 127.0.0.1 20-30
        assert_equal "$(grep -c "closed$" "$T/probe.log")" 10'
}

@test "with -v each port has one line, in the order of their numbers" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 21 23 80 443
        probe -v 127.0.0.1 80 20-24 443,7 22
        assert_equal "$status" 1
        sed -n "s/^\(sockcat: \)\{0,1\}127.0.0.1:\([0-9][0-9]*\):\{0,1\} \([a-z]*\).*/\2 \3/p" "$T/probe.log" >"$T/got"
        printf "%s\n" "7 closed" "20 closed" "21 open" "22 closed" "23 open" "24 closed" "80 open" "443 open" >"$T/wanted"
        assert_same "$T/got" "$T/wanted"
        tail -n 1 "$T/probe.log" >"$T/last"
        assert_line "^sockcat: 127.0.0.1: 4 of 8 ports open$" "$T/last"'
}

@test "with -v a probe of one port that refuses is reported once" {
    hold_port
    assert_fails 1 "^sockcat: 127.0.0.1:$held: closed\$" sockcat -zv 127.0.0.1 "$held" </dev/null
    assert_fails 1 "^sockcat: 127.0.0.1:$held: closed\$" sockcat -zv 127.0.0.1 "$held,$held" </dev/null
}

@test "a name that does not resolve is looked up once, reported once, and 6" {
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
        assert_line "0 of 300 ports open" "$T/err"'
}

@test "silence is 28, and other ports are heard all the same" {
    need nft
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        printf "%s\n" "table ip t {" "chain in {" "type filter hook input priority 0" "tcp dport 22 drop" "}" "}" | nft -f - \
            || exit 77
        listeners 21 23
        assert_fails 28 "^sockcat: connect 127.0.0.1:22: timed out\$" sockcat -z -w 0.3 127.0.0.1 22 </dev/null
        probe --wait 300ms 127.0.0.1 21 22 23
        assert_equal "$status $(tail -n 1 "$T/probe.log")" "28 sockcat: 127.0.0.1: 2 of 3 ports open"
        # It is worse than a refusal, whichever comes first.
        for ports in "22 24" "24 22" "20 21 22 23 24"; do
            probe -v -w 0.3 127.0.0.1 $ports
            assert_equal "$ports $status" "$ports 28"
            assert_line "^sockcat: 127.0.0.1:22: filtered .timed out.\$" "$T/probe.log"
            assert_line "^sockcat: 127.0.0.1:24: closed" "$T/probe.log"
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
        probe -v -w 0.2 --parallel 64 127.0.0.1 1-150 200
        assert_equal "$status" 28
        assert_equal "$(grep -c "^sockcat: .*: filtered (timed out)\$" "$T/probe.log")" 150
        assert_line "^127.0.0.1:200 open" "$T/probe.log"'
}

@test "an unreachable network is 7 for all, and more than a refusal" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        assert_fails 7 "^sockcat: 192.0.2.1: 0 of 11 ports open" sockcat -z 192.0.2.1 1-11 </dev/null
        probe -v 192.0.2.1 1 2
        assert_line "^sockcat: 192.0.2.1:1: unreachable .Network is unreachable.\$" "$T/probe.log"
        assert_line "^sockcat: 192.0.2.1:2: unreachable .Network is unreachable.\$" "$T/probe.log"'
}

@test "the last line about many ports says why the worst of them is not open" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        assert_fails 7 "0 of 11 ports.*Network is unreachable" sockcat -z 192.0.2.1 1-11 </dev/null
        assert_fails 1 "0 of 11 ports open$" sockcat -z 127.0.0.1 1-11 </dev/null'
}

@test "what keeps the question from being asked is no refusal" {
    need_shim
    with_shim 'socket:EACCES:*' assert_fails 7 'Permission denied' sockcat -z 127.0.0.1 9 </dev/null
    with_shim 'socket:EACCES:*' assert_fails 7 'Permission denied' sockcat -z 127.0.0.1 9-20 </dev/null
    with_shim 'connect:EPERM:*' assert_fails 7 'not permitted' sockcat -z 127.0.0.1 9 </dev/null
}

@test "a lack of descriptors is 27, and is not taken for an answer" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 21
        code=0
        (ulimit -n 20 && exec "$SOCKCAT" -zv --all 127.0.0.1 1-100) </dev/null 2>"$T/probe.log" || code=$?
        # Those that got a descriptor have their answer; with fewer at a time all would have.
        [ "$code" -eq 27 ] || [ "$code" -eq 1 ] || fail "status $code: $(tail -n 3 "$T/probe.log")"
        [ "$code" -eq 27 ] || assert_equal "$(grep -c "^sockcat: .*: closed\$" "$T/probe.log")" 99'
}

@test "a port that is open at one of many addresses is open, among many ports and over UDP" {
    need_shim
    drive ports one_of_many_addresses
}

@test "an open port that cannot be printed is 23, also if others are closed" {
    start_listener -dk 127.0.0.1 0
    hold_port
    for target in "127.0.0.1 $port $held" "127.0.0.1:$held 127.0.0.1:$port --all"; do
        status=0
        # shellcheck disable=SC2086 # words
        sockcat -z $target >/dev/full 2>"$T/err" || status=$?
        assert_equal "$status" 23
        assert_line 'write standard output: No space left on device' "$T/err"
    done
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
        await_line "$T/background.err" "^sockcat: 127.0.0.1:10: closed"
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
        probe -v --all 127.0.0.1 1-65535
        assert_equal "$status" 1
        assert_equal "$(sed -n "s/^127.0.0.1:\([0-9][0-9]*\) open.*/\1/p" "$T/probe.log" | tr "\n" " ")" "1 4711 65535 "
        # A client whose own port is the one that it asks connects to itself.
        no="127.0.0.1:[0-9]*: closed"
        assert_equal "$(grep -cE "^sockcat: $no\$" "$T/probe.log")" 65532
        tail -n 1 "$T/probe.log" >"$T/last"
        assert_line "^sockcat: 127.0.0.1: 3 of 65535 ports open" "$T/last"'
}

@test "F96: no result is lost when they are read slowly" {
    drive ports slow_reader
}

@test "F96: with -r all ports are probed, each once, in another order" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 7 1234
        probe -v -r --all 127.0.0.1 1-2000
        assert_equal "$status" 1
        sed -n "s/^\(sockcat: \)\{0,1\}127.0.0.1:\([0-9][0-9]*\)\( open.*\|: closed\)/\2/p" "$T/probe.log" >"$T/got"
        sort -n "$T/got" >"$T/sorted"
        seq 2000 >"$T/wanted"
        assert_same "$T/sorted" "$T/wanted"
        ! cmp -s "$T/got" "$T/wanted" || fail "they are in order"
        # Shuffled, not reversed or rotated: hardly any is followed by the next or the one before.
        near=$(awk "NR > 1 { d = \$1 - last; if (d == 1 || d == -1) n++ } { last = \$1 } END { print n + 0 }" "$T/got")
        [ "$near" -lt 50 ] || fail "$near are beside their neighbours"
        probe -v -r 127.0.0.1 1-2000
        sed -n "s/^\(sockcat: \)\{0,1\}127.0.0.1:\([0-9][0-9]*\)\( open.*\|: closed\)/\2/p" "$T/probe.log" >"$T/again"
        ! cmp -s "$T/got" "$T/again" || fail "the order is always the same"'
}

@test "at most as many are under way at once as --parallel says" {
    need nft
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        printf "%s\n" "table ip t {" "chain in {" "type filter hook input priority 0" "tcp dport 1-1000 drop" "}" "}" | nft -f - \
            || exit 77
        start "$SOCKCAT" -z --parallel 64 127.0.0.1 1-1000
        count() { find "/proc/$pid/fd" -lname "socket:*" 2>/dev/null | wc -l; }
        many() { [ "$(count)" -ge 64 ]; }
        until_true 20 many || fail "only $(count) at once"
        sleeps() { grep -q "^State:.S" "/proc/$pid/status"; }
        until_true 20 sleeps
        assert_equal "$(count)" 64'
}

@test "F96: a list is exact: services, ranges and numbers, each port once, in order" {
    [ -r /etc/services ] || skip "needs /etc/services"
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        probe -v 127.0.0.1 https,20-23 http 22,80,443 79-81 ssh
        sed -n "s/^sockcat: 127.0.0.1:\([0-9][0-9]*\): closed/\1/p" "$T/probe.log" >"$T/got"
        printf "%s\n" 20 21 22 23 79 80 81 443 >"$T/wanted"
        assert_same "$T/got" "$T/wanted"'
}

@test "F96: a long list is exact" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 20001
        list=$(seq -s , 1 2 30001)
        probe -v 127.0.0.1 "$list" "$list"
        assert_equal "$status" 1
        sed -n "s/^\(sockcat: \)\{0,1\}127.0.0.1:\([0-9][0-9]*\)\( open.*\|: closed\)/\2/p" "$T/probe.log" >"$T/got"
        seq 1 2 30001 >"$T/wanted"
        assert_same "$T/got" "$T/wanted"
        assert_equal "$(grep -c ":[0-9]* open" "$T/probe.log")" 1'
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
        sed -n "s/^sockcat: 127.0.0.1:\([0-9][0-9]*\): closed/\1/p" "$T/probe.log" | tr "\n" " " >"$T/got"
        assert_equal "$(cat "$T/got")" "20 21 22 54 97 8080 "
        # The name is one of the protocol that is spoken.
        assert_fails 1 "127.0.0.1:55: closed" sockcat -zuv 127.0.0.1 both </dev/null
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
        sed -n "s/^sockcat: 127.0.0.1:\([0-9][0-9]*\): closed/\1/p" "$T/probe.log" | tr "\n" " " >"$T/got"
        assert_equal "$(cat "$T/got")" "1 2 3 4 5 6 65535 "'
}

@test "several ports, ranges and lists are for -z only: 2 or 3" {
    assert_fails 3 "port '20-30'" sockcat 127.0.0.1 20-30 </dev/null
    assert_fails 3 "port '20,30'" sockcat 127.0.0.1 20,30 </dev/null
    assert_fails 2 "extra operand '30'" sockcat 127.0.0.1 20 30 </dev/null
    assert_fails 3 "port '20-30'" sockcat 127.0.0.1:20-30 </dev/null
    assert_fails 3 "port '20-30'" sockcat -l 20-30 </dev/null
    assert_fails 3 "port '20,30'" sockcat -l 127.0.0.1 20,30 </dev/null
    assert_fails 3 "port '20-30'" sockcat -p 20-30 127.0.0.1 9 </dev/null
    assert_fails 3 "port '20-30'" sockcat -z -p 20-30 127.0.0.1 9 </dev/null
}

@test "several ports of a vsock are not passed over in silence" {
    code=0
    sockcat -z --vsock 1 22 80 90 </dev/null 2>"$T/err" || code=$?
    [ "$code" -eq 2 ] || [ "$(grep -c '1:80\|of 3' "$T/err")" -ge 1 ] || fail "status $code: $(cat "$T/err")"
}

@test "a list of ports may be in one operand with the host" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        listeners 21 22
        probe -v 127.0.0.1:20-22,80
        assert_equal "$status" 1
        assert_equal "$(grep -c ":2[0-9] open" "$T/probe.log")" 2
        assert_line "2 of 4 ports" "$T/probe.log"'
}

# ---- datagrams ----

@test "-zu: a port that answers is 0, one that refuses 1, one that is silent 28" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        udp_peers 21 22
        probe -u 127.0.0.1 21
        assert_equal "$status $(cat "$T/probe.log")" "0 "
        assert_closed sockcat -zu 127.0.0.1 23
        assert_fails 28 "^sockcat: probe 127.0.0.1:22: no answer, but no refusal either\$" \
            sockcat -zu -w 0.3 127.0.0.1 22 </dev/null
        # It was asked with an empty datagram, and once.
        assert_equal "$(tail -n +2 "$T/background.out")" "got 0"'
}

@test "-zu of several: each has its state" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        udp_peers 21 22
        probe -vu -w 0.3 127.0.0.1 23,22,21 udp-is-no-service || :
        assert_equal "$status" 3
        probe -vu -w 0.3 127.0.0.1 23,22,21
        assert_equal "$status" 28
        sed -n "s/^\(sockcat: \)\{0,1\}127.0.0.1:\([0-9][0-9]*\):\{0,1\} \([a-z|]*.*\)\$/\2 \3/p" "$T/probe.log" >"$T/got"
        printf "%s\n" "21 open fsp" "22 open|filtered (no answer, but no refusal either)" "23 closed" >"$T/wanted"
        assert_same "$T/got" "$T/wanted"'
}

@test "-zu over IPv6, and as one operand" {
    need_ipv6
    need_shim
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        assert_fails 1 "^sockcat: \[::1\]:23: closed$" sockcat -zvu ::1 23 </dev/null
        assert_fails 1 "^sockcat: \[::1\]:23: closed$" sockcat -zv "udp://[::1]:23" </dev/null
        assert_fails 1 "^sockcat: 127.0.0.1:23: closed$" sockcat -zv udp://127.0.0.1:23 </dev/null'
}

@test "-zu of many ports that refuse finds the one that answers" {
    # shellcheck disable=SC2016 # for the inner shell
    in_ports -c '
        # The kernel limits the rate of refusals.
        echo 0 >/proc/sys/net/ipv4/icmp_ratelimit 2>/dev/null || :
        udp_peers 150 301
        probe -vu -w 0.5 127.0.0.1 100-200
        assert_equal "$status" 0
        assert_equal "$(sed -n "s/^127.0.0.1:\([0-9][0-9]*\) open.*/\1/p" "$T/probe.log")" 150'
}

# ---- Unix sockets ----

@test "-z -U: a listener is 0, a socket without a listener 1, no socket at all 7" {
    start_peer --listen "unix:$T/socket" recvall
    sockcat -zU "$T/socket" </dev/null
    assert_peer_done
    assert_closed sockcat -zU "$T/socket"
    assert_fails 1 "^sockcat: .*socket: closed\$" sockcat -zvU "$T/socket" </dev/null
    assert_fails 7 'No such file or directory' sockcat -zU "$T/none" </dev/null
    : >"$T/file"
    code=0
    sockcat -zU "$T/file" </dev/null 2>"$T/err" || code=$?
    [ "$code" -eq 1 ] || [ "$code" -eq 7 ] || fail "status $code"
    assert_fails 2 "extra operand" sockcat -zU "$T/socket" 80 </dev/null
}

@test "-z -U: datagram, seqpacket and abstract sockets are probed, too" {
    drive ports unix_kinds
}
