// SPDX-License-Identifier: Apache-2.0
/// Each limit of requests on a gateway, reached on purpose.
#include "channel/site_fixture.h"

#include "base/clock.h"
#include "test.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SHORT_MS = 200 };

TEST(a_body_over_its_limit_is_refused_and_the_connection_lives) {
    static char bytes[SITE_BODY_MAX + 200];
    Site site;
    site_open(&site);
    int len = snprintf(bytes,
                       sizeof(bytes),
                       "POST /a HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n",
                       SITE_BODY_MAX + 1);
    memset(bytes + len, 'x', SITE_BODY_MAX + 1);
    Raw raw = asked(&site, bytes);
    hear(&raw, 413, NULL);
    CHECK(raw_send(&raw, S(GET("/later"))));
    hear(&raw, 200, "later");
    raw_close(&raw);
    site_close(&site);
    CHECK(site.run == 1 && site.refused == 1 && site.ended == 2);
}

TEST(a_body_without_end_is_cut_off) {
    Site site;
    site_open(&site);
    Raw raw = asked(&site, POST("/a", 99999999999, ""));
    hear(&raw, 413, NULL); // before it comes
    raw_drain(&raw);
    raw_close(&raw);
    raw = asked(&site, "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    static char chunk[6 + 4096 + 2] = "1000\r\n";
    memset(chunk + 6, 'x', 4096);
    memcpy(chunk + 6 + 4096, "\r\n", 2);
    size_t sent = 0;
    while (sent < 64u << 20 && raw_send(&raw, (Str){chunk, sizeof(chunk)}))
        sent += sizeof(chunk);
    CHECK(sent < 64u << 20);
    raw_close(&raw);
    site_close(&site);
}

/// Send a byte now and then until the gateway has enough.
static uint64_t drip(const Raw *raw) {
    uint64_t start_ms = clock_monotonic_ms();
    char left;
    while (clock_monotonic_ms() - start_ms < WAIT_MS && raw_send(raw, S("x"))) {
        usleep(20'000);
        if (recv(raw->fd, &left, 1, MSG_PEEK | MSG_DONTWAIT) >= 0) break;
    }
    return clock_monotonic_ms() - start_ms;
}

TEST(who_does_not_go_on_is_cut_off_at_each_point) {
    static const struct {
        const char *bytes;
        bool is_told; ///< why
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: ", true},
        {POST("/a",                  999,  "x"), true},
        {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3e7\r\n",                      true                         },
    };
    Site site = {};
    GatewayOptions options = owner_options(&site.owner);
    options.handshake_ms = options.web_ms = SHORT_MS;
    site_open_with(&site, options);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        Raw raw = asked(&site, rows[i].bytes);
        CHECK(drip(&raw) < WAIT_MS);
        hear(&raw, 408, NULL);
        raw_close(&raw);
    }
    Raw raw = raw_connect(&site.owner); // says nothing
    raw_drain(&raw);
    raw_close(&raw);
    raw = asked(&site, GET("/later")); // and then nothing more
    hear(&raw, 200, "later");
    raw_drain(&raw);
    raw_close(&raw);
    raw = asked(&site, GET("/later") "GET /x HT"); // and then half a head
    hear(&raw, 200, "later");
    hear(&raw, 408, NULL);
    raw_drain(&raw);
    raw_close(&raw);
    int small = 4096;
    raw = raw_connect(&site.owner);
    CHECK(setsockopt(raw.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) == 0);
    CHECK(raw_send(&raw, S(GET("/large")))); // and does not take it
    for (int waited = 0; atomic_load(&site.ended) < site.begun; waited++) {
        CHECK(waited < WAIT_MS);
        usleep(1000);
    }
    raw_close(&raw);
    site_close(&site);
}

TEST(a_handler_has_as_long_as_it_takes) {
    Site site = {};
    GatewayOptions options = owner_options(&site.owner);
    options.handshake_ms = options.web_ms = SHORT_MS;
    atomic_store(&site.is_held, true);
    site_open_with(&site, options);
    atomic_store(&site.is_held, true);
    Raw raw = asked(&site, GET("/held"));
    usleep(3 * SHORT_MS * 1000);
    atomic_store(&site.is_held, false);
    hear(&raw, 200, "held");
    raw_close(&raw);
    site_close(&site);
}

TEST(an_address_has_so_many_connections) {
    Site site = {};
    GatewayOptions options = owner_options(&site.owner);
    options.connections_per_address_max = 2;
    site_open_with(&site, options);
    Raw one = asked(&site, GET("/later")), two = asked(&site, GET("/later"));
    hear(&one, 200, "later");
    hear(&two, 200, "later");
    Raw three = raw_connect(&site.owner);
    raw_drain(&three); // is hung up on
    raw_close(&three);
    raw_close(&one);
    for (int status = 0; status != 200;) { // room is made again, soon
        Raw next = raw_connect(&site.owner);
        char first = 0;
        (void)raw_send(&next, S(GET("/later")));
        if (recv(next.fd, &first, 1, 0) == 1) status = 200;
        raw_close(&next);
    }
    raw_close(&two);
    site_close(&site);
}

TEST_MAIN(CASE(a_body_over_its_limit_is_refused_and_the_connection_lives),
          CASE(a_body_without_end_is_cut_off),
          CASE(who_does_not_go_on_is_cut_off_at_each_point),
          CASE(a_handler_has_as_long_as_it_takes),
          CASE(an_address_has_so_many_connections))
