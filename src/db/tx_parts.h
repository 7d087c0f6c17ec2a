// SPDX-License-Identifier: Apache-2.0
/// What the files of Tx share.
#pragma once

#include "db/engine.h"
#include "db/journal.h"

struct Tx {
    Db *db;
    Arena *arena;
    Str scope; ///< absent: sees nothing, or everything
    bool sees_all;
    Op *ops; ///< NULL before the first write
    size_t op_count;
    size_t op_capacity;
    Note *notes;                   ///< TX_NOTES_MAX of them; NULL before the first
    size_t note_ops[TX_NOTES_MAX]; ///< the operation of each
    size_t note_count;
    bool is_patient;
    Submission submission; ///< of the commit under way
    TxDone done;           ///< of its owner
    void *done_ctx;
};

/// Give each note its key: the batch goes to the engine now.
Err tx_notes_stamp(Tx *tx);
/// The notes' batch ended with `err`, which the watch hears of unless nothing came of it; they are
/// forgotten.
void tx_notes_tell(Tx *tx, Err err);

/// All rows of the schema that the Tx may see.
Select tx_select_visible(Tx *tx, const Schema *schema);
/// Require more of the rows.
void tx_select_add(Select *select, size_t column, Value value);
/// The value that the condition is about, as its column has it.
Value tx_condition_value(const Table *table, const Condition *condition);
/// The rows of the schema that the query means, but for its cursor and limit.
Err tx_select_query(Tx *tx, const Schema *schema, const Query *query, Select *ret_select);
