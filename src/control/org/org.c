// SPDX-License-Identifier: Apache-2.0
#include "control/org/org.h"

#include "base/scope.h"
#include "db/tx.h"

enum { OWNERS_MAX = 1'000'000 };

Err org_add(Tx *tx, const Org *org) {
    return tx_create(tx, &Org_schema, org);
}

Err org_find(Tx *tx, Str name, Org *ret_org) {
    Query query = {.limit = 2};
    if (name.ptr) query.where[0] = WHERE(Org, name, IS, name);
    Page page;
    TRY(tx_list(tx, &Org_schema, &query, &page));
    if (page.count == 0) return FAIL(ERR_NOT_FOUND, "no such organisation");
    if (page.count > 1) return FAIL(ERR_INVALID, "there are several organisations");
    *ret_org = *(const Org *)page.items;
    return SUCCESS;
}

Err org_count_owner(Tx *tx, const Id *id, int by) {
    Org org;
    TRY(tx_get(tx, &Org_schema, id_str(id), &org));
    if (by < 0 && org.owner_count <= 1) return FAIL(ERR_STATE, "an organisation needs an owner");
    return tx_add(tx, id_str(id), COUNTER(Org, owner_count), by, 1, OWNERS_MAX);
}

Err org_count(Db *db, Arena *arena, uint64_t *ret_count) {
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open_all(db, arena, &tx));
    return tx_count(tx, &Org_schema, &(Query){}, ret_count);
}
