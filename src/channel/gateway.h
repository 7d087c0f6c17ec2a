// SPDX-License-Identifier: Apache-2.0
/// Holds many clients' channels: one WebSocket (RFC 6455) over TLS each.
///
/// One libevent loop per thread, connections spread over them. In it: accept, TLS, one upgrade
/// request, frames, timers, and nothing of the domain: authorisation and messages are jobs on the
/// worker pool (io/worker.h), one at a time per channel and in order; while one is under way no
/// more is read from that channel. Limits: connections, handshake time, header size, message size,
/// message rate, silence. Text messages only; a binary one ends the channel (1003).
#pragma once

#include "base/id.h"
#include "base/text.h"

typedef struct Gateway Gateway;
typedef struct WorkerPool WorkerPool;

/// Names one connection for ever: after it closed the number is not used again. 0 = none.
typedef uint64_t ChannelId;

/// What the owner does about channels. All run on worker threads; `app` is GatewayOptions.app.
typedef struct ChannelHandlers {
    /// Somebody asks for a channel with this bearer token. OK accepts: `*ret_subject` says who it
    /// is. ERR_UNAUTHENTICATED, ERR_FORBIDDEN, ERR_BUSY refuse with 401, 403, 503. Not yet open:
    /// nothing can be sent before `opened`.
    Err (*authorise)(void *app, Str bearer, Str remote_address, Id *ret_subject);
    /// The upgrade was answered; messages may be sent from now on.
    void (*opened)(void *app, ChannelId channel, const Id *subject);
    /// A text message (valid UTF-8). What is left in `reply` goes back, if anything. An error ends
    /// the channel with 1008 (ERR_INVALID, ...) or 1011.
    Err (*message)(void *app, ChannelId channel, const Id *subject, Str message, Text *reply);
    /// The channel is gone; called once for each `opened`, after every `message` of it.
    void (*closed)(void *app, ChannelId channel, const Id *subject);
} ChannelHandlers;

typedef struct GatewayOptions {
    const char *address; ///< to listen on: "0.0.0.0", "::", "127.0.0.1"
    uint16_t port;       ///< 0: any free one, see gateway_port
    const char *cert_path;
    const char *key_path; ///< PEM chain and key; both NULL: plain TCP (behind a balancer, tests)
    const char *path;     ///< of the upgrade request: "/v1/agent/channel"
    uint32_t threads;     ///< 1..16
    uint32_t connections_max;
    uint32_t message_max_bytes;
    uint32_t messages_per_minute_max; ///< of one channel, on average; a burst of as many is allowed
    uint64_t handshake_ms;            ///< from accept to upgrade
    uint64_t silence_ms;              ///< without any frame: a ping at half of it, closed after it
    ChannelHandlers handlers;
    void *app;
} GatewayOptions;

typedef struct GatewayStats {
    uint64_t open;     ///< channels open now
    uint64_t accepted; ///< connections since start
    uint64_t refused;  ///< before an upgrade, for any reason
    uint64_t resumed;  ///< TLS sessions resumed from a ticket
} GatewayStats;

/// Listen and serve on threads of its own. `workers` must outlive the gateway.
/// ERR_SYSTEM: the address cannot be bound. ERR_INVALID: certificate or key. The Reason names the
/// address or the file.
Err gateway_open(const GatewayOptions *options,
                 WorkerPool *workers,
                 Gateway **ret_gateway,
                 Reason *reason);
/// The port it listens on.
uint16_t gateway_port(const Gateway *gateway);
/// Queue a text message to a channel. Thread-safe; never blocks. Dropped if the channel is gone; a
/// channel that has more than 4 messages' worth of bytes unsent is closed (it does not read).
void gateway_send(Gateway *gateway, ChannelId channel, Str message);
/// End a channel with a WebSocket status code and a short reason. Thread-safe.
void gateway_drop(Gateway *gateway, ChannelId channel, uint16_t status, Str reason);
/// Counters, roughly of this moment. Thread-safe.
GatewayStats gateway_stats(const Gateway *gateway);
/// Stop listening, end every channel with 1001 (going away), wait for their jobs, stop the threads.
/// NULL-safe; returns NULL.
Gateway *gateway_close(Gateway *gateway);
