#!/usr/bin/env bash
# Compares sockcat with the tools that people use today, side by side in one run: throughput of a
# file and of pipes over TCP on loopback, start to exit, and peak memory. Prints a Markdown table.
#
#   ./bench/throughput.sh [ROUNDS [MEBIBYTES]]      default: 5 rounds of 1024 MiB
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/install.sh
. scripts/install.sh
install_needs_compiler
install_needs cmake:cmake make:make python3:python3 nc.openbsd:netcat-openbsd ncat:ncat socat:socat
cmake --preset release >/dev/null
cmake --build --preset release --target sockcat -- -s >/dev/null
exec python3 bench/throughput.py "$PWD/build/release/sockcat" "${1:-5}" "${2:-1024}"
