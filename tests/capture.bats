#!/usr/bin/env bats
# capture.bats - the files of -o and --output as one object that all sessions share: readers that are
# late, slow or gone, and failures of the file beside those of clients.

# shellcheck disable=SC2154 # the helpers set T
load lib/helper

# capture CASE [ARG...]
capture() { drive capture "$@"; }

@test "T3: clients that share the FIFO of -o all go on when its late reader starts" {
    capture shared -o
}

@test "T3: clients that share the FIFO of --output all go on when its late reader starts" {
    capture shared --output 3 600000
}

@test "T3: 20 clients that share a FIFO all go on" {
    capture shared -o 20 50000
}

@test "T3: two files that several clients share are both whole" {
    capture both
}

@test "T3: UDP clients that share a FIFO all go on" {
    capture datagrams
}

@test "T4: what was recorded with --output is in the FIFO while the line is idle" {
    capture idle --output
}

@test "T4: what was recorded with -o is in the FIFO while the line is idle" {
    capture idle -o
}

@test "T4: what was recorded is in the FIFO while only the program's end is waited for" {
    capture idle_program
}

@test "T24: a FIFO of --output whose reader stops is given up, and the data go on" {
    capture stops --output
}

@test "T24: a FIFO of -o whose reader stops is given up, and the data go on" {
    capture stops -o
}

@test "T24: a FIFO whose reader stops is given up for all clients of a listener" {
    capture stops --output -k
}

@test "T24: a FIFO whose reader stops is given up by a client that sends and receives" {
    capture stops_client
}

@test "T24: a FIFO whose reader is slow is not given up" {
    capture slow_is_not_stopped
}

@test "T24: SIGTERM ends a session that waits for a FIFO, and what was read is still sent" {
    capture interrupted
}

@test "T24: SIGTERM ends a listener whose sessions wait for a FIFO" {
    capture interrupted_listener
}

@test "T11: a full --output ends the listener with 23, though the client resets" {
    capture failing --echo
}

@test "T11: a full --output ends the listener with 23, though the client resets, without an echo" {
    capture failing
}

@test "T11: a full --output ends the listener with 23, though the client resets, with a program" {
    capture failing -c cat
}

@test "T11: a full --output is reported at once, and the other clients finish" {
    capture failing_beside
}

@test "T11: a client that resets does not end a listener" {
    capture resets --echo
    capture resets
    capture resets -c cat
    capture resets --output "$T/file"
}

@test "F155: a full file of any option is status 23 with one message, at either end" {
    [ -w /dev/full ] || skip "needs /dev/full"
    local option got
    for option in --hex-dump --output --report=json:; do
        [[ $option == *: ]] && option+=/dev/full || option+=\ /dev/full
        # shellcheck disable=SC2086 # an option and its argument
        start_listener $option 127.0.0.1 0
        got=0
        # shellcheck disable=SC2086
        echo hello | sockcat $option 127.0.0.1 "$port" >"$T/out" 2>"$T/err" || got=$?
        assert_equal "$option $got" "$option 23"
        assert_one_error "$T/err" '^sockcat: write /dev/full: No space left on device$'
        finish "$listener"
        # A client that fails resets its connection, maybe before the listener has something to write.
        [[ $result =~ ^(23|56)$ ]] || fail "$option: status $result"
    done
}
