"""Characters that are not shown, and CR NUL of Telnet."""
import os

from drive import accept, Cat, check, exactly, main, raw_pty, shown, tcp, to_end


def made_visible(port):
    master, slave = raw_pty()
    cat = Cat('-d', '127.0.0.1', port, stdout=slave)
    wanted = b'a\\u200bb\\u2060c\\ufeffd\\u00ade\\ufff9f\\U000e0041g\n'
    check(shown(master, wanted), wanted)
    cat.end()


def cr_nul():
    listener, (r, w) = tcp(), os.pipe()
    cat = Cat('-t', '127.0.0.1', str(listener.getsockname()[1]), stdin=r)
    os.close(r)
    peer = accept(listener)
    for piece, wanted in ((b'a\r', b'a\r'), (b'b\r', b'\0b\r'), (b'\n', b'\n'), (b'\r', b'\r'), (b'\0', b'\0\0')):
        os.write(w, piece)
        check(exactly(peer, len(wanted)), wanted)
    os.close(w)
    check(to_end(peer), b'')


if __name__ == '__main__':
    main()
