#!/usr/bin/env bats
# The README's tour, run as it stands there. Each block runs in a network namespace of its own, so
# that the port numbers in it are free.

load lib/helper

# Writes the parts of block $1 (counted from 1) of the tour to $T/here, $T/there, $T/then.
split_block() {
    : >"$T/here" >"$T/there" >"$T/then"
    awk -v block="$1" -v to="$T" '
        /^<!-- tour -->/ { tour = 1 }
        /^<!-- end of tour -->/ { tour = 0 }
        tour && /^```sh$/ { n++; part = "there"; next }
        /^```$/ { part = "" }
        part == "" || n != block { next }
        /^# (here|there|then)$/ { part = $2; next }
        { print > (to "/" part) }' "$HELPER_DIR/../../README.md"
}

# Inside the namespace: "here" in the background, "there" as soon as somebody listens, "then" after both.
play() {
    set -euo pipefail
    cd "$1"
    sockcat() { timeout -s KILL 30 "$SOCKCAT" "$@"; }
    export -f sockcat
    if [ -s here ]; then
        bash -uo pipefail here &
        for ((tries = 0; tries < 2000; tries++)); do
            # a listening TCP socket, a bound UDP socket, or a listening Unix socket of this folder
            if grep -q ' 0A ' /proc/net/tcp /proc/net/tcp6 || [ -S s.sock ] ||
                [ "$(wc -l </proc/net/udp6)" -gt 1 ]; then
                break
            fi
            read -r -t 0.005 _ <> <(:) || true
        done
    fi
    bash -uo pipefail there
    [ ! -s here ] || wait $!
    bash -uo pipefail then
}

run_block() {
    need_netns
    split_block "$1"
    [ -s "$T/there" ] || fail "the README has no example $1"
    random_file 300000 >/dev/null
    head -c 300000 /dev/urandom >"$T/file"
    export -f play
    in_netns play "$T" >"$T/out" 2>"$T/err" || fail "example $1: status $?: $(cat "$T/out" "$T/err")"
    sed -n 's/^# prints: //p' "$T/here" "$T/there" "$T/then" >"$T/prints"
    while IFS= read -r line; do
        grep -qF -- "$line" "$T/out" || fail "example $1 does not print: $line"
    done <"$T/prints"
}

@test "README: moving a file" { run_block 1; }
@test "README: offering a file over a Unix socket" { run_block 2; }
@test "README: asking a server by hand" { run_block 3; }
@test "README: a full disk is a message and 23" { run_block 4; }
@test "README: a closed port is 1" { run_block 5; }
@test "README: several ports" { run_block 6; }
@test "README: an endpoint as one word, and a hex dump" { run_block 7; }
@test "README: datagrams" { run_block 8; }
@test "README: messages over a stream" { run_block 9; }
@test "README: a program for each connection" { run_block 10; }
@test "README: a script with port 0 and --ready-fd" { run_block 11; }
@test "README: chat" { run_block 12; }
@test "README: not everybody may come" { run_block 13; }
@test "README: many at a time" { run_block 14; }
@test "README: a broker" { run_block 15; }
@test "README: one endpoint carried on to another" { run_block 16; }

@test "README: every example of the tour is run here" {
    blocks=$(awk '/^<!-- tour -->/ { t = 1 } /^<!-- end of tour -->/ { t = 0 } t && /^```sh$/ { n++ } END { print n }' \
        "$HELPER_DIR/../../README.md")
    tests=$(grep -cE '^@test .* run_block [0-9]+; }$' "$BATS_TEST_FILENAME")
    assert_equal "$tests" "$blocks"
}

@test "README: the statuses it names are those of the table" {
    while read -r number; do
        grep -qE "^STATUS\([A-Z_]+, $number, " "$HELPER_DIR/../../src/base/status.def" ||
            fail "status $number is not in the table"
    done < <(sed -n '/^## Statuses/,/^## /p' "$HELPER_DIR/../../README.md" |
        sed -n 's/^| \([0-9, ]*\) |.*/\1/p' | tr -s ', ' '\n' | grep -E '^[0-9]+$')
}
