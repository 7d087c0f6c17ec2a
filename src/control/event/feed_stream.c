// SPDX-License-Identifier: Apache-2.0
// A stream begins, is given what there is, and goes: on network threads.
#include "channel/web.h"
#include "control/event/feed_parts.h"
#include "http1/sse.h"

#include <stdio.h>
#include <stdlib.h>

enum { RETRY_MS = 2'000 }; ///< a client that lost us waits so long

void feed_wake(Feed *feed) {
    feed->is_woken = true;
    pthread_cond_signal(&feed->change);
}

bool feed_is_behind(const FeedStream *stream) {
    return stream->at < stream->org->window_after;
}

void feed_take(FeedStream *stream, const struct EventItems *items, Text *out) {
    const EventItem *item;
    TAILQ_FOREACH(item, items, link) {
        if (item->number <= stream->at) continue;
        if (out->len >= FEED_PART_BYTES) return;
        if (event_is_wanted(&stream->query, item)) text_add(out, item->text);
        stream->at = item->number;
    }
}

/// A client that is cut off before its first event comes back to where it began; and one that
/// wants few of them to where it has been.
static void feed_say_place(const FeedStream *stream, Text *out) {
    char id[24];
    int len = snprintf(id, sizeof(id), "%llu", (unsigned long long)stream->at);
    sse_add(out,
            &(SseEvent){
                .id = {id, (size_t)len}
    });
}

static void feed_say_begin(FeedStream *stream, Text *out) {
    stream->is_begun = true;
    sse_add_retry(out, RETRY_MS);
    feed_say_place(stream, out);
}

static void feed_say_beat(FeedStream *stream, Text *out) {
    sse_add_comment(out, S("still here"));
    feed_say_place(stream, out);
}

static void feed_say_end(const FeedStream *stream, Text *out) {
    char number[24];
    int len = snprintf(number, sizeof(number), "%llu", (unsigned long long)stream->end);
    Str end = {number, (size_t)len};
    sse_add(out, &(SseEvent){end, S(EVENT_END), end});
}

/// What was read for it alone, else what all have.
static void feed_say_events(FeedStream *stream, Text *out) {
    if (stream->page.len > 0) {
        text_add(out, text_str(&stream->page));
        text_done(&stream->page);
    }
    if (feed_is_behind(stream)) {
        stream->wants_page = true;
        feed_wake(stream->feed);
    } else {
        feed_take(stream, &stream->org->window, out);
    }
}

static bool feed_is_at_end(const FeedStream *stream) {
    return !stream->query.follow && stream->is_begun && stream->at >= stream->end
           && stream->page.len == 0;
}

static void feed_say(FeedStream *stream, Text *out) {
    if (!stream->is_begun)
        feed_say_begin(stream, out); // whose place is that before any event
    else
        feed_say_events(stream, out);
    if (stream->owes_beat && out->len == 0) feed_say_beat(stream, out);
    stream->owes_beat = false;
    if (!feed_is_at_end(stream)) return;
    feed_say_end(stream, out);
    stream->is_over = true;
    web_finish(stream->web);
}

static void feed_stream_more(void *ctx, Text *out) {
    FeedStream *stream = ctx;
    pthread_mutex_lock(&stream->feed->lock);
    if (!stream->is_over) feed_say(stream, out);
    pthread_mutex_unlock(&stream->feed->lock);
}

static void feed_stream_begin(void *ctx, WebRequest *web) {
    FeedStream *stream = ctx;
    pthread_mutex_lock(&stream->feed->lock);
    stream->web = web;
    if (stream->is_over) web_finish(web);
    pthread_mutex_unlock(&stream->feed->lock);
}

void feed_stream_free(FeedStream *stream) {
    text_done(&stream->page);
    arena_done(&stream->arena);
    free(stream);
}

static void feed_stream_end(void *ctx) {
    FeedStream *stream = ctx;
    Feed *feed = stream->feed;
    pthread_mutex_lock(&feed->lock);
    feed->count--;
    stream->org->count--;
    stream->web = NULL;
    stream->is_over = true;
    if (stream->org->count == 0) feed_wake(feed); // which forgets the organisation
    if (stream->hands > 0) {
        stream->is_gone = true;
    } else {
        LIST_REMOVE(stream, link);
        feed_stream_free(stream);
    }
    pthread_mutex_unlock(&feed->lock);
}

CallStream feed_stream_of(FeedStream *stream) {
    return (CallStream){stream, feed_stream_begin, feed_stream_more, feed_stream_end};
}
