// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <assert.h>

static const char *const names[ERR_CODE_COUNT] = {
    [OK] = "ok",
    [ERR_INVALID] = "invalid",
    [ERR_UNAUTHENTICATED] = "unauthenticated",
    [ERR_FORBIDDEN] = "forbidden",
    [ERR_NOT_FOUND] = "not_found",
    [ERR_EXISTS] = "exists",
    [ERR_CONFLICT] = "conflict",
    [ERR_STATE] = "state",
    [ERR_LIMIT] = "limit",
    [ERR_BUSY] = "busy",
    [ERR_TIMEOUT] = "timeout",
    [ERR_UNAVAILABLE] = "unavailable",
    [ERR_SYSTEM] = "system",
};

const char *err_code_name(ErrCode code) {
    assert(code < ERR_CODE_COUNT);
    return names[code];
}
