"""Text for a terminal, and how it is to be shown."""
import random
import sys

from drive import main


def expected(path):
    """An independent reading of the rule for characters that are not shown."""
    harmful = {0x61c, 0x200e, 0x200f, *range(0x2028, 0x202f), *range(0x2066, 0x206a)}
    harmful |= {0xad, 0x180e, 0x200b, 0xfeff, *range(0x2060, 0x2070), *range(0xfff9, 0xfffc), *range(0xe0000, 0xe0100)}
    text = open(path, 'rb').read().decode('utf-8', 'surrogateescape')
    out = []
    for c in text.replace('\r\n', '\n'):
        o = ord(c)
        if 0xdc80 <= o <= 0xdcff:
            out.append('\\x%02x' % (o - 0xdc00))
        elif c in '\n\t':
            out.append(c)
        elif o < 0x20 or o == 0x7f:
            out.append('^' + chr(o ^ 0x40))
        elif 0x80 <= o <= 0x9f or o in harmful:
            out.append(('\\U%08x' if o > 0xffff else '\\u%04x') % o)
        else:
            out.append(c)
    sys.stdout.buffer.write(''.join(out).encode())


def harmless(path):
    text = open(path, 'rb').read().decode('utf-8')
    bad = [c for c in text if (ord(c) < 32 and c not in '\n\t') or 0x7f <= ord(c) <= 0x9f]
    sys.exit('shown as they are: %r' % bad[:20] if bad else 0)


def invalid_utf8():
    """Invalid UTF-8 of every kind between valid text."""
    parts = [
        b'plain \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 text\n',
        b'\x80 \xbf \xfe \xff',                     # never a start
        b'\xc3', b'A\xc3(', b'\xe2\x82', b'A\xe2\x82(', b'\xf0\x9f\x98', b'A\xf0\x9f(',  # cut
        b'\xc0\xaf \xc1\xbf \xe0\x80\xaf \xe0\x9f\xbf \xf0\x80\x80\xaf \xf0\x8f\xbf\xbf',  # overlong
        b'\xed\xa0\x80 \xed\xbf\xbf',               # surrogates
        b'\xf4\x90\x80\x80 \xf5\x80\x80\x80 \xf8\x88\x80\x80\x80',  # above U+10FFFF
        b'\xc3\xc3\xa9 \xe2\xe2\x82\xac \xf0\xf0\x9f\x98\x80',  # a second start
        b'\xc2\x9b31m \xc2\x85 \x9b31m',            # C1, encoded and bare
        b'\xe2\x80\xae \xe2\x81\xa6 \xd8\x9c',      # direction
        b'\r\n\r\r\n\n\r x \r',
        b'\x1b\xc3\x1b\xe2\x82\x1b[31m\x00\x7f',
    ]
    data = b'|'.join(parts)
    sys.stdout.buffer.write(data + b'\n' + data[::-1] + b'\nend\xe2\x82')


def random_text(seed):
    """Half valid, half not, of all lengths."""
    r = random.Random(int(seed))
    out = bytearray()
    while len(out) < 30000:
        c = r.choice([r.randrange(0x80), r.randrange(0x80, 0x800), r.randrange(0x800, 0xd800),
                      r.randrange(0x10000, 0x110000)])
        piece = chr(c).encode()
        out += piece if r.random() < 0.6 else piece[:r.randrange(len(piece))] if r.random() < 0.5 else \
            r.randbytes(r.randrange(1, 4))
    sys.stdout.buffer.write(out)


if __name__ == '__main__':
    main()
