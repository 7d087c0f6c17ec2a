// SPDX-License-Identifier: Apache-2.0
/// The present key of the device, and the one that is to replace it: pure.
///
///     rotate_key --> both (hello by the present one offers the next)
///     both --key--> the next is the present one
///     both --refused--> next alone --accepted--> the next is the present one
///     next alone --refused--> present alone --accepted--> the next is forgotten
///     present alone --refused--> both
///
/// A lost answer thus costs one refused hello, and a key that the server will never take does not
/// shut the device out (docs/protocol.md, section 6).
///
/// A hello may be under way on two connections at once (a list of servers on trial): an answer is
/// judged by how the hello that it answers was said, not by how the next one would be.
#pragma once

#include "agent/identity.h"

typedef enum KeyringStep { KEYRING_BOTH, KEYRING_NEXT, KEYRING_PRESENT } KeyringStep;

typedef struct Keyring {
    Identity present;
    Identity next;
    bool has_next;
    KeyringStep step; ///< how the next hello is said, while there is a next key
} Keyring;

/// How a hello was said.
typedef struct KeyringSaid {
    KeyringStep step;
    uint8_t by[JWS_PUBLIC_KEY_LEN]; ///< the key that proved it
} KeyringSaid;

/// What an answer means for the keys on disk.
typedef enum KeyringNews { KEYRING_SAME, KEYRING_SWITCHED, KEYRING_FORGOTTEN } KeyringNews;

/// The keys as they are on disk; `next` NULL: there is none.
void keyring_init(Keyring *ring, const Identity *present, const Identity *next);
/// Overwrite the secrets. Fits SCOPED.
void keyring_wipe(Keyring *ring);
/// A key to offer, which is kept on disk.
void keyring_offer(Keyring *ring, const Identity *next);
/// The key that hello is proved with.
const Identity *keyring_by(const Keyring *ring);
/// The key that hello offers; NULL: none.
const Identity *keyring_offered(const Keyring *ring);
/// How the next hello is said.
KeyringSaid keyring_say(const Keyring *ring);
/// A hello that was `said` so was refused. True: it may be the key, so try at once in another way.
bool keyring_refused(Keyring *ring, const KeyringSaid *said, const Refusal *refusal);
/// It was accepted, or a later message came on its connection. `key`: what the device is known by,
/// if it was told.
KeyringNews keyring_accepted(Keyring *ring, const KeyringSaid *said, Str key);
