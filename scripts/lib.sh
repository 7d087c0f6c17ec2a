# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What test.sh, soak.sh and fuzz.sh share: source it from the top of the tree. $work is a folder of
# the sourcing script.
# shellcheck disable=SC2154 # work

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

# suite LANE DIR MESON_TEST_OPTION...: the meson tests of one build.
suite() {
    local lane=$1 dir=$2
    shift 2
    rm -f "$dir/meson-logs/testlog.json"
    meson test -C "$dir" --no-rebuild --num-processes 2 --timeout-multiplier 4 "$@" \
        >"$work/meson.log" 2>&1 || :
    if [ -s "$dir/meson-logs/testlog.json" ]; then
        scripts/tap_summary.py "$lane" "$dir/meson-logs/testlog.json"
    else
        echo "not ok $lane: no tests in it"
    fi
}

# built LANE COMMAND...: one test of its own, since both compilers must be silent.
built() {
    local lane=$1
    shift
    if "$@" >"$work/build.log" 2>&1; then
        echo "ok $lane: build"
    else
        echo "not ok $lane: build"
        tail -n 40 "$work/build.log" | cut -c1-200 | sed 's/^/# /'
        return 1
    fi
}

# fuzz_all LANE SECONDS SCRATCH: each fuzzer, a line each.
fuzz_all() {
    local name
    for name in $(fuzzers); do
        if [ -z "$(ls "tests/fuzz/corpus/$name" 2>/dev/null)" ]; then
            echo "not ok $1: $name has no seeds"
        elif fuzz_one "$name" "$2" "$3" >"$work/fuzz.log" 2>&1; then
            echo "ok $1: $name"
        else
            echo "not ok $1: $name"
            tail -n 40 "$work/fuzz.log" | cut -c1-200 | sed 's/^/# /'
        fi
    done
}

# part SCRIPT SECONDS: a test that prints its own lines; one that ends without is a failed one.
part() {
    local status=0
    timeout --kill-after 30 "$2" "$1" >"$work/parts.out" 2>"$work/parts.err" || status=$?
    grep -E '^(ok|not ok|skip) ' "$work/parts.out" || status=${status/#0/nothing}
    if [ "$status" != 0 ]; then
        grep -q '^not ok ' "$work/parts.out" || echo "not ok $1: ended with $status"
        tail -n 40 "$work/parts.out" "$work/parts.err" | sed 's/^/# /'
    fi
}

# count FILE WHAT: how many lines of the results in FILE are `WHAT ...`.
count() { grep -c "^$2 " "$1" || :; }

# total FILE: the last line, of all results in FILE. Fails if one failed or none passed.
total() {
    local passed failed
    passed=$(count "$1" ok) failed=$(count "$1" 'not ok')
    echo "$passed passed, $failed failed, $(count "$1" skip) skipped"
    [ "$failed" = 0 ] && [ "$passed" != 0 ]
}
