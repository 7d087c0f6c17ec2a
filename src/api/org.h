// SPDX-License-Identifier: Apache-2.0
/// Organisations: who shares a control plane without seeing each other.
#pragma once

#include "base/endpoint.h"

/// Who shares a control plane without seeing each other.
typedef struct Org {
    Id id;
    uint64_t rev;
    Str name;
    uint64_t owner_count; ///< of its operators, those who may change the others
    Time created_at;
} Org;
extern const Schema Org_schema;

extern const Endpoint Org_show, Org_update;
