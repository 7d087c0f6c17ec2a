// SPDX-License-Identifier: Apache-2.0
#include "io/tls.h"

#include "base/scope.h"
#include "io/ahead.h"
#include "io/behind.h"
#include "io/certificate.h"
#include "io/tickets.h"

#include <arpa/inet.h>
#include <assert.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
    HOST_MAX = 253,
    TICKET_LIFE_S = 86'400, ///< a day offline still costs no full handshake
};

const char tls_priorities[] =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA"
    ":-GROUP-ALL:+GROUP-X25519:+GROUP-ALL:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM"
    ":+CHACHA20-POLY1305:-MAC-ALL:+AEAD:%SERVER_PRECEDENCE:%NO_TICKETS_TLS12";

struct TlsContext {
    atomic_uint holders; ///< its owner, and its sessions
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    bool is_server;
    bool has_trust;
    unsigned verify_flags;     ///< client: GnuTLS's
    gnutls_datum_t ticket_key; ///< server: GnuTLS derives the keys from it, which rotate
    Tickets tickets;           ///< client
};

struct Tls {
    gnutls_session_t session;
    TlsContext *context;
    Ahead ahead;   ///< of the socket
    Behind behind; ///< to it
    bool is_shaken;
    bool is_ticket_kept;
    char host[]; ///< GnuTLS borrows it
};

static Err tls_context_new(bool is_server, TlsContext **ret_context) {
    TlsContext *context = calloc(1, sizeof(*context));
    if (!context) return FAIL(ERR_MEMORY, "no memory for TLS");
    context->is_server = is_server;
    atomic_init(&context->holders, 1);
    *ret_context = context;
    if (gnutls_certificate_allocate_credentials(&context->credentials) < 0
        || gnutls_priority_init(&context->priority, tls_priorities, NULL) < 0)
        return FAIL(ERR_UNAVAILABLE, "the TLS library cannot start");
    return SUCCESS;
}

TlsContext *tls_context_close(TlsContext *context) {
    if (!context || atomic_fetch_sub(&context->holders, 1) > 1) return NULL;
    tickets_close(&context->tickets);
    if (context->ticket_key.data)
        gnutls_memset(context->ticket_key.data, 0, context->ticket_key.size);
    gnutls_free(context->ticket_key.data);
    if (context->priority) gnutls_priority_deinit(context->priority);
    if (context->credentials) gnutls_certificate_free_credentials(context->credentials);
    free(context);
    return NULL;
}

static void tls_context_closep(TlsContext **context) {
    tls_context_close(*context);
}

/// Which of both files cannot be read, by trying: GnuTLS does not tell.
static Err tls_files_fault(const char *cert_path, const char *key_path, Reason *reason) {
    const char *path = access(cert_path, R_OK) == 0 ? key_path : cert_path;
    errno = 0;
    (void)access(path, R_OK);
    return reason_fail(reason, FAIL_SYS("cannot read the certificate or its key"), "%s", path);
}

/// The library's copy of the key, or a new one.
static Err tls_ticket_key_set(TlsContext *context, const uint8_t *key) {
    if (gnutls_session_ticket_key_generate(&context->ticket_key) < 0)
        return FAIL(ERR_UNAVAILABLE, "the TLS library cannot make a key for tickets");
    assert(context->ticket_key.size == TLS_TICKET_KEY_LEN);
    if (key) memcpy(context->ticket_key.data, key, TLS_TICKET_KEY_LEN);
    return SUCCESS;
}

Err tls_server_context_open(const char *cert_path,
                            const char *key_path,
                            const uint8_t *ticket_key,
                            TlsContext **ret_context,
                            Reason *reason) {
    SCOPED(tls_context_closep) TlsContext *context = NULL;
    TRY(tls_context_new(true, &context));
    int status = gnutls_certificate_set_x509_key_file(
        context->credentials, cert_path, key_path, GNUTLS_X509_FMT_PEM);
    if (status == GNUTLS_E_FILE_ERROR) return tls_files_fault(cert_path, key_path, reason);
    if (status < 0)
        return reason_fail(reason,
                           FAIL(ERR_INVALID, "the files hold no certificate with its key in PEM"),
                           "%s, %s: %s",
                           cert_path,
                           key_path,
                           gnutls_strerror(status));
    TRY(tls_ticket_key_set(context, ticket_key));
    *ret_context = TAKE_PTR(context);
    return SUCCESS;
}

static Err tls_client_context_new(TlsContext **ret_context) {
    SCOPED(tls_context_closep) TlsContext *context = NULL;
    TRY(tls_context_new(false, &context));
    if (!tickets_open(&context->tickets)) return FAIL(ERR_MEMORY, "no memory for TLS");
    *ret_context = TAKE_PTR(context);
    return SUCCESS;
}

Err tls_client_context_open(Str ca_pem, TlsContext **ret_context) {
    SCOPED(tls_context_closep) TlsContext *context = NULL;
    TRY(tls_client_context_new(&context));
    context->has_trust = ca_pem.ptr;
    gnutls_datum_t pem = {(unsigned char *)(uintptr_t)ca_pem.ptr, (unsigned)ca_pem.len};
    if (context->has_trust
        && gnutls_certificate_set_x509_trust_mem(context->credentials, &pem, GNUTLS_X509_FMT_PEM)
               <= 0)
        return FAIL(ERR_INVALID, "the authorities to trust are not certificates in PEM");
    *ret_context = TAKE_PTR(context);
    return SUCCESS;
}

void tls_client_context_ignore_days(TlsContext *context) {
    context->verify_flags =
        GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS;
}

Err tls_client_context_open_public(TlsContext **ret_context) {
    SCOPED(tls_context_closep) TlsContext *context = NULL;
    TRY(tls_client_context_new(&context));
    if (gnutls_certificate_set_x509_system_trust(context->credentials) <= 0)
        return FAIL(
            ERR_UNAVAILABLE,
            "this machine trusts no public authorities: are its CA certificates installed?");
    context->has_trust = true;
    *ret_context = TAKE_PTR(context);
    return SUCCESS;
}

/// Keep the session's ticket as soon as there is one: a session that ends badly, as they do when
/// the network goes, gives none any more. Sessions that verified nobody must not be resumed.
static void tls_ticket_keep(Tls *tls) {
    TlsContext *context = tls->context;
    if (tls->is_ticket_kept || context->is_server || !context->has_trust) return;
    if (!(gnutls_session_get_flags(tls->session) & GNUTLS_SFLAGS_SESSION_TICKET)) return;
    tls->is_ticket_kept = tickets_keep(&context->tickets, tls->host, tls->session);
}

static bool tls_host_is_address(const char *host) {
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static int tls_server_setup(Tls *tls) {
    gnutls_db_set_cache_expiration(tls->session, TICKET_LIFE_S);
    return gnutls_session_ticket_enable_server(tls->session, &tls->context->ticket_key);
}

static int tls_client_setup(Tls *tls) {
    int status = 0;
    if (!tls_host_is_address(tls->host)) // RFC 6066: the name indication is never an address
        status =
            gnutls_server_name_set(tls->session, GNUTLS_NAME_DNS, tls->host, strlen(tls->host));
    if (!tls->context->has_trust) return status;
    gnutls_session_set_verify_cert(tls->session, tls->host, tls->context->verify_flags);
    tickets_offer(&tls->context->tickets, tls->host, tls->session);
    return status;
}

/// GnuTLS asks for the five bytes of a record's head and then for the record: both come at once.
static ssize_t tls_on_pull(gnutls_transport_ptr_t transport, void *bytes, size_t size) {
    Tls *tls = transport;
    ssize_t got = ahead_receive(&tls->ahead, bytes, size);
    if (got < 0) gnutls_transport_set_errno(tls->session, errno);
    return got;
}

/// A flight of a handshake is pushed in two or three parts: tls_shake sends them at once.
static ssize_t tls_on_push(gnutls_transport_ptr_t transport, const giovec_t *parts, int count) {
    Tls *tls = transport;
    ssize_t put = behind_send(&tls->behind, parts, (size_t)count);
    if (put < 0) gnutls_transport_set_errno(tls->session, errno);
    return put;
}

static int tls_on_pull_wait(gnutls_transport_ptr_t transport, unsigned ms) {
    const Tls *tls = transport;
    if (ahead_has(&tls->ahead)) return 1;
    return gnutls_system_recv_timeout((gnutls_transport_ptr_t)(intptr_t)tls->ahead.fd, ms);
}

static void tls_transport_set(Tls *tls, int fd) {
    tls->ahead.fd = tls->behind.fd = fd;
    gnutls_transport_set_ptr(tls->session, tls);
    gnutls_transport_set_vec_push_function(tls->session, tls_on_push);
    gnutls_transport_set_pull_function(tls->session, tls_on_pull);
    gnutls_transport_set_pull_timeout_function(tls->session, tls_on_pull_wait);
    gnutls_handshake_set_timeout(tls->session, 0); // deadlines are the caller's
}

Err tls_open(TlsContext *context, int fd, Str host, Tls **ret_tls) {
    assert(context->is_server || host.len > 0);
    if (host.len > HOST_MAX) return FAIL(ERR_INVALID, "the server's name is too long");
    Tls *tls = calloc(1, sizeof(*tls) + host.len + 1);
    if (!tls) return FAIL(ERR_MEMORY, "no memory for TLS");
    tls->context = context;
    atomic_fetch_add(&context->holders, 1);
    if (host.len) memcpy(tls->host, host.ptr, host.len);
    unsigned end = context->is_server ? GNUTLS_SERVER : GNUTLS_CLIENT;
    int status = gnutls_init(&tls->session, end | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    if (status >= 0) status = gnutls_priority_set(tls->session, context->priority);
    if (status >= 0)
        status = gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, context->credentials);
    if (status >= 0) status = context->is_server ? tls_server_setup(tls) : tls_client_setup(tls);
    if (status < 0) {
        tls_close(tls);
        return FAIL(ERR_UNAVAILABLE, "the TLS library cannot make a session");
    }
    tls_transport_set(tls, fd);
    *ret_tls = tls;
    return SUCCESS;
}

Tls *tls_close(Tls *tls) {
    if (!tls) return NULL;
    if (tls->session) gnutls_deinit(tls->session);
    ahead_done(&tls->ahead);
    behind_done(&tls->behind);
    tls_context_close(tls->context);
    free(tls);
    return NULL;
}

/// Why the certificate is not good; of several reasons the one to mend first.
static const char *tls_certificate_fault(unsigned status) {
    if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
        return "the server's certificate is from an authority that is not trusted";
    if (status & GNUTLS_CERT_REVOKED) return "the server's certificate was revoked";
    if (status & GNUTLS_CERT_EXPIRED) return "the server's certificate has expired";
    if (status & GNUTLS_CERT_NOT_ACTIVATED)
        return "the server's certificate is not valid yet: is the clock right?";
    if (status & GNUTLS_CERT_UNEXPECTED_OWNER)
        return "the server's certificate is for another host";
    if (status & GNUTLS_CERT_INSECURE_ALGORITHM)
        return "the server's certificate uses an algorithm that is not secure";
    return "the server's certificate is not good";
}

/// GnuTLS stopped behind what is no data (a ticket, a warning), and there is more that was received
/// already: the socket would not tell of it.
static bool tls_goes_on(const Tls *tls, ssize_t status) {
    if (status >= 0 || !ahead_has(&tls->ahead) || gnutls_error_is_fatal((int)status)) return false;
    bool is_blocked = status == GNUTLS_E_AGAIN || status == GNUTLS_E_INTERRUPTED;
    return !is_blocked || !gnutls_record_get_direction(tls->session);
}

/// What a negative answer of GnuTLS means: later, or never.
static Err tls_call_failed(Tls *tls, int status, const char *what, TlsWant *ret_want) {
    if (gnutls_error_is_fatal(status)) return FAIL(ERR_UNAVAILABLE, what);
    // after what is not fatal (a warning, a wish to renegotiate) there is only more to read
    bool is_blocked = status == GNUTLS_E_AGAIN || status == GNUTLS_E_INTERRUPTED;
    bool is_writing = is_blocked && gnutls_record_get_direction(tls->session);
    *ret_want = is_writing ? TLS_WANT_WRITE : TLS_WANT_READ;
    return SUCCESS;
}

static const char *tls_handshake_fault(int status) {
    if (status == GNUTLS_E_FATAL_ALERT_RECEIVED) return "the peer refused the TLS handshake";
    if (status == GNUTLS_E_PREMATURE_TERMINATION || status == GNUTLS_E_PULL_ERROR
        || status == GNUTLS_E_PUSH_ERROR)
        return "the connection broke in the TLS handshake";
    return "the peer does not speak TLS as we do";
}

/// Why the peer's certificate is not good, in GnuTLS's words.
static Err tls_certificate_refused(Tls *tls, Reason *reason) {
    unsigned faults = gnutls_session_get_verify_cert_status(tls->session);
    gnutls_datum_t words = {};
    if (gnutls_certificate_verification_status_print(faults, GNUTLS_CRT_X509, &words, 0) >= 0)
        reason_set(reason, "%.*s", (int)words.size, (const char *)words.data);
    gnutls_free(words.data);
    return FAIL(ERR_UNAUTHENTICATED, tls_certificate_fault(faults));
}

/// What the library says about a handshake that failed: of an alert, also which one the peer sent.
static void tls_handshake_words(Tls *tls, int status, Reason *reason) {
    if (status == GNUTLS_E_FATAL_ALERT_RECEIVED) {
        const char *alert = gnutls_alert_get_name(gnutls_alert_get(tls->session));
        reason_set(reason, "%s: %s", gnutls_strerror(status), alert ? alert : "an unknown one");
    } else {
        reason_set(reason, "%s", gnutls_strerror(status));
    }
}

static int tls_shake(Tls *tls) {
    int status;
    tls->behind.gathers = true;
    do
        status = gnutls_handshake(tls->session);
    while (tls_goes_on(tls, status));
    tls->behind.gathers = false;
    tls->is_shaken = status >= 0;
    if (tls->is_shaken) tls_ticket_keep(tls);
    return status;
}

Err tls_handshake(Tls *tls, TlsWant *ret_want, Reason *reason) {
    int status = tls->is_shaken ? 0 : tls_shake(tls);
    *ret_want = TLS_DONE;
    if (status < 0) {
        if (gnutls_error_is_fatal(status))
            (void)gnutls_alert_send_appropriate(tls->session, status);
        if (status == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
            return tls_certificate_refused(tls, reason);
        Err err = tls_call_failed(tls, status, tls_handshake_fault(status), ret_want);
        if (err.code != OK) {
            tls_handshake_words(tls, status, reason);
            return err;
        }
    }
    if (behind_flush(&tls->behind)) return SUCCESS;
    if (errno != EAGAIN && errno != EINTR)
        return FAIL(ERR_UNAVAILABLE, "the connection broke in the TLS handshake");
    *ret_want = TLS_WANT_WRITE;
    return SUCCESS;
}

Err tls_read(Tls *tls, void *bytes, size_t size, size_t *ret_len, TlsWant *ret_want) {
    assert(size > 0);
    ssize_t got;
    do
        got = gnutls_record_recv(tls->session, bytes, size);
    while (tls_goes_on(tls, got));
    tls_ticket_keep(tls); // in TLS 1.3 it comes with what is read
    if (got < 0) {
        TRY(tls_call_failed(tls, (int)got, "the connection broke", ret_want));
        *ret_len = 0;
        return SUCCESS;
    }
    *ret_len = (size_t)got;
    *ret_want = TLS_DONE;
    return SUCCESS;
}

Err tls_write(Tls *tls, const void *bytes, size_t size, size_t *ret_len, TlsWant *ret_want) {
    assert(size > 0);
    ssize_t put = gnutls_record_send(tls->session, bytes, size);
    if (put < 0) {
        TRY(tls_call_failed(tls, (int)put, "the connection broke", ret_want));
        *ret_len = 0;
        return SUCCESS;
    }
    *ret_len = (size_t)put;
    *ret_want = TLS_DONE;
    return SUCCESS;
}

bool tls_pending(const Tls *tls) {
    return ahead_has(&tls->ahead) || gnutls_record_check_pending(tls->session) > 0;
}

void tls_bye(Tls *tls) {
    (void)gnutls_bye(tls->session, GNUTLS_SHUT_WR);
}

static bool tls_datum_has_fingerprint(const gnutls_datum_t *der, Str fingerprint_hex) {
    unsigned char digest[CERTIFICATE_FINGERPRINT_LEN / 2];
    char hex[CERTIFICATE_FINGERPRINT_LEN + 1];
    size_t hex_len = sizeof(hex);
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, der->data, der->size, digest) < 0) return false;
    gnutls_datum_t digest_datum = {digest, sizeof(digest)};
    if (gnutls_hex_encode(&digest_datum, hex, &hex_len) < 0) return false;
    return fingerprint_hex.len == CERTIFICATE_FINGERPRINT_LEN
           && strncasecmp(hex, fingerprint_hex.ptr, CERTIFICATE_FINGERPRINT_LEN) == 0;
}

Err tls_peer_ca(Tls *tls, Str fingerprint_hex, Arena *arena, Str *ret_pem) {
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(tls->session, &count);
    unsigned at = 0;
    while (chain && at < count && !tls_datum_has_fingerprint(&chain[at], fingerprint_hex))
        at++;
    if (!chain || at == count)
        return FAIL(ERR_UNAUTHENTICATED, "the server's certificates have another fingerprint");
    gnutls_datum_t pem = {};
    if (gnutls_pem_base64_encode2("CERTIFICATE", &chain[at], &pem) < 0)
        return FAIL(ERR_UNAVAILABLE, "the TLS library cannot write the certificate");
    Str copy = str_dup(arena, (Str){(const char *)pem.data, pem.size});
    gnutls_free(pem.data);
    TRY(arena_check(arena));
    *ret_pem = copy;
    return SUCCESS;
}

bool tls_is_resumed(const Tls *tls) {
    return gnutls_session_is_resumed(tls->session) != 0;
}

Err tls_session_binding(const Tls *tls, uint8_t ret_binding[TLS_BINDING_LEN]) {
    // RFC 9266 section 3: in TLS 1.2 the binding is unique only with an extended master secret
    bool is_unique = gnutls_protocol_get_version(tls->session) == GNUTLS_TLS1_3
                     || gnutls_session_ext_master_secret_status(tls->session);
    gnutls_datum_t binding = {};
    if (!is_unique
        || gnutls_session_channel_binding(tls->session, GNUTLS_CB_TLS_EXPORTER, &binding) < 0)
        return FAIL(ERR_STATE, "the TLS session has no channel binding");
    assert(binding.size == TLS_BINDING_LEN);
    memcpy(ret_binding, binding.data, TLS_BINDING_LEN);
    gnutls_memset(binding.data, 0, binding.size);
    gnutls_free(binding.data);
    return SUCCESS;
}
