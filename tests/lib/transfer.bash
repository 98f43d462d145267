# For tests of transfers to a listener. Load it after helper.
# shellcheck shell=bash disable=SC2034,SC2154 # bats and the helper set the variables, and tests read them

# send WORD...: sends to the listener; sets $status; messages in $T/send.err.
send() {
    status=0
    sockcat 127.0.0.1 "$port" "$@" 2>"$T/send.err" || status=$?
}

# refused STATUS TEXT: both sides have ended with the status, and a line with the text.
refused() {
    assert_equal "$status" "$1"
    assert_one_error "$T/send.err" "$2"
    assert_listener_ends "$1" "$2"
}
