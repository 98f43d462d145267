# Datagrams: large Unix messages, refused addresses, errors of the receiver, and the end of a session.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, result, netns
bats_require_minimum_version 1.5.0
load lib/helper

# both WAY: the case for datagram and for seqpacket sockets.
both() {
    drive large_messages datagram "$1"
    rm -rf "$T"/socket "$T"/client "$T"/one "$T"/other "$T"/front
    drive large_messages seqpacket "$1"
}

# ---- T5: Unix messages above 64 KiB ----

@test "T5: frames of standard input become Unix messages of up to the send buffer" { both sent; }

@test "T5: messages of standard input become Unix messages of up to the send buffer" { both sent_by_message; }

@test "T5: with -k standard input becomes Unix messages of up to the send buffer" { both sent_to_all; }

@test "T5: large Unix messages are received whole" { both received; }

@test "T5: with -k large Unix messages are received whole" { both received_by_many; }

@test "T5: without --frame large Unix messages are received whole" { both received_as_bytes; }

@test "T5: --echo returns large Unix messages" { both echoed; }

@test "T5: --echo with -k returns large Unix messages" { both echoed_to_many; }

@test "T5: --to carries large Unix messages" { both relayed; }

@test "T5: --broker carries large Unix messages" { both brokered; }

@test "T5: large Unix messages are received whole with -o" { both recorded; }

@test "T5: large messages are written to a standard output that keeps messages" { both to_standard_output; }

@test "T5: a message above the limit of the socket is 102, and the limit is reported" { both too_large; }

# ---- T13: errors and drops of a receiver ----

# keeps_failing CALL OPTION...: a listener whose CALL always fails with ENOMEM.
keeps_failing() {
    local call=$1
    shift
    need_shim
    with_shim "$call:ENOMEM:*:socket" start_listener -v "$@" 127.0.0.1 0
    printf hello >"/dev/udp/127.0.0.1/$port"
    await_line "$T/listener.err" 'receive: Cannot allocate memory; trying again'
    watch_idle "$listener"
    kill "$listener"
    finish "$listener"
    assert_equal "$result" 143
}

@test "T13: the receiver of -luk does not spin on an error" { keeps_failing recvmmsg -u -k; }

@test "T13: a receiver of -lu without a peer does not spin on an error" { keeps_failing recvfrom -u; }

@test "T13: a receiver of Unix datagrams with -k does not spin on an error" {
    need_shim
    with_shim 'recv:ENOMEM:*:socket' start_listener -U -u -k "$T/socket"
    start_peer --connect "unixdgram:$T/socket" send:hello
    await_line "$T/listener.err" 'receive: Cannot allocate memory; trying again'
    watch_idle "$listener"
}

@test "T13: an error that is repeated is reported at most once a second" {
    need_shim
    SECONDS=0
    with_shim 'recvmmsg:EIO:*:socket' start_listener -u -k 127.0.0.1 0
    printf hello >"/dev/udp/127.0.0.1/$port"
    until_true 20 eval '[ "$(grep -c "trying again" "$T/listener.err")" -ge 3 ]'
    [ "$(grep -c "trying again" "$T/listener.err")" -le $((SECONDS + 1)) ] || fail "$(cat "$T/listener.err")"
}

@test "T13: a network error that is always there does not make the receiver of -luk spin" {
    need_shim
    with_shim 'recvmmsg:EHOSTUNREACH:*:socket' start_listener -u -k 127.0.0.1 0
    printf hello >"/dev/udp/127.0.0.1/$port"
    await_line "$T/listener.err" 'receive: No route to host; trying again'
    watch_idle "$listener"
}

@test "T13: the receiver of -luk goes on when an error has passed" {
    need_shim
    for error in ENOMEM EIO ECONNREFUSED; do
        with_shim "recvmmsg:$error:1:socket" start_listener -u -k 127.0.0.1 0
        printf hello >"/dev/udp/127.0.0.1/$port"
        await_line "$T/listener.out" hello
    done
}

@test "T13: datagrams that the kernel dropped are reported with -luk as with -lu" {
    drive kernel_drops -k
    drive kernel_drops
}

@test "a burst of datagrams waits for a queue with room where --slow=wait" { drive burst --slow=wait --queue 1; }

# ---- T6: the next address of a name ----

# two_addresses CASE: every name has the addresses 127.1.0.1 and 127.1.0.2.
two_addresses() {
    need_shim
    with_shim 'getaddrinfo:addresses=2:*' drive refused_address "$1"
}

@test "T6: a datagram that the first address refuses is sent to the next one" { two_addresses sent; }

@test "T6: the largest datagram is sent again" { two_addresses largest; }

@test "T6: datagrams are sent again in their order, with --stdin-frame and empty ones too" {
    two_addresses in_order
}

@test "T6: the next address is the peer of the whole session" { two_addresses answered; }

@test "T6: a datagram is sent again under -o" { two_addresses recorded; }

@test "T6: -v reports the next address" { two_addresses told; }

@test "T6: a datagram that all addresses refuse is 7" { two_addresses refused_by_all; }

@test "T6: a refusal after an answer is 7" { two_addresses refused_after_an_answer; }

@test "T6: a refusal after more than 64 KiB is 7" { two_addresses too_much; }

@test "T6: --to sends a refused datagram to the next address" { two_addresses relayed; }

@test "T6: --to with -k sends refused datagrams to the next address" { two_addresses relayed_for_many; }

@test "T6: localhost is 127.0.0.1 when ::1 refuses" {
    need_netns
    [ "$(getent ahosts localhost | cut -d ' ' -f 1 | uniq | wc -l)" -gt 1 ] \
        || skip "localhost has one address"
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        start_peer --listen udp recvdgram count
        sockcat -u -q 0 localhost "$peer_port" <<<hello
        finish "$peer"
        assert_equal "$(tail -n 1 "$T/peer.out")" 6'
}

# in_own_net lost_route|groups CASE: drive, in a network namespace.
in_own_net() {
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        ip link add p0 type veth peer name p1 || exit 77
        drive "$1" "$2"' "$1" "$2" || {
        code=$?
        [ "$code" -ne 77 ] || skip "needs veth interfaces"
        return "$code"
    }
}

# ---- T16: datagrams ----

@test "T16: a link that is down for a while does not end a client, and is 55 in the end" {
    in_own_net lost_route link
}

@test "T16: a route that is away for a while does not end a client, and is 55 in the end" {
    in_own_net lost_route route
}

@test "T16: an address that is away for a while does not end a client, and is 55 in the end" {
    in_own_net lost_route address
}

@test "T16: a route to the relay of a proxy that is away for a while does not end a client, and is 55 in the end" {
    in_own_net lost_route relay
}

@test "T16: without a way every datagram of a batch is counted" { in_own_net lost_route batch; }

@test "T16: a network that is unreachable from the start is 7" { in_own_net lost_route from_the_start; }

@test "T16: a signal reports how many datagrams were not sent" { in_own_net lost_route interrupted; }

@test "T16: a listener goes on while its peer is unreachable" { in_own_net lost_route answers; }

@test "T16: with -k a listener goes on while a peer is unreachable" {
    in_own_net lost_route answers_of_many
}

@test "T16: answers to a multicast question are received from every host" { in_own_net groups multicast; }

@test "T16: answers to an IPv6 multicast question are received from every host" {
    in_own_net groups multicast6
}

@test "T16: answers to a broadcast question are received from every host" { in_own_net groups broadcast; }

@test "T16: -b with an address of one host does not receive from others" {
    in_own_net groups unicast_with_b
}

@test "T16: messages of a group name their senders" { in_own_net groups framed; }

@test "T16: a second sender is reported once without -v, and that -k serves all" {
    drive udp second_sender
}

# asks TIME_OPTION...: a client that asks a peer that does not answer.
asks() {
    start_peer --listen udp recvdgram recvall
    sockcat -u "$@" 127.0.0.1 "$peer_port"
}

@test "T16: after the end of input -w is an upper bound of -q, and the end is 0" {
    asks -w 0.3 <<<hello
    # The time does not run out before, and -q may be shorter.
    asks -w 60 -q 0.2 <<<hello
    asks --idle-timeout 0.3 <<<hello
    asks -w 0.3 -q 60 <<<hello
}

@test "T16: -w counts from the end of input, not from the last datagram" {
    start_peer --listen udp recvdgram "touch:$T/got" wait:1.2 send:answer
    feed hello "@$T/got" =/dev/null
    run sockcat -u -w 2 127.0.0.1 "$peer_port" <"$T/in"
    assert_status 0
    assert_equal "$output" answer
}

@test "T16: -w without the end of input is 28, and with a reader that does not read, too" {
    mkfifo "$T/open" "$T/full"
    exec 8<>"$T/open" 7<>"$T/full"
    assert_fails 28 'nothing moved for 300 ms' asks -w 0.3 <"$T/open"
    need_shim
    start_peer --listen udp recvdgram send:answer recvquiet:5
    status=0
    with_shim 'writev:EAGAIN:*:pipe' sockcat -u -w 0.5 127.0.0.1 "$peer_port" <<<hello >"$T/full" || status=$?
    assert_equal "$status" 28
}

@test "T16: -w 0 awaits nothing after standard input, over UDP, TCP and Unix sockets" {
    asks -w 0 -q 600 <<<hello
    start_peer recvall count waitfor:"$T/done"
    sockcat -w 0 127.0.0.1 "$peer_port" <<<hello
    touch "$T/done"
    finish "$peer"
    assert_equal "$(tail -n 1 "$T/peer.out")" 6
    rm "$T/done"
    start_peer --listen "unix:$T/stream" recvall count waitfor:"$T/done"
    sockcat -w 0 -U "$T/stream" <<<hello
    touch "$T/done"
    finish "$peer"
    assert_equal "$(tail -n 1 "$T/peer.out")" 6
}

@test "T16: -w 0 sends all of a slow standard input" {
    start_peer --listen udp recvdgram "touch:$T/got" recvdgram count
    feed one "@$T/got" two
    sockcat -u -w 0 127.0.0.1 "$peer_port" <"$T/in"
    finish "$peer"
    assert_equal "$(tail -n 1 "$T/peer.out")" 6
}

@test "T16: -w 0 is no limit for a listener" {
    start_listener -w 0 127.0.0.1 0
    start_peer --connect "tcp:127.0.0.1:$port" send:hello
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
}

@test "T16: an option that says what a passed socket is is redundant, another one a conflict" {
    drive passed_kind
}
