// SPDX-License-Identifier: Apache-2.0
#include "control/fleet/fleet.h"

#include "db/tx.h"

enum { DEVICES_MAX = 1'000'000'000 };

uint64_t fleet_next_generation(uint64_t previous, uint64_t now_ms) {
    return now_ms > previous ? now_ms : previous + 1;
}

Err fleet_get(Tx *tx, const Id *id, Fleet *ret_fleet) {
    return tx_get(tx, &Fleet_schema, id_str(id), ret_fleet);
}

Err fleet_count(Tx *tx, const Id *id, int by) {
    return tx_add(tx, id_str(id), COUNTER(Fleet, device_count), by, 0, DEVICES_MAX);
}
