#!/usr/bin/env bash
# Compares the transfer of files with tar through nc and socat, rsync's daemon and scp, in one run and in a
# network namespace of its own. See README.md for what is measured.
#
#   ./bench/transfer.sh [--quick] [--rounds N] [--size MIB] [--files N] [--folder DIR]
#
# A complete run writes bench/results/transfer.md; with another option than --rounds it is
# build/bench/results/transfer.md. It needs root, or user namespaces.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=bench/prepare.sh
. bench/prepare.sh
prepare_peers nc.openbsd:netcat-openbsd socat:socat rsync:rsync scp:openssh-client openssl:openssl
# shellcheck disable=SC2119 # it needs no programs
prepare_programs

# The ssh server is only unpacked: an installed one would begin to serve this machine.
if [ ! -x "$build/sshd/usr/sbin/sshd" ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
    mkdir -p "$build/sshd"
    (cd "$build/sshd" && apt-get download openssh-server openssh-sftp-server &&
        for package in *.deb; do dpkg-deb -x "$package" .; done) >/dev/null 2>&1 || echo "Without an ssh server."
fi

# sshd needs more than one user, which a user namespace of its own does not have.
namespace=(unshare -r -n)
[ "$(id -u)" -ne 0 ] || namespace=(unshare -n)
exec "${namespace[@]}" python3 -B bench/transfer.py --sockcat "$SOCKCAT" --build "$build" "$@"
