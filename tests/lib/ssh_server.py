#!/usr/bin/env python3
"""A small ssh server for the tests, on port 22 of 127.0.0.1 (in a network namespace of the test):
accepts every user and runs the command that is asked for. A real sshd would have to be installed, and
would then serve the machine, too.

    ssh_server.py HOST_KEY      writes "ready" when it listens
"""
import socket
import subprocess
import sys
import threading

import paramiko


class Server(paramiko.ServerInterface):
    def get_allowed_auths(self, username):
        return "none"

    def check_auth_none(self, username):
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED if kind == "session" else paramiko.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel, command):
        threading.Thread(target=run, args=(channel, command), daemon=True).start()
        return True


def run(channel, command):
    """Like sshd, but the output is sent when the command has ended."""
    process = subprocess.Popen(["sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    threading.Thread(target=feed, args=(channel, process.stdin), daemon=True).start()
    channel.sendall(process.stdout.read())
    channel.send_exit_status(process.wait())
    channel.close()


def feed(channel, pipe):
    try:
        with pipe:
            while data := channel.recv(1 << 15):
                pipe.write(data)
    except BrokenPipeError:
        pass


def main():
    key = paramiko.RSAKey.from_private_key_file(sys.argv[1])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 22))
    listener.listen(8)
    print("ready", flush=True)
    transports = []
    while True:
        connection, _ = listener.accept()
        transport = paramiko.Transport(connection)
        transport.add_server_key(key)
        transport.start_server(server=Server())
        transports.append(transport)


main()
