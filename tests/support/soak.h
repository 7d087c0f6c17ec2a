// SPDX-License-Identifier: Apache-2.0
/// How large a storm is: whole where MUSTER_SOAK=1 is in the environment (`make soak`), else a
/// tenth.
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool soak_is_whole(void) {
    const char *value = getenv("MUSTER_SOAK");
    return value && strcmp(value, "1") == 0;
}

static inline unsigned soak_size(unsigned whole) {
    return soak_is_whole() ? whole : whole / 10;
}
