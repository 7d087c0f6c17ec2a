// SPDX-License-Identifier: Apache-2.0
#include "cli/registry.h"

#include "base/jws.h"
#include "base/schema.h"
#include "base/scope.h"
#include "http/client.h"

#include <string.h>

enum { REGISTRY_WITHIN_MS = 30'000, MANIFEST_BYTES_MAX = 4 * 1024 * 1024, TARGET_MAX = 2048 };

#define MANIFEST_TYPES                                            \
    "application/vnd.oci.image.index.v1+json, "                   \
    "application/vnd.oci.image.manifest.v1+json, "                \
    "application/vnd.docker.distribution.manifest.list.v2+json, " \
    "application/vnd.docker.distribution.manifest.v2+json"
#define HUB "registry-1.docker.io"
#define HUB_REALM "https://auth.docker.io"

/// Answer of a token endpoint (the distribution specification's token authentication).
typedef struct PullToken {
    Str token;
    Str access_token; ///< the same under its OAuth name
} PullToken;
static const Field PullToken_fields[] = {
    FIELD(PullToken, token, 0, "token", .max = 16384),
    FIELD(PullToken, access_token, 0, "token", .max = 16384),
};
static const Schema PullToken_schema = SCHEMA(PullToken, "pull_token", "a token to pull with");

static void registry_client_closep(HttpClient **client) {
    *client = http_client_close(*client);
}

static void registry_answer_done(HttpAnswer *answer) {
    text_done(&answer->body);
}

/// Engines speak plain HTTP to registries on loopback, and so do we.
static bool registry_is_loopback(Str registry) {
    Str host = str_slice(registry, 0, str_index(registry, ':', 0));
    return str_eq(host, S("localhost")) || str_starts(host, S("127."));
}

static Err
registry_get(Str base_url, const HttpCall *call, HttpAnswer *ret_answer, Reason *reason) {
    SCOPED(registry_client_closep) HttpClient *client = NULL;
    const HttpClientOptions options = {.base_url = base_url.ptr,
                                       .user_agent = "muster/" MUSTER_VERSION};
    TRY(http_client_open(&options, &client));
    return http_client_call(client, call, ret_answer, reason);
}

/// An anonymous token for Docker Hub, which gives nothing without one.
static Err registry_hub_token(Str repository, Arena *arena, Str *ret_token, Reason *reason) {
    SCOPED(text_done) Text target;
    text_init(&target, TARGET_MAX);
    text_print(&target, "/token?service=registry.docker.io&scope=");
    Str scope = str_print(arena, "repository:%.*s:pull", STR_FMT(repository));
    http_encode(&target, scope);
    TRY(text_check(&target));
    const HttpCall call = {.method = "GET",
                           .target = text_str(&target),
                           .within_ms = REGISTRY_WITHIN_MS,
                           .reply_max = MANIFEST_BYTES_MAX};
    SCOPED(registry_answer_done) HttpAnswer answer = {};
    TRY(registry_get(S(HUB_REALM), &call, &answer, reason));
    PullToken reply;
    if (answer.status != 200
        || schema_read(&PullToken_schema, text_str(&answer.body), DECODE_REPLY, arena, &reply, NULL)
                   .code
               != OK)
        return FAIL(ERR_UNAUTHENTICATED, "the registry gives no anonymous token");
    *ret_token = reply.token.ptr ? reply.token : reply.access_token;
    return SUCCESS;
}

static Err registry_status_check(const HttpAnswer *answer) {
    ErrCode code = err_from_http_status(answer->status);
    if (code == OK) return SUCCESS;
    if (code == ERR_UNAUTHENTICATED || code == ERR_FORBIDDEN)
        return FAIL(ERR_UNAUTHENTICATED,
                    "the registry wants credentials: name the image by its digest");
    if (code == ERR_NOT_FOUND) return FAIL(ERR_NOT_FOUND, "the registry has no such image");
    if (code == ERR_BUSY) return FAIL(ERR_BUSY, "the registry is asked too often");
    return FAIL(ERR_UNAVAILABLE, "the registry does not answer as one");
}

/// The digest is computed, not believed: the engine will ask for exactly these bytes.
static Err registry_digest_of(const HttpAnswer *answer, Arena *arena, Str *ret_digest) {
    Str digest =
        str_print(arena, "sha256:%.*s", STR_FMT(sha256_hex(arena, text_str(&answer->body))));
    TRY(arena_check(arena));
    if (answer->digest[0] && !str_eq(digest, str_from(answer->digest)))
        return FAIL(ERR_UNAVAILABLE, "the registry's digest is not that of its manifest");
    *ret_digest = digest;
    return SUCCESS;
}

Err image_resolve(Str image, bool insecure, Arena *arena, Str *ret_pinned, Reason *reason) {
    ImageName name;
    TRY(image_parse(image, arena, &name));
    const char *scheme = insecure || registry_is_loopback(name.registry) ? "http" : "https";
    Str base_url = str_print(arena, "%s://%.*s", scheme, STR_FMT(name.registry));
    Str target =
        str_print(arena, "/v2/%.*s/manifests/%.*s", STR_FMT(name.repository), STR_FMT(name.tag));
    TRY(arena_check(arena));
    Str token = {};
    if (str_eq(name.registry, S(HUB)))
        TRY(registry_hub_token(name.repository, arena, &token, reason));
    const HttpCall call = {.method = "GET",
                           .target = target,
                           .bearer = token,
                           .accept = S(MANIFEST_TYPES),
                           .within_ms = REGISTRY_WITHIN_MS,
                           .reply_max = MANIFEST_BYTES_MAX};
    SCOPED(registry_answer_done) HttpAnswer answer = {};
    TRY(registry_get(base_url, &call, &answer, reason));
    TRY(registry_status_check(&answer));
    Str digest;
    TRY(registry_digest_of(&answer, arena, &digest));
    Str pinned = str_print(arena, "%.*s@%.*s", STR_FMT(name.full), STR_FMT(digest));
    TRY(arena_check(arena));
    *ret_pinned = pinned;
    return SUCCESS;
}
