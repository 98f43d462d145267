#!/usr/bin/env bats
# Who has connected to a Unix socket: what is told of it, and who may.
bats_require_minimum_version 1.5.0
load lib/helper

# For the scripts: a connection by the user with this number, which is what counts at that moment.
setup() {
    helper_setup
    cat >"$T/user.py" <<'PY'
from drive import *

NAME = '@' + os.urandom(8).hex()

def dial_as(user, cat, kind=socket.SOCK_STREAM):
    was = os.geteuid()
    os.seteuid(user)
    try:
        return dial(cat, kind=kind)
    finally:
        os.seteuid(was)

def turned_away(s):
    """The connection is closed without a word."""
    try:
        return s.recv(1) == b''
    except ConnectionResetError:
        return True
PY
    export PYTHONPATH=$T
}

@test "F84: --allow-uid takes the users that it names and closes the others at once, over streams and packets" {
    need_root
    drive <<'PY'
from user import *
for more, kind in ([], socket.SOCK_STREAM), (['--seqpacket'], socket.SOCK_SEQPACKET):
    for allowed in '65534', 'root,65534', 'root --allow-uid 65534':
        cat = Cat('-l', '-v', '-d', '-U', *more, '--allow-uid', *allowed.split(), NAME)
        refused = [dial_as(user, cat, kind) for user in (1000, 4000000000)]
        check([turned_away(s) for s in refused], [True, True])
        s = dial_as(65534, cat, kind)
        s.sendall(b'word')
        s.close()
        check(cat.end(), b'word')
        errors = cat.errors()
        check(len(re.findall(r'refused \(unnamed\): uid (?:1000|4000000000) is not allowed, pid %d$' % os.getpid(),
                             errors, re.M)), 2, errors)
        check('\nsockcat: 2 refused by the access lists' in errors, True, errors)
PY
}

@test "F84: root is no exception, and who is refused is no failure" {
    need_root
    drive <<'PY'
from user import *
cat = Cat('-l', '-d', '-U', '--allow-uid', '65534', '--accept-timeout', '0.5', NAME)
check(turned_away(dial(cat)), True)
cat.fail(28, 'no client came')
PY
}

@test "F84: with -k the others are refused while those who may are served" {
    need_root
    drive <<'PY'
from user import *
cat = Cat('-l', '-k', '-v', '-d', '-U', '--allow-uid', '65534,1000', '--max-accepts', '4', NAME)
inside = []
for n in range(4):
    inside.append(dial_as((1000, 65534)[n % 2], cat))
    if n == 1:
        refused = [dial_as(0, cat) for _ in range(20)]
        check(all(map(turned_away, refused)), True)
for s in inside:
    s.sendall(b'.')
    s.close()
check(cat.end(), b'....')
check('\nsockcat: 20 refused by the access lists' in cat.errors(), True, cat.errors())
PY
}

@test "F84: over a socket that was passed, too" {
    need_root
    drive <<'PY'
from user import *
s = unix(name=NAME)
s.listen(5)
process = subprocess.Popen([os.environ['SOCKCAT'], '-l', '-d', '--allow-uid', '65534', 'fd://%d' % s.fileno()],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, pass_fds=[s.fileno()])
class Passed:
    where = NAME
check(turned_away(dial_as(1000, Passed)), True)
c = dial_as(65534, Passed)
c.sendall(b'word')
c.close()
check(process.communicate(timeout=LIMIT)[0], b'word')
check(process.returncode, 0)
PY
}

@test "F84: the own user by name or number needs no other right" {
    for user in "$(id -u)" "$(id -un)"; do
        start_listener -U --allow-uid "$user" "$T/$user"
        sockcat -U "$T/$user" <<<word
        assert_listener_ends 0
        assert_equal "$(cat "$T/listener.out")" word
    done
}

@test "F84: -v tells user, group and process, whatever a peer calls itself" {
    drive <<'PY'
from user import *
for more in [], ['-k', '--max-accepts', '1']:
    cat = Cat('-l', '-v', '-d', '-U', *more, NAME)
    s = unix(name='@%s, uid 0, gid 0, pid 1' % os.urandom(4).hex())
    s.connect(real(NAME))
    s.close()
    cat.end()
    wanted = ', uid %d, gid %d, pid %d' % (os.geteuid(), os.getegid(), os.getpid())
    check([line.endswith(wanted) for line in cat.errors().splitlines() if 'connection from' in line], [True])
PY
}

@test "F84: a program knows who is there, and over TCP it does not take over what it inherits" {
    export SOCKCAT_PEER_UID=0 NCAT_PEER_PID=1
    start_listener -U --keep-env -c 'echo "$SOCKCAT_PEER_UID $SOCKCAT_PEER_GID $NCAT_PEER_UID"; echo "$SOCKCAT_PEER_PID" >"$T/pid"' \
        "$T/socket"
    sockcat -U "$T/socket" </dev/null >"$T/out" &
    client=$!
    wait "$client"
    finish "$listener"
    assert_equal "$(cat "$T/out")" "$(id -u) $(id -g) $(id -u)"
    [ "$(cat "$T/pid")" -gt 1 ]
    start_listener --keep-env -c 'echo "(${SOCKCAT_PEER_UID-no}${NCAT_PEER_PID-body})"' 127.0.0.1 0
    sockcat 127.0.0.1 "$port" </dev/null >"$T/out"
    assert_equal "$(cat "$T/out")" "(nobody)"
}

@test "F84: where it cannot be kept --allow-uid is refused" {
    assert_fails 2 'allow-uid.*--unixsock' sockcat -l --allow-uid 0 0
    assert_fails 2 'allow-uid.*--listen' sockcat -U --allow-uid 0 "$T/socket"
    assert_fails 2 'allow-uid.*--udp' sockcat -l -u -U --allow-uid 0 "$T/socket"
    assert_fails 3 "allow-uid 'no such user'" sockcat -l -U --allow-uid 'no such user' "$T/socket"
    for list in '' , 0, ,0 0,,1 -1 4294967295 0x0 ' 0'; do
        assert_fails 3 'allow-uid' sockcat -l -U --allow-uid="$list" "$T/socket"
    done
    [ ! -e "$T/socket" ]
}
