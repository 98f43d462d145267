# For tests with TLS: certificates, and the reason to skip them. Load it after helper.
# shellcheck shell=bash disable=SC2154 # bats and the helper set the variables

# For setup_file: makes the certificates; sets $CERTIFICATES, and $why_not if that is not possible.
tls_setup_file() {
    export CERTIFICATES=$BATS_FILE_TMPDIR/certificates why_not=''
    if ! has_plugin tls; then
        why_not='needs the plug-in tls'
    elif ! command -v openssl >/dev/null; then
        why_not='needs openssl'
    else
        sh "$BATS_TEST_DIRNAME/lib/certificates.sh" "$CERTIFICATES"
    fi
}

# Whether Python can load the library itself.
has_libssl() { python3 -c 'import ctypes; ctypes.CDLL("libssl.so.3")' 2>/dev/null; }

# tls_setup_file for tests with lib/dtls_peer.py.
dtls_setup_file() {
    tls_setup_file
    has_libssl || why_not=${why_not:-needs libssl.so.3}
}

# For setup; sets the array trusted: the options of a client that trusts the certificates.
tls_setup() {
    helper_setup
    [ -z "$why_not" ] || skip "$why_not"
    trusted=(--ssl --ssl-trustfile "$CERTIFICATES/root.crt")
}

# listen_as NAME WORD...: start_listener with the certificate of this name.
listen_as() { start_listener --ssl --ssl-cert "$CERTIFICATES/$1.crt" --ssl-key "$CERTIFICATES/$1.key" "${@:2}"; }

# good OPTION...: a TCP listener with a valid certificate.
good() { listen_as good "$@" 127.0.0.1 0; }

# trust WORD...: a client that trusts the certificates.
trust() { sockcat "${trusted[@]}" "$@"; }
