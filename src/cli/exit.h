// SPDX-License-Identifier: Apache-2.0
/// What the command line says to the shell: one mapping of reasons to exit codes.
#pragma once

#include "base/str.h"

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

/// The exit code of an error.
ExitCode exit_code(ErrCode code);
/// What an exit code means, in a line, for the manual. Static text.
const char *exit_code_doc(ExitCode code);
/// The reason that a problem document calls `name`; a word of a newer server goes by its HTTP
/// `status`.
ErrCode exit_reason(Str name, uint32_t status);
