"""Connections through proxies: scripted ones that cut, delay and say too much, and those that people run."""
import atexit
import hashlib
import os
import re
import signal
import socket
import subprocess
import threading

from drive import Cat, accept, check, check_unconnected, end, exactly, LIMIT, main, refusal, secret, T, tcp, to_end, until

HTTP = b'CONNECT name.test:7 HTTP/1.1\r\nHost: name.test:7\r\n'
NAMED = b'\5\1\0\3\x09name.test\0\7'
# What the proxy is sent, and what it answers, by turns.
TALKS = {
    'socks4a': [(b'\4\1\0\7\0\0\0\1\0name.test\0', b'\0\x5a\1\2\3\4\5\6')],
    'socks5h': [(b'\5\1\0', b'\5\0'), (NAMED, b'\5\0\0\1\1\2\3\4\5\6')],
    'http': [(HTTP + b'\r\n', b'HTTP/1.1 200 OK\r\nVia: x\r\n\r\n')],
}


def sockcat(*args):
    return subprocess.Popen([os.environ['SOCKCAT'], *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def through(listener, scheme, *args):
    return sockcat('--proxy', '%s://127.0.0.1:%d' % (scheme, listener.getsockname()[1]), *args, 'name.test', '7')


def answer(s, talk, most, each=None, more=b''):
    """Take the turns up to this number of bytes of answers, in pieces; `more` follows in the last one."""
    for i, (question, reply) in enumerate(talk):
        check(exactly(s, len(question)), question)
        reply = reply[:most]
        most -= len(reply)
        if i == len(talk) - 1:
            reply += more
        for at in range(0, len(reply), each or len(reply) or 1):
            s.sendall(reply[at:at + (each or len(reply))])
        if not most and i < len(talk) - 1:
            return


def no_byte_is_lost():
    """Whatever follows the answer in the same packet belongs to the stream, and what is sent arrives after it."""
    for scheme, talk in TALKS.items():
        for each in None, 1, 3:
            listener = tcp()
            cat = through(listener, scheme, '-N')
            s = accept(listener)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answer(s, talk, 1000, each, b'first\r\n\r\nHTTP/1.1 200 OK\r\n\r\n')
            out = threading.Thread(target=lambda: check(to_end(s), b'x' * 300000))
            out.start()
            s.sendall(b'y' * 300000)
            s.shutdown(socket.SHUT_WR)
            got, err = end(cat, 0, b'x' * 300000)
            check(got, b'first\r\n\r\nHTTP/1.1 200 OK\r\n\r\n' + b'y' * 300000, scheme)
            check(err, b'')
            out.join()


def a_cut_is_never_success():
    for scheme, talk in TALKS.items():
        total = sum(len(reply) for _, reply in talk)
        for cut in range(total):
            listener = tcp()
            cat = through(listener, scheme)
            s = accept(listener)
            answer(s, talk, cut)
            s.close()
            # A proxy that has not read all of the request resets the connection.
            refusal(cat, 97, rb'name\.test:7: proxy 1 \(%s 127\.0\.0\.1:\d+\): (.*: Connection reset by peer'
                    rb'|the connection was closed %s)' % (
                        scheme.encode(), b'inside the answer' if cut else b'without an answer'), (scheme, cut))


REFUSALS = [
    ('socks5h', [b'\5\xff'], 'authentication required$'),
    ('socks5h', [b'\5\0', b'\5\1'], r'general failure \(code 1\)$'),
    ('socks5h', [b'\5\0', b'\5\2\0\1\0\0\0\0\0\0'], r'not allowed by its rules \(code 2\)$'),
    ('socks5h', [b'\5\0', b'\5\4'], r'target: host unreachable \(code 4\)$'),
    ('socks5h', [b'\5\0', b'\5\5'], r'target: connection refused \(code 5\)$'),
    ('socks5h', [b'HTTP/1.1 400 Bad Request\r\n\r\n'], 'it is an HTTP proxy$'),
    ('socks4a', [b'\0\x5b\0\0\0\0\0\0'], r'rejected or failed \(code 91\)$'),
    ('http', [b'\5\xff'], 'the answer is not HTTP/1$'),
    ('http', [b'SSH-2.0-x\r\n'], 'the answer is not HTTP/1$'),
    ('http', [b'HTTP/1.1 403 \x1b[31mNo\r\n\r\n<html>'], r'forbidden \(status 403\)$'),
    ('http', [b'HTTP/1.1 407 No\r\n\r\n'], r'authentication required \(status 407\)$'),
    ('http', [b'HTTP/1.1 502 No\r\n\r\n'], r'target: bad gateway \(status 502\)$'),
    ('http', [b'HTTP/1.1 200 OK\r\n' + b'A: b\r\n' * 100], 'the answer has more than 100 lines$'),
    ('http', [b'HTTP/1.1 200 OK\r\nA: ' + b'b' * 16384], 'the answer is longer than 16 KiB$'),
]


def refusals():
    """Each is status 97 and one line with the proxy and the cause, in words of this program."""
    for scheme, replies, pattern in REFUSALS:
        listener = tcp()
        cat = through(listener, scheme)
        s = accept(listener)
        for (question, _), reply in zip(TALKS[scheme], replies):
            check(exactly(s, len(question)), question)
            s.sendall(reply)
        refusal(cat, 97, (r'connect name\.test:7: proxy 1 \(%s [0-9.:]+\): ' % scheme + pattern).encode(),
                (scheme, replies))


def silence():
    """A proxy that says nothing, or not enough, has the time of --wait, as all of them together."""
    for scheme, talk in TALKS.items():
        listener = tcp()
        cat = through(listener, scheme, '--wait', '300ms')
        s = accept(listener)
        answer(s, talk, 1)
        refusal(cat, 28, rb'connect name\.test:7: proxy 1 \(.*\): timed out$', scheme)


def refused_then(first, second, rest=b'', chain=False, header=b''):
    """A proxy that does not connect to the first of two addresses, and what follows on a new connection."""
    listener = tcp()
    where = '127.0.0.1:%d' % listener.getsockname()[1]
    before = [(header % listener.getsockname()[1], b'')] if header else []
    proxies = ['--proxy', 'socks5://' + where]
    if chain:
        proxies = ['--proxy', 'http://' + where, '--proxy', 'socks5://127.0.0.9']
        before.append((b'CONNECT 127.0.0.9:1080 HTTP/1.1\r\nHost: 127.0.0.9:1080\r\n\r\n', b'HTTP/1.1 200 OK\r\n\r\n'))
    if header:
        proxies += ['--send-proxy=1', '--proxy-source', '192.0.2.9:5']
    cat = sockcat('--resolve', 'two.test:7:2001:db8::1,192.0.2.2', *proxies, 'two.test', '7')
    asked = b'\5\1\0\4' + socket.inet_pton(socket.AF_INET6, '2001:db8::1') + b'\0\7', b'\5\1\0\1\xc0\0\2\2\0\7'
    for question, reply, more in (asked[0], first, b''), (asked[1], second, rest):
        s = accept(listener)
        answer(s, before + [(b'\5\1\0', b'\5\0'), (question, reply)], 1000, 1, more)
        if question == asked[0]:
            # The rest of an answer may not have been read.
            try:
                check(to_end(s), b'')
            except ConnectionResetError:
                pass
        s.close()
    return cat


def next_address():
    """Names that are resolved here: each address is asked for, on a connection of its own."""
    good = b'\5\0\0\1\1\2\3\4\5\6'
    for first in b'\5\4', b'\5\1\0\1\0\0\0\0\0\0', b'\5\x08':
        check(end(refused_then(first, good, b'hello')), (b'hello', b''), first)
    check(end(refused_then(b'\5\5', good, b'hello', True)), (b'hello', b''))
    check(end(refused_then(b'\5\5', good, b'hello', True, b'PROXY TCP4 192.0.2.9 127.0.0.1 5 %d\r\n')), (b'hello', b''))
    refusal(refused_then(b'\5\4', b'\5\5'), 97, rb'connect two\.test:7: proxy 1 \(socks5 127\.0\.0\.1:\d+\): '
            rb'\[2001:db8::1\]:7: target: host unreachable \(code 4\); 192\.0\.2\.2:7: target: connection refused '
            rb'\(code 5\)$', 'both')
    # What does not depend on the address is final.
    for replies in [b'\5\xff'], [b'HT']:
        listener = tcp()
        cat = sockcat('--resolve', 'two.test:7:192.0.2.1,192.0.2.2', '--proxy',
                      'socks5://127.0.0.1:%d' % listener.getsockname()[1], 'two.test', '7')
        answer(accept(listener), [(b'\5\1\0', replies[0])], 1000)
        refusal(cat, 97, rb'proxy 1', replies)
        check_unconnected(listener)


TUNNEL = 'HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n'
# Refusals of each scheme that may pass, and some that do not.
TRANSIENT = [
    ('http', [(TUNNEL % status).encode() for status in ('502 x', '503 x', '504 x', '500 x', '429 x', '408 x')]),
    ('socks5h', [b'\5' + bytes([code]) + b'\0\1' + bytes(6) for code in (1, 3, 4, 5, 6)]),
    ('socks4a', [b'\0\x5b' + bytes(6)]),
]
FINAL = [
    ('http', (TUNNEL % '403 x').encode(), b'forbidden .status 403.'),
    ('http', (TUNNEL % '407 x').encode(), b'authentication required .status 407.'),
    ('http', (TUNNEL % '400 x').encode(), b'bad request .status 400.'),
    ('http', b'SSH-2.0-x\r\n......', b'the answer is not HTTP/1'),
    ('socks5h', b'\5\2\0\1' + bytes(6), b'not allowed by its rules .code 2.'),
    ('socks4a', b'\0\x5d' + bytes(6), b'identd reports another user .code 93.'),
]


def replied(listener, scheme, reply):
    """A connection to the proxy whose last answer is this one."""
    s = accept(listener)
    talk = TALKS[scheme]
    answer(s, talk[:-1] + [(talk[-1][0], reply)], 1000)
    return s


def retried():
    """What may pass is asked for again, on a new connection; the data are sent once."""
    for scheme, refusals_ in TRANSIENT:
        good = TALKS[scheme][-1][1]
        for reply in refusals_:
            listener = tcp()
            cat = through(listener, scheme, '-v', '--retry=2', '--retry-delay', '1ms', '-N')
            for _ in range(2):
                replied(listener, scheme, reply)
            s = replied(listener, scheme, good + b'hello')
            s.shutdown(socket.SHUT_WR)
            out, err = end(cat, 0, b'data')
            check((out, to_end(s)), (b'hello', b'data'), (scheme, reply))
            check(re.findall(rb'(\w+ \d+)\); retry (\d) in 1\.0ms\n', err)[:2][1][1], b'2', err)
            check_unconnected(listener)


def not_retried():
    """The last one is the result, and what does not pass is final at once."""
    for scheme, refusals_ in TRANSIENT:
        listener = tcp()
        cat = through(listener, scheme, '--retry=1', '--retry-delay', '1ms')
        for _ in range(2):
            replied(listener, scheme, refusals_[0])
        refusal(cat, 97, rb'\(\w+ \d+\) \(2 attempts\)$', scheme)
        check_unconnected(listener)
    for scheme, reply, words in FINAL:
        listener = tcp()
        cat = through(listener, scheme, '--retry', '--retry-delay', '1ms')
        replied(listener, scheme, reply)
        refusal(cat, 97, words + rb'$', reply)
        check_unconnected(listener)
        # After one that may pass, too.
        listener = tcp()
        cat = through(listener, scheme, '--retry', '--retry-delay', '1ms')
        replied(listener, scheme, dict(TRANSIENT)[scheme][0])
        replied(listener, scheme, reply)
        refusal(cat, 97, words + rb' \(2 attempts\)$', reply)
        check_unconnected(listener)


def retried_in_chain():
    """Retries of the first connection and of each proxy are counted together; each try has the time of --wait."""
    listener = tcp()
    where = 'http://127.0.0.1:%d' % listener.getsockname()[1]
    next_one = b'CONNECT b:8 HTTP/1.1\r\nHost: b:8\r\n\r\n'
    good = (TUNNEL % '200 x').encode()
    cat = sockcat('-v', '--retry=3', '--retry-delay', '1ms', '--wait', '1s', '--send-proxy=1', '--proxy', where, '--proxy',
                  'http://b:8', 'name.test', '7')
    for replies in [b'503'], [b'200', b'502'], [], [b'200', b'200']:
        s = accept(listener)
        header = b''
        while not header.endswith(b'\r\n'):
            header += exactly(s, 1)
        check(header.startswith(b'PROXY TCP4 127.0.0.1 127.0.0.1 '), True, header)
        for question, reply in zip([next_one, HTTP + b'\r\n'], replies):
            check(exactly(s, len(question)), question)
            s.sendall(good.replace(b'200', reply))
        if not replies:
            check(exactly(s, 1000), next_one)  # until it has timed out
    s.sendall(b'hello')
    s.close()
    out, err = end(cat)
    check((out, err.count(b'; retry ')), (b'hello', 3), err)
    check(b'b:8: proxy 1 (http 127.0.0.1' in err and b'timed out; retry 3 in' in err, True, err)
    # The proxy itself goes away.
    cat = sockcat('--retry=2', '--retry-delay', '1ms', '--proxy', where, 'name.test', '7')
    s = replied(listener, 'http', (TUNNEL % '503 x').encode())
    listener.close()
    s.close()
    out, err = end(cat, 7)
    check(bool(re.fullmatch(rb'sockcat: connect proxy 127\.0\.0\.1:\d+: Connection refused \(3 attempts\)\n', err)), True, err)


def retried_elsewhere():
    """The target of a client of --to, one of a proxy server, a connection that is passed; a name is looked up again."""
    proxy = tcp()
    url = 'socks5h://127.0.0.1:%d' % proxy.getsockname()[1]
    good, bad = TALKS['socks5h'][-1][1], b'\5\5\0\1' + bytes(6)
    retry = ['--retry', '--retry-delay', '1ms', '--proxy', url]
    cat = Cat('-l', '-k', *retry, '--to', 'name.test:7', '127.0.0.1', '0')
    front = Cat('-l', '-k', *retry, '--proxy-server=http', '127.0.0.1', '0')
    for listener, first, greeting in (cat, b'', b''), (front, HTTP + b'\r\n', b'HTTP/1.1 200 '):
        near = socket.create_connection(listener.address(), LIMIT)
        near.sendall(first + b'hello')
        for _ in range(3):
            replied(proxy, 'socks5h', bad)
        far = replied(proxy, 'socks5h', good)
        check(exactly(far, 5), b'hello')
        check(exactly(near, len(greeting)), greeting)
        listener.process.kill()
    process, mine = passing(*retry)
    replied(proxy, 'socks5h', bad)
    far = replied(proxy, 'socks5h', good)
    _, fds, _, _ = socket.recv_fds(mine, 10, 3)
    far.sendall(b'hello')
    check(exactly(socket.socket(fileno=fds[0]), 5), b'hello')
    end(process)


def retry_ended():
    """A signal in the pause ends it at once, and the last failure is printed."""
    listener = tcp()
    cat = through(listener, 'http', '-v', '--retry', '--retry-delay', '1h')
    replied(listener, 'http', (TUNNEL % '503 x').encode())
    os.set_blocking(cat.stderr.fileno(), True)
    line = b''
    while b'; retry 1 in' not in line:
        line = cat.stderr.readline()
    cat.send_signal(signal.SIGTERM)
    out, err = end(cat, -signal.SIGTERM)
    check(bool(re.fullmatch(rb'sockcat: .*: target: service unavailable \(status 503\) \(1 attempt\)\n', err)), True, err)


def passing(*args):
    mine, yours = socket.socketpair()
    mine.settimeout(LIMIT)
    process = subprocess.Popen([os.environ['SOCKCAT'], '-F', *args, 'name.test', '7'], stdin=subprocess.DEVNULL,
                               stdout=yours, stderr=subprocess.PIPE)
    yours.close()
    return process, mine


def passed():
    """One proxy, a chain of two, and a header of the PROXY protocol before them."""
    listener = tcp()
    first = '127.0.0.1:%d' % listener.getsockname()[1]
    second = b'CONNECT 127.0.0.9:1080 HTTP/1.1\r\nHost: 127.0.0.9:1080\r\n\r\n', b'HTTP/1.1 200 OK\r\n\r\n'
    for args, turns in (['--proxy', 'socks5h://' + first], TALKS['socks5h']), \
            (['--proxy', 'http://' + first, '--proxy', 'socks5h://127.0.0.9'], [second] + TALKS['socks5h']), \
            (['--send-proxy=1', '--proxy-source', '192.0.2.1:5', '--proxy', 'socks4a://' + first],
             [(b'PROXY TCP4 192.0.2.1 127.0.0.1 5 %d\r\n' % listener.getsockname()[1], b'')] + TALKS['socks4a']):
        process, mine = passing(*args)
        s = accept(listener)
        answer(s, turns, 1000, None, b'hello')
        data, fds, _, _ = socket.recv_fds(mine, 10, 3)
        check((len(data), len(fds), os.get_blocking(fds[0])), (1, 1, True), args)
        check((process.wait(LIMIT), process.stderr.read()), (0, b''))
        connection = socket.socket(fileno=fds[0])
        check(exactly(connection, 5), b'hello', args)
        connection.sendall(b'back')
        connection.close()
        check(to_end(s), b'back')


def not_passed():
    listener = tcp()
    proxy = 'socks5h://127.0.0.1:%d' % listener.getsockname()[1]
    for replies, status, pattern in ([b'\5\xff'], 97, b'authentication required'), ([], 28, b'timed out'):
        process, mine = passing('--wait', '%dms' % (300 if status == 28 else 20000), '--proxy', proxy)
        s = accept(listener)
        check(exactly(s, 3), b'\5\1\0')
        for reply in replies:
            s.sendall(reply)
        check(mine.recv(1), b'')
        check((process.wait(LIMIT), pattern in (err := process.stderr.read()), err.count(b'\n')), (status, True, 1), err)


def challenged(s, fields, body=b'no', version=b'1'):
    """Take a request, and answer it with status 407; what was asked."""
    asked = b''
    while b'\r\n\r\n' not in asked:
        asked += s.recv(1)
    s.sendall(b'HTTP/1.%s 407 No\r\n' % version + ''.join(field + '\r\n' for field in fields).encode() + b'\r\n' + body)
    return asked.decode()


def log_in(s, algorithm):
    """Take the request with the login, which is that of RFC 7616, and answer it."""
    function = {'MD5': hashlib.md5, 'SHA-256': hashlib.sha256}[algorithm]

    def h(*parts):
        return function(':'.join(parts).encode()).hexdigest()
    asked = b''
    while b'\r\n\r\n' not in asked:
        asked += s.recv(1)
    found = re.fullmatch(
        re.escape(HTTP.decode()) + r'Proxy-Authorization: Digest username="me", realm="here", nonce="n1", '
        r'uri="name\.test:7", response="(\w+)", algorithm=%s, qop=auth, nc=00000001, cnonce="(\w{32})"\r\n\r\n' % algorithm,
        asked.decode())
    check(bool(found), True, asked)
    check(found[1], h(h('me', 'here', 'secret'), 'n1', '00000001', found[2], 'auth', h('CONNECT', 'name.test:7')))
    s.sendall(b'HTTP/1.1 200 OK\r\n\r\nfirst')
    s.close()


def digest():
    """The answer is on the same connection, and the tunnel loses no byte."""
    os.environ['SOCKCAT_PROXY_AUTH'] = 'me:secret'
    for algorithm in 'MD5', 'SHA-256':
        listener = tcp()
        cat = through(listener, 'http', '--proxy-digest', '--until=peer')
        s = accept(listener)
        asked = challenged(s, ['Proxy-Authenticate: Basic realm="here"', 'content-length: 2', 'Proxy-Authenticate: '
                               'Digest realm="here", nonce="n1", qop="auth", algorithm=' + algorithm])
        check(asked, HTTP.decode() + '\r\n')
        log_in(s, algorithm)
        check(end(cat), (b'first', b''))
        check_unconnected(listener)


DIGEST = 'Proxy-Authenticate: Digest realm="here", nonce="n1", qop="auth"'


def digest_again():
    """A proxy that closes the connection, or says no length, is connected to again, once."""
    os.environ['SOCKCAT_PROXY_AUTH'] = 'me:secret'
    for fields, version in (([], b'1'), (['Content-Length: 2', 'Connection: close'], b'1'), (['Content-Length: 999999'], b'1'),
                            (['Content-Length: 2', 'Proxy-Connection: Close'], b'1'), (['Content-Length: 2'], b'0'),
                            (['Transfer-Encoding: chunked', 'Content-Length: 2'], b'1')):
        listener = tcp()
        cat = through(listener, 'http', '--proxy-digest', '--until=peer')
        s = accept(listener)
        challenged(s, [DIGEST, *fields], version=version)
        s.close()
        log_in(accept(listener), 'MD5')
        check(end(cat), (b'first', b''), fields)
        cat = through(listener, 'http', '--proxy-digest')
        for _ in range(2):
            challenged(accept(listener), [DIGEST, *fields], version=version)
        refusal(cat, 97, b'authentication required .status 407.$', fields)
        check_unconnected(listener)
    # Both proxies of a chain.
    listener = tcp()
    url = 'http://me@127.0.0.1:%d' % listener.getsockname()[1]
    cat = sockcat('--proxy-digest', '--until=peer', '--proxy', url, '--proxy', 'http://me@b:8', 'name.test', '7')

    def first():
        check(challenged(accept(listener), [DIGEST, 'Connection: close']).split()[1], 'b:8')
        s, asked = accept(listener), b''
        while b'\r\n\r\n' not in asked:
            asked += s.recv(1)
        check((b'CONNECT b:8 ' in asked, b'Digest username="me"' in asked), (True, True), asked)
        s.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
        return s
    challenged(first(), [DIGEST, 'Connection: close'])
    log_in(first(), 'MD5')
    check(end(cat), (b'first', b''))


def no_digest():
    """No login is sent to a proxy that offers none; a wrong one is tried once."""
    os.environ['SOCKCAT_PROXY_AUTH'] = 'me:secret'
    for fields in (['Proxy-Authenticate: Basic realm="here"', 'Content-Length: 2'],
                   [DIGEST + ', algorithm=MD5-sess', 'Content-Length: 2']):
        listener = tcp()
        cat = through(listener, 'http', '--proxy-digest')
        s = accept(listener)
        challenged(s, fields)
        refusal(cat, 97, b'it offers no login with Digest', fields)
    listener = tcp()
    cat = through(listener, 'http', '--proxy-digest')
    s = accept(listener)
    for _ in range(2):
        challenged(s, [DIGEST, 'Content-Length: 2'])
    refusal(cat, 97, b'authentication required .status 407.$', 'twice')


# --- in a network namespace, where ports are free ---

FILES = {'danted': """
internal: 127.0.0.1 port = 1081
external: lo
clientmethod: none
socksmethod: none
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
""", 'tinyproxy': 'Port 3128\nListen 127.0.0.1\nMaxClients 20\nTimeout 60\n'}
# Peers that require user and password, and the options that they have.
LOGINS = {
    'microsocks': ('microsocks -i 127.0.0.1 -p 1090 -u me -P secret', 'socks5h', 1090),
    'tinyproxy': ('tinyproxy -d -c login.conf', 'http', 3138),
    'ncat': ('ncat -lk --proxy-type http --proxy-auth me:secret 127.0.0.1 3139', 'http', 3139),
}
PEERS = {
    'microsocks': ('microsocks -i 127.0.0.1 -p 1080', ['socks5', 'socks5h'], 1080),
    'danted': ('danted -f danted.conf', ['socks5', 'socks5h', 'socks4', 'socks4a'], 1081),
    'tinyproxy': ('tinyproxy -d -c tinyproxy.conf', ['http'], 3128),
    'ncat': ('ncat -lk --proxy-type http 127.0.0.1 3129', ['http'], 3129),
}


def logged_in(echo, names):
    """The right password is taken, a wrong one is refused, and without one that is said."""
    with open(T + '/login.conf', 'w') as file:
        file.write('Port 3138\nListen 127.0.0.1\nMaxClients 20\nTimeout 60\nBasicAuth me secret\n')
    logins = secret('# a comment\n\nother:wrong\r\nme:secret\r\n')
    for name in LOGINS.keys() & set(names):
        url = start(name, *LOGINS[name])[0]
        relayed(echo, url.replace('//', '//me@'), '--proxy-auth-file', logins)
        for words in ([], ['--proxy-auth', 'me']):
            refusal(sockcat('--proxy', url, *words, '127.0.0.1', '9'), 97, b'authentication|wrong user|unauthorized', (url, words))
        os.environ['SOCKCAT_PROXY_AUTH'] = 'me:secret'
        relayed(echo, url)
        del os.environ['SOCKCAT_PROXY_AUTH']


def serve(name):
    """Start the peer; its URLs."""
    command, schemes, port = PEERS[name]
    if name in FILES:
        with open('%s/%s.conf' % (T, name), 'w') as file:
            file.write(FILES[name])
    return start(name, command, schemes, port)


def start(name, command, schemes, port):
    schemes = [schemes] if isinstance(schemes, str) else schemes
    process = subprocess.Popen(command.split(), cwd=T, stdin=subprocess.DEVNULL, start_new_session=True,
                               stdout=open('%s/%s.out' % (T, name), 'wb'), stderr=subprocess.STDOUT)

    # The whole group: dante has many processes.
    atexit.register(os.killpg, process.pid, signal.SIGKILL)

    def up():
        check(process.poll(), None, name)
        with socket.socket() as s:
            return s.connect_ex(('127.0.0.1', port)) == 0
    until(up, name)
    return ['%s://127.0.0.1:%d' % (scheme, port) for scheme in schemes]


def relayed(echo, *proxies):
    """Much goes to the target and back; the target is a listener of one client."""
    words = []
    for proxy in proxies:
        words += ['--proxy', proxy] if '://' in proxy else [proxy]
    cat = sockcat(*words, '--until=peer', 'localhost' if 'socks4://' in proxies[-1] else '127.0.0.1',
                  str(echo.getsockname()[1]))
    data = os.urandom(500000)

    def answer_all():
        s = accept(echo)
        s.sendall(exactly(s, len(data)))
        s.close()
    thread = threading.Thread(target=answer_all)
    thread.start()
    out, err = end(cat, 0, data)
    thread.join(LIMIT)
    check((out == data, err), (True, b''), proxies)


def peers(*names):
    """Each peer with each of its protocols; chains of two and of three; refused targets."""
    echo, urls = tcp(), {name: serve(name) for name in names}
    for name in names:
        for url in urls[name]:
            relayed(echo, url)
    for first in names:
        for second in names:
            if first != second:
                relayed(echo, urls[first][-1], urls[second][0])
    if len(names) > 2:
        relayed(echo, *[urls[name][-1] for name in names[:3]])
    logged_in(echo, names)
    for name in names:
        for url in urls[name]:
            refusal(sockcat('--proxy', url, '127.0.0.1', '9'), 97,
                    rb'connect 127\.0\.0\.1:9: proxy 1 \(.*\): [a-z]', url)
    # The letters of nc, and what a listener forwards to.
    port = str(echo.getsockname()[1])
    for words in (['-x', '127.0.0.1:1080'], ['-X', '5', '-x127.0.0.1'], ['--proxy-type=socks5', '--proxy', '127.0.0.1']):
        if 'microsocks' in names:
            cat = sockcat(*words, '-d', '127.0.0.1', port)
            s = accept(echo)
            s.sendall(b'hello')
            s.close()
            check(end(cat), (b'hello', b''), words)
    listener = Cat('-l', '-k', '127.0.0.1', '0', '--proxy', urls[names[0]][0], '--to', '127.0.0.1:' + port)
    near = socket.create_connection(listener.address(), LIMIT)
    near.sendall(b'hello')
    check(exactly(accept(echo), 5), b'hello')
    listener.stop()


if __name__ == '__main__':
    main()
