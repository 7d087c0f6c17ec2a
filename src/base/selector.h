// SPDX-License-Identifier: Apache-2.0
/// Which records are meant, as text: `site=hall-3,role!=db,state in (failed,degraded),seen<10m`.
///
/// A selector is a conjunction of terms; none at all selects everything. docs/selectors.md has the
/// grammar. What Kubernetes accepts as a label selector is one, and means the same.
///
/// By what records are selected says their owner, with a table of *keys*: each row is a member of
/// the record under the name that people write.
///
///     static const Field crate_rows[] = {
///         FIELD_AT(Crate, yard_id, "yard", 0, "its yard", .prefix = "yard"),
///         FIELD_AT(Crate, yard_name, "yard", COMPUTED, "the same by name"),
///         FIELD_AT(Crate, opened_at, "opened", COMPUTED, "how long ago"),
///         FIELD_AT(Crate, labels, "labels", 0, "its labels"),
///     };
///     const SelectorKeys Crate_keys = SELECTOR_KEYS(crate_rows);
///
/// Rows of one name stand together; the first that can read a value is what the value is compared
/// with (`yard=yard_01k…` the id, `yard=north` the name). A time is compared by its age. Any other
/// key is one of the map, and so is `labels.KEY`, which reaches those that are called as a row is.
/// Kinds: bool, numbers, text, id, enum, time, duration, and one map at most. Of the flags only
/// COMPUTED matters: the member is filled in for a reply, and not before.
///
/// A value that is absent, or no number where one is asked for, is neither equal nor unequal, below
/// nor above. So of an absent value `=`, `in`, `<`, `<=`, `>`, `>=` and `key` do not hold, while
/// `!=`, `notin` and `!key`, which are their negations, do.
#pragma once

#include "base/field.h"

enum {
    SELECTOR_BYTES_MAX = 1024, ///< of its text, and of its canonical text
    SELECTOR_TERMS_MAX = 32,
    SELECTOR_VALUES_MAX = 64, ///< of one term
};

/// By what records are selected.
typedef struct SelectorKeys {
    const Field *rows;
    size_t count;
} SelectorKeys;
#define SELECTOR_KEYS(array) \
    { .rows = (array), .count = sizeof(array) / sizeof((array)[0]) }

typedef enum SelectorOp {
    SELECTOR_IS,       ///< key=value, key==value, key in (value,value)
    SELECTOR_IS_NOT,   ///< key!=value, key notin (value,value)
    SELECTOR_BELOW,    ///< key<value
    SELECTOR_AT_MOST,  ///< key<=value
    SELECTOR_ABOVE,    ///< key>value
    SELECTOR_AT_LEAST, ///< key>=value
    SELECTOR_THERE,    ///< key
    SELECTOR_MISSING,  ///< !key
} SelectorOp;

typedef enum OperandForm {
    OPERAND_ABSENT,
    OPERAND_TEXT,
    OPERAND_NUMBER,
    OPERAND_SPAN, ///< of time
} OperandForm;

/// A value as something that can be compared: only with one of the same form.
typedef struct SelectorOperand {
    OperandForm form;
    Str text;      ///< of OPERAND_TEXT
    double number; ///< of OPERAND_NUMBER; milliseconds of OPERAND_SPAN
} SelectorOperand;

/// One of the values of a term.
typedef struct SelectorValue {
    Str text;           ///< without quotes
    const Field *field; ///< the row that reads it
    SelectorOperand operand;
} SelectorValue;

typedef struct SelectorTerm {
    Str key;
    SelectorOp op;
    const Field *rows; ///< of the key
    size_t row_count;
    Str entry;             ///< of a map: its key
    SelectorValue *values; ///< sorted by their bytes, each once
    size_t value_count;
} SelectorTerm;

typedef struct Selector {
    SelectorTerm *terms; ///< all of them hold
    size_t count;
} Selector;

/// What the compiler cannot see of a table of keys: kinds that cannot be compared, rows of one name
/// that stand apart, a second map. ERR_INVALID: `reason` names the key. For tests.
Err selector_keys_check(const SelectorKeys *keys, Reason *reason);
/// Read a selector by its owner's `keys`. What it holds lives in `arena`; `keys` are borrowed.
/// ERR_INVALID: it is none, and `reason` says where and why: "column 7: ...", counted in
/// characters, from 1. ERR_LIMIT: arena exhausted.
Err selector_parse(
    Str text, const SelectorKeys *keys, Arena *arena, Selector *ret_selector, Reason *reason);
/// Append the canonical text, which reads as the same selector: terms as they were given, values
/// sorted and quoted only where they must be, `=` and `!=` for one of them, no other blanks than
/// those around `in` and `notin`.
void selector_print(const Selector *selector, Text *out);

/// The record, with its COMPUTED members, meets every term. Pure; times are compared with `now_ms`.
bool selector_matches(const Selector *selector, const void *record, uint64_t now_ms);
/// The same for a record whose COMPUTED members are not filled in: false only if it does not match
/// whatever they are.
bool selector_may_match(const Selector *selector, const void *record, uint64_t now_ms);
/// The narrowing term: a condition "this field is this text" that a store with an index can apply,
/// and that every match meets; the rest is matched in memory. A UNIQUE field or the KEY comes
/// before an INDEXED one. `stored`: the Schema of the records. False: there is no such term.
bool selector_narrow(const Selector *selector,
                     const Schema *stored,
                     const Field **ret_field,
                     Str *ret_value);
