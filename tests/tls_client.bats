#!/usr/bin/env bats
# Options of a client together with --ssl: what they do to the data is inside of TLS.
# shellcheck disable=SC2154 # the helper sets status, port, listener and so on
bats_require_minimum_version 1.5.0
load lib/helper
load lib/tls

setup_file() { tls_setup_file; }
setup() { tls_setup; }

@test "frames, line ends and telnet are inside of TLS" { drive tls_client transforms; }

@test "digests, expectations, rates and progress are those of the plain data" { drive tls_client measured; }

@test "--in and --out: a file is there only after close_notify of the server" { drive tls_client files; }

@test "--end, -d, -W and --idle-timeout" { drive tls_client ends; }

@test "a program of a client gets the plain data" { drive tls_client program; }

@test "--report and --stats" { drive tls_client report; }

@test "fd://N is an inherited connection without TLS yet" { drive tls_client inherited; }

@test "a server behind a Unix socket is verified by the name that is given" {
    listen_as good -U "$T/s" -c 'cat; printf answer'
    client "${trusted[@]}" --ssl-servername localhost -U "$T/s" < <(printf 'question ') >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/out")" 'question answer'
    finish "$listener"
    assert_equal "$result" 0
    listen_as good -U "$T/s" -d
    client "${trusted[@]}" --ssl-servername elsewhere.test "unix:$T/s" </dev/null
    assert_status 60
}

@test "--send and --receive store nothing from a sender that is not verified" {
    head -c 100000 /dev/urandom >"$T/file"
    mkdir "$T/there" "$T/here"
    listen_as good --receive="$T/there" 127.0.0.1 0
    client "${trusted[@]}" --send "$T/file" 127.0.0.1 "$port" </dev/null
    assert_status 0
    finish "$listener"
    assert_equal "$result" 0
    cmp "$T/file" "$T/there/file"
    listen_as good --send "$T/file" 127.0.0.1 0
    client --ssl --receive="$T/here" 127.0.0.1 "$port" </dev/null
    assert_status 60
    [ -z "$(ls "$T/here")" ] || fail "$(ls "$T/here")"
}

@test "--output has the plain data of both directions" {
    listen_as good -c 'cat >/dev/null; printf answer' 127.0.0.1 0
    client "${trusted[@]}" --output "$T/both" 127.0.0.1 "$port" < <(printf 'question ') >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/both")" 'question answer'
}
