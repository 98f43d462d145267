#!/usr/bin/env bash
# Runs the README's two commands, unchanged, in a minimal system of a Debian suite, on a clean copy of
# HEAD. Needs root, debootstrap and apt's archive; removes all that it creates.
#
#   ./packaging/try-distribution.sh SUITE              bookworm, trixie, sid
#   ./packaging/try-distribution.sh SUITE COMMAND...   run these commands instead of the README's
#   MIRROR=URI                     the archive; default: the one this machine's apt uses
#   SYSTEM=DIR                     keep the system in DIR and use it again; default: a temporary one
set -euo pipefail
source_tree=$(cd "$(dirname "$0")/.." && pwd -P)

if [ $# -eq 0 ] || [[ $1 == -* ]]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
    exit 2
fi
suite=$1
shift
[ $# -gt 0 ] || set -- ./packaging/quickstart.sh ./tests/run.sh
for tool in debootstrap unshare git; do
    command -v "$tool" >/dev/null || { echo "try-distribution: needs $tool" >&2; exit 2; }
done
[ "$(id -u)" -eq 0 ] || { echo "try-distribution: needs root" >&2; exit 2; }

if [ -z "${MIRROR:-}" ] && command -v apt-get >/dev/null; then
    # shellcheck disable=SC2016 # for apt-get
    MIRROR=$(apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
fi
[ -n "${MIRROR:-}" ] || { echo "try-distribution: apt names no Debian archive; set MIRROR" >&2; exit 2; }

# shellcheck disable=SC2317,SC2329 # called by the trap
remove() {
    [ -z "${temporary:-}" ] || rm -rf --one-file-system "$temporary"
}
trap remove EXIT
if [ -z "${SYSTEM:-}" ]; then
    temporary=$(mktemp -d "${TMPDIR:-/tmp}/try-$suite.XXXXXX")
fi
system=$(realpath -m "${SYSTEM:-$temporary}")
case "$system/" in
    "$source_tree"/*) echo "try-distribution: $system is inside the source tree" >&2; exit 2 ;;
esac
mkdir -p "$system"

# File systems are mounted and processes run in namespaces that end with the command: no mount is left
# when the directory is removed, and --one-file-system would not cross one.
own_namespace=(unshare --mount --pid --fork --kill-child --propagation private)
if [ ! -e "$system/.try-complete" ]; then
    echo "== $suite: a minimal system in $system"
    "${own_namespace[@]}" debootstrap --variant=minbase "$suite" "$system" "$MIRROR" >"$system/debootstrap.out" 2>&1 ||
        { tail -n 40 "$system/debootstrap.out"; exit 1; }
    # debootstrap does not create this file.
    printf '%s\n' '127.0.0.1 localhost' '::1 localhost ip6-localhost ip6-loopback' >"$system/etc/hosts"
    # The archive may be a snapshot with an expired Release file.
    echo 'Acquire::Check-Valid-Until "false";' >"$system/etc/apt/apt.conf.d/99try-distribution"
    touch "$system/.try-complete"
fi

rm -rf --one-file-system "$system/root/sockcat"
mkdir -p "$system/root/sockcat"
git -C "$source_tree" archive HEAD | tar -x -C "$system/root/sockcat"

status=0
# shellcheck disable=SC2016 # expanded inside
"${own_namespace[@]}" bash -euc '
    system=$1
    shift
    mount --bind "$system" "$system"
    cd "$system"
    mount -t proc proc proc
    mount -t sysfs sysfs sys
    mount -t tmpfs -o mode=755 tmpfs run
    mount -t tmpfs -o mode=1777 tmpfs dev/shm
    mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
    ln -sf pts/ptmx dev/ptmx
    exec chroot . /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        HOME=/root TERM=dumb ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        bash -uc "
            cd /root/sockcat
            . /etc/os-release
            for command; do
                echo
                echo \"==== \$PRETTY_NAME: \$command\"
                status=0
                bash -c \"\$command\" </dev/null || status=\$?
                echo \"==== \$PRETTY_NAME: \$command: status \$status\"
                [ \$status -eq 0 ] || exit \$status
            done" bash "$@"
' bash "$system" "$@" || status=$?
exit "$status"
