// SPDX-License-Identifier: Apache-2.0
#include "io/tls_fixture.h"

#include "base/clock.h"
#include "base/scope.h"
#include "io/file.h"

#include "test.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOSTS_MAX = 4, CA_DAYS = 400, TURNS_MAX = 1000 };

#define DAY_MS INT64_C(86400000)

void tls_fixture_open(TlsFixture *fixture, Str hosts, int64_t age_days, uint32_t days) {
    *fixture = (TlsFixture){};
    arena_init(&fixture->arena, 1 << 16);
    Clock clock = clock_system();
    uint64_t made_ms = (uint64_t)((int64_t)clock_now_ms(&clock) - age_days * DAY_MS);
    Str items[HOSTS_MAX];
    StrList list = {items, 0};
    while (list.count < HOSTS_MAX && str_cut(&hosts, ',', &items[list.count]))
        list.count++;
    Arena *arena = &fixture->arena;
    CHECK_OK(certificate_make_ca(
        S("test authority"), clock_now_ms(&clock) - 100 * DAY_MS, CA_DAYS, arena, &fixture->ca));
    CHECK_OK(certificate_make_server(&fixture->ca, list, made_ms, days, arena, &fixture->server));

    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/tls_fixture.XXXXXX");
    CHECK(mkdtemp(fixture->folder));
    snprintf(fixture->cert_path, sizeof(fixture->cert_path), "%s/cert.pem", fixture->folder);
    snprintf(fixture->key_path, sizeof(fixture->key_path), "%s/key.pem", fixture->folder);
    CHECK_OK(file_save(fixture->cert_path, fixture->server.cert_pem, 0644));
    CHECK_OK(file_save(fixture->key_path, fixture->server.key_pem, 0600));
}

void tls_fixture_close(TlsFixture *fixture) {
    CHECK_OK(file_remove(fixture->cert_path));
    CHECK_OK(file_remove(fixture->key_path));
    CHECK(rmdir(fixture->folder) == 0);
    arena_done(&fixture->arena);
}

void pair_open(Pair *pair, TlsContext *client, TlsContext *server, Str host) {
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    *pair = (Pair){.client_fd = fds[0], .server_fd = fds[1]};
    CHECK_OK(tls_open(client, fds[0], host, &pair->client));
    CHECK_OK(tls_open(server, fds[1], (Str){}, &pair->server));
}

void pair_close(Pair *pair) {
    pair->client = tls_close(pair->client);
    pair->server = tls_close(pair->server);
    fd_closep(&pair->client_fd);
    fd_closep(&pair->server_fd);
}

void pair_handshake(Pair *pair) {
    TlsWant client = TLS_WANT_WRITE, server = TLS_WANT_READ;
    pair->client_err = pair->server_err = SUCCESS;
    for (int turn = 0; turn < TURNS_MAX && (client != TLS_DONE || server != TLS_DONE); turn++) {
        if (client != TLS_DONE) pair->client_err = tls_handshake(pair->client, &client);
        if (server != TLS_DONE) pair->server_err = tls_handshake(pair->server, &server);
        if (pair->client_err.code != OK) client = TLS_DONE;
        if (pair->server_err.code != OK) server = TLS_DONE;
    }
    CHECK(client == TLS_DONE);
}

void pair_carry(Tls *from, Tls *to, Str text) {
    char got[64];
    size_t len = 0;
    TlsWant want = TLS_WANT_READ;
    CHECK_OK(tls_write(from, text.ptr, text.len, &len, &want));
    CHECK(want == TLS_DONE && len == text.len);
    want = TLS_WANT_READ;
    for (int turn = 0; turn < TURNS_MAX && want != TLS_DONE; turn++)
        CHECK_OK(tls_read(to, got, sizeof(got), &len, &want));
    CHECK_STR(((Str){got, len}), text);
}

void ends_open(Ends *ends, Str hosts, int64_t age_days, uint32_t days) {
    tls_fixture_open(&ends->files, hosts, age_days, days);
    CHECK_OK(tls_server_context_open(ends->files.cert_path, ends->files.key_path, &ends->server));
    CHECK_OK(tls_client_context_open(ends->files.ca.cert_pem, &ends->client));
}

void ends_close(Ends *ends) {
    ends->client = tls_context_close(ends->client);
    ends->server = tls_context_close(ends->server);
    tls_fixture_close(&ends->files);
}
