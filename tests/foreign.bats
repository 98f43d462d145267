#!/usr/bin/env bats
# Command lines of other tools and common slips; the table is tests/cases/foreign.tsv.

load lib/helper

@test "command lines of other tools are answered with what to write" { drive foreign; }

@test "a chat is a listener for many without -k" {
    start_listener --chat 127.0.0.1 0
    exec 5<>"/dev/tcp/127.0.0.1/$port" 6<>"/dev/tcp/127.0.0.1/$port"
    await_line "$T/listener.out" 'user2 joined'
    exec 5>&- 6>&-
}

@test "a broker without -l names the option that it requires" {
    assert_fails 2 '--broker requires --listen' sockcat --broker 127.0.0.1 1 </dev/null
}

@test "a path that is no socket is named as what it is" {
    assert_fails 7 "connect $T: Is a directory" sockcat -U "$T" </dev/null
    touch "$T/file"
    assert_fails 7 "connect $T/file: Not a socket" sockcat -U "$T/file" </dev/null
}

@test "-l :PORT is -l PORT, with a scheme too" {
    for endpoint in :0 tcp://:0; do
        start_listener "$endpoint"
        echo hello >"/dev/tcp/127.0.0.1/$port"
        finish "$listener"
        assert_equal "$(cat "$T/listener.out")" hello
    done
    start_listener -W 1 udp://:0
    echo hello >"/dev/udp/127.0.0.1/$port"
    finish "$listener"
    assert_equal "$(cat "$T/listener.out")" hello
    # A program is not offered to other hosts by it.
    start_listener -v -e cat :0
    await_line "$T/listener.err" 'listening on (127.0.0.1|\[::1\]):'
    ! grep -E 'listening on (0\.0\.0\.0|\[::\]):' "$T/listener.err"
}

@test "everyday tasks as users of nc, ncat and socat type them" {
    need_netns
    need ss
    export T SOCKCAT
    in_netns drive tasks
}
