// SPDX-License-Identifier: Apache-2.0
#include "control/device/tombstone.h"

static const Field Tombstone_fields[] = {
    FIELD(Tombstone, public_key, KEY | HIDDEN, "the key", .pattern = &Pattern_key32),
    FIELD(Tombstone, device_id, UNIQUE | HIDDEN, "whose key it was", .prefix = "device"),
    FIELD(Tombstone, org_id, HIDDEN, "whose device it was", .prefix = "org"),
    FIELD(Tombstone, at, HIDDEN, "when the device was retired"),
    FIELD(Tombstone, by, HIDDEN, "who retired it"),
};
const Schema Tombstone_schema = SCHEMA(Tombstone, "tombstone", "the key of a retired device");

Err tombstone_set(Call *call, const Device *device) {
    Tombstone tombstone = {
        .public_key = device->public_key,
        .device_id = device->id,
        .org_id = device->org_id,
        .at = {call->now_ms},
        .by = call->principal.name,
    };
    return tx_create(call->tx, &Tombstone_schema, &tombstone);
}

Err tombstone_check(Tx *tx, Str public_key) {
    Tombstone tombstone;
    Err err = tx_get(tx, &Tombstone_schema, public_key, &tombstone);
    if (err.code == OK) return TOMBSTONE_REFUSED;
    return err.code == ERR_NOT_FOUND ? SUCCESS : err;
}

Err tombstone_find(Tx *tx, const Id *device_id, Tombstone *ret_tombstone) {
    Query query = {.where = {WHERE_STR("device_id", id_str(device_id))}, .limit = 1};
    return tx_find(tx, &Tombstone_schema, &query, ret_tombstone);
}
