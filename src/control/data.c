// SPDX-License-Identifier: Apache-2.0
#include "control/data.h"

#include "base/log.h"
#include "control/slice.h"
#include "control/store/store.h"
#include "io/certificate.h"
#include "io/config.h"
#include "io/file.h"

#include <sodium.h>
#include <sys/stat.h>

enum {
    KEY_MODE = 0600,
    PUBLIC_MODE = 0644,
    SEED_LEN = 32,
    CA_DAYS = 20 * 365,
    SERVER_DAYS = 5 * 365,
    RESERVE_BYTES = 16 << 20, // on a full disk
    CHECK_EVERY_S = 86'400,
};

Str data_path(Arena *arena, const char *dir, const char *name) {
    return str_print(arena, "%s/%s", dir, name);
}

static bool data_is_there(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

static Err
data_save(const char *dir, const char *name, Str data, mode_t mode, Arena *arena, Reason *reason) {
    Str path = data_path(arena, dir, name);
    TRY(arena_check(arena));
    return file_save(path.ptr, data, mode, reason);
}

static Err
data_load(const char *dir, const char *name, Arena *arena, Str *ret_data, Reason *reason) {
    Str path = data_path(arena, dir, name);
    TRY(arena_check(arena));
    return file_load(path.ptr, CERTIFICATE_PEM_MAX, arena, ret_data, reason);
}

static Err data_make_authority(
    const Vault *vault, uint64_t now_ms, Arena *arena, Certificate *ret_ca, Reason *reason) {
    TRY(certificate_make_ca(S("Muster CA"), now_ms, CA_DAYS, arena, ret_ca));
    // The certificate comes last: where it is, its key is.
    TRY(vault_save(vault, "ca.key", ret_ca->key_pem, arena, reason));
    return data_save(vault->dir, "ca.pem", ret_ca->cert_pem, PUBLIC_MODE, arena, reason);
}

static Err
data_load_authority(const Vault *vault, Arena *arena, Certificate *ret_ca, Reason *reason) {
    const char *dir = vault->dir;
    char hex[CERTIFICATE_FINGERPRINT_LEN + 1];
    TRY(vault_load(vault, "ca.key", arena, &ret_ca->key_pem, reason));
    TRY(data_load(dir, "ca.pem", arena, &ret_ca->cert_pem, reason));
    TRY(reason_about(
        reason, certificate_fingerprint(ret_ca->cert_pem, hex, reason), "%s/ca.pem", dir));
    return reason_about(reason, certificate_ca_check(ret_ca, reason), "%s/ca.key", dir);
}

static Err data_make_server(const char *dir,
                            const Certificate *ca,
                            StrList hosts,
                            uint64_t now_ms,
                            Arena *arena,
                            Reason *reason) {
    Certificate server;
    TRY(certificate_make_server(ca, hosts, now_ms, SERVER_DAYS, arena, &server, reason));
    TRY(data_save(dir, "server.key", server.key_pem, KEY_MODE, arena, reason));
    return data_save(dir, "server.pem", server.cert_pem, PUBLIC_MODE, arena, reason);
}

static Err data_make_token_key(const Vault *vault, Arena *arena, Reason *reason) {
    uint8_t seed[SEED_LEN];
    randombytes_buf(seed, sizeof(seed));
    Str plain = {(const char *)seed, sizeof(seed)};
    Err err = vault_save(vault, "token.key", plain, arena, reason);
    sodium_memzero(seed, sizeof(seed));
    return err;
}

Err data_make_private(const char *dir, Arena *arena, Reason *reason) {
    static const char *const names[] = {".",
                                        "ca.key",
                                        "lock",
                                        "master.key",
                                        "muster.db",
                                        "muster.db-reserve",
                                        "muster.db-shm",
                                        "muster.db-wal",
                                        "server.key",
                                        "token.key"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        bool is_mended = false;
        Str path = data_path(arena, dir, names[i]);
        TRY(arena_check(arena));
        TRY(file_make_private(path.ptr, &is_mended, reason));
        if (is_mended) log_event(LOG_WARN, "data.made_private", F("path", path));
    }
    return SUCCESS;
}

static Err data_make_installation(const char *dir, uint64_t now_ms, Arena *arena, Reason *reason) {
    Id id = id_new(S("installation"), now_ms);
    Str text = str_print(arena, "%s\n", id.text);
    return data_save(dir, "installation", text, PUBLIC_MODE, arena, reason);
}

Err data_installation(const char *dir, Arena *arena, Id *ret_id, Reason *reason) {
    Str text;
    TRY(data_load(dir, "installation", arena, &text, reason));
    Err err = id_parse(str_trim(text), S("installation"), ret_id);
    return err.code == OK ? SUCCESS : reason_fail(reason, err, "%s/installation", dir);
}

Err data_pem(const char *dir, const char *name, Arena *arena, Str *ret_pem, Reason *reason) {
    return data_load(dir, name, arena, ret_pem, reason);
}

static Err data_make_config(const char *dir, Arena *arena, Reason *reason) {
    Text text;
    text_init(&text, FIELD_JSON_MAX);
    config_sample(&Config_schema, &text);
    Err err = text_check(&text);
    if (err.code == OK)
        err = data_save(dir, "musterd.conf", text_str(&text), PUBLIC_MODE, arena, reason);
    text_done(&text);
    return err;
}

Err data_make(const Vault *vault, StrList hosts, uint64_t now_ms, Arena *arena, Reason *reason) {
    const char *dir = vault->dir;
    Certificate ca;
    Err err = data_load_authority(vault, arena, &ca, reason);
    if (err.code == ERR_NOT_FOUND) {
        reason_clear(reason);
        err = data_make_authority(vault, now_ms, arena, &ca, reason);
    }
    TRY(err);
    if (!data_is_there(data_path(arena, dir, "server.pem").ptr))
        TRY(data_make_server(dir, &ca, hosts, now_ms, arena, reason));
    if (!data_is_there(data_path(arena, dir, "installation").ptr))
        TRY(data_make_installation(dir, now_ms, arena, reason));
    if (!data_is_there(data_path(arena, dir, "token.key").ptr))
        TRY(data_make_token_key(vault, arena, reason));
    if (!data_is_there(data_path(arena, dir, "musterd.conf").ptr))
        TRY(data_make_config(dir, arena, reason));
    return arena_check(arena);
}

Err data_config(const char *dir,
                const char *path,
                Arena *arena,
                Faults *faults,
                Config *ret_config,
                Reason *reason) {
    Str standard = data_path(arena, dir, "musterd.conf");
    TRY(arena_check(arena));
    Config config = {};
    Err err =
        config_load(path ? path : standard.ptr, &Config_schema, arena, faults, &config, reason);
    if (err.code == ERR_NOT_FOUND && !path) reason_clear(reason);
    if (err.code == ERR_NOT_FOUND && !path)
        err = schema_decode_pairs(&Config_schema, NULL, 0, arena, faults, &config);
    TRY(err);
    *ret_config = config;
    return SUCCESS;
}

Err data_token_key(const Vault *vault, Arena *arena, JwsKey *ret_key, Reason *reason) {
    Str seed;
    TRY(vault_load(vault, "token.key", arena, &seed, reason));
    if (seed.len != SEED_LEN)
        return reason_fail(
            reason, FAIL(ERR_INVALID, "the key is not 32 bytes"), "%s/token.key", vault->dir);
    jws_key_from_seed((const uint8_t *)seed.ptr, ret_key);
    return SUCCESS;
}

Err data_ca_fingerprint(const char *dir, Arena *arena, Str *ret_hex, Reason *reason) {
    Str pem;
    char hex[CERTIFICATE_FINGERPRINT_LEN + 1];
    TRY(data_load(dir, "ca.pem", arena, &pem, reason));
    TRY(reason_about(reason, certificate_fingerprint(pem, hex, reason), "%s/ca.pem", dir));
    Str copy = str_dup(arena, str_from(hex));
    TRY(arena_check(arena));
    *ret_hex = copy;
    return SUCCESS;
}

Err data_db_open(
    const char *dir, const DataDbOptions *use, Arena *arena, Db **ret_db, Reason *reason) {
    Str path = data_path(arena, dir, "muster.db");
    TRY(arena_check(arena));
    const Schema *schemas[SLICE_SCHEMAS_MAX];
    size_t schema_count = slices_stored(schemas);
    return db_open_sqlite(&(DbOptions){.path = path.ptr,
                                       .migrations = store_migrations,
                                       .migration_count = store_migration_count,
                                       .schemas = schemas,
                                       .schema_count = schema_count,
                                       .readers = use->readers,
                                       .reserve_bytes = use->is_served ? RESERVE_BYTES : 0,
                                       .check_every_s = use->is_served ? CHECK_EVERY_S : 0},
                          ret_db,
                          reason);
}
