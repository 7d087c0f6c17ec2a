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
static const char *const presences[] = {"never", "online", "late", "offline"};
const EnumNames Presence_names = ENUM_NAMES(presences);

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

static const Field Device_fields[] = {
    FIELD(Device, id, KEY | READ_ONLY | LISTED, "id of the device", .prefix = "device"),
    FIELD(Device, org_id, SCOPE | READ_ONLY, "organisation", .prefix = "org"),
    FIELD(Device, rev, REV | READ_ONLY, "revision"),
    FIELD(Device, fleet_id, INDEXED, "its fleet", .prefix = "fleet"),
    FIELD(
        Device, name, REQUIRED | UNIQUE | LISTED, "its name", .pattern = &Pattern_slug, .max = 63),
    FIELD(Device, labels, 0, "for grouping", .max = 32, .item_max = 255, .pattern = &Pattern_label),
    FIELD(Device,
          public_key,
          READ_ONLY | UNIQUE | GLOBAL,
          "Ed25519 key, its identity",
          .pattern = &Pattern_key32),
    FIELD_RECORD(Device, facts, Facts, READ_ONLY, "what it is"),
    FIELD(Device, assigned_version, HIDDEN, "least desired version"),
    FIELD(Device, created_at, READ_ONLY, "when it was enrolled"),
    FIELD_ENUM(Device, presence, Presence, COMPUTED | LISTED, "when it was last heard of"),
    FIELD(Device, last_seen_at, COMPUTED | LISTED, "its last word"),
    FIELD(Device, desired_release_id, COMPUTED, "what it should run", .prefix = "release"),
    FIELD(Device, desired_version, COMPUTED, "version of the desired state"),
    FIELD(Device,
          reported_release_id,
          COMPUTED | LISTED,
          "what it says it runs",
          .prefix = "release"),
    FIELD(Device, reported_version, COMPUTED, "version of the desired state it is at"),
    FIELD_ENUM(Device, state, WorkloadState, COMPUTED | LISTED, "how far it is"),
    FIELD(Device, detail, COMPUTED, "why", .max = 1024),
    FIELD_LIST(Device, services, ServiceStatus, COMPUTED, "its services"),
};
const Schema Device_schema = SCHEMA(Device, "device", "one machine that Muster manages");
