// SPDX-License-Identifier: Apache-2.0
/// Organisations: who shares a control plane without seeing each other.
#pragma once

#include "http/router.h"
#include "wire/org.h"

extern const RouteTable org_routes;
