// SPDX-License-Identifier: Apache-2.0
/// One text between two threads: the newest wins.
///
/// The writer never waits and never queues; a reader that was slow sees only the last one. The
/// descriptor is readable while there is something to take, so that it ends any poll.
#pragma once

#include "base/text.h"

typedef struct Slot Slot;

/// An empty slot for texts of up to `max` bytes.
Err slot_open(size_t max, Slot **ret_slot);
/// Free; nobody may use it any more. NULL-safe; returns NULL.
Slot *slot_close(Slot *slot);
/// Put `text` in, instead of what was there. ERR_LIMIT: too large; what was there stays.
Err slot_put(Slot *slot, Str text);
/// Take what is there, as a text that the caller frees. False: nothing, `ret_text` is untouched.
bool slot_take(Slot *slot, Text *ret_text);
/// From now on slot_is_over, and the descriptor stays readable.
void slot_end(Slot *slot);
/// The other side wants no more.
bool slot_is_over(Slot *slot);
/// Readable while there is something to take or it is over.
int slot_fd(const Slot *slot);
