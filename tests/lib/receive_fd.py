#!/usr/bin/env python3
"""Runs a program that passes a descriptor over its standard output, and uses what it gets.

    receive_fd.py [--output KIND] [--send TEXT] [--file PATH] PROGRAM ARG...

KIND   of the socket pair whose one end is the program's standard output: stream (default), dgram,
       seqpacket; or gone: a stream whose other end is closed

Printed are lines: "status N", "bytes N" (all that came), "descriptors N", and if there is one
"blocking yes|no" and, as seen there, "linger on|off", "keepalive on|off", "peer NAME". Then, the
program having ended, TEXT or the file is sent over the descriptor, and its end on a connection;
"answer TEXT" is the reply: all until the end, or one datagram.

Standard input goes to the program. Status 0: all this could be done.
"""
import argparse
import os
import signal
import socket
import struct
import subprocess
import sys

KINDS = {'stream': socket.SOCK_STREAM, 'dgram': socket.SOCK_DGRAM,
         'seqpacket': socket.SOCK_SEQPACKET, 'gone': socket.SOCK_STREAM}


def collect(sock):
    """All bytes and descriptors that are there; the other end is closed, or never blocks."""
    data, fds = b'', []
    sock.setblocking(False)
    while True:
        try:
            part, more, _, _ = socket.recv_fds(sock, 100, 10)
        except (BlockingIOError, ConnectionResetError):
            break
        fds += more
        data += part
        if not part and not more:
            break
    return data, fds


def use(sock, options):
    """Talk over the connection as a program that knows nothing of where it came from."""
    data = options.send.encode()
    if options.file:
        with open(options.file, 'rb') as file:
            data = file.read()
    sock.sendall(data)
    if sock.type == socket.SOCK_DGRAM:
        return sock.recv(65536)
    sock.shutdown(socket.SHUT_WR)
    answer = b''
    while part := sock.recv(65536):
        answer += part
    return answer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--output', choices=KINDS, default='stream')
    parser.add_argument('--send', default='')
    parser.add_argument('--file')
    parser.add_argument('program', nargs=argparse.REMAINDER)
    options = parser.parse_args()
    signal.alarm(30 * int(os.environ.get('LAST_RESORT', '1')))
    mine, yours = socket.socketpair(socket.AF_UNIX, KINDS[options.output])
    if options.output == 'gone':
        mine.close()
    # A program that is killed by a signal has a negative status here.
    print('status', subprocess.run(options.program, stdout=yours, check=False).returncode)
    yours.close()
    if options.output == 'gone':
        return 0
    data, fds = collect(mine)
    print('bytes', len(data))
    print('descriptors', len(fds))
    if len(fds) == 1:
        print('blocking', 'yes' if os.get_blocking(fds[0]) else 'no')
        sock = socket.socket(fileno=fds[0])
        linger = sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        print('linger', 'on' if struct.unpack('ii', linger)[0] else 'off')
        keepalive = sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        print('keepalive', 'on' if keepalive else 'off')
        peer = sock.getpeername()
        print('peer', peer[1] if isinstance(peer, tuple) else peer)
        # Python does not query the mode of the descriptor.
        sock.settimeout(20 * int(os.environ.get('LAST_RESORT', '1')))
        answer = use(sock, options)
        print('answer', answer.decode() if len(answer) < 100 else len(answer))
    return 0


if __name__ == '__main__':
    sys.exit(main())
