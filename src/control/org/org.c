// SPDX-License-Identifier: Apache-2.0
#include "control/org/org.h"

#include "base/scope.h"
#include "db/tx.h"

Err org_add(Tx *tx, const Org *org) {
    return tx_create(tx, &Org_schema, org);
}

Err org_find(Tx *tx, Str name, Org *ret_org) {
    Query query = {.limit = 2};
    if (name.ptr) query.where[0] = WHERE_STR("name", name);
    Org *orgs;
    size_t count;
    TRY(tx_list(tx, &Org_schema, &query, (void **)&orgs, &count));
    if (count == 0) return FAIL(ERR_NOT_FOUND, "no such organisation");
    if (count > 1) return FAIL(ERR_INVALID, "there are several organisations");
    *ret_org = orgs[0];
    return SUCCESS;
}

Err org_count(Db *db, Arena *arena, uint64_t *ret_count) {
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open(db, arena, (Str){}, &tx));
    return tx_count(tx, &Org_schema, &(Query){}, ret_count);
}
