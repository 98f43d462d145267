#!/usr/bin/env bash
# Compares how sockcat and other tools serve many clients at a time, in one run. See README.md for
# what is measured and --help for the options.
#
#   ./bench/scale.sh [--quick] [--rounds N] [--seconds S] [ROW...]
#
# A complete run writes bench/results; with --quick or with rows chosen it is build/bench/results.
# prepare.sh lists the environment variables.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=bench/prepare.sh
. bench/prepare.sh
prepare_peers ncat:ncat socat:socat
prepare_programs limit clients

exec python3 -B bench/scale.py --sockcat "$SOCKCAT" --build "$build" "$@"
