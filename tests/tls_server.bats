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
