// SPDX-License-Identifier: Apache-2.0
/// Reads freely, commits once.
///
/// A `Tx` is one call's view of the store. Reads go to the engine at once; writes collect as typed
/// operations with preconditions and are applied atomically by a commit, all or none. A Tx does
/// not see its own writes. Records are described by their Schema (base/schema.h): the table is the
/// schema's name, the columns its stored fields, the key its KEY field, and rows come in key order
/// (ids are UUIDv7: order of creation) or in that of an ORDERED field. Such a field is always in
/// the row: absent is stored as 0 or "", and a text that is empty is read back as absent.
///
/// Scope: a Tx is opened for one scope (an organisation). A schema with a SCOPE field is then only
/// visible within it: reads add the condition, writes of another scope are ERR_NOT_FOUND. So no
/// caller can forget it. A Tx whose scope is absent sees nothing at all. tx_open_all is for the few
/// that must see everything (who is signing in, whose key that is, background work). A row stays in
/// the scope it was made in: an update, delete or expectation whose record names another scope than
/// the stored row finds none. UNIQUE holds within a scope (in the whole table where the schema has
/// none, or the field is GLOBAL); keys are unique in the whole table.
///
/// Revisions: the REV field is 1 after tx_create and grows by one with each tx_update; tx_update
/// and tx_delete apply only if the stored revision is the one that `record` holds. LOOSE fields are
/// outside of it: tx_create, tx_set and tx_add write them, tx_update leaves them as they are; else
/// every tx_add would be a lost race for whoever holds the row.
///
/// "At most" and "at least" over many rows are counters: a LOOSE number, changed by tx_add in the
/// commit that makes or removes such a row.
///
/// The same shape fits an embedded engine and one over a network that takes one atomic block and
/// has no interactive transactions; ids and times come from the caller, so a retry is idempotent.
#pragma once

#include "db/condition.h"

typedef struct Db Db;
typedef struct Tx Tx;

enum {
    TX_OPS_MAX = 512,      ///< writes of one Tx
    TX_NOTES_MAX = 16,     ///< notes among them
    TX_CONDITIONS_MAX = 4, ///< conditions of one query
    TX_PAGE_MAX = 1000,    ///< rows of one tx_list
};

/// Which rows, by key or by `order`. `{.limit = n}` is all of them.
typedef struct Query {
    Condition where[TX_CONDITIONS_MAX]; ///< and-ed; ends at the first without a member
    Member order;                       ///< an ORDERED member, then the key; none: the key
    bool descending;                    ///< greatest first
    Str cursor;                         ///< a Page's `next`; absent: from the start
    size_t limit;                       ///< of tx_list: 1..TX_PAGE_MAX
} Query;

/// Rows of a query, in its order.
typedef struct Page {
    void *items; ///< `count` records in the arena, possibly none
    size_t count;
    Str next; ///< the cursor of what comes behind, in the arena; absent: this is the end
} Page;

/// Rows with one value of a member.
typedef struct Group {
    Value value; ///< of an enum: its text; VALUE_NULL: rows without one
    uint64_t count;
} Group;

/// Open a call's view. Cheap; takes nothing from the engine yet. Read rows live in `arena`.
/// An absent scope sees nothing.
Err tx_open(Db *db, Arena *arena, Str scope, Tx **ret_tx);
/// The same for every scope at once.
Err tx_open_all(Db *db, Arena *arena, Tx **ret_tx);
/// Drop uncommitted writes and give back what was taken. NULL-safe; returns NULL.
Tx *tx_close(Tx *tx);
/// tx_close for SCOPED.
void tx_closep(Tx **tx);

/// The row with this key. ERR_NOT_FOUND: none in the Tx's scope.
Err tx_get(Tx *tx, const Schema *schema, Str key, void *ret_record);
/// One record a key, in the order of the keys, in one read; that of a key that is absent, or of no
/// row in the Tx's scope, is all zeros. A key may be there several times.
Err tx_get_many(Tx *tx, const Schema *schema, const Str *keys, size_t count, void **ret_items);
/// The only row that meets the conditions, of which there is one at least (of a UNIQUE field, say):
/// the first in its order. ERR_NOT_FOUND: none.
Err tx_find(Tx *tx, const Query *query, void *ret_record);
/// A page of rows. ERR_INVALID: the cursor is not one of this query.
Err tx_list(Tx *tx, const Schema *schema, const Query *query, Page *ret_page);
/// The cursor behind `record` in the query's order, in the arena, for who stops within a page.
Err tx_cursor(
    Tx *tx, const Schema *schema, const Query *query, const void *record, Str *ret_cursor);
/// How many rows meet the conditions (cursor and limit do not count).
Err tx_count(Tx *tx, const Schema *schema, const Query *query, uint64_t *ret_count);
/// The same for each value of `by` that there is: a KEY, SCOPE, UNIQUE, INDEXED or ORDERED member,
/// whose schema the query is about. By value; rows without one come first.
Err tx_count_by(Tx *tx, const Query *query, Member by, Group **ret_groups, size_t *ret_count);

/// Collect writes. They copy what they need of `record` into the arena. ERR_LIMIT: more than
/// TX_OPS_MAX. ERR_NOT_FOUND: the record is of another scope. What they require is checked by
/// the commit, which fails with what stands in brackets.
/// Insert. [ERR_EXISTS: its key or a UNIQUE value is taken]
Err tx_create(Tx *tx, const Schema *schema, const void *record);
/// Replace all but LOOSE fields of the row if it still has the record's revision. [ERR_CONFLICT: it
/// has not. ERR_EXISTS: a UNIQUE value is taken]
Err tx_update(Tx *tx, const Schema *schema, const void *record);
/// Insert or replace, last writer wins. For status rows whose schema has no REV and no UNIQUE.
/// [ERR_EXISTS: the key is taken in another scope]
Err tx_put(Tx *tx, const Schema *schema, const void *record);
/// Insert, or replace if the stored `epoch`, a whole number, is below the record's. Of the same
/// schemas. [ERR_CONFLICT: it is not, or the row is of another scope]
Err tx_put_if(Tx *tx, const void *record, Member epoch);
/// Write these LOOSE members of the record's row, which ends with {}: MEMBERS(...).
/// [ERR_NOT_FOUND: there is no such row]
Err tx_set(Tx *tx, const void *record, const Member *members);
/// counter += by, if the result is within min..max, which lie within 2^53. A LOOSE member.
/// [ERR_LIMIT: it is not. ERR_NOT_FOUND: there is no such row]
Err tx_add(Tx *tx, Str key, Member counter, int64_t by, int64_t min, int64_t max);
/// Remove the row if it still has the record's revision. A schema without REV: remove it if it is
/// there. [ERR_CONFLICT: it has not]
Err tx_delete(Tx *tx, const Schema *schema, const void *record);
/// Remove the rows that meet the query's conditions, of which there is one at least, when it is
/// applied; with a limit, those of the least keys. On an engine with several writers a row that is
/// being made beside it may stay: who makes such rows expects a row that the deleting batch
/// changes.
Err tx_delete_where(Tx *tx, const Query *query);
/// Write nothing, but require that the row still has the record's revision. [ERR_CONFLICT]
Err tx_expect(Tx *tx, const Schema *schema, const void *record);
/// Require that no row has this value: an IS of a KEY or UNIQUE member. What is unique within a
/// scope is looked for in the Tx's. [ERR_EXISTS: one has]
Err tx_expect_absent(Tx *tx, Condition is);

#define TX_OP_NONE SIZE_MAX

/// Which operation failed, by the order in which they were collected.
typedef struct TxFault {
    size_t op;            ///< TX_OP_NONE: no single one
    const Schema *schema; ///< what it was about; NULL: no single one
    const Field *field;   ///< of ERR_EXISTS: one of the fields that are taken; else NULL
} TxFault;

/// Called once, when the batch is durable or never will be. On a thread of the store, for which all
/// other writers wait: it hands on what is encoded already, or puts the call back to a worker; it
/// does not wait, and does not commit and wait. `fault` is borrowed and tells of a failure.
typedef void (*TxDone)(void *ctx, Err err, const TxFault *fault);
/// This commit is in no hurry: it may wait a few milliseconds, so that more of its kind share it.
void tx_patient(Tx *tx);
/// Apply everything collected, atomically and durably, or nothing, and call `done`; the only way to
/// write. The Tx and its arena belong to the store until then; afterwards the Tx is empty and may
/// be used again. Errors: what the operations require; ERR_BUSY: too many commits wait, nothing was
/// applied; ERR_UNAVAILABLE: the store cannot be reached; ERR_FULL, ERR_SYSTEM: the disk is full or
/// broken. Where nothing was collected, or too many wait, `done` is called at once, on this thread;
/// and it may be called before this returns in any case.
void tx_commit_then(Tx *tx, TxDone done, void *ctx);
/// The same, and wait for it: where a thread may, as while a program starts, and in tests.
/// `ret_fault` is set on failure; NULL: nobody asks.
Err tx_commit(Tx *tx, TxFault *ret_fault);
