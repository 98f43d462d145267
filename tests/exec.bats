# Programs in place of standard input and output: -e, -c and "-- PROG ARG...". Rows 135 to 148 of the
# fault catalogue.
# shellcheck disable=SC2154,SC2016 # the helper sets port, listener, peer, result; $ is for other shells
bats_require_minimum_version 1.5.0
load lib/helper

# ask: a client of the listener that sends the words given, and then the end; sets $status, $T/got.
ask() {
    status=0
    printf %s "$*" | sockcat 127.0.0.1 "$port" >"$T/got" 2>"$T/client.err" || status=$?
}

# has_ended FILE: the process whose number is in the file has gone.
has_ended() { [ -s "$1" ] && is_gone "$(cat "$1")"; }

# ---- the three spellings ----

@test "-e runs a program by its name, without a shell" {
    start_listener 127.0.0.1 0 -e cat
    ask 'hello; $HOME'
    assert_equal "$status $(cat "$T/got")" '0 hello; $HOME'
    assert_listener_ends 0
}

@test "-c runs a command of the shell" {
    start_listener 127.0.0.1 0 -c 'tr a-z A-Z; echo "$((40 + 2))"'
    ask hello
    assert_equal "$status $(cat "$T/got")" "0 HELLO42"
    assert_listener_ends 0
}

@test "F146: behind -- the words of a program are its own, whatever stands in them" {
    cat >"$T/show" <<'SH'
#!/bin/sh
printf '[%s]' "$0" "$@"
SH
    chmod +x "$T/show"
    start_listener 127.0.0.1 0 -- "$T/show" 'two words' '' '$(touch hit)' -l --version -- ';'
    ask
    assert_equal "$status $(cat "$T/got")" "0 [$T/show][two words][][\$(touch hit)][-l][--version][--][;]"
    assert_listener_ends 0
}

@test "-- begins a program behind every kind of whole endpoint, and in connect mode" {
    start_listener -p 0 -s 127.0.0.1 -- echo one
    ask
    assert_equal "$(cat "$T/got")" one
    start_listener -U "$T/socket" -- echo two
    assert_equal "$(sockcat unix:"$T/socket" </dev/null)" two
    start_listener 127.0.0.1:0 -- echo three
    ask
    assert_equal "$(cat "$T/got")" three
    for where in '127.0.0.1 PORT' 127.0.0.1:PORT tcp://127.0.0.1:PORT; do
        start_listener -d 127.0.0.1 0
        # shellcheck disable=SC2086 # one word or two
        sockcat ${where//PORT/$port} -- echo four </dev/null
        assert_listener_ends 0
        assert_equal "$(cat "$T/listener.out")" four
    done
}

@test "a -- that is behind no whole endpoint only ends the options" {
    assert_fails 3 "port '-l'" sockcat 127.0.0.1 -- -l </dev/null
    start_listener -d 127.0.0.1 0
    sockcat -- 127.0.0.1 "$port" <<<hello
    assert_listener_ends 0
    assert_equal "$(cat "$T/listener.out")" hello
    start_listener -d -- 127.0.0.1 0
    sockcat 127.0.0.1 -- "$port" <<<hello
    assert_listener_ends 0
    hold_port
    assert_fails 1 refused sockcat -z 127.0.0.1 "$held" -- "$held" </dev/null
    assert_fails 7 refused sockcat 127.0.0.1 "$held" -- </dev/null
}

@test "what does not go with a program is 2, whatever began it" {
    for program in '-e cat' '-c cat' '127.0.0.1 9 --'; do
        for option in -F -d --send-only --recv-only --raw '--to=127.0.0.1:9' '-l --echo' '-l --discard' \
            '-l --chargen' '-l --daytime' '-lk --broker' '-lk --chat'; do
            case $program in
            *--) words="$option 127.0.0.1 9 -- cat" ;;
            *) words="$option $program 127.0.0.1 9" ;;
            esac
            # shellcheck disable=SC2086 # words
            assert_fails 2 "cannot be used together" sockcat $words </dev/null || fail "for $words"
        done
    done
    assert_fails 2 "^sockcat: argument '--': it cannot be used together with --raw\$|^sockcat: .*--raw.* '--'" \
        sockcat --raw 127.0.0.1 9 -- cat </dev/null
    assert_fails 2 'cannot be used together' sockcat -e cat -c cat a 1 </dev/null
    assert_fails 2 "argument 'cat': it is one too many" sockcat -e cat a 1 -- cat </dev/null
    assert_fails 2 'of use only with --exec or --sh-exec' sockcat --exec-status a 1 </dev/null
    assert_fails 2 'cannot be used together' sockcat -lk --exec-status -c true 1 </dev/null
}

# ---- L135: programs that cannot be run ----

@test "F135: a program that is not there is 127 before anything is opened" {
    assert_fails 127 '^sockcat: run no-such-program: No such file or directory$' \
        sockcat -l 127.0.0.1 0 -e no-such-program </dev/null
    assert_fails 127 'run : No such file' sockcat 127.0.0.1 9 -- '' </dev/null
    assert_fails 127 'run ./none' sockcat 127.0.0.1 9 -- ./none -x </dev/null
    assert_fails 127 'run cat' env PATH= "$SOCKCAT" 127.0.0.1 9 -e cat </dev/null
}

@test "F135: a value of -e with arguments is 127, and says what to write" {
    assert_fails 127 "run cat -n: No such file or directory \(to run it with arguments write -- PROG ARG..., or -c 'cat -n'\)" \
        sockcat -l 127.0.0.1 0 -e 'cat -n' </dev/null
    # A file of that name is run.
    printf '#!/bin/sh\necho strange\n' >"$T/cat -n"
    chmod +x "$T/cat -n"
    start_listener 127.0.0.1 0 -e "$T/cat -n"
    ask
    assert_equal "$(cat "$T/got")" strange
}

@test "F135: what cannot be executed is 126: a plain file, a folder" {
    echo >"$T/plain"
    assert_fails 126 'run .*/plain: Permission denied' sockcat -l 127.0.0.1 0 -e "$T/plain" </dev/null
    assert_fails 126 'Permission denied' sockcat -l 127.0.0.1 0 -e "$T" </dev/null
    assert_fails 126 'run plain: Permission denied' env PATH="$T:/nowhere:" "$SOCKCAT" -l 127.0.0.1 0 -e plain </dev/null
}

@test "F135: a script whose interpreter is missing, or that names none, is 126, and its client is closed" {
    printf '#!/no/such/interpreter\n' >"$T/script"
    printf 'echo hello\n' >"$T/text"
    chmod +x "$T/script" "$T/text"
    start_listener 127.0.0.1 0 -e "$T/script"
    ask
    [ "$status" -ne 0 ] || [ ! -s "$T/got" ] || fail "the client got something"
    assert_listener_ends 126 'run .*/script: the interpreter that it names is not there'
    start_listener 127.0.0.1 0 -e "$T/text"
    ask
    assert_listener_ends 126 'run .*/text: Exec format error'
}

@test "F135: a program that goes away while a listener with -k runs is told for each client, and comes back" {
    printf '#!/bin/sh\necho hello\n' >"$T/script"
    chmod +x "$T/script"
    start_listener -k 127.0.0.1 0 -e "$T/script"
    ask
    assert_equal "$(cat "$T/got")" hello
    mv "$T/script" "$T/away"
    ask
    assert_equal "$(cat "$T/got")" ""
    await_line "$T/listener.err" 'run .*/script: No such file or directory'
    mv "$T/away" "$T/script"
    ask
    assert_equal "$(cat "$T/got")" hello
}

# ---- L136 to L139: how it ends ----

@test "F136: a program that never reads holds its client back, and memory stays bounded" {
    start_listener 127.0.0.1 0 -c 'exec sleep 60'
    drive "$port" "$listener" <<'PY'
from drive import *
client = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
client.setblocking(False)
sent, quiet = 0, 0
while quiet < 20:
    try:
        sent += client.send(bytes(65536))
        quiet = 0
    except BlockingIOError:
        quiet += 1
        time.sleep(0.02)
    if sent > 64 << 20:
        sys.exit('it takes everything')
with open('/proc/%s/status' % sys.argv[2]) as file:
    size = int(re.search(r'VmRSS:\s+(\d+)', file.read())[1])
if size > 40000:  # the sanitizers' share
    sys.exit('it has grown to %d kB' % size)
PY
}

@test "F136: a client that does not read holds its program back, and gets all in the end" {
    start_listener 127.0.0.1 0 -c 'head -c 20000000 /dev/zero; echo done >&2'
    start_peer --connect "tcp:127.0.0.1:$port" "waitfor:$T/go" recvall count
    tick
    ! grep -q done "$T/listener.err" || fail "it was not held back"
    touch "$T/go"
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" 20000000
}

@test "F137: the end of what the client sends is the program's, which goes on to answer" {
    start_listener 127.0.0.1 0 -c 'wc -c; echo more'
    random=$(random_file 3000000)
    sockcat 127.0.0.1 "$port" <"$random" >"$T/got"
    assert_equal "$(tr '\n' ' ' <"$T/got")" "3000000 more "
    assert_listener_ends 0
}

@test "F137: a program that closes its input goes on writing, and what comes is dropped" {
    start_listener 127.0.0.1 0 -c 'exec <&-; head -c 3000000 /dev/zero; while [ ! -e '"$T"'/go ]; do sleep 0.01; done; echo end'
    start_peer --connect "tcp:127.0.0.1:$port" sendrand:1:5000000 "touch:$T/go" shutwr recvall count
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" 3000004
    assert_listener_ends 0
}

@test "F137: a program that closes its output tells the client the end, and goes on reading" {
    start_listener 127.0.0.1 0 -c "echo hello; exec >&-; sha256sum >$T/sum"
    start_peer --connect "tcp:127.0.0.1:$port" recvall count sendrand:1:3000000 shutwr
    assert_peer_done
    assert_listener_ends 0
    assert_equal "$(cut -d ' ' -f 1 "$T/sum")" "$(sha256sum <"$(random_file 3000000)" | cut -d ' ' -f 1)"
}

@test "F138: what a program wrote before it ended early is delivered whole, then the connection ends" {
    start_listener 127.0.0.1 0 -c 'head -c 1000000 /dev/zero'
    start_peer --connect "tcp:127.0.0.1:$port" recvall count
    # The client does not end its sending before.
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" 1000000
    assert_listener_ends 0
}

@test "F138: a client that only listens is not waited for after the program's end" {
    start_listener 127.0.0.1 0 -c 'echo hello'
    start_peer --connect "tcp:127.0.0.1:$port" recvall "waitfor:$T/go"
    # Long before the peer would lose patience.
    FINISH_LIMIT=15 assert_listener_ends 0
}

@test "F138: a client that sends without end is cut short after the program's end" {
    start_listener 127.0.0.1 0 -e true
    start_peer --connect "tcp:127.0.0.1:$port" sendrand!:1:1000000000000
    assert_listener_ends 0
    assert_peer_done
}

@test "F139: what the program has started keeps its output open: a second of silence after its end is the end" {
    start_listener 127.0.0.1 0 -vc "sleep 60 & echo \$! >$T/pid; echo hello"
    ask
    assert_equal "$status $(cat "$T/got")" "0 hello"
    finish "$listener"
    assert_equal "$result" 0
    assert_line 'has ended, but something keeps its output open' "$T/listener.err"
    # That one belongs to nobody any more, and nothing was said against it.
    ! is_gone "$(cat "$T/pid")" || fail "it was ended"
    kill "$(cat "$T/pid")"
}

@test "F139: so it is after megabytes, which the kernel has moved" {
    start_listener 127.0.0.1 0 -c "head -c 8000000 /dev/zero; sleep 60 & echo \$! >$T/pid"
    ask
    assert_equal "$status $(wc -c <"$T/got")" "0 8000000"
    assert_listener_ends 0
    kill "$(cat "$T/pid")"
}

@test "F139: what the program has started, and goes on writing, is waited for" {
    start_listener 127.0.0.1 0 -c '(sleep 0.5; head -c 500000 /dev/zero; sleep 0.5; echo end) & echo hello'
    ask
    assert_equal "$status $(wc -c <"$T/got")" "0 500010"
    assert_listener_ends 0
}

# ---- L140, L141: its status ----

@test "F140: the program's status is told with -v, and is not ours" {
    start_listener -v 127.0.0.1 0 -c 'exit 3'
    ask
    finish "$listener"
    assert_equal "$result" 0
    assert_line 'process [0-9]+: status 3$' "$T/listener.err"
}

@test "F140: with --exec-status it is: exit statuses, and 128+n after a signal" {
    while read -r wanted command; do
        start_listener --exec-status 127.0.0.1 0 -c "$command"
        ask
        assert_equal "$status" 0
        assert_listener_ends "$wanted" || fail "for $command"
    done <<'TABLE'
0 exit 0
1 exit 1
147 exit 147
255 exit 255
137 kill -KILL $$
143 kill -TERM $$
139 ulimit -c 0; kill -SEGV $$
5 exec >&- <&-; sleep 0.2; exit 5
TABLE
}

@test "F140: --exec-status in connect mode, and a session that fails is the first cause" {
    start_peer recvall close
    assert_fails_quietly 9 sockcat --exec-status 127.0.0.1 "$peer_port" -c 'echo x; exit 9'
    start_peer recv:1 reset
    assert_fails 56 'Connection reset' sockcat --exec-status 127.0.0.1 "$peer_port" -c 'echo x; cat; exit 9'
}

# assert_fails_quietly STATUS COMMAND...
assert_fails_quietly() {
    local wanted=$1 got=0
    shift
    "$@" </dev/null >"$T/quiet.out" 2>"$T/quiet.err" || got=$?
    assert_equal "$got $(cat "$T/quiet.err")" "$wanted "
}

@test "F141: a hundred quick programs leave no zombie" {
    start_listener -k 127.0.0.1 0 -e true
    drive "$port" "$listener" <<'PY'
from drive import *
for _ in range(100):
    with socket.create_connection(('127.0.0.1', int(sys.argv[1]))) as client:
        client.shutdown(socket.SHUT_WR)
        check(client.recv(1), b'')
def children():
    with open('/proc/%s/task/%s/children' % (sys.argv[2], sys.argv[2])) as file:
        return file.read().split()
until(lambda: not children(), 'no child is left')
PY
}

@test "F141: what programs have left behind leaves no zombie where it becomes a child of ours" {
    # As the first process of a container: whoever loses its parent comes to sockcat.
    cat >"$T/first.py" <<'PY'
import ctypes, os, sys
PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
PY
    printf '#!/bin/sh\nexec python3 %s %s "$@"\n' "$T/first.py" "$SOCKCAT" >"$T/first"
    chmod +x "$T/first"
    SOCKCAT=$T/first start_listener -k 127.0.0.1 0 -c "setsid sh -c 'exec >&-; echo \$\$ >>$T/left' & echo hello"
    for _ in 1 2 3 4 5; do
        ask
        assert_equal "$status $(cat "$T/got")" "0 hello"
    done
    all_gone() {
        local pid
        [ "$(wc -l <"$T/left")" -eq 5 ] || return 1
        while read -r pid; do [ ! -e "/proc/$pid" ] || return 1; done <"$T/left"
    }
    until_true 10 all_gone || fail "there are zombies: $(ps -o pid,ppid,stat,args --ppid "$listener")"
}

@test "F141: SIGCHLD that was ignored, or blocked, at the start is heard all the same" {
    start_peer recvall close
    LIMIT=20 drive "$peer_port" <<'PY'
from drive import *
import subprocess
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
def prepare():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
process = subprocess.Popen([os.environ['SOCKCAT'], '--exec-status', '127.0.0.1', sys.argv[1], '-c', 'sleep 0.1; exit 6'],
                           preexec_fn=prepare, restore_signals=False)
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
check(process.wait(), 6)
PY
}

# ---- L142 to L146: what it gets ----

@test "F142: when there can be no more processes the client is turned away with 27, and -k goes on" {
    need_shim
    with_shim 'fork:EAGAIN:1' start_listener -k 127.0.0.1 0 -e cat
    ask hello
    assert_equal "$(cat "$T/got")" ""
    await_line "$T/listener.err" 'run cat: Resource temporarily unavailable'
    ask hello
    assert_equal "$status $(cat "$T/got")" "0 hello"
    with_shim 'fork:EAGAIN:1' start_listener 127.0.0.1 0 -e cat
    ask hello
    assert_listener_ends 27 'run cat: Resource temporarily unavailable'
}

# stubborn: a program that tells how many of the others are there when it begins, and its number, and
# that neither the end of its client nor SIGTERM ends.
stubborn() {
    cat >"$T/stubborn" <<SH
#!/bin/sh
trap '' TERM
n=0
for other in \$(cat "$T/all"); do
    ! kill -0 "\$other" 2>/dev/null || n=\$((n + 1))
done
echo \$\$ >>"$T/all"
echo \$n \$\$
exec sleep 60
SH
    chmod +x "$T/stubborn"
    : >"$T/all"
    cat >"$T/stubborn.py" <<'PY'
from drive import *
def hand_over(*more):
    """A listener, the client that got the place of one whose program had to be killed, and what that took."""
    cat = Cat('-l', '-k', '--max-children', '1', *more, '127.0.0.1', '0', '-e', T + '/stubborn')
    first, second = dial(cat), dial(cat)
    first.recv(1)
    before = cat.ticks()
    reset(first)
    # That is a second later.
    check(second.makefile().readline().split()[0], '0')
    return cat, second, cat.ticks() - before
PY
}

@test "F142: at most --max-children programs are there, those being ended included, and clients wait" {
    stubborn
    drive <<'PY'
from drive import *
for limit in '--max-children', '--max-conns':
    cat = Cat('-l', '-k', limit, '2', '127.0.0.1', '0', '-e', T + '/stubborn')
    clients = [dial(cat) for _ in range(4)]
    for client in clients:
        # The first ones are told at once, the others as the programs of these are killed.
        others, number = client.makefile().readline().split()
        check(int(others) < 2, True, others)
        reset(client)
    until(lambda: cat.errors().count('Connection reset') == 4, 'the end of all')
    cat.send(signal.SIGTERM)
    cat.end(-signal.SIGTERM)
PY
}

@test "F142: a client that never read, and is reset, leaves its place, though the program waits for it" {
    drive <<'PY'
from drive import *
target = Cat('-l', '-k', '--echo', '127.0.0.1', '0')
for service in ['-c', 'cat'], ['--to', '127.0.0.1:' + target.where]:
    cat = Cat('-l', '-k', '--linger', '0.3', '--max-accepts', '1', '127.0.0.1', '0', *service)
    client = dial(cat, room=2000)
    pour(client, 1 << 30)
    reset(client)
    cat.end(104)
    check('Connection reset' in cat.errors(), True, cat.errors())
PY
}

@test "F142: a client that waits for the end of a program costs no turns" {
    stubborn
    PYTHONPATH=$T drive <<'PY'
from stubborn import *
cat, _, ticks = hand_over()
check(ticks < 30, True, '%d ticks' % ticks)
cat.send(signal.SIGTERM)
cat.end(-signal.SIGTERM)
PY
}

@test "F142: --accept-timeout does not begin before the end of the program that a client waits for" {
    stubborn
    PYTHONPATH=$T drive <<'PY'
from stubborn import *
cat, second, _ = hand_over('--accept-timeout', '0.5')
reset(second)
cat.end(28)
PY
}

@test "F142: with --refuse a client for whom there can be no program is reset, and counted" {
    stubborn
    drive <<'PY'
from drive import *
cat = Cat('-l', '-k', '--refuse', '--max-children', '1', '127.0.0.1', '0', '-e', T + '/stubborn')
def refused():
    try:
        client = dial(cat)
        return not client.recv(1)
    except ConnectionResetError:
        return True
first = dial(cat)
first.recv(1)
for _ in range(5):
    check(refused(), True)
cat.send(signal.SIGUSR1)
until(lambda: '1 clients, 1 so far, 0 failed, 5 refused' in cat.errors(), 'a report')
reset(first)
until(lambda: 'Connection reset' in cat.errors(), 'the end of the first')
check(refused(), True, 'while the program is being ended')
until(lambda: not refused(), 'a place')
cat.send(signal.SIGTERM)
cat.end(-signal.SIGTERM)
PY
}

@test "F142: over UDP one peer, and not one more, makes room for a newcomer, who is served when the program has ended" {
    stubborn
    drive <<'PY'
from drive import *
cat = Cat('-l', '-u', '-k', '-v', '--max-children', '2', '127.0.0.1', '0', '-e', T + '/stubborn')
def served(peer):
    peer.sendto(b'.', cat.address())
    return select.select([peer], [], [], 0.01)[0] and peer.recv(100).split()
peers = [udp() for _ in range(3)]
for peer in peers:
    others, number = until(lambda: served(peer), 'an answer')
    check(int(others) < 2, True, others)
check(cat.errors().count('left for another'), 1, cat.errors())
check('there are too many' in cat.errors(), True, cat.errors())
cat.send(signal.SIGTERM)
cat.end(-signal.SIGTERM)
PY
}

@test "F142: --max-processes is the limit of the programs, not ours, and is never higher than it was" {
    need prlimit
    start_listener -k --max-processes 54321 127.0.0.1 0 -- cat /proc/self/limits
    ask
    assert_line '^Max processes +54321 +54321 ' "$T/got"
    ! grep -Eq '^Max processes +54321 ' "/proc/$listener/limits" || fail "it has the limit itself"
    prlimit --pid "$listener" --nproc=432:50000
    ask
    assert_line '^Max processes +432 +50000 ' "$T/got"
}

@test "F142: beyond --max-processes a program cannot start another" {
    # For root there is no limit.
    somebody=
    if [ "$(id -u)" -eq 0 ]; then
        need setpriv
        somebody='setpriv --reuid 54321 --clear-groups'
    fi
    $somebody test -x "$SOCKCAT" || skip "needs a program that anybody can run"
    # One process, which is there already.
    start_peer 'expect:not more' recvall
    $somebody "$SOCKCAT" --max-processes 1 127.0.0.1 "$peer_port" -- python3 -c 'import os
try:
    os.fork()
    print("forked", end="")
except BlockingIOError:
    print("not more", end="")' </dev/null
    assert_peer_done
}

@test "F142: out of descriptors for the pipes is 27" {
    need_shim
    start_peer recvall!
    # The first is that for signals.
    for call in 2 3 4; do
        with_shim "pipe2:EMFILE:$call" assert_fails 27 'run cat: Too many open files' \
            sockcat 127.0.0.1 "$peer_port" -e cat </dev/null || fail "for pipe $call"
        start_peer recvall!
    done
}

@test "F142: a program of which nothing is known any more is ended" {
    need_shim
    start_peer recvall!
    with_shim 'readv:EIO:1' assert_fails 126 'run sleep 68; sleep 68: Input/output error' \
        sockcat 127.0.0.1 "$peer_port" -c 'sleep 68; sleep 68' </dev/null
}

@test "F143: the program has descriptors 0, 1 and 2, and no other" {
    exec 7<"$BATS_TEST_FILENAME"
    start_listener 127.0.0.1 0 -o "$T/dump" -- python3 -c 'import os
for fd in range(3, 1024):
    try:
        os.fstat(fd)
        print("open:", fd)
    except OSError:
        pass
print("looked")'
    exec 7<&-
    ask
    assert_equal "$(cat "$T/got")" looked
    assert_listener_ends 0
}

@test "F143: its standard error is ours" {
    start_listener 127.0.0.1 0 -c 'echo complaint >&2'
    ask
    finish "$listener"
    assert_line '^complaint$' "$T/listener.err"
}

@test "F144: no signal is ignored or blocked, pipes block, and it leads its own process group" {
    start_listener 127.0.0.1 0 -- python3 -c 'import fcntl, os, signal
print([s for s in signal.valid_signals() if s not in (signal.SIGKILL, signal.SIGSTOP)
       and signal.getsignal(s) == signal.SIG_IGN and s not in (signal.SIGPIPE, signal.SIGXFSZ)],
      signal.pthread_sigmask(signal.SIG_BLOCK, []), os.getpgrp() == os.getpid(),
      [fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK for fd in (0, 1)])'
    ask
    assert_equal "$(cat "$T/got")" "[] set() True [0, 0]"
    # Python ignores these two by itself.
    start_listener 127.0.0.1 0 -c 'grep -E "^Sig(Blk|Ign)" /proc/self/status | grep -v 0000000000000000'
    ask
    assert_equal "$(cat "$T/got")" ""
}

@test "F144: also when they were ignored, or blocked, at the start" {
    start_peer recvall
    drive "$peer_port" <<'PY'
from drive import *
def prepare():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGRTMAX])
subprocess.run([os.environ['SOCKCAT'], '127.0.0.1', sys.argv[1], '-c', 'grep -E "^Sig(Blk|Ign)" /proc/self/status >' + T + '/signals'],
               preexec_fn=prepare, check=True)
PY
    assert_equal "$(tr -d '\t' <"$T/signals")" $'SigBlk:0000000000000000\nSigIgn:0000000000000000'
}

@test "F145: the environment has the numeric addresses and ports of both ends, with both beginnings" {
    start_listener 127.0.0.1 0 -c 'env; echo "$SOCKCAT_REMOTE_PORT" | grep -c "^[1-9][0-9]*$"'
    ask
    for line in PROTO=TCP REMOTE_ADDR=127.0.0.1 LOCAL_ADDR=127.0.0.1 "LOCAL_PORT=$port"; do
        assert_line "^SOCKCAT_$line\$" "$T/got"
        assert_line "^NCAT_$line\$" "$T/got"
    done
    # Which port that was only the program knows.
    assert_equal "$(tail -n 1 "$T/got")" 1
}

@test "F145: with --keep-env what was inherited under these names is replaced, or left out, and the rest stays" {
    NCAT_REMOTE_ADDR=forged SOCKCAT_LOCAL_PORT=forged KEPT='a=b' start_listener --keep-env -U "$T/socket" -c env
    sockcat -U "$T/socket" </dev/null >"$T/got"
    ! grep forged "$T/got" || fail "it is passed on"
    assert_line '^KEPT=a=b$' "$T/got"
    assert_line '^NCAT_PROTO=UNIX$' "$T/got"
}

@test "F145: a listener's program gets little of the environment, or all with --keep-env; another all, or little with --clear-env" {
    drive <<'PY'
from drive import *
common = {name: name.lower() for name in ('HOME USER LOGNAME SHELL LANG LANGUAGE LC_ALL LC_TIME TZ TERM TMPDIR').split()}
common['PATH'] = os.environ['PATH']
others = dict(SECRET='s', PATHS='p', LC='l', LD_LIBRARY_PATH='/nowhere', IFS='x', NCAT_OTHER='n',
              SOCKCAT=os.environ['SOCKCAT'])
os.environ.clear()
os.environ.update(common)
os.environ.update(others)
ours = {a + b for a in ('SOCKCAT_', 'NCAT_') for b in 'PROTO REMOTE_ADDR REMOTE_PORT LOCAL_ADDR LOCAL_PORT'.split()}
def told(client):
    client.shutdown(socket.SHUT_WR)
    got = dict(line.split('=', 1) for line in to_end(client).decode().splitlines())
    check(ours - set(got), set())
    return {name: got[name] for name in got if name not in ours}
def accepted(*words):
    return told(dial(Cat('-l', *words, '127.0.0.1', '0', '-e', 'env')))
def connected(*words):
    server = tcp()
    cat = Cat(*words, *map(str, server.getsockname()), '-e', 'env')
    return told(accept(server))
check(accepted(), common)
check(accepted('-k'), common)
check(accepted('--clear-env'), common)
check(accepted('--keep-env'), {**common, **others})
check(connected(), {**common, **others})
check(connected('--keep-env'), {**common, **others})
check(connected('--clear-env'), common)
# What is not there is not made up.
for name in list(common):
    if name != 'PATH':
        del os.environ[name]
check(accepted(), {'PATH': common['PATH']})
PY
    assert_fails 2 'cannot be used together' sockcat -l --clear-env --keep-env -e env 0 </dev/null
    assert_fails 2 'of use only with --exec or --sh-exec' sockcat -l --keep-env 0 </dev/null
    assert_fails 2 'of use only with --exec or --sh-exec' sockcat --clear-env a 1 </dev/null
}

@test "F145: the name of a Unix client does not come into the environment" {
    drive <<'PY'
from drive import *
os.chdir(T)
cat = Cat('-l', '-U', T + '/s', '-c', 'env')
client = socket.socket(socket.AF_UNIX)
client.bind('() { :; }; PATH=x\nLD_PRELOAD=y')
client.connect(T + '/s')
client.shutdown(socket.SHUT_WR)
text = client.makefile().read()
check('LD_PRELOAD' in text or '() {' in text, False, text)
check('PROTO=UNIX' in text, True)
PY
}

@test "F145: over UDP the program knows the peer, too" {
    start_listener -u 127.0.0.1 0 -c 'head -n 1; echo "$NCAT_PROTO $NCAT_REMOTE_ADDR"'
    run sockcat -u -q 0.5 127.0.0.1 "$port" < <(echo hello)
    assert_equal "$output" $'hello\nUDP 127.0.0.1'
    assert_listener_ends 0
}

# ---- L147, L148: when others go ----

@test "F147: when the client is gone, the program and what it has started are ended" {
    start_listener 127.0.0.1 0 -c "sleep 61 & echo \$! >$T/second; echo \$\$ >$T/first; echo ready; wait; echo late"
    start_peer --connect "tcp:127.0.0.1:$port" recv:6 reset
    assert_listener_ends 56 'Connection reset by peer'
    has_ended "$T/first" || fail "the program is still there"
    until_true 5 has_ended "$T/second" || fail "what it started is still there"
}

@test "F147: one that does not heed SIGTERM is killed a second later, with all it has started" {
    start_listener 127.0.0.1 0 -c "trap '' TERM; sh -c 'sleep 62; exit' & echo \$! >$T/second; echo \$\$ >$T/first; echo ready; sleep 63; sleep 63"
    start_peer --connect "tcp:127.0.0.1:$port" recv:6 reset
    assert_listener_ends 56 'Connection reset by peer'
    has_ended "$T/first" || fail "the program is still there"
    until_true 5 has_ended "$T/second" || fail "what it started is still there"
}

@test "F147: a program that is stopped is ended, too" {
    start_listener 127.0.0.1 0 -c "trap 'echo told >$T/told; exit' TERM; echo \$\$ >$T/first; echo ready; kill -STOP \$\$; sleep 64"
    start_peer --connect "tcp:127.0.0.1:$port" recv:6 reset
    assert_listener_ends 56 'Connection reset by peer'
    has_ended "$T/first" || fail "the program is still there"
    # Not killed: it was let go on first.
    [ -e "$T/told" ] || fail "it was not told"
}

@test "F147: with -k the next client is served while the last one's program still has to be killed" {
    start_listener -k 127.0.0.1 0 -c "trap '' TERM; echo \$\$ >>$T/all; echo ready; exec >&-; cat; sleep 65; sleep 65"
    start_peer --connect "tcp:127.0.0.1:$port" recv:6 reset
    assert_peer_done
    start_peer --connect "tcp:127.0.0.1:$port" recv:6 reset
    assert_peer_done
    await_line "$T/listener.err" 'Connection reset'
    is_done() { local pid; for pid in $(cat "$T/all"); do is_gone "$pid" || return 1; done; }
    until_true 20 is_done || fail "a program is left"
}

@test "F147: a program that closes both its ends and lives on has a second, and then is ended" {
    start_listener 127.0.0.1 0 -c "echo \$\$ >$T/first; exec <&- >&-; sleep 66; sleep 66"
    ask
    assert_equal "$status" 0
    assert_listener_ends 0
    has_ended "$T/first" || fail "the program is still there"
}

@test "F147: a signal that ends us ends the program" {
    start_listener 127.0.0.1 0 -c "echo \$\$ >$T/first; echo ready; sleep 67; sleep 67"
    start_peer --connect "tcp:127.0.0.1:$port" recv:6 recvall!
    until_true 20 test -s "$T/first"
    kill -TERM "$listener"
    finish "$listener"
    assert_equal "$result" 143
    has_ended "$T/first" || fail "the program is still there"
}

@test "F148: when we are killed, the program gets SIGTERM and sees the end of its input" {
    start_listener 127.0.0.1 0 -c "trap 'echo told >$T/told; exit' TERM; echo \$\$ >$T/first; while :; do sleep 0.1; done"
    start_peer --connect "tcp:127.0.0.1:$port" recvall!
    until_true 20 test -s "$T/first"
    kill -KILL "$listener"
    await_file "$T/told"
    await_gone "$(cat "$T/first")"
    start_listener 127.0.0.1 0 -c "trap '' TERM; echo \$\$ >$T/second; cat; echo end >$T/end"
    start_peer --connect "tcp:127.0.0.1:$port" recvall!
    until_true 20 test -s "$T/second"
    kill -KILL "$listener"
    await_file "$T/end"
}

# ---- defaults, other options, real peers ----

@test "a listener that runs programs listens on localhost, unless it is told where or for whom" {
    start_listener 0 -v -e cat
    await_line "$T/listener.err" 'listening on (127\.0\.0\.1|\[::1\]):'
    ! grep -qE 'listening on (0\.0\.0\.0|\[::\])' "$T/listener.err" || fail "everybody can come"
    start_listener '*' 0 -v -e cat
    await_line "$T/listener.err" 'listening on 0\.0\.0\.0:'
    start_listener 0 -v --allow 192.0.2.0/24 -e cat
    await_line "$T/listener.err" 'listening on 0\.0\.0\.0:'
    echo 192.0.2.0/24 >"$T/list"
    start_listener 0 -v --allow-file "$T/list" -e cat
    await_line "$T/listener.err" 'listening on 0\.0\.0\.0:'
    start_listener 0 -v --deny 192.0.2.0/24 -e cat
    await_line "$T/listener.err" 'listening on (127\.0\.0\.1|\[::1\]):'
    start_listener 0 -v
    await_line "$T/listener.err" 'listening on 0\.0\.0\.0:'
}

@test "-k runs a new program for each client" {
    start_listener -k 127.0.0.1 0 -c 'read -r line; echo "$$ $line"'
    for i in 1 2 3; do
        ask "$i"
        cat "$T/got"
    done | sort -u >"$T/all"
    assert_equal "$(wc -l <"$T/all") $(cut -d ' ' -f 2 "$T/all" | sort | tr -d '\n')" "3 123"
}

@test "megabytes both ways at once through a program, moved by the kernel and by hand" {
    random=$(random_file 5000000)
    for WAY in '' --no-splice; do
        start_listener 127.0.0.1 0 -e cat
        sockcat 127.0.0.1 "$port" <"$random" >"$T/got"
        assert_same "$T/got" "$random"
        assert_listener_ends 0
    done
}

@test "a program over short and interrupted reads and writes" {
    need_shim
    random=$(random_file 300000)
    with_shim 'readv:short=1000:*,writev:short=777:*,readv:EINTR:7%,writev:EINTR:7%,poll:EINTR:5%' \
        start_listener 127.0.0.1 0 -e cat
    sockcat 127.0.0.1 "$port" <"$random" >"$T/got"
    assert_same "$T/got" "$random"
    assert_listener_ends 0
}

@test "messages: a program that speaks lines serves a peer that speaks length prefixes" {
    start_listener 127.0.0.1 0 --frame u32be -e cat
    run sockcat --frame u32be 127.0.0.1 "$port" < <(printf 'one\n\ntwo\n')
    assert_equal "$output" $'one\n\ntwo'
    assert_listener_ends 0
}

@test "-C and -o see what a program says" {
    start_listener -C -o "$T/dump" 127.0.0.1 0 -c 'echo hello'
    ask
    assert_equal "$(od -An -c "$T/got" | tr -d ' ')" 'hello\r\n'
    assert_line '> 00000000  68 65 6c 6c 6f 0d 0a' "$T/dump"
}

@test "a web server in one line answers curl" {
    need curl
    start_listener -k 127.0.0.1 0 -c 'printf "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"; date -u +%Y'
    for i in 1 2 3; do
        assert_equal "$(curl -s -m 20 "http://127.0.0.1:$port/")" "$(date -u +%Y)"
    done
    # It never reads what is posted.
    head -c 3000000 /dev/zero >"$T/post"
    assert_equal "$(curl -s -m 20 --data-binary @"$T/post" "http://127.0.0.1:$port/")" "$(date -u +%Y)"
}

@test "nc, ncat and socat talk to a program" {
    need nc.openbsd ncat socat
    start_listener -k 127.0.0.1 0 -c 'tr a-z A-Z'
    assert_equal "$(echo one | nc.openbsd -N 127.0.0.1 "$port")" ONE
    assert_equal "$(echo two | ncat 127.0.0.1 "$port")" TWO
    assert_equal "$(echo three | socat -t 20 - "TCP:127.0.0.1:$port")" THREE
}

@test "a program of ours talks to a program of ncat and of socat" {
    need ncat socat ss
    # Neither would answer after the end of what it is sent.
    start_server ncat -l 127.0.0.1 0 -c 'read -r line; echo "got $line"'
    sockcat 127.0.0.1 "$port" -c "echo hello; cat >$T/got"
    assert_equal "$(cat "$T/got")" "got hello"
    start_server socat TCP-LISTEN:0,bind=127.0.0.1 SYSTEM:'read -r line; echo "got $line"'
    sockcat 127.0.0.1 "$port" -c "echo hello; cat >$T/got"
    assert_equal "$(cat "$T/got")" "got hello"
}

@test "a shell with -e /bin/sh" {
    start_listener 127.0.0.1 0 -e /bin/sh
    ask $'echo $((6 * 7))\nexit\n'
    assert_equal "$status $(cat "$T/got")" "0 42"
    assert_listener_ends 0
}

# ---- --pty ----

@test "--pty gives the program a terminal on 0, 1 and 2, in a session of its own" {
    start_listener --pty 127.0.0.1 0 -- python3 -c 'import os
print([os.isatty(fd) for fd in range(3)], os.getsid(0) == os.getpid() == os.tcgetpgrp(0),
      os.ttyname(0) == os.ttyname(2) and bool(open("/dev/tty")))'
    ask
    assert_equal "$status $(tr -d '\r' <"$T/got")" "0 [True, True, True] True True"
    assert_listener_ends 0
}

@test "--pty: the end of input is ^D, behind a line and within one" {
    for text in $'hello\n' hello; do
        start_listener --pty --exec-status 127.0.0.1 0 -c 'stty -echo; echo ready; cat | od -An -c | tr -d " \n"; read -r more; exit 7'
        # Nothing is sent before the echo is off. The second read has no end.
        start_peer --connect "tcp:127.0.0.1:$port" recv:7 "send:$text" shutwr recv:5 reset
        assert_peer_done
        assert_listener_ends 56 'Connection reset'
    done
}

@test "--pty: what it wrote before it ended is delivered whole, and its status is known" {
    start_listener --pty --exec-status 127.0.0.1 0 -c 'stty -onlcr; seq 100000; exit 4'
    ask
    assert_equal "$status $(sha256sum <"$T/got")" "0 $(seq 100000 | sha256sum)"
    assert_listener_ends 4
}

@test "--pty: what is sent to a program that has ended is dropped" {
    start_listener --pty 127.0.0.1 0 -c 'echo bye'
    start_peer --connect "tcp:127.0.0.1:$port" recv:5 sendrand!:1:3000000 shutwr! recvall!
    assert_peer_done
    assert_listener_ends 0
}

@test "--pty: more than a terminal holds goes through, as fast as the program reads" {
    start_listener --pty 127.0.0.1 0 -c 'stty raw -echo; echo ready; head -c 300000 | sha256sum'
    start_peer --connect "tcp:127.0.0.1:$port" recv:6 sendrand:1:300000 recv:64 sha256
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" \
        "$({ echo ready; sha256sum <"$(random_file 300000)" | cut -c 1-64 | tr -d '\n'; } | sha256sum | cut -d ' ' -f 1)"
}

@test "--pty: when the client is gone, the terminal hangs up" {
    start_listener --pty 127.0.0.1 0 -c "trap 'echo told >$T/told; exit' HUP; trap '' TERM; echo \$\$ >$T/first; echo ready; while :; do sleep 0.1; done"
    start_peer --connect "tcp:127.0.0.1:$port" recv:7 reset
    assert_listener_ends 56 'Connection reset by peer'
    has_ended "$T/first" || fail "the program is still there"
    [ -e "$T/told" ] || fail "it was not told"
}

@test "F142: --pty: no terminal left is 27, and says so" {
    need unshare mount
    # shellcheck disable=SC2016 # the inner shell's
    alone() {
        unshare -m bash -c 'mount -t devpts -o newinstance,ptmxmode=666,max=1 none /dev/pts &&
            mount --bind /dev/pts/ptmx /dev/ptmx && exec timeout -s KILL 20 "$@" 5<>/dev/ptmx' _ "$@"
    }
    alone true 2>/dev/null || skip "needs terminals, and a mount namespace, of its own"
    start_listener 127.0.0.1 0 --echo
    assert_fails 27 '^sockcat: open a terminal for true: No space left on device$' \
        alone "$SOCKCAT" --pty 127.0.0.1 "$port" -e true
}

@test "--pty: the terminal is as wide and high as ours" {
    start_peer recvall
    drive "$peer_port" <<'PY'
from drive import *
master, slave = os.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 33, 111, 0, 0))
cat = subprocess.run([os.environ['SOCKCAT'], '--pty', '127.0.0.1', sys.argv[1], '-c', 'stty size >' + T + '/size'],
                     stdin=slave, stdout=subprocess.DEVNULL, check=True)
with open(T + '/size') as file:
    check(file.read(), '33 111\n')
PY
}
