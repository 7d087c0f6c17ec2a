// SPDX-License-Identifier: Apache-2.0
#include "control/operator/login_gate.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SETS = 1024,
    WAYS = 8,
    WINDOW_MS = 300'000,
    ADDRESS_FAILURES_MAX = 10,
    ACCOUNT_FAILURES_MAX = 30,
    MS_PER_S = 1000,
    IPV6_NET_BYTES = 8,
};

/// Failures of one address or account. Where a set is full the one that began first goes.
typedef struct Bucket {
    uint64_t key; ///< 0: free
    uint64_t since_ms;
    uint32_t failures;
} Bucket;

struct LoginGate {
    pthread_mutex_t lock;
    uint8_t secret[crypto_shorthash_KEYBYTES]; ///< nobody chooses who shares a set
    Bucket sets[SETS][WAYS];
};

void login_address(Str remote, char ret_text[LOGIN_ADDRESS_MAX]) {
    struct in6_addr address;
    Str text = str_slice(remote, 0, LOGIN_ADDRESS_MAX - 1);
    memcpy(ret_text, text.ptr ? text.ptr : "", text.len);
    ret_text[text.len] = '\0';
    if (inet_pton(AF_INET6, ret_text, &address) != 1) return;
    memset(&address.s6_addr[IPV6_NET_BYTES], 0, sizeof(address) - IPV6_NET_BYTES);
    char net[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, &address, net, sizeof(net));
    snprintf(ret_text, LOGIN_ADDRESS_MAX, "%s/64", net);
}

Err login_gate_open(LoginGate **ret_gate) {
    LoginGate *gate = calloc(1, sizeof(*gate));
    if (!gate) return FAIL(ERR_MEMORY, "no memory for the login gate");
    pthread_mutex_init(&gate->lock, NULL);
    randombytes_buf(gate->secret, sizeof(gate->secret));
    *ret_gate = gate;
    return SUCCESS;
}

LoginGate *login_gate_close(LoginGate *gate) {
    if (!gate) return NULL;
    pthread_mutex_destroy(&gate->lock);
    free(gate);
    return NULL;
}

/// A kind, then the parts, each behind its length.
static uint64_t gate_key(const LoginGate *gate, char kind, Str first, Str second) {
    unsigned char text[2 + 2 * LOGIN_ADDRESS_MAX + 1] = {(unsigned char)kind};
    size_t len = 1;
    const Str parts[] = {first, second};
    for (size_t i = 0; i < 2; i++) {
        Str part = str_slice(parts[i], 0, LOGIN_ADDRESS_MAX - 1);
        text[len++] = (unsigned char)part.len;
        if (part.len) memcpy(text + len, part.ptr, part.len);
        len += part.len;
    }
    uint64_t key = 0;
    crypto_shorthash((unsigned char *)&key, text, len, gate->secret);
    return key ? key : 1;
}

/// The keys that a try counts for: its address, then its account.
static void gate_keys(const LoginGate *gate, const LoginTry *login, uint64_t ret_keys[2]) {
    ret_keys[0] = gate_key(gate, 'a', login->address, (Str){});
    ret_keys[1] = gate_key(gate, 'o', login->org, login->name);
}

/// The key's bucket, or where it would go: a free or forgotten one, else the oldest.
static Bucket *gate_find(LoginGate *gate, uint64_t key, uint64_t now_ms) {
    Bucket *set = gate->sets[key % SETS], *best = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key && now_ms - set[i].since_ms >= WINDOW_MS) set[i] = (Bucket){};
        if (set[i].key == key) return &set[i];
        if (best->key && (!set[i].key || set[i].since_ms < best->since_ms)) best = &set[i];
    }
    return best;
}

bool login_gate_allows(LoginGate *gate,
                       const LoginTry *login,
                       uint64_t now_ms,
                       uint64_t *ret_retry_after_s) {
    static const uint32_t max[] = {ADDRESS_FAILURES_MAX, ACCOUNT_FAILURES_MAX};
    uint64_t keys[2], until_ms = 0;
    gate_keys(gate, login, keys);
    pthread_mutex_lock(&gate->lock);
    for (size_t i = 0; i < 2; i++) {
        const Bucket *bucket = gate_find(gate, keys[i], now_ms);
        bool is_over = bucket->key == keys[i] && bucket->failures >= max[i];
        if (is_over && bucket->since_ms + WINDOW_MS > until_ms)
            until_ms = bucket->since_ms + WINDOW_MS;
    }
    pthread_mutex_unlock(&gate->lock);
    if (until_ms) *ret_retry_after_s = (until_ms - now_ms + MS_PER_S - 1) / MS_PER_S;
    return until_ms == 0;
}

void login_gate_failed(LoginGate *gate, const LoginTry *login, uint64_t now_ms) {
    uint64_t keys[2];
    gate_keys(gate, login, keys);
    pthread_mutex_lock(&gate->lock);
    for (size_t i = 0; i < 2; i++) {
        Bucket *bucket = gate_find(gate, keys[i], now_ms);
        if (bucket->key != keys[i]) *bucket = (Bucket){.key = keys[i], .since_ms = now_ms};
        bucket->failures++;
    }
    pthread_mutex_unlock(&gate->lock);
}
