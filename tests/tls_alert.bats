#!/usr/bin/env bats
# Handshakes that sockcat refuses: the alert arrives at the other side, and the connection ends in order.
bats_require_minimum_version 1.5.0
load lib/helper
load lib/tls

setup_file() { tls_setup_file; }
setup() { tls_setup; }

@test "a client that refuses the certificate of a server" { drive tls_alert client; }

@test "--to that refuses the certificate of its target" { drive tls_alert target; }

@test "a listener that refuses the certificate of a client" { drive tls_alert client_certificate; }

@test "a client that refuses the certificate of a proxy" { drive tls_alert proxy; }

@test "a probe that refuses the certificate of a server" { drive tls_alert probe; }

@test "openssl s_server prints the alert" { drive tls_alert openssl; }

@test "a peer that does not close delays the failure for a limited time" { drive tls_alert endless; }

@test "--wait limits that time, and the certificate is still the cause" { drive tls_alert limit; }

@test "a refused client that does not close blocks no other client" { drive tls_alert others; }
