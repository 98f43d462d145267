# The tasks of a course on sockets, one after the other: echo, greeting, request and
# answer, chat, addresses and ports, and every way to say what to listen on.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets variables
bats_require_minimum_version 1.5.0
load lib/helper

# assert_client TEXT: the client in the foreground ended well, and this is what it wrote.
assert_client() {
    assert_equal "$status $(cat "$T/client.out"; cat "$T/client.err")" "0 $1"
}

# say_to ADDRESS PORT TEXT: sends it with nc, which gives up after 5 s.
say_to() { printf %s "$3" | nc.openbsd -N -w 5 "$1" "$2"; }

# ---- echo ----

@test "an echo server in Python sends back what sockcat sends, and both end" {
    start_peer echo
    client 127.0.0.1 "$peer_port" <"$(random_file 100000)" >"$T/client.out"
    assert_equal "$status $(cat "$T/client.err")" "0 "
    assert_same "$(random_file 100000)" "$T/client.out"
    assert_peer_done
}

@test "an echo server made of socat and cat sends back what sockcat sends" {
    need socat ss
    start_server socat TCP4-LISTEN:0,bind=127.0.0.1 EXEC:cat
    client 127.0.0.1 "$port" <"$(random_file 100000)" >"$T/client.out"
    assert_equal "$status $(cat "$T/client.err")" "0 "
    assert_same "$(random_file 100000)" "$T/client.out"
}

@test "a UDP echo server answers each datagram, and the client ends after a silence" {
    start_peer --listen udp echo
    mkfifo "$T/in"
    exec 8<>"$T/in"
    "$SOCKCAT" -u -q 0.1 127.0.0.1 "$peer_port" <"$T/in" >"$T/client.out" 2>"$T/client.err" \
        3>&- 8>&- &
    started+=("$!")
    for word in one two three; do
        echo "$word" >&8
        await_line "$T/client.out" "^$word\$"
    done
    exec 8>&-
    finish "$!"
    assert_equal "$result $(cat "$T/client.err")" "0 "
    assert_equal "$(cat "$T/client.out")" $'one\ntwo\nthree'
}

@test "sockcat is an echo server itself, with cat between its output and its input" {
    need nc.openbsd
    mkfifo "$T/to" "$T/from"
    # In this order, which is the listener's, neither waits for the other.
    cat >"$T/to" <"$T/from" 3>&- &
    started+=("$!")
    LISTENER_IN=$T/to LISTENER_OUT=$T/from start_listener 127.0.0.1 0
    nc.openbsd -N -w 20 127.0.0.1 "$port" <"$(random_file 100000)" >"$T/echoed"
    assert_same "$(random_file 100000)" "$T/echoed"
    assert_listener_ends 0
}

# ---- greeting, request and answer ----

@test "a server that greets sends its greeting to the first client and ends" {
    echo 'hello, client' >"$T/greeting"
    LISTENER_IN=$T/greeting start_listener 127.0.0.1 0
    client 127.0.0.1 "$port" </dev/null >"$T/client.out"
    assert_client 'hello, client'
    assert_listener_ends 0
    assert_equal "$(cat "$T/listener.out")" ""
    assert_fails 7 "connect 127.0.0.1:$port: Connection refused" \
        sockcat 127.0.0.1 "$port" </dev/null
}

@test "a greeting reaches a client that says nothing and does not end by itself" {
    need nc.openbsd
    echo 'hello, client' >"$T/greeting"
    LISTENER_IN=$T/greeting start_listener 127.0.0.1 0
    # nc without -N does not tell the end of its input: it ends because the server did.
    run -0 nc.openbsd -w 20 127.0.0.1 "$port" </dev/null
    assert_equal "$output" 'hello, client'
    assert_listener_ends 0
}

@test "requests and answers take turns on one connection" {
    start_peer 'expect:one\n' 'send:1\n' 'expect:two\n' 'send:2\n' recvall
    mkfifo "$T/in"
    exec 8<>"$T/in"
    "$SOCKCAT" 127.0.0.1 "$peer_port" <"$T/in" >"$T/client.out" 2>"$T/client.err" 3>&- 8>&- &
    started+=("$!")
    echo one >&8
    await_line "$T/client.out" '^1$'
    echo two >&8
    await_line "$T/client.out" '^2$'
    exec 8>&-
    finish "$!"
    assert_equal "$result $(cat "$T/client.err")" "0 "
    assert_peer_done
}

@test "a server that reads all until the end and only then answers is heard" {
    start_peer recvall count 'send:that was all\n' shutwr
    client 127.0.0.1 "$peer_port" <"$(random_file 100000)" >"$T/client.out"
    assert_client 'that was all'
    assert_peer_done
    assert_equal "$(tail -n 1 "$T/peer.out")" 100000
}

@test "sockcat is a server that counts all bytes until the end and answers with the number" {
    need nc.openbsd
    mkfifo "$T/to" "$T/from"
    wc -c >"$T/to" <"$T/from" 3>&- &
    started+=("$!")
    LISTENER_IN=$T/to LISTENER_OUT=$T/from start_listener 127.0.0.1 0
    run -0 nc.openbsd -N -w 20 127.0.0.1 "$port" <"$(random_file 100000)"
    assert_equal "${output// /}" 100000
    assert_listener_ends 0
}

# ---- chat ----

@test "two sockcats chat, each line comes at once, and they end together" {
    feed "@$T/1" 'good morning\n' "@$T/2" 'fine\n' "@$T/3"
    LISTENER_IN=$T/in start_listener 127.0.0.1 0
    mkfifo "$T/caller.in"
    exec 8<>"$T/caller.in"
    "$SOCKCAT" 127.0.0.1 "$port" <"$T/caller.in" >"$T/client.out" 2>"$T/client.err" 3>&- 8>&- &
    started+=("$!")
    touch "$T/1"
    await_line "$T/client.out" '^good morning$'
    echo 'how are you?' >&8
    await_line "$T/listener.out" '^how are you\?$'
    touch "$T/2"
    await_line "$T/client.out" '^fine$'
    echo bye >&8
    await_line "$T/listener.out" '^bye$'
    exec 8>&-
    touch "$T/3"
    finish "$!"
    assert_equal "$result $(cat "$T/client.err")" "0 "
    assert_listener_ends 0
    assert_equal "$(cat "$T/client.out")" $'good morning\nfine'
    assert_equal "$(cat "$T/listener.out")" $'how are you?\nbye'
}

@test "two sockcats chat over a Unix socket, and the one that has sent all still receives" {
    feed "@$T/1" 'my last word\n'
    LISTENER_IN=$T/in start_listener -U "$T/sock"
    "$SOCKCAT" -U "$T/sock" < <(echo hello) >"$T/client.out" 2>"$T/client.err" 3>&- &
    started+=("$!")
    await_line "$T/listener.out" '^hello$'
    touch "$T/1"
    finish "$!"
    assert_equal "$result $(cat "$T/client.out" "$T/client.err")" "0 my last word"
    assert_listener_ends 0
}

# ---- names and addresses ----

@test "to listen on a port in use is refused, and the message says which and why" {
    need socat ss
    start_server socat -u TCP4-LISTEN:0,bind=127.0.0.1 -
    assert_fails 101 "listen 127.0.0.1:$port: Address (already )?in use" \
        sockcat -l 127.0.0.1 "$port" </dev/null
}

# with_hosts COMMAND...: runs it with the name "many" for 127.0.0.1 and ::1, in a namespace where
# nothing else is known.
with_hosts() {
    printf '127.0.0.1 many\n::1 many\n' >"$T/hosts"
    # shellcheck disable=SC2016 # for the inner shell
    unshare -m bash -c 'mount --bind "$1" /etc/hosts; shift; exec "$@"' _ "$T/hosts" "$@"
}
export -f with_hosts assert_client say_to

need_hosts() {
    need mount nc.openbsd
    need_ipv6
    need_netns
}

call_many() {
    start_listener "$1" 0
    status=0
    echo hello | with_hosts "$SOCKCAT" many "$port" >"$T/client.out" 2>"$T/client.err" || status=$?
    assert_client ""
    assert_listener_ends 0
    assert_equal "$(cat "$T/listener.out")" hello
}

@test "a name with two addresses reaches the server that has only the IPv4 one" {
    need_hosts
    in_netns call_many 127.0.0.1
}

@test "a name with two addresses reaches the server that has only the IPv6 one" {
    need_hosts
    in_netns call_many ::1
}

@test "a name with two addresses where neither answers is one message that names both" {
    need_hosts
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c 'assert_fails 7 "^sockcat: connect many:9: .*127.0.0.1:9: Connection refused" \
            with_hosts "$SOCKCAT" many 9 </dev/null
        assert_one_error "$T/fails.err" "[[]::1[]]:9: Connection refused"'
}

@test "of a name with two addresses -6 takes only the one of that family" {
    need_hosts
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c 'start_listener 127.0.0.1 0
        assert_fails 7 "connect many:$port: Connection refused" \
            with_hosts "$SOCKCAT" -6 many "$port" </dev/null'
}

@test "to listen on a name with two addresses is to listen on both, at one port" {
    need_hosts
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c 'export -f start_listener read_ready patience patient slowness fail; export PROCESSORS
        with_hosts bash -euc "started=(); start_listener -k many 0
            echo \$listener >\"\$T/pid\"; echo \$port >\"\$T/port\"
            wait \"\$listener\"" 3>&- &
        started+=("$!")
        await_line "$T/port" "^[0-9]+$"
        # A grandchild, which does not end with the shell that waits for it.
        started+=("$(cat "$T/pid")")
        port=$(cat "$T/port")
        say_to 127.0.0.1 "$port" one
        until_true 20 is_larger "$T/listener.out" 3
        say_to ::1 "$port" two
        until_true 20 is_larger "$T/listener.out" 6
        assert_equal "$(cat "$T/listener.out")" onetwo'
}

@test "two listeners share a port number on two addresses, and each gets its own clients" {
    need nc.openbsd
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c 'LISTENER_OUT=$T/one.out start_listener 127.0.0.1 0
        one=$listener
        LISTENER_OUT=$T/two.out start_listener 127.0.0.2 "$port"
        say_to 127.0.0.2 "$port" two
        say_to 127.0.0.1 "$port" one
        finish "$one"; assert_equal "$result $(cat "$T/one.out")" "0 one"
        finish "$listener"; assert_equal "$result $(cat "$T/two.out")" "0 two"'
}

# ---- the client's own end; socat tells who called ----

start_caller_id() {
    need socat ss
    # shellcheck disable=SC2016 # for socat's shell
    start_server socat TCP4-LISTEN:0,bind=127.0.0.1,fork \
        SYSTEM:'echo $SOCAT_PEERADDR $SOCAT_PEERPORT'
}

@test "a client has a free port of its own" {
    start_caller_id
    client 127.0.0.1 "$port" </dev/null >"$T/client.out"
    assert_equal "$status $(cat "$T/client.err")" "0 "
    assert_line '^127\.0\.0\.1 [1-9][0-9]{3,4}$' "$T/client.out"
}

@test "-s chooses the client's address" {
    start_caller_id
    client -s 127.0.0.3 127.0.0.1 "$port" </dev/null >"$T/client.out"
    assert_equal "$status $(cat "$T/client.err")" "0 "
    assert_line '^127\.0\.0\.3 [1-9][0-9]{3,4}$' "$T/client.out"
}

call_from_port() {
    start_caller_id
    client "$@" 127.0.0.1 "$port" </dev/null >"$T/client.out"
}
export -f start_caller_id call_from_port

# In namespaces of their own, where a number is known to be free.
@test "-p chooses the client's port" {
    need socat ss
    need_netns
    in_netns -c 'call_from_port -p 4444; assert_client "127.0.0.1 4444"'
}

@test "-s and -p choose the client's address and port" {
    need socat ss
    need_netns
    in_netns -c 'call_from_port -p 4444 -s 127.0.0.3; assert_client "127.0.0.3 4444"'
}

@test "-p chooses the client's port for datagrams" {
    need_netns
    # shellcheck disable=SC2016 # for the inner shell and for socat's
    in_netns -c 'need socat ss
        start_server socat UDP4-LISTEN:0,bind=127.0.0.1 SYSTEM:"head -c 1 >/dev/null; echo \$SOCAT_PEERPORT"
        feed "who am I" "@$T/client.out.seen"
        "$SOCKCAT" -u -q 0.1 -p 4444 127.0.0.1 "$port" <"$T/in" >"$T/client.out" 2>"$T/client.err" &
        started+=("$!")
        await_line "$T/client.out" "^4444$"
        touch "$T/client.out.seen"
        finish "$!"
        assert_equal "$result" 0'
}

@test "a client's port that is taken is 45, and the message names it" {
    need_netns
    hold_port
    start_listener 127.0.0.1 0
    assert_fails 45 "bind .*:$held: Address (already )?in use" \
        sockcat -p "$held" 127.0.0.1 "$port" </dev/null
}

# ---- what a listener listens on ----

@test "a listener without an address is reached over both families" {
    need nc.openbsd
    need_ipv6
    start_listener -k 0
    say_to 127.0.0.1 "$port" one
    until_true 20 is_larger "$T/listener.out" 3
    say_to ::1 "$port" two
    until_true 20 is_larger "$T/listener.out" 6
    assert_equal "$(cat "$T/listener.out")" onetwo
}

@test "-4 -l is not reached over IPv6" {
    need_ipv6
    start_listener -4 0
    assert_fails 7 "connect \[::1\]:$port: Connection refused" sockcat ::1 "$port" </dev/null
    client 127.0.0.1 "$port" </dev/null
    assert_equal "$status" 0
}

@test "-6 -l is not reached over IPv4" {
    need_ipv6
    start_listener -6 0
    assert_fails 7 "connect 127.0.0.1:$port: Connection refused" \
        sockcat 127.0.0.1 "$port" </dev/null
    client ::1 "$port" </dev/null
    assert_equal "$status" 0
}

@test "a listener on one address is not reached at another" {
    start_listener 127.0.0.1 0
    assert_fails 7 "connect 127.0.0.2:$port: Connection refused" \
        sockcat 127.0.0.2 "$port" </dev/null
}

@test "a listener on port 0 reports the free port that it got, without being asked to" {
    start_listener 127.0.0.1 0
    [[ $port =~ ^[1-9][0-9]*$ ]] || fail "no port: $port"
    assert_line "^sockcat: listening on 127.0.0.1:$port\$" "$T/listener.err"
    client 127.0.0.1 "$port" </dev/null
    assert_equal "$status" 0
}

@test "a UDP listener on port 0 reports the free port that it got" {
    start_listener -u 127.0.0.1 0
    [[ $port =~ ^[1-9][0-9]*$ ]] || fail "no port: $port"
    assert_line "^sockcat: listening on 127.0.0.1:$port\$" "$T/listener.err"
}

@test "a listener without a port is a usage error" {
    assert_fails 2 'missing port' sockcat -l </dev/null
    assert_fails 2 'missing port' sockcat -l -s 127.0.0.1 </dev/null
}

@test "a port that is given twice is a usage error" {
    assert_fails 2 "extra operand '8081'" sockcat -l -p 8080 127.0.0.1 8081 </dev/null
}

# spelling ONLY ARG...: "sockcat ARG..." listens on port 8080 of 127.0.0.1, and, unless ONLY says
# "only", of every other address. In a namespace of its own, where 8080 is known to be free.
spelling() {
    local only=$1
    shift
    mkfifo "$T/.ready"
    "$SOCKCAT" "$@" --ready-fd 9 9>"$T/.ready" </dev/null >"$T/listener.out" 2>"$T/listener.err" &
    listener=$!
    started+=("$listener")
    read_ready port || fail "not understood: $* "
    assert_equal "$port" 8080
    if [ "$only" = only ]; then
        ! nc.openbsd -z -w 5 127.0.0.2 8080 || fail "it listens on other addresses, too"
        printf hello | nc.openbsd -N -w 5 127.0.0.1 8080
    else
        printf hello | nc.openbsd -N -w 5 127.0.0.2 8080
    fi
    assert_listener_ends 0
    assert_equal "$(cat "$T/listener.out")" hello
}

listens() {
    need nc.openbsd
    need_netns
    in_netns spelling "$@"
}

@test "a listener is spelt -l PORT" { listens all -l 8080; }

@test "a listener is spelt -l HOST PORT" { listens only -l 127.0.0.1 8080; }

@test "a listener is spelt -l -p PORT" { listens all -l -p 8080; }

@test "a listener is spelt -l -p PORT HOST" { listens only -l -p 8080 127.0.0.1; }

@test "a listener is spelt -l -s HOST -p PORT" { listens only -l -s 127.0.0.1 -p 8080; }

@test "a listener is spelt -l -s HOST PORT" { listens only -l -s 127.0.0.1 8080; }

@test "a listener is spelt -lvnp PORT" {
    need nc.openbsd
    need_netns
    # -v says more than the listener's line, which "listens" does not expect.
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '"$SOCKCAT" -lvnp 8080 --ready-fd 9 9>"$T/ready" </dev/null >"$T/out" 2>"$T/err" &
        started+=("$!")
        await_line "$T/ready" "^8080$"
        say_to 127.0.0.2 8080 hello
        finish "$!"
        assert_equal "$result $(cat "$T/out")" "0 hello"
        assert_line "^sockcat: listening on .*:8080" "$T/err"'
}

@test "a listener is spelt --listen --source=HOST --source-port=PORT" {
    listens only --listen --source=127.0.0.1 --source-port=8080
}

@test "a listener's port may be glued to its letter: -lp8080" { listens all -lp8080; }

@test "a listener's options may follow its operands" { listens only 127.0.0.1 8080 -l -n; }

@test "a client's options may follow its operands" {
    start_listener 127.0.0.1 0
    client 127.0.0.1 "$port" -n -4 -w 20 -v </dev/null
    assert_equal "$status" 0
    assert_line "connected to 127.0.0.1:$port" "$T/client.err"
    assert_listener_ends 0
}

@test "behind -- nothing is an option" {
    start_listener 127.0.0.1 0
    client -n -- 127.0.0.1 "$port" </dev/null
    assert_equal "$status" 0
    assert_fails 3 "'-n'" sockcat -- -n "$port" </dev/null
}

# ---- many clients ----

@test "-k serves one client after another, and SIGTERM ends it" {
    need nc.openbsd
    start_listener -k 127.0.0.1 0
    for client in one two three; do
        before=$(stat -c %s "$T/listener.out")
        say_to 127.0.0.1 "$port" "$client"
        until_true 20 is_larger "$T/listener.out" $((before + ${#client}))
    done
    assert_equal "$(cat "$T/listener.out")" onetwothree
    kill -TERM "$listener"
    finish "$listener"
    assert_equal "$result" 143
}

@test "without -k the second client is refused" {
    need nc.openbsd
    start_listener 127.0.0.1 0
    say_to 127.0.0.1 "$port" one
    assert_listener_ends 0
    assert_fails 7 'Connection refused' sockcat 127.0.0.1 "$port" </dev/null
}

@test "-k answers every client from what its standard input still has to give" {
    need nc.openbsd
    mkfifo "$T/in.fifo"
    exec 8<>"$T/in.fifo"
    # The listener must not hold the writing end itself.
    (
        exec 8>&-
        exec "$SOCKCAT" -k -l --ready-fd 9 127.0.0.1 0 9>"$T/port" <"$T/in.fifo" \
            >"$T/listener.out" 2>"$T/listener.err" 3>&-
    ) &
    listener=$!
    started+=("$listener")
    await_line "$T/port" '^[0-9]+$'
    port=$(cat "$T/port")
    for word in one two; do
        start_peer --connect "tcp:127.0.0.1:$port" "send:ask $word" "expect:$word" shutwr recvall
        await_line "$T/listener.out" "ask $word"
        printf %s "$word" >&8
        assert_peer_done
    done
    exec 8>&-
    assert_equal "$(cat "$T/listener.out")" 'ask oneask two'
}
