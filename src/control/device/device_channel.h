// SPDX-License-Identifier: Apache-2.0
/// Devices on their channels: the handlers of the gateway.
#pragma once

#include "channel/gateway.h"
#include "control/app.h"

/// Handlers for GatewayOptions; `app` is the App.
extern const ChannelHandlers device_channel_handlers;
