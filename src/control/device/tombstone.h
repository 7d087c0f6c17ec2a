// SPDX-License-Identifier: Apache-2.0
/// What stays of a key that is good for nothing any more: its device was retired, or has replaced
/// it.
///
/// The table is of the whole store: a key that one organisation has retired joins no other either.
#pragma once

#include "control/device/device.h"
#include "db/tx.h"

/// Collect in the call's Tx that the key of `device` is dead by the act of `actor`.
Err tombstone_set(Call *call, const Principal *actor, const Device *device, TombstoneReason reason);
/// The device, of whatever organisation, that has this key. ERR_NOT_FOUND: nobody has or had it.
/// ERR_FORBIDDEN: the key is dead; the text says what to do.
Err tombstone_key_owner(Tx *tx, Str public_key, Device *ret_device);
/// Require in `tx` that the key is still alive when it commits. ERR_EXISTS there: it is dead.
Err tombstone_expect_none(Tx *tx, Str public_key);
/// The tombstone of a retired device. ERR_NOT_FOUND: it has none.
Err tombstone_find(Tx *tx, const Id *device_id, Tombstone *ret_tombstone);
