// SPDX-License-Identifier: Apache-2.0
/// Numbers for things that come and go: found in O(1), and never found again once removed.
///
/// A number is a slot and the slot's generation, which moves on at each removal (40 bits: a slot
/// that is reused a thousand times a second lasts for 34 years).
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { SLOT_BITS = 20, SLOT_NUMBER_BITS = 60, SLOTS_MAX = 1 << SLOT_BITS };

typedef struct Slot {
    void *item; ///< NULL: free
    uint64_t generation;
    uint32_t next_free;
} Slot;

typedef struct Slots {
    Slot *slots;
    uint32_t capacity;
    uint32_t first_free; ///< SLOTS_MAX: none
    uint32_t count;      ///< items that are there
} Slots;

/// No items; allocates nothing yet.
void slots_init(Slots *slots);
/// Free the table, not the items.
void slots_done(Slots *slots);
/// Give `item` a number, never 0. False: no memory, or SLOTS_MAX items.
bool slots_add(Slots *slots, void *item, uint64_t *ret_number);
/// The item with this number; NULL if it is gone or never was.
void *slots_find(const Slots *slots, uint64_t number);
/// Forget the item with this number, which must be there.
void slots_remove(Slots *slots, uint64_t number);
