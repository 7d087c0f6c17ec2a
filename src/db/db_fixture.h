// SPDX-License-Identifier: Apache-2.0
/// Records and stores for the tests of src/db: a crate (scope, revision, unique and indexed
/// fields, one of them unique across scopes), a gauge (a status row: no revision), an entry (a
/// chain), a tag (no scope), and what the journal needs.
#pragma once

#include "base/scope.h"
#include "db/db.h"
#include "db/journal.h"

typedef enum Colour { COLOUR_RED, COLOUR_GREEN, COLOUR_BLUE } Colour;

typedef struct Crate {
    Id id;
    Str yard;
    Str name;
    Str seal;
    Colour colour;
    uint64_t size;
    int64_t offset;
    double weight;
    bool sealed;
    Time packed_at;
    Duration keeps_for;
    Bytes mark;
    Json note;
    StrList owners;
    StrMap labels;
    Str shelf;
    uint64_t lifts;  ///< a counter
    int64_t balance; ///< likewise
    uint64_t rev;
} Crate;
extern const Schema Crate_schema;

typedef struct Gauge {
    Str name;
    Str yard;
    uint64_t level;
} Gauge;
extern const Schema Gauge_schema;

typedef struct Entry {
    Str key; ///< yard and sequence number
    Str yard;
    uint64_t sequence;
    Str before; ///< key of the entry before
    Str text;
} Entry;
extern const Schema Entry_schema;

typedef struct Tag {
    Str name;
    Str alias;
    uint64_t rev;
} Tag;
extern const Schema Tag_schema;

enum { FIXTURE_MIGRATIONS = 2, FIXTURE_SCHEMAS = 8 };
extern const Migration fixture_migrations[FIXTURE_MIGRATIONS];
extern const Schema *const fixture_schemas[FIXTURE_SCHEMAS];

typedef enum EngineKind { ENGINE_MEMORY, ENGINE_SQLITE } EngineKind;

/// A store in a new folder of its own, and an arena.
typedef struct Fixture {
    char folder[32];
    char path[48];
    Arena arena;
    Db *db;
} Fixture;

/// Make the folder and open the store.
Err fixture_open(Fixture *fixture, EngineKind kind);
/// Make the folder only.
Err fixture_init(Fixture *fixture);
/// The options of the SQLite store at the fixture's path.
DbOptions fixture_options(const Fixture *fixture);
/// Close the store and remove the folder. Fits SCOPED.
void fixture_close(Fixture *fixture);

/// A crate with the key "crate_" and a number.
Crate crate_new(Arena *arena, const char *yard, const char *name, unsigned number);
/// Create or update one crate in a Tx of its own, in the crate's scope.
Err crate_create(Db *db, const Crate *crate);
Err crate_update(Db *db, const Crate *crate);
/// Collect an entry behind the last one stored of its yard: with the next number, and the key
/// before.
Err entry_add(Tx *tx, Arena *arena, const Entry *entry);
/// Append `text` to the chain of `yard`, in Txs of its own: as often as another is faster.
Err entry_append(Db *db, Str yard, Str text);

/// A Tx of the fixture's store in its arena, of one scope or (NULL) of all; NULL if that failed.
Tx *fixture_tx(Fixture *fixture, const char *scope);

/// Two tests, one per engine, of the block that follows; it sees `fixture`.
#define TEST_BOTH(name)                                  \
    static void name##_on(Fixture *fixture);             \
    TEST(name##_in_memory) {                             \
        SCOPED(fixture_close) Fixture fixture = {};      \
        CHECK_OK(fixture_open(&fixture, ENGINE_MEMORY)); \
        name##_on(&fixture);                             \
    }                                                    \
    TEST(name##_in_sqlite) {                             \
        SCOPED(fixture_close) Fixture fixture = {};      \
        CHECK_OK(fixture_open(&fixture, ENGINE_SQLITE)); \
        name##_on(&fixture);                             \
    }                                                    \
    static void name##_on(Fixture *fixture)
#define CASE_BOTH(name) CASE(name##_in_memory), CASE(name##_in_sqlite)
