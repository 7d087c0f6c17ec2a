// SPDX-License-Identifier: Apache-2.0
#include "control/device/enrol.h"

#include "control/call.h"
#include "control/device/hello.h"
#include "control/device/tombstone.h"
#include "control/fleet/fleet.h"
#include "control/token/token.h"
#include "db/tx.h"

enum { NAME_SUFFIX_LEN = 6 };

/// The joining device has the key it names, and means this token and this moment.
static Err enrol_prove(Call *call, const EnrolInput *input) {
    const App *app = app_of(call);
    Proof proof;
    TRY(proof_verify(input->proof, input->public_key, call->arena, &proof));
    Str about = sha256_hex(call->arena, input->secret);
    TRY(arena_check(call->arena));
    if (proof.use != PROOF_ENROL || !id_eq(&proof.aud, &app->installation)
        || !id_is_absent(&proof.sub) || proof.binding.ptr || !str_eq(proof.about, about))
        return FAIL(ERR_UNAUTHENTICATED, "the proof is about something else");
    return challenge_check(&app->key, (ChallengeFor){}, call->now_ms, proof.nonce);
}

/// `wished`; if the try before found that taken, with the tail of the device's id, which is another
/// each time.
static Err enrol_name(Call *call, Str wished, Device *device) {
    if (!wished.ptr) wished = S("device");
    device->name = wished;
    if (call->taken != schema_field(&Device_schema, S("name"))) return SUCCESS;
    Str id = id_str(&device->id);
    Str tail = str_slice(id, id.len - NAME_SUFFIX_LEN, id.len);
    size_t room = DEVICE_NAME_MAX - 1 - NAME_SUFFIX_LEN;
    device->name =
        str_print(call->arena, "%.*s-%.*s", STR_FMT(str_slice(wished, 0, room)), STR_FMT(tail));
    return arena_check(call->arena);
}

/// The same key is the same device. ERR_NOT_FOUND: it is new. ERR_FORBIDDEN: the key is dead.
/// ERR_EXISTS: it is another organisation's device.
static Err enrol_known(Call *call, const Token *token, Str public_key, Device *ret_device) {
    Device device;
    TRY(tombstone_key_owner(call->tx, public_key, &device));
    if (!id_eq(&device.org_id, &token->org_id))
        return FAIL(ERR_EXISTS,
                    "this key is another organisation's device: enrol with a new key "
                    "(muster-agent enrol --force)");
    *ret_device = device;
    return SUCCESS;
}

/// What is said where the fleet that the token is for is not there.
static Err enrol_fleet_err(Err err) {
    return err.code == ERR_NOT_FOUND
               ? FAIL(ERR_UNAUTHENTICATED, "the enrolment token's fleet was deleted")
               : err;
}

static Err enrol_reply(Call *call, const Device *device) {
    const App *app = app_of(call);
    Enrolled enrolled = {
        .device_id = device->id,
        .name = device->name,
        .fleet_id = device->fleet_id,
        .epoch = device->epoch,
        .installation = app->installation,
        .servers = app->servers,
        .heartbeat = app->config.heartbeat,
    };
    return call_reply(call, &enrolled);
}

/// What the device is from this enrolment on.
static void enrol_fill(const EnrolInput *input, const Token *token, Device *device) {
    device->fleet_id = token->fleet_id;
    device->token_id = token->id;
    device->epoch++;
    device->agent_version = input->agent_version;
    device->abilities = input->abilities;
    device->facts = input->facts;
}

static Err enrol_new(Call *call, const EnrolInput *input, const Token *token, Device *ret_device) {
    Device device = {
        .id = id_new(S("device"), call->now_ms),
        .org_id = token->org_id,
        .rev = 1,
        .public_key = input->public_key,
        .created_at = {call->now_ms},
    };
    Str wished =
        input->name.ptr ? input->name : device_name_fit(input->facts.hostname, call->arena);
    TRY(enrol_name(call, wished, &device));
    enrol_fill(input, token, &device);
    TRY(tombstone_expect_none(call->tx, input->public_key));
    Fleet fleet;
    TRY(enrol_fleet_err(fleet_get(call->tx, &token->fleet_id, &fleet)));
    TRY(fleet_count(call->tx, &token->fleet_id, 1));
    *ret_device = device;
    return tx_create(call->tx, &Device_schema, &device);
}

/// The device begins anew: what it said and was told before has no effect any more.
static Err enrol_anew(Call *call, const EnrolInput *input, const Token *token, Device *device) {
    TRY(enrol_fleet_err(device_leave(
        call->tx, device, &token->fleet_id, call->now_ms, &device->assigned_generation)));
    enrol_fill(input, token, device);
    TRY(device_forget(call->tx, device));
    return tx_update(call->tx, &Device_schema, device);
}

Err device_enrol(Call *call) {
    const EnrolInput *input = call->in;
    TRY(enrol_prove(call, input));
    TRY(call_see_all(call));
    Token token;
    TRY(token_find(call->tx, input->secret, call->arena, &token));
    Device device;
    Err err = enrol_known(call, &token, input->public_key, &device);
    bool is_new = err.code == ERR_NOT_FOUND;
    if (!is_new) TRY(err);
    TRY(call_see(call, &token.org_id));
    tx_patient(call->tx); // whole fleets join at once
    // It joined, but did not hear of it.
    if (!is_new && id_eq(&device.token_id, &token.id)) return enrol_reply(call, &device);
    const Device before = device;
    call->yields = true; // a name or key that another has taken since then
    TRY(token_spend(call->tx, call->now_ms, &token));
    TRY(is_new ? enrol_new(call, input, &token, &device)
               : enrol_anew(call, input, &token, &device));
    const Principal actor = {
        .subject = device.id,
        .scope = device.org_id,
        .name = str_print(call->arena, "device/%.*s", STR_FMT(device.name)),
    };
    TRY(arena_check(call->arena));
    TRY(call_note_as(call,
                     &actor,
                     call->route->endpoint,
                     id_str(&device.id),
                     &Device_schema,
                     is_new ? NULL : &before,
                     &device));
    return enrol_reply(call, &device);
}
