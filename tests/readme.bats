#!/usr/bin/env bats
# The README's examples, run as they stand.

load lib/helper
load lib/examples

readme=$BATS_TEST_DIRNAME/../README.md

run_block() {
    awk '/^```console$/ { print "== "; inside = 1; next } /^```$/ { inside = 0 } inside' "$readme" >"$T/blocks"
    play_example "$1" <"$T/blocks"
}

@test "README: the first screen" { run_block 1; }
@test "README: ask a server" { run_block 2; }
@test "README: test ports" { run_block 3; }
@test "README: an endpoint in one word, and a hex dump" { run_block 4; }
@test "README: datagrams" { run_block 5; }
@test "README: messages over a stream" { run_block 6; }
@test "README: a program for each client" { run_block 7; }
@test "README: a script with port 0 and --ready-fd" { run_block 8; }
@test "README: access lists" { run_block 9; }
@test "README: many clients" { run_block 10; }
@test "README: a relay" { run_block 11; }

@test "README: every example is run here" {
    tests=$(grep -cE '^@test .* run_block [0-9]+; }$' "$BATS_TEST_FILENAME")
    assert_equal "$tests" "$(grep -c '^```console$' "$readme")"
}

@test "README: at most 220 lines" {
    [ "$(wc -l <"$readme")" -le 220 ]
}

@test "README: the statuses it names are those of the table" {
    while read -r number; do
        grep -qE "^STATUS\([A-Z_]+, $number, " "$BATS_TEST_DIRNAME/../src/base/status.def" ||
            fail "status $number is not in the table"
    done < <(sed -n '/^## Statuses/,/^## /p' "$readme" |
        sed -n 's/^| \([0-9, ]*\) |.*/\1/p' | tr -s ', ' '\n' | grep -E '^[0-9]+$')
}
