# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the end-to-end tests share: a control plane that may be killed, and calls to it. Source it
# from the top of the tree, after scripts/parts.sh. Everything lives below $dir, of the sourcing
# script; parts_kill "$dir/musterd.pid" KILL ends it.

# shellcheck disable=SC2154 # dir and suite are of the sourcing script

build=${BUILD:-build}
failed=0

# check NAME COMMAND...: one line of the result.
check() {
    local name=$1
    shift
    if "$@" >"$dir/check.log" 2>&1; then
        echo "ok $suite: $name"
    else
        echo "not ok $suite: $name"
        failed=1
        tail -n 15 "$dir/check.log" >&2
        for log in musterd agent; do
            [ ! -s "$dir/$log.log" ] || { echo "--- $log" >&2 && tail -n 15 "$dir/$log.log" >&2; }
        done
    fi
}
# need NAME COMMAND...: a check without which the rest makes no sense.
need() {
    local before=$failed
    failed=0
    check "$@"
    [ "$failed" = 0 ] || exit 1
    failed=$before
}

# is_sanitized: the build carries sanitizers, so its memory says nothing.
is_sanitized() {
    meson introspect --buildoptions "$build" |
        jq -e '.[] | select(.name == "b_sanitize") | .value | . != "none" and . != [] and . != ""' >/dev/null
}

is_built() {
    [ -x "$build/src/control/musterd" ] && [ -x "$build/src/agent/muster-agent" ] &&
        [ -x "$build/src/cli/muster" ]
}

muster() { "$build/src/cli/muster" "$@"; }

# control_init: a fresh control plane with its owner, and its port.
control_init() {
    local port
    port=$(port_pick)
    url=https://127.0.0.1:$port
    "$build/src/control/musterd" init --data "$dir/server" --org demo --owner ada \
        >"$dir/credentials" || return 1
    sed -i "/^[# ]*\(port\|address\|heartbeat\) *=/d" "$dir/server/musterd.conf"
    printf 'address = 127.0.0.1\nport = %s\nheartbeat = 5s\n' "$port" >>"$dir/server/musterd.conf"
}

# control_start: start it, again on the same port, and wait until it serves.
control_start() {
    "$build/src/control/musterd" run --data "$dir/server" 2>>"$dir/musterd.log" &
    echo $! >"$dir/musterd.pid"
    parts_wait 30 curl -fsS -m 5 --cacert "$dir/server/ca.pem" "$url/readyz"
}
control_kill() { parts_kill "$dir/musterd.pid" KILL; }

# control_login: for muster and for api.
control_login() {
    export MUSTER_CONFIG="$dir/session.json"
    awk '$1 == "password" { print $2 }' "$dir/credentials" >"$dir/password"
    muster login --server "$url" --org demo --name ada --password-file "$dir/password" \
        --ca-fingerprint "$(awk '$1 == "ca-fingerprint" { print $2 }' "$dir/credentials")" || return 1
    local login
    login=$(jq -Rc '{org: "demo", name: "ada", password: .}' "$dir/password")
    bearer=$(curl -fsS --cacert "$dir/server/ca.pem" "$url/v1/login" \
        -H 'Content-Type: application/json' -d "$login" | jq -re .access_token)
}

# api METHOD PATH [BODY]: the answer's body; non-zero unless the whole of a 2xx answer came.
api() {
    curl -fsS -m 20 --cacert "$dir/server/ca.pem" -X "$1" "$url$2" \
        -H "Authorization: Bearer $bearer" ${3:+-H 'Content-Type: application/json' -d "$3"}
}

# api_all PATH: every item of a list, a line each.
api_all() {
    local after='' page
    while :; do
        page=$(api GET "$1?limit=1000${after:+&after=$after}") || return 1
        jq -c '.items[]' <<<"$page"
        after=$(jq -r '.next // empty' <<<"$page")
        [ -n "$after" ] || return 0
    done
}

audit_intact() { muster audit verify; }
