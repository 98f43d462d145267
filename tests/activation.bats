# Taking part in a system: sockets that a service manager has passed, inetd's way, and the end of a
# service at SIGTERM, with --grace.
# shellcheck disable=SC2030,SC2031,SC2154 # a test is a subshell; the helper sets the variables
bats_require_minimum_version 1.5.0
load lib/helper

# ---- sockets that were passed ----

@test "-l takes its client from the socket that was passed, and leaves the socket as it was" {
    drive activation one_client
}

@test "-l -k serves the clients of all the sockets that were passed" {
    drive activation many_sockets
}

@test "IPv4 and IPv6 sockets that were passed are of one kind" {
    need_ipv6
    drive activation both_families
}

@test "Unix sockets that were passed are taken, and their paths are not removed" {
    drive activation unix_sockets
}

@test "datagram sockets that were passed are taken" {
    drive activation datagram_sockets
}

@test "a burst of datagrams to several sockets is received whole" {
    drive activation datagram_burst
}

@test "a socket that was passed tells its port when it is ready" {
    drive activation ready_line
}

@test "F56: what was passed and is no socket to listen on is 101, and named" {
    drive activation not_a_listener
}

@test "F56: sockets of several kinds are 101" {
    drive activation mixed_kinds
}

@test "F56: a count that is none is 101" {
    drive activation bad_count
}

@test "T20: a count of zero is no sockets, however it is written" {
    drive activation count_zero
}

@test "T20: a count with zeros in front is that count, and one with a sign or a space is none" {
    drive activation count_spellings
}

@test "sockets that were passed to another process, or to none, are ignored" {
    drive activation other_process
}

@test "where an endpoint is given, what was passed is not looked at" {
    drive activation endpoint_given
}

@test "options that say what to listen on are not for sockets that were passed" {
    drive activation listen_options
}

# ---- by name ----

@test "fd://NAME takes the sockets that have the name in LISTEN_FDNAMES" {
    drive activation fd_name
}

@test "fd://NAME is checked as all that is passed" {
    drive activation fd_name_checked
}

@test "fd://NAME that no passed socket has is 3" {
    drive activation fd_name_unknown
}

@test "fd://N is a number, even if something else has it for a name" {
    drive activation fd_number_wins
}

@test "fd://NAME is a connection that was passed, where there is one" {
    drive activation fd_name_connection
}

# ---- programs ----

@test "a program gets neither the variables nor the descriptors of passed sockets" {
    drive activation program_environment
}

@test "-l -- PROG runs it for the clients of what was passed" {
    drive activation program_for_clients
}

@test "systemd-socket-activate: sockcat is started by the first client" {
    need systemd-socket-activate
    start systemd-socket-activate -l "$T/s.sock" "$SOCKCAT" -lk --echo
    await_file "$T/s.sock"
    for word in one two; do
        assert_equal "$(echo "$word" | sockcat -U "$T/s.sock")" "$word"
    done
}

@test "systemd-socket-activate: names" {
    need systemd-socket-activate
    start systemd-socket-activate -l "$T/a.sock" -l "$T/b.sock" --fdname=a:b "$SOCKCAT" -lk --echo fd://b
    await_file "$T/b.sock"
    assert_equal "$(echo hello | sockcat -U "$T/b.sock")" hello
}

# ---- as inetd has it ----

# tcp_service COMMAND: a server that runs it for each client, whose connection is its standard
# input, output and error. Sets $port.
tcp_service() {
    need socat ss
    printf '#!/bin/sh\nexec %s\n' "$1" >"$T/service"
    chmod +x "$T/service"
    start_server socat TCP-LISTEN:0,bind=127.0.0.1,fork EXEC:"$T/service",nofork,stderr
}

@test "fd://0: a service for a connection that is standard input and output" {
    tcp_service "$SOCKCAT fd://0 --echo"
    client 127.0.0.1 "$port" <"$(random_file 300000)" >"$T/client.out"
    assert_equal "$status $(cat "$T/client.err")" "0 "
    assert_same "$T/client.out" "$(random_file 300000)"
}

@test "fd://0: a program, which gets the peer's address" {
    tcp_service "$SOCKCAT fd://0 -e env"
    client -d 127.0.0.1 "$port" >"$T/client.out"
    assert_equal "$status" 0
    assert_line '^SOCKCAT_REMOTE_ADDR=127\.0\.0\.1$' "$T/client.out"
    assert_line "^SOCKCAT_LOCAL_PORT=$port\$" "$T/client.out"
}

@test "fd://0: another endpoint" {
    start_listener -k --echo 127.0.0.1 0
    tcp_service "$SOCKCAT fd://0 --to 127.0.0.1:$port"
    client 127.0.0.1 "$port" <"$(random_file 300000)" >"$T/client.out"
    assert_equal "$status" 0
    assert_same "$T/client.out" "$(random_file 300000)"
}

@test "fd://0: no message of ours becomes part of the data" {
    tcp_service "$SOCKCAT -vv fd://0 --echo"
    client 127.0.0.1 "$port" <"$(random_file 300000)" >"$T/client.out"
    assert_equal "$status" 0
    assert_same "$T/client.out" "$(random_file 300000)"
}

@test "fd://0: systemd-socket-activate --inetd" {
    need systemd-socket-activate
    start systemd-socket-activate --inetd -a -l "$T/s.sock" "$SOCKCAT" fd://0 --echo
    await_file "$T/s.sock"
    for word in one two; do
        assert_equal "$(echo "$word" | sockcat -U "$T/s.sock")" "$word"
    done
}

@test "-l fd://N: a connection that was accepted already is that of the only client" { drive accepted plain; }

@test "-l fd://N: standard input and output are the other side of an accepted connection" { drive accepted standard_streams; }

@test "-l fd://N: a client that does not read an accepted connection stops nothing that it sends" { drive accepted slow_client; }

@test "-l fd://N: an accepted Unix socket, and --allow-uid" { drive accepted unix_socket; }

@test "-l fd://N: an accepted connection that the access lists deny is reset, and the status is 103" { drive accepted rejected; }

@test "-l fd://N: an accepted connection that begins with a header of the PROXY protocol" { drive accepted header; }

@test "-l fd://N: a descriptor that is not an accepted connection is an error with its cause" { drive accepted unusable; }

@test "-l fd://N: the lines of -v about an accepted connection are those of a listener" { drive accepted same_lines; }

@test "fd://0: the connection gets a number of its own, and the three are /dev/null" {
    drive activation fd_0
}

@test "fd://0: standard output and error that are something else stay" {
    drive activation fd_0_other_outputs
}

@test "-l fd://0: standard input is the listening socket of the clients" {
    drive activation fd_0_listener
}

@test "fd://0 is 2 where standard input and output are the service" {
    drive activation fd_0_with_service
}

@test "fd://0 that is no connection is 3" {
    assert_fails 3 "endpoint 'fd://0': not a supported socket" sockcat fd://0 --echo </dev/null
    assert_fails 3 "endpoint 'fd://0': not a supported socket" sockcat fd://0 --echo <&-
    drive activation fd_0_no_connection
}

# ---- the end of a service ----

@test "--grace: SIGTERM stops accepting, and the sessions finish: 0" {
    drive activation grace
}

@test "--grace: without a session SIGTERM ends it at once: 0" {
    start_listener -k --grace 1h 127.0.0.1 0
    kill -TERM "$listener"
    assert_listener_ends 0
}

@test "--grace: a session that has not ended in time is cut, and the status is that of a failure" {
    drive activation grace_over
}

@test "--grace: a program finishes its answer" {
    drive activation grace_program
}

@test "--grace: all that is due to standard output is written" {
    drive activation grace_stdout
}

@test "--grace: a failure of one that finishes is 104" {
    drive activation grace_failure
}

@test "--grace: a second SIGTERM ends it at once" {
    drive activation grace_second_sigterm
}

@test "--grace is for SIGTERM: SIGINT ends the sessions" {
    drive activation grace_sigint
}

@test "--grace does not spin" {
    start_listener -k --echo --grace 1h 127.0.0.1 0
    exec 8<>"/dev/tcp/127.0.0.1/$port"
    echo before >&8
    read -r _ <&8
    kill -TERM "$listener"
    watch_idle "$listener"
    exec 8>&-
    assert_listener_ends 0
}

@test "--grace: a peer with datagrams is answered until it is silent, and new peers are ignored" {
    drive activation grace_datagrams
}

@test "--grace: the program of a peer with datagrams sees its end after the silence, and finishes its answer" {
    drive activation grace_datagram_program
}

@test "--grace: the answer of another endpoint is awaited as long as the silence is" {
    drive activation grace_datagram_target
}

@test "--grace: a peer with datagrams that is not silent for long enough in time is cut short" {
    drive activation grace_datagrams_over
}

@test "--grace: datagrams that wait for standard output still come" {
    drive activation grace_datagrams_stdout
}

@test "--grace is 2 without -k" {
    assert_fails 2 '--grace.*--keep-open' sockcat -l --grace 1 127.0.0.1 0 </dev/null
}

# ---- a queue that outlives its listener ----

@test "F57: a listener that takes over before the other has ended loses no client" {
    drive activation takeover_before_end
}

@test "F57: clients wait in the queue from the end of a listener to the start of the next" {
    drive activation takeover_after_end
}

@test "F57: SIGHUP, for new access lists, loses no client" {
    drive activation sighup_loses_no_client
}

# ---- the example of a service ----

# unit_files: the example's files in $T, with the program under test in it.
unit_files() {
    for file in "$BATS_TEST_DIRNAME"/../packaging/systemd/sockcat-relay.*; do
        sed "s|/usr/bin/sockcat|$SOCKCAT|" "$file" >"$T/${file##*/}"
    done
}

@test "units: systemd-analyze verify has nothing to say" {
    need systemd-analyze
    unit_files
    run systemd-analyze verify --man=no "$T/sockcat-relay.service" "$T/sockcat-relay.socket"
    assert_equal "$status $output" "0 "
}

@test "units: what can be kept from the service is" {
    need systemd-analyze
    systemd-analyze --help | grep -q -- --offline || skip "needs a systemd-analyze that judges files"
    unit_files
    # In tenths, of 10; a service that says nothing has 9.6.
    run systemd-analyze security --offline=yes --no-pager --threshold=12 "$T/sockcat-relay.service"
    assert_status 0
}

@test "units: the service makes no system call that is kept from it" {
    need systemd-analyze strace
    ! grep -q __asan_init "$SOCKCAT" || skip "needs a program without sanitizers"
    unit_files
    start_listener -k --echo 127.0.0.1 0
    read -ra words <<<"$(sed -n 's/^ExecStart=[^ ]* //p' "$T/sockcat-relay.service")"
    words[${#words[@]} - 1]=127.0.0.1:$port
    start strace -f -qq -o "$T/calls" -e signal=none systemd-socket-activate -l "$T/s.sock" "$SOCKCAT" "${words[@]}"
    await_file "$T/s.sock"
    client -U "$T/s.sock" <"$(random_file 3000000)" >"$T/client.out"
    assert_equal "$status" 0
    assert_same "$T/client.out" "$(random_file 3000000)"
    # What ends strace leaves this one behind.
    kill -TERM "$(sed -n '1s/ .*//p' "$T/calls")"
    wait "$pid"
    sets=$(sed -n 's/^SystemCallFilter=//p' "$T/sockcat-relay.service")
    drive activation system_calls "$T/calls" "$SOCKCAT" "$sets"
}
