// SPDX-License-Identifier: Apache-2.0
/// Growing text with a limit given at init.
///
/// Appending never needs a check: the first refusal (limit or malloc) is remembered and everything
/// after it is dropped, so `text_check` once at the end is enough. The bytes always end in NUL.
#pragma once

#include "base/str.h"

typedef struct Text {
    char *ptr; ///< malloc'ed; NULL while empty
    size_t len;
    size_t capacity;
    size_t max;     ///< limit on len
    ErrCode failed; ///< why something was dropped since init or clear; OK: nothing was
} Text;

/// Empty text that may grow to `max` bytes. Allocates nothing yet.
void text_init(Text *text, size_t max);
/// Free the bytes; the text is empty again. Fits SCOPED.
void text_done(Text *text);
/// Keep the memory, drop the contents and a remembered failure.
void text_clear(Text *text);
/// Append bytes.
void text_add(Text *text, Str part);
/// Append one byte.
void text_add_char(Text *text, char c);
/// Append a number in decimal digits.
void text_add_u64(Text *text, uint64_t value);
void text_add_i64(Text *text, int64_t value);
/// Append printf output.
__attribute__((format(printf, 2, 3))) void text_print(Text *text, const char *format, ...);
/// Append a JSON string with its quotes: RFC 8259 section 7, the shortest escapes; bytes that are
/// not UTF-8 become U+FFFD.
void text_add_json(Text *text, Str value);
/// The text so far, borrowed until the next change; empty, never absent.
Str text_str(const Text *text);
/// Whether anything was dropped since init or clear. ERR_LIMIT: over `max`. ERR_MEMORY: malloc
/// refused.
Err text_check(const Text *text);
