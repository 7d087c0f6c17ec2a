// SPDX-License-Identifier: Apache-2.0
/// What the device has to say about itself: the lines of Reported.notes.
#pragma once

#include "wire/device.h"

/// The first NOTES_MAX lines; each is told once.
typedef struct Notes {
    Reason lines[NOTES_MAX];
    size_t count;
} Notes;

/// Add a line by printf unless it is there already, or there are too many; it is logged.
__attribute__((format(printf, 2, 3))) void notes_add(Notes *notes, const char *format, ...);
