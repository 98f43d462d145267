# Datagrams: messages keep their boundaries, the empty one included, none is cut in silence, and
# although nothing tells a datagram peer's end every session has one.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, result
bats_require_minimum_version 1.5.0
load lib/helper

# ---- F66: empty datagrams ----

@test "F66: an empty datagram is data for a listener, not an end" {
    start_listener -u -q 0.6 127.0.0.1 0
    start_peer --connect "udp:127.0.0.1:$port" send:A send: send:B
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 AB"
    assert_equal "$(wc -l <"$T/listener.err")" 1
}

@test "F66: an empty datagram may be the first that a listener gets" {
    start_listener -u -q 0.6 127.0.0.1 0
    start_peer --connect "udp:127.0.0.1:$port" send: send: send:B
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 B"
}

@test "F66: an empty datagram is data for a client, not an end" {
    start_peer --listen udp recvdgram send:A send: send: send:B
    run sockcat -u -q 0.5 127.0.0.1 "$peer_port" <<<hello
    assert_status 0
    assert_equal "$output" AB
}

@test "F66: with -k an empty datagram is data, too" {
    start_listener -u -k -q 0.6 127.0.0.1 0
    start_peer --connect "udp:127.0.0.1:$port" send:A send: send:B
    until_true 20 grep -q AB "$T/listener.out"
}

@test "F66: an empty message of standard input goes out as an empty datagram" {
    drive datagram empty_message_sent
}

@test "F66: an empty datagram reaches a standard output that keeps messages" {
    drive datagram empty_datagram_received
}

# ---- F67: large datagrams ----

@test "F67: datagrams of 40000 and of 65507 bytes arrive whole" {
    need socat
    for size in 40000 65507; do
        file=$(random_file "$size")
        start_listener -u -q 0.5 127.0.0.1 0
        socat -u -b 65507 "OPEN:$file" "UDP4-SENDTO:127.0.0.1:$port"
        finish "$listener"
        assert_equal "$result" 0
        assert_same "$T/listener.out" "$file"
    done
}

@test "F67: the largest datagram of IPv6, of 65527 bytes, arrives whole" {
    grep -qs '^0\{31\}1 ' /proc/net/if_inet6 || skip "needs IPv6 on lo"
    file=$(random_file 65527)
    start_listener -u -q 0.5 ::1 0
    start_peer --connect "udp:[::1]:$port" "sendfile:$file"
    finish "$listener"
    assert_equal "$result" 0
    assert_same "$T/listener.out" "$file"
}

@test "F67: a reply of 65507 bytes arrives whole at a client" {
    start_peer --listen udp recvdgram sendrand:7:40000 sendrand:8:25507 "sendfile:$(random_file 65507)"
    sockcat -u -q 0.5 127.0.0.1 "$peer_port" <<<hello >"$T/out"
    cat "$(random_file 40000 7)" "$(random_file 25507 8)" "$(random_file 65507)" >"$T/wanted"
    assert_same "$T/out" "$T/wanted"
}

@test "F67: what one read of standard input gives is one datagram, up to 65507 bytes" {
    start_peer --listen udp recvdgram count sha256
    file=$(random_file 65507)
    sockcat -u -q 0 127.0.0.1 "$peer_port" <"$file"
    finish "$peer"
    assert_equal "$(tail -n 2 "$T/peer.out")" "65507"$'\n'"$(sha256sum <"$file" | cut -d ' ' -f 1)"
}

@test "F67: messages of standard input keep their boundaries" {
    drive datagram boundaries_of_stdin
}

@test "F67: a datagram that is larger than the buffer is an error, and what came before is kept" {
    need_shim
    # The length of the next one cannot be asked.
    with_shim 'recv:EOPNOTSUPP:*,ioctl:EOPNOTSUPP:*' drive datagram larger_than_buffer
}

@test "F67: a message of standard input that is larger than the buffer is an error" {
    need_shim
    with_shim 'recv:EOPNOTSUPP:*,ioctl:EOPNOTSUPP:*' drive datagram stdin_larger_than_buffer
}

# ---- F68: what does not fit into a datagram ----

@test "F68: a file that is larger than a datagram goes in datagrams of at most 65507 bytes" {
    drive datagram file_in_datagrams "$(random_file 150000)"
}

@test "F68: a message of more than 65507 bytes is an error before anything of it is sent" {
    drive datagram message_too_large
}

@test "F68: a datagram that is too large for the kernel is an error" {
    need_shim
    start_peer --listen udp "waitfor:$T/done" recvquiet:0.1 count
    with_shim sendmsg:EMSGSIZE:1 assert_fails 55 'send to 127.0.0.1:[0-9]+: Message too long' \
        sockcat -u 127.0.0.1 "$peer_port" <<<hello
    touch "$T/done"
    finish "$peer"
    assert_equal "$(tail -n 1 "$T/peer.out")" 0
}

@test "F68: a Unix datagram that is larger than the send buffer is an error" {
    start_peer --listen "unixdgram:$T/socket" "waitfor:$T/done" recvquiet:0.1 count
    drive datagram unix_larger_than_send_buffer
    touch "$T/done"
    finish "$peer"
    assert_equal "$(tail -n 1 "$T/peer.out")" 0
}

@test "F68: bytes go in Unix datagrams that the send buffer takes" {
    file=$(random_file 60000)
    start_peer --listen "unixdgram:$T/socket" recv:60000 sha256
    sockcat -U -u -q 0 -O 4096 "$T/socket" <"$file"
    finish "$peer"
    assert_equal "$(tail -n 1 "$T/peer.out")" "$(sha256sum <"$file" | cut -d ' ' -f 1)"
}

# ---- F69: no listener ----

@test "F69: a client whose datagram is refused says so once and ends with 7" {
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        assert_fails 7 "connect 127.0.0.1:9: Connection refused" \
            sockcat -u 127.0.0.1 9 <<<hello
        assert_fails 7 "connect \[::1\]:9: Connection refused" sockcat -u ::1 9 <<<hello'
}

@test "F69: a refusal ends a client whose standard input stays open, without a second datagram" {
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        mkfifo "$T/in"
        exec 8<>"$T/in"
        echo hello >&8
        assert_fails 7 "connect 127.0.0.1:9: Connection refused" \
            sockcat -u 127.0.0.1 9 <"$T/in"'
}

@test "F69: a datagram that a packet filter rejects ends a client with 7" {
    need_netns
    need nft
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        nft -f - <<NFT || exit 77
table inet t {
    chain input {
        type filter hook input priority 0
        udp dport 5557 reject with icmpx type port-unreachable
        udp dport 5558 reject with icmpx type admin-prohibited
    }
}
NFT
        assert_fails 7 "connect 127.0.0.1:5557: Connection refused" \
            sockcat -u 127.0.0.1 5557 <<<hello
        assert_fails 7 "connect 127.0.0.1:5558: No route to host" \
            sockcat -u 127.0.0.1 5558 <<<hello' || {
        code=$?
        [ "$code" -ne 77 ] || skip "needs nftables in a network namespace"
        return "$code"
    }
}

@test "F69: a refusal that comes with a read, not with a send, is 7 as well" {
    need_shim
    with_shim recvmmsg:ECONNREFUSED:1:socket drive datagram refused_on_read
}

@test "F69: a listener whose answer is refused goes on, and receives from its peer again" {
    drive datagram refused_answer
}

# ---- F72: other senders ----

@test "F72: a listener's first peer is the peer, others are ignored and counted" {
    drive datagram first_peer_only
}

@test "F72: a huge datagram of another sender is ignored, not an error" {
    drive datagram stranger_huge
}

@test "F72: others' datagrams do not keep a session from its idle limit" {
    drive datagram strangers_and_idle_limit
}

@test "F72: what others send to a client's port does not reach it" {
    drive datagram client_ignores_strangers
}

@test "F72: with -k the datagrams of every peer arrive" {
    drive datagram many_peers
}

# ---- F75: the end ----

@test "F75: a client ends after the silence that follows the end of its input" {
    start_peer --listen udp recvdgram
    start_seconds=${EPOCHREALTIME/./}
    run sockcat -u 127.0.0.1 "$peer_port" <<<hello
    assert_status 0
    elapsed=$(((${EPOCHREALTIME/./} - start_seconds) / 1000))
    [ "$elapsed" -ge 1900 ] || fail "it ended after $elapsed ms, before 2 s of silence"
}

@test "F75: a client waits for a late reply" {
    start_peer --listen udp recvdgram wait:1 send:late
    run sockcat -u 127.0.0.1 "$peer_port" <<<hello
    assert_status 0
    assert_equal "$output" late
}

@test "F75: every reply starts the silence again" {
    start_peer --listen udp recvdgram wait:0.6 send:1 wait:0.6 send:2 wait:0.6 send:3
    run sockcat -u -q 1.2 127.0.0.1 "$peer_port" <<<hello
    assert_status 0
    assert_equal "$output" 123
}

@test "F75: with -q 0 a client ends when all is sent" {
    start_peer --listen udp recvdgram count
    sockcat -u -q 0 127.0.0.1 "$peer_port" <<<hello
    finish "$peer"
    assert_equal "$(tail -n 1 "$T/peer.out")" 6
}

@test "F75: a client without anything to send ends as well" {
    start_peer --listen udp recvall
    run sockcat -u -q 0.2 127.0.0.1 "$peer_port" </dev/null
    assert_status 0
    assert_equal "$output" ""
}

@test "F75: a client whose input stays open is ended by the idle limit" {
    start_peer --listen udp recvdgram recvall
    mkfifo "$T/in"
    exec 8<>"$T/in"
    echo hello >&8
    assert_fails 28 'nothing moved for 500 ms' sockcat -u -w 0.5 127.0.0.1 "$peer_port" <"$T/in"
}

@test "F75: a listener goes on after the end of its input, and a signal ends it" {
    drive datagram after_stdin_end
}

@test "F75: a listener with -q ends after the silence, one with an idle limit with 28" {
    start_listener -u -q 0.2 127.0.0.1 0
    printf hello >"/dev/udp/127.0.0.1/$port"
    finish "$listener"
    assert_equal "$result" 0
    start_listener -u --idle-timeout 0.2 127.0.0.1 0
    printf hello >"/dev/udp/127.0.0.1/$port"
    finish "$listener"
    assert_equal "$result" 28
    assert_line 'nothing moved for 200 ms' "$T/listener.err"
}

@test "F75: a waiting datagram session does not use the processor" {
    drive datagram waits_without_cpu
}

# ---- F76: the kernel drops ----

@test "F76: datagrams that the kernel dropped are counted and reported with -v" {
    drive datagram kernel_drops
}

@test "F76: without -v nothing is said, and with it no drops that were none" {
    drive datagram kernel_drops_quiet
}

# The first datagram is within our link's 1500 bytes, so it goes out whole and is not to be cut.
too_long() {
    local status=0
    head -c 1400 /dev/zero | "$SOCKCAT" -u -q 10 10.9.2.1 9 2>message || status=$?
    assert_equal "$status" 55
    assert_one_error message 'send to 10\.9\.2\.1:9: Message too long \(the path takes packets of 1280 bytes\)'
}

@test "F70: a datagram that the path does not take is reported with the path's MTU, once" {
    need_netns
    need ip nsenter
    cd "$T"
    export -f too_long
    code=0
    in_netns -c '. "$1"; small_link too_long' "$HELPER_DIR/small_link.bash" || code=$?
    [ "$code" -ne 77 ] || skip "needs veth"
    assert_equal "$code" 0
}

# ---- many peers ----

@test "with -k every peer has a session of its own" {
    drive datagram session_each
}

@test "with -k standard input goes to every peer that was heard" {
    drive datagram stdin_to_every_peer
}

@test "a peer that is silent is removed, and its next datagram begins a new session" {
    drive datagram silent_peer_returns
}

@test "one peer too many takes the place of the one that has been silent for longest, or is refused" {
    drive datagram peer_limit
}

@test "the place of one peer too many is not that of a peer whose --to is still being connected to" {
    drive datagram peer_limit_while_connecting
}

@test "F48: a peer above the limit of its address evicts no other peer" {
    drive datagram peer_limit_per_host
}

@test "messages of a broker's peers go to all others, whole" {
    drive datagram broker
}

@test "with -k more datagrams at once than --queue has room for are all there" {
    drive datagram burst_larger_than_queue
}

# ---- a peer that stalls ----

@test "F59: a peer whose program does not read keeps no other waiting, and what is left out is counted" {
    drive datagram stalled_program
}

@test "F59: a peer whose --to does not read keeps no other waiting" {
    drive datagram stalled_target
}

@test "F59: with --slow=disconnect a peer whose program does not read is ended, and no other" {
    drive datagram slow_disconnect
}

@test "F59: with --slow=disconnect a partly sent message is finished before another begins" {
    drive datagram slow_disconnect_mid_message
}

@test "F59: with --slow=wait nothing of a peer whose program does not read is left out, and all wait" {
    drive datagram slow_wait
}

@test "a peer that keeps up loses nothing, however small --queue is" {
    drive datagram small_queue_loses_nothing
}

@test "many small ones, a large one and more at once are no reason to leave any out" {
    drive datagram mixed_sizes
}

@test "F59: a peer whose --to is not connected in time is a failure, and the cause is reported" {
    drive datagram target_not_connected
}

@test "F59: a peer that leaves with datagrams that were not taken is a failure" {
    drive datagram leaves_with_unread
}

@test "F59: a peer that is evicted before all data for it were sent is a failure" {
    drive datagram leaves_with_unsent
}

# ---- services ----

@test "--chargen answers each datagram with one of as many characters, at most 512" {
    drive datagram chargen
}

@test "--chargen has done with a peer that cannot be answered, and does not wait until it is idle" {
    drive datagram chargen_unanswerable
}

@test "--daytime answers each datagram with the date and time, as they are then" {
    drive datagram daytime
}

@test "nc, ncat, socat and sockcat ask --daytime and --chargen over UDP" {
    need nc.openbsd ncat socat
    start_listener -lku --daytime 127.0.0.1 0
    local time=$port peer
    start_listener -lku --chargen 127.0.0.1 0
    while read -r peer; do
        for at in "$time" "$port"; do
            # shellcheck disable=SC2086 # words
            start_asking "$at" ${peer//PORT/$at}
            if [ "$at" = "$time" ]; then
                await_line "$T/asked.$at" '^[A-Z][a-z]+day, [A-Z][a-z]+ [0-9]{2}, 20[0-9]{2} ([0-9]{2}:){2}[0-9]{2}-UTC'
            else
                until_true 20 is_larger "$T/asked.$at" 5 || fail "no answer for $peer"
                # Each is another peer, with a new session.
                assert_equal "$(cat "$T/asked.$at")" ' !"#$'
            fi
            kill "$pid"
            exec 8>&-
        done
    done <<'PEERS'
nc.openbsd -u 127.0.0.1 PORT
ncat -u 127.0.0.1 PORT
socat -t 20 - UDP:127.0.0.1:PORT
sockcat -u -q 20 127.0.0.1 PORT
PEERS
}

# start_asking NAME COMMAND...: sends "1234" and a line end, and keeps the answer in $T/asked.NAME. Its
# input stays open, because ncat does not wait for answers.
start_asking() {
    local name=$1
    shift
    [ "$1" != sockcat ] || set -- "$SOCKCAT" "${@:2}"
    rm -f "$T/ask" "$T/asked.$name"
    mkfifo "$T/ask"
    "$@" <"$T/ask" >"$T/asked.$name" 2>"$T/asked.err" 3>&- 8>&- &
    pid=$!
    started+=("$pid")
    exec 8>"$T/ask"
    echo 1234 >&8
}

@test "--chargen and --daytime over datagrams exclude --frame" {
    for service in --chargen --daytime; do
        assert_fails 2 "--frame conflicts with $service over datagrams" sockcat -lu "$service" --frame line 127.0.0.1 0 </dev/null
        assert_fails 2 "--frame conflicts with $service over datagrams" \
            sockcat -lkuU "$service" --frame line "$T/s" </dev/null
    done
}

@test "seqpacket clients get the lines of --chargen without end, and one time" {
    drive datagram seqpacket_services
}

@test "F73: a listener sends nothing by itself, whatever comes and from whom" {
    drive datagram no_amplification
}

@test "F73: answers of --echo and --chargen are no longer than what was asked" {
    drive datagram answers_not_longer
}
