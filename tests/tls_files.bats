#!/usr/bin/env bats
# Files of TLS: passphrases, pre-shared keys, the certificates of peers, the log of secrets.
# shellcheck disable=SC2154 # the helper sets status, port, listener and so on
bats_require_minimum_version 1.5.0
load lib/helper
load lib/tls

key=000102030405060708090a0b0c0d0e0f

setup_file() { tls_setup_file; }

setup() {
    tls_setup
    umask 077
}

@test "F120: the first line of --ssl-pass-file decrypts the key" {
    printf 'secret\r\nmore\n' >"$T/pass"
    printf wrong >"$T/wrong"
    printf '\nsecret\n' >"$T/empty"
    printf '%01100d' 0 >"$T/long"
    encrypted() { sockcat -l --ssl --ssl-cert "$CERTIFICATES/good.crt" --ssl-key "$CERTIFICATES/encrypted.key" "$@" 127.0.0.1 0; }
    start_listener --ssl --ssl-cert "$CERTIFICATES/good.crt" --ssl-key "$CERTIFICATES/encrypted.key" \
        --ssl-pass-file "$T/pass" --discard 127.0.0.1 0
    trust localhost "$port" </dev/null
    assert_fails 58 "use key '.*/encrypted.key': it is encrypted .--ssl-pass-file FILE.\$" encrypted
    assert_fails 58 'the passphrase of --ssl-pass-file does not decrypt it$' encrypted --ssl-pass-file "$T/wrong"
    assert_fails 58 'the passphrase of --ssl-pass-file does not decrypt it$' encrypted --ssl-pass-file "$T/long"
    assert_fails 58 'read .*: the first line is empty$' encrypted --ssl-pass-file "$T/empty"
    assert_fails 58 'read /nowhere: No such file' encrypted --ssl-pass-file /nowhere
}

@test "F120: a key, passphrase or pre-shared key that other users can read or change is status 58" {
    cp "$CERTIFICATES/good.key" "$T/key"
    cp "$CERTIFICATES/together.pem" "$T/both"
    echo secret >"$T/pass"
    echo "me:$key" >"$T/keys"
    hold_port
    for mode in 604 602 660; do
        chmod "$mode" "$T/key" "$T/both" "$T/pass" "$T/keys"
        while IFS='|' read -r file words; do
            read -ra words <<<"${words//@/$T/}"
            case $mode in
            604) assert_fails 58 "read $T/$file: other users can read it; run: chmod o= FILE\$" sockcat --ssl "${words[@]}" localhost 9 ;;
            602) assert_fails 58 "read $T/$file: other users can change it" sockcat --ssl "${words[@]}" localhost 9 ;;
            *) assert_fails 7 'Connection refused' sockcat --ssl --ssl-servername localhost "${words[@]}" 127.0.0.1 "$held" ;;
            esac
        done <<EOT
key|--ssl-cert $CERTIFICATES/good.crt --ssl-key @key
both|--ssl-cert @both
pass|--ssl-cert $CERTIFICATES/together.pem --ssl-pass-file @pass
keys|--psk-file @keys
EOT
    done
    # A pipe has no other readers.
    sockcat --ssl --psk-file <(echo "me:$key") 127.0.0.1 "$held" </dev/null 2>"$T/err" || status=$?
    assert_equal "$status" 7
}

@test "with --psk-file both sides need a key, and no certificate" {
    printf 'me:%s\nyou:f%s\n' "$key" "${key#0}" >"$T/keys"
    echo "you:f${key#0}" >"$T/you"
    for client in keys:me you:you; do
        start_listener --ssl --psk-file "$T/keys" -v --echo 127.0.0.1 0
        client --ssl -v --psk-file "$T/${client%:*}" 127.0.0.1 "$port" < <(printf hello) >"$T/out"
        assert_status 0
        assert_equal "$(cat "$T/out")" hello
        assert_line "TLS with 127.0.0.1:$port: TLSv1.3, TLS_[A-Z0-9_]*_SHA256, .*, pre-shared key ${client#*:}\$" "$T/client.err"
        finish "$listener"
        assert_equal "$result" 0
        assert_line "TLS with .*, pre-shared key ${client#*:}\$" "$T/listener.err"
    done
}

@test "--psk-identity chooses the key that a client offers" {
    printf 'me:%s\nyou:f%s\n' "$key" "${key#0}" >"$T/keys"
    echo "f${key#0}" >"$T/bare"
    for file in keys bare; do
        start_listener --ssl --psk-file "$T/keys" --echo 127.0.0.1 0
        client --ssl -v --psk-file "$T/$file" --psk-identity you 127.0.0.1 "$port" < <(printf hello) >"$T/out"
        assert_status 0
        assert_line "TLS with .*, pre-shared key you\$" "$T/client.err"
        finish "$listener"
    done
    assert_fails 58 "read $T/keys: no key for 'he'\$" sockcat --ssl --psk-file "$T/keys" --psk-identity he localhost 9
    assert_fails 3 "invalid --psk-identity ''" sockcat --ssl --psk-file "$T/keys" --psk-identity '' localhost 9
    assert_fails 2 '--psk-identity' sockcat --ssl --psk-identity you localhost 9
    assert_fails 2 '--psk-identity conflicts with -l' sockcat -l --ssl --psk-file "$T/keys" --psk-identity you 0
    assert_fails 2 '--psk-identity conflicts with keys for clients' \
        sockcat -l --ssl --psk-file "$T/keys" --psk-identity you 0 --to tls://localhost:9
}

@test "a key that differs, is unknown or is not used is status 35 on both sides" {
    echo "me:$key" >"$T/keys"
    echo "me:f${key#0}" >"$T/other"
    echo "eve:$key" >"$T/eve"
    while IFS='|' read -r theirs ours near far; do
        read -ra theirs <<<"${theirs//@/$T/}"
        read -ra ours <<<"${ours//@/$T/}"
        start_listener --ssl "${theirs[@]}" 127.0.0.1 0
        client --ssl "${ours[@]}" localhost "$port" </dev/null
        assert_status 35
        assert_line "TLS handshake with localhost:$port: $near" "$T/client.err"
        finish "$listener"
        assert_equal "$result" 35
        assert_line "TLS handshake with .*: $far" "$T/listener.err"
    done <<EOT
--psk-file @keys|--psk-file @other|.*; do both sides have the same key for 'me'.\$|key 'me': binder does not verify
--psk-file @keys|--psk-file @eve|.*; do both sides have the same key for 'eve'.\$|the client offers no key that is known
--psk-file @keys|--insecure|the peer sent the alert|the client offers no key that is known
--ssl-cert $CERTIFICATES/together.pem|--psk-file @keys|the server does not know the key 'me'\$|the peer sent the alert
EOT
}

@test "--psk-file works with openssl, in both roles" {
    need ss
    echo "me:$key" >"$T/keys"
    start_listener --ssl --psk-file "$T/keys" --discard -v 127.0.0.1 0
    openssl s_client -psk_identity me -psk "$key" -connect "127.0.0.1:$port" </dev/null >"$T/openssl.out" 2>&1
    finish "$listener"
    assert_line 'TLS with .*, pre-shared key me$' "$T/listener.err"
    start_server openssl s_server -accept 127.0.0.1:0 -nocert -psk_identity me -psk "$key" -www
    client --ssl --psk-file "$T/keys" -4 localhost "$port" < <(printf 'GET / HTTP/1.0\r\n\r\n') >"$T/page"
    assert_status 0
    assert_line '^HTTP/1.0 200 ok' "$T/page"
}

@test "a file of pre-shared keys that is malformed is status 58, with the line" {
    printf 'me:%s\nyou\n' "$key" >"$T/bad"
    printf 'me:%s\n' "${key%??}" >"$T/short"
    : >"$T/empty"
    assert_fails 58 "read $T/bad: line 2: expected IDENTITY:KEY" sockcat --ssl --psk-file "$T/bad" localhost 9
    assert_fails 58 'line 1: expected IDENTITY:KEY with a key of 32 to 128 hexadecimal digits' sockcat --ssl --psk-file "$T/short" localhost 9
    assert_fails 58 'read .*: no key .expected lines IDENTITY:KEY.$' sockcat --ssl --psk-file "$T/empty" localhost 9
    assert_fails 2 '--psk-file conflicts with --tls-max 1.2' sockcat --ssl --psk-file <(echo "me:$key") --tls-max 1.2 localhost 9
}

@test "a file that is not PEM is status 58, with what it is and how to convert it" {
    need ssh-keygen
    openssl pkcs12 -export -in "$CERTIFICATES/good.crt" -inkey "$CERTIFICATES/good.key" -passout pass:x -out "$T/p12"
    openssl x509 -in "$CERTIFICATES/good.crt" -outform DER -out "$T/crt"
    openssl pkey -in "$CERTIFICATES/good.key" -outform DER -out "$T/key"
    openssl crl -in "$CERTIFICATES/root.crl" -outform DER -out "$T/crl"
    ssh-keygen -q -t ecdsa -N '' -f "$T/ssh"
    chmod o= "$T"/*
    while IFS='|' read -r words message; do
        words=${words//@/$T/}
        read -ra words <<<"${words//+/$CERTIFICATES/}"
        assert_fails 58 "$message\$" sockcat --ssl "${words[@]}" localhost 9 </dev/null
    done <<'EOT'
--ssl-cert @p12|use certificate '.*': it is PKCS#12, expected PEM .openssl pkcs12 -nodes -in FILE -out NEWFILE.
--ssl-cert +good.crt --ssl-key @p12|use key '.*': it is PKCS#12, expected PEM .openssl pkcs12 -nodes -in FILE -out NEWFILE.
--ssl-cert @crt --ssl-key +good.key|use certificate '.*': it is DER, expected PEM .openssl x509 -inform DER -in FILE -out NEWFILE.
--ssl-cert +good.crt --ssl-key @key|use key '.*': it is DER, expected PEM .openssl pkey -inform DER -in FILE -out NEWFILE.
--ssl-trustfile @crt|use trusted certificates in '.*': it is DER, expected PEM .openssl x509 -inform DER -in FILE -out NEWFILE.
--ssl-trustfile +root.crt --ssl-crlfile @crl|use lists of .*': it is DER, expected PEM .openssl crl -inform DER -in FILE -out NEWFILE.
--ssl-cert +good.crt --ssl-key @ssh|use key '.*': it is in the format of OpenSSH, expected PEM
--ssl-cert +good.key|use certificate '.*': it has no certificate in PEM
--ssl-cert +good.crt|use key '.*': it has no private key in PEM
--ssl-trustfile +root.crt --ssl-crlfile +root.crt|it has no list of revoked certificates in PEM
EOT
    # What openssl makes of them can be used.
    openssl pkcs12 -nodes -in "$T/p12" -passin pass:x -out "$T/pem"
    chmod o= "$T/pem"
    start_listener --ssl --ssl-cert "$T/pem" --discard 127.0.0.1 0
    trust localhost "$port" </dev/null
}

@test "--peer-cert writes the certificates of the peer, and does not overwrite a file" {
    start_listener --ssl --ssl-cert "$CERTIFICATES/chained.crt" --ssl-key "$CERTIFICATES/chained.key" --ssl-verify \
        --ssl-trustfile "$CERTIFICATES/root.crt" --peer-cert "$T/clients" -k --discard 127.0.0.1 0
    own=(--ssl-cert "$CERTIFICATES/client.crt" --ssl-key "$CERTIFICATES/client.key")
    trust "${own[@]}" --peer-cert "$T/server" localhost "$port" </dev/null
    cmp "$T/server" "$CERTIFICATES/chained.crt"
    assert_fails 23 "open $T/server: the file exists" trust "${own[@]}" --peer-cert "$T/server" localhost "$port" </dev/null
    trust "${own[@]}" --append-output --peer-cert "$T/server" localhost "$port" </dev/null
    cat "$CERTIFICATES/chained.crt" "$CERTIFICATES/chained.crt" | cmp - "$T/server"
    openssl x509 -in "$T/clients" | cmp - "$CERTIFICATES/client.crt"
    # The library adds those that it finds among the trusted ones.
    assert_equal "$(grep -c 'BEGIN CERTIFICATE' "$T/clients")" 4
    # What was not accepted is not written.
    client --ssl --peer-cert "$T/refused" localhost "$port" </dev/null
    assert_status 60
    [ ! -s "$T/refused" ] || fail "it was written"
    assert_fails 23 'write /dev/full: No space left' trust "${own[@]}" --peer-cert /dev/full localhost "$port" </dev/null
}

@test "--peer-cert without memory is a failure, and no missing certificate" {
    need_shim malloc
    good -k --discard
    saving=("$SOCKCAT" --ssl --ssl-trustfile "$CERTIFICATES/root.crt" --peer-cert)
    local last call got
    SHIM_COUNT=$T/count with_shim '' "${saving[@]}" "$T/whole" localhost "$port" </dev/null
    last=$(sed -n 's/^malloc //p' "$T/count")
    for call in $(seq $((last - 60)) "$last"); do
        got=0
        with_shim "malloc:ENOMEM:$call" "${saving[@]}" "$T/$call" localhost "$port" </dev/null 2>"$T/err" || got=$?
        [ "$got" -ne 0 ] || cmp "$T/whole" "$T/$call" || fail "call $call"
    done
}

@test "a session that fails after its handshake does not end cleanly for the peer" {
    own=(--ssl-cert "$CERTIFICATES/client.crt" --ssl-key "$CERTIFICATES/client.key")
    good --discard
    assert_fails 23 'write /dev/full: No space left' trust --peer-cert /dev/full localhost "$port" </dev/null
    finish "$listener"
    assert_equal "$result" 18
    good --ssl-verify --ssl-trustfile "$CERTIFICATES/root.crt" --peer-cert /dev/full --discard
    client "${trusted[@]}" "${own[@]}" localhost "$port" </dev/null
    # A reset if its close_notify has not been read.
    [ "$status" -eq 18 ] || [ "$status" -eq 56 ] || fail "exit status $status"
    finish "$listener"
    assert_equal "$result" 23
}

@test "F124: SSLKEYLOGFILE gets the secrets, for its user only, and a line says so" {
    umask 022
    good -k --discard
    for count in 1 2; do
        SSLKEYLOGFILE=$T/log client "${trusted[@]}" localhost "$port" </dev/null
        assert_status 0
        assert_line "SSLKEYLOGFILE: appending TLS secrets, which decrypt the data, to $T/log\$" "$T/client.err"
        assert_equal "$(grep -c '^CLIENT_TRAFFIC_SECRET_0 [0-9a-f]\{64\} [0-9a-f]\{64,96\}$' "$T/log")" "$count"
    done
    assert_equal "$(ls -l "$T/log" | cut -c1-10)" '-rw-------'
    SSLKEYLOGFILE=$T client "${trusted[@]}" localhost "$port" </dev/null
    assert_status 0
    assert_line "SSLKEYLOGFILE: open $T: Is a directory\$" "$T/client.err"
    SSLKEYLOGFILE='' client "${trusted[@]}" localhost "$port" </dev/null
    assert_equal "$(cat "$T/client.err")" ''
    SSLKEYLOGFILE=$T/other start_listener --ssl --ssl-cert "$CERTIFICATES/together.pem" --discard 127.0.0.1 0
    trust localhost "$port" </dev/null
    assert_line 'appending TLS secrets' "$T/listener.err"
    assert_line '^SERVER_TRAFFIC_SECRET_0 ' "$T/other"
}
