// SPDX-License-Identifier: Apache-2.0
#include "control/access_cache.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = ACCESS_CACHE_MAX / ACCESS_CACHE_WAYS };

_Static_assert(sizeof((AccessKey){}.sha256) == crypto_hash_sha256_BYTES, "a key is a SHA-256");

typedef struct CacheEntry {
    AccessKey key;
    uint64_t ends_at_ms; ///< 0: empty
    uint64_t used;       ///< the cache's clock when it was last found or added
    Principal principal; ///< its name points nowhere
    size_t name_len;
    char name[ACCESS_CACHE_NAME_MAX];
} CacheEntry;

struct AccessCache {
    pthread_mutex_t lock;
    uint64_t clock; ///< finds and adds so far
    uint64_t revocations;
    CacheEntry buckets[BUCKETS][ACCESS_CACHE_WAYS];
};

AccessKey access_key(Str token) {
    AccessKey key;
    crypto_hash_sha256(key.sha256, (const uint8_t *)token.ptr, token.len);
    return key;
}

Err access_cache_open(AccessCache **ret_cache) {
    AccessCache *cache = calloc(1, sizeof(*cache));
    if (!cache) return FAIL(ERR_MEMORY, "no memory for the access cache");
    pthread_mutex_init(&cache->lock, NULL);
    *ret_cache = cache;
    return SUCCESS;
}

AccessCache *access_cache_close(AccessCache *cache) {
    if (!cache) return NULL;
    pthread_mutex_destroy(&cache->lock);
    free(cache);
    return NULL;
}

/// The bucket of a key, whose bytes are as good as random.
static CacheEntry *cache_bucket_of(AccessCache *cache, const AccessKey *key) {
    uint32_t number;
    memcpy(&number, key->sha256, sizeof(number));
    return cache->buckets[number % BUCKETS];
}

static bool cache_holds(const CacheEntry *entry, const AccessKey *key, uint64_t now_ms) {
    return now_ms < entry->ends_at_ms && memcmp(&entry->key, key, sizeof(*key)) == 0;
}

bool access_cache_find(AccessCache *cache,
                       const AccessKey *key,
                       uint64_t now_ms,
                       Arena *arena,
                       Principal *ret_principal,
                       uint64_t *ret_revocations) {
    bool found = false;
    CacheEntry *bucket = cache_bucket_of(cache, key);
    pthread_mutex_lock(&cache->lock);
    for (size_t i = 0; i < ACCESS_CACHE_WAYS && !found; i++) {
        CacheEntry *entry = &bucket[i];
        found = cache_holds(entry, key, now_ms);
        if (!found) continue;
        entry->used = ++cache->clock;
        *ret_principal = entry->principal;
        ret_principal->name = str_dup(arena, (Str){entry->name, entry->name_len});
    }
    *ret_revocations = cache->revocations;
    pthread_mutex_unlock(&cache->lock);
    return found;
}

/// Where a new key goes: the place that it has, one that has ended, or the one least lately used.
static CacheEntry *cache_place(CacheEntry *bucket, const AccessKey *key, uint64_t now_ms) {
    CacheEntry *place = &bucket[0];
    for (size_t i = 0; i < ACCESS_CACHE_WAYS; i++) {
        CacheEntry *entry = &bucket[i];
        if (cache_holds(entry, key, now_ms)) return entry;
        if (entry->ends_at_ms <= now_ms) entry->used = 0;
        if (entry->used < place->used) place = entry;
    }
    return place;
}

void access_cache_add(AccessCache *cache,
                      const AccessKey *key,
                      const Principal *principal,
                      uint64_t now_ms,
                      uint64_t ends_at_ms,
                      uint64_t revocations) {
    if (principal->name.len > ACCESS_CACHE_NAME_MAX) return;
    CacheEntry *bucket = cache_bucket_of(cache, key);
    pthread_mutex_lock(&cache->lock);
    if (cache->revocations == revocations) {
        CacheEntry *entry = cache_place(bucket, key, now_ms);
        *entry = (CacheEntry){.key = *key,
                              .ends_at_ms = ends_at_ms,
                              .used = ++cache->clock,
                              .principal = *principal,
                              .name_len = principal->name.len};
        memcpy(entry->name, principal->name.ptr, principal->name.len);
        entry->principal.name = (Str){};
    }
    pthread_mutex_unlock(&cache->lock);
}

uint64_t access_cache_revocations(AccessCache *cache) {
    pthread_mutex_lock(&cache->lock);
    uint64_t revocations = cache->revocations;
    pthread_mutex_unlock(&cache->lock);
    return revocations;
}

void access_cache_revoke(AccessCache *cache, const Id *id) {
    pthread_mutex_lock(&cache->lock);
    cache->revocations++;
    for (size_t i = 0; i < ACCESS_CACHE_MAX; i++) {
        CacheEntry *entry = &cache->buckets[i / ACCESS_CACHE_WAYS][i % ACCESS_CACHE_WAYS];
        if (id_eq(&entry->principal.session, id) || id_eq(&entry->principal.subject, id))
            *entry = (CacheEntry){};
    }
    pthread_mutex_unlock(&cache->lock);
}
