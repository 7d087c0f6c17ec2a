// SPDX-License-Identifier: Apache-2.0
#include "channel/addresses.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 64 };

Err addresses_open(Addresses *addresses, uint32_t connections, uint32_t max) {
    *addresses = (Addresses){.capacity = CAPACITY_MIN, .max = max};
    pthread_mutex_init(&addresses->lock, NULL);
    if (max == 0) return SUCCESS;
    while (addresses->capacity / 2 < connections)
        addresses->capacity *= 2;
    addresses->slots = calloc(addresses->capacity, sizeof(*addresses->slots));
    return addresses->slots ? SUCCESS : FAIL(ERR_MEMORY, "no memory for the table of addresses");
}

void addresses_close(Addresses *addresses) {
    free(addresses->slots);
    pthread_mutex_destroy(&addresses->lock);
}

uint64_t addresses_key(const struct sockaddr_storage *address) {
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;
    uint32_t short_key = 0;
    uint64_t key = 0;
    if (address->ss_family == AF_INET) {
        short_key = v4->sin_addr.s_addr;
    } else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) { // IPv4 to a socket of both
        memcpy(&short_key, &v6->sin6_addr.s6_addr[12], sizeof(short_key));
    } else {
        memcpy(&key, &v6->sin6_addr, sizeof(key));
        return key;
    }
    return short_key;
}

static uint32_t addresses_home(const Addresses *addresses, uint64_t key) {
    uint64_t mixed = key * 0x9e37'79b9'7f4a'7c15ULL; // the golden ratio: neighbours are spread
    return (uint32_t)(mixed >> 32) & (addresses->capacity - 1);
}

/// The key's slot, or the free one where it would go.
static uint32_t addresses_find(const Addresses *addresses, uint64_t key) {
    uint32_t at = addresses_home(addresses, key);
    while (addresses->slots[at].count > 0 && addresses->slots[at].key != key)
        at = (at + 1) & (addresses->capacity - 1);
    return at;
}

bool addresses_take(Addresses *addresses, uint64_t key) {
    if (addresses->max == 0) return true;
    pthread_mutex_lock(&addresses->lock);
    AddressCount *slot = &addresses->slots[addresses_find(addresses, key)];
    bool has_room = slot->count < addresses->max;
    if (has_room) *slot = (AddressCount){key, slot->count + 1};
    pthread_mutex_unlock(&addresses->lock);
    return has_room;
}

/// Slot `at` is free now: move back what was pushed behind it.
static void addresses_close_gap(Addresses *addresses, uint32_t at) {
    uint32_t mask = addresses->capacity - 1;
    AddressCount *slots = addresses->slots;
    for (uint32_t next = (at + 1) & mask; slots[next].count > 0; next = (next + 1) & mask) {
        uint32_t home = addresses_home(addresses, slots[next].key);
        if (((next - home) & mask) < ((next - at) & mask)) continue; // it is not beyond its home
        slots[at] = slots[next];
        slots[next] = (AddressCount){};
        at = next;
    }
}

void addresses_give(Addresses *addresses, uint64_t key) {
    if (addresses->max == 0) return;
    pthread_mutex_lock(&addresses->lock);
    uint32_t at = addresses_find(addresses, key);
    assert(addresses->slots[at].count > 0);
    if (--addresses->slots[at].count == 0) addresses_close_gap(addresses, at);
    pthread_mutex_unlock(&addresses->lock);
}
