// SPDX-License-Identifier: Apache-2.0
#include "io/certificate.h"

#include "base/scope.h"
#include "test.h"

#include <gnutls/x509.h>
#include <time.h>

/// Made with openssl, which also told the fingerprint.
static const char *const foreign_pem =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdjCCARugAwIBAgIUZA5VrCFjTfHG6wp4CCh7Wl/r9WcwCgYIKoZIzj0EAwIw\n"
    "EDEOMAwGA1UEAwwFZml4ZWQwHhcNMjYxMTI0MTIzOTI2WhcNMzYxMTIxMTIzOTI2\n"
    "WjAQMQ4wDAYDVQQDDAVmaXhlZDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABH/F\n"
    "zPDv6q6evcFdtNxdpOAlgjJ3DCHnYYN/8FS/IisUn1M1SCOTTExjNE8Hsv2IvqmC\n"
    "qB5qkyHK3tNX8Qa+58ujUzBRMB0GA1UdDgQWBBS9mg+XXs9shPDDQBnwnXjM4uIa\n"
    "zDAfBgNVHSMEGDAWgBS9mg+XXs9shPDDQBnwnXjM4uIazDAPBgNVHRMBAf8EBTAD\n"
    "AQH/MAoGCCqGSM49BAMCA0kAMEYCIQC0xTjJZPAUM9mNJNUYP3435vkf5IO1+vFv\n"
    "yPojQGZ7KQIhAPk3j9VjPxNWPcNLAea5ZmSDrB9Due8IE3SW501EL/Xi\n"
    "-----END CERTIFICATE-----\n";
#define FOREIGN_FINGERPRINT "5e1e9a8e95bca5f8eeb8f55b6dfba93a24c35ca61c82a51fa00e9fe026d6a43d"

#define NOW_MS ((uint64_t)time(NULL) * 1000)

static StrList hosts_of(Str *items, size_t count) {
    return (StrList){items, count};
}

/// What GnuTLS thinks of the chain for a server called `host`, by the authorities in `ca_pem`.
static unsigned chain_status(Str chain_pem, Str ca_pem, const char *host) {
    gnutls_x509_crt_t *chain = NULL, *cas = NULL;
    unsigned chain_len = 0, ca_count = 0, status = ~0U;
    gnutls_datum_t chain_datum = {(unsigned char *)(uintptr_t)chain_pem.ptr,
                                  (unsigned)chain_pem.len};
    gnutls_datum_t ca_datum = {(unsigned char *)(uintptr_t)ca_pem.ptr, (unsigned)ca_pem.len};
    gnutls_x509_trust_list_t trust = NULL;
    CHECK(gnutls_x509_trust_list_init(&trust, 0) == 0);
    CHECK(gnutls_x509_crt_list_import2(&chain, &chain_len, &chain_datum, GNUTLS_X509_FMT_PEM, 0)
          >= 0);
    CHECK(chain_len == 2);
    CHECK(gnutls_x509_crt_list_import2(&cas, &ca_count, &ca_datum, GNUTLS_X509_FMT_PEM, 0) >= 0);
    CHECK(gnutls_x509_trust_list_add_cas(trust, cas, ca_count, 0) == 1);
    gnutls_typed_vdata_st wanted[] = {
        {.type = GNUTLS_DT_DNS_HOSTNAME,    .data = (unsigned char *)(uintptr_t)host},
        {.type = GNUTLS_DT_KEY_PURPOSE_OID,
         .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_SERVER               },
    };
    CHECK(gnutls_x509_trust_list_verify_crt2(trust, chain, chain_len, wanted, 2, 0, &status, NULL)
          == 0);
    for (unsigned i = 0; i < chain_len; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    gnutls_free(cas);
    gnutls_x509_trust_list_deinit(trust, 1);
    return status;
}

TEST(the_first_host_of_a_certificate_is_told) {
    static const char *const hosts[] = {"muster.example.org", "192.0.2.7", "2001:db8::1"};
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 16);
    Certificate ca, server;
    Str host;
    CHECK_OK(certificate_make_ca(S("CA"), NOW_MS, 1, &arena, &ca));
    for (size_t i = 0; i < 3; i++) {
        Str items[] = {str_from(hosts[i]), S("localhost")};
        CHECK_OK(
            certificate_make_server(&ca, hosts_of(items, 2), NOW_MS, 1, &arena, &server, NULL));
        CHECK_OK(certificate_host(server.cert_pem, &arena, &host, NULL));
        CHECK_STR(host, str_from(hosts[i]));
    }
    CHECK_ERR(certificate_host(ca.cert_pem, &arena, &host, NULL), ERR_NOT_FOUND);
    CHECK_ERR(certificate_host(S("no PEM"), &arena, &host, NULL), ERR_INVALID);
}

TEST(a_server_is_verified_by_its_authority_for_each_of_its_hosts) {
    Arena arena;
    arena_init(&arena, 1 << 16);
    Certificate ca, server;
    CHECK_OK(certificate_make_ca(S("north"), NOW_MS, 3650, &arena, &ca));
    Str hosts[] = {S("muster.example"), S("*.lan.example"), S("192.0.2.7"), S("2001:db8::1")};
    CHECK_OK(certificate_make_server(&ca, hosts_of(hosts, 4), NOW_MS, 365, &arena, &server, NULL));
    CHECK(chain_status(server.cert_pem, ca.cert_pem, "muster.example") == 0);
    CHECK(chain_status(server.cert_pem, ca.cert_pem, "a.lan.example") == 0);
    CHECK(chain_status(server.cert_pem, ca.cert_pem, "192.0.2.7") == 0);
    CHECK(chain_status(server.cert_pem, ca.cert_pem, "2001:db8::1") == 0);
    CHECK(chain_status(server.cert_pem, ca.cert_pem, "other.example")
          & GNUTLS_CERT_UNEXPECTED_OWNER);
    CHECK(chain_status(server.cert_pem, ca.cert_pem, "192.0.2.8") & GNUTLS_CERT_UNEXPECTED_OWNER);
    CHECK(chain_status(server.cert_pem, str_from(foreign_pem), "muster.example")
          & GNUTLS_CERT_SIGNER_NOT_FOUND);
    CHECK(server.key_pem.ptr[server.key_pem.len] == '\0');
    CHECK(server.cert_pem.ptr[server.cert_pem.len] == '\0');
    arena_done(&arena);
}

TEST(a_certificate_is_good_for_its_days_only) {
    Arena arena;
    arena_init(&arena, 1 << 16);
    Certificate ca, server;
    Str host = S("a");
    const uint64_t day_ms = 86'400'000;
    CHECK_OK(certificate_make_ca(S("north"), NOW_MS - 9 * day_ms, 3650, &arena, &ca));
    CHECK_OK(certificate_make_server(
        &ca, hosts_of(&host, 1), NOW_MS - 3 * day_ms, 2, &arena, &server, NULL));
    CHECK(chain_status(server.cert_pem, ca.cert_pem, "a") & GNUTLS_CERT_EXPIRED);
    CHECK_OK(certificate_make_server(
        &ca, hosts_of(&host, 1), NOW_MS + 3 * day_ms, 2, &arena, &server, NULL));
    CHECK(chain_status(server.cert_pem, ca.cert_pem, "a") & GNUTLS_CERT_NOT_ACTIVATED);
    // a clock that is half an hour behind is still fine
    CHECK_OK(certificate_make_server(
        &ca, hosts_of(&host, 1), NOW_MS + 1'800'000, 2, &arena, &server, NULL));
    CHECK(chain_status(server.cert_pem, ca.cert_pem, "a") == 0);
    arena_done(&arena);
}

TEST(a_server_cannot_sign_for_others) {
    Arena arena;
    arena_init(&arena, 1 << 16);
    Certificate ca, server, forged;
    Str host = S("a");
    CHECK_OK(certificate_make_ca(S("north"), NOW_MS, 10, &arena, &ca));
    CHECK_OK(certificate_make_server(&ca, hosts_of(&host, 1), NOW_MS, 10, &arena, &server, NULL));
    Certificate leaf = {.cert_pem = server.cert_pem, .key_pem = server.key_pem};
    leaf.cert_pem.len = server.cert_pem.len - ca.cert_pem.len;
    CHECK_OK(certificate_make_server(&leaf, hosts_of(&host, 1), NOW_MS, 10, &arena, &forged, NULL));
    CHECK(chain_status(forged.cert_pem, ca.cert_pem, "a") & GNUTLS_CERT_INVALID);
    arena_done(&arena);
}

TEST(what_cannot_be_certified_is_refused) {
    Arena arena;
    arena_init(&arena, 1 << 16);
    Certificate ca, server = {};
    CHECK_OK(certificate_make_ca(S("north"), NOW_MS, 10, &arena, &ca));
    CHECK_ERR(certificate_make_server(&ca, (StrList){}, NOW_MS, 10, &arena, &server, NULL),
              ERR_INVALID);
    const Str bad[] = {S(""), S("a b"), S("https://a"), S("a\0b"), S("[::1]"), S("a/24")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        Str hosts[] = {S("a"), bad[i]};
        Reason reason = {};
        CHECK_ERR(
            certificate_make_server(&ca, hosts_of(hosts, 2), NOW_MS, 10, &arena, &server, &reason),
            ERR_INVALID);
        CHECK(strlen(reason.text) == bad[i].len || bad[i].ptr[1] == '\0');
    }
    Str host = S("a");
    Certificate mixed = {.cert_pem = ca.cert_pem, .key_pem = S("no key")};
    CHECK_ERR(
        certificate_make_server(&mixed, hosts_of(&host, 1), NOW_MS, 10, &arena, &server, NULL),
        ERR_INVALID);
    CHECK_ERR(certificate_make_server(
                  &(Certificate){}, hosts_of(&host, 1), NOW_MS, 10, &arena, &server, NULL),
              ERR_INVALID);
    CHECK_ERR(certificate_make_ca(S(""), NOW_MS, 10, &arena, &ca), ERR_INVALID);
    Arena small;
    arena_init(&small, 300);
    CHECK_ERR(certificate_make_ca(S("north"), NOW_MS, 10, &small, &ca), ERR_LIMIT);
    arena_done(&small);
    CHECK(!server.cert_pem.ptr);
    arena_done(&arena);
}

TEST(a_fingerprint_is_the_one_that_other_tools_show) {
    char hex[CERTIFICATE_FINGERPRINT_LEN + 1];
    CHECK_OK(certificate_fingerprint(str_from(foreign_pem), hex, NULL));
    CHECK_STR(str_from(hex), S(FOREIGN_FINGERPRINT));
}

TEST(a_chain_has_the_fingerprint_of_its_first_certificate) {
    Arena arena;
    arena_init(&arena, 1 << 16);
    Str chain = str_print(&arena, "%s%s", foreign_pem, "-----BEGIN CERTIFICATE-----\nMA==\n");
    char hex[CERTIFICATE_FINGERPRINT_LEN + 1] = "";
    CHECK_OK(certificate_fingerprint(chain, hex, NULL));
    CHECK_STR(str_from(hex), S(FOREIGN_FINGERPRINT));
    CHECK_ERR(certificate_fingerprint(S("nothing"), hex, NULL), ERR_INVALID);
    CHECK_ERR(certificate_fingerprint((Str){}, hex, NULL), ERR_INVALID);
    CHECK_STR(str_from(hex), S(FOREIGN_FINGERPRINT));
    arena_done(&arena);
}

TEST_MAIN(CASE(a_server_is_verified_by_its_authority_for_each_of_its_hosts),
          CASE(a_certificate_is_good_for_its_days_only),
          CASE(a_server_cannot_sign_for_others),
          CASE(what_cannot_be_certified_is_refused),
          CASE(a_fingerprint_is_the_one_that_other_tools_show),
          CASE(a_chain_has_the_fingerprint_of_its_first_certificate),
          CASE(the_first_host_of_a_certificate_is_told))
