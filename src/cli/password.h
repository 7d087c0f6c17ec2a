// SPDX-License-Identifier: Apache-2.0
/// Where a password comes from: a file, the environment, or the terminal without echo.
#pragma once

#include "cli/cli.h"

/// The password: the first line of the file that option `option` names, else $MUSTER_PASSWORD, else
/// asked for with `prompt` on the terminal. ERR_INVALID: there is no terminal to ask on, or the
/// operator gave none. ERR_SYSTEM: the file cannot be read.
Err password_get(Cli *cli, const char *option, const char *prompt, Str *ret_password);
