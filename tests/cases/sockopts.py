"""Socket options, as the peer, the packet filter and ss see them; each case in a network namespace of its own."""
import os
import re
import socket
import subprocess
import sys
import threading

from drive import accept, Cat, check, in_pipe, LIMIT, main, tcp, until


def sh(command, data=None):
    done = subprocess.run(command, input=data, shell=True, capture_output=True, text=True)
    if done.returncode != 0:
        print('%s: %s' % (command, done.stderr), flush=True)
        sys.exit(77)
    return done.stdout


def filter_packets(hook, rules):
    sh('nft -f -', '\n'.join(['table inet t {', 'chain c {', 'type filter hook %s priority 0' % hook, *rules, '}',
                              '}', '']))


def count(rules):
    """Counters for outgoing packets, by rules of nft; counted tells what each has seen."""
    filter_packets('output', [rule + ' counter' for rule in rules])


def cut_off(where):
    """From now on nothing of this port arrives."""
    filter_packets('input', ['tcp dport %s drop' % where, 'tcp sport %s drop' % where])


def counted():
    return [int(n) for n in re.findall('counter packets ([0-9]+)', sh('nft list chain inet t c'))]


def cable(*names):
    """Interfaces 10.1.0.1, 10.2.0.1 ..., whose other ends have no listener."""
    for i, name in enumerate(names, 1):
        sh('ip link add %s type veth peer name p%d && ip link set %s up && ip link set p%d up' % (name, i, name, i))
        sh('ip addr add 10.%d.0.1/24 dev %s' % (i, name))


def receiver(family=socket.AF_INET, where=None):
    """A UDP socket that sees time to live and type of service, too; see message."""
    s = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET:
        s.setsockopt(socket.IPPROTO_IP, 13, 1)  # IP_RECVTOS
        s.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
    else:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
    s.bind(where or ('127.0.0.1' if family == socket.AF_INET else '::1', 0))
    s.settimeout(LIMIT)
    return s


def message(s):
    """Data, time to live, type of service of the next datagram."""
    data, control, _, _ = s.recvmsg(70000, 1000)
    seen = {kind: int.from_bytes(value[:4], sys.byteorder) if len(value) >= 4 else value[0] for _, kind,
            value in control}
    return data, seen.get(2, seen.get(52)), seen.get(1, seen.get(67))


def hears(s):
    """What has come, by the time that a datagram that comes for certain is there."""
    s.setblocking(False)
    got = []
    try:
        while True:
            got.append(s.recv(70000))
    except BlockingIOError:
        return got


def say(*words, data=b'hello', status=0):
    """A sockcat that sends this."""
    done = subprocess.run([os.environ['SOCKCAT'], *words], input=data, capture_output=True, timeout=LIMIT)
    check(done.returncode, status, '%r: %r' % (words, done.stderr))
    return done.stderr.decode()


def port(s):
    return str(s.getsockname()[1])


def enable_fastopen():
    sh('echo 3 >/proc/sys/net/ipv4/tcp_fastopen')


def counter(name):
    with open('/proc/net/netstat') as file:
        rows = [line.split() for line in file if line.startswith('TcpExt:')]
    return int(dict(zip(*rows))['TCPFastOpen' + name])


def listener(*words):
    return Cat('-l', '-k', '-d', '--fastopen', *words, '127.0.0.1', '0')


def warm(where):
    """The first connection gets the cookie."""
    say('--fastopen', '127.0.0.1', where)


def route_groups():
    sh('ip link set lo multicast on && ip route add 239.0.0.0/8 dev lo')


def send(group, where, data, source='127.0.0.1'):
    s = socket.socket(type=socket.SOCK_DGRAM)
    s.bind((source, 0))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('127.0.0.1'))
    s.sendto(data, (group, int(where)))


def ttl_and_tos():
    s = receiver()
    say('-u', '-q', '0', '127.0.0.1', port(s))
    check(message(s), (b'hello', 64, 0))
    say('-u', '-q', '0', '-M', '5', '-T', '0x10', '127.0.0.1', port(s))
    check(message(s), (b'hello', 5, 0x10))
    say('--udplite', '-q', '0', '-M', '255', '127.0.0.1', port(s), status=7)


def ttl_and_tos_ipv6():
    s = receiver(socket.AF_INET6)
    say('-u', '-q', '0', '::1', port(s))
    check(message(s), (b'hello', 64, 0))
    say('-u', '-q', '0', '-M', '5', '-T', 'ef', '::1', port(s))
    check(message(s), (b'hello', 5, 0xb8))


def ttl_and_tos_mapped():
    s = receiver()
    say('-u', '-q', '0', '-M', '5', '-T', 'ef', '::ffff:127.0.0.1', port(s))
    check(message(s), (b'hello', 5, 0xb8))


def tos_names():
    s = receiver()
    for name, value in {
        'af11': 0x28, 'af12': 0x30, 'af13': 0x38, 'af21': 0x48, 'af22': 0x50, 'af23': 0x58, 'af31': 0x68, 'af32': 0x70,
        'af33': 0x78, 'af41': 0x88, 'af42': 0x90, 'af43': 0x98, 'cs0': 0, 'cs1': 0x20, 'cs2': 0x40, 'cs3': 0x60,
        'cs4': 0x80, 'cs5': 0xa0, 'cs6': 0xc0, 'cs7': 0xe0, 'ef': 0xb8, 'va': 0xb0, 'le': 4, 'lowdelay': 0x10,
        'throughput': 8, 'reliability': 4, 'lowcost': 2, 'critical': 0xa0, 'inetcontrol': 0xc0, 'netcontrol': 0xe0,
        '0': 0, '255': 255, '0x0': 0, '0xff': 255, '0XB8': 0xb8, '16': 16,
    }.items():
        say('-u', '-q', '0', '-T', name, '127.0.0.1', port(s))
        check(message(s)[2], value, name)


def ttl_and_tos_tcp():
    count(['tcp dport 7001 ip ttl 9 ip dscp ef', 'tcp dport 7001', 'tcp sport 7002 ip ttl 11 ip dscp cs1',
           'tcp sport 7002'])
    server = socket.create_server(('127.0.0.1', 7001))
    cat = Cat('-M', '9', '-T', 'ef', '127.0.0.1', '7001')
    s = accept(server)
    check(s.recv(10), b'')
    s.close()
    cat.end()
    cat = Cat('-l', '-M', '11', '-T', 'cs1', '127.0.0.1', '7002')
    s = socket.create_connection(('127.0.0.1', 7002))
    s.sendall(b'hello')
    s.shutdown(socket.SHUT_WR)
    check(s.recv(10), b'')
    check(cat.end(), b'hello')
    n = counted()
    # All but the acknowledgements that the kernel sends for sockets that have gone.
    if not 3 <= n[0] <= n[1] <= n[0] + 1 or not 3 <= n[2] <= n[3] <= n[2] + 1:
        sys.exit(repr(n))


def ttl_multicast():
    sh('ip route add 239.0.0.0/8 dev lo')
    s = receiver(where=('', 0))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                 socket.inet_aton('239.1.2.3') + socket.inet_aton('127.0.0.1'))
    for words, ttl in ([], 1), (['-M', '7'], 7):
        say('-u', '-q', '0', *words, '239.1.2.3', port(s))
        check(message(s)[:2], (b'hello', ttl))


def min_ttl():
    server = socket.create_server(('127.0.0.1', 0))
    # Loopback's packets have 64.
    cat = Cat('-l', '-d', '--min-ttl', '64', '127.0.0.1', '0')
    s = socket.create_connection(cat.address())
    s.sendall(b'near')
    s.close()
    check(cat.end(), b'near')
    cat = Cat('-z', '-w', '0.3', '--min-ttl', '65', '127.0.0.1', port(server))
    cat.fail(28, 'timed out')


def buffers():
    server = tcp()
    cat = Cat('-I', '50k', '-O', '30k', '127.0.0.1', port(server), stdin=subprocess.PIPE)
    s = accept(server)
    found = sh('ss -tnmH dport = :%s' % port(server))
    check(re.search(r'rb(\d+),.*tb(\d+)', found).groups(), (str(100 << 10), str(60 << 10)), found)
    s.close()
    cat.process.stdin.close()
    cat.end()
    cat = Cat('-l', '-I', '50k', '-O', '30k', '127.0.0.1', '0', stdin=subprocess.PIPE)
    s = socket.create_connection(cat.address())
    cat.await_output(b'')
    found = until(lambda: sh('ss -tnmH sport = :%s' % cat.where), 'the connection')
    check(re.search(r'rb(\d+),.*tb(\d+)', found).groups(), (str(100 << 10), str(60 << 10)), found)
    s.close()
    cat.process.stdin.close()
    cat.end()


def keepalive_times():
    def timer(words, listens=False):
        """The keep-alive timer of the connection, in seconds; none: None."""
        if listens:
            cat = Cat('-l', *words, '127.0.0.1', '0', stdin=subprocess.PIPE)
            s = socket.create_connection(cat.address())
            s.sendall(b'x')
            cat.await_output(b'x')
            find = 'sport = :' + cat.where
        else:
            server = tcp()
            cat = Cat(*words, '127.0.0.1', port(server), stdin=subprocess.PIPE)
            s = accept(server)
            s.sendall(b'x')
            cat.await_output(b'x')
            find = 'dport = :' + port(server)
        def settled():
            found = sh('ss -tnoH ' + find)
            return found if '(on,' not in found else ''
        found = until(settled, 'no other timer')
        s.close()
        cat.process.stdin.close()
        cat.end()
        time = re.search(r'timer:\(keepalive,(?:(\d+)min)?(?:([\d.]+)sec)?', found)
        return time and int(time.group(1) or 0) * 60 + float(time.group(2) or 0)

    for listens in False, True:
        check(timer([], listens), None)
        for words, least, most in ([], 6900, 7200), (['--keepalive-idle', '5m'], 270,
                                                     300), (['--keepalive-idle', '90.5'], 61, 91):
            got = timer(['--keepalive', *words], listens)
            check(got is not None and least <= got <= most, True, '%r: %r' % (words, got))


def keepalive_lost_peer():
    server = tcp()
    cat = Cat('--keepalive', '--keepalive-idle', '1', '--keepalive-interval', '1', '--keepalive-count', '1',
              '127.0.0.1', port(server),
              stdin=subprocess.PIPE)
    s = accept(server)
    s.sendall(b'x')
    cat.await_output(b'x')
    cut_off(port(server))
    cat.fail(56, 'timed out')


def congestion():
    server = tcp()
    cat = Cat('--congestion', 'reno', '127.0.0.1', port(server), stdin=subprocess.PIPE)
    s = accept(server)
    check(' reno ' in sh('ss -tniH dport = :%s' % port(server)), True)
    s.close()
    cat.process.stdin.close()
    cat.end()
    cat = Cat('-l', '--congestion', 'reno', '127.0.0.1', '0', stdin=subprocess.PIPE)
    s = socket.create_connection(cat.address())
    s.sendall(b'x')
    cat.await_output(b'x')
    check(' reno ' in sh('ss -tniH sport = :%s' % cat.where), True)
    s.close()
    cat.process.stdin.close()
    cat.end()


def user_timeout():
    server = tcp()
    cat = Cat('--user-timeout', '500ms', '127.0.0.1', port(server), stdin=subprocess.PIPE)
    s = accept(server)
    s.sendall(b'x')
    cat.await_output(b'x')
    cut_off(port(server))
    cat.write(b'hello')
    got = cat.process.wait(LIMIT)
    check(got in (55, 56), True, '%d %s' % (got, cat.errors()))
    check('timed out' in cat.errors(), True, cat.errors())


def fastopen_first_packet():
    enable_fastopen()
    cat = listener()
    warm(cat.where)
    check((counter('Active'), counter('Passive')), (0, 0))
    say('--fastopen', '127.0.0.1', cat.where, data=b'world')
    check((counter('Active'), counter('Passive')), (1, 1))
    until(lambda: cat.output() == b'helloworld', 'the data')


def fastopen_off():
    enable_fastopen()
    cat = Cat('-l', '-k', '-d', '127.0.0.1', '0')
    warm(cat.where)
    say('--fastopen', '127.0.0.1', cat.where)
    check((counter('Active'), counter('Passive')), (0, 0))
    cat = listener()
    say('127.0.0.1', cat.where)
    say('127.0.0.1', cat.where)
    check((counter('Active'), counter('Passive')), (0, 0))


def fastopen_without_data():
    enable_fastopen()
    server = tcp()
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
    def greet():
        while True:
            s, _ = server.accept()
            s.settimeout(LIMIT)
            s.sendall(b'banner')
            s.shutdown(socket.SHUT_WR)
            try:
                while s.recv(100):
                    pass
            except OSError:
                pass
            s.close()
    server.settimeout(None)
    threading.Thread(target=greet, daemon=True).start()
    for _ in range(2):
        say('--fastopen', '127.0.0.1', port(server))
    for words in [], ['-d'], ['--recv-only']:
        done = subprocess.run([os.environ['SOCKCAT'], '--fastopen', '-w', '5', *words, '127.0.0.1', port(server)],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT)
        if done.returncode != 2:
            check((done.returncode, done.stdout), (0, b'banner'), '%r: %r' % (words, done.stderr))


def fastopen_closed_port():
    enable_fastopen()
    cat = listener()
    warm(cat.where)
    say('--fastopen', '127.0.0.1', cat.where)
    cat.process.kill()
    cat.process.wait()
    for data in b'x', b'', b'x' * 100000:
        done = subprocess.run([os.environ['SOCKCAT'], '--fastopen', '-w', '5', '127.0.0.1', cat.where], input=data,
                              capture_output=True, timeout=LIMIT)
        check(done.returncode in (7, 55), True, '%d bytes: %d %r' % (len(data), done.returncode, done.stderr))
        check(done.stderr.count(b'\n'), 1, repr(done.stderr))


def mark():
    count(['udp dport 7001 meta mark 42', 'udp dport 7001 meta mark 4294967295', 'udp dport 7001 meta mark 0'])
    s = receiver(where=('127.0.0.1', 7001))
    say('-u', '-q', '0', '--mark', '42', '127.0.0.1', '7001')
    check(counted(), [1, 0, 0])
    say('-u', '-q', '0', '--mark', '0xffffffff', '127.0.0.1', '7001')
    check(counted(), [1, 1, 0])
    say('-u', '-q', '0', '127.0.0.1', '7001')
    check(counted(), [1, 1, 1])


def mark_listener():
    count(['tcp sport 7001 meta mark 7', 'tcp sport 7001 tcp flags fin'])
    cat = Cat('-l', '--mark', '7', '127.0.0.1', '7001')
    say('127.0.0.1', '7001')
    check(cat.end(), b'hello')
    check(counted()[0] >= 2, True, repr(counted()))


def interface():
    cable('one', 'two')
    for i, name in enumerate(('one', 'two'), 1):
        sh('ip route add 10.9.0.0/24 dev %s metric %d' % (name, i))
        sh('ip neigh add 10.9.0.9 lladdr 02:00:00:00:00:09 dev %s' % name)
    count(['udp dport 7001 oifname one', 'udp dport 7001 oifname two'])
    say('-u', '-q', '0', '10.9.0.9', '7001')
    check(counted(), [1, 0])
    say('-u', '-q', '0', '--interface', 'two', '10.9.0.9', '7001')
    check(counted(), [1, 1])


def interface_listener():
    cable('one')
    cat = Cat('-l', '-k', '-u', '-d', '--interface', 'one', '0.0.0.0', '0')
    say('-u', '-q', '0', '127.0.0.1', cat.where, status=7)
    cat = Cat('-l', '-d', '--interface', 'one', '0.0.0.0', '0')
    say('127.0.0.1', cat.where, status=7)
    cat = Cat('-l', '-d', '--interface', 'lo', '0.0.0.0', '0')
    say('127.0.0.1', cat.where)
    check(cat.end(), b'hello')


def interface_long_name():
    cable('abcdefghijklmno')
    for name in 'abcdefghijklmnop', 'abcdefghijklmnoXYZ', 'lo\n', 'lo lo', ' lo', 'l' * 1000:
        for words in ['-u', '-q', '0', '10.1.0.2', '9'], ['-l', '127.0.0.1', '0']:
            done = subprocess.run([os.environ['SOCKCAT'], '--interface', name, *words], stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=LIMIT)
            check(done.returncode in (3, 45), True, '%r %r: %d %r' % (name, words, done.returncode, done.stderr))
    say('-u', '-q', '0', '--interface', 'abcdefghijklmno', '10.1.0.2', '9')


def v6only_tos():
    count(['tcp sport 7001 ip dscp ef', 'tcp sport 7001 ip dscp != ef tcp flags & (syn | fin | rst) == 0'])
    cat = Cat('-l', '--v6only=off', '-T', 'ef', '7001')
    s = socket.create_connection(('127.0.0.1', 7001))
    s.sendall(b'hello')
    s.shutdown(socket.SHUT_WR)
    check(s.recv(10), b'')
    check(cat.end(), b'hello')
    check((counted()[0] > 0, counted()[1]), (True, 0), repr(counted()))


def broadcast():
    s = receiver(where=('', 0))
    done = subprocess.run([os.environ['SOCKCAT'], '-u', '-q', '0', '127.255.255.255', port(s)], input=b'no',
                          capture_output=True,
                          timeout=LIMIT)
    check(done.returncode != 0 and b'Permission denied' in done.stderr, True, repr(done))
    say('-u', '-q', '0', '-b', '127.255.255.255', port(s), data=b'yes')
    check(message(s)[0], b'yes')
    check(hears(s), [])


def join():
    route_groups()
    for group in '239.1.2.3', '239.1.2.3%lo', '239.1.2.3%1':
        for where in [], ['0.0.0.0']:
            cat = Cat('-l', '-u', '-d', '-W', '1', '--join', group, *where, '0')
            send('239.1.2.3', cat.where, b'hello')
            check(cat.end(), b'hello')


def join_other_program():
    route_groups()
    other = socket.socket(type=socket.SOCK_DGRAM)
    other.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     socket.inet_aton('239.1.2.3') + socket.inet_aton('127.0.0.1'))
    # A socket that has joined one group does not hear another.
    cat = Cat('-l', '-u', '-d', '-k', '-W', '1', '--join', '239.1.2.4%lo', '0.0.0.0', '0')
    send('239.1.2.3', cat.where, b'other')
    send('239.1.2.4', cat.where, b'ours')
    until(cat.output, 'the datagram')
    check(cat.output(), b'ours')


def join_several():
    route_groups()
    cat = Cat('-l', '-u', '-d', '-k', '--join', '239.1.2.3%lo', '--join', '239.1.2.4', '--join=239.1.2.5', '0.0.0.0',
              '0')
    said = b''
    for n in 3, 4, 5, 6:
        send('239.1.2.%d' % n, cat.where, b'%d' % n)
    send('239.1.2.3', cat.where, b'!')
    until(lambda: b'!' in cat.output(), 'the last one')
    check(cat.output(), b'345!')


def join_source():
    route_groups()
    cat = Cat('-l', '-u', '-d', '-k', '--join', '127.0.0.2@239.1.2.3%lo', '0.0.0.0', '0')
    send('239.1.2.3', cat.where, b'no', '127.0.0.3')
    send('239.1.2.3', cat.where, b'yes', '127.0.0.2')
    send('239.1.2.3', cat.where, b'no', '127.0.0.1')
    send('239.1.2.3', cat.where, b'!', '127.0.0.2')
    until(lambda: b'!' in cat.output(), 'the last one')
    check(cat.output(), b'yes!')


def join_two_sources():
    route_groups()
    cat = Cat('-l', '-u', '-d', '-k', '--join', '127.0.0.2@239.1.2.3%lo', '--join', '127.0.0.3@239.1.2.3%lo',
              '0.0.0.0', '0')
    for n in 1, 2, 3, 4, 2:
        send('239.1.2.3', cat.where, b'%d' % n, '127.0.0.%d' % n)
    until(lambda: cat.output().count(b'2') == 2, 'the last one')
    check(cat.output(), b'232')


def join_ipv6():
    cable('one')
    # Loopback does not bring such packets back.
    sh('ip addr add fe80::1/64 dev one nodad')
    index = socket.if_nametoindex('one')
    for group in 'ff02::4711%one', 'ff15::4711%one', 'fe80::1@ff15::4711%one':
        for where in [], ['::']:
            cat = Cat('-l', '-u', '-d', '-W', '1', '--join', group, *where, '0')
            s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            s.bind(('fe80::1', 0, 0, index))
            s.sendto(b'hello', (group.split('@')[-1].split('%')[0], int(cat.where), 0, index))
            check(cat.end(), b'hello')


def join_too_many():
    route_groups()
    most = int(open('/proc/sys/net/ipv4/igmp_max_memberships').read())
    words = [word for n in range(most + 1) for word in ('--join', '239.1.2.%d%%lo' % (n + 1))]
    Cat('-l', '-u', '-d', *words[:-2], '127.0.0.1', '0')
    done = subprocess.run([os.environ['SOCKCAT'], '-l', '-u', '-d', *words, '127.0.0.1', '0'], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=LIMIT, text=True)
    check(done.returncode, 45, done.stderr)
    check(re.fullmatch('sockcat: set --join 239.1.2.%d%%lo: .*\n' % (most + 1), done.stderr) is not None, True,
          done.stderr)


def no_route():
    for words in ['239.1.2.3'], ['-b', '255.255.255.255'], ['10.1.0.2']:
        text = say('-u', '-q', '0', *words, '9', status=7)
        check(re.fullmatch('sockcat: connect .*:9: Network is unreachable\n', text) is not None, True, text)
    for gone in 'ip link del one', 'ip link set one down && ip link del one':
        for words in ['10.1.0.2'], ['-b', '10.1.0.255'], ['--interface', 'one', '239.1.2.3'], \
                ['-b', '--interface', 'one', '255.255.255.255'], ['fe80::7%one']:
            cable('one')
            sh('ip addr add fe80::1/64 dev one nodad')
            cat = Cat('-u', *words, '9', stdin=subprocess.PIPE)
            cat.write(b'while it is there')
            until(lambda: in_pipe(cat.process.stdin.fileno()) == 0, 'the read')
            cat.rest()
            sh(gone)
            try:
                cat.process.stdin.write(b'when it is not')
                cat.process.stdin.close()
            except BrokenPipeError:
                pass
            cat.end(55)
            check(re.search('1 datagram could not be sent|No such device', cat.errors()) is not None, True,
                  cat.errors())


def mtu_discovery():
    sh('ip link set lo mtu 1500')
    s = receiver()
    for how in 'do', 'probe':
        done = subprocess.run([os.environ['SOCKCAT'], '-u', '-q', '0', '--mtu-discovery', how, '127.0.0.1', port(s)],
                              input=b'x' * 3000,
                              capture_output=True, timeout=LIMIT)
        check((done.returncode, done.stderr.count(b'\n')), (55, 1), how + repr(done.stderr))
        check(b'too long' in done.stderr, True, repr(done.stderr))
    say('-u', '-q', '0', '--mtu-discovery', 'do', '127.0.0.1', port(s), data=b'y' * 1472)
    check(message(s)[0], b'y' * 1472)
    for how in 'dont', 'want':
        say('-u', '-q', '0', '--mtu-discovery', how, '127.0.0.1', port(s), data=b'x' * 3000)
        check(message(s)[0], b'x' * 3000)
    check(hears(s), [])


def mtu_discovery_ipv6():
    sh('ip link set lo mtu 1500')
    s = receiver(socket.AF_INET6)
    done = subprocess.run([os.environ['SOCKCAT'], '-u', '-q', '0', '--mtu-discovery=do', '::1', port(s)],
                          input=b'x' * 3000,
                          capture_output=True, timeout=LIMIT)
    check(done.returncode, 55, repr(done.stderr))
    say('-u', '-q', '0', '--mtu-discovery=dont', '::1', port(s), data=b'x' * 3000)
    check(message(s)[0], b'x' * 3000)


def sockopt_listener():
    s = receiver()
    say('-u', '-q', '0', '--sockopt', 'IP:TTL:33', '127.0.0.1', port(s))
    check(message(s)[:2], (b'hello', 33))
    cat = Cat('-l', '-v', '-d', '--sockopt', 'TCP:DEFER_ACCEPT:1', '127.0.0.1', '0')
    say('127.0.0.1', cat.where)
    cat.end()
    check('set --sockopt TCP:DEFER_ACCEPT:1' in cat.errors(), True, cat.errors())


if __name__ == '__main__':
    main()
