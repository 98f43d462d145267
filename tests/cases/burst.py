"""Datagrams that arrive while the listener is stopped are all delivered, however small the queue: burst OPTION..."""
import signal
import sys

from drive import Cat, check, udp

cat = Cat('-l', '-u', '-k', '-d', *sys.argv[1:], '127.0.0.1', '0')
peers = [udp(), udp()]
wanted = []
for i, peer in enumerate(peers):
    peer.sendto(b'first of %d\n' % i, cat.address())
    wanted.append(b'first of %d\n' % i)
cat.await_output(b''.join(wanted))
cat.stop()
for i in range(100):
    for peer in peers:
        peer.sendto(b'%08d\n' % i, cat.address())
        wanted.append(b'%08d\n' % i)
cat.go()
# The peers have turns of their own, so only the datagrams of one peer keep their order.
cat.rest()
check(sorted(cat.output().splitlines()), sorted(b''.join(wanted).splitlines()))
cat.send(signal.SIGTERM)
cat.end(-signal.SIGTERM)
