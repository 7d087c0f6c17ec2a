// SPDX-License-Identifier: Apache-2.0
#include "channel/slots.h"

#include "base/err.h"
#include "test.h"

TEST(an_item_is_found_by_its_number_until_it_is_removed) {
    Slots slots;
    slots_init(&slots);
    int a = 0, b = 0;
    uint64_t first = 0, second = 0;
    CHECK(slots_find(&slots, 0) == NULL && slots_find(&slots, UINT64_MAX) == NULL);
    CHECK(slots_add(&slots, &a, &first) && slots_add(&slots, &b, &second));
    CHECK(first != 0 && second != 0 && first != second);
    CHECK(slots_find(&slots, first) == &a && slots_find(&slots, second) == &b);
    slots_remove(&slots, first);
    CHECK(slots_find(&slots, first) == NULL && slots_find(&slots, second) == &b);
    CHECK(slots.count == 1);
    slots_done(&slots);
}

TEST(a_number_is_never_given_twice) {
    Slots slots;
    slots_init(&slots);
    int item = 0;
    uint64_t before = 0, number = 0;
    for (int i = 0; i < 1000; i++) {
        CHECK(slots_add(&slots, &item, &number));
        CHECK(number != before && slots_find(&slots, before) == NULL);
        slots_remove(&slots, number);
        before = number;
    }
    CHECK(slots.capacity <= 64); // one slot was used again and again
    slots_done(&slots);
}

TEST(thousands_are_held_at_once) {
    enum { COUNT = 5000 };
    Slots slots;
    slots_init(&slots);
    static uint64_t numbers[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        CHECK(slots_add(&slots, &numbers[i], &numbers[i]));
    for (size_t i = 0; i < COUNT; i++)
        CHECK(slots_find(&slots, numbers[i]) == &numbers[i]);
    CHECK(slots.count == COUNT);
    slots_done(&slots);
}

TEST_MAIN(CASE(an_item_is_found_by_its_number_until_it_is_removed),
          CASE(a_number_is_never_given_twice),
          CASE(thousands_are_held_at_once))
