// SPDX-License-Identifier: Apache-2.0
/// One table describes an endpoint.
///
/// A `Route` row gives routing, authorisation, decoding and validation, the OpenAPI operation and
/// the success status. Its handler is a straight line on a worker thread: it gets a `Call` with
/// everything it may use and leaves its answer there.
///
///     static Err fleet_show(Call *call) {
///         Fleet fleet;
///         TRY(tx_get(call->tx, &Fleet_schema, call_arg(call, S("fleet_id")), &fleet));
///         return call_reply(call, &fleet);
///     }
///     const Route fleet_routes[] = {
///         {.method = GET, .path = "/v1/fleets/{fleet_id}", .access = MAY_READ, .out =
///         &Fleet_schema,
///          .id = "fleet_show", .doc = "One fleet", .handler = fleet_show},
///     };
#pragma once

#include "base/schema.h"

typedef struct Call Call;
typedef struct Tx Tx;

typedef enum Method { GET, POST, PATCH, DELETE, METHOD_COUNT } Method;

/// The shape of a successful answer.
typedef enum ReplyShape {
    REPLY_ONE,  ///< one `out` record
    REPLY_LIST, ///< {"items": [out, ...], "next": "cursor"}; `next` only when there is more
    REPLY_NONE, ///< 204, no body
} ReplyShape;

typedef struct Route {
    Method method;
    const char *path; ///< "/v1/fleets/{fleet_id}"; parameters are whole segments
    uint32_t access;  ///< who may call, in the owner's words (RouterOptions.authorise); 0: anyone
    const Schema *query; ///< query parameters; NULL: none are taken
    const Schema *in;    ///< the body; NULL: none is taken
    bool patch;          ///< the body is a merge patch: the handler calls call_patch
    const Schema *out;
    ReplyShape shape;
    uint16_t status;   ///< of success; 0: 200, or 204 for REPLY_NONE
    uint32_t body_max; ///< bytes; 0: ROUTE_BODY_MAX
    const char *id;    ///< operationId: noun_verb
    const char *doc;   ///< one line
    Err (*handler)(Call *call);
} Route;

enum {
    ROUTE_ARGS_MAX = 4,
    ROUTE_BODY_MAX = 16 * 1024,
    CALL_EVENTS_MAX = 8,
    CALL_ARENA_MAX = 8 * 1024 * 1024,
};

/// Who calls; filled by the owner's `authorise`.
typedef struct Principal {
    Id subject;      ///< who
    Id scope;        ///< within which partition of the data; absent: none
    uint32_t access; ///< the bits of Route.access that hold
    Str name;        ///< for the log and the audit, in the call's arena
} Principal;

/// Something that happened in a call and is told to others after its commit.
typedef struct CallEvent {
    uint32_t kind; ///< in the owner's words
    Id subject;
} CallEvent;

/// What a handler has.
struct Call {
    const Route *route;
    void *app; ///< RouterOptions.app
    Arena *arena;
    uint64_t now_ms;
    Str id;             ///< of this request, also in X-Request-Id and in the log
    Str bearer;         ///< the token that was sent, if any
    Str remote_address; ///< of the peer, textual
    Principal principal;
    Tx *tx;            ///< opened before and committed after the handler by the owner's hooks
    Str body;          ///< as it came
    const void *in;    ///< the decoded body, a record of route->in (not for patch routes)
    const void *query; ///< the decoded query parameters, a record of route->query
    Str args[ROUTE_ARGS_MAX];
    Faults faults;
    const void *out; ///< set by call_reply*
    size_t out_count;
    Str next;
    uint64_t retry_after_s; ///< with an error: sent as Retry-After
    CallEvent events[CALL_EVENTS_MAX];
    size_t event_count;
};

/// The value of the path parameter `name`; asserts that the route has it.
Str call_arg(const Call *call, Str name);
/// Decode the body as a merge patch onto `record`, which holds the present state.
/// ERR_INVALID: call->faults has the reasons and `record` is as it was.
Err call_patch(Call *call, const Schema *schema, void *record);
/// Refuse one field: adds a fault and returns ERR_INVALID. `pointer`: "/fleet_id".
__attribute__((format(printf, 3, 4))) Err
call_refuse(Call *call, Str pointer, const char *allowed, ...);
/// Answer with `record` (of route->out), which must stay until the call ends (copied if it is on
/// the handler's stack: the copy is shallow, texts live in the arena). Always OK.
Err call_reply(Call *call, const void *record);
/// Answer with a page; `next` absent at the end.
Err call_reply_list(Call *call, const void *items, size_t count, Str next);
/// Tell the owner after the commit. Asserts against more than CALL_EVENTS_MAX.
void call_event(Call *call, uint32_t kind, const Id *subject);
