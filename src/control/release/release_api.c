// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"
#include "control/audit/audit.h"
#include "control/page.h"
#include "control/release/release.h"

typedef struct ReleaseQuery {
    PageQuery page;
    Str application;
    Str ref;
} ReleaseQuery;

static const Field ReleaseQuery_fields[] = {
    PAGE_FIELDS(ReleaseQuery),
    FIELD(ReleaseQuery, application, 0, "only releases of this application", .max = 63),
    FIELD(ReleaseQuery, ref, 0, "only the release application@version", .max = 128),
};
static const Schema ReleaseQuery_schema = SCHEMA(ReleaseQuery, "release_query", "which releases");

static Err release_list(Call *call) {
    const ReleaseQuery *wanted = call->query;
    Query query = page_query(&wanted->page);
    if (wanted->application.ptr) page_where(&query, WHERE_STR("application", wanted->application));
    if (wanted->ref.ptr) page_where(&query, WHERE_STR("ref", wanted->ref));
    Release *releases;
    size_t count;
    TRY(tx_list(call->tx, &Release_schema, &query, (void **)&releases, &count));
    Str next = count ? page_next(&wanted->page, count, &releases[count - 1].id) : (Str){};
    return call_reply_list(call, releases, count, next);
}

static Err release_show(Call *call) {
    Release release;
    TRY(tx_get(call->tx, &Release_schema, call_arg(call, S("release_id")), &release));
    return call_reply(call, &release);
}

static Err release_create(Call *call) {
    Release release = *(const Release *)call->in;
    manifest_check(&release.manifest, S("/manifest"), &call->faults);
    TRY(faults_check(&call->faults));
    Str json;
    TRY(manifest_seal(&release.manifest, call->arena, &json, &release.digest));
    release.id = id_new(S("release"), call->now_ms);
    release.org_id = call->principal.scope;
    release.ref =
        str_print(call->arena, "%.*s@%.*s", STR_FMT(release.application), STR_FMT(release.version));
    release.created_by = call->principal.name;
    release.created_at.ms = call->now_ms;
    TRY(arena_check(call->arena));
    TRY(tx_create(call->tx, &Release_schema, &release));
    TRY(audit_record(call, "release.create", id_str(&release.id), &Release_schema, &release));
    return call_reply(call, &release);
}

static const Route routes[] = {
    {.method = GET,
     .path = "/v1/releases",
     .access = MAY_READ,
     .query = &ReleaseQuery_schema,
     .out = &Release_schema,
     .shape = REPLY_LIST,
     .id = "release_list",
     .doc = "The releases of the organisation",
     .handler = release_list},
    {.method = POST,
     .path = "/v1/releases",
     .access = MAY_OPERATE,
     .in = &Release_schema,
     .out = &Release_schema,
     .status = 201,
     .body_max = MANIFEST_JSON_MAX,
     .id = "release_create",
     .doc = "Publish an immutable release",
     .handler = release_create},
    {.method = GET,
     .path = "/v1/releases/{release_id}",
     .access = MAY_READ,
     .out = &Release_schema,
     .id = "release_show",
     .doc = "One release",
     .handler = release_show},
};
const RouteTable release_routes = ROUTE_TABLE(routes);
