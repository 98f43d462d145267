#!/usr/bin/env bash
# Installs missing build dependencies, builds the release binary, and transfers a file of about 100 MB
# through a listener and a client, over TCP and over a Unix socket. Compares the digests at both ends
# and prints the rate.
#
#   ./packaging/quickstart.sh
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/install.sh
. scripts/install.sh

echo "== 1. What is needed to build"
install_needs_compiler
install_needs cmake:cmake make:make sha256sum:coreutils

echo "== 2. Build (build/release)"
cmake --preset release >build.log.tmp 2>&1 || { cat build.log.tmp; rm -f build.log.tmp; exit 1; }
rm -f build.log.tmp
cmake --build --preset release --target sockcat -- -s
sockcat=$PWD/build/release/sockcat
"$sockcat" --version

echo "== 3. The main job"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
file=$work/file
# The contents of the system's libraries, repeated up to the size.
for library in $(find -L /usr/lib /lib -name '*.so*' -type f -size +64k 2>/dev/null | head -n 400); do
    cat "$library"
done | head -c 100000000 >"$file" || true
size=$(stat -c %s "$file")
while [ "$size" -lt 100000000 ]; do
    head -c $((100000000 - size)) "$file" | cat >"$work/more"
    [ -s "$work/more" ] || head -c 100000000 /dev/urandom >"$work/more"
    cat "$work/more" >>"$file"
    size=$(stat -c %s "$file")
done
rm -f "$work/more"
want=$(sha256sum <"$file")
echo "file:  $size bytes, sha256 ${want%% *}"

# transfer NAME LISTENER-ARGUMENTS -- CLIENT-ARGUMENTS ('PORT' stands for what the listener reports)
transfer() {
    local name=$1 listen=() connect=() line started ended receiver status=0
    shift
    while [ "$1" != -- ]; do
        listen+=("$1")
        shift
    done
    shift
    mkfifo "$work/ready"
    "$sockcat" -l --ready-fd 9 "${listen[@]}" </dev/null >"$work/copy" 2>"$work/errors" 9>"$work/ready" &
    receiver=$!
    IFS= read -r line <"$work/ready"
    rm -f "$work/ready"
    connect=("${@//PORT/$line}")
    started=$(date +%s%N)
    "$sockcat" "${connect[@]}" <"$file" || status=$?
    wait "$receiver" || status=$?
    ended=$(date +%s%N)
    if [ "$status" -ne 0 ] || [ "$(sha256sum <"$work/copy")" != "$want" ]; then
        cat "$work/errors"
        echo "$name: FAILED (status $status)"
        return 1
    fi
    echo "$name: $((size / ((ended - started) / 1000 + 1))) MB/s, digest equal, both ends exit 0"
}

transfer "TCP, IPv4   " 127.0.0.1 0 -- 127.0.0.1 PORT
if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
    transfer "TCP, IPv6   " ::1 0 -- ::1 PORT
fi
transfer "Unix socket " -U "$work/socket" -- -U PORT
echo
echo "sockcat is built: build/release/sockcat. Try: build/release/sockcat --help"
