// SPDX-License-Identifier: Apache-2.0
/// What handlers have in common, as calls.
///
/// A route of a plain list, show, create, update or delete names one of these as its handler; which
/// record, which filters and which action in the audit log it is about stands in its Endpoint. What
/// a noun adds are its `Rules`. Any other handler is made of the smaller calls below them.
#pragma once

#include "base/selector.h"
#include "control/app.h"
#include "db/tx.h"

/// What a noun adds to the common handlers: Route.rules, or NULL. Each member may be NULL. A
/// record is one of the endpoint's `out`.
typedef struct Rules {
    /// Judge and complete a record before it is created (`before` is NULL) or updated.
    Err (*save)(Call *call, const void *before, void *record);
    /// Judge the end of a record, and collect the end of what goes with it.
    Err (*drop)(Call *call, const void *record);
    /// Fill in the COMPUTED fields of some records for the reply: of a page all at once, so that
    /// what they need is read at once.
    Err (*fill)(Call *call, void *records, size_t count);
    /// By what records are selected; needed where the list's query has a QUERY_SELECTOR.
    const SelectorKeys *keys;
} Rules;

/// A page of records. Each field of the query record behind its page is a filter, if it is given.
/// With a selector a page may have fewer records than its limit, even none, and yet a next one: a
/// call looks at a bounded number of rows, and its cursor is the last that it looked at.
Err call_list(Call *call);
/// The record with the key in the path (of the caller's organisation where the record is one).
Err call_show(Call *call);
/// Make the record of the body: id, organisation, revision and created_at are set here.
Err call_create(Call *call);
/// Change the record by the body's merge patch. The reply has its new revision.
Err call_update(Call *call);
/// Remove the record with the key in the path.
Err call_delete(Call *call);

/// The record that the path means: its key is the last parameter. `record` is filled.
/// ERR_NOT_FOUND.
Err call_load(Call *call, const Schema *schema, void *record);
/// Collect the update of `before`, which was loaded, to `record`, with its note, and set the
/// record's revision to the new one.
Err call_save(Call *call, const Schema *schema, const void *before, void *record);
/// Open the call's Tx anew, for every organisation: of a public route, whose caller is known by
/// what it shows alone, until that is found. Others never call it.
Err call_see_all(Call *call);
/// From now on only this organisation: of a public route that has found out whose caller it has.
/// Before anything was collected.
Err call_see(Call *call, const Id *org_id);
/// Reply with `record` after its rules have filled it.
Err call_reply_filled(Call *call, void *record);
/// The key of a record, borrowed from it.
Str call_key(const Schema *schema, const void *record);
/// The selector of a list's query; without terms where none is given. 422 where it is none.
Err call_selector(Call *call, Selector *ret_selector);
/// Reply with the records of a list's `query` that meet the selector.
Err call_list_selected(Call *call, const Query *query, const Selector *selector);
/// The query of a list by the call's query record: page and filters.
Err call_query(Call *call, Query *ret_query);
/// A page of what the endpoint lists. 422 where the cursor is none of this query.
Err call_page(Call *call, const Query *query, Page *ret_page);

/// The record with this id is one of `schema` in this organisation. Else 422 with `pointer`:
/// "/fleet_id". Where the schema has revisions the record gets a new one, so that of this call and
/// one that deletes it meanwhile, having seen nobody refer to it, only one commits.
Err call_ref(Call *call, const Schema *schema, const Id *id, Str pointer);
/// Some records of one type, adjacent in memory.
typedef struct Records {
    void *items;
    size_t size; ///< of one
    size_t count;
} Records;
#define RECORDS(array, n) ((Records){(array), sizeof((array)[0]), (n)})
/// A member with the id of another record, and beside it one for what that is called.
typedef struct NameOf {
    size_t id;
    size_t name;
} NameOf;
/// NAMES(NAME_OF(Token, fleet_id, fleet_name), ...)
#define NAME_OF(type, id, name) \
    { FIELD_OFFSET(type, id, Id), FIELD_OFFSET(type, name, Str) }
#define NAMES(...) ((const NameOf[]){__VA_ARGS__, {}})

/// The records of `schema` that the Id at the offset `id` of each of `records` means, in one read:
/// `*ret_items` has one a record, all zeros where there is none.
Err call_refs(Call *call, const Schema *schema, Records records, size_t id, void **ret_items);
/// Set what the records of `schema` are called that `records` refer to (schema_name_field), in the
/// call's arena, in one read; absent when there is no id, no such record or no name.
Err call_names(Call *call, const Schema *schema, Records records, const NameOf *names);

/// Collect the note "the caller did this to `subject`, which was `before` and became `after`". The
/// action is the endpoint's: "fleet.update". Both are of `schema`, or NULL: it was not there, it is
/// gone, or nothing shall be said of it. See audit.h:audit_note.
Err call_note(Call *call, Str subject, const Schema *schema, const void *before, const void *after);
/// The same where the caller is known only now (who signed in, who joined), or for what goes with
/// something else, as if by the `endpoint` that does it alone.
Err call_note_as(Call *call,
                 const Principal *actor,
                 const Endpoint *endpoint,
                 Str subject,
                 const Schema *schema,
                 const void *before,
                 const void *after);
