// SPDX-License-Identifier: Apache-2.0
#include "agent/link/link.h"

#include "agent/link/link_fixture.h"
#include "base/arena.h"
#include "http1/http1_peer.h"
#include "test.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct Fixture {
    Id installation;
    LinkedDevice device;
    Fake fake;
} Fixture;

static void setup(Fixture *f) {
    *f = (Fixture){.installation = id_new(S("installation"), 1)};
    linked_open(&f->device, &f->installation);
    fake_open(&f->fake, &f->installation, &f->device.identity);
}

static void link_up(Fixture *f) {
    ServerEntry entry = fake_entry(&f->fake, &f->device.arena);
    linked_link(&f->device, &entry, 1, f->fake.files.ca.cert_pem);
}

static void teardown(Fixture *f) {
    linked_close(&f->device);
    fake_close(&f->fake); // what it says borrows from the device's arena
    arena_done(&f->device.arena);
}

static bool is_open(void *app) {
    return ((Fixture *)app)->device.is_open;
}

static bool is_lost(void *app) {
    return ((Fixture *)app)->device.losses > 0;
}

static bool said_twice(void *app) {
    return fake_up_count(&((Fixture *)app)->fake) >= 2;
}

static bool came_twice(void *app) {
    return fake_first_count(&((Fixture *)app)->fake) >= 2;
}

static bool key_is_done(void *app) {
    return ((Fixture *)app)->device.key_works != -1;
}

static bool is_desired(void *app) {
    return ((Fixture *)app)->device.desired == 7;
}

static bool came_often(void *app) {
    return fake_first_count(&((Fixture *)app)->fake) >= 5;
}

static bool list_is_done(void *app) {
    return ((Fixture *)app)->device.list_works != -1;
}

/// A port of loopback where nobody listens.
static uint16_t dead_port(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    CHECK(bind(fd, (struct sockaddr *)&address, len) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    close(fd);
    return ntohs(address.sin_port);
}

TEST(the_first_message_has_a_bound_proof_and_all_that_is_due) {
    Fixture f;
    setup(&f);
    link_up(&f);
    linked_until(&f.device, is_open, &f);
    CHECK(f.fake.first_count == 1 && f.fake.first_is_good[0]);
    const SyncUp *up = &f.fake.first[0];
    CHECK(up->seq == 1 && up->facts.cpus == 4 && up->telemetry.uptime_s == 5);
    CHECK(up->hello.epoch == 3 && up->hello.abilities.count == ABILITY_COUNT);
    CHECK(up->hello.instance.len == 32 && up->stamp.uptime_ms > 0);
    CHECK_STR(up->hello.servers, S("list-1"));
    CHECK_STR(up->hello.agent_version, S(MUSTER_VERSION));
    teardown(&f);
}

TEST(a_desired_state_is_told_as_held_after_it_was_kept) {
    Fixture f;
    setup(&f);
    f.fake.said.desired.generation = 7;
    link_up(&f);
    linked_until(&f.device, is_open, &f);
    CHECK(f.device.desired == 7);
    CHECK_OK(sync_facts(&f.device.sync, &(Facts){.cpus = 8}));
    link_poke(f.device.link);
    linked_until(&f.device, said_twice, &f);
    CHECK(f.fake.up.generation == 7 && f.fake.up.seq == 2 && f.fake.up.facts.cpus == 8);
    CHECK(!f.fake.up.hello.proof.ptr);
    teardown(&f);
}

TEST(a_desired_state_that_cannot_be_kept_comes_again_over_the_same_connection) {
    Fixture f;
    setup(&f);
    f.fake.said.desired.generation = 7;
    f.device.keeps_nothing = true;
    link_up(&f);
    linked_until(&f.device, is_open, &f);
    linked_run(&f.device, 100);
    CHECK(f.device.desired == 0 && f.device.losses == 0);
    f.device.keeps_nothing = false;
    CHECK_OK(sync_facts(&f.device.sync, &(Facts){.cpus = 8}));
    link_poke(f.device.link);
    linked_until(&f.device, said_twice, &f);
    CHECK(f.fake.up.generation == 0 && f.fake.first_count == 1);
    linked_until(&f.device, is_desired, &f);
    teardown(&f);
}

TEST(a_server_of_another_installation_gets_no_hello) {
    Fixture f;
    setup(&f);
    f.fake.installation = id_new(S("installation"), 2);
    link_up(&f);
    linked_until(&f.device, is_lost, &f);
    CHECK(f.fake.first_count == 0 && f.device.why.code == ERR_FORBIDDEN);
    CHECK(strstr(f.device.why.what, "another installation"));
    teardown(&f);
}

TEST(a_retired_device_says_so_once_and_stays_away) {
    Fixture f;
    setup(&f);
    f.fake.refusal = refusal_make(REFUSED_DEVICE_RETIRED, S("it was sold"));
    link_up(&f);
    linked_until(&f.device, is_lost, &f);
    assert_string_equal(f.device.said.text, "device_retired: it was sold");
    linked_run(&f.device, 1500);
    CHECK(fake_first_count(&f.fake) == 1 && f.device.losses == 1);
    teardown(&f);
}

TEST(an_unknown_refusal_of_an_unknown_class_is_tried_again) {
    Fixture f;
    setup(&f);
    f.fake.refusal = (Refusal){.code = S("moon_phase"), .class = REFUSAL_CLASS_UNKNOWN};
    link_up(&f);
    linked_until(&f.device, came_twice, &f);
    CHECK(f.device.losses == 1); // for the same reason: told once
    teardown(&f);
}

TEST(the_next_server_is_tried_when_one_cannot_be_reached) {
    Fixture f;
    setup(&f);
    uint16_t dead = dead_port();
    ServerEntry entries[] = {
        {str_print(&f.device.arena, "https://127.0.0.1:%u", dead)},
        fake_entry(&f.fake, &f.device.arena),
    };
    linked_link(&f.device, entries, 2, f.fake.files.ca.cert_pem);
    linked_until(&f.device, is_open, &f);
    CHECK(f.device.losses == 1);
    teardown(&f);
}

TEST(servers_of_a_list_that_fail_alike_are_told_once_with_an_address) {
    Fixture f;
    setup(&f);
    uint16_t dead = dead_port();
    ServerEntry entries[] = {
        {str_print(&f.device.arena, "https://127.0.0.1:%u", dead)},
        {str_print(&f.device.arena, "https://127.0.0.2:%u", dead)},
    };
    linked_link(&f.device, entries, 2, f.fake.files.ca.cert_pem);
    linked_until(&f.device, is_lost, &f);
    linked_run(&f.device, 1500);
    CHECK(f.device.losses == 1 && strstr(f.device.said.text, "127.0.0.1"));
    teardown(&f);
}

TEST(a_device_that_was_replaced_stays_away) {
    Fixture f;
    setup(&f);
    link_up(&f);
    linked_until(&f.device, is_open, &f);
    gateway_drop(f.fake.gateway, f.fake.last, CHANNEL_REPLACED, S("another one"));
    linked_until(&f.device, is_lost, &f);
    linked_run(&f.device, 1500);
    CHECK(fake_first_count(&f.fake) == 1 && f.device.why.code == ERR_CONFLICT);
    teardown(&f);
}

TEST(a_key_is_offered_on_a_new_connection_and_is_in_force_when_the_server_says_so) {
    Fixture f;
    setup(&f);
    f.fake.said.rotate_key = true;
    f.fake.takes_next_key = true;
    link_up(&f);
    linked_until(&f.device, key_is_done, &f);
    CHECK(f.device.key_works == 1 && f.fake.first_count == 2);
    CHECK(!f.fake.first[0].hello.next_key.proof.ptr && f.fake.first_is_good[1]);
    const NextKey *next = &f.fake.first[1].hello.next_key;
    CHECK_STR(next->public_key, identity_public_key(&f.device.next, &f.device.arena));
    Str json;
    Proof proof;
    CHECK_OK(jws_verify(f.device.next.key.public, next->proof, &f.device.arena, &json));
    CHECK_OK(schema_read(&Proof_schema, json, DECODE_INPUT, &f.device.arena, &proof, NULL));
    CHECK(proof.use == PROOF_ROTATE);
    CHECK_STR(proof.about, next->public_key);
    teardown(&f);
}

/// A list that is sent with each answer, until it is held or has failed.
static void push_list(Fixture *f, ServerEntry *entry, Str *authority) {
    f->fake.said.servers = (Servers){
        .digest = S("list-2"), .servers = {entry,     1},
             .authorities = {authority, 1}
    };
}

TEST(a_list_is_in_force_when_hello_was_accepted_there) {
    Fixture f;
    setup(&f);
    Fake second;
    fake_open(&second, &f.installation, &f.device.identity);
    ServerEntry entry = fake_entry(&second, &f.device.arena);
    push_list(&f, &entry, &second.files.ca.cert_pem);
    link_up(&f);
    linked_until(&f.device, list_is_done, &f);
    CHECK(f.device.list_works == 1 && f.device.lists == 1);
    CHECK(second.first_count == 1 && second.first_is_good[0]);
    CHECK_STR(second.first[0].hello.servers, S("list-2"));
    // It is told all that the one before was told, and what is new from now on.
    while (fake_up_count(&second) < 2)
        linked_run(&f.device, 10);
    CHECK(second.up.seq == 2 && second.up.facts.cpus == 4);
    CHECK_OK(sync_facts(&f.device.sync, &(Facts){.cpus = 16}));
    link_poke(f.device.link);
    while (fake_up_count(&second) < 3)
        linked_run(&f.device, 10);
    CHECK(second.up.seq == 3 && second.up.facts.cpus == 16);
    teardown(&f);
    fake_close(&second);
}

TEST(a_list_that_does_not_work_leaves_the_old_one_in_force_and_is_told) {
    Fixture f;
    setup(&f);
    uint16_t dead = dead_port();
    ServerEntry entry = {str_print(&f.device.arena, "https://127.0.0.1:%u", dead)};
    push_list(&f, &entry, &f.fake.files.ca.cert_pem);
    link_up(&f);
    linked_until(&f.device, list_is_done, &f);
    CHECK(f.device.list_works == 0 && f.device.is_open && f.device.losses == 0);
    gateway_drop(f.fake.gateway, f.fake.last, 1001, S("restart"));
    linked_until(&f.device, came_twice, &f);
    CHECK_STR(f.fake.first[1].hello.servers, S("list-1"));
    CHECK_STR(f.fake.first[1].hello.servers_failed, S("list-2"));
    linked_run(&f.device, 200);
    CHECK(f.device.lists == 1); // it is sent still, and not tried again
    teardown(&f);
}

TEST(a_list_is_tried_for_as_long_as_the_one_in_force_does_not_answer) {
    Fixture f;
    setup(&f);
    uint16_t dead = dead_port();
    ServerEntry gone = {str_print(&f.device.arena, "https://127.0.0.1:%u", dead)};
    ServerEntry entry = fake_entry(&f.fake, &f.device.arena);
    push_list(&f, &entry, &f.fake.files.ca.cert_pem);
    Servers trial = f.fake.said.servers;
    f.device.trial = &trial;
    f.fake.refusal = refusal_make(REFUSED_BUSY, S(""));
    linked_link(&f.device, &gone, 1, f.fake.files.ca.cert_pem);
    linked_until(
        &f.device, came_often, &f); // more often than a list is tried beside one that works
    CHECK(f.device.list_works == -1);
    pthread_mutex_lock(&f.fake.lock);
    f.fake.refusal = (Refusal){};
    pthread_mutex_unlock(&f.fake.lock);
    linked_until(&f.device, list_is_done, &f);
    CHECK(f.device.list_works == 1 && f.device.is_open);
    teardown(&f);
}

#define POLL_CHALLENGE                                                      \
    "{\"nonce\":\"n-1\",\"now\":\"2026-11-24T10:56:17.123Z\",\"audience\":" \
    "\"%s\",\"binding\":\"none\"}"
#define POLL_ANSWER "{\"ack\":1,\"now\":\"2026-11-24T10:56:17.123Z\",\"heartbeat\":\"30s\"}"

static const char *reply_of(Arena *arena, Str body) {
    return str_print(arena,
                     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n%.*s",
                     body.len,
                     STR_FMT(body))
        .ptr;
}

TEST(who_wants_to_poll_polls_with_a_proof_each_time) {
    Fixture f = {.installation = id_new(S("installation"), 1)};
    linked_open(&f.device, &f.installation);
    f.device.poll_ms = 60'000;
    Str challenge = str_print(&f.device.arena, POLL_CHALLENGE, f.installation.text);
    Step steps[] = {
        {reply_of(&f.device.arena, challenge),      KEEP},
        {reply_of(&f.device.arena, S(POLL_ANSWER)), KEEP},
    };
    Peer peer;
    peer_start(&peer, steps, 2, true, NULL);
    ServerEntry entry = {str_print(&f.device.arena, "http://127.0.0.1:%u", peer.port)};
    linked_link(&f.device, &entry, 1, (Str){});
    linked_until(&f.device, is_open, &f);
    peer_stop(&peer); // before the texts of its script go
    linked_close(&f.device);
    arena_done(&f.device.arena);
    CHECK(strstr(peer.requests[0], "POST /v1/agent/challenge HTTP/1.1"));
    CHECK(strstr(peer.requests[1], "POST /v1/agent/sync HTTP/1.1"));
    CHECK(strstr(peer.requests[1], "\"hello\":{") && strstr(peer.requests[1], "\"proof\":\"ey"));
    CHECK(!strstr(peer.requests[1], "Authorization"));
}

TEST_MAIN(CASE(the_first_message_has_a_bound_proof_and_all_that_is_due),
          CASE(a_desired_state_is_told_as_held_after_it_was_kept),
          CASE(a_desired_state_that_cannot_be_kept_comes_again_over_the_same_connection),
          CASE(a_server_of_another_installation_gets_no_hello),
          CASE(a_retired_device_says_so_once_and_stays_away),
          CASE(an_unknown_refusal_of_an_unknown_class_is_tried_again),
          CASE(the_next_server_is_tried_when_one_cannot_be_reached),
          CASE(servers_of_a_list_that_fail_alike_are_told_once_with_an_address),
          CASE(a_device_that_was_replaced_stays_away),
          CASE(a_key_is_offered_on_a_new_connection_and_is_in_force_when_the_server_says_so),
          CASE(a_list_is_in_force_when_hello_was_accepted_there),
          CASE(a_list_that_does_not_work_leaves_the_old_one_in_force_and_is_told),
          CASE(a_list_is_tried_for_as_long_as_the_one_in_force_does_not_answer),
          CASE(who_wants_to_poll_polls_with_a_proof_each_time))
