// SPDX-License-Identifier: Apache-2.0
#include "wire/token_text.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/scope.h"

enum { FINGERPRINT_LEN = 64 };

static const Field TokenText_fields[] = {
    FIELD(TokenText,
          servers,
          REQUIRED,
          "URLs, in the order in which they are tried",
          .min = 1,
          .max = SERVERS_MAX,
          .item_max = URL_MAX),
    FIELD(TokenText, authority, 0, "fingerprint of it, or public", .max = FINGERPRINT_LEN),
    FIELD(TokenText, fleet, REQUIRED, "that is joined", .pattern = &Pattern_slug, .max = 63),
    FIELD(TokenText, secret, REQUIRED, "what the server asks for"),
};
const Schema TokenText_schema = SCHEMA(TokenText, "token_text", "parts of an enrolment token");

static bool token_text_authority_fits(Str authority) {
    if (!authority.ptr || str_eq(authority, S(AUTHORITY_PUBLIC))) return true;
    if (authority.len != FINGERPRINT_LEN) return false;
    for (size_t i = 0; i < authority.len; i++) {
        char c = authority.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    }
    return true;
}

/// The servers are URLs, and whoever is reached by TLS has an authority.
static Err token_text_check(const TokenText *parts, Reason *reason) {
    const Err bad = FAIL(ERR_INVALID, "this is no enrolment token");
    if (!token_text_authority_fits(parts->authority))
        return reason_fail(reason,
                           bad,
                           "/authority: must be " AUTHORITY_PUBLIC " or %d hex digits",
                           FINGERPRINT_LEN);
    for (size_t i = 0; i < parts->servers.count; i++) {
        Str url = parts->servers.items[i];
        bool tls = str_starts(url, S("https://"));
        if (!Pattern_line.matches(url) || (!tls && !str_starts(url, S("http://"))))
            return reason_fail(reason, bad, "/servers/%zu: must be https://HOST[:PORT]", i);
        if (tls && !parts->authority.ptr)
            return reason_fail(reason, bad, "/authority: must be given for https servers");
    }
    return SUCCESS;
}

static Err token_text_decode(Str text, Arena *arena, Str *ret_json) {
    const Err bad = FAIL(ERR_INVALID, "this is no enrolment token");
    if (text.len > TOKEN_TEXT_MAX || !str_starts(text, S(TOKEN_PREFIX))) return bad;
    Str encoded = str_slice(text, sizeof(TOKEN_PREFIX) - 1, text.len);
    uint8_t *bytes = ARENA_ARRAY(arena, uint8_t, encoded.len + 1);
    TRY(arena_check(arena));
    size_t len = 0;
    if (base64_decode(encoded, BASE64URL, bytes, encoded.len, &len).code != OK) return bad;
    *ret_json = (Str){(const char *)bytes, len};
    return SUCCESS;
}

Err token_text_parse(Str text, Arena *arena, TokenText *ret_parts, Reason *reason) {
    Str json;
    Err err = token_text_decode(str_trim(text), arena, &json);
    if (err.code == ERR_INVALID)
        return reason_fail(reason, err, "it looks like " TOKEN_PREFIX "eyJz..., without blanks");
    TRY(err);
    TokenText parts;
    err = schema_read(&TokenText_schema, json, DECODE_PEER, arena, &parts, reason);
    if (err.code == ERR_INVALID) return FAIL(ERR_INVALID, "this is no enrolment token, or a part");
    TRY(err);
    TRY(token_text_check(&parts, reason));
    *ret_parts = parts;
    return SUCCESS;
}

Err token_text_make(const TokenText *parts, Arena *arena, Str *ret_text) {
    SCOPED(text_done) Text json;
    text_init(&json, TOKEN_TEXT_MAX);
    schema_encode(&TokenText_schema, parts, ENCODE_REQUEST, &json);
    TRY(text_check(&json));
    Str encoded = base64_encode(arena, (Bytes){(const uint8_t *)json.ptr, json.len}, BASE64URL);
    Str text = str_print(arena, TOKEN_PREFIX "%.*s", STR_FMT(encoded));
    TRY(arena_check(arena));
    if (text.len > TOKEN_TEXT_MAX) return FAIL(ERR_LIMIT, "the enrolment token is too long");
    *ret_text = text;
    return SUCCESS;
}
