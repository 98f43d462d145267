# Sourced in the top folder by run.sh and scale.sh: builds and installs what they need.
#
#   SOCKCAT=FILE       measures this binary instead of building one
#   BENCH_BUILD=DIR    for the programs and the partial results, instead of build/bench
# shellcheck shell=bash
# shellcheck source=scripts/install.sh
. scripts/install.sh

# prepare_peers NAME:PACKAGE...: installs the other tools. Missing ones are omitted and noted in the
# results.
prepare_peers() {
    local peer
    install_needs_compiler
    install_needs cmake:cmake make:make python3:python3 cmp:diffutils
    for peer in "$@"; do
        install_needs "$peer" || echo "Without ${peer%%:*}."
    done
}

# prepare_programs NAME...: sets SOCKCAT and builds these programs into $build.
prepare_programs() {
    local program
    if [ -z "${SOCKCAT:-}" ]; then
        cmake --preset release >/dev/null
        cmake --build --preset release --target sockcat -- -s >/dev/null
        SOCKCAT=$PWD/build/release/sockcat
    fi
    build=${BENCH_BUILD:-$PWD/build/bench}
    mkdir -p "$build"
    for program in "$@"; do
        cc -std=gnu11 -O2 -Wall -Wextra -pthread -o "$build/$program" "bench/$program.c"
    done
}
