"""For tests that need more than one peer, or their own sockets: sockcat as a child of a script.

A test runs its script with the helper's "drive"; the script begins with "from drive import *".
"""
import atexit
import os
import re
import signal
import socket
import subprocess
import sys
import time

T = os.environ.get('T', '.')
LIMIT = 20  # seconds for whatever is waited for


def check(got, wanted, what=''):
    """Fail unless both are the same."""
    if got != wanted:
        sys.exit('%sgot:    %r\nwanted: %r' % (what and what + '\n', got, wanted))


def until(test, what):
    """Wait until the function returns something true, and return that."""
    end = time.monotonic() + LIMIT
    while not (found := test()):
        if time.monotonic() > end:
            sys.exit('in vain: ' + what)
        time.sleep(0.005)
    return found


class Cat:
    """A running sockcat. Its output goes to files, so that it never has to wait for the script."""
    count = 0

    def __init__(self, *args, stdin=subprocess.DEVNULL, stdout=None, env=None):
        """A listener's ready line is read at once; where says where it is."""
        Cat.count += 1
        self.out, self.err = ('%s/cat%d.%s' % (T, Cat.count, end) for end in ('out', 'err'))
        command, ends, ready = [os.environ['SOCKCAT']], [], None
        if '-l' in args:
            ready, end = os.pipe()
            ends = [end]
            command += ['--ready-fd', str(end)]
        self.process = subprocess.Popen(
            command + list(args), stdin=stdin, stdout=stdout or open(self.out, 'wb'),
            stderr=open(self.err, 'wb'), pass_fds=ends, env=dict(os.environ, **(env or {})))
        self.pid = self.process.pid
        atexit.register(self.process.kill)  # which does nothing to one that has ended
        if ready is not None:
            os.close(ends[0])
            with open(ready, 'rb') as pipe:
                self.where = pipe.readline().rstrip(b'\n').decode(errors='surrogateescape')
            if not self.where:
                sys.exit('no ready line: ' + self.errors())

    def address(self):
        """A TCP or UDP listener's address."""
        return '127.0.0.1', int(self.where)

    def output(self):
        if not os.path.exists(self.out):
            return b''
        with open(self.out, 'rb') as file:
            return file.read()

    def errors(self):
        with open(self.err, 'rb') as file:
            return file.read().decode(errors='backslashreplace')

    def await_output(self, wanted):
        until(lambda: len(self.output()) >= len(wanted), 'output %r: %r, %s' % (
            wanted, self.output(), self.errors()))
        check(self.output(), wanted)

    def descriptors(self):
        return len(os.listdir('/proc/%d/fd' % self.pid))

    def send(self, number):
        """A signal."""
        self.process.send_signal(number)

    def end(self, status=0):
        """Wait for the end, check the status, return the output."""
        try:
            got = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            sys.exit('it did not end: ' + self.errors())
        check(got, status, self.errors())
        return self.output()

    def fail(self, status, pattern):
        """As end; there has to be one line of error, which matches. Lines of -v do not count."""
        self.end(status)
        lines = self.errors().splitlines()
        if len(lines) != 1 or not re.search('^sockcat: .*(?:' + pattern + ')', lines[0]):
            sys.exit('not one line with %r: %r' % (pattern, lines))


def udp(family=socket.AF_INET, port=0):
    """A UDP socket on loopback."""
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind(('127.0.0.1' if family == socket.AF_INET else '::1', port))
    s.settimeout(LIMIT)
    return s


def unix(kind=socket.SOCK_STREAM, name=None):
    """A Unix socket, bound if there is a name ('@...' is abstract)."""
    s = socket.socket(socket.AF_UNIX, kind)
    if name is not None:
        s.bind(real(name))
    s.settimeout(LIMIT)
    return s


def real(name):
    return '\0' + name[1:] if name.startswith('@') else name


def to_end(s):
    """All that comes on the connection until its end."""
    parts = []
    while part := s.recv(1 << 17):
        parts.append(part)
    return b''.join(parts)
