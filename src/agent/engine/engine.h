// SPDX-License-Identifier: Apache-2.0
/// The Docker Engine API, as far as the agent needs it, over the engine's unix socket.
///
/// Blocking calls for one thread. What the engine says is decoded by Schemas whose members are
/// named as Docker names them, because a Schema's field is called like its member; unknown fields
/// are skipped. When the engine refuses, the Reason is its words; when it cannot be reached, that
/// of http1_exchange.
#pragma once

#include "agent/engine/labels.h"

typedef struct Engine Engine;

enum {
    /// Of this device, looked at: all services of all applications, each beside its predecessor.
    ENGINE_CONTAINERS_MAX = 2 * 16 * 100,
    ENGINE_NETWORKS_MAX = 256,
};

/// What the engine is.
typedef struct EngineVersion {
    Str Version;
    Str ApiVersion;
    Str MinAPIVersion;
} EngineVersion;
extern const Schema EngineVersion_schema;

/// Inspection of a container; members as Docker names them.
typedef struct EngineHealth {
    Str Status; ///< "none", "starting", "healthy", "unhealthy"
} EngineHealth;
typedef struct EngineState {
    Str Status; ///< "created", "running", "paused", "restarting", "removing", "exited", "dead"
    int64_t ExitCode;
    Str Error; ///< why it could not be started
    Str StartedAt;
    EngineHealth Health;
} EngineState;
typedef struct EngineConfig {
    Str Image; ///< as it was asked for
    StrMap Labels;
} EngineConfig;
typedef struct EngineMount {
    Str Type; ///< "volume", "bind"
    Str Name; ///< of a volume
    Str Source;
    bool RW;
} EngineMount;
typedef struct EngineMountList {
    EngineMount *items;
    size_t count;
} EngineMountList;
typedef struct EnginePort {
    uint64_t PublicPort; ///< 0: not published
    Str Type;            ///< "tcp", "udp"
} EnginePort;
typedef struct EnginePortList {
    EnginePort *items;
    size_t count;
} EnginePortList;
typedef struct EngineContainer {
    Str Id;
    Str Name; ///< with a slash in front
    EngineState State;
    EngineConfig Config;
    EngineMountList Mounts;
    EnginePortList Ports; ///< published now; empty unless it runs
} EngineContainer;
extern const Schema EngineContainer_schema;
typedef struct EngineContainerList {
    EngineContainer *items;
    size_t count;
} EngineContainerList;

/// A network; members as Docker names them.
typedef struct EngineNetwork {
    Str Id;
    Str Name;
    StrMap Labels;
} EngineNetwork;
extern const Schema EngineNetwork_schema;
typedef struct EngineNetworkList {
    EngineNetwork *items;
    size_t count;
} EngineNetworkList;

/// A client of the engine that listens on the unix socket `path`. Does not connect yet.
/// `cancel_fd`: readable ends engine_pull and engine_wait at once; -1: none.
Err engine_open(const char *path, int cancel_fd, Engine **ret_engine);
/// NULL-safe; returns NULL.
Engine *engine_close(Engine *engine);

/// All calls below. ERR_UNAVAILABLE, ERR_TIMEOUT: the engine cannot be reached. ERR_NOT_FOUND,
/// ERR_CONFLICT: as HTTP has them. ERR_STATE: the engine could not do it. ERR_INVALID: it refused
/// the request, or its answer makes no sense. ERR_LIMIT: too large.

/// Ask who it is and agree on a version of the API. The other calls do it by themselves.
Err engine_version(Engine *engine, Arena *arena, EngineVersion *ret_version, Reason *reason);
/// Every container that is managed and of this device, inspected, at most ENGINE_CONTAINERS_MAX.
Err engine_containers(
    Engine *engine, Str device_id, Arena *arena, EngineContainerList *ret_list, Reason *reason);
/// Create a container called `name`; `body` is the request's JSON.
Err engine_container_create(Engine *engine, Str name, Str body, Reason *reason);
/// Start it; OK if it runs already.
Err engine_container_start(Engine *engine, Str id, Reason *reason);
/// Ask it to end, kill it after 10 s; OK if it does not run.
Err engine_container_stop(Engine *engine, Str id, Reason *reason);
/// Stop and start.
Err engine_container_restart(Engine *engine, Str id, Reason *reason);
/// Remove it and its anonymous volumes; OK if it is gone already.
Err engine_container_remove(Engine *engine, Str id, Reason *reason);
/// The image "repository@sha256:..." is there.
Err engine_image_find(Engine *engine, Str image, bool *ret_is_here, Reason *reason);
/// The entrypoint of an image that is there, in `arena`; empty: it has none.
Err engine_image_entrypoint(
    Engine *engine, Str image, Arena *arena, StrList *ret_entrypoint, Reason *reason);
/// Fetch the image, as long as there is progress. ERR_TIMEOUT also: cancelled.
Err engine_pull(Engine *engine, Str image, Reason *reason);
/// Make the bridge network `name` for an application unless it is there. ERR_CONFLICT also: the
/// name is of something that is not the application's.
Err engine_network_ensure(Engine *engine, Str name, const LabelsOwner *owner, Reason *reason);
/// Every network that is managed and of this device, at most ENGINE_NETWORKS_MAX.
Err engine_networks(
    Engine *engine, Str device_id, Arena *arena, EngineNetworkList *ret_list, Reason *reason);
/// Remove a network; OK if it is gone already. ERR_STATE, ERR_INVALID: somebody still uses it.
Err engine_network_remove(Engine *engine, Str id, Reason *reason);
/// The volume `name` is the application's, or not there. ERR_CONFLICT also: it is somebody else's.
Err engine_volume_check(Engine *engine, Str name, const LabelsOwner *owner, Reason *reason);
/// Wait until something happens to a container of this device after `since_ms` (the wall clock's
/// Unix ms), for at most `within_ms`. OK: something did, or the time is over, or it was cancelled.
Err engine_wait(
    Engine *engine, Str device_id, uint64_t since_ms, uint64_t within_ms, Reason *reason);
