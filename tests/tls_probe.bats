#!/usr/bin/env bats
# TLS with -z, --wait-for and --ping.
# shellcheck disable=SC2154 # the helper sets status, port, listener and so on
bats_require_minimum_version 1.5.0
load lib/helper
load lib/tls

setup_file() { tls_setup_file; }
setup() { tls_setup; }

# serve NAME: a listener for many with this certificate; sets $port.
serve() { listen_as "$1" -k -d 127.0.0.1 0; }
probe() { client -z --ssl-trustfile "$CERTIFICATES/root.crt" "$@" </dev/null >"$T/out"; }

@test "a port is open if its server is verified, and -v shows its certificate" {
    serve good
    probe -v "tls://localhost:$port"
    assert_status 0
    assert_line "^localhost:$port open" "$T/out"
    assert_line 'TLS with localhost:.* certificate CN=good until 20[0-9T:-]*Z .[0-9]* days left.$' "$T/client.err"
}

@test "a port whose server is refused by TLS is not open" {
    start_listener -k --daytime 127.0.0.1 0
    plain=$port
    serve nameonly
    probe --ssl localhost "$port" "$plain"
    assert_status 35
    assert_line "^localhost:$port open" "$T/out"
    assert_line "localhost:$plain: refused-by-tls" "$T/client.err"
    assert_line 'localhost: 1 of 2 ports open' "$T/client.err"
}

@test "each target has its own name and its own way" {
    start_listener -k --daytime 127.0.0.1 0
    plain=$port
    serve nameonly
    probe "tls://localhost:$port" "tls://127.0.0.1:$port" "localhost:$plain"
    assert_status 60
    assert_line "^localhost:$port open" "$T/out"
    assert_line "^localhost:$plain open" "$T/out"
    assert_line "127.0.0.1:$port: refused-by-tls .IP address mismatch" "$T/client.err"
    probe -v --ssl --ssl-servername localhost "127.0.0.1/32:$port"
    assert_status 0
    assert_line "^127.0.0.1:$port open" "$T/out"
}

@test "a closed port is closed" {
    hold_port
    probe -v --ssl 127.0.0.1 "$held"
    assert_status 1
    assert_line "127.0.0.1:$held: closed" "$T/client.err"
}

@test "a probe ends the session, and says what it refuses" { drive tls_probe ends; }

@test "a server that does not answer is refused when the time is over" { drive tls_probe silent; }

@test "--banner reads inside of TLS" { drive tls_probe banner; }

@test "--wait-for waits for a server that is verified" {
    drive tls_probe waits
    serve untrusted
    client --wait-for=0.2 "${trusted[@]}" 127.0.0.1 "$port" </dev/null
    assert_status 124
    assert_line 'verify the certificate of .*; not open within 0.2s' "$T/client.err"
}

@test "the warning that certificates are not verified is printed once, and with -v for each connection" {
    serve nameonly
    sockcat --ping=3 --interval 1ms --ssl --insecure 127.0.0.1 "$port" >"$T/out" 2>"$T/err"
    assert_equal "$(cat "$T/err")" "sockcat: TLS with 127.0.0.1:$port: the certificate is not verified (--insecure)"
    sockcat -v --ping=3 --interval 1ms --ssl --insecure 127.0.0.1 "$port" >"$T/out" 2>"$T/err"
    assert_equal "$(grep -c 'the certificate is not verified' "$T/err")" 3
}

@test "--ping=tls prints the time of connecting and of the handshake" {
    drive tls_probe ping
    serve good
    probe --ping=2 --interval 1ms "tls://localhost:$port"
    assert_status 0
    assert_line 'seq=2 .* tls=' "$T/out"
}

@test "a Unix socket is probed with TLS" {
    listen_as good -k -d -U "$T/s"
    probe --ssl --ssl-servername localhost -U "$T/s"
    assert_status 0
    probe --ssl --ssl-servername elsewhere.test -U "$T/s"
    assert_status 60
}

@test "what cannot be probed with TLS is an error" {
    while IFS='|' read -r words message; do
        read -ra words <<<"$words"
        assert_fails 2 "$message" sockcat "${words[@]}" </dev/null
    done <<'EOT'
--ssl -z tls://localhost:9 udp://localhost:9|TLS targets conflict with DTLS targets; test them in separate runs$
-z --insecure dtls://localhost:9 tls://localhost:9|TLS targets conflict with DTLS targets; test them in separate runs$
-z --starttls smtp dtls://localhost:9 localhost:9|--starttls conflicts with
--ssl -z unix:/nowhere tls://localhost:9|needs the name of the server
-z --ssl-trustfile x localhost 9|--ssl-trustfile requires --ssl or an endpoint tls://
EOT
}
