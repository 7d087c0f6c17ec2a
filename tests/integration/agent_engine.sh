#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The agent against a real Docker Engine and registry, with the server away: what it was told last
# is what it runs.
set -eu
cd "$(dirname "$0")/../.."
. scripts/parts.sh
agent=${AGENT:-build/src/agent/muster-agent}
extra=${EXTRA_AGENT:-build/src/agent/muster-agent-extra}

if ! engine_usable || ! command -v docker-registry >/dev/null || ! command -v openssl >/dev/null; then
    echo 'skip agent_engine no Docker Engine or registry can run here'
    exit 0
fi
[ -x "$agent" ] || { echo 'skip agent_engine the agent is not built' && exit 0; }

failed=0
check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@" >/dev/null 2>&1; then
        echo "ok agent_engine: $name"
    else
        echo "not ok agent_engine: $name"
        failed=1
        tail -n 15 "$dir/agent.log" >&2
        docker ps -a >&2
    fi
}

dir=$(mktemp -d)
state=$dir/agent
agent_pid=
finish() {
    [ -z "$agent_pid" ] || agent_stop KILL
    parts_stop "$dir"
}
trap finish EXIT

agent_start() { # agent_start [PROGRAM]
    "${1:-$agent}" run --state "$state" --engine "$DOCKER_HOST" >>"$dir/agent.log" 2>&1 &
    agent_pid=$!
}
agent_stop() { # agent_stop SIGNAL
    kill "-$1" "$agent_pid" 2>/dev/null || :
    wait "$agent_pid" 2>/dev/null || :
    agent_pid=
}
generation=0
# desire SERVICE...: the next generation, taken up by a new start of the agent.
desire() {
    [ -z "$agent_pid" ] || agent_stop TERM
    generation=$((generation + 1))
    tests/integration/agent_state.py "$state" "$generation" "$@"
    agent_start
}
reports() {
    jq -e --argjson generation "$generation" --arg state "$1" \
        '.reported | .generation == $generation and .state == $state' "$state/reported.json"
}
reached() { parts_wait "${2:-30}" reports "$1"; }
# id_of SERVICE [APPLICATION]: of its container that runs.
id_of() {
    docker ps -q --no-trunc --filter "label=io.muster.service=$1" \
        --filter "label=io.muster.application=${2:-shop}" --filter status=running | head -n 1
}
answers() { [ "$(curl -fsS -m 2 "http://127.0.0.1:$port/")" = "$1" ]; }
count() { docker ps -aq --filter label=io.muster.managed=true | wc -l; }
has() { [ "$(count)" = "$1" ]; }
healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$(id_of "$1")")" = healthy ]; }

engine_start "$dir"
registry_start "$dir" "$(port_pick)"
image=$(image_build web 1.0.0)
docker image rm -f "$(docker image ls -q)" >/dev/null
port=$(port_pick)
docker create --name foreign "$image" >/dev/null 2>&1 || { docker pull -q "$image" >/dev/null && docker create --name foreign "$image" >/dev/null; }

db=db=$image,check,volume=data
web=web=$image,check,needs=db,port=$port:8080

desire "$web,env=VERSION:1" "$db"
check 'two services run with the server away' reached running
check 'they are healthy' eval 'healthy web && healthy db'
check 'the published port answers' answers 'web 1'
check 'services reach each other by name' docker exec "$(id_of web)" wget -q -O - http://db:8080/
check 'the volume is named and labelled' \
    test "$(docker volume ls -q --filter label=io.muster.managed=true --filter label=io.muster.application=shop)" = shop_data
check 'so is the network' test "$(docker network ls --format '{{.Name}}' --filter label=io.muster.format=1)" = shop_default
check 'a container is named after what it is' \
    eval '[[ $(docker inspect -f "{{.Name}}" "$(id_of web)") =~ ^/shop\.web\.[0-9a-f]{6}$ ]]'
echo "# memory: $(awk '/^Rss/ { r = $2 } /^Pss:/ { p = $2 } /^Private/ { q += $2 } END {
    print "rss", r, "pss", p, "private", q, "kB" }' "/proc/$agent_pid/smaps_rollup")"
pss=$(awk '/^Pss:/ { print $2 }' "/proc/$agent_pid/smaps_rollup")
check 'it needs at most 6 MB (PSS) with containers running' test "$pss" -le 6144

first_web=$(id_of web) first_db=$(id_of db)
agent_stop KILL
agent_start
check 'a new start of the agent finds all running' reached running
sleep 1 # time in which it could do harm
check 'and restarts no container' test "$(id_of web) $(id_of db)" = "$first_web $first_db"

if [ -x "$extra" ]; then
    agent_stop TERM
    agent_start "$extra"
    check 'an agent that knows more fields finds all running' reached running
    sleep 1
    check 'and restarts no container either' test "$(id_of web) $(id_of db)" = "$first_web $first_db"
    check 'because nothing was created' test "$(grep -c '"create"' "$dir/agent.log")" = 2
else
    echo 'skip agent_engine: an agent that knows more fields is not built'
fi

desire "$web,env=VERSION:2" "$db"
check 'a changed service is replaced' reached running
check 'by the new version' parts_wait 5 answers 'web 2'
check 'whose predecessor is gone' parts_wait 10 has 2
check 'and the other one is left alone' test "$(id_of db)" = "$first_db"

no_image=${image%@*}@sha256:$(printf '0%.0s' {1..64})
second_web=$(id_of web)
desire "web=$no_image,port=$port:8080" "$db"
check 'an image that is not there is a failure' reached failed
check 'with the reason' grep -q 'cannot pull shop.web: .*manifest' "$state/reported.json"
check 'and the old version keeps running' answers 'web 2'
check 'in the same container' test "$(id_of web)" = "$second_web"

desire "web=$image,sick,env=VERSION:3" "$db"
check 'a new version that is not healthy is a failure' reached failed
check 'which says so' grep -q 'web is unhealthy' "$state/reported.json"

desire "$web,env=VERSION:2" "$db"
check 'what ran before is adopted again' reached running
check 'in the same container' eval '[ "$(docker ps -q --no-trunc --filter label=io.muster.service=web)" = "$second_web" ]'

for round in 1 2 3 4 5; do
    desire "$web,env=VERSION:k$round" "$db" "job$round=$image,env=ROUND:$round"
    sleep "$(awk -v r="$RANDOM" 'BEGIN { print r / 32768 * 3 }')"
    agent_stop KILL
    agent_start
    check "killed at some moment of an update, it ends where it should ($round)" \
        eval "reached running && parts_wait 20 has 3 && parts_wait 5 answers 'web k$round'"
done

engine_stop "$dir"
sleep 1 # the agent notices
engine_start "$dir"
check 'after a crash of the engine all is well again' \
    eval "parts_wait 40 healthy web && parts_wait 20 has 3 && parts_wait 20 answers 'web k5'"

docker rm -f "$(id_of db)" >/dev/null
check 'a container that somebody removed comes back' parts_wait 20 healthy db

# --- several applications ---

other=$(port_pick)
desire "$web,env=VERSION:2" "$db" @till "web=$image,check,env=VERSION:9,port=$other:8080"
check 'a second application runs beside the first' reached running
check 'its service of the same name is another one' \
    eval "answers 'web 2' && [ \"\$(curl -fsS -m 2 http://127.0.0.1:$other/)\" = 'web 9' ]"
shop_web=$(id_of web)
meets() { docker exec "$(id_of web till)" wget -q -T 2 -O - http://db:8080/; }
check 'and does not meet the first' eval '! meets'
desire "$web,env=VERSION:2" "$db"
check 'an application that is not wanted any more is removed' parts_wait 30 has 2
check 'with its network' parts_wait 10 eval '[ -z "$(docker network ls -q --filter name=till_default)" ]'
check 'and the other one is left alone' test "$(id_of web)" = "$shop_web"

docker volume create till_data >/dev/null
docker create --name "foreign2" --label io.muster.managed=true \
    --label io.muster.device=device_01jdfq3t5hefbv1nq5a3x4k2zr --label io.muster.format=2 \
    --label io.muster.application=shop --label io.muster.service=web "$image" >/dev/null
desire "$web,env=VERSION:2" "$db" @till "web=$image,volume=data"
check 'a volume of somebody else that holds a name is a failure' reached failed
check 'which says so' grep -q 'volume till_data is there already and not of this' "$state/reported.json"
check 'what a newer agent made is told' grep -q 'foreign2 was made by a newer' "$state/reported.json"
check 'and left alone' docker inspect foreign2
docker rm -f foreign2 >/dev/null

# An image whose entrypoint tells what it was given: "loud", if nobody clears it.
docker create --name maker "$image" >/dev/null
docker commit -c 'ENTRYPOINT ["/bin/sh", "-c", "echo \"got $*.\"; sleep 300", "-"]' -c 'CMD ["loud"]' \
    maker "$REGISTRY/echo:1" >/dev/null
docker rm maker >/dev/null
docker push -q "$REGISTRY/echo:1" >/dev/null
echo_image=$(docker image inspect --format '{{index .RepoDigests 0}}' "$REGISTRY/echo:1")
said() { [ "$(docker logs "$(id_of "$1" echo)")" = "$2" ]; }
desire @echo "quiet=$echo_image,clear" "loud=$echo_image"
check 'services with and without a command run' reached running
check 'an absent command is the one of the image' said loud 'got loud.'
check 'an empty command clears it' said quiet 'got .'
desire @echo "nothing=$image,clear"
check 'where nothing is left to run, that is a failure' reached failed
check 'which says so, too' grep -q 'nothing is left to run' "$state/reported.json"

# --- files that cannot be read ---

desire "$web,env=VERSION:2" "$db"
check 'all is well again' reached running
agent_stop TERM
kept=$(id_of web)
echo '{"format":2,"reads":2,"desired":"of tomorrow"}' >"$state/desired.json"
agent_start
check 'a file of a newer agent is set aside' parts_wait 10 test -s "$state/desired.json.newer"
sleep 1
check 'and what runs goes on running' test "$(id_of web)" = "$kept"
agent_stop TERM
cp "$state/membership.json" "$dir/membership.json"
echo '{' >"$state/membership.json"
check 'a damaged membership stops the agent with its name' \
    eval '! timeout 10 "$agent" run --state "$state" --engine "$DOCKER_HOST" 2>"$dir/said" && grep -q membership.json "$dir/said"'
cp "$dir/membership.json" "$state/membership.json"

desire
check 'what is no longer wanted is removed' parts_wait 30 has 0
check 'but volumes never' docker volume inspect shop_data
check 'a container that is not ours is left alone' docker inspect foreign
agent_stop TERM
exit "$failed"
