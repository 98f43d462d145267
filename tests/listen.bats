# Listening: what cannot be listened on, both families on one port, and the signs that a listener
# is up (the ready line, NOTIFY_SOCKET), which must never come before it really is.
# shellcheck disable=SC2154 # the helper sets port, listener, held, result
bats_require_minimum_version 1.5.0
load lib/helper

need_ipv6() { grep -qs '^0\{31\}1 ' /proc/net/if_inet6 || skip "needs IPv6 on lo"; }

# Sends the text to the address and the port with nc; its status.
say_to() { printf %s "$3" | nc.openbsd -N -w 5 "$1" "$2"; }

# ---- D54: what cannot be listened on ----

@test "F54: a port on which another program listens is refused, and that one stays undisturbed" {
    need nc.openbsd
    start_peer recvall sha256
    assert_fails 101 "listen 127.0.0.1:$peer_port: Address already in use" \
        sockcat -l 127.0.0.1 "$peer_port" </dev/null
    say_to 127.0.0.1 "$peer_port" theirs
    finish "$peer"
    assert_equal "$result" 0
    assert_equal "$(tail -n 1 "$T/peer.out")" "$(printf theirs | sha256sum | cut -d ' ' -f 1)"
}

@test "F54: of two listeners on one port the second is refused and the first keeps its client" {
    need nc.openbsd
    start_listener 127.0.0.1 0
    assert_fails 101 'Address already in use' sockcat -l 127.0.0.1 "$port" </dev/null
    say_to 127.0.0.1 "$port" hello
    finish "$listener"
    assert_equal "$result" 0
    assert_equal "$(cat "$T/listener.out")" hello
}

@test "F54: every address is refused beside a listener on one, and one beside every" {
    start_listener 127.0.0.1 0
    assert_fails 101 'Address already in use' sockcat -l "$port" </dev/null
    start_listener 0
    assert_fails 101 'Address already in use' sockcat -l 127.0.0.1 "$port" </dev/null
}

@test "F54: a port that is bound but not listened on is refused" {
    hold_port
    assert_fails 101 'Address already in use' sockcat -l 127.0.0.1 "$held" </dev/null
}

@test "F54: a port that is taken in one family is not listened on in the other" {
    need_ipv6
    hold_port
    assert_fails 101 'Address already in use' sockcat -l "$held" </dev/null
}

@test "F54: of two UDP listeners on one port the second is refused and gets no datagram" {
    need nc.openbsd
    start_listener -u -q 0.2 127.0.0.1 0
    assert_fails 101 'Address already in use' sockcat -u -l 127.0.0.1 "$port" </dev/null
    assert_fails 101 'Address already in use' sockcat -u -l -4 "$port" </dev/null
    printf hello | nc.openbsd -u -w 1 -q 0 127.0.0.1 "$port"
    finish "$listener"
    assert_equal "$(cat "$T/listener.out")" hello
}

@test "F54: a port of which only old connections linger (TIME_WAIT) can be listened on again" {
    need nc.openbsd
    start_listener 127.0.0.1 0
    # The listener's input has ended, so it is the first to close, and keeps the port lingering.
    start_peer --connect "tcp:127.0.0.1:$port" recvall send:x shutwr
    finish "$listener"
    finish "$peer"
    grep -Eq "^ *[0-9]+: 0100007F:$(printf %04X "$port") [0-9A-F]+:[0-9A-F]+ 06" /proc/net/tcp \
        || skip "no TIME_WAIT came about on this machine"
    start_listener 127.0.0.1 "$port"
    say_to 127.0.0.1 "$port" again
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 again"
}

@test "F54: an address that this machine does not have is refused" {
    assert_fails 101 'listen 192.0.2.1(:0)?: Cannot assign requested address' \
        sockcat -l 192.0.2.1 0 </dev/null
}

@test "F54: a privileged port is refused to those without the privilege" {
    need_netns
    need setpriv
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        echo 1024 >/proc/sys/net/ipv4/ip_unprivileged_port_start
        assert_fails 101 "listen 127.0.0.1:80: Permission denied" setpriv \
            --inh-caps=-net_bind_service --bounding-set=-net_bind_service \
            timeout -s KILL $((30 * LAST_RESORT)) "$SOCKCAT" -l 127.0.0.1 80 </dev/null'
}

@test "F54: a listener that failed announces nothing" {
    hold_port
    assert_fails 101 'in use' sockcat -l --ready-fd 9 127.0.0.1 "$held" </dev/null 9>"$T/ready"
    assert_equal "$(cat "$T/ready")" ""
}

# ---- D55: both families ----

@test "F55: without an address a listener is reached by IPv4 and IPv6 on the same port" {
    need nc.openbsd
    need_ipv6
    start_listener -k 0
    say_to 127.0.0.1 "$port" four
    say_to ::1 "$port" six
    until_true 20 test "$(wc -c <"$T/listener.out")" -eq 7
    assert_equal "$(cat "$T/listener.out")" foursix
    assert_equal "$(grep -c "listening on .*:$port\$" "$T/listener.err")" 2
}

@test "F55: with -4 IPv6 is refused" {
    need nc.openbsd
    need_ipv6
    start_listener -4 0
    ! say_to ::1 "$port" six || fail "IPv6 was taken"
    say_to 127.0.0.1 "$port" four
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 four"
}

@test "F55: with -6 IPv4 is refused, mapped addresses included" {
    need nc.openbsd
    need_ipv6
    start_listener -6 0
    ! say_to 127.0.0.1 "$port" four || fail "IPv4 was taken"
    say_to ::1 "$port" six
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 six"
}

@test "F55: a listener on :: alone is no IPv4 listener" {
    need nc.openbsd
    need_ipv6
    start_listener :: 0
    ! say_to 127.0.0.1 "$port" four || fail "IPv4 was taken"
    say_to ::1 "$port" six
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 six"
}

@test "F55: where the kernel has no IPv6 a listener falls back to IPv4" {
    need nc.openbsd
    need_shim
    with_shim socket:EAFNOSUPPORT:1 start_listener 0
    say_to 127.0.0.1 "$port" four
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 four"
    assert_line '^sockcat: listening on 0.0.0.0:[0-9]+$' "$T/listener.err"
}

@test "F55: where IPv6 is switched off a listener is reached by IPv4" {
    need nc.openbsd
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
        start_listener 0
        printf four | nc.openbsd -N -w 5 127.0.0.1 "$port"
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 four"'
}

@test "F55: where IPv6 is switched off an IPv6 address is refused" {
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
        assert_fails 101 "listen (\[::1\]:0|::1): Cannot assign requested address" \
            sockcat -l ::1 0 </dev/null'
}

# Every port that is given out is taken for IPv4, but one.
listen_on_last_port() {
    echo 40000 40127 >/proc/sys/net/ipv4/ip_local_port_range
    drive listen last_free_port
}

@test "F54: for every address a port is found that is free for all, though most are taken for one" {
    need_netns
    in_netns listen_on_last_port
}

@test "F55: with neither family it is 4 that says so" {
    need_shim
    with_shim 'socket:EAFNOSUPPORT:*' assert_fails 4 'not supported' sockcat -l 0 </dev/null
}

# ---- D58: the ready line ----

# Starts listeners one after the other; each is connected to as soon as its ready line is there.
# Arguments: how many; the listener's arguments.
connect_at_once() {
    drive listen connect_at_once "$@"
}

@test "F58: 250 listeners are connected to the moment their ready line is there" {
    connect_at_once 250 127.0.0.1 0
}

@test "F58: listeners on every address are connected to the moment their ready line is there" {
    connect_at_once 50 0
}

@test "F58: Unix listeners are connected to the moment their ready line is there" {
    connect_at_once 50 -U "$T/socket"
    connect_at_once 50 -U "@$T/abstract"
}

@test "F58: the ready line waits for a listen that takes long" {
    need_shim
    with_shim listen:sleep=0.3:*,bind:sleep=0.1:* connect_at_once 1 127.0.0.1 0
    with_shim listen:sleep=0.3:*,bind:sleep=0.1:* connect_at_once 1 0
    with_shim listen:sleep=0.3:*,bind:sleep=0.1:* connect_at_once 1 -U "$T/socket"
}

@test "F58: a UDP listener takes the datagram that is sent at its ready line" {
    for _ in 1 2 3 4 5; do
        start_listener -u -q 0.1 127.0.0.1 0
        printf hello >"/dev/udp/127.0.0.1/$port"
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    done
}

@test "F58: the line is the port and nothing else, also of a port that was chosen by the user" {
    start_listener 127.0.0.1 0
    [[ $port =~ ^[1-9][0-9]*$ ]]
    kill -TERM "$listener"
    finish "$listener"
    chosen=$port
    start_listener 127.0.0.1 "$chosen"
    assert_equal "$port" "$chosen"
}

@test "F58: the bound address is on standard error with port 0, without -v" {
    start_listener 127.0.0.1 0
    assert_equal "$(cat "$T/listener.err")" "sockcat: listening on 127.0.0.1:$port"
}

@test "F58: the descriptor is closed after the line, while the listener waits" {
    mkfifo "$T/fifo"
    timeout $((20 * LAST_RESORT)) cat "$T/fifo" >"$T/all" 3>&- &
    reader=$!
    start "$SOCKCAT" -l --ready-fd 9 127.0.0.1 0 9>"$T/fifo"
    wait "$reader" || fail "it stayed open"
    assert_equal "$(wc -l <"$T/all")" 1
    ! is_gone "$pid" || fail "the listener ended"
}

# Runs a listener whose ready line goes to its own descriptor $1, and a peer that sends a word and
# prints what it gets back; prints status, output, error with the port as PORT.
ready_to_own() {
    drive listen ready_to_own "$1"
}

@test "F58: the ready line may go to standard output, and the client still does not become it" {
    run ready_to_own 1
    assert_equal "$output" "0 b'' b'PORT\\nhello' b'sockcat: listening on 127.0.0.1:PORT\\n'"
}

@test "F58: the ready line may go to standard error, and the client still does not become it" {
    run ready_to_own 2
    assert_equal "$output" "0 b'' b'hello' b'sockcat: listening on 127.0.0.1:PORT\\nPORT\\n'"
}

# ---- --ready-fd: errors ----

@test "a --ready-fd that is not open is refused" {
    assert_fails 3 "--ready-fd '77': Bad file descriptor" \
        sockcat -l --ready-fd 77 127.0.0.1 0 </dev/null 77>&-
}

@test "a --ready-fd that is no number is refused" {
    for value in x 9x -1 '' 1.5 0x9 2147483648 99999999999999999999; do
        assert_fails 3 "invalid --ready-fd '$value'" \
            sockcat -l --ready-fd "$value" 127.0.0.1 0 </dev/null
    done
}

@test "a --ready-fd without -l is refused" {
    assert_fails 2 'ready-fd.*--listen' sockcat --ready-fd 9 127.0.0.1 9 </dev/null 9>"$T/ready"
    assert_equal "$(cat "$T/ready")" ""
}

@test "a --ready-fd that is full is an output failure" {
    # On a Unix path, as a chosen port would be reported in a second line.
    assert_fails 23 'write --ready-fd 9: No space left on device' \
        sockcat -l -U --ready-fd 9 "$T/socket" </dev/null 9>/dev/full
    [ ! -e "$T/socket" ] || fail "it left its socket"
}

@test "a --ready-fd that is open for reading only is an output failure" {
    assert_fails 23 'write --ready-fd 9: Bad file descriptor' \
        sockcat -l -U --ready-fd 9 "$T/socket" </dev/null 9</dev/null
    [ ! -e "$T/socket" ] || fail "it left its socket"
}

@test "a --ready-fd whose reader is gone is an output failure, not a death by SIGPIPE" {
    mkfifo "$T/fifo"
    exec 8<>"$T/fifo" 9>"$T/fifo" 8<&-
    assert_fails 23 'write --ready-fd 9: Broken pipe' \
        sockcat -l -U --ready-fd 9 "$T/socket" </dev/null
    exec 9>&-
    [ ! -e "$T/socket" ] || fail "it left its socket"
}

# ---- T22: nothing blocks outside the loop ----

full_output() { drive full_output "$1"; }

@test "T22: a --ready-fd without room is waited for, and SIGTERM ends that" { full_output ready_terminated; }
@test "T22: a --ready-fd that cannot be opened again is waited for, too, and stays as it was" {
    need_shim
    with_shim 'open:EACCES:*' full_output ready_without_proc
}
@test "T22: an access list that never comes, from a FIFO, is waited for, and SIGTERM ends that" {
    full_output list_terminated
}
@test "T22: the ready line comes when there is room" { full_output ready_later; }
@test "T22: READY=1 comes when the service manager's queue has room" { full_output notify_later; }
@test "T22: SIGTERM ends the wait for a service manager" { full_output notify_terminated; }
@test "T22: a service manager that never takes READY=1 does not stop the listener" { full_output notify_never; }

# ---- NOTIFY_SOCKET ----

# Starts a listener with NOTIFY_SOCKET naming $1, and connects when the message comes. Prints it.
notified() {
    drive listen notified "$1"
}

@test "F58: NOTIFY_SOCKET gets READY=1, once, when clients can come" {
    need_shim
    run with_shim listen:sleep=0.3:* notified "$T/notify"
    assert_equal "$output" READY=1
}

@test "F58: NOTIFY_SOCKET may be an abstract name" {
    run notified "@$T/notify"
    assert_equal "$output" READY=1
}

@test "a NOTIFY_SOCKET without a listener is no failure, and reported only with -v" {
    need nc.openbsd
    for name in "$T/none" "@$T/none" nonsense "$T"; do
        NOTIFY_SOCKET=$name start_listener -U "$T/socket"
        nc.openbsd -N -U "$T/socket" </dev/null
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.err")" "0 "
    done
    NOTIFY_SOCKET=$T/none start_listener -v -U "$T/socket"
    assert_line "^sockcat: NOTIFY_SOCKET $T/none: " "$T/listener.err"
}

@test "a NOTIFY_SOCKET that is too long for a socket is no failure" {
    NOTIFY_SOCKET=/$(printf '%0200d' 0) start_listener -v -U "$T/socket"
    assert_line '^sockcat: NOTIFY_SOCKET /0+: ' "$T/listener.err"
    ! grep -q ': Success$' "$T/listener.err" || fail "'Success' is no reason"
}

@test "a connecting client tells NOTIFY_SOCKET nothing" {
    start_listener -U "$T/socket"
    start_peer --listen "unixdgram:$T/notify" "waitfor:$T/done" recvquiet:0.1 count
    NOTIFY_SOCKET=$T/notify sockcat -U "$T/socket" </dev/null
    touch "$T/done"
    finish "$peer"
    assert_equal "$result $(tail -n 1 "$T/peer.out")" "0 0"
}
