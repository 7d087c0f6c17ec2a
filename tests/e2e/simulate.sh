#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The faults of simulated devices, each against a server, which must come through all of them.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/parts.sh
. tests/e2e/control.sh
suite=simulate
count=40

is_built || { echo 'skip simulate the programs are not built' && exit 0; }
dir=$(mktemp -d)
finish() {
    parts_kill "$dir/simulate.pid" KILL
    control_kill
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

# begin FLEET OPTION...: devices of a new fleet, which stay until end.
begin() {
    local fleet=$1 token
    shift
    muster fleet create --name "$fleet" >/dev/null
    token=$(muster token create --fleet "$fleet" --uses-max "$count" --output json | jq -r .token)
    : >"$dir/agent.log"
    "$build/tests/simulate/muster-simulate" --count "$count" --token "$token" \
        --processes 3 --seed 1 "$@" >"$dir/result" 2>>"$dir/agent.log" &
    echo $! >"$dir/simulate.pid"
    parts_wait 60 all_open || return 1
    met=$(progress errors) # enrolments that met each other and were tried again
}
all_open() { grep -q "\"open\":$count," "$dir/agent.log"; }
progress() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$dir/agent.log" | tail -n 1; }
end() {
    local pid
    pid=$(cat "$dir/simulate.pid")
    kill -TERM "$pid"
    wait "$pid"
}
result() {
    jq -e --argjson count "$count" --argjson met "$met" "(.errors - \$met) as \$lost | $1" \
        "$dir/result"
}
presences() { # presences FLEET PRESENCE: how many
    muster device list --fleet "$1" --limit "$count" --output json |
        jq -s --arg presence "$2" 'flatten | map(select(.presence == $presence)) | length'
}
away() { [ "$(presences "$1" online)" -lt "$count" ]; }
faults() { [ "$(progress faults)" -ge "$1" ]; } # faults N: so many were made
sources() { # sources N: channels come from so many addresses
    [ "$(ss -Htn state established "dport = :${url##*:}" | awk '{ sub(/:[0-9]*$/, "", $3); print $3 }' |
        sort -u | wc -l)" = "$1" ]
}
states() { # states STATE: how many report it for the release
    api_all /v1/devices | jq -c --arg state "$1" 'select(.state == $state)' | wc -l
}
# What is measured with it: joining alone, and messages that were acknowledged.
joins_only() {
    muster fleet create --name alone >/dev/null
    "$build/tests/simulate/muster-simulate" --count 12 --processes 3 --alone --only-enrol \
        --token "$(muster token create --fleet alone --uses-max 12 --output json | jq -r .token)" \
        >"$dir/result" 2>>"$dir/agent.log"
    jq -e '.enrolled == 12 and .open == 0 and .messages == 0' "$dir/result"
}
has_said() { [ "$(progress messages)" -ge "$1" ]; } # has_said N: so many messages, acknowledged
not_allowed() {
    local status=0
    "$build/tests/simulate/muster-simulate" "$@" || status=$?
    [ "$status" = 2 ]
}
all_reported() { [ $(($(states failed) + $(states running))) = "$count" ]; }

need 'a control plane is made' control_init
sed -i "s/^heartbeat = .*/heartbeat = 2s/" "$dir/server/musterd.conf" # so that silence is soon noticed
need 'it starts' control_start
need 'its owner signs in' control_login

need 'devices fail what they are told to run' begin fail --fault fail=0.5
check 'they come from an address each' sources "$count"
printf 'name: load\nservices:\n  web:\n    image: 127.0.0.1:1/web@sha256:%064d\n' 0 |
    muster release create --file - --no-resolve --version 1.0.0 >/dev/null
check 'a release is deployed' muster deploy --fleet fail --release load@1.0.0
check 'all say what became of it' parts_wait 20 all_reported
check 'about half of them that it failed' \
    test "$(states failed)" -gt $((count / 4)) -a "$(states failed)" -lt $((count * 3 / 4))
check 'they end' end
check 'each failure is counted' result ".faults == $(states failed) and \$lost == 0"
check 'each account is counted, once' result '.accounts == $count'
check 'and dated' result '(now * 1000 - .accounts_at_ms) | . >= 0 and . < 120000'

need 'channels are cut' begin drop --fault drop=1 --addresses 2
check 'they come from two addresses' sources 2
check 'some are cut within seconds' parts_wait 20 faults 3
check 'they end' end
check 'each cut is a lost tie' result '.faults >= 3 and $lost >= 2 and .open >= $count - 10'

need 'devices send garbage' begin garbage --fault garbage=1
check 'some do within seconds' parts_wait 20 faults 3
check 'they end' end
check 'the server ends their channels' result '.faults >= 3 and $lost >= 2 and .open >= $count - 10'

need 'devices stop answering' begin silent --fault silent=1
check 'the server notices that some are away' parts_wait 60 away silent
check 'they end' end
check 'none of them has closed' result '.open == $count and $lost == 0 and .faults >= 1'

need 'devices read slowly' begin slow --fault slow=500
check 'they end' end
check 'it takes them time to come' result '.seconds_open >= 1 and .open == $count'

need 'devices leave and come back' begin flap --fault flap=3
check 'each does' parts_wait 20 faults "$count"
check 'they end' end
check 'none is lost by it' result '.enrolled == $count and $lost == 0 and .processes == 3'

check 'devices join without coming' joins_only
need 'devices never measure anything new' begin steady --steady
check 'what they say is counted all the same' parts_wait 20 has_said $((2 * count))
check 'they end' end
check 'no device has an account to give' result '.accounts == 0 and .messages >= 2 * $count'

check 'a fault that is none is refused' \
    not_allowed --count 1 --token x --fault rust=1
check 'the server is there after all that' curl -fsS --cacert "$dir/server/ca.pem" "$url/readyz"
check 'the audit chain is intact' audit_intact
exit "$failed"
