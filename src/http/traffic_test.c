// SPDX-License-Identifier: Apache-2.0
#include "http/traffic.h"

#include "base/clock.h"
#include "test.h"

TEST(it_drains_once_it_is_told_to) {
    Traffic traffic;
    traffic_init(&traffic);
    CHECK(!traffic_is_draining(&traffic));
    traffic_drain(&traffic);
    CHECK(traffic_is_draining(&traffic));
    traffic_done(&traffic);
}

TEST(waiting_ends_with_the_last_request_or_the_time) {
    Traffic traffic;
    traffic_init(&traffic);
    traffic_open(&traffic);
    traffic_open(&traffic);
    traffic_close(&traffic);
    uint64_t begun_ms = clock_monotonic_ms();
    traffic_wait(&traffic, 20);
    CHECK(clock_monotonic_ms() - begun_ms >= 20);
    traffic_close(&traffic);
    traffic_wait(&traffic, UINT32_MAX); // or the test never ends
    traffic_done(&traffic);
}

TEST_MAIN(CASE(it_drains_once_it_is_told_to), CASE(waiting_ends_with_the_last_request_or_the_time))
