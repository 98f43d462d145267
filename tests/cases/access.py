"""Access lists: many rejected clients, datagrams, and SIGHUP."""
import os
import re
import signal
import socket
import sys

from drive import Cat, check, dial, LIMIT, main, T, until


def thousand_rejected():
    cat = Cat('-l', '-k', '--deny', '127.0.0.2', '127.0.0.1', '0')
    before = None
    for _ in range(1001):
        s = socket.socket()
        s.bind(('127.0.0.2', 0))
        s.settimeout(LIMIT)
        try:
            s.connect(cat.address())
            check(s.recv(1), b'', 'nothing may come')
            sys.exit('a clean end')
        except ConnectionResetError:
            s.close()
        # By the first one it has done all that belongs to its start.
        before = before or cat.descriptors()
    check(cat.descriptors(), before)
    s = socket.create_connection(cat.address())
    s.sendall(b'hello')
    s.close()
    cat.await_output(b'hello')


def datagrams():
    def sender(address):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((address, 0))
        return s
    cat = Cat('-l', '-k', '-u', '-v', '--deny', '127.0.0.2,127.0.0.3', '127.0.0.1', '0')
    good, other, bad, worse = (sender('127.0.0.%d' % n) for n in (1, 4, 2, 3))
    bad.sendto(b'no', cat.address())
    for s, text in (good, b'one '), (bad, b'no'), (worse, b'no'), (bad, b''), (other, b'two'):
        s.sendto(text, cat.address())
    cat.await_output(b'one two')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    if not re.search('^sockcat: 4 clients rejected by access lists$', cat.errors(), re.M):
        sys.exit(cat.errors())
    if not re.search('rejected 127.0.0.2:', cat.errors()):
        sys.exit(cat.errors())


def datagrams_not_answered():
    r, w = os.pipe()
    cat = Cat('-l', '-k', '-u', '--deny', '127.0.0.2', '127.0.0.1', '0', stdin=r)
    good, bad = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    good.bind(('127.0.0.1', 0))
    bad.bind(('127.0.0.2', 0))
    good.settimeout(LIMIT)
    good.sendto(b'hello', cat.address())
    cat.await_output(b'hello')
    bad.sendto(b'me', cat.address())
    good.sendto(b'!', cat.address())
    cat.await_output(b'hello!')
    bad.sendto(b'me', cat.address())
    os.write(w, b'answer')
    check(good.recv(100), b'answer')
    bad.settimeout(0)
    try:
        sys.exit('the wrong one got %r' % bad.recv(100))
    except BlockingIOError:
        pass


def sighup():
    def write(text):
        with open(T + '/allow', 'w') as file:
            file.write(text)
    write('127.0.0.1\n')
    cat = Cat('-l', '-k', '-v', '--echo', '--allow-file', T + '/allow', '127.0.0.1', '0')
    def comes(source):
        try:
            with socket.create_connection(cat.address(), LIMIT, (source, 0)) as s:
                s.sendall(b'x')
                return s.recv(1) == b'x'
        except OSError:
            return False
    check([comes('127.0.0.1'), comes('127.0.0.2')], [True, False])
    write('127.0.0.2\n')
    cat.send(signal.SIGHUP)
    until(lambda: 'lists reloaded' in cat.errors(), 'the new list')
    check([comes('127.0.0.1'), comes('127.0.0.2')], [False, True])
    for bad in '127.0.0.1\n10.1.2.3/8\n', None:
        if bad is None:
            os.unlink(T + '/allow')
        else:
            write(bad)
        lines = cat.errors().count('keeping the previous')
        cat.send(signal.SIGHUP)
        until(lambda: cat.errors().count('keeping the previous') > lines, 'the refusal')
        check([comes('127.0.0.1'), comes('127.0.0.2')], [False, True])
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def sighup_empty_list():
    def write(name, text):
        with open(T + '/' + name, 'w') as file:
            file.write(text)
    write('allow', '127.0.0.0/8\n'), write('deny', '127.0.0.2\n'), write('never', '')
    cat = Cat('-l', '-k', '--echo', '--allow-file', T + '/allow', '--deny-file', T + '/deny', '--deny-file',
              T + '/never', '127.0.0.1', '0')
    check('empty' in cat.errors(), False, 'an empty list of denials is nothing special at the start')
    write('deny', '# nothing\n')
    cat.send(signal.SIGHUP)
    until(lambda: 'access list %s/deny: empty; no client is denied by it' % T in cat.errors(), cat.errors())
    until(lambda: 'access list %s/never: empty' % T in cat.errors(), cat.errors())
    check('allowed by it' in cat.errors(), False, cat.errors())
    # It is in force.
    near = dial(cat, '127.0.0.2')
    near.sendall(b'x')
    check(near.recv(1), b'x')
    write('allow', '')
    cat.send(signal.SIGHUP)
    until(lambda: 'access list %s/allow: empty; no client is allowed by it' % T in cat.errors(), cat.errors())


def sighup_without_lists():
    cat = Cat('-l', '-k', '--echo', '127.0.0.1', '0')
    cat.send(signal.SIGHUP)
    cat.end(-signal.SIGHUP)


if __name__ == '__main__':
    main()
