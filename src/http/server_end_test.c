// SPDX-License-Identifier: Apache-2.0
// How a connection, a request and the server itself end, over real sockets.
#include "base/clock.h"
#include "http/server_fixture.h"
#include "io/file.h"
#include "io/tls_fixture.h"
#include "test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TEST(a_peer_may_go_away_while_its_handler_runs) {
    Host host;
    host_open(&host);
    host.is_held = true;
    int fd = raw_open(&host);
    raw_send(fd, HEAD("GET /readyz") "\r\n");
    sem_wait(&host.running);
    struct linger abort_it = {.l_onoff = 1};
    CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof(abort_it)) == 0);
    close(fd); // a reset
    CHECK(ask(&host, "GET", S("/healthz"), (Str){}) == 200);
    sem_post(&host.leave);
    CHECK(ask(&host, "GET", S("/v1/boxes/red"), (Str){}) == 200);
    host_close(&host);
}

static void *close_run(void *arg) {
    Host *host = arg;
    host->gateway = gateway_close(host->gateway);
    return NULL;
}

/// Until nobody is let in any more.
static void wait_for_refusal(const Host *host) {
    uint64_t until_ms = clock_monotonic_ms() + WITHIN_MS;
    for (int fd = raw_open(host); fd >= 0; fd = raw_open(host)) {
        close(fd);
        CHECK(clock_monotonic_ms() < until_ms);
    }
}

TEST(closing_waits_for_the_handlers) {
    Host host;
    host_open(&host);
    host.is_held = true;
    int held = raw_open(&host);
    raw_send(held, HEAD("GET /readyz") "\r\n");
    sem_wait(&host.running);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, close_run, &host) == 0);
    wait_for_refusal(&host);
    CHECK(pthread_tryjoin_np(thread, NULL) == EBUSY);
    sem_post(&host.leave);
    pthread_join(thread, NULL);
    CHECK(!host.gateway);
    close(held);
    host_close(&host);
}

static void *drain_run(void *arg) {
    Host *host = arg;
    server_drain(host->server, host->gateway, WITHIN_MS);
    return NULL;
}

TEST(draining_answers_what_is_under_way_and_lets_nobody_in) {
    Host host;
    host_open(&host);
    CHECK(ask(&host, "GET", S("/healthz"), (Str){}) == 200); // its connection is kept
    host.is_held = true;
    int held = raw_open(&host);
    raw_send(held, HEAD("GET /readyz") "\r\n");
    sem_wait(&host.running);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, drain_run, &host) == 0);
    wait_for_refusal(&host);
    CHECK(ask(&host, "GET", S("/readyz"), (Str){}) == 503);
    CHECK(pthread_tryjoin_np(thread, NULL) == EBUSY);
    sem_post(&host.leave);
    pthread_join(thread, NULL);
    char bytes[REPLY_MAX];
    raw_read_all(held, bytes); // ends: the server closes it after the answer
    CHECK(strstr(bytes, "HTTP/1.1 200 "));
    CHECK(strstr(bytes, "\r\nConnection: close\r\n"));
    host_close(&host);
}

TEST(draining_ends_at_its_deadline) {
    Host host;
    host_open(&host);
    host.is_held = true;
    int held = raw_open(&host);
    raw_send(held, HEAD("GET /readyz") "\r\n");
    sem_wait(&host.running);
    uint64_t start_ms = clock_monotonic_ms();
    server_drain(host.server, host.gateway, 20);
    CHECK(clock_monotonic_ms() >= start_ms + 20);
    sem_post(&host.leave);
    host_close(&host);
    close(held);
}

TEST(closing_nothing_is_nothing) {
    CHECK(!server_close(NULL));
}

TEST_MAIN(CASE(a_peer_may_go_away_while_its_handler_runs),
          CASE(closing_waits_for_the_handlers),
          CASE(draining_answers_what_is_under_way_and_lets_nobody_in),
          CASE(draining_ends_at_its_deadline),
          CASE(closing_nothing_is_nothing))
