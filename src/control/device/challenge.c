// SPDX-License-Identifier: Apache-2.0
#include "control/device/challenge.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    RANDOM_BYTES = 8,
    MAC_BYTES = 16,
    SIGNED_BYTES = 8 + RANDOM_BYTES,
    NONCE_BYTES = SIGNED_BYTES + MAC_BYTES,
    SPENT_SLOTS = 65536, ///< a power of two
    PROBES_MAX = 32,
    URL_SAFE = sodium_base64_VARIANT_URLSAFE_NO_PADDING,
};

typedef struct Spent {
    uint64_t mac; ///< the first bytes of the nonce's hash
    uint64_t user;
    uint64_t until_ms;
} Spent;

struct Challenges {
    pthread_mutex_t lock;
    uint64_t life_ms;
    uint8_t key[crypto_generichash_KEYBYTES];
    Spent spent[SPENT_SLOTS];
};

Err challenges_open(uint64_t life_ms, Challenges **ret_challenges) {
    Challenges *challenges = calloc(1, sizeof(*challenges)); // untouched slots cost no memory
    if (!challenges) return FAIL(ERR_MEMORY, "no memory for challenges");
    pthread_mutex_init(&challenges->lock, NULL);
    challenges->life_ms = life_ms;
    randombytes_buf(challenges->key, sizeof(challenges->key));
    *ret_challenges = challenges;
    return SUCCESS;
}

Challenges *challenges_close(Challenges *challenges) {
    if (!challenges) return NULL;
    pthread_mutex_destroy(&challenges->lock);
    sodium_memzero(challenges->key, sizeof(challenges->key));
    free(challenges);
    return NULL;
}

static void nonce_mac(const Challenges *challenges, const uint8_t *nonce, uint8_t *ret_mac) {
    crypto_generichash(
        ret_mac, MAC_BYTES, nonce, SIGNED_BYTES, challenges->key, sizeof(challenges->key));
}

Err challenge_make(Challenges *challenges, uint64_t now_ms, Arena *arena, Str *ret_nonce) {
    uint8_t nonce[NONCE_BYTES];
    memcpy(nonce, &now_ms, sizeof(now_ms));
    randombytes_buf(nonce + sizeof(now_ms), RANDOM_BYTES);
    nonce_mac(challenges, nonce, nonce + SIGNED_BYTES);
    char text[sodium_base64_ENCODED_LEN(NONCE_BYTES, URL_SAFE)];
    sodium_bin2base64(text, sizeof(text), nonce, sizeof(nonce), URL_SAFE);
    Str copy = str_dup(arena, str_from(text));
    TRY(arena_check(arena));
    *ret_nonce = copy;
    return SUCCESS;
}

/// Remember a spent nonce; the lock is held.
static Err spent_add(Challenges *challenges, const Spent *now_spent, uint64_t now_ms) {
    Spent *free_slot = NULL;
    for (size_t i = 0; i < PROBES_MAX; i++) {
        Spent *slot = &challenges->spent[(now_spent->mac + i) & (SPENT_SLOTS - 1)];
        if (slot->until_ms < now_ms) {
            if (!free_slot) free_slot = slot;
        } else if (slot->mac == now_spent->mac) {
            if (slot->user == now_spent->user) return SUCCESS;
            return FAIL(ERR_UNAUTHENTICATED, "the nonce was used already");
        }
    }
    if (!free_slot) return FAIL(ERR_BUSY, "too many devices at once");
    *free_slot = *now_spent;
    return SUCCESS;
}

Err challenge_spend(Challenges *challenges, Str nonce, Str user, uint64_t now_ms) {
    const Err bad = FAIL(ERR_UNAUTHENTICATED, "the nonce is not ours, or too old");
    uint8_t bytes[NONCE_BYTES];
    uint8_t mac[MAC_BYTES];
    size_t len;
    const char *end;
    if (sodium_base642bin(bytes, sizeof(bytes), nonce.ptr, nonce.len, NULL, &len, &end, URL_SAFE)
            != 0
        || len != NONCE_BYTES || end != nonce.ptr + nonce.len)
        return bad;
    nonce_mac(challenges, bytes, mac);
    if (sodium_memcmp(mac, bytes + SIGNED_BYTES, MAC_BYTES) != 0) return bad;
    uint64_t made_ms;
    memcpy(&made_ms, bytes, sizeof(made_ms));
    if (made_ms > now_ms || now_ms - made_ms > challenges->life_ms) return bad;
    Spent spent = {.user = str_hash(user), .until_ms = made_ms + challenges->life_ms};
    memcpy(&spent.mac, mac, sizeof(spent.mac));
    pthread_mutex_lock(&challenges->lock);
    Err err = spent_add(challenges, &spent, now_ms);
    pthread_mutex_unlock(&challenges->lock);
    return err;
}
