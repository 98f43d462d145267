"""--rate on every way that data take: a limit on the rate is one on the time, from below."""
import os
import re
import shlex
import threading
import time

from drive import Cat, check, main, T

RATE = 1024
# Three messages, the last of which passes when two have taken their time, or with -W when it has been read; of
# a stream all bytes but the first 20.
LINES = [b'%0149d\n' % i for i in range(3)]
DATA = b''.join(LINES)
MESSAGE, STREAM = (len(LINES[0]) - 1) / RATE, (len(DATA) - 20) / RATE

# What a client sends that receives: a listener of datagrams has to know where to send.
HELLO = T + '/hello'

# Where the listener listens.
PLACES = {'tcp': '127.0.0.1 0', 'udp': '-u 127.0.0.1 0', 'stream': '-U %s', 'seqpacket': '--seqpacket -U %s',
          'datagram': '-u -U %s'}

# Place, which way the data go, options of the listener, of the client, and of a relay between them, if there
# is one. FROM, TO and DUMP are files.
PATHS = '''
tcp | up   | | --rate 1k
tcp | up   | | --rate 1k --no-splice
tcp | up   | | --rate 1k -C
tcp | up   | | --rate 1k -o DUMP
tcp | up   | | --rate 1k --send-only
tcp | up   | | --rate 1k -c 'cat FROM'
tcp | up   | --rate 1k |
tcp | up   | --rate 1k --no-splice |
tcp | up   | --rate 1k --recv-only |
tcp | up   | --rate 1k -c 'cat >TO' |
tcp | up   | --rate 1k --pty=raw -c 'head -c 450 >TO' |
tcp | up   | --rate 1k -k --max-accepts 1 |
tcp | up   | --rate 1k -k --max-accepts 1 -c 'cat >TO' |
tcp | up   | --frame u32be | --rate 1k --frame u32be
tcp | up   | --rate 1k --frame u32be | --frame u32be
tcp | up   | --rate 1k --frame u32be -k --max-accepts 1 | --frame u32be
tcp | down | | --rate 1k -d
tcp | down | | --rate 1k -d --no-splice
tcp | down | | --rate 1k -d -t
tcp | down | | --rate 1k -c 'cat >TO'
tcp | down | --rate 1k | -d
tcp | down | --rate 1k --no-splice | -d
tcp | down | --rate 1k -c 'cat FROM' | -d
tcp | down | --rate 1k --pty=raw -c 'cat FROM' | -d
tcp | down | --rate 1k -k --max-accepts 1 | -d
tcp | down | --rate 1k -k --max-accepts 1 -c 'cat FROM' | -d
tcp | down | --frame netstring | -d --rate 1k --frame netstring
tcp | down | --rate 1k --frame netstring | -d --frame netstring
tcp | echo | --rate 1k --echo |
tcp | echo | --rate 1k -e cat |
tcp | echo | --echo | --rate 1k
tcp | up   | | | --rate 1k
tcp | up   | | | --rate 1k --no-splice
tcp | up   | | | --rate 1k -k --max-accepts 1
tcp | down | | -d | --rate 1k
tcp | down | | -d | --rate 1k -k --max-accepts 1
stream | up   | | --rate 1k
stream | up   | --rate 1k |
stream | up   | --rate 1k -k --max-accepts 1 |
stream | down | | -d --rate 1k
stream | down | --rate 1k | -d
stream | up   | | | --rate 1k
seqpacket | up   | | --rate 1k --stdin-frame line
seqpacket | up   | --rate 1k --stdout-frame line | --stdin-frame line
seqpacket | down | --stdin-frame line | --rate 1k -d
seqpacket | down | --rate 1k --stdin-frame line | -d
datagram | up   | -W 3 | --rate 1k --stdin-frame line -q 0
datagram | up   | --rate 1k -W 3 | --stdin-frame line -q 0
datagram | up   | --rate 1k -k -W 3 --max-accepts 1 | --stdin-frame line -q 0
udp | up   | -W 3 | --rate 1k --stdin-frame line -q 0
udp | up   | --rate 1k -W 3 | --stdin-frame line -q 0
udp | up   | --rate 1k -k -W 3 --max-accepts 1 | --stdin-frame line -q 0
udp | down | --stdin-frame line -q 0 | --rate 1k -W 3
udp | down | --rate 1k --stdin-frame line -q 0 | -W 3
'''


class Path:
    """A sender and a receiver, which run at the same time as those of the other paths."""

    def __init__(self, row, number):
        self.row, self.name, self.took = row, '%s/%d' % (T, number), []
        self.place, self.way, listen, connect, *relay = [word.strip() for word in row.split('|')]
        with open(self.name + '.from', 'wb') as file:
            file.write(DATA)
        self.cats = [self.start('-l %s %s' % (listen, self.where('.socket')), self.way == 'down')]
        if relay:
            back = ('unix:%s' if self.place == 'stream' else '127.0.0.1:%s') % self.cats[0].where
            self.cats.append(self.start('-l %s --to %s %s' % (relay[0], back, self.where('.relay')), False))
        kind = PLACES[self.place].rpartition(' ')[0]
        began = time.monotonic()
        self.cats.append(self.start('%s %s %s' % (connect, kind, self.cats[-1].where), self.way != 'down'))
        self.threads = [threading.Thread(target=self.wait, args=(cat, began), daemon=True) for cat in self.cats]
        for thread in self.threads:
            thread.start()

    def where(self, end):
        """What to listen on."""
        return PLACES[self.place].replace('%s', self.name + end)

    def start(self, options, sends):
        words = options.replace('FROM', self.name + '.from').replace('TO', self.name + '.to')
        with open(self.name + '.from' if sends else os.devnull if '-l ' in words else HELLO, 'rb') as file:
            return Cat(*shlex.split(words.replace('DUMP', self.name + '.dump')), stdin=file)

    def wait(self, cat, began):
        cat.process.wait()
        self.took.append(time.monotonic() - began)

    def check(self):
        outputs = [cat.end() for cat in self.cats]
        for thread in self.threads:
            thread.join()
        got = outputs[0 if self.way == 'up' else -1]
        if 'TO' in self.row:
            with open(self.name + '.to', 'rb') as file:
                got = file.read()
        check(got.replace(b'\r', b'').replace(b'\n', b''), DATA.replace(b'\n', b''), self.row)
        waits = 1 if re.search('--rate[^|]*-W', self.row) else 2
        least = waits * MESSAGE if 'frame' in self.row else STREAM
        check(max(self.took) >= least, True, '%s: it took %.3f s' % (self.row, max(self.took)))


def paths():
    """Every path of the table."""
    with open(HELLO, 'wb') as file:
        file.write(b'hello')
    for path in [Path(row, number) for number, row in enumerate(PATHS.strip().split('\n'))]:
        path.check()


if __name__ == '__main__':
    main()
