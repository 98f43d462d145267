#!/usr/bin/env bats
# syscalls.bats - system calls that fail, come up short, come late or are interrupted, at any call.
# Rows A1 to A14 and A16 of the fault catalogue; A15 is due with TLS.

bats_require_minimum_version 1.5.0
load lib/helper

# counted NAME: how often the program made this call, by the shim's count of its last run.
counted() { awk -v name="$1" '$1 == name { n = $2 } END { print n + 0 }' "$T/count"; }

digest() { sha256sum "$1" | cut -d' ' -f1; }

# exchange RULES: under these rules of the shim the client sends $T/sent, from a pipe, to a peer that
# sends $back bytes meanwhile. Both ways have to be complete, and nothing said.
exchange() {
    start_peer "both:7:$back" sha256
    SHIM_COUNT=$T/count with_shim "$1" sockcat 127.0.0.1 "$peer_port" 2>"$T/client.err" \
        < <(exec cat "$T/sent") | cat >"$T/got"
    local statuses="${PIPESTATUS[*]}"
    assert_equal "$statuses" "0 0" || return
    assert_equal "$(cat "$T/client.err")" "" || return
    finish "$peer"
    assert_equal "$result" 0 || return
    assert_equal "$(tail -n 1 "$T/peer.out")" "$(digest "$T/sent")" || return
    assert_same "$T/got" "$(random_file "$back" 7)"
}

# echo_peer N: a peer that echoes to N clients, one after another, whatever happens to them.
echo_peer() {
    local i steps=(echo!)
    for ((i = 1; i < $1; i++)); do
        steps+=(accept echo!)
    done
    start_peer "${steps[@]}"
}

# storm PID SIGNAL...: sends the signals in turn, some two thousand a second, until it is gone.
storm() {
    local target=$1 end=$((SECONDS + 25 * LAST_RESORT))
    shift
    while ! is_gone "$target" && [ "$SECONDS" -lt "$end" ]; do
        for _ in {1..20}; do
            kill -s "$1" "$target" 2>/dev/null || break
            set -- "${@:2}" "$1"
        done
        tick
    done
}

# ---- A1, A2: less than was asked for ----

@test "F1: writes that take one byte at a time lose and repeat nothing" {
    need_shim
    back=30000
    cp "$(random_file 30001)" "$T/sent"
    exchange "sendmsg:short=1:*,writev:short=1:*"
    [ "$(counted sendmsg)" -ge 30001 ]
    [ "$(counted writev)" -ge 30000 ]
}

@test "F1: writes half of which are short, by odd lengths, keep the order" {
    need_shim
    back=3000000
    cp "$(random_file 3000001)" "$T/sent"
    exchange "sendmsg:short=997:50%,writev:short=1009:50%"
    [ "$(counted sendmsg)" -ge 20 ] # so that some were short for sure
    [ "$(counted writev)" -ge 20 ]
}

@test "F1: a write that is short once in a hundred times is noticed" {
    need_shim
    back=4000000
    cp "$(random_file 4000001)" "$T/sent"
    # Reads of at most 4 KiB, so that there are a thousand writes.
    exchange "sendmsg:short=3:1%,writev:short=3:1%,readv:short=4096:*,recvmsg:short=4096:*"
    [ "$(counted sendmsg)" -ge 900 ]
    [ "$(counted writev)" -ge 900 ]
}

@test "F1: a listener whose streams are files survives short writes" {
    need_shim
    need nc.openbsd
    cp "$(random_file 100001)" "$T/sent"
    LISTENER_IN=$T/sent with_shim "sendmsg:short=7:80%,writev:short=5:80%:file" start_listener 127.0.0.1 0
    timeout $((30 * LAST_RESORT)) nc.openbsd -N 127.0.0.1 "$port" <"$(random_file 90001 2)" >"$T/got"
    finish "$listener"
    assert_equal "$result" 0
    assert_same "$T/got" "$T/sent"
    assert_same "$T/listener.out" "$(random_file 90001 2)"
}

@test "F1: a Unix socket survives short writes" {
    need_shim
    need socat
    cp "$(random_file 100001)" "$T/sent"
    LISTENER_IN=$T/sent with_shim "sendmsg:short=11:90%,writev:short=3:90%:file" start_listener -U "$T/s"
    timeout $((30 * LAST_RESORT)) socat -t 20 - "UNIX-CONNECT:$T/s" <"$T/sent" >"$T/got"
    finish "$listener"
    assert_equal "$result" 0
    assert_same "$T/listener.out" "$T/sent"
    assert_same "$T/got" "$T/sent"
}

@test "F1: a short write does not cut the line that tells the port" {
    need_shim
    local shown
    with_shim "writev:short=1:*" start_listener 127.0.0.1 0
    shown=$(sed -n 's/^sockcat: listening on 127\.0\.0\.1://p' "$T/listener.err")
    assert_equal "$port" "$shown"
}

@test "F1: the line that tells the port comes in one piece" {
    need_shim
    need nc.openbsd
    # A reader that takes it with one read, and goes, is not to end the listener.
    SHIM_COUNT=$T/count with_shim "writev:count:*:pipe" start_listener 127.0.0.1 0
    timeout $((20 * LAST_RESORT)) nc.openbsd -N 127.0.0.1 "$port" <<<hello
    finish "$listener"
    assert_equal "$(counted writev:pipe)" 1
}

@test "F2: reads of one byte give the same bytes" {
    need_shim
    back=30000
    cp "$(random_file 30001)" "$T/sent"
    exchange "readv:short=1:*,recvmsg:short=1:*"
    [ "$(counted readv)" -ge 30001 ]
    [ "$(counted recvmsg)" -ge 30000 ]
}

@test "F2: a peer that sends byte by byte is heard in full" {
    start_peer slice:1 sendrand:3:20000 shutwr recvall
    sockcat 127.0.0.1 "$peer_port" </dev/null >"$T/got"
    finish "$peer"
    assert_equal "$result" 0
    assert_same "$T/got" "$(random_file 20000 3)"
}

@test "F2: short reads and short writes together give the same bytes" {
    need_shim
    back=50000
    cp "$(random_file 50001)" "$T/sent"
    exchange "readv:short=13:70%,recvmsg:short=17:70%,sendmsg:short=5:70%,writev:short=3:70%"
}

@test "F2: a short write of standard output does not join or lose datagrams" {
    need_shim
    start_peer --listen udp recvdgram send:first send: send:second send:third
    with_shim "writev:short=1:*" sockcat -u -q 500ms 127.0.0.1 "$peer_port" <<<hello >"$T/got"
    finish "$peer"
    assert_equal "$result" 0
    assert_equal "$(cat "$T/got")" firstsecondthird
}

# ---- A3, A4: interrupted ----

@test "F3: every call that a signal can interrupt goes on, whichever call it is" {
    need_shim
    cp "$(random_file 300001)" "$T/sent"
    drive syscalls each_call_fails client none {readv,writev,recvmsg,sendmsg,poll,connect,open,close}:EINTR
}

@test "F3: the same for a listener" {
    need_shim
    cp "$(random_file 300001)" "$T/sent"
    drive syscalls each_call_fails listener none {readv,writev,recvmsg,sendmsg,poll,accept4,open,close}:EINTR
}

@test "F3: most calls being interrupted changes nothing but the time" {
    need_shim
    back=2000000
    cp "$(random_file 2000001)" "$T/sent"
    exchange "readv:EINTR:60%,writev:EINTR:60%,recvmsg:EINTR:60%,sendmsg:EINTR:60%,poll:EINTR:60%"
    [ "$(counted poll)" -ge 4 ]
}

@test "F3: a close that is interrupted is not made again" {
    need_shim
    # Its number may be in use again by then.
    local plain rule
    cp "$(random_file 1000)" "$T/sent"
    echo_peer 2
    for rule in close:count:* close:EINTR:*; do
        SHIM_COUNT=$T/count with_shim "$rule" sockcat 127.0.0.1 "$peer_port" <"$T/sent" >"$T/got"
        assert_same "$T/got" "$T/sent"
        : "${plain:=$(counted close)}"
    done
    [ "$plain" -ge 1 ]
    assert_equal "$(counted close)" "$plain"
}

@test "F3: a storm of signals does not touch the data" {
    start_peer both:7:20000000 sha256
    cp "$(random_file 20000001)" "$T/sent"
    START_IN=$T/sent start "$SOCKCAT" -v 127.0.0.1 "$peer_port"
    # Not before: until the handlers are there, SIGUSR1 ends a program.
    await_line "$T/background.err" 'connected to'
    storm "$pid" USR1 CHLD WINCH
    finish "$pid"
    assert_equal "$result" 0
    finish "$peer"
    assert_equal "$result" 0
    assert_equal "$(tail -n 1 "$T/peer.out")" "$(digest "$T/sent")"
    assert_same "$T/background.out" "$(random_file 20000000 7)"
    # The statistics that were asked for have come, as whole lines.
    local bytes=': [0-9]+ bytes sent, [0-9]+ bytes received'
    assert_line "^sockcat: session .*$bytes\$" "$T/background.err"
    # On a loaded machine the input may rest while the peer is done.
    run grep -Evc "^sockcat: (\([0-9]+ lines dropped\) )?((session|closed) .*$bytes|connected .*|[^ ]+: half-closed .*|.* has finished; waiting .*)\$" \
        "$T/background.err"
    assert_equal "$output" 0
}

# ends_in_the_storm STATUS ARG...: every signal interrupts the wait; if one restarted the timeout, it
# would not end at all while they come. $from and $T/in are set by the caller.
ends_in_the_storm() {
    local wanted=$1 from=${EPOCHREALTIME/./} elapsed
    shift
    mkfifo "$T/in"
    exec 8<>"$T/in"
    START_IN=${input-$T/in} start "$SOCKCAT" "$@" 8>&-
    # Until then SIGUSR1 would end it.
    until_true 20 catches "$pid" USR1 || fail "SIGUSR1 is not caught"
    storm "$pid" USR1
    finish "$pid"
    elapsed=$((${EPOCHREALTIME/./} - from))
    assert_equal "$result" "$wanted"
    [ "$elapsed" -ge 1000000 ] || fail "after $elapsed microseconds: too early"
    [ "$elapsed" -le $((15000000 * LAST_RESORT)) ] || fail "after $elapsed microseconds: too late"
}

@test "F4: an idle limit runs out in time although poll is interrupted all the time" {
    start_peer recvall!
    ends_in_the_storm 28 --idle-timeout 1 127.0.0.1 "$peer_port"
}

@test "F4: so does the limit for resolving" {
    need_shim
    with_shim "getaddrinfo:sleep=40:1" ends_in_the_storm 28 --wait 1 localhost 1
}

@test "F4: so does the time to quit" {
    start_peer recvall wait:30
    input=/dev/null ends_in_the_storm 0 -q 1 127.0.0.1 "$peer_port"
}

@test "F4: an interrupted poll is not mistaken for a time that has run out" {
    need_shim
    start_peer wait:1 send:late shutwr recvall
    with_shim "poll:EINTR:50%" sockcat --idle-timeout 20 127.0.0.1 "$peer_port" </dev/null >"$T/got"
    assert_equal "$(cat "$T/got")" late
}

# ---- A5, A6: would block ----

@test "F5: a call that would block although poll said ready is put off to the next poll" {
    need_shim
    back=3000000
    cp "$(random_file 3000001)" "$T/sent"
    exchange "readv:EAGAIN:90%,writev:EAGAIN:90%,recvmsg:EAGAIN:90%,sendmsg:EAGAIN:90%"
    local calls=0 name
    for name in readv writev recvmsg sendmsg; do
        calls=$((calls + $(counted "$name")))
    done
    [ "$calls" -ge 400 ] # nine in ten were in vain
    # Each turn makes at most one call of each kind.
    [ "$calls" -le $((4 * $(counted poll) + 8)) ] || fail "$calls calls in $(counted poll) turns"
}

@test "F5: a line that is mostly idle, and would block when it is not, costs no time" {
    need_shim
    local steps=() i
    for i in {1..30}; do
        steps+=("send:line $i\\n" wait:0.05)
    done
    start_peer "${steps[@]}" shutwr recvall
    SHIM_COUNT=$T/count with_shim "readv:EAGAIN:90%,writev:EAGAIN:90%,recvmsg:EAGAIN:90%,sendmsg:EAGAIN:90%" \
        sockcat 127.0.0.1 "$peer_port" </dev/null >"$T/got" 2>"$T/client.err"
    assert_equal "$(wc -l <"$T/got")" 30
    # Some twenty turns for each line; a spin of 1.5 s takes hundreds of thousands.
    [ "$(counted poll)" -lt 10000 ] || fail "$(counted poll) turns"
}

@test "F5: an accept that would block although poll said ready is put off" {
    need_shim
    need nc.openbsd
    SHIM_COUNT=$T/count with_shim "accept4:EAGAIN:1,accept4:EAGAIN:2" start_listener 127.0.0.1 0
    timeout $((20 * LAST_RESORT)) nc.openbsd -N 127.0.0.1 "$port" <<<hello
    finish "$listener"
    assert_equal "$result" 0
    assert_equal "$(cat "$T/listener.out")" hello
    assert_equal "$(counted accept4)" 3
}

# mode_of FD...: whether these open files, which this shell shares with others, block.
mode_of() {
    local fd flags modes=
    for fd; do
        flags=$(sed -n 's/^flags:[[:space:]]*//p' "/proc/self/fdinfo/$fd")
        [ -n "$flags" ] || fail "descriptor $fd is not open" || return
        modes+=" $(((flags & 04000) != 0 ? 0 : 1))"
    done
    modes=${modes//0/non-blocking}
    printf '%s\n' "${modes//1/blocking}"
}

# start_on_shared ARG...: the client in the background, on the FIFOs that this shell has open as 8
# and 7, once the peer's "out" has come. Sets $pid.
start_on_shared() {
    local text=
    "$SOCKCAT" "$@" 127.0.0.1 "$peer_port" <&8 >&7 2>"$T/client.err" 3>&- 7>&- 8>&- &
    pid=$!
    started+=("$pid")
    read -r -n 3 -t 20 text <&7
    assert_equal "$text" out
}

@test "F6: the pipes that others share are not made non-blocking" {
    start_peer send:out recvall!
    mkfifo "$T/in" "$T/out"
    exec 7<>"$T/out" 8<>"$T/in"
    assert_equal "$(mode_of 7 8)" " blocking blocking"
    start_on_shared
    assert_equal "$(mode_of 7 8)" " blocking blocking"
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$(mode_of 7 8)" " blocking blocking"
}

@test "F6: where only the shared pipe can be made non-blocking, that is taken back at the end" {
    need_shim
    start_peer send:out waitfor:"$T/end" shutwr recvall
    mkfifo "$T/in" "$T/out"
    exec 7<>"$T/out" 8<>"$T/in"
    # Reopening the pipe is denied.
    with_shim "open:EACCES:*,openat:EACCES:*" start_on_shared --until=peer
    # Otherwise it could hang in a call.
    assert_equal "$(mode_of 7 8)" " non-blocking non-blocking"
    touch "$T/end"
    finish "$pid"
    assert_equal "$result" 0
    assert_equal "$(mode_of 7 8)" " blocking blocking"
}

@test "F6: so it is after a signal, and after a failure" {
    need_shim
    local end
    mkfifo "$T/in" "$T/out"
    for end in signal reset; do
        start_peer send:out waitfor:"$T/reset" reset
        exec 7<>"$T/out" 8<>"$T/in"
        with_shim "open:EACCES:*,openat:EACCES:*" start_on_shared
        if [ "$end" = signal ]; then kill -TERM "$pid"; else touch "$T/reset"; fi
        finish "$pid"
        [ "$result" -ne 0 ]
        assert_equal "$end$(mode_of 7 8)" "$end blocking blocking"
    done
}

@test "F6: pipes that a sibling has made non-blocking work, and stay as they are" {
    echo_peer 1
    random_file 3000000 >/dev/null
    run drive syscalls sibling "$T/random.3000000.1" "$SOCKCAT" 127.0.0.1 "$peer_port"
    assert_equal "$output" "0 True False False"
}

@test "F6: the next command of the shell finds the terminal, and what is left of its input, as it was" {
    start_peer send:'from the peer\n' recvall
    pty --fds 012 'see:ready' 'type:first\n' 'see:from the peer' mode 'type:\x04' 'see:next' \
        'type:second\n' -- \
        bash -c 'echo ready; "$SOCKCAT" 127.0.0.1 "$1"; echo next; exec head -n 1 >"$T/rest"' _ "$peer_port" \
        >"$T/modes"
    assert_equal "$(sort -u "$T/modes")" unchanged
    assert_equal "$(cat "$T/rest")" second
}

# ---- A7: out of buffers ----

@test "F7: datagrams wait while the system is out of buffers, and that is counted" {
    need_shim
    local error
    for error in ENOBUFS ENOMEM; do
        start_peer --listen udp expect:"whole message\\n" send:ok
        with_shim "sendmsg:$error:1,sendmsg:$error:2,sendmsg:$error:3" \
            sockcat -v -u -q 300ms 127.0.0.1 "$peer_port" <<<"whole message" >"$T/got" 2>"$T/client.err"
        finish "$peer"
        assert_equal "$result" 0
        assert_equal "$(cat "$T/got")" ok
        assert_line '^sockcat: .*: waited 3 times for kernel buffers$' "$T/client.err"
    done
}

@test "F7: a stream waits while the system is out of buffers, in either direction" {
    need_shim
    back=2000000
    cp "$(random_file 2000001)" "$T/sent"
    exchange "sendmsg:ENOBUFS:30%,sendmsg:ENOMEM:20%,recvmsg:ENOBUFS:30%,recvmsg:ENOMEM:20%"
}

@test "F7: lasting ENOBUFS ends a session, of either kind, with a message" {
    need_shim
    # Side by side, as it takes ten seconds.
    start_peer recvall!
    local stream_port=$peer_port stream datagram
    start_peer --listen udp recvquiet:30
    with_shim "sendmsg:ENOBUFS:*" sockcat 127.0.0.1 "$stream_port" <<<hello >"$T/1.out" 2>"$T/1.err" 3>&- &
    stream=$!
    with_shim "sendmsg:ENOBUFS:*" sockcat -u 127.0.0.1 "$peer_port" <<<hello >"$T/2.out" 2>"$T/2.err" 3>&- &
    datagram=$!
    started+=("$stream" "$datagram")
    finish "$stream"
    [[ $result =~ ^(27|55)$ ]] || fail "the stream: $result"
    finish "$datagram"
    [[ $result =~ ^(27|55)$ ]] || fail "the datagrams: $result"
    assert_one_error "$T/1.err" 'send to 127\.0\.0\.1:[0-9]+: No buffer space'
    assert_one_error "$T/2.err" 'send to 127\.0\.0\.1:[0-9]+: No buffer space'
}

# ---- A8: what poll says ----

@test "F8: a hang-up of standard input that comes together with data does not hide the data" {
    start_peer recvall sha256
    random_file 60000 >/dev/null # fits into a pipe, whose writer has gone before it is read
    mkfifo "$T/in"
    exec 8<>"$T/in"
    cat "$T/random.60000.1" >&8
    exec 7<"$T/in" 8>&-
    sockcat 127.0.0.1 "$peer_port" <&7
    finish "$peer"
    assert_equal "$(tail -n 1 "$T/peer.out")" "$(digest "$T/random.60000.1")"
}

@test "F8: a hang-up of standard input without data is its end" {
    start_peer recvall count
    mkfifo "$T/in"
    exec 8<>"$T/in" 7<"$T/in" 8>&-
    sockcat 127.0.0.1 "$peer_port" <&7
    finish "$peer"
    assert_equal "$(tail -n 1 "$T/peer.out")" 0
}

@test "F8: data, the end and the error of a connection at once: the data come first" {
    start_peer recv:1 touch:"$T/begun" waitfor:"$T/stopped" sendrand:5:20000 reset touch:"$T/reset"
    mkfifo "$T/in"
    exec 8<>"$T/in"
    START_IN=$T/in start "$SOCKCAT" -v 127.0.0.1 "$peer_port" 8>&-
    printf x >&8
    await_file "$T/begun"
    # Stopped, so that it finds all of it in one look.
    kill -STOP "$pid"
    touch "$T/stopped"
    await_file "$T/reset"
    kill -CONT "$pid"
    finish "$pid"
    [[ $result =~ ^5[56]$ ]] || fail "status $result"
    assert_same "$T/background.out" "$(random_file 20000 5)"
    assert_line 'Connection reset by peer' "$T/background.err"
}

@test "F8: a Unix peer that sends and goes at once is heard in full" {
    local i
    for i in 1 2 3 4 5; do
        start_listener -U "$T/s"
        start_peer --connect "unix:$T/s" sendrand:5:100000 close
        finish "$peer"
        finish "$listener"
        assert_equal "$result" 0
        assert_same "$T/listener.out" "$(random_file 100000 5)"
    done
}

@test "F8: a reader of standard output that closes it is noticed on an idle line" {
    start_peer send:hello recvall!
    mkfifo "$T/in"
    exec 8<>"$T/in"
    sockcat 127.0.0.1 "$peer_port" <"$T/in" 2>"$T/client.err" 8>&- | head -c 5 >"$T/got"
    local statuses="${PIPESTATUS[*]}"
    assert_equal "$statuses" "23 0"
    assert_equal "$(cat "$T/got" "$T/client.err")" hello
}

@test "F8: a socket as standard input whose other end has sent and gone is read to its end" {
    start_peer recvall sha256
    random_file 100000 >/dev/null
    run timeout $((30 * LAST_RESORT)) python3 -c '
import socket, subprocess, sys
ours, theirs = socket.socketpair()
ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 500000)
ours.sendall(open(sys.argv[1], "rb").read())
ours.close()
sys.exit(subprocess.call(sys.argv[2:], stdin=theirs))' "$T/random.100000.1" "$SOCKCAT" 127.0.0.1 "$peer_port"
    assert_status 0
    finish "$peer"
    assert_equal "$(tail -n 1 "$T/peer.out")" "$(digest "$T/random.100000.1")"
}

@test "F8: a terminal that is cut off does not make it spin or hang" {
    start_peer send:hello recvall!
    run pty see:hello hangup -- "$SOCKCAT" 127.0.0.1 "$peer_port"
    assert_status 129 # SIGHUP, which it raises again
    finish "$peer"
}

# ---- A9, A10: resources ----

@test "F9: memory that is not to be had, once, at any point of a connection" {
    need_shim malloc
    cp "$(random_file 5000)" "$T/sent"
    drive syscalls each_call_fails client 27 malloc:ENOMEM calloc:ENOMEM "?realloc:ENOMEM"
}

@test "F9: memory that is not to be had, for good, from any point of a connection on" {
    need_shim malloc
    cp "$(random_file 5000)" "$T/sent"
    drive syscalls each_call_fails client 27 malloc:ENOMEM+ calloc:ENOMEM+
}

@test "F9: memory that is not to be had while a name is resolved" {
    need_shim malloc
    # The C library's part is left out: it may crash without memory (nss_database of glibc 2.36).
    local call n status
    for call in malloc calloc; do
        status=0
        SHIM_COUNT=$T/count with_shim "getaddrinfo:addresses=2:*" sockcat host.invalid 1 </dev/null \
            2>"$T/client.err" || status=$?
        assert_equal "$status" 7 # no listener at the made up addresses
        [ "$(counted "$call")" -ge 2 ]
        for ((n = $(counted "$call"); n >= 1; n--)); do
            status=0
            with_shim "getaddrinfo:addresses=2:*,$call:ENOMEM:$n" sockcat host.invalid 1 </dev/null \
                2>"$T/client.err" || status=$?
            [[ $status =~ ^(7|27)$ ]] || fail "$call $n: status $status"
            assert_one_error "$T/client.err" .
        done
    done
}

@test "F9: memory that is not to be had, at any point of a listener" {
    need_shim malloc
    cp "$(random_file 5000)" "$T/sent"
    printf '%s\n' 127.0.0.1 {1..40}.0.0.0/8 >"$T/list"
    drive syscalls each_call_fails listener 27 malloc:ENOMEM calloc:ENOMEM
    drive syscalls each_call_fails listener 27 {malloc,calloc,realloc}:ENOMEM \
        -- --deny 192.0.2.1 --allow-file "$T/list"
}

@test "F10: a client survives, or reports, the failure of each call that needs a resource" {
    need_shim
    cp "$(random_file 5000)" "$T/sent"
    drive syscalls each_call_fails client 27 socket:{EMFILE,ENFILE,ENOBUFS,ENOMEM} pipe2:{EMFILE,ENFILE}
    drive syscalls each_call_fails client '7|23|26|27|55|56' fcntl:EINVAL getsockopt:ENOBUFS ioctl:EINVAL \
        open:{EMFILE,ENOENT}
    drive syscalls each_call_fails client 7 socket:EACCES
    drive syscalls each_call_fails client 4 socket:EAFNOSUPPORT
}

@test "F10: options of a socket that are only good to have are done without" {
    need_shim
    cp "$(random_file 5000)" "$T/sent"
    drive syscalls each_call_fails client none setsockopt:{ENOPROTOOPT,ENOBUFS}{,+}
    drive syscalls each_call_fails listener none setsockopt:ENOPROTOOPT{,+}
}

@test "F10: an option of a socket that was asked for is not done without" {
    need_shim
    start_peer recvall!
    run --separate-stderr with_shim setsockopt:ENOPROTOOPT:1 sockcat -I 64k 127.0.0.1 "$peer_port" </dev/null
    assert_status 4
    printf '%s\n' "$stderr" >"$T/client.err"
    assert_one_error "$T/client.err" rcvbuf
}

@test "F10: a listener survives, or reports, the failure of each call that needs a resource" {
    need_shim
    local rule
    cp "$(random_file 5000)" "$T/sent"
    drive syscalls each_call_fails listener 27 socket:{EMFILE,ENOMEM} pipe2:EMFILE
    drive syscalls each_call_fails listener 101 bind:{EADDRINUSE,EACCES} listen:EADDRINUSE
    # The client is waiting until there are descriptors again.
    drive syscalls each_call_fails listener none accept4:{EMFILE,ENFILE,ENOBUFS,ENOMEM}
    for rule in accept4:EMFILE accept4:ENFILE accept4:ENOBUFS accept4:ENOMEM; do
        with_shim "$rule:1" start_listener 127.0.0.1 0
        sockcat 127.0.0.1 "$port" </dev/null
        assert_listener_ends 0 'accept: .*; trying again$'
    done
    drive syscalls each_call_fails listener '3|23|26|27|101' fcntl:EINVAL
}

@test "F10: a thread that cannot be made ends the resolving with a message" {
    need_shim
    status=0
    with_shim pthread_create:EAGAIN:1 sockcat localhost 1 </dev/null 2>"$T/client.err" || status=$?
    assert_equal "$status" 27
    assert_one_error "$T/client.err" 'resolve localhost'
}

@test "F10: really without descriptors it says so" {
    need prlimit
    start_peer recvall!
    status=0
    # One is left to the loader.
    prlimit --nofile=4 "$SOCKCAT" 127.0.0.1 "$peer_port" </dev/null 2>"$T/client.err" 3>&- || status=$?
    assert_equal "$status" 27
    assert_one_error "$T/client.err" 'Too many open files'
}

# ---- A11 to A14: connections and closing ----

@test "F11: the errors of a client that has gone, or of the network, do not end a listener" {
    need_shim
    need nc.openbsd
    local error bad=
    # accept(2), "Error handling".
    for error in ECONNABORTED ENETDOWN EPROTO ENOPROTOOPT EHOSTDOWN ENONET EHOSTUNREACH EOPNOTSUPP \
        ENETUNREACH EINTR EAGAIN EPERM; do
        : >"$T/count"
        SHIM_COUNT=$T/count with_shim "accept4:$error:1" start_listener 127.0.0.1 0
        timeout $((20 * LAST_RESORT)) nc.openbsd -N 127.0.0.1 "$port" <<<"$error" || :
        finish "$listener"
        [ "$result" -eq 0 ] && [ "$(cat "$T/listener.out")" = "$error" ] && [ "$(counted accept4)" -ge 2 ] \
            || bad+=" $error:$result"
    done
    assert_equal "$bad" ""
}

@test "F11: a listener that keeps open outlives any number of them" {
    need_shim
    need nc.openbsd
    local i
    with_shim "accept4:ECONNABORTED:20%,accept4:EPROTO:20%,accept4:ENETDOWN:20%,accept4:EMFILE:10%" \
        start_listener -k 127.0.0.1 0
    for i in {1..20}; do
        timeout $((20 * LAST_RESORT)) nc.openbsd -N 127.0.0.1 "$port" <<<"line $i" >/dev/null
    done
    kill -TERM "$listener"
    finish "$listener"
    assert_equal "$result" 143
    assert_equal "$(cat "$T/listener.out")" "$(printf 'line %d\n' {1..20})"
}

@test "F12: a connect that says it is under way, or done, is waited for" {
    need_shim
    local error
    cp "$(random_file 5000)" "$T/sent"
    echo_peer 10
    for error in EINTR EINPROGRESS EALREADY EISCONN; do
        : >"$T/got"
        with_shim "connect:$error:1" sockcat 127.0.0.1 "$peer_port" <"$T/sent" >"$T/got" \
            || fail "$error: $?"
        assert_same "$T/got" "$T/sent"
    done
}

@test "F12: a connect that is under way and then refused is a refusal" {
    need_shim
    local error closed
    closed=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    for error in EINTR EINPROGRESS EALREADY; do
        status=0
        with_shim "connect:$error:1" sockcat 127.0.0.1 "$closed" </dev/null 2>"$T/client.err" || status=$?
        assert_equal "$error $status" "$error 7"
        assert_one_error "$T/client.err" 'Connection refused'
    done
}

@test "F12: a Unix connect that is interrupted goes on" {
    need_shim
    start_peer --listen "unix:$T/s" echo
    with_shim connect:EINTR:1 sockcat -U "$T/s" <<<hello >"$T/got"
    assert_equal "$(cat "$T/got")" hello
}

@test "T26: a connect that was interrupted before it started is repeated" {
    need_shim
    hold_port
    start_peer --listen "unix:$T/s" echo
    with_shim connect:unmade:1 sockcat -U "$T/s" <<<hello >"$T/got"
    assert_equal "$(cat "$T/got")" hello
    start_peer echo
    with_shim connect:unmade:1 sockcat 127.0.0.1 "$peer_port" <<<hello >"$T/got"
    assert_equal "$(cat "$T/got")" hello
    start_peer accept close
    with_shim connect:unmade:1 sockcat -z 127.0.0.1 "$peer_port"
    with_shim connect:unmade:1 assert_fails 1 ': closed' sockcat -zv 127.0.0.1 "$held"
    with_shim connect:unmade:1 assert_fails 7 'Connection refused' sockcat 127.0.0.1 "$held" </dev/null
}

@test "T26: a connect that never begins is no connection" {
    need_shim
    hold_port
    start_peer --listen "unix:$T/s" accept
    with_shim 'connect:unmade:*' assert_fails 28 'timed out' sockcat -u -w 0.5 127.0.0.1 "$held" </dev/null
    with_shim 'connect:unmade:*' assert_fails 28 'timed out' sockcat -z -w 0.5 127.0.0.1 "$held"
    with_shim 'connect:unmade:*' assert_fails 28 'timed out' sockcat -z -w 0.5 -U "$T/s"
    with_shim 'connect:unmade:*' assert_fails 28 'timed out' sockcat -w 0.5 127.0.0.1 "$held" </dev/null
}

@test "F12: a connection to a neighbour that does not answer fails with the reason" {
    need_netns
    dead_neighbour() {
        ip link add v0 type veth peer name v1
        ip addr add 192.0.2.1/24 dev v0
        ip link set v0 up
        ip link set v1 up
        echo 100 >/proc/sys/net/ipv4/neigh/v0/retrans_time_ms
        status=0
        sockcat 192.0.2.2 80 </dev/null 2>"$T/client.err" || status=$?
        assert_equal "$status" 7
        assert_one_error "$T/client.err" 'connect 192\.0\.2\.2:80: No route to host'
    }
    in_netns dead_neighbour
}

@test "F13: a connection that is already reset when its end is to be sent: the cause is reported" {
    start_peer recv:1 touch:"$T/begun" waitfor:"$T/stopped" reset touch:"$T/reset"
    mkfifo "$T/in"
    exec 8<>"$T/in"
    START_IN=$T/in start "$SOCKCAT" 127.0.0.1 "$peer_port" 8>&-
    printf x >&8
    await_file "$T/begun"
    # Stopped, so that the reset and the end of standard input are found in one look: OUT comes
    # first, and shuts a socket down that is not connected any more.
    kill -STOP "$pid"
    touch "$T/stopped"
    await_file "$T/reset"
    exec 8>&-
    kill -CONT "$pid"
    finish "$pid"
    [[ $result =~ ^5[56]$ ]] || fail "status $result"
    assert_one_error "$T/background.err" 'Connection reset by peer'
}

@test "F13: a shutdown of a connection that the peer has ended is no failure" {
    need_shim
    start_peer recv:6 send:bye close
    with_shim shutdown:ENOTCONN:1 sockcat 127.0.0.1 "$peer_port" <<<hello >"$T/got"
    assert_equal "$(cat "$T/got")" bye
}

@test "F13: any other failure of shutdown is reported" {
    need_shim
    start_peer recvall!
    status=0
    with_shim shutdown:ENOBUFS:1 sockcat 127.0.0.1 "$peer_port" <<<hello 2>"$T/client.err" || status=$?
    assert_equal "$status" 55
    assert_one_error "$T/client.err" 'send to 127\.0\.0\.1:[0-9]+: No buffer space'
}

@test "F14: a file whose last bytes could not be stored, as only close tells, is a failure" {
    need_shim
    local error
    for error in EIO EDQUOT ENOSPC; do
        start_peer send:hello close
        status=0
        with_shim "close:$error:*:file" sockcat 127.0.0.1 "$peer_port" </dev/null >"$T/got" \
            2>"$T/client.err" || status=$?
        assert_equal "$error $status" "$error 23"
        assert_one_error "$T/client.err" 'standard output: '
    done
}

@test "F14: so it is for a listener, and the client does not take it for a good end" {
    need_shim
    with_shim "close:EIO:*:file" start_listener 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" sendrand:1:1000 shutwr recvall!
    finish "$listener"
    assert_equal "$result" 23
    assert_line 'write standard output: Input/output error' "$T/listener.err"
}

@test "F14: a close that is interrupted is not a failure" {
    need_shim
    start_peer send:hello close
    with_shim "close:EINTR:*" sockcat 127.0.0.1 "$peer_port" </dev/null >"$T/got"
    assert_equal "$(cat "$T/got")" hello
}

# ---- A16: every kind of descriptor ----

# peer_got FILE: the peer, that was to receive all and say its digest, has got these bytes.
peer_got() {
    finish "$peer"
    assert_equal "$result" 0 || return
    assert_equal "$(tail -n 1 "$T/peer.out")" "$(digest "$1")"
}

@test "F16: standard input is a file, read from where the shell has come to" {
    random_file 500000 >/dev/null
    tail -c +1001 "$T/random.500000.1" >"$T/rest"
    start_peer recvall sha256
    { head -c 1000 >/dev/null && sockcat 127.0.0.1 "$peer_port"; } <"$T/random.500000.1"
    peer_got "$T/rest"
}

@test "F16: standard input is a file that is open for writing, too" {
    cp "$(random_file 500000)" "$T/sent"
    start_peer recvall sha256
    sockcat 127.0.0.1 "$peer_port" <>"$T/sent"
    peer_got "$T/random.500000.1"
    assert_same "$T/sent" "$T/random.500000.1"
}

@test "F16: standard input is a pipe" {
    random_file 500000 >/dev/null
    start_peer recvall sha256
    cat "$T/random.500000.1" | sockcat 127.0.0.1 "$peer_port"
    peer_got "$T/random.500000.1"
}

@test "F16: standard input is a socket, and standard output the same one" {
    random_file 500000 >/dev/null
    start_peer both:9:400000 sha256
    # As from an internet superserver. (socat's EXEC would end it with SIGTERM when both sides have
    # ended, be it done or not.)
    drive syscalls superserver "$T/random.500000.1" "$SOCKCAT" 127.0.0.1 "$peer_port" >"$T/got"
    peer_got "$T/random.500000.1"
    assert_same "$T/got" "$(random_file 400000 9)"
}

@test "F16: standard input is a TCP connection" {
    random_file 500000 >/dev/null
    start_peer sendfile:"$T/random.500000.1" close
    exec 8<>"/dev/tcp/127.0.0.1/$peer_port"
    start_peer recvall sha256
    sockcat 127.0.0.1 "$peer_port" <&8
    peer_got "$T/random.500000.1"
}

@test "F16: standard output is a socket" {
    need socat
    start_peer sendrand:4:500000 close
    timeout $((30 * LAST_RESORT)) socat -u "UNIX-LISTEN:$T/s" "CREATE:$T/got" 3>&- &
    started+=("$!")
    local sink=$!
    await_file "$T/s"
    timeout $((30 * LAST_RESORT)) python3 -c '
import socket, subprocess, sys
out = socket.socket(socket.AF_UNIX)
out.connect(sys.argv[1])
sys.exit(subprocess.call(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=out))' \
        "$T/s" "$SOCKCAT" 127.0.0.1 "$peer_port"
    finish "$sink"
    assert_same "$T/got" "$(random_file 500000 4)"
}

@test "F16: standard input is a terminal, which ends with ctrl-D" {
    start_peer recvall sha256
    printf 'line %d\n' {1..200} >"$T/typed"
    pty --fds 0 typefile:"$T/typed" 'type:\x04' -- "$SOCKCAT" 127.0.0.1 "$peer_port" >"$T/out"
    peer_got "$T/typed"
}

@test "F16: standard input is a file of /proc, whose reported size is 0" {
    start_peer recvall sha256
    sockcat 127.0.0.1 "$peer_port" </proc/version
    cat /proc/version >"$T/version"
    peer_got "$T/version"
}

@test "F16: standard input is endless: the peer takes as much as it wants" {
    head -c 3000000 /dev/zero >"$T/zeros"
    start_peer recv:3000000 sha256 reset
    status=0
    sockcat 127.0.0.1 "$peer_port" </dev/zero 2>"$T/client.err" || status=$?
    [[ $status =~ ^5[56]$ ]] || fail "status $status"
    assert_one_error "$T/client.err" 'Connection reset|Broken pipe'
    peer_got "$T/zeros"
}

@test "F16: standard input is a directory" {
    start_peer recvall!
    status=0
    sockcat 127.0.0.1 "$peer_port" </ 2>"$T/client.err" || status=$?
    assert_equal "$status" 26
    assert_one_error "$T/client.err" 'standard input: Is a directory'
    finish "$peer"
    assert_line '^reset$' "$T/peer.out" # not an end that looks clean
}

@test "F16: standard output is a file, also one that is appended to" {
    start_peer sendrand:4:500000 close
    sockcat 127.0.0.1 "$peer_port" </dev/null >"$T/got"
    assert_same "$T/got" "$(random_file 500000 4)"
    start_peer sendrand:5:300000 close
    sockcat 127.0.0.1 "$peer_port" </dev/null >>"$T/got"
    cat "$(random_file 500000 4)" "$(random_file 300000 5)" >"$T/both"
    assert_same "$T/got" "$T/both"
}

@test "F16: standard output is a pipe" {
    start_peer sendrand:4:500000 close
    sockcat 127.0.0.1 "$peer_port" </dev/null | cat >"$T/got"
    assert_same "$T/got" "$(random_file 500000 4)"
}

@test "F16: standard output is a terminal, with --raw" {
    start_peer sendrand:4:500000 close
    pty --raw --fds 1 -- "$SOCKCAT" --raw 127.0.0.1 "$peer_port" >"$T/modes" </dev/null
    assert_same "$T/tty.out" "$(random_file 500000 4)"
}

@test "F16: standard output is a device" {
    start_peer sendrand:4:500000 shutwr recvall count
    sockcat 127.0.0.1 "$peer_port" </dev/null >/dev/null 2>"$T/client.err"
    assert_equal "$(cat "$T/client.err")" ""
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" 0
}

@test "F16: standard output is a directory, or open for reading only" {
    local to
    echo >"$T/file"
    for to in / "$T/file"; do
        start_peer send:hello recvall!
        status=0
        sockcat 127.0.0.1 "$peer_port" </dev/null 1<"$to" 2>"$T/client.err" || status=$?
        assert_equal "$to $status" "$to 23"
        assert_one_error "$T/client.err" 'standard output: '
    done
}

@test "F16: ways to copy that the kernel does not offer are not missed" {
    need_shim
    back=1000000
    cp "$(random_file 1000001)" "$T/sent"
    exchange "splice:EINVAL:*,sendmmsg:ENOSYS:*,recvmmsg:ENOSYS:*"
}
