// SPDX-License-Identifier: Apache-2.0
/// A gateway and clients over real sockets, plain and with TLS.
#include "channel/gateway_fixture.h"
#include "test.h"

#include <string.h>

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
    CHECK(str_starts(str_from(peer.said.text), S("127.0.0.1:")));
    CHECK_SAID(peer.said, "issuer is unknown");
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
