"""Options of a client together with TLS: the data of both sides, and the status."""
import hashlib
import json
import os
import re
import socket
import subprocess

from drive import Cat, check, main, T, tcp
from tls import client, Peer, ROOT, server_context, serving


def talk(sent, said, *options, data=b'', status=0, notify=True):
    """A client with this standard input; what the server gets, and what it says; the output and the client."""
    with open(T + '/data', 'wb') as file:
        file.write(data)
    with open(T + '/data', 'rb') as file:
        cat, peer = client(server_context(), *options, stdin=file)
    got = b''
    while len(got) < len(sent) and (part := peer.read()):
        got += part
    check(got, sent, options)
    peer.s.sendall(b''.join(peer.records(*([said] if said else []), notify=notify)))
    if not notify:
        peer.s.shutdown(socket.SHUT_WR)
    output = cat.end(status)
    peer.s.close()
    return output, cat


def transforms():
    """Frames, line ends and telnet are inside of TLS."""
    check(talk(b'5:hello,', b'2:hi,', '--frame', 'netstring', '--stdio-frame', 'line', data=b'hello\n')[0], b'hi\n')
    check(talk(b'5:hello,', b'2:h', '--frame', 'netstring', '--stdio-frame', 'line', data=b'hello\n', status=18)[0], b'')
    check(talk(b'a\r\nb\r\n', b'c\n', '-C', data=b'a\nb\r\n')[0], b'c\n')
    cat, peer = client(server_context(), '-t', '-d')
    peer.s.sendall(b''.join(peer.records(b'a\xff\xfd\x01b', notify=False)))
    check(peer.read(), b'\xff\xfc\x01')
    peer.s.sendall(b''.join(peer.records()))
    check(cat.end(), b'ab')


def measured():
    """Digests, expectations, rates and pauses are those of the plain data."""
    data = b'x' * 20000
    output, cat = talk(data, b'hello', '--digest', '--rate', '100000', '-i', '1ms', '--progress=json', data=data)
    check(output, b'hello')
    for name, text in (('sent', data), ('received', b'hello')):
        check('SHA256 (%s) = %s\n' % (name, hashlib.sha256(text).hexdigest()) in cat.errors(), True, cat.errors())
    moved = [json.loads(line) for line in cat.errors().splitlines() if line.startswith('{')]
    check(moved[-1]['bytes'], {'sent': 20000, 'received': 5}, cat.errors())
    check(talk(b'', b'hello', '--expect', '5')[0], b'hello')
    talk(b'', b'hello', '--expect', '6', status=18)
    talk(b'', b'hello', '--expect-digest', hashlib.sha256(b'hello').hexdigest())
    talk(b'', b'hello', '--expect-digest', hashlib.sha256(b'hell').hexdigest(), status=18)


def files():
    """--in is sent; a file of --out is there only if the server has said that it ends."""
    with open(T + '/in', 'wb') as file:
        file.write(b'question')
    talk(b'question', b'answer', '--in', T + '/in', '--out', T + '/out')
    with open(T + '/out', 'rb') as file:
        check(file.read(), b'answer')
    talk(b'question', b'answer', '--in', T + '/in', '--out', T + '/cut', status=18, notify=False)
    check(os.path.exists(T + '/cut'), False)


def ends():
    """The ends that options choose."""
    check(talk(b'', b'hello', '-d')[0], b'hello')
    check(talk(b'', b'hello', '--recv-only')[0], b'hello')
    check(talk(b'', b'hello', '-W', '1', notify=False, status=0)[0], b'hello')
    # No close_notify is sent before the server's.
    cat, peer = client(server_context(), '--end=keep', stdin=subprocess.PIPE)
    cat.process.stdin.write(b'question')
    cat.process.stdin.close()
    check(peer.read(), b'question')
    peer.s.sendall(b''.join(peer.records(b'answer', notify=False)))
    cat.await_output(b'answer')
    peer.s.setblocking(False)
    try:
        check(peer.s.recv(100), 'nothing')
    except BlockingIOError:
        peer.s.setblocking(True)
    peer.s.sendall(b''.join(peer.records()))
    cat.end()
    cat, peer = client(server_context(), '--end=close', stdin=subprocess.DEVNULL)
    check(peer.rest(), b'')
    cat.end()
    cat, peer = client(server_context(), '--idle-timeout', '0.2', stdin=subprocess.PIPE)
    cat.fail(28, 'nothing moved for 200 ms')


def program():
    """A program gets the plain data."""
    there = tcp()
    take = serving(there, server_context())
    cat = Cat('--ssl', *ROOT, '127.0.0.1', str(there.getsockname()[1]), '--', 'tr', 'a-z', 'A-Z')
    peer = take()
    peer.s.sendall(b''.join(peer.records(b'hello')))
    check(peer.rest(), b'HELLO')
    peer.s.close()
    cat.end()


def report():
    """The report names what was agreed on, and counts the plain data."""
    _, cat = talk(b'question', b'answer', '--report=json:' + T + '/report', '--stats', data=b'question')
    with open(T + '/report', encoding='utf-8') as file:
        events = [json.loads(line) for line in file]
    tls = [event['tls'] for event in events if event['event'] == 'tls']
    check(len(tls), 1)
    check((tls[0]['version'], tls[0]['subject']), ('TLSv1.3', 'CN=good'), tls)
    check(tls[0]['days_left'] > 100, True, tls)
    closed = [event for event in events if event['event'] == 'closed']
    check((closed[0]['bytes'], closed[0]['status']), ({'sent': 8, 'received': 6}, 0), closed)
    check(bool(re.search('8 bytes sent.*, 6 bytes received', cat.errors())), True, cat.errors())


def inherited():
    """A connection that was inherited, of TCP and of a Unix socket."""
    for end, other in (socket.socketpair(), tcp_pair()):
        other.settimeout(20)
        process = subprocess.Popen(
            [os.environ['SOCKCAT'], '--ssl', *ROOT, '--ssl-servername', 'localhost', 'fd://%d' % end.fileno()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, pass_fds=[end.fileno()])
        end.close()
        peer = Peer(other, server_context(), True).handshake()
        peer.s.sendall(b''.join(peer.records(b'hello')))
        check(peer.rest(), b'')
        check(process.communicate(timeout=20)[0], b'hello')
        check(process.returncode, 0)


def tcp_pair():
    listener = tcp()
    end = socket.create_connection(listener.getsockname())
    return end, listener.accept()[0]


main()
