// SPDX-License-Identifier: Apache-2.0
#include "control/operator/operator.h"

#include <pthread.h>
#include <stdlib.h>

enum { BUCKETS = 1024, MS_PER_S = 1000 };

/// Failures of the addresses that fall into one bucket. A stranger may share it; that only slows
/// them down together, and memory is fixed.
typedef struct Bucket {
    uint64_t window_start_ms;
    uint32_t failures;
} Bucket;

struct LoginGate {
    pthread_mutex_t lock;
    uint32_t at_once;
    uint32_t inside;
    uint32_t failures_max;
    uint64_t window_ms;
    Bucket buckets[BUCKETS];
};

Err login_gate_open(uint32_t at_once,
                    uint32_t failures_max,
                    uint64_t window_ms,
                    LoginGate **ret_gate) {
    LoginGate *gate = calloc(1, sizeof(*gate));
    if (!gate) return FAIL(ERR_MEMORY, "no memory for the login gate");
    pthread_mutex_init(&gate->lock, NULL);
    gate->at_once = at_once;
    gate->failures_max = failures_max;
    gate->window_ms = window_ms;
    *ret_gate = gate;
    return SUCCESS;
}

LoginGate *login_gate_close(LoginGate *gate) {
    if (!gate) return NULL;
    pthread_mutex_destroy(&gate->lock);
    free(gate);
    return NULL;
}

static Bucket *gate_bucket_of(LoginGate *gate, Str address) {
    return &gate->buckets[str_hash(address) % BUCKETS];
}

Err login_gate_enter(LoginGate *gate, Str address, uint64_t now_ms, uint64_t *ret_retry_after_s) {
    Err err = SUCCESS;
    pthread_mutex_lock(&gate->lock);
    Bucket *bucket = gate_bucket_of(gate, address);
    if (now_ms - bucket->window_start_ms >= gate->window_ms)
        *bucket = (Bucket){.window_start_ms = now_ms};
    if (bucket->failures >= gate->failures_max) {
        *ret_retry_after_s =
            (bucket->window_start_ms + gate->window_ms - now_ms + MS_PER_S - 1) / MS_PER_S;
        err = FAIL(ERR_BUSY, "too many failed sign-ins from this address");
    } else if (gate->inside >= gate->at_once) {
        *ret_retry_after_s = 1;
        err = FAIL(ERR_BUSY, "too many sign-ins at once");
    } else {
        gate->inside++;
    }
    pthread_mutex_unlock(&gate->lock);
    return err;
}

void login_gate_leave(LoginGate *gate, Str address, uint64_t now_ms, bool failed) {
    pthread_mutex_lock(&gate->lock);
    Bucket *bucket = gate_bucket_of(gate, address);
    gate->inside--;
    if (failed) {
        if (bucket->failures == 0) bucket->window_start_ms = now_ms;
        bucket->failures++;
    }
    pthread_mutex_unlock(&gate->lock);
}
