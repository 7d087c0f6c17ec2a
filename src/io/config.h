// SPDX-License-Identifier: Apache-2.0
/// `key = value` files by a Schema (base/schema.h), read with inih.
///
/// `#` or `;` begins a comment line, and ` ;` ends a value. Values do not go on in a next line, and
/// a line has a limit (inih's: 197 bytes as Debian builds it); a longer one is a fault.
#pragma once

#include "base/schema.h"

/// Fill `record` from the file: keys before any section are fields; a section [labels] gives
/// "labels.KEY". Defaults, bounds and faults are the Schema's; a repeated key is a fault.
/// ERR_NOT_FOUND: no such file. ERR_INVALID: faults; a line that is not `key = value` is one for
/// the whole file. ERR_LIMIT: over 64 KiB or 256 keys, or the arena is exhausted. ERR_SYSTEM.
/// The Reason of a failure that is no fault is the path.
Err config_load(const char *path,
                const Schema *schema,
                Arena *arena,
                Faults *faults,
                void *record,
                Reason *reason);
/// Append a sample file: each field with its doc, what is allowed and its default, commented out,
/// sections last.
void config_sample(const Schema *schema, Text *out);
