#!/usr/bin/env bats
# The Debian packages: they are built once for this file, looked into, installed on this system
# and removed again. Not for each preset: the packages have a build of their own.
# shellcheck disable=SC2154 # the helper sets what it says
bats_require_minimum_version 1.5.0
load lib/helper

setup_file() {
    # The system has one place for one package, so the tests take turns.
    export BATS_NO_PARALLELIZE_WITHIN_FILE=true
    export PATH="$PATH:/usr/sbin:/sbin" log=$BATS_FILE_TMPDIR/log why_not=''
    local command
    for command in dpkg-buildpackage dpkg-checkbuilddeps dh lintian; do
        command -v "$command" >/dev/null || why_not="needs $command"
    done
    [[ ${BUILD_DIR:-} == */release ]] || why_not="needs the release preset (once is enough)"
    if [ -z "$why_not" ] && ! dpkg-checkbuilddeps "$BATS_TEST_DIRNAME/../packaging/debian/control"; then
        why_not="needs the packages to build with"
    fi
    [ -z "$why_not" ] || return 0
    # The first test tells how that went.
    built=0
    "$BATS_TEST_DIRNAME/../packaging/deb.sh" "$BATS_FILE_TMPDIR" >"$log" 2>&1 || built=$?
    package=$(find "$BATS_FILE_TMPDIR" -name 'sockcat_*.deb') plugins=$(find "$BATS_FILE_TMPDIR" -name 'sockcat-tls_*.deb')
    archive=$(find "$BATS_FILE_TMPDIR" -name 'sockcat-archive_*.deb')
    export built package plugins archive
}

setup() {
    helper_setup
    [ -z "$why_not" ] || skip "$why_not"
}

teardown() {
    stop_all
    if [ -e "$T/installed" ] && dpkg-query -W sockcat >/dev/null 2>&1; then
        apt purge sockcat-tls sockcat-archive sockcat
    fi
}

# apt COMMAND ARG...: waits for its turn, asks nothing.
apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300 "$@" >"$T/apt.err" 2>&1 4>&- 3>&-
}

# No file of another package may be replaced or removed.
need_free_system() {
    need_root
    need apt-get
    ! dpkg-query -W sockcat >/dev/null 2>&1 || skip "needs a system that does not have the package"
    [ ! -e /usr/bin/sockcat ] || skip "needs a system without /usr/bin/sockcat"
}

put() {
    touch "$T/installed"
    apt install --no-install-recommends "$package" "$plugins" "$archive"
}

# system: every path of it. What Python compiles by the way is not of the package.
system() { find /usr /etc /var/lib/sockcat 2>/dev/null | grep -v '/__pycache__\(/\|$\)' | LC_ALL=C sort; }

@test "package: it is built, and lintian finds no fault" {
    [ "$built" -eq 0 ] || fail "status $built: $(tail -n 60 "$log")"
    assert_line '^== Lintian' "$log"
    # Other compilers than CI's may warn of more.
    [ "${WERROR:-OFF}" != ON ] || run ! grep -E '^[^ ]+:[0-9]+: warning: ' "$log"
    [ -n "$package" ] && [ -n "$plugins" ] && [ -n "$archive" ] || fail "a package is missing"
}

@test "package: it has these files, with these modes and owners, and no others" {
    dpkg-deb -c "$package" | awk '$1 !~ /^d/ { print $1, $2, $6 }' | LC_ALL=C sort -k 3 >"$T/files"
    cat >"$T/wanted" <<'EOF'
-rwxr-xr-x root/root ./usr/bin/sockcat
-rw-r--r-- root/root ./usr/share/bash-completion/completions/sockcat
-rw-r--r-- root/root ./usr/share/doc/sockcat/README.md.gz
-rw-r--r-- root/root ./usr/share/doc/sockcat/changelog.gz
-rw-r--r-- root/root ./usr/share/doc/sockcat/copyright
-rw-r--r-- root/root ./usr/share/doc/sockcat/examples/sockcat-relay.service
-rw-r--r-- root/root ./usr/share/doc/sockcat/examples/sockcat-relay.socket
-rw-r--r-- root/root ./usr/share/doc/sockcat/report.schema.json
-rw-r--r-- root/root ./usr/share/fish/vendor_completions.d/sockcat.fish
-rw-r--r-- root/root ./usr/share/man/man1/sockcat.1.gz
-rw-r--r-- root/root ./usr/share/zsh/vendor-completions/_sockcat
EOF
    assert_equal "$(cat "$T/files")" "$(cat "$T/wanted")"
    run dpkg-deb -c "$package"
    assert_equal "$(awk '$1 ~ /^d/ && ($1 != "drwxr-xr-x" || $2 != "root/root")' <<<"$output")" ""
}

# assert_part PACKAGE LIBRARY: has the files of standard input, and needs sockcat and the library.
assert_part() {
    dpkg-deb -c "$1" | awk '$1 !~ /^d/ { print $1, $2, $6 }' | LC_ALL=C sort -k 3 >"$T/files"
    assert_equal "$(cat "$T/files")" "$(cat)"
    run dpkg-deb -f "$1" Depends
    [[ $output =~ ^sockcat\ \(=\ [^\)]+\),\ .*$2 ]] || fail "$output"
}

@test "package: the plug-ins are in a package of their own, which needs OpenSSL" {
    assert_part "$plugins" libssl3 <<'EOF'
-rwxr-xr-x root/root ./usr/libexec/sockcat/digest.so
-rwxr-xr-x root/root ./usr/libexec/sockcat/tls.so
-rw-r--r-- root/root ./usr/share/doc/sockcat-tls/changelog.gz
-rw-r--r-- root/root ./usr/share/doc/sockcat-tls/copyright
EOF
}

@test "package: the program for directories is in a package of its own, which needs libarchive" {
    assert_part "$archive" libarchive13 <<'EOF'
-rwxr-xr-x root/root ./usr/libexec/sockcat/sockcat-archive
-rw-r--r-- root/root ./usr/share/doc/sockcat-archive/changelog.gz
-rw-r--r-- root/root ./usr/share/doc/sockcat-archive/copyright
EOF
}

@test "package: it needs the C library and nothing else" {
    run dpkg-deb -f "$package" Depends
    [[ $output =~ ^libc6\ \(\>=\ [0-9.]+\)$ ]] || fail "$output"
}

@test "package: its version is the program's, and it sets only the alternative for nc when it is installed" {
    run dpkg-deb -f "$package" Version
    assert_equal "sockcat $output" "$("$SOCKCAT" --version | head -n 1)"
    dpkg-deb -e "$package" "$T/control"
    assert_equal "$(cd "$T/control" && LC_ALL=C ls | paste -sd ' ')" "control md5sums postinst prerm"
    run ! grep -hvE '^(#.*|set -e|if .*|fi|[[:space:]]*)$|^[[:space:]]*(update-alternatives|--slave) ' "$T/control/postinst" "$T/control/prerm"
}

@test "package: the program in it is hardened as the release build is" {
    need readelf
    dpkg-deb -x "$package" "$T/root"
    program=$T/root/usr/bin/sockcat
    SOCKCAT=$program run bats --tap -f 'position-independent|relocations|stack|no library|CET' \
        "$BATS_TEST_DIRNAME/hardening.bats"
    assert_status 0
    [ "$(grep -c '^ok ' <<<"$output")" -eq 6 ] || fail "$output"
    run ! grep -qE '# skip ([^C]|C[^E])' <<<"$output"
}

# Before the next test: what that one left behind would not be seen here.
@test "package: removed or purged, it leaves no file, and dpkg does not know it any more" {
    need_free_system
    system >"$T/before"
    for how in remove purge; do
        put
        system >"$T/between"
        [ "$(comm -13 "$T/before" "$T/between" | grep -c sockcat)" -ge 9 ] || fail "it was not installed"
        apt "$how" sockcat-tls sockcat-archive sockcat
        system >"$T/after"
        assert_equal "$(diff "$T/before" "$T/after")" ""
        run ! dpkg-query -W sockcat
    done
}

@test "package: once installed it does the main job" {
    need_free_system
    put
    assert_equal "$(dpkg-query -W -f '${Status}' sockcat)" "install ok installed"
    assert_equal "$(command -v /usr/bin/sockcat)" /usr/bin/sockcat
    update-alternatives --query nc >"$T/nc"
    grep -A1 -Fx 'Alternative: /usr/bin/sockcat' "$T/nc" | grep -Fx 'Priority: 5'
    # It is never the default where there is another.
    [ "$(grep -c '^Alternative:' "$T/nc")" -eq 1 ] || ! grep -Fx 'Best: /usr/bin/sockcat' "$T/nc" || fail "it is the default"
    # Without the functions of this shell.
    run env -i PATH=/usr/bin:/bin timeout -s KILL $((60 * LAST_RESORT)) "$BATS_TEST_DIRNAME/../packaging/debian/tests/main-job"
    assert_status 0
}
