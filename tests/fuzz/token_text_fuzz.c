// SPDX-License-Identifier: Apache-2.0
/// Whatever somebody pastes as an enrolment token: it is refused with a reason, or it is one, and
/// what it says is written as a token that says the same.
#include "base/scope.h"
#include "wire/token_text.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    TokenText parts, again;
    Reason reason = {};
    Err err = token_text_parse((Str){(const char *)data, size}, &arena, &parts, &reason);
    if (err.code != OK) {
        assert(err.code == ERR_INVALID && reason.text[0]);
        return 0;
    }
    assert(parts.servers.count > 0 && parts.servers.count <= SERVERS_MAX);
    Str once, twice;
    if (token_text_make(&parts, &arena, &once).code != OK) return 0;
    err = token_text_parse(once, &arena, &again, &reason);
    assert(err.code == OK && str_eq(again.secret, parts.secret));
    err = token_text_make(&again, &arena, &twice);
    assert(err.code == OK && str_eq(once, twice));
    return 0;
}
