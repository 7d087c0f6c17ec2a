// SPDX-License-Identifier: Apache-2.0
#include "agent/state.h"

#include "folder.h"
#include "io/file.h"
#include "test.h"
#include "wire/agent.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Fixture {
    char folder[64];
    Notes notes;
    State state;
    Arena arena;
} Fixture;

static int setup(void **test_state) {
    Fixture *fixture = calloc(1, sizeof(*fixture));
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/muster-state-XXXXXX");
    if (!mkdtemp(fixture->folder)) return -1;
    arena_init(&fixture->arena, 16 * 1024 * 1024);
    *test_state = fixture;
    return state_open(fixture->folder, &fixture->notes, &fixture->state, NULL).code == OK ? 0 : -1;
}

static int teardown(void **test_state) {
    Fixture *fixture = *test_state;
    state_close(&fixture->state);
    int rc = folder_remove(fixture->folder);
    arena_done(&fixture->arena);
    free(fixture);
    return rc;
}

static Membership member_of(Fixture *fixture, const Identity *identity) {
    return (Membership){
        .head = state_head(),
        .installation = id_new(S("installation"), 1),
        .device_id = id_new(S("device"), 1'790'000'000'000),
        .epoch = 3,
        .public_key = identity_public_key(identity, &fixture->arena),
    };
}

static Servers servers_of(Fixture *fixture, const char *digest) {
    ServerEntry *entry = ARENA_NEW(&fixture->arena, ServerEntry);
    entry->url = S("https://muster.example:7443");
    return (Servers){
        .digest = str_from(digest), .servers = {entry, 1}
    };
}

static void write_file(const Fixture *fixture, const char *name, const char *content) {
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
    CHECK_OK(file_save(path, str_from(content), 0600, NULL));
}

static bool is_there(const Fixture *fixture, const char *name) {
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
    return access(path, F_OK) == 0;
}

static void drop(const Fixture *fixture, const char *name) {
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", fixture->folder, name);
    CHECK_OK(file_remove(path, NULL));
}

/// Enrol with a new key; what is there then.
static Membership enrolled(Fixture *fixture, Identity *ret_identity) {
    CHECK_OK(state_next_make(&fixture->state, ret_identity, NULL));
    Membership member = member_of(fixture, ret_identity);
    Servers servers = servers_of(fixture, "list-1");
    CHECK_OK(state_enrolled(&fixture->state, &member, &servers, ret_identity, NULL));
    return member;
}

static Err identity_now(Fixture *fixture, Membership *ret_member, Identity *ret_key, Reason *why) {
    return state_identity(&fixture->state, &fixture->arena, ret_member, ret_key, why);
}

TEST(a_new_folder_is_not_enrolled) {
    Fixture *fixture = *test_state;
    Membership member;
    Identity identity;
    CHECK_ERR(identity_now(fixture, &member, &identity, NULL), ERR_NOT_FOUND);
}

TEST(a_folder_has_one_agent) {
    Fixture *fixture = *test_state;
    State second;
    CHECK_ERR(state_open(fixture->folder, NULL, &second, NULL), ERR_BUSY);
    state_close(&fixture->state);
    CHECK_OK(state_open(fixture->folder, NULL, &fixture->state, NULL));
}

TEST(an_enrolment_cut_off_before_its_answer_goes_on_with_the_same_key) {
    Fixture *fixture = *test_state;
    Identity first;
    CHECK_OK(state_next_make(&fixture->state, &first, NULL));
    Identity again;
    CHECK_OK(state_next_make(&fixture->state, &again, NULL));
    CHECK(memcmp(first.seed, again.seed, sizeof(first.seed)) == 0);
}

TEST(a_key_that_was_refused_is_replaced_by_a_new_one) {
    Fixture *fixture = *test_state;
    Identity first;
    CHECK_OK(state_next_make(&fixture->state, &first, NULL));
    CHECK_OK(state_next_forget(&fixture->state, NULL));
    Identity fresh;
    CHECK_ERR(state_next_find(&fixture->state, &fresh, NULL), ERR_NOT_FOUND);
    CHECK_OK(state_next_make(&fixture->state, &fresh, NULL));
    CHECK(memcmp(first.seed, fresh.seed, sizeof(first.seed)) != 0);
}

TEST(an_enrolled_identity_is_read_back) {
    Fixture *fixture = *test_state;
    Identity identity;
    Membership member = enrolled(fixture, &identity);
    Membership read;
    Identity key;
    CHECK_OK(identity_now(fixture, &read, &key, NULL));
    CHECK(read.epoch == 3 && id_eq(&read.installation, &member.installation));
    CHECK(id_eq(&read.device_id, &member.device_id));
    CHECK(memcmp(key.seed, identity.seed, sizeof(key.seed)) == 0);
    Servers servers, trial;
    CHECK_OK(state_servers(&fixture->state, &fixture->arena, &servers, &trial, NULL));
    CHECK_STR(servers.digest, S("list-1"));
    CHECK(!trial.digest.ptr && !is_there(fixture, STATE_IDENTITY_NEXT));
    struct stat status;
    char path[128];
    snprintf(path, sizeof(path), "%s/" STATE_IDENTITY, fixture->folder);
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
}

TEST(a_key_of_somebody_else_is_refused) {
    Fixture *fixture = *test_state;
    Identity identity;
    enrolled(fixture, &identity);
    drop(fixture, STATE_IDENTITY);
    Identity other;
    CHECK_OK(state_next_make(&fixture->state, &other, NULL));
    Membership read;
    Reason reason = {};
    CHECK_ERR(identity_now(fixture, &read, &other, &reason), ERR_INVALID);
    CHECK(strstr(reason.text, STATE_IDENTITY));
}

TEST(enrolling_again_forgets_the_generations_of_the_enrolment_before) {
    Fixture *fixture = *test_state;
    DesiredFile file = {.head = state_head(), .desired = {.generation = 7}};
    CHECK_OK(state_save(&fixture->state, STATE_DESIRED, &DesiredFile_schema, &file, NULL));
    DesiredFile read;
    CHECK_OK(state_find(
        &fixture->state, STATE_DESIRED, &DesiredFile_schema, &fixture->arena, &read, NULL));
    CHECK(read.desired.generation == 7);
    Identity identity;
    enrolled(fixture, &identity);
    CHECK(!is_there(fixture, STATE_DESIRED));
}

TEST(a_rotated_key_keeps_the_membership) {
    Fixture *fixture = *test_state;
    Identity old, next;
    Membership member = enrolled(fixture, &old);
    CHECK_OK(state_next_make(&fixture->state, &next, NULL));
    Membership read;
    Identity key;
    CHECK_OK(identity_now(fixture, &read, &key, NULL));
    CHECK(memcmp(key.seed, old.seed, sizeof(key.seed)) == 0
          && is_there(fixture, STATE_IDENTITY_NEXT));
    CHECK_OK(state_rotated(&fixture->state, &member, &next, NULL));
    CHECK_OK(identity_now(fixture, &read, &key, NULL));
    CHECK(memcmp(key.seed, next.seed, sizeof(key.seed)) == 0);
    CHECK(id_eq(&read.device_id, &member.device_id) && read.epoch == 3);
    CHECK(!is_there(fixture, STATE_IDENTITY_NEXT));
}

TEST(a_file_of_a_newer_program_that_lets_us_is_read) {
    Fixture *fixture = *test_state;
    write_file(fixture,
               STATE_DESIRED,
               "{\"format\":9,\"reads\":1,\"sealed_with\":\"x\","
               "\"desired\":{\"generation\":4,\"applications\":[],\"mood\":{\"a\":[1]}}}");
    DesiredFile read;
    CHECK_OK(state_find(
        &fixture->state, STATE_DESIRED, &DesiredFile_schema, &fixture->arena, &read, NULL));
    CHECK(read.desired.generation == 4 && fixture->notes.count == 0);
}

TEST(a_file_for_newer_programs_only_is_set_aside_and_told) {
    Fixture *fixture = *test_state;
    write_file(fixture, STATE_DESIRED, "{\"format\":2,\"reads\":2,\"wanted\":[]}");
    DesiredFile read;
    CHECK_ERR(
        state_find(
            &fixture->state, STATE_DESIRED, &DesiredFile_schema, &fixture->arena, &read, NULL),
        ERR_NOT_FOUND);
    CHECK(is_there(fixture, STATE_DESIRED ".newer") && !is_there(fixture, STATE_DESIRED));
    CHECK(fixture->notes.count == 1);
    CHECK(strstr(fixture->notes.lines[0].text, STATE_DESIRED ": its format is 2"));
}

static void make_link(const char *path) {
    CHECK(symlink("elsewhere", path) == 0);
}

static void make_folder(const char *path) {
    CHECK(mkdir(path, 0700) == 0);
}

static void make_pipe(const char *path) {
    CHECK(mkfifo(path, 0600) == 0);
}

TEST(what_is_no_file_is_set_aside_and_told) {
    static void (*const makes[])(const char *path) = {make_link, make_pipe, make_folder};
    Fixture *fixture = *test_state;
    for (size_t i = 0; i < sizeof(makes) / sizeof(makes[0]); i++) {
        const char *path =
            str_print(&fixture->arena, "%.*s/" STATE_SERVERS_NEXT, STR_FMT(fixture->state.folder))
                .ptr;
        const char *aside = str_print(&fixture->arena, "%s.damaged", path).ptr;
        unlink(aside);
        makes[i](path);
        ServersFile read;
        CHECK_ERR(state_find(&fixture->state,
                             STATE_SERVERS_NEXT,
                             &ServersFile_schema,
                             &fixture->arena,
                             &read,
                             NULL),
                  ERR_NOT_FOUND);
        struct stat status;
        CHECK(lstat(aside, &status) == 0 && lstat(path, &status) != 0);
    }
    CHECK(fixture->notes.count > 0);
}

TEST(a_damaged_file_is_set_aside_and_told) {
    static const char *const damaged[] = {
        "",
        "{",
        "{\"format\":1,\"reads\":1}",
        "{\"desired\":{\"generation\":4,\"applications\":[]}}",
        "{\"format\":1,\"reads\":1,\"desired\":{\"generation\":0}}"};
    Fixture *fixture = *test_state;
    for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        write_file(fixture, STATE_DESIRED, damaged[i]);
        DesiredFile read;
        CHECK_ERR(
            state_find(
                &fixture->state, STATE_DESIRED, &DesiredFile_schema, &fixture->arena, &read, NULL),
            ERR_NOT_FOUND);
        CHECK(is_there(fixture, STATE_DESIRED ".damaged") && !is_there(fixture, STATE_DESIRED));
    }
    CHECK(fixture->notes.count > 0);
    CHECK(strstr(fixture->notes.lines[0].text, STATE_DESIRED ".damaged"));
}

TEST(an_identity_or_membership_that_cannot_be_read_is_named_and_left_alone) {
    static const struct {
        const char *name;
        const char *content;
        ErrCode code;
    } cases[] = {
        {STATE_MEMBERSHIP, "{\"format\":2,\"reads\":2}",               ERR_STATE  },
        {STATE_MEMBERSHIP, "{\"format\":1,",                           ERR_INVALID},
        {STATE_IDENTITY,   "{\"format\":3,\"reads\":2}",               ERR_STATE  },
        {STATE_IDENTITY,   "no JSON",                                  ERR_INVALID},
        {STATE_IDENTITY,
         "{\"format\":1,\"reads\":1,\"algorithm\":\"ml-dsa\","
         "\"seed\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}", ERR_STATE  },
    };
    Fixture *fixture = *test_state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        Identity identity;
        enrolled(fixture, &identity);
        write_file(fixture, cases[i].name, cases[i].content);
        Membership read;
        Reason reason = {};
        Err err = identity_now(fixture, &read, &identity, &reason);
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", fixture->folder, cases[i].name);
        CHECK(err.code == cases[i].code && strstr(reason.text, path));
        Str content;
        CHECK_OK(file_load(path, 4096, &fixture->arena, &content, NULL));
        CHECK_STR(content, str_from(cases[i].content));
    }
    CHECK(fixture->notes.count == 0);
}

TEST(a_list_on_trial_stands_beside_the_one_in_force) {
    Fixture *fixture = *test_state;
    Servers first = servers_of(fixture, "list-1");
    Servers second = servers_of(fixture, "list-2");
    Servers servers, trial;
    CHECK_ERR(state_servers(&fixture->state, &fixture->arena, &servers, &trial, NULL),
              ERR_NOT_FOUND);
    CHECK_OK(state_servers_accept(&fixture->state, &first, NULL));
    CHECK_OK(state_servers_try(&fixture->state, &second, NULL));
    CHECK_OK(state_servers(&fixture->state, &fixture->arena, &servers, &trial, NULL));
    CHECK_STR(servers.digest, S("list-1"));
    CHECK_STR(trial.digest, S("list-2"));
    CHECK_OK(state_servers_drop(&fixture->state, NULL));
    CHECK_OK(state_servers(&fixture->state, &fixture->arena, &servers, &trial, NULL));
    CHECK(!trial.digest.ptr);
    CHECK_OK(state_servers_try(&fixture->state, &second, NULL));
    CHECK_OK(state_servers_accept(&fixture->state, &second, NULL));
    CHECK_OK(state_servers(&fixture->state, &fixture->arena, &servers, &trial, NULL));
    CHECK_STR(servers.digest, S("list-2"));
    CHECK(!trial.digest.ptr);
}

TEST(when_the_list_in_force_is_damaged_the_one_on_trial_is_better_than_none) {
    Fixture *fixture = *test_state;
    Servers second = servers_of(fixture, "list-2");
    CHECK_OK(state_servers_try(&fixture->state, &second, NULL));
    write_file(fixture, STATE_SERVERS, "{");
    Servers servers, trial;
    CHECK_OK(state_servers(&fixture->state, &fixture->arena, &servers, &trial, NULL));
    CHECK_STR(servers.digest, S("list-2"));
    CHECK(!trial.digest.ptr && is_there(fixture, STATE_SERVERS ".damaged"));
}

#define STATE_CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
TEST_MAIN(STATE_CASE(a_new_folder_is_not_enrolled),
          STATE_CASE(a_folder_has_one_agent),
          STATE_CASE(an_enrolment_cut_off_before_its_answer_goes_on_with_the_same_key),
          STATE_CASE(a_key_that_was_refused_is_replaced_by_a_new_one),
          STATE_CASE(an_enrolled_identity_is_read_back),
          STATE_CASE(a_key_of_somebody_else_is_refused),
          STATE_CASE(enrolling_again_forgets_the_generations_of_the_enrolment_before),
          STATE_CASE(a_rotated_key_keeps_the_membership),
          STATE_CASE(a_file_of_a_newer_program_that_lets_us_is_read),
          STATE_CASE(a_file_for_newer_programs_only_is_set_aside_and_told),
          STATE_CASE(what_is_no_file_is_set_aside_and_told),
          STATE_CASE(a_damaged_file_is_set_aside_and_told),
          STATE_CASE(an_identity_or_membership_that_cannot_be_read_is_named_and_left_alone),
          STATE_CASE(a_list_on_trial_stands_beside_the_one_in_force),
          STATE_CASE(when_the_list_in_force_is_damaged_the_one_on_trial_is_better_than_none))
