// SPDX-License-Identifier: Apache-2.0
#include "channel/gateway_fixture.h"

#include "base/clock.h"

#include <assert.h>
#include <sched.h>
#include <string.h>

static Err on_authorise(void *app, Str bearer, Str remote_address, Id *ret_subject) {
    (void)app;
    if (str_eq(bearer, S("busy"))) return FAIL(ERR_BUSY, "busy");
    if (str_eq(bearer, S("bad"))) return FAIL(ERR_FORBIDDEN, "bad");
    if (!str_eq(bearer, S("good"))) return FAIL(ERR_UNAUTHENTICATED, "no");
    if (!str_eq(remote_address, S("127.0.0.1"))) return FAIL(ERR_FORBIDDEN, "not from here");
    *ret_subject = id_new(S("peer"), 1);
    return SUCCESS;
}

static void on_opened(void *app, ChannelId channel, const Id *subject) {
    Owner *owner = app;
    if (id_is_absent(subject)) return;
    atomic_store(&owner->last, channel);
    atomic_fetch_add(&owner->opened, 1);
}

static Err on_message(void *app, ChannelId channel, const Id *subject, Str message, Text *reply) {
    Owner *owner = app;
    (void)subject;
    atomic_fetch_add(&owner->messages, 1);
    if (str_eq(message, S("wrong"))) return FAIL(ERR_INVALID, "wrong");
    while (str_eq(message, S("stall")) && atomic_load(&owner->is_stalled))
        sched_yield();
    if (str_eq(message, S("push"))) gateway_send(owner->gateway, channel, S("pushed"));
    text_add(reply, message);
    return SUCCESS;
}

static void on_closed(void *app, ChannelId channel, const Id *subject) {
    (void)channel;
    (void)subject;
    atomic_fetch_add(&((Owner *)app)->closed, 1);
}

GatewayOptions owner_options(Owner *owner) {
    return (GatewayOptions){
        .address = "127.0.0.1",
        .cert_path = owner->is_secure ? owner->files.cert_path : NULL,
        .key_path = owner->is_secure ? owner->files.key_path : NULL,
        .path = "/channel",
        .threads = 2,
        .connections_max = CLIENTS + 8,
        .message_max_bytes = MESSAGE_MAX,
        .messages_per_minute_max = 100'000,
        .handshake_ms = WAIT_MS,
        .silence_ms = WAIT_MS,
        .handlers = {on_authorise, on_opened, on_message, on_closed},
        .app = owner,
    };
}

static void must(Err err) {
    assert(err.code == OK);
}

static void open_both(Owner *owner, const GatewayOptions *options, uint32_t queue_max) {
    must(worker_pool_open(&(WorkerOptions){.threads = 2, .queue_max = queue_max}, &owner->workers));
    must(gateway_open(options, owner->workers, &owner->gateway, NULL));
}

void owner_open(Owner *owner, bool is_secure) {
    *owner = (Owner){.is_secure = is_secure};
    tls_fixture_open(&owner->files, S("127.0.0.1,localhost"), 0, 1);
    GatewayOptions options = owner_options(owner);
    open_both(owner, &options, 2 * CLIENTS); // room for all of them at once: a full pool refuses
}

void owner_open_with(Owner *owner, const GatewayOptions *options, uint32_t queue_max) {
    *owner = (Owner){};
    open_both(owner, options, queue_max);
}

void owner_close(Owner *owner) {
    owner->gateway = gateway_close(owner->gateway);
    assert(atomic_load(&owner->opened) == atomic_load(&owner->closed));
    owner->workers = worker_pool_close(owner->workers);
    if (owner->files.cert_path[0]) tls_fixture_close(&owner->files);
}

static void peer_opened(void *app) {
    ((Peer *)app)->opened++;
}

static void peer_message(void *app, Str message) {
    Peer *peer = app;
    peer->messages++;
    peer->last_len = message.len;
    size_t kept = message.len < sizeof(peer->last) ? message.len : sizeof(peer->last);
    memcpy(peer->last, message.ptr, kept);
}

static void peer_closed(void *app, Err why, uint64_t retry_after_s, const Reason *said) {
    Peer *peer = app;
    (void)retry_after_s;
    peer->closed++;
    peer->why = why;
    peer->said = *said;
}

void peer_open(
    Peer *peer, struct event_base *loop, const Owner *owner, const char *bearer, TlsContext *tls) {
    *peer = (Peer){.loop = loop};
    must(channel_client_open(loop,
                             &(ChannelClientOptions){
                                 .host = "127.0.0.1",
                                 .port = gateway_port(owner->gateway),
                                 .path = "/channel",
                                 .bearer = str_from(bearer),
                                 .tls = tls,
                                 .handshake_ms = WAIT_MS,
                                 .silence_ms = WAIT_MS,
                                 .message_max_bytes = MESSAGE_MAX,
                                 .handlers = {peer_opened, peer_message, peer_closed},
                                 .app = peer
    },
                             &peer->client,
                             NULL));
}

static void turn(struct event_base *loop, uint64_t deadline) {
    assert(clock_monotonic_ms() < deadline);
    const struct timeval length = {.tv_usec = 20'000};
    event_base_loopexit(loop, &length);
    event_base_loop(loop, EVLOOP_ONCE);
}

void wait_for(struct event_base *loop, const unsigned *counter, unsigned target) {
    uint64_t deadline = clock_monotonic_ms() + WAIT_MS;
    while (*counter < target)
        turn(loop, deadline);
}

void wait_for_thread(struct event_base *loop, const atomic_uint *counter, unsigned target) {
    uint64_t deadline = clock_monotonic_ms() + WAIT_MS;
    while (atomic_load(counter) < target)
        turn(loop, deadline);
}
