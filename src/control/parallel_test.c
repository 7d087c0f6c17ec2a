// SPDX-License-Identifier: Apache-2.0
/// 64 calls at once at each rule of "at most", "at least" and "only one", on both stores.
#include "control/crowd_fixture.h"

#include "api/fleet.h"
#include "base/scope.h"
#include "control/operator/operator.h"
#include "control/org/org.h"
#include "test.h"

#include <string.h>

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
    CHECK(crowd->statuses[200] == USES && crowd->statuses[401] == CROWD_THREADS - USES);
    CHECK_STR(crowd_shown(&crowd->f, "/v1/tokens", "uses"), S("40"));
    CHECK_STR(crowd_shown(&crowd->f, "/v1/fleets?name=one", "device_count"), S("40"));
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
    joining.token =
        fixture_enrolment_token(&crowd->f, fixture_fleet(&crowd->f, "one"), CROWD_THREADS);
    jws_key_make(&joining.key);
    crowd_run(crowd, join_again, &joining);
    CHECK(crowd->statuses[200] == CROWD_THREADS);
    CHECK_STR(crowd_shown(&crowd->f, "/v1/tokens", "uses"), S("1"));
    CHECK_STR(crowd_shown(&crowd->f, "/v1/fleets?name=one", "device_count"), S("1"));
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
    CHECK(crowd->statuses[200] == CROWD_THREADS);
    CHECK_STR(crowd_shown(f, "/v1/fleets?name=one", "serial"), S("64"));
}

/// The owners, in a circle: each makes the next one a viewer.
typedef struct Circle {
    Str tokens[CROWD_THREADS];
    const char *paths[CROWD_THREADS];
} Circle;

static uint32_t demote(Fixture *f, size_t number, const void *ctx) {
    const Circle *circle = ctx;
    return fixture_call(f,
                        "PATCH",
                        circle->paths[(number + 1) % CROWD_THREADS],
                        circle->tokens[number],
                        "{\"role\":\"viewer\"}")
        .status;
}

/// An owner with a session, made in the store: a password takes long.
static void owner_make(Fixture *f, const Id *org, size_t number, Circle *circle) {
    const Operator owner = {
        .id = id_new(S("operator"), f->now_ms),
        .org_id = *org,
        .rev = 1,
        .name = str_print(&f->arena, "owner-%zu", number),
        .role = ROLE_OWNER,
    };
    SCOPED(tx_closep) Tx *tx = NULL;
    CHECK_OK(tx_open(f->app.db, &f->arena, id_str(org), &tx));
    CHECK_OK(operator_add(tx, &owner));
    CHECK_OK(org_count_owner(tx, org, 1));
    CHECK_OK(tx_commit(tx, NULL));
    circle->paths[number] = fixture_print(f, "/v1/operators/%s", owner.id.text);
    circle->tokens[number] = fixture_session(f, org, &owner.id);
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
    CHECK_OK(id_parse(crowd_shown(f, "/v1/org", "id"), S("org"), &org));
    CHECK_OK(id_parse(crowd_shown(f, "/v1/operators?name=ada", "id"), S("operator"), &ada));
    for (size_t i = 0; i < CROWD_THREADS; i++)
        owner_make(f, &org, i, &circle);
    CHECK(role_count(f, "owner", f->token) == CROWD_THREADS + 1);
    const char *path = fixture_print(f, "/v1/operators/%s", ada.text);
    CHECK(fixture_call(f, "DELETE", path, circle.tokens[0], NULL).status == 204);
    crowd_run(crowd, demote, &circle);
    size_t left = role_count(f, "owner", circle.tokens[0]);
    CHECK(left >= 1 && left == CROWD_THREADS - crowd->statuses[200]);
    CHECK(crowd->statuses[200] + crowd->statuses[409] + crowd->statuses[403] == CROWD_THREADS);
}

/// A thing whose name is its own.
typedef struct Naming {
    const char *path;
    const char *body;
} Naming;

static uint32_t name_take(Fixture *f, size_t, const void *ctx) {
    const Naming *naming = ctx;
    return fixture_call(f, "POST", naming->path, f->token, naming->body).status;
}

TEST_CROWD(of_many_who_take_a_name_one_gets_it) {
    static const Naming namings[] = {
        {"/v1/fleets",    "{\"name\":\"one\"}"                                   },
        {"/v1/operators", "{\"name\":\"one\",\"password\":\"a long password\"}"  },
        {"/v1/releases",
         "{\"application\":\"shop\",\"version\":\"1.0.0\",\"manifest\":{\"services\":[{\"name\":"
         "\"web\",\"image\":\"registry.example.com/web@sha256:"
         "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"}]}}"},
    };
    size_t count = sizeof(namings) / sizeof(namings[0]);
    for (size_t i = 0; i < count; i++) {
        crowd_run(crowd, name_take, &namings[i]);
        CHECK(crowd->statuses[201] == i + 1);
        CHECK(crowd->statuses[409] == (i + 1) * (CROWD_THREADS - 1));
    }
}

/// What each caller renames, and as whom.
typedef struct Renaming {
    Str tokens[CROWD_THREADS];
    const char *paths[CROWD_THREADS];
} Renaming;

static uint32_t rename_one(Fixture *f, size_t number, const void *ctx) {
    const Renaming *renaming = ctx;
    return fixture_call(
               f, "PATCH", renaming->paths[number], renaming->tokens[number], "{\"name\":\"one\"}")
        .status;
}

TEST_CROWD(of_many_devices_that_are_given_a_name_one_gets_it) {
    Fixture *f = &crowd->f;
    Renaming renaming;
    Str token = fixture_enrolment_token(f, fixture_fleet(f, "one"), CROWD_THREADS);
    for (size_t i = 0; i < CROWD_THREADS; i++) {
        renaming.tokens[i] = f->token;
        renaming.paths[i] = fixture_device(f, token, fixture_print(f, "cam-%zu", i)).path;
    }
    crowd_run(crowd, rename_one, &renaming);
    CHECK(crowd->statuses[200] == 1 && crowd->statuses[409] == CROWD_THREADS - 1);
}

TEST_CROWD(of_many_organisations_that_take_a_name_one_gets_it) {
    enum { ORGS = 4 }; // a password each
    Fixture *f = &crowd->f;
    Renaming renaming;
    for (size_t i = 0; i < CROWD_THREADS; i++) {
        renaming.paths[i] = "/v1/org";
        renaming.tokens[i] =
            i < ORGS ? fixture_org(f, fixture_print(f, "org-%zu", i)) : renaming.tokens[i % ORGS];
    }
    crowd_run(crowd, rename_one, &renaming);
    size_t named = 0;
    for (size_t i = 0; i < ORGS; i++) {
        HttpReply org = fixture_call(f, "GET", "/v1/org", renaming.tokens[i], NULL);
        named += str_eq(fixture_field(&org, "name"), S("one"));
    }
    CHECK(named == 1);
    CHECK(crowd->statuses[200] == CROWD_THREADS / ORGS); // once it has the name it keeps it
    CHECK(crowd->statuses[409] == CROWD_THREADS - CROWD_THREADS / ORGS);
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
    Str token = fixture_enrolment_token(f, fleet, CROWD_THREADS);
    Shipping shipping = {fixture_print(f, "/v1/fleets/%.*s", STR_FMT(fleet)), token.ptr};
    crowd_run(crowd, join_or_delete, &shipping);
    size_t joined = crowd->statuses[200], deleted = crowd->statuses[204];
    CHECK((deleted == 1 && joined == 0) || (deleted == 0 && joined == CROWD_THREADS / 2));
    HttpReply devices = fixture_call(f, "GET", "/v1/devices?limit=1", f->token, NULL);
    CHECK(fixture_has(&devices, "device_") == (joined > 0));
}

TEST_MAIN(CASE_CROWD(as_many_join_as_the_token_has_uses_and_each_has_its_own_name),
          CASE_CROWD(one_device_that_joins_many_times_at_once_is_one_device_and_one_use),
          CASE_CROWD(deploys_of_one_fleet_at_once_are_all_done_one_after_the_other),
          CASE_CROWD(owners_who_demote_each_other_leave_one),
          CASE_CROWD(of_many_who_take_a_name_one_gets_it),
          CASE_CROWD(of_many_devices_that_are_given_a_name_one_gets_it),
          CASE_CROWD(of_many_organisations_that_take_a_name_one_gets_it),
          CASE_CROWD(a_fleet_is_deleted_or_joined_and_never_both))
