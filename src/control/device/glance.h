// SPDX-License-Identifier: Apache-2.0
/// What needs no reading is answered on the gateway's loop: a message of a device that is settled
/// (control/device/presences.h), with measurements or nothing in it.
///
/// Why not everything goes to a worker: docs/adr/0008-glance.md.
#pragma once

#include "channel/gateway.h"
#include "control/app.h"

/// ChannelHandlers.glance: the device was heard of; answer it if nothing must be read for that. Of
/// measurements the answer goes when they are durable, for a device that is still as it was.
ChannelGlance
glance_take(App *app, ChannelPeer *peer, Str message, Text *reply, ChannelDone done, void *ctx);
