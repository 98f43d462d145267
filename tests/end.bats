#!/usr/bin/env bats
# What the end of standard input does to a connection: --end, and the answers of real HTTP servers,
# some of which take a client's half-close for an abort.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets status, peer_port and so on
bats_require_minimum_version 1.5.0
load lib/helper

PATH=$PATH:/usr/sbin

# serve KIND [BACKEND-PORT]: starts a server of end_server.py; sets $served, its port.
serve() {
    local folder=$T/$1
    mkdir "$folder"
    head -c 20000000 /dev/zero >"$folder/big"
    start python3 "$BATS_TEST_DIRNAME/cases/end_server.py" "$1" "$folder" ${2:+"$2"}
    await_file "$folder/port"
    served=$(cat "$folder/port")
}

# gets_the_page: the plainest of all requests gets the whole answer.
gets_the_page() {
    client 127.0.0.1 "$served" < <(printf 'GET / HTTP/1.0\r\n\r\n') >"$T/page"
    assert_status 0
    # A server on a loaded machine may take its time.
    assert_equal "$(grep -vxF "sockcat: 127.0.0.1:$served has not answered; not half-closed after an HTTP/1 request (-N: half-close)" \
        "$T/client.err")" ''
    assert_line '^HTTP/1.[01] 200 OK' "$T/page"
    assert_equal "$(tail -n 1 "$T/page")" 'the page'
}

# ---- real servers ----

@test "T0: the page of Python's http.server" {
    serve python
    gets_the_page
}

@test "T0: the page of a server built on asyncio.Protocol" {
    serve asyncio
    gets_the_page
}

@test "T0: the page of node's http server" {
    need node
    serve node
    gets_the_page
}

@test "T0: the page behind nginx as a proxy" {
    need nginx
    serve asyncio
    serve nginx "$served"
    gets_the_page
}

@test "T0: a large static file of nginx is whole" {
    need nginx
    serve nginx 1
    client -I 16384 127.0.0.1 "$served" < <(printf 'GET /big HTTP/1.0\r\n\r\n') >"$T/page"
    assert_status 0
    assert_equal "$(cat "$T/client.err")" ''
    tail -c 20000000 "$T/page" | cmp - "$T/nginx/big"
}

@test "T0: the page behind haproxy in http mode and in tcp mode" {
    need haproxy
    local mode backend
    serve asyncio
    backend=$served
    for mode in http tcp; do
        serve "haproxy-$mode" "$backend"
        gets_the_page
    done
}

# ---- which bytes, where ----

# end_is WANTED TRANSPORT [ARG...] -- PIECE...: see end_kept.py.
end_is() { drive end_kept "$@"; }

@test "T0: an HTTP/1 request is not followed by a half-close, in however many pieces it comes" {
    end_is kept tcp -- 'GET / HTTP/1.0\r\n\r\n'
    end_is kept tcp -- 'POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}'
    end_is kept tcp -- 'GET / HTTP/1.0\n\n'
    end_is kept tcp -- G E T ' ' / ' ' HTTP/1 .0 '\r' '\n' '\r\n'
    end_is kept tcp -- 'GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n' 'not a request'
    end_is kept tcp -- 'GET / HTTP/1.0\r\n'
}

@test "T0: anything else is followed by a half-close" {
    end_is shut tcp -- 'hello\n'
    end_is shut tcp --
    end_is shut tcp -- 'GET / HTTP/1.0'
    end_is shut tcp -- 'GET /\r\n'
    end_is shut tcp -- 'hello\nGET / HTTP/1.0\r\n\r\n'
    end_is shut tcp -- 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
    end_is shut tcp -- 'HTTP/1.0 200 OK\r\n\r\n'
}

@test "T0: requests are recognised over IPv6, Unix sockets, with -C, -t, -i, -o and --no-splice" {
    local way
    end_is kept unix -- 'GET / HTTP/1.0\r\n\r\n'
    for way in -C -t "-i 0.01" "-o /dev/null" --no-splice --end=auto; do
        # shellcheck disable=SC2086 # an option and its argument
        end_is kept tcp $way -- 'GET / HTTP/1.0\n\n'
        # shellcheck disable=SC2086
        end_is shut tcp $way -- 'GET / HTTP/1.0 \n\n'
    done
    need_ipv6
    end_is kept tcp6 -- 'GET / HTTP/1.0\r\n\r\n'
}

@test "T0: -N, --no-shutdown and --end say what is done" {
    end_is shut tcp -N -- 'GET / HTTP/1.0\r\n\r\n'
    end_is shut tcp --end=shutdown -- 'GET / HTTP/1.0\r\n\r\n'
    end_is kept tcp --no-shutdown -- 'hello\n'
    end_is kept tcp --end=keep -- 'hello\n'
    end_is kept unix --end keep -- 'hello\n'
    end_is shut unix -N -- 'GET / HTTP/1.0\r\n\r\n'
}

@test "T0: with --frame, and from a listener, an HTTP request is like any other data" {
    local request=$T/request
    printf 'GET / HTTP/1.0\r\n\r\n' >"$request"
    # Both peers answer at the end only.
    start_peer recvall 'send:bye\r\n' close
    client --frame crlf --stdin-frame crlf 127.0.0.1 "$peer_port" <"$request" >"$T/out"
    assert_status 0
    LISTENER_IN=$request start_listener -v 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" recvall send:bye close
    finish "$listener"
    assert_equal "$result" 0
    assert_equal "$(cat "$T/listener.out")" bye
    assert_line 'half-closed at the end of standard input' "$T/listener.err"
}

@test "T0: what follows a request is whole, and the kernel still moves it" {
    local data
    data=$(random_file 5000000 1)
    { printf 'PUT / HTTP/1.0\r\n\r\n' && cat "$data"; } >"$T/request"
    start_peer 'expect:PUT / HTTP/1.0\r\n\r\n' recv:5000000 send:bye shutwr recvall count
    client -vv 127.0.0.1 "$peer_port" <"$T/request" >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" bye
    assert_line ' not half-closed ' "$T/client.err"
    [ "$(uname)" != Linux ] || assert_line "from standard input and output to 127.0.0.1:$peer_port: spliced in the kernel" "$T/client.err"
    assert_peer_done
    assert_line '^5000018$' "$T/peer.out"
}

@test "T0: --end=close ends the session when all is acknowledged, whatever the peer does" {
    local way where
    for way in tcp "unix:$T/socket"; do
        start_peer --listen "$way" 'expect:GET / HTTP/1.0\n' "waitfor:$T/over" recvall count
        [ "$way" = tcp ] && where="127.0.0.1 $peer_port" || where="-U $T/socket"
        printf 'GET / HTTP/1.0\n' >"$T/request"
        # shellcheck disable=SC2086 # two words
        client --end=close $where <"$T/request" >"$T/out"
        assert_status 0
        assert_equal "$(cat "$T/client.err")" ''
        touch "$T/over"
        assert_peer_done
        assert_line '^15$' "$T/peer.out"
        rm "$T/over"
    done
}

@test "T0: --end=close waits for the acknowledgement" {
    start_peer rcvbuf:4096 "waitfor:$T/go" recvall count
    random_file 300000 >/dev/null
    START_IN=$(random_file 300000) start "$SOCKCAT" -O 1M --end=close 127.0.0.1 "$peer_port"
    until_true 20 is_drained || fail "the input was not read"
    ! is_gone "$pid" || fail "it did not wait for the acknowledgement"
    touch "$T/go"
    finish "$pid"
    assert_equal "$result" 0
    assert_peer_done
    assert_line '^300000$' "$T/peer.out"
}

# is_drained: sockcat has read its whole input, a file.
is_drained() { grep -qsx $'pos:\t300000' "/proc/$pid/fdinfo/0"; }

@test "T0: --end=close and --until=both conflict; an invalid value is rejected" {
    assert_fails 2 '--end=close conflicts with --until=both' sockcat --end=close --until=both a 1
    assert_fails 3 'invalid --end .often.' sockcat --end=often a 1
}

# ---- what is reported ----

@test "T0: -v names --end=keep when the peer ends without an answer to the half-close" {
    feed "@$T/heard" question
    start_peer send:hello recvall close
    START_IN=$T/in start "$SOCKCAT" -v 127.0.0.1 "$peer_port"
    until_true 20 is_larger "$T/background.out" 5
    touch "$T/heard"
    finish "$pid"
    assert_equal "$result" 0
    assert_line "127.0.0.1:$peer_port sent nothing after the half-close.*--end=keep" "$T/background.err"
    # Not where something came after it, nor where nothing was sent.
    start_peer recvall send:answer close
    client -v 127.0.0.1 "$peer_port" < <(printf question) >"$T/out"
    assert_status 0
    ! grep -e '--end=keep' "$T/client.err" || fail "it had its answer"
    start_peer recvall close
    client -v 127.0.0.1 "$peer_port" </dev/null >"$T/out"
    assert_status 0
    ! grep -e '--end=keep' "$T/client.err" || fail "nothing was asked"
    # Not without -v either.
    start_peer recvall close
    client 127.0.0.1 "$peer_port" < <(printf question) >"$T/out"
    assert_equal "$(cat "$T/client.err")" ''
}

@test "T8: that the server keeps the connection open after its HTTP answer is reported once" {
    start_peer 'expect:GET / HTTP/1.1\r\n\r\n' 'send:HTTP/1.1 200 OK\r\n\r\n' "waitfor:$T/told" send:more "waitfor:$T/over" close
    printf 'GET / HTTP/1.1\r\n\r\n' >"$T/request"
    START_IN=$T/request start "$SOCKCAT" 127.0.0.1 "$peer_port"
    await_line "$T/background.err" "^sockcat: 127.0.0.1:$peer_port keeps the connection open after its answer; waiting for it to close \(-q TIME: wait no longer\)\$"
    touch "$T/told"
    until_true 20 grep -qs more "$T/background.out"
    touch "$T/over"
    finish "$pid"
    assert_equal "$result" 0
    assert_equal "$(wc -l <"$T/background.err")" 1
}

@test "T8: that no answer comes to an HTTP request, and no end was sent, is reported once" {
    start_peer 'expect:GET / HTTP/1.0\n' "waitfor:$T/told" 'send:too short' "waitfor:$T/over" close
    echo 'GET / HTTP/1.0' >"$T/request"
    START_IN=$T/request start "$SOCKCAT" 127.0.0.1 "$peer_port"
    await_line "$T/background.err" "^sockcat: 127.0.0.1:$peer_port has not answered; not half-closed after an HTTP/1 request \(-N: half-close\)\$"
    touch "$T/told" "$T/over"
    finish "$pid"
    assert_equal "$result $(cat "$T/background.out")" '0 too short'
    assert_equal "$(wc -l <"$T/background.err")" 1
}

@test "T0: an HTTP request of a program or of --to is half-closed behind" {
    for service in '-c "printf \"GET / HTTP/1.0\\r\\n\\r\\n\"; exec >&-; cat >&2"'; do
        start_peer recvall! send:answer close
        eval "sockcat 127.0.0.1 $peer_port $service" </dev/null 2>"$T/program.err"
        assert_equal "$(cat "$T/program.err")" answer
    done
    start_peer recvall! send:answer close
    target=$peer_port
    start_peer 'send:GET / HTTP/1.0\r\n\r\n' shutwr recvall close
    sockcat 127.0.0.1 "$target" --to "127.0.0.1:$peer_port" </dev/null
    finish "$peer"
    assert_equal "$result" 0
}

@test "T8: that only standard input is waited for is reported once, after some seconds" {
    feed "@$T/more" one "@$T/over"
    start_peer send:bye shutwr "expect:one" recvall
    START_IN=$T/in start "$SOCKCAT" 127.0.0.1 "$peer_port"
    await_line "$T/background.err" "^sockcat: 127.0.0.1:$peer_port has finished; waiting for standard input \(--until=peer: exit then; -d: do not read it\)\$"
    touch "$T/more"
    touch "$T/over"
    finish "$pid"
    assert_equal "$result" 0
    assert_equal "$(wc -l <"$T/background.err")" 1
    assert_peer_done
}

@test "T8: with -v it is reported soon, by a listener and over a Unix socket, too" {
    feed "@$T/over"
    # Which is before the idle limit, and that before the three seconds.
    LISTENER_IN=$T/in start_listener -v --idle-timeout 1 -U "$T/socket"
    start_peer --connect "unix:$T/socket" send:bye close
    finish "$listener"
    assert_equal "$result" 28
    assert_line ' has finished; waiting for standard input \(--until=peer: exit then; -d: do not read it\)$' "$T/listener.err"
}

@test "T8: a file that is being sent is not waited for with a message" {
    start_peer send:bye shutwr recvall
    client -v 127.0.0.1 "$peer_port" <"$(random_file 20000001)" >"$T/out"
    assert_status 0
    ! grep 'waiting for' "$T/client.err" || fail "it is always ready"
    assert_peer_done
}

@test "T8: input that still comes, and a terminal, are not waited for with a message" {
    start_peer send:bye shutwr recvall count
    printf '1\n2\n3\n' >"$T/data"
    client -v -i 0.01 127.0.0.1 "$peer_port" <"$T/data" >"$T/out"
    assert_status 0
    ! grep 'waiting for' "$T/client.err" || fail "it was not idle"
    assert_peer_done
    start_peer send:bye shutwr recvall
    pty -- "$SOCKCAT" -v 127.0.0.1 "$peer_port"
    ! grep 'waiting for' "$T/tty.out" || fail "the session ends"
}

# ---- peers that are gone ----

# probe ARG...: see end_probe.py.
probe() { drive end_probe "$@"; }

# linux_only: what a reset answers is known to Linux only.
linux_only() { [ "$(uname)" = Linux ] || skip "needs TCP_INFO of Linux"; }

@test "T8: a peer that had finished, and of which a probe finds that it is gone, is a success" {
    linux_only
    probe 0 listen idle
    probe 0 connect idle
    probe 0 connect idle --end=keep
    probe 0 connect idle -o /dev/null
    probe 0 connect ending
    probe 0 connect ending --end=keep
}

@test "T8: a reset that destroyed something of ours is still a failure" {
    probe 56 connect unread
    probe 56 listen unread
    probe '55|56' connect writing
}

# keepalive ARG...: see end_keepalive.py.
keepalive() { drive end_keepalive "$@"; }

@test "T9: the connection is probed when only the peer can end the session" {
    linux_only
    local way
    for way in connect listen; do
        keepalive on "$way" ended
        keepalive on "$way" open -d
        keepalive on "$way" open --recv-only
    done
    keepalive on connect ended --end=keep
    keepalive on connect ended -C -t
    keepalive on listen open --echo
    keepalive on listen open --discard
    keepalive on listen open -k --discard
    keepalive on listen open -k --broker
    keepalive on listen open --receive="$T"
    keepalive on connect open --send "$(random_file 10)"
    keepalive on connect ended -q 1h
    keepalive on connect ended --linger 1h --until=peer
    keepalive on to open
    keepalive on from open
}

@test "T9: it is not probed while standard input can go on" {
    linux_only
    keepalive off connect open
    keepalive off listen open
}
