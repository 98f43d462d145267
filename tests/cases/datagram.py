"""Datagrams: boundaries, empty ones, loss, many peers, and peers that stall."""
import contextlib
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from drive import (
    accept, Cat, check, check_daytime, dial, exactly, in_pipe, LIMIT, main, slowness, T, tcp, udp, unix, until,
    waits)

# Longer than the test needs for the peers that are not idle, also on a loaded machine.
IDLE = str(min(3 * slowness(), 15))
# A program that stalls until T/go has a number; then it reads as many bytes and answers how many there were.
PROGRAM = 'read -r word; [ "$word" = stall ] || exec cat; read -r n <%s/go; head -c $n | wc -c' % T


def start(*more):
    with contextlib.suppress(FileExistsError):
        os.mkfifo(T + '/go')
    cat = Cat('-l', '-u', '-k', '--queue', '64k', *more, '127.0.0.1', '0')
    stalled, other = udp(), udp()
    for s, word in (stalled, b'stall\n'), (other, b'go\n'):
        s.connect(cat.address())
        s.send(word)
    return cat, stalled, other


def flood(cat, stalled, times=40):
    for _ in range(times):
        stalled.send(bytes(30000))
        until(lambda: not waits(cat.address()[1]), 'the datagram to be read')


def ask(other, times=100):
    for n in range(times):
        other.send(b'%d' % n)
        check(other.recv(100), b'%d' % n)


def empty_message_sent():
    peer, (mine, yours) = udp(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    cat = Cat('-u', '-q', '0.2', '127.0.0.1', str(peer.getsockname()[1]), stdin=yours)
    yours.close()
    for message in (b'A', b'', b'B', b''):
        mine.send(message)
    mine.close()
    check([peer.recv(10) for _ in range(4)], [b'A', b'', b'B', b''])
    cat.end()
    check(cat.errors(), '')


def empty_datagram_received():
    mine, yours = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    mine.settimeout(LIMIT)
    cat = Cat('-l', '-u', '-q', '0.5', '127.0.0.1', '0', stdout=yours)
    sender = udp()
    for message in (b'A', b'', b'BC'):
        sender.sendto(message, cat.address())
    check([mine.recv(10) for _ in range(3)], [b'A', b'', b'BC'])
    cat.end()


def boundaries_of_stdin():
    peer, (mine, yours) = udp(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    cat = Cat('-u', '-q', '0.2', '127.0.0.1', str(peer.getsockname()[1]), stdin=yours)
    yours.close()
    for size in (1, 40000, 2, 65507, 3):
        message = os.urandom(size)
        mine.send(message)
        if peer.recv(65536) != message:
            sys.exit('the message of %d bytes changed' % size)
    mine.close()
    cat.end()


def larger_than_buffer():
    cat = Cat('-l', '-U', '-u', T + '/socket')
    sender = unix(socket.SOCK_DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    sender.sendto(b'before', cat.where)
    cat.await_output(b'before')
    sender.sendto(bytes(300000), cat.where)
    cat.fail(18, 'receive from .*: a datagram is longer than [0-9]+ bytes')
    check(cat.output(), b'before')


def stdin_larger_than_buffer():
    peer, (mine, yours) = udp(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    cat = Cat('-u', '-q', '0', '127.0.0.1', str(peer.getsockname()[1]), stdin=yours)
    mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    mine.send(bytes(300000))
    cat.fail(18, 'read standard input: a message is longer than [0-9]+ bytes')
    peer.settimeout(0)
    try:
        sys.exit('a part of it was sent: %d bytes' % len(peer.recv(65536)))
    except BlockingIOError:
        pass


def file_in_datagrams(path):
    peer, got = udp(), []
    with open(path, 'rb') as file:
        wanted = file.read()
    with open(path, 'rb') as file:
        cat = Cat('-u', '-q', '0.2', '127.0.0.1', str(peer.getsockname()[1]), stdin=file)
    while sum(map(len, got)) < len(wanted):
        got.append(peer.recv(65536))
    cat.end()
    check(max(map(len, got)), 65507)
    if b''.join(got) != wanted:
        sys.exit('the bytes changed')


def message_too_large():
    peer, (mine, yours) = udp(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    cat = Cat('-u', '127.0.0.1', str(peer.getsockname()[1]), stdin=yours)
    mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    mine.send(b'before')
    check(peer.recv(65536), b'before')
    mine.send(bytes(65508))
    cat.fail(55, 'send to .*65508 bytes.*: Message too long')
    peer.settimeout(0)
    try:
        sys.exit('%d bytes were sent' % len(peer.recv(65536)))
    except BlockingIOError:
        pass


def unix_larger_than_send_buffer():
    mine, yours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mine.send(bytes(60000))
    cat = Cat('-U', '-u', '-O', '4096', T + '/socket', stdin=yours)
    cat.fail(55, 'send to .*60000 bytes: Message too long .at most [0-9]+ bytes')


def refused_on_read():
    peer = udp()
    cat = Cat('-u', '127.0.0.1', str(peer.getsockname()[1]), stdin=subprocess.PIPE)
    cat.write(b'hello')
    _, client = peer.recvfrom(100)
    peer.sendto(b'answer', client)
    cat.fail(7, 'connect .*: Connection refused')


def refused_answer():
    cat = Cat('-l', '-u', '127.0.0.1', '0', stdin=subprocess.PIPE)
    first = udp()
    port = first.getsockname()[1]
    first.sendto(b'one', cat.address())
    cat.await_output(b'one')
    first.close()
    for _ in range(3):
        cat.write(b'answer')
        time.sleep(0.05)  # time for the refusals; nothing can be waited for
    again = udp(port=port)
    again.sendto(b'two', cat.address())
    cat.await_output(b'onetwo')
    cat.write(b'answer')
    check(again.recv(100), b'answer')
    check(len(cat.errors().splitlines()), 1)
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def first_peer_only():
    cat = Cat('-l', '-u', '-v', '-q', '0.5', '127.0.0.1', '0', stdin=subprocess.PIPE)
    a, b = udp(), udp()
    a.sendto(b'a1', cat.address())
    cat.await_output(b'a1')
    for text in (b'b1', b'b2', b'b3'):
        b.sendto(text, cat.address())
    a.sendto(b'a2', cat.address())
    cat.await_output(b'a1a2')
    cat.process.stdin.write(b'answer')
    cat.process.stdin.close()
    check(a.recv(100), b'answer')
    b.settimeout(0)
    try:
        sys.exit('the other one got %r' % b.recv(100))
    except BlockingIOError:
        pass
    check(cat.end(), b'a1a2')
    if not re.search(r'\b3 datagrams from other peers ignored\b', cat.errors()):
        sys.exit('not counted: ' + cat.errors())


def stranger_huge():
    cat = Cat('-l', '-U', '-u', T + '/socket')
    a, b = unix(socket.SOCK_DGRAM, T + '/a'), unix(socket.SOCK_DGRAM, T + '/b')
    b.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    a.sendto(b'a1', cat.where)
    cat.await_output(b'a1')
    b.sendto(bytes(300000), cat.where)
    a.sendto(b'a2', cat.where)
    cat.await_output(b'a1a2')


def strangers_and_idle_limit():
    cat = Cat('-l', '-u', '--idle-timeout', '1', '127.0.0.1', '0')
    a, b = udp(), udp()
    a.sendto(b'a1', cat.address())
    cat.await_output(b'a1')
    end = time.monotonic() + LIMIT
    while cat.process.poll() is None and time.monotonic() < end:
        b.sendto(b'b', cat.address())
        time.sleep(0.02)
    check(cat.end(28), b'a1')


def client_ignores_strangers():
    peer, other = udp(), udp()
    cat = Cat('-u', '-q', '0.5', '127.0.0.1', str(peer.getsockname()[1]), stdin=subprocess.PIPE)
    cat.write(b'hello')
    _, client = peer.recvfrom(100)
    other.sendto(b'evil', client)
    peer.sendto(b'good', client)
    cat.await_output(b'good')
    cat.process.stdin.close()
    check(cat.end(), b'good')


def many_peers():
    cat = Cat('-l', '-u', '-k', '127.0.0.1', '0')
    wanted = b''
    peers = [udp() for _ in range(5)]
    for i in range(3):
        for n, peer in enumerate(peers):
            peer.sendto(b'%d' % n, cat.address())
            wanted += b'%d' % n
            cat.await_output(wanted)
    cat.send(signal.SIGTERM)
    check(cat.end(-signal.SIGTERM), wanted)


def after_stdin_end():
    cat, peer = Cat('-l', '-u', '127.0.0.1', '0'), udp()
    peer.sendto(b'one', cat.address())
    cat.await_output(b'one')
    time.sleep(2.5)  # a client would have ended
    peer.sendto(b'two', cat.address())
    cat.await_output(b'onetwo')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def waits_without_cpu():
    cat = Cat('-l', '-u', '127.0.0.1', '0', stdin=subprocess.PIPE)
    udp().sendto(b'hello', cat.address())
    cat.await_output(b'hello')
    def ticks():
        with open('/proc/%d/stat' % cat.pid) as file:
            return sum(map(int, file.read().rpartition(')')[2].split()[11:13]))
    before = ticks()
    time.sleep(1)
    if ticks() - before > 20:  # of 100
        sys.exit('%d %% of a processor' % (ticks() - before))


def kernel_drops():
    cat = Cat('-l', '-u', '-v', '-I', '4096', '-q', '0.5', '127.0.0.1', '0')
    peer = udp()
    peer.sendto(b'first\n', cat.address())
    cat.await_output(b'first\n')
    cat.send(signal.SIGSTOP)
    for i in range(500):
        peer.sendto(b'%090d\n' % i, cat.address())
    cat.send(signal.SIGCONT)
    line = re.compile(r'\n *\d+: 0100007F:%04X [0-9A-F]+:[0-9A-F]+ [0-9A-F]+ [0-9A-F]+:0{8} ' %
                      cat.address()[1])
    def drained():
        with open('/proc/net/udp') as file:
            return line.search(file.read())
    until(drained, 'an empty receive queue')
    # The count comes with the next datagram that is received.
    peer.sendto(b'last\n', cat.address())
    got = cat.end().count(b'\n')
    found = re.search(r'(\d+) datagrams? dropped by the kernel\n', cat.errors())
    if not found:
        sys.exit('not reported: ' + cat.errors())
    check(got + int(found.group(1)), 502)
    if got > 400:
        sys.exit('hardly anything was dropped: that was no test')


def kernel_drops_quiet():
    for options in (['-v'], []):
        cat = Cat('-l', '-u', '-q', '0.3', '127.0.0.1', '0', *options)
        peer = udp()
        peer.sendto(b'x', cat.address())
        cat.end()
        if re.search(r'[1-9]\d* (datagrams were )?dropped', cat.errors()):
            sys.exit(cat.errors())
        if not options:
            check(len(cat.errors().splitlines()), 1)


def session_each():
    cat = Cat('-l', '-u', '-k', '--echo', '127.0.0.1', '0')
    peers = [udp() for _ in range(30)]
    for turn in range(3):
        for n, peer in enumerate(peers):
            peer.sendto(b'%d %d' % (n, turn), cat.address())
        for n, peer in enumerate(peers):
            check(peer.recv(100), b'%d %d' % (n, turn))
    for size in 0, 1, 60000:
        peers[0].sendto(bytes(size), cat.address())
        check(peers[0].recv(65536), bytes(size))


def stdin_to_every_peer():
    cat = Cat('-l', '-u', '-k', '127.0.0.1', '0', stdin=subprocess.PIPE)
    peers = [udp() for _ in range(3)]
    for n, peer in enumerate(peers):
        peer.sendto(b'%d' % n, cat.address())
    cat.await_output(b'012')
    cat.write(b'news')
    for peer in peers:
        check(peer.recv(100), b'news')


def silent_peer_returns():
    cat = Cat('-l', '-u', '-k', '-v', '--idle-timeout', '0.2', '--echo', '127.0.0.1', '0')
    peer = udp()
    for turn in range(2):
        peer.sendto(b'x', cat.address())
        check(peer.recv(10), b'x')
        until(lambda: cat.errors().count('closed ') > turn, 'the end')
    check(cat.errors().count('connection from'), 2)
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def peer_limit():
    for refuse in False, True:
        cat = Cat('-l', '-u', '-k', '-v', '--max-conns', '2', '--echo', *['--refuse'] * refuse, '127.0.0.1', '0')
        peers = [udp() for _ in range(3)]
        for peer in peers:
            peer.sendto(b'x', cat.address())
            if not refuse or peer is not peers[2]:
                check(peer.recv(10), b'x')
        name = '127.0.0.1:%d' % peers[2 * refuse].getsockname()[1]
        until(lambda: ('rejected ' + name if refuse else 'closed ' + name + ' to make room') in cat.errors(),
              'the end of one')
        cat.send(signal.SIGTERM)
        cat.end(-signal.SIGTERM)


def peer_limit_while_connecting():
    # It takes one connection; the next one has to wait.
    target = unix(name=T + '/target')
    target.listen(0)
    cat = Cat('-l', '-u', '-k', '-v', '--max-conns', '2', '--to', 'unix:' + T + '/target', '127.0.0.1', '0')
    one, two, three = peers = [udp() for _ in range(3)]
    one.sendto(b'one', cat.address())
    until(lambda: 'connected to' in cat.errors(), 'the first connection')
    two.sendto(b'two', cat.address())
    until(lambda: cat.errors().count('connection from') == 2, 'the second peer')
    three.sendto(b'three', cat.address())
    until(lambda: 'to make room' in cat.errors(), 'the end of one')
    check('closed 127.0.0.1:%d to make room' % one.getsockname()[1] in cat.errors(), True, cat.errors())


def peer_limit_per_host():
    cat = Cat('-l', '-u', '-k', '-v', '--echo', '--max-conns', '2', '--max-conns-per-host', '1', '0.0.0.0', '0')
    def at(host):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((host, 0))
        s.settimeout(LIMIT)
        return s
    one, two, more = at('127.0.0.1'), at('127.0.0.2'), at('127.0.0.2')
    for peer in one, two:
        peer.sendto(b'x', cat.address())
        check(peer.recv(10), b'x')
    more.sendto(b'x', cat.address())
    until(lambda: 'too many clients from its address' in cat.errors(), 'the refusal')
    check('to make room' in cat.errors(), False, cat.errors())


def broker():
    cat = Cat('-l', '-u', '-k', '-v', '--broker', '127.0.0.1', '0')
    one, two, three = peers = [udp() for _ in range(3)]
    for peer in peers:
        peer.sendto(b'', cat.address())
    until(lambda: cat.errors().count('connection from') == 3, 'three peers')
    two.sendto(b'a' * 50000, cat.address())
    for peer in one, three:
        while not (got := peer.recv(65536)):
            pass
        check(got, b'a' * 50000)


def burst_larger_than_queue():
    cat = Cat('-l', '-u', '-k', '--queue', '64k', '127.0.0.1', '0')
    peer = udp()
    cat.stop()
    for n in b'abcde':
        peer.sendto(bytes([n]) * 30000, cat.address())
    cat.go()
    cat.await_output(b''.join(bytes([n]) * 30000 for n in b'abcde'))


def stalled_program():
    cat, stalled, other = start('--max-accepts', '2', '--idle-timeout', IDLE, '-c', PROGRAM)
    flood(cat, stalled)
    before = cat.resident()
    for _ in range(20):
        flood(cat, stalled, 20)
        ask(other, 10)
    # (Sanitizers keep what is freed.)
    if os.environ['PATIENCE'] == '1':
        check(cat.resident() < before + 4000000, True, 'it grows')
    cat.end(104)
    told = re.findall(r'closed 127.0.0.1:(\d+): .* (\d+) datagrams not delivered', cat.errors())
    check([int(port) for port, _ in told], [stalled.getsockname()[1]])
    check(420 < int(told[0][1]) < 440, True, told)


def stalled_target():
    for where in 'tcp', 'unix':
        if where == 'tcp':
            target = tcp()
            at = '127.0.0.1:%d' % target.getsockname()[1]
        else:
            target = unix(name=T + '/t')
            target.listen(5)
            at = 'unix:' + T + '/t'
        cat, stalled, other = start('--max-accepts', '2', '--idle-timeout', IDLE, '--to', at)
        for _ in range(2):
            s = accept(target)
            if exactly(s, 2) == b'st':
                idle = s
                continue
            exactly(s, 1)
            def echo(s=s):
                while data := s.recv(65536):
                    s.sendall(data)
            threading.Thread(target=echo, daemon=True).start()
        flood(cat, stalled, 400)
        ask(other)
        cat.end(104)
        check('datagrams not delivered' in cat.errors(), True, cat.errors())


def slow_disconnect():
    cat, stalled, other = start('--max-accepts', '2', '--idle-timeout', IDLE, '--slow=disconnect', '-c', PROGRAM)
    flood(cat, stalled)
    until(lambda: 'queue full' in cat.errors(), 'the end of one')
    check('receive from 127.0.0.1:%d: queue full' % stalled.getsockname()[1] in cat.errors(), True, cat.errors())
    ask(other)
    cat.end(104)
    check(cat.errors().count('queue full'), 1)


def slow_disconnect_mid_message():
    def message(letter, n): return struct.pack('>I', n) + letter * n
    r, w = os.pipe()
    cat = Cat('-l', '-u', '-k', '-d', '--slow', 'disconnect', '--queue', '64k', '--frame', 'datagram',
              '--stdout-frame', 'u32be', '--idle-timeout', '1.5', '--max-accepts', '2', '127.0.0.1', '0', stdout=w)
    os.close(w)
    one, two = udp(), udp()
    # The last of these is incomplete; the bytes after it are too many.
    sent = taken = 0
    while sent == taken:
        one.sendto(b'A' * 60000, cat.address())
        sent += 60004
        until(lambda: in_pipe(r) > taken, 'some of it')
        taken = in_pipe(r)
    for _ in range(5):
        one.sendto(b'A' * 60000, cat.address())
        until(lambda: not waits(int(cat.where)), 'that to be received')
    two.sendto(b'B' * 5, cat.address())
    # That one has an end, though it does not get its turn.
    until(lambda: 'nothing moved' in cat.errors(), 'the second to be given up')
    got = b''
    while part := os.read(r, 65536):
        got += part
    check(len(got) >= sent, True, 'cut off')
    check(got == message(b'A', 60000) * (len(got) // 60004), True, 'cut off or mixed: %r' % got[-9:])
    cat.end(104)
    check(re.search('closed .* datagrams? not delivered', cat.errors()) is not None, True, cat.errors())


def slow_wait():
    cat, stalled, other = start('--slow=wait', '-c', PROGRAM)
    ask(other)
    sent = 0
    while not waits(cat.address()[1]):
        stalled.send(bytes(30000))
        sent += 30000
        cat.rest()
    other.send(b'?')
    cat.rest()
    check(waits(cat.address()[1]), True, 'it does not wait')
    with open(T + '/go', 'w') as go:
        go.write('%d\n' % sent)
    check(int(stalled.recv(100)), sent)
    check(other.recv(10), b'?')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def small_queue_loses_nothing():
    target = udp()
    def echo():
        while True:
            data, peer = target.recvfrom(65536)
            target.sendto(data, peer)
    threading.Thread(target=echo, daemon=True).start()
    for service in ['--echo'], ['-c', 'cat'], ['--to', 'udp://127.0.0.1:%d' % target.getsockname()[1]], ['--chargen']:
        for queue in '1', '64k':
            cat = Cat('-l', '-u', '-k', '--max-accepts', '3', '--idle-timeout', '2', '--queue', queue, *service,
                      '127.0.0.1', '0')
            peers = [udp() for _ in range(3)]
            for peer in peers:
                peer.sendto(b'first', cat.address())
                check(len(peer.recv(100)), 5)
            cat.stop()
            for n in range(40):
                for peer in peers:
                    peer.sendto(b'%03d' % n, cat.address())
            cat.go()
            for peer in peers:
                got = b''
                while len(got) < 120:
                    got += peer.recv(200)
                if '--chargen' not in service:
                    check(got, b''.join(b'%03d' % n for n in range(40)))
            cat.end()
            check(cat.errors().count('\n'), 1, cat.errors())


def mixed_sizes():
    for service in ['--echo'], ['-c', 'cat']:
        cat = Cat('-l', '-u', '-k', '--max-accepts', '1', '--idle-timeout', '2', '--queue', '1k', *service,
                  '127.0.0.1', '0')
        peer = udp()
        peer.sendto(b'first', cat.address())
        check(peer.recv(100), b'first')
        sizes = [3] * 50 + [60000] + [3] * 20
        cat.stop()
        for size in sizes:
            peer.sendto(bytes(size), cat.address())
        cat.go()
        got = 0
        while got < sum(sizes):
            got += len(peer.recv(65536))
        cat.end()


def target_not_connected():
    # Connections that are not accepted fill the queue.
    target = unix(name=T + '/t')
    target.listen(0)
    waiting = unix()
    waiting.connect(T + '/t')
    cat = Cat('-l', '-u', '-k', '--max-accepts', '1', '--wait', '0.3', '--to', 'unix:' + T + '/t', '127.0.0.1', '0')
    udp().sendto(b'lost', cat.address())
    cat.end(104)
    check(re.search('connect .*/t.*in time|connect .*/t.*timed out', cat.errors()) is not None, True, cat.errors())
    check('1 of 1 connections failed' in cat.errors(), True, cat.errors())


def leaves_with_unread():
    # It is silent for long, or leaves for another.
    cat, stalled, other = start('--max-accepts', '2', '--idle-timeout', '0.5', '-c', PROGRAM)
    flood(cat, stalled, 10)
    cat.end(104)
    check('nothing moved for 500 ms' in cat.errors(), True, cat.errors())
    # (Its program takes a while to end.)
    cat, stalled, other = start('--max-conns', '2', '--max-children', '3', '--max-accepts', '3', '--idle-timeout', '5',
                                '-c', PROGRAM)
    flood(cat, stalled, 10)
    ask(other)
    third = udp()
    third.sendto(b'on\n', cat.address())
    until(lambda: 'to make room' in cat.errors(), 'the end of one')
    check(re.search(r'closed 127.0.0.1:%d to make room:.*datagrams? not delivered' % stalled.getsockname()[1],
                    cat.errors()) is not None, True, cat.errors())
    cat.end(104)


def leaves_with_unsent():
    # Standard input is read, and another peer sends, in one turn.
    back, front = os.pipe()
    cat = Cat('-l', '-u', '-k', '--max-conns', '1', '--max-accepts', '2', '--idle-timeout', '2', '127.0.0.1', '0',
              stdin=back)
    one, two = udp(), udp()
    one.sendto(b'one', cat.address())
    cat.await_output(b'one')
    cat.stop()
    os.write(front, b'hello')
    two.sendto(b'two', cat.address())
    cat.go()
    until(lambda: b'two' in cat.output(), 'the second')
    os.close(front)
    status = cat.process.wait(LIMIT)
    heard = [peer.recv(9) for peer in select.select([one, two], [], [], 0)[0]]
    went = status, heard, '1 message dropped' in cat.errors()
    check(went in ((0, [b'hello'], False), (104, [], True)), True, '%r %s' % (went, cat.errors()))


def chargen():
    for kind, more in ('-u', []), ('-u', ['-k']), ('-uU', ['-k']):
        where = [T + '/s'] if 'U' in kind else ['127.0.0.1', '0']
        cat = Cat('-l', kind, *more, '--chargen', *where)
        peer = unix(socket.SOCK_DGRAM, T + '/peer') if 'U' in kind else udp()
        peer.connect(cat.where if 'U' in kind else cat.address())
        line = bytes(range(32, 127)) * 2
        number = 0
        for size in 0, 1, 72, 74, 75, 511, 512, 513, 40000, 2:
            peer.send(bytes(size))
            got, size = peer.recv(65536), min(size, 512)
            check(len(got), size)
            # It is the beginning of the lines of RFC 864, from the next one that none has begun with.
            lines = [line[n % 95:n % 95 + 72] + b'\r\n' for n in range(number, number + 7)]
            check(got, b''.join(lines)[:size])
            number += -(-size // 74)
        # Many at once are answered one by one.
        cat.stop()
        for size in range(8):
            peer.send(bytes(size))
        cat.go()
        check([len(peer.recv(100)) for _ in range(8)], list(range(8)))
        cat.send(signal.SIGTERM)
        cat.end(-signal.SIGTERM)


def chargen_unanswerable():
    cat = Cat('-l', '-U', '-u', '-k', '--chargen', '--linger', '0.3', '--max-accepts', '1', T + '/socket')
    peer = unix(socket.SOCK_DGRAM)
    peer.connect(T + '/socket')
    cat.stop()
    for _ in range(5):
        peer.send(b'abc')
    cat.go()
    cat.end(104)
    check('no address to answer to' in cat.errors(), True, cat.errors())


def daytime():
    def ask(peer, size=0):
        before = time.time()
        peer.send(bytes(size))
        return check_daytime(peer.recv(100), before)
    for more in [], ['-k']:
        cat = Cat('-l', '-u', *more, '--daytime', '127.0.0.1', '0')
        peer = udp()
        peer.connect(cat.address())
        for size in 0, 1, 60000:
            first = ask(peer, size)
        until(lambda: ask(peer) > first, 'another time')


def seqpacket_services():
    for more in [], ['-k', '--max-accepts', '1']:
        cat = Cat('-l', '-U', '--seqpacket', *more, '--chargen', T + '/s')
        c = dial(cat, kind=socket.SOCK_SEQPACKET)
        check(c.recv(1 << 17)[:76], bytes(range(32, 104)) + b'\r\n' + b'!"')
        check(c.recv(1 << 17) != b'', True)
        c.close()
        cat.end()
        cat = Cat('-l', '-U', '--seqpacket', *more, '--daytime', T + '/s')
        c = dial(cat, kind=socket.SOCK_SEQPACKET)
        check(c.recv(1 << 17).endswith(b'-UTC\r\n'), True)
        check(c.recv(1 << 17), b'')
        c.close()
        cat.end()


def no_amplification():
    def quiet(s):
        s.setblocking(False)
        try:
            return s.recv(65536)[:20]
        except BlockingIOError:
            return None
    rows = ['-k'], [], ['-k', '--discard'], ['-k', '--frame', 'netstring'], ['-k', '-W', '1'], ['-k', '--broker'], \
        ['-k', '--max-conns', '1', '--refuse'], ['-k', '-c', 'cat >/dev/null']
    for more in rows:
        reader, writer = os.pipe()
        alone = more[1:2] in (['--discard'], ['--broker'], ['-c'])
        cat = Cat('-l', '-u', '-v', *more, *([] if alone else ['-d']), '--deny', '127.0.0.9', '127.0.0.1', '0')
        peer, other, denied = udp(), udp(), socket.socket(type=socket.SOCK_DGRAM)
        denied.bind(('127.0.0.9', 0))
        # Empty, no frame, cut off, as long as can be.
        said = b'', b'x', b'9:x', bytes(65507)
        for data in said:
            for s in (peer,) if '--broker' in more else (peer, denied, other):
                s.sendto(data, cat.address())
        # All of it has been seen when the last one's end, or its arrival, is.
        denied.sendto(b'', cat.address())
        until(lambda: not waits(cat.address()[1]), 'all to be read')
        cat.rest()
        for s in peer, other, denied:
            check(quiet(s), None, str(more))


def answers_not_longer():
    for service in '--echo', '--chargen':
        for more in [], ['-k'], ['-k', '-C']:
            cat = Cat('-l', '-u', *[o for o in more if o != '-C' or service == '--chargen'], service, '127.0.0.1', '0')
            peer = udp()
            for size in [*range(0, 160), 511, 512, 513, 2000, 65507]:
                peer.sendto(b'\n' * size, cat.address())
                check(len(peer.recv(65536)) <= size, True, '%s %s %d' % (service, more, size))
            # One answer each: nothing has been left behind.
            peer.setblocking(False)
            try:
                check(peer.recv(65536), 'nothing more')
            except BlockingIOError:
                pass


if __name__ == '__main__':
    main()
