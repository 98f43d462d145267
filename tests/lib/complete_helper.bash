# shellcheck shell=bash
# complete_helper.bash - asks the shells for their completions, and the C preprocessor for the table of
# options, so that no reader of the table checks itself. After "load lib/helper".

ROOT=$(cd "$HELPER_DIR/../.." && pwd)

# option_table [FILE]: one line per option: id, name, letter, type, repeat, words of its argument;
# separated by ';', what is not there is empty.
option_table() {
    table_rows "${1:-$ROOT/src/cli/options.def}" \
        '#define OPTION(id, name, letter, type, argument, a, b, c, d, repeat, ...) @row@ id;name;letter;type;repeat;argument' |
        sed 's/;0;/;;/'
}

# table_rows FILE DEFINITION: what DEFINITION, which begins its text with @row@, makes of the rows.
table_rows() {
    printf '%s\n#include "%s"\n' "$2" "$1" | cc -E -P -x c - | tr '\n' ' ' | sed 's/@row@/\n/g' |
        sed -E '/^ *$/d; s/^ *//; s/ *([;"]) */\1/g; s/["'\'']//g; s/ *$//'
}

# spellings [FILE]: every option once, by its name, or by its letter if that is all it has.
spellings() {
    option_table "$@" | awk -F ';' '{ print $2 == "" ? "-" $3 : "--" $2 }'
}

# service_names: all that a port may be called.
service_names() {
    getent services | awk '{ print $1; for (i = 3; i <= NF; i++) print $i }' | sort -u
}

# offers SHELL LINE: what the shell offers at the end of the line, sorted words. The user has $T/home.
# Fails if anything is written to standard error.
offers() {
    local completions=${COMPLETIONS:-$ROOT/completions}
    mkdir -p "$T/home"
    : >"$T/ask.errors"
    case $1 in
    fish)
        # shellcheck disable=SC2016 # for fish
        HOME=$T/home XDG_CONFIG_HOME='' XDG_DATA_HOME='' timeout -s KILL $((30 * LAST_RESORT)) fish --no-config -c '
            set fish_complete_path
            source $argv[1]
            complete -C $argv[2]' "$completions/sockcat.fish" "$2" 2>"$T/ask.errors" >"$T/ask.out" || return
        cut -f 1 "$T/ask.out" | sort -u
        ;;
    *)
        HOME=$T/home COMPDUMP=${BATS_RUN_TMPDIR:-$T}/zcompdump python3 "$HELPER_DIR/complete_pty.py" "$1" "$completions" "$T/ask.errors" "$2" || return
        ;;
    esac
    [ ! -s "$T/ask.errors" ] || fail "$1 '$2' wrote: $(cat "$T/ask.errors")"
}

# assert_offers SHELL LINE WORD...: these and no others. A value is compared without what stands before
# its '=' or ':', a folder without the slash behind it, and a name without its '=' or ':': that is up to the shell.
assert_offers() {
    local shell=$1 line=$2 before=${2##* } got wanted
    shift 2
    got=$(offers "$shell" "$line") || fail "$shell '$line': $got" || return
    before=${before%"${before##*[=:]}"}
    got=$(while IFS= read -r word; do
        word=${word#"$before"}
        echo "${word%[=/:]}"
    done <<<"$got" | LC_ALL=C sort -u)
    wanted=$([ "$#" -eq 0 ] || printf '%s\n' "${@%[=/:]}" | LC_ALL=C sort -u)
    [ "$got" = "$wanted" ] || fail "$shell '$line': what is missing (<) or too much (>):" \
        "$(diff <(echo "$wanted") <(echo "$got") | grep '^[<>]')"
}
