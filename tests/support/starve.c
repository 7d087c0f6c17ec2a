// SPDX-License-Identifier: Apache-2.0
#include "starve.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *bytes, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *bytes, size_t size);

static _Thread_local struct {
    long left; ///< allocations until one fails
    bool is_lasting;
    bool has_failed;
} hunger = {.left = STARVE_NEVER};

void starve(long nth, bool is_lasting) {
    hunger.left = nth;
    hunger.is_lasting = is_lasting;
    hunger.has_failed = false;
}

bool starve_end(void) {
    hunger.left = STARVE_NEVER;
    return hunger.has_failed;
}

static bool must_fail(void) {
    if (hunger.left < 0) return false;
    if (hunger.left > 0) {
        hunger.left--;
        return false;
    }
    if (!hunger.is_lasting) hunger.left = STARVE_NEVER;
    hunger.has_failed = true;
    return true;
}

void *__wrap_malloc(size_t size) {
    return must_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return must_fail() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *bytes, size_t size) {
    return must_fail() ? NULL : __real_realloc(bytes, size);
}
