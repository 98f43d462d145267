# The PROXY protocol: headers that are sent, headers that are accepted, and the programs that speak it.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets the variables
bats_require_minimum_version 1.5.0
load lib/helper

@test "a client sends its own address and the server's before its first byte" {
    drive proxy_header own_addresses
}

@test "--proxy-source is sent in place of the own address, in the same family as the other" {
    drive proxy_header given_source
}

@test "the header is sent before the handshakes with a proxy and of TLS" {
    drive proxy_header before_all
}

@test "--to sends the address of each client, and the one that it has connected to" {
    drive proxy_header forwarded
}

@test "--to sends IPv6 addresses, and mapped ones as IPv4" {
    need_ipv6
    drive proxy_header forwarded_ipv6
}

@test "the addresses of Unix sockets are sent in version 2, and none in version 1" {
    drive proxy_header forwarded_unix
}

@test "--to sends what is known about the TLS of the client" {
    [ -e "${SOCKCAT%/*}/libexec/sockcat/tls.so" ] || skip "needs the plug-in tls (OpenSSL)"
    drive proxy_header forwarded_tls
}

@test "a target gets the header and all data behind it" {
    drive proxy_header a_slow_target
}

@test "--send-proxy requires a stream of bytes, and with -l a target" {
    assert_fails 2 'with -l requires --to' sockcat -l 127.0.0.1 0 --send-proxy=1
    assert_fails 2 'PROXY protocol conflicts with messages of udp' \
        sockcat -l 127.0.0.1 0 --send-proxy=1 --to udp://127.0.0.1:9
    assert_fails 2 '--udp' sockcat -u --send-proxy=1 127.0.0.1 9
    assert_fails 3 "'example.com'" sockcat --send-proxy=1 --proxy-source example.com:9 127.0.0.1 9
    assert_fails 3 '99999' sockcat --send-proxy=1 --proxy-source 127.0.0.1:99999 127.0.0.1 9
    assert_fails 3 '127.0.0.1' sockcat --send-proxy=1 --proxy-source 127.0.0.1 127.0.0.1 9
    assert_fails 3 'expected ADDRESS:PORT' sockcat --send-proxy=1 --proxy-source unix:/x 127.0.0.1 9
}
