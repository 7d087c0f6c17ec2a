// SPDX-License-Identifier: Apache-2.0
/// For tests: a real gateway for the fixture's control plane, and lines to it, each a device's end
/// of a channel. What goes wrong in here is an assertion that fails.
#pragma once

#include "control/fixture.h"

typedef struct ChannelClient ChannelClient;
struct event_base;

/// A device's end of a channel.
typedef struct Line {
    Fixture *fixture;
    struct event_base *loop;
    ChannelClient *client;
    unsigned messages; ///< that were heard
    uint64_t seq;      ///< of the last one that line_exchange said
    Str last;          ///< of them, in the fixture's arena
    bool is_closed;
    uint16_t status; ///< that it was closed with
} Line;

/// Open the gateway, plain, on a free port, with all that tells devices of news.
void line_gateway_open(Fixture *fixture);
/// Close it; before fixture_close.
void line_gateway_close(Fixture *fixture);
/// Connect, and hear the challenge.
Challenge line_open(Line *line, Fixture *fixture);
/// The same, and say hello as this device in answer to it: what it is told then.
SyncDown line_open_known(Line *line, Fixture *fixture, const FixtureDevice *device);
/// Say goodbye, and free.
void line_close(Line *line);
/// Send a message.
void line_say(Line *line, const char *message);
/// Say the next message, of a number and these members (`,"name":value`...): its answer, which must
/// be the next that is heard.
SyncDown line_exchange(Line *line, const char *members);
/// What the server says as the nth message; waits for it.
SyncDown line_hear(Line *line, unsigned nth);
/// Wait until the server has closed it; gives the status.
uint16_t line_end(Line *line);
