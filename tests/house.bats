#!/usr/bin/env bats
# The rules of the house that can be counted, and that the counting would notice a break.

load lib/helper

check() {
    python3 "$HELPER_DIR/../../scripts/check-house.py" "$@"
}

@test "house: the source keeps the rules" {
    need python3
    run check "$HELPER_DIR/../../src"
    [ "$status" -eq 0 ] || fail "$output"
}

@test "house: an include that goes up is noticed" {
    need python3
    mkdir -p "$T/src/base" "$T/src/flow"
    echo >"$T/src/flow/relay.h"
    echo '#include "flow/relay.h"' >"$T/src/base/buf.c"
    run check "$T/src"
    assert_status 1
    [[ "$output" == *"higher floor"* ]]
}

@test "house: a long function, a foreign name and a banned call are noticed" {
    need python3
    mkdir -p "$T/src/base"
    {
        printf 'int\nother_name(void)\n{\n'
        printf '\tstrcpy(0, 0);\n%.0s' $(seq 80)
        printf '}\n'
    } >"$T/src/base/buf.c"
    run check "$T/src"
    assert_status 1
    [[ "$output" == *"has 81 lines"* ]]
    [[ "$output" == *"does not begin with buf_"* ]]
    [[ "$output" == *"calls strcpy"* ]]
}

@test "house: shell scripts are clean" {
    need shellcheck
    cd "$HELPER_DIR/../.."
    shellcheck -x packaging/*.sh bench/*.sh tests/run.sh .ci/run
    shellcheck -s bash scripts/install.sh tests/lib/helper.bash
}
