// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"
#include "control/call.h"
#include "control/event/event.h"
#include "control/event/feed.h"

enum { AGAIN_S = 15 }; ///< who finds no room comes back then

static Err event_follow(Call *call) {
    App *app = app_of(call);
    const EventQuery *query = call->query;
    Checkpoint end;
    uint64_t after;
    CallStream stream;
    TRY(journal_end(call->tx, call->arena, &call->principal.scope, app->key.public, &end));
    Err err = event_begin(query, call->last_event_id, end.number, &after);
    if (err.code == ERR_INVALID)
        return call_refuse(call, S("/Last-Event-ID"), "must be the number of an entry");
    TRY(err);
    err = feed_join(app->feed,
                    &(FeedJoin){.org_id = call->principal.scope,
                                .bearer = call->bearer,
                                .query = query,
                                .after = after,
                                .end = end.number},
                    &stream);
    if (err.code == ERR_BUSY) call->retry_after_s = AGAIN_S;
    TRY(err);
    return call_reply_stream(call, &stream);
}

static Err event_open(App *app) {
    return feed_open(app, &app->feed);
}

static void event_close(App *app) {
    app->feed = feed_close(app->feed);
}

static void event_sealed(App *app, const Id *org_id) {
    feed_sealed(app->feed, org_id);
}

static const Route routes[] = {
    {&Event_follow, MAY_READ, event_follow, NULL},
};
const Slice event_slice = {
    .noun = "event",
    .routes = ROUTE_TABLE(routes),
    .open = event_open,
    .close = event_close,
    .sealed = event_sealed,
};
