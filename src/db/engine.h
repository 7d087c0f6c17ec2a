// SPDX-License-Identifier: Apache-2.0
/// What an engine is: it selects rows, and it applies a list of operations as one.
///
/// tx.c has already added the scope, checked the conditions and made rows of records, so that
/// engines are small and agree. Adding an engine means filling in one `Engine`.
#pragma once

#include "db/db.h"
#include "db/journal.h"
#include "db/table.h"

#include <stdatomic.h>

/// "this column is / is below / is at least this value, or is one of these"; HOW_BEGINS is two of
/// them. A NULL value is met by nothing.
typedef struct Term {
    size_t column;
    How how;
    Value value;
    const Value *values; ///< of HOW_ONE_OF: I64 or TEXT, as the column
    size_t count;
} Term;

enum { SELECT_TERMS_MAX = 2 * TX_CONDITIONS_MAX + 2 };

/// Which rows of a table, in the order of a column and the key.
typedef struct Select {
    const Table *table;
    Term terms[SELECT_TERMS_MAX]; ///< and-ed
    size_t term_count;
    size_t order;      ///< a column; the key's: by key alone
    Str after;         ///< only rows beyond the one of this key; absent = from the start
    Value after_value; ///< what that one has in `order`
    bool descending;
    size_t limit; ///< 0: none
} Select;

/// Who takes the rows of a Select, one by one; `row` is borrowed for the call.
typedef struct RowSink {
    Err (*take)(void *ctx, const Value *row);
    void *ctx;
} RowSink;

typedef enum OpKind {
    OP_CREATE,
    OP_UPDATE,
    OP_PUT,
    OP_PUT_IF,
    OP_SET,
    OP_ADD,
    OP_DELETE,
    OP_DELETE_WHERE,
    OP_EXPECT,
    OP_EXPECT_ABSENT,
    OP_KIND_COUNT
} OpKind;

/// One write. The row that it is about has the key and the scope of `row`, or meets `select`.
///
/// OP_CREATE inserts; ERR_EXISTS if the key or a unique value is taken.
/// OP_UPDATE, OP_EXPECT: ERR_CONFLICT unless there is such a row, with revision `rev`. An update
/// leaves LOOSE columns.
/// OP_DELETE: the same where the table has revisions; without, a missing row is well.
/// OP_PUT inserts or replaces; ERR_EXISTS if the key is taken in another scope.
/// OP_PUT_IF the same if the stored `column` is below that of `row`; else ERR_CONFLICT.
/// OP_SET writes the columns in `set`; ERR_NOT_FOUND unless there is such a row.
/// OP_ADD adds `by` to `column` if that has `least`..`most` before; else ERR_LIMIT, or
/// ERR_NOT_FOUND unless a row meets `select`. OP_DELETE_WHERE removes what meets `select`, at most
/// its limit. OP_EXPECT_ABSENT: ERR_EXISTS if a row meets `select`, whose term is about `column`.
typedef struct Op {
    OpKind kind;
    const Table *table;
    const Value *row; ///< as it is to be stored, the new revision included
    int64_t rev;      ///< the revision that the stored row must have
    Value *own_row;   ///< the same as `row`, for tx.c until it is handed on
    const bool *set;  ///< of OP_SET: one a column
    size_t column;
    int64_t by, least, most; ///< of OP_ADD
    const Select *select;
} Op;

/// What is handed to an engine to be applied. It lives in the Tx, and the operations in its arena,
/// so both belong to the store until `done` was called.
typedef struct Submission {
    const Op *ops;
    size_t count;
    bool is_patient; ///< may wait for others to share a commit with
    TxDone done;
    void *ctx;
    // The engine's until then.
    struct Submission *next;
    Err err;
    TxFault fault;
} Submission;

/// The end of a submission. Nothing of it is touched afterwards: its memory may be gone.
static inline void submission_end(Submission *submission) {
    submission->done(submission->ctx, submission->err, &submission->fault);
}

typedef struct Engine {
    /// Give the rows to `sink`; stop at its first error and return that.
    Err (*select)(Db *db, const Select *select, RowSink sink);
    /// Count the rows that meet the terms.
    Err (*count)(Db *db, const Select *select, uint64_t *ret_count);
    /// Give a row of two for each value of `column` among the rows that meet the terms, by value,
    /// NULL first: the value, and how many (I64).
    Err (*count_by)(Db *db, const Select *select, size_t column, RowSink sink);
    /// Apply all operations, each seeing those before it, atomically and durably; or none. Then end
    /// the submission, once, here or on another thread. Does not wait for a disk or a network.
    void (*apply)(Db *db, Submission *submission);
    /// Read something.
    Err (*check)(Db *db);
    /// Close and free.
    void (*close)(Db *db);
} Engine;

/// What every engine's object begins with.
struct Db {
    const Engine *engine;
    Table *tables; ///< malloc'ed
    size_t table_count;
    NoteWatch watch;
    _Atomic uint64_t note_last; ///< the greatest of the keys of notes, without the node
    uint32_t node;              ///< random: tells this process's keys from another's
};

enum { NOTE_COUNT_BITS = 20 }; ///< of note_last; the rest are Unix milliseconds

/// Set the engine and make the tables of `options`. ERR_MEMORY: out of memory.
Err db_init(Db *db, const Engine *engine, const DbOptions *options);
/// Free what db_init made.
void db_done(Db *db);
/// The table of `schema`, which must be one of the options' (asserted).
const Table *db_table(const Db *db, const Schema *schema);
