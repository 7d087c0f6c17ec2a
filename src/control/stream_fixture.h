// SPDX-License-Identifier: Apache-2.0
/// For tests: a real server for the fixture's control plane, and listeners to its events. What goes
/// wrong in here is an assertion that fails.
#pragma once

#include "base/chain.h"
#include "control/fixture.h"
#include "http1/body.h"
#include "http1/sse.h"

typedef struct Gateway Gateway;
typedef struct Server Server;
typedef struct WorkerPool WorkerPool;

/// The server, plain, on a free port.
typedef struct Hall {
    Fixture *fixture;
    WorkerPool *pools[POOL_COUNT + 1];
    Server *server;
    Gateway *gateway;
    Id org; ///< "acme"
} Hall;

/// Open it; it takes `threads` for the network. What was done before is in the journal.
void hall_open(Hall *hall, Fixture *fixture, uint32_t threads);
/// The same for clients who take what is sent within `web_ms`.
void hall_open_with(Hall *hall, Fixture *fixture, uint32_t threads, uint64_t web_ms);
/// Close it; before fixture_close.
void hall_close(Hall *hall);

/// A client that asked for events.
typedef struct Listener {
    int fd;
    uint32_t status;
    Text head; ///< of the answer
    Body body;
    SseReader reader;
    Str input; ///< of `bytes`, not read yet
    Str piece; ///< of the body, not read yet
    char bytes[16 * 1024];
} Listener;

/// Ask for /v1/events with this query ("?after=0"); absent `last_event_id`: none. Gives the status.
uint32_t listener_open(
    Listener *listener, Hall *hall, const char *query, Str token, const char *last_event_id);
/// The same with another method, and from a socket with this receive buffer; 0: the system's.
uint32_t listener_open_as(Listener *listener,
                          Hall *hall,
                          const char *method,
                          const char *query,
                          Str token,
                          const char *last_event_id,
                          int receive_bytes);
/// The next event, in listener->reader.event; false: the stream ended in order.
bool listener_hear(Listener *listener);
/// The next event is of this action ("fleet.create"); gives its number.
uint64_t listener_expect(Listener *listener, const char *action);
/// The next event says that these were removed.
void listener_expect_removed(Listener *listener, uint64_t first, uint64_t last);
/// The stream ends in order, without another event.
void listener_expect_end(Listener *listener);
/// Who did not follow has had all up to this entry, and the stream ends.
void listener_expect_whole(Listener *listener, uint64_t number);
/// The connection broke; gives how many events came before.
uint64_t listener_drain(Listener *listener);
/// Hang up.
void listener_close(Listener *listener);
/// Read until it was told that it has come to this entry; no event comes before.
void listener_wait_place(Listener *listener, uint64_t number);
/// Leave a note of acme's as if something had happened, with a detail of so many bytes.
/// Thread-safe.
void hall_note(Hall *hall, EntryClass class, const char *action, const char *subject, size_t bytes);
/// What was noted is in the journal; gives its end.
uint64_t hall_seal(Hall *hall);
