#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A thousand devices on one server: they join, stay, are shipped a release, and come back after the
# server was killed.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/parts.sh
. tests/e2e/control.sh
suite=thousand
count=1000
rss_max_kb=65536

is_built || { echo 'skip thousand the programs are not built' && exit 0; }
ulimit -n "$(ulimit -Hn)"
if [ "$(ulimit -n)" != unlimited ] && [ "$(ulimit -n)" -lt $((3 * count)) ]; then
    echo "skip thousand only $(ulimit -n) open files are allowed"
    exit 0
fi
dir=$(mktemp -d)
finish() {
    parts_kill "$dir/simulate.pid" KILL
    control_kill
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

simulate() { # they stay until they are told to go, so that a slow machine is no failure
    "$build/tests/simulate/muster-simulate" --count "$count" --token "$1" \
        >"$dir/result" 2>>"$dir/agent.log" &
    echo $! >"$dir/simulate.pid"
}
online() {
    muster device list --limit "$count" --output json |
        jq -s 'flatten | map(select(.presence == "online")) | length'
}
all_online() { [ "$(online)" = "$count" ]; }
all_run() { # all_run RELEASE_ID
    [ "$(api_all /v1/devices |
        jq -c --arg release "$1" 'select(.reported_release_id == $release and .state == "running")' |
        wc -l)" = "$count" ]
}
# The simulation's own view: the server's may be of a last word that is recent enough.
open_at_once() { grep -q "\"open\":$count," "$dir/agent.log"; }
are_back() { open_at_once && all_online; }
result() { jq -e --argjson count "$count" "$1" "$dir/result"; }
rss_kb() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$(cat "$dir/musterd.pid")/status"; }
leave() {
    local pid
    pid=$(cat "$dir/simulate.pid")
    kill -TERM "$pid"
    wait "$pid"
}
release() { # release VERSION: its id
    printf 'name: load\nservices:\n  web:\n    image: 127.0.0.1:1/web@sha256:%064d\n' 0 |
        muster release create --file - --no-resolve --version "$1" --output json | jq -re .id
}
deploy() { muster deploy --fleet everywhere --release "$1"; }

need 'a control plane is made' control_init
need 'it starts' control_start
need 'its owner signs in' control_login
need 'a fleet is made' muster fleet create --name everywhere
started=$SECONDS
simulate "$(muster token create --fleet everywhere --uses-max "$count" --output json | jq -r .token)"
need "$count devices are online" parts_wait 120 all_online
echo "# enrolled and online after $((SECONDS - started)) s"
check 'all their channels are open at once' parts_wait 10 open_at_once

first=$(release 1.0.0)
started=$SECONDS
need 'a release is deployed' deploy load@1.0.0
check 'and reaches all of them' parts_wait 30 all_run "$first"
echo "# running everywhere after $((SECONDS - started)) s; musterd: $(rss_kb) kB"
if is_sanitized; then
    echo 'skip thousand: the memory of the server the build carries sanitizers'
else
    check "the server needs at most $((rss_max_kb / 1024)) MB (RSS)" test "$(rss_kb)" -le "$rss_max_kb"
fi

control_kill
started=$SECONDS
need 'the killed server starts again' control_start
: >"$dir/agent.log" # of the ties to the one that was killed
check 'all devices come back' parts_wait 60 are_back
echo "# back after $((SECONDS - started)) s"
second=$(release 1.1.0)
check 'another release is deployed' deploy load@1.1.0
check 'and reaches all of them, too' parts_wait 30 all_run "$second"
check 'the audit chain is intact' audit_intact

check 'they leave when they are told to' leave
echo "# $(cat "$dir/result")"
check 'all had joined' result '.enrolled == $count and .devices == $count'
check 'all were in touch at the end' result '.open == $count'
check 'the server had acknowledged what each of them is' result '.acked == $count'
exit "$failed"
