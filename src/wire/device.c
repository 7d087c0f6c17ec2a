// SPDX-License-Identifier: Apache-2.0
#include "wire/device.h"

#include "base/arena.h"

static const char *const container_states[] = {
    "missing", "created", "running", "restarting", "exited", "unknown"};
const EnumNames ContainerState_names = ENUM_NAMES(container_states, .unknown = CONTAINER_UNKNOWN);
static const char *const healths[] = {"none", "starting", "healthy", "unhealthy", "unknown"};
const EnumNames Health_names = ENUM_NAMES(healths, .unknown = HEALTH_UNKNOWN);
static const char *const workload_states[] = {
    "none", "pulling", "starting", "running", "degraded", "failed", "unknown"};
const EnumNames WorkloadState_names = ENUM_NAMES(workload_states, .unknown = WORKLOAD_UNKNOWN);

static const Field Stamp_fields[] = {
    FIELD(Stamp, time, 0, "by the device's clock"),
    FIELD(Stamp, boot_id, 0, "random for each boot", .pattern = &Pattern_line, .max = 64),
    FIELD(Stamp, uptime_ms, 0, "since that boot"),
};
const Schema Stamp_schema = SCHEMA(Stamp, "stamp", "when a device says that something was");

static const Field Facts_fields[] = {
    FIELD(Facts, hostname, 0, "host name", .pattern = &Pattern_line),
    FIELD(Facts, os, 0, "operating system", .pattern = &Pattern_line),
    FIELD(Facts, kernel, 0, "kernel release", .pattern = &Pattern_line),
    FIELD(Facts, architecture, 0, "machine", .pattern = &Pattern_line, .max = 64),
    FIELD(Facts, cpus, 0, "processors"),
    FIELD(Facts, memory_bytes, 0, "memory"),
    FIELD(Facts,
          engine_version,
          0,
          "version of the container engine",
          .pattern = &Pattern_line,
          .max = 64),
    FIELD(Facts, serial_number, 0, "as its maker gave it", .pattern = &Pattern_line),
};
const Schema Facts_schema = SCHEMA_PRESENT(Facts, "facts", "what a device is");

static const Field ServiceStatus_fields[] = {
    FIELD(ServiceStatus,
          name,
          REQUIRED | LISTED,
          "service",
          .pattern = &Pattern_dns_label,
          .max = 63),
    FIELD(ServiceStatus, image, LISTED, "what it runs", .pattern = &Pattern_line, .max = 512),
    FIELD(ServiceStatus,
          container_id,
          0,
          "the engine's id of the container",
          .pattern = &Pattern_line,
          .max = 64),
    FIELD_ENUM(ServiceStatus, state, ContainerState, LISTED, "the container"),
    FIELD_ENUM(ServiceStatus, health, Health, LISTED, "result of its health check"),
    FIELD(ServiceStatus, exit_code, 0, "of its last end"),
};
const Schema ServiceStatus_schema =
    SCHEMA(ServiceStatus, "service_status", "one service as it runs on a device");

static const Field ApplicationReport_fields[] = {
    FIELD(ApplicationReport,
          name,
          REQUIRED | LISTED,
          "application",
          .pattern = &Pattern_dns_label,
          .max = 63),
    FIELD(ApplicationReport, serial, 0, "of the deployment that this is about"),
    FIELD(ApplicationReport, release_id, LISTED, "release of it", .prefix = "release"),
    FIELD_ENUM(ApplicationReport, state, WorkloadState, LISTED, "how far it is"),
    FIELD(ApplicationReport, detail, 0, "why", .pattern = &Pattern_line, .max = DETAIL_MAX),
    FIELD_RECORD(ApplicationReport, refusal, Refusal, 0, "why it is not acted on, or has failed"),
    FIELD_LIST(
        ApplicationReport, services, ServiceStatus, 0, "its services", .max = SERVICE_STATUSES_MAX),
};
const Schema ApplicationReport_schema =
    SCHEMA(ApplicationReport, "application_report", "an application as it runs on a device");

static const Field Reported_fields[] = {
    FIELD(Reported, generation, 0, "of the desired state that this is about"),
    FIELD_ENUM(Reported, state, WorkloadState, 0, "the worst of its applications'"),
    FIELD(Reported, detail, 0, "why", .pattern = &Pattern_line, .max = DETAIL_MAX),
    FIELD(Reported,
          notes,
          0,
          "about the device itself",
          .pattern = &Pattern_line,
          .max = NOTES_MAX,
          .item_max = DETAIL_MAX),
    FIELD_LIST(Reported,
               applications,
               ApplicationReport,
               0,
               "its applications",
               .max = APPLICATION_REPORTS_MAX),
};
const Schema Reported_schema =
    SCHEMA_PRESENT(Reported, "reported", "a device's account of its workload");

static const Field Telemetry_fields[] = {
    FIELD(Telemetry, device_id, KEY | READ_ONLY, "device", .prefix = "device"),
    FIELD(Telemetry, org_id, SCOPE | HIDDEN, "organisation", .prefix = "org"),
    FIELD(Telemetry, at, READ_ONLY | LISTED, "when it arrived"),
    FIELD(Telemetry, cpu_percent, LISTED, "of all processors, since the last one"),
    FIELD(Telemetry, load1, LISTED, "load average of a minute"),
    FIELD(Telemetry, memory_used_bytes, LISTED, "memory in use"),
    FIELD(Telemetry, memory_total_bytes, 0, "memory"),
    FIELD(Telemetry, disk_used_bytes, LISTED, "disk in use"),
    FIELD(Telemetry, disk_total_bytes, 0, "disk"),
    FIELD(Telemetry, uptime_s, LISTED, "seconds since boot"),
    FIELD(Telemetry, containers, LISTED, "running containers"),
};
const Schema Telemetry_schema =
    SCHEMA_PRESENT(Telemetry, "telemetry", "latest measurements of a device");

static bool device_name_is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

Str device_name_fit(Str text, Arena *arena) {
    char name[DEVICE_NAME_MAX];
    size_t len = 0;
    for (size_t i = 0; i < text.len && len < DEVICE_NAME_MAX; i++) {
        char c = text.ptr[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        if (((uint8_t)c & 0xC0) == 0x80) continue; // the rest of a character that was replaced
        if (!device_name_is_alnum(c) && c != '-' && c != '.' && c != '_') c = '-';
        if (len > 0 || device_name_is_alnum(c)) name[len++] = c;
    }
    while (len > 0 && !device_name_is_alnum(name[len - 1]))
        len--;
    return len > 0 ? str_dup(arena, (Str){name, len}) : (Str){};
}
