// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"
#include "control/audit/audit.h"
#include "control/org/org.h"
#include "db/tx.h"

static Err org_show(Call *call) {
    Org org;
    TRY(tx_get(call->tx, &Org_schema, id_str(&call->principal.scope), &org));
    return call_reply(call, &org);
}

static Err org_change(Call *call) {
    Org org;
    TRY(tx_get(call->tx, &Org_schema, id_str(&call->principal.scope), &org));
    TRY(call_patch(call, &Org_schema, &org));
    TRY(tx_update(call->tx, &Org_schema, &org));
    TRY(audit_record(call, "org.change", id_str(&org.id), &Org_schema, &org));
    org.rev++;
    return call_reply(call, &org);
}

static const Route routes[] = {
    {.method = GET,
     .path = "/v1/org",
     .access = MAY_READ,
     .out = &Org_schema,
     .id = "org_show",
     .doc = "The caller's organisation",
     .handler = org_show  },
    { .method = PATCH,
     .path = "/v1/org",
     .access = MAY_OWN,
     .in = &Org_schema,
     .patch = true,
     .out = &Org_schema,
     .id = "org_change",
     .doc = "Rename the organisation",
     .handler = org_change},
};
const RouteTable org_routes = ROUTE_TABLE(routes);
