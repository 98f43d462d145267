#!/usr/bin/env bats
# Endpoints: one word or two, with a scheme or without, to connect to and to listen on;
# invalid names, addresses with an odd spelling, and passwords that must not be printed.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, result, held, netns
bats_require_minimum_version 1.5.0
load lib/helper

# reaches ARG...: the client with these arguments exchanges words with the peer that is running.
reaches() {
    local code=0
    sockcat -W 1 "$@" <<<hello >"$T/client.out" 2>"$T/client.err" || code=$?
    [ "$code" -eq 0 ] || fail "status $code for: $*: $(cat "$T/client.err")" || return
    assert_equal "$(cat "$T/client.out")" world
    assert_peer_done
}

# talks WHERE...: a client at these operands reaches the listener that is running.
talks() {
    sockcat -q 0.2 "$@" <<<hello || fail "status $? for: $*" || return
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
}

# ---- one word, to connect to ----

@test "host:port is connected to" {
    start_peer expect:'hello\n' send:world shutwr recvall
    reaches "127.0.0.1:$peer_port"
    start_peer expect:'hello\n' send:world shutwr recvall
    reaches "localhost:$peer_port" -4
}

@test "[::1]:port is connected to" {
    need_ipv6
    start_peer --listen tcp6 expect:'hello\n' send:world shutwr recvall
    reaches "[::1]:$peer_port"
    start_peer --listen tcp6 expect:'hello\n' send:world shutwr recvall
    reaches -6 "tcp://[::1]:$peer_port"
}

@test "[::1] and a port in two words are connected to, too" {
    need_ipv6
    start_peer --listen tcp6 expect:'hello\n' send:world shutwr recvall
    reaches '[::1]' "$peer_port"
}

@test "tcp://host:port is connected to" {
    start_peer expect:'hello\n' send:world shutwr recvall
    reaches "tcp://127.0.0.1:$peer_port"
}

@test "udp://host:port is sent datagrams" {
    start_peer --listen udp expect:'hello\n' send:world
    reaches "udp://127.0.0.1:$peer_port"
}

@test "udp://[::1]:port is sent datagrams" {
    need_ipv6
    start_peer --listen udp6 expect:'hello\n' send:world
    reaches "udp://[::1]:$peer_port"
}

@test "udp:// beside -u is the same" {
    start_peer --listen udp expect:'hello\n' send:world
    reaches -u "udp://127.0.0.1:$peer_port"
    start_peer --listen udp expect:'hello\n' send:world
    reaches -u "127.0.0.1:$peer_port"
}

@test "unix:/path is connected to" {
    start_peer --listen "unix:$T/socket" expect:'hello\n' send:world shutwr recvall
    reaches "unix:$T/socket"
}

@test "unix:path may be relative" {
    cd "$T"
    start_peer --listen "unix:socket" expect:'hello\n' send:world shutwr recvall
    reaches unix:socket
    rm socket
    start_peer --listen "unix:socket" expect:'hello\n' send:world shutwr recvall
    reaches unix:./socket
}

@test "unix:@name is an abstract name" {
    start_peer --listen "unix:@sockcat-$$-$BATS_TEST_NUMBER" expect:'hello\n' send:world shutwr recvall
    reaches "unix:@sockcat-$$-$BATS_TEST_NUMBER"
}

@test "unix: with -u is a datagram socket, with --seqpacket it keeps messages" {
    start_peer --listen "unixdgram:$T/one" expect:'hello\n' send:world
    reaches -u "unix:$T/one"
    start_peer --listen "seqpacket:$T/two" expect:'hello\n' send:world
    reaches --seqpacket "unix:$T/two"
}

@test "a scheme satisfies the needs of an option as the option that it stands for does" {
    start_peer --listen udp expect:'hello\n' send:world
    reaches -b "udp://127.0.0.1:$peer_port"
    start_listener -d -W 1 --join 239.1.2.3%lo udp://127.0.0.1:0
    talks "udp://127.0.0.1:$port"
    for words in '--seqpacket unix:/nonexistent' '--seqpacket vsock://1:9'; do
        # shellcheck disable=SC2086 # words
        client $words </dev/null
        [ "$status" -eq 7 ] || [ "$status" -eq 4 ] || fail "status $status for $words"
    done
}

@test "no character in a path has a second meaning" {
    cd "$T"
    for name in 'a:80' 'tcp:' 'a@b' '%41%' 'a b' '[::1]:80' '*' 'a,b' 'a#b?c=d&e' '~' "\$T" 'x\ny' 'unix:x' '"' "a'b" $'\u00e9' -; do
        start_peer --listen "unix:$T/$name" expect:'hello\n' send:world shutwr recvall
        reaches "unix:$name" || fail "for unix:$name"
        rm -- "$name"
        start_peer --listen "unix:$T/$name" expect:'hello\n' send:world shutwr recvall
        reaches -U -- "$name" || fail "for -U $name"
        rm -- "$name"
    done
}

@test "after -U an operand with a scheme is a path" {
    cd "$T"
    mkdir -p tcp: udp: fd: unix:
    for name in tcp://127.0.0.1:80 udp://x:1 fd://3 unix:x unix:/y 127.0.0.1:80; do
        start_peer --listen "unix:$name" expect:'hello\n' send:world shutwr recvall
        reaches -U "$name" || fail "for $name"
    done
}

@test "vsock://cid:port is connected to" {
    python3 -c 'import socket; socket.socket(socket.AF_VSOCK).bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))' \
        2>/dev/null || skip "needs vsock in the kernel"
    drive endpoints vsock || {
        code=$?
        [ "$code" -ne 77 ] || skip "needs the vsock loopback"
        return "$code"
    }
}

@test "vsock:// without a listener is 7 or 4, and the message names context and port" {
    code=0
    sockcat vsock://1:4711 </dev/null 2>"$T/err" || code=$?
    [ "$code" -eq 7 ] || [ "$code" -eq 4 ] || fail "status $code"
    assert_one_error "$T/err" 'connect 1:4711: '
}

@test "-s and -p go with one word, too" {
    hold_port
    own=$held
    stop_all
    start_listener -v 127.0.0.1 0
    sockcat -s 127.0.0.7 "127.0.0.1:$port" </dev/null
    finish "$listener"
    assert_line '^sockcat: connection from 127\.0\.0\.7:' "$T/listener.err"
    start_listener -v 127.0.0.1 0
    sockcat -p "$own" "tcp://127.0.0.1:$port" </dev/null
    finish "$listener"
    assert_line "^sockcat: connection from 127\.0\.0\.1:$own\$" "$T/listener.err"
}

@test "a service's name is a port in one word, too" {
    assert_fails 3 "port 'no-such-service'" sockcat 127.0.0.1:no-such-service </dev/null
    code=0
    sockcat -s 192.0.2.1 127.0.0.1:http </dev/null 2>"$T/err" || code=$?
    assert_equal "$code" 45
    assert_one_error "$T/err" 'connect 127\.0\.0\.1:80: bind'
}

# ---- one word, to listen on ----

@test "-l host:port listens there" {
    start_listener -d 127.0.0.1:0
    talks "127.0.0.1:$port"
}

@test "-l [::1]:port listens there" {
    need_ipv6
    start_listener -d '[::1]:0'
    assert_line 'listening on \[::1\]:' "$T/listener.err"
    talks "[::1]:$port"
}

@test "-l *:port listens on every address, as two words, too" {
    for words in '*:0' '* 0' 'tcp://*:0'; do
        read -r -a list <<<"$words"
        start_listener -d "${list[@]}"
        talks "127.0.0.1:$port"
    done
    need_ipv6
    start_listener -d '*:0'
    talks "[::1]:$port"
}

@test "-l *:port with -4 or -6 is of that family alone" {
    need_ipv6
    start_listener -d -6 '*:0'
    assert_fails 7 'refused' sockcat "127.0.0.1:$port" </dev/null
    talks "[::1]:$port"
    start_listener -d -4 '*:0'
    assert_fails 7 'refused' sockcat "[::1]:$port" </dev/null
    talks "127.0.0.1:$port"
}

@test "-l tcp://host:port listens there" {
    start_listener -d tcp://127.0.0.1:0
    talks "127.0.0.1:$port"
}

@test "-l udp://host:port receives datagrams" {
    start_listener -d -W 1 udp://127.0.0.1:0
    talks -u 127.0.0.1 "$port"
}

@test "-l unix:path listens there" {
    start_listener -d "unix:$T/a socket:80"
    [ -S "$T/a socket:80" ] || fail "there is no socket"
    talks -U "$T/a socket:80"
    [ ! -e "$T/a socket:80" ] || fail "the socket was left"
}

@test "-l unix:path may be relative, and be a datagram socket's" {
    cd "$T"
    start_listener -d unix:socket
    talks unix:./socket
    start_listener -d -u -W 1 unix:socket
    talks -u unix:socket
}

@test "-l unix:@name listens on an abstract name" {
    start_listener -d "unix:@sockcat-$$-$BATS_TEST_NUMBER"
    talks -U "@sockcat-$$-$BATS_TEST_NUMBER"
}

@test "-l -U takes an operand with a scheme as a path" {
    cd "$T"
    mkdir -p tcp:
    start_listener -d -U tcp://x:1
    [ -S tcp://x:1 ] || fail "there is no socket"
    talks -U tcp://x:1
}

@test "-l -p 0 ::1 listens there" {
    need_ipv6
    start_listener -d -p 0 ::1
    assert_line 'listening on \[::1\]:' "$T/listener.err"
    talks "[::1]:$port"
}

@test "-z host:port probes one port" {
    start_peer recvall
    sockcat -z "127.0.0.1:$peer_port" </dev/null
    assert_peer_done
    hold_port
    assert_fails 1 "^sockcat: 127.0.0.1:$held: closed$" sockcat -zv "127.0.0.1:$held" </dev/null
    assert_closed sockcat -z "tcp://127.0.0.1:$held"
}

@test "-z unix:path probes a Unix socket" {
    start_peer --listen "unix:$T/socket" recvall
    sockcat -z "unix:$T/socket" </dev/null
    assert_peer_done
    assert_closed sockcat -z "unix:$T/socket"
}

# ---- what does not go together, and words that are none ----

@test "a scheme and an option that contradict each other are 2, and both are named" {
    while read -r scheme option words; do
        read -r -a list <<<"$words"
        wanted="$scheme'? conflicts with $option|$option conflicts with '?$scheme"
        # The options behind the endpoint or in front of it.
        assert_fails 2 "$wanted" sockcat "${list[@]}" </dev/null || fail "for $words"
        assert_fails 2 "$wanted" sockcat "${list[@]:1}" "${list[0]}" </dev/null || fail "for $words, turned"
    done <<'TABLE'
tcp:// --udp tcp://a:1 -u
tcp:// --vsock tcp://a:1 --vsock
tcp:// --sctp tcp://a:1 --sctp
tcp:// --udplite tcp://a:1 --udplite
udp:// --udplite udp://a:1 --udplite
udp:// --sctp udp://a:1 --sctp
udp:// --mptcp udp://a:1 --mptcp
udp:// --telnet udp://a:1 -t
udp:// --nodelay udp://a:1 --nodelay=on
udp:// --vsock udp://2:1 --vsock
unix: --ipv4 unix:a -4
unix: --ipv6 unix:a -6
unix: --source-port unix:a -p1
unix: --mptcp unix:a --mptcp
unix: --vsock unix:a --vsock
unix: --tos unix:a -Tef
unix: --interface unix:a --interface=lo
vsock:// --ipv4 vsock://2:1 -4
vsock:// --ipv6 vsock://2:1 -6
vsock:// --mptcp vsock://2:1 --mptcp
vsock:// --source vsock://2:1 -s127.0.0.1
fd:// --ipv4 fd://3 -4
fd:// --ipv6 fd://3 -6
fd:// --source fd://3 -s127.0.0.1
fd:// --source-port fd://3 -p1
fd:// --mptcp fd://3 --mptcp
TABLE
}

@test "a message about a scheme calls it an endpoint, not an option" {
    assert_fails 2 "^sockcat: 'unix:' conflicts with --ipv4\$" sockcat unix:a -4 </dev/null
    assert_fails 2 "^sockcat: 'vsock://' conflicts with --ipv6\$" sockcat vsock://2:1 -6 </dev/null
    assert_fails 2 "^sockcat: 'fd://' conflicts with --ipv6\$" sockcat fd://3 -6 </dev/null
}

@test "a port alone needs -l" {
    assert_fails 3 'missing host, as in localhost:80$' sockcat :80 </dev/null
    assert_fails 3 'missing host, as in udp://localhost:80$' sockcat udp://:80 </dev/null
    assert_fails 3 'missing host, as in localhost:80$' sockcat -l 0 --to :80 </dev/null
}

@test "an operand that is no endpoint is 3, and the message helps" {
    while IFS='|' read -r word pattern; do
        for listen in '' -l; do
            # shellcheck disable=SC2086 # nothing or one word
            assert_fails 3 "$pattern" sockcat $listen -- "$word" </dev/null || fail "for $listen $word"
        done
    done <<'TABLE'
gopher://a:80|unknown scheme .expected tcp://, tls://, udp://, dtls://, unix:, vsock:// or fd://
TCP://a:80|unknown scheme .expected tcp://
quic://a:443|unknown scheme .expected tcp://
://a:80|
tcp:/a:80|
tcp://|missing host and port, as in tcp://localhost:80
tls:a:80|missing .//. after .tls:.
dtls:a:80|missing .//. after .dtls:.
tcp://a|missing port, as in tcp://a:80
udp://a|missing port, as in udp://a:80
tcp://[::1]|missing port
[::1]|
[::1]:|port ''
[::1:80|missing .\]
[::1]80|after the '\]'
[::1]x:80|after the '\]'
[]:80|host
[1.2.3.4]:80|not an IPv6 address
[localhost]:80|not an IPv6 address
[::1%lo]:80|only a link-local address can have an interface
[fe80::1]:80|requires an interface
[fe80::1%nosuch0]:80|no such interface
tcp://::1:80|an IPv6 address requires brackets
1.2.3.4:|port ''
1.2.3.4:80x|port '80x'
1.2.3.4:65536|invalid port '65536': expected 0 to 65535
1.2.3.4:-1|port '-1'
1.2.3.4: 80|port ' 80'
tcp://1.2.3.4:80/|port '80/'
tcp://1.2.3.4:80/path|port '80/path'
a:b:c|
vsock://x:1|context 'x'
vsock://2:x|port 'x'
vsock://2|missing port
vsock://4294967296:1|context '4294967296'
vsock://-1:1|context '-1'
unix:|path ''
unix:@|path '@'
fd://|descriptor
fd://x|descriptor
fd://-1|descriptor
fd://3x|descriptor
fd:// 3|descriptor
fd://4294967299|descriptor
fd://0|not a supported socket
fd://1|from 3
fd://2|from 3
fd://999|fd://999': Bad file descriptor
TABLE
}

@test "every address is no address to connect to" {
    assert_fails 3 "host '\*'" sockcat '*:80' </dev/null
    assert_fails 3 "host '\*'" sockcat '*' 80 </dev/null
    assert_fails 3 "host '\*'" sockcat -z '*:80' </dev/null
}

@test "port 0 is none to connect to" {
    for words in '127.0.0.1:0' '127.0.0.1 0' 'udp://127.0.0.1:0' '-z 127.0.0.1:0' '-z 127.0.0.1 0'; do
        # shellcheck disable=SC2086 # words
        assert_fails 3 "port '0' is only valid" sockcat $words </dev/null || fail "for $words"
    done
}

@test "a path of a socket that is too long is 3, with its length, in either spelling" {
    long=$(printf '%0108d' 0)
    for words in "-U $long" "unix:$long" "-lU $long" "-l unix:$long"; do
        # shellcheck disable=SC2086 # words
        assert_fails 3 '108 bytes, a socket.s path has at most 107' sockcat $words </dev/null || fail "for $words"
    done
    cd "$T"
    start_listener -d "unix:${long:1}"
    talks "unix:${long:1}"
    start_listener -d "unix:@${long:1}"
    talks "unix:@${long:1}"
}

# ---- the fault catalogue ----

@test "F93: a name that is none is refused before it is used, in one harmless line" {
    need_shim
    export SHIM_COUNT=$T/count
    long=$(printf 'a%.0s' {1..255})
    while IFS='|' read -r name shown cause; do
        name=$(printf %b "$name")
        for listen in '' -l; do
            # shellcheck disable=SC2086 # nothing or one word
            with_shim 'getaddrinfo:count:*' assert_fails 3 "host '$shown': .*$cause" sockcat $listen -- "$name" 80 </dev/null \
                || fail "for $listen $shown"
            ! grep -qs getaddrinfo "$T/count" || fail "the resolver was asked for $shown"
        done
        LC_ALL=C grep -q '[[:cntrl:]]' <(tr -d '\n' <"$T/fails.err") && fail "a control character: $shown"
        with_shim 'getaddrinfo:count:*' assert_fails 3 'host' sockcat -z -- "$name" 80 </dev/null || fail "for -z $shown"
        with_shim 'getaddrinfo:count:*' assert_fails 3 "host '$shown'" sockcat -- "$name:80" </dev/null || fail "for $shown:80"
    done <<TABLE
a b|a b|character
 a| a|character
a |a |character
a\\nb|a\\^Jb|character
a\\tb|a\\^Ib|character
a\\rb|a\\^Mb|character
a\\033[2Jb|a\\^\\[\\[2Jb|character
a\\177|a\\^\\?|character
a\\x9b2Jb|a\\\\x9b2Jb|not ASCII
a\\xff|a\\\\xff|not ASCII
b\\xc3\\xbccher.test|b.*cher.test|not ASCII; write its xn-- form
\\xe2\\x80\\xaeabc|\\\\u202eabc|not ASCII
-oops|-oops|begins with '-'
a.-oops|a.-oops|begins with '-'
a..b|a..b|a part of the name is empty
.a|.a|a part of the name is empty
.|.|a part of the name is empty
a/b|a/b|character
a%lo|a%lo|character
a\$b|a\\\$b|character
a;b|a;b|character
$long|$long|longer than 254
TABLE
}

@test "F93: a name of the greatest length, with a dot at its end or with an underscore, is looked up" {
    need_shim
    hold_port
    label=$(printf 'a%.0s' {1..63})
    for name in localhost. some.test. a_b.test xn--bcher-kva.test _x._tcp.test 9a.test a9 "$label.$label.$label.${label:2}" \
        "$label.$label.$label.${label:2}."; do
        with_shim 'getaddrinfo:addresses=1:*' assert_fails 7 'Connection refused' sockcat "$name" "$held" </dev/null \
            || fail "for $name"
        with_shim 'getaddrinfo:addresses=1:*' assert_fails 7 'Connection refused' sockcat "$name:$held" </dev/null \
            || fail "for $name:port"
    done
}

@test "F94: an address that is written oddly is refused, never read as another, in every spelling" {
    for odd in 127.1 127 1 0x7f.1 0177.0.0.1 0x7f000001 2130706433 127.0.0.1.1 127.0.0.256 127.0.0.01 127.0.0.0x1 127.0.1 0 \
        4294967296 127.0.0.1. 1.2.3.4.5.6 0x 127.0.0.08; do
        for words in "$odd 80" "$odd:80" "tcp://$odd:80" "-l $odd 80" "-l $odd:0" "-z $odd 80" "-s $odd 127.0.0.1 80"; do
            if [[ $words =~ ^(-[lz] )?[0-9]{1,5}\ 80$ ]]; then
                # shellcheck disable=SC2086 # words
                assert_fails 2 "two ports given: $odd and 80" sockcat $words </dev/null || fail "for $words"
                continue
            fi
            # shellcheck disable=SC2086 # words
            assert_fails 3 "host '$odd': an IPv4 address is four decimal numbers|host '$odd': it is" sockcat $words </dev/null \
                || fail "for $words"
        done
    done
}

@test "F94: an IPv6 address that is none is refused" {
    for odd in ::1::1 1::2::3 12345:: ::g 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 ::1.2.3 ::1.2.3.256 '::1 ' ::1/64; do
        for words in "$odd 80" "[$odd]:80" "-l $odd 0" "-s $odd ::1 80"; do
            [[ $odd != *' ' ]] || words=${words// /_}
            IFS=_ read -r -a list <<<"${words// /_}"
            [[ $odd != *' ' ]] || list=("$odd" 80)
            assert_fails 3 'not an IPv6 address' sockcat "${list[@]}" </dev/null || fail "for $words"
        done
    done
}

@test "F94: an IPv4 address written as an IPv6 one is that IPv4 address" {
    need_ipv6
    for words in '::ffff:127.0.0.1 PORT' '[::ffff:127.0.0.1]:PORT' '::ffff:7f00:1 PORT' '-6 ::ffff:127.0.0.1 PORT'; do
        start_peer expect:'hello\n' send:world shutwr recvall
        # shellcheck disable=SC2086 # words
        reaches ${words//PORT/$peer_port} || fail "for $words"
    done
    assert_fails 3 'address of the other family' sockcat -4 ::ffff:127.0.0.1 80 </dev/null
}

@test "F94: [::1]:80 in two words is refused, and 1.2.3.4: has no port" {
    assert_fails 2 'two ports given: 80 and 80' sockcat '[::1]:80' 80 </dev/null
    assert_fails 3 "port ''" sockcat 1.2.3.4: </dev/null
    assert_fails 3 "host '1.2.3.4:'" sockcat 1.2.3.4: 80 </dev/null
}

@test "F153: a password before an '@' appears nowhere, in any spelling of an endpoint" {
    # One word on each side of the '@' for each spelling; the word in front is never to be seen.
    while read -r words; do
        for verbose in '' -v -vvv; do
            code=0
            # shellcheck disable=SC2086 # words
            sockcat $verbose $words </dev/null >"$T/out" 2>"$T/err" || code=$?
            [ "$code" -eq 2 ] || [ "$code" -eq 3 ] || fail "status $code for: $words"
            ! grep -q 'secret\|user:' "$T/out" "$T/err" || fail "for $words: $(cat "$T/out" "$T/err")"
            sed -i '/^usage: /,$d' "$T/err"
            assert_one_error "$T/err" . || fail "for $words"
        done
    done <<'TABLE'
user:secret@127.0.0.1:80
user:secret@127.0.0.1 80
user:secret@localhost 80
user:secret@[::1]:80
secret@127.0.0.1:80
secret@127.0.0.1 80
user:secret@
user:secret@ 80
user:secret@:80
user:secret@127.0.0.1
user:sec@ret:secret@127.0.0.1:80
tcp://user:secret@127.0.0.1:80
tcp://user:secret@127.0.0.1
tcp://user:secret@[::1]:80
udp://user:secret@127.0.0.1:80
vsock://user:secret@2:80
fd://user:secret@3
http://user:secret@127.0.0.1/
http://user:secret@127.0.0.1:80/
TCP://user:secret@127.0.0.1:80
tcp:user:secret@127.0.0.1:80
tcp://user:secret@127.0.0.1:80 80
127.0.0.1 user:secret@127.0.0.1:80
127.0.0.1 user:secret@80
127.0.0.1 80 user:secret@127.0.0.1:80
127.0.0.1:80 user:secret@127.0.0.1:80
-l user:secret@127.0.0.1:0
-l user:secret@127.0.0.1 0
-l 127.0.0.1 user:secret@0
-l user:secret@0
-l -p 0 user:secret@127.0.0.1
-l -s user:secret@127.0.0.1 0
-l -p user:secret@0
-l -p 0 tcp://user:secret@127.0.0.1:80
-s user:secret@127.0.0.1 127.0.0.1 80
--source=user:secret@127.0.0.1 127.0.0.1 80
-p user:secret@80 127.0.0.1 80
-z user:secret@127.0.0.1:80
-z user:secret@127.0.0.1 80
-z 127.0.0.1 user:secret@80
-z 127.0.0.1 80 user:secret@127.0.0.1:80
-z 127.0.0.1 80,user:secret@80
-u user:secret@127.0.0.1:80
-n user:secret@127.0.0.1 80
-6 user:secret@::1 80
-F user:secret@127.0.0.1:80
--vsock user:secret@2 80
--vsock 2 user:secret@80
--nodelay=x user:secret@127.0.0.1:80
--proxy=user:secret@127.0.0.1:80 127.0.0.1 80
-xuser:secret@127.0.0.1:80 127.0.0.1 80
-x user:secret@127.0.0.1:80 127.0.0.1 80
TABLE
}
