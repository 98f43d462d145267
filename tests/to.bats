# Connections that are carried on to another endpoint, of any kind: both ways, with half-close and
# the same truth about what was lost.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets the variables
bats_require_minimum_version 1.5.0
load lib/helper

@test "a client is relayed to another port, both ways, and it ends well" {
    drive to relayed
}

@test "half-close goes on in either direction, and the answer comes after it" {
    drive to half_close
}

@test "a client is relayed to a Unix socket" {
    drive to to_unix
}

@test "two endpoints are joined without a listener" {
    drive to without_listener
}

@test "many clients are relayed side by side, a silent one among them" {
    drive to side_by_side
}

@test "a refusal there is a reset here, one line, and the next client is served" {
    drive to refused
}

@test "a reset there is a reset here, and 56" {
    drive to reset_by_target
}

@test "frames that come by TCP go on as datagrams" {
    drive to frames_to_datagrams
}

@test "frames on both sides may differ" {
    drive to frames_differ
}

@test "the kernel moves the bytes of plain sockets" {
    need strace
    [ "$(uname)" = Linux ] || skip "needs splice(2)"
    drive to spliced
}

@test "a bad endpoint is reported at once" {
    assert_fails 3 "endpoint 'localhost'" sockcat -l 127.0.0.1 0 --to localhost </dev/null
    assert_fails 3 'missing host, as in localhost:8080$' sockcat -l 127.0.0.1 0 --to 8080 </dev/null
    assert_fails 3 'a path is written unix:/path$' sockcat -l 127.0.0.1 0 --to "$T/s.sock" </dev/null
    assert_fails 3 "port '0'" sockcat -l 127.0.0.1 0 --to 127.0.0.1:0 </dev/null
    assert_fails 3 "fd://3" sockcat -l 127.0.0.1 0 --to fd://3 </dev/null
    assert_fails 2 'conflicts with' sockcat -l --echo 127.0.0.1 0 --to 127.0.0.1:1 </dev/null
    assert_fails 2 'stdio-frame' sockcat -lu --stdin-frame line 127.0.0.1 0 --to 127.0.0.1:1 </dev/null
}

# leaves CASE: see cases/to_leaving.py.
leaves() { drive to_leaving "$1"; }

@test "T12: the place of a client that resets while its target is being connected is free at once" {
    leaves place
    leaves place_unix
    leaves single
}

@test "T12: a Unix client that closes while its target is being connected leaves, unless it sent something" {
    leaves unix_client
    leaves unix_data
}

@test "T12: a client that half-closes while its target is being connected is served" {
    leaves half_close
}

@test "T12: datagrams wait for the target, and their senders do not leave" {
    leaves datagrams
}

@test "T12: the answer of a target that is connected in the turn that resolves its name is delivered" {
    drive to early_answer
}

@test "answers of a UDP target that the kernel drops are counted" {
    drive to kernel_drops
}
