// SPDX-License-Identifier: Apache-2.0
/// For tests: a gateway whose owner does what messages say, clients that count what they see, and
/// bare sockets for what a well-behaved client would not do. What goes wrong in here is an
/// assertion that fails.
#pragma once

#include "channel/client.h"
#include "channel/gateway.h"
#include "http1/frame.h"
#include "io/tls_fixture.h"
#include "io/worker.h"

#include <event2/event.h>
#include <stdatomic.h>

enum {
    WAIT_MS = 10'000,
    MESSAGE_MAX = 70'000,
    FIRST_MAX = 20'000,
    CLIENTS = 200,
    MUCH_LATER_MS = 300
};

#define GREETING S("who is there?")

/// The gateway's owner. Greets. A stranger that begins with "good" is known then and told
/// "welcome"; "stall" makes it known too, but when `is_stalled` is over; "push" and "drop" make it
/// known and reach it on the other way. "bad" is refused in words, and after "nobody" it is no
/// wiser. What known peers say is echoed; "wrong" is refused, "push" and "stall" are as above,
/// "later" and "much later" are answered by another thread than the message's, "glance" and "glance
/// later" on the loop, or from there, and "binding" with the peer's in
/// base64, or "none".
typedef struct Owner {
    Gateway *gateway;
    WorkerPool *workers;
    TlsFixture files;
    atomic_uint known, closed, messages, glances;
    atomic_uint_fast64_t last; ///< the channel that became known last
    atomic_bool is_stalled;
    bool is_secure;
    atomic_uint greeting_repeat; ///< 0: it greets nobody
} Owner;

/// Options for a gateway of `owner` that no test reaches the limits of.
GatewayOptions owner_options(Owner *owner);
/// Open a gateway with a certificate of its own, or plain.
void owner_open(Owner *owner, bool is_secure);
/// The same on plain TCP with limits of the test's: `options` come from owner_options(owner).
void owner_open_with(Owner *owner, const GatewayOptions *options, uint32_t queue_max);
/// Close it; for every channel that was known the owner must have heard the end.
void owner_close(Owner *owner);

/// What a client saw.
typedef struct Peer {
    ChannelClient *client;
    struct event_base *loop;
    const char *first; ///< said in answer to the greeting
    unsigned opened, greeted, known, messages, closed;
    Err why;
    uint16_t status;
    Reason said;
    char last[64]; ///< of the messages: neither the greeting nor "welcome"
    size_t last_len;
} Peer;

/// Begin to connect to the owner's gateway, and say `first` there; `tls` NULL: plain.
void peer_open(
    Peer *peer, struct event_base *loop, const Owner *owner, const char *first, TlsContext *tls);
/// The same with another port and subprotocol.
void peer_open_at(Peer *peer,
                  struct event_base *loop,
                  uint16_t port,
                  const char *protocol,
                  const char *first,
                  TlsContext *tls);
/// Turn the loop until `*counter` reaches `target`, or fail.
void wait_for(struct event_base *loop, const unsigned *counter, unsigned target);
/// The same for what another thread counts.
void wait_for_thread(struct event_base *loop, const atomic_uint *counter, unsigned target);

/// A blocking socket that is connected to the gateway, and what came over it.
typedef struct Raw {
    int fd;
    FrameDecoder decoder;
} Raw;

/// Connect, and no more.
Raw raw_connect(const Owner *owner);
/// Connect, ask for a channel, and read up to the greeting.
Raw raw_open(const Owner *owner);
/// The same, and be known.
Raw raw_open_known(const Owner *owner);
/// Send bytes; false if the gateway has hung up.
bool raw_send(const Raw *raw, Str bytes);
/// Append the request for a channel.
void raw_add_request(Text *bytes);
/// Append a message as a client sends it.
void raw_add_message(Text *bytes, Str message);
/// Read an answer to the request up to its empty line, into `head`.
void raw_head(const Raw *raw, Text *head);
/// The next frame that the gateway sends.
FrameEvent raw_frame(Raw *raw);
/// The next frame is a message with this text.
void raw_expect(Raw *raw, Str message);
/// The next frame that is no pong is a close with this status; its reason, borrowed from `raw`.
Str raw_expect_close(Raw *raw, uint16_t status);
/// Read until the gateway ends the connection; a reset is an end too.
void raw_drain(const Raw *raw);
/// Close the socket.
void raw_close(Raw *raw);
