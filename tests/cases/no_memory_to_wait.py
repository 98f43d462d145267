"""Out of memory for good from any point of a listener with -k on: every client gets its answer or
a reset, and the listener ends by --accept-timeout, or says that it is out of memory.
"""
import errno
import socket

from drive import Cat, check, dial, shim, to_end, until


def outcome(client):
    try:
        client.sendall(b'hello')
        client.shutdown(socket.SHUT_WR)
        return to_end(client)
    except TimeoutError:
        return 'silence'
    except OSError as error:
        # Which of them it is depends on when the reset comes.
        check(error.errno in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN), True, error)
        return 'reset'


# All at once, because the program tries for ten seconds.
running = []
for service in ('--', 'cat'), ('--echo',):
    for n in range(1, 25):
        try:
            cat = Cat('-l', '-k', '--accept-timeout', '0.5', '127.0.0.1', '0', *service,
                      env=shim('realloc:ENOMEM:%d+' % n))
            clients = [dial(cat) for _ in range(2)]
        except (SystemExit, ConnectionError):
            continue
        running.append((service, n, cat, clients))

seen = set()
for service, n, cat, clients in running:
    for client in clients:
        got = outcome(client)
        check(got in (b'hello', 'reset'), True, '%s %d: %s' % (service, n, got))
        seen.add((service, got))
        client.close()
for service, n, cat, _ in running:
    status = until(lambda: cat.process.poll() is not None and cat.process, 'the end').returncode
    check(status in (27, 28), True, '%s %d: %d, %s' % (service, n, status, cat.errors()))
check(len(seen), 4, str(seen))
