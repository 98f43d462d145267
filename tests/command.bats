#!/usr/bin/env bats
# The command line as it is seen from outside: what is refused and in which words, how options can be
# written, hints, help. What can be computed from the table of options is; what people have learnt by
# heart stands here as a table of its own, so that it cannot be changed by accident.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, result, held, netns
bats_require_minimum_version 1.5.0
load lib/helper

# tables CASE: drive, with the rows of options.def, as the preprocessor reads them, in T/rows, and the statuses.
tables() {
    local source=$HELPER_DIR/../../src
    need cc python3
    [ -r "$source/cli/options.def" ] || skip "needs the source"
    # The columns are strings and characters, or have none of these characters.
    cc -E -P -I "$source/cli" -x c - >"$T/rows" <<'C'
#define CLASS(id, excludes) ROW "CLASS", #id, excludes END
#define OPTION(id, name, letter, type, argument, least, most, group, shown, repeat, classes, excludes, needs, feature, help) \
	ROW #id, name, #letter, #type, argument, #least, #most, #repeat, classes, excludes, needs END
#define ALIAS(id, name) ROW "ALIAS", #id, name END
#include "options.def"
C
    sed -n 's/^STATUS(\([A-Z_]*\), \([0-9]*\), \("[^"]*"\))$/\2 \3/p' "$source/base/status.def" >"$T/statuses"
    drive command "$1"
}

# ---- values ----

@test "a malformed value of a time, size, number or word is 3, quoted, with what is allowed" {
    tables bad_values
}

@test "a value out of its range is 3, quoted, with the range" {
    tables values_out_of_range
}

@test "a malformed address, port, interface, group or socket option is 3 and quoted" {
    tables bad_addresses
}

@test "an empty name of a file is malformed: 3, and names the option" {
    for option in -o --hex-dump --output; do
        assert_fails 3 "invalid --(hex-dump|output) ''" sockcat "$option" '' 127.0.0.1 9 </dev/null || fail "for $option"
    done
}

@test "the value of the option in the message is one harmless line, however long or strange" {
    assert_fails 3 "invalid --wait '\^\[\[2J\^J\^M\\\\xff': expected" sockcat --wait=$'\e[2J\n\r\xff' a 1 </dev/null
    assert_fails 3 "invalid --tos '\\\\u202eab': expected" sockcat -T $'\xe2\x80\xaeab' a 1 </dev/null
    long=$(head -c 100000 /dev/zero | tr '\0' x)
    assert_fails 3 'invalid --wait .*expected a time' sockcat --wait "$long" a 1 </dev/null
    [ "$(wc -c <"$T/fails.err")" -le 4096 ] || fail "$(wc -c <"$T/fails.err") bytes"
}

# ---- what goes together ----

@test "every exclusion of the table is 2 and names both, whichever comes first" {
    tables exclusions
}

@test "every need of the table is 2, with all that would do, and each of them does" {
    tables needs
}

@test "an option whose argument is missing is 2 and says so" {
    tables missing_argument
}

@test "an argument for an option that takes none is 2 and says so" {
    tables unwanted_argument
}

@test "what can be given once is 2 the second time, by either of its names" {
    tables repeated
}

# ---- operands ----

@test "operands that are missing, or are too many, are 2" {
    while read -r pattern words; do
        # shellcheck disable=SC2086 # words
        assert_fails 2 "${pattern//_/ }" sockcat $words </dev/null || fail "for: $words"
    done <<'TABLE'
missing_host_and_port
missing_port 127.0.0.1
missing_port -u localhost
extra_operand_'3' a 1 3
extra_operand_'3' a 1 3 4 5
extra_operand_'80' a 1 80
missing_port -l
missing_port -l -s 127.0.0.1
extra_operand_'3' -l a 1 3
extra_operand_'3' -l -p 1 a 3
extra_operand_'3' -l -s 127.0.0.1 1 3
extra_operand_'3' -l -s 127.0.0.1 -p 1 3
missing_path -U
missing_path -lU
extra_operand_'b' -U a b
extra_operand_'b' -lU a b
extra_operand_'80' unix:/a 80
extra_operand_'80' tcp://a:1 80
extra_operand_'80' fd://3 80
missing_host_and_port -z
missing_port -z localhost
missing_host_and_port --
missing_host_and_port -F
TABLE
}

@test "empty words are refused, and none of them is taken for nothing" {
    assert_fails 2 'missing port' sockcat '' </dev/null
    assert_fails 3 "host '': must not be empty" sockcat '' 80 </dev/null
    assert_fails 3 "port ''" sockcat 127.0.0.1 '' </dev/null
    assert_fails 3 "port ''" sockcat -l '' </dev/null
    assert_fails 3 "host '': must not be empty" sockcat -l '' 0 </dev/null
    assert_fails 3 "path ''" sockcat -U '' </dev/null
    assert_fails 3 "path ''" sockcat -l -U '' </dev/null
    assert_fails 3 "path ''" sockcat unix: </dev/null
    assert_fails 3 "port ''" sockcat -z 127.0.0.1 '' </dev/null
    assert_fails 2 "extra operand ''" sockcat 127.0.0.1 80 '' </dev/null
    assert_fails 3 "''" sockcat -s '' 127.0.0.1 80 </dev/null
}

@test "options may follow the operands, and stand between them" {
    hold_port
    assert_fails 7 'Connection refused' sockcat 127.0.0.1 "$held" -w 5 -n </dev/null
    assert_fails 1 ': closed' sockcat 127.0.0.1 -zv "$held" -n </dev/null
    assert_fails 3 "invalid -w 'x'" sockcat 127.0.0.1 "$held" -w x </dev/null
}

@test "behind -- a word is no option" {
    assert_fails 3 "host '-v': a part of the name begins with '-'" sockcat -- -v 80 </dev/null
    assert_fails 3 "port '-l'" sockcat 127.0.0.1 -- -l </dev/null
    assert_fails 2 "extra operand '-v'" sockcat -- a 1 -v </dev/null
    assert_fails 3 "port '--'" sockcat 127.0.0.1 -- -- </dev/null
    cd "$T"
    start_peer --listen "unix:$T/-v" recvall
    sockcat -U -- -v </dev/null
    assert_peer_done
}

@test "letters can be combined, the last one's argument glued or apart" {
    start "$SOCKCAT" -lvnp 0 -d
    await_line "$T/background.err" '^sockcat: listening on .*:[0-9]+$'
    port=$(sed -n 's/^sockcat: listening on .*:\([0-9]*\)$/\1/p' "$T/background.err" | head -n 1)
    sockcat -zvnw5 127.0.0.1 "$port" </dev/null >"$T/probe.out"
    assert_line ":$port open" "$T/probe.out"
    finish "$pid"
    assert_equal "$result" 0
    assert_fails 3 "invalid -w 'v'" sockcat -zwv 127.0.0.1 9 </dev/null
    assert_fails 2 'unknown option -\?' sockcat '-zv?' 127.0.0.1 9 </dev/null
    assert_fails 2 'conflicts with' sockcat -46 127.0.0.1 9 </dev/null
}

# ---- names of options ----

@test "a name may be cut as long as it is clear which is meant" {
    # A thousand commands and more.
    LIMIT=300 tables abbreviations
}

@test "a cut name does what the whole one does" {
    hold_port
    assert_closed sockcat --prob 127.0.0.1 "$held"
    assert_fails 3 "invalid --idle-timeout 'x'" sockcat --idle x 127.0.0.1 "$held" </dev/null
    assert_fails 2 "--keepalive-count requires --keepalive" \
        sockcat --keepalive-c 3 127.0.0.1 "$held" </dev/null
}

@test "a misspelt option is answered with the name that was meant" {
    while read -r word name; do
        assert_fails 2 "^sockcat: unknown option ${word%%=*} \(did you mean --$name\?\)\$" \
            sockcat "$word" 127.0.0.1 9 </dev/null || fail "for $word"
        assert_fails 2 "did you mean --$name\?" sockcat 127.0.0.1 9 -v "$word" -n </dev/null || fail "for $word, later"
    done <<'TABLE'
--lisen listen
--lsiten listen
--listenn listen
--vrebose verbose
--verbos3 verbose
--keep_alive keepalive
--idletimeout idle-timeout
--idle-timeuot=3 idle-timeout
--hexdump hex-dump
--sendonly send-only
--unixsocks unixsock
--noshutdown no-shutdown
--sokopt=1:2:3 sockopt
TABLE
}

@test "a name that is like no other is refused without a guess" {
    for word in --frobnicate --quux=a:1 --xyz=secret --= ---; do
        assert_fails 2 'unknown option [^ ]*$' sockcat "$word" 127.0.0.1 9 </dev/null || fail "for $word"
        ! grep -q 'did you mean\|secret' "$T/fails.err" || fail "$(cat "$T/fails.err")"
    done
}

@test "letters that mean different things elsewhere say what to write instead" {
    while read -r letter words; do
        assert_fails 2 "^sockcat: unknown option -$letter: .*$words" \
            sockcat "-$letter" 127.0.0.1 9 </dev/null || fail "for -$letter"
        assert_fails 2 "^sockcat: unknown option -$letter: .*$words" \
            sockcat 127.0.0.1 9 "-v$letter" </dev/null || fail "for -v$letter"
    done <<'TABLE'
m --min-ttl
L -l -k
Z DCCP
f <FILE >FILE
g source routing
G source routing
H --keepalive
S MD5
D --sockopt SOCKET:DEBUG:1
a --interface
A --interface
TABLE
}

@test "what a hint says to write is understood" {
    tables hints
}

@test "any other letter or sign is refused by its own name; a digit is a bad port" {
    tables unknown_letters
}

@test "a negative number that looks like an option is quoted as it was written" {
    for word in -1 -10 -80 -65536; do
        assert_fails 3 "port '$word'" sockcat 127.0.0.1 "$word" </dev/null || fail "for $word"
    done
}

# ---- help ----

@test "the help is one screen: usage, ten examples, fifteen options, where more is" {
    sockcat --help </dev/null >"$T/out"
    [ "$(wc -l <"$T/out")" -le 35 ] || fail "$(wc -l <"$T/out") lines"
    assert_equal "$(grep -c '^\(usage:\|      \) sockcat ' "$T/out")" 5
    assert_equal "$(sed -n '/^Examples$/,/^$/p' "$T/out" | grep -c sockcat)" 10
    assert_equal "$(grep -cE '^  (-|    --)' "$T/out")" 15
    assert_line '^More: man sockcat, --help=all' "$T/out"
}

@test "the examples of the help are understood" {
    sockcat --help </dev/null | sed -n '/^Examples$/,/^$/s/.*\(sockcat [^;<>]*\).*/\1/p' | sed 's/  .*//' >"$T/lines"
    assert_equal "$(wc -l <"$T/lines")" 10
    while read -r _ line; do
        # shellcheck disable=SC2086 # words
        run sockcat --version $line
        [ "$status" -eq 0 ] || fail "sockcat $line: status $status: $output"
    done <"$T/lines"
}

@test "the usage follows a message that does not say what to write" {
    sockcat --help </dev/null | head -n 5 >"$T/usage"
    while IFS=: read -r words message; do
        # shellcheck disable=SC2086 # words
        run sockcat $words </dev/null
        assert_status 2
        assert_equal "${lines[0]}" "sockcat: $message"
        assert_equal "$(printf '%s\n' "${lines[@]:1}")" "$(cat "$T/usage")"
    done <<'TABLE'
:missing host and port
-l -v:missing port
a 1 b c:extra operand 'b'
--frobnicate:unknown option --frobnicate
TABLE
}

@test "the usage does not follow a message that says what to write" {
    for words in '--porbe a 1' '--lissten 1' '-l -k --chat --broker 1' 'TCP:a:1 -' 'http://a/'; do
        # shellcheck disable=SC2086 # words
        run sockcat $words </dev/null
        assert_status 2
        assert_equal "${#lines[@]}" 1
    done
}

@test "help goes to standard output with 0, and no line of any part is longer than 80" {
    for topic in '' =all =basics =end =times =exec =clients =access =data =frames =script =transport =socket =exit; do
        sockcat "--help$topic" </dev/null >"$T/out" 2>"$T/err" || fail "--help$topic"
        assert_equal "$(cat "$T/err")" ""
        [ "$(wc -l <"$T/out")" -ge 3 ] || fail "--help$topic: $(cat "$T/out")"
        ! grep -nE '.{81}' "$T/out" || fail "too wide in --help$topic"
        ! grep -n ' $' "$T/out" || fail "spaces at the end in --help$topic"
    done
}

@test "the parts of the help are all of its options, each once, in order" {
    sockcat --help=all </dev/null >"$T/all"
    topics=$(sockcat --help </dev/null | sed -n '/^More:/,$p' | tr -s '\n ' ' ' | sed 's/.*TOPIC: //; s/ exit $//')
    assert_equal "$topics" "basics end times probe exec clients access proxy data frames script tls transport socket"
    for topic in $topics exit; do
        echo
        sockcat "--help=$topic" </dev/null
    done >"$T/parts"
    sed -n '/^Basics$/,$p' "$T/all" >"$T/options"
    sed 1d "$T/parts" >"$T/joined"
    assert_same "$T/joined" "$T/options"
}

@test "help=TOPIC may be two words, and a topic that there is not is 3 with all that there are" {
    sockcat --help=times </dev/null >"$T/one"
    sockcat --help times </dev/null >"$T/two"
    sockcat -h times </dev/null >"$T/three"
    assert_same "$T/one" "$T/two"
    assert_same "$T/one" "$T/three"
    for topic in nonsense '' TIMES 'times '; do
        assert_fails 3 "invalid --help '$topic': expected one of basics\|.*\|exit\|all\$" \
            sockcat "--help=$topic" </dev/null || fail "for '$topic'"
    done
}

@test "help=exit lists exactly the statuses of the table, with their texts" {
    sockcat --help=exit </dev/null >"$T/exit"
    tables help_exit
}

@test "help and version are 23 when they cannot be written" {
    for words in --help --help=exit --help=times --version -V; do
        code=0
        sockcat "$words" </dev/null >/dev/full 2>"$T/err" || code=$?
        assert_equal "$words $code" "$words 23"
        assert_one_error "$T/err" 'write standard output: No space left on device'
    done
}

@test "help asked for beside other words does nothing else" {
    run -0 sockcat --help -l 127.0.0.1 0
    [[ $output == usage:* ]] || fail "$output"
    run -0 sockcat 127.0.0.1 9 -h
    [[ $output == usage:* ]] || fail "$output"
    run -0 sockcat -V 127.0.0.1 9
    [[ $output == 'sockcat '* ]] || fail "$output"
    assert_fails 3 "invalid -w 'x'" sockcat --help -w x </dev/null
}

@test "the version is one line" {
    run -0 sockcat -V
    [[ $output =~ ^sockcat\ [0-9]+\.[0-9]+\.[0-9]+[^[:space:]]*$ ]] || fail "$output"
}

# ---- the fault catalogue ----

@test "F158: times are taken or refused exactly, for each option that is a time" {
    tables times
}

@test "F158: a time too long for the clock is no time at all, not a short one" {
    start_peer wait:0.2 send:late shutwr recvall
    run -0 sockcat -w 1000000000 -q 1000000000 --linger 1000000000 127.0.0.1 "$peer_port" < <(printf x)
    assert_equal "$output" late
}

@test "F165: a hundred thousand words are one message" {
    drive long_commands many_words
}

@test "F165: a hundred thousand ports are probed for what they say" {
    hold_port
    drive long_commands many_ports "$held"
}

@test "F165: a hundred thousand options that may be repeated are taken" {
    drive long_commands many_options
}

@test "F165: words as long as the system takes, 2 MB in all, are refused in one bounded line" {
    drive long_commands long_words
}

@test "F166: sizes are taken or refused exactly" {
    tables sizes
}

@test "F172: the statuses have the numbers and names that they always had" {
    [ -r "$HELPER_DIR/../../src/base/status.def" ] || skip "needs the source"
    cat >"$T/wanted" <<'TABLE'
OK 0
NO 1
USAGE 2
VALUE 3
MISSING 4
RESOLVE 6
CONNECT 7
CUT 18
OUTPUT 23
INPUT 26
MEMORY 27
TIMEOUT 28
BIND 45
SEND 55
RECEIVE 56
LISTEN 101
INTERNAL 106
TABLE
    sed -n 's/^STATUS(\([A-Z_]*\), \([0-9]*\),.*/\1 \2/p' "$HELPER_DIR/../../src/base/status.def" >"$T/got"
    sockcat --help=exit </dev/null >"$T/exit"
    # New ones may come. The program has them, too.
    while read -r name number; do
        assert_line "^$name $number\$" "$T/got"
        assert_line "^ *$number  " "$T/exit"
    done <"$T/wanted"
}

@test "F172: a letter means what it always meant" {
    cat >"$T/wanted" <<'TABLE'
4 --ipv4
6 --ipv6
C --crlf
F --pass-fd
I --rcvbuf
M --ttl
N -
O --sndbuf
T --tos
U --unixsock
V --version
W --recv-limit
b --broadcast
d --no-stdin
h --help
i --delay
k --keep-open
l --listen
n --nodns
o --hex-dump
p --source-port
q --quit-after
r --random-ports
s --source
t --telnet
u --udp
v --verbose
w -
z --probe
TABLE
    sockcat --help=all </dev/null | sed -n 's/^  -\(.\), \(--[a-z0-9-]*\).*/\1 \2/p; s/^  -\(.\) .*/\1 -/p' >"$T/got"
    # New ones may come.
    while read -r line; do assert_line "^$line\$" "$T/got"; done <"$T/wanted"
}

@test "F172: whether an option has an argument does not change, nor its kind" {
    tables kinds_of_options
}
