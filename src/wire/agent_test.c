// SPDX-License-Identifier: Apache-2.0
#include "wire/agent.h"

#include "base/scope.h"
#include "test.h"

#include <string.h>

/// A desired state of applications with these names, each with a manifest of `bytes`.
static Desired
desired_of(Application *applications, const char *const *names, size_t count, size_t bytes) {
    static char text[DOCUMENT_TEXT_MAX];
    memset(applications, 0, count * sizeof(*applications));
    for (size_t i = 0; i < count; i++) {
        applications[i].name = str_from(names[i]);
        applications[i].manifest.text = (Str){text, bytes};
    }
    return (Desired){
        .generation = 1, .applications = {applications, count}
    };
}

TEST(applications_are_in_the_order_of_their_names) {
    static const struct {
        const char *names[3];
        const char *reason; ///< NULL: good
    } rows[] = {
        {{"a", "a-1", "b"}, NULL                  },
        {{"a", "b", "b"},   "/applications/2/name"},
        {{"b", "a", "c"},   "/applications/1/name"},
        {{"b", "c", "a"},   "/applications/2/name"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        Application applications[3];
        Desired desired = desired_of(applications, rows[i].names, 3, 1);
        Reason reason = {};
        Err err = desired_check(&desired, &reason);
        CHECK(err.code == (rows[i].reason ? ERR_INVALID : OK));
        CHECK(!rows[i].reason || strstr(reason.text, rows[i].reason));
    }
}

TEST(a_desired_state_with_nothing_in_it_is_good) {
    CHECK_OK(desired_check(&(Desired){.generation = 1}, NULL));
}

TEST(what_is_said_with_nothing_in_it_is_said) {
    static const struct {
        const char *json, *member;
        bool has;
    } rows[] = {
        {"{\"seq\":1}",                                             "reported",  false},
        {"{\"seq\":1,\"reported\":null}",                           "reported",  false},
        {"{\"seq\":1,\"reported\":{}}",                             "reported",  true },
        {"{\"seq\":1,\"reported\":{\"generation\":0}}",             "reported",  true },
        {"{\"seq\":1,\"facts\":{}}",                                "facts",     true },
        {"{\"seq\":1,\"telemetry\":{\"cpu_percent\":0,\"new\":1}}", "telemetry", true },
        {"{\"seq\":1,\"telemetry\":{}}",                            "facts",     false},
    };
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1024 * 1024);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SyncUp up, again;
        SCOPED(text_done) Text json;
        text_init(&json, 10'000);
        CHECK_OK(
            schema_read(&SyncUp_schema, str_from(rows[i].json), DECODE_PEER, &arena, &up, NULL));
        CHECK(sync_up_has(&up, rows[i].member) == rows[i].has);
        schema_encode(&SyncUp_schema, &up, ENCODE_REQUEST, &json);
        CHECK_OK(schema_read(&SyncUp_schema, text_str(&json), DECODE_PEER, &arena, &again, NULL));
        CHECK(sync_up_has(&again, rows[i].member) == rows[i].has);
    }
}

TEST(a_clock_at_or_before_1970_spoils_no_message) {
    static const char *const times[] = {
        "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "0001-01-01T00:00:00+05:00"};
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1024 * 1024);
    for (size_t i = 0; i < 3; i++) {
        SyncUp up;
        Str json =
            str_print(&arena, "{\"seq\":1,\"stamp\":{\"time\":\"%s\",\"uptime_ms\":7}}", times[i]);
        CHECK_OK(schema_read(&SyncUp_schema, json, DECODE_PEER, &arena, &up, NULL));
        CHECK(up.stamp.time.ms == 0 && up.stamp.uptime_ms == 7);
    }
}

TEST(measurements_are_not_negative) {
    static const char *const bad[] = {"{\"cpu_percent\":-7}", "{\"load1\":1e308}"};
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1024 * 1024);
    for (size_t i = 0; i < 2; i++) {
        Telemetry telemetry;
        CHECK_ERR(
            schema_read(&Telemetry_schema, str_from(bad[i]), DECODE_PEER, &arena, &telemetry, NULL),
            ERR_INVALID);
    }
}

TEST(all_texts_of_a_desired_state_have_a_bound_together) {
    static const char *const names[] = {"a", "b"};
    Application applications[2];
    Desired desired = desired_of(applications, names, 2, DESIRED_TEXTS_MAX / 2);
    CHECK_OK(desired_check(&desired, NULL));
    Str one = S("x");
    Document *const parts[] = {
        &applications[0].values, &applications[1].statement, &desired.policy};
    for (size_t i = 0; i < 3; i++) {
        Reason reason = {};
        parts[i]->text = one;
        CHECK_ERR(desired_check(&desired, &reason), ERR_INVALID);
        CHECK(strstr(reason.text, "1572865 bytes"));
        parts[i]->text = (Str){};
    }
    CHECK_OK(desired_check(&desired, NULL));
}

TEST(a_part_that_no_agent_reads_yet_refuses_its_application) {
    Sealed secret = {.name = S("password")};
    Signature signature = {.key_id = S("k")};
    const struct {
        Application application;
        const char *word; ///< of the refusal; NULL: none
    } rows[] = {
        {{},                               NULL       },
        {{.values = {.text = S("{}")}},    "values"   },
        {{.sealed = {&secret, 1}},         "secrets"  },
        {{.statement = {.text = S("{}")}}, "statement"},
        {{.signatures = {&signature, 1}},  NULL       },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        Refusal refusal = {.code = S("old")};
        application_check(&rows[i].application, &refusal);
        CHECK(!rows[i].word == !refusal.code.ptr);
        if (!rows[i].word) continue;
        CHECK(refusal_is(&refusal, REFUSED_NEEDS_ABILITY) && refusal.class == REFUSAL_CHANGE);
        CHECK(strstr(refusal.detail.ptr, rows[i].word));
    }
}

TEST(a_message_that_breaks_a_bound_is_none) {
    static const struct {
        const Schema *schema;
        const char *json;
    } rows[] = {
        {&SyncUp_schema,    "{}"                                                   },
        {&SyncUp_schema,    "{\"seq\":0}"                                          },
        {&SyncUp_schema,    "{\"seq\":-1}"                                         },
        {&SyncUp_schema,    "{\"seq\":\"1\"}"                                      },
        {&SyncUp_schema,    "{\"seq\":1,\"hello\":{}}"                             },
        {&SyncUp_schema,
         "{\"seq\":1,\"reported\":{\"notes\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\","
         "\"9\"]}}"                                                                },
        {&SyncUp_schema,    "{\"seq\":1,\"reported\":{\"detail\":\"two\\nlines\"}}"},
        {&SyncUp_schema,    "{\"seq\":1,\"reported\":{\"state\":7}}"               },
        {&SyncDown_schema,  "{\"ack\":1.5}"                                        },
        {&SyncDown_schema,  "{\"heartbeat\":\"2d\"}"                               },
        {&SyncDown_schema,  "{\"desired\":{\"generation\":1}}"                     },
        {&SyncDown_schema,  "{\"desired\":{\"generation\":0,\"applications\":[]}}" },
        {&SyncDown_schema,  "{\"key\":\"short\"}"                                  },
        {&Challenge_schema,
         "{\"nonce\":\"n\",\"now\":\"2026-11-26T08:00:00Z\",\"audience\":\"device_"
         "01jdkx4y8re6va2q9c3h5m7002\"}"                                           },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, 1 << 20);
        void *record = arena_alloc(&arena, rows[i].schema->size, _Alignof(max_align_t));
        Err err =
            schema_read(rows[i].schema, str_from(rows[i].json), DECODE_PEER, &arena, record, NULL);
        if (err.code != ERR_INVALID) fail_msg("%s was read", rows[i].json);
    }
}

TEST_MAIN(CASE(applications_are_in_the_order_of_their_names),
          CASE(a_desired_state_with_nothing_in_it_is_good),
          CASE(what_is_said_with_nothing_in_it_is_said),
          CASE(a_clock_at_or_before_1970_spoils_no_message),
          CASE(measurements_are_not_negative),
          CASE(all_texts_of_a_desired_state_have_a_bound_together),
          CASE(a_part_that_no_agent_reads_yet_refuses_its_application),
          CASE(a_message_that_breaks_a_bound_is_none))
