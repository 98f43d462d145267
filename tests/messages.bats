#!/usr/bin/env bats
# messages.bats - frames as other programs write and read them, and the rows of the fault catalogue on
# framing, with every format. What a frame is is said once more here, in Python, not by sockcat.
# shellcheck disable=SC2154 # the helper sets port, peer, peer_port, listener, result, status
bats_require_minimum_version 1.5.0
load lib/helper

# ---- real peers ----

@test "a netstring service of Python's" {
    drive messages netstring_service
}

@test "logger sends octet-counted syslog over TCP, and each message is a line" {
    need logger
    start_listener -d --frame octet-counting 127.0.0.1 0
    printf 'first\nsecond, with 1:2,\n' | logger --server 127.0.0.1 --port "$port" --tcp --octet-count -t tag
    finish "$listener"
    assert_equal "$result $(wc -l <"$T/listener.out")" "0 2"
    assert_line '^<13>1 .* tag - - .*first$' "$T/listener.out"
    assert_line '^<13>1 .* tag - - .*second, with 1:2,$' "$T/listener.out"
}

@test "logger's datagrams are a line each" {
    need logger
    start_listener -ud -W 2 --frame datagram 127.0.0.1 0
    printf 'first\nsecond\n' | logger --server 127.0.0.1 --port "$port" --udp -t tag
    finish "$listener"
    assert_equal "$result $(wc -l <"$T/listener.out")" "0 2"
    assert_line '^<13>.* tag .*second$' "$T/listener.out"
}

@test "a receiver of RFC 6587 gets what sockcat sends, line breaks inside included" {
    drive messages rfc_6587_receiver
}

@test "jq reads our JSON lines, and we read jq's and python3's" {
    need jq python3
    start_peer 'send:\x00\x02hi\x00\x03a\n"\x00\x02\xff\x00' close
    client -d --frame u16be --stdout-frame json 127.0.0.1 "$peer_port" >"$T/out"
    assert_equal "$status" 0
    assert_equal "$(jq -r '.text // (.base64 | @json)' "$T/out")" $'hi\na\n"\n"/wA="'
    assert_equal "$(jq -r 'select(.text == "hi") | .from' "$T/out")" "127.0.0.1:$peer_port"
    # The time is one that jq knows.
    assert_equal "$(jq '.time | sub("[.][0-9]{6}Z$"; "Z") | fromdate > 1700000000' "$T/out" | sort -u)" true
    assert_equal "$(python3 -m json.tool --json-lines --no-indent <"$T/out" | wc -l)" 3
    # And back again.
    jq -c '{text: (.text // "none"), more: [1, {"a": null}]}' "$T/out" >"$T/in"
    python3 -c 'import json; print(json.dumps({"base64": "/wA=", "x": "ü"}))' >>"$T/in"
    LISTENER_OUT=$T/peer start_listener -d 127.0.0.1 0
    client --stdin-frame json --frame netstring 127.0.0.1 "$port" <"$T/in"
    finish "$listener"
    assert_equal "$status $(tr '\0\377' '0f' <"$T/peer")" $'0 2:hi,3:a\n",4:none,2:f0,'
}

@test "a language server's messages, with other header fields and in any letters" {
    drive messages language_server
}

@test "SLIP and COBS as Python decodes and encodes them" {
    drive messages slip_and_cobs
}

@test "find -print0 writes what nul reads, and xargs -0 reads what nul writes" {
    mkdir "$T/dir"
    (cd "$T/dir" && touch 'a b' $'line\nbreak' '*' plain)
    start_listener -d --frame netstring --stdout-frame nul 127.0.0.1 0
    (cd "$T/dir" && find . -type f -print0) >"$T/in"
    client --stdin-frame nul --frame netstring 127.0.0.1 "$port" <"$T/in"
    finish "$listener"
    assert_equal "$status $result" "0 0"
    (cd "$T/dir" && xargs -0 rm <"$T/listener.out")
    assert_equal "$(ls -A "$T/dir")" ""
}

@test "socat and nc talk in lines and in CRLF lines" {
    need socat ss nc.openbsd
    start_server socat TCP4-LISTEN:0,bind=127.0.0.1 SYSTEM:'tr a-z A-Z'
    client --frame line --stdin-frame netstring --stdout-frame crlf 127.0.0.1 "$port" \
        < <(printf '3:one,3:two,') >"$T/out"
    assert_equal "$status $(od -An -c "$T/out" | tr -d ' \n')" '0 ONE\r\nTWO\r\n'
    start_listener --frame crlf --stdio-frame netstring 127.0.0.1 0
    printf 'GET /\r\na: b\r\n\r\n' | nc.openbsd -N 127.0.0.1 "$port" >"$T/out"
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" '0 5:GET /,4:a: b,0:,'
}

# ---- K125: a length that is too large ----

@test "F125: a length above the cap is refused before there is room for it, and the peer is closed" {
    drive messages length_above_cap
}

# ---- K126: lengths at the cap ----

@test "F126: lengths 0 and the cap are messages, one more is not, in every format" {
    drive messages length_limits
}

# ---- K127: a frame that is cut ----

# cuts END STATUS PATTERN: the second of two frames is cut behind every byte of it, in every format.
cuts() {
    drive messages cuts "$@"
}

@test "F127: a frame that the end of the stream cuts is 18 wherever it is cut, and never delivered" {
    cuts end 18 'it is cut off there'
}

@test "F127: a frame that a reset cuts is 56 wherever it is cut, and never delivered" {
    cuts reset 56 'Connection reset by peer'
}

# ---- K128: an end that never comes ----

@test "F128: a delimiter that never comes is 102 at the cap, and costs no memory" {
    drive messages no_delimiter
}

# ---- K129: split across reads ----

@test "F129: a read of one byte at a time, or of two, makes no difference in any format" {
    need_shim
    drive messages short_reads "$SHIM_LIB" "${SOCKCAT##*/}"
}

# ---- K130: the last line ----

@test "F130: a last line without its end is delivered, and with --strict it is 18" {
    drive messages last_line
}

# ---- K131: bytes that are no frame ----

@test "F131: what is no frame is 102 with the byte where it is wrong, in every format" {
    drive messages bad_frames
}

@test "T2: a byte that no frame can have ends the session with 102 at once, not at the end of the stream" {
    drive messages bad_byte_at_once
}

@test "T2: a header field that is passed over never swallows a message" {
    start_peer "send:T: a\nContent-Length: 2\n\n{}T: a\r\nContent-Length: 2\r\n\r\n[]" recvall! close
    assert_fails 102 'message 1, byte 4: a control character in the header' \
        sockcat -d --frame content-length 127.0.0.1 "$peer_port"
    assert_equal "$(cat "$T/fails.out")" ''
}

# ---- K132: there and back ----

@test "F132: random bytes are the same behind two formats and a real socket" {
    drive messages random_bytes
}

# ---- K133: very many ----

@test "F133: a million tiny messages are read and written in few calls, either way" {
    need strace python3
    python3 -c 'print("\n".join("%x" % (i % 16) * (i % 3) for i in range(1000000)))' >"$T/in"
    LISTENER_OUT=$T/peer start_listener -d --frame varint 127.0.0.1 0
    for side in out in; do
        if [ "$side" = in ]; then
            finish "$listener"
            assert_same "$T/peer" "$T/in"
            LISTENER_IN=$T/in start_listener --send-only --frame varint 127.0.0.1 0
        fi
        ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -qq -o "$T/calls" "$SOCKCAT" --frame varint \
            127.0.0.1 "$port" <"$([ "$side" = in ] && echo /dev/null || echo "$T/in")" >"$T/out" 2>"$T/client.err"
        [ "$(grep -c . "$T/calls")" -le 2000 ] || fail "$(grep -c . "$T/calls") calls, $side"
    done
    assert_same "$T/out" "$T/in"
}

# ---- K134: whatever the socket is ----

@test "F134: every format is the same over TCP, UDP and the kinds of Unix sockets" {
    drive messages every_transport
}

# ---- F66, F67, F68: datagrams as messages ----

@test "F66: an empty datagram is an empty message, and the reverse" {
    drive messages empty_datagram
}

@test "a datagram may have several frames, or none, but no frame goes on in the next one" {
    drive messages frames_in_datagrams
}

@test "F67: the largest datagrams are one message each, whole" {
    drive messages largest_datagrams
}

@test "F68: a message of more than 65507 bytes is 102, whichever way it was framed, and nothing of it is sent" {
    drive messages message_too_large
}
