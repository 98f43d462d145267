#!/usr/bin/env bats
# sockcat-archive: what it extracts from archives of others, and what it refuses.
# shellcheck disable=SC2154 # the helper sets what it says
bats_require_minimum_version 1.5.0
load lib/helper

setup() {
    helper_setup
    need_archive
    # A leak is looked for in /proc, which the process cannot open when it is confined.
    export ASAN_OPTIONS=detect_leaks=0
}

@test "archive: a hostile archive is refused, and changes nothing outside of the directory" {
    drive archive hostile
}

@test "archive: a hostile or cut archive leaves nothing in a directory of its own" {
    drive archive fresh
}

@test "archive: what was extracted is on the disk before the status is 0" {
    need strace
    drive archive synced
}

@test "archive: an archive that is cut anywhere is never taken for a complete one" {
    drive archive cut
}

@test "archive: tar reads what is written, and the reverse" {
    need tar
    drive archive interop tar
}

@test "archive: bsdtar reads what is written, and the reverse" {
    need bsdtar
    drive archive interop bsdtar
}

@test "archive: 10,000 files are packed in order, and extracted in little memory" {
    drive archive many
}

@test "archive: the attributes of 20,000 directories take little memory" {
    drive archive directories
}

@test "archive: sockets, FIFOs and devices are left out, and the status says so" {
    mkdir "$T/tree"
    mkfifo "$T/tree/fifo"
    echo data >"$T/tree/file"
    run --separate-stderr "$ARCHIVE" create "$T/tree" >"$T/tar"
    assert_status 26
    [[ $stderr == *"fifo: left out: it is a FIFO"*"left out: 1" ]] || fail "$stderr"
    "$ARCHIVE" create "$T/tree" >"$T/tar" 2>"$T/err" || :
    assert_equal "$(tar -tf "$T/tar")" $'tree/\ntree/file'
}

@test "archive: a file that becomes shorter while it is read leaves an archive without its end" {
    drive archive shrunk
}

@test "archive: a full disk is status 23, and leaves no part of a file" {
    need_root
    mkdir "$T/tree" "$T/small"
    head -c 3000000 /dev/urandom >"$T/tree/file"
    "$ARCHIVE" create "$T/tree" >"$T/tar"
    # shellcheck disable=SC2016 # for the inner shell
    run unshare -m bash -c 'mount -t tmpfs -o size=1m none "$1" || exit 99
        "$2" extract "$1" <"$3"; status=$?; find "$1" -type f; exit $status' - "$T/small" "$ARCHIVE" "$T/tar"
    [ "$status" -ne 99 ] || skip "needs a tmpfs"
    assert_status 23
    assert_equal "$output" "sockcat-archive: write tree/file: No space left on device (extracted before: 1)"
}

@test "archive: what is extracted to another file system in the directory is synchronised, too" {
    need_root
    need_shim
    mkdir -p "$T/tree" "$T/out/tree"
    echo data >"$T/tree/file"
    "$ARCHIVE" create "$T/tree" >"$T/tar"
    # shellcheck disable=SC2016 # for the inner shell
    SOCKCAT=$ARCHIVE with_shim fsync:EIO:1 run unshare -m bash -c 'mount -t tmpfs none "$1/tree" || exit 99
        "$2" extract "$1" <"$3"' - "$T/out" "$ARCHIVE" "$T/tar"
    [ "$status" -ne 99 ] || skip "needs a tmpfs"
    assert_status 23
    assert_equal "${lines[-1]}" "sockcat-archive: extract file: Input/output error (extracted before: 1)"
}

@test "archive: a wrong command line is status 2 or 3" {
    local words
    for words in "" "create" "extract" "extract a b" "nonsense a" "extract --nonsense a"; do
        # shellcheck disable=SC2086 # words
        run "$ARCHIVE" $words
        [ "$status" -eq 2 ] || fail "$words: $status"
    done
    for words in --preserve=mode,x --preserve= --max-size=1x --max-entries=-1; do
        run "$ARCHIVE" extract "$words" "$T"
        [ "$status" -eq 3 ] || fail "$words: $status"
    done
}

@test "archive: attributes of users are kept if that is asked for" {
    mkdir "$T/tree" "$T/with" "$T/without"
    echo data >"$T/tree/file"
    python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.key", b"value")' "$T/tree/file" 2>/dev/null ||
        skip "needs a file system with extended attributes"
    "$ARCHIVE" create --preserve=xattr "$T/tree" >"$T/tar"
    "$ARCHIVE" extract --preserve=xattr "$T/with" <"$T/tar"
    "$ARCHIVE" extract "$T/without" <"$T/tar"
    run python3 -c 'import os, sys
for name in sys.argv[1:]: print(os.listxattr(name))' "$T/with/tree/file" "$T/without/tree/file"
    assert_equal "$output" $'[\'user.key\']\n[]'
}

# put_in ARG...: starts a listener that receives into $T/out.
put_in() {
    mkdir -p "$T/out"
    start_listener 127.0.0.1 0 --receive="$T/out" --tar "$@"
}

# sample: a directory to send.
sample() {
    mkdir -p "$T/tree/empty"
    head -c 300000 /dev/urandom >"$T/tree/file"
}

@test "archive: --tar sends a directory, and both sides exit with 0" {
    sample
    put_in
    sockcat 127.0.0.1 "$port" --send "$T/tree" --tar
    finish "$listener"
    assert_equal "$result" 0
    diff -r "$T/tree" "$T/out/tree"
}

@test "archive: --receive=- stores files in a directory of that name" {
    mkdir "$T/-" "$T/tree"
    echo data >"$T/tree/file"
    cd "$T"
    start_listener 127.0.0.1 0 --receive=- --tar
    sockcat 127.0.0.1 "$port" --send tree --tar
    assert_listener_ends 0
    cmp tree/file ./-/tree/file
}

@test "archive: what is refused is the receiver's status, and no success of the sender" {
    sample
    put_in
    mkdir "$T/out/tree"
    touch "$T/out/tree/file"
    client 127.0.0.1 "$port" --send "$T/tree" --tar
    [ "$status" -eq 55 ] || [ "$status" -eq 56 ] || fail "$status"
    finish "$listener"
    assert_equal "$result" 23
    assert_equal "$(wc -c <"$T/out/tree/file")" 0
}

@test "archive: the sender fails if its program fails while another process keeps its output open" {
    mkdir -p "$T/bin/libexec/sockcat" "$T/out"
    cp "$SOCKCAT" "$T/bin/sockcat"
    printf '%s\n' '#!/bin/sh' 'cat >"$0.got"' 'sleep 60 &' 'exit 23' >"$T/bin/libexec/sockcat/sockcat-archive"
    chmod -R go-w,u+x "$T/bin"
    SOCKCAT=$T/bin/sockcat start_listener 127.0.0.1 0 --receive="$T/out" --tar
    client 127.0.0.1 "$port"
    [ "$status" -eq 55 ] || [ "$status" -eq 56 ] || fail "$status"
    assert_listener_ends 23
}

@test "archive: a file that cannot be read is status 26 of the sender, whatever the receiver does then" {
    need_shim
    sample
    put_in
    LD_PRELOAD=$SHIM_LIB SHIM=openat:EIO:3 SHIM_PROG=sockcat-archive client 127.0.0.1 "$port" --send "$T/tree" --tar
    assert_equal "$status" 26
    finish "$listener"
    assert_equal "$result" 18
}

@test "archive: --max-size, --max-entries, --preserve and --force reach the program" {
    sample
    chmod 700 "$T/tree/file"
    for option in --max-size=299999 --max-entries=2; do
        put_in "$option"
        client 127.0.0.1 "$port" --send "$T/tree" --tar
        finish "$listener"
        assert_equal "$option $result" "$option 63"
    done
    put_in --force --preserve=none
    client 127.0.0.1 "$port" --send "$T/tree/file" --tar -- "$T/tree"
    finish "$listener"
    assert_equal "$status $result" "0 0"
    cmp "$T/tree/file" "$T/out/file"
    [ ! -x "$T/out/file" ]
}

@test "archive: tar may be at either end, and an archive that is cut is 18" {
    sample
    tar -cf "$T/tar" -C "$T" tree
    put_in
    sockcat -N 127.0.0.1 "$port" <"$T/tar"
    finish "$listener"
    assert_equal "$result" 0
    diff -r "$T/tree" "$T/out/tree"
    put_in --force
    # All but the end blocks.
    head -c 301568 "$T/tar" | sockcat -N 127.0.0.1 "$port" || :
    finish "$listener"
    assert_equal "$result" 18
    start_listener -d 127.0.0.1 0
    sockcat 127.0.0.1 "$port" --send "$T/tree" --tar
    finish "$listener"
    mkdir "$T/theirs"
    tar -xf "$T/listener.out" -C "$T/theirs"
    diff -r "$T/tree" "$T/theirs/tree"
}

@test "archive: a program without sockcat-archive says what to install" {
    cp "$SOCKCAT" "$T/sockcat"
    SOCKCAT=$T/sockcat assert_fails 4 'sockcat-archive: not installed .Debian package sockcat-archive' \
        sockcat 127.0.0.1 9 --send "$T" --tar
    assert_fails 26 'no-such-file: No such file' sockcat 127.0.0.1 9 --send "$T/no-such-file" --tar
    assert_fails 23 'no-such-directory: No such file' sockcat 127.0.0.1 9 --receive="$T/no-such-directory" --tar
}

@test "archive: a listener with -k that could not send everything does not exit 0" {
    sample
    mkfifo "$T/tree/fifo"
    mkdir "$T/out"
    start_listener -k --max-accepts 1 --report=json:"$T/report" 127.0.0.1 0 --send "$T/tree" --tar
    sockcat 127.0.0.1 "$port" --receive="$T/out" --tar
    cmp "$T/tree/file" "$T/out/tree/file"
    finish "$listener"
    assert_equal "$result" 104
    tail -n 1 "$T/report" | grep -q '"status":104,"meaning":"' || fail "$(tail -n 1 "$T/report")"
}
