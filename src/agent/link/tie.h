// SPDX-License-Identifier: Apache-2.0
/// One connection of a link to one server: a channel, or polls. Only link.c, link_hello.c,
/// link_trial.c and tie.c include it.
///
/// It takes the challenge, hands what comes to the link, and remembers how it ended: an end is
/// noticed at the next turn of the loop, never within a call of the connection's own.
#pragma once

#include "agent/link/keyring.h"
#include "agent/link/link.h"
#include "agent/link/pace.h"

typedef struct ChannelClient ChannelClient;
typedef struct Tie Tie;
struct event;

/// What the link does about a tie.
typedef struct TieHandlers {
    /// The server asks who is there: write the first message. An error ends the tie.
    Err (*challenged)(
        void *app, Tie *tie, const Challenge *challenge, Bytes binding, Text *ret_first);
    /// A message behind hello. An error ends the tie.
    Err (*message)(void *app, Tie *tie, const SyncDown *down);
    /// The time of tie_wake_in has come, and the tie has not ended.
    void (*timer)(void *app, Tie *tie);
    /// It is over: nothing is open any more. It may be started again, or freed.
    void (*ended)(void *app, Tie *tie, const TieEnd *end);
} TieHandlers;

typedef struct TieOptions {
    struct event_base *loop;
    uint64_t poll_ms;   ///< poll so often; 0: a channel
    const char *source; ///< connect from this address of the machine; NULL: any
    TieHandlers handlers;
    void *app;
} TieOptions;

struct Tie {
    TieOptions options;
    struct event *timer;
    const ServerSet *set;
    size_t at;              ///< the server of the set
    Server *server;         ///< for challenges and polls; NULL: not needed yet
    ChannelClient *channel; ///< NULL: it polls, or nothing is open
    bool said_hello;
    KeyringSaid keys;    ///< of hello, once it was said
    bool is_open;        ///< hello was accepted
    bool is_ending;      ///< at the next turn
    uint64_t waits_ms;   ///< since then the server has something to say; 0: it has not
    uint64_t silence_ms; ///< of a channel
    TieEnd end;          ///< while is_ending
    Reason said;         ///< about its end: by the server, the system or a library
};

/// A tie to nowhere. ERR_MEMORY.
Err tie_new(const TieOptions *options, Tie **ret_tie);
/// Say goodbye and free. NULL-safe; returns NULL.
Tie *tie_free(Tie *tie);
/// Connect to the server `at` of the set, and go through challenge and hello.
void tie_start(Tie *tie, const ServerSet *set, size_t at);
/// Send a message on the channel; in a poll it goes with hello only.
void tie_send(Tie *tie, Str message);
/// Ask again, with a hello (polls).
void tie_poll(Tie *tie);
/// End it at the next turn of the loop. `said` may be NULL.
void tie_end(Tie *tie, const TieEnd *end, const Reason *said);
/// It polls: nothing is open between two exchanges.
bool tie_polls(const Tie *tie);
/// Run the timer in `ms`.
void tie_wake_in(Tie *tie, uint64_t ms);
