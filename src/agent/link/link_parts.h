// SPDX-License-Identifier: Apache-2.0
/// What link.c and link_channel.c share; nobody else includes it.
#pragma once

#include "agent/link/link.h"

typedef struct ChannelClient ChannelClient;
struct event;

struct Link {
    LinkOptions options;
    struct event *timer; ///< the next try, heartbeat or poll
    Backoff backoff;
    Text token;
    uint64_t token_until_ms; ///< monotonic; 0: there is none
    uint16_t channel_port;   ///< 0: the server has no channel
    ChannelClient *channel;  ///< NULL: none, or polling
    bool channel_is_open;
    bool channel_is_known; ///< the server was shown who we are
    Err doomed;            ///< why the channel is to be closed at the next turn; OK: it is not
    bool is_open;          ///< the server has answered since the last loss
    uint64_t sent_at_ms;
};

/// Run the timer in `ms`.
void link_wake_in(Link *link, uint64_t ms);
/// The next heartbeat, jittered.
void link_beat_later(Link *link);
/// The tie is lost: tell, and try again later.
void link_lost(Link *link, Err why, uint64_t retry_after_s, const Reason *said);
/// Append the next message, with measurements.
void link_compose(Link *link, Text *message);
/// What the server sent. An error: the tie is no good.
Err link_deliver(Link *link, Str message);

/// Begin to open the channel.
Err link_channel_open(Link *link, Reason *reason);
/// Close it, if there is one.
void link_channel_close(Link *link);
/// Send what is due now.
void link_channel_send(Link *link);
/// A heartbeat, or the end of a channel that does not answer.
void link_channel_beat(Link *link);
