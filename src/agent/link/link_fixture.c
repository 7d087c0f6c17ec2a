// SPDX-License-Identifier: Apache-2.0
#include "agent/link/link_fixture.h"

#include "base/scope.h"
#include "io/worker.h"

#include <assert.h>
#include <event2/event.h>
#include <string.h>

enum { PATIENCE_MS = 20'000, TURN_MS = 10 };

static void must(Err err) {
    assert(err.code == OK);
}

/// --- the server ---

static void on_greet(void *app, const ChannelPeer *peer, Text *first) {
    Fake *fake = app;
    if (fake->greeting.ptr) {
        text_add(first, fake->greeting);
        return;
    }
    SyncDown down = {
        .challenge = {.nonce = fake->nonce,
                      .now = {1'790'000'000'000},
                      .audience = fake->installation,
                      .binding = peer->binding.ptr ? BINDING_TLS_EXPORTER : BINDING_NONE},
    };
    schema_encode(&SyncDown_schema, &down, ENCODE_REPLY, first);
}

static bool proof_is_good(Fake *fake, const ChannelPeer *peer, const Hello *hello) {
    Str json;
    Proof proof;
    if (jws_verify(fake->key, hello->proof, &fake->arena, &json).code != OK) return false;
    must(schema_read(&Proof_schema, json, DECODE_INPUT, &fake->arena, &proof, NULL));
    bool is_bound = proof.binding.len == BINDING_LEN && peer->binding.len == BINDING_LEN
                    && memcmp(proof.binding.ptr, peer->binding.ptr, BINDING_LEN) == 0;
    return proof.use == PROOF_HELLO && id_eq(&proof.aud, &fake->installation)
           && id_eq(&proof.sub, &hello->device_id) && str_eq(proof.nonce, fake->nonce) && is_bound
           && str_eq(proof.about, hello->next_key.public_key);
}

static void take_next_key(Fake *fake, const Hello *hello, SyncDown *down) {
    if (!fake->takes_next_key || !hello->next_key.public_key.ptr) return;
    must(base64_decode_exact(hello->next_key.public_key, fake->key, sizeof(fake->key)));
    down->key = hello->next_key.public_key;
    down->rotate_key = fake->said.rotate_key = false;
}

static void hello_answer(Fake *fake, ChannelPeer *peer, const SyncUp *up, SyncDown *down) {
    bool is_good = proof_is_good(fake, peer, &up->hello);
    if (fake->first_count < FAKE_FIRST_MAX) {
        fake->first[fake->first_count] = *up;
        fake->first_is_good[fake->first_count++] = is_good;
    }
    fake->last = peer->channel;
    peer->subject = up->hello.device_id;
    if (fake->refusal.code.ptr) {
        *down = (SyncDown){.refused = fake->refusal};
    } else if (!is_good) {
        *down = (SyncDown){.refused = refusal_make(REFUSED_PROOF_INVALID, S("not its key"))};
    } else {
        take_next_key(fake, &up->hello, down);
    }
}

static void
on_message(void *app, ChannelPeer *peer, Str message, Text *reply, ChannelDone done, void *ctx) {
    Fake *fake = app;
    pthread_mutex_lock(&fake->lock);
    SyncUp up;
    must(schema_read(&SyncUp_schema, message, DECODE_PEER, &fake->arena, &up, NULL));
    SyncDown down = fake->said;
    down.ack = up.seq;
    if (up.hello.proof.ptr) hello_answer(fake, peer, &up, &down);
    if (!str_eq(up.hello.servers_failed, down.servers.digest) && up.hello.proof.ptr
        && str_eq(up.hello.servers, down.servers.digest))
        down.servers = (Servers){};
    fake->up = up;
    fake->up_count++;
    bool refuses = up.hello.proof.ptr && fake->refusal_text.ptr;
    if (refuses)
        text_add(reply, fake->refusal_text);
    else
        schema_encode(&SyncDown_schema, &down, ENCODE_REPLY, reply);
    pthread_mutex_unlock(&fake->lock);
    done(ctx, refuses || down.refused.code.ptr ? FAIL(ERR_FORBIDDEN, "refused") : SUCCESS);
}

static void on_closed(void *app, const ChannelPeer *peer) {
    (void)app;
    (void)peer;
}

void fake_open(Fake *fake, const Id *installation, const Identity *device) {
    *fake = (Fake){.installation = *installation, .nonce = S("nonce-1")};
    memcpy(fake->key, device->key.public, sizeof(fake->key));
    pthread_mutex_init(&fake->lock, NULL);
    arena_init(&fake->arena, 16 * 1024 * 1024);
    tls_fixture_open(&fake->files, S("127.0.0.1"), 0, 30);
    must(worker_pool_open(&(WorkerOptions){.threads = 2, .queue_max = 16}, &fake->workers));
    GatewayOptions options = {
        .address = "127.0.0.1",
        .cert_path = fake->files.cert_path,
        .key_path = fake->files.key_path,
        .path = AGENT_CHANNEL_PATH,
        .protocol = AGENT_SUBPROTOCOL,
        .threads = 1,
        .connections_max = 16,
        .first_max_bytes = SYNC_FIRST_MAX,
        .message_max_bytes = SYNC_UP_MAX,
        .messages_per_minute_max = 600,
        .handshake_ms = PATIENCE_MS,
        .silence_ms = 60'000,
        .handlers = {.greet = on_greet, .message = on_message, .closed = on_closed},
        .app = fake,
    };
    must(gateway_open(&options, fake->workers, &fake->gateway, NULL));
}

void fake_close(Fake *fake) {
    gateway_close(fake->gateway);
    worker_pool_close(fake->workers);
    tls_fixture_close(&fake->files);
    arena_done(&fake->arena);
    pthread_mutex_destroy(&fake->lock);
}

ServerEntry fake_entry(const Fake *fake, Arena *arena) {
    return (ServerEntry){str_print(arena, "https://127.0.0.1:%u", gateway_port(fake->gateway))};
}

size_t fake_first_count(Fake *fake) {
    pthread_mutex_lock(&fake->lock);
    size_t count = fake->first_count;
    pthread_mutex_unlock(&fake->lock);
    return count;
}

size_t fake_up_count(Fake *fake) {
    pthread_mutex_lock(&fake->lock);
    size_t count = fake->up_count;
    pthread_mutex_unlock(&fake->lock);
    return count;
}

/// --- the device ---

static void on_measure(void *app, Telemetry *ret_telemetry) {
    (void)app;
    *ret_telemetry = (Telemetry){.uptime_s = 5};
}

static Err on_desired(void *app, const Desired *desired) {
    LinkedDevice *device = app;
    if (device->keeps_nothing) return FAIL(ERR_SYSTEM, "there is no room");
    device->desired = desired->generation;
    return SUCCESS;
}

static Err on_servers_try(void *app, const Servers *servers) {
    (void)servers;
    ((LinkedDevice *)app)->lists++;
    return SUCCESS;
}

static void on_servers_done(void *app, bool works) {
    ((LinkedDevice *)app)->list_works = works;
}

static Err on_key_make(void *app, Identity *ret_next) {
    LinkedDevice *device = app;
    identity_make(&device->next);
    *ret_next = device->next;
    return SUCCESS;
}

static void on_key_done(void *app, const Identity *identity, bool works) {
    LinkedDevice *device = app;
    assert(memcmp(identity->seed, device->next.seed, SEED_LEN) == 0);
    device->key_works = works;
}

static void on_changed(void *app, bool is_open, Err why, const Reason *said) {
    LinkedDevice *device = app;
    device->is_open = is_open;
    if (is_open) return;
    device->losses++;
    device->why = why;
    device->said = *said;
}

void linked_open(LinkedDevice *device, const Id *installation) {
    *device = (LinkedDevice){.list_works = -1, .key_works = -1};
    arena_init(&device->arena, 1024 * 1024);
    device->loop = event_base_new();
    assert(device->loop);
    identity_make(&device->identity);
    device->member = (SessionMember){*installation, id_new(S("device"), 1), 3};
    sync_init(&device->sync, 0, &device->notes);
    must(sync_facts(&device->sync, &(Facts){.hostname = S("till"), .cpus = 4}));
}

void linked_link(LinkedDevice *device, ServerEntry *entries, size_t count, Str authority) {
    Servers servers = {
        .digest = S("list-1"), .servers = {entries,    count},
             .authorities = {&authority, 1    }
    };
    must(server_set_open(&servers, &device->servers, NULL));
    LinkOptions options = {
        .loop = device->loop,
        .servers = device->servers,
        .trial = device->trial,
        .member = device->member,
        .identity = &device->identity,
        .sync = &device->sync,
        .poll_ms = device->poll_ms,
        .trial_ms = 10,
        .seed = 1,
        .handlers = {on_measure,
                     on_desired, on_servers_try,
                     on_servers_done, on_key_make,
                     on_key_done, on_changed},
        .app = device,
    };
    must(link_open(&options, &device->link));
}

void linked_close(LinkedDevice *device) {
    link_close(device->link);
    server_set_close(device->servers);
    sync_done(&device->sync);
    event_base_free(device->loop);
}

void linked_run(LinkedDevice *device, uint64_t ms) {
    uint64_t until_ms = clock_monotonic_ms() + ms;
    while (clock_monotonic_ms() < until_ms) {
        struct timeval turn = {.tv_usec = TURN_MS * 1000};
        event_base_loopexit(device->loop, &turn);
        event_base_dispatch(device->loop);
    }
}

void linked_until(LinkedDevice *device, bool (*is_so)(void *app), void *app) {
    uint64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (!is_so(app)) {
        assert(clock_monotonic_ms() < until_ms);
        linked_run(device, TURN_MS);
    }
}
