// SPDX-License-Identifier: Apache-2.0
/// Releases: immutable sets of services, named by application and version.
#pragma once

#include "api/page.h"
#include "base/endpoint.h"
#include "wire/manifest.h"

/// An immutable set of services under a version.
typedef struct Release {
    Id id;
    Id org_id;
    Str application;
    Str version;
    Str ref;           ///< "application@version", unique
    Str digest;        ///< of the manifest as it was published
    Manifest manifest; ///< at its creation, and where one release is shown
    Str created_by;
    Time created_at;
} Release;
extern const Schema Release_schema;

/// Which releases a list has.
typedef struct ReleaseQuery {
    PageQuery page;
    Str application;
    Str ref;
} ReleaseQuery;
extern const Schema ReleaseQuery_schema;

extern const Endpoint Release_list, Release_show, Release_create;
