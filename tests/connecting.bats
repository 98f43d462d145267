# Connecting: addresses that are given in place of a look-up, and retries.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, result, held
bats_require_minimum_version 1.5.0
load lib/helper

# ---- --resolve ----

@test "--resolve gives the address of a name that does not exist" {
    start_listener 127.0.0.1 0
    sockcat -v --resolve "some.test:$port:127.0.0.1" some.test "$port" <<<hello 2>"$T/err"
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    assert_line "^sockcat: connected to 127.0.0.1:$port " "$T/err"
}

@test "--resolve gives several addresses, which are tried in their order" {
    start_listener 127.0.0.1 0
    sockcat -vv --resolve "some.test:$port:127.0.0.9,127.0.0.1,127.0.0.8" "some.test:$port" <<<hello 2>"$T/err"
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    assert_line "^sockcat: .*connected to 127.0.0.1:$port " "$T/err"
    assert_line "trying some.test:$port at 127.0.0.9:$port\$" "$T/err"
    assert_equal "$(grep -c 'trying ' "$T/err")" 2
    hold_port
    assert_fails 7 "^sockcat: connect some.test:$held: 127.0.0.1:$held: Connection refused; \
\[::1\]:$held: Connection refused\$" \
        sockcat --resolve "some.test:$held:127.0.0.1,[::1]" some.test "$held" </dev/null
}

@test "--resolve holds for its port and name only, and * for any name" {
    need_shim
    hold_port
    with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 6 'resolve some.test: Name or service not known' \
        sockcat --resolve "some.test:1:127.0.0.1" some.test "$held" </dev/null
    with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 6 'resolve other.test: Name or service not known' \
        sockcat --resolve "some.test:$held:127.0.0.1" other.test "$held" </dev/null
    with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 7 "connect other.test:$held: Connection refused" \
        sockcat --resolve "*:$held:127.0.0.1" --resolve "some.test:$held:127.0.0.2" other.test "$held" </dev/null
}

@test "--resolve is for listeners, probes and --to as well" {
    start_listener -k --max-accepts 2 --resolve some.test:0:127.0.0.7 some.test 0
    local back=$port first=$listener
    sockcat -z --resolve "some.test:$back:127.0.0.7" some.test "$back"
    start_listener --to "some.test:$back" --resolve "some.test:$back:127.0.0.7" 127.0.0.1 0
    sockcat 127.0.0.1 "$port" <<<hello
    finish "$listener"
    assert_equal "$result" 0
    finish "$first"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
}

@test "--resolve for one of many probed ports leaves the others to a look-up" {
    need_shim
    start_listener -k 127.0.0.7 0
    hold_port
    # The look-up finds 127.1.0.1, where no port is open.
    status=0
    with_shim 'getaddrinfo:addresses=1:*' sockcat -z --resolve "some.test:$port:127.0.0.7" some.test "$port,$held" \
        >"$T/probed" 2>"$T/err" || status=$?
    assert_equal "$status $(cut -d' ' -f1-2 "$T/probed")" "1 some.test:$port open"
    assert_line "^sockcat: some.test:$held: closed\$" "$T/err"
}

@test "--resolve without an address of the family that was asked for is 6" {
    assert_fails 6 '^sockcat: resolve some.test: no IPv6 address in --resolve$' \
        sockcat -6 --resolve some.test:80:127.0.0.1 some.test 80 </dev/null
    assert_fails 6 '^sockcat: resolve some.test: no IPv4 address in --resolve$' \
        sockcat -4 -l --resolve some.test:0:::1 some.test 0 </dev/null
}

@test "-n accepts a name that has an address in --resolve, and looks up none" {
    need_shim
    hold_port
    start_listener -k 127.0.0.7 0
    resolve=(-n --resolve "some.test:$port:127.0.0.7")
    # A look-up has a thread.
    without_lookup() {
        SHIM_COUNT=$T/count with_shim 'pthread_create:count:*' "$@"
        grep -q '^socket ' "$T/count" || fail "$*: nothing was counted"
        ! grep -q pthread_create "$T/count" || fail "$*: $(cat "$T/count")"
        rm "$T/count"
    }
    without_lookup sockcat "${resolve[@]}" some.test "$port" </dev/null
    without_lookup sockcat "${resolve[@]}" -z some.test "$port"
    without_lookup sockcat "${resolve[@]}" -z "some.test:$port" "127.0.0.7:$port"
    without_lookup sockcat "${resolve[@]}" --wait-for "some.test:$port"
    without_lookup sockcat -n --resolve "*:$port:127.0.0.7" other.test "$port" </dev/null
    # Another port, another name.
    assert_fails 6 "^sockcat: resolve some.test: no address for port $held in --resolve, and -n is given$" \
        sockcat "${resolve[@]}" some.test "$held" </dev/null
    assert_fails 3 "host 'other.test': expected an address, not a name" \
        sockcat "${resolve[@]}" other.test "$port" </dev/null
    assert_fails 7 'connect proxy some.test' \
        sockcat -n --resolve "some.test:$held:127.0.0.7" --proxy "http://some.test:$held" 127.0.0.1 1 </dev/null
    start_listener "${resolve[@]}" --to "some.test:$port" 127.0.0.1 0
    sockcat 127.0.0.1 "$port" </dev/null
    # The address of a listener that runs programs is not given by the user.
    start_listener -n --resolve "*:1:127.0.0.7" -c 'echo hello' 0
    assert_equal "$(sockcat localhost "$port" </dev/null)" hello
}

@test "a mistake in --resolve is one line and 3" {
    for text in a a:80 a:80: :80:127.0.0.1 a:http:127.0.0.1 a:*:127.0.0.1 a:70000:127.0.0.1 a:80:b \
        a:80:127.0.0.1, +a:80:127.0.0.1 127.0.0.1:80:127.0.0.1 '[::1]:80:127.0.0.1' $'a\n:80:127.0.0.1'; do
        assert_fails 3 '^sockcat: invalid --resolve ' sockcat --resolve "$text" a 80 </dev/null \
            || fail "for $text" || return
    done
}

# ---- --retry ----

@test "--retry connects to a server that comes later, and nothing is sent twice" { drive connecting late; }

@test "--retry waits for a Unix socket that does not exist yet" { drive connecting late_path; }

@test "--retry doubles the delay, with jitter, and the last failure is printed with the attempts" {
    drive connecting grows
    drive connecting jitter
}

@test "a signal while --retry waits ends it at once, and the last failure is printed" { drive connecting ends; }

@test "F157: a process that was stopped makes one try, not one for each delay that has passed" {
    need_shim
    drive connecting stopped
}

@test "--retry is for each client of --to, as long as it waits" { drive connecting to; }

@test "--retry is not for faults of this machine, nor for connections that have existed" {
    drive connecting never
    drive connecting reset
}

@test "F91: --retry waits for a name that does not exist yet" {
    need_shim
    start_listener 127.1.0.1 0
    with_shim 'getaddrinfo:EAI_NONAME:1,getaddrinfo:EAI_AGAIN:2,getaddrinfo:addresses=1:*' \
        sockcat -v --retry --retry-delay 10ms later.test "$port" <<<hello 2>"$T/err"
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    assert_line '^sockcat: resolve later.test: Name or service not known; retry 1 in 10.0ms$' "$T/err"
    assert_line '^sockcat: resolve later.test: Temporary failure in name resolution; retry 2 in 10.0ms$' "$T/err"
}

@test "F90: --wait limits each try of --retry, and a resolver that hangs once is asked again" {
    need_shim
    start_listener 127.1.0.1 0
    with_shim 'getaddrinfo:sleep=600:1,getaddrinfo:addresses=1:*' \
        sockcat -v --wait 500ms --retry --retry-delay 700ms hangs.test "$port" <<<hello 2>"$T/err"
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    assert_line '^sockcat: resolve hangs.test: timed out; retry 1 in 700.0ms$' "$T/err"
}

@test "--retry=N and --retry=TIME end with the status of the last failure" {
    hold_port
    assert_fails 7 "^sockcat: connect 127.0.0.1:$held: Connection refused \\(3 attempts\\)\$" \
        sockcat --retry=2 --retry-delay 1ms 127.0.0.1 "$held" </dev/null
    assert_fails 7 "^sockcat: connect 127.0.0.1:$held: Connection refused\$" sockcat --retry=0 127.0.0.1 "$held" </dev/null
    assert_fails 7 "^sockcat: connect 127.0.0.1:$held: Connection refused \\([0-9]+ attempts\\)\$" \
        sockcat --retry=300ms --retry-delay 100ms 127.0.0.1 "$held" </dev/null
    # The last try is at the end of the time.
    assert_fails 7 "^sockcat: connect 127.0.0.1:$held: Connection refused \\(2 attempts\\)\$" \
        sockcat --retry=200ms --retry-delay 1h 127.0.0.1 "$held" </dev/null
    need_shim
    with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 6 'Name or service not known \(2 attempts\)$' \
        sockcat --retry=1 --retry-delay 1ms some.test 80 </dev/null
}

@test "a datagram that is refused is not retried, an address without a route is" {
    hold_port
    assert_fails 7 'Connection refused' sockcat -u --retry 127.0.0.1 "$held" <<<hello
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        assert_fails 7 "Network is unreachable \\(2 attempts\\)\$" \
            sockcat -u --retry=1 --retry-delay 1ms 192.0.2.1 9 </dev/null'
}

@test "mistakes with --retry are one line" {
    for text in x -1 1x '' 3s3 99999999999999999999; do
        assert_fails 3 "^sockcat: invalid --retry '$text': expected a number, or a time " \
            sockcat "--retry=$text" a 1 </dev/null || fail "for '$text'" || return
    done
    assert_fails 2 '[-]-retry-delay requires --retry' sockcat --retry-delay 1 a 1 </dev/null
    assert_fails 3 'invalid --retry-delay .0.' sockcat --retry --retry-delay 0 a 1 </dev/null
    assert_fails 2 '[-]-retry with -l requires --to' sockcat -l --retry 0 </dev/null
    assert_fails 2 '[-]-retry conflicts with --probe' sockcat -z --retry a 1 </dev/null
}

@test "the argument of --retry, --wait-for or --ping as a word of its own is answered with how to write it" {
    for words in '5 a 80' '30s a 80' '2m -l --to a:1 a 80'; do
        # shellcheck disable=SC2086 # several words
        assert_fails 2 "^sockcat: extra operand '${words%% *}'; if it is the argument of --retry write --retry=${words%% *}\$" \
            sockcat --retry $words </dev/null || fail "for $words" || return
    done
    assert_fails 2 "^sockcat: extra operand '81'" sockcat --retry a 80 81 </dev/null
    for words in '--retry 5 a' '--wait-for 30 a:80' '--wait-for 30s a:80' '--ping 3 a 80'; do
        read -r option amount _ <<<"$words"
        # shellcheck disable=SC2086 # several words
        assert_fails 2 "^sockcat: extra operand '$amount'; if it is the argument of $option write $option=$amount\$" \
            sockcat $words </dev/null || fail "for $words" || return
    done
}

@test "--retry waits for an address that does not exist yet" {
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        start "$SOCKCAT" -v --retry --retry-delay 20ms 192.0.2.1 9
        until_true 20 grep -q "Network is unreachable; retry 2 in" "$T/background.err"
        first=$pid
        ip addr add 192.0.2.1/32 dev lo
        until_true 20 grep -q "Connection refused; retry" "$T/background.err"
        start_listener 192.0.2.1 9
        finish "$listener"
        assert_equal "$result" 0
        finish "$first"
        assert_equal "$result" 0'
}
