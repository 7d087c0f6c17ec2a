// SPDX-License-Identifier: Apache-2.0
#include "control/line_fixture.h"

#include "channel/client.h"
#include "channel/gateway.h"
#include "control/device/device_channel.h"
#include "io/worker.h"

#include <assert.h>
#include <event2/event.h>

enum { PATIENCE_MS = 10'000, LOOK_MS = 5, PLENTY = 1000 };

static void must(Err err) {
    assert(err.code == OK);
}

void line_gateway_open(Fixture *fixture) {
    App *app = &fixture->app;
    WorkerOptions workers = {.threads = 2, .queue_max = 64};
    GatewayOptions options = {.address = "127.0.0.1",
                              .path = AGENT_CHANNEL_PATH,
                              .protocol = AGENT_SUBPROTOCOL,
                              .threads = 1,
                              .connections_max = 16,
                              .first_max_bytes = SYNC_FIRST_MAX,
                              .message_max_bytes = SYNC_UP_MAX,
                              .reply_max_bytes = SYNC_DOWN_MAX,
                              .messages_per_minute_max = PLENTY,
                              .handshake_ms = PATIENCE_MS,
                              .silence_ms = 6 * PATIENCE_MS,
                              .handlers = device_channel_handlers,
                              .app = app};
    must(worker_pool_open(&workers, &app->pools[POOL_DEVICES]));
    must(worker_pool_open(&workers, &app->pushers));
    must(gateway_open(&options, app->pools[POOL_DEVICES], &app->gateway, NULL));
}

void line_gateway_close(Fixture *fixture) {
    App *app = &fixture->app;
    app->pushers = worker_pool_close(app->pushers);
    app->gateway = gateway_close(app->gateway);
    app->pools[POOL_DEVICES] = worker_pool_close(app->pools[POOL_DEVICES]);
}

static void line_opened(void *app) {
    (void)app;
}

static void line_message(void *app, Str message) {
    Line *line = app;
    line->last = str_dup(&line->fixture->arena, message);
    line->messages++;
}

static void line_closed(void *app, Err why, uint16_t status, uint64_t retry_s, const Reason *said) {
    (void)why, (void)retry_s, (void)said;
    Line *line = app;
    line->status = status;
    line->is_closed = true;
}

Challenge line_open(Line *line, Fixture *fixture) {
    *line = (Line){.fixture = fixture, .loop = event_base_new()};
    ChannelClientOptions options = {
        .host = "127.0.0.1",
        .port = gateway_port(fixture->app.gateway),
        .path = AGENT_CHANNEL_PATH,
        .protocol = AGENT_SUBPROTOCOL,
        .handshake_ms = PATIENCE_MS,
        .silence_ms = 6 * PATIENCE_MS,
        .message_max_bytes = SYNC_DOWN_MAX,
        .handlers = {line_opened, line_message, line_closed},
        .app = line
    };
    must(channel_client_open(line->loop, &options, &line->client, NULL));
    return line_hear(line, 1).challenge;
}

void line_close(Line *line) {
    channel_client_close(line->client);
    event_base_free(line->loop);
}

void line_say(Line *line, const char *message) {
    must(channel_client_send(line->client, str_from(message)));
}

/// Turn the loop for a moment.
static void line_turn(Line *line) {
    struct timeval moment = {.tv_usec = LOOK_MS * 1000};
    event_base_loopexit(line->loop, &moment);
    event_base_dispatch(line->loop);
}

SyncDown line_hear(Line *line, unsigned nth) {
    SyncDown down;
    for (int waited = 0; line->messages < nth && waited < PATIENCE_MS; waited += LOOK_MS)
        line_turn(line);
    assert(line->messages == nth);
    must(
        schema_read(&SyncDown_schema, line->last, DECODE_PEER, &line->fixture->arena, &down, NULL));
    return down;
}

uint16_t line_end(Line *line) {
    for (int waited = 0; !line->is_closed && waited < PATIENCE_MS; waited += LOOK_MS)
        line_turn(line);
    assert(line->is_closed);
    return line->status;
}

SyncDown line_exchange(Line *line, const char *members) {
    line->seq++;
    line_say(
        line,
        fixture_print(line->fixture, "{\"seq\":%llu%s}", (unsigned long long)line->seq, members));
    SyncDown down = line_hear(line, line->messages + 1);
    assert(down.ack == line->seq);
    return down;
}

SyncDown line_open_known(Line *line, Fixture *fixture, const FixtureDevice *device) {
    FixtureDevice one = *device;
    one.proof.nonce = line_open(line, fixture).nonce;
    Str hello = fixture_hello(fixture, &one);
    return line_exchange(line, fixture_print(fixture, ",\"hello\":%.*s", STR_FMT(hello)));
}
