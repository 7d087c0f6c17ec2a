// SPDX-License-Identifier: Apache-2.0
// Entries of a journal and its signed end, as a server hands them to who doubts it: what is taken
// reads back as what it said, and no text is a checkpoint but one that its key signed.
#include "base/chain.h"
#include "base/scope.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 4 * 1024 * 1024);
    Str bytes = {(const char *)data, size};
    JournalEntry entry = {};
    Reason reason = {};
    Chain chain;
    Str hash = sha256_hex(&arena, bytes);
    if (entry_decode(bytes, hash, &arena, &entry).code == OK) {
        const JournalLine line = {entry.number, entry.class, entry.at, bytes, hash};
        assert(chain_init(&chain, &entry.org_id, 0, 0, entry.previous).code
               == (entry.previous.len <= CHAIN_HASH_LEN ? OK : ERR_STATE));
        if (entry.previous.len <= CHAIN_HASH_LEN
            && chain_step(&chain, &line, &arena, &reason).code == OK) {
            assert(chain.number == entry.number && chain.entries == 1);
            assert(chain_step(&chain, &line, &arena, &reason).code == ERR_STATE); // not twice
        }
    }
    Checkpoint checkpoint;
    if (checkpoint_verify(NULL, bytes, &arena, &checkpoint).code == OK)
        assert(str_eq(checkpoint.use, S(CHECKPOINT_USE)));
    return 0;
}
