// SPDX-License-Identifier: Apache-2.0
/// From which address of this machine a connection goes out.
#pragma once

#include "base/err.h"

/// Bind a socket that is not connected to an address, "127.0.0.2" or "::1"; its port is chosen when
/// it connects. NULL: leave it to the system. ERR_INVALID: no such form. ERR_UNAVAILABLE: the
/// machine does not have it, or it is of the other family.
Err source_bind(int fd, const char *source);
