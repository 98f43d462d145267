# The chat: lines with names, joins and leaves, control characters made harmless, and the terminal
# of whoever runs it taking part.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets the variables
bats_require_minimum_version 1.5.0
load lib/helper

setup() {
    helper_setup
    need python3
    cat >"$T/room.py" <<'PY'
from drive import *

class Guest:
    def __init__(self, cat):
        self.s, self.got = socket.create_connection(cat.address(), LIMIT), b''

    def say(self, words):
        self.s.sendall(words)

    def hears(self, words):
        """This is what comes next."""
        while len(self.got) < len(words):
            self.got += self.s.recv(4096) or sys.exit('the end instead of %r, after %r' % (words, self.got))
        check(self.got[:len(words)], words)
        self.got = self.got[len(words):]

def room(*options, **more):
    return Cat('-l', '-k', '--chat', *options, '127.0.0.1', '0', **more)
PY
}

room() { { cat "$T/room.py" && cat; } | drive; }

@test "what one says the others hear, with its number, and it does not" {
    room <<'PY'
cat = room()
one, two, three = Guest(cat), Guest(cat), Guest(cat)
one.hears(b'* user2 joined\n* user3 joined\n')
two.hears(b'* user3 joined\n')
one.say(b'hello\n')
two.hears(b'<user1> hello\n')
three.hears(b'<user1> hello\n')
three.say(b'with a carriage return\r\n\n\r\nand two lines\n')
for guest in one, two:
    guest.hears(b'<user3> with a carriage return\n<user3> and two lines\n')
three.s.close()
one.hears(b'* user3 left\n')
PY
}

@test "control characters are shown, and cannot make a line of their own" {
    room <<'PY'
cat = room()
one, two = Guest(cat), Guest(cat)
one.hears(b'* user2 joined\n')
two.say(b'\x1b[2J\rx\x07\xff\xc2\x9b\n')
one.hears(b'<user2> ^[[2J^Mx^G\\xff\\u009b\n')
PY
}

@test "a line changes one's name, if it is one" {
    room <<'PY'
cat = room()
one, two = Guest(cat), Guest(cat)
one.hears(b'* user2 joined\n')
two.say(b'/nick bob\nhi\n/nick a b\n/nick ' + b'x' * 33 + b'\n/nick\nbye\n')
one.hears(b'* user2 is now bob\n<bob> hi\n<bob> /nick\n<bob> bye\n')
PY
}

@test "whoever runs it takes part" {
    room <<'PY'
back, front = os.pipe()
cat = room('--nick', 'host', stdin=back)
one = Guest(cat)
one.say(b'anybody?\n')
cat.await_output(b'* user1 joined\n<user1> anybody?\n')
os.write(front, b'me\n')
one.hears(b'<host> me\n')
os.close(front)
one.say(b'still?\n')
cat.await_output(b'* user1 joined\n<user1> anybody?\n<user1> still?\n')
PY
}

@test "whoever runs it gets all that was said, however late it is read, before the chat ends" {
    room <<'PY'
for ends in [], ['--max-accepts', '2']:
    r, w = os.pipe()
    back, front = os.pipe()
    cat = room('--queue', '8M', *ends, stdin=back, stdout=w)
    os.close(w)
    os.write(front, b'an unfinished li' if not ends else b'')
    one, two = Guest(cat), Guest(cat)
    one.hears(b'* user2 joined\n')
    for _ in range(600):
        one.say(b'x' * 4999 + b'\n')
        two.hears(b'<user1> ' + b'x' * 4999 + b'\n')
    one.s.close()
    two.hears(b'* user1 left\n')
    two.s.close()
    if not ends:
        cat.send(signal.SIGTERM)
    got = b''
    while part := os.read(r, 1 << 20):
        got += part
    cat.end(0 if ends else -signal.SIGTERM)
    check(got.count(b'x'), 600 * 4999)
    if ends:
        check(got[got.rindex(b'x') + 2:], b'* user1 left\n* user2 left\n')
    check(cat.errors().count('\n'), 1)
PY
}

@test "when the last has left, who runs it is heard no more, and its input is not waited for" {
    room <<'PY'
words = subprocess.Popen(['yes'], stdout=subprocess.PIPE)
atexit.register(words.kill)
cat = room('--max-accepts', '1', '--slow', 'drop', stdin=words.stdout)
one = Guest(cat)
one.hears(b'<operator> y\n')
one.s.close()
cat.end(104)
PY
}

@test "who runs it and does not keep up leaves as anybody would, and is not counted as a client" {
    room <<'PY'
r, w = os.pipe()
cat = room('--queue', '64k', '--max-accepts', '3', stdin=os.pipe()[0], stdout=w)
os.close(w)
one, two = Guest(cat), Guest(cat)
one.hears(b'* user2 joined\n')
for _ in range(600):
    one.say(b'x' * 4999 + b'\n')
    two.hears(b'<user1> ' + b'x' * 4999 + b'\n')
threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(r, 1 << 20), b'')], daemon=True).start()
for guest in one, two:
    guest.hears(b'* operator left\n')
# It may get the place in memory that the other had.
three = Guest(cat)
for guest in one, two:
    guest.hears(b'* user3 joined\n')
for guest in one, two, three:
    guest.s.shutdown(socket.SHUT_WR)
    to_end(guest.s)
cat.end(104)
check(re.findall('does not keep up|listen: 1 of 3 connections failed', cat.errors()),
      ['does not keep up', 'listen: 1 of 3 connections failed'])
PY
}

@test "F59: with --slow=drop it is told, too, what whoever runs it has missed" {
    room <<'PY'
r, w = os.pipe()
cat = room('--slow', 'drop', '--queue', '1k', '--max-accepts', '1', stdin=os.pipe()[0], stdout=w)
os.close(w)
one = Guest(cat)
one.s.sendall((b'x' * 4999 + b'\n') * 600)
one.s.shutdown(socket.SHUT_WR)
check(to_end(one.s), b'')
threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(r, 1 << 20), b'')], daemon=True).start()
cat.end(104)
check(len(re.findall('closed the chat: .* pieces left out: it did not keep up', cat.errors())), 1, cat.errors())
PY
}

@test "whoever runs it may leave, and those who come later have and give up their places as before" {
    room <<'PY'
back, front = os.pipe()
cat = room('-q', '0.1', '--max-conns', '2', '--max-accepts', '6', stdin=back)
one = Guest(cat)
os.write(front, b'me\n')
one.hears(b'<operator> me\n')
os.close(front)
one.hears(b'* operator left\n')
one.s.shutdown(socket.SHUT_WR)
check(to_end(one.s), b'')
for number in range(2, 7):
    one = dial(cat)
    one.shutdown(socket.SHUT_WR)
    check(to_end(one), b'')
    one.close()
cat.end()
PY
}

@test "a line that never ends is 102 for its client, and the others go on" {
    room <<'PY'
cat = room('--max-accepts', '3')
one, two, three = Guest(cat), Guest(cat), Guest(cat)
one.hears(b'* user2 joined\n* user3 joined\n')
try:
    two.say(b'x' * 200000)
except OSError:
    pass
one.hears(b'* user2 left\n')
three.say(b'gone\n')
one.hears(b'<user3> gone\n')
for guest in one, two, three:
    guest.s.close()
cat.end(104)
PY
}

@test "a name that is none is 3" {
    assert_fails 3 "option --nick 'a b'" sockcat -lk --chat --nick 'a b' 127.0.0.1 0 </dev/null
    assert_fails 3 "option --nick ''" sockcat -lk --chat --nick '' 127.0.0.1 0 </dev/null
}

@test "nc, socat and bash can talk to each other" {
    need nc.openbsd socat
    start_listener -k --chat 127.0.0.1 0 </dev/null
    mkfifo "$T/nc" "$T/socat"
    exec 7<>"$T/nc" 8<>"$T/socat"
    nc.openbsd 127.0.0.1 "$port" <"$T/nc" >"$T/nc.out" 7>&- 8>&- &
    started+=("$!")
    await_line "$T/listener.out" '^\* user1 joined$'
    socat - "TCP:127.0.0.1:$port" <"$T/socat" >"$T/socat.out" 7>&- 8>&- &
    started+=("$!")
    await_line "$T/nc.out" '^\* user2 joined$'
    echo 'this is nc' >&7
    await_line "$T/socat.out" '^<user1> this is nc$'
    echo 'this is socat' >&8
    await_line "$T/nc.out" '^<user2> this is socat$'
    exec 9<>"/dev/tcp/127.0.0.1/$port"
    echo 'this is bash' >&9
    await_line "$T/nc.out" '^<user3> this is bash$'
    exec 7>&- 8>&- 9>&-
}
