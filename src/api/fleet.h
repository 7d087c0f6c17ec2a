// SPDX-License-Identifier: Apache-2.0
/// Fleets: devices that run the same release.
#pragma once

#include "api/page.h"
#include "base/endpoint.h"

/// Devices that run the same release.
typedef struct Fleet {
    Id id;
    Id org_id;
    uint64_t rev;
    Str name;
    Id release_id;       ///< what its devices should run; absent: nothing
    Str release_ref;     ///< for the reply: its application@version
    uint64_t generation; ///< grows with each deploy; ms of a hybrid clock; 0 = never deployed
    uint64_t assigned_generation; ///< the greatest that a device came to it with; 0 = none did
    uint64_t serial;              ///< how often it was deployed to
    uint64_t device_count;        ///< of those that are in it now
    Time created_at;
} Fleet;
extern const Schema Fleet_schema;

/// Ship a release to a fleet.
typedef struct DeployInput {
    Id release_id;
} DeployInput;
extern const Schema DeployInput_schema;

/// Which fleets a list has.
typedef struct FleetQuery {
    PageQuery page;
    Str name;
} FleetQuery;
extern const Schema FleetQuery_schema;

extern const Endpoint Fleet_list, Fleet_show, Fleet_create, Fleet_update, Fleet_delete;
extern const Endpoint Fleet_deploy;
