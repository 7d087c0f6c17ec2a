// SPDX-License-Identifier: Apache-2.0
#include "http/traffic.h"

#include "base/clock.h"

#include <time.h>

void traffic_init(Traffic *traffic) {
    *traffic = (Traffic){};
    pthread_mutex_init(&traffic->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&traffic->idle, &attributes);
    pthread_condattr_destroy(&attributes);
}

void traffic_done(Traffic *traffic) {
    pthread_cond_destroy(&traffic->idle);
    pthread_mutex_destroy(&traffic->lock);
}

void traffic_open(Traffic *traffic) {
    pthread_mutex_lock(&traffic->lock);
    traffic->open++;
    pthread_mutex_unlock(&traffic->lock);
}

void traffic_close(Traffic *traffic) {
    pthread_mutex_lock(&traffic->lock);
    if (--traffic->open == 0) pthread_cond_broadcast(&traffic->idle);
    pthread_mutex_unlock(&traffic->lock);
}

void traffic_drain(Traffic *traffic) {
    pthread_mutex_lock(&traffic->lock);
    traffic->is_draining = true;
    pthread_mutex_unlock(&traffic->lock);
}

bool traffic_is_draining(Traffic *traffic) {
    pthread_mutex_lock(&traffic->lock);
    bool is_draining = traffic->is_draining;
    pthread_mutex_unlock(&traffic->lock);
    return is_draining;
}

void traffic_wait(Traffic *traffic, uint64_t within_ms) {
    uint64_t until_ms = clock_monotonic_ms() + within_ms;
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                             .tv_nsec = (long)(until_ms % 1000 * 1'000'000)};
    pthread_mutex_lock(&traffic->lock);
    while (traffic->open > 0)
        if (pthread_cond_timedwait(&traffic->idle, &traffic->lock, &until) != 0) break;
    pthread_mutex_unlock(&traffic->lock);
}
