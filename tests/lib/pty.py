#!/usr/bin/env python3
"""Runs a command on a pseudo-terminal, as a user at a keyboard would see it.

    pty.py [--fds DIGITS] [--out FILE] [--raw] [STEP...] -- COMMAND ARG...

The command leads a session of its own, whose controlling terminal the pseudo-terminal is. Of its
descriptors 0, 1, 2 those in DIGITS (default 012) are the terminal, all the same open file; the
others are pty.py's. --raw: the terminal neither echoes nor translates. All that the terminal
shows goes to FILE, also while a step waits.

Steps  (TEXT with Python's escapes)
  type:TEXT typefile:PATH    as from the keyboard
  see:TEXT                   wait until the terminal has shown TEXT, behind what the last see found
  waitfor:PATH touch:PATH    wait until the file exists; make it
  hold go                    stop showing, so that the terminal fills up; go on
  mode                       print whether modes and flags of the terminal are the first ones
  hangup                     the line is cut: the terminal is gone
After the last step the end of the command is awaited, and mode printed again. No step lasts
longer than 20 s.

Status: the command's, 128+n after signal n; 99: a step failed, told on standard error.
"""
import fcntl
import os
import select
import signal
import sys
import termios
import time
import tty

LIMIT = 20 * int(os.environ.get('LAST_RESORT', '1'))


class Failed(Exception):
    """A step that did not do what it says."""


class Terminal:
    def __init__(self, options):
        self.options = options
        self.master, self.slave = os.openpty()
        if options['raw']:
            tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.first = self.state()
        self.out = os.open(options['out'], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        self.shown, self.seen, self.status, self.held = bytearray(), 0, None, False
        self.child = None

    def state(self):
        flags = fcntl.fcntl(self.slave, fcntl.F_GETFL)
        return flags, termios.tcgetattr(self.slave)

    def start(self, command):
        self.child = os.fork()
        if self.child:
            return
        try:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for digit in self.options['fds']:
                os.dup2(self.slave, int(digit))
            for name in ('SIGINT', 'SIGQUIT', 'SIGPIPE', 'SIGXFSZ'):
                signal.signal(getattr(signal, name), signal.SIG_DFL)
            os.execvp(command[0], command)
        except OSError as error:
            os.write(2, ('pty.py: %s: %s\n' % (command[0], error)).encode())
        os._exit(127)

    def show(self, seconds):
        """Shows the output within the time; False at its end."""
        if self.held or self.master is None:
            time.sleep(seconds)
            return True
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:  # EIO: no process has the terminal open any more
            return False
        self.shown += data
        os.write(self.out, data)
        return bool(data)

    def ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.child, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def until(self, what, condition):
        end = time.monotonic() + LIMIT
        while not condition():
            if time.monotonic() > end:
                raise Failed('%s: not within %d s' % (what, LIMIT))
            self.show(0.01)

    # -- the steps --

    def do_see(self, text):
        def found():
            at = self.shown.find(text, self.seen)
            if at < 0:
                return False
            self.seen = at + len(text)
            return True
        self.until('see %r' % text, found)

    def do_type(self, data):
        end = time.monotonic() + LIMIT
        while data:
            try:
                data = data[os.write(self.master, data):]
            except BlockingIOError:
                if time.monotonic() > end:
                    raise Failed('what is typed is not read') from None
                self.show(0.01)

    def do_typefile(self, path):
        with open(path, 'rb') as file:
            self.do_type(file.read())

    def do_waitfor(self, path):
        self.until('waitfor %r' % path, lambda: os.path.lexists(path))

    def do_touch(self, path):
        with open(path, 'ab'):
            pass

    def do_hold(self):
        self.held = True

    def do_go(self):
        self.held = False

    def do_mode(self):
        now = self.state()
        print('unchanged' if now == self.first else 'changed: %r to %r' % (self.first, now),
              flush=True)

    def do_hangup(self):
        os.close(self.slave)
        os.close(self.master)
        self.slave = self.master = None

    def step(self, text):
        name, _, rest = text.partition(':')
        step = getattr(self, 'do_' + name, None)
        if step is None:
            raise Failed('there is no such step')
        if name in ('see', 'type'):
            step(rest.encode().decode('unicode_escape').encode('latin-1'))
        elif rest:
            step(rest)
        else:
            step()

    def finish(self):
        self.held = False
        self.until('the end of the command', self.ended)
        if self.master is not None:
            self.do_mode()
            os.close(self.slave)
            end = time.monotonic() + LIMIT
            while time.monotonic() < end and self.show(1):
                pass
        return self.status if self.status >= 0 else 128 - self.status


def main():
    options = {'fds': '012', 'out': '/dev/null', 'raw': False}
    args = sys.argv[1:]
    split = args.index('--')
    steps, command = args[:split], args[split + 1:]
    while steps and steps[0].startswith('--'):
        name = steps.pop(0)[2:]
        options[name] = True if name == 'raw' else steps.pop(0)
    terminal = Terminal(options)
    terminal.start(command)
    now = 'finish'
    try:
        for now in steps:
            terminal.step(now)
        now = 'finish'
        return terminal.finish()
    except (Failed, OSError) as error:
        print('pty.py: %.200s: %s; shown: %r' % (now, error, bytes(terminal.shown[-500:])),
              file=sys.stderr)
        if not terminal.ended():
            os.killpg(terminal.child, signal.SIGKILL)
        return 99


if __name__ == '__main__':
    sys.exit(main())
