// SPDX-License-Identifier: Apache-2.0
#include "share.h"

#include "agent/enrol.h"
#include "simulated.h"

#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>

enum {
    FIRST_ARENA_MAX = 256 * 1024,
    BEAT_MS = 20,
    OPENING_MAX = 16, ///< so many get in touch at once, so that each has its turn in time
    WAIT_MS = 10,
    MS_PER_S = 1000,
};

typedef struct Share {
    ShareStage *stage;
    SimulatedHost host;
    struct event *beat;
    Simulated *devices;
    size_t count;
    size_t opened;      ///< so many have begun to get in touch
    uint64_t beaten_ms; ///< until when the last beat looked; since the start
    Clock clock;
    Err err;
} Share;

static Err share_prepare(Share *share, uint64_t index, uint64_t of, Reason *reason) {
    const SimulateOptions *options = share->host.options;
    SimulatedHost *host = &share->host;
    arena_init(&host->arena, FIRST_ARENA_MAX);
    TRY(token_text_parse(str_from(options->token), &host->arena, &host->token, reason));
    size_t at = 0;
    TRY(enrol_reach(&host->token, &at, &host->arena, &host->gate, &host->server, reason));
    share->count = (size_t)((options->count - index + of - 1) / of);
    share->devices = calloc(share->count, sizeof(*share->devices));
    share->host.loop = event_base_new();
    if (!share->devices || !share->host.loop) return OUT_OF_MEMORY;
    for (size_t i = 0; i < share->count; i++)
        simulated_init(&share->devices[i], &share->host, index + i * of);
    const char *source = share->devices[0].source;
    return source[0] ? server_source(share->host.server, source) : SUCCESS;
}

static void share_enrol(Share *share) {
    uint64_t rate = share->host.options->rate;
    for (size_t i = 0; i < share->count && !share->stage->is_ending; i++) {
        uint64_t after_ms = rate ? share->devices[i].number * MS_PER_S / rate : 0;
        uint64_t due_ms = share->stage->begun_ms + after_ms;
        uint64_t now_ms = clock_monotonic_ms();
        if (due_ms > now_ms) poll(NULL, 0, (int)(due_ms - now_ms));
        simulated_enrol(&share->devices[i]);
    }
    share->host.count->has_enrolled = true;
}

/// A call of a link holds up the loop: were all to begin at once, the first would miss its deadline
/// while the last still calls.
static Err share_open(Share *share) {
    size_t opening = 0;
    for (size_t i = 0; i < share->opened; i++)
        opening += share->devices[i].link && !share->devices[i].has_news;
    for (; share->opened < share->count && opening < OPENING_MAX; share->opened++, opening++)
        TRY(simulated_open(&share->devices[share->opened]));
    return SUCCESS;
}

/// How far the server knows them.
static void share_count(Share *share) {
    ShareCount *count = share->host.count;
    uint64_t acked = 0, accounts = 0;
    for (size_t i = 0; i < share->count; i++) {
        acked += share->devices[i].sync.facts_part.is_acked;
        accounts += simulated_has_accounted(&share->devices[i]);
    }
    count->acked = acked;
    if (accounts == 0) return;
    count->accounts += accounts;
    count->accounts_at_ms = clock_now_ms(&share->clock);
}

static void on_beat(evutil_socket_t, short, void *arg) {
    Share *share = arg;
    if (share->stage->is_ending) {
        event_base_loopbreak(share->host.loop);
        return;
    }
    uint64_t now_ms = clock_monotonic_ms() - share->host.started_ms;
    share->err = share_open(share);
    for (size_t i = 0; i < share->opened && share->err.code == OK; i++)
        share->err = simulated_beat(&share->devices[i], share->beaten_ms, now_ms);
    share->beaten_ms = now_ms;
    share_count(share);
    if (share->err.code != OK) event_base_loopbreak(share->host.loop);
}

static Err share_stay(Share *share) {
    while (share->stage->started_ms == 0 && !share->stage->is_ending)
        poll(NULL, 0, WAIT_MS);
    share->host.started_ms = share->stage->started_ms;
    share->beat = event_new(share->host.loop, -1, EV_PERSIST, on_beat, share);
    if (!share->beat) return OUT_OF_MEMORY;
    struct timeval every = {.tv_usec = BEAT_MS * MS_PER_S};
    event_add(share->beat, &every);
    event_base_dispatch(share->host.loop);
    return share->err;
}

static void share_finish(Share *share) {
    for (size_t i = 0; share->devices && i < share->count; i++)
        simulated_done(&share->devices[i]);
    if (share->beat) event_free(share->beat);
    if (share->host.loop) event_base_free(share->host.loop);
    free(share->devices);
    server_close(share->host.server);
    server_set_close(share->host.servers);
    text_done(&share->host.told);
    server_set_close(share->host.gate);
    arena_done(&share->host.arena);
}

Err share_run(const SimulateOptions *options, uint64_t index, uint64_t of, ShareStage *stage) {
    Share share = {
        .stage = stage,
        .host = {.options = options, .count = &stage->counts[index]},
        .clock = clock_system(),
    };
    Err err = share_prepare(&share, index, of, &stage->counts[index].reason);
    if (err.code == OK) {
        share_enrol(&share);
        err = share_stay(&share);
    }
    share_finish(&share);
    return err;
}
