// SPDX-License-Identifier: Apache-2.0
#include "http/server_fixture.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void must(Err err) {
    if (err.code != OK) fprintf(stderr, "fixture: %s\n", err.what);
    assert(err.code == OK);
}

Err host_ready(void *app) {
    Host *host = app;
    if (!host->is_held) return host->readiness;
    sem_post(&host->running);
    sem_wait(&host->leave);
    return host->readiness;
}

void job_hold(void *arg) {
    Host *host = arg;
    sem_post(&host->running);
    sem_wait(&host->leave);
}

void host_open_with(Host *host, GatewayOptions options, WorkerOptions workers) {
    *host = (Host){};
    sem_init(&host->running, 0, 0);
    sem_init(&host->leave, 0, 0);
    fixture_open(&host->fixture);
    must(worker_pool_open(&workers, &host->workers));
    host->pools[0] = host->pools[1] = host->workers;
    options.address = "127.0.0.1";
    options.connections_max = 32;
    if (!options.handshake_ms) options.handshake_ms = WITHIN_MS;
    if (!options.threads) options.threads = 1;
    const ServerOptions probe = {.ready = host_ready, .app = host};
    must(server_open(&probe, host->fixture.router, host->pools, &host->server));
    options.web = &server_handlers;
    options.web_app = host->server;
    must(gateway_open(&options, host->workers, &host->gateway, NULL));
    snprintf(host->url,
             sizeof(host->url),
             "%s://127.0.0.1:%u",
             options.cert_path ? "https" : "http",
             gateway_port(host->gateway));
}

HttpClient *client_open(const Host *host, const char *ca_path) {
    HttpClient *client = NULL;
    must(http_client_open(
        &(HttpClientOptions){.base_url = host->url, .user_agent = "test", .ca_path = ca_path},
        &client));
    return client;
}

void host_open(Host *host) {
    host_open_with(host, (GatewayOptions){}, (WorkerOptions){2, 16});
    host->client = client_open(host, NULL);
}

void host_close(Host *host) {
    http_client_close(host->client);
    gateway_close(host->gateway);
    server_close(host->server);
    worker_pool_close(host->workers);
    fixture_close(&host->fixture);
    sem_destroy(&host->running);
    sem_destroy(&host->leave);
}

/// One exchange; gives the status, and what the answer said into `ret_answer` unless that is NULL.
uint32_t
client_ask(HttpClient *client, const char *method, Str target, Str body, HttpAnswer *ret_answer) {
    HttpAnswer answer = {};
    must(http_client_call(client,
                          &(HttpCall){.method = method,
                                      .target = target,
                                      .bearer = S("writer"),
                                      .body = body,
                                      .within_ms = WITHIN_MS,
                                      .reply_max = REPLY_MAX},
                          &answer,
                          NULL));
    if (ret_answer)
        *ret_answer = answer;
    else
        text_done(&answer.body);
    return answer.status;
}

uint32_t ask(Host *host, const char *method, Str target, Str body) {
    return client_ask(host->client, method, target, body, NULL);
}

/// A connection without a client's manners; -1: refused.
int raw_open(const Host *host) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = WITHIN_MS / 1000};
    assert(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(gateway_port(host->gateway)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) return fd;
    close(fd);
    return -1;
}

void raw_send(int fd, const char *text) {
    assert(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

/// What comes until the peer closes; it may do so with a reset when it has not read everything.
const char *raw_read_all(int fd, char bytes[static REPLY_MAX]) {
    size_t len = 0;
    ssize_t got;
    while ((got = recv(fd, bytes + len, REPLY_MAX - 1 - len, 0)) > 0)
        len += (size_t)got;
    assert(got == 0 || errno == ECONNRESET);
    bytes[len] = '\0';
    close(fd);
    return bytes;
}

/// The whole answer to `request`, which must ask to close.
const char *raw_ask(const Host *host, const char *request, char bytes[static REPLY_MAX]) {
    int fd = raw_open(host);
    assert(fd >= 0);
    raw_send(fd, request);
    return raw_read_all(fd, bytes);
}
