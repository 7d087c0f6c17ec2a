// SPDX-License-Identifier: Apache-2.0
/// The one HTTP exchange that opens a WebSocket (RFC 6455 section 4), both ends, pure.
///
/// A head is collected up to its empty line (http1/head.h:head_find), at most UPGRADE_HEAD_MAX
/// bytes, and then read in one go. Besides what is no good head, refused are repeated fields, a
/// body, another version, a peer that does not know the subprotocol. Only the subprotocols of a
/// request may stand in several fields (RFC 6455 section 11.3.4).
#pragma once

#include "base/text.h"

enum {
    UPGRADE_HEAD_MAX = 8192,
    UPGRADE_KEY_LEN = 24, ///< base64 of 16 bytes
};

/// HTTP statuses of the exchange.
typedef enum UpgradeStatus {
    UPGRADE_ACCEPTED = 101,
    UPGRADE_BAD_REQUEST = 400,
    UPGRADE_NOT_FOUND = 404,
    UPGRADE_BAD_METHOD = 405,
    UPGRADE_REQUIRED = 426,
    UPGRADE_TOO_MANY = 429, ///< like 503 only from others, in front of the server
    UPGRADE_HEAD_TOO_BIG = 431,
    UPGRADE_UNAVAILABLE = 503,
} UpgradeStatus;

/// What a server makes of a request.
typedef struct UpgradeVerdict {
    UpgradeStatus status;
    const char *detail; ///< why it is refused; NULL: accepted
} UpgradeVerdict;

typedef struct UpgradeAnswer {
    uint16_t
        status; ///< UPGRADE_ACCEPTED: the server showed that it speaks WebSocket and our protocol
    uint64_t retry_after_s;
} UpgradeAnswer;

/// The server's view of a complete head. `path`: the only one there is. `protocol`: the subprotocol
/// that must be among those that the client offers. `*ret_key`: of an accepted request, borrowed
/// from the head. Who asks is nothing of the upgrade's: an Authorization header is skipped.
UpgradeVerdict upgrade_request_parse(Str head, Str path, Str protocol, Str *ret_key);
/// Append the 101 answer to a request with this key; it agrees to `protocol`.
void upgrade_accept(Text *out, Str key, Str protocol);
/// Append a whole refusal with a small problem document; the connection ends after it.
void upgrade_refuse(Text *out, UpgradeVerdict verdict, Str protocol);

/// A fresh random key, NUL-terminated.
void upgrade_key_make(char ret_key[UPGRADE_KEY_LEN + 1]);
/// Append the client's request, which offers `protocol` and no other.
void upgrade_ask(Text *out, Str host, uint16_t port, Str path, Str protocol, Str key);
/// The client's view of a complete head. ERR_INVALID: not an answer to this `key`, or one that does
/// not agree to `protocol`.
Err upgrade_answer_parse(Str head, Str key, Str protocol, UpgradeAnswer *ret_answer);
