// SPDX-License-Identifier: Apache-2.0
/// The power is cut between any two operations on the state folder: what is found afterwards is
/// the old or the new, and always enough to come back.
#include "agent/state.h"

#include "base/arena.h"
#include "cut.h"
#include "folder.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

/// A folder of an enrolled device, with what its tests want to change.
typedef struct Fixture {
    char folder[64];
    Arena arena;
    State state;
    Membership member;
    Identity old;
    Identity next;
    Servers first;
    Servers second;
} Fixture;

static Servers servers_of(Arena *arena, const char *digest) {
    ServerEntry *entry = ARENA_NEW(arena, ServerEntry);
    entry->url = S("https://muster.example:7443");
    return (Servers){
        .digest = str_from(digest), .servers = {entry, 1}
    };
}

static Membership member_of(Fixture *f, const Identity *identity, uint64_t epoch) {
    return (Membership){
        .head = state_head(),
        .installation = id_new(S("installation"), 1),
        .device_id = id_new(S("device"), 1),
        .epoch = epoch,
        .public_key = identity_public_key(identity, &f->arena),
    };
}

static void prepare(Fixture *f) {
    *f = (Fixture){};
    snprintf(f->folder, sizeof(f->folder), "/tmp/muster-crash-XXXXXX");
    CHECK(mkdtemp(f->folder) != NULL);
    arena_init(&f->arena, 1024 * 1024);
    CHECK_OK(state_open(f->folder, NULL, &f->state, NULL));
    f->first = servers_of(&f->arena, "list-1");
    f->second = servers_of(&f->arena, "list-2");
    CHECK_OK(state_next_make(&f->state, &f->old, NULL));
    f->member = member_of(f, &f->old, 1);
    CHECK_OK(state_enrolled(&f->state, &f->member, &f->first, &f->old, NULL));
}

static void finish(Fixture *f) {
    state_close(&f->state);
    CHECK(folder_remove(f->folder) == 0);
    arena_done(&f->arena);
}

typedef struct Change {
    Fixture *f;
    Err (*run)(Fixture *f);
} Change;

static bool change_run(void *ctx) {
    const Change *change = ctx;
    return change->run(change->f).code == OK;
}

static void sweep(void (*ready)(Fixture *f), Err (*change)(Fixture *f), void (*check)(Fixture *f)) {
    bool was_cut = true;
    int nth = 0;
    for (; was_cut; nth++) {
        CHECK(nth < 100);
        Fixture f;
        prepare(&f);
        if (ready) ready(&f);
        was_cut = cut_off(nth, change_run, &(Change){&f, change});
        check(&f);
        check(&f); // also after what looking has finished
        finish(&f);
    }
    CHECK(nth > 4); // there was something to cut
}

static void make_next(Fixture *f) {
    CHECK_OK(state_next_make(&f->state, &f->next, NULL));
}

static Err rotate(Fixture *f) {
    return state_rotated(&f->state, &f->member, &f->next, NULL);
}

static bool is_key(const Identity *a, const Identity *b) {
    return memcmp(a->seed, b->seed, sizeof(a->seed)) == 0;
}

/// The old key with the new one beside it, or the new one: each can say hello.
static void has_a_key(Fixture *f) {
    Membership member;
    Identity key, beside;
    CHECK_OK(state_identity(&f->state, &f->arena, &member, &key, NULL));
    CHECK(id_eq(&member.device_id, &f->member.device_id) && member.epoch == 1);
    if (is_key(&key, &f->next)) return;
    CHECK(is_key(&key, &f->old));
    CHECK_OK(state_next_find(&f->state, &beside, NULL));
    CHECK(is_key(&beside, &f->next));
}

TEST(a_key_is_replaced_whole_or_not_at_all) {
    sweep(make_next, rotate, has_a_key);
}

static Err make(Fixture *f) {
    Identity made;
    return state_next_make(&f->state, &made, NULL);
}

static void has_the_old_key(Fixture *f) {
    Membership member;
    Identity key;
    CHECK_OK(state_identity(&f->state, &f->arena, &member, &key, NULL));
    CHECK(is_key(&key, &f->old));
}

TEST(a_key_that_is_being_made_does_not_disturb_the_one_that_is_there) {
    Fixture f;
    for (int nth = 0; nth < 3; nth++) {
        prepare(&f);
        cut_off(nth, change_run, &(Change){&f, make});
        has_the_old_key(&f);
        finish(&f);
    }
}

static Err enrol_anew(Fixture *f) {
    Membership member = member_of(f, &f->next, 2);
    return state_enrolled(&f->state, &member, &f->second, &f->next, NULL);
}

static void is_the_old_or_the_new_device(Fixture *f) {
    Membership member;
    Identity key;
    Servers servers, trial;
    CHECK_OK(state_identity(&f->state, &f->arena, &member, &key, NULL));
    CHECK_OK(state_servers(&f->state, &f->arena, &servers, &trial, NULL));
    CHECK(is_key(&key, member.epoch == 2 ? &f->next : &f->old));
    CHECK_STR(member.epoch == 2 && trial.digest.ptr ? trial.digest : servers.digest,
              member.epoch == 2 ? S("list-2") : S("list-1"));
}

TEST(an_enrolment_is_kept_whole_or_not_at_all) {
    sweep(make_next, enrol_anew, is_the_old_or_the_new_device);
}

static Err try_list(Fixture *f) {
    return state_servers_try(&f->state, &f->second, NULL);
}

static void has_the_first_list(Fixture *f) {
    Servers servers, trial;
    CHECK_OK(state_servers(&f->state, &f->arena, &servers, &trial, NULL));
    CHECK_STR(servers.digest, S("list-1"));
    CHECK(!trial.digest.ptr || str_eq(trial.digest, S("list-2")));
}

static void put_on_trial(Fixture *f) {
    CHECK_OK(try_list(f));
}

static Err accept_list(Fixture *f) {
    return state_servers_accept(&f->state, &f->second, NULL);
}

/// The first one with the second on trial, or the second alone.
static void has_a_list(Fixture *f) {
    Servers servers, trial;
    CHECK_OK(state_servers(&f->state, &f->arena, &servers, &trial, NULL));
    if (str_eq(servers.digest, S("list-2"))) {
        CHECK(!trial.digest.ptr);
    } else {
        CHECK_STR(servers.digest, S("list-1"));
        CHECK_STR(trial.digest, S("list-2"));
    }
}

TEST(a_list_of_servers_is_replaced_whole_or_not_at_all) {
    sweep(put_on_trial, accept_list, has_a_list);
    Fixture f;
    for (int nth = 0; nth < 3; nth++) {
        prepare(&f);
        cut_off(nth, change_run, &(Change){&f, try_list});
        has_the_first_list(&f);
        finish(&f);
    }
}

TEST_MAIN(CASE(a_key_is_replaced_whole_or_not_at_all),
          CASE(a_key_that_is_being_made_does_not_disturb_the_one_that_is_there),
          CASE(an_enrolment_is_kept_whole_or_not_at_all),
          CASE(a_list_of_servers_is_replaced_whole_or_not_at_all))
