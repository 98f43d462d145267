"""Telnet commands, pauses between lines, and the end of what is sent and received."""
import os
import random
import re
import signal
import socket
import sys
import threading
import time

from drive import (
    accept, Cat, check, in_pipe, LIMIT, main, reset, shown, T, taken, tcp, to_end, udp, unix,
    until)


def crlf_in_pieces():
    choose = random.Random(3)
    data = bytes(choose.choices(b'\r\nx', k=600))
    listener, (reader, writer) = tcp(), os.pipe()
    cat = Cat('-C', '127.0.0.1', str(listener.getsockname()[1]), stdin=reader)
    conn = accept(listener)
    at = 0
    while at < len(data):
        size = choose.randint(1, 5)
        os.write(writer, data[at:at + size])
        until(lambda: in_pipe(writer) == 0, 'the piece to be read')
        at += size
    os.close(writer)
    check(to_end(conn), re.sub(rb'(?<!\r)\n', b'\r\n', data))
    conn.close()
    cat.end()


def crlf_udp():
    peer, (mine, yours) = udp(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    cat = Cat('-C', '-u', '-q', '0.1', '127.0.0.1', str(peer.getsockname()[1]), stdin=yours)
    yours.close()
    for message in (b'a\r', b'\nb', b'', b'\r\n', b'\n'):
        mine.send(message)
    mine.close()
    check([peer.recv(10) for _ in range(5)], [b'a\r', b'\r\nb', b'', b'\r\n', b'\r\n'])
    cat.end()
    check(cat.errors(), '')


def crlf_unix_datagrams():
    peer = unix(socket.SOCK_DGRAM, T + '/socket')
    with open(T + '/lines', 'wb') as file:
        file.write(b'\n' * 400000)
    with open(T + '/lines', 'rb') as file:
        cat = Cat('-C', '-U', '-u', '-q', '0.1', T + '/socket', stdin=file)
        got = b''
        while len(got) < 800000:
            got += peer.recv(1 << 20)
    check(got == b'\r\n' * 400000, True)
    cat.end()


def crlf_across_reads():
    peer = unix(socket.SOCK_DGRAM, T + '/socket')

    def ask(text):
        with open(T + '/lines', 'wb') as file:
            file.write(text)
        with open(T + '/lines', 'rb') as file:
            cat = Cat('-C', '-U', '-u', '-q', '0', T + '/socket', stdin=file)
        got = []
        while sum(map(len, got)) < len(text):
            got.append(peer.recv(1 << 20))
        cat.end()
        return got

    length = len(ask(b'x' * 400000)[0])
    text = b'x' * (length - 1) + b'\r\n' + b'y' * 10
    check(b''.join(ask(text)) == text, True)


def telnet_refuses_all():
    listener, (reader, writer) = tcp(), os.pipe()
    cat = Cat('-t', '127.0.0.1', str(listener.getsockname()[1]), stdin=reader)
    conn = accept(listener)
    conn.sendall(b''.join(bytes([255, verb, option]) for verb in (251, 253) for option in range(256)))
    wanted = b''.join(bytes([255, verb, option]) for verb in (254, 252) for option in range(256))
    check(shown(conn.fileno(), wanted), wanted)
    conn.shutdown(socket.SHUT_WR)
    os.close(writer)
    check(to_end(conn), b'')
    check(cat.end(), b'')


def telnet_byte_by_byte():
    listener, (reader, writer) = tcp(), os.pipe()
    cat = Cat('-t', '127.0.0.1', str(listener.getsockname()[1]), stdin=reader)
    conn = accept(listener)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in b'a\xff\xfd\x01b\xff\xffc\xff\xfa\x18\xff\xff\x01\xff\xf0d\xff\xfb\x03e':
        conn.send(bytes([byte]))
        until(lambda: taken(conn), 'the byte to be read')
    wanted = b'\xff\xfc\x01\xff\xfe\x03'
    check(shown(conn.fileno(), wanted), wanted)
    cat.await_output(b'ab\xffcde')
    conn.close()
    os.close(writer)
    cat.end()


def telnet_reset_after_question(*options):
    listener, (reader, writer) = tcp(), os.pipe()
    cat = Cat('-t', *options, '127.0.0.1', str(listener.getsockname()[1]), stdin=reader)
    conn = accept(listener)
    conn.sendall(b'first')
    cat.await_output(b'first')
    cat.stop()
    conn.sendall(b'half of it\xff\xfd\x01')
    reset(conn)
    cat.go()
    check(cat.process.wait(LIMIT) in (55, 56), True, 'the loss is not told')
    cat.fail(cat.process.returncode, '127.0.0.1')


def telnet_escape_not_split():
    listener, (reader, writer) = tcp(), os.pipe()
    cat = Cat('-t', '127.0.0.1', str(listener.getsockname()[1]), stdin=reader)
    conn = accept(listener)
    data = b'\xff\xffx\xff' * 100000
    asker = threading.Thread(target=lambda: conn.sendall(b'\xff\xfd\x01' * 100000), daemon=True)
    typist = threading.Thread(target=lambda: [os.write(writer, data[i:i + 4096])
                                              for i in range(0, len(data), 4096)], daemon=True)
    asker.start()
    typist.start()
    got, whole, wanted = b'', len(data) * 7 // 4 + 300000, data.replace(b'\xff', b'\xff\xff')
    while len(got) < whole:
        part = conn.recv(1 << 17)
        got += part
        if not part:
            break
    check((len(got), re.sub(rb'(\xff\xff)|\xff\xfc\x01', lambda m: m[1] or b'', got) == wanted),
          (whole, True))
    conn.close()
    os.close(writer)
    cat.end()


def flood(*options):
    """A peer that asks, reading no answers, until sockcat (with standard input open) takes no more."""
    listener, (reader, writer) = tcp(), os.pipe()
    cat = Cat('-t', *options, '127.0.0.1', str(listener.getsockname()[1]), stdin=reader)
    conn = accept(listener)
    most, sent, idle = 60 << 20, 0, 0
    conn.setblocking(False)
    while sent < most and idle < 50:
        try:
            sent += conn.send((b'\xff\xfd\x01' * 3001)[sent % 3:])
            idle = 0
        except BlockingIOError:
            idle += 1
            time.sleep(0.01)
        except ConnectionResetError:
            break  # on a loaded machine the idle limit may already have ended it
    check(sent < most, True, 'it takes any number of questions')
    return cat, conn, sent, writer


def telnet_flood_closed():
    cat, conn, _, _ = flood()
    conn.close()
    check(cat.process.wait(LIMIT) in (55, 56), True)
    cat.fail(cat.process.returncode, '(send to|receive from) 127.0.0.1')


def telnet_flood_idle():
    cat, conn, _, _ = flood('--idle-timeout', '1')
    cat.fail(28, 'nothing moved')


def telnet_flood_sigterm():
    cat, conn, _, _ = flood()
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)


def telnet_flood_waits():
    cat, conn, _, _ = flood()
    before = cat.ticks()
    time.sleep(1)
    check(cat.ticks() - before < 30, True, 'it spins')


def telnet_flood_read_late():
    cat, conn, sent, writer = flood()
    conn.settimeout(LIMIT)
    whole, got = sent // 3, b''
    while len(got) < whole * 3:
        got += conn.recv(1 << 17)
    check(got == b'\xff\xfc\x01' * whole, True)
    conn.close()
    os.close(writer)
    cat.process.wait(LIMIT)


def telnet_answers_late(*options):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    listener.bind(('127.0.0.1', 0))
    listener.listen()
    listener.settimeout(LIMIT)
    cat = Cat('-t', '-O', '4k', *options, '127.0.0.1', str(listener.getsockname()[1]))
    conn = accept(listener)
    conn.sendall(b'\xff\xfd\x01' * 5000)
    until(lambda: taken(conn), 'the questions to be read')
    wanted = b'\xff\xfc\x01' * 5000
    check(shown(conn.fileno(), wanted) == wanted, True, 'not all answers')
    conn.close()
    cat.end()


def one_line_only(text, *options):
    listener = tcp()
    wanted = text.encode('latin-1').decode('unicode_escape').encode('latin-1')
    with open(T + '/in', 'rb') as file:
        cat = Cat('-i', '1h', *options, '127.0.0.1', str(listener.getsockname()[1]), stdin=file)
    conn = accept(listener)
    check(shown(conn.fileno(), wanted), wanted)
    conn.sendall(b'meanwhile')
    cat.await_output(b'meanwhile')
    if '-t' in options:
        conn.sendall(b'\xff\xfd\x01')
        check(shown(conn.fileno(), b'123'), b'\xff\xfc\x01')
    cat.process.kill()
    cat.process.wait()
    try:
        check(to_end(conn), b'')
    except ConnectionResetError:
        pass


def delay_udp():
    peer, (mine, yours) = udp(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    cat = Cat('-i', '10ms', '-u', '-q', '0.1', '127.0.0.1', str(peer.getsockname()[1]), stdin=yours)
    yours.close()
    sent = [b'%d\nx\n' % i for i in range(20)]
    for message in sent:
        mine.send(message)
    mine.close()
    check([peer.recv(10) for _ in sent], sent)
    cat.end()


def delay_udp_first_only():
    peer, (mine, yours) = udp(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    cat = Cat('-i', '1h', '-u', '127.0.0.1', str(peer.getsockname()[1]), stdin=yours)
    mine.send(b'one\nline\n')
    mine.send(b'two')
    check(peer.recv(100), b'one\nline\n')
    cat.process.kill()
    cat.process.wait()
    peer.setblocking(False)
    try:
        sys.exit('it sent %r' % peer.recv(100))
    except BlockingIOError:
        pass


if __name__ == '__main__':
    main()
