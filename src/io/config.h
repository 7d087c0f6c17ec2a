// SPDX-License-Identifier: Apache-2.0
/// `key = value` files by a Schema (base/schema.h), read with inih.
#pragma once

#include "base/schema.h"

/// Fill `record` from the file: keys before any section are fields; a section [labels] gives
/// "labels.KEY". Defaults, bounds and faults are the Schema's; a repeated key is a fault.
/// ERR_NOT_FOUND: no such file. ERR_INVALID: faults, or a line that is not `key = value`.
Err config_load(const char *path, const Schema *schema, Arena *arena, Faults *faults, void *record);
/// Append a sample file: each field with its doc, what is allowed and its default, commented out.
void config_sample(const Schema *schema, Text *out);
