"""The peer has finished and is gone, and a keep-alive probe finds out: whether that is a success.

    end_probe.py STATUS connect|listen HOW [ARG...]

HOW: idle      standard input is an open pipe all the time
     ending    standard input ends while sockcat is stopped, together with the reset
     unread    the peer closes with our data unread, which resets at once
     writing   standard input has more after the reset
"""
import re
import socket
import subprocess
import sys

from drive import accept, Cat, check, dial, exactly, LIMIT, tcp, tcp_sockets, until

wanted, way, how, *args = sys.argv[1:]
args += ['--keepalive', '--keepalive-idle', '1', '--keepalive-interval', '1', '127.0.0.1']
if way == 'listen':
    cat = Cat('-l', *args, '0', stdin=subprocess.PIPE)
    peer = dial(cat)
else:
    listener = tcp()
    cat = Cat(*args, str(listener.getsockname()[1]), stdin=subprocess.PIPE)
    peer = accept(listener)
ends = peer.getpeername()[1], peer.getsockname()[1]
# The orphaned socket of the peer is kept for a second only; later data is answered by a reset.
peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_LINGER2, 1)
cat.process.stdin.write(b'question')
cat.process.stdin.flush()
if how == 'unread':
    peer.shutdown(socket.SHUT_WR)
    until(lambda: len(peer.recv(8, socket.MSG_PEEK)) == 8, 'the question')
    until(lambda: [s for s, _ in tcp_sockets(*ends)] == [8], 'the end of the peer')
    cat.rest()
else:
    check(exactly(peer, 8), b'question')
    peer.sendall(b'answer')
    until(lambda: cat.output() == b'answer', 'the answer')
if how in ('ending', 'writing'):
    peer.shutdown(socket.SHUT_WR)
    until(lambda: ' has finished' in cat.errors(), 'the notice')
    cat.stop()
peer.close()
if how != 'idle':
    until(lambda: not tcp_sockets(*ends), 'the reset')
if how == 'writing':
    cat.process.stdin.write(b'more')
if how in ('ending', 'writing'):
    cat.process.stdin.close()
    cat.go()
try:
    status = cat.process.wait(LIMIT)
except subprocess.TimeoutExpired:
    sys.exit('it did not end: ' + cat.errors())
check(str(status) in wanted.split('|'), True, 'status %d, %s' % (status, cat.errors()))
lines = [line for line in cat.errors().splitlines() if not re.search(' has finished; |listening on', line)]
check(len(lines), 0 if wanted == '0' else 1, cat.errors())
