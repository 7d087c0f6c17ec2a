// SPDX-License-Identifier: Apache-2.0
/// Rows that the compiler must refuse. Each `#ifdef NAME` is one case of refused.sh; without any,
/// the file compiles: that is the control, and has a row of each kind.
#include "base/schema.h"

typedef enum Mood { MOOD_CALM, MOOD_BUSY } Mood;
typedef enum Taste { TASTE_SWEET, TASTE_SOUR } Taste;
typedef enum Slope { SLOPE_DOWN = -1, SLOPE_UP = 1 } Slope;
typedef enum __attribute__((packed)) Tiny { TINY_ONE } Tiny;
static const char *const texts[] = {"one", "two"};
[[maybe_unused]] static const EnumNames Mood_names = ENUM_NAMES(texts);
[[maybe_unused]] static const EnumNames Taste_names = ENUM_NAMES(texts, .unknown = TASTE_SOUR);
[[maybe_unused]] static const EnumNames Slope_names = ENUM_NAMES(texts);
[[maybe_unused]] static const EnumNames Tiny_names = ENUM_NAMES(texts);
[[maybe_unused]] static const EnumNames unsigned_names = ENUM_NAMES(texts);

typedef struct Part {
    Str name;
} Part;
static const Field Part_fields[] = {FIELD(Part, name, REQUIRED, "its name")};
[[maybe_unused]] static const Schema Part_schema = SCHEMA(Part, "part", "a part");

typedef struct Bolt {
    Str name;
} Bolt;
static const Field Bolt_fields[] = {FIELD(Bolt, name, REQUIRED, "its name")};
[[maybe_unused]] static const Schema Bolt_schema = SCHEMA(Bolt, "bolt", "a bolt");

typedef struct Parts {
    Part *items;
    size_t count;
} Parts;

typedef struct Row {
    bool flag;
    uint64_t u64;
    int64_t i64;
    double real;
    Str text;
    Id id;
    Time time;
    Duration duration;
    Bytes bytes;
    Json json;
    StrList list;
    StrMap map;
    Mood mood;
    Taste taste;
    Part part;
    Parts parts;
    struct {
        void *items;
        size_t count;
    } any;
    int an_int;
    float a_float;
    char *chars;
    char array[8];
    uint32_t u32;
    unsigned number;
    size_t *pointer;
    uint64_t numbers[2];
    Slope slope;
    Tiny tiny;
    Mood moods[2];
    struct {
        Part *items;
        uint32_t count;
    } short_count;
    struct {
        size_t count;
        Part *items;
    } turned;
    struct {
        Part *items;
        size_t count;
        size_t more;
    } longer;
} Row;

extern const Field rows[];
const Field rows[] = {
    FIELD(Row, flag, 0, "", .fallback = "true"),
    FIELD(Row, u64, 0, "", .min = 1, .max = 2),
    FIELD(Row, i64, 0, ""),
    FIELD(Row, real, 0, ""),
    FIELD(Row, text, 0, "", .pattern = &Pattern_slug),
    FIELD(Row, id, 0, "", .prefix = "part"),
    FIELD(Row, time, 0, ""),
    FIELD(Row, duration, 0, ""),
    FIELD(Row, bytes, 0, ""),
    FIELD(Row, json, 0, ""),
    FIELD(Row, list, 0, ""),
    FIELD(Row, map, 0, ""),
    FIELD_AT(Row, part.name, "part_name", 0, ""),
    FIELD_ENUM(Row, mood, Mood, 0, "", .fallback = "one"),
    FIELD_ENUM(Row, taste, Taste, 0, ""),
    FIELD_RECORD(Row, part, Part, 0, ""),
    FIELD_LIST(Row, parts, Part, 0, "", .max = 3),
    FIELD_LIST_BY(Row, any, &Part_schema, 0, ""),
#ifdef a_field_of_an_int
    FIELD(Row, an_int, 0, ""),
#endif
#ifdef a_field_of_a_float
    FIELD(Row, a_float, 0, ""),
#endif
#ifdef a_field_of_a_char_pointer
    FIELD(Row, chars, 0, ""),
#endif
#ifdef a_field_of_a_char_array
    FIELD(Row, array, 0, ""),
#endif
#ifdef a_field_of_a_uint32
    FIELD(Row, u32, 0, ""),
#endif
#ifdef a_field_of_an_unsigned
    FIELD(Row, number, 0, ""),
#endif
#ifdef a_field_of_a_pointer
    FIELD(Row, pointer, 0, ""),
#endif
#ifdef a_field_of_an_array_of_numbers
    FIELD(Row, numbers, 0, ""),
#endif
#ifdef a_field_of_an_enum
    FIELD(Row, mood, 0, ""),
#endif
#ifdef a_field_of_a_record
    FIELD(Row, part, 0, ""),
#endif
#ifdef a_field_of_a_record_with_its_schema_by_hand
    FIELD(Row, part, 0, "", .record = &Part_schema),
#endif
#ifdef a_field_of_a_list_of_records
    FIELD(Row, parts, 0, ""),
#endif
#ifdef a_field_under_another_name_of_an_int
    FIELD_AT(Row, an_int, "other", 0, ""),
#endif
#ifdef an_enum_of_another_enum
    FIELD_ENUM(Row, mood, Taste, 0, ""),
#endif
#ifdef an_enum_of_an_unsigned
    FIELD_ENUM(Row, number, Mood, 0, ""),
#endif
#ifdef an_enum_of_a_uint32
    FIELD_ENUM(Row, u32, Mood, 0, ""),
#endif
#ifdef an_enum_that_is_called_unsigned
    FIELD_ENUM(Row, number, unsigned, 0, ""),
#endif
#ifdef an_enum_of_an_int
    FIELD_ENUM(Row, an_int, Slope, 0, ""),
#endif
#ifdef an_enum_with_negative_values
    FIELD_ENUM(Row, slope, Slope, 0, ""),
#endif
#ifdef an_enum_that_is_packed
    FIELD_ENUM(Row, tiny, Tiny, 0, ""),
#endif
#ifdef an_enum_of_a_text
    FIELD_ENUM(Row, text, Mood, 0, ""),
#endif
#ifdef an_enum_of_an_array
    FIELD_ENUM(Row, moods, Mood, 0, ""),
#endif
#ifdef an_enum_without_texts
    FIELD_ENUM(Row, flag, bool, 0, ""),
#endif
#ifdef a_record_of_another_record
    FIELD_RECORD(Row, part, Bolt, 0, ""),
#endif
#ifdef a_record_of_a_text
    FIELD_RECORD(Row, text, Part, 0, ""),
#endif
#ifdef a_record_of_a_list
    FIELD_RECORD(Row, parts, Part, 0, ""),
#endif
#ifdef a_record_without_a_schema
    FIELD_RECORD(Row, parts, Parts, 0, ""),
#endif
#ifdef a_list_of_another_record
    FIELD_LIST(Row, parts, Bolt, 0, ""),
#endif
#ifdef a_list_of_texts_as_records
    FIELD_LIST(Row, list, Part, 0, ""),
#endif
#ifdef a_list_of_a_record_that_is_no_list
    FIELD_LIST(Row, part, Part, 0, ""),
#endif
#ifdef a_list_whose_count_is_short
    FIELD_LIST(Row, short_count, Part, 0, ""),
#endif
#ifdef a_list_that_is_turned_around
    FIELD_LIST(Row, turned, Part, 0, ""),
#endif
#ifdef a_list_that_is_longer
    FIELD_LIST(Row, longer, Part, 0, ""),
#endif
#ifdef a_list_by_schema_of_typed_items
    FIELD_LIST_BY(Row, parts, &Part_schema, 0, ""),
#endif
#ifdef a_member_that_is_not_there
    FIELD(Row, nothing, 0, ""),
#endif
};
