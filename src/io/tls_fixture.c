// SPDX-License-Identifier: Apache-2.0
#include "io/tls_fixture.h"

#include "base/clock.h"
#include "base/scope.h"
#include "io/file.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOSTS_MAX = 4, CA_DAYS = 400, TURNS_MAX = 1000 };

#define DAY_MS INT64_C(86400000)

static void must(Err err) {
    assert(err.code == OK);
}

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
    must(certificate_make_ca(
        S("test authority"), clock_now_ms(&clock) - 100 * DAY_MS, CA_DAYS, arena, &fixture->ca));
    must(certificate_make_server(&fixture->ca, list, made_ms, days, arena, &fixture->server, NULL));

    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/tls_fixture.XXXXXX");
    assert(mkdtemp(fixture->folder));
    snprintf(fixture->cert_path, sizeof(fixture->cert_path), "%s/cert.pem", fixture->folder);
    snprintf(fixture->key_path, sizeof(fixture->key_path), "%s/key.pem", fixture->folder);
    must(file_save(fixture->cert_path, fixture->server.cert_pem, 0644, NULL));
    must(file_save(fixture->key_path, fixture->server.key_pem, 0600, NULL));
}

void tls_fixture_close(TlsFixture *fixture) {
    must(file_remove(fixture->cert_path, NULL));
    must(file_remove(fixture->key_path, NULL));
    assert(rmdir(fixture->folder) == 0);
    arena_done(&fixture->arena);
}

void pair_open(Pair *pair, TlsContext *client, TlsContext *server, Str host) {
    int fds[2];
    assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    *pair = (Pair){.client_fd = fds[0], .server_fd = fds[1]};
    must(tls_open(client, fds[0], host, &pair->client));
    must(tls_open(server, fds[1], (Str){}, &pair->server));
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
        if (client != TLS_DONE)
            pair->client_err = tls_handshake(pair->client, &client, &pair->client_said);
        if (server != TLS_DONE) pair->server_err = tls_handshake(pair->server, &server, NULL);
        if (pair->client_err.code != OK) client = TLS_DONE;
        if (pair->server_err.code != OK) server = TLS_DONE;
    }
    assert(client == TLS_DONE);
}

void pair_carry(Tls *from, Tls *to, Str text) {
    char got[64];
    size_t len = 0;
    TlsWant want = TLS_WANT_READ;
    must(tls_write(from, text.ptr, text.len, &len, &want));
    assert(want == TLS_DONE && len == text.len);
    want = TLS_WANT_READ;
    for (int turn = 0; turn < TURNS_MAX && want != TLS_DONE; turn++)
        must(tls_read(to, got, sizeof(got), &len, &want));
    assert(str_eq(((Str){got, len}), text));
}

void ends_open(Ends *ends, Str hosts, int64_t age_days, uint32_t days) {
    tls_fixture_open(&ends->files, hosts, age_days, days);
    must(tls_server_context_open(
        ends->files.cert_path, ends->files.key_path, NULL, &ends->server, NULL));
    must(tls_client_context_open(ends->files.ca.cert_pem, &ends->client));
}

void ends_close(Ends *ends) {
    ends->client = tls_context_close(ends->client);
    ends->server = tls_context_close(ends->server);
    tls_fixture_close(&ends->files);
}
