// SPDX-License-Identifier: Apache-2.0
// Over real sockets. GET /readyz stands for a handler that takes its time: the test holds it.
#include "http/client.h"
#include "http/fixture.h"
#include "http/server.h"
#include "io/file.h"
#include "io/tls_fixture.h"
#include "io/worker.h"

#include "base/clock.h"

#include "test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WITHIN_MS = 10'000, REPLY_MAX = 64 * 1024 };

/// A server over the small API, and a client of it.
typedef struct Host {
    Fixture fixture;
    WorkerPool *workers;
    Server *server;
    HttpClient *client;
    char url[64];
    bool is_held; ///< ready() posts `running` and waits for `leave`
    Err readiness;
    sem_t running, leave;
} Host;

static Err ready(void *app) {
    Host *host = app;
    if (!host->is_held) return host->readiness;
    sem_post(&host->running);
    sem_wait(&host->leave);
    return host->readiness;
}

static void job_hold(void *arg) {
    Host *host = arg;
    sem_post(&host->running);
    sem_wait(&host->leave);
}

static void host_open_with(Host *host, ServerOptions options, WorkerOptions workers) {
    *host = (Host){};
    sem_init(&host->running, 0, 0);
    sem_init(&host->leave, 0, 0);
    fixture_open(&host->fixture);
    CHECK_OK(worker_pool_open(&workers, &host->workers));
    options.address = "127.0.0.1";
    options.connections_max = 32;
    if (!options.idle_timeout_ms) options.idle_timeout_ms = WITHIN_MS;
    options.ready = ready;
    options.app = host;
    if (!options.threads) options.threads = 1;
    CHECK_OK(server_open(&options, host->fixture.router, host->workers, &host->server));
    snprintf(host->url,
             sizeof(host->url),
             "%s://127.0.0.1:%u",
             options.cert_path ? "https" : "http",
             server_port(host->server));
}

static HttpClient *client_open(const Host *host, const char *ca_path) {
    HttpClient *client = NULL;
    CHECK_OK(http_client_open(
        &(HttpClientOptions){.base_url = host->url, .user_agent = "test", .ca_path = ca_path},
        &client));
    return client;
}

static void host_open(Host *host) {
    host_open_with(host, (ServerOptions){}, (WorkerOptions){2, 16});
    host->client = client_open(host, NULL);
}

static void host_close(Host *host) {
    http_client_close(host->client);
    server_close(host->server);
    worker_pool_close(host->workers);
    fixture_close(&host->fixture);
    sem_destroy(&host->running);
    sem_destroy(&host->leave);
}

/// One exchange; gives the status, and what the answer said into `ret_answer` unless that is NULL.
static uint32_t
client_ask(HttpClient *client, const char *method, Str target, Str body, HttpAnswer *ret_answer) {
    HttpAnswer answer = {};
    CHECK_OK(http_client_call(client,
                              &(HttpCall){.method = method,
                                          .target = target,
                                          .bearer = S("writer"),
                                          .body = body,
                                          .within_ms = WITHIN_MS,
                                          .reply_max = REPLY_MAX},
                              &answer));
    if (ret_answer)
        *ret_answer = answer;
    else
        text_done(&answer.body);
    return answer.status;
}

static uint32_t ask(Host *host, const char *method, Str target, Str body) {
    return client_ask(host->client, method, target, body, NULL);
}

/// A connection without a client's manners; -1: refused.
static int raw_open(const Host *host) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = WITHIN_MS / 1000};
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(server_port(host->server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) return fd;
    close(fd);
    return -1;
}

static void raw_send(int fd, const char *text) {
    CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

/// What comes until the peer closes; it may do so with a reset when it has not read everything.
static const char *raw_read_all(int fd, char bytes[static REPLY_MAX]) {
    size_t len = 0;
    ssize_t got;
    while ((got = recv(fd, bytes + len, REPLY_MAX - 1 - len, 0)) > 0)
        len += (size_t)got;
    CHECK(got == 0 || errno == ECONNRESET);
    bytes[len] = '\0';
    close(fd);
    return bytes;
}

/// The whole answer to `request`, which must ask to close.
static const char *raw_ask(const Host *host, const char *request, char bytes[static REPLY_MAX]) {
    int fd = raw_open(host);
    CHECK(fd >= 0);
    raw_send(fd, request);
    return raw_read_all(fd, bytes);
}

#define HEAD(line) line " HTTP/1.1\r\nHost: x\r\nAuthorization: bearer reader\r\n"
#define LAST "Connection: close\r\n\r\n"

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
    body_fill(&body, ROUTE_BODY_MAX);
    CHECK(ask(&host, "POST", S("/v1/boxes"), text_str(&body)) == 422); // read, and judged
    text_done(&body);
    body_fill(&body, ROUTE_BODY_MAX + 1);
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
    host_open_with(&host, (ServerOptions){.idle_timeout_ms = 1000}, (WorkerOptions){1, 1});
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

TEST(a_full_pool_is_503_with_advice_to_retry) {
    Host host;
    host_open_with(&host, (ServerOptions){}, (WorkerOptions){1, 1});
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
    host_open_with(&host, (ServerOptions){.threads = 2}, (WorkerOptions){4, 64});
    callers_run(&host, NULL);
    CHECK(host.fixture.committed == CALLERS * CALLS);
    host_close(&host);
}

TEST(the_same_over_tls) {
    TlsFixture tls;
    tls_fixture_open(&tls, S("127.0.0.1"), 0, 30);
    char ca_path[96];
    snprintf(ca_path, sizeof(ca_path), "%s/trusted.pem", tls.folder);
    CHECK_OK(file_save(ca_path, tls.ca.cert_pem, 0600));
    Host host;
    host_open_with(
        &host,
        (ServerOptions){.threads = 2, .cert_path = tls.cert_path, .key_path = tls.key_path},
        (WorkerOptions){4, 64});
    callers_run(&host, ca_path);
    host_close(&host);
    unlink(ca_path);
    tls_fixture_close(&tls);
}

TEST(a_server_does_not_open_over_a_bad_key_or_a_taken_port) {
    TlsFixture tls;
    tls_fixture_open(&tls, S("127.0.0.1"), 0, 30);
    Host host;
    host_open(&host);
    ServerOptions options = {
        .address = "127.0.0.1", .threads = 1, .connections_max = 1, .ready = ready};
    Server *server = NULL;
    options.cert_path = options.key_path = tls.cert_path;
    CHECK_ERR(server_open(&options, host.fixture.router, host.workers, &server), ERR_INVALID);
    options.cert_path = options.key_path = NULL;
    options.port = server_port(host.server);
    CHECK_ERR(server_open(&options, host.fixture.router, host.workers, &server), ERR_SYSTEM);
    options.address = "localhost";
    CHECK_ERR(server_open(&options, host.fixture.router, host.workers, &server), ERR_INVALID);
    CHECK(!server);
    host_close(&host);
    tls_fixture_close(&tls);
}

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
    host->server = server_close(host->server);
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
    CHECK(!host.server);
    close(held);
    host_close(&host);
}

static void *drain_run(void *arg) {
    Host *host = arg;
    server_drain(host->server, WITHIN_MS);
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
    server_drain(host.server, 20);
    CHECK(clock_monotonic_ms() >= start_ms + 20);
    sem_post(&host.leave);
    host_close(&host);
    close(held);
}

TEST(closing_nothing_is_nothing) {
    CHECK(!server_close(NULL));
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
          CASE(a_full_pool_is_503_with_advice_to_retry),
          CASE(many_requests_run_at_once),
          CASE(the_same_over_tls),
          CASE(a_server_does_not_open_over_a_bad_key_or_a_taken_port),
          CASE(a_peer_may_go_away_while_its_handler_runs),
          CASE(closing_waits_for_the_handlers),
          CASE(draining_answers_what_is_under_way_and_lets_nobody_in),
          CASE(draining_ends_at_its_deadline),
          CASE(closing_nothing_is_nothing))
