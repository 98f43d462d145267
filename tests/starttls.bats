#!/usr/bin/env bats
# --starttls: TLS that begins inside of another protocol.
# shellcheck disable=SC2154 # the helper sets status, port, listener and so on
bats_require_minimum_version 1.5.0
load lib/helper
load lib/tls

setup_file() { tls_setup_file; }
setup() { tls_setup; }

@test "each protocol changes to TLS, and the session has what is sent inside of it" { drive starttls protocols; }

@test "data after the answer of the server is refused" { drive starttls behind; }

@test "a server that refuses is named with its answer" { drive starttls refused; }

@test "a server that does not answer is status 28" { drive starttls silent; }

@test "-z with --starttls" { drive starttls probed; }

@test "--to a server that changes to TLS" { drive starttls target; }

@test "--starttls is TLS: never without it, and not for a listener" {
    while IFS='|' read -r words message; do
        read -ra words <<<"$words"
        assert_fails 2 "$message" sockcat "${words[@]}" </dev/null
    done <<'EOT'
-l --starttls smtp 0|--starttls requires --ssl or an endpoint
-l --ssl --ssl-self-signed --starttls smtp 0|--starttls conflicts with -l without --to tls://
-l --starttls smtp 0 --to localhost:9|--starttls requires --ssl or an endpoint tls://
-u --starttls smtp localhost 9|--starttls conflicts with datagrams
--ssl --starttls smtp localhost 9 --to tls://localhost:9|--starttls conflicts with TLS on both sides
EOT
    assert_fails 3 "invalid --starttls 'http'" sockcat --starttls http localhost 9 </dev/null
    start_listener --discard 127.0.0.1 0
    assert_fails 35 'XMPP needs the name of the server' sockcat --starttls xmpp --ssl-servername "a'b" 127.0.0.1 "$port" \
        </dev/null
}
