#!/usr/bin/env bats
# Directories between two sockcats: --send DIR and --receive.
# shellcheck disable=SC2154 # the helper sets port, listener
bats_require_minimum_version 1.5.0
load lib/helper
load lib/transfer

setup() {
    helper_setup
    need_archive
    # As in archive.bats.
    export ASAN_OPTIONS=detect_leaks=0
    mkdir -p "$T/in" "$T/tree/sub/empty"
    head -c 300000 /dev/urandom >"$T/tree/sub/file"
    echo data >"$T/one"
}

# receive WORD...: starts a receiver into $T/in.
receive() { start_listener 127.0.0.1 0 --receive="$T/in" "$@"; }

@test "--send DIR stores a directory under its name, and both exit with 0" {
    drive directories everything
}

@test "files and directories are sent together, a directory by a name with slashes or by a link" {
    ln -s tree "$T/link"
    receive -v
    send -v --send "$T/one" -- "$T/tree//" "$T/link"
    assert_equal "$status" 0
    finish "$listener"
    assert_equal "$result" 0
    assert_line '^sockcat: sent .*/tree: [0-9]* bytes, stored by the receiver' "$T/send.err"
    assert_line '^sockcat: received link: [0-9]* bytes' "$T/listener.err"
    cmp "$T/one" "$T/in/one"
    diff -r "$T/tree" "$T/in/tree"
    diff -r "$T/tree" "$T/in/link"
    [ ! -L "$T/in/link" ]
}

@test "either side listens, over Unix sockets too, and with --rate and --progress" {
    cd "$T"
    start_listener -U "$T/socket" --send tree
    sockcat -U "$T/socket" --receive=in
    assert_listener_ends 0
    diff -r tree in/tree
    rm -r in/tree
    start_listener -U "$T/socket" --receive=in
    sockcat -U "$T/socket" --send tree --rate 10M --progress=json 2>"$T/send.err"
    assert_listener_ends 0
    diff -r tree in/tree
    # The length of an archive is not known before.
    ! grep -q '"percent"' "$T/send.err" || fail "$(cat "$T/send.err")"
}

@test "a directory that exists is refused, and with --force its files are replaced" {
    mkdir -p "$T/in/tree/sub"
    echo old >"$T/in/tree/sub/file"
    echo other >"$T/in/tree/other"
    receive
    send --send "$T/tree"
    refused 23 'create .*/in/tree: File exists'
    receive --force
    send --send "$T/tree"
    assert_equal "$status" 0
    assert_listener_ends 0
    cmp "$T/tree/sub/file" "$T/in/tree/sub/file"
    assert_equal "$(cat "$T/in/tree/other")" other
    rm -r "$T/in/tree"
    ln -s . "$T/in/tree"
    receive --force
    send --send "$T/tree"
    refused 23 'open .*/in/tree: Not a directory'
}

@test "a file does not replace the rest of a directory, nor the reverse; the message says what to remove" {
    mkdir "$T/in/.one.part"
    receive
    send --send "$T/one"
    refused 23 'open .*/in/.one.part: Is a directory; remove it$'
    echo rest >"$T/in/.tree.part"
    receive
    send --send "$T/tree"
    refused 23 'open .*/in/.tree.part: Not a directory; remove it$'
    assert_equal "$(cat "$T/in/.tree.part")" rest
}

@test "the limits of the receiver are reported by both sides, and leave nothing" {
    receive --max-entries=2
    send --send "$T/tree"
    refused 63 'more than 2 entries \(--max-entries\)'
    receive --max-size=299999
    send --send "$T/tree"
    refused 63 'sub/file: larger than --max-size with its 300000 bytes'
    receive --max-size=4
    send --send "$T/one"
    refused 63 'receive one: larger than --max-size with its 5 bytes'
    assert_equal "$(ls -A "$T/in")" ""
}

@test "what cannot be sent is left out, stored all the same, and status 26 of both sides" {
    mkfifo "$T/tree/fifo"
    receive
    send --send "$T/tree" -- "$T/one"
    assert_equal "$status" 26
    assert_line '^sockcat: sockcat-archive: fifo: left out: it is a FIFO$' "$T/send.err"
    assert_listener_ends 26 'the sender reported: files that cannot be sent were left out'
    cmp "$T/tree/sub/file" "$T/in/tree/sub/file"
    cmp "$T/one" "$T/in/one"
}

@test "thousands of files that are left out do not stop the transfer" {
    python3 -c 'import os, sys
for number in range(1200): os.mkfifo("%s/a-long-name-of-a-fifo-%05d" % (sys.argv[1], number))' "$T/tree"
    receive
    send --send "$T/tree"
    assert_equal "$status" 26
    assert_listener_ends 26 'left out'
    cmp "$T/tree/sub/file" "$T/in/tree/sub/file"
}

@test "a file that cannot be read is status 26 of both sides, and nothing is stored" {
    need_shim
    receive
    LD_PRELOAD=$SHIM_LIB SHIM=openat:EIO:3 SHIM_PROG=sockcat-archive send --send "$T/tree"
    refused 26 'open sub/empty: Input/output error'
    [ ! -e "$T/in/tree" ]
}

@test "a full disk of the receiver is status 23 of both sides" {
    need_root
    # shellcheck disable=SC2016 # for the inner shell
    run unshare -m bash -c 'mount -t tmpfs -o size=100k none "$1/in" || exit 99
        "$SOCKCAT" -l --ready-fd 1 127.0.0.1 0 --receive="$1/in" </dev/null >"$1/port" 2>"$1/listener.err" & listener=$!
        until [ -s "$1/port" ]; do read -rt 0.01 <> <(:) || :; done
        timeout 60 "$SOCKCAT" 127.0.0.1 "$(cat "$1/port")" --send "$1/tree" </dev/null 2>"$1/send.err"
        echo "$?"; wait "$listener"; echo "$?"; ls -A "$1/in"' - "$T"
    [ "$status" -ne 99 ] || skip "needs a tmpfs"
    assert_equal "$output" $'23\n23'
    assert_one_error "$T/send.err" 'the receiver reported: write sub/file: No space left on device'
}

@test "without sockcat-archive directories are refused with what to install, files are not" {
    cp "$SOCKCAT" "$T/sockcat"
    SOCKCAT=$T/sockcat assert_fails 4 'sockcat-archive: not installed .Debian package sockcat-archive' \
        sockcat 127.0.0.1 9 --send "$T/tree"
    SOCKCAT=$T/sockcat receive
    send --send "$T/one" -- "$T/tree"
    refused 4 'sockcat-archive: not installed'
    cmp "$T/one" "$T/in/one"
}

@test "-lk receives directories from many clients, and goes on after one that failed" {
    receive -k --max-accepts 3
    cp -r "$T/tree" "$T/other"
    send --send "$T/tree"
    assert_equal "$status" 0
    send --send "$T/tree"
    assert_equal "$status" 23
    send --send "$T/other" --preserve=none
    assert_equal "$status" 0
    finish "$listener"
    assert_equal "$result" 104
    diff -r "$T/tree" "$T/in/other"
    assert_equal "$(ls -A "$T/in")" $'other\ntree'
}

@test "senders of directories that do not keep to the protocol are refused" {
    drive directories senders
}

@test "receivers of directories that do not keep to the protocol are refused" {
    drive directories receivers
}

@test "hostile archives change nothing outside of the directory, and leave nothing" {
    drive directories hostile
}

@test "an archive whose digest differs does not get its name" {
    need_plugin digest
    drive directories digests
}

@test "what a killed receiver has left is replaced, and not used by two at a time" {
    drive directories leftovers
}

@test "what is left of a deep directory is removed, whatever the soft limit of descriptors is" {
    drive directories deep
}

@test "with --resume a directory waits for the session that was interrupted" {
    need_plugin digest
    drive directories waits
}

@test "after a cut at any offset a directory is whole or not there, and 0 means whole" {
    LIMIT=120 drive directories cuts 5 >"$T/cuts"
    [ "$(cat "$T/cuts")" -ge 80 ]
}

@test "the receipt of a file comes after the syncs and the name" {
    need strace
    drive directories order file
}

@test "the receipt of a directory comes after the syncs and the name" {
    need strace
    drive directories order tree
}

@test "100 % of what is sent is shown only after the receipt" {
    drive directories progress
}
