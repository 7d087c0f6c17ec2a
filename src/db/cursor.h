// SPDX-License-Identifier: Apache-2.0
/// A place in the order of a query, as an opaque text: by which field, its value, and the key.
#pragma once

#include "db/engine.h"

/// The cursor behind the row of `key`, which has `value` in the order's column; in `arena`.
Err cursor_make(const Select *select, Value value, Str key, Arena *arena, Str *ret_cursor);
/// Set the place from which `select` gives rows; texts are in `arena`. ERR_INVALID: it is none of
/// this order.
Err cursor_apply(Str cursor, Arena *arena, Select *select);
