#!/usr/bin/env bats
# DTLS: --ssl -u and dtls://, against libssl, and against other programs.
# shellcheck disable=SC2154 # the helper sets status, port, listener and so on
bats_require_minimum_version 1.5.0
load lib/helper
load lib/tls

key=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

setup_file() { dtls_setup_file; }
setup() { tls_setup; }

@test "data both ways; close_notify is the end" { drive dtls both; }
@test "a message is a record, and a record a datagram" { drive dtls boundaries; }
@test "without --frame a read of standard input is a message, as long as a record can be" { drive dtls chunks; }
@test "a message that is too long or empty is status 102" { drive dtls unsendable; }
@test "without input the peer gets close_notify, and silence ends the session" { drive dtls no_input; }
@test "what is sent after close_notify of the peer is status 55" { drive dtls closed; }
@test "a refusal by ICMP is status 7" { drive dtls refused; }
@test "if an address of the name refuses, the next one is tried" { drive dtls next_address; }
@test "a handshake without an answer is status 28" { drive dtls silent; }
@test "each datagram of the handshake may be lost" { drive dtls lost; }
@test "datagrams that are duplicated, reordered or malformed are tolerated" { drive dtls disturbed; }
@test "a message that comes before the end of the handshake is not lost" { drive dtls early; }
@test "a message that was changed on the way is ignored" { drive dtls changed; }
@test "the server is verified: 60, or 90 by --pin" { drive dtls verified; }
@test "--ssl-cert and --peer-cert" { drive dtls certificates; }
@test "a capture and a program get the plain messages" { drive dtls captured; }
@test "-z and --ping: a port is open if its server is verified" { drive dtls probed; }
@test "--wait-for" { drive dtls awaited; }
@test "--to dtls://" { drive dtls target; }
@test "through a SOCKS5 proxy" { drive dtls proxied; }

@test "what cannot be combined with DTLS is an error" {
    while IFS='|' read -r words message; do
        read -ra words <<<"$words"
        assert_fails 2 "$message" sockcat "${words[@]}" </dev/null
    done <<'EOT'
--ssl -U -u /nowhere|--ssl conflicts with unix messages
--ssl --udplite localhost 9|--ssl conflicts with --udplite
--ssl -u --starttls smtp localhost 9|--starttls conflicts with datagrams
--ssl -u --tls-min 1.3 localhost 9|--tls-min 1.3 conflicts with datagrams
--ssl -u --ssl-ciphersuites x localhost 9|--ssl-ciphersuites conflicts with datagrams
-l 0 --tls-min 1.3 --to dtls://localhost:9|--tls-min 1.3 conflicts with datagrams
--sctp dtls://localhost:9|'dtls://' conflicts with --sctp
-t dtls://localhost:9|--telnet conflicts with 'dtls://'
EOT
}

# Sets $port to that of the UDP socket of the process $pid.
udp_port() {
    port=$(ss -Hlunp | sed -n "s/.* \(127.0.0.1\|0.0.0.0\):\([0-9]*\) .*pid=$pid,.*/\2/p" | head -n 1)
    [ -n "$port" ]
}

# serve PROGRAM...: starts a server with DTLS; sets $port, unless it waits for its standard input.
serve() {
    start "$@"
    [ -n "${START_IN:-}" ] || until_true 20 udp_port
}

# echoes PROGRAM...: such a server returns what it gets.
echoes() {
    need "$1" ss
    serve "$@"
    client "${trusted[@]}" -u 127.0.0.1 "$port" < <(printf hello) >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" hello
}

@test "gnutls-serv echoes" {
    echoes gnutls-serv --udp --echo -p 0 --x509certfile "$CERTIFICATES/good.crt" --x509keyfile "$CERTIFICATES/good.key"
}

@test "socat echoes" {
    cat "$CERTIFICATES/good.crt" "$CERTIFICATES/good.key" >"$T/both.pem"
    echoes socat "OPENSSL-DTLS-SERVER:0,bind=127.0.0.1,cert=$T/both.pem,verify=0" EXEC:cat
}

@test "openssl s_server verifies a cookie, and prints what it gets" {
    mkfifo "$T/in"
    need openssl ss
    START_IN=$T/in serve openssl s_server -dtls1_2 -listen -quiet -accept 127.0.0.1:0 \
        -cert "$CERTIFICATES/good.crt" -key "$CERTIFICATES/good.key"
    exec {feeding}>"$T/in"
    until_true 20 udp_port
    client "${trusted[@]}" -u -q 0.2 127.0.0.1 "$port" < <(printf hello)
    assert_status 0
    until_true 20 grep -q hello "$T/background.out"
    exec {feeding}>&-
}

# ask KEY [OPTION...]: a client with this key for `me`, against the server at $port.
ask() {
    (umask 077 && echo "me:$1" >"$T/keys")
    client -v -u --ssl --psk-file "$T/keys" "${@:2}" 127.0.0.1 "$port" < <(printf hello) >"$T/out"
}

@test "--psk-file works with gnutls-serv; without a common key the handshake fails" {
    need gnutls-serv ss
    echo "me:$key" >"$T/passwd"
    serve gnutls-serv --udp --echo -p 0 --pskpasswd "$T/passwd" --priority NORMAL:-KX-ALL:+PSK:+DHE-PSK
    ask "$key" --tls-max 1.2
    assert_status 0
    assert_equal "$(cat "$T/out")" hello
    assert_line 'TLS with .*: DTLSv1.2, .*PSK-.*, pre-shared key me$' "$T/client.err"
    ask "f${key#0}" --wait 1
    assert_status 28
    assert_line "TLS handshake with .*: timed out; do both sides have the same key for 'me'.\$" "$T/client.err"
}

@test "--psk-file works with openssl" {
    need openssl ss
    mkfifo "$T/in"
    START_IN=$T/in serve openssl s_server -dtls1_2 -quiet -accept 127.0.0.1:0 -nocert -psk_identity me -psk "$key"
    exec {feeding}>"$T/in"
    until_true 20 udp_port
    ask "$key" -q 0.2
    assert_status 0
    assert_line 'TLS with .*: DTLSv1.2, ECDHE-PSK-CHACHA20-POLY1305, .*, pre-shared key me$' "$T/client.err"
    exec {feeding}>&-
}

# A flight of the client that is longer than the second link takes: the route, and what is sent again, is narrower.
narrow() {
    openssl req -x509 -newkey rsa:2048 -nodes -subj "/CN=$(printf 'x%.0s' {1..60})/O=$(printf 'x%.0s' {1..60})" \
        -keyout own.key -out own.crt 2>/dev/null
    chmod 600 own.key
    cat own.crt "$CERTIFICATES/inter.crt" >chain.crt
    mkfifo feed
    nsenter -t "$peer" -n openssl s_server -dtls1_2 -mtu 1200 -quiet -verify 1 -accept 10.9.2.1:9 \
        -cert "$CERTIFICATES/good.crt" -key "$CERTIFICATES/good.key" <feed >got 2>server.err &
    server=$!
    exec 8>feed
    until nsenter -t "$peer" -n ss -Hlun | grep -q '10.9.2.1:9'; do tick; done
    status=0
    printf hello | "$SOCKCAT" -v --ssl -u --insecure -q 1 --ssl-cert chain.crt --ssl-key own.key 10.9.2.1 9 2>client.err || status=$?
    until [ "$(cat got)" = hello ] || [ "$status" -ne 0 ]; do tick; done
    kill "$server"
    cat client.err
    assert_equal "$status" 0
}

@test "a path that takes smaller packets is found during the handshake" {
    need_netns
    need ip nsenter ss
    cd "$T"
    export -f narrow
    code=0
    in_netns -c '. "$1"; small_link narrow' "$HELPER_DIR/small_link.bash" || code=$?
    [ "$code" -ne 77 ] || skip "needs veth"
    assert_equal "$code" 0
}
