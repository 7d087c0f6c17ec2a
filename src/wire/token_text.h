// SPDX-License-Identifier: Apache-2.0
/// The text of an enrolment token: all that a machine needs to become a device (docs/protocol.md,
/// section 2).
#pragma once

#include "wire/agent.h"

enum { TOKEN_TEXT_MAX = 4096 };

#define TOKEN_PREFIX "muster2."
/// TokenText.authority: the servers' certificates are by a publicly trusted one.
#define AUTHORITY_PUBLIC "public"

typedef struct TokenText {
    StrList servers; ///< URLs, in the order in which they are tried
    Str authority;   ///< SHA-256 of its certificate, 64 hex digits; AUTHORITY_PUBLIC; absent: http
    Str fleet;       ///< name of the fleet, for people
    Str secret;      ///< base64url
} TokenText;
extern const Schema TokenText_schema;

/// Read the text of a token; texts live in `arena`. Blanks around it are passed over. ERR_INVALID:
/// not one, `reason` says what is wrong. ERR_MEMORY: arena exhausted.
Err token_text_parse(Str text, Arena *arena, TokenText *ret_parts, Reason *reason);
/// The text of a token, in `arena`. ERR_LIMIT: too long. ERR_MEMORY: arena exhausted.
Err token_text_make(const TokenText *parts, Arena *arena, Str *ret_text);
