// SPDX-License-Identifier: Apache-2.0
#include "agent/state.h"

#include "io/file.h"
#include "test.h"
#include "wire/agent.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Fixture {
    char folder[64];
    State state;
    Arena arena;
} Fixture;

static int setup(void **test_state) {
    Fixture *fixture = calloc(1, sizeof(*fixture));
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/muster-state-XXXXXX");
    if (!mkdtemp(fixture->folder)) return -1;
    arena_init(&fixture->arena, 4 * 1024 * 1024);
    *test_state = fixture;
    return state_open(fixture->folder, &fixture->state, NULL).code == OK ? 0 : -1;
}

static int teardown(void **test_state) {
    Fixture *fixture = *test_state;
    static const char *const names[] = {"lock",
                                        "server.json",
                                        "identity.key",
                                        "identity.next",
                                        STATE_DESIRED,
                                        STATE_PREVIOUS,
                                        STATE_REPORTED};
    state_close(&fixture->state);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", fixture->folder, names[i]);
        unlink(path);
    }
    rmdir(fixture->folder);
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

static Membership member_of(Fixture *fixture, const Identity *identity) {
    return (Membership){
        .url = S("https://muster.example:8443"),
        .ca_pem = S("-----BEGIN CERTIFICATE-----\n"),
        .device_id = id_new(S("device"), 1'790'000'000'000),
        .public_key = identity_public_key(identity, &fixture->arena),
    };
}

static void drop(const Fixture *fixture, const char *name) {
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
    CHECK_OK(file_remove(path, NULL));
}

TEST(a_new_folder_is_not_enrolled) {
    Fixture *fixture = *test_state;
    Membership member;
    Identity identity;
    CHECK_ERR(state_identity(&fixture->state, &fixture->arena, &member, &identity, NULL),
              ERR_NOT_FOUND);
}

TEST(a_folder_has_one_agent) {
    Fixture *fixture = *test_state;
    State second;
    Reason reason = {};
    CHECK_ERR(state_open(fixture->folder, &second, &reason), ERR_BUSY);
    CHECK_STR(str_from(reason.text), str_from(fixture->folder));
    state_close(&fixture->state);
    CHECK_OK(state_open(fixture->folder, &fixture->state, NULL));
}

TEST(what_is_wrong_with_a_state_folder_names_the_file) {
    Fixture *fixture = *test_state;
    Membership member;
    Reason reason = {};
    char path[128];
    State none;
    CHECK_ERR(state_open("/nowhere/at/all", &none, &reason), ERR_SYSTEM);
    CHECK_STR(str_from(reason.text), S("/nowhere/at/all"));
    snprintf(path, sizeof(path), "%s/server.json", fixture->folder);
    CHECK_OK(file_save(path, S("{"), 0600, NULL));
    CHECK_ERR(
        state_load(
            &fixture->state, "server.json", &Membership_schema, &fixture->arena, &member, &reason),
        ERR_INVALID);
    CHECK_STR(str_from(reason.text), str_from(path));
    Identity identity;
    snprintf(path, sizeof(path), "%s/identity.next", fixture->folder);
    CHECK_OK(file_save(path, S("short"), 0600, NULL));
    CHECK_ERR(state_identity_next(&fixture->state, &identity, &reason), ERR_INVALID);
    CHECK_STR(str_from(reason.text), str_from(path));
}

TEST(an_enrolment_cut_off_before_its_answer_goes_on_with_the_same_key) {
    Fixture *fixture = *test_state;
    Identity first;
    CHECK_OK(state_identity_next(&fixture->state, &first, NULL));
    Identity again;
    CHECK_OK(state_identity_next(&fixture->state, &again, NULL));
    CHECK(memcmp(first.seed, again.seed, sizeof(first.seed)) == 0);
}

TEST(a_key_that_was_refused_is_replaced_by_a_new_one) {
    Fixture *fixture = *test_state;
    Identity first;
    CHECK_OK(state_identity_next(&fixture->state, &first, NULL));
    CHECK_OK(state_identity_refused(&fixture->state, NULL));
    Identity fresh;
    CHECK_OK(state_identity_next(&fixture->state, &fresh, NULL));
    CHECK(memcmp(first.seed, fresh.seed, sizeof(first.seed)) != 0);
}

TEST(an_enrolled_identity_is_read_back) {
    Fixture *fixture = *test_state;
    Identity identity;
    CHECK_OK(state_identity_next(&fixture->state, &identity, NULL));
    Membership member = member_of(fixture, &identity);
    CHECK_OK(state_enrolled(&fixture->state, &member, &identity, NULL));
    Membership read;
    Identity key;
    CHECK_OK(state_identity(&fixture->state, &fixture->arena, &read, &key, NULL));
    CHECK_STR(read.url, member.url);
    CHECK_STR(id_str(&read.device_id), id_str(&member.device_id));
    CHECK(memcmp(key.seed, identity.seed, sizeof(key.seed)) == 0);
    struct stat status;
    char path[128];
    snprintf(path, sizeof(path), "%s/identity.key", fixture->folder);
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
}

TEST(a_cut_between_record_and_key_loses_neither) {
    Fixture *fixture = *test_state;
    Identity old;
    CHECK_OK(state_identity_next(&fixture->state, &old, NULL));
    Membership member = member_of(fixture, &old);
    CHECK_OK(state_enrolled(&fixture->state, &member, &old, NULL));
    // Enrolled again, cut off right after the record was saved: the old key is still there.
    Identity next;
    CHECK_OK(state_identity_next(&fixture->state, &next, NULL));
    Membership second = member_of(fixture, &next);
    CHECK_OK(state_save(&fixture->state, "server.json", &Membership_schema, &second, NULL));
    for (int i = 0; i < 2; i++) {
        Membership read;
        Identity key;
        CHECK_OK(state_identity(&fixture->state, &fixture->arena, &read, &key, NULL));
        CHECK(memcmp(key.seed, next.seed, sizeof(key.seed)) == 0);
        CHECK_STR(id_str(&read.device_id), id_str(&second.device_id));
    }
}

TEST(a_key_of_somebody_else_is_refused) {
    Fixture *fixture = *test_state;
    Identity identity;
    CHECK_OK(state_identity_next(&fixture->state, &identity, NULL));
    Membership member = member_of(fixture, &identity);
    CHECK_OK(state_enrolled(&fixture->state, &member, &identity, NULL));
    drop(fixture, "identity.key");
    Identity other;
    CHECK_OK(state_identity_next(&fixture->state, &other, NULL));
    Membership read;
    CHECK_ERR(state_identity(&fixture->state, &fixture->arena, &read, &other, NULL), ERR_INVALID);
}

TEST(enrolling_again_forgets_the_versions_of_the_server_before) {
    Fixture *fixture = *test_state;
    Desired desired = {.version = 7, .digest = S("sha256:aa"), .manifest = {S("{\"a\":1}")}};
    CHECK_OK(state_save(&fixture->state, STATE_DESIRED, &Desired_schema, &desired, NULL));
    Desired read;
    CHECK_OK(
        state_load(&fixture->state, STATE_DESIRED, &Desired_schema, &fixture->arena, &read, NULL));
    CHECK(read.version == 7);
    CHECK_STR(read.manifest.text, desired.manifest.text);
    Identity identity;
    CHECK_OK(state_identity_next(&fixture->state, &identity, NULL));
    Membership member = member_of(fixture, &identity);
    CHECK_OK(state_enrolled(&fixture->state, &member, &identity, NULL));
    CHECK_ERR(
        state_load(&fixture->state, STATE_DESIRED, &Desired_schema, &fixture->arena, &read, NULL),
        ERR_NOT_FOUND);
}

#define STATE_CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
TEST_MAIN(STATE_CASE(a_new_folder_is_not_enrolled),
          STATE_CASE(a_folder_has_one_agent),
          STATE_CASE(what_is_wrong_with_a_state_folder_names_the_file),
          STATE_CASE(an_enrolment_cut_off_before_its_answer_goes_on_with_the_same_key),
          STATE_CASE(a_key_that_was_refused_is_replaced_by_a_new_one),
          STATE_CASE(an_enrolled_identity_is_read_back),
          STATE_CASE(a_cut_between_record_and_key_loses_neither),
          STATE_CASE(a_key_of_somebody_else_is_refused),
          STATE_CASE(enrolling_again_forgets_the_versions_of_the_server_before))
