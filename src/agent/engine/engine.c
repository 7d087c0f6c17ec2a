// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/engine.h"

#include "agent/engine/engine_parts.h"
#include "base/scope.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALL_WITHIN_MS = 60'000 }; ///< the engine stops a container for up to 10 s within it

/// Newest version of the API that we know; an engine that is older is spoken to in its own.
#define API_VERSION_OURS "1.43"

Err engine_open(const char *path, int cancel_fd, Engine **ret_engine) {
    Engine *engine = calloc(1, sizeof(*engine));
    if (!engine) return OUT_OF_MEMORY;
    Err err = http1_open(&(Http1Options){.unix_path = path, .cancel_fd = -1}, &engine->calls);
    if (err.code == OK)
        err =
            http1_open(&(Http1Options){.unix_path = path, .cancel_fd = cancel_fd}, &engine->waits);
    if (err.code != OK) {
        engine_close(engine);
        return err;
    }
    *ret_engine = engine;
    return SUCCESS;
}

Engine *engine_close(Engine *engine) {
    if (!engine) return NULL;
    http1_close(engine->calls);
    http1_close(engine->waits);
    free(engine);
    return NULL;
}

Err engine_decode(const Schema *schema, Str json, Arena *arena, void *record, Reason *reason) {
    Err err = schema_read(schema, json, DECODE_REPLY, arena, record, reason);
    if (err.code == ERR_INVALID) return FAIL(ERR_INVALID, "the engine's answer makes no sense");
    return err;
}

static Err engine_refusal(uint32_t status) {
    ErrCode code = status >= 500 ? ERR_STATE : err_from_http_status(status);
    return FAIL(code, "the engine refuses it");
}

Err engine_judge(const Http1Reply *reply, Reason *reason) {
    if (reply->status < 300 || reply->status == 304) return SUCCESS;
    typedef struct Words {
        Str message;
    } Words;
    static const Field Words_fields[] = {FIELD(Words, message, 0, "why")};
    static const Schema Words_schema = SCHEMA(Words, "words", "why the engine refuses");
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 64 * 1024);
    Words why = {};
    Err err = engine_decode(&Words_schema, text_str(&reply->body), &arena, &why, NULL);
    if (err.code != OK || why.message.len == 0) return engine_refusal(reply->status);
    return reason_fail(reason, engine_refusal(reply->status), "%.*s", STR_FMT(why.message));
}

Err engine_call(Engine *engine,
                const char *method,
                Str body,
                Text *ret_body,
                Reason *reason,
                const char *format,
                ...) {
    char target[ENGINE_TARGET_MAX];
    int len = snprintf(target, sizeof(target), "%s%s", *engine->api ? "/v" : "", engine->api);
    va_list args;
    va_start(args, format);
    len += vsnprintf(target + len, sizeof(target) - (size_t)len, format, args);
    va_end(args);
    if ((size_t)len >= sizeof(target)) return FAIL(ERR_LIMIT, "a request's target is too long");
    Http1Request request = {
        .method = method,
        .target = {target, (size_t)len},
        .body = body,
        .within_ms = CALL_WITHIN_MS,
        .reply_max = ENGINE_REPLY_MAX,
    };
    Http1Reply reply = {};
    Err err = http1_exchange(engine->calls, &request, &reply, reason);
    if (err.code == OK) err = engine_judge(&reply, reason);
    if (err.code == OK && ret_body) {
        *ret_body = reply.body;
    } else {
        text_done(&reply.body);
    }
    // A new engine may be another version.
    if (err.code == ERR_UNAVAILABLE) engine->api[0] = '\0';
    return err;
}

/// "1.43" as 1043; 0 if it is no version.
static uint64_t engine_api_number(Str version) {
    Str major = {};
    uint64_t parts[2];
    if (!str_cut(&version, '.', &major)) return 0;
    if (str_u64(major, &parts[0]).code != OK || str_u64(version, &parts[1]).code != OK) return 0;
    return parts[0] * 1000 + parts[1];
}

Err engine_version(Engine *engine, Arena *arena, EngineVersion *ret_version, Reason *reason) {
    engine->api[0] = '\0';
    SCOPED(text_done) Text body = {};
    TRY(engine_call(engine, "GET", (Str){}, &body, reason, "/version"));
    EngineVersion version;
    TRY(engine_decode(&EngineVersion_schema, text_str(&body), arena, &version, reason));
    uint64_t theirs = engine_api_number(version.ApiVersion);
    if (theirs == 0 || version.ApiVersion.len >= ENGINE_API_MAX)
        return FAIL(ERR_INVALID, "the engine does not say its API version");
    Str agreed =
        theirs < engine_api_number(S(API_VERSION_OURS)) ? version.ApiVersion : S(API_VERSION_OURS);
    if (engine_api_number(agreed) < engine_api_number(version.MinAPIVersion))
        agreed = version.MinAPIVersion;
    snprintf(engine->api, sizeof(engine->api), "%.*s", STR_FMT(agreed));
    *ret_version = version;
    return SUCCESS;
}

Err engine_agree(Engine *engine, Reason *reason) {
    if (*engine->api) return SUCCESS;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, ENGINE_REPLY_MAX);
    EngineVersion version;
    return engine_version(engine, &arena, &version, reason);
}

/// The row of a container in a list; members as Docker names them.
typedef struct EngineRow {
    Str Id;
    EnginePortList Ports;
} EngineRow;
static const Field EnginePort_fields[] = {
    FIELD(EnginePort, PublicPort, 0, "of the host"),
    FIELD(EnginePort, Type, 0, "transport"),
};
static const Schema EnginePort_schema = SCHEMA(EnginePort, "engine_port", "a published port");
static const Field EngineRow_fields[] = {
    FIELD(EngineRow, Id, REQUIRED, "of the container"),
    FIELD_LIST(EngineRow, Ports, EnginePort, 0, "published"),
};
static const Schema EngineRow_schema = SCHEMA(EngineRow, "engine_row", "a container in a list");

static Err engine_list(Engine *engine,
                       Str device_id,
                       Arena *arena,
                       EngineRow **ret_rows,
                       size_t *ret_count,
                       Reason *reason) {
    SCOPED(text_done) Text body = {};
    TRY(engine_call(engine,
                    "GET",
                    (Str){},
                    &body,
                    reason,
                    "/containers/json?all=1&filters=%%7B" ENGINE_LABEL_FILTER "%%7D",
                    STR_FMT(device_id)));
    Faults faults;
    faults_init(&faults, arena);
    void *rows;
    TRY(schema_decode_list(&EngineRow_schema,
                           text_str(&body),
                           DECODE_REPLY,
                           ENGINE_CONTAINERS_MAX,
                           arena,
                           &faults,
                           &rows,
                           ret_count));
    *ret_rows = rows;
    return SUCCESS;
}

Err engine_containers(
    Engine *engine, Str device_id, Arena *arena, EngineContainerList *ret_list, Reason *reason) {
    TRY(engine_agree(engine, reason));
    EngineRow *rows;
    size_t count;
    TRY(engine_list(engine, device_id, arena, &rows, &count, reason));
    EngineContainerList found = {.items = ARENA_ARRAY(arena, EngineContainer, count)};
    TRY(arena_check(arena));
    for (size_t i = 0; i < count; i++) {
        SCOPED(text_done) Text body = {};
        Err err = engine_call(
            engine, "GET", (Str){}, &body, reason, "/containers/%.*s/json", STR_FMT(rows[i].Id));
        if (err.code == ERR_NOT_FOUND) { // gone since it was listed
            reason_clear(reason);
            continue;
        }
        TRY(err);
        EngineContainer *container = &found.items[found.count];
        TRY(engine_decode(&EngineContainer_schema, text_str(&body), arena, container, reason));
        container->Ports = rows[i].Ports;
        found.count++;
    }
    *ret_list = found;
    return SUCCESS;
}

Err engine_container_create(Engine *engine, Str name, Str body, Reason *reason) {
    TRY(engine_agree(engine, reason));
    return engine_call(
        engine, "POST", body, NULL, reason, "/containers/create?name=%.*s", STR_FMT(name));
}

static Err engine_act(Engine *engine, Str id, const char *verb, Reason *reason) {
    TRY(engine_agree(engine, reason));
    return engine_call(
        engine, "POST", (Str){}, NULL, reason, "/containers/%.*s/%s", STR_FMT(id), verb);
}

Err engine_container_start(Engine *engine, Str id, Reason *reason) {
    return engine_act(engine, id, "start", reason);
}

Err engine_container_stop(Engine *engine, Str id, Reason *reason) {
    return engine_act(engine, id, "stop?t=10", reason);
}

Err engine_container_restart(Engine *engine, Str id, Reason *reason) {
    return engine_act(engine, id, "restart?t=10", reason);
}

Err engine_container_remove(Engine *engine, Str id, Reason *reason) {
    TRY(engine_agree(engine, reason));
    Err err = engine_call(
        engine, "DELETE", (Str){}, NULL, reason, "/containers/%.*s?v=1&force=1", STR_FMT(id));
    if (err.code != ERR_NOT_FOUND) return err;
    reason_clear(reason);
    return SUCCESS;
}

Err engine_image_find(Engine *engine, Str image, bool *ret_is_here, Reason *reason) {
    TRY(engine_agree(engine, reason));
    Err err =
        engine_call(engine, "GET", (Str){}, NULL, reason, "/images/%.*s/json", STR_FMT(image));
    if (err.code != OK && err.code != ERR_NOT_FOUND) return err;
    reason_clear(reason);
    *ret_is_here = err.code == OK;
    return SUCCESS;
}
