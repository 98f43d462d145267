# Probing (-z): does the port answer? 0 is yes, 1 is no; what kept the question from being answered
# has a status of its own. Nothing is sent, nothing is read.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, result, held
bats_require_minimum_version 1.5.0
load lib/helper

@test "an open port is 0, without output" {
    start_peer recvall count
    run sockcat -z 127.0.0.1 "$peer_port"
    assert_status 0
    assert_equal "$output" ""
    finish "$peer"
    assert_equal "$result" 0
}

@test "a probe sends nothing, and its end is a clean one for the peer" {
    start_peer recvall count
    sockcat -z 127.0.0.1 "$peer_port" <<<hello
    finish "$peer"
    # A reset would have failed the peer's recvall.
    assert_equal "$result $(tail -n 1 "$T/peer.out")" "0 0"
}

@test "a probe does not wait for what the peer has to say, nor print it" {
    start_peer send:banner recvall!
    run sockcat -z 127.0.0.1 "$peer_port"
    assert_status 0
    assert_equal "$output" ""
}

@test "a probe does not read standard input" {
    start_peer recvall
    assert_equal "$( (sockcat -z 127.0.0.1 "$peer_port"; cat) <<<hello)" hello
}

@test "a Unix listener of another program is open" {
    need ncat
    start ncat -l -U "$T/socket"
    until_true 20 test -S "$T/socket"
    sockcat -z -U "$T/socket" </dev/null
}

@test "with -v an open port is said to be open, and where" {
    start_peer recvall
    run sockcat -z -v 127.0.0.1 "$peer_port"
    assert_status 0
    [[ $output =~ ^127.0.0.1:$peer_port\ open\ [0-9.]+ms$ ]] || fail "$output"
}

@test "with -v a name's port is said to be open, and at which address" {
    start_peer recvall
    run sockcat -z -v -4 localhost "$peer_port"
    assert_status 0
    [[ $output =~ ^localhost:$peer_port\ open\ at\ 127.0.0.1:$peer_port\ [0-9.]+ms$ ]] || fail "$output"
}

@test "a closed port is 1, without output unless -v is given" {
    hold_port
    assert_closed sockcat -z 127.0.0.1 "$held"
    assert_closed sockcat -zn -w 5 127.0.0.1 "$held"
    assert_fails 1 "^sockcat: 127.0.0.1:$held: closed\$" sockcat -zv 127.0.0.1 "$held" </dev/null
    assert_equal "$(cat "$T/fails.out")" ""
}

@test "a port that resets the connection before the probe asks for its result is open" {
    need_shim
    start_peer recvall!
    SHIM_COUNT=$T/count with_shim 'connect:ECONNRESET:2' sockcat -z 127.0.0.1 "$peer_port" </dev/null
    assert_line '^connect 2$' "$T/count"
}

@test "a port that is closed at every address is 1" {
    need_shim
    hold_port
    with_shim 'getaddrinfo:addresses=3:*' assert_closed sockcat -z many.test "$held"
    with_shim 'getaddrinfo:addresses=3:*' assert_fails 1 "^sockcat: many.test:$held: closed\$" \
        sockcat -zv many.test "$held" </dev/null
}

@test "a port that is open at one of many addresses is open" {
    need_shim
    start_listener 127.1.0.2 0
    with_shim 'getaddrinfo:addresses=3:*' sockcat -z many.test "$port" </dev/null
    finish "$listener"
    assert_equal "$result" 0
}

@test "an unreachable network is no answer: 7" {
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        assert_fails 7 "connect 192.0.2.1:80: Network is unreachable" \
            sockcat -z 192.0.2.1 80 </dev/null'
}

@test "a port that never answers is 28" {
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        ip link add v0 type veth peer name v1 || exit 77
        ip addr add 10.77.0.1/24 dev v0
        ip link set v0 up
        ip link set v1 up
        ip neigh add 10.77.0.2 lladdr 02:00:00:00:00:09 dev v0
        for options in "-w 0.3" "--wait 300ms"; do
            assert_fails 28 "connect 10.77.0.2:80: timed out" \
                sockcat -z $options 10.77.0.2 80 </dev/null
        done' || {
        code=$?
        [ "$code" -ne 77 ] || skip "needs veth"
        return "$code"
    }
}

@test "a resolver that never answers is 28" {
    need_shim
    with_shim 'getaddrinfo:sleep=60:*' assert_fails 28 'resolve slow.test' \
        sockcat -z -w 0.3 slow.test 80 </dev/null
}

@test "a name that does not resolve is 6" {
    need_shim
    with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 6 'resolve some.test' \
        sockcat -z some.test 80 </dev/null
}

@test "a source address that is not there is 45, and one that is there is used" {
    start_listener -v 127.0.0.1 0
    assert_fails 45 'bind 192.0.2.1(:0)?: Cannot assign requested address' \
        sockcat -z -s 192.0.2.1 127.0.0.1 "$port" </dev/null
    sockcat -z -s 127.0.0.9 127.0.0.1 "$port" </dev/null
    finish "$listener"
    assert_line 'connection from 127\.0\.0\.9:' "$T/listener.err"
}

@test "a local address or interface that cannot be used fails once, before any port" {
    start_peer recvall
    assert_fails 45 '^sockcat: bind 192\.0\.2\.1: Cannot assign requested address$' \
        sockcat -z -s 192.0.2.1 127.0.0.1 1-5 "$peer_port" </dev/null
    assert_fails 45 '^sockcat: bind 192\.0\.2\.1: Cannot assign requested address$' \
        sockcat -zuv -s 192.0.2.1 127.0.0.1 1-5 </dev/null
    assert_fails 45 '^sockcat: set --interface none: ' sockcat -z --interface none 127.0.0.1 1-5 "$peer_port" </dev/null
    assert_equal "$(cat "$T/fails.out")" ""
}

@test "a lack of descriptors is 27, not a closed port" {
    need_shim
    start_peer recvall
    with_shim 'socket:EMFILE:*' assert_fails 27 'Too many open files' \
        sockcat -z 127.0.0.1 "$peer_port" </dev/null
}

@test "a Unix socket is probed, too" {
    start_peer --listen "unix:$T/socket" recvall count
    sockcat -z -U "$T/socket" </dev/null
    finish "$peer"
    assert_equal "$(tail -n 1 "$T/peer.out")" 0
    # There is no listener any more.
    assert_closed sockcat -z -U "$T/socket"
    assert_fails 7 'No such file or directory' sockcat -z -U "$T/none" </dev/null
    [ -S "$T/socket" ] || fail "the probe removed the socket"
}

@test "a signal ends a probe that waits" {
    need_shim
    resolving() { [ "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)" -ge 2 ]; }
    for name in INT TERM; do
        # A job that a shell puts in the background may ignore SIGINT.
        with_shim 'getaddrinfo:sleep=60:*' start env --default-signal=INT "$SOCKCAT" -z slow.test 80
        until_true 20 resolving
        kill -s "$name" "$pid"
        finish "$pid"
        assert_equal "$result" $((128 + $(kill -l "$name"))) "$name"
    done
}

@test "standard streams that are closed do not matter to a probe" {
    start_peer recvall accept recvall count
    sockcat -z 127.0.0.1 "$peer_port" <&- >&- 2>&-
    sockcat -z 127.0.0.1 "$peer_port" </dev/null >/dev/full 2>/dev/full
    finish "$peer"
    assert_equal "$result $(tail -n 1 "$T/peer.out")" "0 0"
}

@test "what makes no sense with -z is refused" {
    for options in -l --send-only --recv-only -lk "-o dump" -F; do
        # shellcheck disable=SC2086 # two words for some
        assert_fails 2 'conflicts with' sockcat -z $options 127.0.0.1 9 </dev/null || fail "for $options"
    done
    assert_fails 2 'keep-open.*--listen' sockcat -z -k 127.0.0.1 9 </dev/null
    assert_fails 2 'ready-fd.*--listen' sockcat -z --ready-fd 1 127.0.0.1 9 </dev/null
    assert_fails 2 'missing port' sockcat -z 127.0.0.1 </dev/null
    assert_fails 2 'missing host and port' sockcat -z </dev/null
}

@test "combined letters work: -zv, -vz, -zvn, -zw1" {
    start_peer recvall accept recvall accept recvall accept recvall
    for options in -zv -vz -zvn -zw1; do
        sockcat "$options" 127.0.0.1 "$peer_port" </dev/null
    done
    finish "$peer"
    assert_equal "$result" 0
}
