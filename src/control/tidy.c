// SPDX-License-Identifier: Apache-2.0
#include "control/tidy.h"

#include "base/log.h"
#include "base/scope.h"
#include "control/slice.h"
#include "io/race.h"

#include <pthread.h>
#include <stdlib.h>

enum { TIDY_ARENA_MAX = 16 * 1024 * 1024, MS_PER_S = 1'000, NS_PER_MS = 1'000'000 };

struct Tidy {
    App *app;
    uint64_t every_ms;
    pthread_t thread;
    pthread_mutex_t mutex; ///< guards what follows
    pthread_cond_t change;
    bool is_closing;
};

static Err tidy_slice_once(App *app, const Slice *slice, bool *ret_more) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TIDY_ARENA_MAX);
    SCOPED(tx_closep) Tx *tx = NULL;
    TRY(tx_open_all(app->db, &arena, &tx));
    bool more = false;
    TRY(slice->tidy(app, tx, clock_now_ms(&app->clock), &more));
    TRY(tx_commit(tx, NULL));
    *ret_more = more;
    return SUCCESS;
}

static void tidy_slice(App *app, const Slice *slice) {
    Race race = {};
    Err err = SUCCESS;
    for (bool more = true; more;) {
        err = tidy_slice_once(app, slice, &more);
        if (err.code == OK) race = (Race){};
        if (err.code != OK && !race_again_here(&race, err)) break;
    }
    if (err.code != OK)
        log_event(LOG_WARN, "tidy.failed", F("noun", slice->noun), F("what", err.what));
}

void tidy_round(App *app) {
    for (size_t i = 0; i < slice_count; i++)
        if (slices[i]->tidy) tidy_slice(app, slices[i]);
}

/// False: it is to end. The mutex is held.
static bool tidy_wait(Tidy *tidy) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(tidy->every_ms / MS_PER_S);
    until.tv_nsec += (long)(tidy->every_ms % MS_PER_S * NS_PER_MS);
    until.tv_sec += until.tv_nsec / ((long)MS_PER_S * NS_PER_MS);
    until.tv_nsec %= (long)MS_PER_S * NS_PER_MS;
    int code = 0;
    while (code == 0 && !tidy->is_closing)
        code = pthread_cond_timedwait(&tidy->change, &tidy->mutex, &until);
    return !tidy->is_closing;
}

static void *tidy_main(void *ctx) {
    Tidy *tidy = ctx;
    (void)pthread_setname_np(pthread_self(), "tidy");
    pthread_mutex_lock(&tidy->mutex);
    while (tidy_wait(tidy)) {
        pthread_mutex_unlock(&tidy->mutex);
        tidy_round(tidy->app);
        pthread_mutex_lock(&tidy->mutex);
    }
    pthread_mutex_unlock(&tidy->mutex);
    return NULL;
}

static void tidy_free(Tidy *tidy) {
    pthread_mutex_destroy(&tidy->mutex);
    pthread_cond_destroy(&tidy->change);
    free(tidy);
}

Err tidy_open(App *app, uint64_t every_ms, Tidy **ret_tidy) {
    Tidy *tidy = calloc(1, sizeof(*tidy));
    if (!tidy) return OUT_OF_MEMORY;
    tidy->app = app;
    tidy->every_ms = every_ms;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&tidy->change, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&tidy->mutex, NULL);
    int code = pthread_create(&tidy->thread, NULL, tidy_main, tidy);
    if (code == 0) {
        *ret_tidy = tidy;
        return SUCCESS;
    }
    tidy_free(tidy);
    return (Err){ERR_SYSTEM, code, "cannot start the thread that tidies up"};
}

Tidy *tidy_close(Tidy *tidy) {
    if (!tidy) return NULL;
    pthread_mutex_lock(&tidy->mutex);
    tidy->is_closing = true;
    pthread_cond_broadcast(&tidy->change);
    pthread_mutex_unlock(&tidy->mutex);
    pthread_join(tidy->thread, NULL);
    tidy_free(tidy);
    return NULL;
}
