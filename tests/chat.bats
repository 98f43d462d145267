# The chat: lines with names, joins and leaves, control characters made harmless, and the terminal
# of the operator taking part.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets the variables
bats_require_minimum_version 1.5.0
load lib/helper

@test "a line goes to all other clients, with the number of its sender" {
    drive chat lines
}

@test "control characters are shown, and cannot make a line of their own" {
    drive chat control_characters
}

@test "a line sets the name of its sender, if the name is valid" {
    drive chat nick
}

@test "/who lists the names to the client that asks, and to no other" {
    drive chat who
}

@test "/quit ends the client cleanly, and the others get a notice" {
    drive chat quits
}

@test "/quit of the operator" {
    drive chat operator_quits
}

@test "answers to /who that are not read are bounded" {
    drive chat endless_who
}

@test "the operator takes part" {
    drive chat operator
}

@test "with -d the operator's input is not read, and the clients still get the lines" {
    drive chat operator_input_unread
}

@test "the operator gets all lines, however late they are read, before the chat ends" {
    drive chat operator_reads_late
}

@test "after the last client has left, the input of the operator is discarded and not awaited" {
    drive chat operator_after_last_client
}

@test "an operator that does not keep up is disconnected, and not counted as a client" {
    drive chat operator_too_slow
}

@test "F59: with --slow=drop lines that the operator missed are reported, too" {
    drive chat operator_drops
}

@test "the operator may leave, and later clients still take and free places" {
    drive chat operator_leaves
}

@test "a line that never ends is 102 for its client, and the others go on" {
    drive chat endless_line
}

@test "a name that is none is 3" {
    assert_fails 3 "invalid --nick 'a b'" sockcat -lk --chat --nick 'a b' 127.0.0.1 0 </dev/null
    assert_fails 3 "invalid --nick ''" sockcat -lk --chat --nick '' 127.0.0.1 0 </dev/null
}

@test "nc, socat and bash can talk to each other" {
    need nc.openbsd socat
    start_listener -k --chat 127.0.0.1 0 </dev/null
    mkfifo "$T/nc" "$T/socat"
    exec 7<>"$T/nc" 8<>"$T/socat"
    nc.openbsd 127.0.0.1 "$port" <"$T/nc" >"$T/nc.out" 7>&- 8>&- &
    started+=("$!")
    await_line "$T/listener.out" '^\* user1 joined$'
    socat - "TCP:127.0.0.1:$port" <"$T/socat" >"$T/socat.out" 7>&- 8>&- &
    started+=("$!")
    await_line "$T/nc.out" '^\* user2 joined$'
    echo 'this is nc' >&7
    await_line "$T/socat.out" '^<user1> this is nc$'
    echo 'this is socat' >&8
    await_line "$T/nc.out" '^<user2> this is socat$'
    exec 9<>"/dev/tcp/127.0.0.1/$port"
    echo 'this is bash' >&9
    await_line "$T/nc.out" '^<user3> this is bash$'
    exec 7>&- 8>&- 9>&-
}
