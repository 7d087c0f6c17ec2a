// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"
#include "control/call.h"
#include "control/org/org.h"

static const Route routes[] = {
    {&Org_show,   MAY_READ, call_show  },
    {&Org_update, MAY_OWN,  call_update},
};
static const Schema *const stored[] = {&Org_schema};
const Slice org_slice = {.noun = "org", .routes = ROUTE_TABLE(routes), SLICE_STORED(stored)};
