// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/engine.h"

static const Field EngineVersion_fields[] = {
    FIELD(EngineVersion, Version, 0, "of the engine"),
    FIELD(EngineVersion, ApiVersion, REQUIRED, "newest it speaks"),
    FIELD(EngineVersion, MinAPIVersion, 0, "oldest it speaks"),
};
const Schema EngineVersion_schema = SCHEMA(EngineVersion, "engine_version", "what the engine is");

static const Field EngineHealth_fields[] = {
    FIELD(EngineHealth, Status, 0, "result of the health check"),
};
static const Schema EngineHealth_schema = SCHEMA(EngineHealth, "engine_health", "health");

static const Field EngineState_fields[] = {
    FIELD(EngineState, Status, REQUIRED, "what it does"),
    FIELD(EngineState, ExitCode, 0, "of its last end"),
    FIELD(EngineState, Error, 0, "why it could not start"),
    FIELD(EngineState, StartedAt, 0, "its last start"),
    FIELD_RECORD(EngineState, Health, EngineHealth, 0, "if it has a check"),
};
static const Schema EngineState_schema = SCHEMA(EngineState, "engine_state", "state");

static const Field EngineConfig_fields[] = {
    FIELD(EngineConfig, Image, 0, "as it was asked for"),
    FIELD(EngineConfig, Labels, 0, "labels"),
};
static const Schema EngineConfig_schema = SCHEMA(EngineConfig, "engine_config", "configuration");

static const Field EngineMount_fields[] = {
    FIELD(EngineMount, Type, 0, "volume or bind"),
    FIELD(EngineMount, Name, 0, "of a volume"),
    FIELD(EngineMount, Source, 0, "path of the host"),
    FIELD(EngineMount, RW, 0, "it may be written"),
};
static const Schema EngineMount_schema = SCHEMA(EngineMount, "engine_mount", "a mount");

static const Field EngineContainer_fields[] = {
    FIELD(EngineContainer, Id, REQUIRED, "of the container"),
    FIELD(EngineContainer, Name, 0, "with a slash in front"),
    FIELD_RECORD(EngineContainer, State, EngineState, REQUIRED, "what it does"),
    FIELD_RECORD(EngineContainer, Config, EngineConfig, REQUIRED, "how it was made"),
    FIELD_LIST(EngineContainer, Mounts, EngineMount, 0, "storage"),
};
const Schema EngineContainer_schema =
    SCHEMA(EngineContainer, "engine_container", "a container as the engine shows it");

static const Field EngineNetwork_fields[] = {
    FIELD(EngineNetwork, Id, 0, "of the network"),
    FIELD(EngineNetwork, Name, 0, "of the network"),
    FIELD(EngineNetwork, Labels, 0, "labels"),
};
const Schema EngineNetwork_schema = SCHEMA(EngineNetwork, "engine_network", "a network");
