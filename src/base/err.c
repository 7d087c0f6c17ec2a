// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include "base/str.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// clang-format off
static const struct {
    const char *name;
    uint32_t http_status;
    ExitCode exit_code;
    const char *title;
} kinds[ERR_CODE_COUNT] = {
    [OK]                  = {"ok",              200, EXIT_OK,          "Done"},
    [ERR_INVALID]         = {"invalid",         422, EXIT_INVALID,     "The input is not allowed"},
    [ERR_UNAUTHENTICATED] = {"unauthenticated", 401, EXIT_ACCESS,      "Who is calling was not shown"},
    [ERR_FORBIDDEN]       = {"forbidden",       403, EXIT_ACCESS,      "The caller may not do this"},
    [ERR_NOT_FOUND]       = {"not_found",       404, EXIT_NOT_FOUND,   "There is no such thing"},
    [ERR_CONFLICT]        = {"conflict",        409, EXIT_CONFLICT,    "Somebody else was faster"},
    [ERR_EXISTS]          = {"exists",          409, EXIT_CONFLICT,    "There is one already"},
    [ERR_STATE]           = {"state",           409, EXIT_CONFLICT,    "Not possible in the present state"},
    [ERR_LIMIT]           = {"limit",           413, EXIT_INVALID,     "A limit was reached"},
    [ERR_BUSY]            = {"busy",            429, EXIT_UNAVAILABLE, "Too much at once"},
    [ERR_TIMEOUT]         = {"timeout",         504, EXIT_UNAVAILABLE, "No answer in time"},
    [ERR_UNAVAILABLE]     = {"unavailable",     503, EXIT_UNAVAILABLE, "A part that is needed is not there"},
    [ERR_MEMORY]          = {"memory",          503, EXIT_LOCAL,       "There is no memory now"},
    [ERR_FULL]            = {"full",            507, EXIT_LOCAL,       "There is no room on the disk"},
    [ERR_SYSTEM]          = {"system",          500, EXIT_LOCAL,       "The server failed"},
};
// clang-format on

static const char *const exit_docs[EXIT_CODE_COUNT] = {
    [EXIT_OK] = "done",
    [EXIT_PARTIAL] = "what was waited or asked for does not hold (deploy --wait, audit verify)",
    [EXIT_USAGE] = "the command line is wrong",
    [EXIT_ACCESS] = "not signed in, or not allowed",
    [EXIT_NOT_FOUND] = "no such thing",
    [EXIT_CONFLICT] = "it exists already, changed meanwhile, or its state does not allow it",
    [EXIT_INVALID] = "the input is not what is allowed; each field is named",
    [EXIT_UNAVAILABLE] = "no answer, too late, or too much at once: try again",
    [EXIT_LOCAL] = "this machine refused (files, memory, a full disk)",
};

Err err_sys(int error, const char *what) {
    bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    return (Err){.code = is_full ? ERR_FULL : ERR_SYSTEM, .sys = error, .what = what};
}

const char *err_code_name(ErrCode code) {
    assert(code < ERR_CODE_COUNT);
    return kinds[code].name;
}

const char *err_title(ErrCode code) {
    assert(code < ERR_CODE_COUNT);
    return kinds[code].title;
}

uint32_t err_http_status(ErrCode code) {
    assert(code < ERR_CODE_COUNT);
    return kinds[code].http_status;
}

ExitCode err_exit_code(ErrCode code) {
    assert(code < ERR_CODE_COUNT);
    return kinds[code].exit_code;
}

const char *exit_code_doc(ExitCode code) {
    assert(code < EXIT_CODE_COUNT);
    return exit_docs[code];
}

ErrCode err_from_name(Str name) {
    for (ErrCode code = OK + 1; code < ERR_CODE_COUNT; code++)
        if (str_eq(name, str_from(kinds[code].name))) return code;
    return OK;
}

ErrCode err_from_http_status(uint32_t status) {
    enum { PRECONDITION_FAILED = 412 }; // the other way to tell a lost race
    if (status >= 200 && status <= 299) return OK;
    if (status == PRECONDITION_FAILED) return ERR_CONFLICT;
    for (ErrCode code = OK + 1; code < ERR_MEMORY; code++)
        if (kinds[code].http_status == status) return code;
    return status >= 500 ? ERR_UNAVAILABLE : ERR_INVALID;
}

/// Cut a torn character off the end, and nothing else.
static size_t err_whole_len(const char *text, size_t len) {
    size_t start = len;
    while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0 || (unsigned char)text[start - 1] < 0xc0) return len;
    return str_utf8_len((Str){text, len}, start - 1) ? len : start - 1;
}

/// Control characters become blanks; what is not UTF-8 becomes '?'.
static void err_reason_clean(char *text, size_t len) {
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
err_reason_print(Reason *reason, const char *format, va_list args) {
    int printed = vsnprintf(reason->text, sizeof(reason->text), format, args);
    assert(printed >= 0);
    size_t len = (size_t)printed;
    if (len >= sizeof(reason->text)) len = err_whole_len(reason->text, sizeof(reason->text) - 1);
    reason->text[len] = '\0';
    err_reason_clean(reason->text, len);
}

void reason_set(Reason *reason, const char *format, ...) {
    if (!reason) return;
    va_list args;
    va_start(args, format);
    err_reason_print(reason, format, args);
    va_end(args);
}

void reason_clear(Reason *reason) {
    if (reason) reason->text[0] = '\0';
}

Err reason_fail(Reason *reason, Err err, const char *format, ...) {
    if (!reason) return err;
    va_list args;
    va_start(args, format);
    err_reason_print(reason, format, args);
    va_end(args);
    return err;
}

Err reason_about(Reason *reason, Err err, const char *format, ...) {
    if (!reason || err.code == OK) return err;
    Reason about, words = *reason;
    va_list args;
    va_start(args, format);
    err_reason_print(&about, format, args);
    va_end(args);
    return reason_fail(reason, err, "%s%s%s", about.text, words.text[0] ? ": " : "", words.text);
}

int err_report(const char *who, Err err, const Reason *reason) {
    bool has_reason = reason && reason->text[0];
    bool has_errno = err.sys != 0;
    fprintf(stderr,
            "%s: %s%s%s%s%s\n",
            who,
            err.what,
            has_reason ? ": " : "",
            has_reason ? reason->text : "",
            has_errno ? ": " : "",
            has_errno ? strerror(err.sys) : "");
    return (int)err_exit_code(err.code);
}
