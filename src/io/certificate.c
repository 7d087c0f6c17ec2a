// SPDX-License-Identifier: Apache-2.0
#include "io/certificate.h"

#include "base/scope.h"

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    SERIAL_BYTES = 16,
    KEY_ID_MAX = 64,
    COMMON_NAME_MAX = 64, ///< X.520: ub-common-name
    HOST_MAX = 253,
    HOUR_MS = 3'600'000,
    DAY_S = 86'400,
};

typedef gnutls_x509_crt_t Crt;
typedef gnutls_x509_privkey_t Key;

static void certificate_crt_done(const Crt *crt) {
    gnutls_x509_crt_deinit(*crt);
}

static void certificate_key_done(const Key *key) {
    gnutls_x509_privkey_deinit(*key);
}

/// GnuTLS says "fine" by 0 or more.
static Err certificate_made(int status) {
    if (status >= 0) return SUCCESS;
    if (status == GNUTLS_E_MEMORY_ERROR) return OUT_OF_MEMORY;
    return FAIL(ERR_UNAVAILABLE, "the library cannot make the certificate");
}

/// Copy a text that GnuTLS allocated, and free it.
static Str certificate_datum_take(gnutls_datum_t *datum, Arena *arena) {
    Str copy = str_dup(arena, (Str){(const char *)datum->data, datum->size});
    gnutls_memset(datum->data, 0, datum->size); // it may be a key
    gnutls_free(datum->data);
    return copy;
}

static gnutls_datum_t certificate_datum_of(Str text) {
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text.ptr, (unsigned)text.len};
}

static Err certificate_key_make(Key *ret_key) {
    TRY(certificate_made(gnutls_x509_privkey_init(ret_key)));
    unsigned curve = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
    return certificate_made(gnutls_x509_privkey_generate(*ret_key, GNUTLS_PK_ECDSA, curve, 0));
}

/// What every certificate has: serial, name, dates, public key and its id.
static Err certificate_crt_fill(Crt crt, Key key, Str name, uint64_t now_ms, uint32_t days) {
    unsigned char serial[SERIAL_BYTES];
    TRY(certificate_made(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial))));
    serial[0] = (serial[0] & 0x3f) | 0x40; // positive, and of full length
    TRY(certificate_made(gnutls_x509_crt_set_version(crt, 3)));
    TRY(certificate_made(gnutls_x509_crt_set_serial(crt, serial, sizeof(serial))));
    TRY(certificate_made(gnutls_x509_crt_set_dn_by_oid(
        crt, GNUTLS_OID_X520_COMMON_NAME, 0, name.ptr, (unsigned)name.len)));

    uint64_t from_ms = now_ms > HOUR_MS ? now_ms - HOUR_MS : 0; // clocks differ
    time_t from = (time_t)(from_ms / 1000), until = (time_t)(now_ms / 1000);
    TRY(certificate_made(gnutls_x509_crt_set_activation_time(crt, from)));
    TRY(certificate_made(gnutls_x509_crt_set_expiration_time(crt, until + (time_t)days * DAY_S)));

    TRY(certificate_made(gnutls_x509_crt_set_key(crt, key)));
    unsigned char id[KEY_ID_MAX];
    size_t id_len = sizeof(id);
    TRY(certificate_made(gnutls_x509_crt_get_key_id(crt, 0, id, &id_len)));
    return certificate_made(gnutls_x509_crt_set_subject_key_id(crt, id, id_len));
}

/// Both as PEM; `issuer_pem` follows the certificate, so that it is a chain.
static Err certificate_export(Crt crt, Key key, Str issuer_pem, Arena *arena, Certificate *ret) {
    gnutls_datum_t pem;
    TRY(certificate_made(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem)));
    Str own_pem = certificate_datum_take(&pem, arena);
    TRY(certificate_made(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem)));
    Certificate made_now = {.key_pem = certificate_datum_take(&pem, arena)};
    made_now.cert_pem = str_print(arena, "%.*s%.*s", STR_FMT(own_pem), STR_FMT(issuer_pem));
    TRY(arena_check(arena));
    *ret = made_now;
    return SUCCESS;
}

Err certificate_make_ca(
    Str name, uint64_t now_ms, uint32_t days, Arena *arena, Certificate *ret_ca) {
    if (name.len == 0 || name.len > COMMON_NAME_MAX || !str_is_text(name))
        return FAIL(ERR_INVALID, "the name of an authority must have 1 to 64 bytes of text");
    SCOPED(certificate_key_done) Key key = NULL;
    SCOPED(certificate_crt_done) Crt crt = NULL;
    TRY(certificate_key_make(&key));
    TRY(certificate_made(gnutls_x509_crt_init(&crt)));
    TRY(certificate_crt_fill(crt, key, name, now_ms, days));
    TRY(certificate_made(
        gnutls_x509_crt_set_basic_constraints(crt, 1, 0))); // it signs servers, no other CA
    TRY(certificate_made(
        gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN)));
    TRY(certificate_made(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0)));
    return certificate_export(crt, key, S(""), arena, ret_ca);
}

static Err certificate_pem_read(Str pem, Crt *ret_crt, Reason *reason) {
    gnutls_datum_t datum = certificate_datum_of(pem);
    TRY(certificate_made(gnutls_x509_crt_init(ret_crt)));
    const Err wrong = FAIL(ERR_INVALID, "this is not a certificate in PEM");
    if (!pem.ptr || pem.len > CERTIFICATE_PEM_MAX) return wrong;
    int status = gnutls_x509_crt_import(*ret_crt, &datum, GNUTLS_X509_FMT_PEM);
    return status >= 0 ? SUCCESS : reason_fail(reason, wrong, "%s", gnutls_strerror(status));
}

static Err
certificate_pair_read(const Certificate *pair, Crt *ret_crt, Key *ret_key, Reason *reason) {
    TRY(certificate_pem_read(pair->cert_pem, ret_crt, reason));
    gnutls_datum_t datum = certificate_datum_of(pair->key_pem);
    TRY(certificate_made(gnutls_x509_privkey_init(ret_key)));
    const Err wrong = FAIL(ERR_INVALID, "the key of the certificate cannot be read");
    if (!pair->key_pem.ptr) return wrong;
    int status = gnutls_x509_privkey_import(*ret_key, &datum, GNUTLS_X509_FMT_PEM);
    return status >= 0 ? SUCCESS : reason_fail(reason, wrong, "%s", gnutls_strerror(status));
}

Err certificate_ca_check(const Certificate *ca, Reason *reason) {
    SCOPED(certificate_crt_done) Crt crt = NULL;
    SCOPED(certificate_key_done) Key key = NULL;
    return certificate_pair_read(ca, &crt, &key, reason);
}

static bool certificate_host_is_name(Str host) {
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' && c != '*')
            return false;
    }
    return host.len > 0;
}

/// Let the certificate be good for one more name or address.
static Err certificate_host_add(Crt crt, Str host) {
    char text[HOST_MAX + 1];
    unsigned char address[sizeof(struct in6_addr)];
    if (host.len > HOST_MAX) return FAIL(ERR_INVALID, "a host's name is too long");
    snprintf(text, sizeof(text), "%.*s", STR_FMT(host));
    unsigned address_len = 0;
    if (inet_pton(AF_INET, text, address) == 1) address_len = sizeof(struct in_addr);
    if (inet_pton(AF_INET6, text, address) == 1) address_len = sizeof(struct in6_addr);
    if (address_len)
        return certificate_made(gnutls_x509_crt_set_subject_alt_name(
            crt, GNUTLS_SAN_IPADDRESS, address, address_len, GNUTLS_FSAN_APPEND));
    if (!certificate_host_is_name(host))
        return FAIL(ERR_INVALID, "a host is neither a name nor an address");
    return certificate_made(gnutls_x509_crt_set_subject_alt_name(
        crt, GNUTLS_SAN_DNSNAME, text, (unsigned)host.len, GNUTLS_FSAN_APPEND));
}

static Err certificate_issuer_id_copy(Crt crt, Crt issuer) {
    unsigned char id[KEY_ID_MAX];
    size_t id_len = sizeof(id);
    if (gnutls_x509_crt_get_subject_key_id(issuer, id, &id_len, NULL) < 0) return SUCCESS;
    return certificate_made(gnutls_x509_crt_set_authority_key_id(crt, id, id_len));
}

/// What a server's certificate says it is for, signed by the authority.
static Err certificate_server_sign(Crt crt, Crt issuer, Key issuer_key) {
    TRY(certificate_made(gnutls_x509_crt_set_basic_constraints(crt, 0, -1)));
    TRY(certificate_made(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE)));
    TRY(certificate_made(gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0)));
    TRY(certificate_issuer_id_copy(crt, issuer));
    return certificate_made(gnutls_x509_crt_sign2(crt, issuer, issuer_key, GNUTLS_DIG_SHA256, 0));
}

Err certificate_make_server(const Certificate *ca,
                            StrList hosts,
                            uint64_t now_ms,
                            uint32_t days,
                            Arena *arena,
                            Certificate *ret_server,
                            Reason *reason) {
    if (hosts.count == 0) return FAIL(ERR_INVALID, "a server's certificate needs a host");
    SCOPED(certificate_crt_done) Crt issuer = NULL;
    SCOPED(certificate_key_done) Key issuer_key = NULL;
    SCOPED(certificate_key_done) Key key = NULL;
    SCOPED(certificate_crt_done) Crt crt = NULL;
    TRY(certificate_pair_read(ca, &issuer, &issuer_key, reason));
    TRY(certificate_key_make(&key));
    TRY(certificate_made(gnutls_x509_crt_init(&crt)));
    TRY(certificate_crt_fill(
        crt, key, str_slice(hosts.items[0], 0, COMMON_NAME_MAX), now_ms, days));
    for (size_t i = 0; i < hosts.count; i++) {
        Err err = certificate_host_add(crt, hosts.items[i]);
        if (err.code != OK) return reason_fail(reason, err, "%.*s", STR_FMT(hosts.items[i]));
    }
    TRY(certificate_server_sign(crt, issuer, issuer_key));
    return certificate_export(crt, key, ca->cert_pem, arena, ret_server);
}

Err certificate_days(Str pem, uint64_t *ret_from_ms, uint64_t *ret_until_ms, Reason *reason) {
    SCOPED(certificate_crt_done) Crt crt = NULL;
    TRY(certificate_pem_read(pem, &crt, reason));
    time_t from = gnutls_x509_crt_get_activation_time(crt);
    time_t until = gnutls_x509_crt_get_expiration_time(crt);
    if (from < 0 || until < 0) return FAIL(ERR_INVALID, "the certificate has no days");
    *ret_from_ms = (uint64_t)from * 1000;
    *ret_until_ms = (uint64_t)until * 1000;
    return SUCCESS;
}

bool certificate_is_by(Str pem, Str ca_pem) {
    SCOPED(certificate_crt_done) Crt crt = NULL;
    SCOPED(certificate_crt_done) Crt issuer = NULL;
    unsigned faults = 0;
    if (certificate_pem_read(pem, &crt, NULL).code != OK) return false;
    if (certificate_pem_read(ca_pem, &issuer, NULL).code != OK) return false;
    const unsigned flags =
        GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS;
    return gnutls_x509_crt_verify(crt, &issuer, 1, flags, &faults) >= 0 && faults == 0;
}

static Err certificate_hosts_copy(Crt crt, Crt from) {
    unsigned char host[HOST_MAX + 1];
    for (unsigned i = 0;; i++) {
        size_t len = sizeof(host);
        int type = gnutls_x509_crt_get_subject_alt_name(from, i, host, &len, NULL);
        if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) return SUCCESS;
        if (type < 0) return FAIL(ERR_INVALID, "a host of the certificate cannot be read");
        TRY(certificate_made(gnutls_x509_crt_set_subject_alt_name(
            crt, (unsigned)type, host, (unsigned)len, GNUTLS_FSAN_APPEND)));
    }
}

static Err certificate_name(Crt crt, char name[static COMMON_NAME_MAX + 1], Str *ret_name) {
    size_t len = COMMON_NAME_MAX + 1;
    int status = gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len);
    if (status < 0) return FAIL(ERR_INVALID, "the certificate has no name");
    *ret_name = (Str){name, len};
    return SUCCESS;
}

Err certificate_renew(const Certificate *ca,
                      const Certificate *server,
                      uint64_t now_ms,
                      uint32_t days,
                      Arena *arena,
                      Certificate *ret_server,
                      Reason *reason) {
    SCOPED(certificate_crt_done) Crt issuer = NULL;
    SCOPED(certificate_key_done) Key issuer_key = NULL;
    SCOPED(certificate_crt_done) Crt old = NULL;
    SCOPED(certificate_key_done) Key key = NULL;
    SCOPED(certificate_crt_done) Crt crt = NULL;
    char text[COMMON_NAME_MAX + 1];
    Str name;
    TRY(certificate_pair_read(ca, &issuer, &issuer_key, reason));
    TRY(certificate_pair_read(server, &old, &key, reason));
    TRY(certificate_name(old, text, &name));
    TRY(certificate_made(gnutls_x509_crt_init(&crt)));
    TRY(certificate_crt_fill(crt, key, name, now_ms, days));
    // Whoever's clock is behind ours goes on believing it.
    time_t from = gnutls_x509_crt_get_activation_time(old);
    TRY(certificate_made(gnutls_x509_crt_set_activation_time(crt, from)));
    TRY(certificate_hosts_copy(crt, old));
    TRY(certificate_server_sign(crt, issuer, issuer_key));
    return certificate_export(crt, key, ca->cert_pem, arena, ret_server);
}

Err certificate_host(Str pem, Arena *arena, Str *ret_host, Reason *reason) {
    SCOPED(certificate_crt_done) Crt crt = NULL;
    TRY(certificate_pem_read(pem, &crt, reason));
    char name[HOST_MAX + 1] = {};
    char address[INET6_ADDRSTRLEN];
    size_t len = sizeof(name) - 1;
    int type = gnutls_x509_crt_get_subject_alt_name(crt, 0, name, &len, NULL);
    const char *host = NULL;
    if (type == GNUTLS_SAN_DNSNAME) host = name;
    if (type == GNUTLS_SAN_IPADDRESS)
        host = inet_ntop(
            len == sizeof(struct in_addr) ? AF_INET : AF_INET6, name, address, sizeof(address));
    if (!host) return FAIL(ERR_NOT_FOUND, "the certificate names no host");
    Str copy = str_dup(arena, str_from(host));
    TRY(arena_check(arena));
    *ret_host = copy;
    return SUCCESS;
}

Err certificate_fingerprint(Str pem,
                            char ret_hex[CERTIFICATE_FINGERPRINT_LEN + 1],
                            Reason *reason) {
    SCOPED(certificate_crt_done) Crt crt = NULL;
    TRY(certificate_pem_read(pem, &crt, reason));
    unsigned char digest[CERTIFICATE_FINGERPRINT_LEN / 2];
    size_t digest_len = sizeof(digest);
    TRY(certificate_made(
        gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, digest, &digest_len)));
    for (size_t i = 0; i < sizeof(digest); i++)
        snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
    return SUCCESS;
}
