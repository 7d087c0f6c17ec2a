// SPDX-License-Identifier: Apache-2.0
/// What router.c, router_run.c and openapi.c share; nobody else includes it.
#pragma once

#include "http/router.h"

enum {
    ROUTE_SEGMENTS_MAX = 10,
    ROUTE_ARG_MAX = 128, ///< bytes of a path parameter's value
};

/// A route, its path cut into segments.
typedef struct Entry {
    const Route *route;
    Str segments[ROUTE_SEGMENTS_MAX];
    size_t count;
} Entry;

struct Router {
    RouterOptions options; ///< tables and names are borrowed from the owner
    Entry *entries;        ///< sorted: literals before parameters, routes of one path adjacent
    size_t count;
    Text openapi;
};

/// What the router found for a method and a path.
typedef struct Match {
    const Route *route; ///< NULL: none takes this method
    Str allow;          ///< the methods of this path, "GET, POST"; absent: no such path
    Str args[ROUTE_ARGS_MAX];
} Match;

/// Find the route; `allow` is made in `arena`, which may be NULL when nobody reads it.
Match router_match(const Router *router, Str method, Str path, Arena *arena);
/// Append the OpenAPI document of the sorted entries.
void openapi_write(const Router *router, Text *out);
