// SPDX-License-Identifier: Apache-2.0
/// What the files of Tx share.
#pragma once

#include "db/engine.h"

struct Tx {
    Db *db;
    Arena *arena;
    Str scope; ///< absent: sees everything
    Op *ops;   ///< TX_OPS_MAX of them; NULL before the first write
    size_t op_count;
};

/// All rows of the schema that the Tx may see.
Select tx_select_visible(Tx *tx, const Schema *schema);
/// The rows of the schema that the query means, but for its cursor and limit.
Err tx_select_query(Tx *tx, const Schema *schema, const Query *query, Select *ret_select);
