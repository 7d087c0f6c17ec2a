// SPDX-License-Identifier: Apache-2.0
/// Names of things: a typed prefix and a UUIDv7, as TypeID writes them.
///
/// "device_01jdfq3t5hefbv1nq5a3x4k2zr": the noun, an underscore, and the 128 bits of a UUIDv7
/// (RFC 9562 section 5.7) in 26 characters of Crockford's base32, lower case (TypeID 0.3.0). They
/// are made by us, sort by creation time, and are safe in URLs, file names and DNS labels' cousins.
#pragma once

#include "base/str.h"

enum {
    ID_PREFIX_MAX = 12,
    ID_SUFFIX_LEN = 26,
    ID_TEXT_MAX = ID_PREFIX_MAX + 1 + ID_SUFFIX_LEN,
};

/// An id by value; all zero is "absent".
typedef struct Id {
    char text[ID_TEXT_MAX + 1]; ///< NUL-terminated
} Id;

/// A new id of the noun `prefix` (1..ID_PREFIX_MAX lower-case letters). `now_ms`: Unix time.
Id id_new(Str prefix, uint64_t now_ms);
/// The id in `text`. ERR_INVALID: not an id, or (with `prefix` present) not one of that noun.
Err id_parse(Str text, Str prefix, Id *ret_id);
/// The text of `id`, borrowed from it; absent for the absent id.
Str id_str(const Id *id);
/// Same id; two absent ids are equal.
bool id_eq(const Id *a, const Id *b);
/// The id is absent.
bool id_is_absent(const Id *id);
