"""Proxies with TLS (https://): scripted ones."""
import ssl
import subprocess
import threading

from drive import accept, Cat, check, exactly, main, T, tcp
from tls import C, ROOT, serving, server_context

TRUST = ['--proxy-cacert', C + '/root.crt']


def url(listener, scheme='https'):
    return '%s://localhost:%d' % (scheme, listener.getsockname()[1])


def request(peer, target):
    """Take a request for a tunnel, and grant it."""
    wanted = ('CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n' % (target, target)).encode()
    check(peer.receive(len(wanted)), wanted)
    peer.send(b'HTTP/1.1 200 OK\r\n\r\n')


class Tls:
    """A server's TLS on anything with receive and send, such as another one."""
    def __init__(self, below):
        self.below = below
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = server_context().wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.step(self.object.do_handshake)

    def step(self, operation, *args):
        while True:
            try:
                result = operation(*args)
            except ssl.SSLWantReadError:
                result = None
            out = self.outgoing.read()
            if out:
                self.below.send(out)
            if result is not None or operation == self.object.do_handshake and self.object.version():
                return result
            self.incoming.write(self.below.some())

    def some(self):
        return self.step(self.object.read, 65536)

    def receive(self, n):
        data = b''
        while len(data) < n:
            data += self.step(self.object.read, n - len(data))
        return data

    def send(self, data):
        self.step(self.object.write, data)


class Plain:
    def __init__(self, s):
        self.s = s

    def some(self):
        return self.s.recv(65536)

    def receive(self, n):
        return exactly(self.s, n)

    def send(self, data):
        self.s.sendall(data)


def talk(listener, *steps):
    """Serve one connection: each step makes the next layer from the one below it."""
    def serve():
        s = accept(listener)
        layer = Plain(s)
        for step in steps:
            layer = step(layer) or layer
        s.close()
    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def asked(target):
    return lambda layer: request(layer, target)


def served(layer):
    check(layer.receive(6), b'hello\n')
    layer.send(b'answer\n')


def finished(layer):
    """close_notify, and the answer to it."""
    try:
        layer.object.unwrap()
    except ssl.SSLWantReadError:
        pass
    layer.below.send(layer.outgoing.read())
    try:
        check(layer.some(), b'')
    except ssl.SSLZeroReturnError:
        pass
    if isinstance(layer.below, Tls):
        finished(layer.below)


def chains():
    """TLS to a proxy, through a proxy to the next one, and to the target, all at once."""
    for proxies, secure in ((('https',), False), (('https',), True), (('http', 'https'), False),
                            (('https', 'https'), False), (('https', 'http'), False), (('https', 'https'), True)):
        listener = tcp()
        port = listener.getsockname()[1]
        words, steps = ['--proxy', url(listener, proxies[0])], []
        for i, scheme in enumerate(proxies):
            last = i == len(proxies) - 1
            if scheme == 'https':
                steps.append(Tls)
            if not last:
                words += ['--proxy', '%s://localhost:%d' % (proxies[i + 1], port)]
            steps.append(asked('target.test:7' if last else 'localhost:%d' % port))
        if secure:
            steps.append(Tls)
            words += ['--ssl', *ROOT, '--ssl-servername', 'localhost']
        steps += [served] + [finished] * (secure or 'https' in proxies)
        thread = talk(listener, *steps)
        cat = Cat('-4', *TRUST, *words, '--until=peer', 'target.test', '7', stdin=subprocess.PIPE)
        cat.write(b'hello\n')
        cat.process.stdin.close()
        check(cat.end(0), b'answer\n', (proxies, secure))
        thread.join()


def refused():
    """No request, and no login, is sent to a server that may be another one."""
    for host, words in (('localhost', []), ('localhost', ['--proxy-cacert', C + '/other.crt']), ('elsewhere.test', TRUST)):
        listener = tcp()
        port = listener.getsockname()[1]
        take = serving(listener, server_context())
        cat = Cat('-4', *words, '--resolve', '*:%d:127.0.0.1' % port, '--proxy', 'https://me@%s:%d' % (host, port),
                  'target.test', '7')
        try:
            # The client may learn that it refuses only after the server has finished.
            check(take().s.recv(65536)[:1] in (b'', b'\x15'), True, host)
        except (ssl.SSLError, OSError):
            pass
        cat.fail(60, 'certificate of %s:%d' % (host, port))
    listener = tcp()
    cat = Cat('-4', *TRUST, '--proxy', url(listener), 'target.test', '7')
    s = accept(listener)
    s.sendall(b'HTTP/1.1 400 No\r\n\r\n')
    cat.fail(35, 'does not speak TLS')
    s.close()


def cut():
    """After the tunnel is there, the end of the connection without close_notify is 18."""
    listener = tcp()
    thread = talk(listener, Tls, asked('target.test:7'), served)
    cat = Cat('-4', *TRUST, '--proxy', url(listener), 'target.test', '7', stdin=subprocess.PIPE)
    cat.write(b'hello\n')
    cat.fail(18, 'without close_notify after ')
    check(cat.output(), b'answer\n')
    thread.join()


def hop():
    """The TLS with a proxy, although it was verified, is not taken for that of the target: a program may trust it."""
    for secure in False, True:
        listener = tcp()
        steps = [served, finished]
        thread = talk(listener, Tls, asked('target.test:7'), *[Tls] * secure, *steps)
        dump, found = (T + '/%s%d' % (name, secure) for name in ('dump', 'found'))
        cat = Cat('-4', *TRUST, '--proxy', url(listener), *(['--ssl', *ROOT, '--ssl-servername', 'localhost'] if secure else []),
                  '-o', dump, 'target.test', '7', '-c', 'echo hello; read -r line; env | grep -c SOCKCAT_TLS_VERIFIED >' + found)
        cat.end(0)
        thread.join()
        with open(found) as file:
            check(file.read(), '%d\n' % secure)
        with open(dump) as file:
            check('plain data of TLS' in file.read(), secure)


def corrupt(layer):
    """A record that cannot be decrypted."""
    layer.below.send(b'\x17\x03\x03\x00\x20' + bytes(32))


def broken():
    """After the tunnel is there, a failure of the TLS with the proxy names it."""
    listener = tcp()
    thread = talk(listener, Tls, asked('target.test:7'), served, corrupt)
    where = 'localhost:%d' % listener.getsockname()[1]
    cat = Cat('-4', *TRUST, '--proxy', url(listener), 'target.test', '7', stdin=subprocess.PIPE)
    cat.write(b'hello\n')
    cat.fail(56, 'receive from .*%s.*: .*mac' % where)
    check(cat.output(), b'answer\n')
    thread.join()


if __name__ == '__main__':
    main()
