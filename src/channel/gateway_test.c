// SPDX-License-Identifier: Apache-2.0
/// A gateway and clients over real sockets, plain and with TLS.
#include "base/base64.h"
#include "channel/gateway_fixture.h"
#include "http1/upgrade.h"
#include "test.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void echo_through(bool is_secure) {
    Owner owner;
    owner_open(&owner, is_secure);
    struct event_base *loop = event_base_new();
    TlsContext *tls = NULL;
    if (is_secure) CHECK_OK(tls_client_context_open(owner.files.ca.cert_pem, &tls));
    Peer peer;
    peer_open(&peer, loop, &owner, "good", tls);
    wait_for(loop, &peer.known, 1);
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
    CHECK(peer.opened == 1 && peer.greeted == 1 && gateway_stats(owner.gateway).open == 1);
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

TEST(an_answer_that_another_thread_gives_later_comes_before_the_next) {
    Owner owner;
    owner_open(&owner, false);
    struct event_base *loop = event_base_new();
    Peer peer;
    peer_open(&peer, loop, &owner, "good", NULL);
    wait_for(loop, &peer.known, 1);
    for (unsigned i = 0; i < 20; i++) {
        CHECK_OK(channel_client_send(peer.client, S("later")));
        CHECK_OK(channel_client_send(peer.client, S("next")));
        wait_for(loop, &peer.messages, 2 * i + 2);
        CHECK_STR(((Str){peer.last, peer.last_len}), S("next"));
    }
    CHECK_OK(channel_client_send(peer.client, S("later")));
    channel_client_close(peer.client); // the answer has nowhere to go
    event_base_free(loop);
    owner_close(&owner);
}

TEST(what_is_answered_at_a_glance_comes_in_its_turn) {
    Owner owner;
    owner_open(&owner, true);
    struct event_base *loop = event_base_new();
    TlsContext *tls = NULL;
    CHECK_OK(tls_client_context_open(owner.files.ca.cert_pem, &tls));
    Peer peer;
    peer_open(&peer, loop, &owner, "good", tls);
    wait_for(loop, &peer.known, 1);
    CHECK(atomic_load(&owner.glances) == 0); // a stranger's message is a job
    static const char *const said[] = {"glance", "glance later", "glance", "later", "next"};
    static const char *const answers[] = {"seen", "later", "seen", "later", "next"};
    for (unsigned i = 0; i < 5; i++)
        CHECK_OK(channel_client_send(peer.client, str_from(said[i])));
    for (unsigned i = 0; i < 5; i++) {
        wait_for(loop, &peer.messages, i + 1);
        if (peer.messages == i + 1)
            CHECK_STR(((Str){peer.last, peer.last_len}), str_from(answers[i]));
    }
    CHECK_STR(((Str){peer.last, peer.last_len}), S("next"));
    CHECK(atomic_load(&owner.glances) == 5);
    CHECK(atomic_load(&owner.messages) == 2); // the first, and "next"
    channel_client_close(peer.client);
    event_base_free(loop);
    tls_context_close(tls);
    owner_close(&owner);
}

/// More comes while a job is under way: it is not read, and costs nothing until it is.
TEST(what_comes_before_its_turn_waits_without_a_spin) {
    Owner owner;
    owner_open(&owner, false);
    Raw raw = raw_open_known(&owner);
    Text bytes;
    text_init(&bytes, 100);
    raw_add_message(&bytes, S("much later"));
    CHECK(raw_send(&raw, text_str(&bytes)));
    usleep(50'000);
    text_clear(&bytes);
    raw_add_message(&bytes, S("next"));
    CHECK(raw_send(&raw, text_str(&bytes)));
    const clock_t before = clock();
    raw_expect(&raw, S("later"));
    CHECK(clock() - before < MUCH_LATER_MS * (CLOCKS_PER_SEC / 1000) / 2); // of all threads
    raw_expect(&raw, S("next"));
    text_done(&bytes);
    raw_close(&raw);
    owner_close(&owner);
}

TEST(a_client_goes_out_from_the_address_that_is_given) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &len) == 0);
    struct event_base *loop = event_base_new();
    ChannelClientOptions options = {.host = "127.0.0.1",
                                    .port = ntohs(address.sin_port),
                                    .source = "127.0.3.9",
                                    .path = "/",
                                    .protocol = "test.1",
                                    .handshake_ms = WAIT_MS,
                                    .silence_ms = WAIT_MS,
                                    .message_max_bytes = MESSAGE_MAX};
    ChannelClient *client = NULL;
    CHECK_OK(channel_client_open(loop, &options, &client, NULL));
    int fd = accept(listener, (struct sockaddr *)&address, &len);
    CHECK(fd >= 0 && ntohl(address.sin_addr.s_addr) == 0x7f00'0309);
    options.source = "192.0.2.1"; // TEST-NET-1, of nobody
    ChannelClient *nobody = NULL;
    CHECK_ERR(channel_client_open(loop, &options, &nobody, NULL), ERR_UNAVAILABLE);
    channel_client_close(client);
    event_base_free(loop);
    close(fd);
    close(listener);
}

/// The end of a stranger that says `first`; `*ret_peer` is closed.
static void refused(const Owner *owner, const char *first, Peer *ret_peer) {
    struct event_base *loop = event_base_new();
    peer_open(ret_peer, loop, owner, first, NULL);
    wait_for(loop, &ret_peer->closed, 1);
    CHECK(ret_peer->opened == 1 && ret_peer->known == 0);
    channel_client_close(ret_peer->client);
    event_base_free(loop);
}

TEST(who_does_not_show_who_it_is_is_sent_away) {
    Owner owner;
    Peer peer;
    owner_open(&owner, false);
    refused(&owner, "nobody", &peer); // the owner knows no better than before
    CHECK(peer.status == FRAME_POLICY && peer.why.code == ERR_UNAVAILABLE && peer.messages == 0);
    refused(&owner, "evil", &peer);
    CHECK(peer.status == FRAME_POLICY && peer.messages == 0);
    CHECK(gateway_stats(owner.gateway).refused == 2 && gateway_stats(owner.gateway).open == 0);
    owner_close(&owner);
    CHECK(atomic_load(&owner.closed) == 0); // of strangers there is nothing to hear
}

TEST(a_refusal_is_told_in_words_before_the_end) {
    Owner owner;
    Peer peer;
    owner_open(&owner, false);
    refused(&owner, "bad", &peer);
    CHECK(peer.messages == 1);
    CHECK_STR(((Str){peer.last, peer.last_len}), S("you are not wanted"));
    CHECK(peer.status == FRAME_POLICY);
    owner_close(&owner);
}

TEST(another_protocol_is_refused) {
    Owner owner;
    owner_open(&owner, false);
    struct event_base *loop = event_base_new();
    Peer peer;
    peer_open_at(&peer, loop, gateway_port(owner.gateway), "test.2", "good", NULL);
    wait_for(loop, &peer.closed, 1);
    CHECK(peer.why.code == ERR_INVALID && peer.opened == 0 && peer.status == 0);
    CHECK(gateway_stats(owner.gateway).refused == 1);
    channel_client_close(peer.client);
    event_base_free(loop);
    owner_close(&owner);
}

/// Answer the request that came to `fd` with what a server of `protocol` says.
static void answer_as(int fd, Str asked, const char *protocol) {
    char bytes[UPGRADE_HEAD_MAX];
    Text answer;
    Str key = {};
    ssize_t got = recv(fd, bytes, sizeof(bytes), 0); // a small request comes in one piece
    CHECK(got > 0);
    Str head = {bytes, (size_t)got};
    CHECK(upgrade_request_parse(head, S("/channel"), asked, &key).status == UPGRADE_ACCEPTED);
    text_init(&answer, UPGRADE_HEAD_MAX);
    upgrade_accept(&answer, key, str_from(protocol));
    CHECK(send(fd, answer.ptr, answer.len, MSG_NOSIGNAL) == (ssize_t)answer.len);
    text_done(&answer);
}

TEST(a_client_leaves_a_server_that_agrees_to_something_else) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (struct sockaddr *)(void *)&at, len) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)(void *)&at, &len) == 0);
    struct event_base *loop = event_base_new();
    Peer peer;
    peer_open_at(&peer, loop, ntohs(at.sin_port), "test.1", "good", NULL);
    event_base_loop(loop, EVLOOP_ONCE); // it is connected, and asks
    int fd = accept(listener, NULL, NULL);
    CHECK(fd >= 0);
    answer_as(fd, S("test.1"), "test.2");
    wait_for(loop, &peer.closed, 1);
    CHECK(peer.why.code == ERR_UNAVAILABLE && peer.opened == 0);
    CHECK(strstr(peer.why.what, "protocol"));
    channel_client_close(peer.client);
    event_base_free(loop);
    close(fd);
    close(listener);
}

TEST(both_ends_of_a_channel_have_its_binding) {
    Owner owner;
    owner_open(&owner, true);
    struct event_base *loop = event_base_new();
    TlsContext *tls = NULL;
    CHECK_OK(tls_client_context_open(owner.files.ca.cert_pem, &tls));
    uint8_t bindings[2][TLS_BINDING_LEN];
    for (int i = 0; i < 2; i++) { // the second resumes the first
        Peer peer;
        peer_open(&peer, loop, &owner, "good", tls);
        CHECK_ERR(channel_client_binding(peer.client, bindings[i]), ERR_STATE);
        wait_for(loop, &peer.known, 1);
        CHECK_OK(channel_client_binding(peer.client, bindings[i]));
        CHECK_OK(channel_client_send(peer.client, S("binding")));
        wait_for(loop, &peer.messages, 1);
        uint8_t other[TLS_BINDING_LEN];
        CHECK_OK(base64_decode_exact((Str){peer.last, peer.last_len}, other, sizeof(other)));
        CHECK(memcmp(bindings[i], other, TLS_BINDING_LEN) == 0);
        channel_client_close(peer.client);
    }
    CHECK(memcmp(bindings[0], bindings[1], TLS_BINDING_LEN) != 0);
    CHECK(gateway_stats(owner.gateway).resumed == 1);
    event_base_free(loop);
    tls_context_close(tls);
    owner_close(&owner);
}

TEST(plain_tcp_has_no_binding) {
    Owner owner;
    owner_open(&owner, false);
    struct event_base *loop = event_base_new();
    Peer peer;
    uint8_t binding[TLS_BINDING_LEN];
    peer_open(&peer, loop, &owner, "good", NULL);
    wait_for(loop, &peer.known, 1);
    CHECK_ERR(channel_client_binding(peer.client, binding), ERR_STATE);
    CHECK_OK(channel_client_send(peer.client, S("binding")));
    wait_for(loop, &peer.messages, 1);
    CHECK_STR(((Str){peer.last, peer.last_len}), S("none"));
    channel_client_close(peer.client);
    event_base_free(loop);
    owner_close(&owner);
}

TEST(a_channel_is_reached_from_its_first_message_on) {
    Owner owner;
    owner_open(&owner, false);
    struct event_base *loop = event_base_new();
    Peer pushed, dropped;
    peer_open(&pushed, loop, &owner, "push", NULL);
    wait_for(loop, &pushed.known, 1);
    CHECK_STR(((Str){pushed.last, pushed.last_len}), S("pushed"));
    peer_open(&dropped, loop, &owner, "drop", NULL);
    wait_for(loop, &dropped.closed, 1);
    CHECK(dropped.status == 4001 && dropped.why.code == ERR_UNAVAILABLE);
    channel_client_close(pushed.client);
    channel_client_close(dropped.client);
    event_base_free(loop);
    owner_close(&owner); // and its end is told to the owner
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
    wait_for(loop, &peer.known, 1);
    CHECK_OK(channel_client_send(peer.client, S("wrong")));
    wait_for(loop, &peer.closed, 1);
    CHECK(peer.messages == 0 && peer.status == FRAME_POLICY);
    peer_open(&other, loop, &owner, "good", NULL);
    wait_for(loop, &other.known, 1);
    CHECK_OK(channel_client_send(other.client, S("hello")));
    wait_for(loop, &other.messages, 1);
    gateway_drop(owner.gateway, atomic_load(&owner.last), 4001, S("enough"));
    wait_for(loop, &other.closed, 1);
    CHECK(other.status == 4001);
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
        wait_for(loop, &peers[i].known, 1);
        CHECK_OK(channel_client_send(peers[i].client, S("hello")));
    }
    for (size_t i = 0; i < CLIENTS; i++)
        wait_for(loop, &peers[i].messages, 1);
    CHECK(gateway_stats(owner.gateway).open == CLIENTS);
    owner_close(&owner);
    for (size_t i = 0; i < CLIENTS; i++) {
        wait_for(loop, &peers[i].closed, 1);
        CHECK(peers[i].why.code == ERR_UNAVAILABLE && peers[i].status == FRAME_GOING_AWAY);
        channel_client_close(peers[i].client);
    }
    event_base_free(loop);
    tls_context_close(tls);
}

TEST(a_gateway_does_not_open_over_a_bad_key_or_a_taken_port) {
    TlsFixture tls;
    tls_fixture_open(&tls, S("127.0.0.1"), 0, 30);
    Owner owner = {};
    GatewayOptions options = owner_options(&owner);
    owner_open_with(&owner, &options, 64);
    options.cert_path = options.key_path = tls.cert_path;
    Gateway *gateway = NULL;
    Reason reason = {};
    CHECK_ERR(gateway_open(&options, owner.workers, &gateway, &reason), ERR_INVALID);
    CHECK_SAID(reason, tls.cert_path);
    options.cert_path = options.key_path = NULL;
    options.port = gateway_port(owner.gateway);
    Err err = gateway_open(&options, owner.workers, &gateway, &reason);
    CHECK(err.code == ERR_SYSTEM && err.sys == EADDRINUSE);
    char taken[64];
    snprintf(taken, sizeof(taken), "127.0.0.1 port %u", options.port);
    CHECK_STR(str_from(reason.text), str_from(taken));
    options.address = "localhost";
    CHECK_ERR(gateway_open(&options, owner.workers, &gateway, NULL), ERR_INVALID);
    CHECK(!gateway);
    owner_close(&owner);
    tls_fixture_close(&tls);
}

TEST_MAIN(CASE(messages_go_both_ways_over_plain_tcp),
          CASE(messages_go_both_ways_over_tls),
          CASE(an_answer_that_another_thread_gives_later_comes_before_the_next),
          CASE(what_is_answered_at_a_glance_comes_in_its_turn),
          CASE(what_comes_before_its_turn_waits_without_a_spin),
          CASE(a_client_goes_out_from_the_address_that_is_given),
          CASE(who_does_not_show_who_it_is_is_sent_away),
          CASE(a_refusal_is_told_in_words_before_the_end),
          CASE(another_protocol_is_refused),
          CASE(a_client_leaves_a_server_that_agrees_to_something_else),
          CASE(both_ends_of_a_channel_have_its_binding),
          CASE(plain_tcp_has_no_binding),
          CASE(a_channel_is_reached_from_its_first_message_on),
          CASE(a_certificate_of_another_authority_is_not_accepted),
          CASE(a_wrong_message_ends_the_channel_and_so_does_the_owner),
          CASE(two_hundred_are_held_at_once_and_all_are_told_when_it_stops),
          CASE(a_gateway_does_not_open_over_a_bad_key_or_a_taken_port))
