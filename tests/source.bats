#!/usr/bin/env bats
# The rules of the source that can be counted, and that a violation is found.

load lib/helper

check() {
    python3 "$HELPER_DIR/../../scripts/check-source.py" "$@"
}

@test "source: it follows the rules" {
    need python3
    run check "$HELPER_DIR/../../src"
    [ "$status" -eq 0 ] || fail "$output"
}

@test "source: CONTRIBUTING.md names each module" {
    local file name missing=()
    # The families of frame formats are listed by formats.h alone.
    for file in "$HELPER_DIR"/../../src/{base,sys,net,stream,filter,program,broadcast,flow,engine}/*.h; do
        name=$(basename "$file" .h)
        grep -qw "$name" "$HELPER_DIR/../../CONTRIBUTING.md" || missing+=("$name")
    done
    assert_equal "${missing[*]}" ""
}

@test "source: an include upward is found" {
    need python3
    mkdir -p "$T/src/base" "$T/src/flow"
    echo >"$T/src/flow/relay.h"
    echo '#include "flow/relay.h"' >"$T/src/base/buf.c"
    run check "$T/src"
    assert_status 1
    [[ "$output" == *"higher layer"* ]]
}

@test "source: a long function, a foreign name and a banned call are found" {
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

@test "source: shell scripts are clean" {
    need shellcheck
    cd "$HELPER_DIR/../.."
    shellcheck -x packaging/*.sh bench/*.sh tests/run.sh .ci/run
    shellcheck -s bash scripts/install.sh tests/lib/helper.bash tests/lib/tls.bash
}

@test "a second of patience is longer while other processes want to run" {
    patience 1
    slowness() { slow=1000; }
    patience_last=$((patience_last - 100000000))
    patient || fail "a loaded machine had no more time"
    slowness() { slow=1; }
    patience_last=$((patience_last - 100000000))
    ! patient || fail "a machine with nothing else to do had more time"
}

@test "source: headers that include each other are found" {
    need python3
    mkdir -p "$T/src/net"
    echo '#include "net/b.h"' >"$T/src/net/a.h"
    echo '#include "net/a.h"' >"$T/src/net/b.h"
    run check "$T/src"
    assert_status 1
    [[ "$output" == *"in a circle: net/a.h > net/b.h > net/a.h"* ]]
}

@test "source: the Python of the tests follows the rules" {
    need python3
    run python3 "$HELPER_DIR/../../scripts/check-tests.py" "$HELPER_DIR/.."
    [ "$status" -eq 0 ] || fail "$output"
}

@test "source: Python in a bats file, and a case that no test calls, are found" {
    need python3
    local here='<<'
    mkdir -p "$T/tests/cases"
    {
        printf "    drive $here'PY'\n"
        printf 'print(1)\n%.0s' $(seq 11)
        printf 'PY\n'
        printf "    other $here'END'\nimport os\n"
        printf 'print(2)\n%.0s' $(seq 10)
        printf 'END\n'
        printf "    python3 -c '\n"
        printf 'print(3)\n%.0s' $(seq 11)
        printf "'\n    drive some used\n"
    } >"$T/tests/some.bats"
    printf 'def used():\n    inner()\n\n\ndef inner():\n    pass\n\n\ndef forgotten():\n    pass\n' >"$T/tests/cases/some.py"
    run python3 "$HELPER_DIR/../../scripts/check-tests.py" "$T/tests"
    assert_status 1
    assert_equal "$(wc -l <<<"$output")" 4
    [[ $output == *"some.bats:1: 11 lines of Python"* ]]
    [[ $output == *"some.bats:14: 11 lines of Python"* ]]
    [[ $output == *"some.bats:27: 13 lines of Python"* ]]
    [[ $output == *"no test calls forgotten"* ]]
}

@test "source: the linter finds nothing in the Python of the tests" {
    need pyflakes3
    cd "$HELPER_DIR/../.."
    # A name may be there only to keep a socket open.
    # Status 1 is a finding, as of a crash.
    pyflakes3 tests/cases tests/lib scripts >"$T/found" 2>"$T/crash" || [ "$?" -eq 1 ]
    assert_equal "$(cat "$T/crash")" ''
    grep -v 'is assigned to but never used' "$T/found" >"$T/faults" || return 0
    fail "$(cat "$T/faults")"
}

@test "source: a private word in a name, a comment, a test or a document is found" {
    need python3
    local line
    mkdir -p "$T/src/base" "$T/bench" "$T/tests/unit"
    for line in 'static int buf_guest;' '/* It is told at once. */' '/* As long as nobody reads, … */' '/* … and its end. */' \
        'char *buf_text = "so many bytes";'; do
        printf '%s\n' "$line" >"$T/src/base/buf.c"
        run check "$T/src"
        assert_status 1
        [[ "$output" == *"buf.c:1: "*"is no term of the field"* ]] || fail "$line: $output"
    done
    echo 'static int buf_length; /* in bytes ... */' >"$T/src/base/buf.c"
    echo '# The crowd.' >"$T/bench/lib.bash"
    echo Whoever >"$T/bench/README.md"
    echo Whoever >"$T/CHANGELOG.md"
    # These are private only in tests.
    echo '/* Nobody who may do that. */' | tee "$T/src/base/poll.c" >"$T/tests/unit/poll_test.c"
    echo '# Nobody.' >"$T/tests/a.bats"
    echo 'def who_is_in(): pass' >"$T/tests/b.py"
    run check "$T/src"
    assert_status 1
    [[ "$output" == *"a.bats:1: 'Nobody'"* && "$output" == *"b.py:1: 'who is'"* ]]
    [[ "$output" == *"lib.bash:1: 'crowd'"* && "$output" == *"README.md:1: 'Whoever'"* ]]
    [ "$(printf '%s\n' "$output" | wc -l)" -eq 4 ] || fail "$output"
}

@test "source: too many fields, flags and calls that wait are found" {
    need python3
    mkdir -p "$T/src/stream" "$T/src/base"
    {
        printf 'struct stream {\n'
        printf '\tint a%d, b%d; /* c; */\n' $(seq 100)
        printf '};\nstruct service {\n\tbool (*init)(bool a);\n\tbool flag;\n};\n'
    } >"$T/src/stream/stream.h"
    {
        printf 'void\nbuf_wait(void)\n{\n'
        printf '\tpoll(fds, 1, -1); /* poll(fds, 1, 2) */\n\tpoll(fds, 1, 0);\n%.0s' $(seq 5)
        printf '}\n'
    } >"$T/src/base/buf.c"
    run check "$T/src"
    assert_status 1
    [[ "$output" == *"100 fields of struct stream, more than"* ]] || fail "$output"
    [[ "$output" == *"1 flags of struct service, more than 0"* ]] || fail "$output"
    [[ "$output" == *"10 calls that wait, more than"* ]] || fail "$output"
}
