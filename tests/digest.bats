#!/usr/bin/env bats
# --digest, --digest-file, --expect and --expect-digest, and the plug-in that computes digests.
# shellcheck disable=SC2154 # the helper sets port, listener, status
bats_require_minimum_version 1.5.0
load lib/helper

zeros=0000000000000000000000000000000000000000000000000000000000000000

hex() { "$1" <"$2" | cut -d' ' -f1; }

# both ALGORITHM LABEL COMMAND SIZE SIZE: data in both directions; each end reports what the other one does.
both() {
    local sent received
    LISTENER_IN=$(random_file "$5" 2) start_listener --digest="$1" 127.0.0.1 0
    client --digest="$1" 127.0.0.1 "$port" <"$(random_file "$4")" >"$T/out"
    assert_status 0
    sent=$(hex "$3" "$(random_file "$4")") received=$(hex "$3" "$(random_file "$5" 2)")
    assert_equal "$(cat "$T/client.err")" "sockcat: $2 (sent) = $sent"$'\n'"sockcat: $2 (received) = $received"
    finish "$listener"
    assert_equal "$result" 0
    assert_equal "$(grep -v listening "$T/listener.err")" \
        "sockcat: $2 (sent) = $received"$'\n'"sockcat: $2 (received) = $sent"
}

@test "--digest prints what was sent and received" {
    need_plugin digest
    each <<'EOF'
both sha256 SHA256 sha256sum 3000000 1000001
both sha512 SHA512 sha512sum 70000 0
both blake2b BLAKE2b b2sum 0 70000
both SHA256 SHA256 sha256sum 1 2
EOF
}

# sums OPTION COMMAND: the file of the receiver is for the copy, that of the sender for the original.
sums() {
    start_listener -d "$1" --digest-file "$T/sums" 127.0.0.1 0
    client "$1" --digest-file "$T/sent" 127.0.0.1 "$port" <"$(random_file 100000)"
    finish "$listener"
    assert_equal "$status $result" "0 0"
    assert_equal "$("$2" -c "$T/sums" <"$T/listener.out")" "-: OK"
    assert_equal "$("$2" -c "$T/sent" <"$(random_file 100000)")" "-: OK"
    assert_equal "$(wc -l <"$T/sums")" 1
}

@test "--digest-file is what sha256sum -c and the others read" {
    need_plugin digest
    each <<'EOF'
sums --digest sha256sum
sums --digest=sha512 sha512sum
sums --digest=blake2b b2sum
EOF
}

@test "--digest-file is appended to, has a line for each direction with data, and none after a failure" {
    need_plugin digest
    hold_port
    client --digest-file "$T/sums" 127.0.0.1 "$held" </dev/null
    assert_status 7
    start_listener -k --echo 127.0.0.1 0
    printf abc >"$T/in"
    client --digest-file "$T/sums" --expect 4 127.0.0.1 "$port" <"$T/in" >"$T/out"
    assert_status 18
    [ ! -s "$T/sums" ] || fail "$(cat "$T/sums")"
    client --digest-file "$T/sums" 127.0.0.1 "$port" <"$T/in" >"$T/out"
    client --digest-file "$T/sums" 127.0.0.1 "$port" </dev/null >"$T/out"
    assert_status 0
    assert_equal "$(cat "$T/sums")" "SHA256 (-) = $(hex sha256sum "$T/in")
SHA256 (-) = $(hex sha256sum "$T/in")
SHA256 (-) = $(hex sha256sum /dev/null)"
}

@test "--digest-file names the files of --in and --out, escaped as sha256sum does" {
    need_plugin digest
    cd "$T"
    local name=$'a\\b\nc'
    cp "$(random_file 3000)" "$name"
    start_listener -dk --max-accepts 2 --out 'copy (%n)' --digest-file sums --expect 3000 127.0.0.1 0
    client --in "$name" --digest-file sent 127.0.0.1 "$port"
    assert_status 0
    client 127.0.0.1 "$port" <<<short
    finish "$listener"
    assert_equal "$result" 104
    sha256sum -c sums sent
    assert_equal "$(cat sums)" "SHA256 (copy (1)) = $(hex sha256sum "$name")"
    assert_equal "$(cat sent)" "$(sha256sum --tag "$name")"
    [ ! -e 'copy (2)' ] || fail "a file that is not as expected was kept under its name"
}

@test "--digest-file that cannot be opened or written is status 23" {
    need_plugin digest
    start_listener -k --echo 127.0.0.1 0
    assert_fails 23 'open .*/no/sums: No such file or directory$' \
        "$SOCKCAT" --digest-file "$T/no/sums" 127.0.0.1 "$port" </dev/null
    [ -w /dev/full ] || skip "needs /dev/full"
    client --digest-file /dev/full 127.0.0.1 "$port" </dev/null
    assert_status 23
    assert_line '^sockcat: write /dev/full: No space left on device$' "$T/client.err"
}

# full OPTION...: one failure to write the digests ends the run.
full() {
    start_listener -k --digest-file /dev/full "$@" 127.0.0.1 0
    client 127.0.0.1 "$port" </dev/null
    finish "$listener"
    assert_equal "$result" 23
    assert_line '^sockcat: write /dev/full: No space left on device$' "$T/listener.err"
}

@test "--digest-file that takes only a part of a line is status 23, with a cause" {
    need_plugin digest
    need_shim
    start_listener -k --echo 127.0.0.1 0
    with_shim 'writev:short=5:*:file' client --digest-file "$T/sums" 127.0.0.1 "$port" </dev/null >"$T/out"
    assert_status 23
    assert_line "^sockcat: write $T/sums: Resource temporarily unavailable\$" "$T/client.err"
}

@test "-k: --digest-file that cannot be written ends the run" {
    need_plugin digest
    [ -w /dev/full ] || skip "needs /dev/full"
    full
    full --out "$T/%n"
}

# expected STATUS CAUSE OPTION...: of a receiver of 3000 bytes; a failure reaches the sender, too. A '_'
# in the cause is a blank.
expected() {
    local wanted=$1 cause=${2//_/ }
    shift 2
    start_listener -d "$@" 127.0.0.1 0
    client 127.0.0.1 "$port" <"$(random_file 3000)"
    [ "$wanted" -eq 0 ] || [ "$status" -ne 0 ] || fail "the sender was not told"
    assert_listener_ends "$wanted" "${cause:+receive from 127.0.0.1:[0-9]+: $cause\$}"
}

@test "--expect: the received bytes have to be that many" {
    : >"$T/none"
    expected 0 '' --expect 3000
    each <<'EOF'
expected 18 3000_of_the_expected_3001_bytes --expect 3001
expected 18 3000_of_the_expected_1048576_bytes --expect 1M
expected 18 more_than_the_expected_2999_bytes --expect 2999
expected 18 more_than_the_expected_1_byte --expect 1
expected 18 more_than_the_expected_0_bytes --expect 0
EOF
}

@test "--expect-digest: what is received has to have this digest" {
    need_plugin digest
    local file sum
    file=$(random_file 3000)
    sum=$(hex sha256sum "$file")
    expected 0 '' --expect-digest "$sum"
    each <<EOF
expected 18 SHA256_is_$sum,_not_the_expected_$zeros --expect-digest $zeros
expected 18 SHA512_is_[0-9a-f]*,_not_the_expected_$zeros$zeros --expect-digest sha512:$zeros$zeros
expected 18 3000_of_the_expected_3001_bytes --expect-digest $sum --expect 3001
accepted --expect-digest SHA256:${sum^^}
accepted --expect-digest sha512:$(hex sha512sum "$file")
accepted --expect-digest $(hex b2sum "$file") --digest=blake2b
accepted --expect-digest $sum --digest=sha256 --expect 3000
accepted --expect-digest sha256:$sum --digest=blake2b
EOF
}

# accepted OPTION...: of a receiver of 3000 bytes.
accepted() {
    start_listener -d "$@" 127.0.0.1 0
    client 127.0.0.1 "$port" <"$(random_file 3000)"
    finish "$listener"
    assert_equal "$status $result" "0 0"
}

@test "--digest, --expect, --expect-digest: other values are refused before anything is connected" {
    need_plugin digest
    local value
    for value in x -1 1.5 99999999999G; do
        assert_fails 3 "^sockcat: invalid --expect '$value': expected a number of bytes, such as 4096 or 10M\$" \
            "$SOCKCAT" --expect="$value" 127.0.0.1 1
    done
    for value in '' md5 sha256x; do
        assert_fails 3 "^sockcat: invalid --digest '$value': expected sha256, sha512 or blake2b\$" \
            "$SOCKCAT" --digest="$value" 127.0.0.1 1
    done
    for value in x "${zeros}0" "${zeros%0}" "${zeros%0}g" "md5:$zeros" ":$zeros" "sha512:$zeros" "sha256:"; do
        assert_fails 3 "^sockcat: invalid --expect-digest '$value': expected the (64|128) hexadecimal digits of SHA" \
            "$SOCKCAT" --expect-digest="$value" 127.0.0.1 1
    done
}

# without COMMAND...: a copy of the program, with what the command puts at the place of its plug-in.
without() {
    mkdir "$T/bin" "$T/bin/libexec" "$T/bin/libexec/sockcat"
    cp "$SOCKCAT" "$T/bin/sockcat"
    cd "$T/bin/libexec/sockcat"
    "$@"
    cd - >/dev/null
}

stale() {
    printf '%s\n' 'const struct { unsigned magic, size; const char *version; void *calls[4]; } sockcat_plugin =' \
        '    { 0x736b6374, sizeof sockcat_plugin, "0.0.1", { 0 } };' >"$T/stale.c"
    cc -shared -fPIC -o digest.so "$T/stale.c"
}

@test "a plug-in that is not installed is status 4 and names its package, and nothing is connected" {
    without true
    cp "$SOCKCAT" "$T/bin/libexec/sockcat/sockcat"
    for program in "$T/bin/sockcat" "$T/bin/libexec/sockcat/sockcat"; do
        for option in --digest --digest-file="$T/sums" --expect-digest="$zeros"; do
            assert_fails 4 '^sockcat: open plug-in digest: not installed \(Debian package sockcat-tls\)$' \
                "$program" "$option" 127.0.0.1 1
        done
    done
    [ ! -e "$T/sums" ] || fail "the file was made"
    # What needs no plug-in works.
    start_listener -k --echo 127.0.0.1 0
    printf abc | "$T/bin/sockcat" --expect 3 127.0.0.1 "$port"
}

@test "a plug-in of another version is refused" {
    need cc
    without stale
    assert_fails 4 '^sockcat: open plug-in /.*/bin/libexec/sockcat/digest.so: not of this version \(Debian package sockcat-tls\)$' \
        "$T/bin/sockcat" --digest 127.0.0.1 1
}

@test "a plug-in is looked for next to the program only, and not where others can write" {
    need_plugin digest
    without cp "${SOCKCAT%/*}/libexec/sockcat/digest.so" .
    start_listener -k --echo 127.0.0.1 0
    "$T/bin/sockcat" --digest 127.0.0.1 "$port" </dev/null
    cp -r "$T/bin/libexec" "$T"
    mkdir -p "$T/away/from/here"
    cp "$T/bin/sockcat" "$T/away/from/here/program"
    cd "$T/bin"
    # A link is followed: the plug-ins are those of the program that it names.
    ln -s "$T/away/from/here/program" "$T/link"
    assert_fails 4 'digest: not installed' env PATH="$T/bin:$PATH" LD_LIBRARY_PATH="$T/bin/libexec/sockcat" \
        "$T/link" --digest 127.0.0.1 "$port" </dev/null
    chmod o+w "$T/bin/libexec"
    assert_fails 4 'users other than root and .* could change it$' "$T/bin/sockcat" --digest 127.0.0.1 "$port" </dev/null
}

@test "a plug-in that a group can change is refused, unless the group is root's or the owner's own" {
    need_plugin digest
    [ "$(id -u)" = 0 ] || skip "needs root, to change groups"
    getent passwd daemon >/dev/null && getent group games daemon >/dev/null || skip "needs the users daemon and games"
    without cp "${SOCKCAT%/*}/libexec/sockcat/digest.so" .
    start_listener -k --echo 127.0.0.1 0
    local refused='users other than root and .* could change it$'
    for place in digest.so ''; do
        place=$T/bin/libexec/sockcat/$place
        chmod g+w "$place"
        chgrp 0 "$place"
        "$T/bin/sockcat" --digest 127.0.0.1 "$port" </dev/null
        chgrp games "$place"
        assert_fails 4 "$refused" "$T/bin/sockcat" --digest 127.0.0.1 "$port" </dev/null
        # The group with the name of the owner, which is that of the program.
        chown daemon:daemon "$T/bin/sockcat" "$place"
        "$T/bin/sockcat" --digest 127.0.0.1 "$port" </dev/null
        chgrp games "$place"
        assert_fails 4 "$refused" "$T/bin/sockcat" --digest 127.0.0.1 "$port" </dev/null
        chown 0:0 "$T/bin/sockcat" "$place"
    done
}

@test "-vv says that the kernel does not move the data with --digest, and --expect alone leaves that to it" {
    need_plugin digest
    [ "$(uname)" = Linux ] || skip "splice is a feature of Linux"
    start_listener -k --discard 127.0.0.1 0
    client -vv --digest 127.0.0.1 "$port" <"$(random_file 3000000)"
    assert_status 0
    assert_line "from standard input and output to 127.0.0.1:$port: copied through memory \(the digest needs every byte\)\$" \
        "$T/client.err"
    ! grep -q spliced "$T/client.err" || fail "it was spliced"
    start_listener -d -vv --expect 3000000 127.0.0.1 0
    client 127.0.0.1 "$port" <"$(random_file 3000000)" 2>"$T/client.err"
    finish "$listener"
    assert_equal "$status $result" "0 0"
    assert_line ': spliced in the kernel$' "$T/listener.err"
}

@test "-k: each session has its digests, with its peer, and one that is not as expected fails alone" {
    need_plugin digest
    start_listener -dk --digest --digest-file "$T/sums" --expect 3 --max-accepts 3 127.0.0.1 0
    local word
    for word in abc abcd xyz; do
        printf %s "$word" >"$T/$word"
        client 127.0.0.1 "$port" <"$T/$word"
    done
    finish "$listener"
    assert_equal "$result" 104
    assert_equal "$(cat "$T/sums")" "SHA256 (-) = $(hex sha256sum "$T/abc")
SHA256 (-) = $(hex sha256sum "$T/xyz")"
    assert_line "^sockcat: SHA256 \(received, 127.0.0.1:[0-9]+\) = $(hex sha256sum "$T/abc")\$" "$T/listener.err"
    assert_line '^sockcat: receive from 127.0.0.1:[0-9]+: more than the expected 3 bytes$' "$T/listener.err"
    assert_equal "$(grep -c 'SHA256 (received' "$T/listener.err")" 3
}

@test "-k: a datagram peer that has sent too little fails, although silence is its normal end" {
    start_listener -dku --expect 5 --max-accepts 2 --idle-timeout 200ms --out "$T/%n" 127.0.0.1 0
    local word
    for word in 12345 123; do
        printf %s "$word" >"$T/in"
        client -u -q 0 127.0.0.1 "$port" <"$T/in"
    done
    finish "$listener"
    assert_equal "$result" 104
    assert_line '^sockcat: receive from 127.0.0.1:[0-9]+: 3 of the expected 5 bytes$' "$T/listener.err"
    assert_equal "$(cat "$T/1")" 12345
    [ ! -e "$T/2" ] || fail "a file that is too short was kept under its name"
}

@test "--frame: digests are of the frames that are sent, and of what standard output gets" {
    need_plugin digest
    printf 'one\ntwo\n' >"$T/in"
    printf '3:one,3:two,' >"$T/frames"
    start_listener -d --frame netstring --digest --expect 8 127.0.0.1 0
    client --frame netstring --digest 127.0.0.1 "$port" <"$T/in"
    finish "$listener"
    assert_equal "$status $result" "0 0"
    assert_line "SHA256 \(sent\) = $(hex sha256sum "$T/frames")\$" "$T/client.err"
    assert_line "SHA256 \(received\) = $(hex sha256sum "$T/in")\$" "$T/listener.err"
}

@test "--to: digests of both directions; received is what the client has sent" {
    need_plugin digest
    start_peer recvall count sendrand:7:5000 close
    start_listener --digest --expect 3000 --to "127.0.0.1:$peer_port" 127.0.0.1 0
    client 127.0.0.1 "$port" <"$(random_file 3000)" >"$T/out"
    finish "$listener"
    assert_equal "$status $result" "0 0"
    assert_line "SHA256 \(sent\) = $(hex sha256sum "$(random_file 5000 7)")\$" "$T/listener.err"
    assert_line "SHA256 \(received\) = $(hex sha256sum "$(random_file 3000)")\$" "$T/listener.err"
}

@test "--report has the digests, also of a session that fails, and its cause" {
    need_plugin digest
    need jq
    start_listener -k --echo 127.0.0.1 0
    printf abc >"$T/in"
    client --digest --expect 4 --report=json:"$T/report" 127.0.0.1 "$port" <"$T/in" >"$T/out"
    assert_status 18
    run jq -rc 'select(.event == "digest") | [.algorithm, .direction, .digest, .peer.port]' "$T/report"
    assert_equal "$output" "[\"SHA256\",\"sent\",\"$(hex sha256sum "$T/in")\",$port]
[\"SHA256\",\"received\",\"$(hex sha256sum "$T/in")\",$port]"
    run jq -rc 'select(.event == "closed") | [.status, .cause]' "$T/report"
    assert_equal "$output" "[18,\"receive from 127.0.0.1:$port: 3 of the expected 4 bytes\"]"
}

@test "without memory for a digest the run fails, and the library does not crash" {
    need_plugin digest
    need_shim
    start_listener -k --echo 127.0.0.1 0
    local call got
    for call in $(seq 5 3 80); do
        got=0
        with_shim "malloc:ENOMEM:$call" "$SOCKCAT" --digest 127.0.0.1 "$port" </dev/null >"$T/out" 2>"$T/err" || got=$?
        case $got in
        0 | 4 | 27) ;;
        *) fail "call $call: status $got: $(cat "$T/err")" ;;
        esac
    done
}

# threads N COMMAND...: how many threads the program starts.
threads() {
    local wanted=$1
    shift
    SHIM_COUNT=$T/calls with_shim pthread_create:count:* client "$@" 127.0.0.1 "$port" <"$data" >"$T/out"
    assert_status 0
    assert_equal "$(awk '$1 == "pthread_create" { print $2 }' "$T/calls")" "${wanted#0}"
}

@test "a thread computes the digest of a direction with much data, and no other run starts one" {
    need_plugin digest
    need_shim
    start_listener -k --echo 127.0.0.1 0
    data=$(random_file 3000000) threads 0
    data=$(random_file 30000) threads 0 --digest
    data=$(random_file 3000000) threads 2 --digest
}

@test "without a thread the digest is the same" {
    need_plugin digest
    need_shim
    start_listener -k --echo 127.0.0.1 0
    local rules data
    data=$(random_file 3000000)
    for rules in pthread_create:EAGAIN:1+ pthread_create:EAGAIN:2; do
        with_shim "$rules" client --digest 127.0.0.1 "$port" <"$data" >"$T/out"
        assert_status 0
        assert_equal "$(cat "$T/client.err")" "sockcat: SHA256 (sent) = $(hex sha256sum "$data")
sockcat: SHA256 (received) = $(hex sha256sum "$data")"
    done
}
