// SPDX-License-Identifier: Apache-2.0
/// One message of a device on its channel, and its answer.
#pragma once

#include "channel/gateway.h"
#include "control/app.h"
#include "control/device/challenge.h"

enum { CONNECTION_BYTES = sizeof(Id) + sizeof(ChannelId) + BINDING_LEN };

/// The connection in the words of challenge.h: this process, its number here, and its TLS session;
/// borrows `room`.
ChallengeFor
exchange_connection(const App *app, const ChannelPeer *peer, uint8_t room[CONNECTION_BYTES]);
/// ChannelHandlers.message: judge the message, keep what it says, and answer when that is durable.
/// What lost a race is judged again. Runs on a worker.
void exchange_run(
    App *app, ChannelPeer *peer, Str message, Text *reply, ChannelDone done, void *ctx);
/// End a channel by a refusal, as if its hello was refused now. Thread-safe.
void exchange_refuse(App *app, ChannelId channel, const Refusal *refusal);
