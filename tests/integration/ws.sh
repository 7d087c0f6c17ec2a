#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The gateway against a WebSocket client that is not ours (npm's ws).
set -eu
cd "$(dirname "$0")/../.."
. scripts/parts.sh
. tests/support/musterd.sh
gateway=${ECHO_GATEWAY:-build/tests/support/echo_gateway}

[ -x "$gateway" ] || { echo 'skip ws the echo gateway is not built' && exit 0; }
packages_ready || { echo 'skip ws npm cannot install the client' && exit 0; }

program=${BUILD:-build}/src/control/musterd
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || :; rm -rf "$dir"' EXIT
"$program" init --data "$dir/server" --org demo --owner ada >/dev/null # for its certificate

# gateway_start NAME [ARGUMENT...]: its port to $dir/NAME; it ends when input_NAME does.
gateway_start() {
    local name=$1
    shift
    mkfifo "$dir/$name.in"
    "$gateway" "$@" <"$dir/$name.in" >"$dir/$name" &
    pids+=($!)
}
gateway_start plain
gateway_start secure "$dir/server/server.pem" "$dir/server/server.key"
exec {plain}>"$dir/plain.in" {secure}>"$dir/secure.in"
parts_wait 10 test -s "$dir/plain" && parts_wait 10 test -s "$dir/secure"
status=0
node tests/integration/ws.mjs "$(cat "$dir/plain")" "$(cat "$dir/secure")" "$dir/server/ca.pem" ||
    status=1
exec {plain}>&- {secure}>&- # a gateway ends with its input
if wait "${pids[0]}" && wait "${pids[1]}"; then
    echo 'ok ws: the gateway stops when told'
else
    echo 'not ok ws: the gateway stops when told'
    status=1
fi
exit $status
