// SPDX-License-Identifier: Apache-2.0
/// Releases: immutable sets of services, named by application and version, sealed by a digest.
#pragma once

#include "http/router.h"
#include "wire/fleet.h"

extern const RouteTable release_routes;
