"""Descriptors that are closed, or open in the wrong direction, when sockcat starts.

Usage: descriptors.py FD MODE. Each row of the table opens descriptor FD (0, 1 or 2) in its own
way and runs one session: the peer sends "hello" (with MODE "silent": nothing), ends its sending,
and reads up to the end of sockcat's.
"""
import fcntl
import os
import signal
import socket
import sys
import time

from drive import accept, LIMIT, T, tcp

FD, MODE = int(sys.argv[1]), sys.argv[2]
LISTENS = MODE != 'connect' and MODE != 'silent'


def file(flags, content=b''):
    name = T + '/file'
    with open(name, 'wb') as f:
        f.write(content)
    return os.open(name, flags)


def pipe(end):
    """One end of a pipe; the other one stays open, too."""
    ends = os.pipe()
    KEPT.append(ends[1 - end])
    return ends[end]


def hung_up_pipe():
    """The reading end of a pipe that has no writer any more."""
    ends = os.pipe()
    os.close(ends[1])
    return ends[0]


KEPT = []
ROWS = {  # how to open it, whether it can be read, whether it can be written
    'closed': (None, False, False),
    'file, read-only': (lambda: file(os.O_RDONLY, b'abc'), True, False),
    'file, write-only': (lambda: file(os.O_WRONLY, b'abc'), False, True),
    'file, both': (lambda: file(os.O_RDWR), True, True),
    'pipe, reading end': (hung_up_pipe, True, False),
    'pipe, writing end': (lambda: pipe(1), False, True),
    'directory': (lambda: os.open(T, os.O_RDONLY), None, False),
    '/dev/null, read-only': (lambda: os.open('/dev/null', os.O_RDONLY), True, False),
    '/dev/null, write-only': (lambda: os.open('/dev/null', os.O_WRONLY), False, True),
    '/dev/null, both': (lambda: os.open('/dev/null', os.O_RDWR), True, True),
    'O_PATH of a file': (lambda: os.open(T + '/file', os.O_PATH), False, False),
    'O_PATH of a directory': (lambda: os.open(T, os.O_PATH), False, False),
}
if FD == 1:  # a writer that is alive, so that nothing but the direction is wrong
    ROWS['pipe, reading end, with a writer'] = (lambda: pipe(0), True, False)


def start(args, opened):
    """Run sockcat with FD as given, the other two as usual."""
    files = [os.open('/dev/null', os.O_RDONLY)]
    files += [os.open(T + '/' + name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
              for name in ('std.out', 'std.err')]
    # Out of the way of the numbers that they will get.
    files = [fcntl.fcntl(f, fcntl.F_DUPFD, 20) for f in files]
    if opened is not None:
        opened = fcntl.fcntl(opened, fcntl.F_DUPFD, 20)
    ready, end = os.pipe()
    end = fcntl.fcntl(end, fcntl.F_DUPFD, 20)
    if LISTENS:
        args = ['--ready-fd', '9'] + args
    pid = os.fork()
    if pid == 0:
        for number in range(3):
            os.dup2(files[number], number)
        os.close(FD)
        if opened is not None:
            os.dup2(opened, FD)
        os.dup2(end, 9)
        os.execv(os.environ['SOCKCAT'], [os.environ['SOCKCAT']] + args)
    for f in files + [end] + ([opened] if opened is not None else []):
        os.close(f)
    return pid, ready


def session(opened):
    """The status, what the peer got (None: a reset), what was written to 1 and 2."""
    if LISTENS:
        options = {'listen': ['-l'], 'many': ['-lk', '--max-accepts', '1'],
                   'program': ['-l', '-e', 'cat'],
                   'programs': ['-lk', '--max-accepts', '1', '-e', 'cat']}[MODE]
        pid, ready = start(options + ['127.0.0.1', '0'], opened)
        with open(ready, 'rb') as f:
            line = f.readline()
        if not line:
            sys.exit('%s: is not listening: %s' % (name, text('std.err')))
        address = '127.0.0.1', int(line)
    else:
        listener = tcp()
        pid, ready = start(['127.0.0.1', str(listener.getsockname()[1])], opened)
        os.close(ready)
    got, s = b'', None
    try:
        s = socket.create_connection(address, LIMIT) if LISTENS else accept(listener)
        if MODE != 'silent':
            s.sendall(b'hello')
        s.shutdown(socket.SHUT_WR)
        while part := s.recv(1000):
            got += part
    except OSError as error:  # -lk may have failed before the connection was there
        if isinstance(error, TimeoutError):
            os.kill(pid, signal.SIGKILL)
            sys.exit('%s: it does not end' % name)
        got = None
    end = time.monotonic() + LIMIT
    while (found := os.waitpid(pid, os.WNOHANG))[0] == 0:
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            sys.exit('%s: it does not end' % name)
        time.sleep(0.005)
    if s is not None:
        s.close()
    return os.waitstatus_to_exitcode(found[1]), got, text('std.out'), text('std.err')


def text(name):
    with open(T + '/' + name) as f:
        return ''.join(line for line in f if not line.startswith('sockcat: listening on '))


def wanted(readable, writable, content):
    """The same four, as they should be."""
    out, error = 'hello' if MODE != 'silent' else '', ''
    if MODE.startswith('program'):
        return 0, b'hello', '', ''
    if FD == 0 and readable is None:
        return 26, None, out, 'sockcat: read standard input: Is a directory\n'
    if FD == 0:
        return 0, content if readable else b'', out, ''
    if FD == 1 and not writable and out:
        return 23, None, '', 'sockcat: write standard output: Bad file descriptor\n'
    return 0, b'', '' if FD == 1 else out, error


failed = 0
for name, (opener, readable, writable) in ROWS.items():
    file(os.O_RDONLY)
    opened = opener() if opener else None
    result = session(opened)
    for fd in KEPT + ([opened] if opened is not None else []):
        os.close(fd)
    KEPT.clear()
    right = wanted(readable, writable, b'abc' if 'file, r' in name else b'')
    # Data before a failure may have been written or not.
    if right[0] != 0:
        result, right = (tuple(r[:2] + r[3:]) for r in (result, right))
    if right[0] == 23 and result[1] in (None, b''):
        result = result[:1] + (None,) + result[2:]
    if result != right:
        failed += 1
        print('descriptor %d, %s, %s:\n  got    %r\n  wanted %r' % (FD, MODE, name, result, right))
sys.exit(failed and '%d rows of %d fail' % (failed, len(ROWS)))
