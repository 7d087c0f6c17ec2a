// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite_queue.h"

#include "base/clock.h"

#include <time.h>

void queue_init(WriteQueue *queue) {
    *queue = (WriteQueue){.gather_ms = GATHER_MS};
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->change, &attributes);
    pthread_condattr_destroy(&attributes);
}

void queue_done(WriteQueue *queue) {
    pthread_cond_destroy(&queue->change);
    pthread_mutex_destroy(&queue->mutex);
}

static void queue_append(WriteQueue *queue, Submission *submission) {
    submission->next = NULL;
    if (queue->last)
        queue->last->next = submission;
    else
        queue->first = submission;
    queue->last = submission;
    if (queue->count == 0) queue->first_at_ms = clock_monotonic_ms();
    queue->count++;
    if (!submission->is_patient) queue->hurried++;
    // A patient one that joins others is no news until they are a whole group.
    if (queue->count == 1 || !submission->is_patient || queue->count == GROUP_SUBMISSIONS_MAX)
        pthread_cond_signal(&queue->change);
}

bool queue_put(WriteQueue *queue, Submission *submission) {
    pthread_mutex_lock(&queue->mutex);
    bool has_room = queue->count < QUEUE_SUBMISSIONS_MAX;
    if (has_room) queue_append(queue, submission);
    pthread_mutex_unlock(&queue->mutex);
    return has_room;
}

/// Nobody in it is in a hurry, and more may come.
static bool queue_gathers(const WriteQueue *queue) {
    return queue->first && queue->hurried == 0 && queue->count < GROUP_SUBMISSIONS_MAX
           && !queue->is_closing;
}

static void queue_wait(WriteQueue *queue) {
    while (!queue->first && !queue->is_closing)
        pthread_cond_wait(&queue->change, &queue->mutex);
    uint64_t until_ms = queue->first_at_ms + queue->gather_ms;
    const struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                                   .tv_nsec = (long)(until_ms % 1000 * 1'000'000)};
    while (queue_gathers(queue)
           && pthread_cond_timedwait(&queue->change, &queue->mutex, &until) == 0) {
    }
}

/// The last one of the next group, which has `*ret_count`.
static Submission *queue_group_end(const WriteQueue *queue, size_t *ret_count) {
    Submission *end = queue->first;
    size_t count = 1, ops = end->count;
    for (; end->next && count < GROUP_SUBMISSIONS_MAX; count++) {
        ops += end->next->count;
        if (ops > GROUP_OPS_MAX) break;
        end = end->next;
    }
    *ret_count = count;
    return end;
}

static Submission *queue_group_cut(WriteQueue *queue) {
    Submission *group = queue->first;
    if (!group) return NULL;
    size_t count;
    Submission *end = queue_group_end(queue, &count);
    queue->first = end->next;
    if (!queue->first) queue->last = NULL;
    end->next = NULL;
    for (const Submission *each = group; each; each = each->next)
        if (!each->is_patient) queue->hurried--;
    queue->count -= count;
    queue->first_at_ms = clock_monotonic_ms();
    queue->submissions += count;
    queue->groups++;
    return group;
}

Submission *queue_take(WriteQueue *queue) {
    pthread_mutex_lock(&queue->mutex);
    queue_wait(queue);
    Submission *group = queue_group_cut(queue);
    pthread_mutex_unlock(&queue->mutex);
    return group;
}

void queue_close(WriteQueue *queue) {
    pthread_mutex_lock(&queue->mutex);
    queue->is_closing = true;
    pthread_cond_signal(&queue->change);
    pthread_mutex_unlock(&queue->mutex);
}
