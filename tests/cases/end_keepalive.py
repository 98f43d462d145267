"""Whether the kernel probes a connection of sockcat.

    end_keepalive.py on|off connect|listen|to|from open|ended [ARG...]      open, ended: standard input

to: the connection to the server of --to, whose client has ended; from: that of the client, whose server has ended.
"""
import socket
import subprocess
import sys

from drive import accept, Cat, check, dial, exactly, probed, taken, tcp, until


wanted, way, state, *args = sys.argv[1:]
stdin = subprocess.PIPE if state == 'open' else subprocess.DEVNULL
listener = tcp()
if way == 'connect':
    cat = Cat('-v', *args, '127.0.0.1', str(listener.getsockname()[1]), stdin=stdin)
    peer = accept(listener)
else:
    if way in ('to', 'from'):
        args += ['--to', '127.0.0.1:%d' % listener.getsockname()[1]]
    cat = Cat('-l', '-v', *args, '127.0.0.1', '0', stdin=stdin)
    peer = client = dial(cat)
    if way == 'from':
        server = accept(listener)
        server.shutdown(socket.SHUT_WR)
        check(peer.recv(1), b'')
    if way == 'to':
        peer = accept(listener)
        client.shutdown(socket.SHUT_WR)
        check(peer.recv(1), b'')
ends = peer.getpeername()[1], peer.getsockname()[1]
if wanted == 'on':
    until(lambda: probed(*ends), 'a probe: ' + cat.errors())
else:
    # A byte in each direction has gone through, and still nothing is probed.
    cat.write(b'a')
    check(exactly(peer, 1), b'a')
    peer.sendall(b'b')
    until(lambda: cat.output() == b'b', 'the byte')
    until(lambda: taken(peer), 'the acknowledgement')
    cat.rest()
    check(probed(*ends), False)
