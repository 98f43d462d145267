"""The way to the peer is away for a while; in a network namespace of its own."""
import contextlib
import re
import signal
import socket
import subprocess
import time

from drive import Cat, check, ip, LIMIT, main, until
from proxy_udp import Proxy


def sent():
    """Packets that have left by the interface."""
    with open('/proc/self/net/dev') as file:
        fields = re.search(r'^ *v0: *(.*)$', file.read(), re.M)[1].split()
    return int(fields[9])


def interface():
    """It takes everything, without neighbours; no other packets are sent by it."""
    ip('link add v0 type veth peer name v1')
    with contextlib.suppress(OSError), open('/proc/sys/net/ipv6/conf/v0/disable_ipv6', 'w') as file:
        file.write('1')
    ip('addr add 192.0.2.1/24 dev v0')
    ip('link set v1 up')
    ip('link set v0 up arp off')


def say(cat, *lines):
    before = sent()
    for line in lines:
        cat.process.stdin.write(line + b'\n')
    cat.process.stdin.flush()
    return before


def delivered(cat, *lines):
    before = say(cat, *lines)
    until(lambda: sent() >= before + len(lines), 'the datagrams')


def counted(cat, number, what='not sent'):
    """The statistics have this number of unsent datagrams."""
    def told():
        cat.send(signal.SIGUSR1)
        time.sleep(0.01)
        return re.search(r' %d datagrams? %s' % (number, what), cat.errors())
    until(told, 'the count of %d: %s' % (number, cat.errors()))


def client(*options):
    return Cat('-u', '-q', '0.2', '--stdin-frame', 'line', *options, '192.0.2.2', '9',
               stdin=subprocess.PIPE)


def away(gone, back):
    interface()
    goes_on(client(), gone, back)


def goes_on(cat, gone, back):
    delivered(cat, b'one')
    ip(gone)
    say(cat, b'two', b'three')
    counted(cat, 2)
    ip(back)
    delivered(cat, b'four')
    ip(gone)
    say(cat, b'five')
    counted(cat, 3)
    ip(back)
    cat.process.stdin.close()
    cat.end(55)
    check(len(re.findall('^sockcat: send to 192.0.2.2:9: .*; continuing', cat.errors(), re.M)), 1)
    last = cat.errors().splitlines()[-1]
    check(last, 'sockcat: send to 192.0.2.2:9: 3 datagrams could not be sent '
                '(7 bytes sent, 0 bytes received)')


def link():
    away('link set v0 down', 'link set v0 up')


def route():
    away('route del 192.0.2.0/24 dev v0', 'route add 192.0.2.0/24 dev v0')


def address():
    away('addr del 192.0.2.1/24 dev v0', 'addr add 192.0.2.1/24 dev v0')


def relay():
    """The way to the relay of a proxy, whose connection stays."""
    interface()
    proxy = Proxy(b'\1\xc0\0\2\3\0\7', host='192.0.2.1')
    cat = client('--proxy', proxy.url)
    proxy.accept()
    goes_on(cat, 'route del 192.0.2.0/24 dev v0', 'route add 192.0.2.0/24 dev v0')


def batch():
    """Many at once while there is no way."""
    interface()
    cat = client()
    delivered(cat, b'one')
    ip('link set v0 down')
    say(cat, *[b'%d' % n for n in range(500)])
    counted(cat, 500)
    cat.process.stdin.close()
    cat.end(55)


def from_the_start():
    interface()
    ip('link set v0 down')
    cat = client()
    cat.process.stdin.close()
    cat.fail(7, 'connect 192.0.2.2:9: Network is unreachable')


def interrupted():
    """The count is reported at a signal, too."""
    interface()
    cat = client()
    delivered(cat, b'one')
    ip('link set v0 down')
    say(cat, b'two')
    until(lambda: 'continuing' in cat.errors(), 'the report')
    cat.rest()
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
    check('1 datagram not sent' in cat.errors(), True, cat.errors())


def answers(*options):
    """A listener's peer is away for a while."""
    ip('addr add 10.9.9.1/32 dev lo')
    cat = Cat('-l', '-u', '--stdin-frame', 'line', *options, '127.0.0.1', '0', stdin=subprocess.PIPE)
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.settimeout(LIMIT)
    peer.bind(('10.9.9.1', 0))
    peer.sendto(b'here', cat.address())
    cat.await_output(b'here\n')
    cat.write(b'one\n')
    check(peer.recv(100), b'one')
    ip('addr del 10.9.9.1/32 dev lo')
    cat.write(b'two\n')
    counted(cat, 1)
    ip('addr add 10.9.9.1/32 dev lo')
    cat.write(b'three\n')
    check(peer.recv(100), b'three')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def answers_of_many():
    answers('-k')


if __name__ == '__main__':
    main()
