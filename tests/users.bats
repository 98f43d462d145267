#!/usr/bin/env bats
# The user that has connected to a Unix socket: what is reported, and which users are permitted.
bats_require_minimum_version 1.5.0
load lib/helper

@test "F84: --allow-uid takes the users that it names and closes the others at once, over streams and packets" {
    need_root
    drive users allow_uid
}

@test "F84: root is no exception, and a rejected client is no failure" {
    need_root
    drive users root_rejected
}

@test "F84: with -k other users are rejected while allowed ones are served" {
    need_root
    drive users many_users
}

@test "F84: over a socket that was passed, too" {
    need_root
    drive users passed_socket
}

@test "F84: the own user by name or number needs no other right" {
    for user in "$(id -u)" "$(id -un)"; do
        start_listener -U --allow-uid "$user" "$T/$user"
        sockcat -U "$T/$user" <<<word
        assert_listener_ends 0
        assert_equal "$(cat "$T/listener.out")" word
    done
}

@test "F84: -v reports user, group and process, whatever a peer calls itself" {
    drive users report
}

@test "F84: a program has its user in the environment, and over TCP no inherited one" {
    export SOCKCAT_PEER_UID=0 NCAT_PEER_PID=1
    start_listener -U --keep-env -c 'echo "$SOCKCAT_PEER_UID $SOCKCAT_PEER_GID $NCAT_PEER_UID"; echo "$SOCKCAT_PEER_PID" >"$T/pid"' \
        "$T/socket"
    sockcat -U "$T/socket" </dev/null >"$T/out" &
    client=$!
    wait "$client"
    finish "$listener"
    assert_equal "$(cat "$T/out")" "$(id -u) $(id -g) $(id -u)"
    [ "$(cat "$T/pid")" -gt 1 ]
    start_listener --keep-env -c 'echo "(${SOCKCAT_PEER_UID-no}${NCAT_PEER_PID-ne})"' 127.0.0.1 0
    sockcat 127.0.0.1 "$port" </dev/null >"$T/out"
    assert_equal "$(cat "$T/out")" "(none)"
}

@test "F84: where it cannot be kept --allow-uid is refused" {
    assert_fails 2 'allow-uid.*--unixsock' sockcat -l --allow-uid 0 0
    assert_fails 2 'allow-uid.*--listen' sockcat -U --allow-uid 0 "$T/socket"
    assert_fails 2 'allow-uid.*--udp' sockcat -l -u -U --allow-uid 0 "$T/socket"
    assert_fails 3 "allow-uid 'no such user'" sockcat -l -U --allow-uid 'no such user' "$T/socket"
    for list in '' , 0, ,0 0,,1 -1 4294967295 0x0 ' 0'; do
        assert_fails 3 'allow-uid' sockcat -l -U --allow-uid="$list" "$T/socket"
    done
    [ ! -e "$T/socket" ]
}

# ---- --mode, --group ----

# access_of PATH: mode and group.
access_of() { stat -c '%a %g' "$1"; }

@test "--mode sets the permissions of the socket file, whatever the umask, over every kind of socket" {
    for kind in '' -k -u '-u -k' --seqpacket '-e cat'; do
        for mode in 0666 660 0 7; do
            (
                umask 077
                start_listener -U $kind --mode "$mode" "$T/socket"
                assert_equal "$(stat -c %a "$T/socket")" "$((10#$mode))"
                kill -TERM "$listener"
                finish "$listener"
            )
        done
    done
    start_listener --mode=0622 "unix:$T/socket"
    assert_equal "$(stat -c %a "$T/socket")" 622
}

@test "without --mode the file is for its owner only, and the process's umask stays" {
    umask 002
    start_listener -U -c 'umask; stat -c %a "$0"' "$T/socket"
    assert_equal "$(stat -c %a "$T/socket")" 600
    assert_equal "$(sockcat -U "$T/socket" </dev/null | head -n 1)" 0002
}

@test "--group by name and number, which opens the file to the group unless --mode says otherwise" {
    need_root
    for group in 65534:65534 nogroup:65534 0:0; do
        for more in ':660' '--mode 0620:620'; do
            start_listener -U ${more%:*} --group "${group%:*}" "$T/socket"
            assert_equal "$(access_of "$T/socket")" "${more#*:} ${group#*:}"
            kill -TERM "$listener"
            finish "$listener"
        done
    done
}

@test "--group admits only its members" {
    need_root
    drive users group_members
}

@test "--group: before the file has its group and mode no other user can connect, or send" {
    need_root
    need_shim
    for kind in stream datagram seqpacket; do
        with_shim 'fchownat:sleep=1:1' drive users group_is_first "$kind"
    done
}

@test "a group that may not be set ends the listener before it listens, and the file is removed" {
    need_root
    need setpriv
    mkdir "$T/directory"
    # Root without capabilities is a user like others.
    for kind in '' -u; do
        assert_fails 101 "set the group of $T/directory/socket: Operation not permitted\$" \
            setpriv --bounding-set=-all --inh-caps=-all --clear-groups \
            timeout -s KILL $((30 * LAST_RESORT)) "$SOCKCAT" -l -U $kind --group 4242 "$T/directory/socket" </dev/null
        assert_equal "$(ls -A "$T/directory")" ""
    done
}

@test "a file that replaces the socket before its group is set keeps its own group and mode" {
    need_root
    need_shim
    drive users replaced
}

@test "where they cannot be kept --mode and --group are refused, and nothing is created" {
    for option in '--mode 0660' '--group 0'; do
        name=${option%% *}
        assert_fails 2 "$name requires --unixsock" sockcat -l $option 0
        assert_fails 2 "$name requires --listen" sockcat -U $option "$T/socket"
        assert_fails 2 "$name requires a path: abstract" sockcat -l -U $option @socket
        assert_fails 2 "$name" sockcat -z -U $option "$T/socket"
        assert_fails 2 "$name" sockcat -F -U $option "$T/socket"
    done
    for mode in '' 8 0888 u=rw 1777 00660 -1 0x1 '660 ' +660; do
        assert_fails 3 "invalid --mode '[^']*': expected" sockcat -l -U --mode="$mode" "$T/socket"
    done
    for group in '' 'no such group' -1 4294967295 99999999999 0x0 ' 0'; do
        assert_fails 3 "invalid --group '[^']*'" sockcat -l -U --group="$group" "$T/socket"
    done
    [ ! -e "$T/socket" ]
}

@test "an inherited socket has its permissions already" {
    drive users inherited_mode
}
