#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# usage: fuzz.sh SECONDS [NAME...]
# Runs each fuzzer for SECONDS, from its seeds and from what earlier runs found. Finds and crashes
# stay in build-asan/fuzz/; a crash ends the run. Once mended, it becomes a seed with a name in
# tests/fuzz/corpus/NAME/.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

seconds=${1:?usage: fuzz.sh SECONDS [NAME...]}
shift
build_sanitized
scratch=build-asan/fuzz
names=("$@")
[ $# -gt 0 ] || mapfile -t names < <(fuzzers)
for name in "${names[@]}"; do
    echo "fuzz: $name for ${seconds}s" >&2
    fuzz_one "$name" "$seconds" "$scratch"
done
