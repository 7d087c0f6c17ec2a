// SPDX-License-Identifier: Apache-2.0
// Who follows what: streams come, on workers.
#include "control/event/feed_parts.h"

#include "channel/web.h"

#include <assert.h>
#include <stdlib.h>

enum {
    STREAM_ARENA_MAX = 64 * 1024,
    FEED_ARENA_MAX = 64 * 1024 * 1024,
};

Err feed_open(App *app, Feed **ret_feed) {
    Feed *feed = calloc(1, sizeof(*feed));
    if (!feed) return OUT_OF_MEMORY;
    feed->app = app;
    arena_init(&feed->arena, FEED_ARENA_MAX);
    LIST_INIT(&feed->orgs);
    pthread_mutex_init(&feed->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&feed->change, &attr);
    pthread_condattr_destroy(&attr);
    *ret_feed = feed;
    return SUCCESS;
}

Feed *feed_close(Feed *feed) {
    if (!feed) return NULL;
    pthread_mutex_lock(&feed->lock);
    assert(feed->count == 0); // the gateway is closed before
    feed->is_closing = true;
    feed_wake(feed);
    pthread_mutex_unlock(&feed->lock);
    if (feed->is_running) pthread_join(feed->thread, NULL);
    assert(LIST_EMPTY(&feed->orgs));
    pthread_cond_destroy(&feed->change);
    pthread_mutex_destroy(&feed->lock);
    arena_done(&feed->arena);
    free(feed);
    return NULL;
}

static StrList feed_copy_list(Arena *arena, StrList list) {
    Str *items = ARENA_ARRAY(arena, Str, list.count + 1);
    for (size_t i = 0; items && i < list.count; i++)
        items[i] = str_dup(arena, list.items[i]);
    return (StrList){items, list.count};
}

static Err feed_stream_new(Feed *feed, const FeedJoin *join, FeedStream **ret_stream) {
    FeedStream *stream = calloc(1, sizeof(*stream));
    if (!stream) return OUT_OF_MEMORY;
    const EventQuery *query = join->query;
    Arena *arena = &stream->arena;
    arena_init(arena, STREAM_ARENA_MAX);
    text_init(&stream->page, WEB_PART_MAX);
    stream->feed = feed;
    stream->query = (EventQuery){.follow = query->follow,
                                 .class = query->class,
                                 .action = feed_copy_list(arena, query->action),
                                 .subject = feed_copy_list(arena, query->subject)};
    stream->bearer = str_dup(arena, join->bearer);
    stream->at = join->after;
    stream->end = join->end;
    Err err = arena_check(arena);
    if (err.code == OK)
        *ret_stream = stream;
    else
        feed_stream_free(stream);
    return err;
}

static FeedOrg *feed_org_find(Feed *feed, const Id *id) {
    FeedOrg *org;
    LIST_FOREACH(org, &feed->orgs, link) {
        if (id_eq(&org->id, id)) return org;
    }
    return NULL;
}

/// What was sealed since the journal's end was looked up is read soon.
static FeedOrg *feed_org_add(Feed *feed, const FeedJoin *join) {
    FeedOrg *org = calloc(1, sizeof(*org));
    if (!org) return NULL;
    org->id = join->org_id;
    org->window_after = org->at = join->end;
    org->is_stale = true;
    TAILQ_INIT(&org->window);
    LIST_INSERT_HEAD(&feed->orgs, org, link);
    return org;
}

static Err feed_start(Feed *feed) {
    if (feed->is_running) return SUCCESS;
    int code = pthread_create(&feed->thread, NULL, feed_main, feed);
    if (code != 0) return (Err){ERR_SYSTEM, code, "cannot start the thread of events"};
    feed->is_running = true;
    return SUCCESS;
}

static Err feed_stream_add(Feed *feed, const FeedJoin *join, FeedStream *stream) {
    const Config *config = &feed->app->config;
    FeedOrg *org = feed_org_find(feed, &join->org_id);
    if (feed->count >= config->streams_max)
        return FAIL(ERR_BUSY, "there are as many streams of events as there may be");
    if (org ? org->count >= config->streams_per_org_max : config->streams_per_org_max == 0)
        return FAIL(ERR_BUSY, "the organisation has as many streams of events as it may");
    TRY(feed_start(feed));
    if (!org) org = feed_org_add(feed, join);
    if (!org) return OUT_OF_MEMORY;
    stream->org = org;
    LIST_INSERT_HEAD(&org->streams, stream, link);
    org->count++;
    feed->count++;
    feed_wake(feed);
    return SUCCESS;
}

Err feed_join(Feed *feed, const FeedJoin *join, CallStream *ret_stream) {
    FeedStream *stream;
    TRY(feed_stream_new(feed, join, &stream));
    pthread_mutex_lock(&feed->lock);
    Err err = feed_stream_add(feed, join, stream);
    pthread_mutex_unlock(&feed->lock);
    if (err.code == OK)
        *ret_stream = feed_stream_of(stream);
    else
        feed_stream_free(stream);
    return err;
}

void feed_sealed(Feed *feed, const Id *org_id) {
    pthread_mutex_lock(&feed->lock);
    FeedOrg *org = feed_org_find(feed, org_id);
    if (org) org->is_stale = true;
    if (org) feed_wake(feed);
    pthread_mutex_unlock(&feed->lock);
}
