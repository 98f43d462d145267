"""Probing, waiting and pinging with TLS."""
import contextlib
import json
import re
import ssl

from drive import accept, Cat, check, main, T, tcp, until
from tls import Peer, ROOT, server_context, serving


def port(listener):
    return str(listener.getsockname()[1])


def ends():
    """A probe says that it ends, and what it refuses."""
    there = tcp()
    take = serving(there, server_context())
    cat = Cat('-z', '--ssl', *ROOT, '127.0.0.1', port(there))
    check(take().read(), b'')
    cat.end()
    take = serving(there, server_context('untrusted'))
    cat = Cat('-z', '--ssl', *ROOT, '127.0.0.1', port(there))
    with contextlib.suppress(ssl.SSLError):
        take().read()
        cat.fail(0, 'the certificate is refused')
    cat.fail(60, 'verify the certificate of 127.0.0.1:[0-9]+: unable to get local issuer certificate')


def silent():
    """A server that does not answer in TLS is refused-by-tls at the end of the time."""
    there = tcp()
    cat = Cat('-z', '-w', '0.2', '--report=json:' + T + '/report', '--ssl', *ROOT, '127.0.0.1', port(there))
    cat.fail(28, 'TLS handshake with 127.0.0.1:[0-9]+: timed out')
    with open(T + '/report', encoding='utf-8') as file:
        probe = [event for event in map(json.loads, file) if event['event'] == 'probe'][0]
    check((probe['state'], probe['stage']), ('refused-by-tls', 'handshake'))


def banner():
    """What the server says first, and its answer to a request, inside TLS."""
    for words, sent, said, shown in ((('--banner',), b'', b'220 hello\r\n', '220 hello'),
                                     (('--banner=send:PING\\n',), b'PING\n', b'PONG', 'PONG')):
        there = tcp()
        take = serving(there, server_context())
        cat = Cat('-z', *words, '--ssl', *ROOT, '127.0.0.1', port(there))
        peer = take()
        if sent:
            check(peer.read(), sent)
        peer.s.sendall(b''.join(peer.records(said)))
        check(re.sub(' [0-9.]*ms', '', cat.end().decode()),
              '127.0.0.1:%s open: %s\n' % (port(there), shown))


def waits():
    """--wait-for ends when the server is verified; one that refuses TLS is not closed."""
    there = tcp()
    cat = Cat('-vv', '--wait-for', '--interval', '10ms', '--ssl', *ROOT, '127.0.0.1', port(there))
    accept(there).sendall(b'220 starting\r\n')
    until(lambda: "refused-by-tls: TLS handshake with 127.0.0.1:%s: the peer does not speak TLS; it sent '220 starting'"
          % port(there) in cat.errors(), 'the first refusal: ' + cat.errors())
    with contextlib.suppress(ssl.SSLError, OSError):
        Peer(accept(there), server_context('untrusted'), True).handshake().read()
    until(lambda: 'unable to get local issuer certificate' in cat.errors(), 'the second: ' + cat.errors())
    check(Peer(accept(there), server_context(), True).handshake().read(), b'')
    cat.end()
    cat = Cat('-vv', '--wait-for', '--until-closed', '--interval', '10ms', '--ssl', *ROOT, '127.0.0.1', port(there))
    for _ in range(3):
        accept(there).sendall(b'220 hello\r\n')
    there.close()
    cat.end()
    check(len(re.findall('refused-by-tls', cat.errors())) >= 2, True, cat.errors())


def ping():
    """Times of connecting and of the handshake; what is refused is a loss."""
    there = tcp()
    cat = Cat('--ping=tls', '--interval', '10ms', '--max-loss', '60', *ROOT, '127.0.0.1', port(there))
    for name in 'good', 'untrusted', 'good':
        with contextlib.suppress(ssl.SSLError, OSError):
            Peer(accept(there), server_context(name), True).handshake().read()
    until(lambda: 'seq=3' in cat.output().decode(), 'three tries: ' + cat.output().decode())
    cat.send(15)
    lines = cat.end().decode().splitlines()
    check([bool(re.search(wanted, line)) for wanted, line in zip(
        ('^connected to .* seq=1 time=[0-9.]+ ms.* tls=[0-9.]+ ms$',
         '^seq=2 refused-by-tls: verify the certificate of .*: unable to get', '^connected to .* seq=3'), lines)],
        [True] * 3, lines)
    time, handshake = (float(re.search(word + r'=([0-9.]+)', lines[0])[1]) for word in ('time', 'tls'))
    check(time >= handshake > 0, True, lines[0])


main()
