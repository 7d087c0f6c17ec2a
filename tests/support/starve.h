// SPDX-License-Identifier: Apache-2.0
/// Making memory run out: link a test with starve_dep, and malloc, calloc and realloc of everything
/// that is linked into it (not of shared libraries) fail on demand.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { STARVE_NEVER = -1 };

/// The allocation after `nth` more fails; if `is_lasting` so do all that follow it.
void starve(long nth, bool is_lasting);
/// Nothing fails any more. Returns whether something has failed since starve.
bool starve_end(void);
