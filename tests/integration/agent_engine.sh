#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The agent against a real Docker Engine and registry, with the server away: what it was told last
# is what it runs.
set -eu
cd "$(dirname "$0")/../.."
. scripts/parts.sh
agent=${AGENT:-build/src/agent/muster-agent}

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

agent_start() {
    "$agent" run --state "$state" --engine "$DOCKER_HOST" >>"$dir/agent.log" 2>&1 &
    agent_pid=$!
}
agent_stop() { # agent_stop SIGNAL
    kill "-$1" "$agent_pid" 2>/dev/null || :
    wait "$agent_pid" 2>/dev/null || :
    agent_pid=
}
version=0
# desire SERVICE...: the next version, taken up by a new start of the agent.
desire() {
    [ -z "$agent_pid" ] || agent_stop TERM
    version=$((version + 1))
    tests/integration/agent_state.py "$state" "$version" "$@"
    agent_start
}
reports() { grep -q "\"version\":$version,.*\"state\":\"$1\",\"\(detail\|services\)\"" "$state/reported.json"; }
reached() { parts_wait "${2:-30}" reports "$1"; }
id_of() { docker inspect -f '{{.Id}}' "muster-$1"; }
answers() { [ "$(curl -fsS -m 2 "http://127.0.0.1:$port/")" = "$1" ]; }
count() { docker ps -aq --filter label=io.muster.managed=true | wc -l; }
has() { [ "$(count)" = "$1" ]; }
healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "muster-$1")" = healthy ]; }

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
check 'services reach each other by name' docker exec muster-web wget -q -O - http://db:8080/
check 'the volume is labelled' test -n "$(docker volume ls -q --filter label=io.muster.managed=true)"
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

desire "$web,env=VERSION:2" "$db"
check 'a changed service is replaced' reached running
check 'by the new version' parts_wait 5 answers 'web 2'
check 'whose predecessor is gone' parts_wait 10 has 2
check 'and the other one is left alone' test "$(id_of db)" = "$first_db"

no_image=${image%@*}@sha256:$(printf '0%.0s' {1..64})
second_web=$(id_of web)
desire "web=$no_image,port=$port:8080" "$db"
check 'an image that is not there is a failure' reached failed
check 'with the reason' grep -q 'cannot pull web: .*manifest' "$state/reported.json"
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

docker rm -f muster-db >/dev/null
check 'a container that somebody removed comes back' parts_wait 20 healthy db

desire
check 'what is no longer wanted is removed' parts_wait 30 has 0
check 'a container that is not ours is left alone' docker inspect foreign
agent_stop TERM
exit "$failed"
