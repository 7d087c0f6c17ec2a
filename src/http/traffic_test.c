// SPDX-License-Identifier: Apache-2.0
#include "http/traffic.h"

#include "base/clock.h"
#include "test.h"

#include <unistd.h>

TEST(draining_begins_once) {
    Traffic traffic;
    traffic_init(&traffic);
    CHECK(!traffic_is_draining(&traffic));
    CHECK(traffic_drain(&traffic));
    CHECK(!traffic_drain(&traffic));
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

static void *end_late(void *arg) {
    usleep(20'000);
    traffic_ran(arg);
    return NULL;
}

TEST(the_end_waits_for_workers_and_gives_them_nothing_more) {
    Traffic traffic;
    traffic_init(&traffic);
    CHECK_OK(traffic_run(&traffic));
    pthread_t thread;
    uint64_t begun_ms = clock_monotonic_ms();
    CHECK(pthread_create(&thread, NULL, end_late, &traffic) == 0);
    traffic_end(&traffic);
    CHECK(clock_monotonic_ms() - begun_ms >= 19);
    CHECK_ERR(traffic_run(&traffic), ERR_UNAVAILABLE);
    CHECK(pthread_join(thread, NULL) == 0);
    traffic_done(&traffic);
}

TEST_MAIN(CASE(draining_begins_once),
          CASE(waiting_ends_with_the_last_request_or_the_time),
          CASE(the_end_waits_for_workers_and_gives_them_nothing_more))
