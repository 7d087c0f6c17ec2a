// SPDX-License-Identifier: Apache-2.0
/// What to do next so that the containers of one application become what is desired: a pure
/// machine. Several applications stand side by side in workloads.h.
///
/// It looks at the desired manifest and at the containers as they are, and names one action; the
/// owner performs it, tells how it went, looks again. What was done is read from the engine itself,
/// never from a journal, so an agent that was cut off anywhere goes on from what is there.
///
///     pull every image that a container is still to be made from      the old ones run on
///       -> per service, behind those it depends on:
///          create -> stop what holds its ports or its storage
///          -> start -> wait until it is up -> remove its predecessors
///       -> remove what no service wants -> settled: wait for events
///
/// A container whose label has the identity of the service as it is wanted (the hash of its bytes
/// as published) is adopted as it is. Those without our labels, or with another device's, are never
/// seen here. Nothing is ever renamed. A step that fails is tried
/// again for ever, with back-off, and the reason is reported.
#pragma once

#include "agent/link/backoff.h"
#include "agent/workload/accept.h"
#include "wire/manifest.h"

enum {
    WORKLOAD_STABLE_MS = 2000, ///< a new container without a check is up when it ran for so long
};

/// A container of this device as it is.
typedef struct Seen {
    Str id;
    Str name; ///< without a slash
    Str application;
    Str service;
    Str config; ///< identity of the service it was made for
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
    ACTION_CREATE,  ///< a container for `service`
    ACTION_START,   ///< `container`, for `service`
    ACTION_RESTART, ///< the same: it is there but not well
    ACTION_STOP,    ///< `container`: it holds what `service` needs
    ACTION_REMOVE,  ///< `container`
} ActionKind;

typedef struct Action {
    ActionKind kind;
    size_t application; ///< index in Workloads
    size_t service;     ///< index in the manifest
    Str container;      ///< id, borrowed from Seen
    uint64_t until_ms;  ///< monotonic
} Action;

/// What the machine remembers of a service; lost with the process, without harm.
typedef struct ServiceTry {
    Str config; ///< identity of the service as it is wanted
    bool image_is_here;
    bool is_judged;      ///< that it is not well was counted as a failure
    uint64_t due_ms;     ///< not before
    uint64_t since_ms;   ///< when the present start was first seen; 0: it does not run
    char started_at[40]; ///< which start that was
    Backoff backoff;
    Reason reason;    ///< of the last failure; empty: none
    RefusalCode code; ///< of it
} ServiceTry;

/// One application. Without services nothing of it is touched: it was refused.
typedef struct Workload {
    Application application;
    Manifest manifest;
    size_t *order;     ///< of the services, see manifest_order
    ServiceTry *tries; ///< one a service
    bool is_settled;   ///< it was all up at once in this deployment
    Refused refused;   ///< what was asked for instead and is not acted on; no name: nothing
} Workload;

/// Aim at `application`, whose manifest has been read; texts are borrowed, the rest is made in
/// `arena`. `is_settled`: this deployment was all up before the agent was restarted.
/// ERR_MEMORY: arena exhausted.
Err workload_aim(const Application *application,
                 const Manifest *manifest,
                 bool is_settled,
                 uint64_t seed,
                 Arena *arena,
                 Workload *ret_workload);
/// What to do next; `seen`: the application's containers. `now_ms`: monotonic.
Action workload_step(Workload *workload, const SeenList *seen, uint64_t now_ms);
/// How `action` went. `reason`: one line for an operator, of a failure.
void workload_did(
    Workload *workload, const Action *action, Err result, Str reason, uint64_t now_ms);
/// The container that the service should have is there and runs well, or its end was its purpose.
bool workload_is_well(const Workload *workload, const SeenList *seen, size_t service);
/// A step of it has failed, and was not made good since.
bool workload_is_stuck(const Workload *workload);
/// The account for the server; texts borrow from `workload`, `seen` and `arena`.
/// ERR_MEMORY: arena exhausted.
Err workload_report(const Workload *workload,
                    const SeenList *seen,
                    Arena *arena,
                    ApplicationReport *ret_report);
