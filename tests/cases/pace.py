"""Write a file to a FIFO at the pace of its output: pace.py SOURCE FIFO WINDOW OUTPUT OTHER_OUTPUT.

At most WINDOW bytes are ahead of OUTPUT; at the end both outputs have all.
"""
import os
import sys
import time

source, fifo, window, output, other = sys.argv[1:]
size = os.path.getsize(source)


def wait_for(path, wanted):
    end = time.monotonic() + 40 * int(os.environ['LAST_RESORT'])
    while not os.path.exists(path) or os.path.getsize(path) < wanted:
        if time.monotonic() > end:
            sys.exit('%s has not come to %d bytes' % (path, wanted))
        time.sleep(0.001)


with open(source, 'rb') as data, open(fifo, 'wb', buffering=0) as out:
    sent = 0
    while sent < size:
        wait_for(output, sent + 16384 - int(window))
        sent += out.write(data.read(16384))
    wait_for(output, size)
    wait_for(other, size)
