// SPDX-License-Identifier: Apache-2.0
#include "agent/link/server_set.h"

#include "base/arena.h"
#include "io/tls_fixture.h"
#include "test.h"

static Servers servers_of(ServerEntry *entries, size_t count) {
    return (Servers){
        .digest = S("list-1"), .servers = {entries, count}
    };
}

TEST(a_list_keeps_its_order_and_its_ports) {
    ServerEntry entries[] = {
        {S("http://127.0.0.1:7000")},
        {S("http://localhost:8000")},
    };
    Servers servers = servers_of(entries, 2);
    ServerSet *set;
    CHECK_OK(server_set_open(&servers, &set, NULL));
    CHECK(server_set_count(set) == 2);
    CHECK(server_set_address(set, 0)->port == 7000 && server_set_address(set, 1)->port == 8000);
    CHECK_STR(server_set_digest(set), S("list-1"));
    CHECK(server_set_tls(set, 0) == NULL);
    server_set_close(set);
}

TEST(an_entry_of_tomorrow_is_passed_over_but_not_a_list_of_them) {
    ServerEntry entries[] = {
        {S("quic://muster.example")},
        {S("http://localhost:8000")},
    };
    Servers servers = servers_of(entries, 2);
    ServerSet *set;
    CHECK_OK(server_set_open(&servers, &set, NULL));
    CHECK(server_set_count(set) == 1 && server_set_address(set, 0)->port == 8000);
    server_set_close(set);
    servers.servers.count = 1;
    Reason reason = {};
    CHECK_ERR(server_set_open(&servers, &set, &reason), ERR_INVALID);
    assert_string_equal(reason.text, "quic://muster.example");
}

TEST(an_authority_must_be_a_certificate) {
    ServerEntry entries[] = {{S("https://muster.example")}};
    Servers servers = servers_of(entries, 1);
    Str authority = S("no certificate");
    servers.authorities = (StrList){&authority, 1};
    ServerSet *set;
    CHECK_ERR(server_set_open(&servers, &set, NULL), ERR_INVALID);
}

TEST(a_server_by_its_own_authority_is_good_whatever_the_day_is) {
    static const int64_t ages[] = {20, -5};
    for (size_t i = 0; i < 2; i++) {
        Ends ends;
        Pair pair;
        ends_open(&ends, S("localhost"), ages[i], 10);
        ServerEntry entries[] = {{S("https://localhost")}};
        Servers servers = servers_of(entries, 1);
        servers.authorities = (StrList){&ends.files.ca.cert_pem, 1};
        ServerSet *set;
        CHECK_OK(server_set_open(&servers, &set, NULL));
        pair_open(&pair, server_set_tls(set, 0), ends.server, S("localhost"));
        pair_handshake(&pair);
        CHECK_OK(pair.client_err);
        pair_close(&pair);
        server_set_close(set);
        ends_close(&ends);
    }
}

TEST_MAIN(CASE(a_list_keeps_its_order_and_its_ports),
          CASE(an_entry_of_tomorrow_is_passed_over_but_not_a_list_of_them),
          CASE(an_authority_must_be_a_certificate),
          CASE(a_server_by_its_own_authority_is_good_whatever_the_day_is))
