// SPDX-License-Identifier: Apache-2.0
/// The recorded messages of devices, said to today's server: what is fresh in each (who it is, and
/// its proof) is put in, everything else stays as it was recorded.
#include "base/json_slice.h"
#include "control/fixture.h"
#include "golden.h"
#include "test.h"
#include "wire/token_text.h"

#include <string.h>

typedef struct Scene {
    Fixture f;
    FixtureDevice device;
    JwsKey next; ///< key that it offers
    Str token;
} Scene;

static void scene_open(Scene *scene) {
    fixture_open(&scene->f);
    scene->token = fixture_enrolment_token(&scene->f, fixture_fleet(&scene->f, "one"), 9);
    scene->device = fixture_device(&scene->f, scene->token, "till-1");
    jws_key_make(&scene->next);
}

static void scene_close(Scene *scene) {
    fixture_close(&scene->f);
}

/// `json` with another value of the member, which it must have.
static Str with_member(Scene *scene, Str json, const char *name, Str value) {
    Str old = json_slice_member(json, str_from(name));
    CHECK(old.ptr);
    size_t from = (size_t)(old.ptr - json.ptr);
    return str_print(&scene->f.arena,
                     "%.*s%.*s%.*s",
                     STR_FMT(str_slice(json, 0, from)),
                     STR_FMT(value),
                     STR_FMT(str_slice(json, from + old.len, json.len)));
}

/// The recorded object with what `now` has of these members.
static Str with_fresh(Scene *scene, Str recorded, Str now, const char *const *names) {
    for (; *names; names++)
        recorded = with_member(scene, recorded, *names, json_slice_member(now, str_from(*names)));
    return recorded;
}

/// The recorded hello, said by today's device over today's challenge; what it offers as its next
/// key is one of today.
static Str hello_of(Scene *scene, Str recorded) {
    static const char *const fresh[] = {"device_id", "epoch", "proof", NULL};
    static const char *const fresh_key[] = {"public_key", "proof", NULL};
    FixtureDevice device = scene->device;
    Str next = json_slice_member(recorded, S("next_key"));
    if (next.ptr) fixture_offer(&scene->f, &device, &scene->next);
    Str now = fixture_hello(&scene->f, &device);
    recorded = with_fresh(scene, recorded, now, fresh);
    if (!next.ptr) return recorded;
    Str offered = json_slice_member(now, S("next_key"));
    return with_member(scene, recorded, "next_key", with_fresh(scene, next, offered, fresh_key));
}

/// A recorded message up; one without hello is given one, as a poll has it.
static HttpReply say(Scene *scene, const char *file) {
    Str json = golden_load(&scene->f.arena, file);
    Str hello = json_slice_member(json, S("hello"));
    Str fresh = hello.ptr ? hello_of(scene, hello) : fixture_hello(&scene->f, &scene->device);
    Str body = hello.ptr ? with_member(scene, json, "hello", fresh)
                         : str_print(&scene->f.arena,
                                     "{\"hello\":%.*s,%.*s",
                                     STR_FMT(fresh),
                                     STR_FMT(str_slice(json, 1, json.len)));
    CHECK(body.ptr);
    HttpReply reply = fixture_call(&scene->f, "POST", AGENT_SYNC_PATH, (Str){}, body.ptr);
    CHECK(reply.status == 200);
    CHECK(!fixture_has(&reply, "refused"));
    CHECK_STR(fixture_field(&reply, "ack"), json_slice_member(json, S("seq")));
    return reply;
}

TEST(each_recorded_message_of_a_device_is_acknowledged) {
    static const char *const files[] = {"sync_up.hello.json",
                                        "sync_up.hello.newer.json",
                                        "sync_up.minimal.json",
                                        "sync_up.minimal.newer.json",
                                        "sync_up.full.json",
                                        "sync_up.full.newer.json"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        Scene scene;
        scene_open(&scene);
        say(&scene, files[i]);
        scene_close(&scene);
    }
}

TEST(what_was_reported_is_shown_and_what_a_newer_device_adds_is_passed_over) {
    static const struct {
        const char *file;
        const char *state;
    } rows[] = {
        {"sync_up.full.json",       "failed" },
        {"sync_up.full.newer.json", "unknown"},
    };
    for (size_t i = 0; i < 2; i++) {
        Scene scene;
        scene_open(&scene);
        say(&scene, rows[i].file);
        HttpReply shown = fixture_call(&scene.f, "GET", scene.device.path, scene.f.token, NULL);
        CHECK(shown.status == 200);
        CHECK_STR(fixture_field(&shown, "hostname"), S("till-1"));
        CHECK_STR(fixture_field(&shown, "serial_number"), S("C02XK1"));
        CHECK_STR(json_slice_member(shown.body, S("state")),
                  str_print(&scene.f.arena, "\"%s\"", rows[i].state));
        Str applications = json_slice_member(shown.body, S("applications"));
        Str one;
        CHECK(json_slice_next(&applications, &one));
        CHECK_STR(json_slice_member(one, S("name")), S("\"shop\""));
        CHECK_STR(json_slice_member(one, S("serial")), S("7"));
        scene_close(&scene);
    }
}

TEST(a_recorded_offer_of_a_key_is_taken) {
    static const char *const files[] = {"sync_up.hello_next_key.json",
                                        "sync_up.hello_next_key.newer.json"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        Scene scene;
        scene_open(&scene);
        HttpReply reply = say(&scene, files[i]);
        Bytes next = {scene.next.public, JWS_PUBLIC_KEY_LEN};
        CHECK_STR(fixture_field(&reply, "key"), base64_encode(&scene.f.arena, next, BASE64));
        HttpReply old = fixture_sync(&scene.f, &scene.device, "\"seq\":1");
        CHECK_STR(fixture_field(&old, "code"), S("proof_invalid"));
        scene_close(&scene);
    }
}

TEST(each_recorded_enrolment_is_answered) {
    static const char *const files[] = {"enrol.request.json",
                                        "enrol.request.newer.json",
                                        "enrol.request.minimal.json",
                                        "enrol.request.minimal.newer.json"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        Scene scene;
        scene_open(&scene);
        Arena *arena = &scene.f.arena;
        TokenText token;
        JwsKey key;
        jws_key_make(&key);
        CHECK_OK(token_text_parse(scene.token, arena, &token, NULL));
        const Proof claims = {.aud = scene.f.app.installation,
                              .use = PROOF_ENROL,
                              .nonce = fixture_nonce(&scene.f),
                              .about = sha256_hex(arena, token.secret)};
        Str body = golden_load(arena, files[i]);
        Str proof = fixture_proof(&scene.f, &key, &claims);
        Str public_key = base64_encode(arena, (Bytes){key.public, JWS_PUBLIC_KEY_LEN}, BASE64);
        body = with_member(
            &scene, body, "secret", str_print(arena, "\"%.*s\"", STR_FMT(token.secret)));
        body = with_member(
            &scene, body, "public_key", str_print(arena, "\"%.*s\"", STR_FMT(public_key)));
        body = with_member(&scene, body, "proof", str_print(arena, "\"%.*s\"", STR_FMT(proof)));
        HttpReply reply = fixture_call(&scene.f, "POST", AGENT_ENROL_PATH, (Str){}, body.ptr);
        CHECK(reply.status == 200);
        CHECK_STR(fixture_field(&reply, "epoch"), S("1"));
        CHECK_STR(fixture_field(&reply, "installation"), id_str(&scene.f.app.installation));
        scene_close(&scene);
    }
}

TEST_MAIN(CASE(each_recorded_message_of_a_device_is_acknowledged),
          CASE(what_was_reported_is_shown_and_what_a_newer_device_adds_is_passed_over),
          CASE(a_recorded_offer_of_a_key_is_taken),
          CASE(each_recorded_enrolment_is_answered))
