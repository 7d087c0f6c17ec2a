// SPDX-License-Identifier: Apache-2.0
#include "control/device/hello.h"

#include "base/log.h"
#include "control/call.h"
#include "control/device/tombstone.h"
#include "db/tx.h"

#include <sodium.h>

/// One hello under judgement.
typedef struct Judging {
    const App *app;
    Tx *tx;
    Arena *arena;
    const Hello *hello;
    const ProofWanted *wanted;
    uint64_t now_ms;
    Proof proof;   ///< claims of hello's; before anything is proved
    Device device; ///< of the row, or of its tombstone
    bool retired;
} Judging;

static Err hello_decode_proof(Str json, Arena *arena, Proof *ret_proof) {
    Err err = schema_read(&Proof_schema, json, DECODE_INPUT, arena, ret_proof, NULL);
    return err.code == ERR_INVALID ? FAIL(ERR_UNAUTHENTICATED, "the proof has other claims") : err;
}

Err proof_verify(Str token, Str public_key, Arena *arena, Proof *ret_proof) {
    uint8_t key[JWS_PUBLIC_KEY_LEN];
    Str json;
    if (base64_decode_exact(public_key, key, sizeof(key)).code != OK)
        return FAIL(ERR_UNAUTHENTICATED, "the key is not one");
    TRY(jws_verify(key, token, arena, &json));
    return hello_decode_proof(json, arena, ret_proof);
}

/// Absent texts are equal to each other only.
static bool hello_text_is_same(Str a, Str b) {
    return !a.ptr == !b.ptr && str_eq(a, b);
}

/// The proof was made for this.
static bool hello_proof_is_for(const Judging *judging, const Proof *proof, ProofUse use) {
    return proof->use == use && id_eq(&proof->aud, &judging->app->installation)
           && id_eq(&proof->sub, &judging->hello->device_id)
           && hello_text_is_same(proof->nonce, judging->proof.nonce)
           && hello_text_is_same(proof->about, judging->hello->next_key.public_key);
}

static bool hello_binding_is(Bytes binding, Bytes wanted) {
    return binding.len == wanted.len
           && (wanted.len == 0 || sodium_memcmp(binding.ptr, wanted.ptr, wanted.len) == 0);
}

/// The device's row, or of a retired one what its tombstone knows.
static Err hello_find_device(Judging *judging) {
    const Id *id = &judging->hello->device_id;
    Err err = device_get(judging->tx, id, &judging->device);
    if (err.code != ERR_NOT_FOUND) return err;
    Tombstone tombstone;
    TRY(tombstone_find(judging->tx, id, &tombstone));
    judging->device = (Device){.id = *id, .public_key = tombstone.public_key};
    judging->retired = true;
    return SUCCESS;
}

/// `code`, or none; what is no verdict is an Err.
typedef struct Verdict {
    bool refused;
    RefusalCode code;
    const char *detail;
} Verdict;

static Verdict hello_refuse(RefusalCode code, const char *detail) {
    return (Verdict){true, code, detail};
}

/// A verdict of a check that fails with ERR_UNAUTHENTICATED.
static Err hello_accept_if(Err err, RefusalCode code, Verdict *ret_verdict) {
    if (err.code != ERR_UNAUTHENTICATED) return err;
    *ret_verdict = hello_refuse(code, err.what);
    return SUCCESS;
}

static Err hello_judge_nonce(Judging *judging, Verdict *ret_verdict) {
    Str json;
    Err err = jws_peek(judging->hello->proof, judging->arena, &json);
    if (err.code == OK) err = hello_decode_proof(json, judging->arena, &judging->proof);
    if (err.code != OK) return hello_accept_if(err, REFUSED_PROOF_INVALID, ret_verdict);
    err = challenge_check(
        &judging->app->key, judging->wanted->connection, judging->now_ms, judging->proof.nonce);
    return hello_accept_if(err, REFUSED_NONCE_OLD, ret_verdict);
}

static Err hello_judge_device(Judging *judging, Verdict *ret_verdict) {
    Err err = hello_find_device(judging);
    if (err.code != ERR_NOT_FOUND) return err;
    *ret_verdict = hello_refuse(REFUSED_DEVICE_UNKNOWN, "there is no such device here");
    return SUCCESS;
}

static Err hello_judge_proof(Judging *judging, Verdict *ret_verdict) {
    Proof proof;
    Err err =
        proof_verify(judging->hello->proof, judging->device.public_key, judging->arena, &proof);
    if (err.code != OK) return hello_accept_if(err, REFUSED_PROOF_INVALID, ret_verdict);
    if (!hello_proof_is_for(judging, &proof, PROOF_HELLO))
        *ret_verdict = hello_refuse(REFUSED_PROOF_INVALID, "the proof is about something else");
    return SUCCESS;
}

static Err hello_judge_life(Judging *judging, Verdict *ret_verdict) {
    if (judging->retired)
        *ret_verdict = hello_refuse(REFUSED_DEVICE_RETIRED, "the device was retired");
    else if (judging->hello->epoch != judging->device.epoch)
        *ret_verdict =
            hello_refuse(REFUSED_EPOCH_OLD, "another enrolment of the device is in force");
    return SUCCESS;
}

static Err hello_judge_binding(Judging *judging, Verdict *ret_verdict) {
    Bytes binding = judging->proof.binding, wanted = judging->wanted->binding;
    if (wanted.len > 0 && binding.len == 0)
        *ret_verdict = hello_refuse(REFUSED_BINDING_MISSING, "the proof must name its connection");
    else if (!hello_binding_is(binding, wanted))
        *ret_verdict = hello_refuse(REFUSED_PROOF_INVALID, "the proof is of another connection");
    return SUCCESS;
}

/// The key is no other device's, and was never retired.
static Err hello_key_is_free(const Judging *judging, Str public_key, bool *ret_is_free) {
    Device other;
    Err err = tombstone_key_owner(judging->tx, public_key, &other);
    *ret_is_free =
        err.code == ERR_NOT_FOUND || (err.code == OK && id_eq(&other.id, &judging->device.id));
    return err.code == ERR_NOT_FOUND || err.code == ERR_FORBIDDEN ? SUCCESS : err;
}

/// The next key, if there is one, is the device's too, and new.
static Err hello_judge_next_key(Judging *judging, Verdict *ret_verdict) {
    const NextKey *next = &judging->hello->next_key;
    if (!next->public_key.ptr) return SUCCESS;
    Proof proof;
    Err err = proof_verify(next->proof, next->public_key, judging->arena, &proof);
    if (err.code != OK) return hello_accept_if(err, REFUSED_PROOF_INVALID, ret_verdict);
    if (!hello_proof_is_for(judging, &proof, PROOF_ROTATE)
        || !hello_binding_is(proof.binding, judging->wanted->binding))
        *ret_verdict =
            hello_refuse(REFUSED_PROOF_INVALID, "the next key's proof is about something else");
    bool is_free = false;
    TRY(hello_key_is_free(judging, next->public_key, &is_free));
    if (!is_free)
        *ret_verdict = hello_refuse(REFUSED_PROOF_INVALID, "the next key is not a new one");
    return SUCCESS;
}

Err hello_judge(const App *app,
                Tx *tx,
                Arena *arena,
                const Hello *hello,
                const ProofWanted *wanted,
                uint64_t now_ms,
                Device *ret_device,
                Refusal *ret_refusal) {
    static Err (*const checks[])(Judging * judging, Verdict * ret_verdict) = {hello_judge_nonce,
                                                                              hello_judge_device,
                                                                              hello_judge_proof,
                                                                              hello_judge_life,
                                                                              hello_judge_binding,
                                                                              hello_judge_next_key};
    Judging judging = {
        .app = app, .tx = tx, .arena = arena, .hello = hello, .wanted = wanted, .now_ms = now_ms};
    Verdict verdict = {};
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]) && !verdict.refused; i++)
        TRY(checks[i](&judging, &verdict));
    *ret_device = judging.device;
    *ret_refusal = (Refusal){};
    if (!verdict.refused) return SUCCESS;
    *ret_refusal = refusal_make(verdict.code, str_from(verdict.detail));
    log_event(LOG_INFO,
              "hello.refused",
              F("device", id_str(&hello->device_id)),
              F("code", ret_refusal->code),
              F("what", verdict.detail));
    return SUCCESS;
}

/// From now on the device is known by its next key. A device that did not hear of it offers the
/// same key again, signed with it, which changes nothing.
static Err hello_replace_key(
    Call *call, const Principal *actor, const Device *stored, Str next_key, Device *device) {
    if (str_eq(stored->public_key, next_key)) return SUCCESS;
    TRY(tombstone_expect_none(call->tx, next_key));
    TRY(tombstone_set(call, actor, stored, TOMBSTONE_ROTATED));
    device->public_key = next_key;
    device->rotate_key = false;
    return SUCCESS;
}

/// What the device became, once that is known in whole.
static Err
hello_note_key(Call *call, const Principal *actor, const Device *stored, const Device *device) {
    if (str_eq(stored->public_key, device->public_key)) return SUCCESS;
    return call_note_as(
        call, actor, &Device_rotate_key, id_str(&device->id), &Device_schema, stored, device);
}

static void hello_log_servers_failed(const Hello *hello) {
    if (hello->servers_failed.ptr)
        log_event(LOG_WARN,
                  "servers.failed",
                  F("device", id_str(&hello->device_id)),
                  F("digest", hello->servers_failed));
}

Err hello_answer(const App *app,
                 Tx *tx,
                 Arena *arena,
                 const Device *device,
                 const SyncUp *up,
                 SyncBy by,
                 uint64_t now_ms,
                 SyncDown *ret_down) {
    const Hello *hello = &up->hello;
    Device changed = *device;
    changed.agent_version = hello->agent_version;
    changed.abilities = hello->abilities;
    SyncDown down;
    Call call = {.arena = arena, .now_ms = now_ms, .tx = tx};
    const Principal actor = {.subject = device->id,
                             .scope = device->org_id,
                             .name = str_print(arena, "device/%.*s", STR_FMT(device->name))};
    TRY(arena_check(arena));
    if (hello->next_key.public_key.ptr)
        TRY(hello_replace_key(&call, &actor, device, hello->next_key.public_key, &changed));
    hello_log_servers_failed(hello);
    TRY(heartbeat_sync(app, tx, arena, device, &changed, up, by, now_ms, &down));
    TRY(hello_note_key(&call, &actor, device, &changed));
    down.key = hello->next_key.public_key;
    if (!hello_text_is_same(hello->servers, app->servers.digest)) down.servers = app->servers;
    *ret_down = down;
    return SUCCESS;
}
