#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Nothing that was acknowledged is lost: the server and the agent are killed at random moments.
#
# SEED: of the moments; printed, so that a failure can be had again. MUSTER_SOAK=1: 100 kills of the
# server and 40 of the agent, else a tenth.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/parts.sh
. tests/e2e/control.sh
suite='kill'
server_rounds=$(soak_size 100)
agent_rounds=$(soak_size 40)
writers=3
SEED=${SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
RANDOM=$SEED
echo "# SEED=$SEED"

is_built || { echo 'skip kill the programs are not built' && exit 0; }
dir=$(mktemp -d)
agent_pid=
finish() {
    [ -z "$agent_pid" ] || agent_kill
    writers_stop
    control_kill
    parts_stop "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

moment() { sleep "$(awk -v r="$RANDOM" -v max="$1" 'BEGIN { print r / 32768 * max }')"; }

# --- the server ---

manifest() { # manifest: of one service, that nobody ever runs
    printf '{"services":[{"name":"web","image":"127.0.0.1:1/web@sha256:%064d"}]}' 0
}
# make PATH BODY: make a thing; sets made to its id if it was acknowledged.
make() {
    made=$(api POST "$1" "$2") && [[ $made =~ \"id\":\"([^\"]+)\" ]] && made=${BASH_REMATCH[1]}
}
# writer ROUND NUMBER: make things for ever, and note each that was acknowledged, and only then.
writer() {
    local acked=$dir/acked.$2 manifest name fleet i
    manifest=$(manifest)
    for ((i = 0; ; i++)); do
        name=w$2-$1-$i
        make /v1/fleets "{\"name\":\"$name\"}" || return 0
        fleet=$made
        echo "fleet $fleet $name" >>"$acked"
        make /v1/releases "{\"application\":\"$name\",\"version\":\"1.0.0\",\"manifest\":$manifest}" || return 0
        echo "release $made $name" >>"$acked"
        api POST "/v1/fleets/$fleet/deploy" "{\"release_id\":\"$made\"}" >/dev/null || return 0
        echo "deploy $fleet $made" >>"$acked"
    done
}
writer_pids=
writers_start() { # writers_start ROUND
    local number
    for ((number = 1; number <= writers; number++)); do
        writer "$1" "$number" 2>/dev/null &
        writer_pids+=" $!"
    done
}
writers_stop() { # they end by themselves: nobody answers
    [ -z "$writer_pids" ] || wait $writer_pids || :
    writer_pids=
}
acked() { cat "$dir"/acked.* 2>/dev/null | awk -v kind="$1" '$1 == kind { print $2, $3 }' | sort; }
# holds KIND FILTER PATH: each acknowledged KIND is among what FILTER makes of the list at PATH.
holds() {
    api_all "$3" | jq -r "$2" | sort >"$dir/there" || return 1
    acked "$1" | comm -23 - "$dir/there" >"$dir/lost"
    head "$dir/lost"
    [ ! -s "$dir/lost" ]
}
nothing_is_lost() {
    holds fleet '"\(.id) \(.name)"' /v1/fleets &&
        holds release '"\(.id) \(.application)"' /v1/releases &&
        holds deploy '"\(.id) \(.release_id)"' /v1/fleets
}
# Each acknowledged change has its entry in the journal, once: numbers have no gap and no double, no
# request left two entries of one action, and nothing is left that waits.
audit_holds() { # audit_holds ENTRIES
    muster audit verify && muster audit export >"$dir/journal" || return 1
    jq -s -e --argjson least "$1" 'length >= $least and [.[].number] == [range(1; length + 1)] and
        ([.[].entry | fromjson | select(.action | test("^(fleet|release)\\.")) |
            [.request, .action]] | length == (unique | length))' "$dir/journal"
}
acked_count() { cat "$dir"/acked.* 2>/dev/null | wc -l; }

server_round() { # server_round NUMBER
    writers_start "$1"
    moment 1.5
    control_kill
    writers_stop
    need "the killed server starts again ($1)" control_start
    check "nothing acknowledged is lost ($1)" nothing_is_lost
    check "the journal is in one order and holds it ($1)" audit_holds "$(acked_count)"
}

need 'a control plane is made' control_init
need 'it starts' control_start
need 'its owner signs in' control_login
for ((round = 1; round <= server_rounds; round++)); do server_round "$round"; done
echo "# $(acked_count) changes acknowledged"
check 'there was something to lose' test "$(acked_count)" -ge "$server_rounds"
check 'the journal is whole in the end' audit_intact

# --- the agent ---

agent_start() {
    "$build/src/agent/muster-agent" run --state "$dir/device" --engine "$DOCKER_HOST" \
        2>>"$dir/agent.log" &
    agent_pid=$!
}
agent_kill() {
    kill -KILL "$agent_pid" 2>/dev/null || :
    wait "$agent_pid" 2>/dev/null || :
    agent_pid=
}
compose() { # compose VERSION: web differs in each, api in none
    local healthcheck='{test: ["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/"], interval: 1s, timeout: 2s, retries: 5}'
    cat <<END
name: shop
services:
  api:
    image: $image
    healthcheck: $healthcheck
  web:
    image: $image
    environment: {VERSION: "$1"}
    healthcheck: $healthcheck
END
}
wanted=0
ship() { # the next release, to the device's fleet; sets wanted and wanted_id
    wanted=$((wanted + 1))
    compose "$wanted" >"$dir/compose.yaml"
    wanted_id=$(muster release create --file "$dir/compose.yaml" --version "$wanted.0.0" --output json |
        jq -re .id) && muster deploy --fleet shop-floor --release "shop@$wanted.0.0"
}
id_of() { docker ps -q --no-trunc --filter "label=io.muster.service=$1"; }
managed() { docker ps -aq --filter label=io.muster.managed=true; }
is_healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$(id_of "$1")")" = healthy ]; }
runs_wanted() {
    [ "$(managed | wc -l)" = 2 ] && is_healthy api && is_healthy web &&
        docker inspect --format '{{json .Config.Env}}' "$(id_of web)" |
        jq -e --arg wanted "VERSION=$wanted" 'index($wanted)'
}
reports_wanted() {
    muster device show till-1 --output json |
        jq -e --arg id "$wanted_id" '.reported_release_id == $id and .state == "running"'
}
has_arrived() { runs_wanted && reports_wanted; }

agent_round() { # agent_round NUMBER
    need "a release is deployed ($1)" ship
    moment 2.5
    agent_kill
    [ $(($1 % 2)) = 1 ] || need "and a newer one while the agent is dead ($1)" ship
    if [ $(($1 % 3)) = 0 ]; then
        control_kill
        need "the server was killed, too, and starts again ($1)" control_start
    fi
    agent_start
    check "the killed agent comes to the newest release ($1)" parts_wait 40 has_arrived
    check "and left alone what did not change ($1)" test "$(id_of api)" = "$api_id"
}

if ! engine_usable || ! command -v docker-registry >/dev/null; then
    echo 'skip kill: the agent no Docker Engine or registry can run here'
    exit "$failed"
fi
need 'a Docker Engine starts' engine_start "$dir"
need 'a registry starts' registry_start "$dir" "$(port_pick)"
image=$(image_build web 1.0.0)
muster fleet create --name shop-floor >/dev/null
token=$(muster token create --fleet shop-floor --output json | jq -re .token)
need 'a device joins' "$build/src/agent/muster-agent" enrol "$token" \
    --name till-1 --state "$dir/device"
agent_start
need 'a first release is deployed' ship
need 'and runs' parts_wait 60 has_arrived
api_id=$(id_of api)
for ((round = 1; round <= agent_rounds; round++)); do agent_round "$round"; done
exit "$failed"
