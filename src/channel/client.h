// SPDX-License-Identifier: Apache-2.0
/// The calling end of a channel: one WebSocket (RFC 6455) over TLS on a libevent loop.
///
/// Single-threaded: every function and every handler runs on the loop's thread. Many clients may
/// share one loop (a simulation does). Reconnecting is the owner's business: a client is one
/// connection, closed once.
#pragma once

#include "base/str.h"
#include "io/tls.h"

typedef struct ChannelClient ChannelClient;
struct event_base;

typedef struct ChannelClientHandlers {
    /// Both ends agreed. What the server says first, if anything, comes as the first message.
    void (*opened)(void *app);
    void (*message)(void *app, Str message);
    /// The connection is over, or never came about. Called exactly once, unless the owner closed
    /// it. ERR_UNAUTHENTICATED: the certificate is not good. ERR_BUSY: a close with 1013.
    /// ERR_TIMEOUT: silence, or no handshake in time. A refusal is what its status means
    /// (err_from_http_status). ERR_UNAVAILABLE: the rest. `status`: of the close frame that the
    /// server sent, 0 = none. `retry_after_s`: what the server asked for, 0 = nothing. `said`: the
    /// peer's address, and what the system or the TLS library says. The owner may close the client
    /// in it.
    void (*closed)(void *app, Err why, uint16_t status, uint64_t retry_after_s, const Reason *said);
} ChannelClientHandlers;

typedef struct ChannelClientOptions {
    const char *host; ///< name or address; also what the certificate must carry
    uint16_t port;
    const char *source; ///< connect from this address of the machine; NULL: any
    const char *path;
    const char *protocol; ///< WebSocket subprotocol, the only one that is offered
    TlsContext *tls;      ///< trusts the server's CA; NULL: plain TCP (tests)
    uint64_t handshake_ms;
    uint64_t silence_ms; ///< a ping after half of it without a frame, closed after it
    uint32_t message_max_bytes;
    ChannelClientHandlers handlers;
    void *app;
} ChannelClientOptions;

/// Begin to connect. Name resolution may block for as long as the system's resolver does.
/// The Reason as `said` of `closed`.
Err channel_client_open(struct event_base *loop,
                        const ChannelClientOptions *options,
                        ChannelClient **ret_client,
                        Reason *reason);
/// Send a text message (valid UTF-8). ERR_STATE: not open. ERR_LIMIT: over message_max_bytes, or
/// too much unsent.
Err channel_client_send(ChannelClient *client, Str message);
/// The channel binding of the connection's TLS session (io/tls.h), from `opened` on. ERR_STATE:
/// plain TCP, or not secured yet.
Err channel_client_binding(const ChannelClient *client, uint8_t ret_binding[TLS_BINDING_LEN]);
/// Say goodbye, best effort, and free. NULL-safe; returns NULL. No handler runs afterwards.
ChannelClient *channel_client_close(ChannelClient *client);
