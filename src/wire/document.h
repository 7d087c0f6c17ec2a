// SPDX-License-Identifier: Apache-2.0
/// Documents: what a device acts on, published once and never encoded again (docs/protocol.md,
/// section 1).
///
/// A manifest, a policy, values or a statement travels as its exact bytes with their digest. It is
/// read strictly, but first for its `format` and the abilities that it `needs`, so that a reader
/// that is too old refuses it by name instead of half understanding it.
#pragma once

#include "base/schema.h"

enum {
    DOCUMENT_FORMAT = 1,     ///< of every kind of document, so far
    DOCUMENT_NEEDS_MAX = 64, ///< abilities that one names
    DOCUMENT_TEXT_MAX = 1024 * 1024,
    DIGEST_LEN = 71,     ///< "sha256:" and 64 hex digits
    ABILITIES_MAX = 128, ///< words of one program
    ABILITY_MAX = 64,
    VERSION_MAX = 64,
    DETAIL_MAX = 1024, ///< bytes of a line for people
};

/// When something that was refused may be tried again.
typedef enum RefusalClass {
    REFUSAL_CLASS_UNKNOWN, ///< a word of a newer peer: treated as REFUSAL_RETRY
    REFUSAL_RETRY,         ///< later, with back-off
    REFUSAL_CHANGE,        ///< only after something changed
    REFUSAL_NEVER,         ///< never, as this device in this enrolment
} RefusalClass;
extern const EnumNames RefusalClass_names;

/// Why something was refused, in words that a program compares (docs/protocol.md, section 6).
/// `code` absent: nothing was refused.
typedef struct Refusal {
    Str code;
    RefusalClass class;
    Str detail;             ///< for people
    uint64_t retry_after_s; ///< with REFUSAL_RETRY: not sooner
} Refusal;
extern const Schema Refusal_schema;

/// The codes that this program says. A peer may say others, which go by their class.
typedef enum RefusalCode {
    REFUSED_BUSY,
    REFUSED_NONCE_OLD,
    REFUSED_PROOF_INVALID,
    REFUSED_BINDING_MISSING,
    REFUSED_DEVICE_UNKNOWN,
    REFUSED_EPOCH_OLD,
    REFUSED_DEVICE_RETIRED,
    REFUSED_DIGEST_MISMATCH,
    REFUSED_FORMAT_UNKNOWN,
    REFUSED_NEEDS_ABILITY,
    REFUSED_DOCUMENT_INVALID,
    REFUSED_TOO_LARGE,
    REFUSED_UNREACHABLE,
    REFUSED_CONTENT_INVALID,
    REFUSED_START_FAILED,
    REFUSED_UNHEALTHY,
    REFUSED_COUNT
} RefusalCode;

/// The refusal of this code, with its class; `detail` is borrowed.
Refusal refusal_make(RefusalCode code, Str detail);
/// `refusal` is of this code.
bool refusal_is(const Refusal *refusal, RefusalCode code);
/// How it is to be treated: its class, and REFUSAL_RETRY where that is unknown.
RefusalClass refusal_class(const Refusal *refusal);

/// Something that a reader of a document must be able to do.
typedef struct Need {
    Str ability;
    Str since; ///< first version of muster-agent that has it
} Need;
extern const Schema Need_schema;
typedef struct NeedList {
    Need *items;
    size_t count;
} NeedList;

/// What every document begins with.
typedef struct DocumentHead {
    uint64_t format;
    NeedList needs;
} DocumentHead;
extern const Schema DocumentHead_schema;

/// A document on its way: exact bytes and their digest. Absent: no text.
typedef struct Document {
    Str digest; ///< "sha256:…" of `text`
    Str text;
} Document;
extern const Schema Document_schema;

/// The abilities of this program, of which only more are ever made.
typedef enum Ability {
    ABILITY_SERVICES,
    ABILITY_CLEAR_COMMAND,
    ABILITY_POLICY,
    ABILITY_COUNT
} Ability;

/// The need for this ability: its word, and the version that brought it. Static texts.
Need ability_need(Ability ability);
/// Every word that this program knows, as hello tells them, in `arena`.
StrList ability_words(Arena *arena);

/// "sha256:" and the hex digits of the hash of `text`, in `arena`; absent when it is exhausted.
Str document_digest(Str text, Arena *arena);
/// The document with this text, which is borrowed. ERR_MEMORY: arena exhausted.
Err document_make(Str text, Arena *arena, Document *ret_document);
/// Judge everything about a document that does not depend on its kind: its length, its digest, its
/// format, the abilities that it needs; `*ret_refusal` is absent if it may be read, else says why
/// not (texts in `arena`). ERR_MEMORY: arena exhausted.
Err document_check(const Document *document, size_t max, Arena *arena, Refusal *ret_refusal);
/// document_check, then read the document strictly as a record of `schema`, whose first fields are
/// those of DocumentHead. ERR_MEMORY: arena exhausted.
Err document_read(const Document *document,
                  const Schema *schema,
                  size_t max,
                  Arena *arena,
                  void *record,
                  Refusal *ret_refusal);

/// A policy of format 1: nothing but a head so far.
typedef struct Policy {
    uint64_t format;
    NeedList needs;
} Policy;
extern const Schema Policy_schema;
enum { POLICY_TEXT_MAX = 16 * 1024 };
