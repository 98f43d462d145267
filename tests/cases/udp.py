"""A UDP listener with a second sender."""
import subprocess

from drive import Cat, check, main, udp


def second_sender():
    cat = Cat('-l', '-u', '-q', '0.5', '127.0.0.1', '0', stdin=subprocess.PIPE)
    a, b, c = udp(), udp(), udp()
    a.sendto(b'a1', cat.address())
    cat.await_output(b'a1')
    for s in b, c, b:
        s.sendto(b'no', cat.address())
    a.sendto(b'a2', cat.address())
    cat.await_output(b'a1a2')
    cat.process.stdin.close()
    cat.end()
    lines = [line for line in cat.errors().splitlines() if 'listening' not in line]
    check(lines, ['sockcat: ignoring datagrams from 127.0.0.1:%d: the peer is 127.0.0.1:%d (-k serves all)' % (
        b.getsockname()[1], a.getsockname()[1])])


if __name__ == '__main__':
    main()
