// SPDX-License-Identifier: Apache-2.0
#include "control/data.h"

#include "base/scope.h"
#include "db/db.h"
#include "folder.h"
#include "io/certificate.h"
#include "io/file.h"
#include "test.h"

#include <stdlib.h>

enum { NOW_MS = 1'700'000'000 };

typedef struct Fixture {
    char folder[64], data[96];
    Arena arena;
    Reason said;
} Fixture;

static int setup(void **test_state) {
    Fixture *f = calloc(1, sizeof(*f));
    *test_state = f;
    arena_init(&f->arena, 16 * 1024 * 1024);
    snprintf(f->folder, sizeof(f->folder), "/tmp/muster-data-XXXXXX");
    if (!mkdtemp(f->folder)) return -1;
    snprintf(f->data, sizeof(f->data), "%s/data", f->folder);
    return 0;
}

static int teardown(void **test_state) {
    Fixture *f = *test_state;
    arena_done(&f->arena);
    int rc = folder_remove(f->folder);
    free(f);
    return rc;
}

static Err opened(Fixture *f, bool make, Vault *ret_vault) {
    VaultOptions options = {.key_fd = -1, .make = make};
    return vault_open(f->data, &options, &f->arena, ret_vault, &f->said);
}

static Err make(Fixture *f, const char *host) {
    Str name = str_from(host);
    SCOPED(vault_close) Vault vault = {.lock = -1};
    TRY(opened(f, true, &vault));
    return data_make(&vault, (StrList){&name, 1}, NOW_MS, &f->arena, &f->said);
}

static Err token_key(Fixture *f, JwsKey *ret_key) {
    SCOPED(vault_close) Vault vault = {.lock = -1};
    TRY(opened(f, false, &vault));
    return data_token_key(&vault, &f->arena, ret_key, &f->said);
}

static Str content(Fixture *f, const char *name) {
    Str data;
    CHECK_OK(file_load(data_path(&f->arena, f->data, name).ptr, 1 << 20, &f->arena, &data, NULL));
    return data;
}

static void write_file(Fixture *f, const char *name, const char *text) {
    CHECK_OK(file_save(data_path(&f->arena, f->data, name).ptr, str_from(text), 0600, NULL));
}

TEST(whatever_is_missing_is_made_and_nothing_is_made_twice) {
    static const char *const names[] = {"ca.key",
                                        "ca.pem",
                                        "server.key",
                                        "server.pem",
                                        "installation",
                                        "token.key",
                                        "musterd.conf"};
    enum { NAMES = sizeof(names) / sizeof(names[0]) };
    Fixture *f = *test_state;
    Str first[NAMES];
    CHECK_OK(make(f, "muster.example.org"));
    for (size_t i = 0; i < NAMES; i++) {
        struct stat info;
        first[i] = content(f, names[i]);
        CHECK(stat(data_path(&f->arena, f->data, names[i]).ptr, &info) == 0);
        bool is_secret = strstr(names[i], ".key");
        CHECK((info.st_mode & 0777) == (is_secret ? 0600 : 0644));
    }
    CHECK_OK(make(f, "another.example.org"));
    for (size_t i = 0; i < NAMES; i++)
        CHECK_STR(content(f, names[i]), first[i]);
    CHECK_OK(file_remove(data_path(&f->arena, f->data, "server.pem").ptr, NULL));
    CHECK_OK(make(f, "another.example.org"));
    Str host;
    CHECK_OK(certificate_host(content(f, "server.pem"), &f->arena, &host, NULL));
    CHECK_STR(host, S("another.example.org"));
    CHECK_STR(content(f, "ca.pem"), first[1]);
}

TEST(what_it_is_made_from_must_be_good) {
    Fixture *f = *test_state;
    CHECK_ERR(make(f, "not a host"), ERR_INVALID);
    CHECK_SAID(f->said, "not a host");
    write_file(f, "ca.pem", "no certificate");
    CHECK_ERR(make(f, "a.example.org"), ERR_INVALID);
    snprintf(f->data, sizeof(f->data), "%s/no/such", f->folder);
    CHECK_ERR(make(f, "a.example.org"), ERR_SYSTEM);
    CHECK_SAID(f->said, "/no/such");
}

TEST(an_installation_keeps_its_id) {
    Fixture *f = *test_state;
    Id first, again;
    CHECK_OK(make(f, "a"));
    CHECK_OK(data_installation(f->data, &f->arena, &first, &f->said));
    CHECK_OK(data_installation(f->data, &f->arena, &again, &f->said));
    CHECK(id_eq(&first, &again));
    write_file(f, "installation", "device_01jdfq3t5hefbv1nq5a3x4k2zr\n");
    CHECK_ERR(data_installation(f->data, &f->arena, &again, &f->said), ERR_INVALID);
    CHECK_SAID(f->said, "/data/installation");
    CHECK_OK(file_remove(data_path(&f->arena, f->data, "installation").ptr, NULL));
    CHECK_ERR(data_installation(f->data, &f->arena, &again, &f->said), ERR_NOT_FOUND);
}

TEST(a_damaged_file_is_named) {
    Fixture *f = *test_state;
    JwsKey key;
    Str text;
    CHECK_OK(make(f, "a"));
    CHECK_OK(token_key(f, &key));
    CHECK_OK(data_ca_fingerprint(f->data, &f->arena, &text, &f->said));
    CHECK(text.len == CERTIFICATE_FINGERPRINT_LEN);
    CHECK_OK(data_pem(f->data, "ca.pem", &f->arena, &text, &f->said));
    write_file(f, "token.key", "short");
    write_file(f, "ca.pem", "no certificate");
    Err err = token_key(f, &key);
    CHECK_ERR(err, ERR_INVALID);
    CHECK_STR(str_from(err.what), S("the key is not 32 bytes"));
    CHECK_SAID(f->said, "/data/token.key");
    CHECK_ERR(data_ca_fingerprint(f->data, &f->arena, &text, &f->said), ERR_INVALID);
    CHECK_SAID(f->said, "/data/ca.pem");
}

TEST(a_folder_that_was_never_set_up_has_nothing) {
    Fixture *f = *test_state;
    JwsKey key;
    Str text;
    Db *db;
    CHECK_ERR(token_key(f, &key), ERR_NOT_FOUND);
    CHECK_ERR(data_pem(f->data, "server.pem", &f->arena, &text, &f->said), ERR_NOT_FOUND);
    CHECK_SAID(f->said, "/data/server.pem");
    CHECK_ERR(data_ca_fingerprint(f->data, &f->arena, &text, &f->said), ERR_NOT_FOUND);
    CHECK(data_db_open(f->data, &(DataDbOptions){.readers = 1}, &f->arena, &db, &f->said).code
          != OK);
    CHECK_SAID(f->said, "/data/muster.db");
}

static Err config_of(Fixture *f, const char *path, Config *ret_config) {
    Faults faults;
    faults_init(&faults, &f->arena);
    reason_clear(&f->said);
    return data_config(f->data, path, &f->arena, &faults, ret_config, &f->said);
}

TEST(settings_come_from_the_named_file_or_the_folder_or_are_the_defaults) {
    Fixture *f = *test_state;
    Config config;
    CHECK_OK(config_of(f, NULL, &config));
    CHECK(config.port == 7443 && f->said.text[0] == '\0');
    CHECK_OK(make(f, "a"));
    CHECK_OK(config_of(f, NULL, &config)); // the sample
    CHECK(config.port == 7443 && config.heartbeat.ms == 30'000);
    write_file(f, "musterd.conf", "port = 8443\n");
    CHECK_OK(config_of(f, NULL, &config));
    CHECK(config.port == 8443 && config.per_address_max == 1024);
    write_file(f, "other.conf", "port = 9443\n");
    CHECK_OK(config_of(f, data_path(&f->arena, f->data, "other.conf").ptr, &config));
    CHECK(config.port == 9443);
    CHECK_ERR(config_of(f, "/nonexistent.conf", &config), ERR_NOT_FOUND);
    write_file(f, "musterd.conf", "port = 0\n");
    CHECK_ERR(config_of(f, NULL, &config), ERR_INVALID);
    CHECK(config.port == 9443); // untouched
}

TEST(the_store_opens_again_with_its_tables) {
    Fixture *f = *test_state;
    Db *db = NULL;
    CHECK_OK(make(f, "a"));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(data_db_open(f->data, &(DataDbOptions){.readers = 1}, &f->arena, &db, &f->said));
        CHECK_OK(db_check(db));
        db = db_close(db);
    }
}

#define CASE_HERE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
TEST_MAIN(CASE_HERE(whatever_is_missing_is_made_and_nothing_is_made_twice),
          CASE_HERE(what_it_is_made_from_must_be_good),
          CASE_HERE(an_installation_keeps_its_id),
          CASE_HERE(a_damaged_file_is_named),
          CASE_HERE(a_folder_that_was_never_set_up_has_nothing),
          CASE_HERE(settings_come_from_the_named_file_or_the_folder_or_are_the_defaults),
          CASE_HERE(the_store_opens_again_with_its_tables))
