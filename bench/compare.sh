#!/usr/bin/env bash
# Compares this sockcat with an older one, in turn, in one run: whether a change made a row slower.
#
#   ./bench/compare.sh OLD [--rounds N] [--size MIB] [--turns N] [ROW...]
#
# OLD is the older binary. prepare.sh lists the environment variables.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=bench/prepare.sh
. bench/prepare.sh
prepare_programs limit drive

exec python3 -B bench/compare.py --sockcat "$SOCKCAT" --build "$build" "$@"
