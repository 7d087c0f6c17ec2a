// SPDX-License-Identifier: Apache-2.0
#include "db/db_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const colours[] = {"red", "green", "blue"};
static const EnumNames Colour_names = ENUM_NAMES(colours);

static const Field Crate_fields[] = {
    FIELD(Crate, id, KEY, "key", .prefix = "crate"),
    FIELD(Crate, yard, SCOPE, "scope"),
    FIELD(Crate, name, UNIQUE, "name"),
    FIELD(Crate, seal, UNIQUE | GLOBAL, "number of its seal"),
    FIELD_ENUM(Crate, colour, Colour, INDEXED, "colour"),
    FIELD(Crate, size, INDEXED, "size"),
    FIELD(Crate, offset, 0, "offset"),
    FIELD(Crate, weight, 0, "weight"),
    FIELD(Crate, sealed, 0, "sealed"),
    FIELD(Crate, packed_at, ORDERED, "when"),
    FIELD(Crate, keeps_for, 0, "how long"),
    FIELD(Crate, mark, 0, "bytes"),
    FIELD(Crate, note, 0, "document"),
    FIELD(Crate, owners, 0, "list"),
    FIELD(Crate, labels, 0, "map"),
    FIELD(Crate, shelf, ORDERED, "where it stands"),
    FIELD(Crate, lifts, LOOSE | INDEXED, "how often it was lifted"),
    FIELD(Crate, balance, LOOSE, "what it is worth"),
    FIELD(Crate, rev, REV, "revision"),
};
const Schema Crate_schema = SCHEMA(Crate, "crate", "a crate");

static const Field Gauge_fields[] = {
    FIELD(Gauge, name, KEY, "key"),
    FIELD(Gauge, yard, SCOPE, "scope"),
    FIELD(Gauge, level, 0, "level"),
};
const Schema Gauge_schema = SCHEMA(Gauge, "gauge", "a gauge");

static const Field Entry_fields[] = {
    FIELD(Entry, key, KEY, "key"),
    FIELD(Entry, yard, SCOPE, "scope"),
    FIELD(Entry, sequence, 0, "number"),
    FIELD(Entry, before, 0, "the one before"),
    FIELD(Entry, text, 0, "text"),
};
const Schema Entry_schema = SCHEMA(Entry, "entry", "an entry");

static const Field Tag_fields[] = {
    FIELD(Tag, name, KEY, "key"),
    FIELD(Tag, alias, UNIQUE, "other name"),
    FIELD(Tag, rev, REV, "revision"),
};
const Schema Tag_schema = SCHEMA(Tag, "tag", "a tag");

const Schema *const fixture_schemas[FIXTURE_SCHEMAS] = {&Crate_schema,
                                                        &Gauge_schema,
                                                        &Entry_schema,
                                                        &Tag_schema,
                                                        &Note_schema,
                                                        &JournalRow_schema,
                                                        &JournalHead_schema,
                                                        &Lease_schema};

const Migration fixture_migrations[FIXTURE_MIGRATIONS] = {
    {1,
     "start", .sql =
         "CREATE TABLE crate (id TEXT PRIMARY KEY, yard TEXT, name TEXT, colour TEXT NOT NULL,"
         " seal TEXT, size INTEGER NOT NULL, offset INTEGER, weight REAL, sealed INTEGER,"
         " packed_at INTEGER, keeps_for INTEGER, mark BLOB, note TEXT, owners TEXT, labels TEXT,"
         " shelf TEXT NOT NULL, lifts INTEGER, balance INTEGER,"
         " rev INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
         "CREATE UNIQUE INDEX crate_name ON crate (yard, name);"
         "CREATE UNIQUE INDEX crate_seal ON crate (seal);"
         "CREATE INDEX crate_colour ON crate (yard, colour, id);"
         "CREATE INDEX crate_size ON crate (size, id);"
         "CREATE INDEX crate_packed_at ON crate (yard, packed_at, id);"
         "CREATE INDEX crate_lifts ON crate (yard, lifts, id);"
         "CREATE INDEX crate_shelf ON crate (yard, shelf, id);"
         "CREATE TABLE gauge (name TEXT PRIMARY KEY, yard TEXT, level INTEGER NOT NULL) STRICT;"},
    {2,
     "chain", .sql =
         "CREATE TABLE entry (\"key\" TEXT PRIMARY KEY, yard TEXT, sequence INTEGER, \"before\" "
         "TEXT,"
         " \"text\" TEXT) STRICT, WITHOUT ROWID;"
         "CREATE INDEX entry_yard ON entry (yard, \"key\");"
         "CREATE TABLE tag (name TEXT PRIMARY KEY, alias TEXT UNIQUE, rev INTEGER) STRICT;"
         "CREATE TABLE note (id TEXT PRIMARY KEY, org_id TEXT, rev INTEGER, class TEXT, at INTEGER,"
         " actor TEXT, action TEXT, subject TEXT, subject_name TEXT, \"before\" TEXT, \"after\" "
         "TEXT,"
         " detail TEXT, request TEXT) STRICT, WITHOUT ROWID;"
         "CREATE TABLE journal (id TEXT PRIMARY KEY, org_id TEXT, number INTEGER, class TEXT,"
         " at INTEGER, entry TEXT, hash TEXT) STRICT, WITHOUT ROWID;"
         "CREATE INDEX journal_org ON journal (org_id, id);"
         "CREATE INDEX journal_class ON journal (org_id, class, id);"
         "CREATE TABLE journal_head (org_id TEXT PRIMARY KEY, rev INTEGER, checkpoint TEXT) STRICT;"
         "CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT, epoch INTEGER, until INTEGER) "
         "STRICT;"                                                                              },
};

Err fixture_init(Fixture *fixture) {
    *fixture = (Fixture){.folder = "/tmp/db_test.XXXXXX"};
    arena_init(&fixture->arena, 64 << 20);
    if (!mkdtemp(fixture->folder)) return FAIL_SYS("cannot make a folder");
    snprintf(fixture->path, sizeof(fixture->path), "%s/test.db", fixture->folder);
    return SUCCESS;
}

DbOptions fixture_options(const Fixture *fixture) {
    return (DbOptions){.path = fixture->path,
                       .migrations = fixture_migrations,
                       .migration_count = FIXTURE_MIGRATIONS,
                       .schemas = fixture_schemas,
                       .schema_count = FIXTURE_SCHEMAS,
                       .readers = 4};
}

Err fixture_open(Fixture *fixture, EngineKind kind) {
    TRY(fixture_init(fixture));
    DbOptions options = fixture_options(fixture);
    return kind == ENGINE_SQLITE ? db_open_sqlite(&options, &fixture->db, NULL)
                                 : db_open_memory(&options, &fixture->db);
}

void fixture_close(Fixture *fixture) {
    fixture->db = db_close(fixture->db);
    arena_done(&fixture->arena);
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s%s", fixture->path, suffixes[i]);
        (void)unlink(path);
    }
    (void)rmdir(fixture->folder);
}

Tx *fixture_tx(Fixture *fixture, const char *scope) {
    Tx *tx = NULL;
    Err err = scope ? tx_open(fixture->db, &fixture->arena, str_from(scope), &tx)
                    : tx_open_all(fixture->db, &fixture->arena, &tx);
    return err.code == OK ? tx : NULL;
}

Crate crate_new(Arena *arena, const char *yard, const char *name, unsigned number) {
    Crate crate = {.yard = str_dup(arena, str_from(yard)), .name = str_dup(arena, str_from(name))};
    snprintf(crate.id.text, sizeof(crate.id.text), "crate_%026u", number);
    return crate;
}

static Err crate_write(Db *db,
                       const Crate *crate,
                       Err (*write)(Tx *tx, const Schema *schema, const void *record)) {
    Arena arena;
    arena_init(&arena, 1 << 20);
    Tx *tx = NULL;
    Err err =
        crate->yard.ptr ? tx_open(db, &arena, crate->yard, &tx) : tx_open_all(db, &arena, &tx);
    if (err.code == OK) err = write(tx, &Crate_schema, crate);
    if (err.code == OK) err = tx_commit(tx, NULL);
    tx_close(tx);
    arena_done(&arena);
    return err;
}

Err crate_create(Db *db, const Crate *crate) {
    return crate_write(db, crate, tx_create);
}

Err crate_update(Db *db, const Crate *crate) {
    return crate_write(db, crate, tx_update);
}

Err entry_add(Tx *tx, Arena *arena, const Entry *entry) {
    Entry last = {};
    Entry next = *entry;
    Query newest = {.where = {WHERE(Entry, yard, IS, entry->yard)}, .descending = true};
    Err err = tx_find(tx, &newest, &last);
    if (err.code != OK && err.code != ERR_NOT_FOUND) return err;
    next.sequence = last.sequence + 1;
    next.before = last.key;
    next.key =
        str_print(arena, "%.*s/%08llu", STR_FMT(entry->yard), (unsigned long long)next.sequence);
    TRY(arena_check(arena));
    return tx_create(tx, &Entry_schema, &next);
}

Err entry_append(Db *db, Str yard, Str text) {
    Err err;
    do {
        Arena arena;
        arena_init(&arena, 1 << 20);
        Tx *tx = NULL;
        err = tx_open(db, &arena, yard, &tx);
        if (err.code == OK) err = entry_add(tx, &arena, &(Entry){.yard = yard, .text = text});
        if (err.code == OK) err = tx_commit(tx, NULL);
        tx_close(tx);
        arena_done(&arena);
    } while (err.code == ERR_EXISTS);
    return err;
}
