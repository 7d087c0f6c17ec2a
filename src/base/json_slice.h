// SPDX-License-Identifier: Apache-2.0
/// Parts of a JSON document as the bytes that they were written in.
///
/// Digests are over bytes as published: what is hashed is cut out of the text, never made again
/// from a tree. The document must be JSON (it was read by schema_read before); for anything else
/// the answer is some part of the text or none, and nothing worse.
#pragma once

#include "base/str.h"

/// The value of the member `name` of the object `json`, borrowed; absent: there is none. A name
/// that is written with escapes is not found.
Str json_slice_member(Str json, Str name);
/// Take the next member off `*members`, which at first is a whole object. False: there are no more.
/// `*ret_name` (without its quotes, as it is written) and `*ret_value` are borrowed.
bool json_slice_next_member(Str *members, Str *ret_name, Str *ret_value);
/// Take the next item off `*items`, which at first is a whole array: "[a,b]". False: there are no
/// more. `*ret_item` is borrowed.
bool json_slice_next(Str *items, Str *ret_item);
