#!/usr/bin/env bats
# pass.bats - -F: the connected socket is passed over standard output to another program, which
# goes on with it. (ssh's ProxyUseFdpass itself is an example of the manual page, in man.bats.)

# shellcheck disable=SC2154 # the helpers set port, peer_port, pid, listener, result
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own, as it should be
bats_require_minimum_version 1.5.0
load lib/helper

# receive [receive_fd.py's options] ARG...: sockcat -F ARG..., its standard output a Unix socket; in
# $T/facts what was received, in $T/pass.err what sockcat said.
receive() {
    local own=()
    while [[ ${1:-} == --output || ${1:-} == --send || ${1:-} == --file ]]; do
        own+=("$1" "$2")
        shift 2
    done
    timeout -v -s KILL 40 python3 "$HELPER_DIR/receive_fd.py" ${own[@]+"${own[@]}"} \
        "$SOCKCAT" -F "$@" >"$T/facts" 2>"$T/pass.err" ||
        fail "receive_fd.py failed: $(cat "$T/facts" "$T/pass.err")"
}

# assert_facts LINE...: each is a line of the facts.
assert_facts() {
    local line
    for line; do
        grep -qxF -e "$line" "$T/facts" || fail "not '$line': $(cat "$T/facts" "$T/pass.err")" || return
    done
}

# assert_passed: one descriptor and one byte, status 0, and not a word.
assert_passed() {
    assert_facts 'status 0' 'bytes 1' 'descriptors 1' 'blocking yes'
    assert_equal "$(cat "$T/pass.err")" ""
}

# assert_nothing_passed STATUS REGEX: not a byte, that status, and one line that matches.
assert_nothing_passed() {
    assert_facts "status $1" 'bytes 0' 'descriptors 0'
    assert_one_error "$T/pass.err" "$2"
}

@test "-F passes a connected TCP socket that blocks, with one byte, and ends with 0" {
    start_peer expect:question recvall send:answer close
    receive --send question 127.0.0.1 "$peer_port"
    assert_passed
    assert_facts "peer $peer_port" 'answer answer'
    assert_peer_done
}

@test "-F with --retry passes a connection that needed several tries" {
    need_shim
    start_peer send:hello recvall
    with_shim connect:ECONNREFUSED:1,connect:ECONNREFUSED:2 receive --retry --retry-delay 1ms 127.0.0.1 "$peer_port"
    assert_passed
    assert_facts 'answer hello'
    assert_peer_done
}

@test "-F: the end of sockcat is nothing that the peer notices, nor is a close by the receiver a reset" {
    start_peer send:hello recvall
    receive 127.0.0.1 "$peer_port"
    assert_passed
    assert_facts 'answer hello' 'linger off'
    assert_peer_done
}

@test "-F: over the socket passed megabytes go both ways" {
    start_peer both:2:3000000 sha256
    receive --file "$(random_file 3000000 1)" 127.0.0.1 "$peer_port"
    assert_passed
    assert_facts 'answer 3000000'
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" \
        "$(sha256sum <"$(random_file 3000000 1)" | cut -d ' ' -f 1)"
}

@test "-F goes over IPv6" {
    need_ipv6
    start_peer --listen tcp6 send:hello recvall
    receive ::1 "$peer_port"
    assert_passed
    assert_facts 'answer hello'
    assert_peer_done
}

@test "-F with a name of several addresses passes just one socket" {
    start_peer send:hello recvall
    receive localhost "$peer_port"
    assert_passed
    assert_facts 'answer hello'
    assert_peer_done
}

@test "-F passes a UDP socket" {
    start_peer --listen udp expect:question send:answer
    receive --send question -u 127.0.0.1 "$peer_port"
    assert_passed
    assert_facts "peer $peer_port" 'answer answer'
    assert_peer_done
}

@test "-F passes a Unix socket" {
    start_peer --listen "unix:$T/socket" expect:question recvall send:answer close
    receive --send question -U "$T/socket"
    assert_passed
    assert_facts "peer $T/socket" 'answer answer'
    assert_peer_done
}

@test "-F passes a Unix socket that keeps messages" {
    start_peer --listen "seqpacket:$T/socket" expect:question send:answer close
    receive --send question -U --seqpacket "$T/socket"
    assert_passed
    assert_facts 'answer answer'
    assert_peer_done
}

@test "-F passes a Unix datagram socket that can be answered" {
    start_peer --listen "unixdgram:$T/socket" expect:question send:answer
    receive --send question -U -u "$T/socket"
    assert_passed
    assert_facts 'answer answer'
    assert_peer_done
}

@test "-F: a Unix datagram socket with a path of its own can be answered, too" {
    start_peer --listen "unixdgram:$T/socket" expect:question send:answer
    receive --send question -U -u -s "$T/own" "$T/socket"
    assert_passed
    assert_facts 'answer answer'
    assert_peer_done
}

@test "-F: the path of a socket that was passed stays, with --send-proxy too" {
    for option in '' '--send-proxy 2'; do
        start_peer --listen "unix:$T/socket" recvall
        # shellcheck disable=SC2086 # several words
        receive -U -s "$T/own" $option "$T/socket"
        assert_passed
        [ -S "$T/own" ] || fail "the path is removed with '$option'"
        assert_peer_done
        rm "$T/own" "$T/socket"
    done
}

@test "-F: the path of a socket that was not passed is removed" {
    start_peer --listen "unix:$T/socket" 'recvall!'
    receive --output gone -U -s "$T/own" --send-proxy 2 "$T/socket"
    assert_facts 'status 23'
    [ ! -e "$T/own" ] || fail "the path is left"
}

@test "-F passes an inherited socket on" {
    start_peer send:hello recvall
    drive pass passes_inherited_socket "$peer_port"
    assert_peer_done
}

@test "-F: an inherited socket, which others share, stays as it is" {
    start_peer recvall
    drive pass shared_socket_unchanged "$peer_port"
    assert_peer_done
}

@test "-F: the socket may be passed over a datagram socket and over one that keeps messages" {
    for kind in dgram seqpacket; do
        start_peer send:hello recvall
        receive --output "$kind" 127.0.0.1 "$peer_port"
        assert_passed
        assert_facts 'answer hello'
        assert_peer_done
    done
}

@test "-F passes over a standard output that does not block, and leaves it so" {
    start_peer recvall
    drive pass nonblocking_stdout "$peer_port"
    assert_peer_done
}

@test "-F with -v tells of the connection, and not over standard output" {
    start_peer send:hello recvall
    receive -v -v 127.0.0.1 "$peer_port"
    assert_facts 'status 0' 'bytes 1' 'descriptors 1' 'answer hello'
    assert_line "^sockcat: connected to 127.0.0.1:$peer_port from " "$T/pass.err"
    assert_peer_done
}

@test "-F: socket options hold for the receiver" {
    start_peer send:hello recvall
    receive --keepalive 127.0.0.1 "$peer_port"
    assert_passed
    assert_facts 'keepalive on'
    assert_peer_done
}

@test "-F with -s: the receiver's connection comes from that address" {
    drive pass source_address
}

@test "-F does not touch standard input" {
    start_peer recvall
    printf 'first\nsecond\n' >"$T/in"
    {
        receive 127.0.0.1 "$peer_port"
        cat >"$T/rest"
    } <"$T/in"
    assert_passed
    assert_same "$T/rest" "$T/in"
    assert_peer_done
}

# ---- what goes wrong ----

@test "-F: a refused connection is 7, and nothing is passed" {
    hold_port
    receive 127.0.0.1 "$held"
    assert_nothing_passed 7 "connect 127.0.0.1:$held: Connection refused"
}

@test "-F: a connection that is reset before it could be passed is not passed" {
    need_shim
    start_peer 'recvall!'
    with_shim getpeername:ENOTCONN:1,getsockopt:ECONNRESET:1 receive 127.0.0.1 "$peer_port"
    assert_nothing_passed 56 "127.0.0.1:$peer_port: Connection reset"
}

@test "-F: a path without a listener is 7, and nothing is passed" {
    receive -U "$T/nothing"
    assert_nothing_passed 7 'No such file or directory'
}

@test "-F: standard output that is a file, a pipe, a device or closed is 23 with one message" {
    start_peer accept accept accept recvall
    client -F 127.0.0.1 "$peer_port" >"$T/out" </dev/null
    assert_status 23
    assert_one_error "$T/client.err" 'standard output'
    assert_equal "$(cat "$T/out")" ""
    client -F 127.0.0.1 "$peer_port" > >(cat >"$T/piped") </dev/null
    assert_status 23
    assert_one_error "$T/client.err" 'standard output'
    client -F 127.0.0.1 "$peer_port" >/dev/null </dev/null
    assert_status 23
    assert_one_error "$T/client.err" 'standard output'
    client -F 127.0.0.1 "$peer_port" >&- </dev/null
    assert_status 23
    assert_one_error "$T/client.err" 'standard output'
}

# over_inet KIND: standard output is a connected socket of that kind, over which nothing can be
# passed.
over_inet() {
    drive pass over_inet "$1"
}

@test "-F: standard output that is a TCP connection is 23, and its peer gets nothing" { over_inet tcp; }

@test "-F: standard output that is a UDP socket is 23, and its peer gets nothing" { over_inet udp; }

@test "-F: a receiver that has gone is 23, not a signal" {
    start_peer 'recvall!'
    receive --output gone 127.0.0.1 "$peer_port"
    assert_facts 'status 23'
    [ "$(wc -l <"$T/pass.err")" -le 1 ] || fail "more than a line: $(cat "$T/pass.err")"
    assert_peer_done
}

@test "-F does not go with what only a session has" {
    for option in -l -z -d --send-only --recv-only -C -t '-i 1' '-W 1' "-o $T/x" "--output $T/x"; do
        # shellcheck disable=SC2086 # to be split
        assert_fails 2 'pass-fd|-F' sockcat -F $option 127.0.0.1 9
    done
    [ ! -e "$T/x" ] || fail "it opened the file"
}

@test "T19: -F: a connection that cannot be passed is reset, one that only -z makes is not" {
    start_peer recvall!
    receive --output gone 127.0.0.1 "$peer_port"
    assert_facts 'status 23'
    assert_peer_done
    assert_equal "$(sed 1d "$T/peer.out")" reset
    start_peer recvall
    sockcat -z 127.0.0.1 "$peer_port"
    assert_peer_done
}

@test "T22: -F over a socket without room waits, and SIGTERM ends that with a reset of the connection" {
    drive full_output pass_terminated
}

@test "T22: -F over a socket without room passes the connection when there is room" {
    drive full_output pass_later
}
