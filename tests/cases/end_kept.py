"""Whether the end of standard input is passed on to the peer.

    end_kept.py WANTED TRANSPORT [ARG...] -- PIECE...       WANTED: kept, shut; TRANSPORT: tcp, tcp6, unix

The pieces (Python escapes) are standard input, one write each; what the peer got is waited for before the next.
The line of -v on the end comes after the half-close, so that then the peer sees the end or never will.
"""
import os
import re
import socket
import subprocess
import sys

from drive import accept, Cat, check, LIMIT, T, until

wanted, transport, *rest = sys.argv[1:]
cut = rest.index('--')
args, pieces = rest[:cut], [piece.encode().decode('unicode_escape').encode('latin-1') for piece in rest[cut + 1:]]
listener = socket.socket({'tcp': socket.AF_INET, 'tcp6': socket.AF_INET6, 'unix': socket.AF_UNIX}[transport])
listener.bind({'tcp': ('127.0.0.1', 0), 'tcp6': ('::1', 0)}.get(transport, '%s/end.%d' % (T, os.getpid())))
listener.listen(1)
listener.settimeout(LIMIT)
where = listener.getsockname()
cat = Cat('-v', *args, *(['-U', where] if transport == 'unix' else [where[0], str(where[1])]), stdin=subprocess.PIPE)
peer = accept(listener)
got = b''
for piece in pieces:
    cat.write(piece)
    lines = got.count(b'\n') + piece.count(b'\n')
    # -C and -t make more bytes of them.
    while got.count(b'\n') < lines or (not piece.endswith(b'\n') and not got.endswith(piece[-1:])):
        part = peer.recv(1 << 16)
        if not part:
            sys.exit('the end came before %r: %r' % (piece, got))
        got += part
cat.process.stdin.close()
until(lambda: re.search('at the end of standard input', cat.errors()), 'the line on the end: ' + cat.errors())
peer.setblocking(False)
try:
    state = 'shut' if peer.recv(1) == b'' else 'more'
except BlockingIOError:
    state = 'kept'
check(state, wanted, '%r %r' % (args, pieces))
check(' not half-closed' in cat.errors(), wanted == 'kept', cat.errors())
peer.setblocking(True)
peer.sendall(b'the answer')
peer.close()
check(cat.end(), b'the answer')
