// SPDX-License-Identifier: Apache-2.0
/// How a device joins, comes back and syncs (wire/agent.h).
#include "control/device/device_agent_api.h"

#include "base/jws.h"
#include "control/access.h"
#include "control/call.h"
#include "control/device/challenge.h"
#include "control/device/tombstone.h"
#include "control/fleet/fleet.h"
#include "control/token/token.h"
#include "db/tx.h"

enum { MS_PER_S = 1000, NAME_SUFFIX_LEN = 6 };

Err agent_challenge(Call *call) {
    Challenge challenge = {.now = {call->now_ms}};
    TRY(challenge_make(app_of(call)->challenges, call->now_ms, call->arena, &challenge.nonce));
    return call_reply(call, &challenge);
}

/// The joining device has the key it names, and means this token and this moment.
static Err enrol_prove(Call *call, const EnrolInput *input) {
    uint8_t public_key[JWS_PUBLIC_KEY_LEN];
    TRY(base64_decode_exact(input->public_key, public_key, sizeof(public_key)));
    Str json;
    TRY(jws_verify(public_key, input->proof, call->arena, &json));
    EnrolProof proof = {};
    if (schema_read(&EnrolProof_schema, json, DECODE_INPUT, call->arena, &proof, NULL).code != OK
        || !str_eq(proof.aud, S("muster-enrol"))
        || !str_eq(proof.token_sha256, sha256_hex(call->arena, input->token)))
        return FAIL(ERR_UNAUTHENTICATED, "the proof is about something else");
    return challenge_spend(app_of(call)->challenges, proof.nonce, call->id, call->now_ms);
}

/// `wished` if it is free, else with the tail of the device's id, which is unique enough: a
/// collision would be ERR_EXISTS at commit.
static Err name_choose(Call *call, Str wished, Device *device) {
    Str id = id_str(&device->id);
    Str tail = str_slice(id, id.len - NAME_SUFFIX_LEN, id.len);
    if (!wished.ptr) wished = S("device");
    Query query = {
        .where = {WHERE_STR("org_id", id_str(&device->org_id)), WHERE_STR("name", wished)},
        .limit = 1
    };
    Device other;
    Err err = tx_find(call->tx, &Device_schema, &query, &other);
    if (err.code == ERR_NOT_FOUND) {
        device->name = wished;
        return SUCCESS;
    }
    TRY(err);
    size_t room = 63 - 1 - NAME_SUFFIX_LEN;
    device->name =
        str_print(call->arena, "%.*s-%.*s", STR_FMT(str_slice(wished, 0, room)), STR_FMT(tail));
    return arena_check(call->arena);
}

/// The same key is the same device: it joined, but did not hear of it, so it may ask again without
/// spending another use. ERR_NOT_FOUND: it is new. ERR_FORBIDDEN: the key cannot join.
static Err device_known(Call *call, const Token *token, Str public_key, Device *ret_device) {
    TRY(tombstone_check(call->tx, public_key));
    Query query = {.where = {WHERE_STR("public_key", public_key)}, .limit = 1};
    Device device;
    TRY(tx_find(call->tx, &Device_schema, &query, &device));
    if (!id_eq(&device.org_id, &token->org_id))
        return FAIL(ERR_FORBIDDEN,
                    "this key is another organisation's device: enrol with a new key "
                    "(muster-agent enrol --force)");
    *ret_device = device;
    return SUCCESS;
}

/// The fleet that the token is for is there, and still will be when this is committed.
static Err fleet_join(Tx *tx, const Token *token) {
    Err err = fleet_expect(tx, &token->fleet_id);
    if (err.code == ERR_NOT_FOUND)
        return FAIL(ERR_UNAUTHENTICATED, "the enrolment token's fleet was deleted");
    return err;
}

static Err enrol_reply(Call *call, const Device *device) {
    Enrolled enrolled = {
        .device_id = device->id, .name = device->name, .fleet_id = device->fleet_id};
    return call_reply(call, &enrolled);
}

Err agent_enrol(Call *call) {
    const EnrolInput *input = call->in;
    TRY(enrol_prove(call, input));
    Token token;
    TRY(token_find(call->tx, input->token, call->arena, &token));
    Device device;
    Err err = device_known(call, &token, input->public_key, &device);
    if (err.code == OK) return enrol_reply(call, &device);
    if (err.code != ERR_NOT_FOUND) return err;
    TRY(token_spend(call->tx, call->now_ms, &token));
    TRY(fleet_join(call->tx, &token));
    device = (Device){
        .id = id_new(S("device"), call->now_ms),
        .org_id = token.org_id,
        .rev = 1,
        .fleet_id = token.fleet_id,
        .public_key = input->public_key,
        .facts = input->facts,
        .created_at = {call->now_ms},
    };
    Str wished =
        input->name.ptr ? input->name : device_name_from(input->facts.hostname, call->arena);
    TRY(name_choose(call, wished, &device));
    const Principal actor = {
        .subject = device.id,
        .scope = device.org_id,
        .name = str_print(call->arena, "device/%.*s", STR_FMT(device.name)),
    };
    TRY(tx_create(call->tx, &Device_schema, &device));
    TRY(call_note_as(
        call, &actor, call->route->endpoint, id_str(&device.id), &Device_schema, &device));
    return enrol_reply(call, &device);
}

/// The device of that id, or of a retired one what its tombstone knows.
static Err device_or_tombstone(Tx *tx, const Id *id, Device *ret_device, bool *ret_retired) {
    Err err = tx_get(tx, &Device_schema, id_str(id), ret_device);
    *ret_retired = err.code == ERR_NOT_FOUND;
    if (err.code != ERR_NOT_FOUND) return err;
    Tombstone tombstone;
    TRY(tombstone_find(tx, id, &tombstone));
    *ret_device = (Device){.id = *id, .public_key = tombstone.public_key};
    return SUCCESS;
}

/// The device that signed the assertion, proved by the key it joined with. ERR_FORBIDDEN: it was
/// retired, which is told to nobody else.
static Err assertion_verify(Call *call, Str assertion, Device *ret_device) {
    const Err refused = FAIL(ERR_UNAUTHENTICATED, "the assertion is not a device's of ours");
    Str json;
    AssertionClaims claims = {};
    Id id;
    Device device;
    TRY(jws_peek(assertion, call->arena, &json));
    if (schema_read(&AssertionClaims_schema, json, DECODE_INPUT, call->arena, &claims, NULL).code
            != OK
        || id_parse(claims.iss, S("device"), &id).code != OK)
        return refused;
    bool retired;
    Err err = device_or_tombstone(call->tx, &id, &device, &retired);
    if (err.code == ERR_NOT_FOUND) return refused;
    TRY(err);
    uint8_t public_key[JWS_PUBLIC_KEY_LEN];
    TRY(base64_decode_exact(device.public_key, public_key, sizeof(public_key)));
    TRY(jws_verify(public_key, assertion, call->arena, &json));
    if (!str_eq(claims.aud, S("muster-token")) || !str_eq(claims.sub, claims.iss)
        || claims.exp <= call->now_ms / MS_PER_S)
        return refused;
    TRY(challenge_spend(app_of(call)->challenges, claims.jti, call->id, call->now_ms));
    if (retired) return TOMBSTONE_REFUSED;
    *ret_device = device;
    return SUCCESS;
}

Err agent_token(Call *call) {
    const AssertionInput *input = call->in;
    if (!str_eq(input->grant_type, S(ASSERTION_GRANT)))
        return call_refuse(call, S("/grant_type"), "must be " ASSERTION_GRANT);
    Device device;
    TRY(assertion_verify(call, input->assertion, &device));
    App *app = app_of(call);
    DeviceTokenReply reply = {
        .token_type = S("Bearer"),
        .expires_in_s = DEVICE_TOKEN_LIFE_S,
        .channel_port = app->channel_port,
        .heartbeat = app->config.heartbeat,
    };
    TRY(access_token_make(app,
                          &device.id,
                          &device.org_id,
                          S(AUDIENCE_DEVICE),
                          call->now_ms,
                          DEVICE_TOKEN_LIFE_S,
                          call->arena,
                          &reply.access_token));
    return call_reply(call, &reply);
}

Err agent_sync(Call *call) {
    SyncDown down;
    TRY(device_sync(app_of(call),
                    call->tx,
                    call->arena,
                    &call->principal.subject,
                    call->in,
                    call->now_ms,
                    &down));
    return call_reply(call, &down);
}
