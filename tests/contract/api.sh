#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The REST API against its own OpenAPI document, by a linter and a validator that are not ours.
set -eu
cd "$(dirname "$0")/../.."
. scripts/parts.sh
. tests/support/musterd.sh

packages_ready || { echo 'skip contract npm packages cannot be installed' && exit 0; }

dir=$(mktemp -d)
trap 'musterd_stop || :; rm -rf "$dir"' EXIT
failed=0
check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$dir/out" 2>&1; then
        echo "ok contract: $name"
    else
        echo "not ok contract: $name"
        tail -n 40 "$dir/out" | sed 's/^/# /'
        failed=1
    fi
}

check 'musterd starts' musterd_start "$dir"
[ "$failed" = 0 ] || exit 1
check 'the document is served' \
    curl -fsS --cacert "$dir/server/ca.pem" -o "$dir/openapi.json" "$MUSTER_URL/openapi.json"
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
check 'a linter finds nothing in the document' tests/node_modules/.bin/redocly lint \
    --config tests/contract/redocly.yaml "$dir/openapi.json"
node tests/contract/api.mjs || failed=1
check 'musterd ends in order' musterd_stop
exit "$failed"
