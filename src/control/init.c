// SPDX-License-Identifier: Apache-2.0
#include "control/init.h"

#include "base/jws.h"
#include "base/scope.h"
#include "control/audit/audit.h"
#include "control/operator/operator.h"
#include "control/org/org.h"
#include "db/journal.h"

enum { PASSWORD_BYTES = 15, NAME_MAX_BYTES = 63 };

static bool init_is_name(Str text) {
    return text.len >= 1 && text.len <= NAME_MAX_BYTES && Pattern_slug.matches(text);
}

Err org_make(Db *db,
             Str org_name,
             Str owner_name,
             uint64_t now_ms,
             Arena *arena,
             Credentials *ret_credentials) {
    if (!init_is_name(org_name))
        return FAIL(ERR_INVALID, "--org must be a slug, like acme or acme-2");
    if (!init_is_name(owner_name))
        return FAIL(ERR_INVALID, "--owner must be a slug, like owner or ada");
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open_all(db, arena, &tx));
    Org org = {.id = id_new(S("org"), now_ms),
               .rev = 1,
               .name = org_name,
               .owner_count = 1,
               .created_at = {now_ms}};
    Operator owner = {.id = id_new(S("operator"), now_ms),
                      .org_id = org.id,
                      .rev = 1,
                      .name = owner_name,
                      .role = ROLE_OWNER,
                      .created_at = {now_ms}};
    Str password = secret_make(arena, PASSWORD_BYTES);
    TRY(arena_check(arena));
    TRY(password_hash(password, arena, &owner.password_hash));
    TRY(org_add(tx, &org));
    TRY(operator_add(tx, &owner));
    Note note = {.org_id = org.id, .at = {now_ms}, .actor = S("system")};
    note.action = S("org.create");
    note.subject = id_str(&org.id);
    TRY(audit_note(tx, arena, &note, &Org_schema, NULL, &org));
    note.action = S("operator.create");
    note.subject = id_str(&owner.id);
    TRY(audit_note(tx, arena, &note, &Operator_schema, NULL, &owner));
    Err err = tx_commit(tx, NULL);
    if (err.code == ERR_EXISTS)
        return FAIL(ERR_EXISTS, "an organisation of that name is there already");
    TRY(err);
    *ret_credentials = (Credentials){org_name, owner_name, password};
    return SUCCESS;
}
