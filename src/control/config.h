// SPDX-License-Identifier: Apache-2.0
/// What an operator of the server may set: the keys of musterd.conf, by one Schema.
#pragma once

#include "base/log.h"
#include "base/schema.h"

/// Who signs the servers' certificates.
typedef enum Authority { AUTHORITY_OWN, AUTHORITY_OF_PUBLIC } Authority;

typedef struct Config {
    Str address;     ///< to listen on
    StrList servers; ///< URLs that devices are told; absent: this one, by its certificate's name
    Authority authority;
    uint64_t port;    ///< of everything
    uint64_t workers; ///< threads of operators' calls; as many for devices
    uint64_t network_threads;
    uint64_t connections_max; ///< at once, beside those of devices
    uint64_t channels_max;    ///< devices connected at once
    uint64_t
        per_address_max;  ///< connections from one address, beside those of devices; 0: no limit
    uint64_t streams_max; ///< of events at once
    uint64_t streams_per_org_max; ///< of them of one organisation
    Duration streams_heartbeat;   ///< how often a stream says that it is there
    Duration heartbeat;           ///< how often a device says something
    Duration audit_keep;          ///< how long audit entries stay; 0: for ever
    Duration events_keep;         ///< how long events stay; 0: for ever
    LogLevel log_level;
} Config;
extern const Schema Config_schema;
