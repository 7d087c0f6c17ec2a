// SPDX-License-Identifier: Apache-2.0
/// When, and at which server, a device tries again: pure.
///
/// The servers of a list are tried in their order. One that cannot be reached makes way for the
/// next at once; after a full round, or when an open tie was lost, the first is tried again, with
/// back-off. How long depends on how the tie ended (docs/protocol.md, sections 5 and 6).
#pragma once

#include "agent/link/backoff.h"
#include "wire/document.h"

#include <stddef.h>

typedef enum TieEndKind {
    TIE_FAILED,   ///< no connection, no TLS, no answer, or it broke
    TIE_REFUSED,  ///< hello was refused, by `class`
    TIE_AWAY,     ///< the server goes away, and others of it are there
    TIE_REPLACED, ///< another channel of this device is the newer one
    TIE_RENEWED,  ///< by us, to say hello again
} TieEndKind;

/// How a tie to a server ended.
typedef struct TieEnd {
    TieEndKind kind;
    RefusalClass class; ///< of TIE_REFUSED
    Err why;
    bool was_open;          ///< the server had accepted our hello
    uint64_t retry_after_s; ///< the server wants us not sooner; 0: it does not say
} TieEnd;

typedef struct Pace {
    Backoff backoff;
    size_t count; ///< of servers
    size_t at;    ///< the one to try
} Pace;

/// At the first of `count` servers. `seed`: for the jitter.
void pace_init(Pace *pace, size_t count, uint64_t seed);
/// A tie ended: moves `at`; how long to wait, in ms.
uint64_t pace_next(Pace *pace, const TieEnd *end);
/// Hello was accepted.
void pace_open(Pace *pace);
