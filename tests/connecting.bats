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

@test "a mistake in --resolve is one line and 3" {
    for text in a a:80 a:80: :80:127.0.0.1 a:http:127.0.0.1 a:*:127.0.0.1 a:70000:127.0.0.1 a:80:b \
        a:80:127.0.0.1, +a:80:127.0.0.1 127.0.0.1:80:127.0.0.1 '[::1]:80:127.0.0.1' $'a\n:80:127.0.0.1'; do
        assert_fails 3 '^sockcat: invalid --resolve ' sockcat --resolve "$text" a 80 </dev/null \
            || fail "for $text" || return
    done
}
