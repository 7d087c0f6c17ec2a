// SPDX-License-Identifier: Apache-2.0
/// The tables of the control plane: every stored Schema, and the migrations that make them.
#pragma once

#include "db/db.h"

extern const Schema *const store_schemas[];
extern const size_t store_schema_count;
extern const Migration store_migrations[];
extern const size_t store_migration_count;
