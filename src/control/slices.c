// SPDX-License-Identifier: Apache-2.0
// The one list of slices. meson.build reads the folders from these includes.
#include "control/slice.h"

#include "control/audit/audit.h"
#include "control/device/device.h"
#include "control/event/event.h"
#include "control/fleet/fleet.h"
#include "control/operator/operator.h"
#include "control/org/org.h"
#include "control/release/release.h"
#include "control/telemetry/telemetry.h"
#include "control/token/token.h"

#include <assert.h>

const Slice *const slices[] = {
    &audit_slice,
    &device_slice,
    &event_slice,
    &fleet_slice,
    &operator_slice,
    &org_slice,
    &release_slice,
    &telemetry_slice,
    &token_slice,
};
const size_t slice_count = sizeof(slices) / sizeof(slices[0]);

size_t slices_stored(const Schema *ret_schemas[SLICE_SCHEMAS_MAX]) {
    size_t count = 0;
    for (size_t i = 0; i < slice_count; i++) {
        for (size_t j = 0; j < slices[i]->stored_count; j++) {
            assert(count < SLICE_SCHEMAS_MAX);
            ret_schemas[count++] = slices[i]->stored[j];
        }
    }
    return count;
}

bool slice_note_is(const Note *note, const Endpoint *endpoint) {
    Str rest = note->action;
    Str noun;
    return str_cut(&rest, '.', &noun) && str_eq(noun, str_from(endpoint->noun))
           && str_eq(rest, str_from(endpoint->verb));
}
