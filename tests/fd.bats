#!/usr/bin/env bats
# Endpoints that are sockets already: fd://N, of every kind, and connections that have been reset.
# shellcheck disable=SC2154 # the helper sets status
bats_require_minimum_version 1.5.0
load lib/helper

@test "fd://N is a TCP connection: both directions, and each end by itself" {
    drive fd fd_tcp
}

@test "fd://N carries much, both ways" {
    drive fd fd_much_data
}

@test "fd://N is a Unix connection, unnamed or named" {
    drive fd fd_unix
}

@test "fd://N is a UDP socket that has a peer" {
    drive fd fd_udp
}

@test "fd://N takes the options of a session and of a socket" {
    drive fd fd_options
}

@test "fd://N is left blocking for others that have it" {
    drive fd fd_left_blocking
}

@test "fd://N has its other options as they were, too" {
    drive fd fd_options_restored
}

@test "fd://N counts as the kind of socket that it is, for what options need and exclude" {
    drive fd fd_kind
}

@test "-l fd://N takes its client from a socket that listens" {
    drive fd fd_listen
}

@test "-l fd://N that a signal ends leaves the listening socket blocking" {
    drive fd fd_listen_signal
}

@test "-l -k fd://N serves one client after another" {
    drive fd fd_listen_many
}

@test "-l fd://N takes Unix sockets, and does not remove the path of another" {
    drive fd fd_listen_unix
}

@test "-l fd://N takes a UDP socket that is bound" {
    drive fd fd_listen_udp
}

@test "-l fd://N says its port when it is ready" {
    drive fd fd_listen_ready
}

@test "fd://N of the wrong kind is 3" {
    drive fd fd_wrong_kind
}

# ---- connections that were reset before they are looked at ----

reset_socket() { drive reset_socket "$1"; }

@test "T10: fd://N that was reset is 56 and names fd://N" { reset_socket tcp_reset; }
@test "T10: what arrived before the reset is written first" { reset_socket data_first; }
@test "T10: fd://N that was reset is 56 also when there is something to send" { reset_socket with_input; }
@test "T10: fd://0 that was reset is 56 and names fd://0" { reset_socket standard_input; }
@test "T10: fd://NAME that was reset is 56 and names fd://NAME" { reset_socket by_name; }
@test "T10: fd://N that was reset is not passed on by -F" { reset_socket passed_on; }
@test "T10: fd://N that was reset is 56 for -z" { reset_socket probed; }
@test "T10: fd://N whose connect was refused is 7" { reset_socket refused; }
@test "T10: fd://N that was never connected is 3" { reset_socket never_connected; }
@test "T10: a Unix socket whose peer closed with unread data is 56" { reset_socket unix_reset; }

@test "-l fd://N with a datagram socket that has a peer is 3" {
    drive fd fd_listen_connected_datagram
}

@test "fd://N with a raw socket is 3, and it is not taken for TCP" {
    drive fd fd_raw || {
        code=$?
        [ "$code" -ne 77 ] || skip "needs the right to open raw sockets"
        return "$code"
    }
}

@test "fd://N of a descriptor that is not open, or is standard output or error, is 3" {
    assert_fails 3 "fd://77': Bad file descriptor" sockcat fd://77 </dev/null 77>&-
    assert_fails 3 "fd://77': Bad file descriptor" sockcat -l fd://77 </dev/null 77>&-
    for n in 1 2 01 1x -3 '' 99999999999; do
        assert_fails 3 "fd://$n'.*from 3" sockcat "fd://$n" </dev/null || fail "for $n"
    done
    for n in 0 00; do
        assert_fails 3 "fd://0': not a supported socket" sockcat "fd://$n" </dev/null
    done
}
