// SPDX-License-Identifier: Apache-2.0
/// The contract of Tx, over both engines.
#include "base/scope.h"
#include "db/db_fixture.h"

#include "test.h"

#define BOTH(name)                                  \
    static void name##_on(Fixture *fixture);        \
    TEST(name##_in_memory) {                        \
        SCOPED(fixture_close) Fixture fixture = {}; \
        fixture_open(&fixture, ENGINE_MEMORY);      \
        name##_on(&fixture);                        \
    }                                               \
    TEST(name##_in_sqlite) {                        \
        SCOPED(fixture_close) Fixture fixture = {}; \
        fixture_open(&fixture, ENGINE_SQLITE);      \
        name##_on(&fixture);                        \
    }                                               \
    static void name##_on(Fixture *fixture)
#define BOTH_CASES(name) CASE(name##_in_memory), CASE(name##_in_sqlite)

static Tx *tx_new(Fixture *fixture, const char *scope) {
    Tx *tx = NULL;
    CHECK_OK(tx_open(fixture->db, &fixture->arena, str_from(scope), &tx));
    return tx;
}

static Crate add(Fixture *fixture, const char *yard, const char *name, unsigned number) {
    Crate crate = crate_new(&fixture->arena, yard, name, number);
    CHECK_OK(crate_create(fixture->db, &crate));
    crate.rev = 1;
    return crate;
}

static Crate crate_get(Fixture *fixture, const Id *id) {
    Crate crate = {};
    CHECK_OK(tx_get(tx_new(fixture, NULL), &Crate_schema, id_str(id), &crate));
    return crate;
}

BOTH(every_kind_of_field_comes_back) {
    Crate crate = crate_new(&fixture->arena, "north", "a", 1);
    crate.colour = COLOUR_BLUE;
    crate.size = (1ull << 53) - 1;
    crate.offset = -5;
    crate.weight = 0.1;
    crate.sealed = true;
    crate.packed_at.ms = 1'764'000'000'123;
    crate.keeps_for.ms = 90'000;
    crate.mark = (Bytes){(const uint8_t *)"\0\1\xff", 3};
    crate.note.text = S("{\"a\":[1,2]}");
    crate.owners = (StrList){
        (Str[]){S("ann"), S("b\"ob")},
        2
    };
    crate.labels = (StrMap){(StrPair[]){{S("k"), S("v")}}, 1};
    CHECK_OK(crate_create(fixture->db, &crate));

    Crate got = crate_get(fixture, &crate.id);
    CHECK(id_eq(&got.id, &crate.id));
    CHECK_STR(got.yard, S("north"));
    CHECK_STR(got.name, S("a"));
    CHECK(got.colour == COLOUR_BLUE && got.size == crate.size && got.offset == -5);
    CHECK(got.weight <= 0.1 && got.weight >= 0.1 && got.sealed);
    CHECK(got.packed_at.ms == crate.packed_at.ms && got.keeps_for.ms == 90'000);
    CHECK_STR(((Str){(const char *)got.mark.ptr, got.mark.len}), ((Str){"\0\1\xff", 3}));
    CHECK_STR(got.note.text, crate.note.text);
    CHECK(got.owners.count == 2);
    CHECK_STR(got.owners.items[1], S("b\"ob"));
    CHECK_STR(str_map_find(got.labels, S("k")), S("v"));
    CHECK(got.rev == 1);
}

BOTH(absent_comes_back_absent_and_empty_comes_back_empty) {
    Crate crate = crate_new(&fixture->arena, "north", NULL, 1);
    crate.note.text = (Str){};
    crate.mark = (Bytes){(const uint8_t *)"", 0};
    CHECK_OK(crate_create(fixture->db, &crate));
    Crate got = crate_get(fixture, &crate.id);
    CHECK(!got.name.ptr && !got.note.text.ptr && got.owners.count == 0 && got.packed_at.ms == 0);
    CHECK(got.mark.ptr && got.mark.len == 0);
}

BOTH(a_tx_does_not_see_its_own_writes_until_they_are_committed) {
    Tx *tx = tx_new(fixture, "north");
    Crate crate = crate_new(&fixture->arena, "north", "a", 1);
    Crate got = {};
    CHECK_OK(tx_create(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_get(tx, &Crate_schema, id_str(&crate.id), &got), ERR_NOT_FOUND);
    CHECK(id_is_absent(&got.id));
    CHECK_OK(tx_commit(tx));
    CHECK_OK(tx_get(tx, &Crate_schema, id_str(&crate.id), &got));
    tx_close(tx);
}

BOTH(closing_drops_what_was_not_committed) {
    Tx *tx = tx_new(fixture, "north");
    Crate crate = crate_new(&fixture->arena, "north", "a", 1);
    CHECK_OK(tx_create(tx, &Crate_schema, &crate));
    CHECK(tx_close(tx) == NULL);
    CHECK(tx_close(NULL) == NULL);
    uint64_t count = 9;
    CHECK_OK(tx_count(tx_new(fixture, NULL), &Crate_schema, &(Query){}, &count));
    CHECK(count == 0);
}

BOTH(writes_copy_the_record) {
    Tx *tx = tx_new(fixture, "north");
    char name[] = "before";
    Crate crate = crate_new(&fixture->arena, "north", NULL, 1);
    crate.name = str_from(name);
    CHECK_OK(tx_create(tx, &Crate_schema, &crate));
    name[0] = 'B';
    crate.size = 7;
    CHECK_OK(tx_commit(tx));
    Crate got = crate_get(fixture, &crate.id);
    CHECK_STR(got.name, S("before"));
    CHECK(got.size == 0);
}

BOTH(a_taken_key_or_name_is_refused) {
    Crate first = add(fixture, "north", "a", 1);
    Crate same_key = crate_new(&fixture->arena, "north", "b", 1);
    CHECK_ERR(crate_create(fixture->db, &same_key), ERR_EXISTS);
    Crate other_yard = crate_new(&fixture->arena, "south", "b", 1);
    CHECK_ERR(crate_create(fixture->db, &other_yard), ERR_EXISTS);
    Crate same_name = crate_new(&fixture->arena, "north", "a", 2);
    CHECK_ERR(crate_create(fixture->db, &same_name), ERR_EXISTS);

    Crate second = add(fixture, "north", "b", 3);
    second.name = S("a");
    CHECK_ERR(crate_update(fixture->db, &second), ERR_EXISTS);
    first.size = 2; // its own name does not count against it
    CHECK_OK(crate_update(fixture->db, &first));
}

BOTH(names_are_unique_within_a_scope_only_and_absent_ones_never_collide) {
    add(fixture, "north", "a", 1);
    add(fixture, "south", "a", 2);
    add(fixture, "north", NULL, 3);
    add(fixture, "north", NULL, 4);
    Crate unscoped = crate_new(&fixture->arena, NULL, "a", 5);
    CHECK_OK(crate_create(fixture->db, &unscoped));
    unscoped = crate_new(&fixture->arena, NULL, "a", 6);
    CHECK_OK(crate_create(fixture->db, &unscoped));
}

BOTH(a_unique_field_without_a_scope_is_unique_in_the_table) {
    Tx *tx = tx_new(fixture, "north");
    CHECK_OK(tx_create(tx, &Tag_schema, &(Tag){.name = S("a"), .alias = S("x")}));
    CHECK_OK(tx_create(tx, &Tag_schema, &(Tag){.name = S("b"), .alias = S("x")}));
    CHECK_ERR(tx_commit(tx), ERR_EXISTS);
    CHECK_OK(tx_create(tx, &Tag_schema, &(Tag){.name = S("a")}));
    CHECK_OK(tx_create(tx, &Tag_schema, &(Tag){.name = S("b")}));
    CHECK_OK(tx_commit(tx));
}

BOTH(an_update_takes_the_revision_it_read_and_no_other) {
    Crate crate = add(fixture, "north", "a", 1);
    crate.size = 10;
    CHECK_OK(crate_update(fixture->db, &crate));
    CHECK(crate_get(fixture, &crate.id).rev == 2);
    crate.size = 11; // still revision 1
    CHECK_ERR(crate_update(fixture->db, &crate), ERR_CONFLICT);
    CHECK(crate_get(fixture, &crate.id).size == 10);
    Crate missing = crate_new(&fixture->arena, "north", "b", 2);
    missing.rev = 1;
    CHECK_ERR(crate_update(fixture->db, &missing), ERR_CONFLICT);
}

BOTH(a_delete_takes_the_revision_it_read_and_no_other) {
    Crate crate = add(fixture, "north", "a", 1);
    Tx *tx = tx_new(fixture, "north");
    crate.rev = 2;
    CHECK_OK(tx_delete(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_commit(tx), ERR_CONFLICT);
    crate.rev = 1;
    CHECK_OK(tx_delete(tx, &Crate_schema, &crate));
    CHECK_OK(tx_commit(tx));
    CHECK_OK(tx_delete(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_commit(tx), ERR_CONFLICT);
    add(fixture, "north", "a", 2); // the name is free again
}

BOTH(a_record_without_revisions_is_deleted_if_it_is_there) {
    Tx *tx = tx_new(fixture, "north");
    Gauge gauge = {.name = S("g"), .yard = S("north"), .level = 1};
    CHECK_OK(tx_put(tx, &Gauge_schema, &gauge));
    CHECK_OK(tx_commit(tx));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(tx_delete(tx, &Gauge_schema, &gauge));
        CHECK_OK(tx_commit(tx));
    }
    CHECK_ERR(tx_get(tx, &Gauge_schema, S("g"), &gauge), ERR_NOT_FOUND);
}

BOTH(a_put_inserts_and_replaces) {
    Tx *tx = tx_new(fixture, "north");
    for (uint64_t level = 1; level <= 3; level++) {
        Gauge gauge = {.name = S("g"), .yard = S("north"), .level = level};
        CHECK_OK(tx_put(tx, &Gauge_schema, &gauge));
        CHECK_OK(tx_commit(tx));
        Gauge got = {};
        CHECK_OK(tx_get(tx, &Gauge_schema, S("g"), &got));
        CHECK(got.level == level);
    }
}

BOTH(an_expectation_that_fails_stops_the_other_writes) {
    Crate crate = add(fixture, "north", "a", 1);
    Crate other = crate_new(&fixture->arena, "north", "b", 2);
    Tx *tx = tx_new(fixture, "north");
    CHECK_OK(tx_create(tx, &Crate_schema, &other));
    crate.rev = 2;
    CHECK_OK(tx_expect(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_commit(tx), ERR_CONFLICT);
    Crate got = {};
    CHECK_ERR(tx_get(tx, &Crate_schema, id_str(&other.id), &got), ERR_NOT_FOUND);

    crate.rev = 1;
    CHECK_OK(tx_create(tx, &Crate_schema, &other));
    CHECK_OK(tx_expect(tx, &Crate_schema, &crate));
    CHECK_OK(tx_commit(tx));
    CHECK(crate_get(fixture, &crate.id).rev == 1);
}

BOTH(a_commit_applies_all_or_nothing) {
    Crate kept = add(fixture, "north", "kept", 1);
    Crate gone = add(fixture, "north", "gone", 2);
    Gauge gauge = {.name = S("g"), .yard = S("north"), .level = 5};
    Tx *tx = tx_new(fixture, "north");
    CHECK_OK(tx_put(tx, &Gauge_schema, &gauge));
    CHECK_OK(tx_commit(tx));

    gauge.level = 6;
    CHECK_OK(tx_put(tx, &Gauge_schema, &gauge));
    CHECK_OK(tx_delete(tx, &Crate_schema, &gone));
    kept.size = 1;
    CHECK_OK(tx_update(tx, &Crate_schema, &kept));
    kept.rev = 2;
    kept.size = 2;
    CHECK_OK(tx_update(tx, &Crate_schema, &kept));
    CHECK_OK(tx_append(tx, &Entry_schema, &(Entry){.yard = S("north")}, entry_link));
    Crate clash = crate_new(&fixture->arena, "north", "kept", 3);
    CHECK_OK(tx_create(tx, &Crate_schema, &clash));
    CHECK_ERR(tx_commit(tx), ERR_EXISTS);

    CHECK(crate_get(fixture, &kept.id).size == 0 && crate_get(fixture, &kept.id).rev == 1);
    CHECK(crate_get(fixture, &gone.id).rev == 1);
    Gauge got = {};
    CHECK_OK(tx_get(tx, &Gauge_schema, S("g"), &got));
    CHECK(got.level == 5);
    uint64_t count = 9;
    CHECK_OK(tx_count(tx, &Entry_schema, &(Query){}, &count));
    CHECK(count == 0);
    CHECK_OK(tx_commit(tx)); // the Tx is empty after the failure
}

BOTH(each_write_of_a_commit_sees_those_before_it) {
    Crate crate = add(fixture, "north", "a", 1);
    Crate next = crate_new(&fixture->arena, "north", "a", 2);
    Tx *tx = tx_new(fixture, "north");
    CHECK_OK(tx_delete(tx, &Crate_schema, &crate));
    CHECK_OK(tx_create(tx, &Crate_schema, &next)); // takes the name
    next.rev = 1;
    next.size = 3;
    CHECK_OK(tx_update(tx, &Crate_schema, &next));
    CHECK_OK(tx_commit(tx));
    CHECK(crate_get(fixture, &next.id).rev == 2 && crate_get(fixture, &next.id).size == 3);
}

BOTH(another_scope_is_invisible_to_reads) {
    Crate north = add(fixture, "north", "a", 1);
    add(fixture, "south", "a", 2);
    Tx *tx = tx_new(fixture, "south");
    Crate got = {};
    CHECK_ERR(tx_get(tx, &Crate_schema, id_str(&north.id), &got), ERR_NOT_FOUND);
    CHECK_OK(tx_find(tx, &Crate_schema, &(Query){.where = {WHERE_STR("name", S("a"))}}, &got));
    CHECK_STR(got.yard, S("south"));
    Query theirs = {.where = {WHERE_STR("yard", S("north"))}, .limit = 10};
    void *items = NULL;
    size_t listed = 9;
    CHECK_OK(tx_list(tx, &Crate_schema, &theirs, &items, &listed));
    CHECK(listed == 0 && items);
    uint64_t count = 0;
    CHECK_OK(tx_count(tx, &Crate_schema, &(Query){}, &count));
    CHECK(count == 1);
    CHECK_OK(tx_count(tx_new(fixture, NULL), &Crate_schema, &(Query){}, &count));
    CHECK(count == 2);
    CHECK_OK(tx_count(tx_new(fixture, ""), &Crate_schema, &(Query){}, &count));
    CHECK(count == 0); // an empty scope is not an absent one
}

BOTH(another_scope_is_invisible_to_writes) {
    Crate north = add(fixture, "north", "a", 1);
    Tx *tx = tx_new(fixture, "south");
    CHECK_ERR(tx_create(tx, &Crate_schema, &north), ERR_NOT_FOUND);
    CHECK_ERR(tx_update(tx, &Crate_schema, &north), ERR_NOT_FOUND);
    CHECK_ERR(tx_delete(tx, &Crate_schema, &north), ERR_NOT_FOUND);
    CHECK_ERR(tx_expect(tx, &Crate_schema, &north), ERR_NOT_FOUND);
    Gauge gauge = {.name = S("g"), .yard = S("north")};
    CHECK_ERR(tx_put(tx, &Gauge_schema, &gauge), ERR_NOT_FOUND);
    CHECK_ERR(tx_append(tx, &Entry_schema, &(Entry){.yard = S("north")}, entry_link),
              ERR_NOT_FOUND);
    CHECK_ERR(tx_put(tx, &Gauge_schema, &(Gauge){.name = S("g")}), ERR_NOT_FOUND);
    CHECK_OK(tx_commit(tx));
    CHECK(crate_get(fixture, &north.id).rev == 1);
}

BOTH(a_record_that_lies_about_its_scope_reaches_no_row_of_another) {
    Crate crate = add(fixture, "north", "a", 1);
    Gauge gauge = {.name = S("g"), .yard = S("north"), .level = 1};
    Tx *north = tx_new(fixture, "north");
    CHECK_OK(tx_put(north, &Gauge_schema, &gauge));
    CHECK_OK(tx_commit(north));

    Tx *tx = tx_new(fixture, "south");
    crate.yard = S("south");
    CHECK_OK(tx_update(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_commit(tx), ERR_CONFLICT);
    CHECK_OK(tx_delete(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_commit(tx), ERR_CONFLICT);
    CHECK_OK(tx_expect(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_commit(tx), ERR_CONFLICT);
    gauge = (Gauge){.name = S("g"), .yard = S("south"), .level = 2};
    CHECK_OK(tx_put(tx, &Gauge_schema, &gauge));
    CHECK_ERR(tx_commit(tx), ERR_EXISTS);
    CHECK_OK(tx_delete(tx, &Gauge_schema, &gauge));
    CHECK_OK(tx_commit(tx));
    CHECK_OK(tx_get(north, &Gauge_schema, S("g"), &gauge));
    CHECK(gauge.level == 1);
}

BOTH(find_takes_the_first_that_meets_all_conditions) {
    for (unsigned i = 1; i <= 4; i++) {
        Crate crate = crate_new(&fixture->arena, "north", NULL, i);
        crate.colour = i % 2 ? COLOUR_RED : COLOUR_GREEN;
        crate.size = i / 3;
        CHECK_OK(crate_create(fixture->db, &crate));
    }
    Tx *tx = tx_new(fixture, "north");
    Crate got = {};
    Query query = {
        .where = {WHERE_STR("colour", S("red")), WHERE_U64("size", 1)}
    };
    CHECK_OK(tx_find(tx, &Crate_schema, &query, &got));
    CHECK_STR(id_str(&got.id), S("crate_00000000000000000000000003"));
    query.where[1] = WHERE_U64("size", 7);
    CHECK_ERR(tx_find(tx, &Crate_schema, &query, &got), ERR_NOT_FOUND);
    query = (Query){.where = {WHERE_STR("name", (Str){})}};
    CHECK_ERR(tx_find(tx, &Crate_schema, &query, &got), ERR_NOT_FOUND); // absent equals nothing
}

/// Keys of a page, as their last digits.
static Str page_text(Fixture *fixture, Tx *tx, const Query *query, Str *ret_last) {
    void *items = NULL;
    size_t count = 0;
    CHECK_OK(tx_list(tx, &Crate_schema, query, &items, &count));
    const Crate *crates = items;
    Str text = S("");
    for (size_t i = 0; i < count; i++) {
        *ret_last = id_str(&crates[i].id);
        text =
            str_print(&fixture->arena, "%.*s%c", STR_FMT(text), ret_last->ptr[ret_last->len - 1]);
    }
    return text;
}

BOTH(pages_follow_each_other_in_both_directions) {
    static const unsigned order[] = {4, 1, 5, 3, 2};
    for (size_t i = 0; i < 5; i++)
        add(fixture, "north", NULL, order[i]);
    Tx *tx = tx_new(fixture, "north");
    Str last = {};
    CHECK_STR(page_text(fixture, tx, &(Query){.limit = 9}, &last), S("12345"));
    CHECK_STR(page_text(fixture, tx, &(Query){.limit = 2}, &last), S("12"));
    CHECK_STR(page_text(fixture, tx, &(Query){.limit = 2, .after = last}, &last), S("34"));
    CHECK_STR(page_text(fixture, tx, &(Query){.limit = 2, .after = last}, &last), S("5"));
    CHECK_STR(page_text(fixture, tx, &(Query){.limit = 2, .after = last}, &last), S(""));
    Query down = {.limit = 3, .descending = true};
    CHECK_STR(page_text(fixture, tx, &down, &last), S("543"));
    down.after = last;
    CHECK_STR(page_text(fixture, tx, &down, &last), S("21"));
    down.after = S("crate_000000000000000000000000025"); // a key that is not there
    CHECK_STR(page_text(fixture, tx, &down, &last), S("21"));
}

BOTH(a_long_page_holds_every_record_whole) {
    enum { COUNT = 100 };
    for (unsigned i = 0; i < COUNT; i++)
        add(fixture, "north", str_print(&fixture->arena, "name %u", i).ptr, i);
    void *items = NULL;
    size_t count = 0;
    Tx *tx = tx_new(fixture, "north");
    CHECK_OK(tx_list(tx, &Crate_schema, &(Query){.limit = TX_PAGE_MAX}, &items, &count));
    CHECK(count == COUNT);
    const Crate *crates = items;
    for (unsigned i = 0; i < COUNT; i++)
        CHECK_STR(crates[i].name, str_print(&fixture->arena, "name %u", i));
}

BOTH(a_chain_has_no_gap_within_a_tx_and_across) {
    Tx *tx = tx_new(fixture, NULL);
    CHECK_OK(
        tx_append(tx, &Entry_schema, &(Entry){.yard = S("north"), .text = S("1")}, entry_link));
    CHECK_OK(
        tx_append(tx, &Entry_schema, &(Entry){.yard = S("south"), .text = S("1")}, entry_link));
    CHECK_OK(
        tx_append(tx, &Entry_schema, &(Entry){.yard = S("north"), .text = S("2")}, entry_link));
    CHECK_OK(tx_commit(tx));
    CHECK_OK(entry_append(fixture->db, S("north"), S("3")));
    CHECK_OK(tx_append(tx, &Entry_schema, &(Entry){.text = S("1")}, entry_link));
    CHECK_OK(tx_append(tx, &Entry_schema, &(Entry){.text = S("2")}, entry_link));
    CHECK_OK(tx_commit(tx));

    Entry got = {};
    CHECK_OK(tx_get(tx, &Entry_schema, S("north/00000003"), &got));
    CHECK_STR(got.before, S("north/00000002"));
    CHECK_STR(got.text, S("3"));
    CHECK_OK(tx_get(tx, &Entry_schema, S("south/00000001"), &got));
    CHECK(!got.before.ptr);
    CHECK_OK(tx_get(tx, &Entry_schema, S("/00000002"), &got));
    CHECK_STR(got.before, S("/00000001"));
}

static Err link_fails(const void *, Arena *, void *) {
    return FAIL(ERR_LIMIT, "the chain is full");
}

static Err link_stands_still(const void *, Arena *, void *record) {
    ((Entry *)record)->key = S("same");
    return SUCCESS;
}

BOTH(a_link_may_refuse_and_must_move_forward) {
    Tx *tx = tx_new(fixture, "north");
    CHECK_OK(tx_append(tx, &Entry_schema, &(Entry){.yard = S("north")}, link_fails));
    CHECK_ERR(tx_commit(tx), ERR_LIMIT);
    CHECK_OK(tx_append(tx, &Entry_schema, &(Entry){.yard = S("north")}, link_stands_still));
    CHECK_OK(tx_commit(tx));
    CHECK_OK(tx_append(tx, &Entry_schema, &(Entry){.yard = S("north")}, link_stands_still));
    CHECK_ERR(tx_commit(tx), ERR_STATE);
}

BOTH(a_tx_holds_so_many_writes_and_no_more) {
    Tx *tx = tx_new(fixture, "north");
    for (unsigned i = 0; i < TX_OPS_MAX; i++) {
        Crate crate = crate_new(&fixture->arena, "north", NULL, i + 1);
        CHECK_OK(tx_create(tx, &Crate_schema, &crate));
    }
    Crate more = crate_new(&fixture->arena, "north", NULL, TX_OPS_MAX + 1);
    CHECK_ERR(tx_create(tx, &Crate_schema, &more), ERR_LIMIT);
    CHECK_OK(tx_commit(tx));
    uint64_t count = 0;
    CHECK_OK(tx_count(tx, &Crate_schema, &(Query){}, &count));
    CHECK(count == TX_OPS_MAX);
}

BOTH(an_exhausted_arena_is_an_error_and_loses_nothing_else) {
    add(fixture, "north", "a", 1);
    for (size_t bytes = 0; bytes < 8192; bytes += 64) {
        Arena small;
        arena_init(&small, bytes);
        Tx *tx = NULL;
        Crate crate = crate_new(&fixture->arena, "north", "b", 2);
        crate.owners = (StrList){(Str[]){S("ann")}, 1};
        Err err = tx_open(fixture->db, &small, S("north"), &tx);
        if (err.code == OK) err = tx_create(tx, &Crate_schema, &crate);
        if (err.code == OK)
            err = tx_get(tx, &Crate_schema, S("crate_00000000000000000000000001"), &crate);
        CHECK(err.code == OK || err.code == ERR_LIMIT);
        arena_done(&small);
    }
    CHECK_OK(db_check(fixture->db));
}

TEST_MAIN(BOTH_CASES(every_kind_of_field_comes_back),
          BOTH_CASES(absent_comes_back_absent_and_empty_comes_back_empty),
          BOTH_CASES(a_tx_does_not_see_its_own_writes_until_they_are_committed),
          BOTH_CASES(closing_drops_what_was_not_committed),
          BOTH_CASES(writes_copy_the_record),
          BOTH_CASES(a_taken_key_or_name_is_refused),
          BOTH_CASES(names_are_unique_within_a_scope_only_and_absent_ones_never_collide),
          BOTH_CASES(a_unique_field_without_a_scope_is_unique_in_the_table),
          BOTH_CASES(an_update_takes_the_revision_it_read_and_no_other),
          BOTH_CASES(a_delete_takes_the_revision_it_read_and_no_other),
          BOTH_CASES(a_record_without_revisions_is_deleted_if_it_is_there),
          BOTH_CASES(a_put_inserts_and_replaces),
          BOTH_CASES(an_expectation_that_fails_stops_the_other_writes),
          BOTH_CASES(a_commit_applies_all_or_nothing),
          BOTH_CASES(each_write_of_a_commit_sees_those_before_it),
          BOTH_CASES(another_scope_is_invisible_to_reads),
          BOTH_CASES(another_scope_is_invisible_to_writes),
          BOTH_CASES(a_record_that_lies_about_its_scope_reaches_no_row_of_another),
          BOTH_CASES(find_takes_the_first_that_meets_all_conditions),
          BOTH_CASES(pages_follow_each_other_in_both_directions),
          BOTH_CASES(a_long_page_holds_every_record_whole),
          BOTH_CASES(a_chain_has_no_gap_within_a_tx_and_across),
          BOTH_CASES(a_link_may_refuse_and_must_move_forward),
          BOTH_CASES(a_tx_holds_so_many_writes_and_no_more),
          BOTH_CASES(an_exhausted_arena_is_an_error_and_loses_nothing_else))
