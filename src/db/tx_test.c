// SPDX-License-Identifier: Apache-2.0
/// The contract of Tx over both engines: what a commit requires and does.
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

TEST_BOTH(a_tx_does_not_see_its_own_writes_until_they_are_committed) {
    Tx *tx = fixture_tx(fixture, "north");
    Crate crate = crate_new(&fixture->arena, "north", "a", 1);
    Crate got = {};
    CHECK_OK(tx_create(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_get(tx, &Crate_schema, id_str(&crate.id), &got), ERR_NOT_FOUND);
    CHECK(id_is_absent(&got.id));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK_OK(tx_get(tx, &Crate_schema, id_str(&crate.id), &got));
    tx_close(tx);
}

TEST_BOTH(closing_drops_what_was_not_committed) {
    Tx *tx = fixture_tx(fixture, "north");
    Crate crate = crate_new(&fixture->arena, "north", "a", 1);
    CHECK_OK(tx_create(tx, &Crate_schema, &crate));
    CHECK(tx_close(tx) == NULL);
    CHECK(tx_close(NULL) == NULL);
    uint64_t count = 9;
    CHECK_OK(tx_count(fixture_tx(fixture, NULL), &Crate_schema, &(Query){}, &count));
    CHECK(count == 0);
}

TEST_BOTH(writes_copy_the_record) {
    Tx *tx = fixture_tx(fixture, "north");
    char name[] = "before";
    Crate crate = crate_new(&fixture->arena, "north", NULL, 1);
    crate.name = str_from(name);
    CHECK_OK(tx_create(tx, &Crate_schema, &crate));
    name[0] = 'B';
    crate.size = 7;
    CHECK_OK(tx_commit(tx, NULL));
    Crate got = crate_get(fixture, &crate.id);
    CHECK_STR(got.name, S("before"));
    CHECK(got.size == 0);
}

TEST_BOTH(a_taken_key_or_name_is_refused) {
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

TEST_BOTH(names_are_unique_within_a_scope_only_and_absent_ones_never_collide) {
    add(fixture, "north", "a", 1);
    add(fixture, "south", "a", 2);
    add(fixture, "north", NULL, 3);
    add(fixture, "north", NULL, 4);
    Crate unscoped = crate_new(&fixture->arena, NULL, "a", 5);
    CHECK_OK(crate_create(fixture->db, &unscoped));
    unscoped = crate_new(&fixture->arena, NULL, "a", 6);
    CHECK_OK(crate_create(fixture->db, &unscoped));
}

TEST_BOTH(a_global_value_is_unique_across_scopes) {
    Crate first = add(fixture, "north", "a", 1);
    first.seal = S("7");
    CHECK_OK(crate_update(fixture->db, &first));
    Crate other = crate_new(&fixture->arena, "south", "b", 2);
    other.seal = S("7");
    CHECK_ERR(crate_create(fixture->db, &other), ERR_EXISTS);
    other = crate_new(&fixture->arena, NULL, "b", 3);
    other.seal = S("7");
    CHECK_ERR(crate_create(fixture->db, &other), ERR_EXISTS);
    other = add(fixture, "south", "b", 4); // without a seal, as many others
    other.seal = S("7");
    CHECK_ERR(crate_update(fixture->db, &other), ERR_EXISTS);
    other.seal = S("8");
    CHECK_OK(crate_update(fixture->db, &other));
    first.rev = 2; // its own value does not count against it
    CHECK_OK(crate_update(fixture->db, &first));
}

TEST_BOTH(a_unique_field_without_a_scope_is_unique_in_the_table) {
    Tx *tx = fixture_tx(fixture, "north");
    CHECK_OK(tx_create(tx, &Tag_schema, &(Tag){.name = S("a"), .alias = S("x")}));
    CHECK_OK(tx_create(tx, &Tag_schema, &(Tag){.name = S("b"), .alias = S("x")}));
    CHECK_ERR(tx_commit(tx, NULL), ERR_EXISTS);
    CHECK_OK(tx_create(tx, &Tag_schema, &(Tag){.name = S("a")}));
    CHECK_OK(tx_create(tx, &Tag_schema, &(Tag){.name = S("b")}));
    CHECK_OK(tx_commit(tx, NULL));
}

TEST_BOTH(an_update_takes_the_revision_it_read_and_no_other) {
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

TEST_BOTH(a_delete_takes_the_revision_it_read_and_no_other) {
    Crate crate = add(fixture, "north", "a", 1);
    Tx *tx = fixture_tx(fixture, "north");
    crate.rev = 2;
    CHECK_OK(tx_delete(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_commit(tx, NULL), ERR_CONFLICT);
    crate.rev = 1;
    CHECK_OK(tx_delete(tx, &Crate_schema, &crate));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK_OK(tx_delete(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_commit(tx, NULL), ERR_CONFLICT);
    add(fixture, "north", "a", 2); // the name is free again
}

TEST_BOTH(a_record_without_revisions_is_deleted_if_it_is_there) {
    Tx *tx = fixture_tx(fixture, "north");
    Gauge gauge = {.name = S("g"), .yard = S("north"), .level = 1};
    CHECK_OK(tx_put(tx, &Gauge_schema, &gauge));
    CHECK_OK(tx_commit(tx, NULL));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(tx_delete(tx, &Gauge_schema, &gauge));
        CHECK_OK(tx_commit(tx, NULL));
    }
    CHECK_ERR(tx_get(tx, &Gauge_schema, S("g"), &gauge), ERR_NOT_FOUND);
}

TEST_BOTH(a_put_inserts_and_replaces) {
    Tx *tx = fixture_tx(fixture, "north");
    for (uint64_t level = 1; level <= 3; level++) {
        Gauge gauge = {.name = S("g"), .yard = S("north"), .level = level};
        CHECK_OK(tx_put(tx, &Gauge_schema, &gauge));
        CHECK_OK(tx_commit(tx, NULL));
        Gauge got = {};
        CHECK_OK(tx_get(tx, &Gauge_schema, S("g"), &got));
        CHECK(got.level == level);
    }
}

TEST_BOTH(an_expectation_that_fails_stops_the_other_writes) {
    Crate crate = add(fixture, "north", "a", 1);
    Crate other = crate_new(&fixture->arena, "north", "b", 2);
    Tx *tx = fixture_tx(fixture, "north");
    CHECK_OK(tx_create(tx, &Crate_schema, &other));
    crate.rev = 2;
    CHECK_OK(tx_expect(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_commit(tx, NULL), ERR_CONFLICT);
    Crate got = {};
    CHECK_ERR(tx_get(tx, &Crate_schema, id_str(&other.id), &got), ERR_NOT_FOUND);

    crate.rev = 1;
    CHECK_OK(tx_create(tx, &Crate_schema, &other));
    CHECK_OK(tx_expect(tx, &Crate_schema, &crate));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK(crate_get(fixture, &crate.id).rev == 1);
}

TEST_BOTH(a_commit_applies_all_or_nothing) {
    Crate kept = add(fixture, "north", "kept", 1);
    Crate gone = add(fixture, "north", "gone", 2);
    Gauge gauge = {.name = S("g"), .yard = S("north"), .level = 5};
    Tx *tx = fixture_tx(fixture, "north");
    CHECK_OK(tx_put(tx, &Gauge_schema, &gauge));
    CHECK_OK(tx_commit(tx, NULL));

    gauge.level = 6;
    CHECK_OK(tx_put(tx, &Gauge_schema, &gauge));
    CHECK_OK(tx_delete(tx, &Crate_schema, &gone));
    kept.size = 1;
    CHECK_OK(tx_update(tx, &Crate_schema, &kept));
    kept.rev = 2;
    kept.size = 2;
    CHECK_OK(tx_update(tx, &Crate_schema, &kept));
    CHECK_OK(tx_create(tx, &Entry_schema, &(Entry){.key = S("k"), .yard = S("north")}));
    Crate clash = crate_new(&fixture->arena, "north", "kept", 3);
    CHECK_OK(tx_create(tx, &Crate_schema, &clash));
    CHECK_ERR(tx_commit(tx, NULL), ERR_EXISTS);

    CHECK(crate_get(fixture, &kept.id).size == 0 && crate_get(fixture, &kept.id).rev == 1);
    CHECK(crate_get(fixture, &gone.id).rev == 1);
    Gauge got = {};
    CHECK_OK(tx_get(tx, &Gauge_schema, S("g"), &got));
    CHECK(got.level == 5);
    uint64_t count = 9;
    CHECK_OK(tx_count(tx, &Entry_schema, &(Query){}, &count));
    CHECK(count == 0);
    CHECK_OK(tx_commit(tx, NULL)); // the Tx is empty after the failure
}

TEST_BOTH(each_write_of_a_commit_sees_those_before_it) {
    Crate crate = add(fixture, "north", "a", 1);
    Crate next = crate_new(&fixture->arena, "north", "a", 2);
    Tx *tx = fixture_tx(fixture, "north");
    CHECK_OK(tx_delete(tx, &Crate_schema, &crate));
    CHECK_OK(tx_create(tx, &Crate_schema, &next)); // takes the name
    next.rev = 1;
    next.size = 3;
    CHECK_OK(tx_update(tx, &Crate_schema, &next));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK(crate_get(fixture, &next.id).rev == 2 && crate_get(fixture, &next.id).size == 3);
}

TEST_BOTH(a_tx_holds_so_many_writes_and_no_more) {
    Tx *tx = fixture_tx(fixture, "north");
    for (unsigned i = 0; i < TX_OPS_MAX; i++) {
        Crate crate = crate_new(&fixture->arena, "north", NULL, i + 1);
        CHECK_OK(tx_create(tx, &Crate_schema, &crate));
    }
    Crate more = crate_new(&fixture->arena, "north", NULL, TX_OPS_MAX + 1);
    CHECK_ERR(tx_create(tx, &Crate_schema, &more), ERR_LIMIT);
    CHECK_OK(tx_commit(tx, NULL));
    uint64_t count = 0;
    CHECK_OK(tx_count(tx, &Crate_schema, &(Query){}, &count));
    CHECK(count == TX_OPS_MAX);
}

TEST_MAIN(CASE_BOTH(a_tx_does_not_see_its_own_writes_until_they_are_committed),
          CASE_BOTH(closing_drops_what_was_not_committed),
          CASE_BOTH(writes_copy_the_record),
          CASE_BOTH(a_taken_key_or_name_is_refused),
          CASE_BOTH(names_are_unique_within_a_scope_only_and_absent_ones_never_collide),
          CASE_BOTH(a_global_value_is_unique_across_scopes),
          CASE_BOTH(a_unique_field_without_a_scope_is_unique_in_the_table),
          CASE_BOTH(an_update_takes_the_revision_it_read_and_no_other),
          CASE_BOTH(a_delete_takes_the_revision_it_read_and_no_other),
          CASE_BOTH(a_record_without_revisions_is_deleted_if_it_is_there),
          CASE_BOTH(a_put_inserts_and_replaces),
          CASE_BOTH(an_expectation_that_fails_stops_the_other_writes),
          CASE_BOTH(a_commit_applies_all_or_nothing),
          CASE_BOTH(each_write_of_a_commit_sees_those_before_it),
          CASE_BOTH(a_tx_holds_so_many_writes_and_no_more))
