// SPDX-License-Identifier: Apache-2.0
/// Every change leaves an entry in the same commit, chained to the one before (wire/audit.h).
#pragma once

#include "http/router.h"
#include "wire/audit.h"

/// Add the entry "the caller did `action` to `subject`, which became `record`" to the call's Tx.
/// `action`: static text "fleet.create". `record`: of `schema`, NULL when it is gone; what it does
/// not show in a reply is not in the entry. The call's principal says who and in which scope.
Err audit_record(
    Call *call, const char *action, Str subject, const Schema *schema, const void *record);

extern const RouteTable audit_routes;
