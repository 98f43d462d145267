# For tests with TLS: certificates, and the reason to skip them. Load it behind helper.
# shellcheck shell=bash disable=SC2154 # bats and the helper set the variables

# For setup_file: makes the certificates; sets $CERTIFICATES, and $why_not if that is not possible.
tls_setup_file() {
    export CERTIFICATES=$BATS_FILE_TMPDIR/certificates why_not=''
    if [ ! -e "${SOCKCAT%/*}/libexec/sockcat/tls.so" ]; then
        why_not='needs the plug-in tls'
    elif ! command -v openssl >/dev/null; then
        why_not='needs openssl'
    else
        sh "$BATS_TEST_DIRNAME/lib/certificates.sh" "$CERTIFICATES"
    fi
}

# For setup.
tls_setup() {
    helper_setup
    [ -z "$why_not" ] || skip "$why_not"
}
