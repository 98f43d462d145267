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

# ask SHELL [LINE]: prints what the shell offers at the end of the line; without it, of each line of standard
# input, and a NUL after each answer. The user has $T/home; what the completions write to standard error
# goes to $T/ask.errors.
ask() {
    local completions=${COMPLETIONS:-$ROOT/completions}
    case $1 in
    fish)
        # shellcheck disable=SC2016 # for fish
        HOME=$T/home XDG_CONFIG_HOME='' XDG_DATA_HOME='' exec ${2:+timeout -s KILL $((30 * LAST_RESORT))} fish --no-config -c '
            set fish_complete_path
            source $argv[1]
            if set -q argv[2]
                complete -C $argv[2]
            else
                while read -l line
                    complete -C $line
                    printf "\0"
                end
            end' "$completions/sockcat.fish" ${2:+"$2"} 2>>"$T/ask.errors"
        ;;
    *)
        HOME=$T/home COMPDUMP=${BATS_RUN_TMPDIR:-$T}/zcompdump exec python3 "$HELPER_DIR/complete_pty.py" "$1" "$completions" "$T/ask.errors" ${2:+"$2"}
        ;;
    esac
}

# attend SHELL: keeps one that answers all questions that are asked from here, as a user does.
attend() {
    [ "${attended:-}" != "$*;$PWD;$PATH;${COMPLETIONS:-}" ] || return 0
    attended="$*;$PWD;$PATH;${COMPLETIONS:-}"
    rm -f "$T/ask.lines" "$T/ask.answers"
    mkfifo "$T/ask.lines" "$T/ask.answers"
    mkdir -p "$T/home"
    # Open before it is started, so that no question is lost.
    local lines answers
    exec {lines}<>"$T/ask.lines" {answers}<>"$T/ask.answers"
    (
        trap - DEBUG ERR EXIT
        ask "$1"
    ) <&"$lines" >&"$answers" 2>"$T/ask.err" 3>&- {lines}<&- {answers}<&- &
    asked=$!
    exec {lines}<&- {answers}<&-
    started+=("$asked")
}

# answer LINE: what the one that is attended offers.
answer() {
    local part text='' fd left=$((40 * LAST_RESORT))
    exec {fd}<>"$T/ask.answers"
    printf '%s\n' "$1" 1<>"$T/ask.lines"
    until IFS= read -r -d '' -t 1 -u "$fd" part; do
        text+=$part
        left=$((left - 1))
        [ "$left" -gt 0 ] && ! is_gone "$asked" || fail "no answer: $(cat "$T/ask.err")" || return
    done
    exec {fd}<&-
    printf %s "$text$part"
}

# offers SHELL LINE: what the shell offers at the end of the line, sorted words, also in $T/ask.out.
# Fails if anything is written to standard error.
offers() {
    : >"$T/ask.errors"
    if [ "${attended:-}" = "$1;$PWD;$PATH;${COMPLETIONS:-}" ]; then
        answer "$2" >"$T/ask.out" || return
    else
        mkdir -p "$T/home"
        (ask "$@") >"$T/ask.out" || return
    fi
    cut -f 1 "$T/ask.out" | sort -u
    [ ! -s "$T/ask.errors" ] || fail "$1 '$2' wrote: $(cat "$T/ask.errors")"
}

# assert_offers SHELL LINE WORD...: these and no others. A value is compared without what stands before
# its '=' or ':', a folder without the slash behind it, and a name without its '=' or ':': that is up to the shell.
assert_offers() {
    local shell=$1 line=$2 before=${2##* } got wanted
    shift 2
    attend "$shell"
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
