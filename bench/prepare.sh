# Sourced, in the top folder: what run.sh and scale.sh need before they measure.
#
#   SOCKCAT=FILE       measures this binary instead of building one
#   BENCH_BUILD=DIR    for the programs and the partial results, instead of build/bench
# shellcheck shell=bash
# shellcheck source=scripts/install.sh
. scripts/install.sh

# prepare_peers NAME:PACKAGE...: a system need not have all of them; who is missing is left out, and
# the results say so.
prepare_peers() {
    local peer
    install_needs_compiler
    install_needs cmake:cmake make:make python3:python3 cmp:diffutils gnuplot:gnuplot-nox
    for peer in "$@"; do
        install_needs "$peer" || echo "Without ${peer%%:*}."
    done
}

# prepare_programs NAME...: sets SOCKCAT and build, with these programs in it.
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
