// SPDX-License-Identifier: Apache-2.0
/// What devices are told without having asked.
#pragma once

#include "control/slice.h"

/// Slice.noted: tell those who are here what the note means for them.
void device_noted(App *app, const Note *note, bool is_sure);
