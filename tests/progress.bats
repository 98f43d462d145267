#!/usr/bin/env bats
# Limits that mean "no progress": what the kernel moves counts, too. A slow reader takes several
# times the limit for all, and each of its steps is far below the limit.

load lib/helper

# slow_reader CASE [ARG...]
slow_reader() { drive slow_reader "$@"; }

@test "T1: --idle-timeout: a TCP peer that reads slowly is not idle" {
    slow_reader to_tcp --send-only --idle-timeout 1.5
}

@test "T1: -w: a TCP peer that reads slowly, and answers at the end, is not idle" {
    slow_reader to_tcp -w 1.5
}

@test "T1: -w without splice: a TCP peer that reads slowly is not idle" {
    slow_reader to_tcp --no-splice -w 1.5
}

@test "T1: -q begins when the peer has taken the last of standard input" {
    slow_reader to_tcp -q 1.5
}

@test "T1: --linger: a TCP peer that reads slowly is waited for" {
    slow_reader to_tcp --send-only --linger 1.5
}

@test "T1: --output and -t keep the view of what the peer takes" {
    slow_reader to_tcp -w 1.5 --output "$T/output" -t
}

@test "T1: --idle-timeout: a Unix peer that reads slowly is not idle" {
    slow_reader to_unix --idle-timeout 1.5 -O 212992
}

@test "T1: -q: a Unix peer that reads slowly is waited for" {
    slow_reader to_unix -q 1.5 -O 212992
}

@test "T1: --idle-timeout: a program that reads slowly is not idle" {
    slow_reader to_program
}

@test "T1: --idle-timeout: a program that reads slowly up to its end is not idle" {
    slow_reader to_program end
}

@test "T1: a program that has closed its output, and reads slowly, gets to read all" {
    slow_reader to_quiet_program
}

@test "T1: with -k a program that has closed its output, and reads slowly, gets to read all" {
    slow_reader to_quiet_program -k --max-accepts 1
}

@test "T1: a signal ends the wait for a program that has closed its output" {
    slow_reader to_quiet_program signal
}

@test "T1: --idle-timeout: a slow reader of standard output is not idle" {
    slow_reader to_output
}

@test "T1: --idle-timeout: a slow target of --to is not idle" {
    slow_reader to_other
}

@test "T1: --idle-timeout: a slow client of --echo is not idle" {
    slow_reader to_echo
}

@test "T1: --idle-timeout: a slow client of -k --echo is not idle" {
    slow_reader to_echo -k --max-accepts 1
}

@test "T1: --idle-timeout: the publisher that waits for a slow client of --broker is not idle" {
    slow_reader to_all
}

@test "T1: --idle-timeout: a client that waits for standard output behind another one is not idle" {
    slow_reader to_shared_output
}

@test "T1: after a failure the peer gets all that was sent, however slowly it reads" {
    slow_reader after_failure
}

@test "T1: --idle-timeout: a TCP peer that takes nothing is 28" {
    slow_reader stalls tcp --idle-timeout 1.5
}

@test "T1: --idle-timeout: a Unix peer that takes nothing is 28" {
    slow_reader stalls unix --idle-timeout 1.5
}

@test "T1: -q: a TCP peer that takes nothing is 55, with the bytes that were not taken" {
    slow_reader stalls tcp -q 1.5
}

@test "T1: --idle-timeout: a program that takes nothing is 28" {
    slow_reader stalled_program
}
