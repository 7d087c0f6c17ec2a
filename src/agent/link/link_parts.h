// SPDX-License-Identifier: Apache-2.0
/// What link.c, link_hello.c and link_trial.c share; nobody else includes it.
#pragma once

#include "agent/link/tie.h"

enum { LINK_INSTANCE_LEN = 32 };

/// A list of servers that is tried beside the one in force.
typedef struct Trial {
    ServerSet *set; ///< NULL: none
    Tie *tie;       ///< NULL: none
    size_t at;      ///< the server that is tried
    unsigned tries; ///< rounds that failed
} Trial;

struct Link {
    LinkOptions options;
    char instance[LINK_INSTANCE_LEN + 1];
    Keyring ring;
    Pace pace;
    Tie *tie;             ///< never NULL
    const ServerSet *set; ///< in force
    ServerSet *own_set;   ///< what `set` is, if it came by a trial
    Trial trial;
    char failed[DIGEST_LEN + 1]; ///< digest of a list that did not work
    uint64_t failed_ms;          ///< when it did not; monotonic
    uint64_t tell_all_ms;        ///< when polls tell everything again; monotonic
    bool was_told;               ///< `told` is what the owner knows of a loss
    Reason told;
};

/// The list of this digest did not work.
void link_failed(Link *link, Str digest);
/// Hello over a challenge by the list of `tie`, in `arena`.
Err link_hello(Link *link,
               Tie *tie,
               const Challenge *challenge,
               Bytes binding,
               Arena *arena,
               Hello *ret_hello);
/// Begin to try a list. ERR_INVALID: nothing in it can be tried. ERR_MEMORY.
Err link_trial_begin(Link *link, const Servers *servers);
/// Give it up, without a word.
void link_trial_stop(Link *link);
