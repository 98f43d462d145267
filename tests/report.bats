#!/usr/bin/env bats
# Reports: every event as a line, to standard error, a file or a descriptor, whatever happens to it.
# What the lines say is checked with their schema in tests/cases/report.py.
load lib/helper

# members FILTER FILE: what jq prints for each line, in one line.
members() { jq -r "$1" "$2" | tr '\n' ' ' | sed 's/ $//'; }

@test "report: a transfer is reported from the connection to the exit status" {
    need jq
    start_listener -k --max-accepts 1 --report=json:"$T/server" 127.0.0.1 0
    printf hello | "$SOCKCAT" --report=json:"$T/client" 127.0.0.1 "$port"
    assert_listener_ends 0
    assert_equal "$(members 'select(.event | IN("path", "reply-missing") | not) | .event' "$T/client")" "attempt connected input-ended closed exit"
    assert_equal "$(members 'select(.event != "path") | .event' "$T/server")" "listening accepted closed exit"
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

@test "report: as text, with the time and the number of the session" {
    hold_port
    ! "$SOCKCAT" --report=text 127.0.0.1 "$held" </dev/null 2>"$T/err" || fail "it was connected"
    assert_line '^....-..-..T..:..:..\.......Z connect 127.0.0.1:[0-9]+: Connection refused$' "$T/err"
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
