#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# usage: fuzz.sh SECONDS [NAME...]
# Runs each fuzzer for SECONDS and merges what reaches new code into its corpus. A crash stays in
# build-asan/fuzz/ and ends the run.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

seconds=${1:?usage: fuzz.sh SECONDS [NAME...]}
shift
build_sanitized
scratch=build-asan/fuzz
[ $# -gt 0 ] || mapfile -t names < <(fuzzers)
for name in "${@:-${names[@]}}"; do
    echo "fuzz: $name for ${seconds}s" >&2
    fuzz_one "$name" "$seconds" "$scratch"
    "build-asan/tests/fuzz/${name}_fuzz" -merge=1 "tests/fuzz/corpus/$name" "$scratch/$name"
done
