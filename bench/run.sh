#!/usr/bin/env bash
# Compares sockcat with other tools and with the limit of the kernel, in one run. See README.md for
# what is measured and --help for the options.
#
#   ./bench/run.sh [--quick] [--rounds N] [--size MIB] [--turns N] [ROW...]
#
# A complete run writes bench/results; with --quick or with rows chosen it is build/bench/results.
# prepare.sh lists the environment variables.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=bench/prepare.sh
. bench/prepare.sh
prepare_peers nc.openbsd:netcat-openbsd nc.traditional:netcat-traditional ncat:ncat socat:socat perl:perl
prepare_programs limit drive

exec python3 -B bench/run.py --sockcat "$SOCKCAT" --build "$build" "$@"
