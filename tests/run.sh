#!/usr/bin/env bash
# Installs what is missing to test, builds, and runs the whole suite: unit tests under CTest with gcc
# and clang; the bats files with gcc's release binary, and those that can find memory faults with
# clang's sanitizers; a smoke test of the static binary with musl; then the fuzz targets for some
# seconds, and pure functions on a big-endian processor.
#
#   ./tests/run.sh                 all of it
#   ./tests/run.sh release         one preset: release (gcc), clang, asan, posix, musl, fuzz; or bigendian
#   TESTS_MIN=N                    fail if fewer tests were really run per full preset (skips do
#                                  not count); CI sets it
#   WERROR=ON                      fail for a warning of the compiler; CI sets it
#   JOBS=N                         parallel bats files
#   FUZZ_SECONDS=N                 for each fuzz target (default 5; 15 for command lines and endpoints)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/install.sh
. scripts/install.sh
# The system's own programs first: the wrapper of a version manager costs 0.1 s each time python starts.
export PATH="/usr/bin:/bin:$PATH:/usr/sbin:/sbin"

presets=("$@")
[ "$#" -gt 0 ] || presets=(release clang asan posix musl fuzz bigendian)
# Many tests wait most of the time.
jobs=${JOBS:-$(($(nproc) * 3))}
export WERROR=${WERROR:-OFF}

echo "== What is needed to test"
install_needs_compiler
install_needs cmake:cmake make:make bats:bats python3:python3
install_wants clang:clang parallel:parallel \
    nc.openbsd:netcat-openbsd ncat:ncat socat:socat busybox:busybox curl:curl ip:iproute2 \
    nft:nftables setpriv:util-linux unshare:util-linux prlimit:util-linux readelf:binutils \
    strace:strace shellcheck:shellcheck ssh:openssh-client zsh:zsh fish:fish mandoc:mandoc \
    man:man-db groff:groff-base col:bsdextrautils jq:jq logger:bsdutils pyflakes3:pyflakes3 pv:pv \
    zstd:zstd bsdtar:libarchive-tools sslscan:sslscan testssl:testssl.sh proxychains4:proxychains4
# An ssh server that is only a library: a real one would begin to serve this machine.
/usr/bin/python3 -c 'import paramiko' 2>/dev/null || install_wanted_packages python3-paramiko
# The lines of reports are compared with their schema.
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || install_wanted_packages python3-jsonschema
# Clients of the proxy server.
/usr/bin/python3 -c 'import socks' 2>/dev/null || install_wanted_packages python3-socks
# Servers that tests ask. They are not started as services: nothing is served because of a test.
install_servers() {
    local policy=/usr/sbin/policy-rc.d made='' pair missing=() stream=/usr/lib/nginx/modules/ngx_stream_module.so
    for pair in nginx:nginx-light haproxy:haproxy node:nodejs dnsmasq:dnsmasq-base chronyd:chrony snmpd:snmpd \
        memcached:memcached redis-server:redis-server microsocks:microsocks tinyproxy:tinyproxy-bin \
        stunnel4:stunnel4 gnutls-serv:gnutls-bin hitch:hitch caddy:caddy; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || missing+=("$pair")
    done
    [ "${#missing[@]}" -gt 0 ] || [ ! -e "$stream" ] || return 0
    if command -v apt-get >/dev/null 2>&1 && [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | install_as_root tee "$policy" >/dev/null
        install_as_root chmod 755 "$policy"
        made=1
    fi
    for pair in "${missing[@]}"; do
        install_wants "$pair"
        ! command -v systemctl >/dev/null 2>&1 ||
            install_as_root systemctl disable "${pair%%:*}" >/dev/null 2>&1 || :
    done
    # Its module for streams is a file, not a command.
    [ -e "$stream" ] || install_wanted_packages libnginx-mod-stream
    [ -z "$made" ] || install_as_root rm "$policy"
}
install_servers
# The package is built and tried only where packages are Debian's.
if command -v apt-get >/dev/null 2>&1; then
    install_wants dpkg-buildpackage:dpkg-dev dh:debhelper lintian:lintian musl-gcc:musl-tools
    # Its tools are wanted; without systemd-sysv nothing of it is started, and no init replaced.
    install_wants systemd-analyze:systemd
    dpkg-checkbuilddeps packaging/debian/control ||
        install_wanted_packages build-essential debhelper cmake libssl-dev libarchive-dev
fi
# Plug-ins are built only with their libraries.
echo '#include <openssl/evp.h>' | cc -fsyntax-only -x c - 2>/dev/null || install_wanted_packages libssl-dev
echo '#include <archive.h>' | cc -fsyntax-only -x c - 2>/dev/null || install_wanted_packages libarchive-dev
# Names of services and protocols; a file, so no command to look for.
[ -e /etc/services ] || install_wanted_packages netbase
# The sanitizers' run-time library is a package of its own, and clang's version is in its name.
can_sanitize() {
    echo 'int main(void) { return 0; }' |
        clang -fsanitize=address,fuzzer-no-link -x c -o /dev/null - >/dev/null 2>&1
}
if command -v clang >/dev/null 2>&1 && ! can_sanitize; then
    install_wanted_packages "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
fi
# bats runs tests in parallel only with GNU parallel.
command -v parallel >/dev/null 2>&1 || jobs=1

# Prints what PRESET lacks on this machine.
lacks() {
    case "$1" in
        clang) command -v clang >/dev/null 2>&1 || echo clang ;;
        asan | fuzz) can_sanitize || echo "clang and its sanitizers' library" ;;
        musl) command -v musl-gcc >/dev/null 2>&1 || echo musl-gcc ;;
    esac
}

passed=0 failed=0 skipped=0 unstable=0
# The most tests that may pass only when they are run again.
unstable_most=3

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

# build_all PRESET...: builds one after the other and runs its unit tests, while those that are built are
# tested from outside: many of these tests wait most of the time, and they are served first.
# Exit statuses are reported as PRESET.built and PRESET.unit; what was printed is in PRESET.log and ctest.log.
build_all() {
    local preset configured=() i=0
    for preset; do
        cmake --preset "$preset" -DSOCKCAT_WERROR="$WERROR" >"build/$preset.log" 2>&1 &
        configured+=("$!")
    done
    for preset; do
        if wait "${configured[i++]}"; then
            report "$preset.built" \
                cmake --build --preset "$preset" -j "$(nproc)" -- -s >>"build/$preset.log" 2>&1
        else
            report "$preset.built" false
            continue
        fi
        [ "$preset" = fuzz ] || report "$preset.unit" ctest --test-dir "build/$preset" \
            --output-on-failure -j "$(nproc)" >"build/$preset/ctest.log" 2>&1
    done
}

# report NAME COMMAND...: writes the command's exit status to descriptor 3.
report() {
    local name=$1 status=0
    shift
    "$@" 3>&- || status=$?
    echo "$name $status" >&3
}

# result NAME: waits for the exit status that is reported under this name, and returns it.
declare -A results
result() {
    local name status
    until [ -n "${results[$1]-}" ]; do
        read -r name status <&"$reports" || return 1
        results[$name]=$status
    done
    return "${results[$1]}"
}

build() {
    local preset=$1
    result "$preset.built" || { cat "build/$preset.log"; return 1; }
    grep -E -A 12 'warning:' "build/$preset.log" || :
}

unit() {
    local preset=$1 report=build/$1/ctest.log total bad
    result "$preset.unit" || cat "$report"
    total=$(sed -nE 's/.* tests failed out of ([0-9]+).*/\1/p' "$report")
    bad=$(sed -nE 's/.*, ([0-9]+) tests failed out of .*/\1/p' "$report")
    echo "   unit: $total tests, $bad failed"
    [ "${total:-0}" -gt 0 ] || bad=1
    passed=$((passed + ${total:-0} - bad))
    failed=$((failed + bad))
}

# bats_run PRESET ARG...: runs bats with the preset's program.
bats_run() {
    local preset=$1
    shift
    SOCKCAT=$PWD/build/$preset/sockcat SHIM_LIB=$PWD/build/$preset/shim.so \
        BUILD_DIR=$PWD/build/$preset ASAN_OPTIONS=detect_leaks=1 \
        UBSAN_OPTIONS=print_stacktrace=1 bats --tap "$@" </dev/null {reports}<&-
}

# Prints number, file and name of each failed test of a TAP file, separated by tabs; not those in which
# the program crashed or a sanitizer found something.
failed_tests() {
    awk 'function flush() { if (number != "" && file != "") print number "\t" file "\t" name; number = file = "" }
        /^(not )?ok / { flush() }
        /^not ok / { number = $3; name = $0; sub(/^not ok [0-9]+ /, "", name) }
        file == "" && match($0, /in test file [^,]*/) { file = substr($0, RSTART + 13, RLENGTH - 13) }
        /Sanitizer|runtime error|Segmentation|core dumped|Assertion/ { number = "" }
        END { flush() }' "$1"
}

# run_again PRESET TAP: runs each failed test once more, alone. One that passes then has failed because
# the machine was too slow for it; it is reported as unstable, and too many of them are a failure.
run_again() {
    local preset=$1 tap=$2 number file name pattern
    while IFS=$'\t' read -r number file name; do
        pattern=$(printf '%s' "$name" | sed 's/[][(){}.*+?^$|\\]/\\&/g')
        if bats_run "$preset" -f "^$pattern\$" "$file" >"$tap.again" 2>&1 && grep -q '^ok 1 ' "$tap.again"; then
            echo "   unstable, passed alone: $name"
            sed -i "s/^not ok $number /ok $number /" "$tap"
            unstable=$((unstable + 1))
        fi
    done < <(failed_tests "$tap")
}

outside() {
    local preset=$1 tap=build/$1/bats.tap file files=() all
    # The files that take longest come first, so that none of them is left alone at the end.
    mapfile -t all < <(printf 'tests/%s.bats\n' package completions endpoints exec datagram data end interop server \
        command session sockopts syscalls stdio record options progress terminal signals && printf '%s\n' tests/*.bats)
    mapfile -t all < <(printf '%s\n' "${all[@]}" | awk '!seen[$0]++')
    for file in "${all[@]}"; do
        # Once is enough for what does not run the program, or makes one of its own.
        case "$preset:$file" in
            release:*) files+=("$file") ;;
            # A smoke test: the others expect the error texts of glibc, or faults by LD_PRELOAD.
            musl:tests/options.bats | musl:tests/command.bats | musl:tests/platform.bats | \
                musl:tests/data.bats | musl:tests/frames.bats | musl:tests/to.bats | \
                musl:tests/basics.bats | musl:tests/chat.bats) files+=("$file") ;;
            musl:*) ;;
            *:tests/completions.bats | *:tests/source.bats | *:tests/package.bats | *:tests/setup.bats) ;;
            # Sanitizers find nothing in texts, in the binary's sections, or in which call sets an option;
            # the parsers are fuzzed with them. Everyday use and other programs take the same paths as
            # the files that remain.
            asan:tests/command.bats | asan:tests/endpoints.bats | asan:tests/basics.bats | \
                asan:tests/foreign.bats | asan:tests/hardening.bats | asan:tests/install.bats | asan:tests/interop.bats | \
                asan:tests/man.bats | asan:tests/options.bats | asan:tests/readme.bats | \
                asan:tests/sockopts.bats | asan:tests/statuses.bats) ;;
            *) files+=("$file") ;;
        esac
    done
    # Without the sanitizers: what they would say of the shim is not what is asked.
    # A static program does not load it.
    [ "$preset" = musl ] ||
        cc -std=c11 -O1 -fPIC -shared -o "build/$preset/shim.so" tests/lib/shim.c -ldl
    bats_run "$preset" -j "$jobs" --no-parallelize-within-files "${files[@]}" >"$tap" 2>"$tap.err" || true
    grep -A 40 -E '^not ok ' "$tap" | grep -vE '^ok ' || true
    grep -vE '^$' "$tap.err" | head -n 20 || true
    run_again "$preset" "$tap"
    count_tap "$tap"
    echo "   from outside: $ran tests run"
    if ! grep -qE "^1\.\.[1-9]" "$tap"; then
        echo "   bats ran nothing:"
        cat "$tap" "$tap.err"
        failed=$((failed + 1))
    elif [ "$preset" != musl ] && [ "$ran" -lt "${TESTS_MIN:-1}" ]; then
        echo "   FAILED: fewer than $TESTS_MIN tests were run"
        failed=$((failed + 1))
    fi
}

# Runs one fuzz target; its exit status is in build/PRESET/NAME.status.
fuzz_target() {
    local preset=$1 name=$2 seconds=5 status=0
    case "$name" in
        command_fuzz | endpoint_fuzz) seconds=15 ;;
    esac
    mkdir -p "build/$preset/corpus/$name"
    (cd "build/$preset" && "tests/$name" -max_total_time="${FUZZ_SECONDS:-$seconds}" -max_len=1500 \
        "corpus/$name" "../../tests/fuzz/seeds/${name%_fuzz}" >"$name.log" 2>&1) || status=$?
    echo "$status" >"build/$preset/$name.status"
}

# One target for each processor at a time.
fuzz() {
    local preset=$1 target name
    for target in build/"$preset"/tests/*_fuzz; do
        while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
            wait -n || true
        done
        rm -f "build/$preset/${target##*/}.status"
        fuzz_target "$preset" "${target##*/}" &
    done
    wait
    for target in build/"$preset"/tests/*_fuzz; do
        name=${target##*/}
        if [ "$(cat "build/$preset/$name.status" 2>/dev/null)" = 0 ]; then
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
    local target=s390x-linux-gnu name out=build/bigendian strict=()
    [ "$WERROR" != ON ] || strict=(-Werror)
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "   skipped: the cross compiler is installed from Debian's packages only"
        skipped=$((skipped + 1))
        return
    fi
    install_wants "$target-gcc:gcc-$target" qemu-s390x:qemu-user
    [ -e "/usr/$target/include/stdio.h" ] || install_wanted_packages libc6-dev-s390x-cross
    if ! command -v "$target-gcc" qemu-s390x >/dev/null 2>&1; then
        echo "   skipped: needs $target-gcc and qemu-s390x"
        skipped=$((skipped + 1))
        return
    fi
    mkdir -p "$out"
    for name in frame frame_random frame_rules; do
        if "$target-gcc" -std=c11 -O1 -Wall -Wextra "${strict[@]}" -D_POSIX_C_SOURCE=200809L \
            -D_DEFAULT_SOURCE -Isrc -Itests/unit -static -o "$out/${name}_test" \
            "tests/unit/${name}_test.c" tests/unit/framing.c src/frame/*.c src/base/fault.c src/base/json_text.c \
            src/base/parse.c src/base/spelling.c src/base/text.c && qemu-s390x "$out/${name}_test" | sed 's/^/   /'; then
            passed=$((passed + 1))
        else
            echo "   FAILED: $name"
            failed=$((failed + 1))
        fi
    done
}

mkdir -p build
to_build=()
for preset in "${presets[@]}"; do
    [ "$preset" = bigendian ] || [ -n "$(lacks "$preset")" ] || to_build+=("$preset")
done
rm -f build/reports
mkfifo build/reports
# A process group, so that all of it can be ended.
set -m
build_all "${to_build[@]}" </dev/null 3>build/reports &
set +m
builder=$!
exec {reports}<build/reports
rm build/reports
trap 'kill -TERM -- "-$builder" 2>/dev/null || :' EXIT
renice -n 10 -g "$builder" >/dev/null 2>&1 || :
for preset in "${presets[@]}"; do
    if [ "$preset" = bigendian ]; then
        echo "== $preset"
        bigendian
        continue
    fi
    lacking=$(lacks "$preset")
    if [ -n "$lacking" ]; then
        echo "== $preset"
        echo "   skipped: needs $lacking"
        skipped=$((skipped + 1))
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
        musl)
            strip -o build/musl/sockcat.stripped build/musl/sockcat
            echo "   size: $(stat -c %s build/musl/sockcat.stripped) bytes, static and stripped"
            outside "$preset"
            unit "$preset"
            ;;
        *)
            outside "$preset"
            unit "$preset"
            ;;
    esac
done

echo
[ "$unstable" -eq 0 ] || echo "$unstable of the tests that passed are unstable: they failed at first"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$unstable" -le "$unstable_most" ]
