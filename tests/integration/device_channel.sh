#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The device channel with a WebSocket client that is not ours.
set -eu
cd "$(dirname "$0")/../.."
. scripts/parts.sh
. tests/support/musterd.sh

packages_ready || { echo 'skip device_channel npm packages cannot be installed' && exit 0; }

dir=$(mktemp -d)
trap 'musterd_stop || :; rm -rf "$dir"' EXIT
musterd_start "$dir" || { echo 'not ok device channel: musterd starts' && exit 1; }
failed=0
node tests/integration/device_channel.mjs || failed=1 # it tells the server to stop, at its end
if musterd_stop; then
    echo 'ok device channel: musterd ends in order'
else
    echo 'not ok device channel: musterd ends in order'
    failed=1
fi
exit "$failed"
