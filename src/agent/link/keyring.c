// SPDX-License-Identifier: Apache-2.0
#include "agent/link/keyring.h"

#include "base/arena.h"
#include "base/scope.h"

#include <string.h>

void keyring_init(Keyring *ring, const Identity *present, const Identity *next) {
    *ring = (Keyring){.present = *present};
    if (next) keyring_offer(ring, next);
}

void keyring_wipe(Keyring *ring) {
    identity_wipe(&ring->present);
    identity_wipe(&ring->next);
}

void keyring_offer(Keyring *ring, const Identity *next) {
    ring->next = *next;
    ring->has_next = true;
    ring->step = KEYRING_BOTH;
}

const Identity *keyring_by(const Keyring *ring) {
    return ring->has_next && ring->step == KEYRING_NEXT ? &ring->next : &ring->present;
}

const Identity *keyring_offered(const Keyring *ring) {
    return ring->has_next && ring->step == KEYRING_BOTH ? &ring->next : NULL;
}

KeyringSaid keyring_say(const Keyring *ring) {
    KeyringSaid said = {.step = ring->step};
    memcpy(said.by, keyring_by(ring)->key.public, sizeof(said.by));
    return said;
}

bool keyring_refused(Keyring *ring, const KeyringSaid *said, const Refusal *refusal) {
    bool may_be_key =
        refusal_is(refusal, REFUSED_PROOF_INVALID) || refusal_is(refusal, REFUSED_DEVICE_RETIRED);
    if (!ring->has_next || !may_be_key) return false;
    if (ring->step != said->step) return true; // another connection has gone on already
    ring->step = ring->step == KEYRING_PRESENT ? KEYRING_BOTH : ring->step + 1;
    return ring->step != KEYRING_BOTH; // each way was tried: wait
}

static void keyring_drop_next(Keyring *ring) {
    identity_wipe(&ring->next);
    ring->has_next = false;
    ring->step = KEYRING_BOTH;
}

KeyringNews keyring_accepted(Keyring *ring, const KeyringSaid *said, Str key) {
    if (!ring->has_next) return KEYRING_SAME;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1024);
    bool is_by_next = memcmp(said->by, ring->next.key.public, sizeof(said->by)) == 0;
    if (is_by_next || str_eq(key, identity_public_key(&ring->next, &arena))) {
        ring->present = ring->next;
        keyring_drop_next(ring);
        return KEYRING_SWITCHED;
    }
    if (said->step != KEYRING_PRESENT || ring->step != KEYRING_PRESENT) return KEYRING_SAME;
    keyring_drop_next(ring);
    return KEYRING_FORGOTTEN;
}
