// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/engine_parts.h"
#include "agent/engine/pull.h"
#include "base/scope.h"

#include <stdio.h>

/// A stream in the agreed version, whose pieces go to `piece`.
static Err engine_stream(Engine *engine,
                         const char *method,
                         Str target,
                         uint64_t silence_ms,
                         Err (*piece)(void *app, Str bytes),
                         void *app,
                         Reason *reason) {
    Http1Request request = {
        .method = method, .target = target, .within_ms = silence_ms, .reply_max = ENGINE_REPLY_MAX};
    Http1Reply reply = {};
    Err err = http1_stream(engine->waits, &request, piece, app, &reply, reason);
    if (err.code == OK) err = engine_judge(&reply, reason);
    text_done(&reply.body);
    if (err.code == ERR_UNAVAILABLE) engine->api[0] = '\0';
    return err;
}

static Err engine_pull_piece(void *app, Str bytes) {
    pull_feed(app, bytes);
    return SUCCESS;
}

Err engine_pull(Engine *engine, Str image, Reason *reason) {
    TRY(engine_agree(engine, reason));
    Str digest = image;
    Str repository = {};
    str_cut(&digest, '@', &repository);
    char target[ENGINE_TARGET_MAX];
    // Characters of an image's name need no escape in a query, by its pattern.
    int len = snprintf(target,
                       sizeof(target),
                       "/v%s/images/create?fromImage=%.*s&tag=%.*s",
                       engine->api,
                       STR_FMT(repository),
                       STR_FMT(digest));
    if ((size_t)len >= sizeof(target)) return FAIL(ERR_LIMIT, "an image's name is too long");
    SCOPED(pull_done) PullProgress pull;
    pull_init(&pull);
    Str sent = {target, (size_t)len};
    TRY(engine_stream(
        engine, "POST", sent, ENGINE_PULL_SILENCE_MS, engine_pull_piece, &pull, reason));
    pull_end(&pull);
    if (!pull.failed) return SUCCESS;
    return reason_fail(
        reason, FAIL(ERR_STATE, "the image could not be pulled"), "%s", pull.reason.text);
}

/// Any event will do: what it means is seen by looking at the containers.
static Err engine_event_piece(void *app, Str bytes) {
    if (str_trim(bytes).len == 0) return SUCCESS;
    *(bool *)app = true;
    return FAIL(ERR_STATE, "something happened");
}

Err engine_wait(
    Engine *engine, Str device_id, uint64_t since_ms, uint64_t within_ms, Reason *reason) {
    TRY(engine_agree(engine, reason));
    char target[ENGINE_TARGET_MAX];
    // {"label":[...],"type":["container"],"event":["start","die",...]}
    int len = snprintf(target,
                       sizeof(target),
                       "/v%s/events?since=%llu.%03llu000000&filters=%%7B" ENGINE_LABEL_FILTER
                       "%%2C%%22type%%22%%3A%%5B%%22container%%22%%5D%%2C%%22event%%22%%3A%%5B"
                       "%%22start%%22%%2C%%22die%%22%%2C%%22destroy%%22%%2C%%22health_status%%22"
                       "%%5D%%7D",
                       engine->api,
                       (unsigned long long)(since_ms / 1000),
                       (unsigned long long)(since_ms % 1000),
                       STR_FMT(device_id));
    if ((size_t)len >= sizeof(target)) return FAIL(ERR_LIMIT, "a request's target is too long");
    bool happened = false;
    Str sent = {target, (size_t)len};
    Err err = engine_stream(engine, "GET", sent, within_ms, engine_event_piece, &happened, reason);
    if (!happened && err.code != ERR_TIMEOUT) return err;
    reason_clear(reason);
    return SUCCESS;
}
