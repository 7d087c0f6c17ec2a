// SPDX-License-Identifier: Apache-2.0
/// The name that a device wishes for when it joins.
#pragma once

#include "base/arena.h"
#include "base/str.h"

enum { NAME_MAX_LEN = 63 };

/// `text` made to fit a slug of at most NAME_MAX_LEN: lower case, a hyphen for what may not be, a
/// letter or digit at both ends. In `arena`; absent: nothing of it fits.
Str name_fit(Str text, Arena *arena);
/// The hardware address of the first physical network interface below `root` ("" for this
/// machine), by its name, without colons, in `arena`; absent: there is none.
Str name_mac(const char *root, Arena *arena);
/// The name for a wish: "serial", "mac", "hostname", or the name itself. What is not possible
/// falls back to the host name; absent if that does not fit either: the server finds one.
/// `root`: "" for this machine.
Str name_wished(Str wish, const char *root, Arena *arena);
