// SPDX-License-Identifier: Apache-2.0
/// One way to fail.
///
/// Every function that can fail for a reason outside the program returns an `Err` by value (two
/// registers) and leaves its outputs untouched on failure. `what` is static text fit for an
/// operator; whatever varies (ids, routes) is added as log fields by the edge that logs, once.
/// Programmer errors are `assert`s, which stay in release builds, never an `Err`.
#pragma once

#include <errno.h>
#include <stdint.h>

enum { ERR_REASON_MAX = 512 }; ///< bytes of a Reason, with its NUL

/// The closed set of reasons. `http_status` (http/problem.h) and `exit_code` (cli/exit.h) map it.
typedef enum ErrCode {
    OK = 0,
    ERR_INVALID,         ///< the input is wrong; the same input will be wrong again
    ERR_UNAUTHENTICATED, ///< who the caller is was not shown
    ERR_FORBIDDEN,       ///< the caller may not do this
    ERR_NOT_FOUND,       ///< no such thing, or not visible to the caller
    ERR_EXISTS,          ///< something with this key is there already
    ERR_CONFLICT,        ///< a race was lost (stale revision): read again and retry
    ERR_STATE,           ///< the thing is not in a state that allows this
    ERR_LIMIT,           ///< a configured bound was reached
    ERR_BUSY,            ///< too much at once: retry later
    ERR_TIMEOUT,         ///< no answer in time
    ERR_UNAVAILABLE,     ///< a part that is needed cannot be reached now
    ERR_SYSTEM,          ///< the operating system refused; `sys` is its errno
    ERR_CODE_COUNT
} ErrCode;

typedef struct [[nodiscard]] Err {
    ErrCode code;
    int32_t sys;      ///< errno when code == ERR_SYSTEM, else 0
    const char *what; ///< static text fit for an operator; never NULL on failure
} Err;
_Static_assert(sizeof(Err) == 16, "Err travels in two registers");

#define SUCCESS ((Err){.code = OK})
#define FAIL(error_code, text) ((Err){.code = (error_code), .what = (text)})
#define FAIL_SYS(text) ((Err){.code = ERR_SYSTEM, .sys = errno, .what = (text)})

/// Return the error of `expr` from the calling function, if it is one. The only macro that may hide
/// control flow.
#define TRY(expr)                                 \
    do {                                          \
        Err try_err_ = (expr);                    \
        if (try_err_.code != OK) return try_err_; \
    } while (0)

/// The stable machine word of a code: "invalid", "not_found", ... It is the `code` of a problem
/// document and never changes. Static text.
const char *err_code_name(ErrCode code);

/// Others' words on a failure: what a library, an engine, a server or a file said, or which name,
/// address or field it is about. One line, bounded, without control characters.
///
/// A function that may have such words takes a `Reason *` as its last argument: NULL is allowed
/// where nobody asks. It is written on failure only; empty means that there are none.
typedef struct Reason {
    char text[ERR_REASON_MAX];
} Reason;

/// Set `reason` (unless NULL) by printf, cut at a character's end; control characters become
/// blanks, what is not UTF-8 a '?'.
__attribute__((format(printf, 2, 3))) void reason_set(Reason *reason, const char *format, ...);
/// Return a failure and say why in one breath: `return reason_fail(reason, FAIL(...), "%s", x)`.
__attribute__((format(printf, 3, 4))) Err
reason_fail(Reason *reason, Err err, const char *format, ...);
