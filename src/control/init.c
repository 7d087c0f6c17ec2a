// SPDX-License-Identifier: Apache-2.0
#include "control/init.h"

#include "base/jws.h"
#include "base/scope.h"
#include "control/audit/audit.h"
#include "control/operator/operator.h"
#include "db/tx.h"

enum { PASSWORD_BYTES = 15, NAME_MAX_BYTES = 63 };

static bool is_name(Str text) {
    return text.len >= 1 && text.len <= NAME_MAX_BYTES && Pattern_slug.matches(text);
}

Err org_make(Db *db,
             Str org_name,
             Str owner_name,
             uint64_t now_ms,
             Arena *arena,
             Credentials *ret_credentials) {
    if (!is_name(org_name)) return FAIL(ERR_INVALID, "--org must be a slug, like acme or acme-2");
    if (!is_name(owner_name)) return FAIL(ERR_INVALID, "--owner must be a slug, like owner or ada");
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(db, arena, (Str){}, &tx));
    Org org = {.id = id_new(S("org"), now_ms), .rev = 1, .name = org_name, .created_at = {now_ms}};
    Operator owner = {.id = id_new(S("operator"), now_ms),
                      .org_id = org.id,
                      .rev = 1,
                      .name = owner_name,
                      .role = ROLE_OWNER,
                      .created_at = {now_ms}};
    Str password = secret_make(arena, PASSWORD_BYTES);
    TRY(arena_check(arena));
    TRY(password_hash(password, arena, &owner.password_hash));
    TRY(tx_create(tx, &Org_schema, &org));
    TRY(tx_create(tx, &Operator_schema, &owner));
    Call call = {
        .arena = arena,
        .now_ms = now_ms,
        .tx = tx,
        .principal = {.scope = org.id, .name = S("system")}
    };
    TRY(audit_record(&call, "org.create", id_str(&org.id), &Org_schema, &org));
    TRY(audit_record(&call, "operator.create", id_str(&owner.id), &Operator_schema, &owner));
    Err err = tx_commit(tx);
    if (err.code == ERR_EXISTS)
        return FAIL(ERR_EXISTS, "an organisation of that name is there already");
    TRY(err);
    *ret_credentials = (Credentials){org_name, owner_name, password};
    return SUCCESS;
}

Err org_count(Db *db, Arena *arena, uint64_t *ret_count) {
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(db, arena, (Str){}, &tx));
    return tx_count(tx, &Org_schema, &(Query){.limit = 1}, ret_count);
}
