"""Cases of --wait-for."""
import errno
import os
import signal
import socket
import subprocess

from drive import LIMIT, Cat, T, check, end, main, tcp, udp, unix, until


def silent():
    """A TCP socket whose port is closed until it listens."""
    s = socket.socket()
    s.bind(('127.0.0.1', 0))
    s.settimeout(LIMIT)
    return s, str(s.getsockname()[1])


def waits(cat, text):
    until(lambda: text in cat.errors(), 'waiting: ' + text)


def later():
    s, port = silent()
    cat = Cat('-v', '--wait-for', '--interval', '5ms', '127.0.0.1', port)
    waits(cat, 'closed')
    s.listen()
    check(cat.end(), b'')
    lines = cat.errors().splitlines()
    check(lines[0], 'sockcat: waiting for 127.0.0.1:%s: closed' % port)
    check(lines[1].startswith('sockcat: 127.0.0.1:%s open after ' % port), True, lines)
    check(len(lines), 2)
    # The connection has ended in order.
    check(s.accept()[0].recv(1), b'')


def later_unix():
    path = T + '/later'
    cat = Cat('-v', '--wait-for', '--interval', '5ms', 'unix:' + path)
    waits(cat, 'No such file')
    s = unix(name=path)
    waits(cat, 'closed')
    s.listen()
    cat.end()


def later_udp():
    s = udp()
    port = str(s.getsockname()[1])
    s.close()
    cat = Cat('-v', '-u', '--wait-for', '--interval', '5ms', '127.0.0.1', port)
    waits(cat, 'closed')
    s = udp(port=int(port))
    _, peer = s.recvfrom(100)
    s.sendto(b'here', peer)
    cat.end()


def states():
    s, port = silent()
    cat = Cat('-v', '--wait-for', '--until-closed', '--interval', '2ms', '127.0.0.1', port)
    cat.end()
    s.listen(1)
    cat = Cat('-vv', '--wait-for', '--until-closed', '--interval', '2ms', '127.0.0.1', port)
    for _ in range(5):
        s.accept()[0].close()
    s.close()
    cat.end()
    told = [line for line in cat.errors().splitlines() if 'waiting' in line]
    check(len(told) >= 5, True, told)

    s, port = silent()
    cat = Cat('-v', '--wait-for', '--interval', '2ms', '127.0.0.1', port)
    waits(cat, 'closed')
    cat.send(signal.SIGUSR1)
    waits(cat, '1 of 1 target')
    s.listen()
    cat.end()
    check(cat.errors().count('closed'), 1, cat.errors())


def several():
    one, other = silent(), silent()
    cat = Cat('-v', '--wait-for', '--interval', '2ms', '127.0.0.1', one[1], other[1])
    waits(cat, one[1] + ': closed')
    waits(cat, other[1] + ': closed')
    other[0].listen()
    waits(cat, other[1] + ' open')
    check(cat.process.poll(), None)
    one[0].listen()
    cat.end()


def until_closed():
    s = tcp()
    port = str(s.getsockname()[1])
    cat = Cat('-v', '--wait-for', '--until-closed', '--interval', '2ms', '127.0.0.1', port, '--', 'echo', 'done')
    waits(cat, 'open')
    s.close()
    check(cat.end(), b'done\n')


def signals():
    """Between the end of the wait and the program, too: a signal is not lost."""
    s = tcp(500)
    port = str(s.getsockname()[1])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        cat = Cat('--wait-for', '127.0.0.1', port, '--', 'cat', stdin=subprocess.PIPE)
        until(lambda: os.readlink('/proc/%d/exe' % cat.pid) != os.path.realpath(os.environ['SOCKCAT']), 'the program')
        cat.send(number)
        cat.end(-number)
    for _ in range(50):
        cat = Cat('--wait-for', '127.0.0.1', port, '--', 'cat', stdin=subprocess.PIPE)
        s.accept()[0].close()
        cat.send(signal.SIGTERM)
        cat.end(-signal.SIGTERM)


def masks(command, **settings):
    """The lines of proc(5) on signals of a command that is started with these settings."""
    def prepare():
        for number in settings.get('ignored', ()):
            signal.signal(number, signal.SIG_IGN)
        for number in settings.get('default', ()):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, settings.get('blocked', ()))
    out, _ = end(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=prepare,
                                  restore_signals=False))
    return out


def dispositions():
    s = tcp()
    show = ['grep', '^Sig[BI]', '/proc/self/status']
    wait = [os.environ['SOCKCAT'], '--wait-for', '127.0.0.1', str(s.getsockname()[1]), '--']
    every = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT]
    for settings in ({'default': every}, {'ignored': every},
                     {'default': every, 'blocked': (signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR2)}):
        check(masks(wait + show, **settings), masks(show, **settings), settings)


def descriptors():
    s = tcp()
    wait = [os.environ['SOCKCAT'], '--wait-for', '127.0.0.1', str(s.getsockname()[1]), '--']
    show = ['sh', '-c', 'for fd in /proc/$$/fd/*; do echo ${fd##*/} $(readlink $fd) '
            '$(grep flags /proc/$$/fdinfo/${fd##*/}); done']
    inherited, other = os.pipe()
    os.set_blocking(inherited, False)
    fds = (inherited, other)
    shown = [end(subprocess.Popen(command, stdin=inherited, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  pass_fds=fds))[0] for command in (wait + show, show)]
    for lines in shown:
        check(len(lines.splitlines()) >= 5, True, lines)
    # The other pipes differ each time.
    check(len(shown[0].splitlines()), len(shown[1].splitlines()), shown)
    name = os.readlink('/proc/self/fd/%d' % inherited).encode()
    kept = [[line for line in lines.splitlines() if name in line] for lines in shown]
    check(kept[0], kept[1])
    check(len(kept[0]), 3)


def vanishes():
    path = T + '/program'
    with open(path, 'w') as file:
        file.write('#!/bin/sh\n')
    os.chmod(path, 0o755)
    s, port = silent()
    cat = Cat('-v', '--wait-for', '--interval', '2ms', '127.0.0.1', port, '--', path)
    waits(cat, 'closed')
    os.unlink(path)
    s.listen()
    cat.end(127)
    check('run %s: %s' % (path, os.strerror(errno.ENOENT)) in cat.errors(), True, cat.errors())


def interrupted():
    """By a signal: what is still missing, and why; nothing before the first try has failed."""
    _held, port = silent()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        cat = Cat('-v', '--wait-for', '--interval', '5ms', '127.0.0.1', port)
        waits(cat, 'closed')
        cat.send(number)
        cat.end(-number)
        check(cat.errors().splitlines()[1:], ['sockcat: 127.0.0.1:%s: closed; not open yet' % port], cat.errors())
    listener = tcp()
    cat = Cat('-v', '--wait-for', '--interval', '5ms', '127.0.0.1', port, str(listener.getsockname()[1]))
    waits(cat, 'closed')
    waits(cat, 'open after')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    check(cat.errors().splitlines()[-1], 'sockcat: 127.0.0.1:%s: closed; 1 of 2 targets not open yet' % port)
    cat = Cat('-v', '--wait-for', '--until-closed', '--interval', '5ms', '127.0.0.1', str(listener.getsockname()[1]))
    waits(cat, 'open')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    check(cat.errors().splitlines()[-1].partition(': open')[2], '; not closed yet')


if __name__ == '__main__':
    main()
