// SPDX-License-Identifier: Apache-2.0
/// What a stranger can send as a device's first message: it is read or refused, what was read is
/// written and read again, and no hello is taken for one of a device.
#include "base/scope.h"
#include "control/device/hello.h"
#include "control/fixture.h"
#include "db/tx.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(const SyncUp *up, Arena *arena) {
    SCOPED(text_done) Text text;
    text_init(&text, 8 * 1024 * 1024);
    schema_encode(&SyncUp_schema, up, ENCODE_REQUEST, &text);
    SyncUp again;
    Err err = text_check(&text);
    if (err.code == OK)
        err = schema_read(&SyncUp_schema, text_str(&text), DECODE_PEER, arena, &again, NULL);
    assert(err.code == OK || err.code == ERR_LIMIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Fixture fixture;
    if (!fixture.router) fixture_open(&fixture);
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 16 * 1024 * 1024);
    SyncUp up;
    Err err = schema_read(
        &SyncUp_schema, (Str){(const char *)data, size}, DECODE_PEER, &arena, &up, NULL);
    if (err.code != OK) return 0;
    read_again(&up, &arena);
    if (id_is_absent(&up.hello.device_id)) return 0;
    SCOPED(tx_closep) Tx *tx = NULL;
    Device device;
    Refusal refusal;
    ProofWanted wanted = {.connection = S("this one")};
    err = tx_open_all(fixture.app.db, &arena, &tx);
    if (err.code == OK)
        err = hello_judge(
            &fixture.app, tx, &arena, &up.hello, &wanted, fixture.now_ms, &device, &refusal);
    assert(err.code == ERR_LIMIT || (err.code == OK && refusal.code.ptr));
    return 0;
}
