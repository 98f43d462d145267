"""Archives of other programs, and hostile ones, for sockcat-archive."""
import os
import re
import stat
import subprocess
import sys
import tarfile

from drive import check, in_pipe, LIMIT, main, PATIENCE, T, until

PROGRAM = os.environ['ARCHIVE']
OUTER, INNER = T + '/outer', T + '/outer/inner'
END = bytes(1024)


def header(name, kind=b'0', size=0, link=b'', mode=0o644, mtime=b'0', size_field=None, magic=b'ustar\00000'):
    """One block, as it is in the standard (pax, "ustar Interchange Format")."""
    block = bytearray(512)
    for at, length, value in ((0, 100, name), (100, 8, b'%07o' % mode), (108, 8, b'%07o' % 0), (116, 8, b'%07o' % 0),
                              (124, 12, size_field or b'%011o' % size), (136, 12, mtime), (148, 8, b' ' * 8),
                              (156, 1, kind), (157, 100, link), (257, 8, magic)):
        block[at:at + min(len(value), length)] = value[:length]
    block[148:156] = b'%06o\0 ' % sum(block)
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % 512)


def entry(name, data=b'data', kind=b'0', **fields):
    return header(name, kind, len(data), **fields) + padded(data)


def pax(records, kind=b'x', name=b'pax'):
    """An extended header."""
    text = b''
    for key, value in records:
        line = b' %s=%s\n' % (key, value)
        length = len(line) + 1
        while length != len(b'%d' % length) + len(line):
            length += 1
        text += b'%d' % length + line
    return entry(name, text, kind)


def long_name(kind, text):
    """GNU: the name (L) or target (K) of the next entry."""
    return entry(b'././@LongLink', text + b'\0', kind)


def directory(name, mode=0o755):
    return header(name, b'5', mode=mode)


def link(name, target, kind=b'2'):
    return header(name, kind, link=target)


def sparse(size):
    """A file of this size, of which nothing is data (GNU, version 1.0)."""
    keys = ((b'GNU.sparse.major', b'1'), (b'GNU.sparse.minor', b'0'), (b'GNU.sparse.name', b'sparse'),
            (b'GNU.sparse.realsize', b'%d' % size))
    return pax(keys) + entry(b'x', padded(b'0\n'))


# What it is, the archive, the status, the cause, arguments.
HOSTILE = [
    ('a name with ..', entry(b'../x') + END, 102, "contains '..'"),
    ('a name that leads up and down', entry(b'a/../../x') + END, 102, "contains '..'"),
    ('a pax name with ..', pax([(b'path', b'../x')]) + entry(b'x') + END, 102, "contains '..'"),
    ('a global name with ..', pax([(b'path', b'../x')], b'g') + entry(b'../x') + END, 102, "contains '..'"),
    ('a GNU long name with ..', long_name(b'L', b'../' * 50 + b'x') + entry(b'x') + END, 102, "contains '..'"),
    ('an absolute name', entry(os.fsencode(OUTER)[:90] + b'/x') + END, 102, 'is absolute'),
    ('a file through a symbolic link', directory(b'd') + link(b'l', b'd') + entry(b'l/x') + END, 102, 'is a symbolic link'),
    ('a file through a link that was there', entry(b'out/x') + END, 102, "'out' is a symbolic link"),
    ('a directory through a link that was there', directory(b'out/x') + END, 102, "'out' is a symbolic link"),
    ('a directory in place of a link that was there', directory(b'out') + END, 102, "'out' is a symbolic link"),
    ('a symbolic link that leads up', link(b'l', b'../..') + END, 102, 'leads out'),
    ('a symbolic link to the directory above', link(b'd/l', b'../..') + END, 102, 'leads out'),
    ('a GNU long target that leads up', long_name(b'K', b'../' * 50 + b'x') + link(b'l', b'x') + END, 102, 'leads out'),
    ('an absolute symbolic link', link(b'l', b'/etc') + END, 102, 'is absolute'),
    ('.. after another link', directory(b'd') + link(b'd/up', b'..') + link(b'l', b'd/up/..') + END, 102, 'leads out'),
    ('an empty symbolic link', link(b'l', b'') + END, 102, 'is empty'),
    ('a symbolic link with an escape sequence', link(b'l', b'\033[2J') + END, 102, 'control character'),
    ('a file in place of a link', link(b'l', b'x') + entry(b'l') + END, 23, 'File exists'),
    ('a file in place of a link, forced', link(b'l', b'x') + entry(b'l') + END, 0, '', '--force'),
    ('a file in place of a link that was there, forced', entry(b'out') + END, 0, '', '--force'),
    ('a hard link to an absolute name', link(b'h', os.fsencode(OUTER)[:90] + b'/file', b'1') + END, 102, 'hard link'),
    ('a hard link that leads up', link(b'h', b'../file', b'1') + END, 102, 'hard link'),
    ('a hard link with data', header(b'h', b'1', 4, link=b'../file') + padded(b'data') + END, 102, 'hard link|malformed'),
    ('a hard link to what was there', link(b'h', b'mine', b'1') + END, 102, 'no file of this archive'),
    ('a hard link through a link', link(b'h', b'out/file', b'1') + END, 102, "'out' is a symbolic link"),
    ('a hard link to a symbolic link', directory(b'd') + link(b'd/l', b'..') + link(b'h', b'd/l', b'1') + END, 102,
     'no file of this archive'),
    ('a link in place of a directory', directory(b'd', 0o777) + link(b'd', b'x') + END, 23, 'Is a directory'),
    ('the same, forced', directory(b'd', 0o777) + link(b'd', b'x') + END, 23, 'Is a directory', '--force'),
    ('set-user-ID', entry(b'suid', mode=0o6755) + END, 0, ''),
    ('a character device', header(b'dev', b'3') + END, 102, 'is a device'),
    ('a block device', header(b'dev', b'4') + END, 102, 'is a device'),
    ('a FIFO', header(b'fifo', b'6') + END, 102, 'is a FIFO'),
    ('an escape sequence', entry(b'a\033[2J') + END, 102, r'a\^\[\[2J.*control character'),
    ('a line feed', entry(b'a\nb') + END, 102, 'control character'),
    ('a C1 control character', entry('a\x9bb'.encode()) + END, 102, 'control character'),
    ('the directory itself without permissions', directory(b'./', 0) + END, 0, ''),
    ('a file in place of the directory', entry(b'.') + END, 102, 'replace the directory'),
    ('an empty name', entry(b'') + END, 102, 'is empty'),
    ('a long component', pax([(b'path', b'x' * 256)]) + entry(b'x') + END, 102, 'longer than 255'),
    ('a long path', pax([(b'path', b'x/' * 2048 + b'x')]) + entry(b'x') + END, 102, 'longer than 4095'),
    ('a huge file, limited', pax([(b'size', b'99999999999999999')]) + entry(b'x') + END, 63, 'max-size', '--max-size=1M'),
    ('a huge file', pax([(b'size', b'99999999999999999')]) + entry(b'x') + END, 18, 'cut'),
    ('a huge sparse file, limited', sparse(9 * 10 ** 18) + END, 63, 'max-size', '--max-size=1G'),
    ('a huge sparse file', sparse(9 * 10 ** 18) + END, 23, 'File too large'),
    ('two files larger than the limit', (entry(b'a', b'x' * 600) + entry(b'b', b'x' * 600)) + END, 63, 'b: larger', '--max-size=1k'),
    ('a negative size', header(b'x', size_field=b'\377' * 12) + END, 102, 'malformed|negative'),
    ('a size that is no number', header(b'x', size_field=b'nonsense!') + END, 102, 'malformed|cut|after the end'),
    ('many entries', entry(b'a') + entry(b'b') + entry(b'c') + END, 63, 'more than 2 entries', '--max-entries=2'),
    ('a cut inside a file', entry(b'x', b'x' * 5000)[:3000], 18, 'cut'),
    ('a cut inside a header', entry(b'a') + header(b'x')[:300], 18, 'cut|ends without'),
    ('no end', entry(b'a') + entry(b'b'), 18, 'ends without'),
    ('half an end', entry(b'a') + bytes(512), 18, 'ends without'),
    ('nothing', b'', 18, 'cut'),
    ('data after the end', entry(b'a') + END + entry(b'b') + END, 102, 'after the end'),
    ('one block of zeros, and more', entry(b'a') + bytes(512) + entry(b'b') + END, 102, 'after the end'),
    ('endless zeros', entry(b'a') + bytes(1 << 21), 102, 'after the end'),
    ('a name twice', entry(b'a') + entry(b'a') + END, 23, 'File exists'),
    ('a file that was there', entry(b'mine') + END, 23, 'File exists'),
    ('a file that was there, forced', entry(b'mine') + END, 0, '', '--force'),
    ('a file below a file', entry(b'a') + entry(b'a/b') + END, 23, 'Not a directory'),
    ('a file in place of a directory', directory(b'd') + entry(b'd') + END, 23, 'Is a directory'),
    ('a directory in place of a file', entry(b'd') + directory(b'd') + END, 23, 'File exists'),
    ('a time before and after all times', pax([(b'mtime', b'-9e99')]) + entry(b'a') + END, 0, ''),
    ('a capability', pax([(b'SCHILY.xattr.security.capability', b'\1\0\0\2' + b'\xff' * 16)]) + entry(b'cap') + END, 0, '',
     '--preserve=xattr'),
    ('no archive', b'GET / HTTP/1.0\r\n\r\n' * 100, 102, 'malformed'),
    ('a wrong checksum', header(b'a') + b'x' + header(b'b')[1:] + END, 102, 'malformed'),
    ('a compressed archive', bytes.fromhex('1f8b0800000000000003') + b'\xc1' * 2000, 102, 'malformed'),
]


def snapshot():
    """All that there is outside of the directory."""
    seen = {}
    for at, directories, files in os.walk(OUTER):
        directories[:] = [name for name in directories if os.path.join(at, name) != INNER]
        for name in directories + files:
            path = os.path.join(at, name)
            status = os.lstat(path)
            content = os.path.isfile(path) and open(path, 'rb').read()
            seen[path] = (status.st_ino, status.st_mode, status.st_nlink, status.st_mtime_ns, content)
    return seen


def set_up():
    subprocess.run(['rm', '-rf', OUTER], check=True)
    os.makedirs(INNER)
    for name in (OUTER + '/file', INNER + '/mine'):
        with open(name, 'w') as file:
            file.write('old')
    os.symlink('..', INNER + '/out')
    os.chmod(INNER, 0o755)


def inspect(what):
    """What was extracted can harm no one."""
    for at, directories, files in os.walk(INNER):
        for name in directories + files:
            path = os.path.join(at, name)
            mode = os.lstat(path).st_mode
            check(stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode), True, (what, path))
            check(mode & 0o7000 if not stat.S_ISLNK(mode) else 0, 0, (what, path))
            check(name.endswith('.part'), False, (what, path))
            if path != INNER + '/out':
                check(os.path.realpath(path).startswith(os.path.realpath(INNER)), True, (what, path))
            if stat.S_ISREG(mode):
                check([a for a in os.listxattr(path) if a.startswith('security.cap')], [], (what, path))


def extract(data, *args, into=INNER, status=0):
    done = subprocess.run([PROGRAM, 'extract', *args, into], input=data, capture_output=True, timeout=LIMIT)
    check(done.returncode, status, (args, done.stderr[-2000:]))
    return said(done)


def said(done):
    """Its messages, but that the kernel or the portable build has no Landlock."""
    return re.sub(r'.*warning: this kernel cannot.*\n', '', done.stderr.decode())


def hostile():
    """No archive changes anything outside of the directory."""
    for what, data, status, cause, *args in HOSTILE:
        set_up()
        before = snapshot()
        done = subprocess.run([PROGRAM, 'extract', *args, INNER], input=data, capture_output=True, timeout=LIMIT)
        error = said(done)
        check((what, done.returncode), (what, status), error)
        check(snapshot(), before, what)
        inspect(what)
        check(stat.S_IMODE(os.stat(INNER).st_mode), 0o755, what)
        if status == 0:
            check(error, '', what)
        elif not re.fullmatch(r'sockcat-archive: [^\n]*(?:%s)[^\n]*\n' % cause, error):
            sys.exit('%s: not one line with %r: %r' % (what, cause, error))
        with open(INNER + '/mine') as file:
            check(file.read(), 'data' if what.endswith('was there, forced') and b'mine' in data else 'old', what)


def fresh():
    """Into a directory of its own: what was there is removed; after a failure there is nothing, before it one in which
    others cannot read."""
    for what, data, _, _, *args in HOSTILE:
        if '--force' in args:
            continue
        set_up()
        os.makedirs(INNER + '/old/closed', 0o700)
        os.chmod(INNER + '/old/closed', 0o0)
        os.chmod(INNER + '/old', 0o500)
        os.link(OUTER + '/file', INNER + '/old-link')
        before = snapshot()
        status, error = extract_fresh(data, *args)
        links = {path: tuple(value[:2]) + value[3:] for path, value in snapshot().items()}
        check(links, {path: tuple(value[:2]) + value[3:] for path, value in before.items()}, what)
        check(status in (0, 18, 23, 63, 102) and error.count('\n') == (status != 0), True, (what, status, error))
        check('old' in os.listdir(INNER), False, what)
        if status == 0:
            inspect(what)
        else:
            check(os.listdir(INNER), [], what)
    data = directory(b'./', 0o711) + entry(b'./a', b'x' * 700, mode=0o640) + directory(b'd', 0o500) + entry(b'd/b') + END
    for length in list(range(0, len(data), 97)) + [len(data) - 1]:
        set_up()
        check(extract_fresh(data[:length])[0], 18, length)
        check(os.listdir(INNER), [], length)
    for args, modes in ((), [0o711, 0o640, 0o500]), (('--preserve=none',), [0o755, 0o644, 0o755]):
        set_up()
        check(extract_fresh(data, *args)[0], 0)
        check([stat.S_IMODE(os.stat(INNER + name).st_mode) for name in ('', '/a', '/d')], modes)


def extract_fresh(data, *args):
    os.umask(0o022)
    directory = os.open(INNER, os.O_RDONLY)
    done = subprocess.run([PROGRAM, 'extract', '--fresh', *args, '-'], input=data, stdout=directory,
                          stderr=subprocess.PIPE, timeout=LIMIT)
    os.close(directory)
    return done.returncode, said(done)


def synced():
    """strace: when the program ends with 0, all has been written to the disk: by syncfs at the end, or each file and
    the directory of its name."""
    os.mkdir(T + '/in')
    data = entry(b'a', b'x' * 700) + directory(b'd') + entry(b'd/b') + link(b'd/l', b'b') + link(b'd/h', b'd/b', b'1') + END
    calls = subprocess.run(['strace', '-y', '-e', 'trace=fsync,syncfs,pwrite64,renameat,renameat2,linkat,mkdirat', '-o',
                            '/dev/stdout', PROGRAM, 'extract', T + '/in'], input=data, stdout=subprocess.PIPE,
                           env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'), check=True, timeout=LIMIT).stdout.decode()
    steps = re.findall(r'^(\w+)\(\d+<([^>]*)>.*= [0-9]', calls, re.M)
    check(len([step for step in steps if step[0] == 'pwrite64']), 2, calls)
    if steps[-1] == ('syncfs', T + '/in'):
        return
    check(steps[-1], ('fsync', T + '/in'), calls)
    for number, (call, _) in enumerate(steps):
        after = [step[0] for step in steps[number + 1:]]
        if call == 'pwrite64':
            check(after[0], 'fsync', calls)
    for name in T + '/in', T + '/in/d':
        check(('fsync', name) in steps, True, calls)


def cut():
    """An archive that is cut anywhere is never taken for a complete one."""
    data = entry(b'a', b'x' * 700) + directory(b'd') + entry(b'd/b', b'') + END
    for length in list(range(0, len(data), 97)) + [len(data) - 1]:
        set_up()
        extract(data[:length], status=18)
        inspect(length)
        if os.path.exists(INNER + '/a'):
            check(os.path.getsize(INNER + '/a'), 700, length)
    set_up()
    extract(data)


def tree(root):
    """A directory with everything that is kept."""
    os.makedirs(root + '/sub/deep')
    os.mkdir(root + '/empty')
    names = ['plain', 'sub/' + 'n' * 255, 'sub/' + 'ü€😀' * 28, 'with space', 'sub/deep/' + 'x' * 200]
    for number, name in enumerate(names):
        with open(root + '/' + name, 'wb') as file:
            file.write(os.urandom(number * 700))
        os.utime(root + '/' + name, (1e9, 1577934245 + number))
    os.chmod(root + '/plain', 0o751)
    os.link(root + '/plain', root + '/sub/hard')
    os.symlink('../plain', root + '/sub/link')
    with open(root + '/sparse', 'wb') as file:
        file.truncate(1 << 30)
        for at in (0, 5 << 20, 700 << 20):
            file.seek(at)
            file.write(b'data' * 1000)
    with open(root + '/hole', 'wb') as file:
        file.truncate(1 << 28)
    os.chmod(root + '/sub/deep', 0o500)
    for name in ('sub/deep', 'empty', 'sub', ''):
        os.utime(root + '/' + name, (1e9, 1234567890))


def described(root):
    """What has to be equal after a transfer."""
    seen = {}
    for at, directories, files in os.walk(root):
        for name in directories + files:
            path = os.path.join(at, name)
            status = os.lstat(path)
            mode = status.st_mode
            if stat.S_ISLNK(mode):
                found = os.readlink(path)
            elif stat.S_ISDIR(mode):
                found = int(status.st_mtime)
            else:
                with open(path, 'rb') as file:
                    head = file.read(8 << 20)
                found = (status.st_size, head.rstrip(b'\0'), int(status.st_mtime), status.st_nlink)
                if status.st_size > 1 << 27:
                    check(status.st_blocks * 512 < 1 << 22, True, path + ' is not sparse')
            seen[os.path.relpath(path, root)] = (mode, found)
    return seen


def interop(other):
    """Another tar, at either end."""
    tree(T + '/tree')
    wanted = described(T + '/tree')
    own = T + '/own.tar'
    with open(own, 'wb') as file:
        subprocess.run([PROGRAM, 'create', T + '/tree'], stdout=file, check=True, timeout=LIMIT)
    check(os.path.getsize(own) < 1 << 20, True, 'the archive has the holes')
    os.mkdir(T + '/theirs')
    done = subprocess.run([other, '-xpf', own, '-C', T + '/theirs'], capture_output=True, timeout=LIMIT)
    check((done.returncode, done.stderr), (0, b''))
    check(described(T + '/theirs/tree'), wanted)
    for number, option in enumerate({'tar': (['--format=gnu', '-S'], ['--format=pax', '-S']),
                                     'bsdtar': (['--format=pax'], ['--format=pax', '--options=xattrheader=SCHILY'])}[other]):
        into = '%s/ours%d' % (T, number)
        os.mkdir(into)
        packed = subprocess.run([other, *option, '-cf', '-', '-C', T, 'tree'], capture_output=True, check=True, timeout=LIMIT)
        check(extract(packed.stdout, into=into), '')
        check(described(into + '/tree'), wanted)


def many(count='10000'):
    """Many small files, in order, and how much memory that takes."""
    os.mkdir(T + '/many')
    for number in range(int(count)):
        if number % 100 == 0:
            os.mkdir('%s/many/%d' % (T, number // 100))
        with open('%s/many/%d/%d' % (T, number // 100, number), 'w') as file:
            file.write('%d\n' % number * 400)
    with open(T + '/many.tar', 'wb') as file:
        subprocess.run([PROGRAM, 'create', T + '/many'], stdout=file, check=True, timeout=LIMIT)
    with tarfile.open(T + '/many.tar') as file:
        names = file.getnames()
    check(len(names), int(count) + int(count) // 100 + 1)
    check(names, sorted(names, key=lambda name: name.split('/')))
    with open(T + '/many.tar', 'rb') as file:
        frugal(file.read(), 16)
    check(described(T + '/out/many'), described(T + '/many'))


def directories(count='20000'):
    """Only directories, whose attributes are set at the end."""
    frugal(b''.join(directory(b'd%d' % number) for number in range(int(count))) + END, 16)
    check(len(os.listdir(T + '/out')), int(count))


def frugal(data, most):
    """Extract into T/out, in this number of MiB at most; sanitizers need more."""
    os.mkdir(T + '/out')
    with subprocess.Popen([PROGRAM, 'extract', T + '/out'], stdin=subprocess.PIPE) as process:
        process.stdin.write(data)
        process.stdin.flush()
        # All of it has been made when it waits for the end.
        until(lambda: not in_pipe(process.stdin.fileno()) and state(process.pid) in 'SZ', 'the end')
        with open('/proc/%d/status' % process.pid) as file:
            used = int(re.search(r'VmHWM:\s*(\d+)', file.read())[1]) >> 10
        process.stdin.close()
        check(process.wait(LIMIT), 0)
    check(used <= most * PATIENCE * PATIENCE, True, '%d MiB' % used)


def state(pid):
    with open('/proc/%d/stat' % pid) as file:
        return file.read().rpartition(')')[2].split()[0]


def shrunk():
    """A file that becomes shorter while it is read is an error, and the archive has no end."""
    os.mkdir(T + '/tree')
    with open(T + '/tree/file', 'wb') as file:
        file.truncate(0)
        file.write(b'x' * (8 << 20))
    with subprocess.Popen([PROGRAM, 'create', T + '/tree'], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        data = process.stdout.read(1)
        os.truncate(T + '/tree/file', 1 << 20)
        data += process.stdout.read()
        error = process.stderr.read().decode()
        check((process.wait(LIMIT), error), (26, 'sockcat-archive: read tree/file: the file became shorter while it was read\n'))
    os.mkdir(T + '/out')
    extract(data, into=T + '/out', status=18)
    check(os.listdir(T + '/out/tree'), [])


if __name__ == '__main__':
    main()
