#!/usr/bin/env bats
# What servers with TLS do when standard input ends: after an HTTP request nothing is sent, and with -N close_notify.
# shellcheck disable=SC2154 # the helper sets status, port, listener and so on
bats_require_minimum_version 1.5.0
load lib/helper
load lib/tls

PATH=$PATH:/usr/sbin

setup_file() { tls_setup_file; }
setup() { tls_setup; }

# serve CASES-FILE KIND [BACKEND-PORT]: starts a server of it; sets $served, its port.
serve() {
    local folder=$T/$2
    mkdir "$folder"
    start python3 "$BATS_TEST_DIRNAME/cases/$1.py" "$2" "$folder" ${3:+"$3"}
    await_file "$folder/port"
    served=$(cat "$folder/port")
}

ask() {
    client -v "${trusted[@]}" -4 "$@" localhost "$served" \
        < <(printf 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n') >"$T/page"
    [[ " ${statuses:-0} " == *" $status "* ]] || fail "status $status: $(cat "$T/client.err")"
}

is_whole() {
    assert_line '^HTTP/1.[01] 200 [Oo][Kk]' "$T/page"
    [ -n "${other_page:-}" ] || assert_equal "$(tail -n 1 "$T/page")" 'the page'
}

# answers KIND [BACKEND-PORT]: the page of this server is whole, whether its client ends or not.
answers() {
    serve tls_end_server "$@"
    ask
    is_whole
    statuses=${statuses_then:-0} ask -N
    is_whole
}

# ends KIND [BACKEND-PORT]: the page of this server is whole; a client that ends gets it, or nothing, and a hint.
ends() {
    serve tls_end_server "$@"
    ask
    is_whole
    ask -N
    if [ -s "$T/page" ]; then
        is_whole
    else
        assert_line 'sent nothing after the half-close.*--end=keep' "$T/client.err"
    fi
}

# cancels KIND [BACKEND-PORT]: the page of this server is whole; a client that ends gets an answer without a page.
cancels() {
    serve tls_end_server "$@"
    ask
    is_whole
    ask -N
    assert_line '^HTTP/1.[01] 200 OK' "$T/page"
    assert_line '^Content-Length: 0' "$T/page"
}

# behind FUNCTION KIND: the same in front of a server that answers in any case.
behind() {
    serve end_server python
    "$1" "$2" "$served"
}

@test "Python's ssl answers after close_notify" { answers python; }

@test "asyncio ends at close_notify" { ends asyncio; }

@test "node ends at close_notify, unless it allows half-open connections" {
    need node
    ends node-https
    ends node-tls
    answers node-half
}

@test "nginx answers after close_notify alone" {
    need nginx
    # Once it has read that of its client, it sends none.
    statuses_then='0 18' behind answers nginx
}

@test "haproxy answers after close_notify, in http mode and in tcp mode" {
    need haproxy
    behind answers haproxy-http
    rm -r "$T/python"
    behind answers haproxy-tcp
}

@test "stunnel answers after close_notify" {
    need stunnel4 ss
    behind answers stunnel
}

@test "hitch ends at close_notify" {
    need hitch ss
    behind ends hitch
}

@test "caddy answers, but not with the page after close_notify" {
    need caddy ss
    behind cancels caddy
}

@test "gnutls-serv answers after close_notify" {
    need gnutls-serv ss
    other_page=1 answers gnutls
}

@test "openssl s_server answers after close_notify" {
    need ss
    other_page=1 answers openssl
}

@test "socat ends soon after close_notify" {
    need socat ss
    behind ends socat
}

@test "ncat ends at close_notify" {
    need ncat ss
    ends ncat
}
