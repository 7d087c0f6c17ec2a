#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# When devices were last heard of: known while the server lives, and to the minute after it was
# killed, although a heartbeat without news writes nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/parts.sh
. tests/e2e/control.sh
suite=last_seen
count=5
heartbeat=2
late=2 # seconds that a machine with other work may be behind

is_built || { echo 'skip last_seen the programs are not built' && exit 0; }
dir=$(mktemp -d)
finish() {
    parts_kill "$dir/simulate.pid" KILL
    control_kill
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

start() {
    control_init
    sed -i "s/^heartbeat = .*/heartbeat = ${heartbeat}s/" "$dir/server/musterd.conf"
    control_start && control_login
}
# come FLEET: devices of a new fleet, which have nothing to say.
come() {
    local token
    muster fleet create --name "$1" >/dev/null
    token=$(muster token create --fleet "$1" --uses-max "$count" --output json | jq -r .token)
    : >"$dir/agent.log"
    "$build/tests/simulate/muster-simulate" --count "$count" --token "$token" --steady \
        >"$dir/result" 2>>"$dir/agent.log" &
    echo $! >"$dir/simulate.pid"
    parts_wait 60 all_open
}
all_open() { grep -q "\"open\":$count," "$dir/agent.log"; }
# devices FLEET FILTER: how many of them meet it; $began and $ended are moments of Unix.
devices() {
    muster device list --fleet "$1" --limit "$count" --output json |
        jq -s --argjson began "${began:-0}" --argjson ended "${ended:-0}" \
            "flatten | map((.last_seen_at | sub(\"\\\\.[0-9]+\"; \"\") | fromdate) as \$seen |
                select($2)) | length"
}
are() { [ "$(devices "$1" "$2")" = "$count" ]; }
stay_online() {
    sleep $((4 * heartbeat)) # longer than a silent device is taken for present
    began=$(($(date +%s) - heartbeat - late))
    are one '.presence == "online" and $seen >= $began'
}

need 'a control plane starts' start
need 'devices come' come one
check 'who says nothing new is online, and was heard of just now' stay_online

# --- the devices go ---

go() {
    began=$(($(date +%s) - heartbeat - late))
    parts_kill "$dir/simulate.pid" KILL
    ended=$(date +%s)
    parts_wait 30 are one '.presence == "offline" and $seen >= $began and $seen <= $ended'
}
check 'of who has gone is known when it was heard of' go

# --- the server goes, and they with it ---

killed() {
    come two && sleep $((2 * heartbeat)) && began=$(($(date +%s) - 60 - late))
    control_kill
    ended=$(date +%s)
    parts_kill "$dir/simulate.pid" KILL
    control_start && are two '.presence == "unknown" and $seen >= $began and $seen <= $ended' &&
        are one '.presence == "offline"'
}
check 'after kill -9 it is unknown who is there, and known to the minute who was' killed
offline() {
    parts_wait 30 are two '.presence == "offline" and $seen >= $began and $seen <= $ended'
}
check 'three heartbeats later those are offline who did not come back' offline
exit "$failed"
