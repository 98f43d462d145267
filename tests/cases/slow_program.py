"""Reads N bytes, STEP at a time and slowly, then writes them: slow_program.py N STEP."""
import os
import sys
import time

left, step = int(sys.argv[1]), int(sys.argv[2])
parts = []
while left > 0 and (part := os.read(0, min(left, step))):
    parts.append(part)
    left -= len(part)
    time.sleep(0.05)
os.write(1, b'')
sys.stdout.buffer.write(b''.join(parts))
