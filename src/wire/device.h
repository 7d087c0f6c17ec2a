// SPDX-License-Identifier: Apache-2.0
/// Devices: what they say of themselves.
#pragma once

#include "wire/document.h"

enum {
    DEVICE_NAME_MAX = 63,
    SERVICE_STATUSES_MAX = 100,
    APPLICATION_REPORTS_MAX = 16,
    NOTES_MAX = 8
};

/// `text`, a host name for one, made to fit what devices are named (Pattern_slug, at most
/// DEVICE_NAME_MAX): lower case, a hyphen for what may not be, a letter or digit at both ends. In
/// `arena`; absent: nothing of it fits.
Str device_name_fit(Str text, Arena *arena);

/// When a device says that something was: its clock may be wrong, so the boot and the time since
/// it stand beside it (docs/protocol.md, section 6).
typedef struct Stamp {
    Time time;   ///< by the device's clock
    Str boot_id; ///< random for each boot
    uint64_t uptime_ms;
} Stamp;
extern const Schema Stamp_schema;

/// What a device is; sent when it changes.
typedef struct Facts {
    Str hostname;
    Str os; ///< PRETTY_NAME of os-release
    Str kernel;
    Str architecture; ///< "x86_64", "aarch64"
    uint64_t cpus;
    uint64_t memory_bytes;
    Str engine_version; ///< container engine; absent: none found
    Str serial_number;  ///< of the machine, as its maker gave it
    bool is_present;    ///< it was said, though there may be nothing in it
} Facts;
extern const Schema Facts_schema;

typedef enum ContainerState {
    CONTAINER_MISSING, ///< not there (yet)
    CONTAINER_CREATED,
    CONTAINER_RUNNING,
    CONTAINER_RESTARTING,
    CONTAINER_EXITED,
    CONTAINER_UNKNOWN, ///< a word of a newer device
} ContainerState;
extern const EnumNames ContainerState_names;

typedef enum Health {
    HEALTH_NONE, ///< it has no health check
    HEALTH_STARTING,
    HEALTH_HEALTHY,
    HEALTH_UNHEALTHY,
    HEALTH_UNKNOWN, ///< a word of a newer device
} Health;
extern const EnumNames Health_names; ///< a newer agent's: starting, so never taken for healthy

/// One service as it runs on a device.
typedef struct ServiceStatus {
    Str name;
    Str image;
    Str container_id;
    ContainerState state;
    Health health;
    int64_t exit_code;
} ServiceStatus;
extern const Schema ServiceStatus_schema;
typedef struct ServiceStatusList {
    ServiceStatus *items;
    size_t count;
} ServiceStatusList;

/// How far a device is with its desired state.
typedef enum WorkloadState {
    WORKLOAD_NONE,     ///< it was told to run nothing yet
    WORKLOAD_PULLING,  ///< fetching images; the old containers run
    WORKLOAD_STARTING, ///< containers are being replaced, or are not yet healthy
    WORKLOAD_RUNNING,  ///< all services run, and are healthy where they have a check
    WORKLOAD_DEGRADED, ///< was running; a service is down or unhealthy
    WORKLOAD_FAILED,   ///< cannot get there; `detail` says why; keeps trying
    WORKLOAD_UNKNOWN,  ///< a word of a newer device
} WorkloadState;
extern const EnumNames WorkloadState_names;

/// A device's account of one application. `release_id`: of the release that it is about.
typedef struct ApplicationReport {
    Str name;
    uint64_t serial;
    Id release_id;
    WorkloadState state;
    Str detail;      ///< the reason, for an operator
    Refusal refusal; ///< why it is not acted on, or has failed
    ServiceStatusList services;
} ApplicationReport;
extern const Schema ApplicationReport_schema;
typedef struct ApplicationReportList {
    ApplicationReport *items;
    size_t count;
} ApplicationReportList;

/// A device's account of what it runs. `generation`: of the desired state that it is about, 0 while
/// there is none.
typedef struct Reported {
    uint64_t generation;
    WorkloadState state; ///< the worst of its applications'
    Str detail;
    StrList notes; ///< about the device itself: a file that was set aside, say
    ApplicationReportList applications;
    bool is_present; ///< it was said, though there may be nothing in it
} Reported;
extern const Schema Reported_schema;

/// Latest measurements.
typedef struct Telemetry {
    Id device_id;       ///< set by the server
    Id org_id;          ///< set by the server
    Time at;            ///< set by the server
    double cpu_percent; ///< of all CPUs, since the last one
    double load1;
    uint64_t memory_used_bytes;
    uint64_t memory_total_bytes;
    uint64_t disk_used_bytes; ///< of the filesystem with the agent's state
    uint64_t disk_total_bytes;
    uint64_t uptime_s;
    uint64_t containers; ///< running, of ours
    bool is_present;     ///< it was said, though there may be nothing in it
} Telemetry;
extern const Schema Telemetry_schema;
