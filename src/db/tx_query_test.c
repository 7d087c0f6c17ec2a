// SPDX-License-Identifier: Apache-2.0
/// The contract of Tx over both engines: conditions, orders, cursors, many at once, counts.
#include "db/db_fixture.h"

#include "test.h"

static Crate add(Fixture *fixture, const char *yard, const char *name, unsigned number) {
    Crate crate = crate_new(&fixture->arena, yard, name, number);
    CHECK_OK(crate_create(fixture->db, &crate));
    crate.rev = 1;
    return crate;
}

TEST_BOTH(find_takes_the_first_that_meets_all_conditions) {
    for (unsigned i = 1; i <= 4; i++) {
        Crate crate = crate_new(&fixture->arena, "north", NULL, i);
        crate.colour = i % 2 ? COLOUR_RED : COLOUR_GREEN;
        crate.size = i / 3;
        CHECK_OK(crate_create(fixture->db, &crate));
    }
    Tx *tx = fixture_tx(fixture, "north");
    Crate got = {};
    Query query = {
        .where = {WHERE(Crate, colour, IS, COLOUR_RED), WHERE(Crate, size, IS, 1)}
    };
    CHECK_OK(tx_find(tx, &query, &got));
    CHECK_STR(id_str(&got.id), S("crate_00000000000000000000000003"));
    query.where[1] = WHERE(Crate, size, IS, 7);
    CHECK_ERR(tx_find(tx, &query, &got), ERR_NOT_FOUND);
    query = (Query){.where = {WHERE(Crate, name, IS, (Str){})}};
    CHECK_ERR(tx_find(tx, &query, &got), ERR_NOT_FOUND); // absent equals nothing
}

/// Keys of a page, as their last digits; the query's cursor moves on.
static Str page_text(Fixture *fixture, Tx *tx, Query *query) {
    Page page = {};
    CHECK_OK(tx_list(tx, &Crate_schema, query, &page));
    const Crate *crates = page.items;
    Str text = S("");
    for (size_t i = 0; i < page.count; i++) {
        Str key = id_str(&crates[i].id);
        text = str_print(&fixture->arena, "%.*s%c", STR_FMT(text), key.ptr[key.len - 1]);
    }
    query->cursor = page.next;
    return text;
}

/// All pages of the query.
static Str pages_text(Fixture *fixture, Tx *tx, Query query) {
    Str text = S("");
    do {
        Str page = page_text(fixture, tx, &query);
        text = str_print(&fixture->arena, "%.*s%.*s ", STR_FMT(text), STR_FMT(page));
    } while (query.cursor.ptr);
    return text;
}

TEST_BOTH(pages_follow_each_other_in_both_directions) {
    static const unsigned order[] = {4, 1, 5, 3, 2};
    for (size_t i = 0; i < 5; i++)
        add(fixture, "north", NULL, order[i]);
    Tx *tx = fixture_tx(fixture, "north");
    CHECK_STR(pages_text(fixture, tx, (Query){.limit = 9}), S("12345 "));
    CHECK_STR(pages_text(fixture, tx, (Query){.limit = 5}), S("12345 ")); // the end is known
    CHECK_STR(pages_text(fixture, tx, (Query){.limit = 2}), S("12 34 5 "));
    CHECK_STR(pages_text(fixture, tx, (Query){.limit = 3, .descending = true}), S("543 21 "));
    Query down = {.limit = 3, .descending = true};
    Crate gone = crate_new(&fixture->arena, "north", NULL, 3);
    CHECK_OK(tx_cursor(tx, &Crate_schema, &down, &gone, &down.cursor));
    gone.rev = 1;
    CHECK_OK(tx_delete(tx, &Crate_schema, &gone));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK_STR(page_text(fixture, tx, &down), S("21")); // behind a row that is not there
}

TEST_BOTH(rows_come_in_the_order_of_a_field_and_then_of_the_key) {
    static const uint64_t packed[] = {30, 10, 0, 30, 20, 10};
    for (unsigned i = 0; i < 6; i++) {
        Crate crate = crate_new(&fixture->arena, "north", NULL, i + 1);
        crate.packed_at.ms = packed[i];
        if (i < 4) crate.shelf = str_print(&fixture->arena, "%c", "bab\xc3"[i]);
        if (i == 3) crate.shelf = S("\xc3\xa9");
        CHECK_OK(crate_create(fixture->db, &crate));
    }
    add(fixture, "south", NULL, 9);
    Tx *tx = fixture_tx(fixture, "north");
    Query query = {.order = BY(Crate, packed_at), .limit = 4};
    CHECK_STR(pages_text(fixture, tx, query), S("3265 14 ")); // an absent one is the least
    query.descending = true;
    query.limit = 1;
    CHECK_STR(pages_text(fixture, tx, query), S("4 1 5 6 2 3 "));
    query = (Query){.order = BY(Crate, shelf), .limit = 2};
    CHECK_STR(pages_text(fixture, tx, query), S("56 21 34 "));
    Crate got = {};
    CHECK_OK(tx_get(tx, &Crate_schema, S("crate_00000000000000000000000005"), &got));
    CHECK(!got.shelf.ptr);
}

TEST_BOTH(a_cursor_of_another_query_is_refused) {
    for (unsigned i = 1; i <= 3; i++)
        add(fixture, "north", NULL, i);
    Tx *tx = fixture_tx(fixture, "north");
    Page page = {};
    Query by_key = {.limit = 1};
    CHECK_OK(tx_list(tx, &Crate_schema, &by_key, &page));
    Query by_time = {.order = BY(Crate, packed_at), .cursor = page.next, .limit = 1};
    CHECK_ERR(tx_list(tx, &Crate_schema, &by_time, &page), ERR_INVALID);
    by_time.cursor = (Str){};
    CHECK_OK(tx_list(tx, &Crate_schema, &by_time, &page));
    by_key.cursor = page.next;
    CHECK_ERR(tx_list(tx, &Crate_schema, &by_key, &page), ERR_INVALID);
    static const char *const bad[] = {"", "x", "!", "crate_1", "aWQAAA", "AAAA", "c2l6ZQAxADI"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        by_key.cursor = str_from(bad[i]);
        Err err = tx_list(tx, &Crate_schema, &by_key, &page);
        if (err.code != ERR_INVALID && i != 4) fail_msg("%s", bad[i]); // 4: behind the empty key
    }
}

/// Keys of those that meet a condition.
static Str met(Fixture *fixture, Condition condition) {
    Query query = {.where = {condition}, .limit = 9};
    return page_text(fixture, fixture_tx(fixture, "north"), &query);
}

TEST_BOTH(conditions_compare_numbers_times_and_texts) {
    static const char *const names[] = {"n1", "n10", "n2", "N1", "n\xf4\x8f\xbf\xbf", NULL};
    for (unsigned i = 0; i < 6; i++) {
        Crate crate = crate_new(&fixture->arena, "north", names[i], i + 1);
        crate.size = i;
        crate.packed_at.ms = 100 * i;
        CHECK_OK(crate_create(fixture->db, &crate));
    }
    CHECK_STR(met(fixture, WHERE(Crate, size, BELOW, 2)), S("12"));
    CHECK_STR(met(fixture, WHERE(Crate, size, AT_LEAST, 4)), S("56"));
    CHECK_STR(met(fixture, WHERE(Crate, packed_at, AT_LEAST, ((Time){300}))), S("456"));
    CHECK_STR(met(fixture, WHERE(Crate, name, BELOW, S("n10"))), S("14"));
    CHECK_STR(met(fixture, WHERE(Crate, name, BEGINS, S("n1"))), S("12"));
    CHECK_STR(met(fixture, WHERE(Crate, name, BEGINS, S("n"))), S("1235"));
    CHECK_STR(met(fixture, WHERE(Crate, name, BEGINS, S("n\xf4\x8f\xbf\xbf"))), S("5"));
    CHECK_STR(met(fixture, WHERE(Crate, name, BEGINS, S(""))), S("12345"));
    CHECK_STR(met(fixture, WHERE(Crate, name, BEGINS, S("\xf4"))), S(""));
    CHECK_STR(met(fixture, WHERE(Crate, name, BEGINS, (Str){})), S(""));
    CHECK_STR(met(fixture, WHERE(Crate, id, BEGINS, S("crate_"))), S("123456"));
}

TEST_BOTH(one_of_several_may_be_of_any_kind_that_is_found) {
    for (unsigned i = 1; i <= 4; i++) {
        Crate crate = crate_new(&fixture->arena, "north", i == 1 ? "\"a\\" : NULL, i);
        crate.size = i;
        crate.colour = i % 3;
        CHECK_OK(crate_create(fixture->db, &crate));
    }
    const uint64_t sizes[] = {4, 2, 9, 2};
    CHECK_STR(met(fixture, WHERE_ONE_OF(Crate, size, sizes, 4)), S("24"));
    CHECK_STR(met(fixture, WHERE_ONE_OF(Crate, size, sizes, 0)), S(""));
    Str names[] = {S("\"a\\"), {}};
    CHECK_STR(met(fixture, WHERE_ONE_OF(Crate, name, names, 2)), S("1"));
    const Colour colours[] = {COLOUR_RED, COLOUR_BLUE};
    CHECK_STR(met(fixture, WHERE_ONE_OF(Crate, colour, colours, 2)), S("23"));
}

TEST_BOTH(many_are_read_by_their_keys_in_the_order_of_these) {
    for (unsigned i = 1; i <= 3; i++)
        add(fixture, i == 3 ? "south" : "north", str_print(&fixture->arena, "%u", i).ptr, i);
    const Str keys[] = {S("crate_00000000000000000000000002"),
                        {},
                        S("crate_00000000000000000000000001"),
                        S("crate_00000000000000000000000003"), // of another scope
                        S("crate_00000000000000000000000009"), // of nobody
                        S("crate_00000000000000000000000002")};
    void *items = NULL;
    CHECK_OK(tx_get_many(fixture_tx(fixture, "north"), &Crate_schema, keys, 6, &items));
    const Crate *crates = items;
    CHECK_STR(crates[0].name, S("2"));
    CHECK_STR(crates[2].name, S("1"));
    CHECK_STR(crates[5].name, S("2"));
    CHECK(id_is_absent(&crates[1].id) && id_is_absent(&crates[3].id));
    CHECK(id_is_absent(&crates[4].id));
    CHECK_OK(tx_get_many(fixture_tx(fixture, "north"), &Crate_schema, keys, 0, &items));
}

TEST_BOTH(rows_are_counted_by_what_they_have) {
    static const char *const names[] = {"b", "a", NULL, NULL, "a"};
    for (unsigned i = 0; i < 5; i++) {
        Crate crate = crate_new(&fixture->arena, i == 4 ? "south" : "north", names[i], i + 1);
        crate.colour = i % 2 ? COLOUR_RED : COLOUR_GREEN;
        CHECK_OK(crate_create(fixture->db, &crate));
    }
    Group *groups = NULL;
    size_t count = 0;
    Tx *tx = fixture_tx(fixture, "north");
    CHECK_OK(tx_count_by(tx, &(Query){}, BY(Crate, name), &groups, &count));
    CHECK(count == 3);
    CHECK(groups[0].value.kind == VALUE_NULL && groups[0].count == 2);
    CHECK_STR(groups[1].value.text, S("a"));
    CHECK(groups[1].count == 1 && groups[2].count == 1);
    Query named = {.where = {WHERE(Crate, name, AT_LEAST, S(""))}};
    CHECK_OK(tx_count_by(tx, &named, BY(Crate, colour), &groups, &count));
    CHECK(count == 2);
    CHECK_STR(groups[0].value.text, S("green"));
    CHECK_STR(groups[1].value.text, S("red"));
}

TEST_MAIN(CASE_BOTH(find_takes_the_first_that_meets_all_conditions),
          CASE_BOTH(pages_follow_each_other_in_both_directions),
          CASE_BOTH(rows_come_in_the_order_of_a_field_and_then_of_the_key),
          CASE_BOTH(a_cursor_of_another_query_is_refused),
          CASE_BOTH(conditions_compare_numbers_times_and_texts),
          CASE_BOTH(one_of_several_may_be_of_any_kind_that_is_found),
          CASE_BOTH(many_are_read_by_their_keys_in_the_order_of_these),
          CASE_BOTH(rows_are_counted_by_what_they_have))
