"""Probes of several addresses, and of datagram and Unix sockets."""
import fcntl
import os
import socket
import subprocess
import threading

from drive import Cat, check, in_pipe, LIMIT, main, shim, until


def one_of_many_addresses():
    env = shim('getaddrinfo:addresses=3:*')
    listener = socket.create_server(('127.1.0.2', 0))
    port = listener.getsockname()[1]
    Cat('-z', 'many.test', str(port), str(port), env=env).end(0)
    peer = socket.socket(type=socket.SOCK_DGRAM)
    peer.bind(('127.1.0.2', 0))
    peer.settimeout(LIMIT)
    cat = Cat('-z', '-u', 'many.test', str(peer.getsockname()[1]), env=env)
    data, where = peer.recvfrom(10)
    peer.sendto(b'', where)
    cat.end(0)


def slow_reader():
    def run():
        end, its = os.pipe()
        fcntl.fcntl(its, 1031, 4096)  # F_SETPIPE_SZ
        cat = subprocess.Popen([os.environ['SOCKCAT'], '-z', '-v', '--all', '127.0.0.1', '1-3000'], stdin=subprocess.DEVNULL,
                               stdout=its, stderr=its)
        os.close(its)
        # It is ahead of its reader: it waits, or has ended.
        calm = [0]
        def ahead():
            with open('/proc/%d/stat' % cat.pid) as file:
                state = file.read().rpartition(')')[2].split()[0]
            calm[0] = calm[0] + 1 if in_pipe(end) > 0 and state in 'SZ' else 0
            return calm[0] > 5 or state == 'Z'
        until(ahead, 'it does not come to rest')
        limit = threading.Timer(LIMIT, cat.kill)
        limit.start()
        with open(end, 'rb') as pipe:
            lines = pipe.read().splitlines()
        limit.cancel()
        check(cat.wait(LIMIT), 1, 'it hung, or failed')
        check(len(lines), 3001, repr(lines[-1]))
    # Whether it waits for its reader at the moment when that goes on is chance.
    for _ in range(8):
        run()


def unix_kinds():
    for kind, words in (socket.SOCK_DGRAM, ['-u']), (socket.SOCK_SEQPACKET, ['--seqpacket']), (socket.SOCK_STREAM, []):
        s = socket.socket(socket.AF_UNIX, kind)
        name = '@sockcat-%d-%d' % (os.getpid(), kind)
        s.bind('\0' + name[1:])
        if kind != socket.SOCK_DGRAM:
            s.listen()
        Cat('-z', '-U', *words, name).end(0)
        s.close()
        Cat('-zv', '-U', *words, name).fail(1, 'closed')


if __name__ == '__main__':
    main()
