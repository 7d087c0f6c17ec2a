// SPDX-License-Identifier: Apache-2.0
#include "channel/addresses.h"

#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

static uint64_t key_of(int family, const char *text) {
    struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
    void *to = family == AF_INET ? (void *)&((struct sockaddr_in *)(void *)&address)->sin_addr
                                 : (void *)&((struct sockaddr_in6 *)(void *)&address)->sin6_addr;
    CHECK(inet_pton(family, text, to) == 1);
    return addresses_key(&address);
}

TEST(an_address_has_so_many_and_no_more) {
    Addresses addresses;
    CHECK_OK(addresses_open(&addresses, 10, 3));
    uint64_t one = key_of(AF_INET, "192.0.2.1"), two = key_of(AF_INET, "192.0.2.2");
    for (int i = 0; i < 3; i++)
        CHECK(addresses_take(&addresses, one));
    CHECK(!addresses_take(&addresses, one) && addresses_take(&addresses, two));
    addresses_give(&addresses, one);
    CHECK(addresses_take(&addresses, one) && !addresses_take(&addresses, one));
    addresses_close(&addresses);
    CHECK_OK(addresses_open(&addresses, 10, 0));
    for (int i = 0; i < 100; i++)
        CHECK(addresses_take(&addresses, one)); // no limit
    addresses_give(&addresses, one);
    addresses_close(&addresses);
}

TEST(an_ipv6_address_counts_by_its_network) {
    CHECK(key_of(AF_INET6, "2001:db8:0:1::1") == key_of(AF_INET6, "2001:db8:0:1:ffff::2"));
    CHECK(key_of(AF_INET6, "2001:db8:0:1::1") != key_of(AF_INET6, "2001:db8:0:2::1"));
    CHECK(key_of(AF_INET6, "::ffff:192.0.2.1") == key_of(AF_INET, "192.0.2.1"));
    CHECK(key_of(AF_INET6, "::ffff:192.0.2.1") != key_of(AF_INET6, "::ffff:192.0.2.2"));
}

TEST(many_come_and_go_and_none_is_mistaken_for_another) {
    enum { KEYS = 500, STEPS = 200'000, MAX = 5 };
    Addresses addresses;
    static uint32_t counts[KEYS];
    uint32_t all = 0;
    CHECK_OK(addresses_open(&addresses, 600, MAX));
    srand(7);
    for (int i = 0; i < STEPS; i++) {
        size_t k = (size_t)rand() % KEYS;
        uint64_t key = k * 0x1'0000'0001ULL + 1;
        if (rand() % 2 && counts[k] > 0) {
            addresses_give(&addresses, key);
            counts[k]--;
            all--;
        } else if (all < 600) {
            bool has_room = addresses_take(&addresses, key);
            CHECK(has_room == (counts[k] < MAX));
            counts[k] += has_room;
            all += has_room;
        }
    }
    for (size_t k = 0; k < KEYS; k++)
        for (; counts[k] > 0; counts[k]--)
            addresses_give(&addresses, k * 0x1'0000'0001ULL + 1);
    for (uint32_t i = 0; i < addresses.capacity; i++)
        CHECK(addresses.slots[i].count == 0);
    addresses_close(&addresses);
}

TEST_MAIN(CASE(an_address_has_so_many_and_no_more),
          CASE(an_ipv6_address_counts_by_its_network),
          CASE(many_come_and_go_and_none_is_mistaken_for_another))
