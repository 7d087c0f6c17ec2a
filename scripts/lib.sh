# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What test.sh and fuzz.sh share: source it from the top of the tree.

# build_for DIR COMPILER OPTION...: configure once, then build.
build_for() {
    local dir=$1 compiler=$2
    shift 2
    [ -f "$dir/build.ninja" ] || CC=$compiler meson setup "$dir" "$@" >&2 || return 1
    ninja -C "$dir" >&2
}

# Address and undefined behaviour, with the fuzzers: one build for both.
build_sanitized() {
    build_for build-asan clang -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true \
        -Dc_args=-fno-sanitize-recover=all
}
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

# fuzzers: the names of those that are built.
fuzzers() {
    find build-asan/tests/fuzz -maxdepth 1 -name '*_fuzz' -type f -printf '%f\n' 2>/dev/null |
        sed 's/_fuzz$//' | sort
}

# fuzz_one NAME SECONDS SCRATCH: run it from its seeds; new finds and crashes go to SCRATCH.
fuzz_one() {
    mkdir -p "$3/$1"
    "build-asan/tests/fuzz/$1_fuzz" -max_total_time="$2" -timeout=10 -rss_limit_mb=1024 \
        -artifact_prefix="$3/" "$3/$1" "tests/fuzz/corpus/$1"
}
