// SPDX-License-Identifier: Apache-2.0
// The thread that reads for all streams. It holds the lock but for reading: what it has in hand
// meanwhile stays, and organisations are removed by nobody else.
#include "control/event/feed_parts.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/scope.h"
#include "channel/web.h"
#include "control/access.h"
#include "control/access_cache.h"

#include <stdlib.h>

enum {
    WINDOW_BYTES = 128 * 1024, ///< of an organisation's newest entries
    STUCK_MS = 1'000,          ///< after a failure of the store
    ACCESS_ARENA_MAX = 64 * 1024,
    MS_PER_S = 1'000,
    NS_PER_MS = 1'000'000,
};

// Who may go on.

/// Give the lock away, and keep the stream though its connection may go.
static void feed_pick_up(Feed *feed, FeedStream *stream) {
    stream->hands++;
    pthread_mutex_unlock(&feed->lock);
}

/// The next of its list; the lock is held again.
static FeedStream *feed_put_back(FeedStream *stream) {
    FeedStream *next = LIST_NEXT(stream, link);
    if (--stream->hands > 0 || !stream->is_gone) return next;
    LIST_REMOVE(stream, link);
    feed_stream_free(stream);
    return next;
}

/// Whether the token is good no more; a store that fails says nothing about it.
static bool feed_is_revoked(Feed *feed, Str bearer) {
    App *app = feed->app;
    Principal principal;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, ACCESS_ARENA_MAX);
    Err err = access_principal(app, bearer, clock_now_ms(&app->clock), &arena, &principal);
    if (err.code == OK) return !(principal.access & MAY_READ);
    return err.code == ERR_UNAUTHENTICATED;
}

/// The next of its list.
static FeedStream *feed_check_stream(Feed *feed, FeedStream *stream) {
    feed_pick_up(feed, stream);
    bool is_revoked = feed_is_revoked(feed, stream->bearer);
    pthread_mutex_lock(&feed->lock);
    if (is_revoked) stream->is_over = true;
    if (is_revoked && stream->web) web_finish(stream->web);
    return feed_put_back(stream);
}

static void feed_check_all(Feed *feed) {
    FeedOrg *org;
    LIST_FOREACH(org, &feed->orgs, link) {
        FeedStream *stream = LIST_FIRST(&org->streams);
        while (stream)
            stream = feed_check_stream(feed, stream);
    }
}

/// Before anything is handed on that was committed after a revocation, the revocation is seen.
static void feed_check(Feed *feed, bool is_beat) {
    uint64_t revocations = access_cache_revocations(feed->app->access_cache);
    if (!is_beat && revocations == feed->revocations) return;
    feed->revocations = revocations;
    feed_check_all(feed);
}

// Reading.

/// Log the first failure of several, and that they are over. True: it is one.
static bool feed_has_failed(Feed *feed, Err err) {
    if (err.code != OK && !feed->is_stuck)
        log_event(LOG_ERROR,
                  "events.stuck",
                  F("code", err_code_name(err.code)),
                  F("what", err.what),
                  F("errno", (uint64_t)err.sys));
    if (err.code == OK && feed->is_stuck) log_event(LOG_INFO, "events.go-on");
    feed->is_stuck = err.code != OK;
    return feed->is_stuck;
}

static void feed_window_trim(FeedOrg *org) {
    EventItem *item;
    while (org->window_bytes > WINDOW_BYTES && (item = TAILQ_FIRST(&org->window))) {
        TAILQ_REMOVE(&org->window, item, link);
        org->window_after = item->number;
        org->window_bytes -= item->text.len;
        free(item);
    }
}

/// The stream has all that the window had: it is woken if it wants any of what is new, or waits
/// for its end.
static void feed_tell(FeedStream *stream, const struct EventItems *news) {
    const EventItem *item;
    bool is_wanted = false;
    TAILQ_FOREACH(item, news, link) {
        if (item->number <= stream->at) continue;
        is_wanted = event_is_wanted(&stream->query, item);
        if (is_wanted) break;
        stream->at = item->number;
    }
    if ((is_wanted || !stream->query.follow) && stream->web) web_wake(stream->web);
}

static void feed_window_add(FeedOrg *org, struct EventItems *news) {
    FeedStream *stream;
    EventItem *item;
    LIST_FOREACH(stream, &org->streams, link) {
        if (stream->at >= org->at && stream->page.len == 0) feed_tell(stream, news);
    }
    while ((item = TAILQ_FIRST(news))) {
        TAILQ_REMOVE(news, item, link);
        TAILQ_INSERT_TAIL(&org->window, item, link);
        org->window_bytes += item->text.len;
        org->at = item->number;
    }
    feed_window_trim(org);
}

/// What is new, once for all of the organisation.
static void feed_read_org(Feed *feed, FeedOrg *org) {
    struct EventItems news = TAILQ_HEAD_INITIALIZER(news);
    bool more = false;
    org->is_stale = false;
    uint64_t at = org->at;
    pthread_mutex_unlock(&feed->lock);
    Err err = feed_read(feed, &org->id, at, at, &news, &more);
    pthread_mutex_lock(&feed->lock);
    org->is_stale |= more || feed_has_failed(feed, err);
    feed->is_woken |= more;
    feed_check(feed, false);
    if (err.code == OK) feed_window_add(org, &news);
    event_items_free(&news);
}

/// The stream's page has what it wants of these.
static void feed_page_fill(Feed *feed, FeedStream *stream, const struct EventItems *items) {
    feed_take(stream, items, &stream->page);
    stream->wants_page = stream->page.len == 0 && feed_is_behind(stream);
    feed->is_woken |= stream->wants_page; // what it wants none of is passed over, a page a turn
    if (!stream->wants_page && stream->web) web_wake(stream->web);
}

/// A page for one stream alone. The next of its list.
static FeedStream *feed_read_stream(Feed *feed, FeedStream *stream) {
    struct EventItems items = TAILQ_HEAD_INITIALIZER(items);
    bool more;
    FeedOrg *org = stream->org;
    uint64_t at = stream->at;
    uint64_t end = stream->end > org->window_after ? stream->end : org->window_after;
    feed_pick_up(feed, stream);
    Err err = feed_read(feed, &org->id, at, end, &items, &more);
    pthread_mutex_lock(&feed->lock);
    feed_check(feed, false);
    if (!feed_has_failed(feed, err) && !stream->is_over) feed_page_fill(feed, stream, &items);
    event_items_free(&items);
    return feed_put_back(stream);
}

static void feed_read_pages(Feed *feed, FeedOrg *org) {
    FeedStream *stream = LIST_FIRST(&org->streams);
    while (stream) {
        bool is_due = stream->wants_page && !stream->is_over;
        stream = is_due ? feed_read_stream(feed, stream) : LIST_NEXT(stream, link);
    }
}

static void feed_beat(FeedOrg *org) {
    FeedStream *stream;
    LIST_FOREACH(stream, &org->streams, link) {
        stream->owes_beat = true;
        if (stream->web) web_wake(stream->web);
    }
}

/// The end of each journal is read, then a page for each stream that is further behind.
static void feed_turn(Feed *feed, bool is_beat) {
    FeedOrg *org;
    feed_check(feed, is_beat);
    LIST_FOREACH(org, &feed->orgs, link) {
        if (org->is_stale || is_beat) feed_read_org(feed, org); // of other processes none is told
    }
    LIST_FOREACH(org, &feed->orgs, link) {
        feed_read_pages(feed, org);
        if (is_beat) feed_beat(org);
    }
}

/// Organisations that nobody follows any more are forgotten.
static void feed_sweep(Feed *feed) {
    FeedOrg *org = LIST_FIRST(&feed->orgs);
    while (org) {
        FeedOrg *next = LIST_NEXT(org, link);
        if (LIST_EMPTY(&org->streams)) {
            LIST_REMOVE(org, link);
            event_items_free(&org->window);
            free(org);
        }
        org = next;
    }
}

static void feed_wait(Feed *feed, uint64_t until_ms) {
    const struct timespec until = {.tv_sec = (time_t)(until_ms / MS_PER_S),
                                   .tv_nsec = (long)(until_ms % MS_PER_S * NS_PER_MS)};
    int code = 0;
    while (code == 0 && !feed->is_woken)
        code = feed->count > 0 ? pthread_cond_timedwait(&feed->change, &feed->lock, &until)
                               : pthread_cond_wait(&feed->change, &feed->lock);
    feed->is_woken = false;
}

void *feed_main(void *arg) {
    Feed *feed = arg;
    const uint64_t beat_ms = feed->app->config.streams_heartbeat.ms;
    (void)pthread_setname_np(pthread_self(), "events");
    uint64_t next_ms = clock_monotonic_ms() + beat_ms;
    pthread_mutex_lock(&feed->lock);
    while (!feed->is_closing) {
        uint64_t now_ms = clock_monotonic_ms();
        bool is_beat = now_ms >= next_ms;
        if (is_beat) next_ms = now_ms + beat_ms;
        feed_turn(feed, is_beat);
        feed_sweep(feed);
        feed_wait(feed, feed->is_stuck ? now_ms + STUCK_MS : next_ms);
    }
    feed_sweep(feed);
    pthread_mutex_unlock(&feed->lock);
    return NULL;
}
