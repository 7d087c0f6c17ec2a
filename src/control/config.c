// SPDX-License-Identifier: Apache-2.0
#include "control/config.h"

#include "wire/agent.h"

static const char *const level_texts[] = {"debug", "info", "warn", "error"};
static const EnumNames LogLevel_names = ENUM_NAMES(level_texts);

static const char *const authority_texts[] = {"own", "public"};
static const EnumNames Authority_names = ENUM_NAMES(authority_texts);

static bool config_is_url(Str text) {
    Str host = {};
    if (str_starts(text, S("https://"))) host = str_slice(text, 8, text.len);
    if (str_starts(text, S("http://"))) host = str_slice(text, 7, text.len);
    return host.len > 0 && Pattern_line.matches(host) && str_index(host, ' ', 0) == host.len
           && str_index(host, '/', 0) == host.len;
}

static const Pattern Pattern_url = {
    .name = "url",
    .regex = "^https?://[^/ \\u0000-\\u001f\\u007f]+$",
    .allowed = "https://HOST[:PORT]",
    .matches = config_is_url,
};

static const Field Config_fields[] = {
    FIELD(Config, address, 0, "address to listen on", .fallback = "0.0.0.0", .max = 45),
    FIELD(Config,
          servers,
          0,
          "URLs by which devices reach this installation, in the order in which they are tried; "
          "without it, this server by the first name of its certificate",
          .max = SERVERS_MAX,
          .item_max = URL_MAX,
          .pattern = &Pattern_url),
    FIELD_ENUM(Config,
               authority,
               Authority,
               0,
               "who signs the servers' certificates: the authority in the data folder, or a "
               "publicly trusted one",
               .fallback = "own"),
    FIELD(Config,
          port,
          0,
          "port of the API, and of devices",
          .fallback = "7443",
          .min = 1,
          .max = 65535),
    FIELD(Config,
          workers,
          0,
          "threads that run operators' calls, and as many for devices",
          .fallback = "4",
          .min = 1,
          .max = 64),
    FIELD(Config,
          network_threads,
          0,
          "threads that move bytes",
          .fallback = "1",
          .min = 1,
          .max = 16),
    FIELD(Config,
          connections_max,
          0,
          "connections at once, beside those of devices",
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
    FIELD(
        Config,
        per_address_max,
        0,
        "connections from one address, or /64 of IPv6, beside those of devices that have said who "
        "they are; 0: no limit",
        .fallback = "1024",
        .max = 1'000'000),
    FIELD(Config,
          streams_max,
          0,
          "streams of events at once, beside other connections",
          .fallback = "1024",
          .max = 65536),
    FIELD(Config,
          streams_per_org_max,
          0,
          "streams of events of one organisation",
          .fallback = "256",
          .max = 65536),
    FIELD(Config,
          streams_heartbeat,
          0,
          "how often a stream of events says something, though there is nothing new",
          .fallback = "15s",
          .min = 1000,
          .max = 3'600'000),
    FIELD(Config,
          heartbeat,
          0,
          "how often a device says something",
          .fallback = "30s",
          .min = 1000,
          .max = 86'400'000),
    FIELD(Config,
          audit_keep,
          0,
          "how long the entries of the audit log stay; 0s: for ever",
          .fallback = "0s"),
    FIELD(Config,
          events_keep,
          0,
          "how long the journal's events stay; 0s: for ever",
          .fallback = "30d"),
    FIELD_ENUM(Config, log_level, LogLevel, 0, "least level that is logged", .fallback = "info"),
};
const Schema Config_schema = SCHEMA(Config, "config", "settings of musterd");
