# Names and addresses: many addresses of which some are dead, resolvers that fail or hang, scopes,
# names that are none, numbers that are written oddly, and the names of services.
# shellcheck disable=SC2154 # the helper sets port, listener, peer, peer_port, result, held, netns
bats_require_minimum_version 1.5.0
load lib/helper

# in_names FUNCTION|-c SCRIPT: as in_netns, with /etc/hosts and /etc/services of the test's own
# (in $T), and the interfaces v0, whose neighbours 10.77.0.2 to .9 never answer, and v1.
in_names() {
    need unshare mount
    [ -e "$T/hosts" ] || : >"$T/hosts"
    [ -e "$T/services" ] || : >"$T/services"
    local netns="$netns -m"
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        mount --bind "$T/hosts" /etc/hosts && mount --bind "$T/services" /etc/services || exit 77
        # Without others to ask, and without a daemon that answers for the files.
        printf "hosts: files\nservices: files\n" >"$T/nsswitch.conf"
        mount --bind "$T/nsswitch.conf" /etc/nsswitch.conf || exit 77
        if ip link add v0 type veth peer name v1; then
            echo 0 >/proc/sys/net/ipv6/conf/v0/accept_dad 2>/dev/null || :
            ip addr add 10.77.0.1/24 dev v0
            ip link set v0 up
            ip link set v1 up
            for n in 2 3 4 5 6 7 8 9; do
                ip neigh add "10.77.0.$n" lladdr 02:00:00:00:00:09 dev v0
            done
        fi
        '"$1" || {
        local code=$?
        [ "$code" -ne 77 ] || skip "needs a mount namespace, veth, and the usual order of addresses"
        return "$code"
    }
}

# ---- H88: some addresses are dead ----

@test "F88: dead neighbours do not keep the next address from being tried after a moment" {
    need_netns
    need socat nsenter
    printf '10.77.0.%s many.test\n' 2 3 4 99 >"$T/hosts"
    # The live one is in a namespace of its own, since the resolver puts local addresses in front.
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        start unshare -n python3 -c "import signal; signal.pause()"
        other() { [ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
        until_true 20 other
        ip link set v1 netns "$pid" || exit 77
        nsenter -t "$pid" -n ip addr add 10.77.0.99/24 dev v1
        nsenter -t "$pid" -n ip link set v1 up
        nsenter -t "$pid" -n socat -u TCP4-LISTEN:80,bind=10.77.0.99 "CREATE:$T/out" &
        until_true 20 grep -q ":0050 .* 0A " "/proc/$pid/net/tcp"
        [ "$(getent ahosts many.test | sed -n "s/ *STREAM.*//p" | tail -n 1)" = 10.77.0.99 ] || exit 77
        before=${EPOCHREALTIME/./}
        sockcat -v --wait 20 many.test 80 <<<hello 2>"$T/err"
        elapsed=$(((${EPOCHREALTIME/./} - before) / 1000))
        assert_line "^sockcat: connected to 10.77.0.99:80 from 10.77.0.1:" "$T/err"
        wait "$!"
        assert_equal "$(cat "$T/out")" hello
        [ "$elapsed" -ge 700 ] || fail "the dead ones had only $elapsed ms"
        [ "$elapsed" -lt $((10000 * LAST_RESORT)) ] || fail "it took $elapsed ms"'
}

@test "F88: black-holed addresses in front cost a fraction of a second each" {
    need_netns
    need nft
    need_shim
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        printf "%s\n" "table ip t {" "chain out {" "type filter hook output priority 0" \
            "tcp flags & (syn | ack) == syn ip daddr 127.1.0.1-127.1.0.4 drop" "}" "}" | nft -f - \
            || exit 77
        start_listener 127.1.0.5 0
        before=${EPOCHREALTIME/./}
        with_shim "getaddrinfo:addresses=5:*" sockcat -v many.test "$port" <<<hello 2>"$T/err"
        elapsed=$(((${EPOCHREALTIME/./} - before) / 1000))
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"
        assert_line "^sockcat: connected to 127.1.0.5:$port " "$T/err"
        [ "$elapsed" -ge 900 ] || fail "the dead ones had only $elapsed ms"
        [ "$elapsed" -lt $((8000 * LAST_RESORT)) ] || fail "it took $elapsed ms"' || {
        code=$?
        [ "$code" -ne 77 ] || skip "needs nftables in a network namespace"
        return "$code"
    }
}

@test "F88: an address that answers at once wins without its neighbours being waited for" {
    need_shim
    start_listener 127.1.0.2 0
    with_shim 'getaddrinfo:addresses=3:*' sockcat -v many.test "$port" <<<hello 2>"$T/err"
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    assert_line "^sockcat: connected to 127.1.0.2:$port " "$T/err"
}

@test "F88: one deadline covers all dead addresses together" {
    need_netns
    printf '10.77.0.%s many.test\n' 2 3 4 5 6 7 8 9 >"$T/hosts"
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        before=${EPOCHREALTIME/./}
        assert_fails 28 "^sockcat: connect many.test:80: 10.77.0.2:80: timed out; " \
            sockcat --wait 1 many.test 80 </dev/null
        elapsed=$(((${EPOCHREALTIME/./} - before) / 1000))
        [ "$elapsed" -ge 1000 ] || fail "it gave up after $elapsed ms"
        [ "$elapsed" -lt $((10000 * LAST_RESORT)) ] || fail "it took $elapsed ms"'
}

@test "F88: when every address fails, 7 lists each" {
    need_shim
    hold_port
    with_shim 'getaddrinfo:addresses=4:*' assert_fails 7 "^sockcat: connect many.test:$held: " \
        sockcat many.test "$held" </dev/null
    for n in 1 2 3 4; do
        assert_line "127\.1\.0\.$n:$held: Connection refused" "$T/fails.err"
    done
}

@test "F88: a family that this machine does not reach leaves the other" {
    need_netns
    printf '%s both.test\n' 2001:db8::1 127.0.0.1 >"$T/hosts"
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        start_listener 127.0.0.1 0
        sockcat both.test "$port" <<<hello
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"'
}

@test "F88: the families take turns, so that dead addresses of one are not all in front" {
    need_netns
    need_shim
    { printf '2001:db8:1::%s both.test\n' 1 2 3 4 5 6; echo 10.88.0.1 both.test; } >"$T/hosts"
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        ip addr add 2001:db8::ff/64 dev v0 nodad || exit 77
        ip neigh add 2001:db8::1 lladdr 02:00:00:00:00:09 dev v0
        ip route add 2001:db8:1::/64 via 2001:db8::1
        ip addr add 10.88.0.1/24 dev lo
        [ "$(getent ahosts both.test | head -n 1 | cut -d " " -f 1)" = 2001:db8:1::1 ] || exit 77
        start_listener 10.88.0.1 0
        SHIM_COUNT=$T/count with_shim connect:count:* sockcat -v both.test "$port" <<<hello 2>"$T/err"
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"
        assert_line "connected to 10.88.0.1:$port " "$T/err"
        assert_line "^connect 2\$" "$T/count"'
}

@test "F88: at the deadline every address is listed, also those whose turn has not come" {
    need_netns
    printf '10.77.0.%s many.test\n' 2 3 4 5 6 7 8 9 >"$T/hosts"
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        assert_fails 28 "^sockcat: connect many.test:80: " sockcat --stagger 400ms --wait 1 many.test 80 </dev/null
        for n in 2 3 4 5 6 7 8 9; do
            assert_line "[ ]10\\.77\\.0\\.$n:80: (timed out|not tried)(;|\$)" "$T/fails.err"
        done
        assert_line " 10.77.0.2:80: timed out; " "$T/fails.err"
        assert_line "; 10.77.0.9:80: not tried\$" "$T/fails.err"'
}

@test "F88: an address that was refused, one that was silent and one not tried have their causes" {
    need_netns
    need_shim
    printf '10.77.0.%s many.test\n' 2 3 4 >"$T/hosts"
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        with_shim connect:ECONNREFUSED:1 assert_fails 28 "^sockcat: connect many.test:80: 10.77.0.2:80: Connection\
 refused; 10.77.0.3:80: timed out; 10.77.0.4:80: not tried\$" \
            sockcat --stagger 60s --wait 0.5 many.test 80 </dev/null'
}

@test "F88: with --stagger 10ms twenty dead addresses have been tried in two seconds" {
    need_netns
    for n in {10..29}; do echo "10.77.0.$n many.test"; done >"$T/hosts"
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        for n in {10..29}; do ip neigh add "10.77.0.$n" lladdr 02:00:00:00:00:09 dev v0; done
        assert_fails 28 "^sockcat: connect many.test:80: " \
            sockcat --stagger 10ms --wait $((2 * LAST_RESORT)) many.test 80 </dev/null
        assert_equal "$(grep -o ": timed out" "$T/fails.err" | wc -l)" 20'
}

@test "F88: --stagger is the time that a silent address has before the next one is tried" {
    need_netns
    printf '%s two.test\n' 10.77.0.2 10.77.0.3 >"$T/hosts"
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        assert_fails 28 " 10.77.0.2:80: timed out; 10.77.0.3:80: not tried\$" \
            sockcat --stagger 60s --wait 500ms two.test 80 </dev/null'
    assert_fails 3 'invalid --stagger .9ms.: expected a time from 10 ms to ' sockcat --stagger 9ms a 1
}

@test "F88: an address that is refused does not delay the next one, whatever else is pending" {
    need_netns
    need_shim
    { printf '10.77.0.%s many.test\n' 2 3 4 5 9; } >"$T/hosts"
    # Only the first one is silent: the others take one --stagger, not four.
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        with_shim connect:ECONNREFUSED:2,connect:ECONNREFUSED:3,connect:ECONNREFUSED:4 \
            assert_fails 28 "10.77.0.2:80: timed out; 10.77.0.9:80: timed out\$" \
            sockcat --stagger 2s --wait 7 many.test 80 </dev/null'
}

@test "F88: of two families it does not matter which one is dead" {
    need_netns
    [ -e /etc/gai.conf ] || skip "needs gai.conf, which says which family is first"
    echo "precedence ::ffff:0:0/96 100" >"$T/gai.conf"
    printf '%s v4first.test\n' 10.77.0.2 10.77.0.3 fd00:7::1 >"$T/hosts"
    printf '%s v6first.test\n' 2001:db8:1::1 2001:db8:1::2 10.88.0.1 >>"$T/hosts"
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        first() { getent ahosts "$1" | head -n 1 | cut -d " " -f 1; }
        # dead_and_alive NAME DEAD ALIVE
        dead_and_alive() {
            [ "$(first "$1")" = "$2" ] || exit 77
            start_listener "$3" 0
            sockcat "$1" "$port" <<<hello
            finish "$listener"
            assert_equal "$result $(cat "$T/listener.out")" "0 hello"
        }
        ip addr add 2001:db8::ff/64 dev v0 nodad || exit 77
        ip neigh add 2001:db8::1 lladdr 02:00:00:00:00:09 dev v0
        ip route add 2001:db8:1::/64 via 2001:db8::1
        ip addr add 10.88.0.1/24 dev lo
        ip addr add fd00:7::1/64 dev lo nodad
        dead_and_alive v6first.test 2001:db8:1::1 10.88.0.1
        mount --bind "$T/gai.conf" /etc/gai.conf || exit 77
        dead_and_alive v4first.test 10.77.0.2 fd00:7::1'
}

@test "F88: six silent addresses of eight cost six times --stagger" {
    need_netns
    need nft
    need_shim
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        printf "%s\n" "table ip t {" "chain out {" "type filter hook output priority 0" \
            "tcp flags & (syn | ack) == syn ip daddr 127.1.0.1-127.1.0.6 drop" "}" "}" | nft -f - || exit 77
        start_listener 127.1.0.7 0
        with_shim "getaddrinfo:addresses=8:*" \
            sockcat -v --stagger 100ms --wait $((5 * LAST_RESORT)) many.test "$port" <<<hello 2>"$T/err"
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"
        assert_line "^sockcat: connected to 127.1.0.7:$port " "$T/err"'
}

# ---- H89: very many addresses ----

@test "F89: of a thousand addresses 64 are tried, and the others are counted" {
    need_shim
    hold_port
    with_shim 'getaddrinfo:addresses=1000:*' assert_fails 7 'connect many.test' \
        sockcat many.test "$held" </dev/null
    # The message is one line of bounded length, whatever there is to list.
    [ "$(wc -c <"$T/fails.err")" -le 4096 ] || fail "$(wc -c <"$T/fails.err") bytes"
    rm -f "$T/count"
    SHIM_COUNT=$T/count with_shim 'getaddrinfo:addresses=1000:*' \
        sockcat many.test "$held" </dev/null 2>"$T/err" || :
    assert_line '^connect 64$' "$T/count"
    assert_line '936 more addresses were not tried' "$T/err"
}

@test "F89: the deadline holds for a thousand dead addresses" {
    need_netns
    need nft
    need_shim
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        printf "%s\n" "table ip t {" "chain out {" "type filter hook output priority 0" \
            "ip daddr 127.1.0.0/16 drop" "}" "}" | nft -f - || exit 77
        before=${EPOCHREALTIME/./}
        with_shim "getaddrinfo:addresses=1000:*" assert_fails 28 "^sockcat: connect many.test:80: 127.1.0.1:80: timed out; " \
            sockcat --wait 1 many.test 80 </dev/null
        elapsed=$(((${EPOCHREALTIME/./} - before) / 1000))
        [ "$elapsed" -lt $((10000 * LAST_RESORT)) ] || fail "it took $elapsed ms"' || {
        code=$?
        [ "$code" -ne 77 ] || skip "needs nftables in a network namespace"
        return "$code"
    }
}

# ---- H90: the resolver hangs ----

@test "F90: the deadline covers a resolver that hangs, and its end is not awaited" {
    need_shim
    before=$SECONDS
    with_shim 'getaddrinfo:sleep=60:*' assert_fails 28 'resolve slow.test: timed out' \
        sockcat --wait 0.5 slow.test 80 </dev/null
    with_shim 'getaddrinfo:sleep=60:*' assert_fails 28 'resolve slow.test: timed out' \
        sockcat -w 500ms slow.test 80 </dev/null
    [ $((SECONDS - before)) -lt $((20 * LAST_RESORT)) ] || fail "it took $((SECONDS - before)) s"
}

@test "F90: the deadline covers the resolver of a listener" {
    need_shim
    LIMIT=10 with_shim 'getaddrinfo:sleep=60:*' assert_fails 28 'resolve slow.test: timed out' \
        sockcat -l --wait 0.5 slow.test 0 </dev/null
}

@test "F90: a signal ends a client whose resolver hangs" {
    need_shim
    LD_PRELOAD=$SHIM_LIB SHIM='getaddrinfo:sleep=60:*' SHIM_PROG=${SOCKCAT##*/} \
        start "$SOCKCAT" slow.test 80
    resolving() { [ "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)" -ge 2 ]; }
    until_true 20 resolving
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$result $(cat "$T/background.err")" "143 "
}

@test "F90: what a slow resolver leaves of the time is what connecting gets" {
    need_netns
    need_shim
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        printf "%s\n" "table ip t {" "chain out {" "type filter hook output priority 0" \
            "ip daddr 127.1.0.0/16 drop" "}" "}" | nft -f - || exit 77
        before=${EPOCHREALTIME/./}
        with_shim "getaddrinfo:sleep=1:*,getaddrinfo:addresses=1:*" \
            assert_fails 28 "connect slow.test:80: timed out" \
            sockcat --wait 1.5 slow.test 80 </dev/null
        elapsed=$(((${EPOCHREALTIME/./} - before) / 1000))
        [ "$elapsed" -ge 1500 ] || fail "it gave up after $elapsed ms"
        [ "$elapsed" -lt $((10000 * LAST_RESORT)) ] || fail "it took $elapsed ms"' || {
        code=$?
        [ "$code" -ne 77 ] || skip "needs nftables in a network namespace"
        return "$code"
    }
}

# ---- H91: the resolver fails ----

@test "F91: a name that does not exist and a failure that may pass are 6, and told apart" {
    need_shim
    with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 6 \
        'resolve some.test: Name or service not known' sockcat some.test 80 </dev/null
    with_shim 'getaddrinfo:EAI_AGAIN:*' assert_fails 6 \
        'resolve some.test: Temporary failure in name resolution' sockcat some.test 80 </dev/null
    with_shim 'getaddrinfo:EAI_AGAIN:*' assert_fails 6 'Temporary failure' \
        sockcat -l some.test 0 </dev/null
}

@test "F91: the resolver's other failures have their status" {
    need_shim
    with_shim 'getaddrinfo:EAI_FAIL:*' assert_fails 6 'resolve some.test: ' \
        sockcat some.test 80 </dev/null
    with_shim 'getaddrinfo:EAI_MEMORY:*' assert_fails 27 'resolve some.test: ' \
        sockcat some.test 80 </dev/null
    with_shim 'getaddrinfo:EIO:*' assert_fails 6 'resolve some.test: Input/output error' \
        sockcat some.test 80 </dev/null
}

@test "F91: a name that no file has is 6" {
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        assert_fails 6 "resolve some.test: Name or service not known" \
            sockcat some.test 80 </dev/null'
}

@test "F91: a name that has only the other family is 6" {
    need_netns
    echo 127.0.0.1 four.test >"$T/hosts"
    # shellcheck disable=SC2016 # for the inner shell
    in_names 'assert_fails 6 "resolve four.test: " sockcat -6 four.test 80 </dev/null'
}

# ---- H92: scopes ----

@test "F92: the scope of a link-local address is kept in connecting and in messages" {
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        ip link show v0 >/dev/null || exit 77
        ip addr add fe80::77/64 dev v0 nodad
        start_listener -v fe80::77%v0 0
        sockcat -v fe80::77%v0 "$port" <<<hello 2>"$T/err"
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"
        assert_line "^sockcat: listening on \[fe80::77%v0\]:$port\$" "$T/listener.err"
        assert_line "^sockcat: connected to \[fe80::77%v0\]:$port from \[fe80::77%v0\]:" "$T/err"
        # The number of the interface does as well.
        start_listener "[fe80::77%v0]" 0
        sockcat "fe80::77%$(cat /sys/class/net/v0/ifindex)" "$port" <<<hello ||
            sockcat "fe80::77%$(ip -o link show v0 | cut -d: -f1)" "$port" <<<hello
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"'
}

@test "F92: a scope that this machine does not have is refused with a message that names it" {
    for option in '' -l; do
        code=0
        # shellcheck disable=SC2086 # no option is no argument
        sockcat $option fe80::1%eth99 80 </dev/null 2>"$T/err" || code=$?
        [ "$code" -eq 3 ] || [ "$code" -eq 6 ] || fail "exit status $code: $(cat "$T/err")"
        assert_one_error "$T/err" 'fe80::1%eth99'
    done
}

@test "F92: a link-local address without a scope is an error that names it" {
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        for host in fe80::1 "[fe80::1]" febf::1; do
            assert_fails 3 "host .*fe.*::1.: a link-local address requires an interface" \
                sockcat "$host" 80 </dev/null
            assert_fails 3 "host .*fe.*::1.: a link-local address requires an interface" \
                sockcat -l "$host" 0 </dev/null
        done'
}

@test "F92: a scope that is empty or twice there, or on IPv4, is refused" {
    for host in fe80::1% fe80::1%lo%lo '[fe80::1%]' 127.0.0.1%lo '%lo'; do
        assert_fails 3 "host '" sockcat -- "$host" 80 </dev/null
    done
}

# ---- H93: names that are none ----

# refuses_name NAME: 3, in one line, without a look-up, without its raw control bytes.
refuses_name() {
    rm -f "$T/count"
    SHIM_COUNT=$T/count with_shim getaddrinfo:count:* \
        assert_fails 3 "^sockcat: host '" sockcat -- "$1" 80 </dev/null || return
    ! grep -q '^getaddrinfo [1-9]' "$T/count" || fail "the resolver was asked for it" || return
    iconv -f UTF-8 -t UTF-8 "$T/fails.err" >/dev/null || fail "no UTF-8" || return
    ! LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]' "$T/fails.err" \
        || fail "raw control bytes: $(cat -A "$T/fails.err")"
}

@test "F93: names with spaces, control bytes, and other characters that names do not have are refused" {
    need_shim
    for name in $'two\nlines' 'a b' ' a' 'a ' $'a\tb' $'\e[31mred' $'a\x7f' $'a\x9b' 'a/b' 'a,b' \
        'a;b' "a'b" 'a"b' 'a@b' 'a?b' 'a#b' 'a*b' 'a\b' 'a$b' '<a>' 'a=b'; do
        refuses_name "$name" || fail "for $(printf %q "$name")"
    done
}

@test "F93: names that are not ASCII are refused, with a hint at their other form" {
    need_shim
    for name in 'bücher.test' $'b\xfccher.test' '例え.test' $'a\xe2\x80\xaeb'; do
        refuses_name "$name"
        assert_line 'xn--' "$T/fails.err"
    done
}

@test "F93: an empty name, empty parts, and parts that begin with a dash are refused" {
    need_shim
    for name in '' . .a a..b a.. -oops a.-b -- '[]' '[a]' '[127.0.0.1]' '[::1' '::1]'; do
        refuses_name "$name" || fail "for $name"
    done
}

@test "F93: a name of 254 characters is asked for, a longer one refused" {
    need_shim
    part=$(printf '%063d' 0 | tr 0 a)
    longest=$part.$part.$part.$(printf '%061d' 0 | tr 0 b).
    assert_equal "${#longest}" 254
    with_shim 'getaddrinfo:EAI_NONAME:*' assert_fails 6 "resolve $longest: " \
        sockcat "$longest" 80 </dev/null
    refuses_name "b$longest"
    refuses_name "$(printf '%0256d' 0 | tr 0 a)"
    refuses_name "$(printf '%09000d' 0 | tr 0 a)"
}

@test "F93: a final dot, underscores, digits and a dash inside are good in names" {
    need_shim
    for name in a.test. _a._tcp.test 3com.test a-b.test xn--bcher-kva.test A; do
        start_listener 127.1.0.1 0
        with_shim 'getaddrinfo:addresses=1:*' sockcat "$name" "$port" <<<hello
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    done
}

@test "F93: with -n a name is refused and no resolver asked" {
    need_shim
    SHIM_COUNT=$T/count with_shim getaddrinfo:count:* \
        assert_fails 3 "host 'localhost': expected an address, not a name" sockcat -n localhost 80 </dev/null
    ! grep -q '^getaddrinfo [1-9]' "$T/count" || fail "the resolver was asked"
}

# ---- H94: numbers that are written oddly ----

@test "F94: IPv4 addresses are four decimal numbers and nothing else" {
    need_shim
    for host in 0x7f.1 127.1 127.0.1 0177.0.0.1 127.0.0.01 2130706433 0x7f000001 017700000001 \
        127.0.0.256 1.2.3.4.5 127.0.0.0x1 0x7f.0.0.1 127.0.0.1. 1.2.3.4: 127.0.0. \
        '127.0.0.1 ' ' 127.0.0.1' +127.0.0.1 4294967296 0x a.0x7f 1e3.1; do
        refuses_name "$host" || fail "for $host"
    done
    assert_fails 2 'two ports given: 80 and 80' sockcat 1.2.3.4:80 80 </dev/null
    assert_fails 2 'two ports given: 80 and 80' sockcat '[::1]:80' 80 </dev/null
}

@test "F94: an IPv6 address is taken in any of its forms, with and without brackets" {
    grep -qs '^0\{31\}1 ' /proc/net/if_inet6 || skip "needs IPv6 on lo"
    for host in ::1 '[::1]' 0:0:0:0:0:0:0:1 0000::0001 '[0::1]' ::0.0.0.1; do
        start_listener ::1 0
        sockcat -v "$host" "$port" <<<hello 2>"$T/err"
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"
        assert_line "connected to \[::1\]:$port " "$T/err"
    done
}

@test "F94: a mapped IPv4 address reaches the IPv4 listener" {
    start_listener 127.0.0.1 0
    sockcat ::ffff:127.0.0.1 "$port" <<<hello
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
}

@test "F94: what is nearly an IPv6 address is refused" {
    need_shim
    for host in ::g 1::2::3 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 12345::1 ':' ::1: :::1 \
        ::127.1 ::ffff:127.0.0.256 '[::1]]' '[[::1]]'; do
        refuses_name "$host" || fail "for $host"
    done
}

@test "F94: the brackets belong to addresses, and one word needs both host and port" {
    for word in '[::1]' '[::1]80' ::1 ::1:80 '[::1' 127.0.0.1: 1.2.3.4: :80; do
        assert_fails 3 "'" sockcat "$word" </dev/null || fail "for $word"
    done
    assert_fails 2 'extra operand .80.' sockcat 'tcp://[::1]:80' 80 </dev/null
}

# ---- H95: one look-up ----

@test "F95: a name is resolved exactly once, and -v says to which address it led" {
    need_shim
    for address in 127.1.0.3:-v 127.1.0.1:-u; do
        start_listener "${address#*:}" -q 0.1 "${address%:*}" 0
        SHIM_COUNT=$T/count with_shim 'getaddrinfo:addresses=3:*' \
            sockcat -v "${address#*:}" -q 0.1 many.test "$port" <<<hello 2>"$T/err"
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"
        assert_line "^sockcat: (\[1\] )?connected to ${address%:*}:$port from 127" "$T/err"
        assert_line '^getaddrinfo 1$' "$T/count"
    done
}

@test "F95: a listener resolves its name once, at the start" {
    need_shim
    SHIM_COUNT=$T/count with_shim 'getaddrinfo:addresses=1:*' start_listener -v many.test 0
    sockcat 127.1.0.1 "$port" <<<hello
    finish "$listener"
    assert_equal "$result $(cat "$T/listener.out")" "0 hello"
    assert_line '^getaddrinfo 1$' "$T/count"
    assert_line "^sockcat: listening on 127.1.0.1:$port\$" "$T/listener.err"
}

@test "F95: an address needs no resolver" {
    need_shim
    hold_port
    SHIM_COUNT=$T/count with_shim 'getaddrinfo:sleep=60:*' assert_fails 7 'refused' \
        sockcat 127.0.0.1 "$held" </dev/null
    ! grep -q '^getaddrinfo [1-9]' "$T/count" || fail "the resolver was asked"
}

# ---- H96: ports and services ----

@test "F96: a service's name is its port, for the transport in use" {
    need_netns
    printf '%s\n' 'alpha 4711/tcp other' 'alpha 4712/udp' 'gamma 4713/udp' >"$T/services"
    # shellcheck disable=SC2016 # for the inner shell
    in_names '
        assert_fails 7 "connect 127.0.0.1:4711: Connection refused" sockcat 127.0.0.1 alpha </dev/null
        assert_fails 7 "connect 127.0.0.1:4711: Connection refused" sockcat 127.0.0.1 other </dev/null
        assert_fails 7 "connect 127.0.0.1:4712: Connection refused" \
            sockcat -u 127.0.0.1 alpha <<<hello
        assert_fails 3 "port .gamma.: " sockcat 127.0.0.1 gamma </dev/null
        assert_fails 3 "port .Alpha.: " sockcat 127.0.0.1 Alpha </dev/null
        start_listener -u -q 0.1 127.0.0.1 gamma
        assert_equal "$port" 4713
        start_listener 127.0.0.1 alpha
        assert_equal "$port" 4711'
}

@test "F96: numbers that are no ports are refused, exactly" {
    for port in 65536 99999 100000 4294967376 18446744073709551696 99999999999999999999999 -1 +80 \
        80x x80x 0x50 80. 80.0 ' 80' '80 ' '' $'80\n' 1e3 8-0 ٨٠; do
        assert_fails 3 "port '" sockcat -- 127.0.0.1 "$port" </dev/null || fail "for $port"
        assert_fails 3 "port '" sockcat -l -- 127.0.0.1 "$port" </dev/null || fail "for -l $port"
    done
}

@test "F96: port 0 is for listeners" {
    assert_fails 3 "port '0'" sockcat 127.0.0.1 0 </dev/null
    assert_fails 3 "port '0'" sockcat -z 127.0.0.1 0 </dev/null
    assert_fails 3 "port '00'|port '0'" sockcat 127.0.0.1 00 </dev/null
}

@test "F96: port 65535 is one, leading zeros change nothing" {
    need_netns
    # shellcheck disable=SC2016 # for the inner shell
    in_netns -c '
        start_listener 127.0.0.1 65535
        assert_equal "$port" 65535
        sockcat 127.0.0.1 0000065535 <<<hello
        finish "$listener"
        assert_equal "$result $(cat "$T/listener.out")" "0 hello"'
}

@test "F96: ranges and lists of ports are for -z only, and exact there" {
    for port in 80-90 80,90 80:90 80-80 1-65535 '80 90' 80..90; do
        assert_fails 3 "port '$port': neither a number from 0 to 65535 nor a known service" \
            sockcat 127.0.0.1 "$port" </dev/null
    done
    for port in 80:90 '80 90' 80..90 90-80 80- ,80 80,,90 80-65536; do
        assert_fails 3 "port" sockcat -z 127.0.0.1 "$port" </dev/null
    done
    assert_fails 2 "extra operand '90'" sockcat 127.0.0.1 80 90 </dev/null
}

@test "F96: a source port is parsed like any other" {
    for port in 65536 80x -1 80-90 ''; do
        assert_fails 3 "port '$port'" sockcat -p "$port" 127.0.0.1 9 </dev/null
    done
}
