// SPDX-License-Identifier: Apache-2.0
/// The golden bytes of the protocol: today's programs read what was ever recorded, and what they
/// write has the same bytes (docs/protocol.md, section 10).
#include "base/jws.h"
#include "base/scope.h"
#include "golden.h"
#include "test.h"
#include "wire/manifest.h"
#include "wire/state.h"
#include "wire/token_text.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = 16 * 1024 * 1024, FILES_MAX = 512 };

// What was read, so that a file that no test reads is found.
static char files_read[FILES_MAX][GOLDEN_NAME_MAX];
static size_t files_count;

static Str find(Arena *arena, const char *name, const char *tail) {
    assert(files_count < FILES_MAX);
    char *at = files_read[files_count++];
    snprintf(at, GOLDEN_NAME_MAX, "%s%s", name, tail);
    return golden_find(arena, at);
}

static Str load(Arena *arena, const char *name, const char *tail) {
    Str bytes = find(arena, name, tail);
    if (!bytes.ptr) fail_msg("%s%s is missing", name, tail);
    return bytes;
}

static Str encoded(const Schema *schema, const void *record, EncodeMode mode, Arena *arena) {
    SCOPED(text_done) Text text;
    text_init(&text, SYNC_DOWN_MAX);
    schema_encode(schema, record, mode, &text);
    CHECK_OK(text_check(&text));
    return str_dup(arena, text_str(&text));
}

static void *decoded(const Schema *schema, Str json, DecodeMode mode, Arena *arena) {
    void *record = arena_alloc(arena, schema->size, _Alignof(max_align_t));
    Reason reason = {};
    Err err = schema_read(schema, json, mode, arena, record, &reason);
    if (err.code != OK) fail_msg("%s: %s %s", schema->title, err.what, reason.text);
    return record;
}

/// What either side reads as a peer's. Each file has a `.newer.json`, as a program of later would
/// write the same: twenty unknown fields of every type at every level, and unknown words. Where
/// words are unknown, the `.unknown.json` is what it reads as.
static const struct {
    const char *name;
    const Schema *schema;
    EncodeMode mode;
} envelopes[] = {
    {"challenge",               &Challenge_schema,    ENCODE_REPLY  },
    {"challenge.unbound",       &Challenge_schema,    ENCODE_REPLY  },
    {"enrol.request",           &EnrolInput_schema,   ENCODE_REQUEST},
    {"enrol.request.minimal",   &EnrolInput_schema,   ENCODE_REQUEST},
    {"enrol.answer",            &Enrolled_schema,     ENCODE_REPLY  },
    {"sync_up.minimal",         &SyncUp_schema,       ENCODE_REQUEST},
    {"sync_up.hello",           &SyncUp_schema,       ENCODE_REQUEST},
    {"sync_up.hello_next_key",  &SyncUp_schema,       ENCODE_REQUEST},
    {"sync_up.full",            &SyncUp_schema,       ENCODE_REQUEST},
    {"sync_down.challenge",     &SyncDown_schema,     ENCODE_REPLY  },
    {"sync_down.ack",           &SyncDown_schema,     ENCODE_REPLY  },
    {"sync_down.push",          &SyncDown_schema,     ENCODE_REPLY  },
    {"sync_down.push_nothing",  &SyncDown_schema,     ENCODE_REPLY  },
    {"sync_down.push_reserved", &SyncDown_schema,     ENCODE_REPLY  },
    {"sync_down.refused",       &SyncDown_schema,     ENCODE_REPLY  },
    {"sync_down.refused_busy",  &SyncDown_schema,     ENCODE_REPLY  },
    {"sync_down.servers",       &SyncDown_schema,     ENCODE_REPLY  },
    {"sync_down.rotate",        &SyncDown_schema,     ENCODE_REPLY  },
    {"sync_down.key",           &SyncDown_schema,     ENCODE_REPLY  },
    {"state.identity",          &IdentityFile_schema, ENCODE_STORED },
    {"state.identity.next",     &IdentityFile_schema, ENCODE_STORED },
    {"state.membership",        &Membership_schema,   ENCODE_STORED },
    {"state.servers",           &ServersFile_schema,  ENCODE_STORED },
    {"state.servers.next",      &ServersFile_schema,  ENCODE_STORED },
    {"state.desired",           &DesiredFile_schema,  ENCODE_STORED },
    {"state.reported",          &ReportedFile_schema, ENCODE_STORED },
};
enum { ENVELOPE_COUNT = sizeof(envelopes) / sizeof(envelopes[0]) };

/// `text` reads as a peer's, and is written as the bytes of `wanted`.
static void envelope_replay(size_t at, Str text, Str wanted, Arena *arena) {
    const Schema *schema = envelopes[at].schema;
    void *record = decoded(schema, text, DECODE_PEER, arena);
    CHECK_STR(encoded(schema, record, envelopes[at].mode, arena), wanted);
}

TEST(an_envelope_is_written_as_it_was_recorded) {
    for (size_t i = 0; i < ENVELOPE_COUNT; i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, ARENA_MAX);
        Str text = load(&arena, envelopes[i].name, ".json");
        envelope_replay(i, text, text, &arena);
    }
}

TEST(what_a_newer_peer_adds_to_an_envelope_changes_nothing_else) {
    for (size_t i = 0; i < ENVELOPE_COUNT; i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, ARENA_MAX);
        Str wanted = find(&arena, envelopes[i].name, ".unknown.json");
        if (!wanted.ptr) wanted = load(&arena, envelopes[i].name, ".json");
        envelope_replay(i, load(&arena, envelopes[i].name, ".newer.json"), wanted, &arena);
    }
}

TEST(a_message_up_says_what_was_recorded) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, ARENA_MAX);
    Str json = load(&arena, "sync_up.full", ".json");
    const SyncUp *up = decoded(&SyncUp_schema, json, DECODE_PEER, &arena);
    CHECK_STR(id_str(&up->hello.device_id), S("device_01jdkx4y8re6va2q9c3h5m7002"));
    CHECK(up->hello.epoch == 2 && up->hello.abilities.count == ABILITY_COUNT);
    CHECK(up->seq == 9'007'199'254'740'991 && up->generation == 1'790'000'000'123);
    CHECK(up->stamp.time.ms == 200'500 && up->stamp.uptime_ms == 200'500);
    CHECK_STR(up->facts.serial_number, S("C02XK1"));
    CHECK(up->telemetry.load1 == 0.25 && up->telemetry.containers == 3);
    CHECK(up->reported.state == WORKLOAD_FAILED && up->reported.applications.count == 2);
    const ApplicationReport *shop = &up->reported.applications.items[0];
    CHECK(shop->serial == 7 && shop->state == WORKLOAD_DEGRADED && !shop->refusal.code.ptr);
    CHECK(shop->services.items[1].health == HEALTH_UNHEALTHY);
    CHECK(shop->services.items[2].exit_code == -1);
    const Refusal *refusal = &up->reported.applications.items[1].refusal;
    CHECK(refusal_is(refusal, REFUSED_UNREACHABLE) && refusal->retry_after_s == 60);

    json = load(&arena, "sync_up.full", ".newer.json");
    up = decoded(&SyncUp_schema, json, DECODE_PEER, &arena);
    CHECK(up->reported.state == WORKLOAD_UNKNOWN);
    CHECK(up->reported.applications.items[0].services.items[0].state == CONTAINER_UNKNOWN);
    CHECK(up->reported.applications.items[0].services.items[0].health == HEALTH_UNKNOWN);
    refusal = &up->reported.applications.items[1].refusal;
    CHECK(refusal->class == REFUSAL_CLASS_UNKNOWN && refusal_class(refusal) == REFUSAL_RETRY);
}

TEST(a_message_down_says_what_was_recorded) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, ARENA_MAX);
    Str json = load(&arena, "sync_down.push", ".newer.json");
    const SyncDown *down = decoded(&SyncDown_schema, json, DECODE_PEER, &arena);
    CHECK(down->ack == 0 && down->heartbeat.ms == 90'000 && !down->rotate_key);
    CHECK(!down->challenge.nonce.ptr && !down->refused.code.ptr && !down->servers.digest.ptr);
    CHECK(down->desired.generation == 1'790'000'000'123);
    CHECK_OK(desired_check(&down->desired, NULL));
    const ApplicationList *list = &down->desired.applications;
    CHECK(list->count == 2 && list->items[0].serial == 7);
    CHECK_STR(list->items[0].manifest.text, load(&arena, "manifest.everything", ".json"));
    CHECK_STR(list->items[1].manifest.text, load(&arena, "manifest.clear_command", ".json"));
    CHECK_STR(down->desired.policy.text, load(&arena, "policy.minimal", ".json"));
    Refusal refusal;
    application_check(&list->items[0], &refusal);
    CHECK(!refusal.code.ptr);

    json = load(&arena, "sync_down.push_reserved", ".json");
    down = decoded(&SyncDown_schema, json, DECODE_PEER, &arena);
    application_check(&down->desired.applications.items[0], &refusal);
    CHECK(refusal_is(&refusal, REFUSED_NEEDS_ABILITY));

    json = load(&arena, "sync_down.refused", ".newer.json");
    down = decoded(&SyncDown_schema, json, DECODE_PEER, &arena);
    CHECK(refusal_is(&down->refused, REFUSED_DEVICE_RETIRED));

    json = load(&arena, "challenge.unbound", ".json");
    const Challenge *challenge = decoded(&Challenge_schema, json, DECODE_PEER, &arena);
    CHECK(challenge->binding == BINDING_NONE);
}

TEST(a_published_manifest_keeps_its_digest_and_the_identities_of_its_services) {
    static const char *const names[] = {
        "manifest.minimal", "manifest.everything", "manifest.clear_command", "manifest.spaced"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, ARENA_MAX);
        Str text = load(&arena, names[i], ".json");
        Document document, again;
        Manifest manifest;
        Refusal refusal;
        CHECK_OK(document_make(text, &arena, &document));
        CHECK_OK(manifest_read(&document, &arena, &manifest, &refusal));
        CHECK(!refusal.code.ptr);
        Str identities[MANIFEST_SERVICES_MAX];
        CHECK_OK(manifest_identities(text, &arena, identities));
        SCOPED(text_done) Text got;
        text_init(&got, GOLDEN_FILE_MAX);
        text_print(&got, "%.*s\n", STR_FMT(document.digest));
        for (size_t s = 0; s < manifest.services.count; s++)
            text_print(&got,
                       "%.*s %.*s\n",
                       STR_FMT(manifest.services.items[s].name),
                       STR_FMT(identities[s]));
        CHECK_STR(text_str(&got), load(&arena, names[i], ".identities.txt"));
        if (strcmp(names[i], "manifest.spaced") == 0) continue; // by somebody else
        CHECK_OK(manifest_publish(&manifest, &arena, &again));
        CHECK_STR(again.text, text);
    }
}

TEST(a_document_that_is_too_new_or_wrong_is_refused_by_name) {
    static const struct {
        const char *name;
        const Schema *schema;
        RefusalCode code;
        const char *detail; ///< words of it; NULL: it is not refused
    } rows[] = {
        {"refused.unknown_ability",
         &Manifest_schema,
         REFUSED_NEEDS_ABILITY,                                                            "ability warp-drive, which muster-agent has since 7.1.0"},
        {"refused.higher_format",              &Manifest_schema, REFUSED_FORMAT_UNKNOWN,   "of format 2"                                           },
        {"refused.higher_format_and_ability",
         &Manifest_schema,
         REFUSED_NEEDS_ABILITY,                                                            "ability crates, which muster-agent has since 9.0.0"    },
        {"refused.unknown_field",              &Manifest_schema, REFUSED_DOCUMENT_INVALID, "/surprise"                                             },
        {"refused.unknown_field_of_a_service",
         &Manifest_schema,
         REFUSED_DOCUMENT_INVALID,                                                         "/services/0/memory_bytes"                              },
        {"refused.unknown_word",               &Manifest_schema, REFUSED_DOCUMENT_INVALID, "/services/0/restart"                                   },
        {"refused.circle",                     &Manifest_schema, REFUSED_DOCUMENT_INVALID, "/services: "                                           },
        {"refused.no_format",                  &Manifest_schema, REFUSED_DOCUMENT_INVALID, "/format"                                               },
        {"refused.escaped_services",           &Manifest_schema, REFUSED_DOCUMENT_INVALID, "/services"                                             },
        {"refused.not_json",                   &Manifest_schema, REFUSED_DOCUMENT_INVALID, ""                                                      },
        {"policy.unknown_field",               &Policy_schema,   REFUSED_DOCUMENT_INVALID, "/quiet_hours"                                          },
        {"policy.minimal",                     &Policy_schema,   REFUSED_COUNT,            NULL                                                    },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, ARENA_MAX);
        Document document;
        Refusal refusal;
        Manifest manifest;
        Policy policy;
        CHECK_OK(document_make(load(&arena, rows[i].name, ".json"), &arena, &document));
        CHECK_OK(rows[i].schema == &Policy_schema
                     ? document_read(
                         &document, &Policy_schema, POLICY_TEXT_MAX, &arena, &policy, &refusal)
                     : manifest_read(&document, &arena, &manifest, &refusal));
        print_message("# %s: %.*s\n", rows[i].name, STR_FMT(refusal.detail));
        CHECK(!rows[i].detail == !refusal.code.ptr);
        if (!rows[i].detail) continue;
        CHECK(refusal_is(&refusal, rows[i].code) && refusal.class == REFUSAL_CHANGE);
        CHECK(refusal.detail.ptr && strstr(refusal.detail.ptr, rows[i].detail));
    }
}

static void seed_load(Arena *arena, const char *name, JwsKey *ret_key) {
    const IdentityFile *file =
        decoded(&IdentityFile_schema, load(arena, name, ".json"), DECODE_PEER, arena);
    CHECK(file->seed.len == SEED_LEN);
    jws_key_from_seed(file->seed.ptr, ret_key);
}

TEST(a_proof_is_signed_and_read_as_it_was_recorded) {
    static const char *const names[] = {
        "proof.enrol", "proof.hello", "proof.hello_bound", "proof.hello_next_key", "proof.rotate"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, ARENA_MAX);
        JwsKey key;
        bool next = strcmp(names[i], "proof.rotate") == 0;
        seed_load(&arena, next ? "state.identity.next" : "state.identity", &key);
        Str claims = load(&arena, names[i], ".claims.json");
        const Proof *proof = decoded(&Proof_schema, claims, DECODE_INPUT, &arena);
        CHECK_STR(encoded(&Proof_schema, proof, ENCODE_REQUEST, &arena), claims);
        SCOPED(text_done) Text token;
        text_init(&token, JWS_TOKEN_MAX);
        jws_sign(&key, claims, &token);
        CHECK_STR(text_str(&token), load(&arena, names[i], ".jws"));
        Str verified;
        CHECK_OK(jws_verify(key.public, text_str(&token), &arena, &verified));
        CHECK_STR(verified, claims);
    }
}

TEST(a_proof_with_an_unknown_claim_or_use_is_none) {
    static const char *const names[] = {"proof.unknown_claim", "proof.unknown_use"};
    for (size_t i = 0; i < 2; i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, ARENA_MAX);
        Proof proof;
        Str claims = load(&arena, names[i], ".claims.json");
        CHECK_ERR(schema_read(&Proof_schema, claims, DECODE_INPUT, &arena, &proof, NULL),
                  ERR_INVALID);
    }
}

TEST(a_token_is_made_and_read_as_it_was_recorded) {
    static const char *const names[] = {"token.pinned", "token.public", "token.http"};
    for (size_t i = 0; i < 3; i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, ARENA_MAX);
        TokenText parts;
        Str text = load(&arena, names[i], ".txt"), again;
        CHECK_OK(token_text_parse(text, &arena, &parts, NULL));
        CHECK_STR(parts.fleet, S("shop-floor"));
        CHECK_OK(token_text_make(&parts, &arena, &again));
        CHECK_STR(again, text);
    }
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, ARENA_MAX);
    TokenText parts;
    Str again;
    CHECK_OK(token_text_parse(load(&arena, "token.pinned", ".newer.txt"), &arena, &parts, NULL));
    CHECK(parts.servers.count == 2);
    CHECK_OK(token_text_make(&parts, &arena, &again));
    CHECK_STR(again, load(&arena, "token.pinned", ".txt"));
}

TEST(a_file_of_a_newer_program_is_read_where_it_says_so) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, ARENA_MAX);
    Str later = load(&arena, "state.membership.later", ".json");
    const StateHead *head = decoded(&StateHead_schema, later, DECODE_PEER, &arena);
    CHECK(head->format > STATE_FORMAT && state_head_is_readable(head));
    Membership *membership = decoded(&Membership_schema, later, DECODE_PEER, &arena);
    membership->head = state_head();
    CHECK_STR(encoded(&Membership_schema, membership, ENCODE_STORED, &arena),
              load(&arena, "state.membership", ".json"));
    Str unreadable = load(&arena, "state.membership.unreadable", ".json");
    head = decoded(&StateHead_schema, unreadable, DECODE_PEER, &arena);
    CHECK(!state_head_is_readable(head));
}

static bool was_read(const char *name) {
    for (size_t i = 0; i < files_count; i++)
        if (strcmp(files_read[i], name) == 0) return true;
    return false;
}

TEST(no_file_of_the_folder_is_left_out) {
    DIR *folder = opendir(GOLDEN_DIR);
    CHECK(folder);
    size_t stray = 0;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || was_read(entry->d_name)) continue;
        print_error("%s is read by no test\n", entry->d_name);
        stray++;
    }
    closedir(folder);
    CHECK(stray == 0);
}

TEST_MAIN(CASE(an_envelope_is_written_as_it_was_recorded),
          CASE(what_a_newer_peer_adds_to_an_envelope_changes_nothing_else),
          CASE(a_message_up_says_what_was_recorded),
          CASE(a_message_down_says_what_was_recorded),
          CASE(a_published_manifest_keeps_its_digest_and_the_identities_of_its_services),
          CASE(a_document_that_is_too_new_or_wrong_is_refused_by_name),
          CASE(a_proof_is_signed_and_read_as_it_was_recorded),
          CASE(a_proof_with_an_unknown_claim_or_use_is_none),
          CASE(a_token_is_made_and_read_as_it_was_recorded),
          CASE(a_file_of_a_newer_program_is_read_where_it_says_so),
          CASE(no_file_of_the_folder_is_left_out)) // the last one: it counts what the others read
