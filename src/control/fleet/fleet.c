// SPDX-License-Identifier: Apache-2.0
#include "control/fleet/fleet.h"

#include "db/tx.h"

uint64_t fleet_next_generation(uint64_t previous, uint64_t now_ms) {
    return now_ms > previous ? now_ms : previous + 1;
}

Err fleet_get(Tx *tx, const Id *id, Fleet *ret_fleet) {
    return tx_get(tx, &Fleet_schema, id_str(id), ret_fleet);
}

Err fleet_expect(Tx *tx, const Id *id) {
    Fleet fleet;
    TRY(fleet_get(tx, id, &fleet));
    return tx_expect(tx, &Fleet_schema, &fleet);
}
