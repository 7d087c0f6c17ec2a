// SPDX-License-Identifier: Apache-2.0
/// Devices: what an operator sees of them.
#pragma once

#include "api/page.h"
#include "base/endpoint.h"
#include "wire/device.h"

typedef enum Presence {
    PRESENCE_NEVER,   ///< enrolled, not heard of yet
    PRESENCE_ONLINE,  ///< its channel is open, or its last word is as recent as it should be
    PRESENCE_LATE,    ///< missed a heartbeat
    PRESENCE_OFFLINE, ///< missed three
    PRESENCE_UNKNOWN, ///< the server has just started, and it has not come back yet
} Presence;
extern const EnumNames Presence_names;

typedef struct Device {
    Id id;
    Id org_id;
    uint64_t rev;
    Id fleet_id;
    Str name;
    StrMap labels;
    Str public_key;  ///< Ed25519, base64; the device's identity
    bool rotate_key; ///< the identity key is to be replaced when it next comes
    uint64_t epoch;  ///< number of its enrolment
    Id token_id;     ///< that it joined with
    Str agent_version;
    StrList abilities; ///< what documents may need of it (wire/document.h)
    Facts facts;
    uint64_t assigned_generation; ///< least generation, so that moving fleets never goes back
    Time created_at;
    // The rest is computed for the reply.
    Presence presence;
    Time last_seen_at;
    Str fleet_name;
    Id desired_release_id;
    Str desired_release_ref; ///< application@version
    uint64_t generation;
    Id reported_release_id; ///< of the first application that it reports
    Str reported_release_ref;
    uint64_t reported_generation;
    WorkloadState state;
    Str detail;
    StrList notes;
    ApplicationReportList applications;
} Device;
extern const Schema Device_schema;

/// Which devices a list has.
typedef struct DeviceQuery {
    PageQuery page;
    Id fleet_id;
    Str name;
    Str selector; ///< by the keys of api/device_key.h
} DeviceQuery;
extern const Schema DeviceQuery_schema;

extern const Endpoint Device_list, Device_show, Device_update, Device_delete, Device_rotate_key;
