// SPDX-License-Identifier: Apache-2.0
/// Base64 both ways, strict: one text for each value, and nothing else decodes.
#pragma once

#include "base/str.h"

typedef enum Base64Form {
    BASE64,    ///< RFC 4648 section 4, padded
    BASE64URL, ///< RFC 4648 section 5, without padding
} Base64Form;

/// `data` in this form, in `arena`; absent when it is exhausted.
Str base64_encode(Arena *arena, Bytes data, Base64Form form);
/// The bytes that all of `text` stands for, at most `max`; `ret_bytes` is scratch on failure.
/// ERR_INVALID: not base64 of this form, or longer.
Err base64_decode(Str text, Base64Form form, uint8_t *ret_bytes, size_t max, size_t *ret_len);
/// The `len` bytes that padded `text` stands for. ERR_INVALID: not base64, or another length.
Err base64_decode_exact(Str text, uint8_t *ret_bytes, size_t len);
