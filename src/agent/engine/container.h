// SPDX-License-Identifier: Apache-2.0
/// A service as a container of the engine: what is asked of the engine, and what is read back.
///
/// Every container has labels that say whose it is and what it was made from; by them alone it is
/// recognised later. The services of an application meet on a network of its own, by their names.
#pragma once

#include "agent/engine/engine.h"
#include "agent/workload/workload.h"

enum {
    CONTAINER_BODY_MAX = 512 * 1024,
    CONTAINER_NAME_MAX = 63 + 1 + SERVICE_NAME_MAX + 1 + 6,
};

/// What a container is made from.
typedef struct ContainerPlan {
    LabelsOwner owner;
    Str release_id;
    const Service *service;
    Str config;         ///< identity of the service: 64 hex digits
    StrList entrypoint; ///< of the image, where the service clears its command; else absent
} ContainerPlan;

/// The container's name, "APP.SERVICE.DIGEST6", in `arena`.
Str container_name(const ContainerPlan *plan, Arena *arena);
/// The name of an application's network, "APP_default", in `arena`.
Str container_network(Str application, Arena *arena);
/// The name of an application's volume on the engine, "APP_NAME", in `arena`.
Str container_volume(Str application, Str volume, Arena *arena);
/// The service clears the command of its image. The engine takes an empty command for none, and
/// clears it only beside an entrypoint: where the service has none, that of the image must be said.
bool container_clears_command(const Service *service);
/// Append the body of the request that creates the container. ERR_MEMORY: arena exhausted.
/// ERR_LIMIT: `out` is too small.
Err container_body(const ContainerPlan *plan, Arena *arena, Text *out);
/// The containers of this device among `list`, by application, texts borrowed from it.
/// `*ret_newer`: the names of those that a newer program made. ERR_MEMORY: arena exhausted.
Err container_seen(const EngineContainerList *list,
                   Str device_id,
                   Arena *arena,
                   SeenList *ret_seen,
                   StrList *ret_newer);
