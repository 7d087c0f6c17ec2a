// SPDX-License-Identifier: Apache-2.0
/// Two engines, one sequence of random operations: every answer must be the same.
///
/// TEST_SEED=n in the environment repeats a run; a failure prints its seed and step.
#include "db/db_fixture.h"
#include "db/sqlite.h"

#include "test.h"

#include <stdlib.h>

enum { STEPS = 20'000, KEYS = 40, CALL_BYTES_MAX = 4 << 20, DUMP_BYTES_MAX = 1 << 20 };

static const char *const yards[] = {"north", "south", NULL};
static const char *const seals[] = {"1", "2", "3", "4", "", NULL};
static const char *const names[] = {"a", "b", "c", "", "\xc3\xa9", NULL};

typedef struct Random {
    uint64_t state;
} Random;

/// SplitMix64, cut to 0..below-1.
static unsigned random_below(Random *random, unsigned below) {
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) % below);
}

/// The same call on both stores.
typedef struct Pair {
    Arena arena;
    Tx *tx[2];
    size_t *outcomes; ///< of commits, by code
} Pair;

static void pair_done(Pair *pair) {
    arena_done(&pair->arena);
}

static Crate random_crate(Random *random, Arena *arena) {
    const char *yard = yards[random_below(random, 3)];
    const char *name = names[random_below(random, 6)];
    Crate crate = crate_new(arena, yard, name, random_below(random, KEYS));
    crate.seal = str_from(seals[random_below(random, 6)]);
    crate.colour = random_below(random, 3);
    crate.size = random_below(random, 4);
    crate.weight = random_below(random, 8) / 4.0;
    crate.rev = 1 + random_below(random, 3);
    return crate;
}

/// Mostly what is stored, slightly changed, so that updates succeed often enough.
static Crate stored_crate(Random *random, Pair *pair) {
    Crate crate = random_crate(random, &pair->arena);
    Crate stored = {};
    if (random_below(random, 4) == 0) return crate;
    if (tx_get(pair->tx[0], &Crate_schema, id_str(&crate.id), &stored).code != OK) return crate;
    stored.name = crate.name;
    stored.seal = crate.seal;
    stored.size = crate.size;
    return stored;
}

static Err random_write(unsigned kind, Tx *tx, const Crate *crate) {
    Gauge gauge = {.name = str_slice(id_str(&crate->id), 30, 32), .yard = crate->yard};
    gauge.level = crate->size;
    Tag tag = {.name = gauge.name, .alias = crate->name, .rev = crate->rev};
    Entry entry = {.yard = crate->yard, .text = crate->name};
    switch (kind) {
    case 0:
        return tx_delete(tx, &Crate_schema, crate);
    case 1:
        return tx_expect(tx, &Crate_schema, crate);
    case 2:
        return tx_put(tx, &Gauge_schema, &gauge);
    case 3:
        return tx_delete(tx, &Gauge_schema, &gauge);
    case 4:
        return tx_append(tx, &Entry_schema, &entry, entry_link);
    case 5:
        return tx_create(tx, &Tag_schema, &tag);
    case 6:
        return tx_update(tx, &Tag_schema, &tag);
    case 7:
        return tx_delete(tx, &Tag_schema, &tag);
    case 8:
    case 9:
        return tx_create(tx, &Crate_schema, crate);
    default:
        return tx_update(tx, &Crate_schema, crate);
    }
}

static bool random_commit(Random *random, Pair *pair) {
    unsigned writes = 1 + random_below(random, 4);
    for (unsigned i = 0; i < writes; i++) {
        unsigned kind = random_below(random, 14);
        Crate crate = kind == 8 || kind == 9 ? random_crate(random, &pair->arena)
                                             : stored_crate(random, pair);
        Err a = random_write(kind, pair->tx[0], &crate);
        Err b = random_write(kind, pair->tx[1], &crate);
        if (a.code != b.code) return false;
    }
    Err committed = tx_commit(pair->tx[0]);
    pair->outcomes[committed.code]++;
    return tx_commit(pair->tx[1]).code == committed.code;
}

static Query random_query(Random *random, Arena *arena) {
    Query query = {.limit = 1 + random_below(random, 12), .descending = random_below(random, 2)};
    size_t count = 0;
    if (random_below(random, 2))
        query.where[count++] = random_below(random, 3)
                                   ? WHERE_STR("name", str_from(names[random_below(random, 6)]))
                                   : WHERE_STR("seal", str_from(seals[random_below(random, 6)]));
    if (random_below(random, 3) == 0)
        query.where[count++] = WHERE_STR("colour", random_below(random, 2) ? S("red") : S("blue"));
    if (random_below(random, 3) == 0)
        query.where[count++] = WHERE_U64("size", random_below(random, 4));
    if (random_below(random, 4) == 0)
        query.where[count++] = WHERE_STR("yard", str_from(yards[random_below(random, 3)]));
    Crate crate = random_crate(random, arena);
    if (random_below(random, 2)) query.after = str_dup(arena, id_str(&crate.id));
    return query;
}

/// What a query answers, all in one text.
static void answers(Tx *tx, const Schema *schema, const Query *query, Text *out) {
    uint64_t count = 0;
    CHECK_OK(tx_count(tx, schema, query, &count));
    text_print(out, "%llu\n", (unsigned long long)count);
    void *items = NULL;
    size_t listed = 0;
    CHECK_OK(tx_list(tx, schema, query, &items, &listed));
    schema_encode_list(schema, items, listed, ENCODE_STORED, out);
    _Alignas(max_align_t) char record[sizeof(Crate)];
    assert_true(schema->size <= sizeof(record));
    Err err = tx_find(tx, schema, query, record);
    text_print(out, "\n%d\n", (int)err.code);
    if (err.code == OK) schema_encode(schema, record, ENCODE_STORED, out);
    CHECK_OK(text_check(out));
}

static bool same_answers(Pair *pair, const Schema *schema, const Query *query) {
    SCOPED(text_done) Text a = {};
    SCOPED(text_done) Text b = {};
    text_init(&a, DUMP_BYTES_MAX);
    text_init(&b, DUMP_BYTES_MAX);
    answers(pair->tx[0], schema, query, &a);
    answers(pair->tx[1], schema, query, &b);
    return str_eq(text_str(&a), text_str(&b));
}

static bool step(Random *random, Fixture fixtures[2], size_t number, size_t outcomes[]) {
    SCOPED(pair_done) Pair pair = {.outcomes = outcomes};
    arena_init(&pair.arena, CALL_BYTES_MAX);
    const char *scope = yards[random_below(random, 3)];
    for (int i = 0; i < 2; i++)
        CHECK_OK(tx_open(fixtures[i].db, &pair.arena, str_from(scope), &pair.tx[i]));
    Query query = random_query(random, &pair.arena);
    bool same = random_below(random, 2) ? random_commit(random, &pair)
                                        : same_answers(&pair, &Crate_schema, &query);
    for (size_t i = 0; number % 500 == 0 && i < FIXTURE_SCHEMAS; i++)
        same = same && same_answers(&pair, fixture_schemas[i], &(Query){.limit = TX_PAGE_MAX});
    return same;
}

TEST(both_engines_answer_the_same_to_random_operations) {
    const char *given = getenv("TEST_SEED");
    Random random = {.state = given ? strtoull(given, NULL, 10) : 20261124};
    uint64_t seed = random.state;
    Fixture fixtures[2] = {};
    CHECK_OK(fixture_open(&fixtures[0], ENGINE_MEMORY));
    CHECK_OK(fixture_open(&fixtures[1], ENGINE_SQLITE));
    // Durability is another test's.
    Connection *writer = &((SqliteDb *)fixtures[1].db)->writer.connection;
    CHECK(sqlite3_exec(writer->handle, "PRAGMA synchronous = OFF", NULL, NULL, NULL) == SQLITE_OK);
    size_t outcomes[ERR_CODE_COUNT] = {};
    for (size_t i = 1; i <= STEPS; i++)
        if (!step(&random, fixtures, i, outcomes))
            fail_msg("the engines differ at step %zu; TEST_SEED=%llu", i, (unsigned long long)seed);
    // Each way a commit can end has been taken often.
    CHECK(outcomes[OK] > STEPS / 20);
    CHECK(outcomes[ERR_EXISTS] > STEPS / 20);
    CHECK(outcomes[ERR_CONFLICT] > STEPS / 20);
    fixture_close(&fixtures[0]);
    fixture_close(&fixtures[1]);
}

TEST_MAIN(CASE(both_engines_answer_the_same_to_random_operations))
