#!/usr/bin/env bats
# causes.bats - a failure is reported once, and one event has one status, whichever call sees it first.

# shellcheck disable=SC2154 # the helpers set T, held
load lib/helper

# causes CASE [ARG...]
causes() { drive causes "$@"; }

# refusals ARG...: the number of lines of standard error that report a refusal.
refusals() {
    sockcat "$@" </dev/null >"$T/out" 2>"$T/causes.err" || :
    grep -c 'refused\|closed' "$T/causes.err"
}

@test "T18: a refusal is reported once, with every level of -v" {
    hold_port
    for verbose in '' -v -vv -vvv; do
        # shellcheck disable=SC2086 # nothing or one word
        assert_equal "$verbose $(refusals $verbose 127.0.0.1 "$held")" "$verbose 1"
        # shellcheck disable=SC2086
        [ -z "$verbose" ] ||
            assert_equal "-z $verbose $(refusals -z $verbose 127.0.0.1 "$held")" "-z $verbose 1"
    done
}

@test "T18: each refusal of a probe of several ports is reported once" {
    hold_port
    first=$held
    hold_port
    for verbose in '' -v -vv -vvv; do
        # shellcheck disable=SC2086 # nothing or one word
        assert_equal "$(refusals -z $verbose 127.0.0.1 "$first" "$held")" 2
        assert_line "^sockcat: 127.0.0.1: 0 of 2 ports open\$" "$T/causes.err"
    done
}

@test "T18: the only refusal of a probe of several ports is reported once" {
    hold_port
    start_listener -k --discard 127.0.0.1 0
    for verbose in '' -v -vv; do
        # shellcheck disable=SC2086
        assert_equal "$(refusals -z $verbose 127.0.0.1 "$port" "$held")" 1
    done
}

@test "T18: attempts that failed before another one succeeded are reported once with -vv" {
    need_shim
    causes attempts
}

@test "T18: a reset is 55 if input is not sent, though a read meets it" {
    need_shim
    causes by_read
}

@test "T18: a reset is 55 if input is not sent, and a write meets it" {
    need_shim
    causes by_write
}

@test "T18: a reset is 56 if all input is sent, and a read meets it" {
    need_shim
    causes by_idle_read
}

@test "T18: a reset is 56 if all input is sent, though the end of sending meets it" {
    need_shim
    causes by_shut
}

@test "T18: a reset behind the peer's end is 55" {
    need_shim
    causes by_late_shut
}
