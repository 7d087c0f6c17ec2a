// SPDX-License-Identifier: Apache-2.0
#include "channel/slots.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

enum { CAPACITY_MIN = 64 };

void slots_init(Slots *slots) {
    *slots = (Slots){.first_free = SLOTS_MAX};
}

void slots_done(Slots *slots) {
    free(slots->slots);
    slots_init(slots);
}

static bool slots_grow(Slots *slots) {
    uint32_t capacity = slots->capacity ? slots->capacity * 2 : CAPACITY_MIN;
    if (capacity > SLOTS_MAX) return false;
    Slot *grown = realloc(slots->slots, capacity * sizeof(*grown));
    if (!grown) return false;
    for (uint32_t i = slots->capacity; i < capacity; i++)
        grown[i] = (Slot){.generation = 1, .next_free = i + 1 < capacity ? i + 1 : SLOTS_MAX};
    slots->first_free = slots->capacity;
    slots->slots = grown;
    slots->capacity = capacity;
    return true;
}

bool slots_add(Slots *slots, void *item, uint64_t *ret_number) {
    assert(item);
    if (slots->first_free == SLOTS_MAX && !slots_grow(slots)) return false;
    uint32_t index = slots->first_free;
    Slot *slot = &slots->slots[index];
    slots->first_free = slot->next_free;
    slots->count++;
    slot->item = item;
    *ret_number = slot->generation << SLOT_BITS | index;
    return true;
}

static Slot *slots_at(const Slots *slots, uint64_t number) {
    uint32_t index = (uint32_t)number & (SLOTS_MAX - 1);
    if (index >= slots->capacity) return NULL;
    Slot *slot = &slots->slots[index];
    return slot->item && slot->generation == number >> SLOT_BITS ? slot : NULL;
}

void *slots_find(const Slots *slots, uint64_t number) {
    const Slot *slot = slots_at(slots, number);
    return slot ? slot->item : NULL;
}

void slots_remove(Slots *slots, uint64_t number) {
    Slot *slot = slots_at(slots, number);
    assert(slot);
    slot->item = NULL;
    slot->generation++;
    slot->next_free = slots->first_free;
    slots->first_free = (uint32_t)(slot - slots->slots);
    slots->count--;
}
