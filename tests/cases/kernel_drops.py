"""Datagrams that the kernel drops are reported: kernel_drops.py OPTION..."""
import re
import signal
import sys

from drive import Cat, check, udp, until, waits

cat = Cat('-l', '-u', '-v', '-I', '4096', *sys.argv[1:], '127.0.0.1', '0')
peer = udp()
peer.sendto(b'first\n', cat.address())
cat.await_output(b'first\n')
cat.stop()
for i in range(500):
    peer.sendto(b'%090d\n' % i, cat.address())
cat.go()
until(lambda: not waits(cat.address()[1]), 'an empty receive queue')
cat.rest()
got = cat.output().count(b'\n')
cat.send(signal.SIGUSR1)
until(lambda: cat.errors().count('dropped by the kernel') == 1, 'the report')
cat.send(signal.SIGTERM)
cat.end(-signal.SIGTERM)
counts = [int(n) for n in re.findall(r'(\d+) datagrams dropped by the kernel\n', cat.errors())]
check(counts, [501 - got] * 2, cat.errors())
