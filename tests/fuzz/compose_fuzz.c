// SPDX-License-Identifier: Apache-2.0
// Compose files: whatever is accepted and checked can be published as a manifest.
#include "cli/compose.h"

#include "base/scope.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 16 * 1024 * 1024);
    Faults faults;
    faults_init(&faults, &arena);
    Compose compose;
    Err err = compose_decode((Str){(const char *)data, size}, &arena, &faults, &compose);
    if (err.code != OK) {
        assert(err.code == ERR_LIMIT || faults.count > 0);
        return 0;
    }
    if (compose_check(&compose.manifest, &arena, &faults).code != OK) return 0;
    Document document;
    err = manifest_publish(&compose.manifest, &arena, &document);
    assert(err.code == OK || err.code == ERR_LIMIT);
    return 0;
}
