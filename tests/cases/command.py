"""The command line, computed from the rows of options.def, which the preprocessor has written to T/rows."""
import ast
import itertools
import os
import re
import subprocess
import sys
from decimal import Decimal

from drive import check, LIMIT, main, T

LIMITS = {'INT64_MAX': 2 ** 63 - 1, 'UINT32_MAX': 2 ** 32 - 1, 'INT32_MAX': 2 ** 31 - 1}


class Row:
    def __init__(self, text):
        self.id, self.name, letter, self.type, self.argument, least, most, self.repeat, classes, excludes, needs = \
            ast.literal_eval('(' + text + ')')
        self.least, self.most = (LIMITS.get(end) or int(end.replace('INT64_C(', '').rstrip(')'))
                                 for end in (least, most))
        self.letter = letter.strip("'") if letter != '0' else ''
        self.classes, self.excludes, self.needs = classes.split(), excludes.split(), needs.split()
        self.valued = self.type not in ('FLAG', 'OPTIONAL')
        self.spelling = '--' + self.name if self.name else '-' + self.letter
        self.spellings = ['--' + self.name] * bool(self.name) + ['-' + self.letter] * bool(self.letter)

    def good(self):
        """A word that is right for it."""
        by_id = {'tos': 'ef', 'congestion': 'reno', 'join': '239.1.2.3', 'sockopt': 'SOCKET:PRIORITY:1',
                 'frame': 'u8', 'stdio_frame': 'line', 'stdin_frame': 'nul', 'stdout_frame': 'hex', 'sh_exec': 'cat',
                 'proxy': 'socks5h://127.0.0.1:9', 'nc_proxy': '127.0.0.1:9', 'nc_proxy_type': '5', 'nc_proxy_user': 'me',
                 'proxy_auth': 'me', 'noproxy': '*', 'proxy_source': '192.0.2.1:9', 'proxy_header': 'A: b',
                 'proxy_server': 'http', 'allow_dest': '127.0.0.1:80', 'deny_dest': '*:25',
                 'to': 'localhost:80', 'nick': 'me', 'mode': '0660', 'group': '0',
                 'resolve': 'a:80:127.0.0.1', 'rate': '1M', 'expect': '5', 'expect_digest': '0' * 64,
                 'report': 'json', 'max_loss': '5', 'in': '/dev/null', 'out': '/dev/null',
                 'allow_cert': 'CN:x', 'pin': 'sha256//' + 'A' * 43 + '=', 'ssl_alpn': 'h2,http/1.1', 'ssl_ciphers': 'DEFAULT',
                 'ssl_ciphersuites': 'TLS_AES_128_GCM_SHA256', 'ssl_groups': 'P-256', 'preserve': 'mode,time', 'psk_identity': 'me'}
        by_type = {'TIME': '1', 'SIZE': '4k', 'COUNT': '1', 'NUMBER': '1', 'PORT': '9', 'HOST': '127.0.0.1',
                   'INTERFACE': 'lo', 'USER': '0', 'FILE': T + '/file', 'PROGRAM': 'cat',
                   'ENUM': self.argument.split('|')[0]}
        return by_id.get(self.id) or by_type[self.type]

    def words(self):
        return [self.spelling] + ([self.good()] if self.valued else [])


with open(T + '/rows') as file:
    texts = re.findall(r'ROW (.*?) END', file.read(), re.S)
tuples = [ast.literal_eval('(' + text + ')') for text in texts]
CLASSES = {words[1]: words[2].split() for words in tuples if words[0] == 'CLASS'}
ROWS = {row.id: row for row in (Row(text) for text in texts if not text.startswith(('"CLASS"', '"ALIAS"')))}
ALIASES = {words[2]: ROWS[words[1]] for words in tuples if words[0] == 'ALIAS'}


def expand(words, own):
    """Classes replaced by their options."""
    return [row.id for word in words for row in (ROWS.values() if word in CLASSES else [ROWS[word]])
            if row is not own and (row.id == word or word in row.classes)]


for row in ROWS.values():
    row.excludes = expand(row.excludes + [word for name in row.classes for word in CLASSES[name]], row)
    row.needs = expand(row.needs, row)
if len(ROWS) < 60:
    sys.exit('the table was not understood')
bad = []


def chosen(test):
    """The rows for which this holds; there have to be some."""
    return [row for row in ROWS.values() if test(row)] or sys.exit('no row is chosen')


def of_type(*types):
    return chosen(lambda row: row.type in types)


def run(*words):
    done = subprocess.run([os.environ['SOCKCAT'], *words], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=LIMIT)
    error = done.stderr.decode(errors='replace')
    if done.returncode == 2:
        error, _, usage = error.partition('usage:')
        check(usage.count('\n'), 5 if usage else 0, error)
    return done.returncode, done.stdout.decode(errors='replace'), error


def wrong(words, result):
    bad.append('%s: %d %s' % (' '.join(map(repr, words)), result[0], result[2] or result[1][:200]))


def refused(status, parts, *words):
    """One line that holds all parts, this status, nothing on standard output."""
    result = run(*words)
    if result[0] != status or result[1] or not re.fullmatch(r'(sockcat|nc): [^\n]+\n', result[2]) or \
            not all(part in result[2] for part in parts):
        wrong(words, result)


def shown(value):
    """As a message has it."""
    return value.replace('\n', '^J')


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


def bad_values():
    values = {
        'TIME': ['x', '', ' 1', '1 ', '-1', '+1', '1e3', '1x', '1sm', '0x1', '1,5', '1..5', '1d', '1\n', 'inf', 'nan'],
        'SIZE': ['x', '', ' 1', '-1', '+1', '1kk', '1T', '1kB', '0x10', '1.5k', 'k', '1 k'],
        'COUNT': ['x', '', ' 1', '-1', '+1', '1.5', '0x1', '1k', '1e1'],
        'NUMBER': ['x', '', ' 1', '-1', '+1', '1.5', '0x', '0xg', '1k', '0x-1', 'x10'],
        'ENUM': ['x', '', ' ', '|', 'ON', '11', 'bot', 'o', 'nc '],
    }
    allowed = {'TIME': 'a time such as', 'SIZE': 'a size such as', 'COUNT': 'a number', 'NUMBER': 'a number such as'}
    tried = 0
    for row in ROWS.values():
        for value in values.get(row.type, []):
            shown = value.replace('\n', '^J')
            for spelling in row.spellings:
                words = [spelling + '=' + value] if spelling.startswith('--') else [spelling, value]
                refused(3, ["invalid %s '%s': expected " % (row.spelling, shown), allowed.get(row.type, row.argument)],
                        *words, '127.0.0.1', '9')
                tried += 1
    if tried < 250:
        sys.exit('only %d were tried' % tried)


def values_out_of_range():
    for row in of_type('COUNT', 'NUMBER', 'SIZE') + of_type('TIME'):
        least, most = row.least, row.most
        if row.type != 'TIME':
            for value in [most + 1, 2 ** 64, 10 ** 30] + [least - 1] * (least > 0):
                refused(3, ["invalid %s '%d': expected a number from %d to %d" % (row.spelling, value, least, most)],
                        row.spelling, str(value), '127.0.0.1', '9')
            for value in least, most:
                parsed(row.spelling, str(value))
        else:
            top = min(most, 10 ** 18)
            for value in '%d.7' % (top // 10 ** 9), str(top // 10 ** 9 + 1), '9' * 40, '9' * 40 + 'ms':
                refused(3, ["invalid %s '%s': expected " % (row.spelling, value), '%d seconds' % (top // 10 ** 9)],
                        row.spelling, value, '127.0.0.1', '9')
            if least > 0:
                refused(3, ["invalid %s '0': expected " % row.spelling], row.spelling, '0', '127.0.0.1', '9')
            parsed(row.spelling, '%d' % (top // 10 ** 9))


def bad_addresses():
    for option, values in {
        '-s': ['', 'x y', '1.2.3', '1.2.3.4.5', '1.2.3.256', ':::', '[::1', 'name', '01.2.3.4'],
        '-p': ['', '80x', '65536', '-1', '+1', ' 80', '0x50', 'no-such-service', '1-2', '1,2', '99999999999999999999'],
        '--tos': ['', 'EF', 'af', 'af14', '256', '-1', '0x100', '0xg', 'cs8', '1 '],
        '--congestion': [''],
        '--interface': [''],
        '--sockopt': ['', 'x', 'SOCKET', 'SOCKET:PRIORITY', 'SOCKET:PRIORITY:', ':::', 'NOLEVEL:PRIORITY:1', '-1:1:1',
                      'SOCKET:NOTHING:1', 'SOCKET::1', '::1', 'TCP:SO_PRIORITY:1', 'socket:priority:1',
                      '4294967296:1:1',
                      '1:4294967296:1'],
    }.items():
        for value in values:
            refused(3, ["'%s'" % value, ': '], option, value, '127.0.0.1', '9')
    for value in ['', '1.2.3.4', 'x', '239.1.2', '239.1.2.3.4', '@239.1.2.3', '1.2.3.4@', 'x@239.1.2.3',
                  '::1@239.1.2.3',
                  '239.1.2.3@1.2.3.4', '1.2.3.4@ff02::1', 'ff02::', '[ff02::1]', '239.1.2.3 ']:
        if value != 'ff02::':
            refused(3, ["'%s'" % value, ': '], '-u', '--join', value, '127.0.0.1', '9')


def exclusions():
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
                refused(2, ['conflicts with', row.spelling, other.spelling], *words, *operands(ids))
            pairs += 1
    if pairs < 80:
        sys.exit('only %d pairs' % pairs)


def needs():
    for row in chosen(lambda row: row.needs):
        refused(2, ['%s requires ' % row.spelling] + [ROWS[need].spelling for need in row.needs],
                *row.words(), *operands([row.id]))
        for need in map(ROWS.get, row.needs):
            for words in row.words() + need.words(), need.words() + row.words():
                # There is no such descriptor, address or operand, but that is another message.
                result = run(*words, *(ROWS['udp'].words() if need.id == 'sctp' and row.id != 'seqpacket' else []))
                if 'requires' in result[2] or 'conflicts' in result[2]:
                    wrong(words, result)


def missing_argument():
    for row in chosen(lambda row: row.valued):
        for spelling in row.spellings:
            refused(2, ['option %s requires an argument' % row.spelling], '127.0.0.1', '9', spelling)
    refused(2, ['option --source-port requires an argument'], '-lvnp')


def unwanted_argument():
    for row in chosen(lambda row: row.type == 'FLAG' and row.name):
        for value in 'x', '', '1':
            refused(2, ['option --%s takes no argument' % row.name], '--%s=%s' % (row.name, value), '127.0.0.1', '9')


def repeated():
    once = chosen(lambda row: row.repeat == 'ONCE')
    for row in once + chosen(lambda row: row not in once and (row.valued or row.type == 'FLAG')):
        if row in once:
            for one, two in itertools.product(row.spellings, repeat=2):
                # With --compat=nc every failure is 1.
                value = [row.good()] if row.valued else []
                refused(1 if row.name == 'compat' else 2, ['option %s given twice' % row.spelling],
                        one, *value, two, *value, '127.0.0.1', '9')
        elif row.valued:
            parsed(row.spelling, row.good(), row.spelling, row.good())
        else:
            parsed(row.spelling, row.spelling, row.spelling)


def abbreviations():
    names = {row.name: row for row in ROWS.values() if row.name} | ALIASES
    for name in names:
        for length in range(1, len(name) + 1):
            prefix = name[:length]
            candidates = [other for other in names if other.startswith(prefix)]
            row = names.get(prefix) or names[candidates[0]]
            words = ['--' + prefix] + ([row.good()] if row.valued else [])
            if prefix in names or len({names[other].id for other in candidates}) == 1:
                parsed(*words)
                if row.valued:
                    parsed('%s=%s' % tuple(words))
            else:
                # All that it may be, and nothing else.
                refused(2, ['ambiguous option --%s:' % prefix], *words, '127.0.0.1', '9')
                listed = re.findall('--([a-z0-9-]+)', run(*words)[2].partition('ambiguous ')[2].partition(': ')[2])
                if sorted(listed) != sorted(candidates):
                    bad.append('%s: %s instead of %s' % (prefix, listed, candidates))


def hints():
    named = set()
    for letter in 'mLZfgGHSDaA':
        for name, value in re.findall(r'--([a-z-]+)(?: ([A-Z][A-Z:0-9]*))?', run('-' + letter, 'a', '1')[2]):
            row = next((row for row in ROWS.values() if row.name == name), None)
            named.add(letter)
            if row is None:
                bad.append('-%s: there is no --%s' % (letter, name))
            elif row.valued:
                parsed('--' + name, value if ':' in value else row.good())
    check(named, set('mZGHDaA'))


def unknown_letters():
    known = {row.letter for row in ROWS.values()}
    for code in range(33, 127):
        letter = chr(code)
        if letter in known or letter == '-':
            continue
        if letter.isdigit():
            refused(3, ["port '-%s'" % letter], '-' + letter, '127.0.0.1', '9')
        else:
            refused(2, ['unknown option -%s' % letter], '-' + letter, '127.0.0.1', '9')
    for word, shown in ('-\x01', '-^A'), ('-\x1b', '-^['), ('-\n', '-^J'):
        refused(2, ['unknown option %s' % shown], word, '127.0.0.1', '9')


def help_exit():
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


def times():
    malformed = ('-1', '+1', '1e9', '1e-3', '.', '5.', '5 m', '', ' ', ' 1', '1 ', '1s ', '5M', '5H', '5S', '5d',
                 '5us', '5ns', '5mm', '1,5', '0x10', '1.5.', '1.5.5', '1..5', 'm', 'ms', '30m1h', '1h30', '1m1m', 'nan',
                 'inf', 'infinity', 'x', '1x', '1.5x', '1%', '\u0665', '-9223372036854775808', '1\n', '1\n2')
    too_large = ('1000000001', '1000000000.000000001', '1000000000001ms', '277778h', '16666667m', '9223372036',
                 '9223372037', '18446744073', '9223372036854775807', '9223372036854775807ms', '9223372036854775808',
                 '18446744073709551615', '18446744073709551616', '18446744073709551617', '9' * 20, '9' * 38,
                 '9' * 1000 + 'h')
    # Taken if it is within the limits of the option.
    others = ('0', '0ms', '.5', '1h30m', '1m.5s', '0.0000000009', '0.000000001', '1.5ms', '0.5ms', '500ms', '0.5',
              '1', '1.5', '2', '2s', '007', '00005', '5m', '3m', '1h', '1.5h', '1000000000', '1000000000.0',
              '1000000000s', '1000000000000ms', '999999999.999999999', '16666666m', '277777h',
              '0.50000000000000000000000001', '1.' + '9' * 100)
    units = {'': 1, 's': 1, 'ms': .001, 'm': 60, 'h': 3600}
    for row, spelling in ((row, spelling) for row in of_type('TIME') for spelling in row.spellings):
        least, most = row.least, min(row.most, 10 ** 18)
        for value in malformed:
            refused(3, ["invalid %s '%s': expected a time such as" % (row.spelling, shown(value))], spelling, value,
                    'a', '1')
        for value in too_large + others:
            nanoseconds = sum(int(Decimal(number) * Decimal(str(units[unit])) * 10 ** 9)
                              for number, unit in re.findall(r'([0-9.]+)([a-z]*)', value))
            if value in others and least <= nanoseconds <= most:
                parsed(spelling, value)
            else:
                refused(3, ["invalid %s '%s': expected" % (row.spelling, value), 'seconds'], spelling, value, 'a', '1')


def bytes_of(size):
    """The number of a size such as 64k."""
    digits = size.rstrip('kMGg')
    return int(digits) * 1024 ** ' kmg'.index(size[len(digits):].lower() or ' ')


def sizes():
    malformed = ('', ' 1', '1 ', '-1', '+1', '-64k', '1 k', 'k', 'M', '1kk', '64kk', '64kB', '1b', '64b', '64q', '1T',
                 '1P', '16E', '1e3', '0x10', '1.5k', '1.5M', 'x', '-2147483648', '64k\n')
    out_of_range = ('0', '00', '0k', '2147483648', '2097152k', '2048M', '2G', '2g', '4G', '4294967295', '4294967296',
                    '4294967297', '4294967360', '9007199254740992k', '9007199254740993k', '8796093022208M',
                    '8589934592G', '17179869184G', '17592186044416M', '18014398509481984k', '9223372036854775807',
                    '9223372036854775808', '18446744073709551615', '18446744073709551616', '18446744073709551617',
                    '9' * 32 + 'G', '9' * 1000)
    good = ('1', '007', '00001k', '1K', '64k', '64K', '10M', '10m', '1m', '1G', '1g', '2047M', '2097151k', '2147483647')
    for row, spelling in ((row, spelling) for row in of_type('SIZE') if row.most == LIMITS['INT32_MAX']
                          for spelling in row.spellings):
        for value in good:
            parsed(spelling, value)
        for values, text in (malformed, 'a size such as'), (out_of_range, 'a number from 1 to %d' % row.most):
            for value in values:
                if values is out_of_range and row.least <= bytes_of(value) <= row.most:
                    continue
                refused(3, ["invalid %s '%s': expected %s" % (row.spelling, shown(value), text)], spelling, value,
                        'a', '1')


def kinds_of_options():
    wanted = {
        'FLAG': '-N append-output broadcast crlf fastopen ipv4 ipv6 keep-open keepalive listen mptcp no-shutdown '
                'no-stdin nodns pass-fd probe random-ports raw recv-only reuse-port sctp send-only seqpacket telnet '
                'udp udplite unixsock verbose version vsock',
        'TIME': '-w delay idle-timeout keepalive-idle keepalive-interval linger quit-after user-timeout wait',
        'SIZE': 'rcvbuf sndbuf',
        'COUNT': 'keepalive-count min-ttl ready-fd recv-limit ttl',
        'NUMBER': 'mark',
        'ENUM': 'compat mtu-discovery nodelay until v6only',
        'OPTIONAL': 'help pty',
        'PORT': 'source-port',
        'HOST': 'source',
        'INTERFACE': 'interface',
        'USER': 'allow-uid',
        'FILE': 'hex-dump in out output',
        'STRING': 'congestion join sockopt tos',
    }
    got = {row.name or '-' + row.letter: row.type for row in ROWS.values()}
    for kind, names in wanted.items():
        for name in names.split():
            check(got.get(name), kind, name)


if __name__ == '__main__':
    main()
    all_is_well()
