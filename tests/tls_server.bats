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

@test "where descriptors are few, clients that do not finish a handshake stop no other client" {
    drive tls_server few_descriptors
}

@test "a handshake takes no place among the clients; a client that has finished one waits for a place" { drive tls_server places; }

@test "with --refuse a client that finds no place after its handshake is rejected" { drive tls_server refused; }

@test "no more programs than --max-children run after handshakes" { drive tls_server children; }

@test "a client that does not speak TLS is reset" { drive tls_server without_tls; }

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

@test "a program with a terminal, and its exit status" { drive tls_with pty; }

@test "a broker passes the plain data on" { drive tls_with broker; }

@test "a chat has the plain lines" { drive tls_with chat; }

@test "messages are found in the data, wherever records end" { drive tls_with frames; }

@test "captures have the plain data, and a dump says so" { drive tls_with captures; }

@test "a report has what was agreed on, and why a handshake failed" {
    drive tls_with report
}

@test "over Unix sockets, in both roles" { drive tls_with unix_sockets; }

@test "over a connection that was passed" { drive tls_with connection; }

@test "on sockets that a service manager has passed" { drive tls_with activated; }

@test "on a connection that was accepted already" { drive accepted tls_role; }

@test "failures on a connection that was accepted already end the run, as those of a listener" { drive accepted tls_failures; }

# activated SERVICE-OPTION...: systemd-socket-activate, which accepts, for openssl.
activated() {
    start systemd-socket-activate -a -l "$T/s.sock" "$@"
    await_file "$T/s.sock"
    for word in one two; do
        assert_equal "$(echo "$word" | openssl s_client -quiet -verify_return_error -CAfile "$CERTIFICATES/root.crt" \
            -verify_hostname localhost -unix "$T/s.sock" 2>"$T/s_client.err")" "$word"
    done
}

@test "systemd-socket-activate that accepts, and passes the connection" {
    need systemd-socket-activate
    activated "$SOCKCAT" -l --ssl --ssl-cert "$CERTIFICATES/together.pem" --sh-exec 'read -r line; echo "$line"'
}

@test "systemd-socket-activate that accepts, as inetd does" {
    need systemd-socket-activate
    activated --inetd "$SOCKCAT" -l --ssl --ssl-cert "$CERTIFICATES/together.pem" fd://0 --sh-exec 'read -r line; echo "$line"'
}

@test "files of --send" { drive tls_with transfer; }

@test "discard and daytime" { drive tls_with services; }

@test "where TLS cannot be used it is an error, never left out" {
    while IFS='|' read -r words message; do
        read -ra words <<<"$words"
        assert_fails 2 "$message" sockcat "${words[@]}" </dev/null
    done <<'EOT'
-l --ssl --ssl-self-signed --udplite 127.0.0.1 0|--ssl conflicts with
-l --ssl --ssl-self-signed -U --seqpacket /nowhere/x|--ssl conflicts with
-lk --ssl --ssl-self-signed -Uu /nowhere/x|--ssl conflicts with
--ssl -U /nowhere/x|needs the name of the server
-l --ssl-self-signed 0|--ssl-self-signed requires
-l --ssl-verify 0|--ssl-verify requires
-l --ssl 0|requires --ssl-cert FILE
EOT
}

# ---- what scanners find ----

@test "sslscan finds nothing that is old" {
    need sslscan
    drive tls_with sslscan
}

@test "testssl finds nothing to report" {
    need testssl
    LIMIT=240 drive tls_with testssl
}

@test "--ssl-ciphers offers more to clients that need it" {
    listen_as good \
        --ssl-ciphers ECDHE-ECDSA-AES128-SHA256 --echo 127.0.0.1 0
    printf hello | sockcat "${trusted[@]}" --tls-max 1.2 \
        --ssl-ciphers ECDHE-ECDSA-AES128-SHA256 -4 localhost "$port" >"$T/got"
    assert_equal "$(cat "$T/got")" hello
}
