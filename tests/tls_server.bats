#!/usr/bin/env bats
# Listeners with TLS: handshakes of many clients, against Python's ssl.
# shellcheck disable=SC2154 # the helper sets status, port, listener and so on
bats_require_minimum_version 1.5.0
load lib/helper
load lib/tls

setup_file() { tls_setup_file; }
setup() { tls_setup; }

# ---- handshakes ----

@test "hundreds of clients that do not finish a handshake stop no other client" { drive tls_server slow_handshakes; }

@test "a handshake takes no place among the clients; a client that has finished one waits for a place" { drive tls_server places; }

@test "with --refuse a client that finds no place after its handshake is rejected" { drive tls_server refused; }

@test "no more programs than --max-children run after handshakes" { drive tls_server children; }

@test "failed handshakes are reported, with a limit, and counted" { drive tls_server failed_handshakes; }

# ---- certificates ----

@test "the server name of the client chooses the certificate" { drive tls_server names; }

@test "a certificate for each kind of key" { drive tls_server kinds; }

@test "keys belong to the certificate before them" {
    local good=$CERTIFICATES/good
    while IFS='|' read -r status words message; do
        read -ra words <<<"${words//C\//$CERTIFICATES/}"
        assert_fails "$status" "$message" sockcat --ssl "${words[@]}" </dev/null
    done <<EOT
2|-l --ssl-cert C/good.crt --ssl-key C/good.key --ssl-key C/rsa.key 0|--ssl-key .*rsa.key': its certificate .--ssl-cert. has a key already
2|--ssl-cert C/good.crt --ssl-key C/good.key --ssl-cert C/together.pem localhost 9|--ssl-cert: a client has one certificate
58|-l --ssl-cert C/good.crt --ssl-cert C/rsa.crt --ssl-key C/good.key 0|key '$good.crt'
58|-l --ssl-cert C/together.pem --ssl-cert C/rsa.crt --ssl-key C/good.key 0|key '$good.key': certificate .*rsa.crt' has another kind of key
58|-l --ssl-cert C/rsa.crt --ssl-key C/good.key 0|key '$good.key': certificate .*rsa.crt' has another kind of key
EOT
}

# ---- SIGHUP ----

@test "SIGHUP replaces the certificate under load, and a broken one leaves the old in force" { drive tls_server reload; }

@test "SIGHUP replaces certificate and authorities together or not at all, and lists besides" { drive tls_server reload_trust; }

@test "SIGHUP keeps a self-signed certificate" { drive tls_server reload_self_signed; }

@test "SIGHUP ends a listener for one client" {
    start_listener --ssl --ssl-self-signed 127.0.0.1 0
    kill -HUP "$listener"
    finish "$listener"
    assert_equal "$result" 129
}

# ---- certificates of clients ----

@test "--allow-cert chooses the certificates of clients" { drive tls_server allowed; }

@test "a rule of --allow-cert without a known kind or a text is an error" {
    while IFS='|' read -r status words message; do
        read -ra words <<<"$words"
        assert_fails "$status" "$message" sockcat -l --ssl --ssl-self-signed "${words[@]}" 0 </dev/null
    done <<'EOT'
3|--ssl-verify --allow-cert alice|invalid --allow-cert 'alice': expected URI:TEXT, DNS:NAME, CN:TEXT or pin:sha256//BASE64
3|--ssl-verify --allow-cert CN:alice --allow-cert CN:|invalid --allow-cert 'CN:'
3|--ssl-verify --allow-cert cn:alice|invalid --allow-cert
3|--ssl-verify --allow-cert pin:sha256//x|invalid --allow-cert
2|--ssl-verify --pin x --allow-cert CN:alice|conflicts with --pin
2|--allow-cert CN:alice|-l --allow-cert requires --ssl-verify
EOT
    assert_fails 2 '--allow-cert requires -l' sockcat --ssl --allow-cert CN:x localhost 9 </dev/null
}

# ---- what TLS is combined with ----

@test "programs get what is known about the connection, printable" { drive tls_server environment; }
