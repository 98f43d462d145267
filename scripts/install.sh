# shellcheck shell=bash
# Installs missing packages for the set-up scripts (to be sourced).
#
#   install_needs COMMAND:PACKAGE...   installs, with the system's package manager, the packages of
#                                      the commands that are missing; fails if it cannot
#   install_wants COMMAND:PACKAGE...   the same for commands that only some tests need: reports and
#                                      skips packages that cannot be installed
# Tested on Debian 12, 13 and unstable. Fedora, Arch, Alpine and openSUSE follow their documentation and
# are untested.

# Seconds to wait for the package manager's lock: a new cloud machine updates itself for minutes.
install_lock_wait=120
install_lock_pause=5

install_as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        echo "This needs root: $*" >&2
        echo "Run it as root, or install sudo." >&2
        return 1
    fi
}

# Prints the name of a Debian package in another distribution.
install_translate() {
    case "$1:$2" in
        dnf:g++ | zypper:g++) echo gcc-c++ ;;
        pacman:g++) echo gcc ;;
        dnf:ncat) echo nmap-ncat ;;
        pacman:ncat | zypper:ncat) echo nmap ;;
        apk:ncat) echo nmap-ncat ;;
        dnf:netcat-openbsd) echo netcat ;;
        pacman:netcat-openbsd) echo openbsd-netcat ;;
        dnf:iproute2) echo iproute ;;
        pacman:bats) echo bash-bats ;;
        pacman:python3) echo python ;;
        pacman:python3-paramiko) echo python-paramiko ;;
        apk:python3-paramiko) echo py3-paramiko ;;
        *:netcat-traditional) echo netcat ;;
        dnf:pyflakes3 | zypper:pyflakes3) echo python3-pyflakes ;;
        pacman:pyflakes3) echo python-pyflakes ;;
        apk:pyflakes3) echo py3-pyflakes ;;
        *:openssh-client) echo openssh ;;
        *:dnsmasq-base) echo dnsmasq ;;
        *:snmpd) echo net-snmp ;;
        *:redis-server) echo redis ;;
        *:groff-base) echo groff ;;
        *:bsdextrautils) echo util-linux ;;
        *:libclang-rt-dev) echo compiler-rt ;;
        dnf:libarchive-dev | zypper:libarchive-dev) echo libarchive-devel ;;
        pacman:libarchive-dev) echo libarchive ;;
        dnf:libarchive-tools) echo bsdtar ;;
        pacman:libarchive-tools) echo libarchive ;;
        dnf:libssl-dev) echo openssl-devel ;;
        zypper:libssl-dev) echo libopenssl-devel ;;
        pacman:libssl-dev) echo openssl ;;
        apk:libssl-dev) echo openssl-dev ;;
        dnf:libc6-dev) echo glibc-devel ;;
        zypper:libc6-dev) echo glibc-devel ;;
        pacman:libc6-dev) echo glibc ;;
        apk:libc6-dev) echo musl-dev ;;
        *) echo "$2" ;;
    esac
}

# apt-get with a wait for its locks. DPkg::Lock::Timeout covers dpkg's locks; those of the package
# lists and of the archive fail at once (apt 2.6, 3.0), so the command is repeated for them.
install_apt() {
    local waited=0 output status
    output=$(mktemp)
    while :; do
        status=0
        install_as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
            apt-get -q -o DPkg::Lock::Timeout="$install_lock_wait" "$@" 2>"$output" || status=$?
        if [ "$status" -eq 0 ] || [ "$waited" -ge "$install_lock_wait" ] ||
            ! grep -q 'Could not get lock' "$output"; then
            break
        fi
        [ "$waited" -gt 0 ] || echo "Waiting for another process to release apt's lock" >&2
        sleep "$install_lock_pause"
        waited=$((waited + install_lock_pause))
    done
    cat "$output" >&2
    rm -f "$output"
    return "$status"
}

# pacman has no option to wait for its lock.
install_pacman() {
    local waited=0
    while [ -e "${install_pacman_lock:-/var/lib/pacman/db.lck}" ] && [ "$waited" -lt "$install_lock_wait" ]; do
        sleep "$install_lock_pause"
        waited=$((waited + install_lock_pause))
    done
    install_as_root pacman -Sy --needed --noconfirm "$@"
}

install_packages() {
    if command -v apt-get >/dev/null 2>&1; then
        # Once for a script.
        if [ -z "${install_updated:-}" ]; then
            install_apt update || return
            install_updated=yes
        fi
        install_apt install -y --no-install-recommends "$@"
        return
    fi
    local manager='' package names=()
    for manager in dnf pacman apk zypper ''; do
        if [ -n "$manager" ] && command -v "$manager" >/dev/null 2>&1; then
            break
        fi
    done
    for package in "$@"; do
        names+=("$(install_translate "$manager" "$package")")
    done
    case "$manager" in
        # Waits for its lock without a limit.
        dnf) install_as_root dnf install -y "${names[@]}" ;;
        pacman) install_pacman "${names[@]}" ;;
        apk) install_as_root apk --wait "$install_lock_wait" add "${names[@]}" ;;
        zypper)
            install_as_root env ZYPP_LOCK_TIMEOUT="$install_lock_wait" \
                zypper --non-interactive install "${names[@]}"
            ;;
        *)
            echo "No supported package manager; please install: $*" >&2
            return 1
            ;;
    esac
}

# Sets `missing` to the packages of the commands that are not in PATH.
install_find_missing() {
    local pair
    missing=()
    for pair in "$@"; do
        if ! PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null 2>&1; then
            missing+=("${pair#*:}")
        fi
    done
}

install_needs() {
    local missing
    install_find_missing "$@"
    if [ "${#missing[@]}" -eq 0 ]; then
        return 0
    fi
    echo "Installing: ${missing[*]}"
    install_packages "${missing[@]}"
}

install_wants() {
    local missing
    install_find_missing "$@"
    if [ "${#missing[@]}" -gt 0 ]; then
        install_wanted_packages "${missing[@]}"
    fi
}

# If they cannot be installed together, tries each alone.
install_wanted_packages() {
    local package
    echo "Installing: $*"
    if install_packages "$@"; then
        return 0
    fi
    for package in "$@"; do
        if [ "$#" -eq 1 ] || ! install_packages "$package"; then
            echo "   not installed: $package; the tests that need it are skipped"
        fi
    done
}

# Whether a C program can be built and run, which needs headers and the C library too.
install_needs_compiler() {
    local try
    try=$(mktemp -d)
    printf '#include <stdio.h>\nint main(void) { return puts("") == EOF; }\n' >"$try/try.c"
    if ! { cc -o "$try/try" "$try/try.c" && "$try/try"; } >/dev/null 2>&1; then
        echo "Installing: gcc libc6-dev"
        install_packages gcc libc6-dev
    fi
    rm -rf "$try"
}
