#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A machine that joins, is retired, and joins again: the agent and the control plane as they are.
set -eu
cd "$(dirname "$0")/../.."
. scripts/parts.sh
. tests/e2e/control.sh

suite='agent enrol'
dir=$(mktemp -d)
trap 'control_kill || :; rm -rf "$dir"' EXIT
is_built || { echo "not ok $suite: not built" && exit 1; }

enrol() { # enrol [OPTION...]
    "$build/src/agent/muster-agent" enrol "$token" --name till-1 --state "$dir/device" "$@"
}
refused() { # refused CODE TEXT COMMAND...: it ends with CODE and says TEXT
    local code=$1 text=$2 status=0
    shift 2
    "$@" 2>"$dir/said" || status=$?
    cat "$dir/said"
    [ "$status" = "$code" ] && grep -qF "$text" "$dir/said"
}
# As an enrolment leaves it that was cut off before its answer: the key waits for another try.
cut_off() { cp "$dir/device/identity.json" "$dir/device/identity.next.json"; }
device_id() { jq -re .device_id "$dir/device/membership.json"; }
runs_and_hears() { # runs_and_hears TEXT
    timeout 20 "$build/src/agent/muster-agent" run --state "$dir/device" \
        --engine unix:///nonexistent/engine.sock --enrol-file "$dir/enrol" 2>"$dir/agent.log" &
    echo $! >"$dir/agent.pid"
    local status=0
    parts_wait 15 grep -qF "$1" "$dir/agent.log" || status=$?
    parts_kill "$dir/agent.pid" TERM || :
    return "$status"
}

need 'a control plane is made' control_init
need 'and starts' control_start
need 'the owner signs in' control_login
muster fleet create --name shop-floor >/dev/null
token=$(muster token create --fleet shop-floor --uses-max 9 --output json | jq -re .token)
need 'a device joins' enrol
first=$(device_id)
check 'it does not join twice' refused 5 'enrolled already' enrol
need 'it is retired' muster device delete till-1
check 'the agent hears that it was retired' runs_and_hears 'device_retired: '
cut_off
key=$(jq -re .seed "$dir/device/identity.json")
check 'with --force it joins with a new key, whatever key was waiting' enrol --force
check 'as another device' test "$(device_id)" != "$first"
check 'by another key' test "$(jq -re .seed "$dir/device/identity.json")" != "$key"
need 'that one is retired, too' muster device delete till-1
cut_off
rm "$dir/device/membership.json"
check 'without --force it says what to do' refused 3 'with a new key (muster-agent enrol --force)' enrol
# A golden image: at first boot there is a file, and no network yet.
rm -rf "$dir/device"
control_kill
printf '# from the factory\ntoken = %s\nname = till-7\n' "$token" >"$dir/enrol"
waits_then_joins() {
    timeout 60 "$build/src/agent/muster-agent" run --state "$dir/device" \
        --engine unix:///nonexistent/engine.sock --enrol-file "$dir/enrol" 2>"$dir/agent.log" &
    echo $! >"$dir/agent.pid"
    local status=0
    parts_wait 10 grep -qF enrol.waiting "$dir/agent.log" && control_start &&
        parts_wait 30 grep -qF server.found "$dir/agent.log" || status=$?
    parts_kill "$dir/agent.pid" TERM || :
    return "$status"
}
check 'a machine joins by its file as soon as there is a server' waits_then_joins
check 'under the name that the file wishes' test "$(jq -re .name "$dir/device/membership.json")" = till-7
check 'and has said so once' test "$(grep -cF enrol.waiting "$dir/agent.log")" = 1
echo 'no JSON' >"$dir/device/servers.json"
check 'a list of servers that is damaged is made good by the file' runs_and_hears server.found
check 'and was set aside' test -s "$dir/device/servers.json.damaged"
muster device delete till-7
muster fleet delete shop-floor >/dev/null
check 'a token of a deleted fleet lets nobody in' refused 3 'enrolment token is not good' enrol --force
exit "$failed"
