"""Every row of tasks.tsv does what it says, with servers for HTTP and echo at the usual ports of a network
namespace.
"""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading

from drive import LIMIT, T, until


def echo(server, answer):
    def serve(client):
        data = client.recv(65536)
        if data and answer:
            client.sendall(answer)
        while data and not answer:
            client.sendall(data)
            data = client.recv(65536)
        client.close()
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()


def echo_datagrams(server):
    while True:
        data, peer = server.recvfrom(65536)
        server.sendto(data, peer)


def serve(target, *args):
    threading.Thread(target=target, args=args, daemon=True).start()


def listening():
    """What listens in this namespace."""
    return set(subprocess.run(['ss', '-Hltuxn'], stdout=subprocess.PIPE, check=True).stdout.splitlines())


def run(command, folder, name):
    return subprocess.Popen(['bash', '-c', command], cwd=folder, stdin=subprocess.DEVNULL, start_new_session=True,
                            stdout=open(folder + '/' + name, 'wb'), stderr=open(folder + '/' + name + '.err', 'wb'))


def text(folder, name):
    with open(folder + '/' + name, errors='replace') as file:
        return file.read()


def play(row, folder):
    """What is wrong with a row."""
    typed, other, status, output, error = row
    os.symlink(T + '/echo.sock', folder + '/echo.sock')
    with open(folder + '/file', 'wb') as file:
        file.write(os.urandom(100000))
    before, theirs = listening(), ''
    process = run('exec ' + typed if other != '-' else typed, folder, 'out')
    if other != '-':
        until(lambda: listening() - before or process.poll() is not None, typed)
        subprocess.run(['timeout', str(LIMIT), 'bash', '-c', other], cwd=folder, check=False,
                       stdin=subprocess.DEVNULL, stdout=open(folder + '/other', 'wb'))
        theirs = text(folder, 'other')
    if status == 'term':
        process.send_signal(signal.SIGTERM)
    ended = process.wait(LIMIT)
    until(lambda: not listening() - before, typed)
    ours, said = text(folder, 'out'), text(folder, 'out.err')
    said = ''.join(line for line in said.splitlines(True) if 'listening on' not in line or '-v' in typed)
    if ended != (-signal.SIGTERM if status == 'term' else int(status)):
        return 'status %d' % ended, ours, said, theirs
    shown = theirs if output.startswith('=') else ours
    wanted = output.lstrip('=')
    if (wanted == '-' and shown and output == '-') or (wanted != '-' and wanted not in shown):
        return 'output', ours, said, theirs
    if (error == '-' and said) or (error != '-' and error not in said):
        return 'message', ours, said, theirs
    return None


http, tcp = socket.create_server(('', 80)), socket.create_server(('', 7))
udp, unix = socket.socket(type=socket.SOCK_DGRAM), socket.socket(socket.AF_UNIX)
udp.bind(('', 7))
unix.bind(T + '/echo.sock')
unix.listen()
serve(echo, http, b'HTTP/1.0 200 OK\r\n\r\nhello\n')
serve(echo, tcp, b'')
serve(echo, unix, b'')
serve(echo_datagrams, udp)
os.makedirs(T + '/bin')
os.symlink(os.environ['SOCKCAT'], T + '/bin/sockcat')
os.environ['PATH'] = T + '/bin:' + os.environ['PATH']
with open(os.path.join(os.path.dirname(__file__), 'tasks.tsv')) as table:
    rows = [line.rstrip('\n').split('\t') for line in table if not line.startswith('#')]
bad = []
for row in rows:
    problem = play(row, tempfile.mkdtemp(dir=T))
    if problem:
        bad.append('%s\n    %s: %r %r %r' % (row[0], *problem))
if bad or len(rows) < 40:
    sys.exit('\n'.join(bad) or 'only %d rows' % len(rows))
