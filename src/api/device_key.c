// SPDX-License-Identifier: Apache-2.0
#include "api/device_key.h"

static const Field device_rows[] = {
    FIELD_AT(Device, id, "id", 0, "its id", .prefix = "device"),
    FIELD_AT(Device, name, "name", 0, "its name"),
    FIELD_AT(Device, fleet_id, "fleet", 0, "its fleet, by id or name", .prefix = "fleet"),
    FIELD_AT(Device, fleet_name, "fleet", COMPUTED, "its fleet, by id or name"),
    FIELD_ENUM_AT(Device, presence, "status", Presence, COMPUTED, "the same as presence"),
    FIELD_ENUM_AT(Device, presence, "presence", Presence, COMPUTED, "when it was last heard of"),
    FIELD_ENUM_AT(
        Device, state, "state", WorkloadState, COMPUTED, "how far it is with what it should run"),
    FIELD_AT(Device,
             reported_release_id,
             "release",
             COMPUTED,
             "what it says it runs, by id or application@version",
             .prefix = "release"),
    FIELD_AT(Device,
             reported_release_ref,
             "release",
             COMPUTED,
             "what it says it runs, by id or application@version"),
    FIELD_AT(Device, last_seen_at, "seen", COMPUTED, "how long ago its last word is"),
    FIELD_AT(Device, created_at, "created", 0, "how long ago it was enrolled"),
    FIELD_AT(Device, agent_version, "agent", 0, "version of its agent"),
    FIELD_AT(Device, facts.architecture, "arch", 0, "x86_64, aarch64, ..."),
    FIELD_AT(Device, facts.cpus, "cpus", 0, "how many CPUs it has"),
    FIELD_AT(Device, facts.engine_version, "engine", 0, "version of its container engine"),
    FIELD_AT(Device, facts.hostname, "hostname", 0, "its host name"),
    FIELD_AT(Device, facts.kernel, "kernel", 0, "version of its kernel"),
    FIELD_AT(Device, facts.memory_bytes, "memory", 0, "bytes of memory it has"),
    FIELD_AT(Device, facts.os, "os", 0, "its operating system, as it calls itself"),
    FIELD_AT(Device, facts.serial_number, "serial", 0, "serial number of the machine"),
    FIELD_AT(Device, labels, "labels", 0, "its labels"),
};
const SelectorKeys Device_keys = SELECTOR_KEYS(device_rows);
