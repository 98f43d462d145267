"""The chat: lines with names, joins and leaves, control characters, and the terminal that takes part."""
import atexit
import os
import re
import signal
import socket
import subprocess
import sys
import threading

from drive import Cat, check, dial, LIMIT, main, to_end


def greeting(name):
    return b'* you are %s (/nick NAME, /who, /quit)\n' % name


class Client:
    """A client that has been greeted."""

    def __init__(self, cat):
        self.s, self.got = socket.create_connection(cat.address(), LIMIT), b''
        while b'\n' not in self.got:
            self.got += self.s.recv(4096) or sys.exit('no greeting')
        self.name = self.got.split()[3]
        self.hears(greeting(self.name))

    def say(self, words):
        self.s.sendall(words)

    def hears(self, words):
        """The next bytes are these."""
        while len(self.got) < len(words):
            self.got += self.s.recv(4096) or sys.exit('the end instead of %r, after %r' % (words, self.got))
        check(self.got[:len(words)], words)
        self.got = self.got[len(words):]


def start(*options, **more):
    return Cat('-l', '-k', '--chat', *options, '127.0.0.1', '0', **more)


def lines():
    cat = start()
    one, two, three = Client(cat), Client(cat), Client(cat)
    one.hears(b'* user2 joined\n* user3 joined\n')
    two.hears(b'* user3 joined\n')
    one.say(b'hello\n')
    two.hears(b'<user1> hello\n')
    three.hears(b'<user1> hello\n')
    three.say(b'with a carriage return\r\n\n\r\nand two lines\n')
    for client in one, two:
        client.hears(b'<user3> with a carriage return\n<user3> and two lines\n')
    three.s.close()
    one.hears(b'* user3 left\n')


def control_characters():
    cat = start()
    one, two = Client(cat), Client(cat)
    one.hears(b'* user2 joined\n')
    two.say(b'\x1b[2J\rx\x07\xff\xc2\x9b\n')
    one.hears(b'<user2> ^[[2J^Mx^G\\xff\\u009b\n')


def nick():
    cat = start()
    one, two = Client(cat), Client(cat)
    one.hears(b'* user2 joined\n')
    two.say(b'/nick bob\nhi\n/nick a b\n/nick ' + b'x' * 33 + b'\n/nick\nbye\n')
    one.hears(b'* user2 is now bob\n<bob> hi\n<bob> /nick\n<bob> bye\n')


def who():
    cat = start('--nick', 'host')
    one, two = Client(cat), Client(cat)
    check([one.name, two.name], [b'user1', b'user2'])
    one.hears(b'* user2 joined\n')
    two.say(b'/nick bob\n/who\n/who and where?\n')
    one.hears(b'* user2 is now bob\n<bob> /who and where?\n')
    two.hears(b'* here: host, user1, bob\n')
    one.s.close()
    two.hears(b'* user1 left\n')
    two.say(b'/who\r\n')
    two.hears(b'* here: host, bob\n')


def quits():
    """The client that stays gets the end; what it sends later is discarded, and that is no failure."""
    cat = start('-v', '--max-accepts', '2')
    one, two = Client(cat), Client(cat)
    one.hears(b'* user2 joined\n')
    two.say(b'bye\n/quit\nstill here\n/who\n')
    check(to_end(two.s), b'')
    one.hears(b'<user2> bye\n* user2 left\n')
    one.say(b'/who\n/quit\n')
    check(to_end(one.s), b'* here: operator, user1\n')
    cat.end()
    check(re.findall('reset|failed', cat.errors()), [])


def operator_quits():
    back, front = os.pipe()
    cat = start('--nick', 'host', '--max-accepts', '1', stdin=back)
    one = Client(cat)
    os.write(front, b'me\n/quit\nnot me\n')
    one.hears(b'<host> me\n* host left\n')
    one.say(b'alone?\n/who\n')
    one.hears(b'* here: user1\n')
    one.s.close()
    cat.end()


def endless_who():
    """Unread input does not pile up."""
    cat = start('--queue', '64k', '--max-accepts', '1')
    one = Client(cat)
    one.s.settimeout(LIMIT)
    try:
        while True:
            one.say(b'/who\n' * 10000)
    except ConnectionError:
        pass
    cat.end(104)


def operator():
    back, front = os.pipe()
    cat = start('--nick', 'host', stdin=back)
    one = Client(cat)
    one.say(b'hello?\n')
    cat.await_output(greeting(b'host') + b'* user1 joined\n<user1> hello?\n')
    os.write(front, b'me\n')
    one.hears(b'<host> me\n')
    os.close(front)
    one.say(b'still?\n')
    cat.await_output(greeting(b'host') + b'* user1 joined\n<user1> hello?\n<user1> still?\n')


def operator_input_unread():
    """With -d standard input is not read, and the clients hear each other all the same."""
    back, front = os.pipe()
    os.write(front, b'not read\n')
    cat = start('-d', stdin=back)
    one, two = Client(cat), Client(cat)
    one.hears(b'* user2 joined\n')
    two.say(b'hello\n')
    one.hears(b'<user2> hello\n')
    cat.await_output(greeting(b'operator') + b'* user1 joined\n* user2 joined\n<user2> hello\n')


def operator_reads_late():
    for ends in [], ['--max-accepts', '2']:
        r, w = os.pipe()
        back, front = os.pipe()
        cat = start('--queue', '8M', *ends, stdin=back, stdout=w)
        os.close(w)
        os.write(front, b'an unfinished li' if not ends else b'')
        one, two = Client(cat), Client(cat)
        one.hears(b'* user2 joined\n')
        for _ in range(600):
            one.say(b'x' * 4999 + b'\n')
            two.hears(b'<user1> ' + b'x' * 4999 + b'\n')
        one.s.close()
        two.hears(b'* user1 left\n')
        two.s.close()
        if not ends:
            cat.send(signal.SIGTERM)
        got = b''
        while part := os.read(r, 1 << 20):
            got += part
        cat.end(0 if ends else -signal.SIGTERM)
        check(got.count(b'x'), 600 * 4999)
        if ends:
            check(got[got.rindex(b'x') + 2:], b'* user1 left\n* user2 left\n')
        check(cat.errors().count('\n'), 1)


def operator_after_last_client():
    words = subprocess.Popen(['yes'], stdout=subprocess.PIPE)
    atexit.register(words.kill)
    cat = start('--max-accepts', '1', '--slow', 'drop', stdin=words.stdout)
    one = Client(cat)
    one.hears(b'<operator> y\n')
    one.s.close()
    cat.end(104)


def operator_too_slow():
    r, w = os.pipe()
    cat = start('--queue', '64k', '--max-accepts', '3', stdin=os.pipe()[0], stdout=w)
    os.close(w)
    one, two = Client(cat), Client(cat)
    one.hears(b'* user2 joined\n')
    for _ in range(600):
        one.say(b'x' * 4999 + b'\n')
        two.hears(b'<user1> ' + b'x' * 4999 + b'\n')
    threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(r, 1 << 20), b'')], daemon=True).start()
    for client in one, two:
        client.hears(b'* operator left\n')
    # It may get the place in memory that the other had.
    three = Client(cat)
    for client in one, two:
        client.hears(b'* user3 joined\n')
    for client in one, two, three:
        client.s.shutdown(socket.SHUT_WR)
        to_end(client.s)
    cat.end(104)
    check(re.findall('queue full|listen: 1 of 3 connections failed', cat.errors()),
          ['queue full', 'listen: 1 of 3 connections failed'])


def operator_drops():
    r, w = os.pipe()
    cat = start('--slow', 'drop', '--queue', '1k', '--max-accepts', '1', stdin=os.pipe()[0], stdout=w)
    os.close(w)
    one = Client(cat)
    one.s.sendall((b'x' * 4999 + b'\n') * 600)
    one.s.shutdown(socket.SHUT_WR)
    check(to_end(one.s), b'')
    threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(r, 1 << 20), b'')], daemon=True).start()
    cat.end(104)
    check(len(re.findall('closed the chat: .* messages dropped \(slow client\)', cat.errors())), 1, cat.errors())


def operator_leaves():
    back, front = os.pipe()
    cat = start('-q', '0.1', '--max-conns', '2', '--max-accepts', '6', stdin=back)
    one = Client(cat)
    cat.await_output(greeting(b'operator') + b'* user1 joined\n')
    os.write(front, b'me\n')
    one.hears(b'<operator> me\n')
    os.close(front)
    one.hears(b'* operator left\n')
    one.s.shutdown(socket.SHUT_WR)
    check(to_end(one.s), b'')
    for number in range(2, 7):
        one = dial(cat)
        one.shutdown(socket.SHUT_WR)
        check(to_end(one), greeting(b'user%d' % number))
        one.close()
    cat.end()


def endless_line():
    cat = start('--max-accepts', '3')
    one, two, three = Client(cat), Client(cat), Client(cat)
    one.hears(b'* user2 joined\n* user3 joined\n')
    try:
        two.say(b'x' * 200000)
    except OSError:
        pass
    one.hears(b'* user2 left\n')
    three.say(b'gone\n')
    one.hears(b'<user3> gone\n')
    for client in one, two, three:
        client.s.close()
    cat.end(104)


if __name__ == '__main__':
    main()
