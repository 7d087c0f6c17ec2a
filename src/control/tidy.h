// SPDX-License-Identifier: Apache-2.0
/// What has ended is removed by and by: one thread asks each slice (Slice.tidy) now and again.
#pragma once

#include "control/app.h"

typedef struct Tidy Tidy;

enum { TIDY_EVERY_MS = 60'000 };

/// One round over all slices, until nothing is left that has ended. What fails is logged; the
/// others go on.
void tidy_round(App *app);
/// A thread with a round every `every_ms`. ERR_SYSTEM: no thread. ERR_MEMORY.
Err tidy_open(App *app, uint64_t every_ms, Tidy **ret_tidy);
/// End it; a round under way ends first. NULL-safe; returns NULL.
Tidy *tidy_close(Tidy *tidy);
