// SPDX-License-Identifier: Apache-2.0
#include "control/operator/operator.h"

#include "control/operator/login_gate.h"

#include <sodium.h>

enum { ARGON2_PASSES = 2, ARGON2_BYTES = 19 * 1024 * 1024 };

static const Field Session_fields[] = {
    FIELD(Session, id, KEY | HIDDEN, "id of the session", .prefix = "session"),
    FIELD(Session, org_id, SCOPE | HIDDEN, "organisation", .prefix = "org"),
    FIELD(Session, rev, REV | HIDDEN, "revision"),
    FIELD(Session, operator_id, INDEXED | HIDDEN, "who signed in", .prefix = "operator"),
    FIELD(Session, refresh_sha256, UNIQUE | GLOBAL | HIDDEN, "hash of the good refresh token"),
    FIELD(Session, used_sha256, INDEXED | HIDDEN, "hash of the one before"),
    FIELD(Session, expires_at, INDEXED | HIDDEN, "end of the session"),
    FIELD(Session, address, HIDDEN, "where it was used from last", .max = LOGIN_ADDRESS_MAX),
};
const Schema Session_schema = SCHEMA(Session, "session", "one sign-in");

Err operator_get(Tx *tx, const Id *id, Operator *ret_operator) {
    return tx_get(tx, &Operator_schema, id_str(id), ret_operator);
}

Err operator_add(Tx *tx, const Operator *operator) {
    return tx_create(tx, &Operator_schema, operator);
}

Err password_hash(Str password, Arena *arena, Str *ret_hash) {
    char hash[crypto_pwhash_STRBYTES];
    if (crypto_pwhash_str(hash, password.ptr, password.len, ARGON2_PASSES, ARGON2_BYTES) != 0)
        return FAIL(ERR_MEMORY, "no memory to hash a password");
    Str copy = str_dup(arena, str_from(hash));
    TRY(arena_check(arena));
    *ret_hash = copy;
    return SUCCESS;
}

bool password_matches(Str hash, Str password) {
    char text[crypto_pwhash_STRBYTES] = {}; // libsodium reads NUL-terminated text
    if (hash.len >= sizeof(text)) return false;
    for (size_t i = 0; i < hash.len; i++)
        text[i] = hash.ptr[i];
    return crypto_pwhash_str_verify(text, password.ptr, password.len) == 0;
}
