#!/usr/bin/env bash
# Builds the unsigned Debian package from a copy of this tree and checks it with lintian, whose errors
# and warnings are failures. Installs missing build dependencies; the build itself needs no network
# and is reproducible.
#
#   ./packaging/deb.sh [OUTDIR]    the .deb goes there; default: build/package
set -euo pipefail
source_tree=$(cd "$(dirname "$0")/.." && pwd -P)
# shellcheck source=scripts/install.sh
. "$source_tree/scripts/install.sh"
mkdir -p "${1:-$source_tree/build/package}"
outdir=$(cd "${1:-$source_tree/build/package}" && pwd)
cd "$source_tree"

echo "== What is needed to build a package"
install_needs dpkg-buildpackage:dpkg-dev dh:debhelper lintian:lintian
if ! dpkg-checkbuilddeps packaging/debian/control; then
    install_packages build-essential debhelper cmake libssl-dev libarchive-dev
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Files that git tracks or does not ignore; without git everything but the builds.
if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$source_tree" ]; then
    git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
        [ ! -e "$file" ] || printf '%s\0' "$file"
    done >"$work/files"
else
    find . \( -path ./build -o -path ./.git \) -prune -o \( -type f -o -type l \) -print0 >"$work/files"
fi
mkdir "$work/sockcat"
tar -c --null -T "$work/files" | tar -x -C "$work/sockcat"
cp -R "$work/sockcat/packaging/debian" "$work/sockcat/debian"
cd "$work/sockcat"

version=$(sed -n 's/^project(sockcat VERSION \([0-9.]*\) .*/\1/p' CMakeLists.txt)
if [ "$(dpkg-parsechangelog -S Version)" != "$version" ]; then
    echo "packaging/debian/changelog does not match version $version of CMakeLists.txt" >&2
    exit 1
fi

echo "== Build"
# No package of debugging symbols: it is for archives only.
export DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:+$DEB_BUILD_OPTIONS }noautodbgsym"
dpkg-buildpackage -us -uc -b

echo "== Lintian"
as_root=()
[ "$(id -u)" -ne 0 ] || as_root=(--allow-root)
lintian "${as_root[@]}" --display-info --fail-on error,warning "$work"/sockcat_*.changes

cp "$work"/*.deb "$outdir"
echo "== Done"
(cd "$work" && printf '%s\n' *.deb) | sed "s|^|$outdir/|"
