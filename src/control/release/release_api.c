// SPDX-License-Identifier: Apache-2.0
#include "control/access.h"
#include "control/call.h"
#include "control/release/release.h"

Err release_get(Tx *tx, const Id *id, Release *ret_release) {
    return tx_get(tx, &Release_schema, id_str(id), ret_release);
}

static Err release_save(Call *call, const void *, void *record) {
    Release *release = record;
    manifest_check(&release->manifest, S("/manifest"), &call->faults);
    TRY(faults_check(&call->faults));
    Str json;
    TRY(manifest_seal(&release->manifest, call->arena, &json, &release->digest));
    release->ref = str_print(
        call->arena, "%.*s@%.*s", STR_FMT(release->application), STR_FMT(release->version));
    release->created_by = call->principal.name;
    return SUCCESS;
}

static const Rules rules = {.save = release_save};

static const Route routes[] = {
    {&Release_list,   MAY_READ,    call_list,   &rules},
    {&Release_create, MAY_OPERATE, call_create, &rules},
    {&Release_show,   MAY_READ,    call_show,   &rules},
};
static const Schema *const stored[] = {&Release_schema};
const Slice release_slice = {
    .noun = "release", .routes = ROUTE_TABLE(routes), SLICE_STORED(stored)};
