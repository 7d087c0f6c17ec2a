// SPDX-License-Identifier: Apache-2.0
#include "wire/manifest.h"

#include "base/arena.h"
#include "test.h"
#include "wire/token_text.h"

#define IMAGE "r/x@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static Err decode(Arena *arena, Faults *faults, const char *json, Manifest *ret_manifest) {
    faults_init(faults, arena);
    TRY(schema_decode(&Manifest_schema, str_from(json), DECODE_INPUT, arena, faults, ret_manifest));
    manifest_check(ret_manifest, S("/manifest"), faults);
    return faults_check(faults);
}

TEST(services_start_behind_what_they_depend_on) {
    Arena arena;
    arena_init(&arena, 1 << 20);
    Faults faults;
    Manifest manifest = {};
    CHECK_OK(decode(&arena,
                    &faults,
                    "{\"services\":["
                    "{\"name\":\"web\",\"image\":\"" IMAGE
                    "\",\"depends_on\":[{\"service\":\"db\"}]},"
                    "{\"name\":\"db\",\"image\":\"" IMAGE "\"}]}",
                    &manifest));
    size_t order[MANIFEST_SERVICES_MAX];
    manifest_order(&manifest, order);
    CHECK(order[0] == 1 && order[1] == 0);
    arena_done(&arena);
}

TEST(what_a_table_cannot_say_is_refused_with_its_place) {
    static const struct {
        const char *json;
        const char *pointer;
    } bad[] = {
        {"{\"services\":[{\"name\":\"a\",\"image\":\"" IMAGE "\"},"
         "{\"name\":\"a\",\"image\":\"" IMAGE "\"}]}",
         "/manifest/services/1/name"                                                                                                  },
        {"{\"services\":[{\"name\":\"a\",\"image\":\"" IMAGE
         "\",\"depends_on\":[{\"service\":\"b\"}]}]}",                                    "/manifest/services/0/depends_on/0"},
        {"{\"services\":[{\"name\":\"a\",\"image\":\"" IMAGE
         "\",\"depends_on\":[{\"service\":\"a\"}]}]}",                                    "/manifest/services"               },
        {"{\"services\":[{\"name\":\"a\",\"image\":\"" IMAGE
         "\",\"ports\":[{\"host\":80,\"container\":1},{\"host\":80,\"container\":2}]}]}", "/manifest/services/0/ports/1"     },
        {"{\"services\":[{\"name\":\"a\",\"image\":\"busybox:latest\"}]}",                         "/services/0/image"                },
        {"{\"services\":[]}",                                                                      "/services"                        },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        Arena arena;
        arena_init(&arena, 1 << 20);
        Faults faults;
        Manifest manifest = {};
        CHECK_ERR(decode(&arena, &faults, bad[i].json, &manifest), ERR_INVALID);
        CHECK(faults.count == 1);
        CHECK_STR(faults.items[0].pointer, str_from(bad[i].pointer));
        arena_done(&arena);
    }
}

TEST(equal_manifests_have_equal_digests_whatever_their_layout) {
    Arena arena;
    arena_init(&arena, 1 << 20);
    Faults faults;
    Manifest one = {}, two = {};
    CHECK_OK(
        decode(&arena, &faults, "{\"services\":[{\"name\":\"a\",\"image\":\"" IMAGE "\"}]}", &one));
    CHECK_OK(decode(&arena,
                    &faults,
                    "{ \"services\" : [ {\"restart\":\"always\", \"image\" : \"" IMAGE
                    "\" , \"name\":\"\\u0061\" } ] }",
                    &two));
    Str json_one, json_two, digest_one, digest_two;
    CHECK_OK(manifest_seal(&one, &arena, &json_one, &digest_one));
    CHECK_OK(manifest_seal(&two, &arena, &json_two, &digest_two));
    CHECK_STR(json_one, json_two);
    CHECK_STR(digest_one, digest_two);
    CHECK(Pattern_digest.matches(digest_one));
    arena_done(&arena);
}

TEST(token_texts_split_into_what_they_were_made_of) {
    Arena arena;
    arena_init(&arena, 1 << 20);
    TokenText parts = {S("c2VjcmV0"),
                       S("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")};
    TokenText again;
    CHECK_OK(token_text_parse(token_text_make(&parts, &arena), &again));
    CHECK_STR(again.secret, parts.secret);
    CHECK_STR(again.ca_fingerprint, parts.ca_fingerprint);
    CHECK_ERR(token_text_parse(S("muster1.x.y"), &again), ERR_INVALID);
    CHECK_ERR(token_text_parse(S(""), &again), ERR_INVALID);
    arena_done(&arena);
}

TEST_MAIN(CASE(services_start_behind_what_they_depend_on),
          CASE(what_a_table_cannot_say_is_refused_with_its_place),
          CASE(equal_manifests_have_equal_digests_whatever_their_layout),
          CASE(token_texts_split_into_what_they_were_made_of))
