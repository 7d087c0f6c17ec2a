// SPDX-License-Identifier: Apache-2.0
/// Calling the control plane as the signed-in operator.
///
/// The access token is refreshed before it ends and, once, when the server refuses it; new tokens
/// are on disk before they are used. A problem document becomes an Err, with its text and field
/// faults in the Cli.
#pragma once

#include "cli/cli.h"

typedef struct ApiCall {
    const char *method;
    Str target;                       ///< path and query, encoded
    Str body;                         ///< JSON; absent: none
    Str last_event_id;                ///< absent: none
    Err (*take)(void *ctx, Str part); ///< has the answer's body as it comes (HttpCall.take)
    void *ctx;
} ApiCall;

/// Find the session's file (--config, environment). ERR_INVALID: there is no home folder.
Err api_place(Cli *cli);
/// Connect to cli->session.server. ERR_MEMORY.
Err api_connect(Cli *cli);
/// Load the session and connect, unless that is done. ERR_UNAUTHENTICATED: not signed in.
Err api_open(Cli *cli);
/// The path of an endpoint that is about one thing, with its id in place of the parameter; absent:
/// the arena is exhausted.
Str api_target(const Endpoint *endpoint, Str id, Arena *arena);
/// One call with the session's token; the answer's body is put into `arena`.
Err api_send(Cli *cli, const ApiCall *call, Arena *arena, Str *ret_body);
/// One call without a token: signing in.
Err api_send_open(Cli *cli, const ApiCall *call, Arena *arena, Str *ret_body);
/// Take new tokens into the session and save it.
Err api_keep(Cli *cli, Str reply_json);
/// GET one record of `schema`.
Err api_get(Cli *cli, Str target, const Schema *schema, Arena *arena, void *record);
/// GET every page of a list, at most `max` records. `target` may have a query.
Err api_list(Cli *cli,
             Str target,
             const Schema *schema,
             size_t max,
             Arena *arena,
             void **ret_items,
             size_t *ret_count);
/// Decode a reply. ERR_UNAVAILABLE: it is not what was expected.
Err api_decode(Cli *cli, const Schema *schema, Str json, Arena *arena, void *record);
/// The id that `text` means: an id of `noun` as it is, else the thing of that name
/// (base/schema.h:schema_name_field; of a release application@version). ERR_NOT_FOUND: there is
/// none.
Err api_resolve(Cli *cli, const char *noun, Str text, Str *ret_id);
/// `text` percent-encoded, in `arena`. ERR_LIMIT.
Err api_encode(Str text, Arena *arena, Str *ret_text);
