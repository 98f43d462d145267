"""--compat=nc: where OpenBSD's nc would report success for lost data."""
import os
import socket

from drive import accept, Cat, main


def unacknowledged():
    """The peer takes nothing: a part of the data stays in the own kernel."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(('127.0.0.1', 0))
    listener.listen()
    r, w = os.pipe()
    cat = Cat('--compat=nc', '-w', '1', '127.0.0.1', str(listener.getsockname()[1]), stdin=r)
    os.close(r)
    peer = accept(listener)
    os.write(w, b'x' * 150000)
    cat.end(1)
    peer.close()


if __name__ == '__main__':
    main()
