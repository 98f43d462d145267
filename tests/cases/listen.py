"""The ready line and NOTIFY_SOCKET: when a listener says that it can be reached."""
import os
import re
import socket
import subprocess

from drive import LIMIT, main


def last_free_port():
    taken = [socket.socket() for _ in range(128)]
    for port, s in enumerate(taken):
        s.bind(('127.0.0.1', 40000 + port))
    taken[77].close()
    p = subprocess.Popen([os.environ['SOCKCAT'], '-l', '0'], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    line = p.stderr.readline()
    assert b':40077' in line, (line, p.communicate())
    for host in '127.0.0.1', '::1':
        if host == '::1':
            assert b':40077' in p.stderr.readline()
    open('/proc/sys/net/ipv4/ip_local_port_range', 'w').write('50000 50127')
    with socket.create_connection(('::1', 40077)) as s:
        s.shutdown(socket.SHUT_WR)
        assert s.recv(1) == b''
    assert p.wait(LIMIT) == 0, p.stderr.read()


def connect_at_once(count, *options):
    for _ in range(int(count)):
        r, w = os.pipe()
        p = subprocess.Popen([os.environ['SOCKCAT'], '-l', '--ready-fd', str(w), *options],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, pass_fds=[w])
        os.close(w)
        line = b''
        while not line.endswith(b'\n'):
            piece = os.read(r, 4096)
            assert piece, ('end without a line', line, p.communicate())
            line += piece
        where = line[:-1].decode()
        if where.isdigit():
            c = socket.create_connection(('127.0.0.1', int(where)))
        else:
            c = socket.socket(socket.AF_UNIX)
            c.connect('\0' + where[1:] if where.startswith('@') else where)
        c.sendall(b'hello')
        c.shutdown(socket.SHUT_WR)
        assert c.recv(1) == b''
        c.close()
        out, err = p.communicate(timeout=LIMIT)
        assert (p.returncode, out) == (0, b'hello'), (p.returncode, out, err)
        assert os.read(r, 1) == b'', 'more than a line'
        os.close(r)


def ready_to_own(descriptor):
    number = int(descriptor)
    p = subprocess.Popen([os.environ['SOCKCAT'], '-l', '--ready-fd', str(number), '127.0.0.1', '0'],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pipe = p.stdout if number == 1 else p.stderr
    early = b''
    while not re.search(rb'(?m)^\d+\n', early):
        early += os.read(pipe.fileno(), 100)
    port = re.search(rb'(?m)^(\d+)\n', early).group(1)
    c = socket.create_connection(('127.0.0.1', int(port)))
    c.sendall(b'hello')
    c.shutdown(socket.SHUT_WR)
    back = b''
    try:
        while piece := c.recv(100):
            back += piece
    except ConnectionResetError:
        back += b'(reset)'
    out, err = p.communicate(timeout=LIMIT)
    out, err = (early + out, err) if number == 1 else (out, early + err)
    print(p.returncode, back, out.replace(port, b'PORT'), err.replace(port, b'PORT'))


def notified(name):
    path = os.environ['T'] + '/socket'
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind('\0' + name[1:] if name.startswith('@') else name)
    s.settimeout(LIMIT)
    p = subprocess.Popen([os.environ['SOCKCAT'], '-l', '-U', path], stdin=subprocess.DEVNULL,
                         env=dict(os.environ, NOTIFY_SOCKET=name))
    text = s.recv(1000)
    c = socket.socket(socket.AF_UNIX)
    c.connect(path)
    c.shutdown(socket.SHUT_WR)
    assert p.wait(LIMIT) == 0
    s.settimeout(0)
    try:
        text += b' and again ' + s.recv(1000)
    except BlockingIOError:
        pass
    print(text.decode())


if __name__ == '__main__':
    main()
