// SPDX-License-Identifier: Apache-2.0
#include "control/tidy.h"

#include "api/token.h"
#include "base/scope.h"
#include "control/fixture.h"
#include "db/journal.h"
#include "test.h"

#include <sched.h>

enum { DAY_MS = 86'400'000, WITHIN_MS = 10'000 };

static uint64_t rows(Fixture *f, const Schema *schema) {
    SCOPED(tx_closep) Tx *tx = NULL;
    uint64_t count = 99;
    CHECK_OK(tx_open_all(f->app.db, &f->arena, &tx));
    CHECK_OK(tx_count(tx, schema, &(Query){}, &count));
    return count;
}

TEST(a_token_is_removed_a_week_after_its_end) {
    Fixture f;
    fixture_open(&f);
    Str fleet = fixture_fleet(&f, "one");
    const char *body = fixture_print(&f, "{\"fleet_id\":\"%.*s\",\"ttl\":\"1h\"}", STR_FMT(fleet));
    for (int i = 0; i < 3; i++)
        CHECK(fixture_call(&f, "POST", "/v1/tokens", f.token, body).status == 201);
    f.now_ms += 7 * DAY_MS;
    tidy_round(&f.app);
    CHECK(rows(&f, &Token_schema) == 3);
    f.now_ms += 3'600'001;
    tidy_round(&f.app);
    CHECK(rows(&f, &Token_schema) == 0);
    fixture_close(&f);
}

TEST(the_audit_log_stays_for_ever_unless_it_is_said_otherwise) {
    Fixture f;
    fixture_open(&f);
    fixture_fleet(&f, "one");
    HttpReply list = fixture_call(&f, "GET", "/v1/audit", f.token, NULL);
    CHECK(list.status == 200);
    uint64_t before = rows(&f, &JournalRow_schema);
    f.now_ms += 4000ull * DAY_MS;
    tidy_round(&f.app);
    CHECK(rows(&f, &JournalRow_schema) == before);
    f.app.config.audit_keep.ms = DAY_MS;
    tidy_round(&f.app);
    CHECK(rows(&f, &JournalRow_schema) == 0);
    fixture_close(&f);
}

TEST(the_thread_comes_by_itself_and_ends_when_it_is_told) {
    Fixture f;
    fixture_open(&f);
    Str fleet = fixture_fleet(&f, "one");
    fixture_enrolment_token(&f, fleet, 1);
    f.now_ms += 4000ull * DAY_MS;
    Tidy *tidy = NULL;
    CHECK_OK(tidy_open(&f.app, 1, &tidy));
    uint64_t end_ms = clock_monotonic_ms() + WITHIN_MS;
    while (rows(&f, &Token_schema) > 0 && clock_monotonic_ms() < end_ms)
        sched_yield();
    CHECK(rows(&f, &Token_schema) == 0);
    tidy_close(tidy);
    fixture_close(&f);
}

TEST_MAIN(CASE(a_token_is_removed_a_week_after_its_end),
          CASE(the_audit_log_stays_for_ever_unless_it_is_said_otherwise),
          CASE(the_thread_comes_by_itself_and_ends_when_it_is_told))
