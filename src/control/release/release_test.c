// SPDX-License-Identifier: Apache-2.0
/// What is published is kept and sent as exactly its bytes, up to the largest.
#include "control/fixture.h"

#include "base/scope.h"
#include "control/release/release.h"
#include "db/tx.h"
#include "test.h"

#include <string.h>

#define IMAGE "r/x@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SERVICE "{\"name\":\"web\",\"image\":\"" IMAGE "\"}"

static HttpReply publish(Fixture *f, const char *application, Str manifest) {
    SCOPED(text_done) Text body;
    text_init(&body, 4 << 20);
    text_print(&body, "{\"application\":\"%s\",\"version\":\"1.0.0\",\"manifest\":", application);
    text_add(&body, manifest);
    text_add_char(&body, '}');
    CHECK_OK(text_check(&body));
    const char *kept = str_dup(&f->arena, text_str(&body)).ptr;
    return fixture_call(f, "POST", "/v1/releases", f->token, kept);
}

/// A manifest of so many services, each with variables of `fill` that make it so long together.
static Str manifest_of(Fixture *f, size_t services, size_t variable_len, char fill) {
    SCOPED(text_done) Text text;
    text_init(&text, 8 << 20);
    text_add(&text, S("{\"services\":["));
    for (size_t i = 0; i < services; i++) {
        text_print(&text,
                   "%s{\"name\":\"s%zu\",\"image\":\"" IMAGE "\",\"environment\":{",
                   i ? "," : "",
                   i);
        for (size_t left = variable_len, n = 0; left > 0; n++) {
            size_t len = left < 4096 ? left : 4096;
            text_print(&text, "%s\"V%zu\":\"", n ? "," : "", n);
            for (size_t at = 0; at < len; at++)
                text_add(&text, fill == '"' ? S("\\\"") : (Str){&fill, 1});
            text_add_char(&text, '"');
            left -= len;
        }
        text_add(&text, S("}}"));
    }
    text_add(&text, S("]}"));
    CHECK_OK(text_check(&text));
    return str_dup(&f->arena, text_str(&text));
}

static HttpReply deploy(Fixture *f, Str fleet, Str release) {
    return fixture_call(f,
                        "POST",
                        fixture_print(f, "/v1/fleets/%.*s/deploy", STR_FMT(fleet)),
                        f->token,
                        fixture_print(f, "{\"release_id\":\"%.*s\"}", STR_FMT(release)));
}

/// What the device is told to run, read as it would read it.
static Desired told(Fixture *f, const FixtureDevice *device) {
    HttpReply reply = fixture_sync(f, device, "\"seq\":1");
    CHECK(reply.status == 200);
    CHECK(reply.body.len <= SYNC_DOWN_MAX);
    SyncDown down;
    CHECK_OK(schema_read(&SyncDown_schema, reply.body, DECODE_PEER, &f->arena, &down, NULL));
    CHECK_OK(desired_check(&down.desired, NULL));
    return down.desired;
}

TEST(a_manifest_of_the_largest_size_with_a_hundred_services_reaches_the_device_as_published) {
    Fixture f;
    fixture_open(&f);
    Str fleet = fixture_fleet(&f, "one");
    FixtureDevice device = fixture_device(&f, fixture_enrolment_token(&f, fleet, 1), "cam");
    HttpReply made = publish(&f, "big", manifest_of(&f, 100, 10'000, 'x'));
    CHECK(made.status == 201);
    CHECK(made.body.len > 1'000'000 && made.body.len < MANIFEST_TEXT_MAX);
    Str release = fixture_field(&made, "id");
    CHECK(deploy(&f, fleet, release).status == 200);
    Desired desired = told(&f, &device);
    CHECK(desired.applications.count == 1);
    const Application *application = &desired.applications.items[0];
    CHECK_STR(application->name, S("big"));
    CHECK_STR(application->manifest.digest, fixture_field(&made, "digest"));
    Manifest manifest;
    Refusal refusal;
    CHECK_OK(manifest_read(&application->manifest, &f.arena, &manifest, &refusal));
    CHECK(!refusal.code.ptr && manifest.services.count == 100);
    HttpReply shown = fixture_call(
        &f, "GET", fixture_print(&f, "/v1/releases/%.*s", STR_FMT(release)), f.token, NULL);
    CHECK(shown.status == 200);
    CHECK(fixture_has(&shown, "\"name\":\"s99\""));
    fixture_close(&f);
}

TEST(a_manifest_that_is_too_large_or_would_be_when_it_is_sent_is_refused) {
    Fixture f;
    fixture_open(&f);
    HttpReply large = publish(&f, "large", manifest_of(&f, 100, 11'000, 'x'));
    CHECK(large.status == 422);
    CHECK(fixture_has(&large, "\"pointer\":\"/manifest\""));
    CHECK(fixture_has(&large, "must have at most 1048576 bytes as published"));
    HttpReply escaped = publish(&f, "escaped", manifest_of(&f, 100, 5'080, '"'));
    CHECK(escaped.status == 422);
    CHECK(fixture_has(&escaped, "must have fewer characters that are escaped"));
    fixture_close(&f);
}

TEST(a_page_of_releases_is_as_small_as_if_their_manifests_were) {
    Fixture f;
    fixture_open(&f);
    Str manifest = manifest_of(&f, 100, 9'000, 'x');
    for (int i = 0; i < 12; i++)
        CHECK(publish(&f, fixture_print(&f, "big%d", i), manifest).status == 201);
    HttpReply page = fixture_call(&f, "GET", "/v1/releases", f.token, NULL);
    CHECK(page.status == 200);
    CHECK(fixture_has(&page, "\"big11@1.0.0\"") && !fixture_has(&page, "\"manifest\""));
    fixture_close(&f);
}

TEST(a_manifest_is_accepted_strictly_and_shown_whatever_its_age) {
    Fixture f;
    fixture_open(&f);
    HttpReply bad = publish(
        &f, "shop", S("{\"services\":[{\"name\":\"web\",\"image\":\"nginx:1\",\"colour\":1}]}"));
    CHECK(bad.status == 422);
    CHECK(fixture_has(&bad, "/manifest/services/0/image"));
    CHECK(fixture_has(&bad, "/manifest/services/0/colour"));
    CHECK(
        fixture_call(
            &f, "POST", "/v1/releases", f.token, "{\"application\":\"shop\",\"version\":\"1.0.0\"}")
            .status
        == 422);
    CHECK(publish(&f, "Shop", S("{\"services\":[" SERVICE "]}")).status == 422);
    CHECK(publish(&f, "a.b", S("{\"services\":[" SERVICE "]}")).status == 422); // no DNS label
    HttpReply made = publish(&f, "shop", S("{\"services\":[" SERVICE "]}"));
    CHECK(made.status == 201);
    CHECK(fixture_has(&made, "\"needs\":[{\"ability\":\"services\""));

    Tx *tx;
    ReleaseDocument document;
    CHECK_OK(tx_open_all(f.app.db, &f.arena, &tx));
    CHECK_OK(tx_get(tx, &ReleaseDocument_schema, fixture_field(&made, "id"), &document));
    CHECK_STR(document_digest(document.text, &f.arena), fixture_field(&made, "digest"));
    document.text =
        S("{\"format\":1,\"services\":[" SERVICE "],\"written\":\"by a newer server\"}");
    CHECK_OK(tx_put(tx, &ReleaseDocument_schema, &document));
    CHECK_OK(tx_commit(tx, NULL));
    tx_close(tx);
    Str fleet = fixture_fleet(&f, "one");
    FixtureDevice device = fixture_device(&f, fixture_enrolment_token(&f, fleet, 1), "cam");
    CHECK(deploy(&f, fleet, fixture_field(&made, "id")).status == 200);
    Desired desired = told(&f, &device);
    CHECK_STR(desired.applications.items[0].manifest.text, document.text); // never encoded again
    HttpReply shown =
        fixture_call(&f,
                     "GET",
                     fixture_print(&f, "/v1/releases/%.*s", STR_FMT(fixture_field(&made, "id"))),
                     f.token,
                     NULL);
    CHECK(shown.status == 200);
    CHECK(fixture_has(&shown, "\"name\":\"web\"") && !fixture_has(&shown, "written"));
    fixture_close(&f);
}

TEST(each_deploy_counts_and_a_moved_device_never_goes_back) {
    Fixture f;
    fixture_open(&f);
    Str one = fixture_fleet(&f, "one"), two = fixture_fleet(&f, "two");
    FixtureDevice device = fixture_device(&f, fixture_enrolment_token(&f, one, 1), "cam");
    HttpReply made = publish(&f, "shop", S("{\"services\":[" SERVICE "]}"));
    Str release = fixture_field(&made, "id");
    uint64_t generation = 0;
    for (uint64_t serial = 1; serial <= 3; serial++) {
        CHECK(deploy(&f, one, release).status == 200);
        Desired desired = told(&f, &device);
        CHECK(desired.applications.items[0].serial == serial);
        CHECK(desired.generation > generation);
        generation = desired.generation;
    }
    const char *move = fixture_print(&f, "{\"fleet_id\":\"%.*s\"}", STR_FMT(two));
    CHECK(fixture_call(&f, "PATCH", device.path, f.token, move).status == 200);
    Desired moved = told(&f, &device);
    CHECK(moved.generation > generation && moved.applications.count == 0);
    fixture_close(&f);
}

TEST_MAIN(
    CASE(a_manifest_of_the_largest_size_with_a_hundred_services_reaches_the_device_as_published),
    CASE(a_manifest_that_is_too_large_or_would_be_when_it_is_sent_is_refused),
    CASE(a_page_of_releases_is_as_small_as_if_their_manifests_were),
    CASE(a_manifest_is_accepted_strictly_and_shown_whatever_its_age),
    CASE(each_deploy_counts_and_a_moved_device_never_goes_back))
