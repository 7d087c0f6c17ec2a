// SPDX-License-Identifier: Apache-2.0
#include "agent/slot.h"

#include "test.h"

#include <poll.h>
#include <pthread.h>

static bool readable(const Slot *slot) {
    struct pollfd pfd = {.fd = slot_fd(slot), .events = POLLIN};
    return poll(&pfd, 1, 0) == 1;
}

TEST(the_newest_wins) {
    Slot *slot;
    CHECK_OK(slot_open(100, &slot));
    Text text;
    CHECK(!readable(slot) && !slot_take(slot, &text));
    CHECK_OK(slot_put(slot, S("one")));
    CHECK_OK(slot_put(slot, S("two")));
    CHECK(readable(slot));
    CHECK(slot_take(slot, &text));
    CHECK_STR(text_str(&text), S("two"));
    text_done(&text);
    CHECK(!readable(slot) && !slot_take(slot, &text));
    slot_close(slot);
}

TEST(too_large_a_text_leaves_what_was_there) {
    Slot *slot;
    CHECK_OK(slot_open(4, &slot));
    CHECK_OK(slot_put(slot, S("1234")));
    CHECK_ERR(slot_put(slot, S("12345")), ERR_LIMIT);
    Text text;
    CHECK(slot_take(slot, &text));
    CHECK_STR(text_str(&text), S("1234"));
    text_done(&text);
    slot_close(slot);
}

TEST(the_end_is_seen_and_stays) {
    Slot *slot;
    CHECK_OK(slot_open(4, &slot));
    CHECK(!slot_is_over(slot));
    CHECK_OK(slot_put(slot, S("x")));
    slot_end(slot);
    Text text;
    CHECK(slot_take(slot, &text));
    text_done(&text);
    CHECK(readable(slot) && slot_is_over(slot));
    slot_close(slot);
}

static void *write_many(void *arg) {
    Slot *slot = arg;
    for (int i = 0; i < 5000; i++) {
        char number[16];
        snprintf(number, sizeof(number), "%d", i);
        CHECK_OK(slot_put(slot, str_from(number)));
    }
    slot_end(slot);
    return NULL;
}

TEST(a_reader_sees_growing_numbers_and_the_last_one) {
    Slot *slot;
    CHECK_OK(slot_open(16, &slot));
    pthread_t writer;
    CHECK(pthread_create(&writer, NULL, write_many, slot) == 0);
    uint64_t last = 0;
    for (bool over = false; !over;) {
        struct pollfd pfd = {.fd = slot_fd(slot), .events = POLLIN};
        CHECK(poll(&pfd, 1, 10'000) == 1);
        over = slot_is_over(slot);
        Text text;
        if (!slot_take(slot, &text)) continue;
        uint64_t value;
        CHECK_OK(str_u64(text_str(&text), &value));
        CHECK(value >= last);
        last = value;
        text_done(&text);
    }
    CHECK(last == 4999);
    CHECK(pthread_join(writer, NULL) == 0);
    slot_close(slot);
}

TEST_MAIN(CASE(the_newest_wins),
          CASE(too_large_a_text_leaves_what_was_there),
          CASE(the_end_is_seen_and_stays),
          CASE(a_reader_sees_growing_numbers_and_the_last_one))
