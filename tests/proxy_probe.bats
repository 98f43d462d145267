#!/usr/bin/env bats
# -z, --wait-for and --ping through proxies.
# shellcheck disable=SC2154 # the helper sets held
load lib/helper

@test "the state of a port is what a SOCKS proxy says about it" {
    drive proxy_probe states
}

@test "the state of a port is what an HTTP proxy says about it" {
    drive proxy_probe http
}

@test "a port behind a proxy that is not reached is not closed" {
    hold_port
    assert_fails 7 "connect proxy 127.0.0.1:$held: Connection refused" \
        sockcat -z --proxy "socks5h://127.0.0.1:$held" name.test 7 </dev/null
    status=0
    sockcat -z --proxy "socks5h://127.0.0.1:$held" name.test 7 8 </dev/null 2>"$T/err" || status=$?
    assert_status 7
    assert_line 'name.test:7: refused-by-proxy' "$T/err"
    # Many ports have no lines.
    assert_fails 7 "^sockcat: name.test: 0 of 30 ports open; connect proxy 127.0.0.1:$held: Connection refused$" \
        sockcat -z --proxy "socks5h://127.0.0.1:$held" name.test 1-30 </dev/null
}

@test "--wait-for and --until-closed go by what the proxy says" {
    drive proxy_probe waits
}

@test "--ping counts what the proxy refuses as failed" {
    drive proxy_probe pings
}

@test "--banner reads through a proxy" {
    drive proxy_probe banner
}

@test "a target of --noproxy is tested directly" {
    drive proxy_probe direct
}

@test "networks and datagrams are not tested through a proxy" {
    assert_fails 2 '--proxy conflicts with a network as target' \
        sockcat -z --proxy 127.0.0.1:9 127.0.0.0/30:9 </dev/null
    assert_fails 2 '--proxy conflicts with udp targets' \
        sockcat -z --proxy 127.0.0.1:9 udp://127.0.0.1:9 </dev/null
}
