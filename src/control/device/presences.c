// SPDX-License-Identifier: Apache-2.0
#include "control/device/presences.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 64 };

/// An open-addressing table with linear probing. A cleared slot is refilled by moving later ones
/// of its run back, so there are no tombstones.
typedef struct Slot {
    Id device_id; ///< absent: free
    PresenceHere here;
} Slot;

struct Presences {
    _Atomic uint64_t moment; ///< grows with each piece of news
    pthread_mutex_t lock;    ///< guards what follows
    Slot *slots;
    size_t capacity; ///< a power of two, at least twice the count
    size_t count;
};

Err presences_open(Presences **ret_presences) {
    Presences *presences = calloc(1, sizeof(*presences));
    Slot *slots = calloc(SLOTS_MIN, sizeof(*slots));
    if (!presences || !slots) {
        free(presences);
        free(slots);
        return FAIL(ERR_MEMORY, "no memory for the table of channels");
    }
    pthread_mutex_init(&presences->lock, NULL);
    presences->moment = 1;
    presences->slots = slots;
    presences->capacity = SLOTS_MIN;
    *ret_presences = presences;
    return SUCCESS;
}

Presences *presences_close(Presences *presences) {
    if (!presences) return NULL;
    pthread_mutex_destroy(&presences->lock);
    free(presences->slots);
    free(presences);
    return NULL;
}

static size_t presences_home_of(const Id *id, size_t capacity) {
    return (size_t)(str_hash(id_str(id)) & (capacity - 1));
}

/// The device's slot, or the free one where it would go.
static size_t presences_find_slot(const Slot *slots, size_t capacity, const Id *id) {
    size_t at = presences_home_of(id, capacity);
    while (!id_is_absent(&slots[at].device_id) && !id_eq(&slots[at].device_id, id))
        at = (at + 1) & (capacity - 1);
    return at;
}

static Err presences_grow(Presences *presences) {
    size_t capacity = presences->capacity * 2;
    Slot *slots = calloc(capacity, sizeof(*slots));
    if (!slots) return FAIL(ERR_MEMORY, "no memory for the table of channels");
    for (size_t i = 0; i < presences->capacity; i++)
        if (!id_is_absent(&presences->slots[i].device_id))
            slots[presences_find_slot(slots, capacity, &presences->slots[i].device_id)] =
                presences->slots[i];
    free(presences->slots);
    presences->slots = slots;
    presences->capacity = capacity;
    return SUCCESS;
}

Err presences_set(Presences *presences,
                  const Id *device_id,
                  PresenceHere here,
                  uint64_t *ret_replaced) {
    Err err = SUCCESS;
    pthread_mutex_lock(&presences->lock);
    if ((presences->count + 1) * 2 > presences->capacity) err = presences_grow(presences);
    if (err.code == OK) {
        Slot *slot =
            &presences
                 ->slots[presences_find_slot(presences->slots, presences->capacity, device_id)];
        *ret_replaced = slot->here.channel;
        if (id_is_absent(&slot->device_id)) presences->count++;
        *slot = (Slot){*device_id, here};
    }
    pthread_mutex_unlock(&presences->lock);
    return err;
}

/// Free slot `at` and move back what was pushed behind it.
static void presences_free_slot(Presences *presences, size_t at) {
    size_t mask = presences->capacity - 1;
    Slot *slots = presences->slots;
    for (size_t next = (at + 1) & mask; !id_is_absent(&slots[next].device_id);
         next = (next + 1) & mask) {
        size_t home = presences_home_of(&slots[next].device_id, presences->capacity);
        if (((next - home) & mask) < ((next - at) & mask)) continue; // it is not beyond its home
        slots[at] = slots[next];
        at = next;
    }
    slots[at] = (Slot){};
    presences->count--;
}

/// The device's slot if it has this channel; else NULL. The lock is held.
static Slot *presences_of(Presences *presences, const Id *device_id, uint64_t channel) {
    size_t at = presences_find_slot(presences->slots, presences->capacity, device_id);
    Slot *slot = &presences->slots[at];
    return !id_is_absent(&slot->device_id) && slot->here.channel == channel ? slot : NULL;
}

/// What a slot says at this moment.
static PresenceHere presences_look(const Presences *presences, const Slot *slot) {
    PresenceHere here = slot->here;
    if (here.settled.moment != presences_moment(presences)) here.settled = (Settled){};
    return here;
}

PresenceHere
presences_heard(Presences *presences, const Id *device_id, uint64_t channel, uint64_t heard_ms) {
    PresenceHere here = {};
    pthread_mutex_lock(&presences->lock);
    Slot *slot = presences_of(presences, device_id, channel);
    if (slot) {
        slot->here.heard_ms = heard_ms;
        here = presences_look(presences, slot);
    }
    pthread_mutex_unlock(&presences->lock);
    return here;
}

void presences_settle(Presences *presences,
                      const Id *device_id,
                      uint64_t channel,
                      Settled settled) {
    pthread_mutex_lock(&presences->lock);
    Slot *slot = presences_of(presences, device_id, channel);
    if (slot) {
        slot->here.settled = settled;
        slot->here.held = settled.generation;
    }
    pthread_mutex_unlock(&presences->lock);
}

uint64_t presences_moment(const Presences *presences) {
    return atomic_load(&presences->moment);
}

void presences_news(Presences *presences) {
    atomic_fetch_add(&presences->moment, 1);
}

PresenceHere presences_clear(Presences *presences, const Id *device_id, uint64_t channel) {
    PresenceHere here = {};
    pthread_mutex_lock(&presences->lock);
    Slot *slot = presences_of(presences, device_id, channel);
    if (slot) {
        here = slot->here;
        presences_free_slot(presences, (size_t)(slot - presences->slots));
    }
    pthread_mutex_unlock(&presences->lock);
    return here;
}

PresenceHere presences_here(Presences *presences, const Id *device_id) {
    pthread_mutex_lock(&presences->lock);
    size_t at = presences_find_slot(presences->slots, presences->capacity, device_id);
    PresenceHere here = presences_look(presences, &presences->slots[at]);
    pthread_mutex_unlock(&presences->lock);
    return here;
}
