// SPDX-License-Identifier: Apache-2.0
/// What the common handlers do, by the nouns that have nothing else.
#include "control/call.h"

#include "control/fixture.h"
#include "test.h"

#include <string.h>

#define IMAGE "r/x@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define RELEASE                                                     \
    "{\"application\":\"shop\",\"version\":\"1.0.0\",\"manifest\":" \
    "{\"services\":[{\"name\":\"web\",\"image\":\"" IMAGE "\"}]}}"

static bool has_str(const HttpReply *reply, Str text) {
    return memmem(reply->body.ptr, reply->body.len, text.ptr, text.len) != NULL;
}

static bool has(const HttpReply *reply, const char *text) {
    return has_str(reply, str_from(text));
}

static HttpReply get(Fixture *f, const char *path) {
    HttpReply reply = fixture_call(f, "GET", path, f->token, NULL);
    CHECK(reply.status == 200);
    return reply;
}

/// The newest entry of the audit log.
static HttpReply last_entry(Fixture *f) {
    return get(f, "/v1/audit?limit=1&descending=true");
}

TEST(a_plain_noun_is_made_listed_shown_changed_and_removed) {
    Fixture f;
    fixture_open(&f);
    fixture_plain(&f, "fleet", "{\"name\":\"one\"}", "{\"name\":\"two\"}");
    fixture_plain(&f,
                  "operator",
                  "{\"name\":\"bob\",\"password\":\"a long password\"}",
                  "{\"role\":\"operator\"}");
    fixture_close(&f);
}

TEST(a_list_is_filtered_by_each_field_of_its_query_that_is_given) {
    Fixture f;
    fixture_open(&f);
    Str one = fixture_fleet(&f, "one");
    f.now_ms++; // ids sort by it
    Str two = fixture_fleet(&f, "two");
    fixture_enrolment_token(&f, one, 1);
    HttpReply named = get(&f, "/v1/fleets?name=two");
    CHECK_STR(fixture_field(&named, "id"), two);
    CHECK(!has_str(&named, one));
    CHECK(!has(&named, "\"next\""));
    HttpReply of_two = get(&f, fixture_print(&f, "/v1/tokens?fleet_id=%.*s", STR_FMT(two)));
    CHECK_STR(of_two.body, S("{\"items\":[]}"));
    HttpReply ada = get(&f, "/v1/operators?name=ada");
    CHECK(has(&ada, "\"name\":\"ada\""));
    HttpReply page = get(&f, "/v1/fleets?limit=1");
    CHECK_STR(fixture_field(&page, "id"), one);
    const char *rest =
        fixture_print(&f, "/v1/fleets?limit=1&after=%.*s", STR_FMT(fixture_field(&page, "next")));
    page = get(&f, rest);
    CHECK_STR(fixture_field(&page, "name"), S("two"));
    CHECK(!has(&page, "\"next\"")); // that was the last
    HttpReply bad = fixture_call(&f, "GET", "/v1/fleets?after=nothing", f.token, NULL);
    CHECK(bad.status == 422 && has(&bad, "/after"));
    fixture_close(&f);
}

TEST(names_stand_beside_the_ids_of_others) {
    Fixture f;
    fixture_open(&f);
    Str fleet = fixture_fleet(&f, "one");
    JwsKey key;
    jws_key_make(&key);
    CHECK(fixture_enrol(&f, fixture_enrolment_token(&f, fleet, 1), &key, "cam").status == 200);
    HttpReply release = fixture_call(&f, "POST", "/v1/releases", f.token, RELEASE);
    const char *deploy = fixture_print(&f, "/v1/fleets/%.*s/deploy", STR_FMT(fleet));
    const char *body =
        fixture_print(&f, "{\"release_id\":\"%.*s\"}", STR_FMT(fixture_field(&release, "id")));
    HttpReply deployed = fixture_call(&f, "POST", deploy, f.token, body);
    CHECK_STR(fixture_field(&deployed, "release_ref"), S("shop@1.0.0"));
    CHECK_STR(fixture_field(&deployed, "device_count"), S("1"));
    HttpReply devices = get(&f, "/v1/devices");
    CHECK_STR(fixture_field(&devices, "fleet_name"), S("one"));
    CHECK_STR(fixture_field(&devices, "desired_release_ref"), S("shop@1.0.0"));
    CHECK(!has(&devices, "reported_release_ref"));
    HttpReply tokens = get(&f, "/v1/tokens");
    CHECK_STR(fixture_field(&tokens, "fleet_name"), S("one"));
    HttpReply entry = last_entry(&f);
    CHECK_STR(fixture_field(&entry, "action"), S("fleet.deploy"));
    CHECK_STR(fixture_field(&entry, "subject_name"), S("one"));
    fixture_close(&f);
}

TEST(the_audit_has_what_was_decided_and_neither_secrets_nor_what_is_computed) {
    Fixture f;
    fixture_open(&f);
    Str fleet = fixture_fleet(&f, "one");
    HttpReply entry = last_entry(&f);
    CHECK_STR(fixture_field(&entry, "action"), S("fleet.create"));
    CHECK(has(&entry, "\"detail\":{") && !has(&entry, "device_count"));
    Str token = fixture_enrolment_token(&f, fleet, 1);
    entry = last_entry(&f);
    CHECK_STR(fixture_field(&entry, "action"), S("token.create"));
    CHECK(has(&entry, "uses_max") && !has_str(&entry, token) && !has(&entry, "sha256"));
    const char *path = fixture_print(&f, "/v1/fleets/%.*s", STR_FMT(fleet));
    CHECK(fixture_call(&f, "DELETE", path, f.token, NULL).status == 204);
    entry = last_entry(&f);
    CHECK_STR(fixture_field(&entry, "subject_name"), S("one")); // though it is gone
    CHECK(!has(&entry, "detail"));
    fixture_close(&f);
}

TEST(who_signs_in_or_joins_is_the_actor_of_its_own_entry) {
    Fixture f;
    fixture_open(&f);
    HttpReply entry = last_entry(&f);
    CHECK_STR(fixture_field(&entry, "action"), S("session.login"));
    CHECK_STR(fixture_field(&entry, "actor"), S("operator/ada"));
    JwsKey key;
    jws_key_make(&key);
    Str token = fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 1);
    CHECK(fixture_enrol(&f, token, &key, "cam").status == 200);
    entry = last_entry(&f);
    CHECK_STR(fixture_field(&entry, "action"), S("agent.enrol"));
    CHECK_STR(fixture_field(&entry, "actor"), S("device/cam"));
    CHECK_STR(fixture_field(&entry, "subject_name"), S("cam"));
    fixture_close(&f);
}

TEST(a_reference_to_what_is_not_there_is_refused_at_its_field) {
    Fixture f;
    fixture_open(&f);
    HttpReply reply = fixture_call(
        &f, "POST", "/v1/tokens", f.token, "{\"fleet_id\":\"fleet_01h455vb4pex5vsknk084sn02q\"}");
    CHECK(reply.status == 422 && has(&reply, "\"/fleet_id\""));
    CHECK(has(&reply, "must be one of this organisation's fleets"));
    fixture_close(&f);
}

TEST(every_row_of_a_long_list_has_its_names) {
    Fixture f;
    fixture_open(&f);
    Str fleet = fixture_fleet(&f, "one");
    for (int i = 0; i < 300; i++)
        fixture_enrolment_token(&f, fleet, 1);
    HttpReply tokens = get(&f, "/v1/tokens?limit=1000");
    size_t named = 0;
    for (const char *at = tokens.body.ptr; (at = strstr(at, "\"fleet_name\":\"one\"")); at++)
        named++;
    CHECK(named == 300);
    fixture_close(&f);
}

TEST_MAIN(CASE(a_plain_noun_is_made_listed_shown_changed_and_removed),
          CASE(a_list_is_filtered_by_each_field_of_its_query_that_is_given),
          CASE(names_stand_beside_the_ids_of_others),
          CASE(the_audit_has_what_was_decided_and_neither_secrets_nor_what_is_computed),
          CASE(who_signs_in_or_joins_is_the_actor_of_its_own_entry),
          CASE(a_reference_to_what_is_not_there_is_refused_at_its_field),
          CASE(every_row_of_a_long_list_has_its_names))
