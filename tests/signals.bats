#!/usr/bin/env bats
# signals.bats - signals at any moment, the statistics line, clocks and times, limits of the system,
# and odd command lines. Rows N156, N158 to N161, N165 and N166 of the fault catalogue.

bats_require_minimum_version 1.5.0
load lib/helper

setup() {
    helper_setup
    ulimit -c 0
}

# A job that a shell puts in the background ignores SIGINT and SIGQUIT; an ordinary one does not.
ordinary=(env --default-signal=INT,QUIT,HUP,TERM,USR1,PIPE,XFSZ)

# has_taken_one PID: it has taken a signal that ends it: the next one is not caught any more.
has_taken_one() { ! catches "$1" INT; }

# catches_signals PID: its handlers are there. Until then SIGUSR1 would end it.
catches_signals() { catches "$1" USR1; }

# start_stuck: a client whose standard output is the FIFO $T/out, which is open as descriptor 7 and
# full, and which has received all 1,200,000 bytes that the peer had for it. Sets $pid.
start_stuck() {
    start_peer sendrand:6:1200000 touch:"$T/all" recvall!
    mkfifo "$T/in" "$T/out"
    exec 7<>"$T/out" 8<>"$T/in"
    "${ordinary[@]}" "$SOCKCAT" --no-splice 127.0.0.1 "$peer_port" <"$T/in" >"$T/out" 2>"$T/client.err" \
        3>&- 7>&- 8>&- &
    pid=$!
    started+=("$pid")
    await_file "$T/all"
    until_true 20 nothing_waits "$peer_port" || fail "it does not take all"
}

# nothing_waits PORT: of what went out of this port everything was received and read.
nothing_waits() {
    local hex
    hex=$(printf %04X "$1")
    # local, remote, state (01: established), the queues
    awk -v port=":$hex" '$4 == "01" && $2 ~ port "$" { found = 1; if ($5 !~ /^00000000:/) busy = 1 }
        $4 == "01" && $3 ~ port "$" { if ($5 !~ /:00000000$/) busy = 1 }
        END { exit busy || !found }' /proc/net/tcp
}

# ---- N159: signals that end it ----

@test "F159: what was already read is flushed before a signal ends it" {
    local name number
    for name in INT:2 TERM:15 HUP:1 QUIT:3; do
        number=${name#*:} name=${name%:*}
        rm -f "$T/in" "$T/out" "$T/all"
        start_stuck
        # Stopped, so that the reader is there when the signal comes.
        kill -STOP "$pid"
        kill -s "$name" "$pid"
        cat <"$T/out" >"$T/got" 3>&- 7>&- 8>&- &
        local reader=$!
        exec 7>&-
        kill -CONT "$pid"
        finish "$pid"
        assert_equal "$name $result" "$name $((128 + number))"
        wait "$reader"
        assert_same "$T/got" "$(random_file 1200000 6)" || fail "$name"
        assert_equal "$(cat "$T/client.err")" ""
        # It did not end cleanly, and the peer gets a reset.
        finish "$peer"
        assert_line '^reset$' "$T/peer.out"
        exec 8>&-
    done
}

@test "F159: what was already read from standard input is flushed, too" {
    # The peer takes nothing until the signal has come.
    local size=400000
    start_peer rcvbuf:4096 recv:1 touch:"$T/begun" waitfor:"$T/go" recvall! count
    random_file "$size" >/dev/null
    START_IN=/dev/zero start "${ordinary[@]}" "$SOCKCAT" -O 16k 127.0.0.1 "$peer_port"
    await_file "$T/begun"
    until_true 20 sleeps "$pid" || fail "it does not fill up"
    kill -STOP "$pid"
    kill -TERM "$pid"
    local read
    read=$(sed -n 's/^rchar: //p' "/proc/$pid/io")
    touch "$T/go"
    kill -CONT "$pid"
    finish "$pid"
    assert_equal "$result" 143
    finish "$peer"
    # A reset may catch up with the last of it; but the 256 KiB that it held back were sent.
    [ "$(tail -n 1 "$T/peer.out")" -ge 200000 ] || fail "only $(tail -n 1 "$T/peer.out") of $read bytes"
}

sleeps() { [[ $(cat "/proc/$1/stat") == *') S '* ]]; }

@test "F159: a reader that takes nothing does not hold a signal up" {
    start_stuck
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result" 143
}

@test "F159: a peer that takes nothing does not hold a signal up" {
    start_peer rcvbuf:4096 recv:1 touch:"$T/begun" wait:40
    START_IN=/dev/zero start "${ordinary[@]}" "$SOCKCAT" 127.0.0.1 "$peer_port"
    await_file "$T/begun"
    kill -HUP "$pid"
    finish "$pid"
    assert_equal "$result" 129
}

@test "F159: the second signal ends it at once, whatever the first one was" {
    local first second wanted
    for first in TERM HUP QUIT; do
        for second in INT:130 KILL:137; do
            wanted=${second#*:} second=${second%:*}
            rm -f "$T/in" "$T/out" "$T/all"
            start_stuck
            kill -s "$first" "$pid"
            # While it would wait a second for its reader, the first one is done with.
            until_true 20 has_taken_one "$pid"
            kill -s "$second" "$pid"
            finish "$pid"
            assert_equal "$first $second $result" "$first $second $wanted"
            exec 7>&- 8>&-
        done
    done
}

@test "F159: the shell sees a death by the signal, not a status that looks like one" {
    start_peer send:hello recvall!
    run timeout $((30 * LAST_RESORT)) python3 -c '
import signal, subprocess, sys
for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT:
    client = subprocess.Popen([sys.argv[1], "-l", "--ready-fd", "2", "127.0.0.1", "0"], stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    client.stderr.readline()
    client.send_signal(number)
    print(client.wait() == -number)' "$SOCKCAT"
    assert_equal "$output" $'True\nTrue\nTrue\nTrue'
}

@test "F159: a signal ends the wait for a client, and takes the path of a Unix socket along" {
    local name
    for name in INT:130 TERM:143 HUP:129 QUIT:131; do
        mkfifo "$T/ready.$name"
        "${ordinary[@]}" "$SOCKCAT" -l --ready-fd 9 -U "$T/s" 9>"$T/ready.$name" </dev/null \
            >"$T/out" 2>"$T/listener.err" 3>&- &
        pid=$!
        started+=("$pid")
        IFS= read -r -t 20 line <"$T/ready.$name"
        [ -S "$T/s" ]
        kill -s "${name%:*}" "$pid"
        finish "$pid"
        assert_equal "$name $result" "$name ${name#*:}"
        [ ! -e "$T/s" ] || fail "the path was left"
        assert_equal "$(cat "$T/listener.err")" ""
    done
}

@test "F159: a signal ends the session of a Unix listener, and takes the path along" {
    local line
    start_listener -k -U "$T/s"
    start_peer --connect "unix:$T/s" send:hello recvall!
    await_line "$T/listener.out" hello
    kill -TERM "$listener"
    finish "$listener"
    assert_equal "$result" 143
    [ ! -e "$T/s" ] || fail "the path was left"
}

@test "F159: a signal ends the resolving of a name" {
    need_shim
    with_shim "getaddrinfo:sleep=40:1" start "${ordinary[@]}" "$SOCKCAT" localhost 1
    until_true 20 catches_signals "$pid"
    kill -INT "$pid"
    finish "$pid"
    assert_equal "$result" 130
}

@test "F159: a signal ends a connect without an answer" {
    need_netns
    need nft
    unanswered() {
        nft add table inet t
        nft add chain inet t in '{ type filter hook input priority 0; }'
        nft add rule inet t in tcp dport 81 drop
        start env --default-signal=INT "$SOCKCAT" 127.0.0.1 81
        until_true 20 grep -qs ':0051 02 ' /proc/net/tcp || fail "it does not connect"
        kill -INT "$pid"
        finish "$pid"
        assert_equal "$result" 130
        assert_equal "$(cat "$T/background.err")" ""
    }
    in_netns unanswered
}

@test "F159: a signal that was ignored at the start stays ignored" {
    # As under nohup, or in the background of a script.
    start_peer send:hello waitfor:"$T/go" send:more close
    start bash -c 'trap "" HUP INT; exec "$SOCKCAT" 127.0.0.1 "$1"' _ "$peer_port"
    await_line "$T/background.out" hello
    kill -HUP "$pid"
    kill -INT "$pid"
    touch "$T/go"
    finish "$pid"
    assert_equal "$result" 0
    assert_equal "$(cat "$T/background.out")" hellomore
}

@test "F159: a signal in the turn in which the last session ends is not taken for a graceful end" {
    need_shim
    drive signals signal_in_the_last_turn
}

@test "F159: a signal at any point leaves no loss that looks like a good end" {
    # The moment is a number of bytes, not a time: the test's side sends the signal when it has
    # received that number.
    run drive signals signal_at_any_point "$SOCKCAT" "$T"
    assert_status 0
}

# ---- N160: handlers ----

@test "F160: many signals at once, of every kind, end it once and for all" {
    local i
    for i in {1..15}; do
        rm -f "$T/background.out" # the last one's says hello, too
        start_peer send:hello recvall!
        start "${ordinary[@]}" "$SOCKCAT" -d 127.0.0.1 "$peer_port"
        await_line "$T/background.out" hello
        kill -STOP "$pid"
        for name in USR1 INT TERM HUP USR1 QUIT WINCH INT; do
            kill -s "$name" "$pid"
        done
        kill -CONT "$pid"
        finish "$pid"
        [[ $result =~ ^(129|130|131|143)$ ]] || fail "status $result"
    done
}

@test "F160: a storm of the same signal is not mistaken for anything else" {
    start_peer send:hello recvall!
    start "${ordinary[@]}" "$SOCKCAT" -v -d 127.0.0.1 "$peer_port"
    await_line "$T/background.out" hello
    local i
    for ((i = 0; i < 3000; i++)); do kill -USR1 "$pid"; done
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result" 143
    run grep -Evc '^sockcat: ((session|closed) 127\.0\.0\.1:[0-9]+: 0 bytes sent, 5 bytes received|connected to .*)$' \
        "$T/background.err"
    assert_equal "$output" 0
}

@test "F160: while signals interrupt every wait many are served, and the one that ends it is seen" {
    need_shim
    drive signals interrupted_waits
}

# ---- SIGUSR1 ----

@test "SIGUSR1: one line of statistics, with what was sent and received so far" {
    start_peer recv:6 send:hello waitfor:"$T/go" send:more close
    mkfifo "$T/in"
    exec 8<>"$T/in"
    START_IN=$T/in start "$SOCKCAT" --until=peer 127.0.0.1 "$peer_port" 8>&-
    echo first >&8
    await_line "$T/background.out" hello
    assert_equal "$(cat "$T/background.err")" ""
    kill -USR1 "$pid"
    await_line "$T/background.err" .
    touch "$T/go"
    finish "$pid"
    assert_equal "$result" 0
    assert_equal "$(cat "$T/background.err")" \
        "sockcat: session 127.0.0.1:$peer_port: 6 bytes sent, 5 bytes received"
    assert_equal "$(cat "$T/background.out")" hellomore
}

@test "SIGUSR1: without a client it says so, and goes on listening" {
    need nc.openbsd
    start_listener 127.0.0.1 0
    local before
    before=$(wc -l <"$T/listener.err")
    kill -USR1 "$listener"
    until_true 20 has_lines $((before + 1)) || fail "no line came"
    timeout $((20 * LAST_RESORT)) nc.openbsd -N 127.0.0.1 "$port" <<<hello
    finish "$listener"
    assert_equal "$result" 0
    assert_equal "$(cat "$T/listener.out")" hello
    assert_equal "$(wc -l <"$T/listener.err")" $((before + 1))
}

has_lines() { [ "$(wc -l <"$T/listener.err")" -ge "$1" ]; }

@test "SIGUSR1: for datagrams, too, it is one line" {
    start_listener -u 127.0.0.1 0
    start_peer --connect "udp:127.0.0.1:$port" send:first waitfor:"$T/go"
    await_line "$T/listener.out" first
    start_peer --connect "udp:127.0.0.1:$port" send:stranger touch:"$T/sent"
    await_file "$T/sent"
    local before
    before=$(wc -l <"$T/listener.err")
    kill -USR1 "$listener"
    until_true 20 has_lines $((before + 1)) || fail "no line came"
    kill -TERM "$listener"
    finish "$listener"
    assert_equal "$result" 143
    assert_equal "$(wc -l <"$T/listener.err")" $((before + 1)) || fail "$(cat "$T/listener.err")"
    assert_line ': 0 bytes sent, 5 bytes received' "$T/listener.err"
}

@test "SIGUSR1: it comes although standard output takes nothing" {
    start_stuck
    kill -USR1 "$pid"
    await_line "$T/client.err" '^sockcat: session .*: 0 bytes sent, [0-9]+ bytes received$'
}

@test "SIGUSR1: while a name is resolved it does no harm" {
    need_shim
    with_shim "getaddrinfo:sleep=40:1" start "$SOCKCAT" --wait 1 localhost 1
    until_true 20 catches_signals "$pid"
    kill -USR1 "$pid"
    finish "$pid"
    assert_equal "$result" 28
}

# ---- N156, N158: clocks and times ----

@test "F156: a wall clock that jumps is not even looked at" {
    need_shim
    local jump
    for jump in 86400 -86400; do
        start_peer wait:0.3 send:hello close
        SHIM_COUNT=$T/count with_shim "clock_gettime:jump=$jump:1+" \
            sockcat -w 20 -q 20 127.0.0.1 "$peer_port" </dev/null >"$T/got"
        assert_equal "$(cat "$T/got")" hello
        # The shim counts the wall clock only.
        run grep -c clock_gettime "$T/count"
        assert_equal "$output" 0
    done
}

@test "F156: a limit runs out in time while the wall clock jumps" {
    need_shim
    local jump from elapsed
    for jump in 86400 -86400; do
        start_peer recvall!
        mkfifo "$T/in$jump"
        exec 8<>"$T/in$jump"
        from=${EPOCHREALTIME/./} status=0
        with_shim "clock_gettime:jump=$jump:2+" sockcat --idle-timeout 500ms 127.0.0.1 "$peer_port" \
            <&8 2>"$T/client.err" 8>&- || status=$?
        elapsed=$((${EPOCHREALTIME/./} - from))
        assert_equal "$status" 28
        [ "$elapsed" -ge 500000 ] && [ "$elapsed" -le $((15000000 * LAST_RESORT)) ] || fail "$elapsed microseconds"
        exec 8>&-
    done
}

# outcome OPTION VALUE: the status of a run that looks at the value and does nothing else.
outcome() {
    local result=0
    timeout $((20 * LAST_RESORT)) "$SOCKCAT" "$1" "$2" -V >/dev/null 2>"$T/err" </dev/null || result=$?
    printf %s "$result"
    [ "$result" -eq 0 ] || assert_one_error "$T/err" "option $1 '" >&2
}

@test "F158: no time at all is one for -q, --linger and -w, and none for the other limits" {
    local option value
    for value in 0 0.0 0s 0ms 0h 00; do
        for option in -q --linger -w; do
            assert_equal "$option $value $(outcome "$option" "$value")" "$option $value 0"
        done
        for option in --wait --idle-timeout; do
            assert_equal "$option $value $(outcome "$option" "$value")" "$option $value 3"
        done
    done
}

@test "F158: a time is taken exactly, in each of its forms" {
    local pair
    mkfifo "$T/in"
    exec 8<>"$T/in"
    for pair in 0.05:50 150ms:150 0.25s:250 0.001m:60 0.0001h:360 1.5:1500 0.0015m:90; do
        start_peer recvall!
        status=0
        sockcat --idle-timeout "${pair%:*}" 127.0.0.1 "$peer_port" <&8 2>"$T/client.err" 8>&- || status=$?
        assert_equal "$status" 28
        assert_one_error "$T/client.err" "nothing moved for ${pair#*:} ms"
    done
}

@test "F158: the longest times do not overflow into short ones" {
    start_peer recv:6 wait:0.2 send:hello close
    sockcat --wait 1000000000 --idle-timeout 1000000000 -q 1000000000 --linger 1000000000 \
        127.0.0.1 "$peer_port" <<<first >"$T/got"
    assert_equal "$(cat "$T/got")" hello
    start_peer --listen udp recvdgram wait:0.2 send:hello
    start "$SOCKCAT" -u --idle-timeout 277777h -q 277777h 127.0.0.1 "$peer_port"
    until_true 20 catches_signals "$pid"
    is_gone "$pid" && fail "a limit of thirty years is over"
    kill -TERM "$pid"
    finish "$pid"
}

# ---- N161: limits of the system ----

@test "F161: a file that may not grow is a failure of output, not a death by SIGXFSZ" {
    start_peer sendrand:1:100000 close
    status=0
    (
        ulimit -f 16
        "${ordinary[@]}" "$SOCKCAT" 127.0.0.1 "$peer_port" </dev/null >"$T/got" 2> >(exec cat >"$T/client.err")
    ) || status=$?
    assert_equal "$status" 23
    await_line "$T/client.err" 'write standard output: File too large'
    assert_equal "$(stat -c %s "$T/got")" 16384
    cmp -n 16384 "$T/got" "$(random_file 100000 1)"
}

@test "F161: messages into a file that may not grow are lost, the status is not" {
    status=0
    (
        ulimit -f 0
        "${ordinary[@]}" "$SOCKCAT" 127.0.0.1 99999 </dev/null 2>"$T/client.err"
    ) || status=$?
    assert_equal "$status" 3
    status=0
    (
        ulimit -f 0
        "${ordinary[@]}" "$SOCKCAT" -U "$T/none" </dev/null 2>"$T/client.err"
    ) || status=$?
    assert_equal "$status" 7
}

@test "F161: help into a file that may not grow is a failure of output" {
    status=0
    (
        ulimit -f 0
        "${ordinary[@]}" "$SOCKCAT" -h >"$T/got" 2>/dev/null
    ) || status=$?
    assert_equal "$status" 23
}

@test "F161: messages to a reader that has gone are lost, the status is not" {
    mkfifo "$T/err"
    exec 7<>"$T/err"
    exec 8>"$T/err" 7>&-
    status=0
    "${ordinary[@]}" "$SOCKCAT" -U "$T/none" </dev/null 2>&8 || status=$?
    assert_equal "$status" 7
}

# limited OPTION VALUE...: tries each value as a limit of prlimit's; the client has to succeed with
# all of the data, or to fail with a message. $good and $bad count.
limited() {
    local option=$1 value
    shift
    good=0 bad=0
    for value; do
        status=0
        # Too little for the loader, or for the kernel to execute anything: not this program's.
        prlimit "$option=$value" "$SOCKCAT" -V >"$T/version" 2>&1 3>&- || continue
        prlimit "$option=$value" "$SOCKCAT" 127.0.0.1 "$peer_port" <"$T/sent" >"$T/got" 2>"$T/client.err" \
            3>&- || status=$?
        [ "$status" -lt 128 ] || fail "$option=$value: status $status: $(cat "$T/client.err")" || return
        if [ "$status" -eq 0 ]; then
            assert_same "$T/got" "$T/sent" || fail "$option=$value" || return
            good=$((good + 1))
        else
            assert_equal "$option=$value $status" "$option=$value 27" || return
            assert_one_error "$T/client.err" . || fail "$option=$value" || return
            bad=$((bad + 1))
        fi
    done
    [ "$good" -ge 1 ] || fail "it works with none of these limits: $option $*"
}

echo_peers() {
    local i steps=(echo!)
    for ((i = 1; i < $1; i++)); do
        steps+=(accept echo!)
    done
    start_peer "${steps[@]}"
    cp "$(random_file 300000)" "$T/sent"
}

@test "F161: little memory, of either kind, is a message" {
    need prlimit
    ! grep -q __asan_init "$SOCKCAT" || skip "AddressSanitizer needs terabytes of addresses"
    echo_peers 100
    # The two buffers are what it wants of it after the start.
    limited --as {1800..4600..100}000
    limited --as {2..12}{000,250,500,750}000
    [ "$bad" -ge 1 ] || fail "no limit was too small"
    limited --data {0..9}00000 2000000 4000000
}

@test "F161: a small stack is enough" {
    need prlimit
    ! grep -q __asan_init "$SOCKCAT" || skip "AddressSanitizer needs a large stack"
    echo_peers 10
    limited --stack 65536 131072 262144 1048576
    [ "$bad" -eq 0 ] && [ "$good" -ge 3 ]
}

@test "F161: few descriptors are enough, or a message" {
    need prlimit
    echo_peers 30
    limited --nofile 4 5 6 7 8 9 10 16
    [ "$bad" -ge 1 ]
}

@test "F161: no more threads: a name cannot be resolved, and that is a message" {
    need setpriv prlimit
    need_root
    # A user without processes, so that only these count.
    local user=$((60000 + RANDOM % 5000))
    setpriv --reuid="$user" --regid="$user" --clear-groups test -x "$SOCKCAT" \
        || skip "the program cannot be reached by other users"
    status=0
    # Looking for leaks takes a thread of its own.
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 \
        setpriv --reuid="$user" --regid="$user" --clear-groups prlimit --nproc=1 "$SOCKCAT" localhost 1 \
        </dev/null 2>"$T/client.err" || status=$?
    assert_equal "$status" 27
    assert_one_error "$T/client.err" 'resolve localhost: Resource temporarily unavailable'
}

@test "F161: the limit of processor time: the peer does not take what it has for all" {
    need prlimit
    need_shim
    start_peer recvall!
    status=0
    # Byte by byte it has used up its second soon. What SIGXCPU does is the system's decision.
    with_shim "sendmsg:short=1:*" prlimit --cpu=1:20 "${ordinary[@]}" "$SOCKCAT" 127.0.0.1 "$peer_port" \
        </dev/zero 2>"$T/client.err" || status=$?
    [ "$status" -ne 0 ]
    finish "$peer"
    assert_line '^reset$' "$T/peer.out"
}

# ---- N165: command lines ----

@test "F165: very long arguments are errors like others, reported in one line" {
    local word status
    word=$(head -c 100000 /dev/zero | tr '\0' a)
    for where in host port option long path value number; do
        case $where in
        host) set -- "$word" 80 ;;
        port) set -- 127.0.0.1 "$word" ;;
        option) set -- "-$word" 127.0.0.1 80 ;;
        long) set -- "--$word" 127.0.0.1 80 ;;
        path) set -- -U "/$word" ;;
        value) set -- -w "$word" 127.0.0.1 80 ;;
        number) set -- 127.0.0.1 "$(printf %s "$word" | tr a 1)" ;;
        esac
        status=0
        sockcat "$@" </dev/null >"$T/out" 2>"$T/err" || status=$?
        [[ $status =~ ^(2|3)$ ]] || fail "$where: status $status"
        [ "$status" -ne 2 ] || drop_usage "$T/err"
        assert_one_error "$T/err" . || fail "$where"
        [ "$(wc -c <"$T/err")" -le 4096 ] || fail "$where: $(wc -c <"$T/err") bytes"
    done
}

@test "F165: words of every length around the usual sizes of buffers do no harm" {
    drive long_commands sized_words
}

@test "F165: empty words are errors, not addresses" {
    local status
    for where in host port both path none value; do
        case $where in
        host) set -- '' 80 ;;
        port) set -- 127.0.0.1 '' ;;
        both) set -- '' '' ;;
        path) set -- -U '' ;;
        none) set -- '' ;;
        value) set -- -p '' 127.0.0.1 80 ;;
        esac
        status=0
        sockcat "$@" </dev/null >"$T/out" 2>"$T/err" || status=$?
        [[ $status =~ ^(2|3)$ ]] || fail "$where: status $status: $(cat "$T/err")"
        [ "$status" -ne 2 ] || drop_usage "$T/err"
        assert_one_error "$T/err" . || fail "$where"
    done
}

@test "F165: behind -- nothing is an option" {
    start_peer send:hello close
    sockcat -n -- 127.0.0.1 "$peer_port" </dev/null >"$T/got"
    assert_equal "$(cat "$T/got")" hello
    for word in -l --listen -h -V --; do
        status=0
        sockcat -n -- "$word" 80 </dev/null >"$T/got" 2>"$T/err" || status=$?
        [[ $status =~ ^(2|3|6)$ ]] || fail "$word: status $status"
        assert_one_error "$T/err" .
        [ ! -s "$T/got" ]
    done
    cd "$T"
    start_listener -U -- -path
    [ -S "$T/-path" ]
}

@test "F165: options may follow the operands, and letters may be joined" {
    start_peer send:hello close
    sockcat 127.0.0.1 "$peer_port" -n -w 20 </dev/null >"$T/got"
    assert_equal "$(cat "$T/got")" hello
    start_peer send:hello close
    sockcat -4nvw20 127.0.0.1 "$peer_port" </dev/null >"$T/got" 2>"$T/err"
    assert_equal "$(cat "$T/got")" hello
}

@test "F165: without a name of its own it works, too" {
    start_peer send:hello close
    run --separate-stderr timeout $((20 * LAST_RESORT)) bash -c 'exec -a "" "$SOCKCAT" 127.0.0.1 "$1" </dev/null' _ "$peer_port"
    assert_status 0
    assert_equal "$output" hello
}

# ---- N166: sizes ----

@test "F166: a size that was asked for is set" {
    need ss
    start_peer send:hello waitfor:"$T/go"
    start "$SOCKCAT" -d -I 64k -O 32k 127.0.0.1 "$peer_port"
    await_line "$T/background.out" hello
    run ss -tmnH state established "dport = :$peer_port"
    # The kernel doubles them, for its own needs (socket(7)).
    [[ $output =~ rb131072, && $output =~ tb65536, ]] || fail "$output"
    touch "$T/go"
}

@test "F166: the smallest and the largest size carry the same bytes" {
    local size
    random_file 200000 >/dev/null
    for size in 1 2147483647; do
        start_peer both:7:200000 sha256
        sockcat -I "$size" -O "$size" 127.0.0.1 "$peer_port" <"$T/random.200000.1" >"$T/got"
        finish "$peer"
        assert_equal "$result" 0
        assert_same "$T/got" "$(random_file 200000 7)"
        assert_equal "$(tail -n 1 "$T/peer.out")" "$(sha256sum <"$T/random.200000.1" | cut -d' ' -f1)"
    done
}
