#!/usr/bin/env bats
# The manual page: its form, what it says of options and statuses, and its examples, run as they
# stand there. Each runs in a network namespace of its own, so that the port numbers in it are free.

# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets variables
load lib/helper

TOP=$HELPER_DIR/../..
PAGE=$TOP/man/sockcat.1

# ---- its examples ----

# examples: the page's section EXAMPLES as the shell is to see it: its displays, between .Bd and .Ed.
examples() {
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$PAGE" | sed -n '/^\.Bd -literal/,/^\.Ed/p' |
        sed "s/\\\\(aq/'/g; s/\\\\(ga/\`/g; s/\\\\-/-/g; s/\\\\e/\\\\/g"
}

# Writes the parts of example $1 (counted from 1) to $T/here, $T/there, $T/then.
split_example() {
    rm -f "$T/here" "$T/there" "$T/then"
    touch "$T/here" "$T/there" "$T/then"
    examples | awk -v example="$1" -v to="$T" '
        /^\.Bd/ { n++; part = "there"; next }
        /^\.Ed/ { part = ""; next }
        part == "" || n != example { next }
        /^# (here|there|then)$/ { part = $2; next }
        { print > (to "/" part) }'
    [ -s "$T/there" ] || fail "the page has no example $1"
}

# Makes what is found in PATH by the examples, and by what they start: the program, with a limit.
make_program() {
    mkdir -p "$T/bin"
    cat >"$T/bin/$1"
    chmod +x "$T/bin/$1"
}

is_listening() {
    # a listening TCP socket, a bound UDP socket, or a Unix socket of this folder
    grep -q ' 0A ' /proc/net/tcp /proc/net/tcp6 || [ -S api.sock ] ||
        [ "$(cat /proc/net/udp /proc/net/udp6 | wc -l)" -gt 2 ]
}

# Inside the namespace: what example $1 needs, then "here" in the background, "there" as soon as
# somebody listens, "then" after both. Files "typed-*" are what is typed at the two terminals.
play() {
    set -euo pipefail
    cd "$T"
    PATH=$T/bin:$PATH
    "$1"
    if [ -s here ]; then
        bash -uo pipefail ./here <typed-here >out-here &
        until_true 20 is_listening || fail "nobody listens"
    fi
    bash -uo pipefail ./there <typed-there >out-there
    [ ! -s here ] || wait $!
    bash -uo pipefail ./then >out-then
}

# run_example N [FUNCTION]: plays it; FUNCTION prepares the namespace. What a part "# prints" is a
# line of its output; "..." in it stands for anything.
run_example() {
    local part line
    need_netns
    split_example "$1"
    make_program sockcat <<<"#!/bin/sh
exec timeout -s KILL 30 '$SOCKCAT' \"\$@\""
    head -c 300000 /dev/urandom >"$T/file"
    mkdir -p "$T/directory/below"
    cp "$T/file" "$T/directory/below/copy"
    touch "$T/typed-here" "$T/typed-there"
    export -f is_listening play "${2:-true_}"
    in_netns play "${2:-true_}" >"$T/messages.err" 2>&1 ||
        fail "example $1: status $?: $(cat "$T/out-"* "$T/messages.err")"
    for part in here there "then"; do
        while IFS= read -r line; do
            case $line in
            *...*) grep -qF -- "${line//.../}" "$T/out-$part" ;;
            *) grep -qxF -- "$line" "$T/out-$part" ;;
            esac || fail "example $1, $part: does not print '$line': $(cat "$T/out-$part")"
        done < <(sed -n 's/^# prints: //p' "$T/$part")
    done
}

true_() { :; }

# A route for the group of the example, and an interface that takes it.
multicast() {
    ip link set lo multicast on
    ip route add 239.0.0.0/8 dev lo
}

# An ssh server of our own at port 22 of the namespace, and an ssh that knows it. The system's Python,
# because that is the one with the distribution's packages.
need_ssh() {
    need ssh ssh-keygen
    need_root
    /usr/bin/python3 -c 'import paramiko' 2>/dev/null || skip "needs paramiko (python3-paramiko)"
    ssh-keygen -q -t rsa -m PEM -N '' -f "$T/host_key"
    echo "localhost $(cat "$T/host_key.pub")" >"$T/known_hosts"
    printf '%s\n' "UserKnownHostsFile $T/known_hosts" 'GlobalKnownHostsFile /dev/null' \
        'IdentityFile none' 'BatchMode yes' 'User somebody' >"$T/ssh_config"
    make_program ssh <<<"#!/bin/sh
exec '$(command -v ssh)' -F '$T/ssh_config' \"\$@\""
}

ssh_server() {
    /usr/bin/python3 "$HELPER_DIR/ssh_server.py" "$T/host_key" &
    started+=("$!")
    until_true 20 is_listening || fail "the ssh server did not come up"
}

@test "manual: the example that moves a file" { run_example 1; }
@test "manual: the example that moves a directory" { run_example 2; }
@test "manual: the example of a pipeline" { run_example 3; }
@test "manual: the example of a file that waits" { run_example 4; }
@test "manual: the example of a script" { run_example 5; }
@test "manual: the example that asks for a port" { run_example 6; }
@test "manual: the example that asks for several ports" { run_example 7; }
@test "manual: the example that asks for a UDP port" { run_example 8; }

@test "manual: the example of a chat" {
    echo "hello from here" >"$T/typed-here"
    echo "hello from there" >"$T/typed-there"
    run_example 9
}

@test "manual: the example of HTTP by hand" {
    run_example 10
    assert_equal "$(cat "$T/request")" $'GET / HTTP/1.0\r\nHost: localhost\r\n\r'
}

@test "manual: the example of HTTP over a Unix socket" { run_example 11; }
@test "manual: the example of a question over UDP" { run_example 12; }
@test "manual: the example of a multicast group" { run_example 13 multicast; }
@test "manual: the example of a hex dump" { run_example 14; }

@test "manual: the example of a length in front" { run_example 15; }

@test "manual: the example of JSON" {
    sockcat --frame json -U "$T/nowhere" || [ $? -ne 4 ] || skip "needs a build with jansson"
    run_example 16
}

@test "manual: the example of lines and datagrams" { run_example 17; }
@test "manual: the example of names of files" { run_example 18; }

@test "manual: the example of ssh with ProxyCommand" {
    need_ssh
    run_example 19 ssh_server
}

@test "manual: the example of ssh with ProxyUseFdpass" {
    need_ssh
    run_example 20 ssh_server
}

@test "manual: every example is run here" {
    assert_equal "$(sed -nE 's/^.* run_example ([0-9]+).*/\1/p' "$BATS_TEST_FILENAME" | sort -n)" \
        "$(examples | grep -c '^\.Bd' | xargs seq)"
}

@test "manual: an example has no escape that the tests do not know" {
    examples >"$T/examples"
    [ -s "$T/examples" ] || fail "there are no examples"
    sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$PAGE" | sed -n '/^\.Bd -literal/,/^\.Ed/p' |
        sed -E '/^\.Bd/d; s/\\(-|e|\(aq|\(ga)//g' >"$T/rest"
    # What is left of a dash, a quote or a backslash would not be copied as it is meant.
    ! grep -n "[-'\`\\\\]" "$T/rest" || fail "an example has to write these as escapes"
}

# ---- its form ----

@test "manual: mandoc has nothing to complain about" {
    need mandoc
    # Which other manuals there are is this machine's affair.
    mandoc -T lint "$PAGE" 2>"$T/lint.err" | grep -v 'referenced manual not found' >"$T/lint" || :
    assert_equal "$(cat "$T/lint")" ""
}

@test "manual: groff has nothing to complain about" {
    need groff
    groff -mdoc -T utf8 -ww "$PAGE" >"$T/page" 2>"$T/groff.err"
    assert_equal "$(cat "$T/groff.err")" ""
    [ -s "$T/page" ] || fail "groff shows nothing"
}

@test "manual: man shows the page" {
    need man
    man --version 2>/dev/null | grep -q '^man ' || skip "needs man-db"
    MANPAGER=cat MANWIDTH=80 man -l "$PAGE" >"$T/page" 2>"$T/man.err" </dev/null
    assert_equal "$(cat "$T/man.err")" ""
    assert_line '^SOCKCAT\(1\)' "$T/page"
}

@test "manual: no line is wider than 80 columns" {
    need mandoc col
    mandoc -T utf8 "$PAGE" 2>/dev/null | col -bx >"$T/page"
    assert_line '^SOCKCAT\(1\)' "$T/page"
    width=$(LC_ALL=C.UTF-8 wc -L <"$T/page")
    [ "$width" -le 80 ] || fail "$width columns"
}

# ---- what it says ----

# table: letters and names of src/cli/options.def as "-l" and "--listen", one a line.
table() {
    sed -nE "s/^OPTION\([a-z0-9_]+, \"([a-z0-9-]*)\", (0|'(.)'), .*/--\1 -\3/p" \
        "$TOP/src/cli/options.def" | tr ' ' '\n' | grep -vxE -e '--?' | sort
}

# flags: the arguments of all .Fl of the input, as table writes them.
flags() { sed -E 's/\\-/-/g' | grep -oE '\bFl [^ ,]+' | sed 's/^Fl /-/' | sort -u; }

# section NAME: the lines of that section.
section() { awk -v name=".Sh $1" '/^\.Sh / { here = $0 == name } here' "$PAGE"; }

@test "manual: it lists the options of the table, and no others" {
    table >"$T/table"
    [ -s "$T/table" ] || fail "the table was not read"
    section OPTIONS | grep '^\.It' | flags >"$T/listed"
    assert_same "$T/table" "$T/listed" || fail "$(diff "$T/table" "$T/listed")"
}

@test "manual: every option that it speaks of is in the table" {
    awk '/^\.Sh / { there = /COMING FROM/ } !there' "$PAGE" | grep -v '^\.Op Fl ruv' |
        # what OpenBSD's nc and ncat have
        awk '/^\.(Ox|Xr ncat)/ { other = 1 } !other || !/^\.Fl [mo]$/ { print } /\.$/ { other = 0 }' |
        flags >"$T/spoken"
    [ -s "$T/spoken" ] || fail "the page was not read"
    table >"$T/table"
    assert_equal "$(comm -13 "$T/table" "$T/spoken")" ""
}

@test "manual: its exit statuses are those of the table" {
    sed -nE 's/^STATUS\([A-Z_]+, ([0-9]+), "(.*)"\)$/\1 \2/p' "$TOP/src/base/status.def" >"$T/table"
    [ -s "$T/table" ] || fail "the table was not read"
    section "EXIT STATUS" | awk '/^\.It / { number = $2; next } number != "" && !/^\./ {
        print number, $0; number = "" }' | sed 's/\\-/-/g' >"$T/listed"
    assert_same "$T/table" "$T/listed" || fail "$(diff "$T/table" "$T/listed")"
}

@test "manual: it has the formats that --list-formats shows, in that order" {
    sockcat --list-formats | sed -nE 's/^([a-z0-9-]+).*/\1/p' >"$T/table"
    [ -s "$T/table" ] || fail "the formats were not read"
    section MESSAGES | sed -n 's/^\.It Cm //p' | sed 's/ : .*//; s/ , /\n/g' >"$T/listed"
    assert_same "$T/table" "$T/listed" || fail "$(diff "$T/table" "$T/listed")"
}

@test "manual: what it says to write instead of nc, ncat and socat is understood" {
    section "COMING FROM NC, NCAT, SOCAT" | sed 's/\\-/-/g' | grep -oE 'sockcat -[^;,<]*' >"$T/lines"
    [ "$(wc -l <"$T/lines")" -gt 20 ] || fail "the tables were not read"
    while read -r _ line; do
        # shellcheck disable=SC2086 # words
        run sockcat --help ${line/ file/ /dev/null}
        [ "$status" -eq 0 ] || fail "sockcat $line: status $status: $output"
    done <"$T/lines"
}
