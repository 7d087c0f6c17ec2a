#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the storms of the tests whole, one after another (about 45 minutes); make test runs a tenth
# of each. Prints lines as test.sh does, and its last line.
#
# usage: soak.sh [STORM...]   storms: random faults kills fuzz (default: these, in this order)
# random: both engines, 100,000 operations a seed. faults: kill -9 of the store and disks that fail
# or are full. kills: of the server and the agent, under load. fuzz: each fuzzer.
# SEEDS: of random ("1 2 3 4 5"); each failure prints its own. FUZZ_SECONDS: of each fuzzer (60).
# SEED: of kills (printed by tests/e2e/kill.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
export MUSTER_SOAK=1

work=$(mktemp -d "${TMPDIR:-/tmp}/muster-soak.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
export TMPDIR=$work

storm_random() {
    local seed
    for seed in ${SEEDS:-1 2 3 4 5}; do
        TEST_SEED=$seed suite "random $seed" build --timeout-multiplier 0 tx_random
    done
}

storm_faults() { suite faults build --timeout-multiplier 0 sqlite_day sqlite_fault sqlite_full; }

storm_kills() { part tests/e2e/kill.sh 3600; }

storm_fuzz() {
    built fuzz build_sanitized || return 0
    fuzz_all fuzz "${FUZZ_SECONDS:-60}" build-asan/fuzz
}

storms=("$@")
[ $# -gt 0 ] || storms=(random faults kills fuzz)
for storm in "${storms[@]}"; do
    declare -F "storm_$storm" >/dev/null || { echo "soak.sh: no such storm: $storm" >&2 && exit 2; }
done
built soak build_for build gcc | tee "$work/results" || storms=()
for storm in "${storms[@]}"; do
    "storm_$storm" | tee -a "$work/results"
done
total "$work/results"
