# Files between two sockcats: --send and --receive.
# shellcheck disable=SC2154 # the helper sets port, listener, peer
bats_require_minimum_version 1.5.0
load lib/helper
load lib/transfer

setup() {
    helper_setup
    mkdir "$T/in" "$T/from"
    printf 'hello\n' >"$T/from/a"
    : >"$T/from/empty"
    cp "$(random_file 3000000)" "$T/from/big"
}

@test "--receive stores the files of --send, and both exit with 0" {
    chmod 4751 "$T/from/a"
    touch -d '2001-02-03 04:05:06.789' "$T/from/a"
    umask 022
    start_listener 127.0.0.1 0 --receive="$T/in"
    send --send "$T/from/a" --send "$T/from/empty" -- "$T/from/big"
    assert_equal "$status" 0
    assert_listener_ends 0
    assert_equal "$(cat "$T/send.err")" ""
    assert_equal "$(ls -A "$T/in" | tr '\n' ' ')" 'a big empty '
    for name in a big empty; do cmp "$T/from/$name" "$T/in/$name"; done
    assert_equal "$(stat -c '%a %Y' "$T/in/a")" "751 $(stat -c %Y "$T/from/a")"
}

@test "either side listens, over TCP and Unix sockets" {
    listening() { # LISTENER'S-OPTION OPERAND...
        start_listener "${@:2}" "$1"
        if [ "$1" = --receive=in ]; then option=(--send "$T/from/a"); else option=(--receive=in); fi
        case $2 in
        -U) sockcat -U "$3" "${option[@]}" ;;
        *) sockcat "$2" "$port" "${option[@]}" ;;
        esac
        assert_listener_ends 0
        cmp "$T/from/a" in/a
        rm in/a
    }
    cd "$T"
    listening --receive=in 127.0.0.1 0
    listening --send="$T/from/a" 127.0.0.1 0
    listening --receive=in -U "$T/socket"
    listening --send="$T/from/a" -U "$T/socket"
    ! has_ipv6 || listening --receive=in ::1 0
}

@test "without DIR files are stored in the working directory; -v names them" {
    cd "$T/in"
    start_listener -v 127.0.0.1 0 --receive
    send -v --send "$T/from/a"
    finish "$listener"
    assert_line '^sockcat: sent .*/from/a: 6 bytes, stored by the receiver, .*verified' "$T/send.err"
    assert_line '^sockcat: received a: 6 bytes, .*verified' "$T/listener.err"
    cmp "$T/from/a" a
}

@test "-lk receives from many clients, and goes on after one that failed" {
    start_listener -k --max-accepts 3 127.0.0.1 0 --receive="$T/in"
    send --send "$T/from/a"
    assert_equal "$status" 0
    send --send "$T/from/a"
    assert_equal "$status" 23
    send --send "$T/from/big"
    assert_equal "$status" 0
    finish "$listener"
    assert_equal "$result" 104
    assert_line '^sockcat: receive from 127.0.0.1:[0-9]*: create .*/in/a: File exists$' "$T/listener.err"
    cmp "$T/from/big" "$T/in/big"
}

@test "a file that exists is not replaced" {
    echo old >"$T/in/a"
    start_listener 127.0.0.1 0 --receive="$T/in"
    send --send "$T/from/a"
    refused 23 'create .*/in/a: File exists'
    assert_equal "$(cat "$T/in/a")" old
    assert_equal "$(ls -A "$T/in")" a
}

@test "--force replaces a file that exists" {
    echo old >"$T/in/a"
    start_listener 127.0.0.1 0 --receive="$T/in" --force
    send --send "$T/from/a"
    assert_listener_ends 0
    cmp "$T/from/a" "$T/in/a"
}

@test "a sparse file of more than 5 GiB is transferred whole, and stays sparse" {
    [ "$PATIENCE" -eq 1 ] || skip "takes too long with sanitizers"
    # Bytes at the beginning, beyond 4 GiB and at the end but for a hole behind them.
    truncate -s 5121M "$T/from/sparse"
    printf begin | dd of="$T/from/sparse" conv=notrunc status=none
    printf middle | dd of="$T/from/sparse" conv=notrunc status=none bs=1 seek=5300000000
    start_listener -v 127.0.0.1 0 --receive="$T/in"
    LIMIT=120 send --send "$T/from/sparse"
    assert_equal "$status" 0
    FINISH_LIMIT=120 finish "$listener"
    assert_equal "$result" 0
    assert_line '^sockcat: received sparse: 5369757696 bytes' "$T/listener.err"
    assert_equal "$(stat -c %s "$T/in/sparse")" 5369757696
    [ "$(stat -c %b "$T/in/sparse")" -lt 20000 ]
    assert_equal "$(dd if="$T/in/sparse" bs=1 skip=5300000000 count=6 status=none)" middle
    assert_equal "$(head -c 5 "$T/in/sparse")" begin
}

@test "zeros become a hole, however small the pieces are that arrive" { drive transfer sparse; }
@test "the part of an interrupted transfer has the zeros at its end" { drive transfer sparse_part; }

@test "a name may have 255 bytes, of any characters" {
    local names=("$(printf 'n%.0s' {1..255})" $'\303\244\342\202\254 ' $'\377\376' '-rf' "a'\"\\b" '*')
    for name in "${names[@]}"; do echo "$name" >"$T/from/$name"; done
    start_listener 127.0.0.1 0 --receive="$T/in"
    send --send "$T/from/${names[0]}" -- "${names[@]/#/$T/from/}"
    assert_equal "$status" 2 # twice the same name
    send --send "$T/from/a" -- "${names[@]/#/$T/from/}"
    assert_equal "$status" 0
    assert_listener_ends 0
    for name in "${names[@]}"; do cmp "$T/from/$name" "$T/in/$name"; done
}

@test "the rest of a transfer that was killed is replaced" {
    echo other >"$T/in/.a.part"
    start_listener 127.0.0.1 0 --receive="$T/in"
    send --send "$T/from/a"
    assert_listener_ends 0
    assert_equal "$(ls -A "$T/in")" a
    cmp "$T/from/a" "$T/in/a"
}

@test "a link in place of an incomplete file is not followed" {
    echo victim >"$T/victim"
    ln -s "$T/victim" "$T/in/.a.part"
    start_listener 127.0.0.1 0 --receive="$T/in"
    send --send "$T/from/a"
    refused 23 'open .*/in/.a.part: Too many levels of symbolic links'
    assert_equal "$(cat "$T/victim")" victim
}

@test "an error of the receiver's disk is reported by both sides" {
    need_shim
    with_shim writev:ENOSPC:3:file start_listener 127.0.0.1 0 --receive="$T/in"
    send --send "$T/from/big"
    refused 23 'write big: No space left on device'
    assert_equal "$(ls -A "$T/in")" .big.part
}

@test "after an error of the disk the digests of the part are not kept" {
    need_plugin digest
    need_shim
    cp "$(random_file 9000000)" "$T/from/large"
    with_shim fsync:EIO:1 start_listener 127.0.0.1 0 --receive="$T/in" --resume
    send --send "$T/from/large"
    refused 23 'write .*/in/.large.part: Input/output error'
    assert_equal "$(ls -A "$T/in")" .large.part
}

@test "two senders, two receivers and other programs are recognised" {
    start_listener 127.0.0.1 0 --send "$T/from/a"
    send --send "$T/from/a"
    refused 102 'both sides have --send; one of them needs --receive$'
    start_listener 127.0.0.1 0 --receive="$T/in"
    send --receive="$T/in"
    refused 102 'both sides have --receive; one of them needs --send$'
    start_listener 127.0.0.1 0 -c 'echo "HTTP/1.0 400 Bad request"'
    send --send "$T/from/a"
    assert_equal "$status" 102
    assert_one_error "$T/send.err" 'is not sockcat --receive \(with another program use: < FILE\)$'
}

# The reset meets a send or a receive.
reset_listener() {
    finish "$listener"
    [[ $result = 5[56] ]]
    assert_line 'Connection reset by peer' "$T/listener.err"
}

@test "a listener that is another program does not end with 0 when it has stored a greeting" {
    start_listener 127.0.0.1 0
    send --send "$T/from/a"
    assert_equal "$status" 102
    assert_one_error "$T/send.err" 'ended without a greeting: it is not sockcat --receive \(with another program use: < FILE\)$'
    reset_listener
    # One whose input does not end.
    mkfifo "$T/input"
    exec 7<>"$T/input"
    LISTENER_IN=$T/input start_listener 127.0.0.1 0
    send --wait 0.2 --send "$T/from/a"
    assert_equal "$status" 28
    assert_one_error "$T/send.err" 'sent no greeting in time: it is not sockcat --receive'
    reset_listener
}

@test "another program does not end with 0 when what it has sent is discarded" {
    discarded() { # FILE TEXT
        start_listener 127.0.0.1 0 --receive="$T/in"
        status=0
        sockcat 127.0.0.1 "$port" <"$1" >/dev/null 2>"$T/send.err" || status=$?
        assert_listener_ends 102 "$2"
        # The reset meets a send or a receive.
        [[ $status = 5[56] ]]
    }
    printf sockcat >"$T/from/beginning"
    discarded "$T/from/a" 'is not sockcat --send \(with another program use: > FILE\)$'
    discarded "$T/from/big" 'is not sockcat --send'
    discarded "$T/from/beginning" 'ended without a greeting'
}

@test "a peer that sends no greeting is given up after --wait" {
    start_peer wait:1000
    status=0
    sockcat --wait 0.2 127.0.0.1 "$peer_port" --send "$T/from/a" 2>"$T/send.err" || status=$?
    assert_equal "$status" 28
    assert_one_error "$T/send.err" 'sent no greeting in time'
}

@test "what cannot be sent is refused before a connection is made" {
    refuse() { # STATUS TEXT WORD...
        status=0
        sockcat 127.0.0.1 1 "${@:3}" 2>"$T/err" || status=$?
        drop_usage "$T/err"
        assert_equal "$status" "$1"
        assert_one_error "$T/err" "$2"
    }
    printf x >"$T/from/"$'new\nline'
    refuse 26 'open .*/none: No such file' --send "$T/none"
    refuse 26 'not a regular file or directory' --send /dev/null
    refuse 26 'name is that of a directory' --send "$T/from/.."
    refuse 26 'control characters' --send "$T/from/"$'new\nline'
    refuse 2 'two files have this name' --send "$T/from/a" --send "$T/from/../from/a"
    refuse 2 "extra operand 'b'; to send several files write -- FILE" b --send "$T/from/a"
    refuse 23 'open .*/none: No such file' --receive="$T/none"
    refuse 2 'conflicts' -u --send "$T/from/a"
    refuse 2 'conflicts' --send "$T/from/a" --receive
}

@test "senders that do not keep to the protocol are refused" {
    drive transfer senders
}

@test "receivers that do not keep to the protocol are refused" {
    drive transfer receivers
}

@test "a peer that sends without end after an error is cut off" {
    drive transfer flood
}

@test "data whose digest differs are not stored" {
    need_plugin digest
    drive transfer digests
}

@test "--resume continues what was interrupted, after comparing digests" {
    need_plugin digest
    drive transfer resume
}

# repeat OPTION...: sends all files again; $sent bytes.
repeat() {
    start_listener -v 127.0.0.1 0 --receive="$T/in" --resume "$@"
    send -v --send "$T/from/empty" -- "$T/from/big" "$T/from/a"
    sent=$(sed -n 's/.*closed .*: \([0-9]*\) bytes sent.*/\1/p' "$T/send.err")
}

@test "--resume compares files that are stored already, and does not send them again" {
    need_plugin digest
    repeat
    assert_equal "$status" 0
    finish "$listener"
    repeat
    assert_equal "$status" 0
    finish "$listener"
    assert_equal "$result" 0
    [ "$sent" -lt 2000 ]
    assert_line '^sockcat: resuming big at 100 % \(3.0 MB\)$' "$T/listener.err"
    assert_line '^sockcat: received big: 3000000 bytes, verified' "$T/listener.err"
    # Another file of that size is not replaced, but with --force.
    printf x | dd of="$T/from/big" conv=notrunc status=none bs=1 seek=2999999
    repeat
    assert_equal "$status" 23
    assert_line 'the receiver reported: create .*/in/big: File exists$' "$T/send.err"
    finish "$listener"
    repeat --force
    assert_equal "$status" 0
    finish "$listener"
    [ "$sent" -gt 3000000 ]
    cmp "$T/from/big" "$T/in/big"
    # The part of a newer one is continued.
    cp "$T/from/big" "$T/in/.big.part"
    printf y | dd of="$T/from/big" conv=notrunc status=none bs=1 seek=2999999
    repeat --force
    assert_equal "$status" 0
    finish "$listener"
    cmp "$T/from/big" "$T/in/big"
    assert_equal "$(ls -A "$T/in" | tr '\n' ' ')" 'a big empty '
}

@test "--resume with --retry connects again until all is stored" {
    need_plugin digest
    drive transfer retried
}

@test "--resume with --retry connects again over TLS, but not after a refusal" {
    need_plugin digest
    need_plugin tls
    drive transfer secured
}

@test "--resume with --retry asks a proxy for each address of a name, also when it connects again" {
    need_plugin digest
    drive transfer retried_by_proxy
}

@test "--resume waits for a part that an interrupted session still writes" {
    need_plugin digest
    drive transfer busy
}

@test "a file that is compared with --resume is synchronised without holding up other clients" {
    need_plugin digest
    need_shim
    drive transfer synced
}

@test "--resume with --retry connects again while another session writes the part" {
    need_plugin digest
    drive transfer occupied
}

@test "--resume with --retry connects again as a receiver, too, while another session writes the part" {
    need_plugin digest
    drive transfer occupied_here
}

@test "--retry ends a transfer that does not advance, or that the other side refuses" {
    need_plugin digest
    drive transfer exhausted
}

@test "--resume does not use the digests of a part that was replaced" {
    need_plugin digest
    drive transfer stale
}

@test "--resume reads the part where it cannot know whether the system was restarted" {
    need_plugin digest
    need_root
    # An empty boot ID, as without /proc.
    unshare -m bash -c 'mount --bind /dev/null /proc/sys/kernel/random/boot_id' || skip "needs mount(2)"
    export -f drive module
    export CASES HELPER_DIR LAST_RESORT
    run unshare -m bash -c 'mount --bind /dev/null /proc/sys/kernel/random/boot_id && drive transfer unnamed'
    assert_equal "$status $output" "0 "
}

@test "--resume without the plug-in is 4" {
    cp "$SOCKCAT" "$T/sockcat"
    start_listener 127.0.0.1 0 -c cat
    status=0
    "$T/sockcat" 127.0.0.1 "$port" --receive="$T/in" --resume 2>"$T/err" || status=$?
    assert_equal "$status" 4
    assert_one_error "$T/err" 'sockcat-tls'
}

@test "after a cut at any offset files are whole or not there, and 0 means whole" {
    LIMIT=120 drive transfer cuts 2 >"$T/cuts"
    [ "$(cat "$T/cuts")" -ge 200 ]
}
