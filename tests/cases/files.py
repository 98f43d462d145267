"""Files instead of standard input and output: what they hold, and what is there after a failure."""
import contextlib
import fcntl
import hashlib
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys

from drive import (accept, Cat, check, check_unconnected, dial, LIMIT, main, Meeting, reset, shim, T, tcp, to_end,
                   until)

BLOCK = 1 << 16


def path(name):
    return os.path.join(T, name)


def put(name, data=b'old'):
    with open(path(name), 'wb') as file:
        file.write(data)


def held(name):
    with open(path(name), 'rb') as file:
        return file.read()


def holds(name, data):
    """Whether a file is there, which the program may remove at any time, with this data."""
    try:
        return held(name) == data
    except FileNotFoundError:
        return False


def names(*hidden):
    """The files of the test but those of Cat, and these."""
    return sorted(name for name in os.listdir(T) if not re.match(r'cat\d|\.(ready|tick)', name) and name not in hidden)


def client(listener, *args, **kwargs):
    return Cat(*args, '127.0.0.1', str(listener.getsockname()[1]), **kwargs)


def refusals():
    """Nothing is connected, and what exists stays as it is."""
    for name in ('file', '.hard.part', '.busy.part'):
        put(name)
    os.mkdir(path('dir'))
    os.mkdir(path('.folder.part'))
    os.symlink('nowhere', path('link'))
    os.symlink('file', path('.symlink.part'))
    os.link(path('.hard.part'), path('hard2'))
    os.mkfifo(path('.fifo.part'))
    locked = os.open(path('.busy.part'), os.O_RDWR)
    fcntl.flock(locked, fcntl.LOCK_EX)
    before = names()
    rows = (
        ('file', 'create .*/file: File exists'),
        ('link', 'create .*/link: File exists'),
        ('dir', 'open .*/dir: Is a directory'),
        ('dir/', 'open .*/dir/: Is a directory'),
        ('none/file', 'open .*/none/file: No such file'),
        ('file/x', 'open .*/file/x: Not a directory'),
        ('n' * 256, 'File name too long'),
        ('symlink', r'open .*/\.symlink\.part: Too many levels of symbolic links'),
        ('hard', r'open .*/\.hard\.part: not a regular file of this user with one name; remove it'),
        ('fifo', r'open .*/\.fifo\.part: not a regular file'),
        ('folder', r'open .*/\.folder\.part: Is a directory'),
        ('busy', r'open .*/\.busy\.part: another process is writing it'),
        ('/proc/file', 'create /proc/.file.part: No such file'),
    )
    listener = tcp()
    for name, pattern in rows:
        for more in ((), ('--force',)) if name != 'file' and name != 'link' else ((),):
            client(listener, '--out', path(name), *more).fail(23, pattern)
    for name, pattern in (('dir', 'Is a directory'), ('none', 'No such file')):
        client(listener, '--in', path(name)).fail(26, 'open .*/%s: %s' % (name, pattern))
    check_unconnected(listener)
    check(names(), before)
    for name in ('file', 'hard2', '.busy.part'):
        check(held(name), b'old', name)


def receives(name, data, *args, status=0, env=None):
    """A client that receives this data and a clean end; returns it."""
    listener = tcp()
    cat = client(listener, '--out', path(name), *args, env=env)
    peer = accept(listener)
    peer.sendall(data)
    peer.close()
    check(cat.end(status), b'')
    return cat


def result():
    """Its permissions are the usual ones; before, only the user can read it."""
    data, listener = os.urandom(3 * BLOCK), tcp()
    os.umask(0o027)
    cat = client(listener, '--out', path('new'))
    peer = accept(listener)
    peer.sendall(data)
    until(lambda: os.path.exists(path('.new.part')) and len(held('.new.part')) == len(data), 'the part')
    check(stat.S_IMODE(os.stat(path('.new.part')).st_mode), 0o600)
    check(names(), ['.new.part'])
    peer.close()
    cat.end()
    check((names(), held('new'), cat.errors()), (['new'], data, ''))
    check(stat.S_IMODE(os.stat(path('new')).st_mode), 0o640)
    # Nothing received is an empty file; so is a long name.
    for name in ('empty', 'n' * 255, '\u00e4' * 127):
        receives(name, b'')
        check(held(name), b'')


def replaced():
    """With --force the old file is there until the new one is complete; a link is not followed."""
    put('file')
    put('.file.part', b'of a run that failed')
    os.symlink('file', path('link'))
    listener = tcp()
    cat = client(listener, '--force', '--out', path('file'))
    peer = accept(listener)
    peer.sendall(b'new')
    until(lambda: held('.file.part') == b'new', 'the part')
    check(held('file'), b'old')
    peer.close()
    cat.end()
    check((held('file'), names()), (b'new', ['file', 'link']))
    receives('link', b'newer', '--force')
    check((held('file'), held('link'), os.path.islink(path('link'))), (b'new', b'newer', False))
    # It fails if it meets a file that has appeared meanwhile.
    listener = tcp()
    cat = client(listener, '--out', path('late'))
    peer = accept(listener)
    peer.sendall(b'mine')
    until(lambda: holds('.late.part', b'mine'), 'the part')
    put('late')
    peer.close()
    cat.end(23)
    check((held('late'), held('.late.part')), (b'old', b'mine'))
    check(re.sub(re.escape(T) + '/', '', cat.errors()), 'sockcat: 4 bytes for late kept in .late.part\n'
          'sockcat: rename .late.part to late: File exists\n')


def kept():
    """A session that fails, and a process that is killed, keep what was received. -d: a reset is met by reading."""
    data = os.urandom(BLOCK)
    for number, status, splice in ((None, 56, ()), (None, 56, ('--no-splice',)), (signal.SIGTERM, -signal.SIGTERM, ()),
                                   (signal.SIGKILL, -signal.SIGKILL, ())):
        listener = tcp()
        cat = client(listener, '-d', '--out', path('file'), *splice)
        peer = accept(listener)
        peer.sendall(data)
        until(lambda: holds('.file.part', data), 'the part')
        if number is None:
            reset(peer)
        else:
            cat.send(number)
        cat.end(status)
        check((names(), held('.file.part')), (['.file.part'], data))
        check('%d bytes for %s kept in %s\n' % (BLOCK, path('file'), path('.file.part')) in cat.errors(),
              number != signal.SIGKILL, cat.errors())
        # The next run is not hindered by it.
        receives('file', b'complete')
        check((names(), held('file')), (['file'], b'complete'))
        os.unlink(path('file'))
    # Nothing was received.
    listener = tcp()
    cat = client(listener, '-d', '--out', path('file'))
    peer = accept(listener)
    until(lambda: os.path.exists(path('.file.part')), 'the part')
    reset(peer)
    cat.end(56)
    check(names(), [])


def faults():
    """Every call that can fail: status 23, the file does not have its name, and the data is kept."""
    for rules, pattern, splice in (
            ('writev:ENOSPC:1:file', 'write {new}: No space left on device', '--no-splice'),
            ('writev:short=100:1:file,writev:EDQUOT:2:file', 'write {new}: Disk quota exceeded', '--no-splice'),
            ('fsync:EIO:1', 'write {part}: Input/output error', '--raw'),
            ('fsync:EIO:2', 'sync the directory of {new}: Input/output error', '--raw'),
            ('close:EIO:*:file', 'write {part}: Input/output error', '--raw'),
            ('fsync:EINVAL:2', '', '--raw'),
            ('fcntl:EMFILE:*:file', '', '--raw'),
            ('pthread_create:EAGAIN:1', '', '--raw')):
        wanted = pattern.format(new=re.escape(path('new')), part=re.escape(path('.new.part')))
        listener = tcp()
        cat = client(listener, '--out', path('new'), splice, env=shim(rules))
        peer = accept(listener)
        peer.sendall(b'x' * 1000)
        peer.close()
        cat.end(23 if wanted else 0)
        if not re.search(wanted + '( |\n)' if wanted else '^$', cat.errors()):
            sys.exit('%s: %s' % (rules, cat.errors()))
        # The file has its name if only that is not on the disk yet.
        check(os.path.exists(path('new')), not wanted or 'fsync:EIO:2' in rules, rules)
        left = held('new') if os.path.exists(path('new')) else held('.new.part') if names() else b''
        check(len(left), 0 if 'ENOSPC' in rules else 100 if 'EDQUOT' in rules else 1000, rules)
        for name in names():
            os.unlink(path(name))
    put('in', b'x' * 1000)
    listener = tcp()
    cat = client(listener, '--no-splice', '--in', path('in'), env=shim('readv:EIO:2:file'))
    cat.fail(26, 'read %s: Input/output error' % re.escape(path('in')))


def full_disk():
    """A file system of 256 KiB, in a mount namespace of its own."""
    script = ('mount -t tmpfs -o size=256k none "$1" && { "$SOCKCAT" --out "$1/new" 127.0.0.1 "$2" </dev/null; '
              'echo $?; ls -A "$1"; stat -c %s "$1/.new.part"; }')
    os.mkdir(path('disk'))
    listener = tcp()
    process = subprocess.Popen(['unshare', '-m', 'bash', '-c', script, '_', path('disk'),
                                str(listener.getsockname()[1])], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    peer = accept(listener)
    try:
        peer.sendall(b'x' * (16 << 20))
    except OSError:
        pass
    out, err = process.communicate(timeout=LIMIT)
    check(out.split(), [b'23', b'.new.part', b'262144'], err)
    check(b'write %s: No space left on device' % path('disk/new').encode() in err, True, err)


def order():
    """strace: data, its sync, the name, and the sync of the directory."""
    listener = tcp()
    process = subprocess.Popen(['strace', '-f', '-y', '-o', path('calls'), os.environ['SOCKCAT'], '--out', path('new'),
                                '127.0.0.1', str(listener.getsockname()[1])], stdin=subprocess.DEVNULL,
                               env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
    peer = accept(listener)
    peer.sendall(b'x' * 100000)
    peer.close()
    check(process.wait(LIMIT), 0)
    steps = []
    for line in held('calls').decode(errors='replace').splitlines():
        for step, pattern in (('write', r'(?:writev|splice)\(.*\.new\.part>.* = [1-9]'), ('mode', r'fchmod\(\d+<.*0644'),
                              ('sync', r'fsync\(\d+<[^>]*/\.new\.part>'), ('name', r'rename\w*\(.*"\.new\.part".*"new"'),
                              ('sync directory', r'fsync\(\d+<%s>\)' % re.escape(T))):
            if re.search(pattern, line) and steps[-1:] != [step]:
                steps.append(step)
    # The permissions of the part are none of others' before.
    check(steps, ['write', 'mode', 'sync', 'name', 'sync directory'])


def clients():
    """One file for each client of a listener; one that cannot be written is the failure of its client only."""
    whole = os.urandom(5 * BLOCK)
    put('in', whole)
    put('log-2')
    cat = Cat('-l', '-k', '--max-accepts', '4', '--in', path('in'), '--out', path('log-%n'), '127.0.0.1', '0')
    for number in (1, 2, 3, 4):
        got = b''
        try:
            with dial(cat) as s:
                s.sendall(b'from %d' % number)
                s.shutdown(socket.SHUT_WR)
                while part := s.recv(BLOCK):
                    got += part
        except ConnectionError:
            check(number, 2)
        check(got, b'' if number == 2 else whole, number)
    cat.end(104)
    check('create %s: File exists' % path('log-2') in cat.errors(), True, cat.errors())
    check([held('log-%d' % number) for number in (1, 2, 3, 4)], [b'from 1', b'old', b'from 3', b'from 4'])
    check(names(), ['in', 'log-1', 'log-2', 'log-3', 'log-4'])


def few_descriptors():
    """Clients wait for descriptors; the end of a file does not need one."""
    os.mkdir(path('dir'))
    for spare in range(10, 22):
        cat = Cat('-l', '-k', '--max-accepts', '6', '--out', path('dir/%n'), '127.0.0.1', '0')
        limit = len(os.listdir('/proc/%d/fd' % cat.pid)) + spare
        resource.prlimit(cat.pid, resource.RLIMIT_NOFILE, (limit, limit))
        clients = [dial(cat) for _ in range(6)]
        for s in clients:
            s.sendall(b'data')
        for s in clients:
            with s:
                s.shutdown(socket.SHUT_WR)
                check(to_end(s), b'', spare)
        cat.end()
        check([held('dir/' + name) for name in os.listdir(path('dir'))], [b'data'] * 6, spare)
        for name in os.listdir(path('dir')):
            os.unlink(path('dir/' + name))


def addresses():
    """%a of IP and Unix peers stays within the directory; standard input is not read."""
    pipe, _ = os.pipe()
    cat = Cat('-l', '-k', '--max-accepts', '1', '--out', path('%%%a.%n'), '127.0.0.1', '0', stdin=pipe)
    with dial(cat, '127.0.0.2') as s:
        port = s.getsockname()[1]
        s.sendall(b'inet')
    cat.end()
    check(held('%%127.0.0.2:%d.1' % port), b'inet')
    os.mkdir(path('dir'))
    cat = Cat('-l', '-kU', '--max-accepts', '2', '--out', path('dir/%a'), path('sock'))
    os.chdir(T)
    for own in ('../x y\n', '\0.a/b%n'):
        own = '.\n' if own[0] == '.' else own
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(own)
            s.connect(path('sock'))
            s.sendall(b'unix')
    cat.end()
    check(sorted(os.listdir(path('dir'))), ['@.a_b_n', '__'])


def datagrams():
    """Silence is the normal end of a datagram peer: its file is complete."""
    cat = Cat('-l', '-uk', '--max-accepts', '2', '-w', '0.2', '--out', path('log-%n'), '127.0.0.1', '0')
    for number in (1, 2):
        with dial(cat, kind=socket.SOCK_DGRAM) as s:
            s.send(b'from %d' % number)
            until(lambda number=number: any('log-%d' % number in name for name in names()), 'the file')
    cat.end()
    check((names(), held('log-1'), held('log-2')), (['log-1', 'log-2'], b'from 1', b'from 2'))


def slow_sync():
    """A disk that is slow to sync holds up neither other clients nor the end by a signal."""
    cat = Cat('-l', '-k', '--out', path('log-%n'), '127.0.0.1', '0', env=shim('fsync:sleep=%d:1' % (10 * LIMIT)))
    for number in (1, 2):
        with dial(cat) as s:
            s.sendall(b'from %d' % number)
        until(lambda number=number: os.path.exists(path('.log-1.part' if number == 1 else 'log-2')), 'the file')
        if number == 1:
            until(lambda: cat.threads() > 1, 'the thread that syncs')
    check((names(), held('.log-1.part')), (['.log-1.part', 'log-2'], b'from 1'))
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    check(names(), ['.log-1.part', 'log-2'])


def interrupted_commit(*calls):
    """A client that is to store a file, and a meeting at each of these calls."""
    listener = tcp()
    meetings = [Meeting() for _ in calls]
    cat = client(listener, '--force', '--out', path('file'), pass_fds=[each.fd for each in meetings],
                 env=shim(','.join(call.replace('meet', 'meet=%d' % each.fd) for call, each in zip(calls, meetings))))
    peer = accept(listener)
    peer.sendall(b'data')
    peer.close()
    return cat, *meetings


def renamed():
    """After a signal no message says that the part is kept when it gets its name nevertheless."""
    cat, rename = interrupted_commit('renameat:meet:1')
    rename.wait()
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    check('kept in' in cat.errors(), False, cat.errors())
    # The thread that goes on while the message is written does not rename it any more.
    cat, sync, message = interrupted_commit('fsync:meet:1', 'write:meet:1:2')
    sync.wait()
    cat.send(signal.SIGTERM)
    message.wait()
    sync.release()
    until(lambda: cat.threads() == 1, 'the end of the thread')
    message.release()
    cat.end(-signal.SIGTERM)
    check(('kept in' in cat.errors(), names()), (True, ['.file.part']), cat.errors())


def cut_off(name, data):
    """The part of a session that was reset behind this data."""
    listener = tcp()
    cat = client(listener, '-d', '--out', path(name))
    peer = accept(listener)
    peer.sendall(data)
    until(lambda: holds('.%s.part' % name, data), 'the part')
    reset(peer)
    cat.end(56)


def rest_of(name, skips, *args, stdin=None):
    """A listener resumes and tells where, and a sender skips that much; the two programs."""
    receiver = Cat('-l', '-d', '--resume', '--out', path(name), *args, '127.0.0.1', '0')
    told = re.search(r'^sockcat: resuming .*/%s at (\d+); send with --offset (\d+) \(or tail -c \+(\d+)\)$' % name,
                     receiver.errors(), re.M)
    check([int(number) for number in told.groups()], [skips, skips, skips + 1])
    return receiver, Cat('127.0.0.1', receiver.where, '--offset', told[2], *([] if stdin else ['--in', path('whole')]),
                         stdin=stdin or subprocess.DEVNULL)


def resumed():
    """--resume --out appends what a sender with --offset, or tail and another program, sends."""
    data = os.urandom(3 * BLOCK)
    put('whole', data)
    for case in 'file', 'pipe', 'redirected':
        cut_off('new', data[:BLOCK + 7])
        put('.new.part.blocks', b'of an earlier transfer')
        stdin = open(path('whole'), 'rb') if case == 'redirected' else subprocess.PIPE if case == 'pipe' else None
        receiver, sender = rest_of('new', BLOCK + 7, '--expect', str(len(data)), stdin=stdin)
        if case == 'pipe':
            for piece in (data[:1], data[1:BLOCK + 10], data[BLOCK + 10:]):
                sender.write(piece)
            sender.process.stdin.close()
        sender.end()
        receiver.end()
        check((held('new') == data, names()), (True, ['new', 'whole']), case)
        os.unlink(path('new'))
    # Cut off once more, now a client that receives; then a sender without sockcat.
    cut_off('new', data[:BLOCK])
    listener = tcp()
    for at, end in ((BLOCK, 2 * BLOCK), (2 * BLOCK, None)):
        cat = client(listener, '-d', '--resume', '--out', path('new'))
        peer = accept(listener)
        check('resuming %s at %d;' % (path('new'), at) in cat.errors(), True)
        peer.sendall(data[at:end])
        if end:
            until(lambda: len(held('.new.part')) == 2 * BLOCK, 'the part')
            reset(peer)
        peer.close()
        cat.end(56 if end else 0)
    check((held('new') == data, names()), (True, ['new', 'whole']))
    # Without a part nothing is printed.
    listener = tcp()
    cat = client(listener, '--resume', '--force', '--out', path('new'))
    peer = accept(listener)
    peer.sendall(b'all')
    peer.close()
    cat.end()
    check((held('new'), cat.errors()), (b'all', ''))


def proven():
    """--expect-digest is that of the whole file; what differs keeps its name."""
    data = os.urandom(3 * BLOCK)
    put('whole', data)
    for digest in hashlib.sha256(data).hexdigest(), 'sha512:' + hashlib.sha512(data).hexdigest():
        for kept, status in ((data[:BLOCK], 0), (b'x' * BLOCK, 18)):
            cut_off('new', kept)
            receiver, sender = rest_of('new', BLOCK, '--expect-digest', digest)
            sender.process.wait()
            receiver.end(status)
            check((held('.new.part' if status else 'new'), names('.new.part', 'new')), (kept + data[BLOCK:], ['whole']))
            if status:
                check(re.search(r': SHA\d+ of new is [0-9a-f]+, not the expected ' + digest.rpartition(':')[2],
                                receiver.errors()) is not None, True, receiver.errors())
            os.unlink(path('.new.part' if status else 'new'))
    # A part that another run has changed since the offset was printed.
    cut_off('new', data[:BLOCK])
    receiver = Cat('-l', '-d', '--resume', '--out', path('new'), '127.0.0.1', '0')
    put('.new.part', b'other')
    with contextlib.suppress(ConnectionError):
        dial(receiver).close()
    receiver.end(23)
    check(re.search(r'open .*/\.new\.part: it has changed since this run began', receiver.errors()) is not None, True)


def offsets():
    """An input that is shorter than --offset is status 26, and nothing is connected; an equal one is empty."""
    put('ten', b'0123456789')
    listener = tcp()
    for stdin in None, open(path('ten'), 'rb'), subprocess.PIPE:
        cat = client(listener, '--offset', '11', *([] if stdin else ['--in', path('ten')]),
                     stdin=stdin or subprocess.DEVNULL)
        if stdin == subprocess.PIPE:
            cat.write(b'0123456789')
            cat.process.stdin.close()
        cat.fail(26, 'read (standard input|.*/ten): it has only 10 of the 11 bytes of --offset$')
    check_unconnected(listener)
    listener = tcp()
    cat = client(listener, '--offset', '10', '--in', path('ten'))
    peer = accept(listener)
    check(to_end(peer), b'')
    peer.close()
    cat.end()


def devices():
    """A device and a FIFO are written as they are, also for many clients; - is standard output."""
    receives('../../../dev/null' if T.count('/') == 2 else os.path.relpath('/dev/null', T), b'gone')
    check(stat.S_ISCHR(os.stat('/dev/null').st_mode), True)
    os.mkfifo(path('fifo'))
    reader = os.open(path('fifo'), os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    cat = Cat('-l', '-k', '--max-accepts', '1', '--out', path('fifo'), '127.0.0.1', '0')
    with dial(cat) as s:
        s.sendall(b'fifo')
    cat.end()
    check(os.read(reader, 100), b'fifo')
    check(names(), ['fifo'])
    listener = tcp()
    source, sink = os.pipe()
    os.write(sink, b'input')
    os.close(sink)
    cat = client(listener, '--in', '-', '--out', '-', stdin=source)
    peer = accept(listener)
    check(peer.recv(100), b'input')
    peer.sendall(b'output')
    peer.close()
    check((cat.end(), names()), (b'output', ['fifo']))
    # As /dev/stdout, where standard output is a file.
    os.symlink('/proc/self/fd/1', path('stdout'))
    listener = tcp()
    cat = client(listener, '--force', '--out', path('stdout'))
    peer = accept(listener)
    peer.sendall(b'output')
    peer.close()
    check((cat.end(), os.path.islink(path('stdout')), names()), (b'output', True, ['fifo', 'stdout']))


def frames():
    """Messages: lines in the files, a length on the wire."""
    put('in', b'one\ntwo\n')
    listener = tcp()
    cat = client(listener, '--frame', 'u8', '--in', path('in'), '--out', path('new'))
    peer = accept(listener)
    peer.sendall(b'\x05three\x04four')
    peer.shutdown(socket.SHUT_WR)
    got = b''
    while part := peer.recv(100):
        got += part
    check((cat.end(), got, held('new')), (b'', b'\x03one\x03two', b'three\nfour\n'))


if __name__ == '__main__':
    main()
