#!/usr/bin/env bats
# characters.bats - what becomes of single characters on their way to a terminal, and out of telnet.

# shellcheck disable=SC2154 # the helpers set T, peer_port, pid, result
load lib/helper

# clients CASE [ARG...]
clients() { drive terminal_clients "$@"; }

@test "T23: bytes of two clients do not become one character on a terminal" {
    clients halves
}

@test "T23: datagrams of two peers do not become one character on a terminal" {
    clients halves -u
}

@test "T23: with --no-stdin bytes of two clients do not become one character on a terminal" {
    clients halves -d
}

@test "T23: a CR of one client and an LF of another are not one line end" {
    clients returns
}

@test "T23: a part of a character is shown as bytes at the end of its client" {
    clients ends
}

@test "T23: a part of a character is shown after the output of another client" {
    clients ends_late
}

@test "T23: a part of a character is shown at the end of the listener" {
    clients last
}

@test "T26: characters that are not shown are made visible on a terminal" {
    printf 'a\xe2\x80\x8bb\xe2\x81\xa0c\xef\xbb\xbfd\xc2\xade\xef\xbf\xb9f\xf3\xa0\x81\x81g\n' >"$T/in"
    start_peer "sendfile:$T/in" close
    drive characters made_visible "$peer_port"
}

@test "T26: characters that are not shown are made visible in messages" {
    run "$SOCKCAT" "$(printf '\xe2\x80\x8b\xf3\xa0\x81\x81')" 1 2 3
    assert_equal "$status" 2
    run "$SOCKCAT" -U "$T/$(printf 'a\xe2\x80\x8b\xf3\xa0\x81\x81')"
    assert_equal "$status" 7
    [[ $output == *'a\u200b\U000e0041'* ]] || fail "$output"
}

@test "T18: -t gives CR NUL out as CR" {
    start_peer 'send:a\r\x00b\r\nc\x00\r' 'send:\x00\r\xff\xfd\x01' 'send:\x00d\r\xff\xff\x00' \
        'expect:\xff\xfc\x01' close
    : >"$T/empty"
    sockcat -t 127.0.0.1 "$peer_port" <"$T/empty" >"$T/out"
    printf 'a\rb\r\nc\0\r\rd\r\377\0' >"$T/wanted"
    assert_same "$T/out" "$T/wanted"
}

@test "T18: -t sends a CR before anything but LF as CR NUL" {
    printf 'a\rb\r\nc\r\0d\r\r\r\377\r\n\r' >"$T/in"
    start_peer 'expect:a\r\x00b\r\nc\r\x00\x00d\r\x00\r\x00\r\x00\xff\xff\r\n\r' recvall count
    sockcat -t 127.0.0.1 "$peer_port" <"$T/in"
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" 22
}

@test "T18: -t sends CR NUL also where the input comes in pieces" {
    drive characters cr_nul
}

@test "T18: without -t CR NUL passes" {
    start_peer 'send:a\r\x00b' close
    sockcat -d 127.0.0.1 "$peer_port" >"$T/out"
    printf 'a\r\0b' >"$T/wanted"
    assert_same "$T/out" "$T/wanted"
}

@test "T18: a listener with -t gives CR NUL out as CR, into --output, too" {
    start_listener -t -d --output "$T/file" 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" 'send:a\r' 'send:\x00b' close
    assert_listener_ends 0
    printf 'a\rb' >"$T/wanted"
    assert_same "$T/listener.out" "$T/wanted"
    assert_same "$T/file" "$T/wanted"
}
