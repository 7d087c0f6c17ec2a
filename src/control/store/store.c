// SPDX-License-Identifier: Apache-2.0
#include "control/store/store.h"

#include "control/device/device.h"
#include "control/operator/operator.h"
#include "control/store/migrations.h" // made from the .sql files beside this one
#include "wire/audit.h"
#include "wire/fleet.h"
#include "wire/org.h"

const Schema *const store_schemas[] = {
    &Org_schema,
    &Operator_schema,
    &Session_schema,
    &Fleet_schema,
    &Release_schema,
    &Token_schema,
    &Device_schema,
    &DeviceStatus_schema,
    &Telemetry_schema,
    &Tombstone_schema,
    &AuditEntry_schema,
};
const size_t store_schema_count = sizeof(store_schemas) / sizeof(store_schemas[0]);

const Migration store_migrations[] = {
    {1, "start", migration_0001_start},
};
const size_t store_migration_count = sizeof(store_migrations) / sizeof(store_migrations[0]);
