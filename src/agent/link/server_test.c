// SPDX-License-Identifier: Apache-2.0
#include "agent/link/server.h"

#include "test.h"

TEST(a_url_has_a_host_and_a_port) {
    static const struct {
        Str url;
        const char *host;
        uint16_t port;
        bool has_tls;
    } cases[] = {
        {S("https://muster.example:8443"), "muster.example", 8443, true },
        {S("https://muster.example"),      "muster.example", 443,  true },
        {S("https://muster.example/"),     "muster.example", 443,  true },
        {S("https://[2001:db8::1]:7443"),  "2001:db8::1",    7443, true },
        {S("https://[::1]"),               "::1",            443,  true },
        {S("https://192.0.2.7:1"),         "192.0.2.7",      1,    true },
        {S("http://127.0.0.1:80"),         "127.0.0.1",      80,   false},
        {S("http://localhost"),            "localhost",      80,   false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ServerAddress address;
        CHECK_OK(server_address_parse(cases[i].url, &address));
        CHECK_STR(str_from(address.host), str_from(cases[i].host));
        CHECK(address.port == cases[i].port && address.has_tls == cases[i].has_tls);
    }
}

TEST(other_urls_are_refused) {
    static const Str wrong[] = {
        S(""),
        S("muster.example"),
        S("ftp://muster.example"),
        S("https://"),
        S("https://:443"),
        S("https://host:"),
        S("https://host:0"),
        S("https://host:65536"),
        S("https://host:1x"),
        S("https://host/path"),
        S("https://user@host"),
        S("https://host?x"),
        S("https://ho st"),
        S("https://[::1"),
        S("https://[::1]443"),
        S("https://a:1:2"),
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ServerAddress address;
        CHECK_ERR(server_address_parse(wrong[i], &address), ERR_INVALID);
    }
}

TEST(plain_http_stays_on_this_machine) {
    ServerAddress address;
    CHECK_ERR(server_address_parse(S("http://muster.example"), &address), ERR_INVALID);
    CHECK_ERR(server_address_parse(S("http://127.0.0.1.example"), &address), ERR_INVALID);
}

TEST_MAIN(CASE(a_url_has_a_host_and_a_port),
          CASE(other_urls_are_refused),
          CASE(plain_http_stays_on_this_machine))
