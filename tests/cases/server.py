"""Many clients at a time: what they share, what one does to the others, limits, and services."""
import contextlib
import fcntl
import os
import random
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib

from drive import (
    Cat, check, check_daytime, counted, dial, exactly, in_pipe, LIMIT, main, pour, raw_pty, reset, shim,
    shown, T, taken, tcp, to_end, turns, udp, until)


class Life:
    """A server, four clients one after another, and whether each of them was served."""

    def __init__(self, service, rules, count=False, most=4):
        self.service = service
        self.input, w = os.pipe()
        self.output, end = os.pipe()
        self.said = w
        self.cat = Cat('-l', '-k', *service, '--max-accepts', str(most), '127.0.0.1', '0', stdin=self.input,
                       stdout=end, env=shim(rules, T + '/count' if count else None))
        os.close(end)
        self.clients, self.word = [], 64

    def join(self):
        """One more; whether it is served."""
        try:
            others = [other for other in self.clients if self.is_there(other)]
            c = dial(self.cat)
            self.clients.append(c)
            self.word += 1
            word = bytes([self.word])
            c.sendall(word)
            if self.service == ['--echo']:
                return c.recv(1) == word
            if not self.service:
                return self.answers(c, self.output, lambda: os.read(self.output, 1), word)
            # All others receive it; one is asked.
            return not others or self.answers(c, others[0], lambda: others[0].recv(1), word)
        except OSError:
            return False

    def answers(self, c, source, read, word):
        """The word comes out there, before the client is turned away."""
        while ready := select.select([source, c], [], [], LIMIT)[0]:
            if source in ready:
                if read() == word:
                    return True
            elif c.recv(1) == b'':
                return False
        sys.exit('nothing happens: ' + self.cat.errors())

    def speaks(self):
        """Standard input reaches this number of clients."""
        os.write(self.said, b'!')
        heard = 0
        for c in self.clients:
            try:
                heard += c.recv(1) == b'!'
            except OSError:
                pass
        return heard

    def is_there(self, c):
        """It has not been sent away."""
        try:
            c.setblocking(False)
            return c.recv(1) != b''
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            c.settimeout(LIMIT)

    def end(self, statuses):
        for c in self.clients:
            c.close()
        os.close(self.said)
        os.close(self.input)
        got = self.cat.process.wait(LIMIT)
        os.close(self.output)
        check(got in statuses, True, '%s: %s' % (got, self.cat.errors()))
        return got


def quiet(service):
    """The calls of a server without clients."""
    Cat('-l', '-k', *service, '--accept-timeout', '0.05', '-U', T + '/quiet', stdin=os.pipe()[0],
        env=shim(count=T + '/count')).end(28)
    return counted()


def attempts(cat):
    """Two clients, which may be reset at once because they cannot be served."""
    made = []
    for _ in range(2):
        with contextlib.suppress(ConnectionError):
            made.append(dial(cat))
            made[-1].sendall(b'?')
    return made


SERVICES = [], ['--echo'], ['--broker']


def side_by_side():
    cat = Cat('-l', '-k', '-d', '127.0.0.1', '0')
    clients = [dial(cat) for _ in range(3)]
    wanted = b''
    for c, word in zip(reversed(clients), (b'three ', b'two ', b'one ')):
        c.sendall(word)
        wanted += word
        cat.await_output(wanted)


def piece_not_mixed():
    r, w = os.pipe()
    cat = Cat('-l', '-k', '-d', '127.0.0.1', '0', stdout=w)
    first = dial(cat)
    first.sendall(b'.')
    check(os.read(r, 1), b'.')  # so the pipe has its size
    room = fcntl.fcntl(w, fcntl.F_GETPIPE_SZ)
    os.write(w, b'-' * (room - 8192))
    os.close(w)
    clients = [dial(cat) for _ in range(4)]
    cat.stop()
    for c, letter in zip(clients, b'ABCD'):
        c.sendall(bytes([letter]) * 50000)
    cat.go()
    cat.rest()
    got = shown(r, b' ' * (room - 8192 + 4 * 50000))[room - 8192:]
    check(sorted(re.sub(rb'(.)\1*', rb'\1', got)), sorted(b'ABCD'), 'they are mixed')
    check(len(got), 4 * 50000)


def message_not_cut():
    r, w = os.pipe()
    cat = Cat('-l', '-k', '-d', '--frame', 'u32be', '--stdout-frame', 'u32be', '--idle-timeout', '0.2',
              '127.0.0.1', '0', stdout=w)
    os.close(w)
    def message(letter, n): return struct.pack('>I', n) + letter * n
    first = dial(cat)
    first.sendall(message(b'A', 3000000))
    until(lambda: in_pipe(r) > 0, 'the first to begin')
    second = dial(cat)
    second.sendall(message(b'B', 5))
    until(lambda: 'nothing moved' in cat.errors(), 'the second to be given up')
    got = shown(r, b' ' * 3000004)
    check(got == message(b'A', 3000000), True, 'it is cut off or mixed: %r at %d' % (got[-9:], len(got)))
    third = dial(cat)
    third.sendall(message(b'C', 5))
    check(shown(r, b' ' * 9), message(b'C', 5))


def output_in_turns():
    r, w = os.pipe()
    cat = Cat('-l', '-k', '-d', '127.0.0.1', '0', stdout=w)
    os.close(w)
    loud = [dial(cat) for _ in range(4)]
    sent = []
    for c, letter in zip(loud, b'ABCD'):
        c.setblocking(False)
        n = 0
        while cat.takes(c):
            n += c.send(bytes([letter]) * 65536)
        sent.append(n)
    check(min(sent) > 1500000, True, sent)
    quiet = dial(cat)
    quiet.sendall(b'word')
    until(lambda: taken(quiet), 'the word to be read')
    # What is in the pipe, then a piece of each, at most as large as what is read at once.
    got = shown(r, b' ' * ((1 << 20) + 6 * 300000))
    check([letter for letter in (b'A', b'B', b'C', b'D', b'word') if letter not in got], [])


def twenty_writers():
    r, w = os.pipe()
    cat = Cat('-l', '-k', '-d', '--frame', 'u32be', '--stdout-frame', 'u16be', '127.0.0.1', '0', stdout=w)
    os.close(w)
    def write(number):
        dice, s = random.Random(number), dial(cat)
        for _ in range(300):
            body = bytes([number]) * dice.randrange(3000)
            body += struct.pack('>I', zlib.crc32(body))
            whole = struct.pack('>I', len(body)) + body
            cut = dice.randrange(len(whole))
            s.sendall(whole[:cut])
            s.sendall(whole[cut:])
        s.shutdown(socket.SHUT_WR)
        to_end(s)
    threads = [threading.Thread(target=write, args=(n,)) for n in range(20)]
    for t in threads:
        t.start()
    counts = [0] * 20
    pipe = open(r, 'rb')
    for _ in range(20 * 300):
        body = pipe.read(struct.unpack('>H', pipe.read(2))[0])
        check(zlib.crc32(body[:-4]), struct.unpack('>I', body[-4:])[0])
        if len(body) > 4:
            counts[body[0]] += 1
    for t in threads:
        t.join()
    check(min(counts) > 280, True)
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def many_messages_in_one_read():
    text = b'm\n' * 20000
    cat = Cat('-l', '-k', '-d', '--frame', 'line', '--stdout-frame', 'content-length', '127.0.0.1', '0')
    c = dial(cat)
    cat.stop()
    c.sendall(text)
    cat.go()
    until(lambda: cat.output().count(b'Content-Length: 1\r\n\r\nm') == 20000, 'all')
    for service in '--broker', '--echo':
        cat = Cat('-l', '-k', service, '--frame', 'line', '127.0.0.1', '0')
        a = dial(cat)
        b = dial(cat) if service == '--broker' else a
        if b is not a:
            b.sendall(b'.\n')
            check(exactly(a, 2), b'.\n')
        cat.stop()
        a.sendall(text)
        cat.go()
        check(exactly(b, len(text)) == text, True, service)
    cat = Cat('-l', '--discard', '--frame', 'line', '127.0.0.1', '0')
    a = dial(cat)
    cat.stop()
    a.sendall(text)
    a.shutdown(socket.SHUT_WR)
    cat.go()
    check(to_end(a), b'')
    cat.end()


def stdout_reader_leaves():
    for clients in 0, 3:
        r, w = os.pipe()
        cat = Cat('-l', '-k', '-d', '127.0.0.1', '0', stdout=w)
        os.close(w)
        there = [dial(cat) for _ in range(clients)]
        for c in there:
            c.sendall(b'x')
            check(os.read(r, 1), b'x')
        os.close(r)
        cat.end(23)
        check(re.sub('sockcat: listening.*\n', '', cat.errors()), '')


def stdout_full_disk():
    cat = Cat('-l', '-k', '-d', '-U', T + '/s', stdout=open('/dev/full', 'wb'))
    a, b = dial(cat), dial(cat)
    a.sendall(b'x')
    cat.fail(23, 'write standard output: No space left')
    check(to_end(b), b'')


def stdin_file():
    with open(T + '/file', 'wb') as file:
        file.write(os.urandom(3000000))
    file = open(T + '/file', 'rb')
    data = file.read()
    file.seek(1000)
    cat = Cat('-l', '-k', '127.0.0.1', '0', stdin=file)
    clients = [dial(cat) for _ in range(5)]
    for c in clients:
        c.shutdown(socket.SHUT_WR)
    for c in clients:
        check(to_end(c) == data[1000:], True)
    check(to_end(dial(cat)) == data[1000:], True)
    check(os.lseek(file.fileno(), 0, os.SEEK_CUR), 1000)


def stdin_file_last_descriptor():
    with open(T + '/file', 'wb') as file:
        file.write(os.urandom(300000))
    file = open(T + '/file', 'rb')
    file.seek(1000)
    data = open(T + '/file', 'rb').read()[1000:]
    cat = Cat('-l', '-k', '127.0.0.1', '0', stdin=file)
    cat.rest()
    used = {int(fd) for fd in os.listdir('/proc/%d/fd' % cat.pid)}
    free = [fd for fd in range(100) if fd not in used]
    subprocess.run(['prlimit', '--pid', str(cat.pid), '--nofile=%d' % free[1]], check=True)
    for _ in range(3):
        c = dial(cat)
        check(to_end(c) == data, True)
        c.close()


def stdin_file_offset():
    for many in [], ['-k', '--max-accepts', '1']:
        file = open(T + '/file', 'rb')
        file.seek(4)
        cat = Cat('-l', *many, '127.0.0.1', '0', stdin=file)
        client = dial(cat)
        client.shutdown(socket.SHUT_WR)
        check(to_end(client), b'two\n')
        cat.end()


def stdin_to_all():
    r, w = os.pipe()
    cat = Cat('-l', '-k', '127.0.0.1', '0', stdin=r)
    os.write(w, b'early ')
    cat.rest()
    check(in_pipe(r), 6, 'it was read without a client')
    one = dial(cat)
    check(exactly(one, 6), b'early ')
    two = dial(cat)
    two.sendall(b'.')
    cat.await_output(b'.')
    os.write(w, b'both ')
    check((exactly(one, 5), exactly(two, 5)), (b'both ', b'both '))
    for c in one, two:
        c.shutdown(socket.SHUT_WR)
        check(to_end(c), b'')
    os.write(w, b'late ')
    cat.rest()
    check(in_pipe(r), 5, 'it was read without a client again')
    three = dial(cat)
    check(exactly(three, 5), b'late ')
    os.close(w)
    check(to_end(three), b'')
    four = dial(cat)
    check(to_end(four), b'', 'a later client does not get the end')
    four.sendall(b'!')
    cat.await_output(b'.!')


def stdin_kept_for_the_next():
    r, w = os.pipe()
    out, end = os.pipe()
    cat = Cat('-l', '-k', '127.0.0.1', '0', stdin=r, stdout=end)
    one = dial(cat)
    one.sendall(b'.')
    check(os.read(out, 1), b'.')
    size = fcntl.fcntl(end, fcntl.F_GETPIPE_SZ)
    os.write(end, bytes(size))  # standard output is stuck
    os.close(end)
    one.sendall(b'!' * 1000)
    one.shutdown(socket.SHUT_WR)
    check(one.recv(1), b'')     # it receives no more
    os.write(w, b'word')
    cat.rest()
    check(in_pipe(r), 4)
    two = dial(cat)
    check(exactly(two, 4), b'word')
    check(shown(out, b'x' * (size + 1000)).count(b'!'), 1000)


def stdin_after_half_close():
    r, w = os.pipe()
    size = fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 1 << 20)
    data = os.urandom(16 << 20)
    cat = Cat('-l', '-k', '--queue', '1k', '--max-accepts', '1', '127.0.0.1', '0', stdin=r)
    c = dial(cat, room=4096)
    os.set_blocking(w, False)
    put = 0
    while cat.takes(w):
        put += os.write(w, data[put:put + 65536])
    c.shutdown(socket.SHUT_WR)
    got = to_end(c)
    c.close()
    cat.end()
    check(len(got) + in_pipe(r), put)
    check(data.startswith(got), True)

    r, w = os.pipe()
    cat = Cat('-l', '-k', '-i', '0.1', '--max-accepts', '1', '127.0.0.1', '0', stdin=r)
    c = dial(cat)
    os.write(w, b'one\ntwo\nthree\n')
    check(exactly(c, 4), b'one\n')
    c.shutdown(socket.SHUT_WR)
    check(to_end(c), b'two\nthree\n')
    c.close()
    cat.end()


def stdin_left_over():
    r, w = os.pipe()
    os.write(w, b'one\ntwo\n')
    cat = Cat('-l', '-k', '-i', '1h', '--until', 'peer', '--max-accepts', '1', '127.0.0.1', '0', stdin=r)
    c = dial(cat)
    check(exactly(c, 4), b'one\n')
    c.close()
    cat.end(55)
    check('4 bytes of standard input were not sent' in cat.errors(), True, cat.errors())

    r, w = os.pipe()
    os.write(w, b'whole\npart')
    cat = Cat('-l', '-k', '--frame', 'u32be', '--max-accepts', '1', '127.0.0.1', '0', stdin=r)
    c = dial(cat)
    check(exactly(c, 9), b'\0\0\0\5whole')
    c.close()
    cat.end(18)
    check('4 bytes into a message' in cat.errors(), True, cat.errors())


def stdin_reaches_all(cat, w, count, data, wanted=None):
    """This number of clients receive what is written to its standard input, and the end."""
    clients = [dial(cat) for _ in range(count)]
    for c in clients:
        c.sendall(b'.')
    cat.await_output(b'.' * count)
    os.write(w, data)
    os.close(w)
    for c in clients:
        check(to_end(c), wanted or data)
        c.close()


def stdin_data_with_end():
    for _ in range(50):
        r, w = os.pipe()
        cat = Cat('-l', '-k', '--max-accepts', '2', '127.0.0.1', '0', stdin=r)
        stdin_reaches_all(cat, w, 2, b'last')
        cat.end()


def stdin_crlf_and_delay():
    r, w = os.pipe()
    cat = Cat('-l', '-k', '-C', '-i', '0.05', '127.0.0.1', '0', stdin=r)
    stdin_reaches_all(cat, w, 3, b'one\ntwo\r\nthree\n', b'one\r\ntwo\r\nthree\r\n')


def stdin_unreadable():
    cat = Cat('-l', '-k', '-U', T + '/s', stdin=os.open(T, os.O_RDONLY))
    c = dial(cat)
    cat.fail(26, 'read standard input: Is a directory')


def stdin_terminal():
    master, slave = raw_pty()
    cat = Cat('-l', '-k', '127.0.0.1', '0', stdin=slave)
    one = dial(cat)
    one.sendall(b'1')
    cat.await_output(b'1')
    os.write(master, b'a')
    check(one.recv(1), b'a')
    one.close()
    two, three = dial(cat), dial(cat)
    two.sendall(b'2')
    cat.await_output(b'12')
    three.sendall(b'3')
    cat.await_output(b'123')
    os.write(master, b'b')
    check(two.recv(1) + three.recv(1), b'bb')


def max_accepts_refuses_next():
    cat = Cat('-l', '-k', '--max-accepts', '3', '127.0.0.1', '0')
    clients = [dial(cat) for _ in range(3)]
    def refused():
        try:
            dial(cat).close()
        except ConnectionRefusedError:
            return True
    until(refused, 'a refusal')
    for c in clients:
        c.sendall(b'x')
        c.shutdown(socket.SHUT_WR)
        check(to_end(c), b'')
    check(cat.end(), b'xxx')


def max_accepts_all_written():
    r, w = os.pipe()
    cat = Cat('-l', '-k', '-d', '--max-accepts', '3', '127.0.0.1', '0', stdout=w)
    os.close(w)
    clients = [dial(cat) for _ in range(3)]
    sent = sum(pour(c, 3000000) for c in clients)
    check(sent > 2000000, True)
    for c in clients:
        c.shutdown(socket.SHUT_WR)
    got = 0
    while part := os.read(r, 1 << 20):
        got += len(part)
    check(got, sent)
    cat.end()


def failures_counted():
    cat = Cat('-l', '-k', '--max-accepts', '3', '127.0.0.1', '0', stdin=os.pipe()[0])
    one, two, three = (dial(cat) for _ in range(3))
    for c in one, two, three:
        c.sendall(b'.')
    cat.await_output(b'...')
    reset(two)
    until(lambda: 'Connection reset by peer' in cat.errors(), 'a line')
    for c in one, three:
        c.sendall(b'!')
        c.shutdown(socket.SHUT_WR)
        check(to_end(c), b'')
    check(cat.end(104), b'...!!')
    check(re.findall(r'sockcat: (?!listening on).*', cat.errors())[1:], [
        'sockcat: listen: 1 of 3 connections failed'])


def shared_listener_left_alone():
    server = tcp()
    os.set_inheritable(server.fileno(), True)
    cat = subprocess.Popen([os.environ['SOCKCAT'], '-l', '-k', '-d', '--max-accepts', '1',
                            'fd://%d' % server.fileno()], close_fds=False, stdout=subprocess.PIPE,
                           env=os.environ | shim(count=T + '/count'))
    first = socket.create_connection(server.getsockname())
    first.sendall(b'.')
    check(cat.stdout.read(1), b'.')
    others = [socket.create_connection(server.getsockname()) for _ in range(3)]
    for _ in range(300):
        first.sendall(b'.')
        check(cat.stdout.read(1), b'.')
    first.close()
    check(cat.wait(LIMIT), 0)
    counts = counted()
    check(counts.get('accept4', counts.get('accept')), 1)
    check(turns(counts) < 500, True, 'it spins: %s' % counts)


def sigterm_flushes():
    r, w = os.pipe()
    cat = Cat('-l', '-k', '127.0.0.1', '0', stdin=r)
    clients = [dial(cat) for _ in range(20)]
    for c in clients:
        c.sendall(b'.')
    cat.await_output(b'.' * 20)
    cat.stop()
    os.write(w, b'said')
    cat.send(signal.SIGTERM)
    cat.go()
    cat.end(-signal.SIGTERM)
    for c in clients:
        check(exactly(c, 4), b'said')
    for c in clients:
        try:
            check(c.recv(1), 'a reset')
        except ConnectionResetError:
            pass
    check(cat.errors().count('\n'), 1)


def sigterm_flushes_delayed():
    for options in [], ['--frame', 'line']:
        r, w = os.pipe()
        cat = Cat('-l', '-k', '-i', '1h', *options, '127.0.0.1', '0', stdin=r)
        client = dial(cat)
        os.write(w, b'now\n' + b'later\n' * 3000)
        check(exactly(client, 4), b'now\n')
        cat.rest()
        cat.send(signal.SIGTERM)
        check(exactly(client, 18000) == b'later\n' * 3000, True, str(options))
        cat.end(-signal.SIGTERM)


def sigterm_stalled_clients():
    for more in [], ['--broker']:
        r, w = os.pipe()
        out, end = os.pipe()
        cat = Cat('-l', '-k', *more, '127.0.0.1', '0', stdin=r, stdout=end)
        os.close(end)
        clients = [dial(cat, room=4096) for _ in range(5)]
        sent = [pour(c, 3000000) for c in clients]
        threading.Thread(target=os.write, args=(w, bytes(3000000)), daemon=True).start()
        cat.send(signal.SIGTERM)
        cat.end(-signal.SIGTERM)


def sigusr1_report():
    cat = Cat('-l', '-k', '-d', '127.0.0.1', '0')
    clients = [dial(cat) for _ in range(3)]
    for c in clients:
        c.sendall(b'12345')
    cat.await_output(b'12345' * 3)
    reset(clients.pop())
    until(lambda: 'reset' in cat.errors(), 'the reset')
    cat.send(signal.SIGUSR1)
    until(lambda: cat.errors().count('session ') == 2, 'two sessions')
    check('2 clients, 3 in all, 1 failed, 0 rejected' in cat.errors(), True, cat.errors())
    check(cat.errors().count(': 0 bytes sent, 5 bytes received'), 2)


def session_limits():
    r, w = os.pipe()
    cat = Cat('-l', '-k', '-W', '1', '127.0.0.1', '0', stdin=r)
    clients = [dial(cat) for _ in range(3)]
    for c in clients:
        c.sendall(b'.')
        check(to_end(c), b'')
    cat.await_output(b'...')
    cat = Cat('-l', '-k', '--idle-timeout', '0.3', '--max-accepts', '2', '127.0.0.1', '0', stdin=r)
    idle, busy = dial(cat), dial(cat)
    stopped = threading.Event()
    def talk():
        while not stopped.wait(0.02):
            busy.sendall(b'.')
    thread = threading.Thread(target=talk)
    thread.start()
    try:
        check(idle.recv(1), 'a reset')
    except ConnectionResetError:
        pass
    stopped.set()
    thread.join()
    busy.shutdown(socket.SHUT_WR)
    check(to_end(busy), b'')
    cat.end(104)
    check('nothing moved for 300 ms' in cat.errors(), True)
    cat = Cat('-l', '-k', '-q', '0.1', '--max-accepts', '2', '127.0.0.1', '0')
    clients = [dial(cat) for _ in range(2)]
    for c in clients:
        check(to_end(c), b'')
    cat.end()
    cat = Cat('-l', '-k', '--until=stdin', '--max-accepts', '2', '127.0.0.1', '0', stdin=r)
    stdin_reaches_all(cat, w, 2, b'bye')
    cat.end()


def accept_timeout():
    Cat('-l', '--accept-timeout', '0.05', '-U', T + '/s').fail(28, 'accept: timed out')
    Cat('-l', '-k', '--accept-timeout', '0.05', '-U', T + '/s').fail(28, 'accept: timed out')
    cat = Cat('-l', '-k', '--accept-timeout', '0.2', '-U', T + '/s')
    c = dial(cat)
    c.sendall(b'.')
    cat.await_output(b'.')
    # Longer than it would wait alone.
    Cat('-l', '--accept-timeout', '0.4', '-U', T + '/t').end(28)
    c.sendall(b'.')
    cat.await_output(b'..')
    c.close()
    cat.fail(28, 'accept: timed out')


def echo():
    data = os.urandom(1000000)
    def ask(cat, answers):
        s = dial(cat)
        threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR))).start()
        answers.append(to_end(s) == data)
    for number, more in (1, []), (8, ['-k', '--max-accepts', '8']):
        cat = Cat('-l', *more, '--echo', '127.0.0.1', '0')
        answers = []
        threads = [threading.Thread(target=ask, args=(cat, answers)) for _ in range(number)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        check(answers, [True] * number)
        cat.end()


def discard():
    for more in [], ['-k', '--max-accepts', '1']:
        cat = Cat('-l', *more, '--discard', '127.0.0.1', '0')
        c = dial(cat)
        c.sendall(bytes(5000000))
        c.shutdown(socket.SHUT_WR)
        check(to_end(c), b'')
        check(cat.end(), b'')


def chargen():
    line = bytes(range(32, 127)) * 2
    wanted = b''.join(line[i % 95:i % 95 + 72] + b'\r\n' for i in range(5000))
    for more in [], ['-k', '--max-accepts', '1']:
        cat = Cat('-l', *more, '--chargen', '127.0.0.1', '0')
        c = dial(cat)
        c.sendall(b'ignored')
        check(exactly(c, len(wanted)) == wanted, True)
        c.close()
        cat.end()
        check(re.sub('sockcat: listening.*\n', '', cat.errors()), '')


def daytime():
    for more in [], ['-k', '--max-accepts', '1']:
        cat = Cat('-l', *more, '--daytime', '127.0.0.1', '0')
        before = time.time()
        c = dial(cat)
        check_daytime(to_end(c), before)
        c.close()
        cat.end()


def echo_datagrams():
    cat = Cat('-l', '-u', '-k', '--echo', '127.0.0.1', '0')
    clients = [udp() for _ in range(5)]
    cat.stop()
    for n in range(3):
        for i, c in enumerate(clients):
            c.sendto(b'%d of %d' % (n, i), cat.address())
    cat.go()
    for n in range(3):
        for i, c in enumerate(clients):
            check(c.recv(100), b'%d of %d' % (n, i))


def broker_to_all_others():
    # It implies -k.
    cat = Cat('-l', '--broker', '127.0.0.1', '0')
    clients = [dial(cat) for _ in range(5)]
    for n, c in enumerate(clients):
        c.sendall(b'%d' % n)
        for other in clients:
            if other is not c:
                check(other.recv(100), b'%d' % n)
    clients[0].shutdown(socket.SHUT_WR)
    check(to_end(clients[0]), b'')
    check(cat.output(), b'')


def broker_input():
    """Standard input goes to all clients, as messages with a frame, and its end is not theirs."""
    for options, wanted in ([], b'from here\n'), (['--frame', 'u8'], b'\x09from here'):
        back, front = os.pipe()
        cat = Cat('-l', '--broker', '--max-accepts', '3', *options, '127.0.0.1', '0', stdin=back)
        clients = [dial(cat) for _ in range(2)]
        os.write(front, b'from here\n')
        for c in clients:
            check(exactly(c, len(wanted)), wanted)
        os.close(front)
        clients.append(dial(cat))
        clients[2].sendall(b'\1!')
        for c in clients[:2]:
            check(exactly(c, 2), b'\1!')
        for c in clients:
            c.close()
        cat.end()
        check(cat.output(), b'')


def broker_input_file():
    """A file is sent once, to the clients that are there; with -d it is not read."""
    with open(T + '/file', 'wb') as file:
        file.write(b'line\n' * 1000)
    for options, wanted in ([], b'line\n' * 1000), (['-d'], b''):
        with open(T + '/file', 'rb') as file:
            cat = Cat('-l', '--broker', *options, '127.0.0.1', '0', stdin=file)
        one = dial(cat)
        if not options:
            check(exactly(one, 5000), wanted)
        two = dial(cat)
        two.sendall(b'!')
        check(exactly(one, 1), b'!')
        one.sendall(b'?')
        check(exactly(two, 1), b'?')


def broker_single_client():
    for slow in 'wait', 'drop', 'disconnect':
        cat = Cat('-l', '-k', '--broker', '--slow', slow, '127.0.0.1', '0')
        one = dial(cat)
        one.sendall(bytes(5000000))
        until(lambda: taken(one), 'all to be read')
        two = dial(cat)
        two.sendall(b'!')
        check(one.recv(1), b'!')
        one.sendall(b'?')
        check(two.recv(1), b'?')


def broker_disconnects_slow_client():
    cat = Cat('-l', '-k', '--broker', '--queue', '200k', '127.0.0.1', '0')
    publisher, stalled = dial(cat), dial(cat, room=4096)
    others = [dial(cat) for _ in range(9)]
    for c in [stalled] + others:
        c.sendall(b'.')
        check(publisher.recv(1), b'.')
    for c in others:
        exactly(c, 9)
    data = os.urandom(10000000)
    come = [0] * 9
    def hear(n):
        while come[n] < len(data):
            part = others[n].recv(65536)
            check(part == data[come[n]:come[n] + len(part)] != b'', True)
            come[n] += len(part)
    threads = [threading.Thread(target=hear, args=(n,)) for n in range(9)]
    for t in threads:
        t.start()
    for at in range(0, len(data), 100000):
        publisher.sendall(data[at:at + 100000])
        # At the pace of the nine: a slower client does not keep up, either.
        until(lambda: min(come) >= at + 100000, 'the others')
    for t in threads:
        t.join()
    until(lambda: 'queue full' in cat.errors(), 'a line')
    check(cat.errors().count('queue full'), 1)
    cat.send(signal.SIGUSR1)
    until(lambda: '10 clients, 11 in all, 1 failed' in cat.errors(), 'the count')


def broker_burst_is_not_slow():
    for slow in 'disconnect', 'drop':
        cat = Cat('-l', '-k', '--broker', '--queue', '2k', '--slow', slow, '--max-accepts', '20',
                  '127.0.0.1', '0')
        clients = []
        for _ in range(20):
            clients.append(dial(cat))
            if len(clients) > 1:
                clients[-1].sendall(b'.')
                check(exactly(clients[-2], 1), b'.')
        for number, c in enumerate(clients[:-2]):
            check(exactly(c, 18 - number), b'.' * (18 - number))
        cat.stop()
        for c in clients:
            c.sendall(b'x' * 1000)
        cat.go()
        for c in clients:
            check(len(exactly(c, 19 * 1000)), 19 * 1000, cat.errors())
        for c in clients:
            c.close()
        cat.end()
        check(cat.errors().count('\n'), 1, cat.errors())


def broker_slow_drop():
    cat = Cat('-l', '-k', '-v', '--broker', '--slow=drop', '--queue', '100k', '--frame', 'u32be',
              '--max-accepts', '3', '127.0.0.1', '0')
    publisher, stalled = dial(cat), dial(cat, room=4096)
    other = dial(cat)
    for c in stalled, other:
        c.sendall(b'\0\0\0\1.')
        check(exactly(publisher, 5), b'\0\0\0\1.')
    exactly(other, 5)
    exactly(stalled, 5)
    def message(n):
        return struct.pack('>II', 10000, n) + bytes(9996)
    for n in range(2000):
        publisher.sendall(message(n))
        check(exactly(other, 10004) == message(n), True)
    publisher.shutdown(socket.SHUT_WR)
    other.shutdown(socket.SHUT_WR)
    check(to_end(other), b'')
    stalled.shutdown(socket.SHUT_WR)
    got = to_end(stalled)
    check(len(got) % 10004, 0, 'a part of a message')
    numbers = [struct.unpack('>I', got[at + 4:at + 8])[0] for at in range(0, len(got), 10004)]
    check(numbers == sorted(set(numbers)), True)
    check(0 < len(numbers) < 1000, True, len(numbers))
    cat.end(104)
    check(', %d messages dropped (slow client)' % (2000 - len(numbers)) in cat.errors(), True, cat.errors())
    check(cat.errors().splitlines()[-1], 'sockcat: listen: 1 of 3 connections failed')


def broker_slow_wait():
    cat = Cat('-l', '-k', '--broker', '--slow=wait', '--queue', '100k', '127.0.0.1', '0')
    publisher, slow, other = dial(cat), dial(cat, room=4096), dial(cat)
    for c in slow, other:
        c.sendall(b'.')
        check(publisher.recv(1), b'.')
    check(exactly(other, 1) + exactly(slow, 1), b'..')
    data = os.urandom(30000000)
    got = []
    thread = threading.Thread(target=lambda: got.append(exactly(other, len(data))))
    thread.start()
    sent = 0
    publisher.setblocking(False)
    while sent < len(data):
        try:
            sent += publisher.send(data[sent:sent + 65536])
        except BlockingIOError:
            if not select.select([], [publisher], [], 0.3)[1]:
                break
    check(sent < len(data), True, 'it did not wait')
    publisher.settimeout(LIMIT)
    rest = threading.Thread(target=lambda: publisher.sendall(data[sent:]))
    rest.start()
    check(exactly(slow, len(data)) == data, True)
    thread.join()
    rest.join()
    check(got[0] == data, True)


def stdin_slow_clients():
    for slow in 'wait', 'drop', 'disconnect':
        r, w = os.pipe()
        cat = Cat('-l', '-k', '-v', '--slow', slow, '--queue', '64k', '127.0.0.1', '0', stdin=r)
        good, bad = dial(cat), dial(cat, room=4096)
        for c in good, bad:
            c.sendall(b'.')
        cat.await_output(b'..')
        if slow == 'wait':
            threading.Thread(target=lambda: (os.write(w, bytes(10000000)), os.close(w)), daemon=True).start()
            threading.Thread(target=lambda: exactly(bad, 10000000), daemon=True).start()
            check(len(exactly(good, 10000000)), 10000000)
            continue
        # At the pace of the one who reads.
        for _ in range(300):
            os.write(w, bytes(30000))
            check(len(exactly(good, 30000)), 30000)
        if slow == 'drop':
            bad.shutdown(socket.SHUT_WR)
            to_end(bad)
        line = 'dropped (slow client)' if slow == 'drop' else 'queue full'
        until(lambda: line in cat.errors(), 'a line')


def broker_clients_come_and_go():
    cat = Cat('-l', '-k', '--broker', '--slow=wait', '--max-conns', '500', '--frame', 'u16be', '127.0.0.1', '0')
    cat.rest()
    descriptors = cat.descriptors()
    publishers = [dial(cat) for _ in range(3)]
    keeper = dial(cat)
    def message(who, n):
        body = struct.pack('>BI', who, n) + bytes([n % 256]) * (n * 7 % 600)
        return struct.pack('>H', len(body)) + body
    def await_all():
        for s in publishers:
            s.sendall(b'\0\1.')
        check(exactly(keeper, 9), b'\0\1.' * 3)
    await_all()
    stopped = threading.Event()
    def drain(s):
        try:
            while s.recv(65536):
                pass
        except OSError:
            pass
    for s in publishers:
        threading.Thread(target=drain, args=(s,), daemon=True).start()
    def chaos(seed):
        dice, there = random.Random(seed), []
        while not stopped.is_set():
            try:
                if len(there) < 20 and dice.randrange(2):
                    there.append(dial(cat, room=dice.choice([None, 4096])))
                for s in there:
                    select.select([s], [], [], 0)[0] and s.recv(65536)
                if dice.randrange(2):
                    s = there.pop(dice.randrange(len(there)))
                    what = dice.randrange(4)
                    if what == 0:
                        reset(s)
                    elif what == 1:
                        s.sendall(b'\0\3')  # half a message
                    s.close()
            except (OSError, ValueError):
                pass
        for s in there:
            s.close()
    chaos_threads = [threading.Thread(target=chaos, args=(n,)) for n in range(3)]
    for t in chaos_threads:
        t.start()
    count = 3000
    def speak(who):
        for n in range(count):
            publishers[who].sendall(message(who, n))
    talkers = [threading.Thread(target=speak, args=(n,)) for n in range(3)]
    for t in talkers:
        t.start()
    next_of = [0] * 3
    while next_of != [count] * 3:
        body = exactly(keeper, struct.unpack('>H', exactly(keeper, 2))[0])
        who, n = struct.unpack('>BI', body[:5])
        check((n, body[5:] == bytes([n % 256]) * (n * 7 % 600)), (next_of[who], True))
        next_of[who] += 1
    stopped.set()
    for t in talkers + chaos_threads:
        t.join()
    for s in publishers + [keeper]:
        s.shutdown(socket.SHUT_WR)
    to_end(keeper)
    until(lambda: cat.descriptors() == descriptors, 'all to be gone')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def virtual(cat):
    """The largest size of its address space up to now, in kB."""
    with open('/proc/%d/status' % cat.pid) as file:
        return int(re.search(r'^VmPeak:\s*(\d+) kB$', file.read(), re.M).group(1))


def broker_memory():
    """Clients that read only when the publisher has to wait."""
    for slow in 'wait', 'drop', 'disconnect':
        cat = Cat('-l', '-k', '--broker', '--slow', slow, '127.0.0.1', '0')
        before = virtual(cat)
        publisher = dial(cat)
        hearers = {dial(cat, room=65536): 0 for _ in range(4)}
        for c in hearers:
            c.sendall(b'.')
            check(publisher.recv(1), b'.')
            c.setblocking(False)

        def hear(c, most):
            with contextlib.suppress(OSError):
                while most > 0 and (part := c.recv(min(most, 65536))):
                    hearers[c] += len(part)
                    most -= len(part)
        block, sent = os.urandom(500000), 0
        publisher.setblocking(False)
        while sent < 50000000:
            if select.select([], [publisher], [], 0.05)[1]:
                sent += publisher.send(block)
            else:
                for c in hearers:
                    hear(c, 2000000)
        if slow == 'wait':
            # A client that has ended its side gets only what is queued, so each reads to the last byte.
            threads = []
            for c in hearers:
                c.settimeout(LIMIT)
                threads.append(threading.Thread(target=hear, args=(c, sent + 3 - hearers[c])))
                threads[-1].start()
            for t in threads:
                t.join()
            check(list(hearers.values()), [sent + 3] * 4)
        grown = virtual(cat) - before
        # Sanitizers reserve address space of their own.
        if os.environ['PATIENCE'] == '1':
            check(grown < 24000, True, '%s: grown by %d kB' % (slow, grown))


def broker_empty_messages_queue():
    cat = Cat('-l', '-k', '-U', '--seqpacket', '--broker', '--queue', '100k', T + '/s')
    publisher, stalled = (dial(cat, kind=socket.SOCK_SEQPACKET) for _ in range(2))
    stalled.send(b'.')
    check(publisher.recv(1), b'.')
    for _ in range(20000):
        publisher.send(b'')
    until(lambda: 'queue full' in cat.errors(), 'a line: ' + cat.errors())


def broker_seqpacket():
    cat = Cat('-l', '-k', '-U', '--seqpacket', '--broker', T + '/s')
    one, two, three = (dial(cat, kind=socket.SOCK_SEQPACKET) for _ in range(3))
    for c in two, three:
        c.send(b'.')
        check(one.recv(10), b'.')
    check(two.recv(10) + three.recv(10), b'..')
    for message in b'a' * 1000, b'', b'b' * 30000, b'', b'c':
        one.send(message)
    one.send(b'end')
    for c in two, three:
        check([c.recv(100000) for _ in range(6)], [b'a' * 1000, b'', b'b' * 30000, b'', b'c', b'end'])


def stdin_seqpacket():
    r, w = os.pipe()
    cat = Cat('-l', '-k', '-U', '--seqpacket', T + '/s', stdin=r)
    clients = [dial(cat, kind=socket.SOCK_SEQPACKET) for _ in range(3)]
    for c in clients:
        c.send(b'.')
    cat.await_output(b'...')
    data = os.urandom(500000)
    threading.Thread(target=lambda: (os.write(w, data), os.close(w)), daemon=True).start()
    def hear(c):
        got = b''
        while part := c.recv(1000000):
            got += part
        same.append(got == data)
    same = []
    threads = [threading.Thread(target=hear, args=(c,)) for c in clients]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check((same, cat.errors()), ([True] * 3, ''))


def broker_bad_frame():
    cat = Cat('-l', '-k', '--broker', '--frame', 'netstring', '127.0.0.1', '0')
    one, two, three = (dial(cat) for _ in range(3))
    for c in one, two:
        c.sendall(b'1:.,')
        check(exactly(three, 4), b'1:.,')
    two.sendall(b'3:abc,oops')
    check(exactly(three, 6), b'3:abc,')
    try:
        exactly(two, 1000000)
    except ConnectionResetError:
        pass
    one.sendall(b'2:hi,')
    check(exactly(three, 5), b'2:hi,')
    check(cat.errors().count('no length in decimal digits'), 1, cat.errors())


def broker_ring():
    def clients(cat, count):
        """It has this number of clients."""
        before = len(cat.errors())
        cat.send(signal.SIGUSR1)
        until(lambda: ' in all, ' in cat.errors()[before:], 'a report')
        return '\nsockcat: %d client' % count in '\n' + cat.errors()[before:]
    def heard(s, last):
        """All up to this."""
        got = b''
        while not got.endswith(last):
            got += s.recv(1) or sys.exit('it ended: %r' % got)
        return got
    for slow in 'drop', 'disconnect':
        a, b = (Cat('-l', '-k', '--broker', '--frame', 'line', '--slow', slow, '--queue', '64k', '127.0.0.1', '0')
                for _ in range(2))
        relays = [Cat('--to', '127.0.0.1:' + b.where, '127.0.0.1', a.where) for _ in range(2)]
        for cat in a, b:
            until(lambda: clients(cat, 2), 'the relays to be there')
        one, stalled = dial(a), dial(a, room=4096)
        until(lambda: clients(a, 4), 'the others')
        one.sendall(b'word\n')
        check(exactly(one, 1000) == b'word\n' * 200, True)
        memory = [cat.resident() for cat in (a, b)]
        # Twice that goes round, one each way, and fits into --queue.
        one.sendall((b'x' * 999 + b'\n') * 20)
        if slow == 'drop':
            # More than a kernel keeps for the one that does not read.
            whole = 0
            while whole < 20000000:
                whole += len(one.recv(1 << 17))
        else:
            until(lambda: not clients(a, 4), 'the end of who does not keep up')
        grown = [cat.resident() - was for cat, was in zip((a, b), memory)]
        # A sanitizer keeps what was freed.
        if os.environ['PATIENCE'] == '1':
            check(max(grown) < 1500000, True, '%r' % grown)
        relays[0].send(signal.SIGTERM)
        relays[0].end(-signal.SIGTERM)
        stalled.close()
        one.close()
        # With half a ring nothing comes back,
        until(lambda: clients(b, 1) and clients(a, 1), 'the others to be gone')
        one, two = dial(a), dial(b)
        until(lambda: clients(b, 2) and clients(a, 2), 'two more')
        one.sendall(b'once\n')
        heard(two, b'once\n')
        two.sendall(b'and back\n')
        # except the data that was in flight.
        check(b'once' in heard(one, b'and back\n'), False)
        relays[1].send(signal.SIGTERM)
        relays[1].end(-signal.SIGTERM)


def max_conns_wait():
    cat = Cat('-l', '-k', '-d', '--max-conns', '3', '127.0.0.1', '0')
    clients = [dial(cat) for _ in range(8)]
    for n, c in enumerate(clients):
        c.sendall(b'%d' % n)
    until(lambda: len(cat.output()) == 3, 'three')
    cat.rest()
    check(sorted(cat.output()), sorted(b'012'))
    for n in range(5):
        clients[n].close()
        until(lambda: len(cat.output()) == 4 + n, 'one more')
    check(sorted(cat.output()), sorted(b'01234567'))


def max_conns_refuse():
    cat = Cat('-l', '-k', '-d', '--max-conns', '3', '--refuse', '127.0.0.1', '0')
    clients = [dial(cat) for _ in range(3)]
    descriptors = None
    for _ in range(20):
        try:
            check(dial(cat).recv(1), 'a reset')
        except ConnectionResetError:
            pass
        descriptors = descriptors or cat.descriptors()
    check(cat.descriptors(), descriptors)
    for c in clients:
        c.sendall(b'.')
    cat.await_output(b'...')
    cat.send(signal.SIGUSR1)
    until(lambda: '3 clients, 3 in all, 0 failed, 20 rejected' in cat.errors(), cat.errors())
    clients[0].close()
    def served():
        try:
            s = dial(cat)
            s.sendall(b'!')
            s.shutdown(socket.SHUT_WR)
            to_end(s)
            return True
        except ConnectionResetError:
            pass
    until(served, 'a place')


def max_conns_per_host():
    cat = Cat('-l', '-k', '-d', '-v', '--max-conns-per-host', '2', '127.0.0.1', '0')
    greedy = [dial(cat, '127.0.0.2') for _ in range(2)]
    for _ in range(5):
        try:
            check(dial(cat, '127.0.0.2').recv(1), 'a reset')
        except ConnectionResetError:
            pass
    other = dial(cat, '127.0.0.3')
    for c in greedy + [other]:
        c.sendall(b'.')
    cat.await_output(b'...')
    check(cat.errors().count('too many clients from its address'), 5)
    greedy[0].close()
    until(lambda: 'closed 127.0.0.2' in cat.errors(), 'the end of one')
    again = dial(cat, '127.0.0.2')
    again.sendall(b'!')
    cat.await_output(b'...!')


def max_conns_per_host_both_families():
    cat = Cat('-l', '-k', '-d', '--max-conns-per-host', '1', '0')
    one = dial(cat)
    six = socket.create_connection(('::1', int(cat.where)))
    for c in one, six:
        c.sendall(b'.')
    cat.await_output(b'..')
    for where in '127.0.0.1', '::1':
        s = socket.create_connection((where, int(cat.where)))
        try:
            check(s.recv(1), 'a reset')
        except ConnectionResetError:
            pass


def idle_timeout_frees_place():
    for words in ['-d'], ['--echo'], ['-c', 'exec cat']:
        cat = Cat('-l', '-k', '--max-conns', '1', '--idle-timeout', '0.3', *words, '127.0.0.1', '0')
        silent, slow, good = (dial(cat) for _ in range(3))
        slow.sendall(b'1')
        good.sendall(b'2')
        good.shutdown(socket.SHUT_WR)
        got = to_end(good)
        check(cat.output() if words == ['-d'] else got, b'12' if words == ['-d'] else b'2')
        for c in silent, slow:
            try:
                to_end(c)
                sys.exit('it ended well')
            except ConnectionResetError:
                pass
        check(cat.errors().count('nothing moved'), 2, cat.errors())


def full_table(*more):
    """A listener that has descriptors for four of its 14 clients, and the number of those it had before."""
    cat = Cat('-l', '-k', *more, '127.0.0.1', '0', stdin=os.pipe()[0])
    cat.rest()
    own = cat.descriptors()
    most = max(int(fd) for fd in os.listdir('/proc/%d/fd' % cat.pid) if int(fd) < 500) + 1
    subprocess.run(['prlimit', '--pid', str(cat.pid), '--nofile=%d' % (most + 4)], check=True)
    clients = [dial(cat) for _ in range(14)]
    until(lambda: cat.descriptors() == own + 4, 'the first')
    return cat, clients, own


def descriptors_used_up_pauses():
    for more in [], ['--echo'], ['--broker']:
        cat, clients, _ = full_table(*more)
        inside = clients[:4]
        before = cat.ticks()
        # A second passes, in which it would spin.
        Cat('-l', '--accept-timeout', '1', '-U', T + '/t').end(28)
        check(cat.ticks() - before < 30, True, '%d ticks' % (cat.ticks() - before))
        for c in inside:
            c.sendall(b'.')
        if more == ['--echo']:
            check(b''.join(c.recv(1) for c in inside), b'....')
        if more == ['--broker']:
            check(b''.join(exactly(c, 3) for c in inside), b'.' * 12)
        if not more:
            cat.await_output(b'....')


def descriptors_used_up_resumes():
    for more in [], ['--echo'], ['--broker']:
        cat, clients, own = full_table(*more)
        for n, c in enumerate(clients[4:]):
            clients[n].close()
            c.sendall(b'!')
            if more == ['--echo']:
                check(c.recv(1), b'!')
        if not more:
            cat.await_output(b'!' * 10)
        for c in clients[10:]:
            c.close()
        until(lambda: cat.descriptors() == own, 'all to be gone')


def pause_polls_slowly():
    cat = Cat('-l', '-k', '-d', '127.0.0.1', '0')
    cat.rest()
    most = max(int(fd) for fd in os.listdir('/proc/%d/fd' % cat.pid)) + 1
    subprocess.run(['prlimit', '--pid', str(cat.pid), '--nofile=%d' % (most + 2)], check=True)
    trace = subprocess.Popen(['strace', '-qq', '-p', str(cat.pid), '-o', T + '/trace'], stderr=subprocess.DEVNULL)
    until(lambda: re.search(r'TracerPid:\s+[1-9]', open('/proc/%d/status' % cat.pid).read()), 'strace')
    clients = [dial(cat) for _ in range(6)]
    def calls():
        with open(T + '/trace') as file:
            return file.read()
    until(lambda: calls().count('EMFILE') >= 3, 'pauses')
    before = calls().count('\n')
    # Half a second.
    Cat('-l', '--accept-timeout', '0.5', '-U', T + '/t').end(28)
    check(calls().count('\n') - before < 100, True, calls()[-2000:])
    trace.terminate()
    trace.wait()


def no_leaks():
    def flood(cat, n, more):
        for at in range(n):
            c = dial(cat)
            if at % 3 == 1:
                c.sendall(b'hello')
            if at % 3 == 2 and more != ['--broker']:
                c.shutdown(socket.SHUT_WR)
                to_end(c)
            if at % 2:
                reset(c)
            else:
                c.close()
    for more in [], ['--echo'], ['--broker']:
        cat = Cat('-l', '-k', '-d' if not more else more[0], '127.0.0.1', '0')
        cat.rest()
        descriptors = cat.descriptors()
        flood(cat, 200, more)
        until(lambda: cat.descriptors() == descriptors, 'all to be gone')
        memory = cat.resident()
        flood(cat, 700, more)
        until(lambda: cat.descriptors() == descriptors, 'all to be gone')
        check(cat.resident() - memory < 300000 * int(os.environ['PATIENCE']) ** 4, True, cat.resident() - memory)


def memory_of_served_clients():
    resource.setrlimit(resource.RLIMIT_NOFILE, (2000, 2000))
    for more in [], ['--frame', 'line'], ['--frame', 'netstring'], ['-C']:
        cat = Cat('-l', '-k', '--max-conns', '1000', '--echo', *more, '127.0.0.1', '0')
        message = b'5:hello,' if 'netstring' in more else b'hello\n'
        answer = message if more != ['-C'] else b'hello\r\n'
        def ask():
            c = dial(cat)
            c.sendall(message)
            check(c.recv(len(answer), socket.MSG_WAITALL), answer)
            return c
        few = [ask() for _ in range(10)]
        memory = cat.resident()
        many = [ask() for _ in range(500)]
        if os.environ['PATIENCE'] == '1':
            check((cat.resident() - memory) / 500 <= 4096, True, '%s: %d' % (more, (cat.resident() - memory) / 500))
        cat.send(signal.SIGTERM)
        cat.end(-signal.SIGTERM)


def memory_of_idle_clients():
    resource.setrlimit(resource.RLIMIT_NOFILE, (2000, 2000))
    for more in [], ['--echo'], ['--broker']:
        cat = Cat('-l', '-k', '--max-conns', '1000', '--max-accepts', '510', *more, '127.0.0.1', '0',
                  stdin=os.pipe()[0], env=shim(count=T + '/count'))
        cat.rest()
        descriptors = cat.descriptors()
        few = [dial(cat) for _ in range(9)]
        until(lambda: cat.descriptors() == descriptors + 9, 'a few')
        memory = cat.resident()
        many = [dial(cat) for _ in range(500)]
        until(lambda: cat.descriptors() == descriptors + 509, 'many')
        if os.environ['PATIENCE'] == '1':
            check((cat.resident() - memory) / 500 <= 3072, True, '%d' % ((cat.resident() - memory) / 500))
        one = dial(cat)
        for _ in range(1000):
            one.sendall(b'.')
            if more == ['--echo']:
                check(one.recv(1), b'.')
        until(lambda: taken(one), 'all of it')
        for c in few + many + [one]:
            c.shutdown(socket.SHUT_WR)
        for c in few + many + [one]:
            to_end(c)
            c.close()
        cat.end()
        counts = counted()
        check(turns(counts) < (10000 if more != ['--broker'] else 600000), True, counts)


def accept_errors():
    errors = 'ECONNABORTED', 'EPROTO', 'ENETDOWN', 'EHOSTUNREACH', 'EINTR', 'ENOBUFS', 'ENOMEM', 'EMFILE'
    # All at once, because after some of them the listener pauses.
    cats = [(error, Cat('-l', '-k', '-d', '--max-accepts', '3', '127.0.0.1', '0', env=shim(
        'accept4:%s:1,accept4:%s:3' % (error, error), T + '/' + error))) for error in errors]
    for word in b'one', b'two', b'three':
        clients = [dial(cat) for _, cat in cats]
        for client in clients:
            client.sendall(word)
            client.shutdown(socket.SHUT_WR)
        for client in clients:
            check(to_end(client), b'')
            client.close()
    for error, cat in cats:
        check((error, cat.end()), (error, b'onetwothree'))
        check(counted(T + '/' + error).get('accept4:failed'), 2, error)


def clients_gone_before_accept():
    cat = Cat('-l', '-k', '-d', '127.0.0.1', '0')
    cat.rest()
    descriptors = cat.descriptors()
    cat.stop()
    for n in range(50):
        c = dial(cat)
        if n % 2:
            c.sendall(b'x' * 10 if n % 4 == 1 else b'')
        reset(c)
    good = dial(cat)
    good.sendall(b'good')
    cat.go()
    until(lambda: cat.output().endswith(b'good'), 'the good one')
    until(lambda: cat.descriptors() == descriptors + 1, 'the others to be gone')


def memory_fails_once():
    for service in SERVICES:
        life = Life(service, '', count=True)
        check([life.join() for _ in range(4)], [True] * 4)
        life.end([0, 104])
        counts = counted()
        for call in 'malloc', 'calloc', 'realloc':
            for n in range(1, counts.get(call, 0) + 1):
                try:
                    life = Life(service, '%s:ENOMEM:%d' % (call, n))
                except SystemExit:
                    continue  # it did not come up, as it should not
                served = [life.join() for _ in range(4)]
                check(served.count(False) <= 1, True, '%s %s %d: %s %s' % (
                    service, call, n, served, life.cat.errors()))
                if not service:
                    check(life.speaks() >= 3, True, '%s %d: %s' % (call, n, life.cat.errors()))
                life.end([0, 104])


def memory_fails_for_good():
    for service in SERVICES:
        life = Life(service, '', count=True, most=2)
        check([life.join() for _ in range(2)], [True] * 2)
        life.end([0, 104])
        two = counted()
        life = Life(service, '', count=True)
        check([life.join() for _ in range(4)], [True] * 4)
        life.end([0, 104])
        four = counted()
        for n in range(two['malloc'] + 1, four['malloc'] + 1, 2):
            life = Life(service, 'malloc:ENOMEM:%d+,calloc:ENOMEM:%d+,realloc:ENOMEM:%d+' % (
                n, two['calloc'] + 1, two['realloc'] + 1))
            check([life.join() for _ in range(2)], [True, True])
            others = attempts(life.cat)
            # Time to fail in.
            Cat('-l', '--accept-timeout', '0.1', '-U', T + '/t').end(28)
            check([life.is_there(c) for c in life.clients], [True, True], life.cat.errors())
            if service == ['--echo']:
                for c in life.clients:
                    c.sendall(b'x' * 1000)
                    check(exactly(c, 1000), b'x' * 1000)
            for c in others:
                reset(c)
            life.end([0, 104])


def call_fails_once():
    for service in SERVICES:
        none = quiet(service)
        life = Life(service, '', count=True)
        check([life.join() for _ in range(4)], [True] * 4)
        life.end([0, 104])
        four = counted()
        for call, error in (('setsockopt', 'ENOBUFS'), ('getsockopt', 'ENOBUFS'), ('fcntl', 'ENOMEM'),
                            ('epoll_ctl', 'ENOMEM'), ('accept4', 'ENOMEM'), ('accept4', 'EMFILE'),
                            ('recvmsg', 'ENOBUFS'), ('recvmsg', 'ECONNRESET'), ('sendmsg', 'ENOBUFS'),
                            ('sendmsg', 'EPIPE'), ('ioctl', 'EINVAL'), ('shutdown', 'ENOBUFS'),
                            ('close', 'EIO'), ('epoll_wait', 'EINTR'), ('open', 'EMFILE')):
            first, last = none.get(call, 0), four.get(call, 0)
            for n in range(first + 1, last + 1, max(1, (last - first) // 8)):
                life = Life(service, '%s:%s:%d' % (call, error, n))
                served = [life.join() for _ in range(4)]
                check(served.count(False) <= 1, True, '%s %s %d: %s %s' % (
                    service, call, n, served, life.cat.errors()))
                life.end([0, 104])


def call_fails_for_good():
    for service in SERVICES:
        life = Life(service, '', count=True, most=2)
        check([life.join() for _ in range(2)], [True] * 2)
        life.end([0, 104])
        two = counted()
        none = quiet(service)
        for call, error in (('setsockopt', 'ENOBUFS'), ('getsockopt', 'ENOBUFS'), ('fcntl', 'ENOMEM'),
                            ('epoll_ctl', 'ENOMEM'), ('accept4', 'ENOMEM'), ('accept4', 'EMFILE'),
                            ('accept4', 'ECONNABORTED'), ('ioctl', 'EINVAL'), ('open', 'EMFILE')):
            # From the first client on, or from the third; two that come at once save one call.
            for n in none.get(call, 0) + 1, two.get(call, 0) + 2:
                what = '%s %s %d' % (service, call, n)
                life = Life(service, '%s:%s:%d+' % (call, error, n), most=5)
                served = n > two.get(call, 0) and [life.join() for _ in range(2)]
                others = attempts(life.cat)
                Cat('-l', '--accept-timeout', '0.05', '-U', T + '/t').end(28)
                check(life.cat.process.poll(), None, what + life.cat.errors())
                check([life.is_there(c) for c in life.clients], served or [], what + life.cat.errors())
                life.cat.send(signal.SIGTERM)
                check(life.cat.process.wait(LIMIT), -signal.SIGTERM, what + life.cat.errors())


def without_epoll():
    for service in SERVICES:
        life = Life(service, 'epoll_create1:EMFILE:*', count=True, most=30)
        check([life.join() for _ in range(30)], [True] * 30)
        if not service:
            check(life.speaks(), 30)
        life.end([0, 104])
        check(counted()['poll'] > 30, True)


def foreign_clients():
    r, w = os.pipe()
    cat = Cat('-l', '-k', '127.0.0.1', '0', stdin=r)
    os.close(r)
    host, port = '127.0.0.1', cat.where
    peers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for command in (
        ['nc.openbsd', host, port],
        ['ncat', host, port],
        ['socat', '-', 'TCP:%s:%s' % (host, port)],
        ['curl', '-sN', 'telnet://%s:%s' % (host, port)],
        [os.environ['SOCKCAT'], host, port],
        ['bash', '-c', 'exec 3<>/dev/tcp/%s/%s; cat <&3 & exec cat >&3' % (host, port)])]
    wanted = b''
    for n, peer in enumerate(peers):
        wanted += b'from %d\n' % n
        os.write(peer.stdin.fileno(), b'from %d\n' % n)
        cat.await_output(wanted)
    os.write(w, b'to all\n')
    for peer in peers:
        check(shown(peer.stdout.fileno(), b'to all\n'), b'to all\n', peer.args)
    os.close(w)
    for peer in peers:
        peer.stdin.close()
        check(peer.args[0] == 'bash' or peer.wait(LIMIT) in (0, 1), True, peer.args)
        peer.kill()
    check('failed' in cat.errors(), False)


def broker_foreign_clients():
    cat = Cat('-l', '-k', '--broker', '127.0.0.1', '0')
    host, port = '127.0.0.1', cat.where
    own = dial(cat)
    peers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for command in (
        ['nc.openbsd', host, port], ['ncat', host, port], ['socat', '-', 'TCP:%s:%s' % (host, port)])]
    for n, peer in enumerate(peers):  # so that all are there
        os.write(peer.stdin.fileno(), b'%d' % n)
        check(own.recv(1), b'%d' % n)
    own.sendall(b'!')
    for n, peer in enumerate(peers):
        got = b''
        while not got.endswith(b'!'):
            got += os.read(peer.stdout.fileno(), 1)
        check(b'%d' % n in got, False, 'it hears itself')
        peer.kill()


def families():
    cat = Cat('-l', '-k', '-d', '0')
    for n in range(10):
        c = socket.create_connection(('::1' if n % 2 else '127.0.0.1', int(cat.where)))
        c.sendall(b'.')
        cat.await_output(b'.' * (n + 1))
    cat = Cat('-l', '-k', '-U', '--echo', T + '/s')
    clients = [dial(cat) for _ in range(10)]
    for c in clients:
        c.sendall(b'hello')
        check(exactly(c, 5), b'hello')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    check(os.path.exists(T + '/s'), False)


def come_and_go_for_long():
    # With a sanitizer each takes ten times as long, and memory is not what it would be.
    total = 100000 if os.environ['PATIENCE'] == '1' else 3000
    cat = Cat('-l', '-k', '--echo', '127.0.0.1', '0')
    where = cat.address()
    def come_and_go(first, last):
        for i in range(first, last):
            # Without a limit of its own, which would cost two more calls for each of these.
            with socket.socket() as s:
                # Ports would run out at one address.
                s.bind(('127.0.%d.%d' % (1 + i // 20000, 1 + i % 200), 0))
                s.connect(where)
                s.sendall(b'x')
                check(s.recv(1), b'x')
                if i % 3 == 0:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                elif i % 3 == 1:
                    s.shutdown(socket.SHUT_WR)
                    check(s.recv(1), b'')
    def idle():
        until(lambda: cat.descriptors() <= few, 'the last to go')
        return cat.resident()
    # When it has listened, it may not be at rest yet: measured beside one client.
    with socket.create_connection(where) as s:
        s.sendall(b'x')
        check(s.recv(1), b'x')
        few = cat.descriptors() - 1
    come_and_go(0, total // 20)
    before = idle()
    come_and_go(total // 20, total)
    if os.environ['PATIENCE'] == '1':
        check(idle() - before <= 256 * 1024, True, '%d bytes more' % (cat.resident() - before))
    idle()


if __name__ == '__main__':
    main()
