// SPDX-License-Identifier: Apache-2.0
/// Built twice, with the agent as it is and with one that knows more fields (wire/extra.h): both
/// must find the same identities and labels, which are written down here, in what was published.
#include "agent/engine/container.h"
#include "agent/workload/workloads.h"
#include "base/arena.h"
#include "base/jws.h"
#include "test.h"

static Arena arena;

#define IMAGE "r/web@sha256:0000000000000000000000000000000000000000000000000000000000000001"

/// Published by an agent of format 1; never to be changed.
#define PUBLISHED                                                                            \
    "{\"format\":1,\"needs\":[{\"ability\":\"services\",\"since\":\"0.1.0\"},"               \
    "{\"ability\":\"clear-command\",\"since\":\"0.1.0\"}],\"services\":["                    \
    "{\"command\":[],\"environment\":{\"VERSION\":\"1\"},\"image\":\"" IMAGE                 \
    "\",\"name\":\"web\",\"restart\":\"always\"},"                                           \
    "{\"depends_on\":[{\"condition\":\"started\",\"service\":\"web\"}],"                     \
    "\"image\":\"" IMAGE                                                                     \
    "\",\"name\":\"job\",\"ports\":[{\"container\":80,\"host\":8080,\"protocol\":\"tcp\"}]," \
    "\"restart\":\"no\",\"volumes\":[{\"read_only\":false,\"source\":\"data\","              \
    "\"target\":\"/data\"}]}]}"

static const Str identities[] = {
    S("459e2cc033b6a743b8bcda3ddfbdd09b751bd99a7500d3deca1115715b75cd08"),
    S("f2fac128a6acb44a2a5643dfc70823d50e58f05354a5796d4e8957a853ce9d00"),
};

static Workloads aim_at_published(void) {
    Application *application = ARENA_NEW(&arena, Application);
    *application =
        (Application){.name = S("shop"), .serial = 1, .release_id = id_new(S("release"), 1)};
    CHECK_OK(document_make(S(PUBLISHED), &arena, &application->manifest));
    Desired desired = {
        .generation = 1, .applications = {application, 1}
    };
    Aim aim;
    CHECK_OK(aim_make(&desired, NULL, &arena, &aim));
    CHECK(aim_is_whole(&aim));
    Workloads workloads;
    Reported last = {};
    CHECK_OK(workloads_aim(&aim, &last, 1, &arena, &workloads));
    return workloads;
}

TEST(this_build_knows_the_fields_that_it_should) {
    CHECK((schema_field(&Service_schema, S("extra_limit")) != NULL) == HAS_EXTRA);
    CHECK((schema_field(&Desired_schema, S("extra_text")) != NULL) == HAS_EXTRA);
}

TEST(an_encoding_of_its_own_would_be_another_one) {
    Workloads workloads = aim_at_published();
    const Service *web = &workloads.items[0].manifest.services.items[0];
    Text json;
    text_init(&json, 65536);
    schema_encode(&Service_schema, web, ENCODE_REPLY, &json);
    Str canonical;
    CHECK_OK(json_canonical(&arena, text_str(&json), &canonical));
    text_done(&json);
    // Whoever hashed that would restart every container.
    CHECK(str_eq(sha256_hex(&arena, canonical), identities[0]) == !HAS_EXTRA);
}

TEST(the_identity_of_a_service_is_of_its_published_bytes) {
    Workloads workloads = aim_at_published();
    for (size_t i = 0; i < 2; i++)
        CHECK_STR(workloads.items[0].tries[i].config, identities[i]);
}

TEST(names_and_labels_are_the_same) {
    Workloads workloads = aim_at_published();
    for (size_t i = 0; i < 2; i++) {
        ContainerPlan plan = {
            .owner = {S("device_01jdfq3t5hefbv1nq5a3x4k2zr"), S("shop")},
            .release_id = S("release_01jdfq3t5hefbv1nq5a3x4k2zr"),
            .service = &workloads.items[0].manifest.services.items[i],
            .config = workloads.items[0].tries[i].config,
        };
        Text body;
        text_init(&body, CONTAINER_BODY_MAX);
        CHECK_OK(container_body(&plan, &arena, &body));
        Str expected = str_print(&arena,
                                 "\"Labels\":{\"io.muster.managed\":\"true\","
                                 "\"io.muster.format\":\"1\","
                                 "\"io.muster.device\":\"device_01jdfq3t5hefbv1nq5a3x4k2zr\","
                                 "\"io.muster.application\":\"shop\","
                                 "\"io.muster.service\":\"%.*s\","
                                 "\"io.muster.release\":\"release_01jdfq3t5hefbv1nq5a3x4k2zr\","
                                 "\"io.muster.config\":\"%.*s\"}",
                                 STR_FMT(plan.service->name),
                                 STR_FMT(identities[i]));
        bool found = false;
        for (size_t at = 0; at + expected.len <= body.len; at++)
            found = found || str_starts(str_slice(text_str(&body), at, body.len), expected);
        CHECK(found);
        CHECK_STR(
            container_name(&plan, &arena),
            str_print(&arena, "shop.%.*s.%.6s", STR_FMT(plan.service->name), identities[i].ptr));
        text_done(&body);
    }
}

TEST(what_runs_is_adopted_and_not_touched) {
    Workloads workloads = aim_at_published();
    const Str names[] = {S("web"), S("job")};
    Seen items[2];
    for (size_t i = 0; i < 2; i++)
        items[i] = (Seen){
            .id = names[i],
            .application = S("shop"),
            .service = names[i],
            .config = identities[i],
            .state = CONTAINER_RUNNING,
            .started_at = S("then"),
        };
    SeenList seen = {items, 2};
    for (uint64_t now_ms = 1000; now_ms < 100'000; now_ms += 1000)
        CHECK(workloads_step(&workloads, &seen, now_ms).kind == ACTION_WAIT);
    CHECK(workloads.items[0].is_settled);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(this_build_knows_the_fields_that_it_should),
        CASE(an_encoding_of_its_own_would_be_another_one),
        CASE(the_identity_of_a_service_is_of_its_published_bytes),
        CASE(names_and_labels_are_the_same),
        CASE(what_runs_is_adopted_and_not_touched),
    };
    arena_init(&arena, 16 * 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
