"""Ports that are tested through scripted proxies."""
import socket
import threading

from drive import Cat, accept, check, exactly, main, tcp

SOCKS = b'\5\1\0', b'\5\0', b'\5\1\0\3\x09name.test\0'
ANSWER = b'\0\1\1\2\3\4\5\6'


def proxy(listener, *codes, more=b''):
    """A SOCKS server that gives these answers, a connection each."""
    def serve():
        for code in codes:
            s = accept(listener)
            check(exactly(s, 3), SOCKS[0])
            s.sendall(SOCKS[1])
            check(exactly(s, len(SOCKS[2]) + 1)[:-1], SOCKS[2])
            s.sendall(bytes([5, code]) + (ANSWER + more if code == 0 else ANSWER))
            try:
                s.recv(1)
            except ConnectionResetError:
                pass
            s.close()
    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def url(listener, scheme='socks5h'):
    return ['--proxy', '%s://127.0.0.1:%d' % (scheme, listener.getsockname()[1])]


def states():
    """What the proxy says about the target is the state of the target."""
    for code, status, words in ((0, 0, ''), (5, 1, ''), (4, 97, 'host unreachable'), (3, 97, 'network unreachable'),
                                (6, 28, 'TTL expired'), (1, 97, 'general failure'), (2, 97, 'not allowed')):
        listener = tcp()
        thread = proxy(listener, code)
        cat = Cat('-zv', *url(listener), 'name.test', '7')
        cat.end(status)
        check((words in cat.errors(), cat.output().startswith(b'name.test:7 open ')), (True, code == 0), code)
        thread.join()
    # In a list each has its word.
    for code, word in ((5, 'closed'), (4, 'unreachable'), (6, 'filtered'), (2, 'refused-by-proxy')):
        listener = tcp()
        thread = proxy(listener, 0, code)
        cat = Cat('-zv', '--parallel', '1', *url(listener), 'name.test', '7-8')
        cat.process.wait()
        check('name.test:8: ' + word in cat.errors(), True, cat.errors())
        thread.join()


def http():
    for code, word, status in ((502, 'unreachable', 97), (504, 'filtered', 28), (403, 'refused-by-proxy', 97)):
        listener = tcp()

        def serve():
            for text in b'200', b'%d' % code:
                s = accept(listener)
                while b'\r\n\r\n' not in s.recv(4096, socket.MSG_PEEK):
                    pass
                s.recv(4096)
                s.sendall(b'HTTP/1.1 ' + text + b' x\r\n\r\n')
                s.close()
        thread = threading.Thread(target=serve)
        thread.start()
        cat = Cat('-zv', '--parallel', '1', *url(listener, 'http'), 'name.test', '7', '8')
        cat.end(status)
        check('name.test:8: ' + word in cat.errors(), True, cat.errors())
        thread.join()


def waits():
    """--wait-for goes on until the target is there; --until-closed believes what the proxy says of it."""
    listener = tcp()
    thread = proxy(listener, 5, 1, 4, 0)
    Cat('--wait-for', '--interval', '1ms', *url(listener), 'name.test', '7').end(0)
    thread.join()
    thread = proxy(listener, 0, 1, 5)
    Cat('--wait-for', '--until-closed', '--interval', '1ms', *url(listener), 'name.test', '7').end(0)
    thread.join()


def pings():
    listener = tcp()
    thread = proxy(listener, 0, 5, 0)
    cat = Cat('--ping=3', '--interval', '1ms', *url(listener), 'name.test', '7')
    cat.end(0)
    check(b'3 tries, 1 failed' in cat.output(), True, cat.output())
    check(b' at 127.' in cat.output(), False, cat.output())
    thread.join()


def banner():
    listener = tcp()
    thread = proxy(listener, 0, more=b'220 hello\r\n')
    cat = Cat('-z', '--banner', *url(listener), 'name.test', '7')
    check(cat.end(0).endswith(b': 220 hello\n'), True)
    thread.join()


def direct():
    """A target of --noproxy is tested directly, and the others not."""
    listener, target = tcp(), tcp()
    thread = proxy(listener, 0)
    cat = Cat('-z', *url(listener), '--noproxy', '127.0.0.1', 'name.test:7', '127.0.0.1:%d' % target.getsockname()[1])
    check([line.split()[0] for line in cat.end(0).splitlines()],
          [b'name.test:7', b'127.0.0.1:%d' % target.getsockname()[1]])
    thread.join()
    accept(target)


if __name__ == '__main__':
    main()
