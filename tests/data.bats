#!/usr/bin/env bats
# data.bats - what -C, -t, -i and -W do to the data that pass: line ends, telnet commands, pauses
# between lines, and an end after N messages.

# shellcheck disable=SC2154 # the helpers set port, peer_port, pid, listener, result
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own, as it should be
bats_require_minimum_version 1.5.0
load lib/helper

# What the nc family is measured with, and what is right.
LINES='a\nb\r\nc\rd'
CONVERTED='a\r\nb\r\nc\rd'

# assert_clean: the client in the foreground ended well and said nothing.
assert_clean() { assert_equal "$status $(cat "$T/client.err")" "0 "; }

# assert_peer_said LINE...: the last lines of the scripted peer, which took all its steps.
assert_peer_said() {
    assert_peer_done
    assert_equal "$(tail -n "$#" "$T/peer.out")" "$(printf '%s\n' "$@")"
}

# start_client ARG...: sockcat in the background with standard input from $T/in; sets $pid.
start_client() {
    "$SOCKCAT" "$@" <"$T/in" >"$T/out" 2>"$T/client.err" 3>&- &
    pid=$!
    started+=("$pid")
}

# convert FILE: as -C should, by the rule in one line.
convert() { python3 -c 'import re, sys
sys.stdout.buffer.write(re.sub(rb"(?<!\r)\n", b"\r\n", open(sys.argv[1], "rb").read()))' "$1"; }

# many_lines: makes $T/lines, 3 MB in which every byte is a line feed, a carriage return or not.
many_lines() {
    python3 -c 'import random, sys
sys.stdout.buffer.write(bytes(random.Random(7).choices(b"\n\rxyz", k=3000000)))' >"$T/lines"
    convert "$T/lines" >"$T/converted"
}

# need_seqpacket: Unix sockets that are connections and keep messages.
need_seqpacket() {
    python3 -c 'import socket; socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)' 2>/dev/null ||
        skip "needs Unix sockets that keep messages"
}

# digest FILE
digest() { sha256sum <"$1" | cut -d ' ' -f 1; }

# ---- -C ----

@test "-C sends a line feed as CR LF and leaves a CR LF and a lone CR as they are" {
    printf %b "$LINES" >"$T/in"
    start_peer "expect:$CONVERTED" recvall count
    client -C 127.0.0.1 "$peer_port" <"$T/in"
    assert_clean
    assert_peer_said 9
}

@test "-C sends what ncat -C sends" {
    need ncat
    printf %b "$LINES" >"$T/in"
    start_peer "expect:$CONVERTED" recvall count
    ncat -C --send-only 127.0.0.1 "$peer_port" <"$T/in"
    assert_peer_said 9
    start_listener -d 127.0.0.1 0
    ncat -C --send-only 127.0.0.1 "$port" <"$T/in"
    assert_listener_ends 0
    mv "$T/listener.out" "$T/by_ncat"
    start_listener -d 127.0.0.1 0
    client --crlf 127.0.0.1 "$port" <"$T/in"
    assert_listener_ends 0
    assert_same "$T/listener.out" "$T/by_ncat"
}

@test "-C knows a CR LF whose two bytes are read apart" {
    feed 'a\r' "@$T/got" '\nb\n'
    start_peer 'expect:a\r' touch:"$T/got" 'expect:\nb\r\n' recvall count
    client -C 127.0.0.1 "$peer_port" <"$T/in"
    assert_clean
    assert_peer_said 6
}

@test "-C converts a line feed that begins a read behind one that ended in no CR" {
    feed 'a\r\n' "@$T/got" '\nb'
    start_peer 'expect:a\r\n' touch:"$T/got" 'expect:\r\nb' recvall count
    client -C 127.0.0.1 "$peer_port" <"$T/in"
    assert_clean
    assert_peer_said 6
}

@test "-C converts right however the input is cut" {
    drive data crlf_in_pieces
}

@test "-C does not change what is received" {
    start_peer "send:$LINES" recvall
    client -C 127.0.0.1 "$peer_port" </dev/null >"$T/out"
    assert_clean
    printf %b "$LINES" >"$T/wanted"
    assert_same "$T/out" "$T/wanted"
    assert_peer_done
}

@test "-C converts a large file of many lines" {
    many_lines
    start_peer recvall sha256
    client -C 127.0.0.1 "$peer_port" <"$T/lines"
    assert_clean
    assert_peer_said "$(digest "$T/converted")"
}

@test "-C converts a large file for a reader that is slow" {
    head -c 300000 /dev/zero | tr '\0' '\n' >"$T/lines"
    convert "$T/lines" >"$T/converted"
    start_peer rcvbuf:4096 slow:4000:0.0005 sha256
    client -C 127.0.0.1 "$peer_port" <"$T/lines"
    assert_clean
    assert_peer_said "$(digest "$T/converted")"
}

@test "-C with -l converts what the listener sends" {
    many_lines
    LISTENER_IN=$T/lines start_listener -C 127.0.0.1 0
    client 127.0.0.1 "$port" </dev/null >"$T/out"
    assert_clean
    assert_same "$T/out" "$T/converted"
    assert_listener_ends 0
}

@test "-C does not change how a session ends: the answer is awaited" {
    printf 'question\n' >"$T/in"
    start_peer 'expect:question\r\n' recvall 'send:answer\n' close
    client -C 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" answer
    assert_peer_done
}

@test "-C: the bytes that -v counts are those that were sent" {
    printf %b "$LINES" >"$T/in"
    start_peer "expect:$CONVERTED" recvall 'send:x\n' close
    client -v -C 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_status 0
    assert_line 'closed .*: 9 bytes sent, 2 bytes received' "$T/client.err"
}

@test "-C over UDP: a read of several lines is one datagram" {
    printf 'a\nb\r\n\n' >"$T/in"
    start_peer --listen udp 'expect:a\r\nb\r\n\r\n' send:ok
    client -C -u -W 1 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_peer_done
}

@test "-C over UDP: each message is converted on its own, and an empty one stays" {
    drive data crlf_udp
}

@test "-C over Unix datagrams: a file of line feeds only, which doubles, arrives whole" {
    drive data crlf_unix_datagrams
}

@test "-C over Unix datagrams: wherever the read of a file ends, a CR LF there stays one" {
    drive data crlf_across_reads
}

# ---- -t ----

@test "-t answers DO with WONT and WILL with DONT, and keeps both out of the output" {
    feed "@$T/answered"
    start_peer 'send:a\xff\xfd\x01b\xff\xfb\x03c' 'expect:\xff\xfc\x01\xff\xfe\x03' \
        touch:"$T/answered" recvall count
    client -t 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" abc
    assert_peer_said 6
}

@test "-t does not answer refusals" {
    feed "@$T/answered"
    # The answer to the data after them is the first, and the only one.
    start_peer 'send:\xff\xfc\x01\xff\xfe\x03\xff\xfd\x05' 'expect:\xff\xfc\x05' \
        touch:"$T/answered" recvall count
    client -t 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_equal "$(stat -c %s "$T/out")" 0
    assert_peer_said 3
}

@test "-t refuses every option there is" {
    drive data telnet_refuses_all
}

@test "-t removes a subnegotiation, in which a doubled 255 is no end" {
    start_peer 'send:a\xff\xfa\x18\x01\xff\xff\xf0x\xff\xf0b' recvall
    client -t 127.0.0.1 "$peer_port" </dev/null >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" ab
    assert_peer_done
}

@test "-t makes one byte 255 of a doubled one and removes all other commands" {
    start_peer 'send:a\xff\xffb\xff\xf1c\xff\xf9d\xff\xff\xff\xff' recvall
    client -t 127.0.0.1 "$peer_port" </dev/null >"$T/out"
    assert_clean
    printf 'a\377bcd\377\377' >"$T/wanted"
    assert_same "$T/out" "$T/wanted"
    assert_peer_done
}

@test "-t understands commands that come byte by byte" {
    drive data telnet_byte_by_byte
}

# reset_behind_a_question ARG...: the peer asks and resets, before either is seen.
reset_behind_a_question() {
    drive data telnet_reset_after_question "$@"
}

@test "-t: a reset behind a question that cannot be answered any more is no good end" {
    reset_behind_a_question
    reset_behind_a_question -d
    reset_behind_a_question --until=peer
}

@test "-t doubles a byte 255 that is sent, the last one of the input, too" {
    printf 'a\377b\377\377' >"$T/in"
    start_peer 'expect:a\xff\xffb\xff\xff\xff\xff' recvall count
    client -t 127.0.0.1 "$peer_port" <"$T/in"
    assert_clean
    assert_peer_said 8
}

@test "-t carries any bytes both ways, between programs that send CR NUL and double 255 themselves" {
    python3 -c 'import re, sys
data = re.sub(rb"\r(?=[^\n])", rb"\r\0", open(sys.argv[1], "rb").read())
sys.stdout.buffer.write(data.replace(b"\xff", b"\xff\xff"))' \
        "$(random_file 2000000 1)" >"$T/doubled"
    start_peer recvall sha256 sendfile:"$T/doubled" close
    client -t 127.0.0.1 "$peer_port" <"$(random_file 2000000 1)" >"$T/out"
    assert_clean
    assert_same "$T/out" "$(random_file 2000000 1)"
    assert_peer_said "$(digest "$T/doubled")"
}

@test "-t with sockcat at both ends carries any bytes both ways" {
    LISTENER_IN=$(random_file 2000000 1) start_listener -t 127.0.0.1 0
    client -t 127.0.0.1 "$port" <"$(random_file 2000000 2)" >"$T/out"
    assert_clean
    assert_listener_ends 0
    assert_same "$T/out" "$(random_file 2000000 1)"
    assert_same "$T/listener.out" "$(random_file 2000000 2)"
}

@test "-t: answers never part a byte 255 from its double" {
    drive data telnet_escape_not_split
}

@test "-t: a peer that asks and reads no answer is not read any more, and its end is the end" {
    drive data telnet_flood_closed
}

@test "-t: --idle-timeout ends a session with a peer that reads no answer" {
    drive data telnet_flood_idle
}

@test "-t: SIGTERM ends a session with a peer that reads no answer" {
    drive data telnet_flood_sigterm
}

@test "-t waits without spinning for a peer that reads no answer" {
    drive data telnet_flood_waits
}

@test "-t: a peer that reads the answers late gets all of them" {
    drive data telnet_flood_read_late
}

@test "-t answers with -d, too" {
    start_peer 'send:\xff\xfd\x01hello' 'expect:\xff\xfc\x01' close
    client -t -d 127.0.0.1 "$peer_port" >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" hello
    assert_peer_done
}

# answers_late ARG...: a peer asks 5000 times before it hears the first answer, in small buffers.
answers_late() {
    drive data telnet_answers_late "$@"
}

@test "-t with -d: answers that do not fit at once are sent when they do" { answers_late -d; }

@test "-t with --no-shutdown: answers after the end of standard input are all sent" {
    answers_late --no-shutdown
}

@test "-t and -C together: line ends are converted, 255 doubled, commands answered" {
    feed "@$T/answered" 'a\n\377\r\n'
    start_peer 'send:x\n\xff\xfd\x01' 'expect:\xff\xfc\x01' touch:"$T/answered" \
        'expect:a\r\n\xff\xff\r\n' recvall count
    client -t -C 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" x
    assert_peer_said 10
}

@test "-t with -l answers a client that asks" {
    feed "@$T/answered"
    LISTENER_IN=$T/in start_listener -t 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" 'send:hello\xff\xfb\x01' 'expect:\xff\xfe\x01' \
        touch:"$T/answered" recvall
    assert_listener_ends 0
    assert_equal "$(cat "$T/listener.out")" hello
    assert_peer_done
}

@test "-t with -k: what a client left unfinished does not concern the next" {
    start_listener -t -k 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" 'send:one\xff\xfa\x18' shutwr recvall
    assert_peer_done
    start_peer --connect "tcp:127.0.0.1:$port" 'send:two' shutwr recvall
    assert_peer_done
    assert_equal "$(cat "$T/listener.out")" onetwo
}

@test "without -t telnet commands are data like all others" {
    start_peer 'send:\xff\xfd\x01a\xff\xff' recvall count
    client 127.0.0.1 "$peer_port" </dev/null >"$T/out"
    assert_clean
    printf '\377\375\001a\377\377' >"$T/wanted"
    assert_same "$T/out" "$T/wanted"
    assert_peer_said 0
}

# ---- -i ----

@test "-i sends all lines in their order, the last one without its end, too" {
    seq 30 >"$T/in"
    printf rest >>"$T/in"
    start_peer recvall sha256
    client -i 5ms 127.0.0.1 "$peer_port" <"$T/in"
    assert_clean
    assert_peer_said "$(digest "$T/in")"
}

@test "-i pauses behind each line" {
    printf 'a\nb\nc\n' >"$T/in"
    start_peer recvall
    client -i 300ms -o "$T/dump" 127.0.0.1 "$peer_port" <"$T/in"
    assert_clean
    # Two pauses, one of which is allowed for what a busy machine does between clock and write.
    python3 - "$T/dump" <<'PY'
import datetime, sys
times = [datetime.datetime.strptime(line.split()[0], '%Y-%m-%dT%H:%M:%S.%fZ')
         for line in open(sys.argv[1])]
assert len(times) == 3, times
assert (times[2] - times[0]).total_seconds() >= 0.3, times
PY
}

# one_line_only WANTED ARG...: of $T/in only WANTED is sent before the first pause, an endless one;
# DO and its answer go on meanwhile with -t.
one_line_only() {
    drive data one_line_only "$@"
}

@test "-i: nothing is sent in a pause, but data is received" {
    printf 'one\ntwo\n' >"$T/in"
    one_line_only 'one\n'
}

@test "-i with -C: the pause is behind CR LF" {
    printf 'one\ntwo\n' >"$T/in"
    one_line_only 'one\r\n' -C
}

@test "-i with -t: commands are answered in a pause" {
    printf 'o\377e\ntwo\n' >"$T/in"
    one_line_only 'o\xff\xffe\n' -t
}

@test "-i: the end follows the last line without a pause" {
    echo line >"$T/in"
    start_peer 'expect:line\n' recvall
    client -i 1h 127.0.0.1 "$peer_port" <"$T/in"
    assert_clean
    assert_peer_done
}

@test "-i: an end after the last line is passed on without a pause" {
    feed 'line\n' "@$T/got"
    start_peer 'expect:line\n' touch:"$T/got" recvall
    client -i 1h 127.0.0.1 "$peer_port" <"$T/in"
    assert_clean
    assert_peer_done
}

@test "-i does not pause within a line, however long" {
    tr '\n' x <"$(random_file 3000000)" >"$T/in"
    echo >>"$T/in"
    start_peer recvall sha256
    client -i 1h 127.0.0.1 "$peer_port" <"$T/in"
    assert_clean
    assert_peer_said "$(digest "$T/in")"
}

@test "-i with -l pauses, too" {
    printf 'a\nb\nc\n' >"$T/in"
    LISTENER_IN=$T/in start_listener -i 300ms 127.0.0.1 0
    # The first line is no reason to end the listener, and the last one comes.
    client 127.0.0.1 "$port" </dev/null -o "$T/dump" >"$T/out"
    assert_clean
    assert_same "$T/out" "$T/in"
    assert_listener_ends 0
    assert_line ' < 00000000 .*61 0a  .*a\.' "$T/dump"
}

# takes_at_least MICROSECONDS COMMAND...: a limit on the rate is one on the time.
takes_at_least() {
    local least=$1 from=${EPOCHREALTIME/./}
    shift
    "$@"
    [ $((${EPOCHREALTIME/./} - from)) -ge "$least" ] || fail "too early"
}

@test "--rate limits what is sent, in the kernel and through the process" {
    local path
    for path in --splice --no-splice; do
        start_peer recvall sha256
        takes_at_least 250000 client ${path/--splice/} --rate 1M 127.0.0.1 "$peer_port" <"$(random_file 300001)"
        assert_clean
        assert_peer_said "$(digest "$(random_file 300001)")"
    done
}

@test "--rate limits what is received" {
    start_peer sendrand:7:300000 shutwr recvall
    takes_at_least 250000 client --rate 1M -d 127.0.0.1 "$peer_port" >"$T/out"
    assert_clean
    assert_same "$T/out" "$(random_file 300000 7)"
}

@test "--rate limits each client of a listener, and whole messages" {
    start_listener -k --rate 1000 --frame netstring --echo 127.0.0.1 0
    printf '%0250d\n%0250d\n' 1 2 >"$T/in"
    takes_at_least 200000 client --frame netstring 127.0.0.1 "$port" <"$T/in" >"$T/out"
    assert_clean
    assert_same "$T/out" "$T/in"
}

@test "--rate limits every path of data, in both directions" {
    drive rate paths
}

@test "--rate with a burst lets that much pass at once" {
    # Without it this would take half an hour.
    printf '%02048d' 0 >"$T/in"
    start_peer recvall count
    client --rate 1:2k 127.0.0.1 "$peer_port" <"$T/in"
    assert_clean
    assert_peer_said 2048
}

@test "--rate: what waits for its time is no idleness for a shorter --idle-timeout" {
    echo a >"$T/in"
    start_peer recvall count
    client --rate 1 --idle-timeout 700ms 127.0.0.1 "$peer_port" <"$T/in"
    assert_clean
    assert_peer_said 2
}

@test "--rate has to be positive bytes, and a burst" {
    local rate
    for rate in 0 x 1: :1 1M:x -1 1.5 1M/s 99999999999G; do
        assert_fails 3 "^sockcat: invalid --rate '$rate': expected bytes per second, such as 10M or 10M:64k\$" \
            sockcat --rate="$rate" 127.0.0.1 9 </dev/null
    done
}

@test "-i over UDP pauses behind each message, and all come in order" {
    drive data delay_udp
}

@test "-i over UDP: only one message is sent before a long pause" {
    drive data delay_udp_first_only
}

@test "-i: a pause is no idleness for a shorter --idle-timeout" {
    printf 'a\nb\n' >"$T/in"
    start_peer recvall count
    client -i 1500ms --idle-timeout 1s 127.0.0.1 "$peer_port" <"$T/in"
    assert_clean
    assert_peer_said 4
}

@test "-i: behind the last line --idle-timeout runs at once" {
    echo line >"$T/in"
    start_peer 'expect:line\n' "waitfor:$T/never"
    client -i 1h --idle-timeout 300ms 127.0.0.1 "$peer_port" <"$T/in"
    assert_status 28
    assert_one_error "$T/client.err" 'nothing moved'
}

@test "-i: SIGTERM ends a long pause" {
    printf 'one\ntwo\n' >"$T/in"
    start_peer 'expect:one\n' touch:"$T/got" 'recvall!'
    start_client -i 1h 127.0.0.1 "$peer_port"
    await_file "$T/got"
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result" 143
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" reset
}

@test "-i: a reset in a pause ends it" {
    printf 'one\ntwo\n' >"$T/in"
    start_peer 'expect:one\n' reset
    client -i 1h 127.0.0.1 "$peer_port" <"$T/in"
    assert_status 55
    assert_one_error "$T/client.err" 'send to .*Connection reset'
}

@test "-i: -q runs from the last line on" {
    printf 'a\nb\n' >"$T/in"
    start_peer 'expect:a\nb\n' send:answer "waitfor:$T/never"
    client -i 1200ms -q 1s 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" answer
}

@test "-i: a session that -W ends sends the rest without pauses" {
    printf 'one\ntwo\n' >"$T/in"
    start_peer 'expect:one\n' send:answer 'expect:two\n' recvall
    client -i 1h -W 1 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" answer
    assert_peer_done
}

@test "-i: a session that the peer's end finishes sends the rest without pauses" {
    printf 'one\ntwo\n' >"$T/in"
    start_peer 'expect:one\n' shutwr 'expect:two\n' recvall
    client -i 1h --until=peer 127.0.0.1 "$peer_port" <"$T/in"
    assert_clean
    assert_peer_done
}

@test "-i with -k: a client that has half-closed gets the rest with pauses, too" {
    printf 'a\nb\nc\nd\n' >"$T/in"
    LISTENER_IN=$T/in start_listener -k -i 300ms -o "$T/dump" 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" shutwr recvall count
    assert_peer_done
    assert_equal "$(cat "$T/peer.out")" 8
    python3 - "$T/dump" <<'PY'
import datetime, sys
times = [datetime.datetime.strptime(line.split()[0], '%Y-%m-%dT%H:%M:%S.%fZ')
         for line in open(sys.argv[1]) if ' > ' in line]
assert len(times) == 4, times
assert (times[3] - times[0]).total_seconds() >= 0.6, times
PY
}

# ---- -W ----

@test "-W 1 over UDP: the answer is the end, without waiting for silence" {
    echo question >"$T/in"
    start_peer --listen udp 'expect:question\n' 'send:answer\n'
    client -u -W 1 -q 1h 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" answer
    assert_peer_done
}

@test "-W N ends after exactly N datagrams, even if there are more" {
    echo question >"$T/in"
    start_peer --listen udp recvdgram 'send:1\n' 'send:2\n' 'send:3\n' 'send:4\n' 'send:5\n'
    client -u -W 3 -q 1h 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" $'1\n2\n3'
    assert_peer_done
}

@test "-W counts an empty datagram" {
    echo question >"$T/in"
    start_peer --listen udp recvdgram send: send:2 send:3
    client -u -W 2 -q 1h 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" 2
    assert_peer_done
}

@test "-W N ends a UDP listener after N datagrams" {
    start_listener -u -W 2 127.0.0.1 0
    start_peer --connect "udp:127.0.0.1:$port" send:A send:B send:C
    assert_listener_ends 0
    assert_equal "$(cat "$T/listener.out")" AB
}

@test "-W N with -k ends the session of each UDP peer after N datagrams" {
    start_listener -u -k -v -W 2 --max-accepts 2 127.0.0.1 0
    start_peer --connect "udp:127.0.0.1:$port" send:A send:B
    assert_peer_done
    await_line "$T/listener.err" '^sockcat: closed '
    start_peer --connect "udp:127.0.0.1:$port" send:C send:D
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 ABCD"
}

@test "-W 1 over TCP ends with the first that comes, though the peer stays" {
    start_peer send:hello "waitfor:$T/ended"
    client -W 1 127.0.0.1 "$peer_port" </dev/null >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" hello
    touch "$T/ended"
    assert_peer_done
}

@test "-W ends a session though standard input is still open, and what was read of it arrived" {
    feed question "@$T/never"
    start_peer expect:question send:answer recvall count
    client -W 1 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" answer
    assert_peer_said 8
}

@test "-W over UDP ends a session though standard input is still open" {
    feed question "@$T/never"
    start_peer --listen udp expect:question send:answer
    client -u -W 1 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" answer
    assert_peer_done
}

@test "-W writes all of the last message, though the reader is slow" {
    random_file 60000 >/dev/null
    mkfifo "$T/slow"
    (
        trap - DEBUG ERR EXIT
        exec <"$T/slow"
        until [ -e "$T/sent" ]; do tick; done
        exec cat >"$T/out"
    ) 3>&- &
    reader=$!
    started+=("$reader")
    echo question >"$T/in"
    start_peer --listen udp recvdgram sendrand:1:60000 touch:"$T/sent"
    client -u -W 1 -q 1h 127.0.0.1 "$peer_port" <"$T/in" >"$T/slow"
    assert_clean
    finish "$reader"
    assert_same "$T/out" "$(random_file 60000)"
}

@test "-W over a connection that keeps messages counts messages" {
    need_seqpacket
    start_peer --listen "seqpacket:$T/socket" send:1 send:2 send!:3 "waitfor:$T/ended"
    client -U --seqpacket -W 2 "$T/socket" </dev/null >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" 12
    # The third message may find that the client has ended.
    touch "$T/ended"
    assert_peer_done
}

@test "-W: a peer that ends before ends the session well" {
    start_peer send:hello recvall
    client -W 1000 127.0.0.1 "$peer_port" </dev/null >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" hello
    assert_peer_done
}

@test "-W with -k: the next client is served, with a count of its own" {
    start_listener -k -W 1 127.0.0.1 0
    for word in one two three; do
        start_peer --connect "tcp:127.0.0.1:$port" "send:$word" recvall
        assert_peer_done
    done
    assert_equal "$(cat "$T/listener.out")" onetwothree
}

@test "-W with -t: commands alone are no message" {
    feed "@$T/never"
    start_peer 'send:\xff\xfd\x01' 'expect:\xff\xfc\x01' 'send:\xff\xfd\x02' 'expect:\xff\xfc\x02' \
        send:hello recvall
    client -t -W 1 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" hello
    assert_peer_done
}

@test "-t: a stream that ends inside a telnet command is cut (18)" {
    for end in '\xff' '\xff\xfd' '\xff\xfa\x18secret data' '\xff\xfa\x18data\xff'; do
        start_peer "send:ab$end" close
        assert_fails 18 "receive from 127.0.0.1:$peer_port: the stream ended inside a telnet command" \
            sockcat -t 127.0.0.1 "$peer_port" </dev/null
        assert_equal "$(cat "$T/fails.out")" ab
    done
}
