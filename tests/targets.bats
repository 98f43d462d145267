#!/usr/bin/env bats
# Probing several targets: endpoints, networks and Unix sockets; what has to be open for status 0; the
# limits of time and of descriptors; what cannot be probed.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, result, held
bats_require_minimum_version 1.5.0
load lib/helper

# open_at ADDRESS:PORT...: TCP listeners; returns when they listen.
open_at() {
    start python3 -c 'import socket, sys, time
words = [word.rpartition(":") for word in sys.argv[1:]]
s = [socket.create_server((host, int(port)), backlog=500, family=socket.AF_INET6 if ":" in host else socket.AF_INET)
     for host, _, port in words]
print("up", flush=True)
while True:
    time.sleep(60)' "$@"
    await_line "$T/background.out" '^up$'
}

# probed STATUS ARG...: sockcat -z, its status, and its output in $T/out and $T/err, without times.
probed() {
    local code=0 wanted=$1
    shift
    sockcat -z "$@" </dev/null >"$T/out" 2>"$T/err" || code=$?
    sed -i 's/ open [0-9.]*ms/ open/' "$T/out"
    assert_equal "$code" "$wanted" "$*: $(cat "$T/err")"
}

# in_targets -c SCRIPT: as in_netns, where the functions above can be used.
in_targets() {
    need_netns
    export -f open_at probed
    in_netns "$@" || {
        local code=$?
        [ "$code" -ne 77 ] || skip "needs nftables or veth in a network namespace"
        return "$code"
    }
}

@test "several targets: open ones are listed in the order of targets, then of ports" {
    # shellcheck disable=SC2016 # for the inner shell
    in_targets -c '
        open_at 127.0.0.1:21 127.0.0.1:22 127.0.0.2:80 127.0.0.6:22
        start_peer --listen "unix:$T/socket" recvall
        probed 0 127.0.0.2:80 "unix:$T/socket" 127.0.0.1:22,20-21 127.0.0.4/30:22
        printf "%s\n" "127.0.0.2:80 open http" "$T/socket open" "127.0.0.1:21 open ftp" "127.0.0.1:22 open ssh" \
            "127.0.0.6:22 open ssh" >"$T/wanted"
        assert_same "$T/out" "$T/wanted"
        printf "%s\n" "sockcat: 127.0.0.1:20: closed" "sockcat: 127.0.0.4:22: closed" "sockcat: 127.0.0.5:22: closed" \
            "sockcat: 127.0.0.7:22: closed" >"$T/wanted"
        assert_same "$T/err" "$T/wanted"'
}

@test "a network and its ports as host and ports" {
    # shellcheck disable=SC2016 # for the inner shell
    in_targets -c '
        open_at 127.0.0.2:22 127.0.0.3:80
        probed 0 127.0.0.0/30 22 80
        printf "%s\n" "127.0.0.2:22 open ssh" "127.0.0.3:80 open http" >"$T/wanted"
        assert_same "$T/out" "$T/wanted"'
}

@test "an IPv6 network" {
    need_ipv6
    # shellcheck disable=SC2016 # for the inner shell
    in_targets -c '
        open_at ::1:22
        probed 0 "[::1/128]:22" "[::1]:22"
        assert_equal "$(cat "$T/out")" "[::1]:22 open ssh
[::1]:22 open ssh"'
}

@test "of ranges and networks one is enough, of ports each has to be open; --any, --all" {
    # shellcheck disable=SC2016 # for the inner shell
    in_targets -c '
        open_at 127.0.0.1:22 127.0.0.2:22
        while read -r status words; do
            probed "$status" $words
        done <<TABLE
0 127.0.0.1 20-25
1 127.0.0.1 23-25
0 127.0.0.1 22 20-25
1 127.0.0.1 23 20-25
1 127.0.0.1 20-25 30-35
0 127.0.0.1 20-25 22-35
1 127.0.0.1 22 22-23 23
0 127.0.0.0/29:22
1 127.0.0.0/29:23
0 127.0.0.0/29:22,23
0 127.0.0.1:22 127.0.0.2:22
1 127.0.0.1:22 127.0.0.3:22
0 --any 127.0.0.1:22 127.0.0.3:22
1 --any 127.0.0.1:23 127.0.0.3:22
0 --all 127.0.0.1:22 127.0.0.2:22
1 --all 127.0.0.1 20-25
0 --all 127.0.0.1 22-22
1 --all 127.0.0.0/29:22
TABLE'
}

@test "--resolve holds for its port of a target only, and the others are looked up" {
    need_shim
    start_listener 127.0.0.1 0
    local got=0
    with_shim 'getaddrinfo:EAI_NONAME:*' sockcat -z --resolve "some.test:$port:127.0.0.1" \
        "some.test:1,$port,65535" >"$T/out" 2>"$T/err" || got=$?
    assert_equal "$got" 6
    assert_line "^some.test:$port open at 127.0.0.1:$port " "$T/out"
    assert_line '^sockcat: some.test:1: unresolved .resolve some.test: Name or service not known.$' "$T/err"
    assert_line '^sockcat: some.test:65535: unresolved .resolve some.test: Name or service not known.$' "$T/err"
}

@test "a name that does not resolve is 6, and the other targets are probed" {
    need_shim
    start_listener 127.0.0.1 0
    code=0
    with_shim 'getaddrinfo:EAI_NONAME:*' sockcat -z some.test:1-100 "127.0.0.1:$port" </dev/null >"$T/out" 2>"$T/err" || code=$?
    assert_equal "$code" 6
    assert_line "^127.0.0.1:$port open" "$T/out"
    assert_equal "$(cat "$T/err")" "sockcat: resolve some.test: Name or service not known
sockcat: 1 of 101 ports open; resolve some.test: Name or service not known"
}

@test "each name is looked up once, whatever the number of its ports" {
    need_shim
    # shellcheck disable=SC2016 # for the inner shell
    in_targets -c '
        code=0
        SHIM_COUNT=$T/count with_shim "getaddrinfo:addresses=1:*" sockcat -z a.test:1-50 b.test:1-50 </dev/null 2>"$T/err" || code=$?
        assert_equal "$code" 1
        assert_line "^getaddrinfo 2\$" "$T/count"
        assert_line "^sockcat: 0 of 100 ports open" "$T/err"'
}

@test "a look-up that does not end holds up no other target" {
    need_shim
    start_listener 127.0.0.1 0
    code=0
    with_shim 'getaddrinfo:sleep=60:*' sockcat -z -w 1 slow.test:1-9 "127.0.0.1:$port" </dev/null >"$T/out" 2>"$T/err" || code=$?
    assert_equal "$code" 28
    assert_line "^127.0.0.1:$port open" "$T/out"
    assert_line '^sockcat: resolve slow.test: timed out$' "$T/err"
}

@test "--for ends a scan: 124, with what is known" {
    need nft
    # shellcheck disable=SC2016 # for the inner shell
    in_targets -c '
        printf "%s\n" "table ip t {" "chain in {" "type filter hook input priority 0" "tcp dport 100-200 drop" "}" "}" | nft -f - \
            || exit 77
        open_at 127.0.0.1:22
        probed 124 -w 60 --for 0.3 127.0.0.1 22 50 100-200
        assert_equal "$(cat "$T/out")" "127.0.0.1:22 open ssh"
        assert_equal "$(cat "$T/err")" "sockcat: 127.0.0.1: 1 of 103 ports open; 101 not probed within 0.3s (--for)"
        probed 0 --for 60 127.0.0.1 22'
}

@test "a thousand ports that do not answer take as long as one" {
    need nft
    # shellcheck disable=SC2016 # for the inner shell
    in_targets -c '
        printf "%s\n" "table ip t {" "chain in {" "type filter hook input priority 0" "tcp dport 1-1000 drop" "}" "}" | nft -f - \
            || exit 77
        # Two rounds would be longer than --for.
        probed 28 -w 6 --for 11.5 127.0.0.1 1-1000
        assert_line "^sockcat: 127.0.0.1: 0 of 1000 ports open; connect .*: timed out\$" "$T/err"'
}

@test "EMFILE: a lack of descriptors makes the scan slower, not wrong" {
    need_shim
    # shellcheck disable=SC2016 # for the inner shell
    in_targets -c '
        # An address of this host that is not of the loopback network: its answers are waited for.
        ip addr add 10.77.0.1/32 dev lo || exit 77
        open_at 10.77.0.1:22 10.77.0.1:150
        printf "%s\n" "10.77.0.1:22 open ssh" "10.77.0.1:150 open" >"$T/wanted"
        for limit in 12 16 30; do
            code=0
            (ulimit -n "$limit" && exec "$SOCKCAT" -z -v 10.77.0.1 1-150) </dev/null >"$T/out" 2>"$T/err" || code=$?
            assert_equal "$code $(sed "s/ open [0-9.]*ms/ open/" "$T/out" | cmp - "$T/wanted")" "0 "
            assert_equal "$(grep -c ": closed\$" "$T/err")" 148
        done
        # In the middle of a scan.
        with_shim "socket:EMFILE:40" probed 0 -v 10.77.0.1 1-150
        assert_same "$T/out" "$T/wanted"
        assert_equal "$(grep -c ": closed\$" "$T/err")" 148'
}

@test "several connections are closed by reset, so that none is left in TIME_WAIT" {
    need ss
    # shellcheck disable=SC2016 # for the inner shell
    in_targets -c '
        open_at 127.0.0.1:21 127.0.0.1:22
        probed 0 127.0.0.1 21 22
        assert_equal "$(ss -Htan state time-wait)" ""'
}

@test "what is rejected by a router is unreachable, and what is dropped filtered" {
    need nft
    # shellcheck disable=SC2016 # for the inner shell
    in_targets -c '
        printf "%s\n" "table inet t {" "chain in {" "type filter hook input priority 0" \
            "tcp dport 1 reject with icmpx type admin-prohibited" "tcp dport 2 reject with icmpx type host-unreachable" \
            "tcp dport 3 drop" "tcp dport 4 reject with tcp reset" "}" "}" | nft -f - || exit 77
        probed 7 -w 1.5 127.0.0.1 1-4
        sed "s/ (.*//" "$T/err" >"$T/got"
        printf "sockcat: 127.0.0.1:%s\n" "1: unreachable" "2: unreachable" "3: filtered" "4: closed" >"$T/wanted"
        echo "sockcat: 127.0.0.1: 0 of 4 ports open" >>"$T/wanted"
        assert_same "$T/got" "$T/wanted"'
}

@test "a neighbor that is dead is unreachable" {
    # shellcheck disable=SC2016 # for the inner shell
    in_targets -c '
        ip link add v0 type veth peer name v1 || exit 77
        ip addr add 10.77.0.1/24 dev v0
        ip link set v0 up
        ip link set v1 up
        echo 100 >/proc/sys/net/ipv4/neigh/v0/retrans_time_ms
        probed 7 -w 20 10.77.0.2 80 81
        assert_line "^sockcat: 10.77.0.2:80: unreachable .No route to host.\$" "$T/err"'
}

@test "an interface that goes away ends no scan" {
    # shellcheck disable=SC2016 # for the inner shell
    in_targets -c '
        ip link add v0 type veth peer name v1 || exit 77
        ip addr add 10.77.0.1/24 dev v0
        ip link set v0 up
        ip link set v1 up
        ip neigh add 10.77.0.2 lladdr 02:00:00:00:00:09 dev v0
        open_at 127.0.0.1:22
        start "$SOCKCAT" -z -v -w 3 10.77.0.2:1-50 127.0.0.1:22
        waits() { [ "$(grep -c " 02004D0A:" /proc/net/tcp)" -ge 50 ]; }
        until_true 20 waits
        ip link del v0
        finish "$pid"
        [ "$result" -eq 28 ] || [ "$result" -eq 7 ] || fail "status $result"
        assert_line "^127.0.0.1:22 open" "$T/background.out"
        assert_equal "$(grep -cE "10.77.0.2:[0-9]+: (filtered|unreachable)" "$T/background.err")" 50'
}

@test "what cannot be probed is 3 or 2 in one line, and nothing is probed" {
    need_shim
    while IFS='|' read -r status pattern words; do
        # shellcheck disable=SC2086 # words
        SHIM_COUNT=$T/count with_shim 'connect:count:*' assert_fails "$status" "$pattern" sockcat -z $words </dev/null \
            || fail "for $words"
        ! grep -qs '^connect' "$T/count" || fail "something was probed for $words"
    done <<'TABLE'
3|the first is larger than the last|127.0.0.1:22 127.0.0.1:90-80
3|port ''|127.0.0.1:22 127.0.0.1:22,,80
3|more than 16777216 addresses|127.0.0.1:22 10.0.0.0/7:22
3|more than 16777216 addresses|[2001:db8::/64]:22
3|more than 4294967296 ports|10.0.0.0/8:1-65535
3|bits after the prefix|10.0.0.1/28:22
3|expected an address, not a name|localhost/28:22
3|missing host|127.0.0.1:22 127.0.0.2:22 81
3|missing port|127.0.0.1:22 127.0.0.2:23 localhost
3|cannot be one of several|127.0.0.1:22 fd://0
3|link-local addresses|[fe80::%lo/120]:22
2|conflicts with|--any --all 127.0.0.1:22
3|parallel|--parallel 0 127.0.0.1:22
3|for|--for 0 127.0.0.1:22
TABLE
    assert_fails 2 'requires' sockcat --for 1 127.0.0.1 22 </dev/null
    assert_fails 2 'requires' sockcat --parallel 1 127.0.0.1 22 </dev/null
    assert_fails 2 'requires' sockcat --any 127.0.0.1 22 </dev/null
}

@test "a long scan shows its progress on a terminal, and removes it" {
    need nft
    # shellcheck disable=SC2016 # for the inner shell
    in_targets -c '
        printf "%s\n" "table ip t {" "chain in {" "type filter hook input priority 0" "tcp dport 1-20 drop" "}" "}" | nft -f - \
            || exit 77
        pty --fds 12 -- "$SOCKCAT" -z -w 2.5 127.0.0.1 1-20 30 </dev/null >"$T/modes" || :
        grep -q "0 of 21 ports probed, 0 open" "$T/tty.out" || fail "$(cat -v "$T/tty.out")"
        # The last line begins where the progress was.
        tail -n 1 "$T/tty.out" | cat -v | grep -qF "^M^[[Ksockcat: 127.0.0.1: 0 of 21" || fail "$(cat -v "$T/tty.out")"'
}
