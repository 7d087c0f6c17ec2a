// SPDX-License-Identifier: Apache-2.0
/// The seam to the TLS library, for both ends of the channel and the device's HTTP: TLS 1.3 and 1.2
/// over a non-blocking socket that the caller owns and polls. This header is all that knows that
/// there is a library behind it (tls_gnutls.c); another one is another file, chosen in meson.
#pragma once

#include "base/arena.h"
#include "base/str.h"

#include <stddef.h>

enum {
    TLS_BINDING_LEN = 32,    ///< bytes of a channel binding
    TLS_TICKET_KEY_LEN = 64, ///< bytes of the key of session tickets
};

typedef struct TlsContext TlsContext; ///< credentials, shared by many sessions and threads
typedef struct Tls Tls;               ///< one session over one socket; one thread at a time

/// What a call waits for before it can go on; poll the socket for it and call again.
typedef enum TlsWant { TLS_DONE, TLS_WANT_READ, TLS_WANT_WRITE } TlsWant;

/// What sessions agree on, in the library's words; also for a listener that makes its own. All that
/// is as strong as 128 bits, authenticated encryption with an ephemeral key (RFC 9325 section 4.2)
/// only, and of that the cheapest for a server first: X25519, and AES-128-GCM with SHA-256, cost it
/// a quarter less for a handshake than P-256 and AES-256-GCM with SHA-384. Sessions of TLS 1.2 are
/// not resumed: who has the ticket's key could read them.
extern const char tls_priorities[];

/// A server's credentials: PEM chain and key files. Session tickets are on; servers that share
/// `ticket_key` (NULL: one of its own) resume each other's sessions, also after a restart. The keys
/// that GnuTLS makes of it rotate within the context's life.
/// ERR_INVALID: the files do not hold a matching certificate and key. ERR_SYSTEM: unreadable. The
/// Reason names the files and has the library's words.
Err tls_server_context_open(const char *cert_path,
                            const char *key_path,
                            const uint8_t *ticket_key,
                            TlsContext **ret_context,
                            Reason *reason);
/// A client that trusts exactly the CA certificates in `ca_pem`; absent: none is trusted, and the
/// session is good only for tls_peer_ca. ERR_INVALID: not certificates.
Err tls_client_context_open(Str ca_pem, TlsContext **ret_context);
/// Before its first session: a client goes on whatever the day is, for its clock may be wrong. Only
/// for authorities that are trusted by name: who they are, not when, is then what counts.
void tls_client_context_ignore_days(TlsContext *context);
/// A client that trusts the authorities that this machine trusts. ERR_UNAVAILABLE: it has none.
Err tls_client_context_open_public(TlsContext **ret_context);
/// Open no session with it any more: it is freed with its last one. NULL-safe; returns NULL.
TlsContext *tls_context_close(TlsContext *context);

/// Start a session on `fd` (borrowed, non-blocking). `host`: client only, the name or address that
/// the server's certificate must carry (borrowed for the call); absent on a server.
Err tls_open(TlsContext *context, int fd, Str host, Tls **ret_tls);
/// Free without any more bytes on the wire. NULL-safe; returns NULL.
Tls *tls_close(Tls *tls);
/// Go on with the handshake. A client verifies chain, dates (if it goes by them) and host in it.
/// ERR_UNAUTHENTICATED: the certificate is not good, `what` says why. ERR_UNAVAILABLE: the peer
/// went away. The Reason is what the library says.
Err tls_handshake(Tls *tls, TlsWant *ret_want, Reason *reason);
/// Read up to `size` bytes. `*ret_len` is 0 with TLS_DONE at the peer's orderly end.
/// ERR_UNAVAILABLE: the connection broke.
Err tls_read(Tls *tls, void *bytes, size_t size, size_t *ret_len, TlsWant *ret_want);
/// Write; `*ret_len` may be less than `size`. After a TLS_WANT_* repeat with the same bytes.
/// ERR_UNAVAILABLE as above.
Err tls_write(Tls *tls, const void *bytes, size_t size, size_t *ret_len, TlsWant *ret_want);
/// Bytes that tls_read would give, or look at, without the socket: read again before polling.
bool tls_pending(const Tls *tls);
/// Say goodbye (close_notify), best effort, without waiting.
void tls_bye(Tls *tls);
/// After a handshake of a client that trusts nothing yet: the certificate in the peer's chain whose
/// SHA-256 is `fingerprint_hex` (certificate.h), as PEM in `arena`, so that the next session can
/// trust it. ERR_UNAUTHENTICATED: the chain has none, so this is not the server that was meant.
Err tls_peer_ca(Tls *tls, Str fingerprint_hex, Arena *arena, Str *ret_pem);
/// The session was resumed from a ticket.
bool tls_is_resumed(const Tls *tls);
/// After the handshake: the channel binding "tls-exporter" (RFC 9266), which is the same at both
/// ends of this session and at no other, so that a proof over it cannot be carried elsewhere.
/// ERR_STATE: there is none yet, or never (TLS 1.2 without an extended master secret).
Err tls_session_binding(const Tls *tls, uint8_t ret_binding[TLS_BINDING_LEN]);
