#!/usr/bin/env bats
# Kernels and C libraries that lack something: system calls that sockcat makes by their number because
# musl has no functions for them, and what replaces them on a kernel without them.
# shellcheck disable=SC2154 # the helper sets port, listener, result

load lib/helper

WITHOUT_CALLS=$HELPER_DIR/../cases/without_calls.py

# without NAMES: SOCKCAT becomes a program that runs it without these system calls.
without() {
    need python3
    python3 "$WITHOUT_CALLS" "$1" || skip "needs seccomp, and a processor whose numbers are known"
    printf '#!/bin/sh\nexec python3 "%s" %s "%s" "$@"\n' "$WITHOUT_CALLS" "$1" "$SOCKCAT" >"$T/sockcat"
    chmod +x "$T/sockcat"
    SOCKCAT=$T/sockcat
}

# A program sees whether it got a descriptor that is not its own.
sees_no_other_descriptor() {
    exec 7<"$BATS_TEST_FILENAME"
    start_listener 127.0.0.1 0 -c '[ ! -e /proc/self/fd/7 ] && echo closed'
    exec 7<&-
    assert_equal "$(sockcat 127.0.0.1 "$port" </dev/null)" closed
    finish "$listener"
    assert_equal "$result" 0
}

# A dead socket is replaced, and the new one is removed at the end.
replaces_dead_socket() {
    python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/socket"
    start_listener -d -U "$T/socket"
    echo hello | sockcat -U "$T/socket"
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    [ ! -e "$T/socket" ] || fail "the socket was left behind"
    # Nor a file by a private name.
    assert_equal "$(find "$T" -name 'socket*')" ""
}

@test "a program gets no descriptor but its own" {
    need python3
    sees_no_other_descriptor
}

@test "a program gets no descriptor but its own, on a kernel without close_range" {
    without close_range
    sees_no_other_descriptor
}

@test "a dead socket is replaced and the new one removed" {
    need python3
    replaces_dead_socket
}

@test "a dead socket is replaced and the new one removed, on a kernel without renameat2" {
    without renameat2
    replaces_dead_socket
}

@test "a static binary needs no library" {
    need readelf
    [[ ${BUILD_DIR:-} == */musl ]] || skip "needs the musl preset, which is static"
    run readelf -dW "$SOCKCAT"
    [[ $output != *NEEDED* ]] || fail "$output"
}
