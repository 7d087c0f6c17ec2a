// SPDX-License-Identifier: Apache-2.0
#include "api/org.h"

static const Field Org_fields[] = {
    FIELD(Org, id, KEY | SCOPE | READ_ONLY, "id of the organisation", .prefix = "org"),
    FIELD(Org, rev, REV | READ_ONLY, "revision"),
    FIELD(Org,
          name,
          REQUIRED | UNIQUE | GLOBAL | LISTED,
          "its name",
          .pattern = &Pattern_slug,
          .max = 63),
    FIELD(Org, owner_count, HIDDEN | LOOSE, "operators who are owners"),
    FIELD(Org, created_at, READ_ONLY | LISTED, "when it was made"),
};
const Schema Org_schema =
    SCHEMA(Org, "org", "who shares a control plane without seeing each other");

const Endpoint Org_show = {
    GET, "/v1/org", "org", "show", "The caller's organisation", .out = &Org_schema};
const Endpoint Org_update = {PATCH,
                             "/v1/org",
                             "org",
                             "update",
                             "Rename the organisation",
                             .in = &Org_schema,
                             .out = &Org_schema};
