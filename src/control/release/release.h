// SPDX-License-Identifier: Apache-2.0
/// Releases: immutable sets of services, named by application and version, sealed by a digest.
#pragma once

#include "api/release.h"
#include "control/slice.h"

typedef struct Tx Tx;

/// The release with this id. ERR_NOT_FOUND.
Err release_get(Tx *tx, const Id *id, Release *ret_release);

extern const Slice release_slice;
