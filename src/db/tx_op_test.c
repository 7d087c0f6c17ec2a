// SPDX-License-Identifier: Apache-2.0
/// The contract of Tx over both engines: counters, parts of a record, conditions as writes, and
/// what a failed commit says.
#include "db/db_fixture.h"

#include "test.h"

static Crate add(Fixture *fixture, const char *yard, const char *name, unsigned number) {
    Crate crate = crate_new(&fixture->arena, yard, name, number);
    CHECK_OK(crate_create(fixture->db, &crate));
    crate.rev = 1;
    return crate;
}

static Crate crate_get(Fixture *fixture, const Id *id) {
    Crate crate = {};
    CHECK_OK(tx_get(fixture_tx(fixture, NULL), &Crate_schema, id_str(id), &crate));
    return crate;
}

static Err lift(Tx *tx, const Crate *crate, int64_t by, int64_t min, int64_t max) {
    TRY(tx_add(tx, id_str(&crate->id), COUNTER(Crate, lifts), by, min, max));
    return tx_commit(tx, NULL);
}

TEST_BOTH(a_counter_stays_within_its_bounds) {
    Crate crate = add(fixture, "north", "a", 1);
    Tx *tx = fixture_tx(fixture, "north");
    CHECK_OK(lift(tx, &crate, 3, 0, 5));
    CHECK_ERR(lift(tx, &crate, 3, 0, 5), ERR_LIMIT);
    CHECK_OK(lift(tx, &crate, 2, 0, 5));
    CHECK_ERR(lift(tx, &crate, -3, 3, 5), ERR_LIMIT);
    CHECK_OK(lift(tx, &crate, -2, 3, 5));
    CHECK_OK(lift(tx, &crate, 0, 3, 3)); // only looks
    CHECK_ERR(lift(tx, &crate, 0, 0, 2), ERR_LIMIT);
    CHECK(crate_get(fixture, &crate.id).lifts == 3);
    CHECK(crate_get(fixture, &crate.id).rev == 1);
    const int64_t most = 1ll << 53;
    CHECK_ERR(lift(tx, &crate, most, 0, most), ERR_LIMIT);
    CHECK_OK(tx_add(tx, id_str(&crate.id), COUNTER(Crate, balance), -7, -7, 0));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK(crate_get(fixture, &crate.id).balance == -7);
}

TEST_BOTH(a_counter_of_a_row_that_is_not_there_is_not_found) {
    Crate crate = add(fixture, "north", "a", 1);
    CHECK_ERR(lift(fixture_tx(fixture, "south"), &crate, 1, 0, 5), ERR_NOT_FOUND);
    Crate missing = crate_new(&fixture->arena, "north", "b", 2);
    CHECK_ERR(lift(fixture_tx(fixture, "north"), &missing, 1, 0, 5), ERR_NOT_FOUND);
    CHECK_OK(lift(fixture_tx(fixture, NULL), &crate, 1, 0, 5));
}

TEST_BOTH(an_update_leaves_what_is_loose_and_set_writes_it) {
    Crate crate = add(fixture, "north", "a", 1);
    Tx *tx = fixture_tx(fixture, "north");
    CHECK_OK(lift(tx, &crate, 4, 0, 5));
    crate.size = 9;
    CHECK_OK(crate_update(fixture->db, &crate)); // read before, with lifts 0
    CHECK(crate_get(fixture, &crate.id).lifts == 4 && crate_get(fixture, &crate.id).size == 9);
    crate.size = 10;
    crate.lifts = 2;
    crate.balance = -3;
    CHECK_OK(tx_set(tx, &crate, MEMBERS(BY(Crate, lifts))));
    CHECK_OK(tx_commit(tx, NULL));
    Crate got = crate_get(fixture, &crate.id);
    CHECK(got.lifts == 2 && got.balance == 0 && got.size == 9 && got.rev == 2);
    CHECK_OK(tx_set(tx, &crate, MEMBERS(BY(Crate, lifts), BY(Crate, balance))));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK(crate_get(fixture, &crate.id).balance == -3);
    Crate missing = crate_new(&fixture->arena, "north", "b", 2);
    CHECK_OK(tx_set(tx, &missing, MEMBERS(BY(Crate, lifts))));
    CHECK_ERR(tx_commit(tx, NULL), ERR_NOT_FOUND);
    CHECK_ERR(tx_set(fixture_tx(fixture, "south"), &crate, MEMBERS(BY(Crate, lifts))),
              ERR_NOT_FOUND);
}

static Err gauge_put_if(Tx *tx, const char *yard, uint64_t level) {
    Gauge gauge = {.name = S("g"), .yard = str_from(yard), .level = level};
    TRY(tx_put_if(tx, &gauge, BY(Gauge, level)));
    return tx_commit(tx, NULL);
}

TEST_BOTH(only_a_greater_epoch_is_put) {
    Tx *tx = fixture_tx(fixture, NULL);
    CHECK_OK(gauge_put_if(tx, "north", 2));
    CHECK_ERR(gauge_put_if(tx, "north", 2), ERR_CONFLICT);
    CHECK_ERR(gauge_put_if(tx, "north", 1), ERR_CONFLICT);
    CHECK_OK(gauge_put_if(tx, "north", 5));
    CHECK_ERR(gauge_put_if(tx, "south", 9), ERR_CONFLICT); // the key is north's
    Gauge got = {};
    CHECK_OK(tx_get(tx, &Gauge_schema, S("g"), &got));
    CHECK(got.level == 5);
}

static uint64_t crate_count(Fixture *fixture) {
    uint64_t count = 0;
    CHECK_OK(tx_count(fixture_tx(fixture, NULL), &Crate_schema, &(Query){}, &count));
    return count;
}

TEST_BOTH(rows_are_deleted_by_what_they_have) {
    enum { COUNT = 200 }; // more than a Tx holds writes
    for (unsigned i = 1; i <= COUNT; i++) {
        Crate crate = crate_new(&fixture->arena, i % 2 ? "north" : "south", NULL, i);
        crate.size = i;
        CHECK_OK(crate_create(fixture->db, &crate));
    }
    Tx *tx = fixture_tx(fixture, "north");
    Query few = {.where = {WHERE(Crate, size, AT_LEAST, 51)}, .limit = 3};
    CHECK_OK(tx_delete_where(tx, &few));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK(crate_count(fixture) == COUNT - 3);
    Crate got = {};
    CHECK_ERR(tx_get(tx, &Crate_schema, S("crate_00000000000000000000000055"), &got),
              ERR_NOT_FOUND);
    CHECK_OK(tx_get(tx, &Crate_schema, S("crate_00000000000000000000000057"), &got));
    Query all = {.where = {WHERE(Crate, size, BELOW, 1000)}};
    CHECK_OK(tx_delete_where(tx, &all));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK(crate_count(fixture) == COUNT / 2); // those of the other yard
    Crate clash = crate_new(&fixture->arena, "south", NULL, 2);
    CHECK_OK(tx_delete_where(fixture_tx(fixture, "south"), &all));
    tx = fixture_tx(fixture, "south");
    CHECK_OK(tx_delete_where(tx, &few));
    CHECK_OK(tx_create(tx, &Crate_schema, &clash));
    CHECK_ERR(tx_commit(tx, NULL), ERR_EXISTS);
    CHECK(crate_count(fixture) == COUNT / 2); // all of them are there again
}

static Err absent(Tx *tx, Condition is, TxFault *ret_fault) {
    TRY(tx_expect_absent(tx, is));
    return tx_commit(tx, ret_fault);
}

TEST_BOTH(an_absence_is_expected_of_keys_and_unique_values) {
    Crate crate = crate_new(&fixture->arena, "north", "a", 1);
    crate.seal = S("7");
    CHECK_OK(crate_create(fixture->db, &crate));
    Tx *north = fixture_tx(fixture, "north");
    Tx *south = fixture_tx(fixture, "south");
    TxFault fault = {};
    CHECK_ERR(absent(north, WHERE(Crate, name, IS, S("a")), &fault), ERR_EXISTS);
    CHECK(fault.op == 0 && fault.schema == &Crate_schema);
    CHECK_STR(fault.field->name, S("name"));
    CHECK_OK(absent(south, WHERE(Crate, name, IS, S("a")), &fault)); // unique within a scope
    CHECK_ERR(absent(south, WHERE(Crate, seal, IS, S("7")), &fault), ERR_EXISTS);
    CHECK_ERR(absent(south, WHERE(Crate, id, IS, &crate.id), &fault), ERR_EXISTS);
    CHECK_STR(fault.field->name, S("id"));
    CHECK_OK(absent(north, WHERE(Crate, seal, IS, S("8")), &fault));
    CHECK_OK(
        tx_delete(north, &Crate_schema, &(Crate){.id = crate.id, .yard = S("north"), .rev = 1}));
    CHECK_OK(absent(north, WHERE(Crate, seal, IS, S("7")), &fault)); // it sees the delete
}

TEST_BOTH(a_failed_commit_says_which_operation_and_which_field) {
    add(fixture, "north", "a", 1);
    Tx *tx = fixture_tx(fixture, "north");
    Crate fine = crate_new(&fixture->arena, "north", "b", 2);
    Crate taken = crate_new(&fixture->arena, "north", "a", 3);
    Crate same_key = crate_new(&fixture->arena, "north", "c", 1);
    Crate stale = crate_new(&fixture->arena, "north", "d", 1);
    TxFault fault = {};
    CHECK_OK(tx_create(tx, &Crate_schema, &fine));
    CHECK_OK(tx_create(tx, &Crate_schema, &taken));
    CHECK_ERR(tx_commit(tx, &fault), ERR_EXISTS);
    CHECK(fault.op == 1 && fault.schema == &Crate_schema);
    CHECK_STR(fault.field->name, S("name"));
    CHECK_OK(tx_create(tx, &Crate_schema, &same_key));
    CHECK_ERR(tx_commit(tx, &fault), ERR_EXISTS);
    CHECK(fault.op == 0);
    CHECK_STR(fault.field->name, S("id"));
    CHECK_OK(tx_put(tx, &Gauge_schema, &(Gauge){.name = S("g"), .yard = S("north")}));
    CHECK_OK(tx_create(tx, &Crate_schema, &fine));
    CHECK_OK(tx_expect(tx, &Crate_schema, &stale));
    CHECK_ERR(tx_commit(tx, &fault), ERR_CONFLICT);
    CHECK(fault.op == 2 && fault.schema == &Crate_schema && !fault.field);
    CHECK_OK(tx_put(tx, &Gauge_schema, &(Gauge){.name = S("g"), .yard = S("north")}));
    CHECK_OK(tx_add(tx, id_str(&stale.id), COUNTER(Crate, lifts), 1, 0, 0));
    CHECK_ERR(tx_commit(tx, &fault), ERR_LIMIT);
    CHECK(fault.op == 1 && !fault.field);
    Tx *all = fixture_tx(fixture, NULL);
    CHECK_OK(tx_create(all, &Tag_schema, &(Tag){.name = S("t"), .alias = S("x")}));
    CHECK_OK(tx_create(all, &Tag_schema, &(Tag){.name = S("u"), .alias = S("x")}));
    CHECK_ERR(tx_commit(all, &fault), ERR_EXISTS);
    CHECK(fault.op == 1 && fault.schema == &Tag_schema);
    CHECK_STR(fault.field->name, S("alias"));
}

TEST_BOTH(a_tx_without_a_scope_sees_nothing_and_writes_nothing) {
    Crate crate = add(fixture, "north", "a", 1);
    Tag tag = {.name = S("t")};
    Tx *all = fixture_tx(fixture, NULL);
    CHECK_OK(tx_create(all, &Tag_schema, &tag));
    CHECK_OK(tx_commit(all, NULL));
    Tx *tx = NULL;
    CHECK_OK(tx_open(fixture->db, &fixture->arena, (Str){}, &tx));
    CHECK_ERR(tx_get(tx, &Crate_schema, id_str(&crate.id), &crate), ERR_NOT_FOUND);
    CHECK_ERR(tx_get(tx, &Tag_schema, S("t"), &tag), ERR_NOT_FOUND);
    uint64_t count = 9;
    CHECK_OK(tx_count(tx, &Tag_schema, &(Query){}, &count));
    CHECK(count == 0);
    CHECK_ERR(tx_update(tx, &Crate_schema, &crate), ERR_NOT_FOUND);
    CHECK_ERR(tx_create(tx, &Tag_schema, &(Tag){.name = S("u")}), ERR_NOT_FOUND);
    CHECK_ERR(tx_expect_absent(tx, WHERE(Tag, name, IS, S("u"))), ERR_NOT_FOUND);
    CHECK_ERR(lift(tx, &crate, 1, 0, 5), ERR_NOT_FOUND);
    Query every = {.where = {WHERE(Crate, size, AT_LEAST, 0)}};
    CHECK_OK(tx_delete_where(tx, &every));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK(crate_count(fixture) == 1);
}

TEST_MAIN(CASE_BOTH(a_counter_stays_within_its_bounds),
          CASE_BOTH(a_counter_of_a_row_that_is_not_there_is_not_found),
          CASE_BOTH(an_update_leaves_what_is_loose_and_set_writes_it),
          CASE_BOTH(only_a_greater_epoch_is_put),
          CASE_BOTH(rows_are_deleted_by_what_they_have),
          CASE_BOTH(an_absence_is_expected_of_keys_and_unique_values),
          CASE_BOTH(a_failed_commit_says_which_operation_and_which_field),
          CASE_BOTH(a_tx_without_a_scope_sees_nothing_and_writes_nothing))
