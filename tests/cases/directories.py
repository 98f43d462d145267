"""Directories between two sockcats, and peers that do not keep to the protocol."""
import hashlib
import os
import re
import resource
import socket
import stat
import subprocess
import sys

import archive
from archive import END, entry
from drive import accept, Cat, check, dial, LIMIT, main, reset, T, tcp, to_end, until
from transfer import (contents, cut_everywhere, fail, folder, FREE, hear, message, play_receivers, RECEIVER, relay, SENDER,
                      talk)

TREE = message(type='tar', name='new')


def data(*pieces):
    return b''.join(message(type='data', size=len(piece)) + piece for piece in pieces)


def everything():
    """A directory with all that is kept, in place of which there is nothing before all of it is there."""
    archive.tree(T + '/tree')
    wanted = archive.described(T + '/tree')
    target = folder('in')
    receiver = Cat('-l', '127.0.0.1', '0', '--receive=' + target)
    Cat('127.0.0.1', receiver.where, '--send', T + '/tree').end()
    receiver.end()
    check(archive.described(target + '/tree'), wanted)
    one, other = (os.stat(path) for path in (T + '/tree', target + '/tree'))
    check((one.st_mode, one.st_mtime_ns), (other.st_mode, other.st_mtime_ns))
    check(os.listdir(target), ['tree'])


WHOLE = entry(b'./a') + entry(b'./b', b'')
# What a sender sends behind its greeting; the receiver's status and message.
HOSTILE_SENDERS = [
    (message(type='tar', name='../new'), 23, 'path'),
    (message(type='tar', name='..'), 23, 'directory'),
    (message(type='tar', name='.new.part'), 23, 'incomplete'),
    (message(type='tar', name='a\nb'), 23, 'control'),
    (message(type='tar', name='file'), 23, 'file: File exists'),
    (message(type='tar'), 102, 'protocol error: incomplete message'),
    (message(type='tar', name=5), 102, 'invalid value'),
    (TREE + TREE, 102, 'unexpected message'),
    (TREE + message(type='start', offset=0), 102, 'unexpected message'),
    (TREE + message(type='end', count=1), 102, 'unexpected message'),
    (TREE + message(type='data', size=-1), 102, 'invalid value'),
    (TREE + message(type='done'), 18, 'cut'),
    (TREE + data(WHOLE) + message(type='done'), 18, 'ends without its two blocks'),
    (TREE + data(WHOLE, END[:512]) + message(type='done'), 18, 'ends without its two blocks'),
    (TREE + data(WHOLE[:700]) + message(type='done'), 18, 'cut'),
    (TREE + data(WHOLE, END), 18, 'the connection ended before'),
    (TREE + data(WHOLE + END)[:-1], 18, 'the connection ended before'),
    (TREE + data(WHOLE, END, b'x') + message(type='done'), 102, 'after the end'),
    (TREE + data(b'x' * 5000) + message(type='done'), 102, 'malformed'),
    (TREE + data(WHOLE, END) + message(type='error', status=26, error='read a: no'), 26, 'sender reported: read a: no'),
]


def senders():
    """Senders that do not keep to the protocol: status, one line of text, and nothing is stored."""
    for number, (sent, status, text) in enumerate(HOSTILE_SENDERS):
        target = folder('senders%d' % number)
        with open(target + '/file', 'w'):
            pass
        cat = Cat('-l', '127.0.0.1', '0', '--receive=' + target)
        answer = talk(cat, SENDER + sent)
        fail(cat, status, text)
        check([name for name in os.listdir(target) if name not in ('file', '.new.part')], [], sent)
        if 'reported' not in text and 'ended before' not in text:
            check((answer[-1]['type'], answer[-1]['status']), ('error', status), sent)


def hostile():
    """Archives that could reach out of the directory: nothing outside changes, and the sender gets the reason."""
    for what, packed, status, cause, *args in archive.HOSTILE:
        # What was there is not there in a new directory.
        if '--force' in args or 'was there' in what or 'through a link' in what or '--preserve=xattr' in args:
            continue
        archive.set_up()
        before = archive.snapshot()
        cat = Cat('-l', '127.0.0.1', '0', '--receive=' + archive.INNER, *args)
        answer = talk(cat, SENDER + TREE + data(packed[:100], packed[100:]) + message(type='done') +
                      message(type='end', count=1))
        cat.process.wait(LIMIT)
        check((what, cat.process.returncode), (what, status), cat.errors())
        check(archive.snapshot(), before, what)
        archive.inspect(what)
        if status == 0:
            check(answer[-1], {'type': 'stored'}, what)
            check('new' in os.listdir(archive.INNER), True, what)
        else:
            check((answer[-1]['type'], answer[-1]['status']), ('error', status), what)
            # A long name is cut there.
            cause = cause.replace(r'\^\[', '.*').replace('Is a directory', '(?:Is a directory|File exists)')
            if not re.search(cause, answer[-1]['error']) and len(answer[-1]['error']) < 500:
                sys.exit('%s: %r' % (what, answer))
            check(sorted(os.listdir(archive.INNER)), ['mine', 'out'], what)


# What a receiver sends behind its greeting; the sender's status and message.
READY = message(type='ready', offset=0)
HOSTILE_RECEIVERS = [
    (message(type='stored'), 102, 'unexpected message'),
    (READY + message(type='stored'), 102, 'unexpected message'),
    (READY + READY, 102, 'unexpected message'),
    (message(type='ready', offset=4194304, digest='00' * 32), 102, 'unexpected message'),
    (message(type='error', status=23, error='no space'), 23, 'receiver reported: no space'),
    (READY + message(type='error', status=63, error='too large'), 63, 'receiver reported: too large'),
    (READY, 18, 'ended before'),
    (b'', 18, 'ended before'),
]


def receivers():
    """Receivers that do not keep to the protocol."""
    os.mkdir(T + '/new')
    with open(T + '/new/big', 'wb') as file:
        file.write(b'x' * 3000000)
    play_receivers(HOSTILE_RECEIVERS, 'tar')


def digests():
    """A digest that is wrong or missing: 18, and nothing is stored; then the same with the right one."""
    whole = WHOLE + END
    right = hashlib.sha256(hashlib.sha256(whole).digest()).hexdigest()
    target = folder('digests')
    for digest, status in ({}, 18), ({'digest': '00' * 32}, 18), ({'digest': right}, 0):
        cat = Cat('-l', '127.0.0.1', '0', '--receive=' + target)
        talk(cat, SENDER[:-1] + b' sha256\n' + TREE + data(whole) + message(type='done', **digest) +
             (message(type='end', count=1) if status == 0 else b''))
        if status == 0:
            cat.end()
        else:
            fail(cat, status, 'digest of what arrived differs')
        check('new' in os.listdir(target), status == 0)
    check(contents(target + '/new'), {'a': b'data', 'b': b''})


def leftovers():
    """A receiver that is killed leaves a part that others cannot open; the next transfer replaces it, and while it lasts
    no other one of this name begins."""
    target = folder('in')
    part = target + '/.new.part'
    cat = Cat('-l', '127.0.0.1', '0', '--receive=' + target)
    with dial(cat) as s:
        s.sendall(SENDER + TREE + data(entry(b'old'), entry(b'd/old')))
        until(lambda: os.path.exists(part + '/d/old'), 'the files')
        check(stat.S_IMODE(os.stat(part).st_mode), 0o700)
        other = Cat('-l', '127.0.0.1', '0', '--receive=' + target)
        check(talk(other, SENDER + TREE)[-1].get('busy'), 1)
        fail(other, 23, 'another process is writing it')
        program = children(cat.pid)
        for pid in program + [cat.pid]:
            os.kill(pid, 9)
        cat.process.wait(LIMIT)
        until(lambda: not any(os.path.exists('/proc/%d/fd/1' % pid) for pid in program), 'the end of the program')
    check(os.path.exists(part + '/d/old'), True)
    os.makedirs(T + '/new')
    with open(T + '/new/a', 'w') as file:
        file.write('data')
    cat = Cat('-l', '127.0.0.1', '0', '--receive=' + target, '--resume')
    Cat('127.0.0.1', cat.where, '--send', T + '/new', '--resume').end()
    cat.end()
    check((os.listdir(target), contents(target + '/new')), (['new'], {'a': b'data'}))


def deep():
    """What is left of a directory is removed, also if it is deeper than the soft limit of descriptors."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    target = folder('deep')
    cat = Cat('-l', '127.0.0.1', '0', '--receive=' + target)
    talk(cat, SENDER + TREE + data(archive.long_name(b'L', b'd/' * 400 + b'x') + entry(b'x')) + message(type='done'))
    fail(cat, 18, 'ends without its two blocks')
    check(os.listdir(target), [])


def waits():
    """With --resume a directory waits until the session that was interrupted has left its part."""
    target = folder('in')
    with open(T + '/tree/a', 'w') as file:
        file.write('data')
    cat = Cat('-l', '-v', '-k', '--max-accepts', '2', '127.0.0.1', '0', '--receive=' + target, '--resume')
    with dial(cat) as s:
        s.sendall(SENDER + message(type='tar', name='tree') + data(entry(b'old')))
        until(lambda: os.path.exists(target + '/.tree.part/old'), 'the files')
        sender = Cat('127.0.0.1', cat.where, '--send', T + '/tree')
        until(lambda: cat.errors().count('connection from') == 2, 'the second session')
        reset(s)
        sender.end()
    check(cat.process.wait(LIMIT), 104)
    check(sorted(os.listdir(target + '/tree')), ['a', 'sub'])


def children(pid):
    with open('/proc/%d/task/%d/children' % (pid, pid)) as file:
        return [int(word) for word in file.read().split()]


def cuts(step='1'):
    """A cut at each offset of a small transfer: the directory is whole or not there, and 0 means that it is."""
    os.remove(T + '/one')
    os.makedirs(T + '/one/d')
    for name in 'a', 'd/b':
        with open(T + '/one/' + name, 'w') as file:
            file.write(name)
    with open(T + '/two', 'w') as file:
        file.write('two')

    def stored(target):
        found = sorted(name for name in os.listdir(target) if not name.startswith('.'))
        if 'one' in found:
            check((sorted(os.listdir(target + '/one')), contents(target + '/one/d')), (['a', 'd'], {'b': b'd/b'}), target)
        return found

    # Of the data little is of interest.
    cut_everywhere([151, int(step)], stored, ['one', 'two'])


def order(what):
    """strace: data, their sync, the name, the sync of its directory, and only then the receipt."""
    target = folder('in')
    os.makedirs(T + '/tree/d')
    for name in T + '/file', T + '/tree/d/a':
        with open(name, 'wb') as file:
            file.write(b'x' * 50000)
    listener = tcp()
    port = str(listener.getsockname()[1])
    with open(T + '/calls', 'wb') as calls:
        process = subprocess.Popen(
            ['strace', '-f', '-y', '-s', '200', '-o', '/dev/stdout', os.environ['SOCKCAT'], '--no-splice',
             '--receive=' + target, '127.0.0.1', port], stdin=subprocess.DEVNULL, stdout=calls,
            env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
    near = accept(listener)
    sender = Cat('-l', '127.0.0.1', '0', '--send', T + '/' + what)
    with dial(sender) as far:
        check(relay(near, far, [FREE, FREE]), True)
    check(process.wait(LIMIT), 0)
    sender.end()
    steps = []
    with open(T + '/calls', 'rb') as calls:
        lines = calls.read().decode(errors='replace').splitlines()
    synced = {'file': r'fsync\(\d+<[^>]*/\.file\.part>', 'tree': r'(?:syncfs|fsync)\(\d+<[^>]*/\.tree\.part>'}[what]
    for line in lines:
        for step, pattern in (('write', r'(?:writev|pwrite64)\(\d+<[^>]*/\.\w+\.part[>/].* = [1-9]'), ('sync', synced),
                              ('name', r'(?:rename\w*|linkat)\(.*"\.%s\.part".*"%s"' % (what, what)),
                              ('sync directory', r'fsync\(\d+<%s>\)' % re.escape(target)),
                              ('receipt', r'send\w*\(.*stored')):
            if re.search(pattern, line) and steps[-1:] != [step]:
                steps.append(step)
    check(steps, ['write', 'sync', 'name', 'sync directory', 'receipt'], '\n'.join(lines[-60:]))


def progress():
    """100 % is shown only after the receipt."""
    with open(T + '/file', 'wb') as file:
        file.write(b'x' * 100000)
    for receipt in True, False:
        cat = Cat('-l', '--progress=line', '127.0.0.1', '0', '--send', T + '/file')
        with dial(cat) as s:
            s.sendall(RECEIVER)
            got = hear(s)
            s.sendall(READY)
            while not got.endswith(message(type='done')):
                got += s.recv(65536)
            if receipt:
                s.sendall(message(type='stored'))
            s.shutdown(socket.SHUT_WR)
            to_end(s)
        check(cat.process.wait(LIMIT), 0 if receipt else 18)
        check('100 %' in cat.errors() or '100%' in cat.errors(), receipt, cat.errors())


if __name__ == '__main__':
    main()
