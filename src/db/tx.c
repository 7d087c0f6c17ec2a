// SPDX-License-Identifier: Apache-2.0
#include "db/engine.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

struct Tx {
    Db *db;
    Arena *arena;
    Str scope; ///< absent: sees everything
    Op *ops;   ///< TX_OPS_MAX of them; NULL before the first write
    size_t op_count;
};

Err tx_open(Db *db, Arena *arena, Str scope, Tx **ret_tx) {
    Tx *tx = ARENA_NEW(arena, Tx);
    if (!tx) return arena_check(arena);
    *tx = (Tx){.db = db, .arena = arena, .scope = str_dup(arena, scope)};
    // A scope lost here would open every scope.
    if (scope.ptr && !tx->scope.ptr) return arena_check(arena);
    *ret_tx = tx;
    return SUCCESS;
}

Tx *tx_close(Tx *tx) {
    if (tx) tx->op_count = 0;
    return NULL;
}

void tx_closep(Tx **tx) {
    *tx = tx_close(*tx);
}

// Reading.

static void tx_select_add(Select *select, size_t column, Value value) {
    assert(select->term_count < SELECT_TERMS_MAX);
    if (value.kind == VALUE_TEXT && !value.text.ptr) value.kind = VALUE_NULL;
    assert(value.kind == VALUE_NULL || (int)value.kind == table_kind(select->table, column));
    select->terms[select->term_count++] = (Term){column, value};
}

/// All rows of the schema that the Tx may see.
static Select tx_select_visible(Tx *tx, const Schema *schema) {
    Select select = {.table = db_table(tx->db, schema), .limit = 1};
    if (tx->scope.ptr && select.table->scope != COLUMN_NONE)
        tx_select_add(&select, select.table->scope, (Value){.kind = VALUE_TEXT, .text = tx->scope});
    return select;
}

static Select tx_select_query(Tx *tx, const Schema *schema, const Query *query) {
    Select select = tx_select_visible(tx, schema);
    for (size_t i = 0; i < TX_CONDITIONS_MAX && query->where[i].field.ptr; i++) {
        size_t column = table_column(select.table, query->where[i].field);
        assert(column != COLUMN_NONE);
        assert(select.table->columns[column]->flags & (INDEXED | UNIQUE | SCOPE | KEY));
        tx_select_add(&select, column, query->where[i].value);
    }
    select.after = query->after;
    select.descending = query->descending;
    return select;
}

/// Records read so far; grows by doubling in the Tx's arena.
typedef struct Page {
    const Table *table;
    Arena *arena;
    char *items;
    size_t count;
    size_t capacity;
} Page;

static Err tx_page_grow(Page *page, size_t capacity) {
    size_t size = page->table->schema->size;
    char *items = arena_array(page->arena, capacity, size, _Alignof(max_align_t));
    if (!items) return arena_check(page->arena);
    if (page->count > 0) memcpy(items, page->items, page->count * size);
    page->items = items;
    page->capacity = capacity;
    return SUCCESS;
}

static Err tx_page_take(void *ctx, const Value *row) {
    Page *page = ctx;
    if (page->count == page->capacity) TRY(tx_page_grow(page, page->capacity * 2));
    void *record = page->items + page->count * page->table->schema->size;
    TRY(table_record(page->table, row, page->arena, record));
    page->count++;
    return SUCCESS;
}

static Err tx_page_read(Tx *tx, const Select *select, Page *ret_page) {
    enum { PAGE_START = 16 };
    Page page = {.table = select->table, .arena = tx->arena};
    TRY(tx_page_grow(&page, select->limit < PAGE_START ? select->limit : PAGE_START));
    TRY(tx->db->engine->select(tx->db, select, (RowSink){tx_page_take, &page}));
    *ret_page = page;
    return SUCCESS;
}

static Err tx_read_one(Tx *tx, const Select *select, void *ret_record) {
    Page page = {};
    TRY(tx_page_read(tx, select, &page));
    if (page.count == 0) return FAIL(ERR_NOT_FOUND, "there is no such record");
    memcpy(ret_record, page.items, select->table->schema->size);
    return SUCCESS;
}

Err tx_get(Tx *tx, const Schema *schema, Str key, void *ret_record) {
    Select select = tx_select_visible(tx, schema);
    tx_select_add(&select, select.table->key, (Value){.kind = VALUE_TEXT, .text = key});
    return tx_read_one(tx, &select, ret_record);
}

Err tx_find(Tx *tx, const Schema *schema, const Query *query, void *ret_record) {
    Select select = tx_select_query(tx, schema, query);
    return tx_read_one(tx, &select, ret_record);
}

Err tx_list(Tx *tx, const Schema *schema, const Query *query, void **ret_items, size_t *ret_count) {
    assert(query->limit >= 1 && query->limit <= TX_PAGE_MAX);
    Select select = tx_select_query(tx, schema, query);
    select.limit = query->limit;
    Page page = {};
    TRY(tx_page_read(tx, &select, &page));
    *ret_items = page.items;
    *ret_count = page.count;
    return SUCCESS;
}

Err tx_count(Tx *tx, const Schema *schema, const Query *query, uint64_t *ret_count) {
    Select select = tx_select_query(tx, schema, query);
    select.after = (Str){};
    return tx->db->engine->count(tx->db, &select, ret_count);
}

// Writing.

static Err tx_op_slot(Tx *tx, Op **ret_slot) {
    if (tx->op_count == TX_OPS_MAX) return FAIL(ERR_LIMIT, "the call writes too many records");
    if (!tx->ops) tx->ops = ARENA_ARRAY(tx->arena, Op, TX_OPS_MAX);
    if (!tx->ops) return arena_check(tx->arena);
    *ret_slot = &tx->ops[tx->op_count];
    return SUCCESS;
}

static bool tx_is_visible(const Tx *tx, const Table *table, const Value *row) {
    if (!tx->scope.ptr || table->scope == COLUMN_NONE) return true;
    const Value *scope = &row[table->scope];
    return scope->kind == VALUE_TEXT && str_eq(scope->text, tx->scope);
}

/// Turn the record's revision, which is returned, into the one that will be stored.
static int64_t tx_row_revise(OpKind kind, Value *rev) {
    int64_t expected = rev->i64;
    if (kind == OP_CREATE || kind == OP_APPEND) rev->i64 = 1;
    if (kind == OP_UPDATE) rev->i64 = expected + 1;
    return expected;
}

static Err tx_op_add(Tx *tx, OpKind kind, const Schema *schema, const void *record, TxLink link) {
    Op *slot = NULL;
    TRY(tx_op_slot(tx, &slot));
    const Table *table = db_table(tx->db, schema);
    Value *row = NULL;
    TRY(table_row(table, record, tx->arena, &row));
    assert(kind == OP_APPEND || row[table->key].kind == VALUE_TEXT);
    if (!tx_is_visible(tx, table, row)) return FAIL(ERR_NOT_FOUND, "there is no such record");
    *slot = (Op){.kind = kind, .table = table, .row = row, .link = link};
    if (table->rev != COLUMN_NONE) slot->rev = tx_row_revise(kind, &row[table->rev]);
    tx->op_count++;
    return SUCCESS;
}

Err tx_create(Tx *tx, const Schema *schema, const void *record) {
    return tx_op_add(tx, OP_CREATE, schema, record, NULL);
}

Err tx_update(Tx *tx, const Schema *schema, const void *record) {
    assert(db_table(tx->db, schema)->rev != COLUMN_NONE);
    return tx_op_add(tx, OP_UPDATE, schema, record, NULL);
}

Err tx_put(Tx *tx, const Schema *schema, const void *record) {
    const Table *table = db_table(tx->db, schema);
    assert(table->rev == COLUMN_NONE);
    for (size_t i = 0; i < table->column_count; i++)
        assert(!table_is_unique(table, i));
    return tx_op_add(tx, OP_PUT, schema, record, NULL);
}

Err tx_delete(Tx *tx, const Schema *schema, const void *record) {
    return tx_op_add(tx, OP_DELETE, schema, record, NULL);
}

Err tx_expect(Tx *tx, const Schema *schema, const void *record) {
    assert(db_table(tx->db, schema)->rev != COLUMN_NONE);
    return tx_op_add(tx, OP_EXPECT, schema, record, NULL);
}

Err tx_append(Tx *tx, const Schema *schema, const void *record, TxLink link) {
    assert(link);
    return tx_op_add(tx, OP_APPEND, schema, record, link);
}

Err tx_commit(Tx *tx) {
    size_t count = tx->op_count;
    tx->op_count = 0;
    return count == 0 ? SUCCESS : tx->db->engine->apply(tx->db, tx->ops, count);
}
