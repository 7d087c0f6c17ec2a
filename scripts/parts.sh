# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# Real parts for the demo and the integration tests: a Docker Engine of our own, a registry, images.
# Source it (sh or bash); everything lives below one directory and is undone by parts_stop.
#
#   . scripts/parts.sh
#   dir=$(mktemp -d)
#   trap 'parts_stop "$dir"' EXIT
#   engine_start "$dir"                # sets and exports DOCKER_HOST=unix://$dir/docker.sock
#   registry_start "$dir" "$(port_pick)"  # sets REGISTRY=127.0.0.1:PORT
#   ref=$(image_build web 1.0.0)       # 127.0.0.1:PORT/web@sha256:..., pushed and pullable
#
# The engine runs in a pid and a mount namespace of its own: killing their first process ends
# containerd, shims and containers and drops every mount. It is told to leave iptables alone
# (published ports are served by docker-proxy), so only its bridges and cgroups remain to remove.

# Engines take address blocks of 198.18.0.0/15 (RFC 2544), which nobody routes: 16 networks each.
PARTS_BLOCKS=32
PARTS_DEADLINE_S=30

# parts_say TEXT: to whoever watches.
parts_say() { printf 'parts: %s\n' "$*" >&2; }

# parts_wait SECONDS COMMAND...: run the command until it succeeds; fails at the deadline.
parts_wait() {
    _deadline=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$_deadline" ] || return 1
        sleep 0.05
    done
}

# soak_size WHOLE: how large a storm is: whole with MUSTER_SOAK=1 (make soak), else a tenth.
soak_size() { if [ "${MUSTER_SOAK:-}" = 1 ]; then echo "$1"; else echo "$(($1 / 10))"; fi; }

# parts_kill PIDFILE SIGNAL: end the process that we started, wait until it is gone, forget it.
parts_kill() {
    [ -s "$1" ] || return 0
    _pid=$(cat "$1")
    kill "-$2" "$_pid" 2>/dev/null || :
    wait "$_pid" 2>/dev/null || :
    parts_wait 10 parts_gone "$_pid" || parts_say "process $_pid does not end"
    rm -f "$1"
}
parts_gone() { ! kill -0 "$1" 2>/dev/null; }

# port_pick: a TCP port that nobody uses or was given before, below the range that the kernel takes
# ports of outgoing connections from. It is claimed until the script that asked for it has ended,
# so that two scripts, or two calls of one, never get the same before either listens.
port_pick() {
    _claims=/tmp/muster-ports
    mkdir -p "$_claims"
    _above=$(cut -f 1 /proc/sys/net/ipv4/ip_local_port_range)
    _taken=$(ss -Htan | awk '{ sub(/.*:/, "", $4); print $4 }')
    for _port in $(shuf -i "$((_above > 20000 ? 12000 : _above / 2))-$((_above - 1))" -n 50); do
        ! printf '%s\n' "$_taken" | grep -qx "$_port" || continue
        port_claim "$_claims/$_port" && echo "$_port" && return 0
    done
    parts_say 'no free port'
    return 1
}
# port_claim FILE: made by one caller only; one of a script that has ended counts for nothing.
port_claim() {
    if [ -s "$1" ] && ! kill -0 "$(cat "$1")" 2>/dev/null; then rm -f "$1"; fi
    (set -C && echo $$ >"$1") 2>/dev/null
}

# engine_usable: this machine can run an engine of our own; says why not.
engine_usable() {
    [ "$(id -u)" = 0 ] || { parts_say 'a Docker Engine of our own needs root' && return 1; }
    for _tool in dockerd containerd runc docker unshare ip curl; do
        command -v "$_tool" >/dev/null || { parts_say "no $_tool here" && return 1; }
    done
}

engine_answers() { curl -fsS -m 3 --unix-socket "$1" http://engine/_ping >/dev/null 2>&1; }

# engine_find: use the engine that the machine already runs, if it answers. Sets DOCKER_HOST.
engine_find() {
    engine_answers /var/run/docker.sock || return 1
    export DOCKER_HOST=unix:///var/run/docker.sock
}

# engine_start DIR: a Docker Engine below DIR. Again after engine_stop: the same engine with its
# images and containers. Sets DOCKER_HOST. Non-zero, with the reason on stderr, where it cannot run.
engine_start() {
    engine_usable || return 1
    [ -s "$1/engine.block" ] || engine_bridge "$1" || return 1
    _block=$(cat "$1/engine.block")
    rm -rf "$1/exec" "$1/docker.sock" "$1/dockerd.pid" # the pids in there mean nothing any more
    # A cgroup of its own that is easy to remove; cgroupfs because systemd may not be there.
    # setsid: a Ctrl-C at the demo is for the demo, which stops its parts in order.
    # shellcheck disable=SC2016 # expanded by the inner shell, which reaps orphans as their init
    setsid unshare --mount --pid --mount-proc --fork --kill-child \
        sh -c 'dockerd "$@" & wait' engine \
        --host "unix://$1/docker.sock" --pidfile "$1/dockerd.pid" \
        --data-root "$1/engine" --exec-root "$1/exec" \
        --bridge "$(engine_bridge_name "$_block")" \
        --default-address-pool "base=$(engine_net "$_block")/20,size=24" \
        --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
        --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/muster-parts-$_block" \
        >>"$1/engine.log" 2>&1 &
    echo $! >"$1/engine.pid"
    if ! parts_wait "$PARTS_DEADLINE_S" engine_answers "$1/docker.sock"; then
        parts_say 'the Docker Engine does not start:'
        tail -n 5 "$1/engine.log" >&2
        engine_stop "$1"
        return 1
    fi
    export DOCKER_HOST="unix://$1/docker.sock"
}

# engine_bridge DIR: take the first free address block, with the bridge that marks it as taken.
engine_bridge() {
    _block=0
    until ip link add "$(engine_bridge_name "$_block")" type bridge 2>/dev/null; do
        _block=$((_block + 1))
        [ "$_block" -lt "$PARTS_BLOCKS" ] || { parts_say 'cannot make a bridge' && return 1; }
    done
    echo "$_block" >"$1/engine.block"
    ip addr add "$(engine_net "$_block" | sed 's/0$/1/')/24" dev "$(engine_bridge_name "$_block")"
    ip link set "$(engine_bridge_name "$_block")" up
}
engine_bridge_name() { echo "muster$1"; }
engine_net() { echo "198.$((18 + $1 / 16)).$(($1 % 16 * 16)).0"; }

# engine_stop DIR: the engine and all its containers die at once; what they stored stays.
#
# Killed is the first process of the namespace, the only child of `unshare`, which ends when the
# kernel has ended all the others.
engine_stop() {
    [ -s "$1/engine.pid" ] || return 0
    _init=$(pgrep -P "$(cat "$1/engine.pid")") || :
    [ -z "$_init" ] || kill -KILL "$_init" 2>/dev/null || :
    parts_kill "$1/engine.pid" CONT
}

# engine_links DIR: every bridge with an address of the engine's block, its own first.
engine_links() {
    ip -4 -o addr show | awk -v block="$(cat "$1/engine.block")" '
        { split($4, octet, ".") }
        octet[1] == 198 && octet[2] == 18 + int(block / 16) && int(octet[3] / 16) == block % 16 {
            print $2
        }'
}

# engine_remove DIR: what outlives the engine's processes: its bridges and cgroups.
engine_remove() {
    [ -s "$1/engine.block" ] || return 0
    for _link in $(engine_links "$1"); do ip link del "$_link"; done
    find /sys/fs/cgroup -depth -type d -path "*/muster-parts-$(cat "$1/engine.block")*" \
        -exec rmdir {} + 2>/dev/null || :
    rm -f "$1/engine.block"
}

# registry_start DIR PORT: Debian's docker-registry on loopback, without TLS (engines accept that
# for 127.0.0.0/8). Sets REGISTRY.
registry_start() {
    command -v docker-registry >/dev/null || { parts_say 'no docker-registry here' && return 1; }
    cat >"$1/registry.yml" <<END
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: $1/registry}, delete: {enabled: true}}
http: {addr: "127.0.0.1:$2", secret: "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"}
END
    setsid docker-registry serve "$1/registry.yml" >>"$1/registry.log" 2>&1 &
    echo $! >"$1/registry.pid"
    if ! parts_wait "$PARTS_DEADLINE_S" curl -fsS -m 2 "http://127.0.0.1:$2/v2/"; then
        parts_say 'the registry does not start:'
        tail -n 5 "$1/registry.log" >&2
        registry_stop "$1"
        return 1
    fi
    export REGISTRY="127.0.0.1:$2"
}

# registry_stop DIR: what was pushed stays; start it again with the same DIR.
registry_stop() { parts_kill "$1/registry.pid" TERM; }

# image_build NAME VERSION [REGISTRY]: a small image whose web server on port 8080 answers with
# "NAME VERSION" (VERSION is in the environment, so a release may change it). It is made from
# busybox-static and needs no network. Prints the reference by digest.
image_build() {
    _tag="${3:-$REGISTRY}/$1:$2"
    _root=$(mktemp -d)
    mkdir -p "$_root/bin" "$_root/www" "$_root/tmp"
    cp "$(command -v busybox)" "$_root/bin/busybox"
    for _applet in sh httpd wget sleep cat echo env; do ln -s busybox "$_root/bin/$_applet"; done
    # The first process has no default for SIGTERM: without the trap every stop takes 10 seconds.
    cat >"$_root/bin/serve" <<'END'
#!/bin/sh
trap 'exit 0' TERM
echo "$NAME $VERSION" >/www/index.html
httpd -f -p 8080 -h /www &
wait
END
    chmod 755 "$_root/bin/serve"
    tar -C "$_root" --owner=0 --group=0 -cf - . |
        docker import -c "ENV NAME=$1 VERSION=$2 PATH=/bin" -c 'EXPOSE 8080' -c 'CMD ["serve"]' \
            - "$_tag" >/dev/null
    rm -rf "$_root"
    docker push -q "$_tag" >/dev/null
    docker image inspect --format '{{index .RepoDigests 0}}' "$_tag"
}

# parts_stop DIR: end everything started below DIR and remove DIR. Safe to call twice.
parts_stop() {
    registry_stop "$1"
    engine_stop "$1"
    engine_remove "$1"
    parts_wait 10 rm -rf "$1" || parts_say "cannot remove $1"
    unset DOCKER_HOST REGISTRY
}
