// SPDX-License-Identifier: Apache-2.0
#include "base/id.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

/// UUIDv7: 48 bits of Unix milliseconds, version, 12 + 62 random bits.
static void id_uuid_fill(uint64_t now_ms, uint8_t ret_uuid[16]) {
    ssize_t got = getrandom(ret_uuid, 16, 0);
    assert(got == 16); // up to 256 bytes never fail once the pool is seeded
    for (size_t i = 0; i < 6; i++)
        ret_uuid[i] = (uint8_t)(now_ms >> (40 - 8 * i));
    ret_uuid[6] = (uint8_t)(0x70 | (ret_uuid[6] & 0x0f));
    ret_uuid[8] = (uint8_t)(0x80 | (ret_uuid[8] & 0x3f));
}

Id id_new(Str prefix, uint64_t now_ms) {
    assert(prefix.len >= 1 && prefix.len <= ID_PREFIX_MAX);
    uint8_t uuid[16];
    id_uuid_fill(now_ms, uuid);
    unsigned __int128 bits = 0;
    for (size_t i = 0; i < sizeof(uuid); i++)
        bits = bits << 8 | uuid[i];
    Id id = {};
    memcpy(id.text, prefix.ptr, prefix.len);
    id.text[prefix.len] = '_';
    for (size_t i = ID_SUFFIX_LEN; i-- > 0; bits >>= 5)
        id.text[prefix.len + 1 + i] = alphabet[bits & 31];
    return id;
}

/// The character is one of the alphabet.
static bool id_is_digit(char c) {
    return (c >= '0' && c <= '9')
           || (c >= 'a' && c <= 'z' && c != 'i' && c != 'l' && c != 'o' && c != 'u');
}

Err id_parse(Str text, Str prefix, Id *ret_id) {
    const Err bad = FAIL(ERR_INVALID, "an id is not of the form noun_26-characters");
    if (text.len < 2 + ID_SUFFIX_LEN || text.len > ID_TEXT_MAX) return bad;
    size_t prefix_len = text.len - ID_SUFFIX_LEN - 1;
    if (text.ptr[prefix_len] != '_') return bad;
    for (size_t i = 0; i < prefix_len; i++)
        if (text.ptr[i] < 'a' || text.ptr[i] > 'z') return bad;
    for (size_t i = prefix_len + 1; i < text.len; i++)
        if (!id_is_digit(text.ptr[i])) return bad;
    if (text.ptr[prefix_len + 1] > '7') return bad; // 26 characters hold 130 bits; 128 are used
    if (prefix.ptr && !str_eq(str_slice(text, 0, prefix_len), prefix))
        return FAIL(ERR_INVALID, "an id names another kind of thing");
    Id id = {};
    memcpy(id.text, text.ptr, text.len);
    *ret_id = id;
    return SUCCESS;
}

Str id_str(const Id *id) {
    return id->text[0] ? str_from(id->text) : (Str){};
}

bool id_eq(const Id *a, const Id *b) {
    return strcmp(a->text, b->text) == 0;
}

bool id_is_absent(const Id *id) {
    return id->text[0] == '\0';
}
