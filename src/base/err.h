// SPDX-License-Identifier: Apache-2.0
/// One way to fail.
///
/// Every function that can fail for a reason outside the program returns an `Err` by value (two
/// registers) and leaves its outputs untouched on failure. `what` is static text fit for an
/// operator. What varies and belongs to the failure (a path, an address, others' words) is a
/// `Reason`; ids and routes are added as log fields by the edge that logs, once.
/// Programmer errors are `assert`s, which stay in release builds, never an `Err`.
#pragma once

#include <errno.h>
#include <stdint.h>

enum { ERR_REASON_MAX = 512 }; ///< bytes of a Reason, with its NUL

typedef struct Str Str;

/// The closed set of reasons. One table in err.c says what each is called, by which status an
/// answer of HTTP tells it, and with which exit code a program ends. Of several that share a status
/// the first is what an answer with nothing but this status means.
typedef enum ErrCode {
    OK = 0,
    ERR_INVALID,         ///< the input is wrong; the same input will be wrong again
    ERR_UNAUTHENTICATED, ///< who the caller is was not shown
    ERR_FORBIDDEN,       ///< the caller may not do this
    ERR_NOT_FOUND,       ///< no such thing, or not visible to the caller
    ERR_CONFLICT,        ///< a race was lost (stale revision): read again and retry
    ERR_EXISTS,          ///< something with this key is there already
    ERR_STATE,           ///< the thing is not in a state that allows this
    ERR_LIMIT,           ///< more was asked for than a bound allows
    ERR_BUSY,            ///< too much at once: retry later
    ERR_TIMEOUT,         ///< no answer in time
    ERR_UNAVAILABLE,     ///< a part that is needed cannot be reached now
    ERR_MEMORY,          ///< there is no memory now; whatever allocates may say so, unannounced
    ERR_FULL,   ///< there is no room on the disk; whatever writes files may say so, unannounced
    ERR_SYSTEM, ///< the operating system refused; `sys` is its errno
    ERR_CODE_COUNT
} ErrCode;

/// What a program says to the shell by how it ends.
typedef enum ExitCode {
    EXIT_OK = 0,
    EXIT_PARTIAL = 1, ///< it was done, but what was waited or asked for does not hold
    EXIT_USAGE = 2,
    EXIT_ACCESS = 3,      ///< not signed in, or not allowed
    EXIT_NOT_FOUND = 4,   ///< no such thing
    EXIT_CONFLICT = 5,    ///< it exists already, changed meanwhile, or its state does not allow it
    EXIT_INVALID = 6,     ///< the input is not what is allowed
    EXIT_UNAVAILABLE = 7, ///< no answer, too late, or too much at once: try again
    EXIT_LOCAL = 8,       ///< this machine refused
    EXIT_CODE_COUNT
} ExitCode;

typedef struct [[nodiscard]] Err {
    ErrCode code;
    int32_t sys;      ///< errno where the system said so: ERR_SYSTEM, ERR_FULL; else 0
    const char *what; ///< static text fit for an operator; never NULL on failure
} Err;
_Static_assert(sizeof(Err) == 16, "Err travels in two registers");

#define SUCCESS ((Err){.code = OK})
#define FAIL(error_code, text) ((Err){.code = (error_code), .what = (text)})
#define OUT_OF_MEMORY FAIL(ERR_MEMORY, "out of memory")
#define FAIL_SYS(text) err_sys(errno, (text))

/// Return the error of `expr` from the calling function, if it is one. The only macro that may hide
/// control flow.
#define TRY(expr)                                 \
    do {                                          \
        Err try_err_ = (expr);                    \
        if (try_err_.code != OK) return try_err_; \
    } while (0)

/// What a call of the system failed by: ERR_FULL for a full disk, a quota or a limit on a file's
/// size, else ERR_SYSTEM. `what`: static text.
Err err_sys(int error, const char *what);
/// The stable machine word of a code: "invalid", "not_found", ... It is the `code` of a problem
/// document and never changes. Static text.
const char *err_code_name(ErrCode code);
/// The kind of failure in words, for people. Static text.
const char *err_title(ErrCode code);
/// The status of RFC 9110 by which an answer tells the code.
uint32_t err_http_status(ErrCode code);
/// The exit code of a program that ends with the code.
ExitCode err_exit_code(ErrCode code);
/// What an exit code means, in a line, for a manual. Static text.
const char *exit_code_doc(ExitCode code);
/// The code with the stable word `name`; OK: there is none.
ErrCode err_from_name(Str name);
/// What a peer's answer with this status, and nothing that says more, means here. OK: 200 to 299. A
/// peer that has a failure of its own is ERR_UNAVAILABLE: this machine has none.
ErrCode err_from_http_status(uint32_t status);

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
/// Forget the words of a failure that turned out to be none.
void reason_clear(Reason *reason);
/// Return a failure and say why in one breath: `return reason_fail(reason, FAIL(...), "%s", x)`.
__attribute__((format(printf, 3, 4))) Err
reason_fail(Reason *reason, Err err, const char *format, ...);
/// Return a failure with what it is about, by printf, before the words of its reason, if it has
/// any: a file before what is wrong in it. `reason` was empty before the failure. OK stays OK.
__attribute__((format(printf, 3, 4))) Err
reason_about(Reason *reason, Err err, const char *format, ...);
/// Tell on standard error why a program ends, in one line: "WHO: WHAT: REASON: the system's words".
/// Returns its exit code. `reason`: NULL or empty if there is none.
int err_report(const char *who, Err err, const Reason *reason);
