#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Events by curl and by muster: each entry once and in order, over restarts of the server and of
# whoever follows; and each way in which a stream ends.
set -u
cd "$(dirname "$0")/../.." || exit
. scripts/parts.sh
. tests/e2e/control.sh
suite='events'

is_built || { echo "skip $suite the programs are not built" && exit 0; }
dir=$(mktemp -d)
followers=()
finish() {
    local pid
    for pid in "${followers[@]}"; do kill "$pid" 2>/dev/null; done
    [ ! -e "$dir/musterd.pid" ] || control_kill
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

made=0
fleets() { # fleets COUNT: so many entries more
    local i
    for ((i = 0; i < $1; i++)); do
        made=$((made + 1))
        api POST /v1/fleets "{\"name\":\"fleet-$made\"}" >>"$dir/made.log" || return 1
    done
}

# stream QUERY FILE [CURL OPTION...]: curl goes on in the background; $follower is its process.
stream() {
    local query=$1 file=$2
    shift 2
    curl -sSN --cacert "$dir/server/ca.pem" -H "Authorization: Bearer $bearer" "$@" \
        "$url/v1/events$query" >"$file" 2>"$file.err" &
    follower=$!
    followers+=("$follower")
    parts_wait 10 grep -q '^id: ' "$file" # it has begun
}
# follow FILE [OPTION...]: the same by muster, as JSON.
follow() {
    local file=$1
    shift
    "$build/src/cli/muster" events -f --output json "$@" >"$file" 2>"$file.err" &
    follower=$!
    followers+=("$follower")
}
ids() { grep '^id: ' "$1" | cut -c5- | uniq; }        # of a stream, its places included
numbers() { jq -r .number "$@"; }                     # of entries as JSON
has_last() { [ "$(numbers "$1" | tail -n 1)" = "$2" ]; } # has_last FILE NUMBER
# The numbers on stdin follow each other, and there are so many.
are_in_order() { awk -v want="$1" 'NR > 1 && $1 != last + 1 { bad = 1 } { last = $1 } END { exit bad || NR != want }'; }
last_number() { api GET '/v1/audit?limit=1&descending=true' | jq .items[0].number; }
# settled: what was done is in the journal.
settled() {
    local name="fleet-$made"
    api GET '/v1/audit?limit=1&descending=true' | jq -e --arg name "$name" '.items[0].subject_name == $name'
}
ends_within() { # ends_within SECONDS PID STATUS
    local pid=$2 status=0
    parts_wait "$1" eval "! kill -0 $pid 2>/dev/null" || return 1
    wait "$pid" || status=$?
    [ "$status" = "$3" ]
}

# --- what there is ---

curl_has_all() {
    stream '?follow=false' "$dir/all" && ends_within 10 "$follower" 0 || return 1
    ids "$dir/all" | tail -n +2 | are_in_order "$(last_number)" &&
        tail -n 4 "$dir/all" | grep -q '^event: end'
}
muster_has_all() {
    muster events --output json >"$dir/all.json" && numbers "$dir/all.json" | are_in_order "$(last_number)" &&
        muster events --action fleet.create --subject fleet-3 | tee "$dir/table" | grep -q 'fleet-3$' &&
        [ "$(wc -l <"$dir/table")" = 2 ]
}
is_head_only() {
    curl -sS -m 5 -I --cacert "$dir/server/ca.pem" -H "Authorization: Bearer $bearer" "$url/v1/events" |
        tee "$dir/head" | grep -qi '^content-type: text/event-stream'
}
is_told_why() {
    curl -sS -m 5 --cacert "$dir/server/ca.pem" "$url/v1/events" | jq -e '.code == "unauthenticated"' &&
        curl -sS -m 5 --cacert "$dir/server/ca.pem" -H "Authorization: Bearer $bearer" \
            -H 'Last-Event-ID: 77777' "$url/v1/events" | jq -e '.code == "state"'
}
need 'a control plane starts' control_init
need 'it serves' control_start
need 'an owner signs in' control_login
need 'there is something in the journal' fleets 20
need 'it is sealed' parts_wait 10 settled
check 'curl has all there is, and is told that this is all' curl_has_all
check 'muster has all there is, and what is asked for of it' muster_has_all
check 'HEAD is answered by a head' is_head_only
check 'what cannot begin is a problem document' is_told_why

# --- what comes ---

comes() {
    local before
    before=$(last_number)
    stream '' "$dir/live" || return 1
    fleets 10 && parts_wait 10 grep -q "^id: $((before + 10))\$" "$dir/live" || return 1
    kill "$follower"
    ids "$dir/live" | are_in_order 11 # and where it began
}
goes_on() { # by curl, behind what it has seen
    local seen
    fleets 5 && parts_wait 10 settled || return 1
    seen=$(ids "$dir/live" | tail -n 1)
    stream '?follow=false' "$dir/on" -H "Last-Event-ID: $seen" && ends_within 10 "$follower" 0 || return 1
    { ids "$dir/live" && ids "$dir/on" | tail -n +2; } | are_in_order 16
}
check 'curl -N has what comes, in order' comes
check 'and goes on by Last-Event-ID' goes_on

# --- restarts ---

server_is_killed() {
    local before round
    before=$(last_number)
    follow "$dir/follow.json" --after "$before" --action fleet
    for round in 1 2 3; do
        fleets 5 && parts_wait 20 has_last "$dir/follow.json" "$((before + 5 * round))" || return 1
        control_kill && sleep 1 && control_start || return 1
    done
    fleets 5 && parts_wait 60 has_last "$dir/follow.json" "$((before + 20))" || return 1
    kill "$follower"
    numbers "$dir/follow.json" | are_in_order 20 &&
        grep -q "going on behind entry $((before + 15))" "$dir/follow.json.err"
}
follower_is_killed() {
    local before round after
    before=$(last_number)
    after=$before
    : >"$dir/parts.json"
    for round in 1 2 3 4; do
        follow "$dir/part.json" --after "$after"
        fleets 5
        [ "$round" = 4 ] && { parts_wait 20 has_last "$dir/part.json" "$((before + 20))" || return 1; }
        kill -9 "$follower"
        wait "$follower" 2>/dev/null
        # What was cut off in a line was not seen.
        jq -R -c 'fromjson? // empty' "$dir/part.json" >>"$dir/parts.json"
        after=$(numbers "$dir/parts.json" | tail -n 1)
        after=${after:-$before}
    done
    numbers "$dir/parts.json" | are_in_order 20
}
check 'muster events -f has each entry once though the server is killed' server_is_killed
check 'and though it is killed itself' follower_is_killed

# --- ends ---

ends_with_session() {
    local login
    login=$(jq -Rc '{org: "demo", name: "ada", password: .}' "$dir/password")
    local bearer
    bearer=$(curl -fsS --cacert "$dir/server/ca.pem" "$url/v1/login" \
        -H 'Content-Type: application/json' -d "$login" | jq -re .access_token)
    stream '' "$dir/session" && api POST /v1/logout && ends_within 5 "$follower" 0
}
ends_with_server() { # in order, and at once, though somebody does not read
    local musterd reader
    musterd=$(cat "$dir/musterd.pid")
    stream '' "$dir/drained" || return 1
    reader=$follower
    stream '' "$dir/stopped" || return 1
    kill -STOP "$follower"
    fleets 5
    kill -TERM "$musterd"
    ends_within 5 "$reader" 0 && ends_within 8 "$musterd" 0
    local status=$?
    kill -KILL "$follower"
    wait "$follower" 2>/dev/null
    rm "$dir/musterd.pid"
    return "$status"
}
check 'a stream ends with its session' ends_with_session
check 'a server that stops ends streams in order and waits for none' ends_with_server
exit "$failed"
