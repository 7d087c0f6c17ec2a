// SPDX-License-Identifier: Apache-2.0
#include "control/serve_tls.h"

#include "base/scope.h"
#include "control/data.h"
#include "folder.h"
#include "io/certificate.h"
#include "io/file.h"
#include "test.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t made_ms = 1'700'000'000'000;
static const uint64_t day_ms = 86'400'000;
enum { LIFE_DAYS = 5 * 365 };

typedef struct Fixture {
    char folder[64];
    Arena arena;
    Vault vault;
} Fixture;

static int setup(void **test_state) {
    Fixture *f = calloc(1, sizeof(*f));
    *test_state = f;
    arena_init(&f->arena, 16 * 1024 * 1024);
    snprintf(f->folder, sizeof(f->folder), "/tmp/muster-tls-XXXXXX");
    if (sodium_init() < 0 || !mkdtemp(f->folder)) return -1;
    Str hosts[] = {S("muster.example.org"), S("192.0.2.7")};
    VaultOptions options = {.key_fd = -1, .make = true};
    CHECK_OK(vault_open(f->folder, &options, &f->arena, &f->vault, NULL));
    CHECK_OK(data_make(&f->vault, (StrList){hosts, 2}, made_ms, &f->arena, NULL));
    return 0;
}

static int teardown(void **test_state) {
    Fixture *f = *test_state;
    vault_close(&f->vault);
    arena_done(&f->arena);
    int rc = folder_remove(f->folder);
    free(f);
    return rc;
}

static Str shown(Fixture *f) {
    Str pem;
    CHECK_OK(data_pem(f->folder, "server.pem", &f->arena, &pem, NULL));
    return pem;
}

static uint64_t until_ms(Str pem) {
    uint64_t from, until;
    CHECK_OK(certificate_days(pem, &from, &until, NULL));
    CHECK(from < made_ms); // of the first one, also when it was renewed
    return until;
}

TEST(a_certificate_of_our_own_is_renewed_when_a_tenth_of_its_life_is_left) {
    Fixture *f = *test_state;
    Str first = shown(f);
    CHECK_OK(serve_tls_renew(&f->vault, made_ms + LIFE_DAYS * 8 / 10 * day_ms, &f->arena, NULL));
    CHECK_STR(shown(f), first);
    uint64_t late_ms = made_ms + LIFE_DAYS * 95ULL / 100 * day_ms;
    CHECK_OK(serve_tls_renew(&f->vault, late_ms, &f->arena, NULL));
    Str second = shown(f), ca, host;
    CHECK(!str_eq(second, first) && until_ms(second) > until_ms(first) + 4 * 365 * day_ms);
    CHECK_OK(data_pem(f->folder, "ca.pem", &f->arena, &ca, NULL));
    CHECK(certificate_is_by(second, ca));
    CHECK_OK(certificate_host(second, &f->arena, &host, NULL));
    CHECK_STR(host, S("muster.example.org"));
    CHECK_OK(serve_tls_renew(&f->vault, late_ms, &f->arena, NULL)); // and not again
    CHECK_STR(shown(f), second);
}

TEST(one_of_another_authority_is_left_to_who_gave_it) {
    Fixture *f = *test_state;
    Certificate ca, server;
    Str host = S("muster.example.org");
    CHECK_OK(certificate_make_ca(S("Another"), made_ms, 10, &f->arena, &ca));
    CHECK_OK(
        certificate_make_server(&ca, (StrList){&host, 1}, made_ms, 10, &f->arena, &server, NULL));
    Str path = data_path(&f->arena, f->folder, "server.pem");
    CHECK_OK(file_save(path.ptr, server.cert_pem, 0644, NULL));
    CHECK_OK(serve_tls_renew(&f->vault, made_ms + 11 * day_ms, &f->arena, NULL));
    CHECK_STR(shown(f), server.cert_pem);
}

TEST(without_the_authoritys_key_it_is_told_and_nothing_changes) {
    Fixture *f = *test_state;
    Str first = shown(f);
    CHECK(remove(data_path(&f->arena, f->folder, "ca.key").ptr) == 0);
    Reason reason = {};
    uint64_t late_ms = made_ms + LIFE_DAYS * day_ms;
    CHECK_ERR(serve_tls_renew(&f->vault, late_ms, &f->arena, &reason), ERR_NOT_FOUND);
    CHECK(strstr(reason.text, "ca.key"));
    CHECK_STR(shown(f), first);
}

TEST(a_ticket_key_is_the_installations_for_a_month) {
    JwsKey key, other;
    uint8_t first[TLS_TICKET_KEY_LEN], same[TLS_TICKET_KEY_LEN], later[TLS_TICKET_KEY_LEN];
    jws_key_from_seed((const uint8_t[32]){1}, &key);
    jws_key_from_seed((const uint8_t[32]){2}, &other);
    serve_tls_ticket_key(&key, 60 * day_ms, first);
    serve_tls_ticket_key(&key, 90 * day_ms - 1, same);
    CHECK(memcmp(first, same, sizeof(first)) == 0);
    serve_tls_ticket_key(&key, 90 * day_ms, later);
    CHECK(memcmp(first, later, sizeof(first)) != 0);
    serve_tls_ticket_key(&other, 60 * day_ms, later);
    CHECK(memcmp(first, later, sizeof(first)) != 0);
}

#define CASE_HERE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
TEST_MAIN(CASE_HERE(a_certificate_of_our_own_is_renewed_when_a_tenth_of_its_life_is_left),
          CASE_HERE(one_of_another_authority_is_left_to_who_gave_it),
          CASE_HERE(without_the_authoritys_key_it_is_told_and_nothing_changes),
          CASE(a_ticket_key_is_the_installations_for_a_month))
