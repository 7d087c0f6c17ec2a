#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo passes, within its memory, and leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/parts.sh
. tests/e2e/control.sh
suite=demo

if ! engine_find && ! engine_usable; then
    echo 'skip demo no Docker Engine is here and none can be started'
    exit 0
fi
if ! command -v docker-registry >/dev/null; then
    echo 'skip demo no docker-registry is here'
    exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Everything of the demo is below $dir, so whatever names it is a remnant.
run_demo() { TMPDIR=$dir CHECK=1 BUILD=$build timeout --kill-after 20 200 scripts/demo.sh >"$dir/out"; }
measured() { tail -n 1 "$dir/out" | jq -e "$1"; }
has_numbers() {
    measured '[.enrol_s, .first_running_s, .updated_s, .agent_rss_kb, .agent_pss_kb, .server_rss_kb]
        | all(type == "number" and . > 0)'
}
is_without_files() { ! compgen -G "$dir/muster-demo.*"; }
is_without_process() { ! pgrep -af "$dir/muster-demo"; }
# Another engine's bridge is not ours to blame; one without an engine is.
is_without_bridge() {
    local link
    for link in $(ip -o link show type bridge | awk -F '[:@ ]+' '$2 ~ /^muster[0-9]+$/ { print $2 }'); do
        pgrep -f -- "--bridge $link " >/dev/null || { echo "$link" && return 1; }
    done
}
is_without_container() {
    ! engine_find || [ -z "$(docker ps -aq --filter label=io.muster.managed=true)" ]
}

need 'every step is seen' run_demo
echo "# $(tail -n 1 "$dir/out")"
check 'it says what was measured' has_numbers
if is_sanitized; then
    echo 'skip demo: the memory of agent and server the build carries sanitizers'
else
    check 'the agent needs at most 6 MB (PSS)' measured '.agent_pss_kb <= 6144'
    check 'the server needs at most 32 MB (RSS)' measured '.server_rss_kb <= 32768'
fi
check 'no file is left' is_without_files
check 'no process is left' parts_wait 10 is_without_process
check 'no bridge is left' parts_wait 10 is_without_bridge
check 'no container is left on the machine' is_without_container
exit "$failed"
