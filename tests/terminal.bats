#!/usr/bin/env bats
# terminal.bats - a user at a keyboard: what a terminal is shown, how a session ends there, jobs in
# the background. Rows M149 to M151 and B25 of the fault catalogue. The terminal is pty.py's.

load lib/helper

# shown PEER_STEP...: sets up a peer that takes the steps and closes, and shows on a terminal what
# comes from it; sets nothing, see $T/tty.out.
shown() {
    start_peer "$@" close
    pty --raw --fds 1 -- "$SOCKCAT" 127.0.0.1 "$peer_port" </dev/null >"$T/modes"
}

# expected FILE: the bytes of the file as a terminal is to be shown them; an independent reading of
# the rule: a control character as ^X, \xNN or \uNNNN, an invalid byte as \xNN, all else as it is.
expected() {
    drive terminal expected "$1" >"$T/expected"
    printf '%s\n' "$T/expected"
}

# harmless FILE: no control character but newline and tab is in it, neither of C0 nor of C1, and
# it is valid UTF-8.
harmless() {
    drive terminal harmless "$1"
}

# cases NAME: writes $T/cases, with invalid UTF-8 of every kind between valid text.
cases() {
    drive terminal invalid_utf8 >"$T/cases"
}

# ---- M149: control characters ----

@test "F149: control characters from the peer are made visible on a terminal" {
    local -a sent=('\e[31mred' '\e]52;c;aGk=\a' '\e]8;;http://x\e\\' '\ePq\e\\' '\a' 'a\bb' '\0' '\x7f' \
        '\x9b31m' '\x90' '\xc2\x9b31m' '\xe2\x80\x8f' '\xe2\x80\xae' '\xe2\x81\xa6' 'a\rb' '\v\f')
    local -a wanted=('^[[31mred' '^[]52;c;aGk=^G' '^[]8;;http://x^[\' '^[Pq^[\' '^G' 'a^Hb' '^@' '^?' \
        '\x9b31m' '\x90' '\u009b31m' '\u200f' '\u202e' '\u2066' 'a^Mb' '^K^L')
    local steps=() one
    for one in "${sent[@]}"; do
        steps+=("send:$one\\n")
    done
    shown "${steps[@]}"
    assert_equal "$(cat "$T/tty.out")" "$(printf '%s\n' "${wanted[@]}")"
}

@test "F149: no byte of 256, wherever it stands, is a control character on a terminal" {
    python3 -c '
import sys
every = bytes(range(256))
sys.stdout.buffer.write(every + every[::-1] + b"".join(bytes([i, j]) for i in every for j in every))' \
        >"$T/sent"
    shown sendfile:"$T/sent"
    harmless "$T/tty.out"
    assert_same "$T/tty.out" "$(expected "$T/sent")"
}

@test "F149: a hundred thousand random bytes are harmless, and all there" {
    random_file 100000 9 >/dev/null
    shown sendfile:"$T/random.100000.9"
    harmless "$T/tty.out"
    assert_same "$T/tty.out" "$(expected "$T/random.100000.9")"
}

@test "F149: ordinary text is shown as it is" {
    printf 'plain\ttext\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \xe4\xb8\xad\n\\x9b ^[ \\\n' >"$T/sent"
    shown sendfile:"$T/sent"
    assert_same "$T/tty.out" "$T/sent"
}

@test "F149: a line that ends with CR LF is a line" {
    shown send:'one\r\ntwo\r' send:'\nthree\r\n'
    assert_equal "$(cat "$T/tty.out")" $'one\ntwo\nthree'
}

@test "F149: --raw passes all of them to a terminal" {
    python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 20)' >"$T/sent"
    start_peer sendfile:"$T/sent" close
    pty --raw --fds 1 -- "$SOCKCAT" --raw 127.0.0.1 "$peer_port" </dev/null >"$T/modes"
    assert_same "$T/tty.out" "$T/sent"
}

@test "F149: what does not go to a terminal is not touched, whatever the other streams are" {
    python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 20)' >"$T/sent"
    start_peer sendfile:"$T/sent" close
    pty --fds 02 -- bash -c 'exec "$SOCKCAT" 127.0.0.1 "$1" >"$T/got"' _ "$peer_port"
    assert_same "$T/got" "$T/sent"
    assert_peer_done
    start_peer sendfile:"$T/sent" close
    pty --fds 02 -- bash -c '"$SOCKCAT" 127.0.0.1 "$1" | cat >"$T/piped"' _ "$peer_port"
    assert_same "$T/piped" "$T/sent"
    assert_peer_done
}

@test "F149: a prompt without the end of its line is shown at once" {
    start_peer send:'login: ' expect:'me\n' send:'password: ' recvall close
    pty 'see:login: ' 'type:me\n' 'see:password: ' 'type:\x04' -- "$SOCKCAT" 127.0.0.1 "$peer_port"
    assert_peer_done
}

@test "F149: a listener and datagrams are no way around it" {
    need nc.openbsd
    export -f tick
    pty --raw --fds 12 see:listening see:'^[[2J' -- bash -c '
        "$SOCKCAT" -l --ready-fd 9 127.0.0.1 0 9>"$T/port" </dev/null &
        until [ -s "$T/port" ]; do tick; done
        printf "\e[2J" | nc.openbsd -N 127.0.0.1 "$(cat "$T/port")"
        wait'
    harmless "$T/tty.out"
    start_peer --listen udp recvdgram send:'\e]0;title\a'
    pty --raw --fds 12 -- bash -c 'echo x | "$SOCKCAT" -u -q 300ms 127.0.0.1 "$1"' _ "$peer_port"
    assert_peer_done
    assert_equal "$(cat "$T/tty.out")" '^[]0;title^G'
}

@test "F149: a terminal that takes nothing for a while misses no output" {
    # Each byte becomes four, so that what is to be shown is much more than what was read.
    python3 -c 'import sys; sys.stdout.buffer.write(b"\x9b" * 300000 + b"\n")' >"$T/sent"
    start_peer sendfile:"$T/sent" touch:"$T/all" close
    pty --raw --fds 1 hold waitfor:"$T/all" go -- "$SOCKCAT" 127.0.0.1 "$peer_port" </dev/null >"$T/modes"
    assert_same "$T/tty.out" "$(expected "$T/sent")"
}

@test "F149: a terminal that takes nothing does not stop standard input from being sent" {
    start_peer sendrand:1:500000 recv:1000000 touch:"$T/received" recvall close
    head -c 1000000 /dev/zero >"$T/zeros"
    pty --raw --fds 1 hold waitfor:"$T/received" go -- \
        "$SOCKCAT" 127.0.0.1 "$peer_port" <"$T/zeros" >"$T/modes"
    finish "$peer"
    assert_equal "$result" 0
    assert_same "$T/tty.out" "$(expected "$(random_file 500000 1)")"
}

# ---- M150: invalid and cut characters ----

@test "F150: invalid UTF-8 is shown byte by byte, and nothing of it is lost" {
    cases
    shown sendfile:"$T/cases"
    assert_same "$T/tty.out" "$(expected "$T/cases")"
}

@test "F150: where the stream is cut makes no difference to what is shown" {
    need_shim
    local n
    cases
    expected "$T/cases" >/dev/null
    for n in 1 2 3 5; do
        start_peer sendfile:"$T/cases" close
        with_shim "recvmsg:short=$n:*" pty --raw --fds 1 -- "$SOCKCAT" 127.0.0.1 "$peer_port" \
            </dev/null >"$T/modes"
        assert_same "$T/tty.out" "$T/expected" || fail "in pieces of $n"
    done
}

@test "F150: random text cut at random places is shown as if it came in one piece" {
    need_shim
    local seed
    for seed in 1 2 3; do
        # Half valid, half not, of all lengths.
        drive terminal random_text "$seed" >"$T/sent"
        start_peer sendfile:"$T/sent" close
        SHIM_SEED=$seed with_shim "recvmsg:short=1:30%,recvmsg:short=7:60%,recvmsg:short=50:*" \
            pty --raw --fds 1 -- "$SOCKCAT" 127.0.0.1 "$peer_port" </dev/null >"$T/modes"
        harmless "$T/tty.out"
        assert_same "$T/tty.out" "$(expected "$T/sent")" || fail "seed $seed"
    done
}

@test "F150: a character that the end of the stream cuts is shown, too" {
    shown send:'euro \xe2\x82'
    assert_equal "$(cat "$T/tty.out")" 'euro \xe2\x82'
    shown send:'carriage return\r'
    assert_equal "$(cat "$T/tty.out")" 'carriage return^M'
}

@test "F150: a terminal whose writes are short shows the same" {
    need_shim
    cases
    start_peer sendfile:"$T/cases" close
    with_shim "writev:short=1:70%,recvmsg:short=3:50%" pty --raw --fds 1 -- "$SOCKCAT" 127.0.0.1 "$peer_port" \
        </dev/null >"$T/modes"
    assert_same "$T/tty.out" "$(expected "$T/cases")"
}

# ---- M151: messages ----

nasty=($'new\nline' $'\e[31mred' $'bell\a' $'\x9b31m' $'\xc2\x9b31m' $'rtl\xe2\x80\xae' $'cr\rover' $'tab\there' \
    $'sockcat: faked\nsockcat: line' $'bad \xff\xc3' $'del\x7f')

# one_clean_line WHAT FILE: one line, of printable characters only.
one_clean_line() {
    local LC_ALL=C.UTF-8
    assert_one_error "$2" . || fail "$1" || return
    # Valid UTF-8, no control characters of C0 or C1, none that change the direction.
    ! grep -aqvx '.*' "$2" || fail "$1: $(cat -v "$2")" || return
    ! grep -aqP '[\x00-\x1f\x7f\x{80}-\x{9f}\x{61c}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}]' "$2" \
        || fail "$1: $(cat -v "$2")"
}

@test "F151: whatever stands on the command line, a message is one line without control characters" {
    local text status
    for text in "${nasty[@]}"; do
        for where in host port option value size path source connect unlistenable until; do
            status=0
            case $where in
            host) set -- -n "$text" 80 ;;
            port) set -- 127.0.0.1 "$text" ;;
            option) set -- "--$text" 127.0.0.1 1 ;;
            value) set -- -w "$text" 127.0.0.1 1 ;;
            size) set -- -I "$text" 127.0.0.1 1 ;;
            path) set -- -U "$T/none/$text" ;;
            source) set -- -s "$text" 127.0.0.1 1 ;;
            connect) set -- 127.0.0.1 1 "$text" ;;
            unlistenable) set -- -l -U "$T/none/$text" ;;
            until) set -- "--until=$text" 127.0.0.1 1 ;;
            esac
            sockcat "$@" </dev/null >"$T/out" 2>"$T/err" || status=$?
            [[ $status =~ ^(2|3|6|7|101)$ ]] || fail "$where: status $status"
            drop_usage "$T/err"
            one_clean_line "$where" "$T/err"
            [ ! -s "$T/out" ]
        done
    done
}

@test "F151: the names of Unix sockets and of their clients are escaped in messages" {
    local i=0 text LC_ALL=C # in UTF-8, read takes \xc3 and the newline for one character
    for text in "${nasty[@]}"; do
        i=$((i + 1))
        mkdir "$T/$i"
        start_listener -v -U "$T/$i/l$text"
        start_peer --connect "unix:$T/$i/l$text" --bind "$T/$i/c$text" send:hi close
        finish "$listener"
        assert_equal "$result" 0
        # The end of our input may be reported before the client's.
        assert_equal "$(grep -cav ': half-closed at the end of standard input$' "$T/listener.err")" 3 || fail "$(cat -v "$T/listener.err")"
        harmless "$T/listener.err"
        assert_line '^sockcat: listening on ' "$T/listener.err"
        assert_line '^sockcat: connection from ' "$T/listener.err"
        assert_line '^sockcat: closed .*: 0 bytes sent, 2 bytes received$' "$T/listener.err"
    done
}

@test "F151: abstract names, with bytes of every kind, are escaped in messages" {
    local text
    for text in "${nasty[@]}"; do
        status=0
        sockcat -U "@$BASHPID.$RANDOM.$text" </dev/null 2>"$T/err" || status=$?
        assert_equal "$status" 7
        one_clean_line abstract "$T/err"
    done
}

@test "F151: what the environment names is escaped in messages" {
    NOTIFY_SOCKET=$T/$'no\n\e[31msocket' start_listener -v 127.0.0.1 0
    harmless "$T/listener.err"
    run grep -vc '^sockcat: ' "$T/listener.err"
    assert_equal "$output" 0
    assert_line 'NOTIFY_SOCKET' "$T/listener.err"
}

# ---- B25: sessions and jobs at a terminal ----

@test "F25: at a terminal the peer's end finishes the session without a keypress" {
    start_peer send:'bye\n' close
    pty see:bye -- "$SOCKCAT" 127.0.0.1 "$peer_port"
    assert_peer_done
}

@test "F25: so it does when output goes to a file, and for a listener" {
    need nc.openbsd
    start_peer send:'bye\n' shutwr recvall
    pty --fds 02 -- bash -c 'exec "$SOCKCAT" 127.0.0.1 "$1" >"$T/got"' _ "$peer_port"
    assert_equal "$(cat "$T/got")" bye
    finish "$peer"
    assert_equal "$result" 0
    export -f tick
    pty -- bash -c '
        set -m
        "$SOCKCAT" -l --ready-fd 9 127.0.0.1 0 9>"$T/port" &
        until [ -s "$T/port" ]; do tick; done
        (until [ -e "$T/fg" ]; do tick; done; nc.openbsd -N 127.0.0.1 "$(cat "$T/port")" <<<hello >/dev/null) 2>/dev/null &
        touch "$T/fg"
        fg %1'
    assert_line hello "$T/tty.out"
}

@test "F25: what was typed before the peer's end is sent" {
    start_peer expect:'typed\n' send:'bye\n' shutwr recvall count
    pty 'type:typed\n' see:bye -- "$SOCKCAT" 127.0.0.1 "$peer_port"
    finish "$peer"
    assert_equal "$result" 0
}

@test "F25: with --until=both a terminal is waited for" {
    start_peer send:'bye\n' shutwr expect:'still here\n' recvall
    pty see:bye 'type:still here\n' 'type:\x04' -- "$SOCKCAT" --until=both 127.0.0.1 "$peer_port"
    finish "$peer"
    assert_equal "$result" 0
}

@test "F25: only a terminal as standard input is let go, not one as standard output" {
    start_peer send:'bye\n' shutwr expect:'from the pipe\n' recvall
    mkfifo "$T/in"
    exec 8<>"$T/in"
    pty --fds 12 see:bye touch:"$T/seen" -- "$SOCKCAT" 127.0.0.1 "$peer_port" <"$T/in" 8>&- 3>&- &
    local client=$!
    started+=("$client")
    await_file "$T/seen"
    echo 'from the pipe' >&8
    exec 8>&-
    finish "$client"
    assert_equal "$result" 0
    finish "$peer"
    assert_equal "$result" 0
}

@test "F25: ctrl-D ends the input, and the answer is awaited" {
    start_peer expect:'question\n' recvall send:'answer\n' close
    pty 'type:question\n' 'type:\x04' see:answer -- "$SOCKCAT" 127.0.0.1 "$peer_port"
    finish "$peer"
    assert_equal "$result" 0
}

@test "F25: ctrl-C ends it as the shell expects, with the terminal as it was" {
    start_peer send:'hello\n' recvall!
    run pty see:hello 'type:\x03' -- "$SOCKCAT" 127.0.0.1 "$peer_port"
    assert_status 130
    assert_equal "$output" unchanged
}

@test "F25: the modes and flags of the terminal are the same during and after a session" {
    start_peer send:'hello\n' recv:5 reset
    run pty see:hello mode 'type:text\n' -- bash -c '"$SOCKCAT" 127.0.0.1 "$1"; true' _ "$peer_port"
    assert_status 0
    assert_equal "$output" $'unchanged\nunchanged'
}

@test "F25: ctrl-Z stops it, and it goes on in the foreground where it was" {
    start_peer send:'one\n' waitfor:"$T/stopped" send:'two\n' expect:'typed\n' send:'three\n' close
    run pty see:one 'type:\x1a' see:stopped touch:"$T/stopped" see:again see:two 'type:typed\n' see:three \
        see:'status 0' -- bash -c '
        set -m
        "$SOCKCAT" 127.0.0.1 "$1"
        echo "stopped $?"
        echo again
        fg %1 >/dev/null
        echo "status $?"' _ "$peer_port"
    assert_status 0
    assert_equal "$output" unchanged
}

@test "F25: a job in the background that has a terminal as standard input is not stopped" {
    start_peer send:'one\n' waitfor:"$T/typed" wait:0.3 send:'two\n' waitfor:"$T/go" send:'three\n' close
    run pty see:one 'type:not for the job\n' touch:"$T/typed" see:two touch:"$T/go" see:three \
        see:'status 0' see:'read: not for the job' -- bash -c '
        set -m
        "$SOCKCAT" 127.0.0.1 "$1" &
        wait $!
        echo "status $?"
        read -r line
        echo "read: $line"' _ "$peer_port"
    assert_status 0
    assert_equal "$output" unchanged
}

@test "F25: a job that is brought to the foreground reads what is typed" {
    start_peer send:'one\n' expect:'typed\n' send:'two\n' close
    export -f tick
    run pty see:one 'type:typed\n' see:two see:'status 0' -- bash -c '
        set -m
        "$SOCKCAT" 127.0.0.1 "$1" &
        until [ -s "$T/tty.out" ]; do tick; done
        fg %1 >/dev/null
        echo "status $?"' _ "$peer_port"
    assert_status 0
}

@test "F25: a job in the background that could read costs no time" {
    # The line that waits for it makes poll say ready all the time.
    start_peer send:'one\n' waitfor:"$T/typed" wait:1.5 close
    pty see:one 'type:waiting\n' touch:"$T/typed" -- bash -c '
        set -m
        "$SOCKCAT" 127.0.0.1 "$1" &
        wait $!
        times >"$T/times"' _ "$peer_port"
    # The second line: user and system time of the children.
    run awk 'NR == 2 { gsub(/[ms]/, " "); exit !($1 * 60 + $2 + $3 * 60 + $4 < 0.5) }' "$T/times"
    [ "$status" -eq 0 ] || fail "$(cat "$T/times")"
}

@test "F25: a session in the background ends with the terminal" {
    start_peer send:'hello\n' recvall!
    run pty see:hello hangup -- "$SOCKCAT" 127.0.0.1 "$peer_port"
    assert_status 129
    finish "$peer"
    assert_line '^reset$' "$T/peer.out" # not as if all had been sent
}
