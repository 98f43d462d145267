#!/usr/bin/env bats
# record.bats - -o, --output and --append-output: what the files hold of what passed, and that a file
# that takes no more costs no data, only the status.

# shellcheck disable=SC2154,SC2034 # the helpers set port, peer_port, pid, result; they read LISTENER_IN
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own, as it should be
# shellcheck disable=SC2094 # a FIFO's two ends
bats_require_minimum_version 1.5.0
load lib/helper

# assert_clean: the client in the foreground ended well and said nothing.
assert_clean() { assert_equal "$status $(cat "$T/client.err")" "0 "; }

# without_times FILE: the lines of a dump behind their times.
without_times() { sed -E 's/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z //' "$1"; }

# undump FILE DIRECTION: the bytes of one direction; fails if a line is not as it should be, or an
# offset not that of the line before plus its bytes.
undump() {
    drive record undump "$1" "$2"
}

# start_client ARG...: sockcat in the background with standard input from $T/in; sets $pid.
start_client() {
    "$SOCKCAT" "$@" <"$T/in" >"$T/out" 2>"$T/client.err" 3>&- &
    pid=$!
    started+=("$pid")
}

# start_reader [NAME [COUNT]]: a reader of the FIFO $T/NAME (file), open when this returns. When $T/go
# is there it reads, into $T/NAME.read, COUNT bytes or to the end; sets $reader.
start_reader() {
    local name=${1:-file}
    mkfifo "$T/$name"
    python3 - "$T/$name" "$T/go" "${2:-0}" 3>&- <<'PY' &
import os, sys, time
path, go, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
open(path + '.open', 'w').close()
while not os.path.exists(go):
    time.sleep(0.01)
os.set_blocking(fd, True)
with open(path + '.read', 'wb') as to:
    while part := os.read(fd, 65536 if most == 0 else most - to.tell()):
        to.write(part)
PY
    reader=$!
    started+=("$reader")
    await_file "$T/$name.open"
}

# never_connects STATUS REGEX ARG...: the client ends so, and the listener at the port that is
# appended was not connected to.
never_connects() {
    drive record never_connects "$@"
}

# ---- the dump ----

@test "-o writes a line for what is sent and one for what is received" {
    printf 'question\n' >"$T/in"
    start_peer 'expect:question\n' recvall 'send:answer\n' close
    client -o "$T/file" 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    cat >"$T/wanted" <<'EOF'
> 00000000  71 75 65 73 74 69 6f 6e  0a                       |question.|
< 00000000  61 6e 73 77 65 72 0a                              |answer.|
EOF
    without_times "$T/file" >"$T/lines"
    assert_same "$T/lines" "$T/wanted"
}

@test "-o: a line has 16 bytes, and every byte is shown" {
    python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)))' >"$T/in"
    start_peer recvall
    client -o "$T/file" 127.0.0.1 "$peer_port" <"$T/in"
    assert_clean
    assert_equal "$(wc -l <"$T/file")" 16
    without_times "$T/file" >"$T/lines"
    assert_equal "$(sed -n 3p "$T/lines")" \
        "> 00000020  20 21 22 23 24 25 26 27  28 29 2a 2b 2c 2d 2e 2f  | !\"#\$%&'()*+,-./|"
    assert_equal "$(sed -n 8p "$T/lines")" \
        '> 00000070  70 71 72 73 74 75 76 77  78 79 7a 7b 7c 7d 7e 7f  |pqrstuvwxyz{|}~.|'
    assert_equal "$(sed -n 16p "$T/lines")" \
        '> 000000f0  f0 f1 f2 f3 f4 f5 f6 f7  f8 f9 fa fb fc fd fe ff  |................|'
    undump "$T/file" '>' >"$T/bytes"
    assert_same "$T/bytes" "$T/in"
}

@test "-o: the offsets of each direction go on by themselves" {
    feed one "@$T/heard" four
    start_peer expect:one send:22 send:333 touch:"$T/heard" expect:four recvall send:5 close
    client -o "$T/file" 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_equal "$(undump "$T/file" '>')" onefour
    assert_equal "$(undump "$T/file" '<')" 223335
    assert_line ' > 00000003  66 6f 75 72 ' "$T/file"
    assert_line ' < 00000005  35 ' "$T/file"
}

@test "-o: a megabyte each way can be had back from the dump" {
    start_peer both:2:1000000
    client -o "$T/file" 127.0.0.1 "$peer_port" <"$(random_file 1000000 1)" >"$T/out"
    assert_clean
    undump "$T/file" '>' >"$T/sent"
    assert_same "$T/sent" "$(random_file 1000000 1)"
    undump "$T/file" '<' >"$T/received"
    assert_same "$T/received" "$(random_file 1000000 2)"
    assert_same "$T/out" "$T/received"
}

@test "-o: the time is UTC, whatever the time zone" {
    printf x >"$T/in"
    start_peer recvall
    before=$(date -u +%Y-%m-%dT%H:%M:%S)
    TZ=XYZ-5:30 client -o "$T/file" 127.0.0.1 "$peer_port" <"$T/in"
    after=$(date -u +%Y-%m-%dT%H:%M:%S)
    assert_clean
    at=$(cut -c 1-19 "$T/file")
    [[ ! $at < $before && ! $at > $after ]] || fail "$at is not from $before to $after"
}

@test "-o: each datagram begins a line, and an empty one is a line" {
    start_listener -u -W 3 -o "$T/file" 127.0.0.1 0
    start_peer --connect "udp:127.0.0.1:$port" send:one send: send:three
    assert_listener_ends 0
    cat >"$T/wanted" <<'EOF'
< 00000000  6f 6e 65                                          |one|
< 00000003                                                    ||
< 00000003  74 68 72 65 65                                    |three|
EOF
    without_times "$T/file" >"$T/lines"
    assert_same "$T/lines" "$T/wanted"
}

@test "-o: an empty datagram that is sent is a line" {
    drive record empty_datagram
}

@test "-o shows what is sent after -C, and what is received as it came" {
    printf 'a\n' >"$T/in"
    start_peer recvall 'send:b\n' close
    client -C -o "$T/file" 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    assert_line ' > 00000000  61 0d 0a  *\|a\.\.\|$' "$T/file"
    assert_line ' < 00000000  62 0a  *\|b\.\|$' "$T/file"
}

@test "-o and --output show what is received after -t, and not what -t answers" {
    feed "@$T/answered" 'x\377'
    start_peer 'send:a\xff\xfd\x01b\xff\xff' 'expect:\xff\xfc\x01' touch:"$T/answered" \
        'expect:x\xff\xff' recvall
    client -t -o "$T/file" --output "$T/raw" 127.0.0.1 "$peer_port" <"$T/in" >"$T/out"
    assert_clean
    undump "$T/file" '<' >"$T/received"
    printf 'ab\377' >"$T/wanted"
    assert_same "$T/received" "$T/wanted"
    assert_same "$T/out" "$T/wanted"
    undump "$T/file" '>' >"$T/sent"
    cat "$T/received" "$T/sent" >"$T/both"
    assert_same "$T/raw" "$T/both"
}

# ---- the bytes ----

@test "--output holds the bytes of both directions in the order in which they passed" {
    feed 'one\n' "@$T/two" 'three\n' "@$T/four" 'five\n'
    start_peer 'expect:one\n' 'send:two\n' touch:"$T/two" 'expect:three\n' 'send:four\n' \
        "waitfor:$T/go" touch:"$T/four" recvall
    start_client --output "$T/file" 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/out" 9
    touch "$T/go"
    finish "$pid"
    assert_equal "$result" 0
    # Two comes before three goes, or behind it.
    assert_equal "$(sed 's/^two$/T/; s/^three$/T/' "$T/file")" $'one\nT\nT\nfour\nfive'
}

@test "--output of 8 MB that are sent is that file" {
    start_peer recvall
    client --output "$T/file" 127.0.0.1 "$peer_port" <"$(random_file 8000000)"
    assert_clean
    assert_same "$T/file" "$(random_file 8000000)"
}

@test "--output of 8 MB that are received is that file" {
    start_peer sendrand:1:8000000 close
    client -d --output "$T/file" 127.0.0.1 "$peer_port" >"$T/out"
    assert_clean
    assert_same "$T/file" "$(random_file 8000000)"
    assert_same "$T/out" "$T/file"
}

@test "--output of a listener is what a client that is not sockcat sent" {
    need nc.openbsd
    start_listener -d --output "$T/file" 127.0.0.1 0
    nc.openbsd -N -w 20 127.0.0.1 "$port" <"$(random_file 1000000)"
    assert_listener_ends 0
    assert_same "$T/file" "$(random_file 1000000)"
}

@test "--output takes an empty datagram as the first, as nothing" {
    start_listener -u -W 2 --output "$T/file" 127.0.0.1 0
    start_peer --connect "udp:127.0.0.1:$port" send: send:two
    assert_listener_ends 0
    assert_equal "$(cat "$T/file")" two
}

@test "what has passed is in the files at once, not only at the end" {
    start_peer send:hello "waitfor:$T/go"
    feed "@$T/go"
    start_client -o "$T/dump" --output "$T/file" 127.0.0.1 "$peer_port"
    await_line "$T/file" hello
    await_line "$T/dump" '\|hello\|'
    touch "$T/go"
    finish "$pid"
    assert_equal "$result" 0
}

@test "a session that SIGTERM ends leaves whole files" {
    start_peer send:hello 'recvall!'
    feed "@$T/never"
    start_client -o "$T/dump" --output "$T/file" 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/out" 5
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result $(cat "$T/client.err")" "143 "
    assert_equal "$(cat "$T/file")" hello
    assert_equal "$(undump "$T/dump" '<')" hello
}

# ---- the files ----

@test "a file that exists is refused before anything is connected, and stays as it is" {
    echo precious | tee "$T/file" >"$T/dump"
    never_connects 23 'dump: the file exists.*--append-output' -o "$T/dump"
    never_connects 23 'file: the file exists.*--append-output' --output "$T/file"
    assert_equal "$(cat "$T/file" "$T/dump")" $'precious\nprecious'
}

@test "the same file for both is refused" {
    never_connects 23 'file: the file exists' -o "$T/file" --output "$T/file"
}

@test "a device may be there, as it holds nothing" {
    start_peer send:hello recvall
    client -o /dev/null --output /dev/null 127.0.0.1 "$peer_port" </dev/null >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/out")" hello
}

@test "-o - and the names of own descriptors write there, behind what is there already" {
    for name in - /dev/stderr /dev/fd/2 /dev/stdout /dev/fd/1 /dev/fd/7; do
        start_peer send:hello recvall
        printf 'before\n' >"$T/there"
        case $name in
        *out | */1) sockcat -o "$name" --output "$T/file" 127.0.0.1 "$peer_port" >>"$T/there" ;;
        */7) sockcat -o "$name" --output "$T/file" 127.0.0.1 "$peer_port" 7>>"$T/there" ;;
        *) sockcat -v -o "$name" --output "$T/file" 127.0.0.1 "$peer_port" 2>>"$T/there" ;;
        esac </dev/null >"$T/out"
        assert_peer_done
        assert_equal "$(head -n 1 "$T/there")" before
        grep -Eo '[0-9]{4}-.*\|' "$T/there" >"$T/dump"
        assert_equal "$(undump "$T/dump" '<')" hello
        assert_equal "$(cat "$T/file")" hello
        rm "$T/file"
    done
}

@test "--output - is standard error: a file shared with others, a pipe, a socket" {
    start_peer send:hello recvall
    { echo before >&2 && sockcat --output - 127.0.0.1 "$peer_port" </dev/null >"$T/out"; echo after >&2; } 2>"$T/err"
    assert_equal "$(cat "$T/err")" $'before\nhelloafter'
    start_peer send:hello recvall
    assert_equal "$(sockcat --output - 127.0.0.1 "$peer_port" </dev/null 2>&1 >"$T/out" | cat)" hello
    start_peer sendrand:1:3000000 recvall
    drive record socket_as_error "$peer_port" >"$T/got"
    assert_same "$T/got" "$(random_file 3000000)"
}

@test "-o to a descriptor that is closed, or not open for writing, is 23 before anything is connected" {
    never_connects 23 'open /dev/fd/7: Bad file descriptor' -o /dev/fd/7
    never_connects 23 'open /dev/fd/x: ' -o /dev/fd/x
    assert_fails 23 'open /dev/fd/7: Bad file descriptor' sockcat -o /dev/fd/7 127.0.0.1 9 7</dev/null
}

@test "--append-output writes behind what the files hold" {
    printf 'old\n' | tee "$T/file" >"$T/dump"
    start_peer 'send:new\n' recvall
    client --append-output -o "$T/dump" --output "$T/file" 127.0.0.1 "$peer_port" </dev/null \
        >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/file")" $'old\nnew'
    assert_equal "$(head -n 1 "$T/dump")" old
    sed -i 1d "$T/dump"
    assert_equal "$(undump "$T/dump" '<')" new
}

@test "--append-output makes a file that is not there" {
    start_peer send:new recvall
    client --append-output --output "$T/file" 127.0.0.1 "$peer_port" </dev/null >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/file")" new
}

@test "--append-output by itself is a wrong command line" {
    assert_fails 2 'append-output' sockcat --append-output 127.0.0.1 9
}

@test "-z does not go with -o or --output" {
    assert_fails 2 '(-z|probe|-o|hex-dump)' sockcat -z -o "$T/file" 127.0.0.1 9
    assert_fails 2 '(-z|probe|output)' sockcat -z --output "$T/file" 127.0.0.1 9
    [ ! -e "$T/file" ] || fail "it opened the file"
}

@test "the files are made with the rights that umask leaves" {
    start_peer recvall accept recvall
    (umask 077 && sockcat -o "$T/dump" --output "$T/file" 127.0.0.1 "$peer_port" </dev/null)
    assert_equal "$(stat -c %a "$T/dump" "$T/file")" $'600\n600'
    rm "$T/dump" "$T/file"
    (umask 022 && sockcat -o "$T/dump" --output "$T/file" 127.0.0.1 "$peer_port" </dev/null)
    assert_equal "$(stat -c %a "$T/dump" "$T/file")" $'644\n644'
}

@test "with -k all sessions are in one file" {
    start_listener -k -o "$T/dump" --output "$T/file" 127.0.0.1 0
    for word in one two three; do
        start_peer --connect "tcp:127.0.0.1:$port" "send:$word" shutwr recvall
        assert_peer_done
    done
    assert_equal "$(cat "$T/file")" onetwothree
    assert_equal "$(wc -l <"$T/dump")" 3
    assert_line ' < [0-9a-f]{8}  6f 6e 65 ' "$T/dump"
    assert_line ' < [0-9a-f]{8}  74 68 72 65 65 ' "$T/dump"
}

@test "--append-output follows a link" {
    echo old >"$T/real"
    ln -s "$T/real" "$T/link"
    start_peer send:new recvall
    client --append-output --output "$T/link" 127.0.0.1 "$peer_port" </dev/null >"$T/out"
    assert_clean
    assert_equal "$(cat "$T/real")" $'old\nnew'
}

@test "a link that leads nowhere makes no file somewhere else" {
    ln -s "$T/real" "$T/link"
    never_connects 23 'link: ' --output "$T/link"
    [ ! -e "$T/real" ] || fail "it made a file"
}

# ---- files that cannot be opened ----

@test "a file in a directory that is not there is 23 before anything is connected" {
    never_connects 23 'nowhere/file: No such file' -o "$T/nowhere/file"
    never_connects 23 'nowhere/file: No such file' --output "$T/nowhere/file"
}

@test "a directory as the file is 23 before anything is connected" {
    never_connects 23 "$T: Is a directory" -o "$T"
    never_connects 23 "$T: Is a directory" --append-output --output "$T"
}

@test "an empty name of a file is 3" {
    never_connects 3 "hex-dump '': expected a value" -o ''
    never_connects 3 "output '': expected a value" --output ''
}

@test "a file, or a directory, that may not be written is 23 before anything is connected" {
    local plainly=()
    if [ "$(id -u)" -eq 0 ]; then
        # Without the right to ignore permissions.
        need setpriv
        plainly=(setpriv --bounding-set=-dac_override)
    fi
    mkdir -m 555 "$T/locked"
    : >"$T/file"
    chmod 444 "$T/file"
    hold_port
    assert_fails 23 'locked/file: Permission denied' ${plainly[@]+"${plainly[@]}"} \
        timeout -s KILL $((30 * LAST_RESORT)) "$SOCKCAT" -o "$T/locked/file" 127.0.0.1 "$held"
    assert_fails 23 'file: Permission denied' ${plainly[@]+"${plainly[@]}"} \
        timeout -s KILL $((30 * LAST_RESORT)) "$SOCKCAT" --append-output --output "$T/file" 127.0.0.1 "$held"
}

@test "the second file that cannot be opened is 23, too" {
    never_connects 23 'nowhere/file: No such file' -o "$T/file" --output "$T/nowhere/file"
}

@test "a listener whose file cannot be opened is never there" {
    # shellcheck disable=SC2016 # for the inner shell
    assert_fails 23 'nowhere/file: No such file' \
        bash -c 'sockcat -l -U --ready-fd 7 -o "$T/nowhere/file" "$T/socket" 7>"$T/ready"'
    [ ! -e "$T/socket" ] || fail "it had listened"
    assert_equal "$(cat "$T/ready")" ""
}

@test "a FIFO without a reader is 23 at once" {
    mkfifo "$T/file"
    never_connects 23 'file: No such device or address' -o "$T/file"
}

# ---- files that take no more ----

@test "-o to a full disk: the data go on, whole and both ways, and the end is 23 with one line" {
    start_peer both:2:3000000 sha256
    client -o /dev/full 127.0.0.1 "$peer_port" <"$(random_file 3000000 1)" >"$T/out"
    assert_status 23
    assert_one_error "$T/client.err" '/dev/full: No space left on device'
    assert_same "$T/out" "$(random_file 3000000 2)"
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" \
        "$(sha256sum <"$(random_file 3000000 1)" | cut -d ' ' -f 1)"
}

@test "--output to a full disk: the data go on, whole and both ways, and the end is 23 with one line" {
    start_peer both:2:3000000 sha256
    client --output /dev/full 127.0.0.1 "$peer_port" <"$(random_file 3000000 1)" >"$T/out"
    assert_status 23
    assert_one_error "$T/client.err" '/dev/full: No space left on device'
    assert_same "$T/out" "$(random_file 3000000 2)"
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" \
        "$(sha256sum <"$(random_file 3000000 1)" | cut -d ' ' -f 1)"
}

@test "one file that is full does not keep the other from being whole" {
    start_peer sendrand:1:1000000 close
    client -d -o /dev/full --output "$T/file" 127.0.0.1 "$peer_port" >"$T/out"
    assert_status 23
    assert_one_error "$T/client.err" '/dev/full'
    assert_same "$T/file" "$(random_file 1000000)"
    assert_same "$T/out" "$(random_file 1000000)"
}

@test "two files that are full are one line" {
    start_peer sendrand:1:1000000 close
    client -d -o /dev/full --output /dev/full 127.0.0.1 "$peer_port" >"$T/out"
    assert_status 23
    assert_one_error "$T/client.err" '/dev/full'
    assert_same "$T/out" "$(random_file 1000000)"
}

@test "a file that is full when nothing passes is no failure" {
    start_peer recvall
    client -o /dev/full 127.0.0.1 "$peer_port" </dev/null
    assert_clean
    assert_peer_done
}

@test "a limit of the file size is 23, not a signal, and the data go on" {
    start_peer sendrand:1:1000000 close
    status=0
    # shellcheck disable=SC2016 # for the inner shell
    timeout -s KILL $((30 * LAST_RESORT)) bash -c 'ulimit -f 64; "$SOCKCAT" -d --output "$T/file" 127.0.0.1 "$1" |
        cat >&9; exit "${PIPESTATUS[0]}"' _ "$peer_port" 9> >(cat >"$T/out") 2>"$T/client.err" ||
        status=$?
    assert_status 23
    assert_one_error "$T/client.err" 'file: File too large'
    assert_equal "$(stat -c %s "$T/file")" 65536
    assert_prefix "$T/file" 1
}

@test "a session that fails keeps its own status, though a file is full" {
    start_peer send:hello "waitfor:$T/go" reset
    feed "@$T/never"
    start_client -o /dev/full 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/out" 5
    touch "$T/go"
    finish "$pid"
    assert_equal "$result" 56
    assert_one_error "$T/client.err" 'receive from .*Connection reset'
}

@test "standard output that fails, too, is one line and the same status" {
    start_peer send:hello 'recvall!'
    feed "@$T/never"
    client -o /dev/full 127.0.0.1 "$peer_port" <"$T/in" >/dev/full
    assert_status 23
    assert_one_error "$T/client.err" 'No space left on device'
}

@test "with -k a full disk ends the listener with 23, behind the session that met it" {
    start_listener -k --output /dev/full 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" send:hello shutwr recvall
    assert_peer_done
    assert_listener_ends 23 '/dev/full: No space left on device'
    assert_equal "$(cat "$T/listener.out")" hello
}

# ---- files whose reader is slow ----

@test "a slow reader of the dump gets all of it, and so does the peer" {
    start_reader
    start_peer recvall sha256
    cat "$(random_file 1000000)" >"$T/in"
    start_client -o "$T/file" 127.0.0.1 "$peer_port"
    watch_idle "$pid"
    touch "$T/go"
    finish "$pid"
    assert_equal "$result $(cat "$T/client.err")" "0 "
    finish "$reader"
    undump "$T/file.read" '>' >"$T/bytes"
    assert_same "$T/bytes" "$(random_file 1000000)"
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" \
        "$(sha256sum <"$(random_file 1000000)" | cut -d ' ' -f 1)"
}

@test "a slow reader of what is received gets all of it" {
    start_reader
    start_peer sendrand:1:3000000 close
    : >"$T/in"
    start_client --output "$T/file" 127.0.0.1 "$peer_port"
    watch_idle "$pid"
    touch "$T/go"
    finish "$pid"
    assert_equal "$result $(cat "$T/client.err")" "0 "
    finish "$reader"
    assert_same "$T/file.read" "$(random_file 3000000)"
    assert_same "$T/out" "$(random_file 3000000)"
}

# waits_both_ways OPTION: the reader of the file reads nothing while both directions have data.
waits_both_ways() {
    start_reader
    start_peer both:2:3000000 sha256
    cat "$(random_file 3000000 1)" >"$T/in"
    start_client "$1" "$T/file" 127.0.0.1 "$peer_port"
    watch_idle "$pid"
    touch "$T/go"
    finish "$pid"
    assert_equal "$result $(cat "$T/client.err")" "0 "
    assert_same "$T/out" "$(random_file 3000000 2)"
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" \
        "$(sha256sum <"$(random_file 3000000 1)" | cut -d ' ' -f 1)"
    finish "$reader"
}

@test "a slow reader of the dump makes nothing spin while both directions have data" {
    waits_both_ways -o
    undump "$T/file.read" '>' >"$T/sent"
    assert_same "$T/sent" "$(random_file 3000000 1)"
    undump "$T/file.read" '<' >"$T/received"
    assert_same "$T/received" "$(random_file 3000000 2)"
}

@test "a slow reader of the bytes makes nothing spin while both directions have data" {
    waits_both_ways --output
    assert_equal "$(stat -c %s "$T/file.read")" 6000000
}

@test "two slow readers, of the dump and of the bytes, get all" {
    start_reader
    first=$reader
    start_reader second
    start_peer sendrand:1:1000000 close
    : >"$T/in"
    start_client -o "$T/file" --output "$T/second" 127.0.0.1 "$peer_port"
    watch_idle "$pid"
    touch "$T/go"
    finish "$pid"
    assert_equal "$result" 0
    finish "$first"
    finish "$reader"
    assert_same "$T/second.read" "$(random_file 1000000)"
    undump "$T/file.read" '<' >"$T/received"
    assert_same "$T/received" "$(random_file 1000000)"
}

@test "a slow reader gets the last that was sent, after the peer's end, too" {
    start_reader
    feed "@$T/ended" "=$(random_file 60000)"
    LISTENER_IN=$T/in start_listener -v -o "$T/file" 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" shutwr touch:"$T/ended" recvall count
    assert_peer_done
    assert_equal "$(cat "$T/peer.out")" 60000
    # For a second and more.
    watch_idle "$listener"
    touch "$T/go"
    finish "$listener"
    assert_equal "$result" 0
    finish "$reader"
    undump "$T/file.read" '>' >"$T/bytes"
    assert_same "$T/bytes" "$(random_file 60000)"
}

@test "a process substitution that is slow loses nothing" {
    start_peer sendrand:1:1000000 close
    export -f tick
    # shellcheck disable=SC2016 # for the inner shell
    run -0 bash -c 'sockcat -d --output >(until [ -e "$T/go" ]; do tick; done
        cat >"$T/file.read"; touch "$T/whole") 127.0.0.1 "$1" 3>&- >"$T/out" &
        until [ -s "$T/out" ]; do tick; done
        touch "$T/go"; wait "$!"' _ "$peer_port"
    await_file "$T/whole"
    assert_same "$T/file.read" "$(random_file 1000000)"
    assert_same "$T/out" "$(random_file 1000000)"
}

@test "a reader of the file that closes it costs no data, but the status" {
    start_reader file 1000
    start_peer touch:"$T/go" both:2:1000000 sha256
    client --output "$T/file" 127.0.0.1 "$peer_port" <"$(random_file 1000000 1)" >"$T/out"
    assert_status 23
    assert_one_error "$T/client.err" 'file: Broken pipe'
    assert_same "$T/out" "$(random_file 1000000 2)"
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" \
        "$(sha256sum <"$(random_file 1000000 1)" | cut -d ' ' -f 1)"
}

@test "a reader of the file that closes it while it is awaited is noticed" {
    start_reader
    start_peer sendrand:1:3000000 close
    : >"$T/in"
    start_client --output "$T/file" 127.0.0.1 "$peer_port"
    watch_idle "$pid"
    kill -KILL "$reader"
    finish "$pid"
    assert_equal "$result" 23
    assert_one_error "$T/client.err" 'file: Broken pipe'
    assert_same "$T/out" "$(random_file 3000000)"
    assert_peer_done
}

@test "SIGTERM ends a session that waits for a reader of the file" {
    start_reader
    start_peer 'sendrand!:1:3000000' 'recvall!'
    : >"$T/in"
    start_client --output "$T/file" 127.0.0.1 "$peer_port"
    watch_idle "$pid"
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result" 143
}

@test "a reader that never reads does not stop the end that --idle-timeout brings" {
    start_reader
    start_peer 'sendrand!:1:3000000' 'recvall!'
    client -d --idle-timeout 500ms --output "$T/file" 127.0.0.1 "$peer_port" >"$T/out"
    assert_status 28
    assert_one_error "$T/client.err" 'nothing moved'
}

@test "SIGTERM ends the wait for a reader of the last bytes" {
    start_reader
    feed "@$T/ended" "=$(random_file 20000)"
    LISTENER_IN=$T/in start_listener -v --linger 1h -o "$T/file" 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" shutwr touch:"$T/ended" recvall count
    assert_peer_done
    watch_idle "$listener"
    kill -TERM "$listener"
    finish "$listener"
    assert_equal "$result" 143
}

@test "a reader that never takes the last bytes is a failure after --linger" {
    start_reader
    # The dump is larger than a pipe, and smaller than the queue, at which the session would wait.
    feed "@$T/ended" "=$(random_file 20000)"
    LISTENER_IN=$T/in start_listener --linger 300ms -o "$T/file" 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" shutwr touch:"$T/ended" recvall count
    assert_peer_done
    finish "$listener"
    assert_equal "$result" 23
    grep -v '^sockcat: listening on ' "$T/listener.err" >"$T/listener.errors"
    assert_one_error "$T/listener.errors" 'file: Connection timed out'
}
