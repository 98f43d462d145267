#!/usr/bin/env bash
# Compares the probing of ports (-z) with nc and nmap, in one run and in a network namespace of its own. See
# README.md for what is measured.
#
#   ./bench/probe.sh [--quick] [--rounds N]
#
# A run writes bench/results/probe.md; with --quick it is build/bench/results/probe.md. It needs root, or user
# namespaces, and /dev/net/tun.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=bench/prepare.sh
. bench/prepare.sh
prepare_peers nc.openbsd:netcat-openbsd nc.traditional:netcat-traditional nmap:nmap
# shellcheck disable=SC2119 # it needs no programs
prepare_programs

exec unshare -r -n python3 -B bench/probe.py --sockcat "$SOCKCAT" --build "$build" "$@"
