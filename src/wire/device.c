// SPDX-License-Identifier: Apache-2.0
#include "wire/device.h"

static const char *const container_states[] = {
    "missing", "created", "running", "restarting", "exited"};
const EnumNames ContainerState_names = ENUM_NAMES(container_states);
static const char *const healths[] = {"none", "starting", "healthy", "unhealthy"};
const EnumNames Health_names = ENUM_NAMES(healths, .unknown = HEALTH_STARTING);
static const char *const workload_states[] = {
    "none", "pulling", "starting", "running", "degraded", "failed"};
const EnumNames WorkloadState_names = ENUM_NAMES(workload_states, .unknown = WORKLOAD_STARTING);

static const Field Facts_fields[] = {
    FIELD(Facts, hostname, 0, "host name", .pattern = &Pattern_line),
    FIELD(Facts, os, 0, "operating system", .pattern = &Pattern_line),
    FIELD(Facts, kernel, 0, "kernel release", .pattern = &Pattern_line),
    FIELD(Facts, architecture, 0, "machine", .pattern = &Pattern_line, .max = 64),
    FIELD(Facts, cpus, 0, "processors"),
    FIELD(Facts, memory_bytes, 0, "memory"),
    FIELD(Facts, agent_version, 0, "version of the agent", .pattern = &Pattern_line, .max = 64),
    FIELD(Facts,
          engine_version,
          0,
          "version of the container engine",
          .pattern = &Pattern_line,
          .max = 64),
};
const Schema Facts_schema = SCHEMA(Facts, "facts", "what a device is");

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

static const Field Reported_fields[] = {
    FIELD(Reported, version, 0, "of the desired state that this is about"),
    FIELD(Reported, release_id, 0, "release of it", .prefix = "release"),
    FIELD_ENUM(Reported, state, WorkloadState, 0, "how far it is"),
    FIELD(Reported, detail, 0, "why", .pattern = &Pattern_line, .max = 1024),
    FIELD_LIST(Reported, services, ServiceStatus, 0, "its services", .max = 64),
};
const Schema Reported_schema = SCHEMA(Reported, "reported", "a device's account of its workload");

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
const Schema Telemetry_schema = SCHEMA(Telemetry, "telemetry", "latest measurements of a device");
