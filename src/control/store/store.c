// SPDX-License-Identifier: Apache-2.0
#include "control/store/store.h"

#include "control/store/migrations.h" // made from the .sql files beside this one

const size_t store_migration_count = sizeof(store_migrations) / sizeof(store_migrations[0]);
