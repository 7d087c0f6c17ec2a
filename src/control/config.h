// SPDX-License-Identifier: Apache-2.0
/// What an operator of the server may set: the keys of musterd.conf, by one Schema.
#pragma once

#include "base/log.h"
#include "base/schema.h"

typedef struct Config {
    Str address;           ///< to listen on
    uint64_t port;         ///< REST API and console
    uint64_t channel_port; ///< device channel
    uint64_t workers;      ///< threads that run calls
    uint64_t network_threads;
    uint64_t connections_max; ///< REST connections
    uint64_t channels_max;    ///< devices connected at once
    Duration heartbeat;       ///< how often a device says something
    LogLevel log_level;
} Config;
extern const Schema Config_schema;
