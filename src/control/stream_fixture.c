// SPDX-License-Identifier: Apache-2.0
#include "control/stream_fixture.h"

#include "api/event.h"
#include "base/scope.h"
#include "channel/gateway.h"
#include "db/journal.h"
#include "db/sealer.h"
#include "http/server.h"
#include "io/worker.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_S = 20, SLOW_MS = 30'000, HEAD_MAX = 16 * 1024, EVENT_MAX = 256 * 1024 };

static void must(Err err) {
    if (err.code != OK) fprintf(stderr, "hall: %s\n", err.what);
    assert(err.code == OK);
}

static Id hall_org(Hall *hall) {
    Fixture *fixture = hall->fixture;
    HttpReply org = fixture_call(fixture, "GET", "/v1/org", fixture->token, NULL);
    Id id;
    must(id_parse(fixture_field(&org, "id"), S("org"), &id));
    return id;
}

void hall_open(Hall *hall, Fixture *fixture, uint32_t threads) {
    hall_open_with(hall, fixture, threads, SLOW_MS);
}

void hall_open_with(Hall *hall, Fixture *fixture, uint32_t threads, uint64_t web_ms) {
    *hall = (Hall){.fixture = fixture};
    for (size_t i = 0; i < POOL_COUNT; i++)
        hall->pools[i] = fixture->workers;
    must(server_open(&(ServerOptions){}, fixture->router, hall->pools, &hall->server));
    const GatewayOptions options = {.address = "127.0.0.1",
                                    .threads = threads,
                                    .connections_max = 1024,
                                    .handshake_ms = SLOW_MS,
                                    .web = &server_handlers,
                                    .web_app = hall->server,
                                    .web_ms = web_ms};
    must(gateway_open(&options, fixture->workers, &hall->gateway, NULL));
    hall->org = hall_org(hall);
    hall_seal(hall);
}

void hall_close(Hall *hall) {
    gateway_close(hall->gateway);
    server_close(hall->server);
}

static int listener_connect(const Hall *hall, int receive_bytes) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(gateway_port(hall->gateway)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
    if (receive_bytes)
        assert(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes)) == 0);
    assert(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

/// The head of the answer, byte by byte: what follows stays in the socket.
static ReplyHead listener_head(Listener *listener, bool is_to_head) {
    ReplyHead head = {};
    size_t len = 0;
    text_init(&listener->head, HEAD_MAX);
    while (head_find(text_str(&listener->head), 0, &len).status == 0 && len == 0) {
        char c;
        ssize_t got = recv(listener->fd, &c, 1, 0);
        assert(got == 1);
        text_add_char(&listener->head, c);
    }
    assert(head_read_reply(text_str(&listener->head), is_to_head, &head).status == 0);
    return head;
}

uint32_t listener_open_as(Listener *listener,
                          Hall *hall,
                          const char *method,
                          const char *query,
                          Str token,
                          const char *last_event_id,
                          int receive_bytes) {
    *listener = (Listener){.fd = listener_connect(hall, receive_bytes)};
    char ask[4096];
    int len = snprintf(ask,
                       sizeof(ask),
                       "%s /v1/events%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %.*s\r\n"
                       "%s%s%s\r\n",
                       method,
                       query,
                       STR_FMT(token),
                       last_event_id ? "Last-Event-ID: " : "",
                       last_event_id ? last_event_id : "",
                       last_event_id ? "\r\n" : "");
    assert(len > 0 && (size_t)len < sizeof(ask));
    assert(send(listener->fd, ask, (size_t)len, MSG_NOSIGNAL) == len);
    ReplyHead head = listener_head(listener, strcmp(method, "HEAD") == 0);
    body_init(&listener->body, &head.head);
    sse_reader_init(&listener->reader, EVENT_MAX);
    listener->status = head.status;
    return head.status;
}

uint32_t listener_open(
    Listener *listener, Hall *hall, const char *query, Str token, const char *last_event_id) {
    return listener_open_as(listener, hall, "GET", query, token, last_event_id, 0);
}

/// More of the body; false: it is over, in order or not.
static bool listener_receive(Listener *listener) {
    while (listener->piece.len == 0 && !body_is_done(&listener->body)) {
        if (listener->input.len == 0) {
            ssize_t got = recv(listener->fd, listener->bytes, sizeof(listener->bytes), 0);
            if (got <= 0) return false;
            listener->input = (Str){listener->bytes, (size_t)got};
        }
        must(body_take(&listener->body, &listener->input, &listener->piece));
    }
    return listener->piece.len > 0;
}

static bool listener_next(Listener *listener) {
    bool is_event = false;
    while (!is_event) {
        if (listener->piece.len == 0 && !listener_receive(listener)) return false;
        must(sse_read(&listener->reader, &listener->piece, &is_event));
    }
    return true;
}

bool listener_hear(Listener *listener) {
    bool has_event = listener_next(listener);
    assert(has_event || body_is_done(&listener->body));
    return has_event;
}

static void listener_said(const Listener *listener, const char *wanted) {
    const SseEvent *event = &listener->reader.event;
    fprintf(stderr, "not %s: %.*s %.*s\n", wanted, STR_FMT(event->name), STR_FMT(event->data));
    assert(false);
}

uint64_t listener_expect(Listener *listener, const char *action) {
    char wanted[128];
    uint64_t number;
    assert(listener_hear(listener));
    const SseEvent *event = &listener->reader.event;
    snprintf(wanted, sizeof(wanted), "\"action\":\"%s\"", action);
    if (!str_eq(event->name, S("message"))
        || !memmem(event->data.ptr, event->data.len, wanted, strlen(wanted)))
        listener_said(listener, action);
    must(event_number_parse(event->id, &number));
    snprintf(wanted, sizeof(wanted), "\"number\":%llu", (unsigned long long)number);
    if (!memmem(event->data.ptr, event->data.len, wanted, strlen(wanted)))
        listener_said(listener, wanted);
    return number;
}

void listener_expect_removed(Listener *listener, uint64_t first, uint64_t last) {
    char wanted[128];
    assert(listener_hear(listener));
    const SseEvent *event = &listener->reader.event;
    snprintf(wanted,
             sizeof(wanted),
             "{\"first\":%llu,\"last\":%llu}",
             (unsigned long long)first,
             (unsigned long long)last);
    if (!str_eq(event->name, S(EVENT_REMOVED)) || !str_eq(event->data, str_from(wanted)))
        listener_said(listener, wanted);
    snprintf(wanted, sizeof(wanted), "%llu", (unsigned long long)last);
    assert(str_eq(event->id, str_from(wanted)));
}

void listener_expect_end(Listener *listener) {
    if (listener_hear(listener)) listener_said(listener, "the end");
    char left;
    assert(listener->input.len == 0 && recv(listener->fd, &left, 1, 0) == 0);
}

void listener_expect_whole(Listener *listener, uint64_t number) {
    char wanted[24];
    snprintf(wanted, sizeof(wanted), "%llu", (unsigned long long)number);
    assert(listener_hear(listener));
    const SseEvent *event = &listener->reader.event;
    if (!str_eq(event->name, S(EVENT_END)) || !str_eq(event->data, str_from(wanted)))
        listener_said(listener, wanted);
    listener_expect_end(listener);
}

uint64_t listener_drain(Listener *listener) {
    uint64_t count = 0;
    while (listener_next(listener))
        count++;
    return count;
}

void listener_close(Listener *listener) {
    close(listener->fd);
    sse_reader_done(&listener->reader);
    text_done(&listener->head);
}

void listener_wait_place(Listener *listener, uint64_t number) {
    char wanted[24];
    snprintf(wanted, sizeof(wanted), "%llu", (unsigned long long)number);
    while (strcmp(listener->reader.last_id, wanted) != 0) {
        bool is_event = false;
        bool has_more = listener->piece.len > 0 || listener_receive(listener);
        assert(has_more);
        must(sse_read(&listener->reader, &listener->piece, &is_event));
        if (is_event) listener_said(listener, wanted);
    }
}

void hall_note(
    Hall *hall, EntryClass class, const char *action, const char *subject, size_t bytes) {
    Fixture *fixture = hall->fixture;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 16 << 20);
    SCOPED(tx_closep) Tx *tx = NULL;
    char *detail = arena_chars(&arena, bytes + 3);
    assert(detail);
    memset(detail, 'x', bytes + 2);
    detail[0] = detail[bytes + 1] = '"';
    const Note note = {.org_id = hall->org,
                       .class = class,
                       .at = {fixture->now_ms},
                       .actor = S("somebody"),
                       .action = str_from(action),
                       .subject = str_from(subject),
                       .detail = {bytes ? (Str){detail, bytes + 2} : (Str){}}};
    must(tx_open(fixture->app.db, &arena, id_str(&hall->org), &tx));
    must(tx_note(tx, &note));
    must(tx_commit(tx, NULL));
}

uint64_t hall_seal(Hall *hall) {
    App *app = &hall->fixture->app;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    SCOPED(tx_closep) Tx *tx = NULL;
    Checkpoint end;
    must(sealer_flush(app->sealer));
    must(tx_open(app->db, &arena, id_str(&hall->org), &tx));
    must(journal_end(tx, &arena, &hall->org, app->key.public, &end));
    return end.number;
}
