// SPDX-License-Identifier: Apache-2.0
#include "api/release.h"

/// A manifest that is not written as compactly as it will be published.
enum { RELEASE_BODY_MAX = MANIFEST_TEXT_MAX + MANIFEST_TEXT_MAX / 2 };

static const Field Release_fields[] = {
    FIELD(Release, id, KEY | READ_ONLY | LISTED, "id of the release", .prefix = "release"),
    FIELD(Release, org_id, SCOPE | READ_ONLY, "organisation", .prefix = "org"),
    FIELD(Release,
          application,
          REQUIRED | INDEXED | LISTED,
          "what it is a release of",
          .pattern = &Pattern_dns_label,
          .max = 63),
    FIELD(
        Release, version, REQUIRED | LISTED, "its version", .pattern = &Pattern_semver, .max = 64),
    FIELD(Release, ref, READ_ONLY | UNIQUE, "application@version"),
    FIELD(Release,
          digest,
          READ_ONLY | LISTED,
          "of the manifest as it was published",
          .pattern = &Pattern_digest),
    FIELD_RECORD(Release, manifest, Manifest, REQUIRED | UNSTORED, "what it runs; not in lists"),
    FIELD(Release, created_by, READ_ONLY, "operator"),
    FIELD(Release, created_at, READ_ONLY | LISTED, "when it was made"),
};
const Schema Release_schema = SCHEMA(Release, "release", "an immutable set of services");

static const Field ReleaseQuery_fields[] = {
    PAGE_FIELDS(ReleaseQuery),
    FIELD(ReleaseQuery, application, 0, "only releases of this application", .max = 63),
    FIELD(ReleaseQuery, ref, 0, "only the release application@version", .max = 128),
};
const Schema ReleaseQuery_schema = SCHEMA(ReleaseQuery, "release_query", "which releases");

// clang-format off
#define RELEASES "/v1/releases"
const Endpoint Release_list =
    ENDPOINT_LIST(Release, "release", RELEASES, "Releases: what can be deployed");
const Endpoint Release_show = ENDPOINT_SHOW(Release, "release", RELEASES, "One release");
const Endpoint Release_create = ENDPOINT_CREATE(
    Release, "release", RELEASES, "Publish an immutable release", .body_max = RELEASE_BODY_MAX);
// clang-format on
