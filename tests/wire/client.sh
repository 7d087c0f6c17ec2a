#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docs/protocol.md is enough to write a device: one in JavaScript that uses nothing of ours joins,
# syncs, and is retired.
set -eu
cd "$(dirname "$0")/../.."
. scripts/parts.sh
. tests/support/musterd.sh
. tests/e2e/control.sh

suite='wire client'
packages_ready || { echo "skip $suite npm packages cannot be installed" && exit 0; }
dir=$(mktemp -d)
trap 'client_stop; control_kill || :; rm -rf "$dir"' EXIT

client() { # client NAME ARGUMENT...: the device called NAME
    local name=$1
    shift
    node tests/wire/client.mjs "$dir/$name" "$@"
}
client_start() { # client_start NAME [--poll]: its lines go to NAME.log
    local name=$1
    shift
    client "$name" run "$@" >"$dir/$name.log" 2>&1 &
    client_pid=$!
}
client_stop() {
    [ -n "${client_pid:-}" ] || return 0
    kill "$client_pid" 2>/dev/null || :
    wait "$client_pid" 2>/dev/null || :
    client_pid=
}
client_ends_with() { # client_ends_with STATUS
    local status=0
    wait "$client_pid" || status=$?
    client_pid=
    [ "$status" = "$1" ]
}
joins() { # joins NAME
    mkdir -m 700 "$dir/$1"
    client "$1" enrol "$token" | tee "$dir/$1.enrolled" | grep '^enrolled '
}
device_id() { sed 's/^enrolled //' "$dir/$1.enrolled" | jq -re .device_id; }
says() { grep -q "^$2 .*$3" "$dir/$1.log"; } # says NAME EVENT TEXT

# The account of the device, as the API shows it.
shows() { # shows NAME VERSION
    local shown
    shown=$(api GET "/v1/devices/$(device_id "$1")") || return 1
    echo "$shown"
    jq -e --arg release "$(api_all /v1/releases | jq -r "select(.version == \"$2\") | .id")" \
        '.state == "running" and .facts.os[0:8] == "Node.js " and .presence == "online"
         and .applications == [(.applications[0] + {name: "shop", release_id: $release,
           state: "running"})]
         and ([.applications[].services[] | {name, state}]
              == [{name: "web", state: "running"}])' <<<"$shown"
}
release_make() { # release_make VERSION
    local image
    image="registry.example.com/web@sha256:$(printf '%064d' 7)"
    api POST /v1/releases "{\"application\": \"shop\", \"version\": \"$1\", \"manifest\":
        {\"services\": [{\"name\": \"web\", \"image\": \"$image\", \"command\": []}]}}"
}
deployed() { muster deploy --fleet shop-floor --release "shop@$1"; }
# Told to one of the two ways: the way is named by what the client is started with.
syncs() { # syncs NAME VERSION [--poll]
    local name=$1 version=$2
    shift 2
    check "$name joins" joins "$name"
    client_start "$name" "$@"
    check "$name is told what to run" parts_wait 20 says "$name" desired "\"version\":\"$version\""
    check "the server shows what $name reports" parts_wait 20 shows "$name" "$version"
}
retired() { # retired NAME
    muster device delete "$(device_id "$1")"
    client_ends_with 3 && says "$1" refused '"code":"device_retired"'
}

is_built || { echo "not ok $suite: not built" && exit 1; }
lines=$(wc -l <tests/wire/client.mjs)
check 'it has less than 150 lines' test "$lines" -lt 150
need 'a control plane is made' control_init
need 'and starts' control_start
need 'the owner signs in' control_login
muster fleet create --name shop-floor >/dev/null
token=$(muster token create --fleet shop-floor --uses-max 9 --output json | jq -re .token)
need 'a release is made' release_make 1.0.0
need 'and deployed' deployed 1.0.0
syncs channel 1.0.0
check 'another release is made' release_make 1.1.0
check 'and deployed to it' deployed 1.1.0
check 'it is pushed to the device' parts_wait 20 says channel desired '"version":"1.1.0"'
check 'and reported' parts_wait 20 shows channel 1.1.0
client_stop
client_start channel
check 'it comes back with what it holds' parts_wait 20 says channel acknowledged 1
check 'and is not told again' test "$(grep -c '^desired ' "$dir/channel.log")" = 0
check 'a retired device is told so on its channel, and stays away' retired channel
client_start channel
check 'and when it comes back nevertheless' client_ends_with 3
syncs poller 1.1.0 --poll
check 'a retired device is told so when it polls' retired poller
exit "$failed"
