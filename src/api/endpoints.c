// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints.h"

#include "api/audit.h"
#include "api/device.h"
#include "api/event.h"
#include "api/fleet.h"
#include "api/operator.h"
#include "api/org.h"
#include "api/release.h"
#include "api/session.h"
#include "api/telemetry.h"
#include "api/token.h"

// clang-format off
const Endpoint *const endpoints[] = {
    &Audit_list, &Audit_export, &Audit_checkpoint,
    &Device_list, &Device_show, &Device_update, &Device_delete, &Device_rotate_key,
    &Event_follow,
    &Fleet_list, &Fleet_show, &Fleet_create, &Fleet_update, &Fleet_delete, &Fleet_deploy,
    &Operator_list, &Operator_show, &Operator_create, &Operator_update, &Operator_delete,
    &Org_show, &Org_update,
    &Release_list, &Release_show, &Release_create,
    &Session_login, &Session_logout,
    &Telemetry_show,
    &Token_list, &Token_show, &Token_create, &Token_delete,
};
// clang-format on
const size_t endpoint_count = sizeof(endpoints) / sizeof(endpoints[0]);
