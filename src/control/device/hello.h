// SPDX-License-Identifier: Apache-2.0
/// Who is there: a device proves itself inside its first message (docs/protocol.md, sections 4-6).
///
/// Nothing was stored for it before, so any process over the same data can judge it. A stranger
/// learns nothing of a device but that its id exists, which nobody can guess: whether it is
/// retired or enrolled anew is told only to whoever has its key.
#pragma once

#include "control/device/challenge.h"
#include "control/device/heartbeat.h"

/// What a proof must be about, besides its device.
typedef struct ProofWanted {
    ChallengeFor connection; ///< that the nonce was given to
    Bytes binding;           ///< that the proof must carry; absent: none was asked for
} ProofWanted;

/// Read the claims of a proof that `public_key` (base64) signed. ERR_UNAUTHENTICATED: it did not,
/// or they are none.
Err proof_verify(Str token, Str public_key, Arena *arena, Proof *ret_proof);

/// Judge a hello. `*ret_refusal` is absent if it is that of the device `*ret_device`, as it is
/// stored, else says why not (texts static). `tx` has no scope, for nobody is known yet.
Err hello_judge(const App *app,
                Tx *tx,
                Arena *arena,
                const Hello *hello,
                const ProofWanted *wanted,
                uint64_t now_ms,
                Device *ret_device,
                Refusal *ret_refusal);
/// The exchange with a device whose hello is good: heartbeat_sync, and what only a hello brings,
/// its versions, servers and next key. `device`: of hello_judge.
Err hello_answer(const App *app,
                 Tx *tx,
                 Arena *arena,
                 const Device *device,
                 const SyncUp *up,
                 SyncBy by,
                 uint64_t now_ms,
                 SyncDown *ret_down);
