"""Converts lines to messages after their length (u32be), and back, for tools without framing."""
import sys

read, write = sys.stdin.buffer.read, sys.stdout.buffer.write
if sys.argv[1] == "frame":
    for line in sys.stdin.buffer:
        message = line.removesuffix(b"\n")
        write(len(message).to_bytes(4, "big") + message)
else:
    while prefix := read(4):
        write(read(int.from_bytes(prefix, "big")) + b"\n")
