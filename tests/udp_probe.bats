#!/usr/bin/env bats
# Probes of UDP ports (-zu): the requests of common services, servers that answer them, and loss.
# shellcheck disable=SC2154 # the helper sets port, netns and others
bats_require_minimum_version 1.5.0
load lib/helper

# in_services FUNCTION|-c SCRIPT [ARG...]: as in_netns, where well-known ports are free.
in_services() {
    need_netns
    export -f served
    in_netns "$@"
}

# served PORT: the server that was started is bound to the UDP port, and is found open, with its time.
served() {
    local hex
    hex=$(printf ':%04X ' "$1")
    until_true 20 grep -q "$hex" /proc/net/udp || fail "no server: $(cat "$T"/background.*)"
    sockcat -zuv -w 20 127.0.0.1 "$1" </dev/null >"$T/served.out"
    assert_line "^127.0.0.1:$1 open [0-9.]+ms" "$T/served.out"
}

@test "each service gets a request that it can read, and its answer is open" {
    in_services drive udp_probe services
}

@test "a request that is lost is sent again, twice, the same each time" {
    in_services drive udp_probe lost_requests
}

@test "the identifiers of a request are of one probe alone" {
    in_services drive udp_probe unique
}

@test "a service that does not answer is 28, after three requests within the limit" {
    in_services drive udp_probe silence
}

@test "a port that closes after a request is closed" {
    in_services drive udp_probe late_refusal
}

@test "--compat=nc sends an empty datagram, and silence is open" {
    in_services drive udp_probe as_nc
}

@test "dnsmasq answers the request for DNS" {
    need dnsmasq
    # shellcheck disable=SC2016 # for the inner shell
    in_services -c '
        start dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user="$(id -un)" \
            --pid-file= --listen-address=127.0.0.1 --bind-interfaces
        served 53'
}

@test "chronyd answers the request for NTP" {
    need chronyd
    # shellcheck disable=SC2016 # for the inner shell
    in_services -c '
        printf "%s\n" "local stratum 10" "allow 127.0.0.1" "bindaddress 127.0.0.1" "cmdport 0" "bindcmdaddress /" \
            "pidfile $T/chronyd.pid" >"$T/chrony.conf"
        start chronyd -x -d -u "$(id -un)" -f "$T/chrony.conf"
        served 123'
}

@test "snmpd answers the request for SNMP, whatever its community is" {
    need snmpd
    # shellcheck disable=SC2016 # for the inner shell
    for community in public secret; do
        in_services -c '
            echo "rocommunity $1" >"$T/snmpd.conf"
            SNMP_PERSISTENT_DIR=$T start snmpd -f -Lo -C -c "$T/snmpd.conf" -p "$T/snmpd.pid" -I -smux \
                udp:127.0.0.1:161
            served 161' "$community"
    done
}

@test "memcached answers the request for its version" {
    need memcached
    # shellcheck disable=SC2016 # for the inner shell
    in_services -c '
        start memcached -u "$(id -un)" -l 127.0.0.1 -U 11211 -p 0
        served 11211'
}
