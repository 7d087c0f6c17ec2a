// SPDX-License-Identifier: Apache-2.0
/// Releases: immutable sets of services, named by application and version, sealed by a digest.
#pragma once

#include "api/release.h"
#include "control/slice.h"

typedef struct Tx Tx;

/// A release's manifest, exactly as it was published; never encoded again. Stored, never shown.
typedef struct ReleaseDocument {
    Id release_id;
    Id org_id;
    Str text;
} ReleaseDocument;
extern const Schema ReleaseDocument_schema;

/// The release with this id, without its manifest. ERR_NOT_FOUND.
Err release_get(Tx *tx, const Id *id, Release *ret_release);
/// What was published as this release, in the arena of `tx`. ERR_NOT_FOUND.
Err release_document(Tx *tx, const Release *release, Document *ret_document);

extern const Slice release_slice;
