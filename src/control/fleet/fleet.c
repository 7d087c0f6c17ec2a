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

uint64_t fleet_newest(const Fleet *fleet) {
    return fleet->generation > fleet->assigned_generation ? fleet->generation
                                                          : fleet->assigned_generation;
}

Err fleet_expect(Tx *tx, const Id *id, Fleet *ret_fleet) {
    Fleet fleet;
    TRY(fleet_get(tx, id, &fleet));
    *ret_fleet = fleet;
    return tx_expect(tx, &Fleet_schema, &fleet);
}

Err fleet_enter(Tx *tx, const Id *id, uint64_t generation) {
    Fleet fleet;
    TRY(fleet_get(tx, id, &fleet));
    if (generation > fleet.assigned_generation) fleet.assigned_generation = generation;
    return tx_update(tx, &Fleet_schema, &fleet);
}
