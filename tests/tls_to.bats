#!/usr/bin/env bats
# TLS with --to: to a server with TLS, for clients with TLS, or both.
# shellcheck disable=SC2154 # the helper sets status, port, listener and so on
bats_require_minimum_version 1.5.0
load lib/helper
load lib/tls

setup_file() { tls_setup_file; }
setup() { tls_setup; }

@test "either side ends on its own, with TLS here, there, or on both sides" { drive tls_to half_close; }

@test "a side that is cut is status 18, and no end at the other side" { drive tls_to cut; }

@test "a side that is reset is a failure, and no end at the other side" { drive tls_to reset; }

@test "much data both ways, with TLS here, there, or on both sides" { drive tls_to big; }

@test "a target that is not verified gets nothing, and the next client is served" { drive tls_to refused; }

@test "a target that does not speak TLS is status 35" { drive tls_to plain_target; }

@test "the handshake with the target is limited by --wait" { drive tls_to slow_target; }

@test "the own certificate is that of a listener with TLS, otherwise for the target" { drive tls_to own_certificate; }

@test "--ssl-verify is about the clients" { drive tls_to client_certificates; }

@test "--send-proxy=2 sends the common name of a client's certificate" {
    drive proxy_header client_certificate "$CERTIFICATES"
}

@test "two servers are joined without a listener" { drive tls_to without_listener; }

@test "the target is verified as a server is that is connected to" {
    while IFS='|' read -r got message words; do
        read -ra words <<<"$words"
        # Not in a pin, which may have it, too.
        drive tls_to verified "$got" "$message" ${words[@]+"${words[@]/#C\//$CERTIFICATES/}"}
    done <<EOT
60|unable to get local issuer certificate|
0||--ssl-trustfile C/root.crt
0||--ssl-trustfile C/root.crt --ssl-servername localhost
60|[Hh]ostname mismatch|--ssl-trustfile C/root.crt --ssl-servername elsewhere.test
0|not verified .--insecure.|--insecure
0||--pin $(cat "$CERTIFICATES/good.pin")
90|its pin is|--pin sha256//$(printf 'A%.0s' {1..43})=
EOT
}

@test "through a proxy to a server with TLS" {
    listen_as good --echo 127.0.0.1 0
    target=$port
    # A SOCKS5 proxy for a name of nine letters.
    start_listener 127.0.0.1 0 -c "head -c 3 >$T/asked; printf '\\5\\0'; head -c 16 >>$T/asked
        printf '\\5\\0\\0\\1\\0\\0\\0\\0\\0\\0'; exec '$SOCKCAT' 127.0.0.1 $target"
    start_listener 127.0.0.1 0 --ssl-trustfile "$CERTIFICATES/root.crt" --proxy "socks5h://127.0.0.1:$port" \
        --to "tls://localhost:$target"
    echo hello | sockcat 127.0.0.1 "$port" >"$T/out"
    assert_equal "$(cat "$T/out")" hello
    printf '%b' '\5\1\0\5\1\0\3\tlocalhost' "$(printf '\\0%03o' $((target / 256)) $((target % 256)))" | cmp - "$T/asked"
}

@test "an option that no side uses, or of which the side is not clear, is an error" {
    while IFS='|' read -r words message; do
        read -ra words <<<"$words"
        assert_fails 2 "$message" sockcat "${words[@]}" </dev/null
    done <<'EOT'
-l 0 --to localhost:9 --ssl-trustfile x|--ssl-trustfile requires --ssl or an endpoint tls://
-l 0 --to localhost:9 --insecure|--insecure requires --ssl or an endpoint tls://
-l 0 --to tls://localhost:9 --ssl-self-signed|--ssl-self-signed requires --ssl
-l 0 --to tls://localhost:9 --ssl-verify|-l --ssl-verify requires --ssl
-l --ssl --ssl-self-signed 0 --to localhost:9 --insecure|--insecure conflicts with -l without --to tls://
-l --ssl --ssl-self-signed 0 --to localhost:9 --ssl-servername x|--ssl-servername conflicts with -l without --to tls://
-l --ssl --ssl-self-signed 0 --to tls://localhost:9 --ssl-alpn x|--ssl-alpn conflicts with TLS on both sides
-l --ssl --ssl-self-signed --ssl-verify 0 --to tls://localhost:9 --pin x|--pin conflicts with TLS on both sides .*: is it for the clients or
--ssl localhost 9 --to tls://localhost:9 --insecure|--insecure conflicts with TLS on both sides .*: is it for the server or
--ssl localhost 9 --to tls://localhost:9 --ssl-cert x|--ssl-cert conflicts with TLS on both sides
EOT
}
