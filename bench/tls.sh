#!/usr/bin/env bash
# Compares TLS with ncat, socat, openssl(1) and a bare loop of the library, in one run and in a network namespace of
# its own. See README.md for what is measured.
#
#   ./bench/tls.sh [--quick] [--rounds N] [--size MIB] [--seconds N] [--clients N]
#
# A complete run writes bench/results/tls.md; with another option than --rounds it is
# build/bench/results/tls.md. It needs root, or user namespaces.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=bench/prepare.sh
. bench/prepare.sh
prepare_peers ncat:ncat socat:socat openssl:openssl
# shellcheck disable=SC2119 # it needs no programs
prepare_programs
cc -std=gnu11 -O2 -Wall -Wextra -pthread -o "$build/tls_limit" bench/tls_limit.c -lssl -lcrypto
sh tests/lib/certificates.sh "$build/certificates"
exec unshare -r -n python3 -B bench/tls.py --sockcat "$SOCKCAT" --build "$build" "$@"
