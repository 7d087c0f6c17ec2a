// SPDX-License-Identifier: Apache-2.0
/// The migrations that make the tables of the control plane.
#pragma once

#include "db/db.h"

extern const Migration store_migrations[];
extern const size_t store_migration_count;
