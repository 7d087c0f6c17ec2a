// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/engine.h"

#include "agent/engine/pull.h"
#include "base/scope.h"
#include "http1/http1.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALL_WITHIN_MS = 60'000,   ///< the engine stops a container for up to 10 s within it
    PULL_SILENCE_MS = 300'000, ///< unpacking a large layer says nothing for a while
    REPLY_MAX = 1024 * 1024,
    API_VERSION_MAX = 16,
    TARGET_MAX = 2048,
};

/// Newest version of the API that we know; an engine that is older is spoken to in its own.
#define API_VERSION_OURS "1.43"

struct Engine {
    Http1 *calls;              ///< short ones: never cancelled, so that none is left half known
    Http1 *waits;              ///< pulls and events: cancelled by the owner
    char api[API_VERSION_MAX]; ///< agreed on; empty: not yet
};

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

static Err decode(const Schema *schema, Str json, Arena *arena, void *record) {
    Err err = schema_read(schema, json, DECODE_REPLY, arena, record, NULL);
    if (err.code == ERR_INVALID) return FAIL(ERR_INVALID, "the engine's answer makes no sense");
    return err;
}

/// An engine that failed is there: it could not do this.
static Err refusal(uint32_t status) {
    ErrCode code = status >= 500 ? ERR_STATE : err_from_http_status(status);
    return FAIL(code, "the engine refuses it");
}

/// Keep the engine's words and turn the status into an error; OK for 2xx and 304.
static Err judge(const Http1Reply *reply, Reason *reason) {
    if (reply->status < 300 || reply->status == 304) return SUCCESS;
    typedef struct Refusal {
        Str message;
    } Refusal;
    static const Field Refusal_fields[] = {FIELD(Refusal, message, 0, "why")};
    static const Schema Refusal_schema = SCHEMA(Refusal, "refusal", "why the engine refuses");
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 64 * 1024);
    Refusal why = {};
    Err err = decode(&Refusal_schema, text_str(&reply->body), &arena, &why);
    if (err.code != OK || why.message.len == 0) return refusal(reply->status);
    return reason_fail(reason, refusal(reply->status), "%.*s", STR_FMT(why.message));
}

/// One exchange in the agreed version. `ret_body` may be NULL; else it is text_done's to free.
__attribute__((format(printf, 6, 7))) static Err call(Engine *engine,
                                                      const char *method,
                                                      Str body,
                                                      Text *ret_body,
                                                      Reason *reason,
                                                      const char *format,
                                                      ...) {
    char target[TARGET_MAX];
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
        .reply_max = REPLY_MAX,
    };
    Http1Reply reply = {};
    Err err = http1_exchange(engine->calls, &request, &reply, reason);
    if (err.code == OK) err = judge(&reply, reason);
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
static uint64_t api_number(Str version) {
    Str major = {};
    uint64_t parts[2];
    if (!str_cut(&version, '.', &major)) return 0;
    if (str_u64(major, &parts[0]).code != OK || str_u64(version, &parts[1]).code != OK) return 0;
    return parts[0] * 1000 + parts[1];
}

Err engine_version(Engine *engine, Arena *arena, EngineVersion *ret_version, Reason *reason) {
    engine->api[0] = '\0';
    SCOPED(text_done) Text body = {};
    TRY(call(engine, "GET", (Str){}, &body, reason, "/version"));
    EngineVersion version;
    TRY(decode(&EngineVersion_schema, text_str(&body), arena, &version));
    uint64_t theirs = api_number(version.ApiVersion);
    if (theirs == 0 || version.ApiVersion.len >= API_VERSION_MAX)
        return FAIL(ERR_INVALID, "the engine does not say its API version");
    Str agreed =
        theirs < api_number(S(API_VERSION_OURS)) ? version.ApiVersion : S(API_VERSION_OURS);
    if (api_number(agreed) < api_number(version.MinAPIVersion)) agreed = version.MinAPIVersion;
    snprintf(engine->api, sizeof(engine->api), "%.*s", STR_FMT(agreed));
    *ret_version = version;
    return SUCCESS;
}

static Err agree(Engine *engine, Reason *reason) {
    if (*engine->api) return SUCCESS;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, REPLY_MAX);
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

#define MANAGED_FILTER "%7B%22label%22%3A%5B%22" ENGINE_LABEL_MANAGED "%3Dtrue%22%5D%7D"

static Err
list(Engine *engine, Arena *arena, EngineRow **ret_rows, size_t *ret_count, Reason *reason) {
    SCOPED(text_done) Text body = {};
    TRY(call(engine,
             "GET",
             (Str){},
             &body,
             reason,
             "/containers/json?all=1&filters=%s",
             MANAGED_FILTER));
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

Err engine_containers(Engine *engine, Arena *arena, EngineContainerList *ret_list, Reason *reason) {
    TRY(agree(engine, reason));
    EngineRow *rows;
    size_t count;
    TRY(list(engine, arena, &rows, &count, reason));
    EngineContainerList found = {.items = ARENA_ARRAY(arena, EngineContainer, count)};
    TRY(arena_check(arena));
    for (size_t i = 0; i < count; i++) {
        SCOPED(text_done) Text body = {};
        Err err = call(
            engine, "GET", (Str){}, &body, reason, "/containers/%.*s/json", STR_FMT(rows[i].Id));
        if (err.code == ERR_NOT_FOUND) { // gone since it was listed
            reason_clear(reason);
            continue;
        }
        TRY(err);
        EngineContainer *container = &found.items[found.count];
        TRY(decode(&EngineContainer_schema, text_str(&body), arena, container));
        container->Ports = rows[i].Ports;
        found.count++;
    }
    *ret_list = found;
    return SUCCESS;
}

Err engine_container_create(Engine *engine, Str name, Str body, Reason *reason) {
    TRY(agree(engine, reason));
    return call(engine, "POST", body, NULL, reason, "/containers/create?name=%.*s", STR_FMT(name));
}

static Err act(Engine *engine, Str id, const char *verb, Reason *reason) {
    TRY(agree(engine, reason));
    return call(engine, "POST", (Str){}, NULL, reason, "/containers/%.*s/%s", STR_FMT(id), verb);
}

Err engine_container_start(Engine *engine, Str id, Reason *reason) {
    return act(engine, id, "start", reason);
}

Err engine_container_stop(Engine *engine, Str id, Reason *reason) {
    return act(engine, id, "stop?t=10", reason);
}

Err engine_container_restart(Engine *engine, Str id, Reason *reason) {
    return act(engine, id, "restart?t=10", reason);
}

Err engine_container_rename(Engine *engine, Str id, Str name, Reason *reason) {
    TRY(agree(engine, reason));
    return call(engine,
                "POST",
                (Str){},
                NULL,
                reason,
                "/containers/%.*s/rename?name=%.*s",
                STR_FMT(id),
                STR_FMT(name));
}

Err engine_container_remove(Engine *engine, Str id, Reason *reason) {
    TRY(agree(engine, reason));
    Err err =
        call(engine, "DELETE", (Str){}, NULL, reason, "/containers/%.*s?v=1&force=1", STR_FMT(id));
    if (err.code != ERR_NOT_FOUND) return err;
    reason_clear(reason);
    return SUCCESS;
}

Err engine_image_find(Engine *engine, Str image, bool *ret_is_here, Reason *reason) {
    TRY(agree(engine, reason));
    Err err = call(engine, "GET", (Str){}, NULL, reason, "/images/%.*s/json", STR_FMT(image));
    if (err.code != OK && err.code != ERR_NOT_FOUND) return err;
    reason_clear(reason);
    *ret_is_here = err.code == OK;
    return SUCCESS;
}

Err engine_network_ensure(Engine *engine, Str name, Reason *reason) {
    TRY(agree(engine, reason));
    Err err = call(engine, "GET", (Str){}, NULL, reason, "/networks/%.*s", STR_FMT(name));
    if (err.code != ERR_NOT_FOUND) return err;
    reason_clear(reason);
    typedef struct Network {
        Str Name;
        Str Driver;
        StrMap Labels;
        bool CheckDuplicate;
    } Network;
    static const Field Network_fields[] = {
        FIELD(Network, Name, REQUIRED, "of the network"),
        FIELD(Network, Driver, REQUIRED, "kind of network"),
        FIELD(Network, Labels, 0, "labels"),
        FIELD(Network, CheckDuplicate, 0, "names are unique"),
    };
    static const Schema Network_schema = SCHEMA(Network, "network", "a network to make");
    StrPair managed = {S(ENGINE_LABEL_MANAGED), S("true")};
    Network network = {
        .Name = name, .Driver = S("bridge"), .Labels = {&managed, 1},
                .CheckDuplicate = true
    };
    SCOPED(text_done) Text body;
    text_init(&body, TARGET_MAX);
    schema_encode(&Network_schema, &network, ENCODE_REQUEST, &body);
    err = call(engine, "POST", text_str(&body), NULL, reason, "/networks/create");
    if (err.code != ERR_CONFLICT) return err;
    reason_clear(reason);
    return SUCCESS;
}

/// A stream in the agreed version, whose pieces go to `piece`.
static Err stream(Engine *engine,
                  const char *method,
                  Str target,
                  uint64_t silence_ms,
                  Err (*piece)(void *app, Str bytes),
                  void *app,
                  Reason *reason) {
    Http1Request request = {
        .method = method, .target = target, .within_ms = silence_ms, .reply_max = REPLY_MAX};
    Http1Reply reply = {};
    Err err = http1_stream(engine->waits, &request, piece, app, &reply, reason);
    if (err.code == OK) err = judge(&reply, reason);
    text_done(&reply.body);
    if (err.code == ERR_UNAVAILABLE) engine->api[0] = '\0';
    return err;
}

static Err pull_piece(void *app, Str bytes) {
    pull_feed(app, bytes);
    return SUCCESS;
}

Err engine_pull(Engine *engine, Str image, Reason *reason) {
    TRY(agree(engine, reason));
    Str digest = image;
    Str repository = {};
    str_cut(&digest, '@', &repository);
    char target[TARGET_MAX];
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
    TRY(stream(
        engine, "POST", (Str){target, (size_t)len}, PULL_SILENCE_MS, pull_piece, &pull, reason));
    pull_end(&pull);
    if (!pull.failed) return SUCCESS;
    return reason_fail(
        reason, FAIL(ERR_STATE, "the image could not be pulled"), "%s", pull.reason.text);
}

/// Any event will do: what it means is seen by looking at the containers.
static Err event_piece(void *app, Str bytes) {
    if (str_trim(bytes).len == 0) return SUCCESS;
    *(bool *)app = true;
    return FAIL(ERR_STATE, "something happened");
}

Err engine_wait(Engine *engine, uint64_t since_ms, uint64_t within_ms, Reason *reason) {
    TRY(agree(engine, reason));
    char target[TARGET_MAX];
    int len =
        snprintf(target,
                 sizeof(target),
                 "/v%s/events?since=%llu.%03llu000000&filters=%s",
                 engine->api,
                 (unsigned long long)(since_ms / 1000),
                 (unsigned long long)(since_ms % 1000),
                 // {"type":["container"],"label":[...],"event":["start","die",...]}
                 "%7B%22type%22%3A%5B%22container%22%5D%2C%22label%22%3A%5B%22" ENGINE_LABEL_MANAGED
                 "%3Dtrue%22%5D%2C%22event%22%3A%5B%22start%22%2C%22"
                 "die%22%2C%22destroy%22%2C%22health_status%22%2C%22rename%22%5D%7D");
    bool happened = false;
    Err err = stream(
        engine, "GET", (Str){target, (size_t)len}, within_ms, event_piece, &happened, reason);
    if (!happened && err.code != ERR_TIMEOUT) return err;
    reason_clear(reason);
    return SUCCESS;
}
