#!/usr/bin/env python3
"""Asks an interactive bash or zsh, on a terminal of its own, what it would complete.

    complete_pty.py SHELL FOLDER ERRORS LINE
    complete_pty.py SHELL FOLDER ERRORS

Types LINE and has the shell put all that it offers into the line, as keys do that exist for that; prints
one offer per line, sorted, as the words that the line would then have. FOLDER has the completions; what
they write to standard error goes to the file ERRORS. The shell reads no file of the user's or the system's.
Without LINE it types each line of standard input, in the same shell, and a NUL ends what it prints for it.
zsh keeps what it has found out about all completions in the file $COMPDUMP, because that takes it half a second.
Status 1 if the shell does not answer within 30 s, or more on a slow machine.
"""
import os
import pathlib
import select
import shlex
import signal
import sys
import tempfile
import time

LIMIT = 30 * int(os.environ.get('LAST_RESORT', '1'))
PROMPT = b"ask> "
KEYS = b"\x18a"  # ^X a: all that is offered; bash: ^X b, show the line
RC = {
    "bash": r"""
PS1='ask> ' HISTFILE=
. "$FOLDER/sockcat.bash"
complete -p sockcat >/dev/null || exit
# The function that is registered, but with its errors in a file.
eval "asked$(declare -f _sockcat)"
_sockcat() { asked_sockcat "$@" 2>>"$ERRORS"; }
show() { printf '%s\0' "$READLINE_LINE" >"$ANSWER"; READLINE_LINE='' READLINE_POINT=0; }
bind '"\C-xa": insert-completions'
bind -x '"\C-xb": show'
""",
    "zsh": r"""
PS1='ask> '
unsetopt promptcr promptsp
fpath=("$FOLDER" $fpath)
autoload -Uz compinit
compinit -C -d "$COMPDUMP"
(( $+_comps[sockcat] )) || exit
autoload +X _sockcat
functions[asked_sockcat]=$functions[_sockcat]
_sockcat() { asked_sockcat "$@" 2>>"$ERRORS"; }
insert-all() { compstate[insert]=all compstate[list]=; }
# The completer of Tab, and then everything at once.
zle -C all complete-word ask-all
ask-all() { comppostfuncs=(insert-all); _main_complete; }
show() { zle all; printf '%s\0' "$BUFFER" >"$ANSWER"; BUFFER=; }
zle -N show
bindkey '^Xa' show
""",
}


class Shell:
    """A shell on a pseudo-terminal."""

    def __init__(self, name, folder, errors, home):
        self.answer = os.path.join(home, "answer")
        os.mkfifo(self.answer)
        self.reader = os.open(self.answer, os.O_RDWR)
        rc = pathlib.Path(home, ".zshrc")
        rc.write_text(RC[name], encoding="utf-8")
        environment = {"COMPDUMP": os.path.join(home, "dump"), **os.environ, "FOLDER": folder, "ERRORS": errors, "ANSWER": self.answer,
                       "ZDOTDIR": home, "TERM": "dumb", "LC_ALL": "C", "INPUTRC": "/dev/null"}
        command = {"bash": ["bash", "--noprofile", "--rcfile", str(rc), "-i"], "zsh": ["zsh", "-d", "-i"]}[name]
        self.pid, self.terminal = os.forkpty()
        if self.pid == 0:
            os.execvpe(command[0], command, environment)
        self.end = 0
        self.shown = b""

    def until(self, ready):
        """Takes what the terminal shows until ready() says so."""
        while not ready():
            left = self.end - time.monotonic()
            files = select.select([self.terminal, self.reader], [], [], max(left, 0))[0]
            if self.terminal in files:
                try:
                    self.shown += os.read(self.terminal, 65536)
                except OSError:
                    raise SystemExit(f"the shell ended: {self.shown.decode(errors='replace')}") from None
            if not files:
                raise SystemExit(f"no answer: {self.shown.decode(errors='replace')}")
            if self.reader in files:
                return

    def ask(self, line):
        """The line with all offers in it."""
        self.end = time.monotonic() + LIMIT
        self.until(lambda: PROMPT in self.shown)
        os.write(self.terminal, line.encode() + KEYS + b"\x18b")
        self.until(lambda: False)
        text = b""
        while not text.endswith(b"\0"):
            text += os.read(self.reader, 65536)
        return text[:-1].decode()

    def close(self):
        """Ends the shell."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def offers(line, answer):
    """The words that were put into the line."""
    # Unchanged: there was nothing to offer. Otherwise the last word has made room for the offers.
    if answer == line:
        return []
    before = line[:len(line) - len(line.split(" ")[-1])]
    if not answer.startswith(before):
        raise SystemExit(f"'{line}' became '{answer}'")
    return sorted(set(shlex.split(answer[len(before):])))


def main():
    name, folder, errors, *lines = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with tempfile.TemporaryDirectory() as home:
        shell = Shell(name, os.path.abspath(folder), os.path.abspath(errors), home)
        try:
            for line in lines or map(lambda line: line.removesuffix("\n"), sys.stdin):
                offered = "".join(f"{offer}\n" for offer in offers(line, shell.ask(line)))
                print(offered, end="" if lines else "\0", flush=True)
        finally:
            shell.close()


if __name__ == "__main__":
    main()
