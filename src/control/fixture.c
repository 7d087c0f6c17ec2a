// SPDX-License-Identifier: Apache-2.0
#include "control/fixture.h"

#include "base/scope.h"
#include "control/access.h"
#include "control/operator/operator.h"
#include "control/slice.h"
#include "control/store/store.h"
#include "db/db.h"
#include "db/sealer.h"
#include "wire/token_text.h"

#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { START_MS = 1'700'000'000 };

static uint64_t fixture_now_ms(void *ctx) {
    return ((Fixture *)ctx)->now_ms;
}

static void must(Err err) {
    if (err.code != OK) fprintf(stderr, "fixture: %s\n", err.what);
    assert(err.code == OK);
}

/// The access token of whom the credentials are.
static Str login(Fixture *fixture, const Credentials *who) {
    HttpReply reply =
        fixture_call(fixture,
                     "POST",
                     "/v1/login",
                     (Str){},
                     fixture_print(fixture,
                                   "{\"org\":\"%.*s\",\"name\":\"%.*s\",\"password\":\"%.*s\"}",
                                   STR_FMT(who->org),
                                   STR_FMT(who->owner),
                                   STR_FMT(who->password)));
    return fixture_field(&reply, "access_token");
}

/// `path` NULL: in memory.
static Err store_open(const char *path, Db **ret_db) {
    const Schema *schemas[SLICE_SCHEMAS_MAX];
    const DbOptions options = {.path = path,
                               .migrations = store_migrations,
                               .migration_count = store_migration_count,
                               .schemas = schemas,
                               .schema_count = slices_stored(schemas),
                               .readers = 4};
    return path ? db_open_sqlite(&options, ret_db, NULL) : db_open_memory(&options, ret_db);
}

void fixture_open(Fixture *fixture) {
    fixture_open_sqlite(fixture, NULL);
}

void fixture_open_sqlite(Fixture *fixture, const char *path) {
    assert(sodium_init() >= 0);
    *fixture = (Fixture){.now_ms = START_MS * 1000ULL,
                         .server = {.url = S("https://muster.example.org:7443")}};
    arena_init(&fixture->arena, 512 << 20);
    App *app = &fixture->app;
    app->clock = (Clock){fixture_now_ms, fixture};
    app->installation = id_new(S("installation"), fixture->now_ms);
    app->authority = S("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    app->servers = (Servers){
        .digest = S("a list"), .servers = {&fixture->server,              1},
             .authorities = {                             }
    };
    jws_key_make(&app->key);
    Faults faults;
    faults_init(&faults, &fixture->arena);
    must(schema_decode_pairs(&Config_schema, NULL, 0, &fixture->arena, &faults, &app->config));
    must(store_open(path, &app->db));
    must(control_open(app));
    must(control_router(app, &fixture->router));
    // Tests commit within each other's commits.
    must(worker_pool_open(&(WorkerOptions){.threads = 4, .queue_max = 64}, &fixture->workers));
    must(org_make(app->db, S("acme"), S("ada"), fixture->now_ms, &fixture->arena, &fixture->owner));
    fixture->token = login(fixture, &fixture->owner);
}

void fixture_close(Fixture *fixture) {
    worker_pool_close(fixture->workers);
    router_close(fixture->router);
    control_close(&fixture->app);
    db_close(fixture->app.db);
    arena_done(&fixture->arena);
}

void fixture_quiet(Fixture *fixture) {
    fixture->app.sealer = sealer_close(fixture->app.sealer);
}

Str fixture_org(Fixture *fixture, const char *name) {
    Credentials owner;
    must(org_make(
        fixture->app.db, str_from(name), S("eve"), fixture->now_ms, &fixture->arena, &owner));
    return login(fixture, &owner);
}

Str fixture_session(Fixture *fixture, const Id *org_id, const Id *operator_id) {
    const uint64_t now_s = fixture->now_ms / 1000;
    const Session session = {
        .id = id_new(S("session"), fixture->now_ms),
        .org_id = *org_id,
        .operator_id = *operator_id,
        .refresh_sha256 = secret_make(&fixture->arena, 32),
        .expires_at = {fixture->now_ms + 1000ULL * OPERATOR_TOKEN_LIFE_S},
    };
    const AccessClaims claims = {.sub = *operator_id,
                                 .sid = session.id,
                                 .org = *org_id,
                                 .aud = S(AUDIENCE_OPERATOR),
                                 .iat = now_s,
                                 .exp = now_s + OPERATOR_TOKEN_LIFE_S};
    SCOPED(tx_closep) Tx *tx = NULL;
    must(tx_open(fixture->app.db, &fixture->arena, id_str(org_id), &tx));
    must(session_add(tx, &session));
    must(tx_commit(tx, NULL));
    Str token;
    must(access_token_make(&fixture->app, &claims, &fixture->arena, &token));
    return token;
}

/// "a=b&c=d" as it stands: the tests use nothing that needs decoding.
static StrMap query_split(Fixture *fixture, Str text) {
    StrMap map = {.items = ARENA_ARRAY(&fixture->arena, StrPair, 8)};
    Str part, key;
    while (str_cut(&text, '&', &part)) {
        assert(map.count < 8);
        str_cut(&part, '=', &key);
        map.items[map.count++] = (StrPair){key, part.ptr ? part : S("")};
    }
    return map;
}

/// What was done is in the journal.
static void seal(Fixture *fixture) {
    App *app = &fixture->app;
    const SealBy by = {&app->key, S("fixture"), false};
    SealResult result = {.more = !app->sealer};
    if (app->sealer) must(sealer_flush(app->sealer));
    while (result.more)
        must(journal_seal(app->db, &by, fixture->now_ms, &result));
}

HttpReply
fixture_call(Fixture *fixture, const char *method, const char *path, Str bearer, const char *body) {
    Str query = str_from(path);
    Str plain;
    str_cut(&query, '?', &plain);
    bool patch = strcmp(method, "PATCH") == 0;
    HttpRequest request = {
        .method = str_from(method),
        .path = plain,
        .query = query.ptr ? query_split(fixture, query) : (StrMap){},
        .content_type = !body   ? (Str){}
                        : patch ? S("application/merge-patch+json")
                                : S("application/json"),
        .bearer = bearer,
        .remote_address = fixture->remote.ptr ? fixture->remote : S("127.0.0.1"),
        .body = str_from(body),
    };
    if (str_starts(plain, S("/v1/audit")) || str_starts(plain, S("/v1/events"))) seal(fixture);
    HttpReply reply = router_wait(fixture->router, fixture->workers, &request, &fixture->arena);
    assert(arena_check(&fixture->arena).code == OK);
    return reply;
}

Str fixture_field(const HttpReply *reply, const char *name) {
    char key[64];
    snprintf(key, sizeof(key), "\"%s\":", name);
    const char *at = memmem(reply->body.ptr, reply->body.len, key, strlen(key));
    if (!at) fprintf(stderr, "no %s in %.*s\n", name, STR_FMT(reply->body));
    assert(at);
    at += strlen(key);
    Str rest = {at, (size_t)(reply->body.ptr + reply->body.len - at)};
    if (rest.ptr[0] == '"') return str_slice(rest, 1, str_index(rest, '"', 1));
    size_t comma = str_index(rest, ',', 0), brace = str_index(rest, '}', 0);
    return str_slice(rest, 0, comma < brace ? comma : brace);
}

bool fixture_has(const HttpReply *reply, const char *text) {
    return memmem(reply->body.ptr, reply->body.len, text, strlen(text)) != NULL;
}

const char *fixture_print(Fixture *fixture, const char *format, ...) {
    char text[16 * 1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    assert(len >= 0 && (size_t)len < sizeof(text));
    return str_dup(&fixture->arena, str_from(text)).ptr;
}

Str fixture_fleet(Fixture *fixture, const char *name) {
    HttpReply reply = fixture_call(fixture,
                                   "POST",
                                   "/v1/fleets",
                                   fixture->token,
                                   fixture_print(fixture, "{\"name\":\"%s\"}", name));
    assert(reply.status == 201);
    return fixture_field(&reply, "id");
}

Str fixture_enrolment_token(Fixture *fixture, Str fleet_id, unsigned uses) {
    HttpReply reply = fixture_call(
        fixture,
        "POST",
        "/v1/tokens",
        fixture->token,
        fixture_print(fixture, "{\"fleet_id\":\"%.*s\",\"uses_max\":%u}", STR_FMT(fleet_id), uses));
    assert(reply.status == 201);
    return fixture_field(&reply, "token");
}

Str fixture_nonce(Fixture *fixture) {
    HttpReply reply = fixture_call(fixture, "POST", AGENT_CHALLENGE_PATH, (Str){}, NULL);
    assert(reply.status == 200);
    return fixture_field(&reply, "nonce");
}

/// The record as JSON, in the fixture's arena.
static Str json_of(Fixture *fixture, const Schema *schema, const void *record) {
    SCOPED(text_done) Text json;
    text_init(&json, SYNC_DOWN_MAX);
    schema_encode(schema, record, ENCODE_REQUEST, &json);
    must(text_check(&json));
    return str_dup(&fixture->arena, text_str(&json));
}

Str fixture_proof(Fixture *fixture, const JwsKey *key, const Proof *proof) {
    SCOPED(text_done) Text token;
    text_init(&token, JWS_TOKEN_MAX);
    jws_sign(key, json_of(fixture, &Proof_schema, proof), &token);
    return str_dup(&fixture->arena, text_str(&token));
}

static Str public_key_of(Fixture *fixture, const JwsKey *key) {
    return base64_encode(&fixture->arena, (Bytes){key->public, JWS_PUBLIC_KEY_LEN}, BASE64);
}

HttpReply fixture_enrol(Fixture *fixture, Str token, const JwsKey *key, const char *name) {
    TokenText parts;
    if (token_text_parse(token, &fixture->arena, &parts, NULL).code != OK)
        parts = (TokenText){.secret = token};
    Proof proof = {.aud = fixture->app.installation,
                   .use = PROOF_ENROL,
                   .nonce = fixture_nonce(fixture),
                   .about = sha256_hex(&fixture->arena, parts.secret)};
    EnrolInput input = {.secret = parts.secret,
                        .public_key = public_key_of(fixture, key),
                        .proof = fixture_proof(fixture, key, &proof),
                        .name = str_from(name),
                        .agent_version = S("0.1.0"),
                        .abilities = ability_words(&fixture->arena)};
    Str body = json_of(fixture, &EnrolInput_schema, &input);
    return fixture_call(fixture, "POST", AGENT_ENROL_PATH, (Str){}, body.ptr);
}

FixtureDevice fixture_device(Fixture *fixture, Str token, const char *name) {
    FixtureDevice device = {
        .hello = {.agent_version = S("0.1.0"),      .servers = fixture->app.servers.digest},
        .proof = {.aud = fixture->app.installation, .use = PROOF_HELLO                    }
    };
    jws_key_make(&device.key);
    HttpReply enrolled = fixture_enrol(fixture, token, &device.key, name);
    assert(enrolled.status == 200);
    must(id_parse(fixture_field(&enrolled, "device_id"), S("device"), &device.hello.device_id));
    must(str_u64(fixture_field(&enrolled, "epoch"), &device.hello.epoch));
    device.proof.sub = device.hello.device_id;
    device.path = fixture_print(fixture, "/v1/devices/%s", device.hello.device_id.text);
    return device;
}

void fixture_offer(Fixture *fixture, FixtureDevice *device, const JwsKey *next) {
    device->proof.nonce = fixture_nonce(fixture);
    device->proof.about =
        base64_encode(&fixture->arena, (Bytes){next->public, JWS_PUBLIC_KEY_LEN}, BASE64);
    Proof proof = device->proof;
    proof.use = PROOF_ROTATE;
    device->hello.next_key = (NextKey){proof.about, fixture_proof(fixture, next, &proof)};
}

Str fixture_hello(Fixture *fixture, const FixtureDevice *device) {
    Proof proof = device->proof;
    Hello hello = device->hello;
    if (!proof.nonce.ptr) proof.nonce = fixture_nonce(fixture);
    hello.proof = fixture_proof(fixture, &device->key, &proof);
    return json_of(fixture, &Hello_schema, &hello);
}

HttpReply fixture_sync(Fixture *fixture, const FixtureDevice *device, const char *rest) {
    const char *body = fixture_print(
        fixture, "{\"hello\":%.*s,%s}", STR_FMT(fixture_hello(fixture, device)), rest);
    return fixture_call(fixture, "POST", AGENT_SYNC_PATH, (Str){}, body);
}

/// By the owner; asserts the status.
static HttpReply plain_call(
    Fixture *fixture, const char *method, const char *path, const char *body, uint32_t status) {
    HttpReply reply = fixture_call(fixture, method, path, fixture->token, body);
    if (reply.status != status)
        fprintf(stderr, "%s %s: %u %.*s\n", method, path, reply.status, STR_FMT(reply.body));
    assert(reply.status == status);
    return reply;
}

static void plain_has(const HttpReply *reply, const char *text) {
    bool found = memmem(reply->body.ptr, reply->body.len, text, strlen(text)) != NULL;
    if (!found) fprintf(stderr, "no %s in %.*s\n", text, STR_FMT(reply->body));
    assert(found);
}

void fixture_plain(Fixture *fixture, const char *noun, const char *create, const char *change) {
    const char *all = fixture_print(fixture, "/v1/%ss", noun);
    HttpReply made = plain_call(fixture, "POST", all, create, 201);
    Str id = fixture_field(&made, "id");
    const char *one = fixture_print(fixture, "%s/%.*s", all, STR_FMT(id));
    HttpReply list = plain_call(fixture, "GET", all, NULL, 200);
    plain_has(&list, fixture_print(fixture, "\"id\":\"%.*s\"", STR_FMT(id)));
    HttpReply shown = plain_call(fixture, "GET", one, NULL, 200);
    assert(str_eq(fixture_field(&shown, "rev"), S("1")));
    HttpReply changed = plain_call(fixture, "PATCH", one, change, 200);
    assert(str_eq(fixture_field(&changed, "rev"), S("2")));
    plain_call(fixture, "DELETE", one, NULL, 204);
    plain_call(fixture, "GET", one, NULL, 404);
    HttpReply audit = plain_call(fixture, "GET", "/v1/audit?limit=3&descending=true", NULL, 200);
    for (const char *const *verb = (const char *const[]){"create", "update", "delete", NULL}; *verb;
         verb++)
        plain_has(&audit, fixture_print(fixture, "\"action\":\"%s.%s\"", noun, *verb));
    HttpReply openapi = plain_call(fixture, "GET", "/openapi.json", NULL, 200);
    for (const char *const *verb =
             (const char *const[]){"list", "create", "show", "update", "delete", NULL};
         *verb;
         verb++)
        plain_has(&openapi, fixture_print(fixture, "\"operationId\":\"%s_%s\"", noun, *verb));
}
