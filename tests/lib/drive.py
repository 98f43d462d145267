"""For tests that need more than one peer, or their own sockets: sockcat as a child of a script.

The cases of a bats file are the functions of a file in tests/cases; the helper's "drive" runs one.
"""
import atexit
import fcntl
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
import tty

T = os.environ.get('T', '.')
PATIENCE = int(os.environ.get('PATIENCE', '1'))
PROCESSORS = int(os.environ.get('PROCESSORS', '1'))
# Seconds for whatever is waited for where they cannot be counted as Patience does.
LIMIT = 20 * int(os.environ.get('LAST_RESORT', '1'))


def slowness():
    """By how much longer anything takes now than alone: the processes that want to run for each processor."""
    try:
        with open('/proc/loadavg') as file:
            return max(1, int(file.read().split()[3].split('/')[0]) // PROCESSORS)
    except OSError:
        return 1


class Patience:
    """True until the seconds have passed, of which each counts only in part while other processes want to run."""

    def __init__(self, seconds=20):
        self.left, self.last = seconds * PATIENCE, time.monotonic()

    def __bool__(self):
        now = time.monotonic()
        self.left -= (now - self.last) / slowness()
        self.last = now
        return self.left > 0


def shim(rules='', count=None):
    """The environment of a sockcat under these rules of shim.c."""
    return {'LD_PRELOAD': os.environ['SHIM_LIB'], 'SHIM': rules,
            'SHIM_PROG': os.path.basename(os.environ['SOCKCAT'])} | ({'SHIM_COUNT': count} if count else {})


class Meeting:
    """A call that a rule "CALL:meet=FD:WHEN" holds until it is released."""

    def __init__(self):
        self.own, self.other = socket.socketpair()
        self.own.settimeout(LIMIT)
        self.fd = self.other.fileno()

    def wait(self):
        """Until the call is to be made."""
        check(self.own.recv(1), b'\0')

    def release(self):
        self.own.sendall(b'.')


def counted(count=T + '/count'):
    """The number of each call in such a file, and of "CALL:failed"."""
    with open(count) as file:
        return {words[0]: int(words[1]) for words in map(str.split, file)}


def turns(counts):
    """The number of calls that wait: few descriptors are waited for by poll."""
    return counts.get('epoll_wait') or counts['poll']


def check_daytime(text, before):
    """Fail unless it is a line of daytime of a time since then; return that time."""
    import calendar  # no other test needs it
    told = calendar.timegm(time.strptime(text.decode(), '%A, %B %d, %Y %H:%M:%S-UTC\r\n'))
    # The clock of time(2) may be behind by a tick.
    check(int(before) - 1 <= told <= time.time(), True, text)
    return told


def check(got, wanted, what=''):
    """Fail unless both are the same."""
    if got != wanted:
        sys.exit('%sgot:    %r\nwanted: %r' % (what and '%s\n' % (what,), got, wanted))


def until(test, what):
    """Wait until the function returns something true, and return that."""
    patience = Patience()
    while not (found := test()):
        if not patience:
            sys.exit('in vain: ' + what)
        time.sleep(0.005)
    return found


class Cat:
    """A running sockcat. Its output goes to files, so that it never has to wait for the script."""
    count = 0

    def __init__(self, *args, stdin=subprocess.DEVNULL, stdout=None, stderr=None, env=None, pass_fds=()):
        """A listener's ready line is read at once; where says where it is."""
        Cat.count += 1
        self.out, self.err = ('%s/cat%d.%s' % (T, Cat.count, end) for end in ('out', 'err'))
        command, ends, ready = [os.environ['SOCKCAT']], list(pass_fds), None
        if '-l' in args:
            ready, end = os.pipe()
            ends.append(end)
            command += ['--ready-fd', str(end)]
        self.process = subprocess.Popen(
            command + list(args), stdin=stdin, stdout=stdout or open(self.out, 'wb'),
            stderr=stderr or open(self.err, 'wb'), pass_fds=ends, env=dict(os.environ, **(env or {})))
        self.pid = self.process.pid
        atexit.register(self.process.kill)  # which does nothing to one that has ended
        if ready is not None:
            os.close(ends[-1])
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
        if not os.path.exists(self.err):
            return ''
        with open(self.err, 'rb') as file:
            return file.read().decode(errors='backslashreplace')

    def write(self, data):
        """To its standard input, a pipe."""
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def await_output(self, wanted):
        until(lambda: len(self.output()) >= len(wanted), 'output %r: %r, %s' % (
            wanted, self.output(), self.errors()))
        check(self.output(), wanted)

    def descriptors(self):
        return len(os.listdir('/proc/%d/fd' % self.pid))

    def threads(self):
        return len(os.listdir('/proc/%d/task' % self.pid))

    def resident(self):
        """Bytes of memory."""
        with open('/proc/%d/statm' % self.pid) as file:
            return int(file.read().split()[1]) * os.sysconf('SC_PAGESIZE')

    def ticks(self):
        """The processor time that it has used, in 1/100 s."""
        with open('/proc/%d/stat' % self.pid) as file:
            return sum(map(int, file.read().rpartition(')')[2].split()[11:13]))

    def send(self, number):
        """A signal."""
        self.process.send_signal(number)

    def state(self):
        """As in proc(5): R, S, T, Z ..."""
        with open('/proc/%d/stat' % self.pid) as file:
            return file.read().rpartition(')')[2].split()[0]

    def catches(self, number):
        """Whether it has a handler for the signal."""
        with open('/proc/%d/status' % self.pid) as file:
            return bool(int(re.search(r'SigCgt:\s*(\w+)', file.read())[1], 16) >> (number - 1) & 1)

    def rest(self):
        """Wait until it sleeps, having done all that it could, or has ended."""
        until(lambda: self.state() in 'SZ', 'rest')

    def takes(self, s):
        """Whether the connection or pipe takes more, once it has read what it wanted."""
        while not select.select([], [s], [], 0.1)[1]:
            if self.state() in 'SZ' and not select.select([], [s], [], 0)[1]:
                return False
        return True

    def stop(self):
        """From now on it sees nothing, until go."""
        self.send(signal.SIGSTOP)
        until(lambda: self.state() in 'TZ', 'the stop')

    def go(self):
        self.send(signal.SIGCONT)

    def end(self, status=0):
        """Wait for the end, check the status, return the output."""
        patience = Patience()
        while (got := self.process.poll()) is None:
            if not patience:
                self.process.kill()
                sys.exit('it did not end: ' + self.errors())
            time.sleep(0.005)
        check(got, status, self.errors())
        return self.output()

    def fail(self, status, pattern):
        """As end; there has to be one line of error, which matches. Lines of -v do not count."""
        self.end(status)
        lines = self.errors().splitlines()
        if len(lines) != 1 or not re.search('^sockcat: .*(?:' + pattern + ')', lines[0]):
            sys.exit('not one line with %r: %r' % (pattern, lines))


def end(process, status=0, data=None):
    """Wait for the end of a process with pipes, check the status, return output and errors."""
    try:
        out, err = process.communicate(data, LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        sys.exit('it did not end: %r' % (process.communicate(),))
    check(process.returncode, status, repr(err))
    return out, err


def refusal(process, status, pattern, what):
    """As end, of a process that writes one line of error, which matches; the usage may follow it."""
    out, err = end(process, status)
    line = err.partition(b'usage:')[0] if status == 2 else err
    if out or not re.fullmatch(rb'sockcat: [^\n]*\n', line) or not re.search(pattern, line):
        sys.exit('%r: not one line with %r: %r' % (what, pattern, err))


def tcp(backlog=5, host='127.0.0.1'):
    """A TCP listener, on loopback."""
    s = socket.socket()
    s.bind((host, 0))
    s.listen(backlog)
    s.settimeout(LIMIT)
    return s


def dial(cat, source='127.0.0.1', kind=socket.SOCK_STREAM, room=None):
    """A connection to a listening sockcat; room: bytes that are taken unread."""
    inet = cat.where.isdigit()
    s = socket.socket(socket.AF_INET if inet else socket.AF_UNIX, kind)
    s.settimeout(LIMIT)
    if room is not None:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    if inet:
        s.bind((source, 0))
    s.connect(cat.address() if inet else real(cat.where))
    return s


def exactly(s, n):
    """The next n bytes of the connection, or what there is before its end."""
    parts = []
    while n > 0 and (part := s.recv(min(n, 1 << 17))):
        parts.append(part)
        n -= len(part)
    return b''.join(parts)


def accept(listener):
    s, _ = listener.accept()
    s.settimeout(LIMIT)
    return s


def check_unconnected(listener):
    """Fail if a client has connected."""
    listener.setblocking(False)
    try:
        listener.accept()
    except BlockingIOError:
        return
    sys.exit('it had connected')


def reset(s):
    """Close such that the other side gets a RST."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    s.close()


def tcp_sockets(local=None, remote=None):
    """State and unread bytes of the sockets of 127.0.0.1 with these ports."""
    found = []
    with open('/proc/net/tcp') as file:
        for line in list(file)[1:]:
            fields = line.split()
            ports = [int(end.split(':')[1], 16) for end in fields[1:3]]
            if local in (None, ports[0]) and remote in (None, ports[1]):
                found.append((int(fields[3], 16), int(fields[4].split(':')[1], 16)))
    return found


def probed(local, remote):
    """Whether the kernel probes the connection of these ports (proc_net_tcp.txt: a timer of kind 2)."""
    with open('/proc/net/tcp') as file:
        for line in list(file)[1:]:
            fields = line.split()
            if [int(end.split(':')[1], 16) for end in fields[1:3]] == [local, remote]:
                return fields[5].startswith('02') and fields[3] != '06'
    return False


def taken(s):
    """Whether all that was sent on the connection has been read at its other end."""
    return [n for _, n in tcp_sockets(s.getpeername()[1], s.getsockname()[1])] == [0]


def waits(port):
    """Whether something waits in the kernel for the UDP socket of 127.0.0.1 with this port."""
    with open('/proc/net/udp') as file:
        for line in list(file)[1:]:
            fields = line.split()
            if int(fields[1].split(':')[1], 16) == port:
                return int(fields[4].split(':')[1], 16) > 0
    return False


def blocking(s):
    return os.get_blocking(s.fileno())


def ip(words):
    """A command of ip(8), which has to succeed."""
    subprocess.run(['ip', *words.split()], check=True)


def in_pipe(fd):
    """The number of bytes in a pipe."""
    return struct.unpack('i', fcntl.ioctl(fd, termios.FIONREAD, b'1234'))[0]


def pour(s, most):
    """Send this number of bytes, or fewer if the other side takes no more; return the number."""
    s.setblocking(False)
    sent = idle = 0
    while sent < most and idle < 50:
        try:
            sent += s.send(b'x' * min(most - sent, 8192))
            idle = 0
        except BlockingIOError:
            idle += 1
            time.sleep(0.01)
    s.settimeout(LIMIT)
    return sent


def raw_pty():
    """A pseudo-terminal, its master and its slave, which translates nothing."""
    master, slave = os.openpty()
    tty.setraw(slave)
    return master, slave


def shown(fd, wanted):
    """Wait for this number of bytes from the descriptor, and return them."""
    got = b''
    while len(got) < len(wanted) and select.select([fd], [], [], LIMIT)[0]:
        got += os.read(fd, 65536)
    return got


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


def secret(text, name='users'):
    """The path of a new file that others cannot read."""
    path = T + '/' + name
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
        file.write(text)
    return path


def to_end(s):
    """All that comes on the connection until its end."""
    parts = []
    while part := s.recv(1 << 17):
        parts.append(part)
    return b''.join(parts)


def main():
    """Run the function of the main module that the first argument names, with the other arguments."""
    case = getattr(sys.modules['__main__'], sys.argv[1], None)
    if getattr(case, '__module__', None) != '__main__':
        sys.exit('no such case: ' + sys.argv[1])
    case(*sys.argv[2:])
