"""-l with a connection that was accepted already, by inetd or a service manager: its client is that of a listener."""
import os
import re
import select
import socket
import ssl
import subprocess

from activation import activate, call, listener, refused
from drive import check, end, LIMIT, main, refusal, reset, T, to_end, udp, unix

SOCKCAT = os.environ['SOCKCAT']
ECHO = '-c', 'cat'


def connection(where=None):
    """Both ends of a connection: the client's, and the accepted one."""
    server = listener(where)
    client = call(server)
    return client, server.accept()[0]


def run(accepted, *words):
    """With the connection as descriptor 3, 0 as "fd://0", or as a service manager passes it."""
    if 'fd://0' in words:
        cat = subprocess.Popen([SOCKCAT, *words], stdin=accepted, stdout=accepted, stderr=subprocess.PIPE)
    else:
        cat = activate([accepted], *words)
    accepted.close()
    return cat


ENDPOINTS = ['fd://0'], ['fd://3'], []


def plain():
    for words in ENDPOINTS:
        client, accepted = connection()
        cat = run(accepted, '-l', *words, '-c', 'cat; env | grep SOCKCAT_REMOTE')
        client.sendall(b'hello\n')
        client.shutdown(socket.SHUT_WR)
        lines = to_end(client).decode().splitlines()
        check(sorted(lines), ['SOCKCAT_REMOTE_ADDR=127.0.0.1', 'SOCKCAT_REMOTE_PORT=%d' % client.getsockname()[1], 'hello'])
        check(end(cat)[1], b'')


def standard_streams():
    """Standard input and output are the other side, unless they are the connection."""
    client, accepted = connection()
    cat = run(accepted, '-l', 'fd://3')
    client.sendall(b'hello')
    client.shutdown(socket.SHUT_WR)
    check(end(cat, 0, b'answer'), (b'hello', b''))
    check(to_end(client), b'answer')
    client, accepted = connection()
    refusal(run(accepted, '-l', 'fd://0'), 2, b"endpoint 'fd://0': standard input is the socket", '-l fd://0')


def unix_socket():
    client, accepted = connection(T + '/socket')
    cat = run(accepted, '-l', '--allow-uid', str(os.getuid()), '--echo')
    client.sendall(b'hello')
    client.shutdown(socket.SHUT_WR)
    check(to_end(client), b'hello')
    end(cat)
    client, accepted = connection(T + '/other')
    end_rejected(run(accepted, '-l', '--allow-uid', '65533', '--echo'), b'user is not allowed')


def slow_client():
    """A client that does not read stops nothing that it sends, although the connection is blocking."""
    for words in ['fd://3'], []:
        client, accepted = connection()
        cat = run(accepted, '-l', *words)
        os.set_blocking(cat.stdin.fileno(), False)
        sent = 0
        # More than the pipe holds before it is read.
        while (ready := select.select([], [cat.stdin], [], 0.1)[1]) or sent < 200000:
            sent += os.write(cat.stdin.fileno(), bytes(65536)) if ready else 0
        client.sendall(b'hello')
        check(select.select([cat.stdout], [], [], LIMIT)[0], [cat.stdout])
        check(os.read(cat.stdout.fileno(), 9), b'hello')
        cat.stdin.close()
        cat.stdin = None
        check(len(to_end(client)), sent)
        client.close()
        end(cat)


def end_rejected(cat, cause):
    err = end(cat, 103)[1]
    check(re.fullmatch(rb'sockcat: rejected [^\n]*: %s[^\n]*\n' % cause, err) is not None, True, err)


def is_reset(client):
    try:
        check(client.recv(1), 'a reset')
    except ConnectionResetError:
        pass


def rejected():
    """There is no other client to wait for."""
    for words in ENDPOINTS:
        client, accepted = connection()
        cat = run(accepted, '-l', '--deny', '127.0.0.0/8', *words, *ECHO)
        end_rejected(cat, b'denied by access list')
        is_reset(client)


def header():
    """The address in a header of the PROXY protocol is the client's, for the access lists too."""
    for address, status in ('192.0.2.1', 0), ('192.0.2.2', 103):
        client, accepted = connection()
        cat = run(accepted, '-l', '--accept-proxy=1', '--allow', '192.0.2.1', '-c', 'echo $SOCKCAT_REMOTE_ADDR')
        client.sendall(b'PROXY TCP4 %s 192.0.2.9 1000 2000\r\n' % address.encode())
        if status == 0:
            client.shutdown(socket.SHUT_WR)
            check(to_end(client), address.encode() + b'\n')
            end(cat)
        else:
            end_rejected(cat, b'denied by access list')
            is_reset(client)


def unusable():
    client, accepted = connection()
    refused(101, b'descriptor 3: the socket is connected, which conflicts with -k', [accepted], '-l', '-k', '--echo')
    refused(101, b'descriptor 4: a connection has to be the only socket', [accepted, accepted], '-l', '--echo')
    refused(101, b'descriptor 4: a connection has to be the only socket', [listener(), accepted], '-l', '--echo')
    refused(101, b'descriptor 3: the socket is connected, which conflicts with -k', [accepted], '-l', '--broker')
    for thing in socket.socket(), unix():
        refused(101, b'descriptor 3: the socket is not listening', [thing], '-l', '--echo')
    peer, thing = udp(), udp()
    thing.connect(peer.getsockname())
    refused(101, b'descriptor 3: the socket is connected; omit -l', [thing], '-l')
    reset(client)
    accepted.settimeout(LIMIT)
    refused(56, b'descriptor 3: Connection reset by peer', [accepted], '-l', '--echo')


def same_lines():
    """With -v it says of its client what a listener says."""
    def lines(cat, client):
        client.sendall(b'hello')
        client.shutdown(socket.SHUT_WR)
        check(to_end(client), b'hello')
        port = b'%d' % client.getsockname()[1]
        err = end(cat)[1].replace(port, b'PORT')
        return [re.sub(rb'[\d.]+ m?s', b'TIME', line) for line in err.splitlines() if b'listening on' not in line]
    server = listener()
    listening = activate([server], '-lv', '--echo')
    wanted = lines(listening, call(server))
    for words in ENDPOINTS:
        client, accepted = connection()
        check(lines(run(accepted, '-lv', '--echo', *words), client), wanted)


def tls_role():
    """The server of TLS: its certificate, and what programs know about it."""
    from tls import C, client_context, Peer
    from tls_with import OWN
    for words in ENDPOINTS:
        client, accepted = connection()
        cat = run(accepted, '-lv', *OWN, *words, '-c', 'echo $SOCKCAT_TLS_PROTOCOL $SOCKCAT_TLS_SERVER_NAME $SOCKCAT_REMOTE_ADDR')
        peer = Peer(client, client_context(), False).handshake()
        check(peer.rest(), b'TLSv1.3 localhost 127.0.0.1\n')
        client.sendall(b''.join(peer.records()))
        err = end(cat)[1]
        check(re.findall(rb'connection from|TLS with|closed', err)[:2], [b'connection from', b'TLS with'], err)
    client, accepted = connection()
    cat = run(accepted, '-l', *OWN, '--ssl-verify', '--ssl-trustfile', C + '/root.crt', 'fd://0', '-c', 'echo $SOCKCAT_TLS_PEER_SUBJECT')
    peer = Peer(client, client_context('client'), False).handshake()
    check(b'CN=' in peer.rest(), True)
    client.sendall(b''.join(peer.records()))
    end(cat)


def tls_failures():
    """They end the run, with the status that a listener has."""
    from tls import client_context, Peer, ROOT
    from tls_with import OWN
    for words in ENDPOINTS:
        client, accepted = connection()
        cat = run(accepted, '-l', *OWN, *words, '--echo')
        try:
            Peer(client, ssl.create_default_context(), False).handshake()
        except ssl.SSLError:
            pass
        refusal(cat, 35, b'TLS handshake with 127.0.0.1:.*unknown CA', words)
    client, accepted = connection()
    cat = run(accepted, '-l', *OWN, 'fd://0', '--echo')
    client.sendall(b'GET / HTTP/1.0\r\n\r\n')
    refusal(cat, 35, b'TLS handshake with', 'plain')
    client, accepted = connection()
    cat = run(accepted, '-l', *OWN, 'fd://0', '--wait', '50ms', '--echo')
    refusal(cat, 28, b'timed out', 'silent')
    client, accepted = connection()
    cat = run(accepted, '-l', *OWN, 'fd://0', '--discard')
    peer = Peer(client, client_context(), False).handshake()
    client.sendall(b''.join(peer.records(b'hello', notify=False)))
    client.close()
    refusal(cat, 18, b'without close_notify', 'cut')
    client, accepted = connection()
    cat = run(accepted, '-l', *OWN, '--ssl-verify', *ROOT, 'fd://0', '--echo')
    peer = Peer(client, client_context(), False).handshake()
    try:
        check(peer.read(), 'an alert')
    except ssl.SSLError as error:
        check('CERTIFICATE_REQUIRED' in str(error), True, str(error))
    refusal(cat, 35, b'did not return a certificate', 'without a certificate')


if __name__ == '__main__':
    main()
