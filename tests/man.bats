#!/usr/bin/env bats
# The manual page: its form, what it says of options and statuses, and its examples, run as they
# stand.

# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets variables
load lib/helper
load lib/examples

TOP=$HELPER_DIR/../..
PAGE=$TOP/man/sockcat.1

# ---- its examples ----

# displays NAME: the displays of a section, with the commands around them.
displays() { section "$1" | sed -n '/^\.Bd -literal/,/^\.Ed/p'; }

# examples NAME: the same as the shell is to see them, "== " before each.
examples() {
    displays "$1" |
        sed "s/^\.Bd.*/== /; /^\.Ed/d; s/\\\\(aq/'/g; s/\\\\(ga/\`/g; s/\\\\-/-/g; s/\\\\e/\\\\/g"
}

run_example() {
    examples EXAMPLES >"$T/examples"
    play_example "$@" <"$T/examples"
}

run_recipe() {
    examples "RECIPES FOR TRANSFERS" >"$T/examples"
    play_example "$@" <"$T/examples"
}

# In the directory of an example: its nc.
nc_busybox() { ln -sf "$(command -v busybox)" bin/nc; }
nc_openbsd() { ln -sf "$(command -v nc.openbsd)" bin/nc; }

# An ssh server of our own at port 22 of the namespace, and an ssh that knows it. The system's Python,
# because that is the one with the distribution's packages.
need_ssh() {
    need ssh ssh-keygen
    need_root
    /usr/bin/python3 -c 'import paramiko' 2>/dev/null || skip "needs paramiko (python3-paramiko)"
    ssh-keygen -q -t rsa -m PEM -N '' -f "$T/host_key"
    echo "localhost $(cat "$T/host_key.pub")" >"$T/known_hosts"
    printf '%s\n' "UserKnownHostsFile $T/known_hosts" 'GlobalKnownHostsFile /dev/null' \
        'IdentityFile none' 'BatchMode yes' 'User someone' >"$T/ssh_config"
    mkdir -p "$T/bin"
    printf '#!/bin/sh\nexec "%s" -F "%s" "$@"\n' "$(command -v ssh)" "$T/ssh_config" >"$T/bin/ssh"
    chmod +x "$T/bin/ssh"
}

ssh_server() {
    /usr/bin/python3 "$HELPER_DIR/ssh_server.py" "$T/host_key" &
    started+=("$!")
    until_true 20 grep -q ' 0A ' /proc/net/tcp || fail "the ssh server did not come up"
}

@test "manual: the example that sends a file" { run_example 1; }
@test "manual: the example that sends a directory" { run_example 2; }
@test "manual: the example of HTTP" { run_example 3; }
@test "manual: the example of HTTP over a Unix socket" { run_example 4; }
@test "manual: the example that tests a port" { run_example 5; }
@test "manual: the example of a script" { run_example 6; }
@test "manual: the example of a question over UDP" { run_example 7; }
@test "manual: the example of a program" { run_example 8; }
@test "manual: the example of a relay" { run_example 9; }
@test "manual: the example of messages" { run_example 10; }

@test "manual: the example of waiting" { run_example 11; }
@test "manual: the example of a metric" { run_example 13; }

@test "manual: the example of a table" {
    need jq
    run_example 12
}

@test "manual: the example of ssh" {
    need_ssh
    run_example 14 ssh_server
}

@test "manual: the recipe of --send" { run_recipe 1; }
@test "manual: the recipe that fetches a directory" { run_recipe 2; }
@test "manual: the recipe that exchanges files" { run_recipe 3; }
@test "manual: the recipe with ssh" { need_ssh && run_recipe 7 ssh_server; }
@test "manual: the recipe of several receivers" { run_recipe 8; }
@test "manual: the recipe of every night" { run_recipe 9; }

@test "manual: the recipe with a digest" {
    need_plugin digest
    run_recipe 4
}

@test "manual: the recipes with pv and zstd" {
    need pv zstd
    run_recipe 5
    run_recipe 6
}

@test "manual: the recipes with the nc of OpenBSD" {
    need nc.openbsd
    run_recipe 10 nc_openbsd
    run_recipe 12 nc_openbsd
}

@test "manual: the recipes with the nc of busybox" {
    need busybox
    run_recipe 11 nc_busybox
    run_recipe 12 nc_busybox
}

@test "manual: every example and recipe is run here" {
    local kind name
    while read -r kind name; do
        assert_equal "$(sed -nE "s/^.* $kind ([0-9]+).*/\1/p" "$BATS_TEST_FILENAME" | sort -nu)" \
            "$(examples "$name" | grep -c '^== ' | xargs seq)"
    done <<<$'run_example EXAMPLES\nrun_recipe RECIPES FOR TRANSFERS'
}

@test "manual: an example has no escape that the tests do not know" {
    for name in EXAMPLES "RECIPES FOR TRANSFERS"; do
        displays "$name" | sed -E '/^\.Bd/d; s/\\(-|e|\(aq|\(ga)//g' >"$T/rest"
        [ -s "$T/rest" ] || fail "there are no examples"
        # What is left of a dash, a quote or a backslash would not be copied as it is meant.
        ! grep -n "[-'\`\\\\]" "$T/rest" || fail "an example has to write these as escapes"
    done
}

# ---- its form ----

@test "manual: mandoc has nothing to complain about" {
    need mandoc
    # Which other manuals there are depends on the machine. The examples come early on purpose.
    mandoc -T lint "$PAGE" 2>"$T/lint.err" |
        grep -v 'referenced manual not found\|sections out of conventional order' >"$T/lint" || :
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
    mandoc -T utf8 "$PAGE" 2>/dev/null | LC_ALL=C.UTF-8 col -bx >"$T/page"
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
    { table; sed -n 's/^ALIAS(.*, "\(.*\)")$/--\1/p' "$BATS_TEST_DIRNAME/../src/cli/options.def"; } | LC_ALL=C sort >"$T/table"
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
