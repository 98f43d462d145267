# Waiting (--wait-for): targets are tried again until they are open, or with --until-closed are not; then a
# program may replace the process. It is never run after a wait that failed.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, pid, result, held
bats_require_minimum_version 1.5.0
load lib/helper

@test "a port that is open ends the wait at once, without output" {
    start_peer recvall
    run sockcat --wait-for 127.0.0.1 "$peer_port"
    assert_status 0
    assert_equal "$output" ""
    finish "$peer"
    assert_equal "$result" 0
}

@test "a listener that comes later is waited for" { drive wait later; }

@test "a Unix socket that does not exist yet is waited for" { drive wait later_unix; }

@test "a UDP service that does not answer yet is waited for" { drive wait later_udp; }

@test "a name that does not exist yet is waited for" {
    need_shim
    start_listener -dk 127.1.0.1 0
    with_shim 'getaddrinfo:EAI_NONAME:1,getaddrinfo:EAI_AGAIN:2,getaddrinfo:addresses=1:3' \
        sockcat -v --wait-for --interval 10ms later.test "$port" 2>"$T/err"
    assert_line 'waiting for later.test:[0-9]+: unresolved: .*Name or service not known' "$T/err"
    assert_line "later.test:$port open after 3 tries" "$T/err"
}

@test "with -v each new state of a target is one line" { drive wait states; }

@test "a wait of several ports ends when all of them are open" { drive wait several; }

@test "a wait with --any ends when one target is open" {
    start_peer recvall
    hold_port
    sockcat -v --wait-for --any "127.0.0.1:$held" "unix:$T/none" "127.0.0.1:$peer_port" 2>"$T/err"
    assert_line "^sockcat: 127.0.0.1:$peer_port open after 1 try$" "$T/err"
}

@test "targets of several kinds are waited for at the same time" {
    start_peer --listen "unix:$T/socket" recvall
    start_listener -dk 127.0.0.1 0
    sockcat -v --wait-for "127.0.0.1:$port" "unix:$T/socket" -- echo done >"$T/out" 2>"$T/err"
    assert_equal "$(cat "$T/out") $(grep -c 'open after 1 try' "$T/err")" "done 2"
}

@test "--until-closed waits for the end of a listener" { drive wait until_closed; }

@test "a wait that takes too long is 124, with the last reason" {
    hold_port
    assert_fails 124 "^sockcat: 127\.0\.0\.1:$held: closed; not open within 0\.1s$" \
        sockcat --wait-for=0.1 --interval 10ms 127.0.0.1 "$held"
    start_peer recvall!
    assert_fails 124 "^sockcat: 127\.0\.0\.1:$peer_port: open; not closed within 0\.1s$" \
        sockcat --wait-for=100ms --until-closed 127.0.0.1 "$peer_port"
    assert_fails 124 '^sockcat: connect .*/none: No such file or directory; not open within 0\.1s$' \
        sockcat --wait-for=100ms -U "$T/none"
}

@test "a signal that ends a wait prints the last cause for each target" { drive wait interrupted; }

@test "at most 16 look-ups of a wait run at a time" {
    need_shim
    SHIM_COUNT=$T/count with_shim 'getaddrinfo:sleep=60:*' assert_fails 124 'slow.test: timed out' \
        sockcat --wait-for=500ms slow.test:1-99 </dev/null
    assert_line '^getaddrinfo 16$' "$T/count"
}

@test "a name that does not resolve is a reason" {
    need_shim
    with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 124 \
        '^sockcat: resolve none.test: Name or service not known; not open within 0\.1s$' \
        sockcat --wait-for=0.1 --interval 10ms none.test 80
}

@test "a try that the end of the wait cuts short does not hide the reason before it" {
    need_shim
    with_shim 'getaddrinfo:EAI_NONAME:1,getaddrinfo:sleep=60:2+' assert_fails 124 \
        'Name or service not known; not open' sockcat --wait-for=0.3 --interval 10ms none.test 80
    with_shim 'getaddrinfo:sleep=60:*' assert_fails 124 'timed out; not open' sockcat --wait-for=0.1 none.test 80
}

@test "each target of several that is not open has its reason" {
    start_peer recvall!
    hold_port
    assert_fails 124 "^sockcat: 127.0.0.1:$held: closed; 1 of 2 targets not open within 0\.2s$" \
        sockcat --wait-for=0.2 127.0.0.1 "$peer_port" "$held"
}

@test "a failure that waiting does not cure ends the wait" {
    start_peer recvall!
    assert_fails 45 'Cannot assign requested address' \
        sockcat --wait-for -s 192.0.2.1 127.0.0.1 "$peer_port"
}

@test "a lack of descriptors is waited out" {
    need_shim
    start_peer recvall
    with_shim 'socket:EMFILE:1' sockcat --wait-for --interval 10ms 127.0.0.1 "$peer_port"
}

@test "the tries of a wait are an interval apart" {
    need_shim
    hold_port
    SHIM_COUNT=$T/count with_shim socket:count:* assert_fails 124 closed \
        sockcat --wait-for=0.2 --interval 50ms 127.0.0.1 "$held"
    [ "$(sed -n 's/^socket //p' "$T/count")" -le 5 ] || fail "$(cat "$T/count")"
}

# ---- the program ----

@test "the program after -- replaces the process: its ID, its arguments, its status" {
    start_peer recvall
    status=0
    # shellcheck disable=SC2016 # for the inner shell
    bash -c 'echo $$; exec "$SOCKCAT" --wait-for 127.0.0.1 "$1" -- sh -c "echo \$\$; printf %s, \"\$@\"; exit 7" \
        x -v "a b" "" --wait-for' x "$peer_port" >"$T/out" || status=$?
    assert_equal "$status" 7
    { read -r before; read -r after; read -r rest || :; } <"$T/out"
    assert_equal "$after" "$before"
    assert_equal "$rest" "-v,a b,,--wait-for,"
}

@test "a signal ends the program as if it had been started alone" { drive wait signals; }

@test "the program has the signals of the start: actions and mask" { drive wait dispositions; }

@test "the program has the descriptors of the start, and their modes" { drive wait descriptors; }

@test "the program has the environment of the start, with the sockets of a service manager" {
    start_peer recvall
    LISTEN_FDS=1 LISTEN_PID=1 NOTIFY_SOCKET=/x PLAIN=y sockcat --wait-for 127.0.0.1 "$peer_port" -- env >"$T/out"
    for line in LISTEN_FDS=1 LISTEN_PID=1 NOTIFY_SOCKET=/x PLAIN=y; do
        grep -qx "$line" "$T/out" || fail "$line is gone: $(cat "$T/out")"
    done
}

@test "the program is not run if the wait failed, was interrupted, or could not begin" {
    hold_port
    assert_fails 124 closed sockcat --wait-for=0.1 127.0.0.1 "$held" -- touch "$T/ran"
    start "$SOCKCAT" -v --wait-for 127.0.0.1 "$held" -- touch "$T/ran"
    await_line "$T/background.err" closed
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result" 143
    assert_fails 3 "port 'x'" sockcat --wait-for=0.1 127.0.0.1 x -- touch "$T/ran"
    [ ! -e "$T/ran" ]
}

@test "a program that does not exist, or cannot be run, is found before the wait" {
    touch "$T/plain"
    assert_fails 127 'run .*/none: No such file' sockcat --wait-for 127.0.0.1 9 -- "$T/none"
    assert_fails 126 'run .*/plain: Permission denied' sockcat --wait-for 127.0.0.1 9 -- "$T/plain"
}

@test "a program that vanishes during the wait is 127" { drive wait vanishes; }

# ---- the command line ----

@test "a wait without a target is one line, and nothing is started" {
    assert_fails 2 'missing host and port' sockcat --wait-for
    assert_fails 2 'missing host and port' sockcat --wait-for=3 -- touch "$T/ran"
    assert_fails 2 'missing port' sockcat --wait-for 127.0.0.1 -- touch "$T/ran"
    [ ! -e "$T/ran" ]
}

@test "what makes no sense with --wait-for is refused" {
    for options in -l "-e true" --broker -F --ping -o/dev/null --echo --send-only; do
        # shellcheck disable=SC2086 # two words for some
        assert_fails 2 'conflicts with' sockcat --wait-for $options 127.0.0.1 9 || fail "for $options"
    done
    assert_fails 2 "'fd://' conflicts with --wait-for" sockcat --wait-for fd://3 3</dev/tcp/127.0.0.1/9 ||
        assert_fails 3 'fd://3' sockcat --wait-for fd://3
    for value in x 0 -1 ''; do
        assert_fails 3 "invalid --wait-for '$value'" sockcat --wait-for="$value" 127.0.0.1 9
    done
    assert_fails 2 'conflicts with networks' sockcat --wait-for 10.0.0.0/24:80
    assert_fails 3 '1000 ports are more than 500' sockcat --wait-for 127.0.0.1 1-1000
    assert_fails 3 "invalid --interval '0.9ms'" sockcat --wait-for --interval 0.9ms 127.0.0.1 9
    assert_fails 2 'interval requires' sockcat -z --interval 1 127.0.0.1 9
    assert_fails 2 'until-closed requires' sockcat -z --until-closed 127.0.0.1 9
}

@test "SIGUSR1 tells how many targets are missing" {
    hold_port
    start "$SOCKCAT" -v --wait-for 127.0.0.1 "$held"
    await_line "$T/background.err" closed
    kill -USR1 "$pid"
    await_line "$T/background.err" '^sockcat: waiting for 1 of 1 target$'
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result" 143
}

# ---- the manual ----

@test "the health check of the manual is 0 or not, as the port is open or not" {
    page=$HELPER_DIR/../../man/sockcat.1
    [ -r "$page" ] || skip "needs the source"
    check=$(sed -n 's/\\-/-/g; s/^HEALTHCHECK .*CMD \[\(.*\)\]$/\1/p' "$page")
    [ -n "$check" ] || fail "there is no HEALTHCHECK in the manual"
    start_peer recvall!
    read -ra words <<<"$(tr -d '",' <<<"${check//9000/$peer_port}")"
    [ "${words[0]}" = sockcat ] || fail "$check"
    "${words[@]}"
    hold_port
    read -ra words <<<"$(tr -d '",' <<<"${check//9000/$held}")"
    run "${words[@]}"
    assert_status 1
}
