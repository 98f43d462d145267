"""Servers that change to TLS inside of another protocol."""
import contextlib
import re
import ssl
import threading

from drive import accept, Cat, check, dial, exactly, main, tcp
from tls import Peer, ROOT, server_context

XMPP = b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' " \
       b"version='1.0' to='localhost'>"
MYSQL = b'\x20\0\0\1\x01\x8a\0\0\0\0\0\1\x21' + bytes(23)

# What the server and the client say by turns; the server begins.
PROTOCOLS = {
    'smtp': (b'220-mail.example\r\n220 ESMTP\r\n', b'EHLO localhost\r\n', b'250-mail.example\r\n250 STARTTLS\r\n',
             b'STARTTLS\r\n', b'220 Go ahead\r\n'),
    'imap': (b'* OK ready\r\n', b'a STARTTLS\r\n', b'* CAPABILITY IMAP4rev1\r\na OK Begin\r\n'),
    'pop3': (b'+OK ready\r\n', b'STLS\r\n', b'+OK Begin\r\n'),
    'ftp': (b'220-Welcome\r\n to here\r\n220 end\r\n', b'AUTH TLS\r\n', b'234 Proceed\r\n'),
    'ldap': (b'', b'0\x1d\2\1\1w\x18\x80\x16' b'1.3.6.1.4.1.1466.20037', b'0\x0c\2\1\1x\7\n\1\0\4\0\4\0'),
    'xmpp': (b'', XMPP, b"<stream:stream id='1' version='1.0'><stream:features><starttls "
             b"xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
             b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
             b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
    'postgres': (b'', b'\0\0\0\x08\4\xd2\x16\x2f', b'S'),
    'mysql': (b'\x20\0\0\0\n8.0.36\0\7\0\0\0saltsalt\0\xff\xff\x21\2\0\xff\xdf\x15\0\0\0', MYSQL),
    'nntp': (b'200 ready\r\n', b'STARTTLS\r\n', b'382 Continue\r\n'),
    'sieve': (b'"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK\r\n', b'STARTTLS\r\n', b'OK "Begin"\r\n'),
}


def turns(s, turns_, slowly=False):
    """Take the turns of a server."""
    for i, text in enumerate(turns_):
        if i % 2:
            check(exactly(s, len(text)), text)
        elif slowly:
            for byte in text:
                s.sendall(bytes((byte,)))
        else:
            s.sendall(text)


def client(protocol, there, *options):
    return Cat('--starttls', protocol, *ROOT, '-4', *options, 'localhost', str(there.getsockname()[1]))


def protocols():
    """The session begins when TLS is established, and has what is sent inside of it only."""
    for protocol, script in PROTOCOLS.items():
        there = tcp()
        cat = client(protocol, there)
        s = accept(there)
        turns(s, script, slowly=protocol != 'xmpp')
        peer = Peer(s, server_context(), True).handshake()
        peer.s.sendall(b''.join(peer.records(b'hello')))
        check(peer.rest(), b'')
        check(cat.end(), b'hello', protocol)
        check(cat.errors(), '')


def behind():
    """Data after the answer, before TLS, is refused."""
    for protocol, script in PROTOCOLS.items():
        # MySQL's server does not answer the last request.
        script = script[:-1] if protocol == 'mysql' else script
        there = tcp()
        cat = client(protocol, there)
        s = accept(there)
        with contextlib.suppress(OSError):
            turns(s, script[:-1] + (script[-1] + b'250 evil\r\n',))
        cat.fail(35, r'STARTTLS \(%s\) with localhost:[0-9]+: the server sent data after its answer' % protocol)
        check(cat.output(), b'')
        s.close()


def refused():
    """A server that refuses, ends or is something else is named with what it answered."""
    for protocol, script, message in (
            ('smtp', (b'220 x\r\n', b'EHLO localhost\r\n', b'250 x\r\n', b'STARTTLS\r\n', b'454 TLS not \x1b[2Javailable\r\n'),
             r"the server refused TLS: '454 TLS not \^\[\[2Javailable'$"),
            ('smtp', (b'SSH-2.0-OpenSSH_9.2\r\n',), "the server answered: 'SSH-2.0-OpenSSH_9.2'$"),
            ('imap', (b'* PREAUTH x\r\n',), r"the server answered: '\* PREAUTH x'$"),
            ('ldap', (b'', PROTOCOLS['ldap'][1], b'0\x0c\2\1\1x\7\n\1\x34\4\0\4\0'), r'the server refused TLS: unavailable \(code 52\)$'),
            ('postgres', (b'', PROTOCOLS['postgres'][1], b'N'), 'the server does not offer TLS$'),
            ('postgres', (b'', PROTOCOLS['postgres'][1], b'E\0\0\0\x10SFATAL\0Mno\0\0'),
             "the server refused the connection: 'no'$"),
            ('mysql', (b'\7\0\0\0\xff\x6a\4Host',), r"the server refused the connection \(error 1130\): 'Host'$"),
            ('xmpp', (b'', XMPP, b'<stream:stream><stream:features/>'), "the server does not offer TLS: '<stream:features/>'$"),
            ('xmpp', (b'', XMPP, b'<stream:stream><stream:error><host-unknown/></stream:error>'),
             "the server answered: '<host-unknown/>'$"),
            ('smtp', (b'5\x0000 \0\r\n',), r"the server answered: '5\^@00 \^@'$"),
            ('smtp', (b'220-' + b'x' * 20000,), r"the answers are longer than 16 KiB: '220-x{116}'\.\.\.$"),
            ('imap', (b'',), 'the server closed the connection without an answer; if the server expects TLS at once, '
                             'use TLS without --starttls$'),
            ('ldap', (b'', PROTOCOLS['ldap'][1], b'\x15\3\1\0\2\2\x28'), 'the server expects TLS at once; use TLS without --starttls$'),
            ('imap', (b'\x15\3\1\0\2\2\x28',), 'the server expects TLS at once; use TLS without --starttls$'),
            ('pop3', (b'+OK x\r\n', b'STLS\r\n'), 'the server closed the connection$'),
            ('pop3', (b'+OK x\r\n', b'STLS\r\n', b'+O'), "the server closed the connection inside its answer: '\\+O'$")):
        there = tcp()
        cat = client(protocol, there)
        s = accept(there)
        turns(s, script)
        s.close()
        cat.fail(35, r'STARTTLS \(%s\) with localhost:[0-9]+: %s' % (protocol, message))


def silent():
    """The time of --wait is that of the conversation, too."""
    there = tcp()
    cat = client('smtp', there, '--wait', '0.2')
    s = accept(there)
    s.sendall(b'220-')
    cat.fail(28, r"timed out inside its answer: '220-'$")
    s.close()
    cat = client('smtp', there, '--wait', '0.2')
    s = accept(there)
    cat.fail(28, r'timed out without an answer; if the server expects TLS at once, use TLS without --starttls$')
    s.close()


def probed():
    """-z is open if TLS is established after the conversation, otherwise refused-by-tls."""
    there = tcp()
    cat = client('smtp', there, '-z')
    s = accept(there)
    turns(s, PROTOCOLS['smtp'])
    check(Peer(s, server_context(), True).handshake().read(), b'')
    cat.end()
    cat = client('smtp', there, '-zv')
    s = accept(there)
    s.sendall(b'554 no\r\n')
    cat.end(35)
    check("STARTTLS (smtp) with localhost:%d: the server answered: '554 no'" % there.getsockname()[1] in cat.errors(),
          True, cat.errors())


def target():
    """A listener without TLS relays to a server that changes to TLS."""
    there = tcp()
    cat = Cat('-l', '127.0.0.1', '0', '--starttls', 'imap', *ROOT, '--to',
              'tls://127.0.0.1:%d' % there.getsockname()[1])
    found = []

    def serve():
        with contextlib.suppress(ssl.SSLError, OSError):
            s = accept(there)
            turns(s, PROTOCOLS['imap'])
            peer = Peer(s, server_context(), True).handshake()
            found.append(peer.rest())
            peer.s.sendall(b''.join(peer.records(b'a OK\r\n')))
    thread = threading.Thread(target=serve)
    thread.start()
    near = dial(cat)
    near.sendall(b'a NOOP\r\n')
    near.shutdown(1)
    check(exactly(near, 100), b'a OK\r\n')
    thread.join()
    check(found, [b'a NOOP\r\n'])
    cat.end()
    check(re.findall('STARTTLS', cat.errors()), [])


main()
