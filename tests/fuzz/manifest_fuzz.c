// SPDX-License-Identifier: Apache-2.0
/// What a server, or somebody who stole it, can publish as a manifest: it is refused by name, or
/// each of its services has a place in the order and an identity, and it is published again as one
/// that is read as the same.
#include "base/scope.h"
#include "wire/manifest.h"

#include <assert.h>

enum { MEMORY_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void republish(Manifest *manifest, Arena *arena) {
    Document once, twice;
    Refusal refusal;
    if (manifest_publish(manifest, arena, &once).code != OK) return;
    Err err = manifest_read(&once, arena, manifest, &refusal);
    assert(err.code == OK && !refusal.code.ptr);
    err = manifest_publish(manifest, arena, &twice);
    assert(err.code == OK && str_eq(once.text, twice.text) && str_eq(once.digest, twice.digest));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, MEMORY_MAX);
    Str text = {(const char *)data, size};
    Manifest manifest;
    (void)!manifest_show(text, &arena, &manifest).code;
    Document document;
    Refusal refusal;
    if (document_make(text, &arena, &document).code != OK) return 0;
    if (manifest_read(&document, &arena, &manifest, &refusal).code != OK) return 0;
    if (refusal.code.ptr) {
        assert(refusal.class == REFUSAL_CHANGE && refusal.detail.len <= DETAIL_MAX);
        assert(Pattern_line.matches(refusal.detail));
        return 0;
    }
    size_t order[MANIFEST_SERVICES_MAX];
    Str identities[MANIFEST_SERVICES_MAX] = {};
    manifest_order(&manifest, order);
    Err err = manifest_identities(text, &arena, identities);
    assert(err.code == OK);
    for (size_t i = 0; i < manifest.services.count; i++)
        assert(identities[i].len == 64 && order[i] < manifest.services.count);
    republish(&manifest, &arena);
    return 0;
}
