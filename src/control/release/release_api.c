// SPDX-License-Identifier: Apache-2.0
#include "base/scope.h"
#include "control/access.h"
#include "control/call.h"
#include "control/release/release.h"
#include "wire/agent.h"

#include <errno.h>

static const Field ReleaseDocument_fields[] = {
    FIELD(ReleaseDocument, release_id, KEY | HIDDEN, "whose it is", .prefix = "release"),
    FIELD(ReleaseDocument, org_id, SCOPE | HIDDEN, "organisation", .prefix = "org"),
    FIELD(ReleaseDocument, text, HIDDEN, "exact bytes as published", .max = MANIFEST_TEXT_MAX),
};
const Schema ReleaseDocument_schema =
    SCHEMA(ReleaseDocument, "release_document", "a manifest as it was published");

Err release_get(Tx *tx, const Id *id, Release *ret_release) {
    return tx_get(tx, &Release_schema, id_str(id), ret_release);
}

Err release_document(Tx *tx, const Release *release, Document *ret_document) {
    ReleaseDocument stored;
    TRY(tx_get(tx, &ReleaseDocument_schema, id_str(&release->id), &stored));
    *ret_document = (Document){.digest = release->digest, .text = stored.text};
    return SUCCESS;
}

/// Publish the manifest; the document must fit into a message down even where each of its
/// characters is escaped in there.
static Err release_publish(Call *call, Manifest *manifest, Document *ret_document) {
    enum { MESSAGE_ROOM = SYNC_DOWN_MAX - 64 * 1024 };
    manifest_check(manifest, S("/manifest"), &call->faults);
    TRY(faults_check(&call->faults));
    Err err = manifest_publish(manifest, call->arena, ret_document);
    if (err.code == ERR_LIMIT)
        return call_refuse(
            call, S("/manifest"), "must have at most %d bytes as published", MANIFEST_TEXT_MAX);
    TRY(err);
    SCOPED(text_done) Text message;
    text_init(&message, MESSAGE_ROOM);
    text_add_json(&message, ret_document->text);
    if (text_check(&message).code == ERR_LIMIT)
        return call_refuse(call, S("/manifest"), "must have fewer characters that are escaped");
    return text_check(&message);
}

static Err release_save(Call *call, const void *, void *record) {
    Release *release = record;
    Document document;
    TRY(release_publish(call, &release->manifest, &document));
    release->digest = document.digest;
    release->ref = str_print(
        call->arena, "%.*s@%.*s", STR_FMT(release->application), STR_FMT(release->version));
    release->created_by = call->principal.name;
    ReleaseDocument stored = {
        .release_id = release->id, .org_id = release->org_id, .text = document.text};
    return tx_create(call->tx, &ReleaseDocument_schema, &stored);
}

/// One release is shown with its manifest, as far as we know its fields; a list is without.
static Err release_fill(Call *call, void *records, size_t) {
    Release *release = records;
    Document document;
    if (call->route->endpoint != &Release_show) return SUCCESS;
    TRY(release_document(call->tx, release, &document));
    Err err = manifest_show(document.text, call->arena, &release->manifest);
    return err.code == ERR_INVALID ? (Err){ERR_SYSTEM, EBADMSG, "a stored manifest is damaged"}
                                   : err;
}

static const Rules rules = {.save = release_save, .fill = release_fill};

static const Route routes[] = {
    {&Release_list,   MAY_READ,    call_list,   &rules},
    {&Release_create, MAY_OPERATE, call_create, &rules},
    {&Release_show,   MAY_READ,    call_show,   &rules},
};
static const Schema *const stored[] = {&Release_schema, &ReleaseDocument_schema};
const Slice release_slice = {
    .noun = "release", .routes = ROUTE_TABLE(routes), SLICE_STORED(stored)};
