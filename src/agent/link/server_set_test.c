// SPDX-License-Identifier: Apache-2.0
#include "agent/link/server_set.h"

#include "base/arena.h"
#include "test.h"

static Servers servers_of(ServerEntry *entries, size_t count) {
    return (Servers){
        .digest = S("list-1"), .servers = {entries, count}
    };
}

TEST(a_list_keeps_its_order_and_its_ports) {
    ServerEntry entries[] = {
        {S("http://127.0.0.1:7000"), 7001},
        {S("http://localhost:8000"), 0   },
    };
    Servers servers = servers_of(entries, 2);
    ServerSet *set;
    CHECK_OK(server_set_open(&servers, &set, NULL));
    CHECK(server_set_count(set) == 2);
    CHECK(server_set_address(set, 0)->port == 7000 && server_set_address(set, 1)->port == 8000);
    CHECK(server_set_channel_port(set, 0) == 7001 && server_set_channel_port(set, 1) == 8000);
    CHECK_STR(server_set_digest(set), S("list-1"));
    CHECK(server_set_tls(set, 0) == NULL);
    server_set_close(set);
}

TEST(an_entry_of_tomorrow_is_passed_over_but_not_a_list_of_them) {
    ServerEntry entries[] = {
        {S("quic://muster.example"), 0},
        {S("http://localhost:8000"), 0},
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
    ServerEntry entries[] = {
        {S("https://muster.example"), 0}
    };
    Servers servers = servers_of(entries, 1);
    Str authority = S("no certificate");
    servers.authorities = (StrList){&authority, 1};
    ServerSet *set;
    CHECK_ERR(server_set_open(&servers, &set, NULL), ERR_INVALID);
}

TEST_MAIN(CASE(a_list_keeps_its_order_and_its_ports),
          CASE(an_entry_of_tomorrow_is_passed_over_but_not_a_list_of_them),
          CASE(an_authority_must_be_a_certificate))
