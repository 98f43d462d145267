"""A socket that blocks is not spliced into."""
import socket
import subprocess
import threading

from drive import main


def blocking_socket(program):
    ours, theirs = socket.socketpair()
    data = bytes(3000000)
    cat = subprocess.Popen([program, f"fd://{theirs.fileno()}"], pass_fds=[theirs.fileno()],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    theirs.close()
    threading.Thread(target=lambda: (cat.stdin.write(data), cat.stdin.close())).start()
    got = []
    reader = threading.Thread(target=lambda: got.append(cat.stdout.read()))
    reader.start()
    ours.sendall(data)
    ours.shutdown(socket.SHUT_WR)
    reader.join()
    back = b""
    while part := ours.recv(1 << 20):
        back += part
    assert got[0] == data and back == data and cat.wait() == 0


if __name__ == '__main__':
    main()
