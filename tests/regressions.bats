#!/usr/bin/env bats
# Defects that once were: each test builds the situation in which one showed, step by step, so that
# it shows every time.
# shellcheck disable=SC2154 # the helper sets status, peer_port, held
bats_require_minimum_version 1.5.0
load lib/helper

# ---- resets and other failures that must not look like success ----

# rst_after_fin ARG...: the peer ends its sending, has our bytes unread, and resets at the very moment
# at which standard input ends.
rst_after_fin() {
    drive regressions rst_after_fin "$@"
}

@test "A reset that comes after the peer's end and together with our own is never a success" {
    rst_after_fin
}

@test "A reset after the peer's end is no success with --no-shutdown either" {
    rst_after_fin --no-shutdown
}

@test "A reset after the peer's end is no success with --send-only either" {
    drive regressions reset_after_end_send_only
}

@test "A UDP listener with -k keeps the status of the time limit that ended it" {
    drive regressions udp_time_limit_status
}

@test "A Unix datagram listener with -k that cannot answer one peer says so, goes on, and ends with 104" {
    drive regressions unix_datagram_unanswerable
}

@test "A peer that accepts, says something and resets before we look was connected" {
    need_shim
    drive regressions reset_before_the_first_look
}

@test "Receiving that fails for want of memory for ever ends in failure" {
    need_shim
    start_peer send:x waitfor:"$T/never"
    LIMIT=40 with_shim 'recvmsg:ENOMEM:*' client 127.0.0.1 "$peer_port"
    assert_equal "$status" 56
    assert_one_error "$T/client.err" 'receive from 127\.0\.0\.1:[0-9]+: Cannot allocate memory'
}

# ---- slow and stalled readers ----

@test "After a failed send all that had arrived is written to a slow reader, and counted" {
    drive regressions slow_reader_after_failed_send
}

@test "An idle limit ends a session whose standard output is not read" {
    drive regressions idle_limit_unread_stdout
}

@test "A signal ends a session that has failed and waits for its reader" {
    drive regressions signal_after_failure
}

# endless ARG...: the input ends while the peer sends without end, and more than the reader takes.
endless() {
    drive regressions endless "$@"
}

@test "--until=stdin ends although the peer sends more than the reader takes" {
    endless --until=stdin
}

@test "--until=either ends although the peer sends more than the reader takes" {
    endless --until=either
}

# ---- standard streams of other kinds ----

@test "What is received reaches the slave when standard output is the master of a terminal" {
    drive regressions pty_master_as_stdout
}

@test "What the slave says is sent when standard input is the master of a terminal" {
    drive regressions pty_master_as_stdin
}

@test "What a terminal did not take at once is shown as soon as it can, without further data" {
    drive regressions slow_terminal
}

@test "When standard input and output are one socket, its other side sees the end" {
    drive regressions one_socket_for_both
}

# message_output KIND: 3 MB of a stream go to standard output as messages.
message_output() {
    drive regressions message_output "$1"
}

@test "A stream of any length arrives on a datagram socket as standard output" {
    message_output SOCK_DGRAM
}

@test "A stream of any length arrives on a seqpacket socket as standard output" {
    message_output SOCK_SEQPACKET
}

@test "An empty datagram arrives on a datagram socket as standard output" {
    drive regressions empty_datagram_to_stdout
}

@test "A seqpacket socket on standard input is left with the options it had" {
    drive regressions seqpacket_stdin_options
}

@test "The final message gets through a standard error that is full for a moment" {
    hold_port
    drive regressions full_stderr "$held"
}

# ---- datagrams ----

@test "Datagrams of a burst that the kernel dropped are reported, although none came after them" {
    drive regressions kernel_drops_at_the_end
}

@test "A UDP client does not share its own port with another socket" {
    drive regressions udp_port_not_shared
}

@test "Datagrams of strangers do not hide the peer's own at the end" {
    drive regressions strangers_at_the_end
}

# asked_address ARG...: a UDP listener on all addresses answers a client that takes answers only
# from the address that it asked.
asked_address() {
    drive regressions asked_address "$@"
}

@test "A UDP listener on all addresses answers from the one that was asked" {
    asked_address -4
}

@test "A UDP listener for both families answers from the IPv4 address that was asked" {
    need_ipv6
    asked_address
}

# ---- Unix sockets ----

@test "Standard input that ends after a Unix peer has answered and gone is a success" {
    drive regressions stdin_ends_after_unix_peer
}

@test "Standard input that has data after a Unix peer has gone is a failed send" {
    drive regressions stdin_data_after_unix_peer
}

@test "A Unix listener takes its path from -s" {
    drive regressions unix_path_from_s
}

@test "A Unix listener with -s and another path is a usage error" {
    LIMIT=10 assert_fails 2 'extra operand' sockcat -l -U -s "$T/a" "$T/b"
    [ ! -e "$T/a" ] && [ ! -e "$T/b" ]
}

# ---- TCP urgent data ----

@test "An urgent byte keeps its place in what a client receives" {
    drive regressions urgent_byte
}

@test "An urgent byte that came before the listener looked keeps its place" {
    drive regressions urgent_byte_early
}

# ---- statuses and messages ----

@test "The message of the idle limit begins with the operation" {
    drive regressions idle_limit_message
}

@test "A probe of what cannot be reached is no answer, a refusal is one" {
    hold_port
    assert_fails 7 'Network is unreachable' sockcat -z 255.255.255.255 9
    assert_fails 7 'No such file' sockcat -z -U "$T/nothing"
    assert_closed sockcat -z 127.0.0.1 "$held"
}

@test "SIGUSR1 gives exactly one line, also when there are more counts than usual" {
    drive regressions sigusr1_many_counts
}

@test "SIGUSR1 gives exactly one line while a connection is being made" {
    drive regressions sigusr1_connecting
}
