# Installing what is missing, for the set-up scripts (to be sourced).
#
#   install_needs COMMAND:PACKAGE...   installs, with the system's package manager, the packages of
#                                      those commands that are not there
# Tried on Debian 12. Fedora, Arch, Alpine and openSUSE are written after their documentation and
# are untested.

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

# The name that another distribution gives to a Debian package.
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
        *:gnuplot-nox) echo gnuplot ;;
        *:netcat-traditional) echo netcat ;;
        *:openssh-client) echo openssh ;;
        *:groff-base) echo groff ;;
        *:bsdextrautils) echo util-linux ;;
        *:libclang-rt-dev) echo compiler-rt ;;
        dnf:libjansson-dev) echo jansson-devel ;;
        zypper:libjansson-dev) echo libjansson-devel ;;
        pacman:libjansson-dev) echo jansson ;;
        apk:libjansson-dev) echo jansson-dev ;;
        dnf:libc6-dev) echo glibc-devel ;;
        zypper:libc6-dev) echo glibc-devel ;;
        pacman:libc6-dev) echo glibc ;;
        apk:libc6-dev) echo musl-dev ;;
        *) echo "$2" ;;
    esac
}

install_packages() {
    if command -v apt-get >/dev/null 2>&1; then
        install_as_root apt-get update -q &&
            install_as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
                --no-install-recommends "$@"
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
        dnf) install_as_root dnf install -y "${names[@]}" ;;
        pacman) install_as_root pacman -Sy --needed --noconfirm "${names[@]}" ;;
        apk) install_as_root apk add "${names[@]}" ;;
        zypper) install_as_root zypper --non-interactive install "${names[@]}" ;;
        *)
            echo "No package manager that this script knows; please install: $*" >&2
            return 1
            ;;
    esac
}

# A command counts as there if it runs: a name on the PATH may be an empty shell.
install_needs() {
    local pair command missing=()
    for pair in "$@"; do
        command=${pair%%:*}
        if ! PATH="$PATH:/usr/sbin:/sbin" command -v "$command" >/dev/null 2>&1; then
            missing+=("${pair#*:}")
        fi
    done
    if [ "${#missing[@]}" -eq 0 ]; then
        return 0
    fi
    echo "Installing: ${missing[*]}"
    install_packages "${missing[@]}"
}

# Whether a C program can be built and run; headers and the C library are no command to look for.
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
