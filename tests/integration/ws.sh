#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The gateway against a WebSocket client that is not ours (npm's ws).
set -eu
cd "$(dirname "$0")/../.."
. tests/support/musterd.sh
gateway=${ECHO_GATEWAY:-build/tests/support/echo_gateway}

[ -x "$gateway" ] || { echo 'skip ws the echo gateway is not built' && exit 0; }
packages_ready || { echo 'skip ws npm cannot install the client' && exit 0; }

coproc SERVER { exec "$gateway"; }
pid=$SERVER_PID input=${SERVER[1]}
trap 'kill "$pid" 2>/dev/null || :' EXIT
read -r port <&"${SERVER[0]}"
status=0
node tests/integration/ws.mjs "$port" || status=1
exec {input}>&- # the gateway ends with its input
if wait "$pid"; then
    echo 'ok ws: the gateway stops when told'
else
    echo 'not ok ws: the gateway stops when told'
    status=1
fi
exit $status
