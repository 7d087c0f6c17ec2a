// SPDX-License-Identifier: Apache-2.0
/// The endpoints that an operator calls. Each is a verb of `muster` without another line.
#pragma once

#include "base/endpoint.h"

/// Sorted by noun; of a noun in the order in which a person meets them.
extern const Endpoint *const endpoints[];
extern const size_t endpoint_count;
