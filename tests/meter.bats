#!/usr/bin/env bats
# meter.bats - --progress: the bar on a terminal, lines and objects elsewhere. The rates, the window and the
# widths are tested in tests/unit/meter_test.c.
load lib/helper

@test "progress: the share is 100 % only when the peer has acknowledged all; the bar fits the terminal" {
    drive meter confirmed
}

@test "progress: what is sent but not acknowledged is 99 %" { drive meter unacknowledged; }

@test "progress: without a terminal it is a line every ten seconds" { drive meter each_ten_seconds; }

@test "progress: when the connection is lost the share stays, and the message has a line of its own" {
    drive meter lost
}

@test "progress: a signal removes the bar" { drive meter interrupted; }

@test "progress: a message removes the bar, which is then shown again" { drive meter messages_between; }

@test "progress: received data on the same terminal takes the place of the bar" { drive meter same_terminal; }

@test "progress: as JSON it is one object a second, on standard error or in the report" {
    drive meter json_objects
}

@test "progress: the direction that moves is shown, with its size, messages and the other direction" {
    drive meter directions
}

@test "progress: the kernel moves the data, and without a terminal there are no control characters" {
    start_peer recvall close
    head -c 1000000 /dev/zero >"$T/in"
    sockcat -vv --progress 127.0.0.1 "$peer_port" <"$T/in" 2>"$T/err"
    assert_line 'spliced in the kernel' "$T/err"
    assert_line '^sockcat: 1\.0 MB sent \(100% of 1\.0 MB\) in 0:0[0-9], ' "$T/err"
    ! grep -q $'[\r\e]' "$T/err" || fail "control characters: $(cat -v "$T/err")"
}

@test "progress: the clients of a listener are added up, and datagrams are counted" {
    start_listener -k -d --max-accepts 2 --progress 127.0.0.1 0
    printf 12345 | sockcat 127.0.0.1 "$port"
    printf 67 | sockcat 127.0.0.1 "$port"
    assert_listener_ends 0 '^sockcat: 7 B received in .*, 2 clients$'
    printf hello >"$T/in"
    start_listener -u -d -W 1 127.0.0.1 0
    sockcat -u -q 0 --progress 127.0.0.1 "$port" <"$T/in" 2>"$T/err"
    assert_one_error "$T/err" ': 5 B sent \(100% of 5 B\) in '
}

@test "progress: it is only shown if there is a session" {
    hold_port
    assert_fails 7 'connect' sockcat --progress 127.0.0.1 "$held" </dev/null
    assert_fails 3 "invalid --progress 'x': expected bar, line or json" sockcat --progress=x 127.0.0.1 "$held"
}
