// SPDX-License-Identifier: Apache-2.0
/// From a request to an answer, without a socket.
///
/// Forward only: match the route, `authorise`, decode query and body, `begin`, handler, encode,
/// `finish` (commit). Authorisation comes before the body is looked at. The answer is encoded
/// before the commit, so what was committed is never answered with a failure of ours; nobody waits
/// for the commit, whose end hands the answer on. A lost race (ERR_CONFLICT) runs begin..finish
/// again on a worker, by io/race.h. A failure becomes a problem document (RFC 9457) with a stable
/// `code`, the request id and every field fault. Built in: GET /openapi.json from the tables; 404
/// and 405 (with Allow).
#pragma once

#include "http/route.h"

typedef struct Router Router;
typedef struct WorkerPool WorkerPool;

typedef struct RouteTable {
    const Route *routes;
    size_t count;
} RouteTable;
#define ROUTE_TABLE(array) ((RouteTable){(array), sizeof(array) / sizeof((array)[0])})

/// A name of an access bit, for OpenAPI: {MAY_READ, "read", "may see everything of its
/// organisation"}.
typedef struct AccessName {
    uint32_t bit;
    const char *name;
    const char *doc;
} AccessName;

/// What a call has come to; on any thread, and it must not wait.
typedef void (*CallDone)(void *ctx, Err err);

typedef struct RouterOptions {
    const RouteTable *tables;
    size_t table_count;
    const AccessName *access_names;
    size_t access_count;
    const char *title; ///< of the OpenAPI document
    const char *version;
    Clock clock;
    void *app;
    /// Fill call->principal from call->bearer and judge call->route->access (never 0 here).
    /// ERR_UNAUTHENTICATED (401), ERR_FORBIDDEN (403), ERR_BUSY (429).
    Err (*authorise)(void *app, Call *call);
    /// Open call->tx.
    Err (*begin)(void *app, Call *call);
    /// Commit if `result` is OK, and close. `done`, once, with the call's result: before this
    /// returns, or later on another thread. Does not wait.
    void (*finish)(void *app, Call *call, Err result, CallDone done, void *ctx);
} RouterOptions;

/// What came over the wire. Everything is borrowed for the call.
typedef struct HttpRequest {
    Str method; ///< "GET"
    Str path;   ///< decoded, without the query
    StrMap query;
    Str content_type;
    Str bearer; ///< of "Authorization: Bearer ..."
    Str remote_address;
    Str last_event_id; ///< absent: not given
    Str body;
} HttpRequest;

/// What goes back. Texts live in the arena given to router_run_then.
typedef struct HttpReply {
    uint32_t status;
    Str content_type; ///< absent: no body
    Str body;
    Str request_id;
    Str allow; ///< with 405
    uint64_t retry_after_s;
    CallStream stream; ///< goes on behind the body; whoever has the reply ends it
} HttpReply;

/// Check the tables (asserts: unique paths and ids, handlers there) and make the OpenAPI document.
Err router_open(const RouterOptions *options, Router **ret_router);
/// NULL-safe; returns NULL.
Router *router_close(Router *router);
/// The largest body that the route of this method and path takes; 0 if there is no such route.
uint32_t router_body_max(const Router *router, Str method, Str path);
/// Which pool the route of this method and path wants; 0 if there is no such route.
uint32_t router_pool(const Router *router, Str method, Str path);
/// The answer of a call, always filled; the reply itself is borrowed.
typedef void (*RouterDone)(void *ctx, const HttpReply *reply);
/// Run one request from top to bottom, on this thread up to the commit; `done`, once, with the
/// answer: before this returns, or later on another thread, where it must not wait. What is given
/// stays until then; `workers` runs what lost a race again. Thread-safe: one arena a call.
void router_run_then(const Router *router,
                     WorkerPool *workers,
                     const HttpRequest *request,
                     Arena *arena,
                     RouterDone done,
                     void *ctx);
/// The OpenAPI 3.1 document, borrowed from the router.
Str router_openapi(const Router *router);
