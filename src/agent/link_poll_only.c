// SPDX-License-Identifier: Apache-2.0
/// In place of link_channel.c where the channel's client is not built: such an agent polls.
#include "agent/link_parts.h"

#include <assert.h>

bool link_has_channels(void) {
    return false;
}

Err link_channel_open(Link *) {
    return FAIL(ERR_STATE, "this agent only polls");
}

void link_channel_close(Link *link) {
    assert(!link->channel);
}

void link_channel_send(Link *link) {
    assert(link->channel);
}

void link_channel_beat(Link *link) {
    assert(link->channel);
}
