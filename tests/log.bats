#!/usr/bin/env bats
# What many clients can make a listener write: no more lines than are fit to read, and none that is
# left out without being counted.
bats_require_minimum_version 1.5.0
load lib/helper

@test "F154: 10,000 clients whose bytes are no frames cost few lines, and each of them is counted" {
    drive log bad_frames
}

@test "F154: clients of a denied address are reported a hundred times, then counted" {
    drive log denied
}

@test "F154: peers that are evicted with unread data are reported a hundred times, then counted" {
    drive log evicted_peers
}

@test "F154: statistics, and with -vv all lines, are never suppressed" {
    drive log never_suppressed
}

@test "F154: the count of suppressed lines is printed at the end, if standard error was full before" {
    drive log counted_at_the_end
}

@test "T25: that there is no descriptor for the next client is reported once a second, without -v (F45)" {
    need prlimit
    drive log no_descriptor
}
