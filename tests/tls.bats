#!/usr/bin/env bats
# TLS: --ssl and tls://, in both roles, against Python's ssl, openssl(1), curl(1) and itself.
# shellcheck disable=SC2154 # the helper sets status, port, listener and so on
bats_require_minimum_version 1.5.0
load lib/helper
load lib/tls

setup_file() { tls_setup_file; }
setup() { tls_setup; }

# ---- proxies ----

@test "https proxies: verified, in chains, and with TLS inside" { drive tls_proxy chains; }
@test "an https proxy that is not verified, or has no TLS, fails before the request" { drive tls_proxy refused; }
@test "a stream that an https proxy cuts is never 0" { drive tls_proxy cut; }
@test "the TLS of an https proxy is not that of the target for programs and dumps" { drive tls_proxy hop; }
@test "a record of an https proxy that is corrupt is a failure to receive" { drive tls_proxy broken; }

# ---- without TLS ----

@test "a plain run does not need the library" {
    need ldd
    run ldd "$SOCKCAT"
    [[ $output != *ssl* && $output != *crypto* ]] || fail "$output"
}

@test "without the plug-in --ssl is status 4" {
    cp "$SOCKCAT" "$T/sockcat"
    status=0
    "$T/sockcat" --ssl localhost 9 </dev/null 2>"$T/err" || status=$?
    assert_status 4
    assert_line 'open plug-in tls: not installed .Debian package sockcat-tls.' "$T/err"
}

@test "what cannot be combined with TLS is an error" {
    while IFS='|' read -r words message; do
        read -ra words <<<"$words"
        assert_fails 2 "$message" sockcat "${words[@]}" </dev/null
    done <<'EOT'
--ssl -F localhost 9|--ssl conflicts with
--ssl --seqpacket -U /nowhere|--ssl conflicts with
-u tls://localhost:9|'tls://' conflicts with --udp .use dtls://.$
-l --ssl 0|requires --ssl-cert FILE, --ssl-self-signed or --psk-file FILE
-l --ssl --insecure --ssl-self-signed 0|conflicts with -l
-l --ssl-self-signed 0|--ssl-self-signed requires --ssl
--ssl --ssl-self-signed localhost 9|--ssl-self-signed requires -l
-l --ssl --ssl-self-signed --pin x 0|-l --pin requires --ssl-verify
-l --ssl --ssl-self-signed --ssl-trustfile x 0|-l --ssl-trustfile requires --ssl-verify
-l --ssl --ssl-self-signed --capath x 0|-l --capath requires --ssl-verify
-l --ssl --ssl-self-signed --ssl-crlfile x 0|-l --ssl-crlfile requires --ssl-verify
-l --ssl --ssl-self-signed --peer-cert /nowhere/x 0|-l --peer-cert requires --ssl-verify
--ssl --insecure --ssl-trustfile /nowhere localhost 9|conflicts with --
--ssl --insecure --capath /nowhere localhost 9|conflicts with --
--ssl --pin x --ssl-crlfile x localhost 9|--ssl-crlfile with --pin requires --ssl-trustfile or --capath
--ssl --pin x --ssl-staple localhost 9|--ssl-staple with --pin requires --ssl-trustfile or --capath
--ssl -U /nowhere|needs the name of the server
--ssl-trustfile x localhost 9|requires .*--ssl
EOT
}

# ---- certificates ----

@test "the certificate of the server is verified: chain, dates, purpose, strength, name" {
    drive tls certificates <"$CASES/tls.tsv"
}

@test "--insecure accepts any certificate, and says so" {
    start_listener --ssl --ssl-self-signed 127.0.0.1 0
    client --ssl --insecure localhost "$port" </dev/null
    assert_status 0
    assert_line 'the certificate is not verified .--insecure.' "$T/client.err"
}

# names HOST: those of the certificate that a listener at this address makes.
names() {
    start_listener --ssl --ssl-self-signed "$1" 0
    client "${trusted[@]}" --ssl-servername elsewhere.test 127.0.0.1 "$port" </dev/null
    sed -n 's/.*the certificate is for \([^)]*\)).*/\1/p' "$T/client.err"
}

@test "a self-signed certificate is for the address of the listener, or for all names of the machine" {
    local any='DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:'
    assert_equal "$(names 127.0.0.1)" 'IP Address:127.0.0.1'
    [[ $(names 0.0.0.0) == "$any"* ]] || fail "$(cat "$T/client.err")"
    [[ $(names '*') == "$any"* ]] || fail "$(cat "$T/client.err")"
}

@test "--pin accepts the key that it names, and no other" {
    drive tls pinned
    good
    client --pin "$(cat "$CERTIFICATES/good.pin")" "tls://localhost:$port" </dev/null
    assert_status 0
    good
    client --pin "sha256//$(printf 'A%.0s' {1..43})=" "tls://localhost:$port" </dev/null
    assert_status 90
    grep -qF -- "--pin does not match: its pin is $(cat "$CERTIFICATES/good.pin")" "$T/client.err"
    finish "$listener"
    assert_equal "$result" 35
    assert_fails 3 'invalid --pin' sockcat --pin sha256//x tls://localhost:9 </dev/null
}

@test "a server name is needed in the form of the DNS" {
    for name in bücher.example 'a b' $'a\tb'; do
        assert_fails 3 'expected a name in ASCII; write its xn-- form$' sockcat --ssl --ssl-servername "$name" localhost 9 </dev/null
    done
}

@test "a name that no server can have is status 3" {
    assert_fails 3 'invalid --ssl-servername .*: expected at most 255 characters' \
        sockcat --ssl --ssl-servername "$(printf '%0256d' 0)" localhost 9 </dev/null
}

@test "an own certificate, key or CA file that cannot be used is status 58" {
    while IFS='|' read -r words message; do
        read -ra words <<<"${words//C\//$CERTIFICATES/}"
        assert_fails 58 "$message" sockcat --ssl "${words[@]}" localhost 9 </dev/null
    done <<'EOT'
--ssl-trustfile /nowhere|trusted certificates in '/nowhere': No such file
--ssl-trustfile C/good.key|trusted certificates in
--capath /nowhere|trusted certificates in '/nowhere': No such file
--capath /:/nowhere|trusted certificates in '/': none has the hash of its name
--ssl-crlfile /nowhere|lists of revoked certificates in '/nowhere': No such file
--ssl-crlfile C/good.crt|lists of revoked certificates in
--ssl-cert /nowhere|certificate '/nowhere'
--ssl-cert C/good.crt|key '
--ssl-cert C/good.crt --ssl-key C/wrong.key|key values mismatch
--ssl-cert C/good.crt --ssl-key C/encrypted.key|key '
EOT
}

@test "the certificates of clients" { drive tls client_certificates; }

@test "trusted certificates are those of --capath and --ssl-trustfile, or of the environment, or of the system" {
    mkdir "$T/root" "$T/other"
    cp "$CERTIFICATES/root.crt" "$T/root"
    cp "$CERTIFICATES/other.crt" "$T/other"
    openssl rehash "$T/root" "$T/other"
    good -k --discard
    while IFS='|' read -r wanted variables words; do
        read -ra words <<<"${words//C\//$CERTIFICATES/}"
        read -ra variables <<<"${variables//C\//$CERTIFICATES/}"
        status=0
        (
            export "${variables[@]//@/$T}"
            sockcat --ssl "${words[@]//@/$T}" localhost "$port" </dev/null 2>"$T/client.err"
        ) || status=$?
        assert_status "$wanted"
    done <<'EOT'
60|A=|
0|A=|--capath @/root
60|A=|--capath @/other
0|A=|--capath @/other:@/root
0|A=|--capath @/other --ssl-trustfile C/root.crt
0|SSL_CERT_FILE=C/root.crt|
0|SSL_CERT_DIR=@/root|
0|SSL_CERT_DIR=@/root SSL_CERT_FILE=C/other.crt|
60|SSL_CERT_DIR=@/other SSL_CERT_FILE=C/other.crt|
60|SSL_CERT_DIR=@/root SSL_CERT_FILE=C/root.crt|--ssl-trustfile C/other.crt
60|SSL_CERT_DIR=@/root SSL_CERT_FILE=C/root.crt|--capath @/other
EOT
}

# stapled WORDS: openssl s_server with these words, and a client that demands an OCSP response.
stapled() {
    read -ra words <<<"${1//C\//$CERTIFICATES/}"
    start_server openssl s_server -accept 127.0.0.1:0 -www "${words[@]}"
    client "${trusted[@]}" --ssl-staple -4 localhost "$port" \
        < <(printf 'GET / HTTP/1.0\r\n\r\n') >"$T/page"
}

@test "F110: --ssl-staple refuses a server without an OCSP response that says its certificate is good" {
    need ss
    while IFS='|' read -r name file wanted message; do
        stapled "-cert C/$name.crt -key C/$name.key $file"
        assert_status "$wanted"
        [ "$wanted" = 0 ] || assert_line "verify the certificate of localhost:$port: $message" "$T/client.err"
    done <<'EOT'
good|-status_file C/good.ocsp|0|
good|-tls1_2 -status_file C/good.ocsp|0|
good|-status_file C/otherdigest.ocsp|0|
good|-status_file C/delegated.ocsp|0|
good|-status_file C/endless.ocsp|0|
good||60|the server sent no OCSP response$
good|-tls1_2|60|the server sent no OCSP response$
revoked|-status_file C/revoked.ocsp|60|certificate revoked .Jan  1 00:00:00 2025 GMT.$
revoked|-tls1_2 -status_file C/revoked.ocsp|60|certificate revoked
nameonly|-status_file C/unknown.ocsp|60|the OCSP response does not know the certificate$
nameonly|-status_file C/good.ocsp|60|the OCSP response is for another certificate$
good|-status_file C/forged.ocsp|60|the OCSP response cannot be verified
good|-status_file C/later.ocsp|60|the OCSP responder failed .trylater.$
good|-status_file C/empty.ocsp|60|the OCSP response is malformed$
EOT
}

@test "F110: an OCSP response and a revocation list that have expired are refused" {
    need ss
    need_shim clock_gettime
    while IFS='|' read -r days options file message; do
        read -ra options <<<"${options//C\//$CERTIFICATES/}"
        start_server openssl s_server -accept 127.0.0.1:0 -www -cert "$CERTIFICATES/good.crt" \
            -key "$CERTIFICATES/good.key" -status_file "$CERTIFICATES/$file"
        status=0
        with_shim "clock_gettime:jump=$((days * 86400)):*" "$SOCKCAT" "${trusted[@]}" \
            "${options[@]}" -4 localhost "$port" < <(printf 'GET / HTTP/1.0\r\n\r\n') >"$T/page" 2>"$T/client.err" || status=$?
        assert_status 60
        assert_line "verify the certificate of localhost:$port: $message" "$T/client.err"
    done <<'EOT'
40|--ssl-staple|good.ocsp|the OCSP response is not valid now
2|--ssl-staple|endless.ocsp|the OCSP response is too old
40|--ssl-crlfile C/root.crl|good.ocsp|CRL has expired
EOT
}

@test "application protocols" { drive tls protocols; }

@test "without memory for TLS the run fails, and the library does not crash" {
    need_shim malloc
    local call got
    for call in $(seq 5 3 80); do
        got=0
        with_shim "malloc:ENOMEM:$call" "$SOCKCAT" --ssl --ssl-cert /nowhere localhost 9 </dev/null 2>"$T/err" || got=$?
        case $got in
        4 | 27 | 58) ;;
        *) fail "call $call: status $got: $(cat "$T/err")" ;;
        esac
    done
}

# ---- versions and ciphers ----

@test "versions, ciphers and groups are those of the options, on both sides" {
    drive tls negotiated <"$CASES/tls_policy.tsv"
    drive tls versions
}

# openssl_cnf LIST: a configuration of OpenSSL with these ciphers, for TLS 1.2.
openssl_cnf() {
    printf '%s\n' 'openssl_conf = a' '[a]' 'ssl_conf = b' '[b]' 'system_default = c' '[c]' \
        'MaxProtocol = TLSv1.2' "CipherString = $1" >"$T/openssl.cnf"
}

@test "ciphers without authentication are not used, even if the configuration of OpenSSL has them" {
    need ss
    for list in ALL:aNULL:@SECLEVEL=0 aNULL:@SECLEVEL=0; do
        openssl_cnf "$list"
        start_server openssl s_server -accept 127.0.0.1:0 -nocert -tls1_2 -cipher aNULL:@SECLEVEL=0 -www
        OPENSSL_CONF=$T/openssl.cnf client "${trusted[@]}" -4 localhost "$port" \
            < <(printf 'GET / HTTP/1.0\r\n\r\n')
        assert_status 35
    done
}

@test "a list without a cipher, and options that exclude each other, are errors before anything is connected" {
    while IFS='|' read -r status words message; do
        read -ra words <<<"$words"
        assert_fails "$status" "$message" sockcat --ssl "${words[@]}" localhost 9 </dev/null
    done <<'EOT'
3|--ssl-ciphers NOTHING|invalid --ssl-ciphers 'NOTHING': no cipher match$
3|--ciphers eNULL:aNULL|invalid --ssl-ciphers 'eNULL:aNULL': no cipher match$
3|--ssl-ciphers TLS_AES_128_GCM_SHA256|invalid --ssl-ciphers
3|--ssl-ciphersuites NOTHING|invalid --ssl-ciphersuites 'NOTHING': no cipher match$
3|--tls13-ciphers ECDHE-ECDSA-AES128-GCM-SHA256|invalid --ssl-ciphersuites
3|--ssl-groups P-256:nothing|invalid --ssl-groups 'P-256:nothing': group 'nothing' cannot be set$
3|--tls-min 1.3 --tls-max 1.2|no version of TLS: at least 1.3 is required, and at most 1.2 permitted
2|--tls-min 1.3 --ssl-ciphers ALL|--ssl-ciphers conflicts with --tls-min 1.3
2|--tls-max 1.2 --ssl-ciphersuites TLS_AES_128_GCM_SHA256|--ssl-ciphersuites conflicts with --tls-max 1.2
EOT
}

@test "F124: the least version of OpenSSL's configuration is kept, and --tls-min goes before it" {
    printf '%s\n' 'openssl_conf = a' '[a]' 'ssl_conf = b' '[b]' 'system_default = c' '[c]' 'MinProtocol = TLSv1.3' >"$T/openssl.cnf"
    export OPENSSL_CONF=$T/openssl.cnf
    drive tls configured
}

# ---- handshakes ----

@test "a server that does not speak TLS is named with what it sent" {
    drive tls plain_server 'SSH-2.0-OpenSSH_9.2\r\n' "does not speak TLS; it sent 'SSH-2.0-OpenSSH_9.2'"
    drive tls plain_server 'HTTP/1.1 400 Bad Request\r\n\r\n' "it sent 'HTTP/1.1 400 Bad Request'"
}

@test "a client that does not begin a handshake is dropped in time" {
    good --wait 0.2
    start_peer --connect "tcp:127.0.0.1:$port" recvall!
    finish "$listener"
    assert_equal "$result" 28
    assert_line 'TLS handshake with .*: timed out' "$T/listener.err"
}

@test "F117: a server that stops inside of the handshake is given up in time" { drive tls stalled; }

@test "F122: a chain that is too large ends the handshake" { drive tls huge_chain; }

@test "F123: a bit that differs, wherever it is, is a failure, and no wrong byte is written" { drive tls flipped; }

@test "F121: -v and the report have the chain, and names are escaped" { drive tls chain; }

# ---- data and its end ----

@test "an end in any record is status 35 in the handshake, and 18 later" {
    drive tls cuts client fin 1.3
    drive tls cuts server fin 1.3
    drive tls cuts client fin 1.2
    drive tls cuts server fin 1.2
}

@test "a reset in any record is status 35 in the handshake, and 56 later" {
    drive tls cuts client reset 1.3
    drive tls cuts server reset 1.3
}

@test "the end of input is close_notify alone" { drive tls half_close; }

@test "a server that has closed: data sent too late is lost, close_notify is not" { drive tls gone; }

@test "a server that answers and closes without reading close_notify" { drive tls unread; drive tls unread_unix; }

@test "a peer that vanishes after its close_notify is noticed" {
    [ "$(uname)" = Linux ] || skip "needs /proc/net/tcp"
    drive tls watched
}

@test "nothing is ended after an HTTP request" { drive tls request; }

@test "much data both ways" {
    drive tls big
    drive tls big -I 4096 -O 4096
}

@test "key updates of both sides, through small buffers" {
    has_libssl || skip "needs libssl.so.3"
    drive tls_keys both_ways client
    drive tls_keys both_ways server
}

@test "a peer that demands answers and does not read them waits, and loses nothing" {
    has_libssl || skip "needs libssl.so.3"
    drive tls_keys unread client
    drive tls_keys unread server
}

@test "--send-only reads what the server sends" { drive tls send_only; }

@test "clients side by side" { drive tls many; }

@test "idle clients keep little memory after much data" {
    [ "$PATIENCE" -eq 1 ] || skip "a sanitizer keeps what is freed"
    drive tls idle
}

@test "programs" { drive tls program; }

@test "a capture has the plain data" {
    good -o "$T/dump"
    trust localhost "$port" < <(printf hello)
    finish "$listener"
    assert_line '|hello|' "$T/dump"
}

@test "openssl and curl get data from a listener, and send it" {
    head -c 1000000 /dev/urandom >"$T/data"
    LISTENER_IN=$T/data good
    openssl s_client -quiet -verify_return_error -CAfile "$CERTIFICATES/root.crt" -connect "localhost:$port" -4 \
        <"$CERTIFICATES/good.crt" >"$T/got" 2>"$T/openssl.err"
    finish "$listener"
    assert_equal "$result" 0
    cmp "$T/data" "$T/got"
    need curl
    good -c "printf 'HTTP/1.0 200 OK\r\n\r\npage'"
    run curl -sS --cacert "$CERTIFICATES/root.crt" "https://localhost:$port/"
    assert_equal "$output" page
}

@test "openssl s_server gets a request and sends its page" {
    need ss
    for version in -tls1_2 -tls1_3; do
        start_server openssl s_server -accept 127.0.0.1:0 -cert "$CERTIFICATES/good.crt" \
            -key "$CERTIFICATES/good.key" -www "$version"
        client "${trusted[@]}" -4 localhost "$port" < <(printf 'GET / HTTP/1.0\r\n\r\n') >"$T/page"
        assert_status 0
        assert_line '^HTTP/1.0 200 ok' "$T/page"
    done
}

@test "through a proxy the end of standard input is close_notify, as without one" {
    good --echo
    target=$port
    # A SOCKS5 proxy for a name of nine letters.
    start_listener 127.0.0.1 0 -c "head -c 3 >$T/asked; printf '\\5\\0'; head -c 16 >>$T/asked
        printf '\\5\\0\\0\\1\\0\\0\\0\\0\\0\\0'; exec '$SOCKCAT' 127.0.0.1 $target"
    echo hello | trust --idle-timeout 3 --proxy "socks5h://127.0.0.1:$port" localhost "$target" >"$T/out"
    assert_equal "$(cat "$T/out")" hello
}
