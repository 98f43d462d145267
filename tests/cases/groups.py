"""A question to a group is answered by several; in a network namespace of its own."""
import contextlib
import socket
import struct
import subprocess

from drive import Cat, check, ip, LIMIT, main, udp, until


def members(family, where, group, count=2):
    """Sockets that hear the group, each with another that answers from elsewhere."""
    found, port = [], 0
    for _ in range(count):
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.settimeout(LIMIT)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((where, port))
        port = s.getsockname()[1]
        index = socket.if_nametoindex('v0')
        if group is None:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        elif family == socket.AF_INET:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + struct.pack('=4si', b'', index))
        else:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(family, group) + struct.pack('=i', index))
        found.append(s)
    return found, port


def asked(family, hearers, port, *words, answerers=('', '')):
    cat = Cat('-u', '-q', '1', *words, str(port), stdin=subprocess.PIPE)
    cat.write(b'who?')
    wanted = b''
    for s, where in zip(hearers, answerers):
        data, client = s.recvfrom(100)
        check(data, b'who?')
        answer = socket.socket(family, socket.SOCK_DGRAM)
        if where:
            answer.bind((where, 0))
        answer.sendto(b'me', client)
        wanted += b'me'
        cat.await_output(wanted)
    cat.process.stdin.close()
    cat.end()
    check(cat.errors(), '')


def interface():
    ip('link add v0 type veth peer name v1')
    # A link-local address that is still being checked for duplicates loses the answers.
    with contextlib.suppress(OSError), open('/proc/sys/net/ipv6/conf/v0/accept_dad', 'w') as file:
        file.write('0')
    ip('link set v1 up')
    ip('addr add 192.0.2.1/24 brd + dev v0')
    ip('addr add 192.0.2.7/24 dev v0')
    ip('link set v0 up multicast on')


def multicast():
    interface()
    ip('route add 239.0.0.0/8 dev v0')
    hearers, port = members(socket.AF_INET, '', '239.1.2.3')
    asked(socket.AF_INET, hearers, port, '239.1.2.3', answerers=('192.0.2.1', '192.0.2.7'))


def multicast6():
    interface()
    ip('addr add 2001:db8::1/64 dev v0 nodad')
    ip('addr add 2001:db8::7/64 dev v0 nodad')
    hearers, port = members(socket.AF_INET6, '', 'ff02::1234')
    asked(socket.AF_INET6, hearers, port, 'ff02::1234%v0')


def broadcast():
    interface()
    hearers, port = members(socket.AF_INET, '', None, 2)
    asked(socket.AF_INET, hearers, port, '-b', '192.0.2.255', answerers=('192.0.2.1', '192.0.2.7'))


def unicast_with_b():
    """-b with an address of one machine: others are not heard."""
    interface()
    server, other = udp(), udp()
    cat = Cat('-u', '-b', '-q', '0.5', '127.0.0.1', str(server.getsockname()[1]), stdin=subprocess.PIPE)
    cat.write(b'who?')
    _, client = server.recvfrom(100)
    other.sendto(b'evil', client)
    server.sendto(b'good', client)
    cat.await_output(b'good')
    cat.process.stdin.close()
    check(cat.end(), b'good')


def framed():
    """The records name each sender."""
    interface()
    ip('route add 239.0.0.0/8 dev v0')
    hearers, port = members(socket.AF_INET, '', '239.1.2.3')
    cat = Cat('-u', '-q', '1', '--stdout-frame', 'json', '239.1.2.3', str(port), stdin=subprocess.PIPE)
    cat.write(b'who?\n')
    for s, where in zip(hearers, ('192.0.2.1', '192.0.2.7')):
        _, client = s.recvfrom(100)
        answer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        answer.bind((where, 0))
        answer.sendto(b'me', client)
        until(lambda: ('"%s:%d"' % answer.getsockname()).encode() in cat.output(), 'the sender')


if __name__ == '__main__':
    main()
