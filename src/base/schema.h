// SPDX-License-Identifier: Apache-2.0
/// One table describes a record.
///
/// A `Schema` lists the fields of a C struct once. From that table come: JSON decoding with
/// validation, JSON encoding, the OpenAPI schema, database columns, `key = value` pairs (config
/// files, query strings, command-line flags) and the CLI's tables. A field's kind follows from the
/// member's C type, and the compiler refuses a row that disagrees with its member.
///
///     typedef struct Fleet {
///         Id id;
///         Str name;
///         Time created_at;
///     } Fleet;
///     static const Field Fleet_fields[] = {
///         FIELD(Fleet, id, KEY | READ_ONLY, "id of the fleet", .prefix = "fleet"),
///         FIELD(Fleet, name, REQUIRED | UNIQUE, "its name", .pattern = &Pattern_slug, .max = 63),
///         FIELD(Fleet, created_at, READ_ONLY, "when it was made"),
///     };
///     const Schema Fleet_schema = SCHEMA(Fleet, "fleet", "devices that run the same release");
///
/// Absence: the zero value of Str, Id, Time, Bytes, Json, lists and maps is "absent" and is left
/// out of JSON and NULL in a row; bool, numbers, durations and enums are always present. Absent is
/// not empty: a text, list or map that points somewhere is there, and may be empty (`""`, `[]`,
/// `{}`). Only a REQUIRED list or record is written in any case. Decoding reports every bad field
/// at once, into `Faults`.
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"

typedef struct Schema Schema;

/// A raw JSON document, compact; `{}` is absent.
typedef struct Json {
    Str text;
} Json;

typedef enum FieldKind {
    KIND_BOOL,     ///< bool
    KIND_U64,      ///< uint64_t: JSON integer 0..2^53-1
    KIND_I64,      ///< int64_t: JSON integer within +-(2^53-1)
    KIND_DOUBLE,   ///< double: JSON number, 0..2^53-1
    KIND_ENUM,     ///< a C enum: JSON string out of `names`
    KIND_STR,      ///< Str: JSON string, UTF-8, no NUL
    KIND_ID,       ///< Id: JSON string, of the noun `prefix` unless that is NULL
    KIND_TIME,     ///< Time: JSON string, RFC 3339; in a row Unix ms
    KIND_DURATION, ///< Duration: JSON string like "30s"; in a row ms
    KIND_BYTES,    ///< Bytes: JSON string, base64
    KIND_JSON,     ///< Json: any JSON value
    KIND_STRS,     ///< StrList: JSON array of strings
    KIND_MAP,      ///< StrMap: JSON object with string values
    KIND_RECORD,   ///< another record, inline: JSON object by `record`
    KIND_RECORDS,  ///< struct { Item *items; size_t count; }: JSON array of objects by `record`
} FieldKind;

/// What may be done with a field; or-ed together.
enum FieldFlag {
    REQUIRED = 1 << 0,   ///< must be given at creation and is always in a reply
    READ_ONLY = 1 << 1,  ///< set by us: shown and stored, never accepted
    WRITE_ONLY = 1 << 2, ///< a secret on its way in: accepted, never shown, never stored
    HIDDEN = 1 << 3,     ///< stored, never in JSON in either direction
    COMPUTED = 1 << 4,   ///< made for the reply: shown, never accepted, never stored
    IMMUTABLE = 1 << 5,  ///< accepted at creation, refused in a change
    KEY = 1 << 6,        ///< the record's key (one field, Id or Str); rows are ordered by it
    SCOPE = 1 << 7,      ///< the field that partitions the rows; see db/tx.h
    REV = 1 << 8,        ///< the row's revision (uint64_t), kept by the store
    UNIQUE = 1 << 9,     ///< no two rows of a scope share it (absent values do not count)
    INDEXED = 1 << 10,   ///< lists may filter by it
    LISTED = 1 << 11,    ///< a column of the CLI's table
    GLOBAL = 1 << 12,    ///< with UNIQUE: no two rows of the whole table share it
    ORDERED = 1 << 14,   ///< rows may be listed in its order (db/tx.h); implies what INDEXED does
    LOOSE = 1 << 15,     ///< outside of the revision: written at creation, by set and by add only
    UNSTORED = 1 << 13,  ///< accepted, not stored (its owner keeps it in another form), shown where
                         ///< it was made again: REQUIRED is then about creation only
};

/// A named form that a text must have.
typedef struct Pattern {
    const char *name;    ///< "slug"
    const char *regex;   ///< the same as an ECMA 262 regular expression, for OpenAPI
    const char *allowed; ///< what is allowed, in words, to complete "must be ..."
    bool (*matches)(Str text);
} Pattern;

extern const Pattern Pattern_slug;      ///< a-z 0-9 - . _ ; begins and ends with a letter or digit
extern const Pattern Pattern_dns_label; ///< RFC 1123 label, lower case, at most 63
extern const Pattern Pattern_semver;    ///< Semantic Versioning 2.0.0
extern const Pattern Pattern_digest;    ///< "sha256:" and 64 lower-case hex digits
extern const Pattern Pattern_hex128;    ///< 32 lower-case hex digits
extern const Pattern Pattern_key32;     ///< base64 of exactly 32 bytes
extern const Pattern Pattern_line;      ///< no control characters
extern const Pattern Pattern_name;      ///< environment-variable name: [A-Za-z_][A-Za-z0-9_]*
extern const Pattern Pattern_label;     ///< label key: a-z A-Z 0-9 - _ . / ; begins with a letter

/// The texts of an enum's values 0..count-1. Those of `Role` are the object `Role_names`.
typedef struct EnumNames {
    const char *const *items;
    size_t count;
    /// What a text that is none of them becomes where a newer program may have written it
    /// (DECODE_PEER, DECODE_REPLY): one of the values; 0 unless said.
    unsigned unknown;
} EnumNames;
/// ENUM_NAMES(texts) or ENUM_NAMES(texts, .unknown = VALUE)
#define ENUM_NAMES(array, ...) \
    ((EnumNames){.items = (array), .count = sizeof(array) / sizeof((array)[0]), __VA_ARGS__})

typedef struct Field {
    Str name; ///< the member's name: the same in C, JSON, SQL, CLI
    FieldKind kind;
    uint32_t flags;
    size_t offset; ///< of the member
    const char *doc;
    int64_t min;      ///< number: least value; text and bytes: least length; list, map: least count
    int64_t max;      ///< likewise most; 0 = the kind's default (FIELD_*_MAX)
    int64_t item_max; ///< StrList, StrMap: longest item or value; 0 = FIELD_STR_MAX
    const Pattern *pattern; ///< Str; StrList: of each item; StrMap: of each key
    const EnumNames *names; ///< enum
    const char *prefix;     ///< Id: the noun
    const Schema *record;   ///< record and records
    const char *fallback;   ///< text of the default when absent at creation (scalars only)
} Field;

enum {
    FIELD_STR_MAX = 255,
    FIELD_BYTES_MAX = 4096,
    FIELD_JSON_MAX = 64 * 1024,
    FIELD_ITEMS_MAX = 64,
    SCHEMA_FIELDS_MAX = 128, ///< fields of a record
    SCHEMA_DEPTH_MAX = 8,    ///< of nested records
    JSON_DEPTH_MAX = 16,     ///< of any document
    FAULTS_MAX = 32,         ///< reported at once
};

struct Schema {
    Str name;          ///< the noun: "fleet"; the table's name
    const char *title; ///< the C type's name: "Fleet"; the OpenAPI component's name
    const char *doc;
    size_t size; ///< of the struct
    const Field *fields;
    size_t count;
    /// Behind the offset of a bool that decoding sets, which no field has: so that a record that is
    /// there, with nothing in it, is not absent. 0: there is none.
    size_t presence;
};

// clang-format off
/// The kind of a member; does not compile for one of another type, among them every enum.
#define FIELD_KIND(type, member)                                                                   \
    _Generic(((type *)0)->member,                                                                  \
        bool: KIND_BOOL, uint64_t: KIND_U64, int64_t: KIND_I64, double: KIND_DOUBLE,               \
        Str: KIND_STR, Id: KIND_ID, Time: KIND_TIME, Duration: KIND_DURATION, Bytes: KIND_BYTES,   \
        Json: KIND_JSON, StrList: KIND_STRS, StrMap: KIND_MAP)
/// 0; does not compile unless `holds`.
#define FIELD_PROVE(holds) (0 * sizeof(char[(holds) ? 1 : -1]))
/// The offset of a member of the type `item`; does not compile for one of another type.
#define FIELD_OFFSET(type, member, item) _Generic(&((type *)0)->member, item *: offsetof(type, member))
/// C holds every enum compatible with `unsigned`, but never with another enum.
typedef enum FieldProbe { FIELD_PROBE } FieldProbe;
#define FIELD_PROVE_ENUM(type, member)                                                             \
    (FIELD_PROVE(_Generic(&((type *)0)->member, FieldProbe *: 0, int *: 0, default: 1))            \
     + FIELD_PROVE(sizeof(((type *)0)->member) == sizeof(unsigned)))
#define FIELD_PROVE_LIST(type, member)                                                             \
    FIELD_PROVE(offsetof(type, member.items) == offsetof(type, member) + offsetof(StrList, items)  \
                && FIELD_OFFSET(type, member.count, size_t)                                        \
                       == offsetof(type, member) + offsetof(StrList, count)                        \
                && sizeof(((type *)0)->member) == sizeof(StrList))
#define FIELD_ROW(label, field_kind, at, field_flags, text, ...)                                   \
    {                                                                                              \
        .name = {"" label, sizeof(label) - 1}, .kind = (field_kind), .flags = (field_flags),       \
        .offset = (at), .doc = (text), __VA_ARGS__                                                 \
    }
/// A field whose name is not its member's: FIELD_AT(DeviceQuery, page.limit, "limit", ...)
#define FIELD_AT(type, member, label, ...)                                                         \
    FIELD_ROW(label, FIELD_KIND(type, member), offsetof(type, member), __VA_ARGS__)
/// FIELD(Fleet, name, REQUIRED, "its name", .max = 63): a scalar, text, list of texts or map.
#define FIELD(type, member, ...) FIELD_AT(type, member, #member, __VA_ARGS__)
/// An enum whose field is not called as its member is.
#define FIELD_ENUM_AT(type, member, label, item, field_flags, text, ...)                           \
    FIELD_ROW(label, KIND_ENUM,                                                                    \
              FIELD_OFFSET(type, member, item) + FIELD_PROVE_ENUM(type, member),                   \
              field_flags, text, .names = &item##_names, __VA_ARGS__)
/// FIELD_ENUM(Operator, role, Role, 0, "..."): a member of type Role; its texts are Role_names.
#define FIELD_ENUM(type, member, item, ...)                                                        \
    FIELD_ENUM_AT(type, member, #member, item, __VA_ARGS__)
/// FIELD_RECORD(Device, facts, Facts, 0, "..."): a member of type Facts, by Facts_schema.
#define FIELD_RECORD(type, member, item, field_flags, text, ...)                                   \
    FIELD_ROW(#member, KIND_RECORD, FIELD_OFFSET(type, member, item), field_flags, text,           \
              .record = &item##_schema, __VA_ARGS__)
/// FIELD_LIST(Service, ports, Port, 0, "..."): a struct { Port *items; size_t count; }.
#define FIELD_LIST(type, member, item, field_flags, text, ...)                                     \
    FIELD_ROW(#member, KIND_RECORDS,                                                               \
              FIELD_OFFSET(type, member.items, item *) + FIELD_PROVE_LIST(type, member),           \
              field_flags, text, .record = &item##_schema, __VA_ARGS__)
/// A struct { void *items; size_t count; } of records whose schema is known when it runs.
#define FIELD_LIST_BY(type, member, schema, field_flags, text, ...)                                \
    FIELD_ROW(#member, KIND_RECORDS,                                                               \
              FIELD_OFFSET(type, member.items, void *) + FIELD_PROVE_LIST(type, member),           \
              field_flags, text, .record = (schema), __VA_ARGS__)
// clang-format on
/// The schema of `type`, whose rows are `type##_fields`.
#define SCHEMA(type, noun, text)                                                                  \
    {                                                                                             \
        .name = {"" noun, sizeof(noun) - 1}, .title = #type, .doc = (text), .size = sizeof(type), \
        .fields = type##_fields, .count = sizeof(type##_fields) / sizeof(type##_fields[0])        \
    }

/// The same for a record with such a bool, `is_present`.
#define SCHEMA_PRESENT(type, noun, text)                                                          \
    {                                                                                             \
        .name = {"" noun, sizeof(noun) - 1}, .title = #type, .doc = (text), .size = sizeof(type), \
        .fields = type##_fields, .count = sizeof(type##_fields) / sizeof(type##_fields[0]),       \
        .presence = offsetof(type, is_present) + 1                                                \
    }

/// What the compiler cannot see of a table: options that its kind does not have, members that
/// overlap, a default that is not allowed, and so on down its nested records. ERR_INVALID: `reason`
/// names the field. For tests, and where a table is opened.
Err schema_check(const Schema *schema, Reason *reason);

/// One bad field.
typedef struct Fault {
    Str pointer; ///< RFC 6901, "" for the whole document
    Str allowed; ///< what is allowed: "must be a slug of at most 63 characters"
} Fault;

/// What is wrong with an input. Texts live in `arena`.
typedef struct Faults {
    Arena *arena;
    Fault items[FAULTS_MAX];
    size_t count;
    size_t dropped; ///< beyond FAULTS_MAX
} Faults;

/// No fault yet; texts will be allocated in `arena`.
void faults_init(Faults *faults, Arena *arena);
/// Add a fault. `pointer` is copied.
__attribute__((format(printf, 3, 4))) void
faults_add(Faults *faults, Str pointer, const char *format, ...);
/// ERR_INVALID if there is any fault.
Err faults_check(const Faults *faults);

/// Whose JSON is being read. What a value can be at all (type, enum text, id, time) is always
/// checked; bounds, patterns, counts and REQUIRED only where a stranger writes, so that records of
/// a newer program, or from before a bound was narrowed, can still be read.
typedef enum DecodeMode {
    /// A stranger creates: unknown, repeated, READ_ONLY, COMPUTED and HIDDEN fields are refused,
    /// REQUIRED ones must be there (a text or bytes not empty), defaults are filled in. null means
    /// absent. `record` is cleared first; so it is in REPLY and STORED.
    DECODE_INPUT,
    /// A stranger changes (RFC 7396): as above, but absent fields keep what `record` holds, null
    /// clears an optional one (to its default), IMMUTABLE fields are refused. In a map the named
    /// keys are set, or removed by null, and the others stay. Nested records and lists are
    /// replaced as a whole.
    DECODE_PATCH,
    /// An envelope between our own programs, either of which may be older: checked like a
    /// stranger's creation, defaults filled in, but unknown fields are skipped, and so are
    /// READ_ONLY, COMPUTED and HIDDEN ones; an unknown enum text is read as the enum's `unknown`.
    DECODE_PEER,
    /// A reply of our own server: unknown fields are skipped (it may be newer), WRITE_ONLY and
    /// HIDDEN are skipped, the rest accepted; an unknown enum text is read as the enum's `unknown`.
    DECODE_REPLY,
    /// What ENCODE_STORED wrote.
    DECODE_STORED,
} DecodeMode;

/// Whom JSON is written for.
typedef enum EncodeMode {
    ENCODE_REPLY,   ///< everything but WRITE_ONLY and HIDDEN
    ENCODE_REQUEST, ///< what DECODE_INPUT accepts
    ENCODE_STORED,  ///< everything but WRITE_ONLY, COMPUTED and UNSTORED
} EncodeMode;

/// Read the JSON object `json` (RFC 8259) into the struct `record`.
///
/// Texts and lists are copied into `arena`. On failure `record` may be partly written (in
/// DECODE_PATCH pass a copy) and `faults` has every bad field with its JSON pointer.
/// ERR_INVALID: faults. ERR_LIMIT: arena exhausted.
Err schema_decode(
    const Schema *schema, Str json, DecodeMode mode, Arena *arena, Faults *faults, void *record);
/// The same for records whose faults nobody lists (state files, claims, answers of an engine): the
/// first goes into `reason` as "/pointer must be ...".
Err schema_read(
    const Schema *schema, Str json, DecodeMode mode, Arena *arena, void *record, Reason *reason);
/// schema_decode for a JSON array of objects: `*ret_items` is an array of records in `arena`.
/// ERR_INVALID also for more than `max` items.
Err schema_decode_list(const Schema *schema,
                       Str json,
                       DecodeMode mode,
                       size_t max,
                       Arena *arena,
                       Faults *faults,
                       void **ret_items,
                       size_t *ret_count);
/// Fill scalars and text lists (comma separated) of `record` from texts; a map field `labels` takes
/// keys "labels.KEY". Same rules and faults as DECODE_INPUT; pointers are "/KEY".
Err schema_decode_pairs(const Schema *schema,
                        const StrPair *pairs,
                        size_t count,
                        Arena *arena,
                        Faults *faults,
                        void *record);
/// Append `record` as a JSON object, fields in the table's order.
void schema_encode(const Schema *schema, const void *record, EncodeMode mode, Text *out);
/// Append `count` records, adjacent in memory, as a JSON array.
void schema_encode_list(
    const Schema *schema, const void *items, size_t count, EncodeMode mode, Text *out);

/// Canonical form of a JSON document: keys sorted by their bytes, no blanks, shortest escapes; so
/// that equal documents have equal bytes (RFC 8785 for the documents we make: ASCII keys,
/// integers). ERR_INVALID: not JSON. ERR_LIMIT: too deep or arena exhausted.
Err json_canonical(Arena *arena, Str json, Str *ret_json);

/// Canonical JSON of `record`, in `arena`: what json_canonical makes of what schema_encode writes.
/// ERR_LIMIT: more than `max` bytes, too deep or arena exhausted.
Err schema_encode_canonical(const Schema *schema,
                            const void *record,
                            EncodeMode mode,
                            size_t max,
                            Arena *arena,
                            Str *ret_json);

/// The field called `name`; NULL if there is none.
const Field *schema_field(const Schema *schema, Str name);
/// The first field that has all of `flags`; NULL if there is none.
const Field *schema_flagged(const Schema *schema, uint32_t flags);
/// The field by which people call a record: `name`, else the first shown text that is UNIQUE; NULL
/// if there is none.
const Field *schema_name_field(const Schema *schema);
/// The member of `record`.
static inline void *field_of(const Field *field, void *record) {
    return (char *)record + field->offset;
}
/// The member of `record`, to read.
static inline const void *field_in(const Field *field, const void *record) {
    return (const char *)record + field->offset;
}
