# Bulk: 10 MB of random bytes each way at once, over every kind of stream; the output
# is what went in, and both sides end with status 0.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets variables
bats_require_minimum_version 1.5.0
load lib/helper

SIZE=10485760

digest() { sha256sum <"$1" | cut -d ' ' -f 1; }

# prepare: makes $ours and $theirs, what the client and the listener send.
prepare() {
    ours=$(random_file "$SIZE" 1)
    theirs=$(random_file "$SIZE" 2)
}

check_both() {
    assert_equal "$status $(cat "$T/client.err")" "0 "
    assert_listener_ends 0
    assert_equal "$(digest "$T/client.out")" "$(digest "$theirs")"
    assert_equal "$(digest "$T/listener.out")" "$(digest "$ours")"
}

# both_ways WHERE... -- OPTION...: the listener at WHERE, in which PORT stands for its port, and a
# client of it, both with the options, send at once; each ends its sending when it has sent all.
both_ways() {
    local where=()
    until [ "$1" = -- ]; do
        where+=("$1")
        shift
    done
    shift
    prepare
    LISTENER_IN=$theirs start_listener "$@" "${where[@]/#PORT/0}"
    client "$@" "${where[@]/#PORT/$port}" <"$ours" >"$T/client.out"
    check_both
}

@test "10 MB go both ways at once over TCP and IPv4" {
    both_ways 127.0.0.1 PORT -- -4
}

@test "10 MB go both ways at once over TCP and IPv6" {
    need_ipv6
    both_ways ::1 PORT -- -6
}

# With the smallest there are (2 and 4 KiB) the window may stay below a segment, and then TCP itself
# sends one in 200 ms.
@test "10 MB go both ways at once over TCP with small buffers" {
    both_ways 127.0.0.1 PORT -- -I 4k -O 4k
}

@test "10 MB go both ways at once over Multipath TCP" {
    python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)' 2>/dev/null \
        || skip "needs Multipath TCP in the kernel"
    both_ways 127.0.0.1 PORT -- --mptcp
}

@test "10 MB go both ways at once over a Unix stream socket" {
    both_ways "$T/sock" -- -U
}

@test "10 MB go both ways at once over an abstract Unix stream socket" {
    both_ways "@${T//\//.}" -- -U
}

@test "10 MB go both ways at once over Unix sequenced packets" {
    both_ways "$T/sock" -- -U --seqpacket
}

@test "10 MB go both ways at once over abstract Unix sequenced packets" {
    both_ways "@${T//\//.}" -- -U --seqpacket
}

@test "10 MB go both ways at once through pipes instead of files" {
    prepare
    mkfifo "$T/to" "$T/from" "$T/client.from"
    cat "$theirs" >"$T/to" 3>&- &
    started+=("$!")
    cat "$T/from" >"$T/listener.out" 3>&- &
    reader=$!
    started+=("$reader")
    LISTENER_IN=$T/to LISTENER_OUT=$T/from start_listener 127.0.0.1 0
    # shellcheck disable=SC2002 # a pipe is what is wanted
    cat "$ours" | sockcat 127.0.0.1 "$port" 2>"$T/client.err" | cat >"$T/client.out"
    statuses="${PIPESTATUS[*]}"
    finish "$reader"
    status=0
    assert_equal "$statuses" "0 0 0"
    check_both
}

@test "10 MB go both ways at once to Python's sockets" {
    prepare
    start_peer "both:2:$SIZE" sha256
    client 127.0.0.1 "$peer_port" <"$ours" >"$T/client.out"
    assert_equal "$status $(cat "$T/client.err")" "0 "
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" "$(digest "$ours")"
    assert_equal "$(digest "$T/client.out")" "$(digest "$theirs")"
}

@test "10 MB go both ways at once to a calling socat" {
    need socat
    prepare
    LISTENER_IN=$theirs start_listener 127.0.0.1 0
    socat -t 20 - "TCP4:127.0.0.1:$port" <"$ours" >"$T/client.out" 2>"$T/client.err" 3>&-
    status=0
    check_both
}

# ---- Datagrams ----

# The datagrams of UDP are not held back by a slow receiver, so that the writer to
# sockcat's standard input has to wait: at most a window of bytes may be in between. It fits into
# the default receive buffer, so that nothing is dropped. The writer's end comes when both sides
# have all.
# pace SOURCE FIFO WINDOW OUTPUT OTHER_OUTPUT
pace() {
    python3 "$CASES/pace.py" "$@" 2>"$T/pace.${2##*/}.err" 3>&- &
    started+=("$!")
}

# datagrams WINDOW WHERE... -- OPTION...: like both_ways.
datagrams() {
    local where=() window=$1
    shift
    until [ "$1" = -- ]; do
        where+=("$1")
        shift
    done
    shift
    prepare
    mkfifo "$T/ours.in" "$T/theirs.in"
    pace "$ours" "$T/ours.in" "$window" "$T/listener.out" "$T/client.out"
    pace "$theirs" "$T/theirs.in" "$window" "$T/client.out" "$T/listener.out"
    LISTENER_IN=$T/theirs.in start_listener -q 0.1 "$@" "${where[@]/#PORT/0}"
    LIMIT=50 client -q 0.1 "$@" "${where[@]/#PORT/$port}" <"$T/ours.in" >"$T/client.out"
    check_both
}

@test "10 MB in datagrams go both ways at once over UDP and IPv4" {
    datagrams 65536 127.0.0.1 PORT -- -u
}

@test "10 MB in datagrams go both ways at once over UDP and IPv6" {
    need_ipv6
    datagrams 65536 ::1 PORT -- -u
}

@test "10 MB in datagrams go both ways at once over UDP-Lite" {
    grep -qs '^UDP-Lite ' /proc/net/protocols || skip "needs UDP-Lite in the kernel"
    datagrams 65536 127.0.0.1 PORT -- --udplite
}

# A Unix datagram socket makes its sender wait, so that the window can be all that there is.
@test "10 MB in datagrams go both ways at once over a Unix socket, without any pacing" {
    datagrams "$SIZE" "$T/sock" -- -U -u
}

@test "10 MB in datagrams go both ways at once over an abstract Unix socket" {
    datagrams "$SIZE" "@${T//\//.}" -- -U -u
}

@test "10 MB of a file go one way over a Unix datagram socket to Python, and none is dropped" {
    prepare
    start_peer --listen "unixdgram:$T/sock" "recv:$SIZE" sha256
    client -U -u -q 0.1 "$T/sock" <"$ours" >"$T/client.out"
    assert_equal "$status $(cat "$T/client.err")" "0 "
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" "$(digest "$ours")"
}
