"""A vsock endpoint."""
import socket
import sys

from drive import Cat, check, LIMIT, main


def vsock():
    s = socket.socket(socket.AF_VSOCK)
    s.settimeout(LIMIT)
    try:
        s.bind((1, socket.VMADDR_PORT_ANY))
        s.listen()
        socket.socket(socket.AF_VSOCK).connect((1, s.getsockname()[1]))
    except OSError:
        sys.exit(77)
    s.accept()
    cat = Cat('vsock://1:%d' % s.getsockname()[1])
    c, _ = s.accept()
    c.sendall(b'hello')
    c.close()
    check(cat.end(), b'hello')


if __name__ == '__main__':
    main()
