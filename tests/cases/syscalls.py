"""Programs around sockcat that share its standard streams."""
import contextlib
import os
import re
import socket
import subprocess
import sys
import threading

from drive import check, LIMIT, main, shim, T, tcp


class Run:
    """One sockcat under rules of the shim, with T/sent as its standard input."""

    def __init__(self, rules, *words, pass_fds=()):
        # Bytes that the kernel moves by itself pass by these.
        way = ['--no-splice'] if re.search(r'(readv|writev|recvmsg|sendmsg):', rules) else []
        env = os.environ | shim(rules, T + '/count')
        with open(T + '/sent', 'rb') as sent, open(T + '/out', 'wb') as out, open(T + '/err', 'wb') as err:
            self.process = subprocess.Popen([os.environ['SOCKCAT'], *way, *words], stdin=sent, stdout=out,
                                            stderr=err, env=env, pass_fds=pass_fds)

    def end(self):
        """The status, the output, and the error without the lines about the port and about pauses."""
        status = self.process.wait(LIMIT)
        with open(T + '/out', 'rb') as out, open(T + '/err') as err:
            return status, out.read(), re.sub(
                r'^sockcat: (listening on |accept: .*; trying again$).*\n', '', err.read(), flags=re.M)


def echo(server):
    """Echo to one client after another, whatever happens to them."""
    while True:
        client, _ = server.accept()
        with client, contextlib.suppress(OSError):
            while part := client.recv(65536):
                client.sendall(part)


def run_client(server, rules, options):
    status, out, err = Run(rules, *options, '127.0.0.1', str(server.getsockname()[1])).end()
    return status, out, err, out


def run_listener(_, rules, options):
    """The client, if the listener comes up, sends T/sent, too. The last is what the client got."""
    ready, end = os.pipe()
    run = Run(rules, '-l', '--ready-fd', str(end), *options, '127.0.0.1', '0', pass_fds=[end])
    os.close(end)
    got = b''
    with open(ready, 'rb') as pipe, open(T + '/sent', 'rb') as sent:
        if where := pipe.readline().strip():
            with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', int(where)), LIMIT) as client:
                sender = threading.Thread(target=send_all, args=(client, sent.read()))
                sender.start()
                with contextlib.suppress(OSError):
                    while part := client.recv(65536):
                        got += part
                sender.join()
    status, out, err = run.end()
    # What stands for the line about the port that was chosen, if there is no memory for it.
    return status, out, err if status else err.replace('sockcat: out of memory\n', ''), got


def send_all(client, data):
    with contextlib.suppress(OSError):
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)


def each_call_fails(role, wanted, *words):
    """Count how often sockcat makes each call of the rules (CALL:ACTION, "?" in front if it may never be made;
    "+" behind: for good), then let each of these calls fail in a run of its own.

    Either everything arrives both ways and no line is printed, or there is one line and a status that WANTED
    (a pattern) allows, and what arrived is a part of what was sent.
    """
    cut = words.index('--') if '--' in words else len(words)
    rules, options = words[:cut], words[cut + 1:]
    run = {'client': run_client, 'listener': run_listener}[role]
    server = tcp()
    server.settimeout(None)
    threading.Thread(target=echo, args=(server,), daemon=True).start()
    with open(T + '/sent', 'rb') as file:
        sent = file.read()
    for rule in rules:
        call = rule.strip('?').split(':')[0]
        check(run(server, call + ':count:*', options)[0], 0, 'even without a fault')
        with open(T + '/count') as file:
            calls = dict(line.split() for line in file)
        if call not in calls and not rule.startswith('?'):
            sys.exit(call + ' is never called: is this the right name?')
        for n in range(1, int(calls.get(call, 0)) + 1):
            what = '%s:%d%s' % (rule.strip('?+'), n, '+' if rule.endswith('+') else '')
            status, out, err, got = run(server, what, options)
            what = '%s: status %d, %s' % (what, status, err)
            if status == 0:
                check((out == sent, got == sent, err), (True, True, ''), what)
            else:
                check(re.fullmatch(wanted, str(status)) is not None, True, what)
                check(re.fullmatch(r'sockcat: .*\n', err) is not None, True, what)
                check(sent.startswith(out), True, what + 'what came is not a part of what was sent')


def sibling(path, *command):
    inr, inw = os.pipe()
    outr, outw = os.pipe()
    os.set_blocking(inr, False)
    os.set_blocking(outw, False)
    client = subprocess.Popen(command, stdin=inr, stdout=outw)
    data = open(path, 'rb').read()
    def feed():
        # Empty at first, then full: both ends of the pipe block again and again.
        for i in range(0, len(data), 100000):
            os.write(inw, data[i:i + 100000])
        os.close(inw)
    threading.Thread(target=feed).start()
    got = b''
    while len(got) < len(data):
        got += os.read(outr, 70000)
    status = client.wait()
    print(status, got == data, os.get_blocking(inr), os.get_blocking(outw))


def superserver(path, *command):
    ours, theirs = socket.socketpair()
    client = subprocess.Popen(command, stdin=theirs, stdout=theirs)
    theirs.close()
    def feed():
        with open(path, 'rb') as file:
            ours.sendall(file.read())
        ours.shutdown(socket.SHUT_WR)
    threading.Thread(target=feed).start()
    while True:
        data = ours.recv(65536)
        if not data:
            break
        sys.stdout.buffer.write(data)
    sys.exit(client.wait())


if __name__ == '__main__':
    main()
