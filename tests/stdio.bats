#!/usr/bin/env bats
# stdio.bats - standard input, output and error in every state that a shell can hand over: full,
# closed, broken, unreadable, blocked, endless, huge.  Rows B17 to B28 of the fault catalogue;
# jobs and terminals (B25) have a file of their own.

# shellcheck disable=SC2154,SC2034 # the helpers set port, peer_port, pid, result; they read LISTENER_IN
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own, as it should be
# shellcheck disable=SC2094 # a FIFO's two ends
load lib/helper

# with_broken_pipe FD COMMAND...: runs it with FD being a pipe whose reader is gone, and with the
# default action of SIGPIPE.
with_broken_pipe() {
    local fd=$1
    shift
    python3 -c '
import os, signal, sys
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
reader, writer = os.pipe()
os.dup2(writer, int(sys.argv[1]))
os.close(reader)
os.execvp(sys.argv[2], sys.argv[2:])' "$fd" "$@"
}

# ---- B17: standard output is full ----

@test "F17: a full disk is 23 with one line, and the peer sees a reset" {
    feed "@$T/never"
    start_peer send:hello 'recvall!'
    client 127.0.0.1 "$peer_port" <"$T/in" >/dev/full
    assert_status 23
    assert_one_error "$T/client.err" 'write standard output: No space left on device'
    assert_peer_done
    assert_line '^reset$' "$T/peer.out"
}

@test "F17: a limit of the file size is 23, not a signal, and the peer is not read on" {
    start_peer 'sendrand!:1:300000000' 'recvall!'
    status=0
    # shellcheck disable=SC2016 # for the inner shell
    timeout -s KILL $((30 * LAST_RESORT)) bash -c 'ulimit -f 64; exec "$SOCKCAT" -d 127.0.0.1 "$1"' _ \
        "$peer_port" >"$T/out" 2>"$T/client.err" || status=$?
    assert_status 23
    assert_one_error "$T/client.err" 'write standard output: File too large'
    assert_peer_done
    assert_line '^reset$' "$T/peer.out"
    # What is there is what was sent, up to the limit.
    assert_equal "$(stat -c %s "$T/out")" 65536
    assert_prefix "$T/out" 1
}

@test "F17: a full file system keeps what fitted, and is 23" {
    local mounts
    need unshare mount
    for mounts in "unshare -m" "unshare -rm" ""; do
        # shellcheck disable=SC2086 # several words
        [ -z "$mounts" ] || ! $mounts mount -t tmpfs none "$T" 2>/dev/null || break
    done
    [ -n "$mounts" ] || skip "needs a mount namespace of its own"
    start_peer 'sendrand!:1:300000000' 'recvall!'
    # shellcheck disable=SC2016,SC2086 # for the inner shell; several words
    timeout -s KILL $((30 * LAST_RESORT)) $mounts bash -c '
        mkdir "$T/small"
        mount -t tmpfs -o size=64k none "$T/small"
        status=0
        "$SOCKCAT" -d 127.0.0.1 "$1" >"$T/small/out" 2>"$T/client.err" || status=$?
        cp "$T/small/out" "$T/out"
        echo "$status" >"$T/status"' _ "$peer_port"
    assert_equal "$(cat "$T/status")" 23
    assert_one_error "$T/client.err" 'write standard output: No space left on device'
    assert_peer_done
    assert_line '^reset$' "$T/peer.out"
    assert_equal "$(stat -c %s "$T/out")" 65536
    assert_prefix "$T/out" 1
}

@test "F17: an exhausted quota after some writes is 23, and nothing is written twice" {
    need_shim
    start_peer 'sendrand!:1:300000000' 'recvall!'
    with_shim writev:EDQUOT:5+:file client -d 127.0.0.1 "$peer_port" >"$T/out"
    assert_status 23
    assert_one_error "$T/client.err" 'write standard output: Disk quota exceeded'
    assert_peer_done
    assert_line '^reset$' "$T/peer.out"
    assert_prefix "$T/out" 1
}

@test "F17: a listener whose disk is full ends with 23, whichever side sends" {
    need nc.openbsd
    printf 'some data\n' >"$T/data"
    LISTENER_IN=$T/in
    feed "@$T/never"
    LISTENER_OUT=/dev/full start_listener 127.0.0.1 0
    timeout $((20 * LAST_RESORT)) nc.openbsd 127.0.0.1 "$port" <"$T/data" >/dev/null 2>&1 || :
    assert_listener_ends 23 'write standard output: No space left on device'
}

# ---- B18: the reader of standard output is gone ----

@test "F18: a reader that has enough is 23 without a message" {
    start_peer 'sendrand!:1:300000000' 'recvall!'
    # shellcheck disable=SC2016 # for the inner shell
    run env --default-signal=PIPE timeout -s KILL $((30 * LAST_RESORT)) bash -c '
        "$SOCKCAT" -d 127.0.0.1 "$1" 2>"$T/client.err" | head -c 10 >"$T/out"
        echo "${PIPESTATUS[*]}"' _ "$peer_port"
    assert_equal "$output" "23 0"
    assert_equal "$(cat "$T/client.err")" ""
    assert_equal "$(stat -c %s "$T/out")" 10
    assert_prefix "$T/out" 1
    assert_peer_done
    assert_line '^reset$' "$T/peer.out"
}

@test "F18: a reader that closes is noticed while nothing moves" {
    feed "@$T/never"
    start_peer send:hello 'recvall!' count
    # shellcheck disable=SC2016 # for the inner shell
    run timeout -s KILL $((30 * LAST_RESORT)) bash -c '
        "$SOCKCAT" 127.0.0.1 "$1" <"$T/in" 2>"$T/client.err" | head -c 5 >"$T/out"
        echo "${PIPESTATUS[*]}"' _ "$peer_port"
    assert_equal "$output" "23 0"
    assert_equal "$(cat "$T/client.err")" ""
    assert_equal "$(cat "$T/out")" hello
    assert_peer_done
    assert_equal "$(tail -n 2 "$T/peer.out")" $'reset\n0'
}

@test "F18: -v reports that the reader has closed standard output" {
    start_peer 'sendrand!:1:300000000' 'recvall!'
    # shellcheck disable=SC2016 # for the inner shell
    run timeout -s KILL $((30 * LAST_RESORT)) bash -c '
        "$SOCKCAT" -vd 127.0.0.1 "$1" 2>"$T/client.err" | head -c 10 >"$T/out"
        echo "${PIPESTATUS[*]}"' _ "$peer_port"
    assert_equal "$output" "23 0"
    assert_equal "$(grep -c '^sockcat: standard output was closed by its reader$' "$T/client.err")" 1
}

@test "F18: a pipe that never had a reader is noticed on an idle line" {
    feed "@$T/never"
    start_peer 'recvall!'
    status=0
    with_broken_pipe 1 timeout -s KILL $((30 * LAST_RESORT)) "$SOCKCAT" 127.0.0.1 "$peer_port" <"$T/in" \
        2>"$T/client.err" || status=$?
    assert_status 23
    assert_equal "$(cat "$T/client.err")" ""
    assert_peer_done
    assert_line '^reset$' "$T/peer.out"
}

@test "F18: a socket as standard output whose other end is gone is 23" {
    feed "@$T/never"
    start_peer send:hello 'recvall!'
    status=0
    timeout -s KILL $((30 * LAST_RESORT)) python3 -c '
import signal, socket, subprocess, sys
ours, theirs = socket.socketpair()
child = subprocess.Popen(sys.argv[1:], stdout=theirs)
theirs.close()
data = b""
while len(data) < 5:
    data += ours.recv(5)
ours.close()
sys.exit(child.wait() if data == b"hello" else 99)' "$SOCKCAT" 127.0.0.1 "$peer_port" \
        <"$T/in" 2>"$T/client.err" || status=$?
    assert_status 23
    assert_equal "$(cat "$T/client.err")" ""
    assert_peer_done
    assert_line '^reset$' "$T/peer.out"
}

@test "F18: a listener whose reader has enough ends, and so does an endless sender" {
    need socat
    mkfifo "$T/out"
    head -c 10 "$T/out" >"$T/head" 3>&- &
    started+=("$!")
    LISTENER_IN=$T/in
    feed "@$T/never"
    LISTENER_OUT=$T/out start_listener 127.0.0.1 0
    # socat would report its own broken pipe; only that it ends is of interest.
    yes | timeout -s KILL $((30 * LAST_RESORT)) socat -u - "TCP:127.0.0.1:$port" 2>/dev/null 3>&- || status=$?
    [ "${status:-0}" -ne 137 ]
    assert_listener_ends 23
    assert_equal "$(cat "$T/head")" $'y\ny\ny\ny\ny'
}

@test "F18: what is only dropped needs no reader" {
    start_peer send:ignored recvall count
    printf data >"$T/data"
    status=0
    with_broken_pipe 1 timeout -s KILL $((30 * LAST_RESORT)) "$SOCKCAT" --send-only 127.0.0.1 "$peer_port" \
        <"$T/data" 2>"$T/client.err" || status=$?
    assert_status 0
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" 4
}

# ---- B19: SIGPIPE ----

@test "F19: a broken connection is an error, not a death by SIGPIPE" {
    start_peer recv:1000 reset
    status=0
    yes 2>/dev/null | env --default-signal=PIPE timeout -s KILL $((30 * LAST_RESORT)) "$SOCKCAT" 127.0.0.1 \
        "$peer_port" >"$T/out" 2>"$T/client.err" || status=$?
    [ "$status" -eq 55 ] || assert_status 56
    assert_one_error "$T/client.err" '(send to|receive from) 127\.0\.0\.1:'
    assert_peer_done
}

@test "F19: messages into a broken pipe neither kill nor fail a session" {
    start_peer send:hello recvall count
    printf data >"$T/data"
    status=0
    with_broken_pipe 2 timeout -s KILL $((30 * LAST_RESORT)) "$SOCKCAT" -v -v 127.0.0.1 "$peer_port" \
        <"$T/data" >"$T/out" || status=$?
    assert_status 0
    assert_equal "$(cat "$T/out")" hello
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" 4
}

@test "F19: a program that is run gets SIGPIPE's default action back" {
    start_listener 127.0.0.1 0 -- grep SigIgn /proc/self/status
    client -d 127.0.0.1 "$port" >"$T/out"
    assert_equal "$status" 0
    read -r _ mask <"$T/out"
    assert_equal "$((0x$mask & 0x1000))" 0
}

# ---- B20: descriptors 0, 1, 2 closed at the start ----

# closed_streams MASK: sets $redirections, such that they close 0, 1, 2 by the bits of MASK, and
# the $wanted exit status, and the $steps of a peer that must not see anything but "hello".
closed_streams() {
    redirections='' wanted=0
    steps=(expect:hello send:answer 'recvall!' count)
    if [ $(($1 & 1)) -ne 0 ]; then
        redirections+=' 0<&-'
        steps=('recvall!' count 'send!:answer' close) # no input: the end comes at once
    fi
    [ $(($1 & 2)) -eq 0 ] || redirections+=' 1>&-' wanted=23
    [ $(($1 & 4)) -eq 0 ] || redirections+=' 2>&-'
}

# check_closed_streams MASK STATUS OUT ERR: what came of it.
check_closed_streams() {
    local mask=$1
    assert_equal "mask $mask: $2" "mask $mask: $wanted"
    assert_peer_done || fail "mask $mask"
    # The last number is the count of bytes that the peer got.
    assert_equal "mask $mask: $(grep -E '^[0-9]+$' "$T/peer.out" | tail -n 1)" \
        "mask $mask: $((mask & 1 ? 0 : 5))"
    if [ $((mask & 2)) -eq 0 ]; then
        assert_equal "mask $mask: $(cat "$3")" "mask $mask: answer"
    fi
    if [ $((mask & 6)) -eq 2 ]; then
        assert_one_error "$4" 'write standard output: Bad file descriptor'
    else
        assert_equal "mask $mask: $(cat "$4")" "mask $mask: "
    fi
}

@test "F20: with any of 0, 1, 2 closed a client never mixes up its descriptors" {
    local mask
    printf hello >"$T/data"
    for mask in 0 1 2 3 4 5 6 7; do
        closed_streams "$mask"
        start_peer "${steps[@]}"
        status=0
        timeout -s KILL $((30 * LAST_RESORT)) bash -c "exec \"\$SOCKCAT\" 127.0.0.1 $peer_port $redirections" \
            <"$T/data" >"$T/out.$mask" 2>"$T/client$mask.err" || status=$?
        check_closed_streams "$mask" "$status" "$T/out.$mask" "$T/client$mask.err"
    done
}

@test "F20: with any of 0, 1, 2 closed a listener never mixes up its descriptors" {
    local mask program=$SOCKCAT
    printf hello >"$T/data"
    for mask in 0 1 2 3 4 5 6 7; do
        closed_streams "$mask"
        printf '#!/bin/sh\nexec "%s" "$@" %s\n' "$program" "$redirections" >"$T/closer"
        chmod +x "$T/closer"
        LISTENER_IN=$T/data LISTENER_OUT=$T/out.$mask LISTENER_ERR=$T/listener$mask.err \
            SOCKCAT=$T/closer start_listener 127.0.0.1 0
        start_peer --connect "tcp:127.0.0.1:$port" "${steps[@]}"
        finish "$listener"
        [ $((mask & 4)) -ne 0 ] || sed -i '/^sockcat: listening on /d' "$T/listener$mask.err"
        check_closed_streams "$mask" "$result" "$T/out.$mask" "$T/listener$mask.err"
    done
}

@test "F20: closed descriptors are /dev/null while the session runs" {
    start_peer touch:"$T/here" 'waitfor:'"$T/seen" close
    # shellcheck disable=SC2016 # for the inner shell
    start bash -c 'exec "$SOCKCAT" -d 127.0.0.1 "$1" <&- >&- 2>&-' _ "$peer_port"
    await_file "$T/here"
    local fd
    for fd in 0 1 2; do
        assert_equal "$fd $(readlink "/proc/$pid/fd/$fd")" "$fd /dev/null"
    done
    touch "$T/seen"
    finish "$pid"
    assert_equal "$result" 0
}

@test "F20: a closed standard input that is all the session is about is 26" {
    start_peer 'recvall!' count
    client --send-only 127.0.0.1 "$peer_port" <&- >"$T/out"
    assert_status 26
    assert_one_error "$T/client.err" 'read standard input: Bad file descriptor'
}

@test "F20: a closed stream that is not needed is no failure" {
    start_peer send:answer recvall close
    client --send-only 127.0.0.1 "$peer_port" </dev/null >&-
    assert_status 0
    assert_peer_done
    start_peer send:answer close
    client --recv-only 127.0.0.1 "$peer_port" <&- >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" answer
    assert_peer_done
}

# ---- B21: kinds of standard input ----

# ends_at_once: after a client with an input that is at its end.
ends_at_once() {
    assert_status 0
    assert_equal "$(cat "$T/client.err")" ""
    assert_equal "$(cat "$T/out")" answer
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" 0
}

@test "F21: /dev/null is the end at once, and the answer is awaited" {
    start_peer recvall send:answer count
    client 127.0.0.1 "$peer_port" </dev/null >"$T/out"
    ends_at_once
}

@test "F21: an empty file is the end at once, and the answer is awaited" {
    : >"$T/empty"
    start_peer recvall send:answer count
    client 127.0.0.1 "$peer_port" <"$T/empty" >"$T/out"
    ends_at_once
}

@test "F21: a pipe without a writer is the end at once, and the answer is awaited" {
    mkfifo "$T/pipe"
    exec 8<>"$T/pipe" 7<"$T/pipe" 8>&-
    start_peer recvall send:answer count
    client 127.0.0.1 "$peer_port" <&7 >"$T/out"
    exec 7<&-
    ends_at_once
}

@test "F21: a FIFO whose writer is gone gives its data and then its end" {
    mkfifo "$T/pipe"
    exec 8<>"$T/pipe" 7<"$T/pipe"
    printf data >&8
    exec 8>&-
    start_peer expect:data recvall send:answer count
    client 127.0.0.1 "$peer_port" <&7 >"$T/out"
    exec 7<&-
    assert_status 0
    assert_equal "$(cat "$T/out")" answer
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" 4
}

# input_fails CAUSE: after a client whose input failed.
input_fails() {
    assert_status 26
    assert_one_error "$T/client.err" "read standard input: $1"
    assert_peer_done
    assert_equal "$(tail -n 2 "$T/peer.out")" $'reset\n0'
}

@test "F21: a directory is 26, and no end that looks clean" {
    start_peer 'recvall!' count
    client 127.0.0.1 "$peer_port" <"$T" >"$T/out"
    input_fails 'Is a directory'
}

# ---- descriptors 0, 1, 2 in the wrong direction ----

# descriptor_table FD MODE
descriptor_table() { drive descriptors "$@"; }

@test "T7: input that cannot be read is empty, and a directory is 26: connect" {
    descriptor_table 0 connect
}
@test "T7: input that cannot be read is empty, and a directory is 26: listen" {
    descriptor_table 0 listen
}
@test "T7: input that cannot be read is empty, and a directory is 26: listen with -k" {
    descriptor_table 0 many
}
@test "T7: output that cannot be written is 23 at the first byte: connect" {
    descriptor_table 1 connect
}
@test "T7: output that cannot be written is 23 at the first byte: listen" {
    descriptor_table 1 listen
}
@test "T7: output that cannot be written is 23 at the first byte: listen with -k" {
    descriptor_table 1 many
}
@test "T7: output that cannot be written does not matter while nothing is received" {
    descriptor_table 1 silent
}
@test "T7: messages that cannot be written do not matter" {
    descriptor_table 2 connect
    descriptor_table 2 listen
    descriptor_table 2 many
}
@test "T7: with -e only the program's own descriptors matter" {
    local fd
    for fd in 0 1 2; do
        descriptor_table "$fd" program
        descriptor_table "$fd" programs
    done
}

@test "T7: where there is no /dev/null a closed descriptor ends the run before a socket can get its number" {
    need_shim
    start_peer expect:hello recvall
    local end wanted
    for end in 0:26 1:23; do
        for words in "127.0.0.1 $peer_port" "-l 127.0.0.1 0" "-lk 127.0.0.1 0" "-V"; do
            # shellcheck disable=SC2016,SC2086 # for the inner shell; several words
            with_shim 'open:ENOENT:*' assert_fails "${end#*:}" 'open /dev/null: No such file or directory' \
                timeout -s KILL $((20 * LAST_RESORT)) bash -c 'exec "$SOCKCAT" "${@:2}" '"${end%:*}"'>&-' _ "" $words </dev/null
        done
    done
    status=0
    # shellcheck disable=SC2016 # for the inner shell
    with_shim 'open:ENOENT:*' timeout -s KILL $((20 * LAST_RESORT)) bash -c 'exec "$SOCKCAT" 127.0.0.1 "$1" 2>&-' _ "$peer_port" \
        </dev/null || status=$?
    assert_status 23
    # What is open needs none.
    printf hello >"$T/data"
    with_shim 'open:ENOENT:*' sockcat 127.0.0.1 "$peer_port" <"$T/data"
}

@test "T7: under nohup at a terminal a listener serves its client" {
    need nohup
    drive stdio nohup
}

@test "T7: input open for writing only is 26 where the session is nothing but its input" {
    start_peer 'recvall!' count
    client --send-only 127.0.0.1 "$peer_port" 0>"$T/file" >"$T/out"
    assert_status 26
    assert_one_error "$T/client.err" 'read standard input: Bad file descriptor'
}

@test "T7: a probe reports although standard error cannot be written" {
    mkfifo "$T/pipe"
    exec 8<>"$T/pipe" 7<"$T/pipe"
    start_peer accept close
    status=0
    sockcat -zv 127.0.0.1 "$peer_port" 2<&7 || status=$?
    exec 7<&- 8>&-
    assert_status 0
}

@test "F21: a listener with a directory as input is 26" {
    LISTENER_IN=$T start_listener 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" 'recvall!' count
    assert_listener_ends 26 'read standard input: Is a directory'
    assert_peer_done
    assert_equal "$(cat "$T/peer.out")" $'reset\n0'
}

# ---- B22: standard input fails mid-way ----

@test "F22: a read error in a file is 26, and the peer sees a reset" {
    need_shim
    local data
    data=$(random_file 1000000 1)
    start_peer 'recvall!'
    with_shim readv:EIO:3:file client 127.0.0.1 "$peer_port" <"$data" >"$T/out"
    assert_status 26
    assert_one_error "$T/client.err" 'read standard input: Input/output error'
    assert_peer_done
    assert_line '^reset$' "$T/peer.out"
}

@test "F22: a read error in a pipe is 26 even if nothing is in flight" {
    need_shim
    feed start "@$T/seen" more
    start_peer expect:start touch:"$T/seen" 'recvall!'
    with_shim readv:EIO:2:pipe client 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_status 26
    assert_one_error "$T/client.err" 'read standard input: Input/output error'
    assert_peer_done
    assert_line '^reset$' "$T/peer.out"
}

@test "F22: an input that the kernel cannot read is 26" {
    [ -r /proc/self/mem ] || skip "needs /proc/self/mem"
    start_peer 'recvall!' count
    status=0
    # Address 0 of the shell's own memory: mapped nowhere. The shell has to live on.
    # shellcheck disable=SC2016 # for the inner shell
    timeout -s KILL $((30 * LAST_RESORT)) bash -c 'exec 0</proc/self/mem; "$SOCKCAT" 127.0.0.1 "$1"; exit $?' _ \
        "$peer_port" >"$T/out" 2>"$T/client.err" || status=$?
    input_fails 'Input/output error'
}

@test "F22: a receiver does not take a sender's read error for the end" {
    need_shim
    local data
    data=$(random_file 200000 1)
    LISTENER_IN=$T/in
    feed "@$T/never"
    start_listener 127.0.0.1 0
    with_shim readv:EIO:2:file client 127.0.0.1 "$port" <"$data" >"$T/out"
    assert_status 26
    assert_listener_ends 56 'receive from 127\.0\.0\.1:.*reset'
}

@test "F22: a listener's read error is 26, and the client sees a reset" {
    need_shim
    LISTENER_IN=$(random_file 1000000 1)
    with_shim readv:EIO:3:file start_listener 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" 'recvall!'
    assert_listener_ends 26 'read standard input: Input/output error'
    assert_peer_done
    assert_line '^reset$' "$T/peer.out"
}

# ---- B23: standard input never ends, and the peer closes ----

@test "F23: on a terminal the peer's end finishes the session without a key" {
    start_peer send:bye close
    run drive stdio on_terminal "$SOCKCAT" 127.0.0.1 "$peer_port"
    assert_equal "$output" "bye 0"
    assert_peer_done
}

@test "F23: on a pipe OUT goes on after the peer's end" {
    feed one "@$T/eof" two
    mkfifo "$T/out"
    # The end of our output proves that the peer's end was seen before "two" is given.
    (cat "$T/out" >"$T/received" && touch "$T/eof") 3>&- &
    started+=("$!")
    start_peer expect:one send:bye shutwr expect:two recvall count
    "$SOCKCAT" 127.0.0.1 "$peer_port" <"$T/in" >"$T/out" 2>"$T/client.err" 3>&- &
    started+=("$!")
    finish "$!"
    assert_equal "$result" 0
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" 6
    assert_equal "$(cat "$T/received")" bye
}

@test "F23: --until=peer finishes at once although a pipe is open" {
    feed "@$T/never"
    start_peer send:bye shutwr recvall count
    client --until=peer 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" bye
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" 0
}

# keepalive_timer PORT: a connection to PORT has its keep-alive timer running.
keepalive_timer() { ss -Htno state established state close-wait | grep -q ":$1 .*timer:(keepalive"; }

@test "F23: from the peer's end on keep-alive probes are sent on an idle pipe" {
    need ss
    feed "@$T/never"
    start_peer send:bye touch:"$T/sent" "waitfor:$T/end" shutwr "waitfor:$T/close" close
    START_IN=$T/in start "$SOCKCAT" 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/background.out" 3
    ! keepalive_timer "$peer_port" || fail "probes before the peer's end"
    touch "$T/end"
    until_true 20 keepalive_timer "$peer_port"
    ! is_gone "$pid" || fail "it should wait for its input"
    touch "$T/close"
}

# vanished_peer STATUS INPUT [STEP]: a peer that takes STEP behind its data and is then cut off, while
# standard input is INPUT.
vanished_peer() {
    start_peer send:bye ${3:+"$3"} "waitfor:$T/never" # holds the connection
    START_IN=$2 start "$SOCKCAT" 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/background.out" 3
    ss -Htno | grep -q . # the connection is there
    nft add table ip cut
    nft 'add chain ip cut in { type filter hook input priority 0; }'
    nft add rule ip cut in tcp sport "$peer_port" drop
    # The two minutes of the default are too long for a test: the same probes, faster, once they are on.
    drive stdio probe_faster "$pid"
    finish "$pid"
    assert_equal "$result $(cat "$T/background.out")" "$1 bye"
}

@test "F23: a peer that vanishes before its end is noticed by the probes" {
    need_netns
    need nft ss python3
    need_root # to reach into the other process's socket
    in_netns vanished_peer 56 /dev/null
    assert_one_error "$T/background.err" 'receive from 127\.0\.0\.1:[0-9]+: .*timed out'
}

@test "F23: a peer that vanishes behind its end has lost nothing" {
    need_netns
    need nft ss python3
    need_root
    mkfifo "$T/hold"
    exec 8<>"$T/hold"
    in_netns vanished_peer 0 "$T/hold" shutwr
}

# ---- B24: the answer comes after our end ----

# late_answer DELAY
late_answer() {
    local data
    data=$(random_file 100000 1)
    start_peer recvall "wait:$1" sendrand:2:100000 wait:0.2 send:more close sha256
    client 127.0.0.1 "$peer_port" <"$data" >"$T/out"
    assert_status 0
    { cat "$(random_file 100000 2)"; printf more; } >"$T/wanted"
    assert_same "$T/out" "$T/wanted"
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" "$(sha256sum <"$data" | cut -d ' ' -f 1)"
}

@test "F24: an answer 0.3 s after our end arrives" { late_answer 0.3; }

@test "F24: an answer 1.2 s after our end arrives" { late_answer 1.2; }

@test "F24: an answer 5 s after our end arrives" { late_answer 5; }

@test "F24: a listener waits for its client's late data, too" {
    LISTENER_IN=$(random_file 1000 1) start_listener 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" recvall wait:1 send:late close
    finish "$listener"
    assert_equal "$result" 0
    assert_equal "$(cat "$T/listener.out")" late
}

# ---- B26: kinds of standard output ----

@test "F26: an output file that exists, or is a link to one, is refused and stays as it is" {
    printf precious >"$T/target"
    ln -s target "$T/link"
    for file in target link; do
        client --output "$T/$file" -d 127.0.0.1 9 >"$T/out"
        assert_status 23
        assert_one_error "$T/client.err" "open .*/$file: the file exists \\(.*"
    done
    assert_equal "$(cat "$T/target")" precious
}

@test "F26: a FIFO without a reader as an output file is refused at once" {
    mkfifo "$T/fifo"
    client --output "$T/fifo" -d 127.0.0.1 9 >"$T/out"
    assert_status 23
    assert_one_error "$T/client.err" 'open .*/fifo: '
}

@test "F26: what is in a file that is appended to stays" {
    start_peer send:new close
    printf old >"$T/out"
    client -d 127.0.0.1 "$peer_port" >>"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" oldnew
}

@test "F26: an output file that others write to is shared, not written over" {
    start_peer send:body close
    {
        printf 'head,'
        client -d 127.0.0.1 "$peer_port"
        printf ,tail
    } >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" head,body,tail
}

@test "F26: a FIFO as output whose reader is gone ends quietly and does not hang" {
    mkfifo "$T/out"
    exec 8<>"$T/out" 7>"$T/out" 8>&-
    feed "@$T/never"
    start_peer send:data 'recvall!'
    client 127.0.0.1 "$peer_port" <"$T/in" >&7
    exec 7>&-
    assert_status 23
    assert_equal "$(cat "$T/client.err")" ""
}

# ---- B27: standard error is blocked ----

# full_pipe: makes the FIFO $T/full, without room for a byte; descriptor 7 keeps its reader.
full_pipe() {
    mkfifo "$T/full"
    exec 7<>"$T/full"
    drive stdio fill_pipe "$T/full"
}

@test "F27: blocked messages never stop the data" {
    local data
    data=$(random_file 20000000 1)
    full_pipe
    start_peer both:2:20000000 sha256
    status=0
    sockcat -v -v 127.0.0.1 "$peer_port" <"$data" >"$T/out" 2>"$T/full" || status=$?
    exec 7<&-
    assert_status 0
    assert_same "$T/out" "$(random_file 20000000 2)"
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" "$(sha256sum <"$data" | cut -d ' ' -f 1)"
}

@test "F27: a message that finds no room does not hold up the end" {
    full_pipe
    status=0
    # There is no listener at port 1 of this address.
    sockcat -v 127.0.0.1 1 </dev/null >"$T/out" 2>"$T/full" || status=$?
    exec 7<&-
    assert_status 7
}

@test "F27: lines that were dropped are counted in the next one" {
    full_pipe
    feed "@$T/end"
    LISTENER_IN=$T/in LISTENER_ERR=$T/full start_listener -v 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" send:hello recvall close
    until_true 20 is_larger "$T/listener.out" 5 # "connection from" had no room
    # Make room for the next one.
    timeout $((20 * LAST_RESORT)) head -c 60000 <&7 >"$T/drained"
    touch "$T/end"
    finish "$listener"
    assert_equal "$result" 0
    exec 6<&7 7<&-
    python3 -c '
import os
os.set_blocking(6, False)
data = b""
try:
    while piece := os.read(6, 65536):
        data += piece
except BlockingIOError:
    pass
print(data.decode().lstrip("x"), end="")' >"$T/messages" 6<&6
    exec 6<&-
    assert_line '^sockcat: \([1-9][0-9]* lines dropped\) ' "$T/messages"
}

# ---- B28: huge, sparse and growing files ----

@test "F28: 5 GiB go through, and are counted exactly on both sides" {
    [ "$PATIENCE" -eq 1 ] || skip "takes too long with sanitizers; the counters are the same"
    local size=5368709120
    truncate -s 5G "$T/huge"
    LISTENER_OUT=/dev/null start_listener -v 127.0.0.1 0
    LIMIT=120 client -v 127.0.0.1 "$port" <"$T/huge" >"$T/out"
    assert_status 0
    FINISH_LIMIT=120 finish "$listener"
    assert_equal "$result" 0
    assert_line "closed .*: $size bytes sent, 0 bytes received" "$T/client.err"
    assert_line "closed .*: 0 bytes sent, $size bytes received" "$T/listener.err"
}

@test "F28: data behind 4 GiB of an input file are what is sent" {
    truncate -s 5G "$T/huge"
    printf 'the tail' >>"$T/huge"
    start_peer 'expect:the tail' recvall count
    exec 7<"$T/huge"
    python3 -c 'import os; os.lseek(7, 5 << 30, os.SEEK_SET)'
    client 127.0.0.1 "$peer_port" <&7 >"$T/out"
    exec 7<&-
    assert_status 0
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" 8
}

@test "F28: an output file may grow beyond 4 GiB" {
    start_peer sendrand:1:100000 close
    truncate -s 5G "$T/huge"
    client -d 127.0.0.1 "$peer_port" >>"$T/huge"
    assert_status 0
    tail -c +5368709121 "$T/huge" >"$T/tail"
    assert_same "$T/tail" "$(random_file 100000 1)"
}

@test "F28: a file that grows while it is sent is sent as far as it has grown" {
    local data=$T/data
    cp "$(random_file 8000000 1)" "$data"
    # The peer's small window holds the sender back until the file has grown.
    start_peer rcvbuf:32768 recv:1000 touch:"$T/running" "waitfor:$T/grown" recvall sha256 count
    START_IN=$data start "$SOCKCAT" -O 64k 127.0.0.1 "$peer_port"
    await_file "$T/running"
    random_file 1000000 2 >/dev/null
    cat "$T/random.1000000.2" >>"$data"
    touch "$T/grown"
    finish "$pid"
    assert_equal "$result" 0
    assert_peer_done
    assert_equal "$(tail -n 2 "$T/peer.out")" \
        "$(sha256sum <"$data" | cut -d ' ' -f 1)"$'\n'9000000
}
