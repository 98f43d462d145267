#!/usr/bin/env bash
# Compares how sockcat and others serve many clients at a time, side by side in one run. README.md
# here says what is measured; --help says what can be chosen.
#
#   ./bench/scale.sh [--quick] [--rounds N] [--seconds S] [ROW...]
#
# A complete run writes bench/results; with --quick or with rows chosen it is build/bench/results.
#   SOCKCAT=FILE       measures this binary instead of building one
#   BENCH_BUILD=DIR    for the programs and the partial results, instead of build/bench
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/install.sh
. scripts/install.sh
install_needs_compiler
install_needs cmake:cmake make:make python3:python3 gnuplot:gnuplot-nox
# A system need not have both; who is missing is left out.
for peer in ncat:ncat socat:socat; do
    install_needs "$peer" || echo "Without ${peer%%:*}."
done

if [ -z "${SOCKCAT:-}" ]; then
    cmake --preset release >/dev/null
    cmake --build --preset release --target sockcat -- -s >/dev/null
    SOCKCAT=$PWD/build/release/sockcat
fi
build=${BENCH_BUILD:-$PWD/build/bench}
mkdir -p "$build"
for program in limit crowd; do
    cc -std=gnu11 -O2 -Wall -Wextra -pthread -o "$build/$program" "bench/$program.c"
done

exec python3 -B bench/scale.py --sockcat "$SOCKCAT" --build "$build" "$@"
