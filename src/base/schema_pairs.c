// SPDX-License-Identifier: Apache-2.0
/// `key = value` pairs to a record: config files, query strings, flags.
#include "base/schema_parts.h"

#include <string.h>

/// The field that `key` names; of "labels.KEY" the map `labels`, with KEY in `*ret_map_key`.
static const Field *pairs_pair_field(const Schema *schema, Str key, Str *ret_map_key) {
    Str rest = key;
    Str name = {};
    if (!str_cut(&rest, '.', &name)) return NULL;
    const Field *field = schema_field(schema, rest.ptr ? name : key);
    if (!field || !field_is_accepted(field, DECODE_INPUT)) return NULL;
    *ret_map_key = rest;
    if (rest.ptr) return field->kind == KIND_MAP ? field : NULL;
    return field_is_scalar(field) || field->kind == KIND_STRS ? field : NULL;
}

static void
pairs_list_set(Decoder *decoder, const Path *path, const Field *field, Str text, StrList *list) {
    size_t count = 0;
    Str part;
    for (Str rest = text; text.len && str_cut(&rest, ',', &part);)
        count++;
    if (!field_count_fits(decoder, path, field, count)) return;
    Str *items = ARENA_ARRAY(decoder->arena, Str, count);
    if (!items) return;
    for (size_t i = 0; i < count && str_cut(&text, ',', &part); i++) {
        part = str_trim(part);
        if (field_item_fits(decoder, field, part)) {
            items[i] = str_dup(decoder->arena, part);
        } else {
            decoder_refuse_item(decoder, path, field, false);
        }
    }
    *list = (StrList){items, count};
}

/// `room`: entries that the map may get in all.
static void pairs_map_put(Decoder *decoder,
                          const Path *path,
                          const Field *field,
                          StrPair pair,
                          size_t room,
                          StrMap *map) {
    if (str_map_find(*map, pair.key).ptr) {
        decoder_fault(decoder, path, "must be given once");
        return;
    }
    bool key_fits = field_key_fits(decoder, field, pair.key);
    bool value_fits = field_item_fits(decoder, field, pair.value);
    if (!key_fits) decoder_refuse_item(decoder, path, field, true);
    if (!value_fits) decoder_refuse_item(decoder, path, field, false);
    if (!map->items) map->items = ARENA_ARRAY(decoder->arena, StrPair, room);
    if (!map->items || !key_fits || !value_fits) return;
    pair = (StrPair){str_dup(decoder->arena, pair.key), str_dup(decoder->arena, pair.value)};
    map->items[map->count++] = pair;
}

/// What is left to say once every pair was seen.
static void pairs_finish(Decoder *decoder, const Schema *schema, const bool *given, void *record) {
    for (size_t i = 0; i < schema->count; i++) {
        const Field *field = &schema->fields[i];
        Path path = {.name = field->name};
        void *member = field_of(field, record);
        if (!field_is_accepted(field, DECODE_INPUT)) continue;
        if (!given[i]) {
            field_missing(decoder, &path, field, member);
        } else if (field->kind == KIND_MAP) {
            (void)field_count_fits(decoder, &path, field, ((StrMap *)member)->count);
        }
    }
}

/// `room`: how many pairs there are. `given[i]`: the i-th field of the schema was named before.
static void pairs_pair_decode(
    Decoder *decoder, const Schema *schema, StrPair pair, size_t room, bool *given, void *record) {
    Path path = {.name = pair.key.ptr ? pair.key : S("")};
    Str map_key = {};
    const Field *field = pairs_pair_field(schema, pair.key, &map_key);
    if (!field || !str_is_text(pair.key)) {
        decoder_fault(decoder, &path, "must not be given: there is no such key");
        return;
    }
    void *member = field_of(field, record);
    bool again = given[field - schema->fields];
    given[field - schema->fields] = true;
    if (!str_is_text(pair.value)) {
        decoder_fault(decoder, &path, "must be UTF-8 without NUL");
    } else if (field->kind == KIND_MAP) {
        pairs_map_put(decoder, &path, field, (StrPair){map_key, pair.value}, room, member);
    } else if (again) {
        decoder_fault(decoder, &path, "must be given once");
    } else if (field->kind == KIND_STRS) {
        pairs_list_set(decoder, &path, field, pair.value, member);
    } else if (!field_parse(decoder, field, pair.value, member)) {
        decoder_refuse(decoder, &path, field, "");
    }
}

Err schema_decode_pairs(const Schema *schema,
                        const StrPair *pairs,
                        size_t count,
                        Arena *arena,
                        Faults *faults,
                        void *record) {
    Decoder decoder = {.mode = DECODE_INPUT, .arena = arena, .faults = faults};
    bool *given = ARENA_ARRAY(arena, bool, schema->count);
    if (!given) return arena_check(arena);
    memset(record, 0, schema->size);
    for (size_t i = 0; i < count; i++) {
        StrPair pair = pairs[i];
        if (!pair.value.ptr) pair.value = S("");
        pairs_pair_decode(&decoder, schema, pair, count, given, record);
    }
    pairs_finish(&decoder, schema, given, record);
    TRY(arena_check(arena));
    return faults_check(faults);
}
