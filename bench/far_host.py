"""A host behind a delay: answers the SYNs that arrive at a TUN device, and nothing else.

Ports divisible by OPEN are open, those from FILTERED on do not answer, all others refuse. A kernel without netem
can do no more; for a probe it is all that a host does.
"""
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import time

OWN, HOST = "10.99.0.1", "10.99.0.2"
OPEN, FILTERED = 2, 10001
SYN, RST, ACK = 2, 4, 16


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def answer(packet):
    """The packet that the host sends to this one; None: none."""
    size = (packet[0] & 15) * 4
    if packet[0] >> 4 != 4 or packet[9] != 6 or len(packet) < size + 20:
        return None
    source, target, sequence, _, _, flags = struct.unpack("!HHIIBB", packet[size:size + 14])
    if flags & (SYN | ACK | RST) != SYN or target >= FILTERED:
        return None
    flags = (SYN if target % OPEN == 0 else RST) | ACK
    tcp = struct.pack("!HHIIBBHHH", target, source, 1000, (sequence + 1) & 0xffffffff, 5 << 4, flags, 65535, 0, 0)
    here, there = packet[16:20], packet[12:16]
    tcp = tcp[:16] + struct.pack("!H", checksum(here + there + struct.pack("!BBH", 0, 6, len(tcp)) + tcp)) + tcp[18:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, here, there)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + tcp


def serve(tun, orders):
    """Until the pipe of orders is closed. An order is a line: the delay in seconds, and the loss each way."""
    delay, loss, seed = 0.0, 0.0, random.Random(1)
    pending = []
    while True:
        wait = max(0, pending[0][0] - time.monotonic()) if pending else None
        ready = select.select([tun, orders], [], [], wait)[0]
        if orders in ready:
            line = os.read(orders, 100)
            if not line:
                return
            delay, loss = (float(word) for word in line.split())
        if tun in ready:
            packet = os.read(tun, 2000)
            reply = answer(packet) if seed.random() >= loss else None
            if reply is not None and seed.random() >= loss:
                heapq.heappush(pending, (time.monotonic() + delay, reply))
        while pending and pending[0][0] <= time.monotonic():
            os.write(tun, heapq.heappop(pending)[1])


def start():
    """Starts the host in a process; returns the pipe of orders. In a network namespace."""
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"far", 0x1001))  # TUNSETIFF: IFF_TUN | IFF_NO_PI
    for words in (["addr", "add", OWN + "/24", "dev", "far"], ["link", "set", "far", "up", "txqueuelen", "5000"],
                  ["link", "set", "lo", "up"]):
        subprocess.run(["ip", *words], check=True)
    orders, end = os.pipe()
    if os.fork() == 0:
        os.close(end)
        serve(tun, orders)
        os._exit(0)
    os.close(orders)
    os.close(tun)
    return end
