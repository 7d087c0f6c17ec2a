// SPDX-License-Identifier: Apache-2.0
#include "agent/link/server_set.h"

#include "base/scope.h"
#include "io/tls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct ServerSet {
    char digest[DIGEST_LEN + 1];
    ServerAddress addresses[SERVERS_MAX];
    size_t count;
    TlsContext *tls; ///< NULL: all are plain http
};

static bool server_set_has_tls(const ServerSet *set) {
    for (size_t i = 0; i < set->count; i++)
        if (set->addresses[i].has_tls) return true;
    return false;
}

static Err server_set_take(ServerSet *set, const Servers *servers, Reason *reason) {
    Err err = FAIL(ERR_INVALID, "the list of servers is empty");
    for (size_t i = 0; i < servers->servers.count && set->count < SERVERS_MAX; i++) {
        const ServerEntry *entry = &servers->servers.items[i];
        Err one = server_address_parse(entry->url, &set->addresses[set->count]);
        if (one.code == OK)
            set->count++;
        else
            err = reason_fail(reason, one, "%.*s", STR_FMT(entry->url));
    }
    if (set->count == 0) return err;
    reason_clear(reason);
    return SUCCESS;
}

/// By authorities of the installation's own a server is good whatever this machine's clock says: it
/// may have started in 1970, and has nobody else to ask for the time.
static Err server_set_trust(ServerSet *set, const StrList *authorities) {
    if (!server_set_has_tls(set)) return SUCCESS;
    if (authorities->count == 0) return tls_client_context_open_public(&set->tls);
    SCOPED(text_done) Text pem;
    text_init(&pem, AUTHORITIES_MAX * (AUTHORITY_PEM_MAX + 1));
    for (size_t i = 0; i < authorities->count; i++) {
        text_add(&pem, authorities->items[i]);
        text_add_char(&pem, '\n');
    }
    TRY(text_check(&pem));
    TRY(tls_client_context_open(text_str(&pem), &set->tls));
    tls_client_context_ignore_days(set->tls);
    return SUCCESS;
}

Err server_set_open(const Servers *servers, ServerSet **ret_set, Reason *reason) {
    ServerSet *set = calloc(1, sizeof(*set));
    if (!set) return OUT_OF_MEMORY;
    Str digest = str_slice(servers->digest, 0, DIGEST_LEN);
    if (digest.len > 0) memcpy(set->digest, digest.ptr, digest.len);
    Err err = server_set_take(set, servers, reason);
    if (err.code == OK) err = server_set_trust(set, &servers->authorities);
    if (err.code != OK) {
        server_set_close(set);
        return err;
    }
    *ret_set = set;
    return SUCCESS;
}

ServerSet *server_set_close(ServerSet *set) {
    if (!set) return NULL;
    tls_context_close(set->tls);
    free(set);
    return NULL;
}

Str server_set_digest(const ServerSet *set) {
    return str_from(set->digest);
}

size_t server_set_count(const ServerSet *set) {
    return set->count;
}

const ServerAddress *server_set_address(const ServerSet *set, size_t at) {
    assert(at < set->count);
    return &set->addresses[at];
}

TlsContext *server_set_tls(const ServerSet *set, size_t at) {
    return server_set_address(set, at)->has_tls ? set->tls : NULL;
}
