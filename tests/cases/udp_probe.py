"""UDP services that answer only to a request which is right, and ones that lose requests."""
import re
import select
import struct
import time

from drive import Cat, check, LIMIT, main, udp


def names(data):
    """The labels, type and class of the one question of a DNS message without flags."""
    number, flags, *counts = struct.unpack('!6H', data[:12])
    check((flags, counts), (0, [1, 0, 0, 0]))
    labels, at = [], 12
    while size := data[at]:
        labels.append(data[at + 1:at + 1 + size])
        at += 1 + size
    check(len(data), at + 5)
    return labels, struct.unpack('!2H', data[at + 1:])


def dns(data):
    check(names(data), ([], (6, 1)))


def mdns(data):
    check(names(data), ([b'_services', b'_dns-sd', b'_udp', b'local'], (12, 1)))


def netbios(data):
    (name,), kind = names(data)
    pairs = zip(name[::2], name[1::2])
    check((bytes((high - 65) << 4 | low - 65 for high, low in pairs), kind), (b'*' + bytes(15), (0x21, 1)))


def rpcbind(data):
    check(struct.unpack('!10I', data)[1:], (0, 2, 100000, 2, 0, 0, 0, 0, 0))


def ntp(data):
    check((len(data), data[0] >> 6, data[0] >> 3 & 7, data[0] & 7, any(data[40:])), (48, 0, 4, 3, True))


def quic(data):
    version, size = struct.unpack('!IB', data[1:6])
    check((len(data) >= 1200, data[0] & 0xc0, version & 0x0f0f0f0f, size >= 8), (True, 0xc0, 0x0a0a0a0a, True))


def stun(data):
    kind, length, cookie = struct.unpack('!2HI', data[:8])
    check((len(data), kind, length, cookie, any(data[8:])), (20, 1, 0, 0x2112a442, True))


def sip(data):
    head, _, body = data.decode().partition('\r\n\r\n')
    first, *rest = head.split('\r\n')
    fields = dict(line.split(': ', 1) for line in rest)
    check((re.fullmatch(r'OPTIONS sip:\S+ SIP/2\.0', first) is not None, body), (True, ''))
    check(sorted(fields), ['CSeq', 'Call-ID', 'Content-Length', 'From', 'Max-Forwards', 'To', 'Via'])
    check(re.search(r';branch=z9hG4bK\w+', fields['Via']) and ';rport' in fields['Via'], True)
    check((fields['CSeq'], fields['Content-Length'], fields['Max-Forwards']), ('1 OPTIONS', '0', '0'))
    check(re.search(r';tag=\w+$', fields['From']) is not None, True)


def coap(data):
    check((len(data), data[0] >> 6, data[0] >> 4 & 3, data[0] & 15, data[1]), (4, 1, 0, 0, 0))


def memcached(data):
    check((struct.unpack('!3H', data[2:8]), data[8:]), ((0, 1, 0), b'version\r\n'))


def ssdp(data):
    lines = data.decode().split('\r\n')
    check((lines[0], lines[-2:]), ('M-SEARCH * HTTP/1.1', ['', '']))
    check('MAN: "ssdp:discover"' in lines and 'ST: upnp:rootdevice' in lines, True)


def nat_pmp(data):
    check(data, b'\0\0')


def rmcp(data):
    check((data[:4], data[4:8], data[8], data[10:]), (b'\6\0\xff\6', b'\0\0\x11\xbe', 0x80, b'\0\0'))


def something(data):
    check(len(data) > 0, True)


SERVICES = {7: something, 13: something, 17: something, 37: something, 53: dns, 111: rpcbind, 123: ntp,
            137: netbios, 443: quic, 623: rmcp, 1900: ssdp, 3478: stun, 5060: sip, 5351: nat_pmp, 5353: mdns,
            5683: coap, 11211: memcached}


def answer(peers, count):
    """Check this number of requests to the sockets, and answer them."""
    while count > 0:
        for s in select.select(peers, [], [], LIMIT)[0]:
            data, where = s.recvfrom(2000)
            SERVICES[s.getsockname()[1]](data)
            s.sendto(b'answer', where)
            count -= 1


def services():
    peers = [udp(port=port) for port in SERVICES]
    cat = Cat('-zu', '-w', str(LIMIT), '127.0.0.1', ','.join(map(str, SERVICES)))
    answer(peers, len(SERVICES))
    lines = cat.end(0).decode().splitlines()
    check([line.split()[:2] for line in lines], [['127.0.0.1:%d' % port, 'open'] for port in SERVICES])


def lost_requests():
    """The request is sent three times, the same each time; the answer to the last one counts."""
    for port in 5060, 9:
        s = udp(port=port)
        cat = Cat('-zu', '-w', str(LIMIT), '127.0.0.1', str(port))
        requests = [s.recvfrom(2000) for _ in range(3)]
        check((len(set(requests)), requests[0][0] == b''), (1, port == 9))
        s.sendto(b'', requests[0][1])
        cat.end(0)
    check(s.recvfrom if select.select([s], [], [], 0)[0] else None, None, 'another request')


def unique():
    """Two probes do not have the same identifiers: a SIP server would answer the first one again."""
    s, seen = udp(port=5060), set()
    for _ in range(2):
        cat = Cat('-zu', '-w', str(LIMIT), '127.0.0.1', '5060')
        data, where = s.recvfrom(2000)
        s.sendto(b'', where)
        cat.end(0)
        seen.add(re.search(rb'branch=z9hG4bK(\w+)', data)[1])
    check(len(seen), 2)


def silence():
    """At most three requests within the limit, and then the status."""
    for words, least in (['-w', '0.3'], 0.3), (['--wait', '300ms'], 0.3), ([], 2):
        s = udp(port=53)
        before = time.monotonic()
        Cat('-zu', *words, '127.0.0.1', '53').fail(28, '127.0.0.1:53: no answer')
        took = time.monotonic() - before
        check(took >= least, True, took)
        requests = []
        while select.select([s], [], [], 0)[0]:
            requests.append(s.recv(2000))
        # Fewer than three if the machine is too slow for them.
        check((len(requests) in (1, 2, 3), set(map(len, requests)), len(set(requests))), (True, {17}, 1), requests)
        s.close()


def late_refusal():
    """The report that a port is closed may be the first thing that arrives, after a request was lost."""
    s = udp(port=53)
    cat = Cat('-zuv', '-w', str(LIMIT), '127.0.0.1', '53')
    s.recv(2000)
    s.close()
    cat.fail(1, '127.0.0.1:53: closed')


def as_nc():
    s = udp(port=53)
    cat = Cat('--compat=nc', '-zu', '-w', '1', '127.0.0.1', '53')
    check(s.recv(2000), b'')
    cat.end(0)


if __name__ == '__main__':
    main()
