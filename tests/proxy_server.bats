# Serving as a proxy: HTTP CONNECT, SOCKS4, SOCKS4A and SOCKS5 on one port.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets the variables
bats_require_minimum_version 1.5.0
load lib/helper

@test "a tunnel of each protocol carries bytes both ways, those sent before the answer too" {
    drive proxy_server tunnels
}

@test "the kernel moves the bytes of tunnels, and half-closes go through" {
    [ "$(uname)" = Linux ] || skip "needs splice(2)"
    drive proxy_server spliced
}

@test "the kernel moves the bytes of tunnels also when some came with the request" {
    drive proxy_server spliced_later
}

@test "a tunnel costs few system calls, and so does a connection of --to" {
    need strace
    drive proxy_server few_calls
}

@test "a request that is cut anywhere connects to nothing, and the next client is served" {
    drive proxy_server a_cut_connects_to_nothing
}

@test "each failure has its code, and its line" {
    need_netns
    export T SOCKCAT
    in_netns drive proxy_server codes
}

@test "a target that does not answer is a timeout" {
    drive proxy_server timeout
}

@test "malformed requests get one answer, and the client gets all of it" {
    drive proxy_server malformed
}

@test "no notation of a special address is connected to" {
    drive proxy_server forbidden
}

@test "no notation of a special address is passed on to an upstream proxy" {
    drive proxy_server upstream_forbidden
}

@test "the addresses of this host and the own port are not connected to" {
    need_netns
    export T SOCKCAT
    in_netns drive proxy_server own_addresses
}

@test "a name with an allowed and a forbidden address connects to the allowed one only" {
    drive proxy_server mixed_addresses
}

@test "users and passwords: the right one connects, a wrong one is delayed and delays no other" {
    drive proxy_server users
}

@test "an upstream proxy is asked, with the name of the target" {
    drive proxy_server upstream
}

@test "an upstream proxy is asked for the allowed addresses of a name" {
    drive proxy_server upstream_mixed
}

@test "targets of --noproxy are connected to without the upstream proxy" {
    drive proxy_server upstream_exceptions
}

@test "a refused client that does not read its answer is closed after a time limit" {
    need_shim
    drive proxy_server stuck
}

@test "a proxy server is the upstream of another one" {
    drive proxy_server chained
}

@test "a client that says nothing has its time, and delays no other" {
    drive proxy_server slow
}

@test "a capture has the bytes of the tunnel only" {
    drive proxy_server captured
}

@test "clients above --max-conns wait, and an idle tunnel ends" {
    drive proxy_server limits
}

@test "a report has the target and the protocol of each request" {
    drive proxy_server reported
}

@test "TLS clients connect through the proxy server" {
    need curl
    need_plugin tls
    drive proxy_server secure
}

@test "curl, nc, ncat and proxychains connect through the proxy server" {
    drive proxy_server clients
}

@test "PySocks connects through the proxy server, with and without a password" {
    # Debian's modules are those of its own python.
    /usr/bin/python3 -c 'import socks' 2>/dev/null || skip "needs PySocks (python3-socks)"
    drive proxy_server pysocks
}

@test "ssh goes through the proxy server with a ProxyCommand" {
    /usr/bin/python3 -c 'import paramiko' 2>/dev/null || skip "needs paramiko (python3-paramiko)"
    need ssh ssh-keygen
    need_netns
    need_root
    ssh-keygen -q -t rsa -m PEM -N '' -f "$T/host_key"
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        start /usr/bin/python3 "$HELPER_DIR/ssh_server.py" "$T/host_key"
        await_line "$T/background.out" "^ready$"
        start_listener -k --proxy-server http,socks5 --allow-dest 127.0.0.1:ssh 127.0.0.1 0
        for proxy in http socks5h; do
            ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentityFile=none \
                -o ProxyCommand="$SOCKCAT -N --proxy $proxy://127.0.0.1:$port %h %p" you@127.0.0.1 "echo hello; exit 3" \
                >"$T/out" 2>"$T/ssh.err" || [ "$?" -eq 3 ] || fail "$(cat "$T/ssh.err")"
            assert_equal "$(cat "$T/out")" hello
        done'
}

@test "a client that resets its connection ends the connecting to its target" {
    drive proxy_server leaves
}

@test "without an address or an access list only this host can connect" {
    for words in '--proxy-server socks5,http' '--proxy-type socks4'; do
        # shellcheck disable=SC2086 # several words
        start_listener -kv $words 0
        assert_line '^sockcat: listening on (127\.0\.0\.1|\[::1\]):' "$T/listener.err"
        ! grep -E 'listening on (0\.0\.0\.0|\[::\]|\*)' "$T/listener.err" || fail "it listens everywhere"
        stop_all
    done
    start_listener -kv -4 --allow 127.0.0.0/8 --proxy-server http 0
    assert_line '^sockcat: listening on 0\.0\.0\.0:' "$T/listener.err"
}

@test "wrong arguments of a proxy server are refused" {
    each <<'TABLE'
refused 3 expected.a.list --proxy-server ftp
refused 3 expected.a.list --proxy-server http,
refused 3 expected.a.value --proxy-server=
refused 2 conflicts --proxy-server http --to 127.0.0.1:9
refused 2 conflicts --proxy-type http -e cat
refused 2 conflicts --proxy-server http -u
refused 2 conflicts --proxy-server http --send-proxy=1
refused 2 requires.--proxy --proxy-server http --noproxy x
refused 3 invalid.--noproxy --proxy-server http --noproxy 10.0.0.1/8 --proxy 127.0.0.1:1
refused 2 requires --allow-dest 127.0.0.1
refused 3 not.a.name --proxy-server http --allow-dest a.test
refused 3 prefix --proxy-server http --deny-dest 10.0.0.1/8
refused 3 port --proxy-server http --deny-dest 10.0.0.0/8:99999
refused 26 read --proxy-server http --proxy-auth-file /none
refused 2 no.passwords --proxy-server socks4 --proxy-auth-file /dev/null
refused 3 no.USER --proxy-server http --proxy-auth-file /dev/null
TABLE
    assert_fails 2 'requires --listen|requires -l' sockcat --proxy-server http 127.0.0.1 9 </dev/null
}

refused() {
    assert_fails "$1" "$2" sockcat -l "${@:3}" 127.0.0.1 0 </dev/null
}
