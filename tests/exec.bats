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
    assert_closed sockcat -z 127.0.0.1 "$held" -- "$held"
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
            assert_fails 2 "conflicts with" sockcat $words </dev/null || fail "for $words"
        done
    done
    assert_fails 2 "^sockcat: '?--'? conflicts with --raw\$" \
        sockcat --raw 127.0.0.1 9 -- cat </dev/null
    assert_fails 2 'conflicts with' sockcat -e cat -c cat a 1 </dev/null
    assert_fails 2 "extra operand 'cat'" sockcat -e cat a 1 -- cat </dev/null
    assert_fails 2 'requires --exec or --sh-exec' sockcat --exec-status a 1 </dev/null
    assert_fails 2 'conflicts with' sockcat -lk --exec-status -c true 1 </dev/null
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

@test "F135: a missing program is reported for each client of -k, until it is there again" {
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
    drive exec program_never_reads "$port" "$listener"
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

@test "F137: a program that closes its input goes on writing, and received data is dropped" {
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
    assert_line 'has exited, but another process keeps its output open' "$T/listener.err"
    # That one has no client any more, and nothing was reported about it.
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

@test "F140: -v reports the program's status, which is not ours" {
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
    drive exec no_zombies "$port" "$listener"
}

@test "F141: what programs have left behind leaves no zombie where it becomes a child of ours" {
    # As the first process of a container: orphans are reparented to sockcat.
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
    LIMIT=20 drive exec sigchld_ignored "$peer_port"
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
}

@test "F142: at most --max-children programs are there, those being ended included, and clients wait" {
    stubborn
    drive exec max_children
}

@test "F142: a client that never read, and is reset, leaves its place, though the program waits for it" {
    drive exec reset_of_stalled_client
}

@test "F142: a client that waits for the end of a program costs no turns" {
    stubborn
    drive exec waits_for_program_end
}

@test "F142: --accept-timeout does not begin before the end of the program that a client waits for" {
    stubborn
    drive exec accept_timeout_after_program
}

@test "F142: with --refuse a client above --max-children is reset, and counted" {
    stubborn
    drive exec max_children_refuse
}

@test "F142: over UDP exactly one peer makes room for a new one, which is served when its program has ended" {
    stubborn
    drive exec max_children_udp
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
    as_user=
    if [ "$(id -u)" -eq 0 ]; then
        need setpriv
        as_user='setpriv --reuid 54321 --clear-groups'
    fi
    $as_user test -x "$SOCKCAT" || skip "needs a program that other users can run"
    # One process, which is there already.
    start_peer 'expect:not more' recvall
    $as_user "$SOCKCAT" --max-processes 1 127.0.0.1 "$peer_port" -- python3 -c 'import os
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

@test "F144: no signal is ignored or blocked, pipes block, and it leads its own session" {
    start_listener 127.0.0.1 0 -- python3 -c 'import fcntl, os, signal
print([s for s in signal.valid_signals() if s not in (signal.SIGKILL, signal.SIGSTOP)
       and signal.getsignal(s) == signal.SIG_IGN and s not in (signal.SIGPIPE, signal.SIGXFSZ)],
      signal.pthread_sigmask(signal.SIG_BLOCK, []), os.getsid(0) == os.getpgrp() == os.getpid(),
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
    drive exec signals_at_start "$peer_port"
    assert_equal "$(tr -d '\t' <"$T/signals")" $'SigBlk:0000000000000000\nSigIgn:0000000000000000'
}

@test "programs of datagram peers get the address that was sent to" {
    for way in '127.0.0.1' '-k 127.0.0.1' '-k 0.0.0.0'; do
        read -ra words <<<"$way"
        start_listener -u -c 'echo "$SOCKCAT_LOCAL_ADDR $SOCKCAT_LOCAL_PORT"' "${words[@]}" 0
        client -u -W 1 127.0.0.1 "$port" < <(echo) >"$T/out"
        assert_equal "$(cat "$T/out")" "127.0.0.1 $port"
    done
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
    drive exec environment
    assert_fails 2 'conflicts with' sockcat -l --clear-env --keep-env -e env 0 </dev/null
    assert_fails 2 'requires --exec or --sh-exec' sockcat -l --keep-env 0 </dev/null
    assert_fails 2 'requires --exec or --sh-exec' sockcat --clear-env a 1 </dev/null
}

@test "T26: a program does not get NOTIFY_SOCKET, with --keep-env either" {
    drive exec no_notify_socket
}

@test "F145: the name of a Unix client does not come into the environment" {
    drive exec unix_client_name
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
    finish "$listener"
    assert_equal "$result" 56
    assert_line 'Connection reset by peer' "$T/listener.err"
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

@test "a listener that runs programs listens on localhost, unless an address or an access list is given" {
    start_listener 0 -v -e cat
    await_line "$T/listener.err" 'listening on (127\.0\.0\.1|\[::1\]):'
    ! grep -qE 'listening on (0\.0\.0\.0|\[::\])' "$T/listener.err" || fail "it listens on all addresses"
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

# ---- T14: programs and the terminal ----

# on_terminal ARG...: a listener in the foreground of a terminal; sets $port and $pid.
on_terminal() {
    mkfifo "$T/.ready"
    # shellcheck disable=SC2016 # the inner shell's
    start pty -- bash -c '"$SOCKCAT" -l --ready-fd 9 127.0.0.1 0 "$@" 9>"$T/.ready"' _ "$@"
    read_ready port
}

@test "T14: a program that opens the terminal of the listener fails instead of being stopped" {
    on_terminal -c 'read x </dev/tty || echo failed'
    ask
    assert_equal "$status $(cat "$T/got")" "0 failed"
    finish "$pid"
    assert_equal "$result" 0
    assert_line '/dev/tty' "$T/tty.out"
}

@test "T14: an interactive shell serves a client though the listener has a terminal" {
    need bash
    on_terminal -- bash --norc -i
    ask $'echo $((6 * 7))\nexit\n'
    assert_equal "$status $(cat "$T/got")" "0 42"
    finish "$pid"
    assert_equal "$result" 0
}

@test "T14: a program is the leader of a session of its own" {
    for pty in '' --pty; do
        start_listener $pty 127.0.0.1 0 -- python3 -c 'import os; print(os.getsid(0) == os.getpid() == os.getpgrp())'
        ask
        assert_equal "$(tr -d '\r' <"$T/got")" True
    done
}

@test "T14: a program that is stopped is reported, and serves its client when it is continued" {
    start_peer 'expect:done\n' recvall
    start sockcat 127.0.0.1 "$peer_port" -c 'kill -STOP $$; echo done'
    await_line "$T/background.err" '^sockcat: run .*: process [0-9]+: Stopped \(signal\)'
    kill -CONT "$(sed -n 's/.*: process \([0-9]*\):.*/\1/p' "$T/background.err")"
    assert_peer_done
    finish "$pid"
    assert_equal "$result $(wc -l <"$T/background.err")" "0 1"
    for many in '' -k; do
        start_listener $many 127.0.0.1 0 -c 'kill -STOP $$; echo again; kill -STOP $$; echo done'
        start_peer --connect "tcp:127.0.0.1:$port" 'expect:again\ndone\n'
        for n in 1 2; do
            is_reported() { [ "$(grep -c 'Stopped (signal)' "$T/listener.err")" -eq "$n" ]; }
            until_true 20 is_reported || fail "stop $n was not reported: $(cat "$T/listener.err")"
            kill -CONT "$(sed -n 's/.*: process \([0-9]*\): Stopped.*/\1/p' "$T/listener.err" | tail -n 1)"
        done
        assert_peer_done
    done
}

# ---- T19: a set-up that fails ----

# ends_in_reset WAY STATUS PATTERN ARG...: see cases/setup_failure.py; with the rule of $RULE, if any.
ends_in_reset() {
    ${RULE:+with_shim "$RULE"} drive setup_failure "$@" || fail "$RULE $*"
}

@test "T19: a program that cannot be executed resets the connection, wherever it came from" {
    printf '#!/no/such/interpreter\n' >"$T/script"
    chmod +x "$T/script"
    for way in connect listen many inherited; do
        for pty in '' --pty; do
            ends_in_reset $way 126 'interpreter' $pty -e "$T/script"
        done
    done
}

@test "T19: no process and no descriptor for a program resets the connection" {
    need_shim
    for way in connect listen many inherited; do
        for pty in '' --pty; do
            RULE='fork:EAGAIN:*' ends_in_reset $way 27 'run cat: Resource temporarily unavailable' $pty -e cat
        done
        RULE='pipe2:EMFILE:2+' ends_in_reset $way 27 'run cat: Too many open files' -e cat
        RULE='pipe2:EMFILE:2+' ends_in_reset $way 27 'run cat: Too many open files' --pty -e cat
    done
}

@test "T19: a connection whose state or options cannot be asked or set is reset" {
    need_shim
    # Without a peer yet the connection is waited for, and its state is asked.
    RULE='getpeername:ENOTCONN:1,getsockopt:ENOBUFS:1' ends_in_reset connect 27 'No buffer space'
    RULE='getpeername:ENOTCONN:*,getsockopt:ENOBUFS:*' ends_in_reset target 27 'No buffer space'
    # The first call after the connection exists is the one that makes a close a reset.
    RULE='setsockopt:ENOPROTOOPT:2+' ends_in_reset connect 4 nodelay --nodelay on -e cat
    RULE='setsockopt:ENOPROTOOPT:2+' ends_in_reset inherited 4 nodelay --nodelay on -e cat
    # A listener sets its own option and those of its clients before.
    RULE='setsockopt:ENOPROTOOPT:5+' ends_in_reset listen 4 nodelay --nodelay on -e cat
}

@test "T19: no memory for a session resets the connection" {
    need_shim malloc
    for call in malloc calloc; do
        for way in connect listen; do
            drive setup_memory $way $call -- cat || fail "$way $call"
        done
    done
}

@test "T19: no memory for the target of --to resets the client" {
    need_shim malloc
    start_listener -k --echo 127.0.0.1 0
    for call in malloc calloc; do
        drive setup_memory listen $call --to "127.0.0.1:$port" || fail "$call"
    done
}

@test "T19: a Unix client whose session cannot be set up gets a reset for what was not read" {
    need_shim
    RULE='fork:EAGAIN:*' ends_in_reset unix 27 'run cat' -e cat
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

@test "--pty=raw: bytes pass unchanged both ways, without an echo, from the first one" {
    # The program leaves the terminal as it is: CR, LF, ^C, ^D and ^S are bytes like others.
    start_listener --pty=raw 127.0.0.1 0 -- python3 -c 'import os
os.write(1, repr([os.isatty(fd) for fd in range(3)]).encode() + b"\r\n\n")
text = b""
while len(text) < 9:
    text += os.read(0, 9 - len(text))
os.write(1, text)'
    start_peer --connect "tcp:127.0.0.1:$port" 'send:a\r\n\n\x03\x04\x13\x7fb' 'expect:[True, True, True]\r\n\n' \
        'expect:a\r\n\n\x03\x04\x13\x7fb' recvall
    assert_peer_done
    assert_listener_ends 0
}

@test "--pty=raw: the end of input is one ^D, which is a byte like others" {
    start_listener --pty=raw 127.0.0.1 0 -c 'head -c 6 | od -An -c | tr -d " \n"'
    start_peer --connect "tcp:127.0.0.1:$port" send:hello shutwr expect:hello004 recvall
    assert_peer_done
    assert_listener_ends 0
}

@test "--pty takes no other mode than raw" {
    assert_fails 3 "invalid --pty 'cooked': expected raw" sockcat --pty=cooked 127.0.0.1 9 -e true
    assert_fails 2 'pty requires' sockcat --pty=raw 127.0.0.1 9
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
            mount --bind /dev/pts/ptmx /dev/ptmx && exec timeout -s KILL $((20 * LAST_RESORT)) "$@" 5<>/dev/ptmx' _ "$@"
    }
    alone true 2>/dev/null || skip "needs terminals, and a mount namespace, of its own"
    start_listener 127.0.0.1 0 --echo
    assert_fails 27 '^sockcat: open a terminal for true: No space left on device$' \
        alone "$SOCKCAT" --pty 127.0.0.1 "$port" -e true
}

@test "--pty: the terminal is as wide and high as ours" {
    start_peer recvall
    drive exec pty_size "$peer_port"
}

# ---- a program of one of many that closes its input ----

@test "with -k a client goes on when the program has closed its input while the pipe was full" {
    start_listener -k 127.0.0.1 0 -c "until [ -e '$T/full' ]; do sleep 0.05; done; exec <&-; touch '$T/closed'; until [ -e '$T/sent' ]; do sleep 0.05; done; echo done"
    drive exec program_closes_full_input "$port"
}

@test "with -k a client whose program has closed its input does not spin" {
    need python3
    cat >"$T/program" <<'PY'
import os, sys, time
os.close(0)
open(sys.argv[1] + '/closed', 'w').close()
while not os.path.exists(sys.argv[1] + '/over'):
    time.sleep(0.05)
PY
    start_listener -k -v 127.0.0.1 0 -- python3 "$T/program" "$T"
    start_peer --connect "tcp:127.0.0.1:$port" send:some "waitfor:$T/closed" send:more "waitfor:$T/seen" send:again "waitfor:$T/over" close
    await_line "$T/listener.err" 'has closed its input'
    touch "$T/seen"
    watch_idle "$listener"
    touch "$T/over"
}
