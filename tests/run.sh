#!/usr/bin/env bash
# Installs what is missing to test, builds, and runs the whole suite: unit tests under CTest with gcc
# and clang, and everything that is seen from outside under bats, with gcc's release binary and with
# clang's sanitizers; then the fuzz targets for a moment, and what is pure on a big-endian processor.
#
#   ./tests/run.sh                 all of it
#   ./tests/run.sh release         one preset: release (gcc), clang, asan, posix, fuzz; or bigendian
#   TESTS_MIN=N                    fail if fewer tests were really run per full preset (skips do
#                                  not count); CI sets it
#   JOBS=N                         parallel bats tests
#   FUZZ_SECONDS=N                 for each fuzz target
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/install.sh
. scripts/install.sh
# The system's own programs first: the wrapper of a version manager costs 0.1 s each time python starts.
export PATH="/usr/bin:/bin:$PATH:/usr/sbin:/sbin"

presets=("$@")
[ "$#" -gt 0 ] || presets=(release clang asan posix fuzz bigendian)
jobs=${JOBS:-$(($(nproc) * 2))}

echo "== What is needed to test"
install_needs_compiler
install_needs cmake:cmake make:make bats:bats parallel:parallel python3:python3 clang:clang \
    nc.openbsd:netcat-openbsd ncat:ncat socat:socat busybox:busybox curl:curl ip:iproute2 \
    nft:nftables setpriv:util-linux unshare:util-linux prlimit:util-linux readelf:binutils \
    strace:strace shellcheck:shellcheck ssh:openssh-client zsh:zsh fish:fish mandoc:mandoc \
    man:man-db groff:groff-base col:bsdextrautils jq:jq logger:bsdutils
# An ssh server that is only a library: a real one would begin to serve this machine.
/usr/bin/python3 -c 'import paramiko' 2>/dev/null || install_packages python3-paramiko
# A build is whole without it, but then there is less to test.
echo '#include <jansson.h>' | cc -E - >/dev/null 2>&1 || install_packages libjansson-dev
# The package is built and tried only where packages are Debian's.
if command -v apt-get >/dev/null 2>&1; then
    install_needs dpkg-buildpackage:dpkg-dev dh:debhelper lintian:lintian
    # Its tools are wanted; without systemd-sysv nothing of it is started, and no init replaced.
    install_needs systemd-analyze:systemd
    dpkg-checkbuilddeps packaging/debian/control ||
        install_packages build-essential debhelper cmake libjansson-dev
fi
# Names of services and protocols; a file, so no command to look for.
[ -e /etc/services ] || install_packages netbase
# The sanitizers' run-time library is a package of its own, and clang's version is in its name.
if ! echo 'int main(void) { return 0; }' |
    clang -fsanitize=address,fuzzer-no-link -x c -o /dev/null - >/dev/null 2>&1; then
    major=$(clang -dumpversion | cut -d. -f1)
    echo "Installing: libclang-rt-$major-dev"
    install_packages "libclang-rt-$major-dev"
fi

passed=0 failed=0 skipped=0

# Adds up what a bats TAP file says, and shows what was skipped and why.
count_tap() {
    local tap=$1 ok skip bad
    ok=$(grep -cE '^ok ' "$tap" || true)
    skip=$(grep -cE '^ok .* # skip' "$tap" || true)
    bad=$(grep -cE '^not ok ' "$tap" || true)
    grep -E '^ok .* # skip' "$tap" | sed 's/^ok [0-9]* /   skipped: /' || true
    passed=$((passed + ok - skip))
    skipped=$((skipped + skip))
    failed=$((failed + bad))
    ran=$((ok - skip + bad))
}

build() {
    local preset=$1
    cmake --preset "$preset" -DSOCKCAT_WERROR="${WERROR:-ON}" >"build/$preset.log" ||
        { cat "build/$preset.log"; return 1; }
    cmake --build --preset "$preset" -j "$(nproc)" -- -s
}

unit() {
    local preset=$1 report=build/$1/ctest.log total bad
    if ! ctest --test-dir "build/$preset" --output-on-failure -j "$(nproc)" >"$report" 2>&1; then
        cat "$report"
    fi
    total=$(sed -nE 's/.* tests failed out of ([0-9]+).*/\1/p' "$report")
    bad=$(sed -nE 's/.*, ([0-9]+) tests failed out of .*/\1/p' "$report")
    echo "   unit: $total tests, $bad failed"
    [ "${total:-0}" -gt 0 ] || bad=1
    passed=$((passed + ${total:-0} - bad))
    failed=$((failed + bad))
}

outside() {
    local preset=$1 tap=build/$1/bats.tap file files=()
    for file in tests/*.bats; do
        # Once is enough for what does not run the program, or makes one of its own.
        case "$preset:$file" in
            release:*) files+=("$file") ;;
            *:tests/completions.bats | *:tests/house.bats | *:tests/package.bats) ;;
            *) files+=("$file") ;;
        esac
    done
    # Without the sanitizers: what they would say of the shim is not what is asked.
    cc -std=c11 -O1 -fPIC -shared -o "build/$preset/shim.so" tests/lib/shim.c -ldl
    SOCKCAT=$PWD/build/$preset/sockcat SHIM_LIB=$PWD/build/$preset/shim.so \
        BUILD_DIR=$PWD/build/$preset ASAN_OPTIONS=detect_leaks=1 \
        UBSAN_OPTIONS=print_stacktrace=1 \
        bats --tap -j "$jobs" "${files[@]}" >"$tap" 2>"$tap.err" </dev/null || true
    grep -A 40 -E '^not ok ' "$tap" | grep -vE '^ok ' || true
    grep -vE '^$' "$tap.err" | head -n 20 || true
    count_tap "$tap"
    echo "   from outside: $ran tests run"
    if ! grep -qE "^1\.\.[1-9]" "$tap"; then
        echo "   bats ran nothing:"
        cat "$tap" "$tap.err"
        failed=$((failed + 1))
    elif [ "$ran" -lt "${TESTS_MIN:-1}" ]; then
        echo "   FAILED: fewer than $TESTS_MIN tests were run"
        failed=$((failed + 1))
    fi
}

fuzz() {
    local preset=$1 target name seeds seconds
    for target in build/"$preset"/tests/*_fuzz; do
        name=${target##*/}
        seeds=$PWD/tests/fuzz/seeds/${name%_fuzz}
        mkdir -p "build/$preset/corpus/$name"
        case "$name" in
            command_fuzz | endpoint_fuzz) seconds=60 ;;
            *) seconds=20 ;;
        esac
        if (cd "build/$preset" && "tests/$name" -max_total_time="${FUZZ_SECONDS:-$seconds}" -max_len=1500 \
            "corpus/$name" "$seeds" >"$name.log" 2>&1); then
            echo "   $name: $(sed -nE 's/^Done ([0-9]+) runs.*/\1 runs, no finding/p' "build/$preset/$name.log")"
            passed=$((passed + 1))
        else
            tail -n 40 "build/$preset/$name.log"
            failed=$((failed + 1))
        fi
    done
}

# The tests of frames on a processor that has its most significant byte first (an emulated one), as
# such a machine would build them: without a library.
bigendian() {
    local target=s390x-linux-gnu name out=build/bigendian
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "   skipped: the cross compiler is installed from Debian's packages only"
        skipped=$((skipped + 1))
        return
    fi
    install_needs "$target-gcc:gcc-$target" qemu-s390x:qemu-user
    [ -e "/usr/$target/include/stdio.h" ] || install_packages libc6-dev-s390x-cross
    mkdir -p "$out"
    for name in frame frame_random frame_rules; do
        if "$target-gcc" -std=c11 -O1 -Wall -Wextra -Werror -D_POSIX_C_SOURCE=200809L \
            -D_DEFAULT_SOURCE -Isrc -Itests/unit -static -o "$out/${name}_test" \
            "tests/unit/${name}_test.c" tests/unit/framing.c src/frame/*.c src/base/fault.c \
            src/base/parse.c src/base/text.c && qemu-s390x "$out/${name}_test" | sed 's/^/   /'; then
            passed=$((passed + 1))
        else
            echo "   FAILED: $name"
            failed=$((failed + 1))
        fi
    done
}

mkdir -p build
for preset in "${presets[@]}"; do
    if [ "$preset" = bigendian ]; then
        echo "== $preset"
        bigendian
        continue
    fi
    echo "== $preset: build"
    build "$preset"
    echo "== $preset: test"
    case "$preset" in
        # posix: on this system it is not what ships. clang: asan is the same compiler, over the
        # whole suite.
        posix | clang) unit "$preset" ;;
        fuzz) fuzz "$preset" ;;
        *)
            unit "$preset"
            outside "$preset"
            ;;
    esac
done

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
