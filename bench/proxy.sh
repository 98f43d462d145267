#!/usr/bin/env bash
# Compares tunnels through proxy servers, in one run and in a network namespace of its own. See README.md for what
# is measured.
#
#   ./bench/proxy.sh [--quick] [--rounds N] [--size MIB] [--connections N] [--tunnels N] [TOOL...]
#
# A complete run writes bench/results/proxy.md; with another option than --rounds it is
# build/bench/results/proxy.md. It needs root, or user namespaces.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=bench/prepare.sh
. bench/prepare.sh
export PATH="$PATH:/usr/sbin:/sbin"
prepare_peers microsocks:microsocks tinyproxy:tinyproxy-bin ncat:ncat
# shellcheck disable=SC2119 # it needs no programs
prepare_programs

# A network namespace of its own, in which squid and danted may have the users that they want.
namespace=(unshare -r -n)
[ "$(id -u)" -ne 0 ] || namespace=(unshare -n)
exec "${namespace[@]}" python3 -B bench/proxy.py --sockcat "$SOCKCAT" --build "$build" "$@"
