// SPDX-License-Identifier: Apache-2.0
/// What a caller is told when memory runs out anywhere within a call.
#include "base/problem.h"
#include "http/fixture.h"

#include "starve.h"
#include "test.h"

enum { ALLOCATIONS_MAX = 500 };

static const HttpRequest creation = {
    .method = S("POST"),
    .path = S("/v1/boxes"),
    .bearer = S("writer"),
    .content_type = S("application/json"),
    .body = S("{\"name\":\"n\",\"note\":\"x\",\"parts\":[{\"name\":\"p\",\"weight\":3}]}"),
};
static const HttpRequest listing = {
    .method = S("GET"),
    .path = S("/v1/boxes"),
    .bearer = S("reader"),
};

static HttpReply run_starved(Fixture *fixture, const HttpRequest *request, long nth, bool lasting) {
    arena_done(&fixture->arena); // a chunk that is kept would not be asked for again
    starve(nth, lasting);
    return router_wait(fixture->router, NULL, request, &fixture->arena);
}

/// Fail each allocation of the call in turn. How many of the failures were told.
static size_t sweep(Fixture *fixture, const HttpRequest *request, bool lasting) {
    size_t told = 0;
    for (long nth = 0; nth < ALLOCATIONS_MAX; nth++) {
        HttpReply reply = run_starved(fixture, request, nth, lasting);
        bool has_failed = starve_end();
        if (!has_failed) {
            CHECK(reply.status == 200 || reply.status == 201);
            return told;
        }
        if (reply.status < 300) continue; // it was something that can be done without
        Problem problem;
        Arena arena;
        arena_init(&arena, PROBLEM_BYTES_MAX);
        CHECK(problem_read(reply.status, reply.body, &arena, &problem) == ERR_UNAVAILABLE);
        CHECK_STR(problem.code, S("memory"));
        CHECK(reply.status == 503 && reply.retry_after_s > 0);
        CHECK_STR(reply.content_type, S(PROBLEM_CONTENT_TYPE));
        arena_done(&arena);
        told++;
    }
    fail_msg("the call never ended");
    return told;
}

TEST(a_failed_allocation_within_a_call_is_503_and_not_413) {
    Fixture fixture;
    fixture_open(&fixture);
    CHECK(sweep(&fixture, &creation, false) > 5);
    CHECK(sweep(&fixture, &listing, false) > 2);
    fixture_close(&fixture);
}

TEST(where_nothing_is_left_the_answer_is_503_still) {
    Fixture fixture;
    fixture_open(&fixture);
    CHECK(sweep(&fixture, &creation, true) > 5);
    CHECK(sweep(&fixture, &listing, true) > 2);
    fixture_close(&fixture);
}

TEST(a_half_made_call_is_not_committed) {
    Fixture fixture;
    fixture_open(&fixture);
    for (long nth = 0; nth < ALLOCATIONS_MAX; nth++) {
        fixture.handled = fixture.committed = 0;
        HttpReply reply = run_starved(&fixture, &creation, nth, true);
        bool has_failed = starve_end();
        CHECK(fixture.committed <= fixture.handled);
        if (reply.status < 300) CHECK(fixture.committed == 1);
        if (!has_failed) break;
    }
    fixture_close(&fixture);
}

TEST_MAIN(CASE(a_failed_allocation_within_a_call_is_503_and_not_413),
          CASE(where_nothing_is_left_the_answer_is_503_still),
          CASE(a_half_made_call_is_not_committed))
