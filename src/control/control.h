// SPDX-License-Identifier: Apache-2.0
/// Everything that runs between the sockets and the store, without either: the routes of all
/// slices behind one router, and what an App needs in memory. `serve` puts it behind listeners,
/// tests call it directly.
#pragma once

#include "control/app.h"

typedef struct Router Router;

/// Fill in what the slices keep in memory in `app`; config, clock, installation, key, servers and
/// db are the caller's. ERR_MEMORY.
Err control_open(App *app);
/// Free them. Safe on a half-opened App.
void control_close(App *app);
/// The router over every slice's table. `app` must outlive it.
Err control_router(App *app, Router **ret_router);
