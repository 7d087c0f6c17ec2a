// SPDX-License-Identifier: Apache-2.0
/// What a device says again and again, and what it is told in return.
#pragma once

#include "control/device/device.h"

/// How a device speaks to us.
typedef enum SyncBy { SYNC_BY_CHANNEL, SYNC_BY_POLL } SyncBy;
/// One exchange with a device: collect in `tx` what it says, answer what it should have. Nothing is
/// collected where it says no news on its channel. `stored`: the device's row; `device`: the same,
/// with what is to be changed. The caller commits before it sends the answer.
Err heartbeat_sync(const App *app,
                   Tx *tx,
                   Arena *arena,
                   const Device *stored,
                   Device *device,
                   const SyncUp *up,
                   SyncBy by,
                   uint64_t now_ms,
                   SyncDown *ret_down);
