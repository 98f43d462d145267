"""What services say first (--banner): several at a time, slow ones, and ones that mean harm."""
import errno
import json
import select
import socket
import threading
import time

from drive import accept, Cat, check, exactly, LIMIT, main, reset, tcp, to_end


def port(listener):
    return str(listener.getsockname()[1])


def shown(text, listener, words=('-w', str(LIMIT))):
    """The line of the port without its time, from a service that is this function of the connection."""
    cat = Cat('-zn', '--banner', *words, '127.0.0.1', port(listener))
    peer = accept(listener)
    text(peer)
    line = cat.end().decode(errors='surrogateescape')
    start, end = '127.0.0.1:%s open ' % port(listener), '\n'
    check((line.startswith(start), line.count('\n'), line.endswith(end)), (True, 1, True), line)
    took, _, banner = line[len(start):-1].partition('ms')
    check(float(took) >= 0, True)
    return banner


def says(data, end=None):
    def service(peer):
        peer.sendall(data)
        if end is not None:
            end(peer)
    return service


def lines():
    for data, banner in (
            (b'SSH-2.0-OpenSSH_9.2\r\nand more', ': SSH-2.0-OpenSSH_9.2'),
            (b'\r\n220 mail.example ESMTP\r\n', ': 220 mail.example ESMTP'),
            (b'\x1b]0;title\x07\x1b[2J\x1b[31mred\n', ': ^[]0;title^G^[[2J^[[31mred'),
            (b'caf\xc3\xa9 \xff\xe2\x80\xae \xc2\x9b\n', ': caf\u00e9 \\xff\\u202e \\u009b'),
            (b'x' * 300, ': ' + 'x' * 256 + '...'),
            (b'\0' * 300, ': ' + '^@' * 256 + '...')):
        check(shown(says(data), tcp()), banner, data)


def ends():
    """What was said before the end, and nothing of a service that ends without a word, are open."""
    close = socket.socket.close
    check(shown(says(b'hello', close), tcp()), ': hello')
    check(shown(says(b'', close), tcp()), '')
    check(shown(says(b'', reset), tcp()), '')


def silence():
    """Half a second, or until the limit that is given."""
    listener = tcp()
    before = time.monotonic()
    check(shown(lambda peer: None, listener, []), '')
    check(time.monotonic() - before >= 0.5, True)
    before = time.monotonic()
    check(shown(says(b'no end'), listener, ['-w', str(LIMIT / 20)]), ': no end')
    check(time.monotonic() - before >= LIMIT / 20, True)

    def late(peer):
        check(select.select([peer], [], [], 1)[0], [], 'the probe did not wait')
        peer.sendall(b'late\n')
    check(shown(late, listener, ['--wait', str(LIMIT)]), ': late')


def flood():
    """A service that never stops costs no more than one that is brief."""
    def service(peer):
        sent = 0
        try:
            while sent < 1 << 30:
                sent += peer.send(b'x' * 65536)
        except OSError:
            pass
        check(sent < 1 << 28, True, sent)
    check(shown(service, tcp()), ': ' + 'x' * 256 + '...')


def parallel():
    """None says a word before all are connected; the silent ones are open, too."""
    listeners = [tcp() for _ in range(12)]
    ports = sorted(map(port, listeners), key=int)
    cat = Cat('-zn', '-w', str(LIMIT), '--banner', '127.0.0.1', *ports)
    peers = [accept(listener) for listener in listeners]
    for peer in peers[::-1]:
        number = peer.getsockname()[1]
        if number % 3 > 0:
            peer.sendall(b'I am %d\n' % number)
        # A line is enough for the probe, which resets the connection then.
        try:
            peer.shutdown(socket.SHUT_WR)
        except OSError as error:
            check(error.errno, errno.ENOTCONN)
    wanted = ['127.0.0.1:%s' % number + (': I am ' + number if int(number) % 3 > 0 else '') for number in ports]
    got = [line.split()[0] + ''.join(line.partition('ms')[1:]).replace('ms', '', 1)
           for line in cat.end(0).decode().splitlines()]
    check(got, wanted)


def request():
    listener = tcp()
    cat = Cat('-zn', '-w', str(LIMIT), r'--banner=send:HEAD \x2f\0\r\n', '127.0.0.1', port(listener))
    peer = accept(listener)
    check(exactly(peer, 9), b'HEAD /\0\r\n')
    peer.sendall(b'yes\n')
    check(cat.end(0).decode().partition('ms')[2], ': yes\n')
    # Nothing more was sent; a reset is as good as an end.
    peer.settimeout(LIMIT)
    try:
        check(to_end(peer), b'')
    except ConnectionResetError:
        pass


def large_request():
    """More than the socket takes at once, to a service that answers before it has read all of it."""
    listener = tcp()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    cat = Cat('-zn', '-w', str(LIMIT), '--banner=send:' + 'x' * 120000, '127.0.0.1', port(listener))
    peer = accept(listener)
    check(exactly(peer, 120000), b'x' * 120000)
    peer.sendall(b'all\n')
    check(cat.end(0).decode().partition('ms')[2], ': all\n')


def report():
    listener = tcp()
    cat = Cat('-zn', '-w', str(LIMIT), '--banner', '--report=json', '127.0.0.1', port(listener))
    peer = accept(listener)
    check(select.select([peer], [], [], 1)[0], [])
    peer.sendall(b'"quoted" \\ \x1b \xff\n')
    events = [json.loads(line) for line in (cat.end(0).decode() + cat.errors()).splitlines() if line.startswith('{')]
    (event,) = [event for event in events if event['event'] == 'probe']
    check((event['state'], event['banner']), ('open', '"quoted" \\ ^[ \\xff'))
    check(0 < event['connect_ms'] < 1000, True, 'the time has to be that of the connection alone: %r' % event)


def many_silent():
    """Silent services are waited for side by side."""
    listeners = [tcp() for _ in range(2 * LIMIT)]
    threads = [threading.Thread(target=accept, args=(listener,), daemon=True) for listener in listeners]
    for thread in threads:
        thread.start()
    before = time.monotonic()
    out = Cat('-zn', '--banner', '127.0.0.1', *map(port, listeners)).end(0)
    check((out.count(b' open '), time.monotonic() - before < LIMIT), (2 * LIMIT, True))


if __name__ == '__main__':
    main()
