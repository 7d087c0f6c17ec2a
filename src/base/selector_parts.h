// SPDX-License-Identifier: Apache-2.0
/// What the selector*.c files share; nobody else includes it.
///
/// selector_parse.c reads the grammar, selector_key.c knows keys and what is compared with them,
/// selector.c matches and prints.
#pragma once

#include "base/selector.h"

/// Set the term's rows (and entry) by its key. False: there is no such key.
bool selector_key_find(const SelectorKeys *keys, SelectorTerm *term);
/// One of the term's rows can be compared by its operator.
bool selector_key_takes_op(const SelectorTerm *term);
/// Read the value as the first row does that can. False: none can.
bool selector_key_read(const SelectorTerm *term, Str text, SelectorValue *ret_value);
/// Append what a value of the term may be, to complete "must be ...".
void selector_key_allowed(const SelectorTerm *term, Text *out);

/// The operator compares by less and more.
bool selector_op_orders(SelectorOp op);
/// The value of a row in `record`, as an operand of the wanted `form`, which is one that the row
/// can have. OPERAND_ABSENT: there is none, or it is not of that form.
SelectorOperand selector_operand(
    const Field *row, Str entry, OperandForm form, const void *record, uint64_t now_ms);

/// The character ends an unquoted word.
bool selector_is_special(char c);
