// SPDX-License-Identifier: Apache-2.0
#include "control/serve_tls.h"

#include "base/log.h"
#include "base/scope.h"
#include "channel/gateway.h"
#include "control/data.h"
#include "io/certificate.h"
#include "io/file.h"

#include <sodium.h>

enum {
    LOOK_ARENA_MAX = 1024 * 1024,
    PUBLIC_MODE = 0644,
    LEFT_OF_LIFE = 10, ///< renewed when less than one of so many parts is left
};

static const uint64_t period_ms = 30ULL * 86'400'000;
static const uint64_t day_ms = 86'400'000;
static const char key_context[crypto_kdf_CONTEXTBYTES + 1] = "muster.t";

void serve_tls_ticket_key(const JwsKey *key, uint64_t now_ms, uint8_t ret_key[TLS_TICKET_KEY_LEN]) {
    _Static_assert(crypto_kdf_KEYBYTES <= JWS_SECRET_KEY_LEN / 2, "the seed is a whole key");
    _Static_assert(TLS_TICKET_KEY_LEN <= crypto_kdf_BYTES_MAX, "it is made at once");
    crypto_kdf_derive_from_key(
        ret_key, TLS_TICKET_KEY_LEN, now_ms / period_ms, key_context, key->secret);
}

static Err tls_pair_load(const Vault *vault, Arena *arena, Certificate *ret_pair, Reason *reason) {
    TRY(data_pem(vault->dir, "server.pem", arena, &ret_pair->cert_pem, reason));
    return data_pem(vault->dir, "server.key", arena, &ret_pair->key_pem, reason);
}

/// It is by our authority, and it is time.
static bool tls_is_due(Str cert_pem, Str ca_pem, uint64_t now_ms) {
    uint64_t from_ms, until_ms;
    if (!certificate_is_by(cert_pem, ca_pem)) return false;
    if (certificate_days(cert_pem, &from_ms, &until_ms, NULL).code != OK) return false;
    return until_ms > from_ms && now_ms > until_ms - (until_ms - from_ms) / LEFT_OF_LIFE;
}

Err serve_tls_renew(const Vault *vault, uint64_t now_ms, Arena *arena, Reason *reason) {
    Certificate ca = {}, server = {}, renewed;
    TRY(data_pem(vault->dir, "ca.pem", arena, &ca.cert_pem, reason));
    TRY(tls_pair_load(vault, arena, &server, reason));
    if (!tls_is_due(server.cert_pem, ca.cert_pem, now_ms)) return SUCCESS;
    TRY(vault_load(vault, "ca.key", arena, &ca.key_pem, reason));
    uint64_t from_ms, until_ms;
    TRY(certificate_days(server.cert_pem, &from_ms, &until_ms, reason));
    const uint32_t days = (uint32_t)((until_ms - from_ms) / day_ms);
    TRY(certificate_renew(&ca, &server, now_ms, days, arena, &renewed, reason));
    Str path = data_path(arena, vault->dir, "server.pem");
    TRY(arena_check(arena));
    TRY(file_save(path.ptr, renewed.cert_pem, PUBLIC_MODE, reason));
    log_event(LOG_INFO, "certificate.renewed", F("path", path), F("days", (uint64_t)days));
    return SUCCESS;
}

static bool tls_is_same(const struct stat *a, const struct stat *b) {
    return a->st_ino == b->st_ino && a->st_size == b->st_size
           && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/// The files as they are now. One that is missing is all zero.
static ServeTls tls_now(const Vault *vault, uint64_t now_ms, Arena *arena) {
    ServeTls now = {.period = now_ms / period_ms};
    Str cert = data_path(arena, vault->dir, "server.pem");
    Str key = data_path(arena, vault->dir, "server.key");
    if (arena_check(arena).code != OK) return now;
    if (stat(cert.ptr, &now.cert) != 0) now.cert = (struct stat){};
    if (stat(key.ptr, &now.key) != 0) now.key = (struct stat){};
    return now;
}

static void tls_failed(Err err, const Reason *said) {
    log_event(LOG_ERROR,
              "certificate.failed",
              F("what", err.what),
              F("said", said->text),
              F("errno", (uint64_t)err.sys));
}

/// Renewed if it is due, and as it is now.
static ServeTls tls_look(const Vault *vault, uint64_t now_ms, Err *ret_renewal, Reason *reason) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, LOOK_ARENA_MAX);
    *ret_renewal = serve_tls_renew(vault, now_ms, &arena, reason);
    ServeTls now = tls_now(vault, now_ms, &arena);
    now.renewal = ret_renewal->code;
    return now;
}

void serve_tls_begin(ServeTls *tls, const App *app, const Vault *vault) {
    Err renewal;
    *tls = tls_look(vault, clock_now_ms(&app->clock), &renewal, NULL);
}

void serve_tls_look(ServeTls *tls, const App *app, const Vault *vault, bool is_asked) {
    uint64_t now_ms = clock_now_ms(&app->clock);
    Err err;
    Reason said = {};
    ServeTls now = tls_look(vault, now_ms, &err, &said);
    if (err.code != OK && err.code != tls->renewal) tls_failed(err, &said);
    tls->renewal = err.code;
    bool is_new = !tls_is_same(&now.cert, &tls->cert) || !tls_is_same(&now.key, &tls->key);
    if (!is_asked && !is_new && now.period == tls->period) return;
    *tls = now; // what is no good is told once
    uint8_t key[TLS_TICKET_KEY_LEN];
    reason_clear(&said);
    serve_tls_ticket_key(&app->key, now_ms, key);
    err = gateway_renew(app->gateway, key, &said);
    sodium_memzero(key, sizeof(key));
    if (err.code != OK)
        tls_failed(err, &said);
    else if (is_new || is_asked)
        log_event(LOG_INFO, "certificate.reloaded", F("data", vault->dir));
}
