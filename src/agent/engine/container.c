// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/container.h"

#include <stdio.h>
#include <string.h>

/// The request's records; members as Docker names them.
typedef struct VolumeOptions {
    StrMap Labels;
} VolumeOptions;
typedef struct Mount {
    Str Type;
    Str Source;
    Str Target;
    bool ReadOnly;
    VolumeOptions VolumeOptions;
} Mount;
typedef struct MountList {
    Mount *items;
    size_t count;
} MountList;
typedef struct RestartPolicy {
    Str Name;
} RestartPolicy;
typedef struct LogConfig {
    Str Type;
    StrMap Config;
} LogConfig;
typedef struct HostConfig {
    MountList Mounts;
    Json PortBindings;
    RestartPolicy RestartPolicy;
    Str NetworkMode;
    LogConfig LogConfig;
} HostConfig;
typedef struct Check {
    StrList Test;
    uint64_t Interval; ///< nanoseconds, like the others
    uint64_t Timeout;
    uint64_t StartPeriod;
    uint64_t Retries;
} Check;
typedef struct Body {
    Str Image;
    StrList Entrypoint;
    StrList Cmd;
    StrList Env;
    StrMap Labels;
    Json ExposedPorts;
    Check Healthcheck;
    HostConfig HostConfig;
    Json NetworkingConfig;
} Body;
typedef struct PublishedPort {
    Str HostIp;
    Str HostPort;
} PublishedPort;

static const Field VolumeOptions_fields[] = {FIELD(VolumeOptions, Labels, 0, "of the volume")};
static const Schema VolumeOptions_schema = SCHEMA(VolumeOptions, "volume_options", "of a mount");
static const Field Mount_fields[] = {
    FIELD(Mount, Type, REQUIRED, "volume or bind"),
    FIELD(Mount, Source, REQUIRED, "of the device"),
    FIELD(Mount, Target, REQUIRED, "in the container"),
    FIELD(Mount, ReadOnly, 0, "not to be written"),
    FIELD_RECORD(Mount, VolumeOptions, VolumeOptions, 0, "of a volume"),
};
static const Schema Mount_schema = SCHEMA(Mount, "mount", "storage");
static const Field RestartPolicy_fields[] = {FIELD(RestartPolicy, Name, REQUIRED, "of the policy")};
static const Schema RestartPolicy_schema = SCHEMA(RestartPolicy, "restart_policy", "when it ends");
static const Field LogConfig_fields[] = {
    FIELD(LogConfig, Type, REQUIRED, "driver"),
    FIELD(LogConfig, Config, 0, "its options"),
};
static const Schema LogConfig_schema = SCHEMA(LogConfig, "log_config", "where output goes");
static const Field HostConfig_fields[] = {
    FIELD_LIST(HostConfig, Mounts, Mount, 0, "storage"),
    FIELD(HostConfig, PortBindings, 0, "published ports"),
    FIELD_RECORD(HostConfig, RestartPolicy, RestartPolicy, 0, "when it ends"),
    FIELD(HostConfig, NetworkMode, 0, "network"),
    FIELD_RECORD(HostConfig, LogConfig, LogConfig, 0, "where output goes"),
};
static const Schema HostConfig_schema = SCHEMA(HostConfig, "host_config", "of the device");
static const Field Check_fields[] = {
    FIELD(Check, Test, 0, "what to run"),
    FIELD(Check, Interval, 0, "between two runs"),
    FIELD(Check, Timeout, 0, "of one run"),
    FIELD(Check, StartPeriod, 0, "grace at first"),
    FIELD(Check, Retries, 0, "failures in a row"),
};
static const Schema Check_schema = SCHEMA(Check, "check", "health check");
static const Field Body_fields[] = {
    FIELD(Body, Image, REQUIRED, "what to run"),
    FIELD(Body, Entrypoint, 0, "instead of the image's"),
    FIELD(Body, Cmd, 0, "instead of the image's"),
    FIELD(Body, Env, 0, "NAME=value"),
    FIELD(Body, Labels, 0, "labels"),
    FIELD(Body, ExposedPorts, 0, "ports of the container"),
    FIELD_RECORD(Body, Healthcheck, Check, 0, "health check"),
    FIELD_RECORD(Body, HostConfig, HostConfig, 0, "of the device"),
    FIELD(Body, NetworkingConfig, 0, "networks"),
};
static const Schema Body_schema = SCHEMA(Body, "body", "a container to create");
static const Field PublishedPort_fields[] = {
    FIELD(PublishedPort, HostIp, 0, "address of the device"),
    FIELD(PublishedPort, HostPort, 0, "port of the device"),
};
static const Schema PublishedPort_schema = SCHEMA(PublishedPort, "binding", "a published port");

static StrMap container_map_of(const StrPair *pairs, size_t count, Arena *arena) {
    StrPair *copy = ARENA_ARRAY(arena, StrPair, count);
    if (!copy) return (StrMap){};
    memcpy(copy, pairs, count * sizeof(*pairs));
    return (StrMap){copy, count};
}

static StrList container_environment_of(const Service *service, Arena *arena) {
    if (service->environment.count == 0) return (StrList){}; // the image's own stay in any case
    StrList list = {ARENA_ARRAY(arena, Str, service->environment.count),
                    service->environment.count};
    if (!list.items) return (StrList){};
    for (size_t i = 0; i < list.count; i++) {
        const StrPair *pair = &service->environment.items[i];
        list.items[i] = str_print(arena, "%.*s=%.*s", STR_FMT(pair->key), STR_FMT(pair->value));
    }
    return list;
}

static Mount container_mount_of(const Volume *volume, const LabelsOwner *owner, Arena *arena) {
    Mount mount = {.Target = volume->target, .ReadOnly = volume->read_only};
    if (str_starts(volume->source, S("/"))) {
        mount.Type = S("bind");
        mount.Source = volume->source;
    } else {
        mount.Type = S("volume");
        mount.Source = container_volume(owner->application, volume->source, arena);
        mount.VolumeOptions.Labels = labels_make(owner, NULL, 0, arena);
    }
    return mount;
}

static MountList
container_mounts_of(const Service *service, const LabelsOwner *owner, Arena *arena) {
    if (service->volumes.count == 0) return (MountList){};
    MountList list = {ARENA_ARRAY(arena, Mount, service->volumes.count), service->volumes.count};
    if (!list.items) return (MountList){};
    for (size_t i = 0; i < list.count; i++)
        list.items[i] = container_mount_of(&service->volumes.items[i], owner, arena);
    return list;
}

static bool container_same_inside(const Port *a, const Port *b) {
    return a->container == b->container && a->protocol == b->protocol;
}

/// Docker's map "80/tcp" -> bindings, whose keys are data, so no Schema describes it as a whole.
static void container_port_map(const PortList *ports, bool with_bindings, Text *out) {
    text_add_char(out, '{');
    size_t written = 0;
    for (size_t i = 0; i < ports->count; i++) {
        const Port *port = &ports->items[i];
        size_t first = 0;
        while (!container_same_inside(&ports->items[first], port))
            first++;
        if (first < i) continue; // its bindings are with the first
        if (written++) text_add_char(out, ',');
        text_print(out,
                   "\"%llu/%s\":",
                   (unsigned long long)port->container,
                   port->protocol == PORT_UDP ? "udp" : "tcp");
        if (!with_bindings) {
            text_add(out, S("{}"));
            continue;
        }
        for (size_t j = i; j < ports->count; j++) {
            if (!container_same_inside(&ports->items[j], port)) continue;
            char number[8];
            snprintf(number, sizeof(number), "%u", (unsigned)ports->items[j].host & 0xffff);
            PublishedPort binding = {ports->items[j].address, str_from(number)};
            text_add_char(out, j == i ? '[' : ',');
            schema_encode(&PublishedPort_schema, &binding, ENCODE_REQUEST, out);
        }
        text_add_char(out, ']');
    }
    text_add_char(out, '}');
}

static Json container_port_json(const PortList *ports, bool with_bindings, Arena *arena) {
    Text text;
    text_init(&text, CONTAINER_BODY_MAX);
    container_port_map(ports, with_bindings, &text);
    Json json = {str_dup(arena, text_str(&text))};
    text_done(&text);
    return json;
}

static Check container_check_of(const Healthcheck *check) {
    const uint64_t ns = 1'000'000; // a millisecond
    return (Check){
        .Test = check->test,
        .Interval = check->interval.ms * ns,
        .Timeout = check->timeout.ms * ns,
        .StartPeriod = check->start_period.ms * ns,
        .Retries = check->retries,
    };
}

/// Exec form is what CMD introduces; a test of the image itself has no words.
static StrList container_test_of(const StrList *test, Arena *arena) {
    if (test->count == 0 || str_eq(test->items[0], S("CMD-SHELL"))
        || str_eq(test->items[0], S("CMD")) || str_eq(test->items[0], S("NONE")))
        return *test;
    StrList list = {ARENA_ARRAY(arena, Str, test->count + 1), test->count + 1};
    if (!list.items) return (StrList){};
    list.items[0] = S("CMD");
    memcpy(list.items + 1, test->items, test->count * sizeof(Str));
    return list;
}

static Str container_restart_name(Restart restart) {
    static const Str names[] = {
        [RESTART_ALWAYS] = S("always"),
        [RESTART_UNLESS_STOPPED] = S("unless-stopped"),
        [RESTART_ON_FAILURE] = S("on-failure"),
        [RESTART_NO] = S("no"),
    };
    return names[restart];
}

Str container_name(const ContainerPlan *plan, Arena *arena) {
    return str_print(arena,
                     "%.*s.%.*s.%.*s",
                     STR_FMT(plan->owner.application),
                     STR_FMT(plan->service->name),
                     STR_FMT(str_slice(plan->config, 0, 6)));
}

Str container_network(Str application, Arena *arena) {
    return str_print(arena, "%.*s_default", STR_FMT(application));
}

Str container_volume(Str application, Str volume, Arena *arena) {
    return str_print(arena, "%.*s_%.*s", STR_FMT(application), STR_FMT(volume));
}

bool container_clears_command(const Service *service) {
    return service->command.items && service->command.count == 0;
}

static StrMap container_labels(const ContainerPlan *plan, Arena *arena) {
    const StrPair more[] = {
        {S(LABEL_SERVICE), plan->service->name},
        {S(LABEL_RELEASE), plan->release_id   },
        {S(LABEL_CONFIG),  plan->config       },
    };
    return labels_make(&plan->owner, more, sizeof(more) / sizeof(more[0]), arena);
}

/// Names of networks and services need no escape, by their patterns.
static Json container_endpoints(Str network, Str alias, Arena *arena) {
    return (Json){str_print(arena,
                            "{\"EndpointsConfig\":{\"%.*s\":{\"Aliases\":[\"%.*s\"]}}}",
                            STR_FMT(network),
                            STR_FMT(alias))};
}

Err container_body(const ContainerPlan *plan, Arena *arena, Text *out) {
    const Service *service = plan->service;
    // Bounded, so that no output ever fills the device's disk.
    const StrPair logs[] = {
        {S("max-size"), S("10m")},
        {S("max-file"), S("3")  }
    };
    Str network = container_network(plan->owner.application, arena);
    HostConfig host = {
        .Mounts = container_mounts_of(service, &plan->owner, arena),
        .PortBindings = container_port_json(&service->ports, true, arena),
        .RestartPolicy = {container_restart_name(service->restart)},
        .NetworkMode = network,
        .LogConfig = { S("json-file"), container_map_of(logs, 2, arena)},
    };
    Body body = {
        .Image = service->image,
        .Entrypoint = plan->entrypoint.items ? plan->entrypoint : service->entrypoint,
        .Cmd = service->command,
        .Env = container_environment_of(service, arena),
        .Labels = container_labels(plan, arena),
        .ExposedPorts = container_port_json(&service->ports, false, arena),
        .Healthcheck = container_check_of(&service->healthcheck),
        .HostConfig = host,
        .NetworkingConfig = container_endpoints(network, service->name, arena),
    };
    body.Healthcheck.Test = container_test_of(&service->healthcheck.test, arena);
    TRY(arena_check(arena));
    schema_encode(&Body_schema, &body, ENCODE_REQUEST, out);
    return text_check(out);
}
