// SPDX-License-Identifier: Apache-2.0
/// A gateway and clients over real sockets, plain and with TLS.
#include "channel/gateway.h"

#include "base/clock.h"
#include "channel/client.h"
#include "io/tls_fixture.h"
#include "io/worker.h"
#include "test.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <string.h>

enum { WAIT_MS = 10'000, MESSAGE_MAX = 70'000, CLIENTS = 200 };

/// The gateway's owner: lets "good" in, echoes, and does what some messages say.
typedef struct Owner {
    Gateway *gateway;
    WorkerPool *workers;
    TlsFixture files;
    atomic_uint opened, closed, messages;
    atomic_uint_fast64_t last; ///< the channel that opened last
    bool is_secure;
} Owner;

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
    if (str_eq(message, S("push"))) gateway_send(owner->gateway, channel, S("pushed"));
    text_add(reply, message);
    return SUCCESS;
}

static void on_closed(void *app, ChannelId channel, const Id *subject) {
    (void)channel;
    (void)subject;
    atomic_fetch_add(&((Owner *)app)->closed, 1);
}

static GatewayOptions options_for(Owner *owner) {
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

static void owner_open(Owner *owner, bool is_secure) {
    *owner = (Owner){.is_secure = is_secure};
    tls_fixture_open(&owner->files, S("127.0.0.1,localhost"), 0, 1);
    CHECK_OK(worker_pool_open(&(WorkerOptions){.threads = 2, .queue_max = 64}, &owner->workers));
    GatewayOptions options = options_for(owner);
    CHECK_OK(gateway_open(&options, owner->workers, &owner->gateway));
}

static void owner_close(Owner *owner) {
    owner->gateway = gateway_close(owner->gateway);
    CHECK(atomic_load(&owner->opened) == atomic_load(&owner->closed));
    owner->workers = worker_pool_close(owner->workers);
    tls_fixture_close(&owner->files);
}

/// What a client saw.
typedef struct Peer {
    ChannelClient *client;
    struct event_base *loop;
    unsigned opened, messages, closed;
    Err why;
    char last[64];
    size_t last_len;
} Peer;

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

static void peer_closed(void *app, Err why, uint64_t retry_after_s) {
    Peer *peer = app;
    (void)retry_after_s;
    peer->closed++;
    peer->why = why;
}

static void peer_open(
    Peer *peer, struct event_base *loop, const Owner *owner, const char *bearer, TlsContext *tls) {
    *peer = (Peer){.loop = loop};
    CHECK_OK(channel_client_open(loop,
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
                                 &peer->client));
}

/// Turn the loop until `*counter` reaches `target`; fails at the deadline.
static void wait_for(struct event_base *loop, const unsigned *counter, unsigned target) {
    uint64_t deadline = clock_monotonic_ms() + WAIT_MS;
    while (*counter < target) {
        if (clock_monotonic_ms() >= deadline) fail_msg("%u of %u came", *counter, target);
        const struct timeval turn = {.tv_usec = 20'000};
        event_base_loopexit(loop, &turn);
        event_base_loop(loop, EVLOOP_ONCE);
    }
}

static void echo_through(bool is_secure) {
    Owner owner;
    owner_open(&owner, is_secure);
    struct event_base *loop = event_base_new();
    TlsContext *tls = NULL;
    if (is_secure) CHECK_OK(tls_client_context_open(owner.files.ca.cert_pem, &tls));
    Peer peer;
    peer_open(&peer, loop, &owner, "good", tls);
    wait_for(loop, &peer.opened, 1);
    CHECK_OK(channel_client_send(peer.client, S("hello")));
    wait_for(loop, &peer.messages, 1);
    CHECK_STR(((Str){peer.last, peer.last_len}), S("hello"));
    static char large[MESSAGE_MAX];
    memset(large, 'x', sizeof(large));
    for (int i = 0; i < 3; i++) // in order, although they are jobs on two threads
        CHECK_OK(channel_client_send(peer.client, (Str){large, sizeof(large) - (size_t)i}));
    wait_for(loop, &peer.messages, 4);
    CHECK(peer.last_len == sizeof(large) - 2);
    CHECK_OK(channel_client_send(peer.client, S("push")));
    wait_for(loop, &peer.messages, 6);
    CHECK(gateway_stats(owner.gateway).open == 1);
    channel_client_close(peer.client);
    event_base_free(loop);
    tls_context_close(tls);
    owner_close(&owner);
}

TEST(messages_go_both_ways_over_plain_tcp) {
    echo_through(false);
}

TEST(messages_go_both_ways_over_tls) {
    echo_through(true);
}

TEST(a_refusal_says_why) {
    Owner owner;
    owner_open(&owner, false);
    struct event_base *loop = event_base_new();
    static const struct {
        const char *bearer;
        ErrCode code;
    } cases[] = {
        {"evil", ERR_UNAUTHENTICATED},
        {"bad",  ERR_FORBIDDEN      },
        {"busy", ERR_BUSY           }
    };
    for (size_t i = 0; i < 3; i++) {
        Peer peer;
        peer_open(&peer, loop, &owner, cases[i].bearer, NULL);
        wait_for(loop, &peer.closed, 1);
        CHECK(peer.why.code == cases[i].code && peer.opened == 0);
        channel_client_close(peer.client);
    }
    CHECK(gateway_stats(owner.gateway).refused == 3);
    event_base_free(loop);
    owner_close(&owner);
}

TEST(a_certificate_of_another_authority_is_not_accepted) {
    Owner owner;
    owner_open(&owner, true);
    TlsFixture other;
    tls_fixture_open(&other, S("127.0.0.1"), 0, 1);
    struct event_base *loop = event_base_new();
    TlsContext *tls = NULL;
    CHECK_OK(tls_client_context_open(other.ca.cert_pem, &tls));
    Peer peer;
    peer_open(&peer, loop, &owner, "good", tls);
    wait_for(loop, &peer.closed, 1);
    CHECK(peer.why.code == ERR_UNAUTHENTICATED);
    channel_client_close(peer.client);
    event_base_free(loop);
    tls_context_close(tls);
    tls_fixture_close(&other);
    owner_close(&owner);
}

TEST(a_wrong_message_ends_the_channel_and_so_does_the_owner) {
    Owner owner;
    owner_open(&owner, false);
    struct event_base *loop = event_base_new();
    Peer peer, other;
    peer_open(&peer, loop, &owner, "good", NULL);
    wait_for(loop, &peer.opened, 1);
    CHECK_OK(channel_client_send(peer.client, S("wrong")));
    wait_for(loop, &peer.closed, 1);
    CHECK(peer.messages == 0);
    peer_open(&other, loop, &owner, "good", NULL);
    wait_for(loop, &other.opened, 1);
    CHECK_OK(channel_client_send(other.client, S("hello"))); // `opened` ran before its answer
    wait_for(loop, &other.messages, 1);
    gateway_drop(owner.gateway, atomic_load(&owner.last), 4001, S("enough"));
    wait_for(loop, &other.closed, 1);
    gateway_send(owner.gateway, atomic_load(&owner.last), S("to nobody")); // is dropped
    channel_client_close(peer.client);
    channel_client_close(other.client);
    event_base_free(loop);
    owner_close(&owner);
}

TEST(two_hundred_are_held_at_once_and_all_are_told_when_it_stops) {
    Owner owner;
    owner_open(&owner, true);
    struct event_base *loop = event_base_new();
    TlsContext *tls = NULL;
    CHECK_OK(tls_client_context_open(owner.files.ca.cert_pem, &tls));
    static Peer peers[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++)
        peer_open(&peers[i], loop, &owner, "good", tls);
    for (size_t i = 0; i < CLIENTS; i++) {
        wait_for(loop, &peers[i].opened, 1);
        CHECK_OK(channel_client_send(peers[i].client, S("hello")));
    }
    for (size_t i = 0; i < CLIENTS; i++)
        wait_for(loop, &peers[i].messages, 1);
    CHECK(gateway_stats(owner.gateway).open == CLIENTS);
    owner_close(&owner);
    for (size_t i = 0; i < CLIENTS; i++) {
        wait_for(loop, &peers[i].closed, 1);
        CHECK(peers[i].why.code == ERR_UNAVAILABLE);
        channel_client_close(peers[i].client);
    }
    event_base_free(loop);
    tls_context_close(tls);
}

TEST_MAIN(CASE(messages_go_both_ways_over_plain_tcp),
          CASE(messages_go_both_ways_over_tls),
          CASE(a_refusal_says_why),
          CASE(a_certificate_of_another_authority_is_not_accepted),
          CASE(a_wrong_message_ends_the_channel_and_so_does_the_owner),
          CASE(two_hundred_are_held_at_once_and_all_are_told_when_it_stops))
