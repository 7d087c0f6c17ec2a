// SPDX-License-Identifier: Apache-2.0
/// Devices on their channels: the handlers of the gateway, and what is pushed.
#pragma once

#include "channel/gateway.h"
#include "control/app.h"

/// Handlers for GatewayOptions; `app` is the App.
extern const ChannelHandlers device_channel_handlers;

/// RouterOptions.published: act on what happened in a committed call.
void device_published(void *app, Call *call);
