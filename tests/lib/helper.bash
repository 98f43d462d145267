# shellcheck shell=bash
# helper.bash - what the tests share: listeners and scripted peers in the background, bounded
# waiting, assertions, skips with a reason. For bats 1.2 or later: "load lib/helper".
#
# From the environment: SOCKCAT, the program under test; SHIM_LIB, the built shim.c (optional).
# setup and teardown are defined here; a file with its own calls helper_setup and stop_all.
# Functions that set variables (start_*, hold_port, finish) must not be called through "run".

# shellcheck disable=SC2034 # what functions set is for the tests
HELPER_DIR=${BASH_SOURCE[0]%/*}
[[ $HELPER_DIR == /* ]] || HELPER_DIR=$(cd "$HELPER_DIR" && pwd)
PEER=$HELPER_DIR/peer.py
CASES=${HELPER_DIR%/lib}/cases
started=()

# What holds for all tests of a file is computed when the file is read, and the tests inherit it.
if [ "${MEASURED:-}" != "${SOCKCAT:-none}" ]; then
    MEASURED=${SOCKCAT:-none}
    # Under sanitizers everything that waits has more time.
    PATIENCE=1
    ! grep -qs __asan_init "$MEASURED" || PATIENCE=4
    PROCESSORS=$(nproc 2>/dev/null || echo 1)
    export MEASURED PATIENCE PROCESSORS
fi

# Sets $T, the directory of this test, and checks SOCKCAT. First thing in a setup.
helper_setup() {
    if [ -z "${SOCKCAT:-}" ] || [ ! -x "$SOCKCAT" ]; then
        fail "SOCKCAT must name the program under test, is: '${SOCKCAT:-}'"
        return 1
    fi
    trace_failures
    T=${BATS_TEST_TMPDIR:-$(mktemp -d)} # bats before 1.4 has no directory per test
    started=()
    # On a machine that has more to do than processors everything that waits has more time: see
    # patient. The limits of whole programs are set when they start, before the load may begin, and
    # are only a last resort.
    slowness
    LAST_RESORT=$((PATIENCE * (1 + slow)))
    PEER_LIMIT=${PEER_LIMIT:-$((60 * LAST_RESORT))}
    export SOCKCAT T PEER LAST_RESORT PEER_LIMIT
    export -f sockcat # so that it can be used in bash -c '...'
}

# bats notes where a test is before each command, to say later where it failed; that takes 0.4 ms for
# each of them, also where something is waited for. Here only a failure looks where it is.
trace_failures() {
    [ "${BATS_TRACE_LEVEL:-0}" -eq 0 ] && declare -F bats_error_trap >/dev/null || return 0
    set +T
    trap - DEBUG
    trap 'bats_error_trap; trace_failure' ERR
}

trace_failure() {
    local i
    [ "$BASH_SUBSHELL" -eq 0 ] || return 0
    BATS_DEBUG_LAST_STACK_TRACE=()
    for ((i = 1; i < ${#FUNCNAME[@]}; i++)); do
        BATS_DEBUG_LAST_STACK_TRACE+=("${BASH_LINENO[i - 1]} ${FUNCNAME[i]} ${BASH_SOURCE[i]:-$BATS_TEST_SOURCE}")
        case ${FUNCNAME[i]} in
        "$BATS_TEST_NAME" | setup | teardown) break ;;
        esac
    done
}

setup() { helper_setup; }

teardown() { stop_all; }

# Ends what start_listener, start_peer and start left running; after a failed test shows what
# was written to standard error. First thing in a teardown.
stop_all() {
    local pid file
    for pid in ${started[@]+"${started[@]}"}; do
        kill -TERM "$pid" 2>/dev/null || continue
        until_true 1 is_gone "$pid" || kill -KILL "$pid" 2>/dev/null || :
        wait "$pid" 2>/dev/null || :
    done
    started=()
    if [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -n "${BATS_TEST_NAME:-}" ]; then
        for file in "${T:-/nonexistent}"/*.err; do
            if [ -s "$file" ]; then
                sed "s|^|${file##*/}: |" "$file"
            fi
        done
    fi
    [ -n "${BATS_TEST_TMPDIR:-}" ] || rm -rf "${T:?}"
}

# fail MESSAGE...: prints the message and returns 1; use as the last word: "... || fail why".
fail() {
    printf '%s\n' "$*" >&2
    return 1
}

# ---- the program ----

# sockcat ARG...: the program in the foreground, killed after $LIMIT seconds (default 30; longer on
# a slow machine). That is status 137, because timeout's own 124 is one of the program's statuses.
# $WAY: an option in front of all others, for sockcat and start_listener.
sockcat() { timeout -v -s KILL $((${LIMIT:-30} * LAST_RESORT)) "$SOCKCAT" ${WAY:+"$WAY"} "$@"; }

# client ARG...: sockcat in the foreground, with the redirections of the call; sets $status, and
# standard error goes to $T/client.err.
client() {
    status=0 output=
    sockcat "$@" 2>"$T/client.err" || status=$?
}

# with_shim RULES COMMAND...: runs a program or a function (sockcat, start_listener, bash -c ...)
# such that RULES (see shim.c) hold for every $SOCKCAT that is started, and for nothing else.
with_shim() {
    local rules=$1 WAY=${WAY:-}
    shift
    # Bytes that the kernel moves by itself pass by these.
    case $rules in
    *readv:* | *writev:* | *recvmsg:* | *sendmsg:*) WAY=--no-splice ;;
    esac
    LD_PRELOAD=$SHIM_LIB SHIM=$rules SHIM_PROG=${SOCKCAT##*/} "$@"
}

# pty ARG...: pty.py, see there, in the foreground; what the terminal shows goes to $T/tty.out.
pty() { python3 "$HELPER_DIR/pty.py" --out "$T/tty.out" "$@"; }

# start COMMAND...: runs a program in the background with standard input from $START_IN, output
# to $T/background.out and .err; sets $pid. stop_all ends it.
start() {
    {
        # A signal that arrives before the program runs must not look like the end of the test.
        trap - DEBUG ERR EXIT
        declare -F "$1" >/dev/null || exec "$@"
        "$@"
    } <"${START_IN:-/dev/null}" >"$T/background.out" 2>"$T/background.err" 3>&- &
    pid=$!
    started+=("$pid")
}

# feed STEP...: starts a writer for the FIFO $T/in, which takes the steps in order and then closes
# it.  Text (with printf's escapes) is written, @FILE waits for the file, =FILE writes it out.
feed() {
    mkfifo "$T/in"
    (
        trap - DEBUG ERR EXIT
        exec >"$T/in"
        for step; do
            case $step in
            @*) until [ -e "${step#@}" ]; do tick; done ;;
            =*) cat "${step#=}" ;;
            *) printf %b "$step" ;;
            esac
        done
    ) 2>"$T/feed.err" 3>&- &
    started+=("$!")
}

# start_server COMMAND...: like start, for any program that listens; returns when it can be reached.
# Sets $port, too: the port that it got from the kernel, or its path or @name. After "need ss".
start_server() {
    start "$@"
    until_true 20 find_server_port || fail "the server did not come up: $*"
}

find_server_port() {
    local line
    line=$(ss -Hltuxnp | grep -m 1 "pid=$pid,") || return 1
    read -r _ _ _ _ port _ <<<"$line"
    port=${port##*:}
}

# start_listener ARG...: runs "sockcat -l --ready-fd N ARG..." in the background and returns when
# it can be reached. Sets $port (the ready line: a port, or a path) and $listener (the pid).
# Standard streams: $LISTENER_IN (/dev/null), $LISTENER_OUT ($T/listener.out), $LISTENER_ERR
# ($T/listener.err). A FIFO as $LISTENER_IN must be open for writing already.
start_listener() {
    [ ! -e "$T/.ready" ] || rm "$T/.ready"
    mkfifo "$T/.ready"
    "$SOCKCAT" ${WAY:+"$WAY"} -l --ready-fd 9 "$@" 9>"$T/.ready" <"${LISTENER_IN:-/dev/null}" \
        >"${LISTENER_OUT:-$T/listener.out}" 2>"${LISTENER_ERR:-$T/listener.err}" 3>&- &
    listener=$!
    started+=("$listener")
    read_ready port || fail "the listener did not come up: sockcat -l $*"
}

# start_peer [peer.py's options] STEP...: runs peer.py in the background. Sets $peer (the pid)
# and, for a listening peer, $peer_port (a port, or "ready") after it can be reached. Output in
# $T/peer.out, whose first line is that port, and $T/peer.err.
start_peer() {
    [ ! -e "$T/.ready" ] || rm "$T/.ready"
    mkfifo "$T/.ready"
    peer_port=
    case " $* " in
    *" --connect "*) module peer "$@" </dev/null >"$T/peer.out" 2>"$T/peer.err" 3>&- & ;;
    *) module peer --ready-fd 9 "$@" 9>"$T/.ready" </dev/null >"$T/peer.out" \
        2>"$T/peer.err" 3>&- & ;;
    esac
    peer=$!
    started+=("$peer")
    case " $* " in
    *" --connect "*) ;;
    *) read_ready peer_port || fail "the peer did not come up: peer.py $*" ;;
    esac
}

# hold_port: sets $held, a TCP port of 127.0.0.1 that is taken without a listener: to
# connect to it is refused, and no other test can get it.
hold_port() {
    rm -f "$T/held"
    python3 -c 'import signal, socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
signal.pause()' </dev/null >"$T/held" 2>/dev/null 3>&- &
    started+=("$!")
    await_line "$T/held" '^[0-9]+$' || return
    held=$(cat "$T/held")
}

# module NAME ARG...: python3 becomes a module of tests/lib or tests/cases, whose bytecode is kept.
module() {
    PYTHONPATH=$HELPER_DIR:$CASES${PYTHONPATH:+:$PYTHONPATH} PYTHONDONTWRITEBYTECODE='' \
        exec ${module_limit:+timeout -v -s KILL "$module_limit"} python3 -S -m "$@"
}

# drive FILE [CASE] [ARG...]: runs tests/cases/FILE.py, of which CASE is a function.
drive() { (module_limit=$((${LIMIT:-60} * LAST_RESORT)) && module "$@"); }

# each: runs every line of standard input, a function and its arguments, in a directory of its own, and ends
# what it has started. SOCKET, BACK and NAME stand for two paths and an abstract name; without IPv6 lines with
# ::1 are left out. Fails if no line is run.
each() {
    local rows row words all=$T ran=0
    mapfile -t rows
    [ "${#rows[@]}" -gt 0 ] || fail "each: no rows" || return
    for row in "${rows[@]}"; do
        if [[ $row == *::1* ]] && ! has_ipv6; then
            echo "# left out, no IPv6 on lo: $row" >&3
            continue
        fi
        echo "$row"
        ran=$((ran + 1))
        T=$(mktemp -d "$all/row.XXX")
        row=${row//SOCKET/$T/sock}
        row=${row//BACK/$T/back}
        read -ra words <<<"${row//NAME/${T//\//.}}"
        "${words[@]}"
        stop_all
    done
    T=$all
    [ "$ran" -gt 0 ] || fail "each: no row was run"
}

# read_ready VARIABLE: reads the line that is due on $T/.ready. An end of file, because the
# writer ended, is a failure at once.
read_ready() {
    local line='' part fd result=1 patience_left patience_last
    patience 20
    exec {fd}<"$T/.ready"
    while patient; do
        result=0
        IFS= read -r -t 0.5 -u "$fd" part || result=$?
        line+=$part
        # Above 128: it is not there yet.
        [ "$result" -gt 128 ] || break
    done
    exec {fd}<&-
    [ "$result" -eq 0 ] || return 1
    printf -v "$1" %s "$line"
}

# ---- waiting, always bounded ----

# tick [SECONDS]: one tick of polling, by default 10 ms, without a process and without a descriptor that
# children inherit.
tick() {
    [ -p "$T/.tick" ] || mkfifo "$T/.tick" 2>/dev/null || :
    read -r -t "${1:-0.01}" _ <>"$T/.tick" || :
}

# slowness: sets $slow, by how much longer anything takes now than alone: the processes that want to
# run for each processor, at least 1.
slowness() {
    local running=1
    { read -r _ _ _ running _ </proc/loadavg; } 2>/dev/null || :
    slow=$((${running%%/*} / PROCESSORS))
    [ "$slow" -ge 1 ] || slow=1
}

# patience SECONDS: begins to wait, with "local patience_left patience_last". patient: true until
# SECONDS have passed, of which each counts only in part while other processes want to run, too.
patience() {
    patience_last=${EPOCHREALTIME/[.,]/}
    patience_left=$(($1 * 1000000 * PATIENCE))
}
patient() {
    local now=${EPOCHREALTIME/[.,]/} slow
    slowness
    patience_left=$((patience_left - (now - patience_last) / slow))
    patience_last=$now
    [ "$patience_left" -gt 0 ]
}

# until_true SECONDS COMMAND...: repeats a quick command until it succeeds; fails after SECONDS, more
# on a slow machine. What takes long is asked less often: each time costs processes.
until_true() {
    local patience_left patience_last asked=0
    patience "$1"
    shift
    until "$@"; do
        patient || return 1
        asked=$((asked + 1))
        tick 0.0$((asked < 20 ? 1 : 4))
    done
}

# is_gone PID: true if there is no such process, or only its status is left.
is_gone() {
    local stat=
    kill -0 "$1" 2>/dev/null || return 0
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    [[ $stat == *') Z '* ]]
}

# finish PID: waits for a child's end, at most $FINISH_LIMIT seconds (default 30). Sets $result
# to its exit status, 128+n after signal n. Fails, having killed it, when it does not end.
finish() {
    local rest=() pid in_time=0
    until_true "${FINISH_LIMIT:-30}" is_gone "$1" || in_time=1
    [ "$in_time" -eq 0 ] || kill -KILL "$1" 2>/dev/null || :
    result=0
    wait "$1" || result=$?
    for pid in ${started[@]+"${started[@]}"}; do
        [ "$pid" = "$1" ] || rest+=("$pid")
    done
    started=(${rest[@]+"${rest[@]}"})
    [ "$in_time" -eq 0 ] || fail "process $1 did not end in time"
}

# catches PID NAME: the process, which is the program under test, has a handler for this signal. The shell
# that is about to become the program has handlers, too.
catches() {
    local caught
    [ "/proc/$1/exe" -ef "$SOCKCAT" ] || return 1
    caught=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null)
    [ -n "$caught" ] && ((16#$caught >> ($(kill -l "$2") - 1) & 1))
}

# await_gone PID, await_file FILE, await_line FILE REGEX: wait at most 20 s for the process to be
# gone, the file to exist, a line in it to match.
await_gone() { until_true 20 is_gone "$1" || fail "process $1 is still there"; }
await_file() { until_true 20 test -e "$1" || fail "$1 did not appear"; }
await_line() {
    until_true 20 grep -Eqs -e "$2" "$1" || fail "no line '$2' in $1: $(cat "$1" 2>&1)"
}

# is_larger FILE N: it has at least N bytes; for until_true.
is_larger() { [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -ge "$2" ]; }

# cpu_ticks PID: the processor time that it has used, in 1/100 s.
cpu_ticks() {
    local stat
    read -r stat <"/proc/$1/stat"
    # shellcheck disable=SC2086 # to be split
    set -- ${stat##*) }
    echo $((${12} + ${13}))
}

# watch_idle PID: the process uses next to no processor time for about a second.
watch_idle() {
    local before after i
    before=$(cpu_ticks "$1")
    for ((i = 0; i < 100; i++)); do tick; done
    after=$(cpu_ticks "$1")
    [ $((after - before)) -lt 30 ] || fail "it spins: $((after - before)) ticks in a second"
}

# ---- assertions: return 1 and say why ----

# assert_status N: after "run".
assert_status() {
    # shellcheck disable=SC2154 # bats sets both
    [ "$status" -eq "$1" ] || fail "exit status $status instead of $1; output: $output"
}

# assert_equal GOT WANTED
assert_equal() { [ "$1" = "$2" ] || fail "got:    $1"$'\n'"wanted: $2"; }

# assert_same FILE FILE: the same bytes.
assert_same() {
    cmp -s "$1" "$2" && return
    fail "files differ:"$'\n'"$(wc -c "$1" "$2" 2>&1; sha256sum "$1" "$2" 2>&1; cmp "$1" "$2" 2>&1)"
}

# assert_line REGEX FILE: a line of the file matches.
assert_line() { grep -Eq -e "$1" "$2" || fail "no line '$1' in $2: $(cat "$2")"; }

# assert_one_error FILE REGEX: the file is one line, a message of the program that matches.
assert_one_error() {
    local lines
    mapfile lines <"$1"
    [ "${#lines[@]}" -eq 1 ] && [[ ${lines[0]} == *$'\n' ]] || fail "not exactly one line: ${lines[*]}" || return
    [[ ${lines[0]} == "${PROGRAM:-sockcat}: "* ]] || fail "not a message of ${PROGRAM:-sockcat}: ${lines[0]}" || return
    [[ ${lines[0]%$'\n'} =~ $2 ]] || fail "does not match '$2': ${lines[0]}"
}

# drop_usage FILE: removes the five lines of the usage.
drop_usage() { sed -i '/^usage: sockcat /,/^       sockcat -z /d' "$1"; }

# assert_fails STATUS REGEX COMMAND...: the command ends with STATUS and one line of error that
# matches, maybe before the five lines of the usage; its standard output is in $T/fails.out.
assert_fails() {
    local wanted=$1 pattern=$2 got=0
    shift 2
    "$@" >"$T/fails.out" 2>"$T/fails.err" || got=$?
    [ "$got" -eq "$wanted" ] || fail "exit status $got instead of $wanted: $(cat "$T/fails.err")" || return
    # It answers a line that is not understood.
    drop_usage "$T/fails.err"
    assert_one_error "$T/fails.err" "$pattern"
}

# assert_closed COMMAND...: the command ends with status 1, without output.
assert_closed() {
    local got=0
    "$@" </dev/null >"$T/closed.out" 2>&1 || got=$?
    assert_equal "$got $(cat "$T/closed.out")" "1 "
}

# assert_prefix FILE SEED: the file, not an empty one, is the beginning of sendrand:SEED.
assert_prefix() {
    local size
    size=$(stat -c %s "$1")
    [ "$size" -gt 0 ] || fail "$1 is empty" || return
    # Random bytes come four at a time.
    head -c "$size" "$(random_file $(((size + 3) / 4 * 4)) "$2")" >"$T/prefix"
    assert_same "$1" "$T/prefix"
}

# assert_peer_done: the scripted peer took all its steps.
assert_peer_done() {
    finish "$peer"
    [ "$result" -eq 0 ] || fail "the peer failed: $(cat "$T/peer.err")"
}

# assert_listener_ends STATUS [REGEX]: the listener ends so, with one line that matches, or without any.
assert_listener_ends() {
    finish "$listener"
    # With port 0 the address is always told.
    grep -v '^sockcat: listening on ' "$T/listener.err" >"$T/listener.errors" || :
    assert_equal "$result" "$1"
    if [ -n "${2:-}" ]; then
        assert_one_error "$T/listener.errors" "$2"
    else
        assert_equal "$(cat "$T/listener.errors")" ""
    fi
}

# random_file N [SEED]: makes a file of N bytes, the same as peer.py's sendrand:SEED:N (default
# seed 1); prints its path.
random_file() {
    local name=random.$1.${2:-1} shared=${BATS_RUN_TMPDIR:-$T} own=$BASHPID
    if [ ! -e "$T/$name" ]; then
        # One for all tests, which must not write to it.
        if [ ! -e "$shared/$name" ]; then
            (module peer --random "${2:-1}" "$1") >"$shared/$name.$own"
            mv "$shared/$name.$own" "$shared/$name"
        fi
        [ -e "$T/$name" ] || ln "$shared/$name" "$T/$name"
    fi
    printf '%s\n' "$T/$name"
}

# ---- needs: skip the test, with the reason ----

# need COMMAND...
need() {
    local command
    for command in "$@"; do
        command -v "$command" >/dev/null || skip "needs $command"
    done
}

# need_plugin NAME: plug-ins are built where their libraries are installed.
need_plugin() { has_plugin "$1" || skip "needs the plug-in $1 (libssl-dev)"; }
has_plugin() { [ -e "${SOCKCAT%/*}/libexec/sockcat/$1.so" ]; }

need_root() { [ "$(id -u)" -eq 0 ] || skip "needs root"; }

# need_shim [malloc]: malloc if rules for the malloc family must work, too.
need_shim() {
    [ -r "${SHIM_LIB:-}" ] || skip "needs the shim library (SHIM_LIB)"
    [ "${1:-}" != malloc ] || ! grep -q __asan_init "$SOCKCAT" \
        || skip "needs an allocator that can fail; AddressSanitizer brings its own"
}

# Sets ARCHIVE, the program for directories.
need_archive() {
    export ARCHIVE=${SOCKCAT%/*}/libexec/sockcat/sockcat-archive
    [ -x "$ARCHIVE" ] || skip "needs sockcat-archive (libarchive)"
}

has_ipv6() { grep -qs '^0\{31\}1 ' /proc/net/if_inet6; }
need_ipv6() { has_ipv6 || skip "needs IPv6 on lo"; }

# need_netns: sets $netns, the command that enters a new network namespace.
need_netns() {
    need unshare ip
    for netns in "unshare -n" "unshare -rn"; do
        ! $netns ip link set lo up 2>/dev/null || return 0
    done
    skip "needs a network namespace of its own"
}

# in_netns FUNCTION|-c SCRIPT [ARG...]: runs it, after need_netns, in a new network namespace with
# lo up, in a shell that has this file's functions; what it starts ends with it. Other functions
# that it uses must be exported (export -f).
in_netns() {
    local body=
    if [ "$1" = -c ]; then
        body="_in_netns() { $2"$'\n'"}"
        shift 2
        set -- _in_netns "$@"
    else
        body=$(declare -f "$1")
    fi
    # shellcheck disable=SC2016,SC2086 # for the inner shell; two words
    timeout -v -s KILL $((${NETNS_LIMIT:-60} * LAST_RESORT)) $netns bash -c '
        set -eu; . "$1"; eval "$2"; shift 2
        trap "BATS_TEST_COMPLETED=1 BATS_TEST_TMPDIR=$T stop_all" EXIT
        ip link set lo up; "$@"' _ "$HELPER_DIR/helper.bash" "$body" "$@"
}
