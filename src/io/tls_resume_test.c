// SPDX-License-Identifier: Apache-2.0
/// What sessions of one context share, and what each holds.
#include "io/tls_fixture.h"

#include "base/scope.h"

#include "test.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/// The binding of a session, which is the same at both ends.
static void binding_of(const Pair *pair, uint8_t ret_binding[TLS_BINDING_LEN]) {
    uint8_t other[TLS_BINDING_LEN];
    CHECK_OK(tls_session_binding(pair->client, ret_binding));
    CHECK_OK(tls_session_binding(pair->server, other));
    CHECK(memcmp(ret_binding, other, TLS_BINDING_LEN) == 0);
}

/// A whole session that ends abruptly; true if it was resumed, as both ends saw it.
static bool session_is_resumed(TlsContext *client, TlsContext *server, Str host) {
    Pair pair;
    pair_open(&pair, client, server, host);
    pair_handshake(&pair);
    CHECK_OK(pair.client_err);
    pair_carry(pair.server, pair.client, S("hello")); // after the tickets
    bool is_resumed = tls_is_resumed(pair.client);
    CHECK(is_resumed == tls_is_resumed(pair.server));
    close(TAKE_FD(pair.server_fd));
    char got[8];
    size_t len = 0;
    TlsWant want = TLS_DONE;
    CHECK_ERR(tls_read(pair.client, got, sizeof(got), &len, &want), ERR_UNAVAILABLE);
    pair_close(&pair);
    return is_resumed;
}

TEST(a_session_resumes_the_last_one_with_the_same_host_and_context) {
    Ends ends;
    ends_open(&ends, S("one,two"), 0, 10);
    CHECK(!session_is_resumed(ends.client, ends.server, S("one")));
    CHECK(session_is_resumed(ends.client, ends.server, S("one")));
    CHECK(session_is_resumed(ends.client, ends.server, S("one")));
    CHECK(!session_is_resumed(ends.client, ends.server, S("two")));
    CHECK(session_is_resumed(ends.client, ends.server, S("two")));
    CHECK(session_is_resumed(ends.client, ends.server, S("one")));
    ends_close(&ends);
}

TEST(both_ends_have_the_same_binding_and_no_other_session_has_it) {
    enum { SESSIONS = 3 }; // the first is a full one, the others are resumed
    Ends ends;
    uint8_t bindings[SESSIONS][TLS_BINDING_LEN];
    ends_open(&ends, S("localhost"), 0, 10);
    for (int i = 0; i < SESSIONS; i++) {
        Pair pair;
        pair_open(&pair, ends.client, ends.server, S("localhost"));
        CHECK_ERR(tls_session_binding(pair.client, bindings[i]), ERR_STATE);
        CHECK_ERR(tls_session_binding(pair.server, bindings[i]), ERR_STATE);
        pair_handshake(&pair);
        pair_carry(pair.server, pair.client, S("hello"));
        CHECK(tls_is_resumed(pair.client) == (i > 0));
        binding_of(&pair, bindings[i]);
        for (int before = 0; before < i; before++)
            CHECK(memcmp(bindings[i], bindings[before], TLS_BINDING_LEN) != 0);
        pair_close(&pair);
    }
    ends_close(&ends);
}

TEST(a_session_of_another_server_or_an_unverified_one_is_not_resumed) {
    Ends ends;
    ends_open(&ends, S("localhost"), 0, 10);
    CHECK(!session_is_resumed(ends.client, ends.server, S("localhost")));
    TlsContext *restarted = NULL, *stranger = NULL;
    CHECK_OK(
        tls_server_context_open(ends.files.cert_path, ends.files.key_path, NULL, &restarted, NULL));
    CHECK(!session_is_resumed(ends.client, restarted, S("localhost")));
    CHECK_OK(tls_client_context_open((Str){}, &stranger));
    CHECK(!session_is_resumed(stranger, ends.server, S("localhost")));
    CHECK(!session_is_resumed(stranger, ends.server, S("localhost")));
    tls_context_close(stranger);
    tls_context_close(restarted);
    ends_close(&ends);
}

TEST(servers_that_share_a_key_resume_each_others_sessions) {
    static const uint8_t key[TLS_TICKET_KEY_LEN] = {7}, other[TLS_TICKET_KEY_LEN] = {8};
    Ends ends;
    ends_open(&ends, S("localhost"), 0, 10);
    const char *cert = ends.files.cert_path, *cert_key = ends.files.key_path;
    TlsContext *first = NULL, *restarted = NULL, *later = NULL;
    CHECK_OK(tls_server_context_open(cert, cert_key, key, &first, NULL));
    CHECK(!session_is_resumed(ends.client, first, S("localhost")));
    tls_context_close(first);
    CHECK_OK(tls_server_context_open(cert, cert_key, key, &restarted, NULL));
    CHECK(session_is_resumed(ends.client, restarted, S("localhost")));
    CHECK_OK(tls_server_context_open(cert, cert_key, other, &later, NULL));
    CHECK(!session_is_resumed(ends.client, later, S("localhost")));
    tls_context_close(restarted);
    tls_context_close(later);
    ends_close(&ends);
}

TEST(a_context_lives_as_long_as_its_sessions) {
    Ends ends;
    Pair pair;
    ends_open(&ends, S("localhost"), 0, 10);
    pair_open(&pair, ends.client, ends.server, S("localhost"));
    ends.server = tls_context_close(ends.server);
    pair_handshake(&pair);
    pair_carry(pair.server, pair.client, S("hello"));
    pair_close(&pair);
    ends_close(&ends);
}

TEST(more_hosts_than_there_is_room_for_cost_only_full_handshakes) {
    Ends ends;
    ends_open(&ends, S("*.lan.example"), 0, 10);
    char host[32];
    for (int i = 0; i < 20; i++) {
        snprintf(host, sizeof(host), "h%d.lan.example", i);
        CHECK(!session_is_resumed(ends.client, ends.server, str_from(host)));
    }
    CHECK(session_is_resumed(ends.client, ends.server, S("h19.lan.example")));
    CHECK(!session_is_resumed(ends.client, ends.server, S("h1.lan.example")));
    ends_close(&ends);
}

static void *sessions_main(void *ctx) {
    Ends *ends = ctx;
    for (int i = 0; i < 10; i++)
        session_is_resumed(ends->client, ends->server, S("localhost"));
    return NULL;
}

TEST(threads_share_the_contexts) {
    Ends ends;
    pthread_t threads[4];
    ends_open(&ends, S("localhost"), 0, 10);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, sessions_main, &ends) == 0);
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(session_is_resumed(ends.client, ends.server, S("localhost")));
    ends_close(&ends);
}

TEST(an_idle_session_of_a_server_holds_less_than_16_kilobytes) {
    enum { COUNT = 100 };
    Ends ends;
    Pair pairs[COUNT];
    ends_open(&ends, S("localhost"), 0, 10);
    session_is_resumed(ends.client, ends.server, S("localhost"));
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < COUNT; i++) {
        pair_open(&pairs[i], ends.client, ends.server, S("localhost"));
        pair_handshake(&pairs[i]);
        pair_carry(pairs[i].client, pairs[i].server, S("hello"));
        pairs[i].client = tls_close(pairs[i].client);
    }
    size_t each = (mallinfo2().uordblks - before) / COUNT; // a sanitizer's malloc says 0
    print_message("# %zu bytes for each idle session\n", each);
    CHECK(each < 16 * 1024);
    for (int i = 0; i < COUNT; i++)
        pair_close(&pairs[i]);
    ends_close(&ends);
}

TEST_MAIN(CASE(a_session_resumes_the_last_one_with_the_same_host_and_context),
          CASE(both_ends_have_the_same_binding_and_no_other_session_has_it),
          CASE(a_session_of_another_server_or_an_unverified_one_is_not_resumed),
          CASE(servers_that_share_a_key_resume_each_others_sessions),
          CASE(a_context_lives_as_long_as_its_sessions),
          CASE(more_hosts_than_there_is_room_for_cost_only_full_handshakes),
          CASE(threads_share_the_contexts),
          CASE(an_idle_session_of_a_server_holds_less_than_16_kilobytes))
