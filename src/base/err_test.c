// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include "base/problem.h"
#include "base/text.h"
#include "test.h"

#include <string.h>

TEST(every_code_has_a_word_a_title_a_status_and_an_exit_code) {
    for (ErrCode code = OK; code < ERR_CODE_COUNT; code++) {
        Str name = str_from(err_code_name(code));
        CHECK(name.len > 0 && *err_title(code));
        CHECK(code == OK || err_from_name(name) == code);
        CHECK((err_http_status(code) == 200) == (code == OK));
        CHECK((err_exit_code(code) == EXIT_OK) == (code == OK));
    }
    for (ExitCode code = EXIT_OK; code < EXIT_CODE_COUNT; code++)
        CHECK(*exit_code_doc(code));
    CHECK(err_from_name(S("a_newer_word")) == OK && err_from_name((Str){}) == OK);
}

TEST(exit_codes_are_the_documented_ones) {
    static const struct {
        ErrCode code;
        int exit_code;
    } cases[] = {
        {ERR_UNAUTHENTICATED, 3},
        {ERR_FORBIDDEN,       3},
        {ERR_NOT_FOUND,       4},
        {ERR_EXISTS,          5},
        {ERR_CONFLICT,        5},
        {ERR_STATE,           5},
        {ERR_INVALID,         6},
        {ERR_LIMIT,           6},
        {ERR_BUSY,            7},
        {ERR_TIMEOUT,         7},
        {ERR_UNAVAILABLE,     7},
        {ERR_MEMORY,          8},
        {ERR_FULL,            8},
        {ERR_SYSTEM,          8},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK((int)err_exit_code(cases[i].code) == cases[i].exit_code);
}

TEST(a_full_disk_has_a_code_of_its_own_whoever_says_it) {
    static const int full[] = {ENOSPC, EDQUOT, EFBIG};
    for (size_t i = 0; i < sizeof(full) / sizeof(full[0]); i++)
        CHECK_ERR(err_sys(full[i], "cannot write"), ERR_FULL);
    errno = EIO;
    Err err = FAIL_SYS("cannot write");
    CHECK(err.code == ERR_SYSTEM && err.sys == EIO);
    CHECK_STR(str_from(err.what), S("cannot write"));
}

TEST(a_status_alone_means_the_first_code_that_is_told_by_it) {
    static const struct {
        uint32_t status;
        ErrCode code;
    } cases[] = {
        {200, OK                 },
        {204, OK                 },
        {302, ERR_INVALID        },
        {400, ERR_INVALID        },
        {401, ERR_UNAUTHENTICATED},
        {403, ERR_FORBIDDEN      },
        {404, ERR_NOT_FOUND      },
        {409, ERR_CONFLICT       },
        {412, ERR_CONFLICT       },
        {413, ERR_LIMIT          },
        {422, ERR_INVALID        },
        {429, ERR_BUSY           },
        {500, ERR_UNAVAILABLE    },
        {502, ERR_UNAVAILABLE    },
        {503, ERR_UNAVAILABLE    },
        {504, ERR_TIMEOUT        },
        {507, ERR_UNAVAILABLE    },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK(err_from_http_status(cases[i].status) == cases[i].code);
}

/// What a document with this `code`, if any, means that came with `status`.
static ErrCode read_code(uint32_t status, const char *body) {
    Arena arena;
    arena_init(&arena, 64 * 1024);
    Problem problem;
    ErrCode code = problem_read(status, str_from(body), &arena, &problem);
    CHECK(problem.status == status);
    arena_done(&arena);
    return code;
}

TEST(a_problem_is_read_by_its_word_and_else_by_its_status) {
    CHECK(read_code(409, "{\"code\":\"exists\"}") == ERR_EXISTS);
    CHECK(read_code(409, "{\"code\":\"a_newer_word\"}") == ERR_CONFLICT);
    CHECK(read_code(502, "<html>") == ERR_UNAVAILABLE);
    CHECK(read_code(401, "") == ERR_UNAUTHENTICATED);
}

TEST(what_a_peers_own_machine_lacks_is_no_fault_of_this_one) {
    CHECK(read_code(500, "{\"code\":\"system\"}") == ERR_UNAVAILABLE);
    CHECK(read_code(503, "{\"code\":\"memory\"}") == ERR_UNAVAILABLE);
    CHECK(read_code(507, "{\"code\":\"full\"}") == ERR_UNAVAILABLE);
    CHECK(read_code(503, problem_of_no_memory.ptr) == ERR_UNAVAILABLE);
}

TEST(a_problem_that_was_written_is_read_back) {
    Arena arena;
    arena_init(&arena, 64 * 1024);
    Text text;
    text_init(&text, PROBLEM_BYTES_MAX);
    problem_encode(FAIL(ERR_BUSY, "too many at once"), 429, S("/v1/a"), S("req_1"), 7, NULL, &text);
    CHECK_OK(text_check(&text));
    Problem problem;
    CHECK(problem_read(429, text_str(&text), &arena, &problem) == ERR_BUSY);
    CHECK_STR(problem.type, S("urn:muster:problem:busy"));
    CHECK_STR(problem.title, S("Too much at once"));
    CHECK_STR(problem.detail, S("too many at once"));
    CHECK_STR(problem.instance, S("/v1/a"));
    CHECK(problem.retry_after_s == 7);
    text_done(&text);
    arena_done(&arena);
}

TEST(a_reason_is_one_line_cut_at_a_character) {
    Reason reason = {};
    reason_set(&reason, "a\nb\tc%d", 1);
    CHECK_STR(str_from(reason.text), S("a b c1"));
    char longer[ERR_REASON_MAX + 8];
    memset(longer, 'x', sizeof(longer));
    memcpy(longer + ERR_REASON_MAX - 2, "\xc3\xa4", 3);
    reason_set(&reason, "%s", longer);
    CHECK(strlen(reason.text) == ERR_REASON_MAX - 2);
    CHECK_ERR(reason_fail(&reason, FAIL(ERR_STATE, "no"), "%s", "said"), ERR_STATE);
    CHECK_STR(str_from(reason.text), S("said"));
    CHECK_ERR(reason_fail(NULL, FAIL(ERR_STATE, "no"), "%s", "said"), ERR_STATE);
}

TEST(a_reason_says_what_it_is_about_before_its_words) {
    Reason reason = {};
    CHECK_ERR(reason_about(&reason, FAIL(ERR_STATE, "no"), "file %d", 1), ERR_STATE);
    assert_string_equal(reason.text, "file 1");
    CHECK_ERR(reason_about(&reason, FAIL(ERR_STATE, "no"), "folder"), ERR_STATE);
    assert_string_equal(reason.text, "folder: file 1");
    CHECK_OK(reason_about(&reason, SUCCESS, "nothing"));
    assert_string_equal(reason.text, "folder: file 1");
    CHECK_ERR(reason_about(NULL, FAIL(ERR_STATE, "no"), "file"), ERR_STATE);
}

TEST_MAIN(CASE(every_code_has_a_word_a_title_a_status_and_an_exit_code),
          CASE(exit_codes_are_the_documented_ones),
          CASE(a_full_disk_has_a_code_of_its_own_whoever_says_it),
          CASE(a_status_alone_means_the_first_code_that_is_told_by_it),
          CASE(a_problem_is_read_by_its_word_and_else_by_its_status),
          CASE(what_a_peers_own_machine_lacks_is_no_fault_of_this_one),
          CASE(a_problem_that_was_written_is_read_back),
          CASE(a_reason_is_one_line_cut_at_a_character),
          CASE(a_reason_says_what_it_is_about_before_its_words))
