// SPDX-License-Identifier: Apache-2.0
#include "db/sealer.h"

#include "base/log.h"
#include "base/scope.h"
#include "io/race.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    SEALER_GATHER_MS = 20, ///< from the first note to the batch
    SEALER_PAUSE_FIRST_MS = 50,
    SEALER_PAUSE_MAX_MS = 5'000,
    SEALER_LAST_TRIES = 3, ///< when it is to end
    SEALER_HOLDER_BYTES = 12,
    SEALER_HOLDER_ARENA = 256,
    MS_PER_S = 1'000,
    NS_PER_MS = 1'000'000,
};

struct Sealer {
    SealerOptions options;
    Arena arena;
    SealBy by;
    pthread_t thread;
    pthread_mutex_t mutex; ///< guards what follows
    pthread_cond_t change;
    bool is_woken;
    bool is_urgent; ///< somebody waits
    bool is_closing;
    uint64_t asked; ///< flushes that were asked for
    uint64_t done;  ///< of these, those that were served
    uint32_t failures;
    Err err; ///< of the last round
};

/// Seal until nothing is left that can be. `*ret_wait_ms`: another holds the lease.
static Err sealer_round(Sealer *sealer, const SealBy *by, uint64_t *ret_wait_ms) {
    Race race = {};
    SealResult sealed = {.more = true};
    *ret_wait_ms = 0;
    while (sealed.more) {
        uint64_t now_ms = clock_now_ms(&sealer->options.clock);
        Err err = journal_seal(sealer->options.db, by, now_ms, &sealed);
        if (err.code != OK && race_again_here(&race, err)) continue;
        TRY(err);
        race = (Race){};
    }
    *ret_wait_ms = sealed.wait_ms;
    if (sealed.refused)
        return FAIL(ERR_STATE, "the head of a journal is not signed by this installation's key");
    return SUCCESS;
}

/// Log the first failure of several, and that they are over.
static void sealer_log(Sealer *sealer, Err err) {
    if (err.code != OK && sealer->failures == 0)
        log_event(LOG_ERROR,
                  "journal.stuck",
                  F("code", err_code_name(err.code)),
                  F("what", err.what),
                  F("errno", (uint64_t)err.sys));
    if (err.code == OK && sealer->failures > 0)
        log_event(LOG_INFO, "journal.goes-on", F("failures", (uint64_t)sealer->failures));
}

/// Wait for so long, or until it is to end or (with `yields`) somebody waits. The mutex is held.
static void sealer_pause(Sealer *sealer, uint64_t pause_ms, bool yields) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + pause_ms % MS_PER_S * NS_PER_MS;
    until.tv_sec += (time_t)(pause_ms / MS_PER_S + ns / ((uint64_t)MS_PER_S * NS_PER_MS));
    until.tv_nsec = (long)(ns % ((uint64_t)MS_PER_S * NS_PER_MS));
    int code = 0;
    while (code == 0 && !sealer->is_closing && !(yields && sealer->is_urgent))
        code = pthread_cond_timedwait(&sealer->change, &sealer->mutex, &until);
}

/// What a round leaves to do. The mutex is held.
static void sealer_after(Sealer *sealer, Err err, uint64_t wait_ms) {
    sealer_log(sealer, err);
    sealer->failures = err.code == OK ? 0 : sealer->failures + 1;
    bool is_last = sealer->is_closing && sealer->failures >= SEALER_LAST_TRIES;
    // A head that is not ours gets no better by trying: the next note looks again.
    bool again = (err.code != OK && err.code != ERR_STATE) || wait_ms > 0;
    if (!again || is_last) return;
    sealer->is_woken = true;
    uint32_t doublings = sealer->failures < 8 ? sealer->failures : 8;
    uint64_t pause_ms = wait_ms ? wait_ms : (uint64_t)SEALER_PAUSE_FIRST_MS << doublings;
    if (pause_ms > SEALER_PAUSE_MAX_MS) pause_ms = SEALER_PAUSE_MAX_MS;
    sealer_pause(sealer, pause_ms, true);
}

static void *sealer_main(void *ctx) {
    Sealer *sealer = ctx;
    (void)pthread_setname_np(pthread_self(), "sealer");
    pthread_mutex_lock(&sealer->mutex);
    while (sealer->is_woken || !sealer->is_closing) {
        if (!sealer->is_woken) {
            pthread_cond_wait(&sealer->change, &sealer->mutex);
            continue;
        }
        sealer_pause(sealer, SEALER_GATHER_MS, true);
        uint64_t asked = sealer->asked;
        SealBy by = sealer->by;
        by.waits = !sealer->is_closing && !sealer->is_urgent;
        sealer->is_woken = sealer->is_urgent = false;
        pthread_mutex_unlock(&sealer->mutex);
        uint64_t wait_ms;
        Err err = sealer_round(sealer, &by, &wait_ms);
        pthread_mutex_lock(&sealer->mutex);
        sealer->err = err;
        sealer->done = asked;
        pthread_cond_broadcast(&sealer->change);
        sealer_after(sealer, err, wait_ms);
    }
    pthread_mutex_unlock(&sealer->mutex);
    return NULL;
}

void sealer_wake(Sealer *sealer) {
    if (!sealer) return;
    pthread_mutex_lock(&sealer->mutex);
    sealer->is_woken = true;
    pthread_cond_broadcast(&sealer->change);
    pthread_mutex_unlock(&sealer->mutex);
}

Err sealer_flush(Sealer *sealer) {
    pthread_mutex_lock(&sealer->mutex);
    uint64_t mine = ++sealer->asked;
    sealer->is_woken = sealer->is_urgent = true;
    pthread_cond_broadcast(&sealer->change);
    while (sealer->done < mine)
        pthread_cond_wait(&sealer->change, &sealer->mutex);
    Err err = sealer->err;
    pthread_mutex_unlock(&sealer->mutex);
    return err;
}

static void sealer_free(Sealer *sealer) {
    pthread_mutex_destroy(&sealer->mutex);
    pthread_cond_destroy(&sealer->change);
    arena_done(&sealer->arena);
    free(sealer);
}

Err sealer_open(const SealerOptions *options, Sealer **ret_sealer) {
    Sealer *sealer = calloc(1, sizeof(*sealer));
    if (!sealer) return OUT_OF_MEMORY;
    sealer->options = *options;
    arena_init(&sealer->arena, SEALER_HOLDER_ARENA);
    sealer->by = (SealBy){.key = options->key,
                          .holder = secret_make(&sealer->arena, SEALER_HOLDER_BYTES),
                          .watch = options->watch};
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&sealer->change, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&sealer->mutex, NULL);
    Err err = arena_check(&sealer->arena);
    int code = 0;
    if (err.code == OK) {
        uint64_t wait_ms;
        Err first = sealer_round(sealer, &sealer->by, &wait_ms);
        sealer_log(sealer, first);
        sealer->failures = first.code != OK;
        sealer->is_woken = first.code != OK;
        code = pthread_create(&sealer->thread, NULL, sealer_main, sealer);
    }
    if (code != 0) err = (Err){ERR_SYSTEM, code, "cannot start the sealer"};
    if (err.code == OK)
        *ret_sealer = sealer;
    else
        sealer_free(sealer);
    return err;
}

Sealer *sealer_close(Sealer *sealer) {
    if (!sealer) return NULL;
    pthread_mutex_lock(&sealer->mutex);
    sealer->is_closing = true;
    sealer->is_woken = true;
    pthread_cond_broadcast(&sealer->change);
    pthread_mutex_unlock(&sealer->mutex);
    pthread_join(sealer->thread, NULL);
    sealer_free(sealer);
    return NULL;
}
