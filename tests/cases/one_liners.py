"""One-liners with nc as scripts and manuals have them, run with sockcat under the name nc and with OpenBSD's.

one_liners.tsv: server, command, and why the results differ ('': they are the same). The server is one of SERVERS, at $P or, for a Unix socket, $S; $C is a closed port, $L and $M are free ones, $D is a directory of the row, and
"up" waits for a listener.
"""
import concurrent.futures
import http.server
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import threading

from drive import LIMIT, T, main

PRELUDE = r'''
up() { until ss -Hltuxn | grep -q "[:*/]${1##*/} "; do sleep 0.02; done; }
reap() { kill "$@" 2>/dev/null; wait "$@" 2>/dev/null; }
cd "$D"; exec 2>&1
'''


class Server:
    """One of SERVERS for one run of a row; `got` is what it received."""

    def __init__(self, kind, directory):
        self.got, self.kind, self.ending = b'', kind, False
        self.path = os.path.join(directory, 'server.sock')
        family = socket.AF_UNIX if kind.startswith('unix') else socket.AF_INET
        datagrams = kind.startswith('udp')
        self.socket = socket.socket(family, socket.SOCK_DGRAM if datagrams else socket.SOCK_STREAM)
        self.socket.bind(self.path if family == socket.AF_UNIX else ('127.0.0.1', 0))
        self.port = 0 if family == socket.AF_UNIX else self.socket.getsockname()[1]
        if kind == 'none':
            self.socket.close()
            return
        if not datagrams:
            self.socket.listen(20)
        self.clients = []
        self.main = threading.Thread(target=self.datagrams if datagrams else self.accept, daemon=True)
        self.main.start()

    def finish(self):
        """Take all that has been sent, by clients that have ended."""
        if self.kind == 'none':
            return
        self.ending = True
        with socket.socket(self.socket.family, self.socket.type) as last:
            last.connect(self.socket.getsockname())
            if self.kind.startswith('udp'):
                last.send(b'')
            self.main.join(LIMIT)
        for client in self.clients:
            client.join(LIMIT)
        self.socket.close()

    def accept(self):
        while True:
            client = self.socket.accept()[0]
            if self.ending and not select.select([self.socket], [], [], 0)[0]:
                client.close()
                return
            self.clients.append(threading.Thread(target=self.serve, args=(client,), daemon=True))
            self.clients[-1].start()

    def serve(self, client):
        try:
            SERVERS[self.kind](self, client)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        except OSError:
            pass
        client.close()

    def datagrams(self):
        while True:
            data, peer = self.socket.recvfrom(65536)
            if self.ending and not data:
                return
            # What nc sends to test a port.
            self.got += data if data != b'X' else b''
            if self.kind == 'udp-echo' and data:
                self.socket.sendto(b'echo ' + data, peer)

    def lines(self, client):
        with client.makefile('rb') as file:
            for line in file:
                self.got += line
                yield line.strip()


def http_server(server, client):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b'hello from %s\n' % self.path.encode()
            self.send_response(200)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        do_POST = do_HEAD = do_GET
        version_string = date_time_string = lambda self: 'x'
        log_message = lambda self, *args: None
    Handler(client, ('127.0.0.1', 0), None)


def memcached(server, client):
    for line in server.lines(client):
        if line == b'quit':
            return
        client.sendall({b'stats': b'STAT pid 1\r\nSTAT uptime 2\r\nEND\r\n', b'version': b'VERSION 1.6\r\n',
                        b'flush_all': b'OK\r\n'}.get(line, b'ERROR\r\n'))


def redis(server, client):
    for line in server.lines(client):
        if line.upper() == b'QUIT':
            client.sendall(b'+OK\r\n')
            return
        client.sendall(b'+PONG\r\n' if line.upper() == b'PING' else b'$7\r\nrole:me\r\n')


def zookeeper(server, client):
    for line in server.lines(client):
        client.sendall(b'imok' if line == b'ruok' else b'Mode: standalone\n')
        return


def smtp(server, client):
    client.sendall(b'220 mail ESMTP\r\n')
    body = False
    for line in server.lines(client):
        if body:
            body = line != b'.'
        if not body:
            body = line == b'DATA'
            client.sendall({b'QUIT': b'221 bye\r\n', b'DATA': b'354 go on\r\n'}.get(line, b'250 ok\r\n'))
        if line == b'QUIT':
            return


def banner(server, client):
    """Greets, and keeps the connection open until the client ends it."""
    client.sendall(b'SSH-2.0-test\r\n')
    sink(server, client)


def greeting(server, client):
    client.sendall(b'hello\n')


def sink(server, client):
    while data := client.recv(65536):
        server.got += data


def echo(server, client):
    while data := client.recv(65536):
        server.got += data
        client.sendall(data)


def reply(server, client):
    """Answers when the client has ended its sending."""
    sink(server, client)
    client.sendall(b'%d bytes\n' % len(server.got))


def monitor(server, client):
    """As QEMU's: greets, answers each line, and stays."""
    client.sendall(b'{"QMP": {}}\r\n')
    for _ in server.lines(client):
        client.sendall(b'{"return": {}}\r\n')


def telnet(server, client):
    """Asks for an option, and says what the answer was."""
    client.sendall(b'\xff\xfd\x01')
    client.sendall(client.recv(3, socket.MSG_WAITALL).hex().encode() + b'\n')


SERVERS = {'telnet': telnet, 'none': None, 'http': http_server, 'memcached': memcached, 'redis': redis, 'zookeeper': zookeeper, 'smtp': smtp,
           'banner': banner, 'greeting': greeting, 'sink': sink, 'echo': echo, 'reply': reply, 'udp-sink': None,
           'udp-echo': None, 'unix-monitor': monitor, 'unix-echo': echo, 'unix-reply': reply}


def free_port():
    with socket.socket() as one:
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


def run(row, name, program):
    """Status, output and what the server received, without what is not the same in every run."""
    number, server, command = row[:3]
    directory = os.path.join(T, '%d.%s' % (number, name))
    os.makedirs(directory + '/bin')
    for link in ('nc', 'netcat'):
        os.symlink(program, os.path.join(directory, 'bin', link))
    server = Server(server, directory)
    names = {'P': server.port, 'S': server.path, 'C': free_port(), 'L': free_port(), 'M': free_port(), 'D': directory}
    env = dict(os.environ, PATH=directory + '/bin:' + os.environ['PATH'], **{key: str(names[key]) for key in names})
    shell = subprocess.Popen(['bash', '-c', PRELUDE + command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             env=env, start_new_session=True)
    try:
        output, status = shell.communicate(timeout=2 * LIMIT)[0], shell.returncode
    except subprocess.TimeoutExpired:
        output, status = b'', 'no end'
    try:
        os.killpg(shell.pid, 9)
    except ProcessLookupError:
        pass
    server.finish()
    text = output.decode(errors='backslashreplace')
    for key in 'PCLMSD' if server.port else 'CLMSD':
        text = re.sub(r'(?<![0-9])%s(?![0-9])' % re.escape(str(names[key])), '$' + key, text)
    # The port of a client, and the name of its address.
    text = re.sub(r'(received on) (localhost|127\.0\.0\.1) [0-9]+', r'\1 CLIENT', text)
    text = re.sub(r'(Listening on|Bound on) localhost', r'\1 127.0.0.1', text)
    return status, text, server.got


def programs():
    """Sockcat, and OpenBSD's nc where it is installed."""
    found = {'sockcat': os.path.abspath(os.environ['SOCKCAT']), 'nc': shutil.which('nc.openbsd')}
    return {name: path for name, path in found.items() if path}


def table(name):
    with open(os.path.join(os.path.dirname(__file__), name), encoding='utf-8') as file:
        return [(i, *line.rstrip('\n').split('\t')) for i, line in enumerate(file) if line[0] not in '#\n']


def run_all(rows):
    """The row and the results of each program, of all rows."""
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        runs = [(row, {name: pool.submit(run, row, name, path) for name, path in programs().items()}) for row in rows]
        for row, results in runs:
            yield row, {name: result.result() for name, result in results.items()}


def again(row, good):
    """On a busy machine a limit of a second may pass too early: whether the row is good the next time."""
    return any(good({name: run(row, '%s%d' % (name, i), path) for name, path in programs().items()}) for i in range(2))


def both():
    """A row gives the same with both programs, unless it has a reason."""
    wrong = 0
    rows = table('one_liners.tsv')
    for row, results in run_all(rows):
        def good(results, row=row):
            return (results['sockcat'] == results['nc']) == (row[3] == '')
        if not good(results) and not again(row, good):
            wrong += 1
            print('%s: %s\n  sockcat: %r\n  nc:      %r' % (row[1], row[2], results['sockcat'], results['nc']))
    if wrong:
        sys.exit('%d of %d differ' % (wrong, len(rows)))


def claims():
    """A row prints what it says, with both programs: server, command, output, claim."""
    wrong = 0
    for row, results in run_all(table('nc_claims.tsv')):
        def good(results, row=row):
            return all(result[1] == row[3].encode().decode('unicode_escape') for result in results.values())
        if not good(results) and not again(row, good):
            wrong += 1
            print('not so: %s\n  %s: %s\n  wanted: %s' % (row[4], row[1], row[2], row[3]))
            for name, result in results.items():
                print('  %s: %r' % (name, result[1]))
    if wrong:
        sys.exit('%d claims do not hold' % wrong)


if __name__ == '__main__':
    main()
