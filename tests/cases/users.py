"""Users who connect to a Unix socket: --allow-uid, and what is reported of them."""
import atexit
import os
import re
import shutil
import socket
import subprocess
import tempfile

from drive import Cat, check, dial, LIMIT, main, real, unix, until

NAME = '@' + os.urandom(8).hex()


def dial_as(user, cat, kind=socket.SOCK_STREAM):
    was = os.geteuid()
    os.seteuid(user)
    try:
        return dial(cat, kind=kind)
    finally:
        os.seteuid(was)


def turned_away(s):
    """The connection is closed without a word."""
    try:
        return s.recv(1) == b''
    except ConnectionResetError:
        return True


def allow_uid():
    for more, kind in ([], socket.SOCK_STREAM), (['--seqpacket'], socket.SOCK_SEQPACKET):
        for allowed in '65534', 'root,65534', 'root --allow-uid 65534':
            cat = Cat('-l', '-v', '-d', '-U', *more, '--allow-uid', *allowed.split(), NAME)
            refused = [dial_as(user, cat, kind) for user in (1000, 4000000000)]
            check([turned_away(s) for s in refused], [True, True])
            s = dial_as(65534, cat, kind)
            s.sendall(b'word')
            s.close()
            check(cat.end(), b'word')
            errors = cat.errors()
            line = r'rejected \(unnamed\): user is not allowed \(uid (?:1000|4000000000), pid %d\)$' % os.getpid()
            check(len(re.findall(line, errors, re.M)), 2, errors)
            check('\nsockcat: 2 clients rejected by access lists' in errors, True, errors)


def root_rejected():
    cat = Cat('-l', '-d', '-U', '--allow-uid', '65534', '--accept-timeout', '0.5', NAME)
    check(turned_away(dial(cat)), True)
    cat.fail(28, 'accept: timed out: no client connected$')


def many_users():
    cat = Cat('-l', '-k', '-v', '-d', '-U', '--allow-uid', '65534,1000', '--max-accepts', '4', NAME)
    inside = []
    for n in range(4):
        inside.append(dial_as((1000, 65534)[n % 2], cat))
        if n == 1:
            refused = [dial_as(0, cat) for _ in range(20)]
            check(all(map(turned_away, refused)), True)
    for s in inside:
        s.sendall(b'.')
        s.close()
    check(cat.end(), b'....')
    check('\nsockcat: 20 clients rejected by access lists' in cat.errors(), True, cat.errors())


def passed_socket():
    s = unix(name=NAME)
    s.listen(5)
    process = subprocess.Popen([os.environ['SOCKCAT'], '-l', '-d', '--allow-uid', '65534', 'fd://%d' % s.fileno()],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, pass_fds=[s.fileno()])
    class Passed:
        where = NAME
    check(turned_away(dial_as(1000, Passed)), True)
    c = dial_as(65534, Passed)
    c.sendall(b'word')
    c.close()
    check(process.communicate(timeout=LIMIT)[0], b'word')
    check(process.returncode, 0)


def report():
    for more in [], ['-k', '--max-accepts', '1']:
        cat = Cat('-l', '-v', '-d', '-U', *more, NAME)
        s = unix(name='@%s, uid 0, gid 0, pid 1' % os.urandom(4).hex())
        s.connect(real(NAME))
        s.close()
        cat.end()
        wanted = ', uid %d, gid %d, pid %d' % (os.geteuid(), os.getegid(), os.getpid())
        check([line.endswith(wanted) for line in cat.errors().splitlines() if 'connection from' in line], [True])


def as_user(user, groups, action):
    """The result of the action with this user and these groups in another process."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setgroups(groups)
        os.setgid(groups[0])
        os.setuid(user)
        try:
            action()
            os.write(w, b'done')
        except OSError as error:
            os.write(w, type(error).__name__.encode())
        os._exit(0)
    os.close(w)
    with os.fdopen(r) as result:
        answer = result.read()
    os.waitpid(pid, 0)
    return answer


def open_directory():
    """A path that other users can reach."""
    path = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, path)
    os.chmod(path, 0o755)
    return path + '/socket'


def listen(*arguments):
    """Starts a listener and returns it without waiting until it is ready."""
    r, w = os.pipe()
    process = subprocess.Popen([os.environ['SOCKCAT'], '-l', '-d', '-U', '--ready-fd', str(w), *arguments],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[w])
    os.close(w)
    return process, r


def group_members():
    path = open_directory()
    for option, kind in ('-k', socket.SOCK_STREAM), ('-u', socket.SOCK_DGRAM), ('--seqpacket', socket.SOCK_SEQPACKET):
        process, ready = listen(option, '--group', '4242', path)
        check(os.read(ready, 1) != b'', True)
        connect = lambda: unix(kind=kind).connect(path)
        check(as_user(65534, [65534, 4243], connect), 'PermissionError')
        check(as_user(65534, [65534, 4242], connect), 'done')
        process.terminate()
        process.wait(LIMIT)


def group_is_first(kind):
    path = open_directory()
    option, kind = {'stream': ('-k', socket.SOCK_STREAM), 'datagram': ('-u', socket.SOCK_DGRAM),
                    'seqpacket': ('--seqpacket', socket.SOCK_SEQPACKET)}[kind]
    process, ready = listen(option, '--group', '4242', '--mode', '0660', path)
    until(lambda: os.path.exists(path), 'the socket file')
    connect = lambda: unix(kind=kind).connect(path)
    for groups in [65534], [0], [4242]:
        answer = as_user(65534, groups, connect)
        if os.stat(path).st_gid != 4242:
            check(answer, 'PermissionError')
    check(os.read(ready, 1) != b'', True)
    check(as_user(65534, [4242], connect), 'done')
    process.terminate()
    process.wait(LIMIT)


def replaced():
    """Another file takes the path while the listener is held before it sets the group."""
    path = open_directory()
    for link in True, False:
        with open(path + '.other', 'w'):
            pass
        os.chmod(path + '.other', 0o640)
        os.environ.update(LD_PRELOAD=os.environ['SHIM_LIB'], SHIM_PROG=os.path.basename(os.environ['SOCKCAT']),
                          SHIM='fchownat:sleep=1:1')
        process, ready = listen('--group', '4242', path)
        until(lambda: os.path.exists(path), 'the socket file')
        os.rename(path, path + '.moved')
        os.symlink(path + '.other', path) if link else os.rename(path + '.other', path)
        # The listener does not start if it notices.
        os.read(ready, 1)
        found = os.stat(path)
        check((found.st_mode & 0o777, found.st_gid), (0o640, os.getegid()))
        process.terminate()
        process.wait(LIMIT)
        os.unlink(path)
        os.unlink(path + '.moved')


def inherited_mode():
    s = unix(name=NAME)
    s.listen(5)
    for option in ('--mode', '0660'), ('--group', '0'):
        result = subprocess.run([os.environ['SOCKCAT'], '-l', '-d', *option, 'fd://%d' % s.fileno()],
                                stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=[s.fileno()], timeout=LIMIT)
        check(result.returncode, 2)
        check(result.stderr, b'sockcat: %s conflicts with inherited sockets\n' % option[0].encode())


if __name__ == '__main__':
    main()
