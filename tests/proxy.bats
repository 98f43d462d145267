# Connections through proxies: SOCKS4, SOCKS4A, SOCKS5 and HTTP, alone and in chains.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets the variables
bats_require_minimum_version 1.5.0
load lib/helper

@test "a byte that follows the answer of a proxy belongs to the stream" {
    drive proxy no_byte_is_lost
}

@test "an answer that is cut anywhere is status 97, never success" {
    drive proxy a_cut_is_never_success
}

@test "what a proxy refuses is said in words, with its number, type and address" {
    drive proxy refusals
}

@test "a silent proxy times out, and the message names it" {
    drive proxy silence
}

@test "through microsocks, dante, tinyproxy and ncat, in chains too" {
    need_netns
    peers=()
    for peer in microsocks danted tinyproxy ncat; do
        ! command -v "$peer" >/dev/null || peers+=("$peer")
    done
    [ "${#peers[@]}" -gt 0 ] || skip "needs a proxy"
    export T SOCKCAT
    in_netns drive proxy peers "${peers[@]}"
}

@test "names are resolved here with socks5 and socks4, and only then" {
    hold_port
    for scheme in socks5 socks4; do
        start_peer recvall
        assert_fails 6 'resolve nosuch.invalid' sockcat --proxy "$scheme://127.0.0.1:$peer_port" \
            nosuch.invalid 80 </dev/null
    done
    start_peer 'expect:\005\001\000' 'send:\005\000' 'expect:\005\001\000\001\177\000\000\011\000\120'
    sockcat --resolve name.test:80:127.0.0.9 --proxy "socks5://127.0.0.1:$peer_port" name.test 80 \
        </dev/null 2>"$T/err" || :
    finish "$peer"
    assert_equal "$result" 0
}

@test "wrong --proxy arguments are refused, and passwords are not shown" {
    each <<'TABLE'
refused 3 ...@127.0.0.1:1 socks5://me:secret@127.0.0.1:1
refused 3 unknown.scheme ftp://127.0.0.1
refused 3 99999 socks5://127.0.0.1:99999
refused 3 port.'0' socks5://127.0.0.1:0
refused 3 must.not.be.empty socks5://
refused 3 unknown.scheme httpss://127.0.0.1
TABLE
    assert_fails 2 'with -l requires --to' sockcat -l 0 --proxy 127.0.0.1:1
}

refused() {
    assert_fails "$1" "$2" sockcat --proxy "$3" 127.0.0.1 80 </dev/null
    ! grep -r secret "$T" || fail "the password is shown"
}

@test "--proxy=env is the first of the variables, and --noproxy and no_proxy are direct" {
    export ALL_PROXY=socks5h://127.0.0.1:1 http_proxy=http://127.0.0.1:2
    each <<'TABLE'
direct 127.0.0.1
direct --proxy=env --noproxy=127.0.0.0/8 127.0.0.1
direct --proxy=env --noproxy=example.com,127.0.0.1 127.0.0.1
direct --proxy=env --noproxy=* -4 localhost
direct --proxy=env --noproxy=.LOCALHOST -4 localhost
direct --proxy=env --noproxy=localhost --resolve x.localhost:PORT:127.0.0.1 x.localhost
proxied 1 --proxy=env 127.0.0.1
proxied 1 --proxy=env --noproxy=10.0.0.0/8,host,::1 localhost
proxied 1 --proxy=env --noproxy=host xlocalhost
proxied 1 --proxy=env --noproxy=127.0.0.2 --to 127.0.0.2:9 127.0.0.1
TABLE
    start_listener 127.0.0.1 0
    assert_fails 7 'connect proxy 127.0.0.1:1: ' sockcat --proxy=env --noproxy=127.0.0.1 --to 127.0.0.2:9 \
        127.0.0.1 "$port" </dev/null
    HTTP_PROXY=http://127.0.0.1:3 ALL_PROXY='' proxied 2 --proxy=env 127.0.0.1
    no_proxy='127.0.0.1 %%,x' direct --proxy=env 127.0.0.1
    NO_PROXY=127.0.0.1 proxied 9 --noproxy=::1 --proxy=socks5h://127.0.0.1:9 127.0.0.1
    ALL_PROXY=http://me:secret@127.0.0.1:1 proxied 1 --proxy=env 127.0.0.1
    assert_fails 3 'invalid --noproxy' sockcat --proxy=env --noproxy=10.0.0.1/8 127.0.0.1 8 </dev/null
}

direct() {
    start_listener 127.0.0.1 0
    sockcat "${@//PORT/$port}" "$port" </dev/null 2>"$T/err" || fail "$(cat "$T/err")"
}

proxied() {
    assert_fails 7 "connect proxy 127.0.0.1:$1: Connection refused" sockcat "${@:2}" 8 </dev/null
}

@test "the user and password of a URL are percent-decoded" {
    start_peer 'expect:\005\002\000\002' 'send:\005\002' 'expect:\001\004me@x\005p%q:/' close
    ALL_PROXY="socks5h://me%40x:p%25q%3a%2F@127.0.0.1:$peer_port" assert_fails 97 'closed' \
        sockcat --proxy=env 127.0.0.1 9 </dev/null
    assert_fails 3 'NUL' sockcat --proxy=http://me%00@127.0.0.1:1 127.0.0.1 9 </dev/null
    finish "$peer"
    assert_equal "$result" 0
}

@test "a password is taken from a file or the environment only, for the proxy that it belongs to" {
    printf 'me:secret\n' >"$T/logins"
    assert_fails 26 "read $T/logins: other users can read it" \
        sockcat --proxy-auth-file "$T/logins" --proxy 127.0.0.1:1 127.0.0.1 9 </dev/null
    chmod 600 "$T/logins"
    start_peer 'expect:\005\001\000' close
    assert_fails 97 'closed' sockcat --proxy "socks5h://127.0.0.1:$peer_port" --proxy socks5h://127.0.0.1:1 \
        --proxy-auth-file "$T/logins" 127.0.0.1 9 </dev/null
    assert_fails 3 'argument can be seen' sockcat --proxy-auth me:secret --proxy 127.0.0.1:1 127.0.0.1 9 </dev/null
    assert_fails 3 'argument can be seen' sockcat -P me:secret -x 127.0.0.1:1 127.0.0.1 9 </dev/null
    assert_fails 2 'with several proxies' sockcat --proxy-auth me --proxy 127.0.0.1:1 --proxy 127.0.0.1:2 \
        127.0.0.1 9 </dev/null
    for user in '--proxy-auth me --proxy http://you@127.0.0.1:1' '--proxy-auth you -P me -x 127.0.0.1:1'; do
        # shellcheck disable=SC2086 # several words
        assert_fails 2 "two users given for the proxy: 'you' and 'me'" sockcat $user 127.0.0.1 9 </dev/null
    done
    assert_fails 26 "read $T/none" sockcat --proxy-auth-file "$T/none" --proxy 127.0.0.1:1 127.0.0.1 9 </dev/null
    echo nonsense >"$T/bad"
    chmod 600 "$T/bad"
    assert_fails 3 'line 1: expected USER:PASSWORD' \
        sockcat --proxy-auth-file "$T/bad" --proxy 127.0.0.1:1 127.0.0.1 9 </dev/null
    SOCKCAT_PROXY_AUTH=me:secret start_listener --proxy 127.0.0.1:1 --to 127.0.0.1:9 127.0.0.1 0
}

@test "the proxies of a chain with the same user are sent the first password of that user only" {
    printf 'you:other\nme:secret\nme:second\n' >"$T/logins"
    chmod 600 "$T/logins"
    local login='Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n'
    start_peer "expect:CONNECT b:8 HTTP/1.1\\r\\nHost: b:8\\r\\n$login" 'send:HTTP/1.1 200 x\r\n\r\n' \
        "expect:CONNECT c:7 HTTP/1.1\\r\\nHost: c:7\\r\\n$login" 'send:HTTP/1.1 200 x\r\n\r\n' \
        'expect:CONNECT a:9 HTTP/1.1\r\nHost: a:9\r\n\r\n' close
    assert_fails 97 closed sockcat --proxy-auth-file "$T/logins" --proxy "http://me@127.0.0.1:$peer_port" \
        --proxy http://me@b:8 --proxy http://c:7 a 9 </dev/null
    finish "$peer"
    assert_equal "$result" 0
}

@test "a field of --proxy-header is sent to HTTP proxies, behind the login" {
    start_peer 'expect:CONNECT a:9 HTTP/1.1\r\nHost: a:9\r\nX-One: 1\r\nX-Two: b  c\r\n\r\n' close
    assert_fails 97 closed sockcat --proxy-header 'X-One: 1' --proxy-header 'X-Two: b  c' \
        --proxy "http://127.0.0.1:$peer_port" a 9 </dev/null
    finish "$peer"
    assert_equal "$result" 0
    for field in 'no colon' ': empty' $'A: b\r\nC: d' 'A B: c' $'A: \x7f'; do
        assert_fails 3 'expected NAME: VALUE' sockcat --proxy-header "$field" --proxy 127.0.0.1:1 a 9 </dev/null
    done
    assert_fails 2 'requires a proxy of type http' sockcat --proxy-header 'A: b' --proxy socks5h://a b 9 </dev/null
}

@test "--proxy-digest answers the challenge of an HTTP proxy, and sends no password" {
    drive proxy digest
}

@test "--proxy-digest connects again to a proxy that closes the connection after the challenge" {
    drive proxy digest_again
}

@test "--proxy-digest fails if the proxy offers no Digest" {
    drive proxy no_digest
    assert_fails 2 '--proxy-digest requires a proxy of type http and a user' \
        sockcat --proxy-digest --proxy http://a b 9 </dev/null
    assert_fails 2 '--proxy-digest requires a proxy of type http and a user' \
        sockcat --proxy-digest --proxy socks5h://me@a b 9 </dev/null
    assert_fails 2 '--proxy-digest requires a proxy of type http and a user' \
        sockcat --proxy-digest --proxy socks5h://me@a --proxy http://b c 9 </dev/null
}

@test "--proxy-cacert and --proxy-insecure require a proxy with TLS" {
    assert_fails 2 '--proxy-cacert requires a proxy https' sockcat --proxy-cacert /dev/null --proxy a b 9 </dev/null
    assert_fails 2 '--proxy-insecure requires a proxy https' sockcat --proxy-insecure --proxy a b 9 </dev/null
}

@test "a program does not get the passwords of proxies" {
    for proxy in env "socks5h://127.0.0.1:1 --noproxy 127.0.0.1"; do
        start_listener 127.0.0.1 0
        # shellcheck disable=SC2086 # several words
        SOCKCAT_PROXY_AUTH=me:secret sockcat --proxy=$proxy 127.0.0.1 "$port" -c env
        assert_listener_ends 0
        assert_line '^SOCKCAT_LOCAL_PORT=' "$T/listener.out"
        run -1 grep PROXY_AUTH "$T/listener.out"
    done
}

@test "the messages of statuses 5 and 7 say that it is a proxy" {
    hold_port
    each <<TABLE
fails_at 7 connect.proxy.127.0.0.1:$held:.Connection.refused --proxy socks5h://127.0.0.1:$held
fails_at 5 resolve.proxy.nosuch.invalid:. --proxy socks5h://nosuch.invalid
fails_at 5 resolve.proxy.nosuch.invalid:. --proxy http://nosuch.invalid --to 127.0.0.1:9
fails_at 5 resolve.proxy.four.test:.no.IPv6 --resolve four.test:1080:127.0.0.1 -6 --proxy socks5://four.test
fails_at 7 connect.proxy.two.test:$held:.127.0.0.1:$held:.*127.0.0.2:$held: --resolve two.test:$held:127.0.0.1,127.0.0.2 --proxy http://two.test:$held
fails_at 7 connect.proxy.127.0.0.1:$held:.*.2.attempts.$ --retry=1 --retry-delay 1ms --proxy 127.0.0.1:$held
TABLE
    # The second proxy, whose name is resolved here.
    start_peer recvall
    fails_at 5 'resolve proxy nosuch.invalid: ' --proxy "socks5://127.0.0.1:$peer_port" --proxy http://nosuch.invalid
}

fails_at() {
    assert_fails "$1" "$2" sockcat "${@:3}" name.test 9 </dev/null
}

@test "-F passes the connection through proxies, and no byte behind their answers is lost" {
    drive proxy passed
}

@test "-F through a proxy fails as a session does" {
    assert_fails 2 'TLS cannot be passed' sockcat -F --proxy https://127.0.0.1:1 127.0.0.1 9
    drive proxy not_passed
}

@test "of a name that is resolved here the proxy is asked for one address after the other" {
    drive proxy next_address
}

@test "--retry asks a proxy again for a target that it could not connect to" {
    drive proxy retried
}

@test "--retry ends with the last refusal, and what a proxy forbids is not retried" {
    drive proxy not_retried
}

@test "--retry counts the tries of a whole chain, and --wait limits each of them" {
    drive proxy retried_in_chain
}

@test "--retry is for the proxies of --to, --proxy-server and -F, too" {
    drive proxy retried_elsewhere
}

@test "a signal while --retry waits for a proxy ends it at once" {
    drive proxy retry_ended
}
