#!/usr/bin/env bats
# The command line as it is seen from outside: what is refused and in which words, how options can be
# written, hints, help. What can be computed from the table of options is; what people have learnt by
# heart stands here as a table of its own, so that it cannot be changed by accident.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, result, held, netns
bats_require_minimum_version 1.5.0
load lib/helper

# table: "from table import *" in a script for drive gives the rows of options.def, as the preprocessor
# reads them, and ways to try the program with many command lines.
table() {
    local source=$HELPER_DIR/../../src
    need cc python3
    [ -r "$source/cli/options.def" ] || skip "needs the source"
    # The columns are strings and characters, or have none of these characters.
    cc -E -P -I "$source/cli" -x c - >"$T/rows" <<'C'
#define OPTION(id, name, letter, type, argument, least, most, group, repeat, excludes, needs, feature, help) \
	ROW #id, name, #letter, #type, argument, #least, #most, #repeat, excludes, needs END
#include "options.def"
C
    sed -n 's/^STATUS(\([A-Z_]*\), \([0-9]*\), \("[^"]*"\))$/\2 \3/p' "$source/base/status.def" >"$T/statuses"
    cat >"$T/table.py" <<'PY'
import ast
import itertools
from decimal import Decimal
from drive import *

LIMITS = {'INT64_MAX': 2 ** 63 - 1, 'UINT32_MAX': 2 ** 32 - 1, 'INT32_MAX': 2 ** 31 - 1}

class Row:
    def __init__(self, text):
        self.id, self.name, letter, self.type, self.argument, least, most, self.repeat, excludes, needs = \
            ast.literal_eval('(' + text + ')')
        self.least, self.most = (LIMITS.get(end) or int(end.replace('INT64_C(', '').rstrip(')')) for end in (least, most))
        self.letter = letter.strip("'") if letter != '0' else ''
        self.excludes, self.needs = excludes.split(), needs.split()
        self.valued = self.type not in ('FLAG', 'TOPIC')
        self.spelling = '--' + self.name if self.name else '-' + self.letter
        self.spellings = ['--' + self.name] * bool(self.name) + ['-' + self.letter] * bool(self.letter)

    def good(self):
        """A word that is right for it."""
        by_id = {'tos': 'ef', 'congestion': 'reno', 'join': '239.1.2.3', 'sockopt': 'SOCKET:PRIORITY:1',
                 'frame': 'u8', 'stdio_frame': 'line', 'stdin_frame': 'nul', 'stdout_frame': 'hex', 'sh_exec': 'cat',
                 'to': 'localhost:80', 'nick': 'me'}
        by_type = {'TIME': '1', 'SIZE': '4k', 'COUNT': '1', 'NUMBER': '1', 'PORT': '9', 'HOST': '127.0.0.1',
                   'INTERFACE': 'lo', 'USER': '0', 'FILE': T + '/file', 'PROGRAM': 'cat', 'ENUM': self.argument.split('|')[0]}
        return by_id.get(self.id) or by_type[self.type]

    def words(self):
        return [self.spelling] + ([self.good()] if self.valued else [])

with open(T + '/rows') as file:
    ROWS = {row.id: row for row in map(Row, re.findall(r'ROW (.*?) END', file.read(), re.S))}
if len(ROWS) < 60:
    sys.exit('the table was not understood')
bad = []

def run(*words):
    done = subprocess.run([os.environ['SOCKCAT'], *words], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=LIMIT)
    return done.returncode, done.stdout.decode(errors='replace'), done.stderr.decode(errors='replace')

def wrong(words, result):
    bad.append('%s: %d %s' % (' '.join(map(repr, words)), result[0], result[2] or result[1][:200]))

def refused(status, parts, *words):
    """One line that holds all parts, this status, nothing on standard output."""
    result = run(*words)
    if result[0] != status or result[1] or not re.fullmatch(r'sockcat: [^\n]+\n', result[2]) or \
            not all(part in result[2] for part in parts):
        wrong(words, result)

def parsed(*words):
    """With --help nothing is done, but all words are looked at."""
    result = run('--help', *words)
    if result[0] != 0 or result[2]:
        wrong(words, result)

def operands(rows):
    """Enough of them for these options."""
    return ['path'] if 'unixsock' in rows else ['127.0.0.1', '9']

def all_is_well():
    if bad:
        sys.exit('\n'.join(bad))
PY
}

# tables <SCRIPT: a script that begins with "from table import *", after "table".
tables() {
    { echo "import os, sys; sys.path.insert(0, os.environ['T'])" && cat; } >"$T/script.py"
    echo all_is_well'()' >>"$T/script.py"
    drive <"$T/script.py"
}

# ---- values ----

@test "a malformed value of a time, size, number or word is 3, quoted, with what is allowed" {
    table
    tables <<'PY'
from table import *
values = {
    'TIME': ['x', '', ' 1', '1 ', '-1', '+1', '1e3', '1x', '1sm', '0x1', '1,5', '1..5', '1d', '1\n', 'inf', 'nan'],
    'SIZE': ['x', '', ' 1', '-1', '+1', '1kk', '1T', '1kB', '0x10', '1.5k', 'k', '1 k'],
    'COUNT': ['x', '', ' 1', '-1', '+1', '1.5', '0x1', '1k', '1e1'],
    'NUMBER': ['x', '', ' 1', '-1', '+1', '1.5', '0x', '0xg', '1k', '0x-1', 'x10'],
    'ENUM': ['x', '', ' ', '|', 'ON', '1', 'bot', 'o', 'nc '],
}
allowed = {'TIME': 'a time such as', 'SIZE': 'a size such as', 'COUNT': 'a number', 'NUMBER': 'a number such as'}
tried = 0
for row in ROWS.values():
    for value in values.get(row.type, []):
        shown = value.replace('\n', '^J')
        for spelling in row.spellings:
            words = [spelling + '=' + value] if spelling.startswith('--') else [spelling, value]
            refused(3, ["option %s '%s': it has to be " % (row.spelling, shown), allowed.get(row.type, row.argument)],
                    *words, '127.0.0.1', '9')
            tried += 1
if tried < 250:
    sys.exit('only %d were tried' % tried)
PY
}

@test "a value out of its range is 3, quoted, with the range" {
    table
    tables <<'PY'
from table import *
for row in ROWS.values():
    least, most = row.least, row.most
    if row.type in ('COUNT', 'NUMBER', 'SIZE'):
        for value in [most + 1, 2 ** 64, 10 ** 30] + [least - 1] * (least > 0):
            refused(3, ["option %s '%d': it has to be from %d to %d" % (row.spelling, value, least, most)],
                    row.spelling, str(value), '127.0.0.1', '9')
        for value in least, most:
            parsed(row.spelling, str(value))
    if row.type == 'TIME':
        top = min(most, 10 ** 18)
        for value in '%d.7' % (top // 10 ** 9), str(top // 10 ** 9 + 1), '9' * 40, '9' * 40 + 'ms':
            refused(3, ["option %s '%s': it has to be " % (row.spelling, value), '%d seconds' % (top // 10 ** 9)],
                    row.spelling, value, '127.0.0.1', '9')
        if least > 0:
            refused(3, ["option %s '0': it has to be " % row.spelling], row.spelling, '0', '127.0.0.1', '9')
        parsed(row.spelling, '%d' % (top // 10 ** 9))
PY
}

@test "a malformed address, port, interface, group or socket option is 3 and quoted" {
    table
    tables <<'PY'
from table import *
for option, values in {
    '-s': ['', 'x y', '1.2.3', '1.2.3.4.5', '1.2.3.256', ':::', '[::1', 'name', '01.2.3.4'],
    '-p': ['', '80x', '65536', '-1', '+1', ' 80', '0x50', 'no-such-service', '1-2', '1,2', '99999999999999999999'],
    '--tos': ['', 'EF', 'af', 'af14', '256', '-1', '0x100', '0xg', 'cs8', '1 '],
    '--congestion': [''],
    '--interface': [''],
    '--sockopt': ['', 'x', 'SOCKET', 'SOCKET:PRIORITY', 'SOCKET:PRIORITY:', ':::', 'NOLEVEL:PRIORITY:1', '-1:1:1',
                  'SOCKET:NOTHING:1', 'SOCKET::1', '::1', 'TCP:SO_PRIORITY:1', 'socket:priority:1', '4294967296:1:1',
                  '1:4294967296:1'],
}.items():
    for value in values:
        refused(3, ["'%s'" % value, ': '], option, value, '127.0.0.1', '9')
for value in ['', '1.2.3.4', 'x', '239.1.2', '239.1.2.3.4', '@239.1.2.3', '1.2.3.4@', 'x@239.1.2.3', '::1@239.1.2.3',
              '239.1.2.3@1.2.3.4', '1.2.3.4@ff02::1', 'ff02::', '[ff02::1]', '239.1.2.3 ']:
    if value != 'ff02::':
        refused(3, ["'%s'" % value, ': '], '-u', '--join', value, '127.0.0.1', '9')
PY
}

@test "an empty name of a file is malformed: 3, and names the option" {
    for option in -o --hex-dump --output; do
        assert_fails 3 "option --(hex-dump|output) ''" sockcat "$option" '' 127.0.0.1 9 </dev/null || fail "for $option"
    done
}

@test "the value of the option in the message is one harmless line, however long or strange" {
    assert_fails 3 "option --wait '\^\[\[2J\^J\^M\\\\xff': it has to be" sockcat --wait=$'\e[2J\n\r\xff' a 1 </dev/null
    assert_fails 3 "option --tos '\\\\u202eab': it has to be" sockcat -T $'\u202eab' a 1 </dev/null
    long=$(head -c 100000 /dev/zero | tr '\0' x)
    assert_fails 3 'option --wait .*it has to be a time' sockcat --wait "$long" a 1 </dev/null
    [ "$(wc -c <"$T/fails.err")" -le 4096 ] || fail "$(wc -c <"$T/fails.err") bytes"
}

# ---- what goes together ----

@test "every exclusion of the table is 2 and names both, whichever comes first" {
    table
    tables <<'PY'
from table import *
pairs = 0
for row in ROWS.values():
    for other in map(ROWS.get, row.excludes):
        # What they need for themselves, as far as that is not what they exclude.
        wants = []
        for one, two in (row, other), (other, row):
            can = [need for need in one.needs if need not in one.excludes + two.excludes and
                   one.id not in ROWS[need].excludes and two.id not in ROWS[need].excludes]
            if one.needs and two.id not in one.needs and can and ROWS[can[0]] not in wants:
                wants.append(ROWS[can[0]])
        for pair in (row, other), (other, row):
            words = list(itertools.chain(*(one.words() for one in (*pair, *wants))))
            ids = [one.id for one in (*pair, *wants)]
            refused(2, ['cannot be used together', row.spelling, other.spelling], *words, *operands(ids))
        pairs += 1
if pairs < 80:
    sys.exit('only %d pairs' % pairs)
PY
}

@test "every need of the table is 2, with all that would do, and each of them does" {
    table
    tables <<'PY'
from table import *
for row in ROWS.values():
    if not row.needs:
        continue
    refused(2, ['option %s: it is of use only with ' % row.spelling] + [ROWS[need].spelling for need in row.needs],
            *row.words(), *operands([row.id]))
    for need in map(ROWS.get, row.needs):
        for words in row.words() + need.words(), need.words() + row.words():
            # There is no such descriptor, address or operand, but that is another message.
            result = run(*words, *(ROWS['udp'].words() if need.id == 'sctp' and row.id != 'seqpacket' else []))
            if 'of use only with' in result[2] or 'cannot be used' in result[2]:
                wrong(words, result)
PY
}

@test "an option whose argument is missing is 2 and says so" {
    table
    tables <<'PY'
from table import *
for row in ROWS.values():
    if row.valued:
        for spelling in row.spellings:
            refused(2, ['option %s: it needs an argument' % row.spelling], '127.0.0.1', '9', spelling)
refused(2, ['option --source-port: it needs an argument'], '-lvnp')
PY
}

@test "an argument for an option that takes none is 2 and says so" {
    table
    tables <<'PY'
from table import *
for row in ROWS.values():
    if row.type == 'FLAG' and row.name:
        for value in 'x', '', '1':
            refused(2, ['option --%s: it takes no argument' % row.name], '--%s=%s' % (row.name, value), '127.0.0.1', '9')
PY
}

@test "what can be given once is 2 the second time, by either of its names" {
    table
    tables <<'PY'
from table import *
for row in ROWS.values():
    if row.repeat == 'ONCE':
        for one, two in itertools.product(row.spellings, repeat=2):
            refused(2, ['option %s: it was given twice' % row.spelling], one, row.good(), two, row.good(), '127.0.0.1', '9')
    elif row.valued:
        parsed(row.spelling, row.good(), row.spelling, row.good())
    elif row.type == 'FLAG':
        parsed(row.spelling, row.spelling, row.spelling)
PY
}

# ---- operands ----

@test "operands that are missing, or are too many, are 2" {
    while read -r pattern words; do
        # shellcheck disable=SC2086 # words
        assert_fails 2 "${pattern//_/ }" sockcat $words </dev/null || fail "for: $words"
    done <<'TABLE'
a_host_and_a_port_are_missing
a_port_is_missing 127.0.0.1
a_port_is_missing -u localhost
argument_'3':_it_is_one_too_many a 1 3
argument_'3':_it_is_one_too_many a 1 3 4 5
argument_'80':_it_is_one_too_many a 1 80
a_port_is_missing -l
a_port_is_missing -l -s 127.0.0.1
argument_'3':_it_is_one_too_many -l a 1 3
argument_'3':_it_is_one_too_many -l -p 1 a 3
argument_'3':_it_is_one_too_many -l -s 127.0.0.1 1 3
argument_'3':_it_is_one_too_many -l -s 127.0.0.1 -p 1 3
a_path_is_missing -U
a_path_is_missing -lU
argument_'b':_it_is_one_too_many -U a b
argument_'b':_it_is_one_too_many -lU a b
argument_'80':_it_is_one_too_many unix:/a 80
argument_'80':_it_is_one_too_many tcp://a:1 80
argument_'80':_it_is_one_too_many fd://3 80
a_host_and_a_port_are_missing -z
a_port_is_missing -z localhost
a_host_and_a_port_are_missing --
a_host_and_a_port_are_missing -F
TABLE
}

@test "empty words are refused, and none of them is taken for nothing" {
    assert_fails 2 'a port is missing' sockcat '' </dev/null
    assert_fails 3 "host '': it is empty" sockcat '' 80 </dev/null
    assert_fails 3 "port ''" sockcat 127.0.0.1 '' </dev/null
    assert_fails 3 "port ''" sockcat -l '' </dev/null
    assert_fails 3 "host '': it is empty" sockcat -l '' 0 </dev/null
    assert_fails 3 "path ''" sockcat -U '' </dev/null
    assert_fails 3 "path ''" sockcat -l -U '' </dev/null
    assert_fails 3 "path ''" sockcat unix: </dev/null
    assert_fails 3 "port ''" sockcat -z 127.0.0.1 '' </dev/null
    assert_fails 2 "argument '': it is one too many" sockcat 127.0.0.1 80 '' </dev/null
    assert_fails 3 "''" sockcat -s '' 127.0.0.1 80 </dev/null
}

@test "options may follow the operands, and stand between them" {
    hold_port
    assert_fails 7 'Connection refused' sockcat 127.0.0.1 "$held" -w 5 -n </dev/null
    assert_fails 1 'Connection refused' sockcat 127.0.0.1 -z "$held" -n </dev/null
    assert_fails 3 "option -w 'x'" sockcat 127.0.0.1 "$held" -w x </dev/null
}

@test "behind -- a word is no option" {
    assert_fails 3 "host '-v': a part of the name begins with '-'" sockcat -- -v 80 </dev/null
    assert_fails 3 "port '-l'" sockcat 127.0.0.1 -- -l </dev/null
    assert_fails 2 "argument '-v': it is one too many" sockcat -- a 1 -v </dev/null
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
    sockcat -zvnw5 127.0.0.1 "$port" </dev/null 2>"$T/probe.err"
    assert_line ": open\$" "$T/probe.err"
    finish "$pid"
    assert_equal "$result" 0
    assert_fails 3 "option -w 'v'" sockcat -zwv 127.0.0.1 9 </dev/null
    assert_fails 2 'option -\?: there is no such option' sockcat '-zv?' 127.0.0.1 9 </dev/null
    assert_fails 2 'together' sockcat -46 127.0.0.1 9 </dev/null
}

# ---- names of options ----

@test "a name may be cut as long as it is clear which is meant" {
    table
    # A thousand commands and more.
    LIMIT=300 tables <<'PY'
from table import *
names = {row.name: row for row in ROWS.values() if row.name}
for name in names:
    for length in range(1, len(name) + 1):
        prefix = name[:length]
        candidates = [other for other in names if other.startswith(prefix)]
        row = names.get(prefix) or names[candidates[0]]
        words = ['--' + prefix] + ([row.good()] if row.valued else [])
        if prefix in names or len(candidates) == 1:
            parsed(*words)
            if row.valued:
                parsed('%s=%s' % tuple(words))
        else:
            # All that it may be, and nothing else.
            refused(2, ['option --%s: it may be short for' % prefix], *words, '127.0.0.1', '9')
            listed = re.findall('--([a-z0-9-]+)', run(*words)[2].partition('short for')[2])
            if sorted(listed) != sorted(candidates):
                bad.append('%s: %s instead of %s' % (prefix, listed, candidates))
PY
}

@test "a cut name does what the whole one does" {
    hold_port
    assert_fails 1 'Connection refused' sockcat --prob 127.0.0.1 "$held" </dev/null
    assert_fails 3 "option --wait 'x'" sockcat --wai x 127.0.0.1 "$held" </dev/null
    assert_fails 2 "option --keepalive-count: it is of use only with --keepalive" \
        sockcat --keepalive-c 3 127.0.0.1 "$held" </dev/null
}

@test "a slip of the pen is answered with the name that was meant" {
    while read -r word name; do
        assert_fails 2 "^sockcat: option ${word%%=*}: there is no such option; did you mean --$name\?\$" \
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
    for word in --frobnicate --ssl --report=a:1 --xyz=secret --= ---; do
        assert_fails 2 'there is no such option \(see --help\)$' sockcat "$word" 127.0.0.1 9 </dev/null || fail "for $word"
        ! grep -q 'did you mean\|secret' "$T/fails.err" || fail "$(cat "$T/fails.err")"
    done
}

@test "letters that mean different things elsewhere say what to write instead" {
    while read -r letter words; do
        assert_fails 2 "^sockcat: option -$letter: there is no such option: .*$words" \
            sockcat "-$letter" 127.0.0.1 9 </dev/null || fail "for -$letter"
        assert_fails 2 "^sockcat: option -$letter: there is no such option: .*$words" \
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
    table
    tables <<'PY'
from table import *
for letter in 'mLZfgGHSDaA':
    for name, value in re.findall(r'--([a-z-]+)(?: ([A-Z][A-Z:0-9]*))?', run('-' + letter, 'a', '1')[2]):
        row = next((row for row in ROWS.values() if row.name == name), None)
        if row is None:
            bad.append('-%s: there is no --%s' % (letter, name))
        elif row.valued:
            parsed('--' + name, value if ':' in value else row.good())
PY
}

@test "any other letter or sign is refused by its own name; a digit is a bad port" {
    table
    tables <<'PY'
from table import *
known = {row.letter for row in ROWS.values()}
for code in range(33, 127):
    letter = chr(code)
    if letter in known or letter == '-':
        continue
    if letter.isdigit():
        refused(3, ["port '-%s'" % letter], '-' + letter, '127.0.0.1', '9')
    else:
        refused(2, ['option -%s: there is no such option' % letter], '-' + letter, '127.0.0.1', '9')
for word, shown in ('-\x01', '-^A'), ('-\x1b', '-^['), ('-\n', '-^J'):
    refused(2, ['option %s: there is no such option' % shown], word, '127.0.0.1', '9')
PY
}

@test "a negative number that looks like an option is quoted as it was written" {
    for word in -1 -10 -80 -65536; do
        assert_fails 3 "port '$word'" sockcat 127.0.0.1 "$word" </dev/null || fail "for $word"
    done
}

# ---- --compat=nc ----

@test "--compat=nc makes every failure 1" {
    need_shim
    hold_port
    assert_fails 1 "option -w 'x'" sockcat --compat=nc -w x a 1 </dev/null
    assert_fails 1 "port '80x'" sockcat --compat=nc a 80x </dev/null
    with_shim 'socket:EPROTONOSUPPORT:*' assert_fails 1 'not supported' sockcat --compat=nc --sctp 127.0.0.1 9 </dev/null
    with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 1 'resolve' sockcat --compat=nc some.test 9 </dev/null
    assert_fails 1 'Connection refused' sockcat --compat=nc 127.0.0.1 "$held" </dev/null
    assert_fails 1 'Connection refused' sockcat --compat=nc -z 127.0.0.1 "$held" </dev/null
    assert_fails 1 'bind' sockcat --compat=nc -s 192.0.2.1 127.0.0.1 "$held" </dev/null
    assert_fails 1 'listen' sockcat --compat=nc -l 127.0.0.1 "$held" </dev/null
    with_shim 'socket:ENOMEM:*' assert_fails 1 'memory' sockcat --compat=nc 127.0.0.1 9 </dev/null
    with_shim 'getaddrinfo:sleep=60:*' assert_fails 1 'resolve' sockcat --compat=nc -w 0.2 some.test 9 </dev/null
}

@test "--compat=nc makes a failure of the session 1" {
    need_shim
    start_peer send:hello recvall!
    code=0
    sockcat --compat=nc 127.0.0.1 "$peer_port" </dev/null >/dev/full 2>"$T/err" || code=$?
    assert_equal "$code" 1
    assert_one_error "$T/err" 'write standard output'
    stop_all
    start_peer recvall!
    assert_fails 1 'read standard input' sockcat --compat=nc 127.0.0.1 "$peer_port" <"$T"
    stop_all
    start_peer recvall!
    mkfifo "$T/in"
    exec 8<>"$T/in"
    assert_fails 1 'nothing moved' sockcat --compat=nc -w 0.2 127.0.0.1 "$peer_port" <"$T/in"
    stop_all
    start_peer --listen udp recvquiet:0.1
    with_shim 'sendmsg:EPERM:1' assert_fails 1 'send to' sockcat --compat=nc -u 127.0.0.1 "$peer_port" <<<hello
    stop_all
    start_peer send:hello recv:1 reset
    echo hello >&8
    assert_fails 1 'receive from' sockcat --compat=nc 127.0.0.1 "$peer_port" <"$T/in"
}

@test "--compat=nc keeps 0 and 2" {
    start_peer expect:hello shutwr recvall
    run sockcat --compat=nc 127.0.0.1 "$peer_port" < <(printf hello)
    assert_status 0
    assert_fails 2 'a port is missing' sockcat --compat=nc 127.0.0.1 </dev/null
    assert_fails 2 'no such option' sockcat --compat=nc --nonsense </dev/null
}

@test "--compat=nc keeps the signals" {
    start_listener --compat=nc 127.0.0.1 0
    kill -TERM "$listener"
    finish "$listener"
    assert_equal "$result" 143
}

@test "--compat=nc counts wherever it stands, also behind the mistake" {
    assert_fails 1 "option -w 'x'" sockcat -w x --compat=nc a 1 </dev/null
    assert_fails 1 "option -w 'x'" sockcat -w x a 1 --compat nc </dev/null
    assert_fails 1 "port '80x'" sockcat a 80x --compat=nc </dev/null
}

# ---- help ----

@test "help goes to standard output with 0, and no line of any part is longer than 80" {
    for topic in '' =connection =transport =address =times =session =data =socket =other =exit; do
        sockcat "--help$topic" </dev/null >"$T/out" 2>"$T/err" || fail "--help$topic"
        assert_equal "$(cat "$T/err")" ""
        [ "$(wc -l <"$T/out")" -ge 3 ] || fail "--help$topic: $(cat "$T/out")"
        ! grep -nE '.{81}' "$T/out" || fail "too wide in --help$topic"
        ! grep -n ' $' "$T/out" || fail "spaces at the end in --help$topic"
    done
}

@test "the parts of the help are all of its options, each once, in order" {
    sockcat --help </dev/null >"$T/all"
    topics=$(sed -n 's/^Parts: --help=//p' "$T/all" | tr '|' ' ')
    assert_equal "$topics" "connection transport address times session data socket other exit"
    for topic in $topics; do
        echo
        sockcat "--help=$topic" </dev/null
    done >"$T/parts"
    sed -n '/^What to do$/,$p' "$T/all" >"$T/options"
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
        assert_fails 3 "option --help '$topic': it has to be one of connection\|.*\|exit\$" \
            sockcat "--help=$topic" </dev/null || fail "for '$topic'"
    done
}

@test "help=exit lists exactly the statuses of the table, with their texts" {
    table
    sockcat --help=exit </dev/null >"$T/exit"
    tables <<'PY'
from table import *
with open(T + '/statuses') as file:
    wanted = {int(number): ast.literal_eval(text) for number, text in (line.split(' ', 1) for line in file)}
wanted[128] = 'plus n: ended by signal n'
with open(T + '/exit') as file:
    title, *lines = file.read().splitlines()
check(title, 'Exit status')
got = {}
for line in lines:
    begin = re.match(r' *(\d+)  (.*)', line)
    if begin:
        last = int(begin.group(1))
        check(last in got, False, 'twice: %d' % last)
        got[last] = begin.group(2)
    else:
        got[last] += ' ' + line.strip()
check(got, wanted)
PY
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
    [[ $output == Usage:* ]] || fail "$output"
    run -0 sockcat 127.0.0.1 9 -h
    [[ $output == Usage:* ]] || fail "$output"
    run -0 sockcat -V 127.0.0.1 9
    [[ $output == 'sockcat '* ]] || fail "$output"
    assert_fails 3 "option -w 'x'" sockcat --help -w x </dev/null
}

@test "the version is one line" {
    run -0 sockcat -V
    [[ $output =~ ^sockcat\ [0-9]+\.[0-9]+\.[0-9]+[^[:space:]]*$ ]] || fail "$output"
}

# ---- the fault catalogue ----

@test "F158: times are taken or refused exactly, for each option that is a time" {
    table
    tables <<'PY'
from table import *
# The value; what it is: y taken, n malformed, 0 too little where there is a least, r too much.
values = {'0': '0', '-1': 'n', '1e9': 'n', '1000000000': 'y', '1000000000.0': 'y', '1000000001': 'r',
          '1000000000.000000001': 'r', '99999999999999999999': 'r', '5m': 'y', '1.5': 'y', '.5': 'n', '5.': 'n',
          '5 m': 'n', '1.5ms': '0.0015', '': 'n', '5M': 'n', '1h': 'y', '1000000000s': 'y', '1000000000000ms': 'y',
          '1000000000001ms': 'r', '277777h': 'y', '277778h': 'r', '16666666m': 'y', '16666667m': 'r', '1,5': 'n',
          '0x10': 'n', '1.5.': 'n', '0.000000001': '0.000000001', '0.0000000009': '0', '0ms': '0', '00005': 'y',
          '1s ': 'n', 'ms': 'n', '9223372036854775807': 'r', '18446744073709551616': 'r', '9223372036854775807ms': 'r',
          '1.' + '9' * 100: 'y', '9' * 1000 + 'h': 'r', '1.5x': 'n', '\u0665': 'n'}
for row in ROWS.values():
    if row.type != 'TIME':
        continue
    least, most = row.least, min(row.most, 10 ** 18)
    units = {'': 1, 's': 1, 'ms': .001, 'm': 60, 'h': 3600}
    for value, kind in values.items():
        if kind == 'n':
            refused(3, ["option %s '%s': it has to be a time such as" % (row.spelling, value)], row.spelling, value, 'a', '1')
            continue
        number, unit = re.fullmatch(r'([0-9.]+)([a-z]*)', value).groups()
        nanoseconds = int(Decimal(number) * Decimal(str(units[unit])) * 10 ** 9)
        if kind != 'r' and least <= nanoseconds <= most:
            parsed(row.spelling, value)
        else:
            refused(3, ["option %s '%s': it has to be" % (row.spelling, value), 'seconds'], row.spelling, value, 'a', '1')
PY
}

@test "F158: a time too long for the clock is no time at all, not a short one" {
    start_peer wait:0.2 send:late shutwr recvall
    run -0 sockcat -w 1000000000 -q 1000000000 --linger 1000000000 127.0.0.1 "$peer_port" < <(printf x)
    assert_equal "$output" late
}

@test "F165: a hundred thousand words are one message" {
    drive <<'PY'
from drive import *
for words in (['a'] * 100000, ['-v'] * 100000, ['a', '-n'] * 5000, [''] * 100000, ['--'] * 100000, ['-z', 'a', '1'] * 33333,
              ['-lvn'] * 50000 + ['-p']):
    done = subprocess.run([os.environ['SOCKCAT'], *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=50)
    if done.returncode not in (2, 3) or done.stderr.count(b'\n') != 1 or done.stdout:
        sys.exit('%r…: %d %r' % (words[:3], done.returncode, done.stderr[:300]))
PY
}

@test "F165: a hundred thousand ports are probed for what they say" {
    hold_port
    drive "$held" <<'PY'
from drive import *
done = subprocess.run([os.environ['SOCKCAT'], '-zn', '127.0.0.1'] + [sys.argv[1]] * 100000, stdin=subprocess.DEVNULL,
                      capture_output=True, timeout=50)
check(done.returncode, 1, repr(done.stderr[:300]))
check(done.stderr.decode(), 'sockcat: connect 127.0.0.1:%s: Connection refused\n' % sys.argv[1])
PY
}

@test "F165: a hundred thousand options that may be repeated are taken" {
    drive <<'PY'
from drive import *
server = tcp()
words = ['--sockopt', 'SOCKET:PRIORITY:1'] * 1000 + ['-n'] * 98000
cat = Cat(*words, '127.0.0.1', str(server.getsockname()[1]))
s = accept(server)
check(s.recv(10), b'')
s.close()
cat.end()
PY
}

@test "F165: words as long as the system takes, 2 MB in all, are refused in one bounded line" {
    drive <<'PY'
from drive import *
import resource
# The limit for all words is a quarter of the stack's.
hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
size = 16 << 20 if hard == resource.RLIM_INFINITY else min(hard, 16 << 20)
resource.setrlimit(resource.RLIMIT_STACK, (size, hard))
word = 'x' * 131000
many = [word] * (2000000 // len(word))
for words, status in (([word, '80'], 3), (['127.0.0.1', word], 3), (['-U', word], 3), (['unix:' + word], 3),
                      ([word + ':80'], 3), (['tcp://' + word], 3), (['-w', word, 'a', '1'], 3), (['--' + word], 2),
                      (['--join', word, '-u', 'a', '1'], 3), (['--sockopt', word + ':a:1', 'a', '1'], 3),
                      (['--sockopt', '1:' + word + ':1', 'a', '1'], 3), (['-T', word, 'a', '1'], 3),
                      (['-z', 'a', '1,' * 65000 + 'x'], 3), (['--interface', word, '127.0.0.1', '9'], None),
                      (['--help=' + word], 3), (['--until=' + word, 'a', '1'], 3), (['-p', word, 'a', '1'], 3),
                      (['-s', word, 'a', '1'], 3), (['-o', word, '127.0.0.1', '9'], None), (['a', '1'] + many, 2),
                      (['9' * 131000, '80'], 3), (['[' + word, '80'], 3), (['::' + word, '80'], 3),
                      (['fd://' + '9' * 100000], 3)):
    done = subprocess.run([os.environ['SOCKCAT'], *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=50)
    shown = [w[:20] for w in words[:4]]
    if done.returncode <= 0 or done.returncode != (status or done.returncode):
        sys.exit('%r: %d instead of %r %r' % (shown, done.returncode, status, done.stderr[:300]))
    if done.stderr.count(b'\n') != 1 or not done.stderr.endswith(b'\n') or len(done.stderr) > 4096 or done.stdout:
        sys.exit('%r: not one bounded line: %d bytes' % (shown, len(done.stderr)))
PY
}

@test "F166: sizes are taken or refused exactly" {
    table
    tables <<'PY'
from table import *
values = {'2G': 'r', '-1': 'n', '16E': 'n', '18446744073709551616': 'r', '18446744073709551615': 'r', '0x10': 'n',
          '1kk': 'n', '9223372036854775807': 'r', '9223372036854775808': 'r', '0': 'r', '0k': 'r', '1': 'y', '2147483647': 'y',
          '2147483648': 'r', '1G': 'y', '2047M': 'y', '2048M': 'r', '2097151k': 'y', '2097152k': 'r',
          '18014398509481984k': 'r', '17592186044416M': 'r', '17179869184G': 'r', '9007199254740993k': 'r', '1K': 'y',
          '1m': 'y', '1g': 'y', '1 k': 'n', 'k': 'n', '1e3': 'n', '1.5M': 'n', '': 'n', '00001k': 'y', '9' * 1000: 'r',
          '+1': 'n', '1b': 'n'}
for row in ROWS.values():
    if row.type != 'SIZE':
        continue
    for value, kind in values.items():
        if kind == 'y':
            parsed(row.spelling, value)
        else:
            text = 'a size such as' if kind == 'n' else 'from 1 to 2147483647'
            refused(3, ["option %s '%s': it has to be %s" % (row.spelling, value, text)], row.spelling, value, 'a', '1')
PY
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
    sockcat --help </dev/null | sed -n 's/^  -\(.\), \(--[a-z0-9-]*\).*/\1 \2/p; s/^  -\(.\) .*/\1 -/p' >"$T/got"
    # New ones may come.
    while read -r line; do assert_line "^$line\$" "$T/got"; done <"$T/wanted"
}

@test "F172: whether an option has an argument does not change, nor its kind" {
    table
    tables <<'PY'
from table import *
wanted = {
    'FLAG': '-N append-output broadcast crlf fastopen ipv4 ipv6 keep-open keepalive listen mptcp no-shutdown no-stdin nodns '
            'pass-fd probe random-ports raw recv-only reuse-port sctp send-only seqpacket telnet udp udplite unixsock verbose '
            'version vsock',
    'TIME': '-w delay idle-timeout keepalive-idle keepalive-interval linger quit-after user-timeout wait',
    'SIZE': 'rcvbuf sndbuf',
    'COUNT': 'keepalive-count min-ttl ready-fd recv-limit ttl',
    'NUMBER': 'mark',
    'ENUM': 'compat mtu-discovery nodelay until v6only',
    'TOPIC': 'help',
    'PORT': 'source-port',
    'HOST': 'source',
    'INTERFACE': 'interface',
    'USER': 'allow-uid',
    'FILE': 'hex-dump output',
    'STRING': 'congestion join sockopt tos',
}
got = {row.name or '-' + row.letter: row.type for row in ROWS.values()}
for kind, names in wanted.items():
    for name in names.split():
        check(got.get(name), kind, name)
PY
}
