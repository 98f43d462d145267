#!/usr/bin/env bats
# --compat=nc, and the names nc and netcat: what OpenBSD's nc does, and the promise about status 0. What both
# programs do is checked of both where nc.openbsd is installed, so that it proves the expectation.
# shellcheck disable=SC2034,SC2154 # the helper sets port, listener, peer, peer_port, result, held, and reads PROGRAM
bats_require_minimum_version 1.5.0
load lib/helper
PROGRAM=nc

# ---- the choice ----

@test "the names nc and netcat are --compat=nc, and messages begin with them" {
    hold_port
    for name in nc netcat; do
        ln -s "$(command -v "$SOCKCAT")" "$T/$name"
        PROGRAM=$name assert_fails 1 'unknown option -e: nc has no -e' "$T/$name" -e true 127.0.0.1 "$held"
        PROGRAM=$name assert_fails 1 'Connection refused' "$T/$name" -v 127.0.0.1 "$held" </dev/null
    done
    PROGRAM=sockcat assert_fails 7 'Connection refused' sockcat 127.0.0.1 "$held" </dev/null
}

@test "--compat=nc makes every failure 1" {
    need_shim
    hold_port
    assert_fails 1 "invalid -w 'x'" sockcat --compat=nc -w x a 1 </dev/null
    assert_fails 1 "port '80x'" sockcat --compat=nc a 80x </dev/null
    with_shim 'socket:EPROTONOSUPPORT:*' assert_fails 1 'not supported' sockcat --compat=nc --sctp 127.0.0.1 9 </dev/null
    with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 1 'resolve' sockcat --compat=nc some.test 9 </dev/null
    assert_fails 1 'Connection refused' sockcat --compat=nc -v 127.0.0.1 "$held" </dev/null
    assert_fails 1 'Connection refused' sockcat --compat=nc -zv 127.0.0.1 "$held" </dev/null
    assert_fails 1 'bind' sockcat --compat=nc -s 192.0.2.1 127.0.0.1 "$held" </dev/null
    assert_fails 1 'listen' sockcat --compat=nc -l 127.0.0.1 "$held" </dev/null
    with_shim 'socket:ENOMEM:*' assert_fails 1 'memory' sockcat --compat=nc 127.0.0.1 9 </dev/null
    with_shim 'getaddrinfo:sleep=60:*' assert_fails 1 'resolve' sockcat --compat=nc -w 0.2 some.test 9 </dev/null
}

@test "--compat=nc makes a failure of the session 1" {
    need_shim
    start_peer send:hello recvall!
    code=0
    sockcat --compat=nc 127.0.0.1 "$peer_port" </dev/null >/dev/full 2>"$T/err" || code=$?
    assert_equal "$code" 1
    assert_one_error "$T/err" 'write standard output'
    stop_all
    start_peer recvall!
    assert_fails 1 'read standard input' sockcat --compat=nc 127.0.0.1 "$peer_port" <"$T"
    stop_all
    mkfifo "$T/in"
    exec 8<>"$T/in"
    start_peer --listen udp recvquiet:0.1
    with_shim 'sendmsg:EPERM:1' assert_fails 1 'send to' sockcat --compat=nc -u 127.0.0.1 "$peer_port" <<<hello
    stop_all
    start_peer send:hello recv:1 reset
    echo hello >&8
    assert_fails 1 'receive from' sockcat --compat=nc 127.0.0.1 "$peer_port" <"$T/in"
}

@test "--compat=nc keeps 0, and a wrong command line is 1" {
    start_peer expect:hello shutwr recvall
    run sockcat --compat=nc 127.0.0.1 "$peer_port" < <(printf hello)
    assert_status 0
    for word in 127.0.0.1 --nonsense; do
        run sockcat --compat=nc "$word" </dev/null
        assert_status 1
        [[ ${lines[0]} == "nc: "@("missing port"|"unknown option --nonsense")* ]] || fail "$output"
    done
}

@test "--compat=nc keeps the signals" {
    start_listener --compat=nc 127.0.0.1 0
    kill -TERM "$listener"
    finish "$listener"
    assert_equal "$result" 143
}

@test "--compat=nc counts wherever it stands, also behind the mistake" {
    assert_fails 1 "invalid -w 'x'" sockcat -w x --compat=nc a 1 </dev/null
    assert_fails 1 "invalid -w 'x'" sockcat -w x a 1 --compat nc </dev/null
    assert_fails 1 "port '80x'" sockcat a 80x --compat=nc </dev/null
}

# ---- what OpenBSD's nc does ----

@test "each claim about nc holds for both programs" {
    need python3 ss
    drive one_liners claims
}

@test "one-liners from manuals and scripts do what they do with OpenBSD's nc" {
    need python3 ss curl nc.openbsd
    drive one_liners both
}

@test "a listener sends its whole file, even if the client ends its sending first" {
    ln -s "$(command -v "$SOCKCAT")" "$T/nc"
    file=$(random_file 3000000 1)
    "$T/nc" -lvn 127.0.0.1 0 <"$file" 2>"$T/nc.err" &
    started+=("$!")
    await_line "$T/nc.err" '^Listening on 127.0.0.1 [0-9]+$'
    sockcat --end=shutdown 127.0.0.1 "$(sed 's/.* //' "$T/nc.err")" </dev/null >"$T/out"
    assert_same "$T/out" "$file"
}

@test "--compat=nc: data that the peer does not acknowledge is 1 when -w ends the session" {
    drive compat unacknowledged
}
