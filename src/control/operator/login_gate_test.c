// SPDX-License-Identifier: Apache-2.0
#include "control/operator/login_gate.h"

#include "test.h"

#include <stdio.h>
#include <string.h>

enum { MINUTE_MS = 60'000 };

static bool allows(LoginGate *gate, const char *address, const char *name, uint64_t now_ms) {
    uint64_t retry_s = 0;
    const LoginTry login = {str_from(address), S("acme"), str_from(name)};
    bool is_allowed = login_gate_allows(gate, &login, now_ms, &retry_s);
    CHECK(is_allowed == (retry_s == 0) && retry_s <= 300);
    return is_allowed;
}

static void fails(LoginGate *gate, const char *address, const char *name, uint64_t now_ms) {
    const LoginTry login = {str_from(address), S("acme"), str_from(name)};
    login_gate_failed(gate, &login, now_ms);
}

TEST(ten_failures_of_an_address_are_too_many_for_that_address) {
    LoginGate *gate;
    CHECK_OK(login_gate_open(&gate));
    char name[32];
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "guess-%d", i);
        CHECK(allows(gate, "192.0.2.1", name, MINUTE_MS));
        fails(gate, "192.0.2.1", name, MINUTE_MS);
    }
    CHECK(!allows(gate, "192.0.2.1", "ada", MINUTE_MS));
    CHECK(allows(gate, "192.0.2.2", "ada", MINUTE_MS));
    CHECK(!allows(gate, "192.0.2.1", "ada", 6 * MINUTE_MS - 1));
    CHECK(allows(gate, "192.0.2.1", "ada", 6 * MINUTE_MS)); // it is forgotten
    login_gate_close(gate);
}

TEST(thirty_failures_from_anywhere_are_too_many_for_an_account) {
    LoginGate *gate;
    CHECK_OK(login_gate_open(&gate));
    char address[32];
    for (int i = 0; i < 30; i++) {
        snprintf(address, sizeof(address), "192.0.2.%d", i);
        CHECK(allows(gate, address, "ada", MINUTE_MS));
        fails(gate, address, "ada", MINUTE_MS);
    }
    CHECK(!allows(gate, "198.51.100.1", "ada", MINUTE_MS));
    CHECK(allows(gate, "198.51.100.1", "bob", MINUTE_MS));
    login_gate_close(gate);
}

TEST(many_strangers_do_not_make_it_forget_soon_nor_block_others) {
    LoginGate *gate;
    CHECK_OK(login_gate_open(&gate));
    for (int i = 0; i < 10; i++)
        fails(gate, "192.0.2.1", "ada", MINUTE_MS);
    char address[32], name[32];
    for (int i = 0; i < 500; i++) {
        snprintf(address, sizeof(address), "10.0.%d.%d", i / 256, i % 256);
        snprintf(name, sizeof(name), "n-%d", i);
        CHECK(allows(gate, address, name, MINUTE_MS + (uint64_t)i));
        fails(gate, address, name, MINUTE_MS + (uint64_t)i);
    }
    CHECK(!allows(gate, "192.0.2.1", "eve", MINUTE_MS + 500));
    CHECK(allows(gate, "192.0.2.9", "eve", MINUTE_MS + 500));
    login_gate_close(gate);
}

TEST(an_address_of_ipv6_counts_by_its_network) {
    static const char *const rows[][2] = {
        {"192.0.2.1",                               "192.0.2.1"               },
        {"2001:db8:1:2:3:4:5:6",                    "2001:db8:1:2::/64"       },
        {"2001:db8:1:2::9",                         "2001:db8:1:2::/64"       },
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff::/64"},
        {"::1",                                     "::/64"                   },
        {"a pipe",                                  "a pipe"                  },
        {"",                                        ""                        },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[LOGIN_ADDRESS_MAX];
        login_address(str_from(rows[i][0]), text);
        assert_string_equal(text, rows[i][1]);
    }
}

TEST_MAIN(CASE(ten_failures_of_an_address_are_too_many_for_that_address),
          CASE(thirty_failures_from_anywhere_are_too_many_for_an_account),
          CASE(many_strangers_do_not_make_it_forget_soon_nor_block_others),
          CASE(an_address_of_ipv6_counts_by_its_network))
