// SPDX-License-Identifier: Apache-2.0
#include "wire/document.h"

#include "base/scope.h"
#include "test.h"

#include <string.h>

static Document document_of(Arena *arena, const char *text) {
    Document document;
    CHECK_OK(document_make(str_from(text), arena, &document));
    return document;
}

/// What document_read says of this policy.
static Refusal judged(Arena *arena, const char *text) {
    Document document = document_of(arena, text);
    Policy policy;
    Refusal refusal;
    CHECK_OK(document_read(&document, &Policy_schema, POLICY_TEXT_MAX, arena, &policy, &refusal));
    return refusal;
}

TEST(a_digest_is_over_the_exact_bytes) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    CHECK_STR(document_digest(S("abc"), &arena),
              S("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    Document document = document_of(&arena, "{\"format\":1}");
    Refusal refusal;
    CHECK_OK(document_check(&document, POLICY_TEXT_MAX, &arena, &refusal));
    CHECK(!refusal.code.ptr);
    document.text = S("{\"format\": 1}");
    CHECK_OK(document_check(&document, POLICY_TEXT_MAX, &arena, &refusal));
    CHECK(refusal_is(&refusal, REFUSED_DIGEST_MISMATCH) && refusal.class == REFUSAL_CHANGE);
}

TEST(a_document_that_is_longer_than_its_kind_allows_is_too_large) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    Document document = document_of(&arena, "{\"format\":1}");
    Refusal refusal;
    CHECK_OK(document_check(&document, document.text.len, &arena, &refusal));
    CHECK(!refusal.code.ptr);
    CHECK_OK(document_check(&document, document.text.len - 1, &arena, &refusal));
    CHECK(refusal_is(&refusal, REFUSED_TOO_LARGE));
    CHECK_STR(refusal.detail, S("it has 12 bytes, at most 11"));
}

TEST(an_ability_that_is_missing_is_told_with_its_version) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    Refusal refusal =
        judged(&arena,
               "{\"format\":1,\"needs\":[{\"ability\":\"policy\",\"since\":\"0.1.0\"},"
               "{\"ability\":\"quiet-hours\",\"since\":\"1.7.0-rc.1\",\"hint\":1}],"
               "\"quiet\":[1]}");
    CHECK(refusal_is(&refusal, REFUSED_NEEDS_ABILITY) && refusal.class == REFUSAL_CHANGE);
    CHECK_STR(refusal.detail,
              S("it needs the ability quiet-hours, which muster-agent has since 1.7.0-rc.1; this "
                "is " MUSTER_VERSION));
}

TEST(what_is_missing_is_told_before_the_format_and_that_before_the_fields) {
    static const struct {
        const char *text;
        RefusalCode code;
    } rows[] = {
        {"{\"format\":9,\"needs\":[{\"ability\":\"x\",\"since\":\"1.0.0\"}]}",
         REFUSED_NEEDS_ABILITY                                                                                      },
        {"{\"format\":9,\"x\":1}",                                                          REFUSED_FORMAT_UNKNOWN  },
        {"{\"format\":1,\"x\":1}",                                                          REFUSED_DOCUMENT_INVALID},
        {"{\"format\":0}",                                                                  REFUSED_DOCUMENT_INVALID},
        {"{\"format\":\"1\"}",                                                              REFUSED_DOCUMENT_INVALID},
        {"{\"format\":1,\"needs\":[{\"ability\":\"policy\"}]}",                             REFUSED_DOCUMENT_INVALID},
        {"{\"format\":1,\"needs\":[{\"ability\":\"policy\",\"since\":\"0.1.0\",\"x\":1}]}",
         REFUSED_DOCUMENT_INVALID                                                                                   },
        {"{\"format\":1,\"format\":1}",                                                     REFUSED_DOCUMENT_INVALID},
        {"{}",                                                                              REFUSED_DOCUMENT_INVALID},
        {"[]",                                                                              REFUSED_DOCUMENT_INVALID},
        {"",                                                                                REFUSED_DOCUMENT_INVALID},
        {"{\"format\":1} ?",                                                                REFUSED_DOCUMENT_INVALID},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, 1 << 20);
        Refusal refusal = judged(&arena, rows[i].text);
        if (!refusal_is(&refusal, rows[i].code))
            fail_msg("%s: %.*s", rows[i].text, STR_FMT(refusal.code));
        CHECK(refusal.detail.len > 0 && Pattern_line.matches(refusal.detail));
    }
}

TEST(a_field_with_any_name_is_refused_in_one_line) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    Refusal refusal = judged(&arena, "{\"format\":1,\"a\\n\\u001b[2J\\u009f\\u007fb\":1}");
    CHECK(refusal_is(&refusal, REFUSED_DOCUMENT_INVALID));
    CHECK(Pattern_line.matches(refusal.detail) && refusal.detail.len <= DETAIL_MAX);
}

TEST(every_ability_of_this_program_may_be_needed) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    StrList words = ability_words(&arena);
    CHECK(words.count == ABILITY_COUNT);
    for (size_t i = 0; i < words.count; i++) {
        Need need = ability_need((Ability)i);
        CHECK_STR(words.items[i], need.ability);
        Str text = str_print(&arena,
                             "{\"format\":1,\"needs\":[{\"ability\":\"%.*s\",\"since\":\"%.*s\"}]}",
                             STR_FMT(need.ability),
                             STR_FMT(need.since));
        Refusal refusal = judged(&arena, text.ptr);
        CHECK(!refusal.code.ptr);
    }
}

TEST(a_refusal_goes_by_its_class_and_without_one_is_tried_again) {
    for (size_t i = 0; i < REFUSED_COUNT; i++) {
        Refusal refusal = refusal_make((RefusalCode)i, S("why"));
        CHECK(refusal_is(&refusal, (RefusalCode)i));
        CHECK(!refusal_is(&refusal, (RefusalCode)((i + 1) % REFUSED_COUNT)));
        CHECK(refusal.class != REFUSAL_CLASS_UNKNOWN);
        CHECK(refusal_class(&refusal) == refusal.class);
    }
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    Refusal refusal;
    CHECK_OK(schema_read(&Refusal_schema,
                         S("{\"code\":\"of_later\",\"class\":\"sometimes\"}"),
                         DECODE_PEER,
                         &arena,
                         &refusal,
                         NULL));
    CHECK(refusal.class == REFUSAL_CLASS_UNKNOWN && refusal_class(&refusal) == REFUSAL_RETRY);
}

TEST(a_document_survives_every_exhaustion_of_its_arena) {
    SCOPED(arena_done) Arena source;
    arena_init(&source, 1 << 20);
    Document document = document_of(
        &source, "{\"format\":1,\"needs\":[{\"ability\":\"policy\",\"since\":\"0.1.0\"}]}");
    size_t refused = 0;
    for (size_t max = 1;; max += 16) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, max);
        Policy policy;
        Refusal refusal;
        Err err =
            document_read(&document, &Policy_schema, POLICY_TEXT_MAX, &arena, &policy, &refusal);
        if (err.code == OK) CHECK(!refusal.code.ptr);
        if (err.code == OK) break;
        CHECK(err.code == arena_check(&arena).code);
        refused++;
    }
    CHECK(refused > 1);
}

TEST_MAIN(CASE(a_digest_is_over_the_exact_bytes),
          CASE(a_document_that_is_longer_than_its_kind_allows_is_too_large),
          CASE(an_ability_that_is_missing_is_told_with_its_version),
          CASE(what_is_missing_is_told_before_the_format_and_that_before_the_fields),
          CASE(a_field_with_any_name_is_refused_in_one_line),
          CASE(every_ability_of_this_program_may_be_needed),
          CASE(a_refusal_goes_by_its_class_and_without_one_is_tried_again),
          CASE(a_document_survives_every_exhaustion_of_its_arena))
