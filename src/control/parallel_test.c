// SPDX-License-Identifier: Apache-2.0
/// 64 calls at once at each rule of "at most", "at least" and "only one", on both stores.
#include "control/fixture.h"

#include "api/fleet.h"
#include "api/operator.h"
#include "base/scope.h"
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 64, CALL_ARENA_BYTES = 32 << 20 };

/// One call of many at once; `f` is the caller's own, with an arena of its own.
typedef struct Caller {
    Fixture f;
    pthread_t thread;
    pthread_barrier_t *start;
    uint32_t (*call)(Fixture *f, size_t number, const void *ctx); ///< gives the status
    size_t number;
    const void *ctx;
    uint32_t status;
} Caller;

/// A fixture over a store, and how often the calls ended with each status.
typedef struct Crowd {
    Fixture f;
    char folder[32];
    char path[48];
    size_t statuses[600];
} Crowd;

static void crowd_open(Crowd *crowd, bool sqlite) {
    *crowd = (Crowd){.folder = "/tmp/parallel.XXXXXX"};
    CHECK(mkdtemp(crowd->folder) != NULL);
    snprintf(crowd->path, sizeof(crowd->path), "%s/test.db", crowd->folder);
    if (sqlite)
        fixture_open_sqlite(&crowd->f, crowd->path);
    else
        fixture_open(&crowd->f);
}

static void crowd_close(Crowd *crowd) {
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    fixture_close(&crowd->f);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s%s", crowd->path, suffixes[i]);
        (void)unlink(path);
    }
    (void)rmdir(crowd->folder);
}

static void *caller_main(void *arg) {
    Caller *caller = arg;
    pthread_barrier_wait(caller->start);
    caller->status = caller->call(&caller->f, caller->number, caller->ctx);
    return NULL;
}

/// All at once; counts how they ended.
static void crowd_run(Crowd *crowd,
                      uint32_t (*call)(Fixture *f, size_t number, const void *ctx),
                      const void *ctx) {
    SCOPED(mem_freep) Caller *callers = calloc(THREADS, sizeof(*callers));
    CHECK(callers != NULL);
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++) {
        callers[i] =
            (Caller){.f = crowd->f, .start = &start, .call = call, .number = i, .ctx = ctx};
        arena_init(&callers[i].f.arena, CALL_ARENA_BYTES);
        CHECK(pthread_create(&callers[i].thread, NULL, caller_main, &callers[i]) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        CHECK(pthread_join(callers[i].thread, NULL) == 0);
        crowd->statuses[callers[i].status]++;
        arena_done(&callers[i].f.arena);
    }
    pthread_barrier_destroy(&start);
}

/// A field of what stands at `path`.
static Str shown(Fixture *f, const char *path, const char *field) {
    HttpReply reply = fixture_call(f, "GET", path, f->token, NULL);
    CHECK(reply.status == 200);
    return fixture_field(&reply, field);
}

/// Two tests, one per store, of the block that follows; it sees `crowd`.
#define TEST_CROWD(name)                 \
    static void name##_on(Crowd *crowd); \
    TEST(name##_in_memory) {             \
        Crowd crowd;                     \
        crowd_open(&crowd, false);       \
        name##_on(&crowd);               \
        crowd_close(&crowd);             \
    }                                    \
    TEST(name##_in_sqlite) {             \
        Crowd crowd;                     \
        crowd_open(&crowd, true);        \
        name##_on(&crowd);               \
        crowd_close(&crowd);             \
    }                                    \
    static void name##_on(Crowd *crowd)
#define CASE_CROWD(name) CASE(name##_in_memory), CASE(name##_in_sqlite)

/// Devices of one host name join with the token in `ctx`.
static uint32_t join(Fixture *f, size_t, const void *ctx) {
    JwsKey key;
    jws_key_make(&key);
    return fixture_enrol(f, *(const Str *)ctx, &key, "cam").status;
}

TEST_CROWD(as_many_join_as_the_token_has_uses_and_each_has_its_own_name) {
    enum { USES = 40 };
    Str fleet = fixture_fleet(&crowd->f, "one");
    Str token = fixture_enrolment_token(&crowd->f, fleet, USES);
    crowd_run(crowd, join, &token);
    CHECK(crowd->statuses[200] == USES && crowd->statuses[401] == THREADS - USES);
    CHECK_STR(shown(&crowd->f, "/v1/tokens", "uses"), S("40"));
    CHECK_STR(shown(&crowd->f, "/v1/fleets?name=one", "device_count"), S("40"));
    HttpReply devices =
        fixture_call(&crowd->f, "GET", "/v1/devices?limit=1000", crowd->f.token, NULL);
    CHECK(fixture_has(&devices, "\"name\":\"cam\"") && fixture_has(&devices, "\"name\":\"cam-"));
}

/// The same device joins often, and hears of one.
static uint32_t join_again(Fixture *f, size_t, const void *ctx) {
    const struct {
        Str token;
        JwsKey key;
    } *joining = ctx;
    return fixture_enrol(f, joining->token, &joining->key, "cam").status;
}

TEST_CROWD(one_device_that_joins_many_times_at_once_is_one_device_and_one_use) {
    struct {
        Str token;
        JwsKey key;
    } joining;
    joining.token = fixture_enrolment_token(&crowd->f, fixture_fleet(&crowd->f, "one"), THREADS);
    jws_key_make(&joining.key);
    crowd_run(crowd, join_again, &joining);
    CHECK(crowd->statuses[200] == THREADS);
    CHECK_STR(shown(&crowd->f, "/v1/tokens", "uses"), S("1"));
    CHECK_STR(shown(&crowd->f, "/v1/fleets?name=one", "device_count"), S("1"));
}

typedef struct Shipping {
    const char *path;
    const char *body;
} Shipping;

static uint32_t ship(Fixture *f, size_t, const void *ctx) {
    const Shipping *shipping = ctx;
    return fixture_call(f, "POST", shipping->path, f->token, shipping->body).status;
}

TEST_CROWD(deploys_of_one_fleet_at_once_are_all_done_one_after_the_other) {
    Fixture *f = &crowd->f;
    Str fleet = fixture_fleet(f, "one");
    HttpReply release = fixture_call(
        f,
        "POST",
        "/v1/releases",
        f->token,
        "{\"application\":\"shop\",\"version\":\"1.0.0\",\"manifest\":{\"services\":[{\"name\":"
        "\"web\",\"image\":\"registry.example.com/web@sha256:"
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"}]}}");
    CHECK(release.status == 201);
    Shipping shipping = {
        .path = fixture_print(f, "/v1/fleets/%.*s/deploy", STR_FMT(fleet)),
        .body =
            fixture_print(f, "{\"release_id\":\"%.*s\"}", STR_FMT(fixture_field(&release, "id"))),
    };
    crowd_run(crowd, ship, &shipping);
    CHECK(crowd->statuses[200] == THREADS);
    CHECK_STR(shown(f, "/v1/fleets?name=one", "serial"), S("64"));
}

/// The owners, in a circle: each makes the next one a viewer.
typedef struct Circle {
    Str tokens[THREADS];
    const char *paths[THREADS];
} Circle;

static uint32_t demote(Fixture *f, size_t number, const void *ctx) {
    const Circle *circle = ctx;
    return fixture_call(f,
                        "PATCH",
                        circle->paths[(number + 1) % THREADS],
                        circle->tokens[number],
                        "{\"role\":\"viewer\"}")
        .status;
}

/// An owner whose session is made here: a password takes long.
static void owner_make(Fixture *f, const Id *org, size_t number, Circle *circle) {
    const char *body = fixture_print(
        f, "{\"name\":\"owner-%zu\",\"password\":\"a long password\",\"role\":\"owner\"}", number);
    HttpReply made = fixture_call(f, "POST", "/v1/operators", f->token, body);
    CHECK(made.status == 201);
    Id id;
    CHECK_OK(id_parse(fixture_field(&made, "id"), S("operator"), &id));
    circle->paths[number] = fixture_print(f, "/v1/operators/%s", id.text);
    circle->tokens[number] = fixture_session(f, org, &id);
}

/// How many there are of this role.
static size_t role_count(Fixture *f, const char *role, Str bearer) {
    HttpReply list = fixture_call(f, "GET", "/v1/operators?limit=1000", bearer, NULL);
    CHECK(list.status == 200);
    Str text = str_from(fixture_print(f, "\"role\":\"%s\"", role));
    size_t count = 0;
    for (size_t at = 0; at < list.body.len; at++)
        count += str_starts(str_slice(list.body, at, list.body.len), text);
    return count;
}

TEST_CROWD(owners_who_demote_each_other_leave_one) {
    Fixture *f = &crowd->f;
    Circle circle;
    Id org, ada;
    CHECK_OK(id_parse(shown(f, "/v1/org", "id"), S("org"), &org));
    CHECK_OK(id_parse(shown(f, "/v1/operators?name=ada", "id"), S("operator"), &ada));
    for (size_t i = 0; i < THREADS; i++)
        owner_make(f, &org, i, &circle);
    CHECK(role_count(f, "owner", f->token) == THREADS + 1);
    const char *path = fixture_print(f, "/v1/operators/%s", ada.text);
    CHECK(fixture_call(f, "DELETE", path, circle.tokens[0], NULL).status == 204);
    crowd_run(crowd, demote, &circle);
    size_t left = role_count(f, "owner", circle.tokens[0]);
    CHECK(left >= 1 && left == THREADS - crowd->statuses[200]);
    CHECK(crowd->statuses[200] + crowd->statuses[409] + crowd->statuses[403] == THREADS);
}

static uint32_t fleet_make(Fixture *f, size_t, const void *) {
    return fixture_call(f, "POST", "/v1/fleets", f->token, "{\"name\":\"one\"}").status;
}

TEST_CROWD(of_many_who_take_a_name_one_gets_it) {
    crowd_run(crowd, fleet_make, NULL);
    CHECK(crowd->statuses[201] == 1 && crowd->statuses[409] == THREADS - 1);
}

/// Half of them join a fleet, and somebody deletes it.
static uint32_t join_or_delete(Fixture *f, size_t number, const void *ctx) {
    const Shipping *shipping = ctx;
    if (number % 2) return join(f, number, &(Str){shipping->body, strlen(shipping->body)});
    return fixture_call(f, "DELETE", shipping->path, f->token, NULL).status;
}

TEST_CROWD(a_fleet_is_deleted_or_joined_and_never_both) {
    Fixture *f = &crowd->f;
    Str fleet = fixture_fleet(f, "one");
    Str token = fixture_enrolment_token(f, fleet, THREADS);
    Shipping shipping = {fixture_print(f, "/v1/fleets/%.*s", STR_FMT(fleet)), token.ptr};
    crowd_run(crowd, join_or_delete, &shipping);
    size_t joined = crowd->statuses[200], deleted = crowd->statuses[204];
    CHECK((deleted == 1 && joined == 0) || (deleted == 0 && joined == THREADS / 2));
    HttpReply devices = fixture_call(f, "GET", "/v1/devices?limit=1", f->token, NULL);
    CHECK(fixture_has(&devices, "device_") == (joined > 0));
}

TEST_MAIN(CASE_CROWD(as_many_join_as_the_token_has_uses_and_each_has_its_own_name),
          CASE_CROWD(one_device_that_joins_many_times_at_once_is_one_device_and_one_use),
          CASE_CROWD(deploys_of_one_fleet_at_once_are_all_done_one_after_the_other),
          CASE_CROWD(owners_who_demote_each_other_leave_one),
          CASE_CROWD(of_many_who_take_a_name_one_gets_it),
          CASE_CROWD(a_fleet_is_deleted_or_joined_and_never_both))
