"""Reports: destinations that are full, closed or shared, and the lines of many runs against the schema."""
import json
import os
import socket
import subprocess

from drive import LIMIT, accept, check, end, main, tcp, to_end, until


def filled_pipe():
    """A pipe in which there is no room, and how much there is in it."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    size = 0
    try:
        while True:
            size += os.write(writer, b'x' * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    return reader, writer, size


def emptied(reader, size):
    """Reads what filled the pipe."""
    while size > 0:
        size -= len(os.read(reader, size))


def lines(reader):
    """The lines of the report up to its end."""
    with open(reader, 'rb') as pipe:
        return [json.loads(line) for line in pipe]


def session(report, *args):
    """A sockcat that reports to the descriptor, which is closed here, and its peer."""
    listener = tcp()
    process = subprocess.Popen(
        [os.environ['SOCKCAT'], '--report=json:fd:%d' % report, *args, '127.0.0.1', str(listener.getsockname()[1])],
        pass_fds=[report], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(report)
    return process, accept(listener)


def full_pipe():
    """The session is served while nothing is read, and a line after that has the number of those dropped."""
    reader, writer, size = filled_pipe()
    process, peer = session(writer)
    process.stdin.write(b'hello')
    process.stdin.close()
    process.stdin = None
    check(to_end(peer), b'hello')
    emptied(reader, size)
    peer.close()
    end(process)
    told = lines(reader)
    check(told[-1]['event'], 'exit', told)
    # At least that it was connected, and the end of its input.
    check(sum(line.get('dropped', 0) for line in told) >= 2, True, told)


def has_socket(process):
    """Whether the process has one open."""
    folder = '/proc/%d/fd/' % process.pid
    return any(os.readlink(folder + fd).startswith('socket:') for fd in os.listdir(folder))


def late_reader():
    """The pipe is emptied only after the session."""
    for _ in range(5):
        reader, writer, size = filled_pipe()
        process, peer = session(writer, '-d')
        peer.close()
        until(lambda: not has_socket(process), 'the end of the session')
        emptied(reader, size)
        process.wait(LIMIT)
        # This script may have slept longer than the second that is waited for.
        if process.returncode == 0:
            break
    end(process)
    told = lines(reader)
    check([line['event'] for line in told], ['exit'], told)
    check(told[0]['dropped'] >= 2, True, told)


def no_reader():
    """The pipe is never emptied."""
    reader, writer, _ = filled_pipe()
    process, peer = session(writer, '-d')
    peer.close()
    _, errors = end(process, 23)
    check(errors, b'sockcat: write fd:%d: Connection timed out\n' % writer)
    os.close(reader)


def closed_reader():
    """The pipe has no reader."""
    reader, writer = os.pipe()
    os.close(reader)
    process, peer = session(writer, '-d')
    peer.sendall(b'data')
    peer.close()
    output, errors = end(process, 23)
    check((output, errors), (b'data', b'sockcat: write fd:%d: Broken pipe\n' % writer))


def shared_flags():
    """Neither a pipe nor a socket becomes non-blocking for others."""
    for reader, writer in (os.pipe(), [one.detach() for one in socket.socketpair()]):
        shared = os.dup(writer)
        process, peer = session(writer, '-d')
        peer.sendall(b'data')
        check(process.stdout.read(4), b'data')
        check(os.get_blocking(shared), True)
        peer.close()
        end(process)
        check(os.get_blocking(shared), True)
        os.close(shared)
        check(lines(reader)[-1]['event'], 'exit')


if __name__ == '__main__':
    main()
