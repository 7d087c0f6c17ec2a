// SPDX-License-Identifier: Apache-2.0
/// What servers were recorded to greet, refuse and enrol with, said to today's agent over real
/// connections.
#include "agent/enrol.h"
#include "agent/link/link_fixture.h"
#include "base/scope.h"
#include "folder.h"
#include "golden.h"
#include "http1/http1_peer.h"
#include "test.h"
#include "wire/state.h"

#include <stdlib.h>
#include <string.h>

typedef struct Scene {
    LinkedDevice device;
    Fake fake; ///< of a channel
    Peer peer; ///< of polls
} Scene;

static Str recorded(Scene *scene, const char *file) {
    return golden_load(&scene->device.arena, file);
}

/// A device of the installation that the recorded challenge is of.
static void scene_open(Scene *scene, Challenge *ret_challenge) {
    *scene = (Scene){};
    LinkedDevice *device = &scene->device;
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1024 * 1024);
    Str json = golden_load(&arena, "challenge.json");
    CHECK_OK(schema_read(&Challenge_schema, json, DECODE_PEER, &arena, ret_challenge, NULL));
    linked_open(device, &ret_challenge->audience);
    ret_challenge->nonce = str_dup(&device->arena, ret_challenge->nonce);
}

static bool is_open(void *app) {
    return ((Scene *)app)->device.is_open;
}

static bool is_lost(void *app) {
    return ((Scene *)app)->device.losses > 0;
}

static bool came_twice(void *app) {
    return fake_first_count(&((Scene *)app)->fake) >= 2;
}

/// --- over a channel ---

static void channel_up(Scene *scene) {
    ServerEntry entry = fake_entry(&scene->fake, &scene->device.arena);
    linked_link(&scene->device, &entry, 1, scene->fake.files.ca.cert_pem);
}

static void channel_down(Scene *scene) {
    linked_close(&scene->device);
    fake_close(&scene->fake);
    arena_done(&scene->device.arena);
}

static Proof proof_of(Scene *scene, const Hello *hello) {
    Arena *arena = &scene->device.arena;
    Str json;
    Proof proof;
    CHECK_OK(jws_verify(scene->device.identity.key.public, hello->proof, arena, &json));
    CHECK_OK(schema_read(&Proof_schema, json, DECODE_INPUT, arena, &proof, NULL));
    return proof;
}

TEST(a_recorded_greeting_is_answered_with_the_proof_that_it_asks_for) {
    static const struct {
        const char *file;
        size_t binding;
    } rows[] = {
        {"sync_down.challenge.json",       BINDING_LEN},
        {"sync_down.challenge.newer.json", 0          }, // a binding of later: none is carried
    };
    for (size_t i = 0; i < 2; i++) {
        Scene scene;
        Challenge challenge;
        scene_open(&scene, &challenge);
        fake_open(&scene.fake, &challenge.audience, &scene.device.identity);
        scene.fake.greeting = recorded(&scene, rows[i].file);
        scene.fake.nonce = challenge.nonce;
        channel_up(&scene);
        linked_until(&scene.device, rows[i].binding > 0 ? is_open : is_lost, &scene);
        CHECK(scene.fake.first_count == 1);
        Proof proof = proof_of(&scene, &scene.fake.first[0].hello);
        CHECK(proof.use == PROOF_HELLO && proof.binding.len == rows[i].binding);
        CHECK_STR(proof.nonce, challenge.nonce);
        CHECK(id_eq(&proof.aud, &challenge.audience));
        channel_down(&scene);
    }
}

TEST(a_recorded_refusal_is_taken_by_its_class) {
    static const struct {
        const char *file;
        const char *said;
        bool comes_again; ///< soon
    } rows[] = {
        {"sync_down.refused.json",            "device_retired: an operator has retired this device", false},
        {"sync_down.refused.newer.json",
         "device_retired: an operator has retired this device",                                      true }, // a class of later: tried again
        {"sync_down.refused_busy.json",       "busy",                                                false}, // it names 30 s
        {"sync_down.refused_busy.newer.json", "busy",                                                false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        Scene scene;
        Challenge challenge;
        scene_open(&scene, &challenge);
        fake_open(&scene.fake, &challenge.audience, &scene.device.identity);
        scene.fake.refusal_text = recorded(&scene, rows[i].file);
        channel_up(&scene);
        linked_until(&scene.device, is_lost, &scene);
        assert_string_equal(scene.device.said.text, rows[i].said);
        if (rows[i].comes_again)
            linked_until(&scene.device, came_twice, &scene);
        else
            linked_run(&scene.device, 1300); // longer than the first pause
        CHECK(rows[i].comes_again || fake_first_count(&scene.fake) == 1);
        CHECK(scene.device.losses == 1);
        channel_down(&scene);
    }
}

/// --- by polls ---

static const char *reply_of(Scene *scene, const char *file) {
    Str body = recorded(scene, file);
    return str_print(&scene->device.arena,
                     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n%.*s",
                     body.len,
                     STR_FMT(body))
        .ptr;
}

/// A device polls a server that says these one after the other, until `is_so`.
static void
poll_through(Scene *scene, const char *const *files, size_t count, bool (*is_so)(void *app)) {
    Step steps[STEPS_MAX];
    CHECK(count <= STEPS_MAX);
    for (size_t i = 0; i < count; i++)
        steps[i] = (Step){reply_of(scene, files[i]), KEEP};
    LinkedDevice *device = &scene->device;
    device->poll_ms = 60'000;
    peer_start(&scene->peer, steps, count, true, NULL);
    ServerEntry entry = {str_print(&device->arena, "http://127.0.0.1:%u", scene->peer.port)};
    linked_link(device, &entry, 1, (Str){});
    linked_until(device, is_so, scene);
    peer_stop(&scene->peer);
    linked_close(device);
    arena_done(&device->arena);
}

TEST(a_recorded_challenge_that_asks_for_binding_is_not_answered_by_a_poll) {
    Scene scene;
    Challenge challenge;
    scene_open(&scene, &challenge);
    poll_through(&scene, (const char *const[]){"challenge.json"}, 1, is_lost);
    CHECK(scene.device.why.code == ERR_STATE);
    CHECK(strstr(scene.device.why.what, "channel binding"));
}

TEST(a_recorded_answer_is_taken_by_a_poll) {
    static const struct {
        const char *files[2];
        const char *said; ///< NULL: it was accepted
    } rows[] = {
        {{"challenge.unbound.json", "sync_down.push_nothing.json"},             NULL  },
        {{"challenge.unbound.newer.json", "sync_down.push_nothing.newer.json"}, NULL  },
        {{"challenge.newer.json", "sync_down.refused.json"},
         "device_retired: an operator has retired this device"                        },
        {{"challenge.unbound.json", "sync_down.refused_busy.newer.json"},       "busy"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        Scene scene;
        Challenge challenge;
        scene_open(&scene, &challenge);
        poll_through(&scene, rows[i].files, 2, rows[i].said ? is_lost : is_open);
        CHECK(strstr(scene.peer.requests[1], "POST /v1/agent/sync HTTP/1.1"));
        if (rows[i].said) assert_string_equal(scene.device.said.text, rows[i].said);
    }
}

/// --- enrolment ---

TEST(a_recorded_answer_makes_this_machine_a_device) {
    static const char *const files[][2] = {
        {"challenge.json",       "enrol.answer.json"      },
        {"challenge.newer.json", "enrol.answer.newer.json"},
    };
    for (size_t i = 0; i < 2; i++) {
        Scene scene;
        Challenge challenge;
        scene_open(&scene, &challenge);
        Arena *arena = &scene.device.arena;
        char folder[] = "/tmp/muster-replay-XXXXXX";
        CHECK(mkdtemp(folder));
        Step steps[] = {
            {reply_of(&scene, files[i][0]), KEEP},
            {reply_of(&scene, files[i][1]), KEEP},
        };
        peer_start(&scene.peer, steps, 2, true, NULL);
        Str server = str_print(arena, "http://127.0.0.1:%u", scene.peer.port);
        TokenText parts = {
            .servers = {&server, 1},
              .fleet = S("shop"), .secret = S("s3cret")
        };
        Str token;
        CHECK_OK(token_text_make(&parts, arena, &token));
        Reason reason = {};
        CHECK_OK(enrol(&(EnrolOptions){.token = token.ptr, .state = folder}, &reason));
        peer_stop(&scene.peer);
        State state;
        Membership member;
        Identity key;
        Servers servers, trial;
        CHECK_OK(state_open(folder, NULL, &state, NULL));
        CHECK_OK(state_identity(&state, arena, &member, &key, NULL));
        CHECK_OK(state_servers(&state, arena, &servers, &trial, NULL));
        state_close(&state);
        CHECK_STR(id_str(&member.device_id), S("device_01jdkx4y8re6va2q9c3h5m7002"));
        CHECK(member.epoch == 1 && id_eq(&member.installation, &challenge.audience));
        CHECK(servers.servers.count == 2 && servers.authorities.count == 2);
        CHECK(folder_remove(folder) == 0);
        linked_close(&scene.device);
        arena_done(arena);
    }
}

TEST_MAIN(CASE(a_recorded_greeting_is_answered_with_the_proof_that_it_asks_for),
          CASE(a_recorded_refusal_is_taken_by_its_class),
          CASE(a_recorded_challenge_that_asks_for_binding_is_not_answered_by_a_poll),
          CASE(a_recorded_answer_is_taken_by_a_poll),
          CASE(a_recorded_answer_makes_this_machine_a_device))
