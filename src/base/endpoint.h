// SPDX-License-Identifier: Apache-2.0
/// One table describes an endpoint: what is asked for, what comes in and what goes out.
///
/// Both ends of the REST API are made from the same rows: a server adds who may call and a handler
/// (http/route.h), a command line adds nothing. A row for a plain list, show, create, update or
/// delete is one of the ENDPOINT_* macros; anything else is written out.
///
///     const Endpoint Box_list = ENDPOINT_LIST(Box, "box", "/v1/boxes", "All boxes");
///     const Endpoint Box_open = {
///         POST, "/v1/boxes/{box_id}/open", "box", "open", "Open it", .out = &Box_schema};
#pragma once

#include "base/schema.h"

typedef enum Method { GET, POST, PATCH, DELETE, METHOD_COUNT } Method;

/// The shape of a successful answer.
typedef enum ReplyShape {
    REPLY_ONE,  ///< one `out` record
    REPLY_LIST, ///< {"items": [out, ...], "next": "cursor"}; `next` only when there is more
    REPLY_NONE, ///< no body
    /// Server-Sent Events (WHATWG HTML section 9.2), without an end unless its query says one: the
    /// data of those without a name is an `out` record.
    REPLY_EVENTS,
} ReplyShape;

typedef struct Endpoint {
    Method method;       ///< PATCH: the body is a merge patch (RFC 7396)
    const char *path;    ///< "/v1/boxes/{box_id}"; parameters are whole segments
    const char *noun;    ///< "box"; "box_list" is the operation's id
    const char *verb;    ///< "list"; the same word in the audit log and on the command line
    const char *doc;     ///< one line
    const Schema *query; ///< query parameters; NULL: none are taken
    const Schema *in;    ///< the body; NULL: none is taken
    bool peer;           ///< the body is an envelope of one of our own programs (DECODE_PEER)
    const Schema *out;   ///< what is answered; of REPLY_NONE what it is about, or NULL
    ReplyShape shape;
    uint32_t body_max; ///< bytes of a body; 0: ENDPOINT_BODY_MAX
} Endpoint;

enum { ENDPOINT_BODY_MAX = 16 * 1024 };

// clang-format off
/// A page of records of `type`; the fields of `type`Query are its filters.
#define ENDPOINT_LIST(type, noun, path, text)                                                      \
    {GET, path, noun, "list", text,                                                                \
     .query = &type##Query_schema, .out = &type##_schema, .shape = REPLY_LIST}
/// The record with the key in the path.
#define ENDPOINT_SHOW(type, noun, path, text)                                                      \
    {GET, path "/{" noun "_id}", noun, "show", text, .out = &type##_schema}
/// A new record. More fields may follow: .body_max.
#define ENDPOINT_CREATE(type, noun, path, text, ...)                                               \
    {POST, path, noun, "create", text, .in = &type##_schema, .out = &type##_schema, __VA_ARGS__}
/// A merge patch onto the record with the key in the path.
#define ENDPOINT_UPDATE(type, noun, path, text)                                                    \
    {PATCH, path "/{" noun "_id}", noun, "update", text,                                           \
     .in = &type##_schema, .out = &type##_schema}
/// The end of the record with the key in the path.
#define ENDPOINT_DELETE(type, noun, path, text)                                                    \
    {DELETE, path "/{" noun "_id}", noun, "delete", text,                                          \
     .out = &type##_schema, .shape = REPLY_NONE}
// clang-format on

/// "GET".
const char *method_name(Method method);
/// Status of its success: 201 where something is created, 204 where nothing is answered, else 200.
uint32_t endpoint_status(const Endpoint *endpoint);
