#!/usr/bin/env bash
# Compares how sockcat and others serve many clients at a time, side by side in one run. README.md
# here says what is measured; --help says what can be chosen.
#
#   ./bench/scale.sh [--quick] [--rounds N] [--seconds S] [ROW...]
#
# A complete run writes bench/results; with --quick or with rows chosen it is build/bench/results.
# prepare.sh says what of the environment counts.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=bench/prepare.sh
. bench/prepare.sh
prepare_peers ncat:ncat socat:socat
prepare_programs limit crowd

exec python3 -B bench/scale.py --sockcat "$SOCKCAT" --build "$build" "$@"
