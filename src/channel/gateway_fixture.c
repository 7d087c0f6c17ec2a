// SPDX-License-Identifier: Apache-2.0
#include "channel/gateway_fixture.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/scope.h"
#include "http1/head.h"
#include "http1/upgrade.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROTOCOL "test.1"

static void must(Err err) {
    assert(err.code == OK);
}

static void on_greet(void *app, const ChannelPeer *peer, Text *first) {
    const Owner *owner = app;
    assert(peer->channel != 0 && id_is_absent(&peer->subject));
    assert(!owner->is_secure == !peer->binding.ptr);
    for (unsigned i = atomic_load(&owner->greeting_repeat); i > 0; i--)
        text_add(first, GREETING);
}

static void stall(const Owner *owner) {
    while (atomic_load(&owner->is_stalled))
        sched_yield();
}

static void become_known(Owner *owner, ChannelPeer *peer) {
    peer->subject = id_new(S("peer"), 1);
    peer->scope = id_new(S("scope"), 1);
    atomic_store(&owner->last, peer->channel);
    atomic_fetch_add(&owner->known, 1);
}

static Err on_first(Owner *owner, ChannelPeer *peer, Str message, Text *reply) {
    if (!str_eq(str_from(peer->remote), S("127.0.0.1")))
        return FAIL(ERR_FORBIDDEN, "not from here");
    if (str_eq(message, S("nobody"))) return SUCCESS;
    if (str_eq(message, S("bad"))) {
        text_add(reply, S("you are not wanted"));
        return FAIL(ERR_FORBIDDEN, "bad");
    }
    bool is_push = str_eq(message, S("push")), is_drop = str_eq(message, S("drop"));
    bool is_stall = str_eq(message, S("stall"));
    if (!is_push && !is_drop && !is_stall && !str_starts(message, S("good")))
        return FAIL(ERR_UNAUTHENTICATED, "unknown");
    if (is_stall) stall(owner);
    become_known(owner, peer);
    if (is_push) gateway_send(owner->gateway, peer->channel, S("pushed"));
    if (is_drop) gateway_drop(owner->gateway, peer->channel, 4001, S("at once"));
    text_add(reply, S("welcome"));
    return SUCCESS;
}

static void tell_binding(const ChannelPeer *peer, Text *reply) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 4096);
    text_add(reply, peer->binding.ptr ? base64_encode(&arena, peer->binding, BASE64) : S("none"));
}

static Err answer(Owner *owner, ChannelPeer *peer, Str message, Text *reply) {
    atomic_fetch_add(&owner->messages, 1);
    if (id_is_absent(&peer->subject)) return on_first(owner, peer, message, reply);
    if (str_eq(message, S("wrong"))) return FAIL(ERR_INVALID, "wrong");
    if (str_eq(message, S("stall"))) stall(owner);
    if (str_eq(message, S("push"))) gateway_send(owner->gateway, peer->channel, S("pushed"));
    if (str_eq(message, S("binding")))
        tell_binding(peer, reply);
    else
        text_add(reply, message);
    return SUCCESS;
}

/// A message whose answer another thread gives.
typedef struct Later {
    Text *reply;
    ChannelDone done;
    void *ctx;
} Later;

static void later_answer(void *arg) {
    Later *later = arg;
    text_add(later->reply, S("later"));
    later->done(later->ctx, SUCCESS);
    free(later);
}

static void later_start(Owner *owner, uint64_t after_ms, Text *reply, ChannelDone done, void *ctx) {
    Later *later = malloc(sizeof(*later));
    assert(later);
    *later = (Later){reply, done, ctx};
    must(worker_submit_after(owner->workers, after_ms, later_answer, later));
}

static ChannelGlance
on_glance(void *app, ChannelPeer *peer, Str message, Text *reply, ChannelDone done, void *ctx) {
    Owner *owner = app;
    assert(!id_is_absent(&peer->subject) && reply->len == 0);
    atomic_fetch_add(&owner->glances, 1);
    if (str_eq(message, S("glance"))) {
        text_add(reply, S("seen"));
        return GLANCE_ANSWERED;
    }
    if (!str_eq(message, S("glance later"))) return GLANCE_NOT;
    later_start(owner, 1, reply, done, ctx);
    return GLANCE_TAKEN;
}

static void
on_message(void *app, ChannelPeer *peer, Str message, Text *reply, ChannelDone done, void *ctx) {
    if (str_eq(message, S("later")))
        later_start(app, 1, reply, done, ctx);
    else if (str_eq(message, S("much later")))
        later_start(app, MUCH_LATER_MS, reply, done, ctx);
    else
        done(ctx, answer(app, peer, message, reply));
}

static void on_closed(void *app, const ChannelPeer *peer) {
    assert(!id_is_absent(&peer->subject) && !id_is_absent(&peer->scope));
    atomic_fetch_add(&((Owner *)app)->closed, 1);
}

GatewayOptions owner_options(Owner *owner) {
    return (GatewayOptions){
        .address = "127.0.0.1",
        .cert_path = owner->is_secure ? owner->files.cert_path : NULL,
        .key_path = owner->is_secure ? owner->files.key_path : NULL,
        .path = "/channel",
        .protocol = PROTOCOL,
        .threads = 2,
        .connections_max = CLIENTS + 8,
        .first_max_bytes = FIRST_MAX,
        .message_max_bytes = MESSAGE_MAX,
        .messages_per_minute_max = 100'000,
        .handshake_ms = WAIT_MS,
        .silence_ms = WAIT_MS,
        .handlers = {on_greet, on_glance, on_message, on_closed},
        .app = owner,
    };
}

static void open_both(Owner *owner, const GatewayOptions *options, uint32_t queue_max) {
    must(worker_pool_open(&(WorkerOptions){.threads = 2, .queue_max = queue_max}, &owner->workers));
    must(gateway_open(options, owner->workers, &owner->gateway, NULL));
}

void owner_open(Owner *owner, bool is_secure) {
    *owner = (Owner){.is_secure = is_secure, .greeting_repeat = 1};
    tls_fixture_open(&owner->files, S("127.0.0.1,localhost"), 0, 1);
    GatewayOptions options = owner_options(owner);
    open_both(owner, &options, 2 * CLIENTS); // room for all of them at once: a full pool refuses
}

void owner_open_with(Owner *owner, const GatewayOptions *options, uint32_t queue_max) {
    *owner = (Owner){.greeting_repeat = 1};
    open_both(owner, options, queue_max);
}

void owner_close(Owner *owner) {
    owner->gateway = gateway_close(owner->gateway);
    assert(atomic_load(&owner->known) == atomic_load(&owner->closed));
    owner->workers = worker_pool_close(owner->workers);
    if (owner->files.cert_path[0]) tls_fixture_close(&owner->files);
}

static void peer_opened(void *app) {
    ((Peer *)app)->opened++;
}

static void peer_message(void *app, Str message) {
    Peer *peer = app;
    if (str_eq(message, GREETING)) {
        peer->greeted++;
        must(channel_client_send(peer->client, str_from(peer->first)));
        return;
    }
    if (str_eq(message, S("welcome"))) {
        peer->known++;
        return;
    }
    peer->messages++;
    peer->last_len = message.len;
    size_t kept = message.len < sizeof(peer->last) ? message.len : sizeof(peer->last);
    memcpy(peer->last, message.ptr, kept);
}

static void
peer_closed(void *app, Err why, uint16_t status, uint64_t retry_after_s, const Reason *said) {
    Peer *peer = app;
    (void)retry_after_s;
    peer->closed++;
    peer->why = why;
    peer->status = status;
    peer->said = *said;
}

void peer_open_at(Peer *peer,
                  struct event_base *loop,
                  uint16_t port,
                  const char *protocol,
                  const char *first,
                  TlsContext *tls) {
    *peer = (Peer){.loop = loop, .first = first};
    ChannelClientOptions options = {
        .host = "127.0.0.1",
        .port = port,
        .path = "/channel",
        .protocol = protocol,
        .tls = tls,
        .handshake_ms = WAIT_MS,
        .silence_ms = WAIT_MS,
        .message_max_bytes = MESSAGE_MAX,
        .handlers = {peer_opened, peer_message, peer_closed},
        .app = peer,
    };
    must(channel_client_open(loop, &options, &peer->client, NULL));
}

void peer_open(
    Peer *peer, struct event_base *loop, const Owner *owner, const char *first, TlsContext *tls) {
    peer_open_at(peer, loop, gateway_port(owner->gateway), PROTOCOL, first, tls);
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

Raw raw_connect(const Owner *owner) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(fd >= 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(gateway_port(owner->gateway)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval limit = {.tv_sec = WAIT_MS / 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    assert(connect(fd, (struct sockaddr *)(void *)&to, sizeof(to)) == 0);
    Raw raw = {.fd = fd};
    frame_decoder_init(&raw.decoder, false, MESSAGE_MAX);
    return raw;
}

bool raw_send(const Raw *raw, Str bytes) {
    return send(raw->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL) == (ssize_t)bytes.len;
}

void raw_add_request(Text *bytes) {
    upgrade_ask(bytes, S("x"), 1, S("/channel"), S(PROTOCOL), S("dGhlIHNhbXBsZSBub25jZQ=="));
}

void raw_add_message(Text *bytes, Str message) {
    static const uint8_t mask[4] = {1, 2, 3, 4};
    frame_encode(bytes, FRAME_TEXT, message, mask);
}

void raw_head(const Raw *raw, Text *head) {
    size_t len = 0;
    while (head_find(text_str(head), 0, &len).status == 0 && len == 0) {
        char c;
        ssize_t got = recv(raw->fd, &c, 1, 0);
        assert(got == 1);
        text_add_char(head, c);
        assert(!head->failed);
    }
}

Raw raw_open(const Owner *owner) {
    Raw raw = raw_connect(owner);
    Text bytes;
    text_init(&bytes, UPGRADE_HEAD_MAX);
    raw_add_request(&bytes);
    bool is_sent = raw_send(&raw, text_str(&bytes));
    assert(is_sent);
    text_clear(&bytes);
    raw_head(&raw, &bytes);
    assert(str_starts(text_str(&bytes), S("HTTP/1.1 101 ")));
    text_done(&bytes);
    if (atomic_load(&owner->greeting_repeat) == 1) raw_expect(&raw, GREETING);
    return raw;
}

Raw raw_open_known(const Owner *owner) {
    Raw raw = raw_open(owner);
    Text bytes;
    text_init(&bytes, 100);
    raw_add_message(&bytes, S("good"));
    bool is_sent = raw_send(&raw, text_str(&bytes));
    assert(is_sent);
    text_done(&bytes);
    raw_expect(&raw, S("welcome"));
    return raw;
}

FrameEvent raw_frame(Raw *raw) {
    for (;;) {
        char byte;
        ssize_t got = recv(raw->fd, &byte, 1, 0);
        assert(got == 1);
        Str input = {&byte, 1};
        FrameEvent event = frame_decode(&raw->decoder, &input);
        if (event.kind != FRAME_EVENT_NONE) return event;
    }
}

void raw_expect(Raw *raw, Str message) {
    FrameEvent event = raw_frame(raw);
    assert(event.kind == FRAME_EVENT_MESSAGE && str_eq(event.payload, message));
}

Str raw_expect_close(Raw *raw, uint16_t status) {
    FrameEvent event = raw_frame(raw);
    while (event.kind == FRAME_EVENT_PONG)
        event = raw_frame(raw);
    assert(event.kind == FRAME_EVENT_CLOSE && event.status == status);
    return event.payload;
}

void raw_drain(const Raw *raw) {
    char bytes[4096];
    ssize_t got;
    while ((got = recv(raw->fd, bytes, sizeof(bytes), 0)) > 0) {
    }
    assert(got == 0 || errno == ECONNRESET);
}

void raw_close(Raw *raw) {
    frame_decoder_done(&raw->decoder);
    close(raw->fd);
}
