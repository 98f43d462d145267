"""Status 18."""
import socket

from drive import Cat, main, T, unix


def datagram_cut():
    cat = Cat('-l', '-U', '-u', T + '/socket')
    peer = unix(socket.SOCK_DGRAM)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    peer.sendto(bytes(300000), cat.where)
    cat.fail(18, 'longer than')


if __name__ == '__main__':
    main()
