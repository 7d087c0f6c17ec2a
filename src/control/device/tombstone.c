// SPDX-License-Identifier: Apache-2.0
#include "control/device/tombstone.h"

static const char *const reason_texts[] = {"retired", "rotated"};
static const EnumNames TombstoneReason_names = ENUM_NAMES(reason_texts);

static const Field Tombstone_fields[] = {
    FIELD(Tombstone, public_key, KEY | HIDDEN, "the key", .pattern = &Pattern_key32),
    FIELD(Tombstone, device_id, INDEXED | HIDDEN, "whose key it was", .prefix = "device"),
    FIELD(Tombstone, org_id, HIDDEN, "whose device it was", .prefix = "org"),
    FIELD_ENUM(Tombstone, reason, TombstoneReason, INDEXED | HIDDEN, "why it is dead"),
    FIELD(Tombstone, at, HIDDEN, "since when"),
    FIELD(Tombstone, by, HIDDEN, "who did it"),
};
const Schema Tombstone_schema = SCHEMA(Tombstone, "tombstone", "a dead key");

Err tombstone_set(Call *call,
                  const Principal *actor,
                  const Device *device,
                  TombstoneReason reason) {
    Tombstone tombstone = {
        .public_key = device->public_key,
        .device_id = device->id,
        .org_id = device->org_id,
        .reason = reason,
        .at = {call->now_ms},
        .by = actor->name,
    };
    return tx_create(call->tx, &Tombstone_schema, &tombstone);
}

Err tombstone_check(Tx *tx, Str public_key) {
    Tombstone tombstone;
    Err err = tx_get(tx, &Tombstone_schema, public_key, &tombstone);
    if (err.code != OK) return err.code == ERR_NOT_FOUND ? SUCCESS : err;
    return tombstone.reason == TOMBSTONE_RETIRED
               ? FAIL(ERR_FORBIDDEN,
                      "this device was retired: enrol it again with a new key (muster-agent enrol "
                      "--force)")
               : FAIL(ERR_FORBIDDEN,
                      "this key was replaced by its device: enrol with a new key (muster-agent "
                      "enrol --force)");
}

Err tombstone_expect_none(Tx *tx, Str public_key) {
    return tx_expect_absent(tx, WHERE(Tombstone, public_key, IS, public_key));
}

Err tombstone_find(Tx *tx, const Id *device_id, Tombstone *ret_tombstone) {
    Query query = {
        .where = {WHERE(Tombstone, device_id, IS, device_id),
                  WHERE(Tombstone, reason, IS, TOMBSTONE_RETIRED)},
    };
    return tx_find(tx, &query, ret_tombstone);
}
