"""--progress: what a terminal shows, and what is printed where there is none."""
import fcntl
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

from drive import Cat, LIMIT, T, accept, check, main, tcp, to_end, until

SIZE = 3_000_000
CLEAR = b'\r\x1b[K'


class Screen:
    """A terminal for descriptors of a program: what it shows, and how wide it is."""

    def __init__(self, columns=80):
        self.master, self.slave = os.openpty()
        self.shown = b''
        self.resize(columns)

    def resize(self, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            try:
                self.shown += os.read(self.master, 65536)
            except OSError:  # EIO: all have closed it
                return self.shown
        return self.shown

    def see(self, pattern, since=0):
        """Wait until it has shown this; return the position behind it."""
        return until(lambda: re.search(pattern, self.read()[since:]), 'see %r: %r' % (pattern, self.shown)).end() + since

    def drawn(self, since=0):
        """The lines that replaced each other."""
        return [line for line in self.read()[since:].split(CLEAR)[1:] if line]


def source(size=SIZE):
    path = T + '/source'
    with open(path, 'wb') as file:
        file.truncate(size)
    return open(path, 'rb')


def sender(screen, *options, stdout=None, buffer='16k', size=SIZE):
    """A client whose peer, the result, has not read anything yet; most of the data is not sent."""
    listener = tcp()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    cat = Cat('-O', buffer, *options, '127.0.0.1', str(listener.getsockname()[1]), stdin=source(size), stdout=stdout,
              stderr=screen and screen.slave)
    return cat, accept(listener)


def final(screen, pattern):
    """Nothing but this line follows the last one that was removed."""
    last = screen.read().split(CLEAR)[-1]
    if not re.fullmatch(pattern.encode() + rb'\r\n', last):
        sys.exit('not the last line: %r' % screen.shown[-500:])


def confirmed():
    """100 % are there only when the peer has acknowledged all; the width is that of the terminal."""
    screen = Screen()
    cat, peer = sender(screen, '--progress')
    screen.see(rb'  ?\d+% \[=*> *\] +[\d.]+ [kM]B of 3\.0 MB sent ')
    for columns in 20, 400, 1:
        screen.resize(columns)
        begun = len(screen.read())
        cat.send(signal.SIGWINCH)
        until(lambda since=begun: len(screen.read()[since:].split(CLEAR)) > 3, 'it is redrawn')
        widths = [len(line) for line in screen.drawn(begun)[1:]]
        check(all(width < columns for width in widths), True, widths)
        check(columns != 400 or max(widths) > 80, True, widths)
    check(b'100%' in screen.read(), False, screen.shown)
    check(len(to_end(peer)), SIZE)
    screen.see(rb'\x1b\[K')
    peer.close()
    cat.end()
    final(screen, r'sockcat: 3\.0 MB sent \(100% of 3\.0 MB\) in \d+:\d\d, [\d.]+ [kMG]?B/s[^\r]*')


def unacknowledged():
    """All is written to the socket, but not acknowledged: 99 %."""
    screen = Screen()
    cat, peer = sender(screen, '--progress', buffer='200k', size=200000)
    screen.see(rb' 99% \[=*>\] 200\.0 kB of 200\.0 kB sent ')
    begun = len(screen.read())
    screen.see(rb' 99% \[', begun)
    check(b'100%' in screen.read(), False, screen.shown)
    check(len(to_end(peer)), 200000)
    peer.close()
    cat.end()
    final(screen, r'sockcat: 200\.0 kB sent \(100% of 200\.0 kB\) in [^\r]*')


def each_ten_seconds():
    """Without a terminal a line is printed every ten seconds."""
    listener = tcp()
    cat = Cat('--progress', '-d', '--size', '1k', '127.0.0.1', str(listener.getsockname()[1]))
    peer = accept(listener)
    peer.sendall(b'x' * 512)
    begun = time.monotonic()
    until(cat.errors, 'the first line')
    check(time.monotonic() - begun > 9, True)
    peer.close()
    cat.end()
    check(re.fullmatch(r'sockcat: 512 B received \(50% of 1\.0 kB\), 0 B/s, mean \d+ B/s, 0:\d\d left\n'
                       r'sockcat: 512 B received \(50% of 1\.0 kB\) in \d:\d\d, \d+ B/s\n', cat.errors()) is not None,
          True, cat.errors())


def lost():
    """The peer resets the connection: the share is not 100 %, and the message has its own line."""
    screen = Screen()
    cat, peer = sender(screen, '--progress')
    screen.see(rb'% \[')
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    peer.close()
    check(cat.process.wait(LIMIT), 55)
    final(screen, r'sockcat: [^\r]* sent \(\d?\d% of 3\.0 MB\) in [^\r]*\r\nsockcat: send [^\r]*')


def interrupted():
    """A signal leaves no line behind."""
    screen = Screen()
    cat, peer = sender(screen, '--progress')
    screen.see(rb'% \[')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    final(screen, r'sockcat: [^\r]* sent \(\d?\d% of 3\.0 MB\) in [^\r]*')
    peer.close()


def messages_between():
    """A message gets a line of its own, and the bar is shown again behind it."""
    screen = Screen()
    cat, peer = sender(screen, '--progress')
    begun = screen.see(rb'% \[')
    cat.send(signal.SIGUSR1)
    begun = screen.see(rb'\r\x1b\[Ksockcat: session [^\r]*\r\n', begun)
    screen.see(rb'^\r\x1b\[K +\d+% \[', begun)
    cat.send(signal.SIGKILL)
    peer.close()


def same_terminal():
    """Received data on the same terminal is not mixed with the bar."""
    screen = Screen()
    cat, peer = sender(screen, '--progress', stdout=screen.slave)
    screen.see(rb'% \[')
    peer.sendall(b'hello')
    begun = screen.see(rb'\r\x1b\[Khello')
    begun = screen.see(rb'^sockcat: --progress: not shown [^\r]*\r\n', begun)
    check(len(to_end(peer)), SIZE)
    peer.close()
    cat.end()
    check(re.fullmatch(rb'sockcat: 3\.0 MB sent \(100% of 3\.0 MB\) in [^\r]*, 5 B received\r\n',
                       screen.read()[begun:]) is not None, True, screen.shown)


def objects(path):
    with open(path, encoding='utf-8') as file:
        return [line for line in map(json.loads, file.read().splitlines()) if line['event'] == 'progress']


def json_objects():
    """One a second, and one at the end: on standard error, or in the report."""
    report = T + '/report'
    for options in [], ['--report=json:' + report]:
        cat, peer = sender(None, '--progress=json', *options)
        path = report if options else cat.err
        until(lambda path=path: os.path.exists(path) and len(objects(path)) >= 2, 'two objects')
        check(len(to_end(peer)), SIZE)
        peer.close()
        cat.end()
        *before, last = objects(path)
        for one in before:
            check((one['direction'], one['size'], one['percent'] < 100, 'state' in one), ('sent', SIZE, True, False))
            check(one['moved'] == one['bytes']['sent'] < SIZE, True, one)
        check((last['state'], last['percent'], last['moved'], last['bytes']), (
            'ended', 100, SIZE, {'sent': SIZE, 'received': 0}))
        check(cat.errors() == '', bool(options))


def result(*options, data=b'', back=b'', frame=None):
    """The last line of a client that sends the data, from a pipe, and receives."""
    listener = tcp()
    process = subprocess.Popen([os.environ['SOCKCAT'], '--progress', *options, '127.0.0.1',
                                str(listener.getsockname()[1])], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    peer = accept(listener)
    process.stdin.write(data)
    process.stdin.close()
    process.stdin = None
    peer.sendall(back)
    if '-d' not in options:
        to_end(peer)
    peer.close()
    _, errors = process.communicate(timeout=LIMIT)
    check(process.returncode, 0, errors)
    return re.sub(r' in \d+:\d\d, [\d.]+ [kMG]?B/s', '', errors.decode())


def directions():
    """What the size belongs to, and what besides is in the line."""
    for options, data, back, wanted in (
            ([], b'x' * 1500, b'', '1.5 kB sent'),
            ([], b'', b'x' * 1500, '1.5 kB received'),
            ([], b'', b'', '0 B sent'),
            (['-d'], b'', b'', '0 B received'),
            ([], b'xx', b'x' * 1500, '1.5 kB received, 2 B sent'),
            (['--size', '1500'], b'x' * 1500, b'', '1.5 kB sent (100% of 1.5 kB)'),
            (['--size', '3000'], b'x' * 1500, b'y', '1.5 kB sent (50% of 3.0 kB), 1 B received'),
            (['--size', '1000'], b'x' * 1500, b'', '1.5 kB sent'),
            (['--size', '1500'], b'x', b'y' * 1500, '1.5 kB received (100% of 1.5 kB), 1 B sent'),
            (['--frame', 'u8'], b'one\ntwo\n', b'\x02hi', '8 B sent, 2 messages sent and 1 received, 3 B received')):
        check(result(*options, data=data, back=back), 'sockcat: %s\n' % wanted, (options, data[:9], back[:9]))


if __name__ == '__main__':
    main()
