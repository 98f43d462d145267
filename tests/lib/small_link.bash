# For in_netns: a path whose second link takes packets of 1280 bytes only.
# us (a0) -- router (r0, r1) -- peer (b0), 10.9.2.1, in the namespace of the process $peer.
# shellcheck shell=bash

# small_link FUNCTION [ARG...]: calls it there. Status 77: that is not possible.
small_link() {
    mkfifo hold
    unshare -n cat hold &
    router=$!
    unshare -n cat hold &
    peer=$!
    exec 7>hold
    until [ "$(readlink /proc/$router/ns/net)" != "$(readlink /proc/self/ns/net)" ] &&
        [ "$(readlink /proc/$peer/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do
        tick
    done
    ip link add a0 type veth peer name r0 netns "$router" || exit 77
    nsenter -t "$router" -n ip link add r1 type veth peer name b0 netns "$peer"
    ip address add 10.9.1.1/24 dev a0
    ip link set a0 up
    nsenter -t "$router" -n sh -c 'ip address add 10.9.1.2/24 dev r0; ip address add 10.9.2.2/24 dev r1
        ip link set r1 mtu 1280; ip link set r0 up; ip link set r1 up; echo 1 >/proc/sys/net/ipv4/ip_forward'
    nsenter -t "$peer" -n sh -c 'ip address add 10.9.2.1/24 dev b0; ip link set b0 mtu 1280; ip link set b0 up
        ip link set lo up; ip route add default via 10.9.2.2'
    ip route add default via 10.9.1.2
    "$@"
    exec 7>&-
    wait "$router" "$peer"
}
