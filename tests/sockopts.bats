#!/usr/bin/env bats
# Socket options: what each does is seen by the peer, by the packet filter, by ss or in the system
# calls; what -v says of it; what the kernel refuses; and that nothing is set without an option for it.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, result, held, netns
bats_require_minimum_version 1.5.0
load lib/helper

# net CASE [COMMAND...]: drive, in a network namespace of its own. Status 77 skips; COMMANDs are needed, nft to
# count packets.
net() {
    local code=0 case=$1
    shift
    need "$@"
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c 'drive sockopts "$1"' "$case" >"$T/net.out" || code=$?
    [ "$code" -ne 0 ] || return 0
    cat "$T/net.out"
    [ "$code" -ne 77 ] || skip "needs interfaces, and nftables, in a network namespace"
    return "$code"
}

# A traced process cannot check for leaks.
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
    strace -qq -f -o "$T/trace" -e trace=setsockopt,listen "$SOCKCAT" -l --ready-fd 9 "$@" 9>"$T/.ready" </dev/null \
        >"$T/listener.out" 2>"$T/listener.err" 3>&- &
    pid=$!
    started+=("$pid")
    read_ready port || skip "needs the right to trace"
    # Ending the tracer does not end the traced process.
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

@test "no option is set without a request, but those that the promise requires" {
    need strace
    start_peer recvall!
    traced 127.0.0.1 "$peer_port"
    # A reset after a failure, small pieces at once, urgent bytes in their place, a peer that has vanished noticed.
    sed 's/,[^,]*,.*//; s/^[A-Z_]*, //' "$T/calls" >"$T/levels"
    sed 's/^[A-Z_]*, \([A-Z_0-9a-z]*\),.*/\1/' "$T/calls" | sort -u >"$T/names"
    grep -vxE 'SO_LINGER|TCP_NODELAY|SO_OOBINLINE|SO_KEEPALIVE|TCP_KEEPIDLE|TCP_KEEPINTVL|TCP_KEEPCNT' "$T/names" >"$T/other" || :
    assert_equal "$(cat "$T/other")" ""
    assert_line '^SO_LINGER$' "$T/names"
}

@test "no option is set on a listener without a request" {
    need strace
    trace_listener -d 127.0.0.1 0
    sockcat 127.0.0.1 "$port" </dev/null
    finish "$pid"
    sed -n 's/^[0-9]* *setsockopt([0-9]*, [A-Z_]*, \([A-Z_0-9a-z]*\),.*/\1/p' "$T/trace" | sort -u >"$T/names"
    grep -vxE 'SO_REUSEADDR|SO_LINGER|TCP_NODELAY|SO_OOBINLINE|SO_KEEPALIVE|TCP_KEEPIDLE|TCP_KEEPINTVL|TCP_KEEPCNT' \
        "$T/names" >"$T/other" || :
    assert_equal "$(cat "$T/other")" ""
}

@test "a listener has the options that clients inherit before the first client can connect" {
    need strace
    [ "$(uname)" = Linux ] || skip "accepted sockets inherit options on Linux"
    trace_listener -d 127.0.0.1 0
    sockcat 127.0.0.1 "$port" </dev/null
    finish "$pid"
    sed -nE '/^[0-9]* *listen\(/q; s/.*, (SO_LINGER|TCP_NODELAY|SO_OOBINLINE), .*/\1/p' "$T/trace" | sort >"$T/before"
    assert_equal "$(xargs <"$T/before")" "SO_LINGER SO_OOBINLINE TCP_NODELAY"
}

@test "no option is set on a UDP or a Unix socket without a request" {
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

@test "-v reports what was set, and the value of the kernel if it differs" {
    start_peer recvall!
    sockcat -v -T ef --keepalive --keepalive-count 4 --nodelay off -O 10k 127.0.0.1 "$peer_port" </dev/null 2>"$T/err"
    assert_line '^sockcat: set --tos ef$' "$T/err"
    assert_line '^sockcat: set --keepalive$' "$T/err"
    assert_line '^sockcat: set --keepalive-count 4$' "$T/err"
    assert_line '^sockcat: set --nodelay off$' "$T/err"
    assert_line '^sockcat: set --sndbuf 10k \(it is 20480 now\)$' "$T/err"
}

@test "-v reports each option once, and nothing is reported without -v" {
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
    net ttl_and_tos
}

@test "--ttl and --tos are seen by the receiver of a datagram over IPv6" {
    need_ipv6
    net ttl_and_tos_ipv6
}

@test "--ttl and --tos have their effect on an IPv4 address written as an IPv6 one" {
    need_ipv6
    net ttl_and_tos_mapped
}

@test "--tos has the names and values that it always had" {
    net tos_names
}

@test "--ttl and --tos are in the packets of a TCP connection, from either end" {
    net ttl_and_tos_tcp nft
}

@test "--ttl is for multicast, too, where the system's own is 1" {
    net ttl_multicast
}

@test "--min-ttl drops packets from further away" {
    net min_ttl nft
}

# ---- buffers, keep-alive, TCP ----

@test "--rcvbuf and --sndbuf set the buffers of both ends, before the connection is made" {
    net buffers ss
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
    net keepalive_times ss
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
    net keepalive_lost_peer nft
}

@test "--congestion chooses the algorithm, for either end" {
    grep -qw reno /proc/sys/net/ipv4/tcp_available_congestion_control || skip "needs the algorithm reno"
    net congestion ss
}

@test "--user-timeout gives up a peer that acknowledges nothing" {
    net user_timeout nft
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

# fastopen CASE: as net.
fastopen() {
    [ -r /proc/sys/net/ipv4/tcp_fastopen ] || skip "needs TCP Fast Open in the kernel"
    net "$1"
}

@test "--fastopen sends the first data with the first packet, and a listener takes them" {
    fastopen fastopen_first_packet
}

@test "without --fastopen nothing of the kind is done, by either end" {
    fastopen fastopen_off
}

@test "--fastopen with nothing to say is refused, or makes the connection all the same" {
    fastopen fastopen_without_data
}

@test "--fastopen to a port without a listener is 7 or 55, never 0, with data or without" {
    fastopen fastopen_closed_port
}

# ---- routing ----

@test "--mark marks the packets" {
    need_root
    net mark nft
}

@test "--mark marks the answers of a listener" {
    need_root
    net mark_listener nft
}

@test "--mark without the privilege is 4 and says why" {
    need_root
    need setpriv
    chmod 755 "$T"
    assert_fails 4 'set --mark 7: Operation not permitted' setpriv --reuid 65534 --regid 65534 --clear-groups \
        --inh-caps=-all --bounding-set=-all "$SOCKCAT" --mark 7 127.0.0.1 9 </dev/null
}

@test "--interface sends through it, whatever the routes say" {
    net interface nft
}

@test "a listener with --interface receives nothing through another" {
    net interface_listener
}

@test "F74: an interface that is not there is 45, for a client, a listener and a probe" {
    for words in '127.0.0.1 9' '-u 127.0.0.1 9' '-l 127.0.0.1 0' '-l 0' '-lu 0' '-z 127.0.0.1 9' '-4 localhost 9'; do
        # shellcheck disable=SC2086 # words
        assert_fails 45 'set --interface nosuch0: No such device' sockcat --interface nosuch0 $words </dev/null \
            || fail "for $words"
    done
}

@test "a name that is too long for an interface is not cut to one that is there" {
    net interface_long_name
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
    net v6only_tos nft
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
    net broadcast
}

@test "--join receives what is sent to the group" {
    net join
}

@test "without --join nothing of a group is received, though another program has joined it" {
    net join_other_program
}

@test "--join may be given several times" {
    net join_several
}

@test "--join with a source receives from no other" {
    net join_source
}

@test "--join with two sources receives from both" {
    net join_two_sources
}

@test "--join takes IPv6 groups, with the interface that they need" {
    need_ipv6
    net join_ipv6
}

@test "F74: --join on an interface that is not there, or where the kernel does not want it, is 45" {
    assert_fails 45 "invalid --join '239.1.2.3%nosuch0': no such interface" \
        sockcat -lu --join 239.1.2.3%nosuch0 127.0.0.1 0 </dev/null
    assert_fails 45 "join.*239.1.2.3%9999999" sockcat -lu --join 239.1.2.3%9999999 127.0.0.1 0 </dev/null
    assert_fails 45 "join.*239.1.2.3%0" sockcat -lu --join 239.1.2.3%0 127.0.0.1 0 </dev/null
    need_ipv6
    assert_fails 45 'set --join ff02::1%lo: not for a socket of this family' \
        sockcat -lu --join ff02::1%lo 127.0.0.1 0 </dev/null
    assert_fails 45 'set --join 239.1.2.3%lo: not for a socket of this family' \
        sockcat -lu --join 239.1.2.3%lo ::1 0 </dev/null
}

@test "F74: a group that fits none of the listener's sockets is refused, not passed over" {
    need_ipv6
    assert_fails 45 'set --join 239.1.2.3%lo' sockcat -6 -lu --join 239.1.2.3%lo 0 </dev/null
    assert_fails 45 'set --join ff02::1%lo' sockcat -4 -lu --join ff02::1%lo 0 </dev/null
}

@test "F74: a group of which more are joined than the kernel lets is 45, and the message names the one" {
    net join_too_many
}

@test "F74: without a route it is 7, and 55 once something was sent: an address, a broadcast, a group" {
    net no_route
}

# ---- path MTU discovery ----

@test "--mtu-discovery=do has a datagram that is too long refused, dont has it sent in pieces" {
    net mtu_discovery
}

@test "--mtu-discovery is for IPv6, too" {
    need_ipv6
    net mtu_discovery_ipv6
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
    # The options after these three set them again.
    grep -E 'PRIORITY|TTL' "$T/calls" | head -n 3 >"$T/got"
    printf '%s\n' 'SOL_SOCKET, SO_PRIORITY, [1], 4 = 0' 'SOL_IP, IP_TTL, [9], 4 = 0' 'SOL_SOCKET, SO_PRIORITY, [2], 4 = 0' \
        >"$T/wanted"
    assert_same "$T/got" "$T/wanted"
}

@test "--sockopt is for listeners and datagrams, too" {
    net sockopt_listener
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
IPV6:V6ONLY:1|not for a socket of this family
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
    assert_fails 4 'set --sockopt IP:TTL:5: not for a socket of this family' sockcat --sockopt IP:TTL:5 ::1 9 </dev/null
    assert_fails 4 'set --sockopt IPV6:UNICAST_HOPS:5: not for a socket' sockcat --sockopt IPV6:UNICAST_HOPS:5 127.0.0.1 9 </dev/null
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
