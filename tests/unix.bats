# Unix-domain sockets: nothing but a dead socket is ever removed, a live one is never disturbed,
# no other user connects while a listener starts, and what a peer calls itself or passes along does no
# harm.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, pid, result
bats_require_minimum_version 1.5.0
load lib/helper

# The socket of a process that was killed: no process listens, the file is still there.
make_stale() { python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$1"; }

identity() { stat -c '%F %i %a %s %t:%T' "$1"; }

# refuses_path PATH ARG...: listening there is refused, and what is there stays as it is.
refuses_path() {
    local before path=$1
    before=$(identity "$path")
    shift
    assert_fails 101 "listen $path: " sockcat -l -U "$@" "$path" </dev/null || return
    assert_equal "$(identity "$path")" "$before" || return
    assert_equal "$(find "$T" -name '*.sockcat-*')" ""
}

# ---- G77: what is not a socket ----

@test "F77: a regular file in the way is refused and stays" {
    echo precious >"$T/file"
    for kind in '' -u --seqpacket; do
        refuses_path "$T/file" $kind
        assert_equal "$(cat "$T/fails.err")" \
            "sockcat: listen $T/file: the path exists and is not a socket"
    done
    assert_equal "$(cat "$T/file")" precious
}

@test "F77: an empty file in the way is refused and stays" {
    : >"$T/file"
    refuses_path "$T/file"
}

@test "F77: a directory in the way is refused and stays" {
    mkdir "$T/directory"
    refuses_path "$T/directory"
}

@test "F77: a FIFO in the way is refused and stays, and is not waited for" {
    mkfifo "$T/fifo"
    refuses_path "$T/fifo"
}

@test "F77: a device in the way is refused and stays" {
    mknod "$T/device" c 1 3 || skip "needs the right to make a device"
    refuses_path "$T/device"
}

@test "F77: a symbolic link in the way is refused and stays, wherever it leads" {
    echo precious >"$T/file"
    make_stale "$T/stale"
    for target in file stale nowhere .; do
        ln -sfn "$target" "$T/link"
        refuses_path "$T/link"
        assert_equal "$(readlink "$T/link")" "$target"
    done
    [ -S "$T/stale" ] && [ ! -e "$T/nowhere" ] && [ "$(cat "$T/file")" = precious ]
}

@test "F77: a client's own path that is a regular file is refused and stays" {
    start_listener -k -U "$T/socket"
    echo precious >"$T/file"
    before=$(identity "$T/file")
    assert_fails 45 "bind $T/file" sockcat -U -s "$T/file" "$T/socket" </dev/null
    assert_equal "$(identity "$T/file") $(cat "$T/file")" "$before precious"
}

@test "F77: a path in a directory that does not exist, or that is a file, is refused" {
    echo precious >"$T/file"
    assert_fails 101 'No such file or directory' sockcat -l -U "$T/none/socket" </dev/null
    assert_fails 101 'Not a directory' sockcat -l -U "$T/file/socket" </dev/null
    assert_equal "$(cat "$T/file")" precious
}

# ---- G78: dead sockets ----

@test "F78: a dead socket in the way is replaced" {
    need nc.openbsd
    make_stale "$T/socket"
    before=$(stat -c %i "$T/socket")
    start_listener -U "$T/socket"
    echo hello | nc.openbsd -N -U "$T/socket"
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    [ ! -e "$T/socket" ] || fail "it was left behind (before: $before)"
}

@test "F78: dead datagram and seqpacket sockets are replaced, too, by whatever comes" {
    for kind in SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET; do
        for option in -k -u --seqpacket; do
            python3 -c "import socket as s, sys; s.socket(s.AF_UNIX, s.$kind).bind(sys.argv[1])" "$T/socket"
            start_listener -U $option "$T/socket"
            kill -TERM "$listener"
            finish "$listener"
            [ ! -e "$T/socket" ] || fail "$kind $option: it is still there"
        done
    done
}

@test "F78: a client's own path is replaced when it is a dead socket, and removed at the end" {
    make_stale "$T/mine"
    start_listener -U -v "$T/socket"
    sockcat -U -s "$T/mine" "$T/socket" </dev/null
    finish "$listener"
    assert_line "connection from $T/mine" "$T/listener.err"
    [ ! -e "$T/mine" ] || fail "it is still there"
}

@test "F78: a dead socket that may not be removed is refused" {
    need_root
    need setpriv
    chmod 755 "$T"
    make_stale "$T/socket"
    before=$(identity "$T/socket")
    # Only its owner may write to this directory, which root without capabilities obeys.
    chown 65534:65534 "$T"
    assert_fails 101 "listen $T/socket" setpriv --bounding-set=-all --inh-caps=-all \
        timeout -s KILL $((30 * LAST_RESORT)) "$SOCKCAT" -l -U "$T/socket" </dev/null
    assert_equal "$(identity "$T/socket")" "$before"
}

# ---- T21: the private name under which a socket is removed ----

# start_occupied NAMES ARG...: starts sockcat ARG... in a shell that first creates the files NAMES, in
# which PID stands for the process's number and HEX for the same in 16 hexadecimal digits.
start_occupied() {
    # shellcheck disable=SC2016 # for the inner shell
    start bash -c '
        names=${1//PID/$$}
        for name in ${names//HEX/$(printf %016x $$)}; do echo precious >"$name"; done
        shift
        exec "$SOCKCAT" "$@"' _ "$@"
    await_line "$T/background.err" 'listening on'
}

# assert_precious N: N of these files are there, unchanged, and nothing else.
assert_precious() {
    local file files=("$T"/socket*)
    assert_equal "${#files[@]}" "$1" || return
    for file in "${files[@]}"; do
        assert_equal "$(cat "$file")" precious || return
    done
}

@test "T21: names that another user can predict do not keep a dead socket in the way" {
    make_stale "$T/socket"
    echo hello >"$T/hello"
    START_IN=$T/hello start_occupied "$T/socket.sockcat-PID-0 $T/socket.sockcat-PID-1" -lv -U "$T/socket"
    assert_equal "$(sockcat -U "$T/socket" </dev/null)" hello
    finish "$pid"
    assert_equal "$result" 0
    assert_precious 2
}

@test "T21: names that another user can predict do not keep an own socket from being removed" {
    start_occupied "$T/socket.sockcat-PID-0 $T/socket.sockcat-PID-1" -lv -U "$T/socket"
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result" 143
    assert_precious 2
}

@test "T21: a private name that is taken is replaced by another one" {
    need_shim
    # Without random bytes the name is the process's number, then the next.
    local name=$T/socket.sockcat-HEX
    make_stale "$T/socket"
    with_shim 'getrandom:EAGAIN:*' start_occupied "$name" -lv -U "$T/socket"
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result" 143
    assert_precious 1
}

@test "T21: a dead socket that cannot be removed, or asked, is refused with the true reason" {
    need_root
    need setpriv
    # Of another user in that user's sticky directory: it may be asked, or not, but not removed.
    local socket=$T/sticky/socket
    mkdir -m 1777 "$T/sticky"
    make_stale "$socket"
    chown 65534:65534 "$T/sticky" "$socket"
    for mode in 777:'Operation not permitted' 700:'Permission denied'; do
        chmod "${mode%%:*}" "$socket"
        # Root without capabilities is a user like others.
        assert_fails 101 "listen $socket: ${mode#*:}\$" setpriv --bounding-set=-all \
            --inh-caps=-all timeout -s KILL $((30 * LAST_RESORT)) "$SOCKCAT" -l -U "$socket" </dev/null
    done
}

# ---- G79: live sockets ----

@test "F79: a live listener of another program is neither removed nor disturbed" {
    drive unix live_listener
}

@test "F79: a second listener on a live path is refused and the first serves its client" {
    need nc.openbsd
    for option in -v --seqpacket; do
        start_listener $option -U "$T/socket"
        assert_fails 101 'Address already in use' sockcat -l -U "$T/socket" </dev/null
        assert_fails 101 'Address already in use' sockcat -l --seqpacket -U "$T/socket" </dev/null
        assert_fails 101 'Address already in use' sockcat -l -u -U "$T/socket" </dev/null
        ! is_gone "$listener" || fail "the first one ended"
        if [ "$option" = -v ]; then
            echo hello | nc.openbsd -N -U "$T/socket"
        else
            start_peer --connect "seqpacket:$T/socket" 'send:hello\n'
        fi
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    done
}

@test "F79: a socket that is bound but does not listen yet is not taken for dead" {
    drive unix bound_not_listening
}

@test "F79: a datagram socket that is connected to another one is not taken for dead" {
    drive unix connected_datagram_socket
}

@test "F79: a live listener whose queue is full is not taken for dead" {
    drive unix full_queue
}

@test "F79: an abstract name that is taken is refused" {
    start_listener -U "@$T/name"
    assert_fails 101 "listen @$T/name: Address already in use" sockcat -l -U "@$T/name" </dev/null
    ! is_gone "$listener" || fail "the first one ended"
}

@test "F79: of many listeners that start at once on a dead socket one gets it, and is reached" {
    drive unix dead_socket_race
}

# ---- G80: the path is swapped between the check and the removal ----

# Starts a listener on a dead socket with the shim's rules, and puts a regular file in its place
# as soon as the program has made the call that the rules delay. $1: the system call to wait for.
swapped_during() {
    drive unix swapped_during "$@"
}

@test "F80: a file that takes a dead socket's place before the look at it stays" {
    need_shim
    [ -r /proc/self/syscall ] || skip "needs /proc/PID/syscall"
    with_shim open:sleep=1:1,socket:sleep=1:2 swapped_during
}

@test "F80: a file that takes a dead socket's place after the look at it stays" {
    need_shim
    [ -r /proc/self/syscall ] || skip "needs /proc/PID/syscall"
    with_shim connect:sleep=1:1 swapped_during
}

@test "F80: a file that takes the socket's place right after bind is not taken for the own one" {
    need strace
    code=0
    drive unix file_after_bind || code=$?
    [ "$code" -ne 77 ] || skip "strace may not trace here"
    [ "$code" -eq 0 ]
}

@test "F80: no file is ever lost when a path is swapped thousands of times under starting listeners" {
    drive unix path_swapped
}

# ---- G81: long paths ----

@test "F81: a path of 107 bytes works" {
    cd "$T"
    path=$(printf '%0107d' 0)
    start_listener -U "$path"
    assert_equal "$port" "$path"
    sockcat -U "$path" <<<hello
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    [ ! -e "$path" ] || fail "it is still there"
}

@test "F81: a path of 108 bytes or more is refused with its length, by listeners and clients" {
    cd "$T"
    for length in 108 109 255 256 4096 100000; do
        path=$(printf "%0${length}d" 0)
        assert_fails 3 "$length bytes, a socket's path has at most 107" \
            sockcat -l -U "$path" </dev/null
        assert_fails 3 "$length bytes, a socket's path has at most 107" \
            sockcat -U "$path" </dev/null
        assert_fails 3 "$length bytes, a socket's path has at most 107" \
            sockcat -U -s "$path" socket </dev/null
    done
    assert_equal "$(find . -name '0*')" ""
}

@test "F81: an abstract name of 107 bytes works, one more is refused" {
    name=@$(printf '%-107s' "$T" | tr ' ' x)
    start_listener -U "$name"
    sockcat -U "$name" <<<hello
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    assert_fails 3 'has at most 107' sockcat -l -U "${name}x" </dev/null
    assert_fails 3 'has at most 107' sockcat -U "${name}x" </dev/null
}

@test "F81: an empty path, and an abstract name of no bytes, are refused" {
    for path in '' @; do
        assert_fails 3 'must not be empty' sockcat -l -U "$path" </dev/null
        assert_fails 3 'must not be empty' sockcat -U "$path" </dev/null
    done
}

# ---- G82: permissions ----

@test "F82: a socket has mode 0600 under a wide and a narrow umask" {
    for mask in 000 022 077 277; do
        for kind in '' -u --seqpacket; do
            umask "$mask"
            start_listener -U -k $kind "$T/socket$mask$kind" || :
            umask 022
            assert_equal "$(stat -c '%F %a' "$T/socket$mask$kind")" "socket 600"
        done
    done
}

@test "F82: at no moment of its start is a socket open to others" {
    need_shim
    umask 000
    with_shim listen:sleep=0.5:1 start "$SOCKCAT" -l -U "$T/socket"
    until_true 20 test -S "$T/socket"
    assert_equal "$(stat -c %a "$T/socket")" 600
}

@test "F82: not even between the kernel making it and the program's next step" {
    need strace
    umask 000
    # The delay is after bind in the kernel, before the program goes on. It ends by itself, since
    # standard input is no place for the ready line.
    start strace -f -o "$T/trace" -e trace=bind -e inject=bind:delay_exit=1000000 \
        env ASAN_OPTIONS=detect_leaks=0 "$SOCKCAT" -l -U --ready-fd 0 "$T/socket"
    socket_or_end() { test -S "$T/socket" || is_gone "$pid"; }
    until_true 20 socket_or_end
    [ -S "$T/socket" ] || skip "strace may not trace here"
    assert_equal "$(stat -c %a "$T/socket")" 600
    finish "$pid"
    assert_equal "$result" 23
}

@test "F82: the umask of what else is made stays as the user set it" {
    umask 027
    start_listener -U "$T/socket"
    assert_line '^Umask:[[:space:]]*0027$' "/proc/$listener/status"
}

@test "F82: another user cannot connect" {
    need_root
    need setpriv nc.openbsd
    chmod 711 "$T" "$(dirname "$T")" "$(dirname "$(dirname "$T")")"
    umask 000
    start_listener -U "$T/socket"
    run setpriv --reuid=65534 --regid=65534 --clear-groups nc.openbsd -U "$T/socket" </dev/null
    assert_status 1
    [[ $output == *'Permission denied'* ]] || fail "$output"
    # It was for the mode, not for the directories: that is found out by root.
    nc.openbsd -N -U "$T/socket" </dev/null
}

# ---- G83: names ----

@test "F83: an abstract name with NULs and control bytes is shown escaped, in one line" {
    drive unix abstract_escaped
}

@test "F83: an abstract name of 107 bytes, NULs included, is shown whole" {
    drive unix abstract_longest
}

@test "F83: a path with control bytes is shown escaped in an error" {
    assert_fails 7 'connect \^\[\[31mred\^J: No such file or directory' \
        sockcat -U $'\e[31mred\n' </dev/null
}

@test "F83: abstract names leave no file, and reach the name that was meant" {
    cd "$T"
    start_listener -U "@$T/name"
    [ ! -e "@$T" ] && [ ! -e "$T/name" ]
    start_peer --connect "unix:@$T/name" send:hello
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
}

# ---- G85: what is left behind ----

@test "F85: the socket is removed when a signal ends the listener" {
    for signal in TERM INT HUP; do
        for kind in '' -k -u --seqpacket; do
            # As a child of this shell's background list it would ignore SIGINT.
            drive unix removed_on_signal "$signal" "$T/socket" $kind
        done
    done
}

@test "F85: the socket is removed at a normal end, and after a failure" {
    start_listener -U "$T/socket"
    sockcat -U "$T/socket" </dev/null
    finish "$listener"
    assert_equal "$result" 0
    [ ! -e "$T/socket" ] || fail "it is still there"
    LISTENER_OUT=/dev/full start_listener -k -U "$T/socket"
    sockcat -U "$T/socket" <<<hello || :
    finish "$listener"
    assert_equal "$result" 23
    [ ! -e "$T/socket" ] || fail "it is still there"
}

@test "F85: a client's own socket is removed when a signal ends it" {
    start_peer --listen "unixdgram:$T/server" recvdgram recvquiet:0.1 wait:20
    mkfifo "$T/in"
    exec 8<>"$T/in"
    echo hello >&8
    START_IN=$T/in start "$SOCKCAT" -U -u -s "$T/mine" "$T/server"
    await_file "$T/mine"
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result" 143
    [ ! -e "$T/mine" ] || fail "it is still there"
}

@test "F85: after kill -9 the socket is there, and the next listener takes the path over" {
    start_listener -U "$T/socket"
    kill -KILL "$listener"
    finish "$listener"
    [ -S "$T/socket" ] || fail "it was removed: that is no test"
    start_listener -U "$T/socket"
    sockcat -U "$T/socket" <<<hello
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
}

@test "F85: what took the socket's place stays when the listener ends" {
    for other in file socket directory; do
        start_listener -U "$T/path"
        mv "$T/path" "$T/moved"
        case $other in
        file) echo precious >"$T/path" ;;
        socket) start_peer --listen "unix:$T/path" recvall count ;;
        directory) mkdir "$T/path" ;;
        esac
        before=$(identity "$T/path")
        kill -TERM "$listener"
        finish "$listener"
        assert_equal "$(identity "$T/path")" "$before"
        if [ "$other" = socket ]; then
            sockcat -U "$T/path" <<<hello
            finish "$peer"
            assert_equal "$(tail -n 1 "$T/peer.out")" 6
        fi
        rm -rf "$T/path" "$T/moved"
    done
}

@test "F85: a socket that was removed already is no failure" {
    start_listener -U "$T/socket"
    start_peer --connect "unix:$T/socket" send:hello waitfor:"$T/go"
    await_line "$T/listener.out" hello
    rm -f "$T/socket"
    touch "$T/go"
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.err")" "0 "
}

# ---- G86: descriptors that a peer passes along ----

# 100 messages with 253 descriptors each to a listener; none may stay with it, no byte be lost.
passes_descriptors() {
    drive unix passes_descriptors "$@"
}

@test "F86: descriptors that come with a stream do not leak" { passes_descriptors SOCK_STREAM; }

@test "F86: descriptors that come with seqpackets do not leak" {
    passes_descriptors SOCK_SEQPACKET --seqpacket
}

@test "F86: descriptors that come with datagrams do not leak" { passes_descriptors SOCK_DGRAM -u; }

@test "F86: descriptors that a server passes to a client do not leak" {
    drive unix descriptors_from_server
}

@test "F86: descriptors that come with messages of standard input do not leak" {
    drive unix descriptors_from_stdin
}

# ---- G87: seqpacket and datagram sockets ----

@test "F87: seqpackets keep their boundaries both ways, the empty one included" {
    drive unix seqpacket_boundaries
}

@test "F87: an empty seqpacket is data, and the end of the connection is the end" {
    start_listener -U --seqpacket "$T/socket"
    start_peer --connect "seqpacket:$T/socket" send:A send: send:B
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 AB"
}

@test "F87: a seqpacket or a datagram beyond the buffer is never cut in silence" {
    need_shim
    # The length of the next message cannot be asked.
    with_shim 'recv:EOPNOTSUPP:*,ioctl:EOPNOTSUPP:*' drive unix beyond_buffer
}

@test "F87: datagrams of 65536 bytes go out and come in whole" {
    file=$(random_file 65536)
    start_peer --listen "unixdgram:$T/server" recvdgram count sha256 "sendfile:$file"
    sockcat -U -u -q 1 "$T/server" <"$file" >"$T/out"
    finish "$peer"
    assert_equal "$result $(sed -n 2p "$T/peer.out")" "0 65536"
    assert_same "$T/out" "$file"
}

@test "F87: a sender without a name is heard, but cannot be answered" {
    drive unix unnamed_sender
}

@test "F87: an unnamed stream or datagram peer is shown as such" {
    for kind in '' -u; do
        start_listener -v -q 0.1 -U $kind "$T/socket"
        start_peer --connect "unix${kind:+dgram}:$T/socket" send:hello
        finish "$listener"
        assert_line '^sockcat: connection from \(unnamed\)(, uid [0-9]+, gid [0-9]+, pid [0-9]+)?$' "$T/listener.err"
    done
}

@test "F87: a datagram path without a receiver ends with 7" {
    make_stale "$T/stale"
    : >"$T/file"
    assert_fails 7 'No such file or directory' sockcat -U -u "$T/none" <<<hello
    for kind in '' -u --seqpacket; do
        assert_fails 7 'Connection refused' sockcat -U $kind "$T/stale" <<<hello
        assert_fails 7 'Not a socket' sockcat -U $kind "$T/file" <<<hello
    done
}

@test "F87: a socket of the other type is refused with 7" {
    start_listener -k -U "$T/socket"
    assert_fails 7 'Protocol wrong type for socket' sockcat -U -u "$T/socket" <<<hello
    assert_fails 7 'Protocol wrong type for socket' sockcat -U --seqpacket "$T/socket" <<<hello
}

@test "F87: a receiver with a full queue is waited for, and every datagram arrives in order" {
    # As many lines as messages: stdin gives one message per read of a seqpacket socket.
    drive unix full_receiver
}

@test "F87: a lack of buffers (ENOBUFS) is waited out" {
    need_shim
    for kind in unixdgram:-u seqpacket:--seqpacket unix:-v; do
        rm -f "$T/server"
        start_peer --listen "${kind%:*}:$T/server" recv:6 count
        with_shim sendmsg:ENOBUFS:1,sendmsg:ENOBUFS:2 \
            sockcat -U "${kind#*:}" -q 0.1 "$T/server" <<<hello
        finish "$peer"
        assert_equal "$result $(tail -n 1 "$T/peer.out")" "0 6"
    done
}
