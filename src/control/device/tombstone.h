// SPDX-License-Identifier: Apache-2.0
/// What stays of a retired device: its key, which is good for nothing from then on.
///
/// The table is of the whole store: a key that one organisation has retired joins no other either.
#pragma once

#include "control/device/device.h"
#include "db/tx.h"

#define TOMBSTONE_REFUSED \
    FAIL(ERR_FORBIDDEN,   \
         "this device was retired: enrol it again with a new key (muster-agent enrol --force)")

/// Collect in the call's Tx that `device` is retired by the caller.
Err tombstone_set(Call *call, const Device *device);
/// ERR_FORBIDDEN (TOMBSTONE_REFUSED): the key is a retired device's.
Err tombstone_check(Tx *tx, Str public_key);
/// The tombstone of a device. ERR_NOT_FOUND: it has none.
Err tombstone_find(Tx *tx, const Id *device_id, Tombstone *ret_tombstone);
