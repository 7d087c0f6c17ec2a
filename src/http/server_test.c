// SPDX-License-Identifier: Apache-2.0
// What the server answers, over real sockets.
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

TEST(a_request_is_answered_by_the_router) {
    Host host;
    host_open(&host);
    CHECK(ask(&host, "GET", S("/v1/boxes/red"), (Str){}) == 200);
    CHECK(ask(&host, "GET", S("/v1/boxes?limit=3"), (Str){}) == 200);
    CHECK(ask(&host, "GET", S("/v1/boxes?limit=4"), (Str){}) == 422);
    CHECK(ask(&host, "POST", S("/v1/boxes"), S("{\"name\":\"red\"}")) == 201);
    CHECK(ask(&host, "DELETE", S("/v1/boxes/red"), (Str){}) == 204);
    CHECK(ask(&host, "GET", S("/nothing"), (Str){}) == 404);
    CHECK(ask(&host, "POST", S("/nothing"), S("{}")) == 404);
    HttpAnswer answer;
    CHECK(client_ask(host.client, "GET", S("/v1/boxes/blue"), (Str){}, &answer) == 200);
    CHECK(strstr(answer.body.ptr, "\"blue\""));
    text_done(&answer.body);
    host_close(&host);
}

TEST(an_answer_has_the_headers_of_an_api) {
    Host host;
    host_open(&host);
    char bytes[REPLY_MAX];
    raw_ask(&host, HEAD("GET /v1/boxes/red") LAST, bytes);
    CHECK(strstr(bytes, "HTTP/1.1 200 "));
    CHECK(strstr(bytes, "\r\nContent-Type: application/json\r\n"));
    CHECK(strstr(bytes, "\r\nX-Request-Id: req_"));
    CHECK(strstr(bytes, "\r\nCache-Control: no-store\r\n"));
    CHECK(strstr(bytes, "\r\nX-Content-Type-Options: nosniff\r\n"));
    raw_ask(&host, HEAD("PATCH /v1/boxes") LAST, bytes);
    CHECK(strstr(bytes, "HTTP/1.1 405 "));
    CHECK(strstr(bytes, "\r\nAllow: GET, POST\r\n"));
    raw_ask(&host, "GET /v1/boxes HTTP/1.1\r\nHost: x\r\n" LAST, bytes);
    CHECK(strstr(bytes, "HTTP/1.1 401 "));
    CHECK(strstr(bytes, "\r\nWWW-Authenticate: Bearer\r\n"));
    host_close(&host);
}

TEST(head_is_get_without_the_body) {
    Host host;
    host_open(&host);
    char bytes[REPLY_MAX];
    raw_ask(&host, HEAD("HEAD /v1/boxes/red") LAST, bytes);
    CHECK(strstr(bytes, "HTTP/1.1 200 "));
    CHECK(strstr(bytes, "\r\nContent-Length: "));
    CHECK(str_ends(str_from(bytes), S("\r\n\r\n")));
    host_close(&host);
}

TEST(the_probes_tell_whether_it_lives_and_is_ready) {
    Host host;
    host_open(&host);
    CHECK(ask(&host, "GET", S("/healthz"), (Str){}) == 200);
    CHECK(ask(&host, "GET", S("/readyz"), (Str){}) == 200);
    host.readiness = FAIL(ERR_UNAVAILABLE, "the disk is full");
    HttpAnswer answer;
    CHECK(client_ask(host.client, "GET", S("/readyz"), (Str){}, &answer) == 503);
    CHECK(strstr(answer.body.ptr, "the disk is full"));
    text_done(&answer.body);
    CHECK(ask(&host, "GET", S("/healthz"), (Str){}) == 200);
    host_close(&host);
}

/// `{"name":"aaa..."}` of `len` bytes.
static void body_fill(Text *body, size_t len) {
    text_init(body, len);
    text_add(body, S("{\"name\":\""));
    while (body->len < len - 2)
        text_add_char(body, 'a');
    text_add(body, S("\"}"));
    CHECK(body->len == len);
}

TEST(a_body_over_the_limit_of_its_route_is_refused_and_the_connection_lives) {
    Host host;
    host_open(&host);
    Text body;
    body_fill(&body, ENDPOINT_BODY_MAX);
    CHECK(ask(&host, "POST", S("/v1/boxes"), text_str(&body)) == 422); // read, and judged
    text_done(&body);
    body_fill(&body, ENDPOINT_BODY_MAX + 1);
    CHECK(ask(&host, "POST", S("/v1/boxes"), text_str(&body)) == 413);
    CHECK(ask(&host, "POST", S("/nothing"), text_str(&body)) == 404);
    text_done(&body);
    CHECK(host.fixture.handled == 0);
    host_close(&host);
}

TEST(a_huge_body_is_refused_before_it_comes) {
    Host host;
    host_open(&host);
    char bytes[REPLY_MAX];
    raw_ask(&host,
            HEAD("POST /v1/boxes") "Content-Type: application/json\r\n"
                                   "Content-Length: 99999999999\r\n\r\n",
            bytes);
    CHECK(strstr(bytes, "HTTP/1.1 413 "));
    CHECK(strstr(bytes, "\r\nX-Request-Id: req_"));
    host_close(&host);
}

TEST(an_endless_body_is_cut_off) {
    Host host;
    host_open(&host);
    int fd = raw_open(&host);
    raw_send(fd, HEAD("POST /v1/boxes") "Transfer-Encoding: chunked\r\n\r\n");
    char chunk[8 + 4096 + 3] = "1000\r\n";
    memset(chunk + 6, 'a', 4096);
    memcpy(chunk + 6 + 4096, "\r\n", 3);
    size_t sent = 0;
    while (sent < 64 * 1024 * 1024 && send(fd, chunk, 6 + 4096 + 2, MSG_NOSIGNAL) > 0)
        sent += 4096;
    CHECK(sent < 64 * 1024 * 1024);
    close(fd);
    host_close(&host);
}

TEST(a_slash_or_nul_cannot_hide_in_a_path) {
    Host host;
    host_open(&host);
    char bytes[REPLY_MAX];
    CHECK(strstr(raw_ask(&host, HEAD("GET /v1%2fboxes") LAST, bytes), "HTTP/1.1 400 "));
    CHECK(strstr(raw_ask(&host, HEAD("GET /v1/boxes%2Fred") LAST, bytes), "HTTP/1.1 400 "));
    CHECK(strstr(raw_ask(&host, HEAD("GET /v1/boxes%00") LAST, bytes), "HTTP/1.1 400 "));
    CHECK(strstr(raw_ask(&host, HEAD("GET /v1/boxes/re%64") LAST, bytes), "HTTP/1.1 200 "));
    CHECK(strstr(raw_ask(&host, HEAD("GET /v1/boxes?limit=%2F") LAST, bytes), "HTTP/1.1 422 "));
    host_close(&host);
}

TEST(query_parameters_have_a_limit) {
    Host host;
    host_open(&host);
    char target[512] = "/v1/boxes?";
    for (int i = 0; i < 33; i++)
        snprintf(target + strlen(target), sizeof(target) - strlen(target), "p%d=1&", i);
    target[strlen(target) - 1] = '\0';
    CHECK(ask(&host, "GET", str_from(target), (Str){}) == 400);
    *strrchr(target, '&') = '\0';
    CHECK(ask(&host, "GET", str_from(target), (Str){}) == 422); // 32: the router's to judge
    host_close(&host);
}

TEST(what_is_not_http_does_no_harm) {
    static const char *const odd[] = {
        "\r\n\r\n\r\n", // no request yet: the idle timeout ends it
        "GET\r\n\r\n",
        "GET /v1/boxes HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /v1/boxes HTTP/9.9\r\n\r\n",
        HEAD("POST /v1/boxes") "Content-Length: -1\r\n\r\n",
        HEAD("POST /v1/boxes") "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    };
    Host host;
    host_open_with(&host, (GatewayOptions){.handshake_ms = 1000}, (WorkerOptions){1, 1});
    host.client = client_open(&host, NULL);
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
        char bytes[REPLY_MAX];
        int fd = raw_open(&host);
        raw_send(fd, odd[i]);
        shutdown(fd, SHUT_WR);
        CHECK(!strstr(raw_read_all(fd, bytes), "HTTP/1.1 2"));
    }
    CHECK(ask(&host, "GET", S("/healthz"), (Str){}) == 200);
    host_close(&host);
}

/// Each is told as a problem document with an id, once.
TEST(what_is_no_good_request_is_a_problem_document) {
    static const struct {
        const char *bytes;
        uint16_t status;
    } rows[] = {
        {"GET\r\n\r\n",                                                                    400},
        {"GET /v1/boxes HTTP/2.0\r\nHost: x\r\n\r\n",                                      505},
        {"GET /v1/boxes HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",                           400},
        {"GET /v1/boxes%00 HTTP/1.1\r\nHost: x\r\n\r\n",                                   400},
        {"GET /v1/boxes%2fred HTTP/1.1\r\nHost: x\r\n" LAST,                               400},
        {HEAD("POST /v1/boxes") "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",        400},
        {HEAD("POST /v1/boxes") "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {HEAD("POST /v1/boxes") "Transfer-Encoding: gzip, chunked\r\n\r\n",                501},
        {HEAD("POST /v1/boxes") "Content-Length: 99999999\r\n\r\n",                        413},
    };
    Host host;
    host_open(&host);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char bytes[REPLY_MAX], begin[32];
        raw_ask(&host, rows[i].bytes, bytes);
        snprintf(begin, sizeof(begin), "HTTP/1.1 %u ", rows[i].status);
        if (!str_starts(str_from(bytes), str_from(begin))) fail_msg("row %zu: %s", i, bytes);
        const char *type = strstr(bytes, "\r\nContent-Type: application/problem+json\r\n");
        CHECK(type && !strstr(type + 1, "\r\nContent-Type: "));
        CHECK(strstr(bytes, "\r\nX-Request-Id: req_") && strstr(bytes, "\"request_id\":\"req_"));
    }
    host_close(&host);
}

TEST(a_full_pool_is_503_with_advice_to_retry) {
    Host host;
    host_open_with(&host, (GatewayOptions){}, (WorkerOptions){1, 1});
    CHECK_OK(worker_submit(host.workers, job_hold, &host));
    sem_wait(&host.running);
    CHECK_OK(worker_submit(host.workers, job_hold, &host)); // fills the queue
    host.client = client_open(&host, NULL);
    HttpAnswer answer;
    CHECK(client_ask(host.client, "GET", S("/v1/boxes/red"), (Str){}, &answer) == 503);
    CHECK(answer.retry_after_s == 1);
    CHECK(strstr(answer.body.ptr, "\"busy\""));
    text_done(&answer.body);
    CHECK(ask(&host, "GET", S("/healthz"), (Str){}) == 200); // needs no worker
    sem_post(&host.leave);
    sem_post(&host.leave);
    sem_wait(&host.running);
    host_close(&host);
}

TEST(a_full_pool_keeps_nobody_of_another_waiting) {
    Host host;
    host_open(&host);
    CHECK_OK(worker_pool_open(&(WorkerOptions){1, 1, "held", 0}, &host.pools[1]));
    CHECK_OK(worker_submit(host.pools[1], job_hold, &host));
    sem_wait(&host.running);
    CHECK_OK(worker_submit(host.pools[1], job_hold, &host)); // fills the queue
    CHECK(ask(&host, "POST", S("/v1/boxes/sync"), S("{\"name\":\"n\"}")) == 503);
    CHECK(ask(&host, "POST", S("/v1/boxes"), S("{\"name\":\"n\"}")) == 201);
    sem_post(&host.leave);
    sem_post(&host.leave);
    sem_wait(&host.running);
    CHECK(ask(&host, "POST", S("/v1/boxes/sync"), S("{\"name\":\"n\"}")) == 200);
    WorkerPool *held = host.pools[1];
    host_close(&host);
    worker_pool_close(held);
}

TEST(a_route_without_a_pool_needs_no_worker) {
    Host host;
    host_open_with(&host, (GatewayOptions){}, (WorkerOptions){1, 1});
    CHECK_OK(worker_submit(host.workers, job_hold, &host));
    sem_wait(&host.running);
    host.client = client_open(&host, NULL);
    HttpAnswer answer;
    CHECK(client_ask(host.client, "GET", S("/v1/boxes/best"), (Str){}, &answer) == 200);
    CHECK(strstr(answer.body.ptr, "\"literal\""));
    text_done(&answer.body);
    CHECK(ask(&host, "GET", S("/v1/boxes/best?limit=1"), (Str){}) == 422);
    CHECK(ask(&host, "GET", S("/v1/boxes/best"), (Str){}) == 200); // the connection goes on
    sem_post(&host.leave);
    host_close(&host);
}

/// A client on a thread of its own.
typedef struct Caller {
    const Host *host;
    const char *ca_path;
    pthread_t thread;
    uint32_t good;
} Caller;

enum { CALLERS = 4, CALLS = 50 };

static void *caller_run(void *arg) {
    Caller *caller = arg;
    HttpClient *client = client_open(caller->host, caller->ca_path);
    for (int i = 0; i < CALLS; i++) {
        Str body = i % 2 ? S("{\"name\":\"red\"}") : (Str){};
        Str target = i % 2 ? S("/v1/boxes") : S("/v1/boxes/red");
        caller->good += client_ask(client, i % 2 ? "POST" : "GET", target, body, NULL) < 300;
    }
    http_client_close(client);
    return NULL;
}

static void callers_run(const Host *host, const char *ca_path) {
    Caller callers[CALLERS];
    for (size_t i = 0; i < CALLERS; i++) {
        callers[i] = (Caller){.host = host, .ca_path = ca_path};
        CHECK(pthread_create(&callers[i].thread, NULL, caller_run, &callers[i]) == 0);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        CHECK(callers[i].good == CALLS);
    }
}

TEST(many_requests_run_at_once) {
    Host host;
    host_open_with(&host, (GatewayOptions){.threads = 2}, (WorkerOptions){4, 64});
    callers_run(&host, NULL);
    CHECK(host.fixture.committed == CALLERS * CALLS);
    host_close(&host);
}

TEST(the_same_over_tls) {
    TlsFixture tls;
    tls_fixture_open(&tls, S("127.0.0.1"), 0, 30);
    char ca_path[96];
    snprintf(ca_path, sizeof(ca_path), "%s/trusted.pem", tls.folder);
    CHECK_OK(file_save(ca_path, tls.ca.cert_pem, 0600, NULL));
    Host host;
    host_open_with(
        &host,
        (GatewayOptions){.threads = 2, .cert_path = tls.cert_path, .key_path = tls.key_path},
        (WorkerOptions){4, 64});
    callers_run(&host, ca_path);
    host_close(&host);
    unlink(ca_path);
    tls_fixture_close(&tls);
}

TEST_MAIN(CASE(a_request_is_answered_by_the_router),
          CASE(an_answer_has_the_headers_of_an_api),
          CASE(head_is_get_without_the_body),
          CASE(the_probes_tell_whether_it_lives_and_is_ready),
          CASE(a_body_over_the_limit_of_its_route_is_refused_and_the_connection_lives),
          CASE(a_huge_body_is_refused_before_it_comes),
          CASE(an_endless_body_is_cut_off),
          CASE(a_slash_or_nul_cannot_hide_in_a_path),
          CASE(query_parameters_have_a_limit),
          CASE(what_is_not_http_does_no_harm),
          CASE(what_is_no_good_request_is_a_problem_document),
          CASE(a_full_pool_is_503_with_advice_to_retry),
          CASE(a_full_pool_keeps_nobody_of_another_waiting),
          CASE(a_route_without_a_pool_needs_no_worker),
          CASE(many_requests_run_at_once),
          CASE(the_same_over_tls))
