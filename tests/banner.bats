#!/usr/bin/env bats
# The first line that a service says (-z --banner), with and without a request.
# shellcheck disable=SC2154 # the helper sets port, netns, held and others
bats_require_minimum_version 1.5.0
load lib/helper

# probe_line ARG...: sockcat -z, which succeeds; prints its output without the time.
probe_line() {
    sockcat -z "$@" </dev/null | sed 's/ open [0-9.]*ms/ open/'
}

@test "the first line is shown, escaped, at most 256 bytes of it" {
    drive banner lines
}

@test "a service that ends the connection is open, with what it has said" {
    drive banner ends
}

@test "a service that says nothing is open after half a second, or the limit that is given" {
    drive banner silence
}

@test "a service that sends without end costs no more than others" {
    drive banner flood
}

@test "the banners of many ports are read side by side" {
    drive banner parallel
}

@test "many silent services do not add up" {
    drive banner many_silent
}

@test "--banner=send: sends its text with C escapes, and shows the answer" {
    drive banner request
}

@test "a request that is larger than the socket's buffer is sent whole" {
    drive banner large_request
}

@test "a report has the banner" {
    drive banner report
}

@test "a closed port is 1, and has no line" {
    hold_port
    assert_closed sockcat -z --banner 127.0.0.1 "$held"
}

@test "with --compat=nc the banner follows nc's words" {
    start_peer "send:hello\n" recvall!
    sockcat --compat=nc -zvn -w 20 --banner 127.0.0.1 "$peer_port" </dev/null 2>"$T/nc.err"
    assert_line '^Connection to 127.0.0.1 .* succeeded! hello$' "$T/nc.err"
}

@test "an argument of --banner that is wrong is 3, without -z 2, and it is for streams" {
    for word in '' x send: 'send:\q' 'send:\x1' "send:a\\"; do
        assert_fails 3 "invalid --banner" sockcat -z --banner="$word" 127.0.0.1 9 </dev/null || fail "$word"
    done
    assert_fails 2 '--banner requires --probe' sockcat --banner 127.0.0.1 9 </dev/null
    assert_fails 2 '--banner conflicts with --udp' sockcat -zu --banner 127.0.0.1 9 </dev/null
}

@test "the banner of an ssh server" {
    /usr/bin/python3 -c 'import paramiko' 2>/dev/null || skip "needs paramiko (python3-paramiko)"
    need ssh-keygen
    need_netns
    ssh-keygen -q -t rsa -m PEM -N '' -f "$T/host_key"
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        start /usr/bin/python3 "$HELPER_DIR/ssh_server.py" "$T/host_key"
        await_line "$T/background.out" "^ready$"
        sockcat -z --banner -w 20 127.0.0.1 22 </dev/null >"$T/ssh.out"
        assert_line "^127.0.0.1:22 open [0-9.]+ms ssh: SSH-2.0-paramiko_[0-9.]+\$" "$T/ssh.out"'
}

@test "the first line of a page of nginx, over a Unix socket" {
    need nginx
    cat >"$T/nginx.conf" <<END
$([ "$(id -u)" -ne 0 ] || echo "user root;") daemon off; worker_processes 1; pid $T/nginx.pid; error_log $T/nginx.log;
events {}
http {
    access_log off; client_body_temp_path $T/body; proxy_temp_path $T/proxy; fastcgi_temp_path $T/fastcgi;
    uwsgi_temp_path $T/uwsgi; scgi_temp_path $T/scgi;
    server { listen unix:$T/www; return 200 "hello"; }
}
END
    start nginx -c "$T/nginx.conf"
    until_true 20 sockcat -zU "$T/www" </dev/null
    assert_equal "$(probe_line -w 20 --banner='send:HEAD / HTTP/1.0\r\n\r\n' -U "$T/www")" \
        "$T/www open: HTTP/1.1 200 OK"
}

@test "the answer of redis to a ping" {
    need redis-server
    start redis-server --port 0 --unixsocket "$T/redis" --dir "$T" --save ''
    until_true 20 sockcat -zU "$T/redis" </dev/null
    assert_equal "$(probe_line -w 20 --banner='send:PING\r\n' -U "$T/redis")" "$T/redis open: +PONG"
}
