#!/usr/bin/env bats
# Reports: every event as a line, to standard error, a file or a descriptor, whatever happens to it.
# What the lines say is checked with their schema in tests/cases/report.py.
load lib/helper

# members FILTER FILE: what jq prints for each line, in one line.
members() { jq -r "$1" "$2" | tr '\n' ' ' | sed 's/ $//'; }

@test "report: a transfer is reported from the connection to the exit status" {
    need jq
    local shown='select(.event | IN("path", "input-ended", "reply-missing") | not) | .event'
    start_listener -k --max-accepts 1 --report=json:"$T/server" 127.0.0.1 0
    printf hello | "$SOCKCAT" --report=json:"$T/client" 127.0.0.1 "$port"
    assert_listener_ends 0
    assert_equal "$(members "$shown" "$T/client")" "attempt connected half-closed half-closed closed exit"
    assert_equal "$(members "$shown" "$T/server")" "listening accepted half-closed half-closed closed exit"
    assert_equal "$(members 'select(.event == "closed") | .bytes.sent, .bytes.received' "$T/client")" "5 0"
    assert_equal "$(members 'select(.event == "closed") | .bytes.sent, .bytes.received' "$T/server")" "0 5"
    assert_equal "$(members 'select(.event == "connected") | .peer.port' "$T/client")" "$port"
    assert_equal "$(members 'select(.event == "exit") | .status, .cause' "$T/client")" "0 null"
    # The messages are those of a run without a report.
    assert_equal "$(cat "$T/listener.err")" "sockcat: listening on 127.0.0.1:$port"
}

@test "report: on standard error it takes the place of the messages" {
    need jq
    hold_port
    local got=0
    "$SOCKCAT" -v --report=json 127.0.0.1 "$held" </dev/null >"$T/out" 2>"$T/err" || got=$?
    assert_equal "$got" 7
    assert_equal "$(members '.event, .state // empty' "$T/err")" "attempt started attempt failed exit"
    assert_equal "$(members 'select(.event == "exit") | .status, .cause, .meaning' "$T/err")" \
        "7 connect 127.0.0.1:$held: Connection refused no address could be connected (refused, unreachable)"
}

@test "report: on standard output it takes the place of the results, of nc that of the messages" {
    need jq
    start_listener -k 127.0.0.1 0
    hold_port
    ! "$SOCKCAT" -z --report=json:fd:1 127.0.0.1 "$port" "$held" >"$T/out" 2>"$T/err" || fail "all are open"
    # They are in the order of the ports' numbers.
    local states="open closed"
    [ "$port" -lt "$held" ] || states="closed open"
    assert_equal "$(members 'select(.event == "probe") | .state' "$T/out")" "$states"
    "$SOCKCAT" --compat=nc -zv --report=json 127.0.0.1 "$port" 2>"$T/err"
    assert_equal "$(members 'select(.event == "probe") | .state' "$T/err")" open
}

@test "report: as text, with the time and the number of the session" {
    hold_port
    ! "$SOCKCAT" --report=text 127.0.0.1 "$held" </dev/null 2>"$T/err" || fail "it was connected"
    assert_line '^....-..-..T..:..:..\.......Z \[1\] connect 127.0.0.1:[0-9]+: Connection refused$' "$T/err"
    assert_line '^[^ ]+Z exit status 7: connect 127.0.0.1:[0-9]+: Connection refused$' "$T/err"
    start_listener --report=text:"$T/report" --recv-only 127.0.0.1 0
    "$SOCKCAT" 127.0.0.1 "$port" </dev/null
    assert_listener_ends 0
    assert_line '^[^ ]+Z \[1\] closed 127.0.0.1:[0-9]+: 0 bytes sent, 0 bytes received$' "$T/report"
}

@test "report: a signal is in the last line, and a failure has the status of --compat=nc" {
    need jq
    start_listener -k --report=json:"$T/report" 127.0.0.1 0
    kill -TERM "$listener"
    finish "$listener"
    assert_equal "$result" 143
    assert_equal "$(members 'select(.event == "exit") | .status, .signal' "$T/report")" "143 15"
    hold_port
    ! "$SOCKCAT" --compat=nc --report=json:"$T/nc" 127.0.0.1 "$held" || fail "it was connected"
    assert_equal "$(members 'select(.event == "exit") | .status' "$T/nc")" 1
}

@test "report: a file is appended to, an open descriptor is written to" {
    echo first >"$T/report"
    printf x | "$SOCKCAT" --report=json:"$T/report" --echo -l 127.0.0.1 0 --accept-timeout 1ms 2>/dev/null || :
    assert_equal "$(head -n 1 "$T/report")" first
    assert_line '^\{"v":1,"event":"exit"' "$T/report"
    hold_port
    ! "$SOCKCAT" --report=json:fd:7 127.0.0.1 "$held" 7>"$T/seven" 2>"$T/err" || fail "it was connected"
    assert_line '^\{"v":1,"event":"exit"' "$T/seven"
    assert_one_error "$T/err" 'Connection refused$'
}

@test "report: a destination that is full costs lines, but no data and no time; the lines are counted" {
    need jq
    drive report full_pipe
}

@test "report: the last line is waited for" {
    drive report late_reader
}

@test "report: a destination that never takes the last line is status 23 after a second" {
    drive report no_reader
}

@test "report: standard error that never takes the last line does not delay the end either" {
    drive report stuck_messages
}

@test "report: O_NONBLOCK of a shared descriptor is left alone" {
    drive report shared_flags
}

@test "report: a write that fails is printed at once, and is status 23; the transfer is complete" {
    [ -w /dev/full ] || skip "needs /dev/full"
    start_listener --recv-only 127.0.0.1 0
    local got=0
    printf hello | "$SOCKCAT" --report=json:/dev/full 127.0.0.1 "$port" 2>"$T/err" || got=$?
    assert_equal "$got" 23
    assert_one_error "$T/err" '^sockcat: write /dev/full: No space left on device$'
    assert_listener_ends 0
    assert_equal "$(cat "$T/listener.out")" hello
}

@test "report: a reader that has closed its end is status 23" {
    drive report closed_reader
}

@test "report: a destination that cannot be opened is status 23, and nothing is done" {
    assert_fails 23 'open .*/no/report: No such file or directory$' \
        "$SOCKCAT" --report=json:"$T/no/report" 127.0.0.1 1
    assert_fails 23 'open fd:99: Bad file descriptor$' "$SOCKCAT" --report=json:fd:99 127.0.0.1 1
}

@test "report: a malformed value is refused" {
    local value
    for value in xml json: text: json:fd: json:fd:x json:fd:-1 JSON :json jsonx; do
        assert_fails 3 "invalid --report '$value': expected json or text" \
            "$SOCKCAT" "--report=$value" 127.0.0.1 1
    done
}

# ---- the lines of many runs ----

# reported NAME [ARG...]: runs sockcat with the report $T/NAME.json, whatever its status.
reported() {
    local name=$1
    shift
    timeout -v $((30 * LAST_RESORT)) "$SOCKCAT" --report=json:"$T/$name.json" "$@" >"$T/$name.out" 2>"$T/$name.err" || :
}

# runs_of_all_kinds: reports of what sockcat does.
runs_of_all_kinds() {
    hold_port
    reported refused 127.0.0.1 "$held" </dev/null
    reported unresolved -n no-address 1 </dev/null
    reported probe -z 127.0.0.1 "$held" $((held ^ 1)) </dev/null
    reported wait --wait-for=0.1 --interval 10ms 127.0.0.1 "$held"
    reported ping_closed --ping=2 --interval 1ms 127.0.0.1 "$held"
    reported no_client -l --accept-timeout 1ms 127.0.0.1 0 </dev/null
    start_peer recvall
    reported progress --progress=json --size 9 -d --idle-timeout 1500ms 127.0.0.1 "$peer_port"
    start_listener -k --report=json:"$T/clients.json" --deny 127.0.0.9 --max-accepts 6 --frame u32be -e cat 127.0.0.1 0
    reported rejected -s 127.0.0.9 127.0.0.1 "$port" <<<x
    echo x | reported served --nodelay=on --frame u32be localhost "$port"
    kill -USR1 "$listener"
    reported waited --wait-for localhost "$port" -- cat /dev/null
    reported ping --ping=2 --interval 1ms localhost "$port"
    reported stdin 127.0.0.1 "$port" <<<x
    reported input -i 1ms 127.0.0.1 "$port" <<<x
    finish "$listener"
    LISTENER_IN=/dev/zero start_listener --report=json:"$T/cut.json" -U "$T/cut"
    reported reader -d -W 1 -U "$T/cut"
    finish "$listener"
    start_listener -k --report=json:"$T/datagrams.json" -u --echo 127.0.0.1 0
    reported datagram -u -W 1 127.0.0.1 "$port" <<<x
    kill "$listener"
    finish "$listener"
    start_listener --report=json:"$T/program.json" -c 'echo x; exit 3' --exec-status 127.0.0.1 0
    reported reply 127.0.0.1 "$port" </dev/null
    finish "$listener"
    drive report hostile "$T/s" "$T/hostile.json"
}

@test "report: every line of these runs is valid by the schema, and they have these kinds of events" {
    need python3
    /usr/bin/python3 -c 'import jsonschema' 2>/dev/null || skip "needs python3-jsonschema"
    runs_of_all_kinds
    drive report validate "$T"/*.json >"$T/kinds"
    local kind missing=()
    for kind in accepted 'attempt failed' 'attempt started' closed connected exit failed half-closed input-ended \
        listening option path 'ping closed' 'ping open' ping-summary 'program ended' \
        'program started' 'probe closed' 'probe open' progress 'progress ended' rejected 'stats listener'; do
        grep -qx "$kind" "$T/kinds" || missing+=("$kind")
    done
    [ "${#missing[@]}" -eq 0 ] || fail "missing: ${missing[*]}; there: $(tr '\n' ',' <"$T/kinds")"
}

@test "F152: a name made to break the lines of a report is a string of it, in JSON and in text" {
    need jq
    drive report hostile "$T/s" "$T/json"
    assert_equal "$(jq -r 'select(.event == "accepted") | .peer.name' "$T/json" | od -An -tx1 | tr -d ' \n')" \
        40225cefbfbdefbfbd1b5b324a0a7b2276223a327de280aee280a80a
    drive report hostile "$T/t" "$T/text" text
    assert_equal "$(grep -c . "$T/text")" "$(jq -c . "$T/json" | grep -c .)"
    ! LC_ALL=C grep -q '[^ -~]' "$T/text" || fail "$(cat -v "$T/text")"
}

@test "report: the schema rejects other events, states, members and types" {
    need python3
    /usr/bin/python3 -c 'import jsonschema' 2>/dev/null || skip "needs python3-jsonschema"
    drive report strays
}

@test "report: a session is reported with its times, its end and the state of TCP" {
    need jq
    start_peer recvall close
    printf hello | "$SOCKCAT" --report=json:"$T/report" localhost "$peer_port"
    assert_peer_done
    assert_equal "$(members 'select(.event == "closed") | .ended.first, .ended.peer, .ended.local, .status, .cause' \
        "$T/report")" "local eof eof 0 null"
    assert_equal "$(members 'select(.event == "half-closed") | .by' "$T/report")" "local peer"
    assert_equal "$(members 'select(.event == "connected") | .connect_ms >= 0, .session' "$T/report")" "true 1"
    assert_equal "$(members 'select(.event == "closed") | .duration_ms > 0, .rates.sent > 0' "$T/report")" "true true"
    # Not in the portable build.
    if "$SOCKCAT" --mptcp --version >/dev/null 2>&1; then
        assert_equal "$(members 'select(.tcp) | .event, .tcp.rtt_ms > 0, .tcp.retransmissions >= 0' "$T/report")" \
            "connected true true closed true true"
    fi
}

@test "report: a reset is in the event of the end, with status and cause" {
    need jq
    start_peer reset
    ! "$SOCKCAT" -d --report=json:"$T/report" 127.0.0.1 "$peer_port" 2>/dev/null || fail "it succeeded"
    assert_equal "$(members 'select(.event == "closed") | .ended.first, .ended.peer, .ended.local, .status' "$T/report")" \
        "peer reset null 56"
    assert_line 'closed.*Connection reset by peer' "$T/report"
}

@test "report: SIGUSR1 is a line of it, and one of messages" {
    need jq
    start_peer wait:60
    "$SOCKCAT" -d --report=json:"$T/report" 127.0.0.1 "$peer_port" 2>"$T/err" 3>&- &
    started+=("$!")
    local pid=$!
    await_line "$T/report" '"event":"connected"'
    kill -USR1 "$pid"
    await_line "$T/report" '"event":"stats","state":"session"'
    assert_line '^sockcat: session 127.0.0.1:[0-9]+: 0 bytes sent' "$T/err"
    kill -TERM "$pid"
    finish "$pid"
    assert_equal "$(members 'select(.event == "exit") | .signal, .meaning' "$T/report")" "15 ended by a signal"
}

@test "--stats: a summary of the session on standard error" {
    start_listener --stats --recv-only 127.0.0.1 0
    printf hello | "$SOCKCAT" --stats 127.0.0.1 "$port" 2>"$T/err"
    assert_listener_ends 0 'bytes sent' || assert_line '0 bytes sent, 5 bytes received \(.*B/s\) in .*ms' "$T/listener.err"
    assert_one_error "$T/err" '127.0.0.1:[0-9]+: 5 bytes sent \([0-9.]+ [kM]?B/s\), 0 bytes received in [0-9.]+ms'
    assert_one_error "$T/err" 'first to end: [a-z]+ \(peer eof, local eof\)$'
}

@test "--stats: with -k a summary of each session" {
    start_listener -k --max-accepts 2 --stats --echo 127.0.0.1 0
    printf hello | "$SOCKCAT" 127.0.0.1 "$port" >/dev/null
    printf hi | "$SOCKCAT" 127.0.0.1 "$port" >/dev/null
    finish "$listener"
    assert_line ': 5 bytes sent .*, 5 bytes received .* first to end: peer \(peer eof\)$' "$T/listener.err"
    assert_line ': 2 bytes sent .*, 2 bytes received ' "$T/listener.err"
}

@test "report: the examples of the manual" {
    need jq
    local log command
    sed -n '/^\.Sh EVENT REPORTS/,/^\.Sh EXIT/p' "$HELPER_DIR/../../man/sockcat.1.in" |
        sed -n '/^\.Bd -literal/,/^\.Ed/p' | sed '/^\.[BE]d/d' >"$T/examples"
    cd "$T"
    printf hello >in
    log=$(sed -n 's/.*--report=json:\([^ ]*\) .*/\1/p' examples | head -n 1)
    start_listener -k --discard --max-accepts 1 --report=json:"$log" 127.0.0.1 0
    "$SOCKCAT" 127.0.0.1 "$port" <in
    finish "$listener"
    command=$(sed -n '/^jq/,/sessions.log$/p' examples)
    bash -c "$command" >table
    assert_line "^....-..-..T[0-9:.]+Z	127\\.0\\.0\\.1	5\$" table
    hold_port
    sockcat() { "$SOCKCAT" "$@"; }
    export -f sockcat
    command=$(sed -n '/^sockcat --report=json:fd:3/,/cause/p' examples)
    bash -c "${command/db 5432/127.0.0.1 $held}" >cause 2>err
    assert_equal "$(cat cause)" "connect 127.0.0.1:$held: Connection refused"
    start_listener -k 127.0.0.1 0
    command=$(sed -n '/^sockcat -z/,$p' examples)
    bash -c "${command/db 5432 6379/127.0.0.1 $port $held}" >table 2>err
    assert_line "^$port	open	[0-9.]+\$" table
    assert_line "^$held	closed	[0-9.]+\$" table
}

@test "report: a probe of one port, and a path that cannot be connected" {
    need jq
    hold_port
    ! "$SOCKCAT" -z --report=json:"$T/port" 127.0.0.1 "$held" 2>"$T/err" || fail "it is open"
    assert_equal "$(members 'select(.event == "probe") | .state, .address' "$T/port")" "closed null"
    assert_equal "$(cat "$T/err")" ""
    ! "$SOCKCAT" --report=json:"$T/path" -U "$T/none" 2>"$T/err" || fail "it was connected"
    assert_equal "$(members 'select(.state == "failed") | .cause' "$T/path")" "No such file or directory"
}
