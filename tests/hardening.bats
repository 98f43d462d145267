#!/usr/bin/env bats
# What the compiler and linker were asked for is really in the binary, and it stays small.

load lib/helper

# Sanitizer builds are made without these, because they hide errors from the sanitizers.
need_hardened() {
    need readelf
    if readelf -sW "$SOCKCAT" | grep -q __asan_init; then
        skip "a sanitizer build is not hardened"
    fi
}

@test "the binary is a position-independent executable" {
    need_hardened
    readelf -hW "$SOCKCAT" | grep -qE 'Type: +DYN'
    readelf -dW "$SOCKCAT" | grep -qE 'FLAGS_1.* PIE'
}

@test "all relocations are done at start and then read-only" {
    need_hardened
    readelf -dW "$SOCKCAT" | grep -qE 'BIND_NOW|FLAGS_1.* NOW'
    readelf -lW "$SOCKCAT" | grep -q GNU_RELRO
}

@test "the stack is not executable, and nothing is writable and executable" {
    need_hardened
    readelf -lW "$SOCKCAT" | grep -E 'GNU_STACK' | grep -qE ' RW +0x'
    ! readelf -lW "$SOCKCAT" | grep -E '^ +LOAD' | grep -q RWE
}

@test "stack canaries and fortified calls are in use" {
    need_hardened
    readelf -sW "$SOCKCAT" | grep -q __stack_chk_fail
    readelf -sW "$SOCKCAT" | grep -qE '__(poll|snprintf|vsnprintf|memcpy|read)_chk'
}

# note FEATURE FILE: the CET note of FILE names FEATURE (IBT, SHSTK).
note() { readelf -nW "$2" | grep -qE "x86 feature:.* $1(,|\$)"; }

@test "the CET note is in the binary: shadow stacks, and IBT where the C library has it" {
    need_hardened
    need cc
    readelf -hW "$SOCKCAT" | grep -q 'Machine:.* X86-64' || skip "CET is a feature of x86-64"
    note SHSTK "$SOCKCAT"
    # The linker keeps IBT only if every object has it, those of the C library too.
    start_file=$(cc -print-file-name=Scrt1.o)
    if note IBT "$start_file"; then
        note IBT "$SOCKCAT"
    fi
}

@test "no library is loaded but the C library" {
    need_hardened
    run bash -c "readelf -dW '$SOCKCAT' | grep NEEDED | grep -vE 'libc\.|ld-linux|libc\.musl'"
    assert_equal "$output" ""
}

@test "no path of the machine it was built on is in the binary" {
    need_hardened
    source_folder=$(cd "$HELPER_DIR/../.." && pwd)
    ! grep -qF "$source_folder/src" "$SOCKCAT"
}

@test "the resident memory of a session stays under 4 MiB while the peer does not read" {
    need_hardened
    random_file 20000000 >/dev/null
    start_peer rcvbuf:4096 "waitfor:$T/measured" recvall sha256
    mkfifo "$T/input"
    START_IN=$(random_file 20000000) start "$SOCKCAT" 127.0.0.1 "$peer_port"
    # It is stuck when its buffer is full and nothing moves: its time stands still.
    stuck() {
        local now
        now=$(cut -d' ' -f14,15 "/proc/$pid/stat")
        [ -n "$now" ] && [ "$now" = "${before:-}" ] && [ $((++same)) -ge 20 ] && return 0
        before=$now
        return 1
    }
    before='' same=0
    until_true 20 stuck
    peak=$(sed -nE 's/^VmHWM:\s+([0-9]+) kB/\1/p' "/proc/$pid/status")
    touch "$T/measured"
    finish "$pid"
    assert_equal "$result" 0
    [ "$peak" -gt 0 ] && [ "$peak" -lt 4096 ] || fail "$peak KiB"
}
