# The exit statuses: every one that there is comes from a test here, each in its cheapest form, and
# the help lists all. 106 (an error of the program) and 128+n (a signal) have their own tests.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, result, held
bats_require_minimum_version 1.5.0
load lib/helper

# The numbers that the table in the source has. An installed program may come without it.
listed() { sed -n 's/^STATUS([A-Z_]*, \([0-9]*\),.*/\1/p' "$HELPER_DIR/../../src/base/status.def"; }

@test "every status of the table has a test in this file" {
    [ -r "$HELPER_DIR/../../src/base/status.def" ] || skip "needs the source"
    [ "$(listed | wc -l)" -ge 19 ] || fail "the table was not understood"
    for number in $(listed); do
        [ "$number" = 106 ] || grep -q "^@test \"status $number: " "$BATS_TEST_FILENAME" \
            || fail "no test of status $number"
    done
}

@test "every status of the table is in the help, with its text, and no other" {
    [ -r "$HELPER_DIR/../../src/base/status.def" ] || skip "needs the source"
    sockcat --help=all | sed -n '/^Exit status/,$p' >"$T/help"
    assert_equal "$(sed -n 's/^ *\([0-9][0-9]*\)  .*/\1/p' "$T/help")" "$(listed; echo 128)"
    # The words of the help, without its line ends, hold each text.
    words=$(tr -s ' \n' ' ' <"$T/help")
    while IFS= read -r text; do
        [[ $words == *" $text"* ]] || fail "not in the help: $text"
    done < <(sed -n 's/^STATUS(.*, "\(.*\)")$/\1/p' "$HELPER_DIR/../../src/base/status.def")
}

@test "status 0: everything was delivered both ways" {
    start_peer expect:hello send:world shutwr recvall
    run sockcat 127.0.0.1 "$peer_port" < <(printf hello)
    assert_status 0
    assert_equal "$output" world
    finish "$peer"
    assert_equal "$result" 0
}

@test "status 1: the probed port is closed" {
    hold_port
    assert_closed sockcat -z 127.0.0.1 "$held"
}

@test "status 2: the command line is wrong" {
    assert_fails 2 'unknown option --nonsense' sockcat --nonsense </dev/null
}

@test "status 3: a port is none" {
    assert_fails 3 "port '80x'" sockcat 127.0.0.1 80x </dev/null
}

@test "status 4: the kernel does not have it" {
    need_shim
    with_shim 'socket:EPROTONOSUPPORT:*' assert_fails 4 'Protocol not supported' \
        sockcat --sctp 127.0.0.1 9 </dev/null
    with_shim 'socket:EAFNOSUPPORT:*' assert_fails 4 'not supported' sockcat ::1 9 </dev/null
}

@test "status 5: the name of a proxy does not resolve" {
    assert_fails 5 'resolve proxy nosuch.invalid' sockcat --proxy socks5h://nosuch.invalid 127.0.0.1 9 </dev/null
}

@test "status 97: a proxy refuses" {
    start_peer recv:3 'send:\005\377'
    assert_fails 97 'proxy 1 \(socks5h .*authentication required' \
        sockcat --proxy "socks5h://127.0.0.1:$peer_port" 127.0.0.1 9 </dev/null
}

@test "status 6: a name does not resolve" {
    need_shim
    with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 6 'resolve some.test' \
        sockcat some.test 80 </dev/null
}

@test "status 7: the connection is refused" {
    hold_port
    assert_fails 7 "connect 127.0.0.1:$held: Connection refused" sockcat 127.0.0.1 "$held" </dev/null
}

@test "status 18: a datagram is cut" {
    need_shim
    # The length of the next one cannot be asked.
    with_shim 'recv:EOPNOTSUPP:*,ioctl:EOPNOTSUPP:*' drive statuses datagram_cut
}

@test "status 23: standard output is full" {
    start_peer send:hello recvall!
    code=0
    sockcat 127.0.0.1 "$peer_port" </dev/null >/dev/full 2>"$T/err" || code=$?
    assert_equal "$code" 23
    assert_one_error "$T/err" 'write standard output: No space left on device'
}

@test "status 23: the reader of standard output has gone, which needs no words" {
    start_peer sendrand!:1:10000000 recvall!
    {
        code=0
        sockcat 127.0.0.1 "$peer_port" </dev/null 2>"$T/err" || code=$?
        echo "$code" >"$T/status"
    } | head -c 10 >/dev/null
    assert_equal "$(cat "$T/status") $(cat "$T/err")" "23 "
}

@test "status 26: standard input cannot be read" {
    start_peer recvall!
    assert_fails 26 'read standard input: Is a directory' sockcat 127.0.0.1 "$peer_port" <"$T"
}

@test "status 27: there is no memory" {
    need_shim
    start_peer recvall!
    with_shim 'socket:ENOMEM:*' assert_fails 27 'Cannot allocate memory' \
        sockcat 127.0.0.1 "$peer_port" </dev/null
}

@test "status 28: nothing moves for too long" {
    start_peer recvall!
    mkfifo "$T/in"
    exec 8<>"$T/in"
    assert_fails 28 'nothing moved for 200 ms' \
        sockcat --idle-timeout 0.2 127.0.0.1 "$peer_port" <"$T/in"
}

@test "status 28: no client comes in time" {
    assert_fails 28 'accept: timed out' \
        sockcat -l -U --accept-timeout 0.1 "$T/socket" </dev/null
}

# certificate NAME: makes $T/NAME.pem, with its key.
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout "$T/$1.key" -out "$T/$1.crt" 2>/dev/null
    (umask 077 && cat "$T/$1.key" "$T/$1.crt" >"$T/$1.pem")
}

need_tls() {
    need openssl
    need_plugin tls
}

@test "status 35: a server does not speak TLS" {
    need_tls
    start_peer send:hello recvall!
    assert_fails 35 'does not speak TLS' sockcat --ssl 127.0.0.1 "$peer_port" </dev/null
}

@test "status 58: a certificate cannot be read" {
    need_tls
    assert_fails 58 'No such file' sockcat --ssl --ssl-cert /nowhere 127.0.0.1 9 </dev/null
}

@test "status 60: a certificate is not trusted" {
    need_tls
    certificate one
    start_listener --ssl --ssl-cert "$T/one.pem" localhost 0
    assert_fails 60 'self-signed certificate' sockcat --ssl localhost "$port" </dev/null
}

@test "status 90: a certificate has another pin" {
    need_tls
    certificate one
    start_listener --ssl --ssl-cert "$T/one.pem" localhost 0
    assert_fails 90 'its pin is sha256//' sockcat --ssl --pin "sha256//$(printf 'A%.0s' {1..43})=" localhost "$port" </dev/null
}

@test "status 45: the local address is not there" {
    hold_port
    assert_fails 45 'bind 192.0.2.1(:0)?: Cannot assign requested address' \
        sockcat -s 192.0.2.1 127.0.0.1 "$held" </dev/null
}

@test "status 55: sending fails" {
    need_shim
    start_peer recvall!
    with_shim 'sendmsg:EPERM:1' assert_fails 55 'send to 127.0.0.1:[0-9]+: Operation not permitted' \
        sockcat 127.0.0.1 "$peer_port" <<<hello
}

@test "status 56: the peer resets the connection" {
    start_peer send:hello recv:1 reset
    mkfifo "$T/in"
    exec 8<>"$T/in"
    echo hello >&8
    assert_fails 56 'receive from 127.0.0.1:[0-9]+: Connection reset by peer' \
        sockcat 127.0.0.1 "$peer_port" <"$T/in"
    assert_equal "$(cat "$T/fails.out")" hello
}

@test "status 102: bytes that are no frame" {
    start_peer send:3:abc,x close
    assert_fails 102 'message 2, byte 6: no length' sockcat -d --frame netstring 127.0.0.1 "$peer_port"
    assert_equal "$(cat "$T/fails.out")" abc
}

@test "status 103: no client can match the access lists" {
    assert_fails 103 'access list: no client can match' \
        sockcat -l --deny 0.0.0.0/0,::/0 --allow 127.0.0.1 127.0.0.1 0 </dev/null
}

@test "status 104: some connections of many failed" {
    start_listener -k --max-accepts 2 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" reset
    assert_peer_done
    start_peer --connect "tcp:127.0.0.1:$port" shutwr recvall
    assert_peer_done
    finish "$listener"
    assert_equal "$result" 104
    assert_equal "$(tail -n 1 "$T/listener.err")" 'sockcat: listen: 1 of 2 connections failed'
}

@test "status 63: a file is larger than a limit" {
    need_archive
    echo data >"$T/file"
    mkdir "$T/out"
    run "$ARCHIVE" extract --max-size=1 "$T/out" < <("$ARCHIVE" create "$T/file")
    assert_status 63
    [[ $output == *'file: larger than --max-size with its 5 bytes'* ]]
}

@test "status 101: the port is taken" {
    hold_port
    assert_fails 101 "listen 127.0.0.1:$held: Address already in use" \
        sockcat -l 127.0.0.1 "$held" </dev/null
}

@test "status 124: the total time was over" {
    need_shim
    with_shim 'getaddrinfo:sleep=60:*' assert_fails 124 'not probed within 0.2s' sockcat -z --for 0.2 slow.test 80 </dev/null
    hold_port
    assert_fails 124 'not open within' sockcat --wait-for=0.1 127.0.0.1 "$held"
}

@test "status 126: the program to run cannot be executed" {
    assert_fails 126 'run /: Permission denied' sockcat -l 127.0.0.1 0 -e / </dev/null
}

@test "status 127: the program to run is not there" {
    assert_fails 127 'run /none: No such file' sockcat -l 127.0.0.1 0 -e /none </dev/null
}

@test "a signal ends the program as the shell knows it: 128 and its number" {
    for signal in TERM HUP; do
        start_listener 127.0.0.1 0
        kill -"$signal" "$listener"
        finish "$listener"
        assert_equal "$result" $((128 + $(kill -l "$signal")))
    done
}

@test "usage errors are one line, status 2, nothing on standard output" {
    for arguments in '' 127.0.0.1 '-l' '-U' '-U a b' 'a 1 2' '-l a 1 2' '-Q a 1' '--no-such a 1' \
        '-4 -6 ::1 1' '-k a 1' '-w' '--wait' '--listen=x 1' '-w 1 -w 2 a 1' '-d --send-only a 1' \
        '--seqpacket a 1' '-N --no-shutdown a 1' '-w 1 --wait 1 a 1' '-l -p 1 2 3' '-u --mptcp a 1' \
        '-L a 1' '--until' '-U -p 1 a' '-vvvz -k a 1'; do
        # shellcheck disable=SC2086 # words
        assert_fails 2 . sockcat $arguments </dev/null || fail "for: $arguments"
        assert_equal "$(cat "$T/fails.out")" ""
    done
}

@test "bad values are one line, status 3" {
    for arguments in '-w 1x a 1' '--wait 0 a 1' '-w -1 a 1' '--wait= a 1' '-q x a 1' '--until=none a 1' \
        '-I 0 a 1' '-O 1T a 1' '-I 4G a 1' '--linger 1d a 1' '-s localhost a 1'; do
        # shellcheck disable=SC2086 # words
        assert_fails 3 . sockcat $arguments </dev/null || fail "for: $arguments"
    done
}

@test "an argument with control bytes is shown escaped in a usage error" {
    assert_fails 2 'unknown option --\^\[\[31m\^J' sockcat $'--\e[31m\n' </dev/null
    assert_fails 2 "extra operand 'c\^Jd'" sockcat a 1 $'c\nd' </dev/null
}

@test "-h and -V go to standard output, with status 0 and nothing on standard error" {
    for option in -h --help -V --version; do
        sockcat "$option" </dev/null >"$T/out" 2>"$T/err"
        [ -s "$T/out" ] || fail "$option says nothing"
        assert_equal "$(cat "$T/err")" ""
    done
    sockcat -V >"$T/out"
    assert_equal "$(wc -l <"$T/out")" 1
    assert_line '^sockcat [0-9]' "$T/out"
    sockcat -h >"$T/out"
    assert_line '^usage: sockcat ' "$T/out"
    [ "$(awk '{ if (length > n) n = length } END { print n }' "$T/out")" -le 80 ] || fail "too wide"
}

@test "the help lists every option" {
    table=$HELPER_DIR/../../src/cli/options.def
    [ -r "$table" ] || skip "needs the source"
    sockcat --help=all >"$T/out"
    names=$(sed -n 's/^OPTION([a-z0-9_]*, "\([a-z0-9-]\{1,\}\)".*/\1/p' "$table")
    letters=$(sed -n "s/^OPTION([a-z0-9_]*, \"[a-z0-9-]*\", '\\(.\\)'.*/\\1/p" "$table")
    [ "$(wc -l <<<"$names")" -ge 25 ] || fail "the table was not understood: $names"
    for name in $names; do assert_line "(^ +|, )--$name([[ =]|\$)" "$T/out"; done
    for letter in $letters; do assert_line "^  -$letter(,| )" "$T/out"; done
}

@test "-h and -V are 23 when standard output is full" {
    for option in -h -V; do
        code=0
        sockcat "$option" </dev/null >/dev/full 2>"$T/err" || code=$?
        assert_equal "$option $code" "$option 23"
        assert_one_error "$T/err" 'write standard output: No space left on device'
    done
}

@test "-h and -V are 23 when standard output is closed, or its reader has gone" {
    for option in -h -V; do
        code=0
        sockcat "$option" </dev/null >&- 2>"$T/err" || code=$?
        assert_equal "$option $code" "$option 23"
        mkfifo "$T/fifo"
        exec 8<>"$T/fifo" 9>"$T/fifo"
        exec 8<&-
        code=0
        sockcat "$option" </dev/null >&9 2>"$T/err" || code=$?
        exec 9>&-
        rm "$T/fifo"
        assert_equal "$option $code" "$option 23"
    done
}
