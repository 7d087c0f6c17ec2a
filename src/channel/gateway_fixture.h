// SPDX-License-Identifier: Apache-2.0
/// For tests: a gateway whose owner does what tokens and messages say, and clients that count what
/// they see. What goes wrong in here is an assertion that fails.
#pragma once

#include "channel/client.h"
#include "channel/gateway.h"
#include "io/tls_fixture.h"
#include "io/worker.h"

#include <event2/event.h>
#include <stdatomic.h>

enum { WAIT_MS = 10'000, MESSAGE_MAX = 70'000, CLIENTS = 200 };

/// The gateway's owner. Lets the token "good" in; echoes; "wrong" is refused, "push" is also sent
/// the other way, "stall" is answered when `is_stalled` is over.
typedef struct Owner {
    Gateway *gateway;
    WorkerPool *workers;
    TlsFixture files;
    atomic_uint opened, closed, messages;
    atomic_uint_fast64_t last; ///< the channel that opened last
    atomic_bool is_stalled;
    bool is_secure;
} Owner;

/// Options for a gateway of `owner` that no test reaches the limits of.
GatewayOptions owner_options(Owner *owner);
/// Open a gateway with a certificate of its own, or plain.
void owner_open(Owner *owner, bool is_secure);
/// The same on plain TCP with limits of the test's: `options` come from owner_options(owner).
void owner_open_with(Owner *owner, const GatewayOptions *options, uint32_t queue_max);
/// Close it; every channel that opened must have closed.
void owner_close(Owner *owner);

/// What a client saw.
typedef struct Peer {
    ChannelClient *client;
    struct event_base *loop;
    unsigned opened, messages, closed;
    Err why;
    Reason said;
    char last[64];
    size_t last_len;
} Peer;

/// Begin to connect to the owner's gateway; `tls` NULL: plain.
void peer_open(
    Peer *peer, struct event_base *loop, const Owner *owner, const char *bearer, TlsContext *tls);
/// Turn the loop until `*counter` reaches `target`, or fail.
void wait_for(struct event_base *loop, const unsigned *counter, unsigned target);
/// The same for what another thread counts.
void wait_for_thread(struct event_base *loop, const atomic_uint *counter, unsigned target);
