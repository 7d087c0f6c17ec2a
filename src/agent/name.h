// SPDX-License-Identifier: Apache-2.0
/// The name that a device wishes for when it joins.
#pragma once

#include "base/arena.h"
#include "base/str.h"

/// The hardware address of the first physical network interface below `root` ("" for this
/// machine), by its name, without colons, in `arena`; absent: there is none.
Str name_mac(const char *root, Arena *arena);
/// The name for a wish: "serial", "mac", "hostname", or the name itself. What is not possible
/// falls back to the host name; absent if that does not fit either: the server finds one.
/// `root`: "" for this machine.
Str name_wished(Str wish, const char *root, Arena *arena);
