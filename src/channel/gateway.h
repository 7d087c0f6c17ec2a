// SPDX-License-Identifier: Apache-2.0
/// Listens on a port, serves requests of HTTP/1.1 over TLS (channel/web.h), and holds many clients'
/// channels: one WebSocket (RFC 6455) each.
///
/// One libevent loop per thread, connections spread over them. In it: accept, TLS, one upgrade
/// request, frames, timers, and a glance at messages that may need no more. All others are jobs on
/// the worker pool (io/worker.h), one at a time per channel and in order; until one is answered, by
/// whichever thread, no more is taken from that channel.
///
/// Whoever asks for the channel's subprotocol gets one, and is a stranger until its first message
/// has shown who it is: that message is the only one it has, short, and due soon after the
/// connection was accepted. What the owner sends first (`greet`) may be a challenge to answer.
///
/// Limits: connections, time to become known, header size, message size, message rate, silence.
/// Text messages only; a binary one ends the channel (1003). Where all connections are taken, a
/// newcomer gets the place of who has been idle for longest, if that is no known peer.
#pragma once

#include "base/id.h"
#include "base/text.h"
#include "channel/web.h"

typedef struct Gateway Gateway;
typedef struct WorkerPool WorkerPool;

/// Names one connection for ever: after it closed the number is not used again. 0 = none.
typedef uint64_t ChannelId;

/// Who is at the other end, as far as it is known; lives as long as the connection.
typedef struct ChannelPeer {
    ChannelId channel;
    Id subject;         ///< set by `message` when the peer has shown who it is; absent until then
    Id scope;           ///< likewise
    uint64_t epoch;     ///< likewise: which life of the subject, where it may have several
    const char *remote; ///< address, textual
    Bytes binding; ///< of the connection's TLS session: tls-exporter (RFC 9266); absent: plain TCP
} ChannelPeer;

/// The end of a message, once; on any thread.
typedef void (*ChannelDone)(void *ctx, Err result);

/// What became of a message that was looked at.
typedef enum ChannelGlance {
    GLANCE_NOT,      ///< nothing: it is for `message`
    GLANCE_ANSWERED, ///< it has its answer
    GLANCE_TAKEN,    ///< `done` will be called, or was
} ChannelGlance;

/// What the owner does about channels; `app` is GatewayOptions.app.
typedef struct ChannelHandlers {
    /// Append the text message that is sent first, right behind the upgrade's answer. Nothing:
    /// leave it empty. Runs on the loop: must not block.
    void (*greet)(void *app, const ChannelPeer *peer, Text *first);
    /// A known peer's message, before it becomes a job: what needs no thing that takes time can be
    /// answered at once. Runs on the loop: must not block, nor take long. Peer, message and reply
    /// are as in `message`. NULL: every message is a job.
    ChannelGlance (*glance)(
        void *app, ChannelPeer *peer, Str message, Text *reply, ChannelDone done, void *ctx);
    /// A text message (valid UTF-8), on a worker. It ends when `done` is called, before this
    /// returns or later; until then peer, message and reply are the owner's. What is left in
    /// `reply` goes back, if anything, also before the end that an error makes: 1008 (ERR_INVALID
    /// to ERR_STATE; the peer is told its text) or 1011. The first one sets `peer->subject` and
    /// `peer->scope` if it shows who the peer is, which is final; if it does not, the channel ends
    /// with 1008. From that call on gateway_send and gateway_drop reach the channel.
    void (*message)(
        void *app, ChannelPeer *peer, Str message, Text *reply, ChannelDone done, void *ctx);
    /// The channel of a known peer is gone, on a worker; called once for each channel whose subject
    /// was set, after every `message` of it.
    void (*closed)(void *app, const ChannelPeer *peer);
} ChannelHandlers;

/// Texts are borrowed until the gateway is closed.
typedef struct GatewayOptions {
    const char *address; ///< to listen on: "0.0.0.0", "::", "127.0.0.1"
    uint16_t port;       ///< 0: any free one, see gateway_port
    const char *cert_path;
    const char *key_path; ///< PEM chain and key; both NULL: plain TCP (behind a balancer, tests)
    const uint8_t *ticket_key; ///< as of tls_server_context_open; used while it opens
    /// Of the upgrade request: "/v1/agent/channel". NULL: there are no channels, and what is about
    /// them here counts for nothing.
    const char *path;
    const char *protocol;     ///< the WebSocket subprotocol that is spoken
    const char *name;         ///< of its threads, at most 8 bytes: "NAME-0", ...; NULL: "gw"
    uint32_t threads;         ///< 1..16
    uint32_t connections_max; ///< in all
    uint32_t channels_max;    ///< of known peers, who leave room for others; 0: connections_max
    /// But known peers; of IPv6 from one /64; 0: no such limit.
    uint32_t connections_per_address_max;
    uint32_t first_max_bytes;   ///< of a stranger's message: 1..message_max_bytes
    uint32_t message_max_bytes; ///< of a known peer's
    uint32_t reply_max_bytes;   ///< of one that is sent; 0: message_max_bytes
    /// Of one channel, on average; a burst of as many is allowed. Who is over it waits; a stranger
    /// is sent away.
    uint32_t messages_per_minute_max;
    /// From accept until the peer is known, or the head of its request is there; likewise for each
    /// later head, from its first byte.
    uint64_t handshake_ms;
    /// Without any frame: a ping at five sixths of it, closed after it. A message that has begun
    /// has four times as long to come.
    uint64_t silence_ms;
    ChannelHandlers handlers;
    void *app;
    const WebHandlers *web; ///< for other requests; NULL: they are refused
    void *web_app;
    /// For the body of a request, for the taking of its answer, and between requests. 0:
    /// handshake_ms.
    uint64_t web_ms;
} GatewayOptions;

typedef struct GatewayStats {
    uint64_t open;     ///< channels of known peers now
    uint64_t accepted; ///< connections since start
    uint64_t refused;  ///< those that ended before the peer was known, for any reason
    uint64_t resumed;  ///< TLS sessions resumed from a ticket
} GatewayStats;

/// Listen and serve on threads of its own. `workers` must outlive the gateway; when it is full,
/// messages wait, those of strangers for as long as they have time to become known and are not too
/// many bytes together; then they are sent away with 1013.
/// `*ret_gateway` is set before anybody is let in: handlers may use it.
/// ERR_SYSTEM: the address cannot be bound. ERR_INVALID: certificate or key. The Reason names the
/// address or the file.
Err gateway_open(const GatewayOptions *options,
                 WorkerPool *workers,
                 Gateway **ret_gateway,
                 Reason *reason);
/// The port it listens on.
uint16_t gateway_port(const Gateway *gateway);
/// Queue a text message to a channel. Thread-safe; never blocks. Dropped if the channel is gone; a
/// channel that has more than 4 of the longest messages unsent is closed (it does not read).
void gateway_send(Gateway *gateway, ChannelId channel, Str message);
/// End a channel with a WebSocket status code and a short reason. Thread-safe.
void gateway_drop(Gateway *gateway, ChannelId channel, uint16_t status, Str reason);
/// Read certificate and key again, for sessions that begin from now on; with this key for tickets
/// (tls_server_context_open). Errors as that has them: then nothing changes. Thread-safe.
Err gateway_renew(Gateway *gateway, const uint8_t *ticket_key, Reason *reason);
/// Counters, roughly of this moment. Thread-safe.
GatewayStats gateway_stats(const Gateway *gateway);
/// From now on nobody is let in; who is there stays, but open answers (channel/web.h) end in order.
/// Thread-safe.
void gateway_quiesce(Gateway *gateway);
/// Stop listening, end every channel with 1001 (going away), wait for their jobs, stop the threads.
/// NULL-safe; returns NULL.
Gateway *gateway_close(Gateway *gateway);
