#!/usr/bin/env bats
# session.bats - how a session ends: which end finishes it, what each option changes, and that no
# loss is ever taken for a good end.  Rows C29 to C44 of the fault catalogue (but C40, which needs a
# link emulator, and C42, which is about TLS), and each row of the contract's table of events.

# shellcheck disable=SC2154 # the helpers set port, peer_port, pid, listener, result
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own, as it should be
load lib/helper

# bytes_read PID, most_memory PID: what it has read from files and pipes; its largest resident size
# in KiB.
bytes_read() {
    # From a file the kernel may take it by itself, which counts nowhere but in the position.
    if [ -f "/proc/$1/fd/0" ]; then
        sed -n 's/^pos:[^0-9]*//p' "/proc/$1/fdinfo/0"
    else
        sed -n 's/^rchar: //p' "/proc/$1/io"
    fi
}
most_memory() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }

# bytes_received PORT: what the connection to PORT has received.
bytes_received() { ss -Htni "dport = :$1" | sed -n 's/.*bytes_received:\([0-9]*\).*/\1/p'; }

# await_stall COMMAND...: until the number that it prints is large, and was the same for half a
# second.
await_stall() {
    local now before=-1 same=0 rounds
    for ((rounds = 0; same < 10 && rounds < 600; rounds++)); do
        now=$("$@")
        if [ "${now:-0}" -ge 60000 ] && [ "$now" = "$before" ]; then same=$((same + 1)); else same=0; fi
        before=$now
        for _ in 1 2 3 4 5; do tick; done
    done
    [ "$same" -ge 10 ] || fail "it did not stall: $* says '$before'"
}

# find_port PID: sets $real_port to the TCP port where the process listens.
find_port() {
    real_port=$(ss -Htlnp | sed -n "s/^.*:\([0-9]*\) .*pid=$1,.*$/\1/p" | head -n 1)
    [ -n "$real_port" ]
}

# all_sent PORT: the connections to PORT hold nothing that is still to be sent, or acknowledged.
all_sent() { ! ss -Htn "( sport = :$1 or dport = :$1 )" | awk '{ print $3 }' | grep -qv '^0$'; }

# has_state STATE PORT: there is a TCP connection to PORT in that state of ss.
has_state() { ss -Htn state "$1" "dport = :$2" | grep -q .; }

# digest FILE
digest() { sha256sum <"$1" | cut -d ' ' -f 1; }

# assert_peer_said LINE...: the last lines of the scripted peer, which took all its steps.
assert_peer_said() {
    assert_peer_done
    assert_equal "$(tail -n "$#" "$T/peer.out")" "$(printf '%s\n' "$@")"
}

# assert_lost: a client ended with 55 or 56, and says so.
assert_lost() {
    [ "$status" -eq 55 ] || assert_status 56
    assert_one_error "$T/client.err" \
        '(send to|receive from) [^ ]+: .*[0-9]+ bytes sent, [0-9]+ bytes received'
}

# ---- standard input ends ----

@test "the end of standard input is passed on to the peer, after all of it, and the answer awaited" {
    local data
    data=$(random_file 3000000 1)
    start_peer recvall sendrand:2:3000000 close sha256
    client 127.0.0.1 "$peer_port" <"$data" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/client.err")" ""
    assert_same "$T/out" "$(random_file 3000000 2)"
    assert_peer_said "$(digest "$data")"
}

@test "an answer that comes long after our end arrives, on a Unix socket, too" {
    need socat
    printf question >"$T/data"
    feed "@$T/asked" answer
    START_IN=$T/in start socat -t 30 "UNIX-LISTEN:$T/socket" -
    until_true 20 grep -q " 00010000 .*$T/socket" /proc/net/unix
    # Only when all of the question is there, and its end, the answer is thought up.
    "$SOCKCAT" -U "$T/socket" <"$T/data" >"$T/out" 2>"$T/client.err" 3>&- &
    started+=("$!")
    until_true 20 is_larger "$T/background.out" 8
    watch_idle "$!"
    touch "$T/asked"
    finish "$!"
    assert_equal "$result" 0
    assert_equal "$(cat "$T/out")" answer
    finish "$pid"
}

@test "-N is the default's other name" {
    printf question >"$T/data"
    start_peer recvall wait:0.3 send:answer count
    client -N 127.0.0.1 "$peer_port" <"$T/data" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" answer
    assert_peer_said 8
}

@test "-q T ends a session that long after standard input, with all that came" {
    printf question >"$T/data"
    start_peer expect:question recvall send:answer touch:"$T/sent" "waitfor:$T/never"
    client -q 500ms 127.0.0.1 "$peer_port" <"$T/data" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/client.err")" ""
    assert_equal "$(cat "$T/out")" answer
}

@test "-q T does not cut off an answer that comes in time" {
    printf question >"$T/data"
    start_peer recvall wait:0.5 send:answer close
    client -q 20 127.0.0.1 "$peer_port" <"$T/data" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" answer
}

@test "-q T does not run before standard input has ended" {
    feed "@$T/late" question
    start_peer wait:0.8 send:early touch:"$T/late" recvall count
    client -q 200ms 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" early
    assert_peer_said 8
}

@test "-q T with data that did not get through is no success" {
    # More than the peer's window, and little enough that standard input has been read to its end.
    start_peer rcvbuf:4096 "waitfor:$T/never"
    client -q 300ms 127.0.0.1 "$peer_port" <"$(random_file 60000 1)" >"$T/out"
    assert_status 55
    assert_one_error "$T/client.err" 'send to 127\.0\.0\.1:'
}

@test "-q 0 waits for the answer" {
    printf question >"$T/data"
    start_peer recvall wait:0.5 send:answer close
    client -q 0 127.0.0.1 "$peer_port" <"$T/data" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" answer
}

# ---- the peer ends its sending ----

@test "F31: the peer's end is the end of standard output only" {
    mkfifo "$T/out"
    (cat "$T/out" >"$T/received" && touch "$T/eof") 3>&- &
    started+=("$!")
    start_peer expect:one send:bye shutwr recvall count
    # Much more data follows than fits into buffers.
    feed one "@$T/eof" "=$(random_file 20000000 1)"
    "$SOCKCAT" 127.0.0.1 "$peer_port" <"$T/in" >"$T/out" 2>"$T/client.err" 3>&- &
    started+=("$!")
    finish "$!"
    assert_equal "$result" 0
    assert_equal "$(cat "$T/received")" bye
    assert_peer_said 20000003
}

# serves_all COMMAND...: a client that has nothing to say gets the whole file from a listener.
serves_all() {
    LISTENER_IN=$(random_file 5000000 1)
    start_listener 127.0.0.1 0
    timeout -s KILL $((30 * LAST_RESORT)) "${@//PORT/$port}" </dev/null >"$T/got" 2>"$T/real.err" 3>&-
    assert_listener_ends 0
    assert_same "$T/got" "$LISTENER_IN"
}

@test "F31: nc.openbsd, ending at once, gets all of a listener's file" {
    need nc.openbsd
    serves_all nc.openbsd -N 127.0.0.1 PORT
}

@test "F31: ncat, ending at once, gets all of a listener's file" {
    need ncat
    serves_all ncat 127.0.0.1 PORT
}

@test "F31: socat, ending at once, gets all of a listener's file" {
    need socat
    serves_all socat -t 30 - TCP:127.0.0.1:PORT
}

@test "F31: busybox nc, ending at once, gets all of a listener's file" {
    need busybox
    serves_all busybox nc 127.0.0.1 PORT
}

@test "F31: sockcat, ending at once, gets all of a listener's file" {
    serves_all "$SOCKCAT" 127.0.0.1 PORT
}

@test "F31: a scripted client, ending at once, gets all of a listener's file" {
    LISTENER_IN=$(random_file 5000000 1)
    start_listener 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" shutwr wait:0.3 recvall sha256
    assert_listener_ends 0
    assert_peer_said "$(digest "$LISTENER_IN")"
}

@test "F31: curl gets all of a file that a listener serves" {
    need curl
    { printf 'HTTP/1.0 200 OK\r\n\r\n'; cat "$(random_file 5000000 1)"; } >"$T/response"
    LISTENER_IN=$T/response start_listener 127.0.0.1 0
    curl -s -S -o "$T/got" "http://127.0.0.1:$port/"
    assert_same "$T/got" "$(random_file 5000000 1)"
    assert_listener_ends 0
    assert_line '^GET / HTTP/' "$T/listener.out"
}

# sends_all COMMAND...: a listener that has nothing to say gets the whole file from a client.
sends_all() {
    local data
    need ss
    data=$(random_file 5000000 1)
    start "$@"
    until_true 20 find_port "$pid"
    client 127.0.0.1 "$real_port" <"$data" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/client.err")" ""
    finish "$pid"
    assert_same "$T/background.out" "$data"
}

@test "F31: a listening nc.openbsd, ending at once, gets all of a client's file" {
    need nc.openbsd
    sends_all nc.openbsd -N -l 127.0.0.1 0
}

@test "F31: a listening ncat, ending at once, gets all of a client's file" {
    need ncat
    sends_all ncat -l 127.0.0.1 0
}

@test "F31: a listening socat, ending at once, gets all of a client's file" {
    need socat
    sends_all socat -t 30 TCP-LISTEN:0,bind=127.0.0.1 -
}

@test "F31: a listening busybox nc, ending at once, gets all of a client's file" {
    need busybox
    sends_all busybox nc -l -p 0
}

# ---- which end finishes the session ----

@test "--until=peer: the peer's end finishes it although standard input is open" {
    feed hello "@$T/never"
    start_peer expect:hello send:bye shutwr recvall count
    client --until=peer 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" bye
    assert_peer_said 5
}

@test "--until=peer: what was read before is still sent" {
    # The peer ends its sending and reads late: the data have to wait in our buffer.
    start_peer rcvbuf:32768 "waitfor:$T/end" shutwr "waitfor:$T/go" recvall count
    feed "=$(random_file 3000000 1)" "@$T/never"
    START_IN=$T/in start "$SOCKCAT" --no-splice --until=peer -O 16k -v 127.0.0.1 "$peer_port"
    await_stall bytes_read "$pid"
    touch "$T/end"
    watch_idle "$pid"
    touch "$T/go"
    finish "$pid"
    assert_equal "$result" 0
    assert_peer_done
    local arrived
    arrived=$(tail -n 1 "$T/peer.out")
    assert_line "closed .*: $arrived bytes sent" "$T/background.err"
    # Its own buffer was full, and all of that has arrived.
    [ "$arrived" -ge 60000 ]
}

@test "--until=peer: the end of standard input does not finish it" {
    printf hello >"$T/data"
    start_peer recvall wait:0.5 send:late close count
    client --until=peer 127.0.0.1 "$peer_port" <"$T/data" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" late
    assert_peer_said 5
}

@test "--until=stdin: the end of standard input finishes it although the peer goes on" {
    feed hello "@$T/got"
    start_peer expect:hello send:answer recvall count "waitfor:$T/never"
    START_IN=$T/in start "$SOCKCAT" --until=stdin 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/background.out" 6
    touch "$T/got"
    finish "$pid"
    assert_equal "$result" 0
    assert_equal "$(cat "$T/background.out")" answer
    assert_equal "$(cat "$T/background.err")" ""
    await_line "$T/peer.out" '^5$' # a clean end, with all of it
}

@test "--until=stdin: the peer's end does not finish it" {
    feed "@$T/ended" hello
    start_peer send:bye shutwr touch:"$T/shut" recvall count
    START_IN=$T/in start "$SOCKCAT" --until=stdin 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/background.out" 3
    await_file "$T/shut"
    watch_idle "$pid"
    ! is_gone "$pid" || fail "it should wait for its input"
    touch "$T/ended"
    finish "$pid"
    assert_equal "$result" 0
    assert_peer_said 5
}

@test "--until=either: the end of standard input finishes it" {
    printf hello >"$T/data"
    start_peer recvall count "waitfor:$T/never"
    client --until=either 127.0.0.1 "$peer_port" <"$T/data" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/client.err")" ""
    await_line "$T/peer.out" '^5$'
}

@test "--until=either: the peer's end finishes it" {
    feed "@$T/never"
    start_peer send:bye shutwr recvall count
    client --until=either 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" bye
    assert_peer_said 0
}

@test "--until=both: the end of standard input does not finish it" {
    printf hello >"$T/data"
    start_peer recvall wait:0.5 send:late close
    client --until=both 127.0.0.1 "$peer_port" <"$T/data" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" late
}

@test "--until=both: the peer's end does not finish it" {
    feed "@$T/ended" hello
    start_peer send:bye shutwr touch:"$T/shut" recvall count
    START_IN=$T/in start "$SOCKCAT" --until=both 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/background.out" 3
    await_file "$T/shut"
    watch_idle "$pid"
    ! is_gone "$pid" || fail "it should wait for its input"
    touch "$T/ended"
    finish "$pid"
    assert_equal "$result" 0
    assert_peer_said 5
}

# ---- options that change the ends ----

@test "--no-shutdown: the end of standard input is not passed on" {
    printf hello >"$T/data"
    # recvquiet would never end if the end came.
    PEER_LIMIT=$((15 * LAST_RESORT)) start_peer expect:hello recvquiet:0.7 send:bye shutwr recvall count
    client --no-shutdown 127.0.0.1 "$peer_port" <"$T/data" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" bye
    assert_peer_said 5
}

@test "--send-only: what is received is dropped, and the peer's end is not awaited" {
    local data
    data=$(random_file 1000000 1)
    # The peer reads only when all that it sent was taken.
    start_peer sndbuf:16384 sendrand:2:5000000 recvall sha256 "waitfor:$T/never"
    client --send-only 127.0.0.1 "$peer_port" <"$data" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/client.err")" ""
    assert_equal "$(stat -c %s "$T/out")" 0
    await_line "$T/peer.out" "^$(digest "$data")\$"
}

@test "--send-only: the end comes only when all is acknowledged" {
    local data
    data=$(random_file 200000 1)
    start_peer rcvbuf:8192 "waitfor:$T/stalled" touch:"$T/reading" recvall sha256
    START_IN=$data start "$SOCKCAT" --send-only -O 1M 127.0.0.1 "$peer_port"
    await_stall bytes_read "$pid" # all is read, and sent as far as the window lets it
    ! is_gone "$pid" || fail "it did not wait for the acknowledgement"
    touch "$T/stalled"
    finish "$pid"
    assert_equal "$result" 0
    assert_peer_said "$(digest "$data")"
}

# takes_no_input OPTION: standard input is left alone, and the peer not told any end.
takes_no_input() {
    printf 'for the next one\n' >"$T/data"
    PEER_LIMIT=$((15 * LAST_RESORT)) start_peer recvquiet:0.5 send:bye close count
    {
        client "$1" 127.0.0.1 "$peer_port" >"$T/out"
        cat >"$T/rest"
    } <"$T/data"
    assert_status 0
    assert_equal "$(cat "$T/out")" bye
    assert_same "$T/rest" "$T/data"
    assert_peer_said 0
}

@test "-d: standard input is not read, and the peer's end finishes it" { takes_no_input -d; }

@test "--recv-only: standard input is not read, and the peer's end finishes it" {
    takes_no_input --recv-only
}

@test "--recv-only: an open pipe does not hold it up" {
    feed ignored "@$T/never"
    start_peer sendrand:1:1000000 shutwr 'recvall!' count
    client --recv-only 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_status 0
    assert_same "$T/out" "$(random_file 1000000 1)"
    assert_peer_said 0
}

@test "--idle-timeout: silence is 28, and a reset for the peer" {
    feed "@$T/never"
    start_peer send:hello 'recvall!'
    client --idle-timeout 500ms 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_status 28
    assert_one_error "$T/client.err" '127\.0\.0\.1:[0-9]+: nothing moved for 500 ms'
    assert_equal "$(cat "$T/out")" hello
    assert_peer_said reset
}

@test "--idle-timeout: a listener's silent client is 28" {
    feed "@$T/never"
    LISTENER_IN=$T/in start_listener --idle-timeout 500ms 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" 'recvall!'
    assert_listener_ends 28 'nothing moved for 500 ms'
    assert_peer_said reset
}

@test "--idle-timeout: the peer's late answer to our end is 28, too" {
    printf question >"$T/data"
    start_peer recvall "waitfor:$T/never"
    client --idle-timeout 500ms 127.0.0.1 "$peer_port" <"$T/data" >"$T/out"
    assert_status 28
    assert_one_error "$T/client.err" 'nothing moved'
}

@test "--idle-timeout: a trickle in one direction is not silence" {
    printf question >"$T/data"
    start_peer recvall wait:1 send:a wait:1 send:b wait:1 send:c close
    client --idle-timeout 2500ms 127.0.0.1 "$peer_port" <"$T/data" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" abc
}

@test "-w: the limit holds for silence in the session" {
    feed "@$T/never"
    start_peer 'recvall!'
    client -w 500ms 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_status 28
    assert_one_error "$T/client.err" 'nothing moved for 500 ms'
    assert_peer_said reset
}

@test "--linger: what was not acknowledged in time is 55" {
    start_peer rcvbuf:4096 "waitfor:$T/never"
    client --until=stdin --linger 500ms 127.0.0.1 "$peer_port" <"$(random_file 60000 1)" >"$T/out"
    assert_status 55
    assert_one_error "$T/client.err" \
        'send to 127\.0\.0\.1:[0-9]+: [1-9][0-9]* bytes were not acknowledged in time'
}

@test "--linger: the peer's own end does not make the wait unlimited" {
    start_peer rcvbuf:4096 shutwr "waitfor:$T/never"
    client --linger 500ms 127.0.0.1 "$peer_port" <"$(random_file 60000 1)" >"$T/out"
    assert_status 55
    assert_one_error "$T/client.err" 'not acknowledged in time'
}

@test "--linger: what was not acknowledged in time may still arrive, whether the peer has ended or not" {
    local data end
    data=$(random_file 60000 1)
    for end in shutwr "send:"; do
        rm -f "$T/late"
        start_peer rcvbuf:4096 "$end" "waitfor:$T/late" recvall sha256
        client --until=stdin --linger 300ms 127.0.0.1 "$peer_port" <"$data" >"$T/out"
        assert_status 55
        touch "$T/late"
        assert_peer_said "$(digest "$data")"
        stop_all
    done
}

@test "--linger: a peer that reads slowly, but reads, gets all" {
    local data
    data=$(random_file 200000 1)
    start_peer rcvbuf:8192 slow:4000:0.05 sha256
    client --send-only --linger 1500ms 127.0.0.1 "$peer_port" <"$data" >"$T/out"
    assert_status 0
    assert_peer_said "$(digest "$data")"
}

# ---- signals ----

# ends_by SIGNAL: a session that has moved data both ways is ended by the signal.
ends_by() {
    local number
    number=$(kill -l "$1")
    feed hello "@$T/never"
    start_peer expect:hello send:answer 'recvall!'
    # A shell without job control starts its jobs with SIGINT and SIGQUIT ignored.
    START_IN=$T/in start env --default-signal=INT,QUIT,TERM,HUP "$SOCKCAT" 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/background.out" 6
    kill -s "$1" "$pid"
    finish "$pid"
    assert_equal "$result" $((128 + number))
    assert_equal "$(cat "$T/background.out")" answer
    assert_equal "$(cat "$T/background.err")" ""
    assert_peer_said reset
}

@test "F159: a signal ends a session with 128 and its number, and the peer sees no clean end" {
    each <<'TABLE'
ends_by INT
ends_by TERM
ends_by HUP
TABLE
}

@test "F159: a program that dies by a signal is seen so, not only by its status" {
    start_peer 'recvall!'
    run timeout -s KILL $((30 * LAST_RESORT)) python3 -c '
import signal, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
while not child.stderr.read(1) == b"\n":  # "connected"
    pass
child.terminate()
print(child.wait() == -signal.SIGTERM)' "$SOCKCAT" -v 127.0.0.1 "$peer_port"
    assert_equal "$output" True
    assert_peer_said reset
}

@test "F159: what was already read is flushed after a signal" {
    need ss
    mkfifo "$T/out"
    feed "@$T/never"
    start_peer 'sendrand!:1:40000000' 'recvall!'
    exec 8<>"$T/out" # a reader that does not read
    "$SOCKCAT" 127.0.0.1 "$peer_port" <"$T/in" >"$T/out" 2>"$T/client.err" 3>&- 8<&- &
    local client=$!
    started+=("$client")
    await_stall bytes_received "$peer_port"
    kill -TERM "$client"
    timeout $((20 * LAST_RESORT)) cat <"$T/out" >"$T/received" 3>&- 8<&- &
    local reader=$!
    exec 8<&-
    finish "$client"
    wait "$reader"
    assert_equal "$result" 143
    assert_prefix "$T/received" 1
    # The pipe alone holds 64 KiB.
    is_larger "$T/received" 65537
}

@test "SIGUSR1: a line of statistics, and the session goes on" {
    feed hello "@$T/more" again
    start_peer expect:hello send:answer recvall count
    START_IN=$T/in start "$SOCKCAT" 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/background.out" 6
    kill -USR1 "$pid"
    await_line "$T/background.err" '.'
    assert_one_error "$T/background.err" '127\.0\.0\.1:[0-9]+: 5 bytes sent, 6 bytes received'
    touch "$T/more"
    finish "$pid"
    assert_equal "$result" 0
    assert_peer_said 10
}

# interrupted SIGNAL: a sender that is interrupted on an idle line makes the receiver report 56.
interrupted() {
    feed "=$(random_file 300000 1)" "@$T/never"
    start_listener 127.0.0.1 0
    START_IN=$T/in start env --default-signal=INT,QUIT,TERM,HUP "$SOCKCAT" 127.0.0.1 "$port"
    until_true 20 is_larger "$T/listener.out" 300000
    kill -s "$1" "$pid"
    finish "$pid"
    assert_equal "$result" $((128 + $(kill -l "$1")))
    assert_listener_ends 56 'receive from .*300000 bytes received'
    # What had come is there all the same.
    assert_same "$T/listener.out" "$(random_file 300000 1)"
}

@test "F159: a sender that a signal interrupts never leaves a receiver with status 0" {
    each <<'TABLE'
interrupted INT
interrupted TERM
interrupted HUP
interrupted KILL
TABLE
}

# interrupted_end SIGNAL: as interrupted, when the sender has already told its end, but not all of
# its data have gone out.
interrupted_end() {
    need ss
    mkfifo "$T/out"
    exec 8<>"$T/out" # a reader that does not read, so that the data get stuck
    LISTENER_OUT=$T/out start_listener --no-splice --recv-only -I 16k 127.0.0.1 0
    START_IN=$(random_file 1580000 1) start env --default-signal=INT,QUIT,TERM,HUP \
        "$SOCKCAT" -O 1M 127.0.0.1 "$port"
    until_true 20 has_state fin-wait-1 "$port"
    kill -s "$1" "$pid"
    finish "$pid"
    assert_equal "$result" $((128 + $(kill -l "$1")))
    # The listener has inherited descriptor 8 and so keeps the FIFO open itself.
    timeout $((30 * LAST_RESORT)) head -c 1580000 <"$T/out" >"$T/received" 3>&- 8<&- &
    started+=("$!")
    assert_listener_ends 56 'receive from '
    exec 8<&-
}

@test "F159: a signal between our end and its arrival leaves no receiver with status 0" {
    each <<'TABLE'
interrupted_end TERM
interrupted_end KILL
TABLE
}

@test "F159: a listener that sends and is killed leaves no client with status 0" {
    feed "=$(random_file 300000 1)" "@$T/never"
    LISTENER_IN=$T/in start_listener 127.0.0.1 0
    start "$SOCKCAT" 127.0.0.1 "$port"
    until_true 20 is_larger "$T/background.out" 300000
    kill -KILL "$listener"
    finish "$pid"
    assert_equal "$result" 56
    assert_one_error "$T/background.err" 'receive from 127.*reset.*300000 bytes received'
}

# ---- resets ----

@test "F29: after a reset all that came is written, then 56 with the byte counts" {
    feed hi "@$T/never"
    start_peer expect:hi sendrand:1:200000 "waitfor:$T/got" reset
    START_IN=$T/in start "$SOCKCAT" 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/background.out" 200000
    touch "$T/got"
    finish "$pid"
    assert_equal "$result" 56
    assert_one_error "$T/background.err" \
        'receive from 127\.0\.0\.1:[0-9]+: .*reset.*\(2 bytes sent, 200000 bytes received\)'
    assert_same "$T/background.out" "$(random_file 200000 1)"
}

@test "F29: what the kernel had received before the reset is written, too" {
    need ss
    mkfifo "$T/out"
    feed "@$T/never"
    start_peer sendrand:1:500000 touch:"$T/sent" "waitfor:$T/arrived" reset touch:"$T/reset"
    exec 8<>"$T/out" # not read yet: most of the data wait in the socket
    "$SOCKCAT" -I 2M 127.0.0.1 "$peer_port" <"$T/in" >"$T/out" 2>"$T/client.err" 3>&- 8<&- &
    local client=$!
    started+=("$client")
    await_file "$T/sent"
    until_true 20 all_sent "$peer_port"
    touch "$T/arrived"
    await_file "$T/reset"
    timeout $((30 * LAST_RESORT)) cat <"$T/out" >"$T/received" 3>&- 8<&- &
    local reader=$!
    exec 8<&-
    finish "$client"
    assert_equal "$result" 56
    wait "$reader"
    assert_same "$T/received" "$(random_file 500000 1)"
    assert_one_error "$T/client.err" '500000 bytes received'
}

@test "F29: a listener reports its client's reset, after all that came" {
    start_listener 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" sendrand:1:200000 "waitfor:$T/got" reset
    until_true 20 is_larger "$T/listener.out" 200000
    touch "$T/got"
    assert_listener_ends 56 'receive from 127.*reset.*\(0 bytes sent, 200000 bytes received\)'
    assert_same "$T/listener.out" "$(random_file 200000 1)"
}

@test "F30: a reset while we send is 55 or 56" {
    feed "@$T/never"
    start_peer recv:100000 reset
    client 127.0.0.1 "$peer_port" </dev/zero >"$T/out"
    assert_lost
    assert_peer_done
}

@test "F30: a peer that closes without having read all is no success" {
    start_peer expect:he close
    printf hello >"$T/data"
    client 127.0.0.1 "$peer_port" <"$T/data" >"$T/out"
    assert_lost
    assert_peer_done
}

@test "F30: a peer that answers, but has not read all, is no success" {
    start_peer expect:he send:bye wait:0.2 close
    printf hello >"$T/data"
    client 127.0.0.1 "$peer_port" <"$T/data" >"$T/out"
    assert_lost
    assert_equal "$(cat "$T/out")" bye
}

@test "F30: a peer killed before it has read all is no success" {
    need nc.openbsd ss
    mkfifo "$T/stuck"
    exec 8<>"$T/stuck"
    start_nc() { exec nc.openbsd -l 127.0.0.1 0 >"$T/stuck"; }
    start start_nc
    until_true 20 find_port "$pid"
    local nc=$pid
    "$SOCKCAT" 127.0.0.1 "$real_port" </dev/zero >"$T/out" 2>"$T/client.err" 3>&- 8<&- &
    started+=("$!")
    await_stall bytes_read "$!"
    kill -KILL "$nc"
    status=0 output=
    wait "${started[-1]}" || status=$?
    exec 8<&-
    assert_lost
}

@test "a receiver whose disk is full makes the sender report a failure" {
    # Little room over there, so that not everything is acknowledged before the write fails.
    LISTENER_OUT=/dev/full start_listener -I 16k 127.0.0.1 0
    client 127.0.0.1 "$port" <"$(random_file 300000 1)" >"$T/out"
    assert_lost
    assert_listener_ends 23 'No space left'
}

@test "F32: a peer that closes both while our buffer is full ends it, with all that it sent" {
    start_peer rcvbuf:16384 sendrand:1:50000 "waitfor:$T/full" close
    START_IN=/dev/zero start "$SOCKCAT" 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/background.out" 50000
    await_stall bytes_read "$pid"
    touch "$T/full"
    finish "$pid"
    [ "$result" -eq 55 ] || assert_equal "$result" 56
    assert_one_error "$T/background.err" '[1-9][0-9]* bytes sent, 50000 bytes received'
    assert_same "$T/background.out" "$(random_file 50000 1)"
}

@test "F32: after the peer's FIN its reset ends the sending" {
    start_peer rcvbuf:16384 send:bye shutwr "waitfor:$T/full" close
    START_IN=/dev/zero start "$SOCKCAT" 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/background.out" 3
    await_stall bytes_read "$pid"
    touch "$T/full"
    finish "$pid"
    [ "$result" -eq 55 ] || assert_equal "$result" 56
    assert_one_error "$T/background.err" 'bytes sent, 3 bytes received'
    assert_equal "$(cat "$T/background.out")" bye
}

# ---- a peer that says nothing any more ----

# cut_off PORT: nothing passes between the two ends any more.
cut_off() {
    nft add table ip cut
    nft 'add chain ip cut in { type filter hook input priority 0; }'
    nft add rule ip cut in tcp dport "$1" drop
    nft add rule ip cut in tcp sport "$1" drop
}
export -f cut_off

silent_line() {
    mkfifo "$T/hold"
    exec 8<>"$T/hold"
    start_peer send:hello "waitfor:$T/never"
    START_IN=$T/hold start "$SOCKCAT" --idle-timeout 1 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/background.out" 5
    cut_off "$peer_port"
    finish "$pid"
    assert_equal "$result" 28
    assert_one_error "$T/background.err" 'nothing moved for 1000 ms'
    assert_equal "$(cat "$T/background.out")" hello
}

@test "F33: a line that was cut is 28 with --idle-timeout" {
    need_netns
    need nft
    in_netns silent_line
}

unacknowledged_data() {
    start_peer send:hello "waitfor:$T/never"
    feed "@$T/cut" lost
    START_IN=$T/in start "$SOCKCAT" --send-only --linger 1 -v 127.0.0.1 "$peer_port"
    await_line "$T/background.err" connected
    cut_off "$peer_port"
    touch "$T/cut"
    finish "$pid"
    assert_equal "$result" 55
    # The data and the FIN.
    assert_line '^sockcat: send to 127.*: 5 bytes were not acknowledged in time' "$T/background.err"
}

@test "F33: what went into a cut line is 55 after --linger" {
    need_netns
    need nft
    in_netns unacknowledged_data
}

idle_while_sending() {
    start_peer "waitfor:$T/never"
    feed "@$T/cut" "=/dev/zero"
    START_IN=$T/in start "$SOCKCAT" --idle-timeout 1 -v 127.0.0.1 "$peer_port"
    await_line "$T/background.err" connected
    cut_off "$peer_port"
    touch "$T/cut"
    finish "$pid"
    assert_equal "$result" 28
    assert_line '^sockcat: .*nothing moved' "$T/background.err"
}

@test "F33: a line that is cut while we send is 28 with --idle-timeout" {
    need_netns
    need nft
    in_netns idle_while_sending
}

# ---- our own end ----

@test "F34: after status 0 all is in the peer's hands, however late it reads" {
    local data
    data=$(random_file 60000 1)
    start_peer send:unwanted "waitfor:$T/ended" recvall sha256
    client --send-only 127.0.0.1 "$peer_port" <"$data" >"$T/out"
    assert_status 0
    touch "$T/ended"
    assert_peer_said "$(digest "$data")"
}

no_resets() {
    mkfifo "$T/out"
    feed "@$T/stop" "=$(random_file 50000 2)"
    start_peer sendrand:1:1490000 touch:"$T/sent" recvall count "waitfor:$T/ended"
    exec 8<>"$T/out" # not read yet: most of the data wait in the socket
    "$SOCKCAT" --no-splice --until=stdin -I 2M 127.0.0.1 "$peer_port" <"$T/in" >"$T/out" 2>"$T/client.err" &
    started+=("$!")
    await_file "$T/sent"
    until_true 20 all_sent "$peer_port"
    # Now the input ends, and with it the session.
    touch "$T/stop"
    await_line "$T/peer.out" '^50000$'
    watch_idle "${started[-1]}" # it knows by now that all has arrived
    timeout $((30 * LAST_RESORT)) head -c 1490000 <"$T/out" >"$T/received" &
    finish "${started[-1]}"
    wait "$!"
    assert_equal "$result" 0
    assert_equal "$(cat "$T/client.err")" ""
    assert_same "$T/received" "$(random_file 1490000 1)"
    touch "$T/ended"
    assert_peer_done
    # The counter of this namespace: no reset was sent.
    assert_equal "$(awk '/^Tcp: [0-9]/ { print $15 }' /proc/net/snmp)" 0
}

@test "F34: our own end takes all that has come, and sends no reset" {
    need_netns
    need ss
    export -f all_sent watch_idle cpu_ticks
    in_netns no_resets
}

@test "F35: both sides ending at the same moment does not hang" {
    local i
    for i in 1 2 3 4 5 6 7 8; do
        LISTENER_IN=$(random_file $((i * 10000)) 1)
        start_listener 127.0.0.1 0
        client 127.0.0.1 "$port" <"$LISTENER_IN" >"$T/out"
        assert_status 0
        assert_listener_ends 0
        assert_same "$T/out" "$LISTENER_IN"
        assert_same "$T/listener.out" "$LISTENER_IN"
    done
}

@test "F36: an urgent byte does not disturb the order" {
    start_peer send:abc oob:X send:def shutwr recvall
    client 127.0.0.1 "$peer_port" </dev/null >"$T/out"
    assert_status 0
    # Left out, or in its place.
    [ "$(cat "$T/out")" = abcXdef ] || assert_equal "$(cat "$T/out")" abcdef
    assert_peer_done
}

@test "F36: an urgent byte that waits does not make it spin" {
    start_peer send:abc oob:X "waitfor:$T/end" send:def close
    start "$SOCKCAT" 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/background.out" 3
    watch_idle "$pid"
    touch "$T/end"
    finish "$pid"
    assert_equal "$result" 0
}

# ---- slow ends ----

# is_bounded PID BYTES: after await_stall, BYTES is little, little memory is used, and no process spins.
is_bounded() {
    # The kernel's buffers of both ends, which the tests keep small, and our own two. What is spliced fills
    # a pipe's places with pieces of any size.
    [ "$2" -lt 12000000 ] || fail "it has taken $2 bytes"
    watch_idle "$1"
    grep -q __asan_init "$SOCKCAT" || [ "$(most_memory "$1")" -lt 20000 ] \
        || fail "it needs $(most_memory "$1") KiB"
}

@test "F37: a peer that does not read stops our input, and costs no memory" {
    local data
    data=$(random_file 20000000 1)
    start_peer rcvbuf:32768 "waitfor:$T/go" recvall sha256
    START_IN=$data start "$SOCKCAT" -O 64k 127.0.0.1 "$peer_port"
    await_stall bytes_read "$pid"
    is_bounded "$pid" "$(bytes_read "$pid")"
    touch "$T/go"
    finish "$pid"
    assert_equal "$result" 0
    assert_peer_said "$(digest "$data")"
}

@test "F37: a peer that does not read does not stop what it sends" {
    start_peer rcvbuf:32768 "waitfor:$T/stalled" sendrand:2:5000000 "waitfor:$T/go" recvall count
    START_IN=$(random_file 20000000 1) start "$SOCKCAT" -O 64k 127.0.0.1 "$peer_port"
    await_stall bytes_read "$pid"
    touch "$T/stalled"
    until_true 20 is_larger "$T/background.out" 5000000
    assert_same "$T/background.out" "$(random_file 5000000 2)"
    touch "$T/go"
    finish "$pid"
    assert_equal "$result" 0
    assert_peer_said 20000000
}

@test "F38: a slow standard output stops the peer, and costs no memory" {
    need ss
    mkfifo "$T/out"
    feed "@$T/go" end
    start_peer sndbuf:32768 sendrand:1:20000000 shutwr recvall count
    exec 8<>"$T/out"
    "$SOCKCAT" -I 64k 127.0.0.1 "$peer_port" <"$T/in" >"$T/out" 2>"$T/client.err" 3>&- 8<&- &
    local client=$!
    started+=("$client")
    await_stall bytes_received "$peer_port"
    is_bounded "$client" "$(bytes_received "$peer_port")"
    timeout $((30 * LAST_RESORT)) cat <"$T/out" >"$T/received" 3>&- 8<&- &
    local reader=$!
    exec 8<&-
    touch "$T/go"
    finish "$client"
    assert_equal "$result" 0
    wait "$reader"
    assert_same "$T/received" "$(random_file 20000000 1)"
    assert_peer_said 3
}

@test "F38: a blocked standard output does not stop what we send" {
    local data
    data=$(random_file 5000000 2)
    need ss
    mkfifo "$T/out"
    start_peer sndbuf:32768 both:1:20000000 sha256
    exec 8<>"$T/out"
    # Our output is not read until all of the input has gone out. What is spliced fills a pipe's places with
    # pieces of any size, so it takes a lot for it to be blocked.
    "$SOCKCAT" -I 64k 127.0.0.1 "$peer_port" <"$data" >"$T/out" 2>"$T/client.err" 3>&- 8<&- &
    local client=$!
    started+=("$client")
    until_true 20 has_state fin-wait-2 "$peer_port"
    timeout $((30 * LAST_RESORT)) cat <"$T/out" >"$T/received" 3>&- 8<&- &
    local reader=$!
    exec 8<&-
    finish "$client"
    assert_equal "$result" 0
    wait "$reader"
    assert_same "$T/received" "$(random_file 20000000 1)"
    assert_peer_said "$(digest "$data")"
}

@test "F39: both directions stalled, then freed, give the same 100 MB back" {
    local data
    data=$(random_file 100000000 1)
    start_peer rcvbuf:32768 sndbuf:32768 "waitfor:$T/go" echo sha256
    START_IN=$data start "$SOCKCAT" -I 32k -O 32k 127.0.0.1 "$peer_port"
    await_stall bytes_read "$pid"
    touch "$T/go"
    FINISH_LIMIT=60 finish "$pid"
    assert_equal "$result" 0
    assert_same "$T/background.out" "$data"
    assert_peer_said "$(digest "$data")"
}

@test "F39: an echo through socat does not deadlock" {
    need socat ss
    local data
    data=$(random_file 20000000 1)
    start socat -t 30 TCP-LISTEN:0,bind=127.0.0.1,rcvbuf=65536,sndbuf=65536 EXEC:cat
    until_true 20 find_port "$pid"
    client -I 64k -O 64k 127.0.0.1 "$real_port" <"$data" >"$T/out"
    assert_status 0
    assert_same "$T/out" "$data"
}

# ---- the network changes ----

flapping_address() {
    local data
    data=$(random_file 2000000 1)
    ip addr add 10.77.0.1/32 dev lo
    feed "=$data" "@$T/gone" "=$data" "@$T/back" "=$data"
    start_listener 10.77.0.1 0
    START_IN=$T/in start "$SOCKCAT" -s 10.77.0.1 10.77.0.1 "$port"
    until_true 20 is_larger "$T/listener.out" 2000000
    ip addr del 10.77.0.1/32 dev lo
    touch "$T/gone"
    local before i
    before=$(cpu_ticks "$pid")
    for ((i = 0; i < 100; i++)); do tick; done
    [ $(($(cpu_ticks "$pid") - before)) -lt 30 ] || fail "it spins"
    ip addr add 10.77.0.1/32 dev lo
    touch "$T/back"
    finish "$pid"
    local sender=$result
    finish "$listener"
    # Either it goes on and all arrives, or both know that it did not.
    if [ "$sender" -eq 0 ] || [ "$result" -eq 0 ]; then
        assert_equal "$sender $result" "0 0"
        cat "$data" "$data" "$data" >"$T/wanted"
        assert_same "$T/listener.out" "$T/wanted"
    else
        [ "$sender" -eq 55 ] || assert_equal "$sender" 56
    fi
}

@test "F41: an address that is removed for a while during a transfer loses nothing unnoticed" {
    need_netns
    export -f cpu_ticks
    in_netns flapping_address
}

removed_address() {
    ip addr add 10.77.0.1/32 dev lo
    feed start "@$T/gone" "=/dev/zero"
    start_listener 10.77.0.1 0
    START_IN=$T/in start "$SOCKCAT" --idle-timeout 1 -s 10.77.0.1 10.77.0.1 "$port"
    until_true 20 is_larger "$T/listener.out" 5
    ip addr del 10.77.0.1/32 dev lo
    touch "$T/gone"
    finish "$pid"
    [ "$result" -eq 28 ] || [ "$result" -eq 55 ] || assert_equal "$result" 56
    assert_one_error "$T/background.err" '10\.77\.0\.1:[0-9]+: '
}

@test "F41: an address that is removed for good ends a transfer with a failure" {
    need_netns
    in_netns removed_address
}

# ---- addresses that cannot be meant ----

self_connection() {
    local i self=0
    echo "41000 41000" >/proc/sys/net/ipv4/ip_local_port_range
    for i in 1 2 3 4 5; do
        status=0
        timeout -s KILL $((20 * LAST_RESORT)) "$SOCKCAT" 127.0.0.1 41000 </dev/null >"$T/out" 2>"$T/self.err" || status=$?
        assert_equal "$status" 7
        assert_one_error "$T/self.err" 'connect 127\.0\.0\.1:41000: '
        ! grep -q itself "$T/self.err" || self=$((self + 1))
    done
    # The kernel does make such connections; otherwise this test shows nothing.
    [ "$self" -gt 0 ] || fail "no connection to itself came about"
    # The same on purpose.
    status=0
    timeout -s KILL $((20 * LAST_RESORT)) "$SOCKCAT" -s 127.0.0.1 -p 42000 127.0.0.1 42000 </dev/null >"$T/out" \
        2>"$T/own.err" || status=$?
    assert_equal "$status" 7
    assert_one_error "$T/own.err" 'connect 127\.0\.0\.1:42000: .*itself'
}

@test "F43: a connection to itself is found out and refused" {
    need_netns
    in_netns self_connection
}

@test "F44: a port that is none is 3, in every place" {
    local text where
    for text in 65536 99999 80x x80 '' ' 80' 80,81 80-90 +80 0x50 1e3 8.0 nosuchservice \
        18446744073709551696; do
        for where in 'client' 'listener' '-l -p' '-p'; do
            case $where in
            client) set -- 127.0.0.1 "$text" ;;
            listener) set -- -l 127.0.0.1 "$text" ;;
            '-l -p') set -- -l -p "$text" ;;
            -p) set -- -p "$text" 127.0.0.1 1 ;;
            esac
            LIMIT=10 client "$@" </dev/null >"$T/out"
            assert_equal "$where '$text' $status" "$where '$text' 3"
            assert_one_error "$T/client.err" "port '"
        done
    done
}

@test "F44: port 0 and a negative port are nothing to connect to" {
    client 127.0.0.1 0 </dev/null >"$T/out"
    assert_status 3
    assert_one_error "$T/client.err" "port '0'"
    client 127.0.0.1 -- -1 </dev/null >"$T/out"
    assert_status 3
    assert_one_error "$T/client.err" "port '-1'"
    client -l -p -1 </dev/null >"$T/out"
    assert_status 3
    assert_one_error "$T/client.err" "port '-1'"
}

@test "F44: -1 is never taken for a port" {
    # Although to the options' parser it looks like a letter that does not exist.
    client 127.0.0.1 -1 </dev/null >"$T/out"
    assert_status 3
    assert_one_error "$T/client.err" "port '-1'"
}
