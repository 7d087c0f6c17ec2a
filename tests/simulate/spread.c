// SPDX-License-Identifier: Apache-2.0
#include "spread.h"

#include <stdio.h>

void spread_source(uint64_t number, uint64_t count, char ret_source[SPREAD_TEXT_MAX]) {
    number %= count > 0 ? count : SPREAD_MAX;
    snprintf(ret_source,
             SPREAD_TEXT_MAX,
             "127.%u.%u.%u",
             (unsigned)(number / 254 / 256 % 256),
             (unsigned)(number / 254 % 256),
             (unsigned)(number % 254 + 1));
}

bool spread_reaches(const char *host) {
    return str_eq(str_from(host), S("localhost")) || str_starts(str_from(host), S("127."));
}
