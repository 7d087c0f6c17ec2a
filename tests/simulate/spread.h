// SPDX-License-Identifier: Apache-2.0
/// Source addresses over 127.0.0.0/8, of which every machine has all.
#pragma once

#include "base/str.h"

enum { SPREAD_TEXT_MAX = 16, SPREAD_MAX = 254 * 256 * 256 };

/// The address of device `number`, from 127.0.0.1 on, none of which ends in 0 or 255. `count`: so
/// many addresses for all; 0: one each.
void spread_source(uint64_t number, uint64_t count, char ret_source[SPREAD_TEXT_MAX]);
/// The server is on this machine's loopback, which these addresses reach.
bool spread_reaches(const char *host);
