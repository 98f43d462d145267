# Access lists of a listener: which clients are allowed, for streams and datagrams, what a list may
# hold, and that one which is wrong is never taken for one that allows all clients.
# shellcheck disable=SC2154 # the helper sets port, listener, result, status
bats_require_minimum_version 1.5.0
load lib/helper

# come FROM [TEXT]: a client with that local address says the text, hello if there is none; sets
# $status. Loopback is 127.0.0.0/8, so that there are clients of many addresses.
come() { client -s "$1" 127.0.0.1 "$port" <<<"${2:-hello}" >"$T/client.out"; }

# assert_served FROM ARG...: a listener with these options takes this client.
assert_served() {
    local from=$1
    shift
    start_listener "$@" 127.0.0.1 0
    come "$from"
    assert_equal "$status $(cat "$T/client.err")" "0 "
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
}

# assert_refused FROM ARG...: a listener with these options does not, and tells with -v.
assert_refused() {
    local from=$1
    shift
    start_listener -v "$@" 127.0.0.1 0
    come "$from"
    [ "$status" -ne 0 ] || fail "it took $from: $*"
    await_line "$T/listener.err" "^sockcat: rejected $from:[0-9]+: denied by access list\$"
    ! is_gone "$listener" || fail "it has ended"
    kill -TERM "$listener"
    finish "$listener"
    assert_equal "$(cat "$T/listener.out")" ""
}

# ---- allowed and denied clients ----

@test "with --allow only clients in the list are accepted" {
    assert_served 127.0.0.1 --allow 127.0.0.1
    assert_served 127.9.9.9 --allow 192.0.2.1,127.8.0.0/13
    assert_refused 127.0.0.2 --allow 127.0.0.1
    assert_refused 127.0.0.1 --allow ::/0
}

@test "with --deny all clients but those in the list are accepted" {
    assert_served 127.0.0.1 --deny 127.0.0.2
    assert_refused 127.0.0.2 --deny 127.0.0.2
    assert_refused 127.0.0.2 --deny 192.0.2.1 --deny ::1,127.0.0.0/30
}

@test "a denied client is rejected, in whatever order the lists are given and however wide they are" {
    assert_refused 127.0.0.2 --allow 127.0.0.2,::1 --deny 127.0.0.0/8
    assert_refused 127.0.0.2 --deny 127.0.0.2 --allow 127.0.0.0/8
    assert_served 127.0.0.3 --deny 127.0.0.2 --allow 127.0.0.0/8
}

@test "a client that is refused does not end the listener, and the next one is served" {
    start_listener -v --allow 127.0.0.7 127.0.0.1 0
    for from in 127.0.0.1 127.0.0.2 127.0.0.3; do come "$from" no; done
    come 127.0.0.7 yes
    assert_equal "$status" 0
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 yes"
    assert_equal "$(grep -c '^sockcat: rejected 127' "$T/listener.err")" 3
    assert_line '^sockcat: 3 clients rejected by access lists$' "$T/listener.err"
}

@test "without -v rejected clients are not reported" {
    start_listener -k --deny 127.0.0.2 127.0.0.1 0
    come 127.0.0.2 no
    come 127.0.0.1 yes
    await_line "$T/listener.out" yes
    assert_equal "$(cat "$T/listener.err")" "sockcat: listening on 127.0.0.1:$port"
}

@test "a rejected client gets a reset, not the end of an empty answer" {
    start_listener --deny 127.0.0.2 127.0.0.1 0
    client -d -s 127.0.0.2 127.0.0.1 "$port" >"$T/client.out"
    # It may come before the client knows that it is connected.
    [[ $status =~ ^(7|56)$ ]] || fail "status $status"
    assert_one_error "$T/client.err" "127.0.0.1:$port: Connection reset by peer"
}

@test "IPv6 clients are looked up as well" {
    need_ipv6
    for list in ::1 '[::1]' ::/64 2001:db8::/32,::1; do
        start_listener --allow "$list" ::1 0
        client ::1 "$port" <<<hello
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    done
    start_listener -v --deny ::/0 ::1 0
    client ::1 "$port" <<<hello
    [ "$status" -ne 0 ] || fail "it was taken"
    await_line "$T/listener.err" '^sockcat: rejected \[::1\]:'
}

@test "F94: an IPv4 client of an IPv6 socket is an IPv4 client to the access lists" {
    need_ipv6
    for list in 127.0.0.1 ::ffff:127.0.0.1 ::ffff:127.0.0.0/104; do
        start_listener --v6only off --allow "$list" 0
        come 127.0.0.1
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"
        start_listener -v --v6only off --deny "$list" 0
        come 127.0.0.1
        [ "$status" -ne 0 ] || fail "--deny $list: it was taken"
        await_line "$T/listener.err" '^sockcat: rejected \[::ffff:127.0.0.1\]:'
    done
    start_listener -v --v6only off --allow ::/0 0
    come 127.0.0.1
    [ "$status" -ne 0 ] || fail "::/0 is no IPv4 address"
}

@test "a link-local client is looked up with its interface" {
    need_netns
    local code=0
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        ip link add v0 type veth peer name v1 || exit 77
        ip addr add fe80::7/64 dev v0 nodad
        ip link set v0 up
        ip link set v1 up
        for list in fe80::7 fe80::%v0/64 fe80::/10; do
            start_listener --allow "$list" "fe80::7%v0" 0
            sockcat "fe80::7%v0" "$port" <<<hello
            finish "$listener"
            assert_equal "$result $(cat "$T/listener.out")" "0 hello"
        done
        start_listener -v --allow "fe80::%lo/64" "fe80::7%v0" 0
        ! sockcat "fe80::7%v0" "$port" <<<hello 2>/dev/null || fail "the other interface counted"
        await_line "$T/listener.err" "^sockcat: rejected \[fe80::7%v0\]:"' || code=$?
    [ "$code" -ne 77 ] || skip "needs veth"
    assert_equal "$code" 0
}

@test "F52: a thousand clients that are refused leave no descriptor behind" {
    drive access thousand_rejected
}

@test "SIGUSR1 tells how many were refused" {
    start_listener --deny 127.0.0.2 127.0.0.1 0
    come 127.0.0.2
    kill -USR1 "$listener"
    await_line "$T/listener.err" '^sockcat: waiting for a client, 1 rejected$'
}

# ---- datagrams ----

@test "datagrams of denied senders are ignored, and the first allowed sender is the peer" {
    start_listener -u -v -q 0.2 --allow 127.0.0.7 127.0.0.1 0
    for from in 127.0.0.1 127.0.0.2; do
        sockcat -u -q 0 -s "$from" 127.0.0.1 "$port" <<<no
    done
    sockcat -u -q 0 -s 127.0.0.7 127.0.0.1 "$port" <<<yes
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 yes"
    assert_line '^sockcat: rejected 127.0.0.1:' "$T/listener.err"
    assert_line '^sockcat: rejected 127.0.0.2:' "$T/listener.err"
}

@test "with -k datagrams of all peers are received, except denied ones, which are counted" {
    drive access datagrams
}

@test "a sender that is denied later is not answered" {
    drive access datagrams_not_answered
}

# ---- names ----

@test "F95: all addresses of a name count, as they are at the start, and it is looked up once" {
    need_shim
    SHIM_COUNT=$T/count with_shim 'getaddrinfo:addresses=2:1,getaddrinfo:EAI_NONAME:2+' \
        start_listener -v -k --allow many.test 127.0.0.1 0
    for from in 127.1.0.1 127.1.0.2; do
        come "$from" "$from"
        assert_equal "$status" 0
    done
    for from in 127.1.0.3 127.0.0.1; do
        come "$from" no
        [ "$status" -ne 0 ] || fail "it took $from"
    done
    until_true 20 test "$(wc -l <"$T/listener.out")" -eq 2
    assert_equal "$(cat "$T/listener.out")" $'127.1.0.1\n127.1.0.2'
}

@test "F95: clients do not make a listener ask the resolver" {
    need_shim
    SHIM_COUNT=$T/count with_shim 'getaddrinfo:addresses=1:*' \
        start_listener --allow a.test,127.0.0.9 --deny b.test 127.0.0.1 0
    come 127.0.0.1 no
    come 127.0.0.9
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    assert_line '^getaddrinfo 2$' "$T/count"
}

@test "a name that does not resolve ends the run with 6, whatever the list is for" {
    need_shim
    for option in --allow --deny; do
        with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 6 "resolve no.test: .* \\($option\\)\$" \
            sockcat -l "$option" 127.0.0.1,no.test 127.0.0.1 0 </dev/null
    done
    printf '\n127.0.0.1 no.test\n' >"$T/list"
    with_shim 'getaddrinfo:EAI_AGAIN:*' assert_fails 6 "resolve no.test: .* \\(line 2 of $T/list\\)\$" \
        sockcat -l --deny-file "$T/list" 127.0.0.1 0 </dev/null
}

@test "F90: the deadline covers the names of a list, and a signal ends the look-up" {
    need_shim
    LIMIT=10 with_shim 'getaddrinfo:sleep=60:*' assert_fails 28 'resolve slow.test: timed out' \
        sockcat -l --wait 0.3 --allow slow.test 127.0.0.1 0 </dev/null
    LD_PRELOAD=$SHIM_LIB SHIM='getaddrinfo:sleep=60:*' SHIM_PROG=${SOCKCAT##*/} \
        start "$SOCKCAT" -l --allow slow.test 127.0.0.1 0
    resolving() { [ "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)" -ge 2 ]; }
    until_true 20 resolving
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result $(cat "$T/background.err")" "143 "
}

@test "a name with more addresses than are looked at is refused, so that no list is short of some" {
    need_shim
    with_shim 'getaddrinfo:addresses=65:*' assert_fails 3 'resolve many.test: more than 64' \
        sockcat -l --deny many.test 127.0.0.1 0 </dev/null
}

@test "with -n a list has addresses only" {
    need_shim
    SHIM_COUNT=$T/count with_shim 'getaddrinfo:sleep=60:*' \
        assert_fails 3 "host 'localhost': expected an address, not a name" \
        sockcat -l -n --allow localhost 127.0.0.1 0 </dev/null
    ! grep -q '^getaddrinfo [1-9]' "$T/count" || fail "the resolver was asked"
    echo localhost >"$T/list"
    assert_fails 3 "host 'localhost': expected an address, not a name.* \\(line 1 of $T/list\\)" \
        sockcat -l -n --allow-file "$T/list" 127.0.0.1 0 </dev/null
    assert_served 127.0.0.1 -n --allow 127.0.0.1
}

# ---- files ----

@test "a file holds a list, with comments, blanks and line ends of any kind" {
    printf '# who\n\n127.0.0.3\t127.0.0.4,127.0.0.5 # 127.0.0.9\r\n\r\n  127.0.1.0/24#x' >"$T/list"
    for from in 127.0.0.3 127.0.0.4 127.0.0.5 127.0.1.77; do
        assert_served "$from" --allow-file "$T/list"
        assert_refused "$from" --deny-file "$T/list"
    done
    assert_refused 127.0.0.9 --allow-file "$T/list"
    assert_served 127.0.0.9 --allow-file "$T/list" --allow 127.0.0.9
}

@test "a fault of a file names the file and the line" {
    printf '127.0.0.1\n# 10.1.2.3/8\n127.0.0.2 10.1.2.3/8\n' >"$T/list"
    assert_fails 3 "network '10.1.2.3/8': .* write 10.0.0.0/8 for the network.* \\(line 3 of $T/list\\)\$" \
        sockcat -l --allow-file "$T/list" 127.0.0.1 0 </dev/null
    printf '127.0.0.1\0/8\n' >"$T/list"
    assert_fails 3 "not an address or a name \\(line 1 of $T/list\\)\$" \
        sockcat -l --deny-file "$T/list" 127.0.0.1 0 </dev/null
}

@test "an access list that cannot be read ends the run with 26 before a client is accepted" {
    for option in --allow-file --deny-file; do
        assert_fails 26 "open $T/none: No such file or directory" \
            sockcat -l "$option" "$T/none" 127.0.0.1 0 </dev/null
        assert_fails 26 "read $T: Is a directory" sockcat -l "$option" "$T" 127.0.0.1 0 </dev/null
    done
    need_shim
    echo 127.0.0.1 >"$T/list"
    with_shim 'readv:EIO:1:file' assert_fails 26 "read $T/list: Input/output error" \
        sockcat -l --deny-file "$T/list" 127.0.0.1 0 </dev/null
}

@test "an --allow-file without an address does not allow all clients" {
    for text in '' '# none yet'; do
        echo "$text" >"$T/list"
        assert_fails 103 'access list: no client can match' \
            sockcat -l --ready-fd 9 --allow-file "$T/list" 127.0.0.1 0 </dev/null 9>"$T/ready"
        assert_equal "$(cat "$T/ready")" ""
    done
    assert_refused 127.0.0.1 --allow-file "$T/list" --allow 127.0.0.2
    assert_served 127.0.0.1 --deny-file "$T/list"
}

@test "access lists that no client can match are rejected at start" {
    for lists in '--deny 0.0.0.0/0,::/0' '--allow 127.0.0.1 --deny 127.0.0.0/8' \
        '--allow 127.0.0.1,::1 --deny 0.0.0.0/0 --deny ::1'; do
        # shellcheck disable=SC2086 # words
        assert_fails 103 'no client can match .deny overrides allow' sockcat -l $lists 127.0.0.1 0 </dev/null
    done
    assert_served 127.0.0.1 --allow 127.0.0.1,::1 --deny ::/0
    assert_served 127.0.0.1 --deny ::/0
}

@test "a list may come out of a pipe" {
    start_listener -v --deny-file <(seq -f 127.0.0.%g 2 200) 127.0.0.1 0
    come 127.0.0.200 no
    await_line "$T/listener.err" '^sockcat: rejected 127.0.0.200:'
    come 127.0.0.1
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
}

@test "F159: a signal ends the wait for a list that a pipe still has to give" {
    mkfifo "$T/pipe"
    start "$SOCKCAT" -l --allow-file "$T/pipe" 127.0.0.1 0
    # This waits until it is open for reading, too.
    exec 7>"$T/pipe"
    kill -TERM "$pid"
    finish "$pid"
    exec 7>&-
    assert_equal "$result $(cat "$T/background.err")" "143 "
}

@test "F1, F3: a list that is read a byte at a time, or is interrupted, is the same list" {
    need_shim
    printf '127.0.0.3\n127.0.0.44\n' >"$T/list"
    for rule in readv:short=1:*:file readv:EINTR:1:file open:EINTR:1; do
        with_shim "$rule" start_listener --allow-file "$T/list" 127.0.0.1 0
        come 127.0.0.4 no
        come 127.0.0.44
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    done
}

@test "a list has a limit, and so has a file" {
    yes 192.0.2.1 | head -n 65537 >"$T/list"
    assert_fails 3 'more than 65536 addresses \(line 65537 of ' \
        sockcat -l --deny-file "$T/list" 127.0.0.1 0 </dev/null
    head -n 65536 "$T/list" >"$T/fits"
    assert_served 127.0.0.1 --deny-file "$T/fits"
    truncate -s 4194305 "$T/list"
    assert_fails 3 'longer than 4194304 bytes' sockcat -l --deny-file "$T/list" 127.0.0.1 0 </dev/null
    LIMIT=20 assert_fails 3 'longer than 4194304 bytes' \
        sockcat -l --deny-file /dev/zero 127.0.0.1 0 </dev/null
}

# ---- what is no list ----

@test "words that are no address, network or name are refused before anything is listened on" {
    for word in 10.1.2.3/8 10.0.0.0/33 ::/129 10.0.0.0/ 10.0.0.0/-1 10.0.0.0/255.0.0.0 10.1 0x7f.1 \
        '10.0.0.*' 10.0.0.1-9 10.0.0.1:80 '[::1]:80' '[10.0.0.1]' ::1%lo fe80::1%no-such-if host/24 \
        -x a..b 'a b!' user@host , ' , '; do
        for option in --allow --deny; do
            assert_fails 3 . sockcat -l --ready-fd 9 "$option=$word" 127.0.0.1 0 </dev/null 9>"$T/ready" \
                || fail "for: $word"
            assert_equal "$(cat "$T/ready")" ""
        done
    done
    assert_fails 3 . sockcat -l --allow '' 127.0.0.1 0 </dev/null
}

@test "the syntax of other tools is rejected with the syntax of sockcat" {
    assert_fails 3 "host '10.0.0.1-9': for a range write its networks, such as 192.0.2.0/24 \\(--allow\\)" \
        sockcat -l --allow 10.0.0.1-9 127.0.0.1 0 </dev/null
    assert_fails 2 'did you mean --allow-file' sockcat -l --allowfile x 127.0.0.1 0 </dev/null
    assert_fails 2 'did you mean --deny-file' sockcat -l --denyfile x 127.0.0.1 0 </dev/null
}

@test "lists are for listeners that have clients with addresses" {
    for option in --allow=::1 --deny=::1 --allow-file=x --deny-file=x; do
        assert_fails 2 "${option%=*} requires --listen" \
            sockcat "$option" 127.0.0.1 9 </dev/null
        assert_fails 2 'conflicts with' sockcat -l -U "$option" "$T/s" </dev/null
        assert_fails 2 'conflicts with' sockcat -l "$option" "unix:$T/s" </dev/null
        assert_fails 2 'conflicts with' sockcat -l --vsock "$option" 9 </dev/null
    done
}

# ---- reloading ----

@test "SIGHUP reloads the lists, and a bad list leaves the old ones in force" {
    need python3
    drive access sighup
}

@test "T25: a list that is empty when it is read again is reported, without -v" {
    need python3
    drive access sighup_empty_list
}

@test "SIGHUP ends a listener that has no lists" {
    need python3
    drive access sighup_without_lists
}

@test "SIGHUP reloads a list with several names, again and again" {
    echo localhost >"$T/allow"
    start_listener -k -v --echo --allow-file "$T/allow" 127.0.0.1 0
    printf 'localhost\nLOCALHOST\nLocalHost\n' >"$T/allow"
    for n in 1 2 3; do
        kill -HUP "$listener"
        until_true 20 eval '[ "$(grep -c "access lists reloaded" "$T/listener.err")" -ge '"$n"' ]' ||
            fail "reload $n: $(cat "$T/listener.err")"
    done
    assert_equal "$(printf hello | sockcat 127.0.0.1 "$port")" hello
}
