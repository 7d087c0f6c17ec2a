// SPDX-License-Identifier: Apache-2.0
#include "control/config.h"

static const char *const level_texts[] = {"debug", "info", "warn", "error"};
static const EnumNames LogLevel_names = ENUM_NAMES(level_texts);

static const Field Config_fields[] = {
    FIELD(Config, address, 0, "address to listen on", .fallback = "0.0.0.0", .max = 45),
    FIELD(Config, port, 0, "port of the API", .fallback = "7443", .min = 1, .max = 65535),
    FIELD(Config,
          channel_port,
          0,
          "port of the device channel",
          .fallback = "7444",
          .min = 1,
          .max = 65535),
    FIELD(Config, workers, 0, "threads that run calls", .fallback = "4", .min = 1, .max = 64),
    FIELD(Config,
          network_threads,
          0,
          "threads that move bytes, for each port",
          .fallback = "1",
          .min = 1,
          .max = 16),
    FIELD(Config,
          connections_max,
          0,
          "API connections at once",
          .fallback = "512",
          .min = 1,
          .max = 65536),
    FIELD(Config,
          channels_max,
          0,
          "devices connected at once",
          .fallback = "16384",
          .min = 1,
          .max = 1'000'000),
    FIELD(Config,
          heartbeat,
          0,
          "how often a device says something",
          .fallback = "30s",
          .min = 1000,
          .max = 86'400'000),
    FIELD_ENUM(Config, log_level, LogLevel, 0, "least level that is logged", .fallback = "info"),
};
const Schema Config_schema = SCHEMA(Config, "config", "settings of musterd");
