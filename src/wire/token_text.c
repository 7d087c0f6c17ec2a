// SPDX-License-Identifier: Apache-2.0
#include "wire/token_text.h"

Err token_text_parse(Str text, TokenText *ret_parts) {
    const Err bad = FAIL(ERR_INVALID, "an enrolment token looks like muster1.SECRET.FINGERPRINT");
    Str rest = text;
    Str kind, secret, fingerprint;
    if (!str_cut(&rest, '.', &kind) || !str_eq(kind, S("muster1"))) return bad;
    if (!str_cut(&rest, '.', &secret) || secret.len == 0) return bad;
    if (!str_cut(&rest, '.', &fingerprint) || fingerprint.len != 64 || rest.ptr) return bad;
    *ret_parts = (TokenText){secret, fingerprint};
    return SUCCESS;
}

Str token_text_make(const TokenText *parts, Arena *arena) {
    return str_print(
        arena, "muster1.%.*s.%.*s", STR_FMT(parts->secret), STR_FMT(parts->ca_fingerprint));
}
