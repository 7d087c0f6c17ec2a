// SPDX-License-Identifier: Apache-2.0
/// How many connections each address has, so that none takes all. An IPv6 address counts by its
/// first 64 bits: that is what one customer has. Inside of the gateway only. Thread-safe.
#pragma once

#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

typedef struct AddressCount {
    uint64_t key;
    uint32_t count; ///< 0: free
} AddressCount;

/// An open-addressing table with linear probing. A cleared slot is refilled by moving later ones of
/// its run back, so there are no tombstones.
typedef struct Addresses {
    pthread_mutex_t lock;
    AddressCount *slots;
    uint32_t capacity; ///< a power of two, at least twice the connections
    uint32_t max;      ///< of one address; 0: no limit, and no table
} Addresses;

/// For `connections` in all, `max` from one address. ERR_MEMORY.
Err addresses_open(Addresses *addresses, uint32_t connections, uint32_t max);
/// Free the table.
void addresses_close(Addresses *addresses);
/// What an address counts as.
uint64_t addresses_key(const struct sockaddr_storage *address);
/// One more of this key. False: it has as many as it may.
bool addresses_take(Addresses *addresses, uint64_t key);
/// One less.
void addresses_give(Addresses *addresses, uint64_t key);
