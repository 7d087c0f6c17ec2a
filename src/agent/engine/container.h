// SPDX-License-Identifier: Apache-2.0
/// A service as a container of the engine: what is asked of the engine, and what is read back.
///
/// Every container has labels that say whose it is and what it was made from; by them alone it is
/// recognised later. Services meet on one private network, by their names.
#pragma once

#include "agent/engine/engine.h"
#include "agent/workload/workload.h"

#define CONTAINER_NETWORK "muster"
#define LABEL_DEVICE "io.muster.device"
#define LABEL_SERVICE "io.muster.service"
#define LABEL_RELEASE "io.muster.release"
#define LABEL_CONFIG "io.muster.config"

enum { CONTAINER_BODY_MAX = 512 * 1024, CONTAINER_NAME_MAX = SERVICE_NAME_MAX + 32 };

/// Append the body of the request that creates the container for `service`. `config`: its hash.
/// ERR_LIMIT: arena exhausted, or `out` too small.
Err container_body(const Service *service,
                   Str config,
                   const Id *device_id,
                   const Id *release_id,
                   Arena *arena,
                   Text *out);
/// The containers of this device among `list`; texts are borrowed from it. ERR_LIMIT: arena
/// exhausted.
Err container_seen(const EngineContainerList *list,
                   Str device_id,
                   Arena *arena,
                   SeenList *ret_seen);
