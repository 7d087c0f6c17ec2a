// SPDX-License-Identifier: Apache-2.0
// Against a peer that sends what the test tells it to, whatever was asked.
#include "http/client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"

/// A peer on a thread: one connection, on which it answers `answers` requests.
typedef struct Peer {
    int listener;
    uint16_t port;
    const char
        *answer; ///< whole, from the status line on; NULL: silence until the other end closes
    size_t answers;
    char asked[4096]; ///< everything that came
    size_t asked_len;
    pthread_t thread;
} Peer;

/// Read until a request of the tests is whole: they have no body, or end in '}'.
static bool peer_read(Peer *peer, int fd, size_t from) {
    while (peer->asked_len < sizeof(peer->asked) - 1) {
        ssize_t got =
            recv(fd, peer->asked + peer->asked_len, sizeof(peer->asked) - 1 - peer->asked_len, 0);
        if (got <= 0) return false;
        peer->asked_len += (size_t)got;
        Str all = {peer->asked + from, peer->asked_len - from};
        bool has_body = memmem(all.ptr, all.len, "Content-Length", 14) != NULL;
        if (str_ends(all, has_body ? S("}") : S("\r\n\r\n"))) return true;
    }
    return false;
}

static void *peer_run(void *arg) {
    Peer *peer = arg;
    int fd = accept(peer->listener, NULL, NULL);
    for (size_t i = 0; fd >= 0 && i < peer->answers; i++) {
        if (!peer_read(peer, fd, peer->asked_len)) break;
        if (peer->answer) (void)!send(fd, peer->answer, strlen(peer->answer), MSG_NOSIGNAL);
    }
    char rest;
    if (fd >= 0 && !peer->answer) (void)!recv(fd, &rest, 1, 0);
    if (fd >= 0) close(fd);
    return NULL;
}

static void peer_start(Peer *peer, const char *answer, size_t answers) {
    *peer = (Peer){.answer = answer, .answers = answers};
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    CHECK(bind(peer->listener, (struct sockaddr *)&address, len) == 0);
    CHECK(listen(peer->listener, 4) == 0);
    CHECK(getsockname(peer->listener, (struct sockaddr *)&address, &len) == 0);
    peer->port = ntohs(address.sin_port);
    CHECK(pthread_create(&peer->thread, NULL, peer_run, peer) == 0);
}

static void peer_stop(Peer *peer) {
    shutdown(peer->listener, SHUT_RDWR);
    pthread_join(peer->thread, NULL);
    close(peer->listener);
}

static HttpClient *client_of(uint16_t port, const char *scheme) {
    char url[64];
    snprintf(url, sizeof(url), "%s://127.0.0.1:%u", scheme, port);
    HttpClient *client;
    CHECK_OK(
        http_client_open(&(HttpClientOptions){.base_url = url, .user_agent = "test"}, &client));
    return client;
}

/// A GET with generous limits; tests change what they are about.
static HttpCall get_call(void) {
    return (HttpCall){
        .method = "GET", .target = S("/x?a=b"), .within_ms = 10'000, .reply_max = 100};
}

static bool asked(const Peer *peer, const char *text) {
    return memmem(peer->asked, peer->asked_len, text, strlen(text)) != NULL;
}

TEST(an_answer_has_its_status_body_and_headers) {
    Peer peer;
    peer_start(&peer,
               "HTTP/1.1 503 Busy\r\ndocker-content-digest: sha256:ab\r\nRetry-After: 7\r\n"
               "Content-Length: 2\r\n\r\nno",
               1);
    HttpClient *client = client_of(peer.port, "http");
    HttpCall call = get_call();
    call.bearer = S("token");
    HttpAnswer answer;
    CHECK_OK(http_client_call(client, &call, &answer, NULL));
    CHECK(answer.status == 503 && answer.retry_after_s == 7);
    CHECK_STR(text_str(&answer.body), S("no"));
    CHECK_STR(str_from(answer.digest), S("sha256:ab"));
    text_done(&answer.body);
    http_client_close(client);
    peer_stop(&peer);
    CHECK(asked(&peer, "GET /x?a=b HTTP/1.1\r\n"));
    CHECK(asked(&peer, "Authorization: Bearer token\r\n"));
    CHECK(asked(&peer, "Accept: application/json\r\n"));
}

TEST(two_calls_share_a_connection_and_nothing_else) {
    Peer peer; // takes one connection only
    peer_start(&peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 2);
    HttpClient *client = client_of(peer.port, "http");
    HttpCall call = get_call();
    call.method = "POST";
    call.body = S("{\"a\":1}");
    HttpAnswer answer;
    CHECK_OK(http_client_call(client, &call, &answer, NULL));
    text_done(&answer.body);
    call = get_call();
    CHECK_OK(http_client_call(client, &call, &answer, NULL));
    CHECK_STR(text_str(&answer.body), S("ok"));
    text_done(&answer.body);
    http_client_close(client);
    peer_stop(&peer);
    CHECK(asked(&peer, "Content-Type: application/json\r\n") && asked(&peer, "{\"a\":1}GET /x"));
}

TEST(an_answer_over_its_limit_is_cut_off) {
    Peer peer;
    peer_start(&peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345", 1);
    HttpClient *client = client_of(peer.port, "http");
    HttpCall call = get_call();
    call.reply_max = 4;
    HttpAnswer answer;
    CHECK_ERR(http_client_call(client, &call, &answer, NULL), ERR_LIMIT);
    http_client_close(client);
    peer_stop(&peer);
}

TEST(a_silent_server_is_left_in_time) {
    Peer peer;
    peer_start(&peer, NULL, 1);
    HttpClient *client = client_of(peer.port, "http");
    HttpCall call = get_call();
    call.within_ms = 100;
    HttpAnswer answer;
    CHECK_ERR(http_client_call(client, &call, &answer, NULL), ERR_TIMEOUT);
    http_client_close(client);
    peer_stop(&peer);
}

/// What a call has taken, and whether it wants more.
typedef struct Taken {
    Text text;
    bool is_full;
} Taken;

static Err take(void *ctx, Str part) {
    Taken *taken = ctx;
    text_add(&taken->text, part);
    return taken->is_full ? FAIL(ERR_CONFLICT, "enough") : SUCCESS;
}

/// A call whose answer is taken, of a peer that says this.
static Err taking(Taken *taken, const char *said, uint64_t within_ms, HttpAnswer *answer) {
    Peer peer;
    Reason reason = {};
    peer_start(&peer, said, 1);
    HttpClient *client = client_of(peer.port, "http");
    HttpCall call = get_call();
    call.reply_max = 4;
    call.within_ms = within_ms;
    call.last_event_id = S("17");
    call.take = take;
    call.ctx = taken;
    text_init(&taken->text, 100);
    Err err = http_client_call(client, &call, answer, &reason);
    http_client_close(client);
    peer_stop(&peer);
    CHECK(asked(&peer, "Last-Event-ID: 17\r\n"));
    CHECK(err.code != ERR_CONFLICT || !reason.text[0]); // in its own words
    return err;
}

TEST(a_good_answer_is_taken_as_it_comes_however_long_it_is) {
    static const char stream[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ndata: 1\n\n";
    Taken taken = {};
    HttpAnswer answer;
    CHECK_OK(taking(&taken, stream, 10'000, &answer));
    CHECK_STR(text_str(&taken.text), S("data: 1\n\n"));
    CHECK(answer.status == 200 && answer.body.len == 0);
    text_done(&taken.text);
    taken.is_full = true;
    CHECK_ERR(taking(&taken, stream, 10'000, &answer), ERR_CONFLICT);
    text_done(&taken.text);
    CHECK_ERR(taking(&taken, NULL, 100, &answer), ERR_TIMEOUT); // nothing comes
    text_done(&taken.text);
    CHECK_OK(taking(&taken, "HTTP/1.1 409 No\r\nContent-Length: 2\r\n\r\nno", 10'000, &answer));
    CHECK_STR(text_str(&answer.body), S("no")); // which is for nobody else
    CHECK(taken.text.len == 0);
    text_done(&answer.body);
    text_done(&taken.text);
}

TEST(a_redirect_is_an_answer_and_not_followed) {
    Peer peer;
    peer_start(&peer,
               "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
               1);
    HttpClient *client = client_of(peer.port, "http");
    HttpCall call = get_call();
    HttpAnswer answer;
    CHECK_OK(http_client_call(client, &call, &answer, NULL));
    CHECK(answer.status == 302);
    text_done(&answer.body);
    http_client_close(client);
    peer_stop(&peer);
}

TEST(a_proxy_of_the_environment_does_not_stand_before_this_machine) {
    Peer peer;
    peer_start(&peer, "HTTP/1.1 204 None\r\n\r\n", 1);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    HttpClient *client = client_of(peer.port, "http");
    HttpCall call = get_call();
    HttpAnswer answer;
    CHECK_OK(http_client_call(client, &call, &answer, NULL));
    CHECK(answer.status == 204);
    unsetenv("http_proxy");
    text_done(&answer.body);
    http_client_close(client);
    peer_stop(&peer);
}

TEST(nobody_there_another_protocol_and_a_broken_line_are_told_apart) {
    HttpCall call = get_call();
    HttpAnswer answer;
    HttpClient *client = client_of(1, "http");
    Reason reason = {};
    CHECK_ERR(http_client_call(client, &call, &answer, &reason), ERR_UNAVAILABLE);
    CHECK(str_starts(str_from(reason.text), S("http://127.0.0.1:1: ")));
    CHECK_SAID(reason, "port 1");
    call.target = S("/x HTTP/1.1\r\nEvil: 1");
    CHECK_ERR(http_client_call(client, &call, &answer, NULL), ERR_INVALID);
    http_client_close(client);
    client = client_of(1, "ftp");
    call = get_call();
    CHECK_ERR(http_client_call(client, &call, &answer, NULL), ERR_INVALID);
    http_client_close(client);
}

TEST(unreserved_bytes_stay_and_all_others_are_encoded) {
    Text out;
    text_init(&out, 100);
    http_encode(&out, S("aZ09-._~ /%?&\xc3\xa9"));
    CHECK_STR(text_str(&out), S("aZ09-._~%20%2F%25%3F%26%C3%A9"));
    text_done(&out);
}

TEST_MAIN(CASE(an_answer_has_its_status_body_and_headers),
          CASE(two_calls_share_a_connection_and_nothing_else),
          CASE(an_answer_over_its_limit_is_cut_off),
          CASE(a_silent_server_is_left_in_time),
          CASE(a_good_answer_is_taken_as_it_comes_however_long_it_is),
          CASE(a_redirect_is_an_answer_and_not_followed),
          CASE(a_proxy_of_the_environment_does_not_stand_before_this_machine),
          CASE(nobody_there_another_protocol_and_a_broken_line_are_told_apart),
          CASE(unreserved_bytes_stay_and_all_others_are_encoded))
