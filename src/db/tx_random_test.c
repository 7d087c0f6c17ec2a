// SPDX-License-Identifier: Apache-2.0
/// Two engines, one sequence of random operations: every answer must be the same.
///
/// TEST_SEED=n in the environment repeats a run; a failure prints its seed and step. MUSTER_SOAK=1:
/// ten times as many steps.
#include "db/db_fixture.h"
#include "db/sqlite.h"

#include "soak.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS_WHOLE = 100'000, KEYS = 40, CALL_BYTES_MAX = 4 << 20, DUMP_BYTES_MAX = 1 << 20 };

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
    crate.lifts = random_below(random, 4);
    crate.weight = random_below(random, 8) / 4.0;
    crate.packed_at.ms = random_below(random, 4);
    crate.shelf = str_from(names[random_below(random, 6)]);
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
    stored.lifts = crate.lifts;
    stored.packed_at = crate.packed_at;
    stored.shelf = crate.shelf;
    return stored;
}

static Err random_absent(Tx *tx, const Crate *crate) {
    switch (crate->size) {
    case 0:
        return tx_expect_absent(tx, WHERE(Crate, id, IS, &crate->id));
    case 1:
        return crate->seal.ptr ? tx_expect_absent(tx, WHERE(Crate, seal, IS, crate->seal))
                               : SUCCESS;
    case 2:
        return tx_expect_absent(tx, WHERE(Tag, name, IS, str_slice(id_str(&crate->id), 30, 32)));
    default:
        return crate->name.ptr ? tx_expect_absent(tx, WHERE(Crate, name, IS, crate->name))
                               : SUCCESS;
    }
}

static Err random_delete_where(Tx *tx, const Crate *crate) {
    Query query = {.limit = crate->size};
    query.where[0] = WHERE(Crate, packed_at, AT_LEAST, crate->packed_at);
    query.where[1] = WHERE(Crate, colour, IS, crate->colour);
    if (crate->rev == 1) query.where[2] = WHERE(Crate, lifts, BELOW, crate->size);
    return tx_delete_where(tx, &query);
}

static Err random_write(unsigned kind, Tx *tx, const Crate *crate) {
    Gauge gauge = {.name = str_slice(id_str(&crate->id), 30, 32), .yard = crate->yard};
    gauge.level = crate->size;
    Tag tag = {.name = gauge.name, .alias = crate->name, .rev = crate->rev};
    Note note = {.action = crate->name, .class = crate->sealed ? ENTRY_EVENT : ENTRY_AUDIT};
    if (crate->yard.ptr) memcpy(note.org_id.text, crate->yard.ptr, crate->yard.len);
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
        return tx_note(tx, &note);
    case 5:
        return tx_create(tx, &Tag_schema, &tag);
    case 6:
        return tx_update(tx, &Tag_schema, &tag);
    case 7:
        return tx_delete(tx, &Tag_schema, &tag);
    case 8:
    case 9:
        return tx_create(tx, &Crate_schema, crate);
    case 10:
    case 15:
    case 16:
        return tx_add(tx,
                      id_str(&crate->id),
                      crate->rev % 2 ? COUNTER(Crate, lifts) : COUNTER(Crate, balance),
                      (int64_t)crate->size - 1,
                      crate->rev % 2 ? 0 : -1,
                      1);
    case 11:
        return tx_set(tx, crate, MEMBERS(BY(Crate, lifts), BY(Crate, balance)));
    case 12:
        return tx_put_if(tx, &gauge, BY(Gauge, level));
    case 13:
        return random_absent(tx, crate);
    case 14:
        return random_delete_where(tx, crate);
    default:
        return tx_update(tx, &Crate_schema, crate);
    }
}

static bool random_commit(Random *random, Pair *pair) {
    unsigned writes = 1 + random_below(random, 4);
    for (unsigned i = 0; i < writes; i++) {
        unsigned kind = random_below(random, 20);
        Crate crate = kind == 8 || kind == 9 ? random_crate(random, &pair->arena)
                                             : stored_crate(random, pair);
        Err a = random_write(kind, pair->tx[0], &crate);
        Err b = random_write(kind, pair->tx[1], &crate);
        if (a.code != b.code) return false;
    }
    TxFault a = {}, b = {};
    Err committed = tx_commit(pair->tx[0], &a);
    pair->outcomes[committed.code]++;
    if (tx_commit(pair->tx[1], &b).code != committed.code) return false;
    // Where several fields are taken, each engine names one of them.
    return a.op == b.op && a.schema == b.schema && !a.field == !b.field;
}

#define BY_PACKED_AT BY(Crate, packed_at)
#define BY_SHELF BY(Crate, shelf)

static Str random_name(Random *random) {
    return str_from(names[random_below(random, 6)]);
}

/// A condition that is not about equality with one value.
static Condition random_range(Random *random, Arena *arena) {
    enum { ITEMS = 3 };
    uint64_t *sizes = ARENA_ARRAY(arena, uint64_t, ITEMS);
    Str *texts = ARENA_ARRAY(arena, Str, ITEMS);
    for (size_t i = 0; i < ITEMS; i++) {
        sizes[i] = random_below(random, 5);
        texts[i] = random_name(random);
    }
    switch (random_below(random, 8)) {
    case 0:
        return WHERE(Crate, size, IS, sizes[0]);
    case 1:
        return WHERE(Crate, size, BELOW, sizes[0]);
    case 2:
        return WHERE(Crate, packed_at, AT_LEAST, ((Time){sizes[0]}));
    case 3:
        return WHERE(Crate, name, BELOW, texts[0]);
    case 4:
        return WHERE(Crate, name, BEGINS, texts[0]);
    case 5:
        return WHERE_ONE_OF(Crate, size, sizes, random_below(random, ITEMS + 1));
    case 6:
        return WHERE_ONE_OF(Crate, name, texts, random_below(random, ITEMS + 1));
    default:
        return WHERE(Crate, shelf, AT_LEAST, texts[0]);
    }
}

static Query random_query(Random *random, Arena *arena) {
    Query query = {.limit = 1 + random_below(random, 12), .descending = random_below(random, 2)};
    size_t count = 0;
    if (random_below(random, 2))
        query.where[count++] =
            random_below(random, 3)
                ? WHERE(Crate, name, IS, random_name(random))
                : WHERE(Crate, seal, IS, str_from(seals[random_below(random, 6)]));
    if (random_below(random, 3) == 0)
        query.where[count++] = WHERE(Crate, colour, IS, random_below(random, 3));
    if (random_below(random, 2) == 0) query.where[count++] = random_range(random, arena);
    if (random_below(random, 4) == 0)
        query.where[count++] = WHERE(Crate, yard, IS, str_from(yards[random_below(random, 3)]));
    static const Member orders[] = {{}, BY_PACKED_AT, BY_SHELF};
    query.order = orders[random_below(random, 3)];
    return query;
}

/// What a query answers, all in one text.
static void answers(Tx *tx, const Schema *schema, const Query *query, Text *out) {
    uint64_t count = 0;
    CHECK_OK(tx_count(tx, schema, query, &count));
    text_print(out, "%llu\n", (unsigned long long)count);
    if (schema == &Note_schema) return; // no two stores give a note the same key
    Query page_query = *query;
    for (int i = 0; i < 3; i++) {
        Page page = {};
        CHECK_OK(tx_list(tx, schema, &page_query, &page));
        schema_encode_list(schema, page.items, page.count, ENCODE_STORED, out);
        text_print(out, "\n%.*s\n", STR_FMT(page.next));
        if (!page.next.ptr) break;
        page_query.cursor = page.next;
    }
    CHECK_OK(text_check(out));
}

/// What only a query about crates answers.
static void crate_answers(Tx *tx, Random random, Arena *arena, const Query *query, Text *out) {
    static const Member members[] = {
        BY(Crate, colour), BY(Crate, name), BY(Crate, lifts), BY_SHELF};
    Group *groups = NULL;
    size_t count = 0;
    CHECK_OK(tx_count_by(tx, query, members[random_below(&random, 4)], &groups, &count));
    for (size_t i = 0; i < count; i++)
        text_print(out,
                   "%d %lld %.*s: %llu\n",
                   (int)groups[i].value.kind,
                   (long long)groups[i].value.i64,
                   STR_FMT(groups[i].value.text),
                   (unsigned long long)groups[i].count);
    Crate crate = {};
    Err err = query->where[0].member.schema ? tx_find(tx, query, &crate) : SUCCESS;
    text_print(out, "%d\n", (int)err.code);
    schema_encode(&Crate_schema, &crate, ENCODE_STORED, out);
    enum { MANY = 5 };
    Str keys[MANY] = {};
    for (size_t i = 0; i < MANY; i++) {
        crate = crate_new(arena, NULL, NULL, random_below(&random, KEYS));
        if (random_below(&random, 6)) keys[i] = str_dup(arena, id_str(&crate.id));
    }
    void *items = NULL;
    CHECK_OK(tx_get_many(tx, &Crate_schema, keys, MANY, &items));
    schema_encode_list(&Crate_schema, items, MANY, ENCODE_STORED, out);
    CHECK_OK(text_check(out));
}

static bool same_crate_answers(Pair *pair, Random *random, const Query *query) {
    SCOPED(text_done) Text a = {};
    SCOPED(text_done) Text b = {};
    text_init(&a, DUMP_BYTES_MAX);
    text_init(&b, DUMP_BYTES_MAX);
    crate_answers(pair->tx[0], *random, &pair->arena, query, &a);
    crate_answers(pair->tx[1], *random, &pair->arena, query, &b);
    random_below(random, 2);
    return str_eq(text_str(&a), text_str(&b));
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
        CHECK_OK(scope ? tx_open(fixtures[i].db, &pair.arena, str_from(scope), &pair.tx[i])
                       : tx_open_all(fixtures[i].db, &pair.arena, &pair.tx[i]));
    Query query = random_query(random, &pair.arena);
    bool same = random_below(random, 2) ? random_commit(random, &pair)
                                        : same_answers(&pair, &Crate_schema, &query)
                                              && same_crate_answers(&pair, random, &query);
    for (size_t i = 0; number % 500 == 0 && i < FIXTURE_SCHEMAS; i++)
        same = same && same_answers(&pair, fixture_schemas[i], &(Query){.limit = TX_PAGE_MAX});
    return same;
}

TEST(both_engines_answer_the_same_to_random_operations) {
    const size_t steps = soak_size(STEPS_WHOLE);
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
    for (size_t i = 1; i <= steps; i++)
        if (!step(&random, fixtures, i, outcomes))
            fail_msg("the engines differ at step %zu; TEST_SEED=%llu", i, (unsigned long long)seed);
    // Each way a commit can end has been taken often.
    CHECK(outcomes[OK] > steps / 20);
    CHECK(outcomes[ERR_EXISTS] > steps / 20);
    CHECK(outcomes[ERR_CONFLICT] > steps / 20);
    CHECK(outcomes[ERR_LIMIT] > steps / 400);
    CHECK(outcomes[ERR_NOT_FOUND] > steps / 100);
    fixture_close(&fixtures[0]);
    fixture_close(&fixtures[1]);
}

TEST_MAIN(CASE(both_engines_answer_the_same_to_random_operations))
