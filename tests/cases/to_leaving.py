"""Clients of --to that leave, or half-close, while the target does not answer yet.

    to_leaving.py CASE
"""
import select
import signal
import socket

from drive import accept, Cat, check, dial, LIMIT, main, reset, T, to_end, udp, until


class Silent:
    """A target that accepts no connection, because its queue is full, until `open`."""
    def __init__(self, family=socket.AF_INET):
        self.listener = socket.socket(family)
        self.listener.settimeout(LIMIT)
        self.listener.bind(('127.0.0.1', 0) if family == socket.AF_INET else T + '/target')
        self.listener.listen(0)
        name = self.listener.getsockname()
        self.name = '127.0.0.1:%d' % name[1] if family == socket.AF_INET else 'unix:' + name
        self.fill, full = [], False
        while not full:
            filler = socket.socket(family)
            filler.settimeout(0.2)
            try:
                filler.connect(name)
                self.fill.append(filler)
            except (TimeoutError, BlockingIOError):
                filler.close()
                full = True

    def open(self):
        """The connection that waited in the queue behind those that filled it."""
        for filler in self.fill:
            self.listener.accept()[0].close()
        # A connect that was given up before may have made its way.
        while True:
            far = accept(self.listener)
            if (data := far.recv(100)):
                return far, data


targets = []  # closed only with the script


def cat_for(target, *options, where=('127.0.0.1', '0')):
    targets.append(target)
    return Cat('-l', '-v', *options, '--wait', '600', *where, '--to', target.name)


def accepted(cat, n):
    until(lambda: cat.errors().count('connection from ') >= n, 'client %d: %s' % (n, cat.errors()))


def place(family=socket.AF_INET):
    """The place of a client that resets is free at once; what it sent does not matter."""
    cat = cat_for(Silent(family), '-k', '--max-conns', '1')
    for n in 1, 2, 3:
        near = dial(cat)
        accepted(cat, n)
        if n == 2:
            near.sendall(b'unread')
        if n == 3:
            near.shutdown(socket.SHUT_WR)
        reset(near)
    until(lambda: cat.errors().count('Connection reset') == 3, cat.errors())
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def place_unix():
    place(socket.AF_UNIX)


def single():
    """Without -k, too, and the status says why."""
    cat = cat_for(Silent())
    near = dial(cat)
    accepted(cat, 1)
    reset(near)
    cat.end(56)


def unix_client():
    """A Unix client that closes without having sent anything leaves, and that is no failure."""
    cat = cat_for(Silent(), '-k', '--max-conns', '1', '--max-accepts', '2', '-U', where=[T + '/near'])
    for n in 1, 2:
        near = dial(cat)
        accepted(cat, n)
        near.close()
    cat.end(0)


def unix_data():
    """What a Unix client sent before it closed is delivered when the target answers."""
    target = Silent()
    cat = cat_for(target, '-U', where=[T + '/near'])
    near = dial(cat)
    near.sendall(b'data')
    near.close()
    accepted(cat, 1)
    cat.rest()
    far, data = target.open()
    check(data + to_end(far), b'data')
    far.close()
    cat.end(0)


def half_close():
    """A half-close is not leaving: the data are delivered, and the answer comes back."""
    for kind, where in (socket.AF_INET, ['127.0.0.1', '0']), (socket.AF_UNIX, [T + '/near']):
        target = Silent()
        cat = cat_for(target, *(['-U'] if kind == socket.AF_UNIX else []), where=where)
        near = dial(cat)
        near.sendall(b'data')
        near.shutdown(socket.SHUT_WR)
        accepted(cat, 1)
        cat.rest()
        before = cat.ticks()
        select.select([near], [], [], 0.5)
        check(cat.ticks() - before < 20, True, 'it spins')
        far, data = target.open()
        check(data + to_end(far), b'data')
        far.sendall(b'answer')
        far.close()
        check(to_end(near), b'answer')
        near.close()
        cat.end(0)


def datagrams():
    """Peers of a datagram socket do not leave; their datagrams wait for the target."""
    target = Silent()
    cat = cat_for(target, '-k', '-u')
    peers = [udp() for _ in range(2)]
    for n, peer in enumerate(peers):
        peer.sendto(b'data', cat.address())
        accepted(cat, n + 1)
    check(target.open()[1], b'data')
    check(cat.process.poll(), None, cat.errors())


if __name__ == '__main__':
    main()
