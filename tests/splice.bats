#!/usr/bin/env bats
# The way past the process: that the kernel moves the bytes where it can, and that nothing else is
# different where it cannot.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets port, peer_port, result, status, pid
bats_require_minimum_version 1.5.0
load lib/helper

setup() {
    helper_setup
    [ "$(uname)" = Linux ] || skip "needs splice(2)"
}

# counted FILE COMMAND...: runs it, and writes its calls and their numbers to FILE.
counted() {
    local file=$1
    shift
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 \
        strace -f -qq -c -U name,calls -e trace=splice,sendmsg,recvmsg,readv,writev -o "$file" "$@"
}

# calls FILE NAME: how often it was called.
calls() { awk -v name="$2" '$1 == name { print $2; found = 1 } END { if (!found) print 0 }' "$1"; }

# is_fast FILE BYTES: the bytes went by splice, in large pieces, and next to nothing else.
is_fast() {
    local splices others=0 call
    splices=$(calls "$1" splice)
    for call in sendmsg recvmsg readv writev; do
        others=$((others + $(calls "$1" "$call")))
    done
    # A pipe has 16 places of a page at worst; the ends are read and looked at in the usual way.
    [ "$splices" -ge 2 ] || fail "$splices splices: $(cat "$1")"
    [ "$splices" -le $(($2 / 4096)) ] || fail "$splices splices: $(cat "$1")"
    [ "$others" -le 12 ] || fail "$others other calls: $(cat "$1")"
}

# transfer LISTENER-ADDRESS... : sends $data through both ends under strace; counts in $T/in, $T/out.
transfer() {
    LISTENER_OUT=$T/copy start_listener "$@" </dev/null
    case " $* " in
    *" -U "*) counted "$T/sender" "$SOCKCAT" -U "$port" <"$data" ;;
    *) counted "$T/sender" "$SOCKCAT" 127.0.0.1 "$port" <"$data" ;;
    esac
    finish "$listener"
    assert_equal "$result" 0
    assert_same "$T/copy" "$data"
}

@test "a file goes over TCP into a file past the process" {
    need strace
    data=$(random_file 20000000 1)
    transfer 127.0.0.1 0
    is_fast "$T/sender" 20000000
}

@test "a file goes over a Unix socket past the process" {
    need strace
    data=$(random_file 20000000 1)
    transfer -U "$T/socket"
    is_fast "$T/sender" 20000000
}

@test "what is received goes into a file, a pipe and /dev/null past the process" {
    need strace
    for output in "$T/copy" pipe /dev/null; do
        start_peer sendrand:1:20000000 close
        case $output in
        pipe) counted "$T/calls" "$SOCKCAT" -d 127.0.0.1 "$peer_port" | cat >"$T/copy" ;;
        *) counted "$T/calls" "$SOCKCAT" -d 127.0.0.1 "$peer_port" >"$output" ;;
        esac
        is_fast "$T/calls" 20000000 || fail "into $output"
        [ "$output" = /dev/null ] || assert_same "$T/copy" "$(random_file 20000000 1)"
    done
}

@test "a pipe goes over TCP past the process" {
    need strace
    start_peer recvall sha256
    counted "$T/calls" "$SOCKCAT" 127.0.0.1 "$peer_port" < <(cat "$(random_file 20000000 1)")
    is_fast "$T/calls" 20000000
    assert_peer_done
}

@test "-vv says which way is taken" {
    start_peer recvall close
    sockcat -vv 127.0.0.1 "$peer_port" </dev/null >"$T/out" 2>"$T/err"
    assert_line '^sockcat: \[[0-9]+\] from .* to 127\.0\.0\.1:[0-9]+: ' "$T/err"
    start_peer recvall close
    sockcat -vv --no-splice 127.0.0.1 "$peer_port" <"$(random_file 1000)" >"$T/out" 2>"$T/err"
    assert_line '^sockcat: \[[0-9]+\] from .* to 127\.0\.0\.1:[0-9]+: copied through memory$' "$T/err"
    assert_line '^sockcat: \[[0-9]+\] from 127\.0\.0\.1:[0-9]+ to .*: copied through memory$' "$T/err"
}

@test "--no-splice splices nothing, and the bytes are the same" {
    need strace
    start_peer sendrand:1:3000000 close
    counted "$T/calls" "$SOCKCAT" --no-splice -d 127.0.0.1 "$peer_port" >"$T/copy"
    assert_equal "$(calls "$T/calls" splice)" 0
    assert_same "$T/copy" "$(random_file 3000000 1)"
}

@test "where the bytes are looked at nothing is spliced" {
    need strace
    local options
    for options in -C -t "-i 0.001" "-o $T/dump" "--output $T/record"; do
        start_peer recvall close
        # shellcheck disable=SC2086 # two words
        counted "$T/calls" "$SOCKCAT" $options 127.0.0.1 "$peer_port" </dev/null >"$T/copy" \
            || fail "for $options"
        case $options in
        -[Ci]*) ;; # only what is sent
        *) assert_equal "$(calls "$T/calls" splice)" 0 || fail "for $options" ;;
        esac
    done
}

@test "F26: output that is appended to is not spliced into, and whole" {
    start_peer sendrand:1:3000000 close
    printf head >"$T/copy"
    sockcat -d 127.0.0.1 "$peer_port" >>"$T/copy"
    { printf head && cat "$(random_file 3000000 1)"; } >"$T/wanted"
    assert_same "$T/copy" "$T/wanted"
}

@test "a file of /proc is sent whole" {
    LISTENER_OUT=$T/copy start_listener 127.0.0.1 0
    sockcat 127.0.0.1 "$port" </proc/filesystems
    finish "$listener"
    # Its reported size is 0.
    cat /proc/filesystems >"$T/wanted"
    assert_same "$T/copy" "$T/wanted"
}

# refused RULES: a transfer both ways under the rules comes out right.
refused() {
    start_peer sendrand:2:3000000 shutwr recvall sha256
    with_shim "$1" client 127.0.0.1 "$peer_port" <"$(random_file 3000000 1)" >"$T/copy"
    assert_equal "$status $(cat "$T/client.err")" "0 " || fail "for $1"
    assert_same "$T/copy" "$(random_file 3000000 2)" || fail "for $1"
    assert_peer_done
    grep -q "^$(sha256sum <"$(random_file 3000000 1)" | cut -d ' ' -f 1)\$" "$T/peer.out" || fail "for $1"
}

@test "a kernel without splice, or that refuses it, makes no difference" {
    need_shim
    for error in EINVAL ENOSYS EOPNOTSUPP EPERM; do
        refused "splice:$error:*"
    done
}

@test "a splice refused in the middle loses and doubles nothing" {
    need_shim
    for n in 1 2 3 4 5 7 10 15; do refused "splice:EINVAL:$n"; done
}

@test "short, interrupted and postponed splices lose and double nothing" {
    need_shim
    for rule in 'splice:short=1000:*' 'splice:short=1:5%' 'splice:EINTR:30%' 'splice:EAGAIN:30%'; do
        refused "$rule"
    done
}

@test "a pipe that cannot be enlarged, or not be made, makes no difference" {
    need_shim
    refused 'fcntl:EPERM:*'
    # The first one is the signals'.
    for n in 2 3; do refused "pipe2:EMFILE:$n"; done
}

@test "F17: a full disk while the kernel writes is 23" {
    need_shim
    for error in ENOSPC EDQUOT EIO; do
        start_peer sendrand:1:3000000 recvall
        # Each turn has one splice from the socket and one into the file.
        with_shim "splice:$error:4" client -d 127.0.0.1 "$peer_port" >"$T/copy"
        [ "$status" -eq 23 ] || [ "$status" -eq 56 ] || fail "status $status for $error"
        assert_one_error "$T/client.err" '(write standard output|receive from)'
        assert_prefix "$T/copy" 1
    done
}

@test "F22: a failing disk while the kernel reads is 26, and never an end" {
    need_shim
    start_peer 'recvall!' count
    with_shim 'splice:EIO:1,readv:EIO:2' client 127.0.0.1 "$peer_port" <"$(random_file 3000000 1)" >"$T/out"
    assert_status 26
    assert_one_error "$T/client.err" 'read standard input: Input/output error'
}

@test "a reader that is slow with small pieces does not make it spin" {
    mkfifo "$T/out"
    exec 8<>"$T/out"
    LISTENER_OUT=$T/out start_listener -d 127.0.0.1 0
    python3 -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
s.settimeout(0.3)
try:
    while True: s.send(b"x" * 100)
except OSError: pass
print("full", flush=True)
sys.stdin.read()' "$port" < <(tail -f /dev/null) >"$T/full" 3>&- 8<&- &
    started+=("$!")
    await_line "$T/full" full
    local before after
    before=$(awk '/^voluntary/ { print $2 }' "/proc/$listener/status")
    for ((i = 0; i < 100; i++)); do tick; done
    after=$(awk '/^voluntary/ { print $2 }' "/proc/$listener/status")
    [ $((after - before)) -lt 100 ] || fail "it woke up $((after - before)) times"
    exec 8<&-
}

@test "a file that is cut while it is sent ends there, with status 0 for what there was" {
    # The peer reads nothing before the file is short.
    cp "$(random_file 30000000 1)" "$T/file"
    start_peer waitfor:"$T/cut" recvall count
    "$SOCKCAT" 127.0.0.1 "$peer_port" <"$T/file" >"$T/out" 2>"$T/client.err" 3>&- &
    pid=$!
    started+=("$pid")
    # It has sent what the sockets hold when its offset stands still behind the first megabytes.
    until_true 20 offset_of "$pid" 1000000
    truncate -s 1000000 "$T/file"
    : >"$T/cut"
    finish "$pid"
    assert_equal "$result $(cat "$T/client.err")" "0 "
    assert_peer_done
}

# offset_of PID N: its standard input has been taken that far; for until_true.
offset_of() { [ "$(sed -n 's/^pos:[[:space:]]*//p' "/proc/$1/fdinfo/0")" -ge "$2" ]; }

@test "small answers are read and written, without a pipe of our own" {
    need strace
    start_peer send:hello close
    counted "$T/calls" "$SOCKCAT" -d 127.0.0.1 "$peer_port" >"$T/copy"
    assert_equal "$(cat "$T/copy")" hello
    assert_equal "$(calls "$T/calls" splice)" 0
}

@test "the end of a burst of megabytes arrives although the peer goes on without sending" {
    # The last bytes are fewer than what a reader of megabytes is woken for.
    start_peer sendrand:1:40000100 waitfor:"$T/seen" close
    "$SOCKCAT" -d 127.0.0.1 "$peer_port" >"$T/copy" 2>"$T/client.err" 3>&- &
    pid=$!
    started+=("$pid")
    until_true 20 is_larger "$T/copy" 40000100
    : >"$T/seen"
    finish "$pid"
    assert_equal "$result $(cat "$T/client.err")" "0 "
    assert_same "$T/copy" "$(random_file 40000100 1)"
    assert_peer_done
}

@test "a socket that blocks, as an inherited one may, is not spliced into" {
    # Both sides send more than the sockets hold before they read: who blocks in a write never reads.
    drive splice blocking_socket "$SOCKCAT"
}
