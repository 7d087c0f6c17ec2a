// SPDX-License-Identifier: Apache-2.0
/// Cutting the power between two operations on files: link a test with cut_dep, and the process
/// ends at the rename, unlink or fsync that is asked for.
#pragma once

#include <stdbool.h>

/// Do it in a process of its own that ends before operation `nth`; true: it was cut off. What goes
/// wrong otherwise than by `change`'s answer, which may be false, is an assertion that fails.
bool cut_off(int nth, bool (*change)(void *ctx), void *ctx);
