// SPDX-License-Identifier: Apache-2.0
#include "wire/manifest.h"

#include "base/json_slice.h"
#include "base/jws.h"
#include "base/scope.h"
#include "test.h"

#include <string.h>

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

/// The manifest of this JSON, published.
static Document published(Arena *arena, const char *json) {
    Faults faults;
    Manifest manifest = {};
    Document document;
    CHECK_OK(decode(arena, &faults, json, &manifest));
    CHECK_OK(manifest_publish(&manifest, arena, &document));
    return document;
}

TEST(equal_manifests_have_equal_digests_whatever_their_layout) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    Document one = published(&arena, "{\"services\":[{\"name\":\"a\",\"image\":\"" IMAGE "\"}]}");
    Document two = published(&arena,
                             "{ \"services\" : [ {\"restart\":\"always\", \"image\" : \"" IMAGE
                             "\" , \"name\":\"\\u0061\" } ] }");
    CHECK_STR(one.text, two.text);
    CHECK_STR(one.digest, two.digest);
    CHECK_STR(one.digest, document_digest(one.text, &arena));
}

TEST(what_is_published_names_each_ability_that_it_uses_once) {
    static const struct {
        const char *json;
        const char *needs;
    } rows[] = {
        {"{\"services\":[{\"name\":\"a\",\"image\":\"" IMAGE "\",\"command\":[\"x\"]}]}",
         "[{\"ability\":\"services\",\"since\":\"0.1.0\"}]"    },
        {"{\"services\":[{\"name\":\"b\",\"image\":\"" IMAGE "\"},"
         "{\"name\":\"a\",\"image\":\"" IMAGE "\",\"command\":[]}]}",
         "[{\"ability\":\"services\",\"since\":\"0.1.0\"},"
         "{\"ability\":\"clear-command\",\"since\":\"0.1.0\"}]"},
        {"{\"needs\":[{\"ability\":\"warp-drive\",\"since\":\"7.0.0\"},"
         "{\"ability\":\"services\",\"since\":\"0.1.0\"}],"
         "\"services\":[{\"name\":\"a\",\"image\":\"" IMAGE "\",\"entrypoint\":[]}]}",
         "[{\"ability\":\"warp-drive\",\"since\":\"7.0.0\"},"
         "{\"ability\":\"services\",\"since\":\"0.1.0\"},"
         "{\"ability\":\"clear-command\",\"since\":\"0.1.0\"}]"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, 1 << 20);
        Document document = published(&arena, rows[i].json);
        Str needs;
        CHECK_OK(json_canonical(&arena, str_from(rows[i].needs), &needs));
        CHECK_STR(json_slice_member(document.text, S("needs")), needs);
        CHECK_STR(json_slice_member(document.text, S("format")), S("1"));
    }
}

TEST(what_was_published_is_read_and_published_again_as_the_same_bytes) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    Document document = published(&arena,
                                  "{\"services\":[{\"name\":\"a\",\"image\":\"" IMAGE
                                  "\",\"command\":[],\"environment\":{\"B\":\"\",\"A\":\"1\"},"
                                  "\"healthcheck\":{\"retries\":9}}]}");
    Manifest manifest;
    Refusal refusal;
    Document again;
    CHECK_OK(manifest_read(&document, &arena, &manifest, &refusal));
    CHECK(!refusal.code.ptr && manifest.services.items[0].healthcheck.retries == 9);
    CHECK(manifest.services.items[0].command.items && !manifest.services.items[0].entrypoint.items);
    CHECK_OK(manifest_publish(&manifest, &arena, &again));
    CHECK_STR(again.text, document.text);
}

TEST(a_manifest_that_says_too_little_or_too_much_is_refused) {
    static const struct {
        const char *json;
        RefusalCode code;
        const char *detail;
    } rows[] = {
        {"{\"services\":[{\"name\":\"a\",\"image\":\"" IMAGE "\"}]}",
         REFUSED_DOCUMENT_INVALID,                                                                                      "/format"                              },
        {"{\"format\":1,\"services\":[]}",                                                    REFUSED_DOCUMENT_INVALID, "/services"                            },
        {"{\"format\":1,\"services\":[{\"name\":\"a\",\"image\":\"" IMAGE "\",\"x\":1}]}",
         REFUSED_DOCUMENT_INVALID,                                                                                      "/services/0/x"                        },
        {"{\"format\":1,\"services\":[{\"name\":\"a\",\"image\":\"" IMAGE
         "\",\"depends_on\":[{\"service\":\"b\"}]}]}",                               REFUSED_DOCUMENT_INVALID,
         "/services/0/depends_on/0"                                                                                                                            },
        {"{\"format\":1,\"\\u0073ervices\":[{\"name\":\"a\",\"image\":\"" IMAGE "\"}]}",
         REFUSED_DOCUMENT_INVALID,                                                                                      "without escapes"                      },
        {"{\"format\":2,\"services\":1}",                                                     REFUSED_FORMAT_UNKNOWN,   "format 2"                             },
        {"{\"format\":1,\"needs\":[{\"ability\":\"y\",\"since\":\"2.0.0\"}],\"services\":1}",
         REFUSED_NEEDS_ABILITY,                                                                                         "y, which muster-agent has since 2.0.0"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, 1 << 20);
        Document document;
        Manifest manifest;
        Refusal refusal;
        CHECK_OK(document_make(str_from(rows[i].json), &arena, &document));
        CHECK_OK(manifest_read(&document, &arena, &manifest, &refusal));
        if (!refusal_is(&refusal, rows[i].code) || !strstr(refusal.detail.ptr, rows[i].detail))
            fail_msg("%s: %.*s", rows[i].json, STR_FMT(refusal.detail));
    }
}

/// `count` services s0, s1, ..., each of which needs the one before it; the first the last, if
/// they are to make a circle.
static Str services_make(Arena *arena, size_t count, bool circle) {
    SCOPED(text_done) Text text;
    text_init(&text, MANIFEST_TEXT_MAX);
    text_add(&text, S("{\"format\":1,\"services\":["));
    for (size_t i = 0; i < count; i++) {
        text_print(&text, "%s{\"name\":\"s%zu\",\"image\":\"" IMAGE "\"", i ? "," : "", i);
        if (i > 0 || circle)
            text_print(
                &text, ",\"depends_on\":[{\"service\":\"s%zu\"}]", i > 0 ? i - 1 : count - 1);
        text_add_char(&text, '}');
    }
    text_add(&text, S("]}"));
    CHECK_OK(text_check(&text));
    return str_dup(arena, text_str(&text));
}

TEST(a_hundred_services_are_read_ordered_and_identified) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 4 << 20);
    Document document;
    Manifest manifest;
    Refusal refusal;
    Str text = services_make(&arena, MANIFEST_SERVICES_MAX, false);
    CHECK_OK(document_make(text, &arena, &document));
    CHECK_OK(manifest_read(&document, &arena, &manifest, &refusal));
    CHECK(!refusal.code.ptr);
    size_t order[MANIFEST_SERVICES_MAX];
    manifest_order(&manifest, order);
    Str identities[MANIFEST_SERVICES_MAX];
    CHECK_OK(manifest_identities(text, &arena, identities));
    for (size_t i = 0; i < MANIFEST_SERVICES_MAX; i++) {
        CHECK(order[i] == i && identities[i].len == 64);
        CHECK(i == 0 || !str_eq(identities[i], identities[i - 1]));
    }
    CHECK_OK(
        document_make(services_make(&arena, MANIFEST_SERVICES_MAX + 1, false), &arena, &document));
    CHECK_OK(manifest_read(&document, &arena, &manifest, &refusal));
    CHECK(refusal_is(&refusal, REFUSED_DOCUMENT_INVALID));
}

TEST(a_port_that_is_taken_is_one_fault_however_often_it_is) {
    enum { PORTS = 64 };
    static Port ports[PORTS];
    static Service items[MANIFEST_SERVICES_MAX];
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 4 << 20);
    for (size_t i = 0; i < PORTS; i++)
        ports[i] = (Port){.host = 80, .container = 1};
    for (size_t i = 0; i < MANIFEST_SERVICES_MAX; i++)
        items[i] = (Service){
            .name = str_print(&arena, "s-%zu", i), .ports = {ports, PORTS}
        };
    const Manifest manifest = {
        .services = {items, MANIFEST_SERVICES_MAX}
    };
    Faults faults;
    faults_init(&faults, &arena);
    manifest_check(&manifest, S(""), &faults);
    CHECK(faults.count + faults.dropped == MANIFEST_SERVICES_MAX * PORTS - 1);
    CHECK(!arena.failed);
}

TEST(a_circle_of_any_length_is_refused) {
    for (size_t count = 1; count <= MANIFEST_SERVICES_MAX; count += 33) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, 4 << 20);
        Document document;
        Manifest manifest;
        Refusal refusal;
        CHECK_OK(document_make(services_make(&arena, count, true), &arena, &document));
        CHECK_OK(manifest_read(&document, &arena, &manifest, &refusal));
        CHECK(refusal_is(&refusal, REFUSED_DOCUMENT_INVALID));
        CHECK(strstr(refusal.detail.ptr, "in a circle"));
    }
}

TEST(a_newer_manifest_is_shown_and_the_identity_of_a_service_is_its_own_bytes) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    Str text =
        S("{\"later\":[],\"services\":[{\"name\":\"a\",\"image\":\"" IMAGE
          "\",\"x\":{\"y\":\"]\"}}, {\"name\":\"b\",\"image\":\"" IMAGE "\"}],\"format\":3}");
    Manifest manifest;
    CHECK_OK(manifest_show(text, &arena, &manifest));
    CHECK(manifest.services.count == 2 && manifest.format == 3);
    Str identities[MANIFEST_SERVICES_MAX];
    CHECK_OK(manifest_identities(text, &arena, identities));
    CHECK_STR(
        identities[0],
        sha256_hex(&arena, S("{\"name\":\"a\",\"image\":\"" IMAGE "\",\"x\":{\"y\":\"]\"}}")));
    CHECK_STR(identities[1], sha256_hex(&arena, S("{\"name\":\"b\",\"image\":\"" IMAGE "\"}")));
}

TEST(publishing_and_reading_survive_every_exhaustion_of_the_arena) {
    SCOPED(arena_done) Arena source;
    arena_init(&source, 1 << 20);
    Faults faults;
    Manifest made = {};
    CHECK_OK(decode(&source,
                    &faults,
                    "{\"services\":[{\"name\":\"a\",\"image\":\"" IMAGE "\",\"command\":[]}]}",
                    &made));
    size_t refused = 0;
    for (size_t max = 1;; max += 64) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, max);
        Manifest manifest = made;
        Document document;
        Refusal refusal;
        Str identities[MANIFEST_SERVICES_MAX];
        Err err = manifest_publish(&manifest, &arena, &document);
        if (err.code == OK) err = manifest_read(&document, &arena, &manifest, &refusal);
        if (err.code == OK) CHECK(!refusal.code.ptr);
        if (err.code == OK) err = manifest_identities(document.text, &arena, identities);
        if (err.code == OK) break;
        CHECK(err.code == arena_check(&arena).code);
        refused++;
    }
    CHECK(refused > 1);
}

TEST_MAIN(CASE(services_start_behind_what_they_depend_on),
          CASE(what_a_table_cannot_say_is_refused_with_its_place),
          CASE(equal_manifests_have_equal_digests_whatever_their_layout),
          CASE(what_is_published_names_each_ability_that_it_uses_once),
          CASE(what_was_published_is_read_and_published_again_as_the_same_bytes),
          CASE(a_manifest_that_says_too_little_or_too_much_is_refused),
          CASE(a_hundred_services_are_read_ordered_and_identified),
          CASE(a_port_that_is_taken_is_one_fault_however_often_it_is),
          CASE(a_circle_of_any_length_is_refused),
          CASE(a_newer_manifest_is_shown_and_the_identity_of_a_service_is_its_own_bytes),
          CASE(publishing_and_reading_survive_every_exhaustion_of_the_arena))
