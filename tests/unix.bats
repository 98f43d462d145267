# Unix-domain sockets: nothing but a dead socket is ever removed, a live one is never disturbed,
# nobody else gets in while a listener starts, and what a peer calls itself or passes along does no
# harm.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, pid, result
bats_require_minimum_version 1.5.0
load lib/helper

# The socket of a process that was killed: nobody listens, the file is still there.
make_stale() { drive "$1" <<<'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])'; }

identity() { stat -c '%F %i %a %s %t:%T' "$1"; }

# refuses_path PATH ARG...: listening there is refused, and what is there stays as it is.
refuses_path() {
    local before path=$1
    before=$(identity "$path")
    shift
    assert_fails 101 "listen $path: " sockcat -l -U "$@" "$path" </dev/null || return
    assert_equal "$(identity "$path")" "$before" || return
    assert_equal "$(find "$T" -name '*.sockcat-*')" ""
}

# ---- G77: what is not a socket ----

@test "F77: a regular file in the way is refused and stays" {
    echo precious >"$T/file"
    for kind in '' -u --seqpacket; do
        refuses_path "$T/file" $kind
        assert_equal "$(cat "$T/fails.err")" \
            "sockcat: listen $T/file: the path exists and is not a socket"
    done
    assert_equal "$(cat "$T/file")" precious
}

@test "F77: an empty file in the way is refused and stays" {
    : >"$T/file"
    refuses_path "$T/file"
}

@test "F77: a directory in the way is refused and stays" {
    mkdir "$T/directory"
    refuses_path "$T/directory"
}

@test "F77: a FIFO in the way is refused and stays, and is not waited for" {
    mkfifo "$T/fifo"
    refuses_path "$T/fifo"
}

@test "F77: a device in the way is refused and stays" {
    mknod "$T/device" c 1 3 || skip "needs the right to make a device"
    refuses_path "$T/device"
}

@test "F77: a symbolic link in the way is refused and stays, wherever it leads" {
    echo precious >"$T/file"
    make_stale "$T/stale"
    for target in file stale nowhere .; do
        ln -sfn "$target" "$T/link"
        refuses_path "$T/link"
        assert_equal "$(readlink "$T/link")" "$target"
    done
    [ -S "$T/stale" ] && [ ! -e "$T/nowhere" ] && [ "$(cat "$T/file")" = precious ]
}

@test "F77: a client's own path that is a regular file is refused and stays" {
    start_listener -k -U "$T/socket"
    echo precious >"$T/file"
    before=$(identity "$T/file")
    assert_fails 45 "bind $T/file" sockcat -U -s "$T/file" "$T/socket" </dev/null
    assert_equal "$(identity "$T/file") $(cat "$T/file")" "$before precious"
}

@test "F77: a path in a directory that does not exist, or that is a file, is refused" {
    echo precious >"$T/file"
    assert_fails 101 'No such file or directory' sockcat -l -U "$T/none/socket" </dev/null
    assert_fails 101 'Not a directory' sockcat -l -U "$T/file/socket" </dev/null
    assert_equal "$(cat "$T/file")" precious
}

# ---- G78: dead sockets ----

@test "F78: a dead socket in the way is replaced" {
    need nc.openbsd
    make_stale "$T/socket"
    before=$(stat -c %i "$T/socket")
    start_listener -U "$T/socket"
    echo hello | nc.openbsd -N -U "$T/socket"
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    [ ! -e "$T/socket" ] || fail "it was left behind (before: $before)"
}

@test "F78: dead datagram and seqpacket sockets are replaced, too, by whatever comes" {
    for kind in SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET; do
        for option in -k -u --seqpacket; do
            drive "$T/socket" <<<"import socket as s, sys; s.socket(s.AF_UNIX, s.$kind).bind(sys.argv[1])"
            start_listener -U $option "$T/socket"
            kill -TERM "$listener"
            finish "$listener"
            [ ! -e "$T/socket" ] || fail "$kind $option: it is still there"
        done
    done
}

@test "F78: a client's own path is replaced when it is a dead socket, and removed at the end" {
    make_stale "$T/mine"
    start_listener -U -v "$T/socket"
    sockcat -U -s "$T/mine" "$T/socket" </dev/null
    finish "$listener"
    assert_line "connection from $T/mine" "$T/listener.err"
    [ ! -e "$T/mine" ] || fail "it is still there"
}

@test "F78: a dead socket that may not be removed is refused" {
    need_root
    need setpriv
    chmod 755 "$T"
    make_stale "$T/socket"
    before=$(identity "$T/socket")
    # Nobody else may write to this directory, which root without capabilities obeys.
    chown 65534:65534 "$T"
    assert_fails 101 "listen $T/socket" setpriv --bounding-set=-all --inh-caps=-all \
        timeout -s KILL 30 "$SOCKCAT" -l -U "$T/socket" </dev/null
    assert_equal "$(identity "$T/socket")" "$before"
}

# ---- G79: live sockets ----

@test "F79: a live listener of another program is neither removed nor disturbed" {
    drive <<'PY'
from drive import *
for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
    path = '%s/%d' % (T, kind)
    live = unix(kind, path)
    if kind != socket.SOCK_DGRAM:
        live.listen(1)
    inode = os.stat(path).st_ino
    for options in ([], ['--seqpacket'], ['-u']):
        # Not by Cat(): there is no ready line.
        got = subprocess.run([os.environ['SOCKCAT'], '-l', '-U', path] + options, timeout=LIMIT,
                             stdin=subprocess.DEVNULL, capture_output=True)
        check(got.returncode, 101, got.stderr)
        check(got.stderr, b'sockcat: listen %s: Address already in use\n' % path.encode())
    check(os.stat(path).st_ino, inode)
    live.settimeout(0)
    try:
        sys.exit('it was noticed: %r' % (live.accept() if kind != socket.SOCK_DGRAM else live.recv(9),))
    except BlockingIOError:
        pass
    # The queue of the listener has room for its own clients.
    live.settimeout(LIMIT)
    client = unix(kind)
    client.connect(path)
    client.send(b'hello')
    conn = live if kind == socket.SOCK_DGRAM else live.accept()[0]
    check(conn.recv(10), b'hello')
PY
}

@test "F79: a second listener on a live path is refused and the first serves its client" {
    need nc.openbsd
    for option in -v --seqpacket; do
        start_listener $option -U "$T/socket"
        assert_fails 101 'Address already in use' sockcat -l -U "$T/socket" </dev/null
        assert_fails 101 'Address already in use' sockcat -l --seqpacket -U "$T/socket" </dev/null
        assert_fails 101 'Address already in use' sockcat -l -u -U "$T/socket" </dev/null
        ! is_gone "$listener" || fail "the first one ended"
        if [ "$option" = -v ]; then
            echo hello | nc.openbsd -N -U "$T/socket"
        else
            start_peer --connect "seqpacket:$T/socket" 'send:hello\n'
        fi
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    done
}

@test "F79: a socket that is bound but does not listen yet is not taken for dead" {
    drive <<'PY'
from drive import *
for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
    path = '%s/%d' % (T, kind)
    early = unix(kind, path)
    inode = os.stat(path).st_ino
    got = subprocess.run([os.environ['SOCKCAT'], '-l', '-U', path], timeout=LIMIT,
                         stdin=subprocess.DEVNULL, capture_output=True)
    check(got.returncode, 101, got.stderr)
    check(os.stat(path).st_ino, inode)
PY
}

@test "F79: a datagram socket that is connected to another one is not taken for dead" {
    drive <<'PY'
from drive import *
one, two = unix(socket.SOCK_DGRAM, T + '/one'), unix(socket.SOCK_DGRAM, T + '/two')
one.connect(T + '/two')
got = subprocess.run([os.environ['SOCKCAT'], '-l', '-u', '-U', T + '/one'], timeout=LIMIT,
                     stdin=subprocess.DEVNULL, capture_output=True)
check(got.returncode, 101, got.stderr)
two.sendto(b'hello', T + '/one')
check(one.recv(10), b'hello')
PY
}

@test "F79: a live listener whose queue is full is not taken for dead" {
    drive <<'PY'
from drive import *
path = T + '/socket'
live = unix(name=path)
live.listen(0)
waiting = []
try:
    for _ in range(10):
        waiting.append(unix())
        waiting[-1].setblocking(False)
        waiting[-1].connect(path)
except BlockingIOError:
    pass
inode = os.stat(path).st_ino
got = subprocess.run([os.environ['SOCKCAT'], '-l', '-U', path], timeout=LIMIT,
                     stdin=subprocess.DEVNULL, capture_output=True)
check(got.returncode, 101, got.stderr)
check(os.stat(path).st_ino, inode)
PY
}

@test "F79: an abstract name that is taken is refused" {
    start_listener -U "@$T/name"
    assert_fails 101 "listen @$T/name: Address already in use" sockcat -l -U "@$T/name" </dev/null
    ! is_gone "$listener" || fail "the first one ended"
}

@test "F79: of many listeners that start at once on a dead socket one gets it, and is reached" {
    drive <<'PY'
from drive import *
for _ in range(15):
    path = T + '/socket'
    unix(name=path).close()
    pipes = [os.pipe() for _ in range(4)]
    many = [subprocess.Popen([os.environ['SOCKCAT'], '-l', '--ready-fd', str(w), '-U', path],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, pass_fds=[w]) for _, w in pipes]
    for _, w in pipes:
        os.close(w)
    lines = [open(r, 'rb').read() for r, _ in pipes]
    check(sorted(lines), [b'', b'', b'', path.encode() + b'\n'])
    client = unix()
    client.connect(path)
    client.shutdown(socket.SHUT_WR)
    check(sorted(p.wait(LIMIT) for p in many), [0, 101, 101, 101])
    check(os.path.exists(path), False)
check([name for name in os.listdir(T) if name.startswith('socket')], [])
PY
}

# ---- G80: the path is swapped between the check and the removal ----

# Starts a listener on a dead socket with the shim's rules, and puts a regular file in its place
# as soon as the program has made the call that the rules delay. $1: the system call to wait for.
swapped_during() {
    drive "$@" <<'PY'
from drive import *
path = T + '/socket'
unix(name=path).close()
with open(T + '/precious', 'w') as file:
    file.write('precious')
inode = os.stat(T + '/precious').st_ino
p = subprocess.Popen([os.environ['SOCKCAT'], '-l', '-U', path], stdin=subprocess.DEVNULL,
                     stderr=subprocess.PIPE)
def asleep():
    """The shim sleeps in nanosleep (35 or 230), right in front of the call."""
    with open('/proc/%d/syscall' % p.pid) as file:
        return file.read().split()[0] in ('35', '230')
until(asleep, 'the delayed call')
os.rename(T + '/precious', path)
check(p.wait(LIMIT), 101, p.stderr.read())
check(os.stat(path).st_ino, inode)
with open(path) as file:
    check(file.read(), 'precious')
check([name for name in os.listdir(T) if name.startswith('socket')], ['socket'])
PY
}

@test "F80: a file that takes a dead socket's place before the look at it stays" {
    need_shim
    [ -r /proc/self/syscall ] || skip "needs /proc/PID/syscall"
    with_shim open:sleep=1:1,socket:sleep=1:2 swapped_during
}

@test "F80: a file that takes a dead socket's place after the look at it stays" {
    need_shim
    [ -r /proc/self/syscall ] || skip "needs /proc/PID/syscall"
    with_shim connect:sleep=1:1 swapped_during
}

@test "F80: a file that takes the socket's place right after bind is not taken for the own one" {
    need strace
    code=0
    drive <<'PY' || code=$?
from drive import *
path = T + '/socket'
with open(T + '/precious', 'w') as file:
    file.write('precious')
inode = os.stat(T + '/precious').st_ino
# The ready line cannot be written, so that it ends, and cleans up, by itself.
p = subprocess.Popen(['strace', '-f', '-o', T + '/trace', '-e', 'trace=bind',
                      '-e', 'inject=bind:delay_exit=1000000', os.environ['SOCKCAT'], '-l', '-U',
                      '--ready-fd', '0', path], stdin=open('/dev/null', 'rb'),
                     stderr=subprocess.PIPE, env=dict(os.environ, ASAN_OPTIONS='detect_leaks=0'))
until(lambda: os.path.exists(path) or p.poll() is not None, 'the socket')
if not os.path.exists(path):
    sys.exit(77)
os.rename(T + '/precious', path)
check(p.wait(LIMIT), 23, p.stderr.read())
check(os.stat(path).st_ino if os.path.exists(path) else 'removed', inode)
PY
    [ "$code" -ne 77 ] || skip "strace may not trace here"
    [ "$code" -eq 0 ]
}

@test "F80: no file is ever lost when a path is swapped thousands of times under starting listeners" {
    drive <<'PY'
from drive import *
# One process swaps what is at the path: a dead socket, then by rename a file, which it takes away
# again. Meanwhile listeners start there, one after the other, and end at once, because their ready
# line cannot be written: both removals, of a dead socket and of one's own, meet the swaps.
path, spare, dead, halt = (T + '/' + name for name in ('socket', 'spare', 'dead', 'halt'))
ROUNDS, SECONDS = 3000, 12
swapper = os.fork()
if swapper == 0:
    lost = swaps = 0
    try:
        # Each file is held open, so that its link count can be asked wherever it has gone.
        held = os.open(spare, os.O_RDWR | os.O_CREAT, 0o600)
        while not os.path.exists(halt):
            swaps += 1
            unix(name=dead).close()
            os.rename(dead, path)
            os.rename(spare, path)
            if os.fstat(held).st_nlink == 0:
                lost += 1
                break
            try:
                os.rename(path, spare)
            except FileNotFoundError:
                pass
            try:
                if os.stat(spare).st_ino == os.fstat(held).st_ino:
                    continue
                os.unlink(spare)
            except FileNotFoundError:
                pass
            # Taken away for a moment, it goes back; or somewhere, but never away.
            for _ in range(400):
                found = [T + '/' + name for name in os.listdir(T) if name.startswith('socket')]
                found = [name for name in found if os.path.lexists(name) and
                         os.lstat(name).st_ino == os.fstat(held).st_ino]
                if found or os.fstat(held).st_nlink == 0:
                    break
                time.sleep(0.001)
            if os.fstat(held).st_nlink == 0:
                lost += 1
                break
            os.close(held)
            held = os.open(spare, os.O_RDWR | os.O_CREAT, 0o600)
        with open(T + '/swaps', 'w') as file:
            file.write('%d %d' % (swaps, lost))
    finally:
        os._exit(0)
ends, rounds = {}, 0
stop = time.monotonic() + SECONDS
null = os.open('/dev/null', os.O_RDONLY)
while rounds < ROUNDS and time.monotonic() < stop and not os.path.exists(T + '/swaps'):
    rounds += 1
    pid = os.posix_spawn(os.environ['SOCKCAT'], ['sockcat', '-l', '-U', '--ready-fd', '0', path],
                         os.environ, file_actions=[
                             (os.POSIX_SPAWN_DUP2, null, 0),
                             (os.POSIX_SPAWN_OPEN, 2, T + '/race.err', os.O_WRONLY | os.O_CREAT, 0o600)])
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    ends[status] = ends.get(status, 0) + 1
open(halt, 'w').close()
os.waitpid(swapper, 0)
with open(T + '/swaps') as file:
    swaps, lost = map(int, file.read().split())
print('%d listeners %r, %d swaps' % (rounds, ends, swaps))
check(lost, 0, 'files that were removed')
check(set(ends) - {23, 101}, set(), 'unexpected statuses')
if swaps < 1000 or not {23, 101} <= set(ends):
    sys.exit('that was no race')
PY
}

# ---- G81: long paths ----

@test "F81: a path of 107 bytes works" {
    cd "$T"
    path=$(printf '%0107d' 0)
    start_listener -U "$path"
    assert_equal "$port" "$path"
    sockcat -U "$path" <<<hello
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    [ ! -e "$path" ] || fail "it is still there"
}

@test "F81: a path of 108 bytes or more is refused with its length, by listeners and clients" {
    cd "$T"
    for length in 108 109 255 256 4096 100000; do
        path=$(printf "%0${length}d" 0)
        assert_fails 3 "$length bytes, and a socket's path has at most 107" \
            sockcat -l -U "$path" </dev/null
        assert_fails 3 "$length bytes, and a socket's path has at most 107" \
            sockcat -U "$path" </dev/null
        assert_fails 3 "$length bytes, and a socket's path has at most 107" \
            sockcat -U -s "$path" socket </dev/null
    done
    assert_equal "$(find . -name '0*')" ""
}

@test "F81: an abstract name of 107 bytes works, one more is refused" {
    name=@$(printf '%-107s' "$T" | tr ' ' x)
    start_listener -U "$name"
    sockcat -U "$name" <<<hello
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    assert_fails 3 'has at most 107' sockcat -l -U "${name}x" </dev/null
    assert_fails 3 'has at most 107' sockcat -U "${name}x" </dev/null
}

@test "F81: an empty path, and an abstract name of no bytes, are refused" {
    for path in '' @; do
        assert_fails 3 'it is empty' sockcat -l -U "$path" </dev/null
        assert_fails 3 'it is empty' sockcat -U "$path" </dev/null
    done
}

# ---- G82: who may connect ----

@test "F82: a socket has mode 0600 under a wide and a narrow umask" {
    for mask in 000 022 077 277; do
        for kind in '' -u --seqpacket; do
            umask "$mask"
            start_listener -U -k $kind "$T/socket$mask$kind" || :
            umask 022
            assert_equal "$(stat -c '%F %a' "$T/socket$mask$kind")" "socket 600"
        done
    done
}

@test "F82: at no moment of its start is a socket open to others" {
    need_shim
    umask 000
    with_shim listen:sleep=0.5:1 start "$SOCKCAT" -l -U "$T/socket"
    until_true 20 test -S "$T/socket"
    assert_equal "$(stat -c %a "$T/socket")" 600
}

@test "F82: not even between the kernel making it and the program's next step" {
    need strace
    umask 000
    # The delay is after bind in the kernel, before the program goes on. It ends by itself, since
    # standard input is no place for the ready line.
    start strace -f -o "$T/trace" -e trace=bind -e inject=bind:delay_exit=1000000 \
        env ASAN_OPTIONS=detect_leaks=0 "$SOCKCAT" -l -U --ready-fd 0 "$T/socket"
    socket_or_end() { test -S "$T/socket" || is_gone "$pid"; }
    until_true 20 socket_or_end
    [ -S "$T/socket" ] || skip "strace may not trace here"
    assert_equal "$(stat -c %a "$T/socket")" 600
    finish "$pid"
    assert_equal "$result" 23
}

@test "F82: the umask of what else is made stays as the user set it" {
    umask 027
    start_listener -U "$T/socket"
    assert_line '^Umask:[[:space:]]*0027$' "/proc/$listener/status"
}

@test "F82: another user cannot connect" {
    need_root
    need setpriv nc.openbsd
    chmod 711 "$T" "$(dirname "$T")" "$(dirname "$(dirname "$T")")"
    umask 000
    start_listener -U "$T/socket"
    run setpriv --reuid=65534 --regid=65534 --clear-groups nc.openbsd -U "$T/socket" </dev/null
    assert_status 1
    [[ $output == *'Permission denied'* ]] || fail "$output"
    # It was for the mode, not for the directories: that is found out by root.
    nc.openbsd -N -U "$T/socket" </dev/null
}

# ---- G83: names ----

@test "F83: an abstract name with NULs and control bytes is shown escaped, in one line" {
    drive <<'PY'
from drive import *
for kind, option in ((socket.SOCK_STREAM, '-v'), (socket.SOCK_DGRAM, '-u')):
    cat = Cat('-l', '-U', '-v', option, '-q', '0.1', T + '/%d' % kind)
    peer = socket.socket(socket.AF_UNIX, kind)
    peer.bind(b'\0a\0b\x1b[31m\nsockcat: lie\r\x7f\x9b\xe2\x80\xae' + os.urandom(4).hex().encode())
    peer.connect(cat.where)
    peer.send(b'x')
    peer.close()
    cat.end()
    with open(cat.err, 'rb') as file:
        text = file.read()
    if re.search(rb'[\x00-\x09\x0b-\x1f\x7f-\xff]', text):
        sys.exit('raw bytes: %r' % text)
    if not re.search(rb'\nsockcat: connection from @a@b\^\[\[31m\^Jsockcat: lie\^M\^\?\\x9b\\u202e', text):
        sys.exit('not as it should be: %r' % text)
    for line in text.splitlines():
        if not re.match(rb'sockcat: (listening|connection|closed|from) ', line):
            sys.exit('an event of more than one line: %r' % text)
PY
}

@test "F83: an abstract name of 107 bytes, NULs included, is shown whole" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-U', '-v', T + '/socket')
name = (b'x\0' * 45 + os.urandom(8).hex().encode()).ljust(107, b'\0')
peer = socket.socket(socket.AF_UNIX)
peer.bind(b'\0' + name)
peer.connect(cat.where)
peer.close()
cat.end()
shown = '@' + name.replace(b'\0', b'@').decode()
if 'connection from %s, uid %d, gid %d, pid %d\n' % (shown, os.geteuid(), os.getegid(), os.getpid()) not in cat.errors():
    sys.exit('not shown: ' + cat.errors())
PY
}

@test "F83: a path with control bytes is shown escaped in an error" {
    assert_fails 7 'connect \^\[\[31mred\^J: No such file or directory' \
        sockcat -U $'\e[31mred\n' </dev/null
}

@test "F83: abstract names leave no file, and reach the name that was meant" {
    cd "$T"
    start_listener -U "@$T/name"
    [ ! -e "@$T" ] && [ ! -e "$T/name" ]
    start_peer --connect "unix:@$T/name" send:hello
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
}

# ---- G85: what is left behind ----

@test "F85: the socket is removed when a signal ends the listener" {
    for signal in TERM INT HUP; do
        for kind in '' -k -u --seqpacket; do
            # As a child of this shell's background list it would ignore SIGINT.
            drive "$signal" "$T/socket" $kind <<'PY'
from drive import *
signal.signal(signal.SIGINT, signal.default_int_handler)
cat = Cat('-l', '-U', *sys.argv[2:])
number = getattr(signal, 'SIG' + sys.argv[1])
cat.send(number)
cat.end(-number)
check(os.listdir(T).count('socket'), 0)
check(cat.errors(), '')
PY
        done
    done
}

@test "F85: the socket is removed at a normal end, and after a failure" {
    start_listener -U "$T/socket"
    sockcat -U "$T/socket" </dev/null
    finish "$listener"
    assert_equal "$result" 0
    [ ! -e "$T/socket" ] || fail "it is still there"
    LISTENER_OUT=/dev/full start_listener -k -U "$T/socket"
    sockcat -U "$T/socket" <<<hello || :
    finish "$listener"
    assert_equal "$result" 23
    [ ! -e "$T/socket" ] || fail "it is still there"
}

@test "F85: a client's own socket is removed when a signal ends it" {
    start_peer --listen "unixdgram:$T/server" recvdgram recvquiet:0.1 wait:20
    mkfifo "$T/in"
    exec 8<>"$T/in"
    echo hello >&8
    START_IN=$T/in start "$SOCKCAT" -U -u -s "$T/mine" "$T/server"
    await_file "$T/mine"
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result" 143
    [ ! -e "$T/mine" ] || fail "it is still there"
}

@test "F85: after kill -9 the socket is there, and the next listener takes the path over" {
    start_listener -U "$T/socket"
    kill -KILL "$listener"
    finish "$listener"
    [ -S "$T/socket" ] || fail "somebody removed it: that is no test"
    start_listener -U "$T/socket"
    sockcat -U "$T/socket" <<<hello
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
}

@test "F85: what took the socket's place stays when the listener ends" {
    for other in file socket directory; do
        start_listener -U "$T/path"
        mv "$T/path" "$T/moved"
        case $other in
        file) echo precious >"$T/path" ;;
        socket) start_peer --listen "unix:$T/path" recvall count ;;
        directory) mkdir "$T/path" ;;
        esac
        before=$(identity "$T/path")
        kill -TERM "$listener"
        finish "$listener"
        assert_equal "$(identity "$T/path")" "$before"
        if [ "$other" = socket ]; then
            sockcat -U "$T/path" <<<hello
            finish "$peer"
            assert_equal "$(tail -n 1 "$T/peer.out")" 6
        fi
        rm -rf "$T/path" "$T/moved"
    done
}

@test "F85: a socket that was removed already is no failure" {
    start_listener -U "$T/socket"
    exec 8<>"$T/.tick"
    start_peer --connect "unix:$T/socket" send:hello waitfor:"$T/go"
    await_line "$T/listener.out" hello
    rm -f "$T/socket"
    touch "$T/go"
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.err")" "0 "
}

# ---- G86: descriptors that a peer passes along ----

# 100 messages with 253 descriptors each to a listener; none may stay with it, no byte be lost.
passes_descriptors() {
    drive "$@" <<'PY'
from drive import *
kind = getattr(socket, sys.argv[1])
cat = Cat('-l', '-U', *sys.argv[2:], T + '/socket')
peer = unix(kind)
peer.connect(cat.where)
peer.send(b'first')
cat.await_output(b'first')
before, fds = cat.descriptors(), [os.open('/dev/null', os.O_RDONLY) for _ in range(253)]
wanted = b'first'
for i in range(100):
    socket.send_fds(peer, [b'.%d' % i], fds)
    wanted += b'.%d' % i
cat.await_output(wanted)
check(cat.descriptors(), before)
peer.close()
cat.send(signal.SIGTERM)
cat.process.wait(LIMIT)
check(cat.errors(), '')
PY
}

@test "F86: descriptors that come with a stream do not leak" { passes_descriptors SOCK_STREAM; }

@test "F86: descriptors that come with seqpackets do not leak" {
    passes_descriptors SOCK_SEQPACKET --seqpacket
}

@test "F86: descriptors that come with datagrams do not leak" { passes_descriptors SOCK_DGRAM -u; }

@test "F86: descriptors that a server passes to a client do not leak" {
    drive <<'PY'
from drive import *
server = unix(name=T + '/socket')
server.listen(1)
cat = Cat('-U', T + '/socket', stdin=subprocess.PIPE)
conn, _ = server.accept()
conn.sendall(b'first')
cat.await_output(b'first')
before, wanted = cat.descriptors(), b'first'
for i in range(100):
    socket.send_fds(conn, [b'.'], [conn.fileno()] * 100)
    wanted += b'.'
cat.await_output(wanted)
check(cat.descriptors(), before)
PY
}

@test "F86: descriptors that come with messages of standard input do not leak" {
    drive <<'PY'
from drive import *
for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
    mine, yours = socket.socketpair(socket.AF_UNIX, kind)
    sink = udp()
    cat = Cat('-u', '127.0.0.1', str(sink.getsockname()[1]), stdin=yours)
    mine.send(b'first')
    sink.recv(100)
    before = cat.descriptors()
    for _ in range(20):
        socket.send_fds(mine, [b'.'], [sink.fileno()] * 200)
        check(sink.recv(100), b'.')
    check(cat.descriptors(), before, str(kind))
    cat.process.kill()
    cat.process.wait()
PY
}

# ---- G87: seqpacket and datagram sockets ----

@test "F87: seqpackets keep their boundaries both ways, the empty one included" {
    drive <<'PY'
from drive import *
mine, yours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
mine.settimeout(LIMIT)
cat = Cat('-l', '-U', '--seqpacket', T + '/socket', stdin=yours, stdout=yours)
yours.close()
peer = unix(socket.SOCK_SEQPACKET)
peer.connect(cat.where)
sizes = (1, 5000, 2, 60000, 3)
messages = [os.urandom(size) for size in sizes]
for message in messages:
    mine.send(message)
    if peer.recv(1 << 17) != message:
        sys.exit('a message of %d bytes changed on its way out' % len(message))
    peer.send(message)
    if mine.recv(1 << 17) != message:
        sys.exit('a message of %d bytes changed on its way in' % len(message))
mine.send(b'')
mine.send(b'end')
check([peer.recvmsg(10)[0] for _ in range(2)], [b'', b'end'])
mine.shutdown(socket.SHUT_WR)
check(peer.recv(10), b'')
peer.close()
cat.end()
PY
}

@test "F87: an empty seqpacket is data, and the end of the connection is the end" {
    start_listener -U --seqpacket "$T/socket"
    start_peer --connect "seqpacket:$T/socket" send:A send: send:B
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 AB"
}

@test "F87: a seqpacket or a datagram beyond the buffer is cut by nobody in silence" {
    drive <<'PY'
from drive import *
for kind, option in ((socket.SOCK_SEQPACKET, '--seqpacket'), (socket.SOCK_DGRAM, '-u')):
    cat = Cat('-l', '-U', option, T + '/%d' % kind)
    peer = unix(kind)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    peer.connect(cat.where)
    peer.send(b'before')
    peer.send(bytes(300000))
    cat.fail(18, 'longer than')
    check(cat.output(), b'before')
PY
}

@test "F87: datagrams of 65536 bytes go out and come in whole" {
    file=$(random_file 65536)
    start_peer --listen "unixdgram:$T/server" recvdgram count sha256 "sendfile:$file"
    sockcat -U -u -q 1 "$T/server" <"$file" >"$T/out"
    finish "$peer"
    assert_equal "$result $(sed -n 2p "$T/peer.out")" "0 65536"
    assert_same "$T/out" "$file"
}

@test "F87: a sender without a name is heard, but cannot be answered" {
    drive <<'PY'
from drive import *
cat = Cat('-l', '-U', '-u', T + '/socket', stdin=subprocess.PIPE)
unix(socket.SOCK_DGRAM).sendto(b'hello', cat.where)
cat.await_output(b'hello')
cat.process.stdin.write(b'answer')
cat.process.stdin.close()
cat.fail(55, 'the peer has no address to answer to')
check(cat.output(), b'hello')
PY
}

@test "F87: an unnamed stream or datagram peer is shown as such" {
    for kind in '' -u; do
        start_listener -v -q 0.1 -U $kind "$T/socket"
        start_peer --connect "unix${kind:+dgram}:$T/socket" send:hello
        finish "$listener"
        assert_line '^sockcat: connection from \(unnamed\)(, uid [0-9]+, gid [0-9]+, pid [0-9]+)?$' "$T/listener.err"
    done
}

@test "F87: a datagram path where nobody is ends with 7" {
    make_stale "$T/stale"
    : >"$T/file"
    assert_fails 7 'No such file or directory' sockcat -U -u "$T/none" <<<hello
    for kind in '' -u --seqpacket; do
        assert_fails 7 'Connection refused' sockcat -U $kind "$T/stale" <<<hello
        assert_fails 7 'Connection refused' sockcat -U $kind "$T/file" <<<hello
    done
}

@test "F87: a socket of the other type is refused with 7" {
    start_listener -k -U "$T/socket"
    assert_fails 7 'Protocol wrong type for socket' sockcat -U -u "$T/socket" <<<hello
    assert_fails 7 'Protocol wrong type for socket' sockcat -U --seqpacket "$T/socket" <<<hello
}

@test "F87: a receiver with a full queue is waited for, and every datagram arrives in order" {
    # As many lines as messages: stdin gives one message per read of a seqpacket socket.
    drive <<'PY'
from drive import *
server = unix(socket.SOCK_DGRAM, T + '/server')
mine, yours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
cat = Cat('-U', '-u', '-q', '0.1', T + '/server', stdin=yours)
yours.close()
mine.settimeout(0.3)  # until it is stuck: the queues of both sockets are full
sent = 0
try:
    while sent < 20000:
        mine.send(b'%d' % sent)
        sent += 1
except socket.timeout:
    pass
if sent in (0, 20000):
    sys.exit('nothing was ever full')
got = [server.recv(100) for _ in range(sent)]
check(got, [b'%d' % i for i in range(sent)])
mine.close()
cat.end()
PY
}

@test "F87: a lack of buffers (ENOBUFS) is waited out" {
    need_shim
    for kind in unixdgram:-u seqpacket:--seqpacket unix:-v; do
        rm -f "$T/server"
        start_peer --listen "${kind%:*}:$T/server" recv:6 count
        with_shim sendmsg:ENOBUFS:1,sendmsg:ENOBUFS:2 \
            sockcat -U "${kind#*:}" -q 0.1 "$T/server" <<<hello
        finish "$peer"
        assert_equal "$result $(tail -n 1 "$T/peer.out")" "0 6"
    done
}
