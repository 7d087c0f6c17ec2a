// SPDX-License-Identifier: Apache-2.0
/// Any bytes through every door of Schema: JSON in each mode, pairs, canonical JSON, and the table
/// that shows them. What is accepted must be written so that it reads back as the same.
#include "base/field.h"

#include "base/scope.h"
#include "cli/table.h"
#include "every_kind.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY_MAX = 1 << 20 };

static void require(bool holds) {
    if (!holds) abort();
}

static Err decode(Str json, DecodeMode mode, Arena *arena, Thing *thing) {
    Faults faults;
    faults_init(&faults, arena);
    Err err = schema_decode(&Thing_schema, json, mode, arena, &faults, thing);
    require((err.code == ERR_INVALID) == (faults.count > 0) || err.code == ERR_LIMIT);
    return err;
}

static Str encode(const Thing *thing, EncodeMode mode, Arena *arena) {
    SCOPED(text_done) Text out;
    text_init(&out, 8 * MEMORY_MAX);
    schema_encode(&Thing_schema, thing, mode, &out);
    require(text_check(&out).code == OK);
    return str_dup(arena, text_str(&out));
}

/// An accepted record is written, read and written again: both texts are equal.
static void check_stable(const Thing *thing, EncodeMode write, DecodeMode read, Arena *arena) {
    Str once = encode(thing, write, arena);
    Thing back;
    if (decode(once, read, arena, &back).code == ERR_LIMIT) return;
    Str twice = encode(&back, write, arena);
    require(arena->failed || str_eq(once, twice));
}

static void check_row(const Thing *thing, Arena *arena) {
    Thing back = {};
    for (size_t i = 0; i < Thing_schema.count; i++) {
        const Field *field = &Thing_schema.fields[i];
        Value value;
        if (!field_is_stored(field)) continue;
        if (field_to_value(field, thing, arena, &value).code != OK) return;
        Err err = field_from_value(field, value, arena, &back);
        if (err.code == ERR_LIMIT) return;
        require(err.code == OK);
    }
    Str once = encode(thing, ENCODE_STORED, arena);
    Str twice = encode(&back, ENCODE_STORED, arena);
    require(arena->failed || str_eq(once, twice));
}

static void try_json(Str json, Arena *arena) {
    Thing thing = {};
    if (decode(json, DECODE_INPUT, arena, &thing).code == OK) {
        Err err = decode(json, DECODE_PEER, arena, &thing);
        require(err.code == OK || err.code == ERR_LIMIT); // a peer may send what a stranger may
        if (decode(json, DECODE_INPUT, arena, &thing).code != OK) return;
        check_stable(&thing, ENCODE_REQUEST, DECODE_INPUT, arena);
        check_row(&thing, arena);
    }
    if (decode(json, DECODE_STORED, arena, &thing).code == OK) {
        check_stable(&thing, ENCODE_STORED, DECODE_STORED, arena);
        check_row(&thing, arena);
        (void)decode(json, DECODE_PATCH, arena, &thing);
    }
    if (decode(json, DECODE_PEER, arena, &thing).code == OK) {
        check_stable(&thing, ENCODE_REQUEST, DECODE_PEER, arena);
        check_stable(&thing, ENCODE_REQUEST, DECODE_INPUT, arena); // nothing unknown is left
        check_row(&thing, arena);
    }
    if (decode(json, DECODE_REPLY, arena, &thing).code == OK)
        check_stable(&thing, ENCODE_REPLY, DECODE_REPLY, arena);
}

/// A refusal says why in one line.
static void try_read(Str json, Arena *arena) {
    Thing thing;
    Reason reason = {};
    Err err = schema_read(&Thing_schema, json, DECODE_PEER, arena, &thing, &reason);
    Str text = str_from(reason.text);
    require((err.code == ERR_INVALID) == (text.len > 0) || err.code == ERR_LIMIT);
    require(str_is_text(text) && Pattern_line.matches(text));
}

static void try_canonical(Str json, Arena *arena) {
    Str once;
    Str twice;
    if (json_canonical(arena, json, &once).code != OK) return;
    Err err = json_canonical(arena, once, &twice);
    require(err.code == ERR_LIMIT || (err.code == OK && str_eq(once, twice)));
}

/// Lines of "key=value".
static void try_pairs(Str text, Arena *arena) {
    StrPair pairs[16];
    size_t count = 0;
    for (Str line; count < 16 && str_cut(&text, '\n', &line); count++) {
        size_t at = str_index(line, '=', 0);
        pairs[count] = (StrPair){str_slice(line, 0, at), str_slice(line, at + 1, line.len)};
    }
    Faults faults;
    faults_init(&faults, arena);
    Thing thing;
    Err err = schema_decode_pairs(&Thing_schema, pairs, count, arena, &faults, &thing);
    require(err.code != OK); // "main" is REQUIRED and no pair can give it
}

/// What is shown of a record is printable, whatever it holds.
static void try_table(Str json, Arena *arena) {
    Thing thing;
    if (decode(json, DECODE_REPLY, arena, &thing).code != OK) return;
    SCOPED(text_done) Text out;
    text_init(&out, 8 * MEMORY_MAX);
    table_show(&Thing_schema, &thing, 1, &out);
    table_card(&Thing_schema, &thing, &out);
    Str rest = text_str(&out);
    for (Str line; str_cut(&rest, '\n', &line);)
        require(Pattern_line.matches(line) && str_is_text(line));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    void (*const tries[])(Str, Arena *) = {try_json, try_read, try_canonical, try_pairs, try_table};
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, MEMORY_MAX);
        tries[i]((Str){(const char *)data, size}, &arena);
    }
    return 0;
}
