"""Many clients at once of a listener that has few descriptors: all are served, in turn.

    full_table.py LIMIT CLIENTS ARG...       ARG...: a service that answers with what it gets
"""
import resource
import signal
import socket
import sys

from drive import Cat, check, dial, exactly, to_end

limit, count, *arguments = sys.argv[1:]
limit, count = int(limit), int(count)
cat = Cat('-l', '-k', '127.0.0.1', '0', *arguments)
resource.prlimit(cat.pid, resource.RLIMIT_NOFILE, (limit, limit))
clients = [dial(cat) for _ in range(count)]
for client in clients:
    client.sendall(b'hello')
for n, client in enumerate(clients):
    try:
        got = exactly(client, 5)
    except ConnectionResetError as error:
        got = error
    check(got, b'hello', 'client %d: %s' % (n, cat.errors()))
    client.shutdown(socket.SHUT_WR)
    to_end(client)
    client.close()
lines = cat.errors().splitlines()
check([line for line in lines if 'listening' not in line and
       line != 'sockcat: accept: Too many open files; trying again'], [])
check(len(lines) > 1, True, 'the table was never full')
cat.send(signal.SIGTERM)
cat.end(-signal.SIGTERM)
