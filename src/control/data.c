// SPDX-License-Identifier: Apache-2.0
#include "control/data.h"

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
    DIR_MODE = 0700,
    SEED_LEN = 32,
    CA_DAYS = 20 * 365,
    SERVER_DAYS = 5 * 365,
};

Str data_path(Arena *arena, const char *dir, const char *name) {
    return str_print(arena, "%s/%s", dir, name);
}

static bool is_there(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

static Err save(const char *dir, const char *name, Str data, mode_t mode, Arena *arena) {
    Str path = data_path(arena, dir, name);
    TRY(arena_check(arena));
    return file_save(path.ptr, data, mode);
}

static Err load(const char *dir, const char *name, Arena *arena, Str *ret_data) {
    Str path = data_path(arena, dir, name);
    TRY(arena_check(arena));
    return file_load(path.ptr, CERTIFICATE_PEM_MAX, arena, ret_data);
}

static Err authority_make(const char *dir, uint64_t now_ms, Arena *arena, Certificate *ret_ca) {
    TRY(certificate_make_ca(S("Muster CA"), now_ms, CA_DAYS, arena, ret_ca));
    // The certificate comes last: where it is, its key is.
    TRY(save(dir, "ca.key", ret_ca->key_pem, KEY_MODE, arena));
    return save(dir, "ca.pem", ret_ca->cert_pem, PUBLIC_MODE, arena);
}

static Err authority_load(const char *dir, Arena *arena, Certificate *ret_ca) {
    TRY(load(dir, "ca.key", arena, &ret_ca->key_pem));
    return load(dir, "ca.pem", arena, &ret_ca->cert_pem);
}

static Err
server_make(const char *dir, const Certificate *ca, StrList hosts, uint64_t now_ms, Arena *arena) {
    Certificate server;
    TRY(certificate_make_server(ca, hosts, now_ms, SERVER_DAYS, arena, &server));
    TRY(save(dir, "server.key", server.key_pem, KEY_MODE, arena));
    return save(dir, "server.pem", server.cert_pem, PUBLIC_MODE, arena);
}

static Err token_key_make(const char *dir, Arena *arena) {
    uint8_t seed[SEED_LEN];
    randombytes_buf(seed, sizeof(seed));
    Err err = save(dir, "token.key", (Str){(const char *)seed, sizeof(seed)}, KEY_MODE, arena);
    sodium_memzero(seed, sizeof(seed));
    return err;
}

static Err config_make(const char *dir, Arena *arena) {
    Text text;
    text_init(&text, FIELD_JSON_MAX);
    config_sample(&Config_schema, &text);
    Err err = text_check(&text);
    if (err.code == OK) err = save(dir, "musterd.conf", text_str(&text), PUBLIC_MODE, arena);
    text_done(&text);
    return err;
}

Err data_make(const char *dir, StrList hosts, uint64_t now_ms, Arena *arena) {
    TRY(folder_make(dir, DIR_MODE));
    Certificate ca;
    Err err = authority_load(dir, arena, &ca);
    if (err.code == ERR_NOT_FOUND) err = authority_make(dir, now_ms, arena, &ca);
    TRY(err);
    if (!is_there(data_path(arena, dir, "server.pem").ptr))
        TRY(server_make(dir, &ca, hosts, now_ms, arena));
    if (!is_there(data_path(arena, dir, "token.key").ptr)) TRY(token_key_make(dir, arena));
    if (!is_there(data_path(arena, dir, "musterd.conf").ptr)) TRY(config_make(dir, arena));
    return arena_check(arena);
}

Err data_config(
    const char *dir, const char *path, Arena *arena, Faults *faults, Config *ret_config) {
    Str standard = data_path(arena, dir, "musterd.conf");
    TRY(arena_check(arena));
    Config config = {};
    Err err = config_load(path ? path : standard.ptr, &Config_schema, arena, faults, &config);
    if (err.code == ERR_NOT_FOUND && !path)
        err = schema_decode_pairs(&Config_schema, NULL, 0, arena, faults, &config);
    TRY(err);
    *ret_config = config;
    return SUCCESS;
}

Err data_token_key(const char *dir, Arena *arena, JwsKey *ret_key) {
    Str seed;
    TRY(load(dir, "token.key", arena, &seed));
    if (seed.len != SEED_LEN) return FAIL(ERR_INVALID, "token.key is not 32 bytes");
    jws_key_from_seed((const uint8_t *)seed.ptr, ret_key);
    return SUCCESS;
}

Err data_ca_fingerprint(const char *dir, Arena *arena, Str *ret_hex) {
    Str pem;
    char hex[CERTIFICATE_FINGERPRINT_LEN + 1];
    TRY(load(dir, "ca.pem", arena, &pem));
    TRY(certificate_fingerprint(pem, hex));
    Str copy = str_dup(arena, str_from(hex));
    TRY(arena_check(arena));
    *ret_hex = copy;
    return SUCCESS;
}

Err data_db_open(const char *dir, uint32_t readers, Arena *arena, Db **ret_db) {
    Str path = data_path(arena, dir, "muster.db");
    TRY(arena_check(arena));
    const Schema *schemas[SLICE_SCHEMAS_MAX];
    size_t schema_count = slices_stored(schemas);
    return db_open_sqlite(&(DbOptions){.path = path.ptr,
                                       .migrations = store_migrations,
                                       .migration_count = store_migration_count,
                                       .schemas = schemas,
                                       .schema_count = schema_count,
                                       .readers = readers},
                          ret_db);
}
