# Interoperability: sockcat as the client and as the listener, with the programs of the netcat
# family and with Python's sockets, over everything that the other side can speak.
#
# The others cut data off when the connection ends while they still send (nc.openbsd -l, busybox),
# so that in the tests of both directions at once no input ends before all has arrived. What
# happens at an end of one direction has tests of its own below.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets variables
bats_require_minimum_version 1.5.0
load lib/helper

STREAM=300000 # more than a pipe holds
MESSAGE=3000  # one datagram, within every program's buffer

has_size() { [ "$(stat -c %s "$1" 2>/dev/null)" = "$2" ]; }

# hold NAME: gives the bytes of $T/NAME to the FIFO $T/NAME.in, and lets it end as soon as either
# side has got all that the other one had.
hold() {
    mkfifo "$T/$1.in"
    {
        cat "$T/$1"
        until_true 20 has_size "$our_output" "$size" || :
        until_true 20 has_size "$their_output" "$size" || :
    } >"$T/$1.in" 3>&- &
    started+=("$!")
}

# prepare OURS THEIRS: makes random bytes for both sides, and the FIFOs that hold them.
prepare() {
    our_output=$1 their_output=$2
    random_file "$size" 1 >/dev/null
    random_file "$size" 2 >/dev/null
    ln "$T/random.$size.1" "$T/ours"
    ln "$T/random.$size.2" "$T/theirs"
    hold ours
    hold theirs
}

check_both() {
    assert_same "$T/theirs" "$our_output"
    assert_same "$T/ours" "$their_output"
    [ "$size" -eq "$MESSAGE" ] || finish "$pid"
    # A datagram program is not told of an end, and is ended by the teardown.
    [ "$size" -eq "$MESSAGE" ] || assert_equal "$result" 0
}

# split_arguments ARG... -- COMMAND...: sets the arrays arguments and command.
split_arguments() {
    arguments=()
    until [ "$1" = -- ]; do
        arguments+=("$1")
        shift
    done
    shift
    command=("$@")
}

# exchange_as_client ARG... -- SERVER...: sockcat calls the server; both send at once. PORT among
# the arguments stands for the server's.
exchange_as_client() {
    local arguments command
    need ss
    split_arguments "$@"
    prepare "$T/client.out" "$T/background.out"
    START_IN=$T/theirs.in start_server "${command[@]}"
    client "${arguments[@]/#PORT/$port}" <"$T/ours.in" >"$our_output"
    assert_equal "$status $(cat "$T/client.err")" "0 "
    check_both
}

# exchange_as_listener ARG... -- CLIENT...: the client calls sockcat; both send at once. PORT
# within the client's arguments stands for sockcat's.
exchange_as_listener() {
    local arguments command
    split_arguments "$@"
    prepare "$T/listener.out" "$T/background.out"
    LISTENER_IN=$T/ours.in start_listener "${arguments[@]}"
    START_IN=$T/theirs.in start "${command[@]/PORT/$port}"
    assert_listener_ends 0
    check_both
}

stream_as_client() { size=$STREAM exchange_as_client "$@"; }
message_as_client() { size=$MESSAGE exchange_as_client -u -q 0.1 "$@"; }
stream_as_listener() { size=$STREAM exchange_as_listener "$@"; }
message_as_listener() { size=$MESSAGE exchange_as_listener -u -q 0.1 "$@"; }

# ---- nc.openbsd ----

@test "nc.openbsd and sockcat get each other's bytes and datagrams, whichever of them calls" {
    need nc.openbsd
    each <<'TABLE'
stream_as_client 127.0.0.1 PORT -- nc.openbsd -l -N 127.0.0.1 0
stream_as_listener 127.0.0.1 0 -- nc.openbsd -N 127.0.0.1 PORT
stream_as_client ::1 PORT -- nc.openbsd -l -N ::1 0
stream_as_listener ::1 0 -- nc.openbsd -N ::1 PORT
message_as_client 127.0.0.1 PORT -- nc.openbsd -u -l 127.0.0.1 0
message_as_listener 127.0.0.1 0 -- nc.openbsd -u 127.0.0.1 PORT
message_as_client ::1 PORT -- nc.openbsd -u -l ::1 0
message_as_listener ::1 0 -- nc.openbsd -u ::1 PORT
stream_as_client -U SOCKET -- nc.openbsd -l -N -U SOCKET
stream_as_listener -U SOCKET -- nc.openbsd -N -U SOCKET
stream_as_client -U @NAME -- nc.openbsd -l -N -U @NAME
stream_as_listener -U @NAME -- nc.openbsd -N -U @NAME
message_as_client -U SOCKET -- nc.openbsd -u -l -U SOCKET
message_as_listener -U SOCKET -- nc.openbsd -u -U -s BACK SOCKET
TABLE
}

# ---- ncat ----

@test "ncat and sockcat get each other's bytes and datagrams, whichever of them calls" {
    need ncat
    each <<'TABLE'
stream_as_client 127.0.0.1 PORT -- ncat -l 127.0.0.1 0
stream_as_listener 127.0.0.1 0 -- ncat 127.0.0.1 PORT
stream_as_client ::1 PORT -- ncat -l ::1 0
stream_as_listener ::1 0 -- ncat ::1 PORT
message_as_client 127.0.0.1 PORT -- ncat -u -l 127.0.0.1 0
message_as_listener 127.0.0.1 0 -- ncat -u 127.0.0.1 PORT
message_as_client ::1 PORT -- ncat -u -l ::1 0
message_as_listener ::1 0 -- ncat -u ::1 PORT
stream_as_client -U SOCKET -- ncat -l -U SOCKET
stream_as_listener -U SOCKET -- ncat -U SOCKET
message_as_client -U SOCKET -- ncat -u -l -U SOCKET
message_as_listener -U SOCKET -- ncat -u -U -s BACK SOCKET
TABLE
}

# ---- socat; -t because it else cuts off what is under way half a second after one end; -b because it
# would cut a message that is larger than its buffer ----

@test "socat and sockcat get each other's bytes and datagrams, whichever of them calls" {
    need socat
    each <<'TABLE'
stream_as_client 127.0.0.1 PORT -- socat -t 20 - TCP4-LISTEN:0,bind=127.0.0.1
stream_as_listener 127.0.0.1 0 -- socat -t 20 - TCP4:127.0.0.1:PORT
stream_as_client ::1 PORT -- socat -t 20 - TCP6-LISTEN:0,bind=[::1]
stream_as_listener ::1 0 -- socat -t 20 - TCP6:[::1]:PORT
message_as_client 127.0.0.1 PORT -- socat -t 20 - UDP4-LISTEN:0,bind=127.0.0.1
message_as_listener 127.0.0.1 0 -- socat -t 20 - UDP4:127.0.0.1:PORT
message_as_client ::1 PORT -- socat -t 20 - UDP6-LISTEN:0,bind=[::1]
message_as_listener ::1 0 -- socat -t 20 - UDP6:[::1]:PORT
stream_as_client -U SOCKET -- socat -t 20 - UNIX-LISTEN:SOCKET
stream_as_listener -U SOCKET -- socat -t 20 - UNIX-CONNECT:SOCKET
stream_as_client -U @NAME -- socat -t 20 - ABSTRACT-LISTEN:NAME
stream_as_listener -U @NAME -- socat -t 20 - ABSTRACT-CONNECT:NAME
stream_as_client -U --seqpacket SOCKET -- socat -b 65536 -t 20 - UNIX-LISTEN:SOCKET,type=5
stream_as_listener -U --seqpacket SOCKET -- socat -b 65536 -t 20 - UNIX-CONNECT:SOCKET,type=5
message_as_client -U SOCKET -- socat -t 20 - UNIX-RECVFROM:SOCKET
message_as_listener -U SOCKET -- socat -t 20 - UNIX-SENDTO:SOCKET,bind=BACK
TABLE
}

# ---- busybox ----

@test "busybox nc and sockcat get each other's bytes, whichever of them calls" {
    need busybox
    each <<'TABLE'
stream_as_client 127.0.0.1 PORT -- busybox nc -l -p 0 127.0.0.1
stream_as_listener 127.0.0.1 0 -- busybox nc 127.0.0.1 PORT
stream_as_client ::1 PORT -- busybox nc -l -p 0 ::1
stream_as_listener ::1 0 -- busybox nc ::1 PORT
TABLE
}

# ---- Python's sockets: both sides send at once and end as soon as they have sent all ----

# python_as_client KIND ARG...: Python listens, sockcat calls it.
python_as_client() {
    local kind=$1
    shift
    start_peer --listen "$kind" "both:2:$STREAM" sha256
    client "${@/#PORT/$peer_port}" <"$(random_file "$STREAM" 1)" >"$T/client.out"
    assert_equal "$status $(cat "$T/client.err")" "0 "
    check_python "$T/client.out"
}

# python_as_listener KIND PREFIX ARG...: sockcat listens, Python calls it.
python_as_listener() {
    local kind=$1
    shift
    LISTENER_IN=$(random_file "$STREAM" 1) start_listener "$@"
    start_peer --connect "$kind:$port" "both:2:$STREAM" sha256
    assert_listener_ends 0
    check_python "$T/listener.out"
}

check_python() {
    assert_peer_done
    assert_same "$(random_file "$STREAM" 2)" "$1"
    assert_equal "$(tail -n 1 "$T/peer.out")" \
        "$(sha256sum <"$(random_file "$STREAM" 1)" | cut -d ' ' -f 1)"
}

# Datagrams: one each way, of which the second is the answer to the first.
python_message_as_client() {
    local kind=$1
    shift
    start_peer --listen "$kind" expect:question send:answer "touch:$T/answered"
    feed question "@$T/answered"
    client -u -q 0.1 "${@/#PORT/$peer_port}" <"$T/in" >"$T/client.out"
    assert_equal "$status $(cat "$T/client.out" "$T/client.err")" "0 answer"
    assert_peer_done
}

python_message_as_listener() {
    local kind=$1 options=()
    shift
    [ "$kind" != unixdgram ] || options=(--bind "$T/back")
    printf answer >"$T/answer"
    LISTENER_IN=$T/answer start_listener -u -q 0.1 "$@"
    start_peer "${options[@]}" --connect "$kind:$port" send:question expect:answer
    assert_listener_ends 0
    assert_equal "$(cat "$T/listener.out")" question
    assert_peer_done
}

@test "Python and sockcat get each other's bytes and datagrams, whichever of them calls" {
    each <<'TABLE'
python_as_client tcp 127.0.0.1 PORT
python_as_listener tcp:127.0.0.1 127.0.0.1 0
python_as_client tcp6 ::1 PORT
python_as_listener tcp:[::1] ::1 0
python_as_client unix:SOCKET -U SOCKET
python_as_listener unix -U SOCKET
python_as_client unix:@NAME -U @NAME
python_as_listener unix -U @NAME
python_as_client seqpacket:SOCKET -U --seqpacket SOCKET
python_as_listener seqpacket -U --seqpacket SOCKET
python_message_as_client udp 127.0.0.1 PORT
python_message_as_listener udp:127.0.0.1 127.0.0.1 0
python_message_as_client udp6 ::1 PORT
python_message_as_listener udp:[::1] ::1 0
python_message_as_client unixdgram:SOCKET -U SOCKET
python_message_as_listener unixdgram -U SOCKET
TABLE
}

# ---- One direction, and its natural end: an input file ends, everything is there, both end ----

# file_to_server SERVER...: sockcat calls and sends.
file_to_server() {
    need ss
    start_server "$@"
    client 127.0.0.1 "$port" <"$(random_file "$STREAM" 1)" >"$T/client.out"
    assert_equal "$status $(cat "$T/client.out" "$T/client.err")" "0 "
    finish "$pid"
    assert_equal "$result" 0
    assert_same "$(random_file "$STREAM" 1)" "$T/background.out"
}

# file_from_server SERVER...: sockcat calls and receives. -d: some take the end of our sending
# for the end of everything.
file_from_server() {
    need ss
    START_IN=$(random_file "$STREAM" 2) start_server "$@"
    client -d 127.0.0.1 "$port" </dev/null >"$T/client.out"
    assert_equal "$status $(cat "$T/client.err")" "0 "
    finish "$pid"
    assert_equal "$result" 0
    assert_same "$(random_file "$STREAM" 2)" "$T/client.out"
}

# file_from_client CLIENT...: sockcat listens and receives.
file_from_client() {
    start_listener -d 127.0.0.1 0
    START_IN=$(random_file "$STREAM" 2) start "${@/PORT/$port}"
    assert_listener_ends 0
    finish "$pid"
    assert_equal "$result" 0
    assert_same "$(random_file "$STREAM" 2)" "$T/listener.out"
}

# file_to_client CLIENT...: sockcat listens and sends.
file_to_client() {
    LISTENER_IN=$(random_file "$STREAM" 1) start_listener 127.0.0.1 0
    start "${@/PORT/$port}"
    assert_listener_ends 0
    finish "$pid"
    assert_equal "$result" 0
    assert_same "$(random_file "$STREAM" 1)" "$T/background.out"
}

@test "a file goes between sockcat and nc.openbsd in either direction, whichever of them calls, and both end" {
    need nc.openbsd
    each <<'TABLE'
file_to_server nc.openbsd -l 127.0.0.1 0
file_from_server nc.openbsd -l -N 127.0.0.1 0
file_from_client nc.openbsd -N 127.0.0.1 PORT
file_to_client nc.openbsd 127.0.0.1 PORT
TABLE
}

@test "a file goes between sockcat and ncat in either direction, whichever of them calls, and both end" {
    need ncat
    each <<'TABLE'
file_to_server ncat -l 127.0.0.1 0
file_from_server ncat -l --send-only 127.0.0.1 0
file_from_client ncat 127.0.0.1 PORT
file_to_client ncat 127.0.0.1 PORT
TABLE
}

@test "a file goes between sockcat and socat in either direction, whichever of them calls, and both end" {
    need socat
    each <<'TABLE'
file_to_server socat -u TCP4-LISTEN:0,bind=127.0.0.1 -
file_from_server socat -u - TCP4-LISTEN:0,bind=127.0.0.1
file_from_client socat -u - TCP4:127.0.0.1:PORT
file_to_client socat -u TCP4:127.0.0.1:PORT -
TABLE
}

@test "a file goes between sockcat and busybox nc in either direction, whichever of them calls, and both end" {
    need busybox
    each <<'TABLE'
file_to_server busybox nc -l -p 0 127.0.0.1
file_from_server busybox nc -l -p 0 127.0.0.1
file_from_client busybox nc 127.0.0.1 PORT
file_to_client busybox nc 127.0.0.1 PORT
TABLE
}

# ---- HTTP ----

# respond HEADER... : a file with an HTTP/1.0 response of these header lines and the body "hello".
respond() {
    {
        printf 'HTTP/1.0 200 OK\r\n'
        for header; do printf '%s\r\n' "$header"; done
        printf '\r\nhello\n'
    } >"$T/response"
}

@test "curl gets a page from sockcat that is an HTTP server for one request" {
    need curl
    respond 'Content-Length: 6'
    LISTENER_IN=$T/response start_listener 127.0.0.1 0
    run --separate-stderr curl -sS --noproxy '*' -m 20 "http://127.0.0.1:$port/a/page"
    assert_equal "$status $output" "0 hello"
    assert_listener_ends 0
    assert_line $'^GET /a/page HTTP/1.[01]\r$' "$T/listener.out"
    assert_line "^Host: 127.0.0.1:$port" "$T/listener.out"
}

@test "curl gets a page without a length, because sockcat ends the connection after it" {
    need curl
    respond 'Content-Type: text/plain'
    LISTENER_IN=$T/response start_listener 127.0.0.1 0
    run --separate-stderr curl -sS --noproxy '*' -m 20 "http://127.0.0.1:$port/"
    assert_equal "$status $output" "0 hello"
    assert_listener_ends 0
}

@test "curl gets a page over IPv6" {
    need curl
    need_ipv6
    respond 'Content-Length: 6'
    LISTENER_IN=$T/response start_listener ::1 0
    run --separate-stderr curl -sS --noproxy '*' -m 20 -g "http://[::1]:$port/"
    assert_equal "$status $output" "0 hello"
    assert_listener_ends 0
}

@test "curl gets a page over a Unix socket" {
    need curl
    respond 'Content-Length: 6'
    LISTENER_IN=$T/response start_listener -U "$T/sock"
    run --separate-stderr curl -sS -m 20 --unix-socket "$T/sock" http://localhost/
    assert_equal "$status $output" "0 hello"
    assert_listener_ends 0
}

@test "what curl uploads comes out of sockcat, to the last byte" {
    need curl
    respond 'Content-Length: 6'
    mkfifo "$T/answer"
    {
        until_true 20 is_larger "$T/listener.out" "$STREAM" || :
        cat "$T/response"
    } >"$T/answer" 3>&- &
    started+=("$!")
    LISTENER_IN=$T/answer start_listener 127.0.0.1 0
    # Expect: would make curl wait for a go-ahead.
    run --separate-stderr curl -sS --noproxy '*' -m 20 -H Expect: -T "$(random_file "$STREAM" 2)" \
        "http://127.0.0.1:$port/"
    assert_equal "$status $output" "0 hello"
    assert_listener_ends 0
    tail -c "$STREAM" "$T/listener.out" >"$T/body"
    assert_same "$(random_file "$STREAM" 2)" "$T/body"
}

# start_http_server: Python's, with the files of $T/www; sets $pid and $port.
start_http_server() {
    mkdir "$T/www"
    random_file "$STREAM" 1 >/dev/null
    ln "$T/random.$STREAM.1" "$T/www/random"
    start python3 -u -m http.server --bind "$1" --directory "$T/www" 0
    await_line "$T/background.out" 'port [0-9]+'
    port=$(sed -nE 's/.* port ([0-9]+).*/\1/p' "$T/background.out")
}

@test "a request that printf writes gets the page of an HTTP server" {
    start_http_server 127.0.0.1
    printf 'GET /random HTTP/1.0\r\n\r\n' >"$T/request"
    client 127.0.0.1 "$port" <"$T/request" >"$T/client.out"
    assert_equal "$status $(cat "$T/client.err")" "0 "
    assert_equal "$(head -n 1 "$T/client.out" | tr -d '\0')" $'HTTP/1.0 200 OK\r'
    tail -c "$STREAM" "$T/client.out" >"$T/body"
    assert_same "$(random_file "$STREAM" 1)" "$T/body"
}

@test "a request to an HTTP server is answered over a pipe, too" {
    start_http_server 127.0.0.1
    run bash -c 'printf "GET / HTTP/1.0\r\n\r\n" | sockcat 127.0.0.1 "$1"' _ "$port"
    assert_status 0
    [[ $output == 'HTTP/1.0 200 OK'* && $output == *'href="random"'* && $output == *'</html>' ]]
}

@test "an HTTP server is asked over IPv6" {
    need_ipv6
    start_http_server ::1
    run bash -c 'printf "GET / HTTP/1.0\r\n\r\n" | sockcat ::1 "$1"' _ "$port"
    assert_status 0
    [[ $output == 'HTTP/1.0 200 OK'* && $output == *'</html>' ]]
}
