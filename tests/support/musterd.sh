# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A control plane of our own, and what the tests written in JavaScript need. Source it from the
# repository root, after scripts/parts.sh.
#
#   packages_ready || { echo 'skip ...'; exit 0; }
#   musterd_start "$dir"    # sets and exports MUSTER_URL, MUSTER_DIR, MUSTERD_PID
#   musterd_stop; musterd_run "$dir"

# packages_ready: what tests/package-lock.json names is in tests/node_modules.
packages_ready() {
    local stamp=tests/node_modules/.installed-lock
    cmp -s tests/package-lock.json "$stamp" && return 0
    npm --prefix tests ci --ignore-scripts --no-audit --no-fund >&2 || return 1
    cp tests/package-lock.json "$stamp"
}

# musterd_start DIR: on free ports of loopback, with the organisation "demo" and its owner "ada".
musterd_start() {
    local program=${BUILD:-build}/src/control/musterd port
    export MUSTER_DIR=$1 MUSTER_URL
    port=$(port_pick)
    "$program" init --data "$1/server" --org demo --owner ada >"$1/credentials" || return 1
    sed -i '/^[# ]*\(port\|address\) *=/d' "$1/server/musterd.conf"
    printf 'address = 127.0.0.1\nport = %s\n' "$port" >>"$1/server/musterd.conf"
    MUSTER_URL=https://127.0.0.1:$port
    musterd_run "$1"
}

# musterd_run DIR: again, once it was started and stopped.
musterd_run() {
    "${BUILD:-build}/src/control/musterd" run --data "$1/server" 2>>"$1/musterd.log" &
    export MUSTERD_PID=$!
    parts_wait 20 curl -fsS --cacert "$1/server/ca.pem" "$MUSTER_URL/readyz" && return 0
    tail -n 5 "$1/musterd.log" >&2
    return 1
}

# musterd_stop: it drains and ends by itself; 0 if it did so in order.
musterd_stop() {
    local status=0
    [ -n "${MUSTERD_PID:-}" ] || return 0
    kill -TERM "$MUSTERD_PID" 2>/dev/null || :
    wait "$MUSTERD_PID" || status=$?
    MUSTERD_PID=
    return "$status"
}
