// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include "base/arena.h"

#include <sodium.h>

static int base64_variant(Base64Form form) {
    return form == BASE64 ? sodium_base64_VARIANT_ORIGINAL
                          : sodium_base64_VARIANT_URLSAFE_NO_PADDING;
}

Str base64_encode(Arena *arena, Bytes data, Base64Form form) {
    size_t size = sodium_base64_encoded_len(data.len, base64_variant(form));
    char *text = ARENA_ARRAY(arena, char, size);
    if (!text) return (Str){};
    sodium_bin2base64(text, size, data.ptr, data.len, base64_variant(form));
    return (Str){text, size - 1};
}

/// libsodium 1.0.18 takes a byte above 0x7f for a digit where char is signed.
static bool base64_is_ascii(Str text) {
    for (size_t i = 0; i < text.len; i++)
        if ((uint8_t)text.ptr[i] > 0x7f) return false;
    return true;
}

Err base64_decode(Str text, Base64Form form, uint8_t *ret_bytes, size_t max, size_t *ret_len) {
    size_t len;
    if (!base64_is_ascii(text)
        || sodium_base642bin(
               ret_bytes, max, text.ptr, text.len, NULL, &len, NULL, base64_variant(form))
               != 0)
        return FAIL(ERR_INVALID, "not base64, or too long");
    *ret_len = len;
    return SUCCESS;
}

Err base64_decode_exact(Str text, uint8_t *ret_bytes, size_t len) {
    size_t got;
    if (base64_decode(text, BASE64, ret_bytes, len, &got).code != OK || got != len)
        return FAIL(ERR_INVALID, "base64 of another length, or not base64");
    return SUCCESS;
}
