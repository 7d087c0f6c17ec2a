// SPDX-License-Identifier: Apache-2.0
/// The main job by its API: sign in, make a fleet, enrol, publish, deploy, sync, delete.
#include "control/fixture.h"

#include "control/audit/audit.h"
#include "control/slice.h"
#include "control/store/store.h"
#include "db/tx.h"
#include "test.h"
#include "wire/agent.h"

#include <string.h>

#define IMAGE "r/x@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define RELEASE(version)                               \
    "{\"application\":\"shop\",\"version\":\"" version \
    "\",\"manifest\":{\"services\":[{\"name\":\"web\",\"image\":\"" IMAGE "\"}]}}"

TEST(the_tables_match_the_migrations) {
    Text text;
    text_init(&text, 65536);
    const Schema *schemas[SLICE_SCHEMAS_MAX];
    size_t schema_count = slices_stored(schemas);
    CHECK_OK(db_schema_diff(&(DbOptions){.migrations = store_migrations,
                                         .migration_count = store_migration_count,
                                         .schemas = schemas,
                                         .schema_count = schema_count},
                            &text,
                            NULL));
    CHECK_STR(text_str(&text), S(""));
    text_done(&text);
}

TEST(a_refresh_token_is_good_once_and_its_reuse_ends_the_session) {
    Fixture f;
    fixture_open(&f);
    const char *login =
        fixture_print(&f, "{\"name\":\"ada\",\"password\":\"%.*s\"}", STR_FMT(f.owner.password));
    HttpReply first = fixture_call(&f, "POST", "/v1/login", (Str){}, login);
    CHECK(first.status == 200);
    const char *use_first = fixture_print(
        &f, "{\"refresh_token\":\"%.*s\"}", STR_FMT(fixture_field(&first, "refresh_token")));
    HttpReply second = fixture_call(&f, "POST", "/v1/refresh", (Str){}, use_first);
    CHECK(second.status == 200);
    const char *use_second = fixture_print(
        &f, "{\"refresh_token\":\"%.*s\"}", STR_FMT(fixture_field(&second, "refresh_token")));
    CHECK(fixture_call(&f, "POST", "/v1/refresh", (Str){}, use_first).status == 401);
    CHECK(fixture_call(&f, "POST", "/v1/refresh", (Str){}, use_second).status == 401);
    HttpReply audit = fixture_call(&f, "GET", "/v1/audit?limit=1&descending=true", f.token, NULL);
    CHECK_STR(fixture_field(&audit, "action"), S("session.logout"));
    CHECK_STR(fixture_field(&audit, "actor"), S("system"));
    CHECK_STR(fixture_field(&audit, "ended"), S("a used refresh token came back"));
    fixture_close(&f);
}

TEST(a_wrong_password_and_a_wrong_name_look_the_same) {
    Fixture f;
    fixture_open(&f);
    HttpReply name =
        fixture_call(&f, "POST", "/v1/login", (Str){}, "{\"name\":\"eve\",\"password\":\"x\"}");
    HttpReply password =
        fixture_call(&f, "POST", "/v1/login", (Str){}, "{\"name\":\"ada\",\"password\":\"x\"}");
    CHECK(name.status == 401 && password.status == 401);
    CHECK_STR(fixture_field(&name, "detail"), fixture_field(&password, "detail"));
    fixture_close(&f);
}

TEST(an_access_token_ends_and_dies_with_its_operator) {
    Fixture f;
    fixture_open(&f);
    HttpReply made =
        fixture_call(&f,
                     "POST",
                     "/v1/operators",
                     f.token,
                     "{\"name\":\"bob\",\"role\":\"viewer\",\"password\":\"a long password\"}");
    CHECK(made.status == 201);
    CHECK(!memmem(made.body.ptr, made.body.len, "argon2", 6)); // neither hash nor password
    CHECK(!memmem(made.body.ptr, made.body.len, "a long password", 15));
    HttpReply in = fixture_call(
        &f, "POST", "/v1/login", (Str){}, "{\"name\":\"bob\",\"password\":\"a long password\"}");
    Str bob = fixture_field(&in, "access_token");
    CHECK(fixture_call(&f, "GET", "/v1/fleets", bob, NULL).status == 200);
    CHECK(fixture_call(&f, "POST", "/v1/fleets", bob, "{\"name\":\"x\"}").status == 403);
    const char *path = fixture_print(&f, "/v1/operators/%.*s", STR_FMT(fixture_field(&made, "id")));
    CHECK(fixture_call(&f, "DELETE", path, f.token, NULL).status == 204);
    CHECK(fixture_call(&f, "GET", "/v1/fleets", bob, NULL).status == 401);
    f.now_ms += 900 * 1000;
    CHECK(fixture_call(&f, "GET", "/v1/fleets", f.token, NULL).status == 401);
    fixture_close(&f);
}

TEST(a_token_lets_in_as_many_devices_as_it_says_and_the_same_device_again) {
    Fixture f;
    fixture_open(&f);
    Str token = fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 1);
    JwsKey key, other;
    jws_key_make(&key);
    jws_key_make(&other);
    HttpReply first = fixture_enrol(&f, token, &key, "cam");
    CHECK(first.status == 200);
    CHECK(fixture_enrol(&f, token, &other, "cam").status == 401);
    HttpReply again = fixture_enrol(&f, token, &key, "cam"); // its answer was lost, say
    CHECK(again.status == 200);
    CHECK_STR(fixture_field(&again, "device_id"), fixture_field(&first, "device_id"));
    fixture_close(&f);
}

TEST(two_devices_of_one_name_get_two_names) {
    Fixture f;
    fixture_open(&f);
    Str token = fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 2);
    JwsKey key, other;
    jws_key_make(&key);
    jws_key_make(&other);
    HttpReply first = fixture_enrol(&f, token, &key, "cam");
    HttpReply second = fixture_enrol(&f, token, &other, "cam");
    CHECK_STR(fixture_field(&first, "name"), S("cam"));
    CHECK(second.status == 200);
    CHECK(str_starts(fixture_field(&second, "name"), S("cam-")));
    fixture_close(&f);
}

TEST(a_proof_for_another_token_or_by_another_key_does_not_enrol) {
    Fixture f;
    fixture_open(&f);
    Str token = fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 9);
    JwsKey key, other;
    jws_key_make(&key);
    jws_key_make(&other);
    CHECK(fixture_enrol(&f, S("muster2.x.y"), &key, "cam").status == 401);
    JwsKey mixed = key;
    memcpy(mixed.public, other.public, sizeof(mixed.public));
    CHECK(fixture_enrol(&f, token, &mixed, "cam").status == 401);
    f.now_ms += 3'600'000; // the token has ended
    CHECK(fixture_enrol(&f, token, &key, "cam").status == 401);
    fixture_close(&f);
}

TEST(a_deploy_reaches_the_device_with_its_next_sync_and_is_seen_to_run) {
    Fixture f;
    fixture_open(&f);
    Str fleet = fixture_fleet(&f, "one");
    FixtureDevice device = fixture_device(&f, fixture_enrolment_token(&f, fleet, 1), "cam");
    HttpReply nothing = fixture_sync(&f, &device, "\"seq\":1,\"generation\":0");
    CHECK(nothing.status == 200);
    CHECK_STR(fixture_field(&nothing, "ack"), S("1"));
    CHECK(!memmem(nothing.body.ptr, nothing.body.len, "desired", 7));

    HttpReply release = fixture_call(&f, "POST", "/v1/releases", f.token, RELEASE("1.0.0"));
    CHECK(release.status == 201);
    Str release_id = fixture_field(&release, "id");
    HttpReply deployed =
        fixture_call(&f,
                     "POST",
                     fixture_print(&f, "/v1/fleets/%.*s/deploy", STR_FMT(fleet)),
                     f.token,
                     fixture_print(&f, "{\"release_id\":\"%.*s\"}", STR_FMT(release_id)));
    CHECK(deployed.status == 200);
    CHECK_STR(fixture_field(&deployed, "serial"), S("1"));
    HttpReply told = fixture_sync(&f, &device, "\"seq\":2,\"generation\":0");
    CHECK_STR(fixture_field(&told, "release_id"), release_id);
    CHECK_STR(fixture_field(&told, "digest"), fixture_field(&release, "digest"));
    CHECK_STR(fixture_field(&told, "serial"), S("1"));
    Str generation = fixture_field(&told, "generation");
    HttpReply known = fixture_sync(
        &f,
        &device,
        fixture_print(&f,
                      "\"seq\":3,\"generation\":%.*s,\"reported\":{\"generation\":%.*s,\"state\":"
                      "\"running\",\"notes\":[\"a note\"],\"applications\":[{\"name\":\"shop\","
                      "\"serial\":1,\"release_id\":\"%.*s\",\"state\":\"running\"}]}",
                      STR_FMT(generation),
                      STR_FMT(generation),
                      STR_FMT(release_id)));
    CHECK(known.status == 200);
    CHECK(!memmem(known.body.ptr, known.body.len, "manifest", 8));
    HttpReply seen = fixture_call(&f, "GET", device.path, f.token, NULL);
    CHECK_STR(fixture_field(&seen, "reported_release_id"), release_id);
    CHECK_STR(fixture_field(&seen, "reported_generation"), generation);
    CHECK_STR(fixture_field(&seen, "generation"), generation);
    CHECK_STR(fixture_field(&seen, "state"), S("running"));
    CHECK_STR(fixture_field(&seen, "presence"), S("online"));
    CHECK(fixture_has(&seen, "\"notes\":[\"a note\"]"));
    CHECK(fixture_has(&seen, "\"applications\":[{\"name\":\"shop\""));
    f.now_ms += 60'000;
    seen = fixture_call(&f, "GET", device.path, f.token, NULL);
    CHECK(seen.status == 200);
    CHECK_STR(fixture_field(&seen, "presence"), S("late"));
    fixture_close(&f);
}

TEST(a_release_cannot_be_published_twice_or_without_digests) {
    Fixture f;
    fixture_open(&f);
    CHECK(fixture_call(&f, "POST", "/v1/releases", f.token, RELEASE("1.0.0")).status == 201);
    CHECK(fixture_call(&f, "POST", "/v1/releases", f.token, RELEASE("1.0.0")).status == 409);
    HttpReply bad = fixture_call(&f,
                                 "POST",
                                 "/v1/releases",
                                 f.token,
                                 "{\"application\":\"shop\",\"version\":\"x\",\"manifest\":"
                                 "{\"services\":[{\"name\":\"web\",\"image\":\"nginx:1\"}]}}");
    CHECK(bad.status == 422);
    CHECK(memmem(bad.body.ptr, bad.body.len, "/version", 8)); // both faults at once
    CHECK(memmem(bad.body.ptr, bad.body.len, "/manifest/services/0/image", 26));
    fixture_close(&f);
}

TEST_MAIN(CASE(the_tables_match_the_migrations),
          CASE(a_refresh_token_is_good_once_and_its_reuse_ends_the_session),
          CASE(a_wrong_password_and_a_wrong_name_look_the_same),
          CASE(an_access_token_ends_and_dies_with_its_operator),
          CASE(a_token_lets_in_as_many_devices_as_it_says_and_the_same_device_again),
          CASE(two_devices_of_one_name_get_two_names),
          CASE(a_proof_for_another_token_or_by_another_key_does_not_enrol),
          CASE(a_deploy_reaches_the_device_with_its_next_sync_and_is_seen_to_run),
          CASE(a_release_cannot_be_published_twice_or_without_digests))
