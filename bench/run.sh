#!/usr/bin/env bash
# Compares sockcat with the tools that people use today and with the limit of the kernel, side by
# side in one run. README.md here says what is measured; --help says what can be chosen.
#
#   ./bench/run.sh [--quick] [--rounds N] [--size MIB] [--turns N] [ROW...]
#
# A complete run writes bench/results; with --quick or with rows chosen it is build/bench/results.
#   SOCKCAT=FILE       measures this binary instead of building one
#   BENCH_BUILD=DIR    for the programs and the partial results, instead of build/bench
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/install.sh
. scripts/install.sh
install_needs_compiler
install_needs cmake:cmake make:make python3:python3 cmp:diffutils gnuplot:gnuplot-nox
# A system need not have all of them; who is missing is left out, and the results say so.
for peer in nc.openbsd:netcat-openbsd nc.traditional:netcat-traditional ncat:ncat socat:socat perl:perl; do
    install_needs "$peer" || echo "Without ${peer%%:*}."
done

if [ -z "${SOCKCAT:-}" ]; then
    cmake --preset release >/dev/null
    cmake --build --preset release --target sockcat -- -s >/dev/null
    SOCKCAT=$PWD/build/release/sockcat
fi
build=${BENCH_BUILD:-$PWD/build/bench}
mkdir -p "$build"
for program in limit drive; do
    cc -std=gnu11 -O2 -Wall -Wextra -pthread -o "$build/$program" "bench/$program.c"
done

exec python3 -B bench/run.py --sockcat "$SOCKCAT" --build "$build" "$@"
