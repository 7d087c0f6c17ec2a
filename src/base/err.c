// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include "base/str.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/// Cut a torn character off the end, and nothing else.
static size_t whole_len(const char *text, size_t len) {
    size_t start = len;
    while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0 || (unsigned char)text[start - 1] < 0xc0) return len;
    return str_utf8_len((Str){text, len}, start - 1) ? len : start - 1;
}

/// Control characters become blanks; what is not UTF-8 becomes '?'.
static void reason_clean(char *text, size_t len) {
    for (size_t at = 0; at < len;) {
        const unsigned char *c = (const unsigned char *)text + at;
        size_t size = str_utf8_len((Str){text, len}, at);
        bool is_control = (size == 1 && (*c < ' ' || *c == 0x7f))
                          || (size == 2 && c[0] == 0xc2 && c[1] < 0xa0); // U+0080 to U+009F
        if (size == 0) text[at] = '?';
        if (is_control) memset(text + at, ' ', size);
        at += size ? size : 1;
    }
}

__attribute__((format(printf, 2, 0))) static void
reason_print(Reason *reason, const char *format, va_list args) {
    int printed = vsnprintf(reason->text, sizeof(reason->text), format, args);
    assert(printed >= 0);
    size_t len = (size_t)printed;
    if (len >= sizeof(reason->text)) len = whole_len(reason->text, sizeof(reason->text) - 1);
    reason->text[len] = '\0';
    reason_clean(reason->text, len);
}

void reason_set(Reason *reason, const char *format, ...) {
    if (!reason) return;
    va_list args;
    va_start(args, format);
    reason_print(reason, format, args);
    va_end(args);
}

Err reason_fail(Reason *reason, Err err, const char *format, ...) {
    if (!reason) return err;
    va_list args;
    va_start(args, format);
    reason_print(reason, format, args);
    va_end(args);
    return err;
}
