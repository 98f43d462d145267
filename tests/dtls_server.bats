#!/usr/bin/env bats
# Listeners with DTLS (-l -u --ssl), against libssl, and against other programs.
# shellcheck disable=SC2154 # the helper sets status, port, listener and so on
bats_require_minimum_version 1.5.0
load lib/helper
load lib/tls

setup_file() { dtls_setup_file; }
setup() { tls_setup; }

# ---- cookies ----

@test "a sender without a cookie does not become the only client" { drive dtls_server single; }
@test "a thousand senders without a cookie cause no client, no message and no memory use" { drive dtls_server unproved; }
@test "no answer to a sender without a cookie is larger than its datagram" { drive dtls_server answers; }
@test "the cookie of another address or port is refused" { drive dtls_server stolen; }
@test "a ClientHello may be fragmented" { drive dtls_server fragmented; }
@test "an access list sees senders with a cookie only" { drive dtls_server denied; }

# ---- clients ----

@test "several clients at a time" { drive dtls_server clients; }
@test "IPv4 and IPv6" { drive dtls_server families; }
@test "each datagram of the handshake may be lost or duplicated" { drive dtls_server lost; }
@test "a client that vanishes during its handshake is status 28, and with -k blocks no other" { drive dtls_server vanished; }
@test "stalled handshakes block no other client" { drive dtls_server many; }
@test "a handshake does not count for --max-conns; a finished one replaces the client with the longest silence" { drive dtls_server places; }
@test "with --refuse a client above a limit is rejected" { drive dtls_server refused; }
@test "a client that restarts with the same address gets a new session" { drive dtls_server restarted; }
@test "a session that was replaced counts for --max-conns-per-host until it is over" { drive dtls_server lingering; }
@test "answers come from the address of the handshake, whatever is forged" { drive dtls_server elsewhere; }
@test "an idle session ends with -k, and without it is status 28" { drive dtls_server silence; }
@test "signals reach the only client" { drive dtls_server interrupted; }

# ---- what DTLS is combined with ----

@test "certificates of clients" { drive dtls_server certificates; }
@test "programs get what is known about the session" { drive dtls_server programs; }
@test "a broker and a chat" { drive dtls_server services; }
@test "an empty message for all clients is status 102" { drive dtls_server unsendable; }
@test "--to a datagram socket and a stream" { drive dtls_server targets; }
@test "on an inherited socket" { drive dtls_server inherited; }
@test "SIGHUP replaces the certificate" { drive dtls_server reloaded; }

@test "--ssl-self-signed prints the pin for the client" {
    start_listener -k -u --ssl --ssl-self-signed --echo 127.0.0.1 0
    await_line "$T/listener.err" 'self-signed certificate'
    client -u --ssl --pin "$(sed -n 's/.*--pin //p' "$T/listener.err")" -q 0.2 127.0.0.1 "$port" < <(printf hello) >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" hello
}

@test "--psk-file: a client with the same key, and one with another" {
    local key=00112233445566778899aabbccddeeff
    (umask 077 && printf 'me:%s\n' "$key" >"$T/keys" && printf 'me:%s\n' "${key}00" >"$T/other")
    start_listener -k -u --ssl --psk-file "$T/keys" --wait 0.5 --echo 127.0.0.1 0
    client -u --ssl --psk-file "$T/keys" -q 0.2 127.0.0.1 "$port" < <(printf hello) >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" hello
    client -u --ssl --psk-file "$T/other" --wait 0.5 127.0.0.1 "$port" < <(printf hello) >"$T/out"
    assert_status 28
    await_line "$T/listener.err" "TLS handshake with .*: timed out; do both sides have the same key for 'me'"
}

@test "a client without the certificate that the server requires names --ssl-cert" {
    listen_as good -k -u --ssl-verify --ssl-trustfile "$CERTIFICATES/root.crt" 127.0.0.1 0
    assert_fails 35 'the peer sent the alert "handshake failure"; it requires a client certificate, see --ssl-cert$' \
        sockcat "${trusted[@]}" -u 127.0.0.1 "$port" </dev/null
}

@test "what cannot be combined with a listener of DTLS is an error" {
    while IFS='|' read -r words message; do
        read -ra words <<<"$words"
        assert_fails 2 "$message" sockcat -l --ssl "${words[@]}" </dev/null
    done <<'EOT'
-u 127.0.0.1 0|requires --ssl-cert FILE
-U -u --ssl-self-signed /nowhere|--ssl conflicts with unix messages
--udplite --ssl-self-signed 0|--ssl conflicts with --udplite
-u --ssl-self-signed --tls-min 1.3 0|--tls-min 1.3 conflicts with datagrams
EOT
}

# ---- other programs ----

# echoes PROGRAM WORD...: a client, which is given the port as its last word but one, gets what it sends.
echoes() {
    need "$1"
    listen_as good -k -u --echo 127.0.0.1 0
    mkfifo "$T/in"
    START_IN=$T/in start "${@//PORT/$port}"
    exec {feeding}>"$T/in"
    printf 'hello\n' >&"$feeding"
    await_line "$T/background.out" hello
    exec {feeding}>&-
}

@test "openssl s_client" { echoes openssl s_client -dtls1_2 -quiet -connect 127.0.0.1:PORT -CAfile "$CERTIFICATES/root.crt" -verify_return_error; }

@test "gnutls-cli" { echoes gnutls-cli --udp --x509cafile "$CERTIFICATES/root.crt" -p PORT 127.0.0.1; }

@test "socat" { echoes socat - "OPENSSL-DTLS-CONNECT:127.0.0.1:PORT,cafile=$CERTIFICATES/root.crt"; }

@test "ncat" { echoes ncat -u --ssl 127.0.0.1 PORT; }

@test "sockcat" { echoes "$SOCKCAT" "${trusted[@]}" -u 127.0.0.1 PORT; }
