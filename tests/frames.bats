#!/usr/bin/env bats
# frames.bats - messages over any socket: --frame and its companions, and datagrams in batches.
# shellcheck disable=SC2154 # the helper sets port, peer, peer_port, listener, result, status
bats_require_minimum_version 1.5.0
load lib/helper

# sent WIRE-OPTIONS...: what a plain peer gets for standard input, in $T/peer.
sent() {
    LISTENER_OUT=$T/peer start_listener -d 127.0.0.1 0
    client "$@" 127.0.0.1 "$port"
    finish "$listener"
}

@test "each line becomes one frame, also an empty one and a last one without its end" {
    sent --frame netstring < <(printf 'hello\n\nworld')
    assert_equal "$status $(cat "$T/peer")" "0 5:hello,0:,5:world,"
    sent --frame octet-counting < <(printf '<34>1 a\nb\n')
    assert_equal "$status $(cat "$T/peer")" "0 7 <34>1 a1 b"
    sent --frame content-length < <(printf '{}\n')
    assert_equal "$status $(od -An -c "$T/peer" | tr -d ' \n')" \
        '0 Content-Length:2\r\n\r\n{}'
}

@test "Python reads length-prefixed messages, and its answers are lines" {
    need python3
    drive frames length_prefixed "$SOCKCAT"
}

@test "a varint service, as protobuf's delimited messages are" {
    need python3
    drive frames varint_service "$SOCKCAT"
}

@test "received messages are JSON objects that python3 reads" {
    need python3
    start_peer 'send:\x02hi\x02\xff\x00' close
    client -d --frame u8 --stdout-frame json 127.0.0.1 "$peer_port" >"$T/out"
    assert_equal "$status" 0
    python3 -c 'import base64, json, sys
one, two = map(json.loads, sys.stdin)
assert one["text"] == "hi" and one["from"] == "127.0.0.1:" + sys.argv[1], one
assert base64.b64decode(two["base64"]) == b"\xff\0" and "text" not in two, two' "$peer_port" <"$T/out"
}

@test "F127: a stream that ends inside a frame is 18, and what was whole is delivered" {
    start_peer send:3:abc,5:he close
    assert_fails 18 'message 2, byte 10: it is cut off there' \
        sockcat -d --frame netstring 127.0.0.1 "$peer_port"
    assert_equal "$(cat "$T/fails.out")" abc
}

@test "F127: standard input that ends inside a frame is 18, and the peer does not see a good end" {
    start_peer recvall! reset
    assert_fails 18 'receive from stdin: message 2' \
        sockcat --frame u32be --stdin-frame netstring 127.0.0.1 "$peer_port" < <(printf '3:abc,5:he')
    assert_peer_done
}

@test "a long line needs memory for itself and its frame, and little more" {
    need python3
    grep -q __asan_init "$SOCKCAT" && skip "a sanitizer needs memory of its own"
    for _ in 1 2 3 4; do
        head -c 5000000 /dev/zero
        echo
    done >"$T/lines"
    start_peer recv:20000016 "touch:$T/arrived" "waitfor:$T/measured"
    START_IN=$T/lines start "$SOCKCAT" --frame u32be 127.0.0.1 "$peer_port"
    await_file "$T/arrived"
    peak=$(sed -nE 's/^VmHWM:\s+([0-9]+) kB/\1/p' "/proc/$pid/status")
    touch "$T/measured"
    finish "$pid"
    assert_equal "$result" 0
    [ "$peak" -gt 9000 ] && [ "$peak" -lt 13500 ] || fail "$peak KiB"
}

@test "a length that is refused is reported with its bytes, and the byte order that fits" {
    start_listener -d --frame u32be 127.0.0.1 0
    printf '\5\0\0\0hello' | sockcat --no-shutdown -q 5 127.0.0.1 "$port" || :
    assert_listener_ends 102 'message 1, byte 0: length 83886080 \(05 00 00 00\) is longer than --max-message; little-endian\?$'
    start_listener -d --frame u32be 127.0.0.1 0
    printf 'GET / HTTP/1.0\r\n\r\n' | sockcat -q 5 127.0.0.1 "$port" || :
    assert_listener_ends 102 'message 1, byte 0: length 1195725856 \(47 45 54 20\) is longer than --max-message$'
}

@test "F125: a length above --max-message is refused before the message comes" {
    start_peer 'send:\x00\x00\x00\x01a\x7f\xff\xff\xff' recvall! close
    assert_fails 102 'message 2, byte 5: ' sockcat -d --frame u32be 127.0.0.1 "$peer_port"
    assert_equal "$(cat "$T/fails.out")" a
    start_peer sendrand:1:1000000 recvall! close
    assert_fails 102 'max-message' sockcat -d --frame delim:nowhere --max-message 64k \
        127.0.0.1 "$peer_port"
}

@test "what a format cannot carry is 102 with the message's number, and nothing of it is sent" {
    LISTENER_OUT=$T/peer start_listener -d 127.0.0.1 0
    assert_fails 102 "message 2 from stdin: a line break, which the format 'line' cannot carry" \
        sockcat --frame line --stdin-frame nul 127.0.0.1 "$port" < <(printf 'a\0b\nc\0d\0')
    assert_equal "$(cat "$T/peer")" a
    finish "$listener"
    assert_equal "$result" 56
}

@test "--oversize cuts such messages short, or leaves them out, and says how many" {
    sent --frame line --stdin-frame nul --oversize truncate < <(printf 'a\0b\nc\0d\0')
    assert_equal "$status $(cat "$T/peer")" $'0 a\nb\nd'
    assert_line '0 messages skipped, 1 truncated' "$T/client.err"
    sent --frame line --stdin-frame nul --oversize skip < <(printf 'a\0b\nc\0d\0')
    assert_equal "$status $(cat "$T/peer")" $'0 a\nd'
    assert_line '1 message skipped, 0 truncated' "$T/client.err"
}

@test "a frame that is larger than a datagram is 102, too, and --oversize is for it" {
    need python3
    drive frames larger_than_datagram
}

@test "where even the smallest frame is larger than a datagram, messages are left out, not cut short" {
    start_peer --listen udp recvdgram
    client -u --send-only --frame fixed:70000,pad=0 --oversize truncate 127.0.0.1 "$peer_port" <<<ab
    assert_equal "$status" 0
    assert_line ': 0 bytes sent, .*1 message skipped, 0 truncated' "$T/client.err"
}

@test "a datagram of more than --max-message is refused" {
    start_listener -ud --frame datagram --max-message 3 127.0.0.1 0
    start_peer --connect "udp:127.0.0.1:$port" send:abc send:abcd
    assert_listener_ends 102 'message 2, byte 6: longer than --max-message'
    assert_equal "$(cat "$T/listener.out")" abc
}

@test "a bad frame in a datagram is reported with its sender" {
    need python3
    start_listener -luk --max-accepts 2 --idle-timeout 1 --frame netstring 127.0.0.1 0
    python3 -c 'import socket, sys
for text in b"1:a,", b"?":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(text, ("127.0.0.1", int(sys.argv[1])))
print(s.getsockname()[1])' "$port" >"$T/sender"
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "104 a"
    assert_line "^sockcat: receive from 127.0.0.1:$(cat "$T/sender"): message 1, byte 0" "$T/listener.err"
}

@test "with -k a client whose bytes are no frame ends alone, bad standard input ends the listener" {
    need python3
    drive frames bad_client_and_bad_stdin
}

@test "what is counted are messages, and the bytes on the wire, both ways" {
    start_peer 'send:2:hi,0:,7:x' recvall! close
    client --frame netstring --stdio-frame hex -v 127.0.0.1 "$peer_port" <<<$'61\n6263'
    assert_equal "$status" 18
    assert_line ': 9 bytes sent, 8 bytes received \(2 and 2 messages\)' "$T/client.err"
    start_peer 'send:2:hi,0:,7:x' reset
    assert_fails 56 'reset by peer \(0 bytes sent, 8 bytes received\)' \
        sockcat -d --frame netstring --stdout-frame hex 127.0.0.1 "$peer_port"
}

@test "--send-only drops received data, messages or not" {
    start_peer 'send:no message of any kind' recvall! close
    client --send-only -v --frame netstring 127.0.0.1 "$peer_port" <<<hello
    assert_equal "$status" 0
    assert_line '\(1 and 0 messages\)' "$T/client.err"
    assert_peer_done
}

@test "--escape carries what the delimiter would end, and brings it back" {
    printf 'a\nb\\\\c\0d\0' >"$T/in"
    LISTENER_OUT=$T/peer start_listener -d --frame line --escape --stdout-frame nul 127.0.0.1 0
    client --frame line --escape --stdin-frame nul 127.0.0.1 "$port" <"$T/in"
    finish "$listener"
    assert_equal "$status $result" "0 0"
    assert_same "$T/peer" "$T/in"
}

@test "--strict: a last line without its end is cut" {
    start_peer recvall! close
    assert_fails 18 'message 2' sockcat --frame u8 --strict 127.0.0.1 "$peer_port" < <(printf 'a\nb')
}

@test "every line becomes one datagram, every datagram one line" {
    start_peer --listen udp expect:one expect:two send:three
    client -u -W 1 --stdio-frame line 127.0.0.1 "$peer_port" < <(printf 'one\ntwo\n') >"$T/out"
    assert_equal "$status $(cat "$T/out")" "0 three"
    assert_peer_done
}

# lengths OPTION...: sends $T/in as datagrams; their lengths, in $T/lengths, and the bytes are checked.
lengths() {
    drive frames lengths "$SOCKCAT" "$T/in" "$T/lengths" "$@"
}

@test "fixed:N cuts a file into datagrams of exactly N bytes, and a shorter last one" {
    need python3
    head -c 60050 "$(random_file 100000 1)" >"$T/in"
    for size in 100 1400; do
        lengths --stdin-frame "fixed:$size"
        assert_equal "$(cat "$T/lengths")" "$((60050 % size)) $size"
    done
}

@test "they leave in few calls, and one by one where the kernel refuses that" {
    need python3 strace
    need_shim
    head -c 60000 "$(random_file 100000 1)" >"$T/in"
    start_peer --listen udp recvquiet:1
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 \
        strace -f -qq -o "$T/calls" -e trace=sendmsg,sendmmsg "$SOCKCAT" -u --send-only \
        --stdin-frame fixed:100 127.0.0.1 "$peer_port" <"$T/in" 2>"$T/client.err"
    [ "$(grep -c send "$T/calls")" -le 10 ] || fail "$(grep -c send "$T/calls") calls"
    for rules in getsockopt:ENOPROTOOPT:* sendmmsg:EINVAL:1 sendmmsg:EINVAL:1,sendmmsg:EINVAL:2 \
        sendmmsg:EIO:1,sendmmsg:EIO:2 sendmmsg:ENOSYS:* sendmmsg:EAGAIN:1; do
        with_shim "$rules" lengths --stdin-frame fixed:100
        assert_equal "$(cat "$T/lengths")" 100 || fail "for $rules"
    done
}

# taken_apart OPTION...: a listener gets datagrams that the kernel has joined.
taken_apart() {
    need python3
    need_shim
    # No more than the smallest receive buffer holds.
    head -c 15000 "$(random_file 100000 1)" >"$T/in"
    for rules in '' setsockopt:ENOPROTOOPT:* recvmmsg:ENOSYS:*; do
        with_shim "$rules" start_listener -ud "$@" --idle-timeout 0.5 --frame datagram --stdout-frame u16be \
            127.0.0.1 0
        client -u --send-only --stdin-frame fixed:100 127.0.0.1 "$port" <"$T/in"
        assert_equal "$status" 0
        finish "$listener"
        python3 -c 'import sys
data, sent = sys.stdin.buffer.read(), open(sys.argv[1], "rb").read()
back = b"".join(data[i + 2:i + 102] for i in range(0, len(data), 102))
assert back == sent and all(data[i:i + 2] == b"\0d" for i in range(0, len(data), 102))' \
            "$T/in" <"$T/listener.out" || fail "for '$rules'"
    done
}

@test "datagrams that the kernel has joined are taken apart again" { taken_apart; }

@test "datagrams that the kernel has joined are taken apart again with -k" { taken_apart -k --max-accepts 1; }

@test "each datagram of many senders is shown with its sender" {
    need python3
    start_listener -luk --max-accepts 2 --idle-timeout 1 --frame datagram --stdout-frame json 127.0.0.1 0
    python3 -c 'import socket, sys
for text in b"one", b"two":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(text, ("127.0.0.1", int(sys.argv[1])))
    print("\"from\":\"127.0.0.1:%d\",\"text\":\"%s\"" % (s.getsockname()[1], text.decode()))
' "$port" >"$T/wanted"
    finish "$listener"
    sed 's/.*\("from".*\)}/\1/' "$T/listener.out" >"$T/out"
    assert_same "$T/out" "$T/wanted"
}

@test "an echo counts the messages of both directions" {
    for options in --frame=line -u; do
        start_listener -v -k --max-accepts 1 -w 0.3 "$options" --echo 127.0.0.1 0
        printf 'a\nb\nc\n' >"$T/in"
        # shellcheck disable=SC2046 # one word or none
        sockcat --frame=line $([ "$options" = -u ] && echo -u) -W 3 127.0.0.1 "$port" <"$T/in" >"$T/out"
        cmp "$T/in" "$T/out"
        finish "$listener"
        assert_line ': 6 bytes sent, 6 bytes received \(3 and 3 messages\)' "$T/listener.err"
    done
}

@test "--list-formats shows every format" {
    sockcat --list-formats >"$T/out"
    for format in line crlf nul delim:STR fixed:N u8 u16be u64le varint netstring octet-counting \
        content-length slip cobs hex base64 json datagram; do
        assert_line "^$format(\$|\\[)" "$T/out"
    done
}

@test "the messages of a socket that is standard input or output are messages of the stream" {
    drive frames standard_sockets
}

@test "what has no meaning is refused before anything is done" {
    assert_fails 3 "frame 'foo': unknown format" sockcat --frame foo 127.0.0.1 9
    assert_fails 2 'requires --frame' sockcat --stdin-frame line 127.0.0.1 9
    assert_fails 2 'requires a datagram or seqpacket socket' sockcat --frame datagram 127.0.0.1 9
    assert_fails 2 'datagram requires a datagram or seqpacket socket as standard input' \
        sockcat -u --stdin-frame datagram 127.0.0.1 9 </dev/null
    assert_fails 2 'datagram requires a datagram or seqpacket socket as standard output' \
        sockcat -u --stdout-frame datagram 127.0.0.1 9 </dev/null
    assert_fails 2 'datagram requires a datagram or seqpacket socket as standard input' \
        sockcat --frame u8 --stdin-frame datagram 127.0.0.1 9 -e cat </dev/null
    assert_fails 2 '--crlf' sockcat -C --frame line 127.0.0.1 9
}
