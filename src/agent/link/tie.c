// SPDX-License-Identifier: Apache-2.0
#include "agent/link/tie.h"

#include "base/scope.h"
#include "channel/client.h"

#include <event2/event.h>
#include <stdlib.h>

enum {
    TIE_ANSWER_MS = 30'000, ///< a server that says nothing for so long does not answer
    TIE_SILENCE_MS = 90'000,
    TIE_CHALLENGE_ARENA_MAX = 64 * 1024,
    TIE_DOWN_ARENA_MAX = 16 * 1024 * 1024,
};

void tie_wake_in(Tie *tie, uint64_t ms) {
    if (tie->is_ending) ms = 0;
    struct timeval in = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    event_add(tie->timer, &in);
}

bool tie_polls(const Tie *tie) {
    return tie->options.poll_ms > 0;
}

void tie_end(Tie *tie, const TieEnd *end, const Reason *said) {
    if (tie->is_ending) return;
    tie->is_ending = true;
    tie->end = *end;
    tie->end.was_open = tie->is_open;
    tie->said = said ? *said : (Reason){};
    tie_wake_in(tie, 0);
}

static void tie_fail(Tie *tie, Err why, const Reason *said) {
    TieEnd end = {
        .kind = TIE_FAILED,
        .why = why,
        .retry_after_s = tie->server ? server_retry_after_s(tie->server) : 0,
    };
    tie_end(tie, &end, said);
}

static void tie_stop(Tie *tie) {
    tie->channel = channel_client_close(tie->channel);
    tie->server = server_close(tie->server);
    tie->is_open = false;
    tie->said_hello = false;
    tie->waits_ms = 0;
}

static void tie_over(Tie *tie) {
    TieEnd end = tie->end;
    tie_stop(tie);
    tie->is_ending = false;
    tie->options.handlers.ended(tie->options.app, tie, &end);
}

/// A channel whose server has something to say ends when it does not say it.
static void tie_on_timer(evutil_socket_t, short, void *arg) {
    Tie *tie = arg;
    uint64_t waited_ms = tie->waits_ms ? clock_monotonic_ms() - tie->waits_ms : 0;
    if (!tie->is_ending && tie->waits_ms && waited_ms < TIE_ANSWER_MS) {
        tie_wake_in(tie, TIE_ANSWER_MS - waited_ms);
    } else if (!tie->is_ending && tie->waits_ms) {
        tie_fail(tie, FAIL(ERR_TIMEOUT, "the server does not answer on the channel"), NULL);
    } else if (tie->is_ending) {
        tie_over(tie);
    } else {
        tie->options.handlers.timer(tie->options.app, tie);
    }
}

Err tie_new(const TieOptions *options, Tie **ret_tie) {
    Tie *tie = calloc(1, sizeof(*tie));
    if (!tie) return OUT_OF_MEMORY;
    tie->options = *options;
    tie->silence_ms = TIE_SILENCE_MS;
    tie->timer = event_new(options->loop, -1, 0, tie_on_timer, tie);
    if (!tie->timer) {
        free(tie);
        return OUT_OF_MEMORY;
    }
    *ret_tie = tie;
    return SUCCESS;
}

Tie *tie_free(Tie *tie) {
    if (!tie) return NULL;
    tie_stop(tie);
    event_free(tie->timer);
    free(tie);
    return NULL;
}

/// --- a channel ---

static void tie_expect(Tie *tie) {
    tie->waits_ms = clock_monotonic_ms();
    tie_wake_in(tie, TIE_ANSWER_MS);
}

void tie_send(Tie *tie, Str message) {
    Err err = channel_client_send(tie->channel, message);
    if (err.code == OK) {
        tie_expect(tie);
    } else {
        tie_fail(tie, err, NULL);
    }
}

/// The proof carries the connection's binding if the challenge says so.
static Err tie_binding(const Tie *tie, Binding wanted, uint8_t bytes[BINDING_LEN], Bytes *ret) {
    *ret = (Bytes){};
    if (wanted == BINDING_NONE) return SUCCESS;
    if (!tie->channel)
        return FAIL(ERR_STATE, "the server asks for channel binding, which a poll does not have");
    TRY(channel_client_binding(tie->channel, bytes));
    *ret = (Bytes){bytes, BINDING_LEN};
    return SUCCESS;
}

static Err tie_challenged(Tie *tie, const Challenge *challenge, Text *ret_first) {
    uint8_t bytes[BINDING_LEN];
    Bytes binding;
    TRY(tie_binding(tie, challenge->binding, bytes, &binding));
    TRY(tie->options.handlers.challenged(tie->options.app, tie, challenge, binding, ret_first));
    tie->said_hello = true;
    return text_check(ret_first);
}

static Err tie_read(Tie *tie, Str message, Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TIE_DOWN_ARENA_MAX);
    SyncDown down;
    Err err = schema_read(&SyncDown_schema, message, DECODE_PEER, &arena, &down, reason);
    if (err.code == ERR_INVALID) return FAIL(ERR_INVALID, "what the server sent makes no sense");
    TRY(err);
    if (tie->said_hello) return tie->options.handlers.message(tie->options.app, tie, &down);
    if (!down.challenge.nonce.ptr) return FAIL(ERR_INVALID, "the server sends no challenge");
    SCOPED(text_done) Text first;
    text_init(&first, SYNC_UP_MAX);
    TRY(tie_challenged(tie, &down.challenge, &first));
    tie_send(tie, text_str(&first));
    return SUCCESS;
}

static void tie_on_opened(void *app) {
    tie_expect(app);
}

static void tie_on_message(void *app, Str message) {
    Tie *tie = app;
    if (tie->is_ending) return;
    Reason reason = {};
    Err err = tie_read(tie, message, &reason);
    if (err.code != OK) tie_fail(tie, err, &reason);
}

static void
tie_on_closed(void *app, Err why, uint16_t status, uint64_t retry_after_s, const Reason *said) {
    enum { GOING_AWAY = 1001 };
    Tie *tie = app;
    TieEnd end = {.kind = TIE_FAILED, .why = why, .retry_after_s = retry_after_s};
    if (status == GOING_AWAY) end.kind = TIE_AWAY;
    if (status == CHANNEL_REPLACED) {
        end.kind = TIE_REPLACED;
        end.why = FAIL(ERR_CONFLICT, "another agent with this device's identity has come");
    } else if (status == CHANNEL_REFUSED) { // its message was lost, if there was one
        end.kind = TIE_REFUSED;
        end.class = REFUSAL_CHANGE;
    }
    tie_end(tie, &end, said);
}

static Err tie_open_channel(Tie *tie, Reason *reason) {
    const ServerAddress *address = server_set_address(tie->set, tie->at);
    ChannelClientOptions options = {
        .host = address->host,
        .port = address->port,
        .source = tie->options.source,
        .path = AGENT_CHANNEL_PATH,
        .protocol = AGENT_SUBPROTOCOL,
        .tls = server_set_tls(tie->set, tie->at),
        .handshake_ms = HELLO_WITHIN_MS,
        .silence_ms = tie->silence_ms,
        .message_max_bytes = SYNC_DOWN_MAX,
        .handlers = {.opened = tie_on_opened, .message = tie_on_message, .closed = tie_on_closed},
        .app = tie,
    };
    return channel_client_open(tie->options.loop, &options, &tie->channel, reason);
}

/// --- polls ---

static Err tie_exchange(Tie *tie, const Challenge *challenge, Reason *reason) {
    SCOPED(text_done) Text up;
    text_init(&up, SYNC_UP_MAX);
    TRY(tie_challenged(tie, challenge, &up));
    SCOPED(text_done) Text down = {};
    TRY(server_post_text(tie->server, AGENT_SYNC_PATH, text_str(&up), &down, reason));
    return tie_read(tie, text_str(&down), reason);
}

static Err tie_open_server(Tie *tie) {
    if (tie->server) return SUCCESS;
    TRY(server_open(
        server_set_address(tie->set, tie->at), server_set_tls(tie->set, tie->at), &tie->server));
    return tie->options.source ? server_source(tie->server, tie->options.source) : SUCCESS;
}

static Err tie_ask(Tie *tie, Reason *reason) {
    TRY(tie_open_server(tie));
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TIE_CHALLENGE_ARENA_MAX);
    Challenge challenge;
    TRY(session_challenge(tie->server, &arena, &challenge, reason));
    return tie_exchange(tie, &challenge, reason);
}

void tie_poll(Tie *tie) {
    Reason reason = {};
    Err err = tie_ask(tie, &reason);
    if (err.code != OK) tie_fail(tie, err, &reason);
}

void tie_start(Tie *tie, const ServerSet *set, size_t at) {
    tie_stop(tie);
    tie->set = set;
    tie->at = at;
    Reason reason = {};
    Err err = tie_polls(tie) ? tie_ask(tie, &reason) : tie_open_channel(tie, &reason);
    if (err.code != OK) tie_fail(tie, err, &reason);
}
