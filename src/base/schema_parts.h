// SPDX-License-Identifier: Apache-2.0
/// What the schema_*.c files share; nobody else includes it.
///
/// Each conversion (from JSON, from text, to JSON, to a column, to OpenAPI, ...) is one file with
/// one table of functions, indexed by FieldKind. Here is what more than one of them needs.
#pragma once

#include "base/field.h"

#include <jansson.h>

/// Any KIND_RECORDS member.
typedef struct Records {
    void *items;
    size_t count;
} Records;

/// A place in a document, linked towards its root; it becomes a JSON pointer only in a fault.
typedef struct Path {
    const struct Path *parent;
    Str name; ///< absent: `index` counts
    size_t index;
} Path;

/// One decoding under way.
typedef struct Decoder {
    DecodeMode mode;
    Arena *arena;
    Faults *faults;
} Decoder;

/// The last instant that RFC 3339 can write: 9999-12-31T23:59:59.999Z.
#define TIME_MAX_MS UINT64_C(253402300799999)

/// The size of the member.
size_t field_size(const Field *field);

/// Add the fault "must be PREFIX and what the field allows" at `path`.
void decoder_refuse(Decoder *decoder, const Path *path, const Field *field, const char *prefix);
/// The same for an item of a text list or a value of a map (`is_key`: a key of it).
void decoder_refuse_item(Decoder *decoder, const Path *path, const Field *field, bool is_key);
/// Add a fault at `path`.
__attribute__((format(printf, 3, 4))) void
decoder_fault(Decoder *decoder, const Path *path, const char *format, ...);

/// The input comes from a stranger or a peer, so bounds, patterns, counts and REQUIRED are checked.
bool decoder_is_strict(const Decoder *decoder);
/// The writer may be newer: what it knows and we do not is taken as unknown.
bool decoder_is_lenient(const Decoder *decoder);
/// Set a scalar from its text, as in JSON strings, pairs and fallbacks. False: not allowed; the
/// member is untouched. True with a failed arena: the member is absent.
bool field_parse(const Decoder *decoder, const Field *field, Str text, void *member);
/// The kind is a scalar: field_parse can set it.
bool field_is_scalar(const Field *field);
/// Set a number if it is within the bounds (checked for strangers).
bool field_set_u64(const Decoder *decoder, const Field *field, uint64_t value, void *member);
bool field_set_i64(const Decoder *decoder, const Field *field, int64_t value, void *member);
bool field_set_double(const Decoder *decoder, const Field *field, double value, void *member);
/// A list item or map value, or a map key, is allowed.
bool field_item_fits(const Decoder *decoder, const Field *field, Str item);
bool field_key_fits(const Decoder *decoder, const Field *field, Str key);
/// Check the number of items of a list or map; a fault at `path` if it is not allowed.
bool field_count_fits(Decoder *decoder, const Path *path, const Field *field, size_t count);

/// Set a member from JSON.
void field_decode(
    Decoder *decoder, const Path *path, const Field *field, json_t *json, void *member);
/// What happens to a field that was not given: its fallback, or a fault if it is REQUIRED.
void field_missing(Decoder *decoder, const Path *path, const Field *field, void *member);

/// Parse a whole document of any type, no deeper than JSON_DEPTH_MAX and without repeated keys;
/// the caller owns the tree. ERR_INVALID: a fault for the whole document tells where and why.
/// ERR_MEMORY.
Err json_read(Str json, Faults *faults, json_t **ret_json);
/// Append a tree without blanks; keys in their order, or `sorted` by their bytes.
void json_write(json_t *json, bool sorted, Text *out);
/// Append the shortest JSON number that reads back as `value`; null unless finite.
void json_write_double(double value, Text *out);
/// Drop the reference; for SCOPED.
void json_drop(json_t **json);
