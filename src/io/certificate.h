// SPDX-License-Identifier: Apache-2.0
/// Making and recognising the X.509 certificates of a private authority (GnuTLS).
///
/// A server of its own has a CA made at `init`: devices and operators trust exactly that CA by its
/// fingerprint, so no public authority is involved. Keys are ECDSA P-256 (every TLS stack has it).
#pragma once

#include "base/arena.h"
#include "base/str.h"

enum { CERTIFICATE_FINGERPRINT_LEN = 64, CERTIFICATE_PEM_MAX = 64 * 1024 };

/// PEM texts, NUL-terminated, in the arena they were made in.
typedef struct Certificate {
    Str cert_pem;
    Str key_pem;
} Certificate;

/// A self-signed CA called `name`, valid from an hour before `now_ms` for `days`.
/// ERR_INVALID: a name of more than 64 bytes, or none.
Err certificate_make_ca(
    Str name, uint64_t now_ms, uint32_t days, Arena *arena, Certificate *ret_ca);
/// Whether both parts of `ca` can be read. ERR_INVALID; the Reason is what the library says.
Err certificate_ca_check(const Certificate *ca, Reason *reason);
/// A server certificate for the DNS names and IP addresses `hosts`, signed by `ca`. `cert_pem` is
/// the chain: leaf, then CA. ERR_INVALID: no host, a host that is neither name nor address, or the
/// CA cannot be read. The Reason is the host, or what the library says.
Err certificate_make_server(const Certificate *ca,
                            StrList hosts,
                            uint64_t now_ms,
                            uint32_t days,
                            Arena *arena,
                            Certificate *ret_server,
                            Reason *reason);
/// The days of the first certificate in `pem`. ERR_INVALID: not a certificate; the Reason is what
/// the library says.
Err certificate_days(Str pem, uint64_t *ret_from_ms, uint64_t *ret_until_ms, Reason *reason);
/// Both are certificates, and the first one in `pem` was signed by the first one in `ca_pem`.
bool certificate_is_by(Str pem, Str ca_pem);
/// `server` once more, as a chain as of certificate_make_server: the same key and hosts, good from
/// the same day as before until `days` from now. ERR_INVALID: one of them cannot be read; the
/// Reason is what the library says.
Err certificate_renew(const Certificate *ca,
                      const Certificate *server,
                      uint64_t now_ms,
                      uint32_t days,
                      Arena *arena,
                      Certificate *ret_server,
                      Reason *reason);
/// The first host that the first certificate in `pem` is for: a DNS name, or an address as text, in
/// `arena`. ERR_INVALID: not a certificate; the Reason is what the library says. ERR_NOT_FOUND: it
/// names no host.
Err certificate_host(Str pem, Arena *arena, Str *ret_host, Reason *reason);
/// SHA-256 over the DER of the first certificate in `pem`, as 64 hex digits.
/// ERR_INVALID: not a certificate; the Reason is what the library says.
Err certificate_fingerprint(Str pem, char ret_hex[CERTIFICATE_FINGERPRINT_LEN + 1], Reason *reason);
