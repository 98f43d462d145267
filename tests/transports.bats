# The rarer transports - UDP-Lite, Multipath TCP, SCTP, vsock -, what the kernel does not have, what
# does not go together, and addresses with a scope.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets variables
bats_require_minimum_version 1.5.0
load lib/helper

# has_socket FAMILY TYPE PROTOCOL: the kernel makes such a socket (numbers, as in <bits/socket.h>).
has_socket() {
    python3 -c 'import socket, sys; socket.socket(*map(int, sys.argv[1:]))' "$@" 2>/dev/null
}
need_udplite() { has_socket 2 2 136 || skip "needs UDP-Lite in the kernel"; }
need_mptcp() { has_socket 2 1 262 || skip "needs Multipath TCP in the kernel"; }
need_vsock() { has_socket 40 1 0 || skip "needs vsock in the kernel"; }

# usage_error REGEX ARG...: status 2 and one line; nothing is connected.
usage_error() { assert_fails 2 "$1" sockcat "${@:2}" </dev/null; }

# ---- UDP-Lite ----

# start_lite_server [HOST]: answers each UDP-Lite datagram with the same bytes in upper case, by
# Python's sockets; sets $pid and $port.
start_lite_server() {
    start python3 -uc 'import socket, sys
host = sys.argv[1]
family = socket.AF_INET6 if ":" in host else socket.AF_INET
sock = socket.socket(family, socket.SOCK_DGRAM, 136)
sock.bind((host, 0))
print(sock.getsockname()[1])
while True:
    data, sender = sock.recvfrom(65536)
    sock.sendto(data.upper(), sender)' "${1:-127.0.0.1}"
    await_line "$T/background.out" '^[0-9]+$'
    port=$(cat "$T/background.out")
}

# ask_lite ARG...: sockcat asks such a server and hears the answer.
ask_lite() {
    mkfifo "$T/in"
    exec 8<>"$T/in"
    "$SOCKCAT" -q 0.1 "$@" <"$T/in" >"$T/client.out" 2>"$T/client.err" 3>&- 8>&- &
    started+=("$!")
    echo hello >&8
    await_line "$T/client.out" '^HELLO$'
    exec 8>&-
    finish "$!"
    assert_equal "$result $(cat "$T/client.out" "$T/client.err")" "0 HELLO"
}

@test "UDP-Lite asks a server that is not sockcat and receives its answer" {
    need_udplite
    start_lite_server
    ask_lite --udplite 127.0.0.1 "$port"
}

@test "UDP-Lite goes over IPv6, too" {
    need_udplite
    need_ipv6
    start_lite_server ::1
    ask_lite --udplite ::1 "$port"
}

@test "a UDP-Lite listener answers a client that is not sockcat" {
    need_udplite
    echo 'the answer' >"$T/answer"
    LISTENER_IN=$T/answer start_listener --udplite -q 0.1 127.0.0.1 0
    run -0 timeout -s KILL $((20 * LAST_RESORT)) python3 -c 'import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136)
sock.connect(("127.0.0.1", int(sys.argv[1])))
sock.send(b"the question")
print(sock.recv(100).decode(), end="")' "$port"
    assert_equal "$output" 'the answer'
    assert_listener_ends 0
    assert_equal "$(cat "$T/listener.out")" 'the question'
}

@test "a UDP-Lite listener does not receive UDP" {
    need_udplite
    start_listener --udplite 127.0.0.1 0
    # shellcheck disable=SC2016 # for the inner shell
    assert_fails 7 'Connection refused' \
        bash -c 'echo hello | sockcat -u -q 5 127.0.0.1 "$1"' _ "$port"
    assert_equal "$(cat "$T/listener.out")" ""
}

@test "a UDP-Lite datagram to a port without a listener is 7, with a message" {
    need_udplite
    start_lite_server
    kill "$pid"
    await_gone "$pid"
    # shellcheck disable=SC2016 # for the inner shell
    assert_fails 7 "127.0.0.1:$port.*Connection refused" \
        bash -c 'echo hello | sockcat --udplite -q 5 127.0.0.1 "$1"' _ "$port"
}

# ---- Multipath TCP ----

@test "a Multipath TCP client really speaks it" {
    need_mptcp
    start python3 -uc 'import socket
server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
server.bind(("127.0.0.1", 0))
server.listen()
print(server.getsockname()[1])
client, _ = server.accept()
data = client.recv(100)
# MPTCP_INFO of SOL_MPTCP; it fails on a connection that fell back to plain TCP.
client.getsockopt(284, 1, 200)
client.sendall(data.upper())'
    await_line "$T/background.out" '^[0-9]+$'
    echo hello >"$T/in"
    client --mptcp 127.0.0.1 "$(cat "$T/background.out")" <"$T/in" >"$T/client.out"
    assert_equal "$status $(cat "$T/client.out" "$T/client.err")" "0 HELLO"
    finish "$pid"
    assert_equal "$result" 0
}

@test "a Multipath TCP listener really speaks it" {
    need_mptcp
    echo 'the answer' >"$T/answer"
    LISTENER_IN=$T/answer start_listener --mptcp 127.0.0.1 0
    run -0 timeout -s KILL $((20 * LAST_RESORT)) python3 -c 'import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
sock.connect(("127.0.0.1", int(sys.argv[1])))
sock.sendall(b"the question")
data = sock.recv(100)
sock.getsockopt(284, 1, 200)
print(data.decode(), end="")' "$port"
    assert_equal "$output" 'the answer'
    assert_listener_ends 0
    assert_equal "$(cat "$T/listener.out")" 'the question'
}

@test "a Multipath TCP client gets through to a plain TCP server" {
    need_mptcp
    start_peer expect:hello send:world shutwr recvall
    printf hello >"$T/in"
    client --mptcp 127.0.0.1 "$peer_port" <"$T/in" >"$T/client.out"
    assert_equal "$status $(cat "$T/client.out" "$T/client.err")" "0 world"
    assert_peer_done
}

@test "a plain TCP client gets through to a Multipath TCP listener" {
    need_mptcp
    need nc.openbsd
    start_listener --mptcp 127.0.0.1 0
    printf hello | nc.openbsd -N -w 5 127.0.0.1 "$port"
    assert_listener_ends 0
    assert_equal "$(cat "$T/listener.out")" hello
}

@test "without --mptcp the connection is plain TCP" {
    need_mptcp
    need ss
    start_listener 127.0.0.1 0
    assert_equal "$(ss -HMln | grep ":$port " || :)" ""
}

# In a namespace the switch is its own.
without_mptcp() {
    echo 0 >/proc/sys/net/mptcp/enabled || exit 99
    assert_fails 4 '127.0.0.1(:[01])?: Protocol not available' sockcat "$@" </dev/null
}

run_without_mptcp() {
    need_netns
    got=0
    in_netns without_mptcp "$@" || got=$?
    [ "$got" -ne 99 ] || skip "needs the switch net.mptcp.enabled in a namespace"
    assert_equal "$got" 0
}

@test "a kernel whose MPTCP is switched off is 4, for a client" {
    run_without_mptcp --mptcp 127.0.0.1 1
}

@test "a kernel whose MPTCP is switched off is 4, for a listener" {
    run_without_mptcp -l --mptcp 127.0.0.1 0
}

# ---- SCTP ----

need_no_sctp() { ! has_socket 2 1 132 || skip "the kernel has SCTP"; }
need_sctp() { has_socket 2 1 132 || skip "needs SCTP in the kernel"; }

@test "SCTP is 4 where the kernel does not have it" {
    need_no_sctp
    assert_fails 4 'connect 127.0.0.1:9: ' sockcat --sctp 127.0.0.1 9 </dev/null
}

@test "SCTP over IPv6 is 4 where the kernel does not have it" {
    need_no_sctp
    need_ipv6
    assert_fails 4 'connect \[::1\]:9: ' sockcat --sctp ::1 9 </dev/null
}

@test "SCTP with sequenced packets is 4 where the kernel does not have it" {
    need_no_sctp
    assert_fails 4 'connect 127.0.0.1:9: ' sockcat --sctp --seqpacket 127.0.0.1 9 </dev/null
}

@test "an SCTP listener is 4 where the kernel does not have it" {
    need_no_sctp
    assert_fails 4 'listen 127.0.0.1(:0)?: ' sockcat -l --sctp 127.0.0.1 0 </dev/null
}

@test "an SCTP listener with sequenced packets is 4 where the kernel does not have it" {
    need_no_sctp
    assert_fails 4 'listen 127.0.0.1(:0)?: ' sockcat -l --sctp --seqpacket 127.0.0.1 0 </dev/null
}

@test "an SCTP listener without an address is 4 where the kernel does not have it" {
    need_no_sctp
    assert_fails 4 'listen ' sockcat -l --sctp 0 </dev/null
}

@test "SCTP carries bytes both ways" {
    need_sctp
    LISTENER_IN=$(random_file 100000 2) start_listener --sctp 127.0.0.1 0
    client --sctp 127.0.0.1 "$port" <"$(random_file 100000 1)" >"$T/client.out"
    assert_equal "$status $(cat "$T/client.err")" "0 "
    assert_listener_ends 0
    assert_same "$(random_file 100000 2)" "$T/client.out"
    assert_same "$(random_file 100000 1)" "$T/listener.out"
}

# ---- vsock ----

@test "a vsock listener that runs programs is for this machine only, unless it is opened" {
    need_vsock
    start_listener --vsock -v 4294967295 0 -e cat
    assert_line '^sockcat: listening on 4294967295:' "$T/listener.err"
    # Not every kernel has a way to itself.
    start "$SOCKCAT" -l --vsock -v 0 -e cat
    await_line "$T/background.err" '^sockcat: listen(ing on)? 1:'
}

@test "a vsock context or port that is malformed is 3" {
    assert_fails 3 "context 'x'" sockcat --vsock x 1 </dev/null
    assert_fails 3 "context '0x1'" sockcat --vsock 0x1 1 </dev/null
    assert_fails 3 "context '-1'" sockcat --vsock -- -1 1 </dev/null
    assert_fails 3 "context ''" sockcat --vsock '' 1 </dev/null
    assert_fails 3 "context '2x'" sockcat --vsock 2x 1 </dev/null
    assert_fails 3 "context '127.0.0.1'" sockcat --vsock 127.0.0.1 1 </dev/null
    assert_fails 3 "port '80x'" sockcat --vsock 2 80x </dev/null
    assert_fails 3 "port 'http'" sockcat --vsock 2 http </dev/null
    assert_fails 3 "port ''" sockcat --vsock 2 '' </dev/null
}

@test "a vsock context or port of more than 32 bits is 3" {
    assert_fails 3 "context '4294967296'" sockcat --vsock 4294967296 1 </dev/null
    assert_fails 3 "context '18446744073709551617'" \
        sockcat --vsock 18446744073709551617 1 </dev/null
    assert_fails 3 "port '4294967296'" sockcat --vsock 2 4294967296 </dev/null
    assert_fails 3 "port '4294967297'" sockcat --vsock -l 4294967297 </dev/null
}

@test "a vsock client without a port, and a listener without any, are usage errors" {
    usage_error 'missing port' --vsock 2
    usage_error 'missing port' --vsock -l
}

@test "a vsock context that does not exist is 7" {
    need_vsock
    assert_fails 7 'connect 77777:5: ' sockcat --vsock 77777 5 </dev/null
}

@test "a vsock port without a listener is 7" {
    need_vsock
    # Context 1 is this machine itself, whether or not it can be reached so.
    assert_fails 7 'connect 1:987654: ' sockcat --vsock 1 987654 </dev/null
}

@test "vsock is 4 where the kernel does not have it" {
    ! has_socket 40 1 0 || skip "the kernel has vsock"
    assert_fails 4 'connect 1:5: ' sockcat --vsock 1 5 </dev/null
}

@test "a vsock context that is another machine's cannot be listened on" {
    need_vsock
    assert_fails 101 'listen 77777:5000: ' sockcat --vsock -l 77777 5000 </dev/null
}

@test "port 0 for a vsock listener is a free port, which it reports" {
    need_vsock
    start_listener --vsock 0
    [[ $port =~ ^[1-9][0-9]*$ ]] || fail "no free port: $port"
    [ "$port" -ne 4294967295 ]
    assert_line "^sockcat: listening on .*:$port\$" "$T/listener.err"
}

@test "a vsock port in use is 101" {
    need_vsock
    start_listener --vsock 0
    assert_fails 101 "listen .*:$port: Address already in use" \
        sockcat --vsock -l "$port" </dev/null
}

# ---- addresses with a scope, and of the other family ----

# make_link: two ends of a cable, v0 and v1, with fe80::1 and fe80::2, both ends on this side:
# to reach the one from the other the scope has to be right.
make_link() {
    ip link add v0 type veth peer name v1
    # Without optimistic or finished duplicate detection the addresses could not be bound yet.
    ip link set v0 addrgenmode none
    ip link set v1 addrgenmode none
    ip link set v0 up
    ip link set v1 up
    ip -6 address add fe80::1/64 dev v0 nodad
    ip -6 address add fe80::2/64 dev v1 nodad
}
export -f make_link

# in_link SCRIPT: runs it in a namespace with such a link.
in_link() {
    need_ipv6
    need_netns
    $netns ip link add v0 type veth peer name v1 2>/dev/null || skip "needs veth in the kernel"
    in_netns -c "make_link; $1"
}

@test "F92: a link-local address with its interface is listened on and connected to" {
    # shellcheck disable=SC2016 # for the inner shell
    in_link 'start_listener fe80::1%v0 0
        printf hello >"$T/in"
        client -v fe80::1%v0 "$port" <"$T/in" >"$T/client.out"
        assert_equal "$status $(cat "$T/client.out")" "0 "
        assert_line "connected to [[]fe80::1%v0[]]:$port" "$T/client.err"
        assert_line "listening on [[]fe80::1%v0[]]:$port" "$T/listener.err"
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"'
}

@test "F92: the interface may be given by its number, and the address in brackets" {
    # shellcheck disable=SC2016 # for the inner shell
    in_link 'start_listener fe80::1%v0 0
        printf hello >"$T/in"
        client "[fe80::1%$(ip -o link show v0 | cut -d : -f 1)]" "$port" <"$T/in" >"$T/client.out"
        assert_equal "$status $(cat "$T/client.out" "$T/client.err")" "0 "
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"'
}

@test "F92: over a cable each side names the other with its own interface" {
    # shellcheck disable=SC2016 # for the inner shell
    in_link 'start_listener -v fe80::2%v1 0
        client -v -s fe80::1%v0 -p 4444 fe80::2%v0 "$port" </dev/null >"$T/client.out"
        assert_equal "$status" 0
        finish "$listener"
        assert_line "connected to [[]fe80::2%v0[]]:$port" "$T/client.err"
        assert_line "connection from [[]fe80::1%v1[]]:4444" "$T/listener.err"'
}

@test "F92: a UDP datagram goes to a link-local address with its interface" {
    # shellcheck disable=SC2016 # for the inner shell
    in_link 'start_listener -u -q 0.1 fe80::1%v0 0
        printf hello >"$T/in"
        client -u -q 0.1 fe80::1%v0 "$port" <"$T/in" >"$T/client.out"
        assert_equal "$status $(cat "$T/client.err")" "0 "
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"'
}

@test "F92: nc.openbsd and sockcat understand the same link-local address" {
    need nc.openbsd
    # shellcheck disable=SC2016 # for the inner shell
    in_link 'start_listener fe80::1%v0 0
        printf hello | nc.openbsd -N -w 5 fe80::1%v0 "$port"
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"'
}

@test "F92: a link-local address with the wrong interface is not taken for the right one" {
    # shellcheck disable=SC2016 # for the inner shell
    in_link 'start_listener -v fe80::1%v0 0
        got=0
        sockcat --wait 0.5 fe80::1%lo "$port" </dev/null >"$T/out" 2>"$T/err" || got=$?
        [[ $got == 7 || $got == 28 ]] || fail "exit status $got"
        assert_one_error "$T/err" "connect [[]fe80::1%lo[]]:$port: "
        ! grep connection "$T/listener.err"'
}

@test "F92: a link-local address that only another interface has cannot be listened on" {
    # shellcheck disable=SC2016 # for the inner shell
    in_link 'assert_fails 101 "listen .*fe80::1%v1.*: Cannot assign requested address" \
        sockcat -l fe80::1%v1 0 </dev/null'
}

@test "F92: a link-local address without an interface is 3, and the message says what is missing" {
    assert_fails 3 "host 'fe80::1': .*interface" sockcat fe80::1 80 </dev/null
    assert_fails 3 "host 'fe80::1': .*interface" sockcat -l fe80::1 0 </dev/null
    assert_fails 3 "host 'fe80::1': .*interface" sockcat -s fe80::1 ::1 80 </dev/null
    assert_fails 3 "host 'fe80::1': .*interface" sockcat -u '[fe80::1]' 80 </dev/null
}

@test "F92: an interface that is not there is 3, and the message says so" {
    assert_fails 3 "host 'fe80::1%nosuch9': no such interface" \
        sockcat fe80::1%nosuch9 80 </dev/null
    assert_fails 3 "host 'fe80::1%4294967297'" sockcat fe80::1%4294967297 80 </dev/null
    assert_fails 3 "host 'fe80::1%'" sockcat fe80::1% 80 </dev/null
    assert_fails 3 "host 'fe80::1%lo%lo'" sockcat fe80::1%lo%lo 80 </dev/null
}

@test "F92: an interface's number that none has is an error, and the message holds it" {
    status=0
    client fe80::1%4294967295 80 </dev/null
    [[ $status == [37] ]] || fail "exit status $status"
    assert_one_error "$T/client.err" 'fe80::1%4294967295'
}

@test "F92: a scope on an address that has none is malformed" {
    assert_fails 3 "host '127.0.0.1%lo'" sockcat 127.0.0.1%lo 80 </dev/null
    assert_fails 3 "::1%lo" sockcat ::1%lo 80 </dev/null
}

@test "an address of the family that was ruled out is malformed" {
    assert_fails 3 '::1' sockcat -4 ::1 80 </dev/null
    assert_fails 3 '127.0.0.1' sockcat -6 127.0.0.1 80 </dev/null
    assert_fails 3 '::1' sockcat -4 -l ::1 0 </dev/null
}

@test "a local address of the other family cannot be used" {
    assert_fails 45 '' sockcat -s ::1 127.0.0.1 80 </dev/null
    assert_fails 45 '' sockcat -s 127.0.0.1 ::1 80 </dev/null
}

@test "a local address that this machine does not have is 45" {
    assert_fails 45 'bind 192.0.2.1(:0)?: Cannot assign requested address' \
        sockcat -s 192.0.2.1 127.0.0.1 80 </dev/null
    assert_fails 45 'bind 192.0.2.1(:0)?: Cannot assign requested address' \
        sockcat -u -s 192.0.2.1 127.0.0.1 80 </dev/null
}

# ---- what does not go together ----

# conflict OPTION OPTION [OPTION]...: together they are a usage error whose message names two of
# them, in either order.
conflict() {
    local forwards=("$@") backwards=() i
    for ((i = $#; i > 0; i--)); do backwards+=("${!i}"); done
    usage_error 'conflicts with|requires' "${forwards[@]}" 127.0.0.1 80
    usage_error 'conflicts with|requires' "${backwards[@]}" 127.0.0.1 80
}

@test "one transport excludes the other" {
    conflict --udp --mptcp
    conflict --udp --sctp
    conflict --udp --udplite
    conflict --mptcp --sctp
    conflict --mptcp --udplite
    conflict --mptcp --vsock
    conflict --sctp --udplite
    conflict --sctp --vsock
    conflict --udplite --vsock
}

@test "a Unix socket excludes every other transport and family" {
    conflict --unixsock --mptcp
    conflict --unixsock --sctp
    conflict --unixsock --udplite
    conflict --unixsock --vsock
    conflict --unixsock -4
    conflict --unixsock -6
}

@test "IPv4 only and IPv6 only exclude each other, and vsock has neither" {
    conflict -4 -6
    conflict --vsock -4
    conflict --vsock -6
}

@test "sequenced packets need a transport that has them" {
    conflict --seqpacket
    conflict --seqpacket -4
    conflict --seqpacket --udp --unixsock
    conflict --seqpacket --mptcp
    conflict --seqpacket --udplite
    conflict --seqpacket --udplite --vsock
}

@test "a Unix socket has no port, and vsock no local address" {
    usage_error 'conflicts with' -U -p 80 /nonexistent/sock
    usage_error 'conflicts with' --vsock -p 80 1 80
    usage_error 'conflicts with' --vsock -s 1 1 80
}

@test "-z and -l conflict" {
    usage_error 'conflicts with' -z -l 127.0.0.1 80
}

@test "a Unix socket takes one operand, its path" {
    usage_error "extra operand '80'" -U /nonexistent/sock 80
    usage_error 'path|missing' -U
    usage_error 'path|missing' -U -l
}
