# Pinging (--ping): repeated connections, a line for each, and statistics at the end.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, pid, result, held
bats_require_minimum_version 1.5.0
load lib/helper

NUMBER='[0-9]+\.[0-9]{3}'
TIMES="^min/avg/p50/p95/max/jitter = $NUMBER(/$NUMBER){5} ms$"

# lines FILE REGEX...: each line of the file matches its own.
lines() {
    local lines i
    mapfile -t lines <"$1"
    shift
    [ "${#lines[@]}" -eq $# ] || fail "${#lines[@]} lines, not $#: ${lines[*]}" || return
    for ((i = 0; i < ${#lines[@]}; i++)); do
        [[ ${lines[i]} =~ $1 ]] || fail "'${lines[i]}' does not match '$1'" || return
        shift
    done
}

@test "each try is a line with the time to connect, and statistics follow" {
    start_listener -dk 127.0.0.1 0
    sockcat --ping=3 --interval 5ms 127.0.0.1 "$port" >"$T/out"
    lines "$T/out" "^connected to 127\.0\.0\.1:$port seq=1 time=$NUMBER ms$" "seq=2 time=$NUMBER ms$" \
        "seq=3 time=$NUMBER ms$" "^127\.0\.0\.1:$port: 3 tries, 0 failed, 0% loss$" "$TIMES"
}

@test "the look-up of a name has a time of its own" {
    need_shim
    start_listener -dk 127.1.0.1 0
    with_shim 'getaddrinfo:addresses=1:*' sockcat --ping=1 x.test "$port" >"$T/out"
    lines "$T/out" "^connected to x.test:$port at 127\.1\.0\.1:$port seq=1 time=$NUMBER ms resolve=$NUMBER ms$" \
        "^x.test:$port: 1 try, 0 failed, 0% loss$" "$TIMES"
}

@test "if all tries fail the status is 1, and there are no times" {
    hold_port
    assert_fails 1 "^sockcat: 127.0.0.1:$held: closed; 100% of the tries failed$" \
        sockcat --ping=2 --interval 5ms 127.0.0.1 "$held"
    lines "$T/fails.out" '^seq=1 closed$' '^seq=2 closed$' "^127.0.0.1:$held: 2 tries, 2 failed, 100% loss$"
}

@test "if no try gets as far as the target the status is that of the cause, as with -z" {
    need_shim
    hold_port
    start_peer recvall!
    for mode in -z "--ping=2 --interval 1ms"; do
        # shellcheck disable=SC2206 # three words for the second
        mode=($mode)
        with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 6 '^sockcat: resolve none.test: Name or service not known' \
            sockcat "${mode[@]}" none.test 80
        with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 5 '^sockcat: resolve proxy none.test: Name or service' \
            sockcat "${mode[@]}" --proxy socks5://none.test 127.0.0.1 80
        assert_fails 7 '^sockcat: connect proxy .*Connection refused' \
            sockcat "${mode[@]}" --proxy "socks5://127.0.0.1:$held" 127.0.0.1 80
        assert_fails 45 'bind 192.0.2.1: Cannot assign' sockcat "${mode[@]}" -s 192.0.2.1 127.0.0.1 "$peer_port"
        with_shim 'socket:EMFILE:*' assert_fails 27 'Too many open files' sockcat "${mode[@]}" 127.0.0.1 "$peer_port"
    done
    # One that does is an answer.
    with_shim 'getaddrinfo:EAI_NONAME:1,getaddrinfo:addresses=1:2' assert_fails 1 'closed; 100% of the tries failed$' \
        sockcat --ping=2 --interval 1ms some.test "$held"
    with_shim 'getaddrinfo:EAI_NONAME:1' assert_fails 1 'known; 50% of the tries failed, more than 10%$' \
        sockcat --ping=2 --interval 1ms --max-loss 10 localhost "$peer_port"
}

@test "failed tries are lines with state and cause, and do not end the ping" {
    need_shim
    start_listener -dk 127.1.0.1 0
    with_shim 'getaddrinfo:EAI_NONAME:1,getaddrinfo:addresses=1:2+,connect:ECONNREFUSED:1,connect:EHOSTUNREACH:2,socket:EMFILE:3' \
        sockcat --ping=5 --interval 5ms x.test "$port" >"$T/out"
    lines "$T/out" '^seq=1 unresolved: .*Name or service not known$' '^seq=2 closed$' \
        '^seq=3 unreachable: .*No route to host$' '^seq=4 error: .*Too many open files$' 'seq=5 time' \
        '5 tries, 4 failed, 80% loss$' "$TIMES"
}

@test "a try without an answer is over after --wait" { drive ping no_answer; }

@test "--max-loss is what may be lost" {
    need_shim
    start_listener -dk 127.0.0.1 0
    lose() { with_shim 'socket:EMFILE:2' sockcat --ping=3 --interval 1ms --max-loss "$1" 127.0.0.1 "$port"; }
    lose 33.34% >"$T/out"
    lines "$T/out" seq=1 'seq=2 error' seq=3 '3 tries, 1 failed, 33\.33% loss$' "$TIMES"
    assert_fails 1 'files; 33.33% of the tries failed, more than 33.33%$' lose 33.33
    assert_fails 1 'more than 0%$' lose 0
    hold_port
    run sockcat --ping=1 --max-loss 100 127.0.0.1 "$held"
    assert_status 0
}

@test "a signal ends the ping with its statistics, and the status is that of the tries" {
    start_listener -dk 127.0.0.1 0
    hold_port
    for name in INT TERM HUP; do
        start env --default-signal=INT "$SOCKCAT" --ping --interval 5ms 127.0.0.1 "$port"
        await_line "$T/background.out" 'seq=3 '
        kill -s "$name" "$pid"
        finish "$pid"
        assert_equal "$result $(grep -Ec "0 failed, 0% loss|$TIMES" "$T/background.out")" "0 2"
        rm "$T/background.out"
        start env --default-signal=INT "$SOCKCAT" --ping --interval 5ms 127.0.0.1 "$held"
        await_line "$T/background.out" 'seq=3 '
        kill -s "$name" "$pid"
        finish "$pid"
        assert_equal "$result $(tail -n 1 "$T/background.out" | grep -c '100% loss')" "1 1"
        rm "$T/background.out"
    done
}

@test "a signal before the end of the first try ends the process, and no number is made up" {
    need_shim
    resolving() { [ "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)" -ge 2 ]; }
    with_shim 'getaddrinfo:sleep=60:*' start "$SOCKCAT" --ping slow.test 80
    until_true 20 resolving
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result" 143
    lines "$T/background.out" '^slow.test:80: 0 tries, 0 failed$'
}

@test "SIGUSR1 prints the numbers, and the ping goes on" {
    start_listener -dk 127.0.0.1 0
    start "$SOCKCAT" --ping --interval 5ms 127.0.0.1 "$port"
    await_line "$T/background.out" 'seq=2 '
    kill -USR1 "$pid"
    await_line "$T/background.err" "^sockcat: 127.0.0.1:$port: [0-9]+ tries, 0 failed$"
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result" 0
}

@test "tries are as many as asked for, and never earlier than their times" { drive ping schedule; }

@test "the connections of a ping are reset, and leave nothing in TIME_WAIT" { drive ping reset; }

@test "a reader that does not read stops the ping, not its schedule" { drive ping slow_reader; }

@test "a signal ends a ping that waits for its reader" { drive ping no_reader; }

@test "a reader that has gone ends the ping with 23" {
    start_listener -dk 127.0.0.1 0
    status=0
    sockcat --ping --interval 1ms 127.0.0.1 "$port" 2>"$T/err" > >(head -n 2 >"$T/out") || status=$?
    assert_equal "$status $(cat "$T/err")" "23 "
    assert_fails 23 'write standard output: No space left' \
        bash -c 'sockcat --ping --interval 1ms 127.0.0.1 "$1" >/dev/full' x "$port"
}

@test "a histogram is shown on a terminal, and nowhere else" {
    start_listener -dk 127.0.0.1 0
    pty --fds 1 -- "$SOCKCAT" --ping=4 --interval 2ms 127.0.0.1 "$port"
    grep -Eq '^ +[0-9]+\.[0-9]{3} ms \|#+ [0-9]+' "$T/tty.out" || fail "$(cat "$T/tty.out")"
    sockcat --ping=4 --interval 2ms 127.0.0.1 "$port" >"$T/out"
    ! grep '|' "$T/out"
}

@test "Unix sockets and UDP services are pinged, too" {
    start_listener -dk -U "$T/socket"
    sockcat --ping=2 --interval 2ms "unix:$T/socket" >"$T/out"
    lines "$T/out" "^connected to $T/socket seq=1 time=$NUMBER ms$" seq=2 '0% loss' "$TIMES"
    start_listener -ku --echo 127.0.0.1 0
    sockcat -u --ping=2 --interval 2ms 127.0.0.1 "$port" >"$T/out"
    lines "$T/out" "^connected to 127.0.0.1:$port seq=1 time=$NUMBER ms$" seq=2 '0% loss' "$TIMES"
    hold_port
    assert_fails 1 closed sockcat -u --ping=1 127.0.0.1 "$held"
}

@test "what makes no sense with --ping is refused" {
    for options in -l "-e true" --broker -F -o/dev/null --echo --wait-for; do
        # shellcheck disable=SC2086 # two words for some
        assert_fails 2 'conflicts with' sockcat --ping $options 127.0.0.1 9 || fail "for $options"
    done
    assert_fails 2 'conflicts with several ports' sockcat --ping 127.0.0.1 9 10
    assert_fails 2 'missing host and port' sockcat --ping
    assert_fails 2 'max-loss requires' sockcat -z --max-loss 5 127.0.0.1 9
    for value in x 0 -1 '' 1.5; do
        assert_fails 3 "invalid --ping '$value'" sockcat --ping="$value" 127.0.0.1 9
    done
    for value in x -1 101 100.1% 5%%; do
        assert_fails 3 "invalid --max-loss '$value'" sockcat --ping --max-loss="$value" 127.0.0.1 9
    done
}
