#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The real parts of scripts/parts.sh do what they say, and nothing of them is left behind.
set -eu
cd "$(dirname "$0")/../.."
. scripts/parts.sh

if ! engine_usable || ! command -v docker-registry >/dev/null; then
    echo 'skip parts no Docker Engine or registry can run here'
    exit 0
fi

failed=0
ok() { echo "ok parts: $1"; }
not_ok() { echo "not ok parts: $1" && failed=1; }
check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@"; then ok "$name"; else not_ok "$name"; fi
}

dir=$(mktemp -d)
trap 'parts_stop "$dir"' EXIT

# links: the bridges of our engine and what is plugged into them.
links() {
    local bridge
    for bridge in $(engine_links "$dir"); do
        echo "$bridge"
        ip -o link show master "$bridge" | awk -F '[:@ ]+' '{ print $2 }'
    done
}
rules() { { iptables-save 2>/dev/null || :; } | sed '/^#/d; s/\[[0-9]*:[0-9]*\]//'; }

# What of ours is still on the machine. Others may run engines meanwhile, so only ours counts.
left_behind() {
    local link
    for link in $our_links; do ! ip link show "$link" 2>/dev/null || :; done
    grep "$dir" /proc/self/mountinfo || :
    pgrep -af "$dir" || :
    find /sys/fs/cgroup -type d -name "muster-parts-$block"
    [ "$our_rules" = "$(rules)" ] || diff <(echo "$our_rules") <(rules) || :
    [ "$forwarding" = "$(sysctl -n net.ipv4.ip_forward)" ] || echo 'net.ipv4.ip_forward changed'
    [ ! -e "$dir" ] || echo "$dir"
}
clean() { [ -z "$(left_behind)" ]; }
quiet() { "$@" >/dev/null 2>&1; }
answers() { [ "$(curl -fsS -m 2 "http://127.0.0.1:$port/")" = "$1" ]; }

# With one port to choose from: the first call has it, the second none, and it is free again when
# the script that asked is gone.
claimed_until_gone() {
    local asks='. scripts/parts.sh; shuf() { echo 12001; }; port_pick'
    quiet bash -c "$asks; ! port_pick" && quiet bash -c "$asks"
}
check 'a port is given to one caller, until that one is gone' claimed_until_gone

our_rules=$(rules) forwarding=$(sysctl -n net.ipv4.ip_forward)
check 'an engine starts' engine_start "$dir"
check 'a registry starts' registry_start "$dir" "$(port_pick)"
ref=$(image_build web 1.0.0)
check 'an image is referred to by digest' \
    test -n "$(printf '%s' "$ref" | grep -E "^$REGISTRY/web@sha256:[0-9a-f]{64}$")"
docker image rm -f "$(docker image ls -q)" >/dev/null
check 'it is pulled by digest' quiet docker pull "$ref"
port=$(port_pick)
docker network create apps >/dev/null 2>&1
docker run -d --name web --network apps -p "127.0.0.1:$port:8080" "$ref" >/dev/null 2>&1
check 'its container serves its name and version' parts_wait 10 answers 'web 1.0.0'
docker run -d --name probe --network apps "$ref" >/dev/null 2>&1
check 'containers reach each other by name' \
    parts_wait 10 docker exec probe wget -q -O - http://web:8080/
started=$(date +%s)
docker stop web >/dev/null
check 'it stops when asked' test $(($(date +%s) - started)) -lt 5
engine_stop "$dir"
check 'a stopped engine does not answer' eval '! quiet docker version'
engine_start "$dir"
check 'after a restart the containers are still there' quiet docker inspect web
docker start web >/dev/null 2>&1
our_links=$(links) block=$(cat "$dir/engine.block")
check 'it has bridges of its own with containers at them' test "$(wc -w <<<"$our_links")" -ge 3
parts_stop "$dir"
# Interfaces of dead network namespaces go in the background.
check 'nothing is left on the machine' parts_wait 10 clean
left_behind | sed 's/^/# /'
exit "$failed"
