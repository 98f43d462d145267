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
refused 4 https:// https://127.0.0.1
TABLE
    assert_fails 2 'with -l requires --to' sockcat -l 0 --proxy 127.0.0.1:1
    assert_fails 2 'conflicts with --udp|--udp conflicts' sockcat -u --proxy 127.0.0.1:1 127.0.0.1 80
}

refused() {
    assert_fails "$1" "$2" sockcat --proxy "$3" 127.0.0.1 80 </dev/null
    ! grep -r secret "$T" || fail "the password is shown"
}
