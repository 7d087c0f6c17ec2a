// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/engine_fixture.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FAKE_PATIENCE_MS = 20'000, FAKE_LOOK_MS = 5 };

static const FakeAnswer fake_unknown = {"", 404, "{\"message\":\"no such thing\"}", false, NULL};
static const FakeAnswer fake_version = {
    "GET /version",
    200,
    "{\"Version\":\"99.0\",\"ApiVersion\":\"1.99\",\"MinAPIVersion\":\"1.24\"}",
    false,
    NULL};

static bool fake_begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static size_t fake_count(const FakeEngine *fake, const char *request) {
    size_t count = 0;
    for (size_t i = 0; i < fake->served; i++)
        count += fake_begins(fake->requests[i], request);
    return count;
}

static FakeAnswer fake_find(FakeEngine *fake, const char *request) {
    for (size_t i = fake->count; i > 0; i--) {
        const FakeAnswer *answer = &fake->answers[i - 1];
        if (fake_begins(request, answer->request)
            && (!answer->after || fake_count(fake, answer->after) > 0))
            return *answer;
    }
    return fake_begins(request, fake_version.request) ? fake_version : fake_unknown;
}

/// Whoever asked may have heard enough, and be gone.
static void fake_send(int fd, const char *text) {
    ssize_t sent = send(fd, text, strlen(text), MSG_NOSIGNAL);
    assert(sent == (ssize_t)strlen(text) || errno == EPIPE);
}

static void fake_hang_up(FakeConnection *connection) {
    close(connection->fd);
    connection->fd = -1;
    connection->len = 0;
}

static void fake_answer(FakeEngine *fake, FakeConnection *connection) {
    pthread_mutex_lock(&fake->lock);
    FakeAnswer answer = fake_find(fake, connection->bytes);
    assert(fake->served < FAKE_REQUESTS_MAX);
    fake->requests[fake->served++] = strdup(connection->bytes);
    pthread_mutex_unlock(&fake->lock);
    connection->len = 0;
    if (answer.status) {
        char head[128];
        snprintf(head,
                 sizeof(head),
                 "HTTP/1.1 %u .\r\nContent-Length: %zu\r\n\r\n",
                 answer.status,
                 answer.body && answer.status != 304 ? strlen(answer.body) : 0);
        fake_send(connection->fd, head);
    }
    if (answer.body && answer.status != 304) fake_send(connection->fd, answer.body);
    if (answer.hangs_up) fake_hang_up(connection);
}

static bool fake_is_whole(const FakeConnection *connection) {
    const char *end = strstr(connection->bytes, "\r\n\r\n");
    const char *length = strstr(connection->bytes, "Content-Length: ");
    return end
           && connection->len >= (size_t)(end - connection->bytes) + 4
                                     + (length ? strtoul(length + 16, NULL, 10) : 0);
}

static void fake_read(FakeEngine *fake, FakeConnection *connection) {
    char *at = connection->bytes + connection->len;
    size_t room = sizeof(connection->bytes) - 1 - connection->len;
    assert(room > 0);
    ssize_t got = recv(connection->fd, at, room, 0);
    if (got <= 0) {
        fake_hang_up(connection);
        return;
    }
    connection->len += (size_t)got;
    connection->bytes[connection->len] = '\0';
    if (fake_is_whole(connection)) fake_answer(fake, connection);
}

static void fake_accept(FakeEngine *fake) {
    for (size_t i = 0; i < FAKE_CONNECTIONS_MAX; i++) {
        if (fake->connections[i].fd >= 0) continue;
        fake->connections[i].fd = accept(fake->listener, NULL, NULL);
        return;
    }
    assert(false); // more connections than anybody should open
}

static void *fake_main(void *arg) {
    FakeEngine *fake = arg;
    for (;;) {
        struct pollfd polled[FAKE_CONNECTIONS_MAX + 2];
        for (size_t i = 0; i < FAKE_CONNECTIONS_MAX; i++)
            polled[i] = (struct pollfd){.fd = fake->connections[i].fd, .events = POLLIN};
        struct pollfd *listener = &polled[FAKE_CONNECTIONS_MAX], *end = listener + 1;
        *listener = (struct pollfd){.fd = fake->listener, .events = POLLIN};
        *end = (struct pollfd){.fd = fake->ends[0], .events = POLLIN};
        assert(poll(polled, FAKE_CONNECTIONS_MAX + 2, -1) > 0);
        if (end->revents) break;
        for (size_t i = 0; i < FAKE_CONNECTIONS_MAX; i++)
            if (polled[i].revents) fake_read(fake, &fake->connections[i]);
        if (listener->revents) fake_accept(fake);
    }
    for (size_t i = 0; i < FAKE_CONNECTIONS_MAX; i++)
        if (fake->connections[i].fd >= 0) fake_hang_up(&fake->connections[i]);
    return NULL;
}

FakeEngine *fake_start(const FakeAnswer *answers, size_t count) {
    FakeEngine *fake = calloc(1, sizeof(*fake));
    assert(fake);
    fake->answers = answers;
    fake->count = count;
    for (size_t i = 0; i < FAKE_CONNECTIONS_MAX; i++)
        fake->connections[i].fd = -1;
    snprintf(fake->folder, sizeof(fake->folder), "/tmp/fake_engine.XXXXXX");
    assert(mkdtemp(fake->folder) && pipe(fake->ends) == 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(fake->path, sizeof(fake->path), "%s/socket", fake->folder);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", fake->path);
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(bind(fake->listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    assert(listen(fake->listener, FAKE_CONNECTIONS_MAX) == 0);
    pthread_mutex_init(&fake->lock, NULL);
    assert(pthread_create(&fake->thread, NULL, fake_main, fake) == 0);
    return fake;
}

void fake_stop(FakeEngine *fake) {
    close(fake->ends[1]);
    assert(pthread_join(fake->thread, NULL) == 0);
    close(fake->ends[0]);
    close(fake->listener);
    assert(unlink(fake->path) == 0 && rmdir(fake->folder) == 0);
    for (size_t i = 0; i < fake->served; i++)
        free(fake->requests[i]);
    pthread_mutex_destroy(&fake->lock);
    free(fake);
}

void fake_change(FakeEngine *fake, const FakeAnswer *answers, size_t count) {
    pthread_mutex_lock(&fake->lock);
    fake->answers = answers;
    fake->count = count;
    pthread_mutex_unlock(&fake->lock);
}

size_t fake_heard(FakeEngine *fake, const char *request) {
    pthread_mutex_lock(&fake->lock);
    size_t count = fake_count(fake, request);
    pthread_mutex_unlock(&fake->lock);
    return count;
}

bool fake_was_told(FakeEngine *fake, const char *request, const char *part) {
    const char *last = NULL;
    pthread_mutex_lock(&fake->lock);
    for (size_t i = 0; i < fake->served; i++)
        if (fake_begins(fake->requests[i], request)) last = fake->requests[i];
    pthread_mutex_unlock(&fake->lock);
    return last && strstr(last, part);
}

bool fake_wait(FakeEngine *fake, const char *request, size_t times) {
    for (int waited = 0; waited < FAKE_PATIENCE_MS; waited += FAKE_LOOK_MS) {
        if (fake_heard(fake, request) >= times) return true;
        poll(NULL, 0, FAKE_LOOK_MS);
    }
    return false;
}
