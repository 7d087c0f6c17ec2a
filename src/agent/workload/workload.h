// SPDX-License-Identifier: Apache-2.0
/// What to do next so that the containers become what is desired: a pure machine.
///
/// It looks at the desired manifest and at the containers as they are, and names one action; the
/// owner performs it, tells how it went, looks again. What was done is read from the engine itself,
/// never from a journal, so an agent that was cut off anywhere goes on from what is there.
///
///     pull every image that a container is still to be made from      the old ones run on
///       -> per service, behind those it depends on:
///          rename what holds its name -> create -> stop what holds its ports or its storage
///          -> start -> wait until it is up -> remove its predecessors
///       -> remove what no service wants -> settled: wait for events
///
/// A container whose label has the hash of the service as it is wanted is adopted as it is. Those
/// without our labels, or with another device's, are never seen here. A step that fails is tried
/// again for ever, with back-off, and the reason is reported.
#pragma once

#include "agent/link/backoff.h"
#include "wire/agent.h"
#include "wire/manifest.h"

enum {
    WORKLOAD_SEEN_MAX = 64,
    WORKLOAD_STABLE_MS = 2000, ///< a new container without a check is up when it ran for so long
};

/// A container of this device as it is.
typedef struct Seen {
    Str id;
    Str name; ///< without a slash
    Str service;
    Str config; ///< hash of the service it was made for
    Str image;
    Str started_at; ///< the engine's text: tells one start from the next
    Str error;      ///< why it could not start
    ContainerState state;
    bool is_dead; ///< half removed: only good for removing
    Health health;
    int64_t exit_code;
    Port *ports; ///< published now; only `host` and `protocol`
    size_t port_count;
    StrList stores; ///< volumes' names and host paths that it may write
} Seen;
typedef struct SeenList {
    Seen *items;
    size_t count;
} SeenList;

typedef enum ActionKind {
    ACTION_WAIT,    ///< for an event, at most until `until_ms`
    ACTION_PULL,    ///< the image of `service`, unless it is there
    ACTION_RENAME,  ///< `container`, out of the way
    ACTION_CREATE,  ///< a container for `service`
    ACTION_START,   ///< `container`, for `service`
    ACTION_RESTART, ///< the same: it is there but not well
    ACTION_STOP,    ///< `container`: it holds what `service` needs
    ACTION_REMOVE,  ///< `container`
} ActionKind;

typedef struct Action {
    ActionKind kind;
    size_t service;    ///< index in the manifest
    Str container;     ///< id, borrowed from Seen
    uint64_t until_ms; ///< monotonic
} Action;

/// What the machine remembers of a service; lost with the process, without harm.
typedef struct ServiceTry {
    Str config; ///< hash of the service as it is wanted
    bool image_is_here;
    bool is_judged;      ///< that it is not well was counted as a failure
    uint64_t due_ms;     ///< not before
    uint64_t since_ms;   ///< when the present start was first seen; 0: it does not run
    char started_at[40]; ///< which start that was
    Backoff backoff;
    Reason reason; ///< of the last failure; empty: none
} ServiceTry;

typedef struct Workload {
    Desired desired; ///< version 0: there is none, touch nothing
    Manifest manifest;
    size_t order[MANIFEST_SERVICES_MAX];
    ServiceTry tries[MANIFEST_SERVICES_MAX];
    bool is_settled; ///< it was all up at once in this version
} Workload;

/// Judge a desired state without acting on it: digest, manifest, and what a table cannot say.
/// ERR_INVALID: it must not be acted on, `what` says why, and the Reason what is wrong where in it.
/// ERR_LIMIT: arena exhausted.
Err desired_check(const Desired *desired, Arena *arena, Manifest *ret_manifest, Reason *reason);
/// Aim at `desired`, which has passed desired_check; it and `manifest` are borrowed, hashes are
/// made in `arena`. `is_settled`: this version was all up before the agent was restarted.
/// ERR_LIMIT: arena exhausted.
Err workload_aim(const Desired *desired,
                 const Manifest *manifest,
                 bool is_settled,
                 uint64_t seed,
                 Arena *arena,
                 Workload *ret_workload);
/// What to do next. `now_ms`: monotonic.
Action workload_step(Workload *workload, const SeenList *seen, uint64_t now_ms);
/// How `action` went. `reason`: one line for an operator, of a failure.
void workload_did(
    Workload *workload, const Action *action, Err result, Str reason, uint64_t now_ms);
/// The container that the service should have is there and runs well, or its end was its purpose.
bool workload_is_well(const Workload *workload, const SeenList *seen, size_t service);
/// The account for the server; texts borrow from `workload`, `seen` and `arena`.
/// ERR_LIMIT: arena exhausted.
Err workload_report(const Workload *workload,
                    const SeenList *seen,
                    Arena *arena,
                    Reported *ret_reported);
