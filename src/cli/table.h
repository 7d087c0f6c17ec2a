// SPDX-License-Identifier: Apache-2.0
/// Records as text for people: a table, or a card for one.
#pragma once

#include "base/schema.h"

/// Append a text table of records: LISTED fields as columns, upper-case header, two blanks between.
void table_show(const Schema *schema, const void *items, size_t count, Text *out);
/// Append a line of a table whose records come one by one; `record` NULL: its header. `widths` has
/// one a field, at least 0, and grows with what is shown.
void table_line(const Schema *schema, const void *record, size_t *widths, Text *out);
/// Append one record as "name  value" lines, all shown fields.
void table_card(const Schema *schema, const void *record, Text *out);
