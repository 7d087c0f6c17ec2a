// SPDX-License-Identifier: Apache-2.0
#include "http/route.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { REFUSAL_MAX = 512 };

bool route_is_parameter(Str segment) {
    return segment.len > 2 && segment.ptr[0] == '{';
}

/// The path parameters are counted from the left, as the router filled `args`.
Str call_arg(const Call *call, Str name) {
    Str rest = str_from(call->route->endpoint->path);
    Str segment;
    size_t index = 0;
    while (str_cut(&rest, '/', &segment)) {
        if (!route_is_parameter(segment)) continue;
        if (str_eq(str_slice(segment, 1, segment.len - 1), name)) return call->args[index];
        index++;
    }
    assert(false && "the route has this parameter");
    return (Str){};
}

Err call_patch(Call *call, const Schema *schema, void *record) {
    assert(call->route->endpoint->method == PATCH);
    void *copy = arena_alloc(call->arena, schema->size, _Alignof(max_align_t));
    if (!copy) return arena_check(call->arena);
    memcpy(copy, record, schema->size);
    TRY(schema_decode(schema, call->body, DECODE_PATCH, call->arena, &call->faults, copy));
    memcpy(record, copy, schema->size);
    return SUCCESS;
}

Err call_refuse(Call *call, Str pointer, const char *allowed, ...) {
    char text[REFUSAL_MAX];
    va_list args;
    va_start(args, allowed);
    int len = vsnprintf(text, sizeof(text), allowed, args);
    va_end(args);
    assert(len >= 0);
    faults_add(&call->faults, pointer, "%s", text);
    return FAIL(ERR_INVALID, "the input is not what is allowed here");
}

Err call_refuse_after(Call *call, Err refusal) {
    assert(refusal.code != OK);
    call->refusal = refusal;
    return SUCCESS;
}

Err call_reply(Call *call, const void *record) {
    const Endpoint *endpoint = call->route->endpoint;
    assert(endpoint->shape == REPLY_ONE && record);
    size_t size = endpoint->out->size;
    void *copy = arena_alloc(call->arena, size, _Alignof(max_align_t));
    if (copy) memcpy(copy, record, size); // else the router sees the exhausted arena
    call->out = copy;
    call->out_count = 1;
    return SUCCESS;
}

Err call_reply_list(Call *call, const void *items, size_t count, Str next) {
    assert(call->route->endpoint->shape == REPLY_LIST && (items || count == 0));
    call->out = items;
    call->out_count = count;
    call->next = next;
    return SUCCESS;
}

Err call_reply_stream(Call *call, const CallStream *stream) {
    assert(call->route->endpoint->shape == REPLY_EVENTS && stream->end);
    call->stream = *stream;
    return SUCCESS;
}
