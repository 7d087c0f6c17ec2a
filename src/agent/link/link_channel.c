// SPDX-License-Identifier: Apache-2.0
#include "agent/link/link_parts.h"
#include "base/scope.h"
#include "channel/client.h"

enum {
    HANDSHAKE_MS = 20'000,
    ANSWER_MS = 30'000, ///< a message that is not answered for so long ends the channel
    SILENCE_FACTOR = 3, ///< of the heartbeat
    SILENCE_MIN_MS = 60'000,
    CLOSE_DENIED = 1008,
};

/// End the channel at the next turn of the loop: not within one of its own calls.
static void doom(Link *link, Err why) {
    link->doomed = why;
    link_wake_in(link, 0);
}

void link_channel_send(Link *link) {
    SCOPED(text_done) Text message;
    text_init(&message, SYNC_MESSAGE_MAX);
    if (!link->channel_is_known) text_print(&message, "%s\n", link->token.ptr);
    link_compose(link, &message);
    Err err = text_check(&message);
    if (err.code == OK) err = channel_client_send(link->channel, text_str(&message));
    if (err.code != OK) {
        doom(link, err);
    } else {
        link->channel_is_known = true;
        link_beat_later(link);
    }
}

static void on_opened(void *app) {
    Link *link = app;
    link->channel_is_open = true;
    link_channel_send(link);
}

static void on_message(void *app, Str message) {
    Link *link = app;
    Err err = link_deliver(link, message);
    if (err.code != OK) {
        doom(link, err);
    } else if (sync_is_due(link->options.sync)) {
        link_channel_send(link);
    }
}

static void
on_closed(void *app, Err why, uint16_t status, uint64_t retry_after_s, const Reason *said) {
    Link *link = app;
    Reason kept = *said; // the client's, which goes
    if (status == CLOSE_DENIED && !link->is_open) why = FAIL(ERR_UNAUTHENTICATED, "not let in");
    link_channel_close(link);
    link_lost(link, why, retry_after_s, &kept);
}

Err link_channel_open(Link *link, Reason *reason) {
    const ServerAddress *address = server_address(link->options.server);
    uint64_t silence_ms = link->options.sync->heartbeat_ms * SILENCE_FACTOR;
    ChannelClientOptions options = {
        .host = address->host,
        .port = link->channel_port,
        .source = link->options.source,
        .path = AGENT_CHANNEL_PATH,
        .protocol = AGENT_CHANNEL_PROTOCOL,
        .tls = server_tls(link->options.server),
        .handshake_ms = HANDSHAKE_MS,
        .silence_ms = silence_ms > SILENCE_MIN_MS ? silence_ms : SILENCE_MIN_MS,
        .message_max_bytes = SYNC_MESSAGE_MAX,
        .handlers = {.opened = on_opened, .message = on_message, .closed = on_closed},
        .app = link,
    };
    link->doomed = SUCCESS;
    link->channel_is_open = link->channel_is_known = false;
    return channel_client_open(link->options.loop, &options, &link->channel, reason);
}

void link_channel_close(Link *link) {
    link->channel = channel_client_close(link->channel);
    link->channel_is_open = false;
}

void link_channel_beat(Link *link) {
    if (!link->channel_is_open && link->doomed.code == OK) return; // its handshake has a deadline
    uint64_t waited_ms = clock_monotonic_ms() - link->sent_at_ms;
    if (link->doomed.code == OK && link->options.sync->is_waiting) {
        if (waited_ms < ANSWER_MS) {
            link_wake_in(link, ANSWER_MS - waited_ms);
            return;
        }
        link->doomed = FAIL(ERR_TIMEOUT, "the server does not answer on the channel");
    }
    if (link->doomed.code == OK) {
        link_channel_send(link);
        return;
    }
    Err why = link->doomed;
    link_channel_close(link);
    link_lost(link, why, 0, &(Reason){});
}
