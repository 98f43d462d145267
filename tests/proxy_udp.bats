# Datagrams through SOCKS5 proxies: UDP ASSOCIATE.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets the variables
bats_require_minimum_version 1.5.0
load lib/helper

@test "datagrams of all sizes go to several targets and back, none cut or joined" {
    drive proxy_udp relayed
}

@test "clients and targets of IPv6" {
    need_ipv6
    drive proxy_udp ipv6
}

@test "datagrams are accepted from the client alone, and from its targets alone" {
    drive proxy_udp spoofed
}

@test "a port that the client names is the only one from which it sends" {
    drive proxy_udp announced
}

@test "what follows the request on the connection is ignored" {
    drive proxy_udp followed
}

@test "malformed headers, fragments and bad names are dropped and counted" {
    drive proxy_udp malformed
}

@test "no notation of a forbidden target gets a datagram" {
    drive proxy_udp denied
}

@test "dropped datagrams make the status 97, unsent answers 55, and both 104 with -k" {
    drive proxy_udp unclean
}

@test "names are resolved, and their addresses checked" {
    drive proxy_udp names
}

@test "a slow look-up delays only datagrams for its name" {
    need_shim
    drive proxy_udp slow_name
}

@test "an association ends with its connection, after what was sent before" {
    drive proxy_udp ends
}

@test "an idle association ends" {
    drive proxy_udp idle
}

@test "datagrams are relayed only if that was enabled, and for users who have logged in" {
    drive proxy_udp refused
}

@test "a datagram that has no room for a header is dropped and counted" {
    drive proxy_udp large
}

@test "-u --proxy waits for buffers of the kernel, and reports that" {
    need_shim
    drive proxy_udp retried
}

@test "datagrams of a client or a target that the kernel dropped are counted" {
    drive proxy_udp kernel_drops
}

@test "the last 512 targets may answer" {
    drive proxy_udp many_targets
}

@test "a report and a hex dump have the datagrams of an association" {
    drive proxy_udp reported
}

@test "the connection of an association may have TLS" {
    need_plugin tls
    drive proxy_udp secure
}

@test "PySocks sends datagrams through the proxy server" {
    /usr/bin/python3 -c 'import socks' 2>/dev/null || skip "needs PySocks (python3-socks)"
    drive proxy_udp pysocks
}

@test "wrong arguments about datagrams are refused" {
    assert_fails 2 'udp requires socks5' sockcat -l --proxy-server udp 127.0.0.1 0 </dev/null
    assert_fails 2 'udp requires socks5' sockcat -l --proxy-server http,udp 127.0.0.1 0 </dev/null
    assert_fails 2 'udp conflicts with --proxy' \
        sockcat -l --proxy-server socks5,udp --proxy socks5://127.0.0.1:9 127.0.0.1 0 </dev/null
}

@test "-u --proxy sends datagrams through sockcat, its input in pieces that fit behind the header" {
    drive proxy_udp client
}

@test "-u --proxy sends a name or an address, and takes datagrams of its target only" {
    drive proxy_udp client_bytes
}

@test "-u --proxy fails when the connection to the proxy ends, after what has arrived" {
    drive proxy_udp client_lost
}

@test "-u --proxy: what a proxy refuses" {
    drive proxy_udp client_refused
}

@test "-u --proxy: targets of --noproxy are sent datagrams directly" {
    drive proxy_udp client_exceptions
}

@test "-u --proxy through dante" {
    need danted
    need_netns
    export T SOCKCAT
    in_netns drive proxy_udp client_dante
}

@test "-u --proxy requires one proxy of SOCKS5" {
    each <<'TABLE'
refused http.cannot.relay http://127.0.0.1:9
refused http.cannot.relay 127.0.0.1:9
refused https.cannot.relay https://127.0.0.1:9
refused socks4a.cannot.relay socks4a://127.0.0.1:9
refused only.one.can.relay socks5://127.0.0.1:9 --proxy socks5://127.0.0.1:9
refused -F.conflicts.with.-u.--proxy socks5://127.0.0.1:9 -F
refused --proxy.conflicts.with.udp.targets socks5://127.0.0.1:9 -z
refused --proxy.conflicts.with.-l.-u socks5://127.0.0.1:9 -l --to 127.0.0.1:9
TABLE
}

refused() {
    assert_fails 2 "$1" sockcat -u --proxy "${@:2}" 127.0.0.1 9 </dev/null
}
