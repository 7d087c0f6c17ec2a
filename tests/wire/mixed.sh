#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Programs of two versions: today's server with the agent of the commit that packaging/previous
# names, and that commit's server with today's agent. Desired states and reports cross both ways.
#
# PREVIOUS_BUILD: a build folder of that commit, instead of one that is made here and kept below
# today's build folder.
set -eu
cd "$(dirname "$0")/../.."
. scripts/parts.sh
. tests/e2e/control.sh

suite='wire mixed'
today=$build
dir=$(mktemp -d)
trap 'agent_stop; control_kill || :; rm -rf "$dir"' EXIT

# previous_build COMMIT FOLDER: its programs, made from its own tree.
previous_build() {
    local commit=$1 folder=$2
    [ ! -e "$folder/made" ] || return 0
    rm -rf "$folder"
    mkdir -p "$folder/tree" || return 1
    git archive "$commit" | tar -x -C "$folder/tree" || return 1
    CC=gcc meson setup "$folder/build" "$folder/tree" || return 1
    ninja -C "$folder/build" src/control/musterd src/agent/muster-agent src/cli/muster || return 1
    touch "$folder/made"
}

agent_start() { # agent_start AGENT_BUILD: without an engine, so what it is told fails, and is told
    "$1/src/agent/muster-agent" run --state "$dir/device" \
        --engine unix:///nonexistent/engine.sock 2>>"$dir/agent.log" &
    echo $! >"$dir/agent.pid"
}
agent_stop() { [ ! -e "$dir/agent.pid" ] || parts_kill "$dir/agent.pid" TERM || :; }
enrols() { "$1/src/agent/muster-agent" enrol "$token" --name till-1 --state "$dir/device"; }
release_make() { # release_make VERSION
    local image
    image="127.0.0.1:1/web@sha256:$(printf '%064d' 7)"
    api POST /v1/releases "{\"application\": \"shop\", \"version\": \"$1\", \"manifest\":
        {\"services\": [{\"name\": \"web\", \"image\": \"$image\", \"command\": []}]}}"
}
ship() { release_make "$1" && muster deploy --fleet shop-floor --release "shop@$1"; }
reports() { # reports VERSION: the device is at this release, and says that it cannot run it
    local release
    release=$(api_all /v1/releases | jq -re "select(.version == \"$1\") | .id") || return 1
    api_all /v1/devices | jq -e --arg release "$release" \
        'select(.name == "till-1") | .presence == "online" and .state != "running"
         and .reported_generation == .generation and .generation > 0
         and .applications[0].name == "shop" and .applications[0].release_id == $release'
}
holds() { jq -e --arg version "$1" '.desired.applications[0].version == $version' \
    "$dir/device/desired.json"; }
connected() { [ "$(grep -c '"event":"server.found"' "$dir/agent.log")" = "$1" ]; } # so many times
nobody_was_cut_off() {
    ! grep -hE '"event":"(sync\.failed|server\.lost|application\.refused)"' "$dir"/*.log
}

# pair NAME SERVER_BUILD AGENT_BUILD
pair() {
    local name=$1 agent=$3
    build=$2 # musterd and muster of control.sh
    rm -rf "${dir:?}"/*
    need "$name: a control plane starts" eval 'control_init && control_start && control_login'
    muster fleet create --name shop-floor >/dev/null
    token=$(muster token create --fleet shop-floor --output json | jq -re .token)
    need "$name: the device joins" enrols "$agent"
    agent_start "$agent"
    need "$name: a release is deployed" ship 1.0.0
    check "$name: the device reports on it" parts_wait 30 reports 1.0.0
    check "$name: and holds it" holds 1.0.0
    check "$name: another one is deployed" ship 1.1.0
    check "$name: it is pushed, and reported on" parts_wait 30 reports 1.1.0
    agent_stop
    agent_start "$agent"
    check "$name: the device comes back" parts_wait 30 connected 2
    check "$name: as what it was" parts_wait 30 reports 1.1.0
    check "$name: no message was refused" nobody_was_cut_off
    check "$name: the device is retired" muster device delete till-1
    check "$name: and is told so" parts_wait 30 grep -q 'retired' "$dir/agent.log"
    agent_stop
    control_kill
}

commit=$(sed '/^#/d' packaging/previous | head -n 1)
previous=${PREVIOUS_BUILD:-$today/previous/$commit/build}
if [ -z "${PREVIOUS_BUILD:-}" ]; then
    git cat-file -e "$commit^{commit}" 2>/dev/null ||
        { echo "skip $suite: packaging/previous names \"$commit\", no commit that is here" && exit 0; }
    need 'the previous programs are built' previous_build "$commit" "$today/previous/$commit"
fi
is_built || { echo "not ok $suite: not built" && exit 1; }
pair 'previous agent' "$today" "$previous"
pair 'previous server' "$previous" "$today"
exit "$failed"
