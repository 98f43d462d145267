#!/usr/bin/env python3
"""An HTTP server of the kind that is asked for, on a free port of 127.0.0.1.

    end_server.py KIND FOLDER [BACKEND-PORT]

The listening socket is made here and passed on, so that it can be reached as soon as FOLDER/port
has its number. FOLDER/big is the static file. The answer comes half a second after the request:
a server that ends a half-closed connection has ended it by then.
"""
import asyncio
import http.server
import os
import socket
import sys
import time

DELAY = 0.5
BODY = b'the page\n'

NGINX = """
{user} daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location /big {{ root {folder}; }}
        location / {{ proxy_pass http://127.0.0.1:{backend}; }}
    }}
}}
"""

HAPROXY = """
defaults
    mode {mode}
    timeout connect 30s
    timeout client 60s
    timeout server 60s
listen it
    bind fd@{fd}
    server backend 127.0.0.1:{backend}
"""


class Slow(asyncio.Protocol):
    """As the servers that are built on asyncio.Protocol: a half-closed connection is closed."""

    def connection_made(self, transport):
        self.transport, self.request = transport, b''

    def data_received(self, data):
        self.request += data
        if b'\r\n\r\n' in self.request:
            asyncio.get_running_loop().call_later(DELAY, self.answer)
            self.request = b''

    def answer(self):
        self.transport.write(b'HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s' % (len(BODY), BODY))
        self.transport.close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(DELAY)
        self.send_response(200)
        self.send_header('Content-Length', str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)


async def serve_asyncio(listener):
    server = await asyncio.get_running_loop().create_server(Slow, sock=listener)
    await server.serve_forever()


def serve_python(listener):
    server = http.server.HTTPServer(('127.0.0.1', 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.serve_forever()


def run(command, folder, config):
    path = os.path.join(folder, 'config')
    with open(path, 'w') as file:
        file.write(config)
    os.execvp(command[0], command + [path])


def main():
    kind, folder = sys.argv[1:3]
    backend = sys.argv[3] if len(sys.argv) > 3 else None
    listener = socket.create_server(('127.0.0.1', 0), backlog=64)
    listener.set_inheritable(True)
    port, fd = listener.getsockname()[1], listener.fileno()
    with open(os.path.join(folder, 'port.new'), 'w') as file:
        file.write('%d\n' % port)
    os.rename(os.path.join(folder, 'port.new'), os.path.join(folder, 'port'))
    if kind == 'asyncio':
        asyncio.run(serve_asyncio(listener))
    elif kind == 'python':
        serve_python(listener)
    elif kind == 'node':
        run(['node'], folder, 'require("http").createServer((request, response) => setTimeout('
            '() => response.end("the page\\n"), %d)).listen({fd: %d})' % (DELAY * 1000, fd))
    elif kind == 'nginx':
        os.environ['NGINX'] = '%d;' % fd
        run(['nginx', '-c'], folder, NGINX.format(folder=folder, port=port, backend=backend,
            user='user root;' if os.geteuid() == 0 else ''))
    else:
        run(['haproxy', '-db', '-f'], folder,
            HAPROXY.format(mode=kind.split('-')[1], fd=fd, backend=backend))


if __name__ == '__main__':
    main()
