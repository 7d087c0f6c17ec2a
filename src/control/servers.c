// SPDX-License-Identifier: Apache-2.0
#include "control/servers.h"

#include "base/scope.h"
#include "io/certificate.h"
#include "wire/token_text.h"

enum { SERVERS_JSON_MAX = 256 * 1024 };

static bool servers_url_is_plain(Str url) {
    return str_starts(url, S("http://"));
}

static Err servers_default_url(
    const Config *config, Str server_pem, Arena *arena, StrList *ret_urls, Reason *reason) {
    Str host;
    TRY(certificate_host(server_pem, arena, &host, reason));
    Str *url = ARENA_ARRAY(arena, Str, 1);
    TRY(arena_check(arena));
    *url = str_print(
        arena, "https://" HOST_SPEC ":%llu", HOST_FMT(host), (unsigned long long)config->port);
    *ret_urls = (StrList){url, 1};
    return arena_check(arena);
}

/// Everything but the digest, in canonical form.
static Err servers_digest(Servers *servers, Arena *arena) {
    servers->digest = (Str){};
    Str json;
    TRY(schema_encode_canonical(
        &Servers_schema, servers, ENCODE_REPLY, SERVERS_JSON_MAX, arena, &json));
    servers->digest = document_digest(json, arena);
    return arena_check(arena);
}

Err servers_make(const Config *config,
                 Str server_pem,
                 Str ca_pem,
                 Arena *arena,
                 Servers *ret_servers,
                 Reason *reason) {
    StrList urls = config->servers;
    if (urls.count == 0) TRY(servers_default_url(config, server_pem, arena, &urls, reason));
    ServerEntry *entries = ARENA_ARRAY(arena, ServerEntry, urls.count);
    Str *authority = ARENA_ARRAY(arena, Str, 1);
    TRY(arena_check(arena));
    for (size_t i = 0; i < urls.count; i++)
        entries[i] = (ServerEntry){.url = urls.items[i]};
    *authority = ca_pem;
    Servers servers = {
        .servers = {entries, urls.count}
    };
    if (config->authority == AUTHORITY_OWN) servers.authorities = (StrList){authority, 1};
    TRY(servers_digest(&servers, arena));
    *ret_servers = servers;
    return SUCCESS;
}

Str servers_authority(const Servers *servers, Str ca_fingerprint) {
    bool has_tls = false;
    for (size_t i = 0; i < servers->servers.count; i++)
        has_tls = has_tls || !servers_url_is_plain(servers->servers.items[i].url);
    if (!has_tls) return (Str){};
    return servers->authorities.count ? ca_fingerprint : S(AUTHORITY_PUBLIC);
}
