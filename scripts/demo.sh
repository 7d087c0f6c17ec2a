#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The main job, for real: a control plane, a device with a Docker Engine, a release, an update.
#
# Stays up until Ctrl-C; with CHECK=1 it ends after the last step, with 0 only if every step was
# seen in the engine itself. Its last line is then one JSON object with what was measured.
set -eu
cd "$(dirname "$0")/.."
. scripts/parts.sh

build=${BUILD:-build}
dir=$(mktemp -d "${TMPDIR:-/tmp}/muster-demo.XXXXXX")
musterd_pid='' agent_pid='' own_engine=''

say() { printf '\n== %s\n' "$*" >&2; }
die() {
    printf 'demo: %s\n' "$*" >&2
    for log in musterd agent; do
        [ ! -s "$dir/$log.log" ] || { echo "--- $log" >&2 && tail -n 15 "$dir/$log.log" >&2; }
    done
    exit 1
}
now_ms() { date +%s%3N; }
seconds_since() { awk -v from="$1" -v to="$(now_ms)" 'BEGIN { printf "%.2f", (to - from) / 1000 }'; }

end_process() { # end_process PID
    [ -n "$1" ] || return 0
    kill -TERM "$1" 2>/dev/null || :
    wait "$1" 2>/dev/null || :
}

# Undo everything: the agent keeps its containers when it ends, so they are removed here.
clean_up() {
    trap - EXIT INT TERM
    end_process "$agent_pid"
    end_process "$musterd_pid"
    if [ -z "$own_engine" ]; then
        docker ps -aq --filter label=io.muster.managed=true | xargs -r docker rm -f >/dev/null 2>&1 || :
        docker network ls -q --filter label=io.muster.managed=true |
            xargs -r docker network rm >/dev/null 2>&1 || :
        docker image ls -q "${REGISTRY:-none}/*" | sort -u | xargs -r docker rmi -f >/dev/null 2>&1 || :
    fi
    parts_stop "$dir" >/dev/null 2>&1 || :
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

muster() { "$build/src/cli/muster" "$@"; }
memory_kb() { awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/smaps_rollup"; }

# container SERVICE FORMAT: what the engine itself says of a service's container.
container() {
    docker ps -q --no-trunc --filter "label=io.muster.service=$1" --filter status=running |
        head -n 1 | xargs -r docker inspect --format "$2"
}
runs_image() { # runs_image SERVICE REF: it runs, and is healthy, from exactly this image
    [ "$(container "$1" '{{.Config.Image}} {{.State.Health.Status}}')" = "$2 healthy" ]
}

compose() { # compose WEB_REF API_REF: the two services
    cat <<END
name: shop
services:
  api:
    image: $2
    environment: {MODE: demo}
    healthcheck: {test: ["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/"], interval: 1s, timeout: 2s, retries: 5}
  web:
    image: $1
    depends_on: {api: {condition: service_healthy}}
    ports: ["127.0.0.1:$web_port:8080"]
    healthcheck: {test: ["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/"], interval: 1s, timeout: 2s, retries: 5}
END
}

say 'building'
[ -f "$build/build.ninja" ] || CC=gcc meson setup "$build" >/dev/null
ninja -C "$build" >/dev/null || die 'the build failed'

say 'a Docker Engine and a registry with two images'
if ! engine_find; then
    engine_usable || die 'no Docker Engine is here and none can be started'
    engine_start "$dir" || die 'the Docker Engine does not start'
    own_engine=yes
fi
registry_start "$dir" "$(port_pick)" || die 'the registry does not start'
web_1=$(image_build web 1.0.0) api_1=$(image_build api 1.0.0) web_2=$(image_build web 1.1.0)
docker image ls -q "$REGISTRY/*" | sort -u | xargs -r docker rmi -f >/dev/null # so pulls are real

say 'a control plane'
port=$(port_pick) web_port=$(port_pick)
"$build/src/control/musterd" init --data "$dir/server" --org demo --owner ada >"$dir/credentials"
sed 's/^\([^ ]*\)  *\(.*\)/   \1  \2/' "$dir/credentials" | sed -n '1,4p' >&2
sed -i "/^[# ]*\(port\|address\|heartbeat\) *=/d" "$dir/server/musterd.conf"
printf 'address = 127.0.0.1\nport = %s\nheartbeat = 5s\n' "$port" >>"$dir/server/musterd.conf"
"$build/src/control/musterd" run --data "$dir/server" 2>"$dir/musterd.log" &
musterd_pid=$!
url=https://127.0.0.1:$port
parts_wait 20 curl -fsS --cacert "$dir/server/ca.pem" "$url/readyz" || die 'musterd does not start'

export MUSTER_CONFIG="$dir/session.json"
awk '$1 == "password" { print $2 }' "$dir/credentials" >"$dir/password"
fingerprint=$(awk '$1 == "ca-fingerprint" { print $2 }' "$dir/credentials")
muster login --server "$url" --ca-fingerprint "$fingerprint" --org demo --name ada \
    --password-file "$dir/password" || die 'cannot sign in'
muster fleet create --name shop-floor >&2 || die 'cannot make a fleet'

say 'a device joins'
start=$(now_ms)
token=$(muster token create --fleet shop-floor --output json | jq -r .token)
"$build/src/agent/muster-agent" enrol "$token" --name till-1 \
    --state "$dir/device" || die 'the device cannot join'
"$build/src/agent/muster-agent" run --state "$dir/device" --engine "$DOCKER_HOST" 2>"$dir/agent.log" &
agent_pid=$!
is_online() { [ "$(muster device show till-1 --output json | jq -r .presence)" = online ]; }
parts_wait 20 is_online || die 'the device does not come online'
enrol_s=$(seconds_since "$start")
muster device list >&2

say 'release 1.0.0 goes out'
compose "$web_1" "$api_1" >"$dir/compose.yaml"
muster release create --file "$dir/compose.yaml" --version 1.0.0 >&2 || die 'no release'
start=$(now_ms)
muster deploy --fleet shop-floor --release shop@1.0.0 --wait --timeout 2m || die 'it is not deployed'
first_s=$(seconds_since "$start")
runs_image api "$api_1" || die 'the engine does not run api 1.0.0 healthily'
runs_image web "$web_1" || die 'the engine does not run web 1.0.0 healthily'
[ "$(curl -fsS "http://127.0.0.1:$web_port/")" = 'web 1.0.0' ] || die 'web does not answer'
api_id=$(container api '{{.Id}}')
docker ps --filter label=io.muster.managed=true --format '   {{.Names}}  {{.Status}}' >&2

say 'release 1.1.0 changes one of the two'
compose "$web_2" "$api_1" >"$dir/compose.yaml"
muster release create --file "$dir/compose.yaml" --version 1.1.0 >&2 || die 'no release'
start=$(now_ms)
muster deploy --fleet shop-floor --release shop@1.1.0 --wait --timeout 2m || die 'it is not updated'
update_s=$(seconds_since "$start")
runs_image web "$web_2" || die 'the engine does not run web 1.1.0 healthily'
[ "$(curl -fsS "http://127.0.0.1:$web_port/")" = 'web 1.1.0' ] || die 'web 1.1.0 does not answer'
[ "$(container api '{{.Id}}')" = "$api_id" ] || die 'api was restarted although it did not change'
muster device list >&2
muster audit verify >&2 || die 'the audit chain is broken'

measured=$(printf '{"enrol_s":%s,"first_running_s":%s,"updated_s":%s,"agent_rss_kb":%s,"agent_pss_kb":%s,"server_rss_kb":%s}' \
    "$enrol_s" "$first_s" "$update_s" "$(memory_kb "$agent_pid" Rss)" \
    "$(memory_kb "$agent_pid" Pss)" "$(memory_kb "$musterd_pid" Rss)")
if [ -z "${CHECK:-}" ]; then
    say 'look around (in another terminal)'
    cat >&2 <<END
   export MUSTER_CONFIG=$MUSTER_CONFIG DOCKER_HOST=$DOCKER_HOST
   $PWD/$build/src/cli/muster device show till-1
   $PWD/$build/src/cli/muster audit list
   docker ps
   curl http://127.0.0.1:$web_port/
   curl --cacert $dir/server/ca.pem $url/openapi.json
   logs: $dir/musterd.log $dir/agent.log
   measured: $measured
   Ctrl-C ends and removes all of it.
END
    sleep infinity &
    wait $! || :
fi
clean_up
echo "$measured"
