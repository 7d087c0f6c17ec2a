// SPDX-License-Identifier: Apache-2.0
/// The recorded messages of a server and the recorded files of a device, given to today's agent.
#include "agent/enrol.h"
#include "agent/link/sync.h"
#include "agent/state.h"
#include "agent/workload/accept.h"
#include "base/arena.h"
#include "base/scope.h"
#include "folder.h"
#include "golden.h"
#include "io/file.h"
#include "test.h"
#include "wire/state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_MAX = 32 * 1024 * 1024 };

/// What the agent makes of a recorded message down.
static SyncDown taken(Arena *arena, const char *file, Sync *sync, bool *ret_is_newer) {
    SyncDown down;
    Str json = golden_load(arena, file);
    CHECK_OK(schema_read(&SyncDown_schema, json, DECODE_PEER, arena, &down, NULL));
    sync_init(sync, 0, NULL);
    sync->seq = down.ack; // what it acknowledges was sent
    sync->is_waiting = true;
    CHECK_OK(sync_down(sync, &down, ret_is_newer));
    return down;
}

TEST(each_recorded_message_of_a_server_is_taken) {
    static const char *const names[] = {
        "ack", "push", "push_nothing", "push_reserved", "servers", "rotate", "key"};
    static const char *const ages[] = {".json", ".newer.json"};
    for (size_t i = 0; i < 2 * sizeof(names) / sizeof(names[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, ARENA_MAX);
        SCOPED(sync_done) Sync sync = {};
        bool is_newer;
        Str file = str_print(&arena, "sync_down.%s%s", names[i / 2], ages[i % 2]);
        SyncDown down = taken(&arena, file.ptr, &sync, &is_newer);
        CHECK(is_newer == (down.desired.generation > 0));
        CHECK(down.ack == 0 || !sync.is_waiting);
        CHECK(sync.heartbeat_ms == down.heartbeat.ms);
    }
}

TEST(a_recorded_desired_state_is_acted_on_whoever_sent_it) {
    static const char *const files[] = {"sync_down.push.json", "sync_down.push.newer.json"};
    for (size_t i = 0; i < 2; i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, ARENA_MAX);
        SCOPED(sync_done) Sync sync = {};
        bool is_newer;
        SyncDown down = taken(&arena, files[i], &sync, &is_newer);
        CHECK(is_newer && down.desired.applications.count == 2);
        Aim aim;
        CHECK_OK(aim_make(&down.desired, NULL, &arena, &aim));
        CHECK(aim_is_whole(&aim) && aim.generation == down.desired.generation);
        CHECK(aim.desired.applications.count == 2);
    }
}

TEST(what_is_reserved_for_newer_agents_is_refused_and_the_rest_is_acted_on) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, ARENA_MAX);
    SCOPED(sync_done) Sync sync = {};
    bool is_newer;
    SyncDown down = taken(&arena, "sync_down.push_reserved.json", &sync, &is_newer);
    Aim aim;
    CHECK_OK(aim_make(&down.desired, NULL, &arena, &aim));
    CHECK(!aim_is_whole(&aim) && aim.refused.count > 0);
    for (size_t i = 0; i < aim.refused.count; i++)
        CHECK(refusal_is(&aim.refused.items[i].refusal, REFUSED_NEEDS_ABILITY));
}

TEST(each_recorded_token_is_one) {
    static const struct {
        const char *file;
        const char *authority;
    } rows[] = {
        {"token.pinned.txt",       NULL            },
        {"token.pinned.newer.txt", NULL            },
        {"token.public.txt",       AUTHORITY_PUBLIC},
        {"token.http.txt",         ""              },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, ARENA_MAX);
        TokenText token;
        CHECK_OK(token_text_parse(golden_load(&arena, rows[i].file), &arena, &token, NULL));
        CHECK(token.servers.count > 0 && token.secret.len > 0);
        if (rows[i].authority) CHECK_STR(token.authority, str_from(rows[i].authority));
    }
}

/// --- a recorded state folder ---

typedef struct Folder {
    char path[64];
    Notes notes;
    State state;
    Arena arena;
} Folder;

static void folder_open(Folder *folder) {
    *folder = (Folder){.path = "/tmp/muster-replay-XXXXXX"};
    CHECK(mkdtemp(folder->path));
    arena_init(&folder->arena, ARENA_MAX);
    CHECK_OK(state_open(folder->path, &folder->notes, &folder->state, NULL));
}

static void folder_close(Folder *folder) {
    state_close(&folder->state);
    CHECK(folder_remove(folder->path) == 0);
    arena_done(&folder->arena);
}

/// Put the recorded file "state.STEM" + `age` where the agent has it.
static void folder_put(Folder *folder, const char *stem, const char *age) {
    Str from = str_print(&folder->arena, "state.%s%s", stem, age);
    Str to = str_print(&folder->arena, "%s/%s.json", folder->path, stem);
    CHECK_OK(file_save(to.ptr, golden_load(&folder->arena, from.ptr), 0600, NULL));
}

TEST(a_recorded_state_folder_is_taken_up_also_from_a_newer_agent) {
    static const char *const ages[] = {".json", ".newer.json"};
    static const char *const stems[] = {"identity",
                                        "identity.next",
                                        "membership",
                                        "servers",
                                        "servers.next",
                                        "desired",
                                        "reported"};
    for (size_t age = 0; age < 2; age++) {
        Folder folder;
        folder_open(&folder);
        for (size_t i = 0; i < sizeof(stems) / sizeof(stems[0]); i++)
            folder_put(&folder, stems[i], ages[age]);
        Membership member;
        Identity identity, next;
        Servers servers, trial;
        DesiredFile desired;
        ReportedFile reported;
        const State *state = &folder.state;
        Arena *arena = &folder.arena;
        CHECK_OK(state_identity(state, arena, &member, &identity, NULL));
        CHECK(member.epoch == 2);
        CHECK_STR(id_str(&member.device_id), S("device_01jdkx4y8re6va2q9c3h5m7002"));
        CHECK_OK(state_next_find(state, &next, NULL));
        CHECK_OK(state_servers(state, arena, &servers, &trial, NULL));
        CHECK(servers.servers.count > 0 && trial.digest.len > 0);
        CHECK_OK(state_find(state, STATE_DESIRED, &DesiredFile_schema, arena, &desired, NULL));
        CHECK(desired.desired.applications.count > 0);
        CHECK_OK(state_find(state, STATE_REPORTED, &ReportedFile_schema, arena, &reported, NULL));
        CHECK(folder.notes.count == 0); // nothing was set aside
        folder_close(&folder);
    }
}

TEST(a_membership_for_newer_agents_only_is_left_as_it_is) {
    Folder folder;
    folder_open(&folder);
    folder_put(&folder, "identity", ".json");
    folder_put(&folder, "membership", ".json");
    Str path = str_print(&folder.arena, "%s/membership.json", folder.path);
    Str later = golden_load(&folder.arena, "state.membership.unreadable.json");
    CHECK_OK(file_save(path.ptr, later, 0600, NULL));
    Membership member;
    Identity identity;
    Reason reason = {};
    CHECK_ERR(state_identity(&folder.state, &folder.arena, &member, &identity, &reason), ERR_STATE);
    CHECK(strstr(reason.text, "membership.json"));
    Str left;
    CHECK_OK(file_load(path.ptr, STATE_FILE_MAX, &folder.arena, &left, NULL));
    CHECK_STR(left, later);
    folder_close(&folder);
}

TEST_MAIN(CASE(each_recorded_message_of_a_server_is_taken),
          CASE(a_recorded_desired_state_is_acted_on_whoever_sent_it),
          CASE(what_is_reserved_for_newer_agents_is_refused_and_the_rest_is_acted_on),
          CASE(each_recorded_token_is_one),
          CASE(a_recorded_state_folder_is_taken_up_also_from_a_newer_agent),
          CASE(a_membership_for_newer_agents_only_is_left_as_it_is))
