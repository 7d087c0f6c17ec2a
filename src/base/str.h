// SPDX-License-Identifier: Apache-2.0
/// Borrowed text: a pointer and a length, passed by value everywhere inside.
///
/// A `Str` owns nothing and need not end in NUL. `{}` is "absent"; `S("")` is "present, empty".
/// NUL-terminated text exists only in the function that makes the system or library call.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Arena Arena;

typedef struct Str {
    const char *ptr; ///< NULL = absent
    size_t len;
} Str;

/// Borrowed bytes; `{}` is absent. In JSON: base64 (RFC 4648 section 4, padded).
typedef struct Bytes {
    const uint8_t *ptr;
    size_t len;
} Bytes;

/// A list of texts.
typedef struct StrList {
    Str *items;
    size_t count;
} StrList;

/// One entry of a map of text to text.
typedef struct StrPair {
    Str key;
    Str value;
} StrPair;

/// A map of text to text, in the order of its source; keys are unique.
typedef struct StrMap {
    StrPair *items;
    size_t count;
} StrMap;

/// The `Str` of a string literal.
#define S(literal) ((Str){"" literal, sizeof(literal) - 1})
/// The two arguments of a "%.*s".
#define STR_FMT(str) (int)(str).len, (str).ptr ? (str).ptr : ""
/// A host as it stands before ":PORT", an IPv6 address within brackets (RFC 3986, section 3.2.2):
/// the directives, and the arguments of a `Str` for them.
#define HOST_SPEC "%s%.*s%s"
#define HOST_FMT(host)                                              \
    str_index(host, ':', 0) < (host).len ? "[" : "", STR_FMT(host), \
        str_index(host, ':', 0) < (host).len ? "]" : ""

/// The `Str` of a NUL-terminated text, borrowed; NULL becomes absent.
Str str_from(const char *text);
/// Byte equality; absent equals empty.
bool str_eq(Str a, Str b);
/// memcmp order, shorter first on a tie: <0, 0, >0.
int str_cmp(Str a, Str b);
/// `text` begins with `prefix`.
bool str_starts(Str text, Str prefix);
/// `text` ends with `suffix`.
bool str_ends(Str text, Str suffix);
/// Bytes `from..to` of `text`, both clamped to its length.
Str str_slice(Str text, size_t from, size_t to);
/// Position of the first `c` at or after `from`; `text.len` if there is none.
size_t str_index(Str text, char c, size_t from);
/// A cursor: the text before the next `separator` in `*rest`, which moves behind it; at the end
/// `*rest` becomes absent. False once `*rest` was absent.
bool str_cut(Str *rest, char separator, Str *ret_part);
/// `text` without leading and trailing spaces, tabs, CR and LF.
Str str_trim(Str text);
/// Decimal digits only, no sign, no blank. ERR_INVALID: anything else, or over 2^64-1.
Err str_u64(Str text, uint64_t *ret_value);
/// A copy in `arena` with a NUL behind it, so `.ptr` may go to a library; absent stays absent.
/// When the arena is exhausted the copy is absent and arena_failed() says so.
Str str_dup(Arena *arena, Str text);
/// printf into `arena`, NUL-terminated. Absent when the arena is exhausted.
__attribute__((format(printf, 2, 3))) Str str_print(Arena *arena, const char *format, ...);
/// The value of `key` in `map`; absent when it is not there.
Str str_map_find(StrMap map, Str key);
/// FNV-1a of the bytes, for tables. Not for anything that an attacker gains by steering.
uint64_t str_hash(Str text);
/// Length of the well-formed UTF-8 sequence at `at` < text.len (RFC 3629 section 4); 0 if there is
/// none.
size_t str_utf8_len(Str text, size_t at);
/// The text is UTF-8 and has no NUL.
bool str_is_text(Str text);
