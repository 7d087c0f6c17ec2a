// SPDX-License-Identifier: Apache-2.0
/// What a server adds to an Endpoint (base/endpoint.h): who may call it, and a handler.
///
/// The row gives routing, authorisation, decoding and validation, the OpenAPI operation and the
/// success status. Its handler is a straight line on a worker thread: it gets a `Call` with
/// everything it may use and leaves its answer there.
///
///     static Err box_open(Call *call) {
///         Box box;
///         TRY(tx_get(call->tx, &Box_schema, call_arg(call, S("box_id")), &box));
///         return call_reply(call, &box);
///     }
///     static const Route routes[] = {
///         {&Box_open, MAY_READ, box_open},
///     };
#pragma once

#include "base/endpoint.h"

typedef struct Call Call;
typedef struct Tx Tx;
typedef struct WebRequest WebRequest;

typedef struct Route {
    const Endpoint *endpoint;
    uint32_t access; ///< who may call, in the owner's words (RouterOptions.authorise); 0: anyone
    Err (*handler)(Call *call);
    const void *rules; ///< for a handler that several nouns share: what this one adds
    /// Which of the server's pools runs it, in the owner's words; 0: the first. One that is NULL:
    /// the network thread, for a handler that neither waits nor collects anything.
    uint32_t pool;
} Route;

enum {
    ROUTE_ARGS_MAX = 4,
    CALL_ARENA_MAX = 8 * 1024 * 1024,
};

/// Who calls; filled by the owner's `authorise`.
typedef struct Principal {
    Id subject;      ///< who
    Id session;      ///< by which of its sign-ins; absent: it needs none
    Id scope;        ///< within which partition of the data; absent: none
    uint32_t access; ///< the bits of Route.access that hold
    Str name;        ///< for the log and the audit, in the call's arena
} Principal;

/// What a handler of REPLY_EVENTS leaves: an answer that goes on when the call is over. `end`
/// follows in any case, once, and may be all that follows; on a loop, or on the call's thread.
typedef struct CallStream {
    void *ctx;
    /// The answer begins. From now on until `end`, `web` may be woken and finished (channel/web.h).
    void (*begin)(void *ctx, WebRequest *web);
    /// WebHandlers.more.
    void (*more)(void *ctx, Text *out);
    void (*end)(void *ctx); ///< NULL: there is no stream
} CallStream;

/// What a handler has.
struct Call {
    const Route *route;
    void *app; ///< RouterOptions.app
    Arena *arena;
    uint64_t now_ms;
    Str id;             ///< of this request, also in X-Request-Id and in the log
    Str bearer;         ///< the token that was sent, if any
    Str remote_address; ///< of the peer, textual
    Str last_event_id;  ///< Last-Event-ID, where events have come to; absent: not given
    Principal principal;
    Tx *tx;            ///< opened before and committed after the handler by the owner's hooks
    Str body;          ///< as it came
    const void *in;    ///< the decoded body, a record of endpoint->in (not of a PATCH)
    const void *query; ///< the decoded query parameters, a record of endpoint->query
    Str args[ROUTE_ARGS_MAX];
    Faults faults;
    const void *out; ///< set by call_reply*
    size_t out_count;
    Str next;
    CallStream stream;      ///< set by call_reply_stream
    uint64_t retry_after_s; ///< with an error: sent as Retry-After
    /// Set by a handler: a value of its that is taken at the commit makes it run again, with
    /// `taken`, instead of failing.
    bool yields;
    const Field *taken; ///< what was, at the last try that yielded; NULL at first
    Err refusal;        ///< set by call_refuse_after; OK: there is none
};

/// Whether this segment of an endpoint's path is a parameter: "{id}".
bool route_is_parameter(Str segment);
/// The value of the path parameter `name`; asserts that the route has it.
Str call_arg(const Call *call, Str name);
/// Decode the body as a merge patch onto `record`, which holds the present state.
/// ERR_INVALID: call->faults has the reasons and `record` is as it was.
Err call_patch(Call *call, const Schema *schema, void *record);
/// Refuse one field: adds a fault and returns ERR_INVALID. `pointer`: "/fleet_id".
__attribute__((format(printf, 3, 4))) Err
call_refuse(Call *call, Str pointer, const char *allowed, ...);
/// Commit what the handler has collected, and then answer with this failure all the same. Always
/// OK: what the handler returns.
Err call_refuse_after(Call *call, Err refusal);
/// Answer with `record` (of endpoint->out), which must stay until the call ends (copied if it is on
/// the handler's stack: the copy is shallow, texts live in the arena). Always OK.
Err call_reply(Call *call, const void *record);
/// Answer with a page; `next` absent at the end.
Err call_reply_list(Call *call, const void *items, size_t count, Str next);
/// Answer with a stream, which is the router's from now on. The last that a handler does. Always
/// OK.
Err call_reply_stream(Call *call, const CallStream *stream);
