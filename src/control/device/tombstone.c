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

/// ERR_FORBIDDEN: the key is dead; the text says what to do.
static Err tombstone_check(Tx *tx, Str public_key) {
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

/// A key dies in the commit that takes it from its device. The device is read first, so that a key
/// which dies between the two reads does not look like one that nobody had.
Err tombstone_key_owner(Tx *tx, Str public_key, Device *ret_device) {
    Query query = {.where = {WHERE(Device, public_key, IS, public_key)}};
    Device device;
    Err err = tx_find(tx, &query, &device);
    if (err.code != OK && err.code != ERR_NOT_FOUND) return err;
    TRY(tombstone_check(tx, public_key));
    if (err.code == OK) *ret_device = device;
    return err;
}

Err tombstone_find(Tx *tx, const Id *device_id, Tombstone *ret_tombstone) {
    Query query = {
        .where = {WHERE(Tombstone, device_id, IS, device_id),
                  WHERE(Tombstone, reason, IS, TOMBSTONE_RETIRED)},
    };
    return tx_find(tx, &query, ret_tombstone);
}
