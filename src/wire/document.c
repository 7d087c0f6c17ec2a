// SPDX-License-Identifier: Apache-2.0
#include "wire/document.h"

#include "base/arena.h"
#include "base/jws.h"

#include <assert.h>

enum { CODE_MAX = 64, RETRY_AFTER_MAX_S = 86'400 };

static const char *const refusal_classes[] = {"unknown", "retry", "change", "never"};
const EnumNames RefusalClass_names = ENUM_NAMES(refusal_classes);

static const Field Refusal_fields[] = {
    FIELD(Refusal, code, REQUIRED, "the stable word to compare", .max = CODE_MAX),
    FIELD_ENUM(Refusal, class, RefusalClass, 0, "when it may be tried again"),
    FIELD(Refusal, detail, 0, "why, for people", .pattern = &Pattern_line, .max = DETAIL_MAX),
    FIELD(Refusal, retry_after_s, 0, "seconds to wait at least", .max = RETRY_AFTER_MAX_S),
};
const Schema Refusal_schema = SCHEMA(Refusal, "refusal", "why something was refused");

static const struct {
    const char *word;
    RefusalClass class;
} refusals[REFUSED_COUNT] = {
    [REFUSED_BUSY] = {"busy",             REFUSAL_RETRY },
    [REFUSED_NONCE_OLD] = {"nonce_old",        REFUSAL_RETRY },
    [REFUSED_PROOF_INVALID] = {"proof_invalid",    REFUSAL_CHANGE},
    [REFUSED_BINDING_MISSING] = {"binding_missing",  REFUSAL_CHANGE},
    [REFUSED_DEVICE_UNKNOWN] = {"device_unknown",   REFUSAL_CHANGE},
    [REFUSED_EPOCH_OLD] = {"epoch_old",        REFUSAL_NEVER },
    [REFUSED_DEVICE_RETIRED] = {"device_retired",   REFUSAL_NEVER },
    [REFUSED_DIGEST_MISMATCH] = {"digest_mismatch",  REFUSAL_CHANGE},
    [REFUSED_FORMAT_UNKNOWN] = {"format_unknown",   REFUSAL_CHANGE},
    [REFUSED_NEEDS_ABILITY] = {"needs_ability",    REFUSAL_CHANGE},
    [REFUSED_DOCUMENT_INVALID] = {"document_invalid", REFUSAL_CHANGE},
    [REFUSED_TOO_LARGE] = {"too_large",        REFUSAL_CHANGE},
    [REFUSED_UNREACHABLE] = {"unreachable",      REFUSAL_RETRY },
    [REFUSED_CONTENT_INVALID] = {"content_invalid",  REFUSAL_CHANGE},
    [REFUSED_START_FAILED] = {"start_failed",     REFUSAL_CHANGE},
    [REFUSED_UNHEALTHY] = {"unhealthy",        REFUSAL_CHANGE},
};

Refusal refusal_make(RefusalCode code, Str detail) {
    assert(code < REFUSED_COUNT);
    return (Refusal){
        .code = str_from(refusals[code].word), .class = refusals[code].class, .detail = detail};
}

bool refusal_is(const Refusal *refusal, RefusalCode code) {
    assert(code < REFUSED_COUNT);
    return str_eq(refusal->code, str_from(refusals[code].word));
}

RefusalClass refusal_class(const Refusal *refusal) {
    return refusal->class == REFUSAL_CLASS_UNKNOWN ? REFUSAL_RETRY : refusal->class;
}

static const Field Need_fields[] = {
    FIELD(Need,
          ability,
          REQUIRED,
          "what the reader must be able to do",
          .pattern = &Pattern_dns_label,
          .max = ABILITY_MAX),
    FIELD(Need,
          since,
          REQUIRED,
          "first version of muster-agent that can",
          .pattern = &Pattern_semver,
          .max = VERSION_MAX),
};
const Schema Need_schema = SCHEMA(Need, "need", "an ability that a document needs");

#define HEAD_FIELDS(type)                    \
    FIELD(type,                              \
          format,                            \
          REQUIRED,                          \
          "number of the document's format", \
          .min = DOCUMENT_FORMAT,            \
          .max = DOCUMENT_FORMAT),           \
        FIELD_LIST(type, needs, Need, 0, "abilities that it needs", .max = DOCUMENT_NEEDS_MAX)

static const Field DocumentHead_fields[] = {
    FIELD(DocumentHead, format, REQUIRED, "number of the document's format", .min = 1),
    FIELD_LIST(DocumentHead, needs, Need, 0, "abilities that it needs", .max = DOCUMENT_NEEDS_MAX),
};
const Schema DocumentHead_schema =
    SCHEMA(DocumentHead, "document_head", "what every document begins with");

static const Field Policy_fields[] = {HEAD_FIELDS(Policy)};
const Schema Policy_schema = SCHEMA(Policy, "policy", "what a device may do, and when");

static const Field Document_fields[] = {
    FIELD(Document, digest, REQUIRED, "of the text", .pattern = &Pattern_digest),
    FIELD(Document, text, REQUIRED, "exact bytes as published", .max = DOCUMENT_TEXT_MAX),
};
const Schema Document_schema = SCHEMA(Document, "document", "published bytes and their digest");

static const struct {
    const char *word;
    const char *since;
} abilities[ABILITY_COUNT] = {
    [ABILITY_SERVICES] = {"services",      "0.1.0"},
    [ABILITY_CLEAR_COMMAND] = {"clear-command", "0.1.0"},
    [ABILITY_POLICY] = {"policy",        "0.1.0"},
};

Need ability_need(Ability ability) {
    assert(ability < ABILITY_COUNT);
    return (Need){str_from(abilities[ability].word), str_from(abilities[ability].since)};
}

StrList ability_words(Arena *arena) {
    StrList list = {ARENA_ARRAY(arena, Str, ABILITY_COUNT), ABILITY_COUNT};
    if (!list.items) return (StrList){};
    for (size_t i = 0; i < ABILITY_COUNT; i++)
        list.items[i] = str_from(abilities[i].word);
    return list;
}

static bool document_ability_is_here(Str word) {
    for (size_t i = 0; i < ABILITY_COUNT; i++)
        if (str_eq(word, str_from(abilities[i].word))) return true;
    return false;
}

Str document_digest(Str text, Arena *arena) {
    Str hex = sha256_hex(arena, text);
    return hex.ptr ? str_print(arena, "sha256:%.*s", STR_FMT(hex)) : (Str){};
}

Err document_make(Str text, Arena *arena, Document *ret_document) {
    Document document = {.digest = document_digest(text, arena), .text = text};
    TRY(arena_check(arena));
    *ret_document = document;
    return SUCCESS;
}

/// The first ability that is missing here; NULL if there is none.
static const Need *document_lacks(const DocumentHead *head) {
    for (size_t i = 0; i < head->needs.count; i++)
        if (!document_ability_is_here(head->needs.items[i].ability)) return &head->needs.items[i];
    return NULL;
}

static Refusal document_refuse(RefusalCode code, Arena *arena, const char *detail) {
    return refusal_make(code, str_dup(arena, str_from(detail)));
}

/// The head is read as a peer's, for what stands behind it may be newer than this program.
static Err document_head(const Document *document, Arena *arena, Refusal *ret_refusal) {
    DocumentHead head;
    Reason reason = {};
    Err err = schema_read(&DocumentHead_schema, document->text, DECODE_PEER, arena, &head, &reason);
    if (err.code == ERR_INVALID) {
        *ret_refusal = document_refuse(REFUSED_DOCUMENT_INVALID, arena, reason.text);
        return arena_check(arena);
    }
    TRY(err);
    const Need *lacks = document_lacks(&head);
    if (lacks) {
        *ret_refusal = refusal_make(REFUSED_NEEDS_ABILITY,
                                    str_print(arena,
                                              "it needs the ability %.*s, which muster-agent has "
                                              "since %.*s; this is " MUSTER_VERSION,
                                              STR_FMT(lacks->ability),
                                              STR_FMT(lacks->since)));
    } else if (head.format > DOCUMENT_FORMAT) {
        *ret_refusal = refusal_make(REFUSED_FORMAT_UNKNOWN,
                                    str_print(arena,
                                              "it is of format %llu; muster-agent " MUSTER_VERSION
                                              " reads up to %d",
                                              (unsigned long long)head.format,
                                              DOCUMENT_FORMAT));
    }
    return arena_check(arena);
}

Err document_check(const Document *document, size_t max, Arena *arena, Refusal *ret_refusal) {
    *ret_refusal = (Refusal){};
    if (document->text.len > max) {
        *ret_refusal = refusal_make(
            REFUSED_TOO_LARGE,
            str_print(arena, "it has %zu bytes, at most %zu", document->text.len, max));
        return arena_check(arena);
    }
    Str digest = document_digest(document->text, arena);
    TRY(arena_check(arena));
    if (!str_eq(digest, document->digest)) {
        *ret_refusal = document_refuse(
            REFUSED_DIGEST_MISMATCH, arena, "it is not the document that its digest names");
        return arena_check(arena);
    }
    return document_head(document, arena, ret_refusal);
}

Err document_read(const Document *document,
                  const Schema *schema,
                  size_t max,
                  Arena *arena,
                  void *record,
                  Refusal *ret_refusal) {
    TRY(document_check(document, max, arena, ret_refusal));
    if (ret_refusal->code.ptr) return SUCCESS;
    Reason reason = {};
    Err err = schema_read(schema, document->text, DECODE_INPUT, arena, record, &reason);
    if (err.code != ERR_INVALID) return err;
    *ret_refusal = document_refuse(REFUSED_DOCUMENT_INVALID, arena, reason.text);
    return arena_check(arena);
}
