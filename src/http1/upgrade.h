// SPDX-License-Identifier: Apache-2.0
/// The one HTTP exchange that opens a WebSocket (RFC 6455 section 4), both ends, pure.
///
/// A head (start line and headers) is collected up to its empty line, at most UPGRADE_HEAD_MAX
/// bytes, and then parsed in one go with http_parser. Whatever is doubtful is refused: repeated or
/// folded headers, a body, another version.
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
    UPGRADE_UNAUTHORISED = 401,
    UPGRADE_FORBIDDEN = 403,
    UPGRADE_NOT_FOUND = 404,
    UPGRADE_BAD_METHOD = 405,
    UPGRADE_REQUIRED = 426,
    UPGRADE_TOO_MANY = 429,
    UPGRADE_HEAD_TOO_BIG = 431,
    UPGRADE_INTERNAL = 500,
    UPGRADE_UNAVAILABLE = 503,
} UpgradeStatus;

/// A request that may be accepted; texts borrow from the head.
typedef struct UpgradeRequest {
    Str key;
    Str bearer; ///< absent: there is none
} UpgradeRequest;

typedef struct UpgradeAnswer {
    uint16_t status; ///< UPGRADE_ACCEPTED: the server showed that it speaks WebSocket
    uint64_t retry_after_s;
} UpgradeAnswer;

/// Length of the head in `bytes` with its empty line; 0 while that has not come. `from`: how many
/// bytes an earlier call has seen.
size_t upgrade_head_len(Str bytes, size_t from);

/// The server's view of a complete head: UPGRADE_ACCEPTED and `*ret_request`, or the status to
/// refuse it with. `path`: the only one there is.
UpgradeStatus upgrade_request_parse(Str head, Str path, UpgradeRequest *ret_request);
/// Append the 101 answer to a request with this key.
void upgrade_accept(Text *out, Str key);
/// Append a whole refusal with a small problem document; the connection ends after it.
void upgrade_refuse(Text *out, UpgradeStatus status);

/// A fresh random key, NUL-terminated.
void upgrade_key_make(char ret_key[UPGRADE_KEY_LEN + 1]);
/// Append the client's request. `bearer` absent: none is shown.
void upgrade_ask(Text *out, Str host, uint16_t port, Str path, Str bearer, Str key);
/// The client's view of a complete head. ERR_INVALID: not an answer to this `key`.
Err upgrade_answer_parse(Str head, Str key, UpgradeAnswer *ret_answer);
