// SPDX-License-Identifier: Apache-2.0
#include "db/cursor.h"
#include "db/tx_parts.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

// Pages.

enum { READING_START = 16, READING_GROWTH = 4 };

/// Records read so far; grows in the Tx's arena, where what it outgrew stays behind.
typedef struct Reading {
    const Table *table;
    Arena *arena;
    char *items;
    size_t count;
    size_t capacity;
    size_t limit;
    bool more; ///< there was a row behind the limit
} Reading;

/// Room for some, or some more.
static Err tx_reading_grow(Reading *reading) {
    size_t size = reading->table->schema->size;
    size_t capacity = reading->capacity ? reading->capacity * READING_GROWTH : READING_START;
    if (capacity > reading->limit) capacity = reading->limit;
    char *items = arena_array(reading->arena, capacity, size, _Alignof(max_align_t));
    if (!items) return arena_check(reading->arena);
    if (reading->count > 0) memcpy(items, reading->items, reading->count * size);
    reading->items = items;
    reading->capacity = capacity;
    return SUCCESS;
}

static Err tx_reading_take(void *ctx, const Value *row) {
    Reading *reading = ctx;
    reading->more = reading->count == reading->limit;
    if (reading->more) return SUCCESS;
    if (reading->count == reading->capacity) TRY(tx_reading_grow(reading));
    void *record = reading->items + reading->count * reading->table->schema->size;
    TRY(table_record(reading->table, row, reading->arena, record));
    reading->count++;
    return SUCCESS;
}

/// At most `limit` rows, and whether there are more.
static Err tx_rows_read(Tx *tx, Select *select, size_t limit, Reading *ret_reading) {
    Reading reading = {.table = select->table, .arena = tx->arena, .limit = limit};
    TRY(tx_reading_grow(&reading));
    select->limit = limit + 1;
    TRY(tx->db->engine->select(tx->db, select, (RowSink){tx_reading_take, &reading}));
    *ret_reading = reading;
    return SUCCESS;
}

static Err tx_row_read(Tx *tx, Select *select, void *ret_record) {
    Reading reading = {.table = select->table, .arena = tx->arena, .limit = 1};
    TRY(tx_reading_grow(&reading));
    select->limit = 1;
    TRY(tx->db->engine->select(tx->db, select, (RowSink){tx_reading_take, &reading}));
    if (reading.count == 0) return FAIL(ERR_NOT_FOUND, "there is no such record");
    memcpy(ret_record, reading.items, select->table->schema->size);
    return SUCCESS;
}

Err tx_get(Tx *tx, const Schema *schema, Str key, void *ret_record) {
    Select select = tx_select_visible(tx, schema);
    tx_select_add(&select, select.table->key, value_str(key));
    return tx_row_read(tx, &select, ret_record);
}

Err tx_find(Tx *tx, const Query *query, void *ret_record) {
    const Schema *schema = query->where[0].member.schema;
    assert(schema);
    Select select;
    TRY(tx_select_query(tx, schema, query, &select));
    return tx_row_read(tx, &select, ret_record);
}

/// The cursor behind a record of the select.
static Err tx_cursor_of(Tx *tx, const Select *select, const void *record, Str *ret_cursor) {
    const Table *table = select->table;
    Value *row = NULL;
    TRY(table_row(table, record, tx->arena, &row));
    return cursor_make(select, row[select->order], row[table->key].text, tx->arena, ret_cursor);
}

Err tx_cursor(
    Tx *tx, const Schema *schema, const Query *query, const void *record, Str *ret_cursor) {
    Select select;
    TRY(tx_select_query(tx, schema, query, &select));
    return tx_cursor_of(tx, &select, record, ret_cursor);
}

Err tx_list(Tx *tx, const Schema *schema, const Query *query, Page *ret_page) {
    assert(query->limit >= 1 && query->limit <= TX_PAGE_MAX);
    Select select;
    TRY(tx_select_query(tx, schema, query, &select));
    if (query->cursor.ptr) TRY(cursor_apply(query->cursor, tx->arena, &select));
    Reading reading;
    TRY(tx_rows_read(tx, &select, query->limit, &reading));
    Page page = {.items = reading.items, .count = reading.count};
    if (reading.more) {
        const void *last = reading.items + (reading.count - 1) * schema->size;
        TRY(tx_cursor_of(tx, &select, last, &page.next));
    }
    *ret_page = page;
    return SUCCESS;
}

// Many by key.

/// A key that is asked for, and for which record.
typedef struct Wanted {
    Str key;
    size_t at;
} Wanted;

typedef struct Gathering {
    const Table *table;
    Arena *arena;
    const Wanted *wanted; ///< by key
    size_t count;
    size_t next; ///< those before have had their row
    char *items;
} Gathering;

static int tx_wanted_cmp(const void *a, const void *b) {
    return str_cmp(((const Wanted *)a)->key, ((const Wanted *)b)->key);
}

/// Rows come by key, too.
static Err tx_gathering_take(void *ctx, const Value *row) {
    Gathering *gathering = ctx;
    const void *first = NULL;
    Str key = row[gathering->table->key].text;
    size_t size = gathering->table->schema->size;
    for (; gathering->next < gathering->count; gathering->next++) {
        const Wanted *wanted = &gathering->wanted[gathering->next];
        int order = str_cmp(wanted->key, key);
        if (order > 0) break;
        if (order < 0) continue;
        void *record = gathering->items + wanted->at * size;
        if (first)
            memcpy(record, first, size);
        else
            TRY(table_record(gathering->table, row, gathering->arena, record));
        first = record;
    }
    return SUCCESS;
}

Err tx_get_many(Tx *tx, const Schema *schema, const Str *keys, size_t count, void **ret_items) {
    Select select = tx_select_visible(tx, schema);
    Gathering gathering = {.table = select.table, .arena = tx->arena};
    Wanted *wanted = ARENA_ARRAY(tx->arena, Wanted, count + 1);
    Value *values = ARENA_ARRAY(tx->arena, Value, count + 1);
    gathering.items = arena_array(tx->arena, count + 1, schema->size, _Alignof(max_align_t));
    TRY(arena_check(tx->arena));
    for (size_t i = 0; i < count; i++)
        if (keys[i].ptr) wanted[gathering.count++] = (Wanted){keys[i], i};
    qsort(wanted, gathering.count, sizeof(*wanted), tx_wanted_cmp);
    size_t distinct = 0;
    for (size_t i = 0; i < gathering.count; i++)
        if (i == 0 || tx_wanted_cmp(&wanted[i - 1], &wanted[i]) != 0)
            values[distinct++] = value_str(wanted[i].key);
    gathering.wanted = wanted;
    select.terms[select.term_count++] =
        (Term){select.table->key, HOW_ONE_OF, .values = values, .count = distinct};
    if (distinct > 0)
        TRY(tx->db->engine->select(tx->db, &select, (RowSink){tx_gathering_take, &gathering}));
    *ret_items = gathering.items;
    return SUCCESS;
}

// Counting.

Err tx_count(Tx *tx, const Schema *schema, const Query *query, uint64_t *ret_count) {
    Select select;
    TRY(tx_select_query(tx, schema, query, &select));
    return tx->db->engine->count(tx->db, &select, ret_count);
}

typedef struct Grouping {
    Arena *arena;
    Group *groups;
    size_t count;
    size_t capacity;
} Grouping;

static Err tx_grouping_take(void *ctx, const Value *row) {
    Grouping *grouping = ctx;
    if (grouping->count == grouping->capacity) {
        size_t capacity = grouping->capacity ? grouping->capacity * 2 : 16;
        Group *groups = ARENA_ARRAY(grouping->arena, Group, capacity);
        TRY(arena_check(grouping->arena));
        if (grouping->count) memcpy(groups, grouping->groups, grouping->count * sizeof(*groups));
        grouping->groups = groups;
        grouping->capacity = capacity;
    }
    Group group = {row[0], (uint64_t)row[1].i64};
    group.value.text = str_dup(grouping->arena, group.value.text);
    TRY(arena_check(grouping->arena));
    grouping->groups[grouping->count++] = group;
    return SUCCESS;
}

Err tx_count_by(Tx *tx, const Query *query, Member by, Group **ret_groups, size_t *ret_count) {
    Select select;
    TRY(tx_select_query(tx, by.schema, query, &select));
    size_t column = table_member(select.table, by);
    assert(table_is_findable(select.table, column));
    Grouping grouping = {.arena = tx->arena};
    TRY(tx->db->engine->count_by(tx->db, &select, column, (RowSink){tx_grouping_take, &grouping}));
    *ret_groups = grouping.groups;
    *ret_count = grouping.count;
    return SUCCESS;
}
