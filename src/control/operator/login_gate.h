// SPDX-License-Identifier: Apache-2.0
/// Bounds what guessing passwords brings in: failures of one address, and for one account, within a
/// window. In memory of a fixed size; thread-safe. Its time is the monotonic clock's.
///
/// It only says that there were too many: who is known is let in all the same (session_api.c), so
/// that nobody locks another one out.
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

typedef struct LoginGate LoginGate;

enum { LOGIN_ADDRESS_MAX = 64 };

/// Who tries to sign in as whom.
typedef struct LoginTry {
    Str address; ///< as login_address has it
    Str org;     ///< absent: the only one
    Str name;
} LoginTry;

/// What an address counts as: an IPv4 address itself, of an IPv6 address its first 64 bits, which
/// is what one customer has. Also for an address that it does not understand: that one itself.
void login_address(Str remote, char ret_text[LOGIN_ADDRESS_MAX]);
/// ERR_MEMORY.
Err login_gate_open(LoginGate **ret_gate);
/// NULL-safe; returns NULL.
LoginGate *login_gate_close(LoginGate *gate);
/// Neither the address nor the account has failed too often. False: `*ret_retry_after_s` says when
/// that is forgotten.
bool login_gate_allows(LoginGate *gate,
                       const LoginTry *login,
                       uint64_t now_ms,
                       uint64_t *ret_retry_after_s);
/// It failed.
void login_gate_failed(LoginGate *gate, const LoginTry *login, uint64_t now_ms);
