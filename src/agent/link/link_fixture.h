// SPDX-License-Identifier: Apache-2.0
/// For the tests of the link: a server that speaks the protocol as its script says, over a real
/// gateway with TLS, and a device on the test's own loop. What goes wrong in here is an assertion
/// that fails.
#pragma once

#include "agent/link/link.h"
#include "channel/gateway.h"
#include "io/tls_fixture.h"

#include <pthread.h>

enum { FAKE_FIRST_MAX = 8 };

/// What the server does and has seen; behind `lock` while the gateway runs.
typedef struct Fake {
    TlsFixture files;
    WorkerPool *workers;
    Gateway *gateway;
    pthread_mutex_t lock;
    Id installation;                 ///< that it says it is
    uint8_t key[JWS_PUBLIC_KEY_LEN]; ///< that the device is known by
    Str greeting;                    ///< said as it is; absent: a challenge of its own
    Str nonce;                       ///< that a proof must be for
    Str refusal_text;                ///< of every hello, said as it is; absent: none
    Refusal refusal;                 ///< of every hello; no code: none
    SyncDown said;                   ///< part of each answer; texts of the test
    bool takes_next_key;
    ChannelId last;               ///< the newest channel
    Arena arena;                  ///< of what was seen
    SyncUp first[FAKE_FIRST_MAX]; ///< first messages
    bool first_is_good[FAKE_FIRST_MAX];
    size_t first_count;
    SyncUp up; ///< last message
    size_t up_count;
} Fake;

/// Begin to serve on a free port of loopback.
void fake_open(Fake *fake, const Id *installation, const Identity *device);
/// End.
void fake_close(Fake *fake);
/// Its entry for a list.
ServerEntry fake_entry(const Fake *fake, Arena *arena);
/// How many first messages it has seen.
size_t fake_first_count(Fake *fake);
/// How many messages it has seen.
size_t fake_up_count(Fake *fake);

/// A device and what its link told it.
typedef struct LinkedDevice {
    Arena arena; ///< what a fake says may borrow from it: its owner frees it last
    struct event_base *loop;
    Identity identity;
    SessionMember member;
    Sync sync;
    Notes notes;
    Link *link;
    ServerSet *servers;
    uint64_t poll_ms;     ///< 0: a channel
    const Servers *trial; ///< a list on trial from the start; NULL: none
    bool keeps_nothing;   ///< of a desired state
    bool is_open;
    unsigned losses;
    Reason said;
    Err why;
    uint64_t desired; ///< generation that was handed over last
    unsigned lists;   ///< that were to be tried
    int list_works;   ///< -1: not known yet
    Identity next;    ///< key that was made
    int key_works;    ///< -1: not known yet
} LinkedDevice;

/// A device of the installation, without a link.
void linked_open(LinkedDevice *device, const Id *installation);
/// Begin its link to these servers, which are trusted by `authority`.
void linked_link(LinkedDevice *device, ServerEntry *entries, size_t count, Str authority);
/// End; what is in its arena stays.
void linked_close(LinkedDevice *device);
/// Run its loop until `is_so(app)`, or fail after 20 s.
void linked_until(LinkedDevice *device, bool (*is_so)(void *app), void *app);
/// Run its loop for a while.
void linked_run(LinkedDevice *device, uint64_t ms);
