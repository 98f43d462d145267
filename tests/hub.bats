#!/usr/bin/env bats
# Many clients at a time: what they share, what one of them does to the others, who is let in, and
# the services that they may meet.
# shellcheck disable=SC2154 # the helper sets port, listener, status
bats_require_minimum_version 1.5.0
load lib/helper

# ---- standard output ----

@test "-k serves clients side by side: who came last may be heard first" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '-d', '127.0.0.1', '0')
clients = [dial(cat) for _ in range(3)]
wanted = b''
for c, word in zip(reversed(clients), (b'three ', b'two ', b'one ')):
    c.sendall(word)
    wanted += word
    cat.await_output(wanted)
PY
}

@test "a piece that does not go out whole is finished before another client's begins" {
    drive <<'PY'
from drive import *
r, w = os.pipe()
cat = Cat('-l', '-k', '-d', '127.0.0.1', '0', stdout=w)
first = dial(cat)
first.sendall(b'.')
check(os.read(r, 1), b'.')  # so the pipe has its size
room = fcntl.fcntl(w, fcntl.F_GETPIPE_SZ)
os.write(w, b'-' * (room - 8192))
os.close(w)
clients = [dial(cat) for _ in range(4)]
cat.stop()
for c, letter in zip(clients, b'ABCD'):
    c.sendall(bytes([letter]) * 50000)
cat.go()
cat.rest()
got = shown(r, b' ' * (room - 8192 + 4 * 50000))[room - 8192:]
check(sorted(re.sub(rb'(.)\1*', rb'\1', got)), sorted(b'ABCD'), 'they are mixed')
check(len(got), 4 * 50000)
PY
}

@test "a message that has begun to go out is finished, also after --idle-timeout, before another begins" {
    drive <<'PY'
from drive import *
r, w = os.pipe()
cat = Cat('-l', '-k', '-d', '--frame', 'u32be', '--stdout-frame', 'u32be', '--idle-timeout', '0.2',
          '127.0.0.1', '0', stdout=w)
os.close(w)
def message(letter, n): return struct.pack('>I', n) + letter * n
first = dial(cat)
first.sendall(message(b'A', 3000000))
until(lambda: in_pipe(r) > 0, 'the first to begin')
second = dial(cat)
second.sendall(message(b'B', 5))
until(lambda: 'nothing moved' in cat.errors(), 'the second to be given up')
got = shown(r, b' ' * 3000004)
check(got == message(b'A', 3000000), True, 'it is cut off or mixed: %r at %d' % (got[-9:], len(got)))
third = dial(cat)
third.sendall(message(b'C', 5))
check(shown(r, b' ' * 9), message(b'C', 5))
PY
}

@test "clients that send more than goes out take turns, and one with a word waits for one turn of each" {
    drive <<'PY'
from drive import *
r, w = os.pipe()
cat = Cat('-l', '-k', '-d', '127.0.0.1', '0', stdout=w)
os.close(w)
loud = [dial(cat) for _ in range(4)]
sent = []
for c, letter in zip(loud, b'ABCD'):
    c.setblocking(False)
    n = 0
    while select.select([], [c], [], 0.2)[1]:
        n += c.send(bytes([letter]) * 65536)
    sent.append(n)
check(min(sent) > 1500000, True, sent)
quiet = dial(cat)
quiet.sendall(b'word')
until(lambda: taken(quiet), 'the word to be read')
# What is in the pipe, then a piece of each, at most as large as what is read at once.
got = shown(r, b' ' * ((1 << 20) + 6 * 300000))
check([letter for letter in (b'A', b'B', b'C', b'D', b'word') if letter not in got], [])
PY
}

@test "F62: of 20 who write messages at a time each message arrives whole" {
    drive <<'PY'
from drive import *
import zlib
r, w = os.pipe()
cat = Cat('-l', '-k', '-d', '--frame', 'u32be', '--stdout-frame', 'u16be', '127.0.0.1', '0', stdout=w)
os.close(w)
def write(number):
    import random
    dice, s = random.Random(number), dial(cat)
    for _ in range(300):
        body = bytes([number]) * dice.randrange(3000)
        body += struct.pack('>I', zlib.crc32(body))
        whole = struct.pack('>I', len(body)) + body
        cut = dice.randrange(len(whole))
        s.sendall(whole[:cut])
        s.sendall(whole[cut:])
    s.shutdown(socket.SHUT_WR)
    to_end(s)
threads = [threading.Thread(target=write, args=(n,)) for n in range(20)]
for t in threads:
    t.start()
counts = [0] * 20
pipe = open(r, 'rb')
for _ in range(20 * 300):
    body = pipe.read(struct.unpack('>H', pipe.read(2))[0])
    check(zlib.crc32(body[:-4]), struct.unpack('>I', body[-4:])[0])
    if len(body) > 4:
        counts[body[0]] += 1
for t in threads:
    t.join()
check(min(counts) > 280, True)
cat.send(signal.SIGTERM)
cat.end(-signal.SIGTERM)
PY
}

@test "thousands of messages in one read all go on at once, to standard output, a broker's clients and back" {
    drive <<'PY'
from drive import *
text = b'm\n' * 20000
cat = Cat('-l', '-k', '-d', '--frame', 'line', '--stdout-frame', 'content-length', '127.0.0.1', '0')
c = dial(cat)
cat.stop()
c.sendall(text)
cat.go()
until(lambda: cat.output().count(b'Content-Length: 1\r\n\r\nm') == 20000, 'all')
for service in '--broker', '--echo':
    cat = Cat('-l', '-k', service, '--frame', 'line', '127.0.0.1', '0')
    a = dial(cat)
    b = dial(cat) if service == '--broker' else a
    if b is not a:
        b.sendall(b'.\n')
        check(exactly(a, 2), b'.\n')
    cat.stop()
    a.sendall(text)
    cat.go()
    check(exactly(b, len(text)) == text, True, service)
cat = Cat('-l', '--discard', '--frame', 'line', '127.0.0.1', '0')
a = dial(cat)
cat.stop()
a.sendall(text)
a.shutdown(socket.SHUT_WR)
cat.go()
check(to_end(a), b'')
cat.end()
PY
}

@test "a reader of standard output that goes away ends it quietly with 23, though nobody speaks" {
    drive <<'PY'
from drive import *
for clients in 0, 3:
    r, w = os.pipe()
    cat = Cat('-l', '-k', '-d', '127.0.0.1', '0', stdout=w)
    os.close(w)
    there = [dial(cat) for _ in range(clients)]
    for c in there:
        c.sendall(b'x')
        check(os.read(r, 1), b'x')
    os.close(r)
    cat.end(23)
    check(re.sub('sockcat: listening.*\n', '', cat.errors()), '')
PY
}

@test "a full disk behind standard output ends it with 23 and one line" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '-d', '-U', T + '/s', stdout=open('/dev/full', 'wb'))
a, b = dial(cat), dial(cat)
a.sendall(b'x')
cat.fail(23, 'write standard output: No space left')
check(to_end(b), b'')
PY
}

# ---- standard input ----

@test "a plain file on standard input is sent whole to every client, and its offset stays" {
    drive <<'PY'
from drive import *
with open(T + '/file', 'wb') as file:
    file.write(os.urandom(3000000))
file = open(T + '/file', 'rb')
data = file.read()
file.seek(1000)
cat = Cat('-l', '-k', '127.0.0.1', '0', stdin=file)
clients = [dial(cat) for _ in range(5)]
for c in clients:
    c.shutdown(socket.SHUT_WR)
for c in clients:
    check(to_end(c) == data, True)
check(to_end(dial(cat)) == data, True)
check(os.lseek(file.fileno(), 0, os.SEEK_CUR), 1000)
PY
}

@test "F45: a plain file is sent to a client that got the last descriptor, too" {
    need prlimit
    drive <<'PY'
from drive import *
with open(T + '/file', 'wb') as file:
    file.write(os.urandom(300000))
data = open(T + '/file', 'rb').read()
cat = Cat('-l', '-k', '127.0.0.1', '0', stdin=open(T + '/file', 'rb'))
cat.rest()
used = {int(fd) for fd in os.listdir('/proc/%d/fd' % cat.pid)}
free = [fd for fd in range(100) if fd not in used]
subprocess.run(['prlimit', '--pid', str(cat.pid), '--nofile=%d' % free[1]], check=True)
for _ in range(3):
    c = dial(cat)
    check(to_end(c) == data, True)
    c.close()
PY
}

@test "other standard input goes to all who are there, and waits while nobody is" {
    drive <<'PY'
from drive import *
r, w = os.pipe()
cat = Cat('-l', '-k', '127.0.0.1', '0', stdin=r)
os.write(w, b'early ')
cat.rest()
check(in_pipe(r), 6, 'it was read although nobody is there')
one = dial(cat)
check(exactly(one, 6), b'early ')
two = dial(cat)
two.sendall(b'.')
cat.await_output(b'.')
os.write(w, b'both ')
check((exactly(one, 5), exactly(two, 5)), (b'both ', b'both '))
for c in one, two:
    c.shutdown(socket.SHUT_WR)
    check(to_end(c), b'')
os.write(w, b'late ')
cat.rest()
check(in_pipe(r), 5, 'it was read although nobody is there any more')
three = dial(cat)
check(exactly(three, 5), b'late ')
os.close(w)
check(to_end(three), b'')
four = dial(cat)
check(to_end(four), b'', 'who comes later is not told that there is no more')
four.sendall(b'!')
cat.await_output(b'.!')
PY
}

@test "standard input is not lost to a client that is only still read" {
    drive <<'PY'
from drive import *
r, w = os.pipe()
out, end = os.pipe()
cat = Cat('-l', '-k', '127.0.0.1', '0', stdin=r, stdout=end)
one = dial(cat)
one.sendall(b'.')
check(os.read(out, 1), b'.')
size = fcntl.fcntl(end, fcntl.F_GETPIPE_SZ)
os.write(end, bytes(size))  # standard output is stuck
os.close(end)
one.sendall(b'!' * 1000)
one.shutdown(socket.SHUT_WR)
check(one.recv(1), b'')     # it is told no more
os.write(w, b'word')
cat.rest()
check(in_pipe(r), 4)
two = dial(cat)
check(exactly(two, 4), b'word')
check(shown(out, b'x' * (size + 1000)).count(b'!'), 1000)
PY
}

@test "a client that has ended is told all of standard input that was read, also what has to wait" {
    drive <<'PY'
from drive import *
r, w = os.pipe()
size = fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 1 << 20)
data = os.urandom(16 << 20)
cat = Cat('-l', '-k', '--queue', '1k', '--max-accepts', '1', '127.0.0.1', '0', stdin=r)
c = dial(cat, room=4096)
os.set_blocking(w, False)
put = 0
while select.select([], [w], [], 0.5)[1]:
    put += os.write(w, data[put:put + 65536])
c.shutdown(socket.SHUT_WR)
got = to_end(c)
c.close()
cat.end()
check(len(got) + in_pipe(r), put)
check(data.startswith(got), True)

r, w = os.pipe()
cat = Cat('-l', '-k', '-i', '0.1', '--max-accepts', '1', '127.0.0.1', '0', stdin=r)
c = dial(cat)
os.write(w, b'one\ntwo\nthree\n')
check(exactly(c, 4), b'one\n')
c.shutdown(socket.SHUT_WR)
check(to_end(c), b'two\nthree\n')
c.close()
cat.end()
PY
}

@test "standard input that was read and can be told to nobody any more is 55, a part of a message 18" {
    drive <<'PY'
from drive import *
r, w = os.pipe()
os.write(w, b'one\ntwo\n')
cat = Cat('-l', '-k', '-i', '1h', '--until', 'peer', '--max-accepts', '1', '127.0.0.1', '0', stdin=r)
c = dial(cat)
check(exactly(c, 4), b'one\n')
c.close()
cat.end(55)
check('4 bytes of standard input are left over' in cat.errors(), True, cat.errors())

r, w = os.pipe()
os.write(w, b'whole\npart')
cat = Cat('-l', '-k', '--frame', 'u32be', '--max-accepts', '1', '127.0.0.1', '0', stdin=r)
c = dial(cat)
check(exactly(c, 9), b'\0\0\0\5whole')
c.close()
cat.end(18)
check('4 bytes into a message' in cat.errors(), True, cat.errors())
PY
}

@test "input and its end that come together reach everybody, and in that order" {
    drive <<'PY'
from drive import *
for _ in range(50):
    r, w = os.pipe()
    cat = Cat('-l', '-k', '--max-accepts', '2', '127.0.0.1', '0', stdin=r)
    clients = [dial(cat) for _ in range(2)]
    for c in clients:
        c.sendall(b'.')
    cat.await_output(b'..')
    os.write(w, b'last')
    os.close(w)
    for c in clients:
        check(to_end(c), b'last')
        c.close()
    cat.end()
PY
}

@test "-C and -i hold for what is said to all, and only once" {
    drive <<'PY'
from drive import *
r, w = os.pipe()
cat = Cat('-l', '-k', '-C', '-i', '0.05', '127.0.0.1', '0', stdin=r)
clients = [dial(cat) for _ in range(3)]
for c in clients:
    c.sendall(b'.')
cat.await_output(b'...')
os.write(w, b'one\ntwo\r\nthree\n')
os.close(w)
for c in clients:
    check(to_end(c), b'one\r\ntwo\r\nthree\r\n')
PY
}

@test "standard input that cannot be read ends it with 26, once somebody is there" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '-U', T + '/s', stdin=os.open(T, os.O_RDONLY))
c = dial(cat)
cat.fail(26, 'read standard input: Is a directory')
PY
}

@test "standard input from a terminal goes to all, and clients come and go" {
    drive <<'PY'
from drive import *
master, slave = raw_pty()
cat = Cat('-l', '-k', '127.0.0.1', '0', stdin=slave)
one = dial(cat)
one.sendall(b'1')
cat.await_output(b'1')
os.write(master, b'a')
check(one.recv(1), b'a')
one.close()
two, three = dial(cat), dial(cat)
two.sendall(b'2')
cat.await_output(b'12')
three.sendall(b'3')
cat.await_output(b'123')
os.write(master, b'b')
check(two.recv(1) + three.recv(1), b'bb')
PY
}

# ---- how it ends ----

@test "with --max-accepts it ends with 0 when all went well, and the next one is refused at once" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '--max-accepts', '3', '127.0.0.1', '0')
clients = [dial(cat) for _ in range(3)]
def refused():
    try:
        dial(cat).close()
    except ConnectionRefusedError:
        return True
until(refused, 'a refusal')
for c in clients:
    c.sendall(b'x')
    c.shutdown(socket.SHUT_WR)
    check(to_end(c), b'')
check(cat.end(), b'xxx')
PY
}

@test "with --max-accepts 0 means that all was written, however late that is read" {
    drive <<'PY'
from drive import *
r, w = os.pipe()
cat = Cat('-l', '-k', '-d', '--max-accepts', '3', '127.0.0.1', '0', stdout=w)
os.close(w)
clients = [dial(cat) for _ in range(3)]
sent = sum(pour(c, 3000000) for c in clients)
check(sent > 2000000, True)
for c in clients:
    c.shutdown(socket.SHUT_WR)
got = 0
while part := os.read(r, 1 << 20):
    got += len(part)
check(got, sent)
cat.end()
PY
}

@test "what fails of one client is told and counted, ends no other, and makes the status 104" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '--max-accepts', '3', '127.0.0.1', '0', stdin=os.pipe()[0])
one, two, three = (dial(cat) for _ in range(3))
for c in one, two, three:
    c.sendall(b'.')
cat.await_output(b'...')
reset(two)
until(lambda: 'Connection reset by peer' in cat.errors(), 'a line')
for c in one, three:
    c.sendall(b'!')
    c.shutdown(socket.SHUT_WR)
    check(to_end(c), b'')
check(cat.end(104), b'...!!')
check(re.findall(r'sockcat: (?!listening on).*', cat.errors())[1:], [
    'sockcat: listen: 1 of 3 connections failed'])
PY
}

@test "a listener that others have, too, is left alone after --max-accepts" {
    need_shim
    drive <<'PY'
from drive import *
server = tcp()
os.set_inheritable(server.fileno(), True)
env = dict(os.environ, LD_PRELOAD=os.environ['SHIM_LIB'], SHIM='', SHIM_PROG='sockcat',
           SHIM_COUNT=T + '/count')
cat = subprocess.Popen([os.environ['SOCKCAT'], '-l', '-k', '-d', '--max-accepts', '1',
                        'fd://%d' % server.fileno()], env=env, close_fds=False, stdout=subprocess.PIPE)
first = socket.create_connection(server.getsockname())
first.sendall(b'.')
check(cat.stdout.read(1), b'.')
others = [socket.create_connection(server.getsockname()) for _ in range(3)]
for _ in range(300):
    first.sendall(b'.')
    check(cat.stdout.read(1), b'.')
first.close()
check(cat.wait(LIMIT), 0)
counts = dict(line.split() for line in open(T + '/count'))
check(counts.get('accept4', counts.get('accept')), '1')
waits = counts.get('epoll_wait') or counts['poll']
check(int(waits) < 500, True, 'it spins: ' + waits)
PY
}

@test "SIGTERM: what was read goes out to all and to standard output, then it is the signal" {
    drive <<'PY'
from drive import *
r, w = os.pipe()
cat = Cat('-l', '-k', '127.0.0.1', '0', stdin=r)
clients = [dial(cat) for _ in range(20)]
for c in clients:
    c.sendall(b'.')
cat.await_output(b'.' * 20)
cat.stop()
os.write(w, b'said')
cat.send(signal.SIGTERM)
cat.go()
cat.end(-signal.SIGTERM)
for c in clients:
    check(exactly(c, 4), b'said')
for c in clients:
    try:
        check(c.recv(1), 'a reset')
    except ConnectionResetError:
        pass
check(cat.errors().count('\n'), 1)
PY
}

@test "SIGTERM: what was read and waits for --delay goes out to all, too" {
    drive <<'PY'
from drive import *
for options in [], ['--frame', 'line']:
    r, w = os.pipe()
    cat = Cat('-l', '-k', '-i', '1h', *options, '127.0.0.1', '0', stdin=r)
    client = dial(cat)
    os.write(w, b'now\n' + b'later\n' * 3000)
    check(exactly(client, 4), b'now\n')
    cat.rest()
    cat.send(signal.SIGTERM)
    check(exactly(client, 18000) == b'later\n' * 3000, True, str(options))
    cat.end(-signal.SIGTERM)
PY
}

@test "SIGTERM with clients that take nothing ends it within its moment" {
    drive <<'PY'
from drive import *
for more in [], ['--broker']:
    r, w = os.pipe()
    out, end = os.pipe()
    cat = Cat('-l', '-k', *more, '127.0.0.1', '0', stdin=r, stdout=end)
    os.close(end)
    clients = [dial(cat, room=4096) for _ in range(5)]
    sent = [pour(c, 3000000) for c in clients]
    threading.Thread(target=os.write, args=(w, bytes(3000000)), daemon=True).start()
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
PY
}

@test "SIGUSR1: a line about all, and one about each client" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '-d', '127.0.0.1', '0')
clients = [dial(cat) for _ in range(3)]
for c in clients:
    c.sendall(b'12345')
cat.await_output(b'12345' * 3)
reset(clients.pop())
until(lambda: 'reset' in cat.errors(), 'the reset')
cat.send(signal.SIGUSR1)
until(lambda: cat.errors().count('session ') == 2, 'two sessions')
check('2 clients, 3 so far, 1 failed, 0 refused' in cat.errors(), True, cat.errors())
check(cat.errors().count(': 0 bytes sent, 5 bytes received'), 2)
PY
}

@test "limits of a session hold for each client: -W, --idle-timeout, -q, --until" {
    drive <<'PY'
from drive import *
r, w = os.pipe()
cat = Cat('-l', '-k', '-W', '1', '127.0.0.1', '0', stdin=r)
clients = [dial(cat) for _ in range(3)]
for c in clients:
    c.sendall(b'.')
    check(to_end(c), b'')
cat.await_output(b'...')
cat = Cat('-l', '-k', '--idle-timeout', '0.3', '--max-accepts', '2', '127.0.0.1', '0', stdin=r)
idle, busy = dial(cat), dial(cat)
stopped = threading.Event()
def talk():
    while not stopped.wait(0.02):
        busy.sendall(b'.')
thread = threading.Thread(target=talk)
thread.start()
try:
    check(idle.recv(1), 'a reset')
except ConnectionResetError:
    pass
stopped.set()
thread.join()
busy.shutdown(socket.SHUT_WR)
check(to_end(busy), b'')
cat.end(104)
check('nothing moved for 300 ms' in cat.errors(), True)
cat = Cat('-l', '-k', '-q', '0.1', '--max-accepts', '2', '127.0.0.1', '0')
clients = [dial(cat) for _ in range(2)]
for c in clients:
    check(to_end(c), b'')
cat.end()
cat = Cat('-l', '-k', '--until=stdin', '--max-accepts', '2', '127.0.0.1', '0', stdin=r)
clients = [dial(cat) for _ in range(2)]
for c in clients:
    c.sendall(b'.')
cat.await_output(b'..')
os.write(w, b'bye')
os.close(w)
for c in clients:
    check(to_end(c), b'bye')
cat.end()
PY
}

@test "--accept-timeout: 28 when nobody comes for so long, counted from when the last one has gone" {
    drive <<'PY'
from drive import *
Cat('-l', '--accept-timeout', '0.05', '-U', T + '/s').fail(28, 'accept: no client came in time')
Cat('-l', '-k', '--accept-timeout', '0.05', '-U', T + '/s').fail(28, 'accept: no client came in time')
cat = Cat('-l', '-k', '--accept-timeout', '0.2', '-U', T + '/s')
c = dial(cat)
c.sendall(b'.')
cat.await_output(b'.')
# Longer than it would wait alone.
Cat('-l', '--accept-timeout', '0.4', '-U', T + '/t').end(28)
c.sendall(b'.')
cat.await_output(b'..')
c.close()
cat.fail(28, 'accept: no client came in time')
PY
}

# ---- services ----

@test "--echo sends everything back, to many at a time and to one alone" {
    drive <<'PY'
from drive import *
data = os.urandom(1000000)
def ask(cat, answers):
    s = dial(cat)
    threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR))).start()
    answers.append(to_end(s) == data)
for number, more in (1, []), (8, ['-k', '--max-accepts', '8']):
    cat = Cat('-l', *more, '--echo', '127.0.0.1', '0')
    answers = []
    threads = [threading.Thread(target=ask, args=(cat, answers)) for _ in range(number)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check(answers, [True] * number)
    cat.end()
PY
}

@test "--discard keeps nothing and says nothing" {
    drive <<'PY'
from drive import *
for more in [], ['-k', '--max-accepts', '1']:
    cat = Cat('-l', *more, '--discard', '127.0.0.1', '0')
    c = dial(cat)
    c.sendall(bytes(5000000))
    c.shutdown(socket.SHUT_WR)
    check(to_end(c), b'')
    check(cat.end(), b'')
PY
}

@test "--chargen sends the lines of RFC 864 until the client goes away, which is no failure" {
    drive <<'PY'
from drive import *
line = bytes(range(32, 127)) * 2
wanted = b''.join(line[i % 95:i % 95 + 72] + b'\r\n' for i in range(5000))
for more in [], ['-k', '--max-accepts', '1']:
    cat = Cat('-l', *more, '--chargen', '127.0.0.1', '0')
    c = dial(cat)
    c.sendall(b'ignored')
    check(exactly(c, len(wanted)) == wanted, True)
    c.close()
    cat.end()
    check(re.sub('sockcat: listening.*\n', '', cat.errors()), '')
PY
}

@test "--daytime sends one line with the date and time in UTC, and ends" {
    drive <<'PY'
from drive import *
import datetime
for more in [], ['-k', '--max-accepts', '1']:
    cat = Cat('-l', *more, '--daytime', '127.0.0.1', '0')
    c = dial(cat)
    text = to_end(c).decode()
    told = datetime.datetime.strptime(text, '%A, %B %d, %Y %H:%M:%S-UTC\r\n')
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    check(abs(told - now) < datetime.timedelta(seconds=5), True, text)
    c.close()
    cat.end()
PY
}

@test "the services over datagrams: each gets its own back" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-u', '-k', '--echo', '127.0.0.1', '0')
clients = [udp() for _ in range(5)]
cat.stop()
for n in range(3):
    for i, c in enumerate(clients):
        c.sendto(b'%d of %d' % (n, i), cat.address())
cat.go()
for n in range(3):
    for i, c in enumerate(clients):
        check(c.recv(100), b'%d of %d' % (n, i))
PY
}

@test "the services and -k exclude what makes no sense with them" {
    while read -r options; do
        # shellcheck disable=SC2086 # words
        run sockcat $options 127.0.0.1 0 </dev/null
        assert_status 2
    done <<'OPTIONS'
-l --broker
-l -k --echo --discard
-l -k --broker --chargen
-l -u --chargen --frame line
-l -u --daytime --frame line
-l -k --echo -d
-l --queue 1k
-l --slow=drop
-l --max-conns 5
-l --max-conns-per-host 5
-l --max-accepts 5
-l --refuse
--accept-timeout 5
-z --echo
OPTIONS
    run sockcat -l -k --max-conns 0 127.0.0.1 0 </dev/null
    assert_status 3
    run sockcat -l -k --slow=never 127.0.0.1 0 </dev/null
    assert_status 3
}

# ---- a broker ----

@test "F63: what a client says goes to all others and not to itself" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '--broker', '127.0.0.1', '0')
clients = [dial(cat) for _ in range(5)]
for n, c in enumerate(clients):
    c.sendall(b'%d' % n)
    for other in clients:
        if other is not c:
            check(other.recv(100), b'%d' % n)
clients[0].shutdown(socket.SHUT_WR)
check(to_end(clients[0]), b'')
check(cat.output(), b'')
PY
}

@test "F64: with nobody else there what is said is dropped, and does not wait for who comes" {
    drive <<'PY'
from drive import *
for slow in 'wait', 'drop', 'disconnect':
    cat = Cat('-l', '-k', '--broker', '--slow', slow, '127.0.0.1', '0')
    one = dial(cat)
    one.sendall(bytes(5000000))
    until(lambda: taken(one), 'all to be read')
    two = dial(cat)
    two.sendall(b'!')
    check(one.recv(1), b'!')
    one.sendall(b'?')
    check(two.recv(1), b'?')
PY
}

@test "F59: a client that never reads is disconnected and counted, and nine others get everything" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '--broker', '--queue', '200k', '127.0.0.1', '0')
speaker, stalled = dial(cat), dial(cat, room=4096)
others = [dial(cat) for _ in range(9)]
for c in [stalled] + others:
    c.sendall(b'.')
    check(speaker.recv(1), b'.')
for c in others:
    exactly(c, 9)
data = os.urandom(10000000)
come = [0] * 9
def hear(n):
    while come[n] < len(data):
        part = others[n].recv(65536)
        check(part == data[come[n]:come[n] + len(part)] != b'', True)
        come[n] += len(part)
threads = [threading.Thread(target=hear, args=(n,)) for n in range(9)]
for t in threads:
    t.start()
for at in range(0, len(data), 100000):
    speaker.sendall(data[at:at + 100000])
    # At the pace of the nine: who is slower than that does not keep up, either.
    until(lambda: min(come) >= at + 100000, 'the others')
for t in threads:
    t.join()
until(lambda: 'it does not keep up' in cat.errors(), 'a line')
check(cat.errors().count('does not keep up'), 1)
cat.send(signal.SIGUSR1)
until(lambda: '10 clients, 11 so far, 1 failed' in cat.errors(), 'the count')
PY
}

@test "F59: clients that read are not slow when all the others speak at the same moment" {
    drive <<'PY'
from drive import *
for slow in 'disconnect', 'drop':
    cat = Cat('-l', '-k', '--broker', '--queue', '2k', '--slow', slow, '--max-accepts', '20',
              '127.0.0.1', '0')
    clients = []
    for _ in range(20):
        clients.append(dial(cat))
        if len(clients) > 1:
            clients[-1].sendall(b'.')
            check(exactly(clients[-2], 1), b'.')
    for number, c in enumerate(clients[:-2]):
        check(exactly(c, 18 - number), b'.' * (18 - number))
    cat.stop()
    for c in clients:
        c.sendall(b'x' * 1000)
    cat.go()
    for c in clients:
        check(len(exactly(c, 19 * 1000)), 19 * 1000, cat.errors())
    for c in clients:
        c.close()
    cat.end()
    check(cat.errors().count('\n'), 1, cat.errors())
PY
}

@test "F59: with --slow=drop messages are left out for it alone, whole ones, and counted" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '-v', '--broker', '--slow=drop', '--queue', '100k', '--frame', 'u32be',
          '--max-accepts', '3', '127.0.0.1', '0')
speaker, stalled = dial(cat), dial(cat, room=4096)
other = dial(cat)
for c in stalled, other:
    c.sendall(b'\0\0\0\1.')
    check(exactly(speaker, 5), b'\0\0\0\1.')
exactly(other, 5)
exactly(stalled, 5)
def message(n):
    return struct.pack('>II', 10000, n) + bytes(9996)
for n in range(2000):
    speaker.sendall(message(n))
    check(exactly(other, 10004) == message(n), True)
speaker.shutdown(socket.SHUT_WR)
other.shutdown(socket.SHUT_WR)
check(to_end(other), b'')
stalled.shutdown(socket.SHUT_WR)
got = to_end(stalled)
check(len(got) % 10004, 0, 'a part of a message')
numbers = [struct.unpack('>I', got[at + 4:at + 8])[0] for at in range(0, len(got), 10004)]
check(numbers == sorted(set(numbers)), True)
check(0 < len(numbers) < 1000, True, len(numbers))
cat.end(104)
check(', %d pieces left out: it did not keep up' % (2000 - len(numbers)) in cat.errors(), True, cat.errors())
check(cat.errors().splitlines()[-1], 'sockcat: listen: 1 of 3 connections failed')
PY
}

@test "F59: with --slow=wait nobody is sent more before it goes on, and all get everything" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '--broker', '--slow=wait', '--queue', '100k', '127.0.0.1', '0')
speaker, slow, other = dial(cat), dial(cat, room=4096), dial(cat)
for c in slow, other:
    c.sendall(b'.')
    check(speaker.recv(1), b'.')
check(exactly(other, 1) + exactly(slow, 1), b'..')
data = os.urandom(30000000)
got = []
thread = threading.Thread(target=lambda: got.append(exactly(other, len(data))))
thread.start()
sent = 0
speaker.setblocking(False)
while sent < len(data):
    try:
        sent += speaker.send(data[sent:sent + 65536])
    except BlockingIOError:
        if not select.select([], [speaker], [], 0.3)[1]:
            break
check(sent < len(data), True, 'it did not wait')
speaker.settimeout(LIMIT)
rest = threading.Thread(target=lambda: speaker.sendall(data[sent:]))
rest.start()
check(exactly(slow, len(data)) == data, True)
thread.join()
rest.join()
check(got[0] == data, True)
PY
}

@test "standard input waits for, leaves out or disconnects who does not keep up" {
    drive <<'PY'
from drive import *
for slow in 'wait', 'drop', 'disconnect':
    r, w = os.pipe()
    cat = Cat('-l', '-k', '-v', '--slow', slow, '--queue', '64k', '127.0.0.1', '0', stdin=r)
    good, bad = dial(cat), dial(cat, room=4096)
    for c in good, bad:
        c.sendall(b'.')
    cat.await_output(b'..')
    if slow == 'wait':
        threading.Thread(target=lambda: (os.write(w, bytes(10000000)), os.close(w)), daemon=True).start()
        threading.Thread(target=lambda: exactly(bad, 10000000), daemon=True).start()
        check(len(exactly(good, 10000000)), 10000000)
        continue
    # At the pace of the one who reads.
    for _ in range(300):
        os.write(w, bytes(30000))
        check(len(exactly(good, 30000)), 30000)
    if slow == 'drop':
        bad.shutdown(socket.SHUT_WR)
        to_end(bad)
    line = 'pieces left out' if slow == 'drop' else 'it does not keep up'
    until(lambda: line in cat.errors(), 'a line')
PY
}

@test "F60: clients come and go while others speak, and whoever stays gets everything in order" {
    drive <<'PY'
from drive import *
import random
cat = Cat('-l', '-k', '--broker', '--slow=wait', '--max-conns', '500', '--frame', 'u16be', '127.0.0.1', '0')
cat.rest()
descriptors = cat.descriptors()
speakers = [dial(cat) for _ in range(3)]
keeper = dial(cat)
def message(who, n):
    body = struct.pack('>BI', who, n) + bytes([n % 256]) * (n * 7 % 600)
    return struct.pack('>H', len(body)) + body
def await_all():
    for s in speakers:
        s.sendall(b'\0\1.')
    check(exactly(keeper, 9), b'\0\1.' * 3)
await_all()
stopped = threading.Event()
def drain(s):
    try:
        while s.recv(65536):
            pass
    except OSError:
        pass
for s in speakers:
    threading.Thread(target=drain, args=(s,), daemon=True).start()
def chaos(seed):
    dice, there = random.Random(seed), []
    while not stopped.is_set():
        try:
            if len(there) < 20 and dice.randrange(2):
                there.append(dial(cat, room=dice.choice([None, 4096])))
            for s in there:
                select.select([s], [], [], 0)[0] and s.recv(65536)
            if dice.randrange(2):
                s = there.pop(dice.randrange(len(there)))
                what = dice.randrange(4)
                if what == 0:
                    reset(s)
                elif what == 1:
                    s.sendall(b'\0\3')  # half a message
                s.close()
        except (OSError, ValueError):
            pass
    for s in there:
        s.close()
chaos_threads = [threading.Thread(target=chaos, args=(n,)) for n in range(3)]
for t in chaos_threads:
    t.start()
count = 3000
def speak(who):
    for n in range(count):
        speakers[who].sendall(message(who, n))
talkers = [threading.Thread(target=speak, args=(n,)) for n in range(3)]
for t in talkers:
    t.start()
next_of = [0] * 3
while next_of != [count] * 3:
    body = exactly(keeper, struct.unpack('>H', exactly(keeper, 2))[0])
    who, n = struct.unpack('>BI', body[:5])
    check((n, body[5:] == bytes([n % 256]) * (n * 7 % 600)), (next_of[who], True))
    next_of[who] += 1
stopped.set()
for t in talkers + chaos_threads:
    t.join()
for s in speakers + [keeper]:
    s.shutdown(socket.SHUT_WR)
to_end(keeper)
until(lambda: cat.descriptors() == descriptors, 'all to be gone')
cat.send(signal.SIGTERM)
cat.end(-signal.SIGTERM)
PY
}

@test "F61: a sender that is faster than all does not make it grow" {
    need prlimit
    drive <<'PY'
from drive import *
import zlib
for slow in 'wait', 'drop', 'disconnect':
    cat = Cat('-l', '-k', '--broker', '--slow', slow, '127.0.0.1', '0')
    virtual = int(open('/proc/%d/statm' % cat.pid).read().split()[0]) * 4096
    if os.environ['PATIENCE'] == '1':
        subprocess.run(['prlimit', '--pid', str(cat.pid), '--as=%d' % (virtual + 24000000)], check=True)
    speaker = dial(cat)
    hearers = [dial(cat, room=65536) for _ in range(4)]
    for c in hearers:
        c.sendall(b'.')
        check(speaker.recv(1), b'.')
    counts = []
    def hear(c):
        n = 0
        try:
            while part := c.recv(65536):
                n += len(part)
        except OSError:
            pass
        counts.append(n)
    threads = [threading.Thread(target=hear, args=(c,)) for c in hearers]
    for t in threads:
        t.start()
    block = os.urandom(500000)
    for _ in range(100):
        speaker.sendall(block)
    speaker.shutdown(socket.SHUT_WR)
    check(to_end(speaker), b'')
    for c in hearers:
        try:
            c.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    for t in threads:
        t.join()
    if slow == 'wait':
        check(min(counts) >= 50000000, True, counts)
    check('memory' in cat.errors(), False, cat.errors())
PY
}

@test "messages of nothing fill a queue, too" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '-U', '--seqpacket', '--broker', '--queue', '100k', T + '/s')
speaker, stalled = (dial(cat, kind=socket.SOCK_SEQPACKET) for _ in range(2))
stalled.send(b'.')
check(speaker.recv(1), b'.')
for _ in range(20000):
    speaker.send(b'')
until(lambda: 'it does not keep up' in cat.errors(), 'a line: ' + cat.errors())
PY
}

@test "a broker over Unix seqpacket sockets keeps messages, empty ones too" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '-U', '--seqpacket', '--broker', T + '/s')
one, two, three = (dial(cat, kind=socket.SOCK_SEQPACKET) for _ in range(3))
for c in two, three:
    c.send(b'.')
    check(one.recv(10), b'.')
check(two.recv(10) + three.recv(10), b'..')
for message in b'a' * 1000, b'', b'b' * 30000, b'', b'c':
    one.send(message)
one.send(b'end')
for c in two, three:
    check([c.recv(100000) for _ in range(6)], [b'a' * 1000, b'', b'b' * 30000, b'', b'c', b'end'])
PY
}

@test "standard input goes in messages that fit to many seqpacket sockets" {
    drive <<'PY'
from drive import *
r, w = os.pipe()
cat = Cat('-l', '-k', '-U', '--seqpacket', T + '/s', stdin=r)
clients = [dial(cat, kind=socket.SOCK_SEQPACKET) for _ in range(3)]
for c in clients:
    c.send(b'.')
cat.await_output(b'...')
data = os.urandom(500000)
threading.Thread(target=lambda: (os.write(w, data), os.close(w)), daemon=True).start()
def hear(c):
    got = b''
    while part := c.recv(1000000):
        got += part
    same.append(got == data)
same = []
threads = [threading.Thread(target=hear, args=(c,)) for c in clients]
for t in threads:
    t.start()
for t in threads:
    t.join()
check((same, cat.errors()), ([True] * 3, ''))
PY
}

@test "a broker with --frame: bytes that are no frame end the client that sent them, and nobody else" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '--broker', '--frame', 'netstring', '127.0.0.1', '0')
one, two, three = (dial(cat) for _ in range(3))
for c in one, two:
    c.sendall(b'1:.,')
    check(exactly(three, 4), b'1:.,')
two.sendall(b'3:abc,oops')
check(exactly(three, 6), b'3:abc,')
try:
    exactly(two, 1000000)
except ConnectionResetError:
    pass
one.sendall(b'2:hi,')
check(exactly(three, 5), b'2:hi,')
check(cat.errors().count('no length in decimal digits'), 1, cat.errors())
PY
}

@test "F65: what two brokers in a ring are told goes round until the ring is cut, and neither grows by it" {
    drive <<'PY'
from drive import *
def clients(cat, count):
    """It has so many."""
    before = len(cat.errors())
    cat.send(signal.SIGUSR1)
    until(lambda: ' so far, ' in cat.errors()[before:], 'a report')
    return '\nsockcat: %d clients,' % count in '\n' + cat.errors()[before:]
def heard(s, last):
    """All up to this."""
    got = b''
    while not got.endswith(last):
        got += s.recv(1) or sys.exit('it ended: %r' % got)
    return got
for slow in 'drop', 'disconnect':
    a, b = (Cat('-l', '-k', '--broker', '--frame', 'line', '--slow', slow, '--queue', '64k', '127.0.0.1', '0')
            for _ in range(2))
    relays = [Cat('--to', '127.0.0.1:' + b.where, '127.0.0.1', a.where) for _ in range(2)]
    for cat in a, b:
        until(lambda: clients(cat, 2), 'the relays to be there')
    one, deaf = dial(a), dial(a, room=4096)
    until(lambda: clients(a, 4), 'the others')
    one.sendall(b'word\n')
    check(exactly(one, 1000) == b'word\n' * 200, True)
    memory = [cat.resident() for cat in (a, b)]
    # Twice that goes round, one each way, and fits into --queue.
    one.sendall((b'x' * 999 + b'\n') * 20)
    if slow == 'drop':
        # More than a kernel keeps for the one that does not read.
        whole = 0
        while whole < 20000000:
            whole += len(one.recv(1 << 17))
    else:
        until(lambda: not clients(a, 4), 'the end of who does not keep up')
    grown = [cat.resident() - was for cat, was in zip((a, b), memory)]
    # A sanitizer keeps what was freed.
    if os.environ['PATIENCE'] == '1':
        check(max(grown) < 1500000, True, '%r' % grown)
    relays[0].send(signal.SIGTERM)
    relays[0].end(-signal.SIGTERM)
    deaf.close()
    one.close()
    # With half a ring nothing comes back, …
    until(lambda: clients(b, 1) and clients(a, 1), 'the others to be gone')
    one, two = dial(a), dial(b)
    until(lambda: clients(b, 2) and clients(a, 2), 'two more')
    one.sendall(b'once\n')
    heard(two, b'once\n')
    two.sendall(b'and back\n')
    # … but for what was under way before.
    check(b'once' in heard(one, b'and back\n'), False)
    relays[1].send(signal.SIGTERM)
    relays[1].end(-signal.SIGTERM)
PY
}

# ---- the door ----

@test "F47: with --max-conns those who are too many wait until one has ended" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '-d', '--max-conns', '3', '127.0.0.1', '0')
clients = [dial(cat) for _ in range(8)]
for n, c in enumerate(clients):
    c.sendall(b'%d' % n)
until(lambda: len(cat.output()) == 3, 'three')
cat.rest()
check(sorted(cat.output()), sorted(b'012'))
for n in range(5):
    clients[n].close()
    until(lambda: len(cat.output()) == 4 + n, 'one more')
check(sorted(cat.output()), sorted(b'01234567'))
PY
}

@test "F47: with --refuse those who are too many are reset, and counted" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '-d', '--max-conns', '3', '--refuse', '127.0.0.1', '0')
clients = [dial(cat) for _ in range(3)]
descriptors = None
for _ in range(20):
    try:
        check(dial(cat).recv(1), 'a reset')
    except ConnectionResetError:
        pass
    descriptors = descriptors or cat.descriptors()
check(cat.descriptors(), descriptors)
for c in clients:
    c.sendall(b'.')
cat.await_output(b'...')
cat.send(signal.SIGUSR1)
until(lambda: '3 clients, 3 so far, 0 failed, 20 refused' in cat.errors(), cat.errors())
clients[0].close()
def served():
    try:
        s = dial(cat)
        s.sendall(b'!')
        s.shutdown(socket.SHUT_WR)
        to_end(s)
        return True
    except ConnectionResetError:
        pass
until(served, 'a place')
PY
}

@test "F48: one address cannot take all the places" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '-d', '-v', '--max-conns-per-host', '2', '127.0.0.1', '0')
greedy = [dial(cat, '127.0.0.2') for _ in range(2)]
for _ in range(5):
    try:
        check(dial(cat, '127.0.0.2').recv(1), 'a reset')
    except ConnectionResetError:
        pass
other = dial(cat, '127.0.0.3')
for c in greedy + [other]:
    c.sendall(b'.')
cat.await_output(b'...')
check(cat.errors().count('too many from its address'), 5)
greedy[0].close()
until(lambda: 'closed 127.0.0.2' in cat.errors(), 'the end of one')
again = dial(cat, '127.0.0.2')
again.sendall(b'!')
cat.await_output(b'...!')
PY
}

@test "F48: over both families an IPv4 client is counted as one" {
    need_ipv6
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '-d', '--max-conns-per-host', '1', '0')
one = dial(cat)
six = socket.create_connection(('::1', int(cat.where)))
for c in one, six:
    c.sendall(b'.')
cat.await_output(b'..')
for where in '127.0.0.1', '::1':
    s = socket.create_connection((where, int(cat.where)))
    try:
        check(s.recv(1), 'a reset')
    except ConnectionResetError:
        pass
PY
}

@test "F49: with --idle-timeout a client that sends nothing, or no more, loses its place to one who waits" {
    drive <<'PY'
from drive import *
for words in ['-d'], ['--echo'], ['-c', 'exec cat']:
    cat = Cat('-l', '-k', '--max-conns', '1', '--idle-timeout', '0.3', *words, '127.0.0.1', '0')
    silent, slow, good = (dial(cat) for _ in range(3))
    slow.sendall(b'1')
    good.sendall(b'2')
    good.shutdown(socket.SHUT_WR)
    got = to_end(good)
    check(cat.output() if words == ['-d'] else got, b'12' if words == ['-d'] else b'2')
    for c in silent, slow:
        try:
            to_end(c)
            sys.exit('it ended well')
        except ConnectionResetError:
            pass
    check(cat.errors().count('nothing moved'), 2, cat.errors())
PY
}

# full_house: what two scripts have in common: a listener that has descriptors for four clients, with
# four in and ten who wait.
full_house() {
    cat <<'PY'
from drive import *
def full_house(*more):
    global there
    cat = Cat('-l', '-k', *more, '127.0.0.1', '0', stdin=os.pipe()[0])
    cat.rest()
    there = cat.descriptors()
    most = max(int(fd) for fd in os.listdir('/proc/%d/fd' % cat.pid) if int(fd) < 500) + 1
    subprocess.run(['prlimit', '--pid', str(cat.pid), '--nofile=%d' % (most + 4)], check=True)
    clients = [dial(cat) for _ in range(14)]
    until(lambda: cat.descriptors() == there + 4, 'the first')
    return cat, clients
PY
}

@test "F45: without descriptors the listener pauses instead of spinning, and serves who is there" {
    need prlimit
    { full_house && cat; } <<'PY' | drive
for more in [], ['--echo'], ['--broker']:
    cat, clients = full_house(*more)
    inside = clients[:4]
    before = cat.ticks()
    # A second passes, in which it would spin.
    Cat('-l', '--accept-timeout', '1', '-U', T + '/t').end(28)
    check(cat.ticks() - before < 30, True, '%d ticks' % (cat.ticks() - before))
    for c in inside:
        c.sendall(b'.')
    if more == ['--echo']:
        check(b''.join(c.recv(1) for c in inside), b'....')
    if more == ['--broker']:
        check(b''.join(exactly(c, 3) for c in inside), b'.' * 12)
    if not more:
        cat.await_output(b'....')
PY
}

@test "F46: a client that leaves while the listener pauses makes room for one who waits" {
    need prlimit
    { full_house && cat; } <<'PY' | drive
for more in [], ['--echo'], ['--broker']:
    cat, clients = full_house(*more)
    for n, c in enumerate(clients[4:]):
        clients[n].close()
        c.sendall(b'!')
        if more == ['--echo']:
            check(c.recv(1), b'!')
    if not more:
        cat.await_output(b'!' * 10)
    for c in clients[10:]:
        c.close()
    until(lambda: cat.descriptors() == there, 'all to be gone')
PY
}

@test "F45: the pause costs some ten looks a second" {
    need prlimit
    need strace
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '-d', '127.0.0.1', '0')
cat.rest()
most = max(int(fd) for fd in os.listdir('/proc/%d/fd' % cat.pid)) + 1
subprocess.run(['prlimit', '--pid', str(cat.pid), '--nofile=%d' % (most + 2)], check=True)
trace = subprocess.Popen(['strace', '-qq', '-p', str(cat.pid), '-o', T + '/trace'], stderr=subprocess.DEVNULL)
until(lambda: re.search(r'TracerPid:\s+[1-9]', open('/proc/%d/status' % cat.pid).read()), 'strace')
clients = [dial(cat) for _ in range(6)]
def calls():
    with open(T + '/trace') as file:
        return file.read()
until(lambda: calls().count('EMFILE') >= 3, 'pauses')
before = calls().count('\n')
# Half a second.
Cat('-l', '--accept-timeout', '0.5', '-U', T + '/t').end(28)
check(calls().count('\n') - before < 100, True, calls()[-2000:])
trace.terminate()
trace.wait()
PY
}

@test "F50: after 2,000 connections its descriptors and its memory are what they were" {
    drive <<'PY'
from drive import *
def flood(cat, n, more):
    for at in range(n):
        c = dial(cat)
        if at % 3 == 1:
            c.sendall(b'hello')
        if at % 3 == 2 and more != ['--broker']:
            c.shutdown(socket.SHUT_WR)
            to_end(c)
        if at % 2:
            reset(c)
        else:
            c.close()
for more in [], ['--echo'], ['--broker']:
    cat = Cat('-l', '-k', '-d' if not more else more[0], '127.0.0.1', '0')
    cat.rest()
    descriptors = cat.descriptors()
    flood(cat, 200, more)
    until(lambda: cat.descriptors() == descriptors, 'all to be gone')
    memory = cat.resident()
    flood(cat, 700, more)
    until(lambda: cat.descriptors() == descriptors, 'all to be gone')
    check(cat.resident() - memory < 300000 * int(os.environ['PATIENCE']) ** 4, True, cat.resident() - memory)
PY
}

@test "F51: 500 clients that have been sent a message, and are idle, cost what they are" {
    drive <<'PY'
from drive import *
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (2000, 2000))
for more in [], ['--frame', 'line'], ['--frame', 'netstring'], ['-C']:
    cat = Cat('-l', '-k', '--max-conns', '1000', '--echo', *more, '127.0.0.1', '0')
    message = b'5:hello,' if 'netstring' in more else b'hello\n'
    answer = message if more != ['-C'] else b'hello\r\n'
    def ask():
        c = dial(cat)
        c.sendall(message)
        check(c.recv(len(answer), socket.MSG_WAITALL), answer)
        return c
    few = [ask() for _ in range(10)]
    memory = cat.resident()
    many = [ask() for _ in range(500)]
    if os.environ['PATIENCE'] == '1':
        check((cat.resident() - memory) / 500 <= 4096, True, '%s: %d' % (more, (cat.resident() - memory) / 500))
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
PY
}

@test "F51: 500 idle clients cost what they are, and no turns" {
    need_shim
    drive <<'PY'
from drive import *
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (2000, 2000))
for more in [], ['--echo'], ['--broker']:
    cat = Cat('-l', '-k', '--max-conns', '1000', '--max-accepts', '510', *more, '127.0.0.1', '0',
              stdin=os.pipe()[0], env=dict(LD_PRELOAD=os.environ['SHIM_LIB'], SHIM='', SHIM_PROG='sockcat',
                                           SHIM_COUNT=T + '/count'))
    cat.rest()
    descriptors = cat.descriptors()
    few = [dial(cat) for _ in range(9)]
    until(lambda: cat.descriptors() == descriptors + 9, 'a few')
    memory = cat.resident()
    many = [dial(cat) for _ in range(500)]
    until(lambda: cat.descriptors() == descriptors + 509, 'many')
    if os.environ['PATIENCE'] == '1':
        check((cat.resident() - memory) / 500 <= 4096, True, '%d' % ((cat.resident() - memory) / 500))
    one = dial(cat)
    for _ in range(1000):
        one.sendall(b'.')
        if more == ['--echo']:
            check(one.recv(1), b'.')
    until(lambda: taken(one), 'all of it')
    for c in few + many + [one]:
        c.shutdown(socket.SHUT_WR)
    for c in few + many + [one]:
        to_end(c)
        c.close()
    cat.end()
    counts = {words[0]: int(words[1]) for words in map(str.split, open(T + '/count'))}
    waits = counts.get('epoll_wait') or counts['poll']
    check(waits < (10000 if more != ['--broker'] else 600000), True, counts)
PY
}

@test "F53: clients that vanish before they are accepted are none" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '-d', '127.0.0.1', '0')
cat.rest()
descriptors = cat.descriptors()
cat.stop()
for n in range(50):
    c = dial(cat)
    if n % 2:
        c.sendall(b'x' * 10 if n % 4 == 1 else b'')
    reset(c)
good = dial(cat)
good.sendall(b'good')
cat.go()
until(lambda: cat.output().endswith(b'good'), 'the good one')
until(lambda: cat.descriptors() == descriptors + 1, 'the others to be gone')
PY
}

@test "F53: errors of accept that belong to a client end nothing" {
    need_shim
    for error in ECONNABORTED EPROTO ENETDOWN EHOSTUNREACH EINTR ENOBUFS ENOMEM EMFILE; do
        with_shim "accept4:$error:1,accept4:$error:3" start_listener -k -d --max-accepts 3 127.0.0.1 0
        for word in one two three; do
            start_peer --connect "tcp:127.0.0.1:$port" "send:$word" shutwr recvall
            assert_peer_done
        done
        finish "$listener"
        assert_equal "$error $result $(cat "$T/listener.out")" "$error 0 onetwothree"
    done
}

# ---- calls that fail while it serves ----

# hub_life: writes life.py, for the scripts below.
hub_life() {
    cat >"$T/life.py" <<'PY'
from drive import *

class Life:
    """A hub, four clients one after another, and whether each of them was served."""
    def __init__(self, service, rules, count=False, most=4):
        self.service = service
        self.input, w = os.pipe()
        self.output, end = os.pipe()
        self.said = w
        env = dict(LD_PRELOAD=os.environ['SHIM_LIB'], SHIM=rules, SHIM_PROG='sockcat')
        if count:
            env['SHIM_COUNT'] = T + '/count'
        self.cat = Cat('-l', '-k', *service, '--max-accepts', str(most), '127.0.0.1', '0', stdin=self.input,
                       stdout=end, env=env)
        os.close(end)
        self.clients, self.word = [], 64

    def join(self):
        """One more; whether it is served."""
        try:
            others = [other for other in self.clients if self.is_there(other)]
            c = dial(self.cat)
            self.clients.append(c)
            self.word += 1
            word = bytes([self.word])
            c.sendall(word)
            if self.service == ['--echo']:
                return c.recv(1) == word
            if not self.service:
                return self.answers(c, self.output, lambda: os.read(self.output, 1), word)
            # Everybody else hears it; one is asked.
            return not others or self.answers(c, others[0], lambda: others[0].recv(1), word)
        except OSError:
            return False

    def answers(self, c, source, read, word):
        """The word comes out there, before the client is turned away."""
        while ready := select.select([source, c], [], [], LIMIT)[0]:
            if source in ready:
                if read() == word:
                    return True
            elif c.recv(1) == b'':
                return False
        sys.exit('nothing happens: ' + self.cat.errors())

    def speaks(self):
        """What standard input says reaches so many."""
        os.write(self.said, b'!')
        heard = 0
        for c in self.clients:
            try:
                heard += c.recv(1) == b'!'
            except OSError:
                pass
        return heard

    def is_there(self, c):
        """It has not been sent away."""
        try:
            c.setblocking(False)
            return c.recv(1) != b''
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            c.settimeout(LIMIT)

    def end(self, statuses):
        for c in self.clients:
            c.close()
        os.close(self.said)
        os.close(self.input)
        got = self.cat.process.wait(LIMIT)
        os.close(self.output)
        check(got in statuses, True, '%s: %s' % (got, self.cat.errors()))
        return got

def quiet(service):
    """The calls of one to whom nobody comes."""
    Cat('-l', '-k', *service, '--accept-timeout', '0.05', '-U', T + '/quiet', stdin=os.pipe()[0], env=dict(
        LD_PRELOAD=os.environ['SHIM_LIB'], SHIM='', SHIM_PROG='sockcat', SHIM_COUNT=T + '/count')).end(28)
    return counted()

def counted():
    return {words[0]: int(words[1]) for words in map(str.split, open(T + '/count'))}

SERVICES = [], ['--echo'], ['--broker']
PY
}

@test "F9: memory that is not to be had once costs one client at most, and the next is served" {
    need_shim malloc
    hub_life
    PYTHONPATH=$T drive <<'PY'
from life import *
for service in SERVICES:
    life = Life(service, '', count=True)
    check([life.join() for _ in range(4)], [True] * 4)
    life.end([0, 104])
    counts = counted()
    for call in 'malloc', 'calloc', 'realloc':
        for n in range(1, counts.get(call, 0) + 1):
            try:
                life = Life(service, '%s:ENOMEM:%d' % (call, n))
            except SystemExit:
                continue  # it did not come up, as it should not
            served = [life.join() for _ in range(4)]
            check(served.count(False) <= 1, True, '%s %s %d: %s %s' % (
                service, call, n, served, life.cat.errors()))
            if not service:
                check(life.speaks() >= 3, True, '%s %d: %s' % (call, n, life.cat.errors()))
            life.end([0, 104])
PY
}

@test "F9: memory that is not to be had any more ends nobody who is there, and crashes nothing" {
    need_shim malloc
    hub_life
    PYTHONPATH=$T drive <<'PY'
from life import *
for service in SERVICES:
    life = Life(service, '', count=True, most=2)
    check([life.join() for _ in range(2)], [True] * 2)
    life.end([0, 104])
    two = counted()
    life = Life(service, '', count=True)
    check([life.join() for _ in range(4)], [True] * 4)
    life.end([0, 104])
    four = counted()
    for n in range(two['malloc'] + 1, four['malloc'] + 1, 2):
        life = Life(service, 'malloc:ENOMEM:%d+,calloc:ENOMEM:%d+,realloc:ENOMEM:%d+' % (
            n, two['calloc'] + 1, two['realloc'] + 1))
        check([life.join() for _ in range(2)], [True, True])
        others = [dial(life.cat) for _ in range(2)]
        for c in others:
            c.sendall(b'?')
        # Time to fail in.
        Cat('-l', '--accept-timeout', '0.1', '-U', T + '/t').end(28)
        check([life.is_there(c) for c in life.clients], [True, True], life.cat.errors())
        if service == ['--echo']:
            for c in life.clients:
                c.sendall(b'x' * 1000)
                check(exactly(c, 1000), b'x' * 1000)
        for c in others:
            reset(c)
        life.end([0, 104])
PY
}

@test "F10: a call that fails once costs one client at most" {
    need_shim
    hub_life
    PYTHONPATH=$T drive <<'PY'
from life import *
for service in SERVICES:
    none = quiet(service)
    life = Life(service, '', count=True)
    check([life.join() for _ in range(4)], [True] * 4)
    life.end([0, 104])
    four = counted()
    for call, error in (('setsockopt', 'ENOBUFS'), ('getsockopt', 'ENOBUFS'), ('fcntl', 'ENOMEM'),
                        ('epoll_ctl', 'ENOMEM'), ('accept4', 'ENOMEM'), ('accept4', 'EMFILE'), ('recvmsg', 'ENOBUFS'),
                        ('recvmsg', 'ECONNRESET'), ('sendmsg', 'ENOBUFS'), ('sendmsg', 'EPIPE'), ('ioctl', 'EINVAL'),
                        ('shutdown', 'ENOBUFS'), ('close', 'EIO'), ('epoll_wait', 'EINTR'), ('open', 'EMFILE')):
        first, last = none.get(call, 0), four.get(call, 0)
        for n in range(first + 1, last + 1, max(1, (last - first) // 8)):
            life = Life(service, '%s:%s:%d' % (call, error, n))
            served = [life.join() for _ in range(4)]
            check(served.count(False) <= 1, True, '%s %s %d: %s %s' % (
                service, call, n, served, life.cat.errors()))
            life.end([0, 104])
PY
}

@test "F10: a call that fails for good ends nobody who is there, and crashes nothing" {
    need_shim
    hub_life
    PYTHONPATH=$T drive <<'PY'
from life import *
for service in SERVICES:
    life = Life(service, '', count=True, most=2)
    check([life.join() for _ in range(2)], [True] * 2)
    life.end([0, 104])
    two = counted()
    none = quiet(service)
    for call, error in (('setsockopt', 'ENOBUFS'), ('getsockopt', 'ENOBUFS'), ('fcntl', 'ENOMEM'),
                        ('epoll_ctl', 'ENOMEM'), ('accept4', 'ENOMEM'), ('accept4', 'EMFILE'),
                        ('accept4', 'ECONNABORTED'), ('ioctl', 'EINVAL'), ('open', 'EMFILE')):
        # From the first client on, or from the third; two that come at once save one call.
        for n in none.get(call, 0) + 1, two.get(call, 0) + 2:
            what = '%s %s %d' % (service, call, n)
            life = Life(service, '%s:%s:%d+' % (call, error, n), most=5)
            served = n > two.get(call, 0) and [life.join() for _ in range(2)]
            others = [dial(life.cat) for _ in range(2)]
            for c in others:
                c.sendall(b'?')
            Cat('-l', '--accept-timeout', '0.05', '-U', T + '/t').end(28)
            check(life.cat.process.poll(), None, what + life.cat.errors())
            check([life.is_there(c) for c in life.clients], served or [], what + life.cat.errors())
            life.cat.send(signal.SIGTERM)
            check(life.cat.process.wait(LIMIT), -signal.SIGTERM, what + life.cat.errors())
PY
}

@test "F10: without epoll it is poll that waits" {
    need_shim
    hub_life
    PYTHONPATH=$T drive <<'PY'
from life import *
for service in SERVICES:
    life = Life(service, 'epoll_create1:EMFILE:*', count=True, most=30)
    check([life.join() for _ in range(30)], [True] * 30)
    if not service:
        check(life.speaks(), 30)
    life.end([0, 104])
    check(counted()['poll'] > 30, True)
PY
}

# ---- others as clients ----

@test "nc, ncat, socat, curl, bash and sockcat are clients of one listener at a time" {
    need nc.openbsd
    need ncat
    need socat
    need curl
    drive <<'PY'
from drive import *
r, w = os.pipe()
cat = Cat('-l', '-k', '127.0.0.1', '0', stdin=r)
os.close(r)
host, port = '127.0.0.1', cat.where
peers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for command in (
    ['nc.openbsd', host, port],
    ['ncat', host, port],
    ['socat', '-', 'TCP:%s:%s' % (host, port)],
    ['curl', '-sN', 'telnet://%s:%s' % (host, port)],
    [os.environ['SOCKCAT'], host, port],
    ['bash', '-c', 'exec 3<>/dev/tcp/%s/%s; cat <&3 & exec cat >&3' % (host, port)])]
wanted = b''
for n, peer in enumerate(peers):
    wanted += b'from %d\n' % n
    os.write(peer.stdin.fileno(), b'from %d\n' % n)
    cat.await_output(wanted)
os.write(w, b'to all\n')
for peer in peers:
    check(shown(peer.stdout.fileno(), b'to all\n'), b'to all\n', peer.args)
os.close(w)
for peer in peers:
    peer.stdin.close()
    check(peer.args[0] == 'bash' or peer.wait(LIMIT) in (0, 1), True, peer.args)
    peer.kill()
check('failed' in cat.errors(), False)
PY
}

@test "a broker joins nc, ncat and socat" {
    need nc.openbsd
    need ncat
    need socat
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '--broker', '127.0.0.1', '0')
host, port = '127.0.0.1', cat.where
own = dial(cat)
peers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for command in (
    ['nc.openbsd', host, port], ['ncat', host, port], ['socat', '-', 'TCP:%s:%s' % (host, port)])]
for n, peer in enumerate(peers):  # so that all are there
    os.write(peer.stdin.fileno(), b'%d' % n)
    check(own.recv(1), b'%d' % n)
own.sendall(b'!')
for n, peer in enumerate(peers):
    got = b''
    while not got.endswith(b'!'):
        got += os.read(peer.stdout.fileno(), 1)
    check(b'%d' % n in got, False, 'it hears itself')
    peer.kill()
PY
}

@test "curl gets a page from a file that every client is sent" {
    need curl
    printf 'HTTP/1.0 200 OK\r\n\r\nhello\n' >"$T/page"
    LISTENER_IN=$T/page start_listener -k 127.0.0.1 0
    for _ in 1 2 3; do
        assert_equal "$(curl -s "http://127.0.0.1:$port/")" hello
    done
    assert_equal "$(grep -c '^GET / HTTP' "$T/listener.out")" 3
}

@test "over both families and Unix sockets many are served" {
    need_ipv6
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '-d', '0')
for n in range(10):
    c = socket.create_connection(('::1' if n % 2 else '127.0.0.1', int(cat.where)))
    c.sendall(b'.')
    cat.await_output(b'.' * (n + 1))
cat = Cat('-l', '-k', '-U', '--echo', T + '/s')
clients = [dial(cat) for _ in range(10)]
for c in clients:
    c.sendall(b'hello')
    check(exactly(c, 5), b'hello')
cat.send(signal.SIGTERM)
cat.end(-signal.SIGTERM)
check(os.path.exists(T + '/s'), False)
PY
}

# Where it runs no port is free for a minute.
come_and_go_for_long() {
    LIMIT=400 drive <<'PY'
from drive import *
# With a sanitizer each takes ten times as long.
total = 100000 if os.environ['PATIENCE'] == '1' else 10000
cat = Cat('-l', '-k', '--echo', '127.0.0.1', '0')
def come_and_go(first, last):
    for i in range(first, last):
        with socket.socket() as s:
            # Ports would run out at one address.
            s.bind(('127.0.%d.%d' % (1 + i // 20000, 1 + i % 200), 0))
            s.settimeout(LIMIT)
            s.connect(cat.address())
            s.sendall(b'x')
            check(s.recv(1), b'x')
            if i % 3 == 0:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            elif i % 3 == 1:
                s.shutdown(socket.SHUT_WR)
                check(s.recv(1), b'')
def idle():
    until(lambda: cat.descriptors() <= few, 'the last to go')
    return cat.resident()
few = cat.descriptors()
come_and_go(0, total // 20)
before = idle()
come_and_go(total // 20, total)
if os.environ['PATIENCE'] == '1':
    check(idle() - before <= 256 * 1024, True, '%d bytes more' % (cat.resident() - before))
idle()
PY
}

@test "F162: memory and descriptors stay as they are over 100,000 connections" {
    need_netns
    NETNS_LIMIT=420 in_netns come_and_go_for_long
}
