#!/usr/bin/env bats
# Every option of the table is known to the parser, to --help, to the man page and to the three shells, and
# what is generated from the table is not stale. The shells are asked, see complete_helper.bash.

load lib/helper
load lib/complete_helper

# list_everywhere: who lists which options: files of spellings in $T/lists, one for each but the parser.
list_everywhere() {
    need python3 cc bash zsh fish
    mkdir -p "$T/lists"
    # So a name is answered that the parser does not know.
    run sockcat --frobnicated
    assert_status 2 || return
    [[ $output == *'unknown option'* ]] || fail "$output" || return
    # A row begins with the letter, or with the place where it would be.
    sockcat --help=all | sed -nE 's/^  (-.,|   ) (--[a-z0-9-]+).*/\2/p; s/^  (-.) .*/\1/p' >"$T/lists/help"
    sed -nE '/^\.It (.* )?Fl /{ s/^\.It .*Fl -([a-z0-9-]+)( .*|$)/--\1/p; s/^\.It Fl (.)( .*|$)/-\1/p }' \
        "$ROOT/man/sockcat.1" >"$T/lists/man"
    for shell in bash zsh fish; do
        offers "$shell" 'sockcat -' | sed 's/=$//' >"$T/lists/$shell" || return
    done
    # After '-' zsh offers the letters only.
    offers zsh 'sockcat --' | sed 's/=$//' >>"$T/lists/zsh" || return
}

# mask SPELLING: adds up who lists the option: 1 the parser, 2 --help, 4 the man page, 8 bash, 16 zsh,
# 32 fish; the names of those that do not are in $missing.
mask() {
    local bit=2 lister
    sum=1 missing=
    # Without operands nothing is done; a name that is not known is the first error of all.
    if sockcat "$1" </dev/null 2>&1 | grep -q 'unknown option'; then
        sum=0 missing=' parser'
    fi
    for lister in help man bash zsh fish; do
        if grep -Fqx -e "$1" "$T/lists/$lister"; then
            sum=$((sum + bit))
        else
            missing+=" $lister"
        fi
        bit=$((bit * 2))
    done
}

# everyone_lists_all TABLE
everyone_lists_all() {
    local bad=() names name
    mapfile -t names < <(spellings "$1")
    [ "${#names[@]}" -gt 20 ] || fail "the table could not be read: ${names[*]}" || return
    list_everywhere || return
    for name in "${names[@]}"; do
        mask "$name"
        [ "$sum" -eq 63 ] || bad+=("option $name: $sum instead of 63, not in:$missing")
    done
    [ "${#bad[@]}" -eq 0 ] || fail "$(printf '%s\n' "${bad[@]}")"
}

# copy_tree: what generate.py reads and writes, in $T/tree.
copy_tree() {
    need python3
    mkdir -p "$T/tree/man" "$T/tree/completions"
    (cd "$ROOT" && cp --parents scripts/*.py src/cli/options.def src/base/{status,event}.def src/net/tos.def src/frame/*.c \
        src/net/endpoint_uri.c "$T/tree")
    cp "$ROOT"/man/* "$T/tree/man"
    cp "$ROOT"/completions/* "$T/tree/completions"
}

generate() { "$T/tree/scripts/generate.py" "$@"; }

# assert_refused REGEX: generate.py ends with 1 and one line that matches, and has written nothing.
assert_refused() {
    touch "$T/before"
    run generate
    assert_status 1
    [ "${#lines[@]}" -eq 1 ] || fail "not one line: $output"
    [[ $output =~ $1 ]] || fail "does not match '$1': $output"
    assert_equal "$(find "$T/tree" -newer "$T/before" -type f)" ""
}

@test "options: everyone lists every option of the table" { everyone_lists_all "$ROOT/src/cli/options.def"; }

@test "options: a row that is listed nowhere is noticed" {
    need cc zsh fish
    sed 's/^#undef GROUP/OPTION(frobnicate, "frobnicate", 0, FLAG, "", 0, 0, SCRIPT, ALL, ANY, "", "", "", ALWAYS, "")\n&/' \
        "$ROOT/src/cli/options.def" >"$T/options.def"
    run everyone_lists_all "$T/options.def"
    assert_status 1
    [[ $output == *'option --frobnicate: 0 instead of 63, not in: parser help man bash zsh fish'* ]] ||
        fail "$output"
}

@test "options: what is missing in one place only is noticed" {
    need cc zsh fish
    mkdir "$T/completions"
    cp "$ROOT"/completions/* "$T/completions"
    sed -i '/-l listen /d' "$T/completions/sockcat.fish"
    COMPLETIONS=$T/completions run everyone_lists_all "$ROOT/src/cli/options.def"
    assert_status 1
    [[ $output == *'option --listen: 31 instead of 63, not in: fish'* ]] || fail "$output"
}

@test "generate.py: what is generated is not stale" {
    need python3
    run "$ROOT/scripts/generate.py" --check
    [ "$status" -eq 0 ] || fail "$output"
    assert_equal "$output" ""
}

@test "generate.py: --check names what is stale, and writes nothing" {
    copy_tree
    run generate --check
    assert_status 0
    sed -i 's/"both|peer|stdin|either"/"both|peer|stdin|either|never"/' "$T/tree/src/cli/options.def"
    touch "$T/before"
    run generate --check
    assert_status 1
    for file in man/sockcat.1 completions/sockcat.bash completions/_sockcat completions/sockcat.fish; do
        [[ $output == *"$file: stale"* ]] || fail "not named: $file: $output"
    done
    assert_equal "$(find "$T/tree" -newer "$T/before" -type f)" ""
    generate
    generate --check
}

@test "generate.py: a changed help line makes the completions stale that show it, and no other file" {
    copy_tree
    sed -i 's/"Listen for connections/"Wait for connections/' "$T/tree/src/cli/options.def"
    run generate --check
    assert_status 1
    assert_equal "$(cut -d : -f 1 <<<"$output" | sort | tr '\n' ' ')" "completions/_sockcat completions/sockcat.fish "
}

@test "generate.py: a file that is missing is stale" {
    copy_tree
    rm "$T/tree/man/sockcat.1"
    run generate --check
    assert_status 1
    [[ $output == *"man/sockcat.1: stale"* ]] || fail "$output"
}

@test "generate.py: every generated file says so, and from what, in its first lines" {
    need python3
    for file in man/sockcat.1 completions/sockcat.bash completions/_sockcat completions/sockcat.fish; do
        head -n 3 "$ROOT/$file" | grep -q 'Generated by scripts/generate.py' || fail "$file does not say who made it"
        head -n 3 "$ROOT/$file" | grep -q 'src/cli/options.def' || fail "$file does not say what from"
    done
}

@test "generate.py: comments, joined and escaped literals are read as a C compiler reads them" {
    copy_tree
    sed -i 's|"Listen for connections"|"Say \\"hi\\\\" /* no, */\n\t"(o'\''clock), " // ) "\n\t"then [go]"|' \
        "$T/tree/src/cli/options.def"
    generate
    grep -F -e '-s l -l listen' "$T/tree/completions/sockcat.fish" >"$T/line"
    grep -qF -e "-d 'Say \"hi\\\\(o\\'clock), then [go]'" "$T/line" || fail "$(cat "$T/line")"
    for shell in bash zsh fish; do
        ! command -v "$shell" >/dev/null ||
            COMPLETIONS=$T/tree/completions assert_offers "$shell" 'sockcat --liste' --listen
    done
}

@test "generate.py: an option without prose is refused" {
    copy_tree
    sed -i 's/^== until$/== unti/' "$T/tree/man/options.in"
    assert_refused 'man/options.in: option until has no prose'
}

@test "generate.py: prose without an option is refused" {
    copy_tree
    printf '== frobnicate\nProse.\n' >>"$T/tree/man/options.in"
    assert_refused 'man/options.in: prose without an option: frobnicate'
}

@test "generate.py: a row with a column too few is refused, with its line" {
    copy_tree
    sed -i 's/^OPTION(udp, "udp", /OPTION(udp, /' "$T/tree/src/cli/options.def"
    assert_refused "src/cli/options.def:$(grep -n '^OPTION(udp,' "$ROOT/src/cli/options.def" | cut -d : -f 1): .*14 columns"
}

@test "generate.py: a row without an end is refused" {
    copy_tree
    sed -i 's/"Use UDP-Lite")/"Use UDP-Lite"/' "$T/tree/src/cli/options.def"
    assert_refused 'OPTION is not terminated'
}

@test "generate.py: what is no row is refused" {
    copy_tree
    echo 'OPTIN(a)' >>"$T/tree/src/cli/options.def"
    assert_refused "'OPTIN' does not begin a row"
}

@test "generate.py: a letter that is taken is refused" {
    copy_tree
    sed -i "s/^OPTION(mptcp, \"mptcp\", 0,/OPTION(mptcp, \"mptcp\", 'l',/" "$T/tree/src/cli/options.def"
    assert_refused 'mptcp: name or letter is taken'
}

@test "generate.py: an option that excludes what does not exist is refused" {
    copy_tree
    sed -i 's/ANY, "", "ipv6", ""/ANY, "", "ipv5", ""/' "$T/tree/src/cli/options.def"
    assert_refused 'ipv4: unknown option or class ipv5'
}

@test "generate.py: a template without its place is refused" {
    copy_tree
    sed -i '/@STATUS@/d' "$T/tree/man/sockcat.1.in"
    assert_refused 'man/sockcat.1.in: missing line .* @STATUS@'
}

@test "generate.py: without a file that it reads it says which" {
    copy_tree
    rm "$T/tree/src/net/tos.def"
    assert_refused 'src/net/tos.def: No such file'
}

@test "generate.py: an argument that it does not know is refused" {
    need python3
    run "$ROOT/scripts/generate.py" --chek
    assert_status 2
}
