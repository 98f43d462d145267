#!/usr/bin/env bats
# "cmake --install" and the target "uninstall": what is put where, that it works from there, and that
# it can be taken away again. From the environment: BUILD_DIR, a build directory (optional).
# shellcheck disable=SC2154 # the helper sets port, listener, result
bats_require_minimum_version 1.5.0
load lib/helper

# A build directory has one list of what was installed from it, so the tests take turns.
setup_file() {
    export BATS_NO_PARALLELIZE_WITHIN_FILE=true build=${BUILD_DIR:-}
    command -v cmake >/dev/null || return 0
    if [ -z "$build" ]; then
        build=$BATS_FILE_TMPDIR/build
        cmake -S "$BATS_TEST_DIRNAME/.." -B "$build" -DBUILD_TESTING=OFF -DSOCKCAT_DIGEST=OFF -DSOCKCAT_TLS=OFF -DSOCKCAT_ARCHIVE=OFF >/dev/null
        cp "$SOCKCAT" "$build/sockcat"
    fi
    # An installation from this build directory can be uninstalled.
    if [ -e "$build/install_manifest.txt" ]; then
        mv "$build/install_manifest.txt" "$BATS_FILE_TMPDIR/manifest"
    fi
}

teardown_file() {
    [ ! -e "$BATS_FILE_TMPDIR/manifest" ] || mv "$BATS_FILE_TMPDIR/manifest" "$build/install_manifest.txt"
}

setup() {
    helper_setup
    need cmake
    unset DESTDIR
    root=$T/root
    rm -f "$build/install_manifest.txt"
}

teardown() {
    stop_all
    rm -f "${build:?}/install_manifest.txt"
}

# put: installs; DESTDIR is the caller's.
put() { cmake --install "$build" --prefix "$root" >"$T/install.out"; }

take_away() { cmake --build "$build" --target uninstall >"$T/uninstall.out" 2>&1; }

# layout DIRECTORY: mode and path of every file in it.
layout() { (cd "$1" && find . ! -type d -printf '%m %P\n' | LC_ALL=C sort -k 2); }

# The plug-ins are those that were built.
wanted() {
    local plugin
    echo '755 bin/sockcat'
    # In the order of their paths.
    for plugin in "$build"/libexec/sockcat/*; do
        case $plugin in
        *.so) echo "644 libexec/sockcat/${plugin##*/}" ;;
        */sockcat-archive) echo "755 libexec/sockcat/sockcat-archive" ;;
        esac
    done
    cat <<'EOF'
644 share/bash-completion/completions/sockcat
644 share/doc/sockcat/LICENSE
644 share/doc/sockcat/README.md
644 share/doc/sockcat/examples/sockcat-relay.service
644 share/doc/sockcat/examples/sockcat-relay.socket
644 share/doc/sockcat/report.schema.json
644 share/fish/vendor_completions.d/sockcat.fish
644 share/man/man1/sockcat.1
644 share/zsh/site-functions/_sockcat
EOF
}

@test "install: the files are at their places with their modes, and no others" {
    put
    assert_equal "$(layout "$root")" "$(wanted)"
}

@test "install: the modes of the files do not depend on the umask" {
    (umask 077 && put)
    assert_equal "$(layout "$root")" "$(wanted)"
}

@test "install: DESTDIR is put before the prefix, and the prefix itself is not touched" {
    DESTDIR=$T/stage put
    [ ! -e "$root" ] || fail "the prefix was written to"
    assert_equal "$(layout "$T/stage$root")" "$(wanted)"
}

@test "install: without --prefix it is the prefix of the configuration" {
    prefix=$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "$build/CMakeCache.txt")
    [ -n "$prefix" ] || fail "no prefix in $build"
    DESTDIR=$T/stage cmake --install "$build" >/dev/null
    assert_equal "$(layout "$T/stage$prefix")" "$(wanted)"
}

@test "install: the installed program carries a file over TCP" {
    put
    SOCKCAT=$root/bin/sockcat
    start_listener -d 127.0.0.1 0
    "$SOCKCAT" 127.0.0.1 "$port" <"$(random_file 3000000)"
    assert_listener_ends 0
    assert_same "$T/listener.out" "$(random_file 3000000)"
}

@test "install: the installed program looks for libraries in no path of its own" {
    need readelf
    put
    readelf -dW "$root/bin/sockcat" >"$T/dynamic"
    assert_line 'NEEDED' "$T/dynamic"
    run ! grep -E 'RPATH|RUNPATH' "$T/dynamic"
}

@test "install: man finds the page" {
    need man
    put
    run man -M "$root/share/man" -w sockcat
    assert_status 0
    assert_equal "$output" "$root/share/man/man1/sockcat.1"
}

@test "install: bash-completion loads the completion when it is asked for it" {
    loader=/usr/share/bash-completion/bash_completion
    [ -r "$loader" ] || skip "needs bash-completion"
    put
    # The function for commands without a completion looks for a file; it must find ours.
    # shellcheck disable=SC2016 # for the inner shell
    HOME=$T XDG_DATA_HOME=$T/none XDG_DATA_DIRS=$root/share run bash --norc -c '
        . "$1"
        default=$(complete -p -D | sed "s/.* -F \([^ ]*\).*/\1/")
        "$default" sockcat "" sockcat
        shopt -s extdebug
        declare -F "$(complete -p sockcat | sed "s/.* -F \([^ ]*\).*/\1/")"' _ "$loader"
    [[ $output == *" $root/share/bash-completion/completions/sockcat" ]] || fail "loaded: $output"
}

@test "install: zsh finds the completion" {
    need zsh
    put
    # shellcheck disable=SC2016 # for the inner shell
    run zsh -f -c 'fpath=("$1" $fpath); autoload -U compinit; compinit -u -D
        autoload +X "$_comps[sockcat]"; whence -v "$_comps[sockcat]"' _ "$root/share/zsh/site-functions"
    [[ $output == *" $root/share/zsh/site-functions/_sockcat" ]] || fail "found: $output"
}

@test "install: fish finds the completion" {
    need fish
    put
    PATH=$root/bin:$PATH HOME=$T XDG_DATA_DIRS=$root/share run fish -c 'complete -C "sockcat --liste"'
    [[ $output == --listen* ]] || fail "offered: $output"
}

@test "uninstall: no file is left, and no directory of the project's own" {
    put
    take_away
    assert_equal "$(find "$root" ! -type d)" ""
    assert_equal "$(find "$root" -name '*sockcat*')" ""
}

@test "uninstall: what others have put next to it stays" {
    put
    echo mine >"$root/bin/other"
    echo mine >"$root/share/doc/sockcat/notes"
    take_away
    assert_equal "$(layout "$root" | cut -d' ' -f2)" "bin/other"$'\n'"share/doc/sockcat/notes"
}

@test "uninstall: with DESTDIR only what is below it goes" {
    put
    DESTDIR=$T/stage put
    DESTDIR=$T/stage take_away
    assert_equal "$(find "$T/stage" ! -type d)" ""
    assert_equal "$(layout "$root")" "$(wanted)"
}

@test "uninstall: a file that is no longer there is not an error" {
    put
    rm "$root/share/man/man1/sockcat.1"
    take_away
    assert_line "Not there: $root/share/man/man1/sockcat.1" "$T/uninstall.out"
    assert_equal "$(find "$root" ! -type d)" ""
}

@test "uninstall: when nothing was installed from here it says so" {
    run take_away
    [ "$status" -ne 0 ] || fail "it took something away"
    assert_line 'Nothing was installed from this build' "$T/uninstall.out"
}
