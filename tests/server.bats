#!/usr/bin/env bats
# Many clients at a time: what they share, what one of them does to the others, which are accepted, and
# the services that they may meet.
# shellcheck disable=SC2154 # the helper sets port, listener, status
bats_require_minimum_version 1.5.0
load lib/helper

# ---- standard output ----

@test "-k serves clients side by side, in any order" {
    drive server side_by_side
}

@test "a piece that does not go out whole is finished before another client's begins" {
    drive server piece_not_mixed
}

@test "a partly sent message is finished, also after --idle-timeout, before another begins" {
    drive server message_not_cut
}

@test "clients that send more than is written take turns, and a short message waits for one turn of each" {
    drive server output_in_turns
}

@test "F62: each message of 20 clients that send at the same time arrives whole" {
    drive server twenty_writers
}

@test "thousands of messages in one read all go on at once, to standard output, a broker's clients and back" {
    drive server many_messages_in_one_read
}

@test "a reader of standard output that closes it ends it quietly with 23, even without data" {
    drive server stdout_reader_leaves
}

@test "a full disk behind standard output ends it with 23 and one line" {
    drive server stdout_full_disk
}

# ---- standard input ----

@test "T17: a file on standard input is sent to every client from its offset, which stays" {
    drive server stdin_file
}

@test "F45: a plain file is sent to a client that got the last descriptor, too" {
    need prlimit
    drive server stdin_file_last_descriptor
}

@test "T17: -k and a single session send the same of a file that is partly read" {
    printf 'one\ntwo\n' >"$T/file"
    drive server stdin_file_offset
}

@test "other standard input goes to all clients, and is not read without one" {
    drive server stdin_to_all
}

@test "standard input is not lost to a client that has closed its receiving side" {
    drive server stdin_kept_for_the_next
}

@test "a client that half-closes still gets all of standard input that was read" {
    drive server stdin_after_half_close
}

@test "standard input that was read and reached no client is 55, a part of a message 18" {
    drive server stdin_left_over
}

@test "input and its end that arrive together reach every client in that order" {
    drive server stdin_data_with_end
}

@test "-C and -i apply once to what is sent to all clients" {
    drive server stdin_crlf_and_delay
}

@test "standard input that cannot be read ends it with 26, with the first client" {
    drive server stdin_unreadable
}

@test "standard input from a terminal goes to all, and clients come and go" {
    drive server stdin_terminal
}

# ---- how it ends ----

@test "with --max-accepts it ends with 0 when all went well, and the next one is refused at once" {
    drive server max_accepts_refuses_next
}

@test "with --max-accepts 0 means that all was written, however late that is read" {
    drive server max_accepts_all_written
}

@test "the failure of a client is reported and counted, ends no other, and makes the status 104" {
    drive server failures_counted
}

@test "a listening socket that is shared is left alone after --max-accepts" {
    need_shim
    drive server shared_listener_left_alone
}

@test "SIGTERM: what was read goes out to all and to standard output, then it is the signal" {
    drive server sigterm_flushes
}

@test "SIGTERM: what was read and waits for --delay goes out to all, too" {
    drive server sigterm_flushes_delayed
}

@test "SIGTERM with clients that take nothing ends it within its moment" {
    drive server sigterm_stalled_clients
}

@test "SIGUSR1: a line about all, and one about each client" {
    drive server sigusr1_report
}

@test "limits of a session hold for each client: -W, --idle-timeout, -q, --until" {
    drive server session_limits
}

@test "--accept-timeout: 28 without a client for that time, counted from the end of the last one" {
    drive server accept_timeout
}

# ---- services ----

@test "--echo sends everything back, to many at a time and to one alone" {
    drive server echo
}

@test "--discard reads and discards everything, and sends nothing" {
    drive server discard
}

@test "--chargen sends the lines of RFC 864 until the client closes, which is no failure" {
    drive server chargen
}

@test "--daytime sends one line with the date and time in UTC, and ends" {
    drive server daytime
}

@test "the services over datagrams: each gets its own back" {
    drive server echo_datagrams
}

@test "the services and -k exclude what makes no sense with them" {
    while read -r options; do
        # shellcheck disable=SC2086 # words
        run sockcat $options 127.0.0.1 0 </dev/null
        assert_status 2
    done <<'OPTIONS'
-l -k --echo --discard
-l -k --broker --chargen
-l -u --chargen --frame line
-l -u --daytime --frame line
-l -k --echo -d
-l --queue 1k
-l --slow=drop
-l --max-conns 5
-l --max-conns-per-host 5
-l --max-accepts 5
-l --refuse
--accept-timeout 5
-z --echo
OPTIONS
    run sockcat -l -k --max-conns 0 127.0.0.1 0 </dev/null
    assert_status 3
    run sockcat -l -k --slow=never 127.0.0.1 0 </dev/null
    assert_status 3
}

# ---- a broker ----

@test "F63: what a client sends goes to all others and not to itself" {
    drive server broker_to_all_others
}

@test "the standard input of a broker goes to all clients, and its end ends none" {
    drive server broker_input
}

@test "a file as the standard input of a broker is sent once, and with -d not at all" {
    drive server broker_input_file
}

@test "F64: without another client what is sent is discarded, and not kept for later clients" {
    drive server broker_single_client
}

@test "F59: a client that never reads is disconnected and counted, and nine others get everything" {
    drive server broker_disconnects_slow_client
}

@test "F59: clients that read are not slow when all the others send at the same moment" {
    drive server broker_burst_is_not_slow
}

@test "F59: with --slow=drop whole messages are dropped for the slow client alone, and counted" {
    drive server broker_slow_drop
}

@test "F59: with --slow=wait all clients wait for the slow one, and all get everything" {
    drive server broker_slow_wait
}

@test "standard input waits for, skips or disconnects a client that does not keep up" {
    drive server stdin_slow_clients
}

@test "F60: clients connect and leave while others send, and those that stay get everything in order" {
    drive server broker_clients_come_and_go
}

@test "F61: a sender that is faster than all does not make it grow" {
    [ "$(uname)" = Linux ] || skip "needs /proc"
    drive server broker_memory
}

@test "messages of nothing fill a queue, too" {
    drive server broker_empty_messages_queue
}

@test "a broker over Unix seqpacket sockets keeps messages, empty ones too" {
    drive server broker_seqpacket
}

@test "standard input goes in messages that fit to many seqpacket sockets" {
    drive server stdin_seqpacket
}

@test "a broker with --frame: an invalid frame ends the client that sent it, and no other" {
    drive server broker_bad_frame
}

@test "F65: what two brokers in a ring receive circulates until the ring is cut, and neither grows by it" {
    drive server broker_ring
}

# ---- accepting ----

@test "F47: clients above --max-conns wait until another has ended" {
    drive server max_conns_wait
}

@test "F47: with --refuse clients above the limit are reset, and counted" {
    drive server max_conns_refuse
}

@test "F48: one address cannot take all the places" {
    drive server max_conns_per_host
}

@test "F48: over both families an IPv4 client is counted as one" {
    need_ipv6
    drive server max_conns_per_host_both_families
}

@test "F49: with --idle-timeout a client that sends nothing, or no more, makes room for one that waits" {
    drive server idle_timeout_frees_place
}

@test "F45: without descriptors the listener pauses instead of spinning, and serves its clients" {
    need prlimit
    drive server descriptors_used_up_pauses
}

@test "F46: a client that leaves while the listener pauses makes room for one that waits" {
    need prlimit
    drive server descriptors_used_up_resumes
}

@test "F45: the pause costs some ten looks a second" {
    need prlimit
    need strace
    drive server pause_polls_slowly
}

@test "F50: after 2,000 connections its descriptors and its memory are what they were" {
    drive server no_leaks
}

@test "F51: 500 clients that have been sent a message, and are idle, cost what they are" {
    drive server memory_of_served_clients
}

@test "F51: 500 idle clients cost what they are, and no turns" {
    need_shim
    drive server memory_of_idle_clients
}

@test "F53: clients that vanish before they are accepted are none" {
    drive server clients_gone_before_accept
}

@test "F53: errors of accept that belong to a client end nothing" {
    need_shim
    drive server accept_errors
}

# ---- calls that fail while it serves ----

@test "F9: one failed allocation costs one client at most, and the next is served" {
    need_shim malloc
    drive server memory_fails_once
}

@test "F9: allocations that fail for good end no session, and crash nothing" {
    need_shim malloc
    drive server memory_fails_for_good
}

@test "F10: a call that fails once costs one client at most" {
    need_shim
    drive server call_fails_once
}

@test "F10: a call that fails for good ends no session, and crashes nothing" {
    need_shim
    drive server call_fails_for_good
}

@test "F10: without epoll it is poll that waits" {
    need_shim
    drive server without_epoll
}

# ---- others as clients ----

@test "nc, ncat, socat, curl, bash and sockcat are clients of one listener at a time" {
    need nc.openbsd
    need ncat
    need socat
    need curl
    drive server foreign_clients
}

@test "a broker joins nc, ncat and socat" {
    need nc.openbsd
    need ncat
    need socat
    drive server broker_foreign_clients
}

@test "curl gets a page from a file that every client is sent" {
    need curl
    printf 'HTTP/1.0 200 OK\r\n\r\nhello\n' >"$T/page"
    LISTENER_IN=$T/page start_listener -k 127.0.0.1 0
    for _ in 1 2 3; do
        assert_equal "$(curl -s "http://127.0.0.1:$port/")" hello
    done
    assert_equal "$(grep -c '^GET / HTTP' "$T/listener.out")" 3
}

@test "over both families and Unix sockets many are served" {
    need_ipv6
    drive server families
}

# Where it runs no port is free for a minute.
come_and_go_for_long() {
    LIMIT=400 drive server come_and_go_for_long
}

@test "F162: memory and descriptors stay as they are over 100,000 connections" {
    need_netns
    NETNS_LIMIT=420 in_netns come_and_go_for_long
}

# ---- T15, T25: out of descriptors, out of memory ----

# full_table LIMIT CLIENTS ARG...: see cases/full_table.py.
full_table() { drive full_table "$@"; }

@test "T15: clients wait while the descriptor table is full, with programs as without" {
    full_table 24 40 --echo
    full_table 64 40 -- cat
    # The terminal echoes, too.
    full_table 64 40 --pty -c 'printf hello; read x'
    start_listener -k --echo 127.0.0.1 0
    full_table 64 60 --to "127.0.0.1:$port"
}

@test "T15: clients wait while the descriptor table is full and their target is looked up" {
    start_listener -k --echo 127.0.0.1 0
    full_table 64 60 --to "localhost:$port"
}

@test "T25: clients that cannot be waited for, because there is no memory for good, are reset" {
    need_shim malloc
    drive no_memory_to_wait
}
