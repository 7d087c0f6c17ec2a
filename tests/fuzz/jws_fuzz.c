// SPDX-License-Identifier: Apache-2.0
// A token is refused, or it is one that we signed: no other text may verify.
#include "base/arena.h"
#include "base/jws.h"
#include "base/scope.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const signed_claims = "{\"sub\":\"x\"}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    JwsKey key;
    jws_key_from_seed((const uint8_t[32]){7}, &key);
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 64 * 1024);
    Str token = {(const char *)data, size}, claims;

    Err peeked = jws_peek(token, &arena, &claims);
    if (jws_verify(key.public, token, &arena, &claims).code == OK) {
        assert(peeked.code == OK);
        assert(str_eq(claims, str_from(signed_claims)));
    }
    uint8_t bytes[32];
    if (base64_decode_exact(token, bytes, sizeof(bytes)).code == OK)
        assert(str_eq(base64_encode(&arena, (Bytes){bytes, sizeof(bytes)}, BASE64), token));
    return 0;
}
