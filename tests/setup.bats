#!/usr/bin/env bats
# The set-up scripts: how scripts/install.sh installs what is missing. The package managers are fakes
# that record how they were called.

load lib/helper

setup() {
    T=${BATS_TEST_TMPDIR:-$(mktemp -d)}
    mkdir "$T/bin"
    # Nothing of this system but what the scripts themselves call.
    for tool in bash cat env grep id mktemp rm; do
        ln -s "$(command -v "$tool")" "$T/bin/$tool"
    done
}

teardown() { :; }

# fake NAME LINE...: a program that records its arguments in $T/calls, then runs the lines.
fake() {
    local name=$1
    shift
    { printf '#!/bin/bash\n'; printf 'echo "%s $*" >>"%s/calls"\n' "$name" "$T"; printf '%s\n' "$@"; } >"$T/bin/$name"
    chmod +x "$T/bin/$name"
}

# set_up COMMAND...: calls functions of install.sh, with the fakes only, without sudo and pauses.
set_up() {
    PATH=$T/bin bash -euc '
        . "$1/../../scripts/install.sh"
        install_as_root() { "$@"; }
        sleep() { :; }
        install_pacman_lock=$2/db.lck
        shift 2
        "$@"' bash "$HELPER_DIR" "$T" "$@" 2>&1
}

calls() { cat "$T/calls"; }

@test "set-up: apt-get waits for dpkg's lock" {
    fake apt-get
    set_up install_needs no-such-command:some-package
    assert_equal "$(calls)" "apt-get -q -o DPkg::Lock::Timeout=120 update
apt-get -q -o DPkg::Lock::Timeout=120 install -y --no-install-recommends some-package"
}

@test "set-up: apt-get is repeated while the lock of the lists or of the archive is held" {
    fake apt-get "[ \"\$(grep -c . '$T/calls')\" -gt 3 ] || { echo 'E: Could not get lock /var/lib/apt/lists/lock' >&2; exit 100; }"
    run set_up install_needs no-such-command:some-package
    assert_status 0
    assert_equal "$(calls | grep -c ' update$')" 4
    assert_equal "$(grep -c Waiting <<<"$output")" 1
}

@test "set-up: the wait for apt's locks ends, and other errors are not repeated" {
    fake apt-get "echo 'E: Could not get lock /var/lib/apt/lists/lock' >&2; exit 100"
    run set_up install_needs no-such-command:some-package
    assert_status 100
    assert_equal "$(calls | grep -c .)" 25
    rm "$T/calls"
    fake apt-get "echo 'E: Unable to locate package' >&2; exit 100"
    run set_up install_needs no-such-command:some-package
    assert_status 100
    assert_equal "$(calls | grep -c .)" 1
}

@test "set-up: dnf, apk, zypper and pacman wait for their locks" {
    fake dnf
    set_up install_packages some-package
    assert_equal "$(calls)" "dnf install -y some-package"
    rm "$T/bin/dnf" "$T/calls"
    fake apk
    set_up install_packages some-package
    assert_equal "$(calls)" "apk --wait 120 add some-package"
    rm "$T/bin/apk" "$T/calls"
    # shellcheck disable=SC2016 # for the fake
    fake zypper 'echo "$ZYPP_LOCK_TIMEOUT"'
    run set_up install_packages some-package
    assert_equal "$output" 120
    rm "$T/bin/zypper" "$T/calls"
    # Its lock is a file.
    fake pacman
    touch "$T/db.lck"
    # shellcheck disable=SC2016 # for the inner shell
    set_up eval 'sleep() { rm "$install_pacman_lock"; }; install_packages some-package'
    assert_equal "$(calls)" "pacman -Sy --needed --noconfirm some-package"
    [ ! -e "$T/db.lck" ]
}

@test "set-up: a package that only some tests need may be missing; the reason is printed" {
    fake apt-get 'case "$*" in *" bad-package"*) exit 100 ;; esac'
    run set_up install_wants bash:bash one:good-package two:bad-package three:last-package
    assert_status 0
    [[ $output == *"not installed: bad-package; the tests that need it are skipped"* ]] || fail "$output"
    [[ $output != *"not installed: good"* ]] || fail "$output"
    assert_equal "$(calls | grep -c ' update$')" 1
    assert_equal "$(calls | tail -n 3 | sed 's/.* //')" "good-package
bad-package
last-package"
    # What is needed ends the run.
    run set_up install_needs one:good-package two:bad-package
    assert_status 100
}

@test "try-distribution: asks for a suite, and makes no system inside the source tree" {
    need_root
    need debootstrap unshare git
    script=$HELPER_DIR/../../packaging/try-distribution.sh
    run "$script"
    assert_status 2
    [[ $output == *"SYSTEM=DIR"* ]] || fail "$output"
    MIRROR=http://127.0.0.1:9 SYSTEM=$HELPER_DIR/system run "$script" trixie true
    assert_status 2
    [[ $output == *"is inside the source tree"* ]] || fail "$output"
    [ ! -e "$HELPER_DIR/system" ]
}

@test "try-distribution: a system that cannot be made is reported and removed" {
    need_root
    need debootstrap unshare git
    mkdir "$T/tmp"
    MIRROR=http://127.0.0.1:9 TMPDIR=$T/tmp run "$HELPER_DIR/../../packaging/try-distribution.sh" trixie true
    assert_status 1
    assert_equal "$(ls "$T/tmp")" ""
}
