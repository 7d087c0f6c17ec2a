#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs every test there is, lane by lane; the last line is "N passed, N failed, N skipped".
#
# usage: test.sh [LANE...]   lanes: gcc asan tsan fuzz release checks parts cover (default: these,
#                            in this order)
# release: the build that is packaged, which sees other warnings. cover: what of src is run by the
# tests of gcc and some of parts.
# FUZZ_SECONDS: of each fuzzer (5).
#
# Each lane prints lines `ok NAME`, `not ok NAME` or `skip NAME reason`; `#` lines explain.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

work=$(mktemp -d "${TMPDIR:-/tmp}/muster-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
export TMPDIR=$work

lane_gcc() {
    built gcc build_for build gcc || return 0
    suite gcc build
}

lane_asan() {
    built asan build_sanitized || return 0
    suite asan build-asan
}

lane_tsan() {
    built tsan build_for build-tsan clang -Db_sanitize=thread -Db_lundef=false || return 0
    suite tsan build-tsan --suite threads
}

lane_fuzz() {
    built fuzz build_sanitized || return 0
    fuzz_all fuzz "${FUZZ_SECONDS:-5}" "$work/fuzz"
}

lane_release() {
    built release build_for build-release gcc --buildtype=release || :
}

lane_checks() {
    tests/checks/selftest.py || :
    tests/checks/docs_test.py || :
    tests/checks/summary_test.py || :
    tests/checks/check.py 2>/dev/null || :
}

# Programs against real parts. Each prints its own lines.
lane_parts() {
    local script
    for script in tests/integration/*.sh tests/contract/*.sh tests/wire/*.sh tests/e2e/*.sh; do
        [ ! -x "$script" ] || part "$script" 600
    done
}

# What runs the main ways of each program, soon enough for this lane. Killed programs leave no
# counts.
cover_parts='tests/integration/agent_enrol.sh tests/wire/client.sh tests/e2e/demo.sh'

# Threads count too, hence the atomic counters.
lane_cover() {
    local script
    command -v gcovr >/dev/null || { echo 'skip cover gcovr is not here' && return 0; }
    built cover build_for build-cover gcc --buildtype=debug -Db_coverage=true \
        -Dc_args=-fprofile-update=atomic || return 0
    find build-cover -name '*.gcda' -delete
    suite cover build-cover | grep -v '^ok ' || :
    for script in $cover_parts; do
        BUILD=build-cover timeout --kill-after 30 120 "$script" >"$work/parts.out" 2>/dev/null ||
            echo "not ok cover: $script fails in this build"
        grep -E '^skip ' "$work/parts.out" || :
    done
    tests/cover.py build-cover || :
}

lanes=("$@")
[ $# -gt 0 ] || lanes=(gcc asan tsan fuzz release checks parts cover)
for lane in "${lanes[@]}"; do
    started=$SECONDS
    "lane_$lane" >"$work/lane.$lane"
    grep -v '^ok ' "$work/lane.$lane" || :
    printf '%-7s %5d ok  %4ds\n' "$lane" "$(count "$work/lane.$lane" ok)" $((SECONDS - started))
done

cat "$work"/lane.* >"$work/lanes"
total "$work/lanes"
