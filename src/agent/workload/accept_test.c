// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/accept.h"

#include "base/arena.h"
#include "test.h"
#include "wire/manifest.h"

static Arena arena;

#define IMAGE "r/web@sha256:0000000000000000000000000000000000000000000000000000000000000001"

static Application application_of(const char *name, uint64_t serial) {
    Service service = {.name = S("web"), .image = S(IMAGE)};
    Manifest manifest = {
        .services = {&service, 1}
    };
    Application application = {
        .name = str_from(name), .serial = serial, .release_id = id_new(S("release"), serial)};
    CHECK_OK(manifest_publish(&manifest, &arena, &application.manifest));
    return application;
}

/// The same with a manifest that needs what no program can.
static Application of_tomorrow(const char *name, uint64_t serial) {
    Application application = application_of(name, serial);
    CHECK_OK(document_make(S("{\"format\":1,\"needs\":[{\"ability\":\"fly\",\"since\":\"9.1.0\"}],"
                             "\"services\":[],\"wings\":2}"),
                           &arena,
                           &application.manifest));
    return application;
}

static Desired desired_of(uint64_t generation, Application *items, size_t count) {
    return (Desired){
        .generation = generation, .applications = {items, count}
    };
}

static Aim aim_of(const Desired *wanted, const Desired *former) {
    Aim aim;
    CHECK_OK(aim_make(wanted, former, &arena, &aim));
    return aim;
}

TEST(what_is_in_order_is_acted_on_as_it_came) {
    Application items[] = {application_of("bar", 1), application_of("shop", 2)};
    Desired wanted = desired_of(5, items, 2);
    Aim aim = aim_of(&wanted, NULL);
    CHECK(aim_is_whole(&aim) && aim.generation == 5 && aim.desired.generation == 5);
    CHECK(aim.desired.applications.count == 2 && aim.desired.applications.items[1].serial == 2);
}

TEST(an_application_that_is_refused_keeps_what_it_ran_and_leaves_the_others_alone) {
    Application before[] = {application_of("bar", 1), application_of("shop", 2)};
    Application after[] = {application_of("bar", 3), of_tomorrow("shop", 4)};
    Desired former = desired_of(5, before, 2);
    Desired wanted = desired_of(6, after, 2);
    Aim aim = aim_of(&wanted, &former);
    CHECK(aim.generation == 6);
    CHECK(aim.desired.generation == 5); // so that a newer program asks for it again
    CHECK(aim.desired.applications.items[0].serial == 3);
    CHECK(aim.desired.applications.items[1].serial == 2);
    const Refused *refused = aim_refused(&aim, S("shop"));
    CHECK(refused && refused->serial == 4 && !aim_refused(&aim, S("bar")));
    CHECK(refusal_is(&refused->refusal, REFUSED_NEEDS_ABILITY));
    CHECK(refused->refusal.class == REFUSAL_CHANGE && refused->refusal.detail.len > 0);
}

TEST(what_is_refused_and_never_ran_is_kept_for_a_newer_program) {
    Application items[] = {of_tomorrow("shop", 4)};
    Desired wanted = desired_of(6, items, 1);
    Aim aim = aim_of(&wanted, NULL);
    CHECK(!aim_is_whole(&aim) && aim.desired.generation == 6);
    CHECK_STR(aim.desired.applications.items[0].manifest.text, items[0].manifest.text);
    // A predecessor that was refused itself is none.
    Application next[] = {of_tomorrow("shop", 5)};
    Desired later = desired_of(7, next, 1);
    aim = aim_of(&later, &aim.desired);
    CHECK(aim.desired.generation == 7 && aim.desired.applications.items[0].serial == 5);
}

TEST(what_came_damaged_is_not_acted_on) {
    Application items[] = {application_of("shop", 4)};
    items[0].manifest.digest =
        S("sha256:0000000000000000000000000000000000000000000000000000000000000000");
    Desired wanted = desired_of(6, items, 1);
    Aim aim = aim_of(&wanted, NULL);
    CHECK(refusal_is(&aim_refused(&aim, S("shop"))->refusal, REFUSED_DIGEST_MISMATCH));
}

TEST(parts_that_this_program_cannot_read_refuse_the_application) {
    Document document;
    CHECK_OK(document_make(S("{\"format\":1}"), &arena, &document));
    Sealed sealed[1] = {};
    for (int i = 0; i < 3; i++) {
        Application items[] = {application_of("shop", 4)};
        if (i == 0) items[0].values = document;
        if (i == 1) items[0].statement = document;
        if (i == 2) items[0].sealed.items = sealed, items[0].sealed.count = 1;
        Desired wanted = desired_of(6, items, 1);
        Aim aim = aim_of(&wanted, NULL);
        CHECK(refusal_is(&aim_refused(&aim, S("shop"))->refusal, REFUSED_NEEDS_ABILITY));
    }
}

TEST(a_policy_that_is_refused_leaves_the_one_before_in_force) {
    Document good, bad;
    CHECK_OK(document_make(S("{\"format\":1}"), &arena, &good));
    CHECK_OK(document_make(S("{\"format\":2}"), &arena, &bad));
    Desired former = desired_of(5, NULL, 0);
    former.policy = good;
    Desired wanted = desired_of(6, NULL, 0);
    wanted.policy = bad;
    Aim aim = aim_of(&wanted, &former);
    CHECK(!aim_is_whole(&aim) && aim.policy_refused.len > 0 && aim.refused.count == 0);
    CHECK_STR(aim.desired.policy.digest, good.digest);
    CHECK(aim.generation == 6 && aim.desired.generation == 5);
    wanted.policy = (Document){}; // none is wanted any more
    aim = aim_of(&wanted, &former);
    CHECK(aim_is_whole(&aim) && !aim.desired.policy.text.ptr);
}

TEST(an_aim_survives_its_way_to_the_other_thread) {
    Application before[] = {application_of("shop", 2)};
    Application after[] = {of_tomorrow("shop", 4)};
    Desired former = desired_of(5, before, 1);
    Desired wanted = desired_of(6, after, 1);
    Aim aim = aim_of(&wanted, &former);
    Text json;
    text_init(&json, 65536);
    schema_encode(&Aim_schema, &aim, ENCODE_STORED, &json);
    Aim read;
    CHECK_OK(schema_read(&Aim_schema, text_str(&json), DECODE_STORED, &arena, &read, NULL));
    text_done(&json);
    CHECK(read.generation == 6 && read.desired.generation == 5 && read.refused.count == 1);
    CHECK_STR(read.desired.applications.items[0].manifest.text, before[0].manifest.text);
    CHECK(refusal_is(&read.refused.items[0].refusal, REFUSED_NEEDS_ABILITY));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_is_in_order_is_acted_on_as_it_came),
        CASE(an_application_that_is_refused_keeps_what_it_ran_and_leaves_the_others_alone),
        CASE(what_is_refused_and_never_ran_is_kept_for_a_newer_program),
        CASE(what_came_damaged_is_not_acted_on),
        CASE(parts_that_this_program_cannot_read_refuse_the_application),
        CASE(a_policy_that_is_refused_leaves_the_one_before_in_force),
        CASE(an_aim_survives_its_way_to_the_other_thread),
    };
    arena_init(&arena, 16 * 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
