"""Frames that other programs write and read, and frames in datagrams."""
import os
import re
import socket
import struct
import subprocess
import threading

from drive import accept, Cat, check, exactly, LIMIT, main, T, tcp, to_end, udp


def length_prefixed(program):
    listener = socket.create_server(("127.0.0.1", 0))
    def serve():
        peer, _ = listener.accept()
        with peer, peer.makefile("rb") as stream:
            while head := stream.read(4):
                body = stream.read(struct.unpack(">I", head)[0])
                peer.sendall(struct.pack(">I", len(body)) + body.upper())
    threading.Thread(target=serve).start()
    lines = b"".join(b"message %d\n" % i for i in range(1000))
    done = subprocess.run([program, "--frame", "u32be", "127.0.0.1", str(listener.getsockname()[1])],
                          input=lines, stdout=subprocess.PIPE, check=True)
    assert done.stdout == lines.upper()


def varint_service(program):
    listener = socket.create_server(("127.0.0.1", 0))
    got = []
    def serve():
        peer, _ = listener.accept()
        with peer, peer.makefile("rb") as stream:
            while first := stream.read(1):
                length = shift = 0
                while True:
                    length |= (first[0] & 127) << shift
                    if first[0] < 128:
                        break
                    shift += 7
                    first = stream.read(1)
                got.append(stream.read(length))
    thread = threading.Thread(target=serve)
    thread.start()
    messages = [b"", b"x" * 127, b"y" * 128, b"z" * 70000]
    subprocess.run([program, "--frame", "varint", "--stdin-frame", "nul", "127.0.0.1",
                    str(listener.getsockname()[1])], input=b"".join(m + b"\0" for m in messages), check=True)
    thread.join()
    assert got == messages


def larger_than_datagram():
    for options, status, wanted in (([], 102, []), (["skip"], 0, [b"b"]), (["truncate"], 0, [b"x" * 65505, b"b"])):
        peer = udp()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        with open(T + "/in", "wb") as file:
            file.write(b"a\n" + b"x" * 65506 + b"\nb\n")
        cat = Cat("-u", "--send-only", "--frame", "u16be", *["--oversize=" + o for o in options],
                  "127.0.0.1", str(peer.getsockname()[1]), stdin=open(T + "/in", "rb"))
        check([peer.recv(65536) for _ in range(1 + len(wanted))],
              [struct.pack(">H", len(m)) + m for m in [b"a"] + wanted])
        if status:
            cat.fail(status, "message 2 from stdin: more than the socket takes")
        cat.end(status)


def bad_client_and_bad_stdin():
    here, there = os.pipe()
    cat = Cat("-l", "-k", "--frame", "netstring", "--stdin-frame", "netstring", "127.0.0.1", "0", stdin=here)
    for sent in b"1:a,?", b"1:b,5:x", b"3:c\nd,", b"1:e,":
        with socket.create_connection(cat.address()) as client:
            client.settimeout(LIMIT)
            client.sendall(sent)
            try:
                client.shutdown(socket.SHUT_WR)
                check(to_end(client), b"")
            except OSError:
                pass  # it may be closed already
    cat.await_output(b"a\nb\ne\n")
    with socket.create_connection(cat.address()) as client:
        os.write(there, b"1:x,?")
        cat.end(102)
    ends = [line for line in cat.errors().splitlines() if "message" in line]
    check(len(ends), 4)
    for line, wanted in zip(ends, ("message 2, byte 4: ", "message 2, byte 7: ", "message 1 from .* a line break",
                                   "stdin: message 2, byte 4: ")):
        check(bool(re.search(wanted, line)), True, line)


def lengths(program, source, target, *options):
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    peer.bind(("127.0.0.1", 0))
    peer.settimeout(LIMIT)
    data = open(source, "rb").read()
    cat = subprocess.Popen([program, "-u", "--send-only", *options, "127.0.0.1",
                            str(peer.getsockname()[1])], stdin=open(source, "rb"))
    got = []
    while sum(map(len, got)) < len(data):
        got.append(peer.recv(65536))
    assert cat.wait() == 0 and b"".join(got) == data
    print(*sorted(set(map(len, got))), file=open(target, "w"))


def standard_sockets():
    """Datagrams and packets, of any bytes and empty ones, become frames of a TCP stream, and the reverse."""
    messages = [b'one\ntwo', b'', b'x' * 3000, b'\n']
    for kind in socket.SOCK_DGRAM, socket.SOCK_SEQPACKET:
        for options in ['--stdin-frame', 'datagram', '--stdout-frame', 'datagram'], ['--stdio-frame', 'datagram']:
            listener = tcp()
            (mine, yours), (drain, sink) = socket.socketpair(socket.AF_UNIX, kind), socket.socketpair(socket.AF_UNIX, kind)
            cat = Cat('--frame', 'u32be', '--until', 'peer', *options, '127.0.0.1', str(listener.getsockname()[1]),
                      stdin=yours, stdout=sink)
            peer = accept(listener)
            for message in messages:
                mine.send(message)
                check(exactly(peer, 4 + len(message)), struct.pack('>I', len(message)) + message)
            drain.settimeout(LIMIT)
            for message in messages:
                peer.sendall(struct.pack('>I', len(message)) + message)
                check(drain.recv(65536), message)
            peer.close()
            cat.end()


if __name__ == '__main__':
    main()
