// SPDX-License-Identifier: Apache-2.0
/// The text of an enrolment token, which a person carries to a device.
#pragma once

#include "base/arena.h"
#include "base/str.h"

/// The parts of an enrolment token's text "muster1.SECRET.FINGERPRINT".
typedef struct TokenText {
    Str secret;         ///< base64url
    Str ca_fingerprint; ///< SHA-256 of the server's CA certificate, 64 hex digits
} TokenText;
/// Split the text of a token, borrowed. ERR_INVALID: not one.
Err token_text_parse(Str text, TokenText *ret_parts);
/// The text of a token, in `arena`.
Str token_text_make(const TokenText *parts, Arena *arena);
