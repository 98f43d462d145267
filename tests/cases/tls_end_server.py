#!/usr/bin/env python3
"""A server with TLS of the kind that is asked for, on a free port of 127.0.0.1.

    tls_end_server.py KIND FOLDER [BACKEND-PORT]

FOLDER/port gets its number. The certificate is in $CERTIFICATES. The answer comes half a second after
the request: a server that ends when the client does has ended by then. Of a server that only decrypts, the
backend is one of end_server.py.
"""
import asyncio
import os
import re
import socket
import ssl
import subprocess
import sys
import time

from end_server import BODY, DELAY, Slow

C = os.environ['CERTIFICATES']
PAGE = b'HTTP/1.0 200 OK\r\n\r\n' + BODY

NODE = {
    'node-https': 'require("https").createServer(how, (request, response) => setTimeout(() => response.end({body}), {delay}))',
    'node-tls': 'require("tls").createServer(how, c => c.once("data", () => setTimeout(() => c.end({page}), {delay})))',
    'node-half': 'require("tls").createServer({{...how, allowHalfOpen: true}},'
                 ' c => c.once("data", () => setTimeout(() => c.end({page}), {delay})))',
}

# Configurations; a program that does not take the socket of this one asks the kernel for a port.
FILES = {
    'nginx': """{user} daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {c}/good.crt; ssl_certificate_key {c}/good.key;
    server {{ listen 127.0.0.1:{port} ssl; location / {{ proxy_pass http://127.0.0.1:{backend}; }} }}
}}
""",
    'haproxy': """defaults
    mode {mode}
    timeout connect 30s
    timeout client 60s
    timeout server 60s
listen it
    bind fd@{fd} ssl crt {c}/together.pem
    server backend 127.0.0.1:{backend}
""",
    'stunnel': 'foreground=yes\npid=\n[it]\naccept=127.0.0.1:0\nconnect=127.0.0.1:{backend}\n'
               'cert={c}/good.crt\nkey={c}/good.key\n',
    'hitch': 'frontend = "[127.0.0.1]:0"\nbackend = "[127.0.0.1]:{backend}"\npem-file = "{c}/together.pem"\n'
             'daemon = off\nworkers = 1\n{owner}',
    'caddy': """{{
    auto_https off
    admin off
    skip_install_trust
    servers {{
        protocols h1
    }}
}}
https://localhost:0 {{
    bind 127.0.0.1
    tls {c}/good.crt {c}/good.key
    reverse_proxy 127.0.0.1:{backend}
}}
""",
}

COMMANDS = {
    'nginx': 'nginx -c {config}',
    'haproxy': 'haproxy -db -f {config}',
    'stunnel': 'stunnel4 {config}',
    'hitch': 'hitch --config={config}',
    'caddy': 'caddy run --adapter caddyfile --config {config}',
    'gnutls': 'gnutls-serv --http -p 0 --x509certfile {c}/good.crt --x509keyfile {c}/good.key',
    'openssl': 'openssl s_server -accept 127.0.0.1:0 -cert {c}/good.crt -key {c}/good.key -www',
    'socat': 'socat OPENSSL-LISTEN:0,bind=127.0.0.1,fork,cert={c}/together.pem,verify=0 TCP:127.0.0.1:{backend}',
    'ncat': 'ncat -lk --ssl --ssl-cert {c}/good.crt --ssl-key {c}/good.key -e {folder}/answer 127.0.0.1 0',
}


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(C + '/good.crt', C + '/good.key')
    return made


async def serve_asyncio(listener):
    server = await asyncio.get_running_loop().create_server(Slow, sock=listener, ssl=context())
    await server.serve_forever()


def serve_python(listener):
    """One client after the other; each connection is ended by close_notify."""
    made = context()
    while True:
        with made.wrap_socket(listener.accept()[0], server_side=True) as s:
            while b'\r\n\r\n' not in s.recv(65536):
                pass
            time.sleep(DELAY)
            s.sendall(PAGE)
            s.unwrap()


def write(path, text, mode=0o644):
    with open(path + '.new', 'w') as file:
        file.write(text)
    os.chmod(path + '.new', mode)
    os.rename(path + '.new', path)


def find_port(pid, path):
    """The port at which the process, or a child of it, listens, goes to the file."""
    def is_his(candidate):
        try:
            with open('/proc/%d/stat' % candidate) as file:
                return pid in (candidate, int(file.read().rpartition(')')[2].split()[1]))
        except OSError:
            return False
    while os.path.exists('/proc/%d' % pid):
        for line in subprocess.run(['ss', '-Hltnp'], stdout=subprocess.PIPE).stdout.decode().splitlines():
            if any(is_his(int(found)) for found in re.findall(r'pid=(\d+)', line)):
                write(path, line.split()[3].rpartition(':')[2] + '\n')
                return
        time.sleep(0.02)


def find_in_background(pid, path):
    """By a process that is no child of the server: ncat counts those that end."""
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            find_port(pid, path)
        os._exit(0)
    os.waitpid(child, 0)


def main():
    kind, folder = sys.argv[1:3]
    backend = sys.argv[3] if len(sys.argv) > 3 else None
    name, _, mode = kind.partition('-')
    inherits = name in ('nginx', 'haproxy', 'node', 'asyncio', 'python')
    port = fd = None
    if inherits:
        listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        listener.set_inheritable(True)
        port, fd = listener.getsockname()[1], listener.fileno()
        write(folder + '/port', '%d\n' % port)
    else:
        find_in_background(os.getpid(), folder + '/port')
    if name == 'asyncio':
        asyncio.run(serve_asyncio(listener))
    elif name == 'python':
        serve_python(listener)
    elif name == 'node':
        text = {key: repr(value.decode()) for key, value in (('body', BODY), ('page', PAGE))}
        os.execvp('node', ['node', '-e', 'const fs = require("fs"), how = {cert: fs.readFileSync("%s/good.crt"),'
                           ' key: fs.readFileSync("%s/good.key")}; %s.listen({fd: %d})' % (
                               C, C, NODE[kind].format(delay=int(DELAY * 1000), **text), fd)])
    root = os.geteuid() == 0
    words = {'c': C, 'folder': folder, 'backend': backend, 'port': port, 'fd': fd, 'mode': mode, 'config': folder + '/config',
             'user': 'user root;' if root else '', 'owner': 'user = "root"\n' if root else ''}
    write(folder + '/answer', '#!/bin/sh\nread -r line\nsleep %g\nprintf "HTTP/1.0 200 OK\\r\\n\\r\\nthe page\\n"\n' % DELAY, 0o755)
    if name in FILES:
        write(words['config'], FILES[name].format(**words))
    if name == 'caddy':
        os.environ.update(HOME=folder, XDG_DATA_HOME=folder, XDG_CONFIG_HOME=folder)
    if name == 'nginx':
        os.environ['NGINX'] = '%d;' % fd
    command = COMMANDS[name].format(**words).split()
    os.execvp(command[0], command)


main()
