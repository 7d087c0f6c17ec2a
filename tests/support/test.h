// SPDX-License-Identifier: Apache-2.0
/// The shape of a test: TEST(name_as_a_sentence) { CHECK(...); } and TEST_MAIN(CASE(name), ...).
///
/// A thin cover over cmocka. A part that cannot run here is left with SKIP("name of the part"),
/// which is printed and counted as skipped, never as passed.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TEST(name) static void name([[maybe_unused]] void **test_state)

/// Fail the test, with the expression and its place, unless it holds.
#define CHECK(expr) assert_true(expr)
/// The call returned OK.
#define CHECK_OK(expr)                                                         \
    do {                                                                       \
        Err check_err_ = (expr);                                               \
        if (check_err_.code != OK) fail_msg("%s: %s", #expr, check_err_.what); \
    } while (0)
/// The call returned the error `expected`.
#define CHECK_ERR(expr, expected)                                          \
    do {                                                                   \
        Err check_err_ = (expr);                                           \
        if (check_err_.code != (expected))                                 \
            fail_msg("%s: %d, not %s", #expr, check_err_.code, #expected); \
    } while (0)
/// Two Str are equal; prints both when not.
#define CHECK_STR(got, expected)                              \
    do {                                                      \
        Str check_got_ = (got), check_expected_ = (expected); \
        if (!str_eq(check_got_, check_expected_))             \
            fail_msg("%s is \"%.*s\", not \"%.*s\"",          \
                     #got,                                    \
                     STR_FMT(check_got_),                     \
                     STR_FMT(check_expected_));               \
    } while (0)
/// A Reason has `part` in it; prints it when not.
#define CHECK_SAID(reason, part)                                     \
    do {                                                             \
        if (!strstr((reason).text, (part)))                          \
            fail_msg("\"%s\" has no \"%s\"", (reason).text, (part)); \
    } while (0)
/// Leave the test: the named part is not on this machine.
#define SKIP(part)                                           \
    do {                                                     \
        fprintf(stderr, "SKIPPED: %s is missing\n", (part)); \
        skip();                                              \
    } while (0)

#define CASE(name) cmocka_unit_test(name)
#define TEST_MAIN(...)                                                 \
    int main(void) {                                                   \
        const struct CMUnitTest tests[] = {__VA_ARGS__};               \
        return cmocka_run_group_tests(tests, NULL, NULL) == 0 ? 0 : 1; \
    }
