// SPDX-License-Identifier: Apache-2.0
#include "cli/exit.h"

#include <assert.h>

static const ExitCode codes[ERR_CODE_COUNT] = {
    [OK] = EXIT_OK,
    [ERR_INVALID] = EXIT_INVALID,
    [ERR_UNAUTHENTICATED] = EXIT_ACCESS,
    [ERR_FORBIDDEN] = EXIT_ACCESS,
    [ERR_NOT_FOUND] = EXIT_NOT_FOUND,
    [ERR_EXISTS] = EXIT_CONFLICT,
    [ERR_CONFLICT] = EXIT_CONFLICT,
    [ERR_STATE] = EXIT_CONFLICT,
    [ERR_LIMIT] = EXIT_INVALID,
    [ERR_BUSY] = EXIT_UNAVAILABLE,
    [ERR_TIMEOUT] = EXIT_UNAVAILABLE,
    [ERR_UNAVAILABLE] = EXIT_UNAVAILABLE,
    [ERR_SYSTEM] = EXIT_LOCAL,
};

static const char *const docs[EXIT_CODE_COUNT] = {
    [EXIT_OK] = "done",
    [EXIT_PARTIAL] = "what was waited or asked for does not hold (deploy --wait, audit verify)",
    [EXIT_USAGE] = "the command line is wrong",
    [EXIT_ACCESS] = "not signed in, or not allowed",
    [EXIT_NOT_FOUND] = "no such thing",
    [EXIT_CONFLICT] = "it exists already, changed meanwhile, or its state does not allow it",
    [EXIT_INVALID] = "the input is not what is allowed; each field is named",
    [EXIT_UNAVAILABLE] = "no answer, too late, or too much at once: try again",
    [EXIT_LOCAL] = "this machine refused (files, memory)",
};

ExitCode exit_code(ErrCode code) {
    assert(code < ERR_CODE_COUNT);
    return codes[code];
}

const char *exit_code_doc(ExitCode code) {
    assert(code < EXIT_CODE_COUNT);
    return docs[code];
}

static ErrCode reason_of_status(uint32_t status) {
    switch (status) {
    case 401:
        return ERR_UNAUTHENTICATED;
    case 403:
        return ERR_FORBIDDEN;
    case 404:
        return ERR_NOT_FOUND;
    case 409:
    case 412:
        return ERR_CONFLICT;
    case 429:
        return ERR_BUSY;
    default:
        return status >= 500 ? ERR_UNAVAILABLE : ERR_INVALID;
    }
}

ErrCode exit_reason(Str name, uint32_t status) {
    for (ErrCode code = OK + 1; code < ERR_CODE_COUNT; code++)
        // What a server's own machine refuses is no fault of this one.
        if (str_eq(name, str_from(err_code_name(code))))
            return code == ERR_SYSTEM ? ERR_UNAVAILABLE : code;
    return reason_of_status(status);
}
