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
    need_plugin tls
    drive proxy_header forwarded_tls
}

@test "version 2 has an ID for each connection, which -v and reports show" {
    drive proxy_header unique_ids
}

@test "the ID of a client remains when its connection through a proxy is retried" {
    drive proxy_header kept_id
}

@test "a target gets the header and all data behind it" {
    drive proxy_header a_slow_target
}

@test "--send-proxy requires a stream of bytes, and with -l a target" {
    assert_fails 2 'with -l requires --to' sockcat -l 127.0.0.1 0 --send-proxy=1
    assert_fails 2 'PROXY protocol conflicts with udp messages' \
        sockcat -l 127.0.0.1 0 --send-proxy=1 --to udp://127.0.0.1:9
    assert_fails 2 '--udp' sockcat -u --send-proxy=1 127.0.0.1 9
    assert_fails 3 "'example.com'" sockcat --send-proxy=1 --proxy-source example.com:9 127.0.0.1 9
    assert_fails 3 '99999' sockcat --send-proxy=1 --proxy-source 127.0.0.1:99999 127.0.0.1 9
    assert_fails 3 '127.0.0.1' sockcat --send-proxy=1 --proxy-source 127.0.0.1 127.0.0.1 9
    assert_fails 3 'expected ADDRESS:PORT' sockcat --send-proxy=1 --proxy-source unix:/x 127.0.0.1 9
}

# ---- accepted ----

@test "a client has the addresses that its header tells, and every byte behind it arrives" {
    drive proxy_header accepted
}

@test "a header may arrive byte by byte" {
    drive proxy_header byte_by_byte
}

@test "F108: a header that is cut anywhere is a failed connection, and the listener goes on" {
    drive proxy_header cut
}

@test "F108: a malformed or missing header is 102, at its first wrong byte" {
    drive proxy_header malformed
}

@test "a client without a header is ended in time, and stops no other client" {
    drive proxy_header silent
}

@test "many clients without a header do not take the places of others" {
    drive proxy_header many_silent
}

@test "access lists decide about the address in the header, or that of the proxy if there is none" {
    drive proxy_header lists
}

@test "without -k a rejected client leaves its place to the next one" {
    drive proxy_header one_client
}

@test "--max-conns-per-host counts the address in the header" {
    drive proxy_header hosts
}

@test "F108: an address that is not trusted needs no header, and one that sends it is 103" {
    drive proxy_header untrusted
}

@test "TLS begins behind the header" {
    need_plugin tls
    drive proxy_header behind_tls
}

@test "what a header tells is sent on by --send-proxy" {
    drive proxy_header passed_on
}

@test "headers come before messages, broadcasts and files, and their addresses are in reports" {
    drive proxy_header services
}

@test "a Unix socket is trusted unless --proxy-from leaves it out" {
    drive proxy_header from_unix
}

@test "--accept-proxy requires a listener of bytes, --proxy-from addresses" {
    assert_fails 2 'requires --listen|requires -l' sockcat --accept-proxy=1 127.0.0.1 9
    assert_fails 2 'udp' sockcat -lu --accept-proxy=1 127.0.0.1 0
    assert_fails 3 "'example.com'" sockcat -l --accept-proxy=1 --proxy-from example.com 127.0.0.1 0
    assert_fails 3 "10.0.0.1/8" sockcat -l --accept-proxy=1 --proxy-from 127.0.0.1,10.0.0.1/8 127.0.0.1 0
}

# ---- peers ----

@test "haproxy: both ways, both versions, with its values, its health checks and its TLS" {
    need haproxy
    need_netns
    export T SOCKCAT
    in_netns drive proxy_header haproxy
}

@test "nginx takes both versions" {
    need nginx
    need_netns
    export T SOCKCAT
    in_netns drive proxy_header nginx
}

@test "nginx sends version 1" {
    local module=${NGINX_STREAM_MODULE:-/usr/lib/nginx/modules/ngx_stream_module.so}
    need nginx
    need_netns
    [ -e "$module" ] || skip "needs libnginx-mod-stream"
    export T SOCKCAT
    in_netns drive proxy_header nginx_sends "$module"
}

@test "curl --haproxy-protocol" {
    need curl
    drive proxy_header curl
}
