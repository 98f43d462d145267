# Runs examples of the README and the manual as they stand, in a network namespace of their own, so that
# the port numbers in them are free.
#
# An example has stages, with empty lines between them. In a stage the lines after the prompt "server$" run
# in the background, those after "client$" when every listener of the server is ready, those after "$" when
# both have ended. "> " continues a line. A server with -k and without --max-accepts is terminated after its
# clients. Lines without a prompt are what the commands before them print.

# split_example N: writes the stages of example N of standard input, where a line "== " begins each, to
# $T/STAGE.{server,client,then} and what they print to $T/STAGE.PART.wanted. Sets $stages.
split_example() {
    awk -v example="$1" -v to="$T" '
        BEGIN { part["server$"] = "server"; part["client$"] = "client"; part["$"] = "then"; stage = 1 }
        $1 == "==" { n++; next }
        n != example { next }
        $0 == "" { stage++; next }
        $1 in part { who = part[$1]; sub(/^[a-z]*[$] /, ""); print > (to "/" stage "." who); next }
        /^> / { sub(/^> /, ""); print > (to "/" stage "." who); next }
        { print > (to "/" stage "." who ".wanted") }
        END { print stage > (to "/stages") }'
    stages=$(cat "$T/stages")
    [ -s "$T/1.client" ] || [ -s "$T/1.then" ] || fail "there is no example $1"
}

# Whether as many processes listen as the server of stage $1 starts.
example_is_ready() {
    [ "$(ss -Hltuxnp | grep -oE '"(sockcat|nc)",pid=[0-9]*' | sort -u | wc -l)" -ge \
        "$(grep -cE '(sockcat|nc) -l' "$1.server")" ]
}

# example_stage FOLDER STAGE FUNCTION: inside the namespace, which FUNCTION has to prepare.
example_stage() {
    set -euo pipefail
    cd "$1"
    local stage=$2 server=''
    PATH=$1/bin:$PATH
    rm -f s.sock ready
    "$3"
    if [ -e "$stage.server" ]; then
        bash -uo pipefail "$stage.server" </dev/null >"$stage.server.out" 2>&1 &
        server=$!
        until_true 20 example_is_ready "$stage" || fail "no listener: $(cat "$stage.server.out")"
    fi
    [ ! -e "$stage.client" ] || bash -uo pipefail "$stage.client" </dev/null >"$stage.client.out" 2>&1
    if grep -qs -- 'sockcat -lk' "$stage.server" && ! grep -q -- '--max-accepts' "$stage.server"; then
        kill -TERM "$(ss -Hltnp | sed -n 's/.*pid=\([0-9]*\).*/\1/p' | head -n 1)"
    fi
    [ -z "$server" ] || wait "$server" || true
    [ ! -e "$stage.then" ] || bash -uo pipefail "$stage.then" </dev/null >"$stage.then.out" 2>&1
}

example_nothing() { :; }

# play_example N [FUNCTION]: runs example N of standard input; FUNCTION prepares the namespace.
play_example() {
    local stage wanted
    need_netns
    need ss
    split_example "$1" || return
    mkdir -p "$T/bin" "$T/directory/below" "$T/copies"
    printf '#!/bin/sh\nexec timeout -s KILL %d "%s" "$@"\n' $((60 * LAST_RESORT)) "$SOCKCAT" >"$T/bin/sockcat"
    chmod +x "$T/bin/sockcat"
    head -c 300000 /dev/urandom >"$T/file"
    cp "$T/file" "$T/directory/below/copy"
    export -f example_stage example_is_ready "${2:-example_nothing}"
    for ((stage = 1; stage <= stages; stage++)); do
        in_netns example_stage "$T" "$stage" "${2:-example_nothing}" >"$T/err" 2>&1 </dev/null ||
            fail "example $1, stage $stage: status $?: $(cat "$T"/"$stage".*.out "$T/err")" || return
        for wanted in "$T/$stage".*.wanted; do
            [ ! -e "$wanted" ] || diff "$wanted" "${wanted%.wanted}.out" || fail "example $1, stage $stage" ||
                return
        done
    done
}
