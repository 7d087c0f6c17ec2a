// SPDX-License-Identifier: Apache-2.0
/// Who is trusted, and how bytes and ends pass.
#include "io/tls_fixture.h"

#include "base/scope.h"

#include "test.h"

#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURNS_MAX = 1000 };

/// The outcome of a client's handshake with a server for `hosts`.
static Err outcome_said(Str hosts, int64_t age_days, uint32_t days, Str host, Reason *reason) {
    Ends ends;
    Pair pair;
    ends_open(&ends, hosts, age_days, days);
    pair_open(&pair, ends.client, ends.server, host);
    pair_handshake(&pair);
    pair_close(&pair);
    ends_close(&ends);
    *reason = pair.client_said;
    return pair.client_err;
}

static Err outcome(Str hosts, int64_t age_days, uint32_t days, Str host) {
    Reason ignored;
    return outcome_said(hosts, age_days, days, host, &ignored);
}

TEST(a_verified_session_carries_bytes_both_ways) {
    Ends ends;
    Pair pair;
    ends_open(&ends, S("localhost"), 0, 10);
    pair_open(&pair, ends.client, ends.server, S("localhost"));
    pair_handshake(&pair);
    CHECK_OK(pair.client_err);
    CHECK_OK(pair.server_err);
    pair_carry(pair.client, pair.server, S("ping"));
    pair_carry(pair.server, pair.client, S("pong"));
    CHECK(!tls_is_resumed(pair.client) && !tls_is_resumed(pair.server));
    pair_close(&pair);
    ends_close(&ends);
}

TEST(bytes_that_were_decrypted_already_are_pending) {
    Ends ends;
    Pair pair;
    ends_open(&ends, S("localhost"), 0, 10);
    pair_open(&pair, ends.client, ends.server, S("localhost"));
    pair_handshake(&pair);
    size_t len = 0;
    TlsWant want = TLS_WANT_READ;
    char got[4];
    CHECK_OK(tls_write(pair.client, "12345678", 8, &len, &want));
    CHECK(!tls_pending(pair.server));
    CHECK_OK(tls_read(pair.server, got, 4, &len, &want));
    CHECK(len == 4 && tls_pending(pair.server));
    CHECK_OK(tls_read(pair.server, got, 4, &len, &want));
    CHECK(len == 4 && !tls_pending(pair.server));
    CHECK_OK(tls_read(pair.server, got, 4, &len, &want));
    CHECK(len == 0 && want == TLS_WANT_READ);
    pair_close(&pair);
    ends_close(&ends);
}

/// Tickets, which are no data, came with the end of the handshake: after all of them is read.
TEST(who_wants_to_read_has_nothing_pending) {
    Ends ends;
    Pair pair;
    ends_open(&ends, S("localhost"), 0, 10);
    pair_open(&pair, ends.client, ends.server, S("localhost"));
    pair_handshake(&pair);
    size_t len = 0;
    TlsWant want = TLS_DONE;
    char got[8];
    CHECK(tls_pending(pair.client));
    CHECK_OK(tls_read(pair.client, got, sizeof(got), &len, &want));
    CHECK(want == TLS_WANT_READ && !tls_pending(pair.client));
    pair_close(&pair);
    ends_close(&ends);
}

TEST(records_that_came_at_once_are_pending) {
    Ends ends;
    Pair pair;
    ends_open(&ends, S("localhost"), 0, 10);
    pair_open(&pair, ends.client, ends.server, S("localhost"));
    pair_handshake(&pair);
    static char sent[40'000], got[sizeof(sent)];
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (char)('a' + i % 23);
    static const size_t lens[] = {1, 100, 3, 2500, 1, 16'000, 5};
    for (size_t i = 0, at = 0; i < sizeof(lens) / sizeof(lens[0]); at += lens[i++]) {
        size_t len = 0;
        TlsWant want = TLS_WANT_READ;
        CHECK_OK(tls_write(pair.client, sent + at, lens[i], &len, &want));
        CHECK(len == lens[i]);
    }
    CHECK(!tls_pending(pair.server)); // nobody has looked yet
    size_t at = 0;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        size_t len = 0;
        TlsWant want = TLS_WANT_READ;
        CHECK_OK(tls_read(pair.server, got + at, sizeof(got) - at, &len, &want));
        CHECK(len == lens[i]); // a record each
        if (i == 0) CHECK(tls_pending(pair.server));
        at += len;
    }
    CHECK(!tls_pending(pair.server) && memcmp(sent, got, at) == 0);
    pair_close(&pair);
    ends_close(&ends);
}

#define CHECK_REFUSED(expr, word)                                          \
    do {                                                                   \
        Err refused_ = (expr);                                             \
        CHECK(refused_.code == ERR_UNAUTHENTICATED);                       \
        if (!strstr(refused_.what, (word))) fail_msg("%s", refused_.what); \
    } while (0)

TEST(a_server_for_another_host_is_refused) {
    CHECK_OK(outcome(S("one,two"), 0, 10, S("two")));
    CHECK_REFUSED(outcome(S("one,two"), 0, 10, S("three")), "another host");
}

TEST(a_certificate_out_of_its_days_is_refused) {
    CHECK_REFUSED(outcome(S("one"), 20, 10, S("one")), "expired");
    CHECK_REFUSED(outcome(S("one"), -5, 10, S("one")), "not valid yet");
}

TEST(a_client_may_go_on_whatever_the_day_is) {
    static const int64_t ages[] = {20, -5};
    for (size_t i = 0; i < 2; i++) {
        Ends ends;
        Pair pair;
        ends_open(&ends, S("one"), ages[i], 10);
        tls_client_context_ignore_days(ends.client);
        pair_open(&pair, ends.client, ends.server, S("one"));
        pair_handshake(&pair);
        CHECK_OK(pair.client_err);
        pair_close(&pair);
        pair_open(&pair, ends.client, ends.server, S("two"));
        pair_handshake(&pair);
        CHECK_REFUSED(pair.client_err, "another host");
        pair_close(&pair);
        ends_close(&ends);
    }
}

TEST(a_refused_certificate_has_the_librarys_words) {
    Reason reason;
    CHECK_ERR(outcome_said(S("one"), 0, 10, S("two"), &reason), ERR_UNAUTHENTICATED);
    CHECK_SAID(reason, "does not match the expected");
    CHECK_ERR(outcome_said(S("one"), 20, 10, S("one"), &reason), ERR_UNAUTHENTICATED);
    CHECK_SAID(reason, "expired");
    CHECK_OK(outcome_said(S("one"), 0, 10, S("one"), &reason));
    CHECK_STR(str_from(reason.text), S(""));
}

TEST(an_address_is_a_host_too) {
    CHECK_OK(outcome(S("127.0.0.1,::1"), 0, 10, S("127.0.0.1")));
    CHECK_OK(outcome(S("127.0.0.1,::1"), 0, 10, S("::1")));
    CHECK_REFUSED(outcome(S("127.0.0.1,::1"), 0, 10, S("127.0.0.2")), "another host");
    CHECK_REFUSED(outcome(S("localhost"), 0, 10, S("127.0.0.1")), "another host");
}

TEST(an_authority_that_is_not_trusted_is_refused) {
    Ends ends, other;
    Pair pair;
    ends_open(&ends, S("localhost"), 0, 10);
    ends_open(&other, S("localhost"), 0, 10);
    pair_open(&pair, other.client, ends.server, S("localhost"));
    pair_handshake(&pair);
    CHECK_REFUSED(pair.client_err, "not trusted");
    CHECK_SAID(pair.client_said, "issuer is unknown");
    TlsWant want = TLS_DONE;
    Err err = pair.server_err; // the server hears of it, in TLS 1.3 after its own handshake
    char got[8];
    size_t len = 0;
    if (err.code == OK) err = tls_read(pair.server, got, sizeof(got), &len, &want);
    CHECK(err.code == ERR_UNAVAILABLE);
    pair_close(&pair);
    ends_close(&ends);
    ends_close(&other);
}

TEST(an_authority_known_by_its_fingerprint_is_fetched_and_then_trusted) {
    Ends ends;
    Pair pair;
    ends_open(&ends, S("localhost"), 0, 10);
    char fingerprint[CERTIFICATE_FINGERPRINT_LEN + 1];
    CHECK_OK(certificate_fingerprint(ends.files.ca.cert_pem, fingerprint, NULL));
    TlsContext *stranger = NULL;
    CHECK_OK(tls_client_context_open((Str){}, &stranger));
    pair_open(&pair, stranger, ends.server, S("localhost"));
    pair_handshake(&pair);
    CHECK_OK(pair.client_err);

    Str pem = {};
    CHECK_OK(tls_peer_ca(pair.client, str_from(fingerprint), &ends.files.arena, &pem));
    fingerprint[5] = fingerprint[5] == '0' ? '1' : '0';
    Str none = {};
    CHECK_ERR(tls_peer_ca(pair.client, str_from(fingerprint), &ends.files.arena, &none),
              ERR_UNAUTHENTICATED);
    CHECK_ERR(tls_peer_ca(pair.client, (Str){}, &ends.files.arena, &none), ERR_UNAUTHENTICATED);
    CHECK(!none.ptr);
    pair_close(&pair);
    tls_context_close(stranger);

    TlsContext *friend = NULL;
    CHECK_OK(tls_client_context_open(pem, &friend));
    pair_open(&pair, friend, ends.server, S("localhost"));
    pair_handshake(&pair);
    CHECK_OK(pair.client_err);
    pair_close(&pair);
    tls_context_close(friend);
    ends_close(&ends);
}

/// One direction of a large transfer.
typedef struct Flow {
    Tls *from, *to;
    unsigned char *sent, *received;
    size_t size, put, got;
    unsigned waits;
} Flow;

static void flow_step(Flow *flow) {
    size_t len = 0;
    TlsWant want = TLS_DONE;
    while (flow->put < flow->size && want == TLS_DONE) {
        CHECK_OK(
            tls_write(flow->from, flow->sent + flow->put, flow->size - flow->put, &len, &want));
        flow->put += len;
        flow->waits += want == TLS_WANT_WRITE;
    }
    want = TLS_DONE;
    while (flow->got < flow->size && want == TLS_DONE) {
        CHECK_OK(
            tls_read(flow->to, flow->received + flow->got, flow->size - flow->got, &len, &want));
        flow->got += len;
        flow->waits += want == TLS_WANT_READ;
    }
}

TEST(much_passes_in_both_directions_at_once_through_small_sockets) {
    Ends ends;
    Pair pair;
    ends_open(&ends, S("localhost"), 0, 10);
    pair_open(&pair, ends.client, ends.server, S("localhost"));
    pair_handshake(&pair);
    int small = 4096;
    CHECK(setsockopt(pair.client_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0);
    CHECK(setsockopt(pair.server_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0);
    enum { SIZE = 3'000'000 };
    unsigned char *bytes = malloc(SIZE), *there = calloc(1, SIZE), *back = calloc(1, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(i * 2654435761U >> 24);
    Flow up = {pair.client, pair.server, bytes, there, SIZE, 0, 0, 0};
    Flow down = {pair.server, pair.client, bytes, back, SIZE, 0, 0, 0};
    for (int turn = 0; turn < 100 * TURNS_MAX && (up.got < SIZE || down.got < SIZE); turn++) {
        flow_step(&up);
        flow_step(&down);
    }
    CHECK(up.waits > 100 && down.waits > 100);
    CHECK(memcmp(bytes, there, SIZE) == 0 && memcmp(bytes, back, SIZE) == 0);
    free(bytes);
    free(there);
    free(back);
    pair_close(&pair);
    ends_close(&ends);
}

TEST(an_orderly_end_is_told_from_a_broken_connection) {
    Ends ends;
    Pair pair;
    char got[8];
    size_t len = 9;
    TlsWant want = TLS_WANT_READ;
    ends_open(&ends, S("localhost"), 0, 10);
    pair_open(&pair, ends.client, ends.server, S("localhost"));
    pair_handshake(&pair);
    tls_bye(pair.client);
    CHECK_OK(tls_read(pair.server, got, sizeof(got), &len, &want));
    CHECK(len == 0 && want == TLS_DONE);
    pair_close(&pair);

    pair_open(&pair, ends.client, ends.server, S("localhost"));
    pair_handshake(&pair);
    close(TAKE_FD(pair.client_fd));
    CHECK_ERR(tls_read(pair.server, got, sizeof(got), &len, &want), ERR_UNAVAILABLE);
    pair_close(&pair);
    ends_close(&ends);
}

TEST(writing_to_a_peer_that_went_away_is_an_error_and_no_signal) {
    Ends ends;
    Pair pair;
    ends_open(&ends, S("localhost"), 0, 10);
    pair_open(&pair, ends.client, ends.server, S("localhost"));
    pair_handshake(&pair);
    close(TAKE_FD(pair.client_fd));
    size_t len = 0;
    TlsWant want = TLS_DONE;
    Err err = SUCCESS;
    for (int turn = 0; turn < 3 && err.code == OK; turn++)
        err = tls_write(pair.server, "x", 1, &len, &want);
    CHECK(err.code == ERR_UNAVAILABLE);
    tls_bye(pair.server);
    pair_close(&pair);
    ends_close(&ends);
}

TEST(whoever_does_not_speak_tls_is_turned_away) {
    Ends ends;
    Pair pair;
    TlsWant want = TLS_DONE;
    ends_open(&ends, S("localhost"), 0, 10);
    pair_open(&pair, ends.client, ends.server, S("localhost"));
    CHECK(write(pair.client_fd, "GET / HTTP/1.1\r\n\r\n", 18) == 18);
    CHECK_ERR(tls_handshake(pair.server, &want, NULL), ERR_UNAVAILABLE);
    pair_close(&pair);

    pair_open(&pair, ends.client, ends.server, S("localhost"));
    CHECK_OK(tls_handshake(pair.client, &want, NULL));
    CHECK(want == TLS_WANT_READ);
    close(TAKE_FD(pair.server_fd));
    CHECK_ERR(tls_handshake(pair.client, &want, NULL), ERR_UNAVAILABLE);
    pair_close(&pair);
    ends_close(&ends);
}

/// What a bare GnuTLS client with these priorities makes of our server; and whether our end of a
/// session with it has a channel binding.
static bool
foreign_client_is_served(TlsContext *server, const char *priorities, bool *ret_is_bound) {
    int fds[2];
    Tls *tls = NULL;
    gnutls_session_t client;
    gnutls_certificate_credentials_t nobody;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    CHECK_OK(tls_open(server, fds[1], (Str){}, &tls));
    CHECK(gnutls_init(&client, GNUTLS_CLIENT | GNUTLS_NONBLOCK) == 0);
    CHECK(gnutls_certificate_allocate_credentials(&nobody) == 0);
    CHECK(gnutls_priority_set_direct(client, priorities, NULL) == 0);
    CHECK(gnutls_credentials_set(client, GNUTLS_CRD_CERTIFICATE, nobody) == 0);
    gnutls_transport_set_int(client, fds[0]);
    TlsWant want = TLS_WANT_READ;
    Err err = SUCCESS;
    int status = GNUTLS_E_AGAIN;
    for (int turn = 0; turn < TURNS_MAX && err.code == OK; turn++) {
        if (status == GNUTLS_E_AGAIN) status = gnutls_handshake(client);
        if (want != TLS_DONE) err = tls_handshake(tls, &want, NULL);
    }
    uint8_t binding[TLS_BINDING_LEN];
    *ret_is_bound = tls_session_binding(tls, binding).code == OK;
    gnutls_deinit(client);
    gnutls_certificate_free_credentials(nobody);
    tls_close(tls);
    close(fds[0]);
    close(fds[1]);
    return status == 0 && err.code == OK && want == TLS_DONE;
}

TEST(tls_is_of_version_1_3_or_1_2_and_no_other) {
    Ends ends;
    bool is_bound = false;
    ends_open(&ends, S("localhost"), 0, 10);
    CHECK(foreign_client_is_served(ends.server, "NORMAL:-VERS-ALL:+VERS-TLS1.3", &is_bound));
    CHECK(is_bound);
    CHECK(foreign_client_is_served(ends.server, "NORMAL:-VERS-ALL:+VERS-TLS1.2", &is_bound));
    CHECK(is_bound);
    CHECK(!foreign_client_is_served(ends.server, "NORMAL:-VERS-ALL:+VERS-TLS1.1", &is_bound));
    ends_close(&ends);
}

TEST(without_an_extended_master_secret_there_is_no_binding) {
    Ends ends;
    bool is_bound = true;
    ends_open(&ends, S("localhost"), 0, 10);
    CHECK(foreign_client_is_served(
        ends.server, "NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH", &is_bound));
    CHECK(!is_bound);
    ends_close(&ends);
}

TEST(files_that_hold_no_matching_certificate_and_key_are_refused) {
    Ends ends, other;
    TlsContext *none = NULL;
    ends_open(&ends, S("localhost"), 0, 10);
    ends_open(&other, S("localhost"), 0, 10);
    Reason reason = {};
    Err err =
        tls_server_context_open("/nowhere/cert.pem", ends.files.key_path, NULL, &none, &reason);
    CHECK(err.code == ERR_SYSTEM && err.sys == ENOENT);
    CHECK_STR(str_from(reason.text), S("/nowhere/cert.pem"));
    err = tls_server_context_open(ends.files.cert_path, "/nowhere/key.pem", NULL, &none, &reason);
    CHECK(err.code == ERR_SYSTEM && err.sys == ENOENT);
    CHECK_STR(str_from(reason.text), S("/nowhere/key.pem"));
    CHECK_ERR(
        tls_server_context_open(ends.files.cert_path, other.files.key_path, NULL, &none, &reason),
        ERR_INVALID);
    CHECK_SAID(reason, ends.files.cert_path);
    CHECK_SAID(reason, other.files.key_path);
    CHECK_ERR(tls_server_context_open(ends.files.key_path, ends.files.key_path, NULL, &none, NULL),
              ERR_INVALID);
    CHECK_ERR(tls_client_context_open(S("no certificate"), &none), ERR_INVALID);
    CHECK_ERR(tls_client_context_open(S(""), &none), ERR_INVALID);
    CHECK(!none);
    CHECK(!tls_context_close(NULL) && !tls_close(NULL));
    ends_close(&ends);
    ends_close(&other);
}

TEST_MAIN(CASE(a_verified_session_carries_bytes_both_ways),
          CASE(bytes_that_were_decrypted_already_are_pending),
          CASE(who_wants_to_read_has_nothing_pending),
          CASE(records_that_came_at_once_are_pending),
          CASE(a_server_for_another_host_is_refused),
          CASE(a_certificate_out_of_its_days_is_refused),
          CASE(a_client_may_go_on_whatever_the_day_is),
          CASE(a_refused_certificate_has_the_librarys_words),
          CASE(an_address_is_a_host_too),
          CASE(an_authority_that_is_not_trusted_is_refused),
          CASE(an_authority_known_by_its_fingerprint_is_fetched_and_then_trusted),
          CASE(much_passes_in_both_directions_at_once_through_small_sockets),
          CASE(an_orderly_end_is_told_from_a_broken_connection),
          CASE(writing_to_a_peer_that_went_away_is_an_error_and_no_signal),
          CASE(whoever_does_not_speak_tls_is_turned_away),
          CASE(tls_is_of_version_1_3_or_1_2_and_no_other),
          CASE(without_an_extended_master_secret_there_is_no_binding),
          CASE(files_that_hold_no_matching_certificate_and_key_are_refused))
