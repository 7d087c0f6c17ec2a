// SPDX-License-Identifier: Apache-2.0
// The journal as it comes. Who follows comes back when the connection breaks, to where it was: the
// id of the last event is the place, which the server also tells without one.
#include "api/event.h"
#include "base/scope.h"
#include "cli/api.h"
#include "cli/table.h"
#include "http/client.h"
#include "http1/sse.h"

#include <time.h>

enum {
    EVENTS_ARENA_MAX = 8 * 1024 * 1024,
    EVENTS_OUT_MAX = 8 * 1024 * 1024,
    EVENTS_FIELDS_MAX = 32,
    PAUSE_MAX_MS = 30'000,
    MS_PER_S = 1'000,
    NS_PER_MS = 1'000'000,
};

/// Columns begin so wide: most lines then stand below each other.
static const struct {
    const char *name;
    size_t width;
} events_widths[] = {
    {"number",  6 },
    {"at",      20},
    {"actor",   16},
    {"action",  16},
    {"subject", 38}
};

typedef struct Events {
    Cli *cli;
    bool is_following;
    bool is_begun;   ///< a server has told a place
    bool is_whole;   ///< all was heard up to the end
    bool has_header; ///< of the table
    SseReader reader;
    Arena arena;       ///< of one event
    Text out;          ///< of what came at once
    Err err;           ///< of what came, or of the output
    uint32_t failures; ///< since anything was heard
    size_t widths[EVENTS_FIELDS_MAX];
} Events;

static void events_done(Events *events) {
    sse_reader_done(&events->reader);
    arena_done(&events->arena);
    text_done(&events->out);
}

// What comes.

static Err events_add_row(Events *events, Str data) {
    JournalEntry entry;
    TRY(api_decode(events->cli, &JournalEntry_schema, data, &events->arena, &entry));
    if (!events->has_header) table_line(&JournalEntry_schema, NULL, events->widths, &events->out);
    events->has_header = true;
    table_line(&JournalEntry_schema, &entry, events->widths, &events->out);
    return SUCCESS;
}

static Err events_add_entry(Events *events, Str data) {
    if (!events->cli->json) return events_add_row(events, data);
    text_add(&events->out, data);
    text_add_char(&events->out, '\n');
    return SUCCESS;
}

static Err events_tell_gap(Events *events, Str data) {
    EventGap gap;
    TRY(api_decode(events->cli, &EventGap_schema, data, &events->arena, &gap));
    fprintf(events->cli->err,
            "muster: entries %llu to %llu are not there any more: retention has removed them\n",
            (unsigned long long)gap.first,
            (unsigned long long)gap.last);
    return SUCCESS;
}

/// A newer server may know others.
static Err events_add(Events *events, const SseEvent *event) {
    arena_reset(&events->arena);
    if (str_eq(event->name, S(EVENT_END))) events->is_whole = true;
    if (str_eq(event->name, S(EVENT_REMOVED))) return events_tell_gap(events, event->data);
    if (str_eq(event->name, S("message"))) return events_add_entry(events, event->data);
    return SUCCESS;
}

/// All of what came at once is shown at once.
static Err events_take_all(Events *events, Str part) {
    text_clear(&events->out);
    while (part.len > 0) {
        bool is_event;
        TRY(sse_read(&events->reader, &part, &is_event));
        if (is_event) TRY(events_add(events, &events->reader.event));
    }
    return events->out.len > 0 ? cli_print(events->cli, &events->out) : SUCCESS;
}

static Err events_take(void *ctx, Str part) {
    Events *events = ctx;
    events->is_begun = true;
    events->failures = 0;
    events->err = events_take_all(events, part);
    return events->err;
}

// Asking for it, again and again.

static Err events_add_option(Cli *cli, const char *name, Text *target) {
    Str value = cli_option(cli, name), encoded;
    if (!value.ptr) return SUCCESS;
    TRY(api_encode(value, &cli->arena, &encoded));
    text_print(target, "&%s=%.*s", name, STR_FMT(encoded));
    return SUCCESS;
}

static Err events_target(Events *events, Text *target) {
    Cli *cli = events->cli;
    uint64_t after;
    Str text = cli_option(cli, "after");
    if (text.ptr && event_number_parse(text, &after).code != OK)
        return cli_usage(cli, "--after must be the number of an entry");
    text_print(target, "%s?follow=%s", Event_follow.path, events->is_following ? "true" : "false");
    static const char *const names[] = {"after", "action", "subject", "class"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        TRY(events_add_option(cli, names[i], target));
    return text_check(target);
}

/// One connection, up to its end.
static Err events_listen(Events *events, Str target) {
    Cli *cli = events->cli;
    Str last_id = str_from(events->reader.last_id), nothing;
    const ApiCall call = {.method = method_name(Event_follow.method),
                          .target = target,
                          .last_event_id = last_id.len ? last_id : (Str){},
                          .take = events_take,
                          .ctx = events};
    Err err = api_send(cli, &call, &events->arena, &nothing);
    if (events->err.code == OK) return err;
    if (events->err.code != ERR_UNAVAILABLE) cli->message = (Str){}; // its own words are better
    return events->err;
}

/// A failure that may be over in a while.
static bool events_may_pass(Err err) {
    return err.code == OK || err.code == ERR_UNAVAILABLE || err.code == ERR_TIMEOUT
           || err.code == ERR_BUSY || err.code == ERR_SYSTEM || err.code == ERR_MEMORY;
}

/// As long as the server wants, longer with each failure, and not all clients at once.
static uint64_t events_pause_ms(const Events *events) {
    uint64_t ms = events->reader.retry_ms ? events->reader.retry_ms : events->cli->poll_ms;
    for (uint32_t i = 0; i < events->failures && ms < PAUSE_MAX_MS; i++)
        ms *= 2;
    if (ms > PAUSE_MAX_MS) ms = PAUSE_MAX_MS;
    return ms / 2 + clock_monotonic_ms() % (ms / 2 + 1);
}

static void events_pause(uint64_t ms) {
    const struct timespec length = {.tv_sec = (time_t)(ms / MS_PER_S),
                                    .tv_nsec = (long)(ms % MS_PER_S * NS_PER_MS)};
    nanosleep(&length, NULL);
}

/// After the end of a connection. False: that was all, or it is no use.
static bool events_go_on(Events *events, Err err) {
    Cli *cli = events->cli;
    if (!events->is_following || !events->is_begun || events->err.code != OK) return false;
    if (!events_may_pass(err)) return false;
    uint64_t pause_ms = events_pause_ms(events);
    Str why = err.code == OK ? S("the server has ended the stream") : cli->message;
    fprintf(cli->err,
            "muster: %.*s; going on behind entry %s in %.1f s\n",
            STR_FMT(why),
            events->reader.last_id,
            (double)pause_ms / MS_PER_S);
    events->failures++;
    events_pause(pause_ms);
    sse_reader_again(&events->reader);
    cli->message = (Str){};
    cli->said = (Reason){};
    cli->http = http_client_close(cli->http); // the session is read anew: others refresh it too
    return true;
}

static void events_init(Events *events, Cli *cli) {
    *events = (Events){.cli = cli, .is_following = cli_option(cli, "follow").ptr};
    sse_reader_init(&events->reader, 2 * ENTRY_BYTES_MAX);
    arena_init(&events->arena, EVENTS_ARENA_MAX);
    text_init(&events->out, EVENTS_OUT_MAX);
    for (size_t i = 0; i < JournalEntry_schema.count; i++)
        for (size_t k = 0; k < sizeof(events_widths) / sizeof(events_widths[0]); k++)
            if (str_eq(JournalEntry_schema.fields[i].name, str_from(events_widths[k].name)))
                events->widths[i] = events_widths[k].width;
}

Err events_run(Cli *cli, const Verb *) {
    SCOPED(events_done) Events events;
    SCOPED(text_done) Text target;
    text_init(&target, EVENTS_OUT_MAX);
    events_init(&events, cli);
    TRY(events_target(&events, &target));
    Err err;
    do
        err = events_listen(&events, text_str(&target));
    while (events_go_on(&events, err));
    TRY(err);
    if (!events.is_whole)
        return cli_fail(cli,
                        ERR_UNAVAILABLE,
                        "the server has ended the stream before its end; the last entry is %s",
                        events.reader.last_id);
    return SUCCESS;
}
